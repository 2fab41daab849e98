// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_JOBS_HPP
#define DAYBOOK_DETAIL_SCHEDULER_JOBS_HPP

/// @file
/// How jobs come, change and go, and what the scheduler says of them.

#include <daybook/detail/scheduler_core.hpp>
#include <daybook/detail/stored_jobs.hpp>
#include <daybook/schedule/describe.hpp>
#include <daybook/schedule/schedule_text.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// The plan that options describe, with every default filled in; without the callable.
/// @param command  What was called, for the message.
inline std::shared_ptr<JobPlan> SchedulerCore::plan_of(JobOptions from, const char* command) {
    const auto refuse = [&](const std::string& what) {
        throw std::invalid_argument{std::string{command} + "(\"" + from.id + "\"): " + what};
    };
    if (from.id.empty() || from.id.size() > HashedNames::max_bytes) { refuse("the id must have 1 to 255 bytes"); }
    if (from.handler_id.size() > HashedNames::max_bytes) { refuse("handler_id must have at most 255 bytes"); }
    if (from.method_name.size() > HashedNames::max_bytes) { refuse("method_name must have at most 255 bytes"); }
    const auto zero = std::chrono::nanoseconds::zero();
    if (from.timeout.value_or(zero) < zero) { refuse("timeout must not be negative; 0 is none"); }
    if (from.stale_after < zero) { refuse("stale_after must not be negative; 0 is never"); }
    if (from.misfire_grace.value_or(zero) < zero) { refuse("misfire_grace must not be negative"); }
    const bool is_at_most_once = from.delivery.value_or(options_.delivery) == Delivery::at_most_once;
    if (log_->store_writer() && is_at_most_once && from.on_store_failure == OnStoreFailure::run_anyway) {
        refuse("on_store_failure must be hold for at_most_once: what no store knows of could run twice");
    }
    Schedule schedule = from.schedule.bound_to(from.id);
    check_fleet(from, schedule, command);
    const std::shared_ptr<const StoredJob> kept = log_->store_writer() ? stored_job(from, schedule) : nullptr;

    auto plan = std::make_shared<JobPlan>();
    plan->handler_id = from.handler_id.empty() ? from.id : std::move(from.handler_id);
    plan->method_name = std::move(from.method_name);
    plan->parameters = std::move(from.parameters);
    plan->group_name = std::move(from.group);
    plan->is_readable = kept && is_read_as(kept->schedule, schedule);
    plan->is_anchored = fleet_ != nullptr;
    if (plan->is_anchored && schedule.interval() != nullptr && !schedule.limits().from) {
        plan->unanchored = schedule;
        schedule = schedule.from(sys_time{}); // the epoch
    }
    plan->schedule = std::move(schedule);
    plan->kept = kept;
    plan->policies = {.retry = from.retry.value_or(options_.retry),
                      .timeout = from.timeout.value_or(options_.timeout),
                      .overlap = from.overlap.value_or(options_.overlap),
                      .misfire = from.misfire.value_or(options_.misfire),
                      .delivery = from.delivery.value_or(options_.delivery),
                      .on_store_failure = is_at_most_once || fleet_ != nullptr
                                              ? OnStoreFailure::hold
                                              : from.on_store_failure.value_or(options_.on_store_failure),
                      .misfire_grace = from.misfire_grace.value_or(options_.misfire_grace),
                      .max_catch_up = from.max_catch_up.value_or(options_.max_catch_up),
                      .priority = from.priority,
                      .stale_after = from.stale_after};
    const auto group = groups_.find(plan->group_name.empty() ? plan->handler_id : plan->group_name);
    if (group != groups_.end()) { plan->group = &group->second; }
    if (fleet_ != nullptr) {
        plan->fleet_group = plan->group_name.empty() ? plan->handler_id : plan->group_name;
        const auto limit = options_.fleet->group_limits.find(plan->fleet_group);
        plan->fleet_limit = limit == options_.fleet->group_limits.end() ? 0 : limit->second;
        if (plan->fleet_limit == 0) { plan->fleet_group.clear(); }
    }
    plan->names.emplace(log_, HashedNames{from.id, plan->handler_id, plan->method_name});
    return plan;
}

