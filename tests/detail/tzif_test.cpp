// SPDX-License-Identifier: MIT

/// @file
/// What a hostile file may cost. What a file means is in tests/time/time_zone_test.cpp.

#include <daybook/detail/cron_parser.hpp>
#include <daybook/detail/cron_zone_search.hpp>
#include <daybook/detail/tzif.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using daybook::detail::CronFields;
using daybook::detail::TzifReader;
using daybook::detail::ZoneData;

std::string big_endian(std::uint64_t value, unsigned size) {
    std::string bytes;
    for (unsigned i = size; i-- > 0;) { bytes += static_cast<char>(value >> (8 * i) & 0xFFU); }
    return bytes;
}

std::string header(std::size_t transitions, std::size_t types) {
    std::string bytes = "TZif2" + std::string(15, '\0');
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{0}, std::size_t{0}, transitions, types, std::size_t{0}}) {
        bytes += big_endian(count, 4);
    }
    return bytes;
}

/// As many transitions as 1 MiB holds, `step` seconds apart, the clocks forward and back by turns as far as they go.
std::string largest_file(std::int64_t step) {
    constexpr std::size_t count = ((std::size_t{1} << 20U) - 200) / 9;
    std::string bytes = header(0, 0) + header(count, 2);
    for (std::size_t i = 0; i < count; ++i) {
        bytes += big_endian(static_cast<std::uint64_t>(1'700'000'000 + static_cast<std::int64_t>(i) * step), 8);
    }
    for (std::size_t i = 0; i < count; ++i) { bytes += static_cast<char>(i % 2); }
    bytes += big_endian(static_cast<std::uint64_t>(-89'999), 4) + std::string(2, '\0');
    bytes += big_endian(93'599, 4) + std::string(2, '\0');
    return bytes + "\nAAA0BBB,M3.5.0,M10.5.0\n";
}

CronFields fields_of(std::string_view text) {
    CronFields fields;
    REQUIRE(daybook::detail::CronParser{text, fields}.parse().column == 0);
    return fields;
}

/// Reads the file and asks for the next time of a few schedules; how long all that takes.
std::chrono::nanoseconds cost_of(const std::string& bytes) {
    const auto begin = std::chrono::steady_clock::now();
    const std::unique_ptr<ZoneData> zone = TzifReader{bytes, "Large"}.read();
    for (const char* const text : {"* * * * * *", "30 2 * * *", "0 0 29 2 *", "0 0 0 29 2 MON", "30 2 * 3 7L"}) {
        const CronFields fields = fields_of(text);
        for (const bool move : {false, true}) {
            for (const bool first : {false, true}) {
                for (const std::int64_t after : {std::int64_t{0}, std::int64_t{1'700'050'000}}) {
                    const daybook::detail::CronClockRules rules{.move_out_of_gap = move, .only_first = first};
                    CHECK(daybook::detail::next_in_zone(fields, rules, *zone, after) > after);
                }
            }
        }
    }
    return std::chrono::steady_clock::now() - begin;
}

} // namespace

TEST_CASE("the largest file with a transition in every second costs a moment") {
    CHECK(largest_file(1).size() < std::size_t{1} << 20U);
    CHECK(cost_of(largest_file(1)) < 2s);
}

TEST_CASE("the largest file with a transition in every hour costs a moment") {
    CHECK(cost_of(largest_file(3600)) < 2s);
}

TEST_CASE("the largest file with its transitions over thirty thousand years costs a moment") {
    CHECK(cost_of(largest_file(8'000'000)) < 2s);
}
