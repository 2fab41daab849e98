// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

TEST_CASE("a log without room is refused") {
    CHECK_THROWS_AS(JobExecutionLog<>{0}, std::invalid_argument);
    CHECK_NOTHROW(JobExecutionLog<>{1});
}

TEST_CASE("an option out of its range is refused by name") {
    CHECK(refusal({.capacity = 0}).find("capacity") != std::string::npos);
    CHECK(refusal({.capacity = 100'000'001}).find("capacity") != std::string::npos);
    CHECK(refusal({.capacity = 10, .error_capacity = 10}).find("error_capacity") != std::string::npos);
    CHECK(refusal({.capacity = 10, .skip_capacity = 0}).find("skip_capacity") != std::string::npos);
    CHECK(refusal({.capacity = 10, .skip_capacity = 11}).find("skip_capacity") != std::string::npos);
    CHECK(refusal({.max_running = 0}).find("max_running") != std::string::npos);
    CHECK(refusal({.max_text_bytes = 63}).find("max_text_bytes") != std::string::npos);
    CHECK(refusal({.max_text_bytes = 4'000'000'001}).find("max_text_bytes") != std::string::npos);
    CHECK(refusal({.capacity = 10, .error_capacity = 9, .skip_capacity = 10}) == "accepted");
}

TEST_CASE("a record says what is known of a success") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto begin = clock.now();
    const auto run = log.record_start("dingdong_1", "dingdong", "ding", 2);
    clock.advance(1500us);
    CHECK(log.record_success(run, "Ding!") == Finish::recorded);
    const auto record = log.find(run.id);
    REQUIRE(record);
    CHECK(record->id == run.id);
    CHECK(record->occurrence_id == run.id);
    CHECK(record->job_id == "dingdong_1");
    CHECK(record->handler_id == "dingdong");
    CHECK(record->method_name == "ding");
    CHECK(record->attempt_number == 2);
    CHECK(record->status == JobStatus::success);
    CHECK(record->started_at == begin);
    CHECK(record->completed_at == begin + 1500us);
    CHECK(record->duration == 1500us);
    CHECK(record->result == "Ding!");
    CHECK(record->is_final);
    CHECK_FALSE(record->error);
    CHECK_FALSE(record->queued_at);
    CHECK_FALSE(record->scheduled_at);
    CHECK_FALSE(record->records_processed);
    CHECK(record->trigger == Trigger::manual);
}

TEST_CASE("a handler that is not given is the job id") {
    JobExecutionLog<> log{10};
    const auto run = log.record_start("backup");
    CHECK(log.find(run.id)->handler_id == "backup");
    CHECK(ids(log.query({.handler_id = "backup"})) == Ids{run.id});
}

TEST_CASE("everything that a start may say is in the record") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto run = log.record_start({.job_id = "report",
                                       .attempt_number = 0,
                                       .occurrence_id = 77,
                                       .scheduled_at = clock.now() - 3s,
                                       .trigger = Trigger::catch_up,
                                       .dst = ClockChange::after_gap,
                                       .parameters = "month=2"});
    const auto record = log.find(run.id).value();
    CHECK(record.attempt_number == 1);
    CHECK(record.occurrence_id == 77);
    CHECK(record.scheduled_at == clock.now() - 3s);
    CHECK(record.trigger == Trigger::catch_up);
    CHECK(record.dst == ClockChange::after_gap);
    CHECK(record.parameters == "month=2");
    CHECK(record.drift() == 3s);
}

TEST_CASE("an execution that runs has no end, no duration and no result") {
    JobExecutionLog<> log{10};
    const auto record = log.find(log.record_start("backup").id).value();
    CHECK(record.status == JobStatus::running);
    CHECK_FALSE(record.completed_at);
    CHECK_FALSE(record.duration);
    CHECK_FALSE(record.result);
    CHECK_FALSE(record.is_final);
}

TEST_CASE("each way to end has its status") {
    JobExecutionLog<> log{10};
    const auto end = [&](auto record) {
        const auto run = log.record_start("job");
        CHECK(record(run) == Finish::recorded);
        return log.find(run.id).value();
    };
    CHECK(end([&](auto run) { return log.record_error(run, "why"); }).status == JobStatus::error);
    CHECK(end([&](auto run) { return log.record_error(run, "why"); }).error == "why");
    CHECK(end([&](auto run) { return log.record_timeout(run); }).status == JobStatus::timeout);
    CHECK(end([&](auto run) { return log.record_cancelled(run, "removed"); }).status == JobStatus::cancelled);
    CHECK(end([&](auto run) { return log.record_cancelled(run, "removed"); }).error == "removed");
    CHECK_FALSE(end([&](auto run) { return log.record_cancelled(run); }).error);
    CHECK_FALSE(end([&](auto run) { return log.record_error(run, "why", Finality::retry_follows); }).is_final);
    CHECK_FALSE(end([&](auto run) { return log.record_timeout(run, Finality::retry_follows); }).is_final);
}

TEST_CASE("a second finish is too late and changes nothing") {
    JobExecutionLog<> log{10};
    const auto run = log.record_start("job");
    log.record_timeout(run);
    CHECK(log.record_success(run, "after all") == Finish::too_late);
    CHECK(log.record_error(run, "why") == Finish::too_late);
    log.record_processed(run, 5);
    const auto record = log.find(run.id).value();
    CHECK(record.status == JobStatus::timeout);
    CHECK_FALSE(record.result);
    CHECK_FALSE(record.records_processed);
    CHECK(log.stats().total_executions == 1);
}

TEST_CASE("a handle of another log is unknown") {
    JobExecutionLog<> log{10};
    JobExecutionLog<> other{10};
    const auto run = log.record_start("job");
    other.record_start("job");
    CHECK(other.record_success(run) == Finish::unknown);
    CHECK(other.record_success(Execution{}) == Finish::unknown);
    CHECK(log.record_success(run) == Finish::recorded);
}

TEST_CASE("a handle of an evicted record is unknown, though its place was given to another") {
    JobExecutionLog<> log{LogOptions{.capacity = 1, .max_running = 1}};
    const auto evicted = succeed(log, "old");
    for (int i = 0; i < 5; ++i) { succeed(log, "new"); }
    const auto running = log.record_start("running");
    CHECK(log.record_error(evicted, "late") == Finish::unknown);
    CHECK_FALSE(log.find(evicted.id));
    CHECK(log.find(running.id)->status == JobStatus::running);
}

TEST_CASE("a full log evicts the record that finished first, not the one that started first") {
    JobExecutionLog<> log{2};
    const auto slow = log.record_start("slow");
    const auto quick = log.record_start("quick");
    log.record_success(quick);
    log.record_success(slow);
    const auto next = succeed(log, "next");
    CHECK(ids(log.query()) == Ids{next.id, slow.id});
    CHECK(log.size() == 2);
    CHECK(log.capacity() == 2);
}

TEST_CASE("an execution in flight is never lost, however many others finish") {
    JobExecutionLog<> log{3};
    const auto slow = log.record_start("slow");
    const auto waiting = log.record_queued({.job_id = "waiting"});
    for (int i = 0; i < 10'000; ++i) { succeed(log, "flood"); }
    CHECK(ids(log.query({.status = JobStatus::running})) == Ids{slow.id});
    CHECK(ids(log.query({.status = JobStatus::queued})) == Ids{waiting.id});
    CHECK(ids(log.query({.job_id = "slow"})) == Ids{slow.id});
    CHECK(log.query().total.count == 5);
    CHECK(log.record_success(slow) == Finish::recorded);
    CHECK(log.find(slow.id)->status == JobStatus::success);
}

TEST_CASE("a flood of successes does not evict the newest final failures") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .error_capacity = 3}};
    Ids failed;
    for (int i = 0; i < 5; ++i) { failed.insert(failed.begin(), fail(log, "bad").id); }
    for (int i = 0; i < 1000; ++i) { succeed(log, "good"); }
    CHECK(ids(log.errors()) == Ids(failed.begin(), failed.begin() + 3));
    CHECK(log.size() == 10);
}

