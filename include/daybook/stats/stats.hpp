// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_STATS_HPP
#define DAYBOOK_STATS_STATS_HPP

/// @file
/// How much: counts and distributions kept as executions end, so that asking costs no scan.

#include <daybook/fwd.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Names a handler or a job within one Stats object, until its next `clear`.
enum class StatsGroup : std::uint32_t {
    other = UINT32_MAX, ///< counted together with all that came after the table was full
};

/// What Stats has to know of an execution that ended.
struct ExecutionEnd {
    static constexpr std::chrono::nanoseconds never_ran = std::chrono::nanoseconds::min();

    JobStatus status = JobStatus::success;
    bool is_final = true;
    std::uint32_t attempt_number = 1;
    /// Not an optional: inside one, g++ 12 takes the value for uninitialised when threads are sanitized.
    std::chrono::nanoseconds duration = never_ran;
    StatsGroup handler = StatsGroup::other;
    StatsGroup job = StatsGroup::other;
};

/// Counts of final executions, and distributions over every attempt that ran: failures and timeouts included, cancelled
/// ones not. A handler costs one histogram, a job a few counters; both are capped, and what exceeds the cap is counted
/// as `other`.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe; a log keeps its own under its lock.
template <std::size_t SubBuckets>
class Stats {
public:
    /// @param max_handlers, max_jobs  How many of each are counted apart, 0 for none.
    explicit Stats(std::size_t max_handlers = 128, std::size_t max_jobs = 1024)
        : max_handlers_{max_handlers}, max_jobs_{max_jobs} {}

    /// A new group for a handler that has none yet, or `other` when the table is full. O(1).
    [[nodiscard]] StatsGroup add_handler(std::string_view name) {
        if (handlers_.size() >= max_handlers_) { return StatsGroup::other; }
        handlers_.push_back(std::make_unique<Handler>(Handler{std::string{name}, {}, {}}));
        return static_cast<StatsGroup>(handlers_.size() - 1);
    }

    /// @copydoc add_handler
    [[nodiscard]] StatsGroup add_job(std::string_view name) {
        if (jobs_.size() >= max_jobs_) { return StatsGroup::other; }
        jobs_.emplace_back(std::string{name}, OutcomeCounts{});
        return static_cast<StatsGroup>(jobs_.size() - 1);
    }

    /// Counts how late a first attempt started and how long it waited for a worker. O(1).
    void record_start(std::optional<std::chrono::nanoseconds> drift,
                      std::optional<std::chrono::nanoseconds> queue_delay) noexcept {
        if (drift) { drift_.record(*drift); }
        if (queue_delay) { queue_delay_.record(*queue_delay); }
    }

    /// Counts an execution that ended. O(1).
    void record_end(const ExecutionEnd& end) noexcept {
        if (end.is_final && end.status != JobStatus::cancelled) { ++lifetime_; }
        Handler& handler = handler_of(end.handler);
        count_outcome(overall_, end);
        count_outcome(handler.counts, end);
        count_outcome(job_of(end.job), end);
        if (end.duration != ExecutionEnd::never_ran && end.status != JobStatus::cancelled) {
            duration_.record(end.duration);
            handler.duration.record(end.duration);
        }
    }

    /// Counts occurrences that were not run.
    void record_skip(StatsGroup handler, StatsGroup job, std::uint64_t occurrences) noexcept {
        overall_.skipped_count += occurrences;
        handler_of(handler).counts.skipped_count += occurrences;
        job_of(job).skipped_count += occurrences;
    }

