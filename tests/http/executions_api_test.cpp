// SPDX-License-Identifier: MIT
#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <variant>

namespace http = daybook::http;
using namespace std::chrono_literals;

namespace {

/// A log under a clock of its own, and a router that shows it.
struct Fixture {
    daybook::ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h + 30min + 123456us};
    daybook::JobExecutionLog<> log{daybook::LogOptions{.capacity = 1000, .clock = clock}};
    http::Router router{{.authorize = http::allow_changes()}};

    Fixture() { router.add(http::executions_api(log)); }

    [[nodiscard]] http::Response get(std::string target) const { return router.handle({.target = std::move(target)}); }

    [[nodiscard]] std::string body(std::string target) const {
        const auto response = get(std::move(target));
        CHECK(response.status == 200);
        CHECK(*response.header("Content-Type") == "application/json");
        return response.body;
    }

    /// What a refusal says, without its JSON around it.
    [[nodiscard]] std::string refusal(std::string target) const {
        const auto response = get(std::move(target));
        const std::string before = R"({"error":{"code":400,"message":")";
        CHECK(response.status == 400);
        REQUIRE(response.body.starts_with(before));
        REQUIRE(response.body.ends_with("\"}}"));
        return response.body.substr(before.size(), response.body.size() - before.size() - 3);
    }

    void succeed(std::string_view job, std::string_view handler = {}, std::string result = {}) {
        const auto run = log.record_start(job, handler, "run");
        clock.advance(1ms);
        log.record_success(run, std::move(result));
    }

    void fail(std::string_view job, std::string_view handler = {}) {
        const auto run = log.record_start(job, handler, "run");
        clock.advance(1ms);
        log.record_error(run, "it broke");
    }
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) { ++found; }
    return found;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("an empty log is an empty page") {
    const Fixture api;
    CHECK(api.body("/api/executions") ==
          R"({"count":0,"limit":100,"records":[],"total":0,"total_is_exact":true,"offset":0,"has_more":false,)"
          R"("next_cursor":null})");
}

TEST_CASE("a record has the fields of the format first and in its order, then ours") {
    Fixture api;
    const auto run = api.log.record_start("dingdong_1", "dingdong", "ding");
    api.clock.advance(333333us);
    api.log.record_success(run, "Ding!");
    const auto id = std::to_string(run.id);
    CHECK(contains(api.body("/api/executions"),
                   R"("records":[{"job_id":"dingdong_1","handler_id":"dingdong","method_name":"ding",)"
                   R"("started_at":"2024-01-15T10:30:00.123456Z","completed_at":"2024-01-15T10:30:00.456789Z",)"
                   R"("duration_ms":333,"status":"success","result":"Ding!","error":null,"attempt_number":1,)"
                   R"("id":)" +
                       id + R"(,"occurrence_id":)"));
}

TEST_CASE("an execution that is running has neither an end nor a duration") {
    Fixture api;
    api.log.record_start("slow");
    const auto body = api.body("/api/executions?status=running");
    CHECK(contains(body, R"("completed_at":null,"duration_ms":null,"status":"running","result":null,"error":null)"));
}

TEST_CASE("an execution without a handler is its own") {
    Fixture api;
    api.succeed("alone");
    CHECK(contains(api.body("/api/executions"), R"("job_id":"alone","handler_id":"alone")"));
}

TEST_CASE("filters apply before the limit") {
    Fixture api;
    for (int round = 0; round < 5; ++round) {
        api.succeed("wanted", "first");
        api.fail("other", "second");
    }
    CHECK(contains(api.body("/api/executions?job_id=wanted&limit=3"), R"({"count":3,"limit":3,)"));
    CHECK(contains(api.body("/api/executions?job_id=wanted&limit=3"), R"("total":5,)"));
    CHECK(contains(api.body("/api/executions?handler_id=second"), R"({"count":5,"limit":100,)"));
    CHECK(contains(api.body("/api/executions?status=error"), R"({"count":5,)"));
    CHECK(contains(api.body("/api/executions?status=error&job_id=wanted"), R"({"count":0,)"));
    CHECK(contains(api.body("/api/executions?job_id=nobody"), R"({"count":0,)"));
}

