// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <daybook/policy/retry.hpp>
#include <daybook/schedule/schedule_text.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace bench;
using daybook::cron;
using daybook::every;
using daybook::JobChange;

namespace {

std::string ids(const daybook::JobPage& page) {
    std::string text;
    for (const auto& job : page.jobs) { text += (text.empty() ? "" : " ") + job.id; }
    return text;
}

/// Whole seconds from Monday on.
std::string seconds(const std::vector<daybook::sys_time>& instants) {
    std::string text;
    for (const auto instant : instants) {
        text += (text.empty() ? "" : " ") +
                std::to_string(std::chrono::floor<std::chrono::seconds>(instant - monday).count());
    }
    return text;
}

} // namespace

TEST_CASE("a job that is added paused does not run until it is resumed") {
    Bench bench;
    bench.scheduler.start();
    bench.scheduler.add({.id = "job", .schedule = every(10s), .is_paused = true}, [] {});
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::paused);
    bench.pass(25s);
    CHECK(bench.story("job") == "skipped:paused*2");
    bench.scheduler.resume("job");
    bench.pass(10s);
    CHECK(bench.story("job") == "skipped:paused*2 success");
}

TEST_CASE("an instant that is past does not run a job that is added paused") {
    Bench bench;
    bench.scheduler.start();
    bench.scheduler.add({.id = "job", .schedule = daybook::at(monday - 1h), .is_paused = true}, [] {});
    bench.pass(5s);
    CHECK(bench.story("job") == "skipped:paused");
}

TEST_CASE("replacing or updating a job leaves a paused one paused") {
    Bench bench;
    bench.scheduler.add({.id = "job", .is_paused = true}, [] {});
    bench.scheduler.update({.id = "job"});
    CHECK(bench.scheduler.job("job")->is_paused);
    bench.scheduler.add_or_replace({.id = "job"}, [] {});
    CHECK(bench.scheduler.job("job")->is_paused);
}

TEST_CASE("what is known of a job is all that it was given, and the defaults for the rest") {
    Bench bench;
    bench.scheduler.add({.id = "job",
                         .handler_id = "reports",
                         .schedule = cron("0 9 * * *"),
                         .misfire_grace = 5min,
                         .priority = 7,
                         .group = "web",
                         .stale_after = 2h,
                         .parameters = "all of it"},
                        [] {});
    const auto job = bench.scheduler.job("job").value();
    CHECK(job.parameters == "all of it");
    CHECK(job.priority == 7);
    CHECK(job.group == "web");
    CHECK(job.misfire_grace == 5min);
    CHECK(job.max_catch_up == 100);
    CHECK(job.stale_after == 2h);
    CHECK(job.when == daybook::Schedule{cron("0 9 * * *")});
    CHECK(job.origin == daybook::JobOrigin::code);
}

TEST_CASE("the options of a job make the same job again") {
    Bench bench;
    bench.scheduler.add({.id = "job",
                         .handler_id = "reports",
                         .schedule = cron("H 9 * * *").jitter(30s),
                         .retry = daybook::exponential_backoff(),
                         .timeout = 3s,
                         .overlap = daybook::Overlap::queue_all,
                         .group = "web"},
                        [] {});
    const auto before = bench.scheduler.job("job").value();
    CHECK(bench.scheduler.configure(before.options(), before.revision) == JobChange::done);
    const auto after = bench.scheduler.job("job").value();
    CHECK(after.schedule == before.schedule);
    CHECK(after.retry == before.retry);
    CHECK(after.timeout == before.timeout);
    CHECK(after.overlap == before.overlap);
    CHECK(after.group == before.group);
}

TEST_CASE("a job has another revision after each change, also when it was removed and added again") {
    Bench bench;
    bench.scheduler.add("job", every(1h), [] {});
    std::vector<std::uint64_t> seen{bench.scheduler.job("job")->revision};
    const auto changed = [&] {
        seen.push_back(bench.scheduler.job("job")->revision);
        return seen.back() > seen[seen.size() - 2];
    };
    bench.scheduler.pause("job");
    CHECK(changed());
    bench.scheduler.resume("job");
    CHECK(changed());
    bench.scheduler.update({.id = "job"});
    CHECK(changed());
    bench.scheduler.add_or_replace({.id = "job"}, [] {});
    CHECK(changed());
    bench.scheduler.remove("job");
    bench.scheduler.add("job", every(1h), [] {});
    CHECK(changed());
}

