// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/policy/misfire.hpp>

using daybook::Misfire;

TEST_CASE("every misfire choice has a word that names it") {
    STATIC_REQUIRE(to_string(Misfire::run_once) == "run_once");
    STATIC_REQUIRE(to_string(Misfire::skip) == "skip");
    STATIC_REQUIRE(to_string(Misfire::run_all) == "run_all");
    for (auto choice : {Misfire::run_once, Misfire::skip, Misfire::run_all}) {
        CHECK(daybook::parse_misfire(to_string(choice)) == choice);
    }
}

TEST_CASE("the default misfire choice is to run once") { STATIC_REQUIRE(Misfire{} == Misfire::run_once); }

TEST_CASE("a word that names no misfire choice is nothing") {
    for (const auto* word : {"", "Skip", "run", "unknown"}) { CHECK_FALSE(daybook::parse_misfire(word)); }
}
