// SPDX-License-Identifier: MIT
#include "fleet_bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace bench;
using daybook::cron;
using daybook::Delivery;
using daybook::TriggerOutcome;

namespace {

using Open = daybook::Completion<std::string>;

/// Two processes with a job that ends when the test says so; leases are short.
struct Two {
    explicit Two(Delivery delivery = Delivery::at_least_once) {
        Fleet::add_open(a, open_a, {.delivery = delivery});
        Fleet::add_open(b, open_b, {.delivery = delivery});
        fleet.start();
        REQUIRE(a.scheduler.trigger("job"));
        a.scheduler.poll();
        REQUIRE(open_a);
    }

    /// The first process is cut off until the other one has taken over from it.
    void cut_off() {
        fleet.store.cut_off("a");
        REQUIRE(fleet.eventually([&] { return b.scheduler.health().fleet->taken_over != 0; }));
    }

    Fleet fleet{300ms};
    std::optional<Open> open_a;
    std::optional<Open> open_b;
    Fleet::Member& a = fleet.join("a");
    Fleet::Member& b = fleet.join("b");
};

/// Several at once of a job called "job", if the scheduler lets them: each ends when the test says so.
void add_open(Fleet::Member& member, std::vector<Open>& open, daybook::JobOptions options) {
    options.id = "job";
    member.scheduler.add(std::move(options),
                         [&open](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
}

/// Ends them as they begin, until there were as many as that.
struct Ended {
    Ended(Fleet& fleet, Fleet::Member& member, std::vector<Open>& open, std::size_t wanted) {
        CHECK(fleet.eventually([&] {
            fleet.settle_claims(); // what could begin beside it has had the time to
            member.scheduler.poll();
            most = std::max(most, open.size());
            for (Open& one : open) {
                attempts.push_back(one.context().attempt_number());
                one.success("done");
            }
            open.clear();
            return attempts.size() == wanted;
        }));
    }

    std::size_t most = 0; ///< at once
    std::vector<std::uint32_t> attempts;
};

} // namespace

TEST_CASE("what a process that was cut off had in progress is attempted again by another one") {
    Two two;
    two.cut_off();
    REQUIRE(two.fleet.eventually([&] { return two.open_b.has_value(); }));
    CHECK(two.open_b->context().attempt_number() == 2);
    two.open_b->success("second");
    two.open_b.reset();
    CHECK(two.fleet.eventually([&] { return story(two.b.scheduler.log(), "job") == "abandoned(retry) success"; }));
    two.open_a->success("first");
}

TEST_CASE("at most once is not attempted again when its process was cut off") {
    Two two{Delivery::at_most_once};
    two.cut_off();
    CHECK(two.fleet.eventually([&] { return story(two.b.scheduler.log(), "job") == "abandoned"; }));
    two.b.scheduler.poll();
    CHECK_FALSE(two.open_b);
    two.open_a->success("first");
}

TEST_CASE("a process that was cut off asks what it runs to stop, and its late end changes nothing") {
    Two two;
    two.cut_off();
    two.fleet.store.let_back("a");
    REQUIRE(two.fleet.eventually([&] { return two.open_a->context().stop_requested(); }));
    two.open_a->success("first");
    REQUIRE(two.fleet.eventually([&] { return two.open_b.has_value(); }));
    two.open_b->success("second");
    two.open_b.reset();
    CHECK(two.fleet.tells("job", "abandoned(retry) success"));
    CHECK(two.a.scheduler.health().fleet->seats_lost == 1);
    CHECK(two.a.was_told("taken over"));
    CHECK(two.fleet.eventually([&] { return two.fleet.store.claims().empty(); }));
    CHECK(two.a.scheduler.log().stats().total_executions == 1);
}

TEST_CASE("a process that lost its seat takes part again") {
    Two two;
    two.cut_off();
    two.fleet.store.let_back("a");
    REQUIRE(two.fleet.eventually([&] { return two.open_a->context().stop_requested() && two.open_b.has_value(); }));
    two.open_a->success("first");
    two.open_a.reset();
    two.open_b->success("second");
    two.open_b.reset();
    CHECK(two.fleet.tells("job", "abandoned(retry) success"));
    REQUIRE(two.fleet.eventually([&] { return two.a.scheduler.trigger("job").outcome == TriggerOutcome::queued; }));
    REQUIRE(two.fleet.eventually([&] { return two.open_a.has_value(); }));
    two.open_a->success("third");
    CHECK(two.fleet.eventually([&] { return story(two.b.scheduler.log(), "job").ends_with("success success"); }));
}

TEST_CASE("a process that cannot renew its lease starts nothing, and goes on when it can") {
    Fleet fleet{300ms};
    int runs = 0;
    auto& a = fleet.join("a");
    a.scheduler.add({.id = "job"}, [&] { ++runs; });
    fleet.start();
    REQUIRE(a.scheduler.trigger("job"));
    fleet.store.cut_off("a");
    REQUIRE([&] {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (a.scheduler.health().fleet->is_seated && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(1ms);
        }
        return !a.scheduler.health().fleet->is_seated;
    }());
    a.scheduler.poll();
    CHECK(runs == 0);
    fleet.store.let_back("a");
    CHECK(fleet.eventually([&] { return runs == 1; }));
}

TEST_CASE(
    "what is asked to stop because its lease is over is attempted again once there is one, if nobody took it over") {
    Fleet fleet{300ms};
    std::optional<Open> open;
    auto& a = fleet.join("a");
    a.scheduler.add({.id = "job"}, [&](daybook::JobContext&, Open done) { open = std::move(done); });
    fleet.start();
    REQUIRE(a.scheduler.trigger("job"));
    a.scheduler.poll();
    fleet.store.cut_off("a");
    REQUIRE(fleet.eventually([&] { return open->context().stop_requested(); }));
    open->error("asked to stop");
    open.reset();
    fleet.store.let_back("a");
    REQUIRE(fleet.eventually([&] { return open.has_value(); }));
    CHECK(open->context().attempt_number() == 2);
    open->success("second");
    open.reset();
    CHECK(fleet.tells("job", "abandoned(retry) success"));
}

TEST_CASE("what an earlier process has claimed and never begun is run by the next one") {
    Fleet fleet{300ms};
    int runs = 0;
    {
        Fleet::Member gone{fleet, "gone", {}};
        gone.scheduler.add({.id = "job"}, [] {});
        gone.scheduler.start();
        REQUIRE(gone.scheduler.trigger("job"));
        fleet.store.cut_off("gone"); // nothing of its end is written
    }
    auto& next = fleet.join("next");
    next.scheduler.add({.id = "job"}, [&] { ++runs; });
    fleet.start();
    CHECK(fleet.eventually([&] { return runs == 1; }));
    CHECK(fleet.eventually([&] { return story(next.scheduler.log(), "job") == "abandoned(retry) success"; }));
}

TEST_CASE("a skip that its process did not live to record is recorded by another one") {
    Fleet fleet{300ms};
    {
        Fleet::Member gone{fleet, "gone", {}};
        gone.scheduler.add({.id = "job", .schedule = cron("* * * * *"), .is_paused = true}, [] {});
        gone.scheduler.start();
        fleet.store.fail_next(daybook::StoreFailure::unavailable, 1'000'000, daybook::testing::MemoryCalls::write);
        fleet.clock.advance(1min);
        gone.scheduler.poll();
        CHECK(fleet.store.claims().size() == 1);
        fleet.store.cut_off("gone");
        fleet.store.recover();
    }
    auto& next = fleet.join("next");
    next.scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [] {});
    fleet.start();
    CHECK(fleet.eventually([&] { return story(next.scheduler.log(), "job") == "skipped:paused"; }));
}

TEST_CASE("a skip is recorded by whoever takes it over, also from a later seat") {
    Fleet fleet{300ms};
    auto& next = fleet.join("next");
    next.scheduler.add({.id = "job", .schedule = cron("* * * * *"), .is_paused = true}, [] {});
    next.scheduler.start();
    auto& last = fleet.join("last");
    last.scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [] {});
    fleet.store.cut_off("last");
    REQUIRE(fleet.eventually([&] { return fleet.store.seats().size() == 1; }));
    fleet.store.let_back("last");
    REQUIRE(fleet.eventually([&] { return fleet.store.seats().size() == 2; })); // its ids are above the other's now
    fleet.store.fail_next(daybook::StoreFailure::unavailable, 1'000'000, daybook::testing::MemoryCalls::write);
    fleet.clock.advance(1min);
    next.scheduler.poll();
    REQUIRE(fleet.eventually([&] { return fleet.store.claims().size() == 1; }));
    fleet.store.cut_off("next");
    fleet.store.recover();
    last.scheduler.start();
    CHECK(fleet.eventually([&] { return fleet.store.claims().empty(); }));
    CHECK(story(last.scheduler.log(), "job") == "skipped:paused");
    CHECK(fleet.eventually([&] { return last.scheduler.log().stats().skipped_count == 1; }));
}

