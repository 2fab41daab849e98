// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SPARSE_HISTOGRAM_HPP
#define DAYBOOK_DETAIL_SPARSE_HISTOGRAM_HPP

/// @file
/// A LatencyHistogram in the room of the buckets that it uses, and as the text of a table.

#include <daybook/detail/period_ring.hpp>
#include <daybook/fwd.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/stats/latency_histogram.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What a LatencyHistogram counts, in 16 bytes for each bucket in use: most of a week's hours use a few of 640.
class SparseHistogram {
public:
    using Histogram = LatencyHistogram<>;
    using Bucket = Histogram::Bucket;

    SparseHistogram() = default;

    /// @throws StoreError  `refused`: what was stored is no distribution.
    explicit SparseHistogram(const StoredDistribution& stored) {
        if (stored.count == 0) { return; }
        buckets_ = parsed(stored.buckets);
        sum_ = {.count = stored.count, .sum = stored.sum, .min = stored.min, .max = stored.max};
        try {
            if (histogram().count() == stored.count) { return; }
        } catch (const std::invalid_argument&) {}
        refuse(stored.buckets);
    }

    /// Makes room for a duration that is about to be recorded: all that can fail.
    void prepare(std::chrono::nanoseconds duration) {
        const std::size_t index = Histogram::index_of(duration);
        const auto at = place_of(index);
        if (at == buckets_.end() || at->index != index) { buckets_.insert(at, {.index = index}); }
    }

    /// A negative duration counts as zero. @pre `prepare` was called with it.
    void record(std::chrono::nanoseconds duration) noexcept {
        ++place_of(Histogram::index_of(duration))->count;
        sum_.record(duration);
    }

    SparseHistogram& operator+=(const SparseHistogram& other) {
        std::vector<Bucket> both;
        both.reserve(buckets_.size() + other.buckets_.size());
        auto more = other.buckets_.begin();
        for (const Bucket& bucket : buckets_) {
            for (; more != other.buckets_.end() && more->index < bucket.index; ++more) { both.push_back(*more); }
            both.push_back(bucket);
            if (more != other.buckets_.end() && more->index == bucket.index) { both.back().count += (more++)->count; }
        }
        both.insert(both.end(), more, other.buckets_.end());
        buckets_ = std::move(both);
        sum_ += other.sum_;
        return *this;
    }

    [[nodiscard]] const DurationSum& sum() const noexcept { return sum_; }

    [[nodiscard]] Histogram histogram() const {
        std::vector<Bucket> used = buckets_;
        std::erase_if(used, [](const Bucket& bucket) { return bucket.count == 0; }); // prepared only
        return Histogram::restored(used, sum_.sum, std::chrono::nanoseconds{sum_.min},
                                   std::chrono::nanoseconds{sum_.max});
    }

    [[nodiscard]] StoredDistribution stored() const {
        if (sum_.count == 0) { return {}; }
        StoredDistribution stored{.count = sum_.count, .sum = sum_.sum, .min = sum_.min, .max = sum_.max};
        for (const Bucket& bucket : buckets_) {
            if (bucket.count == 0) { continue; }
            if (!stored.buckets.empty()) { stored.buckets += ' '; }
            stored.buckets += std::to_string(bucket.index);
            stored.buckets += ':';
            stored.buckets += std::to_string(bucket.count);
        }
        return stored;
    }

private:
    [[noreturn]] static void refuse(std::string_view text) {
        throw StoreError{StoreFailure::refused,
                         "the store holds a distribution that is none: \"" + std::string{text.substr(0, 80)} + '"'};
    }

    [[nodiscard]] static std::vector<Bucket> parsed(std::string_view text) {
        std::vector<Bucket> buckets;
        const char* at = text.data();
        const char* const end = at + text.size();
        const auto number = [&](auto& value) {
            const auto [next, error] = std::from_chars(at, end, value);
            if (error != std::errc{}) { refuse(text); }
            at = next;
        };
        while (at != end) {
            Bucket& bucket = buckets.emplace_back();
            number(bucket.index);
            if (at == end || *at++ != ':') { refuse(text); }
            number(bucket.count);
            if (at != end && (*at++ != ' ' || at == end)) { refuse(text); }
        }
        return buckets;
    }

    [[nodiscard]] std::vector<Bucket>::iterator place_of(std::size_t index) noexcept {
        return std::lower_bound(buckets_.begin(), buckets_.end(), index,
                                [](const Bucket& bucket, std::size_t wanted) { return bucket.index < wanted; });
    }

    std::vector<Bucket> buckets_; // in order of the index
    DurationSum sum_;
};

} // namespace daybook::inline v0::detail

#endif
