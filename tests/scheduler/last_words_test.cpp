// SPDX-License-Identifier: MIT

/// @file
/// What a program may do last, and what it is told when things are in between: a stop from where it is least expected,
/// an end after the end, an update that says little.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <daybook/job/completion.hpp>
#include <daybook/testing/memory_store.hpp>
#include <daybook/worker/executor.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <utility>

using namespace bench;
using daybook::every;

namespace {

using Open = daybook::Completion<std::string>;

void tells(const std::string& text, const char* what) {
    INFO(text);
    CHECK(text.find(what) != std::string::npos);
}

} // namespace

TEST_CASE("a job of an inline executor may stop the scheduler after it has ended, on the timer's own thread") {
    std::promise<void> stopped;
    daybook::Scheduler<> scheduler{{.executor = daybook::InlineExecutor{}}};
    scheduler.add({.id = "job", .schedule = daybook::at(std::chrono::steady_clock::now())},
                  [&](daybook::JobContext&, Open done) {
                      done.success("done");
                      scheduler.stop(1s);
                      stopped.set_value();
                  });
    scheduler.start();
    stopped.get_future().wait();
    CHECK(scheduler.stop().has_stopped());
    CHECK(scheduler.log().stats().success_count == 1);
}

TEST_CASE("a callable that goes on the timer's own thread may stop the scheduler") {
    std::promise<void> stopped;
    daybook::Scheduler<> scheduler{{.executor = daybook::InlineExecutor{}}};
    struct StopsAtTheEnd {
        ~StopsAtTheEnd() {
            scheduler.stop(1s);
            stopped.set_value();
        }
        daybook::Scheduler<>& scheduler;
        std::promise<void>& stopped;
    };
    auto last = std::shared_ptr<StopsAtTheEnd>{new StopsAtTheEnd{scheduler, stopped}};
    scheduler.add({.id = "job", .schedule = daybook::at(std::chrono::steady_clock::now() + 20ms)},
                  [&scheduler, held = std::move(last)] { scheduler.remove("job"); });
    scheduler.start();
    stopped.get_future().wait();
    CHECK(scheduler.stop().has_stopped());
}

TEST_CASE("a body that stops the scheduler does not wait for what only its own worker could run") {
    const std::size_t workers = GENERATE(1U, 2U);
    Bench bench{workers};
    std::counting_semaphore<> begun{0};
    std::counting_semaphore<> go_on{0};
    bench.scheduler.add({.id = "stops", .overlap = daybook::Overlap::allow}, [&] {
        begun.release();
        go_on.acquire();
        bench.scheduler.stop(24h);
    });
    bench.scheduler.add("queued", daybook::Schedule{}, [] {});
    bench.scheduler.start();
    for (std::size_t i = 0; i < workers; ++i) { bench.scheduler.trigger("stops"); }
    for (std::size_t i = 0; i < workers; ++i) { begun.acquire(); }
    bench.scheduler.trigger("queued");
    go_on.release(static_cast<std::ptrdiff_t>(workers));
    REQUIRE(bench.scheduler.wait_idle(patience));
    bench.scheduler.stop();
    CHECK(bench.story("queued") == "skipped:shutdown");
    CHECK(bench.scheduler.log().stats().success_count == workers);
}

TEST_CASE("a completion that was moved from ends nothing") {
    Bench bench;
    std::optional<Open> kept;
    bench.scheduler.add({.id = "job"}, [&](daybook::JobContext&, Open done) { kept = std::move(done); });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    Open moved = std::move(*kept);
    CHECK_FALSE(kept->success());
    CHECK_FALSE(kept->success("done"));
    CHECK_FALSE(kept->error("no"));
    CHECK_FALSE(kept->error(std::make_exception_ptr(std::runtime_error{"no"})));
    CHECK_FALSE(kept->has_ended());
    CHECK(moved.success("done"));
    CHECK(bench.story("job") == "success");
}

TEST_CASE("an update that says nothing of handler, parameters and group leaves them") {
    Bench bench;
    auto& scheduler = bench.scheduler;
    scheduler.handlers().add("invoices", "send",
                             [](daybook::JobContext& job) { return std::string{job.parameters()}; });
    scheduler.add({.id = "job",
                   .handler_id = "invoices",
                   .method_name = "send",
                   .schedule = daybook::cron("0 * * * *"),
                   .group = "mail",
                   .parameters = "march"});
    scheduler.start();
    CHECK(scheduler.update({.id = "job", .schedule = daybook::cron("30 * * * *")}));
    const auto info = scheduler.job("job");
    REQUIRE(info);
    CHECK(info->handler_id == "invoices");
    CHECK(info->method_name == "send");
    CHECK(info->options().group == "mail");
    CHECK(info->options().parameters == "march");
    bench.pass(30min);
    CHECK(bench.history("job").at(0).result == "march");
    CHECK(scheduler.update({.id = "job", .schedule = daybook::cron("30 * * * *"), .parameters = "april"}));
    CHECK(scheduler.job("job")->options().parameters == "april");
}

