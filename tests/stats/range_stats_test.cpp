// SPDX-License-Identifier: MIT
#include <daybook/stats/stats.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>

using namespace daybook;
using namespace std::chrono_literals;

namespace {

const sys_time noon = std::chrono::sys_days{std::chrono::January / 15 / 2024} + 12h;

void end_at(Stats<>& stats, StatsGroup handler, sys_time at, std::chrono::nanoseconds duration = 1ms,
            JobStatus status = JobStatus::success) {
    stats.record_end({.status = status, .duration = duration, .handler = handler, .at = at});
}

} // namespace

TEST_CASE("a range is answered by handler and by hour") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    const auto b = stats.add_handler("b");
    end_at(stats, a, noon - 2h, 1s);
    end_at(stats, a, noon, 10ms);
    end_at(stats, a, noon + 59min, 30ms, JobStatus::error);
    end_at(stats, b, noon + 1h, 50ms);
    end_at(stats, b, noon + 2h, 1s);
    const auto range = stats.range(noon, noon + 2h, noon + 2h);
    CHECK(range.total_executions == 3);
    CHECK(range.error_count == 1);
    CHECK(range.success_rate == 66.67);
    CHECK(range.duration.count == 3);
    CHECK(range.duration.average_ms == 30.0);
    CHECK(range.duration.min_ms == 10.0);
    CHECK(range.duration.max_ms == 50.0);
    REQUIRE(range.by_handler.size() == 2);
    CHECK(range.by_handler.at("a").total_executions == 2);
    CHECK(range.by_handler.at("a").duration.average_ms == 20.0);
    CHECK(range.by_handler.at("a").duration.max_ms == 30.0);
    CHECK(range.by_handler.at("b").duration.min_ms == 50.0);
    REQUIRE(range.timeline.size() == 2);
    CHECK(range.timeline[0].begin == noon);
    CHECK(range.timeline[0].total_executions == 2);
    CHECK(range.timeline[1].begin == noon + 1h);
}

TEST_CASE("a range is taken to the whole hours around it, and says so") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    end_at(stats, StatsGroup::other, noon + 59min);
    const auto range = stats.range(noon + 10min, noon + 20min, noon + 1h);
    CHECK(range.from == noon);
    CHECK(range.to == noon + 1h);
    CHECK(range.resolution == 1h);
    CHECK(range.total_executions == 2);
    CHECK(range.by_handler.at("other").total_executions == 2);
}

TEST_CASE("an empty range holds nothing, nor does one that ends before it begins") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    CHECK(stats.range(noon, noon, noon).total_executions == 0);
    CHECK(stats.range(noon + 5h, noon - 5h, noon).total_executions == 0);
    CHECK(stats.range(noon + 5h, noon - 5h, noon).timeline.empty());
}

TEST_CASE("a range reaches back a week, and says when that is not enough") {
    Stats<> stats;
    for (int hour = 0; hour < 500; ++hour) { end_at(stats, StatsGroup::other, noon + std::chrono::hours{hour}); }
    const sys_time now = noon + 499h;
    const auto all = stats.range(noon, now + 1h, now);
    CHECK_FALSE(all.is_complete);
    CHECK(all.total_executions == 168);
    CHECK(all.from == now - 167h);
    CHECK(all.to == now + 1h);
    const auto week = stats.range(now - 167h, now + 1h, now);
    CHECK(week.is_complete);
    CHECK(week.total_executions == 168);
    CHECK(week.by_handler.at("other").total_executions == 168);
}

TEST_CASE("a range ends with the hour under way, in the last minute of that hour too") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    const sys_time last_minute = noon + 59min + 30s;
    CHECK(stats.range(noon, sys_time::max(), last_minute).to == noon + 1h);
    CHECK(stats.range(noon, noon + 2h, last_minute).to == noon + 1h);
    CHECK(stats.range(noon + 1h, noon + 2h, last_minute).to == noon + 1h);
    end_at(stats, StatsGroup::other, noon + 1h); // while the clock was read
    const auto range = stats.range(noon, sys_time::max(), last_minute);
    CHECK(range.to == noon + 2h);
    CHECK(range.total_executions == 2);
}

