// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_HPP

/// @file
/// Executions and jobs that last in PostgreSQL (12 and later, tested with 15), over libpq (14 and later; POSIX).

#include <daybook/adapters/postgresql_connection.hpp>
#include <daybook/adapters/postgresql_schema.hpp>
#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/adapters/sql_rows.hpp>
#include <daybook/adapters/sql_statements.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
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

/// A store in PostgreSQL.
///
/// @code
/// daybook::Scheduler scheduler{{.store = daybook::PostgresqlStore{"host=db dbname=jobs"}}};
/// @endcode
///
/// One process writes at a time: an advisory lock of the session says which. So it needs sessions of its own, and no
/// pooler that shares them between transactions. A session that breaks is opened anew by the next call, and so is one
/// in which a deadline passed. The lock of a process that died is free at once; that of a machine that died, within a
/// minute.
///
/// What was written has been committed; whether that outlives a crash of the server is its `synchronous_commit`, which
/// must not be off.
///
/// Text comes back as it was but for bytes that are 0 or not UTF-8, which PostgreSQL cannot keep: each becomes U+FFFD.
/// Instants before 4713 BC become that year. The database's encoding must be UTF8.
///
/// The tables `job_execution`, `job` and `job_statistics` are there to be read by whoever likes; their columns are
/// those of adapters/sql_rows.hpp. Who removes executions by hand takes them off `retained` in `daybook_schema`, where
/// their number is kept.
///
/// For errors and deadlines see execution_store.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: one thread at a time; AnyStore sees to it.
class PostgresqlStore {
public:
    /// Does not connect yet.
    /// @throws std::invalid_argument  A setting is not possible, with which and why.
    explicit PostgresqlStore(PostgresqlOptions options)
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
    /// A template, so that `{{.conninfo = ...}}` means the options to every compiler.
    template <std::convertible_to<std::string> Text>
    explicit PostgresqlStore(Text&& conninfo)
        : PostgresqlStore{PostgresqlOptions{.conninfo = std::forward<Text>(conninfo)}} {}

    // See execution_store.

    void open(const StoreOpening& opening, StoreDeadline deadline) {
        if (is_opened_) {
            throw StoreError{StoreFailure::busy, "PostgreSQL: the tables are in use by this store already"};
        }
        node_ = opening.node;
        is_opened_ = true;
        try {
            ready(deadline);
            make_tables(deadline);
        } catch (...) {
            connection_.close(); // and with it the lock
            is_opened_ = false;
            throw;
        }
    }

    void close() noexcept {
        connection_.close(); // and with it the lock
        is_opened_ = false;
    }

    void write(const StoreBatch& batch, StoreDeadline deadline) {
        ready(deadline);
        // What the steps refer to must not move.
        std::vector<PostgresqlColumns> columns;
        std::vector<PostgresqlParameters> parameters;
        std::vector<PostgresqlStep> steps;
        const std::size_t parts = (batch.executions.size() + rows_of_a_step - 1) / rows_of_a_step + 2;
        columns.reserve(parts);
        parameters.reserve(parts);
        const auto send = [&](std::string_view sql) {
            parameters.emplace_back().add(columns.back());
            steps.push_back({sql, &parameters.back(), PostgresqlPlan::kept});
        };
        const auto executions = sorted(batch.executions, [](const StoredExecution& row) { return row.id; });
        std::string json;
        for (std::size_t begin = 0; begin < executions.size(); begin += rows_of_a_step) {
            auto& sink = columns.emplace_back(sql::execution_columns);
            const std::size_t end = std::min(executions.size(), begin + rows_of_a_step);
            for (std::size_t row = begin; row < end; ++row) { sql::give_execution(sink, *executions[row], json); }
            send(schema_.write_executions);
        }
        if (!batch.counters.empty()) {
            give_counters(columns.emplace_back(sql::counters_columns), batch.counters, node_);
            send(schema_.write_counters);
        }
        if (!batch.accounted.empty()) {
            auto& sink = columns.emplace_back(accounted_columns);
            for (const AccountedTime& accounted : batch.accounted) {
                sink.text(accounted.job_id);
                sink.instant(accounted.until);
            }
            send(schema_.write_accounted);
        }
        if (!steps.empty()) { run(steps, deadline); }
    }

