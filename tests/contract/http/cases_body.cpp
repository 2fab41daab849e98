// SPDX-License-Identifier: MIT
#include "contract/http/app.hpp"
#include "contract/http/contract_case.hpp"

#include <algorithm>
#include <utility>

namespace contract {

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

/// What an echo of a body says of it.
[[nodiscard]] Expected whole(std::string_view body) {
    return {{200},
            {has("body_length=[" + std::to_string(body.size()) + "]\n"),
             has("body_hash=[" + std::to_string(hash_of(body)) + "]\n")}};
}

/// A POST with a body in chunks, which are given with their lengths and the last one.
[[nodiscard]] std::string chunked(std::string_view chunks, std::string_view lines = {}) {
    return request("POST", "/echo/x", "Transfer-Encoding: chunked\r\n" + std::string{lines}, chunks);
}

[[nodiscard]] std::string chunk(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string size;
    for (auto rest = bytes.size(); rest != 0; rest /= 16) { size.insert(size.begin(), digits[rest % 16]); }
    return (size.empty() ? "0" : size) + "\r\n" + std::string{bytes} + "\r\n";
}

/// Sends a request in pieces, with pauses between them.
[[nodiscard]] Case slowly(std::string name, std::string bytes, std::size_t piece, Expected expected) {
    return {.name = std::move(name),
            .steps = {{.bytes = std::move(bytes), .piece = piece}},
            .expected = {std::move(expected)}};
}

/// The head first, then the body, for which a client may wait to be asked.
[[nodiscard]] Case asking_first(std::string name, std::string lines, std::string body, Expected expected) {
    return {.name = std::move(name),
            .steps = {{.bytes = request("POST", "/echo/x", lines)},
                      {.kind = Step::Kind::await_interim},
                      {.bytes = std::move(body)}},
            .expected = {std::move(expected)},
            .use = Use::alone};
}

[[nodiscard]] std::string length(std::string_view value) { return "Content-Length: " + std::string{value} + "\r\n"; }

} // namespace