/// @returns Whether there was a job with this id.
inline bool SchedulerCore::add(JobOptions from, JobFunction function, IfPresent if_present, JobOrigin origin) {
    const std::string id = from.id;
    std::string told;
    const bool was_there = insert(std::move(from), std::move(function), if_present, origin, told);
    if (!told.empty()) { diagnose(told); }
    keep_change(id, was_there ? Kept::planned_anew : Kept::added);
    return was_there;
}

/// @param told  Gets what the program ought to know.
inline bool SchedulerCore::insert(JobOptions from, JobFunction function, IfPresent if_present, JobOrigin origin,
                                  std::string& told) {
    const bool may_replace = if_present == IfPresent::replace;
    const std::string id = from.id;
    const bool is_paused = from.is_paused;
    if (may_replace) { await_due(); }
    const std::shared_ptr<JobPlan> plan = plan_of(std::move(from), may_replace ? "add_or_replace" : "add");
    count_ahead(plan->schedule, now().wall);
    plan->function = std::move(function);
    plan->origin = origin;
    auto job = std::make_shared<Job>();
    job->id = id;
    job->plan = plan;

    PlanPtr replaced; // destroyed outside the locks, perhaps with the callable
    const Lock held = may_replace ? hold_dispatch() : Lock{};
    std::optional<AtDispatch> dispatching;
    if (may_replace) { dispatching.emplace(*this); }
    const Moment began = now();
    const std::shared_ptr<const StoredJob> stored = stored_as(id);
    const Owed first = resumed_due(*plan, stored.get(), began, told);
    const Lock lock{mutex_};
    if (state_ == State::stopping) { throw std::logic_error{"add(\"" + id + "\"): the scheduler has stopped"}; }
    if (const JobPtr present = find(id, lock)) {
        if (!may_replace) { throw JobExists{"add(\"" + id + "\"): there is a job with this id already"}; }
        leave_behind(present, began, lock);
        replaced = present->plan;
        replace_plan(present, plan, first, lock);
        return true;
    }
    if (free_indices_.empty()) {
        const auto items = static_cast<std::uint32_t>(by_index_.size() + 1);
        wall_due_.reserve(items);
        steady_due_.reserve(items);
        stale_due_.reserve(items);
        if (free_indices_.capacity() < items) { free_indices_.reserve(2 * std::size_t{items}); }
        by_index_.push_back(nullptr);
        free_indices_.push_back(items - 1); // as are all that follow: there is room for every one
    }
    jobs_.emplace(job->id, job);
    job->index = free_indices_.back();
    job->created_at = stored ? stored->created_at : began.wall;
    free_indices_.pop_back();
    by_index_[job->index] = job;
    job->is_paused.count_in(paused_);
    job->is_stale.count_in(stale_);
    job->revision = ++last_revision_;
    job->is_paused = stored ? stored->is_paused : is_paused;
    if (job->is_paused) { job->paused_since = began.wall; }
    job->is_to_keep = true;
    job->stored = stored;
    if (stored) { stored_.erase(id); }
    if (state_ == State::started) {
        begin_schedule(*job, first, lock);
        job->stored.reset();
    } else {
        told.clear(); // the start asks again
    }
    return false;
}

/// A job that is made of a handler.
inline void SchedulerCore::add_named(JobOptions from) {
    JobFunction function = handlers_.at(from.handler_id.empty() ? from.id : from.handler_id, from.method_name);
    add(std::move(from), std::move(function), IfPresent::refuse, JobOrigin::handler);
}

/// @returns Whether there is such a job.
inline bool SchedulerCore::update(JobOptions from) {
    const std::string id = from.id;
    const bool is_done = change(std::move(from));
    if (is_done) { keep_change(id, Kept::planned_anew); }
    return is_done;
}

