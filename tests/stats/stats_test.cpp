// SPDX-License-Identifier: MIT
#include <daybook/stats/stats.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace daybook;
using namespace std::chrono_literals;

namespace {

StatsSnapshot snapshot_of(const Stats<>& stats) { return stats.snapshot({}, {}); }

} // namespace

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
    const auto all = snapshot_of(stats);
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
    const auto all = snapshot_of(stats);
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
    const auto all = snapshot_of(stats);
    CHECK(all.cancelled_count == 1);
    CHECK(all.total_executions == 0);
    CHECK(all.lifetime_executions == 0);
    CHECK(all.duration.count == 0);
    CHECK(all.success_rate == 100.0);
}

TEST_CASE("an execution that never ran has no duration to measure") {
    Stats<> stats;
    stats.record_end({.status = JobStatus::abandoned});
    CHECK(snapshot_of(stats).abandoned_count == 1);
    CHECK(snapshot_of(stats).error_count == 1);
    CHECK(snapshot_of(stats).duration.count == 0);
}

TEST_CASE("drift and queue delay are distributions of their own") {
    Stats<> stats;
    stats.record_start(2ms, std::nullopt);
    stats.record_start(std::nullopt, 8ms);
    stats.record_start(-4ms, 4ms);
    const auto all = snapshot_of(stats);
    CHECK(all.drift.count == 2);
    CHECK(all.drift.average_ms == 1.0);
    CHECK(all.queue_delay.average_ms == 6.0);
    CHECK(all.duration.count == 0);
}

TEST_CASE("a clear sets back everything but the lifetime's count") {
    Stats<> stats{1, 1};
    stats.record_end({.duration = 1ms, .handler = stats.add_handler("h"), .job = stats.add_job("j")});
    stats.record_skip({.occurrences = 3});
    stats.clear();
    const auto all = snapshot_of(stats);
    CHECK(all.total_executions == 0);
    CHECK(all.skipped_count == 0);
    CHECK(all.by_handler.empty());
    CHECK(all.by_job.empty());
    CHECK(all.lifetime_executions == 1);
    CHECK(stats.add_handler("again") != StatsGroup::other);
}

TEST_CASE("skips are counted by reason, every reason being named") {
    Stats<> stats;
    stats.record_skip({.reason = SkipReason::overlap, .occurrences = 3});
    stats.record_skip({.reason = SkipReason::misfire, .occurrences = 1'000'000'000'000});
    stats.record_skip({.reason = SkipReason::overlap});
    const auto all = snapshot_of(stats);
    CHECK(all.skips_by_reason.size() == 8);
    CHECK(all.skips_by_reason.at("overlap") == 4);
    CHECK(all.skips_by_reason.at("misfire") == 1'000'000'000'000);
    CHECK(all.skips_by_reason.at("paused") == 0);
    CHECK(all.skipped_count == 1'000'000'000'004);
}

TEST_CASE("counts of the lifetime go on over a clear, each under its name") {
    Stats<> stats{8, 8, sys_time{1h}};
    CHECK(snapshot_of(stats).counted_since == sys_time{1h});
    stats.record_end({.status = JobStatus::success, .duration = 1ms});
    stats.record_end({.status = JobStatus::timeout, .attempt_number = 2, .duration = 1ms});
    stats.record_end({.status = JobStatus::cancelled});
    stats.clear(sys_time{2h});
    stats.record_end({.status = JobStatus::success, .duration = 1ms});
    stats.record_skip({.occurrences = 2});
    const auto all = snapshot_of(stats);
    CHECK(all.counted_since == sys_time{2h});
    CHECK(all.total_executions == 1);
    CHECK(all.retry_count == 0);
    CHECK(all.lifetime_executions == 3);
    CHECK(all.lifetime.total_executions == 3);
    CHECK(all.lifetime.success_count == 2);
    CHECK(all.lifetime.timeout_count == 1);
    CHECK(all.lifetime.cancelled_count == 1);
    CHECK(all.lifetime.retry_count == 1);
    CHECK(all.lifetime.skipped_count == 2);
    CHECK(all.lifetime.success_rate == 66.67);
}

TEST_CASE("the one in a thousand that takes long shows in p99.9 and in nothing below") {
    Stats<> stats;
    for (int i = 0; i < 1998; ++i) { stats.record_end({.duration = 1ms}); }
    stats.record_end({.duration = 1s});
    stats.record_end({.duration = 1s});
    CHECK(snapshot_of(stats).p99_ms < 1.04);
    CHECK(snapshot_of(stats).p999_ms < 1.04);
    stats.record_end({.duration = 1s});
    CHECK(snapshot_of(stats).p999_ms > 968.0);
    CHECK(snapshot_of(stats).duration.p999_ms == snapshot_of(stats).p999_ms);
    CHECK(snapshot_of(stats).by_handler.at("other").duration.p999_ms > 968.0);
}

