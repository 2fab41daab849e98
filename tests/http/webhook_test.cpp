// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http/webhook.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using daybook::http::HttpCall;
using daybook::http::HttpOutcome;
using daybook::http::HttpReply;
using daybook::http::WebhookFailures;
using daybook::http::WebhookNotifier;
using daybook::http::WebhookOptions;
using daybook::http::WebhookOverflow;
using daybook::http::WebhookStaleness;

namespace {

HttpReply webhook_answer(int status, daybook::http::Headers headers = {}) {
    return {.outcome = HttpOutcome::answered, .status = status, .headers = std::move(headers)};
}

/// Answers what the test says, and remembers what was asked. Without an answer left it says 200.
class ScriptedTransport {
public:
    explicit ScriptedTransport(std::deque<HttpReply> replies = {}) : replies_{std::move(replies)} {}

    [[nodiscard]] daybook::http::HttpSend sender() {
        return [this](const HttpCall& call) { return answer(call); };
    }

    /// From now on calls hang until `release`, or until they are stopped.
    void hold() {
        const std::scoped_lock lock{mutex_};
        is_held_ = true;
    }
    void release() {
        const std::scoped_lock lock{mutex_};
        is_held_ = false;
        changed_.notify_all();
    }

    /// Waits until so many calls have begun.
    void wait_for(std::size_t count) {
        std::unique_lock lock{mutex_};
        REQUIRE(changed_.wait_for(lock, 60s, [&] { return calls_.size() >= count; }));
    }
    [[nodiscard]] std::vector<HttpCall> calls() const {
        const std::scoped_lock lock{mutex_};
        return calls_;
    }
    [[nodiscard]] HttpCall call(std::size_t index) const { return calls().at(index); }
    [[nodiscard]] nlohmann::json body(std::size_t index) const { return nlohmann::json::parse(call(index).body); }

private:
    HttpReply answer(const HttpCall& call) {
        std::unique_lock lock{mutex_};
        calls_.push_back(call);
        changed_.notify_all();
        changed_.wait(lock, call.stop, [&] { return !is_held_; });
        if (call.stop.stop_requested()) { return {.outcome = HttpOutcome::stopped, .error = "stopped"}; }
        if (replies_.empty()) { return webhook_answer(200); }
        auto reply = std::move(replies_.front());
        replies_.pop_front();
        return reply;
    }

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<HttpCall> calls_;
    std::deque<HttpReply> replies_;
    bool is_held_ = false;
};

/// What diagnostics say.
struct WebhookDiagnostics {
    mutable std::mutex mutex = {};
    std::vector<std::string> lines = {};

    [[nodiscard]] std::function<void(std::string_view)> callback() {
        return [this](std::string_view line) {
            const std::scoped_lock lock{mutex};
            lines.emplace_back(line);
        };
    }
    [[nodiscard]] std::vector<std::string> said() const {
        const std::scoped_lock lock{mutex};
        return lines;
    }
};

daybook::JobEvent failed_event(std::string job_id = "backup") {
    daybook::JobEvent event;
    event.job_id = std::move(job_id);
    event.handler_id = "disk";
    event.execution_id = 42;
    event.attempt_number = 3;
    event.scheduled_at = daybook::parse_timestamp("2024-01-15T10:30:00Z");
    event.error = "disk full";
    return event;
}

std::string header_of(const HttpCall& call, std::string_view name) {
    const auto* const found = find_header(call.headers, name);
    return found == nullptr ? "(none)" : *found;
}

const std::string ops_url = "https://ops.example.com/jobs?key=geheim";

/// Retries after the same delay, and lets the test know that it has been asked.
struct AskedRetry {
    std::counting_semaphore<> asked{0};

    [[nodiscard]] daybook::RetryPolicy policy(daybook::RetryPolicy of) {
        return of.only_if([this](const daybook::Failure&) {
            asked.release();
            return true;
        });
    }
    void wait() { REQUIRE(asked.try_acquire_for(60s)); }
};

} // namespace

