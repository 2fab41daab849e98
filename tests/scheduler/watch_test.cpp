// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/scheduler.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <utility>

// On the system's clock: a worker that has nothing else to do waits for the time itself. What these tests wait for
// comes, or they do not end.

namespace {

using namespace std::chrono_literals;
using daybook::Scheduler;
using std::chrono::steady_clock;

} // namespace

TEST_CASE("a body that does not return holds up nothing that comes due later") {
    for (const std::size_t workers : {2U, 3U}) {
        std::promise<void> release;
        const std::shared_future<void> released{release.get_future()};
        std::latch others{20};
        Scheduler scheduler{{.workers = workers}};
        const auto begin = steady_clock::now() + 20ms;
        scheduler.add({.id = "stuck", .schedule = daybook::at(begin)}, [released] { released.wait(); });
        for (int i = 0; i < 20; ++i) {
            const auto due = begin + 1ms + i * 2ms;
            scheduler.add({.id = "later_" + std::to_string(i), .schedule = daybook::at(due)},
                          [&others] { others.count_down(); });
        }
        scheduler.start();
        others.wait();
        release.set_value();
        CHECK(scheduler.wait_idle(10s));
    }
}

TEST_CASE("as many bodies as there are workers run at once when all come due at the same instant") {
    constexpr std::size_t workers = 4;
    for (const auto coalescing : {0us, 100us, 10'000'000us}) {
        std::latch all{workers}; // each waits for the others: none may run after another
        Scheduler scheduler{{.workers = workers, .coalescing = coalescing}};
        const auto due = steady_clock::now() + 20ms;
        for (std::size_t i = 0; i < workers; ++i) {
            scheduler.add({.id = "job_" + std::to_string(i), .schedule = daybook::at(due)},
                          [&all] { all.arrive_and_wait(); });
        }
        scheduler.start();
        all.wait();
        CHECK(scheduler.wait_idle(10s));
    }
}

TEST_CASE("one worker runs one body at a time, whoever waits for the time") {
    constexpr std::size_t jobs = 200;
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    std::latch all{jobs};
    std::mutex mutex;
    std::set<std::thread::id> threads;
    Scheduler scheduler{{.workers = 1}};
    const auto begin = steady_clock::now() + 30ms;
    for (std::size_t i = 0; i < jobs; ++i) {
        scheduler.add({.id = "job_" + std::to_string(i), .schedule = daybook::at(begin + i / 4 * 50us)}, [&] {
            if (++running > 1) { most = 2; }
            {
                const std::scoped_lock lock{mutex};
                threads.insert(std::this_thread::get_id());
            }
            --running;
            all.count_down();
        });
    }
    scheduler.start();
    all.wait();
    CHECK(scheduler.wait_idle(10s));
    CHECK(most == 0);
    CHECK(threads.size() == 1);
}

TEST_CASE("a hook that waits for a job gets it from the only worker") {
    std::promise<void> ran;
    std::promise<void> told;
    std::atomic<bool> is_first{true};
    std::promise<void> release;
    const std::shared_future<void> released{release.get_future()};
    daybook::SchedulerOptions options{.workers = 1};
    std::promise<void> asked;
    options.hooks.on_skip = [&](const daybook::JobEvent&) {
        if (!is_first.exchange(false)) { return; }
        asked.set_value();
        ran.get_future().wait();
        told.set_value();
    };
    Scheduler scheduler{std::move(options)};
    SECTION("while the worker is free") {
        const auto due = steady_clock::now() + 20ms;
        scheduler.add({.id = "paused", .schedule = daybook::at(due)}, [] {});
        scheduler.pause("paused");
        scheduler.add({.id = "awaited", .schedule = daybook::at(due + 5ms)}, [] {});
        scheduler.add("by_hand", daybook::Schedule{}, [&ran] { ran.set_value(); });
        release.set_value();
    }
    SECTION("while the worker is busy") {
        const auto due = steady_clock::now() + 20ms;
        scheduler.add({.id = "often", .schedule = daybook::every(2ms)}, [released] { released.wait(); });
        scheduler.add({.id = "awaited", .schedule = daybook::at(due)}, [] {});
        scheduler.add("by_hand", daybook::Schedule{}, [&ran] { ran.set_value(); });
    }
    scheduler.start();
    asked.get_future().wait();
    CHECK(scheduler.trigger("by_hand"));
    if (released.wait_for(0s) != std::future_status::ready) { release.set_value(); }
    told.get_future().wait();
    scheduler.remove("often");
    CHECK(scheduler.wait_idle(10s));
}

