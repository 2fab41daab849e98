// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULER_HANDLE_HPP
#define DAYBOOK_SCHEDULER_HANDLE_HPP

/// @file
/// Commands and questions without ownership: what a scheduler gives to those who may outlive it.

#include <daybook/detail/scheduler_stop.hpp>
#include <daybook/fwd.hpp>
#include <daybook/job/job.hpp>
#include <daybook/scheduler_options.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Refers to a scheduler; copies refer to the same one. It keeps neither threads nor jobs: destroying the scheduler
/// ends both, and from then on there is no job any more, and `trigger` answers TriggerOutcome::stopped.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment. Every member may be called from inside a
/// job.
class SchedulerHandle {
public:
    /// See AnyScheduler::trigger.
    TriggerReport trigger(std::string_view id, TriggerOptions options = {}) const {
        return core_->trigger(id, std::move(options));
    }

    /// See AnyScheduler::add.
    /// @throws std::invalid_argument  There is no such handler, or an option is out of its range.
    void add(JobOptions options) const { core_->add_named(std::move(options)); }

    /// See AnyScheduler::update.
    /// @returns Whether there is such a job.
    bool update(JobOptions options) const { return core_->update(std::move(options)); }

    /// See AnyScheduler::pause.
    /// @returns Whether there is such a job.
    bool pause(std::string_view id) const { return core_->set_paused(id, true); }

    /// See AnyScheduler::resume.
    /// @returns Whether there is such a job.
    bool resume(std::string_view id) const { return core_->set_paused(id, false); }

    /// See AnyScheduler::remove.
    /// @returns Whether there was such a job.
    bool remove(std::string_view id) const { return core_->remove(id); }

    /// See AnyScheduler::jobs.
    [[nodiscard]] std::vector<JobInfo> jobs() const { return core_->jobs(); }

    /// See AnyScheduler::job.
    [[nodiscard]] std::optional<JobInfo> job(std::string_view id) const { return core_->job(id); }

    /// See AnyScheduler::explain.
    [[nodiscard]] std::string explain(std::string_view id) const { return core_->explain(id); }

    /// See AnyScheduler::health.
    [[nodiscard]] SchedulerHealth health() const { return core_->health(); }

private:
    friend class AnyScheduler;

    explicit SchedulerHandle(std::shared_ptr<detail::SchedulerCore> core) noexcept : core_{std::move(core)} {}

    std::shared_ptr<detail::SchedulerCore> core_;
};

} // namespace daybook::inline v0

#endif
