// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_HTTP_JOBS_FIXTURE_HPP
#define DAYBOOK_TESTS_HTTP_JOBS_FIXTURE_HPP

/// @file
/// A scheduler and the jobs API over it.

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jobs_test {

namespace http = daybook::http;
using namespace std::chrono_literals;
using nlohmann::json;

/// A scheduler without threads under a clock of its own, and a router that shows it.
struct JobsFixture {
    daybook::ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h + 30min};
    std::optional<daybook::Scheduler<>> owned{std::in_place, daybook::SchedulerOptions{.workers = 0, .clock = clock}};
    daybook::Scheduler<>& scheduler = *owned;
    http::Router router{{.authorize = http::allow_changes()}};

    explicit JobsFixture(http::JobsApiOptions options = {}) {
        router.add(http::jobs_api<daybook::nlohmann_json>(scheduler, std::move(options)));
    }

    [[nodiscard]] http::Response ask(std::string method, std::string target, std::string body = {},
                                     http::Headers headers = {}) const {
        return router.handle({.method = std::move(method),
                              .target = std::move(target),
                              .headers = std::move(headers),
                              .body = std::move(body)});
    }

    [[nodiscard]] json answer(int status, std::string method, std::string target, std::string body = {},
                              http::Headers headers = {}) const {
        const auto response = ask(std::move(method), std::move(target), std::move(body), std::move(headers));
        INFO(response.body);
        CHECK(response.status == status);
        return json::parse(response.body);
    }

    [[nodiscard]] json get(std::string target) const { return answer(200, "GET", std::move(target)); }
    [[nodiscard]] json make(std::string body) const { return answer(201, "POST", "/api/v1/jobs", std::move(body)); }
    [[nodiscard]] json put(const std::string& id, std::string body) const {
        return answer(200, "PUT", "/api/v1/jobs/" + id, std::move(body));
    }

    [[nodiscard]] std::string refusal(int status, std::string method, std::string target, std::string body = {},
                                      http::Headers headers = {}) const {
        const auto error =
            answer(status, std::move(method), std::move(target), std::move(body), std::move(headers)).at("error");
        CHECK(error.at("code") == status);
        return error.at("message");
    }
    /// Of a job that is to be made.
    [[nodiscard]] std::string refused(int status, std::string body) const {
        return refusal(status, "POST", "/api/v1/jobs", std::move(body));
    }

    /// The entity tag of a job as it is shown now.
    [[nodiscard]] std::string tag(const std::string& id) const {
        return *ask("GET", "/api/v1/jobs/" + id).header("ETag");
    }

    void run(std::string_view id) {
        REQUIRE(scheduler.trigger(id));
        scheduler.poll();
        clock.advance(1ms);
    }

    void pass(std::chrono::nanoseconds time) {
        for (; time > 0s; time -= 1s) {
            clock.advance(1s);
            scheduler.poll();
        }
    }
};

} // namespace jobs_test

#endif