    [[nodiscard]] StoredPage read(const StoreQuery& query, StoreDeadline deadline) {
        ready(deadline);
        const auto places = [&](const sql::Statement& statement) {
            const PostgresqlRows rows = ask(statement, deadline);
            std::vector<StorePlace> found;
            for (std::size_t row = 0; row < rows.size(); ++row) {
                found.push_back(
                    {rows[row].integer(0).value_or(0), static_cast<ExecutionId>(rows[row].integer(1).value_or(0))});
            }
            return found;
        };
        return sql::read_page(sql::Dialect::postgresql, schema_.executions, sql::names_of(sql::execution_columns),
                              query, places,
                              [&](const sql::Statement& statement) { return executions(ask(statement, deadline)); });
    }

    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) {
        ready(deadline);
        if (query.status.empty() || up_to == 0) { return 0; }
        const sql::Search search{sql::Dialect::postgresql, schema_.executions, query};
        return static_cast<std::uint64_t>(ask(search.count(up_to), deadline).number());
    }

    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) {
        ready(deadline);
        auto found = executions(ask(schema_.find_execution, PostgresqlParameters{}.add(sql::stored(id)), deadline));
        return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
    }

    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline) {
        ready(deadline);
        return executions(ask(schema_.find_unfinished, {}, deadline));
    }

    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline) {
        ready(deadline);
        return taken<StoredCounters>(ask(schema_.find_counters, {}, deadline),
                                     [](const PostgresqlRows::Row& row) { return sql::take_counters(row); });
    }

    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) {
        ready(deadline);
        PostgresqlColumns columns{sql::counters_columns};
        give_counters(columns, rows, {});
        PostgresqlParameters parameters;
        parameters.add(columns);
        const std::string remove = "DELETE FROM " + schema_.counters;
        const PostgresqlStep steps[] = {{remove}, {schema_.write_counters, &parameters, PostgresqlPlan::kept}};
        run(steps, deadline);
    }

    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline) {
        ready(deadline);
        return static_cast<std::uint64_t>(ask(schema_.retained, {}, deadline).number());
    }

    /// In transactions of a bounded size: when the deadline passes, some may be gone.
    std::uint64_t clear(StoreDeadline deadline) {
        ready(deadline);
        const std::string counters = "DELETE FROM " + schema_.counters + " WHERE scope <> 'lifetime'";
        std::uint64_t gone = 0;
        while (true) {
            constexpr std::int64_t at_once = 20'000;
            PostgresqlParameters parameters;
            parameters.add(at_once)
                .add(std::optional<std::int64_t>{})
                .add(std::numeric_limits<std::int64_t>::min() / 2);
            const PostgresqlStep remove[] = {{schema_.remove_executions, &parameters, PostgresqlPlan::kept}};
            const auto removed = static_cast<std::uint64_t>(run(remove, deadline).front().number());
            gone += removed;
            if (removed < at_once) { break; }
        }
        const PostgresqlStep last[] = {{counters}};
        run(last, deadline); // last: until then they are those of records that are there
        return gone;
    }

    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) {
        ready(deadline);
        const auto bounded = [](std::uint64_t number) {
            return static_cast<std::int64_t>(std::min<std::uint64_t>(number, std::uint64_t{1} << 62U));
        };
        std::optional<std::int64_t> before;
        std::optional<std::int64_t> most;
        if (retention.finished_before) { before = retention.finished_before->time_since_epoch().count(); }
        if (retention.max_records) { most = bounded(*retention.max_records); }
        if (!before && !most) { return 0; }
        const auto rows = ask(schema_.remove_executions,
                              PostgresqlParameters{}.add(bounded(retention.batch)).add(before).add(most), deadline);
        return static_cast<std::uint64_t>(rows.number());
    }

    // See job_store.

    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline) {
        ready(deadline);
        return taken<StoredJob>(ask(schema_.find_jobs, {}, deadline),
                                [](const PostgresqlRows::Row& row) { return sql::take_job(row); });
    }

    void save(const StoredJob& job, StoreDeadline deadline) {
        ready(deadline);
        PostgresqlColumns columns{sql::job_columns};
        sql::give_job(columns, job);
        ask(schema_.save_job, PostgresqlParameters{}.add(columns), deadline);
    }

    bool erase(std::string_view id, StoreDeadline deadline) {
        ready(deadline);
        return ask(schema_.erase_job, PostgresqlParameters{}.add(id), deadline).size() > 0;
    }

