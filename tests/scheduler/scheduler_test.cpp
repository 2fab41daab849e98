// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <variant>

using namespace bench;
using daybook::at;
using daybook::cron;
using daybook::every;
using daybook::JobContext;
using daybook::JobState;
using daybook::Trigger;
using daybook::TriggerOutcome;

namespace {

std::string refusal(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::exception& error) { return error.what(); }
    return "nothing";
}

bool mentions(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

std::string free_function() { return "from a function"; }

} // namespace

TEST_CASE("a cron job runs at its instants and nowhere else") {
    Bench bench;
    std::vector<daybook::sys_time> ran;
    bench.scheduler.add("job", cron("*/20 * * * * *"), [&] { ran.push_back(bench.clock.now()); });
    bench.scheduler.start();
    bench.pass(61s);
    CHECK(ran == std::vector<daybook::sys_time>{monday + 20s, monday + 40s, monday + 60s});
}

TEST_CASE("a record of a scheduled execution knows its nominal time and what made it due") {
    Bench bench;
    bench.scheduler.add("job", cron("0 * * * * *"), [] { return "done"; });
    bench.scheduler.start();
    bench.pass(60s, 60s);
    const auto records = bench.history("job");
    REQUIRE(records.size() == 1);
    CHECK(records[0].scheduled_at == monday + 60s);
    CHECK(records[0].trigger == Trigger::schedule);
    CHECK(records[0].status == JobStatus::success);
    CHECK(records[0].result == "done");
    CHECK(records[0].attempt_number == 1);
    CHECK(records[0].is_final);
    CHECK(records[0].handler_id == "job");
    CHECK(records[0].occurrence_id == records[0].id);
}

TEST_CASE("an interval runs once each period, counted from the start of the scheduler") {
    Bench bench;
    std::vector<daybook::sys_time> ran;
    bench.scheduler.add("job", every(10s), [&] { ran.push_back(bench.clock.now()); });
    bench.clock.advance(3s);
    bench.scheduler.start();
    bench.pass(25s);
    CHECK(ran == std::vector<daybook::sys_time>{monday + 13s, monday + 23s});
}

TEST_CASE("an interval that is shorter than the tolerance keeps all its occurrences apart") {
    Bench bench{0, [](auto& options) { options.overlap = daybook::Overlap::queue_all; }};
    bench.scheduler.add("job", every(100ms), [] {});
    bench.scheduler.start();
    bench.pass(1s, 1s);
    const auto records = bench.history("job");
    REQUIRE(records.size() == 10);
    for (int i = 0; i < 10; ++i) {
        CHECK(records[static_cast<std::size_t>(i)].scheduled_at == monday + (i + 1) * 100ms);
    }
}

TEST_CASE("an interval after completion counts from the end of the job") {
    Bench bench;
    std::vector<daybook::sys_time> ran;
    bench.scheduler.add("job", every(10s).after_completion(), [&] {
        ran.push_back(bench.clock.now());
        bench.clock.advance(5s);
    });
    bench.scheduler.start();
    bench.pass(30s);
    CHECK(ran == std::vector<daybook::sys_time>{monday + 10s, monday + 25s, monday + 40s});
}

TEST_CASE("an interval after completion goes on when its occurrence was skipped") {
    Bench bench;
    bench.scheduler.add("job", every(10s).after_completion(), [] {});
    bench.scheduler.start();
    bench.scheduler.pause("job");
    bench.pass(25s);
    bench.scheduler.resume("job");
    bench.pass(10s);
    CHECK(bench.story("job") == "skipped:paused*2 success");
}

TEST_CASE("an instant runs once, on either clock") {
    Bench bench;
    bench.scheduler.add("wall", at(monday + 10s), [] {});
    bench.scheduler.add("steady", at(bench.clock.steady_now() + 10s), [] {});
    bench.scheduler.start();
    bench.pass(9s);
    CHECK(bench.history("").empty());
    bench.pass(30s);
    CHECK(bench.story("wall") == "success");
    CHECK(bench.story("steady") == "success");
}

