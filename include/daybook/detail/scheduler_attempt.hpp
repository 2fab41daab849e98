// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_ATTEMPT_HPP
#define DAYBOOK_DETAIL_SCHEDULER_ATTEMPT_HPP

/// @file
/// An attempt from when a worker takes it: its body runs, its record ends, the next one waits.

#include <daybook/detail/scheduler_retry.hpp>
#include <daybook/job/completion.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Takes the occurrence whose turn it is and runs it on this thread.
/// @returns Whether there was one.
inline bool SchedulerCore::run_one() {
    OccurrencePtr occurrence;
    std::vector<OccurrencePtr> dropped; // destroyed outside the lock, perhaps with the callable of a removed job
    ClockReading now;
    bool is_held = false; // until the store has been asked
    try {
        std::stop_source stop;
        const Lock lock{mutex_};
        if (posted_ != 0) { --posted_; }
        if (!may_start()) { // see resume_intake
            is_held_back_ = true;
            return false;
        }
        occurrence = take_ready(dropped, lock);
        if (!occurrence) { return false; }
        // Nothing fails from here on.
        now = options_.clock.read(); // not before the lock was there: it may have become ready meanwhile
        occurrence->phase = Occurrence::Phase::running;
        occurrence->is_ended = false;
        occurrence->is_retried = false;
        occurrence->is_unleased = false;
        occurrence->thread = std::this_thread::get_id();
        occurrence->stop = std::move(stop);
        --queued_;
        --occurrence->job->queued;
        ++running_;
        ++occurrence->job->running;
        is_held = asks_store(*occurrence);
        occurrence->started = now.steady;
        if (!is_held) { note_start(*occurrence, now, lock); }
    } catch (const std::bad_alloc&) { // another task tries again after a while
        if (open_pool_ != nullptr || is_executor_open_) { ++posts_owed_; }
        const Lock lock{mutex_};
        run_short(lock);
        return false;
    }
    if (is_held) {
        if (!is_confirmed(*occurrence)) {
            withhold(occurrence);
            return true;
        }
        now = options_.clock.read();
        const Lock lock{mutex_};
        if (!occurrence->is_ended) { note_start(*occurrence, now, lock); }
    }
    if (!log_->begin(occurrence->execution, WorkerPool::current_worker(),
                     now)) { // abandoned, or cancelled, while it waited
        body_returned(occurrence, JobStatus::abandoned, {}, {}, {});
        return true;
    }
    set_deadline(occurrence);
    if (options_.hooks.on_start) {
        tell(options_.hooks.on_start,
             [&] { return event_of(*occurrence->plan, occurrence.get(), occurrence->execution); });
    }
    run_body(occurrence);
    return true;
}

/// The attempt begins at `now`.
inline void SchedulerCore::note_start(Occurrence& occurrence, const ClockReading& now, const Lock& /*lock*/) {
    last_start_ = occurrence.job->last_start = now.wall;
    occurrence.started = now.steady;
}

/// Not before its record says that it runs: the timer must not end what has not begun.
inline void SchedulerCore::set_deadline(const OccurrencePtr& occurrence) {
    const auto timeout = occurrence->plan->policies.timeout;
    const bool may_expire = options_.workers != 0 || occurrence->plan->function.begin != nullptr;
    if (timeout == timeout.zero() || !may_expire) { return; }
    const Lock lock{mutex_};
    if (occurrence->is_ended) { return; }
    push_due(attempts_due_, occurrence->index, saturating_add(occurrence->started, timeout), lock);
}

/// What a record says of an exception; nothing where memory does not suffice: the failure counts for more.
inline std::string text_of(const std::exception_ptr& exception) noexcept {
    try {
        return describe_exception(exception);
    } catch (...) { return {}; }
}

/// User code, under no lock. Whatever it throws is data.
inline void SchedulerCore::run_body(const OccurrencePtr& occurrence) {
    const JobPlan& plan = *occurrence->plan;
    JobContext::Attempt attempt{.job_id = occurrence->job->id,
                                .parameters = occurrence->parameters(),
                                .attempt_number = occurrence->attempt,
                                .scheduled_at = occurrence->nominal,
                                .stop = occurrence->stop.get_token(),
                                .execution = occurrence->execution};
    if (plan.policies.timeout != std::chrono::nanoseconds::zero()) {
        attempt.deadline = saturating_add(occurrence->started, plan.policies.timeout);
    }
    if (plan.function.begin != nullptr) { return begin_body(occurrence, std::move(attempt)); }
    JobStatus status = JobStatus::success;
    Ref<RefCounted> result;
    std::string error;
    std::exception_ptr exception;
    try {
        JobContext context{std::move(attempt), log_};
        result = plan.function.call(plan.function.callable.get(), context, log_->options().max_text_bytes);
    } catch (...) {
        status = JobStatus::error;
        exception = std::current_exception();
        error = text_of(exception);
    }
    body_returned(occurrence, status, std::move(result), error, exception);
}

