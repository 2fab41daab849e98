// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include "odd_server.hpp"

#include <daybook/adapters/httplib_client.hpp>
#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using daybook::JobStatus;
using daybook::http::HttpJobOptions;
using Record = daybook::JobExecutionRecord<>;

namespace {

/// A scheduler with the handler, and what came of one job of it.
class HttpJobRun {
public:
    explicit HttpJobRun(HttpJobOptions options = {}) {
        daybook::add_http_handler<daybook::nlohmann_json>(scheduler_.handlers(), std::move(options));
        scheduler_.start();
    }

    [[nodiscard]] Record run(const std::string& parameters, std::optional<std::chrono::nanoseconds> timeout = {}) {
        const auto id = std::to_string(++jobs_);
        scheduler_.add(
            {.id = id, .handler_id = "http", .method_name = "request", .timeout = timeout, .parameters = parameters});
        const auto report = scheduler_.trigger(id);
        REQUIRE(report);
        for (;;) {
            auto record = scheduler_.log().find(report.id);
            if (record && is_finished(record->status)) { return *record; }
            std::this_thread::sleep_for(1ms);
        }
    }

    [[nodiscard]] daybook::Scheduler<>& scheduler() { return scheduler_; }

private:
    daybook::Scheduler<> scheduler_;
    int jobs_ = 0;
};

std::string metadata_of(const Record& record, const std::string& name) {
    const auto found = std::find_if(record.metadata.begin(), record.metadata.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == record.metadata.end() ? "(none)" : found->second;
}

HttpJobOptions allowing(const OddServer& server) {
    return {.allow_url = daybook::http::allow_hosts({"127.0.0.1:" + std::to_string(server.port())})};
}

std::string parameters_for(const std::string& url) { return R"({"url":")" + url + R"("})"; }

} // namespace

TEST_CASE("an HTTP job posts, and keeps the answer, its status and its latency") {
    std::string seen;
    const OddServer server{[&](const OddServer::Peer& peer) {
        seen = peer.read_until("\r\n\r\n");
        (void)peer.send("HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone");
    }};
    HttpJobRun jobs{allowing(server)};
    const auto record = jobs.run(parameters_for(server.url() + "/a?b"));
    CHECK(record.status == JobStatus::success);
    CHECK(record.result == "done");
    CHECK(metadata_of(record, "http_status") == "201");
    CHECK(std::stoi(metadata_of(record, "latency_ms")) < 30'000);
    CHECK(metadata_of(record, "response") == "(none)");
    CHECK(metadata_of(record, "response_is_cut") == "(none)");
    CHECK(seen.starts_with("POST /a?b HTTP/1.1\r\n"));
}

TEST_CASE("method, headers and body are as the parameters say") {
    std::string seen;
    const OddServer server{[&](const OddServer::Peer& peer) {
        seen = peer.read_until("body");
        (void)peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    }};
    HttpJobRun jobs{allowing(server)};
    auto record = jobs.run(R"({"url":")" + server.url() +
                           R"(","method":"PUT","headers":{"X-Key":"k","X-Other":"o"},"body":"the body"})");
    CHECK(record.status == JobStatus::success);
    CHECK(record.result == "");
    CHECK(seen.starts_with("PUT / HTTP/1.1\r\n"));
    CHECK(seen.find("X-Key: k\r\n") != std::string::npos);
    CHECK(seen.find("X-Other: o\r\n") != std::string::npos);
    CHECK(seen.find("Content-Type: application/json\r\n") != std::string::npos);
    CHECK(seen.ends_with("\r\n\r\nthe body"));
    record = jobs.run(R"({"url":")" + server.url() + R"(","headers":{"content-type":"text/csv"},"body":"the body"})");
    CHECK(seen.find("application/json") == std::string::npos);
}

