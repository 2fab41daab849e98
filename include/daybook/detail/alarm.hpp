// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ALARM_HPP
#define DAYBOOK_DETAIL_ALARM_HPP

/// @file
/// What the scheduler's timer thread sleeps on: until an instant, until the clock is set, or until somebody wakes it.

#include <daybook/detail/portable_alarm.hpp>
#include <daybook/types.hpp>

#if defined(__linux__)
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>
#include <optional>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#endif

namespace daybook::inline v0::detail {

#if defined(__linux__)

/// Sleeps on two timerfds, which are exact to a few microseconds whatever the thread's timer slack is. Where the
/// process has no descriptors left it works as `PortableAlarm` does. Nothing throws.
///
/// It has two seats. One belongs to the timer's own thread. On the other a thread that has nothing else to do may keep
/// the watch: when the time comes it is woken in the place of the first, which sleeps on unless nobody is on the watch
/// (epoll_ctl(2), EPOLLEXCLUSIVE). Both seats are edge-triggered: setting a timer takes its readiness away, so that
/// nothing has to be read.
///
/// The wall timer stays armed all the time, so that setting the wall clock (also: waking from suspend) ends the present
/// wait, or the next one, even if only steady instants are waited for (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
///
/// @par Thread safety
/// `wake`, `call_timer`, `call_watcher`: safe from any thread. `wait`, `look`, `sleep`: one thread at a time; `watch`:
/// another one at a time. `set`: under a lock of the caller.
class Alarm {
public:
    Alarm() noexcept
        : wall_{::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)},
          steady_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)},
          is_exact_{is_joined()} {}
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// Whether it has its descriptors; if not, it is a `PortableAlarm`, on which nobody can keep the watch.
    [[nodiscard]] bool is_exact() const noexcept { return is_exact_; }

    /// Returns when either instant has come, when the wall clock was set, or after `wake`; a wake before the wait ends
    /// it at once. May also return for no reason. No instant waits for that one; an instant too far to be told to the
    /// system is waited for in pieces.
    void wait(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        if (!is_exact_) { return portable_.wait(wall, steady); }
        if (is_woken_.exchange(false, std::memory_order_acq_rel)) { return; }
        if (set(wall, steady)) { sleep(); }
        is_woken_.exchange(false, std::memory_order_acq_rel);
    }

    /// Ends the present wait, or the next one if nobody waits. A few nanoseconds if that has been done already.
    void wake() noexcept {
        if (!is_exact_) { return portable_.wake(); }
        if (!is_woken_.exchange(true, std::memory_order_acq_rel)) { timer_seat_.call(); }
    }

    /// @name The parts of a wait
    /// `look` first, then see what is due, find out what to wait for, `set` it, and `sleep`.
    /// @{

    /// The timer's own thread is going to look what is due: from here on a `wake` ends its next sleep.
    void look() noexcept { is_woken_.exchange(false, std::memory_order_acq_rel); }

    /// Sets the instants that end the sleep.
    /// @returns False if there must be none: the wall clock was set in between.
    [[nodiscard]] bool set(std::optional<sys_time> wall, std::optional<steady_time> steady) noexcept {
        if (!is_exact_) { return portable_.set(wall, steady); }
        const auto armed = arm(wall, steady);
        is_armed_.store(armed != Armed::no, std::memory_order_relaxed);
        return armed != Armed::clock_was_set;
    }

    /// The sleep of the timer's own thread.
    void sleep() noexcept {
        if (!is_exact_) { return portable_.sleep(); }
        constexpr int look_again_ms = 1000;
        sit(timer_seat_, is_armed_.load(std::memory_order_relaxed) ? -1 : look_again_ms);
    }
    /// @}

    /// Ends the sleep of the timer's own thread, whether or not somebody looks.
    void call_timer() noexcept {
        is_woken_.store(true, std::memory_order_release);
        timer_seat_.call();
    }

    /// Keeps the watch, where `is_exact()`: sleeps until the time has come or after `call_watcher`, of which one before
    /// the watch counts. May also return for no reason.
    /// @returns Whether the time has come. Then the caller has to see what is due, and `set` the alarm anew, or to
    ///          `call_timer`: the timer's own thread sleeps on.
    [[nodiscard]] bool watch() noexcept { return sit(watch_seat_, -1); }

    /// Ends the present watch, or the next one.
    void call_watcher() noexcept { watch_seat_.call(); }

