// SPDX-License-Identifier: MIT
#include "jobs_fixture.hpp"

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>

using namespace jobs_test;

namespace {

/// A job that takes as long as it is told to.
auto taking(daybook::ManualClock& clock, std::chrono::milliseconds time) {
    return [&clock, time] {
        clock.advance(time);
        return "done";
    };
}

} // namespace

TEST_CASE("a job is shown with its schedule, its state and its policies") {
    JobsFixture api;
    api.scheduler.add({.id = "daily_report",
                       .handler_id = "reports",
                       .method_name = "daily",
                       .schedule = daybook::cron("0 0 9 * * MON-FRI"),
                       .retry = daybook::exponential_backoff({.max_attempts = 3, .first_delay = 2s}),
                       .timeout = 30s,
                       .overlap = daybook::Overlap::queue_one,
                       .misfire = daybook::Misfire::skip},
                      [] {});
    api.scheduler.start();
    auto shown = api.get("/api/v1/jobs/daily_report?next=2");
    CHECK(shown.at("explain") == api.scheduler.explain("daily_report"));
    shown.erase("explain");
    shown.erase("revision");
    CHECK(
        shown ==
        json::parse(
            R"({"job_id":"daily_report","handler_id":"reports","method_name":"daily","parameters":"",)"
            R"("schedule":"0 9 * * 1-5","time_zone":"UTC","dst":"vixie","day_match":"vixie","from":null,"until":null,)"
            R"("times":null,"jitter_ms":null,"description":"at 09:00 on weekdays, UTC","active":true,)"
            R"("state":"scheduled","next_run":"2024-01-16T09:00:00.000000Z",)"
            R"("next_runs":["2024-01-16T09:00:00.000000Z","2024-01-17T09:00:00.000000Z"],)"
            R"("last_start":null,"last_status":null,"last_success":null,"stale":false,"running":0,"queued":0,)"
            R"("execution_type":"AT_LEAST_ONCE","retry":{"max_attempts":3,"first_delay_ms":2000.0,"factor":2.0,)"
            R"("max_delay_ms":3600000.0,"jitter":0.0},"timeout_ms":30000.0,"overlap":"queue_one","misfire":"skip",)"
            R"("misfire_grace_ms":86400000.0,"max_catch_up":100,"priority":0,"group":"","stale_after_ms":null,)"
            R"("created_at":"2024-01-15T10:30:00.000000Z","origin":"code"})"));
}

TEST_CASE("a job without a timeout has none") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    CHECK(api.get("/api/v1/jobs/work").at("timeout_ms").is_null());
}

TEST_CASE("jobs are listed by id, in parts") {
    JobsFixture api;
    for (const auto* id : {"c", "a", "b"}) {
        api.scheduler.add(id, {}, [] {});
    }
    const auto first = api.get("/api/v1/jobs?limit=2");
    CHECK(first.at("count") == 2);
    CHECK(first.at("jobs").at(0).at("job_id") == "a");
    CHECK(first.at("jobs").at(1).at("job_id") == "b");
    CHECK(first.at("total") == 3);
    CHECK(first.at("has_more") == true);
    const auto second = api.get("/api/v1/jobs?limit=2&offset=2");
    CHECK(second.at("count") == 1);
    CHECK(second.at("jobs").at(0).at("job_id") == "c");
    CHECK(second.at("has_more") == false);
    CHECK(api.get("/api/v1/jobs?offset=99999999999999999999").at("count") == 0);
    CHECK(api.get("/api/v1/jobs?limit=5000").at("limit") == 1000);
}

TEST_CASE("a wrong limit or offset of the list of jobs is refused with a sentence") {
    const JobsFixture api;
    CHECK(api.refusal(400, "GET", "/api/v1/jobs?limit=few") == "limit must be a whole number, 0 or more");
    CHECK(api.refusal(400, "GET", "/api/v1/jobs?offset=-1") == "offset must be a whole number, 0 or more");
}

TEST_CASE("a job is run, and the execution has the id that was answered") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] { return "done"; });
    const auto accepted = api.answer(202, "POST", "/api/v1/jobs/work/run");
    CHECK(accepted.at("job_id") == "work");
    CHECK(accepted.at("status") == "PENDING");
    CHECK(api.get("/api/v1/executions/work/latest").at("status") == "PENDING");
    api.scheduler.poll();
    const auto latest = api.get("/api/v1/executions/work/latest");
    CHECK(latest.at("execution_id") == accepted.at("execution_id"));
    CHECK(latest.at("status") == "SUCCESS");
    CHECK(latest.at("result") == "done");
}

