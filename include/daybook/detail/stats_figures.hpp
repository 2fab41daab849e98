// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STATS_FIGURES_HPP
#define DAYBOOK_DETAIL_STATS_FIGURES_HPP

/// @file
/// How figures are shown, wherever they were counted: in memory or in a store.

#include <daybook/detail/period_ring.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <string>

namespace daybook::inline v0::detail {

[[nodiscard]] inline DurationStats durations_of(const DurationSum& sum) noexcept {
    return {.count = sum.count, .average_ms = sum.average_ms(), .min_ms = sum.min_ms(), .max_ms = sum.max_ms()};
}

/// The durations of all, under both of their names.
inline void show_duration(StatsSnapshot& all, const LatencySummary& duration) noexcept {
    all.duration = duration;
    all.average_duration_ms = duration.average_ms;
    all.min_ms = duration.min_ms;
    all.max_ms = duration.max_ms;
    all.p50_ms = duration.p50_ms;
    all.p95_ms = duration.p95_ms;
    all.p99_ms = duration.p99_ms;
    all.p999_ms = duration.p999_ms;
}

/// What the rest is called: something may really be called "other".
template <class Names>
[[nodiscard]] std::string free_name(const Names& taken) {
    std::string name = "other";
    while (taken.contains(name)) { name.insert(0, 1, '(') += ')'; }
    return name;
}

/// The hours that are kept of a range of time.
struct KeptHours {
    KeptHours(sys_time from, sys_time to, sys_time now) {
        const auto hour = width_of(TimelineResolution::hour);
        const PeriodKey oldest = first_period(now, hour, timeline_length(TimelineResolution::hour));
        const PeriodKey beyond = last_period(now, hour) + 1;
        under_way_ = period_of(now, hour);
        const PeriodKey wanted = period_of(from, hour);
        const PeriodKey wanted_end = period_of(to, hour) + (begin_of(period_of(to, hour), hour) < to ? 1 : 0);
        first = std::clamp(wanted, oldest, beyond);
        last = std::clamp(wanted_end, first, beyond) - 1;
        has_oldest = wanted >= oldest;
    }

    /// What the figures cover. The hour after the one under way, which is kept for what others record while the clock
    /// is read, is covered only where something counts in it.
    /// @param all  Its timeline is complete.
    void show(RangeStats& all) const {
        all.resolution = width_of(TimelineResolution::hour);
        all.from = begin_of(first, all.resolution);
        const bool is_last_used = !all.timeline.empty() && all.timeline.back().begin == begin_of(last, all.resolution);
        const bool ends_early = last >= first && last > under_way_ && !is_last_used;
        all.to = begin_of(ends_early ? last : last + 1, all.resolution);
    }

    PeriodKey first{};
    PeriodKey last{};        ///< included; before `first` where there is none
    bool has_oldest = false; ///< the range begins no earlier than what is kept

private:
    PeriodKey under_way_{};
};

} // namespace daybook::inline v0::detail

#endif
