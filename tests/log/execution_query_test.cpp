// SPDX-License-Identifier: MIT
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

TEST_CASE("a list is newest first by start") {
    JobExecutionLog<> log{10};
    const auto first = log.record_start("a");
    const auto second = log.record_start("b");
    log.record_success(second);
    log.record_success(first);
    CHECK(ids(log.query()) == Ids{second.id, first.id});
}

TEST_CASE("a queued execution stands by its hand-over, and moves to the front when it starts") {
    JobExecutionLog<> log{10};
    const auto waiting = log.record_queued({.job_id = "a"});
    const auto other = succeed(log, "a");
    CHECK(ids(log.query()) == Ids{other.id, waiting.id});
    log.record_running(waiting);
    CHECK(ids(log.query()) == Ids{waiting.id, other.id});
    CHECK(ids(log.query({.job_id = "a"})) == Ids{waiting.id, other.id});
    log.record_success(waiting);
    CHECK(ids(log.query({.status = JobStatus::success})) == Ids{waiting.id, other.id});
}

TEST_CASE("a wall clock that is set back does not change the order") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto first = succeed(log, "a");
    clock.step(-1h);
    const auto second = log.record_start("a");
    clock.step(-1h);
    clock.advance(5s);
    log.record_success(second);
    CHECK(ids(log.query()) == Ids{second.id, first.id});
    CHECK(log.find(second.id)->started_at < log.find(first.id)->started_at);
    CHECK(log.find(second.id)->duration == 5s);
    CHECK(log.find(second.id)->completed_at == log.find(second.id)->started_at.value() + 5s);
}

TEST_CASE("filters come before limits") {
    JobExecutionLog<> log{1000};
    const auto wanted = fail(log, "rare");
    for (int i = 0; i < 500; ++i) { succeed(log, "often"); }
    CHECK(ids(log.query({.job_id = "rare", .limit = 1})) == Ids{wanted.id});
    CHECK(ids(log.query({.status = JobStatus::error, .limit = 1})) == Ids{wanted.id});
    CHECK(ids(log.query({.job_id = "rare", .status = JobStatus::error, .limit = 1})) == Ids{wanted.id});
}

TEST_CASE("all filters that are given must match") {
    JobExecutionLog<> log{10};
    const auto start = [&](const char* job, const char* handler) {
        const auto run = log.record_start(job, handler);
        log.record_success(run);
        return run.id;
    };
    const auto one = start("a", "x");
    const auto two = start("a", "y");
    const auto three = start("b", "x");
    CHECK(ids(log.query({.job_id = "a"})) == Ids{two, one});
    CHECK(ids(log.query({.handler_id = "x"})) == Ids{three, one});
    CHECK(ids(log.query({.job_id = "a", .handler_id = "x"})) == Ids{one});
    CHECK(log.query({.job_id = "b", .handler_id = "y"}).records.empty());
    CHECK(log.query({.job_id = "a", .handler_id = "x", .status = JobStatus::error}).records.empty());
}

TEST_CASE("a name that the log does not hold matches nothing") {
    JobExecutionLog<> log{10};
    succeed(log, "a");
    const auto page = log.query({.job_id = "b"});
    CHECK(page.records.empty());
    CHECK(page.total.count == 0);
    CHECK(page.total.is_exact);
    CHECK_FALSE(page.has_more);
    CHECK(log.query({.handler_id = "b"}).records.empty());
}

TEST_CASE("a page says whether there is more, and where it goes on") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 5; ++i) { succeed(log, "a"); }
    const auto page = log.query({.limit = 3});
    CHECK(page.records.size() == 3);
    CHECK(page.total.count == 5);
    CHECK(page.has_more);
    const auto rest = log.query({.limit = 3, .cursor = page.next_cursor});
    CHECK(rest.records.size() == 2);
    CHECK(rest.total.count == 5);
    CHECK_FALSE(rest.has_more);
    CHECK(rest.next_cursor.empty());
}