TEST_CASE("ids with other letters are found through their escapes") {
    Fixture api;
    api.succeed("tägliche arbeit/1+1");
    CHECK(contains(api.body("/api/executions?job_id=t%C3%A4gliche+arbeit%2F1%2B1"), R"({"count":1,)"));
}

TEST_CASE("every status may be asked for") {
    const Fixture api;
    for (const auto* word : {"success", "error", "running", "timeout", "queued", "cancelled", "abandoned", "skipped"}) {
        INFO(word);
        CHECK(api.get(std::string{"/api/executions?status="} + word).status == 200);
    }
}

TEST_CASE("an unknown status is refused and the known ones are named") {
    const Fixture api;
    for (const auto* word : {"failed", "SUCCESS", "", "success,error", "success%20"}) {
        INFO(word);
        CHECK(api.refusal(std::string{"/api/executions?status="} + word) ==
              "status must be one of success, error, running, timeout, queued, cancelled, abandoned, skipped");
    }
}

TEST_CASE("a limit that is no whole number is refused") {
    const Fixture api;
    for (const auto* path : {"/api/executions", "/api/executions/errors"}) {
        for (const auto* value : {"-1", "ten", "1.5", "", "+5", "%20", "1e2"}) {
            INFO(path << " " << value);
            CHECK(api.refusal(std::string{path} + "?limit=" + value) == "limit must be a whole number, 0 or more");
        }
        CHECK(api.refusal(std::string{path} + "?limit=1&limit=2") == "limit is given more than once: give it once");
    }
}

TEST_CASE("a limit above the largest is lowered, and the one in effect is told") {
    const Fixture api;
    CHECK(contains(api.body("/api/executions?limit=1001"), R"("limit":1000,)"));
    CHECK(contains(api.body("/api/executions?limit=99999999999999999999999"), R"("limit":1000,)"));
    CHECK(contains(api.body("/api/executions/errors?limit=501"), R"("limit":500,)"));
    CHECK(contains(api.body("/api/executions/errors"), R"("limit":50,)"));
}

TEST_CASE("a limit of 0 tells the total alone") {
    Fixture api;
    api.succeed("job");
    CHECK(contains(api.body("/api/executions?limit=0"), R"({"count":0,"limit":0,"records":[],"total":1,)"));
}

TEST_CASE("parameters that nobody knows are ignored") {
    const Fixture api;
    CHECK(api.get("/api/executions?_=1700000000&_=2&Limit=x").status == 200);
    CHECK(api.get("/api/executions/stats?limit=x").status == 200);
}

TEST_CASE("other wrong parameters are refused by name") {
    const Fixture api;
    CHECK(api.refusal("/api/executions?skips=yes") == "skips must be include or leave_out");
    CHECK(api.refusal("/api/executions?offset=-1") == "offset must be a whole number, 0 or more");
    CHECK(api.refusal("/api/executions?job_id=") == "job_id must not be empty: leave it out to have them all");
    CHECK(api.refusal("/api/executions?handler_id=") == "handler_id must not be empty: leave it out to have them all");
    CHECK(api.refusal("/api/executions?cursor=nonsense!") ==
          "cursor must be the next_cursor of an earlier page, unchanged");
    CHECK(api.refusal("/api/executions?cursor=a&offset=1") == "offset and cursor do not go together: give one of them");
    CHECK(api.refusal("/api/executions?handler_id=%4") == "handler_id is not properly percent-encoded");
    CHECK(api.refusal("/api/executions?job_id=%00") == "job_id is not properly percent-encoded");
}

TEST_CASE("pages follow each other by cursor, and by offset") {
    Fixture api;
    for (int number = 0; number < 7; ++number) { api.succeed("job_" + std::to_string(number)); }
    std::string seen;
    std::string target = "/api/executions?limit=3";
    for (int page = 0; page < 10; ++page) {
        const auto body = api.body(target);
        for (int number = 0; number < 7; ++number) {
            if (contains(body, R"("job_id":"job_)" + std::to_string(number))) { seen += std::to_string(number); }
        }
        seen += ' ';
        const std::string before = R"("next_cursor":")";
        const auto at = body.find(before);
        if (at == std::string::npos) {
            CHECK(contains(body, R"("has_more":false,"next_cursor":null)"));
            break;
        }
        CHECK(contains(body, R"("has_more":true)"));
        const auto cursor = body.substr(at + before.size(), body.find('"', at + before.size()) - at - before.size());
        target = "/api/executions?limit=3&cursor=" + cursor;
    }
    CHECK(seen == "456 123 0 ");
    const auto by_offset = api.body("/api/executions?limit=3&offset=6");
    CHECK(contains(by_offset, R"({"count":1,)"));
    CHECK(contains(by_offset, R"("offset":6,)"));
    CHECK(contains(api.body("/api/executions?offset=99999999999999999999"), R"({"count":0,)"));
}

