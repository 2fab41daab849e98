// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_SCHEDULE_TEXT_HPP
#define DAYBOOK_SCHEDULE_SCHEDULE_TEXT_HPP

/// @file
/// Any schedule as a text, and back: for configuration files, stores and requests.

#include <daybook/detail/schedule_parser.hpp>
#include <daybook/detail/schedule_text.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/time/time_zone.hpp>

#include <string>
#include <string_view>

namespace daybook::inline v0 {

/// The text that parse_schedule reads as an equal schedule: "0 9 * * 1-5 Europe/Berlin", "every 300s times 3",
/// "at 2026-01-31T09:00:00.000000Z", "0 9 * * * | 0 12 * * 6 dst skip", "never".
///
/// UTC is left out: read it with UTC as the zone of expressions that name none. Parentheses nest 16 deep.
/// What only the program knows has no such text, and says so: "own schedule", "at an instant of the steady clock",
/// "except own". The same holds for instants before the year 0 and after 9999, and zones that are files or rules of TZ.
[[nodiscard]] inline std::string to_string(const Schedule& schedule) { return detail::schedule_text(schedule); }

/// Reads a schedule from a text, words parted by blanks.
///
/// | words | |
/// |---|---|
/// | `*/5 9-17 * * MON-FRI Europe/Berlin` | a cron expression, its zone, then `days both`, `dst skip`, `dst twice` |
/// | `every 1h30m`, `every 30s after completion` | an interval; units `d h m s ms us ns` |
/// | `at 2026-01-31T09:00:00Z` | one instant, RFC 3339 |
/// | `never` | only when triggered |
/// | `from 2026-01-01T00:00:00Z`, `until …`, `times 3`, `jitter 30s`, `jitter 30s seed 7` | see Modifiable |
/// | `except SAT,--12-25,2026-12-27/2027-01-02[Europe/Berlin]` | days of a zone's calendar |
/// | `except {* * 12 * * * Europe/Berlin}` | the seconds that a cron expression names |
/// | `… &#124; ( … &#124; … ) until …` | a union, in parentheses as a whole; a modifier belongs to what is before it |
///
/// @param zone  Of cron expressions that name none.
/// @throws ScheduleError  The text is wrong; it names the column and what was expected there. For a cron expression it
///   is a CronError.
/// Complexity: O(length).
[[nodiscard]] inline Schedule parse_schedule(std::string_view text, TimeZone zone = {}) {
    return detail::ScheduleParser{text, zone}.parse();
}

} // namespace daybook::inline v0

#endif
