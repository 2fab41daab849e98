// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/timer_alarms.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#if defined(__linux__)

namespace timer_alarms_test {

using namespace std::chrono_literals;
using namespace daybook;
using detail::Moment;
using detail::NextDue;
using Alarms = detail::TimerAlarms;
using std::chrono::steady_clock;
using std::chrono::system_clock;

Moment now() { return {std::chrono::floor<std::chrono::microseconds>(system_clock::now()), steady_clock::now()}; }

Alarms::Next set(Alarms& alarms, Alarms::Waiter waiter, const NextDue& due, std::chrono::nanoseconds coalescing = 0ns) {
    return alarms.set(waiter, {}, coalescing, now, [&](const Moment&) { return std::optional{due}; });
}

const NextDue never{};

NextDue in(std::chrono::nanoseconds time) { return {.steady = steady_clock::now() + time}; }

/// Sleeps as the timer's own thread does, and counts how often it was woken.
class Timer {
public:
    explicit Timer(Alarms& alarms) : alarms_{alarms} {
        set(alarms_, Alarms::Waiter::timer, never);
        thread_ = std::thread{[this] {
            while (!is_over_) {
                alarms_.sleep();
                ++returns;
            }
        }};
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() {
        is_over_ = true;
        alarms_.wake();
        thread_.join();
    }

    std::atomic<int> returns{0};

private:
    Alarms& alarms_;
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

// Whoever is held up for long finds the other awake. So these tests end with the first rounds in which that did not
// happen.

TEST_CASE("the worker on the watch is woken when the time comes, and the timer's thread sleeps on") {
    Alarms alarms;
    alarms.open_watch();
    REQUIRE(alarms.has_watch());
    const Timer timer{alarms};
    for (int alone = 0; alone < 5;) {
        const int before = timer.returns;
        const NextDue due = in(2ms);
        while (set(alarms, Alarms::Waiter::worker_waits, due) != Alarms::Next::soon) { alarms.watch(); }
        CHECK(steady_clock::now() >= *due.steady);
        set(alarms, Alarms::Waiter::worker_leaves, never);
        if (timer.returns == before) { ++alone; }
    }
}

TEST_CASE("what the worker on the watch does not see to wakes the timer's thread") {
    Alarms alarms;
    alarms.open_watch();
    std::optional<NextDue> due;
    SECTION("because it is not back when the next is due") {
        due = in(2ms);
        set(alarms, Alarms::Waiter::worker_leaves, *due);
    }
    SECTION("because it is held up") {
        due = in(2ms);
        REQUIRE(set(alarms, Alarms::Waiter::worker_waits, *due) == Alarms::Next::sleep);
    }
    SECTION("because it is not for workers") {
        due = in(2ms);
        due->is_plain = false;
        REQUIRE(set(alarms, Alarms::Waiter::worker_waits, *due) == Alarms::Next::sleep);
    }
    SECTION("because it leaves that to it") {
        due = in(0ms);
        alarms.leave_to_timer();
    }
    SECTION("because it has posted more than it can do at once") {
        due = in(0ms);
        alarms.ask_for_help(steady_clock::now());
        set(alarms, Alarms::Waiter::worker_leaves, never);
    }
    alarms.sleep(); // or for ever
    CHECK(steady_clock::now() >= *due->steady);
}

TEST_CASE("a worker that is back on the watch needs no help any more") {
    Alarms alarms;
    alarms.open_watch();
    const Timer timer{alarms};
    for (bool was_called = true; was_called;) {
        const int before = timer.returns;
        alarms.ask_for_help(steady_clock::now() + 10ms);
        set(alarms, Alarms::Waiter::worker_leaves, never);
        set(alarms, Alarms::Waiter::worker_waits, never);
        std::this_thread::sleep_for(15ms);
        was_called = timer.returns != before;
    }
}

TEST_CASE("the timer's thread sets the alarm of the worker on the watch as well") {
    Alarms alarms;
    alarms.open_watch();
    const Timer timer{alarms};
    set(alarms, Alarms::Waiter::worker_waits, never);
    std::thread other{[&] { set(alarms, Alarms::Waiter::timer, in(2ms)); }};
    alarms.watch(); // or for ever
    other.join();
    alarms.leave_to_timer();
    alarms.watch_after_timer();
    const NextDue due = in(2ms);
    set(alarms, Alarms::Waiter::timer, due);
    while (steady_clock::now() < *due.steady) { alarms.watch(); }
}

TEST_CASE("neither is woken before it has rested, and the worker rests for a fifth") {
    Alarms alarms;
    alarms.open_watch();
    const auto begin = steady_clock::now();
    const auto soon = [&](const Moment&) { return std::optional{NextDue{.steady = begin + 1us}}; };
    REQUIRE(alarms.set(Alarms::Waiter::timer, begin, 20ms, now, soon) == Alarms::Next::sleep);
    alarms.sleep();
    CHECK(steady_clock::now() >= begin + 20ms);
    NextDue due = in(1ms);
    const auto then = steady_clock::now();
    REQUIRE(alarms.set(Alarms::Waiter::worker_leaves, then, 100ms, now,
                       [](const Moment&) { return std::optional{never}; }) == Alarms::Next::sleep);
    REQUIRE(set(alarms, Alarms::Waiter::worker_waits, due, 100ms) == Alarms::Next::sleep);
    alarms.watch();
    CHECK(steady_clock::now() >= then + 20ms);
}

TEST_CASE("whoever sets the alarms when all is over is told so") {
    Alarms alarms;
    alarms.open_watch();
    const auto over = [](const Moment&) -> std::optional<NextDue> { return std::nullopt; };
    CHECK(alarms.set(Alarms::Waiter::timer, {}, 0ns, now, over) == Alarms::Next::end);
    CHECK(alarms.set(Alarms::Waiter::worker_waits, {}, 0ns, now, over) == Alarms::Next::end);
}

} // namespace timer_alarms_test

#endif
