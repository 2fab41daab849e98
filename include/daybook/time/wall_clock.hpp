// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TIME_WALL_CLOCK_HPP
#define DAYBOOK_TIME_WALL_CLOCK_HPP

/// @file
/// By which clock: the concept, the system's own clock, and the erased form that options carry.

#include <daybook/types.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#if defined(__linux__)
#include <time.h>
#endif

namespace daybook::inline v0 {

/// A clock with two time lines: `now()` is what people call the time and may be stepped; `steady_now()` never runs
/// backwards. Both may be called from any thread at once, and do not throw.
/// A scheduler reads it at any time, also under its own lock: `now` and `steady_now` must not call the scheduler.
template <class Clock>
concept wall_clock = std::copy_constructible<Clock> && requires(const Clock& clock) {
    { clock.now() } -> std::convertible_to<sys_time>;
    { clock.steady_now() } -> std::convertible_to<steady_time>;
};

/// A clock whose time passes only when a program says so. `on_change` registers a function that is called, on the
/// thread that moved the clock, after every move; it is called no more once the returned token is gone.
template <class Clock>
concept driven_clock = wall_clock<Clock> && requires(const Clock& clock, std::function<void()> wake) {
    { clock.on_change(std::move(wake)) } -> std::convertible_to<std::shared_ptr<void>>;
};

/// What both time lines say at one moment.
struct ClockReading {
    sys_time wall = {};
    steady_time steady = {};
};

/// The system's clocks: `std::chrono::system_clock` in whole microseconds and `std::chrono::steady_clock`.
struct SystemClock {
    [[nodiscard]] sys_time now() const noexcept {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] steady_time steady_now() const noexcept { return std::chrono::steady_clock::now(); }

    /// Both, for little more than the price of one: on Linux the two differ by what changes only when the wall clock is
    /// stepped, and their coarse forms, which read memory instead of a counter, differ by the same (clock_gettime(2)).
    [[nodiscard]] ClockReading read() const noexcept {
#if defined(__linux__)
        const steady_time steady = steady_now();
        const auto wall_before = of(CLOCK_REALTIME_COARSE);
        const auto steady_between = of(CLOCK_MONOTONIC_COARSE);
        if (wall_before == of(CLOCK_REALTIME_COARSE)) { // else a tick or a step has come between
            const auto since_epoch = steady.time_since_epoch() + (wall_before - steady_between);
            return {sys_time{std::chrono::floor<std::chrono::microseconds>(since_epoch)}, steady};
        }
#endif
        return {now(), steady_now()};
    }

private:
#if defined(__linux__)
    static std::chrono::nanoseconds of(clockid_t clock) noexcept {
        timespec time{};
        clock_gettime(clock, &time);
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    }
#endif
};

/// Any wall_clock, held by value behind one virtual call; copies share the clock they were made from.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class AnyClock {
public:
    /// The system's clocks. Nothing is allocated, and reading them takes no virtual call.
    AnyClock() noexcept = default;

    template <class Clock>
    requires(!std::same_as<Clock, AnyClock>)
        AnyClock(Clock clock) { // NOLINT(google-explicit-constructor): a clock is meant to be given as it is
        static_assert(wall_clock<Clock>, "Clock must be copyable and provide now() and steady_now(), both const");
        if constexpr (!std::same_as<Clock, SystemClock>) { self_ = std::make_shared<Model<Clock>>(std::move(clock)); }
    }

    [[nodiscard]] sys_time now() const noexcept { return self_ ? self_->now() : SystemClock{}.now(); }
    [[nodiscard]] steady_time steady_now() const noexcept {
        return self_ ? self_->steady_now() : SystemClock{}.steady_now();
    }

    /// Both at one moment; of a program's own clock, one after the other.
    [[nodiscard]] ClockReading read() const noexcept {
        return self_ ? ClockReading{self_->now(), self_->steady_now()} : SystemClock{}.read();
    }

    /// Whether time passes by itself; if not, waiting for it means waiting for `on_change`.
    [[nodiscard]] bool is_driven() const noexcept { return self_ && self_->is_driven(); }

    /// Whether it is SystemClock, whose instants the operating system can wait for.
    [[nodiscard]] bool is_system() const noexcept { return !self_; }

    /// See driven_clock; an empty token for a clock whose time passes by itself.
    [[nodiscard]] std::shared_ptr<void> on_change(std::function<void()> wake) const {
        return self_ ? self_->on_change(std::move(wake)) : nullptr;
    }

private:
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual sys_time now() const noexcept = 0;
        [[nodiscard]] virtual steady_time steady_now() const noexcept = 0;
        [[nodiscard]] virtual bool is_driven() const noexcept = 0;
        [[nodiscard]] virtual std::shared_ptr<void> on_change(std::function<void()> wake) const = 0;
    };

    template <class Clock>
    struct Model final : Interface {
        explicit Model(Clock from) : clock{std::move(from)} {}
        [[nodiscard]] sys_time now() const noexcept override { return clock.now(); }
        [[nodiscard]] steady_time steady_now() const noexcept override { return clock.steady_now(); }
        [[nodiscard]] bool is_driven() const noexcept override { return driven_clock<Clock>; }
        [[nodiscard]] std::shared_ptr<void> on_change([[maybe_unused]] std::function<void()> wake) const override {
            if constexpr (driven_clock<Clock>) {
                return clock.on_change(std::move(wake));
            } else {
                return {};
            }
        }
        Clock clock;
    };

    std::shared_ptr<const Interface> self_; ///< null: the system's clocks
};

} // namespace daybook::inline v0

#endif
