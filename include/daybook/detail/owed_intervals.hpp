// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_OWED_INTERVALS_HPP
#define DAYBOOK_DETAIL_OWED_INTERVALS_HPP

/// @file
/// Intervals as the steady clock drives them: when they begin, which have come by now, and which of those are late.

#include <daybook/detail/moment.hpp>
#include <daybook/detail/owed.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/schedule_kinds.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/schedule/schedule_text.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace daybook::inline v0::detail {

/// When a nominal instant of the steady clock is due: then, or later where there is jitter.
[[nodiscard]] inline steady_time steady_due(const Schedule& schedule, steady_time nominal) noexcept {
    return saturating_add(nominal,
                          std::chrono::nanoseconds{schedule.limits().delay_of(nominal.time_since_epoch().count())});
}

/// An interval as it looks at one moment: which of its instants are occurrences, and when those are by the wall clock.
class IntervalView {
public:
    IntervalView(const Schedule& schedule, const Moment& now)
        : schedule_{schedule}, limits_{schedule.limits()}, period_{schedule.interval()->period()}, now_{now} {}

    /// The nominal time of an instant. The two clocks are read one after the other, which is a microsecond or two: what
    /// counts from an instant is on its grid where it is as near as that. Where the wall clock was set it is not.
    [[nodiscard]] sys_time nominal(steady_time at) const noexcept {
        const sys_time wall = now_.on_wall(at);
        if (!limits_.from || schedule_.interval()->is_after_completion()) { return wall; }
        using std::chrono::microseconds;
        const microseconds near =
            std::min<microseconds>(std::chrono::milliseconds{1}, std::chrono::floor<microseconds>(period_ / 4));
        const std::optional<sys_time> grid =
            AnchoredInterval{*limits_.from, period_}.next(saturating_subtract(wall, near + microseconds{1}));
        return grid && *grid <= saturating_add(wall, near) ? *grid : wall;
    }

    [[nodiscard]] bool is_beyond_until(steady_time at) const noexcept {
        return limits_.until && nominal(at) > *limits_.until;
    }

    [[nodiscard]] bool is_excluded(steady_time at) const {
        return !limits_.except.empty() && limits_.excludes(nominal(at));
    }

    /// How many periods after `at`, which is excluded, it may not be any more; at least one.
    [[nodiscard]] std::int64_t periods_of_rest(steady_time at) const {
        const sys_time wall = nominal(at);
        const std::chrono::nanoseconds rest = limits_.rests_until(wall) - wall;
        return (std::max(rest, std::chrono::nanoseconds{1}) - std::chrono::nanoseconds{1}) / period_ + 1;
    }

    /// The first occurrence from `at` on; empty when there is none.
    [[nodiscard]] std::optional<steady_time> first_from(steady_time at) const {
        const sys_time horizon = saturating_add(now_.wall, search_horizon);
        for (std::uint32_t refused = 0; !is_beyond_until(at); ++refused) {
            if (!is_excluded(at)) { return at; }
            if (nominal(at) > horizon) { return std::nullopt; }
            at = saturating_add(at, periods_of_rest(at) * period_);
            refuse_endless_exceptions(refused);
        }
        return std::nullopt;
    }

private:
    const Schedule& schedule_;
    const ScheduleLimits& limits_;
    std::chrono::nanoseconds period_;
    const Moment& now_;
};

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
        const std::optional<sys_time> next = AnchoredInterval{*limits.from, every.period()}.next(now.wall);
        if (!next) { return first; }
        nominal = saturating_add(now.steady, std::chrono::nanoseconds{*next - now.wall});
    }
    const IntervalView view{schedule, now};
    if (every.is_after_completion()) { // what it may rest for is found out when its time comes
        if (!view.is_beyond_until(nominal)) { first.next_steady = nominal; }
    } else {
        first.next_steady = view.first_from(nominal);
    }
    return first;
}

/// Whether a schedule, or what narrows it, is a callable of the program's own.
[[nodiscard]] inline bool is_own(const Schedule& schedule) {
    const std::string text = schedule_text(schedule);
    return text.find("own schedule") != std::string::npos || text.find("except own") != std::string::npos;
}

struct ScheduleCount {
    [[nodiscard]] static std::uint64_t until(const Schedule& schedule, sys_time wall) {
        return schedule.count_until(wall);
    }
};

/// How many occurrences the job may still have; empty: without end. For what `next` bounds by itself that is empty too.
[[nodiscard]] inline std::optional<std::uint64_t> occurrences_left(const Schedule& schedule, sys_time wall) {
    const ScheduleLimits& limits = schedule.limits();
    if (!limits.times || !limits.from) { return limits.times; }
    const Every* every = schedule.interval();
    if (every == nullptr) { return std::nullopt; }
    if (every->is_after_completion()) { return limits.times; }
    return *limits.times - ScheduleCount::until(schedule, wall);
}

/// Whether `times` of a schedule, or of a part of it, is counted from an instant.
[[nodiscard]] inline bool is_counted(const Schedule& schedule) {
    const ScheduleLimits& limits = schedule.limits();
    return (limits.times && limits.from) || std::ranges::any_of(schedule.parts(), is_counted);
}

