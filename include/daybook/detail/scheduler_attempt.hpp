// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_ATTEMPT_HPP
#define DAYBOOK_DETAIL_SCHEDULER_ATTEMPT_HPP

/// @file
/// An attempt from its hand-over to its end: queued, taken by a worker, finished, retried.

#include <daybook/detail/scheduler_dispatch.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What the record of a timeout says, since the body has had no say yet.
inline Ref<TextBlock> timeout_text(const Job& job) {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(job.policies.timeout);
    return TextBlock::make("no end within " + std::to_string(limit.count()) + " ms");
}

/// Calls back what the body registered with its stop token: user code.
inline void stop_attempt(const Decision& decision) {
    std::stop_source stop = decision.stop;
    stop.request_stop();
}

/// Does what was decided, in that order, without the lock. The caller has counted it in `busy_`.
/// @returns The id of the last record that was begun.
inline ExecutionId SchedulerCore::carry_out(const Decisions& decisions) {
    const AtWork at_work{*this};
    ExecutionId id = 0;
    for (const Decision& decision : decisions) {
        switch (decision.kind) {
        case Decision::Kind::hand_over: id = hand_over(decision.occurrence); break;
        case Decision::Kind::skip: id = log_->skip(decision.job->names->refs(), decision.skip); break;
        case Decision::Kind::skip_queued: log_->skip_queued(decision.execution, decision.skip.reason); break;
        case Decision::Kind::time_out:
            log_->finish(decision.execution, JobStatus::timeout, {}, timeout_text(*decision.occurrence->job),
                         decision.finality);
            stop_attempt(decision);
            break;
        case Decision::Kind::cancel:
            log_->finish(decision.execution, JobStatus::cancelled, {}, {}, Finality::final_attempt);
            stop_attempt(decision);
            break;
        case Decision::Kind::cancel_retry: {
            const Occurrence& occurrence = *decision.occurrence;
            const Execution execution = log_->start(occurrence.job->names->refs(),
                                                    {.attempt_number = occurrence.attempt + 1,
                                                     .occurrence_id = occurrence.id,
                                                     .scheduled_at = occurrence.nominal,
                                                     .trigger = occurrence.trigger,
                                                     .dst = occurrence.dst,
                                                     .parameters = occurrence.job->parameters},
                                                    JobStatus::queued);
            log_->finish(execution, JobStatus::cancelled, {}, {}, Finality::final_attempt);
            break;
        }
        case Decision::Kind::ask_to_stop: stop_attempt(decision); break;
        }
    }
    const Lock lock{mutex_};
    --busy_;
    changed_.notify_all();
    return id;
}

/// Records the attempt as queued, and lets it go on to a worker unless it has been dropped meanwhile.
inline ExecutionId SchedulerCore::hand_over(const OccurrencePtr& occurrence) {
    const Execution execution = log_->start(occurrence->job->names->refs(),
                                            {.attempt_number = occurrence->attempt,
                                             .occurrence_id = occurrence->id,
                                             .scheduled_at = occurrence->nominal,
                                             .trigger = occurrence->trigger,
                                             .dst = occurrence->dst,
                                             .parameters = occurrence->job->parameters},
                                            JobStatus::queued);
    SkipReason dropped_for = SkipReason::none;
    bool is_ready = false;
    {
        const Lock lock{mutex_};
        occurrence->execution = execution;
        if (occurrence->id == 0) { occurrence->id = execution.id; }
        occurrence->is_recorded = true;
        if (occurrence->phase == Occurrence::Phase::ready) {
            ready_.push_back(occurrence);
            is_ready = true;
        } else if (occurrence->phase == Occurrence::Phase::waiting) {
            is_ready = release_next(occurrence->job, lock);
        } else {
            dropped_for = occurrence->dropped_for;
        }
    }
    if (is_ready) { post(1); }
    if (dropped_for != SkipReason::none && occurrence->attempt == 1) { log_->skip_queued(execution, dropped_for); }
    if (dropped_for != SkipReason::none && occurrence->attempt != 1) {
        log_->finish(execution, JobStatus::cancelled, {}, {}, Finality::final_attempt);
    }
    return execution.id;
}

/// Lets the next waiting occurrence of a job go to a worker if nothing of the job is in progress.
/// @returns Whether one is ready now, which the caller has to post.
inline bool SchedulerCore::release_next(const JobPtr& job, const Lock& /*lock*/) {
    if (job->in_progress != 0 || job->waiting.empty() || !job->waiting.front()->is_recorded) { return false; }
    const OccurrencePtr next = job->waiting.front();
    job->waiting.pop_front();
    next->phase = Occurrence::Phase::ready;
    ++job->in_progress;
    ready_.push_back(next);
    return true;
}

