// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_ZONE_SEARCH_HPP
#define DAYBOOK_DETAIL_CRON_ZONE_SEARCH_HPP

/// @file
/// The next and the previous instant that a cron expression means in a zone whose clocks change.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_search.hpp>
#include <daybook/detail/cron_search_back.hpp>
#include <daybook/detail/zone_data.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace daybook::inline v0::detail {

/// What becomes of local times that do not exist, and of those that come twice.
struct CronClockRules {
    bool move_out_of_gap = false; ///< to the first instant after it; else they are left out
    bool only_first = false;      ///< of two; else both
};

/// The first instant later than `after`, in seconds since 1970 UTC; no_match if there is none.
///
/// Local time is a staircase over UTC. Within a step the search is the one of next_local; at its end the match found
/// so far either lies in the gap, lies beyond it, or lies before a second edition of times that were there already.
[[nodiscard]] inline std::int64_t next_in_zone(const CronFields& fields, CronClockRules rules, const ZoneData& zone,
                                               std::int64_t after) noexcept {
    constexpr std::int64_t end_of_time = std::numeric_limits<std::int64_t>::max() / 1'000'000; // of sys_time, a second
    // What the clocks have left out for a whole cycle of calendar and zone, such as a time in the yearly gap, never is.
    const std::int64_t horizon = std::min(
        std::max(after, zone.settled_at()) + seconds_per_cycle + 366 * seconds_per_day, end_of_time + widest_offset);
    ZoneSpan span = zone.span_near(after);
    std::int64_t from = after + span.offset; // a match is later than this
    if (rules.only_first && span.before > span.offset && from < span.begin + span.before) {
        from = span.begin + span.before - 1;
    }
    std::int64_t match = next_local(fields, from);
    while (true) {
        if (match != no_match && match - span.offset < span.end) { return match - span.offset; }
        if (span.end == no_match) { return no_match; }
        if (span.after > span.offset) {
            const std::int64_t gap_end = span.end + span.after;
            if (match < gap_end) {
                if (rules.move_out_of_gap) { return span.end; }
                from = gap_end - 1;
                match = next_local(fields, from);
            }
        } else if (!rules.only_first && span.end + span.after - 1 < from) {
            from = span.end + span.after - 1;
            match = next_local(fields, from);
        }
        if (match > horizon) { return no_match; }
        // Steps that end long before the match neither hold it nor hide it.
        span = zone.span_at(match - 2 * widest_offset > span.end ? match - widest_offset : span.end);
    }
}

/// The first local time of a step that counts: under only_first, those that the step before had already do not.
[[nodiscard]] constexpr std::int64_t first_local_of(const ZoneSpan& span, CronClockRules rules) noexcept {
    if (span.begin == ZoneSpan{}.begin) { return span.begin; }
    return span.begin + (rules.only_first && span.before > span.offset ? span.before : span.offset);
}

/// The last instant earlier than `before`, in seconds since 1970 UTC; no_earlier_match if there is none.
///
/// The staircase downwards. `match` is always the last one below `limit`, and what next_in_zone would return is
/// returned: in a step the match itself, at the foot of a step after a gap what the gap held, and of what an overlap
/// brings twice the later edition first.
[[nodiscard]] inline std::int64_t previous_in_zone(const CronFields& fields, CronClockRules rules, const ZoneData& zone,
                                                   std::int64_t before) noexcept {
    constexpr std::int64_t since_ever = ZoneSpan{}.begin;
    constexpr std::int64_t one_year = 366 * seconds_per_day;
    ZoneSpan span = zone.span_near(before - 1);
    std::int64_t limit = before + span.offset;
    std::int64_t match = previous_local(fields, limit);
    bool may_skip_cycles = fields.any_year;
    while (true) {
        if (match != no_earlier_match && match >= first_local_of(span, rules)) { return match - span.offset; }
        if (span.begin == since_ever) { return no_earlier_match; }
        const std::int64_t last_step_end = span.begin + span.before; // in local time
        if (span.before < span.offset) {
            if (match >= last_step_end) { // in the gap
                if (rules.move_out_of_gap && match >= first_local_of(zone.span_at(span.begin - 1), rules)) {
                    return span.begin;
                }
                limit = last_step_end;
                match = previous_local(fields, limit);
            }
        } else if (limit < last_step_end) {
            limit = last_step_end;
            match = previous_local(fields, limit);
        }
        if (match == no_earlier_match) { return no_earlier_match; }
        if (may_skip_cycles && match < before - seconds_per_cycle - one_year) {
            // As in next_in_zone: what a whole cycle has left out did not come before in any that is like it.
            may_skip_cycles = false;
            if (const std::int64_t settled = zone.settled_at() + one_year; match > settled) {
                span = zone.span_at(settled);
                limit = span.end + span.offset;
                match = previous_local(fields, limit);
                continue;
            }
        }
        // Steps that begin long after the match neither hold it nor hide it.
        span = zone.span_at(match + 2 * widest_offset < span.begin ? match + widest_offset : span.begin - 1);
    }
}

} // namespace daybook::inline v0::detail

#endif
