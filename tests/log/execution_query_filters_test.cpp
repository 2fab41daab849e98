// SPDX-License-Identifier: MIT
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

/// A result with a codec that says when it is used.
struct Verdict {
    std::string title;
};

/// A result that the log can keep without a codec, and not search.
struct Reading {
    int value = 0;
};

/// A log that its codec asks something of: it would wait for itself, if it were called under the lock.
JobExecutionLog<Verdict>* asked_by_codec = nullptr;

} // namespace

template <>
struct daybook::ResultCodec<Verdict> {
    static void write_json(JsonWriter& writer, const Verdict& report) {
        if (asked_by_codec != nullptr) { static_cast<void>(asked_by_codec->size()); }
        writer.begin_object();
        writer.member("title", report.title);
        writer.end_object();
    }
    static Verdict limited(Verdict report, std::size_t) { return report; }
};

namespace {

/// A log on a clock, with executions that take as long as is said.
struct Timed {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};

    ExecutionId run(std::string_view job, std::chrono::nanoseconds duration) {
        const auto execution = log.record_start(job);
        clock.advance(duration);
        log.record_success(execution);
        return execution.id;
    }
    /// Due so long ago.
    ExecutionId late(std::chrono::microseconds drift) {
        const auto execution = log.record_start({.job_id = "late", .scheduled_at = clock.now() - drift});
        log.record_success(execution);
        return execution.id;
    }
};

} // namespace

TEST_CASE("a set of statuses holds what was put in") {
    constexpr StatusSet none;
    static_assert(none.empty());
    constexpr StatusSet some{JobStatus::error, JobStatus::timeout};
    static_assert(some.contains(JobStatus::error) && some.contains(JobStatus::timeout));
    static_assert(!some.contains(JobStatus::success) && !some.empty());
    StatusSet grown = JobStatus::error;
    grown.insert(JobStatus::timeout);
    CHECK(grown == some);
    grown.insert(JobStatus::abandoned);
    CHECK(grown == StatusSet::failures());
}

TEST_CASE("several statuses are one list") {
    JobExecutionLog<> log{20};
    const auto failed = fail(log, "a");
    succeed(log, "a");
    const auto running = log.record_start("a");
    const auto timed_out = log.record_start("b");
    log.record_timeout(timed_out);
    const auto skipped = log.record_skip("a", SkipReason::paused);
    CHECK(ids(log.query({.status = {JobStatus::error, JobStatus::timeout}})) == Ids{timed_out.id, failed.id});
    CHECK(ids(log.query({.job_id = "a", .status = {JobStatus::error, JobStatus::running}})) ==
          Ids{running.id, failed.id});
    CHECK(ids(log.query({.status = {JobStatus::skipped, JobStatus::error}})) == Ids{skipped, failed.id});
    CHECK(log.query({.status = {JobStatus::error, JobStatus::timeout}}).total.count == 2);
    CHECK(log.query({.status = {JobStatus::error, JobStatus::timeout}}).total.is_exact);
}

TEST_CASE("a method is found by its name") {
    JobExecutionLog<> log{20};
    const auto one = log.record_start("a", "h", "open");
    log.record_start("a", "h", "close");
    CHECK(ids(log.query({.method_name = "open"})) == Ids{one.id});
    CHECK(ids(log.query({.job_id = "a", .method_name = "open"})) == Ids{one.id});
    CHECK(log.query({.method_name = "nobody"}).records.empty());
}

TEST_CASE("a range of time has its first instant and not its last") {
    Timed timed;
    const auto begin = timed.clock.now();
    Ids all;
    for (int i = 0; i < 10; ++i) { all.insert(all.begin(), timed.run("a", 1s)); }
    const auto query = [&](auto from, auto to) {
        return ids(timed.log.query({.started_from = begin + from, .started_to = begin + to}));
    };
    CHECK(query(2s, 4s) == Ids{all[6], all[7]});
    CHECK(query(2s + 1us, 4s + 1us) == Ids{all[5], all[6]});
    CHECK(query(4s, 4s).empty());
    CHECK(query(5s, 4s).empty());
    CHECK(query(-5s, 0s).empty());
    CHECK(query(-5s, 100s) == all);
    CHECK(ids(timed.log.query({.started_from = begin + 8s})) == Ids{all[0], all[1]});
    CHECK(ids(timed.log.query({.started_to = begin + 2s})) == Ids{all[8], all[9]});
    CHECK(timed.log.query({.started_from = begin + 2s, .started_to = begin + 4s, .limit = 1}).total.count == 2);
}

