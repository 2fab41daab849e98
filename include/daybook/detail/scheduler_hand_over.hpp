// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_HAND_OVER_HPP
#define DAYBOOK_DETAIL_SCHEDULER_HAND_OVER_HPP

/// @file
/// How what was decided is done, and how an occurrence gets to a worker: queued, waiting for its turn, taken.

#include <daybook/detail/scheduler_events.hpp>
#include <daybook/detail/store_writing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Calls back what the body registered with its stop token: user code.
inline void stop_attempt(const Decision& decision) {
    std::stop_source stop = decision.stop;
    stop.request_stop();
}

/// Does what was decided, in that order, without the lock. The caller has counted it in `busy_`. What memory does not
/// suffice for is left to the next dispatch.
/// @returns The id of the last record that was begun.
inline ExecutionId SchedulerCore::carry_out(Decisions& decisions) {
    constexpr std::size_t posted_at_once = 16; // a worker that is woken for each would go to sleep after each
    const AtWork at_work{*this};
    ExecutionId id = 0;
    std::size_t posts = 0;
    Decisions failed;
    for (auto next = decisions.begin(); next != decisions.end();) {
        const auto decision = next++;
        if (decision->kind != Decision::Kind::hand_over && AtPlain::is_inside(*this)) { // the timer's thread does it
            failed.splice(failed.end(), decisions, decision);
            continue;
        }
        // What is ready does not wait for what the program does when it is called.
        if (decision->kind != Decision::Kind::hand_over) { post(std::exchange(posts, 0)); }
        try {
            const auto kind = decision->kind;
            if (const ExecutionId begun = carry_out_one(*decision, posts); begun != 0) { id = begun; }
            if (decision->kind != kind) { next = decision; } // something else is to be done now
        } catch (const std::exception&) { failed.splice(failed.end(), decisions, decision); }
        if (posts == posted_at_once) { post(std::exchange(posts, 0)); }
    }
    post(posts);
    const Lock lock{mutex_};
    if (!failed.empty()) {
        postponed_.splice(postponed_.end(), failed);
        run_short(lock);
    }
    --busy_;
    changed_.notify_all();
    return id;
}

/// @throws std::bad_alloc  It can be done again.
inline ExecutionId SchedulerCore::carry_out_one(Decision& decision, std::size_t& posts) {
    ExecutionId id = 0;
    switch (decision.kind) {
    case Decision::Kind::hand_over: return hand_over(decision, posts);
    case Decision::Kind::skip:
        id = log_->skip(decision.plan->names->refs(), decision.skip);
        account(decision);
        if (decision.claim != 0) { log_->store_writer()->release(decision.claim); }
        tell_skip(*decision.plan, decision.job->id, decision.skip, id);
        break;
    case Decision::Kind::skip_queued:
        skip_queued(*decision.occurrence, decision.execution, decision.skip.reason);
        release(decision.occurrence);
        break;
    case Decision::Kind::time_out: time_out(decision); break;
    case Decision::Kind::cancel:
        log_->finish(decision.execution, decision.status, {}, {}, decision.finality);
        stop_attempt(decision);
        release(decision.occurrence);
        break;
    case Decision::Kind::cancel_retry: {
        const Occurrence& occurrence = *decision.occurrence;
        const Execution execution = record_queued(occurrence, occurrence.attempt + 1);
        log_->finish(execution, JobStatus::cancelled, {}, {}, Finality::final_attempt);
        release(decision.occurrence);
        break;
    }
    case Decision::Kind::ask_to_stop: stop_attempt(decision); break;
    }
    return id;
}

inline Execution SchedulerCore::record_queued(const Occurrence& occurrence, std::uint32_t attempt) {
    return log_->start(occurrence.plan->names->refs(),
                       {.attempt_number = attempt,
                        .occurrence_id = occurrence.id,
                        .scheduled_at = occurrence.nominal,
                        .trigger = occurrence.trigger,
                        .dst = occurrence.dst,
                        .parameters = occurrence.parameters()},
                       JobStatus::queued, attempt == 1 ? occurrence.id : 0); // known before where it is claimed
}

