// SPDX-License-Identifier: MIT
#include <daybook/http/access.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>

namespace http = daybook::http;
using http::Permission;

namespace {

http::Request with(http::Headers headers) { return {.method = "POST", .headers = std::move(headers)}; }

int status_of(const http::Authorize& authorize, const http::Request& request, Permission permission) {
    try {
        http::require(authorize, request, permission);
    } catch (const http::Error& error) { return error.status(); }
    return 200;
}

} // namespace

TEST_CASE("without a hook everybody may read and nobody may change") {
    CHECK(status_of({}, {}, Permission::read) == 200);
    for (const auto permission : {Permission::trigger, Permission::change, Permission::clear}) {
        CHECK(status_of({}, {}, permission) == 403);
    }
}

TEST_CASE("the refusal says how changing is opened") {
    try {
        http::require({}, {}, Permission::clear);
        FAIL("it was not refused");
    } catch (const http::Error& error) {
        const std::string said = error.what();
        CHECK(said.find("authorize") != std::string::npos);
        CHECK(said.find("allow_changes()") != std::string::npos);
    }
}

TEST_CASE("allow_changes opens everything") {
    for (const auto permission : {Permission::read, Permission::trigger, Permission::change, Permission::clear}) {
        CHECK(status_of(http::allow_changes(), {}, permission) == 200);
    }
}

TEST_CASE("who is asked for credentials is told which") {
    try {
        http::require([](const auto&, auto) { return http::Access::ask_who("Basic realm=\"jobs\""); }, {},
                      Permission::read);
        FAIL("it was not refused");
    } catch (const http::Error& error) {
        CHECK(error.status() == 401);
        REQUIRE(error.headers().size() == 1);
        CHECK(error.headers()[0].name == "WWW-Authenticate");
        CHECK(error.headers()[0].value == "Basic realm=\"jobs\"");
    }
}

TEST_CASE("a request that a browser sends for another site is cross-site") {
    CHECK_FALSE(http::is_cross_site(with({})));
    CHECK_FALSE(http::is_cross_site(with({{"Sec-Fetch-Site", "same-origin"}})));
    CHECK_FALSE(http::is_cross_site(with({{"Sec-Fetch-Site", "none"}})));
    CHECK(http::is_cross_site(with({{"Sec-Fetch-Site", "same-site"}})));
    CHECK(http::is_cross_site(with({{"sec-fetch-site", "cross-site"}})));
    CHECK(http::is_cross_site(with({{"Sec-Fetch-Site", ""}})));
}

TEST_CASE("an origin that is not the host is cross-site") {
    const auto cross = [](const char* origin, const char* host) {
        return http::is_cross_site(with({{"Origin", origin}, {"Host", host}}));
    };
    CHECK_FALSE(cross("http://localhost:8888", "localhost:8888"));
    CHECK_FALSE(cross("http://LOCALHOST:8888", "localhost:8888"));
    CHECK_FALSE(cross("https://jobs.example", "jobs.example:443"));
    CHECK_FALSE(cross("http://jobs.example:80", "jobs.example"));
    CHECK(cross("http://localhost:8889", "localhost:8888"));
    CHECK(cross("https://jobs.example", "jobs.example:80"));
    CHECK(cross("http://evil.example", "jobs.example"));
    CHECK(cross("null", "jobs.example"));
    CHECK(http::is_cross_site(with({{"Origin", "http://localhost"}})));
}

TEST_CASE("a cross-site request may not do anything, whatever the hook says") {
    const auto request = with({{"Origin", "http://evil.example"}, {"Host", "localhost"}});
    CHECK(status_of(http::allow_changes(), request, Permission::read) == 403);
    CHECK(status_of(http::allow_changes(), request, Permission::trigger) == 403);
    CHECK(status_of(http::allow_changes(), request, Permission::clear) == 403);
}
