// SPDX-License-Identifier: MIT
#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace http = daybook::http;
using namespace std::chrono_literals;

namespace {

/// A log under a clock of its own, and a router that shows it.
struct ExportFixture {
    daybook::ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h};
    daybook::JobExecutionLog<> log{daybook::LogOptions{.capacity = 200'000, .clock = clock}};
    http::Router router;

    ExportFixture() { router.add(http::executions_api(log)); }

    [[nodiscard]] http::Response get(const std::string& query) const {
        return router.handle({.target = "/api/executions/export" + query});
    }

    [[nodiscard]] http::Response file(const std::string& query) const {
        auto response = get(query);
        CHECK(response.status == 200);
        return response;
    }

    void record(std::size_t count, const std::string& job = "job", const std::string& result = {}) {
        for (std::size_t i = 0; i < count; ++i) { log.record_success(log.record_start(job, "handler", "run"), result); }
    }
};

auto lines(const http::Response& response) { return std::count(response.body.begin(), response.body.end(), '\n'); }

std::string header(const http::Response& response, const std::string& name) {
    const auto* const value = response.header(name);
    return value == nullptr ? "(none)" : *value;
}

} // namespace

TEST_CASE("an export is a file with the records of the list") {
    ExportFixture api;
    api.record(3);
    SECTION("as CSV") {
        const auto response = api.file("?format=csv");
        CHECK(header(response, "Content-Type") == "text/csv; charset=utf-8; header=present");
        CHECK(header(response, "Content-Disposition") == "attachment; filename=\"executions.csv\"");
        CHECK(response.body.starts_with("job_id,handler_id,method_name,started_at,"));
        CHECK(lines(response) == 4);
    }
    SECTION("as JSON Lines") {
        const auto response = api.file("?format=json");
        CHECK(header(response, "Content-Type") == "application/x-ndjson");
        CHECK(header(response, "Content-Disposition") == "attachment; filename=\"executions.jsonl\"");
        CHECK(response.body.starts_with("{\"job_id\":\"job\",\"handler_id\":\"handler\",\"method_name\":\"run\","));
        CHECK(lines(response) == 3);
        const auto list = api.router.handle({.target = "/api/executions?limit=1"}).body;
        CHECK(list.find(response.body.substr(0, response.body.find('\n'))) != std::string::npos);
    }
}

TEST_CASE("an export takes the filters of the list") {
    ExportFixture api;
    api.record(3, "a");
    api.record(2, "b");
    api.log.record_error(api.log.record_start("a"), "why");
    CHECK(lines(api.file("?format=json&job_id=a")) == 4);
    CHECK(lines(api.file("?format=json&job_id=a&status=error")) == 1);
    CHECK(lines(api.file("?format=json&handler_id=handler&offset=1")) == 4);
}

TEST_CASE("an export has the limit in effect, the count, and where to go on in its headers") {
    ExportFixture api;
    api.record(25);
    const auto all = api.file("?format=csv");
    CHECK(header(all, "Daybook-Limit") == "10000");
    CHECK(header(all, "Daybook-Count") == "25");
    CHECK(header(all, "Daybook-Next-Cursor") == "(none)");
    const auto first = api.file("?format=json&limit=20");
    CHECK(header(first, "Daybook-Limit") == "20");
    CHECK(header(first, "Daybook-Count") == "20");
    const auto rest = api.file("?format=json&limit=20&cursor=" + header(first, "Daybook-Next-Cursor"));
    CHECK(header(rest, "Daybook-Count") == "5");
    CHECK(header(rest, "Daybook-Next-Cursor") == "(none)");
    CHECK(first.body + rest.body == api.file("?format=json").body);
    CHECK(header(api.file("?format=csv&limit=999999999"), "Daybook-Limit") == "100000");
    CHECK(lines(api.file("?format=csv&limit=0")) == 1);
}

TEST_CASE("an export is no larger than a server can hold") {
    ExportFixture api;
    api.record(12'000, "job", std::string(4000, 'x'));
    const auto response = api.file("?format=json&limit=100000");
    CHECK(response.body.size() > std::size_t{32} << 20U);
    CHECK(response.body.size() < std::size_t{34} << 20U);
    CHECK(header(response, "Daybook-Next-Cursor") != "(none)");
}

TEST_CASE("a wrong parameter of an export is told") {
    const ExportFixture api;
    const auto refusal = [&](const std::string& query) {
        const auto response = api.get(query);
        CHECK(response.status == 400);
        return response.body;
    };
    CHECK(refusal("").find("format must be csv or json (JSON Lines)") != std::string::npos);
    CHECK(refusal("?format=xml").find("format must be csv or json (JSON Lines)") != std::string::npos);
    CHECK(refusal("?format=csv&limit=x").find("limit") != std::string::npos);
    CHECK(refusal("?format=csv&status=odd").find("status") != std::string::npos);
    CHECK(refusal("?format=csv&cursor=odd").find("cursor") != std::string::npos);
}

TEST_CASE("an export says whether it is complete") {
    ExportFixture api;
    api.record(25);
    CHECK(header(api.file("?format=csv"), "Daybook-Complete") == "true");
    CHECK(header(api.file("?format=csv&limit=20"), "Daybook-Complete") == "true");
    CHECK(header(api.file("?format=csv&limit=0"), "Daybook-Complete") == "false");
}

TEST_CASE("an export hands no cursor back that it has not understood") {
    ExportFixture api;
    api.record(3);
    for (const char* const limit : {"0", "1"}) {
        const auto response = api.get("?format=csv&limit=" + std::string{limit} + "&cursor=x%0d%0aSet-Cookie:%20a=1");
        CHECK(response.status == 400);
        CHECK(header(response, "Daybook-Next-Cursor") == "(none)");
    }
    CHECK(api.get("?format=csv&limit=0").status == 200);
}