TEST_CASE("an instant of the wall clock follows that clock, one of the steady clock does not") {
    Bench bench;
    bench.scheduler.add("wall", at(monday + 1h), [] {});
    bench.scheduler.add("steady", at(bench.clock.steady_now() + 1h), [] {});
    bench.scheduler.start();
    bench.clock.step(1h);
    bench.scheduler.poll();
    CHECK(bench.story("wall") == "success");
    CHECK(bench.story("steady").empty());
}

TEST_CASE("what is due earlier runs earlier, at the same time in the order of being added") {
    Bench bench;
    std::string order;
    bench.scheduler.add("c", at(monday + 2s), [&] { order += 'c'; });
    bench.scheduler.add("b", at(monday + 1s), [&] { order += 'b'; });
    bench.scheduler.add("a", at(monday + 1500ms), [&] { order += 'a'; });
    bench.scheduler.start();
    bench.clock.advance(2s);
    CHECK(bench.scheduler.poll() == 3);
    CHECK(order == "bac");
}

TEST_CASE("nothing runs before the start, and what comes due before it does not count") {
    Bench bench;
    bench.scheduler.add("job", cron("* * * * * *"), [] {});
    bench.pass(10s);
    CHECK(bench.history("job").empty());
    bench.scheduler.start();
    bench.pass(2s);
    CHECK(bench.story("job") == "success success");
}

TEST_CASE("a job that is added after the start is due from then on") {
    Bench bench;
    bench.scheduler.start();
    bench.pass(90s, 90s);
    bench.scheduler.add("job", cron("0 * * * * *"), [] {});
    REQUIRE(bench.scheduler.job("job"));
    CHECK(bench.scheduler.job("job")->next_run == monday + 120s);
    bench.pass(30s);
    CHECK(bench.story("job") == "success");
}

