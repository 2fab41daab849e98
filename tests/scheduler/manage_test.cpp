// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace bench;
using daybook::cron;
using daybook::every;

namespace {

using Open = daybook::Completion<std::string>;

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("an update changes schedule and policies, and keeps callable and history") {
    Bench bench;
    int runs = 0;
    bench.scheduler.add("job", every(10s), [&] { ++runs; });
    bench.scheduler.start();
    bench.pass(20s);
    CHECK(bench.scheduler.update({.id = "job", .schedule = every(1min), .overlap = daybook::Overlap::allow}));
    CHECK(bench.scheduler.job("job")->next_run == monday + 80s);
    CHECK(bench.scheduler.job("job")->overlap == daybook::Overlap::allow);
    bench.pass(1min);
    CHECK(runs == 3);
    CHECK(bench.story("job") == "success success success");
    CHECK_FALSE(bench.scheduler.update({.id = "other"}));
}

TEST_CASE("what had come due when a job is updated or removed is still accounted for") {
    Bench bench;
    bench.scheduler.add("updated", every(10s), [] {});
    bench.scheduler.add("removed", every(10s), [] {});
    bench.scheduler.start();
    bench.clock.advance(10s);
    bench.scheduler.update({.id = "updated", .schedule = every(1h)});
    bench.scheduler.remove("removed");
    bench.scheduler.poll();
    CHECK(bench.story("updated") == "success");
    CHECK(bench.story("removed") == "skipped:removed");
}

TEST_CASE("what runs while its job is updated goes on as it began") {
    Bench bench;
    std::optional<Open> open;
    bench.scheduler.add({.id = "job", .schedule = every(10s), .parameters = "old"},
                        [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.start();
    bench.pass(10s);
    bench.scheduler.update({.id = "job", .schedule = every(10s), .parameters = "new"});
    CHECK(open->context().parameters() == "old");
    bench.pass(10s);
    CHECK(bench.story("job") == "running skipped:overlap");
    open->success();
    bench.pass(10s);
    CHECK(open->context().parameters() == "new");
    open.reset();
}

TEST_CASE("a job can be replaced by another of the same id") {
    Bench bench;
    std::string ran;
    CHECK_FALSE(bench.scheduler.add_or_replace({.id = "job", .schedule = every(10s)}, [&] { ran += 'a'; }));
    bench.scheduler.start();
    bench.pass(10s);
    CHECK(bench.scheduler.add_or_replace({.id = "job", .schedule = every(20s)}, [&] { ran += 'b'; }));
    bench.pass(40s);
    CHECK(ran == "abb");
    CHECK_THROWS_AS(bench.scheduler.add("job", every(1s), [] {}), std::invalid_argument);
}

TEST_CASE("a job whose schedule was over lives again with a new one") {
    Bench bench;
    bench.scheduler.add("job", every(10s).times(1), [] {});
    bench.scheduler.start();
    bench.pass(30s);
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::completed);
    bench.scheduler.update({.id = "job", .schedule = every(10s)});
    bench.pass(2h, 10s);
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::scheduled);
}

TEST_CASE("a trigger may bring parameters of its own") {
    Bench bench;
    std::string seen;
    bench.scheduler.add({.id = "job", .parameters = "usual"},
                        [&](daybook::JobContext& job) { seen += std::string{job.parameters()} + ' '; });
    bench.scheduler.start();
    bench.scheduler.trigger("job", {.parameters = "special"});
    bench.scheduler.poll();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(seen == "special usual ");
    CHECK(bench.history("job").at(0).parameters == "special");
}

TEST_CASE("all jobs are paused and resumed at once") {
    Bench bench;
    bench.scheduler.add("a", every(10s), [] {});
    bench.scheduler.add("b", every(10s), [] {});
    bench.scheduler.start();
    bench.scheduler.pause("a");
    CHECK(bench.scheduler.pause_all() == 1);
    bench.pass(10s);
    CHECK(bench.scheduler.resume_all() == 2);
    bench.pass(10s);
    for (const char* id : {"a", "b"}) { CHECK(bench.story(id) == "skipped:paused success"); }
}

TEST_CASE("jobs come as data, by the names of handlers") {
    Bench bench;
    std::string sent;
    bench.scheduler.handlers().add("mail", "send",
                                   [&](daybook::JobContext& job) { sent += std::string{job.parameters()} + ' '; });
    bench.scheduler.add({.id = "to ada", .handler_id = "mail", .method_name = "send", .parameters = "ada"});
    bench.scheduler.handle().add({.id = "to bob", .handler_id = "mail", .method_name = "send", .parameters = "bob"});
    bench.scheduler.start();
    bench.scheduler.trigger("to ada");
    bench.scheduler.trigger("to bob");
    bench.scheduler.poll();
    CHECK(sent == "ada bob ");
    CHECK(bench.history("to ada").at(0).handler_id == "mail");
    CHECK_THROWS_AS(bench.scheduler.add({.id = "x", .handler_id = "fax"}), std::invalid_argument);
}

TEST_CASE("only chosen failures are retried") {
    Bench bench;
    const auto policy = daybook::fixed_backoff({.max_attempts = 3, .delay = 1s}).only_on<std::system_error>();
    bench.scheduler.add({.id = "temporary", .retry = policy},
                        [] { throw std::system_error{std::make_error_code(std::errc::timed_out)}; });
    bench.scheduler.add({.id = "wrong", .retry = policy}, [] { throw std::invalid_argument{"wrong"}; });
    bench.scheduler.start();
    bench.scheduler.trigger("temporary");
    bench.scheduler.trigger("wrong");
    bench.scheduler.poll();
    bench.pass(5s);
    CHECK(bench.story("temporary") == "error(retry) error(retry) error");
    CHECK(bench.story("wrong") == "error");
}

TEST_CASE("a program decides by itself whether and when to try again, also after a timeout") {
    Bench bench;
    std::vector<daybook::JobStatus> asked;
    bench.scheduler.add(
        {.id = "job",
         .retry = daybook::RetryPolicy{[&](const daybook::Failure& failure) -> std::optional<std::chrono::nanoseconds> {
             asked.push_back(failure.status);
             (void)bench.scheduler.jobs(); // under no lock
             if (failure.attempt_number == 3) { return std::nullopt; }
             return 5s;
         }},
         .timeout = 1s},
        [&](daybook::JobContext& job) {
            if (job.attempt_number() == 2) { bench.clock.advance(2s); }
            if (job.attempt_number() != 2) { throw std::runtime_error{"no"}; }
        });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.pass(20s);
    CHECK(bench.story("job") == "error(retry) timeout(retry) error");
    CHECK(asked == std::vector{JobStatus::error, JobStatus::timeout, JobStatus::error});
}

TEST_CASE("a policy that throws ends the attempts") {
    Bench bench;
    bench.scheduler.add(
        {.id = "job",
         .retry =
             daybook::RetryPolicy{[](const daybook::Failure&) -> std::optional<std::chrono::nanoseconds> { throw 1; }}},
        [] { throw std::runtime_error{"no"}; });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.story("job") == "error");
}

