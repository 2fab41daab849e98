// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/policy/overlap.hpp>

using daybook::Overlap;

TEST_CASE("every overlap choice has a word that names it") {
    STATIC_REQUIRE(to_string(Overlap::skip) == "skip");
    STATIC_REQUIRE(to_string(Overlap::queue_one) == "queue_one");
    STATIC_REQUIRE(to_string(Overlap::queue_all) == "queue_all");
    STATIC_REQUIRE(to_string(Overlap::allow) == "allow");
    STATIC_REQUIRE(to_string(Overlap::cancel_running) == "cancel_running");
    for (auto choice :
         {Overlap::skip, Overlap::queue_one, Overlap::queue_all, Overlap::allow, Overlap::cancel_running}) {
        CHECK(daybook::parse_overlap(to_string(choice)) == choice);
    }
}

TEST_CASE("the default overlap choice is to skip") { STATIC_REQUIRE(Overlap{} == Overlap::skip); }

TEST_CASE("a word that names no overlap choice is nothing") {
    for (const auto* word : {"", "Skip", "skip ", "queue", "unknown"}) { CHECK_FALSE(daybook::parse_overlap(word)); }
}
