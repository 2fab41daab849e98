// SPDX-License-Identifier: MIT
#if __has_include(<httplib.h>)

#include "adapters/httplib_server.hpp"
#include "support/catch.hpp"

#include <daybook/adapters/httplib.hpp>
#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace http = daybook::http;

namespace {

int status_of(std::string_view answer) { return answer.size() > 12 ? std::stoi(std::string{answer.substr(9, 3)}) : 0; }

std::string body_of(std::string_view answer) {
    const auto end = answer.find("\r\n\r\n");
    return end == std::string_view::npos ? std::string{} : std::string{answer.substr(end + 4)};
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) { ++found; }
    return found;
}

/// Answers with what reached it.
http::Api echo() {
    http::Api api;
    const auto say = [](const http::Call& call) {
        const auto* const type = call.request().header("Content-Type");
        return http::Response{.headers = {{"Content-Type", "text/plain"}},
                              .body = call.request().method + " " + call.request().target + " [" +
                                      std::string{call.path_parameter("word")} + "] " + (type ? *type : "") + " " +
                                      std::to_string(call.request().body.size()) + ":" +
                                      call.request().body.substr(0, 20) + " from " + call.request().remote};
    };
    api.get("/echo/{word}", say);
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        api.add({method, "/echo/{word}", http::Permission::change, say});
    }
    api.get("/a.b/c+d", say);
    return api;
}

http::Router open_router(std::size_t max_body_bytes = 1000) {
    http::Router router{{.authorize = http::allow_changes(), .max_body_bytes = max_body_bytes}};
    router.add(echo());
    return router;
}

} // namespace

TEST_CASE("a mounted router answers over a socket, and gets the target as it was sent") {
    const HttplibServer server{open_router()};
    const auto answer = server.ask("GET", "/echo/a%20b?x=1+2%26&y");
    CHECK(status_of(answer) == 200);
    CHECK(body_of(answer) == "GET /echo/a%20b?x=1+2%26&y [a b]  0: from 127.0.0.1");
    CHECK(contains(answer, "X-Content-Type-Options: nosniff"));
    CHECK(contains(answer, "Content-Type: text/plain"));
}

TEST_CASE("the program's own routes go on working, and its unknown paths stay its own") {
    const HttplibServer server{open_router(), [](httplib::Server& own) {
                                   own.Get("/echo/mine", [](const httplib::Request&, httplib::Response& response) {
                                       response.set_content("mine", "text/plain");
                                   });
                               }};
    CHECK(body_of(server.ask("GET", "/own")) == "the program's own");
    CHECK(body_of(server.ask("GET", "/own/later")) == "registered later");
    CHECK(body_of(server.ask("GET", "/echo/mine")) == "mine");
    const auto unknown = server.ask("GET", "/unknown");
    CHECK(status_of(unknown) == 404);
    CHECK_FALSE(contains(unknown, "\"error\""));
}

TEST_CASE("a POST that sends neither a length nor a body is answered at once") {
    const HttplibServer server{open_router()};
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        INFO(method);
        const auto answer = server.ask(method, "/echo/x");
        CHECK(status_of(answer) == 200);
        CHECK(contains(body_of(answer), " 0: "));
    }
    CHECK(status_of(server.ask("POST", "/echo/x", "Content-Length: 0\r\n")) == 200);
}

