// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/schedule/every.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <ratio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using daybook::every;
using daybook::Every;
using daybook::steady_time;
using std::chrono::nanoseconds;

} // namespace

TEST_CASE("an interval has the period that it was given, in any unit") {
    STATIC_REQUIRE(every(5min).period() == 5min);
    STATIC_REQUIRE(every(1us).period() == 1us);
    STATIC_REQUIRE(every(std::chrono::duration<double>{0.25}).period() == 250ms);
    STATIC_REQUIRE(every(std::chrono::days{2}).period() == 48h);
    STATIC_REQUIRE(every(std::chrono::duration<std::int64_t, std::ratio<1, 3>>{1}).period() == 333'333'334ns);
    STATIC_REQUIRE_FALSE(every(5min).is_after_completion());
}

TEST_CASE("an interval after completion keeps its period") {
    constexpr auto interval = every(5min).after_completion();
    STATIC_REQUIRE(interval.is_after_completion());
    STATIC_REQUIRE(interval.period() == 5min);
    STATIC_REQUIRE(interval != every(5min));
    STATIC_REQUIRE(interval == every(300s).after_completion());
}

TEST_CASE("an interval shorter than a microsecond is refused") {
    CHECK_THROWS_AS(every(0s), std::invalid_argument);
    CHECK_THROWS_AS(every(-1h), std::invalid_argument);
    CHECK_THROWS_AS(every(999ns), std::invalid_argument);
    CHECK_THROWS_AS(every(std::chrono::hours::min()), std::invalid_argument);
    CHECK_THROWS_AS(every(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}),
                    std::invalid_argument);
}

TEST_CASE("an interval beyond the range of the clock becomes the longest one") {
    STATIC_REQUIRE(every(std::chrono::hours::max()).period() == nanoseconds::max());
    CHECK(every(std::chrono::duration<double>{1e300}).period() == nanoseconds::max());
}

TEST_CASE("a fixed rate is due at the next whole period after now") {
    constexpr auto interval = every(10s);
    constexpr steady_time start{100s};
    STATIC_REQUIRE(interval.next_steady(start, start) == Every::Step{start + 10s, 0});
    STATIC_REQUIRE(interval.next_steady(start, start + 9999ms) == Every::Step{start + 10s, 0});
    STATIC_REQUIRE(interval.next_steady(start, start + 10s) == Every::Step{start + 20s, 1});
    STATIC_REQUIRE(interval.next_steady(start, start + 35s) == Every::Step{start + 40s, 3});
}

TEST_CASE("a fixed rate whose last due instant is still to come is due one period after it") {
    STATIC_REQUIRE(every(10s).next_steady(steady_time{100s}, steady_time{5s}) == Every::Step{steady_time{110s}, 0});
}

TEST_CASE("a fixed rate counts what it missed without walking there") {
    STATIC_REQUIRE(every(1us).next_steady(steady_time{}, steady_time{std::chrono::years{200}}).missed ==
                   static_cast<std::uint64_t>(std::chrono::microseconds{std::chrono::years{200}}.count()));
    const auto widest = every(1us).next_steady(steady_time::min(), steady_time::max() - 1h);
    CHECK(widest.missed == (std::numeric_limits<std::uint64_t>::max() - 3'600'000'000'000U) / 1000);
    CHECK(widest.due > steady_time::max() - 1h);
}

TEST_CASE("a fixed rate stops at the last instant of the clock") {
    STATIC_REQUIRE(every(1h).next_steady(steady_time::max() - 1min, steady_time::max() - 1s).due == steady_time::max());
    STATIC_REQUIRE(every(1h).next_steady(steady_time::max() - 1s, steady_time{}).due == steady_time::max());
    STATIC_REQUIRE(every(std::chrono::hours::max()).next_steady(steady_time{1h}, steady_time{2h}).due ==
                   steady_time::max());
}

TEST_CASE("after completion the next due instant is one period later, or the last one of the clock") {
    STATIC_REQUIRE(every(5s).after_completion().next_after_completion(steady_time{60s}) == steady_time{65s});
    STATIC_REQUIRE(every(5s).next_after_completion(steady_time::max() - 4s) == steady_time::max());
}

TEST_CASE("a fixed rate agrees with walking period by period") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 2000; ++round) {
        const nanoseconds period{1000 + static_cast<std::int64_t>(random() % 100'000)};
        const steady_time last{nanoseconds{static_cast<std::int64_t>(random() % 1'000'000)} - 500us};
        const steady_time now = last + nanoseconds{static_cast<std::int64_t>(random() % 2'000'000)};
        Every::Step expected{last + period, 0};
        while (expected.due <= now) {
            expected.due += period;
            ++expected.missed;
        }
        REQUIRE(every(period).next_steady(last, now) == expected);
    }
}
