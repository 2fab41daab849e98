// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_STATS_SNAPSHOT_HPP
#define DAYBOOK_STATS_STATS_SNAPSHOT_HPP

/// @file
/// The figures of a log at one moment, under the names that the JSON has.

#include <daybook/stats/outcome_counts.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace daybook::inline v0 {

/// How long something took where no histogram is kept: exact, without percentiles. All are 0 when nothing was measured.
struct DurationStats {
    std::uint64_t count = 0; ///< of executions: attempts that ran, failures and timeouts included, cancelled ones not
    double average_ms = 0.0;
    double min_ms = 0.0;
    double max_ms = 0.0;
};

/// One handler's share. Counts bear both of the names in use.
struct HandlerStats : OutcomeCounts {
    std::uint64_t total = 0;   ///< the same as `total_executions`
    std::uint64_t success = 0; ///< the same as `success_count`
    std::uint64_t error = 0;   ///< the same as `error_count`
    double avg_duration_ms = 0.0;
    LatencySummary duration = {};   ///< of every attempt that ran, failures and timeouts included, cancelled ones not
    DurationStats drift = {};       ///< as StatsSnapshot::drift
    DurationStats queue_delay = {}; ///< as StatsSnapshot::queue_delay
};

/// One job's share; jobs beyond `max_tracked_jobs` are counted together (StatsSnapshot::rest_of_jobs).
struct JobStats : OutcomeCounts {};

/// Final executions that ended lately.
struct RateStats {
    std::uint64_t executions = 0; ///< success or failure; cancelled ones are not counted
    std::uint64_t errors = 0;     ///< failures among them
    double per_minute = 0.0;      ///< `executions`, divided by the minutes that the window has
};

/// Rates over windows that end now. A window moves in steps of 5 s, so that a job that runs every minute always counts
/// once in `last_minute`. It is measured on the steady clock: setting the wall clock changes no rate. A window that is
/// longer than the program has run, or than the last clear is ago, counts what there was.
struct Rates {
    RateStats last_minute = {};
    RateStats last_5_minutes = {};
    RateStats last_15_minutes = {};
    RateStats last_hour = {};
};

/// All figures of a log. What is inherited, and all that says nothing else, counts since start or the last clear.
struct StatsSnapshot : OutcomeCounts {
    sys_time counted_since = {};           ///< start or the last clear
    std::uint64_t queued = 0;              ///< waiting for a worker now
    std::uint64_t running = 0;             ///< running now
    std::uint64_t retained = 0;            ///< finished records in the buffer
    std::uint64_t lifetime_executions = 0; ///< final executions ever, never reset: `lifetime.total_executions`
    OutcomeCounts lifetime = {};           ///< all counts since start, never reset
    double buffer_utilization = 0.0;       ///< `retained` / capacity, 0 to 1

    double average_duration_ms = 0.0;
    double min_ms = 0.0;
    double max_ms = 0.0;
    double p50_ms = 0.0;
    double p95_ms = 0.0;
    double p99_ms = 0.0;
    double p999_ms = 0.0;
    LatencySummary duration = {};    ///< the same figures as one value
    LatencySummary drift = {};       ///< start after nominal time, scheduled first attempts; early ones count as 0
    LatencySummary queue_delay = {}; ///< waiting for a worker

    std::map<std::string, HandlerStats, std::less<>> by_handler = {};
    std::map<std::string, JobStats, std::less<>> by_job = {};
    /// The name in `by_handler` under which those past `max_tracked_handlers` are counted together: `other`, in
    /// parentheses if a handler is called that, and so on. Empty: there are none.
    std::string rest_of_handlers = {};
    std::string rest_of_jobs = {}; ///< The same in `by_job` for those past `max_tracked_jobs`.
    /// Final executions, cancelled ones included, by the value of the metadata entry that LogOptions::model_key names,
    /// and by handler where they have none.
    std::map<std::string, std::uint64_t, std::less<>> by_model = {};
    std::string rest_of_models = {}; ///< The same in `by_model` for those past twice `max_tracked_handlers`.
    std::map<std::string, std::uint64_t, std::less<>> by_status = {}; ///< records retained or in flight, by status
    std::map<std::string, std::uint64_t, std::less<>> skips_by_reason = {}; ///< every reason; occurrences, not records

    Rates rates = {};
    Timeline timeline = {};
};

/// One handler's share of a range of time.
struct HandlerRangeStats : OutcomeCounts {
    DurationStats duration = {};
};

/// What ended within a range of time, answered from hourly buckets: nothing is scanned, and evicted records count too.
/// Of the time before the last clear nothing is known.
struct RangeStats : OutcomeCounts {
    sys_time from = {}; ///< what the figures cover: what was asked for, to the whole hours around it, of those kept
    sys_time to = {};   ///< not included; at most the end of the hour under way
    std::chrono::minutes resolution = std::chrono::hours{1};

    /// Whether nothing is missing: what was asked for begins neither before the oldest hour kept nor before
    /// StatsSnapshot::counted_since, and no hour of it gave up its place to one of a wall clock that was far off.
    bool is_complete = true;

    DurationStats duration = {};
    std::map<std::string, HandlerRangeStats, std::less<>> by_handler = {}; ///< those with something to count
    std::string rest_of_handlers = {};                                     ///< as StatsSnapshot has it
    std::map<std::string, std::uint64_t, std::less<>> by_model = {};       ///< the same
    std::string rest_of_models = {};                                       ///< the same
    std::vector<TimelineBucket> timeline = {};                             ///< hours, as in Timeline
};

} // namespace daybook::inline v0

#endif
