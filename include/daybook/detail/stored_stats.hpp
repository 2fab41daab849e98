// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORED_STATS_HPP
#define DAYBOOK_DETAIL_STORED_STATS_HPP

/// @file
/// From the counters of a store to the figures that are shown: the same that StatsReader makes of Stats.

#include <daybook/detail/counter_book.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/detail/sparse_histogram.hpp>
#include <daybook/detail/stats_figures.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// The rows of all nodes, one for each scope, name and period.
class MergedCounters {
public:
    struct Key {
        CounterScope scope = CounterScope::all;
        bool is_rest = false;
        std::string name = {};
        PeriodKey period = 0;

        auto operator<=>(const Key&) const = default;
    };

    /// @param now  Since when is counted if the rows do not say.
    /// @throws StoreError  `refused`: a row holds a distribution that is none.
    MergedCounters(std::span<const StoredCounters> rows, sys_time now) : counted_since_{now} {
        bool is_first = true;
        for (const StoredCounters& row : rows) {
            const std::chrono::minutes width = width_of(row.scope);
            Key key{.scope = row.scope, .period = width.count() == 0 ? 0 : period_of(row.period, width)};
            if (has_names(row.scope)) {
                key.is_rest = row.name.empty();
                key.name = group_name(row.name);
            }
            rows_[std::move(key)] += tally_of(row);
            if (row.scope != CounterScope::all) { continue; }
            counted_since_ = is_first ? row.period : std::min(counted_since_, row.period);
            is_first = false;
        }
    }

    [[nodiscard]] sys_time counted_since() const noexcept { return counted_since_; }

    /// Calls `visit(const Key&, const CounterTally&)` for all rows of a scope, in order of the names, the rest last,
    /// and of the periods.
    template <class Visit>
    void for_each(CounterScope scope, Visit&& visit) const {
        for (auto at = rows_.lower_bound(Key{.scope = scope, .period = no_period});
             at != rows_.end() && at->first.scope == scope; ++at) {
            visit(at->first, at->second);
        }
    }

    /// The sum of a scope without names and periods.
    [[nodiscard]] CounterTally of(CounterScope scope) const {
        const auto found = rows_.find(Key{.scope = scope});
        return found == rows_.end() ? CounterTally{} : found->second;
    }

    /// The minutes, hours or days from `first` to `last` in which anything was counted.
    [[nodiscard]] std::vector<TimelineBucket> timeline(CounterScope scope, PeriodKey first, PeriodKey last) const {
        std::map<PeriodKey, CounterTally> periods;
        for_each(scope, [&](const Key& key, const CounterTally& tally) {
            if (key.period >= first && key.period <= last) { periods[key.period] += tally; }
        });
        std::vector<TimelineBucket> buckets;
        const auto open = std::make_unique<OpenPeriod<16>>(); // too large for the stack of a small thread
        for (const auto& [key, tally] : periods) {
            open->tally = tally.tally;
            open->duration = tally.duration.histogram();
            const ClosedPeriod closed = ClosedPeriod::from(key, *open);
            if (closed.is_used()) { buckets.push_back(closed.bucket(width_of(scope))); }
        }
        return buckets;
    }

    /// All rows as those of one node.
    [[nodiscard]] std::vector<StoredCounters> stored(std::string_view node) const {
        std::vector<StoredCounters> all;
        all.reserve(rows_.size());
        for (const auto& [key, tally] : rows_) {
            const std::chrono::minutes width = width_of(key.scope);
            const sys_time period = key.scope == CounterScope::all ? counted_since_
                                    : width.count() == 0           ? sys_time{}
                                                                   : begin_of(key.period, width);
            std::string name = has_names(key.scope) ? stored_name({key.name, key.is_rest}) : std::string{};
            all.push_back(tally.stored(node, key.scope, std::move(name), period));
        }
        return all;
    }

    /// Counts the names of two scopes past `most` with the rest: those by which the fewest executions were counted.
    /// @param of_period  The scope that has the hours of the same names.
    void trim(CounterScope scope, CounterScope of_period, std::size_t most) {
        std::vector<std::pair<std::uint64_t, std::string>> names;
        for_each(scope, [&](const Key& key, const CounterTally& tally) {
            if (!key.is_rest) { names.emplace_back(executions(tally), key.name); }
        });
        if (names.size() <= most) { return; }
        std::sort(names.begin(), names.end(), std::greater<>{});
        std::set<std::string, std::less<>> gone;
        for (std::size_t i = most; i < names.size(); ++i) { gone.insert(std::move(names[i].second)); }
        Rows kept;
        for (auto& [key, tally] : rows_) {
            Key target = key;
            if ((key.scope == scope || key.scope == of_period) && !key.is_rest && gone.contains(key.name)) {
                target.is_rest = true;
                target.name.clear();
            }
            kept[std::move(target)] += tally;
        }
        rows_ = std::move(kept);
    }

