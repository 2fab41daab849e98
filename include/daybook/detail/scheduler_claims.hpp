// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_CLAIMS_HPP
#define DAYBOOK_DETAIL_SCHEDULER_CLAIMS_HPP

/// @file
/// How a scheduler in a fleet gets what it runs: the job is locked in the store, what it owes is settled as the store
/// has it, and what this process has taken on itself is written before anything of it is done.

#include <daybook/detail/scheduler_settle.hpp>
#include <daybook/detail/scheduler_start.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What is claimed in one go.
struct SchedulerCore::ClaimRound {
    std::list<Claimed> claimed = {};
    std::vector<Claim> claims = {};
    std::vector<JobStanding> standings = {};
    std::vector<std::string> cancelled = {};
    std::map<std::string, std::size_t, std::less<>> in_group = {}; ///< claims of this round
};

/// A trigger, while its thread waits for what comes of it.
struct SchedulerCore::AskedFor {
    JobPtr job;
    std::optional<std::string> parameters = {};
    OccurrencePtr occurrence = {};
    Decisions decisions = {}; ///< for the thread that waits
    bool is_answered = false;
    bool is_refused = false;  ///< by the store
    bool is_given_up = false; ///< nobody waits any more
};

/// Waits a while before it is asked for again; the lock is not held.
inline void SchedulerCore::claim_later(const JobPtr& job, std::chrono::nanoseconds wait) {
    const Lock lock{mutex_};
    if (job->is_removed || state_ != State::started) { return; }
    if (std::ranges::any_of(to_claim_, [&](const Due& due) { return due.job == job; })) { return; }
    to_claim_.push_back({.job = job, .plan = job->plan});
    to_claim_.back().claim_at = std::chrono::steady_clock::now() + wait;
    wall_due_.erase(job->index);
    steady_due_.erase(job->index);
    job->wall_due.reset();
    job->is_over = false;
    job->is_settling = true;
}

/// Some of what is due at a time, and not all processes the same: so each gets its share.
inline void SchedulerCore::claim_due() {
    constexpr std::size_t most = 32;
    while (std::chrono::steady_clock::now() < round_end_) {
        Dues batch;
        {
            const Lock lock{mutex_};
            if (state_ != State::started) {
                batch.swap(to_claim_); // it is left to others
                changed_.notify_all();
                return;
            }
            const auto now = std::chrono::steady_clock::now(); // a clock that stands still must not hold it up
            std::vector<Dues::iterator> ready;
            for (auto due = to_claim_.begin(); due != to_claim_.end(); ++due) {
                if (!due->claim_at || *due->claim_at <= now) { ready.push_back(due); }
            }
            for (std::size_t i = 0; i < ready.size() && i < most; ++i) {
                std::swap(ready[i], ready[i + random() % (ready.size() - i)]);
                batch.splice(batch.end(), to_claim_, ready[i]);
            }
            if (batch.empty()) { return; }
            claiming_ = batch.size();
        }
        const auto is_done = [&] {
            const Lock lock{mutex_};
            claiming_ = 0;
            changed_.notify_all();
        };
        try {
            claim(batch);
        } catch (...) {
            for (const Due& due : batch) { claim_later(due.job); }
            is_done();
            throw;
        }
        is_done();
    }
}

/// @throws StoreError  What is left in `batch` was not looked at.
inline void SchedulerCore::claim(Dues& batch) {
    std::vector<JobLock> wanted;
    {
        const Lock lock{mutex_};
        for (auto next = batch.begin(); next != batch.end();) {
            const auto due = next++;
            due->plan = due->job->plan;
            const bool is_twice = std::any_of(batch.begin(), due, [&](const Due& one) { return one.job == due->job; });
            if (due->job->is_removed || is_twice) {
                batch.erase(due);
            } else {
                wanted.push_back({due->job->id, due->plan->fleet_group});
            }
        }
    }
    const LockedJobs locked = fleet_->store().lock(wanted, LockWait::no, fleet_->deadline());
    ClaimRound round;
    while (!batch.empty()) {
        Dues one;
        one.splice(one.end(), batch, batch.begin());
        Due& due = one.front();
        const auto standing = std::ranges::find(locked.jobs, due.job->id, &JobStanding::job_id);
        if (standing != locked.jobs.end()) {
            settle_doubt(*standing);
            try {
                claim_one(due, *standing, round);
            } catch (const std::bad_alloc&) { claim_later(due.job); }
            continue;
        }
        if (std::ranges::find(locked.unknown, due.job->id) != locked.unknown.end()) { // not written yet, or erased
            is_to_refresh_ = true;
            claim_later(due.job);
            continue;
        }
        fleet_->note_left(1); // somebody else is at it; and if they fail, it is asked for again
        claim_later(due.job, std::chrono::milliseconds{10 + static_cast<std::int64_t>(random() % 30)});
    }
    if (round.claimed.empty()) { return fleet_->store().unlock(); }
    commit(round);
}

