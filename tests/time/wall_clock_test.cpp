// SPDX-License-Identifier: MIT
#include <daybook/time/wall_clock.hpp>

#include "support/catch.hpp"

#include <chrono>

using daybook::AnyClock;
using daybook::ClockReading;
using daybook::steady_time;
using daybook::sys_time;
using daybook::SystemClock;
using namespace std::chrono_literals;

TEST_CASE("both system clocks read together lie between readings of each before and after") {
    const SystemClock clock;
    for (int i = 0; i < 100'000; ++i) {
        const ClockReading before{clock.now(), clock.steady_now()};
        const ClockReading both = clock.read();
        const ClockReading after{clock.now(), clock.steady_now()};
        REQUIRE(both.steady >= before.steady);
        REQUIRE(both.steady <= after.steady);
        // Somebody may set the wall clock meanwhile: then what was read before is the greater, or far away.
        if (before.wall > after.wall || after.wall - before.wall > 1s) { continue; }
        REQUIRE(both.wall >= before.wall);
        REQUIRE(both.wall <= after.wall);
    }
}

TEST_CASE("a program's own clock is asked for each of its time lines") {
    struct Fixed {
        [[nodiscard]] sys_time now() const { return sys_time{5s}; }
        [[nodiscard]] steady_time steady_now() const { return steady_time{7s}; }
    };
    const ClockReading both = AnyClock{Fixed{}}.read();
    CHECK(both.wall == sys_time{5s});
    CHECK(both.steady == steady_time{7s});
}