    /// Forgets periods that no timeline shows any more.
    void forget_old(sys_time now) {
        std::erase_if(rows_, [&](const auto& row) {
            const std::chrono::minutes width = width_of(row.first.scope);
            return width.count() != 0 && row.first.period < period_of(now, width) - kept_for(row.first.scope) / width;
        });
    }

    /// Final executions, cancelled ones included.
    [[nodiscard]] static std::uint64_t executions(const CounterTally& counted) noexcept {
        const OutcomeTally& tally = counted.tally;
        return tally.of(JobStatus::success) + tally.errors() + tally.of(JobStatus::cancelled);
    }

private:
    using Rows = std::map<Key, CounterTally>;

    static CounterTally tally_of(const StoredCounters& row) {
        CounterTally merged;
        OutcomeTally& tally = merged.tally;
        tally.of(JobStatus::success) = row.success;
        tally.of(JobStatus::error) = row.error;
        tally.of(JobStatus::timeout) = row.timeout;
        tally.of(JobStatus::abandoned) = row.abandoned;
        tally.of(JobStatus::cancelled) = row.cancelled;
        tally.of(JobStatus::skipped) = row.skipped;
        tally.retries = row.retries;
        tally.requests = {
            .total = row.requests_total, .completed = row.requests_completed, .failed = row.requests_failed};
        merged.duration = SparseHistogram{row.duration};
        merged.drift = SparseHistogram{row.drift};
        merged.queue_delay = SparseHistogram{row.queue_delay};
        return merged;
    }

    Rows rows_;
    sys_time counted_since_;
};

/// Puts sums by name where they are shown, those that are `true` for `is_shown` alone.
/// @param names  All there are, also those with nothing to count.
/// @returns The name of the rest; empty where there is none.
template <class Sums, class All, class IsShown, class Show>
std::string show_by_name(const Sums& sums, All& all, std::set<std::string, std::less<>> names, IsShown&& is_shown,
                         Show&& show) {
    std::string rest;
    for (const auto& [group, sum] : sums) {
        if (!group.first) { names.insert(group.second); }
    }
    for (const auto& [group, sum] : sums) {
        if (!is_shown(group.first, sum)) { continue; }
        if (group.first) { rest = free_name(names); }
        show(all[group.first ? rest : group.second], sum);
    }
    return rest;
}

/// Sums of rows by group; the rest is `true`, and comes last.
using SumsByGroup = std::map<std::pair<bool, std::string>, CounterTally>;

[[nodiscard]] inline SumsByGroup sums_of(const MergedCounters& merged, CounterScope scope, PeriodKey first = no_period,
                                         PeriodKey last = no_period) {
    SumsByGroup sums;
    merged.for_each(scope, [&](const MergedCounters::Key& key, const CounterTally& tally) {
        if (first == no_period || (key.period >= first && key.period <= last)) {
            sums[{key.is_rest, key.name}] += tally;
        }
    });
    return sums;
}

[[nodiscard]] inline std::set<std::string, std::less<>> names_in(const MergedCounters& merged, CounterScope scope) {
    std::set<std::string, std::less<>> names;
    merged.for_each(scope, [&](const MergedCounters::Key& key, const CounterTally&) {
        if (!key.is_rest) { names.insert(key.name); }
    });
    return names;
}

/// All figures of all nodes; what is in flight or retained, and the rates, are for the caller to fill in.
/// @param now  Where the timeline ends.
/// @throws StoreError  `refused`: a row holds a distribution that is none.
[[nodiscard]] inline StatsSnapshot snapshot_of(std::span<const StoredCounters> rows, sys_time now) {
    const MergedCounters merged{rows, now};
    const CounterTally total = merged.of(CounterScope::all);
    StatsSnapshot all;
    static_cast<OutcomeCounts&>(all) = total.tally.counts();
    all.counted_since = merged.counted_since();
    all.lifetime = merged.of(CounterScope::lifetime).tally.counts();
    all.lifetime_executions = all.lifetime.total_executions;
    show_duration(all, total.duration.histogram().summary());
    all.drift = total.drift.histogram().summary();
    all.queue_delay = total.queue_delay.histogram().summary();

    all.rest_of_handlers = show_by_name(
        sums_of(merged, CounterScope::handler), all.by_handler, {},
        [](bool is_rest, const CounterTally& sum) {
            return !is_rest || sum.tally.is_used() || sum.duration.sum().count != 0;
        },
        [](HandlerStats& stats, const CounterTally& sum) {
            static_cast<OutcomeCounts&>(stats) = sum.tally.counts();
            stats.total = stats.total_executions;
            stats.success = stats.success_count;
            stats.error = stats.error_count;
            stats.duration = sum.duration.histogram().summary();
            stats.avg_duration_ms = stats.duration.average_ms;
            stats.drift = durations_of(sum.drift.sum());
            stats.queue_delay = durations_of(sum.queue_delay.sum());
        });
    all.rest_of_jobs = show_by_name(
        sums_of(merged, CounterScope::job), all.by_job, {},
        [](bool is_rest, const CounterTally& sum) { return !is_rest || sum.tally.is_used(); },
        [](JobStats& stats, const CounterTally& sum) { static_cast<OutcomeCounts&>(stats) = sum.tally.counts(); });
    all.rest_of_models = show_by_name(
        sums_of(merged, CounterScope::model), all.by_model, {},
        [](bool, const CounterTally& sum) { return MergedCounters::executions(sum) != 0; },
        [](std::uint64_t& count, const CounterTally& sum) { count = MergedCounters::executions(sum); });

    for (std::size_t i = 1; i <= static_cast<std::size_t>(SkipReason::store_unavailable); ++i) {
        all.skips_by_reason.emplace(to_string(static_cast<SkipReason>(i)), 0);
    }
    merged.for_each(CounterScope::reason, [&](const MergedCounters::Key& key, const CounterTally& tally) {
        const auto reason = all.skips_by_reason.find(key.name);
        if (reason != all.skips_by_reason.end()) { reason->second += tally.tally.of(JobStatus::skipped); }
    });

    const auto timeline = [&](CounterScope scope, TimelineResolution resolution) {
        const auto width = width_of(resolution);
        return merged.timeline(scope, first_period(now, width, timeline_length(resolution)), last_period(now, width));
    };
    all.timeline.minutes = timeline(CounterScope::minute, TimelineResolution::minute);
    all.timeline.hours = timeline(CounterScope::hour, TimelineResolution::hour);
    all.timeline.days = timeline(CounterScope::day, TimelineResolution::day);
    return all;
}

