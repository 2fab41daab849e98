// SPDX-License-Identifier: MIT
#include <daybook/stats/stats.hpp>

#include "support/catch.hpp"

#include <chrono>

using namespace daybook;
using namespace std::chrono_literals;

TEST_CASE("groups are given out until the table is full") {
    Stats<> stats{2, 1};
    const auto a = stats.add_handler("a");
    const auto b = stats.add_handler("b");
    CHECK(a != StatsGroup::other);
    CHECK(b != a);
    CHECK(stats.add_handler("c") == StatsGroup::other);
    CHECK(stats.add_job("a") != StatsGroup::other);
    CHECK(stats.add_job("b") == StatsGroup::other);
}

TEST_CASE("an end is counted overall, for its handler and for its job") {
    Stats<> stats;
    const auto handler = stats.add_handler("h");
    const auto job = stats.add_job("j");
    stats.record_end({.status = JobStatus::error, .duration = 5ms, .handler = handler, .job = job});
    stats.record_end({.status = JobStatus::success, .duration = 1ms});
    const auto all = stats.snapshot();
    CHECK(all.total_executions == 2);
    CHECK(all.success_rate == 50.0);
    CHECK(all.by_handler.at("h").error == 1);
    CHECK(all.by_handler.at("h").avg_duration_ms == 5.0);
    CHECK(all.by_handler.at("other").success == 1);
    CHECK(all.by_job.at("j").error_count == 1);
    CHECK(all.by_job.at("j").success_rate == 0.0);
}

TEST_CASE("an attempt that will be retried is no outcome") {
    Stats<> stats;
    stats.record_end({.status = JobStatus::error, .is_final = false, .duration = 5ms});
    stats.record_end({.status = JobStatus::timeout, .is_final = false, .attempt_number = 2, .duration = 5ms});
    stats.record_end({.status = JobStatus::success, .attempt_number = 3, .duration = 5ms});
    const auto all = stats.snapshot();
    CHECK(all.total_executions == 1);
    CHECK(all.error_count == 0);
    CHECK(all.timeout_count == 0);
    CHECK(all.retry_count == 2);
    CHECK(all.lifetime_executions == 1);
    CHECK(all.duration.count == 3);
}

TEST_CASE("cancelled executions stand apart from the total and from the distribution") {
    Stats<> stats;
    stats.record_end({.status = JobStatus::cancelled, .duration = 5ms});
    const auto all = stats.snapshot();
    CHECK(all.cancelled_count == 1);
    CHECK(all.total_executions == 0);
    CHECK(all.lifetime_executions == 0);
    CHECK(all.duration.count == 0);
    CHECK(all.success_rate == 100.0);
}

TEST_CASE("an execution that never ran has no duration to measure") {
    Stats<> stats;
    stats.record_end({.status = JobStatus::abandoned});
    CHECK(stats.snapshot().abandoned_count == 1);
    CHECK(stats.snapshot().error_count == 1);
    CHECK(stats.snapshot().duration.count == 0);
}

TEST_CASE("drift and queue delay are distributions of their own") {
    Stats<> stats;
    stats.record_start(2ms, std::nullopt);
    stats.record_start(std::nullopt, 8ms);
    stats.record_start(-4ms, 4ms);
    const auto all = stats.snapshot();
    CHECK(all.drift.count == 2);
    CHECK(all.drift.average_ms == 1.0);
    CHECK(all.queue_delay.average_ms == 6.0);
    CHECK(all.duration.count == 0);
}

TEST_CASE("a clear sets back everything but the lifetime's count") {
    Stats<> stats{1, 1};
    stats.record_end({.duration = 1ms, .handler = stats.add_handler("h"), .job = stats.add_job("j")});
    stats.record_skip(StatsGroup::other, StatsGroup::other, 3);
    stats.clear();
    const auto all = stats.snapshot();
    CHECK(all.total_executions == 0);
    CHECK(all.skipped_count == 0);
    CHECK(all.by_handler.empty());
    CHECK(all.by_job.empty());
    CHECK(all.lifetime_executions == 1);
    CHECK(stats.add_handler("again") != StatsGroup::other);
}
