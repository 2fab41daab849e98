// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_DAY_WORDS_HPP
#define DAYBOOK_DETAIL_CRON_DAY_WORDS_HPP

/// @file
/// The day fields of a cron expression in words: "on the last workday of", "on weekdays", "a Monday or Friday".

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/detail/value_words.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

/// The day-of-month field.
class CronMonthDayWords {
public:
    explicit CronMonthDayWords(const CronFields& fields)
        : fields_{fields}, hash_{fields.hashes[static_cast<std::size_t>(CronFieldId::day)]} {}

    [[nodiscard]] bool is_every_day() const noexcept { return fields_.days == bit_range(1, 31); }

    /// The number of the day, where the field is nothing but that; else 0.
    [[nodiscard]] unsigned only_day() const noexcept {
        return bit_count(fields_.days) == 1 && !fields_.special_days() && !hash_.used ? lowest(fields_.days) : 0;
    }

    /// Whether there is an `H`, which parts() leaves to chosen().
    [[nodiscard]] bool is_chosen() const noexcept { return hash_.used; }

    /// "on a day of the month from 1 to 28 chosen by the job's id"
    [[nodiscard]] std::string chosen() const {
        return "on " + chosen_value_words(hash_.step, "day",
                                          " of the month from " + std::to_string(hash_.low) + " to " +
                                              std::to_string(hash_.high));
    }

    /// What each kind of item in the field says; to be followed by "of the month".
    [[nodiscard]] std::vector<std::string> parts() const {
        std::vector<std::string> parts;
        if (fields_.days != 0) { parts.push_back("on " + numbered_words(fields_.days, 1, 31, "day")); }
        if ((fields_.days_from_end & 1U) != 0) { parts.emplace_back("on the last day"); }
        const std::uint64_t back = fields_.days_from_end & ~std::uint32_t{1};
        if (parts.empty() && bit_count(back) == 1 && back != 2 && !has_workdays()) {
            parts.push_back(std::to_string(lowest(back)) + " days before the last day");
        } else if (back != 0) {
            parts.push_back("on " + before_last_day(back));
        }
        if ((fields_.workday_from_end & 1U) != 0) { parts.emplace_back("on the last workday"); }
        if (fields_.workday_near != 0) {
            parts.push_back(nearest(fields_.workday_near) + numbered_list(fields_.workday_near));
        }
        const std::uint64_t workdays_back = fields_.workday_from_end & ~std::uint32_t{1};
        if (workdays_back != 0) { parts.push_back(nearest(workdays_back) + before_last_day(workdays_back)); }
        return parts;
    }

private:
    [[nodiscard]] bool has_workdays() const noexcept { return (fields_.workday_near | fields_.workday_from_end) != 0; }

    [[nodiscard]] static std::string nearest(std::uint64_t bits) {
        return bit_count(bits) == 1 ? "on the workday nearest to " : "on the workdays nearest to ";
    }
    [[nodiscard]] static std::string numbered_list(std::uint64_t bits) {
        const auto name = [](unsigned day) { return std::to_string(day); };
        return (bit_count(bits) == 1 ? "day " : "days ") +
               join_words(list_items(runs_of(bits, 1, 31, false), 1, 31, name));
    }
    /// "the day before the last day", "the 3rd and 5th days before the last day"
    [[nodiscard]] static std::string before_last_day(std::uint64_t bits) {
        if (bits == 2) { return "the day before the last day"; }
        const auto name = [](unsigned day) { return ordinal(day); };
        return "the " + join_words(list_items(runs_of(bits, 1, 30, false), 1, 30, name)) +
               (bit_count(bits) == 1 ? " day" : " days") + " before the last day";
    }

    const CronFields& fields_;
    CronHash hash_;
};

/// The day-of-week field.
class CronWeekdayWords {
public:
    explicit CronWeekdayWords(const CronFields& fields)
        : hash_{fields.hashes[static_cast<std::size_t>(CronFieldId::weekday)]}, plain_{fields.weekdays} {
        for (unsigned weekday = 0; weekday < 7; ++weekday) {
            unsigned weeks = 0;
            for (unsigned week = 1; week <= 5; ++week) {
                if (has_bit(fields.nth_weekdays, 8 * (week - 1) + weekday)) { weeks |= 1U << week; }
            }
            // A fifth one is always the last, and the last is the fourth or the fifth.
            if (has_bit(fields.last_weekdays, weekday)) { weeks = (weeks & ~(1U << 5U)) | last_week; }
            const bool all_weeks = (weeks & 0b11110U) == 0b11110U && (weeks & (1U << 5U | last_week)) != 0;
            if (all_weeks) { plain_ |= 1U << weekday; }
            weeks_[weekday] = has_bit(plain_, weekday) ? 0 : weeks;
        }
    }

