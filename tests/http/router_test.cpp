// SPDX-License-Identifier: MIT
#include <daybook/http/router.hpp>

#include "support/catch.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace http = daybook::http;
using http::Api;
using http::Call;
using http::Permission;
using http::Request;
using http::Response;
using http::Router;

namespace {

http::Handler says(std::string text) {
    return [text = std::move(text)](const Call&) { return Response{.body = text}; };
}

Api things() {
    Api api;
    api.get("/things/{id}", [](const Call& call) { return Response{.body = std::string{call.path_parameter("id")}}; });
    api.get("/things", says("list"));
    api.get("/things/stats", says("stats"));
    api.post("/things", Permission::change, says("made"));
    api.post("/things/clear", Permission::clear, says("cleared"));
    return api;
}

Response ask(const Router& router, std::string method, std::string target, http::Headers headers = {}) {
    return router.handle({.method = std::move(method), .target = std::move(target), .headers = std::move(headers)});
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a request reaches the route with its path and method") {
    Router router;
    router.add(things());
    CHECK(ask(router, "GET", "/things").body == "list");
    CHECK(ask(router, "GET", "/things?x=1").body == "list");
    CHECK(ask(router, "GET", "/things/7").body == "7");
}

TEST_CASE("a path that is written out goes before a parameter, whatever was added first") {
    Router router;
    router.add(things());
    CHECK(ask(router, "GET", "/things/stats").body == "stats");
    CHECK(ask(router, "GET", "/things/stat").body == "stat");
    CHECK(ask(router, "GET", "/things/clear").status == 405);
}

TEST_CASE("a path parameter is decoded and may hold a slash") {
    Router router;
    router.add(things());
    CHECK(ask(router, "GET", "/things/a%2Fb%20c").body == "a/b c");
    CHECK(ask(router, "GET", "/things/%73tats").body == "stats");
}

TEST_CASE("an unknown path is 404") {
    Router router;
    router.add(things());
    for (const auto* path : {"/", "/thing", "/things/", "/things/7/8", "//things", "/THINGS", "/./things"}) {
        INFO(path);
        const auto response = ask(router, "GET", path);
        CHECK(response.status == 404);
        CHECK(contains(response.body, R"({"error":{"code":404,"message":)"));
    }
    CHECK(ask(Router{}, "GET", "/").status == 404);
}

TEST_CASE("a wrong method is 405 and told which are right") {
    Router router;
    router.add(things());
    const auto response = ask(router, "DELETE", "/things");
    CHECK(response.status == 405);
    REQUIRE(response.header("Allow") != nullptr);
    CHECK(*response.header("Allow") == "GET, HEAD, POST, OPTIONS");
    CHECK(*ask(router, "GET", "/things/clear").header("Allow") == "POST, OPTIONS");
    CHECK(ask(router, "get", "/things").status == 405);
    CHECK(ask(router, "", "/things").status == 405);
}

TEST_CASE("OPTIONS is answered with the methods and no body") {
    Router router;
    router.add(things());
    const auto response = ask(router, "OPTIONS", "/things/7");
    CHECK(response.status == 204);
    CHECK(*response.header("Allow") == "GET, HEAD, OPTIONS");
    CHECK(response.body.empty());
    CHECK(response.header("Access-Control-Allow-Origin") == nullptr);
}

TEST_CASE("HEAD is answered as GET is") {
    Router router;
    router.add(things());
    CHECK(ask(router, "HEAD", "/things").body == "list");
    CHECK(ask(router, "HEAD", "/things/clear").status == 405);
}

TEST_CASE("a prefix stands before every path") {
    Router router{{.prefix = "/admin/jobs/"}};
    router.add(things());
    CHECK(ask(router, "GET", "/admin/jobs/things").body == "list");
    CHECK(ask(router, "GET", "/things").status == 404);
    CHECK(router.routes().front().pattern == "/admin/jobs/things/{id}");
}

TEST_CASE("a prefix that is no path is refused") {
    for (const auto* prefix : {"admin", "/a{b}", "/a?b", "/%20"}) {
        INFO(prefix);
        CHECK_THROWS_AS(Router({.prefix = prefix}), std::invalid_argument);
    }
    Router router{{.prefix = "/"}};
    router.add(things());
    CHECK(ask(router, "GET", "/things").status == 200);
}

TEST_CASE("a router lists its paths with their methods") {
    Router router;
    router.add(things());
    const auto routes = router.routes();
    REQUIRE(routes.size() == 4);
    CHECK(routes[1].pattern == "/things");
    CHECK(routes[1].methods == std::vector<std::string>{"GET", "HEAD", "POST", "OPTIONS"});
}

TEST_CASE("routes that cannot be are refused, and leave the router as it was") {
    Router router;
    router.add(things());
    const auto refused = [&](http::Route route) {
        Api api;
        api.get("/other", says("other")).add(std::move(route));
        CHECK_THROWS_AS(router.add(api), std::invalid_argument);
        CHECK(ask(router, "GET", "/other").status == 404);
    };
    refused({"GET", "/things", Permission::read, says("twice")});
    refused({"GET", "/things/{name}", Permission::read, says("the same place")});
    refused({"GET", "things", Permission::read, says("no slash")});
    refused({"", "/new", Permission::read, says("no method")});
    refused({"GET", "/new", Permission::read, {}});
}

TEST_CASE("a copy of a router goes its own way") {
    Router router;
    const auto before = router;
    router.add(things());
    CHECK(ask(before, "GET", "/things").status == 404);
    CHECK(ask(router, "GET", "/things").status == 200);
}

TEST_CASE("a router keeps alive what its routes hold") {
    auto word = std::make_shared<std::string>("held");
    const std::weak_ptr<std::string> watch = word;
    Router router;
    router.add(Api{}.get("/word", [word](const Call&) { return Response{.body = *word}; }));
    word.reset();
    CHECK(ask(router, "GET", "/word").body == "held");
    router = Router{};
    CHECK(watch.expired());
}

TEST_CASE("a body above the limit is 413 and one at it is taken") {
    Router router{{.authorize = http::allow_changes(), .max_body_bytes = 10}};
    router.add(things());
    CHECK(router.max_body_bytes() == 10);
    CHECK(router.handle({.method = "POST", .target = "/things", .body = std::string(10, 'x')}).status == 200);
    const auto response = router.handle({.method = "POST", .target = "/things", .body = std::string(11, 'x')});
    CHECK(response.status == 413);
    CHECK(contains(response.body, "10 bytes"));
    CHECK(Router{}.max_body_bytes() == 1024 * 1024);
}

TEST_CASE("changing is 403 until a hook allows it") {
    Router closed;
    closed.add(things());
    CHECK(ask(closed, "POST", "/things").status == 403);
    CHECK(ask(closed, "GET", "/things").status == 200);

    Router open{{.authorize = http::allow_changes()}};
    open.add(things());
    CHECK(ask(open, "POST", "/things").body == "made");
    CHECK(ask(open, "POST", "/things", {{"Sec-Fetch-Site", "cross-site"}}).status == 403);
    CHECK(ask(open, "POST", "/things", {{"Origin", "http://evil.example"}, {"Host", "localhost"}}).status == 403);
}

TEST_CASE("what a page of another site asks for is refused, and a link from it may be followed") {
    Router router;
    router.add(things());
    CHECK(ask(router, "GET", "/things", {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "cors"}}).status == 403);
    CHECK(ask(router, "GET", "/things", {{"Origin", "http://evil.example"}, {"Host", "localhost"}}).status == 403);
    const http::Headers link{
        {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}};
    CHECK(ask(router, "GET", "/things", link).status == 200);
    const http::Headers frame{
        {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "iframe"}};
    CHECK(ask(router, "GET", "/things", frame).status == 403);
    Router open{{.authorize = http::allow_changes()}};
    open.add(things());
    CHECK(ask(open, "POST", "/things", link).status == 403);
}

