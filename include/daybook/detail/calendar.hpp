// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CALENDAR_HPP
#define DAYBOOK_DETAIL_CALENDAR_HPP

/// @file
/// The proleptic Gregorian calendar in whole numbers: days since 1970-01-01 from and to year, month, day.

#include <cstdint>

namespace daybook::inline v0::detail {

inline constexpr std::int64_t seconds_per_day = 86'400;
inline constexpr std::int64_t days_per_cycle = 146'097; ///< 400 years, after which dates and weekdays repeat
inline constexpr std::int64_t seconds_per_cycle = days_per_cycle * seconds_per_day;

/// The quotient rounded down; `divisor` is positive.
[[nodiscard]] constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) noexcept {
    const std::int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

struct CivilDate {
    std::int64_t year = 1970;
    unsigned month = 1; ///< 1 to 12
    unsigned day = 1;   ///< 1 to 31
};

/// Both functions below count in whole cycles from before the year -292,277, where sys_time begins, so that unsigned
/// numbers of 32 bits do for all of its range, and a year begins in March, so that the leap day is its last.
/// The arithmetic is that of Neri and Schneider, "Euclidean affine functions and their application to calendar
/// algorithms", 2022. Valid for 800 cycles either way.
inline constexpr std::int64_t hidden_cycles = 800;
inline constexpr std::int64_t hidden_days = hidden_cycles * days_per_cycle + 719'468; ///< to 1970-01-01

[[nodiscard]] constexpr CivilDate civil_from_days(std::int64_t days) noexcept {
    const std::uint32_t quarters = 4 * static_cast<std::uint32_t>(days + hidden_days) + 3;
    const std::uint32_t century = quarters / 146'097;
    const std::uint32_t in_century = quarters % 146'097 | 3U;
    const std::uint64_t product = std::uint64_t{2'939'745} * in_century;
    const auto year_of_century = static_cast<std::uint32_t>(product >> 32U);
    const std::uint32_t day_of_year = static_cast<std::uint32_t>(product) / 2'939'745 / 4;
    const std::uint32_t month_and_day = 2141 * day_of_year + 197'913;
    const std::uint32_t month = month_and_day >> 16U;
    const bool next_year = day_of_year >= 306;
    return {.year = std::int64_t{100} * century + year_of_century - 400 * hidden_cycles + (next_year ? 1 : 0),
            .month = next_year ? month - 12 : month,
            .day = (month_and_day & 0xFFFFU) / 2141 + 1};
}

[[nodiscard]] constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) noexcept {
    const bool next_year = month <= 2;
    const auto march_year = static_cast<std::uint32_t>(year + 400 * hidden_cycles - (next_year ? 1 : 0));
    const std::uint32_t march_month = next_year ? month + 12 : month;
    const std::uint32_t century = march_year / 100;
    const std::uint32_t days_of_years = 1461 * march_year / 4 - century + century / 4;
    const std::uint32_t days_of_months = (979 * march_month - 2919) >> 5U;
    return std::int64_t{days_of_years} + days_of_months + day - 1 - hidden_days;
}

[[nodiscard]] constexpr bool is_leap_year(std::int64_t year) noexcept {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

[[nodiscard]] constexpr unsigned days_in_month(std::int64_t year, unsigned month) noexcept {
    if (month == 2) { return is_leap_year(year) ? 29 : 28; }
    return 30U + ((month + (month >> 3U)) & 1U);
}

/// 0 is Sunday. Within the range of civil_from_days.
[[nodiscard]] constexpr unsigned weekday_of(std::int64_t days) noexcept {
    constexpr std::int64_t whole_weeks = hidden_days / 7 * 7;
    return static_cast<std::uint32_t>(days + whole_weeks + 4) % 7;
}

} // namespace daybook::inline v0::detail

#endif
