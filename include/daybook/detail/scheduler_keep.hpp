// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_KEEP_HPP
#define DAYBOOK_DETAIL_SCHEDULER_KEEP_HPP

/// @file
/// What the store is told of jobs, and what waits for it. Nothing in here waits under a lock that others need.

#include <daybook/detail/scheduler_events.hpp>
#include <daybook/detail/store_writing.hpp>
#include <daybook/detail/stored_jobs.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What changes of a job while it goes on, added to what its plan keeps.
inline void SchedulerCore::describe_state(const Job& job, StoredJob& into, const Lock& /*lock*/) const {
    const sys_time wall = options_.clock.now();
    const StoredJob* const before = job.stored.get();
    into.is_from_data = job.plan->origin == JobOrigin::handler;
    into.is_paused = job.is_paused;
    into.created_at = job.created_at;
    into.updated_at = wall;
    if (job.has_begun) {
        into.accounted_to = job.accounted;
    } else if (before != nullptr && before->schedule != job.plan->kept->schedule) {
        into.accounted_to = wall; // what the other schedule owed is nothing to this one
    }
    if (fleet_ != nullptr && !into.accounted_to) { // those who learn of the job count from there
        into.accounted_to = before != nullptr ? before->accounted_to.value_or(job.created_at) : job.created_at;
    }
    if (!counts_down(job.plan->schedule)) { return; }
    if (job.has_begun) {
        into.left = job.left;
        if (is_on_calendar(job.plan->schedule)) { into.updated_at = job.counted_to; }
    } else if (before != nullptr && before->schedule == job.plan->kept->schedule) {
        into.left = before->left;
        into.updated_at = before->updated_at;
    }
}

/// Tells the store what has changed of a job, after what others have told it before. Nothing is waited for.
inline void SchedulerCore::keep(const JobPtr& job) noexcept {
    StoreWriter* const writer = log_->store_writer();
    if (writer == nullptr) { return; }
    try {
        const std::scoped_lock in_order{keep_mutex_};
        StoredJob told;
        std::shared_ptr<const StoredJob> kept;
        {
            const Lock lock{mutex_};
            if (job->is_removed || !std::exchange(job->is_to_keep, false)) { return; }
            kept = job->plan->kept;
            const StoredJob* const before = job->stored.get();
            const bool is_from_data = job->plan->origin == JobOrigin::handler;
            if (fleet_ != nullptr && before != nullptr && before->is_paused == job->is_paused &&
                before->is_from_data == is_from_data && is_same_plan(*before, *kept)) {
                return; // the others need not look
            }
            describe_state(*job, told, lock);
            job->accounted.reset();
        }
        try {
            StoredJob all = *kept;
            all.is_from_data = told.is_from_data;
            all.is_paused = told.is_paused;
            all.left = told.left;
            all.accounted_to = told.accounted_to;
            all.created_at = told.created_at;
            all.updated_at = told.updated_at;
            writer->save_job(std::move(all));
        } catch (...) { // the next change of it tries again
            const Lock lock{mutex_};
            job->is_to_keep = true;
            if (!job->accounted) { job->accounted = told.accounted_to; }
            throw;
        }
    } catch (const std::exception&) { diagnose("no memory to tell the store of a change of a job"); }
}

/// The store forgets a job, unless it has been added again.
inline void SchedulerCore::forget_kept(const std::string& id) noexcept {
    StoreWriter* const writer = log_->store_writer();
    if (writer == nullptr) { return; }
    try {
        const std::scoped_lock in_order{keep_mutex_};
        {
            const Lock lock{mutex_};
            if (find(id, lock)) { return; }
        }
        writer->erase_job(id);
    } catch (const std::exception&) { diagnose("no memory to tell the store that a job was removed"); }
}

/// All that has changed.
inline void SchedulerCore::keep_all(Waits waits) {
    if (log_->store_writer() == nullptr) { return; }
    std::vector<JobPtr> changed;
    {
        const Lock lock{mutex_};
        for (const auto& [id, job] : jobs_) {
            const bool is_kept = state_ != State::pending || job->plan->origin == JobOrigin::handler;
            if (job->is_to_keep && is_kept) { changed.push_back(job); }
        }
    }
    for (const JobPtr& job : changed) { keep(job); }
    if (!changed.empty() && waits == Waits::yes) { await_store("jobs"); }
}

/// A command has changed a job: the store is told, and waited for where somebody outside waits for the command.
inline void SchedulerCore::keep_change(std::string_view id, Kept what) {
    StoreWriter* const writer = log_->store_writer();
    if (writer == nullptr) { return; }
    const bool may_wait = !AtWork::is_inside(*this);
    if (what == Kept::planned_anew && may_wait) { // what was owed before has its records first
        dispatch();
        writer->flush(writer->deadline());
    }
    JobPtr job;
    PlanPtr plan;
    {
        const Lock lock{mutex_};
        job = find(id, lock);
        if (job) { plan = job->plan; }
        if (!job || (state_ == State::pending && job->plan->origin == JobOrigin::code)) { return; } // start sees to it
    }
    if (what != Kept::paused) { tell_unkept(*job, *plan); }
    keep(job);
    if (may_wait) { await_store("job '" + job->id + "'"); }
}

