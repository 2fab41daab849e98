// SPDX-License-Identifier: MIT
#include <daybook/http/executions_api.hpp>
#include <daybook/http/router.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/scheduler.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace http = daybook::http;

namespace {

/// A scheduler whose jobs leave secrets everywhere, and a router that hides what it is told to.
template <class Result = std::string>
struct Secretive {
    daybook::Scheduler<Result> scheduler{{.workers = 0}};
    http::Router router;

    explicit Secretive(http::Redact redact) : router{{.redact = std::move(redact)}} {
        router.add(http::executions_api(scheduler.log()));
    }

    template <class Body>
    void run(const std::string& id, Body body) {
        scheduler.add({.id = id, .parameters = "secret parameters"}, std::move(body));
        scheduler.start();
        scheduler.trigger(id);
        scheduler.poll();
    }

    void run_both() {
        run("good", [](daybook::JobContext& job) -> Result {
            job.metadata("token", "secret value");
            job.log("secret line");
            return Result{"secret result"};
        });
        run("bad", [](daybook::JobContext&) -> Result { throw std::runtime_error{"secret error"}; });
    }

    [[nodiscard]] std::string body(std::string target) const {
        const auto response = router.handle({.target = std::move(target)});
        CHECK(response.status == 200);
        return response.body;
    }
};

/// A result that is an object in JSON.
struct Report {
    std::string title;
};

bool has_part(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

template <>
struct daybook::ResultCodec<Report> {
    static void write_json(JsonWriter& writer, const Report& report) {
        writer.begin_object().member("title", report.title).end_object();
    }
    static Report limited(Report report, std::size_t) { return report; }
};

TEST_CASE("a hook sees every text of a record before a client does") {
    Secretive<> api{http::redact_everything()};
    api.run_both();
    for (const auto* target :
         {"/api/executions", "/api/executions/errors", "/api/executions/1", "/api/executions/2",
          "/api/executions/stats", "/api/executions/export?format=csv", "/api/executions/export?format=json"}) {
        INFO(target);
        CHECK_FALSE(has_part(api.body(target), "secret"));
    }
    const auto good = api.body("/api/executions/1");
    CHECK(has_part(good, R"("result":"[redacted]")"));
    CHECK(has_part(good, R"("log_text":"[redacted]","parameters":"[redacted]","metadata":{"token":"[redacted]"})"));
    CHECK(has_part(api.body("/api/executions/errors"), R"("error":"[redacted]")"));
    CHECK(has_part(api.body("/api/executions/export?format=csv"), "[redacted]"));
    CHECK(has_part(api.body("/api/executions/export?format=json"), R"("error":"[redacted]")"));
}

TEST_CASE("a hook sees results that are no texts as their JSON") {
    Secretive<Report> api{[](const http::RedactedText& text) {
        return text.text == R"({"title":"secret result"})" ? std::string{"hidden"} : std::string{text.text};
    }};
    api.run_both();
    api.run("open", [] { return Report{"weather"}; });
    CHECK(has_part(api.body("/api/executions/1"), R"("result":"hidden")"));
    CHECK(has_part(api.body("/api/executions/3"), R"("result":{"title":"weather"})"));
    CHECK_FALSE(has_part(api.body("/api/executions/export?format=csv"), "secret result"));
    CHECK(has_part(api.body("/api/executions/export?format=json"), R"("result":{"title":"weather"})"));
}

TEST_CASE("the log itself keeps what a hook hides") {
    Secretive<> api{http::redact_everything()};
    api.run_both();
    static_cast<void>(api.body("/api/executions"));
    CHECK(api.scheduler.log().find(1)->result == "secret result");
}

TEST_CASE("what may be hidden cannot be searched for") {
    Secretive<> api{[](const http::RedactedText& text) { return std::string{text.text}; }};
    api.run_both();
    for (const auto* path : {"/api/executions?", "/api/executions/errors?", "/api/executions/export?format=csv&"}) {
        INFO(path);
        auto response = api.router.handle({.target = std::string{path} + "text=secret"});
        CHECK(response.status == 400);
        CHECK(has_part(response.body, "text cannot be searched for here, where texts of records may be hidden"));
        response = api.router.handle({.target = std::string{path} + "metadata_key=token&metadata_value=x"});
        CHECK(response.status == 400);
        CHECK(has_part(response.body, "metadata_value cannot be searched for here"));
        CHECK(api.router.handle({.target = std::string{path} + "metadata_key=token"}).status == 200);
    }
}

TEST_CASE("a hook that throws lets nothing out") {
    Secretive<> api{[](const http::RedactedText&) -> std::string { throw std::runtime_error{"secret reason"}; }};
    api.run_both();
    for (const auto* target : {"/api/executions", "/api/executions/1", "/api/executions/export?format=csv"}) {
        INFO(target);
        const auto response = api.router.handle({.target = target});
        CHECK(response.status == 500);
        CHECK_FALSE(has_part(response.body, "secret"));
    }
}