/// Asks what a job with this schedule will be asked first, if that is to be counted: it is known then, and takes no
/// time under a lock. What is the program's own is not asked.
/// @throws TimesTooMany
inline void count_ahead(const Schedule& schedule, sys_time wall) {
    if (!is_counted(schedule) || is_own(schedule)) { return; }
    try {
        if (schedule.interval() != nullptr) {
            (void)occurrences_left(schedule, wall);
        } else {
            (void)schedule.next(wall);
        }
    } catch (const TimesTooMany&) { throw; } catch (const std::runtime_error&) {
    } // it ends the job's schedule, and is told there
}

/// What a fixed rate owes: by arithmetic where every instant of it counts, one by one where a calendar or jitter has a
/// say.
class IntervalAccount {
public:
    IntervalAccount(const Schedule& schedule, steady_time nominal, const Moment& now,
                    std::chrono::nanoseconds tolerance, std::size_t keep_late, std::uint64_t left)
        : schedule_{schedule},
          first_{nominal},
          now_{now},
          view_{schedule, now},
          tolerance_{tolerance},
          keep_late_{std::min<std::size_t>(keep_late, most_counted)},
          left_{left} {
        const Every::Step step = schedule.interval()->next_steady(nominal, now.steady);
        count_ = step.missed + 1;
        after_ = step.due;
    }

    [[nodiscard]] Owed settle() {
        try {
            const ScheduleLimits& limits = schedule_.limits();
            const bool one_by_one = !limits.except.empty() || limits.jitter.count() != 0;
            if (!one_by_one && count_ > most_counted) { take_bulk(); }
            walk();
            if (owed_.count() != left_) {
                owed_.next_steady = view_.first_from(index_ < count_ ? nth(index_) : after_);
            }
        } catch (...) { owed_.thrown = std::current_exception(); }
        return std::move(owed_);
    }

private:
    [[nodiscard]] steady_time nth(std::uint64_t index) const noexcept {
        return first_ + static_cast<std::int64_t>(index) * schedule_.interval()->period();
    }

    void take_late(steady_time at, steady_time due) {
        owed_.add_late(view_.nominal(at), now_.on_wall(due), keep_late_);
    }

    /// All but the last are counted as late, and need no look but for the first and the last of them.
    void take_bulk() {
        std::uint64_t bulk = std::min(count_ - most_on_time, left_);
        if (const auto& until = schedule_.limits().until; until && *until < now_.wall) {
            const std::chrono::nanoseconds room = *until - view_.nominal(first_); // shorter than what has passed
            const std::int64_t periods = room / schedule_.interval()->period();
            bulk = room < room.zero() ? 0 : std::min(bulk, static_cast<std::uint64_t>(periods) + 1);
        }
        const std::uint64_t listed = std::min<std::uint64_t>(bulk, keep_late_);
        for (; index_ < listed; ++index_) { take_late(nth(index_), nth(index_)); }
        if (bulk > index_) {
            owed_.late_count += bulk - index_ - 1;
            index_ = bulk;
            take_late(nth(bulk - 1), nth(bulk - 1));
        }
    }

    void walk() {
        steady_time due = steady_time::min();
        for (std::uint64_t looks = 0; index_ < count_ && owed_.count() != left_; ++looks) {
            const steady_time at = nth(index_);
            if (view_.is_beyond_until(at)) { break; }
            if (looks == most_walked && count_ - index_ > most_on_time) { // the rest is not worth the time
                owed_.is_minimum = true;
                index_ = count_ - most_on_time;
                continue;
            }
            if (view_.is_excluded(at)) {
                index_ += static_cast<std::uint64_t>(view_.periods_of_rest(at));
                continue;
            }
            due = std::max(due, steady_due(schedule_, at)); // not before the one that precedes it
            if (due > now_.steady) { break; }               // it waits for its jitter, and the others behind it
            if (saturating_difference(now_.steady, due) > tolerance_) {
                take_late(at, due);
            } else {
                owed_.add_on_time(view_.nominal(at), keep_late_);
            }
            ++index_;
        }
        if (index_ > count_) { after_ = nth(index_); } // it rests beyond now
    }

    const Schedule& schedule_;
    const steady_time first_;
    const Moment& now_;
    const IntervalView view_;
    const std::chrono::nanoseconds tolerance_;
    const std::size_t keep_late_;
    const std::uint64_t left_;
    std::uint64_t count_ = 0; // instants that have come
    steady_time after_{};     // the first that has not
    std::uint64_t index_ = 0; // of the next to look at
    Owed owed_ = {};
};

/// @param nominal    The instant that has come.
/// @param keep_late  How many of the late ones are wanted one by one.
/// @param left       How many there may still be.
[[nodiscard]] inline Owed owed_intervals(const Schedule& schedule, steady_time nominal, const Moment& now,
                                         std::chrono::nanoseconds tolerance, std::size_t keep_late,
                                         std::uint64_t left = std::numeric_limits<std::uint64_t>::max()) {
    return IntervalAccount{schedule, nominal, now, tolerance, keep_late, left}.settle();
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
    if (due > now.steady) { // it has waited for `from`, and waits for its jitter now
        owed.next_steady = nominal;
        return owed;
    }
    if (saturating_difference(now.steady, due) > tolerance) {
        owed.add_late(wall, now.on_wall(due), 1);
    } else {
        owed.add_on_time(wall, 1);
    }
    return owed;
}

} // namespace daybook::inline v0::detail

#endif