TEST_CASE("a failure is told as JSON, with headers that say what it is") {
    const daybook::ManualClock clock{*daybook::parse_timestamp("2024-01-15T10:30:07Z")};
    ScriptedTransport transport;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .headers = {{"Authorization", "Bearer x"}},
                              .request_timeout = 3s,
                              .clock = clock}};
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));

    const auto call = transport.call(0);
    CHECK(call.method == "POST");
    CHECK(call.url == ops_url);
    CHECK(call.timeout == 3s);
    CHECK(call.stop.stop_possible());
    CHECK(header_of(call, "Content-Type") == "application/json");
    CHECK(header_of(call, "Daybook-Event") == "failure");
    CHECK(header_of(call, "Daybook-Timestamp") == "1705314607");
    CHECK(header_of(call, "Daybook-Signature") == "(none)");
    CHECK(header_of(call, "Authorization") == "Bearer x");
    auto body = transport.body(0);
    CHECK(body["delivery_id"] == header_of(call, "Daybook-Delivery"));
    CHECK(body["delivery_id"].get<std::string>().size() >= 32);
    body.erase("delivery_id");
    CHECK(body == nlohmann::json::parse(R"({"event":"failure","job_id":"backup","handler_id":"disk","execution_id":42,
        "attempt":3,"is_final":true,"status":"error","scheduled_at":"2024-01-15T10:30:00.000000Z","error":"disk full",
        "at":"2024-01-15T10:30:07.000000Z"})"));
    const auto stats = webhooks.stats();
    CHECK(stats.sent == 1);
    CHECK(stats.failed + stats.retried + stats.dropped + stats.queued == 0);
}

TEST_CASE("staleness and recovery are told, unless they are not wanted") {
    ScriptedTransport transport;
    daybook::JobEvent event;
    event.job_id = "backup";
    event.last_success = daybook::parse_timestamp("2024-01-15T10:30:00Z");
    SECTION("wanted") {
        WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender()}};
        webhooks.hooks().on_stale(event);
        webhooks.hooks().on_recovered(event);
        REQUIRE(webhooks.flush(60s));
        const auto body = transport.body(0);
        CHECK(body["event"] == "stale");
        CHECK(body["last_success"] == "2024-01-15T10:30:00.000000Z");
        CHECK(body["execution_id"].is_null());
        CHECK(body["scheduled_at"].is_null());
        CHECK(body["error"].is_null());
        CHECK(!body.contains("status"));
        CHECK(transport.body(1)["event"] == "recovered");
        CHECK(header_of(transport.call(1), "Daybook-Event") == "recovered");
    }
    SECTION("not wanted") {
        WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender(), .staleness = WebhookStaleness::not_told}};
        CHECK(!webhooks.hooks().on_stale);
        CHECK(!webhooks.hooks().on_recovered);
        CHECK(webhooks.hooks().on_error);
    }
}

TEST_CASE("only final failures are told, unless every attempt is wanted") {
    ScriptedTransport transport;
    auto event = failed_event();
    event.is_final = false;
    SECTION("final ones") {
        WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender()}};
        webhooks.hooks().on_error(event);
        webhooks.hooks().on_timeout(event);
        REQUIRE(webhooks.flush(60s));
        CHECK(transport.calls().empty());
    }
    SECTION("every attempt") {
        WebhookNotifier webhooks{
            {.url = ops_url, .send = transport.sender(), .failures = WebhookFailures::every_attempt}};
        webhooks.hooks().on_timeout(event);
        REQUIRE(webhooks.flush(60s));
        CHECK(transport.body(0)["is_final"] == false);
        CHECK(transport.body(0)["status"] == "timeout");
    }
    SECTION("none") {
        WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender(), .failures = WebhookFailures::none}};
        CHECK(!webhooks.hooks().on_error);
        CHECK(!webhooks.hooks().on_timeout);
        CHECK(webhooks.hooks().on_stale);
    }
}

