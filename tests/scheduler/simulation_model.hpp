// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_MODEL_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_MODEL_HPP

/// @file
/// What a job owes, told again in the plainest way: by walking its schedule from one instant to the next.

#include <daybook/job/job.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace simulation {

using daybook::steady_time;
using daybook::sys_time;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

/// What a settled job came to.
struct Settled {
    std::uint64_t late = 0;
    bool is_uncountable =
        false; ///< so many are late that the scheduler may stop counting; then `late` is an upper bound
    std::vector<sys_time> first_late{}; ///< the oldest late ones, as far as they were walked
    std::optional<sys_time> latest{};
    sys_time latest_due{};
    std::deque<sys_time> on_time{};

    [[nodiscard]] std::uint64_t count() const { return late + on_time.size(); }
};

/// Where a schedule stands: what it waits for, on which clock.
class Owing {
public:
    /// As many instants are walked; the scheduler has to count 10,000 of them.
    static constexpr std::uint64_t most_walked = 12'000;

    daybook::Schedule schedule{};
    std::optional<sys_time> wall{};      ///< nominal
    std::optional<steady_time> steady{}; ///< nominal
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
    bool has_thrown = false;

    [[nodiscard]] bool is_after_completion() const {
        return schedule.interval() != nullptr && schedule.interval()->is_after_completion();
    }
    [[nodiscard]] bool is_waiting() const { return wall || steady; }

    [[nodiscard]] steady_time due_of(steady_time nominal) const {
        return nominal + schedule.limits().delay_of(nominal.time_since_epoch().count());
    }

    /// The schedule begins to count.
    void begin(daybook::Schedule with, sys_time now, steady_time steady_now) {
        schedule = std::move(with);
        wall.reset();
        steady.reset();
        has_thrown = false;
        left = std::numeric_limits<std::uint64_t>::max();
        const auto& limits = schedule.limits();
        if (limits.times && (!limits.from || schedule.interval() != nullptr)) { left = *limits.times; }
        wait_for_first(now, steady_now);
        if (const auto* every = schedule.interval();
            every != nullptr && limits.times && limits.from && !every->is_after_completion() && *limits.from <= now) {
            for (sys_time at = *limits.from; at <= now && left != 0; at += micros(every->period())) {
                if (!limits.excludes(at)) { --left; }
            }
        }
        if (left == 0) {
            wall.reset();
            steady.reset();
        }
    }

    /// The first instant as both clocks say now; also what follows a wall clock that was set far back.
    void wait_for_first(sys_time now, steady_time steady_now) {
        wall.reset();
        steady.reset();
        const auto& limits = schedule.limits();
        if (const auto* every = schedule.interval()) {
            if (limits.from && *limits.from > now) {
                wall = limits.from;
                return;
            }
            steady_time first = steady_now + every->period();
            if (limits.from && !every->is_after_completion()) { // periods are whole microseconds here
                first =
                    steady_now + (*limits.from + ((now - *limits.from) / every->period() + 1) * every->period() - now);
            }
            if (!every->is_after_completion()) { // after completion that is found out when its time comes
                while (!is_beyond(first, now, steady_now) && limits.excludes(nominal(first, now, steady_now))) {
                    first += every->period();
                }
            }
            if (!is_beyond(first, now, steady_now)) { steady = first; }
        } else if (const auto* once = schedule.once()) {
            wall = once->wall();
            steady = once->steady();
        } else {
            wall = next_after(now);
        }
    }

    /// All that has come by now.
    Settled settle(sys_time now, steady_time steady_now, nanoseconds tolerance) {
        Settled settled;
        if (schedule.interval() == nullptr && wall) {
            settle_wall(now, tolerance, settled);
        } else {
            const bool has_come = wall && *wall <= now; // the instant that an interval counts from
            if (has_come) { steady = steady_now - (now - *std::exchange(wall, std::nullopt)); }
            if (has_come || (steady && due_of(*steady) <= steady_now)) {
                settle_steady(now, steady_now, tolerance, settled);
            }
        }
        while (settled.on_time.size() > 1000) { // what the scheduler lists one by one
            add_late(settled, settled.on_time.front(), settled.on_time.front());
            settled.on_time.pop_front();
        }
        if (left != std::numeric_limits<std::uint64_t>::max()) { left -= std::min(left, settled.count()); }
        if (left == 0) {
            wall.reset();
            steady.reset();
        }
        return settled;
    }

    static sys_time on_wall(steady_time instant, sys_time now, steady_time steady_now) {
        return now - std::chrono::floor<microseconds>(steady_now - instant);
    }

private:
    static microseconds micros(nanoseconds period) { return std::chrono::duration_cast<microseconds>(period); }

