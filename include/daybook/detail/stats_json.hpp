// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STATS_JSON_HPP
#define DAYBOOK_DETAIL_STATS_JSON_HPP

/// @file
/// Figures as the executions API writes them: first the fields that clients of the format know, in the order in which
/// they know them, then ours.

#include <daybook/detail/utf8.hpp>
#include <daybook/stats/outcome_counts.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/text/json_writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

inline constexpr int milliseconds_decimals = 3; ///< to the microsecond, so that short jobs do not all take 0.0

inline void write_milliseconds(JsonWriter& writer, std::string_view name, double milliseconds) {
    writer.key(name).fixed(milliseconds, milliseconds_decimals);
}

inline void write_totals(JsonWriter& writer, const OutcomeCounts& counts) {
    writer.member("total_executions", counts.total_executions);
    writer.member("success_count", counts.success_count);
    writer.member("error_count", counts.error_count);
}

inline void write_success_rate(JsonWriter& writer, const OutcomeCounts& counts) {
    writer.key("success_rate").fixed(counts.success_rate, 2);
}

inline void write_outcomes(JsonWriter& writer, const OutcomeCounts& counts) {
    writer.member("timeout_count", counts.timeout_count);
    writer.member("abandoned_count", counts.abandoned_count);
    writer.member("cancelled_count", counts.cancelled_count);
    writer.member("skipped_count", counts.skipped_count);
    writer.member("retry_count", counts.retry_count);
}

inline void write_percentiles(JsonWriter& writer, const LatencySummary& summary) {
    write_milliseconds(writer, "min_ms", summary.min_ms);
    write_milliseconds(writer, "max_ms", summary.max_ms);
    write_milliseconds(writer, "p50_ms", summary.p50_ms);
    write_milliseconds(writer, "p95_ms", summary.p95_ms);
    write_milliseconds(writer, "p99_ms", summary.p99_ms);
    write_milliseconds(writer, "p999_ms", summary.p999_ms);
}

inline void write_latency(JsonWriter& writer, std::string_view name, const LatencySummary& summary) {
    writer.key(name).begin_object();
    writer.member("count", summary.count);
    write_milliseconds(writer, "average_ms", summary.average_ms);
    write_percentiles(writer, summary);
    writer.end_object();
}

/// Left out where nothing was measured.
inline void write_delay(JsonWriter& writer, std::string_view name, const DurationStats& delay) {
    if (delay.count == 0) { return; }
    writer.key(name).begin_object();
    writer.member("count", delay.count);
    write_milliseconds(writer, "average_ms", delay.average_ms);
    write_milliseconds(writer, "min_ms", delay.min_ms);
    write_milliseconds(writer, "max_ms", delay.max_ms);
    writer.end_object();
}

/// One handler's counts under both of the names in use.
inline void write_handler_counts(JsonWriter& writer, const OutcomeCounts& counts, double average_ms) {
    writer.member("total", counts.total_executions);
    writer.member("success", counts.success_count);
    writer.member("error", counts.error_count);
    write_success_rate(writer, counts);
    write_milliseconds(writer, "avg_duration_ms", average_ms);
    write_totals(writer, counts);
    write_outcomes(writer, counts);
}

inline void write_job_stats(JsonWriter& writer, const JobStats& stats) {
    writer.begin_object();
    write_totals(writer, stats);
    write_success_rate(writer, stats);
    write_outcomes(writer, stats);
    writer.end_object();
}

inline void write_rate(JsonWriter& writer, std::string_view name, const RateStats& rate) {
    writer.key(name).begin_object();
    writer.member("executions", rate.executions);
    writer.member("errors", rate.errors);
    writer.key("per_minute").fixed(rate.per_minute, 3);
    writer.end_object();
}

/// The words of `timeline_resolution`.
[[nodiscard]] constexpr std::string_view to_string(TimelineResolution resolution) noexcept {
    switch (resolution) {
    case TimelineResolution::minute: return "minute";
    case TimelineResolution::hour: return "hour";
    case TimelineResolution::day: return "day";
    }
    return "unknown";
}

/// The last buckets, at most so many, in order of time.
inline void write_timeline(JsonWriter& writer, TimelineResolution resolution,
                           const std::vector<TimelineBucket>& buckets, std::size_t most) {
    writer.member("timeline_resolution", to_string(resolution));
    writer.key("timeline").begin_array();
    for (std::size_t i = buckets.size() - std::min(buckets.size(), most); i < buckets.size(); ++i) {
        const TimelineBucket& bucket = buckets[i];
        writer.begin_object();
        writer.member("timestamp", bucket.begin);
        write_totals(writer, bucket);
        write_outcomes(writer, bucket);
        write_milliseconds(writer, "average_duration_ms", bucket.duration.average_ms);
        write_percentiles(writer, bucket.duration);
        writer.end_object();
    }
    writer.end_array();
}

