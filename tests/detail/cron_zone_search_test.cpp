// SPDX-License-Identifier: MIT

/// @file
/// Searches that find nothing. What is found is in tests/schedule/cron_clock_change_test.cpp.

#include <daybook/schedule/cron.hpp>

#include "support/catch.hpp"

#include <chrono>

using daybook::Cron;
using daybook::DayMatch;
using daybook::Dst;
using daybook::sys_time;
using namespace std::chrono_literals;

TEST_CASE("a time that always falls into the gap never comes, where the gap is left out") {
    // Europe's clocks skip the hour after 2 on the last Sunday in March, every year.
    const sys_time start{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    for (const Dst dst : {Dst::skip, Dst::twice}) {
        const Cron cron{"30 2 * 3 0L", daybook::TimeZone::find("Europe/Berlin"), {.days = DayMatch::both, .dst = dst}};
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < 10; ++i) { CHECK_FALSE(cron.next(start + i * 24h)); }
        // By walking to the end of time it would be more than a second.
        CHECK(std::chrono::steady_clock::now() - begin < 500ms);
    }
}

TEST_CASE("a time that falls into every gap since 1981 still came in 1980") {
    // Germany's first summer time since 1949 began on 6 April 1980, a week after the last Sunday in March.
    const Cron cron{
        "30 2 * 3 0L", daybook::TimeZone::find("Europe/Berlin"), {.days = DayMatch::both, .dst = Dst::skip}};
    const sys_time last{std::chrono::sys_days{std::chrono::year{1980} / 3 / 30} + 1h + 30min};
    CHECK(cron.next(last - 1s) == last);
    CHECK_FALSE(cron.next(last));
}
