// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HOUR_RING_HPP
#define DAYBOOK_DETAIL_HOUR_RING_HPP

/// @file
/// The hours of a week in which something was counted; the others take no room.

#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/stats/timeline.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace daybook::inline v0::detail {

/// An hour has one place, as in PeriodRing, which it shares with those whole weeks before and after it.
/// @tparam Hour  Has a `key`, `add(const Hour&)` and `is_used()`.
template <class Hour>
class HourRing {
public:
    HourRing() noexcept { where_.fill(nowhere); }

    /// The hour is over: takes its place, also where there is nothing to count. O(1). Without memory for another hour
    /// it is not kept.
    void close(const Hour& hour) noexcept {
        std::uint8_t& at = where_[place_of(hour.key, length)];
        if (at != nowhere && hours_[at].key == hour.key) {
            hours_[at].add(hour);
        } else if (at != nowhere && hour.is_used()) {
            hours_[at] = hour;
        } else if (at != nowhere) {
            where_[place_of(hours_.back().key, length)] = at;
            hours_[at] = hours_.back();
            hours_.pop_back();
            where_[place_of(hour.key, length)] = nowhere;
        } else if (hour.is_used()) {
            try {
                hours_.push_back(hour);
                at = static_cast<std::uint8_t>(hours_.size() - 1);
            } catch (const std::bad_alloc&) { return; } // figures are worth less than what is being recorded
        }
    }

    /// What was counted elsewhere at the same times. Of two hours that share a place the newer one stays.
    void add(const Hour& hour) noexcept {
        const std::uint8_t at = where_[place_of(hour.key, length)];
        if (at == nowhere || hours_[at].key <= hour.key) { close(hour); }
    }
    void add(const HourRing& other) noexcept {
        for (const Hour& hour : other.hours_) { add(hour); }
    }

    /// Calls `visit(const Hour&)` for what there is of the hours `first` to `last`, in any order. O(hours kept).
    template <class Visit>
    void for_each(PeriodKey first, PeriodKey last, Visit&& visit) const {
        for (const Hour& hour : hours_) {
            if (hour.key >= first && hour.key <= last) { visit(hour); }
        }
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept { return heap_bytes(hours_); }
    [[nodiscard]] static constexpr std::size_t memory_limit() noexcept { return heap_bytes(2 * length * sizeof(Hour)); }

private:
    static constexpr std::size_t length = timeline_length(TimelineResolution::hour);
    static constexpr std::uint8_t nowhere = 255;
    static_assert(length < nowhere);

    std::array<std::uint8_t, length> where_; ///< by place: which of `hours_`
    std::vector<Hour> hours_;
};

} // namespace daybook::inline v0::detail

#endif