TEST_CASE("what was taken over and not settled is settled by whoever takes it over next, once") {
    Two two{Delivery::at_most_once};
    auto& c = two.fleet.join("c");
    c.scheduler.add({.id = "job", .delivery = Delivery::at_most_once}, [] {});
    REQUIRE(two.a.scheduler.log().flush(5s));
    two.fleet.store.fail_next(daybook::StoreFailure::unavailable, 1'000'000, daybook::testing::MemoryCalls::write);
    two.cut_off(); // the second one has it, and cannot write it
    two.fleet.store.cut_off("b");
    two.fleet.store.recover();
    c.scheduler.start();
    CHECK(two.fleet.eventually([&] { return two.fleet.store.claims().empty(); }));
    two.fleet.store.let_back("b");
    CHECK(two.fleet.eventually([&] { return two.b.scheduler.health().fleet->seats_lost == 1; }));
    CHECK(two.fleet.eventually([&] { return two.b.scheduler.health().fleet->is_seated; }));
    CHECK(two.fleet.eventually([&] { return two.b.scheduler.log().flush(1s); }));
    CHECK(story(c.scheduler.log(), "job") == "abandoned");
    CHECK(c.scheduler.log().stats().total_executions == 1);
    CHECK(c.scheduler.log().stats().abandoned_count == 1);
    two.open_a->success("first");
}