TEST_CASE("a page that ends with the last match has no more") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 4; ++i) { succeed(log, "a"); }
    CHECK_FALSE(log.query({.limit = 4}).has_more);
    CHECK_FALSE(log.query({.job_id = "a", .status = JobStatus::success, .limit = 4}).has_more);
}

TEST_CASE("a limit of zero asks for the total alone") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 4; ++i) { succeed(log, "a"); }
    CHECK(log.query({.limit = 0}).records.empty());
    CHECK(log.query({.limit = 0}).total.count == 4);
    CHECK(log.query({.job_id = "a", .status = JobStatus::success, .limit = 0}).total.count == 4);
}

TEST_CASE("an offset passes over the newest matches") {
    JobExecutionLog<> log{10};
    Ids all;
    for (int i = 0; i < 6; ++i) { all.insert(all.begin(), succeed(log, "a").id); }
    CHECK(ids(log.query({.limit = 2, .offset = 3})) == Ids{all[3], all[4]});
    CHECK(log.query({.limit = 2, .offset = 3}).offset == 3);
    CHECK(log.query({.offset = 6}).records.empty());
    CHECK(log.query({.offset = 600}).total.count == 6);
    CHECK(ids(log.query({.job_id = "a", .status = JobStatus::success, .limit = 9, .offset = 5})) == Ids{all[5]});
}

TEST_CASE("a cursor stays right while records arrive") {
    JobExecutionLog<> log{100};
    Ids all;
    for (int i = 0; i < 6; ++i) { all.insert(all.begin(), succeed(log, "a").id); }
    const auto page = log.query({.job_id = "a", .limit = 2});
    for (int i = 0; i < 10; ++i) { succeed(log, "a"); }
    CHECK(ids(log.query({.job_id = "a", .limit = 9, .cursor = page.next_cursor})) == Ids(all.begin() + 2, all.end()));
}

TEST_CASE("a cursor stays right when its record is evicted") {
    for (const char* job : {"", "a"}) {
        JobExecutionLog<> log{LogOptions{.capacity = 4, .error_capacity = 2}};
        const auto kept = fail(log, "a");
        for (int i = 0; i < 3; ++i) { succeed(log, "a"); }
        const auto page = log.query({.job_id = job, .limit = 2}); // its cursor is at a success in the middle
        for (int i = 0; i < 20; ++i) { succeed(log, "a"); }
        const auto rest = log.query({.job_id = job, .limit = 9, .cursor = page.next_cursor});
        CHECK(ids(rest) == Ids{kept.id});
    }
}

TEST_CASE("a cursor stays right when its record moves to the front") {
    JobExecutionLog<> log{10};
    const auto oldest = succeed(log, "a");
    const auto waiting = log.record_queued({.job_id = "a"});
    succeed(log, "a");
    for (const char* job : {"", "a"}) {
        const auto page = log.query({.job_id = job, .limit = 2});
        CHECK(page.records.back().id == waiting.id);
    }
    const auto all_at = log.query({.limit = 2}).next_cursor;
    const auto job_at = log.query({.job_id = "a", .limit = 2}).next_cursor;
    log.record_running(waiting);
    CHECK(ids(log.query({.cursor = all_at})) == Ids{oldest.id});
    CHECK(ids(log.query({.job_id = "a", .cursor = job_at})) == Ids{oldest.id});
}

TEST_CASE("a cursor that came from no page is refused") {
    JobExecutionLog<> log{10};
    succeed(log, "a");
    for (const char* cursor : {"x", "1", "1.", ".1", "1.2.3", "-1.2", "1.2 ", " 1.2", "99999999999999999999.1"}) {
        INFO(cursor);
        CHECK_THROWS_AS(log.query({.cursor = cursor}), std::invalid_argument);
    }
    CHECK_THROWS_AS(log.query({.job_id = "nobody", .cursor = "x"}), std::invalid_argument);
}

