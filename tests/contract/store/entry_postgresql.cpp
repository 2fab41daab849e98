// SPDX-License-Identifier: MIT
#include <daybook/adapters/postgresql.hpp>

#include "contract/store/fleet_contract.hpp"
#include "contract/store/store_contract.hpp"
#include "support/postgresql_server.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

namespace {

using daybook_test::PostgresqlServer;

/// A schema of its own in one server that all cases share.
class PostgresqlPlace final : public store_contract::SharedPlace {
public:
    [[nodiscard]] daybook::AnyStore store() override {
        daybook::PostgresqlOptions options;
        options.conninfo = PostgresqlServer::shared().conninfo();
        options.schema = schema_;
        return daybook::PostgresqlStore{std::move(options)};
    }

    /// PostgreSQL has no NUL.
    [[nodiscard]] std::string kept(std::string text) override {
        for (std::size_t at = text.find('\0'); at != std::string::npos; at = text.find('\0')) {
            text.replace(at, 1, "\xEF\xBF\xBD");
        }
        return text;
    }

    void pass(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
    [[nodiscard]] daybook::sys_time now() override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    void end_lease(const std::string& node) override {
        (void)PostgresqlServer::shared().run(
            "UPDATE " + schema_ + ".node SET expires_at = now() - interval '1 second' WHERE node = '" + node + "'");
    }

private:
    std::string schema_ = PostgresqlServer::shared().new_schema();
};

[[nodiscard]] std::unique_ptr<PostgresqlPlace> place() {
    if (!PostgresqlServer::is_installed()) {
        std::fputs("There is no PostgreSQL on this machine.\n", stderr);
        std::exit(77); // what CTest takes for skipped
    }
    return std::make_unique<PostgresqlPlace>();
}

} // namespace

std::unique_ptr<store_contract::Place> store_contract::new_place() { return place(); }
std::unique_ptr<store_contract::SharedPlace> store_contract::new_shared_place() { return place(); }
