// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HANDLER_FIGURES_HPP
#define DAYBOOK_DETAIL_HANDLER_FIGURES_HPP

/// @file
/// One handler's distribution of durations, and its hours of a week.

#include <daybook/detail/hour_ring.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/timeline.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace daybook::inline v0::detail {

/// One hour of one handler, in 96 bytes; counts but those of requests stop at 4,294,967,295.
struct HandlerHour {
    PeriodKey key = no_period;
    double sum = 0.0;
    std::int64_t min = std::numeric_limits<std::int64_t>::max();
    std::int64_t max = 0;
    std::uint32_t durations = 0;
    std::uint32_t retries = 0;
    std::array<std::uint32_t, 8> finals{};
    RequestCounts requests{};

    [[nodiscard]] bool is_used() const noexcept {
        return durations != 0 || retries != 0 || finals != std::array<std::uint32_t, 8>{};
    }

    void add(const OutcomeTally& tally, const DurationSum& duration) noexcept {
        sum += duration.sum;
        min = std::min(min, duration.min);
        max = std::max(max, duration.max);
        durations = narrow(durations + duration.count);
        retries = narrow(retries + tally.retries);
        for (std::size_t i = 0; i < finals.size(); ++i) { finals[i] = narrow(finals[i] + tally.finals[i]); }
        add_requests(requests, tally.requests);
    }

    void add_to(OutcomeTally& tally, DurationSum& duration) const noexcept {
        duration += {.count = durations, .sum = sum, .min = min, .max = max};
        tally.retries += retries;
        for (std::size_t i = 0; i < finals.size(); ++i) { tally.finals[i] += finals[i]; }
        add_requests(tally.requests, requests);
    }

    /// The same hour, gone through once more.
    void add(const HandlerHour& other) noexcept {
        OutcomeTally tally;
        DurationSum duration;
        other.add_to(tally, duration);
        add(tally, duration);
    }

private:
    static std::uint32_t narrow(std::uint64_t count) noexcept {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
    }
};

/// How late executions of one handler started, and how long they waited.
struct HandlerDelays {
    DurationSum drift;
    DurationSum queue;
};

/// The counts of the hour under way are a difference: what there is now, less what there was when it began.
template <std::size_t SubBuckets>
class HandlerFigures {
public:
    void record(std::chrono::nanoseconds took) noexcept {
        const std::int64_t value = std::max<std::int64_t>(0, took.count());
        duration_.record(std::chrono::nanoseconds{value});
        hour_min_ = std::min(hour_min_, value);
        hour_max_ = std::max(hour_max_, value);
    }

    [[nodiscard]] const LatencyHistogram<SubBuckets>& duration() const noexcept { return duration_; }

    [[nodiscard]] HandlerDelays& delays() noexcept { return delays_; }
    [[nodiscard]] const HandlerDelays& delays() const noexcept { return delays_; }

    /// The hour is over.
    /// @param now  What the handler has counted so far.
    void close_hour(PeriodKey key, const OutcomeTally& now) noexcept {
        HandlerHour hour{.key = key};
        hour.add(now - base_, hour_duration());
        hours_.close(hour);
        base_ = now;
        base_count_ = duration_.count();
        base_sum_ = duration_.sum_ns();
        hour_min_ = std::numeric_limits<std::int64_t>::max();
        hour_max_ = 0;
    }

    /// Adds up the hours `first` to `last`, of which `open` is under way. O(hours kept).
    void sum_hours(PeriodKey first, PeriodKey last, PeriodKey open, const OutcomeTally& now, OutcomeTally& tally,
                   DurationSum& duration) const noexcept {
        hours_.for_each(first, last, [&](const HandlerHour& hour) { hour.add_to(tally, duration); });
        if (open != no_period && open >= first && open <= last) {
            tally += now - base_;
            duration += hour_duration();
        }
    }

    /// What was counted elsewhere for the same handler.
    /// @param is_over  The hour that is under way there, `key`, is not the present one.
    /// @param now      What has been counted there so far.
    void add(const HandlerFigures& other, bool is_over, PeriodKey key, const OutcomeTally& now) noexcept {
        hours_.add(other.hours_);
        delays_.drift += other.delays_.drift;
        delays_.queue += other.delays_.queue;
        duration_.merge(other.duration_);
        if (is_over) {
            HandlerHour hour{.key = key};
            hour.add(now - other.base_, other.hour_duration());
            if (key != no_period) { hours_.add(hour); }
            base_ += now;
            base_count_ += other.duration_.count();
            base_sum_ += other.duration_.sum_ns();
        } else {
            base_ += other.base_;
            base_count_ += other.base_count_;
            base_sum_ += other.base_sum_;
            hour_min_ = std::min(hour_min_, other.hour_min_);
            hour_max_ = std::max(hour_max_, other.hour_max_);
        }
    }

    void clear() noexcept { *this = HandlerFigures{}; }

    /// Outside of the object itself, and the most that it comes to.
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return hours_.memory_bytes(); }
    [[nodiscard]] static constexpr std::size_t memory_limit() noexcept { return HourRing<HandlerHour>::memory_limit(); }

private:
    [[nodiscard]] DurationSum hour_duration() const noexcept {
        const std::uint64_t count = duration_.count() - base_count_;
        return {.count = count, .sum = duration_.sum_ns() - base_sum_, .min = hour_min_, .max = hour_max_};
    }

    LatencyHistogram<SubBuckets> duration_;
    HandlerDelays delays_;
    std::int64_t hour_min_ = std::numeric_limits<std::int64_t>::max();
    std::int64_t hour_max_ = 0;
    OutcomeTally base_;
    std::uint64_t base_count_ = 0;
    double base_sum_ = 0.0;
    HourRing<HandlerHour> hours_;
};

} // namespace daybook::inline v0::detail

#endif
