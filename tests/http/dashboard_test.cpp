// SPDX-License-Identifier: MIT
#include <daybook/http.hpp>

#include "support/catch.hpp"

#include <set>
#include <string>
#include <string_view>

namespace http = daybook::http;

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
    CHECK(all_between(page, "<script", "</script>") == std::set<std::string>{R"( src="history/daybook.js" defer>)"});
    CHECK_FALSE(contains(page, "<style"));
    CHECK_FALSE(contains(page, " style="));
    CHECK(all_between(page, " on", "=").empty());
}

TEST_CASE("every link of the page is relative to the folder that both of its paths are in") {
    const auto page = get("/").body;
    for (const auto* attribute : {" href=\"", " src=\""}) {
        for (const auto& link : all_between(page, attribute, "\"")) {
            INFO(link);
            const bool is_ours = link == "data:," || link.starts_with("history/") || link.starts_with("api/");
            CHECK(is_ours);
        }
    }
}

TEST_CASE("what the page links to is there, under a prefix too") {
    const auto style = get("/admin/jobs/history/daybook.css", "/admin/jobs");
    CHECK(style.status == 200);
    CHECK(*style.header("Content-Type") == "text/css; charset=utf-8");
    const auto script = get("/admin/jobs/history/daybook.js", "/admin/jobs");
    CHECK(script.status == 200);
    CHECK(*script.header("Content-Type") == "text/javascript; charset=utf-8");
    CHECK(get("/admin/jobs/", "/admin/jobs").status == 200);
    CHECK(get("/admin/jobs/history", "/admin/jobs").status == 200);
}

TEST_CASE("a slash too many leads to the page") {
    const auto response = get("/admin/history/", "/admin");
    CHECK(response.status == 308);
    CHECK(*response.header("Location") == "../history");
}

TEST_CASE("the script finds every element that it asks for, once") {
    const auto page = get("/").body;
    const auto script = get("/history/daybook.js").body;
    const auto asked = all_between(script, "$('", "')");
    CHECK(asked.size() > 10);
    for (const auto& id : asked) {
        INFO(id);
        const auto attribute = " id=\"" + id + "\"";
        CHECK(contains(page, attribute));
        CHECK(page.find(attribute) == page.rfind(attribute));
    }
}

TEST_CASE("the script shows what jobs left behind as text") {
    const auto script = get("/history/daybook.js").body;
    for (const auto* risk : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("}) {
        INFO(risk);
        CHECK_FALSE(contains(script, risk));
    }
}

TEST_CASE("the page offers every status as a filter") {
    const auto page = get("/").body;
    for (const auto* status :
         {"queued", "running", "success", "error", "timeout", "cancelled", "abandoned", "skipped"}) {
        CHECK(contains(page, "<option>" + std::string{status} + "</option>"));
    }
}

TEST_CASE("the page takes no method but GET") {
    http::Router router;
    router.add(http::dashboard());
    CHECK(router.handle({.method = "POST", .target = "/history"}).status == 405);
    CHECK(router.handle({.method = "HEAD", .target = "/history"}).status == 200);
}
