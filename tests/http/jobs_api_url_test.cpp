// SPDX-License-Identifier: MIT
#include "jobs_fixture.hpp"

#include <atomic>
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

/// With a handler in place of the one that calls URLs.
struct UrlFixture : JobsFixture {
    explicit UrlFixture(http::JobsApiOptions options = {.allow_url = http::allow_hosts({"good.example"})})
        : JobsFixture{std::move(options)} {
        scheduler.handlers().add("http", "request", [this](daybook::JobContext& job) -> std::string {
            calls.emplace_back(job.parameters());
            job.metadata("http_status", std::to_string(status));
            if (status >= 400) {
                job.metadata("response", "no such thing");
                throw std::runtime_error{"answered with " + std::to_string(status)};
            }
            return "pong";
        });
        scheduler.handlers().add("mail", "send", [] {});
        scheduler.start();
    }

    [[nodiscard]] std::string message(const std::string& fields, int code = 400) const {
        return refused(code, '{' + fields + '}');
    }
    [[nodiscard]] std::string url_message(const std::string& url, int code = 400) const {
        return message(R"("api_url":)" + json(url).dump(), code);
    }
    [[nodiscard]] std::string change_message(const std::string& body, int code = 400) const {
        return refusal(code, "PUT", "/api/v1/jobs/ping", body);
    }

    int status = 200;
    std::vector<std::string> calls;
};

} // namespace

TEST_CASE("a job that calls a URL is made as its users have always made it") {
    UrlFixture api;
    const auto made = api.answer(
        201, "POST", "/api/v1/jobs",
        R"({"schedule":"0 */5 * * * *","api_url":"https://good.example/post","execution_type":"AT_LEAST_ONCE"})",
        {{"Content-Type", "application/json"}});
    CHECK(made.at("api_url") == "https://good.example/post");
    CHECK(made.at("http_method") == "POST");
    CHECK(made.at("body").is_null());
    CHECK(made.at("active") == true);
    CHECK_FALSE(made.contains("parameters"));
    api.pass(5min);
    REQUIRE(api.calls.size() == 1);
    CHECK(api.calls[0] == R"({"url":"https://good.example/post","method":"POST"})");
    const auto latest = api.get("/api/v1/executions/" + made.at("job_id").get<std::string>() + "/latest");
    CHECK(latest.at("status") == "SUCCESS");
    CHECK(latest.at("http_status") == 200);
    CHECK(latest.at("response") == "pong");
}

TEST_CASE("what is called can be said in full") {
    UrlFixture api;
    const auto job = api.make(R"({"job_id":"ping","api_url":"https://good.example/","http_method":"PUT",)"
                              R"("headers":{"Authorization":"Bearer secret","X-A":"b"},"body":{"a":[1]}})");
    CHECK(job.at("header_names") == json::parse(R"(["Authorization","X-A"])"));
    CHECK(job.at("body") == R"({"a":[1]})");
    CHECK(job.dump().find("secret") == std::string::npos);
    api.run("ping");
    CHECK(json::parse(api.calls.at(0)) ==
          json::parse(R"({"url":"https://good.example/","method":"PUT",)"
                      R"("headers":{"Authorization":"Bearer secret","X-A":"b"},"body":"{\"a\":[1]}"})"));
}

TEST_CASE("a call that fails is shown with its status and its answer") {
    UrlFixture api;
    api.status = 404;
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/","retry":{"max_attempts":1}})"));
    api.run("ping");
    const auto latest = api.get("/api/v1/executions/ping/latest");
    CHECK(latest.at("status") == "FAILED");
    CHECK(latest.at("http_status") == 404);
    CHECK(latest.at("response") == "no such thing");
    CHECK(latest.at("error") == "answered with 404");
}

TEST_CASE("other executions say nothing of a status") {
    UrlFixture api;
    static_cast<void>(api.make(R"({"job_id":"job","handler_id":"mail","method_name":"send"})"));
    api.run("job");
    CHECK_FALSE(api.get("/api/v1/executions/job/latest").contains("http_status"));
}

TEST_CASE("URLs are called only where the program opens it") {
    UrlFixture closed{http::JobsApiOptions{}};
    CHECK(closed.url_message("https://good.example/", 403) ==
          "reaching URLs is closed here: to open it, give the API a hook that says which may be reached "
          "(JobsApiOptions::allow_url)");
    UrlFixture api;
    CHECK(api.url_message("https://other.example/", 403) ==
          "api_url may not be reached from here: JobsApiOptions::allow_url does not allow it");
    api.scheduler.handlers().remove("http", "request");
    CHECK(api.url_message("https://good.example/", 403)
              .starts_with("api_url jobs are closed here: to open them, add a handler with the id \"http\" and the "
                           "method \"request\" to the scheduler"));
    CHECK(api.scheduler.job_count() == 0);
}

