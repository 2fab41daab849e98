// SPDX-License-Identifier: MIT
#include <daybook/adapters/postgresql.hpp>

#include "contract/store/store_contract.hpp"
#include "support/postgresql_server.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

using daybook_test::PostgresqlServer;

/// A schema of its own in one server that all cases share.
class PostgresqlPlace final : public store_contract::Place {
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

private:
    std::string schema_ = PostgresqlServer::shared().new_schema();
};

} // namespace

std::unique_ptr<store_contract::Place> store_contract::new_place() {
    if (!PostgresqlServer::is_installed()) {
        std::fputs("There is no PostgreSQL on this machine.\n", stderr);
        std::exit(77); // what CTest takes for skipped
    }
    return std::make_unique<PostgresqlPlace>();
}
