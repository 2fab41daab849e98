// SPDX-License-Identifier: MIT
#include <daybook/stats/stats.hpp>

#include "support/catch.hpp"

#include <chrono>

using namespace daybook;
using namespace std::chrono_literals;

namespace {

void end_at(Stats<>& stats, steady_time at, JobStatus status = JobStatus::success) {
    stats.record_end({.status = status, .duration = 1ms, .steady_at = at});
}

Rates rates_at(const Stats<>& stats, steady_time now) { return stats.snapshot({}, now).rates; }

const steady_time start{1000s};

} // namespace

TEST_CASE("without executions all rates are zero") {
    const auto rates = rates_at(Stats<>{}, start);
    CHECK(rates.last_minute.executions == 0);
    CHECK(rates.last_hour.per_minute == 0.0);
}

TEST_CASE("a rate counts what ended within its window, and how much of it failed") {
    Stats<> stats;
    end_at(stats, start);
    end_at(stats, start + 50min, JobStatus::error);
    end_at(stats, start + 57min, JobStatus::timeout);
    end_at(stats, start + 59min);
    end_at(stats, start + 59min + 50s);
    const auto rates = rates_at(stats, start + 59min + 50s);
    CHECK(rates.last_minute.executions == 2);
    CHECK(rates.last_minute.errors == 0);
    CHECK(rates.last_minute.per_minute == 2.0);
    CHECK(rates.last_5_minutes.executions == 3);
    CHECK(rates.last_5_minutes.errors == 1);
    CHECK(rates.last_5_minutes.per_minute == 0.6);
    CHECK(rates.last_15_minutes.executions == 4);
    CHECK(rates.last_15_minutes.errors == 2);
    CHECK(rates.last_hour.executions == 5);
    CHECK(rates.last_hour.per_minute == 5.0 / 60.0);
}

TEST_CASE("a job that runs every minute counts once in the last minute, whenever one asks") {
    Stats<> stats;
    end_at(stats, start);
    for (auto now = start; now < start + 10min; now += 1s) {
        if ((now - start) % 1min == 0s && now != start) { end_at(stats, now); }
        REQUIRE(rates_at(stats, now).last_minute.executions == 1);
    }
    CHECK(rates_at(stats, start + 9min + 59s).last_5_minutes.executions == 5);
}

TEST_CASE("a rate fades while nothing ends") {
    Stats<> stats;
    for (int i = 0; i < 10; ++i) { end_at(stats, start); }
    CHECK(rates_at(stats, start + 59s).last_minute.executions == 10);
    CHECK(rates_at(stats, start + 60s).last_minute.executions == 0);
    CHECK(rates_at(stats, start + 59min + 59s).last_hour.executions == 10);
    CHECK(rates_at(stats, start + 60min).last_hour.executions == 0);
    end_at(stats, start + 3h);
    CHECK(rates_at(stats, start + 3h).last_hour.executions == 1);
}

TEST_CASE("setting the wall clock changes no rate") {
    Stats<> stats;
    const sys_time wall{std::chrono::hours{24 * 365 * 54}};
    stats.record_end({.at = wall, .steady_at = start});
    stats.record_end({.at = wall - 5h, .steady_at = start + 10s});
    stats.record_end({.at = wall + 24h * 365, .steady_at = start + 20s});
    CHECK(stats.snapshot(wall, start + 20s).rates.last_minute.executions == 3);
}

TEST_CASE("cancelled executions, attempts to be retried and skips have no part in a rate") {
    Stats<> stats;
    end_at(stats, start, JobStatus::cancelled);
    stats.record_end({.status = JobStatus::error, .is_final = false, .steady_at = start});
    stats.record_skip({.occurrences = 5});
    CHECK(rates_at(stats, start).last_minute.executions == 0);
    CHECK(rates_at(stats, start).last_minute.errors == 0);
}

TEST_CASE("what is a little late counts in the step under way") {
    Stats<> stats;
    end_at(stats, start);
    end_at(stats, start - 1ns);
    CHECK(rates_at(stats, start).last_minute.executions == 2);
    CHECK(rates_at(stats, start - 1ns).last_minute.executions == 2);
}

TEST_CASE("a clear starts the rates anew, also in the middle of a step") {
    Stats<> stats;
    for (int i = 0; i < 5; ++i) { end_at(stats, start + 1s); }
    stats.clear();
    CHECK(rates_at(stats, start + 2s).last_hour.executions == 0);
    end_at(stats, start + 3s);
    CHECK(rates_at(stats, start + 3s).last_minute.executions == 1);
}
