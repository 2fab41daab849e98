// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace bench;
using daybook::every;
using daybook::JobEvent;

namespace {

/// What the hooks were told, in words.
struct Told {
    std::vector<std::string> all;

    void subscribe(daybook::SchedulerOptions& options) {
        auto& hooks = options.hooks;
        const auto note = [this](const std::string& kind) {
            return [this, kind](const JobEvent& event) {
                std::string text = kind + ' ' + event.job_id;
                if (event.attempt_number != 1) { text += " #" + std::to_string(event.attempt_number); }
                if (!event.is_final) { text += " (retry)"; }
                if (!event.error.empty()) { text += ": " + event.error; }
                if (event.skip_count != 0) {
                    text += ' ' + std::string{to_string(event.reason)} + '*' + std::to_string(event.skip_count);
                }
                all.push_back(text);
            };
        };
        hooks.on_start = note("start");
        hooks.on_success = note("success");
        hooks.on_error = note("error");
        hooks.on_timeout = note("timeout");
        hooks.on_skip = note("skip");
        hooks.on_stale = note("stale");
        hooks.on_recovered = note("recovered");
        hooks.on_diagnostic = [this](std::string_view what) { all.push_back("diagnostic: " + std::string{what}); };
    }
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("hooks tell what happens, attempt by attempt") {
    Told told;
    Bench bench{0, [&](daybook::SchedulerOptions& options) { told.subscribe(options); }};
    bench.scheduler.add({.id = "flaky", .retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 1s})},
                        [](daybook::JobContext& job) {
                            if (job.attempt_number() == 1) { throw std::runtime_error{"no"}; }
                        });
    bench.scheduler.start();
    bench.scheduler.trigger("flaky");
    bench.scheduler.poll();
    bench.pass(2s);
    CHECK(told.all == Texts{"start flaky", "error flaky (retry): no", "start flaky #2", "success flaky #2"});
}

TEST_CASE("hooks tell of timeouts and skips") {
    Told told;
    Bench bench{0, [&](daybook::SchedulerOptions& options) { told.subscribe(options); }};
    bench.scheduler.add({.id = "slow", .timeout = 1s}, [&] { bench.clock.advance(2s); });
    bench.scheduler.add("paused", every(10s), [] {});
    bench.scheduler.pause("paused");
    bench.scheduler.start();
    bench.scheduler.trigger("slow");
    bench.scheduler.poll();
    bench.pass(10s);
    CHECK(told.all == Texts{"start slow", "timeout slow: no end within 1000 ms", "skip paused paused*1"});
}

TEST_CASE("a hook that throws hurts nobody, and is reported") {
    Told told;
    Bench bench{0, [&](daybook::SchedulerOptions& options) {
                    options.hooks.on_success = [](const JobEvent&) { throw std::runtime_error{"full"}; };
                    options.hooks.on_start = [](const JobEvent&) { throw 1; };
                    options.hooks.on_diagnostic = [&](std::string_view what) {
                        told.all.emplace_back(what);
                        throw std::runtime_error{"also full"};
                    };
                }};
    bench.scheduler.add("job", {}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.story("job") == "success");
    CHECK(told.all == Texts{"a hook threw: an exception that is not a std::exception", "a hook threw: full"});
}

TEST_CASE("hooks may call the scheduler") {
    Bench* self = nullptr;
    int chained = 0;
    Bench bench{0, [&](daybook::SchedulerOptions& options) {
                    options.hooks.on_success = [&](const JobEvent& event) {
                        if (event.job_id == "first") { self->scheduler.trigger("second"); }
                    };
                    options.hooks.on_skip = [&](const JobEvent&) { self->scheduler.remove("second"); };
                }};
    self = &bench;
    bench.scheduler.add("first", {}, [] {});
    bench.scheduler.add("second", {}, [&] { ++chained; });
    bench.scheduler.start();
    bench.scheduler.trigger("first");
    bench.scheduler.poll();
    CHECK(chained == 1);
}

TEST_CASE("a job that does not succeed for long is reported once, and again when it recovers") {
    Told told;
    Bench bench{0, [&](daybook::SchedulerOptions& options) { told.subscribe(options); }};
    bool fails = true;
    bench.scheduler.add({.id = "sync", .schedule = every(10s), .stale_after = 35s}, [&] {
        if (fails) { throw std::runtime_error{"no"}; }
    });
    bench.scheduler.start();
    bench.pass(90s);
    CHECK(std::ranges::count(told.all, "stale sync") == 1);
    CHECK(bench.scheduler.job("sync")->is_stale);
    CHECK(bench.scheduler.health().stale == 1);
    fails = false;
    bench.pass(30s);
    CHECK(std::ranges::count(told.all, "recovered sync") == 1);
    CHECK_FALSE(bench.scheduler.job("sync")->is_stale);
    fails = true;
    bench.pass(60s);
    CHECK(std::ranges::count(told.all, "stale sync") == 2);
}

TEST_CASE("a job that never runs is stale as well, and one that is paused is not") {
    Told told;
    Bench bench{0, [&](daybook::SchedulerOptions& options) { told.subscribe(options); }};
    bench.scheduler.add({.id = "rare", .schedule = every(1h), .stale_after = 1min}, [] {});
    bench.scheduler.add({.id = "paused", .schedule = every(1h), .stale_after = 1min}, [] {});
    bench.scheduler.pause("paused");
    bench.scheduler.start();
    bench.pass(5min);
    CHECK(told.all == Texts{"stale rare"});
    bench.scheduler.resume("paused");
    bench.pass(59s);
    CHECK(told.all.size() == 1);
    bench.pass(2s);
    CHECK(told.all == Texts{"stale rare", "stale paused"});
}

TEST_CASE("a new timeline is worth a diagnostic") {
    Told told;
    Bench bench{0, [&](daybook::SchedulerOptions& options) { told.subscribe(options); }};
    bench.scheduler.add("job", daybook::cron("0 0 1 1 *"), [] {});
    bench.scheduler.start();
    bench.pass(1s);
    bench.clock.step(-24h);
    bench.scheduler.poll();
    CHECK(told.all == Texts{"diagnostic: the wall clock was set back by hours: a new timeline begins"});
}
