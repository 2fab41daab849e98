// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQLITE_HPP
#define DAYBOOK_ADAPTERS_SQLITE_HPP

/// @file
/// History and jobs in an SQLite file (SQLite 3.24 and later), where they outlast the process.

#include <daybook/adapters/sql_rows.hpp>
#include <daybook/adapters/sql_statements.hpp>
#include <daybook/adapters/sqlite_connection.hpp>
#include <daybook/adapters/sqlite_lock.hpp>
#include <daybook/adapters/sqlite_schema.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// When a commit has reached the disk (`PRAGMA synchronous`). Either way nothing that was committed is lost when the
/// process is killed, and the file stays intact when the machine loses its power.
enum class SqliteSynchronous : std::uint8_t {
    normal, ///< after a while: a machine that loses its power may lose the latest commits
    full,   ///< when `write` returns
};

struct SqliteOptions {
    /// The file, which is made if need be; its folder has to exist. Relative to the directory in which `open` finds the
    /// process. ":memory:" is a database that goes with the store, for tests.
    std::string path = {};

    /// Stands before the names of all tables, so that several programs can share one file at different times: ASCII
    /// letters, digits and `_`, no digit first, at most 40. Empty: `job_execution`, `job`, …
    std::string table_prefix = {};

    SqliteSynchronous synchronous = SqliteSynchronous::normal;

    /// What is left of the write-ahead log (`<path>-wal`) once its content is in the file, in bytes; negative: all.
    std::int64_t journal_size_limit = 16 * 1024 * 1024;

    /// Memory for pages of the file, in KiB; above 0.
    std::int64_t cache_kib = 8 * 1024;
};

/// A store in one file, for one process at a time. Models execution_store and job_store.
///
/// From `open` until it is closed or destroyed the store holds `<path>.lock` locked: a second one, in this process or
/// another, gets StoreError `busy`. Others may read the file meanwhile, with the program `sqlite3` for instance: the
/// tables are `job_execution`, `job`, `job_statistics` and `daybook_schema`, instants are microseconds since the epoch,
/// and the view `job_execution_readable` has them as ISO 8601 texts. A file system on which SQLite cannot keep a
/// write-ahead log (most network file systems) is refused.
///
/// No space left, or a file that may not be written to, is StoreError `full`; once there is space, what comes next
/// works. A file that is damaged, or that is no database, is `refused`.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: from one thread at a time, as AnyStore calls it. Not across `fork`.
class SqliteStore {
public:
    /// Opens nothing yet.
    /// @throws std::invalid_argument  A field is out of its range.
    explicit SqliteStore(std::string path) : SqliteStore{SqliteOptions{.path = std::move(path)}} {}

    /// @copydoc SqliteStore(std::string)
    explicit SqliteStore(SqliteOptions options) : options_{std::move(options)}, names_{options_.table_prefix} {
        if (options_.path.empty() || options_.path.find('\0') != std::string::npos) {
            throw std::invalid_argument{"daybook: SqliteOptions::path must name a file"};
        }
        if (options_.cache_kib <= 0) {
            throw std::invalid_argument{"daybook: SqliteOptions::cache_kib must be above 0"};
        }
    }

    // What follows is execution_store.

    void open(const StoreOpening& opening, StoreDeadline deadline) {
        if (open_) { throw StoreError{StoreFailure::busy, options_.path + " is in use by this store already"}; }
        auto opened = std::make_unique<Open>(options_.path, opening.node, deadline);
        SqliteConnection& connection = opened->connection;
        connection.begin_call(deadline);
        connection.run("PRAGMA journal_size_limit = " + std::to_string(options_.journal_size_limit) +
                       "; PRAGMA cache_size = -" + std::to_string(options_.cache_kib) +
                       "; PRAGMA temp_store = MEMORY; PRAGMA synchronous = " +
                       (options_.synchronous == SqliteSynchronous::full ? "FULL" : "NORMAL"));
        use_write_ahead_log(connection);
        {
            SqliteConnection::Transaction transaction{connection};
            make_sqlite_tables(connection, names_, options_.path);
            transaction.commit();
        }
        open_ = std::move(opened);
    }

    void close() noexcept { open_.reset(); }

