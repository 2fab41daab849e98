// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/policy/retry.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using daybook::exponential_backoff;
using daybook::fixed_backoff;
using daybook::RetryPolicy;
using std::chrono::nanoseconds;

constexpr auto all_bits = std::numeric_limits<std::uint64_t>::max();

template <class Options>
std::string complaint_about(const Options& options) {
    try {
        static_cast<void>(RetryPolicy{options});
    } catch (const std::invalid_argument& error) { return error.what(); }
    return "none";
}

} // namespace

TEST_CASE("the default policy is one attempt") {
    STATIC_REQUIRE(RetryPolicy{}.max_attempts() == 1);
    STATIC_REQUIRE(RetryPolicy{}.delay_before(1, 0) == 0ns);
    STATIC_REQUIRE(RetryPolicy{}.delay_before(2, 0) == std::nullopt);
}

TEST_CASE("attempts after 2, 4 and 8 seconds") {
    constexpr auto policy = exponential_backoff({.max_attempts = 4, .first_delay = 2s});
    STATIC_REQUIRE(policy.max_attempts() == 4);
    STATIC_REQUIRE(policy.delay_before(1, 0) == 0s);
    STATIC_REQUIRE(policy.delay_before(2, 0) == 2s);
    STATIC_REQUIRE(policy.delay_before(3, all_bits) == 4s);
    STATIC_REQUIRE(policy.delay_before(4, 7) == 8s);
    STATIC_REQUIRE(policy.delay_before(5, 0) == std::nullopt);
}

TEST_CASE("exponential delays grow up to the longest one and stay there") {
    constexpr auto policy =
        exponential_backoff({.max_attempts = 100, .first_delay = 1s, .factor = 3.0, .max_delay = 20s});
    STATIC_REQUIRE(policy.delay_before(4, 0) == 9s);
    STATIC_REQUIRE(policy.delay_before(5, 0) == 20s);
    STATIC_REQUIRE(policy.delay_before(100, 0) == 20s);
}

TEST_CASE("delays never overflow, whatever the options") {
    constexpr auto last = std::numeric_limits<std::uint32_t>::max();
    for (const double factor : {1.0, 1.0000001, 2.0, 1e10, 1e308}) {
        for (const nanoseconds first : {0ns, 1ns, nanoseconds{1h}, nanoseconds::max()}) {
            const auto policy = exponential_backoff({.max_attempts = last,
                                                     .first_delay = first,
                                                     .factor = factor,
                                                     .max_delay = nanoseconds::max(),
                                                     .jitter = 1.0});
            INFO("factor " << factor << ", first " << first.count());
            auto before = first;
            for (const std::uint32_t attempt : {2U, 3U, 10U, 64U, 65U, 1000U, last}) {
                const auto delay = policy.delay_before(attempt, 0);
                REQUIRE(delay);
                CHECK(*delay >= before);
                const auto drawn = policy.delay_before(attempt, all_bits);
                REQUIRE(drawn);
                CHECK((*drawn >= 0ns && *drawn <= *delay));
                before = *delay;
            }
        }
    }
    CHECK(exponential_backoff({.max_attempts = last, .max_delay = nanoseconds::max()}).delay_before(last, 0) ==
          nanoseconds::max());
}

TEST_CASE("a fixed delay is the same before each further attempt") {
    constexpr auto policy = fixed_backoff({.max_attempts = 3, .delay = 90s});
    STATIC_REQUIRE(policy.delay_before(1, 0) == 0s);
    STATIC_REQUIRE(policy.delay_before(2, 0) == 90s);
    STATIC_REQUIRE(policy.delay_before(3, 0) == 90s);
    STATIC_REQUIRE(policy.delay_before(4, 0) == std::nullopt);
}

TEST_CASE("jitter takes away at most its share, and the same bits take the same") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    const auto policy = fixed_backoff({.max_attempts = 2, .delay = 10s, .jitter = 0.25});
    auto shortest = nanoseconds::max();
    auto longest = nanoseconds::min();
    nanoseconds sum{0};
    constexpr int draws = 2000;
    for (int i = 0; i < draws; ++i) {
        const auto bits = random();
        const auto delay = policy.delay_before(2, bits);
        REQUIRE(delay == policy.delay_before(2, bits));
        shortest = std::min(shortest, *delay);
        longest = std::max(longest, *delay);
        sum += *delay;
    }
    CHECK(shortest >= 7500ms);
    CHECK(longest <= 10s);
    CHECK((sum / draws > 8600ms && sum / draws < 8900ms)); // 8.75 s, give or take ten standard errors
    CHECK(policy.delay_before(2, 0) == 10s);
}

TEST_CASE("a jitter of 1 may take the whole delay") {
    const auto policy = fixed_backoff({.max_attempts = 2, .delay = 1s, .jitter = 1.0});
    const auto least = policy.delay_before(2, all_bits);
    REQUIRE(least);
    CHECK((*least >= 0ns && *least < 10ns));
}

TEST_CASE("a wrong option is refused with its name and what is allowed") {
    using daybook::ExponentialBackoff;
    using daybook::FixedBackoff;
    CHECK(complaint_about(ExponentialBackoff{.max_attempts = 0}) ==
          "ExponentialBackoff::max_attempts must be at least 1, is 0");
    CHECK(complaint_about(ExponentialBackoff{.first_delay = -1ns}) ==
          "ExponentialBackoff::first_delay must be 0 or longer, is -1 ns");
    CHECK(complaint_about(ExponentialBackoff{.factor = 0.5}) ==
          "ExponentialBackoff::factor must be a finite number of at least 1, is 0.500000");
    CHECK(complaint_about(ExponentialBackoff{.factor = std::numeric_limits<double>::infinity()}) ==
          "ExponentialBackoff::factor must be a finite number of at least 1, is inf");
    CHECK(complaint_about(ExponentialBackoff{.first_delay = 2s, .max_delay = 1s}) ==
          "ExponentialBackoff::max_delay must be at least first_delay (2000000000 ns), is 1000000000 ns");
    CHECK(complaint_about(ExponentialBackoff{.jitter = 1.5}) ==
          "ExponentialBackoff::jitter must be from 0 to 1, is 1.500000");
    CHECK(complaint_about(ExponentialBackoff{.jitter = std::numeric_limits<double>::quiet_NaN()}) != "none");
    CHECK(complaint_about(ExponentialBackoff{.factor = std::numeric_limits<double>::quiet_NaN()}) != "none");
    CHECK(complaint_about(FixedBackoff{.max_attempts = 0}) == "FixedBackoff::max_attempts must be at least 1, is 0");
    CHECK(complaint_about(FixedBackoff{.delay = -1s}) == "FixedBackoff::delay must be 0 or longer, is -1000000000 ns");
    CHECK(complaint_about(FixedBackoff{.jitter = -0.1}) == "FixedBackoff::jitter must be from 0 to 1, is -0.100000");
    CHECK(complaint_about(FixedBackoff{}) == "none");
    CHECK(complaint_about(ExponentialBackoff{}) == "none");
}

TEST_CASE("one attempt is allowed and means no retry") {
    CHECK(fixed_backoff({.max_attempts = 1}).delay_before(2, 0) == std::nullopt);
}
