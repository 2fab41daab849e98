// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_WATCH_HPP
#define DAYBOOK_DETAIL_SCHEDULER_WATCH_HPP

/// @file
/// Who waits for the time: the timer's own thread and, ahead of it, a worker that has nothing else to do. What that
/// worker finds due it runs itself, which saves waking a thread and moving the job from one processor to another. The
/// timer's thread is set to be woken a little later, so that no body holds anything up.

#include <daybook/detail/saturate.hpp>
#include <daybook/detail/scheduler_settle.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace daybook::inline v0::detail {

inline void SchedulerCore::run_timer() {
    const AtTimer at_timer{*this};
    while (true) {
        const steady_time woken = options_.clock.steady_now();
        is_timer_away_ = true; // before it calls for help: see post
        call_help();
        const bool was_due = dispatch();
        is_timer_away_ = false;
        const auto next = set_alarm(TimerAlarms::Waiter::timer, was_due ? std::optional{woken} : std::nullopt);
        if (next == TimerAlarms::Next::end) { return; }
        if (next == TimerAlarms::Next::sleep) { alarm_.sleep(); }
    }
}

/// Wakes workers for what the one that keeps the watch has posted to itself, and has not come to yet.
inline void SchedulerCore::call_help() {
    alarm_.end_help();
    if (WorkerPool* const pool = open_pool_; pool != nullptr && alarm_.has_watch()) { pool->call_help(0); }
}

/// What to wait for next, by the heaps.
inline NextDue SchedulerCore::next_due(const Moment& now, const Lock& /*lock*/) const {
    NextDue next;
    bool is_steady_plain = true;
    if (!wall_due_.empty()) { next.wall = wall_due_.top().key; }
    if (!steady_due_.empty()) {
        next.steady = steady_due_.top().key;
        is_steady_plain = is_plain(*by_index_[steady_due_.top().item], now);
    }
    for (const auto* heap : {&attempts_due_, &stale_due_}) {
        if (!heap->empty() && (!next.steady || heap->top().key < *next.steady)) {
            next.steady = heap->top().key;
            is_steady_plain = false;
        }
    }
    // Who comes first decides: what the worker then finds not to be plain it leaves to the timer's thread.
    const bool is_wall_first = next.wall && (!next.steady || *next.wall <= now.on_wall(*next.steady));
    next.is_plain = is_wall_first ? is_plain(*by_index_[wall_due_.top().item], now) : is_steady_plain;
    if (is_short_ || is_refused_ || posts_owed_ != 0) { // then it is tried again
        const steady_time soon = options_.clock.steady_now() + std::chrono::milliseconds{100};
        if (!next.steady || soon < *next.steady) { next.steady = soon; }
        next.is_short = true;
        next.is_plain = false;
    }
    return next;
}

/// Sets the alarms of both to what is due next.
inline TimerAlarms::Next SchedulerCore::set_alarm(TimerAlarms::Waiter waiter, std::optional<steady_time> rests_from) {
    const auto look = [this](const Moment& at) -> std::optional<NextDue> {
        const Lock lock{mutex_};
        if (timer_may_end_) { return std::nullopt; }
        return next_due(at, lock);
    };
    if (options_.clock.is_system()) {
        return alarm_.set(
            waiter, rests_from, options_.coalescing, [this] { return now(); }, look);
    }
    const Moment at = now();
    const std::optional<NextDue> next = look(at);
    if (!next) { return TimerAlarms::Next::end; }
    std::optional<steady_time> steady;
    if (options_.clock.is_driven()) {
        if (next->is_short) { steady = std::chrono::steady_clock::now() + std::chrono::milliseconds{100}; }
    } else {
        // A clock of the program's own that passes by itself: asked again at the latest after a second.
        std::chrono::nanoseconds wait = std::chrono::seconds{1};
        if (next->wall) {
            wait = std::max(at.wall, std::min<sys_time>(*next->wall, at.wall + std::chrono::seconds{1})) - at.wall;
        }
        if (next->steady) { wait = std::min(wait, std::max(at.steady, *next->steady) - at.steady); }
        steady = std::chrono::steady_clock::now() + wait;
    }
    return alarm_.set(steady);
}

struct SchedulerCore::PlainRound {
    bool was_due = false; ///< something was
    bool is_all = false;  ///< nothing is left to the timer's own thread
};

