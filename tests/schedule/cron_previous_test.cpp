// SPDX-License-Identifier: MIT
#include "schedule/cron_oracle.hpp"
#include "support/catch.hpp"

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_parser.hpp>
#include <daybook/detail/cron_zone_search.hpp>
#include <daybook/detail/zone_data.hpp>
#include <daybook/schedule/cron.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::Cron;
using daybook::cron;
using daybook::Dst;
using daybook::TimeZone;
using daybook::literals::operator""_cron;
using std::chrono::sys_days;
using std::chrono::year_month_day;

using Instant = daybook::sys_time;
using Texts = std::vector<std::string>;

constexpr Instant at(year_month_day day, std::chrono::seconds time = 0s) { return sys_days{day} + time; }

/// What clocks on the wall show at the last fires before `from`, the latest first: day of the month, hour, minute.
Texts shown_before(const Cron& schedule, Instant from, int count) {
    Texts result;
    auto fire = schedule.previous(from);
    for (int i = 0; i < count && fire; ++i, fire = schedule.previous(*fire)) {
        const auto local = schedule.zone().to_local(*fire);
        const auto day = std::chrono::floor<std::chrono::days>(local);
        const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(local - day)};
        const auto pad = [](auto value) { return (value < 10 ? "0" : "") + std::to_string(value); };
        result.push_back(pad(static_cast<unsigned>(year_month_day{day}.day())) + " " + pad(time.hours().count()) + ":" +
                         pad(time.minutes().count()));
    }
    return result;
}

Cron berlin(std::string_view text, Dst dst = Dst::vixie) { return cron(text, "Europe/Berlin", {.dst = dst}); }

const Instant after_spring = at(2026y / 3 / 29, 10h);  // 12:00; at 02:00 it became 03:00
const Instant after_autumn = at(2026y / 10 / 25, 11h); // 12:00; at 03:00 it became 02:00

} // namespace

TEST_CASE("previous is the last instant strictly earlier") {
    const Cron hourly = cron("0 * * * *");
    CHECK(hourly.previous(at(2026y / 3 / 1, 10h + 1s)) == at(2026y / 3 / 1, 10h));
    CHECK(hourly.previous(at(2026y / 3 / 1, 10h)) == at(2026y / 3 / 1, 9h));
    CHECK(hourly.previous(at(2026y / 3 / 1, 10h - 1s)) == at(2026y / 3 / 1, 9h));
}

TEST_CASE("an instant within a second comes after its beginning") {
    const Cron hourly = cron("0 * * * *");
    CHECK(hourly.previous(at(2026y / 3 / 1, 10h) + 500ms) == at(2026y / 3 / 1, 10h));
    CHECK(hourly.previous(at(2026y / 3 / 1, 10h) + 1us) == at(2026y / 3 / 1, 10h));
    CHECK(hourly.previous(at(2026y / 3 / 1, 10h) - 1us) == at(2026y / 3 / 1, 9h));
    CHECK(cron("* * * * * *").previous(at(1969y / 12 / 31, 23h) - 300ms) == at(1969y / 12 / 31, 23h - 1s));
}

TEST_CASE("previous takes instants of any unit") {
    const Cron hourly = cron("0 * * * *");
    CHECK(hourly.previous(sys_days{2026y / 3 / 1}) == at(2026y / 2 / 28, 23h));
    CHECK(hourly.previous(std::chrono::sys_time<std::chrono::nanoseconds>{sys_days{2026y / 3 / 1}} + 1ns) ==
          at(2026y / 3 / 1));
    CHECK(hourly.previous(std::chrono::sys_seconds{sys_days{2026y / 3 / 1}} + 1s) == at(2026y / 3 / 1));
}

