// SPDX-License-Identifier: MIT
#include "jobs_fixture.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace jobs_test;

namespace {

/// Four jobs, each in another state.
struct ListFixture : JobsFixture {
    ListFixture() {
        scheduler.handlers().add(
            "mail", "send", [] {}, "Sends one mail");
        scheduler.handlers().add("mail", "drop", [] {});
        scheduler.handlers().add(
            "backup", "", [] {}, "Copies everything");
        scheduler.add({.id = "alpha", .handler_id = "mail", .method_name = "send", .schedule = daybook::every(1h)});
        scheduler.add({.id = "beta", .handler_id = "mail", .method_name = "drop", .is_paused = true});
        scheduler.add({.id = "gamma", .schedule = daybook::at(clock.now() + 1s)},
                      [] { throw std::runtime_error{"no"}; });
        scheduler.add({.id = "delta", .schedule = daybook::at(clock.now() + 1s)}, [] {});
        scheduler.start();
        pass(2s);
    }

    [[nodiscard]] std::string ids(const std::string& query) const {
        std::string text;
        const auto page = get("/api/v1/jobs?" + query);
        for (const auto& job : page.at("jobs")) {
            text += (text.empty() ? "" : " ") + job.at("job_id").get<std::string>();
        }
        return text;
    }
};

} // namespace

TEST_CASE("jobs are listed by state, activity, handler and text") {
    const ListFixture api;
    CHECK(api.ids("") == "alpha beta delta gamma");
    CHECK(api.ids("state=paused") == "beta");
    CHECK(api.ids("state=failed") == "gamma");
    CHECK(api.ids("state=completed") == "delta");
    CHECK(api.ids("active=false") == "beta");
    CHECK(api.ids("active=true") == "alpha delta gamma");
    CHECK(api.ids("handler_id=mail") == "alpha beta");
    CHECK(api.ids("text=LT") == "delta");
    CHECK(api.ids("text=mail&active=true") == "alpha");
    CHECK(api.get("/api/v1/jobs?state=executing").at("total") == 0);
}

TEST_CASE("a list of jobs leads to the rest of it") {
    const ListFixture api;
    auto page = api.get("/api/v1/jobs?limit=3");
    CHECK(page.at("count") == 3);
    CHECK(page.at("total") == 4);
    CHECK(page.at("has_more") == true);
    page = api.get("/api/v1/jobs?limit=3&cursor=" + page.at("next_cursor").get<std::string>());
    CHECK(page.at("jobs").at(0).at("job_id") == "gamma");
    CHECK(page.at("count") == 1);
    CHECK(page.at("has_more") == false);
    CHECK(page.at("next_cursor").is_null());
    CHECK(api.get("/api/v1/jobs?limit=0").at("total") == 4);
}

TEST_CASE("what a list of jobs cannot be asked for is said") {
    const ListFixture api;
    const auto message = [&](const std::string& query) { return api.refusal(400, "GET", "/api/v1/jobs?" + query); };
    CHECK(message("state=sleeping") ==
          "state must be one of pending, scheduled, executing, paused, completed, failed, removed");
    CHECK(message("active=1") == "active must be true or false");
    CHECK(message("cursor=x") == "cursor must be the next_cursor of an earlier page, unchanged");
    CHECK(message("cursor=0-61&offset=1") == "offset and cursor do not go together: give one of them");
    CHECK(message("limit=1&limit=2") == "limit is given more than once: give it once");
    CHECK(message("handler_id=") == "handler_id must not be empty: leave it out to have them all");
}

TEST_CASE("a list of jobs leaves out what is long") {
    const ListFixture api;
    const auto job = api.get("/api/v1/jobs").at("jobs").at(0);
    for (const auto* name : {"parameters", "body", "api_url", "next_runs", "explain"}) {
        CHECK_FALSE(job.contains(name));
    }
}

TEST_CASE("a list of jobs that has not changed need not be sent again") {
    const ListFixture api;
    const auto tag = *api.ask("GET", "/api/v1/jobs").header("ETag");
    CHECK(api.ask("GET", "/api/v1/jobs", {}, {{"If-None-Match", tag}}).status == 304);
    CHECK(api.ask("POST", "/api/v1/jobs/alpha/pause").status == 200);
    CHECK(api.ask("GET", "/api/v1/jobs", {}, {{"If-None-Match", tag}}).status == 200);
}

TEST_CASE("the next runs of a job are as many as are asked for") {
    const ListFixture api;
    CHECK(api.get("/api/v1/jobs/alpha").at("next_runs").size() == 5);
    CHECK(api.get("/api/v1/jobs/alpha?next=2").at("next_runs") ==
          json::parse(R"(["2024-01-15T11:30:00.000000Z","2024-01-15T12:30:00.000000Z"])"));
    CHECK(api.get("/api/v1/jobs/alpha?next=0").at("next_runs").empty());
    CHECK(api.get("/api/v1/jobs/alpha?next=99999999999999999999").at("next_runs").size() == 100);
    CHECK(api.get("/api/v1/jobs/beta").at("next_runs").empty());
    CHECK(api.refusal(400, "GET", "/api/v1/jobs/alpha?next=some") == "next must be a whole number, 0 or more");
}

