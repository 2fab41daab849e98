// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_FLEET_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_FLEET_HPP

/// @file
/// The part of a store in PostgreSQL that its fleet's calls use: a second session, which keeps jobs locked while a
/// process thinks about them, and hears what the others tell.

#include <daybook/adapters/postgresql_fleet_schema.hpp>
#include <daybook/adapters/postgresql_rows.hpp>
#include <daybook/adapters/postgresql_session.hpp>
#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/adapters/sql_rows.hpp>
#include <daybook/log/fleet_store.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// A seat in a fleet and what is done from it; see fleet_store.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: one thread at a time; `wake`, `node`, `is_former` and `writes_by` from any.
class PostgresqlFleet {
public:
    explicit PostgresqlFleet(const PostgresqlOptions& options) : session_{options} {}
    PostgresqlFleet(const PostgresqlFleet&) = delete;
    PostgresqlFleet& operator=(const PostgresqlFleet&) = delete;
    ~PostgresqlFleet() {
        for (const int end : {read_end_, write_end_.load()}) {
            if (end >= 0) { ::close(end); }
        }
    }

    /// The seat's name; empty: there is none.
    [[nodiscard]] std::string node() const {
        const std::scoped_lock lock{mutex_};
        return node_;
    }

    /// Whether a seat of this name was had before the present one.
    [[nodiscard]] bool is_former(const std::string& node) const {
        const std::scoped_lock lock{mutex_};
        return former_.count(node) != 0;
    }

    /// What the server's process with this number tells is no news.
    void writes_by(int backend) noexcept { writer_.store(backend); }

    FleetSeat join(const FleetOpening& opening, StoreDeadline deadline) {
        if (opening.name.empty() || opening.name.size() > 230 || opening.lease <= opening.lease.zero() ||
            opening.max_idle <= opening.max_idle.zero()) {
            throw StoreError{StoreFailure::refused, "PostgreSQL: a fleet's process needs a name of 1 to 230 bytes, a "
                                                    "lease and an idle time above 0"};
        }
        make_pipe();
        if (!node().empty()) { leave(deadline); }
        lease_ = std::chrono::microseconds{opening.lease}.count();
        max_idle_ = opening.max_idle;
        session_.close(); // its settings may be others
        session_.use(opening.name, PostgresqlPossession::shared);
        session_.ready(deadline);
        session_.make_tables(deadline);
        sql_ = PostgresqlFleetSchema{session_.schema()};
        set_up(deadline);
        const auto ids = PostgresqlParameters{}.add(id_count);
        const auto seat = PostgresqlParameters{}
                              .add(std::string_view{opening.name})
                              .add(lease_)
                              .add(std::string_view{session_.schema().node_numbers});
        const PostgresqlStep steps[] = {{sql_.take_ids, &ids}, {sql_.take_seat, &seat}};
        const auto rows = session_.run(steps, deadline);
        std::string name{rows[1][0].text(0).value_or("")};
        told_.clear();
        const std::scoped_lock lock{mutex_};
        node_ = name;
        return {.node = std::move(name),
                .first_id = static_cast<ExecutionId>(rows[0].number()),
                .id_count = static_cast<std::uint64_t>(id_count)};
    }

    /// Gives the seat up, if that can be done soon.
    void close() noexcept {
        try {
            if (!node().empty()) { leave(std::chrono::steady_clock::now() + std::chrono::seconds{1}); }
        } catch (...) { // the lease ends by itself
        }
        session_.close();
        is_begun_ = false;
    }

    [[nodiscard]] FleetBeat beat(StoreDeadline deadline) {
        const std::string me = ready(deadline);
        const auto rows =
            session_.ask(sql_.beat, PostgresqlParameters{}.add(std::string_view{me}).add(lease_), deadline);
        return {rows[0].integer(0).value_or(0) != 0, postgresql_sys_time(rows[0].integer(1)).value_or(sys_time{})};
    }

