// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cmath>
#include <string>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

/// Within what a histogram of 16 sub-buckets promises.
bool is_about(double found, double expected) { return std::abs(found - expected) <= 0.032 * expected; }

} // namespace

TEST_CASE("a log without executions is entirely successful") {
    const JobExecutionLog<> log{10};
    const auto stats = log.stats();
    CHECK(stats.total_executions == 0);
    CHECK(stats.success_rate == 100.0);
    CHECK(stats.average_duration_ms == 0.0);
    CHECK(stats.min_ms == 0.0);
    CHECK(stats.p99_ms == 0.0);
    CHECK(stats.buffer_utilization == 0.0);
    CHECK(stats.by_handler.empty());
    CHECK(stats.by_job.empty());
    CHECK(stats.by_status.at("running") == 0);
    CHECK(stats.by_status.size() == 8);
}

TEST_CASE("every way to end is counted once, where it belongs") {
    JobExecutionLog<> log{LogOptions{.capacity = 100, .max_running = 1}};
    log.record_success(log.record_start("a"));
    log.record_error(log.record_start("a"), "why");
    log.record_timeout(log.record_start("a"));
    log.record_cancelled(log.record_start("a"));
    log.record_start("a"); // abandoned by the next
    log.record_error(log.record_start("a"), "why", Finality::retry_follows);
    log.record_success(log.record_start("a", {}, {}, 2));
    log.record_skip("a", SkipReason::overlap, {}, 4);
    log.record_start("a");
    const auto stats = log.stats();
    CHECK(stats.total_executions == 5);
    CHECK(stats.success_count == 2);
    CHECK(stats.error_count == 3);
    CHECK(stats.timeout_count == 1);
    CHECK(stats.abandoned_count == 1);
    CHECK(stats.cancelled_count == 1);
    CHECK(stats.skipped_count == 4);
    CHECK(stats.retry_count == 1);
    CHECK(stats.success_rate == 40.0);
    CHECK(stats.running == 1);
    CHECK(stats.queued == 0);
    CHECK(stats.retained == 8);
    CHECK(stats.lifetime_executions == 5);
    CHECK(stats.buffer_utilization == 0.08);
    const auto& handler = stats.by_handler.at("a");
    CHECK(handler.total == 5);
    CHECK(handler.total_executions == 5);
    CHECK(handler.success == handler.success_count);
    CHECK(handler.error == 3);
    CHECK(handler.success_rate == 40.0);
    CHECK(stats.by_job.at("a").skipped_count == 4);
    CHECK(stats.by_status.at("error") == 2);
    CHECK(stats.by_status.at("success") == 2);
    CHECK(stats.by_status.at("skipped") == 1);
    CHECK(stats.by_status.at("running") == 1);
}

TEST_CASE("the success rate has two decimals") {
    JobExecutionLog<> log{10};
    succeed(log, "a");
    succeed(log, "a");
    fail(log, "a");
    CHECK(log.stats().success_rate == 66.67);
}

TEST_CASE("counts go on beyond the capacity, and a clear sets all of them back but the lifetime's") {
    JobExecutionLog<> log{3};
    for (int i = 0; i < 50; ++i) { succeed(log, "a"); }
    CHECK(log.stats().total_executions == 50);
    CHECK(log.stats().retained == 3);
    CHECK(log.stats().buffer_utilization == 1.0);
    const auto running = log.record_start("b");
    log.clear();
    CHECK(log.stats().total_executions == 0);
    CHECK(log.stats().success_rate == 100.0);
    CHECK(log.stats().p50_ms == 0.0);
    CHECK(log.stats().lifetime_executions == 50);
    CHECK(log.stats().by_handler.empty());
    log.record_success(running);
    CHECK(log.stats().total_executions == 1);
    CHECK(log.stats().lifetime_executions == 51);
    CHECK(log.stats().by_handler.at("b").total == 1);
    CHECK(log.stats().by_job.at("b").success_count == 1);
}

