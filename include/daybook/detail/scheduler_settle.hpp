// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_SETTLE_HPP
#define DAYBOOK_DETAIL_SCHEDULER_SETTLE_HPP

/// @file
/// How what has come due is accounted for: also when a command changes its job meanwhile, or memory runs out.

#include <daybook/detail/scheduler_dispatch.hpp>
#include <daybook/detail/stored_jobs.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace daybook::inline v0::detail {

/// Asks schedules and policies, outside the lock; what memory does not suffice for is left to the next dispatch.
inline void SchedulerCore::settle_all(Dues& due, Dues& settled, Decisions& decisions) {
    while (!due.empty()) {
        Due& item = due.front();
        bool is_to_settle = true;
        try {
            if (!item.owed && !item.is_elsewhere && !item.wall && !item.steady) { // known by now; see leave_behind
                const Lock lock{mutex_};
                is_to_settle = !item.job->is_removed && item.job->plan == item.plan && take_if_come(item, lock);
            }
            if (is_to_settle) {
                const auto [wall, steady] = *item.as_of;
                if (!item.owed) {
                    item.owed = item.is_elsewhere
                                    ? first_due(*item.plan, wall, steady)
                                    : owed_by(*item.plan, item.left, item.wall, item.steady, wall, steady);
                }
                settle_due(item, decisions);
            }
            settled.splice(settled.end(), due, due.begin());
        } catch (const std::bad_alloc&) {
            const Lock lock{mutex_};
            left_behind_.splice(left_behind_.end(), due, due.begin());
            run_short(lock);
        }
    }
}

/// Lets through what the policies allow, and skips the rest with its reason: the sum is what was owed.
/// @throws std::bad_alloc  Called again it goes on where it was.
inline void SchedulerCore::settle_due(Due& due, Decisions& decisions) {
    const JobPtr& job = due.job;
    const PlanPtr& plan = due.plan;
    Owed& owed = *due.owed;
    const Lock lock{mutex_};
    const bool is_current = job->plan == plan; // else an update has seen to what comes next
    const auto closed_for = [&] {
        return job->is_removed ? SkipReason::removed
                               : (state_ == State::stopping ? SkipReason::shutdown : SkipReason::none);
    };
    if (!std::exchange(due.is_begun, true)) {
        if (is_current && !owed.error.empty()) { job->schedule_error = std::move(owed.error); }
        due.refused = closed_for(); // it came due, so it is accounted for, whatever has happened since
        if (due.refused == SkipReason::none && due.is_paused) { due.refused = SkipReason::paused; }
        if (is_current && job->left != std::numeric_limits<std::uint64_t>::max()) {
            job->left -= std::min(job->left, owed.count());
            due.is_to_keep = owed.count() != 0 && !is_on_calendar(plan->schedule); // nobody could count them later
            if (due.is_to_keep) { job->is_to_keep = true; }
        }
        if (is_current && owed.count() != 0) {
            job->counted_to = owed.on_time.empty() ? *owed.latest : owed.on_time.back();
        }
        if (is_current && due.is_elsewhere) {
            job->accounted = owed.accounted;
            job->counted_to = owed.accounted.value_or(job->counted_to);
            job->is_to_keep = due.is_to_keep = true;
        }
    }
    const bool is_refused = due.refused != SkipReason::none;
    const Overlap overlap = plan->policies.overlap;
    const Misfire misfire = plan->policies.misfire;
    const auto grace = std::chrono::floor<std::chrono::microseconds>(plan->policies.misfire_grace);
    const bool makes_good = !is_refused && misfire == Misfire::run_once && owed.on_time.empty() &&
                            owed.late_count != 0 && owed.latest_due >= due.as_of->wall - grace;
    const std::size_t caught_up = !is_refused && misfire == Misfire::run_all
                                      ? std::min<std::size_t>(owed.late.size(), plan->policies.max_catch_up)
                                      : 0;
    std::size_t step = 0;
    const auto once = [&](const auto& act) {
        if (step++ < due.steps_done) { return; }
        act();
        ++due.steps_done;
    };
    const auto settle_one = [&](std::optional<sys_time> nominal, Trigger trigger, Overlap how) {
        const Admission from{job, plan, nominal, trigger, how};
        once([&] {
            const SkipReason reason = is_refused ? due.refused : closed_for();
            if (reason != SkipReason::none) {
                skip(from, reason, decisions);
            } else {
                admit(from, decisions, lock);
            }
        });
    };
    const auto skip_late = [&] {
        const std::uint64_t late = owed.late_count - caught_up - (makes_good ? 1 : 0);
        if (late == 0) { return; }
        const SkipReason reason = is_refused ? due.refused : SkipReason::misfire;
        decisions.push_back({.kind = Decision::Kind::skip,
                             .job = job,
                             .plan = plan,
                             .skip = {.reason = reason,
                                      .scheduled_at = owed.late.size() > caught_up ? owed.late[caught_up] : owed.latest,
                                      .occurrences = late,
                                      .is_minimum = owed.is_minimum},
                             .accounted = makes_good ? std::nullopt : owed.latest});
        job->last_skip = reason;
        job->last_skip_at = owed.latest;
    };
    // What a store has of later times says that earlier ones have their record.
    const bool skips_last = caught_up != 0 && log_->store_writer() != nullptr;
    if (!skips_last) { once(skip_late); }
    for (std::size_t i = 0; i < caught_up; ++i) { settle_one(owed.late[i], Trigger::catch_up, Overlap::queue_all); }
    if (skips_last) { once(skip_late); }
    if (makes_good) { settle_one(owed.latest, Trigger::catch_up, overlap); }
    for (const sys_time nominal : owed.on_time) { settle_one(nominal, Trigger::schedule, overlap); }
    job->is_settling = false; // not before: what was cancelled above must not take the job for one that is over
    if (job->is_removed || state_ == State::stopping || !is_current) {
        // It will not be due again, or is already.
    } else if (owed.next || owed.next_steady) {
        set_due(*job, owed.next, owed.next_steady, lock);
    } else if (plan->is_after_completion() && owed.count() != 0 && job->in_progress == 0) {
        await_next_completion(*job, lock); // nothing was let through: there is no completion to wait for
    }
    retire_if_over(*job, lock);
}

