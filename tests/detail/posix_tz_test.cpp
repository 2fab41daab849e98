// SPDX-License-Identifier: MIT

/// @file
/// Rules that no country has, through the seam where the table of a rule repeats itself.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/posix_tz.hpp>
#include <daybook/detail/zone_data.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace {

using daybook::detail::days_from_civil;
using daybook::detail::PosixTz;
using daybook::detail::PosixTzParser;
using daybook::detail::seconds_per_cycle;
using daybook::detail::seconds_per_day;
using daybook::detail::ZoneData;
using daybook::detail::ZoneSpan;

std::unique_ptr<ZoneData> zone_of(std::string_view text) {
    const std::optional<PosixTz> rule = PosixTzParser{text}.parse();
    REQUIRE(rule.has_value());
    auto zone = std::make_unique<ZoneData>("Test", rule->standard);
    rule->extend(*zone, 1900, std::numeric_limits<std::int64_t>::min());
    zone->build_index();
    return zone;
}

std::int64_t second_of(std::int64_t year, unsigned month, unsigned day) {
    return days_from_civil(year, month, day) * seconds_per_day;
}

/// Where the stretches from 1920 to 3000 do not join, or differ from those 400 years later; empty where all is well.
std::string faults(const ZoneData& zone) {
    for (std::int64_t at = second_of(1920, 1, 1); at < second_of(3000, 1, 1);) {
        const ZoneSpan span = zone.span_at(at);
        const ZoneSpan later = zone.span_at(at + seconds_per_cycle);
        const std::string place = " at " + std::to_string(at);
        if (span.offset != later.offset || span.before != later.before || span.after != later.after) {
            return "a cycle that differs" + place;
        }
        if (span.end == ZoneSpan{}.end) { return later.end == span.end ? "" : "an end that comes later" + place; }
        if (later.end != span.end + seconds_per_cycle) { return "an end that differs" + place; }
        const ZoneSpan next = zone.span_at(span.end);
        if (next.begin != span.end || next.before != span.offset || next.offset != span.after) {
            return "a seam" + place;
        }
        at = span.end;
    }
    return "";
}

} // namespace

TEST_CASE("a rule repeats itself without a seam, however far its days lie apart") {
    for (const char* const text : {"CET-1CEST,M3.5.0,M10.5.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                                   "AAA0BBB,59/0,J60/1", "AAA0BBB,J60/1,59/0", "AAA0BBB,0/-167,365/167",
                                   "AAA24:59:59BBB-24:59:59,M3.5.0,M10.5.0", "AAA0BBB,M1.1.0/-167,M12.5.6/167"}) {
        INFO(text);
        CHECK(faults(*zone_of(text)) == "");
    }
}

TEST_CASE("daylight saving time that begins when it ends is for good") {
    const auto zone = zone_of("AAA0BBB,0/0,0/1");
    for (const std::int64_t year : {1950, 2026, 2310, 2711}) {
        const ZoneSpan span = zone->span_at(second_of(year, 6, 1));
        CHECK(span.offset == 3600);
        CHECK(span.begin == second_of(1900, 1, 1));
        CHECK(span.end == ZoneSpan{}.end);
    }
}

TEST_CASE("daylight saving time of a year and more is for good") {
    const auto zone = zone_of("AAA0BBB,J1/-167,J365/167");
    for (const std::int64_t year : {1950, 2026, 2310, 2711}) {
        CHECK(zone->span_at(second_of(year, 1, 1)).offset == 3600);
        CHECK(zone->span_at(second_of(year, 6, 1)).end == ZoneSpan{}.end);
    }
}