TEST_CASE("a run that a policy refuses is a conflict, with the reason") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    CHECK(api.ask("POST", "/api/v1/jobs/work/run").status == 202);
    const auto error = api.answer(409, "POST", "/api/v1/jobs/work/run").at("error");
    CHECK(error.at("reason") == "overlap");
    CHECK(error.at("message") == "the job was not run: it is in progress, and its overlap policy refuses another run");
}

TEST_CASE("a full queue refuses a run") {
    JobsFixture api;
    daybook::Scheduler<> small{{.workers = 0, .max_queue = 1, .clock = api.clock}};
    small.add("one", {}, [] {});
    small.add("two", {}, [] {});
    http::Router router{{.authorize = http::allow_changes()}};
    router.add(http::jobs_api<daybook::nlohmann_json>(small));
    CHECK(router.handle({.method = "POST", .target = "/api/v1/jobs/one/run"}).status == 202);
    const auto response = router.handle({.method = "POST", .target = "/api/v1/jobs/two/run"});
    CHECK(response.status == 409);
    CHECK(json::parse(response.body).at("error").at("reason") == "queue_full");
}

TEST_CASE("a job is paused and resumed") {
    JobsFixture api;
    api.scheduler.add("work", daybook::every(1h), [] {});
    api.scheduler.start();
    const auto paused = api.answer(200, "POST", "/api/v1/jobs/work/pause");
    CHECK(paused.at("active") == false);
    CHECK(paused.at("state") == "paused");
    const auto resumed = api.answer(200, "POST", "/api/v1/jobs/work/resume");
    CHECK(resumed.at("active") == true);
    CHECK(resumed.at("state") == "scheduled");
}

TEST_CASE("a job is deleted once, and its history stays") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    api.run("work");
    const auto response = api.ask("DELETE", "/api/v1/jobs/work");
    CHECK(response.status == 204);
    CHECK(response.body.empty());
    CHECK(api.refusal(404, "DELETE", "/api/v1/jobs/work") == "there is no job with this id");
    CHECK(api.get("/api/v1/executions/work").at("total") == 1);
}

TEST_CASE("an unknown job is not found, whatever is asked of it") {
    const JobsFixture api;
    CHECK(api.ask("GET", "/api/v1/jobs/nobody").status == 404);
    CHECK(api.ask("DELETE", "/api/v1/jobs/nobody").status == 404);
    CHECK(api.ask("POST", "/api/v1/jobs/nobody/run").status == 404);
    CHECK(api.ask("POST", "/api/v1/jobs/nobody/pause").status == 404);
    CHECK(api.ask("POST", "/api/v1/jobs/nobody/resume").status == 404);
    CHECK(api.ask("POST", "/api/v1/debug/execute", R"({"job_id":"nobody"})").status == 404);
}

TEST_CASE("a job is found by an id with other letters") {
    JobsFixture api;
    api.scheduler.add("nightly/täglich 1+1", {}, [] {});
    const std::string id = "nightly%2Ft%C3%A4glich%201+1";
    CHECK(api.get("/api/v1/jobs/" + id).at("job_id") == "nightly/täglich 1+1");
    CHECK(api.ask("POST", "/api/v1/jobs/" + id + "/run").status == 202);
    CHECK(api.get("/api/v1/executions/" + id).at("count") == 1);
}

TEST_CASE("a job is executed by the body that names it") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    CHECK(api.answer(202, "POST", "/api/v1/debug/execute", R"({"job_id":"work"})").at("job_id") == "work");
    CHECK(api.scheduler.poll() == 1);
}

TEST_CASE("a body that names no job is refused with a sentence") {
    const JobsFixture api;
    const auto refusal = [&](std::string body) {
        return api.refusal(400, "POST", "/api/v1/debug/execute", std::move(body));
    };
    for (const auto* body : {"[]", "null", R"("job_id")"}) {
        INFO(body);
        CHECK(refusal(body) == "the body must be a JSON object");
    }
    for (const auto* body : {"{}", R"({"job_id":""})", R"({"job_id":null})"}) {
        INFO(body);
        CHECK(refusal(body) == "job_id must be the id of a job");
    }
    CHECK(refusal(R"({"job_id":7})") == "job_id must be a text");
    CHECK(refusal("{\"job_id\":\n]") == "the body is refused: not JSON at line 2, column 1");
    CHECK(refusal("").starts_with("the body is refused: not JSON"));
}

