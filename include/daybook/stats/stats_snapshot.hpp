// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_STATS_SNAPSHOT_HPP
#define DAYBOOK_STATS_STATS_SNAPSHOT_HPP

/// @file
/// The figures of a log at one moment, under the names that the JSON has.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace daybook::inline v0 {

/// A distribution in milliseconds. All are 0.0 when nothing was measured.
struct LatencySummary {
    std::uint64_t count = 0; ///< values measured
    double average_ms = 0.0;
    double min_ms = 0.0;
    double max_ms = 0.0;
    double p50_ms = 0.0;
    double p95_ms = 0.0;
    double p99_ms = 0.0;
};

/// Counts of final executions since start or the last clear.
struct OutcomeCounts {
    std::uint64_t total_executions = 0; ///< `success_count + error_count`
    std::uint64_t success_count = 0;
    std::uint64_t error_count = 0; ///< errors, timeouts and abandoned ones together
    std::uint64_t timeout_count = 0;
    std::uint64_t abandoned_count = 0;
    std::uint64_t cancelled_count = 0; ///< stands apart from the total
    std::uint64_t skipped_count = 0;   ///< occurrences, not records
    std::uint64_t retry_count = 0;     ///< attempts after the first that have ended

    /// Successes among `total_executions` in percent, rounded to two decimals; 100.0 when there are none.
    double success_rate = 100.0;
};

/// One handler's share. Counts bear both of the names in use.
struct HandlerStats : OutcomeCounts {
    std::uint64_t total = 0;   ///< the same as `total_executions`
    std::uint64_t success = 0; ///< the same as `success_count`
    std::uint64_t error = 0;   ///< the same as `error_count`
    double avg_duration_ms = 0.0;
    LatencySummary duration = {}; ///< of every attempt that ran, failures and timeouts included, cancelled ones not
};

/// One job's share; jobs beyond `max_tracked_jobs` are counted together as `other`.
struct JobStats : OutcomeCounts {};

/// What StatsSnapshot says of the buffer and of what is under way.
struct StatsSnapshot : OutcomeCounts {
    std::uint64_t queued = 0;              ///< waiting for a worker now
    std::uint64_t running = 0;             ///< running now
    std::uint64_t retained = 0;            ///< finished records in the buffer
    std::uint64_t lifetime_executions = 0; ///< final executions ever, never reset
    double buffer_utilization = 0.0;       ///< `retained` / capacity, 0 to 1

    double average_duration_ms = 0.0;
    double min_ms = 0.0;
    double max_ms = 0.0;
    double p50_ms = 0.0;
    double p95_ms = 0.0;
    double p99_ms = 0.0;
    LatencySummary duration = {};    ///< the same figures as one value
    LatencySummary drift = {};       ///< start against nominal time, scheduled first attempts
    LatencySummary queue_delay = {}; ///< waiting for a worker

    std::map<std::string, HandlerStats, std::less<>> by_handler = {}; ///< "other" past `max_tracked_handlers`
    std::map<std::string, JobStats, std::less<>> by_job = {};         ///< "other" past `max_tracked_jobs`
    std::map<std::string, std::uint64_t, std::less<>> by_status = {}; ///< records retained or in flight, by status
};

} // namespace daybook::inline v0

#endif
