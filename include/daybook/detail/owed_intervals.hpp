// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_OWED_INTERVALS_HPP
#define DAYBOOK_DETAIL_OWED_INTERVALS_HPP

/// @file
/// Intervals as the steady clock drives them: when they begin, which have come by now, and which of those are late.

#include <daybook/detail/owed.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/schedule_kinds.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace daybook::inline v0::detail {

/// Both clocks at one moment, which puts instants of the steady clock on the wall clock.
struct Moment {
    sys_time wall;
    steady_time steady;

    [[nodiscard]] sys_time on_wall(steady_time instant) const noexcept {
        return wall - std::chrono::floor<std::chrono::microseconds>(steady - instant);
    }
};

/// When a nominal instant of the steady clock is due: then, or later where there is jitter.
[[nodiscard]] inline steady_time steady_due(const Schedule& schedule, steady_time nominal) noexcept {
    return saturating_add(nominal,
                          std::chrono::nanoseconds{schedule.limits().delay_of(nominal.time_since_epoch().count())});
}

/// When the interval of `schedule` is due for the first time. An interval that counts from an instant to come waits for
/// that on the wall clock, and goes on by the steady one.
[[nodiscard]] inline Owed first_interval(const Schedule& schedule, const Moment& now) {
    Owed first;
    const Every& every = *schedule.interval();
    const ScheduleLimits& limits = schedule.limits();
    if (limits.from && *limits.from > now.wall) {
        first.next = limits.from;
        return first;
    }
    steady_time nominal = saturating_add(now.steady, every.period());
    if (limits.from && !every.is_after_completion()) {
        const AnchoredInterval anchored{*limits.from, every.period()};
        const std::optional<sys_time> next = anchored.next(now.wall);
        if (!next) { return first; }
        nominal = now.steady + (*next - now.wall);
    }
    if (limits.until && now.on_wall(nominal) > *limits.until) { return first; }
    first.next_steady = nominal;
    return first;
}

/// How many occurrences the job may still have; empty: without end. For what `next` bounds by itself that is empty too.
[[nodiscard]] inline std::optional<std::uint64_t> occurrences_left(const Schedule& schedule, sys_time wall) {
    const ScheduleLimits& limits = schedule.limits();
    if (!limits.times || !limits.from) { return limits.times; }
    const Every* every = schedule.interval();
    if (every == nullptr) { return std::nullopt; }
    if (every->is_after_completion()) { return limits.times; }
    const std::uint64_t had = AnchoredInterval{*limits.from, every->period()}.count_until(wall);
    return *limits.times - std::min(*limits.times, had);
}

/// Those of a fixed rate, by arithmetic where every instant of it counts.
/// @param nominal    The instant that has come.
/// @param keep_late  How many of the late ones are wanted one by one.
/// @param left       How many there may still be.
[[nodiscard]] inline Owed owed_intervals(const Schedule& schedule, steady_time nominal, const Moment& now,
                                         std::chrono::nanoseconds tolerance, std::size_t keep_late,
                                         std::uint64_t left = std::numeric_limits<std::uint64_t>::max()) {
    const Every& every = *schedule.interval();
    const ScheduleLimits& limits = schedule.limits();
    const bool one_by_one = !limits.except.empty() || limits.jitter.count() != 0;
    const Every::Step step = every.next_steady(nominal, now.steady);
    const std::uint64_t count = step.missed + 1;
    const auto nth = [&](std::uint64_t index) { return nominal + static_cast<std::int64_t>(index) * every.period(); };
    keep_late = std::min<std::size_t>(keep_late, most_counted);
    Owed owed;
    std::uint64_t taken = 0;
    std::uint64_t index = 0;
    const auto is_over = [&](steady_time at) {
        return taken == left || (limits.until && now.on_wall(at) > *limits.until);
    };
    const auto take_late = [&](steady_time at, steady_time due) {
        ++taken;
        owed.add_late(now.on_wall(at), now.on_wall(due), keep_late);
    };
    if (!one_by_one && count > most_counted) {
        // All but the last are counted as late, and need no look but for the first and the last of them.
        std::uint64_t bulk = std::min(count - most_on_time, left);
        if (limits.until) {
            const auto room = std::chrono::nanoseconds{*limits.until - now.on_wall(nominal)} / every.period();
            bulk = std::min(bulk, room < 0 ? 0 : static_cast<std::uint64_t>(room) + 1);
        }
        for (; index < std::min<std::uint64_t>(bulk, keep_late); ++index) { take_late(nth(index), nth(index)); }
        if (bulk > index) {
            owed.late_count += bulk - index - 1;
            taken += bulk - index - 1;
            index = bulk;
            take_late(nth(bulk - 1), nth(bulk - 1));
        }
    } else if (count > most_walked) {
        owed.is_minimum = true;
        index = count - most_walked;
    }
    steady_time due = steady_time::min();
    for (; index < count && !is_over(nth(index)); ++index) {
        if (limits.excludes(now.on_wall(nth(index)))) { continue; }
        due = std::max(due, steady_due(schedule, nth(index))); // not before the one that precedes it
        if (due > now.steady) { break; }                       // it waits for its jitter, and the others behind it
        if (now.steady - due > tolerance) {
            take_late(nth(index), due);
        } else {
            ++taken;
            owed.add_on_time(now.on_wall(nth(index)), keep_late);
        }
    }
    // The first that is still to come, over the days on which the schedule rests.
    steady_time next = index < count ? nth(index) : step.due;
    for (std::uint32_t refused = 0; !is_over(next); ++refused) {
        const sys_time wall = now.on_wall(next);
        if (!limits.excludes(wall)) {
            owed.next_steady = next;
            break;
        }
        if (wall > saturating_add(now.wall, search_horizon)) { break; }
        const auto rest = std::chrono::nanoseconds{limits.rests_until(wall) - wall};
        const std::int64_t periods = (rest - std::chrono::nanoseconds{1}) / every.period() + 1;
        next = saturating_add(next, periods * every.period());
        refuse_endless_exceptions(refused);
    }
    return owed;
}

/// The one that a single instant of the steady clock, or an interval after completion, has come to.
[[nodiscard]] inline Owed owed_single(const Schedule& schedule, steady_time nominal, const Moment& now,
                                      std::chrono::nanoseconds tolerance) {
    const ScheduleLimits& limits = schedule.limits();
    const sys_time wall = now.on_wall(nominal);
    Owed owed;
    if (limits.until && wall > *limits.until) { return owed; }
    if (limits.excludes(wall)) { // an interval: an instant of the steady clock has no exceptions
        const std::chrono::nanoseconds rest = limits.rests_until(wall) - wall;
        owed.next_steady = saturating_add(now.steady, std::max(rest, schedule.interval()->period()));
        return owed;
    }
    const steady_time due = steady_due(schedule, nominal);
    if (now.steady - due > tolerance) {
        owed.add_late(wall, now.on_wall(due), 1);
    } else {
        owed.add_on_time(wall, 1);
    }
    return owed;
}

} // namespace daybook::inline v0::detail

#endif
