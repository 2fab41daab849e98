// SPDX-License-Identifier: MIT
#include <daybook/scheduler.hpp>
#include <daybook/scheduler_handle.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

using namespace std::chrono_literals;

TEST_CASE("a handle commands the scheduler that it came from") {
    daybook::Scheduler<> scheduler{{.workers = 0}};
    scheduler.add("work", {}, [] {});
    const auto handle = scheduler.handle();
    CHECK(handle.pause("work"));
    CHECK(scheduler.job("work")->is_paused);
    CHECK(handle.resume("work"));
    CHECK_FALSE(handle.job("work")->is_paused);
    CHECK(handle.trigger("work"));
    CHECK(scheduler.poll() == 1);
    CHECK(handle.jobs().size() == 1);
    CHECK(handle.remove("work"));
    CHECK_FALSE(scheduler.job("work"));
}

TEST_CASE("a handle of a scheduler that has ended knows no job and runs nothing") {
    std::optional<daybook::Scheduler<>> scheduler;
    scheduler.emplace();
    scheduler->add("work", daybook::every(1h), [] {});
    scheduler->start();
    const auto handle = scheduler->handle();
    scheduler.reset();
    CHECK(handle.jobs().empty());
    CHECK_FALSE(handle.job("work"));
    CHECK_FALSE(handle.pause("work"));
    CHECK_FALSE(handle.resume("work"));
    CHECK_FALSE(handle.remove("work"));
    CHECK(handle.trigger("work").outcome == daybook::TriggerOutcome::stopped);
}

TEST_CASE("the end of a scheduler waits for what runs, whoever holds a handle") {
    std::atomic<bool> has_begun{false};
    std::atomic<bool> has_returned{false};
    std::optional<daybook::Scheduler<>> scheduler;
    scheduler.emplace();
    scheduler->add("work", {}, [&] {
        has_begun = true;
        std::this_thread::sleep_for(30ms);
        has_returned = true;
    });
    scheduler->start();
    const auto handle = scheduler->handle();
    handle.trigger("work");
    while (!has_begun) { std::this_thread::yield(); }
    scheduler.reset();
    CHECK(has_returned);
}

TEST_CASE("the end of a scheduler destroys its jobs, also those that hold a handle to it") {
    const auto held = std::make_shared<int>(1);
    std::optional<daybook::Scheduler<>> scheduler;
    scheduler.emplace(daybook::SchedulerOptions{.workers = 0});
    scheduler->add("work", daybook::every(1h), [held, handle = scheduler->handle()] { handle.pause("work"); });
    scheduler->trigger("work");
    const auto handle = scheduler->handle();
    CHECK(held.use_count() == 2);
    scheduler.reset();
    CHECK(held.use_count() == 1);
}
