// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_HPP

/// @file
/// Executions and jobs that last in PostgreSQL (12 and later, tested with 15), over libpq (14 and later; POSIX).

#include <daybook/adapters/postgresql_connection.hpp>
#include <daybook/adapters/postgresql_fleet.hpp>
#include <daybook/adapters/postgresql_fleet_schema.hpp>
#include <daybook/adapters/postgresql_rows.hpp>
#include <daybook/adapters/postgresql_schema.hpp>
#include <daybook/adapters/postgresql_session.hpp>
#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/adapters/sql_rows.hpp>
#include <daybook/adapters/sql_statements.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/log/job_store.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::inline v0 {

/// A store in PostgreSQL.
///
/// @code
/// daybook::Scheduler scheduler{{.store = daybook::PostgresqlStore{"host=db dbname=jobs"}}};
/// @endcode
///
/// Opened, one process has the tables for itself; joined, several share them: see fleet_store. Advisory locks of the
/// sessions see to it that the two do not mix. So it needs sessions of its own, and no pooler that shares them between
/// transactions: one, and in a fleet a second one, which waits for news and keeps jobs locked while a process thinks
/// about them. A session that breaks is opened anew by the next call, and so is one in which a deadline passed. The
/// lock of a process that died is free at once; that of a machine that died, within a minute.
///
/// What was written has been committed; whether that outlives a crash of the server is its `synchronous_commit`, which
/// must not be off.
///
/// Text comes back as it was but for bytes that are 0 or not UTF-8, which PostgreSQL cannot keep: each becomes U+FFFD.
/// Instants before 4713 BC become that year. The database's encoding must be UTF8.
///
/// The tables are there to be read by whoever likes; their columns are those of adapters/sql_rows.hpp:
///
/// - `job_execution`: a row for each execution. `node` says who ran it.
/// - `job`: for each job that lasts, with how far its schedule is accounted for.
/// - `job_statistics`: for each StoredCounters.
/// - `node`: for each process of a fleet, its seat's name, until when the others leave it alone (`expires_at`), and
/// what
///   it has added to the number of records kept.
/// - `job_claim`: for each occurrence that a process of a fleet has taken on itself and that is not over, see
///   postgresql_claim_columns.
/// - `daybook_schema`: one row: `version`; `retained`, the number of records kept but for what stands in `node`;
///   `next_id`, from which on no process of a fleet has ids.
///
/// Who removes executions by hand takes them off `retained` in `daybook_schema`. Who changes jobs by hand while a fleet
/// is at work tells it by `NOTIFY` with the job's id on the channel on which its sessions listen (`daybook_` and a
/// number), or waits for FleetOptions::refresh_interval.
///
/// For errors and deadlines see execution_store.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: one thread at a time; AnyStore sees to it. The calls of a fleet may come
/// from a second thread, but not `close` while they run.
class PostgresqlStore {
public:
    /// Does not connect yet.
    /// @throws std::invalid_argument  A setting is not possible, with which and why.
    explicit PostgresqlStore(const PostgresqlOptions& options)
        : session_{options}, fleet_{std::make_unique<PostgresqlFleet>(options)} {}
    /// A template, so that `{{.conninfo = ...}}` means the options to every compiler.
    template <std::convertible_to<std::string> Text>
    explicit PostgresqlStore(Text&& conninfo)
        : PostgresqlStore{PostgresqlOptions{.conninfo = std::forward<Text>(conninfo)}} {}

    // See execution_store.

    void open(const StoreOpening& opening, StoreDeadline deadline) {
        be_closed();
        node_ = opening.node;
        session_.use(node_, PostgresqlPossession::sole);
        state_ = State::opened;
        try {
            ready(deadline);
            session_.make_tables(deadline);
            if (ask(schema().has_fleet, {}, deadline, PostgresqlPlan::once).number() != 0) {
                const auto texts = schema().adoption();
                std::vector<PostgresqlStep> steps;
                steps.reserve(texts.size());
                for (const auto& text : texts) { steps.push_back({text}); }
                run(steps, deadline);
            }
        } catch (...) {
            close();
            throw;
        }
    }