/// Not everything that a job may be is data.
inline void SchedulerCore::tell_unkept(const Job& job, const JobPlan& plan) const {
    if (plan.origin == JobOrigin::code) { return; }
    if (!plan.is_readable) {
        diagnose("the job '" + job.id + "' cannot be made again after a restart: its schedule, '" +
                 plan.kept->schedule + "', is known to this process alone");
    }
    if (plan.policies.retry.asks_program()) {
        diagnose("the job '" + job.id + "' loses what its retry policy asks the program if it is made again");
    }
}

/// Waits until all that was told is written, at most for one call's time.
inline void SchedulerCore::await_store(const std::string& what) const {
    StoreWriter* const writer = log_->store_writer();
    if (writer->flush(writer->deadline())) { return; }
    diagnose("the store does not have the change of the " + what + " yet; it gets it as soon as it answers");
}

/// All that the job's schedule has named up to this instant has its record.
inline void SchedulerCore::account(const Decision& decision) const noexcept {
    StoreWriter* const writer = log_->store_writer();
    if (writer == nullptr || !decision.accounted) { return; }
    try {
        writer->account(decision.job->id, *decision.accounted);
    } catch (const std::bad_alloc&) { return; } // the next one says more
}

/// Whether an attempt may have to wait for the store, or be given up for it.
inline bool SchedulerCore::asks_store(const Occurrence& occurrence) const noexcept {
    const JobPolicies& policies = occurrence.plan->policies;
    if (fleet_ != nullptr) { // a first attempt is claimed, and whoever takes over knows of it
        return policies.delivery == Delivery::at_most_once || occurrence.attempt != 1;
    }
    return log_->store_writer() != nullptr && policies.on_store_failure == OnStoreFailure::hold;
}

/// An attempt is about to begin: at most once means that a later process must know of it. In a fleet so must whoever
/// takes over know of further attempts, which wait for it as long as the lease runs.
inline bool SchedulerCore::is_confirmed(const Occurrence& occurrence) {
    StoreWriter* const writer = log_->store_writer();
    const bool is_once = occurrence.plan->policies.delivery == Delivery::at_most_once;
    if (fleet_ == nullptr) { return is_once ? writer->flush(writer->deadline()) : writer->is_available(); }
    while (!writer->flush(writer->deadline())) {
        Lock lock{mutex_};
        const auto is_over = [&] { return occurrence.is_ended || state_ == State::stopping; };
        if (is_once || changed_.wait_for(lock, std::chrono::milliseconds{50}, is_over) || !may_start()) {
            return false;
        }
    }
    return true;
}

/// In a fleet a further attempt begins once this process may start something again: as if no worker had taken it.
/// @returns Whether it waits.
inline bool SchedulerCore::wait_for_lease(const OccurrencePtr& occurrence) {
    const bool is_once = occurrence->plan->policies.delivery == Delivery::at_most_once;
    if (fleet_ == nullptr || is_once) { return false; }
    const Lock lock{mutex_};
    if (occurrence->is_ended || state_ != State::started) { return false; }
    try {
        enqueue(occurrence, lock);
    } catch (const std::bad_alloc&) { return false; }
    occurrence->phase = Occurrence::Phase::ready;
    occurrence->thread = {};
    occurrence->stop = std::stop_source{std::nostopstate};
    ++queued_;
    ++occurrence->job->queued;
    --running_;
    --occurrence->job->running;
    if (ConcurrencyGroup* const group = occurrence->plan->group; group != nullptr) { --group->running; }
    is_held_back_ = true;
    return true;
}

/// The store has not confirmed the attempt: it ends before it has begun.
inline void SchedulerCore::withhold(const OccurrencePtr& occurrence) {
    constexpr SkipReason reason = SkipReason::store_unavailable;
    if (wait_for_lease(occurrence)) { return; }
    bool is_to_record = false;
    {
        const Lock lock{mutex_};
        is_to_record = !std::exchange(occurrence->is_ended, true); // else it has been cancelled meanwhile
        if (is_to_record) {
            occurrence->job->last_skip = reason;
            occurrence->job->last_skip_at = occurrence->nominal ? occurrence->nominal : options_.clock.now();
        }
    }
    if (is_to_record && occurrence->attempt == 1) {
        skip_queued(*occurrence, occurrence->execution, reason);
    } else if (is_to_record) {
        log_->finish(occurrence->execution, JobStatus::cancelled, {}, {}, Finality::final_attempt);
    }
    settle_return(occurrence, Returning::now);
}

/// The last word before the end: what was recorded is to be in the store.
inline void SchedulerCore::write_last(StopReport& report) const {
    StoreWriter* const writer = log_->store_writer();
    if (writer == nullptr) { return; }
    const auto patience = std::max(options_.stop_patience, std::chrono::nanoseconds::zero());
    report.is_written = writer->flush(saturating_add(std::chrono::steady_clock::now(), patience));
    if (!report.is_written) { report.unwritten = writer->waiting(); }
}

} // namespace daybook::inline v0::detail

#endif