/// Records the attempt as queued, and lets it go on to a worker. Where it has been dropped meanwhile, the decision
/// becomes that to tell so.
/// @param posts  Counts what became ready, which the caller has to post.
inline ExecutionId SchedulerCore::hand_over(Decision& decision, std::size_t& posts) {
    const OccurrencePtr& occurrence = decision.occurrence;
    if (fleet_ != nullptr) { // its seat may have been lost meanwhile, and it is another process's
        const Lock lock{mutex_};
        const bool is_dropped = occurrence->phase == Occurrence::Phase::dropped;
        if (is_dropped && occurrence->dropped_for == SkipReason::none) { return 0; }
    }
    const bool is_new = !occurrence->is_recorded; // else memory ran out right after
    const Execution execution = is_new ? record_queued(*occurrence, occurrence->attempt) : occurrence->execution;
    SkipReason dropped_for = SkipReason::none;
    bool is_ready = false;
    std::vector<OccurrencePtr> pruned; // destroyed outside the lock
    {
        const Lock lock{mutex_};
        occurrence->execution = execution;
        if (occurrence->id == 0) { occurrence->id = execution.id; }
        occurrence->is_recorded = true;
        if (occurrence->phase == Occurrence::Phase::ready) {
            enqueue(occurrence, lock);
            is_ready = true;
        } else if (occurrence->phase == Occurrence::Phase::waiting) {
            is_ready = release_next(occurrence->job, lock);
        } else if (is_new) {
            dropped_for = occurrence->dropped_for;
        }
        if (is_ready && needs_post(lock)) { ++posts; }
        try {
            ready_.prune(queued_, pruned);
            if (ConcurrencyGroup* const group = occurrence->plan->group) { group->parked.prune(queued_, pruned); }
        } catch (const std::bad_alloc&) {} // the next one sees to it
        // Perhaps it was their turn in the group; more may be appended.
        for (std::size_t i = 0, count = pruned.size(); i < count; ++i) {
            ConcurrencyGroup* const group = pruned[i]->plan->group;
            if (group != nullptr && group->running < group->limit && unpark(*group, pruned, lock)) { ++posts; }
        }
    }
    if (dropped_for != SkipReason::none && occurrence->attempt == 1) { // the program is told, see carry_out
        decision.kind = Decision::Kind::skip_queued;
        decision.execution = execution;
        decision.skip.reason = dropped_for;
    } else if (dropped_for != SkipReason::none) {
        log_->finish(execution, JobStatus::cancelled, {}, {}, Finality::final_attempt);
        release(occurrence);
    }
    return execution.id;
}

/// Lets the next waiting occurrence of a job go to a worker if nothing of the job is in progress.
/// @returns Whether one is ready now, which the caller has to post.
inline bool SchedulerCore::release_next(const JobPtr& job, const Lock& lock) {
    if (begin_resumed(job, options_.clock.steady_now(), lock)) { return false; }
    if (job->in_progress != 0 || job->waiting.empty()) { return false; }
    if (!job->waiting.front()->is_recorded || job->waiting.front()->is_barred) { return false; }
    const OccurrencePtr next = job->waiting.front();
    try {
        enqueue(next, lock);
    } catch (const std::bad_alloc&) {
        owes_release_ = true;
        run_short(lock);
        return false;
    }
    job->waiting.pop_front();
    next->phase = Occurrence::Phase::ready;
    ++job->in_progress;
    return true;
}

/// What a process that is gone has begun goes on first, one after another. Its attempt is due then.
/// @returns Whether one goes on.
inline bool SchedulerCore::begin_resumed(const JobPtr& job, steady_time due, const Lock& lock) noexcept {
    if (job->in_progress != 0) { return false; }
    const auto next = std::ranges::find_if_not(job->resumed, &Occurrence::is_barred);
    if (next == job->resumed.end()) { return false; }
    const OccurrencePtr occurrence = *next;
    job->resumed.erase(next);
    occurrence->is_resumed = false;
    has_begun_resumed_ = true;
    ++job->in_progress;
    push_due(attempts_due_, occurrence->index, due, lock); // there is room since it has its place
    return true;
}

