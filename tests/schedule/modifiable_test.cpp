// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/schedule/schedule.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using daybook::any_of;
using daybook::at;
using daybook::Calendar;
using daybook::cron;
using daybook::every;
using daybook::Schedule;
using daybook::sys_time;
using std::chrono::sys_days;

namespace {

const sys_time monday{sys_days{std::chrono::January / 1 / 2024}};

/// Hours after `monday`, from the first instant that is later than `after`.
std::vector<double> hours(const Schedule& schedule, sys_time after = monday - 1us, std::size_t most = 10) {
    std::vector<double> result;
    for (auto found = schedule.next(after); found && result.size() < most; found = schedule.next(*found)) {
        result.push_back(std::chrono::duration<double, std::ratio<3600>>{*found - monday}.count());
    }
    return result;
}

/// The same backwards.
std::vector<double> hours_back(const Schedule& schedule, sys_time before, std::size_t most = 10) {
    std::vector<double> result;
    for (auto found = schedule.previous(before); found && result.size() < most; found = schedule.previous(*found)) {
        result.push_back(std::chrono::duration<double, std::ratio<3600>>{*found - monday}.count());
    }
    return result;
}

template <class Action>
std::string complaint(const Action& action) {
    try {
        action();
    } catch (const std::invalid_argument& error) { return error.what(); }
    return "";
}

using Hours = std::vector<double>;
const auto hourly = cron("0 * * * *");

/// Due each full hour, as a type of the program's own.
struct EachHour {
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const {
        return std::chrono::floor<std::chrono::hours>(after) + 1h;
    }
};

} // namespace

TEST_CASE("from leaves out what is earlier, and keeps the instant itself") {
    CHECK(hours(hourly.from(monday + 3h), monday, 3) == Hours{3, 4, 5});
    CHECK(hours(hourly.from(monday + 3h + 1us), monday, 2) == Hours{4, 5});
    CHECK(hours(hourly.from(monday + 3h), monday + 7h, 2) == Hours{8, 9});
}

TEST_CASE("until leaves out what is later, and keeps the instant itself") {
    CHECK(hours(hourly.until(monday + 2h)) == Hours{0, 1, 2});
    CHECK(hours(hourly.until(monday + 2h - 1us)) == Hours{0, 1});
    CHECK(hours(hourly.until(monday - 1h)).empty());
}

TEST_CASE("an instant of another resolution is rounded into the window") {
    using Nanoseconds = std::chrono::sys_time<std::chrono::nanoseconds>;
    const Nanoseconds just_after = Nanoseconds{monday} + 1ns;
    CHECK(hours(hourly.from(just_after), monday - 1h, 1) == Hours{1});
    CHECK(hours(hourly.until(just_after)) == Hours{0});
    CHECK(hours(hourly.until(Nanoseconds{monday} - 1ns)).empty());
    CHECK(hours(hourly.from(sys_days{std::chrono::January / 2 / 2024}), monday, 1) == Hours{24});
}

TEST_CASE("times counts from the instant of from") {
    CHECK(hours(hourly.from(monday + 1h).times(3)) == Hours{1, 2, 3});
    CHECK(hours(hourly.times(3).from(monday + 1h), monday + 2h) == Hours{3});
    CHECK(hours(hourly.from(monday + 1h).times(3), monday + 3h).empty());
    CHECK(hours(hourly.from(monday).times(5).until(monday + 1h)) == Hours{0, 1});
}

TEST_CASE("times that is more than there are bounds nothing") {
    CHECK(hours(cron("0 0 0 1 1 * 2024-2026").from(monday).times(100)).size() == 3);
}

TEST_CASE("times without from bounds a range of occurrences, and no single question") {
    CHECK(hours(hourly.times(2)).size() == 10);
    std::vector<sys_time> found;
    for (const sys_time due : hourly.times(2).occurrences(monday + 30min, monday + 24h)) { found.push_back(due); }
    CHECK(found == std::vector<sys_time>{monday + 1h, monday + 2h});
}

TEST_CASE("in which order a schedule is narrowed makes no difference") {
    const Calendar night{cron("* * 0-5 * * *")};
    const Schedule one = hourly.from(monday).times(3).except(night).until(monday + 24h);
    const Schedule other = hourly.until(monday + 24h).except(night).times(3).from(monday);
    CHECK(one == other);
    CHECK(hours(one) == Hours{6, 7, 8});
    CHECK(hours(other) == Hours{6, 7, 8});
}

TEST_CASE("narrowing leaves the schedule it began with as it was") {
    const Schedule base = hourly.from(monday + 1h);
    const Schedule narrowed = base.until(monday + 2h);
    CHECK(hours(base).size() == 10);
    CHECK(hours(narrowed) == Hours{1, 2});
}