/// What an update does not say stays as it is.
inline void keep_unsaid(JobOptions& from, const JobPlan& present) {
    const auto keep = [](std::string& said, const std::string& known) {
        if (said.empty()) { said = known; }
    };
    keep(from.handler_id, present.handler_id);
    keep(from.method_name, present.method_name);
    keep(from.parameters, present.parameters);
    keep(from.group, present.group_name);
}

inline bool SchedulerCore::change(JobOptions from) {
    const std::string id = from.id;
    await_due(); // what has come due by now is settled by the old plan
    {
        const Lock lock{mutex_};
        if (const JobPtr job = find(id, lock)) { keep_unsaid(from, *job->plan); }
    }
    const std::shared_ptr<JobPlan> plan = plan_of(std::move(from), "update");
    count_ahead(plan->schedule, now().wall);
    PlanPtr replaced;
    const Lock held = hold_dispatch(); // what comes due from here on follows the new plan
    const AtDispatch dispatching{*this};
    const Moment began = now();
    const Owed first = first_due(*plan, began.wall, began.steady);
    const Lock lock{mutex_};
    const JobPtr job = find(id, lock);
    if (!job) { return false; }
    leave_behind(job, began, lock);
    replaced = job->plan;
    plan->function = replaced->function;
    plan->origin = replaced->origin;
    replace_plan(job, plan, first, lock);
    return true;
}

/// What is in progress or waiting goes on as it began; what is due from now on follows the new plan.
inline void SchedulerCore::replace_plan(const JobPtr& job, const PlanPtr& plan, const Owed& first, const Lock& lock) {
    wall_due_.erase(job->index);
    steady_due_.erase(job->index);
    job->wall_due.reset();
    job->steady_due.reset();
    job->is_over = false;
    job->is_settling = false;
    std::optional<steady_time> watched_since; // for being stale: goes on
    if (stale_due_.contains(job->index)) {
        watched_since = saturating_subtract(stale_due_.key(job->index), job->plan->policies.stale_after);
    }
    job->plan = plan;
    job->revision = ++last_revision_;
    job->is_to_keep = true;
    if (plan->policies.stale_after == std::chrono::nanoseconds::zero()) {
        job->is_stale = false;
        stale_due_.erase(job->index);
    }
    if (state_ == State::started) { begin_schedule(*job, first, lock); }
    if (watched_since && stale_due_.contains(job->index)) {
        stale_due_.erase(job->index);
        push_due(stale_due_, job->index, saturating_add(*watched_since, plan->policies.stale_after), lock);
    }
}

inline SchedulerCore::JobPtr SchedulerCore::find(std::string_view id, const Lock& /*lock*/) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : found->second;
}

/// Out of the heaps and the map; occurrences that go on keep it alive.
inline void SchedulerCore::forget(const JobPtr& job, const Lock& /*lock*/) {
    wall_due_.erase(job->index);
    steady_due_.erase(job->index);
    stale_due_.erase(job->index);
    by_index_[job->index] = nullptr;
    free_indices_.push_back(job->index);
    jobs_.erase(job->id);
    job->is_removed = true;
    job->is_paused.leave();
    job->is_stale.leave();
}

/// @param revision  That it must still have; none: any.
inline JobChange SchedulerCore::remove_if(std::string_view id, std::optional<std::uint64_t> revision, Removed where) {
    await_due(); // what has come due by now is still accounted for
    Decisions decisions;
    JobPtr job;
    {
        const Lock lock{mutex_};
        job = find(id, lock);
        if (!job) { return JobChange::unknown_job; }
        if (revision && job->revision != *revision) { return JobChange::changed_meanwhile; }
        const auto goes = [&](const OccurrencePtr& occurrence) {
            return occurrence && occurrence->job == job && occurrence->phase != Occurrence::Phase::running;
        };
        for (const OccurrencePtr& occurrence : occurrences_) {
            if (goes(occurrence)) { decide_end(occurrence, SkipReason::removed, decisions); }
        }
        leave_behind(job, now(), lock);
        forget(job, lock); // nothing fails from here on
        for (std::size_t i = 0; i < occurrences_.size(); ++i) {
            const OccurrencePtr occurrence = occurrences_[i];
            if (goes(occurrence)) { drop(occurrence, SkipReason::removed, lock); }
        }
        ++busy_;
    }
    carry_out(decisions);
    flush_posts();
    if (where == Removed::elsewhere) { return JobChange::done; }
    forget_kept(job->id);
    if (log_->store_writer() != nullptr && !AtWork::is_inside(*this)) { await_store("job '" + job->id + "'"); }
    return JobChange::done;
}

