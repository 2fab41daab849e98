// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PORTABLE_ALARM_HPP
#define DAYBOOK_DETAIL_PORTABLE_ALARM_HPP

/// @file
/// An alarm clock from the standard library alone: what `Alarm` is where there is no timerfd, and what it falls back
/// to.

#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace daybook::inline v0::detail {

/// Sleeps on a condition variable. While it waits for a wall-clock instant it looks at the wall clock once a second, so
/// a clock that is set is noticed within a second; instants themselves are kept to the precision of the system's
/// timers.
///
/// @par Thread safety
/// `wake`: safe from any thread. `wait`: one thread at a time.
class PortableAlarm {
public:
    /// Returns when either instant has come, when the wall clock was set by more than 0.1 s while `wall` was given, or
    /// after `wake`; a wake before the wait ends it at once. May also return for no reason.
    void wait(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        using namespace std::chrono;
        std::unique_lock lock{mutex_};
        auto now = steady_clock::now();
        std::optional<sys_time> wall_expected;
        while (!woken_) {
            if (steady && now >= *steady) { return; }
            steady_time until = now + hours{1}; // in bounded pieces: no instant is too far to be added or converted
            if (steady) { until = std::min(until, *steady); }
            if (wall) {
                const sys_time wall_now = floor<microseconds>(system_clock::now());
                if (wall_now >= *wall) { return; }
                if (wall_expected && abs(wall_now - *wall_expected) > milliseconds{100}) { return; }
                until = std::min<steady_time>(until, now + (std::min(*wall, wall_now + seconds{1}) - wall_now));
                wall_expected = wall_now;
            }
            condition_.wait_until(lock, until);
            const auto before = now;
            now = steady_clock::now();
            if (wall_expected) { *wall_expected += floor<microseconds>(now - before); }
        }
        woken_ = false;
    }

    /// @name The parts of a wait
    /// As those of the alarm that this one stands in for, but for one thread.
    /// @{
    [[nodiscard]] bool set(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        wall_ = wall;
        steady_ = steady;
        return true;
    }
    void sleep() noexcept { wait(wall_, steady_); }
    [[nodiscard]] bool is_exact() const noexcept { return false; }
    /// @}

    /// Ends the present wait, or the next one if nobody waits.
    void wake() noexcept {
        {
            const std::scoped_lock lock{mutex_};
            woken_ = true;
        }
        condition_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool woken_ = false; // guarded by mutex_
    std::optional<sys_time> wall_;
    std::optional<steady_time> steady_;
};

} // namespace daybook::inline v0::detail

#endif
