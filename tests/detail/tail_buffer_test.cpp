// SPDX-License-Identifier: MIT
#include <daybook/detail/tail_buffer.hpp>

#include "support/catch.hpp"

#include <random>
#include <string>

using daybook::detail::last_bytes;
using daybook::detail::TailBuffer;

TEST_CASE("a tail buffer keeps the last bytes, however they were cut into chunks") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int turn = 0; turn < 300; ++turn) {
        const std::size_t limit = random() % 40;
        TailBuffer buffer{limit};
        std::string all;
        for (auto chunks = random() % 12; chunks > 0; --chunks) {
            std::string chunk;
            for (auto length = random() % 60; length > 0; --length) {
                chunk += static_cast<char>('a' + static_cast<char>(random() % 26));
            }
            buffer.append(chunk);
            all += chunk;
        }
        REQUIRE(buffer.total() == all.size());
        REQUIRE(buffer.text() == last_bytes(all, limit, all.size()));
    }
}

TEST_CASE("the mark of a cut text counts within the limit") {
    const std::string text(1000, 'x');
    const auto cut = last_bytes(text, 100, text.size());
    CHECK(cut.size() == 100);
    CHECK(cut.starts_with("[cut: 1000 bytes in all] … x"));
}

TEST_CASE("a limit too small for the mark is filled with text") { CHECK(last_bytes("0123456789", 3, 10) == "789"); }

TEST_CASE("a text that fits is not marked") {
    CHECK(last_bytes("0123456789", 10, 10) == "0123456789");
    CHECK(last_bytes("", 0, 0).empty());
}

TEST_CASE("a cut text does not begin inside a UTF-8 sequence") {
    CHECK(last_bytes("aä", 1, 3).empty());
    CHECK(last_bytes("a€b", 3, 5) == "b");
    CHECK(last_bytes("a€b", 4, 5) == "€b");
}