/// What the worker does not do by itself it leaves to the timer's thread; all that may call the program is among that.
inline void SchedulerCore::Watch::keep() noexcept {
    SchedulerCore& core = core_;
    const AtTimer at_timer{core};
    auto next = TimerAlarms::Next::sleep;
    if (std::exchange(is_left_to_timer_, false)) {
        core.alarm_.watch_after_timer();
    } else {
        next = core.set_alarm(TimerAlarms::Waiter::worker_waits, {});
    }
    if (next == TimerAlarms::Next::sleep || next == TimerAlarms::Next::end) { core.alarm_.watch(); }
    if (next == TimerAlarms::Next::end) { return; } // the pool has been stopped
    const steady_time woken = core.options_.clock.steady_now();
    is_in_flood_ = saturating_difference(woken, last_due_) < std::chrono::milliseconds{1};
    const PlainRound round = core.dispatch_plain();
    if (round.was_due) { last_due_ = woken; }
    is_left_to_timer_ = !round.is_all;
    if (is_left_to_timer_) { core.alarm_.leave_to_timer(); }
    core.set_alarm(TimerAlarms::Waiter::worker_leaves, round.was_due ? std::optional{woken} : std::nullopt);
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
    const std::chrono::nanoseconds tolerance = options_.misfire_tolerance;
    const sys_time punctual = saturating_subtract(now.wall, std::chrono::ceil<std::chrono::microseconds>(tolerance));
    const std::uint32_t at = job.index;
    return (!wall_due_.contains(at) || wall_due_.key(at) > punctual) &&
           (!steady_due_.contains(at) || saturating_difference(now.steady, steady_due_.key(at)) < tolerance);
}

/// Takes off the heaps what is due and plain; not so much that it would wait for long.
/// @returns Whether nothing is due that is not plain.
/// @throws std::bad_alloc  What has not been taken stays due.
inline bool SchedulerCore::take_plain(const Moment& now, Dues& due, const Lock& /*lock*/) {
    constexpr std::size_t most = 8;
    if (is_short_ || owes_release_ || !left_behind_.empty() || !postponed_.empty()) { return false; }
    if (!timeline_ || now.wall < *timeline_) { return false; }
    timeline_ = now.wall;
    const auto take = [&](auto& heap, const auto& until, std::optional<sys_time> Due::*wall,
                          std::optional<steady_time> Due::*steady) {
        while (!heap.empty() && heap.top().key <= until && due.size() != most) {
            const JobPtr& job = by_index_[heap.top().item];
            if (!is_plain(*job, now)) { return false; }
            due.push_back({.job = job, .plan = job->plan, .left = job->left, .as_of = now});
            if (wall != nullptr) { due.back().*wall = std::exchange(job->wall_due, std::nullopt); }
            if (steady != nullptr) { due.back().*steady = std::exchange(job->steady_due, std::nullopt); }
            heap.pop();
            job->is_settling = true;
        }
        return true;
    };
    return take(wall_due_, now.wall, &Due::wall, nullptr) && take(steady_due_, now.steady, nullptr, &Due::steady) &&
           (attempts_due_.empty() || attempts_due_.top().key > now.steady) &&
           (stale_due_.empty() || stale_due_.top().key > now.steady);
}

/// Called by the worker that keeps the watch.
inline SchedulerCore::PlainRound SchedulerCore::dispatch_plain() {
    Lock one_at_a_time{dispatch_mutex_, std::try_to_lock};
    if (!one_at_a_time) { return {}; }
    const AtWork at_work{*this};
    Dues settled; // destroyed after the locks are released
    Dues due;
    Decisions decisions;
    PlainRound round;
    {
        const Lock held{std::move(one_at_a_time)};
        const AtDispatch dispatching{*this};
        const Moment as_of = now();
        {
            const Lock lock{mutex_};
            ++busy_; // until all is carried out
            try {
                round.is_all = take_plain(as_of, due, lock);
            } catch (const std::bad_alloc&) { run_short(lock); } // what was not taken is still due
        }
        settle_all(due, settled, decisions);
        const auto is_hand_over = [](const Decision& each) { return each.kind == Decision::Kind::hand_over; };
        if (!std::ranges::all_of(decisions, is_hand_over)) { // the program is told of the others
            const Lock lock{mutex_};
            postponed_.splice(postponed_.end(), decisions);
            round.is_all = false;
        }
    }
    round.was_due = !settled.empty();
    {
        const AtPlain at_plain{*this};
        carry_out(decisions);
    }
    return round;
}

} // namespace daybook::inline v0::detail

#endif
