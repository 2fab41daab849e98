// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SATURATE_HPP
#define DAYBOOK_DETAIL_SATURATE_HPP

/// @file
/// Arithmetic on time that stops at the ends of its range instead of overflowing.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>
#include <stdexcept>
#include <utility>

namespace daybook::inline v0::detail {

/// `from` in the units of `To`, rounded up; what is out of range becomes the nearest end of it.
/// @throws std::invalid_argument  `from` is not a number.
template <class To, class Rep, class Period>
[[nodiscard]] constexpr To saturating_ceil(std::chrono::duration<Rep, Period> from) {
    if constexpr (std::integral<Rep> && std::same_as<Period, typename To::period>) {
        using Count = typename To::rep;
        if (!std::in_range<Count>(from.count())) { return std::cmp_less(from.count(), 0) ? To::min() : To::max(); }
        return To{static_cast<Count>(from.count())};
    } else {
        using Approximate = std::chrono::duration<double, typename To::period>;
        const double count = std::chrono::duration_cast<Approximate>(from).count();
        if (count != count) { throw std::invalid_argument{"a time is not a number"}; }
        if (count >= Approximate{To::max()}.count()) { return To::max(); }
        if (count <= Approximate{To::min()}.count()) { return To::min(); }
        return std::chrono::ceil<To>(from);
    }
}

/// The same, rounded down.
template <class To, class Rep, class Period>
[[nodiscard]] constexpr To saturating_floor(std::chrono::duration<Rep, Period> from) {
    if constexpr (std::integral<Rep> && std::ratio_less_v<Period, typename To::period>) {
        return std::chrono::floor<To>(from);
    } else {
        using Approximate = std::chrono::duration<double, typename To::period>;
        const To up = saturating_ceil<To>(from);
        const bool is_inside = up != To::min() && up != To::max();
        return !std::integral<Rep> && is_inside && Approximate{up} > Approximate{from} ? up - To{1} : up;
    }
}

/// `from + by`, or the last instant there is. `by` is not negative.
template <class Clock, class Duration>
[[nodiscard]] constexpr std::chrono::time_point<Clock, Duration>
saturating_add(std::chrono::time_point<Clock, Duration> from, Duration by) noexcept {
    using Instant = std::chrono::time_point<Clock, Duration>;
    const auto since_epoch = from.time_since_epoch();
    return since_epoch > Duration::max() - by ? Instant::max() : Instant{since_epoch + by};
}

/// `to - from`, or the nearest distance that there is.
template <class Clock, class Duration>
[[nodiscard]] constexpr Duration saturating_difference(std::chrono::time_point<Clock, Duration> to,
                                                       std::chrono::time_point<Clock, Duration> from) noexcept {
    const auto end = to.time_since_epoch();
    const auto begin = from.time_since_epoch();
    if (begin < Duration::zero() && end > Duration::max() + begin) { return Duration::max(); }
    if (begin > Duration::zero() && end < Duration::min() + begin) { return Duration::min(); }
    return end - begin;
}

/// `from - by`, or the first instant there is. `by` is not negative.
template <class Clock, class Duration>
[[nodiscard]] constexpr std::chrono::time_point<Clock, Duration>
saturating_subtract(std::chrono::time_point<Clock, Duration> from, Duration by) noexcept {
    using Instant = std::chrono::time_point<Clock, Duration>;
    const auto since_epoch = from.time_since_epoch();
    return since_epoch < Duration::min() + by ? Instant::min() : Instant{since_epoch - by};
}

} // namespace daybook::inline v0::detail

#endif