/// The same for a body that may return before its work is done: the completion is what ends the attempt.
inline void SchedulerCore::begin_body(const OccurrencePtr& occurrence, JobContext::Attempt attempt) {
    class Attempt final : public OpenAttempt {
    public:
        Attempt(std::shared_ptr<SchedulerCore> core, OccurrencePtr occurrence, JobContext::Attempt attempt)
            : OpenAttempt{std::move(attempt), core->log_}, core_{std::move(core)}, occurrence_{std::move(occurrence)} {}
        Attempt(const Attempt&) = delete;
        Attempt& operator=(const Attempt&) = delete;
        ~Attempt() override {
            if (is_ended()) { return; }
            std::string text;
            try {
                text = "the completion was dropped without a result";
            } catch (const std::bad_alloc&) { text.clear(); } // the end counts for more
            conclude(JobStatus::error, {}, text, nullptr);
        }

    private:
        void conclude(JobStatus status, Ref<RefCounted> result, const std::string& error,
                      const std::exception_ptr& exception) override {
            core_->body_returned(occurrence_, status, std::move(result), error, exception);
        }

        std::shared_ptr<SchedulerCore> core_;
        OccurrencePtr occurrence_;
    };
    std::shared_ptr<Attempt> open;
    try {
        open = std::make_shared<Attempt>(shared_from_this(), occurrence, std::move(attempt));
    } catch (const std::bad_alloc&) {
        return body_returned(occurrence, JobStatus::error, {}, {}, std::current_exception());
    }
    const Execution execution = occurrence->execution;
    try {
        const JobFunction& function = occurrence->plan->function;
        function.begin(function.callable.get(), open);
    } catch (...) { open->end(JobStatus::error, {}, text_of(std::current_exception()), std::current_exception()); }
    const Lock lock{mutex_};
    // The body is out of this thread's hands, unless the attempt has ended and another has begun.
    const bool is_same = occurrence->phase == Occurrence::Phase::running && occurrence->execution.id == execution.id;
    if (is_same && !open->is_ended()) { occurrence->thread = {}; }
}

inline void SchedulerCore::body_returned(const OccurrencePtr& occurrence, JobStatus status, Ref<RefCounted> result,
                                         const std::string& error, const std::exception_ptr& exception) {
    const JobPtr job = occurrence->job;
    const RetryPolicy& retry = occurrence->plan->policies.retry;
    bool is_to_record = false;
    Finality finality = Finality::final_attempt;
    EndNote note;
    {
        const Lock lock{mutex_};
        attempts_due_.erase(occurrence->index);
        occurrence->thread = std::this_thread::get_id(); // hooks that call stop are on this one
        is_to_record = !std::exchange(occurrence->is_ended, true);
        if (is_to_record) {
            const auto timeout = occurrence->plan->policies.timeout;
            // Also where nobody has come to say so by now.
            const bool is_late =
                timeout != timeout.zero() && options_.clock.steady_now() - occurrence->started >= timeout;
            if (is_late) { status = JobStatus::timeout; }
            if (status == JobStatus::error && occurrence->stop.stop_requested()) {
                status = occurrence->is_unleased ? JobStatus::abandoned : JobStatus::cancelled;
            }
            note = note_end(*job, status, lock);
        }
    }
    if (is_to_record) {
        if (is_failure(status)) { // user code may be asked: under no lock
            const auto delay =
                status == JobStatus::abandoned
                    ? redelivery(*occurrence)
                    : ask_retry(retry, {.status = status,
                                        .error = status == JobStatus::timeout ? std::string_view{} : error,
                                        .exception = exception,
                                        .attempt_number = occurrence->attempt});
            const Lock lock{mutex_};
            occurrence->abandoned = status == JobStatus::abandoned ? occurrence->abandoned + 1 : 0;
            set_retry(*occurrence, delay, lock);
            if (occurrence->is_retried) { finality = Finality::retry_follows; }
        }
        record_end(*occurrence, status, std::move(result), error, finality, note);
    }
    result = {}; // a late result is destroyed here, outside the lock
    settle_return(occurrence, Returning::now);
}

/// What the job remembers of its last attempt.
inline SchedulerCore::EndNote SchedulerCore::note_end(Job& job, JobStatus status, const Lock& lock) {
    EndNote note{.last_success = job.last_success};
    job.last_status = status;
    if (status == JobStatus::success) {
        last_success_ = job.last_success = options_.clock.now();
        note.has_recovered = std::exchange(job.is_stale, false);
        if (!job.is_over) { watch_staleness(job, lock); }
    }
    return note;
}