TEST_CASE("what is excluded is no occurrence, and does not count") {
    const auto holidays = Calendar{}.add(std::chrono::January / 2);
    CHECK(hours(cron("0 9 * * *").except(holidays), monday, 3) == Hours{9, 57, 81});
    CHECK(hours(cron("0 9 * * *").except(holidays).from(monday).times(2)) == Hours{9, 57});
}

TEST_CASE("several calendars hold together") {
    const auto schedule =
        hourly.except(Calendar{cron("* * 0-7 * * *")}).except([](sys_time due) { return due == monday + 9h; });
    CHECK(hours(schedule, monday, 3) == Hours{8, 10, 11});
    CHECK(hours_back(schedule, monday + 11h, 3) == Hours{10, 8, -1});
}

TEST_CASE("a schedule that always rests has no occurrence, and is found out quickly") {
    auto always = Calendar{};
    for (unsigned day = 0; day < 7; ++day) { always.add(std::chrono::weekday{day}); }
    CHECK_FALSE(cron("* * * * * *").except(always).next(monday));
    CHECK_FALSE(cron("* * * * * *").except(always).previous(monday));
    CHECK_FALSE(every(1s).from(monday).except(always).next(monday));
}

TEST_CASE("a function that excludes a million occurrences in a row is a mistake that is named", "[long-count]") {
    const Schedule schedule = cron("* * * * * *").except([](sys_time) { return true; });
    CHECK_THROWS_AS(schedule.next(monday), std::runtime_error);
    CHECK_THROWS_AS(schedule.previous(monday), std::runtime_error);
}