TEST_CASE("durations are of every attempt that ran but the cancelled ones") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto run_for = [&](auto duration, auto end) {
        const auto run = log.record_start("a");
        clock.advance(duration);
        end(run);
    };
    run_for(10ms, [&](auto run) { log.record_success(run); });
    run_for(20ms, [&](auto run) { log.record_error(run, "why"); });
    run_for(30ms, [&](auto run) { log.record_timeout(run); });
    run_for(40ms, [&](auto run) { log.record_error(run, "why", Finality::retry_follows); });
    run_for(5s, [&](auto run) { log.record_cancelled(run); });
    log.record_error(log.record_queued({.job_id = "a"}), "never ran");
    const auto stats = log.stats();
    CHECK(stats.duration.count == 4);
    CHECK(stats.average_duration_ms == 25.0);
    CHECK(stats.min_ms == 10.0);
    CHECK(stats.max_ms == 40.0);
    CHECK(is_about(stats.p50_ms, 20.0));
    CHECK(is_about(stats.p95_ms, 40.0));
    CHECK(stats.duration.p95_ms == stats.p95_ms);
    CHECK(stats.by_handler.at("a").avg_duration_ms == 25.0);
    CHECK(stats.by_handler.at("a").duration.count == 4);
}

TEST_CASE("a wall clock that is stepped changes no duration") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto run = log.record_start("a");
    clock.step(-24h);
    clock.advance(10ms);
    log.record_success(run);
    CHECK(log.stats().max_ms == 10.0);
}

TEST_CASE("drift is measured for first attempts that have a nominal time") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    log.record_start({.job_id = "a", .scheduled_at = clock.now() - 50ms});
    log.record_start({.job_id = "a", .attempt_number = 2, .scheduled_at = clock.now() - 10s});
    log.record_start({.job_id = "a"});
    log.record_start({.job_id = "a", .scheduled_at = clock.now() + 10s});
    const auto drift = log.stats().drift;
    CHECK(drift.count == 2);
    CHECK(drift.max_ms == 50.0);
    CHECK(drift.min_ms == 0.0);
}

TEST_CASE("queue delay is measured when a worker takes an execution, on the steady clock") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    const auto run = log.record_queued({.job_id = "a", .scheduled_at = clock.now()});
    clock.advance(30ms);
    clock.step(-1h);
    CHECK(log.stats().queue_delay.count == 0);
    log.record_running(run);
    CHECK(log.stats().queue_delay.count == 1);
    CHECK(log.stats().queue_delay.max_ms == 30.0);
    CHECK(log.stats().drift.count == 1);
}

TEST_CASE("handlers and jobs beyond the cap are counted together as other") {
    JobExecutionLog<> log{LogOptions{.capacity = 100, .max_tracked_handlers = 2, .max_tracked_jobs = 3}};
    for (int i = 0; i < 10; ++i) { succeed(log, "job " + std::to_string(i)); }
    auto stats = log.stats();
    CHECK(stats.by_handler.size() == 3);
    CHECK(stats.by_handler.at("job 1").total == 1);
    CHECK(stats.by_handler.at("other").total == 8);
    CHECK(stats.by_handler.at("other").duration.count == 8);
    CHECK(stats.by_job.size() == 4);
    CHECK(stats.by_job.at("other").success_count == 7);
    CHECK(stats.total_executions == 10);
    log.clear();
    succeed(log, "job 9");
    stats = log.stats();
    CHECK(stats.by_handler.size() == 1);
    CHECK(stats.by_handler.at("job 9").total == 1);
}

TEST_CASE("a cap of zero counts everything as other") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .max_tracked_handlers = 0, .max_tracked_jobs = 0}};
    succeed(log, "a");
    CHECK(log.stats().by_handler.at("other").total == 1);
    CHECK(log.stats().by_job.at("other").total_executions == 1);
}

TEST_CASE("a job that is called other is not mixed up with the rest") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .max_tracked_jobs = 1}};
    succeed(log, "other");
    succeed(log, "a");
    succeed(log, "a");
    CHECK(log.stats().by_job.at("other").success_count == 1);
    CHECK(log.stats().by_job.at("(other)").success_count == 2);
}

TEST_CASE("a handler keeps its counts when all its records are evicted") {
    JobExecutionLog<> log{2};
    succeed(log, "rare");
    for (int i = 0; i < 10; ++i) { succeed(log, "often"); }
    succeed(log, "rare");
    CHECK(log.stats().by_handler.at("rare").total == 2);
}