/// What ended from `from` up to `to`, as Stats::range has it.
/// @throws StoreError  `refused`: a row holds a distribution that is none.
[[nodiscard]] inline RangeStats range_of(std::span<const StoredCounters> rows, sys_time from, sys_time to,
                                         sys_time now) {
    const MergedCounters merged{rows, now};
    RangeStats all;
    const KeptHours hours{from, to, now};
    const PeriodKey first = hours.first;
    const PeriodKey last = hours.last;
    all.is_complete = from >= merged.counted_since() && hours.has_oldest;

    const SumsByGroup handlers = sums_of(merged, CounterScope::hour, first, last);
    OutcomeTally tally;
    DurationSum duration;
    for (const auto& [group, sum] : handlers) {
        tally += sum.tally;
        duration += sum.duration.sum();
    }
    static_cast<OutcomeCounts&>(all) = tally.counts();
    all.duration = durations_of(duration);
    all.timeline = merged.timeline(CounterScope::hour, first, last);
    hours.show(all);
    all.rest_of_handlers = show_by_name(
        handlers, all.by_handler, names_in(merged, CounterScope::handler),
        [](bool, const CounterTally& sum) { return sum.tally.is_used() || sum.duration.sum().count != 0; },
        [](HandlerRangeStats& stats, const CounterTally& sum) {
            static_cast<OutcomeCounts&>(stats) = sum.tally.counts();
            stats.duration = durations_of(sum.duration.sum());
        });
    all.rest_of_models = show_by_name(
        sums_of(merged, CounterScope::hour_of_model, first, last), all.by_model, names_in(merged, CounterScope::model),
        [](bool, const CounterTally& sum) { return MergedCounters::executions(sum) != 0; },
        [](std::uint64_t& count, const CounterTally& sum) { count = MergedCounters::executions(sum); });
    return all;
}

/// The rows of all nodes as rows of one, whose name no process must bear, and which must not be empty in a store (that
/// is the node of the opening there). What a process counts from now on stands beside them.
/// @throws StoreError  `refused`: a row holds a distribution that is none.
[[nodiscard]] inline std::vector<StoredCounters> folded(std::span<const StoredCounters> rows, std::string_view node) {
    return MergedCounters{rows, sys_time::max()}.stored(node);
}

/// The same without the periods that nobody is shown any more, and with no more names than `options` allow for: those
/// by which the fewest executions were counted join the rest.
[[nodiscard]] inline std::vector<StoredCounters> folded(std::span<const StoredCounters> rows, std::string_view node,
                                                        const LogOptions& options, sys_time now) {
    MergedCounters merged{rows, now};
    merged.forget_old(now);
    merged.trim(CounterScope::handler, CounterScope::hour, options.max_tracked_handlers);
    merged.trim(CounterScope::job, CounterScope::job, options.max_tracked_jobs);
    merged.trim(CounterScope::model, CounterScope::hour_of_model,
                2 * std::min(options.max_tracked_handlers, std::size_t{1} << 20U));
    return merged.stored(node);
}

/// For a process that runs for long: whether a row is of a period that nobody is shown any more.
[[nodiscard]] inline bool is_outdated(const StoredCounters& row, sys_time now) noexcept {
    const std::chrono::minutes width = width_of(row.scope);
    return width.count() != 0 && period_of(row.period, width) < period_of(now, width) - kept_for(row.scope) / width;
}

} // namespace daybook::inline v0::detail

#endif
