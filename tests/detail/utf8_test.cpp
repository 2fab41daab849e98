// SPDX-License-Identifier: MIT
#include <daybook/detail/utf8.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <string>
#include <string_view>

using daybook::detail::limited_copy;
using daybook::detail::limited_text;
using daybook::detail::utf8_floor;

TEST_CASE("a text is not cut within a character") {
    const std::string text = "aé世𝄞";
    CHECK(utf8_floor(text, 0) == 0);
    CHECK(utf8_floor(text, 1) == 1);
    CHECK(utf8_floor(text, 2) == 1);
    CHECK(utf8_floor(text, 3) == 3);
    CHECK(utf8_floor(text, 5) == 3);
    CHECK(utf8_floor(text, 6) == 6);
    CHECK(utf8_floor(text, 9) == 6);
    CHECK(utf8_floor(text, 10) == 10);
    CHECK(utf8_floor(text, 99) == 10);
}

TEST_CASE("bytes that are no text are cut where asked") { CHECK(utf8_floor(std::string(20, '\x80'), 10) == 10); }

TEST_CASE("a text within the limit is kept as it is") {
    CHECK(limited_text("hello", 5) == "hello");
    CHECK(limited_text("", 0).empty());
}

TEST_CASE("a text beyond the limit ends in a mark that says how long it was") {
    const auto cut = limited_text(std::string(5000, 'x'), 64);
    CHECK(cut.size() == 64);
    CHECK(cut.ends_with("xxx… [cut: 5000 bytes in all]"));
}

TEST_CASE("a mark never makes a text longer than the limit") {
    for (std::size_t limit = 0; limit < 100; ++limit) {
        INFO(limit);
        std::string text;
        while (text.size() < 120) { text += "世"; }
        const auto cut = limited_text(text, limit);
        CHECK(cut.size() <= limit);
        CHECK(utf8_floor(cut, cut.size()) == cut.size());
    }
}

TEST_CASE("of a text that is cut only the beginning is needed") {
    const std::string whole(5000, 'x');
    CHECK(limited_copy(std::string_view{whole}.substr(0, 64), 64, whole.size()) == limited_text(whole, 64));
    CHECK(limited_copy("hello", 5, 5) == "hello");
    const auto cut = limited_copy(whole, 64, whole.size());
    CHECK(cut.capacity() < 100);
}
