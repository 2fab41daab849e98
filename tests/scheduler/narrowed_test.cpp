// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace bench;
using daybook::at;
using daybook::Calendar;
using daybook::cron;
using daybook::every;
using daybook::JobState;
using daybook::Misfire;
using daybook::Schedule;
using daybook::sys_time;

namespace {

using Seconds = std::vector<double>;

/// The nominal times of a job's executions, in seconds after the start.
Seconds nominal(Bench& bench, std::string_view job = "job") {
    Seconds result;
    for (const auto& record : bench.history(job)) {
        if (record.scheduled_at && record.status == JobStatus::success) {
            result.push_back(std::chrono::duration<double>{*record.scheduled_at - monday}.count());
        }
    }
    return result;
}

/// When they began.
Seconds started(Bench& bench, std::string_view job = "job") {
    Seconds result;
    for (const auto& record : bench.history(job)) {
        if (record.started_at) { result.push_back(std::chrono::duration<double>{*record.started_at - monday}.count()); }
    }
    return result;
}

void add(Bench& bench, Schedule schedule) {
    bench.scheduler.add({.id = "job", .schedule = std::move(schedule)}, [] {});
    bench.scheduler.start();
}

const auto each_ten = cron("*/10 * * * * *");

} // namespace

TEST_CASE("a schedule with a window runs within it, and is then over") {
    Bench bench;
    add(bench, each_ten.from(monday + 25s).until(monday + 50s));
    CHECK(bench.scheduler.job("job")->next_run == monday + 30s);
    bench.pass(2min);
    CHECK(nominal(bench) == Seconds{30, 40, 50});
    CHECK(bench.scheduler.job("job")->state == JobState::completed);
}

TEST_CASE("times counts from the start of the scheduler, or from an instant") {
    Bench bench;
    bench.scheduler.add("anchored", each_ten.from(monday - 20s).times(5), [] {});
    bench.scheduler.add("free", each_ten.times(3), [] {});
    bench.pass(15s); // pending: nothing is due before the start
    bench.scheduler.start();
    bench.pass(2min);
    CHECK(nominal(bench, "anchored") == Seconds{20}); // -20, -10, 0 and 10 were before it
    CHECK(nominal(bench, "free") == Seconds{20, 30, 40});
    CHECK(bench.scheduler.job("free")->state == JobState::completed);
}

TEST_CASE("times counts what is skipped, and not what is triggered") {
    Bench bench;
    add(bench, each_ten.times(3));
    bench.scheduler.pause("job");
    bench.pass(15s);
    bench.scheduler.resume("job");
    bench.scheduler.trigger("job");
    bench.pass(1min);
    CHECK(bench.story("job") == "skipped:paused success success success");
    CHECK(nominal(bench) == Seconds{20, 30});
}

TEST_CASE("times bounds what is made good after the clock was set forward") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = each_ten.times(5), .misfire = Misfire::run_all, .max_catch_up = 100},
                        [] {});
    bench.scheduler.start();
    bench.pass(10s);
    bench.clock.step(10min);
    bench.scheduler.poll();
    bench.pass(1min);
    CHECK(nominal(bench) == Seconds{10, 20, 30, 40, 50});
}

TEST_CASE("occurrences beyond a bound are not skipped: there are none") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = each_ten.until(monday + 40s), .misfire = Misfire::skip}, [] {});
    bench.scheduler.start();
    bench.clock.step(10min);
    bench.scheduler.poll();
    bench.pass(1min);
    CHECK(bench.story("job") == "skipped:misfire*4");
}

TEST_CASE("what a calendar excludes leaves no record") {
    Bench bench;
    add(bench, each_ten.except([](sys_time due) { return due == monday + 20s; }));
    bench.pass(30s);
    CHECK(bench.story("job") == "success success");
    CHECK(nominal(bench) == Seconds{10, 30});
}

TEST_CASE("a calendar that throws ends the schedule, and the job says why") {
    Bench bench;
    add(bench, each_ten.except([](sys_time due) -> bool {
        if (due > monday + 20s) { throw std::runtime_error{"no such calendar"}; }
        return false;
    }));
    bench.pass(1min);
    CHECK(nominal(bench) == Seconds{10, 20});
    CHECK(bench.scheduler.job("job")->schedule_error == "no such calendar");
    CHECK(bench.scheduler.job("job")->state == JobState::failed);
}

TEST_CASE("jitter delays the start by its bound at most, and the record keeps the nominal time") {
    Bench bench;
    add(bench, each_ten.jitter(5s, 3));
    const sys_time due = each_ten.jitter(5s, 3).due(monday + 10s);
    CHECK(bench.scheduler.job("job")->next_run == due);
    bench.pass(105s, 100ms);
    const Seconds planned = nominal(bench);
    const Seconds actual = started(bench);
    REQUIRE(planned.size() == 10);
    double sum = 0;
    for (std::size_t i = 0; i < planned.size(); ++i) {
        CHECK(planned[i] == 10.0 * static_cast<double>(i + 1));
        CHECK(actual[i] >= planned[i]);
        CHECK(actual[i] <= planned[i] + 5.1);
        sum += actual[i] - planned[i];
    }
    CHECK(sum > 5); // ten delays between 0 and 5 s
}

