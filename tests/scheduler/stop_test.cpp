// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>

using namespace bench;
using daybook::every;
using daybook::JobContext;

TEST_CASE("a stop lets what runs and what waits go on") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    std::binary_semaphore may_end{0};
    bench.scheduler.add({.id = "long"}, [&](JobContext& job) {
        begun.release();
        may_end.acquire();
        CHECK_FALSE(job.stop_requested());
    });
    for (const auto* id : {"a", "b", "c"}) {
        bench.scheduler.add({.id = id}, [] {});
    }
    bench.scheduler.start();
    bench.scheduler.trigger("long");
    begun.acquire();
    for (const auto* id : {"a", "b", "c"}) { bench.scheduler.trigger(id); }
    std::thread releasing{[&] {
        while (bench.scheduler.trigger("a").outcome != daybook::TriggerOutcome::stopped) { std::this_thread::yield(); }
        may_end.release();
    }};
    const auto report = bench.scheduler.stop(patience);
    releasing.join();
    CHECK(report.has_stopped());
    CHECK(report.skipped == 0);
    CHECK(bench.scheduler.log().stats().success_count == 4);
}

TEST_CASE("what has come due when the stop is called still runs") {
    const auto workers = GENERATE(1U, 4U);
    Bench bench{workers};
    for (int i = 0; i < 50; ++i) {
        bench.scheduler.add("job-" + std::to_string(i), every(1s), [] {});
    }
    bench.scheduler.start();
    bench.clock.advance(1s);
    CHECK(bench.scheduler.stop(patience).has_stopped());
    CHECK(bench.scheduler.log().stats().success_count == 50);
}

TEST_CASE("after the grace a stop skips what waits and asks what runs") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    bench.scheduler.add({.id = "long"}, [&](JobContext& job) {
        begun.release();
        wait_for_stop(job);
        throw 1;
    });
    bench.scheduler.add({.id = "waiting", .overlap = daybook::Overlap::queue_all}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("long");
    begun.acquire();
    bench.scheduler.trigger("waiting");
    bench.scheduler.trigger("waiting");
    const auto report = bench.scheduler.stop(0s);
    CHECK(report.has_stopped());
    CHECK(report.skipped == 2);
    CHECK(bench.story("long") == "cancelled");
    CHECK(bench.story("waiting") == "skipped:shutdown skipped:shutdown");
}

TEST_CASE("a job that ends in order after it was asked to stop is a success") {
    Bench bench{1};
    bench.scheduler.add({.id = "job"}, [](JobContext& job) {
        wait_for_stop(job);
        return "half";
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    while (bench.scheduler.log().stats().running == 0) { std::this_thread::yield(); }
    CHECK(bench.scheduler.stop(0s).has_stopped());
    CHECK(bench.history("job").at(0).result == "half");
}

TEST_CASE("a stop names each body that ignores its stop token, and a later stop sees it end") {
    Bench bench{3, [](auto& options) { options.stop_patience = 1ms; }};
    std::counting_semaphore<4> begun{0};
    std::counting_semaphore<4> may_end{0};
    bench.scheduler.add({.id = "stubborn", .overlap = daybook::Overlap::allow}, [&] {
        begun.release();
        may_end.acquire();
    });
    bench.scheduler.add({.id = "polite"}, [&](JobContext& job) {
        begun.release();
        wait_for_stop(job);
    });
    bench.scheduler.start();
    for (const auto* id : {"stubborn", "stubborn", "polite"}) { bench.scheduler.trigger(id); }
    for (int i = 0; i < 3; ++i) { begun.acquire(); }
    auto report = bench.scheduler.stop(0s);
    CHECK_FALSE(report.has_stopped());
    std::erase(report.still_running, "polite"); // it may need longer than a millisecond
    CHECK(report.still_running == std::vector<std::string>{"stubborn", "stubborn"});
    may_end.release(2);
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.stop().has_stopped());
    CHECK(bench.story("stubborn") == "success success");
}

TEST_CASE("stopping twice, or before the start, or with nothing to do, is no matter") {
    const auto workers = GENERATE(0U, 2U);
    Bench never_started{workers};
    never_started.scheduler.add("job", every(1s), [] {});
    CHECK(never_started.scheduler.stop(-1s).has_stopped());
    CHECK(never_started.scheduler.stop().has_stopped());
    Bench empty{workers};
    empty.scheduler.start();
    CHECK(empty.scheduler.stop(std::chrono::nanoseconds::max()).has_stopped());
    CHECK(empty.scheduler.stop().has_stopped());
}

TEST_CASE("what was triggered before the start is skipped by a stop") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "job"}, [] {});
    bench.scheduler.trigger("job");
    CHECK(bench.scheduler.stop().skipped == 1);
    CHECK(bench.story("job") == "skipped:shutdown");
}

