// SPDX-License-Identifier: MIT
#include "jobs_fixture.hpp"

#include <atomic>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace jobs_test;

namespace {

/// With a job of code, and one that is made of a handler.
struct ChangeFixture : JobsFixture {
    ChangeFixture() {
        scheduler.handlers().add(
            "mail", "send", [this](daybook::JobContext& job) { ran += "send " + std::string{job.parameters()} + ';'; });
        scheduler.handlers().add("mail", "drop", [this] { ran += "drop;"; });
        scheduler.add({.id = "code", .schedule = daybook::every(10s), .parameters = "old"},
                      [this](daybook::JobContext& job) { ran += "code " + std::string{job.parameters()} + ';'; });
        static_cast<void>(make(R"({"job_id":"named","handler_id":"mail","method_name":"send","schedule":"0 9 * * *",)"
                               R"("time_zone":"Europe/Berlin","times":3,"parameters":"x"})"));
        scheduler.start();
    }

    [[nodiscard]] int put_status(const std::string& id, const std::string& body, const std::string& tag) const {
        return ask("PUT", "/api/v1/jobs/" + id, body, {{"If-Match", tag}}).status;
    }
    [[nodiscard]] std::string message(const std::string& id, const std::string& body, int status = 400) const {
        return refusal(status, "PUT", "/api/v1/jobs/" + id, body);
    }