TEST_CASE("the program's own hooks are called after the webhooks', and the others as they are") {
    ScriptedTransport transport;
    transport.hold();
    WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender()}};
    std::vector<std::string> called;
    const auto hooks = webhooks.hooks({.on_start = [&](const daybook::JobEvent&) { called.emplace_back("start"); },
                                       .on_error =
                                           [&](const daybook::JobEvent&) {
                                               called.emplace_back("error " + std::to_string(webhooks.stats().queued));
                                               throw std::runtime_error{"the program's own"};
                                           },
                                       .on_stale = [&](const daybook::JobEvent&) { called.emplace_back("stale"); },
                                       .on_diagnostic = [&](std::string_view text) { called.emplace_back(text); }});
    hooks.on_start(failed_event());
    CHECK_THROWS_AS(hooks.on_error(failed_event()), std::runtime_error);
    hooks.on_stale(failed_event());
    hooks.on_diagnostic("odd");
    CHECK(!hooks.on_success);
    CHECK(called == std::vector<std::string>{"start", "error 1", "stale", "odd"});
}

TEST_CASE("a notifier's hooks chain to those of another one") {
    ScriptedTransport first;
    ScriptedTransport second;
    WebhookNotifier one{{.url = ops_url, .send = first.sender()}};
    WebhookNotifier other{{.url = ops_url, .send = second.sender()}};
    one.hooks(other.hooks()).on_error(failed_event());
    CHECK((one.flush(60s) && other.flush(60s)));
    CHECK(first.calls().size() == 1);
    CHECK(second.calls().size() == 1);
    CHECK(header_of(first.call(0), "Daybook-Delivery") != header_of(second.call(0), "Daybook-Delivery"));
}

TEST_CASE("a job's own target takes the place of that of all") {
    ScriptedTransport transport;
    WebhookNotifier webhooks{
        {.url = ops_url, .send = transport.sender(), .allow_url = daybook::http::allow_hosts({"team.example.com"})}};
    CHECK(webhooks.has_target("backup"));
    webhooks.set_job_target("backup", "https://team.example.com/backup");
    webhooks.hooks().on_error(failed_event());
    webhooks.hooks().on_error(failed_event("other"));
    REQUIRE(webhooks.flush(60s));
    CHECK(transport.call(0).url == "https://team.example.com/backup");
    CHECK(transport.call(1).url == ops_url);
    CHECK(webhooks.remove_job_target("backup"));
    CHECK(!webhooks.remove_job_target("backup"));
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));
    CHECK(transport.call(2).url == ops_url);
}

TEST_CASE("without a target for all, only jobs with one of their own are told about") {
    ScriptedTransport transport;
    WebhookNotifier webhooks{
        {.send = transport.sender(), .allow_url = daybook::http::allow_hosts({"team.example.com"})}};
    CHECK(!webhooks.has_target("backup"));
    webhooks.hooks().on_error(failed_event());
    webhooks.set_job_target("backup", "https://team.example.com/");
    CHECK(webhooks.has_target("backup"));
    CHECK(!webhooks.has_target("other"));
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));
    CHECK(transport.calls().size() == 1);
    CHECK(webhooks.stats().dropped == 0);
}

TEST_CASE("a job's own target must be allowed, when it is set and when it is told") {
    ScriptedTransport transport;
    WebhookNotifier closed{{.url = ops_url, .send = transport.sender()}};
    CHECK_THROWS_AS(closed.set_job_target("backup", ops_url), std::invalid_argument);

    std::atomic<bool> is_allowed{true};
    WebhookNotifier webhooks{
        {.send = transport.sender(), .allow_url = [&](const daybook::http::HttpUrl&) { return is_allowed.load(); }}};
    CHECK_THROWS_AS(webhooks.set_job_target("backup", "ftp://x"), std::invalid_argument);
    webhooks.set_job_target("backup", "http://x");
    is_allowed = false;
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));
    CHECK(transport.calls().empty());
    CHECK(webhooks.stats().failed == 1);
}

