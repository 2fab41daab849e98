// SPDX-License-Identifier: MIT

/// @file
/// What a program may do to a scheduler without meaning any harm.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace bench;
using daybook::every;

namespace {

using Open = daybook::Completion<std::string>;

/// Takes nothing.
struct Refusing {
    bool post(daybook::Task) const { return false; }
};

} // namespace

TEST_CASE("a handle asks nothing of a scheduler that is gone") {
    std::optional<daybook::SchedulerHandle> handle;
    {
        Bench bench;
        bench.scheduler.add({.id = "job", .stale_after = 1ms}, [] {});
        bench.scheduler.start();
        handle = bench.scheduler.handle();
        bench.clock.advance(1s);
    }
    CHECK_FALSE(handle->remove("job"));
    CHECK_FALSE(handle->update({.id = "job"}));
    CHECK(handle->jobs().empty());
    CHECK(handle->health().jobs == 0);
}

TEST_CASE("a body on an inline executor may trigger jobs of another scheduler that has one too") {
    std::atomic<bool> has_run{false};
    daybook::Scheduler<> second{{.executor = daybook::InlineExecutor{}}};
    second.add("job", {}, [&] { has_run = true; });
    second.start();
    daybook::Scheduler<> first{{.executor = daybook::InlineExecutor{}}};
    first.add("job", {}, [&] { second.trigger("job"); });
    first.start();
    first.trigger("job");
    CHECK(first.wait_idle(patience));
    CHECK(second.wait_idle(patience));
    CHECK(has_run);
}

TEST_CASE("what was triggered before the start runs on the program's executor as well") {
    for (int i = 0; i < 200; ++i) {
        daybook::Scheduler<> scheduler{{.executor = daybook::InlineExecutor{}}};
        scheduler.add("job", {}, [] {});
        scheduler.trigger("job");
        scheduler.start();
        REQUIRE(scheduler.wait_idle(patience));
    }
}

TEST_CASE("an executor that refuses is complained of once, also to a program that stops then") {
    std::atomic<int> complaints{0};
    std::atomic<daybook::Scheduler<>*> self{nullptr};
    daybook::SchedulerOptions options;
    options.executor = Refusing{};
    options.stop_grace = 0s;
    options.hooks.on_diagnostic = [&](std::string_view) {
        ++complaints;
        if (self != nullptr) { self.load()->request_stop(); }
    };
    daybook::Scheduler<> scheduler{options};
    scheduler.add("job", {}, [] {});
    scheduler.start();
    scheduler.trigger("job");
    while (complaints == 0) { std::this_thread::yield(); }
    self = &scheduler;
    CHECK(scheduler.stop(0s).skipped == 1);
    CHECK(complaints <= 3);
    self = nullptr;
}

TEST_CASE("a timeout is judged when the body returns where that is on the timer's own thread") {
    daybook::Scheduler<> scheduler{{.executor = daybook::InlineExecutor{}}};
    scheduler.add({.id = "slow", .timeout = 1ms}, [] {
        const auto begin = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - begin < 5ms) { std::this_thread::yield(); }
    });
    scheduler.start();
    scheduler.trigger("slow");
    CHECK(scheduler.wait_idle(patience));
    CHECK(bench::story(scheduler.log(), "slow") == "timeout");
}

TEST_CASE("what had come due when a stop is asked for is accounted for") {
    Bench bench;
    bench.scheduler.add("job", every(1s), [] {});
    bench.scheduler.start();
    bench.clock.advance(1s);
    bench.scheduler.request_stop();
    CHECK(bench.story("job") == "skipped:shutdown");
}

TEST_CASE("more open executions than the log can hold in flight are refused, and none is given up") {
    std::vector<Open> open;
    Bench bench{0, [](daybook::SchedulerOptions& options) {
                    options.max_queue = 10;
                    options.log.max_running = 100;
                }};
    bench.scheduler.add({.id = "job", .overlap = daybook::Overlap::allow},
                        [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
    bench.scheduler.start();
    for (int i = 0; i < 300; ++i) {
        bench.scheduler.trigger("job");
        bench.scheduler.poll();
    }
    CHECK(open.size() > 50);
    CHECK(open.size() < 100);
    for (Open& each : open) { each.success(); }
    const auto stats = bench.scheduler.log().stats();
    CHECK(stats.abandoned_count == 0);
    CHECK(stats.success_count == open.size());
    CHECK(stats.success_count + stats.skipped_count == 300);
    open.clear();
}

TEST_CASE("the destructor waits for a body on the program's executor") {
    std::atomic<bool> may_end{false};
    std::atomic<bool> has_begun{false};
    std::atomic<bool> has_ended{false};
    std::thread other;
    struct Threaded {
        std::thread* thread;
        void post(daybook::Task task) const { *thread = std::thread{std::move(task)}; }
    };
    std::thread releaser;
    {
        daybook::Scheduler<> scheduler{{.stop_grace = 0s, .stop_patience = 1ms, .executor = Threaded{&other}}};
        scheduler.add("job", {}, [&] {
            has_begun = true;
            while (!may_end) { std::this_thread::yield(); }
            has_ended = true;
        });
        scheduler.start();
        scheduler.trigger("job");
        while (!has_begun) { std::this_thread::yield(); }
        releaser = std::thread{[&] {
            std::this_thread::sleep_for(20ms);
            may_end = true;
        }};
    }
    CHECK(has_ended);
    releaser.join();
    other.join();
}

TEST_CASE("a hook may take a lock under which others call the scheduler") {
    std::recursive_mutex mutex; // the calls below may themselves find out what is to be told
    std::atomic<int> told{0};
    daybook::SchedulerOptions options;
    options.workers = 1;
    options.hooks.on_skip = [&](const daybook::JobEvent&) {
        const std::scoped_lock lock{mutex};
        ++told;
    };
    daybook::Scheduler<> scheduler{options};
    scheduler.add("paused", every(100us), [] {});
    scheduler.pause("paused");
    scheduler.start();
    while (told < 200) {
        {
            const std::scoped_lock lock{mutex};
            scheduler.remove("none");
            scheduler.update({.id = "none"});
        }
        std::this_thread::sleep_for(10us); // the mutex is not fair
    }
    CHECK(scheduler.stop(1s).has_stopped());
}

TEST_CASE("a hook of an open job may stop the scheduler, and does not wait for itself") {
    std::optional<Open> open;
    Bench* self = nullptr;
    daybook::StopReport report;
    Bench bench{0, [&](daybook::SchedulerOptions& options) {
                    options.hooks.on_success = [&](const daybook::JobEvent&) { report = self->scheduler.stop(1h); };
                }};
    self = &bench;
    bench.scheduler.add("job", {}, [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    open->success();
    CHECK(report.still_running == std::vector<std::string>{"job"});
}

TEST_CASE("instants centuries away leave the scheduler well") {
    Bench bench;
    bench.scheduler.add("far", daybook::at(monday + std::chrono::years{600}), [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.health().is_responsive);
    CHECK(bench.scheduler.health().overdue == 0s);
    CHECK(bench.scheduler.until_due() > std::chrono::hours{24 * 365 * 200});
}
