// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_WORDS_HPP
#define DAYBOOK_DETAIL_CRON_WORDS_HPP

/// @file
/// A cron expression as a sentence: its times, its days, its months and years, its zone.

#include <daybook/detail/cron_day_words.hpp>
#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_search.hpp>
#include <daybook/detail/cron_time_words.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/detail/value_words.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

/// The same words mean the same instants, in one zone and apart from changes of its clocks.
class CronWordsWriter {
public:
    /// @param zone  The zone's name, or nothing for UTC.
    CronWordsWriter(const CronFields& fields, std::string_view zone)
        : fields_{without_idle_hashes(fields)}, zone_{zone}, by_day_{fields_}, by_weekday_{fields_} {}
    CronWordsWriter(const CronWordsWriter&) = delete;
    CronWordsWriter& operator=(const CronWordsWriter&) = delete;
    ~CronWordsWriter() = default;

    [[nodiscard]] std::string write() {
        if (is_never()) { return "never (no such day)"; }
        const bool any_date = any_day() && any_month() && fields_.any_year;
        text_ = CronTimeWords{fields_, any_date}.write();
        const bool is_fixed = text_.starts_with("at ") || text_.starts_with("between ") || text_.starts_with("in ");
        ends_clause_ = text_.find(", at ") != std::string::npos || text_.find(", and at ") != std::string::npos;
        if (is_fixed && is_one_date() && fields_.any_year && !is_leap_day()) {
            text_ = "every year on " + date() + ' ' + text_;
        } else {
            if (is_fixed && any_day()) { text_ = "every day " + text_; }
            add_days();
            add_months();
            add_years();
        }
        if (!zone_.empty()) { return text_ + ", " + std::string{zone_}; }
        const bool any_hour = fields_.hours == bit_range(0, 23);
        return any_date && any_hour ? text_ : text_ + ", UTC";
    }

private:
    [[nodiscard]] const CronHash& hash_of(CronFieldId id) const noexcept {
        return fields_.hashes[static_cast<std::size_t>(id)];
    }

    /// Whether no day will ever match, whatever an `H` chooses.
    [[nodiscard]] bool is_never() const noexcept {
        CronFields widest = fields_;
        for (CronHash& hash : widest.hashes) { hash.step = 1; }
        return next_local(bind_hashes(widest, 0), -1) == no_match;
    }

    [[nodiscard]] bool any_day() const noexcept {
        const bool by_day = by_day_.is_every_day();
        const bool by_weekday = by_weekday_.is_every_day();
        return fields_.either_day() ? by_day || by_weekday : by_day && by_weekday;
    }
    [[nodiscard]] bool any_month() const noexcept { return fields_.months == bit_range(1, 12); }

    /// The number of the month if there is one only; else 0.
    [[nodiscard]] unsigned only_month() const noexcept {
        const bool is_one = bit_count(fields_.months) == 1 && !hash_of(CronFieldId::month).used;
        return is_one ? lowest(fields_.months) : 0;
    }
    [[nodiscard]] bool is_one_date() const noexcept {
        return by_weekday_.is_every_day() && !fields_.either_day() && by_day_.only_day() != 0 && only_month() != 0;
    }
    [[nodiscard]] bool is_leap_day() const noexcept { return by_day_.only_day() == 29 && only_month() == 2; }

    /// "25 December"
    [[nodiscard]] std::string date() const {
        return std::to_string(by_day_.only_day()) + ' ' + std::string{month_words[only_month()]};
    }

    void add(const std::string& words) {
        const bool is_number = words[0] >= '0' && words[0] <= '9'; // not beside those of a time
        const bool is_second_range = words.starts_with("from ") && text_.find(" from ") != std::string::npos;
        text_ += (ends_clause_ || is_number || is_second_range ? ", " : " ") + words;
        ends_clause_ = false;
    }

    // ---- days ---------------------------------------------------------------------------------------------------

    [[nodiscard]] std::string days(const std::string& of) const {
        const std::vector<std::string> parts = by_day_.parts();
        std::string words = parts.empty() ? "" : join_words(parts) + of;
        if (!by_day_.is_chosen()) { return words; }
        return words + (words.empty() ? "" : " and ") + by_day_.chosen();
    }

    void add_days() {
        if (any_day()) { return; }
        const bool by_day = !by_day_.is_every_day();
        const bool by_weekday = !by_weekday_.is_every_day();
        const bool one = by_day_.parts().size() == 1 && !by_day_.is_chosen();
        if (by_day && by_weekday && fields_.either_day()) {
            const std::string weekdays = join_words(by_weekday_.parts()) + (by_weekday_.counts() ? of_the_month : "");
            add(days(of_the_month) + (one ? " or " : ", or ") + weekdays);
            ends_clause_ = true;
        } else if (by_day) {
            if (by_day_.only_day() != 0 && only_month() != 0) {
                add("on " + date());
                told_months_ = true;
            } else {
                add(days(one ? of_month() : of_the_month));
                ends_clause_ = !one;
            }
            if (by_weekday) {
                add("if it is " + by_weekday_.is() + (by_weekday_.counts() ? of_the_month : ""));
                ends_clause_ = true;
            }
        } else {
            const std::vector<std::string> weekdays = by_weekday_.parts();
            const std::string of = !by_weekday_.counts() ? "" : weekdays.size() == 1 ? of_month() : of_the_month;
            add(join_words(weekdays) + of);
            ends_clause_ = weekdays.size() != 1;
        }
    }