/// The same for all jobs and groups, after memory ran out in the midst of it.
/// @returns How many have become ready, which the caller has to post.
inline std::size_t SchedulerCore::release_owed(std::vector<OccurrencePtr>& dropped, const Lock& lock) {
    owes_release_ = false;
    std::size_t posts = 0;
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (occurrence && occurrence->phase == Occurrence::Phase::waiting && release_next(occurrence->job, lock)) {
            ++posts;
        }
    }
    for (auto& [name, group] : groups_) {
        for (auto free = group.limit - std::min(group.limit, group.running); free != 0; --free) {
            if (unpark(group, dropped, lock)) { ++posts; }
        }
    }
    return posts;
}

inline void SchedulerCore::enqueue(const OccurrencePtr& occurrence, const Lock& /*lock*/) {
    occurrence->arrival = options_.clock.steady_now();
    ready_.push(occurrence->arrival, occurrence);
}

/// The occurrence whose turn it is; those whose group is full are parked until one of it has ended.
/// @param dropped  Gets what will not run any more, to be destroyed outside the lock.
/// @throws std::bad_alloc  Nothing has been lost.
inline SchedulerCore::OccurrencePtr SchedulerCore::take_ready(std::vector<OccurrencePtr>& dropped, const Lock& lock) {
    while (!ready_.empty()) {
        const auto [arrival, occurrence] = ready_.front(options_.priority_worth);
        ConcurrencyGroup* const group = occurrence->plan->group;
        const bool is_ready = occurrence->phase == Occurrence::Phase::ready;
        if (!is_ready) {
            dropped.push_back(occurrence);
        } else if (group != nullptr && group->running >= group->limit) {
            group->parked.push(arrival, occurrence);
        }
        [[maybe_unused]] const auto taken = ready_.pop(options_.priority_worth);
        if (!is_ready) {
            if (group != nullptr && group->running < group->limit) { // perhaps it was its turn in the group
                [[maybe_unused]] const bool is_passed_on = unpark(*group, dropped, lock);
            }
        } else if (group == nullptr || group->running < group->limit) {
            if (group != nullptr) { ++group->running; }
            return occurrence;
        }
    }
    return nullptr;
}

/// A body of the group has returned: the next of those that were parked gets its turn.
/// @returns Whether there was one, which the caller has to post.
inline bool SchedulerCore::unpark(ConcurrencyGroup& group, std::vector<OccurrencePtr>& dropped, const Lock& lock) {
    try {
        while (!group.parked.empty()) {
            const auto [arrival, occurrence] = group.parked.front(options_.priority_worth);
            const bool is_ready = occurrence->phase == Occurrence::Phase::ready;
            if (is_ready) {
                ready_.push(arrival, occurrence);
            } else {
                dropped.push_back(occurrence);
            }
            [[maybe_unused]] const auto parked = group.parked.pop(options_.priority_worth);
            if (is_ready) { return true; }
        }
    } catch (const std::bad_alloc&) {
        owes_release_ = true;
        run_short(lock);
    }
    return false;
}

/// Whether what has become ready needs a task of its own: one that has been posted and has not begun takes it as well.
/// What the program's executor does with a task is not known, so there each gets one.
inline bool SchedulerCore::needs_post(const Lock& /*lock*/) {
    if (open_pool_ == nullptr) { return true; }
    if (posted_ >= ready_.size()) { return false; }
    ++posted_;
    return true;
}

