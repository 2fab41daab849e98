// SPDX-License-Identifier: MIT

/// @file
/// Any bytes as a file of a time zone; those that do not begin as one does, as a rule of the TZ variable.

#include "require.hpp"

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_parser.hpp>
#include <daybook/detail/cron_zone_search.hpp>
#include <daybook/detail/posix_tz.hpp>
#include <daybook/detail/tzif.hpp>
#include <daybook/detail/zone_data.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace {

using daybook::detail::CronClockRules;
using daybook::detail::CronFields;
using daybook::detail::ZoneData;
using daybook::detail::ZoneSpan;
using fuzz::require;

constexpr std::int64_t since_ever = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t for_good = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t last_second = for_good / 1'000'000; // of sys_time

CronFields fields_of(std::string_view text) {
    CronFields fields;
    require(daybook::detail::CronParser{text, fields}.parse().column == 0, "the fuzzer's own expressions are right");
    return fields;
}

ZoneSpan check_span(const ZoneData& zone, std::int64_t at) {
    const ZoneSpan span = zone.span_near(at);
    require(span.begin <= at && (at < span.end || span.end == for_good), "a stretch holds the instant asked for");
    require(span.offset > -25 * 3600 && span.offset < 26 * 3600, "offsets lie between -25 and 26 hours");
    const ZoneSpan same = zone.span_at(at);
    require(same.begin == span.begin && same.end == span.end && same.offset == span.offset, "the hint changes nothing");
    if (span.end != for_good) {
        const ZoneSpan next = zone.span_at(span.end);
        require(next.begin == span.end && next.before == span.offset && next.offset == span.after,
                "a stretch ends where the next begins");
    }
    if (span.begin != since_ever) {
        const ZoneSpan previous = zone.span_at(span.begin - 1);
        require(previous.end == span.begin && previous.offset == span.before, "a stretch begins where the last ends");
    }
    return span;
}

void check_cron(const ZoneData& zone, std::int64_t after) {
    static const CronFields schedules[] = {fields_of("30 2 * * *"), fields_of("*/7 * * * * *"), fields_of("0 0 29 2 *"),
                                           fields_of("30 2 * 3 7L")};
    for (const CronFields& fields : schedules) {
        for (const CronClockRules rules : {CronClockRules{.move_out_of_gap = true, .only_first = true},
                                           CronClockRules{.move_out_of_gap = true, .only_first = false},
                                           CronClockRules{.move_out_of_gap = false, .only_first = true},
                                           CronClockRules{.move_out_of_gap = false, .only_first = false}}) {
            const std::int64_t next = daybook::detail::next_in_zone(fields, rules, zone, after);
            require(next > after, "next(t) > t in any zone");
            if (next > last_second) { continue; } // nothing, or beyond sys_time
            require(daybook::detail::previous_in_zone(fields, rules, zone, next + 1) == next,
                    "what next finds, previous finds from after it");
        }
    }
}

void check(const ZoneData& zone, fuzz::Numbers& numbers) {
    constexpr std::int64_t year = 31'556'952;
    std::int64_t at = since_ever;
    for (int i = 0; i < 64; ++i) { // the first stretches one by one
        at = check_span(zone, at).end;
        if (at == for_good) { break; }
        if (at > -last_second && at < last_second) { check_cron(zone, at + numbers.between(-90'000, 90'000)); }
    }
    for (int i = 0; i < 32; ++i) {
        const std::int64_t reach = i < 16 ? 300 * year : i < 24 ? 30'000 * year : last_second;
        check_span(zone, numbers.between(-reach, reach));
        if (i % 4 == 0) { check_cron(zone, numbers.between(-reach, reach)); }
    }
    for (const std::int64_t edge : {-last_second, last_second - 1, zone.settled_at(), zone.settled_at() + 1}) {
        if (edge < -last_second || edge >= last_second) { continue; }
        check_span(zone, edge);
        check_cron(zone, edge);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    fuzz::Numbers numbers{data, size};
    if (bytes.starts_with("TZif")) {
        std::unique_ptr<ZoneData> zone;
        try {
            zone = daybook::detail::TzifReader{bytes, "fuzz"}.read();
        } catch (const std::invalid_argument& error) {
            require(std::string_view{error.what()}.starts_with("time zone 'fuzz' cannot be read: "),
                    "a refusal names the zone and the reason");
            return 0;
        }
        check(*zone, numbers);
        return 0;
    }
    const std::string_view text = bytes.ends_with('\n') ? bytes.substr(0, size - 1) : bytes;
    if (const auto rule = daybook::detail::PosixTzParser{text}.parse(); rule) {
        ZoneData zone{"fuzz", rule->standard};
        rule->extend(zone, 1900, since_ever);
        zone.build_index();
        check(zone, numbers);
    }
    return 0;
}
