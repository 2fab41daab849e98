// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PERIOD_RING_HPP
#define DAYBOOK_DETAIL_PERIOD_RING_HPP

/// @file
/// Minutes, hours or days that are over, each in a fixed place.

#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace daybook::inline v0::detail {

/// Which minute, hour or day since the epoch: rounded down, negative before 1970.
using PeriodKey = std::int64_t;
inline constexpr PeriodKey no_period = std::numeric_limits<PeriodKey>::min();

/// Instants beyond some 145,000 years count as that, so that nothing here overflows.
[[nodiscard]] constexpr sys_time limited_instant(sys_time at) noexcept {
    constexpr sys_time::duration most = sys_time::duration::max() / 2;
    return std::clamp(at, sys_time{-most}, sys_time{most});
}

[[nodiscard]] constexpr PeriodKey period_of(sys_time at, std::chrono::minutes width) noexcept {
    const auto minutes = std::chrono::floor<std::chrono::minutes>(limited_instant(at)).time_since_epoch().count();
    const auto step = width.count();
    return minutes / step - (minutes % step < 0 ? 1 : 0);
}

[[nodiscard]] constexpr sys_time begin_of(PeriodKey key, std::chrono::minutes width) noexcept {
    return sys_time{key * width};
}

/// The place of a period in a ring of `length`.
[[nodiscard]] constexpr std::size_t place_of(PeriodKey key, std::size_t length) noexcept {
    const auto places = static_cast<PeriodKey>(length);
    return static_cast<std::size_t>((key % places + places) % places);
}

/// The oldest period to show at `now`, of so many.
[[nodiscard]] constexpr PeriodKey first_period(sys_time now, std::chrono::minutes width, std::size_t length) noexcept {
    return period_of(now, width) - static_cast<PeriodKey>(length) + 1;
}

/// The newest one: it begins within a minute from `now`, since others may have recorded while `now` was read.
[[nodiscard]] constexpr PeriodKey last_period(sys_time now, std::chrono::minutes width) noexcept {
    return period_of(limited_instant(now) + std::chrono::minutes{1}, width);
}

/// A sum of durations with its extremes, in nanoseconds.
struct DurationSum {
    std::uint64_t count = 0;
    double sum = 0.0;
    std::int64_t min = std::numeric_limits<std::int64_t>::max();
    std::int64_t max = 0;

    /// A negative one counts as zero.
    void record(std::chrono::nanoseconds duration) noexcept {
        const std::int64_t value = std::max<std::int64_t>(0, duration.count());
        *this += {.count = 1, .sum = static_cast<double>(value), .min = value, .max = value};
    }

    DurationSum& operator+=(const DurationSum& other) noexcept {
        count += other.count;
        sum += other.sum;
        min = std::min(min, other.min);
        max = std::max(max, other.max);
        return *this;
    }

    [[nodiscard]] double average_ms() const noexcept {
        return count == 0 ? 0.0 : sum / static_cast<double>(count) / 1e6;
    }
    [[nodiscard]] double min_ms() const noexcept { return count == 0 ? 0.0 : static_cast<double>(min) / 1e6; }
    [[nodiscard]] double max_ms() const noexcept { return static_cast<double>(max) / 1e6; }
};

/// What is under way: counted in full.
template <std::size_t SubBuckets>
struct OpenPeriod {
    OutcomeTally tally = {};
    LatencyHistogram<SubBuckets> duration;

    void add(const OpenPeriod& other) noexcept {
        tally += other.tally;
        duration.merge(other.duration);
    }
    void clear() noexcept {
        tally = {};
        duration.clear();
    }
};

/// What is over: 136 bytes, of the distribution its quantiles only.
struct ClosedPeriod {
    static constexpr std::array fractions{0.50, 0.95, 0.99, 0.999};

    PeriodKey key = no_period;
    OutcomeTally tally = {};
    DurationSum duration = {};
    std::array<float, fractions.size()> quantiles{}; ///< ns
    PeriodKey lost = no_period;                      ///< the newest of others that gave up this place

    template <std::size_t SubBuckets>
    [[nodiscard]] static ClosedPeriod from(PeriodKey key, const OpenPeriod<SubBuckets>& open) noexcept {
        ClosedPeriod closed;
        closed.key = key;
        closed.tally = open.tally;
        if (open.duration.count() == 0) { return closed; }
        closed.duration = {.count = open.duration.count(),
                           .sum = open.duration.sum_ns(),
                           .min = open.duration.min().count(),
                           .max = open.duration.max().count()};
        const auto found = open.duration.quantiles(fractions);
        for (std::size_t i = 0; i < found.size(); ++i) { closed.quantiles[i] = static_cast<float>(found[i].count()); }
        return closed;
    }

    /// The same period, gone through once more.
    void add(const ClosedPeriod& other) noexcept {
        tally += other.tally;
        if (other.duration.count > duration.count) { quantiles = other.quantiles; }
        duration += other.duration;
    }

