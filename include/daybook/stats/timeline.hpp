// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_TIMELINE_HPP
#define DAYBOOK_STATS_TIMELINE_HPP

/// @file
/// How much, when: what ended in each minute, hour and day, as far back as is kept.

#include <daybook/stats/outcome_counts.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace daybook::inline v0 {

/// How long one bucket of a timeline is.
enum class TimelineResolution : std::uint8_t { minute, hour, day };

/// Buckets kept, the one under way included: two hours of minutes, a week of hours, and 120 days.
[[nodiscard]] constexpr std::size_t timeline_length(TimelineResolution resolution) noexcept {
    switch (resolution) {
    case TimelineResolution::minute: return 120;
    case TimelineResolution::hour: return 168;
    case TimelineResolution::day: return 120;
    }
    return 0;
}

/// How long a bucket is: 1 minute, 1 hour or 24 hours.
[[nodiscard]] constexpr std::chrono::minutes width_of(TimelineResolution resolution) noexcept {
    switch (resolution) {
    case TimelineResolution::minute: return std::chrono::minutes{1};
    case TimelineResolution::hour: return std::chrono::hours{1};
    case TimelineResolution::day: return std::chrono::hours{24};
    }
    return {};
}

/// What ended (was skipped) from `begin` on, before the next bucket begins.
struct TimelineBucket : OutcomeCounts {
    /// A whole minute, hour or day since the epoch, UTC.
    sys_time begin = {};

    /// Of every attempt that ran, as in StatsSnapshot. Of a bucket that the wall clock has gone through twice,
    /// percentiles are those of the time through that measured more.
    LatencySummary duration = {};
};

/// Buckets in order of time, the newest last. Those in which nothing ended are left out.
///
/// A bucket holds what ended while the wall clock showed its time (an execution ends at its `completed_at`), so:
/// - Where the clock is set back by more than a minute, the buckets of the time that comes again are added to. Those
///   that are now ahead are not shown until the clock has come to them again. Set back by a minute or less, what ends
///   counts in the bucket that was under way, until the clock has caught up.
/// - Where the clock is set forward, the time between stays empty, and what is now too old is not shown. A bucket is
///   given up only when its place is needed: after a clock that was years ahead for a moment is set right, all the
///   others are shown again.
struct Timeline {
    std::vector<TimelineBucket> minutes = {};
    std::vector<TimelineBucket> hours = {};
    std::vector<TimelineBucket> days = {};

    [[nodiscard]] const std::vector<TimelineBucket>& of(TimelineResolution resolution) const noexcept {
        switch (resolution) {
        case TimelineResolution::minute: return minutes;
        case TimelineResolution::hour: return hours;
        case TimelineResolution::day: return days;
        }
        return minutes;
    }
};

} // namespace daybook::inline v0

#endif
