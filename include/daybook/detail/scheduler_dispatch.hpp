// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_DISPATCH_HPP
#define DAYBOOK_DETAIL_SCHEDULER_DISPATCH_HPP

/// @file
/// What is due: from the heaps to occurrences that are let through or skipped.

#include <daybook/detail/scheduler_jobs.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// When a job that is added, or a scheduler that is started, is due for the first time. Runs outside the lock: the
/// schedule may be the program's own.
inline Owed SchedulerCore::first_due(const JobPlan& plan, sys_time wall, steady_time steady) const {
    Owed first;
    const AtWork at_work{*this};
    try {
        if (plan.schedule.interval() != nullptr) {
            first = first_interval(plan.schedule, {wall, steady});
        } else if (const At* once = plan.schedule.once()) {
            // Also when it is past: then it is due at once, and late.
            if (once->wall()) {
                first.next = once->next(sys_time::min()) ? plan.schedule.next(sys_time::min()) : once->wall();
            }
            first.next_steady = once->steady();
        } else {
            first.next = plan.schedule.next(wall);
        }
        first.left = occurrences_left(plan.schedule, wall);
    } catch (...) { first.error = describe_exception(std::current_exception()); }
    return first;
}

inline void SchedulerCore::begin_schedule(Job& job, const Owed& first, const Lock& lock) {
    job.schedule_error = first.error;
    if (!job.is_stale && !job.is_paused) { watch_staleness(job, lock); }
    job.left = first.left.value_or(std::numeric_limits<std::uint64_t>::max());
    if (job.left == 0) { return retire_if_over(job, lock); }
    set_due(job, first.next, first.next_steady, lock);
    retire_if_over(job, lock);
}

inline void SchedulerCore::set_due(Job& job, std::optional<sys_time> wall_due, std::optional<steady_time> steady_due,
                                   const Lock& lock) {
    job.wall_due = wall_due;
    job.steady_due = steady_due;
    if (wall_due) { push_due(wall_due_, job.index, job.plan->wall_due(*wall_due), lock); }
    if (steady_due) { push_due(steady_due_, job.index, detail::steady_due(job.plan->schedule, *steady_due), lock); }
}

/// Something is due at `key`; the timer is told when that is earlier than all it waits for.
template <class Key>
void SchedulerCore::push_due(IndexedHeap<Key>& heap, std::uint32_t item, Key key, const Lock& /*lock*/) {
    heap.push(item, key);
    if (heap.top().item == item) { alarm_.wake(); }
}

/// From now on, until it succeeds: then from then on.
inline void SchedulerCore::watch_staleness(Job& job, const Lock& lock) {
    stale_due_.erase(job.index);
    const std::chrono::nanoseconds after = job.plan->policies.stale_after;
    if (after == after.zero() || state_ != State::started || job.is_removed) { return; }
    push_due(stale_due_, job.index, saturating_add(options_.clock.steady_now(), after), lock);
}

/// An interval after completion, and nothing in progress: due one period from now, unless its time is over.
inline void SchedulerCore::await_next_completion(Job& job, const Lock& lock) {
    const Moment now{options_.clock.now(), options_.clock.steady_now()};
    const steady_time next = job.plan->schedule.interval()->next_after_completion(now.steady);
    const std::optional<sys_time>& until = job.plan->schedule.limits().until;
    if (job.left != 0 && (!until || now.on_wall(next) <= *until)) { set_due(job, std::nullopt, next, lock); }
}