    std::string ran;
};

/// With a job that has a webhook.
struct HookedFixture : JobsFixture {
    HookedFixture()
        : JobsFixture{{.allow_url = http::allow_hosts({"example.org"}),
                       .set_webhook =
                           [this](std::string_view, std::string_view url) {
                               if (on_set) { on_set(url); }
                               target = url;
                           },
                       .remove_webhook =
                           [this](std::string_view) {
                               target.clear();
                               if (on_remove) { on_remove(); }
                           }}} {
        scheduler.handlers().add("mail", "send", [] {});
        scheduler.start();
        static_cast<void>(make(R"({"job_id":"job","handler_id":"mail","method_name":"send",)"
                               R"("webhook_url":"https://example.org/old"})"));
    }

    std::function<void(std::string_view url)> on_set = {};
    std::function<void()> on_remove = {};
    std::string target = {}; // not guarded: the API says that it calls its hooks one at a time
};

} // namespace

TEST_CASE("one field is changed, and the others stay") {
    ChangeFixture api;
    auto before = api.get("/api/v1/jobs/named");
    auto after = api.put("named", R"({"priority":5})");
    CHECK(after.at("priority") == 5);
    CHECK(after.at("revision") > before.at("revision"));
    for (auto* job : {&before, &after}) {
        job->erase("priority");
        job->erase("revision");
    }
    CHECK(before == after);
    CHECK(api.get("/api/v1/jobs/named").at("priority") == 5);
}

TEST_CASE("a job that was read can be sent back as a whole") {
    ChangeFixture api;
    for (const auto* id : {"code", "named"}) {
        INFO(id);
        auto job = api.get("/api/v1/jobs/" + std::string{id});
        job["overlap"] = "allow";
        auto after = api.put(id, job.dump());
        CHECK(after.at("overlap") == "allow");
        job["revision"] = after.at("revision");
        CHECK(after == job);
    }
}

TEST_CASE("a schedule is changed in its parts, and what is not given stays") {
    ChangeFixture api;
    auto job = api.put("named", R"({"schedule":"30 10 * * *"})");
    CHECK(job.at("schedule") == "30 10 * * *");
    CHECK(job.at("time_zone") == "Europe/Berlin");
    CHECK(job.at("times") == 3);
    CHECK(job.at("next_run") == "2024-01-16T09:30:00.000000Z");
    job = api.put("named", R"({"time_zone":"UTC"})");
    CHECK(job.at("schedule") == "30 10 * * *");
    CHECK(job.at("next_run") == "2024-01-16T10:30:00.000000Z"); // later than now, which is 10:30
    job = api.put("named", R"({"until":"2024-06-01","times":null,"jitter_ms":500,"dst":"skip","day_match":"both"})");
    CHECK(job.at("until") == "2024-06-01T00:00:00.000000Z");
    CHECK(job.at("times").is_null());
    CHECK(job.at("jitter_ms") == 500.0);
    CHECK(job.at("dst") == "skip");
    CHECK(job.at("day_match") == "both");
    job = api.put("named", R"({"schedule":"0 9 * * * UTC dst twice","until":null,"jitter_ms":null})");
    CHECK(job.at("time_zone") == "UTC");
    CHECK(job.at("dst") == "twice");
    CHECK(job.at("day_match") == "both");
    CHECK(job.at("until").is_null());
    CHECK(job.at("jitter_ms").is_null());
    job = api.put("named", R"({"schedule":"every 5s"})");
    CHECK(job.at("schedule") == "every 5s");
    CHECK(job.at("time_zone").is_null());
}

TEST_CASE("a zone that a schedule names goes before the one that the job had") {
    ChangeFixture api;
    CHECK(api.put("named", R"({"schedule":"0 9 * * * UTC"})").at("time_zone") == "UTC");
    CHECK(api.put("named", R"({"schedule":"0 9 * * * Asia/Tokyo"})").at("time_zone") == "Asia/Tokyo");
    CHECK(api.put("named", R"({"schedule":"0 8 * * *"})").at("time_zone") == "Asia/Tokyo");
}

TEST_CASE("a change that leaves the schedule alone leaves its counting alone") {
    ChangeFixture api;
    api.pass(5s);
    CHECK(api.put("code", R"({"parameters":"new","schedule":"every 10s"})").at("next_run") ==
          "2024-01-15T10:30:10.000000Z");
    api.pass(5s);
    CHECK(api.ran == "code new;");
}

TEST_CASE("a schedule of the program's own stays with a change, and can be replaced but not narrowed") {
    ChangeFixture api;
    struct Own {
        std::optional<daybook::sys_time> next(daybook::sys_time after) const { return after + 1h; }
    };
    api.scheduler.add("own", Own{}, [] {});
    auto job = api.get("/api/v1/jobs/own");
    CHECK(job.at("schedule") == "own schedule");
    job["priority"] = 2;
    CHECK(api.put("own", job.dump()).at("next_run") == job.at("next_run"));
    CHECK(api.message("own", R"({"times":3})") ==
          "this job's schedule is the program's own, and cannot be narrowed: give schedule as well");
    CHECK(api.put("own", R"({"schedule":"every 5s","times":3})").at("schedule") == "every 5s");
}

TEST_CASE("a job is paused and resumed by active") {
    ChangeFixture api;
    CHECK(api.put("code", R"({"active":false})").at("state") == "paused");
    api.pass(20s);
    CHECK(api.ran.empty());
    CHECK(api.put("code", R"({"active":true})").at("state") == "scheduled");
    api.pass(10s);
    CHECK(api.ran == "code old;");
}

TEST_CASE("null takes away what can be taken away") {
    ChangeFixture api;
    static_cast<void>(api.put("named", R"({"timeout_ms":5000,"stale_after_ms":7000,"group":"web"})"));
    const auto job =
        api.put("named", R"({"timeout_ms":null,"stale_after_ms":null,"group":null,"parameters":null,"overlap":null})");
    CHECK(job.at("timeout_ms").is_null());
    CHECK(job.at("stale_after_ms").is_null());
    CHECK(job.at("group") == "");
    CHECK(job.at("parameters") == "");
    CHECK(job.at("overlap") == "skip");
}

TEST_CASE("how a job is delivered decides about its retries, unless they are given") {
    ChangeFixture api;
    CHECK(api.put("named", R"({"execution_type":"AT_MOST_ONCE"})").at("retry").at("max_attempts") == 1);
    CHECK(api.put("named", R"({"priority":1})").at("retry").at("max_attempts") == 1);
    CHECK(api.put("named", R"({"execution_type":"AT_LEAST_ONCE"})").at("retry").at("max_attempts") == 4);
    CHECK(api.put("named", R"({"retry":{"first_delay_ms":50}})").at("retry").at("max_attempts") == 4);
    CHECK(api.put("named", R"({"execution_type":"AT_LEAST_ONCE"})").at("retry").at("first_delay_ms") == 50.0);
}

TEST_CASE("a condition on retries that the program has set stays while the numbers do") {
    ChangeFixture api;
    api.scheduler.add(
        {.id = "picky", .retry = daybook::exponential_backoff().only_if([](const daybook::Failure&) { return false; })},
        [] {});
    const auto before = api.scheduler.job("picky")->retry;
    static_cast<void>(api.put("picky", api.get("/api/v1/jobs/picky").dump()));
    CHECK(api.scheduler.job("picky")->retry == before);
    static_cast<void>(api.put("picky", R"({"retry":{"max_attempts":9}})"));
    CHECK_FALSE(api.scheduler.job("picky")->retry == before);
}

TEST_CASE("a job of a handler can be given another one, and code cannot") {
    ChangeFixture api;
    CHECK(api.put("named", R"({"method_name":"drop"})").at("method_name") == "drop");
    api.run("named");
    CHECK(api.ran == "drop;");
    CHECK(api.message("named", R"({"method_name":"none"})")
              .starts_with("handler_id and method_name must name one of GET /api/v1/handlers: "));
    CHECK(api.message("code", R"({"handler_id":"mail","method_name":"send"})", 409) ==
          "this job is code of the program, so what it runs cannot be changed from here; it may be run, paused and "
          "rescheduled");
    CHECK(api.put("code", R"({"handler_id":"code","parameters":"new"})").at("parameters") == "new");
}

TEST_CASE("what is in progress goes on, and the history stays") {
    ChangeFixture api;
    api.run("code");
    static_cast<void>(api.put("code", R"({"schedule":"every 1h"})"));
    CHECK(api.get("/api/v1/executions/code").at("total") == 1);
}

TEST_CASE("a change is made only to the job that was read") {
    ChangeFixture api;
    const auto tag = api.tag("code");
    CHECK(api.put_status("code", R"({"priority":1})", tag) == 200);
    CHECK(api.put_status("code", R"({"priority":2})", tag) == 412);
    CHECK(api.get("/api/v1/jobs/code").at("priority") == 1);
    CHECK(api.refusal(412, "PUT", "/api/v1/jobs/code", R"({"priority":2})", {{"If-Match", tag}})
              .starts_with("the job has been changed since: read it again"));
    CHECK(api.put_status("code", R"({"priority":2})", "*") == 200);
    CHECK(api.put_status("code", R"({"priority":3})", "\"x\", " + api.tag("code")) == 200);
    CHECK(api.put_status("code", R"({"priority":4})", "W/" + api.tag("code")) == 200);
    for (const auto* wrong : {"", "x", "\"", "\"\"", "\"1-0\"", "W/\"x", "\"ffffffffffffffffffffff-1\""}) {
        INFO(wrong);
        CHECK(api.put_status("code", R"({"priority":9})", wrong) == 412);
    }
}

TEST_CASE("a run between reading and changing a job does not matter, a pause does") {
    ChangeFixture api;
    auto tag = api.tag("code");
    api.pass(20s);
    CHECK(api.tag("code") != tag);
    CHECK(api.put_status("code", R"({"priority":1})", tag) == 200);
    tag = api.tag("code");
    CHECK(api.ask("POST", "/api/v1/jobs/code/pause").status == 200);
    CHECK(api.put_status("code", R"({"priority":2})", tag) == 412);
}

TEST_CASE("the answer to a change has the tag for the next one") {
    ChangeFixture api;
    std::string tag = api.tag("code");
    for (int i = 0; i < 3; ++i) {
        const auto response = api.ask("PUT", "/api/v1/jobs/code", R"({"priority":1})", {{"If-Match", tag}});
        REQUIRE(response.status == 200);
        tag = *response.header("ETag");
    }
}

TEST_CASE("a job that was deleted and made again is another one") {
    ChangeFixture api;
    const auto tag = api.tag("named");
    const std::string body = R"({"job_id":"named","handler_id":"mail","method_name":"send","schedule":"0 9 * * *",)"
                             R"("time_zone":"Europe/Berlin","times":3,"parameters":"x"})";
    CHECK(api.ask("DELETE", "/api/v1/jobs/named").status == 204);
    static_cast<void>(api.make(body));
    CHECK(api.put_status("named", R"({"priority":1})", tag) == 412);
    CHECK(api.ask("DELETE", "/api/v1/jobs/named", {}, {{"If-Match", tag}}).status == 412);
    CHECK(api.ask("DELETE", "/api/v1/jobs/named", {}, {{"If-Match", api.tag("named")}}).status == 204);
    CHECK(api.ask("DELETE", "/api/v1/jobs/named", {}, {{"If-Match", "*"}}).status == 404);
}

TEST_CASE("a job that has not changed need not be sent again") {
    ChangeFixture api;
    const auto tag = api.tag("named");
    const auto again = [&] { return api.ask("GET", "/api/v1/jobs/named", {}, {{"If-None-Match", tag}}); };
    CHECK(again().status == 304);
    CHECK(again().body.empty());
    CHECK(*again().header("ETag") == tag);
    api.run("named");
    CHECK(again().status == 200);
}

TEST_CASE("of many changes that were read at once, one wins") {
    ChangeFixture api;
    const auto tag = api.tag("code");
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            const auto status = api.put_status("code", R"({"priority":)" + std::to_string(i) + '}', tag);
            ++(status == 200 ? won : lost);
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(won == 1);
    CHECK(lost == 7);
}

TEST_CASE("changes of different fields that come at once are all made") {
    ChangeFixture api;
    const std::vector<std::string> bodies{R"({"priority":7})",  R"({"group":"g"})",         R"({"timeout_ms":5})",
                                          R"({"active":true})", R"({"misfire":"run_all"})", R"({"max_catch_up":3})"};
    std::atomic<int> made{0};
    std::vector<std::thread> threads;
    for (const auto& body : bodies) {
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                if (api.ask("PUT", "/api/v1/jobs/code", body).status == 200) { ++made; }
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(made == 60);
    const auto job = api.get("/api/v1/jobs/code");
    CHECK(job.at("priority") == 7);
    CHECK(job.at("group") == "g");
    CHECK(job.at("timeout_ms") == 5.0);
    CHECK(job.at("misfire") == "run_all");
    CHECK(job.at("max_catch_up") == 3);
}

TEST_CASE("a change that is wrong changes nothing") {
    ChangeFixture api;
    const auto before = api.get("/api/v1/jobs/code");
    CHECK(api.message("code", R"({"priority":1,"overlap":"never"})").starts_with("overlap must be one of"));
    CHECK(api.message("code", R"({"job_id":"other"})") == "job_id cannot be changed: make another job");
    CHECK(api.message("code", R"({"prioritty":1})").starts_with(R"(the field "prioritty" is not known)"));
    CHECK(api.message("code", R"({"schedule":""})").starts_with("schedule must be a cron expression"));
    CHECK(api.message("code", "[]") == "the body must be a JSON object");
    CHECK(api.get("/api/v1/jobs/code") == before);
}

TEST_CASE("an unknown job cannot be changed, whatever the body") {
    ChangeFixture api;
    CHECK(api.message("nobody", R"({"priority":1})", 404) == "there is no job with this id");
    CHECK(api.message("nobody", "x", 404) == "there is no job with this id");
}

TEST_CASE("jobs are not changed without permission") {
    ChangeFixture api;
    http::Router router;
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    CHECK(router.handle({.method = "PUT", .target = "/api/v1/jobs/code", .body = R"({"priority":1})"}).status == 403);
    CHECK(router.handle({.method = "POST", .target = "/api/v1/debug/refresh_schedule"}).status == 403);
    CHECK(api.get("/api/v1/jobs/code").at("priority") == 0);
}

TEST_CASE("the audit says what was made and run") {
    ChangeFixture api;
    static_cast<void>(api.make(R"({"job_id":"new","handler_id":"mail","method_name":"send"})"));
    CHECK(api.ask("POST", "/api/v1/debug/execute", R"({"job_id":"new"})").status == 202);
    http::Router audit;
    audit.add(http::audit_api(api.router.audit()));
    const auto text = audit.handle({.target = "/api/v1/audit"}).body;
    CHECK(text.find("made the job new") != std::string::npos);
    CHECK(text.find("the job new") != std::string::npos);
}

TEST_CASE("nothing is changed when what is asked of the answer is wrong") {
    ChangeFixture api;
    const auto before = api.get("/api/v1/jobs/code");
    CHECK(api.ask("PUT", "/api/v1/jobs/code?next=abc", R"({"priority":1})").status == 400);
    CHECK(api.ask("POST", "/api/v1/jobs/code/pause?next=abc").status == 400);
    CHECK(api.get("/api/v1/jobs/code") == before);
    CHECK(api.ask("POST", "/api/v1/jobs/code/pause").status == 200);
    CHECK(api.ask("POST", "/api/v1/jobs/code/resume?next=abc").status == 400);
    CHECK(api.get("/api/v1/jobs/code").at("state") == "paused");
}

TEST_CASE("a change whose webhook is refused changes nothing") {
    HookedFixture api;
    api.on_set = [](std::string_view) { throw std::invalid_argument{"not that one"}; };
    CHECK(api.refusal(400, "PUT", "/api/v1/jobs/job", R"({"priority":1,"webhook_url":"https://example.org/new"})") ==
          "webhook_url is refused: not that one");
    CHECK(api.get("/api/v1/jobs/job").at("priority") == 0);
    CHECK(api.target == "https://example.org/old");
}

TEST_CASE("a change that is refused gives back the webhook that there was") {
    HookedFixture api;
    const std::string body = R"({"priority":1,"webhook_url":"https://example.org/new"})";
    api.on_set = [&](std::string_view url) {
        if (url.ends_with("new")) { api.scheduler.pause("job"); } // somebody else changes it
    };
    CHECK(api.ask("PUT", "/api/v1/jobs/job", body, {{"If-Match", api.tag("job")}}).status == 412);
    CHECK(api.target == "https://example.org/old");
    CHECK(api.put("job", body).at("priority") == 1);
    CHECK(api.target == "https://example.org/new");
    api.on_set = [&](std::string_view) { api.scheduler.remove("job"); };
    CHECK(api.ask("PUT", "/api/v1/jobs/job", body).status == 404);
    CHECK(api.target.empty());
}

TEST_CASE("a webhook that cannot be given back is taken away") {
    HookedFixture api;
    api.on_set = [&](std::string_view url) {
        if (url.ends_with("old")) { throw std::invalid_argument{"no more"}; }
        api.scheduler.pause("job");
    };
    CHECK(api.ask("PUT", "/api/v1/jobs/job", R"({"webhook_url":"https://example.org/new"})",
                  {{"If-Match", api.tag("job")}})
              .status == 412);
    CHECK(api.target.empty());
}

TEST_CASE("a job that ends before the answer is made was changed all the same") {
    HookedFixture api;
    api.on_remove = [&] { api.scheduler.remove("job"); };
    CHECK(api.put("job", R"({"webhook_url":null})") == json::parse(R"({"job_id":"job"})"));
    CHECK(api.ask("GET", "/api/v1/jobs/job").status == 404);
}

TEST_CASE("of changes that come at once the job and its webhook are those of one") {
    HookedFixture api;
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    api.on_set = [&](std::string_view) {
        if (++inside > 1) { most = 2; }
        std::this_thread::yield();
        --inside;
    };
    std::vector<std::thread> threads;
    for (int i = 1; i <= 4; ++i) {
        threads.emplace_back([&, i] {
            const auto number = std::to_string(i);
            const auto body = R"({"priority":)" + number + R"(,"webhook_url":"https://example.org/)" + number + R"("})";
            for (int tries = 0; tries < 50; ++tries) { static_cast<void>(api.ask("PUT", "/api/v1/jobs/job", body)); }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(most == 0);
    CHECK(api.target == "https://example.org/" + api.get("/api/v1/jobs/job").at("priority").dump());
}
