// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/schedule/schedule_text.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using daybook::at;
using daybook::cron;
using daybook::every;
using daybook::Schedule;
using daybook::sys_time;

namespace {

const sys_time monday{std::chrono::sys_days{std::chrono::January / 1 / 2024}};

struct EachHour {
    std::unique_ptr<int> only_movable = std::make_unique<int>(0);
    [[nodiscard]] sys_time next(sys_time after) const { return std::chrono::floor<std::chrono::hours>(after) + 1h; }
};

struct Broken {
    [[nodiscard]] std::optional<sys_time> next(sys_time) const { throw std::runtime_error{"broken"}; }
};

struct NotConst {
    std::optional<sys_time> next(sys_time after) { return after; }
};

struct WrongAnswer {
    [[nodiscard]] std::string next(sys_time) const { return {}; }
};

} // namespace

TEST_CASE("what has a next() that fits is a schedule") {
    STATIC_REQUIRE(daybook::schedule<EachHour>);
    STATIC_REQUIRE(daybook::schedule<daybook::Cron>);
    STATIC_REQUIRE(daybook::schedule<daybook::At>);
    STATIC_REQUIRE(daybook::schedule<Schedule>);
    STATIC_REQUIRE_FALSE(daybook::schedule<NotConst>);
    STATIC_REQUIRE_FALSE(daybook::schedule<WrongAnswer>);
    STATIC_REQUIRE_FALSE(daybook::schedule<int>);
    STATIC_REQUIRE(std::convertible_to<EachHour, Schedule>);
    STATIC_REQUIRE_FALSE(std::convertible_to<WrongAnswer, Schedule>);
    STATIC_REQUIRE_FALSE(std::convertible_to<const char*, Schedule>);
}

TEST_CASE("the default schedule is never") {
    const Schedule never;
    CHECK(never.is_never());
    CHECK_FALSE(never.next(monday));
    CHECK(to_string(never) == "never");
}

TEST_CASE("an erased cron expression answers as it does by itself") {
    const Schedule schedule = cron("30 */5 * * * *");
    CHECK(schedule.next(monday) == monday + 30s);
    CHECK(schedule.next(monday + 30s) == monday + 5min + 30s);
    CHECK_FALSE(schedule.is_never());
    CHECK(schedule.interval() == nullptr);
    CHECK(schedule.once() == nullptr);
    CHECK(to_string(schedule) == "30 */5 * * * *");
}

TEST_CASE("the words of a cron expression name its zone unless it is UTC") {
    CHECK(to_string(Schedule{cron("0 0 9 * * MON-FRI", "UTC")}).find("UTC") == std::string::npos);
    CHECK(to_string(Schedule{cron("0 0 9 * * MON-FRI", "Europe/Berlin")}).ends_with(" Europe/Berlin"));
}

TEST_CASE("an interval has no place on the wall clock") {
    const Schedule schedule = every(90s);
    REQUIRE(schedule.interval() != nullptr);
    CHECK(schedule.interval()->period() == 90s);
    CHECK_FALSE(schedule.next(monday));
}

TEST_CASE("intervals are told in seconds with the digits that they need") {
    CHECK(to_string(Schedule{every(5min)}) == "every 300s");
    CHECK(to_string(Schedule{every(1500ms)}) == "every 1.5s");
    CHECK(to_string(Schedule{every(1us)}) == "every 0.000001s");
    CHECK(to_string(Schedule{every(1'000'000'001ns)}) == "every 1.000000001s");
    CHECK(to_string(Schedule{every(5min).after_completion()}) == "every 300s after completion");
}

TEST_CASE("a single instant is told on the wall clock") {
    const Schedule schedule = at(monday + 1500us);
    REQUIRE(schedule.once() != nullptr);
    CHECK(schedule.next(monday) == monday + 1500us);
    CHECK_FALSE(schedule.next(monday + 1500us));
    CHECK(to_string(schedule) == "at 2024-01-01T00:00:00.001500Z");
    CHECK(to_string(Schedule{at(std::chrono::steady_clock::now())}) == "at an instant of the steady clock");
}

TEST_CASE("a schedule of the program's own is held by copies together") {
    const Schedule schedule = EachHour{};
    const Schedule copy = schedule;
    CHECK(copy.next(monday) == monday + 1h);
    CHECK(to_string(copy) == "own schedule");
    CHECK(copy.clock_change_of(monday) == daybook::ClockChange::none);
}

TEST_CASE("what a schedule throws passes through") {
    const Schedule schedule = Broken{};
    CHECK_THROWS_AS(schedule.next(monday), std::runtime_error);
}

TEST_CASE("binding fixes H by the job's id, and leaves all else as it is") {
    const Schedule hashed = cron("H H * * * *");
    CHECK(hashed.bound_to("a").next(monday) == hashed.bound_to("a").next(monday));
    CHECK(hashed.bound_to("a").next(monday) != hashed.bound_to("b").next(monday));
    const Schedule plain = cron("0 0 * * * *");
    CHECK(plain.bound_to("a").next(monday) == plain.next(monday));
    CHECK(Schedule{every(5s)}.bound_to("a").interval() != nullptr);
    CHECK(Schedule{}.bound_to("a").is_never());
}

TEST_CASE("an instant tells how the clocks changed") {
    const Schedule schedule = cron("0 30 2 * * *", "Europe/Berlin");
    const sys_time eve{std::chrono::sys_days{std::chrono::March / 31 / 2024}};
    const auto fire = schedule.next(eve);
    REQUIRE(fire);
    CHECK(schedule.clock_change_of(*fire) == daybook::ClockChange::after_gap);
    CHECK(schedule.clock_change_of(schedule.next(*fire).value()) == daybook::ClockChange::none);
}
