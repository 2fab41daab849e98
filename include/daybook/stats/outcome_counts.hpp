// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_OUTCOME_COUNTS_HPP
#define DAYBOOK_STATS_OUTCOME_COUNTS_HPP

/// @file
/// The figures that every group of executions has: how many ended how, and how long they took.

#include <cstdint>

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
    double p999_ms = 0.0; ///< 99.9 percent take no longer
};

/// What executions worked through, as JobContext::progress counts it.
struct RequestCounts {
    std::uint64_t total = 0;
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;

    friend bool operator==(const RequestCounts&, const RequestCounts&) = default;
};

/// Counts of final executions since start or the last clear, unless the group says of what time.
struct OutcomeCounts {
    std::uint64_t total_executions = 0; ///< `success_count + error_count`
    std::uint64_t success_count = 0;
    std::uint64_t error_count = 0; ///< errors, timeouts and abandoned ones together
    std::uint64_t timeout_count = 0;
    std::uint64_t abandoned_count = 0;
    std::uint64_t cancelled_count = 0; ///< stands apart from the total
    std::uint64_t skipped_count = 0;   ///< occurrences, not records
    std::uint64_t retry_count = 0;     ///< attempts after the first that ran and have ended

    /// Successes among `total_executions` in percent, rounded to two decimals; 100.0 when there are none.
    double success_rate = 100.0;

    /// What final executions, cancelled ones included, worked through. One that reported nothing is one request, which
    /// was completed if it succeeded and failed if it failed. Sums stop at 2^64 - 1.
    RequestCounts requests = {};
};

} // namespace daybook::inline v0

#endif
