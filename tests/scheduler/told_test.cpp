// SPDX-License-Identifier: MIT

/// @file
/// What the scheduler says while much is going on: in order, of what has really begun, and not at any length.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

using namespace bench;
using daybook::Overlap;

TEST_CASE("a thousand that wait are told in one sentence") {
    Bench bench{0, [](auto& options) { options.max_queue = 5000; }};
    bench.scheduler.add({.id = "queued", .overlap = Overlap::queue_all}, [] {});
    bench.scheduler.add({.id = "beside", .overlap = Overlap::allow}, [] {});
    bench.scheduler.start();
    for (int i = 0; i < 1000; ++i) {
        bench.scheduler.trigger("queued");
        bench.scheduler.trigger("beside");
    }
    const auto says = [&](const char* job, const char* what) {
        const std::string text = bench.scheduler.explain(job);
        INFO(text);
        CHECK(text.find(what) != std::string::npos);
        CHECK(text.size() < 400);
    };
    says("queued", "Waiting for a worker since");
    says("queued", "Waiting for the occurrence before it to end. 998 others of it waiting for those before.");
    says("beside", "999 others of it waiting for a worker, too.");
    bench.scheduler.trigger("queued");
    bench.scheduler.poll();
    CHECK(bench.scheduler.explain("queued").find("others of it") == std::string::npos);
}

TEST_CASE("no start is told of what was cancelled as it was taken") {
    for (int round = 0; round < 300; ++round) {
        std::mutex mutex;
        std::vector<daybook::ExecutionId> told;
        Bench bench{2, [&](auto& options) {
                        options.hooks.on_start = [&](const daybook::JobEvent& event) {
                            const std::scoped_lock lock{mutex};
                            told.push_back(event.execution_id);
                        };
                    }};
        std::atomic<int> bodies{0};
        bench.scheduler.add({.id = "job", .overlap = Overlap::cancel_running}, [&] { ++bodies; });
        bench.scheduler.start();
        for (int i = 0; i < 5; ++i) { bench.scheduler.trigger("job"); }
        REQUIRE(bench.scheduler.wait_idle(patience));
        const std::scoped_lock lock{mutex};
        CHECK(static_cast<int>(told.size()) == bodies);
    }
}

TEST_CASE("a job is told to be stale before it is told to have recovered") {
    std::binary_semaphore in_hook{0};
    std::binary_semaphore go_on{0};
    std::mutex mutex;
    std::string told;
    const auto say = [&](const char* word) {
        const std::scoped_lock lock{mutex};
        told += word;
    };
    Bench bench{1, [&](auto& options) {
                    options.hooks.on_stale = [&](const daybook::JobEvent&) {
                        in_hook.release();
                        go_on.acquire();
                        say("stale ");
                    };
                    options.hooks.on_recovered = [&](const daybook::JobEvent& event) {
                        say("recovered ");
                        CHECK(event.job_id == "job");
                        CHECK(event.execution_id != 0);
                    };
                }};
    bench.scheduler.add({.id = "job", .stale_after = 10s}, [] {});
    bench.scheduler.start();
    bench.clock.advance(10s);
    in_hook.acquire();
    bench.scheduler.trigger("job");
    while (bench.scheduler.log().stats().success_count == 0) { std::this_thread::yield(); }
    CHECK_FALSE(bench.scheduler.job("job")->is_stale);
    go_on.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    {
        const std::scoped_lock lock{mutex};
        CHECK(told == "stale recovered ");
    }
}

TEST_CASE("what was replaced while all workers hang takes no room in the queue") {
    std::atomic<int> ran{0};
    Hung hung;
    Bench& bench = hung.bench;
    bench.scheduler.add({.id = "job", .overlap = Overlap::cancel_running}, [&] { ++ran; });
    bench.scheduler.add({.id = "waits"}, [] {});
    for (int i = 0; i < 2000; ++i) { CHECK(bench.scheduler.trigger("job")); }
    bench.scheduler.trigger("waits");
    const std::string text = bench.scheduler.explain("waits");
    INFO(text);
    CHECK(text.find("behind 1 other.") != std::string::npos);
    hung.go_on.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(ran == 1);
    CHECK(bench.scheduler.log().stats().skipped_count == 1999);
}