/// A job without a further occurrence is over; once its last one is final it is kept for a while, and then forgotten.
inline void SchedulerCore::retire_if_over(Job& job, const Lock& /*lock*/) {
    const bool is_manual = job.plan->schedule.is_never();
    if (state_ != State::started || is_manual || job.is_removed) { return; }
    if (job.is_settling || job.wall_due || job.steady_due) { return; }
    if (job.plan->is_after_completion() && (job.in_progress != 0 || !job.waiting.empty())) { return; }
    job.is_over = true;
    stale_due_.erase(job.index);
    if (job.in_progress != 0 || !job.waiting.empty()) { return; }
    steady_due_.push(job.index, saturating_add(options_.clock.steady_now(), options_.completed_job_retention));
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
        pool_ = std::make_unique<WorkerPool>(WorkerPoolOptions{.threads = options_.workers, .on_thread_start = hook});
    }
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
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
        timeline_ = wall;      // nothing is due by an earlier one
        posts = ready_.size(); // triggered before the start
    }
    for (const Due& item : beginning) {
        const Owed first = first_due(*item.plan, wall, steady);
        const Lock lock{mutex_};
        if (item.job->plan != item.plan) { continue; } // an update came first, and has begun the new one
        item.job->is_settling = false;
        if (state_ == State::started && !item.job->is_removed) { begin_schedule(*item.job, first, lock); }
    }
    beginning.clear();
    if (options_.workers != 0) {
        clock_token_ = options_.clock.on_change([this] { alarm_.wake(); });
        try {
            timer_ = NamedThread{"daybook-timer", hook, [this] { run_timer(); }};
        } catch (...) {
            const Lock lock{mutex_};
            if (state_ == State::started) { state_ = State::pending; }
            throw;
        }
        post(posts);
        flush_posts();
    }
}

inline void SchedulerCore::run_timer() {
    sys_time rest_wall = sys_time::min(); // not to be woken before, so that a flood is met in batches
    steady_time rest_steady = steady_time::min();
    while (true) {
        const sys_time woken_wall = options_.clock.now();
        const steady_time woken_steady = options_.clock.steady_now();
        if (dispatch()) {
            rest_wall = saturating_add(woken_wall, std::chrono::ceil<std::chrono::microseconds>(options_.coalescing));
            rest_steady = saturating_add(woken_steady, options_.coalescing);
        }
        std::optional<sys_time> wall;
        std::optional<steady_time> steady;
        {
            const Lock lock{mutex_};
            if (timer_may_end_) { return; }
            if (!wall_due_.empty()) { wall = wall_due_.top().key; }
            if (!steady_due_.empty()) { steady = steady_due_.top().key; }
            for (const auto* heap : {&attempts_due_, &stale_due_}) {
                if (!heap->empty() && (!steady || heap->top().key < *steady)) { steady = heap->top().key; }
            }
            if (is_refused_ || posts_owed_ != 0) { // the executor is asked again
                const steady_time soon = options_.clock.steady_now() + std::chrono::milliseconds{100};
                if (!steady || soon < *steady) { steady = soon; }
            }
        }
        if (options_.clock.is_system()) {
            if (wall) { wall = std::max(*wall, rest_wall); }
            if (steady) { steady = std::max(*steady, rest_steady); }
            alarm_.wait(wall, steady);
        } else if (options_.clock.is_driven()) {
            alarm_.wait({}, {});
        } else {
            // A clock of the program's own that passes by itself: asked again at the latest after a second.
            std::chrono::nanoseconds wait = std::chrono::seconds{1};
            const sys_time wall_now = options_.clock.now();
            const steady_time steady_now = options_.clock.steady_now();
            if (wall) {
                wait = std::max(wall_now, std::min<sys_time>(*wall, wall_now + std::chrono::seconds{1})) - wall_now;
            }
            if (steady) { wait = std::min(wait, std::max(steady_now, *steady) - steady_now); }
            alarm_.wait({}, std::chrono::steady_clock::now() + wait);
        }
    }
}

/// The wall clock was set back so far that waiting for it to catch up would be worse than running nominal times again:
/// takes the jobs that follow it off the heap, to be due by what it says now.
inline std::vector<SchedulerCore::Due> SchedulerCore::leave_timeline(sys_time wall, const Lock& /*lock*/) {
    constexpr std::chrono::hours waited_for{3};
    std::vector<Due> leaving;
    if (timeline_ && wall < saturating_subtract(*timeline_, std::chrono::microseconds{waited_for})) {
        for (const auto& [id, job] : jobs_) {
            if (job->plan->schedule.once() != nullptr || !wall_due_.erase(job->index)) { continue; }
            job->wall_due.reset();
            job->is_settling = true;
            leaving.push_back({.job = job, .plan = job->plan});
        }
        timeline_ = wall;
    }
    timeline_ = std::max(timeline_.value_or(wall), wall);
    return leaving;
}

