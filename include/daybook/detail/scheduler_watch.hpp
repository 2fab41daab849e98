// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_WATCH_HPP
#define DAYBOOK_DETAIL_SCHEDULER_WATCH_HPP

/// @file
/// Who waits for the time: the timer's own thread, and in its place a worker that has nothing else to do.

#include <daybook/detail/scheduler_settle.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace daybook::inline v0::detail {

inline void SchedulerCore::run_timer() {
    const AtTimer at_timer{*this};
    while (true) {
        alarm_.look();
        const steady_time woken = options_.clock.steady_now();
        bool was_due = true;
        // What is left to the workers for a moment may be left to them still; but not for as long as a call may take.
        if (!may_need_help_ || !is_progressing() || !dispatch_plain()) {
            is_timer_away_ = true;
            call_help();
            was_due = dispatch();
            is_timer_away_ = false;
        }
        const Next next = set_alarm(was_due ? std::optional{woken} : std::nullopt, Waiter::timer);
        if (next == Next::end) { return; }
        if (next == Next::sleep) { alarm_.sleep(); }
    }
}

/// Whether workers begin one body after another, so that what waits is better left to them than to those that sleep.
inline bool SchedulerCore::is_progressing() {
    constexpr std::size_t many = 64;
    const Lock lock{mutex_};
    return std::exchange(begun_seen_, begun_) != begun_ && ready_.size() <= many;
}

/// How long what is plain may be left to the workers that are awake, before the timer's own thread looks whether they
/// get on, and wakes others.
inline std::chrono::nanoseconds SchedulerCore::help_patience() const noexcept {
    return std::min<std::chrono::nanoseconds>(options_.coalescing, std::chrono::microseconds{100});
}

/// Wakes workers for what has been left to those that are awake.
inline void SchedulerCore::call_help() {
    WorkerPool* const pool = open_pool_;
    if (pool != nullptr && may_need_help_.exchange(false)) { pool->call_help(); }
}

/// Sets the alarm to what is due next.
/// @param rests_from  When something was due: not to be woken again for a while, so that a flood is met in batches.
inline SchedulerCore::Next SchedulerCore::set_alarm(std::optional<steady_time> rests_from, Waiter waiter) {
    std::optional<sys_time> wall;
    std::optional<steady_time> steady;
    bool is_short = false;
    const std::scoped_lock setting{alarm_mutex_};
    if (rests_from) { rested_ = saturating_add(*rests_from, options_.coalescing); }
    {
        const Lock lock{mutex_};
        if (timer_may_end_) { return Next::end; }
        if (!wall_due_.empty()) { wall = wall_due_.top().key; }
        if (!steady_due_.empty()) { steady = steady_due_.top().key; }
        for (const auto* heap : {&attempts_due_, &stale_due_}) {
            if (!heap->empty() && (!steady || heap->top().key < *steady)) { steady = heap->top().key; }
        }
        is_short = is_short_ || is_refused_ || posts_owed_ != 0; // then it is tried again
        if (is_short) {
            const steady_time soon = options_.clock.steady_now() + std::chrono::milliseconds{100};
            if (!steady || soon < *steady) { steady = soon; }
        }
    }
    if (options_.clock.is_system()) {
        const Moment at = now();
        steady_time rested = rested_;
        if (waiter == Waiter::watcher) {
            if ((steady && *steady <= at.steady) || (wall && *wall <= at.wall)) { return Next::soon; }
            rested = std::min(rested, saturating_add(at.steady, options_.coalescing / 3));
        }
        if (const auto rest = saturating_difference(rested, at.steady); rest > rest.zero()) {
            const sys_time rested_wall = saturating_add(at.wall, std::chrono::ceil<std::chrono::microseconds>(rest));
            if (wall) { wall = std::max(*wall, rested_wall); }
            if (steady) { steady = std::max(*steady, rested); }
        }
        if (may_need_help_) {
            const steady_time looks = saturating_add(at.steady, help_patience());
            if (!steady || *steady > looks) { steady = looks; }
        }
    } else if (options_.clock.is_driven()) {
        const steady_time soon = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
        wall.reset();
        steady = is_short ? std::optional{soon} : std::nullopt;
    } else {
        // A clock of the program's own that passes by itself: asked again at the latest after a second.
        std::chrono::nanoseconds wait = std::chrono::seconds{1};
        const sys_time wall_now = options_.clock.now();
        const steady_time steady_now = options_.clock.steady_now();
        if (wall) {
            wait = std::max(wall_now, std::min<sys_time>(*wall, wall_now + std::chrono::seconds{1})) - wall_now;
        }
        if (steady) { wait = std::min(wait, std::max(steady_now, *steady) - steady_now); }
        wall.reset();
        steady = std::chrono::steady_clock::now() + wait;
    }
    const bool is_set = alarm_.set(wall, steady);
    armed_for_ = is_set && steady ? *steady : steady_time::max();
    return is_set ? Next::sleep : Next::look_again;
}

