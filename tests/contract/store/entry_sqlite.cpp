// SPDX-License-Identifier: MIT
#include <daybook/adapters/sqlite.hpp>

#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <daybook/log/fleet_store.hpp>

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

namespace {

class SqlitePlace final : public store_contract::Place {
public:
    SqlitePlace() {
        std::string name = (std::filesystem::temp_directory_path() / "daybook-store-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) { throw std::runtime_error{"no temporary directory could be made"}; }
        directory_ = name;
    }
    ~SqlitePlace() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    [[nodiscard]] daybook::AnyStore store() override {
        return daybook::SqliteStore{(directory_ / "history.sqlite").string()};
    }

private:
    std::filesystem::path directory_;
};

} // namespace

std::unique_ptr<store_contract::Place> store_contract::new_place() { return std::make_unique<SqlitePlace>(); }

TEST_CASE("a file is not for several processes") {
    static_assert(!daybook::fleet_store<daybook::SqliteStore>);
    const auto store = store_contract::new_place()->store();
    CHECK_FALSE(store.is_shared());
    try {
        static_cast<void>(store.join({.name = "a"}, store_contract::soon()));
        FAIL("it was joined");
    } catch (const daybook::StoreError& error) { CHECK(error.failure() == daybook::StoreFailure::refused); }
}