private:
    static constexpr std::size_t rows_of_a_step = 1000;
    static constexpr std::array accounted_columns{sql::Column{"id", sql::ColumnType::text},
                                                  sql::Column{"until", sql::ColumnType::instant}};

    /// Pointers to the rows in the order of their keys, so that whoever else writes them cannot deadlock with us.
    template <class Row, class Key>
    [[nodiscard]] static std::vector<const Row*> sorted(std::span<const Row> rows, Key key) {
        std::vector<const Row*> order;
        order.reserve(rows.size());
        for (const Row& row : rows) { order.push_back(&row); }
        const auto is_before = [&](const Row* left, const Row* right) { return key(*left) < key(*right); };
        if (!std::is_sorted(order.begin(), order.end(), is_before)) {
            std::stable_sort(order.begin(), order.end(), is_before);
        }
        return order;
    }

    /// One statement must not name a row twice: of equal keys the last one counts.
    static void give_counters(PostgresqlColumns& sink, std::span<const StoredCounters> rows, std::string_view node) {
        const auto key = [&](const StoredCounters& row) {
            return std::tuple{row.node.empty() ? node : std::string_view{row.node}, to_string(row.scope),
                              std::string_view{row.name}, row.period};
        };
        const auto order = sorted(rows, key);
        for (std::size_t row = 0; row < order.size(); ++row) {
            if (row + 1 < order.size() && key(*order[row]) == key(*order[row + 1])) { continue; }
            sql::give_counters(sink, *order[row], node);
        }
    }

    template <class Value, class Take>
    [[nodiscard]] static std::vector<Value> taken(const PostgresqlRows& rows, Take take) {
        std::vector<Value> values;
        values.reserve(rows.size());
        for (std::size_t row = 0; row < rows.size(); ++row) { values.push_back(take(rows[row])); }
        return values;
    }
    [[nodiscard]] static std::vector<StoredExecution> executions(const PostgresqlRows& rows) {
        return taken<StoredExecution>(rows, [](const PostgresqlRows::Row& row) { return sql::take_execution(row); });
    }

    std::vector<PostgresqlRows> run(std::span<const PostgresqlStep> steps, StoreDeadline deadline) {
        return connection_.run(steps, deadline);
    }
    PostgresqlRows ask(std::string_view sql, const PostgresqlParameters& parameters, StoreDeadline deadline,
                       PostgresqlPlan plan = PostgresqlPlan::kept) {
        return connection_.run(PostgresqlStep{sql, &parameters, plan}, deadline);
    }
    /// Searches come in too many forms to be kept, and are better planned for what they ask.
    PostgresqlRows ask(const sql::Statement& statement, StoreDeadline deadline) {
        PostgresqlParameters parameters;
        for (const sql::Value& value : statement.values) {
            if (const auto* number = std::get_if<std::int64_t>(&value)) {
                parameters.add(*number);
            } else {
                parameters.add(std::string_view{std::get<std::string>(value)});
            }
        }
        return ask(statement.text, parameters, deadline, PostgresqlPlan::once);
    }

    /// Sees to it that there is a session that may write.
    void ready(StoreDeadline deadline) {
        if (!is_opened_) { throw StoreError{StoreFailure::refused, "PostgreSQL: the store was not opened"}; }
        if (connection_.is_open()) { return; }
        connection_.open(deadline);
        try {
            set_up_session(deadline);
            take_possession(deadline);
        } catch (...) {
            connection_.close();
            throw;
        }
    }

    void set_up_session(StoreDeadline deadline) {
        std::string name = options_.application_name;
        if (name.empty()) { name = ("daybook " + node_).substr(0, 40) + " pid " + std::to_string(::getpid()); }
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

    /// Takes the lock that says who writes. A session that has only just ended may hold it for a moment.
    void take_possession(StoreDeadline deadline) {
        const PostgresqlParameters key = [&] {
            PostgresqlParameters parameters;
            parameters.add(schema_.lock_key());
            return parameters;
        }();
        const auto patience = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::seconds{1});
        while (true) {
            const auto taken = ask("SELECT pid::bigint, backend_start, pg_try_advisory_lock($1) FROM pg_stat_activity "
                                   "WHERE pid = pg_backend_pid()",
                                   key, deadline, PostgresqlPlan::once);
            const Session session{taken[0].integer(0).value_or(0), taken[0].integer(1).value_or(0)};
            if (taken[0].integer(2).value_or(0) != 0) {
                session_ = session;
                return;
            }
            const auto holder = ask("SELECT a.pid::bigint, a.backend_start, a.application_name FROM pg_locks AS l JOIN "
                                    "pg_stat_activity AS a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND "
                                    "l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND "
                                    "l.objsubid = 1 AND l.classid::bigint << 32 | l.objid::bigint = $1",
                                    key, deadline, PostgresqlPlan::once);
            if (holder.size() > 0) {
                // One of ours, whose end the server has not noticed: it works on what nobody waits for any more.
                const Session other{holder[0].integer(0).value_or(0), holder[0].integer(1).value_or(0)};
                if (other == session_) {
                    ask("SELECT pg_terminate_backend($1::int)", PostgresqlParameters{}.add(other.process), deadline,
                        PostgresqlPlan::once);
                } else if (std::chrono::steady_clock::now() >= patience) {
                    throw StoreError{StoreFailure::busy, "PostgreSQL: the tables " + schema_.executions +
                                                             " and so on are in use by another process (process " +
                                                             std::to_string(other.process) +
                                                             " of the server, application_name \"" +
                                                             std::string{holder[0].text(2).value_or("")} + "\")"};
                }
            }
            if (std::chrono::steady_clock::now() >= deadline) {
                throw StoreError{StoreFailure::busy, "PostgreSQL: the tables " + schema_.executions +
                                                         " and so on are still in use by an earlier session"};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    }

    void make_tables(StoreDeadline deadline) {
        const auto there =
            ask("SELECT to_regclass($1) IS NOT NULL, EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $2)",
                PostgresqlParameters{}.add(schema_.version).add(schema_name_), deadline, PostgresqlPlan::once);
        if (there[0].integer(0).value_or(0) != 0) {
            const auto found = ask("SELECT version FROM " + schema_.version, {}, deadline, PostgresqlPlan::once);
            if (found.number() == sql::schema_version) { return; }
            throw StoreError{StoreFailure::refused,
                             "PostgreSQL: the tables " + schema_.executions + " and so on have the version " +
                                 std::to_string(found.number()) + "; this version of daybook knows " +
                                 std::to_string(sql::schema_version)};
        }
        // Stores with other prefixes may be making the same schema. The number is "daybook".
        std::vector<std::string> texts{"SELECT pg_advisory_xact_lock(28254671641472875)"};
        if (there[0].integer(1).value_or(0) == 0) {
            texts.push_back("CREATE SCHEMA IF NOT EXISTS " + postgresql_quoted(schema_name_));
        }
        for (auto& text : schema_.creation()) { texts.push_back(std::move(text)); }
        std::vector<PostgresqlStep> steps;
        steps.reserve(texts.size());
        for (const auto& text : texts) { steps.push_back({text}); }
        run(steps, deadline);
    }

    struct Session {
        std::int64_t process = 0;
        std::int64_t begun_at = 0;
        friend bool operator==(const Session&, const Session&) = default;
    };

    PostgresqlOptions options_;
    PostgresqlConnection connection_;
    PostgresqlSchema schema_; // empty until the first session
    std::string schema_name_;
    std::string node_;
    Session session_; // the newest one that may write
    bool is_opened_ = false;
};

} // namespace daybook::inline v0

#endif
