// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_ZONE_SEARCH_HPP
#define DAYBOOK_DETAIL_CRON_ZONE_SEARCH_HPP

/// @file
/// The next instant that a cron expression means in a zone whose clocks change.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_search.hpp>
#include <daybook/detail/zone_data.hpp>

#include <cstdint>

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
    constexpr std::int64_t widest = 26 * 3600; // no offset is further from UTC
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
        if (match == no_match) { return no_match; }
        // Steps that end long before the match neither hold it nor hide it.
        span = zone.span_at(match - 2 * widest > span.end ? match - widest : span.end);
    }
}

} // namespace daybook::inline v0::detail

#endif
