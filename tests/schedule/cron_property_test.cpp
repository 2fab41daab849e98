// SPDX-License-Identifier: MIT
#include "schedule/cron_oracle.hpp"
#include "support/catch.hpp"

#include <daybook/schedule/cron.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using cron_oracle::Day;
using cron_oracle::Expression;
using cron_oracle::Random;
using daybook::Cron;
using daybook::TimeZone;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

daybook::sys_time instant(std::int64_t at) { return daybook::sys_time{seconds{at}}; }

std::int64_t count(sys_seconds at) { return at.time_since_epoch().count(); }

/// The first difference between a schedule and the oracle within a window, in words; empty if there is none.
std::string difference(const Expression& expression, TimeZone zone, std::int64_t begin, std::int64_t end,
                       Random& random) {
    const std::string what = "'" + expression.text() + "' in " + std::string{zone.name()} + ", days " +
                             std::to_string(static_cast<int>(expression.options.days)) + ", dst " +
                             std::to_string(static_cast<int>(expression.options.dst)) + ": after ";
    const Cron cron = daybook::cron(expression.text(), zone, expression.options);
    if (const Cron again = daybook::cron(to_string(cron), zone, expression.options); again != cron) {
        return what + "'" + to_string(cron) + "' is not the same";
    }
    const std::vector<std::int64_t> expected = cron_oracle::fires(expression, zone, begin, end);
    const auto complain = [&](std::int64_t after, std::optional<daybook::sys_time> got, const std::string& wanted) {
        return what + std::to_string(after) + " wanted " + wanted + ", got " +
               (got ? std::to_string(got->time_since_epoch().count() / 1'000'000) : "nothing");
    };
    std::int64_t at = begin - 1;
    for (const std::int64_t fire : expected) {
        const auto got = cron.next(instant(at));
        if (got != instant(fire)) { return complain(at, got, std::to_string(fire)); }
        at = fire;
    }
    if (const auto got = cron.next(instant(at)); got && *got < instant(end)) { return complain(at, got, "none"); }
    for (int i = 0; i < 20; ++i) {
        const std::int64_t after =
            begin - 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end - begin));
        const auto next = std::upper_bound(expected.begin(), expected.end(), after);
        const auto got = cron.next(instant(after));
        if (got && *got <= instant(after)) { return complain(after, got, "something later"); }
        if (next != expected.end() && got != instant(*next)) { return complain(after, got, std::to_string(*next)); }
        const bool due = std::binary_search(expected.begin(), expected.end(), after);
        if (after >= begin && cron.matches(instant(after)) != due) { return complain(after, got, "another matches()"); }
    }
    return "";
}

} // namespace

TEST_CASE("around every kind of clock change, next agrees with an oracle that looks at every second") {
    struct Case {
        const char* zone;
        sys_seconds change;
    };
    const std::vector<Case> cases{
        {"Europe/Berlin", sys_days{2026y / 3 / 29} + 1h},
        {"Europe/Berlin", sys_days{2026y / 10 / 25} + 1h},
        {"America/New_York", sys_days{2026y / 3 / 8} + 7h},
        {"America/New_York", sys_days{2051y / 11 / 5} + 6h},
        {"Australia/Lord_Howe", sys_days{2026y / 4 / 4} + 15h},
        {"Australia/Lord_Howe", sys_days{2026y / 10 / 3} + 15h + 30min},
        {"America/Sao_Paulo", sys_days{2018y / 11 / 4} + 3h},
        {"America/Sao_Paulo", sys_days{2019y / 2 / 17} + 2h},
        {"Asia/Beirut", sys_days{2026y / 3 / 28} + 22h},
        {"Asia/Beirut", sys_days{2026y / 10 / 24} + 21h},
        {"Pacific/Apia", sys_days{2011y / 12 / 30} + 10h},
        {"Pacific/Kwajalein", sys_days{1993y / 8 / 21} + 12h},
        {"Asia/Pyongyang", sys_days{2018y / 5 / 4} + 15h},
        {"America/Caracas", sys_days{2007y / 12 / 9} + 7h},
        {"Africa/Casablanca", sys_days{2026y / 2 / 15} + 2h},
        {"Europe/Dublin", sys_days{2026y / 10 / 25} + 1h},
        {"Asia/Manila", sys_days{1990y / 7 / 28} + 15h},
        {"UTC", sys_days{2000y / 3 / 1}},
    };
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    for (const auto& [name, change] : cases) {
        const auto zone = TimeZone::find(name);
        for (int i = 0; i < 8; ++i) {
            const Expression expression = cron_oracle::random_expression(random);
            CHECK(difference(expression, zone, count(change) - 6 * 3600, count(change) + 26 * 3600, random) == "");
        }
    }
}

