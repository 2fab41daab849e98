// SPDX-License-Identifier: MIT
#include "contract/http/contract_case.hpp"

#include <utility>

namespace contract {

using namespace std::string_literals;

/// Which methods there are, and what is said where they do not fit.
std::vector<Case> method_cases() {
    const Checks read_only_path{header("Allow", "GET, HEAD, OPTIONS"), error(405, "GET, HEAD, OPTIONS")};
    std::vector<Case> cases{
        get("method: GET", "/echo/x",
            {{200}, {has("method=[GET]"), has("target=[/echo/x]\n"), has("body_length=[0]")}}),
        get("method: GET, and whose it is", "/echo/x", {{200}, {has("remote=[127.0.0.1]")}}),
        get("method: GET of the page at the root", "/",
            {{200},
             {header_has("Content-Type", "text/html"), header_has("Content-Security-Policy", "script-src 'self'")}}),
        head("method: HEAD of a short answer", "/ping", {{200}, {header("Content-Length", "4")}}),
        head("method: HEAD of 1 MB", "/large", {{200}, {header("Content-Length", "1048576")}}),
        head("method: HEAD of the list has its type", "/api/executions",
             {{200}, {header("Content-Type", "application/json")}}),
        head("method: HEAD of nothing there", "/nowhere", {{404}}),
        head("method: HEAD of a bad parameter", "/api/executions?limit=x", {{400}}),
        head("method: HEAD where only POST is", "/api/executions/clear", {{405}, {header("Allow", "POST, OPTIONS")}}),
        head("method: HEAD of a handler that throws", "/throws/runtime_error", {{500}}),
        ask("method: OPTIONS", request("OPTIONS", "/api/executions"),
            {{204}, {header("Allow", "GET, HEAD, OPTIONS"), no_header("Access-Control-Allow-Origin")}}),
        ask("method: OPTIONS where only POST is", request("OPTIONS", "/api/executions/clear"),
            {{204}, {header("Allow", "POST, OPTIONS")}}),
        ask("method: OPTIONS as a browser asks before it crosses sites",
            request("OPTIONS", "/api/executions/clear",
                    "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n"),
            {{204, 403}, {no_header("Access-Control-Allow-Origin"), no_header("Access-Control-Allow-Methods")}}),
        // Who is asked is the server itself, not something on it.
        ask("method: OPTIONS of the whole server", request("OPTIONS", "*"), {{200, 204, 400, 404, 405, 501}}),
        ask("method: POST to nothing there", with_body("POST", "/nowhere", "x"), {{404}}),
        ask("method: DELETE of nothing there", with_body("DELETE", "/nowhere", ""), {{404}}),
        get("method: GET where only POST is", "/api/executions/clear",
            {{405}, {header("Allow", "POST, OPTIONS"), error(405, "POST, OPTIONS")}}),
        get("method: GET where only POST is, with a parameter in the path", "/api/v1/jobs/nightly/run",
            {{405}, {header("Allow", "POST, OPTIONS")}}),
        // RFC 9110, 15.6.2 has 501 for a method that a server does not know at all; some servers say 400.
        ask("method: an unknown one", request("BREW", "/echo/x"), {{400, 405, 501}}),
        ask("method: of WebDAV", request("PROPFIND", "/echo/x"), {{400, 405, 501}}),
        ask("method: TRACE", request("TRACE", "/echo/x"), {{400, 403, 405, 501}}),
        broken("method: CONNECT", request("CONNECT", "/echo/x"), {400, 403, 404, 405, 501, closed}),
        ask("method: in lower case", request("get", "/echo/x"), {{400, 405, 501}}),
        broken("method: of 10 KB", request(repeated("M", 10'000), "/echo/x"), {400, 405, 413, 414, 431, 501, closed}),
        broken("method: empty", request("", "/echo/x"), {400, 405, 501, closed}),
        broken("method: with a NUL in it", request("G\0T"s, "/echo/x"), {400, 405, 501, closed}),
        ask("method: one that a header wants instead changes nothing",
            with_body("POST", "/echo/x?_method=DELETE", "_method=DELETE",
                      "X-HTTP-Method-Override: DELETE\r\nX-Method-Override: DELETE\r\n"
                      "Content-Type: application/x-www-form-urlencoded\r\n"),
            {{200}, {has("method=[POST]")}}),
    };
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        const std::string name{method};
        cases.push_back(ask("method: " + name, with_body(method, "/echo/x", "abc"),
                            {{200}, {has("method=[" + name + "]"), has("body=[abc]")}}));
        cases.push_back(ask("method: " + name + " where only GET is", with_body(method, "/api/executions", ""),
                            {{405}, read_only_path}));
        cases.push_back(ask("method: " + name + " where only GET is, with a body",
                            with_body(method, "/api/executions", "{\"limit\":1}"), {{405}, read_only_path}));
    }
    return cases;
}

} // namespace contract