TEST_CASE("a host that the server is not known by is 421") {
    Router router{{.allowed_hosts = {"jobs.example", "localhost:8080", "[::1]"}}};
    router.add(things());
    const auto status = [&](const char* host) { return ask(router, "GET", "/things", {{"Host", host}}).status; };
    CHECK(status("jobs.example") == 200);
    CHECK(status("JOBS.example:8443") == 200);
    CHECK(status("localhost:8080") == 200);
    CHECK(status("[::1]:9000") == 200);
    CHECK(status("localhost") == 421);
    CHECK(status("localhost:80800") == 421);
    CHECK(status("evil.example") == 421);
    CHECK(status("jobs.example.evil.example") == 421);
    CHECK(status("") == 421);
    CHECK(ask(router, "GET", "/things").status == 421);
    CHECK(ask(router, "GET", "http://evil.example/things", {{"Host", "jobs.example"}}).status == 421);
    CHECK(ask(router, "GET", "http://jobs.example/things", {{"Host", "evil.example"}}).status == 200);
}

TEST_CASE("a client leaves out the port that goes without saying") {
    Router router{{.allowed_hosts = {"jobs.example:443"}}};
    router.add(things());
    CHECK(ask(router, "GET", "/things", {{"Host", "jobs.example"}}).status == 200);
    CHECK(ask(router, "GET", "/things", {{"Host", "jobs.example:443"}}).status == 200);
    CHECK(ask(router, "GET", "/things", {{"Host", "jobs.example:8443"}}).status == 421);
}

