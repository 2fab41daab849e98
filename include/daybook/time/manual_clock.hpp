// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TIME_MANUAL_CLOCK_HPP
#define DAYBOOK_TIME_MANUAL_CLOCK_HPP

/// @file
/// A clock for tests: time stands still until the test moves it.

#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Two time lines under a program's control. Copies share their time: keep one, give one to the scheduler.
///
/// `advance` is time passing; `set` and `step` are somebody setting the wall clock while steady time goes on from where
/// it was.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member. What `on_change` registered runs on the thread that
/// moved the clock, outside the lock.
class ManualClock {
public:
    /// @param start  The first wall time; any precision, rounded down to microseconds. Steady time starts at one hour,
    ///               so that a program may look back.
    template <class Duration = std::chrono::microseconds>
    explicit ManualClock(std::chrono::sys_time<Duration> start = std::chrono::sys_days{std::chrono::January / 1 / 2024})
        : state_{std::make_shared<State>()} {
        state_->wall = std::chrono::floor<std::chrono::microseconds>(start);
    }

    [[nodiscard]] sys_time now() const {
        const std::scoped_lock lock{state_->mutex};
        return std::chrono::floor<std::chrono::microseconds>(state_->wall);
    }
    [[nodiscard]] steady_time steady_now() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->steady;
    }

    /// Lets time pass on both lines.
    /// @throws std::invalid_argument  `by` is negative: steady time cannot run backwards.
    void advance(std::chrono::nanoseconds by) {
        if (by < by.zero()) { throw std::invalid_argument{"ManualClock::advance: time cannot pass backwards"}; }
        change([&](State& state) {
            state.wall += by;
            state.steady += by;
        });
    }

    /// Sets the wall clock; steady time does not move.
    template <class Duration>
    void set(std::chrono::sys_time<Duration> to) {
        change([&](State& state) { state.wall = to; });
    }

    /// Moves the wall clock by an amount of either sign; steady time does not move.
    void step(std::chrono::nanoseconds by) {
        change([&](State& state) { state.wall += by; });
    }

    /// Calls `wake` after every change, until the returned token is destroyed.
    [[nodiscard]] std::shared_ptr<void> on_change(std::function<void()> wake) const {
        auto listener = std::make_shared<std::function<void()>>(std::move(wake));
        const std::scoped_lock lock{state_->mutex};
        std::erase_if(state_->listeners, [](const auto& entry) { return entry.expired(); });
        state_->listeners.push_back(listener);
        return listener;
    }

private:
    struct State {
        std::mutex mutex;
        std::chrono::sys_time<std::chrono::nanoseconds> wall{};           // guarded by mutex
        steady_time steady{std::chrono::hours{1}};                        // guarded by mutex
        std::vector<std::weak_ptr<std::function<void()>>> listeners = {}; // guarded by mutex
    };

    template <class Change>
    void change(Change&& apply) {
        std::vector<std::shared_ptr<std::function<void()>>> awake;
        {
            const std::scoped_lock lock{state_->mutex};
            apply(*state_);
            for (const auto& entry : state_->listeners) {
                if (auto listener = entry.lock()) { awake.push_back(std::move(listener)); }
            }
        }
        for (const auto& listener : awake) { (*listener)(); }
    }

    std::shared_ptr<State> state_;
};

} // namespace daybook::inline v0

#endif
