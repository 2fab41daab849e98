// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_AT_HPP
#define DAYBOOK_SCHEDULE_AT_HPP

/// @file
/// Once: `at(instant)`, on the wall clock or on the steady clock.

#include <daybook/detail/saturate.hpp>
#include <daybook/schedule/modifiable.hpp>
#include <daybook/schedule/occurrences.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <optional>

namespace daybook::inline v0 {

/// One instant. Made by `at`.
///
/// On the wall clock it follows that clock when it is set; on the steady clock it does not.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class At : public Modifiable<At> {
public:
    constexpr explicit At(sys_time when) noexcept : wall_{when} {}
    constexpr explicit At(steady_time when) noexcept : steady_{when} {}

    /// The instant, if it is one of the wall clock.
    [[nodiscard]] constexpr std::optional<sys_time> wall() const noexcept { return wall_; }

    /// The instant, if it is one of the steady clock.
    [[nodiscard]] constexpr std::optional<steady_time> steady() const noexcept { return steady_; }

    /// The instant if it is later than `after`, else nothing; always nothing for one of the steady clock, which has no
    /// place on the wall clock.
    [[nodiscard]] constexpr std::optional<sys_time> next(sys_time after) const noexcept {
        return wall_ && *wall_ > after ? wall_ : std::nullopt;
    }

    /// The same on the steady clock.
    [[nodiscard]] constexpr std::optional<steady_time> next_steady(steady_time after) const noexcept {
        return steady_ && *steady_ > after ? steady_ : std::nullopt;
    }

    /// The instant, if it is one of the wall clock from `begin` (included) to `end` (not included).
    [[nodiscard]] constexpr Occurrences<At> occurrences(sys_time begin, sys_time end) const {
        return {*this, begin, end};
    }

    friend constexpr bool operator==(const At&, const At&) = default;

private:
    std::optional<sys_time> wall_;
    std::optional<steady_time> steady_;
};

/// Due once, at an instant on the wall clock. Rounded up to microseconds, so never early; what is beyond the range of
/// `daybook::sys_time` becomes the end of it.
template <class Duration>
[[nodiscard]] constexpr At at(std::chrono::sys_time<Duration> when) {
    return At{sys_time{detail::saturating_ceil<sys_time::duration>(when.time_since_epoch())}};
}

/// Due once, at an instant on the steady clock, to the nanosecond.
template <class Duration>
[[nodiscard]] constexpr At at(std::chrono::time_point<std::chrono::steady_clock, Duration> when) {
    return At{steady_time{detail::saturating_ceil<steady_time::duration>(when.time_since_epoch())}};
}

} // namespace daybook::inline v0

#endif
