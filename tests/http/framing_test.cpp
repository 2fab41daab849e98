// SPDX-License-Identifier: MIT
#include <daybook/http/framing.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <string>

namespace http = daybook::http;

TEST_CASE("a body's end is not in doubt with one length, the same length twice, chunks, or no body") {
    CHECK_FALSE(http::has_doubtful_length({}));
    CHECK_FALSE(http::has_doubtful_length({{"Host", "x"}, {"Content-Length", "5"}}));
    CHECK_FALSE(http::has_doubtful_length({{"Content-Length", "5"}, {"content-length", "5"}}));
    CHECK_FALSE(http::has_doubtful_length({{"transfer-encoding", "Chunked"}}));
}

TEST_CASE("a body's end is in doubt when two headers tell of it") {
    CHECK(http::has_doubtful_length({{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}));
    CHECK(http::has_doubtful_length({{"transfer-encoding", "chunked"}, {"content-length", "5"}}));
    CHECK(http::has_doubtful_length({{"Content-Length", "5"}, {"Content-Length", "6"}}));
    CHECK(http::has_doubtful_length({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}));
}

TEST_CASE("a body's end is in doubt when a length is no number or the coding is not chunked alone") {
    for (const auto* length : {"", "-1", "+1", "5x", "5, 5", "0x5", " 5"}) {
        INFO("length: \"" << length << '"');
        CHECK(http::has_doubtful_length({{"Content-Length", length}}));
    }
    for (const auto* coding : {"", "gzip", "gzip, chunked", "chunked, identity", "xchunked"}) {
        INFO("coding: \"" << coding << '"');
        CHECK(http::has_doubtful_length({{"Transfer-Encoding", coding}}));
    }
}

TEST_CASE("a body's end is in doubt when its length is beyond what servers count to") {
    CHECK_FALSE(http::has_doubtful_length({{"Content-Length", "9223372036854775807"}}));
    CHECK_FALSE(http::has_doubtful_length({{"Content-Length", "000000000000000000000005"}}));
    CHECK(http::has_doubtful_length({{"Content-Length", "9223372036854775808"}}));
    CHECK(http::has_doubtful_length({{"Content-Length", "18446744073709551619"}}));
    CHECK(http::has_doubtful_length({{"Content-Length", std::string(200, '9')}}));
}

TEST_CASE("a body's end is in doubt when a header's name has a blank in it") {
    CHECK(http::has_doubtful_length({{"Transfer-Encoding ", "chunked"}}));
    CHECK(http::has_doubtful_length({{"Content-Length\t", "5"}}));
}

TEST_CASE("of a body one byte more is kept than is allowed") {
    std::string body;
    for (const auto* piece : {"ab", "", "cd", "efgh", "ij"}) { http::append_body(body, piece, 5); }
    CHECK(body == "abcdef");
    http::append_body(body, "ghi", static_cast<std::size_t>(-1));
    CHECK(body == "abcdefghi");
    http::append_body(body, "jkl", 2);
    CHECK(body == "abcdefghi");
}

TEST_CASE("a request whose end is in doubt is answered with 400 and the end of the connection") {
    const auto response = http::doubtful_length_response();
    CHECK(response.status == 400);
    REQUIRE(response.header("Connection") != nullptr);
    CHECK(*response.header("Connection") == "close");
}