TEST_CASE("why a job does not run is explained") {
    const ListFixture api;
    CHECK(api.get("/api/v1/jobs/beta").at("explain").get<std::string>().starts_with("Paused since "));
}

TEST_CASE("what jobs can be made of is listed") {
    const ListFixture api;
    const auto page = api.get("/api/v1/handlers");
    CHECK(page.at("total") == 3);
    CHECK(page.at("handlers").at(0) ==
          json::parse(R"({"handler_id":"backup","method_name":"","description":"Copies everything"})"));
    const auto part = api.get("/api/v1/handlers?limit=1&offset=1");
    CHECK(part.at("handlers").at(0).at("method_name") == "drop");
    CHECK(part.at("has_more") == true);
    CHECK(api.get("/api/v1/handlers?offset=9").at("count") == 0);
}

TEST_CASE("a job is run with parameters of the occasion") {
    JobsFixture api;
    std::string ran;
    api.scheduler.add({.id = "job", .parameters = "usual"},
                      [&](daybook::JobContext& job) { ran += std::string{job.parameters()} + ';'; });
    const auto run = [&](const char* body) {
        CHECK(api.ask("POST", "/api/v1/jobs/job/run", body).status == 202);
        api.scheduler.poll();
    };
    run("");
    run("{}");
    run(R"({"parameters":null})");
    run(R"({"parameters":"other"})");
    run(R"({"parameters":{"a":1}})");
    CHECK(api.ask("POST", "/api/v1/debug/execute", R"({"job_id":"job","parameters":"third"})").status == 202);
    api.scheduler.poll();
    CHECK(ran == R"(usual;usual;usual;other;{"a":1};third;)");
    CHECK(api.refusal(400, "POST", "/api/v1/jobs/job/run", R"({"parameter":"x"})") ==
          R"(the field "parameter" is not known; the fields are parameters)");
    CHECK(api.refusal(400, "POST", "/api/v1/jobs/job/run", "now") ==
          "the body is refused: not JSON at line 1, column 2");
    CHECK(api.refusal(400, "POST", "/api/v1/jobs/job/run", R"({"parameters":")" + std::string(70'000, 'x') + "\"}") ==
          "parameters must have at most 65536 bytes");
}

TEST_CASE("an empty form is no body") {
    JobsFixture api;
    api.scheduler.add("job", {}, [] {});
    const auto form = http::Headers{{"Content-Type", "application/x-www-form-urlencoded"}};
    CHECK(api.ask("POST", "/api/v1/jobs/job/run", "", form).status == 202);
    CHECK(api.ask("POST", "/api/v1/jobs/job/run", "a=b", form).status == 415);
}

TEST_CASE("schedules are refreshed, and the number of jobs is told") {
    ListFixture api;
    struct Moving {
        const daybook::sys_time* at;
        std::optional<daybook::sys_time> next(daybook::sys_time after) const {
            return *at > after ? std::optional{*at} : std::nullopt;
        }
    };
    auto at = api.clock.now() + 1h;
    api.scheduler.add("moving", Moving{&at}, [] {});
    at -= 30min;
    CHECK(api.answer(200, "POST", "/api/v1/debug/refresh_schedule") ==
          json::parse(R"({"status":"ok","jobs":5,"refreshed":1})"));
    CHECK(api.get("/api/v1/jobs/moving").at("next_run") == "2024-01-15T11:00:02.000000Z");
}

TEST_CASE("executions are filtered by the words of the format, and by ours") {
    JobsFixture api;
    int runs = 0;
    api.scheduler.add("job", daybook::every(1s), [&] {
        if (++runs % 2 == 0) { throw std::runtime_error{"even"}; }
    });
    api.scheduler.add("other", daybook::every(1s), [] {});
    api.scheduler.start();
    api.pass(4s);
    api.scheduler.pause("job");
    api.pass(1s);
    api.scheduler.trigger("job");
    const auto count = [&](const std::string& query) { return api.get("/api/v1/executions/job?" + query).at("total"); };
    CHECK(count("") == 5);
    CHECK(count("status=SUCCESS") == 2);
    CHECK(count("status=FAILED") == 2);
    CHECK(count("status=PENDING") == 1);
    CHECK(count("status=SKIPPED") == 1);
    CHECK(count("status=SUCCESS,FAILED") == 4);
    CHECK(count("text=EVEN") == 2);
    CHECK(count("started_from=2024-01-15T10:30:04Z") == 2);
    CHECK(count("job_id=other") == 5); // the path says whose they are
    for (const auto* wrong : {"status=success", "status=", "status=SUCCESS,", "status=ALL"}) {
        INFO(wrong);
        CHECK(api.refusal(400, "GET", "/api/v1/executions/job?" + std::string{wrong}) ==
              "status must be one of PENDING, SUCCESS, FAILED, SKIPPED, or several of them parted by commas");
    }
}