private:
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

    enum class Event : std::uint64_t { wall, steady, call };

    /// Where one thread sleeps.
    struct Seat {
        void call() const noexcept {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = ::write(bell.fd, &one, sizeof one);
        }
        [[nodiscard]] bool add(const Descriptor& descriptor, Event event, std::uint32_t how) const noexcept {
            epoll_event told{};
            told.events = EPOLLIN | EPOLLET | how;
            told.data.u64 = static_cast<std::uint64_t>(event);
            return descriptor.fd >= 0 && ::epoll_ctl(all.fd, EPOLL_CTL_ADD, descriptor.fd, &told) == 0;
        }
        const Descriptor all{::epoll_create1(EPOLL_CLOEXEC)};
        const Descriptor bell{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    };

    /// Whoever keeps the watch comes first: an exclusive wake-up goes to the first that sleeps.
    [[nodiscard]] bool is_joined() const noexcept {
        for (const Seat* const seat : {&watch_seat_, &timer_seat_}) {
            if (seat->all.fd < 0 || !seat->add(seat->bell, Event::call, 0)) { return false; }
            if (!seat->add(wall_, Event::wall, EPOLLEXCLUSIVE)) { return false; }
            if (!seat->add(steady_, Event::steady, EPOLLEXCLUSIVE)) { return false; }
        }
        return true;
    }

    /// @returns Whether a timer has expired, or the wall clock was set.
    bool sit(const Seat& seat, int timeout_ms) noexcept {
        std::array<epoll_event, 3> events{};
        const int count = ::epoll_wait(seat.all.fd, events.data(), static_cast<int>(events.size()), timeout_ms);
        bool has_come = false;
        for (int i = 0; i < count; ++i) {
            const auto event = static_cast<Event>(events[static_cast<std::size_t>(i)].data.u64);
            if (event == Event::wall) { has_wall_fired_.store(true, std::memory_order_relaxed); }
            if (event == Event::steady) { has_steady_fired_.store(true, std::memory_order_relaxed); }
            has_come = has_come || event != Event::call;
        }
        return has_come;
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
        if (has_steady_fired_.exchange(false, std::memory_order_relaxed)) { steady_set_to_ = {}; }
        if (has_wall_fired_.exchange(false, std::memory_order_relaxed)) { wall_set_to_ = {}; }
        if (steady != steady_set_to_) {
            const auto spec = steady ? one_shot(steady->time_since_epoch()) : itimerspec{};
            if (::timerfd_settime(steady_.fd, TFD_TIMER_ABSTIME, &spec, nullptr) != 0) { result = Armed::no; }
            steady_set_to_ = result == Armed::yes ? steady : std::nullopt;
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
    const Seat watch_seat_;
    const Seat timer_seat_;
    const bool is_exact_;
    std::atomic<bool> is_woken_{false}; // since the timer's own thread looked last; its bell has rung
    std::atomic<bool> is_armed_{true};
    std::atomic<bool> has_wall_fired_{false};   // since it was set
    std::atomic<bool> has_steady_fired_{false}; // the same
    std::optional<sys_time> wall_set_to_;       // what the timer was last armed with; used by set only
    std::optional<steady_time> steady_set_to_;  // the same
    PortableAlarm portable_;
};

#else

using Alarm = PortableAlarm;

#endif

} // namespace daybook::inline v0::detail

#endif
