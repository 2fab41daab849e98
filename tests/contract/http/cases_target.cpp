// SPDX-License-Identifier: MIT
#include "contract/http/contract_case.hpp"

#include <utility>

namespace contract {

using namespace std::string_literals;

namespace {

/// What a path parameter has to be, decoded.
[[nodiscard]] Expected word(std::string_view value) { return {{200}, {has("word=[" + std::string{value} + "]\n")}}; }

[[nodiscard]] Expected query_x(std::string_view value) {
    return {{200}, {has("query.x=[" + std::string{value} + "]\n")}};
}

} // namespace

/// The path and the query as they are sent, and as they must arrive: not touched by the server.
std::vector<Case> target_cases() {
    const Expected not_found{{404}, {lacks("root:")}};
    const Expected bad_path{{400}, {error(400, "the path is not properly percent-encoded")}};
    const Expected bad_x{{400}, {error(400, "x is not properly percent-encoded")}};
    // Servers have limits of their own, and each its own way to say so.
    const std::vector<int> too_long{414, 400, 413, 431, closed};
    // Nothing that HTTP allows in a request line: a server may refuse it, or hand it on as it is.
    const std::vector<int> not_http{400, 200, 404, 501, 505, closed};

    std::vector<Case> cases{
        get("target: arrives as it was sent", "/echo/a%20b?x=1+2%26&y",
            {{200},
             {has("target=[/echo/a%20b?x=1+2%26&y]"), has("word=[a b]"), has("query.x=[1 2&]"), has("query.y=[]")}}),
        get("target: an encoded slash belongs to its segment", "/echo/a%2Fb", word("a/b")),
        get("target: an encoded slash in lower case", "/echo/a%2fb", word("a/b")),
        get("target: only an encoded slash", "/echo/%2F", word("/")),
        get("target: an encoded slash before another segment", "/echo/a%2Fb/c",
            {{200}, {has("word=[a/b]\n"), has("more=[c]\n")}}),
        get("target: two parameters", "/echo/a/b", {{200}, {has("word=[a]\n"), has("more=[b]\n")}}),
        get("target: a plus in the path is one", "/echo/a+b", word("a+b")),
        get("target: an encoded plus in the path", "/echo/a%2Bb", word("a+b")),
        get("target: a semicolon in the path", "/echo/a;b=1", word("a;b=1")),
        get("target: a comma and a colon in the path", "/echo/a,b:c@d!e", word("a,b:c@d!e")),
        get("target: brackets and a bar", "/echo/[a]%7C%7B%7D", word("[a]|{}")),
        get("target: an encoded percent sign is decoded once", "/echo/%2541", word("%41")),
        get("target: an encoded question mark and hash", "/echo/a%3Fb%23c", word("a?b#c")),
        get("target: letters beyond ASCII, encoded", "/echo/t%C3%A4glich", word("t\\xc3\\xa4glich")),
        get("target: bad UTF-8, encoded", "/echo/%FF%FE%C0%80", word("\\xff\\xfe\\xc0\\x80")),
        get("target: an encoded line break", "/echo/a%0D%0AX-Evil:%20b",
            {{200}, {has("word=[a\\x0d\\x0aX-Evil: b]"), no_header("X-Evil")}}),
        get("target: an encoded letter of a written-out segment", "/%65cho/x", word("x")),
        get("target: letters that mean something in a pattern", "/a.b/c+d/(e)*", {{200}, {has("method=[GET]")}}),
        get("target: such letters mean themselves", "/aXb/ccd/e", not_found),
        get("target: a colon and a dollar sign in a route", "/:colon/$", {{200}, {has("method=[GET]")}}),
        get("target: a colon in a route stands for nothing else", "/x/$", not_found),
        get("target: one dot is a segment like any other", "/echo/.", word(".")),
        get("target: two dots are", "/echo/..", word("..")),
        get("target: encoded dots are", "/echo/%2e%2E", word("..")),
        get("target: dots lead nowhere", "/../../../../etc/passwd", {{404, 400}, {lacks("root:")}}),
        get("target: encoded dots lead nowhere", "/%2e%2e/%2e%2e/etc/passwd", {{404, 400}, {lacks("root:")}}),
        get("target: dots and encoded slashes lead nowhere", "/echo/..%2F..%2F..%2Fetc%2Fpasswd",
            {{200}, {has("word=[../../../etc/passwd]"), lacks("root:")}}),
        get("target: dots do not lead out of a path", "/api/executions/../ping", {{404, 400}, {lacks("pong")}}),
        get("target: two slashes at the beginning", "//echo/x", not_found),
        get("target: two slashes within", "/echo//x", not_found),
        get("target: a slash at the end", "/echo/x/", not_found),
        get("target: an empty parameter", "/echo/", not_found),
        get("target: no parameter", "/echo", not_found),
        get("target: upper case is something else", "/ECHO/x", not_found),
        get("target: one segment too many", "/echo/x/y/z", not_found),
        get("target: an execution that is a path too many", "/api/executions/1/x", not_found),
        get("target: a NUL, encoded", "/echo/a%00b", bad_path),
        get("target: only a NUL, encoded", "/echo/%00", bad_path),
        get("target: a percent sign at the end", "/echo/a%", bad_path),
        get("target: a percent sign and one digit", "/echo/a%4", bad_path),
        get("target: a percent sign and no digits", "/echo/%zz", bad_path),
        get("target: a percent sign, a digit and none", "/echo/%4g", bad_path),
        get("target: a percent sign and a sign", "/echo/%+1", bad_path),
        get("target: an escape as JavaScript once had it", "/echo/%u0041", bad_path),
        get("target: as proxies send it", "http://contract.test/echo/x?x=1",
            {{200}, {has("word=[x]\n"), has("query.x=[1]\n")}}),
        get("target: as proxies send it, and not here", "http://contract.test/nowhere", {{404}}),
        get("target: as proxies send it, of another scheme and host", "https://other.test:8443/echo/x", word("x")),
        broken("target: not a path", request("GET", "echo/x"), {400, 404, 501, closed}),
        broken("target: a fragment", request("GET", "/echo/x#y"), not_http),
        broken("target: bad UTF-8 in the path, as it is", request("GET", "/echo/\xff\xfe"), not_http),
        broken("target: bad UTF-8 in the query, as it is", request("GET", "/echo/x?x=\xff\xfe"), not_http),
        broken("target: a NUL as it is", request("GET", "/echo/a\0b"s), not_http),
        broken("target: a space in the path", request("GET", "/echo/a b"), not_http),
        broken("target: a space in the query", request("GET", "/echo/a?x=b c"), not_http),
        broken("target: a tab in the path", request("GET", "/echo/a\tb"), not_http),
        broken("target: quotes and angle brackets", request("GET", "/echo/\"<b>`\\^"), not_http),
        broken("target: empty", request("GET", ""), {400, 404, 501, 505, closed}),

        get("target: a path of 1 KB", "/echo/" + repeated("p", 1000), {{200}, {has("word_length=[1000]")}}),
        get("target: a path of 7 KB", "/echo/" + repeated("p", 7000), {{200}, {has("word_length=[7000]")}}),
        get("target: 2,000 escapes", "/echo/" + repeated("%41", 2000), {{200}, {has("word_length=[2000]")}}),
        get("target: 3,000 slashes", repeated("/", 3000), not_found),
        get("target: 3,000 segments", repeated("/a", 3000), not_found),
        broken("target: a path of 9 KB", request("GET", "/echo/" + repeated("p", 9000)), too_long),
        broken("target: a path of 100 KB", request("GET", "/echo/" + repeated("p", 100'000)), too_long),
        broken("target: a path of 1 MB", request("GET", "/echo/" + repeated("p", 1'000'000)), too_long),
        broken("target: a query of 1 MB", request("GET", "/echo/x?x=" + repeated("q", 1'000'000)), too_long),
        broken("target: a query of 1 MB of parameters", request("GET", "/echo/x?" + repeated("a=b&", 250'000)),
               too_long),
        broken("target: a query of 1 MB of escapes", request("GET", "/echo/x?x=" + repeated("%41", 330'000)), too_long),

        get("query: a plus is a space", "/echo/w?x=a+b", query_x("a b")),
        get("query: an encoded plus is one", "/echo/w?x=a%2Bb", query_x("a+b")),
        get("query: a semicolon parts nothing", "/echo/w?x=a;y=b", query_x("a;y=b")),
        get("query: a second equals sign belongs to the value", "/echo/w?x=a=b", query_x("a=b")),
        // Some servers refuse a second one.
        get("query: a question mark belongs to the value", "/echo/w?x=a?b", {{200, 400}, {has("query.x=[a?b]")}}),
        get("query: a slash belongs to the value", "/echo/w?x=/a/../b", query_x("/a/../b")),
        get("query: an address belongs to the value", "/echo/w?x=http://other.test/;y=1",
            query_x("http://other.test/;y=1")),
        get("query: encoded separators belong to the value", "/echo/w?x=a%26y%3Db%3Fc", query_x("a&y=b?c")),
        get("query: a name is decoded too", "/echo/w?%78=1", query_x("1")),
        get("query: an encoded percent sign is decoded once", "/echo/w?x=%2541", query_x("%41")),
        get("query: no value", "/echo/w?x", query_x("")),
        get("query: an empty value", "/echo/w?x=", query_x("")),
        get("query: an empty name", "/echo/w?=1", {{200}, {has("query.=[1]\n")}}),
        get("query: empty", "/echo/w?", {{200}, {has("target=[/echo/w?]\n")}}),
        get("query: nothing but separators", "/echo/w?&&&x=1&&", query_x("1")),
        get("query: begins with a second question mark", "/echo/w??x=1", {{200, 400}, {lacks("query.x=")}}),
        get("query: bad UTF-8, encoded", "/echo/w?x=%FF%C0%80", query_x("\\xff\\xc0\\x80")),
        get("query: an encoded line break", "/echo/w?x=a%0D%0Ab", query_x("a\\x0d\\x0ab")),
        get("query: what nobody knows is ignored", "/echo/w?x=1&_=170000&utm_source=x", query_x("1")),
        get("query: of 7 KB", "/echo/w?x=" + repeated("q", 7000), {{200}, {has("target_length=[7010]")}}),
        get("query: 100 parameters", "/echo/w?" + repeated("a=b&", 99) + "x=1", query_x("1")),
        get("query: 101 parameters", "/echo/w?" + repeated("a=b&", 100) + "x=1", {{400}, {error(400, "too many")}}),
        get("query: twice the same", "/echo/w?x=1&x=1", {{400}, {error(400, "x is given more than once")}}),
        get("query: twice, differing", "/echo/w?x=1&y=2&x=3", {{400}, {error(400, "x is given more than once")}}),
        get("query: twice, once encoded", "/echo/w?x=1&%78=2", {{400}, {error(400, "x is given more than once")}}),
        get("query: a NUL, encoded", "/echo/w?x=a%00", bad_x),
        get("query: a percent sign at the end", "/echo/w?x=a%", bad_x),
        get("query: a percent sign and one digit", "/echo/w?x=%4", bad_x),
        get("query: a percent sign and no digits", "/echo/w?x=%zz", bad_x),
        get("query: a bad escape in a name", "/echo/w?%zz=1", {{400}, {error(400, "the name of a query parameter")}}),
        get("query: a bad escape that nobody asks for", "/echo/w?x=1&other=%", {{400}, {error(400, "other is not")}}),
    };
    return cases;
}

} // namespace contract