    void close() noexcept {
        session_.close(); // and with it the lock
        fleet_->close();
        state_ = State::closed;
    }

    void write(const StoreBatch& batch, StoreDeadline deadline) {
        ready(deadline);
        const std::string me = writer();
        // What the steps refer to must not move.
        std::vector<PostgresqlColumns> columns;
        std::vector<PostgresqlParameters> parameters;
        std::vector<PostgresqlStep> steps;
        const std::size_t parts = (batch.executions.size() + rows_of_a_step - 1) / rows_of_a_step + 6;
        columns.reserve(parts);
        parameters.reserve(parts);
        const auto send = [&](std::string_view sql) -> PostgresqlParameters& {
            steps.push_back({sql, &parameters.emplace_back(), PostgresqlPlan::kept});
            return parameters.back();
        };
        if (is_joined()) {
            for (const StoredExecution& row : batch.executions) { refuse_former(row); }
            parameters.push_back(fence());
            steps.push_back({fleet_sql_.fence, &parameters.back(), PostgresqlPlan::kept});
        }
        const auto executions = postgresql_sorted(batch.executions, [](const StoredExecution& row) { return row.id; });
        std::string json;
        for (std::size_t begin = 0; begin < executions.size(); begin += rows_of_a_step) {
            auto& sink = columns.emplace_back(sql::execution_columns);
            const std::size_t end = std::min(executions.size(), begin + rows_of_a_step);
            for (std::size_t row = begin; row < end; ++row) { sql::give_execution(sink, *executions[row], json); }
            if (is_joined()) {
                send(fleet_sql_.write_executions).add(sink).add(std::string_view{me});
            } else {
                send(schema().write_executions).add(sink);
            }
        }
        if (!batch.counters.empty() && is_joined()) { // see clear
            if (!clearings_) { clearings_ = ask(fleet_sql_.find_clearings, {}, deadline).number(); }
            parameters.emplace_back().add(key(Right::clear));
            steps.push_back({fleet_sql_.share_clearings, &parameters.back(), PostgresqlPlan::kept});
            parameters.emplace_back().add(*clearings_);
            steps.push_back({fleet_sql_.check_clearings, &parameters.back(), PostgresqlPlan::kept});
        }
        if (!batch.counters.empty()) {
            auto& sink = columns.emplace_back(sql::counters_columns);
            give_postgresql_counters(sink, batch.counters, me);
            send(schema().write_counters).add(sink);
        }
        if (!batch.accounted.empty()) {
            auto& sink = columns.emplace_back(accounted_columns);
            for (const AccountedTime& accounted : batch.accounted) {
                sink.text(accounted.job_id);
                sink.instant(accounted.until);
            }
            send(schema().write_accounted).add(sink);
        }
        if (!batch.released.empty() && is_joined()) {
            auto& sink = columns.emplace_back(std::span{sql::execution_columns}.first(1));
            for (const ExecutionId id : batch.released) { sink.integer(sql::stored(id)); }
            send(fleet_sql_.release)
                .add(sink)
                .add(std::string_view{me})
                .add(std::string_view{fleet_sql_.claim_channel});
        }
        if (steps.empty()) { return; }
        try {
            run(steps, deadline);
        } catch (const StoreError& error) {
            if (error.failure() == StoreFailure::cleared) { clearings_.reset(); }
            throw;
        }
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
        return sql::read_page(sql::Dialect::postgresql, schema().executions, sql::names_of(sql::execution_columns),
                              query, places,
                              [&](const sql::Statement& statement) { return executions(ask(statement, deadline)); });
    }

    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) {
        ready(deadline);
        if (query.status.empty() || up_to == 0) { return 0; }
        const sql::Search search{sql::Dialect::postgresql, schema().executions, query};
        return static_cast<std::uint64_t>(ask(search.count(up_to), deadline).number());
    }

    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) {
        ready(deadline);
        auto found = executions(ask(schema().find_execution, PostgresqlParameters{}.add(sql::stored(id)), deadline));
        return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
    }

    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline) {
        ready(deadline);
        return executions(ask(is_joined() ? fleet_sql_.find_unfinished : schema().find_unfinished, {}, deadline));
    }

    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline) {
        ready(deadline);
        return taken<StoredCounters>(ask(schema().find_counters, {}, deadline),
                                     [](const PostgresqlRows::Row& row) { return sql::take_counters(row); });
    }

    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) {
        ready(deadline);
        PostgresqlColumns columns{sql::counters_columns};
        give_postgresql_counters(columns, rows, {});
        PostgresqlParameters parameters;
        parameters.add(columns);
        const std::string remove = "DELETE FROM " + schema().counters;
        const PostgresqlStep steps[] = {{remove}, {schema().write_counters, &parameters, PostgresqlPlan::kept}};
        run(steps, deadline);
    }

    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline) {
        ready(deadline);
        return static_cast<std::uint64_t>(ask(schema().retained, {}, deadline).number());
    }

    /// In transactions of a bounded size: when the deadline passes, some may be gone.
    std::uint64_t clear(StoreDeadline deadline) {
        ready(deadline);
        const std::string counters = "DELETE FROM " + schema().counters + " WHERE scope <> 'lifetime'";
        std::uint64_t gone = 0;
        while (true) {
            constexpr std::int64_t at_once = 20'000;
            PostgresqlParameters parameters;
            parameters.add(at_once)
                .add(std::optional<std::int64_t>{})
                .add(std::numeric_limits<std::int64_t>::min() / 2);
            const std::uint64_t removed = remove(fleet_sql_.clear_executions, parameters, deadline);
            gone += removed;
            if (removed == 0) { break; } // fewer than asked for: others remove some at the same time
        }
        const auto turn = PostgresqlParameters{}.add(key(Right::tidy));     // what is put together now would come back
        const auto writers = PostgresqlParameters{}.add(key(Right::clear)); // so do those who do not know of it
        const PostgresqlStep last[] = {{"SELECT pg_advisory_xact_lock($1)", &turn},
                                       {"SELECT pg_advisory_xact_lock($1)", &writers},
                                       {counters},
                                       {schema().count_clearing}};
        clearings_.reset();                               // in case the answer is lost
        clearings_ = run(last, deadline).back().number(); // last: until then they are those of records that are there
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
        PostgresqlParameters parameters;
        parameters.add(bounded(retention.batch)).add(before).add(most);
        return remove(fleet_sql_.prune_executions, parameters, deadline, key(Right::prune));
    }

    // See job_store.

    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline) {
        ready(deadline);
        return taken<StoredJob>(ask(schema().find_jobs, {}, deadline),
                                [](const PostgresqlRows::Row& row) { return sql::take_job(row); });
    }

    void save(const StoredJob& job, StoreDeadline deadline) {
        ready(deadline);
        PostgresqlColumns columns{sql::job_columns};
        sql::give_job(columns, job);
        PostgresqlParameters parameters;
        parameters.add(columns);
        if (!is_joined()) {
            ask(schema().save_job, parameters, deadline);
            return;
        }
        const auto told = news(job.id);
        const PostgresqlStep steps[] = {{fleet_sql_.save_job, &parameters, PostgresqlPlan::kept},
                                        {fleet_sql_.tell_job, &told, PostgresqlPlan::kept}};
        run(steps, deadline);
    }

    bool erase(std::string_view id, StoreDeadline deadline) {
        ready(deadline);
        PostgresqlParameters parameters;
        parameters.add(id);
        if (!is_joined()) { return ask(schema().erase_job, parameters, deadline).size() > 0; }
        const auto told = news(id);
        const PostgresqlStep steps[] = {{schema().erase_job, &parameters, PostgresqlPlan::kept},
                                        {fleet_sql_.tell_job, &told, PostgresqlPlan::kept}};
        return run(steps, deadline).front().size() > 0;
    }

    // See fleet_store.

    FleetSeat join(const FleetOpening& opening, StoreDeadline deadline) {
        if (state_ != State::joined) { be_closed(); }
        FleetSeat seat = fleet_->join(opening, deadline);
        if (state_ == State::joined) { return seat; }
        session_.use(opening.name, PostgresqlPossession::shared);
        state_ = State::joined;
        return seat;
    }
    [[nodiscard]] FleetBeat beat(StoreDeadline deadline) { return fleet_->beat(deadline); }
    [[nodiscard]] LockedJobs lock(std::span<const JobLock> jobs, LockWait wait, StoreDeadline deadline) {
        return fleet_->lock(jobs, wait, deadline);
    }
    void commit(const ClaimBatch& batch, StoreDeadline deadline) { fleet_->commit(batch, deadline); }
    void unlock() noexcept { fleet_->unlock(); }
    [[nodiscard]] ClaimNews look(StoreDeadline deadline) { return fleet_->look(deadline); }
    [[nodiscard]] std::vector<TakenOver> take_over(StoreDeadline deadline) { return fleet_->take_over(deadline); }
    [[nodiscard]] IdBlock reserve_ids(StoreDeadline deadline) { return fleet_->reserve_ids(deadline); }
    /// `fold` must not call the store.
    void tidy_counters(const CounterFold& fold, StoreDeadline deadline) {
        if (!is_joined()) { throw StoreError{StoreFailure::refused, "PostgreSQL: the store was not joined"}; }
        ready(deadline);
        try {
            tidy(fold, deadline);
        } catch (...) {
            session_.close(); // and with it what was begun
            throw;
        }
    }
    [[nodiscard]] FleetNews await(StoreDeadline until) { return fleet_->await(until); }
    void wake() noexcept { fleet_->wake(); }

