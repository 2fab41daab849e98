// SPDX-License-Identifier: MIT
#include <daybook/schedule/cron.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::ClockChange;
using daybook::Cron;
using daybook::cron;
using daybook::Dst;
using std::chrono::sys_days;

using Instant = daybook::sys_time;
using Texts = std::vector<std::string>;

Instant at(std::chrono::year_month_day day, std::chrono::seconds time) { return sys_days{day} + time; }

/// What clocks on the wall show at the first fires after `from`: day of the month, hour, minute.
Texts shown(const Cron& schedule, Instant from, int count) {
    Texts result;
    auto fire = schedule.next(from);
    for (int i = 0; i < count && fire; ++i, fire = schedule.next(*fire)) {
        const auto local = schedule.zone().to_local(*fire);
        const auto day = std::chrono::floor<std::chrono::days>(local);
        const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(local - day)};
        const auto pad = [](auto value) { return (value < 10 ? "0" : "") + std::to_string(value); };
        result.push_back(pad(static_cast<unsigned>(std::chrono::year_month_day{day}.day())) + " " +
                         pad(time.hours().count()) + ":" + pad(time.minutes().count()));
    }
    return result;
}

Cron berlin(std::string_view text, Dst dst = Dst::vixie) { return cron(text, "Europe/Berlin", {.dst = dst}); }

const Instant spring = at(2026y / 3 / 28, 23h);  // 29th, 00:00; at 02:00 it becomes 03:00
const Instant autumn = at(2026y / 10 / 24, 22h); // 25th, 00:00; at 03:00 it becomes 02:00

} // namespace

TEST_CASE("vixie: a fixed time in the gap runs once, at the first instant after it") {
    CHECK(shown(berlin("30 2 * * *"), spring, 2) == Texts{"29 03:00", "30 02:30"});
    CHECK(shown(berlin("0 2 * * *"), spring, 2) == Texts{"29 03:00", "30 02:00"});
    CHECK(shown(berlin("0,30 2 * * *"), spring, 3) == Texts{"29 03:00", "30 02:00", "30 02:30"});
    CHECK(shown(berlin("0 2,3 * * *"), spring, 3) == Texts{"29 03:00", "30 02:00", "30 03:00"});
}

TEST_CASE("vixie: wildcards run through the gap without doubling") {
    CHECK(shown(berlin("*/30 * * * *"), at(2026y / 3 / 29, 0h), 4) ==
          Texts{"29 01:30", "29 03:00", "29 03:30", "29 04:00"});
    CHECK(shown(berlin("30 * * * *"), at(2026y / 3 / 29, 0h), 4) ==
          Texts{"29 01:30", "29 03:00", "29 03:30", "29 04:30"});
}

TEST_CASE("skip and twice: a time in the gap does not run") {
    for (const Dst dst : {Dst::skip, Dst::twice}) {
        CHECK(shown(berlin("30 2 * * *", dst), spring, 1) == Texts{"30 02:30"});
        CHECK(shown(berlin("*/30 * * * *", dst), at(2026y / 3 / 29, 0h), 3) ==
              Texts{"29 01:30", "29 03:00", "29 03:30"});
        CHECK(shown(berlin("30 2 29 3 *", dst), spring, 1) == Texts{"29 02:30"}); // of the next year
        CHECK(berlin("30 2 29 3 *", dst).next(spring) > at(2027y / 1 / 1, 0h));
    }
}

TEST_CASE("vixie: of a time that comes twice, fixed ones run the first, wildcards both") {
    CHECK(shown(berlin("30 2 * * *"), autumn, 2) == Texts{"25 02:30", "26 02:30"});
    CHECK(berlin("30 2 * * *").next(autumn) == at(2026y / 10 / 25, 30min));
    CHECK(shown(berlin("*/30 * * * *"), autumn + 90min, 6) ==
          Texts{"25 02:00", "25 02:30", "25 02:00", "25 02:30", "25 03:00", "25 03:30"});
    CHECK(shown(berlin("30 1-2 * * *"), autumn, 4) == Texts{"25 01:30", "25 02:30", "25 02:30", "26 01:30"});
    CHECK(shown(berlin("0 0/30 2 * * *"), autumn, 5) ==
          Texts{"25 02:00", "25 02:30", "25 02:00", "25 02:30", "26 02:00"});
}

TEST_CASE("a day with a clock change has its fifty half-hours") {
    int count = 0;
    for (auto fire = berlin("*/30 * * * *").next(autumn - 1s); *fire < at(2026y / 10 / 25, 23h);
         fire = berlin("*/30 * * * *").next(*fire)) {
        ++count;
    }
    CHECK(count == 50);
}

TEST_CASE("skip: a time that comes twice runs the first time, twice: both") {
    CHECK(shown(berlin("30 2 * * *", Dst::skip), autumn, 2) == Texts{"25 02:30", "26 02:30"});
    CHECK(shown(berlin("*/30 2 * * *", Dst::skip), autumn, 3) == Texts{"25 02:00", "25 02:30", "26 02:00"});
    CHECK(shown(berlin("30 2 * * *", Dst::twice), autumn, 3) == Texts{"25 02:30", "25 02:30", "26 02:30"});
}