TEST_CASE("a snapshot that is taken in turns starts over when a clear or another minute comes between") {
    Stats<> stats{100, 1000};
    std::vector<StatsGroup> handlers;
    for (int i = 0; i < 50; ++i) { handlers.push_back(stats.add_handler("h" + std::to_string(i))); }
    for (const auto handler : handlers) { stats.record_end({.duration = 1ms, .handler = handler}); }
    std::size_t turns = 0;
    const auto asked = [&](std::size_t turn_to_disturb, const std::function<void()>& disturb) {
        turns = 0;
        return stats.snapshot({}, {}, [&](auto&& work) {
            if (++turns == turn_to_disturb) { disturb(); }
            work();
        });
    };
    const auto calm = asked(0, [] {});
    const std::size_t calm_turns = turns;
    CHECK(calm_turns > 10); // no single turn does much
    CHECK(calm.by_handler.size() == 50);
    const auto later = asked(3, [&] { stats.record_end({.at = sys_time{1min}}); });
    CHECK(turns > calm_turns);
    CHECK(later.total_executions == 51);
    CHECK(later.timeline.minutes.size() == 2);
    const auto cleared = asked(8, [&] { stats.clear(); });
    CHECK(cleared.total_executions == 0);
    CHECK(cleared.by_handler.empty());
    CHECK(cleared.timeline.days.empty());
}

TEST_CASE("what is a little late closes no minute, and makes nobody who asks start over") {
    Stats<> stats;
    const sys_time at{1000h};
    stats.record_end({.at = at});
    std::size_t calm = 0;
    (void)stats.snapshot(at, {}, [&](auto&& work) {
        work();
        ++calm;
    });
    std::size_t turns = 0;
    (void)stats.snapshot(at, {}, [&](auto&& work) {
        work();
        if (++turns < 1000) { stats.record_end({.at = at - 30s}); }
    });
    CHECK(turns == calm);
}

TEST_CASE("whoever asks has an answer also while the clock goes to and fro all the time") {
    Stats<> stats;
    const sys_time at = sys_time{1000h} + 30min;
    const auto handler = stats.add_handler("a");
    const auto job = stats.add_job("j");
    std::size_t turns = 0;
    std::size_t ends = 0;
    const auto disturbed = [&](auto&& work) {
        const auto answer = work();
        if (++turns > 1000) { return answer; }
        stats.record_end({.duration = 1ms, .handler = handler, .job = job, .at = at - (ends++ % 2) * 2min});
        return answer;
    };
    stats.record_end({.duration = 1ms, .handler = handler, .job = job, .at = at - 2min});
    SECTION("for all figures") {
        const auto all = stats.snapshot(at, {}, disturbed);
        CHECK(turns < 100);
        CHECK(all.total_executions == ends);
        CHECK(all.by_handler.at("a").total == ends);
        CHECK(all.by_handler.at("a").duration.count == ends);
        CHECK(all.by_job.at("j").success_count == ends);
        CHECK(all.timeline.minutes.size() == 2);
        CHECK(all.timeline.hours.at(0).total_executions == ends);
    }
    SECTION("for a range of time") {
        const auto range = stats.range(at - 1h, at + 1h, at, disturbed);
        CHECK(turns < 100);
        CHECK(range.total_executions == ends);
        CHECK(range.by_handler.at("a").total_executions == ends);
    }
}

TEST_CASE("the turn that reads everything at once tells that it was the one") {
    Stats<> stats;
    std::size_t turns = 0;
    bool is_told = false;
    (void)stats.snapshot({}, {}, [&](auto&& work) {
        is_told = work();
        stats.record_end({.at = sys_time{} + (++turns % 2) * 2min});
    });
    CHECK(turns > 2);
    CHECK(is_told);
}

TEST_CASE("a retry that never ran is not counted as one") {
    Stats<> stats;
    const auto handler = stats.add_handler("a");
    stats.record_end({.status = JobStatus::cancelled, .attempt_number = 2, .handler = handler});
    CHECK(snapshot_of(stats).retry_count == 0);
    CHECK(snapshot_of(stats).by_handler.at("a").retry_count == 0);
    stats.record_end({.status = JobStatus::cancelled, .attempt_number = 2, .duration = 1ms, .handler = handler});
    CHECK(snapshot_of(stats).retry_count == 1);
    CHECK(snapshot_of(stats).by_handler.at("a").retry_count == 1);
}