TEST_CASE("a delivery that meets a server's trouble is tried again later, as the same delivery") {
    daybook::ManualClock clock;
    ScriptedTransport transport{{webhook_answer(500), {.outcome = HttpOutcome::unreachable}, webhook_answer(204)}};
    AskedRetry retry;
    WebhookNotifier webhooks{
        {.url = ops_url,
         .send = transport.sender(),
         .retry = retry.policy(daybook::exponential_backoff({.max_attempts = 3, .first_delay = 2s, .factor = 3})),
         .clock = clock}};
    webhooks.hooks().on_error(failed_event());
    retry.wait();
    CHECK(webhooks.stats().queued == 1);
    clock.advance(2s - 1ns);
    CHECK(!webhooks.flush(0s));
    CHECK(transport.calls().size() == 1);
    clock.advance(1ns);
    retry.wait();
    clock.advance(6s);
    REQUIRE(webhooks.flush(60s));
    const auto calls = transport.calls();
    REQUIRE(calls.size() == 3);
    CHECK(calls[2].body == calls[0].body);
    CHECK(header_of(calls[2], "Daybook-Delivery") == header_of(calls[0], "Daybook-Delivery"));
    CHECK(std::stoll(header_of(calls[2], "Daybook-Timestamp")) ==
          std::stoll(header_of(calls[0], "Daybook-Timestamp")) + 8);
    CHECK(webhooks.stats().sent == 1);
    CHECK(webhooks.stats().retried == 2);
    CHECK(webhooks.stats().failed == 0);
}

TEST_CASE("only what may get better is tried again") {
    const auto attempts_for = [](const HttpReply& reply) {
        ScriptedTransport transport{{reply, reply, reply}};
        WebhookNotifier webhooks{{.url = ops_url,
                                  .send = transport.sender(),
                                  .retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 0s})}};
        webhooks.hooks().on_error(failed_event());
        REQUIRE(webhooks.flush(60s));
        CHECK(webhooks.stats().sent + webhooks.stats().failed == 1);
        return transport.calls().size();
    };
    for (const int status : {200, 201, 299, 301, 400, 401, 404, 410, 428, 430, 499}) {
        INFO(status);
        CHECK(attempts_for(webhook_answer(status)) == 1);
    }
    for (const int status : {429, 500, 503, 599}) {
        INFO(status);
        CHECK(attempts_for(webhook_answer(status)) == 3);
    }
    CHECK(attempts_for({.outcome = HttpOutcome::unreachable}) == 3);
    CHECK(attempts_for({.outcome = HttpOutcome::timed_out}) == 3);
    CHECK(attempts_for({.outcome = HttpOutcome::refused}) == 1);
}

TEST_CASE("a transport that throws counts as no answer") {
    int calls = 0;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = [&](const HttpCall&) -> HttpReply {
                                  if (++calls == 1) { throw std::runtime_error{"odd"}; }
                                  if (calls == 2) { throw 5; }
                                  return webhook_answer(200);
                              },
                              .retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 0s})}};
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));
    CHECK(webhooks.stats().sent == 1);
}

TEST_CASE("a Retry-After makes the wait longer, within bounds") {
    using daybook::detail::retry_after;
    const auto now = *daybook::parse_timestamp("1994-11-06T08:49:30.5Z");
    const auto asked = [&](std::string text, std::chrono::nanoseconds most = 10min) {
        return retry_after(&text, now, most);
    };
    CHECK(retry_after(nullptr, now, 10min) == 0s);
    CHECK(asked("7") == 7s);
    CHECK(asked("600") == 10min);
    CHECK(asked("601") == 10min);
    CHECK(asked(std::string(400, '9')) == 10min);
    CHECK(asked(std::string(400, '9'), std::chrono::nanoseconds::max()) == std::chrono::nanoseconds::max());
    CHECK(asked("7", 0s) == 0s);
    CHECK(asked("Sun, 06 Nov 1994 08:49:37 GMT") == 6500ms);
    CHECK(asked("Mon, 07 Nov 1994 08:49:37 GMT") == 10min);
    CHECK(asked("Sun, 06 Nov 1994 08:49:29 GMT") == 0s);
    for (const auto* const text :
         {"", " ", "-1", "1.5", "+3", "soon", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
          "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 25:49:37 GMT",
          "Sun, 06 Nov 1994 08.49.37 GMT"}) {
        INFO(text);
        CHECK(asked(text) == 0s);
    }

    daybook::ManualClock clock;
    ScriptedTransport transport{{webhook_answer(429, {{"retry-after", "30"}}), webhook_answer(503)}};
    AskedRetry retry;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .retry = retry.policy(daybook::fixed_backoff({.max_attempts = 3, .delay = 20s})),
                              .clock = clock}};
    webhooks.hooks().on_error(failed_event());
    retry.wait();
    clock.advance(29s);
    CHECK(!webhooks.flush(20ms));
    CHECK(transport.calls().size() == 1);
    clock.advance(1s);
    retry.wait();
    clock.advance(20s);
    REQUIRE(webhooks.flush(60s));
    CHECK(transport.calls().size() == 3);
}

