// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_START_HPP
#define DAYBOOK_DETAIL_SCHEDULER_START_HPP

/// @file
/// How schedules begin to count, and the scheduler to work.

#include <daybook/detail/scheduler_dispatch.hpp>
#include <daybook/detail/scheduler_restore.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// When a job that is added, or a scheduler that is started, is due for the first time. Runs outside the lock: the
/// schedule may be the program's own.
/// @param accounted  Up to where an earlier process has accounted for all; only of schedules of the wall clock.
inline Owed SchedulerCore::first_due(const JobPlan& plan, sys_time wall, steady_time steady,
                                     std::optional<sys_time> accounted) const {
    Owed first;
    const AtWork at_work{*this};
    const sys_time after = accounted.value_or(wall);
    const Schedule& schedule = plan.schedule;
    try {
        if (schedule.interval() != nullptr && !plan.is_anchored && !accounted) {
            first = first_interval(schedule, {wall, steady});
        } else if (const At* once = schedule.once()) {
            // Also when it is past: then it is due at once, and late.
            if (once->wall() && (!accounted || *accounted < *once->wall())) {
                first.next = once->next(sys_time::min()) ? schedule.next(sys_time::min()) : once->wall();
            }
            first.next_steady = once->steady();
        } else {
            first.next = schedule.next(after);
        }
        first.left = occurrences_left(schedule, after);
    } catch (const std::bad_alloc&) { throw; } catch (...) {
        first.error = describe_exception(std::current_exception());
    }
    const bool is_past = first.next && *first.next <= after;
    first.accounted = is_past ? saturating_subtract(*first.next, std::chrono::microseconds{1}) : after;
    return first;
}

inline void SchedulerCore::begin_schedule(Job& job, const Owed& first, const Lock& lock) {
    job.schedule_error = first.error;
    job.is_over = false;
    if (!job.is_stale && !job.is_paused) { watch_staleness(job, lock); }
    job.left = first.left.value_or(std::numeric_limits<std::uint64_t>::max());
    job.accounted = first.accounted;
    job.counted_to = first.accounted.value_or(sys_time{});
    job.has_begun = job.is_to_keep = true;
    if (job.left == 0) { return retire_if_over(job, lock); }
    set_due(job, first.next, first.next_steady, lock);
    retire_if_over(job, lock);
}

inline void SchedulerCore::start() {
    const AtWork at_work{*this}; // a schedule that calls stop must not wait for this
    const std::scoped_lock joining{join_mutex_};
    {
        const Lock lock{mutex_};
        if (state_ == State::started) { return; }
        if (state_ == State::stopping) { throw std::logic_error{"start: a scheduler that was stopped stays stopped"}; }
    }
    const auto hook = [this] {
        const AtWork inside{*this};
        if (options_.on_thread_start) { options_.on_thread_start(); }
    };
    if (options_.workers != 0 && !options_.executor && !pool_) {
        WorkerPoolOptions pool{.threads = options_.workers, .on_thread_start = hook};
        // What is claimed from a store, or kept there, is the timer's own thread's.
        if (options_.clock.is_system() && log_->store_writer() == nullptr) { alarm_.open_watch(); }
        pool_.reset(new WorkerPool{std::move(pool), alarm_.has_watch() ? &watch_ : nullptr});
    }
    restore_jobs();
    const Moment began = now();
    std::size_t posts = 0;
    std::vector<Due> beginning;
    {
        const Lock lock{mutex_};
        if (state_ != State::pending) { return; }
        beginning.reserve(jobs_.size());
        for (const auto& [id, job] : jobs_) { beginning.push_back({.job = job, .plan = job->plan}); }
        state_ = State::started;
        for (const Due& item : beginning) { item.job->is_settling = true; }
        open_pool_ = pool_.get();
        is_executor_open_ = static_cast<bool>(options_.executor);
        timeline_ = began.wall; // nothing is due by an earlier one
        posts = ready_.size();  // triggered before the start
    }
    try {
        resume_occurrences(began);
        for (const Due& item : beginning) {
            std::string told;
            const Owed first = resumed_due(*item.plan, item.job->stored.get(), began, told);
            if (!told.empty()) { diagnose(told); }
            const Lock lock{mutex_};
            if (item.job->plan != item.plan) { continue; } // an update came first, and has begun the new one
            item.job->is_settling = false;
            if (state_ == State::started && !item.job->is_removed) { begin_schedule(*item.job, first, lock); }
        }
        keep_all(Waits::yes);
        if (options_.workers != 0) {
            clock_token_ = options_.clock.on_change([this] { alarm_.wake(); });
            timer_ = NamedThread{"daybook-timer", hook, [this] { run_timer(); }};
        }
        const Lock lock{mutex_};
        for (const Due& item : beginning) { item.job->stored.reset(); }
    } catch (...) {
        const Lock lock{mutex_};
        take_back_start(lock);
        throw;
    }
    if (fleet_ != nullptr) { fleet_->wake(); } // what others have left, and what they have changed
    post(posts);
    flush_posts();
}

/// It failed halfway: as if it had not been called.
inline void SchedulerCore::take_back_start(const Lock& /*lock*/) noexcept {
    if (state_ != State::started) { return; }
    state_ = State::pending;
    wall_due_.clear();
    steady_due_.clear();
    stale_due_.clear();
    for (const auto& [id, job] : jobs_) {
        job->is_settling = job->is_over = false;
        job->wall_due.reset();
        job->steady_due.reset();
    }
}

} // namespace daybook::inline v0::detail

#endif