TEST_CASE("on ordinary days next agrees with the oracle, before 1970 and after 2100 too") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    for (int i = 0; i < 60; ++i) {
        const Expression expression = cron_oracle::random_expression(random);
        const std::int64_t begin = static_cast<std::int64_t>(random() % 6'000'000'000U) - 1'000'000'000;
        CHECK(difference(expression, {}, begin, begin + 20'000, random) == "");
    }
}

TEST_CASE("over the years, the days of next agree with an oracle that looks at every day") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    for (int i = 0; i < 150; ++i) {
        Expression expression = cron_oracle::random_expression(random);
        const std::string text =
            "0 12 " + expression.day.text + " " + expression.month.text + " " + expression.weekday.text;
        const Cron cron = daybook::cron(text, {.days = expression.options.days});
        const auto begin = sys_days{1960y / 1 / 1} + std::chrono::days{random() % 90'000};
        auto at = cron.next(begin);
        for (auto day = begin; day < begin + std::chrono::days{800}; day += std::chrono::days{1}) {
            if (!expression.matches_day(Day{day})) { continue; }
            if (at != day + 12h) { FAIL_CHECK(text << " on " << day.time_since_epoch().count()); }
            at = cron.next(day + 12h);
        }
    }
    SUCCEED();
}

TEST_CASE("an H with bounds becomes every n-th value of them, from one of the first n on") {
    struct Place {
        const char* before;
        const char* after;
        int low;
        int high; ///< the highest value that a text may name
        int size; ///< how many different values there are
    };
    // The range beside it keeps what has a list of values in place of H, and no step, equal in all the rest.
    const std::vector<Place> places{{"", " 0-0 * * * *", 0, 59, 60}, {"", " 0-0 * * *", 0, 59, 60},
                                    {"0-0 ", " * * *", 0, 23, 24},   {"0-0 0 ", " * *", 1, 31, 31},
                                    {"0-0 0 1 ", " *", 1, 12, 12},   {"0-0 0 * * ", "", 0, 7, 7}};
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    for (int i = 0; i < 3'000; ++i) {
        const Place& place = places[random() % places.size()];
        const int a = cron_oracle::pick(random, place.low, place.high);
        const int b = cron_oracle::pick(random, place.low, place.high);
        const int step = cron_oracle::pick(random, 0, place.size / 2); // 0: none
        const bool whole_week = place.size == 7 && a == 0 && b == 7;
        const int count = whole_week ? 7 : (b - a + 2 * place.size) % place.size + 1;
        const std::string text =
            "H(" + std::to_string(a) + "-" + std::to_string(b) + ")" + (step == 0 ? "" : "/" + std::to_string(step));
        const Cron bound = daybook::cron(place.before + text + place.after, {.hash_seed = random()});
        int equal = 0;
        const int phases = step == 0 ? count : std::min(step, count);
        for (int phase = 0; phase < phases; ++phase) {
            std::string values;
            for (int at = phase; at < count; at += step == 0 ? count : step) {
                const int value = (a - place.low + at) % place.size + place.low;
                values += (values.empty() ? "" : ",") + std::to_string(value);
            }
            equal += daybook::cron(place.before + values + place.after) == bound ? 1 : 0;
        }
        if (equal != 1) { FAIL_CHECK(place.before << text << place.after << " is " << to_string(bound)); }
    }
    SUCCEED();
}

TEST_CASE("every second between two fires has the same next fire, and a fire is later than what it follows") {
    for (const char* const name : {"Europe/Berlin", "Australia/Lord_Howe"}) {
        for (const auto dst : {daybook::Dst::vixie, daybook::Dst::skip, daybook::Dst::twice}) {
            const Cron cron = daybook::cron("*/7 1,2,3 * * *", name, {.dst = dst});
            for (const sys_seconds from :
                 {sys_seconds{sys_days{2026y / 3 / 28}} + 22h, sys_seconds{sys_days{2026y / 10 / 3}} + 12h}) {
                auto expected = cron.next(from);
                for (auto at = from; at < from + 6h; at += 1s) {
                    if (*expected <= at) { expected = cron.next(at); }
                    const auto got = cron.next(at);
                    if (!got || *got <= at || got != expected) { FAIL_CHECK(name << " " << count(at)); }
                }
            }
        }
    }
    SUCCEED();
}