TEST_CASE("a process that stops leaves nothing behind for the others to take over") {
    Fleet fleet;
    auto& a = fleet.join("a");
    int runs = 0;
    a.scheduler.add({.id = "job", .schedule = cron("* * * * *")}, [&] { ++runs; });
    fleet.start();
    fleet.pass(2min);
    a.scheduler.stop(1s);
    CHECK(fleet.store.claims().empty());
    CHECK(runs == 2);
}

TEST_CASE("what two processes have waiting goes on in its order when one of them is gone") {
    Fleet fleet{300ms};
    std::optional<Open> open_a;
    std::optional<Open> open_b;
    auto& a = fleet.join("a");
    auto& b = fleet.join("b");
    Fleet::add_open(a, open_a, {.overlap = daybook::Overlap::queue_all});
    Fleet::add_open(b, open_b, {.overlap = daybook::Overlap::queue_all});
    fleet.start();
    REQUIRE(a.scheduler.trigger("job"));
    a.scheduler.poll();
    REQUIRE(open_a);
    REQUIRE(b.scheduler.trigger("job"));
    REQUIRE(a.scheduler.trigger("job"));
    fleet.store.cut_off("a");
    int ended = 0;
    CHECK(fleet.eventually([&] {
        if (open_b) {
            open_b->success("done");
            open_b.reset();
            ++ended;
        }
        return ended == 3;
    }));
    open_a->success("late");
}