    // ---- months -------------------------------------------------------------------------------------------------

    /// The month of a day, and the schedule's months with it where one phrase can say both.
    [[nodiscard]] std::string of_month() {
        if (any_month()) { return of_the_month; }
        if (const CronHash& hash = hash_of(CronFieldId::month); hash.used) {
            if (fields_.months != 0 || hash.step != 0) { return of_the_month; }
            told_months_ = true;
            return " of " + chosen_month();
        }
        if (const std::string range = month_range(); !range.empty()) {
            told_months_ = true;
            return " of each month " + range;
        }
        for (const ValueRun& run : runs_of(fields_.months, 1, 12, false)) {
            if (run.last - run.first >= 2) { return of_the_month; }
        }
        told_months_ = true;
        return " of " + month_list();
    }

    [[nodiscard]] static std::string name_of_month(unsigned month) { return std::string{month_words[month]}; }

    /// "from March to May" where that says it all; else nothing. Only with years without end one may follow another.
    [[nodiscard]] std::string month_range() const {
        const std::vector<ValueRun> runs = runs_of(fields_.months, 1, 12, fields_.any_year);
        if (runs.size() != 1 || bit_count(fields_.months) < 3) { return ""; }
        return "from " + name_of_month(runs[0].first) + " to " + name_of_month(runs[0].last);
    }
    [[nodiscard]] std::string month_list() const {
        return join_words(list_items(runs_of(fields_.months, 1, 12, false), 1, 12, name_of_month));
    }
    [[nodiscard]] std::string chosen_month() const {
        const CronHash& hash = hash_of(CronFieldId::month);
        const bool is_whole = hash.low == 1 && hash.high == 12;
        return chosen_value_words(
            hash.step, "month", is_whole ? "" : " from " + name_of_month(hash.low) + " to " + name_of_month(hash.high));
    }

    void add_months() {
        if (any_month() || told_months_) { return; }
        const bool is_chosen = hash_of(CronFieldId::month).used;
        std::string words = is_chosen ? "" : month_range();
        if (words.empty()) {
            words = "in ";
            if (fields_.months != 0) { words += month_list() + (is_chosen ? " and " : ""); }
            if (is_chosen) { words += chosen_month(); }
        }
        add(words);
        told_months_ = true;
    }

    // ---- years --------------------------------------------------------------------------------------------------

    void add_years() {
        if (fields_.any_year) { return; }
        const CronHash& hash = hash_of(CronFieldId::year);
        const auto name = [](unsigned year) { return std::to_string(year); };
        std::vector<ValueRun> runs =
            runs_of(first_cron_year, last_cron_year, false, [this](unsigned year) { return fields_.has_year(year); });
        if (!hash.used && runs.size() == 1 && runs[0].first == runs[0].last && told_months_ && !ends_clause_ &&
            !hash_of(CronFieldId::month).used) {
            text_ += ' ' + name(runs[0].first); // "25 December 2027"
            return;
        }
        ends_clause_ = ends_clause_ || told_months_;
        if (!hash.used && runs.size() == 1 && runs[0].last - runs[0].first >= 2) {
            return add("from " + name(runs[0].first) + " to " + name(runs[0].last));
        }
        std::string words = "in ";
        if (const unsigned step = year_step(runs); step != 0) {
            words += (step != 2                     ? "every " + ordinal(step) + " year"
                      : runs.front().first % 2 == 0 ? "even years"
                                                    : "odd years");
            words += " from " + name(runs.front().first) + " to " + name(runs.back().first);
        } else {
            words += join_words(list_items(runs, first_cron_year, last_cron_year, name));
        }
        if (hash.used) {
            words += (runs.empty() ? "" : " and ") + chosen_value_words(hash.step, "year",
                                                                        " from " + name(hash.low + first_cron_year) +
                                                                            " to " + name(hash.high + first_cron_year));
        }
        add(words);
    }

    /// The distance of many single years, or 0.
    [[nodiscard]] static unsigned year_step(const std::vector<ValueRun>& runs) noexcept {
        if (runs.size() <= 9) { return 0; }
        const unsigned step = runs[1].first - runs[0].first;
        for (std::size_t i = 0; i < runs.size(); ++i) {
            if (runs[i].last != runs[i].first || runs[i].first != runs[0].first + i * step) { return 0; }
        }
        return step;
    }

    static constexpr const char* of_the_month = " of the month";

    const CronFields fields_;
    std::string_view zone_;
    CronMonthDayWords by_day_;
    CronWeekdayWords by_weekday_;
    std::string text_;
    bool ends_clause_ = false; ///< what follows needs a comma before it
    bool told_months_ = false;
};

[[nodiscard]] inline std::string cron_words(const CronFields& fields, std::string_view zone) {
    return CronWordsWriter{fields, zone}.write();
}

} // namespace daybook::inline v0::detail

#endif
