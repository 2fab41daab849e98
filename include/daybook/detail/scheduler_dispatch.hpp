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
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

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
    if (heap.top().item == item && !AtTimer::is_inside(*this)) { alarm_.wake(); } // the timer looks before it waits
}

/// From now on, until it succeeds: then from then on.
inline void SchedulerCore::watch_staleness(Job& job, const Lock& lock) {
    if (job.is_removed) { return; } // its index may be another's by now
    stale_due_.erase(job.index);
    const std::chrono::nanoseconds after = job.plan->policies.stale_after;
    if (after == after.zero() || state_ != State::started) { return; }
    push_due(stale_due_, job.index, saturating_add(options_.clock.steady_now(), after), lock);
}

/// An interval after completion, and nothing in progress: due one period from now, unless its time is over.
inline void SchedulerCore::await_next_completion(Job& job, const Lock& lock) {
    const Moment at = now();
    const steady_time next = job.plan->schedule.interval()->next_after_completion(at.steady);
    const std::optional<sys_time>& until = job.plan->schedule.limits().until;
    if (job.left != 0 && (!until || at.on_wall(next) <= *until)) { set_due(job, std::nullopt, next, lock); }
}

/// A job without a further occurrence is over; once its last one is final it is kept for a while, and then forgotten.
inline void SchedulerCore::retire_if_over(Job& job, const Lock& /*lock*/) {
    const bool is_manual = job.plan->schedule.is_never();
    if (state_ != State::started || is_manual || job.is_removed) { return; }
    if (job.is_settling || job.wall_due || job.steady_due) { return; }
    if (job.plan->is_after_completion() && !job.is_idle()) { return; }
    job.is_over = true;
    stale_due_.erase(job.index);
    if (!job.is_idle()) { return; }
    steady_due_.push(job.index, saturating_add(options_.clock.steady_now(), options_.completed_job_retention));
}

/// The wall clock was set back so far that waiting for it to catch up would be worse than running nominal times again:
/// takes the jobs that follow it off the heap, to be due by what it says now.
inline void SchedulerCore::leave_timeline(const Moment& now, Dues& due, const Lock& /*lock*/) {
    constexpr std::chrono::hours waited_for{3};
    if (fleet_ != nullptr) { return; } // the store says what is accounted for
    if (timeline_ && now.wall < saturating_subtract(*timeline_, std::chrono::microseconds{waited_for})) {
        for (const auto& [id, job] : jobs_) {
            if (job->plan->schedule.once() != nullptr || !wall_due_.contains(job->index)) { continue; }
            due.push_back({.job = job, .plan = job->plan, .as_of = now, .is_elsewhere = true});
            wall_due_.erase(job->index);
            job->wall_due.reset();
            job->is_settling = true;
        }
        timeline_ = now.wall;
    }
    timeline_ = std::max(timeline_.value_or(now.wall), now.wall);
}

/// @returns Whether anything was due.
inline bool SchedulerCore::dispatch() {
    if (AtWork::is_inside(*this)) { return false; } // called from a schedule that is being asked
    const bool was_due = dispatch_due();
    flush_posts();
    return was_due;
}

inline bool SchedulerCore::dispatch_due(Lock one_at_a_time) {
    const AtWork at_work{*this};
    // Destroyed after the locks are released: callables are the program's own.
    Dues settled;
    Dues due;
    std::vector<JobPtr> forgotten;
    std::vector<OccurrencePtr> dropped;
    std::vector<Stale> stale;
    Decisions decisions;
    std::size_t posts = 0;
    {
        // Schedules are asked in here, one dispatch at a time; all other calls of the program come afterwards.
        const Lock held{std::move(one_at_a_time)};
        const AtDispatch dispatching{*this};
        {
            const Lock lock{mutex_};
            ++busy_; // until all is carried out
            is_short_ = is_short_ && !(postponed_.empty() && left_behind_.empty() && !owes_release_);
            decisions.splice(decisions.end(), postponed_);
            due.splice(due.end(), left_behind_);
            if (owes_release_) { posts = release_owed(dropped, lock); }
        }
        settle_all(due, settled, decisions);
        const Moment as_of = now();
        {
            const Lock lock{mutex_};
            try {
                take_due(as_of, due, forgotten, stale, decisions, posts, lock);
            } catch (const std::bad_alloc&) { run_short(lock); } // what was not taken is still due
        }
        settle_all(due, settled, decisions);
        {
            const Lock lock{mutex_};
            if (!is_short_) { due.splice(due.end(), left_behind_); } // by schedules
        }
        settle_all(due, settled, decisions);
    }
    if (std::ranges::any_of(settled, &Due::is_elsewhere)) {
        diagnose("the wall clock was set back by hours: a new timeline begins");
    }
    for (const auto& [job, event] : stale) { tell_stale(job, event); }
    for (const JobPtr& job : forgotten) {
        if (job->plan->origin == JobOrigin::handler) { forget_kept(job->id); }
    }
    post(posts);
    const bool was_due = !settled.empty() || !decisions.empty();
    carry_out(decisions);
    if (log_->store_writer() != nullptr) {
        for (const Due& item : settled) {
            if (item.is_to_keep) { keep(item.job); }
        }
    }
    return was_due;
}

