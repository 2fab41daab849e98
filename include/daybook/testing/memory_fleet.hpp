// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTING_MEMORY_FLEET_HPP
#define DAYBOOK_TESTING_MEMORY_FLEET_HPP

/// @file
/// What a MemoryStore holds of a fleet: seats, claims, who has locked which jobs, and who is to be told what.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/testing/memory_tables.hpp>
#include <daybook/time/wall_clock.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::testing {

/// A seat, for a test to look at.
struct MemorySeat {
    std::string name = {}; ///< FleetOpening::name
    std::string node = {};
    steady_time expires_at = {}; ///< by the clock of the content
};

/// A claim, for a test to look at.
struct MemoryClaim {
    Claim claim = {};
    std::string node = {};    ///< whose it is
    std::uint64_t number = 0; ///< in the order of the claims
    bool is_cancelled = false;
};

/// What one copy of a MemoryStore is to the others.
struct MemoryMember {
    /// Jobs and groups that nobody else may lock.
    struct Locks {
        bool is_held = false;
        steady_time until = {}; ///< by the clock of the content: then they are free again
        std::set<std::string, std::less<>> jobs = {};
        std::set<std::string, std::less<>> groups = {};
    };

    bool is_open = false;   ///< alone
    bool is_joined = false; ///< with others
    bool is_woken = false;  ///< the next `await` ends at once
    std::string name = {};  ///< as it was opened; also once that has failed
    std::string node = {};
    std::chrono::milliseconds lease{0};
    std::chrono::milliseconds max_idle{0};
    Locks locks = {};
    FleetNews news = {};         ///< that nobody has asked for yet
    std::uint64_t clearings = 0; ///< of the history, that it knows of
};

/// Models what fleet_store asks for, for one call at a time.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe to read.
class MemoryFleet {
public:
    [[nodiscard]] const std::map<std::string, MemorySeat>& seats() const noexcept { return seats_; }
    [[nodiscard]] const std::map<ExecutionId, MemoryClaim>& claims() const noexcept { return claims_; }
    [[nodiscard]] bool is_seated(const std::string& node) const { return seats_.contains(node); }

    /// Whether a store is joined.
    [[nodiscard]] bool has_members() const {
        return std::any_of(members_.begin(), members_.end(), [](const auto& weak) {
            const auto member = weak.lock();
            return member != nullptr && member->is_joined;
        });
    }

    [[nodiscard]] FleetSeat join(const std::shared_ptr<MemoryMember>& me, const FleetOpening& opening,
                                 const MemoryTables& tables, ClockReading now);

    /// Larger than all that were handed out, and than those that are there.
    [[nodiscard]] IdBlock reserve_ids(const MemoryTables& tables, sys_time now);

    /// Whether the seat was still there.
    bool renew(const MemoryMember& me, steady_time now);

    /// As when its process stops: what it still has is for others at once.
    void leave(MemoryMember& me, const MemoryTables& tables, steady_time now);

    /// As when the connection breaks: locks are free, and news may be lost.
    void lose_connection(std::string_view name);

    /// Of one node, or of all that were joined under this name.
    void end_lease(std::string_view name, steady_time now);

    [[nodiscard]] bool is_locked(std::string_view job_id, steady_time now) const {
        return is_any(
            [&](const MemoryMember& member) { return is_holding(member, now) && member.locks.jobs.contains(job_id); });
    }
    [[nodiscard]] bool is_free_for(const MemoryMember& me, const JobLock& job, steady_time now) const {
        return !is_any([&](const MemoryMember& member) {
            return &member != &me && is_holding(member, now) &&
                   (member.locks.jobs.contains(job.job_id) ||
                    (!job.group.empty() && member.locks.groups.contains(job.group)));
        });
    }
    /// Those that nobody else has locked.
    [[nodiscard]] LockedJobs lock(MemoryMember& me, std::span<const JobLock> jobs, const MemoryTables& tables,
                                  steady_time now) const;
    void commit(MemoryMember& me, const ClaimBatch& batch, MemoryTables& tables, steady_time now);

    [[nodiscard]] ClaimNews look(const MemoryMember& me) const;
    [[nodiscard]] std::vector<TakenOver> take_over(const MemoryMember& me, MemoryTables& tables, ClockReading now);
    void release(const MemoryMember& me, std::span<const ExecutionId> ids);

    /// What is left becomes what one process alone understands: claims without an execution become one that was
    /// abandoned, or skipped.
    void end(MemoryTables& tables, sys_time now);