TEST_CASE("what is too old is given up, and so is a retry that would come too late") {
    daybook::ManualClock clock;
    ScriptedTransport transport{{webhook_answer(500), webhook_answer(500)}};
    WebhookDiagnostics diagnostics;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .retry = daybook::fixed_backoff({.max_attempts = 100, .delay = 60s}),
                              .delivery_timeout = 60s,
                              .on_diagnostic = diagnostics.callback(),
                              .clock = clock}};
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));
    CHECK(webhooks.stats().failed == 1);

    transport.hold();
    webhooks.hooks().on_error(failed_event());
    transport.wait_for(2);
    webhooks.hooks().on_error(failed_event());
    clock.advance(60s);
    transport.release();
    REQUIRE(webhooks.flush(60s));
    CHECK(transport.calls().size() == 2);
    CHECK(webhooks.stats().failed == 3);
    CHECK(diagnostics.said().size() == 3);
}

TEST_CASE("a delivery that was given up is told to the program, without what the URL may hide") {
    ScriptedTransport transport{{webhook_answer(500), webhook_answer(404)}};
    WebhookDiagnostics diagnostics;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .retry = daybook::fixed_backoff({.max_attempts = 5, .delay = 0s}),
                              .on_diagnostic = diagnostics.callback()}};
    webhooks.hooks().on_error(failed_event());
    REQUIRE(webhooks.flush(60s));
    REQUIRE(diagnostics.said().size() == 1);
    const auto line = diagnostics.said()[0];
    INFO(line);
    CHECK(line.find("backup") != std::string::npos);
    CHECK(line.find("HTTP 404") != std::string::npos);
    CHECK(line.find("2 attempts at https://ops.example.com:") != std::string::npos);
    CHECK(line.find("geheim") == std::string::npos);
}

TEST_CASE("a full queue drops the newest or the oldest, counts that and tells it, and holds nobody up") {
    const auto overflow = GENERATE(WebhookOverflow::drop_newest, WebhookOverflow::drop_oldest);
    ScriptedTransport transport;
    WebhookDiagnostics diagnostics;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .capacity = 2,
                              .overflow = overflow,
                              .on_diagnostic = diagnostics.callback()}};
    transport.hold();
    const auto hooks = webhooks.hooks();
    hooks.on_error(failed_event("under way"));
    transport.wait_for(1);
    for (int number = 1; number <= 5; ++number) { hooks.on_error(failed_event(std::to_string(number))); }
    CHECK(webhooks.stats().queued == 3);
    CHECK(webhooks.stats().dropped == 3);
    transport.release();
    REQUIRE(webhooks.flush(60s));
    const bool is_newest = overflow == WebhookOverflow::drop_newest;
    REQUIRE(transport.calls().size() == 3);
    CHECK(transport.body(1)["job_id"] == (is_newest ? "1" : "4"));
    CHECK(transport.body(2)["job_id"] == (is_newest ? "2" : "5"));
    REQUIRE(diagnostics.said().size() == 1);
    CHECK(diagnostics.said()[0].starts_with("3 webhooks were dropped"));
}

