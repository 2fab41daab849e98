// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TIME_WORDS_HPP
#define DAYBOOK_DETAIL_TIME_WORDS_HPP

/// @file
/// Durations and instants in words for people: "2 hours and 30 minutes", "2026-01-31 09:00:00 UTC".

#include <daybook/detail/calendar.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

/// "a", "a and b", "a, b and c".
[[nodiscard]] inline std::string join_words(const std::vector<std::string>& items, std::string_view last = "and") {
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i != 0) { text += i + 1 == items.size() ? ' ' + std::string{last} + ' ' : ", "; }
        text += items[i];
    }
    return text;
}

/// The number in at least `width` digits.
[[nodiscard]] inline std::string padded(std::uint64_t number, std::size_t width) {
    std::string digits = std::to_string(number);
    if (digits.size() < width) { digits.insert(0, width - digits.size(), '0'); }
    return digits;
}

/// "1 second", "1.5 seconds": `whole` and `fraction` / `scale`, a power of ten, without zeros at the end.
[[nodiscard]] inline std::string quantity_words(std::uint64_t whole, std::uint64_t fraction, std::uint64_t scale,
                                                std::string_view unit) {
    std::string text = std::to_string(whole);
    if (fraction != 0) {
        std::string digits = std::to_string(scale + fraction).substr(1);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += '.' + digits;
    }
    text += ' ';
    text += unit;
    if (whole != 1 || fraction != 0) { text += 's'; }
    return text;
}

/// A duration in words, exact to the nanosecond: "5 minutes", "1.5 seconds", "2 days and 12 hours", "250 milliseconds".
/// Days are counted from 48 hours on, since a day is not always 24 hours for whoever reads it.
[[nodiscard]] inline std::string duration_words(std::chrono::nanoseconds duration) {
    const std::int64_t count = duration.count();
    // Unsigned, because the most negative number has no positive counterpart.
    const std::uint64_t total =
        count < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    const std::string sign = count < 0 ? "minus " : "";
    if (total == 0) { return "0 seconds"; }
    if (total < 1000) { return sign + quantity_words(total, 0, 1, "nanosecond"); }
    if (total < 1'000'000) { return sign + quantity_words(total / 1000, total % 1000, 1000, "microsecond"); }
    constexpr std::uint64_t second = 1'000'000'000;
    if (total < second) {
        return sign + quantity_words(total / 1'000'000, total % 1'000'000, 1'000'000, "millisecond");
    }
    const std::uint64_t all_hours = total / second / 3600;
    const std::uint64_t days = all_hours < 48 ? 0 : all_hours / 24;
    const std::uint64_t hours = all_hours - days * 24;
    const std::uint64_t minutes = total / second / 60 % 60;
    const std::uint64_t seconds = total / second % 60;
    std::vector<std::string> parts;
    if (days != 0) { parts.push_back(quantity_words(days, 0, 1, "day")); }
    if (hours != 0) { parts.push_back(quantity_words(hours, 0, 1, "hour")); }
    if (minutes != 0) { parts.push_back(quantity_words(minutes, 0, 1, "minute")); }
    if (seconds != 0 || total % second != 0) {
        parts.push_back(quantity_words(seconds, total % second, second, "second"));
    }
    return sign + join_words(parts);
}

/// "every second", "every 1.5 seconds", "every 2 hours and 30 minutes", "every 24 hours".
[[nodiscard]] inline std::string interval_words(std::chrono::nanoseconds period) {
    const std::string words = duration_words(period);
    const bool is_one_unit = words.starts_with("1 ") && words.find(' ', 2) == std::string::npos;
    return "every " + (is_one_unit ? words.substr(2) : words);
}

/// "2026-01-31"; a year before 0 with a minus, one after 9999 with all its digits.
[[nodiscard]] inline std::string date_words(const CivilDate& date) {
    return (date.year < 0 ? "-" : "") + padded(static_cast<std::uint64_t>(date.year < 0 ? -date.year : date.year), 4) +
           '-' + padded(date.month, 2) + '-' + padded(date.day, 2);
}

/// An instant for people: "2026-01-31 09:00:00 UTC"; with six digits after the point where there are microseconds.
/// Any year is written in full, those before the year 0 with a minus.
[[nodiscard]] inline std::string instant_words(sys_time instant) {
    constexpr std::int64_t micros_per_day = seconds_per_day * 1'000'000;
    const std::int64_t micros = instant.time_since_epoch().count();
    const std::int64_t days = floor_divide(micros, micros_per_day);
    const CivilDate date = civil_from_days(days);
    // Unsigned: the first day of the range begins before it.
    const std::uint64_t in_day =
        static_cast<std::uint64_t>(micros) - static_cast<std::uint64_t>(days) * std::uint64_t{micros_per_day};
    const std::uint64_t second = in_day / 1'000'000;
    std::string text = date_words(date) + ' ';
    text += padded(second / 3600, 2) + ':' + padded(second / 60 % 60, 2) + ':' + padded(second % 60, 2);
    if (in_day % 1'000'000 != 0) { text += '.' + padded(in_day % 1'000'000, 6); }
    return text + " UTC";
}

} // namespace daybook::inline v0::detail

#endif
