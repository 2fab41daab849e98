// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_STATS_LATENCY_HISTOGRAM_HPP
#define DAYBOOK_STATS_LATENCY_HISTOGRAM_HPP

/// @file
/// A distribution of durations in a fixed few kilobytes, whatever is recorded.

#include <daybook/fwd.hpp>
#include <daybook/stats/outcome_counts.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

namespace daybook::inline v0 {

/// A log-linear histogram: every doubling of the duration is cut into `SubBuckets` equal steps, as in HdrHistogram
/// (http://hdrhistogram.org). Mean, minimum and maximum are exact. A quantile is off by at most 1 / (2 * SubBuckets) of
/// its value (3.2 % for 16), below `16 * SubBuckets` ns by at most 8 ns, and is never outside minimum and maximum.
/// Durations from 37 hours on share the last bucket. With 16 sub-buckets an object takes 5 KB.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
template <std::size_t SubBuckets>
class LatencyHistogram {
    static_assert(std::has_single_bit(SubBuckets) && SubBuckets >= 2, "SubBuckets must be a power of two from 2 on");

public:
    /// Counts one duration; a negative one counts as zero. O(1).
    [[gnu::always_inline]] void record(std::chrono::nanoseconds duration) noexcept {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
        ++buckets_[bucket_of(value)];
        ++count_;
        sum_ += static_cast<double>(value);
        min_ = std::min(min_, value);
        max_ = std::max(max_, value);
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::chrono::nanoseconds min() const noexcept { return nanoseconds(count_ == 0 ? 0 : min_); }
    [[nodiscard]] std::chrono::nanoseconds max() const noexcept { return nanoseconds(max_); }
    [[nodiscard]] double sum_ns() const noexcept { return sum_; }
    [[nodiscard]] double mean_ns() const noexcept { return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_); }

    /// The duration that `fraction` (0 to 1) of the values do not exceed, the nearest-rank definition; zero when
    /// nothing was recorded. Costs the buckets between minimum and maximum.
    [[nodiscard]] std::chrono::nanoseconds quantile(double fraction) const noexcept {
        return quantiles(std::array{fraction})[0];
    }

    /// Several quantiles in one pass; `fractions` must ascend.
    template <std::size_t N>
    [[nodiscard]] std::array<std::chrono::nanoseconds, N>
    quantiles(const std::array<double, N>& fractions) const noexcept {
        std::array<std::chrono::nanoseconds, N> found{};
        if (count_ == 0) { return found; }
        std::size_t bucket = bucket_of(min_);
        std::uint64_t seen = buckets_[bucket];
        for (std::size_t i = 0; i < N; ++i) {
            // A fraction such as 0.07 is a little above itself in binary; that must not cost a whole rank.
            const double exact = std::clamp(fractions[i], 0.0, 1.0) * static_cast<double>(count_) * (1.0 - 1e-15);
            auto rank = static_cast<std::uint64_t>(exact);
            if (static_cast<double>(rank) < exact || rank == 0) { ++rank; }
            rank = std::min(rank, count_);
            seek(rank, bucket, seen);
            found[i] = nanoseconds(std::clamp(middle_of(bucket), min_, max_));
        }
        return found;
    }

    [[nodiscard]] LatencySummary summary() const noexcept {
        const auto [p50, p95, p99, p999] = quantiles(std::array{0.50, 0.95, 0.99, 0.999});
        return {.count = count_,
                .average_ms = mean_ns() / 1e6,
                .min_ms = milliseconds(min()),
                .max_ms = milliseconds(max()),
                .p50_ms = milliseconds(p50),
                .p95_ms = milliseconds(p95),
                .p99_ms = milliseconds(p99),
                .p999_ms = milliseconds(p999)};
    }

    /// Costs the buckets between minimum and maximum.
    void clear() noexcept {
        if (count_ == 0) { return; }
        std::fill(buckets_.begin() + first_used(), buckets_.begin() + last_used() + 1, 0);
        count_ = 0;
        sum_ = 0.0;
        min_ = std::numeric_limits<std::int64_t>::max();
        max_ = 0;
    }

    /// Adds what another histogram has counted. Costs the buckets between its minimum and maximum.
    void merge(const LatencyHistogram& other) noexcept {
        if (other.count_ == 0) { return; }
        const auto first = other.first_used();
        const auto last = other.last_used();
        if (count_ == 0) { // nothing to add to, and a copy is several times as fast
            std::copy(other.buckets_.begin() + first, other.buckets_.begin() + last + 1, buckets_.begin() + first);
        } else {
            for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) {
                buckets_[i] += other.buckets_[i];
            }
        }
        count_ += other.count_;
        sum_ += other.sum_;
        min_ = std::min(min_, other.min_);
        max_ = std::max(max_, other.max_);
    }

    /// What one bucket has counted; see `index_of`.
    struct Bucket {
        std::size_t index = 0;
        std::uint64_t count = 0;

        friend bool operator==(const Bucket&, const Bucket&) = default;
    };