/// @returns Whether anything was due.
inline bool SchedulerCore::dispatch() {
    if (AtWork::is_inside(*this)) { return false; } // called from a schedule that is being asked
    const bool was_due = dispatch_due();
    flush_posts();
    return was_due;
}

inline bool SchedulerCore::dispatch_due() {
    const AtWork at_work{*this};
    // Destroyed after the locks are released: callables are the program's own.
    std::vector<Due> due;
    std::vector<Due> elsewhere;
    std::vector<JobPtr> forgotten;
    std::vector<JobEvent> stale;
    Decisions decisions;
    {
        // Schedules are asked in here, one dispatch at a time; all other calls of the program come afterwards.
        const std::scoped_lock one_at_a_time{dispatch_mutex_};
        const sys_time wall = options_.clock.now();
        const steady_time steady = options_.clock.steady_now();
        take_due(wall, steady, due, elsewhere, forgotten, stale, decisions);
        for (const Due& item : due) {
            const Owed owed = owed_by(*item.plan, item.left, item.wall, item.steady, wall, steady);
            settle_due(item.job, item.plan, owed, decisions);
        }
        for (const Due& item : elsewhere) {
            settle_due(item.job, item.plan, first_due(*item.plan, wall, steady), decisions);
        }
    }
    if (!elsewhere.empty()) { diagnose("the wall clock was set back by hours: a new timeline begins"); }
    for (const JobEvent& event : stale) { tell(options_.hooks.on_stale, event); }
    carry_out(decisions);
    return !due.empty() || !decisions.empty();
}

/// Takes off the heaps what is due, and counts itself in `busy_`.
inline void SchedulerCore::take_due(sys_time wall, steady_time steady, std::vector<Due>& due,
                                    std::vector<Due>& elsewhere, std::vector<JobPtr>& forgotten,
                                    std::vector<JobEvent>& stale, Decisions& decisions) {
    const Lock lock{mutex_};
    elsewhere = leave_timeline(wall, lock);
    while (!wall_due_.empty() && wall_due_.top().key <= wall) {
        const JobPtr& job = by_index_[wall_due_.pop().item];
        job->is_settling = true;
        due.push_back({job, job->plan, job->left, std::exchange(job->wall_due, std::nullopt), std::nullopt});
    }
    while (!steady_due_.empty() && steady_due_.top().key <= steady) {
        const JobPtr job = by_index_[steady_due_.pop().item];
        if (job->is_over) {
            forgotten.push_back(job);
            // Triggered in the meantime: it retires again when that is final.
            if (job->in_progress == 0 && job->waiting.empty()) { forget(job, lock); }
        } else {
            job->is_settling = true;
            due.push_back({job, job->plan, job->left, std::nullopt, std::exchange(job->steady_due, std::nullopt)});
        }
    }
    while (!attempts_due_.empty() && attempts_due_.top().key <= steady) {
        const OccurrencePtr occurrence = occurrences_[attempts_due_.pop().item];
        if (occurrence->phase == Occurrence::Phase::retrying) {
            if (!has_room(0)) { // its turn comes when there is room for its record
                attempts_due_.push(occurrence->index, saturating_add(steady, std::chrono::nanoseconds{100'000'000}));
                continue;
            }
            ++occurrence->attempt;
            occurrence->phase = Occurrence::Phase::ready;
            occurrence->is_recorded = false;
            ++queued_;
            ++occurrence->job->queued;
            decisions.push_back({.kind = Decision::Kind::hand_over, .occurrence = occurrence});
        } else {
            expire(occurrence, decisions, lock);
        }
    }
    while (!stale_due_.empty() && stale_due_.top().key <= steady) {
        const JobPtr& job = by_index_[stale_due_.pop().item];
        if (job->is_paused) { continue; } // it is watched again from when it is resumed
        job->is_stale = true;
        stale.push_back(event_of(*job->plan, nullptr, {}));
        stale.back().job_id = job->id;
        stale.back().last_success = job->last_success;
    }
    ++busy_;
}

