// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_EVENTS_HPP
#define DAYBOOK_DETAIL_SCHEDULER_EVENTS_HPP

/// @file
/// What the scheduler tells the program through its hooks.

#include <daybook/detail/scheduler_dispatch.hpp>
#include <daybook/log/scoped_execution.hpp>

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace daybook::inline v0::detail {

inline void SchedulerCore::skip_queued(const Occurrence& occurrence, const Execution& execution, SkipReason reason) {
    log_->skip_queued(execution, reason);
    tell_skip(*occurrence.plan, occurrence.job->id, {.reason = reason, .scheduled_at = occurrence.nominal},
              execution.id);
}

inline void SchedulerCore::tell_skip(const JobPlan& plan, const std::string& id, const SkipStart& skip,
                                     ExecutionId record) const {
    if (!options_.hooks.on_skip) { return; }
    tell(options_.hooks.on_skip, [&] {
        JobEvent event = event_of(plan, nullptr, {});
        event.job_id = id;
        event.execution_id = record;
        event.scheduled_at = skip.scheduled_at;
        event.reason = skip.reason;
        event.skip_count = skip.occurrences;
        return event;
    });
}

inline JobEvent SchedulerCore::event_of(const JobPlan& plan, const Occurrence* occurrence, const Execution& execution) {
    JobEvent event;
    event.handler_id = plan.handler_id;
    event.method_name = plan.method_name;
    event.execution_id = execution.id;
    if (occurrence != nullptr) {
        event.job_id = occurrence->job->id;
        event.attempt_number = occurrence->attempt;
        event.scheduled_at = occurrence->nominal;
    }
    return event;
}

/// User code, under no lock; what it throws goes no further than to the other hook.
inline void SchedulerCore::tell(const Hook& hook, const JobEvent& event) const {
    if (!hook) { return; }
    try {
        hook(event);
    } catch (...) {
        try {
            diagnose("a hook threw: " + describe_exception(std::current_exception()));
        } catch (const std::exception&) { return; } // no memory for the text
    }
}

/// First that it is stale, then that it has recovered: on whichever thread it does, while the hook is told.
inline void SchedulerCore::tell_stale(const JobPtr& job, const JobEvent& event) {
    tell(options_.hooks.on_stale, event);
    std::optional<JobEvent> recovery;
    {
        const Lock lock{mutex_};
        if (const auto told = telling_stale_.find(job.get()); told != telling_stale_.end()) {
            recovery.swap(told->second);
            telling_stale_.erase(told);
        }
    }
    if (recovery) { tell(options_.hooks.on_recovered, *recovery); }
}

/// The same of an event that is made for it: what there is no memory for is not told.
template <class Make>
requires std::is_invocable_v<const Make&>
void SchedulerCore::tell(const Hook& hook, const Make& make) const {
    JobEvent event;
    try {
        event = make();
    } catch (const std::bad_alloc&) { return diagnose("no memory to tell a hook what has happened"); }
    tell(hook, event);
}

inline void SchedulerCore::diagnose(std::string_view what) const {
    if (!options_.hooks.on_diagnostic) { return; }
    try {
        options_.hooks.on_diagnostic(what);
    } catch (...) { return; } // there is nobody left to tell
}

} // namespace daybook::inline v0::detail

#endif