/// Memory has run out: what had to be put off is tried again after a while.
inline void SchedulerCore::run_short(const Lock& /*lock*/) {
    if (!std::exchange(is_short_, true)) { alarm_.wake(); }
}

/// Takes off the heaps what is due.
/// @param posts  Counts what became ready, which the caller has to post.
/// @throws std::bad_alloc  What has not been taken stays due.
inline void SchedulerCore::take_due(const Moment& now, Dues& due, std::vector<JobPtr>& forgotten,
                                    std::vector<Stale>& stale, Decisions& decisions, std::size_t& posts,
                                    const Lock& lock) {
    leave_timeline(now, due, lock);
    while (!wall_due_.empty() && wall_due_.top().key <= now.wall) {
        const JobPtr& job = by_index_[wall_due_.top().item];
        Dues& next = fleet_ == nullptr ? due : to_claim_;
        next.push_back({job, job->plan, job->left, job->wall_due, std::nullopt, job->is_paused, now});
        wall_due_.pop();
        job->wall_due.reset();
        job->is_settling = true;
    }
    while (!steady_due_.empty() && steady_due_.top().key <= now.steady) {
        const JobPtr job = by_index_[steady_due_.top().item];
        if (job->is_over) {
            // Triggered in the meantime: it retires again when that is final.
            const bool is_forgotten = job->is_idle();
            if (is_forgotten) { forgotten.push_back(job); }
            steady_due_.pop();
            if (is_forgotten) { forget(job, lock); }
        } else {
            due.push_back({job, job->plan, job->left, std::nullopt, job->steady_due, job->is_paused, now});
            steady_due_.pop();
            job->steady_due.reset();
            job->is_settling = true;
        }
    }
    while (!attempts_due_.empty() && attempts_due_.top().key <= now.steady) {
        const OccurrencePtr occurrence = occurrences_[attempts_due_.top().item];
        if (occurrence->phase != Occurrence::Phase::retrying) {
            expire(occurrence, decisions, lock);
            attempts_due_.erase(occurrence->index);
        } else if (!may_retry(*occurrence, lock)) { // see settle_return
            decide_end(occurrence, SkipReason::none, decisions);
            drop(occurrence, SkipReason::none, lock);
            if (release_next(occurrence->job, lock)) { ++posts; }
        } else if (!has_room(0)) { // its turn comes when there is room for its record
            attempts_due_.push(occurrence->index, saturating_add(now.steady, std::chrono::nanoseconds{100'000'000}));
        } else {
            decisions.push_back({.kind = Decision::Kind::hand_over, .occurrence = occurrence});
            attempts_due_.pop();
            ++occurrence->attempt;
            occurrence->phase = Occurrence::Phase::ready;
            occurrence->is_recorded = false;
            ++queued_;
            ++occurrence->job->queued;
        }
    }
    const auto is_stale_now = [&](const JobPtr& job) {
        JobEvent event = event_of(*job->plan, nullptr, {});
        event.job_id = job->id;
        event.last_success = job->last_success;
        stale.emplace_back(job, std::move(event));
        if (options_.hooks.on_stale) { telling_stale_.try_emplace(job.get()); }
        job->is_stale = true;
    };
    for (; !stale_for_sure_.empty(); stale_for_sure_.pop_back()) {
        const JobPtr& job = stale_for_sure_.back();
        if (!job->is_removed && !job->is_paused) { is_stale_now(job); }
    }
    while (!stale_due_.empty() && stale_due_.top().key <= now.steady) {
        const JobPtr& job = by_index_[stale_due_.top().item];
        const bool is_watched = !job->is_paused; // else from when it is resumed
        if (is_watched && fleet_ != nullptr) { stale_to_ask_.push_back(job); }
        if (is_watched && fleet_ == nullptr) { is_stale_now(job); }
        stale_due_.pop();
    }
    if (fleet_ != nullptr && (!to_claim_.empty() || !stale_to_ask_.empty())) { fleet_->wake(); }
}