TEST_CASE("what waits for another attempt is the oldest") {
    constexpr int tries = 100;
    bool is_oldest = false;
    for (int i = 0; i < tries && !is_oldest; ++i) { // again where the first one did not wait yet, but was under way
        daybook::ManualClock clock;
        ScriptedTransport transport{{webhook_answer(500)}};
        AskedRetry retry;
        WebhookNotifier webhooks{{.url = ops_url,
                                  .send = transport.sender(),
                                  .capacity = 1,
                                  .overflow = WebhookOverflow::drop_oldest,
                                  .retry = retry.policy(daybook::fixed_backoff({.max_attempts = 9, .delay = 1s})),
                                  .clock = clock}};
        webhooks.hooks().on_error(failed_event("first"));
        retry.wait();
        while (webhooks.stats().dropped == 0) { webhooks.hooks().on_error(failed_event("second")); }
        clock.advance(1s);
        REQUIRE(webhooks.flush(60s));
        const auto calls = transport.calls();
        REQUIRE(calls.size() >= 2);
        is_oldest = true;
        for (std::size_t index = 1; index < calls.size(); ++index) {
            is_oldest = is_oldest && transport.body(index)["job_id"] == "second";
        }
    }
    CHECK(is_oldest);
}

TEST_CASE("an error is told as the program wants it shown") {
    ScriptedTransport transport;
    SECTION("replaced") {
        WebhookNotifier webhooks{
            {.url = ops_url, .send = transport.sender(), .redact = [](const daybook::http::RedactedText& text) {
                 return std::string{text.job_id} + "/" + std::string{text.handler_id} + "/" +
                        std::to_string(text.text.size());
             }}};
        webhooks.hooks().on_error(failed_event());
        REQUIRE(webhooks.flush(60s));
        CHECK(transport.body(0)["error"] == "backup/disk/9");
    }
    SECTION("left out, where that throws") {
        WebhookNotifier webhooks{{.url = ops_url,
                                  .send = transport.sender(),
                                  .redact = [](const daybook::http::RedactedText&) -> std::string { throw 5; }}};
        webhooks.hooks().on_error(failed_event());
        REQUIRE(webhooks.flush(60s));
        CHECK(transport.body(0)["error"].is_null());
    }
    SECTION("as JSON, whatever its bytes") {
        WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender()}};
        auto event = failed_event("a\"}\r\nX: y");
        event.error = std::string{"\"\\\r\n\0\xff\x01</script>", 16};
        webhooks.hooks().on_error(event);
        REQUIRE(webhooks.flush(60s));
        CHECK(transport.body(0)["job_id"] == event.job_id);
        for (const auto& header : transport.call(0).headers) {
            CHECK(daybook::http::is_sendable_header(header.name, header.value));
        }
    }
}

TEST_CASE("a signature is over the time and the body, made anew for each attempt") {
    daybook::ManualClock clock{std::chrono::sys_seconds{1'705'314'607s}};
    ScriptedTransport transport{{webhook_answer(500)}};
    AskedRetry retry;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .sign = [](std::string_view text) { return "<" + std::string{text} + ">"; },
                              .retry = retry.policy(daybook::fixed_backoff({.delay = 1s})),
                              .clock = clock}};
    webhooks.hooks().on_error(failed_event());
    retry.wait();
    clock.advance(1s);
    REQUIRE(webhooks.flush(60s));
    const auto body = transport.call(0).body;
    CHECK(header_of(transport.call(0), "Daybook-Signature") == "t=1705314607,v1=<1705314607." + body + ">");
    CHECK(header_of(transport.call(1), "Daybook-Signature") == "t=1705314608,v1=<1705314608." + body + ">");
}

TEST_CASE("a stop tells what was not delivered, each once") {
    ScriptedTransport transport;
    WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender()}};
    transport.hold();
    webhooks.hooks().on_error(failed_event("under way"));
    transport.wait_for(1);
    webhooks.hooks().on_stale(failed_event("waits"));
    const auto report = webhooks.stop(1ms);
    REQUIRE(report.undelivered.size() == 2);
    CHECK(report.undelivered[0].job_id == "under way");
    CHECK(report.undelivered[0].delivery_id == header_of(transport.call(0), "Daybook-Delivery"));
    CHECK(report.undelivered[0].attempts == 0);
    CHECK(report.undelivered[1].job_id == "waits");
    CHECK(report.undelivered[1].event == daybook::http::WebhookEvent::stale);
    CHECK(report.undelivered[1].url == ops_url);
    CHECK(webhooks.stop().undelivered.empty());

    const auto dropped = webhooks.stats().dropped;
    webhooks.hooks().on_error(failed_event());
    CHECK(webhooks.stats().dropped == dropped + 1);
    CHECK(webhooks.stats().queued == 0);
    CHECK(transport.calls().size() == 1);
}