TEST_CASE("a status from 400 on is an error, and what the answer said is kept") {
    const OddServer server{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\n\r\nover\r\nloaded"};
    HttpJobRun jobs{allowing(server)};
    const auto record = jobs.run(parameters_for(server.url()));
    CHECK(record.status == JobStatus::error);
    CHECK(record.error == "the answer was HTTP 503");
    CHECK(metadata_of(record, "http_status") == "503");
    CHECK(metadata_of(record, "response") == "over\r\nloaded");
    CHECK(!record.result);
}

TEST_CASE("no answer is an error that says so") {
    const OddServer server{std::string{}};
    HttpJobRun jobs{allowing(server)};
    const auto record = jobs.run(parameters_for(server.url() + "/geheim"));
    CHECK(record.status == JobStatus::error);
    REQUIRE(record.error);
    CHECK(record.error->find(server.url()) != std::string::npos);
    CHECK(record.error->find("geheim") == std::string::npos);
    CHECK(metadata_of(record, "http_status") == "(none)");
    CHECK(metadata_of(record, "latency_ms") != "(none)");
}

TEST_CASE("without a list of what is allowed, nothing is") {
    const OddServer server{"HTTP/1.1 200 OK\r\n\r\n"};
    HttpJobRun jobs;
    const auto record = jobs.run(parameters_for(server.url()));
    CHECK(record.status == JobStatus::error);
    CHECK(record.error == server.url() + " is not allowed");
    CHECK(server.connections() == 0);
}

TEST_CASE("what is allowed is asked at each execution") {
    const OddServer server{"HTTP/1.1 200 OK\r\n\r\n"};
    std::atomic<bool> is_allowed{true};
    HttpJobRun jobs{{.allow_url = [&](const daybook::http::HttpUrl&) { return is_allowed.load(); }}};
    CHECK(jobs.run(parameters_for(server.url())).status == JobStatus::success);
    is_allowed = false;
    CHECK(jobs.run(parameters_for(server.url())).status == JobStatus::error);
    CHECK(server.connections() == 1);
}

TEST_CASE("a redirect is the answer, unless it may be followed, and then only to what is allowed") {
    const OddServer forbidden{"HTTP/1.1 200 OK\r\n\r\nsecret"};
    const OddServer server{"HTTP/1.1 307 Elsewhere\r\nLocation: " + forbidden.url() + "\r\nContent-Length: 0\r\n\r\n"};
    HttpJobRun plain{allowing(server)};
    const auto answer = plain.run(parameters_for(server.url()));
    CHECK(answer.status == JobStatus::success);
    CHECK(metadata_of(answer, "http_status") == "307");
    auto options = allowing(server);
    options.max_redirects = 3;
    HttpJobRun following{options};
    const auto record = following.run(parameters_for(server.url()));
    CHECK(record.status == JobStatus::error);
    CHECK(record.error == forbidden.url() + " is not allowed");
    CHECK(forbidden.connections() == 0);
}

TEST_CASE("a large answer is cut, and says so") {
    const OddServer server{"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + std::string(10'000'000, 'x')};
    auto options = allowing(server);
    options.max_response_bytes = 100;
    HttpJobRun jobs{options};
    const auto record = jobs.run(parameters_for(server.url()));
    CHECK(record.status == JobStatus::success);
    CHECK(record.result == std::string(100, 'x'));
    CHECK(metadata_of(record, "response_is_cut") == "true");
}

TEST_CASE("the handler's timeout is the job's error, the job's own timeout ends the request too") {
    std::atomic<int> ended{0};
    const OddServer server{[&](const OddServer::Peer& peer) {
        peer.hang();
        ++ended;
    }};
    auto options = allowing(server);
    options.timeout = 50ms;
    HttpJobRun jobs{options};
    auto record = jobs.run(parameters_for(server.url()));
    CHECK(record.status == JobStatus::error);
    CHECK(record.error == "no answer from " + server.url() + " in time");

    options.timeout = 1h;
    HttpJobRun patient{options};
    record = patient.run(parameters_for(server.url()), 50ms);
    CHECK(record.status == JobStatus::timeout);
    while (ended < 2) { std::this_thread::sleep_for(1ms); }
}

TEST_CASE("a stop of the scheduler ends a request") {
    std::atomic<bool> is_asked{false};
    const OddServer server{[&](const OddServer::Peer& peer) {
        (void)peer.read_until("\r\n\r\n");
        is_asked = true;
        peer.hang();
    }};
    auto options = allowing(server);
    options.timeout = 1h;
    HttpJobRun jobs{options};
    jobs.scheduler().add(
        {.id = "hangs", .handler_id = "http", .method_name = "request", .parameters = parameters_for(server.url())});
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(jobs.scheduler().trigger("hangs"));
    while (!is_asked) { std::this_thread::sleep_for(1ms); }
    jobs.scheduler().stop(0s);
    CHECK(std::chrono::steady_clock::now() - begin < 60s);
}

TEST_CASE("parameters that are no request are refused with a sentence that says why") {
    const auto refusal = [](const std::string& parameters) {
        try {
            (void)daybook::http::parse_http_job<daybook::nlohmann_json>(parameters);
        } catch (const std::invalid_argument& error) { return std::string{error.what()}; }
        return std::string{};
    };
    CHECK(refusal(R"({"url":"http://x/"})").empty());
    CHECK(refusal(R"({"url":"http://x/","method":"GET","headers":{},"body":""})").empty());
    const std::pair<const char*, const char*> wrong[] = {
        {"", "JSON"},
        {"{", "JSON"},
        {"[]", "object"},
        {"{}", "url"},
        {R"({"url":""})", "url"},
        {R"({"url":5})", "url"},
        {R"({"url":"ftp://x/"})", "http://"},
        {R"({"url":"http://u:p@x/"})", "user name"},
        {R"({"url":"http://x/","method":"BREW"})", "method"},
        {R"({"url":"http://x/","method":"get"})", "method"},
        {R"({"url":"http://x/","method":"CONNECT"})", "method"},
        {R"({"url":"http://x/","method":"GET / HTTP/1.1\r\nX: y\r\n\r\n"})", "method"},
        {R"({"url":"http://x/","headers":[]})", "headers"},
        {R"({"url":"http://x/","headers":{"A":5}})", "header"},
        {R"({"url":"http://x/","headers":{"A":"b\r\nC: d"}})", "header"},
        {R"({"url":"http://x/","headers":{"Host":"internal"}})", "Host"},
        {R"({"url":"http://x/","body":{}})", "body"},
        {R"({"url":"http://x/","bdoy":""})", "nothing else"}};
    for (const auto& [parameters, word] : wrong) {
        INFO(parameters);
        const auto text = refusal(parameters);
        INFO(text);
        CHECK(text.find(word) != std::string::npos);
    }
    HttpJobRun jobs;
    CHECK(jobs.run("").error->find("JSON") != std::string::npos);
}

TEST_CASE("a retry may look at the answer's status") {
    const OddServer server{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
    HttpJobRun jobs{allowing(server)};
    std::atomic<int> status{0};
    jobs.scheduler().add({.id = "asked",
                          .handler_id = "http",
                          .method_name = "request",
                          .retry = daybook::fixed_backoff().only_if([&](const daybook::Failure& failure) {
                              try {
                                  std::rethrow_exception(failure.exception);
                              } catch (const daybook::http::HttpJobError& error) {
                                  status = error.status();
                                  return error.status() >= 500;
                              }
                          }),
                          .parameters = parameters_for(server.url())});
    REQUIRE(jobs.scheduler().trigger("asked"));
    while (status == 0) { std::this_thread::sleep_for(1ms); }
    jobs.scheduler().stop(10s);
    CHECK(status == 404);
    CHECK(server.connections() == 1);
}

TEST_CASE("the handler may be added once, with timeouts that are some") {
    daybook::Handlers<> handlers;
    CHECK_THROWS_AS(daybook::add_http_handler<daybook::nlohmann_json>(handlers, {.timeout = 0s}),
                    std::invalid_argument);
    CHECK_THROWS_AS(daybook::add_http_handler<daybook::nlohmann_json>(handlers, {.connect_timeout = -1s}),
                    std::invalid_argument);
    daybook::add_http_handler<daybook::nlohmann_json>(handlers, {});
    CHECK(handlers.contains("http", "request"));
    CHECK_THROWS_AS(daybook::add_http_handler<daybook::nlohmann_json>(handlers, {}), std::invalid_argument);
}

TEST_CASE("the handler's result fits schedulers of other results") {
    daybook::Handlers<nlohmann::json> handlers;
    daybook::add_http_handler<daybook::nlohmann_json>(handlers, {});
    CHECK(handlers.contains("http", "request"));
}