    /// In which bucket a duration is counted: from 0 up to, and not including, `40 * SubBuckets`; longer ones are not
    /// in a lower one.
    [[nodiscard]] static constexpr std::size_t index_of(std::chrono::nanoseconds duration) noexcept {
        return bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count())));
    }

    /// The buckets that have counted something, in order of the index: with sum, minimum and maximum all there is to
    /// write down.
    [[nodiscard]] std::vector<Bucket> buckets() const {
        std::vector<Bucket> used;
        if (count_ == 0) { return used; }
        const auto last = static_cast<std::size_t>(last_used());
        for (auto i = static_cast<std::size_t>(first_used()); i <= last; ++i) {
            if (buckets_[i] != 0) { used.push_back({.index = i, .count = buckets_[i]}); }
        }
        return used;
    }

    /// What was written down, read again.
    /// @param buckets  In order of the index, none of them empty.
    /// @throws std::invalid_argument  That is no histogram: the buckets are not in order, or do not begin with that of
    ///                                `min` and end with that of `max`.
    [[nodiscard]] static LatencyHistogram restored(std::span<const Bucket> buckets, double sum_ns,
                                                   std::chrono::nanoseconds min, std::chrono::nanoseconds max) {
        LatencyHistogram histogram;
        if (buckets.empty()) { return histogram; }
        const auto refuse = [] { throw std::invalid_argument{"LatencyHistogram: these are no buckets of one"}; };
        if (min.count() < 0 || min > max || buckets.front().index != index_of(min) ||
            buckets.back().index != index_of(max)) {
            refuse();
        }
        const Bucket* before = nullptr;
        for (const Bucket& bucket : buckets) {
            const bool is_in_order = before == nullptr || before->index < bucket.index;
            if (bucket.count == 0 || !is_in_order || bucket.index > buckets.back().index) { refuse(); }
            histogram.buckets_[bucket.index] = bucket.count;
            histogram.count_ += bucket.count;
            before = &bucket;
        }
        histogram.sum_ = sum_ns;
        histogram.min_ = static_cast<std::uint64_t>(min.count());
        histogram.max_ = static_cast<std::uint64_t>(max.count());
        return histogram;
    }

private:
    static constexpr std::size_t unit_bits = 4; // a bucket is at least 16 ns wide: finer says nothing about a job
    static constexpr std::size_t sub_bits = static_cast<std::size_t>(std::countr_zero(SubBuckets));
    static constexpr std::size_t doublings = 40;
    static constexpr std::size_t bucket_count = doublings * SubBuckets;

    [[nodiscard]] std::ptrdiff_t first_used() const noexcept { return static_cast<std::ptrdiff_t>(bucket_of(min_)); }
    [[nodiscard]] std::ptrdiff_t last_used() const noexcept { return static_cast<std::ptrdiff_t>(bucket_of(max_)); }

    /// Goes on to the bucket with which `rank` values have been seen, over eight at a time where that is not too far.
    void seek(std::uint64_t rank, std::size_t& bucket, std::uint64_t& seen) const noexcept {
        while (seen < rank && bucket + 8 < bucket_count) {
            const std::uint64_t* const next = &buckets_[bucket + 1];
            const std::uint64_t sum =
                ((next[0] + next[1]) + (next[2] + next[3])) + ((next[4] + next[5]) + (next[6] + next[7]));
            if (seen + sum >= rank) { break; }
            seen += sum;
            bucket += 8;
        }
        while (seen < rank) { seen += buckets_[++bucket]; }
    }

    static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        const std::uint64_t units = value >> unit_bits;
        if (units < SubBuckets) { return static_cast<std::size_t>(units); }
        const auto shift = static_cast<std::size_t>(std::bit_width(units)) - 1 - sub_bits;
        const std::size_t bucket = (shift << sub_bits) + static_cast<std::size_t>(units >> shift);
        return std::min(bucket, bucket_count - 1);
    }

    /// The inverse of bucket_of, at the middle; the last bucket is open and stands for whatever the maximum is.
    static constexpr std::uint64_t middle_of(std::size_t bucket) noexcept {
        if (bucket == bucket_count - 1) { return std::numeric_limits<std::uint64_t>::max(); }
        if (bucket < SubBuckets) { return (static_cast<std::uint64_t>(bucket) << unit_bits) + (1U << unit_bits) / 2; }
        const std::size_t shift = (bucket >> sub_bits) - 1;
        const std::uint64_t low = static_cast<std::uint64_t>(SubBuckets + (bucket & (SubBuckets - 1)))
                                  << (shift + unit_bits);
        return low + (std::uint64_t{1} << (shift + unit_bits)) / 2;
    }

    static constexpr std::chrono::nanoseconds nanoseconds(std::uint64_t value) noexcept {
        return std::chrono::nanoseconds{static_cast<std::int64_t>(value)};
    }
    static constexpr double milliseconds(std::chrono::nanoseconds value) noexcept {
        return static_cast<double>(value.count()) / 1e6;
    }

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t count_ = 0;
    double sum_ = 0.0;
    std::uint64_t min_ = std::numeric_limits<std::int64_t>::max();
    std::uint64_t max_ = 0;
};

} // namespace daybook::inline v0

#endif
