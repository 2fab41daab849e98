// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_STATS_HPP
#define DAYBOOK_STATS_STATS_HPP

/// @file
/// How much: counts and distributions kept as executions end, so that asking costs no scan.

#include <daybook/detail/handler_figures.hpp>
#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/model_counts.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/rate_meter.hpp>
#include <daybook/detail/stats_reader.hpp>
#include <daybook/detail/timeline_recorder.hpp>
#include <daybook/fwd.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

class StatsSum;

} // namespace daybook::inline v0::detail

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
    sys_time at = {};           ///< when it ended: the minute in which it is counted
    steady_time steady_at = {}; ///< the same on the steady clock: the rates in which it is counted

    /// What it worked through; all 0: it did not say, and counts as one request.
    RequestCounts requests = {};
    /// Whose executions it is counted with in `by_model`; empty: those of its handler. Read during the call.
    std::string_view model = {};
};

/// What Stats has to know of occurrences that were not run.
struct ExecutionSkip {
    SkipReason reason = SkipReason::misfire;
    std::uint64_t occurrences = 1;
    StatsGroup handler = StatsGroup::other;
    StatsGroup job = StatsGroup::other;
    sys_time at = {}; ///< when they were counted
};

/// Counts of final executions, and distributions over every attempt that ran: failures and timeouts included, cancelled
/// ones not. Overall there are a timeline and rates besides, 120 KB in all; a handler costs a histogram, 6 KB, and
/// 100 bytes for each hour of a week in which something of it ended, a job its counters, a model (ExecutionEnd::model)
/// 350 bytes and 16 for each hour. Handlers and jobs are capped, models at twice as many as handlers, and what exceeds
/// the cap is counted as `other`.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe; a log keeps its own under its lock, and asks in short turns.
template <std::size_t SubBuckets>
class Stats {
public:
    /// @param max_handlers, max_jobs  How many of each are counted apart, 0 for none.
    /// @param now                     The `counted_since` of snapshots.
    explicit Stats(std::size_t max_handlers = 32, std::size_t max_jobs = 1024, sys_time now = {})
        : max_handlers_{max_handlers},
          max_jobs_{max_jobs},
          models_{2 * std::min(max_handlers, std::size_t{1} << 20U)},
          counted_since_{now} {}

    /// A new group for a handler that has none yet, or `other` when the table is full. O(1).
    [[nodiscard]] StatsGroup add_handler(std::string_view name) {
        if (handlers_.size() >= max_handlers_) { return StatsGroup::other; }
        auto figures = std::make_unique<Figures>();
        auto shared = std::make_shared<const std::string>(name);
        const auto model = models_.number_of(shared); // here, so that counting asks for no memory
        handlers_.push_back({.name = std::move(shared), .figures = std::move(figures), .model = model});
        return static_cast<StatsGroup>(handlers_.size() - 1);
    }

    /// @copydoc add_handler
    [[nodiscard]] StatsGroup add_job(std::string_view name) {
        if (jobs_.size() >= max_jobs_) { return StatsGroup::other; }
        jobs_.push_back({.name = std::make_shared<const std::string>(name)});
        return static_cast<StatsGroup>(jobs_.size() - 1);
    }

    // References: a copy would be read as words whose flag was written as a byte just before, and wait for that.
    /// Counts how late a first attempt started and how long it waited for a worker. O(1).
    void record_start(const std::optional<std::chrono::nanoseconds>& drift,
                      const std::optional<std::chrono::nanoseconds>& queue_delay,
                      StatsGroup handler = StatsGroup::other) noexcept {
        if (drift) {
            drift_.record(*drift);
            handler_of(handler).figures->delays().drift.record(*drift);
        }
        if (queue_delay) {
            queue_delay_.record(*queue_delay);
            handler_of(handler).figures->delays().queue.record(*queue_delay);
        }
    }