    void write(const StoreBatch& batch, StoreDeadline deadline) {
        SqliteConnection& connection = begin_write(deadline);
        SqliteConnection::Transaction transaction{connection};
        if (!batch.executions.empty()) { write_executions(connection, batch.executions); }
        if (!batch.accounted.empty()) {
            SqliteConnection::Use move{connection, names_.move_accounted};
            for (const AccountedTime& accounted : batch.accounted) {
                move.text(accounted.job_id);
                move.instant(accounted.until);
                move.finish();
            }
        }
        write_counters(connection, batch.counters);
        transaction.commit();
    }

    [[nodiscard]] StoredPage read(const StoreQuery& query, StoreDeadline deadline) {
        SqliteConnection& connection = begin(deadline);
        const auto places = [&](const sql::Statement& statement) {
            std::vector<StorePlace> found;
            SqliteConnection::Use use{connection, statement};
            while (use.step()) {
                found.push_back(
                    {use.row().integer(0).value_or(0), static_cast<ExecutionId>(use.row().integer(1).value_or(0))});
            }
            return found;
        };
        const auto rows = [&](const sql::Statement& statement) { return executions(connection, statement); };
        return sql::read_page(sql::Dialect::sqlite, names_.executions, names_.execution_columns, query, places, rows);
    }

    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) {
        SqliteConnection& connection = begin(deadline);
        if (query.status.empty()) { return 0; }
        return number(connection, sql::Search{sql::Dialect::sqlite, names_.executions, query}.count(up_to));
    }

    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) {
        SqliteConnection& connection = begin(deadline);
        auto found = executions(connection, {names_.find, {sql::stored(id)}});
        return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
    }

    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline) {
        return executions(begin(deadline), {names_.unfinished, {}});
    }

    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline) {
        SqliteConnection::Use use{begin(deadline), names_.all_counters};
        std::vector<StoredCounters> found;
        while (use.step()) {
            auto row = use.row();
            found.push_back(sql::take_counters(row));
        }
        return found;
    }

    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) {
        SqliteConnection& connection = begin_write(deadline);
        SqliteConnection::Transaction transaction{connection};
        SqliteConnection::Use{connection, "DELETE FROM " + names_.counters}.finish();
        write_counters(connection, rows);
        transaction.commit();
    }

    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline) {
        return number(begin(deadline), {names_.retained, {}});
    }

    std::uint64_t clear(StoreDeadline deadline) {
        SqliteConnection& connection = begin_write(deadline);
        SqliteConnection::Transaction transaction{connection};
        const std::uint64_t before = number(connection, {names_.retained, {}});
        // A table is emptied as a whole in a fraction of the time that its rows take one by one.
        connection.run(names_.clear);
        const std::uint64_t left = number(connection, {names_.count_all, {}});
        set_retained(connection, left);
        transaction.commit();
        return before - std::min(before, left);
    }

    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) {
        SqliteConnection& connection = begin_write(deadline);
        SqliteConnection::Transaction transaction{connection};
        const std::uint64_t before = number(connection, {names_.retained, {}});
        std::uint64_t removed = 0;
        const auto remove = [&](sys_time until, std::uint64_t most) {
            if (most == 0) { return; }
            SqliteConnection::Use use{connection, names_.prune};
            use.instant(until);
            use.integer(static_cast<std::int64_t>(std::min(most, std::uint64_t{1'000'000'000})));
            use.finish();
            removed += static_cast<std::uint64_t>(sqlite3_changes(connection.handle()));
        };
        if (retention.max_records && before > *retention.max_records) {
            remove(sys_time::max(), std::min<std::uint64_t>(before - *retention.max_records, retention.batch));
        }
        if (retention.finished_before) { remove(*retention.finished_before, retention.batch - removed); }
        if (removed == 0) { return 0; }
        set_retained(connection, before - std::min(before, removed));
        transaction.commit();
        return removed;
    }

    // What follows is job_store.

    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline) {
        SqliteConnection::Use use{begin(deadline), names_.all_jobs};
        std::vector<StoredJob> found;
        while (use.step()) {
            auto row = use.row();
            found.push_back(sql::take_job(row));
        }
        return found;
    }

    void save(const StoredJob& job, StoreDeadline deadline) {
        SqliteConnection& connection = begin_write(deadline);
        SqliteConnection::Transaction transaction{connection};
        SqliteConnection::Use use{connection, names_.save_job};
        sql::give_job(use, job);
        use.finish();
        transaction.commit();
    }

    bool erase(std::string_view id, StoreDeadline deadline) {
        SqliteConnection& connection = begin_write(deadline);
        SqliteConnection::Transaction transaction{connection};
        SqliteConnection::Use use{connection, names_.erase_job};
        use.text(id);
        use.finish();
        const bool was_there = sqlite3_changes(connection.handle()) != 0;
        transaction.commit();
        return was_there;
    }

private:
    /// What there is once it is open. The lock goes last.
    struct Open {
        Open(const std::string& path, std::string named, StoreDeadline deadline)
            : lock{path == memory ? nullptr : std::make_unique<SqliteLock>(path)},
              connection{path, deadline},
              node{std::move(named)} {}
        std::unique_ptr<SqliteLock> lock;
        SqliteConnection connection;
        std::string node;
        std::string metadata; ///< written here, row for row
    };

    static constexpr std::string_view memory = ":memory:";

    [[nodiscard]] SqliteConnection& begin_write(StoreDeadline deadline) const {
        SqliteConnection& connection = begin(deadline);
        if (connection.has_moved()) {
            throw StoreError{StoreFailure::refused, options_.path + " was removed or replaced while it was in use"};
        }
        return connection;
    }

    [[nodiscard]] SqliteConnection& begin(StoreDeadline deadline) const {
        if (!open_) { throw StoreError{StoreFailure::refused, options_.path + " is not open"}; }
        open_->connection.begin_call(deadline);
        return open_->connection;
    }

    void use_write_ahead_log(SqliteConnection& connection) const {
        if (options_.path == memory) { return; }
        SqliteConnection::Use use{connection, "PRAGMA journal_mode = WAL"};
        const std::string mode{use.step() ? use.row().text(0).value_or("") : ""};
        if (mode != "wal") {
            throw StoreError{StoreFailure::refused, "SQLite, " + options_.path +
                                                        ": there can be no write-ahead log here; its journal mode is " +
                                                        mode};
        }
    }

    [[nodiscard]] static std::uint64_t number(SqliteConnection& connection, const sql::Statement& statement) {
        SqliteConnection::Use use{connection, statement};
        return use.step() ? static_cast<std::uint64_t>(use.row().integer(0).value_or(0)) : 0;
    }

    [[nodiscard]] static std::vector<StoredExecution> executions(SqliteConnection& connection,
                                                                 const sql::Statement& statement) {
        SqliteConnection::Use use{connection, statement};
        std::vector<StoredExecution> found;
        while (use.step()) {
            auto row = use.row();
            found.push_back(sql::take_execution(row));
        }
        return found;
    }

    void set_retained(SqliteConnection& connection, std::uint64_t number) const {
        SqliteConnection::Use use{connection, names_.set_retained};
        use.integer(sql::stored(number));
        use.finish();
    }

    void write_executions(SqliteConnection& connection, std::span<const StoredExecution> rows) {
        SqliteConnection::Use put{connection, names_.put_execution};
        std::uint64_t inserted = 0;
        for (const StoredExecution& execution : rows) {
            // It stays so unless the row is inserted.
            sqlite3_set_last_insert_rowid(connection.handle(), nobody);
            sql::give_execution(put, execution, open_->metadata);
            put.finish();
            if (sqlite3_last_insert_rowid(connection.handle()) != nobody) { ++inserted; }
        }
        if (inserted == 0) { return; }
        SqliteConnection::Use use{connection, names_.add_retained};
        use.integer(sql::stored(inserted));
        use.finish();
    }

    void write_counters(SqliteConnection& connection, std::span<const StoredCounters> rows) const {
        if (rows.empty()) { return; }
        SqliteConnection::Use put{connection, names_.put_counters};
        for (const StoredCounters& counters : rows) {
            sql::give_counters(put, counters, open_->node);
            put.finish();
        }
    }

    static constexpr sqlite3_int64 nobody = -1; // no id is as large, taken as unsigned

    SqliteOptions options_;
    SqliteNames names_;
    std::unique_ptr<Open> open_;
};

static_assert(execution_store<SqliteStore> && job_store<SqliteStore>);

} // namespace daybook::inline v0

#endif
