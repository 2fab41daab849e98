// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULER_HANDLE_HPP
#define DAYBOOK_SCHEDULER_HANDLE_HPP

/// @file
/// Commands and questions without ownership: what a scheduler gives to those who may outlive it.

#include <daybook/detail/scheduler_configure.hpp>
#include <daybook/detail/scheduler_fleet.hpp>
#include <daybook/detail/scheduler_stop.hpp>
#include <daybook/detail/scheduler_takeover.hpp>
#include <daybook/fwd.hpp>
#include <daybook/job/job.hpp>
#include <daybook/job/job_query.hpp>
#include <daybook/scheduler_options.hpp>

#include <cstddef>
#include <cstdint>
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

    /// See AnyScheduler::configure.
    /// @throws std::invalid_argument  An option is out of its range, or the job cannot be made of that handler.
    JobChange configure(JobOptions options, std::uint64_t revision) const {
        return core_->configure(std::move(options), revision);
    }

    /// See AnyScheduler::refresh.
    std::size_t refresh() const { return core_->refresh(); }

    /// See AnyScheduler::pause.
    /// @returns Whether there is such a job.
    bool pause(std::string_view id) const { return core_->set_paused(id, true); }

    /// See AnyScheduler::resume.
    /// @returns Whether there is such a job.
    bool resume(std::string_view id) const { return core_->set_paused(id, false); }

    /// See AnyScheduler::remove.
    /// @returns Whether there was such a job.
    bool remove(std::string_view id) const { return core_->remove(id); }

    /// See AnyScheduler::remove_if.
    JobChange remove_if(std::string_view id, std::uint64_t revision) const { return core_->remove_if(id, revision); }

    /// See AnyScheduler::jobs.
    [[nodiscard]] std::vector<JobInfo> jobs() const { return core_->jobs(); }

    /// See AnyScheduler::jobs.
    /// @throws std::invalid_argument  The cursor is not of an earlier page.
    [[nodiscard]] JobPage jobs(const JobQuery& query) const { return core_->jobs(query); }

    /// See AnyScheduler::job_count.
    [[nodiscard]] std::size_t job_count() const { return core_->job_count(); }

    /// See AnyScheduler::next_runs.
    [[nodiscard]] std::vector<sys_time> next_runs(std::string_view id, std::size_t count) const {
        return core_->next_runs(id, count);
    }

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
