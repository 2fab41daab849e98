// SPDX-License-Identifier: MIT
#include "fleet_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace bench;
using daybook::cron;
using daybook::every;
using daybook::Misfire;
using daybook::Overlap;
using daybook::TriggerOutcome;

namespace {

using Open = daybook::Completion<std::string>;

/// Two processes with a job that ends when the test says so.
struct OpenPair {
    explicit OpenPair(Overlap overlap) {
        Fleet::add_open(a, open_a, {.overlap = overlap});
        Fleet::add_open(b, open_b, {.overlap = overlap});
        fleet.start();
    }
    static void end(std::optional<Open>& open) {
        open->success("done");
        open.reset();
    }

    Fleet fleet;
    std::optional<Open> open_a;
    std::optional<Open> open_b;
    Fleet::Member& a = fleet.join("a");
    Fleet::Member& b = fleet.join("b");
};

} // namespace

TEST_CASE("an occurrence is run by exactly one process of a fleet, and all see it") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b", "c"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    }
    fleet.start();
    fleet.pass(5min);
    CHECK(runs == 5);
    CHECK(fleet.tells("job", "success success success success success"));
    for (const auto& member : fleet.members) { CHECK(member->scheduler.log().stats().total_executions == 5); }
    CHECK(fleet.eventually([&] { return fleet.store.claims().empty(); }));
}

TEST_CASE("what no process of a fleet could run in time is owed once") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    }
    fleet.start();
    fleet.clock.advance(5min + 30s);
    fleet.settle();
    CHECK(runs == 1);
    CHECK(fleet.tells("job", "skipped:misfire*4 success"));
}

TEST_CASE("an interval of a fleet counts from the epoch, whenever its processes began") {
    Fleet fleet;
    std::vector<daybook::sys_time> nominal;
    const auto note = [&](daybook::JobContext& job) { nominal.push_back(*job.scheduled_at()); };
    fleet.join("a").scheduler.add({.id = "job", .schedule = every(7s)}, note);
    fleet.members[0]->scheduler.start();
    fleet.clock.advance(3s);
    fleet.join("b").scheduler.add({.id = "job", .schedule = every(7s)}, note);
    fleet.members[1]->scheduler.start();
    fleet.pass(28s);
    const auto sevenths = [](daybook::sys_time at) { return at.time_since_epoch() / 7s; };
    CHECK(static_cast<long>(nominal.size()) == sevenths(monday + 31s) - sevenths(monday));
    for (const auto at : nominal) { CHECK(at.time_since_epoch() % 7s == 0s); }
    CHECK(fleet.members[0]->scheduler.job("job")->when == every(7s));
}

TEST_CASE("an occurrence is skipped while another process has the one before in progress") {
    OpenPair pair{Overlap::skip};
    REQUIRE(pair.a.scheduler.trigger("job"));
    pair.fleet.poll();
    REQUIRE(pair.open_a);
    CHECK(pair.b.scheduler.trigger("job").outcome == TriggerOutcome::skipped);
    OpenPair::end(pair.open_a);
    CHECK(pair.fleet.eventually([&] { return pair.fleet.store.claims().empty(); }));
    CHECK(pair.b.scheduler.trigger("job"));
    pair.fleet.poll();
    REQUIRE(pair.open_b);
    OpenPair::end(pair.open_b);
    CHECK(pair.fleet.tells("job", "success skipped:overlap success"));
}

TEST_CASE("an occurrence waits for the one that another process has in progress") {
    OpenPair pair{Overlap::queue_one};
    REQUIRE(pair.a.scheduler.trigger("job"));
    pair.fleet.poll();
    REQUIRE(pair.b.scheduler.trigger("job"));
    CHECK(pair.b.scheduler.explain("job").find("another process") != std::string::npos);
    CHECK(pair.a.scheduler.trigger("job").outcome == TriggerOutcome::skipped); // one waits
    pair.fleet.poll();
    CHECK_FALSE(pair.open_b);
    OpenPair::end(pair.open_a);
    REQUIRE(pair.fleet.eventually([&] { return pair.open_b.has_value(); }));
    OpenPair::end(pair.open_b);
}

TEST_CASE("a newer occurrence cancels the one that another process has in progress") {
    OpenPair pair{Overlap::cancel_running};
    REQUIRE(pair.a.scheduler.trigger("job"));
    pair.fleet.poll();
    REQUIRE(pair.b.scheduler.trigger("job"));
    REQUIRE(pair.fleet.eventually([&] { return pair.open_a->context().stop_requested(); }));
    OpenPair::end(pair.open_a);
    REQUIRE(pair.fleet.eventually([&] { return pair.open_b.has_value(); }));
    OpenPair::end(pair.open_b);
    CHECK(pair.fleet.tells("job", "cancelled success"));
}

