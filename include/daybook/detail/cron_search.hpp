// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_SEARCH_HPP
#define DAYBOOK_DETAIL_CRON_SEARCH_HPP

/// @file
/// The next local time that a cron expression matches, found by counting trailing zeros instead of walking.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/cron_fields.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace daybook::inline v0::detail {

inline constexpr std::int64_t no_match = std::numeric_limits<std::int64_t>::max();

/// Where `W` moves a day to: Saturday to Friday, Sunday to Monday, never into another month.
[[nodiscard]] constexpr unsigned nearest_workday(unsigned day, unsigned length, unsigned first_weekday) noexcept {
    const unsigned weekday = (first_weekday + day - 1) % 7;
    if (weekday == 6) { return day == 1 ? 3 : day - 1; }
    if (weekday == 0) { return day == length ? day - 2 : day + 1; }
    return day;
}

[[nodiscard]] constexpr std::uint32_t special_days(const CronFields& fields, unsigned length,
                                                   unsigned first_weekday) noexcept {
    std::uint32_t result = 0;
    for (std::uint32_t left = fields.days_from_end; left != 0; left &= left - 1) {
        const auto back = static_cast<unsigned>(std::countr_zero(left));
        if (back < length) { result |= 1U << (length - back); }
    }
    std::uint32_t near = fields.workday_near;
    for (std::uint32_t left = fields.workday_from_end; left != 0; left &= left - 1) {
        const auto back = static_cast<unsigned>(std::countr_zero(left));
        if (back < length) { near |= 1U << (length - back); }
    }
    for (; near != 0; near &= near - 1) {
        const auto day = static_cast<unsigned>(std::countr_zero(near));
        if (day <= length) { result |= 1U << nearest_workday(day, length, first_weekday); }
    }
    return result;
}

[[nodiscard]] constexpr std::uint32_t special_weekdays(const CronFields& fields, unsigned length,
                                                       unsigned first_weekday) noexcept {
    std::uint32_t result = 0;
    for (std::uint64_t left = fields.nth_weekdays; left != 0; left &= left - 1) {
        const auto bit = static_cast<unsigned>(std::countr_zero(left));
        const unsigned day = (bit % 8 + 7 - first_weekday) % 7 + 7 * (bit / 8) + 1;
        if (day <= length) { result |= 1U << day; }
    }
    const unsigned last = (first_weekday + length - 1) % 7;
    for (unsigned left = fields.last_weekdays; left != 0; left &= left - 1) {
        const auto weekday = static_cast<unsigned>(std::countr_zero(left));
        result |= 1U << (length - (last + 7 - weekday) % 7);
    }
    return result;
}

/// The matching days of one month, bit n for day n.
[[nodiscard]] constexpr std::uint32_t matching_days(const CronFields& fields, unsigned length,
                                                    unsigned first_weekday) noexcept {
    constexpr std::uint64_t weeks = 0x0000'0008'1020'4081U; // bits 0, 7, 14, 21, 28, 35
    const auto in_month = static_cast<std::uint32_t>(bit_range(1, length));
    std::uint32_t by_day = fields.days;
    auto by_weekday = static_cast<std::uint32_t>((fields.weekdays * weeks) >> first_weekday << 1U);
    if (fields.special_days()) { by_day |= special_days(fields, length, first_weekday); }
    if (fields.special_weekdays()) { by_weekday |= special_weekdays(fields, length, first_weekday); }
    return (fields.either_day() ? by_day | by_weekday : by_day & by_weekday) & in_month;
}

[[nodiscard]] constexpr std::int64_t first_time_of_day(const CronFields& fields) noexcept {
    return std::countr_zero(fields.hours) * std::int64_t{3600} + std::countr_zero(fields.minutes) * std::int64_t{60} +
           std::countr_zero(fields.seconds);
}

/// The first matching second of the day from `from` on; no_match where the day has none left.
[[nodiscard]] constexpr std::int64_t time_of_day_from(const CronFields& fields, std::uint32_t from) noexcept {
    const std::uint32_t hour = from / 3600;
    const std::uint32_t minute = from / 60 % 60;
    const std::uint32_t second = from % 60;
    constexpr std::uint64_t ones = ~std::uint64_t{0};
    if ((fields.hours >> hour & 1U) != 0) {
        if ((fields.minutes >> minute & 1U) != 0) {
            const std::uint64_t seconds = fields.seconds & (ones << second);
            if (seconds != 0) { return hour * 3600 + minute * 60 + static_cast<unsigned>(std::countr_zero(seconds)); }
        }
        const std::uint64_t minutes = fields.minutes & (ones << (minute + 1));
        if (minutes != 0) {
            return hour * std::int64_t{3600} + std::countr_zero(minutes) * std::int64_t{60} +
                   std::countr_zero(fields.seconds);
        }
    }
    const std::uint64_t hours = fields.hours & (ones << (hour + 1));
    if (hours == 0) { return no_match; }
    return std::countr_zero(hours) * std::int64_t{3600} + std::countr_zero(fields.minutes) * std::int64_t{60} +
           std::countr_zero(fields.seconds);
}