TEST_CASE("the rest is shown as soon as something was measured, also before any attempt was final") {
    Stats<> stats{0, 0};
    stats.record_end({.status = JobStatus::error, .is_final = false, .duration = 5ms});
    CHECK(snapshot_of(stats).by_handler.at("other").duration.count == 1);
}

TEST_CASE("what is recorded between the turns of a snapshot changes no count of it") {
    Stats<> stats{100, 100};
    std::vector<StatsGroup> handlers;
    for (int i = 0; i < 20; ++i) { handlers.push_back(stats.add_handler("h" + std::to_string(i))); }
    const auto all = stats.snapshot({}, {}, [&](auto&& work) {
        for (const auto handler : handlers) { stats.record_end({.duration = 1ms, .handler = handler}); }
        work();
    });
    CHECK(all.total_executions == 20);
    for (const auto& [name, handler] : all.by_handler) { CHECK(handler.total == 1); }
}

TEST_CASE("the rest has a name that nothing else has, and it is told") {
    for (const auto& names : {std::vector<std::string>{"other", "(other)"}, {"(other)", "other"}, {"((other))", "a"}}) {
        Stats<> stats{2, 2};
        for (const auto& name : names) {
            stats.record_end({.handler = stats.add_handler(name), .job = stats.add_job(name)});
        }
        for (int i = 0; i < 3; ++i) { stats.record_end({}); }
        const auto all = snapshot_of(stats);
        CHECK(all.by_handler.size() == 3);
        CHECK(all.by_job.size() == 3);
        for (const auto& name : names) { CHECK(all.by_handler.at(name).total == 1); }
        for (const auto& name : names) { CHECK(all.by_job.at(name).total_executions == 1); }
        CHECK(all.by_handler.at(all.rest_of_handlers).total == 3);
        CHECK(all.by_job.at(all.rest_of_jobs).total_executions == 3);
    }
}

TEST_CASE("where there is no rest, it has no name") {
    Stats<> stats{1, 1};
    stats.record_end({.handler = stats.add_handler("other"), .job = stats.add_job("other")});
    CHECK(snapshot_of(stats).rest_of_handlers.empty());
    CHECK(snapshot_of(stats).rest_of_jobs.empty());
}

TEST_CASE("memory is bounded by the caps, and said") {
    Stats<> stats{4, 4};
    const std::size_t before = stats.memory_bytes();
    for (int i = 0; i < 1000; ++i) {
        (void)stats.add_handler("handler " + std::to_string(i));
        (void)stats.add_job("job " + std::to_string(i));
    }
    CHECK(stats.memory_bytes() > before + 4 * 5'000);
    CHECK(stats.memory_bytes() < before + 4 * 7'000);
    CHECK(sizeof(Stats<>) + before < 130'000);
}

TEST_CASE("the longest names there may be keep within the limit that is said") {
    Stats<> stats{5, 100};
    const std::string name(255, 'x');
    for (int i = 0; i < 100; ++i) {
        (void)stats.add_handler(name);
        (void)stats.add_job(name);
        REQUIRE(stats.memory_bytes() <= stats.memory_limit(name.size()));
    }
}

TEST_CASE("the statistics of many handlers that seldom run take less than 400 KB by default") {
    Stats<> stats;
    for (int i = 0; i < 1000; ++i) { (void)stats.add_handler("handler " + std::to_string(i)); }
    CHECK(sizeof stats + stats.memory_bytes() < 400'000);
}

TEST_CASE("a handler knows how late its executions started, and how long they waited") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    stats.record_start(30ms, 10ms, a);
    stats.record_start(10ms, std::nullopt, a);
    stats.record_start(-5ms, 2ms, a); // early
    stats.record_start(1s, 1s);
    stats.record_end({.handler = a});
    const auto all = snapshot_of(stats);
    const auto& found = all.by_handler.at("a");
    CHECK(found.drift.count == 3);
    CHECK(std::abs(found.drift.average_ms - 40.0 / 3) < 1e-9);
    CHECK(found.drift.min_ms == 0.0);
    CHECK(found.drift.max_ms == 30.0);
    CHECK(found.queue_delay.count == 2);
    CHECK(found.queue_delay.average_ms == 6.0);
    CHECK(all.drift.count == 4);
    stats.clear();
    CHECK(snapshot_of(stats).by_handler.empty());
}
