// SPDX-License-Identifier: MIT
#include <daybook/stats/stats.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace daybook;
using namespace std::chrono_literals;

namespace {

const sys_time noon = std::chrono::sys_days{std::chrono::January / 15 / 2024} + 12h;

void end_at(Stats<>& stats, sys_time at, std::chrono::nanoseconds duration = 1ms,
            JobStatus status = JobStatus::success) {
    stats.record_end({.status = status, .duration = duration, .at = at});
}

Timeline timeline_at(const Stats<>& stats, sys_time now) { return stats.snapshot(now, {}).timeline; }

std::uint64_t sum_of(const std::vector<TimelineBucket>& buckets) {
    std::uint64_t sum = 0;
    for (const TimelineBucket& bucket : buckets) { sum += bucket.total_executions; }
    return sum;
}

} // namespace

TEST_CASE("a timeline without executions is empty") {
    const auto timeline = timeline_at(Stats<>{}, noon);
    CHECK(timeline.minutes.empty());
    CHECK(timeline.hours.empty());
    CHECK(timeline.days.empty());
}

TEST_CASE("a bucket begins with its minute and ends before the next") {
    Stats<> stats;
    end_at(stats, noon - 1us);
    end_at(stats, noon);
    end_at(stats, noon + 1min - 1us);
    end_at(stats, noon + 1min);
    const auto minutes = timeline_at(stats, noon + 1min).minutes;
    REQUIRE(minutes.size() == 3);
    CHECK(minutes[0].begin == noon - 1min);
    CHECK(minutes[1].begin == noon);
    CHECK(minutes[1].total_executions == 2);
    CHECK(minutes[2].begin == noon + 1min);
}

TEST_CASE("hours and days begin where UTC has them begin") {
    Stats<> stats;
    const sys_time midnight = noon + 12h;
    end_at(stats, midnight - 1h - 1us);
    end_at(stats, midnight - 1us);
    end_at(stats, midnight);
    const auto timeline = timeline_at(stats, midnight);
    REQUIRE(timeline.hours.size() == 3);
    CHECK(timeline.hours[0].begin == midnight - 2h);
    CHECK(timeline.hours[1].begin == midnight - 1h);
    CHECK(timeline.hours[2].begin == midnight);
    REQUIRE(timeline.days.size() == 2);
    CHECK(timeline.days[0].begin == midnight - 24h);
    CHECK(timeline.days[0].total_executions == 2);
    CHECK(timeline.days[1].begin == midnight);
    CHECK(&timeline.of(TimelineResolution::day) == &timeline.days);
}

TEST_CASE("buckets before 1970 are rounded down like all others") {
    Stats<> stats;
    const sys_time before{-1us};
    end_at(stats, before);
    const auto timeline = timeline_at(stats, before);
    REQUIRE(timeline.days.size() == 1);
    CHECK(timeline.minutes[0].begin == sys_time{-1min});
    CHECK(timeline.hours[0].begin == sys_time{-1h});
    CHECK(timeline.days[0].begin == sys_time{-24h});
}

TEST_CASE("a bucket says how executions ended and how long they took") {
    Stats<> stats;
    end_at(stats, noon, 10ms);
    end_at(stats, noon, 20ms, JobStatus::error);
    end_at(stats, noon, 30ms, JobStatus::timeout);
    end_at(stats, noon, 5s, JobStatus::cancelled);
    stats.record_end(
        {.status = JobStatus::error, .is_final = false, .attempt_number = 2, .duration = 40ms, .at = noon});
    stats.record_skip({.reason = SkipReason::overlap, .occurrences = 7, .at = noon});
    const auto bucket = timeline_at(stats, noon).minutes.at(0);
    CHECK(bucket.total_executions == 3);
    CHECK(bucket.success_count == 1);
    CHECK(bucket.error_count == 2);
    CHECK(bucket.timeout_count == 1);
    CHECK(bucket.cancelled_count == 1);
    CHECK(bucket.skipped_count == 7);
    CHECK(bucket.retry_count == 1);
    CHECK(bucket.success_rate == 33.33);
    CHECK(bucket.duration.count == 4);
    CHECK(bucket.duration.average_ms == 25.0);
    CHECK(bucket.duration.min_ms == 10.0);
    CHECK(bucket.duration.max_ms == 40.0);
    CHECK(bucket.duration.p99_ms <= 40.0);
    CHECK(bucket.duration.p99_ms >= 38.7);
}

