// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_CLOCK_HPP
#define DAYBOOK_DETAIL_LOG_CLOCK_HPP

/// @file
/// Both time lines for the price of one reading.

#include <daybook/time/wall_clock.hpp>
#include <daybook/types.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

#if defined(__linux__)
#include <time.h>
#endif

namespace daybook::inline v0::detail {

/// How far the wall clock is ahead of the steady one, remembered for a millisecond: the kernel moves its own coarse
/// clocks no more often. Where nobody sets the wall clock, the two differ by the same always, but for what a slewed
/// clock gains in that time, 0.5 ns.
///
/// @par Thread safety
/// Safe. Who reads while another thread learns gets what was known before, or what is known now.
class WallOffset {
public:
    /// Whether what was learnt still holds at this instant.
    [[nodiscard]] bool holds_at(steady_time now) const noexcept {
        // Unsigned: what is before it was learnt is beyond its end as well.
        const auto since = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                           static_cast<std::uint64_t>(learnt_at_.load(std::memory_order_acquire));
        return since < static_cast<std::uint64_t>(lifetime.count());
    }

    /// @pre It holds.
    [[nodiscard]] sys_time wall_at(steady_time now) const noexcept {
        const std::chrono::nanoseconds ahead{ahead_.load(std::memory_order_relaxed)};
        return sys_time{std::chrono::floor<std::chrono::microseconds>(now.time_since_epoch() + ahead)};
    }

    void learn(steady_time now, std::chrono::nanoseconds ahead) noexcept {
        ahead_.store(ahead.count(), std::memory_order_relaxed);
        learnt_at_.store(now.time_since_epoch().count(), std::memory_order_release);
    }

private:
    static constexpr std::chrono::nanoseconds lifetime = std::chrono::milliseconds{1};

    std::atomic<std::int64_t> ahead_{0};
    std::atomic<std::int64_t> learnt_at_{INT64_MIN}; // nobody records within a millisecond of it
};

/// Reads the clock of a log.
class LogClock {
public:
    [[nodiscard]] ClockReading read(const AnyClock& clock) noexcept {
#if defined(__linux__)
        if (clock.is_system()) {
            const steady_time now = clock.steady_now();
            if (offset_.holds_at(now) || learn(now)) { return {offset_.wall_at(now), now}; }
        }
#endif
        return clock.read();
    }

private:
#if defined(__linux__)
    /// The coarse clocks differ by the same as the fine ones, and reading them costs little; see SystemClock::read.
    bool learn(steady_time now) noexcept {
        const auto wall_before = of(CLOCK_REALTIME_COARSE);
        const auto steady_between = of(CLOCK_MONOTONIC_COARSE);
        if (wall_before != of(CLOCK_REALTIME_COARSE)) { return false; } // a tick or a step has come between
        offset_.learn(now, wall_before - steady_between);
        return true;
    }

    static std::chrono::nanoseconds of(clockid_t clock) noexcept {
        timespec time{};
        clock_gettime(clock, &time);
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    }
#endif

    WallOffset offset_;
};

} // namespace daybook::inline v0::detail

#endif