TEST_CASE("waiting for its jitter makes no occurrence late") {
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.misfire = Misfire::skip; }};
    add(bench, each_ten.jitter(8s, 1));
    bench.pass(10min, 100ms);
    for (const auto& record : bench.history("job")) { CHECK(record.status == JobStatus::success); }
}

TEST_CASE("jitter longer than the distance between occurrences keeps their order and loses none") {
    Seconds expected;
    for (int i = 1; i <= 60; ++i) { expected.push_back(i); }
    for (const Schedule& schedule :
         {cron("* * * * * *").jitter(10s, 5).times(60), every(1s).jitter(10s, 5).times(60)}) {
        Bench bench{0, [](daybook::SchedulerOptions& options) {
                        options.overlap = daybook::Overlap::queue_all;
                        options.misfire = Misfire::skip;
                    }};
        add(bench, schedule);
        bench.pass(90s, 100ms);
        CHECK(nominal(bench) == expected);
    }
}

TEST_CASE("intervals wait out their jitter, too") {
    Bench bench;
    add(bench, every(10s).jitter(4s, 9));
    bench.pass(105s, 100ms);
    const Seconds planned = nominal(bench);
    CHECK(planned == Seconds{10, 20, 30, 40, 50, 60, 70, 80, 90, 100});
    const Seconds actual = started(bench);
    CHECK(actual != planned);
    for (std::size_t i = 0; i < planned.size(); ++i) {
        CHECK(actual[i] >= planned[i]);
        CHECK(actual[i] <= planned[i] + 4.1);
    }
}

TEST_CASE("an interval that counts from an instant to come begins with it") {
    Bench bench;
    add(bench, every(10s).from(monday + 25s).times(3));
    CHECK(bench.scheduler.job("job")->next_run == monday + 25s);
    bench.pass(2min);
    CHECK(nominal(bench) == Seconds{25, 35, 45});
    CHECK(bench.scheduler.job("job")->state == JobState::completed);
}

TEST_CASE("an interval that counts from the past goes on in step with it") {
    Bench bench;
    add(bench, every(1min).from(monday - 24h + 7s).until(monday + 3min));
    bench.pass(10min);
    CHECK(nominal(bench) == Seconds{7, 67, 127});
}

TEST_CASE("an interval waits for its instant on the wall clock, and goes on by the steady one") {
    Bench bench;
    add(bench, every(10s).from(monday + 1h));
    bench.clock.step(1h - 5s);
    bench.pass(20s);
    CHECK(nominal(bench) == Seconds{3600, 3610});
    bench.clock.step(-30min);
    bench.pass(10s);
    CHECK(bench.history("job").size() == 3); // half an hour back is nothing to a steady clock
}

TEST_CASE("an interval has its number of occurrences, also when most of them were missed") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = every(1s).times(100), .misfire = Misfire::skip}, [] {});
    bench.scheduler.start();
    bench.clock.advance(1h);
    bench.scheduler.poll();
    bench.pass(1min);
    CHECK(bench.story("job") == "skipped:misfire*100");
    CHECK(bench.scheduler.job("job")->state == JobState::completed);
}

TEST_CASE("a million missed intervals are counted within their bounds") {
    for (const bool by_count : {true, false}) {
        Bench bench;
        const Schedule schedule = by_count ? every(1ms).times(1'000'000) : every(1ms).until(monday + 1000s);
        bench.scheduler.add({.id = "job", .schedule = schedule, .misfire = Misfire::skip}, [] {});
        bench.scheduler.start();
        bench.clock.advance(1h);
        bench.scheduler.poll();
        CHECK(bench.story("job") == "skipped:misfire*1000000");
        CHECK(bench.scheduler.job("job")->state == JobState::completed);
    }
}

TEST_CASE("an interval rests when its calendar says so, and goes on in step") {
    Bench bench;
    add(bench, every(10s).except(Calendar{cron("20-59 * * * * *")}));
    bench.pass(80s);
    CHECK(nominal(bench) == Seconds{10, 60, 70});
}

TEST_CASE("an interval after completion keeps its bounds") {
    Bench bench;
    add(bench, every(10s).after_completion().times(3));
    bench.pass(2min);
    CHECK(nominal(bench) == Seconds{10, 20, 30});
    CHECK(bench.scheduler.job("job")->state == JobState::completed);

    Bench until;
    add(until, every(10s).after_completion().from(monday + 5s).until(monday + 30s));
    until.pass(2min);
    CHECK(nominal(until) == Seconds{5, 15, 25});
    CHECK(until.scheduler.job("job")->state == JobState::completed);
}