    [[nodiscard]] bool is_used() const noexcept { return tally.is_used() || duration.count != 0; }

    [[nodiscard]] TimelineBucket bucket(std::chrono::minutes width) const noexcept {
        TimelineBucket bucket;
        static_cast<OutcomeCounts&>(bucket) = tally.counts();
        bucket.begin = begin_of(key, width);
        bucket.duration = {.count = duration.count,
                           .average_ms = duration.average_ms(),
                           .min_ms = duration.min_ms(),
                           .max_ms = duration.max_ms(),
                           .p50_ms = limited_ms(quantiles[0]),
                           .p95_ms = limited_ms(quantiles[1]),
                           .p99_ms = limited_ms(quantiles[2]),
                           .p999_ms = limited_ms(quantiles[3])};
        return bucket;
    }

private:
    /// What a float rounds must not leave minimum and maximum.
    [[nodiscard]] double limited_ms(float nanoseconds) const noexcept {
        if (duration.count == 0) { return 0.0; }
        return std::clamp(static_cast<double>(nanoseconds) / 1e6, duration.min_ms(), duration.max_ms());
    }
};

/// Each period has one place that it shares with those a whole ring before and after it, and takes when it is closed.
class PeriodRing {
public:
    /// One without places, to be assigned to.
    PeriodRing() { places_.reserve(timeline_length(TimelineResolution::hour)); }

    explicit PeriodRing(TimelineResolution resolution)
        : width_{width_of(resolution)}, places_(timeline_length(resolution)) {}

    [[nodiscard]] std::chrono::minutes width() const noexcept { return width_; }

    /// Takes over all of another one, without an allocation: no ring is longer than the hours.
    void assign(const PeriodRing& other) noexcept {
        width_ = other.width_;
        places_.assign(other.places_.begin(), other.places_.end());
    }

    void close(const ClosedPeriod& period) noexcept {
        ClosedPeriod& place = places_[place_of(period.key, places_.size())];
        if (place.key == period.key) {
            place.add(period);
            return;
        }
        const PeriodKey lost = place.is_used() ? std::max(place.lost, place.key) : place.lost;
        place = period;
        place.lost = lost;
    }

    /// What was counted elsewhere at the same times. Of two periods that share a place the newer one stays.
    void add(const ClosedPeriod& period) noexcept {
        if (period.key == no_period) { return; }
        ClosedPeriod& place = places_[place_of(period.key, places_.size())];
        const PeriodKey lost = std::max(place.lost, period.lost);
        if (place.key > period.key) {
            place.lost = period.is_used() ? std::max(lost, period.key) : lost;
        } else {
            place.lost = lost;
            close(period);
        }
    }
    void add(const PeriodRing& other) noexcept {
        for (const ClosedPeriod& period : other.places_) { add(period); }
    }

    /// Whether anything of `first` to `last` gave up its place. A clock has to go a whole ring back for that, or one
    /// that was far off has to be set right: otherwise what gives up its place is older than all that is asked for.
    [[nodiscard]] bool has_lost(PeriodKey first, PeriodKey last) const noexcept {
        return std::any_of(places_.begin(), places_.end(),
                           [&](const ClosedPeriod& place) { return place.lost >= first && place.lost <= last; });
    }

    void clear() noexcept { std::fill(places_.begin(), places_.end(), ClosedPeriod{}); }

    /// Calls `visit(const ClosedPeriod&)` for what there is of the periods `first` to `last`, in order, `open` among
    /// them.
    template <class Visit>
    void for_each(PeriodKey first, PeriodKey last, const ClosedPeriod& open, Visit&& visit) const {
        std::size_t at = place_of(first, places_.size());
        for (PeriodKey key = first; key <= last; ++key) {
            const ClosedPeriod& place = places_[at];
            at = at + 1 == places_.size() ? 0 : at + 1;
            if (open.key == key) {
                ClosedPeriod whole = place.key == key ? place : ClosedPeriod{.key = key};
                whole.add(open);
                if (whole.is_used()) { visit(whole); }
            } else if (place.key == key && place.is_used()) {
                visit(place);
            }
        }
    }

    /// The buckets to show at `now`.
    [[nodiscard]] std::vector<TimelineBucket> buckets(sys_time now, const ClosedPeriod& open) const {
        std::vector<TimelineBucket> all;
        const PeriodKey first = first_period(now, width_, places_.size());
        all.reserve(
            static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(),
                                                   [&](const ClosedPeriod& place) { return place.key >= first; })) +
            1);
        for_each(first, last_period(now, width_), open,
                 [&](const ClosedPeriod& period) { all.push_back(period.bucket(width_)); });
        return all;
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept { return heap_bytes(places_); }

private:
    std::chrono::minutes width_{1};
    std::vector<ClosedPeriod> places_;
};

} // namespace daybook::inline v0::detail

#endif