TEST_CASE("previous steps back through seconds, minutes and hours") {
    CHECK(cron("10,40 5,35 8,20 * * *").previous(at(2026y / 5 / 5, 20h + 35min + 40s)) ==
          at(2026y / 5 / 5, 20h + 35min + 10s));
    CHECK(cron("10,40 5,35 8,20 * * *").previous(at(2026y / 5 / 5, 20h + 35min + 10s)) ==
          at(2026y / 5 / 5, 20h + 5min + 40s));
    CHECK(cron("10,40 5,35 8,20 * * *").previous(at(2026y / 5 / 5, 20h + 5min + 10s)) ==
          at(2026y / 5 / 5, 8h + 35min + 40s));
    CHECK(cron("10,40 5,35 8,20 * * *").previous(at(2026y / 5 / 5, 8h + 5min)) == at(2026y / 5 / 4, 20h + 35min + 40s));
    CHECK(cron("59 59 23 * * *").previous(at(2026y / 1 / 1)) == at(2025y / 12 / 31, 23h + 59min + 59s));
}

TEST_CASE("previous goes back over month ends and the years") {
    CHECK(cron("0 0 31 * *").previous(at(2026y / 7 / 1)) == at(2026y / 5 / 31));
    CHECK(cron("0 0 31 * *").previous(at(2026y / 3 / 31)) == at(2026y / 1 / 31));
    CHECK(cron("0 0 30 1,2 *").previous(at(2026y / 6 / 1)) == at(2026y / 1 / 30));
    CHECK(cron("0 0 31 4,6,12 *").previous(at(2026y / 9 / 1)) == at(2025y / 12 / 31));
    CHECK(cron("@yearly").previous(at(2026y / 1 / 1)) == at(2025y / 1 / 1));
    CHECK(cron("0 9 * * MON-FRI").previous(at(2026y / 11 / 23, 8h)) == at(2026y / 11 / 20, 9h));
    CHECK(cron("0 0 L * *").previous(at(2024y / 3 / 10)) == at(2024y / 2 / 29));
    CHECK(cron("0 0 LW * *").previous(at(2026y / 6 / 1)) == at(2026y / 5 / 29));
    CHECK(cron("0 0 * * FRI#5").previous(at(2026y / 5 / 1)) == at(2026y / 1 / 30));
    CHECK(cron("0 0 13 * FRI", {.days = daybook::DayMatch::both}).previous(at(2026y / 2 / 1)) == at(2025y / 6 / 13));
}

TEST_CASE("29 February is found from leap year to leap year, over the century that has none") {
    const Cron leap = cron("0 0 29 2 *");
    CHECK(leap.previous(at(2028y / 2 / 29)) == at(2024y / 2 / 29));
    CHECK(leap.previous(at(2028y / 2 / 29, 1s)) == at(2028y / 2 / 29));
    CHECK(leap.previous(at(2028y / 3 / 1)) == at(2028y / 2 / 29));
    CHECK(leap.previous(at(2027y / 12 / 31)) == at(2024y / 2 / 29));
    CHECK(leap.previous(at(2104y / 1 / 31)) == at(2096y / 2 / 29));
    CHECK(leap.previous(at(1904y / 2 / 1)) == at(1896y / 2 / 29));
    CHECK(leap.previous(at(0y / 2 / 1)) == at(std::chrono::year{-4} / 2 / 29));
    CHECK(cron("0 0 0 29 2 * 2030-2050").previous(at(2100y / 1 / 1)) == at(2048y / 2 / 29));
    CHECK_FALSE(cron("0 0 0 29 2 * 2030-2031").previous(at(2100y / 1 / 1)));
    const Cron sunday = cron("0 0 29 2 SUN", {.days = daybook::DayMatch::both});
    CHECK(sunday.previous(at(2026y / 1 / 1)) == at(2004y / 2 / 29));
    CHECK(sunday.previous(at(1920y / 2 / 1)) == at(1880y / 2 / 29)); // 40 years: 1900 was none
}

TEST_CASE("next and previous agree on 29 February and on months that are too short, through four centuries") {
    for (const char* const text : {"0 0 29 2 *", "0 0 29 2 MON#5", "0 0 29,30 2,4 *", "0 0 30,31 2,4,6 *", "0 0 31 * *",
                                   "0 0 29 2,3 1", "0 0 0 29 2 * 1990/7"}) {
        INFO(text);
        const Cron schedule = cron(text, {.days = daybook::DayMatch::both});
        std::optional<Instant> before;
        int count = 0;
        for (auto fire = schedule.next(at(1890y / 1 / 1)); fire && *fire < at(2310y / 1 / 1); ++count) {
            if (schedule.previous(*fire) != before && count != 0) { FAIL_CHECK("before fire " << count); }
            if (schedule.previous(*fire + 1s) != fire) { FAIL_CHECK("of fire " << count); }
            before = fire;
            fire = schedule.next(*fire);
        }
        CHECK(count > 0);
    }
}

