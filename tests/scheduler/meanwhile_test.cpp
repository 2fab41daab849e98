// SPDX-License-Identifier: MIT

/// @file
/// What comes due while a command is on its way: settled by what was before it, or by what is after it, and once.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <semaphore>

using namespace bench;
using daybook::cron;
using daybook::every;
using daybook::steady_time;
using daybook::sys_time;

namespace {

/// Time passes whenever somebody looks.
struct Creeping {
    struct State {
        sys_time wall = monday;
        steady_time steady{1h};
        std::chrono::microseconds creep{0};
    };
    std::shared_ptr<State> state = std::make_shared<State>();

    [[nodiscard]] sys_time now() const {
        pass(state->creep);
        return state->wall;
    }
    [[nodiscard]] steady_time steady_now() const {
        pass(state->creep);
        return state->steady;
    }
    void pass(std::chrono::microseconds time) const {
        state->wall += time;
        state->steady += time;
    }
};

/// A schedule of the program's own that does something when it is asked.
struct Asked {
    std::function<std::optional<sys_time>(sys_time)> answer;
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const { return answer(after); }
};

std::optional<sys_time> each_minute(sys_time after) { return cron("0 * * * * *").next(after); }

/// How often each nominal time is accounted for, whatever has become of it.
std::map<sys_time, std::uint64_t> accounts(const daybook::JobExecutionLog<>& log) {
    std::map<sys_time, std::uint64_t> counts;
    for (const auto& record : history(log, "job")) {
        for (std::uint64_t i = 0; i < record.skip_count + (record.status != JobStatus::skipped ? 1 : 0); ++i) {
            ++counts[*record.scheduled_at + i * 1min];
        }
    }
    return counts;
}

/// Holds the timer's thread up in a schedule that is asked at minute 1.
struct Slow : Bench {
    Slow() : Bench{1} {
        scheduler.add("slow", Asked{[this](sys_time after) {
                          if (after == monday + 1min) {
                              asked.release();
                              may_answer.acquire();
                          }
                          return each_minute(after);
                      }},
                      [] {});
    }
    void hold_up() {
        clock.advance(1min);
        asked.acquire();
    }
    void go_on() {
        may_answer.release();
        REQUIRE(scheduler.wait_idle(patience));
    }

    std::binary_semaphore asked{0};
    std::binary_semaphore may_answer{0};
};

/// In the hook for skips time passes, and then a command is given: nothing can be dispatched in there.
struct Hooked : Bench {
    explicit Hooked(const std::function<void(Hooked&)>& command)
        : Bench{0, [this, command](auto& options) {
                    options.hooks.on_skip = [this, command](const daybook::JobEvent& event) {
                        if (event.job_id != "skipped") { return; }
                        clock.advance(1min);
                        command(*this);
                    };
                }} {
        scheduler.add("job", cron("0 * * * * *"), [] {});
        scheduler.add({.id = "skipped"}, [] {});
        scheduler.start();
        scheduler.trigger("skipped");
        scheduler.trigger("skipped");
    }
};

} // namespace

TEST_CASE("what comes due while a command is on its way is accounted for once") {
    const auto command = GENERATE(0, 1, 2, 3, 4, 5);
    // An interval begins to count anew when it is updated.
    const auto is_interval = GENERATE(false, true);
    if (is_interval && command < 2) { return; }
    for (int before = 0; before < 60; ++before) {
        const Creeping clock;
        daybook::SchedulerOptions options;
        options.workers = 0;
        options.clock = clock;
        daybook::Scheduler<> scheduler{options};
        const auto job = [&](daybook::Overlap overlap) {
            return daybook::JobOptions{.id = "job",
                                       .schedule = is_interval ? daybook::Schedule{every(1min).from(monday - 1min)}
                                                               : daybook::Schedule{cron("0 * * * * *")},
                                       .overlap = overlap,
                                       .misfire = daybook::Misfire::run_all};
        };
        scheduler.add(job(daybook::Overlap::queue_all), [] {});
        scheduler.start();
        if (command == 3 || command == 5) { scheduler.pause("job"); }
        clock.pass(1min - std::chrono::microseconds{before});
        clock.state->creep = 1us;
        switch (command) {
        case 0: CHECK(scheduler.update(job(daybook::Overlap::allow))); break;
        case 1: CHECK(scheduler.add_or_replace(job(daybook::Overlap::allow), [] {})); break;
        case 2: CHECK(scheduler.pause("job")); break;
        case 3: CHECK(scheduler.resume("job")); break;
        case 4: CHECK(scheduler.pause_all() == 1); break;
        default: CHECK(scheduler.resume_all() == 1); break;
        }
        clock.state->creep = 0us;
        for (int i = 0; i < 5; ++i) {
            clock.pass(30s);
            while (scheduler.poll() != 0) {}
        }
        INFO("command " << command << ", " << before << " us before");
        CHECK(accounts(scheduler.log()) ==
              std::map<sys_time, std::uint64_t>{{monday + 1min, 1}, {monday + 2min, 1}, {monday + 3min, 1}});
    }
}