/// A name as the writer writes it.
[[nodiscard]] inline std::string written_name(std::string_view name) {
    std::string written;
    while (!name.empty()) {
        const auto step = utf8_step(name);
        written.append(step.is_valid ? name.substr(0, step.length) : std::string_view{"\xEF\xBF\xBD"});
        name.remove_prefix(step.length);
    }
    return written;
}

/// An object with a member for each entry of a map; `write` writes the value. Names that are not UTF-8 may be the same
/// once written: all but the first then have a number.
template <class Value, class Write>
void write_by_name(JsonWriter& writer, std::string_view name, const std::map<std::string, Value, std::less<>>& values,
                   Write&& write) {
    std::map<std::string, std::size_t> changed; // keys that are not in `values`, and the last number tried for each
    writer.key(name).begin_object();
    for (const auto& entry : values) {
        std::string key = written_name(entry.first);
        if (key != entry.first) {
            const std::string plain = key;
            while (values.contains(key) || !changed.try_emplace(key, 1).second) {
                key = plain + " (" + std::to_string(++changed[plain]) + ")";
            }
        }
        writer.key(key);
        write(entry.second);
    }
    writer.end_object();
}

/// How much of a timeline is wanted.
struct WantedTimeline {
    std::optional<TimelineResolution> resolution = TimelineResolution::hour; ///< empty: nothing of it
    std::size_t buckets = 24;                                                ///< at most
};

inline void write_stats(JsonWriter& writer, const StatsSnapshot& stats, const WantedTimeline& timeline) {
    const auto write_counts_of = [&](std::string_view name, const auto& counts) {
        writer.key(name).begin_object();
        for (const auto& entry : counts) { writer.member(entry.first, entry.second); }
        writer.end_object();
    };
    writer.begin_object();
    write_totals(writer, stats);
    write_success_rate(writer, stats);
    write_milliseconds(writer, "average_duration_ms", stats.average_duration_ms);
    write_by_name(writer, "by_handler", stats.by_handler, [&](const HandlerStats& handler) {
        writer.begin_object();
        write_handler_counts(writer, handler, handler.avg_duration_ms);
        write_percentiles(writer, handler.duration);
        write_delay(writer, "drift", handler.drift);
        write_delay(writer, "queue_delay", handler.queue_delay);
        writer.end_object();
    });
    // Six decimals, so that a buffer of a million with one place left is not yet full.
    writer.key("buffer_utilization").fixed(stats.buffer_utilization, 6);

    writer.member("running", stats.running);
    writer.member("queued", stats.queued);
    write_outcomes(writer, stats);
    writer.member("retained", stats.retained);
    writer.member("counted_since", stats.counted_since);
    writer.member("lifetime_executions", stats.lifetime_executions);
    writer.key("lifetime").begin_object();
    write_totals(writer, stats.lifetime);
    write_success_rate(writer, stats.lifetime);
    write_outcomes(writer, stats.lifetime);
    writer.end_object();
    write_percentiles(writer, stats.duration);
    write_latency(writer, "drift", stats.drift);
    write_latency(writer, "queue_delay", stats.queue_delay);
    write_by_name(writer, "by_job", stats.by_job, [&](const JobStats& job) { write_job_stats(writer, job); });
    write_counts_of("by_status", stats.by_status);
    write_counts_of("skips_by_reason", stats.skips_by_reason);
    writer.key("rates").begin_object();
    write_rate(writer, "last_minute", stats.rates.last_minute);
    write_rate(writer, "last_5_minutes", stats.rates.last_5_minutes);
    write_rate(writer, "last_15_minutes", stats.rates.last_15_minutes);
    write_rate(writer, "last_hour", stats.rates.last_hour);
    writer.end_object();
    if (timeline.resolution) {
        write_timeline(writer, *timeline.resolution, stats.timeline.of(*timeline.resolution), timeline.buckets);
    }
    writer.end_object();
}

inline void write_range_durations(JsonWriter& writer, const DurationStats& duration) {
    write_milliseconds(writer, "min_ms", duration.min_ms);
    write_milliseconds(writer, "max_ms", duration.max_ms);
}

/// A range of time: the same words for what is known of one.
inline void write_range_stats(JsonWriter& writer, const RangeStats& stats) {
    writer.begin_object();
    write_totals(writer, stats);
    write_success_rate(writer, stats);
    write_milliseconds(writer, "average_duration_ms", stats.duration.average_ms);
    write_by_name(writer, "by_handler", stats.by_handler, [&](const HandlerRangeStats& handler) {
        writer.begin_object();
        write_handler_counts(writer, handler, handler.duration.average_ms);
        write_range_durations(writer, handler.duration);
        writer.end_object();
    });

    writer.member("from", stats.from);
    writer.member("to", stats.to);
    writer.member("resolution_seconds", std::chrono::seconds{stats.resolution}.count());
    writer.member("is_complete", stats.is_complete);
    write_outcomes(writer, stats);
    write_range_durations(writer, stats.duration);
    write_timeline(writer, TimelineResolution::hour, stats.timeline, stats.timeline.size());
    writer.end_object();
}

} // namespace daybook::inline v0::detail

#endif