private:
    static constexpr std::size_t rows_of_a_step = 1000;
    static constexpr std::array accounted_columns{sql::Column{"id", sql::ColumnType::text},
                                                  sql::Column{"until", sql::ColumnType::instant}};

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

    enum class State : std::uint8_t { closed, opened, joined };

    [[nodiscard]] bool is_joined() const noexcept { return state_ == State::joined; }
    [[nodiscard]] const PostgresqlSchema& schema() const noexcept { return session_.schema(); }

    void be_closed() const {
        if (state_ == State::closed) { return; }
        throw StoreError{StoreFailure::busy, "PostgreSQL: the tables are in use by this store already"};
    }

    /// Sees to it that there is a session that may use the tables.
    void ready(StoreDeadline deadline) {
        if (state_ == State::closed) {
            throw StoreError{StoreFailure::refused, "PostgreSQL: the store was not opened"};
        }
        if (session_.ready(deadline) == PostgresqlSession::State::was_open || !is_joined()) { return; }
        fleet_->writes_by(session_.backend());
        if (fleet_sql_.fence.empty()) { fleet_sql_ = PostgresqlFleetSchema{schema()}; }
    }

    /// Whose records and counters are written.
    [[nodiscard]] std::string writer() const { return is_joined() ? fleet_->node() : node_; }

    /// See PostgresqlFleetSchema::fence. Between two seats there is none.
    [[nodiscard]] PostgresqlParameters fence() const {
        PostgresqlParameters parameters;
        parameters.add(std::string_view{fleet_->node()}).add(schema().lock_key());
        return parameters;
    }

    void tidy(const CounterFold& fold, StoreDeadline deadline) {
        const std::string me = fleet_->node();
        const auto seat = fence();
        const auto turn = PostgresqlParameters{}.add(key(Right::tidy));
        const auto mine = PostgresqlParameters{}.add(std::string_view{me});
        const PostgresqlStep begin[] = {{"BEGIN ISOLATION LEVEL READ COMMITTED"},
                                        {fleet_sql_.fence, &seat, PostgresqlPlan::kept},
                                        {"SELECT pg_try_advisory_xact_lock($1)", &turn},
                                        {fleet_sql_.find_tidied, &mine}};
        const auto found = run(begin, deadline);
        std::optional<std::vector<StoredCounters>> folded;
        PostgresqlColumns nodes{std::span{sql::counters_columns}.first(1)};
        if (found[2].number() != 0) {
            auto rows =
                taken<StoredCounters>(found[3], [](const PostgresqlRows::Row& row) { return sql::take_counters(row); });
            std::set<std::string> names;
            for (const StoredCounters& row : rows) { names.insert(row.node); }
            for (const std::string& name : names) { nodes.text(name); }
            folded = fold(std::move(rows));
        }
        if (!folded) {
            ask("ROLLBACK", {}, deadline, PostgresqlPlan::once);
            return;
        }
        PostgresqlColumns columns{sql::counters_columns};
        give_postgresql_counters(columns, *folded, me);
        PostgresqlParameters before;
        before.add(nodes);
        PostgresqlParameters after;
        after.add(columns);
        const PostgresqlStep end[] = {
            {fleet_sql_.remove_tidied, &before}, {schema().write_counters, &after, PostgresqlPlan::kept}, {"COMMIT"}};
        run(end, deadline);
    }

    /// What was run from a seat that is lost may have been run again by now: of that, only its end is written.
    void refuse_former(const StoredExecution& row) const {
        if (row.status == JobStatus::abandoned || row.status == JobStatus::skipped) { return; }
        if (fleet_->is_former(row.node)) {
            throw StoreError{StoreFailure::unseated,
                             "PostgreSQL: another process has taken over what " + row.node + " had"};
        }
    }

    /// What one process of a fleet does at a time. 2 is not free: groups.
    enum class Right : std::uint8_t { prune = 1, tidy = 3, clear = 4 };
    [[nodiscard]] std::int64_t key(Right right) const noexcept {
        return schema().lock_key() ^ static_cast<std::int64_t>(right);
    }

    [[nodiscard]] PostgresqlParameters news(std::string_view job_id) const {
        PostgresqlParameters parameters;
        parameters.add(std::string_view{fleet_sql_.channel}).add(job_id);
        return parameters;
    }

    /// Removes records; says how many. @param sql  What a fleet does instead. @param turn  For that.
    std::uint64_t remove(const std::string& sql, PostgresqlParameters& parameters, StoreDeadline deadline,
                         std::optional<std::int64_t> turn = {}) {
        if (!is_joined()) {
            return static_cast<std::uint64_t>(ask(schema().remove_executions, parameters, deadline).number());
        }
        parameters.add(std::string_view{fleet_->node()});
        if (turn) { parameters.add(*turn); }
        const auto seat = fence();
        const PostgresqlStep steps[] = {{fleet_sql_.fence, &seat, PostgresqlPlan::kept},
                                        {sql, &parameters, PostgresqlPlan::kept}};
        return static_cast<std::uint64_t>(run(steps, deadline).back().number());
    }

    std::vector<PostgresqlRows> run(std::span<const PostgresqlStep> steps, StoreDeadline deadline) {
        return session_.run(steps, deadline);
    }
    PostgresqlRows ask(std::string_view sql, const PostgresqlParameters& parameters, StoreDeadline deadline,
                       PostgresqlPlan plan = PostgresqlPlan::kept) {
        return session_.ask(sql, parameters, deadline, plan);
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

    PostgresqlSession session_;
    std::unique_ptr<PostgresqlFleet> fleet_;
    PostgresqlFleetSchema fleet_sql_; // empty until the first session in a fleet
    std::string node_;                // of one process alone
    State state_ = State::closed;
    std::optional<std::int64_t> clearings_; // see clear; none: not known
};

} // namespace daybook::inline v0

#endif