TEST_CASE("a schedule of the program's own that takes its time keeps no worker from its jobs") {
    struct Slow {
        std::shared_future<void> released;
        std::optional<daybook::sys_time> next(daybook::sys_time after) const {
            if (!is_slow->load()) { return after + 20ms; }
            is_asked->count_down();
            released.wait();
            return std::nullopt;
        }
        std::shared_ptr<std::atomic<bool>> is_slow = std::make_shared<std::atomic<bool>>(false);
        std::shared_ptr<std::latch> is_asked = std::make_shared<std::latch>(1);
    };
    std::promise<void> release;
    Slow slow{release.get_future().share()};
    std::promise<void> ran;
    Scheduler scheduler{{.workers = 1}};
    scheduler.add("slow", daybook::Schedule{slow}, [] {});
    scheduler.add("by_hand", daybook::Schedule{}, [&ran] { ran.set_value(); });
    scheduler.start();
    slow.is_slow->store(true);
    slow.is_asked->wait();
    CHECK(scheduler.trigger("by_hand"));
    ran.get_future().wait();
    release.set_value();
    scheduler.stop();
}

TEST_CASE("what comes due does not wait because a worker was called for something else before") {
    std::promise<void> ran;
    Scheduler scheduler{{.workers = 1, .coalescing = std::chrono::hours{1}}};
    scheduler.add("by_hand", daybook::Schedule{}, [] {});
    scheduler.add({.id = "due", .schedule = daybook::at(steady_clock::now() + 60ms)}, [&ran] { ran.set_value(); });
    scheduler.start();
    std::this_thread::sleep_for(20ms);
    scheduler.trigger("by_hand");
    ran.get_future().wait();
    scheduler.stop();
}

TEST_CASE("a hook that is told of what was replaced as it came due gets what it triggers from another worker") {
    std::counting_semaphore<> ran{0};
    std::atomic<bool> is_over{false};
    std::atomic<bool> is_waiting{false};
    Scheduler<>* self = nullptr;
    daybook::SchedulerOptions options{.workers = 3};
    options.hooks.on_skip = [&](const daybook::JobEvent& event) {
        if (event.job_id == "by_hand" || is_over || is_waiting.exchange(true)) { return; }
        while (ran.try_acquire()) {}
        if (self->trigger("by_hand")) { ran.acquire(); }
        is_waiting = false;
    };
    Scheduler scheduler{std::move(options)};
    self = &scheduler;
    scheduler.add("by_hand", daybook::Schedule{}, [&ran] { ran.release(); });
    scheduler.start();
    for (int round = 0; round < 200; ++round) {
        const auto due = steady_clock::now() + 700us;
        for (int job = 0; job < 8; ++job) {
            scheduler.add_or_replace(
                {.id = std::to_string(job), .schedule = daybook::at(due), .overlap = daybook::Overlap::cancel_running},
                [] {});
        }
        while (steady_clock::now() < due + std::chrono::microseconds{20 + round % 60}) {}
        for (int job = 7; job >= 4; --job) { scheduler.trigger(std::to_string(job)); }
        CHECK(scheduler.wait_idle(60s));
    }
    is_over = true;
    scheduler.stop();
}

TEST_CASE("a scheduler stops while a worker waits for the time") {
    for (int i = 0; i < 50; ++i) {
        std::atomic<int> ran{0};
        Scheduler scheduler{{.workers = 2}};
        for (int job = 0; job < 10; ++job) {
            scheduler.add({.id = std::to_string(job), .schedule = daybook::every(100us)}, [&ran] { ++ran; });
        }
        scheduler.start();
        while (ran < i) { std::this_thread::yield(); }
        CHECK(scheduler.stop().has_stopped());
    }
}
