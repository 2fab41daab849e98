// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

TEST_CASE("hours of the timeline equal a recount of the records by when they completed") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random{seed};
        ManualClock clock;
        JobExecutionLog<> log{LogOptions{.capacity = 5000, .clock = clock}};
        std::vector<Execution> running;
        for (int i = 0; i < 2000; ++i) {
            clock.advance(std::chrono::milliseconds{random() % 120'000});
            if (random() % 2 == 0 || running.empty()) {
                running.push_back(log.record_start("job_" + std::to_string(random() % 5)));
                continue;
            }
            const std::size_t which = random() % running.size();
            if (random() % 3 == 0) {
                log.record_error(running[which], "why");
            } else {
                log.record_success(running[which]);
            }
            running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
        }
        std::map<sys_time, std::uint64_t> hours;
        std::map<std::string, std::uint64_t> handlers;
        for (const auto& record : log.query({.limit = 5000}).records) {
            if (!record.completed_at) { continue; }
            ++hours[std::chrono::floor<std::chrono::hours>(*record.completed_at)];
            ++handlers[record.handler_id];
        }
        const auto buckets = log.stats().timeline.hours;
        REQUIRE(buckets.size() == hours.size());
        std::size_t i = 0;
        for (const auto& [begin, count] : hours) {
            CHECK(buckets[i].begin == begin);
            CHECK(buckets[i].total_executions == count);
            ++i;
        }
        const auto range = log.stats(clock.now() - 7 * 24h, clock.now());
        CHECK(range.by_handler.size() == handlers.size());
        for (const auto& [name, count] : handlers) { CHECK(range.by_handler.at(name).total_executions == count); }
    }
}

TEST_CASE("an execution that never ran is in the bucket of when it ended") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto run = log.record_queued({.job_id = "a"});
    clock.advance(3h);
    log.record_error(run, "refused");
    const auto hours = log.stats().timeline.hours;
    REQUIRE(hours.size() == 1);
    CHECK(hours[0].begin == std::chrono::floor<std::chrono::hours>(clock.now()));
    CHECK(hours[0].duration.count == 0);
}

TEST_CASE("a skip is in the bucket of when it was counted, and has a reason") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    log.record_skip("a", SkipReason::overlap);
    clock.advance(2h);
    log.record_skip("a", SkipReason::overlap, {}, 3); // joins the record, not the bucket
    log.record_skip("a", SkipReason::paused);
    const auto stats = log.stats();
    REQUIRE(stats.timeline.hours.size() == 2);
    CHECK(stats.timeline.hours[0].skipped_count == 1);
    CHECK(stats.timeline.hours[1].skipped_count == 4);
    CHECK(stats.skips_by_reason.at("overlap") == 4);
    CHECK(stats.skips_by_reason.at("paused") == 1);
}

TEST_CASE("a wall clock that is stepped moves the timeline, and neither rates nor durations") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    for (int i = 0; i < 3; ++i) {
        const auto run = log.record_start("a");
        clock.advance(10ms);
        log.record_success(run);
        clock.step(i % 2 == 0 ? -5h : 24h * 400);
    }
    const auto stats = log.stats();
    CHECK(stats.rates.last_minute.executions == 3);
    CHECK(stats.duration.max_ms == 10.0);
    CHECK(stats.total_executions == 3);
}

TEST_CASE("the log says since when it counts, and what it knows of a range") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto start = clock.now();
    CHECK(log.stats().counted_since == start);
    succeed(log, "a");
    clock.advance(90min);
    log.clear();
    CHECK(log.stats().counted_since == clock.now());
    succeed(log, "a");
    const auto range = log.stats(start, clock.now() + 1h);
    CHECK_FALSE(range.is_complete);
    CHECK(range.total_executions == 1);
    CHECK(log.stats().lifetime.total_executions == 2);
}

TEST_CASE("figures that are asked for while others record and clear fit together") {
    JobExecutionLog<> log{LogOptions{.capacity = 100, .max_tracked_handlers = 20, .max_tracked_jobs = 200}};
    std::atomic<bool> is_over = false;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 2; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 4000; ++i) {
                const auto name = std::to_string(thread) + '_' + std::to_string(i % 150);
                const auto run = log.record_start(name, "h" + std::to_string(i % 30));
                i % 5 == 0 ? log.record_error(run, "why") : log.record_success(run);
                if (i % 7 == 0) { log.record_skip(name, SkipReason::overlap); }
                if (i % 1000 == 999) { log.clear(); }
            }
        });
    }
    threads.emplace_back([&] {
        while (!is_over) {
            const auto stats = log.stats();
            std::uint64_t handlers = 0;
            for (const auto& entry : stats.by_handler) { handlers += entry.second.total; }
            std::uint64_t minutes = 0;
            for (const auto& bucket : stats.timeline.minutes) { minutes += bucket.total_executions; }
            if (handlers != stats.total_executions || minutes != stats.total_executions) { ++wrong; }
            if (stats.retained > 100 || stats.lifetime_executions < stats.total_executions) { ++wrong; }
            const auto range = log.stats(sys_time::min(), sys_time::max());
            if (range.total_executions > 8000) { ++wrong; }
        }
    });
    threads[0].join();
    threads[1].join();
    is_over = true;
    threads[2].join();
    CHECK(wrong == 0);
    CHECK(log.stats().lifetime_executions == 8000);
    CHECK(log.stats().lifetime.error_count == 1600);
}
