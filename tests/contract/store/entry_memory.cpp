// SPDX-License-Identifier: MIT
#include <daybook/testing/memory_store.hpp>

#include "contract/store/store_contract.hpp"

namespace {

class MemoryPlace final : public store_contract::Place {
public:
    [[nodiscard]] daybook::AnyStore store() override { return daybook::testing::MemoryStore{content_}; }

private:
    daybook::testing::MemoryStore content_;
};

} // namespace

std::unique_ptr<store_contract::Place> store_contract::new_place() { return std::make_unique<MemoryPlace>(); }
