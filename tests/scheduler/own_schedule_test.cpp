// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <thread>

using namespace bench;
using daybook::sys_time;

namespace {

/// Calls a function of the test.
struct Scripted {
    std::function<std::optional<sys_time>(sys_time)> script;
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const { return script(after); }
};

/// Due each full minute.
std::optional<sys_time> minute_after(sys_time after) { return std::chrono::floor<std::chrono::minutes>(after) + 1min; }

/// Passes by itself, but not as the system's does.
struct HalfSpeed {
    [[nodiscard]] sys_time now() const {
        return monday + std::chrono::floor<std::chrono::microseconds>(steady_now() - begin);
    }
    [[nodiscard]] daybook::steady_time steady_now() const {
        const daybook::steady_time real = std::chrono::steady_clock::now();
        return begin + (real - begin) / 2;
    }
    daybook::steady_time begin = std::chrono::steady_clock::now();
};

/// A wall clock that a program sets without telling anybody.
struct Settable {
    [[nodiscard]] sys_time now() const { return wall->load(); }
    [[nodiscard]] daybook::steady_time steady_now() const { return std::chrono::steady_clock::now(); }
    std::shared_ptr<std::atomic<sys_time>> wall = std::make_shared<std::atomic<sys_time>>(monday);
};

} // namespace

TEST_CASE("a schedule of the program's own drives a job") {
    Bench bench;
    bench.scheduler.add("job", Scripted{minute_after}, [] {});
    bench.scheduler.start();
    bench.pass(3min);
    CHECK(bench.story("job") == "success success success");
    CHECK(bench.scheduler.job("job")->schedule == "own schedule");
    CHECK(bench.scheduler.job("job")->next_run == monday + 4min);
}

TEST_CASE("a schedule that throws ends, and the job says why") {
    Bench bench;
    bench.scheduler.add(
        "at once", Scripted{[](sys_time) -> std::optional<sys_time> { throw std::runtime_error{"broken"}; }}, [] {});
    bench.scheduler.add("later", Scripted{[](sys_time after) {
                            if (after >= monday + 2min) { throw std::runtime_error{"worn out"}; }
                            return minute_after(after);
                        }},
                        [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.job("at once")->schedule_error == "broken");
    CHECK(bench.scheduler.job("at once")->state == daybook::JobState::failed);
    bench.pass(5min);
    CHECK(bench.story("later") == "success success");
    CHECK(bench.scheduler.job("later")->schedule_error == "worn out");
    CHECK(bench.scheduler.job("later")->state == daybook::JobState::failed);
    CHECK_FALSE(bench.scheduler.job("later")->next_run);
}

TEST_CASE("a schedule that returns the past ends instead of running for ever") {
    Bench bench;
    bench.scheduler.add("past", Scripted{[](sys_time after) { return std::optional{after - 1s}; }}, [] {});
    bench.scheduler.add(
        "same", Scripted{[](sys_time after) { return std::optional{after < monday + 1min ? monday + 1min : after}; }},
        [] {});
    bench.scheduler.start();
    bench.pass(3min);
    CHECK(bench.story("past").empty());
    CHECK_FALSE(bench.scheduler.job("past")->schedule_error.empty());
    CHECK(bench.story("same") == "success");
    CHECK_FALSE(bench.scheduler.job("same")->schedule_error.empty());
}

TEST_CASE("what came due before a schedule threw is accounted for") {
    Bench bench;
    bench.scheduler.add("job", Scripted{[](sys_time after) {
                            if (after >= monday + 4min) { throw std::runtime_error{"worn out"}; }
                            return minute_after(after);
                        }},
                        [] {});
    bench.scheduler.start();
    bench.pass(10min, 10min);
    CHECK(bench.story("job") == "skipped:misfire*3 success");
}

TEST_CASE("a job whose schedule has ended may still be triggered") {
    Bench bench;
    bench.scheduler.add("job", Scripted{[](sys_time) -> std::optional<sys_time> { throw 1; }}, [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.trigger("job"));
    bench.scheduler.poll();
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a schedule may call the scheduler back") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "other"}, [] {});
    bench.scheduler.add("job", Scripted{[&](sys_time after) {
                            CHECK_FALSE(bench.scheduler.jobs().empty());
                            bench.scheduler.trigger("other");
                            if (workers == 0) { bench.scheduler.poll(); }
                            return minute_after(after);
                        }},
                        [] {});
    bench.scheduler.start();
    bench.clock.advance(1min);
    if (workers == 0) { bench.scheduler.poll(); }
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a schedule may remove its own job") {
    Bench bench;
    bench.scheduler.add("job", Scripted{[&](sys_time after) {
                            if (after >= monday + 1min) { bench.scheduler.remove("job"); }
                            return minute_after(after);
                        }},
                        [] {});
    bench.scheduler.start();
    bench.pass(3min);
    CHECK(bench.story("job") == "skipped:removed");
}

TEST_CASE("a schedule may stop the scheduler") {
    const auto workers = GENERATE(0U, 2U);
    const auto when = GENERATE(0min, 1min);
    Bench bench{workers};
    std::binary_semaphore stopped{0};
    bench.scheduler.add("job", Scripted{[&, calls = std::make_shared<int>(0)](sys_time after) {
                            // The first call is the adding of the job.
                            if (++*calls > 1 && after >= monday + when) {
                                bench.scheduler.stop(patience);
                                stopped.release();
                            }
                            return minute_after(after);
                        }},
                        [] {});
    bench.scheduler.start();
    bench.clock.advance(1min);
    if (workers == 0) { bench.scheduler.poll(); }
    CHECK(stopped.try_acquire_for(patience));
    CHECK(bench.scheduler.stop().has_stopped());
    CHECK_THROWS_AS(bench.scheduler.start(), std::logic_error);
}

TEST_CASE("a slow schedule holds up nobody who asks") {
    Bench bench{1};
    std::binary_semaphore asked{0};
    std::binary_semaphore may_answer{0};
    bench.scheduler.add("slow", Scripted{[&](sys_time after) {
                            if (after >= monday + 1min) {
                                asked.release();
                                may_answer.acquire();
                            }
                            return minute_after(after);
                        }},
                        [] {});
    std::binary_semaphore ran{0};
    bench.scheduler.add({.id = "quick"}, [&] { ran.release(); });
    bench.scheduler.start();
    bench.clock.advance(1min);
    asked.acquire();
    CHECK(bench.scheduler.jobs().size() == 2);
    CHECK(bench.scheduler.trigger("quick"));
    ran.acquire();
    CHECK(bench.scheduler.pause("slow"));
    CHECK(bench.scheduler.resume("slow"));
    may_answer.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("slow") == "success");
}

TEST_CASE("a job whose last run ends while its schedule is being asked stays on schedule") {
    Bench bench{1, [](auto& options) { options.completed_job_retention = 1s; }};
    std::binary_semaphore asked{0};
    std::binary_semaphore may_answer{0};
    bench.scheduler.add("job", Scripted{[&](sys_time after) {
                            if (after == monday + 1min) {
                                asked.release();
                                may_answer.acquire();
                            }
                            return minute_after(after);
                        }},
                        [] {});
    bench.scheduler.start();
    bench.clock.advance(1min);
    asked.acquire();
    bench.scheduler.trigger("job");
    while (bench.scheduler.log().stats().success_count == 0) { std::this_thread::yield(); }
    while (bench.scheduler.job("job")->running != 0) { std::this_thread::yield(); }
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::scheduled);
    may_answer.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.job("job")->next_run == monday + 2min);
    bench.clock.advance(10s);
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.job("job"));
}

