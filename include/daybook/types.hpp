// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TYPES_HPP
#define DAYBOOK_TYPES_HPP

/// @file
/// The words that every part of daybook shares: instants, ids, statuses, states, reasons.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0 {

/// An instant on the wall clock, UTC, with microseconds: what records keep and what people read.
using sys_time = std::chrono::sys_time<std::chrono::microseconds>;

/// An instant on the steady clock: what durations, intervals, retries and timeouts are measured with.
using steady_time = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// Names one execution within one log; larger means handed over later. Never 0 for a record that exists.
using ExecutionId = std::uint64_t;

/// Names one occurrence; all attempts of an occurrence share it.
using OccurrenceId = std::uint64_t;

/// Where one execution stands. All but `queued` and `running` are finished for good.
enum class JobStatus : std::uint8_t {
    queued,    ///< handed over, waits for a worker
    running,   ///< its body has begun
    success,   ///< its body returned
    error,     ///< its body threw, or reported a failure
    timeout,   ///< its deadline passed; the body may still be on its way out
    cancelled, ///< ended on request: overlap policy, removal or stop
    abandoned, ///< nobody is left who could finish it
    skipped,   ///< the occurrence was not run; SkipReason says why
};

/// Why an occurrence was not run.
enum class SkipReason : std::uint8_t {
    none,                   ///< it was not skipped
    overlap,                ///< an earlier occurrence of the job was still in progress
    misfire,                ///< it was noticed too late, or coalesced into a later one
    paused,                 ///< the job was paused
    queue_full,             ///< too many executions were waiting for a worker
    removed,                ///< the job was removed while the execution waited
    shutdown,               ///< the scheduler was stopped while the execution waited
    cancelled_while_queued, ///< cancelled before a worker took it
    store_unavailable,      ///< the store could not confirm the claim
};

/// Where a job stands.
enum class JobState : std::uint8_t {
    pending,   ///< the scheduler has not been started, or the job waits for a worker
    scheduled, ///< waits for its next occurrence
    executing, ///< a body of it is running
    paused,    ///< its occurrences are skipped until `resume`
    completed, ///< its schedule is over, and its last execution succeeded, or there was none
    failed,    ///< its schedule is over, and its last execution failed
    removed,   ///< forgotten as soon as its last body returns
};

/// What made an occurrence due.
enum class Trigger : std::uint8_t {
    schedule, ///< its schedule
    manual,   ///< a call of `trigger`, or a program that records its own executions
    catch_up, ///< a missed nominal time that the misfire policy made good
};

/// How a nominal time came about on a day when the clocks changed.
enum class ClockChange : std::uint8_t {
    none,          ///< an ordinary local time
    after_gap,     ///< the local time does not exist; the occurrence was moved to the end of the gap
    first_of_two,  ///< the local time comes twice, this is the earlier one
    second_of_two, ///< the local time comes twice, this is the later one
};

/// The lower-case word of the wire formats, for instance "running".
[[nodiscard]] constexpr std::string_view to_string(JobStatus status) noexcept {
    switch (status) {
    case JobStatus::queued: return "queued";
    case JobStatus::running: return "running";
    case JobStatus::success: return "success";
    case JobStatus::error: return "error";
    case JobStatus::timeout: return "timeout";
    case JobStatus::cancelled: return "cancelled";
    case JobStatus::abandoned: return "abandoned";
    case JobStatus::skipped: return "skipped";
    }
    return "unknown";
}

/// @copydoc to_string(JobStatus)
[[nodiscard]] constexpr std::string_view to_string(SkipReason reason) noexcept {
    switch (reason) {
    case SkipReason::none: return "none";
    case SkipReason::overlap: return "overlap";
    case SkipReason::misfire: return "misfire";
    case SkipReason::paused: return "paused";
    case SkipReason::queue_full: return "queue_full";
    case SkipReason::removed: return "removed";
    case SkipReason::shutdown: return "shutdown";
    case SkipReason::cancelled_while_queued: return "cancelled_while_queued";
    case SkipReason::store_unavailable: return "store_unavailable";
    }
    return "unknown";
}

/// @copydoc to_string(JobStatus)
[[nodiscard]] constexpr std::string_view to_string(JobState state) noexcept {
    switch (state) {
    case JobState::pending: return "pending";
    case JobState::scheduled: return "scheduled";
    case JobState::executing: return "executing";
    case JobState::paused: return "paused";
    case JobState::completed: return "completed";
    case JobState::failed: return "failed";
    case JobState::removed: return "removed";
    }
    return "unknown";
}

/// @copydoc to_string(JobStatus)
[[nodiscard]] constexpr std::string_view to_string(Trigger trigger) noexcept {
    switch (trigger) {
    case Trigger::schedule: return "schedule";
    case Trigger::manual: return "manual";
    case Trigger::catch_up: return "catch_up";
    }
    return "unknown";
}

/// @copydoc to_string(JobStatus)
[[nodiscard]] constexpr std::string_view to_string(ClockChange change) noexcept {
    switch (change) {
    case ClockChange::none: return "none";
    case ClockChange::after_gap: return "after_gap";
    case ClockChange::first_of_two: return "first_of_two";
    case ClockChange::second_of_two: return "second_of_two";
    }
    return "unknown";
}

/// The status that a word of the wire formats names; empty for any other text (case matters).
[[nodiscard]] constexpr std::optional<JobStatus> parse_job_status(std::string_view word) noexcept {
    for (auto status : {JobStatus::queued, JobStatus::running, JobStatus::success, JobStatus::error, JobStatus::timeout,
                        JobStatus::cancelled, JobStatus::abandoned, JobStatus::skipped}) {
        if (to_string(status) == word) { return status; }
    }
    return std::nullopt;
}

/// Whether an execution with this status can still change.
[[nodiscard]] constexpr bool is_finished(JobStatus status) noexcept {
    return status != JobStatus::queued && status != JobStatus::running;
}

/// Whether this status counts as a failure in statistics: `error`, `timeout` and `abandoned`.
[[nodiscard]] constexpr bool is_failure(JobStatus status) noexcept {
    return status == JobStatus::error || status == JobStatus::timeout || status == JobStatus::abandoned;
}

} // namespace daybook::inline v0

#endif
