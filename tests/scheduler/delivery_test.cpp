// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <stdexcept>

using namespace bench;
using daybook::Delivery;
using daybook::JobOptions;

namespace {

/// So many records in flight and the log gives up the oldest one.
constexpr std::size_t flood = 18;

struct Flooded : Bench {
    explicit Flooded(std::size_t workers = 0)
        : Bench{workers, [](auto& options) {
                    options.max_queue = 1;
                    options.log.max_running = flood;
                }} {}

    /// The program's own records take the places of the scheduler's.
    void overflow() {
        while (scheduler.log().stats().abandoned_count == 0) { scheduler.log().record_start("mine"); }
    }

    JobOptions job(Delivery delivery, std::uint32_t attempts = 3) {
        return {.id = "job",
                .retry = daybook::fixed_backoff({.max_attempts = attempts, .delay = 1s}),
                .delivery = delivery};
    }
};

} // namespace

TEST_CASE("deliveries have names") {
    for (const auto choice : {Delivery::at_least_once, Delivery::at_most_once}) {
        CHECK(daybook::parse_delivery(to_string(choice)) == choice);
    }
    CHECK_FALSE(daybook::parse_delivery("At_most_once"));
    CHECK(to_string(Delivery::at_most_once) == "at_most_once");
}

TEST_CASE("a job has the delivery that it names, or the scheduler's") {
    Bench bench{0, [](auto& options) { options.delivery = Delivery::at_most_once; }};
    bench.scheduler.add({.id = "default"}, [] {});
    bench.scheduler.add({.id = "own", .delivery = Delivery::at_least_once}, [] {});
    CHECK(bench.scheduler.job("default")->delivery == Delivery::at_most_once);
    CHECK(bench.scheduler.job("own")->delivery == Delivery::at_least_once);
    CHECK(daybook::SchedulerOptions{}.delivery == Delivery::at_least_once);
}

TEST_CASE("a failure is retried under either delivery") {
    const auto delivery = GENERATE(Delivery::at_least_once, Delivery::at_most_once);
    Flooded bench;
    bench.scheduler.add(bench.job(delivery), [] { throw std::runtime_error{"no"}; });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.pass(10s);
    CHECK(bench.story("job") == "error(retry) error(retry) error");
}

TEST_CASE("an attempt that was abandoned while its body ran has no successor under at_most_once") {
    const auto delivery = GENERATE(Delivery::at_least_once, Delivery::at_most_once);
    Flooded bench;
    int ran = 0;
    bench.scheduler.add(bench.job(delivery), [&] {
        if (++ran == 1) {
            bench.overflow();
            throw std::runtime_error{"no"};
        }
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.scheduler.job("job")->last_status == JobStatus::abandoned);
    bench.pass(10s);
    CHECK(bench.story("job") == (delivery == Delivery::at_most_once ? "abandoned" : "abandoned success"));
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::scheduled);
    CHECK(bench.scheduler.health().queued == 0);
}

TEST_CASE("a timeout of an attempt that was abandoned has no successor under at_most_once") {
    const auto delivery = GENERATE(Delivery::at_least_once, Delivery::at_most_once);
    Flooded bench{1};
    int ran = 0;
    auto options = bench.job(delivery);
    options.timeout = 5s;
    bench.scheduler.add(std::move(options), [&](daybook::JobContext& job) {
        if (++ran != 1) { return; }
        bench.overflow();
        bench.clock.advance(5s);
        wait_for_stop(job);
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    REQUIRE(bench.scheduler.wait_idle(patience));
    bench.clock.advance(1s);
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == (delivery == Delivery::at_most_once ? "abandoned" : "abandoned success"));
}

TEST_CASE("an attempt that was abandoned while it waited does not run, and at_least_once makes another") {
    const auto delivery = GENERATE(Delivery::at_least_once, Delivery::at_most_once);
    Flooded bench;
    int ran = 0;
    bench.scheduler.add(bench.job(delivery, 1), [&] { ++ran; });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.overflow();
    bench.pass(10s);
    CHECK(ran == (delivery == Delivery::at_most_once ? 0 : 1));
    CHECK(bench.story("job") == (delivery == Delivery::at_most_once ? "abandoned" : "abandoned success"));
    CHECK(bench.scheduler.wait_idle(0s));
}

TEST_CASE("three attempts in a row that were abandoned end the occurrence") {
    Flooded bench;
    int ran = 0;
    bench.scheduler.add(bench.job(Delivery::at_least_once, 1), [&] { ++ran; });
    bench.scheduler.add({.id = "flood", .priority = 1}, [&] {
        for (std::size_t i = 0; i < flood; ++i) { bench.scheduler.log().record_start("mine"); }
    });
    bench.scheduler.start();
    bench.scheduler.trigger("flood");
    bench.scheduler.poll();
    bench.scheduler.trigger("job");
    for (std::size_t i = 0; i < flood; ++i) { bench.scheduler.log().record_start("mine"); }
    for (int i = 0; i < 5; ++i) {
        bench.scheduler.poll();
        CHECK(bench.scheduler.trigger("flood"));
    }
    bench.scheduler.poll();
    CHECK(bench.story("job") == "abandoned abandoned abandoned");
    CHECK(ran == 0);
}
