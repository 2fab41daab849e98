// SPDX-License-Identifier: MIT
#include "jobs_fixture.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace jobs_test;

namespace {

/// With a handler that jobs can be made of.
struct MakeFixture : JobsFixture {
    explicit MakeFixture(http::JobsApiOptions options = {}) : JobsFixture{std::move(options)} {
        scheduler.handlers().add("mail", "send", [this](daybook::JobContext& job) {
            sent += std::string{job.parameters()} + ';';
            return "sent";
        });
        scheduler.start();
    }

    [[nodiscard]] std::string message(std::string_view field) const {
        return refused(400, R"({"handler_id":"mail","method_name":"send",)" + std::string{field} + '}');
    }
    [[nodiscard]] json with(std::string_view field) const {
        return make(R"({"handler_id":"mail","method_name":"send",)" + std::string{field} + '}');
    }

    std::string sent;
};

} // namespace

TEST_CASE("a job is made from data, and runs") {
    MakeFixture api;
    const auto response = api.ask(
        "POST", "/api/v1/jobs",
        R"({"job_id":"greet","schedule":"*/5 * * * * *","handler_id":"mail","method_name":"send","parameters":"hello"})");
    CHECK(response.status == 201);
    REQUIRE(response.header("Location") != nullptr);
    CHECK(*response.header("Location") == "/api/v1/jobs/greet");
    CHECK(response.header("ETag") != nullptr);
    const auto job = json::parse(response.body);
    CHECK(job.at("job_id") == "greet");
    CHECK(job.at("origin") == "handler");
    CHECK(job.at("next_run") == "2024-01-15T10:30:05.000000Z");
    CHECK(job == api.get("/api/v1/jobs/greet"));
    CHECK(response.header("ETag") != nullptr);
    CHECK(*response.header("ETag") == api.tag("greet"));
    api.pass(10s);
    CHECK(api.sent == "hello;hello;");
    CHECK(api.get("/api/v1/executions/greet/latest").at("result") == "sent");
}

TEST_CASE("a job without an id is given one that leads to it") {
    MakeFixture api;
    const auto first = api.with(R"("schedule":"0 * * * * *")").at("job_id").get<std::string>();
    const auto second = api.with(R"("schedule":"0 * * * * *")").at("job_id").get<std::string>();
    CHECK(first.size() == 36);
    CHECK(first != second);
    CHECK(api.get("/api/v1/jobs/" + first).at("job_id") == first);
}

TEST_CASE("everything that a job is given is shown again") {
    MakeFixture api;
    const auto job = api.with(
        R"("job_id":"all","schedule":"30 9 * * MON-FRI","time_zone":"Europe/Berlin","dst":"skip","day_match":"both",)"
        R"("from":"2024-02-01","until":"2025-01-01T00:00:00Z","times":7,"jitter_ms":1500.5,"parameters":{"to":["a","b"]},)"
        R"("execution_type":"AT_LEAST_ONCE","active":false,"timeout_ms":2500,"retry":{"max_attempts":5,)"
        R"("first_delay_ms":100,"factor":3,"max_delay_ms":1000,"jitter":0.5},"overlap":"queue_all","misfire":"run_all",)"
        R"("misfire_grace_ms":60000,"max_catch_up":9,"priority":-3,"group":"web","stale_after_ms":3600000)");
    CHECK(job.at("schedule") == "30 9 * * 1-5");
    CHECK(job.at("time_zone") == "Europe/Berlin");
    CHECK(job.at("dst") == "skip");
    CHECK(job.at("day_match") == "both");
    CHECK(job.at("from") == "2024-02-01T00:00:00.000000Z");
    CHECK(job.at("until") == "2025-01-01T00:00:00.000000Z");
    CHECK(job.at("times") == 7);
    CHECK(job.at("jitter_ms") == 1500.5);
    CHECK(job.at("parameters") == R"({"to":["a","b"]})");
    CHECK(job.at("execution_type") == "AT_LEAST_ONCE");
    CHECK(job.at("active") == false);
    CHECK(job.at("state") == "paused");
    CHECK(job.at("timeout_ms") == 2500.0);
    CHECK(job.at("retry") ==
          json::parse(R"({"max_attempts":5,"first_delay_ms":100.0,"factor":3.0,"max_delay_ms":1000.0,"jitter":0.5})"));
    CHECK(job.at("overlap") == "queue_all");
    CHECK(job.at("misfire") == "run_all");
    CHECK(job.at("misfire_grace_ms") == 60000.0);
    CHECK(job.at("max_catch_up") == 9);
    CHECK(job.at("priority") == -3);
    CHECK(job.at("group") == "web");
    CHECK(job.at("stale_after_ms") == 3600000.0);
}

