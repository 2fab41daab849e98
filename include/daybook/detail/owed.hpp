// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_OWED_HPP
#define DAYBOOK_DETAIL_OWED_HPP

/// @file
/// Which occurrences of a schedule have come by now, and which of them are late.

#include <daybook/schedule/schedule.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace daybook::inline v0::detail {

/// The occurrences from the one a job was waiting for up to now.
struct Owed {
    std::vector<sys_time> late = {};             ///< the oldest late ones, as many as were asked for
    std::uint64_t late_count = 0;                ///< all late ones
    bool is_minimum = false;                     ///< there are at least `late_count`; nobody counted further
    std::optional<sys_time> latest = {};         ///< the newest late one
    std::deque<sys_time> on_time = {};           ///< oldest first
    std::optional<sys_time> next = {};           ///< the first that is still to come, for what the wall clock drives
    std::optional<steady_time> next_steady = {}; ///< the same for what the steady clock drives
    std::exception_ptr thrown = {};              ///< what ended the schedule; what had come until then stands
    std::string error = {};                      ///< the same in words, for who wants them
};

/// Late ones are counted up to here. After a wall clock that was set forward by years the rest is jumped over.
inline constexpr std::uint64_t most_counted = 10'000;

/// As many on-time occurrences are listed; a schedule that is due more often than that within the tolerance has the
/// rest counted as late.
inline constexpr std::size_t most_on_time = 1000;

/// The next occurrence; the program's own schedules are held to what they promise, or a job would be due for ever.
/// @throws std::logic_error  What `next` returned is not later than `after`. Else what it throws.
[[nodiscard]] inline std::optional<sys_time> next_occurrence(const Schedule& schedule, sys_time after) {
    const std::optional<sys_time> next = schedule.next(after);
    if (next && *next <= after) {
        throw std::logic_error{"next() returned an instant that is not later than the one it was given"};
    }
    return next;
}

/// The newest occurrence before `limit`, by bisection: the distance may be decades of seconds.
/// @param known  An occurrence before `limit`.
[[nodiscard]] inline sys_time latest_before(const Schedule& schedule, sys_time known, sys_time limit) {
    sys_time low = known; // what is next after it is before the limit, or it is the newest one itself
    sys_time high = limit;
    while (high - low > std::chrono::microseconds{1}) {
        const sys_time middle = low + (high - low) / 2;
        const std::optional<sys_time> next = next_occurrence(schedule, middle);
        if (next && *next < limit) {
            low = *next;
        } else {
            high = middle;
        }
    }
    const std::optional<sys_time> next = next_occurrence(schedule, low);
    return next && *next < limit ? *next : low;
}

/// @param due        The nominal time that has come.
/// @param tolerance  What is later than that is late.
/// @param keep_late  How many of the late ones are wanted one by one.
[[nodiscard]] inline Owed owed_occurrences(const Schedule& schedule, sys_time due, sys_time now,
                                           std::chrono::nanoseconds tolerance, std::size_t keep_late) {
    Owed owed;
    const sys_time punctual = now - std::chrono::ceil<std::chrono::microseconds>(tolerance);
    std::optional<sys_time> at = due;
    try {
        while (at && *at < punctual) {
            if (owed.late_count == most_counted) {
                owed.is_minimum = true;
                owed.latest = latest_before(schedule, *at, punctual);
                at = next_occurrence(schedule, punctual - std::chrono::microseconds{1});
                break;
            }
            if (owed.late.size() < keep_late) { owed.late.push_back(*at); }
            owed.latest = at;
            ++owed.late_count;
            at = next_occurrence(schedule, *at);
        }
        while (at && *at <= now) {
            if (owed.on_time.size() == most_on_time) {
                owed.latest = owed.on_time.front();
                if (owed.late.size() < keep_late) { owed.late.push_back(*owed.latest); }
                owed.on_time.pop_front();
                ++owed.late_count;
            }
            owed.on_time.push_back(*at);
            at = next_occurrence(schedule, *at);
        }
        owed.next = at;
    } catch (...) { owed.thrown = std::current_exception(); }
    return owed;
}

/// The same for a fixed rate, by arithmetic. Instants are put on the wall clock as of now.
[[nodiscard]] inline Owed owed_intervals(const Every& every, steady_time due, sys_time wall_now, steady_time now,
                                         std::chrono::nanoseconds tolerance, std::size_t keep_late) {
    const auto on_wall = [&](steady_time instant) {
        return wall_now - std::chrono::floor<std::chrono::microseconds>(now - instant);
    };
    Owed owed;
    const Every::Step step = every.next_steady(due, now);
    const std::uint64_t count = step.missed + 1;
    owed.next_steady = step.due;
    const std::chrono::nanoseconds lateness = now - (due + static_cast<std::int64_t>(count - 1) * every.period());
    const std::uint64_t punctual =
        lateness > tolerance ? 0 : static_cast<std::uint64_t>((tolerance - lateness) / every.period()) + 1;
    const std::uint64_t on_time = std::min({count, punctual, std::uint64_t{most_on_time}});
    owed.late_count = count - on_time;
    const std::uint64_t kept = std::min({owed.late_count, std::uint64_t{keep_late}, most_counted});
    for (std::uint64_t i = 0; i < kept; ++i) {
        owed.late.push_back(on_wall(due + static_cast<std::int64_t>(i) * every.period()));
    }
    if (owed.late_count != 0) {
        owed.latest = on_wall(due + static_cast<std::int64_t>(owed.late_count - 1) * every.period());
    }
    for (std::uint64_t i = owed.late_count; i < count; ++i) {
        owed.on_time.push_back(on_wall(due + static_cast<std::int64_t>(i) * every.period()));
    }
    return owed;
}

} // namespace daybook::inline v0::detail

#endif
