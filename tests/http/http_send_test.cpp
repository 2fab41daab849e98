// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/http/http_send.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using daybook::http::following_redirects;
using daybook::http::HttpCall;
using daybook::http::HttpOutcome;
using daybook::http::HttpReply;
using daybook::http::HttpUrl;
using daybook::http::is_sendable_header;

namespace {

/// Redirects as a table says, and remembers what was asked.
struct RedirectingServer {
    std::map<std::string, std::pair<int, std::string>> redirects = {};
    std::vector<HttpCall> calls = {};

    [[nodiscard]] daybook::http::HttpSend sender() {
        return [this](const HttpCall& call) -> HttpReply {
            calls.push_back(call);
            const auto found = redirects.find(call.url);
            if (found == redirects.end()) { return {.outcome = HttpOutcome::answered, .status = 200}; }
            return {.outcome = HttpOutcome::answered,
                    .status = found->second.first,
                    .headers = {{"location", found->second.second}}};
        };
    }
};

bool allow_all(const HttpUrl&) { return true; }

} // namespace

TEST_CASE("a header is sendable when it is one line, and not the connection's own") {
    CHECK(is_sendable_header("X-Key", "a value, \xC3\xA4\t\"; x=y"));
    CHECK(is_sendable_header("Authorization", ""));
    CHECK(is_sendable_header("!#$%&'*+-.^_`|~09azAZ", ""));
    for (const auto* const name : {"",
                                   "A B",
                                   "A:",
                                   "A\r\nB",
                                   "A\n",
                                   "\xC3\xA4",
                                   "(A)",
                                   "A/B",
                                   "Host",
                                   "hOST",
                                   "Content-Length",
                                   "transfer-encoding",
                                   "Connection",
                                   "Expect",
                                   "TE",
                                   "Upgrade",
                                   "Trailer",
                                   "Keep-Alive",
                                   "Proxy-Connection",
                                   "Proxy-Authorization"}) {
        INFO(name);
        CHECK(!is_sendable_header(name, "x"));
    }
    for (const auto& value : {std::string{"a\r\nB: c"}, std::string{"a\n"}, std::string{"\r"}, std::string{"\0", 1},
                              std::string{"\x7f"}, std::string{"\x01"}, std::string(8193, 'a')}) {
        CHECK(!is_sendable_header("X", value));
    }
    CHECK(!is_sendable_header(std::string(256, 'a'), ""));
}

TEST_CASE("a redirect keeps or changes the method as its status says") {
    const auto asked_after = [](int status, const std::string& method) {
        RedirectingServer server{.redirects = {{"http://x/", {status, "/y"}}}};
        const auto send = following_redirects(server.sender(), {.allow_url = allow_all});
        const auto reply = send({.method = method,
                                 .url = "http://x/",
                                 .headers = {{"content-type", "text/plain"}, {"Authorization", "secret"}},
                                 .body = "text"});
        CHECK(reply.status == 200);
        REQUIRE(server.calls.size() == 2);
        CHECK(server.calls[1].url == "http://x/y");
        CHECK(find_header(server.calls[1].headers, "Authorization") != nullptr);
        const bool has_type = find_header(server.calls[1].headers, "Content-Type") != nullptr;
        CHECK(has_type == !server.calls[1].body.empty());
        return server.calls[1].method + " " + server.calls[1].body;
    };
    for (const int status : {301, 302, 303}) { CHECK(asked_after(status, "POST") == "GET "); }
    for (const int status : {307, 308}) { CHECK(asked_after(status, "POST") == "POST text"); }
    CHECK(asked_after(301, "PUT") == "PUT text");
    CHECK(asked_after(303, "PUT") == "GET ");
    CHECK(asked_after(303, "HEAD") == "HEAD ");
}