/// Writes the end that the body has come to, and tells the program.
inline void SchedulerCore::record_end(Occurrence& occurrence, JobStatus status, Ref<RefCounted> result,
                                      const std::string& error, Finality finality, const EndNote& note) {
    if (status != JobStatus::success) { result = {}; }
    Ref<TextBlock> text;
    JobEvent event;
    const SchedulerHooks& hooks = options_.hooks;
    const Hook& hook = status == JobStatus::success   ? hooks.on_success
                       : status == JobStatus::timeout ? hooks.on_timeout
                                                      : hooks.on_error;
    bool is_told = hook && status != JobStatus::cancelled;
    bool is_recovery_told = static_cast<bool>(hooks.on_recovered);
    try {
        if (!error.empty()) { text = make_text(error, log_->options().max_text_bytes); }
        if (status == JobStatus::timeout && !text) { text = timeout_text(*occurrence.plan); }
        if (is_told || is_recovery_told) { event = event_of(*occurrence.plan, &occurrence, occurrence.execution); }
        if (is_told && text) { event.error = std::string{text->text()}; }
    } catch (const std::bad_alloc&) { is_told = is_recovery_told = false; } // the end counts for more
    event.is_final = finality == Finality::final_attempt;
    event.last_success = note.last_success;
    is_recovery_told = is_recovery_told && note.has_recovered;
    if (is_recovery_told) {
        const Lock lock{mutex_};
        if (const auto told = telling_stale_.find(occurrence.job.get()); told != telling_stale_.end()) {
            try {
                told->second = event; // whoever tells that tells this
            } catch (const std::bad_alloc&) { told->second.reset(); }
            is_recovery_told = false;
        }
    }
    if (log_->finish(occurrence.execution, status, std::move(result), std::move(text), finality) != Finish::recorded) {
        finality = was_abandoned(occurrence, finality);
        event.is_final = finality == Finality::final_attempt;
    }
    if (is_told) { tell(hook, event); }
    if (is_recovery_told) { tell(hooks.on_recovered, event); }
}

/// The body is through, and its record has ended: the next attempt waits, or the occurrence is over.
inline void SchedulerCore::settle_return(const OccurrencePtr& occurrence, Returning returning) {
    const JobPtr job = occurrence->job;
    Decisions decisions;
    std::vector<OccurrencePtr> dropped;
    std::size_t posts = 0;
    bool is_replaced = false;
    {
        const Lock lock{mutex_};
        if (returning == Returning::now) {
            is_replaced = std::exchange(occurrence->is_replaced, false);
            if (is_replaced) { --replaced_; }
        }
        if (WorkerPool* const pool = open_pool_; is_replaced && pool != nullptr) { pool->retire(); }
        if (returning == Returning::now && occurrence->is_deciding) {
            occurrence->has_returned = true;
            return;
        }
        --running_;
        --job->running;
        if (ConcurrencyGroup* const group = occurrence->plan->group; group != nullptr) {
            --group->running;
            if (unpark(*group, dropped, lock)) { ++posts; }
        }
        occurrence->thread = {};
        occurrence->stop = std::stop_source{std::nostopstate};
        bool goes_on = occurrence->is_retried;
        if (goes_on && !may_retry(*occurrence, lock)) { // the job was removed, a newer one came, or the scheduler stops
            try {
                decisions.push_back({.kind = Decision::Kind::cancel_retry, .occurrence = occurrence});
                goes_on = false;
            } catch (const std::bad_alloc&) { // when its time comes
                occurrence->retry_delay = {};
                run_short(lock);
            }
        }
        if (goes_on) {
            occurrence->phase = Occurrence::Phase::retrying;
            const steady_time due = saturating_add(options_.clock.steady_now(), occurrence->retry_delay);
            push_due(attempts_due_, occurrence->index, due, lock);
        } else {
            end_occurrence(occurrence, lock);
            if (decisions.empty()) { release(occurrence, lock); } // else once they are done
            if (release_next(job, lock)) { ++posts; }
        }
        if (decisions.empty()) {
            changed_.notify_all();
        } else {
            ++busy_;
        }
    }
    post(posts);
    if (!decisions.empty()) { carry_out(decisions); }
    flush_posts();
}

/// The occurrence is final: whatever waits for that is free to go on. The caller releases the next one.
inline void SchedulerCore::end_occurrence(const OccurrencePtr& occurrence, const Lock& lock) {
    const JobPtr& job = occurrence->job;
    occurrence->phase = Occurrence::Phase::dropped;
    attempts_due_.erase(occurrence->index);
    occurrences_[occurrence->index] = nullptr;
    free_occurrences_.push_back(occurrence->index);
    if (std::exchange(occurrence->is_resumed, false)) {
        std::erase(job->resumed, occurrence);
    } else {
        --job->in_progress;
    }
    if (job->is_removed || state_ != State::started) { return; }
    if (job->plan->is_after_completion() && !job->is_settling && !job->is_over && !job->steady_due && !job->wall_due &&
        job->is_idle()) {
        await_next_completion(*job, lock);
    }
    retire_if_over(*job, lock);
}

} // namespace daybook::inline v0::detail

#endif