/// The first year after `year` that the field names; no_match if none.
[[nodiscard]] constexpr std::int64_t year_after(const CronFields& fields, std::int64_t year) noexcept {
    if (fields.any_year) { return year + 1; }
    std::int64_t from = year + 1 - first_cron_year;
    if (from < 0) { from = 0; }
    for (auto word = static_cast<std::size_t>(from / 64); word < fields.years.size(); ++word) {
        const std::uint64_t left = fields.years[word] & (~std::uint64_t{0} << (from % 64));
        if (left != 0) { return first_cron_year + static_cast<std::int64_t>(word) * 64 + std::countr_zero(left); }
        from = 0;
    }
    return no_match;
}

/// What has not matched within 40 years and some never will: every month begins on every day of the week within 12
/// years, and a February of 29 days within 40, where a century without a leap year lies between.
inline constexpr std::int64_t cron_horizon_years = 41;

/// Whether no day before the 29th can match, so that the lengths of the months decide.
[[nodiscard]] constexpr bool only_late_days(const CronFields& fields) noexcept {
    return (fields.days & bit_range(1, 28)) == 0 && !fields.either_day() && !fields.special_days();
}

/// Those of the months that have one of the days in some year, where only_late_days.
[[nodiscard]] constexpr std::uint32_t months_with_late_days(const CronFields& fields) noexcept {
    constexpr std::uint32_t february = 1U << 2U;
    constexpr std::uint32_t of_30_days = 1U << 4U | 1U << 6U | 1U << 9U | 1U << 11U;
    if ((fields.days >> 29U & 1U) != 0) { return fields.months; }
    return fields.months & ~((fields.days >> 30U & 1U) != 0 ? february : february | of_30_days);
}

/// The first match after the month of `date` where only 29 February can match; no_match if none.
[[nodiscard]] constexpr std::int64_t next_leap_day(const CronFields& fields, CivilDate date) noexcept {
    const std::int64_t last_year = fields.any_year ? date.year + cron_horizon_years : std::int64_t{last_cron_year};
    std::int64_t year = date.year - (date.month < 2 ? 1 : 0);
    while (true) {
        year = fields.any_year ? (year | 3) + 1 : year_after(fields, year);
        if (year > last_year) { return no_match; }
        if (!is_leap_year(year)) { continue; }
        const std::int64_t day = days_from_civil(year, 2, 29);
        if ((matching_days(fields, 29, weekday_of(day - 28)) >> 29U & 1U) != 0) {
            return day * seconds_per_day + first_time_of_day(fields);
        }
    }
}

/// The first match in the months after that of `date`; no_match if none.
[[nodiscard]] constexpr std::int64_t first_in_later_months(const CronFields& fields, CivilDate date) noexcept {
    const std::int64_t last_year = fields.any_year ? date.year + cron_horizon_years : std::int64_t{last_cron_year};
    std::uint32_t all_months = fields.months;
    if (only_late_days(fields)) {
        all_months = months_with_late_days(fields);
        if (all_months == 1U << 2U) { return next_leap_day(fields, date); }
    }
    std::int64_t year = date.year;
    std::uint32_t months = fields.has_year(year) ? all_months & (~std::uint32_t{0} << date.month << 1U) : 0U;
    while (true) {
        for (; months != 0; months &= months - 1) {
            const auto month = static_cast<unsigned>(std::countr_zero(months));
            const std::int64_t first = days_from_civil(year, month, 1);
            const std::uint32_t days = matching_days(fields, days_in_month(year, month), weekday_of(first));
            if (days != 0) {
                return (first + std::countr_zero(days) - 1) * seconds_per_day + first_time_of_day(fields);
            }
        }
        year = year_after(fields, year);
        if (year > last_year) { return no_match; }
        months = all_months;
    }
}

/// The first matching local time later than `after`, both in seconds since 1970; no_match if there is none.
/// `after` lies within the range of sys_time. No `H` may be left.
[[nodiscard]] constexpr std::int64_t next_local(const CronFields& fields, std::int64_t after) noexcept {
    const std::int64_t from = after + 1;
    constexpr std::int64_t bias = hidden_days * seconds_per_day; // unsigned division is the cheaper one
    const std::int64_t today =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(from + bias) / seconds_per_day) - hidden_days;
    const auto second_of_day = static_cast<std::uint32_t>(from - today * seconds_per_day);
    if (fields.every_day) {
        const std::int64_t time = time_of_day_from(fields, second_of_day);
        if (time != no_match) { return today * seconds_per_day + time; }
        return (today + 1) * seconds_per_day + first_time_of_day(fields);
    }
    if (fields.impossible) { return no_match; }
    const CivilDate date = civil_from_days(today);
    if (fields.has_year(date.year) && (fields.months >> date.month & 1U) != 0) {
        const unsigned first_weekday = weekday_of(today - date.day + 1);
        std::uint32_t days = matching_days(fields, days_in_month(date.year, date.month), first_weekday);
        if ((days >> date.day & 1U) != 0) {
            const std::int64_t time = time_of_day_from(fields, second_of_day);
            if (time != no_match) { return today * seconds_per_day + time; }
        }
        days &= ~std::uint32_t{0} << date.day << 1U;
        if (days != 0) {
            return (today + std::countr_zero(days) - date.day) * seconds_per_day + first_time_of_day(fields);
        }
    }
    return first_in_later_months(fields, date);
}

} // namespace daybook::inline v0::detail

#endif