TEST_CASE("running a job does not give it another revision, nor does what changes nothing") {
    Bench bench;
    bench.scheduler.add("job", every(10s), [] {});
    const auto revision = bench.scheduler.job("job")->revision;
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.pass(30s);
    bench.scheduler.resume("job");
    CHECK(bench.scheduler.job("job")->revision == revision);
}

TEST_CASE("a change is refused when somebody else has changed the job") {
    Bench bench;
    bench.scheduler.add("job", every(1h), [] {});
    auto read = bench.scheduler.job("job").value();
    bench.scheduler.pause("job");
    CHECK(bench.scheduler.configure(read.options(), read.revision) == JobChange::changed_meanwhile);
    CHECK(bench.scheduler.remove_if("job", read.revision) == JobChange::changed_meanwhile);
    CHECK(bench.scheduler.job("job")->is_paused);
    read = bench.scheduler.job("job").value();
    CHECK(bench.scheduler.remove_if("job", read.revision) == JobChange::done);
    CHECK(bench.scheduler.remove_if("job", read.revision) == JobChange::unknown_job);
    CHECK(bench.scheduler.configure(read.options(), read.revision) == JobChange::unknown_job);
}

TEST_CASE("a trigger is refused when the job is not what was read") {
    Bench bench;
    int runs = 0;
    bench.scheduler.add("job", {}, [&] { ++runs; });
    bench.scheduler.start();
    const auto read = bench.scheduler.job("job").value();
    CHECK(bench.scheduler.trigger("job", {.revision = read.revision}));
    bench.scheduler.remove("job");
    CHECK(bench.scheduler.trigger("job", {.revision = read.revision}).outcome == daybook::TriggerOutcome::unknown_job);
    bench.scheduler.add("job", {}, [&] { ++runs; });
    const auto report = bench.scheduler.trigger("job", {.revision = read.revision});
    CHECK(report.outcome == daybook::TriggerOutcome::changed_meanwhile);
    CHECK(report.id == 0);
    CHECK(bench.scheduler.trigger("job", {.revision = bench.scheduler.job("job")->revision}));
    bench.pass(1s);
    CHECK(runs == 1); // the first one went with its job
}

TEST_CASE("a job knows since when it is there, whatever it has become") {
    Bench bench;
    const auto begin = bench.clock.now();
    bench.scheduler.add("job", every(1h), [] {});
    bench.scheduler.start();
    bench.pass(2h);
    bench.scheduler.pause("job");
    bench.scheduler.update({.id = "job"});
    bench.scheduler.add_or_replace({.id = "job"}, [] {});
    CHECK(bench.scheduler.job("job")->created_at == begin);
    bench.scheduler.remove("job");
    bench.scheduler.add("job", every(1h), [] {});
    CHECK(bench.scheduler.job("job")->created_at == begin + 2h);
}

TEST_CASE("of many changes that were read at once, one wins") {
    Bench bench{2};
    bench.scheduler.add("job", every(1h), [] {});
    bench.scheduler.start();
    const auto read = bench.scheduler.job("job").value();
    std::atomic<int> done{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            auto options = read.options();
            options.priority = i;
            if (bench.scheduler.configure(options, read.revision) == JobChange::done) { ++done; }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(done == 1);
}

TEST_CASE("a schedule that is configured again as it was goes on counting") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = every(10s).times(3)}, [] {});
    bench.scheduler.start();
    bench.pass(15s);
    auto job = bench.scheduler.job("job").value();
    auto options = job.options();
    options.priority = 3;
    CHECK(bench.scheduler.configure(options, job.revision) == JobChange::done);
    CHECK(bench.scheduler.job("job")->priority == 3);
    bench.pass(1min);
    CHECK(bench.story("job") == "success success success");
    CHECK(bench.history("job").at(1).started_at == monday + 20s);
}

TEST_CASE("what had come due when a job is configured is settled as the job was") {
    Bench bench;
    std::string parameters;
    bench.scheduler.add({.id = "job", .schedule = every(10s), .parameters = "old"},
                        [&](daybook::JobContext& context) { parameters += context.parameters(); });
    bench.scheduler.start();
    bench.clock.advance(10s);
    auto job = bench.scheduler.job("job").value();
    auto options = job.options();
    options.parameters = " new";
    options.is_paused = true;
    CHECK(bench.scheduler.configure(options, job.revision) == JobChange::done);
    bench.scheduler.poll();
    CHECK(parameters == "old");
    bench.pass(10s);
    CHECK(bench.story("job") == "success skipped:paused");
}