TEST_CASE("a schedule that takes too long to count is refused", "[long-count]") {
    JobsFixture api;
    api.scheduler.add("job", daybook::every(1h), [] {});
    api.scheduler.start();
    const std::string endless = R"({"schedule":"every 1ms except SAT","from":"0001-01-01","times":9007199254740992})";
    const auto why = api.refusal(400, "PUT", "/api/v1/jobs/job", endless);
    INFO(why);
    CHECK(why.find("more than a million occurrences to count") != std::string::npos);
    CHECK(api.get("/api/v1/jobs/job").at("schedule") == "every 3600s");
}

TEST_CASE("what is for cron expressions is refused for other schedules, unless it takes effect") {
    JobsFixture api;
    api.scheduler.handlers().add("mail", "send", [] {});
    const auto body = [](const std::string& fields) {
        return R"({"handler_id":"mail","method_name":"send",)" + fields + '}';
    };
    const std::string both = R"("schedule":"0 9 * * * | 0 12 * * 6",)";
    for (const auto* schedule : {R"("schedule":"every 1h",)", R"("schedule":"at 2026-01-31T09:00:00Z",)", both.c_str(),
                                 R"("schedule":"every 1h from 2026-01-31T09:00:00Z",)"}) {
        INFO(schedule);
        CHECK(api.refused(400, body(std::string{schedule} + R"("dst":"skip")")) ==
              "dst is for a single cron expression: leave it out");
        CHECK(api.refused(400, body(std::string{schedule} + R"("day_match":"both")")) ==
              "day_match is for a single cron expression: leave it out");
        if (schedule == both) { continue; }
        CHECK(api.refused(400, body(std::string{schedule} + R"("time_zone":"Europe/Berlin")")) ==
              "time_zone has no effect on this schedule: leave it out");
    }
    const auto made = api.make(body(both + R"("time_zone":"Europe/Berlin","dst":null,"day_match":null)"));
    CHECK(made.at("schedule").get<std::string>().find("0 9 * * * Europe/Berlin") != std::string::npos);
    const auto id = made.at("job_id").get<std::string>();
    CHECK(api.refusal(400, "PUT", "/api/v1/jobs/" + id, R"({"time_zone":"Europe/Paris"})") ==
          "time_zone has no effect on this schedule: leave it out");
    CHECK(api.put(id, R"({"schedule":"every 1h"})").at("time_zone").is_null());
}

TEST_CASE("hostile requests are answered, and nothing is done") {
    JobsFixture api;
    api.scheduler.handlers().add("mail", "send", [] {});
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    const std::string many = [] {
        std::string text = "{";
        for (int i = 0; i < 20'000; ++i) { text += '"' + std::to_string(i) + "\":0,"; }
        return text + "\"x\":0}";
    }();
    const std::string bodies[] = {deep,
                                  many,
                                  R"({"job_id":)" + deep + '}',
                                  R"({"parameters":)" + deep + '}',
                                  std::string(1 << 20, 'x'),
                                  std::string(1 << 20, '{'),
                                  std::string("\0{}", 3),
                                  "\xEF\xBB\xBF{",
                                  "{\"job_id\":\"\xFF\"}",
                                  R"({"job_id":"\ud800"})",
                                  "{\"a\":1}{",
                                  R"({"timeout_ms":1e308})",
                                  R"({"timeout_ms":-0.0001})",
                                  R"({"jitter_ms":NaN})",
                                  R"({"schedule":")" + std::string(900'000, '*') + "\"}",
                                  R"({"schedule":")" + std::string(499, '(') + ' ' + std::string(499, ')') + "\"}",
                                  R"({"schedule":"* * * * * except {* * * * * * except {","handler_id":"mail"})",
                                  R"({"schedule":"@daily","time_zone":"../../../etc/passwd"})",
                                  R"({"schedule":"@daily ../etc/passwd"})",
                                  R"({"schedule":"@daily Mars/Olympus"})",
                                  R"({"schedule":"* *\n* * *"})"};
    for (const auto& body : bodies) {
        for (const auto* target : {"/api/v1/jobs", "/api/v1/debug/execute", "/api/v1/jobs/x/run"}) {
            const auto response = api.ask("POST", target, body);
            INFO(target << ' ' << body.substr(0, 60) << " -> " << response.status << response.body.substr(0, 300));
            CHECK(response.status >= 400);
            CHECK(response.status < 500);
            CHECK(response.body.size() < 3000);
            CHECK(response.body.find("zoneinfo") == std::string::npos);
        }
    }
    CHECK(api.scheduler.job_count() == 0);
}
