// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_MODIFIABLE_HPP
#define DAYBOOK_SCHEDULE_MODIFIABLE_HPP

/// @file
/// What every schedule can be narrowed by: `from`, `until`, `times`, `jitter`, `except`.

#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>

namespace daybook::inline v0 {

class Calendar;
class Schedule;

/// Base of `Cron`, `Every`, `At` and `Schedule`. Each member returns a new schedule and leaves this one as it is; in
/// which order they are called makes no difference. They need <daybook/schedule/schedule.hpp>.
///
/// ```cpp
/// cron("0 9 * * MON-FRI", "Europe/Berlin").except(holidays).until(end_of_contract).jitter(30s)
/// every(5min).from(midnight).times(12)
/// ```
template <class Self>
class Modifiable {
public:
    /// None earlier than `first`, which may be one. An interval counts from there: its first occurrence is `first`
    /// itself, also where that is past, and the others are whole periods after it.
    /// @throws std::invalid_argument  It is later than `until`, or the schedule is an instant of the steady clock.
    template <class Duration>
    [[nodiscard]] Schedule from(std::chrono::sys_time<Duration> first) const;

    /// None later than `last`, which may be one. Nominal times count, not what jitter makes of them.
    /// @throws std::invalid_argument  It is earlier than `from`, or the schedule is an instant of the steady clock.
    template <class Duration>
    [[nodiscard]] Schedule until(std::chrono::sys_time<Duration> last) const;

    /// The first `count` occurrences, run or skipped: from the instant of `from` on, or where there is none, from when
    /// a scheduler takes the job up. What the calendar of `except` leaves out does not count.
    /// @throws std::invalid_argument  `count` is 0.
    [[nodiscard]] Schedule times(std::uint64_t count) const;

    /// Each occurrence is due later than its nominal time by 0 to `at_most`, to spread load. How much is decided by a
    /// hash of the nominal time and the job's id: the same in every process and on every machine, but for intervals,
    /// whose instants are those of one machine's steady clock. Rounded up to microseconds. Records keep the nominal
    /// time; drift therefore includes the delay. An occurrence is never due before the one that precedes it.
    /// @throws std::invalid_argument  `at_most` is negative.
    [[nodiscard]] Schedule jitter(std::chrono::nanoseconds at_most) const;

    /// The same by a seed of the program's own in place of the job's id.
    [[nodiscard]] Schedule jitter(std::chrono::nanoseconds at_most, std::uint64_t seed) const;

    /// Rests whenever `calendar` contains the nominal time: that is no occurrence, and leaves no record. Called again,
    /// both calendars hold. A function that excludes a million occurrences in a row ends the schedule with an error.
    /// @throws std::invalid_argument  The schedule is an instant of the steady clock.
    [[nodiscard]] Schedule except(Calendar calendar) const;

    friend constexpr bool operator==(const Modifiable&, const Modifiable&) noexcept = default;
};

} // namespace daybook::inline v0

#endif