TEST_CASE("texts that are no URL, or that readers disagree about, do not reach the hook") {
    std::string asked;
    UrlFixture api{http::JobsApiOptions{.allow_url = [&](const http::HttpUrl& url) {
        asked += url.text();
        return true;
    }}};
    for (const auto* url : {"", "good.example", "ftp://good.example/", "file:///etc/passwd", "javascript:alert(1)",
                            "https://", "https:///x", "https://:80/", "https://good.example@other.example/",
                            "https://a:b@other.example/", "https://good.example\\@x/", "https://good.example/ x",
                            "https://good.example/\r\nX: y", "https://täglich.example/", " https://good.example/"}) {
        INFO(url);
        CHECK(api.url_message(url).starts_with("api_url "));
    }
    CHECK(api.url_message("https://good.example/" + std::string(9000, 'x')) ==
          "api_url is refused: the URL is longer than 8192 bytes");
    CHECK(asked.empty());
    CHECK(api.make(R"({"api_url":"HTTP://good.example:8080?x=%20y&z=[1]"})").at("http_method") == "POST");
    CHECK(asked == "http://good.example:8080/?x=%20y&z=[1]");
}

TEST_CASE("what a call may be is said") {
    UrlFixture api;
    const std::string url = R"("api_url":"https://good.example/",)";
    CHECK(api.message(url + R"("http_method":"TRACE")") ==
          "http_method must be one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    for (const auto* headers : {R"({"A":1})", R"({"":"x"})", R"({"A b":"x"})", R"({"A":"x\r\nB: y"})", R"({"A\n":"x"})",
                                R"({"A":"\u0000"})", R"({"host":"x"})"}) {
        INFO(headers);
        CHECK(api.message(url + R"("headers":)" + headers)
                  .starts_with("headers must be an object with names of headers and their values, which are texts"));
    }
    CHECK(api.message(url + R"("headers":"A: b")") == "headers must be a JSON object");
    json many;
    for (int i = 0; i < 51; ++i) { many["h" + std::to_string(i)] = ""; }
    CHECK(api.message(url + R"("headers":)" + many.dump()) == "headers must have at most 50 members");
    CHECK(api.message(url + R"("body":")" + std::string(70'000, 'x') + '"') == "body must have at most 65536 bytes");
    CHECK(api.message(R"("body":"x")") == "api_url must be given: it says what is called");
}

TEST_CASE("a job calls a URL or runs a handler, not both") {
    UrlFixture api;
    const std::string url = R"("api_url":"https://good.example/",)";
    CHECK(api.message(url + R"("handler_id":"mail")").starts_with("handler_id does not go together with api_url"));
    CHECK(api.message(url + R"("parameters":"{}")").starts_with("parameters does not go together with api_url"));
    CHECK(api.message(R"("handler_id":"http","method_name":"request","parameters":{"url":"https://other.example/"})") ==
          "handler_id must not be http with the method request: give api_url instead");
}

TEST_CASE("what a job calls is changed in its parts") {
    UrlFixture api;
    static_cast<void>(api.make(
        R"({"job_id":"ping","api_url":"https://good.example/a","headers":{"Authorization":"secret"},"body":"x"})"));
    auto job = api.put("ping", R"({"api_url":"https://good.example/b"})");
    CHECK(job.at("api_url") == "https://good.example/b");
    CHECK(job.at("header_names") == json::parse(R"(["Authorization"])"));
    CHECK(job.at("body") == "x");
    CHECK(api.put("ping", R"({"body":null})").at("body").is_null());
    job = api.put("ping", R"({"http_method":"GET","body":null})");
    CHECK(job.at("http_method") == "GET");
    CHECK(job.at("body").is_null());
    CHECK(api.put("ping", job.dump()).at("header_names") == json::parse(R"(["Authorization"])"));
    CHECK(api.put("ping", R"({"headers":{}})").at("header_names").empty());
    CHECK(api.change_message(R"({"api_url":"https://other.example/"})", 403) ==
          "api_url may not be reached from here: JobsApiOptions::allow_url does not allow it");
    CHECK(api.change_message(R"({"parameters":"{\"url\":\"https://other.example/\"}"})")
              .starts_with("parameters of a job that calls a URL are api_url"));
    CHECK(api.get("/api/v1/jobs/ping").at("api_url") == "https://good.example/b");
}

TEST_CASE("a job that calls a URL becomes one of a handler, and the other way round") {
    UrlFixture api;
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a"})"));
    auto job = api.put("ping", R"({"handler_id":"mail","method_name":"send"})");
    CHECK(job.at("handler_id") == "mail");
    CHECK(job.at("parameters") == "");
    job = api.put("ping", R"({"parameters":"{\"url\":\"https://other.example/\"}"})");
    CHECK(api.change_message(R"({"handler_id":"http","method_name":"request"})") ==
          "handler_id must not be http with the method request: give api_url instead");
    job = api.put("ping", R"({"api_url":"https://good.example/b"})");
    CHECK(job.at("handler_id") == "http");
    CHECK(job.at("api_url") == "https://good.example/b");
}

TEST_CASE("whoever may run a job does not choose what it calls") {
    UrlFixture api;
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a"})"));
    const std::string other = R"("parameters":{"url":"https://other.example/"})";
    CHECK(api.refusal(400, "POST", "/api/v1/jobs/ping/run", '{' + other + '}') ==
          "parameters cannot be given for a job that calls a URL");
    CHECK(api.refusal(400, "POST", "/api/v1/debug/execute", R"({"job_id":"ping",)" + other + '}') ==
          "parameters cannot be given for a job that calls a URL");
    CHECK(api.answer(202, "POST", "/api/v1/jobs/ping/run").contains("execution_id"));
}

TEST_CASE("whoever may run a job does not choose what it calls, also not while the job becomes another") {
    UrlFixture api;
    const daybook::JobOptions named{.id = "ping",
                                    .handler_id = "http",
                                    .method_name = "request",
                                    .parameters = R"({"url":"https://good.example/"})"};
    api.scheduler.add({.id = "ping"}, [] {});
    std::atomic<bool> is_over = false;
    std::thread changing{[&] {
        while (!is_over) {
            api.scheduler.remove("ping");
            api.scheduler.add(named);
            api.scheduler.remove("ping");
            api.scheduler.add({.id = "ping"}, [] {});
        }
    }};
    for (int round = 0; round < 500; ++round) {
        static_cast<void>(
            api.ask("POST", "/api/v1/jobs/ping/run", R"({"parameters":{"url":"https://other.example/"}})"));
        static_cast<void>(api.ask("POST", "/api/v1/jobs/ping/run"));
        api.scheduler.poll();
    }
    is_over = true;
    changing.join();
    for (const auto& call : api.calls) { CHECK(call == named.parameters); }
}

TEST_CASE("a list says what each job calls, but not what it sends") {
    UrlFixture api;
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a","http_method":"PUT",)"
                               R"("headers":{"Authorization":"secret"},"body":"secret"})"));
    static_cast<void>(api.make(R"({"job_id":"mail","handler_id":"mail","method_name":"send","parameters":"secret"})"));
    const auto listed = api.get("/api/v1/jobs");
    CHECK(listed.dump().find("secret") == std::string::npos);
    const auto& mail = listed.at("jobs").at(0);
    const auto& ping = listed.at("jobs").at(1);
    CHECK(ping.at("api_url") == "https://good.example/a");
    CHECK(ping.at("http_method") == "PUT");
    CHECK(ping.at("header_names") == json::array({"Authorization"}));
    CHECK_FALSE(ping.contains("body"));
    CHECK_FALSE(mail.contains("api_url"));
}

TEST_CASE("a job of code with the same names is code") {
    UrlFixture api;
    api.scheduler.add({.id = "ping", .handler_id = "http", .method_name = "request", .parameters = "as it is"}, [] {});
    CHECK(api.get("/api/v1/jobs/ping").at("parameters") == "as it is");
    CHECK(api.change_message(R"({"api_url":"https://good.example/"})", 409).starts_with("this job is code"));
    CHECK(api.put("ping", R"({"parameters":"changed"})").at("parameters") == "changed");
}

TEST_CASE("a job that the program made of the handler is shown as what it calls, or as it is") {
    UrlFixture api;
    api.scheduler.add({.id = "ping",
                       .handler_id = "http",
                       .method_name = "request",
                       .parameters = R"({"url":"https://other.example/","headers":7,"extra":1})"});
    api.scheduler.add({.id = "odd", .handler_id = "http", .method_name = "request", .parameters = "nonsense"});
    const auto job = api.get("/api/v1/jobs/ping");
    CHECK(job.at("api_url") == "https://other.example/");
    CHECK(api.get("/api/v1/jobs/odd").at("parameters") == "nonsense");
    CHECK(api.put("ping", job.dump()).at("api_url") == "https://other.example/");
}

TEST_CASE("what may not be seen is not shown of a job nor of its executions") {
    UrlFixture api;
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a?token=secret","body":"secret"})"));
    static_cast<void>(api.make(R"({"job_id":"job","handler_id":"mail","method_name":"send","parameters":"secret"})"));
    http::Router router{{.redact = http::redact_everything()}};
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    api.run("ping");
    for (const auto* path : {"/api/v1/jobs", "/api/v1/jobs/ping", "/api/v1/jobs/job", "/api/v1/executions/ping",
                             "/api/v1/executions/ping/latest"}) {
        INFO(path);
        const auto body = router.handle({.target = path}).body;
        CHECK(body.find("secret") == std::string::npos);
        CHECK(body.find("pong") == std::string::npos);
    }
    const auto ping = json::parse(router.handle({.target = "/api/v1/jobs/ping"}).body);
    CHECK(ping.at("api_url") == "[redacted]");
    CHECK(ping.at("body") == "[redacted]");
    const auto latest = json::parse(router.handle({.target = "/api/v1/executions/ping/latest"}).body);
    CHECK(latest.at("http_status").is_null());
    CHECK(latest.at("response") == "[redacted]");
}

TEST_CASE("what came back as it was shown, hidden, stays what it is") {
    UrlFixture api;
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a?token=secret","body":"x"})"));
    static_cast<void>(api.make(R"({"job_id":"job","handler_id":"mail","method_name":"send","parameters":"x"})"));
    http::Router router{{.authorize = http::allow_changes(), .redact = http::redact_everything()}};
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler));
    for (const auto* path : {"/api/v1/jobs/ping", "/api/v1/jobs/job"}) {
        INFO(path);
        const auto body = router.handle({.target = path}).body;
        CHECK(router.handle({.method = "PUT", .target = path, .body = body}).status == 200);
    }
    CHECK(api.get("/api/v1/jobs/ping").at("api_url") == "https://good.example/a?token=secret");
    CHECK(api.get("/api/v1/jobs/ping").at("body") == "x");
    CHECK(api.get("/api/v1/jobs/job").at("parameters") == "x");
}

TEST_CASE("headers and a body do not follow a job to another origin") {
    UrlFixture api{{.allow_url = [](const http::HttpUrl&) { return true; }}};
    const std::string why = " must be given again, or null, when api_url leads to another scheme, host or port: what "
                            "was meant for one server is not sent to another";
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a","headers":{"A":"s"}})"));
    for (const auto* url : {"https://evil.example/a", "http://good.example/a", "https://good.example:8443/a",
                            "http://good.example:443/a", "https://sub.good.example/a"}) {
        INFO(url);
        const auto change = [&](const std::string& more) { return json{{"api_url", url}}.dump().insert(1, more); };
        CHECK(api.change_message(change("")) == "headers" + why);
        CHECK(api.change_message(change(R"("body":"x",)")) == "headers" + why);
    }
    CHECK(api.get("/api/v1/jobs/ping").at("api_url") == "https://good.example/a");
    CHECK(api.put("ping", R"({"api_url":"HTTPS://GOOD.example:443/b"})").at("header_names").size() == 1);
    CHECK(api.put("ping", R"({"api_url":"https://evil.example/","headers":null})").at("header_names").empty());
    CHECK(api.put("ping", R"({"api_url":"https://good.example/","headers":{"A":"s"},"body":"b"})").at("body") == "b");
    CHECK(api.change_message(R"({"api_url":"https://evil.example/","headers":{}})") == "body" + why);
    CHECK(api.put("ping", R"({"api_url":"https://evil.example/","headers":{},"body":"b"})").at("body") == "b");
    CHECK(api.put("ping", R"({"api_url":"https://good.example/","body":null})").at("body").is_null());
    CHECK(api.put("ping", R"({"api_url":"https://evil.example/"})").at("api_url") == "https://evil.example/");
}

TEST_CASE("a body that is hidden does not follow a job to another origin when it is sent back as it was shown") {
    UrlFixture api{{.allow_url = [](const http::HttpUrl&) { return true; }}};
    static_cast<void>(api.make(R"({"job_id":"ping","api_url":"https://good.example/a","body":"secret"})"));
    std::string shown = "[redacted]";
    http::Router router{{.authorize = http::allow_changes(), .redact = [&](const auto&) { return shown; }}};
    router.add(http::jobs_api<daybook::nlohmann_json>(api.scheduler,
                                                      {.allow_url = [](const http::HttpUrl&) { return true; }}));
    const auto change = [&](const std::string& body) {
        return router
            .handle({.method = "PUT",
                     .target = "/api/v1/jobs/ping",
                     .body = R"({"api_url":"https://evil.example/","body":)" + body + '}'})
            .status;
    };
    CHECK(change(R"("[redacted]")") == 400);
    shown.clear();
    CHECK(change(R"("")") == 400);
    CHECK(api.get("/api/v1/jobs/ping").at("api_url") == "https://good.example/a");
    CHECK(change("null") == 200);
    CHECK(api.get("/api/v1/jobs/ping").at("body").is_null());
}