TEST_CASE("a body arrives whole, with its length told or in chunks") {
    const HttplibServer server{open_router()};
    const auto plain =
        server.ask("POST", "/echo/x", "Content-Type: application/json\r\nContent-Length: 7\r\n", R"({"a":1})");
    CHECK(body_of(plain) == R"(POST /echo/x [x] application/json 7:{"a":1} from 127.0.0.1)");
    const auto chunked =
        server.ask("PUT", "/echo/x", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    CHECK(contains(body_of(chunked), " 7:abcdefg "));
}

TEST_CASE("a form arrives as the bytes it was sent as, and is no parameter") {
    const HttplibServer server{open_router()};
    const auto answer = server.ask(
        "POST", "/echo/x", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n", "limit=3");
    CHECK(contains(body_of(answer), " 7:limit=3 "));
}

TEST_CASE("a form with files arrives as the bytes it was sent as, with its type") {
    const HttplibServer server{open_router()};
    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nhello\r\n--b--\r\n";
    const auto answer = server.ask(
        "POST", "/echo/x",
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: " + std::to_string(form.size()) + "\r\n",
        form);
    CHECK(status_of(answer) == 200);
    CHECK(contains(body_of(answer), "multipart/form-data; boundary=b " + std::to_string(form.size()) + ":--b\r\n"));
}

TEST_CASE("a body that says it is compressed arrives as it is") {
    const HttplibServer server{open_router()};
    const auto answer = server.ask("POST", "/echo/x", "Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc");
    CHECK(contains(body_of(answer), " 3:abc "));
}

TEST_CASE("what no length tells rightly is refused, and ends the connection") {
    const HttplibServer server{open_router()};
    for (const auto* lines : {"Content-Length: 3\r\nContent-Length: 5\r\n", "Content-Length: -1\r\n",
                              "Content-Length: x\r\n", "Content-Length: 3 3\r\n", "Content-Length: 3, 3\r\n"}) {
        INFO(lines);
        const auto answers = server.exchange({"POST /echo/x HTTP/1.1\r\nHost: x\r\n" + std::string{lines} + "\r\n",
                                              "GET /echo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"});
        CHECK(status_of(answers) == 400);
        CHECK_FALSE(contains(answers, "smuggled"));
    }
}

TEST_CASE("a body where none is read ends the connection, and is no request") {
    const HttplibServer server{open_router()};
    for (const auto* method : {"GET", "OPTIONS"}) {
        INFO(method);
        const auto answers =
            server.exchange({std::string{method} + " /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n",
                             "GET /echo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"});
        CHECK(status_of(answers) == 400);
        CHECK(contains(answers, "Connection: close"));
        CHECK_FALSE(contains(answers, "smuggled"));
    }
    CHECK(status_of(server.ask("GET", "/echo/x", "Content-Length: 0\r\n")) == 200);
}

TEST_CASE("what stands behind chunks is no request") {
    const HttplibServer server{open_router()};
    const auto answers =
        server.exchange({"POST /echo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n",
                         "GET /echo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"});
    CHECK(count(answers, "HTTP/1.1 ") == 1);
    CHECK_FALSE(contains(answers, "smuggled"));
}

TEST_CASE("chunks of a DELETE, which httplib does not read, are refused") {
    const HttplibServer server{open_router()};
    const auto answer = server.ask("DELETE", "/echo/x", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
    CHECK(status_of(answer) == 411);
    CHECK(status_of(server.ask("DELETE", "/echo/x", "Content-Length: 3\r\n", "abc")) == 200);
}

TEST_CASE("a target may be a whole URL") {
    const HttplibServer server{open_router()};
    CHECK(contains(body_of(server.ask("GET", "http://x.test:80/echo/a%2Fb")), " [a/b] "));
    CHECK(status_of(server.ask("GET", "http://x.test/unknown")) == 404);
}

TEST_CASE("a body that is too large is 413, and the next request of the connection is still heard") {
    const HttplibServer server{open_router(1000)};
    const auto answers = server.exchange(
        {"POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'),
         "GET /echo/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"});
    CHECK(status_of(answers) == 413);
    CHECK(contains(answers, R"({"error":{"code":413,"message":"the body is larger than the 1000 bytes)"));
    CHECK(contains(answers, "GET /echo/next [next]"));
    CHECK(status_of(server.ask("POST", "/echo/x", "Content-Length: 1000\r\n", std::string(1000, 'x'))) == 200);
}

TEST_CASE("HEAD is answered with the length of what GET sends, and without it") {
    const HttplibServer server{open_router()};
    const auto answer = server.ask("HEAD", "/echo/x");
    CHECK(status_of(answer) == 200);
    CHECK(body_of(answer).empty());
    const std::string sent = "HEAD /echo/x [x]  0: from 127.0.0.1";
    CHECK(contains(answer, "Content-Length: " + std::to_string(sent.size()) + "\r\n"));
}

TEST_CASE("a wrong method is 405 with the right ones, and OPTIONS tells them") {
    daybook::JobExecutionLog log{10};
    http::Router router;
    router.add(http::executions_api(log));
    const HttplibServer server{router};
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        INFO(method);
        const auto answer = server.ask(method, "/api/executions");
        CHECK(status_of(answer) == 405);
        CHECK(contains(answer, "Allow: GET, HEAD, OPTIONS\r\n"));
    }
    CHECK(status_of(server.ask("GET", "/api/executions/clear")) == 405);
    const auto options = server.ask("OPTIONS", "/api/executions");
    CHECK(status_of(options) == 204);
    CHECK(contains(options, "Allow: GET, HEAD, OPTIONS\r\n"));
}

TEST_CASE("letters that mean something in a regular expression mean themselves") {
    const HttplibServer server{open_router()};
    CHECK(status_of(server.ask("GET", "/a.b/c%2Bd")) == 200);
    CHECK(status_of(server.ask("GET", "/axb/ccd")) == 404);
    CHECK(daybook::HttplibAdapter::to_regex("/a.b/{id}/:x/(y)*") == R"(/a\.b/[\s\S]+/[:]x/\(y\)\*)");

    http::Router prefixed{{.prefix = "/:team/(x)"}};
    prefixed.add(echo());
    const HttplibServer other{prefixed};
    CHECK(status_of(other.ask("GET", "/:team/(x)/echo/a")) == 200);
    CHECK(status_of(other.ask("GET", "/any/(x)/echo/a")) == 404);
}

TEST_CASE("a header that the server sets by default does not stand there twice") {
    const HttplibServer server{open_router(), [](httplib::Server& own) {
                                   own.set_default_headers({{"Cache-Control", "max-age=60"}, {"X-Own", "yes"}});
                               }};
    const auto answer = server.ask("GET", "/echo/x");
    CHECK(count(answer, "Cache-Control: ") == 1);
    CHECK(contains(answer, "Cache-Control: private, no-cache"));
    CHECK(contains(answer, "X-Own: yes"));
}

TEST_CASE("a range that is asked for is not cut out, of an error neither, nor are many") {
    const HttplibServer server{open_router()};
    const auto whole = body_of(server.ask("GET", "/echo/x"));
    for (const auto* range : {"bytes=0-3", "bytes=0-,0-,0-"}) {
        INFO(range);
        const auto answer = server.ask("GET", "/echo/x", "Range: " + std::string{range} + "\r\n");
        CHECK(status_of(answer) == 200);
        CHECK(body_of(answer) == whole);
    }
    CHECK(contains(server.ask("GET", "/echo/%", "Range: bytes=0-3\r\n"), R"({"error":{"code":400,)"));
}

TEST_CASE("a header that a handler sets twice arrives twice") {
    http::Router router;
    router.add(http::Api{}.get("/twice", [](const http::Call&) {
        return http::Response{.headers = {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}, .body = "x"};
    }));
    const HttplibServer server{router};
    const auto answer = server.ask("GET", "/twice");
    CHECK(contains(answer, "Set-Cookie: a=1\r\n"));
    CHECK(contains(answer, "Set-Cookie: b=2\r\n"));
}

TEST_CASE("a parameter may hold an encoded slash") {
    const HttplibServer server{open_router()};
    CHECK(contains(body_of(server.ask("GET", "/echo/a%2Fb")), " [a/b] "));
    CHECK(status_of(server.ask("GET", "/echo/a/b")) == 404);
    CHECK(daybook::HttplibAdapter::to_regex("/{a}/b/{c}") == "/[^/]+/b/[^/]+");
}

TEST_CASE("the history of a log is served, and clear without a body clears it") {
    daybook::JobExecutionLog log{10};
    http::Router router{{.authorize = http::allow_changes()}};
    router.add(http::executions_api(log));
    const HttplibServer server{router};
    log.record_success(log.record_start("dingdong_1", "dingdong", "ding"), "Ding!");
    CHECK(contains(server.ask("GET", "/api/executions?handler_id=dingdong&limit=50"), R"("result":"Ding!")"));
    CHECK(contains(server.ask("POST", "/api/executions/clear"), R"("records_cleared":1})"));
    CHECK(status_of(server.ask("POST", "/api/executions/clear", "Origin: http://evil.example\r\n")) == 403);
}

TEST_CASE("what a handler throws never reaches the client") {
    http::Router router;
    router.add(http::Api{}.get("/throws",
                               [](const http::Call&) -> http::Response { throw std::runtime_error{"password=1234"}; }));
    const HttplibServer server{router};
    const auto answer = server.ask("GET", "/throws");
    CHECK(status_of(answer) == 500);
    CHECK_FALSE(contains(answer, "1234"));
}

TEST_CASE("clients may read while jobs are recorded") {
    daybook::JobExecutionLog log{100};
    http::Router router{{.authorize = http::allow_changes()}};
    router.add(http::executions_api(log));
    const HttplibServer server{router};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        for (int round = 0; round < 2000; ++round) { log.record_success(log.record_start("job"), "ok"); }
    });
    for (const auto* target : {"/api/executions", "/api/executions/stats", "/api/executions/errors"}) {
        threads.emplace_back([&server, target] {
            for (int round = 0; round < 20; ++round) { static_cast<void>(server.ask("GET", target)); }
        });
    }
    threads.emplace_back([&] {
        for (int round = 0; round < 5; ++round) { static_cast<void>(server.ask("POST", "/api/executions/clear")); }
    });
    for (auto& thread : threads) { thread.join(); }
    CHECK(status_of(server.ask("GET", "/api/executions")) == 200);
}

#endif
