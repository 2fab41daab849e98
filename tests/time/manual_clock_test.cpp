// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/time/manual_clock.hpp>
#include <daybook/time/wall_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using daybook::ManualClock;

TEST_CASE("a manual clock stands still") {
    const ManualClock clock;
    CHECK(clock.now() == std::chrono::sys_days{std::chrono::January / 1 / 2024});
    CHECK(clock.now() == clock.now());
    CHECK(clock.steady_now() == clock.steady_now());
}

TEST_CASE("a manual clock starts where it is told, rounded down to microseconds") {
    const std::chrono::sys_time<std::chrono::nanoseconds> start{1'500ns};
    CHECK(ManualClock{start}.now() == daybook::sys_time{1us});
    const std::chrono::sys_time<std::chrono::nanoseconds> before{-1ns};
    CHECK(ManualClock{before}.now() == daybook::sys_time{-1us});
}

TEST_CASE("advancing moves both time lines, to the nanosecond") {
    ManualClock clock;
    const auto wall = clock.now();
    const auto steady = clock.steady_now();
    clock.advance(1'500ns);
    CHECK(clock.now() == wall + 1us);
    CHECK(clock.steady_now() == steady + 1'500ns);
    clock.advance(500ns);
    CHECK(clock.now() == wall + 2us);
    clock.advance(0ns);
    CHECK(clock.now() == wall + 2us);
}

TEST_CASE("a manual clock does not advance backwards") {
    ManualClock clock;
    const auto wall = clock.now();
    CHECK_THROWS_AS(clock.advance(-1ns), std::invalid_argument);
    CHECK(clock.now() == wall);
}

TEST_CASE("setting and stepping move the wall clock alone") {
    ManualClock clock;
    const auto wall = clock.now();
    const auto steady = clock.steady_now();
    clock.step(-1h);
    CHECK(clock.now() == wall - 1h);
    clock.set(wall + 24h);
    CHECK(clock.now() == wall + 24h);
    clock.set(std::chrono::sys_days{std::chrono::January / 1 / 2000});
    CHECK(clock.now() == std::chrono::sys_days{std::chrono::January / 1 / 2000});
    CHECK(clock.steady_now() == steady);
}

TEST_CASE("copies share their time, also inside an erased clock") {
    ManualClock clock;
    const ManualClock copy = clock;
    const daybook::AnyClock erased = clock;
    clock.advance(5s);
    CHECK(copy.now() == clock.now());
    CHECK(erased.now() == clock.now());
    CHECK(erased.steady_now() == clock.steady_now());
    CHECK(erased.is_driven());
    CHECK_FALSE(erased.is_system());
}

TEST_CASE("every change wakes, until the token is gone") {
    ManualClock clock;
    int woken = 0;
    auto token = clock.on_change([&] { ++woken; });
    clock.advance(1s);
    clock.step(1s);
    clock.set(clock.now());
    CHECK(woken == 3);
    token.reset();
    clock.advance(1s);
    CHECK(woken == 3);
}

TEST_CASE("what is woken may ask the clock, move it, and register more") {
    ManualClock clock;
    int woken = 0;
    std::shared_ptr<void> inner;
    const auto token = clock.on_change([&] {
        if (++woken == 1) {
            inner = clock.on_change([&] { woken += 10; });
            clock.advance(1s);
        }
    });
    const auto wall = clock.now();
    clock.advance(1s);
    CHECK(clock.now() == wall + 2s);
    CHECK(woken == 12);
}

TEST_CASE("a manual clock may be moved and read by several threads") {
    ManualClock clock;
    const auto steady = clock.steady_now();
    std::atomic<int> woken{0};
    const auto token = clock.on_change([&] { ++woken; });
    const auto work = [&] {
        auto last = clock.steady_now();
        for (int i = 0; i < 1000; ++i) {
            clock.advance(1ms);
            CHECK(clock.steady_now() >= last);
            last = clock.steady_now();
        }
    };
    std::thread other{[clock]() mutable {
        for (int i = 0; i < 1000; ++i) { clock.advance(1ms); }
    }};
    work();
    other.join();
    CHECK(clock.steady_now() == steady + 2s);
    CHECK(woken == 2000);
}