TEST_CASE("schedules of five, six and seven fields, and others, are taken") {
    MakeFixture api;
    const std::pair<const char*, const char*> cases[] = {
        {"*/5 * * * *", "*/5 * * * *"},
        {"0 */5 * * * *", "*/5 * * * *"},
        {"0 0 9 1 1 ? 2030", "0 0 9 1 1 * 2030"},
        {"@hourly", "0 * * * *"},
        {"every 90s", "every 90s"},
        {"at 2030-01-01T00:00:00Z", "at 2030-01-01T00:00:00.000000Z"},
        {"0 9 * * 1 | 0 12 * * 6", "0 9 * * 1 | 0 12 * * 6"},
        {"0 9 * * * except SUN", "0 9 * * * except SUN"},
        {"never", "never"},
    };
    for (const auto& [given, shown] : cases) {
        INFO(given);
        CHECK(api.with(R"("schedule":")" + std::string{given} + '"').at("schedule") == shown);
    }
}

TEST_CASE("a schedule may name its own zone and bounds") {
    MakeFixture api;
    const auto job =
        api.with(R"("schedule":"0 9 * * * Europe/Berlin dst twice until 2030-01-01T00:00:00Z times 3 jitter 2s")");
    CHECK(job.at("schedule") == "0 9 * * *");
    CHECK(job.at("time_zone") == "Europe/Berlin");
    CHECK(job.at("dst") == "twice");
    CHECK(job.at("until") == "2030-01-01T00:00:00.000000Z");
    CHECK(job.at("times") == 3);
    CHECK(job.at("jitter_ms") == 2000.0);
}

TEST_CASE("what a schedule and a field say of the same thing must agree") {
    MakeFixture api;
    CHECK(api.message(R"("schedule":"0 9 * * * Europe/Berlin","time_zone":"Europe/Paris")") ==
          "time_zone differs from what schedule says: give it in one of them");
    CHECK(api.message(R"("schedule":"0 9 * * * UTC","time_zone":"Europe/Paris")") ==
          "time_zone differs from what schedule says: give it in one of them");
    CHECK(api.message(R"("schedule":"every 5s times 3","times":4)") ==
          "times differs from what schedule says: give it in one of them");
    CHECK(api.with(R"("schedule":"0 9 * * * Europe/Berlin","time_zone":"Europe/Berlin")").at("time_zone") ==
          "Europe/Berlin");
}

TEST_CASE("a job without a schedule runs when it is asked to") {
    MakeFixture api;
    CHECK(api.with(R"("job_id":"manual")").at("schedule") == "never");
    CHECK(api.answer(202, "POST", "/api/v1/jobs/manual/run").contains("execution_id"));
    api.scheduler.poll();
    CHECK(api.sent == ";");
}

TEST_CASE("a job that is made paused does not run") {
    MakeFixture api;
    CHECK(api.with(R"("job_id":"held","schedule":"every 1s","active":false)").at("active") == false);
    api.pass(3s);
    CHECK(api.sent.empty());
    CHECK(api.get("/api/v1/executions/held?status=SKIPPED").at("count") == 1);
}

TEST_CASE("a job is attempted four times unless it says otherwise") {
    MakeFixture api;
    CHECK(api.with(R"("job_id":"a")").at("retry") ==
          json::parse(
              R"({"max_attempts":4,"first_delay_ms":2000.0,"factor":2.0,"max_delay_ms":3600000.0,"jitter":0.0})"));
    CHECK(api.with(R"("execution_type":"AT_LEAST_ONCE")").at("retry").at("max_attempts") == 4);
    CHECK(api.with(R"("execution_type":"AT_MOST_ONCE")").at("retry").at("max_attempts") == 1);
    CHECK(api.with(R"("retry":{"max_attempts":2})").at("retry").at("first_delay_ms") == 2000.0);
    CHECK(api.message(R"("execution_type":"AT_MOST_ONCE","retry":{"max_attempts":2})") ==
          "retry.max_attempts must be 1 for AT_MOST_ONCE: a retry would run the job once more");
}

TEST_CASE("the first delay of retries may be longer than the longest that is the default") {
    MakeFixture api;
    CHECK(api.with(R"("retry":{"first_delay_ms":7200000})").at("retry").at("max_delay_ms") == 7200000.0);
    CHECK(api.message(R"("retry":{"first_delay_ms":5,"max_delay_ms":4})") ==
          "retry.max_delay_ms must not be less than first_delay_ms");
}

TEST_CASE("what a field must be is said, by name") {
    MakeFixture api;
    CHECK(api.message(R"("job_id":"")") == "job_id must be a text of 1 to 255 bytes without control characters");
    CHECK(api.message(R"("job_id":7)") == "job_id must be a text");
    CHECK(api.message(R"("schedule":5)") == "schedule must be a text");
    CHECK(api.message(R"("schedule":"* * *")").starts_with("schedule must be a cron expression of 5 to 7 fields"));
    CHECK(api.message(R"("schedule":"61 * * * * *")").find("column 1") != std::string::npos);
    CHECK(api.message(R"("schedule":"@daily","time_zone":"Mars/Olympus")") ==
          R"(time_zone must be a name such as UTC, Europe/Berlin or +02:00; there is no "Mars/Olympus")");
    CHECK(api.message(R"("schedule":"@daily","dst":"maybe")") == "dst must be one of vixie, skip, twice");
    CHECK(api.message(R"("schedule":"@daily","day_match":"maybe")") == "day_match must be one of vixie, both");
    CHECK(api.message(R"("schedule":"@daily","from":"soon")") ==
          "from must be an instant such as 2024-01-15T10:30:00Z, or a day such as 2024-01-15");
    CHECK(api.message(R"("schedule":"@daily","from":"2025-01-01","until":"2024-01-01")")
              .starts_with("schedule is refused: "));
    CHECK(api.message(R"("schedule":"@daily","times":0)").starts_with("times must be a whole number from 1 to "));
    CHECK(api.message(R"("schedule":"@daily","times":1.5)").starts_with("times must be a whole number from 1 to "));
    CHECK(
        api.message(R"("schedule":"@daily","jitter_ms":-1)").starts_with("jitter_ms must be a number of milliseconds"));
    CHECK(api.message(R"("timeout_ms":"30s")").starts_with("timeout_ms must be a number of milliseconds from 0 to "));
    CHECK(api.message(R"("execution_type":"at_least_once")") ==
          "execution_type must be one of AT_LEAST_ONCE, AT_MOST_ONCE");
    CHECK(api.message(R"("active":"yes")") == "active must be true or false");
    CHECK(api.message(R"("overlap":"queue")") ==
          "overlap must be one of skip, queue_one, queue_all, allow, cancel_running");
    CHECK(api.message(R"("misfire":"never")") == "misfire must be one of run_once, skip, run_all");
    CHECK(api.message(R"("priority":1e400)").starts_with("the body is refused: not JSON"));
    CHECK(api.message(R"("priority":99999999999999999999)").starts_with("priority must be a whole number from "));
    CHECK(api.message(R"("max_catch_up":-1)") == "max_catch_up must be a whole number from 0 to 100000");
    CHECK(api.message(R"("group":["a"])") == "group must be a text");
    CHECK(api.message(R"("retry":3)") == "retry must be a JSON object");
    CHECK(api.message(R"("retry":{"max_attempts":0})") ==
          "retry.max_attempts must be a whole number from 1 to 1000000");
    CHECK(api.message(R"("retry":{"factor":0.5})") == "retry.factor must be a number from 1 to 1000000");
    CHECK(api.message(R"("retry":{"jitter":2})") == "retry.jitter must be a number from 0 to 1");
}

TEST_CASE("a field that is not known is refused, and says which there are") {
    MakeFixture api;
    CHECK(api.message(R"("timout_ms":5)")
              .starts_with(R"(the field "timout_ms" is not known; the fields are job_id, schedule, time_zone, )"));
    CHECK(api.message(R"("retry":{"attempts":5})") ==
          R"(the field "attempts" is not known; the fields are max_attempts, first_delay_ms, factor, max_delay_ms, )"
          "jitter in retry");
    CHECK(api.message(R"("max_attempts":5)").starts_with(R"(the field "max_attempts" is not known)"));
    CHECK(api.message(R"("":5)").starts_with(R"(the field "" is not known)"));
    CHECK(api.message('"' + std::string(100'000, 'x') + R"(":5)").size() < 1000);
}

TEST_CASE("what the scheduler says of a job cannot be given to one that is made") {
    MakeFixture api;
    CHECK(api.message(R"("next_run":"2024-02-01T00:00:00Z")") ==
          "next_run cannot be given: it is what the scheduler says of a job");
    CHECK(api.message(R"("state":"paused")") == "state cannot be given: it is what the scheduler says of a job");
}

TEST_CASE("what narrows a schedule needs one") {
    MakeFixture api;
    CHECK(api.message(R"("time_zone":"UTC")") == "time_zone needs schedule: give both");
    CHECK(api.message(R"("times":3)") == "times needs schedule: give both");
}

TEST_CASE("a handler that is not there is refused, with those that are") {
    MakeFixture api;
    CHECK(api.refused(400, R"({"handler_id":"mail","method_name":"sned"})") ==
          R"(handler_id and method_name must name one of GET /api/v1/handlers: there is no handler with the id "mail" )"
          R"(and the method "sned"; its methods are "send")");
    CHECK(api.refused(400, R"({"schedule":"@daily"})") ==
          "a job needs handler_id, which names one of GET /api/v1/handlers, or api_url");
}

TEST_CASE("an id that is taken is a conflict, and the job that has it stays as it is") {
    MakeFixture api;
    static_cast<void>(api.with(R"("job_id":"once","priority":1)"));
    CHECK(api.refused(409, R"({"job_id":"once","handler_id":"mail","method_name":"send"})") ==
          "there is a job with this job_id already");
    CHECK(api.get("/api/v1/jobs/once").at("priority") == 1);
}

TEST_CASE("there is a bound on how many jobs there may be") {
    MakeFixture api{{.max_jobs = 2}};
    api.scheduler.add("code", {}, [] {});
    static_cast<void>(api.with(R"("job_id":"last")"));
    CHECK(api.refused(409, R"({"handler_id":"mail","method_name":"send"})") ==
          "there are 2 jobs already, and no more are allowed: delete one first");
    CHECK(api.ask("DELETE", "/api/v1/jobs/last").status == 204);
    CHECK(api.with(R"("job_id":"next")").at("job_id") == "next");
}

TEST_CASE("the bound on jobs holds when many are made at once, and every id is another") {
    MakeFixture api{{.max_jobs = 20}};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 20; ++j) {
                static_cast<void>(api.ask("POST", "/api/v1/jobs", R"({"handler_id":"mail","method_name":"send"})"));
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(api.scheduler.job_count() == 20);
}

TEST_CASE("there is a bound on the parameters of a job") {
    MakeFixture api{{.max_parameter_bytes = 10}};
    CHECK(api.message(R"("parameters":"12345678901")") == "parameters must have at most 10 bytes");
    CHECK(api.message(R"("parameters":[1,2,3,4,5])") == "parameters must have at most 10 bytes");
    CHECK(api.with(R"("parameters":"1234567890")").at("parameters") == "1234567890");
    CHECK(api.with(R"("parameters":null)").at("parameters") == "");
}

TEST_CASE("a body is JSON, and called so or not called anything") {
    MakeFixture api;
    const auto status = [&](const char* type) {
        return api
            .ask("POST", "/api/v1/jobs", R"({"handler_id":"mail","method_name":"send"})", {{"Content-Type", type}})
            .status;
    };
    for (const auto* type :
         {"application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json", ""}) {
        INFO(type);
        CHECK(status(type) == 201);
    }
    for (const auto* type :
         {"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "+json", ";"}) {
        INFO(type);
        CHECK(status(type) == (std::string_view{type} == ";" ? 201 : 415));
    }
    CHECK(api.refusal(415, "POST", "/api/v1/jobs", "{}", {{"Content-Type", "text/plain"}}) ==
          "the body must be JSON: send it with Content-Type: application/json");
}

TEST_CASE("a body that is no JSON object is refused with the place") {
    MakeFixture api;
    CHECK(api.refused(400, "{\"schedule\": }") == "the body is refused: not JSON at line 1, column 14");
    CHECK(api.refused(400, "").starts_with("the body is refused: not JSON"));
    CHECK(api.refused(400, "[]") == "the body must be a JSON object");
}

TEST_CASE("a name that comes twice is refused") {
    MakeFixture api;
    CHECK(api.message(R"("priority":1,"priority":2)") ==
          R"(the body is refused: an object has the name "priority" twice)");
    CHECK(api.message(R"("parameters":[{"a":{"b":1,"b":2}}])") ==
          R"(the body is refused: an object has the name "b" twice)");
    CHECK(api.with(R"("parameters":[{"a":1},{"a":{"a":2}}])").at("parameters") == R"([{"a":1},{"a":{"a":2}}])");
}

TEST_CASE("a job with an unusual id is found where it is said to be") {
    MakeFixture api;
    for (const auto* id : {"nightly/täglich 1+1", "a%2Fb", "..a", "?x=1#y", "50%"}) {
        INFO(id);
        const auto response = api.ask("POST", "/api/v1/jobs",
                                      json{{"job_id", id}, {"handler_id", "mail"}, {"method_name", "send"}}.dump());
        REQUIRE(response.status == 201);
        CHECK(api.get(*response.header("Location")).at("job_id") == id);
    }
}

TEST_CASE("ids that no path can name are refused") {
    MakeFixture api;
    for (const auto* id : {R"(".")", R"("..")", R"("a\u0000b")", R"("\u0007")", R"("\u007f")"}) {
        INFO(id);
        CHECK(api.message(R"("job_id":)" + std::string{id}).starts_with("job_id must "));
    }
    CHECK(api.message(R"("job_id":")" + std::string(256, 'x') + '"').starts_with("job_id must be a text of 1 to 255"));
    CHECK(api.message(R"("job_id":")" + std::string(1 << 19, 'x') + '"').size() < 200);
    CHECK(api.with(R"("job_id":")" + std::string(255, 'x') + '"').at("state") == "scheduled");
}

TEST_CASE("the place of a new job has the prefix of the router") {
    MakeFixture api;
    http::Router router{{.prefix = "/admin", .authorize = http::allow_changes()}};
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    const std::string body = R"({"job_id":"a b","handler_id":"mail","method_name":"send"})";
    const auto response =
        router.handle({.method = "POST", .target = "http://host/admin/api/v1/jobs?x=1", .body = body});
    REQUIRE(response.status == 201);
    CHECK(*response.header("Location") == "/admin/api/v1/jobs/a%20b");
}

TEST_CASE("no job is made without permission, nor once the scheduler has stopped") {
    MakeFixture api;
    const std::string body = R"({"handler_id":"mail","method_name":"send"})";
    http::Router router;
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    CHECK(router.handle({.method = "POST", .target = "/api/v1/jobs", .body = body}).status == 403);
    CHECK(api.scheduler.job_count() == 0);
    api.scheduler.stop(0s);
    CHECK(api.refused(503, body) == "the scheduler has been stopped, or is about to: it takes no more jobs");
    api.owned.reset();
    CHECK(api.refused(503, body) == "the scheduler has been stopped, or is about to: it takes no more jobs");
}

TEST_CASE("a job may make, change and delete jobs") {
    MakeFixture api;
    std::string statuses;
    api.scheduler.add("maker", {}, [&] {
        const std::string body = R"({"job_id":"made","handler_id":"mail","method_name":"send","schedule":"every 1s"})";
        statuses += std::to_string(api.ask("POST", "/api/v1/jobs", body).status) + ' ';
        statuses += std::to_string(api.ask("PUT", "/api/v1/jobs/made", R"({"priority":1})").status) + ' ';
        statuses += std::to_string(api.ask("PUT", "/api/v1/jobs/maker", R"({"priority":1})").status) + ' ';
        statuses += std::to_string(api.ask("DELETE", "/api/v1/jobs/maker").status) + ' ';
    });
    api.run("maker");
    CHECK(statuses == "201 200 200 204 ");
    CHECK(api.get("/api/v1/jobs").at("total") == 1);
}

TEST_CASE("a webhook needs somebody who sends it") {
    MakeFixture api{{.allow_url = http::allow_hosts({"example.org"})}};
    CHECK(api.message(R"("webhook_url":"https://example.org/hook")")
              .starts_with("webhook_url has no use here: the program has given the API no webhooks"));
    CHECK(api.with(R"("webhook_url":null)").contains("has_webhook") == false);
}

TEST_CASE("a webhook is set, shown without its URL, changed and taken away") {
    std::string told;
    std::string target;
    MakeFixture api{{.allow_url = http::allow_hosts({"example.org"}),
                     .set_webhook =
                         [&](std::string_view id, std::string_view url) {
                             if (url.ends_with("bad")) { throw std::invalid_argument{"not that one"}; }
                             told += "set " + std::string{id} + ' ' + std::string{url} + '\n';
                             target = url;
                         },
                     .remove_webhook =
                         [&](std::string_view id) {
                             told += "remove " + std::string{id} + '\n';
                             target.clear();
                         },
                     .has_webhook = [&](std::string_view) { return !target.empty(); }}};
    CHECK(api.with(R"("job_id":"job","webhook_url":"https://example.org/secret")").at("has_webhook") == true);
    CHECK(api.get("/api/v1/jobs/job").dump().find("secret") == std::string::npos);
    CHECK(api.put("job", R"({"priority":2})").at("has_webhook") == true);
    CHECK(api.put("job", R"({"webhook_url":null})").at("has_webhook") == false);
    CHECK(api.ask("DELETE", "/api/v1/jobs/job").status == 204);
    CHECK(told == "set job https://example.org/secret\nremove job\nremove job\n");
    CHECK(api.refused(403, R"({"handler_id":"mail","method_name":"send","webhook_url":"https://other.example/"})") ==
          "webhook_url may not be reached from here: JobsApiOptions::allow_url does not allow it");
    CHECK(api.message(R"("job_id":"job","webhook_url":"https://example.org/bad")") ==
          "webhook_url is refused: not that one");
    CHECK(api.ask("GET", "/api/v1/jobs/job").status == 404);
    CHECK(api.message(R"("webhook_url":"ftp://example.org/")") ==
          "webhook_url is refused: the URL must begin with http:// or https://");
}

TEST_CASE("a job whose webhook is refused is never there") {
    daybook::Scheduler<>* scheduler = nullptr;
    bool was_there = false;
    MakeFixture api{
        {.allow_url = http::allow_hosts({"example.org"}), .set_webhook = [&](std::string_view id, std::string_view) {
             was_there = scheduler->job(id).has_value();
             throw std::invalid_argument{"not that one"};
         }}};
    scheduler = &api.scheduler;
    CHECK(api.message(R"("job_id":"job","schedule":"every 1s","webhook_url":"https://example.org/")") ==
          "webhook_url is refused: not that one");
    CHECK_FALSE(was_there);
    api.pass(2s);
    CHECK(api.sent.empty());
    CHECK(api.scheduler.job_count() == 0);
}

TEST_CASE("a job that cannot be made leaves no webhook, and the job of somebody else") {
    daybook::Scheduler<>* scheduler = nullptr;
    std::string told;
    MakeFixture api{{.allow_url = http::allow_hosts({"example.org"}),
                     .set_webhook =
                         [&](std::string_view id, std::string_view) {
                             told += "set;";
                             if (id == "raced") {
                                 scheduler->add(std::string{id}, {}, [] {});
                             }
                         },
                     .remove_webhook = [&](std::string_view) { told += "remove;"; }}};
    scheduler = &api.scheduler;
    CHECK(api.refused(
              409,
              R"({"job_id":"raced","handler_id":"mail","method_name":"send","webhook_url":"https://example.org/"})") ==
          "there is a job with this job_id already");
    CHECK(told == "set;remove;");
    CHECK(api.get("/api/v1/jobs/raced").at("origin") == "code");
    CHECK(api.refused(
              409,
              R"({"job_id":"raced","handler_id":"mail","method_name":"send","webhook_url":"https://example.org/"})") ==
          "there is a job with this job_id already");
    CHECK(told == "set;remove;"); // that of a job that is there is not touched
}

TEST_CASE("a job does not inherit the webhook of an earlier one") {
    std::string target = "https://example.org/old";
    MakeFixture api{{.remove_webhook = [&](std::string_view id) {
        if (id == "job") { target.clear(); }
    }}};
    static_cast<void>(api.with(R"("job_id":"other")"));
    CHECK_FALSE(target.empty());
    static_cast<void>(api.with(R"("job_id":"job")"));
    CHECK(target.empty());
}

TEST_CASE("a job is not made when what is asked of the answer is wrong") {
    MakeFixture api;
    CHECK(api.refusal(400, "POST", "/api/v1/jobs?next=abc", R"({"handler_id":"mail","method_name":"send"})")
              .find("next") != std::string::npos);
    CHECK(api.scheduler.job_count() == 0);
}