/// Outside the lock: the schedule may be the program's own.
inline Owed SchedulerCore::owed_by(const JobPlan& plan, std::uint64_t left, std::optional<sys_time> wall_due,
                                   std::optional<steady_time> steady_due, sys_time wall, steady_time steady) const {
    // One more than will be made good: the first that will be skipped.
    const std::size_t keep =
        plan.policies.misfire == Misfire::run_all ? plan.policies.max_catch_up + std::size_t{1} : 1;
    Owed owed;
    try {
        const Every* every = plan.schedule.interval();
        const Moment now{wall, steady};
        // An interval by the wall clock has waited for the instant that it counts from.
        if (every != nullptr && wall_due) { steady_due = steady - (wall - *wall_due); }
        if (every != nullptr && !every->is_after_completion()) {
            owed = owed_intervals(plan.schedule, *steady_due, now, options_.misfire_tolerance, keep, left);
        } else if (steady_due) {
            owed = owed_single(plan.schedule, *steady_due, now, options_.misfire_tolerance);
        } else {
            owed = owed_occurrences(plan.schedule, *wall_due, wall, options_.misfire_tolerance, keep, left);
        }
    } catch (...) { owed.thrown = std::current_exception(); }
    if (owed.thrown) { owed.error = describe_exception(owed.thrown); }
    return owed;
}

