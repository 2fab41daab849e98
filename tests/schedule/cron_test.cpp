// SPDX-License-Identifier: MIT
#include <daybook/schedule/cron.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::Cron;
using daybook::cron;
using std::chrono::sys_days;
using std::chrono::year_month_day;

using Instant = daybook::sys_time;

/// The instant `YYYY-MM-DD hh:mm:ss`, or midnight of `YYYY-MM-DD`, in UTC.
Instant utc(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t size) {
        return at + size <= text.size() ? std::stoi(std::string{text.substr(at, size)}) : 0;
    };
    const year_month_day day{std::chrono::year{number(0, 4)}, std::chrono::month{static_cast<unsigned>(number(5, 2))},
                             std::chrono::day{static_cast<unsigned>(number(8, 2))}};
    return sys_days{day} + std::chrono::hours{number(11, 2)} + std::chrono::minutes{number(14, 2)} +
           std::chrono::seconds{number(17, 2)};
}

std::string text_of(std::optional<Instant> instant) {
    if (!instant) { return "never"; }
    const auto day = std::chrono::floor<std::chrono::days>(*instant);
    const year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(*instant - day)};
    const auto pad = [](auto value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    return std::to_string(static_cast<int>(date.year())) + "-" + pad(static_cast<unsigned>(date.month())) + "-" +
           pad(static_cast<unsigned>(date.day())) + " " + pad(time.hours().count()) + ":" +
           pad(time.minutes().count()) + ":" + pad(time.seconds().count());
}

/// The first `count` fires after an instant, each in UTC.
std::vector<std::string> fires(const Cron& schedule, std::string_view after, int count) {
    std::vector<std::string> result;
    auto at = schedule.next(utc(after));
    for (int i = 0; i < count && at; ++i, at = schedule.next(*at)) { result.push_back(text_of(at)); }
    return result;
}

std::vector<std::string> days(std::string_view expression, std::string_view after, int count) {
    auto result = fires(cron(expression), after, count);
    for (auto& text : result) { text.resize(10); }
    return result;
}

std::string next(std::string_view expression, std::string_view after) {
    return text_of(cron(expression).next(utc(after)));
}

using Texts = std::vector<std::string>;

constexpr auto nightly = cron("0 0 3 * * *");

} // namespace

static_assert(std::is_trivially_copyable_v<Cron>);
static_assert(nightly.next(sys_days{std::chrono::year{2026} / 1 / 1}) ==
              sys_days{std::chrono::year{2026} / 1 / 1} + 3h);
static_assert(nightly.next(Instant{}) == Instant{3h});
static_assert(nightly == cron("0 3 * * *"));
static_assert(nightly.matches(sys_days{std::chrono::year{2026} / 1 / 1} + 3h));
static_assert(daybook::operator""_cron("@daily", 6) == cron("0 0 * * *", "UTC"));
static_assert(!cron("0 0 30 2 *").next(sys_days{std::chrono::year{2026} / 1 / 1}));
static_assert(cron("H H * * *").bound_to("backup") == cron("H H * * *").bound_to("backup"));
static_assert(nightly.clock_change_of(Instant{3h}) == daybook::ClockChange::none);
static_assert([] {
    std::chrono::microseconds sum{};
    for (const Instant due : nightly.occurrences(Instant{}, Instant{72h})) { sum += due - Instant{}; }
    return sum;
}() == 3h + 27h + 51h);

TEST_CASE("five fields begin with the minute, six with the second, and a seventh is the year") {
    CHECK(next("30 4 * * *", "2026-01-01") == "2026-01-01 04:30:00");
    CHECK(next("15 30 4 * * *", "2026-01-01") == "2026-01-01 04:30:15");
    CHECK(next("15 30 4 1 1 * 2030", "2026-01-01") == "2030-01-01 04:30:15");
    CHECK(next(" \t30\t 4  * *\t* ", "2026-01-01") == "2026-01-01 04:30:00");
}