    [[nodiscard]] LockedJobs lock(std::span<const JobLock> jobs, LockWait wait, StoreDeadline deadline) {
        const std::string me = ready(deadline);
        LockedJobs found;
        if (jobs.empty()) { return found; }
        std::map<std::string_view, const JobLock*> order; // by id, each once
        for (const JobLock& job : jobs) { order.try_emplace(job.job_id, &job); }
        std::vector<const JobLock*> places;
        PostgresqlColumns both{std::span{lock_columns}};
        PostgresqlColumns ids{std::span{lock_columns}.first(1)};
        PostgresqlColumns groups{std::span{lock_columns}.first(1)};
        for (const auto& [id, job] : order) {
            places.push_back(job);
            both.text(job->job_id);
            both.text(job->group);
            ids.text(job->job_id);
            if (!job->group.empty()) { groups.text(job->group); }
        }
        const bool waits = wait == LockWait::yes;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            (deadline - std::chrono::steady_clock::now()) / 10 * 9);
        const auto patience = PostgresqlParameters{}.add(
            std::string_view{std::to_string(std::clamp<std::int64_t>(left.count(), 1, 86'400'000))});
        PostgresqlParameters given;
        given.add(groups).add(session_.schema().lock_key() ^ 2);
        PostgresqlParameters pairs;
        pairs.add(both);
        PostgresqlParameters asked;
        asked.add(both).add(std::string_view{me});
        PostgresqlParameters all;
        all.add(ids);
        std::vector<PostgresqlStep> steps{{"BEGIN ISOLATION LEVEL READ COMMITTED"}};
        if (waits) { steps.push_back({"SELECT set_config('lock_timeout', $1, true)", &patience}); }
        steps.push_back({waits ? sql_.wait_for_groups : sql_.lock_groups, &given, PostgresqlPlan::kept});
        steps.push_back({waits ? sql_.wait_for_jobs : sql_.lock_jobs, &pairs, PostgresqlPlan::kept});
        steps.push_back({sql_.standings, &asked, PostgresqlPlan::kept});
        steps.push_back({sql_.unknown, &all, PostgresqlPlan::kept});
        is_begun_ = true;
        locked_.clear();
        try {
            const auto rows = session_.run(steps, deadline);
            const auto id = [&](const PostgresqlRows::Row& row) {
                return places.at(static_cast<std::size_t>(row.integer(0).value_or(1) - 1))->job_id;
            };
            const PostgresqlRows& locked = rows[rows.size() - 2];
            for (std::size_t row = 0; row < locked.size(); ++row) {
                found.jobs.push_back(take_postgresql_standing(locked[row], id(locked[row])));
                locked_.insert(found.jobs.back().job_id);
            }
            for (std::size_t row = 0; row < rows.back().size(); ++row) {
                found.unknown.push_back(id(rows.back()[row]));
            }
            return found;
        } catch (...) {
            unlock();
            throw;
        }
    }

    void commit(const ClaimBatch& batch, StoreDeadline deadline) {
        const std::string me = seated();
        const auto seat = fence_parameters(me);
        if (!is_begun_ || !session_.is_open()) {
            is_begun_ = false;
            ready(deadline);
            session_.ask(sql_.fence, seat, deadline);
            throw StoreError{StoreFailure::busy, "PostgreSQL: what was locked is locked no more"};
        }
        for (const JobStanding& job : batch.standings) {
            if (locked_.count(job.job_id) != 0) { continue; }
            unlock();
            throw StoreError{StoreFailure::refused, "PostgreSQL: the job \"" + job.job_id + "\" is not locked"};
        }

        const PostgresqlParameters channel = PostgresqlParameters{}.add(std::string_view{sql_.claim_channel});
        PostgresqlColumns standings{std::span{standing_columns}};
        for (const JobStanding& job : batch.standings) {
            standings.text(job.job_id);
            standings.instant(job.accounted_to);
            standings.integer(sql::stored(job.left));
            standings.instant(job.updated_at);
        }
        PostgresqlColumns jobs{std::span{lock_columns}.first(1)};
        for (const std::string& job : batch.cancelled) { jobs.text(job); }
        PostgresqlColumns claims{std::span{postgresql_claim_columns}};
        bool has_waiting = false;
        for (const Claim& claim : batch.claims) {
            give_postgresql_claim(claims, claim);
            has_waiting = has_waiting || claim.is_waiting;
        }
        PostgresqlParameters written;
        written.add(standings);
        PostgresqlParameters ended;
        ended.add(jobs).add(std::string_view{sql_.claim_channel});
        PostgresqlParameters begun;
        begun.add(claims).add(std::string_view{me});
        std::vector<PostgresqlStep> steps{{sql_.fence, &seat, PostgresqlPlan::kept}};
        if (!batch.standings.empty()) { steps.push_back({sql_.write_standings, &written, PostgresqlPlan::kept}); }
        if (!batch.cancelled.empty()) { steps.push_back({sql_.cancel_claims, &ended, PostgresqlPlan::kept}); }
        if (!batch.claims.empty()) { steps.push_back({sql_.write_claims, &begun, PostgresqlPlan::kept}); }
        steps.push_back({"COMMIT"});
        try {
            session_.run(steps, deadline);
        } catch (...) {
            unlock();
            throw;
        }
        is_begun_ = false;
        // What they wait for may have ended before anybody could see that they wait.
        has_claims_ = has_claims_ || has_waiting;
    }

    void unlock() noexcept {
        if (!std::exchange(is_begun_, false)) { return; }
        try {
            if (!session_.is_open()) { return; }
            session_.ask("ROLLBACK", {}, std::chrono::steady_clock::now() + std::chrono::seconds{1},
                         PostgresqlPlan::once);
        } catch (...) { session_.close(); }
    }

    [[nodiscard]] ClaimNews look(StoreDeadline deadline) {
        const std::string me = ready(deadline);
        const auto rows = session_.ask(sql_.look, PostgresqlParameters{}.add(std::string_view{me}), deadline);
        ClaimNews news;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            auto& ids = rows[row].integer(1).value_or(0) != 0 ? news.cancelled : news.free;
            ids.push_back(static_cast<ExecutionId>(rows[row].integer(0).value_or(0)));
        }
        return news;
    }

    [[nodiscard]] std::vector<TakenOver> take_over(StoreDeadline deadline) {
        const std::string me = ready(deadline);
        const auto seat = fence_parameters(me);
        const auto mine = PostgresqlParameters{}.add(std::string_view{me});
        const auto limits = PostgresqlParameters{}.add(std::string_view{me}).add(lease_);
        PostgresqlColumns known{std::span{id_columns}};
        for (const ExecutionId id : told_) { known.integer(sql::stored(id)); }
        PostgresqlParameters told;
        told.add(known).add(std::string_view{me});
        const PostgresqlStep steps[] = {{sql_.fence, &seat, PostgresqlPlan::kept},
                                        {sql_.remove_seats, &limits, PostgresqlPlan::kept},
                                        {sql_.end_executions, nullptr, PostgresqlPlan::kept},
                                        {sql_.forget_taken, &told, PostgresqlPlan::kept},
                                        {sql_.take_claims, &mine, PostgresqlPlan::kept},
                                        {sql_.taken_claims, &mine, PostgresqlPlan::kept},
                                        {sql_.taken_attempts, &mine, PostgresqlPlan::kept},
                                        {sql_.ended, nullptr, PostgresqlPlan::kept},
                                        {sql_.ended_executions, nullptr, PostgresqlPlan::kept}};
        const auto rows = session_.run(steps, deadline);
        std::map<ExecutionId, StoredExecution> last;
        for (std::size_t row = 0; row < rows[6].size(); ++row) {
            const auto found = rows[6][row];
            auto execution = sql::take_execution(found);
            last.emplace(execution.occurrence_id, std::move(execution));
        }
        std::set<ExecutionId> ended;
        for (std::size_t row = 0; row < rows[7].size(); ++row) {
            ended.insert(static_cast<ExecutionId>(rows[7][row].integer(0).value_or(0)));
        }
        std::vector<TakenOver> taken;
        told_.clear();
        for (std::size_t row = 0; row < rows[5].size(); ++row) {
            auto& one = taken.emplace_back();
            one.claim = take_postgresql_claim(rows[5][row]);
            one.node = rows[5][row].text(postgresql_claim_columns.size()).value_or("");
            told_.push_back(one.claim->id);
            if (const auto found = last.find(one.claim->id); found != last.end()) {
                one.was_open = ended.count(found->second.id) != 0;
                one.last = std::move(found->second);
            }
        }
        for (std::size_t row = 0; row < rows[8].size(); ++row) {
            const auto found = rows[8][row];
            auto& one = taken.emplace_back();
            one.last = sql::take_execution(found);
            one.node = one.last->node;
            one.was_open = true;
        }
        if (rows[1][0].integer(1).value_or(0) > 0) { disconnect(me, deadline); }
        return taken;
    }

    [[nodiscard]] IdBlock reserve_ids(StoreDeadline deadline) {
        (void)ready(deadline);
        const auto rows = session_.ask(sql_.take_ids, PostgresqlParameters{}.add(id_count), deadline);
        return {static_cast<ExecutionId>(rows.number()), static_cast<std::uint64_t>(id_count)};
    }

    [[nodiscard]] FleetNews await(StoreDeadline until) {
        (void)seated();
        FleetNews news;
        while (true) {
            try {
                if (is_begun_ || !session_.is_open()) { (void)ready(until); }
            } catch (const StoreError&) {
                // Whoever calls again at once shall not keep a server busy that is in trouble.
                const auto pause = std::chrono::steady_clock::now() + std::chrono::milliseconds{250};
                session_.connection().wait_for_news(read_end_, std::min(until, pause));
                drain();
                is_woken_.store(false);
                throw;
            }
            while (const auto notice = session_.connection().next_notice()) {
                if (notice->channel == sql_.claim_channel) {
                    has_claims_ = true;
                } else if (notice->backend != writer_.load()) {
                    is_all_ = is_all_ || notice->payload.empty();
                    news.jobs.push_back(notice->payload);
                }
            }
            news.is_all = std::exchange(is_all_, false) || news.is_all;
            news.has_claims = std::exchange(has_claims_, false) || news.has_claims;
            drain();
            const bool is_woken = is_woken_.exchange(false);
            if (is_woken || news.is_all || news.has_claims || !news.jobs.empty() ||
                std::chrono::steady_clock::now() >= until) {
                break;
            }
            session_.connection().wait_for_news(read_end_, until);
        }
        std::sort(news.jobs.begin(), news.jobs.end());
        news.jobs.erase(std::unique(news.jobs.begin(), news.jobs.end()), news.jobs.end());
        std::erase(news.jobs, std::string{});
        return news;
    }

    void wake() noexcept {
        is_woken_.store(true);
        const char byte = 0;
        if (const int end = write_end_.load(); end >= 0) {
            const int before = errno;
            [[maybe_unused]] const auto written = ::write(end, &byte, 1); // a full pipe wakes as well
            errno = before;
        }
    }

    /// What makes a transaction fail whose process has no seat any more. The text must outlive it.
    [[nodiscard]] PostgresqlParameters fence_parameters(const std::string& node) const {
        PostgresqlParameters parameters;
        parameters.add(std::string_view{node}).add(session_.schema().lock_key());
        return parameters;
    }

