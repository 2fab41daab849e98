// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/schedule/at.hpp>

#include <chrono>
#include <optional>

namespace {

using namespace std::chrono_literals;
using daybook::at;
using daybook::steady_time;
using daybook::sys_time;

constexpr std::chrono::sys_days new_year = std::chrono::January / 1 / 2030;

} // namespace

TEST_CASE("an instant on the wall clock is due once") {
    constexpr auto once = at(new_year);
    STATIC_REQUIRE(once.wall() == sys_time{new_year});
    STATIC_REQUIRE(once.steady() == std::nullopt);
    STATIC_REQUIRE(once.next(sys_time{new_year} - 1us) == sys_time{new_year});
    STATIC_REQUIRE(once.next(new_year) == std::nullopt);
    STATIC_REQUIRE(once.next(sys_time{new_year} + 1us) == std::nullopt);
    STATIC_REQUIRE(once.next_steady(steady_time{}) == std::nullopt);
}

TEST_CASE("an instant on the steady clock is due once") {
    constexpr auto once = at(steady_time{90s});
    STATIC_REQUIRE(once.steady() == steady_time{90s});
    STATIC_REQUIRE(once.wall() == std::nullopt);
    STATIC_REQUIRE(once.next_steady(steady_time{90s} - 1ns) == steady_time{90s});
    STATIC_REQUIRE(once.next_steady(steady_time{90s}) == std::nullopt);
    STATIC_REQUIRE(once.next(sys_time{}) == std::nullopt);
}

TEST_CASE("what the clocks say, and what is computed from it, can be given as it is") {
    CHECK(at(std::chrono::system_clock::now() + 1h).wall().has_value());
    CHECK(at(std::chrono::system_clock::now() + 1.5s).wall().has_value());
    CHECK(at(std::chrono::steady_clock::now() + 1h).steady().has_value());
    CHECK(at(std::chrono::steady_clock::now() + 1.5s).steady().has_value());
}

TEST_CASE("an instant finer than a microsecond is rounded up, so that it is never early") {
    STATIC_REQUIRE(at(std::chrono::sys_time<std::chrono::nanoseconds>{1001ns}).wall() == sys_time{2us});
    STATIC_REQUIRE(at(std::chrono::sys_time<std::chrono::nanoseconds>{2000ns}).wall() == sys_time{2us});
}

TEST_CASE("an instant beyond the range of the clock becomes the end of it") {
    STATIC_REQUIRE(at(std::chrono::sys_days::max()).wall() == sys_time::max());
    STATIC_REQUIRE(at(std::chrono::sys_days::min()).wall() == sys_time::min());
}
