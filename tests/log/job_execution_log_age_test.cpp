// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include "log_test_support.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

struct Aging {
    ManualClock clock;
    JobExecutionLog<> log;

    explicit Aging(LogOptions options = {.capacity = 100, .max_age = 1h}) : log{with_clock(clock, options)} {}
};

} // namespace

TEST_CASE("what finished longer ago than the largest age is not shown") {
    Aging aging;
    auto& log = aging.log;
    const auto old = succeed(log, "old");
    aging.clock.advance(30min);
    succeed(log, "young");
    aging.clock.advance(30min);
    CHECK(jobs(log.query()) == Names{"young", "old"});
    aging.clock.advance(1s);
    CHECK(jobs(log.query()) == Names{"young"});
    CHECK_FALSE(log.find(old.id));
    CHECK(log.size() == 1);
    CHECK(log.stats().retained == 1);
}

TEST_CASE("every way to ask leaves out what is too old by itself") {
    Aging aging;
    auto& log = aging.log;
    const auto run = fail(log, "old");
    aging.clock.advance(1h + 1s);
    SECTION("a query") { CHECK(log.query().total.count == 0); }
    SECTION("errors") { CHECK(log.errors().records.empty()); }
    SECTION("an id") { CHECK_FALSE(log.find(run.id)); }
    SECTION("the size") { CHECK(log.size() == 0); }
    SECTION("statistics") { CHECK(log.stats().retained == 0); }
    SECTION("a clear has nothing to remove") { CHECK(log.clear() == 0); }
}

TEST_CASE("age counts from the end of an execution, and what runs has none") {
    Aging aging;
    auto& log = aging.log;
    const auto run = log.record_start("slow");
    aging.clock.advance(5h);
    CHECK(log.query().records.size() == 1);
    log.record_success(run);
    aging.clock.advance(1h);
    CHECK(log.query().records.size() == 1);
    aging.clock.advance(1s);
    CHECK(log.query().records.empty());
}

TEST_CASE("failures grow old like everything else, protected or not") {
    Aging aging{{.capacity = 10, .error_capacity = 5, .max_age = 1h}};
    auto& log = aging.log;
    fail(log, "failed");
    aging.clock.advance(2h);
    CHECK(log.errors().records.empty());
}

TEST_CASE("a run of skips is shown for as long as it goes on") {
    Aging aging;
    auto& log = aging.log;
    succeed(log, "other");
    for (int i = 0; i < 5; ++i) {
        log.record_skip("job", SkipReason::paused);
        aging.clock.advance(50min);
    }
    const auto page = log.query({.skips = Skips::include});
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].skip_count == 5);
    aging.clock.advance(11min);
    CHECK(log.query({.skips = Skips::include}).records.empty());
    log.record_skip("job", SkipReason::paused);
    CHECK(log.query({.skips = Skips::include}).records.at(0).skip_count == 1);
}

TEST_CASE("setting the wall clock makes nothing older or younger") {
    Aging aging;
    auto& log = aging.log;
    succeed(log, "first");
    aging.clock.step(-48h);
    succeed(log, "second");
    aging.clock.advance(1h);
    CHECK(log.size() == 2);
    aging.clock.step(24h * 3650);
    CHECK(log.size() == 2);
    aging.clock.advance(1s);
    CHECK(log.size() == 0);
}

TEST_CASE("what is too old goes as others finish, without anybody asking") {
    Aging aging;
    auto& log = aging.log;
    const std::string text(4000, 'x');
    for (int i = 0; i < 50; ++i) { log.record_success(log.record_start("old"), text); }
    const std::size_t full = log.memory_bytes();
    aging.clock.advance(2h);
    for (int i = 0; i < 50; ++i) { log.record_success(log.record_start("new")); }
    CHECK(log.memory_bytes() + 45 * text.size() < full);
    CHECK(jobs(log.query({.limit = 1000})) == Names(50, "new"));
}

TEST_CASE("age and capacity hold at once") {
    Aging aging{{.capacity = 3, .max_age = 1h}};
    auto& log = aging.log;
    for (const auto* job : {"a", "b", "c", "d"}) {
        succeed(log, job);
        aging.clock.advance(20min);
    }
    CHECK(jobs(log.query()) == Names{"d", "c", "b"});
    aging.clock.advance(1s);
    CHECK(jobs(log.query()) == Names{"d", "c"});
}

TEST_CASE("counts and lifetime go on counting what has grown too old") {
    Aging aging;
    auto& log = aging.log;
    succeed(log, "a");
    aging.clock.advance(2h);
    CHECK(log.stats().total_executions == 1);
    CHECK(log.stats().lifetime_executions == 1);
}

TEST_CASE("without a largest age nothing grows old") {
    Aging aging{{.capacity = 100}};
    succeed(aging.log, "a");
    aging.clock.advance(24h * 3650);
    CHECK(aging.log.size() == 1);
}

TEST_CASE("a negative age is refused") {
    try {
        JobExecutionLog<> log{LogOptions{.max_age = -1s}};
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string{error.what()} == "LogOptions: max_age must not be negative; 0 is none");
    }
}

TEST_CASE("records grow old while threads record and read") {
    Aging aging{{.capacity = 200, .max_age = 1s}};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([log = aging.log]() mutable {
            for (int run = 0; run < 3000; ++run) { succeed(log, "job"); }
        });
    }
    threads.emplace_back([log = aging.log] {
        for (int round = 0; round < 300; ++round) {
            (void)log.query({.limit = 10});
            (void)log.size();
        }
    });
    for (int second = 0; second < 1000; ++second) { aging.clock.advance(10ms); }
    threads.clear();
    aging.clock.advance(3s);
    CHECK(aging.log.size() == 0);
    CHECK(aging.log.stats().total_executions == 9000);
}
