// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_EVERY_HPP
#define DAYBOOK_SCHEDULE_EVERY_HPP

/// @file
/// Intervals: `every(5min)`, and `every(5min).after_completion()`.

#include <daybook/detail/saturate.hpp>
#include <daybook/schedule/modifiable.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace daybook::inline v0 {

/// An interval on the steady clock, which no setting of the wall clock disturbs. Made by `every`.
///
/// Fixed rate: due at one instant and at every whole period after it, however long the job takes. After completion:
/// due one period after the job has ended.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class Every : public Modifiable<Every> {
public:
    /// The shortest period, and the resolution of wall-clock instants.
    static constexpr std::chrono::nanoseconds min_period = std::chrono::microseconds{1};

    /// Where a fixed rate goes on.
    struct Step {
        steady_time due;      ///< the next due instant
        std::uint64_t missed; ///< due instants that lie between the last one and `due`
        friend constexpr bool operator==(const Step&, const Step&) = default;
    };

    /// @throws std::invalid_argument  `period` is shorter than 1 microsecond.
    constexpr explicit Every(std::chrono::nanoseconds period) : period_{period} {
        if (period < min_period) { throw std::invalid_argument{"every: the period must be at least 1 microsecond"}; }
    }

    /// The same interval, counted from the end of the job instead of from its last due instant.
    [[nodiscard]] constexpr Every after_completion() const noexcept {
        Every changed = *this;
        changed.is_after_completion_ = true;
        return changed;
    }

    [[nodiscard]] constexpr std::chrono::nanoseconds period() const noexcept { return period_; }
    [[nodiscard]] constexpr bool is_after_completion() const noexcept { return is_after_completion_; }

    /// The first due instant that is later than both `last_due` and `now`, in whole periods from `last_due`. O(1),
    /// however many were missed. Beyond the range of the clock it is the clock's last instant.
    [[nodiscard]] constexpr Step next_steady(steady_time last_due, steady_time now) const noexcept {
        if (now < last_due) { return {detail::saturating_add(last_due, period_), 0}; }
        // Unsigned, because the distance between two instants may be twice the largest signed number.
        const auto last = static_cast<std::uint64_t>(last_due.time_since_epoch().count());
        const auto elapsed = static_cast<std::uint64_t>(now.time_since_epoch().count()) - last;
        const auto period = static_cast<std::uint64_t>(period_.count());
        const std::uint64_t missed = elapsed / period;
        const auto latest = last + missed * period; // the last one that is not later than now
        const auto latest_due = steady_time{std::chrono::nanoseconds{static_cast<std::int64_t>(latest)}};
        return {detail::saturating_add(latest_due, period_), missed};
    }

    /// One period after an instant, or the clock's last instant: when a job that ended then is due again.
    [[nodiscard]] constexpr steady_time next_after_completion(steady_time completed) const noexcept {
        return detail::saturating_add(completed, period_);
    }

    friend constexpr bool operator==(const Every&, const Every&) = default;

private:
    std::chrono::nanoseconds period_;
    bool is_after_completion_ = false;
};

/// Due once each `period`, at a fixed rate on the steady clock. Fractions of a nanosecond are rounded up; periods
/// beyond 292 years become 292 years.
/// @throws std::invalid_argument  `period` is shorter than 1 microsecond, or not a number.
template <class Rep, class Period>
[[nodiscard]] constexpr Every every(std::chrono::duration<Rep, Period> period) {
    return Every{detail::saturating_ceil<std::chrono::nanoseconds>(period)};
}

} // namespace daybook::inline v0

#endif
