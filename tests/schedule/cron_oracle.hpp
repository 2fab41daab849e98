// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULE_CRON_ORACLE_HPP
#define DAYBOOK_TESTS_SCHEDULE_CRON_ORACLE_HPP

/// @file
/// Random cron expressions together with their meaning, told in the plainest way: by looking at every second.

#include <daybook/schedule/cron.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace cron_oracle {

using Random = std::mt19937_64;
using Day = std::chrono::year_month_day;

inline int pick(Random& random, int low, int high) {
    return low + static_cast<int>(random() % static_cast<std::uint64_t>(high - low + 1));
}

inline unsigned length_of(Day day) {
    return static_cast<unsigned>((day.year() / day.month() / std::chrono::last).day());
}

inline unsigned weekday_of(Day day) { return std::chrono::weekday{std::chrono::sys_days{day}}.c_encoding(); }

struct Field {
    std::string text;
    bool starred = false;                        ///< begins with a star
    bool wildcard = false;                       ///< has a star, a range or a step
    bool hashed = false;                         ///< has an `H`, and may not have another
    std::array<bool, 64> values = {};            ///< what it names by number
    std::vector<std::function<bool(Day)>> rules; ///< what it names by rule

    [[nodiscard]] bool has(Day day, unsigned value) const {
        if (values[value]) { return true; }
        for (const auto& rule : rules) {
            if (rule(day)) { return true; }
        }
        return false;
    }
};

/// The workday nearest to `wanted` in the month of `day`, by trying the distances.
inline bool is_workday_near(Day day, unsigned wanted) {
    if (wanted < 1 || wanted > length_of(day)) { return false; }
    for (int distance = 0; distance < 4; ++distance) {
        for (const int side : {-1, 1}) {
            const int candidate = static_cast<int>(wanted) + side * distance;
            if (candidate < 1 || candidate > static_cast<int>(length_of(day))) { continue; }
            const Day at{day.year(), day.month(), std::chrono::day{static_cast<unsigned>(candidate)}};
            if (weekday_of(at) != 0 && weekday_of(at) != 6) { return at == day; }
        }
    }
    return false;
}

inline void add_values(Random& random, Field& field, int low, int high, bool sunday_is_7) {
    const auto put = [&](int value) { field.values[static_cast<std::size_t>(sunday_is_7 ? value % 7 : value)] = true; };
    const int a = pick(random, low, high);
    const int b = pick(random, low, high);
    const int size = high - low + 1;
    const int step = pick(random, 1, size > 7 ? size - 2 : 5);
    switch (pick(random, 0, 6)) {
    case 0:
    case 1:
        field.text += std::to_string(sunday_is_7 && a == 0 && pick(random, 0, 1) == 1 ? 7 : a);
        put(a);
        break;
    case 2:
    case 3:
        field.text += std::to_string(a) + "-" + std::to_string(b);
        field.wildcard = true;
        for (int value = a;; value = value == high ? low : value + 1) {
            put(value);
            if (value == b) { break; }
        }
        break;
    case 4:
        field.text += std::to_string(a) + "/" + std::to_string(step);
        field.wildcard = true;
        for (int value = a; value <= high; value += step) { put(value); }
        break;
    case 5:
        field.text += std::to_string(a) + "-" + std::to_string(b) + "/" + std::to_string(step);
        field.wildcard = true;
        for (int i = 0, value = a;; ++i, value = value == high ? low : value + 1) {
            if (i % step == 0) { put(value); }
            if (value == b) { break; }
        }
        break;
    default:
        if (field.text.empty()) { field.starred = true; }
        field.text += "*/" + std::to_string(step);
        field.wildcard = true;
        for (int value = low; value <= high; value += step) { put(value); }
        break;
    }
}

/// An `H` that leaves no choice, whatever the seed: of one value, or with a step of 1.
inline void add_hash(Random& random, Field& field, int low, int high, bool sunday_is_7) {
    const int a = pick(random, low, high);
    const int b = pick(random, 0, 1) == 0 ? a : pick(random, low, high);
    const std::string first = sunday_is_7 && a == 0 && pick(random, 0, 1) == 1 ? "7" : std::to_string(a);
    const bool may_end_with_7 = sunday_is_7 && b == 0 && first != "0"; // 0-7 is the whole week
    const std::string last = may_end_with_7 && pick(random, 0, 1) == 1 ? "7" : std::to_string(b);
    field.text += "H(" + first + "-" + last + ")";
    field.hashed = true;
    if (a != b) {
        field.text += "/1";
        field.wildcard = true;
    }
    for (int value = a;; value = value == high ? low : value + 1) {
        field.values[static_cast<std::size_t>(value)] = true;
        if (value == b) { break; }
    }
}

inline void add_day_rule(Random& random, Field& field) {
    const auto n = static_cast<unsigned>(pick(random, 1, 31));
    const unsigned back = n - 1;
    const std::string from_end = back == 0 ? "L" : "L-" + std::to_string(back);
    switch (pick(random, 0, 2)) {
    case 0:
        field.text += from_end;
        field.rules.emplace_back([back](Day day) { return static_cast<unsigned>(day.day()) + back == length_of(day); });
        break;
    case 1:
        field.text += from_end + "W";
        field.rules.emplace_back(
            [back](Day day) { return back < length_of(day) && is_workday_near(day, length_of(day) - back); });
        break;
    default:
        field.text += std::to_string(n) + "w";
        field.rules.emplace_back([n](Day day) { return is_workday_near(day, n); });
        break;
    }
}

