// SPDX-License-Identifier: MIT
#include <daybook/http/health_api.hpp>
#include <daybook/http/router.hpp>
#include <daybook/job/completion.hpp>
#include <daybook/schedule/cron.hpp>
#include <daybook/schedule/every.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/testing/memory_store.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace http = daybook::http;
using namespace std::chrono_literals;

namespace {

/// A scheduler that the test polls, and a router that shows how it is.
struct HealthFixture {
    daybook::ManualClock clock{std::chrono::sys_days{2025y / 10 / 26} + 8h + 59min + 58s};
    daybook::Scheduler<> scheduler{{.workers = 0, .clock = clock}};
    http::Router router;

    HealthFixture() { router.add(http::health_api(scheduler)); }

    [[nodiscard]] http::Response get(std::string target) const { return router.handle({.target = std::move(target)}); }

    [[nodiscard]] std::string body(int status = 200) const {
        const auto response = get("/api/v1/health/scheduler");
        CHECK(response.status == status);
        CHECK(*response.header("Content-Type") == "application/json");
        return response.body;
    }

    [[nodiscard]] std::string small(int status = 200) const {
        const auto response = get("/health");
        CHECK(response.status == status);
        return response.body;
    }

    void pass(std::chrono::nanoseconds by) {
        clock.advance(by);
        scheduler.poll();
    }
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a scheduler that runs is healthy") {
    HealthFixture api;
    api.scheduler.start();
    CHECK(api.small() == R"({"status":"healthy"})");
}

TEST_CASE("the scheduler's health has the fields of the format first and in its order, then ours") {
    HealthFixture api;
    api.scheduler.add("automation_run", daybook::cron("0 9 * * *"), [&] { api.clock.advance(3200ms); });
    api.scheduler.start();
    api.pass(4500ms); // 09:00:02.5
    CHECK(api.body() ==
          R"({"status":"healthy","next_scheduled_run":"2025-10-27 09:00:00 UTC",)"
          R"("last_execution":"2025-10-26 09:00:02 UTC","execution_time_ms":3200,"pending_jobs":0,)"
          R"("jobs":1,"paused_jobs":0,"stale_jobs":0,"running":0,"queued":0,"workers":0,"stuck_workers":0,)"
          R"("replacement_workers":0,"overdue_ms":0.0,"last_start":"2025-10-26 09:00:02 UTC",)"
          R"("last_success":"2025-10-26 09:00:05 UTC",)"
          R"("drift":{"count":1,"average_ms":2500.0,"min_ms":2500.0,"max_ms":2500.0,"p50_ms":2500.0,)"
          R"("p95_ms":2500.0,"p99_ms":2500.0,"p999_ms":2500.0},)"
          R"("queue_delay":{"count":1,"average_ms":0.0,"min_ms":0.0,"max_ms":0.0,"p50_ms":0.0,"p95_ms":0.0,)"
          R"("p99_ms":0.0,"p999_ms":0.0}})");
}

TEST_CASE("a scheduler without jobs has nothing to tell") {
    HealthFixture api;
    api.scheduler.start();
    CHECK(says(api.body(), R"({"status":"healthy","next_scheduled_run":null,"last_execution":null,)"
                           R"("execution_time_ms":null,"pending_jobs":0,)"));
}

TEST_CASE("a scheduler that was not started is not healthy, and its jobs are pending") {
    HealthFixture api;
    api.scheduler.add("job", daybook::every(1min), [] {});
    CHECK(api.small(503) == R"({"status":"not_started"})");
    CHECK(says(api.body(503), R"({"status":"not_started","next_scheduled_run":null,)"));
    CHECK(says(api.body(503), R"("pending_jobs":1,)"));
}

TEST_CASE("a scheduler that was stopped is not healthy") {
    HealthFixture api;
    api.scheduler.add("job", daybook::every(1min), [] {});
    api.scheduler.start();
    api.scheduler.stop();
    CHECK(api.small(503) == R"({"status":"stopped"})");
    CHECK(says(api.body(503), R"("next_scheduled_run":null,)"));
    CHECK(says(api.body(503), R"("pending_jobs":0,)"));
}

TEST_CASE("a scheduler that is gone is stopped") {
    http::Router router;
    {
        daybook::Scheduler<> scheduler{{.workers = 0}};
        router.add(http::health_api(scheduler));
    }
    CHECK(router.handle({.target = "/health"}).body == R"({"status":"stopped"})");
    CHECK(router.handle({.target = "/api/v1/health/scheduler"}).status == 503);
}

TEST_CASE("a scheduler that nobody drives is unresponsive after a second") {
    HealthFixture api;
    api.scheduler.add("job", daybook::every(10s), [] {});
    api.scheduler.start();
    api.clock.advance(11s);
    CHECK(api.small() == R"({"status":"healthy"})");
    api.clock.advance(1ms);
    CHECK(api.small(503) == R"({"status":"unresponsive"})");
    CHECK(says(api.body(503), R"("overdue_ms":1001.0,)"));
    api.scheduler.poll();
    CHECK(api.small() == R"({"status":"healthy"})");
}

TEST_CASE("what waits is pending, what goes on past its end is stuck") {
    HealthFixture api;
    std::optional<daybook::Completion<std::string>> open;
    api.scheduler.add(
        {.id = "open", .schedule = daybook::every(10s), .timeout = 15s, .overlap = daybook::Overlap::queue_one},
        [&](daybook::JobContext&, daybook::Completion<std::string> done) { open = std::move(done); });
    api.scheduler.start();
    api.pass(10s);
    CHECK(says(api.body(), R"("running":1,"queued":0,)"));
    CHECK(says(api.body(), R"("last_execution":null,"execution_time_ms":null,)")); // it goes on
    CHECK(says(api.body(), R"("last_start":"2025-10-26 09:00:08 UTC")"));
    api.pass(10s);
    CHECK(says(api.body(), R"("pending_jobs":1,)"));
    api.clock.advance(5s); // past the deadline; the next poll would run what waits
    api.scheduler.pause("open");
    CHECK(says(api.body(), R"("paused_jobs":1,)"));
    CHECK(says(api.body(), R"("stuck_workers":1,)"));
    CHECK(says(api.body(), R"("last_execution":"2025-10-26 09:00:08 UTC","execution_time_ms":15000,)"));
    open.reset();
}

TEST_CASE("stale jobs are told, and leave the scheduler healthy") {
    HealthFixture api;
    api.scheduler.add({.id = "backup", .schedule = daybook::every(10s), .stale_after = 30s},
                      []() -> void { throw std::runtime_error{"disk full"}; });
    api.scheduler.start();
    for (int round = 0; round < 4; ++round) { api.pass(10s); }
    CHECK(says(api.body(), R"({"status":"healthy",)"));
    CHECK(says(api.body(), R"("stale_jobs":1,)"));
    CHECK(says(api.body(), R"("last_success":null,)"));
    api.scheduler.remove("backup");
    CHECK(says(api.body(), R"("jobs":0,"paused_jobs":0,"stale_jobs":0,)"));
}

TEST_CASE("the last execution is the newest that has ended, whatever its end") {
    HealthFixture api;
    api.scheduler.start();
    auto& log = api.scheduler.log();
    const auto first = log.record_start("first");
    api.clock.advance(2s);
    log.record_error(first, "it broke");
    CHECK(says(api.body(), R"("last_execution":"2025-10-26 08:59:58 UTC","execution_time_ms":2000,)"));
    log.record_start("still running");
    log.record_cancelled(log.record_queued({.job_id = "never ran"}));
    CHECK(says(api.body(), R"("last_execution":"2025-10-26 08:59:58 UTC","execution_time_ms":2000,)"));
    log.clear();
    CHECK(says(api.body(), R"("last_execution":null,"execution_time_ms":null,)"));
}

TEST_CASE("the next run is the earliest of calendars and intervals, jobs that are over left out") {
    HealthFixture api;
    api.scheduler.add("daily", daybook::cron("0 9 * * *"), [] {}); // in 2 s
    api.scheduler.add("interval", daybook::every(10s), [] {});
    api.scheduler.add({.id = "once", .schedule = daybook::every(1s).times(1)}, [] {});
    api.scheduler.start();
    CHECK(says(api.body(), R"("next_scheduled_run":"2025-10-26 08:59:59 UTC")"));
    api.pass(1s);
    CHECK(says(api.body(), R"("next_scheduled_run":"2025-10-26 09:00:00 UTC")"));
    api.pass(1s);
    CHECK(says(api.body(), R"("next_scheduled_run":"2025-10-26 09:00:08 UTC")"));
    api.scheduler.remove("interval");
    CHECK(says(api.body(), R"("next_scheduled_run":"2025-10-27 09:00:00 UTC")"));
}

TEST_CASE("a client that has a healthy answer is told when that has changed") {
    HealthFixture api;
    api.scheduler.add("job", daybook::every(10s), [] {});
    api.scheduler.start();
    const auto healthy = api.get("/health");
    REQUIRE(healthy.header("ETag") != nullptr);
    const http::Request again{.target = "/health", .headers = {{"If-None-Match", *healthy.header("ETag")}}};
    CHECK(api.router.handle(again).status == 304);
    api.clock.advance(1min);
    CHECK(api.router.handle(again).status == 503);
    CHECK(api.router.handle(again).body == R"({"status":"unresponsive"})");
}

TEST_CASE("health may be asked with HEAD, and changes nothing") {
    HealthFixture api;
    api.scheduler.start();
    CHECK(api.router.handle({.method = "HEAD", .target = "/health"}).status == 200);
    CHECK(api.router.handle({.method = "POST", .target = "/health"}).status == 405);
}

TEST_CASE("health says how a process gets on in its fleet") {
    daybook::SchedulerOptions options;
    options.workers = 0;
    options.store = daybook::testing::MemoryStore{};
    options.fleet.emplace();
    options.log.storing.node = "here";
    daybook::Scheduler<> scheduler{options};
    scheduler.start();
    http::Router router;
    router.add(http::health_api(scheduler));
    const auto body = router.handle({.target = "/api/v1/health/scheduler"}).body;
    CHECK(says(body, R"("fleet":{"node":"here#)"));
    CHECK(says(body, R"("seated":true)"));
    CHECK(says(body, R"("seats_lost":0)"));
}