TEST_CASE("a made-up cursor of the right form begins somewhere in the list") {
    JobExecutionLog<> log{10};
    const auto run = succeed(log, "a");
    log.record_skip("a", SkipReason::misfire);
    for (const char* job : {"", "a"}) {
        CHECK(ids(log.query({.job_id = job, .cursor = "18446744073709551615.18446744073709551615"})) == Ids{run.id});
        CHECK(log.query({.job_id = job, .cursor = "0.0"}).records.empty());
    }
}

TEST_CASE("a total that has to be counted is exact up to 10,000 matches and says so beyond") {
    JobExecutionLog<> log{12'000};
    for (int i = 0; i < 10'000; ++i) { succeed(log, "a"); }
    const ExecutionQuery two_filters{.job_id = "a", .status = JobStatus::success, .limit = 5};
    CHECK(log.query(two_filters).total.count == 10'000);
    CHECK(log.query(two_filters).total.is_exact);
    succeed(log, "a");
    CHECK(log.query(two_filters).total.count == 10'000);
    CHECK_FALSE(log.query(two_filters).total.is_exact);
    CHECK(log.query(two_filters).has_more);
    // With one filter the log knows.
    CHECK(log.query({.job_id = "a", .limit = 5}).total.count == 10'001);
    CHECK(log.query({.job_id = "a", .limit = 5}).total.is_exact);
    CHECK(log.query({.status = JobStatus::success, .limit = 5}).total.count == 10'001);
}

TEST_CASE("pages gathered by cursor are the whole list, with one filter or two") {
    JobExecutionLog<> log{20'000};
    for (int i = 0; i < 15'000; ++i) { i % 3 == 0 ? fail(log, "a") : succeed(log, i % 2 == 0 ? "a" : "b"); }
    const ExecutionQuery one{.job_id = "a"};
    const ExecutionQuery two{.job_id = "a", .status = JobStatus::success};
    CHECK(by_cursor(log, one, 997).size() == 10'000);
    CHECK(by_cursor(log, two, 997).size() == 5'000);
    CHECK(log.query({.job_id = "a", .status = JobStatus::success, .limit = 10, .offset = 4995}).records.size() == 5);
}

TEST_CASE("errors are all failures, retried ones and timeouts included, and nothing else") {
    JobExecutionLog<> log{LogOptions{.capacity = 20, .max_running = 1}};
    const auto end = [&](auto record) {
        const auto run = log.record_start("job");
        record(run);
        return run.id;
    };
    const auto error = end([&](auto run) { log.record_error(run, "why"); });
    end([&](auto run) { log.record_success(run); });
    const auto retried = end([&](auto run) { log.record_error(run, "why", Finality::retry_follows); });
    end([&](auto run) { log.record_cancelled(run); });
    const auto timeout = end([&](auto run) { log.record_timeout(run); });
    log.record_skip("job", SkipReason::overlap);
    const auto abandoned = log.record_start("job").id;
    log.record_start("job");
    CHECK(ids(log.errors()) == Ids{abandoned, timeout, retried, error});
    CHECK(log.errors().total.count == 4);
    CHECK(ids(log.errors(2)) == Ids{abandoned, timeout});
    CHECK(log.errors(2).has_more);
    CHECK(log.errors(0).total.count == 4);
}

TEST_CASE("errors can be paged through by cursor, and filtered") {
    JobExecutionLog<> log{20};
    Ids failed;
    for (int i = 0; i < 3; ++i) {
        failed.insert(failed.begin(), fail(log, "a").id);
        succeed(log, "a");
        failed.insert(failed.begin(), fail(log, "b").id);
    }
    ExecutionQuery query{.limit = 4};
    const auto first = log.errors(query);
    CHECK(ids(first) == Ids(failed.begin(), failed.begin() + 4));
    fail(log, "a");
    query.cursor = first.next_cursor;
    const auto second = log.errors(query);
    CHECK(ids(second) == Ids(failed.begin() + 4, failed.end()));
    CHECK_FALSE(second.has_more);
    CHECK(log.errors({.job_id = "b", .status = JobStatus::success}).records.size() == 3);
    CHECK_THROWS_AS(log.errors({.cursor = "x"}), std::invalid_argument);
}