TEST_CASE("next is strictly later, to the fraction of a second") {
    CHECK(next("0 3 * * *", "2026-01-01 03:00:00") == "2026-01-02 03:00:00");
    CHECK(next("0 3 * * *", "2026-01-01 02:59:59") == "2026-01-01 03:00:00");
    CHECK(cron("0 3 * * *").next(utc("2026-01-01 03:00:00") - 1us) == utc("2026-01-01 03:00:00"));
    CHECK(cron("0 3 * * *").next(utc("2026-01-01 03:00:00") + 1us) == utc("2026-01-02 03:00:00"));
    CHECK(cron("* * * * * *").next(utc("1969-12-31 23:59:58") + 999'999us) == utc("1969-12-31 23:59:59"));
    CHECK(cron("0 3 * * *").next(sys_days{2026y / 1 / 1}) == utc("2026-01-01 03:00:00"));
    CHECK(cron("0 3 * * *").next(std::chrono::sys_time<std::chrono::nanoseconds>{1ns}) == utc("1970-01-01 03:00:00"));
}

TEST_CASE("the ends of time are no trouble") {
    for (const char* const zone : {"UTC", "Europe/Berlin", "-11:00"}) {
        for (const char* const text : {"* * * * * *", "0 0 29 2 *", "0 0 * * MON#1"}) {
            const Cron schedule = cron(text, zone);
            CHECK(schedule.next(Instant::min()).value() > Instant::min());
            CHECK_FALSE(schedule.next(Instant::max()));
            CHECK_NOTHROW(schedule.matches(Instant::min()));
            CHECK_NOTHROW(schedule.matches(Instant::max()));
            CHECK_FALSE(schedule.next(std::chrono::sys_seconds::max()));
            CHECK(schedule.next(std::chrono::sys_seconds::min()).has_value());
            CHECK_FALSE(schedule.next(sys_days::max()));
            CHECK(schedule.next(sys_days::min()) == schedule.next(Instant::min()));
            CHECK(schedule.previous(sys_days::max()) == schedule.previous(std::chrono::sys_seconds::max()));
            CHECK_FALSE(schedule.previous(sys_days::min()));
            const auto late = schedule.next(Instant::max() - 24h);
            CHECK((!late || *late > Instant::max() - 24h));
        }
    }
}

TEST_CASE("steps count from the start of the field, of a range, or from a value to the end") {
    CHECK(fires(cron("*/20 5 * * *"), "2026-01-01", 4) ==
          Texts{"2026-01-01 05:00:00", "2026-01-01 05:20:00", "2026-01-01 05:40:00", "2026-01-02 05:00:00"});
    CHECK(fires(cron("5-20/10 5 * * *"), "2026-01-01", 3) ==
          Texts{"2026-01-01 05:05:00", "2026-01-01 05:15:00", "2026-01-02 05:05:00"});
    CHECK(fires(cron("35/10 5 * * *"), "2026-01-01", 4) ==
          Texts{"2026-01-01 05:35:00", "2026-01-01 05:45:00", "2026-01-01 05:55:00", "2026-01-02 05:35:00"});
    CHECK(fires(cron("*/10 * 9-17 * * *"), "2026-01-01 18:00:05", 1) == Texts{"2026-01-02 09:00:00"});
}

TEST_CASE("ranges go around the end of their field") {
    CHECK(fires(cron("0 22-2/2 * * *"), "2026-01-01 12:00:00", 4) ==
          Texts{"2026-01-01 22:00:00", "2026-01-02 00:00:00", "2026-01-02 02:00:00", "2026-01-02 22:00:00"});
    CHECK(days("0 0 * * FRI-MON", "2026-01-01", 5) ==
          Texts{"2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-09"});
    CHECK(days("0 0 30-2 * *", "2026-02-27", 4) == Texts{"2026-03-01", "2026-03-02", "2026-03-30", "2026-03-31"});
    CHECK(days("0 0 1 NOV-FEB *", "2026-01-15", 4) == Texts{"2026-02-01", "2026-11-01", "2026-12-01", "2027-01-01"});
    CHECK(cron("58-1 * * * *") == cron("58,59,0-1 * * * *"));
}

TEST_CASE("Sunday is 0 or 7, also at either end of a range") {
    CHECK(cron("0 0 * * 7") == cron("0 0 * * 0"));
    CHECK(cron("0 0 * * SUN") == cron("0 0 * * 0"));
    CHECK(cron("0 0 * * 5-7") == cron("0 0 * * 5,6,0"));
    CHECK(cron("0 0 * * 7-2") == cron("0 0 * * 0,1,2"));
    CHECK(cron("0 0 * * 0-7") == cron("0 0 * * 0-6"));
    CHECK(cron("0 0 * * 7-7") == cron("0 0 * * 0"));
    CHECK(cron("0 0 * * 1-7/2") == cron("0 0 * * 1,3,5,0"));
    CHECK(cron("0 0 * * SAT-SUN") == cron("0 0 * * 6,0"));
    CHECK(cron("0 0 * * 7#2") == cron("0 0 * * SUN#2"));
    CHECK(cron("0 0 * * 7L") == cron("0 0 * * sunL"));
    CHECK(cron("0 0 * * H(7-7)") == cron("0 0 * * H(0-0)"));
    CHECK(cron("0 0 * * H(0-7)") == cron("0 0 * * H"));
    CHECK(cron("0 0 * * H(7-2)") == cron("0 0 * * H(0-2)"));
    CHECK(cron("0 0 * * H(5-7)") == cron("0 0 * * H(5-0)"));
}

TEST_CASE("names and letters are read in either case") {
    CHECK(cron("0 0 * jan,FEB,mAr mon-Fri") == cron("0 0 * 1-3 1-5"));
    CHECK(cron("0 0 l * *") == cron("0 0 L * *"));
    CHECK(cron("0 0 lw,l-3w,15w * friL,h") == cron("0 0 LW,L-3W,15W * 5l,H"));
    CHECK(cron("@DAILY") == cron("@daily"));
}

TEST_CASE("where neither day field begins with a star, either may match") {
    CHECK(days("0 0 13 * FRI", "2026-01-01", 4) == Texts{"2026-01-02", "2026-01-09", "2026-01-13", "2026-01-16"});
    CHECK(days("0 0 13 * *", "2026-01-01", 2) == Texts{"2026-01-13", "2026-02-13"});
    CHECK(days("0 0 ? * FRI", "2026-01-01", 2) == Texts{"2026-01-02", "2026-01-09"});
    CHECK(days("0 0 30 2 MON", "2026-01-01", 2) == Texts{"2026-02-02", "2026-02-09"});
}

TEST_CASE("where one day field begins with a star, both must match") {
    // Mondays on odd days.
    CHECK(days("0 0 */2 * MON", "2026-01-01", 3) == Texts{"2026-01-05", "2026-01-19", "2026-02-09"});
    CHECK(days("0 0 1-7 * */2", "2026-01-07", 3) == Texts{"2026-02-01", "2026-02-03", "2026-02-05"});
}

TEST_CASE("DayMatch::both wants both day fields, always") {
    const Cron friday_13th = cron("0 0 13 * FRI", {.days = daybook::DayMatch::both});
    CHECK(fires(friday_13th, "2026-01-01", 3) ==
          Texts{"2026-02-13 00:00:00", "2026-03-13 00:00:00", "2026-11-13 00:00:00"});
    CHECK(friday_13th.days() == daybook::DayMatch::both);
    CHECK(friday_13th != cron("0 0 13 * FRI"));
}

TEST_CASE("L counts from the end of the month") {
    CHECK(days("0 0 L * *", "2028-01-01", 3) == Texts{"2028-01-31", "2028-02-29", "2028-03-31"});
    CHECK(days("0 0 L-3 * *", "2026-01-01", 2) == Texts{"2026-01-28", "2026-02-25"});
    CHECK(days("0 0 L-30 * *", "2026-01-02", 2) == Texts{"2026-03-01", "2026-05-01"});
    CHECK(days("0 0 1,L * *", "2026-01-01", 3) == Texts{"2026-01-31", "2026-02-01", "2026-02-28"});
}

TEST_CASE("W is the nearest workday, and stays in its month") {
    CHECK(days("0 0 15W * *", "2026-01-01", 4) == Texts{"2026-01-15", "2026-02-16", "2026-03-16", "2026-04-15"});
    CHECK(days("0 0 1W 8 *", "2026-01-01", 1) == Texts{"2026-08-03"});    // a Saturday: not the Friday of July
    CHECK(days("0 0 31W 5 *", "2026-01-01", 1) == Texts{"2026-05-29"});   // a Sunday: not the Monday of June
    CHECK(days("0 0 31W 4,5 *", "2027-01-01", 1) == Texts{"2027-05-31"}); // April has no 31st
    CHECK(days("0 0 LW * *", "2026-01-01", 3) == Texts{"2026-01-30", "2026-02-27", "2026-03-31"});
    CHECK(days("0 0 L-2W * *", "2026-01-01", 2) == Texts{"2026-01-29", "2026-02-26"});
}

TEST_CASE("a weekday may be the last of the month, or the k-th") {
    CHECK(days("0 0 * * FRIL", "2026-01-01", 3) == Texts{"2026-01-30", "2026-02-27", "2026-03-27"});
    CHECK(days("0 0 * * MON#1,FRI#3", "2026-01-01", 3) == Texts{"2026-01-05", "2026-01-16", "2026-02-02"});
    CHECK(days("0 0 * * TUE#5", "2026-01-01", 3) == Texts{"2026-03-31", "2026-06-30", "2026-09-29"});
    CHECK(days("0 0 * 2 SUN#5", "2026-01-01", 2) == Texts{"2032-02-29", "2060-02-29"});
}

TEST_CASE("macros stand for the fields that crontab gives them") {
    CHECK(cron("@yearly") == cron("0 0 1 1 *"));
    CHECK(cron("@annually") == cron("0 0 1 1 *"));
    CHECK(cron("@monthly") == cron("0 0 1 * *"));
    CHECK(cron("@weekly") == cron("0 0 * * 0"));
    CHECK(cron("@daily") == cron("0 0 * * *"));
    CHECK(cron("@midnight") == cron("0 0 * * *"));
    CHECK(cron("@hourly") == cron("0 * * * *"));
    CHECK(cron("@every_minute") == cron("* * * * *"));
    CHECK(cron(" @every_second ") == cron("* * * * * *"));
}

TEST_CASE("leap days are found across centuries, and what never comes is nothing") {
    CHECK(days("0 0 29 2 *", "2096-03-01", 2) == Texts{"2104-02-29", "2108-02-29"});
    CHECK(days("0 0 29 2 MON", "2026-01-01", 1) == Texts{"2026-02-02"});
    CHECK(fires(cron("0 0 29 2 MON", {.days = daybook::DayMatch::both}), "2026-01-01", 2) ==
          Texts{"2044-02-29 00:00:00", "2072-02-29 00:00:00"});
    CHECK(next("0 0 30 2 *", "2026-01-01") == "never");
    CHECK(next("0 0 31 4,6,9,11 *", "2026-01-01") == "never");
    CHECK(next("0 0 L-30 11 *", "2026-01-01") == "never");
    CHECK(next("0 0 L-29W 2 *", "2026-01-01") == "never");
    CHECK(next("0 0 0 29 2 * 2027", "2026-01-01") == "never");
    CHECK(text_of(cron("0 0 29 2 MON#1", {.days = daybook::DayMatch::both}).next(utc("2026-01-01"))) == "never");
}

TEST_CASE("what never comes is sought no further than the calendar can make a difference") {
    // Every month, by its length and the weekday it begins on, and the years in which it comes, twice round the cycle.
    std::int64_t longest = 0;
    for (int month = 1; month <= 12; ++month) {
        std::map<std::pair<unsigned, unsigned>, int> last;
        for (int year = 1600; year < 2400; ++year) {
            const auto first = std::chrono::year{year} / month / 1;
            const auto length = static_cast<unsigned>((first.year() / first.month() / std::chrono::last).day());
            const auto kind = std::pair{length, std::chrono::weekday{sys_days{first}}.c_encoding()};
            if (last.contains(kind)) { longest = std::max<std::int64_t>(longest, year - last[kind]); }
            last[kind] = year;
        }
        CHECK(last.size() == (month == 2 ? 14 : 7));
    }
    CHECK(longest == 40);
    CHECK(daybook::detail::cron_horizon_years == longest + 1);
    const auto both = [](std::string_view text) { return cron(text, {.days = daybook::DayMatch::both}); };
    CHECK(text_of(both("0 0 29 2 TUE").next(utc("2072-03-01"))) == "2084-02-29 00:00:00");
    CHECK(text_of(both("0 0 29 2 MON").next(utc("2072-03-01"))) == "2112-02-29 00:00:00");
    CHECK(text_of(both("0 0 29 2 MON").previous(utc("2112-02-29"))) == "2072-02-29 00:00:00");
    CHECK(text_of(both("0 0 1 * MON#2").next(utc("2026-01-01"))) == "never");
    CHECK(text_of(both("0 0 1 * MON#2").previous(utc("2026-01-01"))) == "never");
}

TEST_CASE("years are a field like the others, and end with 2199") {
    CHECK(fires(cron("0 0 0 1 1 * 2030-2040/5,2199"), "2026-01-01", 9) ==
          Texts{"2030-01-01 00:00:00", "2035-01-01 00:00:00", "2040-01-01 00:00:00", "2199-01-01 00:00:00"});
    CHECK(next("0 0 0 1 1 * 2020", "2026-01-01") == "never");
    CHECK(next("0 0 0 1 1 * 1970-2199", "1600-01-01") == "1970-01-01 00:00:00");
    CHECK(cron("0 0 0 1 1 * *") == cron("0 0 1 1 *"));
    CHECK(next("0 0 1 1 *", "2199-06-01") == "2200-01-01 00:00:00");
}

TEST_CASE("H spreads jobs, and gives the same job the same time always") {
    const Cron open = cron("H H(0-5) * * *");
    CHECK(open.needs_binding());
    const Cron backup = open.bound_to("backup");
    CHECK_FALSE(backup.needs_binding());
    CHECK(backup == open.bound_to("backup"));
    int different = 0;
    bool in_range = true;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const Cron bound = open.bound_to(seed);
        different += bound == open.bound_to(seed + 1) ? 0 : 1;
        const auto at = *bound.next(utc("2026-01-01") - 1s);
        in_range = in_range && at < utc("2026-01-01 06:00:00") && bound.next(at) == at + 24h;
        CHECK(cron("H H(0-5) * * *", {.hash_seed = seed}) == bound);
    }
    CHECK(in_range);
    CHECK(different > 90);
    CHECK(open.next(utc("2026-01-01")) == open.bound_to(std::uint64_t{0}).next(utc("2026-01-01")));
}

TEST_CASE("H takes a step, in every field, and days that each month has") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto quarter = cron("H/15 * * * *", {.hash_seed = seed});
        auto at = *quarter.next(utc("2026-01-01") - 1s);
        CHECK(at < utc("2026-01-01 00:15:00"));
        for (int i = 0; i < 5; ++i, at += 15min) { CHECK(quarter.next(at) == at + 15min); }
        const auto monthly = cron("0 0 H * *", {.hash_seed = seed});
        const auto first = *monthly.next(utc("2026-01-01") - 1s);
        CHECK(first < utc("2026-01-29"));
        CHECK(monthly.next(first) == first + std::chrono::days{31});
        CHECK(cron("H H H H H H", {.hash_seed = seed}).next(utc("2026-01-01")).has_value());
        const auto weekend = cron("0 0 * * H(SAT-SUN)", {.hash_seed = seed});
        CHECK((weekend == cron("0 0 * * 6") || weekend == cron("0 0 * * 0")));
        CHECK(cron("0 0 0 1 1 * H(2030-2031)", {.hash_seed = seed}).next(utc("2026-01-01")) >= utc("2030-01-01"));
    }
}

