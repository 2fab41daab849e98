// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_SESSION_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_SESSION_HPP

/// @file
/// A session of a store in PostgreSQL: what it is set up with, the lock that says who may use the tables, and the
/// making of these.

#include <daybook/adapters/postgresql_connection.hpp>
#include <daybook/adapters/postgresql_schema.hpp>
#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/log/execution_store.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Where the tables are, and how they are reached.
struct PostgresqlOptions {
    /// As libpq reads it: "host=db1,db2 dbname=jobs user=app target_session_attrs=read-write", or a URI. What it does
    /// not say comes from the environment (PGHOST and so on), as with every program that uses libpq. Several hosts are
    /// tried in this order.
    std::string conninfo = {};

    /// The schema of the tables, made if it is not there; empty: the first of the session's `search_path`. At most 63
    /// bytes.
    std::string schema = {};

    /// What the names of the tables begin with, for several programs in one schema; at most 32 bytes.
    std::string table_prefix = {};

    /// What the database's administrator sees; empty: "daybook", the node and the number of the process.
    std::string application_name = {};

    /// How long one of the hosts may take before the next one is asked, in place of libpq's own setting; above 0.
    /// Looking up their names is up to the system, and is not bounded by this: give addresses (`hostaddr`) where that
    /// matters.
    std::chrono::milliseconds connect_timeout{3000};
};

/// Whom a session lets use the tables beside it.
enum class PostgresqlPossession : std::uint8_t {
    sole,   ///< nobody
    shared, ///< the sessions of a fleet
};

/// A session that is opened when it is needed, and again when it broke.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: one thread at a time.
class PostgresqlSession {
public:
    /// Does not connect yet.
    /// @throws std::invalid_argument  A setting is not possible, with which and why.
    explicit PostgresqlSession(PostgresqlOptions options)
        : options_{std::move(options)}, connection_{options_.conninfo, "daybook", options_.connect_timeout} {
        const auto check = [](const std::string& name, std::size_t most, const char* member) {
            if (name.size() <= most && name.find('\0') == std::string::npos) { return; }
            throw std::invalid_argument{"daybook: PostgresqlOptions::" + std::string{member} + " may have " +
                                        std::to_string(most) + " bytes and no byte 0"};
        };
        check(options_.schema, 63, "schema"); // PostgreSQL cuts longer names silently
        check(options_.table_prefix, 32, "table_prefix");
        check(options_.application_name, 63, "application_name");
    }

    /// What sessions are for from now on.
    void use(std::string name, PostgresqlPossession possession) {
        name_ = std::move(name);
        possession_ = possession;
    }

    enum class State : std::uint8_t { was_open, is_new };

    /// Sees to it that there is a session that may use the tables.
    State ready(StoreDeadline deadline) {
        if (connection_.is_open()) { return State::was_open; }
        connection_.open(deadline);
        try {
            set_up(deadline);
            take_possession(deadline);
        } catch (...) {
            connection_.close();
            throw;
        }
        return State::is_new;
    }

    /// Ends the session, and with it what it holds.
    void close() noexcept { connection_.close(); }

    [[nodiscard]] bool is_open() { return connection_.is_open(); }
    [[nodiscard]] int backend() const noexcept { return connection_.backend(); }
    [[nodiscard]] PostgresqlConnection& connection() noexcept { return connection_; }

    /// All SQL of the store; empty until the first session.
    [[nodiscard]] const PostgresqlSchema& schema() const noexcept { return schema_; }

    std::vector<PostgresqlRows> run(std::span<const PostgresqlStep> steps, StoreDeadline deadline) {
        return connection_.run(steps, deadline);
    }
    PostgresqlRows ask(std::string_view sql, const PostgresqlParameters& parameters, StoreDeadline deadline,
                       PostgresqlPlan plan = PostgresqlPlan::kept) {
        return connection_.run(PostgresqlStep{sql, &parameters, plan}, deadline);
    }

