// SPDX-License-Identifier: MIT
#include <daybook/detail/entity_tag.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <set>
#include <string>

using daybook::detail::entity_tag;
using daybook::detail::is_tag_listed;

TEST_CASE("documents that differ in one byte have different tags, at any length") {
    std::set<std::string> tags;
    std::size_t made = 0;
    for (std::size_t length = 0; length < 100; ++length) {
        const std::string text(length, 'a');
        tags.insert(entity_tag(text));
        ++made;
        for (std::size_t at = 0; at < length; ++at) {
            auto other = text;
            other[at] = 'b';
            tags.insert(entity_tag(other));
            ++made;
        }
    }
    CHECK(tags.size() == made);
}

TEST_CASE("zeros at the end count") { CHECK(entity_tag(std::string(3, '\0')) != entity_tag(std::string(4, '\0'))); }

TEST_CASE("the same document has the same tag") {
    const std::string text(1000, 'x');
    CHECK(entity_tag(text) == entity_tag(std::string(1000, 'x')));
    CHECK(entity_tag(text).size() == 20);
    CHECK(entity_tag(text).substr(0, 3) == "W/\"");
}

TEST_CASE("a tag is found in a list as RFC 9110 has it") {
    CHECK(is_tag_listed("\"a\"", "\"a\""));
    CHECK(is_tag_listed("W/\"a\"", "\"a\""));
    CHECK(is_tag_listed("\"a\"", "W/\"a\""));
    CHECK(is_tag_listed("\"b\", W/\"a\"", "\"a\""));
    CHECK(is_tag_listed("\"b,c\",\"a\"", "\"a\""));
    CHECK(is_tag_listed("\"b,c\",\"a\"", "\"b,c\""));
    CHECK(is_tag_listed(" * ", "\"a\""));
    CHECK_FALSE(is_tag_listed("", "\"a\""));
    CHECK_FALSE(is_tag_listed("a", "\"a\""));
    CHECK_FALSE(is_tag_listed("\"a", "\"a\""));
    CHECK_FALSE(is_tag_listed("\"A\"", "\"a\""));
    CHECK_FALSE(is_tag_listed("\"\"", "\"a\""));
    CHECK_FALSE(is_tag_listed(",,,", "\"a\""));
}