/// What a job owes, as the store has it, is settled by its policies: nothing of it is done before it is claimed.
inline void SchedulerCore::claim_one(Due& due, const JobStanding& standing, ClaimRound& round) {
    const JobPtr& job = due.job;
    const JobPlan& plan = *due.plan;
    if (standing.schedule != plan.kept->schedule) { // another process's is newer, or ours is not written yet
        is_to_refresh_ = true;
        return claim_later(job);
    }
    const Moment as_of = now();
    const sys_time unknown = due.wall ? saturating_subtract(*due.wall, std::chrono::microseconds{1}) : as_of.wall;
    const sys_time accounted = standing.accounted_to.value_or(unknown);
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
    Owed owed;
    try {
        if (counts_down(plan.schedule)) {
            StoredJob counted;
            counted.left = standing.left;
            counted.updated_at = standing.updated_at;
            left = left_then(plan.schedule, counted, accounted);
        }
        const auto next = left == 0 ? std::nullopt : plan.schedule.next(accounted);
        if (next && plan.wall_due(*next) <= as_of.wall) {
            owed = owed_by(plan, left, next, std::nullopt, as_of.wall, as_of.steady);
        } else {
            owed.next = next;
        }
    } catch (const std::bad_alloc&) { throw; } catch (...) {
        owed.error = describe_exception(std::current_exception());
    }
    const bool is_owed = owed.count() != 0;
    const bool is_limited = is_owed && plan.fleet_limit != 0;
    const std::size_t in_group = standing.in_group + (is_limited ? round.in_group[plan.fleet_group] : 0);
    if (is_limited && in_group >= plan.fleet_limit && !standing.is_paused) { return claim_later(job); }
    if (!is_owed) { fleet_->note_left(1); }
    std::optional<sys_time> until;
    if (is_owed) { until = owed.on_time.empty() ? owed.latest : owed.on_time.back(); }
    Claimed claimed{.job = job};
    bool is_current = false;
    {
        const Lock lock{mutex_};
        if (job->is_removed || state_ != State::started) { return; }
        is_current = job->plan == due.plan;
        job->elsewhere = standing.elsewhere;
        job->left = left;
    }
    if (!is_current) { return claim_later(job, std::chrono::milliseconds{0}); } // it has changed meanwhile
    due.is_paused = standing.is_paused;
    due.as_of = as_of;
    due.owed = std::move(owed);
    const auto set_room = [&](std::optional<std::size_t> room) {
        const Lock lock{mutex_};
        group_room_ = room;
    };
    if (plan.fleet_limit != 0) { set_room(plan.fleet_limit - std::min(plan.fleet_limit, in_group)); }
    try {
        settle_due(due, claimed.decisions);
    } catch (const std::bad_alloc&) {
        set_room(std::nullopt);
        undo_claimed(claimed);
        throw;
    }
    if (plan.fleet_limit != 0) { set_room(std::nullopt); }
    if (!is_owed) { return carry_out_claimed(claimed); }
    add_claims(claimed, round);
    {
        const Lock lock{mutex_};
        JobStanding& after = round.standings.emplace_back();
        after.job_id = job->id;
        after.accounted_to = until;
        after.updated_at = *until;
        if (counts_down(plan.schedule)) { after.left = job->left; }
    }
    const bool is_newer = plan.policies.overlap == Overlap::cancel_running && job->elsewhere != 0;
    const bool is_run = std::ranges::any_of(
        claimed.decisions, [](const Decision& decision) { return decision.kind == Decision::Kind::hand_over; });
    if (is_newer && is_run) { round.cancelled.push_back(job->id); }
    round.claimed.push_back(std::move(claimed));
}

