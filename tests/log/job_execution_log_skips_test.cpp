// SPDX-License-Identifier: MIT
#include <daybook/detail/pinned_names.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/log/job_execution_log.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

constexpr auto everything = Skips::include;

} // namespace

TEST_CASE("a skip is left out of lists unless it is asked for") {
    JobExecutionLog<> log{10};
    const auto before = succeed(log, "a");
    const auto skip = log.record_skip("a", SkipReason::overlap);
    const auto after = succeed(log, "a");
    CHECK(ids(log.query()) == Ids{after.id, before.id});
    CHECK(log.query().total.count == 2);
    CHECK(ids(log.query({.skips = everything})) == Ids{after.id, skip, before.id});
    CHECK(log.query({.skips = everything}).total.count == 3);
    CHECK(ids(log.query({.job_id = "a", .skips = everything})) == Ids{after.id, skip, before.id});
    CHECK(ids(log.query({.handler_id = "a", .skips = everything})) == Ids{after.id, skip, before.id});
    CHECK(ids(log.query({.status = JobStatus::skipped})) == Ids{skip});
    CHECK(ids(log.query({.job_id = "a", .status = JobStatus::skipped})) == Ids{skip});
}

TEST_CASE("a skip says why, of which time, and when it was counted") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto due = clock.now();
    clock.advance(1s);
    const auto skip = log.record_skip("a", SkipReason::misfire, due, 3);
    const auto record = log.find(skip).value();
    CHECK(record.status == JobStatus::skipped);
    CHECK(record.reason == SkipReason::misfire);
    CHECK(record.scheduled_at == due);
    CHECK(record.completed_at == due + 1s);
    CHECK(record.skip_count == 3);
    CHECK(record.is_final);
    CHECK_FALSE(record.started_at);
    CHECK_FALSE(record.duration);
    CHECK_FALSE(record.records_processed);
}

TEST_CASE("skips in a row for one reason are one record, placed where the first one was") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock, {.capacity = 100})};
    const auto due = clock.now();
    const auto first = log.record_skip("a", SkipReason::paused, due);
    const auto other = succeed(log, "b");
    clock.advance(1min);
    CHECK(log.record_skip("a", SkipReason::paused, due + 1min) == first);
    CHECK(log.record_skip("a", SkipReason::paused, due + 2min, 5) == first);
    const auto record = log.find(first).value();
    CHECK(record.skip_count == 7);
    CHECK(record.scheduled_at == due);
    CHECK(record.completed_at == due + 1min);
    CHECK(ids(log.query({.skips = everything})) == Ids{other.id, first});
    CHECK(log.stats().skipped_count == 7);
}

TEST_CASE("skips of two jobs do not join") {
    JobExecutionLog<> log{100};
    CHECK(log.record_skip("a", SkipReason::paused) != log.record_skip("b", SkipReason::paused));
}

TEST_CASE("an execution of the job closes its run of skips") {
    JobExecutionLog<> log{100};
    const auto first = log.record_skip("a", SkipReason::overlap);
    const auto run = log.record_start("a");
    const auto second = log.record_skip("a", SkipReason::overlap);
    CHECK(second != first);
    log.record_success(run);
    CHECK(log.record_skip("a", SkipReason::overlap) == second);
}

TEST_CASE("a queued execution that starts closes the run of skips that it overtakes") {
    JobExecutionLog<> log{100};
    const auto waiting = log.record_queued({.job_id = "a"});
    const auto first = log.record_skip("a", SkipReason::overlap);
    log.record_running(waiting);
    const auto second = log.record_skip("a", SkipReason::overlap);
    CHECK(ids(log.query({.skips = everything})) == Ids{second, waiting.id, first});
}

TEST_CASE("another reason closes a run of skips") {
    JobExecutionLog<> log{100};
    const auto first = log.record_skip("a", SkipReason::overlap);
    const auto second = log.record_skip("a", SkipReason::misfire);
    const auto third = log.record_skip("a", SkipReason::overlap);
    CHECK(ids(log.query({.skips = everything})) == Ids{third, second, first});
}

TEST_CASE("a clear closes a run of skips") {
    JobExecutionLog<> log{100};
    const auto first = log.record_skip("a", SkipReason::overlap);
    CHECK(log.clear() == 1);
    const auto second = log.record_skip("a", SkipReason::overlap);
    CHECK(second != first);
    CHECK(log.find(second)->skip_count == 1);
    CHECK(log.stats().skipped_count == 1);
}

TEST_CASE("skips have a quota, and evict each other beyond it") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .skip_capacity = 2}};
    Ids executions;
    for (int i = 0; i < 8; ++i) { executions.insert(executions.begin(), succeed(log, "a").id); }
    for (int i = 0; i < 100; ++i) { log.record_skip("job " + std::to_string(i), SkipReason::paused); }
    CHECK(ids(log.query()) == executions);
    CHECK(jobs(log.query({.status = JobStatus::skipped})) == Names{"job 99", "job 98"});
    CHECK(log.stats().skipped_count == 100);
}