TEST_CASE("a stop waits for its grace, retries included") {
    ScriptedTransport transport{{webhook_answer(500)}};
    WebhookNotifier webhooks{
        {.url = ops_url, .send = transport.sender(), .retry = daybook::fixed_backoff({.delay = 10ms})}};
    webhooks.hooks().on_error(failed_event());
    CHECK(webhooks.stop(60s).undelivered.empty());
    CHECK(webhooks.stats().sent == 1);
}

TEST_CASE("a stop reports what waits for another attempt, and why") {
    ScriptedTransport transport{{webhook_answer(503)}};
    AskedRetry retry;
    WebhookNotifier webhooks{
        {.url = ops_url, .send = transport.sender(), .retry = retry.policy(daybook::fixed_backoff({.delay = 30min}))}};
    webhooks.hooks().on_error(failed_event());
    retry.wait();
    const auto report = webhooks.stop(std::chrono::nanoseconds{-1});
    REQUIRE(report.undelivered.size() == 1);
    CHECK(report.undelivered[0].attempts == 1);
    CHECK(report.undelivered[0].last_error == "HTTP 503");
}

TEST_CASE("the diagnostic callback may flush, stop and queue") {
    ScriptedTransport transport{{webhook_answer(400)}};
    WebhookNotifier* self = nullptr;
    std::atomic<bool> was_idle{true};
    std::size_t undelivered = 99;
    std::atomic<bool> is_told{false};
    WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender(), .on_diagnostic = [&](std::string_view) {
                                  self->hooks().on_error(failed_event("from inside"));
                                  was_idle = self->flush(60s);
                                  undelivered = self->stop(60s).undelivered.size();
                                  is_told = true;
                              }}};
    self = &webhooks;
    webhooks.hooks().on_error(failed_event());
    while (!is_told) { std::this_thread::yield(); }
    CHECK(!was_idle);
    CHECK(webhooks.stop(60s).undelivered.empty());
    CHECK(undelivered == 1);
}

namespace {

/// A clock of the program that asks the notifier something whenever it is asked.
struct AskingClock {
    struct Shared {
        std::atomic<const WebhookNotifier*> notifier{nullptr};
        std::atomic<int> asked{0};
    };
    std::shared_ptr<Shared> shared = std::make_shared<Shared>();

    [[nodiscard]] daybook::sys_time now() const { return daybook::SystemClock{}.now(); }
    [[nodiscard]] daybook::steady_time steady_now() const {
        if (const auto* const notifier = shared->notifier.load()) {
            static_cast<void>(notifier->stats());
            ++shared->asked;
        }
        return daybook::SystemClock{}.steady_now();
    }
};

} // namespace

TEST_CASE("the program's clock may call the notifier") {
    ScriptedTransport transport{{webhook_answer(503)}};
    const AskingClock clock;
    WebhookNotifier notifier{{.url = "http://127.0.0.1:1/",
                              .send = transport.sender(),
                              .retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 1ms}),
                              .clock = clock}};
    const auto hooks = notifier.hooks();
    clock.shared->notifier = &notifier;
    hooks.on_error(failed_event());
    CHECK(notifier.flush(60s));
    CHECK(notifier.stats().sent == 1);
    CHECK(notifier.stats().retried == 1);
    CHECK(clock.shared->asked >= 4); // when it was queued, and before and after the first attempt
    clock.shared->notifier = nullptr;
}

