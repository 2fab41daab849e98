// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_EXPLAIN_HPP
#define DAYBOOK_DETAIL_SCHEDULER_EXPLAIN_HPP

/// @file
/// What the scheduler answers to "how are you?" and "why does this job not run?".

#include <daybook/detail/log_reader.hpp>
#include <daybook/detail/scheduler_jobs.hpp>
#include <daybook/detail/store_writer.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/scheduler_health.hpp>
#include <daybook/text/timestamp.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

inline SchedulerHealth SchedulerCore::health() const {
    SchedulerHealth health;
    LogReader{*log_}.read_latencies(health.drift, health.queue_delay);
    health.workers = options_.workers;
    if (const StoreWriter* const writer = log_->store_writer()) { health.store = writer->health(); }
    if (fleet_ != nullptr) { health.fleet = fleet_->health(); }
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    const Lock lock{mutex_};
    const auto is_overdue_by = [&](std::chrono::nanoseconds late) { health.overdue = std::max(health.overdue, late); };
    if (!wall_due_.empty()) {
        constexpr std::chrono::microseconds longest = std::chrono::years{200};
        if (wall_due_.top().key < wall) {
            is_overdue_by(std::min(saturating_difference(wall, wall_due_.top().key), longest));
        }
    }
    for (const auto* heap : {&steady_due_, &attempts_due_}) {
        if (!heap->empty()) { is_overdue_by(saturating_difference(steady, heap->top().key)); }
    }
    health.is_started = state_ == State::started;
    health.is_stopped = state_ == State::stopping;
    health.is_responsive = health.is_started && health.overdue <= std::chrono::seconds{1};
    health.jobs = jobs_.size();
    health.queued = queued_;
    health.running = running_;
    health.replacement_workers = replaced_;
    health.paused = paused_;
    health.stale = stale_;
    health.last_start = last_start_;
    health.last_success = last_success_;
    if (!wall_due_.empty()) { health.next_run = wall_due_.top().key; }
    // Among these are jobs that are over, to be forgotten.
    const auto is_to_run = [&](std::uint32_t item) { return !by_index_[item]->is_over; };
    if (const auto due = steady_due_.least_of(std::nullopt, is_to_run)) {
        const auto on_wall =
            saturating_add(wall, std::chrono::ceil<std::chrono::microseconds>(
                                     std::max(std::chrono::nanoseconds{0}, saturating_difference(*due, steady))));
        health.next_run = std::min(on_wall, health.next_run.value_or(on_wall));
    }
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (occurrence && occurrence->phase == Occurrence::Phase::running && occurrence->is_ended) { ++health.stuck; }
    }
    return health;
}

/// Why an occurrence did not run, as the end of a sentence.
[[nodiscard]] inline std::string_view skip_words(SkipReason reason) noexcept {
    switch (reason) {
    case SkipReason::none: break;
    case SkipReason::overlap: return "the one before was still in progress";
    case SkipReason::misfire: return "its time had passed before it could be looked at";
    case SkipReason::paused: return "the job was paused";
    case SkipReason::queue_full: return "the queue was full";
    case SkipReason::removed: return "the job was removed";
    case SkipReason::shutdown: return "the scheduler was stopping";
    case SkipReason::cancelled_while_queued: return "a newer occurrence took its place";
    case SkipReason::store_unavailable: return "the store could not be reached";
    }
    return "no reason is known";
}