TEST_CASE("an interval after completion rests when its calendar says so") {
    Bench bench;
    add(bench, every(10s).after_completion().except(Calendar{cron("15-44 * * * * *")}));
    bench.pass(80s);
    CHECK(nominal(bench) == Seconds{10, 50, 60, 70});
}

TEST_CASE("a single instant within its bounds runs once, and outside them never") {
    Bench bench;
    bench.scheduler.add("runs", at(monday + 10s).jitter(3s, 1).until(monday + 10s), [] {});
    bench.scheduler.add("does not", at(monday + 10s).until(monday + 9s), [] {});
    bench.scheduler.add("past", at(monday - 10s).from(monday - 1min), [] {});
    bench.scheduler.start();
    bench.pass(20s);
    CHECK(bench.story("runs") == "success");
    CHECK(bench.story("does not").empty());
    CHECK(bench.scheduler.job("does not")->state == JobState::completed);
    CHECK(bench.story("past") == "success");
}

TEST_CASE("a union runs each of its instants once") {
    Bench bench;
    add(bench, daybook::any_of(cron("*/20 * * * * *"), cron("*/30 * * * * *"), at(monday + 45s)));
    bench.pass(1min);
    CHECK(nominal(bench) == Seconds{20, 30, 40, 45, 60});
}

TEST_CASE("the clock set back runs nothing twice of what is narrowed") {
    Bench bench;
    add(bench, each_ten.until(monday + 60s).jitter(2s, 4));
    bench.pass(35s);
    bench.clock.step(-20s);
    bench.pass(2min);
    CHECK(nominal(bench) == Seconds{10, 20, 30, 40, 50, 60});
}

TEST_CASE("after the clock was set forward by years, a bounded schedule that is frequent is counted exactly") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = cron("* * * * * *").times(50'000), .misfire = Misfire::skip}, [] {});
    bench.scheduler.start();
    bench.clock.step(std::chrono::years{20});
    bench.scheduler.poll();
    CHECK(bench.story("job") == "skipped:misfire*50000");
    CHECK_FALSE(bench.history("job").at(0).skip_count_is_minimum);
    CHECK(bench.scheduler.job("job")->state == JobState::completed);
}

TEST_CASE("a schedule of the program's own may ask the scheduler, also as a part of a union") {
    struct Asking {
        daybook::Scheduler<>* scheduler;
        [[nodiscard]] std::optional<sys_time> next(sys_time after) const {
            (void)scheduler->jobs();
            return std::chrono::floor<std::chrono::minutes>(after) + 1min;
        }
    };
    Bench bench;
    add(bench, daybook::any_of(Schedule{Asking{&bench.scheduler}}, each_ten));
    bench.pass(60s);
    CHECK(nominal(bench) == Seconds{10, 20, 30, 40, 50, 60});
}

TEST_CASE("a trigger before an interval after completion has begun starts nothing but itself") {
    Bench bench;
    add(bench, every(1min).after_completion().from(monday + 1h));
    bench.pass(5s);
    bench.scheduler.trigger("job");
    bench.pass(10min);
    CHECK(bench.story("job") == "success");
    bench.pass(1h);
    CHECK(nominal(bench).front() == 3600);
    for (const auto& record : bench.history("job")) { CHECK(record.status == JobStatus::success); }
}

TEST_CASE("an interval that waits for its instant waits out its jitter from there") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        for (const Schedule& schedule : {Schedule{every(1min)}, Schedule{every(1min).after_completion()}}) {
            Bench bench{0, [](daybook::SchedulerOptions& options) { options.misfire = Misfire::skip; }};
            add(bench, schedule.from(monday + 30s).jitter(20s, seed));
            bench.pass(55s, 100ms);
            CHECK(bench.story("job") == "success");
        }
    }
}

TEST_CASE("what a calendar excluded before the start does not count as had") {
    Bench bench;
    add(bench,
        every(1h).from(monday - 48h).times(10).except(Calendar{}.add(std::chrono::Saturday).add(std::chrono::Sunday)));
    bench.pass(24h, 10min);
    CHECK(nominal(bench).size() == 9); // the one at midnight was before the start
}

TEST_CASE("two steps back of two hours, with hours between them, run nothing twice") {
    Bench bench;
    add(bench, cron("0 * * * *"));
    bench.pass(3h, 1min);
    bench.clock.step(-2h);
    bench.pass(4h, 1min);
    bench.clock.step(-2h);
    bench.pass(4h, 1min);
    const Seconds times = nominal(bench);
    CHECK(std::ranges::is_sorted(times));
    CHECK(std::ranges::adjacent_find(times) == times.end());
}

TEST_CASE("the next run is one on which the job does not rest") {
    Bench bench;
    add(bench, every(1h).except(Calendar{}.add(std::chrono::Monday)));
    CHECK(bench.scheduler.job("job")->next_run == monday + 24h);
}
