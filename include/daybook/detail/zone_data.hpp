// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ZONE_DATA_HPP
#define DAYBOOK_DETAIL_ZONE_DATA_HPP

/// @file
/// The offsets of one time zone as a table over all of time, and the search in it.

#include <daybook/detail/calendar.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

inline constexpr std::int64_t widest_offset = 26 * 3600; ///< in seconds; none is further from UTC

/// One stretch of time with one offset, and the offsets on either side of it; instants in seconds since 1970 UTC.
struct ZoneSpan {
    std::int64_t begin = std::numeric_limits<std::int64_t>::min(); ///< the lowest value: since ever
    std::int64_t end = std::numeric_limits<std::int64_t>::max();   ///< not part of it; the highest value: for good
    std::int32_t offset = 0;                                       ///< seconds east of UTC
    std::int32_t before = 0;                                       ///< of the stretch before; `offset` if none
    std::int32_t after = 0;                                        ///< of the stretch after; `offset` if none
};

/// @par Thread safety
/// Building: one thread. Afterwards safe from any thread: only the hint changes, and any value of it is a good one.
class ZoneData {
public:
    ZoneData(std::string name, std::int32_t first_offset)
        : name_{std::move(name)}, starts_{std::numeric_limits<std::int64_t>::min()}, offsets_{first_offset} {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Instants must not decrease; one that equals the last replaces it, and one that changes nothing is dropped.
    void add_transition(std::int64_t at, std::int32_t offset) {
        if (starts_.size() > 1 && starts_.back() == at) {
            starts_.pop_back();
            offsets_.pop_back();
        }
        if (offsets_.back() == offset) { return; }
        starts_.push_back(at);
        offsets_.push_back(offset);
    }

    /// From `start` on, the table repeats itself every 400 years, if anything changes there at all; it must reach two
    /// years past `start` + 400 years.
    void repeat_from(std::int64_t start) noexcept {
        if (starts_.back() > start) { cycle_start_ = start; }
    }

    /// To be called once after the last transition: buckets of half a year make the search in the table a short one.
    void build_index() {
        if (starts_.size() < 3) { return; }
        index_base_ = starts_[1];
        const auto last = static_cast<std::size_t>((starts_.back() - index_base_) >> bucket_bits);
        if (last > max_buckets) { return; } // such spans are found in made-up files; halving alone will do for them
        for (std::size_t bucket = 0, at = 1; bucket <= last; ++bucket) {
            const std::int64_t start = index_base_ + (static_cast<std::int64_t>(bucket) << bucket_bits);
            while (at + 1 < starts_.size() && starts_[at + 1] <= start) { ++at; }
            index_.push_back(static_cast<std::uint32_t>(at));
        }
        index_.push_back(static_cast<std::uint32_t>(starts_.size() - 1));
    }

    /// From here on the table repeats itself, or nothing changes any more; the lowest value where nothing ever does.
    [[nodiscard]] std::int64_t settled_at() const noexcept {
        return cycle_start_ == never ? starts_.back() : cycle_start_;
    }

    /// The stretch around `at`; the nearer to the one asked for last, the faster. O(log transitions).
    [[nodiscard]] ZoneSpan span_near(std::int64_t at) const noexcept {
        const std::size_t hint = hint_.load(std::memory_order_relaxed);
        if (starts_[hint] <= at && (hint + 1 == starts_.size() || at < starts_[hint + 1])) {
            if (at < cycle_end()) { return span(hint, 0); }
        }
        const auto [index, shift] = locate(at);
        if (shift == 0) { hint_.store(index, std::memory_order_relaxed); }
        return span(index, shift);
    }

    /// The same for an instant far from the others: leaves the hint alone.
    [[nodiscard]] ZoneSpan span_at(std::int64_t at) const noexcept {
        const auto [index, shift] = locate(at);
        return span(index, shift);
    }

private:
    struct Place {
        std::size_t index;
        std::int64_t shift;
    };

    [[nodiscard]] std::int64_t cycle_end() const noexcept {
        return cycle_start_ == never ? never : cycle_start_ + seconds_per_cycle;
    }

    [[nodiscard]] Place locate(std::int64_t at) const noexcept {
        std::int64_t shift = 0;
        at = at < last_told ? at : last_told;
        if (at >= cycle_end()) {
            shift = (at - cycle_start_) / seconds_per_cycle * seconds_per_cycle;
            at -= shift;
        }
        // Halving without branches: the instants asked for are unpredictable, the number of steps is not.
        std::size_t low = 0;
        std::size_t length = starts_.size();
        if (!index_.empty() && at >= index_base_) {
            const auto bucket = static_cast<std::size_t>((at - index_base_) >> bucket_bits);
            if (bucket + 1 >= index_.size()) { return {length - 1, shift}; }
            low = index_[bucket];
            length = index_[bucket + 1] - low + 1;
        }
        while (length > 1) {
            const std::size_t half = length / 2;
            low += starts_[low + half] <= at ? half : 0;
            length -= half;
        }
        return {low, shift};
    }

    [[nodiscard]] ZoneSpan span(std::size_t index, std::int64_t shift) const noexcept {
        const bool is_last = index + 1 == starts_.size();
        ZoneSpan result;
        result.offset = offsets_[index];
        result.before = index == 0 ? result.offset : offsets_[index - 1];
        result.after = is_last ? result.offset : offsets_[index + 1];
        if (index != 0) { result.begin = starts_[index] + shift; }
        if (!is_last && starts_[index + 1] <= last_told - shift) { result.end = starts_[index + 1] + shift; }
        return result;
    }

    static constexpr unsigned bucket_bits = 24; // 194 days
    static constexpr std::size_t max_buckets = 4096;
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    /// From here on all is one stretch: a cycle further, instants could not be told in 64 bits.
    static constexpr std::int64_t last_told = never - 2 * seconds_per_cycle;

    std::string name_;
    std::vector<std::int64_t> starts_; // of each stretch, ascending
    std::vector<std::int32_t> offsets_;
    std::vector<std::uint32_t> index_; // the stretch at the start of each bucket; empty: none
    std::int64_t index_base_ = 0;
    std::int64_t cycle_start_ = never;
    mutable std::atomic<std::size_t> hint_{0};
};

} // namespace daybook::inline v0::detail

#endif
