// SPDX-License-Identifier: MIT
#include "store_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

using namespace bench;
using daybook::cron;
using daybook::Delivery;

namespace {

using Open = daybook::Completion<std::string>;

} // namespace

TEST_CASE("a job that runs at most once does not begin before the store knows") {
    daybook::ManualClock clock;
    Life life{clock};
    int runs = 0;
    std::optional<daybook::sys_time> accounted;
    std::size_t known = 0;
    life.scheduler.add({.id = "job", .schedule = cron("* * * * *"), .delivery = Delivery::at_most_once}, [&] {
        ++runs;
        const Kept now = life.vault->copy();
        accounted = now.jobs.at("job").accounted_to;
        known = now.executions.size();
    });
    life.scheduler.start();
    life.pass(1min);
    CHECK(runs == 1);
    CHECK(known == 1);
    CHECK(accounted == monday + 1min);
    life.vault->go_away(true);
    life.pass(1min);
    CHECK(runs == 1);
    CHECK(life.scheduler.explain("job").find("because the store could not be reached") != std::string::npos);
    CHECK(life.scheduler.health().running == 0);
    life.vault->go_away(false);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!life.scheduler.log().flush(patience) && std::chrono::steady_clock::now() < until) {}
    life.pass(1min);
    CHECK(runs == 2);
    CHECK(life.story("job") == "success skipped:store_unavailable success");
}

TEST_CASE("a job that holds is not begun while the store is away, the others go on") {
    daybook::ManualClock clock;
    Life life{clock};
    int held = 0;
    int free = 0;
    life.scheduler.add({.id = "held", .schedule = cron("* * * * *"), .on_store_failure = daybook::OnStoreFailure::hold},
                       [&] { ++held; });
    life.scheduler.add({.id = "free", .schedule = cron("* * * * *")}, [&] { ++free; });
    life.scheduler.start();
    life.pass(1min);
    CHECK(held == 1);
    life.vault->go_away(true);
    life.scheduler.pause("other");
    life.scheduler.trigger("free");
    CHECK_FALSE(life.scheduler.log().flush(patience));
    life.pass(1min);
    CHECK(held == 1);
    CHECK(free >= 2);
}

TEST_CASE("stop says what the store does not have, and what came due after it is owed by the next process") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_counted(before, runs, {.schedule = cron("* * * * *")});
    before.scheduler.start();
    before.pass(1min);
    const auto whole = before.scheduler.stop();
    CHECK(whole.is_written);
    CHECK(whole.unwritten == 0);
    const Kept left = before.vault->copy();
    clock.advance(1min);
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("* * * * *")});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 2);
    after.vault->go_away(true);
    after.pass(1min);
    const auto part = after.scheduler.stop();
    CHECK_FALSE(part.is_written);
    CHECK(part.unwritten != 0);
}

TEST_CASE("a stop in the midst of things leaves nothing unsaid") {
    daybook::ManualClock clock;
    std::optional<Open> open;
    Life before{clock};
    before.scheduler.add({.id = "job", .schedule = cron("* * * * *"), .overlap = daybook::Overlap::queue_all},
                         [&](daybook::JobContext&, Open done) { open = std::move(done); });
    before.scheduler.start();
    before.pass(3min);
    before.scheduler.request_stop();
    const Kept left = before.crash();
    open.reset();
    int runs = 0;
    Life after{clock, left};
    add_counted(after, runs, {.schedule = cron("* * * * *")});
    after.scheduler.start();
    after.scheduler.poll();
    CHECK(runs == 1);
    CHECK(after.story("job") == "abandoned(retry) skipped:shutdown skipped:shutdown success");
}
