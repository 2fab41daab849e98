// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/policy/retry.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::exponential_backoff;
using daybook::Failure;
using daybook::fixed_backoff;
using daybook::JobStatus;
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

template <class Thrown>
Failure failure_by(const Thrown& thrown, std::uint32_t attempt_number = 1) {
    return {.exception = std::make_exception_ptr(thrown), .attempt_number = attempt_number};
}

Failure failure_of(std::uint32_t attempt_number) { return {.error = "no", .attempt_number = attempt_number}; }

std::optional<nanoseconds> after_a_second(const Failure& failure) {
    if (failure.attempt_number > 2) { return std::nullopt; }
    return 1s;
}

template <class Callable>
std::string complaint_about_callable(Callable callable) {
    try {
        static_cast<void>(RetryPolicy{std::move(callable)});
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

TEST_CASE("without conditions every failure is followed by what the backoff says") {
    const auto policy = exponential_backoff({.max_attempts = 3, .first_delay = 2s, .jitter = 0.5});
    CHECK_FALSE(policy.asks_program());
    for (const std::uint64_t bits : {std::uint64_t{0}, std::uint64_t{12345} << 40U, all_bits}) {
        for (const std::uint32_t attempt : {1U, 2U, 3U, 4U}) {
            INFO("bits " << bits << ", attempt " << attempt);
            CHECK(policy.delay_after(failure_of(attempt), bits) == policy.delay_before(attempt + 1, bits));
        }
    }
    CHECK(policy.delay_after({.status = JobStatus::timeout}, 0) == 2s);
}

TEST_CASE("a condition decides which failures are retried") {
    const auto policy = fixed_backoff({.max_attempts = 3, .delay = 5s}).only_if([](const Failure& failure) {
        return failure.error == "try again";
    });
    CHECK(policy.asks_program());
    CHECK(policy.max_attempts() == 3);
    CHECK(policy.delay_after({.error = "try again"}, 0) == 5s);
    CHECK(policy.delay_after({.error = "hopeless"}, 0) == std::nullopt);
}

TEST_CASE("a condition leaves the delays as they are") {
    const auto policy = exponential_backoff({.max_attempts = 9, .jitter = 1.0});
    const auto narrower = policy.only_if([](const Failure&) { return true; });
    for (const std::uint32_t attempt : {1U, 2U, 5U, 9U}) {
        CHECK(narrower.delay_after(failure_of(attempt), all_bits / 3) ==
              policy.delay_before(attempt + 1, all_bits / 3));
        CHECK(narrower.delay_before(attempt, 0) == policy.delay_before(attempt, 0));
    }
}

TEST_CASE("a condition is not asked when the attempts are used up") {
    int asked = 0;
    const auto policy = fixed_backoff({.max_attempts = 2}).only_if([&](const Failure&) {
        ++asked;
        return true;
    });
    CHECK(policy.delay_after(failure_of(1), 0) == 1s);
    CHECK(policy.delay_after(failure_of(2), 0) == std::nullopt);
    CHECK(asked == 1);
}

TEST_CASE("a policy of one attempt asks nobody") {
    const auto policy = RetryPolicy{}.only_if([](const Failure&) -> bool { throw std::runtime_error{"asked"}; });
    CHECK_FALSE(policy.asks_program());
    CHECK(policy.delay_after(failure_of(1), 0) == std::nullopt);
}

TEST_CASE("conditions add up, and the last one is asked first") {
    std::string asked;
    const auto first = fixed_backoff().only_if([&](const Failure&) {
        asked += '1';
        return true;
    });
    const auto both = first.only_if([&](const Failure& failure) {
        asked += '2';
        return failure.status == JobStatus::timeout;
    });
    CHECK(both.delay_after({.status = JobStatus::timeout}, 0) == 1s);
    CHECK(asked == "21");
    CHECK(both.delay_after({.status = JobStatus::error}, 0) == std::nullopt);
    CHECK(asked == "212");
    CHECK(first.delay_after({.status = JobStatus::error}, 0) == 1s);
}

TEST_CASE("retries can be kept to exceptions of some types") {
    const std::system_error refused{std::make_error_code(std::errc::connection_refused)};
    const auto policy = fixed_backoff().only_on<std::system_error>();
    CHECK(policy.delay_after(failure_by(refused), 0) == 1s);
    CHECK(policy.delay_after(failure_by(std::runtime_error{"other"}), 0) == std::nullopt);
    CHECK(policy.delay_after(failure_by(42), 0) == std::nullopt);

    const auto either = fixed_backoff().only_on<std::system_error, int>();
    CHECK(either.delay_after(failure_by(refused), 0) == 1s);
    CHECK(either.delay_after(failure_by(42), 0) == 1s);
    CHECK(either.delay_after(failure_by(std::runtime_error{"other"}), 0) == std::nullopt);
}

TEST_CASE("a timeout is no exception of any type, and can be named beside one") {
    const Failure timeout{.status = JobStatus::timeout};
    CHECK(fixed_backoff().only_on<std::exception>().delay_after(timeout, 0) == std::nullopt);
    const auto policy = fixed_backoff().only_if(
        [](const Failure& failure) { return failure.status == JobStatus::timeout || failure.is<std::system_error>(); });
    CHECK(policy.delay_after(timeout, 0) == 1s);
}

TEST_CASE("any callable can decide how often and when") {
    const RetryPolicy policy = [](const Failure& failure) -> std::optional<nanoseconds> {
        if (failure.attempt_number == 4) { return std::nullopt; }
        return failure.attempt_number * 10s;
    };
    CHECK(policy.asks_program());
    CHECK(policy.max_attempts() == 0);
    CHECK(policy.delay_after(failure_of(1), 0) == 10s);
    CHECK(policy.delay_after(failure_of(3), all_bits) == 30s);
    CHECK(policy.delay_after(failure_of(4), 0) == std::nullopt);
    CHECK(policy.delay_before(1, 0) == 0s);
    CHECK(policy.delay_before(2, 0) == std::nullopt);
}

TEST_CASE("a callable may be a function, hold what cannot be copied, and answer in other units") {
    CHECK(RetryPolicy{after_a_second}.delay_after(failure_of(2), 0) == 1s);
    CHECK(RetryPolicy{&after_a_second}.delay_after(failure_of(3), 0) == std::nullopt);
    const RetryPolicy moved = [seconds = std::make_unique<int>(7)](const Failure&) {
        return std::chrono::seconds{*seconds};
    };
    CHECK(moved.delay_after(failure_of(1), 0) == 7s);
    const std::function<std::optional<std::chrono::minutes>(const Failure&)> function = [](const Failure&) {
        return 1min;
    };
    CHECK(RetryPolicy{function}.delay_after(failure_of(1), 0) == 1min);
}

TEST_CASE("a callable's policy can be given where an optional policy is asked for") {
    const std::optional<RetryPolicy> option = [](const Failure&) { return 3s; };
    CHECK(option.value_or(RetryPolicy{}).delay_after(failure_of(1), 0) == 3s);
}

TEST_CASE("a callable's policy takes conditions too") {
    const RetryPolicy policy{after_a_second};
    const auto narrower = policy.only_on<int>();
    CHECK(narrower.max_attempts() == 0);
    CHECK(narrower.delay_after(failure_by(42), 0) == 1s);
    CHECK(narrower.delay_after(failure_by(42, 3), 0) == std::nullopt);
    CHECK(narrower.delay_after(failure_by(4.2), 0) == std::nullopt);
}

TEST_CASE("a callable's negative delay counts as none") {
    const RetryPolicy policy = [](const Failure&) { return -1s; };
    CHECK(policy.delay_after(failure_of(1), 0) == 0s);
}

TEST_CASE("what a callable throws reaches whoever asked") {
    const RetryPolicy policy = [](const Failure&) -> std::optional<nanoseconds> {
        throw std::runtime_error{"no idea"};
    };
    CHECK_THROWS_AS(policy.delay_after(failure_of(1), 0), std::runtime_error);
    const auto narrower = fixed_backoff().only_if([](const Failure&) -> bool { throw 42; });
    CHECK_THROWS_AS(narrower.delay_after(failure_of(1), 0), int);
}

TEST_CASE("the last attempt that can be counted is the last") {
    constexpr auto last = std::numeric_limits<std::uint32_t>::max();
    const RetryPolicy policy = [](const Failure&) { return 1s; };
    CHECK(policy.delay_after(failure_of(last - 1), 0) == 1s);
    CHECK(policy.delay_after(failure_of(last), 0) == std::nullopt);
    CHECK(fixed_backoff({.max_attempts = last}).delay_after(failure_of(last), 0) == std::nullopt);
}

TEST_CASE("something to call that is empty is refused") {
    using Decide = std::function<std::optional<nanoseconds>(const Failure&)>;
    constexpr auto complaint = "RetryPolicy must be given something to call, is empty";
    CHECK(complaint_about_callable(Decide{}) == complaint);
    CHECK(complaint_about_callable(static_cast<std::optional<nanoseconds> (*)(const Failure&)>(nullptr)) == complaint);
    CHECK(complaint_about_callable(Decide{after_a_second}) == "none");
    CHECK_THROWS_AS(fixed_backoff().only_if(std::function<bool(const Failure&)>{}), std::invalid_argument);
}

TEST_CASE("policies are equal when they do the same, and callables are the same one") {
    STATIC_REQUIRE(fixed_backoff() == fixed_backoff());
    STATIC_REQUIRE(fixed_backoff() != fixed_backoff({.delay = 2s}));
    STATIC_REQUIRE(RetryPolicy{} != exponential_backoff());
    const auto yes = [](const Failure&) { return true; };
    const auto policy = fixed_backoff().only_if(yes);
    const auto copy = policy;
    CHECK(copy == policy);
    CHECK(policy != fixed_backoff());
    CHECK(policy != fixed_backoff().only_if(yes));
    const RetryPolicy decided{after_a_second};
    CHECK(RetryPolicy{decided} == decided);
    CHECK(decided != RetryPolicy{after_a_second});
    CHECK(decided != RetryPolicy{});
}

TEST_CASE("the callable of a policy lives as long as the last copy") {
    auto guard = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = guard;
    auto policy =
        std::make_optional(fixed_backoff().only_if([held = std::move(guard)](const Failure&) { return *held == 1; }));
    auto narrower = policy->only_on<int>();
    policy.reset();
    CHECK_FALSE(watched.expired());
    CHECK(narrower.delay_after(failure_by(42), 0) == 1s);
    narrower = fixed_backoff();
    CHECK(watched.expired());
}

TEST_CASE("a policy that was moved from retries nothing") {
    RetryPolicy policy = [](const Failure&) { return 1s; };
    const RetryPolicy taken = std::move(policy);
    CHECK(taken.delay_after(failure_of(1), 0) == 1s);
    CHECK(policy.delay_after(failure_of(1), 0) == std::nullopt); // NOLINT(bugprone-use-after-move): what is asked
}

TEST_CASE("several threads may ask a policy, and its copies, at once") {
    std::atomic<int> asked{0};
    const auto policy = exponential_backoff({.max_attempts = 100}).only_if([&](const Failure& failure) {
        ++asked;
        return failure.is<std::runtime_error>();
    });
    const Failure failure = failure_by(std::runtime_error{"no"});
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int turn = 0; turn < 500; ++turn) {
                const RetryPolicy copy = policy;
                if (copy.delay_after(failure, 0) != nanoseconds{1s}) { ++wrong; }
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(wrong == 0);
    CHECK(asked == 2000);
}