TEST_CASE("executions are shown newest first, with the words of the format") {
    JobsFixture api;
    api.scheduler.add("work", {}, taking(api.clock, 250ms));
    api.scheduler.add("broken", {}, [] { throw std::runtime_error{"it broke"}; });
    api.run("work");
    api.run("broken");
    const auto id = api.scheduler.log().query({.job_id = "work"}).records.at(0).id;
    auto expected = json::parse(
        R"({"job_id":"work","status":"SUCCESS","status_detail":"success","attempt":1,"is_final":true,)"
        R"("scheduled_at":null,"started_at":"2024-01-15T10:30:00.000000Z","finished_at":"2024-01-15T10:30:00.250000Z",)"
        R"("duration_ms":250.0,"drift_ms":null,"result":"done","error":null})");
    expected["execution_id"] = id;
    CHECK(api.get("/api/v1/executions/work/latest") == expected);
    const auto failed = api.get("/api/v1/executions/broken").at("executions").at(0);
    CHECK(failed.at("status") == "FAILED");
    CHECK(failed.at("status_detail") == "error");
    CHECK(failed.at("error") == "it broke");
    CHECK(failed.at("result").is_null());
}

TEST_CASE("executions come ten at a time, and the cursor leads to the rest") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    for (int round = 0; round < 12; ++round) { api.run("work"); }
    const auto first = api.get("/api/v1/executions/work");
    CHECK(first.at("count") == 10);
    CHECK(first.at("limit") == 10);
    CHECK(first.at("total") == 12);
    CHECK(first.at("has_more") == true);
    CHECK(first.at("executions").at(0).at("execution_id") > first.at("executions").at(1).at("execution_id"));
    const auto second = api.get("/api/v1/executions/work?cursor=" + first.at("next_cursor").get<std::string>());
    CHECK(second.at("count") == 2);
    CHECK(second.at("next_cursor").is_null());
    CHECK(api.get("/api/v1/executions/work?offset=11").at("count") == 1);
    CHECK(api.get("/api/v1/executions/work?limit=5000").at("limit") == 1000);
}

TEST_CASE("a wrong place in the list of executions is refused with a sentence") {
    const JobsFixture api;
    const auto refusal = [&](const std::string& query) {
        return api.refusal(400, "GET", "/api/v1/executions/work?" + query);
    };
    CHECK(refusal("limit=-1") == "limit must be a whole number, 0 or more");
    CHECK(refusal("cursor=nonsense") == "cursor must be the next_cursor of an earlier page, unchanged");
    CHECK(refusal("cursor=1.1&offset=1") == "offset and cursor do not go together: give one of them");
}

TEST_CASE("a job that has not run has no executions") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    CHECK(api.get("/api/v1/executions/work").at("executions").empty());
    CHECK(api.ask("GET", "/api/v1/executions/work/latest").status == 404);
    const auto stats = api.get("/api/v1/executions/work/stats");
    CHECK(stats.at("total_executions") == 0);
    CHECK(stats.at("success_rate") == 100.0);
    CHECK(stats.at("average_duration_ms") == 0.0);
}

TEST_CASE("statistics of a job count its executions alone") {
    JobsFixture api;
    bool breaks = false;
    api.scheduler.add({.id = "work", .handler_id = "shared"}, [&] {
        api.clock.advance(breaks ? 300ms : 100ms);
        if (breaks) { throw std::runtime_error{"it broke"}; }
    });
    api.scheduler.add({.id = "other", .handler_id = "shared"}, taking(api.clock, 10s));
    for (const bool next : {false, false, true}) {
        breaks = next;
        api.run("work");
    }
    api.run("other");
    const auto stats = api.get("/api/v1/executions/work/stats");
    CHECK(stats.at("total_executions") == 3);
    CHECK(stats.at("success_count") == 2);
    CHECK(stats.at("failed_count") == 1);
    CHECK(stats.at("success_rate") == 66.67);
    CHECK(stats.at("average_duration_ms") == 166.667);
    CHECK(stats.at("duration").at("count") == 3);
    CHECK(stats.at("duration").at("max_ms") == 300.0);
}