/// What has come due by now is settled as the job was until now.
/// @returns Whether that changed anything.
inline bool SchedulerCore::change_pause(const JobPtr& job, bool is_paused, const Lock& lock) {
    if (job->is_paused == is_paused) { return false; }
    leave_behind(job, now(), lock);
    job->is_paused = is_paused;
    job->revision = ++last_revision_;
    job->is_to_keep = true;
    job->paused_since = is_paused ? std::optional{options_.clock.now()} : std::nullopt;
    if (!is_paused && !job->is_stale && !job->is_over) { watch_staleness(*job, lock); }
    return true;
}

inline bool SchedulerCore::set_paused(std::string_view id, bool is_paused) {
    dispatch_unless_busy();
    {
        const Lock lock{mutex_};
        const JobPtr job = find(id, lock);
        if (!job) { return false; }
        if (!change_pause(job, is_paused, lock)) { return true; }
    }
    keep_change(id, Kept::paused);
    return true;
}

/// @returns How many jobs that has changed.
inline std::size_t SchedulerCore::set_all_paused(bool is_paused) {
    dispatch_unless_busy();
    std::size_t changed = 0;
    {
        const Lock lock{mutex_};
        for (const auto& [id, job] : jobs_) {
            if (change_pause(job, is_paused, lock)) { ++changed; }
        }
    }
    keep_all(AtWork::is_inside(*this) ? Waits::no : Waits::yes);
    return changed;
}

inline TriggerReport SchedulerCore::trigger(std::string_view id, TriggerOptions options) {
    if (fleet_ != nullptr) { return trigger_in_fleet(id, std::move(options)); }
    Decisions decisions;
    OccurrencePtr occurrence;
    {
        const Lock lock{mutex_};
        if (state_ == State::stopping) { return {.outcome = TriggerOutcome::stopped}; }
        const JobPtr job = find(id, lock);
        if (!job) { return {.outcome = TriggerOutcome::unknown_job}; }
        if (options.revision && job->revision != *options.revision) {
            return {.outcome = TriggerOutcome::changed_meanwhile};
        }
        const Admission from{job, job->plan, std::nullopt, Trigger::manual, job->plan->policies.overlap};
        occurrence = admit(from, decisions, lock);
        if (occurrence) { occurrence->own_parameters = std::move(options.parameters); }
        ++busy_;
    }
    ExecutionId id_given = carry_out(decisions);
    flush_posts();
    if (occurrence && id_given == 0) { id_given = take_back(occurrence); }
    return {.outcome = occurrence ? TriggerOutcome::queued : TriggerOutcome::skipped, .id = id_given};
}

/// There was no memory to hand an occurrence over: it has never been, unless somebody else hands it over now.
/// @returns The id of its record.
/// @throws std::bad_alloc  It has been taken back.
inline ExecutionId SchedulerCore::take_back(const OccurrencePtr& occurrence) {
    Decisions taken;
    std::size_t posts = 0;
    {
        const Lock lock{mutex_};
        const auto failed = std::ranges::find_if(postponed_, [&](const Decision& decision) {
            return decision.kind == Decision::Kind::hand_over && decision.occurrence == occurrence;
        });
        if (failed == postponed_.end() || occurrence->is_recorded) { return occurrence->id; }
        taken.splice(taken.end(), postponed_, failed);
        drop(occurrence, SkipReason::none, lock);
        if (release_next(occurrence->job, lock)) { ++posts; }
    }
    post(posts);
    throw std::bad_alloc{};
}