/// A worker that has nothing else to do sees to what has come due, and so may run it without another thread. The
/// timer's own thread sleeps on meanwhile, and is woken while no worker keeps the watch: no body holds it up. What the
/// worker does not do by itself, it calls that thread for; all that may call the program is among that.
inline void SchedulerCore::Watch::keep() noexcept {
    SchedulerCore& core = core_;
    const AtTimer at_timer{core};
    auto next = Next::sleep;
    if (!std::exchange(is_left_to_timer_, false)) {
        if (core.may_need_help_.exchange(false) && core.open_pool_.load()->queued() != 0) {
            core.may_need_help_ = true;
        }
        next = core.set_alarm({}, Waiter::watcher);
    }
    if (next != Next::soon && next != Next::look_again && !core.alarm_.watch()) { return; }
    const steady_time woken = core.options_.clock.steady_now();
    is_left_to_timer_ = next == Next::look_again || !core.dispatch_plain();
    if (!is_left_to_timer_) { is_left_to_timer_ = !core.set_backup(woken); }
    if (is_left_to_timer_) { core.alarm_.call_timer(); }
}

/// While the worker is away from the watch the timer's own thread is woken, though not at once: most bodies are short,
/// and then the worker looks for itself.
/// @returns False if the clock was set meanwhile.
inline bool SchedulerCore::set_backup(steady_time woken) {
    {
        const std::scoped_lock setting{alarm_mutex_};
        const bool is_soon = armed_for_ <= saturating_add(woken, help_patience());
        if (is_soon && armed_for_ > saturating_add(woken, help_patience() / 2)) { return true; }
    }
    return set_alarm(woken, Waiter::timer) != Next::look_again;
}

/// Whether what is due of the job is let through without a question to the program, and without a word to it.
inline bool SchedulerCore::is_plain(const Job& job, const Moment& now) const {
    const Schedule& schedule = job.plan->schedule;
    if (job.is_over || job.is_paused || state_ != State::started) { return false; }
    if (job.plan->policies.overlap != Overlap::allow && (job.in_progress != 0 || !job.waiting.empty())) {
        return false;
    }
    if (schedule.once() == nullptr && schedule.interval() == nullptr && schedule.expression() == nullptr) {
        return false;
    }
    if (!schedule.limits().except.empty() || schedule.limits().times) { return false; }
    return (!job.wall_due || now.wall - *job.wall_due < options_.misfire_tolerance) &&
           (!job.steady_due || now.steady - *job.steady_due < options_.misfire_tolerance);
}

/// Takes off the heaps what is due and plain; not so much that it would wait for long.
/// @returns Whether nothing is due that is not plain.
/// @throws std::bad_alloc  What has not been taken stays due.
inline bool SchedulerCore::take_plain(const Moment& now, Dues& due, const Lock& /*lock*/) {
    constexpr std::size_t most = 8;
    if (is_short_ || owes_release_ || !left_behind_.empty() || !postponed_.empty()) { return false; }
    if (!timeline_ || now.wall < *timeline_) { return false; }
    timeline_ = now.wall;
    begun_seen_ = begun_ + 1; // the worker itself is going to begin one
    while (!wall_due_.empty() && wall_due_.top().key <= now.wall) {
        const JobPtr& job = by_index_[wall_due_.top().item];
        if (due.size() == most) { return true; } // the rest is looked for soon
        if (!is_plain(*job, now)) { return false; }
        due.push_back({job, job->plan, job->left, job->wall_due, std::nullopt, false, now});
        wall_due_.pop();
        job->wall_due.reset();
        job->is_settling = true;
    }
    while (!steady_due_.empty() && steady_due_.top().key <= now.steady) {
        const JobPtr& job = by_index_[steady_due_.top().item];
        if (due.size() == most) { return true; } // the rest is looked for soon
        if (!is_plain(*job, now)) { return false; }
        due.push_back({job, job->plan, job->left, std::nullopt, job->steady_due, false, now});
        steady_due_.pop();
        job->steady_due.reset();
        job->is_settling = true;
    }
    return (attempts_due_.empty() || attempts_due_.top().key > now.steady) &&
           (stale_due_.empty() || stale_due_.top().key > now.steady);
}

/// @returns Whether nothing is left to the timer's own thread.
inline bool SchedulerCore::dispatch_plain() {
    Lock one_at_a_time{dispatch_mutex_, std::try_to_lock};
    if (!one_at_a_time) { return false; }
    const AtWork at_work{*this};
    const AtPlain at_plain{*this};
    Dues settled; // destroyed after the locks are released
    Dues due;
    Decisions decisions;
    bool is_all = false;
    {
        const Lock held{std::move(one_at_a_time)};
        const AtDispatch dispatching{*this};
        const Moment as_of = now();
        {
            const Lock lock{mutex_};
            ++busy_; // until all is carried out
            try {
                is_all = take_plain(as_of, due, lock);
            } catch (const std::bad_alloc&) { run_short(lock); } // what was not taken is still due
        }
        settle_all(due, settled, decisions);
        const auto is_hand_over = [](const Decision& each) { return each.kind == Decision::Kind::hand_over; };
        if (!std::ranges::all_of(decisions, is_hand_over)) { // the program is told of the others
            const Lock lock{mutex_};
            postponed_.splice(postponed_.end(), decisions);
            is_all = false;
        }
    }
    carry_out(decisions);
    return is_all;
}

} // namespace daybook::inline v0::detail

#endif
