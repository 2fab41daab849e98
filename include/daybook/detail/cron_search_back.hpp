// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_SEARCH_BACK_HPP
#define DAYBOOK_DETAIL_CRON_SEARCH_BACK_HPP

/// @file
/// The last local time that a cron expression matches: the search of cron_search.hpp in the other direction, by
/// counting leading zeros.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_search.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace daybook::inline v0::detail {

/// The no_match of the searches backwards.
inline constexpr std::int64_t no_earlier_match = std::numeric_limits<std::int64_t>::min();

/// The greatest value of a set that is not empty.
[[nodiscard]] constexpr unsigned highest_of(std::uint64_t set) noexcept {
    return 63U - static_cast<unsigned>(std::countl_zero(set));
}

/// The values below `end`, which is below 64.
[[nodiscard]] constexpr std::uint64_t bits_below(unsigned end) noexcept { return (std::uint64_t{1} << end) - 1; }

[[nodiscard]] constexpr std::int64_t last_time_of_day(const CronFields& fields) noexcept {
    return std::int64_t{highest_of(fields.hours)} * 3600 + highest_of(fields.minutes) * 60 + highest_of(fields.seconds);
}

/// The last matching second of the day up to and with `last`; no_earlier_match where there is none.
[[nodiscard]] constexpr std::int64_t time_of_day_up_to(const CronFields& fields, std::uint32_t last) noexcept {
    const std::uint32_t hour = last / 3600;
    const std::uint32_t minute = last / 60 % 60;
    const std::uint32_t second = last % 60;
    if ((fields.hours >> hour & 1U) != 0) {
        if ((fields.minutes >> minute & 1U) != 0) {
            const std::uint64_t seconds = fields.seconds & bits_below(second + 1);
            if (seconds != 0) { return hour * 3600 + minute * 60 + highest_of(seconds); }
        }
        const std::uint64_t minutes = fields.minutes & bits_below(minute);
        if (minutes != 0) { return hour * 3600 + highest_of(minutes) * 60 + highest_of(fields.seconds); }
    }
    const std::uint64_t hours = fields.hours & bits_below(hour);
    if (hours == 0) { return no_earlier_match; }
    return highest_of(hours) * 3600 + highest_of(fields.minutes) * 60 + highest_of(fields.seconds);
}

/// The last year before `year` that the field names; no_earlier_match if none.
[[nodiscard]] constexpr std::int64_t year_before(const CronFields& fields, std::int64_t year) noexcept {
    if (fields.any_year) { return year - 1; }
    if (year <= first_cron_year) { return no_earlier_match; }
    const auto last = static_cast<unsigned>(year > last_cron_year ? last_cron_year : year - 1) - first_cron_year;
    std::uint64_t allowed = bit_range(0, last % 64);
    for (std::size_t word = last / 64 + 1; word-- != 0;) {
        const std::uint64_t left = fields.years[word] & allowed;
        if (left != 0) {
            return std::int64_t{first_cron_year} + static_cast<std::int64_t>(word) * 64 + highest_of(left);
        }
        allowed = ~std::uint64_t{0};
    }
    return no_earlier_match;
}

/// The last match before the month of `date` where only 29 February can match; no_earlier_match if none.
[[nodiscard]] constexpr std::int64_t previous_leap_day(const CronFields& fields, CivilDate date) noexcept {
    const std::int64_t first_year = fields.any_year ? date.year - cron_horizon_years : std::int64_t{first_cron_year};
    std::int64_t year = date.year + (date.month > 2 ? 1 : 0);
    while (true) {
        year = fields.any_year ? (year - 1) & ~std::int64_t{3} : year_before(fields, year);
        if (year < first_year) { return no_earlier_match; }
        if (!is_leap_year(year)) { continue; }
        const std::int64_t day = days_from_civil(year, 2, 29);
        if ((matching_days(fields, 29, weekday_of(day - 28)) >> 29U & 1U) != 0) {
            return day * seconds_per_day + last_time_of_day(fields);
        }
    }
}

/// The last match in the months before that of `date`; no_earlier_match if none.
[[nodiscard]] constexpr std::int64_t last_in_earlier_months(const CronFields& fields, CivilDate date) noexcept {
    const std::int64_t first_year = fields.any_year ? date.year - cron_horizon_years : std::int64_t{first_cron_year};
    std::uint64_t all_months = fields.months;
    if (only_late_days(fields)) {
        all_months = months_with_late_days(fields);
        if (all_months == 1U << 2U) { return previous_leap_day(fields, date); }
    }
    std::int64_t year = date.year;
    std::uint64_t months = fields.has_year(year) ? all_months & bits_below(date.month) : 0U;
    while (true) {
        while (months != 0) {
            const unsigned month = highest_of(months);
            const std::int64_t first = days_from_civil(year, month, 1);
            const std::uint32_t days = matching_days(fields, days_in_month(year, month), weekday_of(first));
            if (days != 0) { return (first + highest_of(days) - 1) * seconds_per_day + last_time_of_day(fields); }
            months &= bits_below(month);
        }
        year = year_before(fields, year);
        if (year < first_year) { return no_earlier_match; }
        months = all_months;
    }
}

/// The last matching local time earlier than `before`, both in seconds since 1970; no_earlier_match if there is none.
/// `before` lies within the range of sys_time. No `H` may be left.
[[nodiscard]] constexpr std::int64_t previous_local(const CronFields& fields, std::int64_t before) noexcept {
    const std::int64_t last = before - 1;
    constexpr std::int64_t bias = hidden_days * seconds_per_day; // unsigned division is the cheaper one
    const std::int64_t today =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(last + bias) / seconds_per_day) - hidden_days;
    const auto second_of_day = static_cast<std::uint32_t>(last - today * seconds_per_day);
    if (fields.every_day) {
        const std::int64_t time = time_of_day_up_to(fields, second_of_day);
        if (time != no_earlier_match) { return today * seconds_per_day + time; }
        return (today - 1) * seconds_per_day + last_time_of_day(fields);
    }
    if (fields.impossible) { return no_earlier_match; }
    const CivilDate date = civil_from_days(today);
    if (fields.has_year(date.year) && (fields.months >> date.month & 1U) != 0) {
        const std::int64_t month_start = today - date.day;
        std::uint64_t days = matching_days(fields, days_in_month(date.year, date.month), weekday_of(month_start + 1));
        if ((days >> date.day & 1U) != 0) {
            const std::int64_t time = time_of_day_up_to(fields, second_of_day);
            if (time != no_earlier_match) { return today * seconds_per_day + time; }
        }
        days &= bits_below(date.day);
        if (days != 0) { return (month_start + highest_of(days)) * seconds_per_day + last_time_of_day(fields); }
    }
    return last_in_earlier_months(fields, date);
}

} // namespace daybook::inline v0::detail

#endif