/// By the wall clock as of now; empty when the job waits for nothing.
inline std::optional<sys_time> SchedulerCore::next_run_of(const Job& job, sys_time wall, steady_time steady) {
    if (job.steady_due) {
        const auto wait = saturating_difference(steady_due(job.plan->schedule, *job.steady_due), steady);
        return wall + std::chrono::ceil<std::chrono::microseconds>(wait);
    }
    return job.wall_due ? std::optional{job.plan->wall_due(*job.wall_due)} : std::nullopt;
}

inline JobState SchedulerCore::state_of(const Job& job, const Lock& /*lock*/) const {
    if (job.is_removed) { return JobState::removed; }
    if (job.running != 0) { return JobState::executing; }
    if (job.is_paused) { return JobState::paused; }
    if (state_ == State::pending || job.queued != 0) { return JobState::pending; }
    if (!job.is_over || !job.is_idle()) { return JobState::scheduled; }
    const bool failed = !job.schedule_error.empty() || (job.last_status && *job.last_status != JobStatus::success);
    return failed ? JobState::failed : JobState::completed;
}

/// Without what tell_plan adds.
inline JobInfo SchedulerCore::describe(const Job& job, sys_time wall, steady_time steady, const Lock& lock) const {
    JobInfo info;
    info.id = job.id;
    info.created_at = job.created_at;
    info.revision = job.revision;
    info.state = state_of(job, lock);
    info.last_start = job.last_start;
    info.last_success = job.last_success;
    info.last_status = job.last_status;
    info.is_stale = job.is_stale;
    info.running = job.running;
    info.queued = job.queued;
    info.is_paused = job.is_paused;
    info.schedule_error = job.schedule_error;
    if (!job.is_over && !job.is_removed) { info.next_run = next_run_of(job, wall, steady); }
    return info;
}

/// Outside the lock: copies and words take their time.
inline void SchedulerCore::tell_plan(const JobPlan& plan, JobInfo& info) {
    info.handler_id = plan.handler_id;
    info.method_name = plan.method_name;
    info.parameters = plan.parameters;
    info.group = plan.group_name;
    info.origin = plan.origin;
    info.retry = plan.policies.retry;
    info.timeout = plan.policies.timeout;
    info.overlap = plan.policies.overlap;
    info.misfire = plan.policies.misfire;
    info.delivery = plan.policies.delivery;
    info.misfire_grace = plan.policies.misfire_grace;
    info.max_catch_up = plan.policies.max_catch_up;
    info.on_store_failure = plan.policies.on_store_failure;
    info.priority = plan.policies.priority;
    info.stale_after = plan.policies.stale_after;
    info.when = plan.given();
    info.schedule = to_string(info.when);
    info.description = daybook::describe(info.when);
}

inline std::vector<JobInfo> SchedulerCore::jobs() const {
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    std::vector<JobInfo> all;
    std::vector<PlanPtr> described;
    {
        const Lock lock{mutex_};
        all.reserve(jobs_.size());
        described.reserve(jobs_.size());
        const auto add = [&](const JobPtr& job) {
            all.push_back(describe(*job, wall, steady, lock));
            described.push_back(job->plan);
        };
        for (const auto& [id, job] : jobs_) { add(job); }
        for (const JobPtr& job : leaving_jobs(lock)) { add(job); }
    }
    for (std::size_t i = 0; i < all.size(); ++i) { tell_plan(*described[i], all[i]); }
    std::ranges::stable_sort(all, {}, &JobInfo::id);
    return all;
}

inline std::optional<JobInfo> SchedulerCore::job(std::string_view id) const {
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    PlanPtr plan;
    JobInfo info;
    {
        const Lock lock{mutex_};
        const JobPtr job = find(id, lock);
        if (!job) { return std::nullopt; }
        info = describe(*job, wall, steady, lock);
        plan = job->plan;
    }
    tell_plan(*plan, info);
    return info;
}

} // namespace daybook::inline v0::detail

#endif
