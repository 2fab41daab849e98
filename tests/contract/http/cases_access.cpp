// SPDX-License-Identifier: MIT
#include "contract/http/app.hpp"
#include "contract/http/contract_case.hpp"

#include <utility>

namespace contract {

namespace {

/// A change; `lines` are the headers that decide about it.
[[nodiscard]] Case change(std::string name, std::string_view lines, Expected expected) {
    return ask(std::move(name), with_body("POST", "/echo/x", "abc", lines), std::move(expected));
}

/// A change by a client that has to show a token.
[[nodiscard]] Case with_token(std::string name, std::string_view lines, Expected expected) {
    return change(std::move(name), "X-Access: token\r\n" + std::string{lines}, std::move(expected));
}

[[nodiscard]] std::string for_host(std::string_view host) {
    return "GET /admin/ping HTTP/1.1\r\nHost: " + std::string{host} + "\r\n" + std::string{connection_mark} + "\r\n";
}

} // namespace

/// Who may do what, as far as it depends on headers that an adapter has to hand on.
std::vector<Case> access_cases() {
    const std::string right{token};
    const Expected allowed{{200}, {has("body=[abc]")}};
    const Expected wrong_token{{401},
                               {error(401, "not known here"), header_has("WWW-Authenticate", "Bearer"), lacks(right)}};
    const Expected no_token{{401}, {error(401, "a token"), header_has("WWW-Authenticate", "Bearer"), lacks(right)}};
    const Expected cross_site{{403}, {error(403, "another site")}};
    const std::string authorization = "Authorization: Bearer ";

    return {
        change("access: closed", "X-Access: read_only\r\n", {{403}, {error(403, "changing is closed")}}),
        get("access: closed, and open for reading", "/echo/x", {{200}}, "X-Access: read_only\r\n"),
        ask("access: closed, where there is nothing", with_body("POST", "/nowhere", "", "X-Access: read_only\r\n"),
            {{404}}),
        ask("access: closed for erasing", with_body("POST", "/api/executions/clear", "", "X-Access: read_only\r\n"),
            {{403}, {error(403, "changing is closed")}}),
        ask("access: closed for running a job",
            with_body("POST", "/api/v1/jobs/nightly/run", "", "X-Access: read_only\r\n"), {{403}}),
        ask("access: closed for pausing a job",
            with_body("POST", "/api/v1/jobs/nightly/pause", "", "X-Access: read_only\r\n"), {{403}}),
        ask("access: closed for removing a job", request("DELETE", "/api/v1/jobs/nightly", "X-Access: read_only\r\n"),
            {{403}}),
        ask("access: closed for executing a job",
            with_body("POST", "/api/v1/debug/execute", R"({"job_id":"nightly"})", "X-Access: read_only\r\n"), {{403}}),
        with_token("token: right", authorization + right + "\r\n", allowed),
        with_token("token: right, the scheme in other letters", "authorization: bEARER " + right + "\r\n", allowed),
        with_token("token: none", "", no_token),
        with_token("token: empty", "Authorization: Bearer\r\n", {{401, 403}}),
        with_token("token: wrong", authorization + "wrong\r\n", wrong_token),
        with_token("token: too short", authorization + right.substr(1) + "\r\n", wrong_token),
        with_token("token: too long", authorization + right + "x\r\n", wrong_token),
        with_token("token: in other letters", authorization + "LETMEIN-0123456789\r\n", wrong_token),
        with_token("token: encoded", authorization + "%6cetmein-0123456789\r\n", wrong_token),
        with_token("token: of 4 KB", authorization + repeated("t", 4000) + "\r\n", wrong_token),
        with_token("token: of another scheme", "Authorization: Basic bGV0bWU6aW4=\r\n", no_token),
        with_token("token: alone", "Authorization: " + right + "\r\n", no_token),
        with_token("token: in the wrong header", "X-Authorization: Bearer " + right + "\r\n", no_token),
        ask("token: in the query",
            with_body("POST", "/echo/x?token=" + right + "&Authorization=Bearer+" + right, "abc",
                      "X-Access: token\r\n"),
            no_token),
        get("token: reading needs none", "/echo/x", {{200}}, "X-Access: token\r\n"),
        change("cross-site: a page of another site", "Sec-Fetch-Site: cross-site\r\n", cross_site),
        change("cross-site: a page of a neighbour", "Sec-Fetch-Site: same-site\r\n", cross_site),
        change("cross-site: a page of ours", "Sec-Fetch-Site: same-origin\r\n", allowed),
        change("cross-site: no page", "Sec-Fetch-Site: none\r\n", allowed),
        change("cross-site: another origin", "Origin: http://evil.example\r\n", cross_site),
        change("cross-site: our origin", "Origin: http://contract.test\r\n", allowed),
        change("cross-site: our origin at another port", "Origin: http://contract.test:8080\r\n", cross_site),
        change("cross-site: an origin that begins like ours", "Origin: http://contract.test.evil.example\r\n",
               cross_site),
        change("cross-site: an origin that is secret", "Origin: null\r\n", cross_site),
        change("cross-site: an origin that is none", "Origin: ://\r\n", cross_site),
        change("cross-site: another origin, and a token",
               "X-Access: token\r\nOrigin: http://evil.example\r\n" + authorization + right + "\r\n", cross_site),
        get("cross-site: may not read", "/echo/x",
            {{403}, {error(403, "may link to this"), no_header("Access-Control-Allow-Origin")}},
            "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n"),
        get("cross-site: a link may lead here", "/history", {{200}, {header_has("Content-Type", "text/html")}},
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"),
        get("cross-site: a frame may not", "/history", {{403}},
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"),
        ask("cross-site: a form of another site",
            with_body("POST", "/api/executions/clear", "",
                      "Origin: http://evil.example\r\nContent-Type: text/plain\r\n"),
            cross_site),
    };
}

std::vector<Case> change_cases() {
    return {
        ask("change: a job runs", with_body("POST", "/api/v1/jobs/nightly/run", ""),
            {{202}, {has(R"("job_id":"nightly")")}}),
        ask("change: a job runs, asked as curl does it", request("POST", "/api/v1/jobs/t%C3%A4glich%2F1%20a+b/run"),
            {{202}, {has("täglich/1 a+b")}}),
        ask("change: an unknown job", with_body("POST", "/api/v1/jobs/nobody/run", ""),
            {{404}, {error(404, "no job")}}),
        ask("change: a job is paused", with_body("POST", "/api/v1/jobs/nightly/pause", ""),
            {{200}, {has(R"("active":false)")}}),
        ask("change: a job is resumed", with_body("POST", "/api/v1/jobs/nightly/resume", ""),
            {{200}, {has(R"("active":true)")}}),
        ask("change: a job is removed", request("DELETE", "/api/v1/jobs/doomed"), {{204}, {body("")}}),
        ask("change: a job is removed twice", request("DELETE", "/api/v1/jobs/doomed"),
            {{404}, {error(404, "no job")}}),
        ask("change: a body that is no JSON", with_body("POST", "/api/v1/debug/execute", "{\"job_id\":"),
            {{400}, {error(400, "the body")}}),
        ask("change: a body that is empty", with_body("POST", "/api/v1/debug/execute", ""),
            {{400}, {error(400, "the body")}}),
        ask("change: a body that is not UTF-8", with_body("POST", "/api/v1/debug/execute", "{\"job_id\":\"\xff\"}"),
            {{400, 404}}),
        ask("change: a body of 10,000 brackets", with_body("POST", "/api/v1/debug/execute", repeated("[", 10'000)),
            {{400}, {error(400, "the body")}}),
        ask("change: a body of the wrong kind", with_body("POST", "/api/v1/debug/execute", "[1,2,3]"),
            {{400}, {error(400, "the body")}}),
        ask("change: a body with another kind of value", with_body("POST", "/api/v1/debug/execute", R"({"job_id":7})"),
            {{400}, {error(400, "job_id")}}),
        ask("change: a body that names an unknown job",
            with_body("POST", "/api/v1/debug/execute", R"({"job_id":"nobody"})"), {{404}, {error(404, "no job")}}),
        ask("change: the history is cleared as curl does it", request("POST", "/api/executions/clear"),
            {{200}, {has(R"("status":"success")"), has(R"("records_cleared":250)")}}),
        ask("change: it is cleared again",
            with_body("POST", "/api/executions/clear", "{}", "Content-Type: application/json\r\n"),
            {{200}, {has(R"("records_cleared":0)")}}),
        get("change: all of it was recorded", "/api/v1/audit",
            {{200}, {has("/api/executions/clear"), has("127.0.0.1")}}),
        get("change: nothing is left", "/api/executions", {{200}, {has(R"("total":1,)")}}),
    };
}

std::vector<Case> prefix_cases() {
    const Expected closed_here{{403}, {error(403, "RouterOptions::authorize")}};
    return {
        get("prefix: the page", "/admin/", {{200}, {header_has("Content-Type", "text/html")}}),
        get("prefix: the page by its name", "/admin/history", {{200}, {header_has("Content-Type", "text/html")}}),
        get("prefix: the page's script", "/admin/history/daybook.js", {{200}}),
        get("prefix: the list", "/admin/api/executions?limit=2", {{200}, {has(R"("count":2)")}}),
        get("prefix: an encoded slash", "/admin/echo/a%2Fb",
            {{200}, {has("word=[a/b]"), has("target=[/admin/echo/a%2Fb]")}}),
        get("prefix: an encoded letter of it", "/%61dmin/echo/x", {{200}, {has("word=[x]")}}),
        get("prefix: as proxies send it", "http://contract.test/admin/echo/x", {{200}, {has("word=[x]")}}),
        get("prefix: as proxies send it, and meant for another host", "http://evil.example/admin/echo/x",
            {{421}, {error(421, "not known by that host name")}}),
        ask("prefix: another host", for_host("evil.example"), {{421}, {error(421, "not known by that host name")}}),
        ask("prefix: our host at a port", for_host("contract.test:8080"), {{200}}),
        ask("prefix: our host in other letters", for_host("Contract.TEST"), {{200}}),
        broken("prefix: our host and another one",
               "GET /admin/ping HTTP/1.1\r\nHost: contract.test\r\nHost: evil.example\r\n\r\n", {400, 421, closed}),
        broken("prefix: another host and ours",
               "GET /admin/ping HTTP/1.1\r\nHost: evil.example\r\nHost: contract.test\r\n\r\n", {400, 421, closed}),
        broken("prefix: no host", "GET /admin/ping HTTP/1.1\r\n\r\n", {400, 421, closed}),
        get("prefix: is missing", "/api/executions", {{404}}),
        get("prefix: nothing behind it", "/admin", {{404}}),
        get("prefix: something behind it that is not there", "/admin/nowhere", {{404}}),
        get("prefix: twice", "/admin/admin/echo/x", {{404}}),
        get("prefix: a longer word", "/administrator/echo/x", {{404}}),
        get("prefix: its slash encoded", "/admin%2Fecho/x", {{404}}),
        get("prefix: in upper case", "/ADMIN/echo/x", {{404}}),
        get("prefix: dots do not lead into it", "/x/../admin/echo/x", {{404, 400}, {lacks("word=")}}),
        ask("prefix: a method that does not fit", with_body("DELETE", "/admin/api/executions", ""),
            {{405}, {header("Allow", "GET, HEAD, OPTIONS")}}),
        head("prefix: HEAD", "/admin/ping", {{200}, {header("Content-Length", "4")}}),
        ask("prefix: nobody said who may change", with_body("POST", "/admin/echo/x", "abc"), closed_here),
        ask("prefix: nobody may clear", request("POST", "/admin/api/executions/clear"), closed_here),
        ask("prefix: nobody may run a job", with_body("POST", "/admin/api/v1/jobs/nightly/run", ""), closed_here),
        ask("prefix: no token opens it",
            with_body("PUT", "/admin/echo/x", "abc", "Authorization: Bearer x\r\nX-Access: open\r\n"), closed_here),
    };
}

} // namespace contract
