// SPDX-License-Identifier: MIT
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

/// Needles at every hundredth place among others.
JobExecutionLog<> haystack(std::size_t size) {
    JobExecutionLog<> log{LogOptions{.capacity = size}};
    for (std::size_t i = 0; i < size; ++i) {
        log.record_success(log.record_start("job"), i % 100 == 0 ? "a needle" : "hay");
    }
    return log;
}

} // namespace

TEST_CASE("a scan stops where it may not go on, and says so") {
    const auto log = haystack(10'000);
    ExecutionQuery query{.text = "needle", .limit = 50, .max_scanned = 1000};
    const auto page = log.query(query);
    CHECK(page.records.size() == 10);
    CHECK_FALSE(page.complete);
    CHECK(page.has_more);
    CHECK(page.scanned <= 1050);
    CHECK(page.total.count == 10);
    CHECK_FALSE(page.total.is_exact);
    query.cursor = page.next_cursor;
    std::set<ExecutionId> found;
    for (const auto& record : page.records) { found.insert(record.id); }
    for (bool is_last = false; !is_last;) {
        const auto next = log.query(query);
        CHECK(next.scanned <= 1050);
        for (const auto& record : next.records) { CHECK(found.insert(record.id).second); }
        is_last = !next.has_more;
        query.cursor = next.next_cursor;
    }
    CHECK(found.size() == 100);
}

TEST_CASE("a scan that finds the page in time is complete, whatever the counting comes to") {
    const auto log = haystack(10'000);
    const auto page = log.query({.text = "needle", .limit = 5, .max_scanned = 1000});
    CHECK(page.records.size() == 5);
    CHECK(page.complete);
    CHECK(page.has_more);
    CHECK_FALSE(page.total.is_exact);
    CHECK(log.query({.text = "needle", .limit = 5}).total.count == 100);
    CHECK(log.query({.text = "needle", .limit = 5}).total.is_exact);
    const auto uncounted = log.query({.text = "needle", .limit = 5, .totals = Totals::leave_out});
    CHECK(uncounted.scanned < 1100);
    CHECK_FALSE(uncounted.total.is_exact);
    CHECK(log.query({.limit = 5, .totals = Totals::leave_out}).total.count == 10'000);
    CHECK(log.query({.limit = 5, .totals = Totals::leave_out}).total.is_exact);
}

TEST_CASE("an offset into matches that have to be looked for is scanned as well") {
    const auto log = haystack(10'000);
    const auto page = log.query({.text = "hay", .limit = 5, .offset = 4'000'000'000, .max_scanned = 1000});
    CHECK(page.records.empty());
    CHECK(page.scanned == 1000);
    CHECK_FALSE(page.complete);
    CHECK(ids(log.query({.limit = 2, .offset = 9998, .max_scanned = 1})) == Ids{2, 1});
}

TEST_CASE("a list by duration that may not look at everything says so, and looked at the newest") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    Ids newest;
    for (int i = 0; i < 20; ++i) {
        const auto run = log.record_start("a");
        clock.advance(std::chrono::milliseconds{100 - i});
        log.record_success(run);
        newest.insert(newest.begin(), run.id);
    }
    const auto page = log.query({.sort = SortBy::longest, .limit = 3, .max_scanned = 5});
    CHECK(ids(page) == Ids{newest[4], newest[3], newest[2]});
    CHECK_FALSE(page.complete);
    CHECK(page.scanned == 5);
    CHECK(page.has_more);
    CHECK_FALSE(page.total.is_exact);
}

TEST_CASE("what is in flight is found without a walk past the failures that the log protects") {
    JobExecutionLog<> log{LogOptions{.capacity = 2000, .error_capacity = 1500, .max_running = 16}};
    const auto oldest = log.record_start("slow");
    for (int i = 0; i < 1500; ++i) { fail(log, "bad"); }
    const auto waiting = log.record_queued({.job_id = "slow"});
    for (int i = 0; i < 10'000; ++i) { succeed(log, "good"); }
    const auto page = log.query({.status = {JobStatus::running, JobStatus::queued}});
    CHECK(ids(page) == Ids{waiting.id, oldest.id});
    CHECK(page.scanned <= 16);
    CHECK(page.total.count == 2);
    CHECK(ids(log.query({.status = JobStatus::running})) == Ids{oldest.id});
    CHECK(ids(log.query({.status = {JobStatus::running, JobStatus::queued}, .sort = SortBy::oldest, .limit = 1})) ==
          Ids{oldest.id});
    CHECK(log.query({.status = JobStatus::error, .limit = 10}).scanned <= 13);
}

TEST_CASE("a made-up cursor does not make the log walk for long, and a list goes on from it all the same") {
    JobExecutionLog<> log{LogOptions{.capacity = 60'000}};
    for (int i = 0; i < 30'000; ++i) {
        succeed(log, "a");
        succeed(log, "b");
    }
    // Orders are even for executions; no record has this id.
    for (const char* job : {"", "a", "b"}) {
        const auto page = log.query({.job_id = job, .limit = 10, .cursor = "60001.99999999"});
        CHECK(page.records.size() == 10);
        CHECK(page.complete);
        CHECK(page.scanned <= 40);
        CHECK(page.records.front().id <= 30'001);
        CHECK(page.records.front().id >= 29'990);
    }
}

TEST_CASE("a reader that scans while two threads record sees everything that was there, once") {
    JobExecutionLog<> log{LogOptions{.capacity = 50'000, .max_running = 64}};
    std::set<ExecutionId> there;
    for (int i = 0; i < 1500; ++i) {
        const auto run = log.record_start(i % 2 == 0 ? "old" : "even older");
        log.record_success(run, "a needle");
        there.insert(run.id);
    }
    std::atomic<bool> is_over{false};
    std::vector<std::jthread> threads;
    for (int number = 0; number < 2; ++number) {
        threads.emplace_back([handle = log, &is_over, job = "new " + std::to_string(number)]() mutable {
            for (int i = 0; i < 4000 && !is_over; ++i) {
                const auto run = i % 3 == 0 ? handle.record_queued({.job_id = job}) : handle.record_start(job);
                if (i % 3 == 0) { handle.record_running(run); }
                handle.record_success(run, i % 2 == 0 ? "a needle" : "hay");
            }
        });
    }
    const ExecutionQuery queries[] = {{.text = "needle"},
                                      {.status = {JobStatus::success, JobStatus::error}, .max_duration = 1h},
                                      {.text = "needle", .sort = SortBy::oldest},
                                      {.text = "needle", .sort = SortBy::longest},
                                      {.skips = Skips::include, .max_scanned = 100}};
    for (const auto& query : queries) {
        std::set<ExecutionId> seen;
        std::size_t twice = 0;
        for (const auto& record : by_cursor(log, query, 600)) { twice += seen.insert(record.id).second ? 0U : 1U; }
        CHECK(twice == 0);
        CHECK(std::includes(seen.begin(), seen.end(), there.begin(), there.end()));
    }
    is_over = true;
}