/// One sentence after the other, what matters most first.
inline std::string SchedulerCore::explain(std::string_view id) const {
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    std::string text;
    const auto say = [&](const std::string& sentence) { text += (text.empty() ? "" : " ") + sentence + '.'; };
    PlanPtr plan; // its schedule is told outside the lock: words take their time
    JobInfo info;
    {
        const Lock lock{mutex_};
        const JobPtr job = find(id, lock);
        if (!job) {
            const bool is_leaving =
                std::ranges::any_of(leaving_jobs(lock), [&](const JobPtr& leaving) { return leaving->id == id; });
            return "There is no job with the id '" + std::string{id} +
                   (is_leaving ? "' any more; what had begun of it goes on." : "'.");
        }
        plan = job->plan;
        info = describe(*job, wall, steady, lock);
        if (state_ == State::pending) { say("The scheduler has not been started"); }
        if (state_ == State::stopping) { say("The scheduler has been stopped"); }
        if (job->is_paused) { say("Paused since " + instant_words(*job->paused_since)); }
        if (!job->schedule_error.empty()) { say("Its schedule has ended with an error: " + job->schedule_error); }
        std::array<std::size_t, 5> told{}; // by phase
        for (const OccurrencePtr& occurrence : occurrences_) {
            if (!occurrence || occurrence->job != job) { continue; }
            if (told[static_cast<std::size_t>(occurrence->phase)]++ == 0) {
                tell_occurrence(*occurrence, wall, steady, say, lock);
            }
        }
        const auto say_more = [&](Occurrence::Phase phase, const char* what) {
            const std::size_t all = told[static_cast<std::size_t>(phase)];
            if (all > 1) { say(std::to_string(all - 1) + (all == 2 ? " other of it " : " others of it ") + what); }
        };
        say_more(Occurrence::Phase::running, "executing, too");
        say_more(Occurrence::Phase::ready, "waiting for a worker, too");
        say_more(Occurrence::Phase::waiting, "waiting for those before");
        say_more(Occurrence::Phase::retrying, "waiting for the next attempt, too");
        if (job->is_over && job->schedule_error.empty()) { say("Its schedule has no further occurrence"); }
        if (std::ranges::any_of(to_claim_, [&](const Due& due) { return due.job == job; })) {
            say("Due, and the store is asked whether this process runs it or another one");
        }
        if (info.next_run && !job->is_over) {
            const bool is_due = *info.next_run <= wall;
            say((is_due ? "Due since " : "Not due until ") + instant_words(*info.next_run));
        }
        if (job->last_status) {
            std::string last = "Its last attempt ended with " + std::string{to_string(*job->last_status)};
            if (job->last_start) { last += ", started at " + instant_words(*job->last_start); }
            say(last);
        }
        if (job->last_skip != SkipReason::none) {
            const std::string when = job->last_skip_at ? " at " + instant_words(*job->last_skip_at) : "";
            say("Last skipped" + when + ", because " + std::string{skip_words(job->last_skip)});
        }
        if (job->is_stale) { say("Stale: it has not succeeded for " + duration_words(plan->policies.stale_after)); }
    }
    say("Schedule: " + daybook::describe(plan->given()));
    return text;
}

/// Whether one of two that are ready has its turn before the other, see ReadyQueue.
[[nodiscard]] inline bool goes_before(const Occurrence& one, const Occurrence& other, std::chrono::nanoseconds worth) {
    if (&one == &other || one.arrival == steady_time{}) { return false; }
    const ConcurrencyGroup* const group = one.plan->group;
    if (group != nullptr && group->running >= group->limit) { return false; } // it waits for others
    const std::chrono::duration<double> later = one.arrival - other.arrival;
    const auto levels =
        static_cast<double>(one.plan->policies.priority) - static_cast<double>(other.plan->policies.priority);
    const std::chrono::duration<double> bonus = levels * std::chrono::duration<double>{worth};
    return later < bonus || (later == bonus && one.execution.id < other.execution.id);
}

/// What one occurrence of a job is about.
template <class Say>
void SchedulerCore::tell_occurrence(const Occurrence& occurrence, sys_time wall, steady_time steady, const Say& say,
                                    const Lock& /*lock*/) const {
    const auto ago = [&](steady_time instant) {
        return instant_words(wall - std::chrono::floor<std::chrono::microseconds>(steady - instant));
    };
    switch (occurrence.phase) {
    case Occurrence::Phase::running:
        say((occurrence.is_ended ? "A body whose execution has ended goes on since " : "Executing since ") +
            ago(occurrence.started));
        break;
    case Occurrence::Phase::ready: {
        const ConcurrencyGroup* const group = occurrence.plan->group;
        if (group != nullptr && group->running >= group->limit) {
            say("Waiting since " + ago(occurrence.arrival) + " for its group, of which " +
                std::to_string(group->running) + " run and no more may");
        } else if (occurrence.arrival == steady_time{}) {
            say("About to wait for a worker");
        } else {
            const auto others =
                static_cast<std::size_t>(std::ranges::count_if(occurrences_, [&](const OccurrencePtr& other) {
                    return other && other->phase == Occurrence::Phase::ready &&
                           goes_before(*other, occurrence, options_.priority_worth);
                }));
            say("Waiting for a worker since " + ago(occurrence.arrival) + ", behind " + std::to_string(others) +
                (others == 1 ? " other" : " others"));
        }
        break;
    }
    case Occurrence::Phase::retrying:
        if (!occurrence.is_resumed) {
            const bool is_set = attempts_due_.contains(occurrence.index);
            say("Attempt " + std::to_string(occurrence.attempt) + " failed, the next one " +
                (is_set ? "comes at " + ago(attempts_due_.key(occurrence.index)) : "waits for its time"));
            break;
        }
        [[fallthrough]];
    case Occurrence::Phase::waiting:
        say(occurrence.is_barred ? "Waiting for the occurrence before it to end, which another process runs"
                                 : "Waiting for the occurrence before it to end");
        break;
    case Occurrence::Phase::dropped: break;
    }
}

} // namespace daybook::inline v0::detail

#endif