TEST_CASE("a job that is paused in one process is paused in all") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    }
    fleet.start();
    fleet.members[0]->scheduler.pause("job");
    auto& other = fleet.members[1]->scheduler;
    REQUIRE(fleet.eventually([&] { return other.job("job")->is_paused; }));
    fleet.pass(3min);
    CHECK(runs == 0);
    other.resume("job");
    REQUIRE(fleet.eventually([&] { return !fleet.members[0]->scheduler.job("job")->is_paused; }));
    fleet.pass(1min);
    CHECK(runs == 1);
}

TEST_CASE("a job made as data is there in all processes, changes and goes in all") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        auto& scheduler = fleet.join(name).scheduler;
        scheduler.handlers().add("reports", "daily", [&](daybook::JobContext&) { ++runs; });
    }
    fleet.start();
    auto& a = fleet.members[0]->scheduler;
    auto& b = fleet.members[1]->scheduler;
    a.add({.id = "made", .handler_id = "reports", .method_name = "daily", .schedule = cron("* * * * *")});
    REQUIRE(fleet.eventually([&] { return b.job("made").has_value(); }));
    fleet.pass(2min);
    CHECK(runs == 2);
    b.update({.id = "made", .handler_id = "reports", .method_name = "daily", .schedule = cron("0 * * * *")});
    REQUIRE(fleet.eventually([&] { return a.job("made")->when == cron("0 * * * *"); }));
    fleet.pass(2min);
    CHECK(runs == 2);
    a.remove("made");
    REQUIRE(fleet.eventually([&] { return !b.job("made"); }));
}

TEST_CASE("a process that has another schedule for a job in code takes that of the process that came later") {
    Fleet fleet;
    fleet.join("old").scheduler.add({.id = "job", .schedule = cron("0 * * * *")}, [] {});
    fleet.start();
    fleet.join("new").scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [] {});
    fleet.members[1]->scheduler.start();
    REQUIRE(fleet.eventually([&] { return fleet.members[0]->scheduler.job("job")->when == cron("* * * * *"); }));
}

TEST_CASE("a group is bounded in all processes together") {
    Fleet fleet;
    std::vector<Open> open;
    const auto limited = [](auto& options) { options.fleet->group_limits["group"] = 2; };
    for (const char* name : {"a", "b"}) {
        auto& scheduler = fleet.join(name, limited).scheduler;
        for (const char* id : {"one", "two", "three"}) {
            scheduler.add({.id = id, .schedule = cron("* * * * *"), .group = "group"},
                          [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
        }
    }
    fleet.start();
    fleet.clock.advance(1min);
    REQUIRE(fleet.eventually([&] { return open.size() == 2; }));
    fleet.poll();
    CHECK(open.size() == 2);
    open.front().success("done");
    open.erase(open.begin());
    REQUIRE(fleet.eventually([&] { return open.size() == 2; }));
    for (Open& one : open) { one.success("done"); }
}

TEST_CASE("nothing runs while the store does not say who runs it, and what was owed is run once it does") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    }
    fleet.start();
    fleet.store.cut_off("a");
    fleet.store.cut_off("b");
    fleet.clock.advance(1min);
    for (const auto& member : fleet.members) { CHECK_FALSE(member->scheduler.wait_idle(5ms)); }
    CHECK(runs == 0);
    fleet.store.let_back("a");
    fleet.store.let_back("b");
    REQUIRE(fleet.eventually([&] { return runs != 0; }));
    fleet.pass(1min);
    CHECK(runs == 2);
}

TEST_CASE("a claim whose answer was lost is found out about, and run once") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    }
    fleet.start();
    fleet.store.pass_next(1, daybook::testing::MemoryCalls::fleet); // the lock
    fleet.store.doubt_next(1, daybook::testing::MemoryCalls::fleet);
    fleet.clock.advance(1min);
    REQUIRE(fleet.eventually([&] { return runs != 0; }));
    fleet.pass(2min);
    CHECK(runs == 3);
    CHECK(fleet.tells("job", "success success success"));
}

TEST_CASE("what is due when one process stops is left to the others") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    }
    fleet.start();
    fleet.members[0]->scheduler.stop(0s);
    fleet.clock.advance(1min);
    fleet.members[1]->scheduler.poll();
    CHECK(runs == 1);
}

TEST_CASE("a job that has succeeded in another process is not stale") {
    Fleet fleet;
    int stale = 0;
    const auto count = [&](auto& options) { options.hooks.on_stale = [&](const daybook::JobEvent&) { ++stale; }; };
    for (const char* name : {"a", "b"}) {
        fleet.join(name, count).scheduler.add({.id = "job", .schedule = cron("* * * * *"), .stale_after = 150s}, [] {});
    }
    fleet.start();
    fleet.pass(10min);
    CHECK(stale == 0);
    CHECK(fleet.members[0]->scheduler.health().stale == 0);
}