TEST_CASE("an instant that has been does not come again because the job is configured") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = daybook::at(monday + 10s)}, [] {});
    bench.scheduler.start();
    bench.pass(20s);
    const auto job = bench.scheduler.job("job").value();
    auto options = job.options();
    options.priority = 1;
    CHECK(bench.scheduler.configure(options, job.revision) == JobChange::done);
    bench.pass(20s);
    CHECK(bench.story("job") == "success");
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::completed);
}

TEST_CASE("a job can be paused, resumed and rescheduled in one change") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = every(10s), .is_paused = true}, [] {});
    bench.scheduler.start();
    const auto job = bench.scheduler.job("job").value();
    auto options = job.options();
    options.schedule = daybook::at(monday - 10s); // due at once: it must not be taken for one of the paused time
    options.is_paused = false;
    CHECK(bench.scheduler.configure(options, job.revision) == JobChange::done);
    bench.scheduler.poll();
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a job that is made of a handler can be given another one, and code cannot") {
    Bench bench;
    std::string ran;
    bench.scheduler.handlers().add("mail", "send", [&] { ran += 'a'; });
    bench.scheduler.handlers().add("mail", "drop", [&] { ran += 'b'; });
    bench.scheduler.add({.id = "named", .handler_id = "mail", .method_name = "send"});
    bench.scheduler.add("code", {}, [] {});
    auto job = bench.scheduler.job("named").value();
    CHECK(job.origin == daybook::JobOrigin::handler);
    auto options = job.options();
    options.method_name = "drop";
    CHECK(bench.scheduler.configure(options, job.revision) == JobChange::done);
    bench.scheduler.trigger("named");
    bench.scheduler.poll();
    CHECK(ran == "b");
    options.method_name = "none";
    CHECK_THROWS_AS(bench.scheduler.configure(options, bench.scheduler.job("named")->revision), std::invalid_argument);
    job = bench.scheduler.job("code").value();
    options = job.options();
    options.handler_id = "mail";
    CHECK_THROWS_AS(bench.scheduler.configure(options, job.revision), std::invalid_argument);
    CHECK(bench.scheduler.job("code")->revision == job.revision);
}

TEST_CASE("a job may configure and remove itself") {
    Bench bench;
    bench.scheduler.add("job", every(10s), [&] {
        const auto job = bench.scheduler.job("job").value();
        auto options = job.options();
        options.schedule = every(1s);
        CHECK(bench.scheduler.configure(options, job.revision) == JobChange::done);
        CHECK(bench.scheduler.remove_if("job", job.revision) == JobChange::changed_meanwhile);
    });
    bench.scheduler.start();
    bench.pass(11s);
    CHECK(bench.story("job") == "success success");
}

TEST_CASE("staleness is watched as the last change says") {
    int told = 0;
    Bench bench{0, [&](auto& options) { options.hooks.on_stale = [&](const daybook::JobEvent&) { ++told; }; }};
    bench.scheduler.add({.id = "job", .stale_after = 10s}, [] {});
    bench.scheduler.start();
    bench.pass(5s);
    auto options = bench.scheduler.job("job")->options();
    options.stale_after = 30s;
    CHECK(bench.scheduler.configure(options, bench.scheduler.job("job")->revision) == JobChange::done);
    bench.pass(29s);
    CHECK(told == 0);
    bench.pass(2s);
    CHECK(told == 1);
    options.stale_after = 0s;
    CHECK(bench.scheduler.configure(options, bench.scheduler.job("job")->revision) == JobChange::done);
    CHECK_FALSE(bench.scheduler.job("job")->is_stale);
}

TEST_CASE("a taken id is an error of its own") {
    Bench bench;
    bench.scheduler.add("job", {}, [] {});
    CHECK_THROWS_AS(bench.scheduler.add("job", {}, [] {}), daybook::JobExists);
}