TEST_CASE("a range of time finds what the wall clock showed twice") {
    Timed timed;
    const auto begin = timed.clock.now();
    Ids first;
    for (int i = 0; i < 500; ++i) { first.insert(first.begin(), timed.run("a", 1s)); }
    timed.clock.step(-500s);
    Ids both;
    for (int i = 0; i < 500; ++i) { both.insert(both.begin(), timed.run("b", 1s)); }
    both.insert(both.end(), first.begin(), first.end());
    CHECK(ids(timed.log.query({.started_from = begin + 100s, .started_to = begin + 102s})) ==
          Ids{both[398], both[399], both[898], both[899]});
    CHECK(ids(timed.log.query(
              {.job_id = "a", .started_from = begin + 100s, .started_to = begin + 102s, .sort = SortBy::oldest})) ==
          Ids{both[899], both[898]});
}

TEST_CASE("a range of time counts a queued execution by its hand-over and a skip by when it was last counted") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto begin = clock.now();
    const auto waiting = log.record_queued({.job_id = "a"});
    const auto skip = log.record_skip("b", SkipReason::paused);
    clock.advance(10s);
    CHECK(ids(log.query({.started_to = begin + 1s, .skips = Skips::include})) == Ids{skip, waiting.id});
    log.record_running(waiting);
    CHECK(log.record_skip("b", SkipReason::paused) == skip);
    CHECK(log.query({.started_to = begin + 1s, .skips = Skips::include}).records.empty());
    CHECK(log.query({.started_from = begin + 10s, .skips = Skips::include}).records.size() == 2);
}