TEST_CASE("text comes back as an equal schedule") {
    for (const std::string_view text : {"* * * * *",
                                        "*/5 * * * *",
                                        "0 0 3 * * *",
                                        "0 9 * * MON-FRI",
                                        "5,10-20 22-2 * * *",
                                        "0 0 */2 * MON",
                                        "0 0 */2,4 * 1",
                                        "0 0 L,LW,L-3,L-4W,15W * *",
                                        "0 0 * * 5L,1#2,0#5",
                                        "0 0 0 1 1 * 2030-2040/5",
                                        "H H/3 H(1-5) * H",
                                        "H(5-50)/7 * * * *",
                                        "0 9-9 * * *",
                                        "7-7 7 7 * * *",
                                        "0 0 0 1 1 * 1970-2199",
                                        "0,1,2,3 1,2,3,4 * * *",
                                        "0 0 1-31 * 1",
                                        "0 0 1 * 0-6",
                                        "0 0 * * */7",
                                        "0 0 ?/31 * ?",
                                        "0 0 1 */3 *",
                                        "H,30 5 * * *",
                                        "0 0 * * H(FRI-MON)/2",
                                        "0 0 0 1 1 ? H(2030-2040)/2",
                                        "*,5 * * * * *",
                                        "0-59 0-23 1-31 1-12 0-7",
                                        "0 H 9-9 * * *"}) {
        INFO(text);
        const Cron schedule = cron(text);
        INFO(to_string(schedule));
        CHECK(cron(to_string(schedule)) == schedule);
    }
    CHECK(to_string(cron("0 */5 * * * ?")) == "*/5 * * * *");
    CHECK(to_string(cron("30 0 9 1-3 JAN MON,TUE,WED,FRI")) == "30 0 9 1-3 1 1-3,5");
    CHECK(to_string(cron("0 0 L * FRIL")) == "0 0 L * 5L");
}

TEST_CASE("equality looks at meaning, zone and options") {
    CHECK(cron("0 0 * * 1-3") == cron("0 0 0 * * MON,TUE,WED"));
    CHECK(cron("0 0 * * *") != cron("0 0 1-31 * *")); // the star decides how the day fields go together
    CHECK(cron("0 0 * * *") != cron("0 0 * * *", "Europe/Berlin"));
    CHECK(cron("0 0 * * *") != cron("0 0 * * *", {.dst = daybook::Dst::skip}));
    CHECK(cron("0 9 * * *") != cron("0 9-9 * * *")); // a range is a wildcard on the day the clocks change
}

TEST_CASE("an unknown zone is an error at the call that names it") {
    CHECK_THROWS_AS(cron("0 0 * * *", "Europe/Atlantis"), std::invalid_argument);
    CHECK(cron("0 0 * * *", "Europe/Berlin").zone().name() == "Europe/Berlin");
    CHECK(cron("0 0 * * *", daybook::TimeZone::find("Europe/Berlin")) == cron("0 0 * * *", "Europe/Berlin"));
}
