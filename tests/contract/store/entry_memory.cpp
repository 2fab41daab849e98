// SPDX-License-Identifier: MIT
#include <daybook/testing/memory_store.hpp>

#include "contract/store/fleet_contract.hpp"
#include "contract/store/store_contract.hpp"

#include <daybook/time/manual_clock.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace {

class MemoryPlace final : public store_contract::SharedPlace {
public:
    MemoryPlace() { content_.set_clock(clock_); }
    [[nodiscard]] daybook::AnyStore store() override { return daybook::testing::MemoryStore{content_}; }
    void pass(std::chrono::milliseconds time) override { clock_.advance(time); }
    [[nodiscard]] daybook::sys_time now() override { return clock_.now(); }
    void end_lease(const std::string& node) override { content_.end_lease(node); }

private:
    daybook::ManualClock clock_;
    daybook::testing::MemoryStore content_;
};

} // namespace

std::unique_ptr<store_contract::Place> store_contract::new_place() { return std::make_unique<MemoryPlace>(); }

std::unique_ptr<store_contract::SharedPlace> store_contract::new_shared_place() {
    return std::make_unique<MemoryPlace>();
}