    /// Takes out what has a seat, or a claim: somebody sees to that.
    void leave_out_seated(std::vector<StoredExecution>& executions) const {
        std::erase_if(executions, [&](const StoredExecution& execution) {
            return is_seated(execution.node) || claims_.contains(execution.occurrence_id);
        });
    }
    void tidy(const MemoryMember& me, const CounterFold& fold, MemoryTables& tables) const;

    /// A job was saved or erased.
    void tell_of_job(const MemoryMember& me, std::string_view id) {
        tell_others(me, [&](FleetNews& news) {
            if (std::find(news.jobs.begin(), news.jobs.end(), id) == news.jobs.end()) { news.jobs.emplace_back(id); }
        });
    }

private:
    [[nodiscard]] static bool is_holding(const MemoryMember& member, steady_time now) {
        return member.locks.is_held && now < member.locks.until;
    }
    template <class Is>
    [[nodiscard]] bool is_any(Is&& is) const {
        return std::any_of(members_.begin(), members_.end(), [&](const auto& weak) {
            const auto member = weak.lock();
            return member != nullptr && is(*member);
        });
    }
    template <class Tell>
    void tell_others(const MemoryMember& me, Tell&& tell) {
        for (const auto& weak : members_) {
            const auto member = weak.lock();
            if (member != nullptr && member.get() != &me && member->is_joined) { tell(member->news); }
        }
    }
    void tell_of_claims(const MemoryMember& me) {
        tell_others(me, [](FleetNews& news) { news.has_claims = true; });
    }
    [[nodiscard]] bool is_waited_for(const MemoryClaim& before) const {
        return std::any_of(claims_.begin(), claims_.end(), [&](const auto& entry) {
            const MemoryClaim& held = entry.second;
            return before.claim.kind == Claim::Kind::run && held.claim.is_waiting &&
                   held.claim.job_id == before.claim.job_id && held.number > before.number;
        });
    }
    [[nodiscard]] bool comes_first(const MemoryClaim& one) const {
        return std::none_of(claims_.begin(), claims_.end(), [&](const auto& entry) {
            const MemoryClaim& held = entry.second;
            return held.claim.kind == Claim::Kind::run && held.claim.job_id == one.claim.job_id &&
                   held.number < one.number;
        });
    }
    void check(const ClaimBatch& batch, const MemoryMember::Locks& locks, const MemoryTables& tables) const;

    std::vector<std::weak_ptr<MemoryMember>> members_;
    std::map<std::string, MemorySeat> seats_;   // by node
    std::map<ExecutionId, MemoryClaim> claims_; // by id
    std::uint64_t seats_so_far_ = 0;
    std::uint64_t claims_so_far_ = 0;
    ExecutionId next_id_ = 1;
};

inline IdBlock MemoryFleet::reserve_ids(const MemoryTables& tables, sys_time now) {
    constexpr ExecutionId ids_of_a_block = ExecutionId{1} << 24U;
    // By time, so that they rise; all of them below 2^53.
    const auto since =
        std::chrono::floor<std::chrono::milliseconds>(now - std::chrono::sys_days{std::chrono::January / 1 / 2020});
    const auto by_time = std::clamp<std::int64_t>(since.count(), 0, (std::int64_t{1} << 41U) - (1 << 21U));
    const ExecutionId largest = tables.executions.empty() ? 0 : tables.executions.rbegin()->first;
    const ExecutionId first = std::max({static_cast<ExecutionId>(by_time) << 12U, next_id_, largest + 1});
    next_id_ = first + ids_of_a_block;
    return {first, ids_of_a_block};
}

inline FleetSeat MemoryFleet::join(const std::shared_ptr<MemoryMember>& me, const FleetOpening& opening,
                                   const MemoryTables& tables, ClockReading now) {
    std::erase_if(members_, [&](const auto& weak) {
        const auto member = weak.lock();
        return member == nullptr || member == me;
    });
    members_.push_back(me);
    me->name = opening.name;
    me->node = opening.name + '#' + std::to_string(++seats_so_far_);
    me->lease = opening.lease;
    me->max_idle = opening.max_idle;
    me->locks = {};
    me->news = FleetNews{.is_all = true}; // nobody has listened until now
    me->is_joined = true;
    seats_[me->node] = {me->name, me->node, now.steady + me->lease};
    const IdBlock ids = reserve_ids(tables, now.wall);
    return {me->node, ids.first_id, ids.id_count};
}

inline bool MemoryFleet::renew(const MemoryMember& me, steady_time now) {
    const auto seat = seats_.find(me.node);
    if (seat == seats_.end()) { return false; }
    seat->second.expires_at = now + me.lease;
    return true;
}