TEST_CASE("a run of skips that was evicted is not joined") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .skip_capacity = 1}};
    const auto first = log.record_skip("a", SkipReason::paused);
    log.record_skip("b", SkipReason::paused);
    const auto second = log.record_skip("a", SkipReason::paused);
    CHECK(second != first);
    CHECK(log.find(second)->skip_count == 1);
    CHECK_FALSE(log.find(first));
}

TEST_CASE("a skip in a log of one record takes its place") {
    JobExecutionLog<> log{1};
    succeed(log, "a");
    const auto skip = log.record_skip("a", SkipReason::paused);
    CHECK(ids(log.query({.skips = everything})) == Ids{skip});
    CHECK(log.record_skip("a", SkipReason::paused) == skip);
}

TEST_CASE("a queued execution that is skipped keeps its id and comes to stand where it was skipped") {
    ManualClock clock;
    const auto core = std::make_shared<detail::LogCore>(with_clock(clock, {.capacity = 10, .skip_capacity = 5}));
    const detail::PartsReader reader{*core};
    const detail::HashedNames names{"a", {}, {}};
    const auto waiting = core->start(names, {.job_id = "a"}, JobStatus::queued);
    const auto running = core->start(names, {.job_id = "a"}, JobStatus::running);
    const detail::PinnedNames pinned{core, names};
    const auto before = core->skip(pinned.refs(), {.reason = SkipReason::removed});
    clock.advance(1s);
    CHECK(core->skip_queued(running, SkipReason::removed) == Finish::too_late);
    CHECK(core->skip_queued(waiting, SkipReason::removed) == Finish::recorded);
    CHECK(core->skip_queued(waiting, SkipReason::removed) == Finish::too_late);
    CHECK(core->finish(waiting, JobStatus::success, {}, {}, Finality::final_attempt) == Finish::too_late);

    const auto record = reader.find(waiting.id).value().facts;
    CHECK(record.status == JobStatus::skipped);
    CHECK(record.reason == SkipReason::removed);
    CHECK(record.skip_count == 1);
    CHECK(record.queued_at == clock.now() - 1s);
    CHECK(record.completed_at == clock.now());
    CHECK_FALSE(record.started_at);

    // One by one, since a cursor has to find its way between the two skips as well.
    Ids found;
    ExecutionQuery query{.skips = everything, .limit = 1};
    for (int page = 0; page < 3; ++page) {
        detail::RecordBuilder<std::string> builder;
        const auto facts = reader.query(query, builder);
        const auto records = builder.take();
        REQUIRE(records.size() == 1);
        found.push_back(records[0].id);
        query.cursor = facts.next_cursor;
    }
    CHECK(found == Ids{waiting.id, before, running.id});

    // It has a record of its own: the next skip does not join it.
    CHECK(core->skip(pinned.refs(), {.reason = SkipReason::removed}) != waiting.id);
}

TEST_CASE("a skip is counted under the handler that it is given") {
    JobExecutionLog log{10};
    log.record_skip({.job_id = "nightly", .handler_id = "reports"}, SkipReason::overlap, 2);
    CHECK(log.stats().by_handler.at("reports").skipped_count == 2);
    CHECK(log.query({.handler_id = "reports", .status = JobStatus::skipped}).records.size() == 1);
}

TEST_CASE("another handler closes a run of skips") {
    JobExecutionLog log{100};
    const auto first = log.record_skip({.job_id = "nightly", .handler_id = "old"}, SkipReason::overlap);
    const auto second = log.record_skip({.job_id = "nightly", .handler_id = "new"}, SkipReason::overlap);
    CHECK(ids(log.query({.skips = everything})) == Ids{second, first});
    CHECK(log.stats().by_handler.at("new").skipped_count == 1);
}

TEST_CASE("a skip without a reason, or of no occurrence, is refused") {
    JobExecutionLog log{10};
    CHECK_THROWS_AS(log.record_skip("a", SkipReason::none), std::invalid_argument);
    CHECK_THROWS_AS(log.record_skip("a", SkipReason::overlap, {}, 0), std::invalid_argument);
    CHECK(log.size() == 0);
}

TEST_CASE("a count of skips stops at the largest number, and is a minimum from there on") {
    JobExecutionLog<> log{10};
    const auto id = log.record_skip("job", SkipReason::misfire, {}, UINT64_MAX - 1);
    log.record_skip("job", SkipReason::misfire);
    CHECK_FALSE(log.find(id)->skip_count_is_minimum);
    log.record_skip("job", SkipReason::misfire);
    CHECK(log.find(id)->skip_count == UINT64_MAX);
    CHECK(log.find(id)->skip_count_is_minimum);
}
