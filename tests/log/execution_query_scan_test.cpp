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
#include <limits>
#include <set>
#include <stdexcept>
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

TEST_CASE("a list by duration may ask for everything there is") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 10; ++i) { succeed(log, "job"); }
    const auto most = std::numeric_limits<std::size_t>::max();
    CHECK(log.query({.sort = SortBy::longest, .limit = most}).records.size() == 10);
    CHECK(log.query({.sort = SortBy::longest, .limit = most, .offset = 3}).records.size() == 7);
    CHECK(log.query({.sort = SortBy::longest, .limit = 3, .offset = most}).records.empty());
}

TEST_CASE("a page says how much of the offset it has passed over") {
    const auto log = haystack(10'000);
    const ExecutionQuery query{.attempt_number = 1, .limit = 10, .offset = 7000, .max_scanned = 5000};
    const auto first = log.query(query);
    CHECK(first.records.empty());
    CHECK(first.passed == 5000);
    auto rest = query;
    rest.cursor = first.next_cursor;
    rest.offset -= first.passed;
    const auto second = log.query(rest);
    CHECK(second.passed == 2000);
    CHECK(ids(second).front() == 3000);
    CHECK(log.query({.sort = SortBy::longest, .limit = 1, .offset = 5}).passed == 5);
}

TEST_CASE("an offset beyond all matches that the log can count costs nothing") {
    const auto log = haystack(10'000);
    const auto page = log.query({.offset = std::numeric_limits<std::size_t>::max()});
    CHECK(page.records.empty());
    CHECK(page.scanned == 0);
    CHECK(page.complete);
    CHECK_FALSE(page.has_more);
    CHECK(page.total.count == 10'000);
    CHECK(page.passed == 10'000);
}

TEST_CASE("a status that no execution of long ago has is found without a walk past those of long ago") {
    JobExecutionLog<> log{LogOptions{.capacity = 4000, .error_capacity = 3000}};
    for (int i = 0; i < 3000; ++i) { fail(log, "bad"); }
    for (int i = 0; i < 20'000; ++i) { succeed(log, "good"); }
    for (int i = 0; i < 3; ++i) { log.record_cancelled(log.record_start("good")); }
    const auto page = log.query({.status = JobStatus::cancelled});
    CHECK(page.records.size() == 3);
    CHECK(page.scanned == 3);
    CHECK(page.complete);
    CHECK_FALSE(page.has_more);
    CHECK(log.query({.status = {JobStatus::cancelled, JobStatus::timeout}, .sort = SortBy::oldest}).scanned == 3);
}

TEST_CASE("a walk ends with the last match that the log has counted") {
    JobExecutionLog<> log{LogOptions{.capacity = 4000, .error_capacity = 3000}};
    for (int i = 0; i < 2000; ++i) { fail(log, "bad"); }
    const auto old = log.record_start("good");
    for (int i = 0; i < 20'000; ++i) { succeed(log, "good"); }
    for (int i = 0; i < 1000; ++i) { fail(log, "bad"); }
    log.record_timeout(old, Finality::retry_follows);
    log.record_timeout(log.record_start("good"));
    const auto page = log.query({.status = JobStatus::timeout});
    CHECK(page.records.size() == 2);
    CHECK(page.scanned == 2);
    CHECK(page.complete);
    CHECK_FALSE(page.has_more);
    CHECK(page.next_cursor.empty());
}

TEST_CASE("a cursor stays right when its record ends far from both ends of what the ring has overtaken") {
    JobExecutionLog<> log{LogOptions{.capacity = 1000, .max_running = 10'000}};
    std::vector<Execution> running;
    for (int i = 0; i < 6000; ++i) { running.push_back(log.record_start("long")); }
    for (int i = 0; i < 40'000; ++i) { succeed(log, "short"); }
    ExecutionQuery query{.status = JobStatus::running, .limit = 3000};
    for (const SortBy sort : {SortBy::newest, SortBy::oldest}) {
        query.sort = sort;
        query.cursor = {};
        const auto first = log.query(query);
        const auto last = first.records.back().id;
        log.record_success(running[last - 1]);
        for (int i = 0; i < 2000; ++i) { succeed(log, "short"); }
        query.cursor = first.next_cursor;
        const auto second = log.query(query);
        CHECK(second.records.front().id == (sort == SortBy::newest ? 3000 : 3002)); // 3001 was the last one before
        CHECK(second.records.size() >= 2999);
        CHECK(second.complete);
    }
}

TEST_CASE("a cursor stays right when what stood behind it in the list has neighbours that came there later") {
    JobExecutionLog<> log{LogOptions{.capacity = 1000, .max_running = 10'000}};
    std::vector<Execution> running;
    const auto start = [&](int count) {
        for (int i = 0; i < count; ++i) { running.push_back(log.record_start("long")); }
    };
    const auto pass_time = [&](int count) {
        for (int i = 0; i < count; ++i) { succeed(log, "short"); }
    };
    start(2000);
    pass_time(40'000);
    start(3000);
    ExecutionQuery query{.status = JobStatus::running, .limit = 2500};
    const auto first = log.query(query);
    const auto last = first.records.back().id;
    REQUIRE(last == running[2500].id);
    pass_time(40'000);
    start(3000);
    pass_time(40'000);
    log.record_success(running[2500]);
    pass_time(2000);
    query.cursor = first.next_cursor;
    const auto second = log.query(query);
    CHECK(second.records.size() == 2500);
    CHECK(second.records.front().id == running[2499].id);
}

TEST_CASE("a cursor may have one hint or two, and no more") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 5; ++i) { succeed(log, "job"); }
    const auto cursor = log.query({.limit = 2}).next_cursor;
    CHECK(ids(log.query({.cursor = cursor.substr(0, cursor.find('-')) + "-3"})) == Ids{3, 2, 1});
    CHECK(ids(log.query({.cursor = cursor.substr(0, cursor.find('-')) + "-3-1"})) == Ids{3, 2, 1});
    CHECK_THROWS_AS(log.query({.cursor = cursor.substr(0, cursor.find('-')) + "-3-1-2"}), std::invalid_argument);
}