TEST_CASE("two hosts are 400") {
    Router router;
    router.add(things());
    CHECK(ask(router, "GET", "/things", {{"Host", "a"}, {"host", "a"}}).status == 400);
}

TEST_CASE("headers above the limit are 431, and those at it are taken") {
    Router router{{.max_header_bytes = 20}};
    router.add(things());
    CHECK(ask(router, "GET", "/things", {{"X-Ten", std::string(11, 'x')}}).status == 200);
    CHECK(ask(router, "GET", "/things", {{"X-Ten", std::string(12, 'x')}}).status == 431);
}

TEST_CASE("the limits of target and parameters are the program's") {
    Router router{{.max_target_bytes = 20, .max_parameters = 2}};
    router.add(things());
    CHECK(ask(router, "GET", "/things?a=1&b=2").status == 200);
    CHECK(ask(router, "GET", "/things?a=1&b=2&c=3").status == 400);
    CHECK(ask(router, "GET", "/things?a=1234567890").status == 200);
    CHECK(ask(router, "GET", "/things?a=12345678901").status == 414);
}

TEST_CASE("a client that has a document already gets none") {
    std::string text = "one";
    Router router;
    router.add(Api{}.get("/text", [&](const Call&) { return http::json_response(200, text); }));
    const auto first = ask(router, "GET", "/text");
    REQUIRE(first.header("ETag") != nullptr);
    const auto tag = *first.header("ETag");
    CHECK(*first.header("Cache-Control") == "private, no-cache");

    const auto again = ask(router, "GET", "/text", {{"If-None-Match", tag}});
    CHECK(again.status == 304);
    CHECK(again.body.empty());
    CHECK(*again.header("ETag") == tag);
    CHECK(again.header("Content-Type") == nullptr);
    CHECK(ask(router, "HEAD", "/text", {{"If-None-Match", tag}}).status == 304);

    text = "two";
    CHECK(ask(router, "GET", "/text", {{"If-None-Match", tag}}).status == 200);
    CHECK(ask(router, "GET", "/text", {{"If-None-Match", tag + ", *"}}).status == 304);
}

TEST_CASE("what is no found document has no tag") {
    Router router{{.authorize = http::allow_changes()}};
    router.add(things());
    CHECK(ask(router, "POST", "/things", {{"If-None-Match", "*"}}).status == 200);
    CHECK(ask(router, "POST", "/things").header("ETag") == nullptr);
    CHECK(ask(router, "GET", "/nothing", {{"If-None-Match", "*"}}).status == 404);
    CHECK(*ask(router, "GET", "/nothing").header("Cache-Control") == "no-store");
}

TEST_CASE("a tag of the handler's own stands") {
    Router router;
    router.add(Api{}.get("/text", [](const Call&) { return Response{.headers = {{"ETag", "\"7\""}}, .body = "x"}; }));
    CHECK(*ask(router, "GET", "/text").header("ETag") == "\"7\"");
    CHECK(ask(router, "GET", "/text", {{"If-None-Match", "\"7\""}}).status == 304);
    CHECK(ask(router, "GET", "/text", {{"If-None-Match", "\"8\""}}).status == 200);
}

TEST_CASE("the hook is asked about each request with its permission") {
    std::vector<Permission> asked;
    Router router{{.authorize = [&](const Request& request, Permission permission) {
        asked.push_back(permission);
        return request.remote == "10.0.0.1" ? http::Access::allow() : http::Access::ask_who();
    }}};
    router.add(things());
    CHECK(router.handle({.method = "POST", .target = "/things/clear", .remote = "10.0.0.1"}).body == "cleared");
    const auto refused = router.handle({.target = "/things", .remote = "10.0.0.2"});
    CHECK(refused.status == 401);
    CHECK(*refused.header("WWW-Authenticate") == "Bearer");
    CHECK(asked == std::vector{Permission::clear, Permission::read});
}