TEST_CASE("failures may fill the log, and are then evicted like any other") {
    JobExecutionLog<> log{LogOptions{.capacity = 4, .error_capacity = 1}};
    for (int i = 0; i < 100; ++i) { fail(log, "bad"); }
    CHECK(log.errors().total.count == 4);
    const auto good = succeed(log, "good");
    CHECK(log.errors().total.count == 3);
    CHECK(log.find(good.id));
}

TEST_CASE("a failure that is retried is not protected") {
    JobExecutionLog<> log{LogOptions{.capacity = 4, .error_capacity = 2}};
    const auto tried = log.record_start("job");
    log.record_error(tried, "first try", Finality::retry_follows);
    for (int i = 0; i < 4; ++i) { succeed(log, "good"); }
    CHECK_FALSE(log.find(tried.id));
}

TEST_CASE("without places for failures they go in their turn") {
    JobExecutionLog<> log{LogOptions{.capacity = 3, .error_capacity = 0}};
    fail(log, "bad");
    for (int i = 0; i < 3; ++i) { succeed(log, "good"); }
    CHECK(log.errors().records.empty());
}

TEST_CASE("beyond max_running the execution handed over first is abandoned") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .max_running = 2}};
    const auto first = log.record_queued({.job_id = "first"});
    const auto second = log.record_start("second");
    CHECK(log.record_running(first));
    const auto third = log.record_start("third");
    CHECK(log.find(first.id)->status == JobStatus::abandoned);
    CHECK(log.find(first.id)->is_final);
    CHECK(log.find(second.id)->status == JobStatus::running);
    CHECK(log.find(third.id)->status == JobStatus::running);
    CHECK(log.record_success(first) == Finish::too_late);
    const auto stats = log.stats();
    CHECK(stats.abandoned_count == 1);
    CHECK(stats.error_count == 1);
    CHECK(stats.running == 2);
    CHECK(ids(log.errors()) == Ids{first.id});
}

