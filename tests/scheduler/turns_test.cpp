// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace bench;

namespace {

using Done = daybook::Completion<std::string>;

} // namespace

TEST_CASE("after completion: while another occurrence waits, the completion has not come") {
    Bench b;
    std::vector<Done> open;
    b.scheduler.add(
        {.id = "job", .schedule = daybook::every(10s).after_completion(), .overlap = daybook::Overlap::queue_all},
        [&](daybook::JobContext&, Done done) { open.push_back(std::move(done)); });
    b.scheduler.start();
    b.scheduler.trigger("job");
    b.scheduler.trigger("job");
    b.pass(10s, 10s); // the schedule's own is the third in the line
    b.clock.advance(1s);
    open[0].success();
    b.scheduler.poll(); // the second runs
    CHECK(!b.scheduler.job("job")->next_run);
    open.clear();
}

TEST_CASE("after completion: a job that is over stays over when the wall clock is set back") {
    Bench b;
    b.scheduler.add("job", daybook::every(10s).after_completion().until(monday + 15s), [] {});
    b.scheduler.start();
    b.pass(10s, 10s);
    CHECK(b.scheduler.job("job")->state == daybook::JobState::completed);
    b.clock.step(-10s);
    b.scheduler.trigger("job");
    b.scheduler.poll();
    CHECK(!b.scheduler.job("job")->next_run);
    b.pass(10s, 10s);
    CHECK(b.scheduler.job("job").has_value()); // forgotten before its retention of an hour
}

TEST_CASE("a place in a group that a dropped occurrence was to have goes to the next one") {
    Bench b{0, [](auto& options) { options.group_limits = {{"g", 1}}; }};
    std::vector<Done> open;
    for (const char* id : {"a", "b", "c"}) {
        b.scheduler.add({.id = id, .group = "g"},
                        [&](daybook::JobContext&, Done done) { open.push_back(std::move(done)); });
        b.scheduler.trigger(id);
    }
    b.scheduler.start();
    b.scheduler.poll(); // a runs, b and c are parked
    open[0].success();  // b's turn
    b.scheduler.remove("b");
    b.scheduler.poll();
    CHECK(b.scheduler.job("c")->running == 1);
    open.clear();
}

TEST_CASE("a poll before the start and a wall clock set back in between leave no job without its next time") {
    Bench b;
    b.scheduler.add("job", daybook::cron("0 0 * * * *"), [] {});
    b.scheduler.poll();
    b.clock.step(-4h);
    b.scheduler.start();
    CHECK(b.scheduler.job("job")->next_run.has_value());
    b.pass(1h, 1h);
    CHECK(b.story("job") == "success");
}
