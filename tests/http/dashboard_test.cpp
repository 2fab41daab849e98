// SPDX-License-Identifier: MIT
#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include "support/catch.hpp"

#include <set>
#include <string>
#include <string_view>

namespace http = daybook::http;
using nlohmann::json;

namespace {

http::Response get(std::string target, std::string prefix = {}) {
    http::Router router{{.prefix = std::move(prefix)}};
    router.add(http::dashboard());
    return router.handle({.target = std::move(target)});
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// What stands between each `before` and the next `after`.
std::set<std::string> all_between(std::string_view text, std::string_view before, std::string_view after) {
    std::set<std::string> found;
    for (auto at = text.find(before); at != std::string_view::npos; at = text.find(before, at)) {
        at += before.size();
        found.emplace(text.substr(at, text.find(after, at) - at));
    }
    return found;
}

/// The names of the page's modules, from the one that it loads on.
std::set<std::string> modules() {
    std::set<std::string> found{"daybook.js"};
    for (std::set<std::string> news = found; !news.empty();) {
        std::set<std::string> next;
        for (const auto& name : news) {
            for (const auto& import : all_between(get("/history/" + name).body, "from './", "'")) {
                if (found.insert(import).second) { next.insert(import); }
            }
        }
        news = std::move(next);
    }
    return found;
}

json server_of(const http::Router& router, http::Headers headers = {}) {
    const auto response = router.handle({.target = "/history/server", .headers = std::move(headers)});
    REQUIRE(response.status == 200);
    return json::parse(response.body);
}

} // namespace

TEST_CASE("the page is at both of its paths") {
    for (const auto* target : {"/", "/history"}) {
        const auto response = get(target);
        CHECK(response.status == 200);
        CHECK(*response.header("Content-Type") == "text/html; charset=utf-8");
        CHECK(response.body.starts_with("<!DOCTYPE html>"));
    }
}

TEST_CASE("the page may load and ask its own origin alone") {
    const auto response = get("/history");
    CHECK(*response.header("Content-Security-Policy") ==
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    CHECK(*response.header("X-Content-Type-Options") == "nosniff");
}

TEST_CASE("the page has neither script nor style of its own inside") {
    const auto page = get("/").body;
    CHECK(all_between(page, "<script", "</script>") ==
          std::set<std::string>{R"( type=module src="history/daybook.js">)"});
    CHECK_FALSE(contains(page, "<style"));
    CHECK_FALSE(contains(page, " style="));
    CHECK_FALSE(contains(page, " onclick="));
}

TEST_CASE("every link of the page is relative to the folder that both of its paths are in") {
    const auto page = get("/").body;
    for (const auto* attribute : {" href=\"", " src=\""}) {
        for (const auto& link : all_between(page, attribute, "\"")) {
            INFO(link);
            const bool is_ours = link.starts_with("data:") || link.starts_with("history/") ||
                                 link.starts_with("api/") || link.starts_with("?") || link.starts_with("#");
            CHECK(is_ours);
        }
    }
}

TEST_CASE("what the page links to is there, under a prefix too") {
    for (const auto& link : all_between(get("/").body, "href=\"history/", "\"")) {
        INFO(link);
        const auto style = get("/admin/jobs/history/" + link, "/admin/jobs");
        CHECK(style.status == 200);
        CHECK(*style.header("Content-Type") == "text/css; charset=utf-8");
    }
    CHECK(get("/admin/jobs/", "/admin/jobs").status == 200);
    CHECK(get("/admin/jobs/history", "/admin/jobs").status == 200);
}

TEST_CASE("every module that the page imports is there") {
    const auto all = modules();
    CHECK(all.size() > 10);
    for (const auto& name : all) {
        INFO(name);
        const auto response = get("/admin/history/" + name, "/admin");
        CHECK(response.status == 200);
        CHECK(*response.header("Content-Type") == "text/javascript; charset=utf-8");
    }
}

TEST_CASE("a slash too many leads to the page") {
    const auto response = get("/admin/history/", "/admin");
    CHECK(response.status == 308);
    CHECK(*response.header("Location") == "../history");
}

TEST_CASE("no element of the page has the id of another") {
    const auto page = get("/").body;
    CHECK_FALSE(contains(page, " id=\""));
    std::set<std::string> ids;
    std::size_t count = 0;
    for (auto at = page.find(" id="); at != std::string::npos; at = page.find(" id=", at + 1), ++count) {
        const auto id = page.substr(at + 4, page.find_first_of(" >", at + 4) - at - 4);
        INFO(id);
        CHECK(ids.insert(id).second);
    }
    CHECK(count > 30);
}

TEST_CASE("the modules show what jobs left behind as text") {
    for (const auto& name : modules()) {
        const auto script = get("/history/" + name).body;
        for (const auto* risk :
             {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("}) {
            INFO(name << ": " << risk);
            CHECK_FALSE(contains(script, risk));
        }
    }
}

TEST_CASE("the page takes no method but GET") {
    http::Router router;
    router.add(http::dashboard());
    CHECK(router.handle({.method = "POST", .target = "/history"}).status == 405);
    CHECK(router.handle({.method = "HEAD", .target = "/history"}).status == 200);
}

TEST_CASE("the page learns which APIs are beside it") {
    daybook::Scheduler scheduler{{.workers = 0}};
    http::Router router{{.prefix = "/admin"}};
    router.add(http::dashboard());
    const auto server = [&] { return json::parse(router.handle({.target = "/admin/history/server"}).body).at("has"); };
    CHECK(server() == json{{"executions", false}, {"jobs", false}, {"health", false}});
    router.add(http::executions_api(scheduler.log()));
    CHECK(server() == json{{"executions", true}, {"jobs", false}, {"health", false}});
    router.add(http::jobs_api<daybook::nlohmann_json>(scheduler));
    router.add(http::health_api(scheduler));
    CHECK(server() == json{{"executions", true}, {"jobs", true}, {"health", true}});
}

TEST_CASE("the page learns what is closed, and how to open it") {
    http::Router router;
    router.add(http::dashboard());
    const auto may = server_of(router).at("may");
    for (const auto* what : {"trigger", "change", "clear"}) {
        CHECK(may.at(what).at("allowed") == false);
        CHECK(contains(may.at(what).at("message").get<std::string>(), "authorize"));
    }
}

TEST_CASE("the page learns what is open to this visitor, and whoever is only asked for a name may try") {
    http::Router router{{.authorize = [](const http::Request&, http::Permission permission) {
        if (permission == http::Permission::clear) { return http::Access::deny("history is for ever"); }
        if (permission == http::Permission::change) { return http::Access::ask_who(); }
        return http::Access::allow();
    }}};
    router.add(http::dashboard());
    const auto may = server_of(router).at("may");
    CHECK(may.at("trigger") == json{{"allowed", true}});
    CHECK(may.at("change") == json{{"allowed", true}});
    CHECK(may.at("clear") == json{{"allowed", false}, {"message", "history is for ever"}});
}

TEST_CASE("asking what is open is no change, and is not audited") {
    http::Router router;
    router.add(http::dashboard());
    CHECK(server_of(router).contains("may"));
    CHECK(router.audit().records(10).records.empty());
}