/// Lets through what the policies allow, and skips the rest with its reason: the sum is what was owed.
inline void SchedulerCore::settle_due(const JobPtr& job, const PlanPtr& plan, const Owed& owed, Decisions& decisions) {
    const Lock lock{mutex_};
    const bool is_current = job->plan == plan; // else an update has seen to what comes next
    if (is_current && !owed.error.empty()) { job->schedule_error = owed.error; }
    SkipReason refused = SkipReason::none; // it came due, so it is accounted for, whatever has happened since
    if (job->is_paused) { refused = SkipReason::paused; }
    if (state_ == State::stopping) { refused = SkipReason::shutdown; }
    if (job->is_removed) { refused = SkipReason::removed; }
    if (is_current && job->left != std::numeric_limits<std::uint64_t>::max()) {
        job->left -= std::min(job->left, owed.count());
    }
    const Overlap overlap = plan->policies.overlap;
    std::uint64_t late = owed.late_count;
    std::optional<sys_time> made_good;
    std::size_t caught_up = 0;
    const auto skip_late = [&](std::uint64_t occurrences, SkipReason reason) {
        if (occurrences == 0) { return; }
        job->last_skip = reason;
        job->last_skip_at = owed.latest;
        decisions.push_back({.kind = Decision::Kind::skip,
                             .job = job,
                             .plan = plan,
                             .skip = {.reason = reason,
                                      .scheduled_at = owed.late.size() > caught_up ? owed.late[caught_up] : owed.latest,
                                      .occurrences = occurrences,
                                      .is_minimum = owed.is_minimum}});
    };
    if (refused != SkipReason::none) {
        skip_late(late, refused);
        for (const sys_time nominal : owed.on_time) {
            skip({job, plan, nominal, Trigger::schedule, overlap}, refused, decisions);
        }
    } else {
        if (plan->policies.misfire == Misfire::run_once && owed.on_time.empty() && late != 0 &&
            owed.latest_due >=
                options_.clock.now() - std::chrono::floor<std::chrono::microseconds>(plan->policies.misfire_grace)) {
            made_good = owed.latest;
            --late;
        }
        if (plan->policies.misfire == Misfire::run_all) {
            caught_up = std::min<std::size_t>(owed.late.size(), plan->policies.max_catch_up);
        }
        skip_late(late - caught_up, SkipReason::misfire);
        for (std::size_t i = 0; i < caught_up; ++i) {
            admit({job, plan, owed.late[i], Trigger::catch_up, Overlap::queue_all}, decisions, lock);
        }
        if (made_good) { admit({job, plan, made_good, Trigger::catch_up, overlap}, decisions, lock); }
        for (const sys_time nominal : owed.on_time) {
            admit({job, plan, nominal, Trigger::schedule, overlap}, decisions, lock);
        }
    }
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

inline void SchedulerCore::skip(const Admission& from, SkipReason reason, Decisions& decisions) const {
    from.job->last_skip = reason;
    from.job->last_skip_at = from.nominal ? from.nominal : options_.clock.now();
    decisions.push_back({.kind = Decision::Kind::skip,
                         .job = from.job,
                         .plan = from.plan,
                         .skip = {.reason = reason, .scheduled_at = from.nominal, .trigger = from.trigger}});
}

/// Whether the log can hold one more record in flight: beyond its bound it would give up one that is alive.
inline bool SchedulerCore::has_room(std::size_t replaced) const noexcept {
    return queued_ - replaced + running_ + 8 < options_.log.max_running;
}

/// Whether, and how, an occurrence goes on: the overlap policy and the bound of the queue decide.
/// @returns The occurrence, or null when it was skipped.
inline SchedulerCore::OccurrencePtr SchedulerCore::admit(const Admission& from, Decisions& decisions,
                                                         const Lock& lock) {
    const JobPtr& job = from.job;
    const Overlap overlap = from.overlap;
    const bool is_free = overlap == Overlap::allow || (job->in_progress == 0 && job->waiting.empty());
    if (!is_free && (overlap == Overlap::skip || (overlap == Overlap::queue_one && !job->waiting.empty()))) {
        skip(from, SkipReason::overlap, decisions);
        return nullptr;
    }
    // What an idle worker is about to take does not wait; what the newcomer replaces makes room.
    const std::size_t idle = options_.workers - std::min(options_.workers, running_);
    const std::size_t replaced = !is_free && overlap == Overlap::cancel_running ? job->queued : 0;
    if (!has_room(replaced) || queued_ - replaced >= options_.max_queue + idle) {
        skip(from, SkipReason::queue_full, decisions);
        return nullptr;
    }
    if (!is_free && overlap == Overlap::cancel_running) { cancel_active(job, decisions, lock); }
    auto occurrence = std::make_shared<Occurrence>();
    occurrence->job = job;
    occurrence->plan = from.plan;
    occurrence->nominal = from.nominal;
    occurrence->trigger = from.trigger;
    if (from.nominal) { occurrence->dst = from.plan->schedule.clock_change_of(*from.nominal); }
    if (free_occurrences_.empty()) {
        const auto items = static_cast<std::uint32_t>(occurrences_.size() + 1);
        attempts_due_.reserve(items);
        free_occurrences_.push_back(items - 1);
        occurrences_.push_back(nullptr);
    }
    occurrence->index = free_occurrences_.back();
    const bool starts = overlap == Overlap::allow || (job->in_progress == 0 && job->waiting.empty());
    if (starts) {
        occurrence->phase = Occurrence::Phase::ready;
    } else {
        occurrence->phase = Occurrence::Phase::waiting;
        job->waiting.push_back(occurrence);
    }
    decisions.push_back({.kind = Decision::Kind::hand_over, .occurrence = occurrence});
    free_occurrences_.pop_back();
    occurrences_[occurrence->index] = occurrence;
    if (starts) { ++job->in_progress; }
    ++queued_;
    ++job->queued;
    return occurrence;
}

/// The newcomer of `cancel_running` takes the place of all that is in progress or waiting.
inline void SchedulerCore::cancel_active(const JobPtr& job, Decisions& decisions, const Lock& lock) {
    ++job->in_progress; // the newcomer: what ends here does not leave the job without one
    for (const OccurrencePtr& occurrence : std::vector<OccurrencePtr>{occurrences_}) {
        if (!occurrence || occurrence->job != job) { continue; }
        switch (occurrence->phase) {
        case Occurrence::Phase::waiting:
        case Occurrence::Phase::ready:
            drop_queued(occurrence, SkipReason::cancelled_while_queued, decisions, lock);
            break;
        case Occurrence::Phase::running:
            occurrence->is_cancelled = true; // a retry that was promised will not come
            if (!std::exchange(occurrence->is_ended, true)) {
                job->last_status = JobStatus::cancelled;
                decisions.push_back(Decision::about(Decision::Kind::cancel, occurrence));
            }
            break;
        case Occurrence::Phase::retrying:
            decisions.push_back({.kind = Decision::Kind::cancel_retry, .occurrence = occurrence});
            end_occurrence(occurrence, lock);
            break;
        case Occurrence::Phase::dropped: break;
        }
    }
    --job->in_progress;
}

} // namespace daybook::inline v0::detail

#endif
