// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_OWED_HPP
#define DAYBOOK_DETAIL_OWED_HPP

/// @file
/// Which occurrences of a schedule have come by now, and which of them are late.

#include <daybook/detail/saturate.hpp>
#include <daybook/detail/schedule_kinds.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace daybook::inline v0::detail {

/// Late ones are counted up to here. After a wall clock that was set forward by years the rest is jumped over.
inline constexpr std::uint64_t most_counted = 10'000;

/// As many are looked at one by one where each must be: because a calendar excludes some, or the number is bounded.
inline constexpr std::uint64_t most_walked = 1'000'000;

/// As many on-time occurrences are listed; a schedule that is due more often than that within the tolerance has the
/// rest counted as late.
inline constexpr std::size_t most_on_time = 1000;

/// The occurrences from the one a job was waiting for up to now. Instants are nominal ones unless they say otherwise.
struct Owed {
    std::vector<sys_time> late = {};             ///< the oldest late ones, as many as were asked for
    std::uint64_t late_count = 0;                ///< all late ones
    bool is_minimum = false;                     ///< there are at least `late_count`; nobody counted further
    std::optional<sys_time> latest = {};         ///< the newest late one
    sys_time latest_due = {};                    ///< when that one was due: later than its nominal time by its jitter
    std::list<sys_time> on_time = {};            ///< oldest first; an empty deque would take half a KiB
    std::optional<sys_time> next = {};           ///< the first that is still to come, for what the wall clock drives
    std::optional<steady_time> next_steady = {}; ///< the same for what the steady clock drives
    std::optional<std::uint64_t> left = {};      ///< of first ones: how many there may be at all; empty: without end
    std::optional<sys_time> accounted = {};      ///< of first ones: nothing up to then is owed
    std::exception_ptr thrown = {};              ///< what ended the schedule; what had come until then stands
    std::string error = {};                      ///< the same in words, for who wants them

    [[nodiscard]] std::uint64_t count() const noexcept { return late_count + on_time.size(); }

    void add_late(sys_time nominal, sys_time due, std::size_t keep) {
        if (late.size() < keep) { late.push_back(nominal); }
        latest = nominal;
        latest_due = due;
        ++late_count;
    }

    void add_on_time(sys_time nominal, std::size_t keep_late) {
        if (on_time.size() == most_on_time) {
            add_late(on_time.front(), on_time.front(), keep_late);
            on_time.pop_front();
        }
        on_time.push_back(nominal);
    }
};

/// @param nominal    The nominal time that has come.
/// @param tolerance  What is later than that is late.
/// @param keep_late  How many of the late ones are wanted one by one.
/// @param left       How many there may still be.
[[nodiscard]] inline Owed owed_occurrences(const Schedule& schedule, sys_time nominal, sys_time now,
                                           std::chrono::nanoseconds tolerance, std::size_t keep_late,
                                           std::uint64_t left = std::numeric_limits<std::uint64_t>::max()) {
    Owed owed;
    const sys_time punctual = saturating_subtract(now, std::chrono::ceil<std::chrono::microseconds>(tolerance));
    const std::uint64_t most = left < most_walked ? most_walked : most_counted;
    std::optional<sys_time> at = nominal;
    sys_time due = sys_time::min();
    try {
        while (at) {
            due = std::max(due, schedule.due(*at)); // not before the one that precedes it
            if (due > now) { break; }               // it waits for its jitter, and the others behind it
            if (due >= punctual) {
                owed.add_on_time(*at, keep_late);
            } else {
                owed.add_late(*at, due, keep_late);
            }
            if (owed.count() == left) { return owed; }
            // Those whose jitter may have kept them from being late are looked at one by one.
            const sys_time certain = saturating_subtract(punctual, schedule.limits().jitter);
            if (due < punctual && owed.late_count == most && *at < certain) {
                owed.is_minimum = true;
                // Not beyond `until`: what a schedule does there is nobody's business.
                sys_time limit = certain;
                if (const auto& until = schedule.limits().until; until && *until < limit) {
                    limit = *until + std::chrono::microseconds{1};
                }
                at = owed.latest = latest_by_next(*at, limit, [&](sys_time after) { return schedule.next(after); });
                owed.latest_due = due = std::max(due, schedule.due(*at));
            }
            at = schedule.next(*at);
        }
        owed.next = at;
    } catch (...) { owed.thrown = std::current_exception(); }
    return owed;
}

} // namespace daybook::inline v0::detail

#endif