    [[nodiscard]] bool is_every_day() const noexcept { return plain_ == bit_range(0, 6); }

    /// Whether it counts weekdays within a month, so that "of the month" has to follow.
    [[nodiscard]] bool counts() const noexcept {
        for (const unsigned weeks : weeks_) {
            if (weeks != 0) { return true; }
        }
        return false;
    }
    /// What each kind of item in the field says: "on weekdays", "on Monday and Friday", "on the second Monday".
    [[nodiscard]] std::vector<std::string> parts() const {
        std::vector<std::string> parts;
        if (plain_ != 0) { parts.push_back("on " + (counts() || hash_.used ? plural() : singular())); }
        if (hash_.used) { parts.push_back("on " + chosen_weekday()); }
        for (const std::string& words : counted("and")) { parts.push_back("on the " + words); }
        return parts;
    }

    /// "a weekday", "a Monday or Friday", "not a Sunday", "the second Monday or the last Friday": what a day is.
    [[nodiscard]] std::string is() const {
        std::vector<std::string> parts;
        if (plain_ == workdays) {
            parts.emplace_back("a weekday");
        } else if (bit_count(plain_) == 6 && !counts() && !hash_.used) {
            parts.push_back("not a " + name(lowest(~plain_)));
        } else if (plain_ != 0) {
            std::vector<std::string> names;
            for (const unsigned weekday : monday_first) {
                if (has_bit(plain_, weekday)) { names.push_back(name(weekday)); }
            }
            parts.push_back("a " + join_words(names, "or"));
        }
        if (hash_.used) { parts.push_back(chosen_weekday()); }
        for (const std::string& words : counted("or")) { parts.push_back("the " + words); }
        return join_words(parts, "or");
    }

private:
    static constexpr unsigned last_week = 1U << 6U;
    static constexpr std::uint64_t workdays = bit_range(1, 5);
    static constexpr std::uint64_t weekend = 0b1000001U;
    static constexpr std::array<unsigned, 7> monday_first{1, 2, 3, 4, 5, 6, 0};

    [[nodiscard]] static std::string name(unsigned weekday) { return std::string{weekday_words[weekday]}; }

    [[nodiscard]] std::string singular() const {
        if (plain_ == workdays) { return "weekdays"; }
        if (plain_ == weekend) { return "weekends"; }
        // Monday is 0 here.
        const std::uint64_t shifted = plain_ >> 1U | (plain_ & 1U) << 6U;
        const std::vector<ValueRun> around = runs_of(shifted, 0, 6, true);
        const auto say = [](unsigned day) { return name(monday_first[day]); };
        return join_words(list_items(around.size() == 1 ? around : runs_of(shifted, 0, 6, false), 0, 6, say));
    }
    /// Where counted weekdays follow: "on Mondays and on the last Friday".
    [[nodiscard]] std::string plural() const {
        if (plain_ == workdays || plain_ == weekend) { return singular(); }
        std::vector<std::string> names;
        for (const unsigned weekday : monday_first) {
            if (has_bit(plain_, weekday)) { names.push_back(name(weekday) + 's'); }
        }
        return join_words(names);
    }
    [[nodiscard]] std::string chosen_weekday() const {
        if (hash_.low == 0 && hash_.high == 6 && hash_.step == 0) {
            return "a day of the week " + std::string{chosen_words};
        }
        return chosen_value_words(hash_.step, "day", " from " + name(hash_.low) + " to " + name(hash_.high));
    }
    /// "first and third Monday", for each weekday that is counted.
    [[nodiscard]] std::vector<std::string> counted(std::string_view last) const {
        constexpr std::array<std::string_view, 7> nth{"", "first", "second", "third", "fourth", "fifth", "last"};
        std::vector<std::string> parts;
        for (const unsigned weekday : monday_first) {
            std::vector<std::string> weeks;
            for (unsigned week = 1; week < nth.size(); ++week) {
                if (has_bit(weeks_[weekday], week)) { weeks.emplace_back(nth[week]); }
            }
            if (!weeks.empty()) { parts.push_back(join_words(weeks, last) + ' ' + name(weekday)); }
        }
        return parts;
    }

    CronHash hash_;
    std::uint64_t plain_;
    std::array<unsigned, 7> weeks_{};
};

} // namespace daybook::inline v0::detail

#endif