    /// Makes the tables, or brings them to the present version.
    void make_tables(StoreDeadline deadline) {
        if (is_current(deadline)) { return; }
        // Others may be doing so, or making the same schema. The number is "daybook".
        ask("SELECT pg_advisory_lock(28254671641472875)", {}, deadline, PostgresqlPlan::once);
        if (!is_current(deadline)) {
            std::vector<std::string> texts;
            if (version_ == 0 && !has_schema_) {
                texts.push_back("CREATE SCHEMA IF NOT EXISTS " + postgresql_quoted(schema_name_));
            }
            for (auto& text : version_ == 0 ? schema_.creation() : schema_.migration()) {
                texts.push_back(std::move(text));
            }
            std::vector<PostgresqlStep> steps;
            steps.reserve(texts.size());
            for (const auto& text : texts) { steps.push_back({text}); }
            try {
                run(steps, deadline);
            } catch (...) {
                close(); // and with it the lock
                throw;
            }
        }
        ask("SELECT pg_advisory_unlock(28254671641472875)", {}, deadline, PostgresqlPlan::once);
    }

private:
    struct Session {
        std::int64_t process = 0;
        std::int64_t begun_at = 0;
        friend bool operator==(const Session&, const Session&) = default;
    };

    void set_up(StoreDeadline deadline) {
        std::string name = options_.application_name;
        if (name.empty()) { name = ("daybook " + name_).substr(0, 40) + " pid " + std::to_string(::getpid()); }
        // Settings that an older server does not know are left out. The session of a machine that has gone ends.
        const auto rows = ask(
            "SELECT current_setting('server_encoding'), current_schema()::text, (SELECT count(set_config(setting.name, "
            "setting.value, false)) FROM (VALUES ('application_name', $1), ('tcp_keepalives_idle', '20'), "
            "('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '50s'), "
            "('idle_session_timeout', '0'), ('jit', 'off'), ('default_transaction_isolation', 'read committed')) AS "
            "setting (name, value) JOIN pg_settings AS known USING (name))",
            PostgresqlParameters{}.add(std::string_view{name}), deadline, PostgresqlPlan::once);
        try {
            // A search ends when nobody waits for it any more. Not every server's system can tell.
            ask("SELECT set_config('client_connection_check_interval', '1s', false)", {}, deadline,
                PostgresqlPlan::once);
        } catch (const StoreError& error) {
            if (error.failure() != StoreFailure::refused) { throw; }
        }
        const std::string encoding{rows[0].text(0).value_or("")};
        if (encoding != "UTF8") {
            throw StoreError{StoreFailure::refused, "PostgreSQL: the database's encoding is " + encoding +
                                                        "; daybook needs one with the encoding UTF8"};
        }
        if (!schema_.version.empty()) { return; }
        const std::string schema =
            options_.schema.empty() ? std::string{rows[0].text(1).value_or("")} : options_.schema;
        if (schema.empty()) {
            throw StoreError{StoreFailure::refused,
                             "PostgreSQL: there is no schema in the search_path; set PostgresqlOptions::schema"};
        }
        schema_ = PostgresqlSchema{schema, options_.table_prefix};
        schema_name_ = schema;
    }

