// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_STORED_COUNTERS_HPP
#define DAYBOOK_LOG_STORED_COUNTERS_HPP

/// @file
/// Statistics as a store keeps them: rows of counts that are merged by adding, so that no record is ever counted twice
/// or by a scan.

#include <daybook/types.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace daybook::inline v0 {

/// Whose counts a row holds.
enum class CounterScope : std::uint8_t {
    lifetime,      ///< all, never reset; name and period are empty
    all,           ///< all since the last clear, or since counting began: that is what the period is
    handler,       ///< by handler since the last clear
    job,           ///< by job since the last clear
    model,         ///< by model since the last clear
    reason,        ///< `skipped` by reason since the last clear
    minute,        ///< all that ended within a minute
    hour,          ///< by handler: what ended within an hour
    hour_of_model, ///< by model: what ended within an hour
    day,           ///< all that ended within a day
};

/// The word in the tables, for instance "handler".
[[nodiscard]] constexpr std::string_view to_string(CounterScope scope) noexcept {
    switch (scope) {
    case CounterScope::lifetime: return "lifetime";
    case CounterScope::all: return "all";
    case CounterScope::handler: return "handler";
    case CounterScope::job: return "job";
    case CounterScope::model: return "model";
    case CounterScope::reason: return "reason";
    case CounterScope::minute: return "minute";
    case CounterScope::hour: return "hour";
    case CounterScope::hour_of_model: return "hour_of_model";
    case CounterScope::day: return "day";
    }
    return "unknown";
}

/// A distribution that can be added to another: nanoseconds.
struct StoredDistribution {
    std::uint64_t count = 0;
    double sum = 0.0;
    std::int64_t min = 0; ///< means nothing while `count` is 0, like `max`
    std::int64_t max = 0;

    /// The buckets of a LatencyHistogram that hold something, as "index:count" parted by blanks in order of the index.
    std::string buckets = {};

    friend bool operator==(const StoredDistribution&, const StoredDistribution&) = default;
};

/// What one node has counted for one scope, name and period: that is the key. All values only grow.
struct StoredCounters {
    std::string node = {};
    CounterScope scope = CounterScope::all;
    std::string name = {}; ///< "" for what has no place of its own, and where the scope has none

    /// The minute, hour or day: any instant within it. Of `all`, since when it counts; the epoch where there is none.
    sys_time period = {};

    std::uint64_t success = 0;
    std::uint64_t error = 0; ///< status `error` alone
    std::uint64_t timeout = 0;
    std::uint64_t abandoned = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t skipped = 0;
    std::uint64_t retries = 0;
    std::uint64_t requests_total = 0;
    std::uint64_t requests_completed = 0;
    std::uint64_t requests_failed = 0;
    StoredDistribution duration = {};
    StoredDistribution drift = {};       ///< scopes `all` and `handler` only
    StoredDistribution queue_delay = {}; ///< the same

    friend bool operator==(const StoredCounters&, const StoredCounters&) = default;
};

} // namespace daybook::inline v0

#endif