TEST_CASE("percentiles of a closed bucket are of that bucket alone") {
    Stats<> stats;
    for (int i = 0; i < 100; ++i) { end_at(stats, noon, 10ms); }
    for (int i = 0; i < 100; ++i) { end_at(stats, noon + 1min, 1s); }
    end_at(stats, noon + 2min, 100s);
    const auto timeline = timeline_at(stats, noon + 2min);
    REQUIRE(timeline.minutes.size() == 3);
    CHECK(timeline.minutes[0].duration.p50_ms == 10.0);
    CHECK(timeline.minutes[0].duration.p999_ms == 10.0);
    CHECK(timeline.minutes[1].duration.p50_ms == 1000.0);
    CHECK(timeline.hours.at(0).duration.count == 201);
    CHECK(timeline.hours[0].duration.max_ms == 100'000.0);
    CHECK(timeline.hours[0].duration.p95_ms < 1033.0);
}

TEST_CASE("as many buckets are shown as are kept, the one under way included") {
    Stats<> stats;
    sys_time at = noon;
    for (int i = 0; i < 1000; ++i, at += 1min) { end_at(stats, at); }
    CHECK(timeline_at(stats, at - 1min).minutes.size() == 120);
    CHECK(timeline_at(stats, at - 1min).minutes.front().begin == at - 120min);
    for (int i = 0; i < 1000; ++i, at += 1h) { end_at(stats, at); }
    CHECK(timeline_at(stats, at - 1h).hours.size() == 168);
    for (int i = 0; i < 1000; ++i, at += 24h) { end_at(stats, at); }
    CHECK(timeline_at(stats, at - 24h).days.size() == 120);
    CHECK(stats.snapshot(at, {}).total_executions == 3000);
}

TEST_CASE("buckets in which nothing ended are left out, and old ones disappear while nothing ends") {
    Stats<> stats;
    end_at(stats, noon);
    end_at(stats, noon + 90min);
    CHECK(timeline_at(stats, noon + 90min).minutes.size() == 2);
    CHECK(timeline_at(stats, noon + 119min).minutes.size() == 2);
    CHECK(timeline_at(stats, noon + 120min).minutes.size() == 1);
    CHECK(timeline_at(stats, noon + 24h).minutes.empty());
    CHECK(timeline_at(stats, noon + 24h).hours.size() == 2);
}

TEST_CASE("what is a little late counts in the bucket under way") {
    Stats<> stats;
    end_at(stats, noon);
    end_at(stats, noon - 1us);
    end_at(stats, noon - 1min);
    const auto minutes = timeline_at(stats, noon).minutes;
    REQUIRE(minutes.size() == 1);
    CHECK(minutes[0].total_executions == 3);
}

TEST_CASE("a wall clock set back adds to the buckets of the time that comes again") {
    Stats<> stats;
    end_at(stats, noon, 1ms);
    end_at(stats, noon + 30min, 1ms);
    end_at(stats, noon, 9ms); // set back by half an hour
    end_at(stats, noon, 9ms);
    auto minutes = timeline_at(stats, noon).minutes;
    REQUIRE(minutes.size() == 1);
    CHECK(minutes[0].total_executions == 3);
    CHECK(minutes[0].duration.min_ms == 1.0);
    CHECK(minutes[0].duration.max_ms == 9.0);
    CHECK(minutes[0].duration.p50_ms == 9.0); // the time through that measured more
    CHECK(timeline_at(stats, noon + 30min).minutes.size() == 2);
    end_at(stats, noon + 30min);
    minutes = timeline_at(stats, noon + 30min).minutes;
    REQUIRE(minutes.size() == 2);
    CHECK(minutes[1].total_executions == 2);
    CHECK(stats.snapshot(noon, {}).total_executions == 5);
    CHECK(stats.snapshot(noon, {}).duration.count == 5);
}

TEST_CASE("a wall clock that is years ahead for a moment costs no bucket but those whose place it takes") {
    Stats<> stats;
    for (int i = 0; i < 100; ++i) { end_at(stats, noon + std::chrono::minutes{i}); }
    const sys_time now = noon + 99min;
    end_at(stats, now + 24h * 365 * 70);
    CHECK(timeline_at(stats, now + 24h * 365 * 70).minutes.size() == 1);
    end_at(stats, now + 30s);
    const auto timeline = timeline_at(stats, now + 30s);
    CHECK(timeline.minutes.size() >= 99);
    CHECK(sum_of(timeline.minutes) >= 100);
    CHECK(sum_of(timeline.days) == 101);
    CHECK(stats.snapshot(now, {}).total_executions == 102);
}

TEST_CASE("the ends of time do no harm") {
    Stats<> stats;
    const sys_time now = noon + 7min; // shares no place with them
    for (const sys_time at : {sys_time::max(), sys_time::min(), now, sys_time::max(), now}) { end_at(stats, at); }
    CHECK(stats.snapshot(sys_time::min(), steady_time::min()).total_executions == 5);
    CHECK(stats.snapshot(sys_time::max(), steady_time::max()).total_executions == 5);
    CHECK(sum_of(timeline_at(stats, now).minutes) == 2);
}

TEST_CASE("a clear empties the timeline, also in the middle of a minute") {
    Stats<> stats;
    end_at(stats, noon - 1h);
    end_at(stats, noon);
    stats.clear(noon + 1s);
    CHECK(timeline_at(stats, noon + 2s).minutes.empty());
    end_at(stats, noon + 3s);
    const auto all = stats.snapshot(noon + 3s, {});
    REQUIRE(all.timeline.minutes.size() == 1);
    CHECK(all.timeline.minutes[0].begin == noon);
    CHECK(all.timeline.hours.size() == 1);
    CHECK(all.total_executions == 1);
    CHECK(all.counted_since == noon + 1s);
    CHECK(all.lifetime_executions == 3);
}
