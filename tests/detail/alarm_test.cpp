// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/alarm.hpp>
#include <daybook/detail/portable_alarm.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/timex.h>
#endif

namespace {

using namespace std::chrono_literals;
using daybook::steady_time;
using daybook::sys_time;
using std::chrono::steady_clock;
using std::chrono::system_clock;

sys_time wall_now() { return std::chrono::floor<std::chrono::microseconds>(system_clock::now()); }

// What every alarm promises. A promise of returning is kept if the test ends at all.
template <class AnyAlarm>
void keeps_its_promises(AnyAlarm& alarm) {
    SECTION("a steady instant ends the wait when it has come") {
        const steady_time due = steady_clock::now() + 20ms;
        while (steady_clock::now() < due) { alarm.wait({}, due); }
    }
    SECTION("a wall instant ends the wait when it has come") {
        const sys_time due = wall_now() + 20ms;
        while (wall_now() < due) { alarm.wait(due, {}); }
    }
    SECTION("the earlier of two instants ends the wait") {
        const steady_time due = steady_clock::now() + 10ms;
        while (steady_clock::now() < due) { alarm.wait(wall_now() + 24h, due); }
        const sys_time wall_due = wall_now() + 10ms;
        while (wall_now() < wall_due) { alarm.wait(wall_due, steady_clock::now() + 24h); }
    }
    SECTION("an alarm can be set to the same instant, to an earlier one and to none after a wait") {
        const steady_time late = steady_clock::now() + 24h;
        const steady_time soon = steady_clock::now() + 5ms;
        alarm.wake();
        alarm.wait(wall_now() + 24h, late);
        while (steady_clock::now() < soon) { alarm.wait({}, soon); }
        alarm.wait({}, soon); // past by now
        alarm.wake();
        alarm.wait({}, {});
    }
    SECTION("an instant in the past ends the wait at once") {
        for (const sys_time past : {wall_now() - 1h, sys_time{}, sys_time{-1us}, sys_time::min()}) {
            alarm.wait(past, {});
        }
        for (const steady_time past : {steady_time{steady_clock::now()}, steady_time{}, steady_time::min()}) {
            alarm.wait({}, past);
        }
    }
    SECTION("a wake before the wait is not lost") {
        alarm.wake();
        alarm.wait({}, {});
        alarm.wake();
        alarm.wake();
        alarm.wait(sys_time::max(), steady_time::max());
    }
    SECTION("a wake from another thread ends the wait, and the sleeper does not spin before it comes") {
        std::optional<sys_time> wall;
        std::optional<steady_time> steady;
        SECTION("without an instant") {}
        SECTION("with the last instant of each clock") {
            wall = sys_time::max();
            steady = steady_time::max();
        }
        SECTION("with a wall instant in centuries") { wall = wall_now() + std::chrono::years{1000}; }
        std::atomic<bool> told{false};
        std::thread waker{[&] {
            std::this_thread::sleep_for(50ms);
            told = true;
            alarm.wake();
        }};
        int returns = 0;
        while (!told) {
            alarm.wait(wall, steady);
            ++returns;
        }
        waker.join();
        CHECK(returns <= 10); // a few for no reason are allowed
    }
    SECTION("no wake is lost between two threads that take turns") {
        constexpr int turns = 20'000;
        std::atomic<int> asked{0};
        std::atomic<int> answered{0};
        std::thread other{[&] {
            for (int turn = 1; turn <= turns; ++turn) {
                while (answered != turn - 1) { std::this_thread::yield(); }
                asked = turn;
                alarm.wake();
            }
        }};
        for (int turn = 1; turn <= turns; ++turn) {
            while (asked != turn) { alarm.wait({}, {}); }
            answered = turn;
        }
        other.join();
        CHECK(answered == turns);
    }
}

#if defined(__linux__)

// The process has no descriptor to give while this lives; those that are open stay open.
class NoDescriptorsLeft {
public:
    NoDescriptorsLeft() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
    NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

private:
    rlimit before_{};
};

int open_descriptors(bool only_inherited) {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        const int flags = ::fcntl(fd, F_GETFD);
        if (flags >= 0 && (!only_inherited || (flags & FD_CLOEXEC) == 0)) { ++count; }
    }
    return count;
}

#endif

} // namespace

TEST_CASE("the alarm of this system keeps its promises") {
    daybook::detail::Alarm alarm;
    keeps_its_promises(alarm);
}

TEST_CASE("the portable alarm keeps the promises of the alarm") {
    daybook::detail::PortableAlarm alarm;
    keeps_its_promises(alarm);
}

#if defined(__linux__)

TEST_CASE("an alarm for which no descriptors were left keeps its promises") {
    const auto alarm = [] {
        const NoDescriptorsLeft limit;
        return std::make_unique<daybook::detail::Alarm>();
    }();
    REQUIRE_FALSE(alarm->is_exact());
    keeps_its_promises(*alarm);
}

TEST_CASE("setting the wall clock ends the wait at once, whatever is waited for") {
    daybook::detail::Alarm alarm;
    REQUIRE(alarm.is_exact());
    std::optional<sys_time> wall;
    std::optional<steady_time> steady;
    SECTION("nothing") {}
    SECTION("a wall instant") { wall = wall_now() + 24h; }
    SECTION("a steady instant") { steady = steady_clock::now() + 24h; }
    // By a nanosecond, which disturbs nobody.
    const auto set_clock = [] {
        timex step{};
        step.modes = ADJ_SETOFFSET | ADJ_NANO;
        step.time.tv_usec = 1;
        return ::adjtimex(&step) != -1;
    };
    if (!set_clock()) {
        WARN("not tested: this process may not set the clock");
        return;
    }
    std::atomic<bool> is_over{false};
    std::thread setter{[&] {
        while (!is_over) {
            std::this_thread::sleep_for(5ms);
            set_clock();
        }
    }};
    for (int i = 0; i < 3; ++i) { alarm.wait(wall, steady); } // each would last a day, or for ever
    is_over = true;
    setter.join();
}

TEST_CASE("an alarm that is set anew while a thread sleeps on it ends the sleep by that") {
    daybook::detail::Alarm alarm;
    const bool is_wall = GENERATE(false, true);
    REQUIRE(alarm.set(wall_now() + 24h, steady_clock::now() + 24h));
    const steady_time due = steady_clock::now() + 20ms;
    std::thread setter{[&] {
        std::this_thread::sleep_for(5ms); // most likely it sleeps by now
        CHECK(alarm.set(is_wall ? std::optional{wall_now() + 15ms} : std::nullopt,
                        is_wall ? std::nullopt : std::optional{due}));
    }};
    while (steady_clock::now() < due) { alarm.sleep(); }
    setter.join();
    REQUIRE(alarm.set({}, {}));
    alarm.wake();
    alarm.sleep();
}

TEST_CASE("an alarm gives its descriptors back, and no child process inherits them") {
    const int open_before = open_descriptors(false);
    const int inherited_before = open_descriptors(true);
    {
        const daybook::detail::Alarm alarm;
        REQUIRE(alarm.is_exact());
        CHECK(open_descriptors(false) == open_before + 3);
        CHECK(open_descriptors(true) == inherited_before);
    }
    CHECK(open_descriptors(false) == open_before);
}

#endif