TEST_CASE("errors are listed under errors, the newest first, and without a result") {
    Fixture api;
    api.fail("a");
    api.succeed("b");
    api.log.record_timeout(api.log.record_start("c"));
    const auto body = api.body("/api/executions/errors?limit=10");
    CHECK(body.starts_with(R"({"count":2,"limit":10,"errors":[{"job_id":"c",)"));
    CHECK(contains(body, R"("duration_ms":1,"status":"error","error":"it broke","attempt_number":1,)"));
    CHECK_FALSE(contains(body, "\"result\""));
    CHECK_FALSE(contains(body, "\"records\""));
}

TEST_CASE("errors have a cursor and an offset, and can be filtered") {
    Fixture api;
    for (const auto* job : {"a", "b", "a"}) { api.fail(job); }
    const auto page = api.log.errors(1);
    const auto rest = api.body("/api/executions/errors?limit=5&cursor=" + page.next_cursor);
    CHECK(contains(rest, R"({"count":2,)"));
    CHECK(contains(api.body("/api/executions/errors?offset=2"), R"({"count":1,)"));
    CHECK(contains(api.body("/api/executions/errors?job_id=b"), R"({"count":1,)"));
    CHECK(contains(api.body("/api/executions/errors?handler_id=none"), R"({"count":0,)"));
    CHECK(api.refusal("/api/executions/errors?cursor=x").starts_with("cursor must be the next_cursor"));
}

TEST_CASE("an error that is retried is listed as not final") {
    Fixture api;
    api.log.record_error(api.log.record_start("flaky", {}, {}, 2), "again", daybook::Finality::retry_follows);
    const auto body = api.body("/api/executions/errors");
    CHECK(contains(body, R"("attempt_number":2,)"));
    CHECK(contains(body, R"("is_final":false,)"));
}

TEST_CASE("figures of nothing are a rate of 100 and averages of 0") {
    const Fixture api;
    CHECK(api.body("/api/executions/stats")
              .starts_with(R"({"total_executions":0,"success_count":0,"error_count":0,"success_rate":100.0,)"
                           R"("average_duration_ms":0.0,"by_handler":{},"buffer_utilization":0.0,)"));
}

TEST_CASE("figures have the fields of the format, in all and by handler, with both names for the counts") {
    Fixture api;
    api.succeed("a", "good");
    api.succeed("b", "mixed");
    api.fail("b", "mixed");
    const auto body = api.body("/api/executions/stats");
    CHECK(body.starts_with(R"({"total_executions":3,"success_count":2,"error_count":1,"success_rate":66.67,)"
                           R"("average_duration_ms":1.0,"by_handler":{"good":{"total":1,"success":1,"error":0,)"
                           R"("success_rate":100.0,"avg_duration_ms":1.0,"total_executions":1,"success_count":1,)"
                           R"("error_count":0,)"));
    CHECK(contains(body, R"("mixed":{"total":2,"success":1,"error":1,"success_rate":50.0,"avg_duration_ms":1.0,)"));
    CHECK(contains(body, R"(,"buffer_utilization":0.003,)"));
    for (const auto* field : {"running", "queued", "timeout_count", "abandoned_count", "cancelled_count",
                              "skipped_count", "retry_count", "retained", "lifetime_executions", "p50_ms", "p95_ms",
                              "p99_ms", "drift", "queue_delay", "by_job", "by_status"}) {
        INFO(field);
        CHECK(count(body, std::string{"\""} + field + "\":") >= 1);
    }
}

TEST_CASE("one execution is found by its id") {
    Fixture api;
    const auto run = api.log.record_start("one");
    api.log.record_success(run, "done");
    const auto path = "/api/executions/" + std::to_string(run.id);
    CHECK(api.body(path).starts_with(R"({"job_id":"one",)"));
    CHECK(contains(api.body(path), R"("result":"done")"));
}