TEST_CASE("an update does not begin anew to count how long a job has not succeeded") {
    int told = 0;
    Bench bench{0, [&](auto& options) { options.hooks.on_stale = [&](const daybook::JobEvent&) { ++told; }; }};
    const auto options = [] { return daybook::JobOptions{.id = "job", .schedule = every(1min), .stale_after = 10min}; };
    bench.scheduler.add(options(), [] { throw std::runtime_error{"no"}; });
    bench.scheduler.start();
    bench.pass(9min);
    bench.scheduler.update(options());
    CHECK(told == 0);
    bench.pass(1min);
    CHECK(told == 1);
    auto longer = options();
    longer.stale_after = 1h;
    bench.scheduler.update(longer);
    bench.pass(1h);
    CHECK(told == 1);
}

TEST_CASE("a body that returns after its time is a timeout, though nobody has come to say so") {
    std::binary_semaphore in_hook{0};
    std::binary_semaphore go_on{0};
    std::binary_semaphore begun{0};
    std::binary_semaphore may_return{0};
    Bench bench{2, [&](auto& options) {
                    options.hooks.on_skip = [&](const daybook::JobEvent&) { // the timer's thread is held up here
                        in_hook.release();
                        go_on.acquire();
                    };
                }};
    bench.scheduler.add({.id = "late", .timeout = 1s}, [&] {
        begun.release();
        may_return.acquire();
    });
    bench.scheduler.add({.id = "paused", .schedule = every(1s)}, [] {});
    bench.scheduler.pause("paused");
    bench.scheduler.start();
    bench.scheduler.trigger("late");
    begun.acquire();
    bench.clock.advance(1s);
    in_hook.acquire();
    bench.clock.advance(500ms);
    may_return.release();
    while (bench.scheduler.log().stats().timeout_count == 0) { std::this_thread::yield(); }
    go_on.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("late") == "timeout");
    bench.scheduler.remove("paused");
}

TEST_CASE("retries of two processes do not come at the same moments") {
    const auto due = [] {
        daybook::Scheduler<> scheduler{{.workers = 1}};
        scheduler.add({.id = "job", .retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 24h, .jitter = 1.0})},
                      [] { throw std::runtime_error{"no"}; });
        scheduler.start();
        scheduler.trigger("job");
        while (scheduler.log().stats().retry_count + scheduler.log().errors().records.size() == 0) {
            std::this_thread::yield();
        }
        std::string text;
        do { text = scheduler.explain("job"); } while (text.find("the next one comes at ") == std::string::npos);
        const auto at = text.find("the next one comes at ");
        scheduler.remove("job");
        return text.substr(at, 45);
    };
    CHECK(due() != due());
}

TEST_CASE("what waits is told how many go before it, by priority and arrival") {
    Bench bench;
    for (const auto& [id, priority] : {std::pair{"low", -1}, {"usual", 0}, {"high", 1}}) {
        bench.scheduler.add({.id = id, .overlap = daybook::Overlap::allow, .priority = priority}, [] {});
    }
    bench.scheduler.start();
    for (int i = 0; i < 3; ++i) { bench.scheduler.trigger("usual"); }
    bench.scheduler.trigger("low");
    bench.scheduler.trigger("high");
    bench.scheduler.trigger("high");
    tells(bench.scheduler.explain("high"), "behind 0 others.");
    tells(bench.scheduler.explain("usual"), "behind 2 others.");
    tells(bench.scheduler.explain("low"), "behind 5 others.");
    bench.scheduler.remove("usual");
    tells(bench.scheduler.explain("low"), "behind 2 others.");
}

TEST_CASE("explain says when the next attempt comes, what was replaced, and that a removed job goes on") {
    Bench bench;
    bench.scheduler.add({.id = "fails", .retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 90s})},
                        [] { throw std::runtime_error{"no"}; });
    std::optional<Open> open;
    bench.scheduler.add({.id = "open", .overlap = daybook::Overlap::cancel_running},
                        [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.start();
    bench.scheduler.trigger("fails");
    bench.scheduler.poll();
    tells(bench.scheduler.explain("fails"), "Attempt 1 failed, the next one comes at 2024-01-01 00:01:30");
    bench.scheduler.trigger("open");
    bench.scheduler.poll();
    bench.scheduler.trigger("open");
    bench.scheduler.trigger("open");
    tells(bench.scheduler.explain("open"), "because a newer occurrence took its place");
    bench.scheduler.remove("open");
    tells(bench.scheduler.explain("open"),
          "There is no job with the id 'open' any more; what had begun of it goes on.");
    open->success("done");
    open.reset();
    tells(bench.scheduler.explain("open"), "There is no job with the id 'open'.");
}