TEST_CASE("hooks may outlive the notifier, and it may be destroyed while it delivers") {
    ScriptedTransport transport;
    transport.hold();
    auto webhooks = std::make_unique<WebhookNotifier>(WebhookOptions{.url = ops_url, .send = transport.sender()});
    const auto hooks = webhooks->hooks();
    hooks.on_error(failed_event());
    transport.wait_for(1);
    std::atomic<bool> is_over{false};
    std::thread others{[&] {
        while (!is_over) { hooks.on_error(failed_event()); }
    }};
    webhooks.reset();
    is_over = true;
    others.join();
    hooks.on_error(failed_event());
    CHECK(transport.calls().size() == 1);
}

TEST_CASE("several threads may queue, set targets, ask and stop at once") {
    ScriptedTransport transport;
    WebhookNotifier webhooks{{.url = ops_url,
                              .send = transport.sender(),
                              .allow_url = [](const daybook::http::HttpUrl&) { return true; },
                              .capacity = 50}};
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&, job = std::to_string(number % 2)] {
            const auto hooks = webhooks.hooks();
            for (int round = 0; round < 100; ++round) {
                webhooks.set_job_target(job, "http://x/");
                hooks.on_error(failed_event(job));
                (void)webhooks.has_target(job);
                (void)webhooks.remove_job_target(job);
            }
            (void)webhooks.flush(60s);
            (void)webhooks.stop();
        });
    }
    for (auto& thread : threads) { thread.join(); }
    const auto stats = webhooks.stats();
    CHECK(stats.sent + stats.dropped + stats.failed == 400);
    CHECK(stats.sent == transport.calls().size());
}

TEST_CASE("what cannot work is refused, and named") {
    ScriptedTransport transport;
    const auto refusal = [&](const std::function<void(WebhookOptions&)>& change) {
        WebhookOptions options{.url = ops_url, .send = transport.sender()};
        change(options);
        try {
            const WebhookNotifier webhooks{options};
        } catch (const std::invalid_argument& error) { return std::string{error.what()}; }
        return std::string{};
    };
    const auto names = [&](std::string_view word, const std::function<void(WebhookOptions&)>& change) {
        INFO(word);
        const auto text = refusal(change);
        INFO(text);
        CHECK(text.find(word) != std::string::npos);
    };
    CHECK(refusal([](WebhookOptions&) {}).empty());
    names("send", [](WebhookOptions& options) { options.send = {}; });
    names("URL", [](WebhookOptions& options) { options.url = "ops.example.com"; });
    names("capacity", [](WebhookOptions& options) { options.capacity = 0; });
    names("capacity", [](WebhookOptions& options) { options.capacity = 1'000'001; });
    names("max_retry_after", [](WebhookOptions& options) { options.max_retry_after = -1ns; });
    names("request_timeout", [](WebhookOptions& options) { options.request_timeout = 0s; });
    names("delivery_timeout", [](WebhookOptions& options) { options.delivery_timeout = 0s; });
    names("headers", [](WebhookOptions& options) { options.headers = {{"X", "a\r\nY: b"}}; });
    names("headers", [](WebhookOptions& options) { options.headers = {{"Host", "b"}}; });
    names("headers", [](WebhookOptions& options) { options.headers = {{"", "b"}}; });
}

TEST_CASE("a scheduler's failing job is told about, also while a hook calls the notifier") {
    ScriptedTransport transport;
    WebhookNotifier webhooks{{.url = ops_url, .send = transport.sender()}};
    std::atomic<int> told{0};
    {
        daybook::Scheduler scheduler{{.hooks = webhooks.hooks({.on_error = [&](const daybook::JobEvent&) {
            if (webhooks.flush(60s)) { ++told; }
        }})}};
        scheduler.add({.id = "broken",
                       .schedule = daybook::every(1h),
                       .retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 0s})},
                      []() -> std::string { throw std::runtime_error{"no luck"}; });
        scheduler.start();
        REQUIRE(scheduler.trigger("broken"));
        while (told < 2) { std::this_thread::sleep_for(1ms); }
        scheduler.stop(10s);
    }
    REQUIRE(transport.calls().size() == 1);
    CHECK(transport.body(0)["error"] == "no luck");
    CHECK(transport.body(0)["attempt"] == 2);
    CHECK(transport.body(0)["scheduled_at"].is_null());
}
