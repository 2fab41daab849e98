// SPDX-License-Identifier: MIT
#include <daybook/http/message.hpp>

#include "support/catch.hpp"

namespace http = daybook::http;

TEST_CASE("a header is found whatever the case of its name") {
    const http::Request request{.headers = {{"content-TYPE", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}}};
    REQUIRE(request.header("Content-Type") != nullptr);
    CHECK(*request.header("Content-Type") == "text/plain");
    CHECK(*request.header("X-a") == "1");
    CHECK(request.header("X-") == nullptr);
}

TEST_CASE("setting a header replaces the one that is there") {
    http::Response response;
    response.set_header("Allow", "GET").set_header("ALLOW", "POST").set_header("X-B", "b");
    REQUIRE(response.headers.size() == 2);
    CHECK(*response.header("allow") == "POST");
}

TEST_CASE("an error is a JSON object with a code and a sentence") {
    const auto response = http::error_response(400, "say \"please\"");
    CHECK(response.status == 400);
    CHECK(*response.header("Content-Type") == "application/json");
    CHECK(response.body == R"({"error":{"code":400,"message":"say \"please\""}})");
}
