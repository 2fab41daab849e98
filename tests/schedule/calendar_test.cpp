// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/schedule/calendar.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using daybook::Calendar;
using daybook::cron;
using daybook::sys_time;
using std::chrono::December;
using std::chrono::February;
using std::chrono::January;
using std::chrono::Saturday;
using std::chrono::Sunday;
using std::chrono::sys_days;

namespace {

sys_time noon(std::chrono::year_month_day day) { return sys_days{day} + 12h; }

} // namespace

TEST_CASE("a calendar without days contains nothing") {
    CHECK_FALSE(Calendar{}.contains(noon(2026y / 12 / 25)));
    CHECK_FALSE(Calendar{"Europe/Berlin"}.contains(sys_time::min()));
}

TEST_CASE("a calendar contains days, ranges of days, days of every year and of every week") {
    const auto calendar =
        Calendar{}.add(2026y / 7 / 1).add(2026y / 8 / 3, 2026y / 8 / 5).add(December / 25).add(Sunday);
    CHECK(calendar.contains(noon(2026y / 7 / 1)));
    CHECK_FALSE(calendar.contains(noon(2026y / 7 / 2)));
    CHECK_FALSE(calendar.contains(noon(2027y / 7 / 1)));
    CHECK_FALSE(calendar.contains(noon(2026y / 8 / 1)));
    CHECK(calendar.contains(noon(2026y / 8 / 3)));
    CHECK(calendar.contains(noon(2026y / 8 / 5)));
    CHECK_FALSE(calendar.contains(noon(2026y / 8 / 6)));
    CHECK(calendar.contains(noon(2031y / 12 / 25)));
    CHECK(calendar.contains(noon(2026y / 11 / 22)));
}

TEST_CASE("29 February is a day of the years that have it") {
    const auto calendar = Calendar{}.add(February / 29);
    CHECK(calendar.contains(noon(2028y / 2 / 29)));
    CHECK_FALSE(calendar.contains(noon(2027y / 2 / 28)));
    CHECK_FALSE(calendar.contains(noon(2027y / 3 / 1)));
}

TEST_CASE("days begin and end by the clocks of the calendar's zone") {
    const auto berlin = Calendar{"Europe/Berlin"}.add(2026y / 12 / 25);
    CHECK_FALSE(berlin.contains(sys_days{2026y / 12 / 24} + 22h + 59min));
    CHECK(berlin.contains(sys_days{2026y / 12 / 24} + 23h));
    CHECK(berlin.contains(sys_days{2026y / 12 / 25} + 22h + 59min));
    CHECK_FALSE(berlin.contains(sys_days{2026y / 12 / 25} + 23h));
}

TEST_CASE("a day ends where the next begins, also when the clocks change at midnight") {
    const auto beirut = Calendar{"Asia/Beirut"}.add(2026y / 3 / 28).add(2026y / 3 / 29);
    const sys_time change = sys_days{2026y / 3 / 28} + 22h; // midnight becomes 01:00
    CHECK(beirut.rests_until(change - 1h) == change);
    CHECK(beirut.rests_until(change) == sys_days{2026y / 3 / 29} + 21h);
    CHECK(beirut.rests_since(change + 5h) == change);
}

TEST_CASE("a day that the zone left out contains nothing, and is passed over") {
    const auto apia = Calendar{"Pacific/Apia"}.add(2011y / 12 / 29, 2011y / 12 / 30);
    const sys_time change = sys_days{2011y / 12 / 30} + 10h;
    CHECK(apia.contains(change - 1us));
    CHECK_FALSE(apia.contains(change));
    CHECK(apia.rests_until(change - 1h) == change);
}

TEST_CASE("a day that comes back after midnight is one day in two pieces") {
    // St John's went from 00:01 back to 23:01 the day before.
    const sys_time change = sys_days{2005y / 10 / 30} + 2h + 31min;
    const auto thirtieth = Calendar{"America/St_Johns"}.add(2005y / 10 / 30);
    CHECK(thirtieth.contains(change - 30s));
    CHECK_FALSE(thirtieth.contains(change));
    CHECK(thirtieth.rests_until(change - 30s) == change);
    const auto before = Calendar{"America/St_Johns"}.add(2005y / 10 / 29);
    CHECK(before.rests_since(change + 30min) == change);
}