TEST_CASE("an interval counts from its instant, to the microsecond") {
    CHECK(hours(every(90min).from(monday + 1h), monday, 3) == Hours{1, 2.5, 4});
    CHECK(hours(every(90min).from(monday - 24h * 3650), monday - 1us, 2) == Hours{0, 1.5});
    const Schedule thirds = every(std::chrono::nanoseconds{333'333'334}).from(monday);
    CHECK(thirds.next(monday) == monday + 333'334us);
    CHECK(thirds.next(monday + 333'334us) == monday + 666'667us);
    CHECK(thirds.previous(monday + 666'667us) == monday + 333'334us);
    CHECK(thirds.previous(monday + 1us) == monday);
    CHECK_FALSE(thirds.previous(monday));
}

TEST_CASE("an interval that counts from an instant has its number of times, however many") {
    const Schedule schedule = every(1s).from(monday).times(1'000'000'000'000);
    CHECK(schedule.next(monday + 1'000'000'000'000s - 2s) == monday + 1'000'000'000'000s - 1s);
    CHECK_FALSE(schedule.next(monday + 1'000'000'000'000s - 1s));
    CHECK(schedule.previous(sys_time::max()) == monday + 1'000'000'000'000s - 1s);
}

TEST_CASE("an interval by the steady clock alone has no place on the wall clock") {
    CHECK_FALSE(Schedule{every(1s)}.next(monday));
    CHECK_FALSE(Schedule{every(1s)}.previous(monday));
    CHECK_FALSE(every(1s).until(monday).next(monday - 1h));
    CHECK(hours(every(1h).after_completion().from(monday + 2h)) == Hours{2});
}

TEST_CASE("a single instant is there or not") {
    CHECK(hours(at(monday + 1h).from(monday)) == Hours{1});
    CHECK(hours(at(monday + 1h).from(monday + 2h)).empty());
    CHECK(hours(at(monday + 1h).until(monday)).empty());
    CHECK(hours(at(monday + 1h).except([](sys_time) { return true; })).empty());
    CHECK(hours_back(at(monday + 1h).times(1), monday + 2h) == Hours{1});
}

TEST_CASE("a schedule of the program's own can be narrowed too") {
    const Schedule own = Schedule{EachHour{}}.from(monday + 2h).times(2);
    CHECK(hours(own) == Hours{2, 3});
    CHECK(hours_back(own, monday + 24h) == Hours{3, 2});
    CHECK(hours_back(Schedule{EachHour{}}, monday + 90min, 3) == Hours{1, 0, -1});
}

TEST_CASE("previous mirrors next under every limit") {
    const Schedule narrow =
        hourly.from(monday + 2h).until(monday + 6h).except([](sys_time due) { return due == monday + 4h; });
    CHECK(hours(narrow) == Hours{2, 3, 5, 6});
    CHECK(hours_back(narrow, monday + 100h) == Hours{6, 5, 3, 2});
    CHECK(hours_back(narrow.times(3), monday + 100h) == Hours{5, 3, 2});
}

TEST_CASE("jitter delays by its bound at most, the same each time, and by the job's id") {
    const Schedule plain = hourly.jitter(10min);
    const Schedule one = plain.bound_to("one");
    const Schedule other = plain.bound_to("other");
    std::set<std::int64_t> delays;
    int differences = 0;
    for (sys_time due = monday; due < monday + 1000h; due += 1h) {
        const auto delay = one.due(due) - due;
        CHECK((delay >= 0us && delay <= 10min));
        CHECK(one.due(due) == plain.bound_to("one").due(due));
        delays.insert(delay / 1min);
        differences += one.due(due) != other.due(due) ? 1 : 0;
    }
    CHECK(delays.size() >= 10); // all of the ten minutes occur
    CHECK(differences > 990);
}

TEST_CASE("a seed of the program's own decides the jitter alone") {
    const Schedule seeded = hourly.jitter(1h, 7);
    CHECK(seeded.bound_to("one").due(monday) == seeded.bound_to("other").due(monday));
    CHECK(seeded.due(monday) != hourly.jitter(1h, 8).due(monday));
}

TEST_CASE("jitter leaves the nominal times alone") {
    CHECK(hours(hourly.jitter(10min), monday, 2) == Hours{1, 2});
    CHECK(Schedule{hourly}.due(monday) == monday);
    CHECK(hourly.jitter(1ns).limits().jitter == 1us);
    CHECK(hourly.jitter(0s) == Schedule{hourly});
}

TEST_CASE("what cannot be is refused where it is written") {
    CHECK(complaint([] { (void)hourly.times(0); }) == "times: the count must be at least 1");
    CHECK(complaint([] { (void)hourly.jitter(-1ns); }) == "jitter: it must not be negative");
    CHECK(complaint([] { (void)hourly.until(monday).from(monday + 1us); }) == "from: it is later than until");
    CHECK(complaint([] { (void)hourly.from(monday).until(monday - 1us); }) == "until: it is earlier than from");
    const auto steady = at(daybook::steady_time{} + 1h);
    CHECK(complaint([&] { (void)steady.from(monday); }) ==
          "from: an instant of the steady clock has no place on the wall clock");
    CHECK_FALSE(complaint([&] { (void)steady.until(monday); }).empty());
    CHECK_FALSE(complaint([&] { (void)steady.except(Calendar{}); }).empty());
    CHECK(complaint([&] { (void)steady.jitter(1s); }).empty());
}

TEST_CASE("a union is due whenever a part of it is, once") {
    const Schedule both = any_of(cron("0 */2 * * *"), cron("0 */3 * * *"), at(monday + 150min));
    CHECK(hours(both, monday - 1us, 7) == Hours{0, 2, 2.5, 3, 4, 6, 8});
    CHECK(hours_back(both, monday + 4h, 5) == Hours{3, 2.5, 2, 0, -2});
}

TEST_CASE("the parts of a union keep their limits, and the whole has its own") {
    const Schedule whole = any_of(hourly.until(monday + 1h), every(45min).from(monday + 1h).times(2), EachHour{});
    CHECK(hours(whole.except(Calendar{cron("* * 2 * * *")}), monday - 1us, 5) == Hours{0, 1, 1.75, 3, 4});
    CHECK(hours(any_of(whole, at(monday + 10min)).from(monday).times(2)).size() == 2);
}

TEST_CASE("what has no place on the wall clock is no part of a union") {
    CHECK(complaint([] { (void)any_of(hourly, every(1h)); }) ==
          "any_of: an interval needs from(t), to have a place on the wall clock");
    CHECK(complaint([] { (void)any_of(hourly, every(1h).after_completion().from(monday)); }) ==
          "any_of: an interval after completion cannot be a part");
    CHECK(complaint([] { (void)any_of(hourly, at(daybook::steady_time{})); }) ==
          "any_of: an instant of the steady clock cannot be a part");
    CHECK(complaint([] { (void)any_of(hourly, hourly.times(3)); }) ==
          "any_of: times(n) of a part needs from(t), to count from");
    CHECK(complaint([] { (void)any_of(hourly, hourly.jitter(1s)); }) ==
          "any_of: jitter belongs to the whole, not to a part");
    CHECK(complaint([] { (void)any_of(std::vector<Schedule>{}); }) == "any_of: there is no schedule");
}

TEST_CASE("a union tells how the clocks changed, by the part that is due") {
    const sys_time spring = sys_days{std::chrono::March / 31 / 2024} + 1h;
    const Schedule both = any_of(cron("30 2 * * *", "Europe/Berlin"), cron("0 0 1 1 *"));
    CHECK(both.next(spring - 1s) == spring);
    CHECK(both.clock_change_of(spring) == daybook::ClockChange::after_gap);
}

TEST_CASE("what was counted for one job is not taken for another's") {
    const Schedule hashed = cron("H H * * *").from(monday).times(3);
    for (const auto& [first, second] : {std::pair{"a", "b"}, std::pair{"b", "a"}}) {
        CHECK(hours(hashed.bound_to(first)).size() == 3);
        CHECK(hours(hashed.bound_to(second)).size() == 3);
    }
}

TEST_CASE("counting goes as far as the question, and no further than a million", "[long-count]") {
    const Schedule seconds = cron("* * * * * *").from(monday).times(18'446'744'073'709'551'615U);
    CHECK(seconds.next(monday + 5s) == monday + 6s);
    CHECK_THROWS_AS(seconds.next(monday + std::chrono::years{1}), std::invalid_argument);
    CHECK(seconds.next(monday + 999'998s) == monday + 999'999s);
    CHECK_THROWS_AS(seconds.next(monday + std::chrono::years{1}), std::invalid_argument);
    for (int day = 12; day < 24; ++day) { // who asks for one after the other is told
        CHECK(seconds.next(monday + day * 24h) == monday + day * 24h + 1s);
    }
}

TEST_CASE("a count that is too long is refused again without counting again") {
    struct Seconds {
        std::uint64_t* asked;
        std::optional<sys_time> next(sys_time after) const {
            ++*asked;
            return std::chrono::floor<std::chrono::seconds>(after) + 1s;
        }
    };
    std::uint64_t asked = 0;
    const Schedule own = Schedule{Seconds{&asked}}.from(monday).times(100'000'000);
    for (int i = 0; i < 100; ++i) { CHECK_THROWS_AS(own.next(monday + std::chrono::years{1}), std::invalid_argument); }
    CHECK(own.next(monday + 5s) == monday + 6s);
    CHECK_THROWS_AS(own.next(monday + std::chrono::years{1}), std::invalid_argument);
    CHECK(asked < 1'001'000);
}

TEST_CASE("long intervals keep their grid over centuries") {
    const sys_time long_ago{sys_days{std::chrono::year{1000} / 1 / 1}};
    const Schedule yearly = every(std::chrono::days{365}).from(long_ago);
    CHECK(yearly.next(long_ago + 590 * std::chrono::days{365}) == long_ago + 591 * std::chrono::days{365});
    CHECK_FALSE(every(1us).from(sys_time::min()).next(sys_time::max()));
}

TEST_CASE("a calendar of whole seconds is passed over by seconds") {
    const Schedule quick = every(1ms).from(monday).except(Calendar{cron("* 1-59 * * * *")});
    CHECK(quick.next(monday + 1min) == monday + 1h);
    CHECK(quick.previous(monday + 1h) == monday + 1min - 1ms);
}

TEST_CASE("the longest jitter there is stays one") {
    CHECK(hourly.jitter(std::chrono::nanoseconds::max()).limits().jitter ==
          std::chrono::floor<std::chrono::microseconds>(std::chrono::nanoseconds::max()));
}

TEST_CASE("a union of one is that one, and a union of unions is flat") {
    CHECK(any_of(std::vector<Schedule>{hourly.until(monday)}) == hourly.until(monday));
    CHECK(any_of(any_of(hourly, at(monday)), at(monday + 1h)) == any_of(hourly, at(monday), at(monday + 1h)));
    CHECK(any_of(any_of(hourly, at(monday)).until(monday), at(monday + 1h)).parts().size() == 2);
}

TEST_CASE("equal schedules are those that were made the same way") {
    CHECK(Schedule{hourly} == Schedule{cron("0 0 * * * *")});
    CHECK(hourly.from(monday) == hourly.from(monday));
    CHECK_FALSE(hourly.from(monday) == Schedule{hourly});
    CHECK_FALSE(Schedule{hourly} == Schedule{every(1h)});
    CHECK(any_of(hourly, at(monday)) == any_of(hourly, at(monday)));
    CHECK_FALSE(any_of(hourly, at(monday)) == any_of(hourly, at(monday + 1h)));
    const Schedule own{EachHour{}};
    const Schedule copy = own;
    CHECK(own == copy);
    CHECK_FALSE(own == Schedule{EachHour{}});
}

TEST_CASE("questions at the ends of time have answers") {
    for (const Schedule& schedule :
         {hourly.from(monday), hourly.until(monday), every(1h).from(monday), hourly.jitter(1h),
          hourly.except(Calendar{"Europe/Berlin"}.add(std::chrono::Sunday)), any_of(hourly, at(monday))}) {
        if (const auto next = schedule.next(sys_time::min())) { CHECK(*next > sys_time::min()); }
        CHECK_FALSE(schedule.next(sys_time::max()));
        if (const auto previous = schedule.previous(sys_time::max())) { CHECK(*previous < sys_time::max()); }
        CHECK_FALSE(schedule.previous(sys_time::min()));
        CHECK(schedule.due(sys_time::max()) == sys_time::max());
    }
}
