// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/http/http_url.hpp>

#include <stdexcept>
#include <string>

using daybook::http::allow_hosts;
using daybook::http::parse_http_url;
using daybook::http::resolve_http_url;
using daybook::http::UrlScheme;

namespace {

/// Why it is refused; empty: it is not.
std::string url_refusal(const std::string& text) {
    try {
        (void)parse_http_url(text);
    } catch (const std::invalid_argument& error) { return error.what(); }
    return {};
}

} // namespace

TEST_CASE("a URL is read into its parts") {
    const auto url = parse_http_url("https://API.Example.com:8443/v1/a%2Fb?x=1&y=/#part");
    CHECK(url.scheme == UrlScheme::https);
    CHECK(url.host == "api.example.com");
    CHECK(url.port == 8443);
    CHECK(url.target == "/v1/a%2Fb?x=1&y=/");
    CHECK(url.authority() == "api.example.com:8443");
    CHECK(url.origin() == "https://api.example.com:8443");
    CHECK(url.text() == "https://api.example.com:8443/v1/a%2Fb?x=1&y=/");
    CHECK(parse_http_url(url.text()) == url);
}

TEST_CASE("what a URL leaves out is filled in") {
    CHECK(parse_http_url("http://x").text() == "http://x/");
    CHECK(parse_http_url("HTTPS://x").port == 443);
    CHECK(parse_http_url("http://x").port == 80);
    CHECK(parse_http_url("http://x:80/").authority() == "x");
    CHECK(parse_http_url("http://x:443/").authority() == "x:443");
    CHECK(parse_http_url("http://x?y").target == "/?y");
    CHECK(parse_http_url("http://x#y").target == "/");
    CHECK(parse_http_url("http://x:00080").port == 80);
}

TEST_CASE("an IPv6 address stands in brackets") {
    const auto url = parse_http_url("http://[2001:DB8::1]:8080/a");
    CHECK(url.host == "2001:db8::1");
    CHECK(url.is_ipv6());
    CHECK(url.port == 8080);
    CHECK(url.authority() == "[2001:db8::1]:8080");
    CHECK(parse_http_url("http://[::ffff:127.0.0.1]").authority() == "[::ffff:127.0.0.1]");
    for (const auto* const text : {"http://[::1", "http://[]", "http://[1]", "http://[::1]x", "http://[::1%25eth0]/",
                                   "http://[x::y]/", "http://[::1]:", "http://::1/", "http://[127.0.0.1]/"}) {
        INFO(text);
        CHECK(!url_refusal(text).empty());
    }
}

TEST_CASE("a URL that two programs may read differently is refused, and not repeated") {
    for (const std::string text : {"",
                                   "x",
                                   "//x/geheim",
                                   "/geheim",
                                   "ftp://x/",
                                   "file:///etc/passwd",
                                   "javascript:alert(1)",
                                   "http:/x",
                                   "http:x",
                                   "http://",
                                   "http:///geheim",
                                   "http://:80/",
                                   "http://geheim@x/",
                                   "http://u:geheim@x/",
                                   "http://@x/",
                                   "http://allowed.test\\@x/",
                                   "http://x\\geheim",
                                   "http://x y/",
                                   "http://x/a b",
                                   "http://x/\r\nHost: y",
                                   "http://x/\t",
                                   "http://\xC3\xA4.test/",
                                   "http://x/\xC3\xA4",
                                   "http://x%2ey/",
                                   "http://x:/",
                                   "http://x:0/",
                                   "http://x:65536/",
                                   "http://x:-1/",
                                   "http://x:+80/",
                                   "http://x:80a/",
                                   "http://x:8 0/",
                                   "http://x:000080/",
                                   "http://.x/",
                                   "http://x./",
                                   "http://x..y/",
                                   "http://x/\x7f",
                                   "http://x,y/",
                                   "http://x;y/",
                                   "http://x'y/",
                                   " http://x/",
                                   "http://x/ ",
                                   "https//x",
                                   "httpss://x/",
                                   "http://x:80:80/"}) {
        INFO(text);
        const auto refusal = url_refusal(text);
        CHECK(!refusal.empty());
        CHECK(refusal.find("geheim") == std::string::npos);
    }
    CHECK(!url_refusal(std::string{"http://x/\0y", 11}).empty());
    CHECK(!url_refusal("http://x/" + std::string(8192, 'a')).empty());
    CHECK(!url_refusal("http://" + std::string(254, 'a')).empty());
    CHECK(url_refusal("http://x/" + std::string(8000, 'a')).empty());
}

