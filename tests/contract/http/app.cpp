// SPDX-License-Identifier: MIT
#include "contract/http/app.hpp"

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace contract {

using namespace std::string_literals;

namespace http = daybook::http;
using namespace std::chrono_literals;

namespace {

/// What is not plain ASCII as \xNN, so that a line stays a line.
[[nodiscard]] std::string escaped(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte < 0x20 || byte > 0x7E || byte == '\\') {
            result += {'\\', 'x', digits[byte / 16U], digits[byte % 16U]};
        } else {
            result += letter;
        }
    }
    return result;
}

/// What reached the handler, a line for each thing.
[[nodiscard]] http::Response echo(const http::Call& call) {
    const auto& request = call.request();
    std::string text;
    const auto line = [&](std::string_view name, std::string_view value) {
        text.append(name).append("=[").append(escaped(value)).append("]\n");
    };
    line("method", request.method);
    line("target", request.target.substr(0, 200));
    line("target_length", std::to_string(request.target.size()));
    for (const auto* name : {"word", "more"}) {
        const auto value = call.path_parameter(name);
        line(name, value.substr(0, 100));
        line(std::string{name} + "_length", std::to_string(value.size()));
    }
    for (const auto* name : {"x", "y", "", "limit"}) {
        if (const auto value = call.query().find(name)) { line("query." + std::string{name}, value->substr(0, 100)); }
    }
    for (const auto* name : {"X-Test", "X-Empty", "Content-Type", "Host", "Authorization", "X-Long"}) {
        if (const auto* const value = request.header(name)) {
            line("header." + std::string{name}, std::string_view{*value}.substr(0, 100));
            line("header_length." + std::string{name}, std::to_string(value->size()));
        }
    }
    line("body_length", std::to_string(request.body.size()));
    line("body_hash", std::to_string(hash_of(request.body)));
    line("body", std::string_view{request.body}.substr(0, 40));
    line("remote", request.remote);
    return {.status = 200, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(text)};
}

[[nodiscard]] http::Api echo_api() {
    http::Api api;
    api.get("/ping", [](const http::Call&) {
        return http::Response{.status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = "pong"};
    });
    api.get("/echo/{word}", echo);
    api.get("/echo/{word}/{more}", echo);
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        api.add({method, "/echo/{word}", http::Permission::change, echo});
    }
    api.get("/a.b/c+d/(e)*", echo);
    api.get("/:colon/$", echo);
    return api;
}

[[nodiscard]] http::Api odd_api() {
    http::Api api;
    const auto inside = "a secret at /srv/app/main.cpp: password=" + std::string{secret};
    api.get("/throws/runtime_error",
            [inside](const http::Call&) -> http::Response { throw std::runtime_error{inside}; });
    api.post("/throws/runtime_error", http::Permission::change,
             [inside](const http::Call&) -> http::Response { throw std::runtime_error{inside}; });
    api.get("/throws/int", [](const http::Call&) -> http::Response { throw 42; });
    api.get("/throws/teapot", [](const http::Call&) -> http::Response {
        throw http::Error{418, "short and stout", {{"X-Kind", "teapot"}}};
    });
    api.get("/throws/busy", [](const http::Call&) -> http::Response {
        throw http::Error{503, "come back later", {{"Retry-After", "7"}}};
    });
    api.get("/large", [](const http::Call&) {
        return http::Response{.status = 200,
                              .headers = {{"Content-Type", "application/octet-stream"}},
                              .body = std::string(large_bytes, 'l')};
    });
    api.get("/nothing", [](const http::Call&) { return http::Response{.status = 204}; });
    api.get("/empty", [](const http::Call&) { return http::Response{.headers = {{"Content-Type", "text/plain"}}}; });
    api.get("/same", [](const http::Call&) { return http::Response{.status = 304, .headers = {{"ETag", "\"1\""}}}; });
    api.get("/bytes", [](const http::Call&) {
        return http::Response{.status = 200,
                              .headers = {{"Content-Type", "application/octet-stream"}},
                              .body = "a\0b\r\n\r\n\xff"
                                      "HTTP/1.1 500 no\r\n\r\n"s};
    });
    api.get("/no_type", [](const http::Call&) { return http::Response{.body = "plain"}; });
    api.get("/headers", [](const http::Call&) {
        return http::Response{.status = 200,
                              .headers = {{"Content-Type", "text/html; charset=\"utf-8\""},
                                          {"Set-Cookie", "a=1; Path=/"},
                                          {"Set-Cookie", "b=2; HttpOnly"},
                                          {"X-Injected", "one\r\nX-Evil: two"},
                                          {"X-Nul", "one\0two"s},
                                          {"X-Odd", "~!@#$%^&*()_+ {}|\"<>?;:,"},
                                          {"X-Long", std::string(4000, 'h')},
                                          {"x-lower", "yes"}},
                              .body = "headers"};
    });
    api.get("/slow", [](const http::Call&) {
        std::this_thread::sleep_for(100ms);
        return http::Response{.status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = "late"};
    });
    for (const int status : {201, 202, 299, 308, 400, 404, 409, 410, 422, 429, 451, 501, 503, 599}) {
        api.get("/status/" + std::to_string(status), [status](const http::Call&) {
            return http::Response{.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = "as asked"};
        });
    }
    return api;
}

