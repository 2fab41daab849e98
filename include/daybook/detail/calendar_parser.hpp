// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CALENDAR_PARSER_HPP
#define DAYBOOK_DETAIL_CALENDAR_PARSER_HPP

/// @file
/// Reads the text of a calendar: `SAT,--12-25,2026-12-27/2027-01-02[Europe/Berlin]`, `{* * 12 * * *}`, `nothing`.

#include <daybook/schedule/calendar.hpp>
#include <daybook/schedule/schedule_error.hpp>
#include <daybook/text/timestamp.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

class CalendarParser {
public:
    /// @param column  Where `text` stands in the whole, from 1.
    CalendarParser(std::string_view text, std::size_t column) : text_{text}, column_{column} {}

    /// @param read_cron  Makes a Cron of the text between braces, given with its column.
    /// @throws ScheduleError  The text is no calendar.
    template <class ReadCron>
    [[nodiscard]] Calendar parse(const ReadCron& read_cron) {
        std::string_view items = text_;
        Calendar calendar;
        if (!items.empty() && items.back() == ']') {
            const std::size_t open = items.rfind('[');
            if (open == std::string_view::npos) { fail("'[' before the zone"); }
            const std::string_view name = items.substr(open + 1, items.size() - open - 2);
            if (name.empty()) { at_ = open + 1, fail("the name of a zone"); }
            calendar = in_zone(name, open + 1);
            items = items.substr(0, open);
        }
        if (items.starts_with('{')) {
            const std::size_t close = items.find('}');
            if (close == std::string_view::npos) { fail("'}' after the cron expression"); }
            if (text_ != items) { fail("the zone of a cron expression between the braces"); }
            calendar = read_cron(items.substr(1, close - 1), column_ + 1);
            at_ = close + 1;
            if (at_ == items.size()) { return calendar; }
            if (items[at_] != ',') { fail("',' or the end of the calendar"); }
            ++at_;
        }
        if (items == "nothing") { return calendar; }
        while (true) {
            const std::string_view item = items.substr(at_, items.find(',', at_) - at_);
            add(calendar, item);
            at_ += item.size();
            if (at_ == items.size()) { return calendar; }
            ++at_;
        }
    }

private:
    [[noreturn]] void fail(const std::string& expected) const {
        const std::string_view left = text_.substr(std::min(at_, text_.size()));
        throw ScheduleError{column_ + at_, "expected " + expected + ", got " +
                                               (left.empty() ? "the end" : "'" + std::string{left} + "'")};
    }

    [[nodiscard]] Calendar in_zone(std::string_view name, std::size_t at) const {
        try {
            return Calendar{name};
        } catch (const std::invalid_argument& error) { throw ScheduleError{column_ + at, error.what()}; }
    }

    void add(Calendar& calendar, std::string_view item) const {
        const std::string expected = "SUN-SAT, a date such as 2026-12-25 or --12-25, or two of them parted by '/'";
        for (unsigned day = 0; day < 7; ++day) {
            if (item == Calendar::weekday_letters.substr(day * 3, 3)) {
                calendar.add(std::chrono::weekday{day});
                return;
            }
        }
        try {
            if (std::string_view rest = item; rest.starts_with("--")) {
                rest.remove_prefix(2);
                const auto month = take_digits(rest, 2);
                if (!month || !take_char(rest, "-")) { fail(expected); }
                const auto day = take_digits(rest, 2);
                if (!day || !rest.empty()) { fail(expected); }
                calendar.add(std::chrono::month{*month} / std::chrono::day{*day});
                return;
            }
            const std::size_t slash = item.find('/');
            const auto first = date(item.substr(0, slash));
            const auto last = slash == std::string_view::npos ? first : date(item.substr(slash + 1));
            if (!first || !last) { fail(expected); }
            calendar.add(*first, *last);
        } catch (const ScheduleError&) { throw; } catch (const std::invalid_argument& error) {
            throw ScheduleError{column_ + at_, error.what()};
        }
    }

    [[nodiscard]] static std::optional<Calendar::Date> date(std::string_view text) {
        const auto year = take_digits(text, 4);
        if (!year || !take_char(text, "-")) { return std::nullopt; }
        const auto month = take_digits(text, 2);
        if (!month || !take_char(text, "-")) { return std::nullopt; }
        const auto day = take_digits(text, 2);
        if (!day || !text.empty()) { return std::nullopt; }
        return Calendar::Date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*month},
                              std::chrono::day{*day}};
    }

    std::string_view text_;
    std::size_t column_;
    std::size_t at_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