TEST_CASE("a clock of the program's own that passes by itself is followed") {
    daybook::SchedulerOptions options;
    options.workers = 1;
    options.clock = HalfSpeed{};
    std::counting_semaphore<1000> ran{0};
    daybook::Scheduler<> scheduler{options};
    scheduler.add("interval", daybook::every(5ms), [&] { ran.release(); });
    scheduler.add("far", daybook::at(sys_time::max()), [] {});
    scheduler.start();
    for (int i = 0; i < 3; ++i) { CHECK(ran.try_acquire_for(patience)); }
    CHECK(scheduler.stop(patience).has_stopped());
    for (const auto& record : history(scheduler.log(), "interval")) {
        CHECK(record.scheduled_at >= monday);
        CHECK(record.scheduled_at < monday + 1h);
    }
}

TEST_CASE("a clock that is set without telling anybody is looked at again") {
    daybook::SchedulerOptions options;
    options.workers = 1;
    const Settable clock;
    options.clock = clock;
    std::binary_semaphore ran{0};
    daybook::Scheduler<> scheduler{options};
    scheduler.add("job", daybook::at(monday + 1h), [&] { ran.release(); });
    scheduler.start();
    *clock.wall = monday + 1h;
    CHECK(ran.try_acquire_for(patience));
}

TEST_CASE("the system's clock drives what is due soon") {
    daybook::Scheduler<> scheduler{{.workers = 2}};
    std::counting_semaphore<1000> steady{0};
    std::binary_semaphore wall{0};
    scheduler.add("interval", daybook::every(2ms), [&] { steady.release(); });
    scheduler.add("instant", daybook::at(std::chrono::system_clock::now() + 20ms), [&] { wall.release(); });
    scheduler.start();
    for (int i = 0; i < 5; ++i) { CHECK(steady.try_acquire_for(patience)); }
    CHECK(wall.try_acquire_for(patience));
    CHECK(scheduler.stop(patience).has_stopped());
    const auto record = history(scheduler.log(), "instant").at(0);
    CHECK(record.started_at >= record.scheduled_at);
}