/// One of each status, in turn.
void fill(daybook::JobExecutionLog<>& log, daybook::ManualClock& clock) {
    constexpr std::array<std::string_view, 4> jobs{"backup", "mail", "täglich/1", "<b>&\"x\"</b>"};
    for (std::size_t number = 0; number < 250; ++number) {
        const auto run = log.record_start(jobs[number % jobs.size()], number % 2 == 0 ? "night" : "day", "run",
                                          static_cast<std::uint32_t>(1 + number % 3));
        clock.advance(std::chrono::milliseconds{number % 7});
        switch (number % 5) {
        case 0: log.record_error(run, "the disk is full: \x01 \xff \"quoted\""); break;
        case 1: log.record_timeout(run); break;
        case 2: log.record_cancelled(run); break;
        default: log.record_success(run, "done, number " + std::to_string(number));
        }
        clock.advance(1s);
    }
    static_cast<void>(log.record_start("running now", "day", "run"));
}

} // namespace

std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char byte : bytes) {
        hash ^= static_cast<unsigned char>(byte);
        hash *= 1099511628211U;
    }
    return hash;
}

struct App::Content {
    daybook::ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h};
    daybook::JobExecutionLog<> log{daybook::LogOptions{.capacity = 1000, .clock = clock}};
    daybook::Scheduler<> scheduler{daybook::SchedulerOptions{.workers = 0, .clock = clock}};
    std::atomic<std::size_t> exceptions = 0;

    Content() {
        fill(log, clock);
        scheduler.add("nightly", daybook::cron("0 0 2 * * *"), [] { return "done"; });
        scheduler.add("täglich/1 a+b", daybook::every(1h), [] { return "done"; });
        scheduler.add("doomed", {}, [] {});
        scheduler.start();
    }
};

App::App() : content_{std::make_shared<Content>()} {}
App::~App() = default;

http::Router App::open_router() const {
    http::RouterOptions options;
    options.max_body_bytes = max_body_bytes;
    options.authorize = [read_only = http::read_only(), open = http::allow_changes(),
                         by_token = http::changes_with_token(std::string{token})](const http::Request& request,
                                                                                  http::Permission permission) {
        const auto* const access = request.header("X-Access");
        if (access == nullptr) { return open(request, permission); }
        return *access == "token" ? by_token(request, permission) : read_only(request, permission);
    };
    options.on_exception = [content = content_](const http::Request&, const std::exception_ptr&) {
        ++content->exceptions;
    };
    http::Router router{std::move(options)};
    router.add(echo_api()).add(odd_api()).add(http::dashboard());
    router.add(http::executions_api(content_->log));
    router.add(http::jobs_api<daybook::nlohmann_json>(content_->scheduler));
    router.add(http::audit_api(router.audit()));
    return router;
}

http::Router App::prefixed_router() const {
    http::RouterOptions options;
    options.prefix = "/admin";
    options.allowed_hosts = {"contract.test"};
    http::Router router{std::move(options)};
    router.add(echo_api()).add(http::dashboard());
    router.add(http::executions_api(content_->log));
    router.add(http::jobs_api<daybook::nlohmann_json>(content_->scheduler));
    return router;
}

std::size_t App::exceptions() const { return content_->exceptions; }

} // namespace contract
