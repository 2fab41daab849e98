// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_JOB_EXECUTION_RECORD_HPP
#define DAYBOOK_LOG_JOB_EXECUTION_RECORD_HPP

/// @file
/// What is known of one execution, as a value that a program may keep.

#include <daybook/detail/saturate.hpp>
#include <daybook/fwd.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// How far a running execution has come, in whatever unit the job counts.
struct Progress {
    std::uint64_t done = 0;
    std::uint64_t total = 0; ///< 0: not known
    std::uint64_t failed = 0;

    friend bool operator==(const Progress&, const Progress&) = default;
};

/// Everything that is known of one execution but its result: one attempt to run one occurrence of a job, or the
/// occurrences that were skipped in a row.
struct ExecutionFacts {
    ExecutionId id = 0;
    OccurrenceId occurrence_id = 0; ///< the same for all attempts of an occurrence
    std::string job_id = {};
    std::string handler_id = {}; ///< the job id where none was given
    std::string method_name = {};

    std::optional<sys_time> scheduled_at = {}; ///< the nominal time; empty for a manual trigger
    std::optional<sys_time> queued_at = {};    ///< handed over to the workers; empty when it was started directly
    std::optional<sys_time> started_at = {};   ///< empty while queued and for skips
    std::optional<sys_time> completed_at = {}; ///< `started_at` + `duration`; for a skip, when it was last counted
    std::optional<std::chrono::nanoseconds> duration = {}; ///< by the steady clock; empty unless it ran and has ended

    JobStatus status = JobStatus::queued;
    std::optional<std::string> error = {};
    std::uint32_t attempt_number = 1; ///< 1 is the first try
    bool is_final = false;            ///< no attempt of this occurrence follows
    Trigger trigger = Trigger::schedule;

    std::optional<std::uint64_t> records_processed = {};
    std::optional<Progress> progress = {};
    std::optional<std::uint32_t> worker = {}; ///< which of the scheduler's workers ran it, from 0
    std::string node = {};                    ///< the process that ran it, where several share a store

    SkipReason reason = SkipReason::none;
    std::uint64_t skip_count = 0;       ///< how many occurrences in a row a `skipped` record stands for
    bool skip_count_is_minimum = false; ///< there were at least `skip_count`; counting further was pointless
    ClockChange dst = ClockChange::none;

    std::string log_text = {};
    std::string parameters = {};
    std::vector<std::pair<std::string, std::string>> metadata = {};

    /// Start against nominal time, for a scheduled first attempt that has started; never negative.
    [[nodiscard]] std::optional<std::chrono::microseconds> drift() const {
        if (!scheduled_at || !started_at || attempt_number != 1) { return std::nullopt; }
        return std::max(std::chrono::microseconds::zero(), detail::saturating_difference(*started_at, *scheduled_at));
    }

    /// Waiting for a worker: start against hand-over; never negative.
    [[nodiscard]] std::optional<std::chrono::microseconds> queue_delay() const {
        if (!queued_at || !started_at) { return std::nullopt; }
        return std::max(std::chrono::microseconds::zero(), detail::saturating_difference(*started_at, *queued_at));
    }
};

/// One execution with what its job returned. A copy taken when it was asked for: it does not change when the execution
/// goes on.
template <class Result>
struct JobExecutionRecord : ExecutionFacts {
    std::optional<Result> result = {}; ///< empty unless the status is `success` and the job returned something
};

} // namespace daybook::inline v0

#endif
