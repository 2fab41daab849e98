// SPDX-License-Identifier: MIT
#include <daybook/detail/log_clock.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>

using namespace daybook;
using namespace std::chrono_literals;
using detail::LogClock;
using detail::WallOffset;

namespace {

steady_time steady_at(std::chrono::nanoseconds since) { return steady_time{since}; }

} // namespace

TEST_CASE("what was never learnt holds at no time") {
    const WallOffset offset;
    CHECK_FALSE(offset.holds_at(steady_at(0ns)));
    CHECK_FALSE(offset.holds_at(steady_at(1h)));
    CHECK_FALSE(offset.holds_at(steady_time::max()));
}

TEST_CASE("what was learnt of the wall clock holds for a millisecond, and not before") {
    WallOffset offset;
    offset.learn(steady_at(5s), 100h);
    CHECK(offset.holds_at(steady_at(5s)));
    CHECK(offset.holds_at(steady_at(5s + 1ms - 1ns)));
    CHECK_FALSE(offset.holds_at(steady_at(5s + 1ms)));
    CHECK_FALSE(offset.holds_at(steady_at(5s - 1ns)));
    CHECK_FALSE(offset.holds_at(steady_at(-5s)));
}

TEST_CASE("the wall time is whole microseconds, rounded down, also before 1970") {
    WallOffset offset;
    offset.learn(steady_at(1ms), 10ns);
    CHECK(offset.wall_at(steady_at(1ms + 989ns)) == sys_time{1000us});
    CHECK(offset.wall_at(steady_at(1ms + 990ns)) == sys_time{1001us});
    offset.learn(steady_at(2s), -10s);
    CHECK(offset.wall_at(steady_at(2s + 1ns)) == sys_time{-8s});
    CHECK(offset.wall_at(steady_at(2s + 999ns)) == sys_time{-8s});
}

TEST_CASE("what is learnt anew replaces what was known") {
    WallOffset offset;
    offset.learn(steady_at(1s), 10s);
    offset.learn(steady_at(3s), 20s);
    CHECK_FALSE(offset.holds_at(steady_at(1s)));
    CHECK(offset.wall_at(steady_at(3s)) == sys_time{23s});
}

TEST_CASE("a log's clock says what the system's clocks say") {
    const AnyClock system;
    LogClock clock;
    for (int i = 0; i < 20'000; ++i) { // some dozen lifetimes of what it learns
        const auto steady_before = system.steady_now();
        const auto wall_before = system.now();
        const auto read = clock.read(system);
        REQUIRE(read.steady >= steady_before);
        REQUIRE(read.steady <= system.steady_now());
        // Nobody sets the clock meanwhile; a slewed one gains less than a microsecond in a millisecond.
        REQUIRE(read.wall >= wall_before - 1us);
        REQUIRE(read.wall <= system.now() + 1us);
    }
}

TEST_CASE("a program's own clock is asked each time") {
    ManualClock manual;
    const AnyClock any = manual;
    LogClock clock;
    const auto first = clock.read(any);
    CHECK(first.wall == manual.now());
    CHECK(first.steady == manual.steady_now());
    manual.step(1h); // the wall clock alone
    const auto second = clock.read(any);
    CHECK(second.wall == first.wall + 1h);
    CHECK(second.steady == first.steady);
}
