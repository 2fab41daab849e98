// SPDX-License-Identifier: MIT
#include "store_bench.hpp"
#include "support/catch.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace bench;
using daybook::cron;
using daybook::Delivery;
using daybook::every;
using daybook::Misfire;

namespace {

using Open = daybook::Completion<std::string>;

/// A life in which the job began at the start and is not finished.
struct Interrupted {
    explicit Interrupted(daybook::JobOptions options) : life{clock} {
        options.id = "job";
        options.schedule = cron("* * * * *");
        life.scheduler.add(options, [this](daybook::JobContext&, Open done) { open = std::move(done); });
        life.scheduler.start();
        life.pass(60s);
        left = life.crash();
        open.reset();
    }

    daybook::ManualClock clock;
    std::optional<Open> open;
    Life life;
    Kept left;
};

/// A failed attempt whose retry was promised.
Kept promised(const daybook::ManualClock& clock) {
    Life life{clock};
    life.scheduler.add({.id = "job", .retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 1h})},
                       [] { throw std::runtime_error{"no"}; });
    life.scheduler.start();
    life.scheduler.trigger("job", {.parameters = "given"});
    life.scheduler.poll();
    CHECK(life.story("job") == "error(retry)");
    return life.crash();
}

} // namespace

TEST_CASE("what came due while nobody ran is owed, and run once makes the last of it good") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *")});
    before.scheduler.start();
    before.pass(2min);
    const Kept left = before.crash();
    clock.advance(5min);
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("* * * * *")});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 3);
    CHECK(after.story("job") == "success success skipped:misfire*4 success");
    CHECK(after.crash().jobs.at("job").accounted_to == monday + 7min);
    CHECK(after.told.empty());
}

TEST_CASE("what came due while nobody ran is made good in a row under run all, the rest is one skip") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *"), .misfire = Misfire::run_all, .max_catch_up = 2});
    before.scheduler.start();
    const Kept left = before.crash();
    clock.advance(5min + 30s);
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("* * * * *"), .misfire = Misfire::run_all, .max_catch_up = 2});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 2);
    CHECK(after.story("job") == "success success skipped:misfire*3");
    CHECK(after.crash().jobs.at("job").accounted_to == monday + 5min);
}

TEST_CASE("all that was skipped in one record is accounted for") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *"), .misfire = Misfire::skip});
    before.scheduler.start();
    clock.advance(5min + 30s);
    before.scheduler.poll();
    CHECK(before.crash().jobs.at("job").accounted_to == monday + 5min);
    before.scheduler.pause("job");
    before.pass(3min);
    CHECK(before.story("job") == "skipped:misfire*5 skipped:paused*3");
    CHECK(before.crash().jobs.at("job").accounted_to == monday + 8min);
}

TEST_CASE("a schedule that differs from the stored one is told, and counts from now") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *")});
    before.scheduler.start();
    before.pass(1min);
    const Kept left = before.crash();
    clock.advance(1h);
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("0 * * * *")});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 1);
    CHECK(after.was_told("was '* * * * *' and is '0 * * * *' now"));
    CHECK(after.scheduler.job("job")->next_run == monday + 2h);
    CHECK(after.vault->job("job")->schedule == "0 * * * *");
    CHECK(after.vault->job("job")->accounted_to == monday + 61min);
}

TEST_CASE("a job that was paused stays so, and what came due meanwhile is skipped as paused") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *")});
    before.scheduler.start();
    before.scheduler.pause("job");
    const Kept left = before.vault->copy();
    clock.advance(5min);
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("* * * * *"), .is_paused = false});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(after.scheduler.job("job")->is_paused);
    CHECK(after.story("job") == "skipped:paused*5");
    after.scheduler.resume("job");
    after.pass(1min);
    CHECK(runs == 1);
    Life later{clock, after.crash()};
    add_counted(later, runs, {.schedule = cron("* * * * *"), .is_paused = true});
    CHECK_FALSE(later.scheduler.job("job")->is_paused);
}

TEST_CASE("an instant that has been accounted for is over, one that passed meanwhile is owed") {
    daybook::ManualClock clock;
    int runs = 0;
    const auto add = [&](Life& life) { add_counted(life, runs, {.schedule = daybook::at(monday + 10s)}); };
    Life before{clock};
    add(before);
    before.scheduler.start();
    const Kept early = before.crash();
    before.pass(10s);
    CHECK(runs == 1);
    const Kept late = before.crash();
    clock.advance(1min);
    Life again{clock, late};
    add(again);
    again.scheduler.start();
    again.scheduler.poll();
    CHECK(runs == 1);
    CHECK(again.scheduler.job("job")->state == daybook::JobState::completed);
    Life missed{clock, early};
    add(missed);
    missed.scheduler.start();
    missed.scheduler.poll();
    CHECK(runs == 2);
    CHECK(missed.story("job") == "success");
}