TEST_CASE("a handler may ask for another permission") {
    Router router;
    router.add(Api{}.get("/query", [](const Call& call) {
        call.require(Permission::read);
        call.require(Permission::trigger);
        return Response{};
    }));
    CHECK(ask(router, "GET", "/query").status == 403);
}

TEST_CASE("an Error that a handler throws is the answer") {
    Router router;
    router.add(Api{}.get("/busy", [](const Call&) -> Response {
        throw http::Error{503, "come back later", {{"Retry-After", "5"}}};
    }));
    const auto response = ask(router, "GET", "/busy");
    CHECK(response.status == 503);
    CHECK(*response.header("Retry-After") == "5");
    CHECK(response.body == R"({"error":{"code":503,"message":"come back later"}})");
}

TEST_CASE("what else a handler throws is a 500 that says nothing of it") {
    std::vector<std::string> told;
    Router router{{.on_exception = [&](const Request& request, std::exception_ptr thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) { told.push_back(request.target + ": " + error.what()); } catch (...) {
            told.push_back(request.target + ": something");
        }
        throw 1; // a hook that fails changes nothing
    }}};
    router.add(Api{}
                   .get("/throws", [](const Call&) -> Response { throw std::runtime_error{"password=1234"}; })
                   .get("/throws_int", [](const Call&) -> Response { throw 42; }));
    const auto response = ask(router, "GET", "/throws");
    CHECK(response.status == 500);
    CHECK_FALSE(contains(response.body, "1234"));
    CHECK(ask(router, "GET", "/throws_int").status == 500);
    CHECK(told == std::vector<std::string>{"/throws: password=1234", "/throws_int: something"});
}

TEST_CASE("a hook that throws refuses") {
    Router router{{.authorize = [](const Request&, Permission) -> http::Access { throw std::runtime_error{"ldap"}; }}};
    router.add(things());
    CHECK(ask(router, "GET", "/things").status == 500);
}

TEST_CASE("a target that is badly encoded is 400, and one that is too long 414") {
    Router router;
    router.add(things());
    CHECK(ask(router, "GET", "/things?x=%zz").status == 400);
    CHECK(ask(router, "GET", "/things/%00").status == 400);
    CHECK(ask(router, "GET", "*").status == 400);
    CHECK(ask(router, "GET", "/things/" + std::string(9000, 'a')).status == 414);
}

TEST_CASE("every answer carries the security headers, and a handler may set its own") {
    Router router;
    router.add(things()).add(Api{}.get("/page", [](const Call&) {
        return Response{.headers = {{"content-security-policy", "default-src 'self'"}}};
    }));
    for (const auto* target : {"/things", "/nothing", "/things?%", "/things/clear"}) {
        INFO(target);
        const auto response = ask(router, "GET", target);
        for (const auto* name : {"X-Content-Type-Options", "Cache-Control", "Content-Security-Policy",
                                 "Referrer-Policy", "Cross-Origin-Resource-Policy"}) {
            INFO(name);
            CHECK(response.header(name) != nullptr);
        }
    }
    CHECK(*ask(router, "GET", "/page").header("Content-Security-Policy") == "default-src 'self'");
}

TEST_CASE("a header whose value would begin another one is left out") {
    daybook::http::Api api;
    api.get("/split", [](const daybook::http::Call&) {
        return daybook::http::Response{.headers = {{"X-Told", "a\r\nSet-Cookie: b"}, {"X-Kept", "c"}}};
    });
    daybook::http::Router router;
    router.add(api);
    const auto response = router.handle({.target = "/split"});
    CHECK(response.header("X-Told") == nullptr);
    REQUIRE(response.header("X-Kept") != nullptr);
    CHECK(*response.header("X-Kept") == "c");
}

TEST_CASE("a length or a connection header of a handler's is left to the server") {
    Router router;
    router.add(Api{}.get("/own", [](const Call&) {
        return Response{.headers = {{"content-length", "3"}, {"Transfer-Encoding", "chunked"}, {"Connection", "close"}},
                        .body = "four"};
    }));
    const auto response = ask(router, "GET", "/own");
    CHECK(response.header("Content-Length") == nullptr);
    CHECK(response.header("Transfer-Encoding") == nullptr);
    CHECK(response.header("Connection") == nullptr);
}