TEST_CASE("a cron expression is a calendar of the seconds that it names") {
    const Calendar lunch = cron("* * 12 * * *", "Europe/Berlin");
    CHECK(lunch.contains(sys_days{2026y / 1 / 15} + 11h + 59min + 59s + 999ms));
    CHECK_FALSE(lunch.contains(sys_days{2026y / 1 / 15} + 12h));
}

TEST_CASE("a function is a calendar of what it says") {
    const Calendar odd = [](sys_time at) { return at.time_since_epoch().count() % 2 != 0; };
    CHECK(odd.contains(sys_time{1us}));
    CHECK_FALSE(odd.contains(sys_time{2us}));
    CHECK(odd.rests_until(sys_time{1us}) == sys_time{2us});
}

TEST_CASE("what is no day is refused") {
    CHECK_THROWS_AS(Calendar{}.add(2027y / 2 / 29), std::invalid_argument);
    CHECK_THROWS_AS(Calendar{}.add(2027y / 3 / 1, 2027y / 2 / 1), std::invalid_argument);
    CHECK_THROWS_AS(Calendar{}.add(February / 30), std::invalid_argument);
    CHECK_THROWS_AS(Calendar{}.add(std::chrono::weekday{8}), std::invalid_argument);
    CHECK_THROWS_AS(Calendar{"Europe/Atlantis"}, std::invalid_argument);
}

TEST_CASE("ranges that touch are one, in whatever order they came") {
    const auto one = Calendar{}.add(2026y / 1 / 1, 2026y / 1 / 9);
    const auto other = Calendar{}
                           .add(2026y / 1 / 7, 2026y / 1 / 9)
                           .add(2026y / 1 / 1, 2026y / 1 / 3)
                           .add(2026y / 1 / 4, 2026y / 1 / 6)
                           .add(2026y / 1 / 2);
    CHECK(one == other);
    CHECK(to_string(other) == "2026-01-01/2026-01-09");
}

TEST_CASE("a calendar says what it contains") {
    CHECK(to_string(Calendar{}) == "nothing");
    CHECK(to_string(Calendar{"Europe/Berlin"}.add(December / 25).add(2026y / 12 / 27).add(Saturday).add(Sunday)) ==
          "SUN,SAT,--12-25,2026-12-27[Europe/Berlin]");
    CHECK(to_string(Calendar{cron("* * 12 * * *", "Europe/Berlin")}) == "{* * 12 * * * Europe/Berlin}");
    CHECK(to_string(Calendar{[](sys_time) { return true; }}) == "own");
}

TEST_CASE("random ranges contain what a list of their days contains") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 50; ++round) {
        Calendar calendar;
        std::vector<bool> days(400);
        for (int i = 0; i < 12; ++i) {
            const std::size_t first = random() % 380;
            const std::size_t last = first + random() % 20;
            calendar.add(sys_days{2026y / 1 / 1} + std::chrono::days{first},
                         sys_days{2026y / 1 / 1} + std::chrono::days{last});
            for (std::size_t day = first; day <= last; ++day) { days[day] = true; }
        }
        for (std::size_t day = 0; day < days.size(); ++day) {
            if (calendar.contains(sys_days{2026y / 1 / 1} + std::chrono::days{day} + 5h) != days[day]) {
                FAIL_CHECK(to_string(calendar) << " and day " << day);
            }
        }
    }
    SUCCEED();
}

TEST_CASE("instants at the ends of time are in no calendar's way") {
    const auto calendar = Calendar{"Europe/Berlin"}.add(January / 1).add(Sunday).add(2026y / 1 / 1);
    for (const sys_time at : {sys_time::min(), sys_time::max()}) {
        (void)calendar.contains(at);
        CHECK(calendar.rests_until(at) >= at);
        CHECK(calendar.rests_since(at) <= at);
    }
}
