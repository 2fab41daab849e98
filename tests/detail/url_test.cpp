// SPDX-License-Identifier: MIT
#include <daybook/detail/url.hpp>

#include "support/catch.hpp"

#include <string>

using daybook::detail::encoded_segment;
using daybook::detail::percent_decode;
using daybook::detail::PlusSign;

TEST_CASE("escapes are decoded in either case") {
    CHECK(percent_decode("a%20b%2Fc%2f%C3%A9", PlusSign::is_itself) == std::string{"a b/c/é"});
}

TEST_CASE("a plus is a space in a query only") {
    CHECK(percent_decode("a+b%2B", PlusSign::is_space) == std::string{"a b+"});
    CHECK(percent_decode("a+b", PlusSign::is_itself) == std::string{"a+b"});
}

TEST_CASE("a text is one segment of a path, and comes back") {
    CHECK(encoded_segment("a-b.c_d~e09") == "a-b.c_d~e09");
    CHECK(encoded_segment("a/b?c#d e+%") == "a%2Fb%3Fc%23d%20e%2B%25");
    CHECK(encoded_segment("é\n\x7f") == "%C3%A9%0A%7F");
    CHECK(percent_decode(encoded_segment("a/b é+%"), PlusSign::is_itself) == std::string{"a/b é+%"});
}

TEST_CASE("a bad escape and a NUL are refused") {
    for (const auto* text : {"%", "%2", "%zz", "%2g", "a%", "%%", "%00", "% 1", "%-1"}) {
        INFO(text);
        CHECK_FALSE(percent_decode(text, PlusSign::is_space));
    }
    CHECK_FALSE(percent_decode(std::string_view{"a\0b", 3}, PlusSign::is_space));
}