/// One task for each occurrence that became ready; a task takes the oldest.
inline void SchedulerCore::post(std::size_t count) {
    WorkerPool* const pool = open_pool_;
    if (pool == nullptr) { return; }
    for (; count != 0; --count) {
        [[maybe_unused]] const bool is_accepted = pool->post([this] { run_one(); });
    }
}

/// An execution that waits becomes a skip, or is cancelled if its occurrence has been attempted before; the occurrence
/// is over.
inline void SchedulerCore::drop_queued(const OccurrencePtr& occurrence, SkipReason reason, Decisions& decisions,
                                       const Lock& lock) {
    const bool was_ready = occurrence->phase == Occurrence::Phase::ready;
    if (!was_ready) { std::erase(occurrence->job->waiting, occurrence); }
    occurrence->phase = Occurrence::Phase::dropped;
    occurrence->dropped_for = reason;
    --queued_;
    --occurrence->job->queued;
    if (occurrence->is_recorded) { // else hand_over finds out
        const bool is_retry = occurrence->attempt != 1;
        decisions.push_back(
            Decision::about(is_retry ? Decision::Kind::cancel : Decision::Kind::skip_queued, occurrence));
        decisions.back().skip.reason = reason;
    }
    if (was_ready) {
        end_occurrence(occurrence, lock);
    } else {
        occurrences_[occurrence->index] = nullptr;
        free_occurrences_.push_back(occurrence->index);
    }
}

/// Takes the oldest occurrence that is ready and runs it on this thread.
/// @returns Whether there was one.
inline bool SchedulerCore::run_one() {
    OccurrencePtr occurrence;
    std::vector<OccurrencePtr> dropped; // destroyed outside the lock, perhaps with the callable of a removed job
    {
        const Lock lock{mutex_};
        while (!ready_.empty() && !occurrence) {
            auto& front = ready_.front()->phase == Occurrence::Phase::ready ? occurrence : dropped.emplace_back();
            front = std::move(ready_.front());
            ready_.pop_front();
        }
        if (!occurrence) { return false; }
        occurrence->phase = Occurrence::Phase::running;
        occurrence->is_ended = false;
        occurrence->is_retried = false;
        occurrence->thread = std::this_thread::get_id();
        occurrence->stop = std::stop_source{};
        --queued_;
        --occurrence->job->queued;
        ++running_;
        ++occurrence->job->running;
    }
    log_->begin(occurrence->execution, WorkerPool::current_worker());
    const steady_time now = options_.clock.steady_now();
    bool is_cancelled = false;
    {
        const Lock lock{mutex_};
        is_cancelled = occurrence->is_ended;
        occurrence->started = now;
        occurrence->job->last_start = options_.clock.now();
        const auto timeout = occurrence->job->policies.timeout;
        if (timeout != timeout.zero() && options_.workers != 0 && !occurrence->is_ended) {
            attempts_due_.push(occurrence->index, saturating_add(now, timeout));
            if (attempts_due_.top().item == occurrence->index) { alarm_.wake(); }
        }
    }
    if (is_cancelled) { // between the two locks
        body_returned(occurrence, JobStatus::cancelled, {}, {});
    } else {
        run_body(occurrence);
    }
    return true;
}

/// User code, under no lock. Whatever it throws is data.
inline void SchedulerCore::run_body(const OccurrencePtr& occurrence) {
    const Job& job = *occurrence->job;
    JobContext::Attempt attempt{.job_id = job.id,
                                .parameters = job.parameters,
                                .attempt_number = occurrence->attempt,
                                .scheduled_at = occurrence->nominal,
                                .stop = occurrence->stop.get_token(),
                                .execution = occurrence->execution};
    if (job.policies.timeout != std::chrono::nanoseconds::zero()) {
        attempt.deadline = saturating_add(occurrence->started, job.policies.timeout);
    }
    JobStatus status = JobStatus::success;
    Ref<RefCounted> result;
    std::string error;
    try {
        JobContext context{std::move(attempt), log_};
        result = job.function.call(job.function.callable.get(), context, log_->options().max_text_bytes);
    } catch (...) {
        status = JobStatus::error;
        try {
            error = describe_exception(std::current_exception());
        } catch (...) { error.clear(); } // no memory for the text: the failure counts for more
    }
    body_returned(occurrence, status, std::move(result), error);
}

