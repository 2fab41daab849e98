// SPDX-License-Identifier: MIT
#include <daybook/http/audit_api.hpp>
#include <daybook/http/credentials.hpp>
#include <daybook/http/router.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace http = daybook::http;
using http::Permission;
using namespace std::chrono_literals;

namespace {

http::Router audited(const daybook::AnyClock& clock = {}) {
    http::Router router{{.authorize = http::bearer_tokens({{.name = "ops", .secret = "one"}}),
                         .audit = http::AuditLog{{.capacity = 20, .clock = clock}}}};
    http::Api api;
    api.get("/things", [](const http::Call&) { return http::Response{}; });
    api.post("/things/{id}", Permission::change, [](const http::Call& call) {
        call.note("made " + std::string{call.path_parameter("id")});
        if (call.path_parameter("id") == "bad") { throw http::Error{409, "it exists"}; }
        return http::Response{.status = 201};
    });
    api.get("/query", [](const http::Call& call) {
        call.require(Permission::trigger);
        return http::Response{};
    });
    router.add(api).add(http::audit_api(router.audit()));
    return router;
}

int send(const http::Router& router, const char* method, std::string target, const char* token = "one") {
    return router
        .handle({.method = method,
                 .target = std::move(target),
                 .headers = {{"Authorization", std::string{"Bearer "} + token}},
                 .remote = "10.0.0.1"})
        .status;
}

} // namespace

TEST_CASE("an operation that changes is recorded with who, what and when") {
    const daybook::ManualClock clock{daybook::sys_time{1'700'000'000s}};
    const auto router = audited(clock);
    CHECK(send(router, "POST", "/things/a?b=c") == 201);
    const auto page = router.audit().records(10);
    REQUIRE(page.records.size() == 1);
    const auto& record = page.records[0];
    CHECK(record.id == 1);
    CHECK(record.at == daybook::sys_time{1'700'000'000s});
    CHECK(record.who == "ops");
    CHECK(record.remote == "10.0.0.1");
    CHECK(record.permission == Permission::change);
    CHECK(record.method == "POST");
    CHECK(record.target == "/things/a");
    CHECK(record.status == 201);
    CHECK(record.note == "made a");
}

TEST_CASE("what only reads is not audited") {
    const auto router = audited();
    CHECK(send(router, "GET", "/things") == 200);
    CHECK(send(router, "DELETE", "/things") == 405);
    CHECK(send(router, "POST", "/nothing") == 404);
    CHECK(router.audit().records(10).total == 0);
}

TEST_CASE("an operation that was refused is recorded with the status of the refusal") {
    const auto router = audited();
    CHECK(send(router, "POST", "/things/a", "wrong") == 401);
    CHECK(send(router, "POST", "/things/bad") == 409);
    const auto page = router.audit().records(10);
    REQUIRE(page.records.size() == 2);
    CHECK(page.records[0].status == 409);
    CHECK(page.records[0].who == "ops");
    CHECK(page.records[1].status == 401);
    CHECK(page.records[1].who.empty());
}

TEST_CASE("what a handler asks leave for is audited") {
    const auto router = audited();
    CHECK(send(router, "GET", "/query") == 200);
    CHECK(send(router, "GET", "/query", "wrong") == 401); // refused already as a reader
    const auto page = router.audit().records(10);
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].permission == Permission::trigger);
    CHECK(page.records[0].who == "ops");
}

TEST_CASE("a flood of refusals does not push out what was done") {
    const auto router = audited();
    send(router, "POST", "/things/a");
    for (int round = 0; round < 100; ++round) { send(router, "POST", "/things/a", "wrong"); }
    const auto page = router.audit().records(100);
    CHECK(page.total == 3); // a tenth of 20, and what was done
    CHECK(page.records.back().status == 201);
}

TEST_CASE("the newest operations are kept, and pages lead to older ones") {
    const auto router = audited();
    for (int round = 0; round < 30; ++round) { send(router, "POST", "/things/" + std::to_string(round)); }
    const auto first = router.audit().records(15);
    CHECK(first.total == 20);
    CHECK(first.has_more);
    CHECK(first.records.front().note == "made 29");
    const auto second = router.audit().records(15, first.records.back().id);
    CHECK(second.records.size() == 5);
    CHECK_FALSE(second.has_more);
    CHECK(second.records.back().note == "made 10");
    CHECK(router.audit().records(0).records.empty());
    CHECK(router.audit().records(5, 0).records.empty());
}

TEST_CASE("long texts of a client are cut") {
    const http::AuditLog audit;
    audit.record({.target = std::string(100'000, 'x'), .status = 200});
    CHECK(audit.records(1).records[0].target.size() <= 512);
}

TEST_CASE("a program is told of each record, and may fail to hear it") {
    std::vector<std::string> told;
    const http::AuditLog audit{{.on_record = [&](const http::AuditRecord& record) {
        told.push_back(record.note);
        throw std::runtime_error{"disk full"};
    }}};
    audit.record({.status = 200, .note = "a"});
    audit.record({.status = 200, .note = "b"});
    CHECK(told == std::vector<std::string>{"a", "b"});
    CHECK(audit.records(9).records.size() == 2);
}

TEST_CASE("an audit log needs room") { CHECK_THROWS_AS(http::AuditLog({.capacity = 0}), std::invalid_argument); }

TEST_CASE("the audit is listed over HTTP") {
    const daybook::ManualClock clock{daybook::sys_time{1'700'000'000s}};
    const auto router = audited(clock);
    send(router, "POST", "/things/a");
    send(router, "POST", "/things/b");
    const auto answer = router.handle({.target = "/api/v1/audit?limit=1"});
    CHECK(
        answer.body ==
        R"({"count":1,"limit":1,"records":[{"id":2,"at":"2023-11-14T22:13:20.000000Z","who":"ops","remote":"10.0.0.1",)"
        R"("permission":"change","method":"POST","target":"/things/b","status":201,"done":true,"note":"made b"}],)"
        R"("total":2,"has_more":true,"next_before":2})");
    const auto next = router.handle({.target = "/api/v1/audit?limit=1&before=2"});
    CHECK(next.body.find(R"("id":1)") != std::string::npos);
    CHECK(next.body.find(R"("next_before":null)") != std::string::npos);
    CHECK(router.handle({.target = "/api/v1/audit?before=x"}).status == 400);
}
