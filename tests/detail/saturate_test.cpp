// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/saturate.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using daybook::detail::saturating_add;
using daybook::detail::saturating_ceil;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

} // namespace

TEST_CASE("a conversion to coarser units rounds up") {
    STATIC_REQUIRE(saturating_ceil<microseconds>(1001ns) == 2us);
    STATIC_REQUIRE(saturating_ceil<microseconds>(-1001ns) == -1us);
    STATIC_REQUIRE(saturating_ceil<microseconds>(1000ns) == 1us);
}

TEST_CASE("a conversion to finer units is exact") {
    STATIC_REQUIRE(saturating_ceil<nanoseconds>(5min) == 300'000'000'000ns);
    STATIC_REQUIRE(saturating_ceil<microseconds>(microseconds::max()) == microseconds::max());
    STATIC_REQUIRE(saturating_ceil<microseconds>(std::chrono::sys_days{std::chrono::January / 1 / 2124} -
                                                 std::chrono::sys_days{}) == std::chrono::days{56247});
}

TEST_CASE("a conversion of what is out of range stops at the end of the range") {
    STATIC_REQUIRE(saturating_ceil<nanoseconds>(std::chrono::hours::max()) == nanoseconds::max());
    STATIC_REQUIRE(saturating_ceil<nanoseconds>(std::chrono::hours::min()) == nanoseconds::min());
    STATIC_REQUIRE(saturating_ceil<nanoseconds>(std::chrono::duration<double>{1e30}) == nanoseconds::max());
    STATIC_REQUIRE(saturating_ceil<microseconds>(std::chrono::days::max()) == microseconds::max());
}

TEST_CASE("a conversion of what is not a number is refused") {
    const std::chrono::duration<double> nothing{std::numeric_limits<double>::quiet_NaN()};
    CHECK_THROWS_AS(saturating_ceil<nanoseconds>(nothing), std::invalid_argument);
}

TEST_CASE("a sum beyond the last instant is the last instant") {
    using daybook::steady_time;
    STATIC_REQUIRE(saturating_add(steady_time{5s}, nanoseconds{2s}) == steady_time{7s});
    STATIC_REQUIRE(saturating_add(steady_time::max() - 1ns, nanoseconds{1}) == steady_time::max());
    STATIC_REQUIRE(saturating_add(steady_time::max() - 1ns, nanoseconds{2}) == steady_time::max());
    STATIC_REQUIRE(saturating_add(steady_time::min(), nanoseconds::max()) == steady_time{-1ns});
}

TEST_CASE("unsigned counts beyond the range become its end") {
    using Unsigned = std::chrono::duration<std::uint64_t, std::nano>;
    CHECK(daybook::detail::saturating_ceil<std::chrono::nanoseconds>(Unsigned{~std::uint64_t{0}}) ==
          std::chrono::nanoseconds::max());
}

TEST_CASE("distances stop at the ends of their range") {
    using daybook::detail::saturating_difference;
    using Instant = daybook::steady_time;
    CHECK(saturating_difference(Instant::max(), Instant::min()) == std::chrono::nanoseconds::max());
    CHECK(saturating_difference(Instant::min(), Instant::max()) == std::chrono::nanoseconds::min());
    CHECK(saturating_difference(Instant{std::chrono::seconds{3}}, Instant{std::chrono::seconds{5}}) ==
          -std::chrono::seconds{2});
}
