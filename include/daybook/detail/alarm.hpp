// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ALARM_HPP
#define DAYBOOK_DETAIL_ALARM_HPP

/// @file
/// What a thread sleeps on that waits for the time: until an instant, until the clock is set, or until it is woken.

#include <daybook/detail/portable_alarm.hpp>
#include <daybook/types.hpp>

#if defined(__linux__)
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#endif

namespace daybook::inline v0::detail {

#if defined(__linux__)

/// Sleeps on two timerfds and an eventfd, which are exact to a few microseconds whatever the thread's timer slack is.
/// Where the process has no descriptors left it works as `PortableAlarm` does. Nothing throws.
///
/// The wall timer stays armed all the time, so that setting the wall clock (also: waking from suspend) ends the present
/// wait, or the next one, even if only steady instants are waited for (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
///
/// @par Thread safety
/// `wake`: safe from any thread. `sleep`, `wait`: one thread at a time. `set`: under a lock of the caller's, also while
/// that thread sleeps.
class Alarm {
public:
    Alarm() noexcept
        : wall_{::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)},
          steady_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)},
          wake_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
          is_exact_{wall_.fd >= 0 && steady_.fd >= 0 && wake_.fd >= 0} {}
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// Whether it has its descriptors; if not, it is a `PortableAlarm`.
    [[nodiscard]] bool is_exact() const noexcept { return is_exact_; }

    /// Returns when either instant has come, when the wall clock was set, or after `wake`; a wake before the wait ends
    /// it at once. May also return for no reason. No instant waits for that one; an instant too far to be told to the
    /// system is waited for in pieces.
    void wait(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        if (set(wall, steady)) { sleep(); }
    }

    /// Sets the instants that end the present sleep, or the next one.
    /// @returns False if that has to be done once more, after looking at the clock: it was set meanwhile.
    [[nodiscard]] bool set(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        if (!is_exact_) { return portable_.set(wall, steady); }
        const Armed armed = arm(wall, steady);
        is_armed_.store(armed != Armed::no, std::memory_order_relaxed);
        return armed != Armed::clock_was_set;
    }

    /// The rest of a wait; `set` goes before each.
    void sleep() noexcept {
        if (!is_exact_) { return portable_.sleep(); }
        auto expected = State::awake;
        if (state_.compare_exchange_strong(expected, State::asleep, std::memory_order_acq_rel)) {
            std::array<pollfd, 3> ready{pollfd{wall_.fd, POLLIN, 0}, pollfd{steady_.fd, POLLIN, 0},
                                        pollfd{wake_.fd, POLLIN, 0}};
            constexpr int look_again_ms = 1000;
            const int timeout = is_armed_.load(std::memory_order_relaxed) ? -1 : look_again_ms;
            if (::poll(ready.data(), ready.size(), timeout) > 0) {
                if (ready[0].revents != 0) { drain(wall_), has_wall_fired_.store(true, std::memory_order_relaxed); }
                if (ready[1].revents != 0) { has_steady_fired_.store(true, std::memory_order_relaxed); }
                if (ready[2].revents != 0) { drain(wake_); }
            }
        }
        state_.exchange(State::awake, std::memory_order_acq_rel);
    }

    /// Ends the present wait, or the next one if nobody waits. A few nanoseconds if the other thread is not asleep.
    void wake() noexcept {
        if (!is_exact_) { return portable_.wake(); }
        // Only a sleeper needs the descriptor; one that is awake finds the state before it goes to sleep. A sleeper
        // that wakes for another reason in between meets the write in its next wait, which is one spurious return.
        if (state_.exchange(State::signalled, std::memory_order_acq_rel) == State::asleep) {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = ::write(wake_.fd, &one, sizeof one);
        }
    }

private:
    enum class State : std::uint8_t { awake, asleep, signalled };
    enum class Armed : std::uint8_t { yes, clock_was_set, no };

    struct Descriptor {
        explicit Descriptor(int from) noexcept : fd{from} {}
        Descriptor(const Descriptor&) = delete;
        Descriptor& operator=(const Descriptor&) = delete;
        ~Descriptor() {
            if (fd >= 0) { ::close(fd); }
        }
        const int fd;
    };

    // Reading takes the readiness away, as does setting a timer anew; a wall timer answers ECANCELED when the clock was
    // set, which is an answer too.
    static void drain(const Descriptor& from) noexcept {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(from.fd, &count, sizeof count);
    }

    // The kernel reads zero as "disarm" and refuses what is negative; both are past, and so is one nanosecond.
    template <class Duration>
    static itimerspec one_shot(Duration since_epoch) noexcept {
        using namespace std::chrono;
        constexpr auto far = std::min<std::int64_t>(std::numeric_limits<std::time_t>::max(), 9'000'000'000);
        itimerspec spec{};
        if (since_epoch <= Duration::zero()) {
            spec.it_value.tv_nsec = 1;
        } else if (const auto whole = floor<seconds>(since_epoch); whole.count() >= far) {
            spec.it_value.tv_sec = static_cast<std::time_t>(far);
        } else {
            spec.it_value.tv_sec = static_cast<std::time_t>(whole.count());
            spec.it_value.tv_nsec = static_cast<long>(nanoseconds{since_epoch - whole}.count());
            if (whole.count() == 0 && spec.it_value.tv_nsec == 0) { spec.it_value.tv_nsec = 1; }
        }
        return spec;
    }

    Armed arm(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        auto result = Armed::yes;
        if (has_steady_fired_.exchange(false, std::memory_order_relaxed)) { steady_is_set_ = false; }
        if (has_wall_fired_.exchange(false, std::memory_order_relaxed)) { wall_set_to_ = {}; }
        if (steady != steady_set_to_ || !steady_is_set_) {
            const auto spec = steady ? one_shot(steady->time_since_epoch()) : itimerspec{};
            steady_is_set_ = ::timerfd_settime(steady_.fd, TFD_TIMER_ABSTIME, &spec, nullptr) == 0;
            if (!steady_is_set_) { result = Armed::no; }
            steady_set_to_ = steady;
        }
        const sys_time wall_target = wall.value_or(sys_time::max());
        if (wall_set_to_ != wall_target) {
            const auto spec = one_shot(wall_target.time_since_epoch());
            wall_set_to_ = wall_target;
            if (::timerfd_settime(wall_.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr) != 0) {
                wall_set_to_.reset();
                result = errno == ECANCELED ? Armed::clock_was_set : Armed::no;
            }
        }
        return result;
    }

    const Descriptor wall_;
    const Descriptor steady_;
    const Descriptor wake_;
    const bool is_exact_;
    std::atomic<State> state_{State::awake};
    std::atomic<bool> is_armed_{true};
    std::atomic<bool> has_wall_fired_{false};   // since it was set
    std::atomic<bool> has_steady_fired_{false}; // the same
    std::optional<sys_time> wall_set_to_;       // what the timer was last armed with; used by set only, as what follows
    std::optional<steady_time> steady_set_to_;
    bool steady_is_set_ = true;
    PortableAlarm portable_;
};

#else

using Alarm = PortableAlarm;

#endif

} // namespace daybook::inline v0::detail

#endif