TEST_CASE("what comes due while a job is removed is accounted for at most once") {
    for (int before = 0; before < 60; ++before) {
        const Creeping clock;
        daybook::SchedulerOptions options;
        options.workers = 0;
        options.clock = clock;
        daybook::Scheduler<> scheduler{options};
        scheduler.add("job", cron("0 * * * * *"), [] {});
        scheduler.start();
        clock.pass(1min - std::chrono::microseconds{before});
        clock.state->creep = 1us;
        CHECK(scheduler.remove("job"));
        clock.state->creep = 0us;
        scheduler.poll();
        INFO(before << " us before");
        const auto counts = accounts(scheduler.log());
        CHECK(counts.size() <= 1);
        if (before < 3) { CHECK(counts == std::map<sys_time, std::uint64_t>{{monday + 1min, 1}}); }
    }
}

TEST_CASE("what came due before a pause still runs") {
    Bench bench;
    bench.scheduler.add("job", cron("0 * * * * *"), [] {});
    bench.scheduler.start();
    bench.clock.advance(1min);
    const bool all = GENERATE(false, true);
    if (all) {
        CHECK(bench.scheduler.pause_all() == 1);
    } else {
        CHECK(bench.scheduler.pause("job"));
    }
    bench.pass(1min, 1min);
    CHECK(bench.story("job") == "success skipped:paused");
}

TEST_CASE("what came due before a resume stays skipped") {
    Bench bench;
    bench.scheduler.add("job", cron("0 * * * * *"), [] {});
    bench.scheduler.start();
    bench.scheduler.pause("job");
    bench.clock.advance(1min);
    const bool all = GENERATE(false, true);
    if (all) {
        CHECK(bench.scheduler.resume_all() == 1);
    } else {
        CHECK(bench.scheduler.resume("job"));
    }
    bench.pass(1min, 1min);
    CHECK(bench.story("job") == "skipped:paused success");
}

TEST_CASE("a pause waits for no schedule, and what had come due runs") {
    Slow bench;
    bench.scheduler.add("same", cron("0 * * * * *"), [] {});
    bench.scheduler.add({.id = "later", .schedule = cron("10 * * * * *"), .overlap = daybook::Overlap::queue_all},
                        [] {});
    bench.scheduler.start();
    bench.hold_up();
    CHECK(bench.scheduler.pause("same"));
    bench.clock.advance(10s);
    CHECK(bench.scheduler.pause_all() == 2);
    bench.clock.advance(1s);
    CHECK_FALSE(bench.scheduler.wait_idle(0s));
    bench.go_on();
    CHECK(bench.story("same") == "success");
    CHECK(bench.story("later") == "success success"); // also at ten seconds
    CHECK(bench.scheduler.job("later")->next_run == monday + 2min + 10s);
}

TEST_CASE("a pause and a resume behind a slow schedule each have their part") {
    Slow bench;
    bench.scheduler.add(
        {.id = "job", .schedule = every(10s).from(monday - 10s), .overlap = daybook::Overlap::queue_all}, [] {});
    bench.scheduler.start();
    bench.hold_up();
    bench.clock.advance(11s);
    bench.scheduler.pause("job"); // at 1:10 it was due
    bench.go_on();
    bench.clock.advance(10s);
    REQUIRE(bench.scheduler.wait_idle(patience));
    bench.scheduler.resume("job");
    bench.clock.advance(10s);
    REQUIRE(bench.scheduler.wait_idle(patience));
    const auto records = bench.history("job");
    CHECK(records.back().scheduled_at == monday + 90s);
    CHECK(records.back().status == JobStatus::success);
    CHECK(records[records.size() - 2].reason == SkipReason::paused);
    CHECK(records[records.size() - 2].scheduled_at == monday + 80s);
    CHECK(records[records.size() - 3].status == JobStatus::success);
    CHECK(records[records.size() - 3].scheduled_at == monday + 70s);
}

TEST_CASE("a pause that is given in a hook leaves what had come due to run") {
    Hooked bench{[](Hooked& self) { CHECK(self.scheduler.pause("job")); }};
    CHECK(bench.scheduler.until_due() == 0ns);
    bench.scheduler.poll();
    bench.pass(1min, 1min);
    CHECK(bench.story("job") == "success skipped:paused");
}