TEST_CASE("what is taken over of a job goes on one after another, beside what waits here") {
    Fleet fleet{300ms};
    std::vector<Open> open_a;
    std::vector<Open> open_b;
    auto& a = fleet.join("a");
    auto& b = fleet.join("b");
    add_open(a, open_a, {.overlap = daybook::Overlap::queue_all});
    add_open(b, open_b, {.overlap = daybook::Overlap::queue_all});
    fleet.start();
    REQUIRE(a.scheduler.trigger("job"));
    a.scheduler.poll();
    REQUIRE(open_a.size() == 1);
    REQUIRE(a.scheduler.trigger("job"));
    REQUIRE(a.scheduler.trigger("job"));
    fleet.store.cut_off("a");
    REQUIRE(fleet.eventually([&] { return open_b.size() == 1; }));
    REQUIRE(b.scheduler.trigger("job")); // waits for what is here by now
    const Ended ended{fleet, b, open_b, 4};
    CHECK(ended.most == 1);
    CHECK(ended.attempts.front() == 2);
    CHECK(std::ranges::count(ended.attempts, 2U) == 3);
    open_a.front().success("late");
}

TEST_CASE("what catches up in a row does so after a takeover, whatever the rule for overlap") {
    Fleet fleet{300ms};
    std::vector<Open> open_a;
    std::vector<Open> open_b;
    auto& a = fleet.join("a");
    const daybook::JobOptions in_a_row{
        .schedule = cron("* * * * *"), .overlap = daybook::Overlap::allow, .misfire = daybook::Misfire::run_all};
    add_open(a, open_a, in_a_row);
    a.scheduler.start();
    fleet.clock.advance(3min + 30s);
    REQUIRE(fleet.eventually([&] { return open_a.size() == 1 && fleet.store.claims().size() == 3; }));
    auto& b = fleet.join("b");
    add_open(b, open_b, in_a_row);
    b.scheduler.start();
    fleet.store.cut_off("a");
    const Ended ended{fleet, b, open_b, 3};
    CHECK(ended.most == 1);
    open_a.front().success("late");
}

TEST_CASE("a process that was never started leaves what others had to those that run") {
    Fleet fleet{300ms};
    std::optional<Open> open_a;
    int runs = 0;
    auto& a = fleet.join("a");
    fleet.join("web");
    a.scheduler.add({.id = "job"}, [&](daybook::JobContext&, Open done) { open_a = std::move(done); });
    a.scheduler.start();
    REQUIRE(a.scheduler.trigger("job"));
    a.scheduler.poll();
    REQUIRE(open_a);
    fleet.store.cut_off("a");
    auto& c = fleet.join("c");
    c.scheduler.add({.id = "job"}, [&] { ++runs; });
    c.scheduler.start();
    CHECK(fleet.eventually([&] { return runs == 1; }));
    open_a->success("late");
}

TEST_CASE("a further attempt that is due while the lease is over begins once there is one") {
    Fleet fleet{300ms};
    int runs = 0;
    auto& a = fleet.join("a");
    a.scheduler.add({.id = "job", .retry = daybook::fixed_backoff({.max_attempts = 5, .delay = 1s})}, [&] {
        if (++runs == 1) { throw std::runtime_error{"no"}; }
    });
    fleet.start();
    REQUIRE(a.scheduler.trigger("job"));
    a.scheduler.poll();
    REQUIRE(a.scheduler.log().flush(5s));
    fleet.store.cut_off("a");
    fleet.clock.advance(2s);
    const auto end = std::chrono::steady_clock::now() + patience;
    while (a.scheduler.health().fleet->is_seated && std::chrono::steady_clock::now() < end) { a.scheduler.poll(); }
    CHECK(runs == 1);
    fleet.store.let_back("a");
    CHECK(fleet.eventually([&] { return runs == 2; }));
    CHECK(fleet.tells("job", "error(retry) success"));
}
