// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TEXT_TIMESTAMP_HPP
#define DAYBOOK_TEXT_TIMESTAMP_HPP

/// @file
/// Instants as text: `2024-01-15T10:30:00.123456Z`, and back.

#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0 {

/// The length of what write_timestamp writes.
inline constexpr std::size_t timestamp_length = 27;

/// The earliest and the latest instant that four digits for the year can say.
inline constexpr sys_time min_timestamp =
    std::chrono::sys_days{std::chrono::year{0} / std::chrono::January / 1} + std::chrono::microseconds{0};
inline constexpr sys_time max_timestamp =
    std::chrono::sys_days{std::chrono::year{10'000} / std::chrono::January / 1} - std::chrono::microseconds{1};

namespace detail {

/// "00" to "99", one after the other.
inline constexpr auto two_digits = [] {
    std::array<char, 200> digits{};
    for (std::size_t number = 0; number < 100; ++number) {
        digits[2 * number] = static_cast<char>('0' + number / 10);
        digits[2 * number + 1] = static_cast<char>('0' + number % 10);
    }
    return digits;
}();

inline char* write_two_digits(char* to, unsigned number) noexcept {
    std::memcpy(to, two_digits.data() + std::size_t{2} * number, 2);
    return to + 2;
}

/// Six digits and the zone: what follows the point.
inline char* write_micros(char* to, std::uint32_t micro) noexcept {
    to = write_two_digits(to, micro / 10'000);
    to = write_two_digits(to, micro / 100 % 100);
    to = write_two_digits(to, micro % 100);
    *to++ = 'Z';
    return to;
}

/// Reads exactly `count` digits from the front of `text`; empty when there are fewer.
[[nodiscard]] constexpr std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) noexcept {
    if (text.size() < count) { return std::nullopt; }
    unsigned number = 0;
    for (const char digit : text.substr(0, count)) {
        if (digit < '0' || digit > '9') { return std::nullopt; }
        number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    text.remove_prefix(count);
    return number;
}

[[nodiscard]] constexpr bool take_char(std::string_view& text, std::string_view one_of) noexcept {
    if (text.empty() || one_of.find(text.front()) == std::string_view::npos) { return false; }
    text.remove_prefix(1);
    return true;
}

} // namespace detail

/// Writes `instant` as RFC 3339 in UTC, always with six digits after the point, and returns the end of what it wrote.
///
/// @param to  Has room for `timestamp_length` characters; no terminating zero is written.
/// An instant outside `min_timestamp`..`max_timestamp` is written as the nearer of the two.
inline char* write_timestamp(char* to, sys_time instant) noexcept {
    using namespace std::chrono;
    instant = std::clamp(instant, min_timestamp, max_timestamp);
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    // 32-bit halves: division by a constant is then a multiplication without a 128-bit product.
    const auto in_day = (instant - day).count();
    const auto second = static_cast<std::uint32_t>(in_day / 1'000'000);
    const auto micro = static_cast<std::uint32_t>(in_day % 1'000'000);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

    to = detail::write_two_digits(to, year / 100);
    to = detail::write_two_digits(to, year % 100);
    *to++ = '-';
    to = detail::write_two_digits(to, static_cast<unsigned>(date.month()));
    *to++ = '-';
    to = detail::write_two_digits(to, static_cast<unsigned>(date.day()));
    *to++ = 'T';
    to = detail::write_two_digits(to, second / 3600);
    *to++ = ':';
    to = detail::write_two_digits(to, second / 60 % 60);
    *to++ = ':';
    to = detail::write_two_digits(to, second % 60);
    *to++ = '.';
    return detail::write_micros(to, micro);
}

/// See write_timestamp.
[[nodiscard]] inline std::string format_timestamp(sys_time instant) {
    std::string text(timestamp_length, '\0');
    write_timestamp(text.data(), instant);
    return text;
}

/// Reads an RFC 3339 date and time: `2024-01-15T10:30:00Z`, with any number of digits after the point (those past the
/// sixth are dropped), with an offset such as `+02:00` in place of `Z`. Empty for anything else; in particular a zone
/// is required, a date must exist, and a leap second (`:60`) is refused.
[[nodiscard]] constexpr std::optional<sys_time> parse_timestamp(std::string_view text) noexcept {
    using namespace std::chrono;
    using detail::take_char;
    using detail::take_digits;

    const auto year_number = take_digits(text, 4);
    if (!year_number || !take_char(text, "-")) { return std::nullopt; }
    const auto month_number = take_digits(text, 2);
    if (!month_number || !take_char(text, "-")) { return std::nullopt; }
    const auto day_number = take_digits(text, 2);
    if (!day_number || !take_char(text, "Tt ")) { return std::nullopt; }
    const year_month_day date{year{static_cast<int>(*year_number)}, month{*month_number}, day{*day_number}};
    if (!date.ok()) { return std::nullopt; }

    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take_char(text, ":")) { return std::nullopt; }
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take_char(text, ":")) { return std::nullopt; }
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) { return std::nullopt; }

    unsigned micro = 0;
    if (take_char(text, ".")) {
        std::size_t digits = 0;
        for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
            if (digits < 6) { micro = micro * 10 + static_cast<unsigned>(text.front() - '0'); }
            text.remove_prefix(1);
        }
        if (digits == 0) { return std::nullopt; }
        for (; digits < 6; ++digits) { micro *= 10; }
    }

    sys_time instant =
        sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second} + std::chrono::microseconds{micro};
    if (take_char(text, "Zz")) { return text.empty() ? std::optional{instant} : std::nullopt; }
    const bool is_east = !text.empty() && text.front() == '+';
    if (!take_char(text, "+-")) { return std::nullopt; }
    const auto offset_hour = take_digits(text, 2);
    if (!offset_hour || *offset_hour > 23 || !take_char(text, ":")) { return std::nullopt; }
    const auto offset_minute = take_digits(text, 2);
    if (!offset_minute || *offset_minute > 59 || !text.empty()) { return std::nullopt; }
    const auto offset = hours{*offset_hour} + minutes{*offset_minute};
    return is_east ? instant - offset : instant + offset;
}

namespace detail {

/// The same, or a day such as `2024-01-15`, which begins at midnight UTC.
[[nodiscard]] inline std::optional<sys_time> parse_instant_or_day(std::string_view text) {
    constexpr std::size_t day_length = 10;
    return text.size() == day_length ? parse_timestamp(std::string{text} + "T00:00:00Z") : parse_timestamp(text);
}

} // namespace detail

} // namespace daybook::inline v0

#endif