inline void MemoryFleet::leave(MemoryMember& me, const MemoryTables& tables, steady_time now) {
    const auto seat = seats_.find(me.node);
    if (seat == seats_.end()) { return; }
    const auto is_mine = [&](const auto& entry) { return entry.second.node == me.node; };
    const bool has_claims = std::any_of(claims_.begin(), claims_.end(), is_mine);
    const bool has_unfinished = std::any_of(tables.executions.begin(), tables.executions.end(), [&](const auto& entry) {
        return is_mine(entry) && !is_finished(entry.second.status);
    });
    if (has_claims || has_unfinished) {
        seat->second.expires_at = now; // until somebody takes over
    } else {
        seats_.erase(seat);
    }
}

inline void MemoryFleet::lose_connection(std::string_view name) {
    for (const auto& weak : members_) {
        const auto member = weak.lock();
        if (member == nullptr || member->name != name) { continue; }
        member->locks = {};
        member->news.is_all = true;
    }
}

inline void MemoryFleet::end_lease(std::string_view name, steady_time now) {
    for (auto& [node, seat] : seats_) {
        if (seat.name == name || node == name) { seat.expires_at = std::min(seat.expires_at, now); }
    }
}

inline LockedJobs MemoryFleet::lock(MemoryMember& me, std::span<const JobLock> jobs, const MemoryTables& tables,
                                    steady_time now) const {
    LockedJobs locked;
    std::map<std::string, std::string> wanted; // in the order of the answer, each once
    for (const JobLock& job : jobs) { wanted.emplace(job.job_id, job.group); }
    me.locks = {.is_held = !jobs.empty(), .until = now + me.max_idle};
    for (const auto& [id, group] : wanted) {
        const auto job = tables.jobs.find(id);
        if (job == tables.jobs.end()) {
            locked.unknown.push_back(id);
            continue;
        }
        if (!is_free_for(me, {id, group}, now)) { continue; }
        me.locks.jobs.insert(id);
        if (!group.empty()) { me.locks.groups.insert(group); }
        JobStanding standing;
        standing.job_id = id;
        standing.accounted_to = job->second.accounted_to;
        standing.left = job->second.left;
        standing.updated_at = job->second.updated_at;
        standing.schedule = job->second.schedule;
        standing.is_paused = job->second.is_paused;
        for (const auto& [claim_id, held] : claims_) {
            const bool is_run = held.claim.kind == Claim::Kind::run;
            if (is_run && held.claim.job_id == id) {
                ++standing.in_progress;
                if (held.node != me.node) { ++standing.elsewhere; }
            }
            if (is_run && !group.empty() && held.claim.group == group) { ++standing.in_group; }
            if (held.claim.job_id == id && held.node == me.node) { standing.own.push_back(claim_id); }
        }
        locked.jobs.push_back(std::move(standing));
    }
    return locked;
}

/// What only a wrong program commits.
inline void MemoryFleet::check(const ClaimBatch& batch, const MemoryMember::Locks& locks,
                               const MemoryTables& tables) const {
    const auto refuse = [](const std::string& what) { throw StoreError{StoreFailure::refused, what}; };
    std::set<ExecutionId> ids;
    for (const Claim& claim : batch.claims) {
        if (claims_.contains(claim.id) || !ids.insert(claim.id).second) {
            refuse("there is a claim " + std::to_string(claim.id) + " already");
        }
        if (tables.jobs.contains(claim.job_id) && !locks.jobs.contains(claim.job_id)) {
            refuse("a claim is of the job \"" + claim.job_id + "\", which is not locked");
        }
    }
    for (const JobStanding& standing : batch.standings) {
        if (!locks.jobs.contains(standing.job_id)) { refuse("the job \"" + standing.job_id + "\" is not locked"); }
    }
}

inline void MemoryFleet::commit(MemoryMember& me, const ClaimBatch& batch, MemoryTables& tables, steady_time now) {
    const bool is_locked = is_holding(me, now);
    const MemoryMember::Locks locks = std::exchange(me.locks, {}); // whatever comes
    if (!is_seated(me.node)) {
        throw StoreError{StoreFailure::unseated, "another process has taken over what \"" + me.node + "\" had"};
    }
    if (!is_locked) { throw StoreError{StoreFailure::busy, "nothing is locked, or not any more"}; }
    check(batch, locks, tables);
    bool is_any_cancelled = false;
    for (auto& [id, held] : claims_) {
        const auto& jobs = batch.cancelled;
        if (std::find(jobs.begin(), jobs.end(), held.claim.job_id) == jobs.end()) { continue; }
        held.is_cancelled = is_any_cancelled = true;
    }
    for (const Claim& claim : batch.claims) {
        claims_[claim.id] = {.claim = claim, .node = me.node, .number = ++claims_so_far_};
    }
    for (const JobStanding& standing : batch.standings) {
        StoredJob& job = tables.jobs.at(standing.job_id);
        job.accounted_to = standing.accounted_to;
        job.left = standing.left;
        job.updated_at = standing.updated_at;
    }
    if (is_any_cancelled) { tell_of_claims(me); }
}

