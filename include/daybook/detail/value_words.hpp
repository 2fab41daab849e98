// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_VALUE_WORDS_HPP
#define DAYBOOK_DETAIL_VALUE_WORDS_HPP

/// @file
/// Sets of small numbers in words: lists, ranges, even steps, names of days and months, and the choices an `H` has.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/time_words.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

inline constexpr std::array<std::string_view, 7> weekday_words{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                               "Thursday", "Friday", "Saturday"};
inline constexpr std::array<std::string_view, 13> month_words{"",        "January",  "February", "March",  "April",
                                                              "May",     "June",     "July",     "August", "September",
                                                              "October", "November", "December"};

inline constexpr std::string_view chosen_words = "chosen by the job's id";

[[nodiscard]] constexpr bool has_bit(std::uint64_t bits, unsigned value) noexcept { return (bits >> value & 1U) != 0; }
[[nodiscard]] constexpr unsigned bit_count(std::uint64_t bits) noexcept {
    return static_cast<unsigned>(std::popcount(bits));
}
/// The lowest and the highest value of a set that is not empty.
[[nodiscard]] constexpr unsigned lowest(std::uint64_t bits) noexcept {
    return static_cast<unsigned>(std::countr_zero(bits));
}
[[nodiscard]] constexpr unsigned highest(std::uint64_t bits) noexcept {
    return 63U - static_cast<unsigned>(std::countl_zero(bits));
}

/// "1st", "2nd", "3rd", "11th", "22nd".
[[nodiscard]] inline std::string ordinal(unsigned number) {
    const unsigned teen = number % 100;
    const bool regular = teen >= 11 && teen <= 13;
    const char* suffix = "th";
    if (!regular && number % 10 == 1) { suffix = "st"; }
    if (!regular && number % 10 == 2) { suffix = "nd"; }
    if (!regular && number % 10 == 3) { suffix = "rd"; }
    return std::to_string(number) + suffix;
}

/// Neighbouring values of a set.
struct ValueRun {
    unsigned first = 0;
    unsigned last = 0; ///< below `first` where the run goes around the end
};

/// The runs of a set given as a question about each value from `low` to `high`; where `wraps`, the end and the
/// beginning are neighbours. None for no value, a single one from `low` to `high` for all of them.
template <class Has>
[[nodiscard]] std::vector<ValueRun> runs_of(unsigned low, unsigned high, bool wraps, const Has& has) {
    std::vector<ValueRun> runs;
    for (unsigned value = low; value <= high; ++value) {
        if (!has(value)) { continue; }
        if (!runs.empty() && runs.back().last + 1 == value) {
            runs.back().last = value;
        } else {
            runs.push_back({value, value});
        }
    }
    if (wraps && runs.size() > 1 && runs.front().first == low && runs.back().last == high) {
        runs.back().last = runs.front().last;
        runs.erase(runs.begin());
    }
    return runs;
}

[[nodiscard]] inline std::vector<ValueRun> runs_of(std::uint64_t bits, unsigned low, unsigned high, bool wraps) {
    return runs_of(low, high, wraps, [bits](unsigned value) { return has_bit(bits, value); });
}

/// The items of a list: three neighbours or more are "a to b". `name` says a value.
template <class Name>
[[nodiscard]] std::vector<std::string> list_items(const std::vector<ValueRun>& runs, unsigned low, unsigned high,
                                                  const Name& name) {
    std::vector<std::string> items;
    for (const ValueRun& run : runs) {
        const unsigned next = run.first == high ? low : run.first + 1;
        if (run.first == run.last || next == run.last) {
            items.push_back(name(run.first));
            if (run.first != run.last) { items.push_back(name(run.last)); }
        } else {
            items.push_back(name(run.first) + " to " + name(run.last));
        }
    }
    return items;
}