/// One task for each occurrence that became ready; a task takes the one whose turn it is.
inline void SchedulerCore::post(std::size_t count) {
    if (is_executor_open_) { posts_owed_ += count; } // see flush_posts
    WorkerPool* const pool = open_pool_;
    if (pool == nullptr || count == 0) { return; }
    try {
        const auto task = [this] { run_one(); };
        if (!AtPlain::is_inside(*this)) {
            [[maybe_unused]] const bool is_accepted = pool->post_copies(count, task);
        } else if (pool->post_quietly(count, task) > 1) { // one the worker takes itself
            if (is_timer_away_ || !watch_.is_in_flood()) { return pool->call_help(1); }
            alarm_.ask_for_help(std::chrono::steady_clock::now());
        }
    } catch (const std::bad_alloc&) { // the timer tries again
        posts_owed_ += count;
        if (!is_refused_.exchange(true)) { alarm_.wake(); }
    }
}

/// Hands what is ready to the program's own executor: outside the scheduler's own work and under no lock, because the
/// executor may run it on the spot. What it refuses is offered again later.
inline void SchedulerCore::flush_posts() {
    if (open_pool_ != nullptr && posts_owed_ != 0) {
        post(posts_owed_.exchange(0));
        if (posts_owed_ == 0) { is_refused_ = false; }
    }
    if (!is_executor_open_ || posts_owed_ == 0 || AtFlush::is_inside(*this)) { return; }
    if (AtWork::is_inside(*this)) { return alarm_.wake(); } // whoever is at work may not come back here: the timer does
    const AtFlush flushing{*this}; // an inline executor comes back here: this loop goes on for it
    const std::weak_ptr<SchedulerCore> weak = weak_from_this();
    for (std::size_t owed = posts_owed_.exchange(0); owed != 0; owed = posts_owed_.exchange(0)) {
        for (; owed != 0; --owed) {
            bool is_accepted = false;
            try {
                is_accepted = options_.executor.post([weak] {
                    if (const auto core = weak.lock()) { core->run_one(); }
                });
            } catch (...) { is_accepted = false; }
            if (is_accepted) {
                is_refused_ = false;
                continue;
            }
            posts_owed_ += owed;
            if (!is_refused_.exchange(true)) { // told, and the timer woken, once: it asks again every 100 ms
                alarm_.wake();
                const AtWork at_work{*this};
                diagnose("the executor refuses work; it is offered again");
            }
            return;
        }
    }
}

/// What is to be recorded as the end of an occurrence that does not run: one that waits becomes a skip, or is cancelled
/// if it has been attempted before.
inline void SchedulerCore::decide_end(const OccurrencePtr& occurrence, SkipReason reason, Decisions& decisions) {
    if (occurrence->phase == Occurrence::Phase::retrying) {
        decisions.push_back({.kind = Decision::Kind::cancel_retry, .occurrence = occurrence});
    } else if (occurrence->phase != Occurrence::Phase::dropped && occurrence->is_recorded) { // else hand_over finds out
        const bool is_retry = occurrence->attempt != 1;
        decisions.push_back(
            Decision::about(is_retry ? Decision::Kind::cancel : Decision::Kind::skip_queued, occurrence));
        decisions.back().skip.reason = reason;
    }
}

/// Such an occurrence is over. Nothing fails in here.
inline void SchedulerCore::drop(const OccurrencePtr& occurrence, SkipReason reason, const Lock& lock) {
    const Occurrence::Phase phase = occurrence->phase;
    if (phase == Occurrence::Phase::dropped) { return; }
    if (phase != Occurrence::Phase::retrying) {
        occurrence->dropped_for = reason;
        occurrence->job->last_skip = reason;
        occurrence->job->last_skip_at = occurrence->nominal ? occurrence->nominal : options_.clock.now();
        --queued_;
        --occurrence->job->queued;
    }
    if (phase != Occurrence::Phase::waiting) { return end_occurrence(occurrence, lock); }
    std::erase(occurrence->job->waiting, occurrence);
    occurrence->phase = Occurrence::Phase::dropped;
    occurrences_[occurrence->index] = nullptr;
    free_occurrences_.push_back(occurrence->index);
}

} // namespace daybook::inline v0::detail

#endif