    /// Counts an execution that ended. O(1); once an hour O(handlers).
    [[gnu::always_inline]] void record_end(const ExecutionEnd& end) noexcept {
        if (!timeline_.is_within_minute(end.at)) { turn_to(end.at); }
        if (!rates_.is_within_step(end.steady_at)) { rates_.turn_to(end.steady_at, so_far(timeline_.total_tally())); }
        const bool has_run = end.duration != ExecutionEnd::never_ran;
        const bool is_retry = has_run && end.attempt_number > 1;
        const bool has_reported = end.requests != RequestCounts{};
        Handler& handler = handler_of(end.handler);
        auto& minute = timeline_.minute();
        detail::OutcomeTally& job = job_of(end.job).tally;
        minute.tally.count(end.status, end.is_final, is_retry);
        handler.tally.count(end.status, end.is_final, is_retry);
        job.count(end.status, end.is_final, is_retry);
        if (end.is_final) {
            if (has_reported) {
                const RequestCounts requests = detail::requests_of(end.requests, end.status);
                detail::add_requests(minute.tally.requests, requests);
                detail::add_requests(handler.tally.requests, requests);
                detail::add_requests(job.requests, requests);
            } else {
                minute.tally.count_request(end.status);
                handler.tally.count_request(end.status);
                job.count_request(end.status);
            }
            models_.count(end.model.empty() ? handler.model : models_.number_of(end.model));
        }
        if (has_run && end.status != JobStatus::cancelled) {
            minute.duration.record(end.duration);
            handler.figures->record(end.duration);
        }
    }

    /// Counts occurrences that were not run. O(1); once an hour O(handlers).
    void record_skip(const ExecutionSkip& skip) noexcept {
        if (!timeline_.is_within_minute(skip.at)) { turn_to(skip.at); }
        timeline_.minute().tally.count_skips(skip.occurrences);
        handler_of(skip.handler).tally.count_skips(skip.occurrences);
        job_of(skip.job).tally.count_skips(skip.occurrences);
        skips_[static_cast<std::size_t>(skip.reason)] += skip.occurrences;
    }

    /// All figures; what the buffer holds is the log's to add. O(handlers + jobs).
    /// @param now  Where the timeline ends; and the same instant on the steady clock, where rates end.
    [[nodiscard]] StatsSnapshot snapshot(sys_time now, steady_time steady_now) const {
        return snapshot(now, steady_now, [](auto&& work) { work(); });
    }

    /// The same for an object that is behind a lock, without keeping it for long.
    ///
    /// @param turn  Called some times with a function that it must call once, under the lock, and that does little
    ///              and allocates nothing as a rule; it returns whether this was the turn in which the figures overall
    ///              and the counts of all handlers were read. Distributions of handlers and counts of jobs follow in
    ///              other turns: they may know of executions that have ended in between. Where a clear or the end of
    ///              a minute came between too often, the last turn does all of it at once.
    template <class Turn>
    [[nodiscard]] StatsSnapshot snapshot(sys_time now, steady_time steady_now, Turn&& turn) const {
        return detail::StatsReader<SubBuckets, Turn>{*this, turn}.snapshot(now, steady_now);
    }

    /// What ended from `from` up to `to`, both taken to the whole hours around them. O(handlers).
    [[nodiscard]] RangeStats range(sys_time from, sys_time to, sys_time now) const {
        return range(from, to, now, [](auto&& work) { work(); });
    }

    /// @copydoc range
    /// @param turn  As `snapshot` has it.
    template <class Turn>
    [[nodiscard]] RangeStats range(sys_time from, sys_time to, sys_time now, Turn&& turn) const {
        return detail::StatsReader<SubBuckets, Turn>{*this, turn}.range(from, to, now);
    }

    /// What a clear leaves to be destroyed, outside of the lock where there is one.
    class Retired;

    /// Starts every count anew but the lifetime's; all groups given out become invalid. O(1), but for what is returned.
    /// @param now  The `counted_since` of snapshots.
    Retired clear(sys_time now = {}) noexcept {
        Retired retired;
        before_clear_ += timeline_.total_tally();
        timeline_.clear();
        rates_.clear();
        drift_.clear();
        queue_delay_.clear();
        retired.handlers_.swap(handlers_);
        retired.jobs_.swap(jobs_);
        retired.models_ = models_.retire();
        other_handlers_.tally = {};
        other_handlers_.figures->clear();
        other_jobs_.tally = {};
        skips_ = {};
        counted_since_ = now;
        ++clears_;
        return retired;
    }

    [[nodiscard]] LatencySummary drift() const noexcept { return drift_.summary(); }
    [[nodiscard]] LatencySummary queue_delay() const noexcept { return queue_delay_.summary(); }