TEST_CASE("statistics tell how late scheduled executions began") {
    JobsFixture api;
    api.scheduler.add("work", daybook::every(1s), [] {});
    api.scheduler.start();
    api.clock.advance(1s + 40ms);
    api.scheduler.poll();
    const auto drift = api.get("/api/v1/executions/work/stats").at("drift");
    CHECK(drift.at("count") == 1);
    CHECK(drift.at("max_ms") == 40.0);
    CHECK(api.get("/api/v1/executions/work/latest").at("drift_ms") == 40.0);
}

namespace {

/// Jobs that have run once each, of which only some have counts of their own.
struct CappedJobs {
    CappedJobs(std::size_t tracked, std::initializer_list<const char*> ids)
        : scheduler{{.workers = 0, .log = {.max_tracked_jobs = tracked}, .clock = daybook::ManualClock{}}} {
        router.add(http::jobs_api<daybook::nlohmann_json>(scheduler));
        for (const auto* id : ids) {
            scheduler.add(id, {}, [] {});
            scheduler.trigger(id);
            scheduler.poll();
        }
    }

    [[nodiscard]] json total(const std::string& id) const {
        return json::parse(router.handle({.target = "/api/v1/executions/" + id + "/stats"}).body)
            .at("total_executions");
    }

    daybook::Scheduler<> scheduler;
    http::Router router;
};

} // namespace

TEST_CASE("a job without counts of its own says so") {
    CappedJobs api{1, {"first", "second", "other"}};
    CHECK(api.total("first") == 1);
    CHECK(api.total("second").is_null());
    CHECK(api.total("other").is_null());
}

TEST_CASE("jobs that are called as the rest is have their own counts, or say that they have none") {
    CappedJobs api{2, {"other", "(other)", "((other))"}};
    CHECK(api.total("other") == 1);
    CHECK(api.total("(other)") == 1);
    CHECK(api.total("((other))").is_null());
}

TEST_CASE("jobs may be looked at, but not touched, until the program says otherwise") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    http::Router router;
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    CHECK(router.handle({.target = "/api/v1/jobs/work"}).status == 200);
    CHECK(router.handle({.method = "DELETE", .target = "/api/v1/jobs/work"}).status == 403);
    for (const auto* target :
         {"/api/v1/jobs/work/run", "/api/v1/jobs/work/pause", "/api/v1/jobs/work/resume", "/api/v1/debug/execute"}) {
        INFO(target);
        CHECK(router.handle({.method = "POST", .target = target, .body = R"({"job_id":"work"})"}).status == 403);
    }
    CHECK(api.scheduler.poll() == 0);
}

TEST_CASE("running a job and changing one are different permissions") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    http::Router router{{.authorize = [](const http::Request&, http::Permission permission) {
        return permission == http::Permission::trigger ? http::Access::allow() : http::Access::deny();
    }}};
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    CHECK(router.handle({.method = "POST", .target = "/api/v1/jobs/work/pause"}).status == 403);
    CHECK(router.handle({.method = "POST", .target = "/api/v1/jobs/work/run"}).status == 202);
}

TEST_CASE("the API outlives the scheduler: no job is left, nothing runs, and the history stays") {
    JobsFixture api;
    api.scheduler.add("work", {}, [] {});
    api.run("work");
    api.owned.reset();
    CHECK(api.get("/api/v1/jobs").at("total") == 0);
    CHECK(api.ask("GET", "/api/v1/jobs/work").status == 404);
    CHECK(api.ask("POST", "/api/v1/jobs/work/run").status == 503);
    CHECK(api.ask("POST", "/api/v1/jobs/work/pause").status == 404);
    CHECK(api.get("/api/v1/executions/work").at("count") == 1);
}

TEST_CASE("results are written as what jobs return") {
    daybook::Scheduler<json> scheduler{{.workers = 0}};
    scheduler.add("work", {}, [] { return json{{"rows", 3}}; });
    http::Router router;
    router.add(http::jobs_api<daybook::nlohmann_json>(scheduler));
    scheduler.trigger("work");
    scheduler.poll();
    const auto latest = json::parse(router.handle({.target = "/api/v1/executions/work/latest"}).body);
    CHECK(latest.at("result").at("rows") == 3);
}