inline void add_weekday_rule(Random& random, Field& field) {
    const auto weekday = static_cast<unsigned>(pick(random, 0, 6));
    if (pick(random, 0, 1) == 0) {
        field.text += std::to_string(weekday) + "L";
        field.rules.emplace_back([weekday](Day day) {
            return weekday_of(day) == weekday && static_cast<unsigned>(day.day()) + 7 > length_of(day);
        });
    } else {
        const auto nth = static_cast<unsigned>(pick(random, 1, 5));
        field.text += std::to_string(weekday) + "#" + std::to_string(nth);
        field.rules.emplace_back([weekday, nth](Day day) {
            return weekday_of(day) == weekday && (static_cast<unsigned>(day.day()) - 1) / 7 + 1 == nth;
        });
    }
}

/// @param stars  How many times in a hundred the field is a plain star.
inline Field random_field(Random& random, int low, int high, int stars,
                          const std::function<void(Random&, Field&)>& add_rule = {}) {
    Field field;
    if (pick(random, 1, 100) <= stars) {
        field.text = add_rule && pick(random, 0, 3) == 0 ? "?" : "*";
        field.starred = field.wildcard = true;
        for (int value = low; value <= high; ++value) { field.values[static_cast<std::size_t>(value)] = true; }
        return field;
    }
    const int items = pick(random, 0, 3) == 0 ? pick(random, 2, 3) : 1;
    for (int i = 0; i < items; ++i) {
        if (i != 0) { field.text += ","; }
        if (add_rule && pick(random, 0, 2) == 0) {
            add_rule(random, field);
        } else if (!field.hashed && pick(random, 0, 9) == 0) {
            add_hash(random, field, low, high, low == 0 && high == 6);
        } else {
            add_values(random, field, low, high, low == 0 && high == 6);
        }
    }
    return field;
}

struct Expression {
    Field second, minute, hour, day, month, weekday;
    daybook::CronOptions options = {};

    [[nodiscard]] std::string text() const {
        return second.text + " " + minute.text + " " + hour.text + " " + day.text + " " + month.text + " " +
               weekday.text;
    }
    [[nodiscard]] bool wildcard() const { return second.wildcard || minute.wildcard || hour.wildcard; }
    [[nodiscard]] bool matches_day(Day at) const {
        if (!month.values[static_cast<unsigned>(at.month())]) { return false; }
        const bool by_day = day.has(at, static_cast<unsigned>(at.day()));
        const bool by_weekday = weekday.has(at, weekday_of(at));
        const bool both = options.days == daybook::DayMatch::both || day.starred || weekday.starred;
        return both ? by_day && by_weekday : by_day || by_weekday;
    }
};

inline Expression random_expression(Random& random) {
    Expression result;
    const bool frequent = pick(random, 0, 1) == 0;
    result.second = random_field(random, 0, 59, frequent ? 30 : 0);
    result.minute = random_field(random, 0, 59, frequent ? 60 : 10);
    result.hour = random_field(random, 0, 23, 40);
    result.day = random_field(random, 1, 31, 60, add_day_rule);
    result.month = random_field(random, 1, 12, 70);
    result.weekday = random_field(random, 0, 6, 60, add_weekday_rule);
    result.options.days = pick(random, 0, 2) == 0 ? daybook::DayMatch::both : daybook::DayMatch::vixie;
    result.options.dst = static_cast<daybook::Dst>(pick(random, 0, 2));
    return result;
}

/// Remembers the last day it was asked about: the oracle asks second by second.
class LocalMatcher {
public:
    explicit LocalMatcher(const Expression& expression) : expression_{expression} {}

    [[nodiscard]] bool operator()(std::int64_t local) {
        std::int64_t day = local / 86'400;
        if (local % 86'400 < 0) { --day; }
        const auto time = static_cast<unsigned>(local - day * 86'400);
        if (!expression_.hour.values[time / 3600] || !expression_.minute.values[time / 60 % 60] ||
            !expression_.second.values[time % 60]) {
            return false;
        }
        if (day != day_) {
            day_ = day;
            matches_ = expression_.matches_day(Day{std::chrono::sys_days{std::chrono::days{day}}});
        }
        return matches_;
    }

private:
    const Expression& expression_;
    std::int64_t day_ = std::numeric_limits<std::int64_t>::min();
    bool matches_ = false;
};

/// Every instant from `begin` to `end` at which the expression is due, by the words of the table of Dst. The clock of
/// `zone` must not change in the day before `begin`.
inline std::vector<std::int64_t> fires(const Expression& expression, daybook::TimeZone zone, std::int64_t begin,
                                       std::int64_t end) {
    using daybook::Dst;
    LocalMatcher matches{expression};
    const Dst dst = expression.options.dst;
    const bool only_first = dst == Dst::skip || (dst == Dst::vixie && !expression.wildcard());
    std::vector<std::int64_t> result;
    const auto offset_at = [&](std::int64_t at) {
        return zone.offset_at(std::chrono::sys_seconds{std::chrono::seconds{at}});
    };
    auto interval = offset_at(begin - 1);
    std::int64_t last_local = begin - 1 + interval.offset.count();
    std::int64_t furthest = last_local; // the latest local time that there has been
    for (std::int64_t at = begin; at < end; ++at) {
        if (at >= interval.end.time_since_epoch().count()) { interval = offset_at(at); }
        const std::int64_t local = at + interval.offset.count();
        bool due = matches(local) && (local > furthest || !only_first);
        for (std::int64_t missing = last_local + 1; missing < local && !due && dst == Dst::vixie; ++missing) {
            due = matches(missing);
        }
        if (due) { result.push_back(at); }
        last_local = local;
        furthest = local > furthest ? local : furthest;
    }
    return result;
}

} // namespace cron_oracle

#endif
