// SPDX-License-Identifier: MIT
#include "contract/http/app.hpp"
#include "contract/http/contract_case.hpp"

#include <utility>

namespace contract {

using namespace std::string_literals;

namespace {

/// Several requests in one go; the last of them says that it is.
[[nodiscard]] Case pipelined(std::string name, std::vector<std::string> requests, std::vector<Expected> expected) {
    std::string bytes;
    for (std::size_t index = 0; index < requests.size(); ++index) {
        auto each = requests[index];
        if (index + 1 != requests.size()) { each.erase(each.find(connection_mark), connection_mark.size()); }
        bytes += each;
    }
    return {.name = std::move(name),
            .steps = {{.bytes = std::move(bytes)}},
            .expected = std::move(expected),
            .use = Use::alone};
}

} // namespace

/// What handlers answer, and throw, as it has to reach the client.
std::vector<Case> answer_cases() {
    const Check nothing_of_it = lacks(std::string{secret});
    std::vector<Case> cases{
        get("answer: of 1 MB", "/large", {{200}, {[](const Answer& answer) {
                                              return answer.body == std::string(large_bytes, 'l')
                                                         ? ""
                                                         : "the body is another";
                                          }}}),
        get("answer: bytes of all kinds", "/bytes",
            {{200},
             {body("a\0b\r\n\r\n\xff"
                   "HTTP/1.1 500 no\r\n\r\n"s)}}),
        get("answer: empty", "/empty", {{200}, {body("")}}),
        get("answer: 204 has no body", "/nothing", {{204}, {body("")}}),
        head("answer: 204 of a HEAD", "/nothing", {{204}}),
        get("answer: 304 has no body", "/same", {{304}, {body(""), header("ETag", "\"1\"")}}),
        head("answer: 304 of a HEAD", "/same", {{304}, {header("ETag", "\"1\"")}}),
        get("answer: without a type", "/no_type",
            {{200}, {body("plain"), header("X-Content-Type-Options", "nosniff")}}),
        get("answer: headers of a handler", "/headers",
            {{200},
             {header("Content-Type", "text/html; charset=\"utf-8\""), header("X-Odd", "~!@#$%^&*()_+ {}|\"<>?;:,"),
              header("x-lower", "yes"), no_header("X-Evil"), no_header("X-Injected"), no_header("X-Nul")}}),
        get("answer: a header of 4 KB", "/headers", {{200}, {header("X-Long", std::string(4000, 'h'))}}),
        get("answer: two cookies are two headers", "/headers",
            {{200},
             {[](const Answer& answer) { return answer.count("Set-Cookie") == 2 ? "" : "not two Set-Cookie"; }}}),
        get("answer: the headers that keep a browser in check", "/ping",
            {{200},
             {header("X-Content-Type-Options", "nosniff"), header_has("Content-Security-Policy", "default-src 'none'"),
              header("Referrer-Policy", "no-referrer"), header("Cross-Origin-Resource-Policy", "same-origin")}}),
        get("answer: these headers with an error", "/api/executions?limit=x",
            {{400}, {header("X-Content-Type-Options", "nosniff"), header("Content-Type", "application/json")}}),
        get("tag: stands there", "/ping", {{200}, {header_has("ETag", "\"")}}),
        get("tag: any will do", "/ping", {{304}, {body(""), header_has("ETag", "\""), no_header("Content-Type")}},
            "If-None-Match: *\r\n"),
        head("tag: any will do for a HEAD", "/ping", {{304}, {header_has("ETag", "\"")}}, "If-None-Match: *\r\n"),
        get("tag: another one", "/ping", {{200}, {body("pong")}}, "If-None-Match: \"x\", W/\"y\"\r\n"),
        get("tag: no tag", "/ping", {{200}, {body("pong")}}, "If-None-Match: ,;\"\r\n"),
        get("tag: two thousand", "/ping", {{200}, {body("pong")}},
            "If-None-Match: " + repeated("\"\",", 1300) + "\"x\"\r\n"),
        get("tag: of an error", "/api/executions?limit=x", {{400}, {no_header("ETag")}}, "If-None-Match: *\r\n"),
        get("answer: late", "/slow", {{200}, {body("late")}}),
        get("throws: an exception is 500, and nothing is told of it", "/throws/runtime_error",
            {{500}, {nothing_of_it, error(500, "something went wrong inside")}}),
        ask("throws: an exception in a POST", with_body("POST", "/throws/runtime_error", "abc"),
            {{500}, {nothing_of_it, error(500, "something went wrong inside")}}),
        get("throws: something that is no exception", "/throws/int",
            {{500}, {error(500, "something went wrong inside")}}),
        get("throws: a refusal with a status of its own", "/throws/teapot",
            {{418}, {error(418, "short and stout"), header("X-Kind", "teapot")}}),
        get("throws: a refusal with a header", "/throws/busy", {{503}, {header("Retry-After", "7")}}),
        pipelined("pipelined: two", {request("GET", "/echo/one"), request("GET", "/echo/two")},
                  {{{200}, {has("word=[one]")}}, {{200}, {has("word=[two]")}}}),
        pipelined("pipelined: a body, a HEAD, an error, a page",
                  {with_body("POST", "/echo/one", "abc"), request("HEAD", "/large"),
                   request("GET", "/api/executions?limit=x"), request("GET", "/echo/last")},
                  {{{200}, {has("body=[abc]")}},
                   {{200}, {}, HasBody::never},
                   {{400}, {error(400, "limit")}},
                   {{200}, {has("word=[last]")}}}),
        pipelined("pipelined: ten", std::vector<std::string>(10, request("GET", "/ping")),
                  std::vector<Expected>(10, {{200}, {body("pong")}})),
    };
    for (const int status : {201, 202, 299, 308, 400, 404, 409, 410, 422, 429, 451, 501, 503, 599}) {
        const auto number = std::to_string(status);
        cases.push_back(get("answer: status " + number, "/status/" + number, {{status}, {body("as asked")}}));
    }
    return cases;
}

} // namespace contract