private:
    static constexpr std::int64_t id_count = std::int64_t{1} << 24U;
    static constexpr std::array lock_columns{sql::Column{"id", sql::ColumnType::text},
                                             sql::Column{"group_name", sql::ColumnType::text}};
    static constexpr std::array id_columns{sql::Column{"id", sql::ColumnType::integer}};
    static constexpr std::array standing_columns{
        sql::Column{"id", sql::ColumnType::text},
        sql::Column{"until", sql::ColumnType::instant, sql::Nulls::allowed},
        sql::Column{"remaining", sql::ColumnType::integer, sql::Nulls::allowed},
        sql::Column{"updated_at", sql::ColumnType::instant},
    };

    [[nodiscard]] std::string seated() const {
        std::string me = node();
        if (me.empty()) { throw StoreError{StoreFailure::refused, "PostgreSQL: the store was not joined"}; }
        return me;
    }

    /// Sees to it that there is a session in which nothing is locked; gives the seat's name.
    std::string ready(StoreDeadline deadline) {
        std::string me = seated();
        if (session_.ready(deadline) == PostgresqlSession::State::is_new) { set_up(deadline); }
        if (std::exchange(is_begun_, false)) { session_.ask("ROLLBACK", {}, deadline, PostgresqlPlan::once); }
        return me;
    }

    /// A process that is stopped while it has jobs locked does not keep them from the others.
    void set_up(StoreDeadline deadline) {
        is_begun_ = false;
        const std::string idle = "SET idle_in_transaction_session_timeout = " + std::to_string(max_idle_.count());
        const std::string jobs = "LISTEN " + sql_.channel;
        const std::string claims = "LISTEN " + sql_.claim_channel;
        const PostgresqlStep steps[] = {{idle}, {jobs}, {claims}};
        try {
            session_.run(steps, deadline);
        } catch (...) {
            session_.close();
            throw;
        }
        is_all_ = true; // what was told before nobody has heard
    }

    void leave(StoreDeadline deadline) {
        std::string me;
        {
            const std::scoped_lock lock{mutex_};
            me = std::exchange(node_, {});
            former_.insert(me);
        }
        if (session_.ready(deadline) == PostgresqlSession::State::was_open && std::exchange(is_begun_, false)) {
            session_.ask("ROLLBACK", {}, deadline, PostgresqlPlan::once);
        }
        const auto mine = PostgresqlParameters{}.add(std::string_view{me});
        const auto channel = PostgresqlParameters{}.add(std::string_view{sql_.claim_channel});
        const PostgresqlStep steps[] = {
            {sql_.leave, &mine}, {sql_.expire, &mine}, {"SELECT pg_notify($1, '')", &channel}};
        session_.run(steps, deadline);
    }

    void disconnect(const std::string& me, StoreDeadline deadline) {
        try {
            auto parameters = fence_parameters(me);
            session_.ask(sql_.disconnect, parameters.add(lease_), deadline, PostgresqlPlan::once);
        } catch (const StoreError&) { // somebody else's sessions may not be ended by everybody
        }
    }

    void make_pipe() {
        if (read_end_ >= 0) { return; }
        int ends[2] = {-1, -1};
        if (::pipe(ends) != 0) { throw std::system_error{errno, std::generic_category(), "daybook: pipe"}; }
        for (const int end : ends) {
            ::fcntl(end, F_SETFL, O_NONBLOCK);
            ::fcntl(end, F_SETFD, FD_CLOEXEC);
        }
        read_end_ = ends[0];
        write_end_.store(ends[1]);
    }
    void drain() const noexcept {
        char bytes[64];
        while (::read(read_end_, bytes, sizeof bytes) > 0) {}
    }

    PostgresqlSession session_;
    PostgresqlFleetSchema sql_; // empty until the first seat
    std::int64_t lease_ = 0;    // microseconds
    std::chrono::milliseconds max_idle_{0};
    std::vector<ExecutionId> told_; // claims that take_over has returned last
    std::set<std::string> locked_;  // jobs
    bool is_begun_ = false;         // jobs are locked, or a transaction has failed
    bool is_all_ = false;           // the news that are to be told, as `has_claims_`
    bool has_claims_ = false;
    int read_end_ = -1;
    std::atomic<int> write_end_ = -1;
    std::atomic<bool> is_woken_ = false;
    std::atomic<int> writer_ = 0;

    mutable std::mutex mutex_;
    std::string node_;             // guarded by mutex_
    std::set<std::string> former_; // guarded by mutex_
};

} // namespace daybook::inline v0

#endif