inline ClaimNews MemoryFleet::look(const MemoryMember& me) const {
    ClaimNews news;
    for (const auto& [id, held] : claims_) {
        if (held.node != me.node) { continue; }
        if (held.is_cancelled && held.claim.kind == Claim::Kind::run) { news.cancelled.push_back(id); }
        if (held.claim.is_waiting && comes_first(held)) { news.free.push_back(id); }
    }
    return news;
}

inline std::vector<TakenOver> MemoryFleet::take_over(const MemoryMember& me, MemoryTables& tables, ClockReading now) {
    if (!is_seated(me.node)) {
        throw StoreError{StoreFailure::unseated, "another process has taken over what \"" + me.node + "\" had"};
    }
    std::set<std::string> gone;
    std::vector<StoredExecution> ended;
    for (const auto& [node, seat] : seats_) {
        if (node == me.node || now.steady < seat.expires_at) { continue; }
        gone.insert(node);
        for (StoredExecution& execution : tables.abandon(node, now.wall)) { ended.push_back(std::move(execution)); }
    }
    std::erase_if(seats_, [&](const auto& entry) { return gone.contains(entry.first); });
    const auto has_ended = [&](ExecutionId id) {
        return std::any_of(ended.begin(), ended.end(), [&](const StoredExecution& one) { return one.id == id; });
    };
    std::vector<TakenOver> taken;
    for (auto& [id, held] : claims_) {
        if (!gone.contains(held.node)) { continue; }
        const std::string node = std::exchange(held.node, me.node);
        const auto last = tables.last_attempt(id);
        taken.push_back({.node = node, .claim = held.claim, .last = last, .was_open = last && has_ended(last->id)});
    }
    for (const StoredExecution& execution : ended) {
        if (claims_.contains(execution.occurrence_id)) { continue; }
        taken.push_back({.node = execution.node, .claim = std::nullopt, .last = execution, .was_open = true});
    }
    return taken;
}

inline void MemoryFleet::release(const MemoryMember& me, std::span<const ExecutionId> ids) {
    for (const ExecutionId id : ids) {
        const auto held = claims_.find(id);
        if (held == claims_.end() || held->second.node != me.node) { continue; }
        if (is_waited_for(held->second)) { tell_of_claims(me); }
        claims_.erase(held);
    }
}

inline void MemoryFleet::end(MemoryTables& tables, sys_time now) {
    for (const auto& [id, held] : claims_) {
        const Claim& claim = held.claim;
        const bool is_run = claim.kind == Claim::Kind::run;
        StoredExecution one;
        one.id = one.occurrence_id = id;
        one.job_id = claim.job_id;
        one.handler_id = claim.handler_id;
        one.method_name = claim.method_name;
        one.scheduled_at = claim.scheduled_at;
        if (is_run) { one.queued_at = claim.claimed_at; }
        one.completed_at = now;
        one.status = is_run ? JobStatus::abandoned : JobStatus::skipped;
        one.is_final = !is_run;
        one.trigger = claim.trigger;
        one.node = held.node;
        one.reason = claim.reason;
        one.skip_count = claim.skip_count;
        one.skip_count_is_minimum = claim.skip_count_is_minimum;
        one.dst = claim.dst;
        one.parameters = claim.parameters;
        one.position = claim.claimed_at.time_since_epoch().count();
        tables.executions.try_emplace(id, one);
    }
    claims_.clear();
    seats_.clear();
}

inline void MemoryFleet::tidy(const MemoryMember& me, const CounterFold& fold, MemoryTables& tables) const {
    const auto is_others = [&](const StoredCounters& row) { return row.node != me.node && is_seated(row.node); };
    std::vector<StoredCounters> rows;
    for (const auto& [key, row] : tables.counters) {
        if (!is_others(row)) { rows.push_back(row); }
    }
    const auto folded = fold(std::move(rows));
    if (!folded) { return; }
    std::erase_if(tables.counters, [&](const auto& entry) { return !is_others(entry.second); });
    for (const StoredCounters& row : *folded) { tables.put(row, me.node); }
}

} // namespace daybook::inline v0::testing

#endif
