// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_EXAMPLES_CRON_DAEMON_STORE_HPP
#define DAYBOOK_EXAMPLES_CRON_DAEMON_STORE_HPP

/// @file
/// Where the history lasts: the stores that this program was built with.

#include <daybook/log/any_store.hpp>
#ifdef CRON_DAEMON_SQLITE
#include <daybook/adapters/sqlite.hpp>
#endif
#ifdef CRON_DAEMON_POSTGRESQL
#include <daybook/adapters/postgresql.hpp>
#endif

#include <stdexcept>
#include <string>
#include <string_view>

/// The store that `sqlite:FILE`, `postgresql:CONNINFO` or `postgresql://…` names; nothing for an empty text.
/// @throws std::invalid_argument  The text names none, or one that this program was built without.
inline daybook::AnyStore store_of(std::string_view text) {
    constexpr std::string_view sqlite = "sqlite:";
    constexpr std::string_view postgresql = "postgresql:";
    [[maybe_unused]] const auto missing = [](const char* what) {
        throw std::invalid_argument{std::string{"--store: this program was built without "} + what};
    };
    if (text.empty()) { return {}; }
    if (text.starts_with(sqlite) && text.size() > sqlite.size()) {
#ifdef CRON_DAEMON_SQLITE
        return daybook::SqliteStore{std::string{text.substr(sqlite.size())}};
#else
        missing("SQLite");
#endif
    }
    if (text.starts_with(postgresql) && text.size() > postgresql.size()) {
#ifdef CRON_DAEMON_POSTGRESQL
        const bool is_url = text.starts_with("postgresql://"); // libpq reads the whole of that
        return daybook::PostgresqlStore{std::string{is_url ? text : text.substr(postgresql.size())}};
#else
        missing("PostgreSQL");
#endif
    }
    const std::string kind{text.substr(0, text.find(':'))}; // what follows may hold a password
    throw std::invalid_argument{"--store: expected sqlite:FILE or postgresql:URL, got '" + kind + "'"};
}

#endif
