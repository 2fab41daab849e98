// SPDX-License-Identifier: MIT
#include <daybook/detail/process_group.hpp>

#include "support/catch.hpp"

#if !defined(_WIN32)

using daybook::detail::group_has_ended;
using daybook::detail::is_living_member;

TEST_CASE("a process that runs or sleeps is a living member of its group alone") {
    CHECK(is_living_member("42 (sleep) S 1 40 40 0 -1", 40));
    CHECK(is_living_member("42 (sleep) R 1 40 40 0 -1", 40));
    CHECK_FALSE(is_living_member("42 (sleep) S 40 41 40 0 -1", 40));
}

TEST_CASE("a zombie is no living member") { CHECK_FALSE(is_living_member("42 (sleep) Z 1 40 40 0 -1", 40)); }

TEST_CASE("a process may have any name") {
    CHECK(is_living_member("42 (a) Z 1 7 (b)) S 1 40 40", 40));
    CHECK_FALSE(is_living_member("42 (x) S 1 40 1) Z 1 40 40", 40));
}

TEST_CASE("what is no line of that file is no member") {
    CHECK_FALSE(is_living_member("", 40));
    CHECK_FALSE(is_living_member("42 (sleep)", 40));
    CHECK_FALSE(is_living_member("42 (sleep) S 1", 40));
}

TEST_CASE("one's own group has not ended") { CHECK_FALSE(group_has_ended(::getpgrp())); }

#endif