TEST_CASE("an id that no execution has is 404") {
    Fixture api;
    api.succeed("one");
    for (const auto* id : {"0", "999999", "x", "-1", "1x", "99999999999999999999999", "1%20"}) {
        INFO(id);
        CHECK(api.get(std::string{"/api/executions/"} + id).status == 404);
    }
}

TEST_CASE("clear answers with how many records it removed, and the next page is empty") {
    Fixture api;
    for (int round = 0; round < 3; ++round) { api.succeed("job"); }
    const auto response = api.router.handle({.method = "POST", .target = "/api/executions/clear"});
    CHECK(response.status == 200);
    CHECK(response.body == R"({"status":"success","message":"Execution history cleared","records_cleared":3})");
    CHECK(contains(api.body("/api/executions"), R"({"count":0,)"));
    CHECK(api.body("/api/executions/stats").starts_with(R"({"total_executions":0,)"));
}

TEST_CASE("clear keeps what is running") {
    Fixture api;
    api.log.record_start("slow");
    CHECK(contains(api.router.handle({.method = "POST", .target = "/api/executions/clear"}).body,
                   R"("records_cleared":0)"));
    CHECK(contains(api.body("/api/executions"), R"({"count":1,)"));
}

TEST_CASE("clear is closed until a hook opens it, and is a POST") {
    Fixture api;
    api.succeed("job");
    http::Router closed;
    closed.add(http::executions_api(api.log));
    CHECK(closed.handle({.method = "POST", .target = "/api/executions/clear"}).status == 403);
    CHECK(api.log.size() == 1);
    for (const auto* method : {"GET", "PUT", "DELETE"}) {
        INFO(method);
        const auto response = api.router.handle({.method = method, .target = "/api/executions/clear"});
        CHECK(response.status == 405);
        CHECK(*response.header("Allow") == "POST, OPTIONS");
    }
    CHECK(api.log.size() == 1);
}

TEST_CASE("skips are left out of lists unless asked for") {
    Fixture api;
    api.log.record_skip("busy", daybook::SkipReason::overlap, {}, 3);
    CHECK(contains(api.body("/api/executions"), R"({"count":0,)"));
    for (const auto* query : {"?skips=include", "?status=skipped"}) {
        INFO(query);
        const auto body = api.body(std::string{"/api/executions"} + query);
        CHECK(contains(body, R"({"count":1,)"));
        CHECK(contains(body, R"("started_at":null,)"));
        CHECK(contains(body, R"("status":"skipped",)"));
        CHECK(contains(body, R"("skip_count":3,"count_is_minimum":false,"reason":"overlap")"));
    }
}

TEST_CASE("a router outlives the log that it shows") {
    http::Router router;
    {
        daybook::JobExecutionLog log{10};
        router.add(http::executions_api(log));
        log.record_success(log.record_start("gone"), "still here");
    }
    CHECK(contains(router.handle({.target = "/api/executions"}).body, "still here"));
}

TEST_CASE("what jobs say cannot break out of the document") {
    Fixture api;
    api.succeed("job\"},{\"x\":\"", "h\n", "\xFF\"]}");
    const auto body = api.body("/api/executions");
    CHECK(contains(body, R"("job_id":"job\"},{\"x\":\"",)"));
    CHECK(contains(body, R"("handler_id":"h\n",)"));
    CHECK(contains(body, "\"result\":\"\xEF\xBF\xBD\\\"]}\""));
    CHECK(contains(api.body("/api/executions/stats"), R"("by_handler":{"h\n":{)"));
}

TEST_CASE("a job that returns nothing has null for a result") {
    daybook::JobExecutionLog<std::monostate> log{10};
    http::Router router;
    router.add(http::executions_api(log));
    log.record_success(log.record_start("quiet"), std::monostate{});
    CHECK(contains(router.handle({.target = "/api/executions"}).body, R"("result":null,)"));
}

TEST_CASE("two logs stand side by side under different prefixes only") {
    daybook::JobExecutionLog one{10};
    http::Router router;
    router.add(http::executions_api(one));
    CHECK_THROWS_AS(router.add(http::executions_api(one)), std::invalid_argument);
}
