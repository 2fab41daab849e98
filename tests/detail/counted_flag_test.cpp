// SPDX-License-Identifier: MIT
#include <daybook/detail/counted_flag.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <utility>

using daybook::detail::CountedFlag;

TEST_CASE("a flag counts while it is set") {
    std::size_t counter = 0;
    CountedFlag one;
    CountedFlag other;
    one = true;
    one.count_in(counter); // it was set before
    other.count_in(counter);
    CHECK(counter == 1);
    other = true;
    other = true;
    CHECK(counter == 2);
    CHECK(std::exchange(one, false));
    CHECK(counter == 1);
    one = false;
    CHECK(counter == 1);
}

TEST_CASE("a flag that has left keeps its value and counts no more") {
    std::size_t counter = 0;
    CountedFlag flag;
    flag.count_in(counter);
    flag = true;
    flag.leave();
    CHECK(counter == 0);
    CHECK(flag);
    flag.leave();
    flag = false;
    flag = true;
    CHECK(counter == 0);
}