TEST_CASE("what means something else to each process is refused in a fleet") {
    Fleet fleet;
    auto& scheduler = fleet.join("a").scheduler;
    const auto refused = [&](daybook::JobOptions options) {
        options.id = "job";
        try {
            scheduler.add(options, [] {});
        } catch (const std::invalid_argument& error) { return std::string{error.what()}; }
        return std::string{};
    };
    using daybook::OnStoreFailure;
    CHECK(refused({.on_store_failure = OnStoreFailure::run_anyway}).find("on_store_failure must be hold") !=
          std::string::npos);
    CHECK(refused({.schedule = every(1s).after_completion()}).find("from a completion") != std::string::npos);
    CHECK(refused({.schedule = every(1s).times(3)}).find("times needs from") != std::string::npos);
    CHECK(refused({.schedule = daybook::at(std::chrono::steady_clock::now())}).find("steady clock") !=
          std::string::npos);
    CHECK(scheduler.job_count() == 0);
}

TEST_CASE("a fleet needs a store that can be shared") {
    daybook::SchedulerOptions options;
    options.fleet.emplace();
    CHECK_THROWS_AS(daybook::Scheduler<>{options}, std::invalid_argument);
}

TEST_CASE("times with from ends after so many in all processes together") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.add({.id = "job", .schedule = every(1min).from(monday).times(4)}, [&] { ++runs; });
    }
    fleet.start();
    fleet.pass(10min);
    CHECK(fleet.tells("job", "success success success"));
    CHECK(runs == 3); // that of the start is past
}

TEST_CASE("a process that has learned of a job follows all that becomes of it") {
    Fleet fleet;
    for (const char* name : {"a", "b"}) {
        fleet.join(name).scheduler.handlers().add("reports", "daily", [](daybook::JobContext&) {});
    }
    fleet.start();
    auto& a = fleet.members[0]->scheduler;
    auto& b = fleet.members[1]->scheduler;
    a.add({.id = "made", .handler_id = "reports", .method_name = "daily", .schedule = cron("* * * * *")});
    REQUIRE(fleet.eventually([&] { return b.job("made").has_value(); }));
    a.pause("made");
    REQUIRE(fleet.eventually([&] { return b.job("made")->is_paused; }));
    a.resume("made");
    a.update({.id = "made", .handler_id = "reports", .method_name = "daily", .schedule = cron("0 * * * *")});
    REQUIRE(fleet.eventually([&] { return b.job("made")->when == cron("0 * * * *"); }));
    a.remove("made");
    REQUIRE(fleet.eventually([&] { return !b.job("made"); }));
}

TEST_CASE("a job made by a process that never starts is due in the others") {
    Fleet fleet;
    int runs = 0;
    for (const char* name : {"admin", "b"}) {
        fleet.join(name).scheduler.handlers().add("reports", "daily", [&](daybook::JobContext&) { ++runs; });
    }
    auto& b = fleet.members[1]->scheduler;
    b.start();
    fleet.members[0]->scheduler.add(
        {.id = "made", .handler_id = "reports", .method_name = "daily", .schedule = cron("* * * * *")});
    REQUIRE(fleet.eventually([&] { return b.job("made").has_value(); }));
    fleet.pass(2min, 1min);
    CHECK(runs == 2);
}

TEST_CASE("of what a job owes at once no more than the limit of its group is in progress") {
    Fleet fleet;
    std::vector<Open> open;
    const auto limited = [](auto& options) { options.fleet->group_limits["group"] = 1; };
    fleet.join("a", limited)
        .scheduler.add({.id = "job",
                        .schedule = cron("* * * * * *"),
                        .overlap = Overlap::allow,
                        .misfire = Misfire::run_all,
                        .group = "group"},
                       [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
    fleet.start();
    fleet.clock.advance(4s);
    REQUIRE(fleet.eventually([&] { return !open.empty(); }));
    CHECK(open.size() == 1);
    for (Open& one : open) { one.success("done"); }
}

TEST_CASE("what a trigger was to take the place of is cancelled also if the trigger comes to nothing") {
    Fleet fleet;
    std::optional<Open> open;
    auto& a = fleet.join("a");
    a.scheduler.add({.id = "job", .overlap = Overlap::cancel_running},
                    [&](daybook::JobContext&, Open done) { open = std::move(done); });
    fleet.start();
    REQUIRE(a.scheduler.trigger("job"));
    a.scheduler.poll();
    fleet.settle_claims();
    fleet.store.pass_next(1, daybook::testing::MemoryCalls::fleet); // the lock
    fleet.store.fail_next(daybook::StoreFailure::busy, 1, daybook::testing::MemoryCalls::fleet);
    CHECK(a.scheduler.trigger("job").outcome == TriggerOutcome::skipped);
    REQUIRE(fleet.eventually([&] { return open->context().stop_requested(); }));
    OpenPair::end(open);
    CHECK(fleet.tells("job", "cancelled skipped:store_unavailable"));
}

TEST_CASE("a program that polls comes again soon while the store is asked") {
    Fleet fleet;
    auto& a = fleet.join("a");
    a.scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [] {});
    fleet.start();
    fleet.store.cut_off("a");
    fleet.clock.advance(1min);
    a.scheduler.poll();
    CHECK(a.scheduler.until_due() <= 20ms);
}