TEST_CASE("years: before the first there is nothing, after the last there is the last") {
    const Cron listed = cron("0 0 12 1 6 * 2020,2026,2150");
    CHECK(listed.previous(at(3000y / 1 / 1)) == at(2150y / 6 / 1, 12h));
    CHECK(listed.previous(at(2150y / 6 / 1, 12h)) == at(2026y / 6 / 1, 12h));
    CHECK(listed.previous(at(2026y / 6 / 1, 12h)) == at(2020y / 6 / 1, 12h));
    CHECK_FALSE(listed.previous(at(2020y / 6 / 1, 12h)));
    CHECK_FALSE(listed.previous(at(1600y / 1 / 1)));
    CHECK_FALSE(listed.previous(Instant::min()));
    CHECK(cron("0 0 0 1 1 * 1970-2199").previous(at(1970y / 1 / 1, 1s)) == at(1970y / 1 / 1));
    CHECK(cron("0 0 0 1 1 * 1970-2199").previous(at(2500y / 1 / 1)) == at(2199y / 1 / 1));
    CHECK_FALSE(cron("0 0 0 1 6 * 1970-2199").previous(at(1970y / 3 / 1)));
    CHECK(cron("0 0 0 1 1 * 2033,2034").previous(at(2099y / 1 / 1)) == at(2034y / 1 / 1)); // 63 and 64 after 1970
    CHECK_FALSE(cron("0 0 12 1 6 * 2026", "Europe/Berlin").previous(at(2026y / 6 / 1)));
    CHECK(cron("0 0 12 1 6 * 2026", "Europe/Berlin").previous(at(20'000y / 1 / 1)) == at(2026y / 6 / 1, 10h));
}

TEST_CASE("without a year field there is no earliest year") {
    CHECK(cron("@yearly").previous(at(1970y / 1 / 1)) == at(1969y / 1 / 1));
    CHECK(cron("@yearly").previous(at(std::chrono::year{-3000} / 1 / 1)) == at(std::chrono::year{-3001} / 1 / 1));
    CHECK(cron("0 0 0 1 1 * *").previous(at(1900y / 1 / 1)) == at(1899y / 1 / 1));
}

TEST_CASE("what never comes never came, and says so at once") {
    for (const char* const zone : {"UTC", "Europe/Berlin"}) {
        CHECK_FALSE(cron("0 0 30 2 *", zone).previous(at(2026y / 1 / 1)));
        CHECK_FALSE(cron("0 0 L-30 11 *", zone).previous(at(2026y / 1 / 1)));
        CHECK_FALSE(cron("0 0 31 2,4,6,9,11 *", zone).previous(Instant::max()));
        CHECK_FALSE(cron("0 0 1 2 MON#2", zone, {.days = daybook::DayMatch::both}).previous(at(2026y / 1 / 1)));
    }
    // Clocks in New York are put forward at 2 on the second Sunday of March, by a rule since 2007 and for good.
    const Cron never = cron("30 2 8-14 3 SUN", "America/New_York", {.days = daybook::DayMatch::both, .dst = Dst::skip});
    for (const auto year : {2026y, 2600y, 30'000y}) {
        CHECK(never.previous(at(year / 6 / 1)) == at(2006y / 3 / 12, 7h + 30min));
    }
    CHECK(never.previous(Instant::max()) == at(2006y / 3 / 12, 7h + 30min));
}

TEST_CASE("previous holds over the whole range of sys_time") {
    for (const char* const zone : {"UTC", "Europe/Berlin", "Pacific/Apia", "+05:30", "-12:00"}) {
        INFO(zone);
        const Cron secondly = cron("* * * * * *", zone);
        const auto last = std::chrono::floor<std::chrono::seconds>(Instant::max());
        const auto first = std::chrono::ceil<std::chrono::seconds>(Instant::min());
        CHECK(secondly.previous(Instant::max()) == last);
        CHECK(secondly.previous(std::chrono::sys_seconds::max()) == last);
        CHECK_FALSE(secondly.previous(Instant::min()));
        CHECK_FALSE(secondly.previous(std::chrono::sys_seconds::min()));
        CHECK_FALSE(secondly.previous(Instant{first}));
        CHECK(secondly.previous(Instant{first} + 1us) == first);
        CHECK(secondly.previous(Instant{first} + 1s) == first);
        CHECK_FALSE(cron("@yearly", zone).previous(Instant{first} + 1s));
        CHECK(cron("@yearly", zone).previous(Instant::max()) > Instant::max() - std::chrono::years{2});
        CHECK_FALSE(cron("0 0 29 2 *", zone).previous(Instant::min() + 1h));
    }
}

TEST_CASE("an H that nobody has bound counts as bound to 0") {
    const Cron hashed = cron("H H H * *");
    const Instant from = at(2026y / 5 / 5);
    CHECK(hashed.previous(from) == hashed.bound_to(std::uint64_t{0}).previous(from));
    CHECK(hashed.next(*hashed.previous(from)) == hashed.next(from - 1s));
    CHECK(cron("H H H * *").bound_to("job").previous(from) == hashed.bound_to("job").previous(from));
}

TEST_CASE("previous in UTC is constexpr") {
    STATIC_REQUIRE("0 0 3 * * *"_cron.previous(at(2026y / 3 / 1)) == at(2026y / 2 / 28, 3h));
    STATIC_REQUIRE("0 0 29 2 *"_cron.previous(at(2026y / 3 / 1)) == at(2024y / 2 / 29));
    STATIC_REQUIRE("0 0 LW * *"_cron.previous(sys_days{2026y / 6 / 1}) == at(2026y / 5 / 29));
    STATIC_REQUIRE_FALSE("0 0 30 2 *"_cron.previous(at(2026y / 3 / 1)).has_value());
    STATIC_REQUIRE_FALSE("0 0 0 1 1 * 2030"_cron.previous(at(2026y / 3 / 1)).has_value());
    STATIC_REQUIRE("* * * * * *"_cron.previous(Instant::max()).has_value());
    STATIC_REQUIRE_FALSE("* * * * * *"_cron.previous(Instant::min()).has_value());
}

TEST_CASE("backwards, vixie: a fixed time in the gap is the first instant after it") {
    CHECK(shown_before(berlin("30 2 * * *"), after_spring, 2) == Texts{"29 03:00", "28 02:30"});
    CHECK(berlin("30 2 * * *").previous(after_spring) == at(2026y / 3 / 29, 1h));
    CHECK(shown_before(berlin("0,30 2 * * *"), after_spring, 3) == Texts{"29 03:00", "28 02:30", "28 02:00"});
    CHECK(shown_before(berlin("0 2,3 * * *"), after_spring, 3) == Texts{"29 03:00", "28 03:00", "28 02:00"});
    CHECK(shown_before(berlin("*/30 * * * *"), at(2026y / 3 / 29, 2h), 4) ==
          Texts{"29 03:30", "29 03:00", "29 01:30", "29 01:00"});
    CHECK(shown_before(berlin("30 2 * * *"), at(2026y / 3 / 29, 1h), 1) == Texts{"28 02:30"});
    CHECK(shown_before(berlin("30 2 * * *"), at(2026y / 3 / 29, 1h) + 1us, 1) == Texts{"29 03:00"});
}

TEST_CASE("backwards, skip and twice: a time in the gap did not run") {
    for (const Dst dst : {Dst::skip, Dst::twice}) {
        CHECK(shown_before(berlin("30 2 * * *", dst), after_spring, 1) == Texts{"28 02:30"});
        CHECK(shown_before(berlin("0 2 * * *", dst), after_spring, 1) == Texts{"28 02:00"});
        CHECK(shown_before(berlin("*/30 * * * *", dst), at(2026y / 3 / 29, 1h + 1min), 2) ==
              Texts{"29 03:00", "29 01:30"});
        CHECK(berlin("30 2 29 3 *", dst).previous(after_spring) == at(2025y / 3 / 29, 1h + 30min));
    }
}

TEST_CASE("backwards, vixie: of a time that comes twice, fixed ones ran the first, wildcards both") {
    CHECK(shown_before(berlin("30 2 * * *"), after_autumn, 2) == Texts{"25 02:30", "24 02:30"});
    CHECK(berlin("30 2 * * *").previous(after_autumn) == at(2026y / 10 / 25, 30min));
    CHECK(shown_before(berlin("*/30 * * * *"), at(2026y / 10 / 25, 2h), 5) ==
          Texts{"25 02:30", "25 02:00", "25 02:30", "25 02:00", "25 01:30"});
    CHECK(shown_before(berlin("30 1-2 * * *"), after_autumn, 4) ==
          Texts{"25 02:30", "25 02:30", "25 01:30", "24 02:30"});
}

TEST_CASE("backwards, skip: a time that comes twice ran the first time, twice: both") {
    CHECK(shown_before(berlin("*/30 2 * * *", Dst::skip), after_autumn, 3) ==
          Texts{"25 02:30", "25 02:00", "24 02:30"});
    CHECK(berlin("*/30 2 * * *", Dst::skip).previous(after_autumn) == at(2026y / 10 / 25, 30min));
    CHECK(shown_before(berlin("30 2 * * *", Dst::twice), after_autumn, 3) == Texts{"25 02:30", "25 02:30", "24 02:30"});
}

TEST_CASE("asking backwards from within the second hour sees the end of the first") {
    const Instant second_ten = at(2026y / 10 / 25, 1h + 10min); // 02:10 for the second time
    CHECK(berlin("30 2 * * *").previous(second_ten) == at(2026y / 10 / 25, 30min));
    CHECK(berlin("30 2 * * *", Dst::twice).previous(second_ten) == at(2026y / 10 / 25, 30min));
    CHECK(berlin("*/30 * * * *").previous(second_ten) == at(2026y / 10 / 25, 1h));
    CHECK(berlin("*/30 * * * *", Dst::skip).previous(second_ten) == at(2026y / 10 / 25, 30min));
    CHECK(berlin("5 2 * * *").previous(second_ten) == at(2026y / 10 / 25, 5min));
    CHECK(berlin("5 2 * * *", Dst::twice).previous(second_ten) == at(2026y / 10 / 25, 1h + 5min));
}

TEST_CASE("backwards, a gap may be half an hour") {
    const Cron lord_howe = cron("15 2 * * *", "Australia/Lord_Howe");
    CHECK(shown_before(lord_howe, at(2026y / 10 / 4, 12h), 3) == Texts{"04 02:30", "03 02:15", "02 02:15"});
    const Cron back = cron("45 1 * * *", "Australia/Lord_Howe", {.dst = Dst::twice});
    CHECK(shown_before(back, at(2026y / 4 / 5, 12h), 3) == Texts{"05 01:45", "05 01:45", "04 01:45"});
}

TEST_CASE("backwards, a gap may take away midnight, and an overlap may repeat the evening before") {
    const Cron midnight = cron("0 0 * * *", "America/Sao_Paulo");
    CHECK(shown_before(midnight, at(2018y / 11 / 5, 12h), 3) == Texts{"05 00:00", "04 01:00", "03 00:00"});
    const Cron evening = cron("*/30 23 * * SAT", "America/Sao_Paulo");
    CHECK(shown_before(evening, at(2019y / 2 / 17, 12h), 5) ==
          Texts{"16 23:30", "16 23:00", "16 23:30", "16 23:00", "09 23:30"});
    // From the second 23:10, the end of the first evening is later on the wall, and earlier in time.
    CHECK(shown_before(evening, at(2019y / 2 / 17, 2h + 10min), 2) == Texts{"16 23:00", "16 23:30"});
    CHECK(shown_before(cron("30 23 * * SAT", "America/Sao_Paulo"), at(2019y / 2 / 17, 12h), 2) ==
          Texts{"16 23:30", "09 23:30"});
}

TEST_CASE("backwards, a gap may be a whole day") {
    const Instant after = at(2011y / 12 / 31, 0h); // 31 December, 14:00 in Apia
    CHECK(shown_before(cron("0 12 * * *", "Pacific/Apia"), after, 3) == Texts{"31 12:00", "31 00:00", "29 12:00"});
    CHECK(shown_before(cron("0 12 * * *", "Pacific/Apia", {.dst = Dst::skip}), after, 2) ==
          Texts{"31 12:00", "29 12:00"});
    CHECK(shown_before(cron("0 12 30 12 *", "Pacific/Apia"), after, 2) == Texts{"31 00:00", "30 12:00"});
}

TEST_CASE("a schedule in a zone may look centuries back") {
    const Cron far = cron("0 30 2 29 3 * 2054", "Europe/Berlin");
    CHECK(far.previous(at(2600y / 1 / 1)) == at(2054y / 3 / 29, 1h)); // moved out of the gap
    CHECK_FALSE(far.previous(at(2054y / 3 / 29, 1h)));
    const Cron leap_sunday = cron("0 0 29 2 SUN", "Europe/Berlin", {.days = daybook::DayMatch::both});
    CHECK(leap_sunday.previous(at(2104y / 2 / 1)) == at(2088y / 2 / 28, 23h));
}

TEST_CASE(
    "a gap so soon after an overlap that it leaves out what has been there already holds nothing for fixed times") {
    // One hour back at midnight, and forward again half an hour later.
    constexpr std::int64_t midnight = 1'000'080'000;
    daybook::detail::ZoneData zone{"made up", 3600};
    zone.add_transition(midnight, 0);
    zone.add_transition(midnight + 1800, 3600);
    for (const char* const text : {"45 0 * * *", "15 0 * * *", "0,15,30,45 0,1 * * *", "0 1 * * *"}) {
        for (const bool only_first : {true, false}) {
            INFO(text << ", only the first: " << only_first);
            daybook::detail::CronFields fields;
            REQUIRE(daybook::detail::CronParser{text, fields}.parse().column == 0);
            const daybook::detail::CronClockRules rules{.move_out_of_gap = true, .only_first = only_first};
            std::int64_t last = midnight - 86'400;
            last = daybook::detail::next_in_zone(fields, rules, zone, last);
            for (std::int64_t second = last + 1; second < midnight + 86'400; ++second) {
                if (daybook::detail::previous_in_zone(fields, rules, zone, second) != last) { FAIL_CHECK(second); }
                if (daybook::detail::next_in_zone(fields, rules, zone, second - 1) == second) { last = second; }
            }
        }
    }
}

namespace {

/// The first flaw in how previous retraces the fires that next finds in a window, in words; empty if there is none.
std::string flaw(const cron_oracle::Expression& expression, TimeZone zone, Instant begin, Instant end,
                 cron_oracle::Random& random) {
    const Cron schedule = cron(expression.text(), zone, expression.options);
    const auto complain = [&](const char* what, Instant instant) {
        return "'" + expression.text() + "' in " + std::string{zone.name()} + ", days " +
               std::to_string(static_cast<int>(expression.options.days)) + ", dst " +
               std::to_string(static_cast<int>(expression.options.dst)) + ": " + what + " " +
               std::to_string(instant.time_since_epoch().count());
    };
    std::vector<Instant> fires;
    for (auto fire = schedule.next(begin); fire && *fire < end && fires.size() < 3000; fire = schedule.next(*fire)) {
        fires.push_back(*fire);
    }
    for (std::size_t i = 0; i < fires.size(); ++i) {
        if (schedule.previous(fires[i] + 1s) != fires[i]) { return complain("a second after", fires[i]); }
        if (schedule.previous(fires[i] + 1us) != fires[i]) { return complain("at once after", fires[i]); }
        if (i != 0 && schedule.previous(fires[i]) != fires[i - 1]) { return complain("before the fire", fires[i]); }
        if (i == 0) {
            const auto earlier = schedule.previous(fires[i]);
            if (earlier && *earlier > begin) { return complain("before the first fire", fires[i]); }
        }
    }
    const auto range = static_cast<std::uint64_t>((end - begin).count());
    for (int i = 0; i < 20; ++i) {
        const Instant instant = begin + std::chrono::microseconds{random() % range};
        const auto before = schedule.previous(instant);
        if (!before) { continue; }
        if (*before >= instant || !schedule.matches(*before)) { return complain("no earlier fire than", instant); }
        if (const auto next = schedule.next(*before); next && *next < instant) {
            return complain("a later fire exists before", instant);
        }
    }
    return "";
}

} // namespace

TEST_CASE("around every kind of clock change, previous retraces the steps of next") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    cron_oracle::Random random{seed};
    for (const char* const name :
         {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut",
          "Pacific/Apia", "Pacific/Kwajalein", "Asia/Pyongyang", "America/Caracas", "Africa/Casablanca",
          "Europe/Dublin", "Asia/Manila", "America/Juneau", "Antarctica/Troll", "+05:45"}) {
        const auto zone = TimeZone::find(name);
        std::vector<std::chrono::sys_seconds> changes{sys_days{2000y / 3 / 1}, sys_days{2550y / 3 / 25}};
        for (auto end = zone.offset_at(sys_days{1890y / 1 / 1}).end; end < sys_days{2060y / 1 / 1};
             end = zone.offset_at(end).end) {
            changes.push_back(end);
        }
        for (const auto change : changes) {
            const auto expression = cron_oracle::random_expression(random);
            const Instant begin = change - std::chrono::seconds{3600 + random() % 100'000};
            CHECK(flaw(expression, zone, begin, begin + 40h, random) == "");
        }
    }
}

TEST_CASE("over the years, previous retraces the days of next") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    cron_oracle::Random random{seed};
    for (int i = 0; i < 300; ++i) {
        auto expression = cron_oracle::random_expression(random);
        expression.second.text = "0";
        expression.minute.text = "15";
        expression.hour.text = "2";
        const auto zone = i % 2 == 0 ? TimeZone{} : TimeZone::find("America/New_York");
        const Instant begin = at(1850y / 1 / 1) + std::chrono::days{random() % 300'000};
        CHECK(flaw(expression, zone, begin, begin + std::chrono::years{12}, random) == "");
    }
}

TEST_CASE("around clock changes, previous agrees with an oracle that looks at every second") {
    struct Case {
        const char* zone;
        std::chrono::sys_seconds change;
    };
    const std::vector<Case> cases{
        {"Europe/Berlin", sys_days{2026y / 3 / 29} + 1h},       {"Europe/Berlin", sys_days{2026y / 10 / 25} + 1h},
        {"Australia/Lord_Howe", sys_days{2026y / 4 / 4} + 15h}, {"Pacific/Apia", sys_days{2011y / 12 / 30} + 10h},
        {"America/Sao_Paulo", sys_days{2019y / 2 / 17} + 2h},   {"America/New_York", sys_days{2051y / 11 / 5} + 6h},
        {"Pacific/Kwajalein", sys_days{1993y / 8 / 21} + 12h}};
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    cron_oracle::Random random{seed};
    for (const auto& [name, change] : cases) {
        const auto zone = TimeZone::find(name);
        for (int i = 0; i < 6; ++i) {
            const auto expression = cron_oracle::random_expression(random);
            const Cron schedule = cron(expression.text(), zone, expression.options);
            const std::int64_t begin = change.time_since_epoch().count() - 6 * 3600;
            const auto fires = cron_oracle::fires(expression, zone, begin, begin + 20 * 3600);
            for (std::int64_t second = begin; second < begin + 20 * 3600;
                 second += 1 + cron_oracle::pick(random, 0, 600)) {
                const auto after = std::lower_bound(fires.begin(), fires.end(), second);
                const auto got = schedule.previous(Instant{std::chrono::seconds{second}});
                const bool right = after == fires.begin() ? !got || *got < Instant{std::chrono::seconds{begin}}
                                                          : got == Instant{std::chrono::seconds{*(after - 1)}};
                if (!right) { FAIL_CHECK("'" << expression.text() << "' in " << name << " before " << second); }
            }
        }
    }
    SUCCEED();
}