TEST_CASE("a range of time in a large log looks at few records") {
    Timed timed;
    timed.log = JobExecutionLog<>{with_clock(timed.clock, {.capacity = 50'000})};
    const auto begin = timed.clock.now();
    for (int i = 0; i < 60'000; ++i) { timed.run(i % 2 == 0 ? "a" : "b", 1s); }
    const ExecutionQuery query{.started_from = begin + 30'000s, .started_to = begin + 30'100s};
    CHECK(timed.log.query(query).records.size() == 100);
    CHECK(timed.log.query(query).scanned < 300);
    auto of_job = query;
    of_job.job_id = "b";
    CHECK(timed.log.query(of_job).records.size() == 50);
    CHECK(timed.log.query(of_job).scanned < 300);
    // What lies inside is counted by the block.
    const auto some = timed.log.query({.started_from = begin + 30'000s, .started_to = begin + 35'000s});
    CHECK(some.total.count == 5000);
    CHECK(some.total.is_exact);
    CHECK(some.scanned < 400);
    const auto many = timed.log.query({.status = JobStatus::success, .started_from = begin + 30'000s, .limit = 5});
    CHECK(many.total.count == 10'000);
    CHECK_FALSE(many.total.is_exact);
    CHECK(many.scanned < 300);
    auto oldest = query;
    oldest.sort = SortBy::oldest;
    oldest.limit = 10;
    CHECK(timed.log.query(oldest).scanned < 300);
    CHECK(timed.log.query(oldest).records.front().started_at == begin + 30'000s);
}

TEST_CASE("a text is found in errors and in results, in either case of its ASCII letters") {
    JobExecutionLog<> log{20};
    const auto failed = log.record_start("a");
    log.record_error(failed, "Connection REFUSED by the peer");
    const auto done = log.record_start("a");
    log.record_success(done, "no connection was refused");
    const auto other = log.record_start("a");
    log.record_success(other, "Größe");
    log.record_start("connection refused");
    CHECK(ids(log.query({.text = "refused"})) == Ids{done.id, failed.id});
    CHECK(ids(log.query({.text = "Connection refused"})) == Ids{failed.id});
    CHECK(ids(log.query({.text = "gröSSe"})) == Ids{});
    CHECK(ids(log.query({.text = "größe"})) == Ids{other.id});
    CHECK(ids(log.query({.status = JobStatus::error, .text = "refused"})) == Ids{failed.id});
    CHECK(log.query({.text = "refused", .limit = 1}).total.count == 2);
    CHECK(ids(log.errors({.text = "refused"})) == Ids{failed.id});
}

TEST_CASE("a text is found in what the codec writes, which is not called under the lock") {
    JobExecutionLog<Verdict> log{20};
    asked_by_codec = &log;
    const auto run = log.record_start("a");
    log.record_success(run, Verdict{"Quarterly"});
    log.record_success(log.record_start("a"), Verdict{"Daily"});
    CHECK(ids(log.query({.text = "quarter"})) == Ids{run.id});
    CHECK(log.query({.text = R"("title":)"}).records.size() == 2);
    asked_by_codec = nullptr;
}

TEST_CASE("numbers are searched by their digits, and what has no text is not searched") {
    JobExecutionLog<int> numbers{20};
    const auto run = numbers.record_start("a");
    numbers.record_success(run, 1234);
    CHECK(ids(numbers.query({.text = "23"})) == Ids{run.id});
    JobExecutionLog<Reading> readings{20};
    readings.record_success(readings.record_start("a"), Reading{23});
    const auto failed = readings.record_start("a");
    readings.record_error(failed, "23");
    CHECK(ids(readings.query({.text = "23"})) == Ids{failed.id});
    JobExecutionLog<std::monostate> nothing{20};
    nothing.record_success(nothing.record_start("a"), std::monostate{});
    CHECK(nothing.query({.text = "null"}).records.empty());
}

TEST_CASE("an attempt is found by its number, and the last one by being final") {
    JobExecutionLog<> log{20};
    const auto first = log.record_start("a", {}, {}, 1);
    log.record_error(first, "again", Finality::retry_follows);
    const auto second = log.record_start("a", {}, {}, 2);
    log.record_success(second);
    const auto running = log.record_start("a", {}, {}, 1);
    CHECK(ids(log.query({.attempt_number = 1})) == Ids{running.id, first.id});
    CHECK(ids(log.query({.attempt_number = 2})) == Ids{second.id});
    CHECK(ids(log.query({.finality = Finality::final_attempt})) == Ids{second.id});
    CHECK(ids(log.query({.finality = Finality::retry_follows})) == Ids{first.id});
}

TEST_CASE("durations have a least and a largest, both inside") {
    Timed timed;
    const auto brief = timed.run("a", 1ms);
    const auto medium = timed.run("a", 2ms);
    const auto tedious = timed.run("a", 3ms);
    timed.log.record_start("a");
    timed.log.record_cancelled(timed.log.record_queued({.job_id = "a"}));
    CHECK(ids(timed.log.query({.min_duration = 2ms})) == Ids{tedious, medium});
    CHECK(ids(timed.log.query({.max_duration = 2ms})) == Ids{medium, brief});
    CHECK(ids(timed.log.query({.min_duration = 2ms, .max_duration = 2ms})) == Ids{medium});
    CHECK(timed.log.query({.min_duration = 3ms, .max_duration = 1ms}).records.empty());
}

TEST_CASE("a value of metadata without its key is refused") {
    JobExecutionLog<> log{20};
    CHECK_THROWS_AS(log.query({.metadata_value = "x"}), std::invalid_argument);
    CHECK(log.query({.metadata_key = "nobody"}).records.empty());
}

TEST_CASE("oldest first is newest first backwards, with every filter that costs nothing") {
    JobExecutionLog<> log{50};
    for (int i = 0; i < 30; ++i) { i % 3 == 0 ? fail(log, "a") : succeed(log, i % 2 == 0 ? "a" : "b"); }
    log.record_skip("a", SkipReason::paused);
    for (ExecutionQuery query : {ExecutionQuery{}, ExecutionQuery{.job_id = "a"}, ExecutionQuery{.handler_id = "b"},
                                 ExecutionQuery{.status = JobStatus::error}, ExecutionQuery{.skips = Skips::include}}) {
        const auto newest = ids(log.query(query));
        query.sort = SortBy::oldest;
        CHECK(ids(log.query(query)) == Ids(newest.rbegin(), newest.rend()));
        query.limit = 4;
        CHECK(log.query(query).scanned <= 5);
        Ids paged;
        for (const auto& record : by_cursor(log, query, 4)) { paged.push_back(record.id); }
        CHECK(paged == Ids(newest.rbegin(), newest.rend()));
    }
}

TEST_CASE("oldest first by cursor shows what came meanwhile at its end") {
    JobExecutionLog<> log{50};
    const auto first = succeed(log, "a");
    const auto second = succeed(log, "a");
    const auto page = log.query({.sort = SortBy::oldest, .limit = 1});
    CHECK(ids(page) == Ids{first.id});
    const auto third = succeed(log, "a");
    CHECK(ids(log.query({.sort = SortBy::oldest, .cursor = page.next_cursor})) == Ids{second.id, third.id});
}

TEST_CASE("a list by duration has what has one, equal ones newest first") {
    Timed timed;
    const auto two = timed.run("a", 2ms);
    const auto one = timed.run("b", 1ms);
    const auto again = timed.run("a", 2ms);
    const auto three = timed.run("b", 3ms);
    timed.log.record_start("a");
    CHECK(ids(timed.log.query({.sort = SortBy::longest})) == Ids{three, again, two, one});
    CHECK(ids(timed.log.query({.sort = SortBy::shortest})) == Ids{one, again, two, three});
    CHECK(ids(timed.log.query({.job_id = "a", .sort = SortBy::longest})) == Ids{again, two});
    CHECK(ids(timed.log.query({.sort = SortBy::longest, .limit = 2, .offset = 1})) == Ids{again, two});
    CHECK(timed.log.query({.sort = SortBy::longest, .limit = 1}).total.count == 4);
    CHECK(timed.log.query({.sort = SortBy::longest, .limit = 0}).total.count == 4);
    Ids paged;
    for (const auto& record : by_cursor(timed.log, {.sort = SortBy::longest}, 1)) { paged.push_back(record.id); }
    CHECK(paged == Ids{three, again, two, one});
}

TEST_CASE("a list by drift has what was due at some time, retries aside") {
    Timed timed;
    const auto on_time = timed.late(0us);
    const auto late = timed.late(5ms);
    const auto later = timed.late(9ms);
    const auto early = timed.late(-1ms); // as on time as can be
    timed.run("never due", 1ms);
    timed.log.record_start({.job_id = "retry", .attempt_number = 2, .scheduled_at = timed.clock.now() - 1h});
    CHECK(ids(timed.log.query({.sort = SortBy::most_drift})) == Ids{later, late, early, on_time});
    CHECK(ids(timed.log.query({.sort = SortBy::least_drift})) == Ids{early, on_time, late, later});
}

TEST_CASE("a cursor of one order is refused by another") {
    Timed timed;
    for (int i = 0; i < 4; ++i) { timed.run("a", 1ms); }
    constexpr SortBy orders[] = {SortBy::newest, SortBy::oldest, SortBy::longest, SortBy::shortest};
    for (const SortBy one : orders) {
        const auto cursor = timed.log.query({.sort = one, .limit = 1}).next_cursor;
        for (const SortBy other : orders) {
            if (one == other) {
                CHECK(timed.log.query({.sort = other, .cursor = cursor}).records.size() == 3);
            } else {
                CHECK_THROWS_AS(timed.log.query({.sort = other, .cursor = cursor}), std::invalid_argument);
            }
        }
    }
    for (const char* cursor : {"l", "l1", "l1.2", "l1.2.3.4", "l.1.2", "l1.2.3-", "l1.2.3-x", "1.2.3"}) {
        CHECK_THROWS_AS(timed.log.query({.sort = SortBy::longest, .cursor = cursor}), std::invalid_argument);
    }
}