TEST_CASE("next_run of an interval is told by the wall clock as it stands") {
    Bench bench;
    bench.scheduler.add("job", every(10s), [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.job("job")->next_run == monday + 10s);
    bench.clock.step(1h);
    CHECK(bench.scheduler.job("job")->next_run == monday + 1h + 10s);
}

TEST_CASE("a job goes through its states") {
    Bench bench;
    std::optional<JobState> inside;
    bench.scheduler.add("job", at(monday + 10s), [&] { inside = bench.scheduler.job("job")->state; });
    const auto state = [&] { return bench.scheduler.job("job")->state; };
    CHECK(state() == JobState::pending);
    bench.scheduler.start();
    CHECK(state() == JobState::scheduled);
    bench.scheduler.pause("job");
    CHECK(state() == JobState::paused);
    bench.scheduler.resume("job");
    CHECK(state() == JobState::scheduled);
    bench.scheduler.trigger("job");
    CHECK(state() == JobState::pending);
    bench.scheduler.poll();
    CHECK(inside == JobState::executing);
    CHECK(state() == JobState::scheduled);
    bench.pass(10s);
    CHECK(state() == JobState::completed);
    CHECK_FALSE(bench.scheduler.job("job")->next_run);
}

TEST_CASE("a job whose schedule is over has failed when its last execution did") {
    Bench bench;
    bench.scheduler.add("job", at(monday + 1s), [] { throw 1; });
    bench.scheduler.start();
    bench.pass(1s);
    CHECK(bench.scheduler.job("job")->state == JobState::failed);
    CHECK(bench.scheduler.job("job")->last_status == JobStatus::error);
}

TEST_CASE("a job that is over is forgotten after its retention, and its callable destroyed") {
    Bench bench{0, [](auto& options) { options.completed_job_retention = 1min; }};
    auto held = std::make_shared<int>(1);
    bench.scheduler.add("job", at(monday + 1s), [held] {});
    bench.scheduler.start();
    bench.pass(1s);
    bench.pass(59s, 59s);
    CHECK(bench.scheduler.job("job"));
    bench.pass(1s);
    CHECK_FALSE(bench.scheduler.job("job"));
    CHECK(held.use_count() == 1);
    bench.scheduler.add("job", every(1s), [] {});
    CHECK(bench.scheduler.job("job")->state == JobState::scheduled);
}

TEST_CASE("a trigger of a job that is over keeps it for another retention") {
    Bench bench{0, [](auto& options) { options.completed_job_retention = 1min; }};
    bench.scheduler.add("job", at(monday + 1s), [] {});
    bench.scheduler.start();
    bench.pass(1s);
    bench.pass(40s, 40s);
    CHECK(bench.scheduler.trigger("job"));
    bench.scheduler.poll();
    bench.pass(40s, 40s);
    CHECK(bench.scheduler.job("job"));
    bench.pass(20s, 20s);
    CHECK_FALSE(bench.scheduler.job("job"));
}

TEST_CASE("a schedule that never comes due again is over when its job is added") {
    Bench bench{0, [](auto& options) { options.completed_job_retention = 1min; }};
    bench.scheduler.start();
    bench.scheduler.add("job", cron("0 0 0 1 1 ? 2020"), [] {});
    CHECK(bench.scheduler.job("job")->state == JobState::completed);
    bench.pass(1min, 1min);
    CHECK_FALSE(bench.scheduler.job("job"));
}

TEST_CASE("a job without a schedule waits to be triggered, for ever") {
    Bench bench{0, [](auto& options) { options.completed_job_retention = 1s; }};
    bench.scheduler.add({.id = "job"}, [] {});
    bench.scheduler.start();
    bench.pass(10s);
    CHECK(bench.scheduler.job("job")->state == JobState::scheduled);
    CHECK(bench.scheduler.job("job")->schedule == "never");
    CHECK(bench.scheduler.trigger("job"));
    bench.scheduler.poll();
    bench.pass(10s);
    CHECK(bench.story("job") == "success");
    CHECK(bench.scheduler.job("job"));
}

TEST_CASE("a trigger answers with the id of the record that it made") {
    Bench bench;
    bench.scheduler.add("job", every(1h), [] {});
    bench.scheduler.start();
    const auto report = bench.scheduler.trigger("job");
    CHECK(report.outcome == TriggerOutcome::queued);
    CHECK(static_cast<bool>(report));
    REQUIRE(bench.scheduler.log().find(report.id));
    CHECK(bench.scheduler.log().find(report.id)->status == JobStatus::queued);
    bench.scheduler.poll();
    const auto record = bench.scheduler.log().find(report.id);
    CHECK(record->status == JobStatus::success);
    CHECK(record->trigger == Trigger::manual);
    CHECK_FALSE(record->scheduled_at);
}

TEST_CASE("a trigger of an unknown id says so") {
    Bench bench;
    bench.scheduler.start();
    CHECK(bench.scheduler.trigger("nobody").outcome == TriggerOutcome::unknown_job);
    CHECK(bench.scheduler.trigger("").id == 0);
    CHECK_FALSE(bench.scheduler.pause("nobody"));
    CHECK_FALSE(bench.scheduler.resume("nobody"));
    CHECK_FALSE(bench.scheduler.remove("nobody"));
    CHECK_FALSE(bench.scheduler.job("nobody"));
}

TEST_CASE("a trigger runs a job that is paused") {
    Bench bench;
    bench.scheduler.add("job", every(1h), [] {});
    bench.scheduler.start();
    bench.scheduler.pause("job");
    CHECK(bench.scheduler.trigger("job"));
    bench.scheduler.poll();
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a trigger of a job that is in progress follows its overlap policy") {
    Bench bench;
    bench.scheduler.add("job", every(1h), [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.trigger("job"));
    const auto second = bench.scheduler.trigger("job");
    CHECK(second.outcome == TriggerOutcome::skipped);
    CHECK(bench.scheduler.log().find(second.id)->reason == SkipReason::overlap);
    bench.scheduler.poll();
    CHECK(bench.story("job") == "success skipped:overlap");
}

TEST_CASE("a trigger at a nominal time is an occurrence of its own") {
    Bench bench{0, [](auto& options) { options.overlap = daybook::Overlap::queue_all; }};
    bench.scheduler.add("job", every(10s), [] {});
    bench.scheduler.start();
    bench.clock.advance(10s);
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    const auto records = bench.history("job");
    REQUIRE(records.size() == 2);
    CHECK(records[0].occurrence_id != records[1].occurrence_id);
    CHECK(records[0].trigger == Trigger::manual);
    CHECK(records[1].scheduled_at == monday + 10s);
}

TEST_CASE("a trigger before the start waits for it, and leaves the schedule as it is") {
    Bench bench{1};
    std::binary_semaphore ran{0};
    bench.scheduler.add("job", every(10s), [&] { ran.release(); });
    CHECK(bench.scheduler.trigger("job"));
    CHECK(bench.scheduler.job("job")->queued == 1);
    bench.scheduler.start();
    ran.acquire();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.job("job")->next_run == monday + 10s);
}

TEST_CASE("a job that is polled before the start is still on schedule afterwards") {
    Bench bench{0, [](auto& options) { options.completed_job_retention = 1s; }};
    bench.scheduler.add("fixed", every(10s), [] {});
    bench.scheduler.add("after", every(10s).after_completion(), [] {});
    bench.scheduler.trigger("fixed");
    bench.scheduler.trigger("after");
    CHECK(bench.scheduler.poll() == 2);
    bench.pass(5s);
    bench.scheduler.start();
    bench.pass(20s);
    CHECK(bench.story("fixed") == "success success success");
    CHECK(bench.story("after") == "success success success");
}

TEST_CASE("a trigger after the stop says that it is stopped") {
    Bench bench;
    bench.scheduler.add("job", every(10s), [] {});
    bench.scheduler.start();
    bench.scheduler.stop();
    CHECK(bench.scheduler.trigger("job").outcome == TriggerOutcome::stopped);
    CHECK(bench.history("job").empty());
}

TEST_CASE("a paused job's occurrences are one skip record with a count") {
    Bench bench;
    bench.scheduler.add("job", cron("*/10 * * * * *"), [] {});
    bench.scheduler.start();
    bench.pass(10s);
    CHECK(bench.scheduler.pause("job"));
    CHECK(bench.scheduler.job("job")->is_paused);
    bench.pass(50s);
    CHECK(bench.scheduler.resume("job"));
    bench.pass(10s);
    CHECK(bench.story("job") == "success skipped:paused*5 success");
    CHECK(bench.history("job")[1].scheduled_at == monday + 20s);
    CHECK(bench.scheduler.log().stats().skipped_count == 5);
}

TEST_CASE("a removed job is gone, and a new one may have its id") {
    Bench bench;
    int first = 0;
    int second = 0;
    bench.scheduler.add("job", every(1s), [&] { ++first; });
    bench.scheduler.start();
    bench.pass(2s);
    CHECK(bench.scheduler.remove("job"));
    CHECK_FALSE(bench.scheduler.job("job"));
    CHECK(bench.scheduler.jobs().empty());
    CHECK_FALSE(bench.scheduler.remove("job"));
    bench.pass(2s);
    bench.scheduler.add("job", every(1s), [&] { ++second; });
    bench.pass(3s);
    CHECK(first == 2);
    CHECK(second == 3);
}

TEST_CASE("what waits when its job is removed is skipped") {
    Bench bench{0, [](auto& options) { options.overlap = daybook::Overlap::queue_all; }};
    bench.scheduler.add("job", every(1h), [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.trigger("job");
    bench.scheduler.trigger("job");
    bench.scheduler.remove("job");
    CHECK(bench.scheduler.poll() == 0);
    for (const auto& record : bench.history("job")) {
        CHECK(record.status == JobStatus::skipped);
        CHECK(record.reason == SkipReason::removed);
    }
    CHECK(bench.scheduler.log().stats().skipped_count == 3);
}

TEST_CASE("what runs when its job is removed finishes, and is listed until then") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    std::binary_semaphore may_end{0};
    bench.scheduler.add("b", every(1h), [&] {
        begun.release();
        may_end.acquire();
    });
    bench.scheduler.add("a", every(1h), [] {});
    bench.scheduler.add("c", every(1h), [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("b");
    begun.acquire();
    CHECK(bench.scheduler.remove("b"));
    const auto jobs = bench.scheduler.jobs();
    REQUIRE(jobs.size() == 3);
    CHECK(jobs[1].id == "b");
    CHECK(jobs[1].state == JobState::removed);
    CHECK_FALSE(jobs[1].next_run);
    may_end.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("b") == "success");
    CHECK(bench.scheduler.jobs().size() == 2);
}

TEST_CASE("jobs are listed by id, with what they were added with") {
    Bench bench;
    bench.scheduler.add("b", cron("30 0 9 * * *"), [] {});
    bench.scheduler.add({.id = "a",
                         .handler_id = "handler",
                         .method_name = "method",
                         .schedule = every(90s),
                         .timeout = 5s,
                         .overlap = daybook::Overlap::allow,
                         .misfire = daybook::Misfire::skip},
                        [] {});
    const auto jobs = bench.scheduler.jobs();
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[0].id == "a");
    CHECK(jobs[0].handler_id == "handler");
    CHECK(jobs[0].method_name == "method");
    CHECK(jobs[0].schedule == "every 90s");
    CHECK(jobs[0].timeout == 5s);
    CHECK(jobs[0].overlap == daybook::Overlap::allow);
    CHECK(jobs[0].misfire == daybook::Misfire::skip);
    CHECK(jobs[1].handler_id == "b");
    CHECK(jobs[1].schedule == "30 0 9 * * *");
}

TEST_CASE("an id that is taken is refused, and the job that has it goes on") {
    Bench bench;
    bench.scheduler.add("job", every(1s), [] {});
    bench.scheduler.start();
    auto held = std::make_shared<int>();
    const auto what = refusal([&] { bench.scheduler.add("job", every(5s), [held] {}); });
    CHECK(mentions(what, "job"));
    CHECK(mentions(what, "already"));
    CHECK(held.use_count() == 1);
    CHECK_THROWS_AS(bench.scheduler.add("job", every(5s), [] {}), std::invalid_argument);
    bench.pass(2s);
    CHECK(bench.story("job") == "success success");
    bench.scheduler.add("another", every(1s), [] {});
    bench.pass(1s);
    CHECK(bench.story("another") == "success");
}

TEST_CASE("an id that is empty or too long is refused") {
    Bench bench;
    CHECK_THROWS_AS(bench.scheduler.add("", every(1s), [] {}), std::invalid_argument);
    CHECK_THROWS_AS(bench.scheduler.add(std::string(256, 'x'), every(1s), [] {}), std::invalid_argument);
    CHECK_NOTHROW(bench.scheduler.add(std::string(255, 'x'), every(1s), [] {}));
    CHECK_THROWS_AS(bench.scheduler.add({.id = "a", .handler_id = std::string(256, 'x')}, [] {}),
                    std::invalid_argument);
    CHECK_THROWS_AS(bench.scheduler.add({.id = "a", .method_name = std::string(256, 'x')}, [] {}),
                    std::invalid_argument);
    CHECK_THROWS_AS(bench.scheduler.add({.id = "a", .timeout = -1ns}, [] {}), std::invalid_argument);
    CHECK(bench.scheduler.jobs().size() == 1);
}

TEST_CASE("options out of their range are refused with their name") {
    const auto what = [](const std::function<void(daybook::SchedulerOptions&)>& spoil) {
        daybook::SchedulerOptions options;
        spoil(options);
        return refusal([&] { const daybook::Scheduler<> scheduler{options}; });
    };
    CHECK(mentions(what([](auto& o) { o.workers = 5000; }), "workers"));
    CHECK(mentions(what([](auto& o) { o.max_queue = 0; }), "max_queue"));
    CHECK(mentions(what([](auto& o) { o.timeout = -1s; }), "timeout"));
    CHECK(mentions(what([](auto& o) { o.misfire_tolerance = -1s; }), "misfire_tolerance"));
    CHECK(mentions(what([](auto& o) { o.misfire_grace = -1s; }), "misfire_grace"));
    CHECK(mentions(what([](auto& o) { o.completed_job_retention = -1s; }), "completed_job_retention"));
    CHECK(mentions(what([](auto& o) { o.log.capacity = 0; }), "capacity"));
}

TEST_CASE("whatever a job throws becomes the error of its record") {
    struct Own {};
    Bench bench;
    const auto error_of = [&](auto body) {
        bench.scheduler.add("job", every(1h), std::move(body));
        const auto id = bench.scheduler.trigger("job").id;
        bench.scheduler.poll();
        bench.scheduler.remove("job");
        const auto record = bench.scheduler.log().find(id);
        CHECK(record->status == JobStatus::error);
        CHECK(record->is_final);
        CHECK_FALSE(record->result);
        return record->error.value_or("none");
    };
    bench.scheduler.start();
    CHECK(error_of([] { throw std::runtime_error{"disk full"}; }) == "disk full");
    CHECK(error_of([] { throw "a literal"; }) == "a literal");
    CHECK(error_of([] { throw std::string{"a string"}; }) == "a string");
    CHECK_FALSE(error_of([] { throw 42; }).empty());
    CHECK_FALSE(error_of([] { throw nullptr; }).empty());
    CHECK_FALSE(error_of([] { throw Own{}; }).empty());
    CHECK_FALSE(error_of([] { throw static_cast<const char*>(nullptr); }).empty());
    CHECK_FALSE(error_of([]() -> const char* { return nullptr; }).empty());
}

TEST_CASE("a job that throws does not disturb the others, nor its own next run") {
    Bench bench;
    int calls = 0;
    bench.scheduler.add("bad", every(1s), [&] {
        if (++calls % 2 == 1) { throw calls; }
    });
    bench.scheduler.add("good", every(1s), [] {});
    bench.scheduler.start();
    bench.pass(4s);
    CHECK(bench.story("bad") == "error success error success");
    CHECK(bench.story("good") == "success success success success");
}

TEST_CASE("a job may return nothing, text, or what converts to the result") {
    Bench bench;
    const auto result_of = [&](auto body) {
        bench.scheduler.add("job", every(1h), std::move(body));
        const auto id = bench.scheduler.trigger("job").id;
        bench.scheduler.poll();
        bench.scheduler.remove("job");
        return bench.scheduler.log().find(id)->result;
    };
    CHECK(result_of([] {}) == std::nullopt);
    CHECK(result_of([] { return std::string{"text"}; }) == "text");
    CHECK(result_of([] { return "literal"; }) == "literal");
    CHECK(result_of(free_function) == "from a function");
    CHECK(result_of(&free_function) == "from a function");
    CHECK(result_of([](JobContext& job) { return std::string{job.job_id()}; }) == "job");
    CHECK(result_of([](auto& job) { return std::to_string(job.attempt_number()); }) == "1");
    CHECK(result_of([text = std::make_unique<std::string>("moved")] { return *text; }) == "moved");
    CHECK(result_of([n = 0]() mutable { return std::to_string(++n); }) == "1");
}

TEST_CASE("a callable keeps its state from run to run") {
    Bench bench;
    bench.scheduler.add("job", every(1s), [n = 0]() mutable { return std::to_string(++n); });
    bench.scheduler.start();
    bench.pass(3s);
    CHECK(bench.history("job")[2].result == "3");
}

TEST_CASE("a scheduler may be made for numbers, or for jobs that return nothing") {
    daybook::ManualClock clock;
    daybook::Scheduler<int> numbers{driven(clock)};
    numbers.add("job", every(1s), [] { return short{7}; });
    numbers.add("none", every(1s), [] {});
    numbers.start();
    daybook::Scheduler<std::monostate> nothing{driven(clock)};
    nothing.add("job", every(1s), [] {});
    nothing.add("unit", every(1s), [] { return std::monostate{}; });
    nothing.start();
    clock.advance(1s);
    CHECK(numbers.poll() == 2);
    CHECK(nothing.poll() == 2);
    CHECK(history(numbers.log(), "job").at(0).result == 7);
    CHECK_FALSE(history(numbers.log(), "none").at(0).result);
    CHECK(history(nothing.log(), "job").at(0).status == JobStatus::success);
}

TEST_CASE("a scheduler deduces its default result") {
    daybook::Scheduler plain;
    daybook::Scheduler with_options{{.workers = 2}};
    daybook::AnyScheduler& any = with_options;
    CHECK_NOTHROW(any.start());
    CHECK(any.stop().has_stopped());
    CHECK(plain.jobs().empty());
}

TEST_CASE("poll is refused where there are workers") {
    daybook::Scheduler<> scheduler{{.workers = 1}};
    CHECK_THROWS_AS(scheduler.poll(), std::logic_error);
}

TEST_CASE("a start after the stop is refused, a second start does nothing") {
    Bench bench;
    bench.scheduler.add("job", every(2s), [] {});
    bench.scheduler.start();
    bench.pass(1s);
    bench.scheduler.start();
    bench.pass(1s);
    CHECK(bench.story("job") == "success");
    bench.scheduler.stop();
    CHECK_THROWS_AS(bench.scheduler.start(), std::logic_error);
    CHECK_THROWS_AS(bench.scheduler.add("late", every(1s), [] {}), std::logic_error);
}

TEST_CASE("a queue that is full skips what comes") {
    Bench bench{0, [](auto& options) { options.max_queue = 2; }};
    for (const auto* id : {"a", "b", "c"}) {
        bench.scheduler.add(id, every(1s), [] {});
    }
    bench.scheduler.start();
    bench.clock.advance(1s);
    CHECK(bench.scheduler.poll() == 2);
    CHECK(bench.story("a") == "success");
    CHECK(bench.story("b") == "success");
    CHECK(bench.story("c") == "skipped:queue_full");
    bench.scheduler.trigger("a");
    bench.scheduler.trigger("b");
    CHECK(bench.scheduler.trigger("c").outcome == TriggerOutcome::skipped);
}

TEST_CASE("what an idle worker takes at once does not count as waiting") {
    Bench bench{3, [](auto& options) { options.max_queue = 1; }};
    std::counting_semaphore<8> begun{0};
    std::counting_semaphore<8> may_end{0};
    for (const auto* id : {"a", "b", "c", "d", "e"}) {
        bench.scheduler.add({.id = id}, [&] {
            begun.release();
            may_end.acquire();
        });
    }
    bench.scheduler.start();
    for (const auto* id : {"a", "b", "c", "d"}) { CHECK(bench.scheduler.trigger(id)); }
    CHECK(bench.scheduler.trigger("e").outcome == TriggerOutcome::skipped);
    for (int i = 0; i < 3; ++i) { begun.acquire(); }
    may_end.release(4);
    CHECK(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.log().stats().success_count == 4);
}

TEST_CASE("the names of removed jobs are released, however many come and go") {
    Bench bench{0, [](auto& options) {
                    options.log.capacity = 10;
                    options.log.max_tracked_jobs = 4;
                    options.log.max_tracked_handlers = 4;
                }};
    bench.scheduler.start();
    for (int i = 0; i < 2000; ++i) {
        const auto id = "job-" + std::to_string(i);
        bench.scheduler.add(id, every(1s), [] {});
        bench.scheduler.trigger(id);
        bench.scheduler.poll();
        bench.scheduler.remove(id);
    }
    const auto stats = bench.scheduler.log().stats();
    CHECK(stats.success_count == 2000);
    CHECK(stats.by_job.size() <= 5);
    CHECK(bench.scheduler.log().size() == 10);
}

TEST_CASE("a log outlives its scheduler") {
    daybook::JobExecutionLog<> log{1};
    {
        Bench bench;
        bench.scheduler.add("job", every(1s), [] { return "kept"; });
        bench.scheduler.start();
        bench.pass(1s);
        log = bench.scheduler.log();
    }
    CHECK(history(log, "job").at(0).result == "kept");
}

TEST_CASE("a job is given its parameters, which its records keep") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = every(1s), .parameters = "{\"n\":1}"},
                        [](JobContext& job) { return std::string{job.parameters()}; });
    bench.scheduler.start();
    bench.pass(1s);
    CHECK(bench.history("job").at(0).result == "{\"n\":1}");
    CHECK(bench.history("job").at(0).parameters == "{\"n\":1}");
}

TEST_CASE("H in a cron expression is bound to the job") {
    Bench bench;
    bench.scheduler.add("one", cron("H H * * * *"), [] {});
    bench.scheduler.add("another", cron("H H * * * *"), [] {});
    bench.scheduler.start();
    REQUIRE(bench.scheduler.job("one")->next_run);
    CHECK(bench.scheduler.job("one")->next_run != bench.scheduler.job("another")->next_run);
}