TEST_CASE("a Location leads somewhere from where it was found") {
    const auto base = parse_http_url("https://x.test:444/a/b?c=/d");
    const auto to = [&](const std::string& location) { return resolve_http_url(base, location).text(); };
    CHECK(to("http://y.test/z") == "http://y.test/z");
    CHECK(to("HTTPS://y.test") == "https://y.test/");
    CHECK(to("//y.test/z") == "https://y.test/z");
    CHECK(to("/z?q") == "https://x.test:444/z?q");
    CHECK(to("z") == "https://x.test:444/a/z");
    CHECK(to("z/?u=http://y") == "https://x.test:444/a/z/?u=http://y");
    CHECK(to("?q") == "https://x.test:444/a/b?q");
    CHECK(to("#f") == "https://x.test:444/a/b?c=/d");
    CHECK(to("") == "https://x.test:444/a/b?c=/d");
    CHECK(to(".test@evil.test/") == "https://x.test:444/a/.test@evil.test/");
    CHECK_THROWS_AS(to("ftp://y.test/"), std::invalid_argument);
    CHECK_THROWS_AS(to("javascript:alert(1)"), std::invalid_argument);
    CHECK_THROWS_AS(to("//u@y.test/"), std::invalid_argument);
    CHECK_THROWS_AS(to("/a b"), std::invalid_argument);
    CHECK_THROWS_AS(to("\\\\y.test\\"), std::invalid_argument);
}

TEST_CASE("a list of hosts allows these and no others") {
    const auto allow = allow_hosts({"API.example.com", "127.0.0.1:8080", "[::1]", "[::2]:81"});
    const auto is_allowed = [&](const std::string& text) { return allow(parse_http_url(text)); };
    CHECK(is_allowed("http://api.example.com/x"));
    CHECK(is_allowed("https://api.EXAMPLE.com/x"));
    CHECK(is_allowed("https://api.example.com:443/"));
    CHECK(is_allowed("http://127.0.0.1:8080/"));
    CHECK(is_allowed("https://127.0.0.1:8080/"));
    CHECK(is_allowed("http://[::1]/"));
    CHECK(is_allowed("http://[::2]:81/"));

    CHECK(!is_allowed("http://api.example.com:8080/"));
    CHECK(!is_allowed("https://api.example.com:80/"));
    CHECK(!is_allowed("http://127.0.0.1/"));
    CHECK(!is_allowed("http://127.0.0.1:808/"));
    CHECK(!is_allowed("http://[::2]/"));
    CHECK(!is_allowed("http://example.com/"));
    CHECK(!is_allowed("http://x.api.example.com/"));
    CHECK(!is_allowed("http://api.example.com.evil.test/"));
    CHECK(!is_allowed("http://evilapi.example.com/"));
    CHECK(!is_allowed("http://api.example.co/"));
    CHECK(!is_allowed("http://evil.test/api.example.com"));
    CHECK(!is_allowed("http://evil.test/?api.example.com"));
    CHECK(!is_allowed("http://evil.test/#@api.example.com"));
    CHECK(!is_allowed("http://2130706433:8080/"));
    CHECK(!is_allowed("http://0x7f.1:8080/"));
    CHECK(!allow_hosts({})(parse_http_url("http://x/")));
}

TEST_CASE("an entry of such a list must be a host, with or without a port") {
    for (const auto* const entry : {"", "*", "*.example.com", "http://x", "x/", "x/y", "x?y", "u@x", "x:", "x:0",
                                    "x:65536", "::1", "[::1", "x y", "x.", "x:80:80"}) {
        INFO(entry);
        CHECK_THROWS_AS(allow_hosts({"fine", entry}), std::invalid_argument);
    }
}