/// A dispatch, unless a schedule is being asked at the moment, which may take its time.
inline void SchedulerCore::dispatch_unless_busy() {
    if (AtWork::is_inside(*this)) { return; }
    Lock one_at_a_time{dispatch_mutex_, std::try_to_lock};
    if (!one_at_a_time) { return; }
    dispatch_due(std::move(one_at_a_time));
    flush_posts();
}

/// Nobody dispatches while the caller has it; holds nothing where this thread is dispatching already.
inline SchedulerCore::Lock SchedulerCore::hold_dispatch() {
    return AtDispatch::is_inside(*this) ? Lock{} : Lock{dispatch_mutex_};
}

/// Whether the job has come due by then.
inline bool SchedulerCore::has_come(const Job& job, const Moment& now, const Lock& /*lock*/) const {
    const auto is_due = [&](const auto& heap, auto instant) {
        return heap.contains(job.index) && heap.key(job.index) <= instant;
    };
    return !job.is_over && (is_due(wall_due_, now.wall) || is_due(steady_due_, now.steady));
}

/// Takes off the heaps what its job is due for, if that has come by then.
inline bool SchedulerCore::take_if_come(Due& due, const Lock& lock) {
    Job& job = *due.job;
    if (!has_come(job, *due.as_of, lock)) { return false; }
    wall_due_.erase(job.index);
    steady_due_.erase(job.index);
    due.left = job.left;
    due.wall = std::exchange(job.wall_due, std::nullopt);
    due.steady = std::exchange(job.steady_due, std::nullopt);
    job.is_settling = true;
    return true;
}

/// A command is about to change the job: what has come due by now is settled by the next dispatch, as it is now.
inline void SchedulerCore::leave_behind(const JobPtr& job, const Moment& now, const Lock& lock) {
    if (fleet_ != nullptr) { return; }        // what is due is claimed as the job is then
    const bool is_unknown = job->is_settling; // its next due time may have come, too
    left_behind_.push_back({.job = job, .plan = job->plan, .is_paused = job->is_paused, .as_of = now});
    if (!take_if_come(left_behind_.back(), lock) && !is_unknown) { return left_behind_.pop_back(); }
    alarm_.wake();
}

} // namespace daybook::inline v0::detail

#endif