/// Bodies that are there, that are not, and that are not what they say.
std::vector<Case> body_cases() {
    const auto bytes = "\0\1\2\r\n\r\n\xff\xfe \0"s;
    const std::string at_limit(max_body_bytes, 'b');
    const std::string over_limit(max_body_bytes + 1, 'b');
    const std::string inner = "GET /throws/int HTTP/1.1\r\nHost: contract.test\r\n\r\n";
    const Expected too_large{{413}, {error(413, "65536 bytes")}};
    // A server may close while such a body is still being sent, and the answer may be lost with that.
    const std::vector<int> far_too_large{413, closed};
    const std::vector<int> refused{400, 411, 413, 501, closed};

    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nhello\r\n--b--\r\n";
    const std::string form_type = "Content-Type: multipart/form-data; boundary=b\r\n";
    const std::string url_form_type = "Content-Type: application/x-www-form-urlencoded\r\n";
    const std::string long_form = "x=" + repeated("1&x=", 5000);

    std::vector<Case> cases{
        ask("body: of a length", with_body("POST", "/echo/x", R"({"a":1})", "Content-Type: application/json\r\n"),
            {{200}, {has(R"(body=[{"a":1}])"), has("header.Content-Type=[application/json]")}}),
        ask("body: empty", with_body("POST", "/echo/x", ""), whole("")),
        ask("body: NULs and line breaks", with_body("POST", "/echo/x", bytes), whole(bytes)),
        ask("body: only NULs", with_body("PUT", "/echo/x", std::string(1000, '\0')), whole(std::string(1000, '\0'))),
        ask("body: looks like a request", with_body("POST", "/echo/x", inner), {{200}, {has("body=[GET /throws/int")}}),
        ask("body: of 20 KB", with_body("PATCH", "/echo/x", std::string(20'000, 'x')), whole(std::string(20'000, 'x'))),
        ask("body: exactly as large as allowed", with_body("POST", "/echo/x", at_limit), whole(at_limit)),
        ask("body: one byte too large", with_body("POST", "/echo/x", over_limit), too_large),
        ask("body: one byte too large, where nothing is", with_body("POST", "/nowhere", over_limit), {{404, 413}}),
        ask("body: one byte too large, where it is not wanted", with_body("POST", "/ping", over_limit), {{405, 413}}),
        broken("body: of 1 MB", with_body("POST", "/echo/x", std::string(1'000'000, 'b')), far_too_large),
        broken("body: of 10 MB", with_body("POST", "/echo/x", std::string(10'000'000, 'b')), far_too_large),
        ask("body: the type says nothing of it", with_body("POST", "/echo/x", "abc", "Content-Type: image/png\r\n"),
            whole("abc")),
        ask("body: no type", with_body("POST", "/echo/x", "abc"), whole("abc")),
        ask("body: an odd type", with_body("POST", "/echo/x", "abc", "Content-Type: ;;=,\r\n"), whole("abc")),
        slowly("body: in pieces, slowly", with_body("POST", "/echo/x", "0123456789abcdef0123456789"), 7,
               whole("0123456789abcdef0123456789")),
        slowly("body: a byte at a time", with_body("POST", "/echo/x", "0123456789"), 1, whole("0123456789")),
        slowly("body: in chunks, a byte at a time", chunked(chunk("abc") + chunk("defg") + chunk("")), 1,
               whole("abcdefg")),
        Case{.name = "body: sent after a while",
             .steps = {{.bytes = request("POST", "/echo/x", length("3"))},
                       {.kind = Step::Kind::pause, .time = 60ms},
                       {.bytes = "abc"}},
             .expected = {whole("abc")}},
        Case{.name = "body: the client stops sending behind it",
             .steps = {{.bytes = with_body("POST", "/echo/x", "abc")}, {.kind = Step::Kind::half_close}},
             // A half-closed connection is taken for a gone client by some.
             .expected = {{{200, closed}, {has("body=[abc]")}}},
             .use = Use::alone},

        ask("form: of a page", with_body("POST", "/echo/x", "limit=3&x=1", url_form_type),
            {{200}, {has("body=[limit=3&x=1]"), lacks("query.limit"), lacks("query.x")}}),
        ask("form: of a page, of 20 KB", with_body("POST", "/echo/x", long_form, url_form_type), whole(long_form)),
        ask("form: of a page, badly encoded", with_body("POST", "/echo/x", "%zz=%&&=&%00", url_form_type),
            whole("%zz=%&&=&%00")),
        ask("form: of a page, with NULs", with_body("POST", "/echo/x", "a=\0&\0=b"s, url_form_type),
            whole("a=\0&\0=b"s)),
        // Servers that read forms with files themselves hand on nothing, and may refuse one that is wrong.
        ask("form: with a file", with_body("POST", "/echo/x", form, form_type), {{200}}),
        ask("form: with a file, in chunks",
            request("POST", "/echo/x", form_type + "Transfer-Encoding: chunked\r\n", chunk(form) + chunk("")), {{200}}),
        ask("form: with a file and no boundary",
            with_body("POST", "/echo/x", form, "Content-Type: multipart/form-data\r\n"), {{200, 400}}),
        ask("form: with a file that does not end", with_body("POST", "/echo/x", form.substr(0, 60), form_type),
            {{200, 400}}),
        ask("form: with a boundary of 10 KB",
            with_body("POST", "/echo/x", form,
                      "Content-Type: multipart/form-data; boundary=" + repeated("b", 4000) + "\r\n"),
            {{200, 400}}),
        ask("form: with 2,000 parts",
            with_body("POST", "/echo/x",
                      repeated("--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n\r\n", 1200) + "--b--\r\n",
                      form_type),
            {{200, 400, 413}}),
        ask("form: with a file, one byte too large",
            with_body("POST", "/echo/x",
                      form.substr(0, form.size() - 7) + std::string(max_body_bytes + 1 - form.size(), 'f') +
                          "\r\n--b--\r\n",
                      form_type),
            {{413, 200, 400}}),

        ask("chunks: three", chunked(chunk("abc") + chunk("defg") + chunk("h") + chunk("")), whole("abcdefgh")),
        ask("chunks: none", chunked(chunk("")), whole("")),
        ask("chunks: a thousand", chunked(repeated(chunk("ab"), 1000) + chunk("")), whole(repeated("ab", 1000))),
        ask("chunks: of a size in upper case", chunked("A\r\n0123456789\r\n0\r\n\r\n"), whole("0123456789")),
        ask("chunks: of a size with zeros before it", chunked("0003\r\nabc\r\n000\r\n\r\n"), whole("abc")),
        ask("chunks: with extensions", chunked("3;name=value;other\r\nabc\r\n0;last\r\n\r\n"), whole("abc")),
        // Which few clients send: httplib refuses them.
        ask("chunks: with headers behind them", chunked("3\r\nabc\r\n0\r\nX-Late: 1\r\nX-Test: late\r\n\r\n"),
            {{200, 400}, whole("abc").checks}),
        ask("chunks: exactly as large as allowed", chunked(chunk(at_limit) + chunk("")), whole(at_limit)),
        ask("chunks: one byte too large", chunked(chunk(at_limit) + chunk("b") + chunk("")),
            {{413, closed}, {error(413, "65536 bytes")}}),
        ask("chunks: with NULs", chunked(chunk(bytes) + chunk("")), whole(bytes)),
        ask("chunks: the encoding in upper case",
            request("POST", "/echo/x", "Transfer-Encoding: CHUNKED\r\n", chunk("abc") + chunk("")), whole("abc")),
        // A server may want to know the length.
        ask("chunks: of a DELETE",
            request("DELETE", "/echo/x", "Transfer-Encoding: chunked\r\n", chunk("abc") + chunk("")),
            {{200, 411}, whole("abc").checks}),
        broken("chunks: a size that is none", chunked("zz\r\nabc\r\n0\r\n\r\n"), refused),
        broken("chunks: a size below 0", chunked("-3\r\nabc\r\n0\r\n\r\n"), refused),
        broken("chunks: a size of 2^64 + 3", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), refused),
        broken("chunks: a size near 2^64", chunked("fffffffffffffffe\r\nabc\r\n0\r\n\r\n"), refused),
        broken("chunks: a size near 2^63", chunked("7fffffffffffffff\r\nabc\r\n0\r\n\r\n"), refused),
        broken("chunks: an empty size", chunked("\r\nabc\r\n0\r\n\r\n"), refused),
        broken("chunks: a size of 100 KB of zeros", chunked(repeated("0", 100'000) + "3\r\nabc\r\n0\r\n\r\n"),
               {200, 400, 413, 431, closed}),
        broken("chunks: an extension of 100 KB", chunked("3;" + repeated("e", 100'000) + "\r\nabc\r\n0\r\n\r\n"),
               {200, 400, 413, 431, closed}),
        // httplib takes what it was told to, and then closes.
        broken("chunks: one longer than it says", chunked("3\r\nabcdef\r\n0\r\n\r\n"), {200, 400, 413, closed}),
        broken("chunks: no last one", chunked("3\r\nabc\r\n"), refused),
        broken("chunks: one that ends early", chunked("a\r\nabc"), refused),
        broken("chunks: 2,000 headers behind them",
               chunked("3\r\nabc\r\n0\r\n" + repeated("X-Late: 1\r\n", 2000) + "\r\n"), {200, 400, 413, 431, closed}),
        // Whoever takes the length, and whoever takes the chunks, must not see two requests here (RFC 9112, 6.1).
        broken(
            "chunks: with a length too",
            request("POST", "/echo/x", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunk("abc") + chunk("")),
            {200, 400, 411, 413, 501, closed}),
        broken("chunks: an encoding of another kind", request("POST", "/echo/x", "Transfer-Encoding: gzip\r\n", "abc"),
               {200, 400, 411, 501, closed}),
        broken("chunks: chunked twice",
               request("POST", "/echo/x", "Transfer-Encoding: chunked, chunked\r\n", chunk("abc") + chunk("")),
               {200, 400, 411, 501, closed}),
        broken("chunks: of HTTP/1.0",
               "POST /echo/x HTTP/1.0\r\nHost: contract.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("abc") +
                   chunk(""),
               {200, 400, 411, 501, 505, closed}),

        broken("length: larger than what comes", request("POST", "/echo/x", length("100"), "abc"), {400, 408, closed}),
        broken("length: nothing comes", request("POST", "/echo/x", length("100")), {400, 408, closed}),
        broken("length: below 0", request("POST", "/echo/x", length("-1"), "abc"), {400, 408, 411, 413, closed}),
        broken("length: no number", request("POST", "/echo/x", length("three"), "abc"), {400, 411, 413, 200, closed}),
        broken("length: with a sign", request("POST", "/echo/x", length("+3"), "abc"), {400, 411, 413, 200, closed}),
        broken("length: in hexadecimal", request("POST", "/echo/x", length("0x3"), "abc"),
               {400, 411, 413, 200, closed}),
        broken("length: with a fraction", request("POST", "/echo/x", length("3.0"), "abc"),
               {400, 411, 413, 200, closed}),
        broken("length: with a space in it", request("POST", "/echo/x", length("3 3"), "abc"),
               {400, 411, 413, 200, closed}),
        broken("length: empty", request("POST", "/echo/x", length(""), "abc"), {400, 411, 413, 200, closed}),
        broken("length: of 2^63 - 1", request("POST", "/echo/x", length("9223372036854775807"), "abc"),
               {400, 408, 413, closed}),
        broken("length: of 2^64 - 1", request("POST", "/echo/x", length("18446744073709551615"), "abc"),
               {400, 408, 413, closed}),
        broken("length: of 2^64 + 3", request("POST", "/echo/x", length("18446744073709551619"), "abc"),
               {400, 408, 413, closed}),
        broken("length: of 200 digits", request("POST", "/echo/x", length(repeated("9", 200)), "abc"),
               {400, 408, 413, closed}),
        broken("length: twice the same", request("POST", "/echo/x", length("3") + length("3"), "abc"),
               {200, 400, closed}),
        broken("length: two, differing", request("POST", "/echo/x", length("3") + length("5"), "abcde"),
               {200, 400, 413, closed}),
        broken("length: a list", request("POST", "/echo/x", length("3, 3"), "abc"), {200, 400, 411, 413, closed}),

        asking_first("expect: to be asked for the body", length("3") + "Expect: 100-continue\r\n", "abc", whole("abc")),
        asking_first("expect: to be asked for chunks", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n",
                     chunk("abc") + chunk(""), whole("abc")),
        asking_first("expect: to be asked, in other letters", length("3") + "expect: 100-Continue\r\n", "abc",
                     {{200, 417}, {has("body=[abc]")}}),
        asking_first("expect: to be asked for a body that is too large",
                     length(std::to_string(over_limit.size())) + "Expect: 100-continue\r\n", over_limit, {{413, 417}}),
        asking_first("expect: something else", length("3") + "Expect: the-unexpected\r\n", "abc", {{200, 417}}),

        // A body where no method has one is not read by everybody; what is left of it is no request.
        Case{.name = "body: of a GET",
             .steps = {{.bytes = with_body("GET", "/echo/x", inner)}},
             .expected = {{{200, 400, 413}, {has("method=[GET]")}}}},
        Case{.name = "body: of a GET, sent later",
             .steps = {{.bytes = request("GET", "/echo/x", length(std::to_string(inner.size())))},
                       {.kind = Step::Kind::pause, .time = 30ms},
                       {.bytes = inner}},
             .expected = {{{200, 400, 413}, {has("method=[GET]")}}}},
        Case{
            .name = "body: of a GET, in chunks",
            .steps = {{.bytes = request("GET", "/echo/x", "Transfer-Encoding: chunked\r\n", chunk("abc") + chunk(""))}},
            .expected = {{{200, 400, 413}, {has("method=[GET]")}}}},
        Case{.name = "body: of a HEAD",
             .steps = {{.bytes = with_body("HEAD", "/echo/x", "abc")}},
             .expected = {{.statuses = {200, 400, 413}, .checks = {}, .has_body = HasBody::never}}},
        Case{.name = "body: of an OPTIONS",
             .steps = {{.bytes = with_body("OPTIONS", "/echo/x", "abc")}},
             .expected = {{{204, 400, 413}}}},
        // A server that decodes it must not be made to keep what comes out.
        broken("body: says that it is compressed, and is not",
               with_body("POST", "/echo/x", "abc", "Content-Encoding: gzip\r\n"), {200, 400, 415, closed}),
    };
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        cases.push_back(ask(std::string{"body: no length and none, "} + method, request(method, "/echo/x"), whole("")));
    }
    return cases;
}

} // namespace contract
