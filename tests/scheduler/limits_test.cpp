// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace bench;
using daybook::every;

namespace {

using Open = daybook::Completion<std::string>;

/// Jobs that go on until the test ends them.
struct World {
    std::vector<std::pair<std::string, Open>> running;

    auto body(std::string name) {
        return [this, name](daybook::JobContext&, Open done) { running.emplace_back(name, std::move(done)); };
    }
    void end(std::size_t index) {
        const auto ended = running.at(index).second;
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(index));
        Open{ended}.success("done");
    }
    std::string names() const {
        std::string text;
        for (const auto& [name, done] : running) { text += (text.empty() ? "" : " ") + name; }
        return text;
    }
};

/// The order in which bodies began.
std::string order(Bench& bench) {
    auto page = bench.scheduler.log().query({.limit = 1000});
    std::ranges::sort(page.records, {}, [](const auto& record) { return record.started_at.value(); });
    std::string text;
    for (const auto& record : page.records) { text += (text.empty() ? "" : " ") + record.job_id; }
    return text;
}

} // namespace

TEST_CASE("no more bodies of a group run than its limit, and the others wait their turn") {
    World world;
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.group_limits = {{"reports", 2}}; }};
    for (const std::string name : {"a", "b", "c", "d"}) {
        bench.scheduler.add({.id = name, .group = "reports"}, world.body(name));
    }
    bench.scheduler.add("other", {}, world.body("other"));
    bench.scheduler.start();
    for (const char* name : {"a", "b", "c", "d", "other"}) { CHECK(bench.scheduler.trigger(name)); }
    bench.scheduler.poll();
    CHECK(world.names() == "a b other");
    CHECK(bench.scheduler.job("c")->queued == 1);
    world.end(0);
    bench.scheduler.poll();
    CHECK(world.names() == "b other c");
    world.end(0);
    bench.scheduler.poll();
    CHECK(world.names() == "other c d");
    world.running.clear();
}

TEST_CASE("jobs that name no group belong to that of their handler") {
    World world;
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.group_limits = {{"mail", 1}}; }};
    bench.scheduler.add({.id = "a", .handler_id = "mail"}, world.body("a"));
    bench.scheduler.add({.id = "b", .handler_id = "mail"}, world.body("b"));
    bench.scheduler.start();
    bench.scheduler.trigger("a");
    bench.scheduler.trigger("b");
    bench.scheduler.poll();
    CHECK(world.names() == "a");
    world.running.clear();
    bench.scheduler.poll();
    CHECK(world.names() == "b");
    world.running.clear();
}

TEST_CASE("what is removed while it waits for its group leaves the next its place") {
    World world;
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.group_limits = {{"g", 1}}; }};
    for (const std::string name : {"a", "b", "c"}) {
        bench.scheduler.add({.id = name, .group = "g"}, world.body(name));
    }
    bench.scheduler.start();
    for (const char* name : {"a", "b", "c"}) { bench.scheduler.trigger(name); }
    bench.scheduler.poll();
    bench.scheduler.remove("b");
    world.end(0);
    bench.scheduler.poll();
    CHECK(world.names() == "c");
    CHECK(bench.story("b") == "skipped:removed");
    world.running.clear();
}

TEST_CASE("what is removed after it got its turn leaves it to the next, however much is removed with it") {
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.group_limits = {{"single", 1}}; }};
    std::optional<daybook::Completion<>> open;
    bench.scheduler.add({.id = "first", .group = "single"},
                        [&](daybook::JobContext&, daybook::Completion<> done) { open = std::move(done); });
    for (const char* const id : {"second", "third"}) {
        bench.scheduler.add({.id = id, .group = "single"}, [] {});
    }
    std::vector<std::string> others;
    for (int i = 0; i < 200; ++i) { others.push_back("other " + std::to_string(i)); }
    for (const auto& id : others) {
        bench.scheduler.add({.id = id}, [] {});
    }
    bench.scheduler.add({.id = "last"}, [] {});
    bench.scheduler.start();
    for (const char* const id : {"first", "second", "third"}) { bench.scheduler.trigger(id); }
    bench.scheduler.poll();
    open->success(); // it is the turn of the second
    for (const auto& id : others) { bench.scheduler.trigger(id); }
    bench.scheduler.remove("second");
    for (const auto& id : others) { bench.scheduler.remove(id); }
    bench.scheduler.trigger("last"); // what does not wait any more is cleared away
    bench.scheduler.poll();
    CHECK(bench.story("third") == "success");
    CHECK(bench.scheduler.wait_idle(0s));
}

TEST_CASE("the higher priority goes first, and among equals the one that came first") {
    Bench bench;
    const auto add = [&](const char* id, int priority) {
        bench.scheduler.add({.id = id, .priority = priority}, [&] { bench.clock.advance(1ms); });
    };
    add("low", -1);
    add("first", 0);
    add("second", 0);
    add("high", 5);
    bench.scheduler.start();
    for (const char* id : {"low", "first", "second", "high"}) { bench.scheduler.trigger(id); }
    bench.scheduler.poll();
    CHECK(order(bench) == "high first second low");
}

TEST_CASE("what has waited long enough goes before what is more urgent") {
    Bench bench{0, [](daybook::SchedulerOptions& options) { options.priority_worth = 10s; }};
    bench.scheduler.add({.id = "patient"}, [&] { bench.clock.advance(1ms); });
    bench.scheduler.add({.id = "urgent", .priority = 2}, [&] { bench.clock.advance(1ms); });
    bench.scheduler.start();
    bench.scheduler.trigger("patient");
    bench.clock.advance(20s);
    bench.scheduler.trigger("urgent");
    bench.clock.advance(1s);
    bench.scheduler.poll();
    CHECK(order(bench) == "urgent patient"); // two levels are worth twenty seconds, not more
    bench.scheduler.trigger("patient");
    bench.clock.advance(20s + 1ms);
    bench.scheduler.trigger("urgent");
    bench.scheduler.poll();
    CHECK(order(bench) == "urgent patient patient urgent");
}

TEST_CASE("bounds that make no sense are refused") {
    CHECK_THROWS_AS(daybook::Scheduler<>({.group_limits = {{"g", 0}}}), std::invalid_argument);
    CHECK_THROWS_AS(daybook::Scheduler<>({.priority_worth = -1ns}), std::invalid_argument);
    CHECK_THROWS_AS(daybook::Scheduler<>({.coalescing = -1ns}), std::invalid_argument);
    CHECK_THROWS_AS(daybook::Scheduler<>({.max_queue = SIZE_MAX}), std::invalid_argument);
}

TEST_CASE("a limit holds on threads too") {
    daybook::Scheduler<> scheduler{{.workers = 4, .max_queue = 10'000, .group_limits = {{"pair", 2}}}};
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    scheduler.add({.id = "job", .overlap = daybook::Overlap::allow, .group = "pair"}, [&] {
        const int now = ++running;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {}
        --running;
    });
    scheduler.start();
    for (int i = 0; i < 5000; ++i) { CHECK(scheduler.trigger("job")); }
    CHECK(scheduler.wait_idle(patience));
    CHECK(most <= 2);
    CHECK(scheduler.log().stats().success_count == 5000);
}