    /// All figures; what the buffer holds is the log's to add. O(handlers + jobs).
    [[nodiscard]] StatsSnapshot snapshot() const {
        StatsSnapshot all;
        static_cast<OutcomeCounts&>(all) = with_rate(overall_);
        all.lifetime_executions = lifetime_;
        all.duration = duration_.summary();
        all.average_duration_ms = all.duration.average_ms;
        all.min_ms = all.duration.min_ms;
        all.max_ms = all.duration.max_ms;
        all.p50_ms = all.duration.p50_ms;
        all.p95_ms = all.duration.p95_ms;
        all.p99_ms = all.duration.p99_ms;
        all.drift = drift_.summary();
        all.queue_delay = queue_delay_.summary();
        for (const auto& handler : handlers_) { all.by_handler.insert_or_assign(handler->name, stats_of(*handler)); }
        for (const auto& [name, counts] : jobs_) { all.by_job.insert_or_assign(name, JobStats{with_rate(counts)}); }
        // A job may really be called "other"; then the rest shows up under a name that cannot be mistaken.
        if (is_used(other_handler_.counts)) {
            all.by_handler.try_emplace(all.by_handler.contains("other") ? "(other)" : "other",
                                       stats_of(other_handler_));
        }
        if (is_used(other_jobs_)) {
            all.by_job.try_emplace(all.by_job.contains("other") ? "(other)" : "other",
                                   JobStats{with_rate(other_jobs_)});
        }
        return all;
    }

    /// Starts every count anew but the lifetime's; all groups given out become invalid.
    void clear() noexcept {
        overall_ = {};
        duration_.clear();
        drift_.clear();
        queue_delay_.clear();
        handlers_.clear();
        jobs_.clear();
        other_handler_.counts = {};
        other_handler_.duration.clear();
        other_jobs_ = {};
    }

private:
    struct Handler {
        std::string name;
        OutcomeCounts counts;
        LatencyHistogram<SubBuckets> duration;
    };

    static void count_outcome(OutcomeCounts& counts, const ExecutionEnd& end) noexcept {
        if (end.attempt_number > 1) { ++counts.retry_count; }
        if (!end.is_final) { return; }
        if (end.status == JobStatus::cancelled) {
            ++counts.cancelled_count;
            return;
        }
        ++counts.total_executions;
        if (end.status == JobStatus::success) { ++counts.success_count; }
        if (is_failure(end.status)) { ++counts.error_count; }
        if (end.status == JobStatus::timeout) { ++counts.timeout_count; }
        if (end.status == JobStatus::abandoned) { ++counts.abandoned_count; }
    }

    static OutcomeCounts with_rate(OutcomeCounts counts) noexcept {
        if (counts.total_executions != 0) {
            const double percent =
                100.0 * static_cast<double>(counts.success_count) / static_cast<double>(counts.total_executions);
            counts.success_rate = std::round(percent * 100.0) / 100.0;
        }
        return counts;
    }

    static bool is_used(const OutcomeCounts& counts) noexcept {
        return counts.total_executions + counts.cancelled_count + counts.skipped_count + counts.retry_count != 0;
    }

    static HandlerStats stats_of(const Handler& handler) {
        HandlerStats stats;
        static_cast<OutcomeCounts&>(stats) = with_rate(handler.counts);
        stats.total = stats.total_executions;
        stats.success = stats.success_count;
        stats.error = stats.error_count;
        stats.duration = handler.duration.summary();
        stats.avg_duration_ms = stats.duration.average_ms;
        return stats;
    }

    Handler& handler_of(StatsGroup group) noexcept {
        return group == StatsGroup::other ? other_handler_ : *handlers_[static_cast<std::size_t>(group)];
    }
    OutcomeCounts& job_of(StatsGroup group) noexcept {
        return group == StatsGroup::other ? other_jobs_ : jobs_[static_cast<std::size_t>(group)].second;
    }

    std::size_t max_handlers_;
    std::size_t max_jobs_;
    std::uint64_t lifetime_ = 0;
    OutcomeCounts overall_;
    LatencyHistogram<SubBuckets> duration_;
    LatencyHistogram<SubBuckets> drift_;
    LatencyHistogram<SubBuckets> queue_delay_;
    std::vector<std::unique_ptr<Handler>> handlers_;
    std::vector<std::pair<std::string, OutcomeCounts>> jobs_;
    Handler other_handler_{};
    OutcomeCounts other_jobs_;
};

} // namespace daybook::inline v0

#endif
