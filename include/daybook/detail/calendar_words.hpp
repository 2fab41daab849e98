// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CALENDAR_WORDS_HPP
#define DAYBOOK_DETAIL_CALENDAR_WORDS_HPP

/// @file
/// When a schedule rests, in English: "on Sundays, 25 December and 2026-12-27 to 2027-01-02 (Europe/Berlin)".

#include <daybook/detail/time_words.hpp>
#include <daybook/detail/value_words.hpp>
#include <daybook/schedule/calendar.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What days, expressions and functions a calendar has, for people.
class CalendarWordsWriter {
public:
    explicit CalendarWordsWriter(const Calendar& calendar) : calendar_{calendar} {}

    [[nodiscard]] std::string write() {
        if (calendar_.cron_) { items_.push_back("when '" + cron_with_options(*calendar_.cron_) + "' is due"); }
        if (calendar_.function_) { items_.emplace_back("when the program says so"); }
        if (std::string days = days_words(); !days.empty()) {
            if (!calendar_.zone_.is_utc()) { days += " (" + std::string{calendar_.zone_.name()} + ')'; }
            items_.push_back(std::move(days));
        }
        return items_.empty() ? "never" : join_words(items_);
    }

private:
    [[nodiscard]] std::string days_words() const {
        constexpr std::size_t most_told = 4;
        std::vector<std::string> days;
        for (const unsigned day : {1U, 2U, 3U, 4U, 5U, 6U, 0U}) {
            if ((calendar_.weekly_ >> day & 1U) != 0) { days.push_back(std::string{weekday_words[day]} + 's'); }
        }
        for (unsigned month = 1; month <= 12; ++month) {
            for (unsigned day = 1; day <= 31; ++day) {
                if ((calendar_.yearly_[month] >> day & 1U) == 0) { continue; }
                days.push_back(std::to_string(day) + ' ' + std::string{month_words[month]});
            }
        }
        std::size_t others = 0;
        for (const auto& [first, last] : calendar_.ranges_) {
            if (calendar_.ranges_.size() > most_told) {
                others += static_cast<std::size_t>((last - first).count()) + 1;
            } else {
                days.push_back(first == last ? Calendar::date_text(first)
                                             : Calendar::date_text(first) + " to " + Calendar::date_text(last));
            }
        }
        if (others != 0) { days.push_back(std::to_string(others) + (days.empty() ? " days" : " other days")); }
        return days.empty() ? "" : "on " + join_words(days);
    }

    const Calendar& calendar_;
    std::vector<std::string> items_ = {};
};

[[nodiscard]] inline std::string calendar_words(const Calendar& calendar) {
    return CalendarWordsWriter{calendar}.write();
}

} // namespace daybook::inline v0::detail

#endif
