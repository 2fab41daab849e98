// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_RESTORE_HPP
#define DAYBOOK_DETAIL_SCHEDULER_RESTORE_HPP

/// @file
/// What an earlier process has left in the store: its jobs, what their schedules owe, and what it did not finish.

#include <daybook/detail/scheduler_keep.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What was found when the log was opened.
inline void SchedulerCore::take_stored() {
    StoreWriter* const writer = log_->store_writer();
    if (writer == nullptr) { return; }
    for (StoredJob& job : writer->take_jobs()) {
        std::string id = job.id;
        stored_.insert_or_assign(std::move(id), std::make_shared<const StoredJob>(std::move(job)));
    }
    if (writer->fleet() == nullptr) { unfinished_ = writer->take_unfinished(); } // else see take_over
}

/// What an earlier process has left of a job that is not here yet; null: nothing.
inline std::shared_ptr<const StoredJob> SchedulerCore::stored_as(std::string_view id) const {
    const Lock lock{mutex_};
    const auto found = stored_.find(id);
    return found == stored_.end() ? nullptr : found->second;
}

/// Makes the jobs again that came as data. What cannot be made stays in the store as it is.
inline void SchedulerCore::restore_jobs() {
    std::vector<std::shared_ptr<const StoredJob>> missing;
    {
        const Lock lock{mutex_};
        for (const auto& [id, stored] : stored_) {
            if (stored->is_from_data && !find(id, lock)) { missing.push_back(stored); }
        }
    }
    for (const auto& stored : missing) {
        try {
            JobFunction function = handlers_.at(stored->handler_id, stored->method_name);
            std::string told;
            insert(options_of(*stored), std::move(function), IfPresent::refuse, JobOrigin::handler, told);
        } catch (const std::bad_alloc&) { throw; } catch (const JobExists&) { // the program was faster
        } catch (const std::exception& error) {
            diagnose("the job '" + stored->id + "' cannot be made again, and stays in the store: " + error.what());
        }
    }
}

/// When the schedule of a job begins that an earlier process may have known. Outside the lock, as first_due.
/// @param told  Gets what the program ought to know.
inline Owed SchedulerCore::resumed_due(const JobPlan& plan, const StoredJob* stored, const Moment& began,
                                       std::string& told) const {
    constexpr std::chrono::hours waited_for{3}; // as for a wall clock that was set back; see leave_timeline
    std::optional<sys_time> accounted;
    bool is_same = stored != nullptr && plan.kept;
    if (is_same && stored->schedule != plan.kept->schedule) {
        told = "the schedule of the job '" + stored->id + "' was '" + stored->schedule + "' and is '" +
               plan.kept->schedule + "' now: it counts from now";
        is_same = false;
    }
    is_same = is_same && plan.is_readable;
    if (is_same && is_on_calendar(plan.schedule)) { accounted = stored->accounted_to; }
    if (accounted && plan.schedule.once() == nullptr &&
        *accounted > saturating_add(began.wall, std::chrono::microseconds{waited_for})) {
        told = "the wall clock was set back by hours since the job '" + stored->id + "' was due: it counts from now";
        accounted.reset();
    }
    Owed first = first_due(plan, began.wall, began.steady, accounted);
    const bool is_counted =
        plan.schedule.limits().times && (!plan.schedule.limits().from || plan.is_after_completion());
    if (!is_same || !is_counted || !first.error.empty()) { return first; }
    try {
        const AtWork at_work{*this};
        if (is_on_calendar(plan.schedule) && stored->accounted_to) {
            first.left = left_then(plan.schedule, *stored, *stored->accounted_to);
        } else if (stored->left) {
            first.left = stored->left;
        }
    } catch (const std::bad_alloc&) { throw; } catch (...) {
        first.error = describe_exception(std::current_exception());
    }
    return first;
}

/// What an earlier process has begun and not finished: each gets its end, and the next attempt where one is owed.
inline void SchedulerCore::resume_occurrences(const Moment& began) {
    std::vector<StoredExecution> rows;
    {
        const Lock lock{mutex_};
        rows.swap(unfinished_);
    }
    bool is_store_asked = true;
    std::size_t settled = 0;
    std::size_t resumed = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // In their order, and before all that comes due now.
        const std::chrono::nanoseconds ahead{static_cast<std::int64_t>(rows.size() - i)};
        try {
            settled += is_finished(rows[i].status) ? 0U : 1U;
            resumed += resume(rows[i], saturating_subtract(began.steady, ahead), is_store_asked) ? 1U : 0U;
        } catch (...) {
            const Lock lock{mutex_};
            unfinished_.assign(std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(i)),
                               std::make_move_iterator(rows.end()));
            throw;
        }
    }
    if (rows.empty()) { return; }
    diagnose("an earlier process has left " + std::to_string(settled) +
             " executions unfinished, which are abandoned; " + std::to_string(resumed) +
             " occurrences are attempted again");
}

