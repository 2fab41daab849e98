// SPDX-License-Identifier: MIT
#include "contract/http/contract_case.hpp"

#include <utility>

namespace contract {

using namespace std::string_literals;

namespace {

[[nodiscard]] std::string raw(std::string_view lines) {
    return "GET /echo/x HTTP/1.1\r\n" + std::string{lines} + "\r\n";
}

[[nodiscard]] std::string host() { return "Host: contract.test\r\n"; }

[[nodiscard]] std::string numbered_headers(std::size_t count) {
    std::string lines;
    for (std::size_t number = 0; number < count; ++number) {
        lines += "X-Flood-" + std::to_string(number) + ": value\r\n";
    }
    return lines;
}

[[nodiscard]] Expected test_header(std::string_view value) {
    return {{200}, {has("header.X-Test=[" + std::string{value} + "]\n")}};
}

} // namespace

/// Headers, the lines around them, and things that are no request.
std::vector<Case> header_cases() {
    const std::vector<int> too_many{431, 200, 400, 413, 414, closed};
    // Not HTTP: a server may refuse it, close, or be lenient.
    const std::vector<int> lenient{400, 200, 403, 405, 411, 417, 426, 431, 501, 505, closed};
    const std::vector<int> strict{400, 403, 404, 405, 408, 414, 431, 501, 505, closed};
    const Expected fine{{200}, {has("word=[x]\n")}};

    std::vector<Case> cases{
        get("header: arrives", "/echo/x", test_header("a value"), "X-Test: a value\r\n"),
        get("header: its name in other letters", "/echo/x", test_header("v"), "x-tEsT: v\r\n"),
        get("header: without a space", "/echo/x", test_header("v"), "X-Test:v\r\n"),
        get("header: with blanks around it", "/echo/x", test_header("v"), "X-Test: \t v \t \r\n"),
        get("header: empty", "/echo/x", {{200}, {lacks("header.X-Empty=[ ")}}, "X-Empty:\r\n"),
        get("header: only blanks", "/echo/x", {{200}, {lacks("header.X-Empty=[ ")}}, "X-Empty:   \r\n"),
        get("header: with a colon in it", "/echo/x", test_header("a: b"), "X-Test: a: b\r\n"),
        get("header: an escape in it is none", "/echo/x", test_header("%41%0d%0a+"), "X-Test: %41%0d%0a+\r\n"),
        get("header: letters beyond ASCII", "/echo/x", {{200, 400}, {has("header.X-Test=[t\\xc3\\xa4glich]")}},
            "X-Test: täglich\r\n"),
        get("header: bytes that are no UTF-8", "/echo/x", {{200, 400}, {has("header.X-Test=[\\xff\\xfe]")}},
            "X-Test: \xff\xfe\r\n"),
        // The second one may be lost, or be joined to the first.
        get("header: twice", "/echo/x", {{200}, {has("header.X-Test=[")}}, "X-Test: one\r\nX-Test: two\r\n"),
        get("header: of 4 KB", "/echo/x", {{200}, {has("header_length.X-Long=[4000]")}},
            "X-Long: " + repeated("v", 4000) + "\r\n"),
        get("header: 80 of them", "/echo/x", fine, numbered_headers(80)),
        get("header: all letters that a name may have", "/echo/x", fine, "X-!#$%&'*+-.^_`|~9: v\r\n"),
        broken("header: 2,000 of them", request("GET", "/echo/x", numbered_headers(2000)), too_many),
        broken("header: 2,000 of one name", request("GET", "/echo/x", repeated("X-Test: v\r\n", 2000)), too_many),
        broken("header: 20,000 of them", request("GET", "/echo/x", numbered_headers(20'000)), too_many),
        broken("header: of 64 KB", request("GET", "/echo/x", "X-Long: " + repeated("v", 65'536) + "\r\n"), too_many),
        broken("header: of 1 MB", request("GET", "/echo/x", "X-Long: " + repeated("v", 1'000'000) + "\r\n"), too_many),
        broken("header: a name of 64 KB", request("GET", "/echo/x", repeated("N", 65'536) + ": v\r\n"), too_many),
        broken("header: folded", request("GET", "/echo/x", "X-Test: one\r\n two\r\n"), lenient),
        broken("header: folded at once", raw(" folded\r\n" + host()), lenient),
        broken("header: a blank before the colon", request("GET", "/echo/x", "X-Test : v\r\n"), lenient),
        broken("header: no colon", request("GET", "/echo/x", "X-Test\r\n"), lenient),
        broken("header: no name", request("GET", "/echo/x", ": v\r\n"), lenient),
        broken("header: a NUL in the value", request("GET", "/echo/x", "X-Test: a\0b\r\n"s), lenient),
        broken("header: a NUL in the name", request("GET", "/echo/x", "X-T\0st: a\r\n"s), lenient),
        broken("header: a carriage return in the value", request("GET", "/echo/x", "X-Test: a\rb\r\n"), lenient),
        broken("header: lines that end without a carriage return", "GET /echo/x HTTP/1.1\nHost: contract.test\n\n",
               lenient),
        broken("header: brackets in the name", request("GET", "/echo/x", "X(Test): v\r\n"), lenient),

        broken("host: none", raw(""), lenient),
        broken("host: two", raw(host() + host()), lenient),
        broken("host: two, differing", raw(host() + "Host: other.test\r\n"), lenient),
        broken("host: odd", raw("Host: a b<>\"/\r\n"), lenient),
        broken("host: empty", raw("Host:\r\n"), lenient),
        broken("host: of 10 KB", raw("Host: " + repeated("h", 10'000) + "\r\n"), lenient),

        Case{.name = "version: HTTP/1.0",
             .steps = {{.bytes = "GET /echo/x HTTP/1.0\r\n\r\n"}},
             .expected = {fine},
             .use = Use::alone},
        broken("version: HTTP/0.9", "GET /echo/x\r\n", strict),
        broken("version: HTTP/1.2", "GET /echo/x HTTP/1.2\r\nHost: contract.test\r\n\r\n", lenient),
        broken("version: HTTP/2.0", "GET /echo/x HTTP/2.0\r\nHost: contract.test\r\n\r\n", lenient),
        broken("version: HTTP/9.9", "GET /echo/x HTTP/9.9\r\nHost: contract.test\r\n\r\n", lenient),
        broken("version: HTTP/11", "GET /echo/x HTTP/11\r\nHost: contract.test\r\n\r\n", strict),
        broken("version: another protocol", "GET /echo/x FTP/1.1\r\nHost: contract.test\r\n\r\n", strict),
        broken("version: how HTTP/2 begins", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", strict),
        broken("version: in lower case", "GET /echo/x http/1.1\r\nHost: contract.test\r\n\r\n", lenient),
        broken("version: how TLS begins",
               "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"
               "0123456789abcdef0123456789abcdef\r\n\r\n"s,
               strict),

        broken("nothing: is sent", "", {closed, 400, 408}),
        broken("nothing: but line breaks", "\r\n\r\n\r\n\r\n", {closed, 400, 408}),
        broken("nothing: but a method", "GET", {closed, 400, 408}),
        broken("nothing: but half a head", "GET /echo/x HTTP/1.1\r\nHost: contr", {closed, 400, 408}),
        broken("nothing: but NULs", std::string(5000, '\0'), strict),
        broken("nothing: but one long line", repeated("A", 1'000'000), strict),
        broken("nothing: but bytes of all kinds", repeated("\x00\xff\x7f\x80 \t%s%n"s, 500), strict),
        broken("line: empty ones before it", "\r\n\r\n" + request("GET", "/echo/x"), lenient),
        broken("line: two blanks in it", "GET  /echo/x  HTTP/1.1\r\nHost: contract.test\r\n\r\n", lenient),
        broken("line: a blank at its end", "GET /echo/x HTTP/1.1 \r\nHost: contract.test\r\n\r\n", lenient),

        ask("connection: two wishes", raw(host() + "Connection: keep-alive, X-Other\r\n"), fine),
        Case{.name = "connection: the wish to close it is granted",
             .steps = {{.bytes = raw(host() + "Connection: close\r\n")}},
             .expected = {{{200}, {header("Connection", "close")}}},
             .use = Use::alone},
        Case{.name = "connection: the wish to close it, in other letters",
             .steps = {{.bytes = raw(host() + "Connection: Close\r\n")}},
             .expected = {{{200}}},
             .use = Use::alone},
        get("connection: to be changed into another protocol", "/echo/x", {{200, 400, 426, 501}},
            "Upgrade: h2c, websocket\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
        get("accept: nothing that there is", "/api/executions?limit=1", {{200, 406}}, "Accept: image/png\r\n"),
        get("accept: no compression", "/ping", {{200}, {body("pong"), no_header("Content-Encoding")}},
            "Accept-Encoding: identity\r\n"),
        get("accept: compression that nobody knows", "/ping", {{200}, {body("pong")}},
            "Accept-Encoding: ;;,q=,zip\r\n"),
        head("accept: compression, of a HEAD", "/ping", {{200}}, "Accept-Encoding: gzip, deflate, br\r\n"),
        get("range: the first ten bytes", "/large", {{200, 206}}, "Range: bytes=0-9\r\n"),
        get("range: from far behind the end", "/ping", {{200, 416}}, "Range: bytes=1000-2000\r\n"),
        get("range: the wrong way round", "/ping", {{200, 400, 416}}, "Range: bytes=3-1\r\n"),
        get("range: of 2^64", "/ping", {{200, 206, 400, 416}}, "Range: bytes=0-18446744073709551617\r\n"),
        get("range: below 0", "/ping", {{200, 206, 400, 416}}, "Range: bytes=-5\r\n"),
        get("range: no range", "/ping", {{200, 400, 416}}, "Range: lines=x-y\r\n"),
        // Each of them would be a body of its own.
        get("range: a thousand at once", "/large", {{416, 200, 400, 413, 431}, {[](const Answer& answer) {
                                                        return answer.body.size() > 2'000'000
                                                                   ? "the body is larger than it was"
                                                                   : "";
                                                    }}},
            "Range: bytes=" + repeated("0-,", 1000) + "0-\r\n"),
        head("range: of a HEAD", "/ping", {{200, 206}}, "Range: bytes=0-1\r\n"),
        get("range: of an error", "/api/executions?limit=x", {{400}}, "Range: bytes=0-3\r\n"),
    };
    return cases;
}

} // namespace contract
