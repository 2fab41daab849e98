// SPDX-License-Identifier: MIT
#include <daybook/stats/stats.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace daybook;
using namespace std::chrono_literals;

namespace {

const sys_time noon = std::chrono::sys_days{std::chrono::January / 15 / 2024} + 12h;

void end_at(Stats<>& stats, StatsGroup handler, sys_time at, const RequestCounts& requests = {},
            JobStatus status = JobStatus::success) {
    stats.record_end({.status = status, .duration = 1ms, .handler = handler, .at = at, .requests = requests});
}

void end_model(Stats<>& stats, StatsGroup handler, std::string_view model, sys_time at = noon) {
    stats.record_end({.duration = 1ms, .handler = handler, .at = at, .model = model});
}

[[nodiscard]] StatsSnapshot snapshot(const Stats<>& stats, sys_time now = noon) { return stats.snapshot(now, {}); }

} // namespace

TEST_CASE("what executions worked through is summed, overall and by handler") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    end_at(stats, a, noon, {.total = 10, .completed = 7, .failed = 3}, JobStatus::error);
    end_at(stats, a, noon, {.total = 5, .completed = 5});
    end_at(stats, StatsGroup::other, noon, {.total = 2, .completed = 1, .failed = 1});
    const auto all = snapshot(stats);
    CHECK(all.requests == RequestCounts{.total = 17, .completed = 13, .failed = 4});
    CHECK(all.by_handler.at("a").requests == RequestCounts{.total = 15, .completed = 12, .failed = 3});
}

TEST_CASE("an execution that reported nothing is one request") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon);
    end_at(stats, StatsGroup::other, noon, {}, JobStatus::timeout);
    end_at(stats, StatsGroup::other, noon, {}, JobStatus::cancelled);
    CHECK(snapshot(stats).requests == RequestCounts{.total = 3, .completed = 1, .failed = 1});
}

TEST_CASE("a total that is not known is what was done") {
    Stats<> stats;
    end_at(stats, StatsGroup::other, noon, {.completed = 4, .failed = 2});
    CHECK(snapshot(stats).requests == RequestCounts{.total = 6, .completed = 4, .failed = 2});
}

TEST_CASE("an attempt that is retried has worked through nothing yet") {
    Stats<> stats;
    stats.record_end({.status = JobStatus::error, .is_final = false, .at = noon, .requests = {.total = 5}});
    CHECK(snapshot(stats).requests == RequestCounts{});
    CHECK(snapshot(stats).by_model.empty());
}

TEST_CASE("sums of requests stop at the largest number") {
    Stats<> stats;
    for (int i = 0; i < 3; ++i) { end_at(stats, StatsGroup::other, noon, {.total = UINT64_MAX, .completed = 1}); }
    end_at(stats, StatsGroup::other, noon + 1h, {.total = 1, .completed = 1});
    CHECK(snapshot(stats, noon + 1h).requests == RequestCounts{.total = UINT64_MAX, .completed = 4});
}

TEST_CASE("requests are known by hour, and by handler and hour") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    end_at(stats, a, noon, {.total = 10, .completed = 10});
    end_at(stats, a, noon + 1h, {.total = 20, .completed = 15, .failed = 5});
    end_at(stats, StatsGroup::other, noon + 1h);
    end_at(stats, a, noon + 2h, {.total = 40, .completed = 40});
    const auto range = stats.range(noon + 1h, noon + 2h, noon + 2h);
    CHECK(range.requests == RequestCounts{.total = 21, .completed = 16, .failed = 5});
    CHECK(range.by_handler.at("a").requests == RequestCounts{.total = 20, .completed = 15, .failed = 5});
    CHECK(range.timeline.at(0).requests == range.requests);
    CHECK(stats.range(noon + 1h, noon + 3h, noon + 2h).requests.total == 61);
}

TEST_CASE("an hour that the wall clock goes through twice is one") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    end_at(stats, a, noon, {.total = 3, .completed = 3});
    end_at(stats, a, noon + 1h);
    end_at(stats, a, noon, {.total = 4, .completed = 4});
    end_at(stats, a, noon + 1h);
    CHECK(stats.range(noon, noon + 1h, noon + 1h).by_handler.at("a").requests.total == 7);
    CHECK(stats.range(noon, noon + 1h, noon + 1h).by_model.at("a") == 2);
}

TEST_CASE("executions are counted by model, and by handler where they have none") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    const auto b = stats.add_handler("b");
    end_model(stats, a, "large");
    end_model(stats, b, "large");
    end_model(stats, a, {});
    end_model(stats, b, "a"); // as the handler is called
    const auto all = snapshot(stats);
    CHECK(all.by_model.size() == 2);
    CHECK(all.by_model.at("large") == 2);
    CHECK(all.by_model.at("a") == 2);
    CHECK(all.rest_of_models.empty());
}

TEST_CASE("models past the cap are counted together, under a name that none has") {
    Stats<> stats{2, 2};
    const auto a = stats.add_handler("a");
    for (const auto* model : {"other", "one", "two", "three"}) { end_model(stats, a, model); }
    for (int i = 0; i < 100; ++i) { end_model(stats, a, "model " + std::to_string(i)); }
    end_model(stats, StatsGroup::other, {});
    const auto all = snapshot(stats);
    CHECK(all.by_model.size() == 4); // the handler's own place is kept for it
    CHECK(all.rest_of_models == "(other)");
    CHECK(all.by_model.at("(other)") == 102);
}

TEST_CASE("models are known by hour") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    end_model(stats, a, "large", noon);
    end_model(stats, a, "large", noon + 1h);
    end_model(stats, a, "small", noon + 1h);
    end_model(stats, a, "large", noon + 2h);
    const auto range = stats.range(noon, noon + 2h, noon + 2h);
    CHECK(range.by_model.at("large") == 2);
    CHECK(range.by_model.at("small") == 1);
    CHECK(stats.range(noon + 2h, noon + 3h, noon + 2h).by_model.size() == 1);
}

TEST_CASE("a clear forgets requests and models") {
    Stats<> stats;
    end_model(stats, stats.add_handler("a"), "large");
    stats.clear();
    CHECK(snapshot(stats).by_model.empty());
    CHECK(snapshot(stats).requests == RequestCounts{});
    CHECK(snapshot(stats).lifetime.requests.total == 1);
    end_model(stats, stats.add_handler("a"), {}, noon + 1h);
    CHECK(snapshot(stats, noon + 1h).by_model.at("a") == 1);
    CHECK(stats.range(noon, noon + 2h, noon + 1h).by_model.size() == 1);
}

TEST_CASE("a handler takes room for the hours in which it ran, and for no others") {
    Stats<> stats;
    const auto a = stats.add_handler("a");
    const auto b = stats.add_handler("b");
    const auto before = stats.memory_bytes();
    for (int hour = 0; hour < 1000; ++hour) { end_at(stats, a, noon + std::chrono::hours{hour}); }
    const auto busy = stats.memory_bytes() - before;
    CHECK(busy < 2 * 256 * 112);
    CHECK(busy > 168 * 96);
    end_at(stats, b, noon + 1000h);
    end_at(stats, a, noon + 1001h);
    CHECK(stats.memory_bytes() - before < busy + 1000);
    CHECK(stats.memory_bytes() <= stats.memory_limit(1));
    const auto now = noon + 1001h;
    CHECK(stats.range(now - 167h, now + 1h, now).by_handler.at("a").total_executions == 167);
    CHECK(stats.range(now - 167h, now + 1h, now).by_handler.at("b").total_executions == 1);
}
