// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace bench;
using daybook::every;

namespace {

/// Keeps what it is given until the test runs it.
struct Shelf {
    std::mutex mutex;
    std::deque<daybook::Task> tasks;
    std::atomic<int> refusals{0};

    bool post(daybook::Task task) {
        const std::scoped_lock lock{mutex};
        if (refusals > 0) {
            --refusals;
            return false;
        }
        tasks.push_back(std::move(task));
        return true;
    }
    bool run_one() {
        daybook::Task task;
        {
            const std::scoped_lock lock{mutex};
            if (tasks.empty()) { return false; }
            task = std::move(tasks.front());
            tasks.pop_front();
        }
        task();
        return true;
    }
    void wait_for_one() {
        while (!run_one()) { std::this_thread::yield(); }
    }
};

} // namespace

TEST_CASE("bodies run where the program's executor runs them") {
    const auto shelf = std::make_shared<Shelf>();
    daybook::Scheduler<> scheduler{{.executor = shelf}};
    std::thread::id ran_on;
    scheduler.add("job", {}, [&] { ran_on = std::this_thread::get_id(); });
    scheduler.start();
    CHECK(scheduler.trigger("job"));
    shelf->wait_for_one();
    CHECK(ran_on == std::this_thread::get_id());
    CHECK(bench::story(scheduler.log(), "job") == "success");
}

TEST_CASE("what the executor still holds when the scheduler is gone does nothing") {
    const auto shelf = std::make_shared<Shelf>();
    bool has_run = false;
    {
        daybook::Scheduler<> scheduler{{.stop_grace = 0s, .executor = shelf}};
        scheduler.add("job", {}, [&] { has_run = true; });
        scheduler.start();
        scheduler.trigger("job");
    }
    while (shelf->run_one()) {}
    CHECK_FALSE(has_run);
}

TEST_CASE("what the executor refuses is offered again, and the program is told") {
    const auto shelf = std::make_shared<Shelf>();
    shelf->refusals = 1;
    std::atomic<int> diagnostics{0};
    daybook::SchedulerOptions options;
    options.executor = shelf;
    options.hooks.on_diagnostic = [&](std::string_view) { ++diagnostics; };
    daybook::Scheduler<> scheduler{options};
    scheduler.add("job", {}, [] {});
    scheduler.start();
    scheduler.trigger("job");
    shelf->wait_for_one();
    CHECK(diagnostics >= 1);
    CHECK(bench::story(scheduler.log(), "job") == "success");
}

TEST_CASE("an inline executor runs one body after the other on the timer's thread, and they may trigger more") {
    daybook::Scheduler<> scheduler{{.executor = daybook::InlineExecutor{}}};
    std::atomic<int> inside{0};
    std::atomic<int> runs{0};
    scheduler.add({.id = "job", .overlap = daybook::Overlap::queue_all}, [&] {
        CHECK(++inside == 1);
        if (++runs < 100) { scheduler.trigger("job"); }
        --inside;
    });
    scheduler.start();
    scheduler.trigger("job");
    CHECK(scheduler.wait_idle(patience));
    CHECK(runs == 100);
    CHECK(scheduler.log().stats().success_count == 100);
}

TEST_CASE("a scheduler whose bodies run inline can be stopped, from elsewhere and from inside") {
    daybook::Scheduler<> scheduler{{.executor = daybook::InlineExecutor{}}};
    std::atomic<bool> has_begun{false};
    scheduler.add("waits", every(1ms), [&](daybook::JobContext& job) {
        has_begun = true;
        wait_for_stop(job);
    });
    scheduler.start();
    while (!has_begun) { std::this_thread::yield(); }
    CHECK(scheduler.stop(1ms).has_stopped());

    daybook::Scheduler<> other{{.executor = daybook::InlineExecutor{}}};
    daybook::StopReport report;
    std::atomic<bool> is_through{false};
    other.add("stops", daybook::at(std::chrono::steady_clock::now()), [&] {
        report = other.stop(1h);
        is_through = true;
    });
    other.start();
    while (!is_through) { std::this_thread::yield(); }
    CHECK(report.still_running == std::vector<std::string>{"stops"});
}

TEST_CASE("an executor needs the timer's thread") {
    CHECK_THROWS_AS(daybook::Scheduler<>({.workers = 0, .executor = daybook::InlineExecutor{}}), std::invalid_argument);
}

TEST_CASE("a program that polls knows how long it may sleep") {
    Bench bench;
    CHECK(bench.scheduler.until_due() == std::chrono::nanoseconds::max());
    bench.scheduler.add("steady", every(10s), [] {});
    bench.scheduler.add("wall", daybook::cron("0 * * * *"), [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.until_due() == 10s);
    bench.clock.advance(4s);
    CHECK(bench.scheduler.until_due() == 6s);
    bench.clock.step(1h - 5s);
    CHECK(bench.scheduler.until_due() == 1s);
    bench.clock.advance(1h);
    CHECK(bench.scheduler.until_due() == 0s);
    bench.scheduler.poll();
    CHECK(bench.scheduler.until_due() > 0s);
    bench.scheduler.trigger("wall");
    CHECK(bench.scheduler.until_due() == 0s);
}

TEST_CASE("instants that come while the timer rests are run after it, or with what wakes it") {
    std::counting_semaphore<> ran{0};
    daybook::Scheduler<> scheduler{{.workers = 2, .coalescing = 20ms}};
    const auto begin = std::chrono::steady_clock::now() + 5ms;
    constexpr int shots = 300;
    for (int i = 0; i < shots; ++i) {
        scheduler.add("shot " + std::to_string(i), daybook::at(begin + i * 100us), [&] { ran.release(); });
    }
    scheduler.start();
    for (int i = 0; i < shots; ++i) { REQUIRE(ran.try_acquire_for(patience)); }
    CHECK(scheduler.stop(patience).has_stopped());
    CHECK(scheduler.log().stats().success_count == shots);
}