TEST_CASE("what is no redirect is not followed") {
    for (const int status : {200, 201, 300, 304, 305, 306, 309, 404}) {
        RedirectingServer server{.redirects = {{"http://x/", {status, "/y"}}}};
        CHECK(following_redirects(server.sender(), {.allow_url = allow_all})({.url = "http://x/"}).status == status);
        CHECK(server.calls.size() == 1);
    }
}

TEST_CASE("another host, port or scheme gets no headers that were meant for the first") {
    for (const auto* const to : {"http://y/", "http://x:81/", "https://x/"}) {
        RedirectingServer server{.redirects = {{"http://x/", {307, to}}}};
        const auto send = following_redirects(server.sender(), {.allow_url = allow_all});
        (void)send({.url = "http://x/",
                    .headers = {{"Cookie", "a"}, {"Accept", "b"}, {"X-Key", "c"}, {"Content-Type", "d"}},
                    .body = "text"});
        REQUIRE(server.calls.size() == 2);
        CHECK(server.calls[1].headers.size() == 2);
        CHECK(find_header(server.calls[1].headers, "Accept") != nullptr);
        CHECK(find_header(server.calls[1].headers, "Content-Type") != nullptr);
    }
}

TEST_CASE("each address is asked for, and nothing is sent to one that is not allowed") {
    RedirectingServer server{.redirects = {{"http://x/", {302, "http://y/"}}, {"http://y/", {302, "http://z/"}}}};
    std::vector<std::string> asked;
    const auto send = following_redirects(server.sender(), {.allow_url = [&](const HttpUrl& url) {
                                              asked.push_back(url.host);
                                              return url.host != "z";
                                          }});
    const auto reply = send({.url = "http://x/"});
    CHECK(reply.outcome == HttpOutcome::refused);
    CHECK(reply.status == 0);
    CHECK(reply.error == "http://z is not allowed");
    CHECK(asked == std::vector<std::string>{"x", "y", "z"});
    CHECK(server.calls.size() == 2);

    CHECK(send({.url = "http://z/"}).outcome == HttpOutcome::refused);
    CHECK(send({.url = "nonsense"}).outcome == HttpOutcome::refused);
    CHECK(following_redirects(server.sender(), {})({.url = "http://x/"}).outcome == HttpOutcome::refused);
    CHECK(server.calls.size() == 2);
    CHECK_THROWS_AS(following_redirects({}, {.allow_url = allow_all}), std::invalid_argument);
}

TEST_CASE("after so many redirects the next one is the answer") {
    RedirectingServer server{.redirects = {{"http://x/", {302, "/"}}}};
    CHECK(following_redirects(server.sender(), {.max_redirects = 3, .allow_url = allow_all})({.url = "http://x/"})
              .status == 302);
    CHECK(server.calls.size() == 4);
    server.calls.clear();
    CHECK(following_redirects(server.sender(), {.max_redirects = 0, .allow_url = allow_all})({.url = "http://x/"})
              .status == 302);
    CHECK(server.calls.size() == 1);
}

TEST_CASE("a redirect from https to http, or to nonsense, is not followed") {
    for (const auto* const to : {"http://x/", "ftp://x/", "https://u@x/", "/a b"}) {
        RedirectingServer server{.redirects = {{"https://x/", {302, to}}}};
        const auto reply = following_redirects(server.sender(), {.allow_url = allow_all})({.url = "https://x/"});
        CHECK(reply.outcome == HttpOutcome::refused);
        CHECK(server.calls.size() == 1);
    }
}

TEST_CASE("the timeout is for all redirects together") {
    std::size_t calls = 0;
    const auto send = following_redirects(
        [&](const HttpCall& call) -> HttpReply {
            ++calls;
            CHECK(call.timeout <= 50ms);
            std::this_thread::sleep_for(20ms);
            return {.outcome = HttpOutcome::answered, .status = 302, .headers = {{"Location", "/"}}};
        },
        {.max_redirects = 1000, .allow_url = allow_all});
    CHECK(send({.url = "http://x/", .timeout = 50ms}).outcome == HttpOutcome::timed_out);
    CHECK(calls <= 3);
}