TEST_CASE("jobs come in pages by id") {
    Bench bench;
    for (const auto* id : {"e", "a", "c", "b", "d"}) {
        bench.scheduler.add(id, {}, [] {});
    }
    CHECK(bench.scheduler.job_count() == 5);
    auto page = bench.scheduler.jobs({.limit = 2});
    CHECK(ids(page) == "a b");
    CHECK(page.total == 5);
    CHECK(page.has_more);
    bench.scheduler.add("bb", {}, [] {});
    bench.scheduler.remove("a");
    page = bench.scheduler.jobs({.limit = 2, .cursor = page.next_cursor});
    CHECK(ids(page) == "bb c");
    page = bench.scheduler.jobs({.limit = 2, .cursor = page.next_cursor});
    CHECK(ids(page) == "d e");
    CHECK_FALSE(page.has_more);
    CHECK(page.next_cursor.empty());
    CHECK(ids(bench.scheduler.jobs({.limit = 9, .offset = 3})) == "d e");
    CHECK(bench.scheduler.jobs({.limit = 0}).total == 5);
    CHECK(bench.scheduler.jobs({.offset = 9}).jobs.empty());
}

TEST_CASE("jobs are found by state, pause, handler and text") {
    Bench bench;
    bench.scheduler.add({.id = "one", .handler_id = "mail"}, [] {});
    bench.scheduler.add({.id = "two", .handler_id = "mail", .is_paused = true}, [] {});
    bench.scheduler.add({.id = "three", .handler_id = "web", .method_name = "Fetch", .schedule = every(1h)}, [] {});
    bench.scheduler.start();
    CHECK(ids(bench.scheduler.jobs({.state = daybook::JobState::paused})) == "two");
    CHECK(ids(bench.scheduler.jobs({.is_paused = false})) == "one three");
    CHECK(ids(bench.scheduler.jobs({.handler_id = "mail"})) == "one two");
    CHECK(ids(bench.scheduler.jobs({.text = "fETCH"})) == "three");
    CHECK(ids(bench.scheduler.jobs({.text = "e"})) == "one three");
    const auto page = bench.scheduler.jobs({.text = "o", .limit = 1});
    CHECK(ids(page) == "one");
    CHECK(page.total == 2);
    CHECK(ids(bench.scheduler.jobs({.text = "o", .limit = 1, .cursor = page.next_cursor})) == "two");
}

TEST_CASE("removed jobs that still run are listed beside their successors") {
    Bench bench;
    std::vector<daybook::Completion<std::string>> open;
    const auto add = [&] {
        bench.scheduler.add("job", {}, [&](daybook::JobContext&, daybook::Completion<std::string> done) {
            open.push_back(std::move(done));
        });
        bench.scheduler.trigger("job");
        bench.scheduler.poll();
    };
    add();
    bench.scheduler.remove("job");
    add();
    bench.scheduler.remove("job");
    add();
    std::string states;
    for (daybook::JobPage page = bench.scheduler.jobs({.limit = 1});;
         page = bench.scheduler.jobs({.limit = 1, .cursor = page.next_cursor})) {
        CHECK(page.total == 3);
        states += std::string{to_string(page.jobs.at(0).state)} + ' ';
        if (!page.has_more) { break; }
    }
    CHECK(states == "executing removed removed ");
    CHECK(bench.scheduler.jobs({.state = daybook::JobState::removed}).total == 2);
    for (auto& each : open) { each.success(); }
    CHECK(bench.scheduler.jobs({.limit = 9}).total == 1);
}

TEST_CASE("a cursor that is made up is refused") {
    Bench bench;
    for (const auto* cursor : {"x", "0", "-61", "0-6", "0-zz", "99999999999999999999999-61"}) {
        INFO(cursor);
        CHECK_THROWS_AS(bench.scheduler.jobs({.cursor = cursor}), std::invalid_argument);
    }
    CHECK_THROWS_AS(bench.scheduler.jobs({.cursor = "0-" + std::string(1000, '6')}), std::invalid_argument);
}

TEST_CASE("the next runs are told as far as they are known") {
    Bench bench;
    bench.scheduler.add("cron", cron("* * * * *"), [] {});
    bench.scheduler.add("interval", every(10s).times(2), [] {});
    bench.scheduler.add("anchored", every(10s).from(monday + 5s).until(monday + 25s), [] {});
    bench.scheduler.add("after", every(10s).after_completion(), [] {});
    bench.scheduler.add("once", daybook::at(monday + 7s), [] {});
    bench.scheduler.add("never", {}, [] {});
    struct Daily {
        std::optional<daybook::sys_time> next(daybook::sys_time after) const { return after + 24h; }
    };
    bench.scheduler.add("own", Daily{}, [] {});
    CHECK(bench.scheduler.next_runs("cron", 3).empty());
    bench.scheduler.start();
    CHECK(seconds(bench.scheduler.next_runs("cron", 3)) == "60 120 180");
    CHECK(seconds(bench.scheduler.next_runs("interval", 3)) == "10 20");
    CHECK(seconds(bench.scheduler.next_runs("anchored", 9)) == "5 15 25");
    CHECK(seconds(bench.scheduler.next_runs("after", 9)) == "10");
    CHECK(seconds(bench.scheduler.next_runs("once", 9)) == "7");
    CHECK(seconds(bench.scheduler.next_runs("own", 9)) == "86400");
    CHECK(bench.scheduler.next_runs("never", 9).empty());
    CHECK(bench.scheduler.next_runs("unknown", 9).empty());
    CHECK(bench.scheduler.next_runs("cron", 0).empty());
}