TEST_CASE("an instant that was past already when its job was added survives a crash before it ran") {
    daybook::ManualClock clock;
    int runs = 0;
    const auto add = [&](Life& life) { add_counted(life, runs, {.schedule = daybook::at(monday - 1h)}); };
    Life before{clock};
    add(before);
    before.scheduler.start();
    Life after{clock, before.crash()};
    add(after);
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 1);
}

TEST_CASE("how many occurrences are left survives") {
    daybook::ManualClock clock;
    int runs = 0;
    const auto add = [&](Life& life) { add_counted(life, runs, {.schedule = cron("* * * * *").times(4)}); };
    Life before{clock};
    add(before);
    before.scheduler.start();
    before.pass(2min);
    const Kept left = before.crash();
    clock.advance(1min);
    Life after{clock, left};
    add(after);
    after.scheduler.start();
    after.pass(5min);
    CHECK(runs == 4);
    CHECK(after.scheduler.job("job")->state == daybook::JobState::completed);
    Life later{clock, after.crash()};
    add(later);
    later.scheduler.start();
    later.pass(5min);
    CHECK(runs == 4);
}

TEST_CASE("how many times an interval is left to come survives, its instants begin anew") {
    daybook::ManualClock clock;
    int runs = 0;
    const auto add = [&](Life& life) { add_counted(life, runs, {.schedule = every(10s).times(3)}); };
    Life before{clock};
    add(before);
    before.scheduler.start();
    before.pass(25s);
    CHECK(runs == 2);
    const Kept left = before.crash();
    clock.advance(1min);
    Life after{clock, left};
    add(after);
    after.scheduler.start();
    after.pass(9s);
    CHECK(runs == 2);
    after.pass(1min);
    CHECK(runs == 3);
}

TEST_CASE("an interval that counts from an instant owes what came while nobody ran") {
    daybook::ManualClock clock;
    int runs = 0;
    const auto add = [&](Life& life) { add_counted(life, runs, {.schedule = every(1min).from(monday).times(7)}); };
    Life before{clock};
    add(before);
    before.scheduler.start();
    before.pass(90s);
    CHECK(runs == 1);
    const Kept left = before.crash();
    clock.advance(2min);
    Life after{clock, left};
    add(after);
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(after.story("job") == "success skipped:misfire success");
    after.pass(10min);
    CHECK(after.story("job") == "success skipped:misfire success success success success");
}

TEST_CASE("a clock that was set back by hours while nobody ran does not stop a job until it has caught up") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *")});
    before.scheduler.start();
    before.pass(1min);
    const Kept left = before.crash();
    clock.step(-48h);
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("* * * * *")});
    after.scheduler.start();
    CHECK(after.was_told("set back by hours"));
    after.pass(1min);
    CHECK(runs == 2);
    CHECK(after.crash().jobs.at("job").accounted_to < monday);
}

TEST_CASE("an execution that its process did not end is abandoned, and attempted again at once") {
    Interrupted before{{.overlap = daybook::Overlap::skip, .parameters = "given"}};
    Life after{before.clock, before.left};
    int runs = 0;
    after.scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&](daybook::JobContext& job) {
        CHECK(job.attempt_number() == 2);
        CHECK(job.parameters() == "given");
        CHECK(job.scheduled_at() == monday + 1min);
        ++runs;
    });
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 1);
    const auto records = bench::history(after.scheduler.log(), "job");
    REQUIRE(records.size() == 2);
    CHECK(records[0].status == JobStatus::abandoned);
    CHECK_FALSE(records[0].is_final);
    CHECK_FALSE(records[0].duration);
    CHECK(records[1].status == JobStatus::success);
    CHECK(records[1].is_final);
    CHECK(records[1].occurrence_id == records[0].occurrence_id);
    CHECK(after.was_told("left 1 executions unfinished"));
}

TEST_CASE("an execution of a job that runs at most once stays abandoned") {
    Interrupted before{{.delivery = Delivery::at_most_once}};
    Life after{before.clock, before.left};
    int runs = 0;
    add_counted(after, runs, {.schedule = cron("* * * * *"), .delivery = Delivery::at_most_once});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 0);
    CHECK(after.story("job") == "abandoned");
    CHECK(after.scheduler.log().query({.job_id = "job"}).records.at(0).is_final);
}

TEST_CASE("an execution whose job is gone stays abandoned") {
    Interrupted before{{}};
    Life after{before.clock, before.left};
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(after.story("job") == "abandoned");
}