TEST_CASE("a worker whose body ignores its timeout is replaced, and leaves when it comes back") {
    daybook::Scheduler<> scheduler{{.workers = 1, .max_replacement_workers = 1}};
    std::binary_semaphore may_end{0};
    scheduler.add({.id = "stuck", .timeout = 1ms}, [&] { may_end.acquire(); });
    scheduler.add("other", {}, [] {});
    scheduler.start();
    scheduler.trigger("stuck");
    while (scheduler.health().replacement_workers == 0) { std::this_thread::yield(); }
    CHECK(scheduler.health().stuck == 1);
    scheduler.trigger("other");
    while (scheduler.log().stats().success_count == 0) { std::this_thread::yield(); }
    may_end.release();
    CHECK(scheduler.wait_idle(patience));
    CHECK(scheduler.health().replacement_workers == 0);
    CHECK(scheduler.health().stuck == 0);
    CHECK(bench::story(scheduler.log(), "stuck") == "timeout");
}

TEST_CASE("health says how the scheduler is") {
    Bench bench;
    std::optional<Open> open;
    bench.scheduler.add({.id = "open", .schedule = every(10s), .timeout = 15s},
                        [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.add("daily", cron("0 9 * * *"), [] {});
    CHECK_FALSE(bench.scheduler.health().is_started);
    bench.scheduler.start();
    bench.pass(10s);
    auto health = bench.scheduler.health();
    CHECK(health.is_responsive);
    CHECK(health.jobs == 2);
    CHECK(health.running == 1);
    CHECK(health.next_run == monday + 20s);
    CHECK(health.last_start == monday + 10s);
    CHECK_FALSE(health.last_success);
    bench.pass(20s);
    CHECK(bench.scheduler.health().stuck == 1);
    bench.clock.advance(1min); // nobody polls
    CHECK_FALSE(bench.scheduler.health().is_responsive);
    CHECK(bench.scheduler.health().overdue >= 50s);
    open.reset();
    bench.scheduler.poll();
    CHECK(bench.scheduler.health().drift.count > 0);
    open.reset();
}

TEST_CASE("a job explains why it does not run") {
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.group_limits = {{"one", 1}}; }};
    std::vector<Open> open;
    const auto body = [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); };
    bench.scheduler.add({.id = "a", .schedule = every(10s), .group = "one"}, body);
    bench.scheduler.add({.id = "b", .schedule = cron("0 9 * * *"), .group = "one"}, body);
    const auto explain = [&](const char* id) { return bench.scheduler.explain(id); };
    CHECK(explain("x") == "There is no job with the id 'x'.");
    CHECK(says(explain("a"), "The scheduler has not been started."));
    bench.scheduler.start();
    CHECK(explain("b") == "Not due until 2024-01-01 09:00:00 UTC. Schedule: every day at 09:00, UTC.");
    bench.pass(20s);
    CHECK(says(explain("a"), "Executing since 2024-01-01 00:00:10 UTC."));
    CHECK(says(explain("a"), "Last skipped at 2024-01-01 00:00:20 UTC, because the one before was still in progress."));
    bench.scheduler.trigger("b");
    bench.scheduler.poll();
    CHECK(says(explain("b"), "Waiting since 2024-01-01 00:00:20 UTC for its group, of which 1 run and no more may."));
    bench.scheduler.pause("b");
    CHECK(says(explain("b"), "Paused since 2024-01-01 00:00:20 UTC."));
    open.front().error("no");
    CHECK(says(explain("a"), "Its last attempt ended with error, started at 2024-01-01 00:00:10 UTC."));
    open.clear();
}