    /// What counts from an instant is on its grid, unless the wall clock was set.
    [[nodiscard]] sys_time nominal(steady_time at, sys_time now, steady_time steady_now) const {
        const sys_time wall_time = on_wall(at, now, steady_now);
        const auto* every = schedule.interval();
        const auto& from = schedule.limits().from;
        if (every == nullptr || every->is_after_completion() || !from) { return wall_time; }
        const microseconds period = micros(every->period());
        const microseconds near = std::min<microseconds>(std::chrono::milliseconds{1}, period / 4);
        const auto index = std::max<std::int64_t>(0, (wall_time - *from + period / 2) / period);
        const sys_time grid = *from + index * period;
        return std::chrono::abs(grid - wall_time) <= near ? grid : wall_time;
    }

    [[nodiscard]] bool is_beyond(steady_time at, sys_time now, steady_time steady_now) const {
        const auto& until = schedule.limits().until;
        return until && nominal(at, now, steady_now) > *until;
    }

    static void add_late(Settled& settled, sys_time nominal, sys_time due) {
        if (settled.first_late.size() < 200) { settled.first_late.push_back(nominal); }
        ++settled.late;
        settled.latest = nominal;
        settled.latest_due = due;
    }

    std::optional<sys_time> next_after(sys_time after) {
        try {
            return schedule.next(after);
        } catch (const std::exception&) {
            has_thrown = true;
            return std::nullopt;
        }
    }

    std::optional<sys_time> previous_before(sys_time before) const {
        try {
            return schedule.previous(before);
        } catch (const std::exception&) { return std::nullopt; } // then it is walked
    }

    void settle_wall(sys_time now, nanoseconds tolerance, Settled& settled) {
        const sys_time punctual = now - std::chrono::ceil<microseconds>(tolerance);
        const auto jitter = schedule.limits().jitter;
        sys_time due = sys_time::min();
        std::uint64_t walked = 0;
        while (wall && settled.count() != left) {
            due = std::max(due, schedule.due(*wall));
            if (due > now) { return; }
            if (due >= punctual) {
                settled.on_time.push_back(*wall);
            } else {
                add_late(settled, *wall, due);
            }
            if (settled.late > 10'000) { settled.is_uncountable = left > 1'000'000; }
            if (++walked == most_walked && settled.is_uncountable) { // goes on shortly before what may be on time
                const auto resume = previous_before(punctual - 2 * jitter - microseconds{1});
                if (resume && *resume > *wall) {
                    settled.late = std::uint64_t{1} << 60U;
                    wall = resume;
                    due = sys_time::min();
                    continue;
                }
            }
            wall = next_after(*wall);
        }
        if (settled.count() == left) { wall.reset(); }
    }

    void settle_steady(sys_time now, steady_time steady_now, nanoseconds tolerance, Settled& settled) {
        const auto& limits = schedule.limits();
        const auto* every = schedule.interval();
        wall.reset();
        const auto take = [&](steady_time at, steady_time due) {
            if (steady_now - due > tolerance) {
                add_late(settled, nominal(at, now, steady_now), on_wall(due, now, steady_now));
            } else {
                settled.on_time.push_back(nominal(at, now, steady_now));
            }
        };
        if (every == nullptr || every->is_after_completion()) {
            const steady_time only = *std::exchange(steady, std::nullopt);
            if (is_beyond(only, now, steady_now)) { return; }
            const sys_time at = on_wall(only, now, steady_now);
            if (limits.excludes(at)) {
                steady = steady_now + std::max<nanoseconds>(limits.rests_until(at) - at, every->period());
            } else if (due_of(only) > steady_now) {
                steady = only;
            } else {
                take(only, due_of(only));
            }
            return;
        }
        steady_time due = steady_time::min();
        const bool is_plain = limits.except.empty() && limits.jitter.count() == 0 && !limits.until;
        for (std::uint64_t walked = 0;; *steady += every->period(), ++walked) {
            if (is_plain && walked == 300 && *steady <= steady_now) { // from here by arithmetic
                const auto coming = static_cast<std::uint64_t>((steady_now - *steady) / every->period()) + 1;
                const std::uint64_t all = std::min(coming, left - settled.count());
                if (all > 3000 && coming - all < 3000) {
                    const std::uint64_t jump = std::min(all, coming - 2000);
                    settled.late += jump;
                    *steady += static_cast<std::int64_t>(jump) * every->period();
                    settled.latest = nominal(*steady - every->period(), now, steady_now);
                    settled.latest_due = *settled.latest;
                }
            }
            const bool has_come = *steady <= steady_now;
            if (settled.count() == left || is_beyond(*steady, now, steady_now)) {
                steady.reset();
                return;
            }
            if (limits.excludes(nominal(*steady, now, steady_now))) { continue; }
            due = std::max(due, due_of(*steady));
            if (!has_come || due > steady_now) { return; }
            take(*steady, due);
            settled.is_uncountable = !is_plain && walked >= 1'000'000;
        }
    }
};

} // namespace simulation

#endif