/// The distance of equally distant values; 0 where they are not, or where there is only one.
[[nodiscard]] constexpr unsigned even_step(std::uint64_t bits) noexcept {
    const std::uint64_t rest = bits & (bits - 1);
    if (rest == 0) { return 0; }
    const unsigned step = lowest(rest) - lowest(bits);
    for (unsigned value = lowest(bits); value <= highest(bits); ++value) {
        if (has_bit(bits, value) != ((value - lowest(bits)) % step == 0)) { return 0; }
    }
    return step;
}

/// The step of values that are equally distant around the whole circle of `size` values; 0 where they are not.
[[nodiscard]] constexpr unsigned cycle_step(std::uint64_t bits, unsigned size) noexcept {
    const unsigned step = even_step(bits);
    return step != 0 && size % step == 0 && bit_count(bits) == size / step ? step : 0;
}

/// "minute 5", "minutes 0 to 10 and 40", "even minutes", "odd minutes from 5 to 31", "every 3rd minute from 0 to 57".
/// The field goes from `low` to `high`.
[[nodiscard]] inline std::string numbered_words(std::uint64_t bits, unsigned low, unsigned high,
                                                std::string_view unit) {
    const unsigned count = bit_count(bits);
    const std::string one{unit};
    const std::string many = one + 's';
    const auto number = [](unsigned value) { return std::to_string(value); };
    if (count == 1) { return one + ' ' + number(lowest(bits)); }
    const unsigned step = even_step(bits);
    const std::string limits = " from " + number(lowest(bits)) + " to " + number(highest(bits));
    if (step == 2 && count >= 7) {
        const bool is_whole = lowest(bits) <= low + 1 && highest(bits) + 1 >= high;
        return (lowest(bits) % 2 == 0 ? "even " : "odd ") + many + (is_whole ? "" : limits);
    }
    if (step > 2 && count > 9) { return "every " + ordinal(step) + ' ' + one + limits; }
    return many + ' ' + join_words(list_items(runs_of(bits, low, high, false), low, high, number));
}

/// What an `H` stands for: "a minute chosen by the job's id", "an hour from 0 to 7 chosen by the job's id",
/// "every 5th minute from 0 to 29 starting at one chosen by the job's id".
///
/// @param limits  " from 0 to 29", or nothing for the whole field
[[nodiscard]] inline std::string chosen_value_words(unsigned step, std::string_view unit, const std::string& limits) {
    const std::string one{unit};
    if (step != 0) {
        return "every " + ordinal(step) + ' ' + one + limits + " starting at one " + std::string{chosen_words};
    }
    return (one == "hour" ? "an " : "a ") + one + limits + ' ' + std::string{chosen_words};
}

/// Takes out every `H` that leaves no choice, and puts its values into the sets.
[[nodiscard]] constexpr CronFields without_idle_hashes(const CronFields& fields) noexcept {
    constexpr std::array<unsigned, cron_field_count> sizes{60, 60, 24, 31, 12, 7, last_cron_year - first_cron_year + 1};
    const std::array<std::uint64_t, 6> sets{fields.seconds, fields.minutes, fields.hours,
                                            fields.days,    fields.months,  fields.weekdays};
    CronFields choices = fields;
    CronFields idle = fields;
    for (std::size_t i = 0; i < cron_field_count; ++i) {
        CronHash& hash = choices.hashes[i];
        if (!hash.used) { continue; }
        const unsigned count = (hash.high + sizes[i] - hash.low) % sizes[i] + 1;
        if (hash.step >= count) { hash.step = 0; }
        const bool is_covered = i < sets.size() && bit_count(sets[i]) == sizes[i];
        if (is_covered) { idle.hashes[i] = {}; }
        if (is_covered || count == 1 || hash.step == 1) {
            hash = {};
        } else {
            idle.hashes[i] = {};
        }
    }
    const auto left = choices.hashes;
    choices = bind_hashes(idle, 0);
    choices.hashes = left;
    for (const CronHash& hash : left) { choices.hashed = choices.hashed || hash.used; }
    choices.derive();
    return choices;
}

} // namespace daybook::inline v0::detail

#endif