TEST_CASE("the next runs tell when a job is due, jitter included") {
    Bench bench;
    bench.scheduler.add("job", cron("* * * * *").jitter(30s), [] {});
    bench.scheduler.start();
    const auto runs = bench.scheduler.next_runs("job", 2);
    CHECK(runs.at(0) == bench.scheduler.job("job")->next_run);
    bench.pass(2min + 31s);
    CHECK(bench.history("job").at(1).started_at.value() - runs.at(1) < 1s);
}

TEST_CASE("an interval that begins in centuries is told in order, on its grid") {
    Bench bench;
    const daybook::sys_time far{std::chrono::sys_days{std::chrono::year{2500} / 1 / 1}};
    bench.scheduler.add("far", every(1h).from(far), [] {});
    bench.scheduler.add("last", every(1h).from(daybook::sys_time::max() - 90min), [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.next_runs("far", 3) == std::vector<daybook::sys_time>{far, far + 1h, far + 2h});
    CHECK(bench.scheduler.next_runs("last", 3) ==
          std::vector<daybook::sys_time>{daybook::sys_time::max() - 90min, daybook::sys_time::max() - 30min});
}

TEST_CASE("the next runs are in order, whatever the jitter") {
    Bench bench;
    bench.scheduler.add("cron", cron("* * * * *").jitter(10min), [] {});
    bench.scheduler.add("interval", every(1min).jitter(10min), [] {});
    bench.scheduler.add("anchored", every(1min).from(monday + 1h).jitter(10min), [] {});
    bench.scheduler.start();
    for (const auto* id : {"cron", "interval", "anchored"}) {
        INFO(id);
        const auto runs = bench.scheduler.next_runs(id, 50);
        CHECK(runs.size() == 50);
        CHECK(std::is_sorted(runs.begin(), runs.end()));
    }
}

TEST_CASE("the next runs leave out what is excluded") {
    Bench bench;
    const auto tuesdays = daybook::Calendar{}.add(std::chrono::Tuesday);
    bench.scheduler.add("interval", every(12h).except(tuesdays), [] {});
    bench.scheduler.add("anchored", every(12h).from(monday + 12h).except(tuesdays), [] {});
    bench.scheduler.start();
    for (const auto* id : {"interval", "anchored"}) {
        CHECK(seconds(bench.scheduler.next_runs(id, 3)) == "43200 172800 216000");
    }
}

TEST_CASE("a schedule that takes too long to count is refused, and the job stays as it is", "[long-count]") {
    Bench bench;
    bench.scheduler.start();
    const daybook::sys_time begin{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}};
    const auto saturdays = daybook::Calendar{}.add(std::chrono::Saturday);
    const daybook::Schedule endless[] = {
        every(1ms).from(begin).times(std::uint64_t{1} << 53U).except(saturdays),
        cron("* * * * * *").from(begin).times(std::uint64_t{1} << 53U),
        any_of(cron("* * * * *").from(begin).times(std::uint64_t{1} << 53U), cron("0 9 * * *"))};
    bench.scheduler.add("job", every(10s), [] {});
    const auto before = bench.scheduler.job("job").value();
    for (const auto& schedule : endless) {
        INFO(daybook::to_string(schedule));
        auto options = before.options();
        options.schedule = schedule;
        CHECK_THROWS_AS(bench.scheduler.configure(options, before.revision), std::invalid_argument);
        CHECK_THROWS_AS(bench.scheduler.update(options), std::invalid_argument);
        CHECK_THROWS_AS(bench.scheduler.add_or_replace(options, [] {}), std::invalid_argument);
        CHECK_THROWS_AS(bench.scheduler.add("other", schedule, [] {}), std::invalid_argument);
    }
    CHECK(bench.scheduler.job("job")->revision == before.revision);
    CHECK(bench.scheduler.job_count() == 1);
    bench.pass(10s);
    CHECK(bench.story("job") == "success");
}