TEST_CASE("nothing is known of the time before a clear") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    stats.clear(noon + 90min);
    end_at(stats, StatsGroup::other, noon + 100min);
    const auto range = stats.range(noon, noon + 2h, noon + 2h);
    CHECK(range.total_executions == 1);
    CHECK_FALSE(range.is_complete);
    CHECK(stats.range(noon + 90min, noon + 2h, noon + 2h).is_complete);
}

TEST_CASE("all there is can be asked for") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    const auto all = stats.range(sys_time::min(), sys_time::max(), noon);
    CHECK(all.total_executions == 1);
    CHECK(all.from == noon - 167h);
    CHECK(all.to == noon + 1h);
    CHECK_FALSE(all.is_complete);
    CHECK(stats.range(sys_time::max(), sys_time::min(), noon).total_executions == 0);
}

TEST_CASE("the rest of a range is not called as a handler is, though that has nothing to count") {
    Stats<> stats{1, 1};
    end_at(stats, stats.add_handler("other"), noon);
    end_at(stats, StatsGroup::other, noon + 1h);
    const auto range = stats.range(noon + 1h, noon + 2h, noon + 1h);
    CHECK(range.by_handler.size() == 1);
    CHECK(range.rest_of_handlers == "(other)");
    CHECK(range.by_handler.at("(other)").total_executions == 1);
}

TEST_CASE("skips are counted by hour too") {
    Stats<> stats;
    const auto handler = stats.add_handler("a");
    stats.record_skip({.occurrences = UINT64_MAX / 4, .handler = handler, .at = noon - 1h});
    stats.record_skip({.occurrences = 3, .handler = handler, .at = noon});
    end_at(stats, handler, noon + 1h);
    CHECK(stats.range(noon, noon + 1h, noon + 1h).by_handler.at("a").skipped_count == 3);
    CHECK(stats.range(noon - 1h, noon, noon).by_handler.at("a").skipped_count == UINT32_MAX); // as far as it goes
}

TEST_CASE("a handler that comes in the middle of an hour begins at zero") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    end_at(stats, stats.add_handler("late"), noon + 30min);
    CHECK(stats.range(noon, noon + 1h, noon + 30min).by_handler.at("late").total_executions == 1);
    end_at(stats, StatsGroup::other, noon + 1h);
    CHECK(stats.range(noon, noon + 1h, noon + 1h).by_handler.at("late").total_executions == 1);
    CHECK_FALSE(stats.range(noon + 1h, noon + 2h, noon + 1h).by_handler.contains("late"));
}

TEST_CASE("a range says that an hour of it is missing whose place one of a clock far off has taken") {
    for (const auto weeks : {-3000, 3000}) {
        INFO(weeks << " weeks off");
        Stats<> stats;
        const auto handler = stats.add_handler("a");
        for (auto hours = 400h; hours >= 0h; hours -= 1h) { end_at(stats, handler, noon - hours); }
        REQUIRE(stats.range(noon - 50h, noon + 1h, noon).is_complete);
        end_at(stats, handler, noon - 20h + weeks * 168h);
        end_at(stats, handler, noon);
        const auto range = stats.range(noon - 50h, noon + 1h, noon);
        CHECK(range.total_executions == 51); // 52 but for the one that is lost
        CHECK_FALSE(range.is_complete);
    }
}

TEST_CASE("a range without the hour that was lost is complete") {
    Stats<> stats;
    for (auto hours = 400h; hours >= 0h; hours -= 1h) { end_at(stats, StatsGroup::other, noon - hours); }
    end_at(stats, StatsGroup::other, noon - 20h + 3000 * 168h);
    end_at(stats, StatsGroup::other, noon);
    CHECK(stats.range(noon - 19h, noon + 1h, noon).is_complete);
    CHECK(stats.range(noon - 50h, noon - 20h, noon).is_complete);
}

TEST_CASE("an hour in which nothing ended is no loss") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    end_at(stats, StatsGroup::other, noon - 20h + 3000 * 168h);
    end_at(stats, StatsGroup::other, noon);
    CHECK(stats.range(noon - 50h, noon + 1h, noon).is_complete);
}

TEST_CASE("what was lost is forgotten with a clear") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    end_at(stats, StatsGroup::other, noon + 3000 * 168h);
    end_at(stats, StatsGroup::other, noon + 1h);
    stats.clear();
    CHECK(stats.range(noon - 50h, noon + 2h, noon + 1h).is_complete);
}