TEST_CASE("without workers a stop skips what waits for the next poll") {
    Bench bench;
    bench.scheduler.add({.id = "job"}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    const auto report = bench.scheduler.stop();
    CHECK(report.has_stopped());
    CHECK(report.skipped == 1);
    CHECK(bench.scheduler.poll() == 0);
    bench.pass(10s);
    CHECK(bench.story("job") == "skipped:shutdown");
}

TEST_CASE("a stop from another thread lets a poll go on for the grace") {
    Bench bench;
    std::binary_semaphore begun{0};
    std::binary_semaphore may_end{0};
    bench.scheduler.add({.id = "long"}, [&](JobContext& job) {
        begun.release();
        may_end.acquire();
        CHECK_FALSE(job.stop_requested());
    });
    bench.scheduler.add({.id = "next"}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("long");
    bench.scheduler.trigger("next");
    daybook::StopReport report;
    std::thread stopping{[&] {
        begun.acquire();
        report = bench.scheduler.stop(patience);
    }};
    std::thread releasing{[&] {
        while (bench.scheduler.trigger("next").outcome != daybook::TriggerOutcome::stopped) {
            std::this_thread::yield();
        }
        may_end.release();
    }};
    CHECK(bench.scheduler.poll() == 2);
    stopping.join();
    releasing.join();
    CHECK(report.has_stopped());
    CHECK(report.skipped == 0);
}

TEST_CASE("two threads may stop at once; the shorter grace counts") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
        begun.release();
        wait_for_stop(job);
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    begun.acquire();
    daybook::StopReport patient_report;
    std::thread patient{[&] { patient_report = bench.scheduler.stop(std::chrono::hours{1}); }};
    const auto report = bench.scheduler.stop(0s);
    patient.join();
    CHECK(report.has_stopped());
    CHECK(patient_report.has_stopped());
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a request to stop returns at once, and asks what runs") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
        begun.release();
        wait_for_stop(job);
    });
    bench.scheduler.add({.id = "waiting"}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    begun.acquire();
    bench.scheduler.trigger("waiting");
    bench.scheduler.request_stop();
    CHECK(bench.story("waiting") == "skipped:shutdown");
    CHECK(bench.scheduler.stop().has_stopped());
    bench.scheduler.request_stop();
}

TEST_CASE("nothing runs after a stop") {
    Bench bench{2};
    std::atomic<int> ran{0};
    for (int i = 0; i < 20; ++i) {
        bench.scheduler.add("job-" + std::to_string(i), every(1s), [&] { ++ran; });
    }
    bench.scheduler.start();
    bench.clock.advance(1s);
    CHECK(bench.scheduler.stop(patience).has_stopped());
    const int before = ran;
    bench.clock.advance(1h);
    CHECK(ran == before);
    CHECK(before == 20);
}

TEST_CASE("the destructor waits for a body that runs") {
    std::binary_semaphore begun{0};
    std::atomic<bool> ended{false};
    daybook::JobExecutionLog<> log{1};
    {
        Bench bench{1, [](auto& options) {
                        options.stop_grace = 0s;
                        options.stop_patience = 0s;
                    }};
        bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
            begun.release();
            wait_for_stop(job);
            for (int i = 0; i < 1000; ++i) { std::this_thread::yield(); }
            ended = true;
        });
        bench.scheduler.start();
        bench.scheduler.trigger("job");
        begun.acquire();
        log = bench.scheduler.log();
    }
    CHECK(ended);
    CHECK(story(log, "job") == "success");
}

TEST_CASE("the destructor of a scheduler that was never started destroys its jobs") {
    auto held = std::make_shared<int>();
    {
        Bench bench{2};
        bench.scheduler.add("job", every(1s), [held] {});
        CHECK(held.use_count() == 2);
    }
    CHECK(held.use_count() == 1);
}

TEST_CASE("a start that races with a stop leaves nothing behind") {
    for (int round = 0; round < 50; ++round) {
        Bench bench{2};
        for (int i = 0; i < 5; ++i) {
            bench.scheduler.add("job-" + std::to_string(i), every(1s), [] {});
        }
        bench.scheduler.trigger("job-0");
        std::thread starting{[&] {
            try {
                bench.scheduler.start();
            } catch (const std::logic_error&) {} // it came second
        }};
        std::thread adding{[&] {
            try {
                bench.scheduler.add({.id = "late"}, [] {});
                bench.scheduler.trigger("late");
            } catch (const std::logic_error&) {}
        }};
        CHECK(bench.scheduler.stop(patience).has_stopped());
        starting.join();
        adding.join();
        CHECK(bench.scheduler.stop(patience).has_stopped());
        const auto stats = bench.scheduler.log().stats();
        CHECK(stats.running == 0);
        CHECK(stats.queued == 0);
    }
}

TEST_CASE("a job that is added while the scheduler starts is on schedule") {
    for (int round = 0; round < 50; ++round) {
        Bench bench{1};
        std::thread adding{[&] { bench.scheduler.add("job", every(1s), [] {}); }};
        bench.scheduler.start();
        adding.join();
        CHECK(bench.scheduler.job("job")->next_run);
    }
}
