// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_POSIX_TZ_HPP
#define DAYBOOK_DETAIL_POSIX_TZ_HPP

/// @file
/// The rule language of the TZ variable (POSIX.1-2017, 8.3) with the extensions of RFC 8536, 3.3.1.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/zone_data.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0::detail {

/// One of the two days a year on which the clocks change.
struct PosixTzDay {
    enum class Form : std::uint8_t {
        julian,  ///< Jn: 1 to 365, 29 February is not counted
        ordinal, ///< n: 0 to 365, 29 February is counted
        weekday, ///< Mm.w.d: the w-th weekday d of month m; w = 5 is the last one
    };
    Form form = Form::weekday;
    unsigned month = 0;
    unsigned week = 0;
    unsigned day = 0;
    std::int32_t time = 7200; ///< seconds after midnight, from -167 h to 167 h

    /// Local seconds since 1970 at which it happens.
    [[nodiscard]] constexpr std::int64_t in(std::int64_t year) const noexcept {
        std::int64_t days = days_from_civil(year, 1, 1);
        if (form == Form::ordinal) {
            days += day;
        } else if (form == Form::julian) {
            days += day - 1 + (is_leap_year(year) && day >= 60 ? 1U : 0U);
        } else {
            const std::int64_t first = days_from_civil(year, month, 1);
            const unsigned length = days_in_month(year, month);
            unsigned in_month = (day + 7 - weekday_of(first)) % 7 + 7 * (week - 1);
            if (in_month >= length) { in_month -= 7; }
            days = first + in_month;
        }
        return days * seconds_per_day + time;
    }
};

/// A parsed rule; offsets in seconds east of UTC (POSIX writes them west).
struct PosixTz {
    std::int32_t standard = 0;
    std::int32_t daylight = 0;
    bool changes = false; ///< whether there is daylight saving time at all
    PosixTzDay to_daylight = {};
    PosixTzDay to_standard = {};

    /// Appends its transitions later than `after`, from the year `first` on, and lets them repeat for ever.
    void extend(ZoneData& zone, std::int64_t first, std::int64_t after) const {
        if (!changes || standard == daylight) { return; }
        std::int64_t latest = after;
        const auto add = [&](std::int64_t at, std::int32_t offset) {
            if (at <= after) { return; }
            // What would come before its predecessor replaces it: it belongs to the later year.
            latest = std::max(at, latest);
            zone.add_transition(latest, offset);
        };
        for (std::int64_t year = first; year <= first + 412; ++year) {
            const std::int64_t begin = to_daylight.in(year)-standard;
            const std::int64_t end = to_standard.in(year)-daylight;
            // Both at one instant: the beginning wins, and there is no end, as in the tz project's own code.
            if (end < begin) {
                add(end, standard);
                add(begin, daylight);
                continue;
            }
            add(begin, daylight);
            const std::int64_t length = is_leap_year(year) ? 366 : 365;
            if (begin < end && end - begin < length * seconds_per_day) { add(end, standard); }
        }
        // By then the first years have no say any more: leap days, on which all may depend, are 8 years apart at most.
        zone.repeat_from(days_from_civil(first + 10, 7, 1) * seconds_per_day);
    }
};

class PosixTzParser {
public:
    explicit constexpr PosixTzParser(std::string_view text) noexcept : text_{text} {}

    /// Nothing where the text is not a rule in full.
    [[nodiscard]] constexpr std::optional<PosixTz> parse() noexcept {
        PosixTz rule;
        std::int32_t west = 0;
        if (!name() || !duration(west, 24)) { return std::nullopt; }
        rule.standard = -west;
        rule.daylight = rule.standard;
        if (done()) { return rule; }
        if (!name()) { return std::nullopt; }
        rule.changes = true;
        rule.daylight = rule.standard + 3600;
        if (!done() && peek() != ',') {
            if (!duration(west, 24)) { return std::nullopt; }
            rule.daylight = -west;
        }
        if (done()) { // POSIX leaves the days to the system: as everywhere, those of the United States
            rule.to_daylight = {.form = PosixTzDay::Form::weekday, .month = 3, .week = 2, .day = 0};
            rule.to_standard = {.form = PosixTzDay::Form::weekday, .month = 11, .week = 1, .day = 0};
            return rule;
        }
        if (!day(rule.to_daylight) || !day(rule.to_standard) || !done()) { return std::nullopt; }
        return rule;
    }

private:
    [[nodiscard]] constexpr bool done() const noexcept { return at_ == text_.size(); }
    [[nodiscard]] constexpr char peek() const noexcept { return done() ? '\0' : text_[at_]; }
    [[nodiscard]] constexpr bool take(char wanted) noexcept {
        if (peek() != wanted) { return false; }
        ++at_;
        return true;
    }
    [[nodiscard]] static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    [[nodiscard]] static constexpr bool is_letter(char c) noexcept {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    [[nodiscard]] constexpr bool name() noexcept {
        const bool quoted = take('<');
        const std::size_t begin = at_;
        while (is_letter(peek()) || (quoted && (is_digit(peek()) || peek() == '+' || peek() == '-'))) { ++at_; }
        return at_ - begin >= 3 && (!quoted || take('>'));
    }

    [[nodiscard]] constexpr bool number(unsigned& value, unsigned low, unsigned high) noexcept {
        const std::size_t begin = at_;
        value = 0;
        while (is_digit(peek()) && at_ - begin < 3) { value = value * 10 + static_cast<unsigned>(text_[at_++] - '0'); }
        return at_ != begin && !is_digit(peek()) && value >= low && value <= high;
    }

    /// [+-]h[hh][:mm[:ss]] in seconds.
    [[nodiscard]] constexpr bool duration(std::int32_t& seconds, unsigned max_hours) noexcept {
        const bool negative = peek() == '-';
        if (negative || peek() == '+') { ++at_; }
        std::array<unsigned, 3> parts{};
        if (!number(parts[0], 0, max_hours)) { return false; }
        for (std::size_t i = 1; i < parts.size() && take(':'); ++i) {
            if (!number(parts[i], 0, 59)) { return false; }
        }
        const auto total = static_cast<std::int32_t>(parts[0] * 3600 + parts[1] * 60 + parts[2]);
        seconds = negative ? -total : total;
        return true;
    }

    [[nodiscard]] constexpr bool day(PosixTzDay& result) noexcept {
        if (!take(',')) { return false; }
        bool good = false;
        if (take('J')) {
            result.form = PosixTzDay::Form::julian;
            good = number(result.day, 1, 365);
        } else if (take('M')) {
            result.form = PosixTzDay::Form::weekday;
            good = number(result.month, 1, 12) && take('.') && number(result.week, 1, 5) && take('.') &&
                   number(result.day, 0, 6);
        } else {
            result.form = PosixTzDay::Form::ordinal;
            good = number(result.day, 0, 365);
        }
        return good && (!take('/') || duration(result.time, 167));
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