TEST_CASE("an update that is given in a hook leaves what had come due to the old plan") {
    Hooked bench{[](Hooked& self) {
        CHECK(self.scheduler.update({.id = "job", .schedule = cron("30 * * * * *"), .parameters = "new"}));
    }};
    bench.scheduler.poll();
    bench.pass(30s);
    const auto records = bench.history("job");
    REQUIRE(records.size() == 2);
    CHECK(records[0].scheduled_at == monday + 60s);
    CHECK(records[0].parameters.empty());
    CHECK(records[1].scheduled_at == monday + 90s);
    CHECK(records[1].parameters == "new");
}

TEST_CASE("a removal that is given in a hook accounts for what had come due") {
    Hooked bench{[](Hooked& self) { CHECK(self.scheduler.remove("job")); }};
    bench.scheduler.poll();
    CHECK(bench.story("job") == "skipped:removed");
    CHECK(bench.scheduler.wait_idle(0s));
}

TEST_CASE("a stop accounts for what a command in a hook has left") {
    Hooked bench{[](Hooked& self) { CHECK(self.scheduler.pause("job")); }};
    CHECK(bench.scheduler.stop().has_stopped());
    CHECK(bench.story("job") == "skipped:shutdown");
}

TEST_CASE("a schedule may pause, update and remove the job that it is asked for") {
    const auto workers = GENERATE(0U, 1U);
    Bench bench{workers};
    int asked = 0;
    const auto settle = [&] {
        if (workers == 0) { bench.scheduler.poll(); }
        REQUIRE(bench.scheduler.wait_idle(patience));
    };
    bench.scheduler.add("job", Asked{[&](sys_time after) {
                            switch (++asked) {
                            case 3: CHECK(bench.scheduler.pause("job")); break;
                            case 4: CHECK(bench.scheduler.resume("job")); break;
                            case 5: CHECK(bench.scheduler.update({.id = "job", .schedule = every(1min)})); break;
                            default: break;
                            }
                            return each_minute(after);
                        }},
                        [] {});
    bench.scheduler.start();
    for (int i = 0; i < 4; ++i) {
        bench.clock.advance(1min);
        settle();
    }
    CHECK(bench.story("job") == "success skipped:paused success success");
    CHECK(bench.scheduler.remove("job"));
    settle();
}

TEST_CASE("a stop that is given in a hook accounts for what had come due") {
    std::optional<Bench> bench;
    bench.emplace(0, [&](daybook::SchedulerOptions& options) {
        options.hooks.on_skip = [&](const daybook::JobEvent& event) {
            if (event.job_id != "manual") { return; }
            bench->clock.advance(5s);
            bench->scheduler.request_stop();
        };
    });
    bench->scheduler.add("ticking", daybook::every(1s), [] {});
    bench->scheduler.add({.id = "manual"}, [] {});
    bench->scheduler.start();
    bench->scheduler.trigger("manual");
    bench->scheduler.trigger("manual"); // refused by the overlap policy
    bench->scheduler.poll();
    CHECK(bench->story("ticking") == "skipped:shutdown*5");
}

TEST_CASE("what is ready does not wait for a hook that is called for something else") {
    std::binary_semaphore has_run{0};
    std::binary_semaphore was_told{0};
    std::atomic<bool> came_first{false};
    daybook::ManualClock clock;
    auto options = bench::driven(clock, 2);
    options.hooks.on_skip = [&](const daybook::JobEvent&) {
        came_first = has_run.try_acquire_for(bench::patience);
        was_told.release();
    };
    daybook::Scheduler<> scheduler{options};
    scheduler.add("ready", daybook::every(1s), [&] { has_run.release(); });
    scheduler.add({.id = "skipped", .schedule = daybook::every(1s)}, [] {});
    scheduler.pause("skipped");
    scheduler.start();
    clock.advance(1s);
    CHECK(was_told.try_acquire_for(bench::patience));
    CHECK(came_first);
    CHECK(scheduler.stop(bench::patience).has_stopped());
}

TEST_CASE("a start that fails halfway may be called again") {
    struct Hungry {
        std::shared_ptr<int> meals;
        std::optional<daybook::sys_time> next(daybook::sys_time after) const {
            if (--*meals == 0) { throw std::bad_alloc{}; }
            return after + 1s;
        }
    };
    Bench bench;
    bench.scheduler.add("before", daybook::every(1s), [] {});
    bench.scheduler.add("hungry", daybook::Schedule{Hungry{std::make_shared<int>(2)}}, [] {});
    bench.scheduler.add("later", daybook::every(1s), [] {});
    CHECK_THROWS_AS(bench.scheduler.start(), std::bad_alloc);
    CHECK_FALSE(bench.scheduler.health().is_started);
    bench.scheduler.start();
    bench.pass(2s);
    for (const char* const id : {"before", "hungry", "later"}) { CHECK(bench.story(id) == "success success"); }
}