    /// What this object takes outside of itself, with what the allocator adds (as glibc's does). O(handlers + jobs).
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = timeline_.memory_bytes() + (handlers_.size() + 1) * figures_bytes +
                            detail::heap_bytes(handlers_) + detail::heap_bytes(jobs_) + models_.memory_bytes() +
                            other_handlers_.figures->memory_bytes();
        for (const Handler& handler : handlers_) {
            bytes += name_bytes + detail::heap_bytes(*handler.name) + handler.figures->memory_bytes();
        }
        for (const Job& job : jobs_) { bytes += name_bytes + detail::heap_bytes(*job.name); }
        return bytes;
    }

    /// What `memory_bytes` comes to at most with names of at most so many bytes.
    [[nodiscard]] std::size_t memory_limit(std::size_t longest_name) const noexcept {
        const std::size_t name = name_bytes + detail::heap_bytes(longest_name + 1);
        const std::size_t figures = figures_bytes + Figures::memory_limit();
        return timeline_.memory_bytes() + figures + max_handlers_ * (figures + name) + max_jobs_ * name +
               models_.memory_limit(longest_name) + detail::heap_bytes(2 * max_handlers_ * sizeof(Handler)) +
               detail::heap_bytes(2 * max_jobs_ * sizeof(Job));
    }

private:
    template <std::size_t, class>
    friend class detail::StatsReader;
    friend class detail::StatsSum;
    using Figures = detail::HandlerFigures<SubBuckets>;
    using Name = std::shared_ptr<const std::string>; // shared with snapshots that are being built

    struct Job {
        Name name = {};
        detail::OutcomeTally tally = {};
    };
    struct Handler {
        Name name = {};
        detail::OutcomeTally tally = {};
        std::unique_ptr<Figures> figures = {};
        std::uint32_t model = detail::ModelCounts::rest; ///< of executions that name none
    };

    static constexpr std::size_t figures_bytes = detail::heap_bytes(sizeof(Figures));
    static constexpr std::size_t counts_bytes = 16; ///< of std::make_shared
    static constexpr std::size_t name_bytes =
        detail::heap_bytes(sizeof(std::string) + counts_bytes); // NOLINT(bugprone-sizeof-container): of the object

    static detail::RateMeter::Count so_far(const detail::OutcomeTally& tally) noexcept {
        return {.executions = tally.of(JobStatus::success) + tally.errors(), .errors = tally.errors()};
    }

    /// Another minute has begun: seldom.
    void turn_to(sys_time at) noexcept {
        const auto minute = timeline_.open().minute_key;
        const auto hour = timeline_.open().hour_key;
        timeline_.turn_to(at);
        if (timeline_.open().minute_key == minute) { return; } // a little late: nothing is over
        ++closings_;
        if (timeline_.open().hour_key == hour || hour == detail::no_period) { return; }
        for (Handler& handler : handlers_) { handler.figures->close_hour(hour, handler.tally); }
        other_handlers_.figures->close_hour(hour, other_handlers_.tally);
        models_.close_hour(hour);
    }

    Handler& handler_of(StatsGroup group) noexcept {
        return group == StatsGroup::other ? other_handlers_ : handlers_[static_cast<std::size_t>(group)];
    }
    Job& job_of(StatsGroup group) noexcept {
        return group == StatsGroup::other ? other_jobs_ : jobs_[static_cast<std::size_t>(group)];
    }

    std::size_t max_handlers_;
    std::size_t max_jobs_;
    detail::TimelineRecorder<SubBuckets> timeline_; // and what there is overall
    detail::RateMeter rates_;
    LatencyHistogram<SubBuckets> drift_;
    LatencyHistogram<SubBuckets> queue_delay_;
    std::vector<Handler> handlers_;
    std::vector<Job> jobs_;
    detail::ModelCounts models_;
    Handler other_handlers_{.figures = std::make_unique<Figures>()};
    Job other_jobs_;
    std::array<std::uint64_t, 9> skips_{}; // by reason
    detail::OutcomeTally before_clear_;
    sys_time counted_since_;
    std::uint64_t clears_ = 0;
    std::uint64_t closings_ = 0;
};

template <std::size_t SubBuckets>
class Stats<SubBuckets>::Retired {
private:
    friend class Stats;
    std::vector<Handler> handlers_;
    std::vector<Job> jobs_;
    detail::ModelCounts models_{0};
};

} // namespace daybook::inline v0

#endif