TEST_CASE("what an interval with exceptions has had is counted from its beginning") {
    Bench bench;
    const auto sundays = daybook::Calendar{}.add(std::chrono::Sunday);
    bench.scheduler.add("some", every(12h).from(monday - 48h).times(4).except(sundays), [] {});
    bench.scheduler.add("none", every(12h).from(monday - 48h).times(2).except(sundays), [] {});
    bench.scheduler.start(); // two on Saturday, and one on Monday at once
    CHECK(seconds(bench.scheduler.next_runs("some", 9)) == "43200");
    CHECK(bench.scheduler.next_runs("none", 9).empty());
}

TEST_CASE("schedules whose answers change are asked again") {
    Bench bench;
    struct Moving {
        const daybook::sys_time* at;
        std::optional<daybook::sys_time> next(daybook::sys_time after) const {
            return *at > after ? std::optional{*at} : std::nullopt;
        }
    };
    daybook::sys_time at = monday + 1h;
    bench.scheduler.add("own", Moving{&at}, [] {});
    bench.scheduler.add("interval", every(1h), [] {});
    bench.scheduler.start();
    at = monday + 10s;
    CHECK(bench.scheduler.refresh() == 1);
    CHECK(bench.scheduler.job("own")->next_run == monday + 10s);
    CHECK(bench.scheduler.job("interval")->next_run == monday + 1h);
    bench.pass(11s);
    CHECK(bench.story("own") == "success");
}

TEST_CASE("asking again neither repeats nor loses an occurrence") {
    Bench bench;
    bench.scheduler.add("jittered", cron("* * * * *").jitter(40s, 7), [] {});
    bench.scheduler.add("counted", daybook::Schedule{cron("* * * * *")}.times(3), [] {});
    bench.scheduler.start();
    for (int i = 0; i < 300; ++i) {
        bench.pass(1s);
        bench.scheduler.refresh();
        if (i == 150) { bench.clock.set(bench.clock.now() - 90s); } // nothing runs twice
    }
    CHECK(bench.story("counted") == "success success success");
    std::vector<daybook::sys_time> nominal;
    for (const auto& record : bench.history("jittered")) { nominal.push_back(record.scheduled_at.value()); }
    CHECK(seconds(nominal) == "60 120 180");
}

TEST_CASE("asking again says when a schedule has no further time") {
    Bench bench;
    struct Ending {
        const bool* is_over;
        std::optional<daybook::sys_time> next(daybook::sys_time after) const {
            return *is_over ? std::nullopt : std::optional{after + 1h};
        }
    };
    bool is_over = false;
    bench.scheduler.add("own", Ending{&is_over}, [] {});
    CHECK(bench.scheduler.refresh() == 0); // not started
    bench.scheduler.start();
    is_over = true;
    CHECK(bench.scheduler.refresh() == 1);
    CHECK(bench.scheduler.job("own")->state == daybook::JobState::completed);
}

TEST_CASE("a schedule that asks the scheduler to ask again does not hang it") {
    Bench bench;
    struct Asking {
        Bench* bench;
        std::optional<daybook::sys_time> next(daybook::sys_time after) const {
            bench->scheduler.refresh();
            return after + 1h;
        }
    };
    bench.scheduler.add("own", Asking{&bench}, [] {});
    bench.scheduler.start();
    CHECK(bench.scheduler.refresh() == 1);
}

TEST_CASE("the numbers of a retry policy can be read back") {
    const auto numbers = daybook::exponential_backoff({.max_attempts = 4, .first_delay = 2s, .jitter = 0.5}).backoff();
    REQUIRE(numbers);
    CHECK(numbers->max_attempts == 4);
    CHECK(numbers->first_delay == 2s);
    CHECK(numbers->factor == 2.0);
    CHECK(numbers->max_delay == 1h);
    CHECK(numbers->jitter == 0.5);
    CHECK(daybook::fixed_backoff().backoff()->factor == 1.0);
    CHECK(daybook::RetryPolicy{*numbers} == daybook::exponential_backoff(*numbers));
    CHECK_FALSE(daybook::RetryPolicy{[](const daybook::Failure&) {
                    return std::optional<std::chrono::nanoseconds>{};
                }}.backoff());
}
