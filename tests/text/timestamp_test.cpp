// SPDX-License-Identifier: MIT
#include <daybook/text/timestamp.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <limits>
#include <random>

using namespace std::chrono_literals;
using daybook::format_timestamp;
using daybook::parse_timestamp;
using daybook::sys_time;

TEST_CASE("a timestamp has six digits after the point and ends in Z") {
    const sys_time instant = std::chrono::sys_days{2024y / 1 / 15} + 10h + 30min + 123456us;
    CHECK(format_timestamp(instant) == "2024-01-15T10:30:00.123456Z");
    CHECK(format_timestamp(std::chrono::sys_days{2024y / 1 / 15} + 0us) == "2024-01-15T00:00:00.000000Z");
}

TEST_CASE("the day before the epoch and the leap day are written right") {
    CHECK(format_timestamp(sys_time{-1us}) == "1969-12-31T23:59:59.999999Z");
    CHECK(format_timestamp(std::chrono::sys_days{2024y / 2 / 29} + 23h + 59min + 59s + 0us) ==
          "2024-02-29T23:59:59.000000Z");
}

TEST_CASE("an instant that four digits cannot say is written as the nearest that they can") {
    CHECK(format_timestamp(sys_time{sys_time::duration::min()}) == "0000-01-01T00:00:00.000000Z");
    CHECK(format_timestamp(sys_time{sys_time::duration::max()}) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("every timestamp that is written reads back as the same instant") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::uniform_int_distribution<std::int64_t> micros{daybook::min_timestamp.time_since_epoch().count(),
                                                       daybook::max_timestamp.time_since_epoch().count()};
    for (int round = 0; round < 20'000; ++round) {
        const sys_time instant{std::chrono::microseconds{micros(random)}};
        const auto text = format_timestamp(instant);
        INFO(text);
        REQUIRE(text.size() == daybook::timestamp_length);
        REQUIRE(parse_timestamp(text) == instant);
    }
}

TEST_CASE("an offset, fewer and more digits, and lower case are understood") {
    const auto instant = parse_timestamp("2024-01-15T10:30:00Z");
    REQUIRE(instant);
    CHECK(parse_timestamp("2024-01-15t10:30:00z") == instant);
    CHECK(parse_timestamp("2024-01-15 12:30:00+02:00") == instant);
    CHECK(parse_timestamp("2024-01-15T05:00:00.0-05:30") == instant);
    CHECK(parse_timestamp("2024-01-15T10:30:00.1Z") == *instant + 100ms);
    CHECK(parse_timestamp("2024-01-15T10:30:00.1234569Z") == *instant + 123456us);
}

TEST_CASE("what is no date and time with a zone is refused") {
    for (const auto* text : {"",
                             "2024-01-15",
                             "2024-01-15T10:30:00",
                             "2024-01-15T10:30Z",
                             "2024-02-30T00:00:00Z",
                             "2023-02-29T00:00:00Z",
                             "2024-13-01T00:00:00Z",
                             "2024-00-01T00:00:00Z",
                             "2024-01-15T24:00:00Z",
                             "2024-01-15T10:60:00Z",
                             "2024-01-15T10:30:60Z",
                             "2024-01-15T10:30:00.Z",
                             "2024-01-15T10:30:00Zx",
                             "2024-01-15T10:30:00+0200",
                             "2024-01-15T10:30:00+24:00",
                             "2024-01-15T10:30:00+02:60",
                             "+2024-01-15T10:30:00Z",
                             "2024-1-15T10:30:00Z",
                             " 2024-01-15T10:30:00Z",
                             "2024-01-15T10:30:00 Z",
                             "2024-01-15T1O:30:00Z"}) {
        INFO(text);
        CHECK_FALSE(parse_timestamp(text));
    }
}

TEST_CASE("timestamps can be read by the compiler") {
    static_assert(parse_timestamp("1970-01-01T00:00:01Z") == sys_time{1s});
    static_assert(!parse_timestamp("1970-01-01"));
    SUCCEED();
}