/// What was decided becomes claims.
inline void SchedulerCore::add_claims(Claimed& claimed, ClaimRound& round) {
    const sys_time wall = options_.clock.now();
    for (Decision& decision : claimed.decisions) {
        const bool is_run = decision.kind == Decision::Kind::hand_over;
        if (!is_run && decision.kind != Decision::Kind::skip) { continue; }
        const JobPlan& plan = is_run ? *decision.occurrence->plan : *decision.plan;
        Claim claim;
        claim.id = log_->reserve_id();
        claim.kind = is_run ? Claim::Kind::run : Claim::Kind::skip;
        claim.job_id = claimed.job->id;
        claim.handler_id = plan.handler_id;
        claim.method_name = plan.method_name;
        claim.claimed_at = wall;
        if (is_run) {
            Occurrence& occurrence = *decision.occurrence;
            claim.scheduled_at = occurrence.nominal;
            claim.trigger = occurrence.trigger;
            claim.dst = occurrence.dst;
            claim.parameters = occurrence.parameters();
            claim.group = plan.fleet_group;
            const Lock lock{mutex_};
            claim.is_waiting = occurrence.phase == Occurrence::Phase::waiting;
            waits_elsewhere_ = waits_elsewhere_ || occurrence.is_barred;
            occurrence.id = claim.id;
            occurrence.is_claimed = true;
            if (plan.fleet_limit != 0) { ++round.in_group[plan.fleet_group]; }
        } else {
            decision.claim = decision.skip.id = claim.id;
            claim.scheduled_at = decision.skip.scheduled_at;
            claim.trigger = decision.skip.trigger;
            claim.reason = decision.skip.reason;
            claim.skip_count = decision.skip.occurrences;
            claim.skip_count_is_minimum = decision.skip.is_minimum;
        }
        claimed.ids.push_back(claim.id);
        round.claims.push_back(std::move(claim));
    }
}

/// @throws StoreError  What was not claimed is asked for again, what may have been claimed is in doubt.
inline void SchedulerCore::commit(ClaimRound& round) {
    try {
        fleet_->store().commit({.claims = round.claims, .standings = round.standings, .cancelled = round.cancelled},
                               fleet_->deadline());
    } catch (const StoreError& error) {
        const bool is_in_doubt = error.failure() == StoreFailure::unavailable;
        for (Claimed& claimed : round.claimed) {
            if (!is_in_doubt) { undo_claimed(claimed); }
            claim_later(claimed.job);
        }
        if (is_in_doubt) { doubtful_.splice(doubtful_.end(), round.claimed); }
        throw;
    }
    fleet_->note_claimed(round.claims.size());
    for (Claimed& claimed : round.claimed) { carry_out_claimed(claimed); }
}

/// The job is locked again: what was in doubt about it is known now.
inline void SchedulerCore::settle_doubt(const JobStanding& standing) {
    for (auto next = doubtful_.begin(); next != doubtful_.end();) {
        const auto claimed = next++;
        if (claimed->job->id != standing.job_id) { continue; }
        const bool is_ours = std::ranges::any_of(
            claimed->ids, [&](ExecutionId id) { return std::ranges::find(standing.own, id) != standing.own.end(); });
        if (is_ours) {
            fleet_->note_claimed(claimed->ids.size());
            carry_out_claimed(*claimed);
        } else {
            undo_claimed(*claimed);
        }
        doubtful_.erase(claimed);
    }
}

/// Is left to whoever carries out what is due: recording calls the program.
inline void SchedulerCore::carry_out_claimed(Claimed& claimed) {
    {
        const Lock lock{mutex_};
        if (claimed.asked && !claimed.asked->is_given_up) {
            claimed.asked->decisions.splice(claimed.asked->decisions.end(), claimed.decisions);
            claimed.asked->is_answered = true;
            changed_.notify_all();
            return;
        }
        if (claimed.decisions.empty()) { return; }
        postponed_.splice(postponed_.end(), claimed.decisions);
    }
    alarm_.wake();
}

/// The store has none of it: as if it had not been settled. What it took the place of is gone all the same.
inline void SchedulerCore::undo_claimed(Claimed& claimed) {
    Decisions rest;
    std::size_t posts = 0;
    {
        const Lock lock{mutex_};
        for (auto next = claimed.decisions.begin(); next != claimed.decisions.end();) {
            const auto decision = next++;
            if (decision->kind == Decision::Kind::hand_over) {
                decision->occurrence->is_claimed = false;
                drop(decision->occurrence, SkipReason::none, lock);
                if (release_next(decision->occurrence->job, lock)) { ++posts; }
            } else if (decision->kind != Decision::Kind::skip) {
                rest.splice(rest.end(), claimed.decisions, decision);
            }
        }
    }
    post(posts);
    claimed.decisions.clear();
    claimed.decisions.splice(claimed.decisions.end(), rest);
    if (claimed.asked) { answer(std::exchange(claimed.asked, nullptr), true); }
    carry_out_claimed(claimed);
}

} // namespace daybook::inline v0::detail

#endif