TEST_CASE("what waited behind an execution is attempted again after it") {
    daybook::ManualClock clock;
    std::optional<Open> open;
    Life before{clock};
    before.scheduler.add({.id = "job", .overlap = daybook::Overlap::queue_all},
                         [&](daybook::JobContext&, Open done) { open = std::move(done); });
    before.scheduler.start();
    for (const char* parameters : {"a", "b", "c"}) {
        before.scheduler.trigger("job", {.parameters = parameters});
        before.scheduler.poll();
    }
    const Kept left = before.crash();
    open.reset();
    std::string order;
    Life after{clock, left};
    after.scheduler.add({.id = "job", .overlap = daybook::Overlap::queue_all},
                        [&](daybook::JobContext& job) { order += job.parameters(); });
    after.scheduler.start();
    after.scheduler.trigger("job", {.parameters = "d"});
    after.scheduler.poll();
    CHECK(order == "abcd");
    CHECK(after.story("job") == "abandoned(retry) abandoned(retry) abandoned(retry) success success success success");
}

TEST_CASE("what an earlier process has begun and had waiting does not run at once after a restart") {
    daybook::ManualClock clock;
    std::vector<Open> open;
    const auto add_to = [&](Life& life) {
        life.scheduler.add({.id = "job", .overlap = daybook::Overlap::queue_one},
                           [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
        life.scheduler.start();
    };
    Life before{clock};
    add_to(before);
    before.scheduler.trigger("job");
    before.scheduler.poll();
    before.scheduler.trigger("job");
    before.scheduler.poll();
    const Kept left = before.crash();
    open.clear();
    Life after{clock, left};
    add_to(after);
    after.scheduler.poll();
    REQUIRE(open.size() == 1);
    CHECK(after.scheduler.explain("job").find("Waiting for the occurrence before it") != std::string::npos);
    after.scheduler.trigger("job"); // one waits already
    open.pop_back();
    after.scheduler.poll();
    REQUIRE(open.size() == 1);
    CHECK(open.back().context().attempt_number() == 2);
    open.pop_back();
    after.scheduler.poll();
    CHECK(open.empty());
}

TEST_CASE("an occurrence that takes three processes with it is given up") {
    daybook::ManualClock clock;
    Kept left;
    for (int life = 0; life < 3; ++life) {
        std::optional<Open> open;
        Life doomed{clock, left};
        doomed.scheduler.add({.id = "job"}, [&](daybook::JobContext&, Open done) { open = std::move(done); });
        doomed.scheduler.start();
        if (life == 0) { doomed.scheduler.trigger("job"); }
        doomed.scheduler.poll();
        REQUIRE(open);
        left = doomed.crash();
        open.reset();
    }
    int runs = 0;
    Life after{clock, left};
    add_counted(after, runs, {});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 0);
    CHECK(after.story("job") == "abandoned(retry) abandoned(retry) abandoned");
}

TEST_CASE("a retry that was promised comes in the next process") {
    daybook::ManualClock clock;
    Life after{clock, promised(clock)};
    std::string parameters;
    after.scheduler.add({.id = "job", .retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 1h})},
                        [&](daybook::JobContext& job) { parameters = job.parameters(); });
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(parameters == "given");
    CHECK(after.story("job") == "error(retry) success");
    CHECK(bench::history(after.scheduler.log(), "job")[1].attempt_number == 2);
}

TEST_CASE("a retry that the policy does not allow any more is recorded as cancelled") {
    daybook::ManualClock clock;
    int runs = 0;
    Life after{clock, promised(clock)};
    add_counted(after, runs, {});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 0);
    CHECK(after.story("job") == "error(retry) cancelled");
    CHECK(after.crash().executions.rbegin()->second.is_final);
}

TEST_CASE("the retry of a job that is gone is recorded as cancelled") {
    daybook::ManualClock clock;
    Life after{clock, promised(clock)};
    after.scheduler.start();
    CHECK(after.story("job") == "error(retry) cancelled");
    Life later{clock, after.crash()};
    later.scheduler.start();
    CHECK(later.story("job") == "error(retry) cancelled");
}

TEST_CASE("a job that is removed after a restart takes the attempt with it that it owed") {
    Interrupted before{{}};
    Life after{before.clock, before.left};
    int runs = 0;
    add_counted(after, runs, {.schedule = cron("* * * * *")});
    after.scheduler.start();
    after.scheduler.remove("job");
    after.scheduler.poll();
    CHECK(after.story("job") == (runs == 0 ? "abandoned(retry) cancelled" : "abandoned(retry) success"));
}

TEST_CASE("a job that is added after the start is known to the store as well") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *")});
    before.scheduler.start();
    const Kept left = before.crash();
    clock.advance(1min);
    Life after{clock, left};
    after.scheduler.start();
    add_counted(after, runs, {.schedule = cron("* * * * *")});
    after.scheduler.poll();
    CHECK(runs == 1);
}