TEST_CASE("a queued execution runs once") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto handed_over = clock.now();
    const auto run = log.record_queued({.job_id = "job"});
    CHECK(log.find(run.id)->queued_at == handed_over);
    CHECK_FALSE(log.find(run.id)->started_at);
    clock.advance(2s);
    CHECK(log.record_running(run, 3));
    CHECK_FALSE(log.record_running(run, 4));
    clock.advance(1s);
    log.record_success(run);
    CHECK_FALSE(log.record_running(run));
    const auto record = log.find(run.id).value();
    CHECK(record.worker == 3U);
    CHECK(record.queue_delay() == 2s);
    CHECK(record.started_at == handed_over + 2s);
    CHECK(record.duration == 1s);
}

TEST_CASE("an execution may end while it waits, and then has never run") {
    JobExecutionLog<> log{10};
    const auto run = log.record_queued({.job_id = "job"});
    CHECK(log.record_cancelled(run) == Finish::recorded);
    const auto record = log.find(run.id).value();
    CHECK(record.status == JobStatus::cancelled);
    CHECK_FALSE(record.started_at);
    CHECK_FALSE(record.duration);
    CHECK(log.stats().queued == 0);
}

TEST_CASE("records processed are said again and again while it runs") {
    JobExecutionLog<> log{10};
    const auto run = log.record_start("job");
    log.record_processed(run, 10);
    log.record_processed(run, 25);
    CHECK(log.find(run.id)->records_processed == 25U);
    log.record_success(run);
    CHECK(log.find(run.id)->records_processed == 25U);
}

TEST_CASE("clear removes what has finished, says how much, and keeps what is in flight") {
    JobExecutionLog<> log{10};
    const auto running = log.record_start("running");
    const auto waiting = log.record_queued({.job_id = "waiting"});
    for (int i = 0; i < 4; ++i) { succeed(log, "done"); }
    fail(log, "failed");
    log.record_skip("skipped", SkipReason::overlap);
    CHECK(log.clear() == 6);
    CHECK(log.clear() == 0);
    CHECK(log.size() == 0);
    CHECK(ids(log.query({.skips = Skips::include})) == Ids{waiting.id, running.id});
    CHECK(log.record_success(running) == Finish::recorded);
    CHECK(log.size() == 1);
    CHECK(log.query({.job_id = "done"}).records.empty());
}

TEST_CASE("clear makes room for more than a thousand records at once") {
    JobExecutionLog<> log{5000};
    for (int i = 0; i < 6000; ++i) { succeed(log, "job"); }
    CHECK(log.clear() == 5000);
    CHECK(log.query().total.count == 0);
    succeed(log, "job");
    CHECK(log.query().total.count == 1);
}

TEST_CASE("a handle of a cleared record is unknown") {
    JobExecutionLog<> log{10};
    const auto run = succeed(log, "job");
    log.clear();
    CHECK(log.record_success(run) == Finish::unknown);
}

TEST_CASE("a copy is the same log, and lives on its own") {
    std::optional<JobExecutionLog<>> log{std::in_place, std::size_t{10}};
    auto copy = *log;
    const auto run = log->record_start("job");
    log.reset();
    CHECK(copy.record_success(run) == Finish::recorded);
    CHECK(copy.size() == 1);
}

TEST_CASE("ids grow with each hand-over and are never zero") {
    JobExecutionLog<> log{2};
    ExecutionId before = 0;
    for (int i = 0; i < 10; ++i) {
        const auto id = succeed(log, "job").id;
        CHECK(id > before);
        before = id;
    }
}

TEST_CASE("names that come and go leave no trace") {
    JobExecutionLog<> log{LogOptions{.capacity = 5, .max_tracked_handlers = 2, .max_tracked_jobs = 2}};
    for (int i = 0; i < 2000; ++i) { succeed(log, "job " + std::to_string(i)); }
    CHECK(jobs(log.query()) == Names{"job 1999", "job 1998", "job 1997", "job 1996", "job 1995"});
    CHECK(log.query({.job_id = "job 1994"}).total.count == 0);
}

TEST_CASE("a name that is too long is cut, and found by what it was") {
    JobExecutionLog<> log{5};
    std::string name(254, 'x');
    name += "\xC3\xA9 and more";
    const auto run = succeed(log, name);
    CHECK(log.find(run.id)->job_id == std::string(254, 'x'));
    CHECK(ids(log.query({.job_id = name})) == Ids{run.id});
}

TEST_CASE("an execution due in another age drifts as far as can be told") {
    JobExecutionLog<> log{10};
    const auto early = log.record_start({.job_id = "early", .scheduled_at = sys_time::max()});
    const auto late = log.record_start({.job_id = "late", .scheduled_at = sys_time::min() + 1us});
    log.record_success(early);
    log.record_success(late);
    CHECK(log.find(early.id)->drift() == 0us);
    CHECK(log.find(late.id)->drift() == std::chrono::microseconds::max());
    CHECK(log.query({.sort = SortBy::most_drift}).records.front().job_id == "late");
    CHECK(log.stats().drift.max_ms > 1e12);
}

TEST_CASE("an error may say nothing") {
    JobExecutionLog<> log{10};
    const auto run = log.record_start("job");
    log.record_error(run, std::string_view{});
    CHECK(log.find(run.id)->error == "");
}