TEST_CASE("asking from within the second hour does not bring back the first") {
    const Instant second_half = at(2026y / 10 / 25, 1h + 10min); // 02:10 for the second time
    CHECK(berlin("30 2 * * *").next(second_half) == at(2026y / 10 / 26, 1h + 30min));
    CHECK(berlin("30 2 * * *", Dst::twice).next(second_half) == at(2026y / 10 / 25, 1h + 30min));
    CHECK(berlin("*/30 * * * *").next(second_half) == at(2026y / 10 / 25, 1h + 30min));
    CHECK(berlin("*/30 * * * *", Dst::skip).next(second_half) == at(2026y / 10 / 25, 2h));
}

TEST_CASE("a gap may be half an hour") {
    const Cron lord_howe = cron("15 2 * * *", "Australia/Lord_Howe");
    CHECK(shown(lord_howe, at(2026y / 10 / 3, 0h), 2) == Texts{"04 02:30", "05 02:15"});
    const Cron back = cron("45 1 * * *", "Australia/Lord_Howe", {.dst = Dst::twice});
    CHECK(shown(back, at(2026y / 4 / 4, 10h), 3) == Texts{"05 01:45", "05 01:45", "06 01:45"});
}

TEST_CASE("a gap may take away midnight, and an overlap may repeat the evening before") {
    CHECK(shown(cron("0 0 * * *", "America/Sao_Paulo"), at(2018y / 11 / 3, 12h), 2) == Texts{"04 01:00", "05 00:00"});
    CHECK(shown(cron("@daily", "Asia/Beirut"), at(2026y / 3 / 28, 12h), 2) == Texts{"29 01:00", "30 00:00"});
    CHECK(shown(cron("30 23 * * SAT", "America/Sao_Paulo"), at(2019y / 2 / 16, 12h), 2) ==
          Texts{"16 23:30", "23 23:30"});
    CHECK(shown(cron("*/30 23 * * SAT", "America/Sao_Paulo"), at(2019y / 2 / 16, 12h), 5) ==
          Texts{"16 23:00", "16 23:30", "16 23:00", "16 23:30", "23 23:00"});
}

TEST_CASE("a gap may be a whole day") {
    const Instant before = at(2011y / 12 / 30, 0h); // 29 December, 14:00 in Apia
    CHECK(shown(cron("0 12 * * *", "Pacific/Apia"), before, 2) == Texts{"31 00:00", "31 12:00"});
    CHECK(shown(cron("0 12 * * *", "Pacific/Apia", {.dst = Dst::skip}), before, 2) == Texts{"31 12:00", "01 12:00"});
    CHECK(shown(cron("0 */8 * * *", "Pacific/Apia"), before, 3) == Texts{"29 16:00", "31 00:00", "31 08:00"});
    CHECK(shown(cron("0 12 30 12 *", "Pacific/Apia"), before, 2) == Texts{"31 00:00", "30 12:00"});
}

TEST_CASE("a zone may change its offset for good") {
    CHECK(shown(cron("45 23 * * *", "Asia/Pyongyang"), at(2018y / 5 / 4, 12h), 2) == Texts{"05 00:00", "05 23:45"});
    CHECK(shown(cron("45 2 * * *", "America/Caracas"), at(2007y / 12 / 9, 0h), 2) == Texts{"09 02:45", "10 02:45"});
    CHECK(shown(cron("45 2 * * *", "America/Caracas", {.dst = Dst::twice}), at(2007y / 12 / 9, 0h), 3) ==
          Texts{"09 02:45", "09 02:45", "10 02:45"});
}

TEST_CASE("the footer's rule carries schedules through the far future") {
    const Cron new_york = cron("30 2 * * *", "America/New_York");
    // 11 March 2103 and 14 March 2500 are the second Sundays of their months.
    CHECK(new_york.next(at(2103y / 3 / 10, 12h)) == at(2103y / 3 / 11, 7h));
    CHECK(new_york.next(at(2500y / 3 / 13, 12h)) == at(2500y / 3 / 14, 7h));
    CHECK(new_york.next(at(2500y / 3 / 14, 12h)) == at(2500y / 3 / 15, 6h + 30min));
}

TEST_CASE("a schedule in a zone may look decades ahead") {
    const Cron far = cron("0 30 2 29 3 * 2054", "Europe/Berlin");
    CHECK(far.next(at(2026y / 1 / 1, 0h)) == at(2054y / 3 / 29, 1h)); // the last Sunday of March: moved out of the gap
    CHECK_FALSE(far.next(at(2054y / 3 / 29, 1h)));
    CHECK_FALSE(cron("0 0 30 2 *", "Europe/Berlin").next(at(2026y / 1 / 1, 0h)));
}

TEST_CASE("each fire says how it came about") {
    const auto change = [](const Cron& schedule, Instant from) {
        return schedule.clock_change_of(*schedule.next(from));
    };
    CHECK(change(berlin("30 2 * * *"), spring) == ClockChange::after_gap);
    CHECK(change(berlin("*/30 * * * *"), at(2026y / 3 / 29, 30min)) == ClockChange::none);
    CHECK(change(berlin("0 3 * * *"), spring) == ClockChange::none);
    CHECK(change(berlin("30 2 * * *"), autumn) == ClockChange::first_of_two);
    CHECK(change(berlin("30 2 * * *", Dst::twice), at(2026y / 10 / 25, 1h)) == ClockChange::second_of_two);
    CHECK(change(berlin("0 2 * * *", Dst::twice), at(2026y / 10 / 25, 30min)) == ClockChange::second_of_two);
    CHECK(change(berlin("0 3 * * *"), autumn) == ClockChange::none);
    CHECK(change(berlin("59 1 * * *"), autumn) == ClockChange::none);
    CHECK(cron("30 2 * * *").clock_change_of(spring) == ClockChange::none);
}
