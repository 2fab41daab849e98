// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULER_HOOKS_HPP
#define DAYBOOK_SCHEDULER_HOOKS_HPP

/// @file
/// What a scheduler tells the program while it happens.

#include <daybook/types.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0 {

/// Something that happened to a job.
struct JobEvent {
    std::string job_id = {};
    std::string handler_id = {};
    std::string method_name = {};
    ExecutionId execution_id = 0; ///< of the execution, or of the record of the skip; 0 where there is none
    std::uint32_t attempt_number = 1;
    bool is_final = true; ///< false: a retry follows
    std::optional<sys_time> scheduled_at = {};
    std::string error = {};                    ///< of a failure, as the record has it
    SkipReason reason = SkipReason::none;      ///< of a skip
    std::uint64_t skip_count = 0;              ///< occurrences that were skipped together
    std::optional<sys_time> last_success = {}; ///< for `on_stale` and `on_recovered`: of the job's, before this
};

/// Called while things happen; each may be empty. They run on the thread that found out, which may be one that
/// calls `remove`, `update` or `stop`, under no lock of the scheduler, and may call the scheduler. A hook holds up the
/// job or the timer that it is called from, so it should hand on what takes time: a `stop` from elsewhere waits for it
/// as for the job, and for one on the timer's thread however long it takes; a `stop` that a hook calls does not wait.
/// What one throws goes to `on_diagnostic`, and what that throws is dropped.
struct SchedulerHooks {
    std::function<void(const JobEvent&)> on_start = {};   ///< a body is about to run
    std::function<void(const JobEvent&)> on_success = {}; ///< it succeeded
    std::function<void(const JobEvent&)> on_error = {};   ///< an attempt failed
    std::function<void(const JobEvent&)> on_timeout = {}; ///< an attempt passed its deadline; its body may still run
    std::function<void(const JobEvent&)> on_skip = {};    ///< occurrences did not run
    /// A job has not succeeded for JobOptions::stale_after. Once, until it has recovered.
    std::function<void(const JobEvent&)> on_stale = {};
    std::function<void(const JobEvent&)> on_recovered = {}; ///< a stale job has succeeded
    /// What is odd and not about one job: the wall clock was set back by hours, an executor refuses work, a hook threw.
    std::function<void(std::string_view)> on_diagnostic = {};
};

} // namespace daybook::inline v0

#endif