/// Outside the lock: the schedule may be the program's own.
inline Owed SchedulerCore::owed_by(const JobPlan& plan, std::uint64_t left, std::optional<sys_time> wall_due,
                                   std::optional<steady_time> steady_due, sys_time wall, steady_time steady) const {
    // One more than will be made good: the first that will be skipped.
    const std::size_t keep =
        plan.policies.misfire == Misfire::run_all ? plan.policies.max_catch_up + std::size_t{1} : 1;
    Owed owed;
    try {
        const Every* every = plan.is_anchored ? nullptr : plan.schedule.interval();
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
    if (owed.thrown) {
        try {
            std::rethrow_exception(owed.thrown);
        } catch (const std::bad_alloc&) { throw; } catch (...) { // memory says nothing about the schedule
            owed.error = describe_exception(owed.thrown);
        }
    }
    return owed;
}

inline void SchedulerCore::skip(const Admission& from, SkipReason reason, Decisions& decisions) const {
    decisions.push_back({.kind = Decision::Kind::skip,
                         .job = from.job,
                         .plan = from.plan,
                         .skip = {.reason = reason, .scheduled_at = from.nominal, .trigger = from.trigger},
                         .accounted = from.nominal});
    from.job->last_skip = reason;
    from.job->last_skip_at = from.nominal ? from.nominal : options_.clock.now();
}

/// Whether the log can hold one more record in flight: beyond its bound it would give up one that is alive.
inline bool SchedulerCore::has_room(std::size_t replaced) const noexcept {
    return queued_ - replaced + running_ + 8 < options_.log.max_running;
}

/// Whether, and how, an occurrence goes on: the overlap policy and the bound of the queue decide.
/// @returns The occurrence, or null when it was skipped.
/// @throws std::bad_alloc  Nothing has changed.
inline SchedulerCore::OccurrencePtr SchedulerCore::admit(const Admission& from, Decisions& decisions,
                                                         const Lock& lock) {
    const JobPtr& job = from.job;
    const Overlap overlap = from.overlap;
    const auto is_first = [&] { return job->is_idle() && job->elsewhere == 0; };
    const bool is_free = overlap == Overlap::allow || is_first();
    const std::size_t begun = job->elsewhere + job->resumed.size() + (job->in_progress != 0 ? 1U : 0U); // one runs
    const bool has_waiting = !job->waiting.empty() || begun > 1;
    if (!is_free && (overlap == Overlap::skip || (overlap == Overlap::queue_one && has_waiting))) {
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
    if (group_room_ == std::size_t{0}) { // of all processes
        skip(from, SkipReason::queue_full, decisions);
        return nullptr;
    }
    auto occurrence = std::make_shared<Occurrence>();
    occurrence->job = job;
    occurrence->plan = from.plan;
    occurrence->nominal = from.nominal;
    occurrence->trigger = from.trigger;
    if (from.nominal) { occurrence->dst = from.plan->schedule.clock_change_of(*from.nominal); }
    reserve_place(lock);
    Decisions made;
    made.push_back({.kind = Decision::Kind::hand_over, .occurrence = occurrence});
    decltype(job->waiting) place;
    if (!is_free) { place.push_back(occurrence); }
    if (!is_free && overlap == Overlap::cancel_running) { cancel_active(job, decisions, lock); }
    // Nothing fails from here on.
    if (group_room_) { --*group_room_; }
    decisions.splice(decisions.end(), made);
    take_place(occurrence, lock);
    if (overlap == Overlap::allow || is_first()) {
        occurrence->phase = Occurrence::Phase::ready;
        ++job->in_progress;
    } else {
        occurrence->phase = Occurrence::Phase::waiting;
        occurrence->is_barred = job->elsewhere != 0 || std::ranges::any_of(job->resumed, &Occurrence::is_barred);
        job->waiting.splice(job->waiting.end(), place);
    }
    ++queued_;
    ++job->queued;
    return occurrence;
}

/// Sees to it that one more has room.
inline void SchedulerCore::reserve_place(const Lock& /*lock*/) {
    if (!free_occurrences_.empty()) { return; }
    const auto items = static_cast<std::uint32_t>(occurrences_.size() + 1);
    attempts_due_.reserve(items);
    if (free_occurrences_.capacity() < items) { free_occurrences_.reserve(2 * std::size_t{items}); }
    occurrences_.push_back(nullptr);
    free_occurrences_.push_back(items - 1); // as are all that follow: there is room for every one
}

inline void SchedulerCore::take_place(const OccurrencePtr& occurrence, const Lock& /*lock*/) noexcept {
    occurrence->index = free_occurrences_.back();
    free_occurrences_.pop_back();
    occurrences_[occurrence->index] = occurrence;
}

/// The newcomer of `cancel_running` takes the place of all that is in progress or waiting.
/// @throws std::bad_alloc  Nothing has changed.
inline void SchedulerCore::cancel_active(const JobPtr& job, Decisions& decisions, const Lock& lock) {
    Decisions made;
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (!occurrence || occurrence->job != job) { continue; }
        if (occurrence->phase != Occurrence::Phase::running) {
            decide_end(occurrence, SkipReason::cancelled_while_queued, made);
        } else if (!occurrence->is_ended) {
            made.push_back(Decision::about(Decision::Kind::cancel, occurrence));
        }
    }
    decisions.splice(decisions.end(), made);
    ++job->in_progress; // the newcomer: what ends here does not leave the job without one
    for (std::size_t i = 0; i < occurrences_.size(); ++i) {
        const OccurrencePtr occurrence = occurrences_[i];
        if (!occurrence || occurrence->job != job) { continue; }
        if (occurrence->phase != Occurrence::Phase::running) {
            drop(occurrence, SkipReason::cancelled_while_queued, lock);
            continue;
        }
        occurrence->is_cancelled = true; // a retry that was promised will not come
        if (!std::exchange(occurrence->is_ended, true)) { job->last_status = JobStatus::cancelled; }
    }
    --job->in_progress;
}

} // namespace daybook::inline v0::detail

#endif
