// SPDX-License-Identifier: MIT
#include <daybook/detail/position_set.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <iterator>
#include <random>
#include <set>

using daybook::detail::PositionSet;

TEST_CASE("an empty set has nothing up to any position") {
    const PositionSet set{200};
    CHECK(set.last_up_to(0) == PositionSet::nothing);
    CHECK(set.last_up_to(199) == PositionSet::nothing);
    CHECK_FALSE(set.contains(0));
}

TEST_CASE("a position counts as its own predecessor") {
    PositionSet set{200};
    set.insert(64);
    CHECK(set.last_up_to(63) == PositionSet::nothing);
    CHECK(set.last_up_to(64) == 64);
    CHECK(set.last_up_to(65) == 64);
    CHECK(set.last_up_to(199) == 64);
}

TEST_CASE("a position counts as its own successor") {
    PositionSet set{200};
    set.insert(127);
    CHECK(set.first_from(0) == 127);
    CHECK(set.first_from(127) == 127);
    CHECK(set.first_from(128) == PositionSet::nothing);
    set.insert(128);
    CHECK(set.count_around(100) == 1);
    CHECK(set.count_around(130) == 1);
    CHECK(set.count_around(0) == 0);
}

TEST_CASE("a set of one position holds it") {
    PositionSet set{1};
    set.insert(0);
    CHECK(set.last_up_to(0) == 0);
    set.erase(0);
    CHECK(set.last_up_to(0) == PositionSet::nothing);
}

TEST_CASE("a predecessor is found across every level of the summary") {
    constexpr std::uint32_t size = 64 * 64 * 64 + 1;
    PositionSet set{size};
    set.insert(0);
    CHECK(set.last_up_to(size - 1) == 0);
    set.insert(size - 1);
    CHECK(set.last_up_to(size - 2) == 0);
    CHECK(set.last_up_to(size - 1) == size - 1);
    set.erase(0);
    CHECK(set.last_up_to(size - 2) == PositionSet::nothing);
}

TEST_CASE("a position set agrees with std::set whatever is inserted and erased") {
    for (const std::uint32_t size : {1U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 70'000U, 300'000U}) {
        for (std::uint32_t seed = 1; seed <= 5; ++seed) {
            INFO("size " << size << ", seed " << seed);
            std::mt19937 random{seed};
            const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
            PositionSet set{size};
            std::set<std::uint32_t> reference;
            // Crowded in one place and sparse elsewhere: both the first level and the summaries are walked.
            const std::uint32_t crowd = 1 + below(size);
            bool agrees = true;
            for (int step = 0; step < 3000; ++step) {
                const std::uint32_t position = below(below(4) == 0 ? size : crowd);
                if (below(5) < 2) {
                    set.insert(position);
                    reference.insert(position);
                } else {
                    set.erase(position);
                    reference.erase(position);
                }
                const std::uint32_t asked = below(size);
                const auto after = reference.upper_bound(asked);
                const std::uint32_t expected = after == reference.begin() ? PositionSet::nothing : *std::prev(after);
                agrees = agrees && set.last_up_to(asked) == expected;
                const auto from = reference.lower_bound(asked);
                agrees = agrees && set.first_from(asked) == (from == reference.end() ? PositionSet::nothing : *from);
                agrees = agrees && set.contains(asked) == reference.contains(asked);
            }
            REQUIRE(agrees);
        }
    }
}