/// One of them.
/// @param row             What has been settled of it is not settled again.
/// @param ended_when      Just now: it is `abandoned` in the store, which nobody has counted.
/// @param is_barred       In a fleet: the next attempt waits for the job's claims from before.
/// @param is_store_asked  About earlier attempts: no more once it has failed.
/// @returns Whether another attempt follows.
inline bool SchedulerCore::resume(StoredExecution& row, steady_time due, bool& is_store_asked, Ended ended_when,
                                  bool is_barred) {
    StoreWriter* const writer = log_->store_writer();
    JobPtr job;
    PlanPtr plan;
    {
        const Lock lock{mutex_};
        job = find(row.job_id, lock);
        if (job) { plan = job->plan; }
    }
    constexpr std::uint32_t most_in_a_row = 3;
    const bool was_open = !is_finished(row.status) || ended_when == Ended::just_now;
    const bool is_abandoned = was_open || row.status == JobStatus::abandoned;
    const std::uint32_t abandoned = is_abandoned ? 1 + abandoned_before(row, is_store_asked) : 0;
    bool goes_on = plan && (row.trigger != Trigger::manual || !is_cut(row.parameters));
    if (goes_on && is_abandoned) {
        goes_on = plan->policies.delivery == Delivery::at_least_once && abandoned < most_in_a_row;
    } else if (goes_on) { // the program's own callable has decided before
        const std::uint32_t most = plan->policies.retry.max_attempts();
        goes_on = most == 0 || row.attempt_number < most;
    }
    // Who took it over before did not live to say that it was the last.
    const bool is_unsettled = fleet_ != nullptr && is_abandoned && !goes_on && !row.is_final;
    if (was_open || is_unsettled) {
        StoredExecution ended = row;
        ended.status = JobStatus::abandoned;
        if (!ended.completed_at) { ended.completed_at = options_.clock.now(); }
        ended.duration.reset();
        ended.is_final = !goes_on;
        writer->settle(ended, Known::by_claim);
        row.status = JobStatus::abandoned;
    } else if (!goes_on) {
        const Execution never = log_->start(HashedNames{row.job_id, row.handler_id, row.method_name},
                                            {.attempt_number = row.attempt_number + 1,
                                             .occurrence_id = row.occurrence_id,
                                             .scheduled_at = row.scheduled_at,
                                             .trigger = row.trigger,
                                             .dst = row.dst,
                                             .parameters = row.parameters},
                                            JobStatus::queued);
        log_->finish(never, JobStatus::cancelled, {}, {}, Finality::final_attempt);
    }
    if (!goes_on) { return false; }
    auto occurrence = std::make_shared<Occurrence>();
    occurrence->job = job;
    occurrence->plan = plan;
    if (row.parameters != plan->parameters && !is_cut(row.parameters)) { occurrence->own_parameters = row.parameters; }
    occurrence->id = row.occurrence_id;
    occurrence->attempt = row.attempt_number;
    occurrence->abandoned = abandoned;
    occurrence->nominal = row.scheduled_at;
    occurrence->trigger = row.trigger;
    occurrence->dst = row.dst;
    occurrence->is_claimed = fleet_ != nullptr;
    occurrence->phase = Occurrence::Phase::retrying; // as if its time had come: the dispatcher sees to the rest
    decltype(job->resumed) place{occurrence};
    const Lock lock{mutex_};
    if (state_ != State::started) { return false; } // stopped meanwhile: the next process takes it up
    reserve_place(lock);
    take_place(occurrence, lock);
    occurrence->is_barred = is_barred;
    waits_elsewhere_ = waits_elsewhere_ || is_barred;             // see follow_claims
    if (plan->policies.overlap == Overlap::allow && !is_barred) { // else it is one of those that catch up in a row
        ++job->in_progress;
        push_due(attempts_due_, occurrence->index, due, lock);
    } else {
        occurrence->is_resumed = true;
        job->resumed.splice(job->resumed.end(), place);
        begin_resumed(job, due, lock);
    }
    return true;
}

/// How many attempts in a row were abandoned before this one, as far as that matters. Where the store does not say, all
/// of them: what kills its process is not to be attempted for ever.
inline std::uint32_t SchedulerCore::abandoned_before(const StoredExecution& row, bool& is_store_asked) const {
    const std::uint32_t before = row.attempt_number - 1;
    if (before == 0) { return 0; }
    if (!is_store_asked) { return before; }
    const StoreWriter* const writer = log_->store_writer();
    try {
        StoreQuery query{.status = JobStatus::abandoned, .limit = 4};
        query.filter.job_id = row.job_id;
        query.filter.occurrence_id = row.occurrence_id;
        const StoredPage page = writer->store().read(query, writer->deadline());
        std::uint32_t in_a_row = 0;
        while (in_a_row < before && std::ranges::any_of(page.executions, [&](const StoredExecution& other) {
                   return other.attempt_number + in_a_row == before;
               })) {
            ++in_a_row;
        }
        return in_a_row;
    } catch (const StoreError& error) {
        is_store_asked = false;
        diagnose(std::string{"the store does not say how earlier attempts have ended: "} + error.what());
        return before;
    }
}

} // namespace daybook::inline v0::detail

#endif