inline void SchedulerCore::body_returned(const OccurrencePtr& occurrence, JobStatus status, Ref<RefCounted> result,
                                         const std::string& error) {
    const JobPtr job = occurrence->job;
    bool is_to_record = false;
    Finality finality = Finality::final_attempt;
    {
        const Lock lock{mutex_};
        attempts_due_.erase(occurrence->index);
        is_to_record = !std::exchange(occurrence->is_ended, true);
        if (is_to_record) {
            const auto timeout = job->policies.timeout;
            const bool is_late = timeout != timeout.zero() && options_.workers == 0 &&
                                 options_.clock.steady_now() - occurrence->started >= timeout;
            if (is_late) { status = JobStatus::timeout; }
            if (status == JobStatus::error && occurrence->stop.stop_requested()) { status = JobStatus::cancelled; }
            occurrence->is_retried = is_failure(status) && retry_delay(*occurrence, lock).has_value();
            if (occurrence->is_retried) { finality = Finality::retry_follows; }
            job->last_status = status;
        }
    }
    if (is_to_record) {
        if (status != JobStatus::success) { result = {}; }
        Ref<TextBlock> text;
        if (!error.empty()) { text = make_text(error, log_->options().max_text_bytes); }
        if (status == JobStatus::timeout && !text) { text = timeout_text(*job); }
        log_->finish(occurrence->execution, status, std::move(result), std::move(text), finality);
    }
    result = {}; // a late result is destroyed here, outside the lock
    Decisions decisions;
    bool is_next_ready = false;
    {
        const Lock lock{mutex_};
        --running_;
        --job->running;
        occurrence->thread = {};
        occurrence->stop = std::stop_source{std::nostopstate};
        const auto delay = occurrence->is_retried ? retry_delay(*occurrence, lock) : std::nullopt;
        if (delay) {
            occurrence->phase = Occurrence::Phase::retrying;
            attempts_due_.push(occurrence->index, saturating_add(options_.clock.steady_now(), *delay));
            if (attempts_due_.top().item == occurrence->index) { alarm_.wake(); }
        } else {
            if (occurrence->is_retried) { // promised, but the job was removed or the scheduler stops
                decisions.push_back({.kind = Decision::Kind::cancel_retry, .occurrence = occurrence});
            }
            end_occurrence(occurrence, lock);
            is_next_ready = release_next(job, lock);
        }
        ++busy_;
    }
    if (is_next_ready) { post(1); }
    carry_out(decisions);
}

/// The occurrence is final: whatever waits for that is free to go on. The caller releases the next one.
inline void SchedulerCore::end_occurrence(const OccurrencePtr& occurrence, const Lock& lock) {
    const JobPtr& job = occurrence->job;
    occurrence->phase = Occurrence::Phase::dropped;
    attempts_due_.erase(occurrence->index);
    occurrences_[occurrence->index] = nullptr;
    free_occurrences_.push_back(occurrence->index);
    --job->in_progress;
    if (job->is_removed || state_ != State::started) { return; }
    const Every* every = job->schedule.interval();
    if (every != nullptr && every->is_after_completion() && !job->is_settling && !job->steady_due &&
        job->in_progress == 0) {
        await_next_completion(*job, lock);
    }
    retire_if_over(*job, lock);
}

/// The deadline of a running attempt has passed.
inline void SchedulerCore::expire(const OccurrencePtr& occurrence, Decisions& decisions, const Lock& lock) {
    if (occurrence->phase != Occurrence::Phase::running || std::exchange(occurrence->is_ended, true)) { return; }
    occurrence->is_retried = retry_delay(*occurrence, lock).has_value();
    occurrence->job->last_status = JobStatus::timeout;
    decisions.push_back(Decision::about(Decision::Kind::time_out, occurrence));
    if (occurrence->is_retried) { decisions.back().finality = Finality::retry_follows; }
}

/// How long to wait before the next attempt; empty when there will be none.
inline std::optional<std::chrono::nanoseconds> SchedulerCore::retry_delay(const Occurrence& occurrence,
                                                                          const Lock& lock) {
    if (occurrence.job->is_removed || state_ == State::stopping) { return std::nullopt; }
    return occurrence.job->policies.retry.delay_before(occurrence.attempt + 1, random(lock));
}

/// SplitMix64 (Steele, Lea and Flood, 2014): for jitter, not for secrets.
inline std::uint64_t SchedulerCore::random(const Lock& /*lock*/) {
    random_state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t bits = random_state_;
    bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
    return bits ^ (bits >> 31U);
}

} // namespace daybook::inline v0::detail

#endif
