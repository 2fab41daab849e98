// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_ADAPTERS_POSTGRESQL_PLACE_HPP
#define DAYBOOK_TESTS_ADAPTERS_POSTGRESQL_PLACE_HPP

/// @file
/// Where the tests of the PostgreSQL store have their tables, and how long they wait.

#include "support/catch.hpp"
#include "support/postgresql_server.hpp"

#include <daybook/adapters/postgresql.hpp>

#include <chrono>

namespace daybook_test {

[[nodiscard]] inline std::chrono::steady_clock::time_point within(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/// Where nothing should take long, and a machine may be busy.
[[nodiscard]] inline std::chrono::steady_clock::time_point soon() { return within(std::chrono::seconds{20}); }

/// False, with a word, where there is no server to test with.
[[nodiscard]] inline bool has_server() {
    if (PostgresqlServer::is_installed()) { return true; }
    WARN("there is no PostgreSQL server on this machine");
    return false;
}

/// A schema of its own.
[[nodiscard]] inline daybook::PostgresqlOptions new_options(PostgresqlServer& server) {
    return {.conninfo = server.conninfo(), .schema = server.new_schema()};
}

} // namespace daybook_test

#endif