    /// Takes the lock that says who uses the tables. A session that has only just ended may hold it for a moment.
    void take_possession(StoreDeadline deadline) {
        const bool is_sole = possession_ == PostgresqlPossession::sole;
        PostgresqlParameters key;
        key.add(schema_.lock_key());
        const std::string take = "SELECT pid::bigint, backend_start, pg_try_advisory_lock" +
                                 std::string{is_sole ? "" : "_shared"} +
                                 "($1) FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        const std::string look = "SELECT a.pid::bigint, a.backend_start, a.application_name, l.mode = 'ShareLock' FROM "
                                 "pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE l.locktype = 'advisory' "
                                 "AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = "
                                 "current_database()) AND l.objsubid = 1 AND l.classid::bigint << 32 | "
                                 "l.objid::bigint = $1" +
                                 std::string{is_sole ? "" : " AND l.mode <> 'ShareLock'"};
        const auto patience = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::seconds{1});
        while (true) {
            const auto taken = ask(take, key, deadline, PostgresqlPlan::once);
            const Session session{taken[0].integer(0).value_or(0), taken[0].integer(1).value_or(0)};
            if (taken[0].integer(2).value_or(0) != 0) {
                // What an earlier one of ours may still hold, because the server has not noticed its end, is free.
                if (!is_sole && session_.process != 0) {
                    ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::int AND (extract(epoch "
                        "FROM backend_start) * 1000000)::bigint = $2",
                        PostgresqlParameters{}.add(session_.process).add(session_.begun_at), deadline,
                        PostgresqlPlan::once);
                }
                session_ = session;
                return;
            }
            const auto holder = ask(look, key, deadline, PostgresqlPlan::once);
            if (holder.size() > 0) {
                // One of ours, whose end the server has not noticed: it works on what nobody waits for any more.
                const Session other{holder[0].integer(0).value_or(0), holder[0].integer(1).value_or(0)};
                if (other == session_) {
                    ask("SELECT pg_terminate_backend($1::int)", PostgresqlParameters{}.add(other.process), deadline,
                        PostgresqlPlan::once);
                } else if (std::chrono::steady_clock::now() >= patience) {
                    throw StoreError{StoreFailure::busy,
                                     in_use(other.process, std::string{holder[0].text(2).value_or("")},
                                            holder[0].integer(3).value_or(0) != 0)};
                }
            }
            if (std::chrono::steady_clock::now() >= deadline) {
                throw StoreError{StoreFailure::busy, "PostgreSQL: the tables " + schema_.executions +
                                                         " and so on are still in use by an earlier session"};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    }

    [[nodiscard]] std::string in_use(std::int64_t process, const std::string& name, bool is_fleet) const {
        const std::string who =
            " (process " + std::to_string(process) + " of the server, application_name \"" + name + "\")";
        const std::string what = "PostgreSQL: the tables " + schema_.executions + " and so on are in use by ";
        if (is_fleet) {
            return what + "a fleet of processes" + who + "; set SchedulerOptions::fleet to take part in it";
        }
        return what + "another process" + who +
               (possession_ == PostgresqlPossession::sole
                    ? ""
                    : ", which has them for itself; a fleet needs SchedulerOptions::fleet in every process");
    }

    /// Whether the tables are there, in the present version. `version_` is 0 when there are none.
    [[nodiscard]] bool is_current(StoreDeadline deadline) {
        const auto there =
            ask("SELECT to_regclass($1) IS NOT NULL, EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $2)",
                PostgresqlParameters{}.add(schema_.version).add(schema_name_), deadline, PostgresqlPlan::once);
        version_ = 0;
        has_schema_ = there[0].integer(1).value_or(0) != 0;
        if (there[0].integer(0).value_or(0) == 0) { return false; }
        version_ = ask("SELECT version FROM " + schema_.version, {}, deadline, PostgresqlPlan::once).number();
        if (version_ >= 1 && version_ <= postgresql_schema_version) { return version_ == postgresql_schema_version; }
        throw StoreError{StoreFailure::refused, "PostgreSQL: the tables " + schema_.executions +
                                                    " and so on have the version " + std::to_string(version_) +
                                                    "; this version of daybook knows " +
                                                    std::to_string(postgresql_schema_version)};
    }

    PostgresqlOptions options_;
    PostgresqlConnection connection_;
    PostgresqlSchema schema_; // empty until the first session
    std::string schema_name_;
    std::string name_;
    PostgresqlPossession possession_ = PostgresqlPossession::sole;
    Session session_; // the newest one that may use the tables
    std::int64_t version_ = 0;
    bool has_schema_ = false;
};

} // namespace daybook::inline v0

#endif
