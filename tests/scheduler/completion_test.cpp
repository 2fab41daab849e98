// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <coroutine>
#include <exception>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace bench;
using daybook::every;

namespace {

using Open = daybook::Completion<std::string>;

/// The least coroutine type that a job can be written in: it starts at once and keeps itself alive.
struct Work {
    struct promise_type {
        Work get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
};

/// Something to wait for.
struct Signal {
    std::coroutine_handle<> waiting;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { waiting = handle; }
    void await_resume() const noexcept {}
};

} // namespace

TEST_CASE("a job may finish after its body has returned, on any thread") {
    std::optional<Open> open;
    std::binary_semaphore is_open{0};
    daybook::Scheduler<> scheduler{{.workers = 1}};
    scheduler.add("fetch", {}, [&](daybook::JobContext& job, Open done) {
        job.records_processed(7);
        open = std::move(done);
        is_open.release();
    });
    scheduler.start();
    scheduler.trigger("fetch");
    std::thread other{[&] {
        is_open.acquire();
        open->success("fetched");
    }};
    other.join();
    CHECK(scheduler.wait_idle(patience));
    const auto record = scheduler.log().query({.job_id = "fetch"}).records.at(0);
    CHECK(record.status == JobStatus::success);
    CHECK(record.result == "fetched");
    CHECK(record.records_processed == 7);
}

TEST_CASE("an execution runs until its completion says otherwise") {
    Bench bench;
    std::optional<Open> open;
    bench.scheduler.add("job", every(10s), [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.start();
    bench.pass(25s);
    CHECK(bench.scheduler.job("job")->running == 1);
    CHECK(bench.story("job") == "running skipped:overlap");
    CHECK(open->success("done"));
    CHECK_FALSE(open->error("too late"));
    CHECK(open->has_ended());
    CHECK(bench.scheduler.job("job")->running == 0);
    CHECK(bench.story("job") == "success skipped:overlap");
    CHECK(bench.history("job").at(0).duration == 15s);
}

TEST_CASE("a completion that is dropped is an error, never silence") {
    Bench bench;
    bench.scheduler.add("job", {}, [](daybook::JobContext&, Open) {});
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.story("job") == "error");
    CHECK(bench.history("job").at(0).error == "the completion was dropped without a result");
}

TEST_CASE("a body that throws has failed, whatever becomes of its completion") {
    Bench bench;
    std::optional<Open> open;
    bench.scheduler.add("job", {}, [&](daybook::JobContext&, Open done) {
        open = std::move(done);
        throw std::runtime_error{"no connection"};
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.history("job").at(0).error == "no connection");
    CHECK_FALSE(open->success("too late"));
    CHECK(bench.story("job") == "error");
}

TEST_CASE("an error by completion is retried like any other") {
    Bench bench{0, [](daybook::SchedulerOptions& options) {
                    options.retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 1s});
                }};
    bench.scheduler.add("job", {}, [](daybook::JobContext& job, Open done) {
        if (job.attempt_number() < 3) {
            done.error(std::make_exception_ptr(std::runtime_error{"not yet"}));
        } else {
            done.success();
        }
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.pass(3s);
    CHECK(bench.story("job") == "error(retry) error(retry) success");
}

TEST_CASE("a deadline passes without a thread, too, and asks the work to stop") {
    Bench bench;
    std::optional<Open> open;
    bench.scheduler.add({.id = "job", .timeout = 5s}, [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.pass(6s);
    CHECK(bench.story("job") == "timeout");
    CHECK(open->context().stop_requested());
    CHECK(bench.scheduler.job("job")->running == 1); // what was begun is still under way
    open.reset();
    CHECK(bench.scheduler.job("job")->running == 0);
    CHECK(bench.story("job") == "timeout");
}

TEST_CASE("the newcomer of cancel_running starts when the work before it has come to its end") {
    Bench bench;
    std::vector<Open> open;
    bench.scheduler.add({.id = "job", .overlap = daybook::Overlap::cancel_running},
                        [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(open.size() == 1);
    CHECK(open.at(0).context().stop_requested());
    CHECK(bench.story("job") == "cancelled queued");
    open.erase(open.begin());
    bench.scheduler.poll();
    CHECK(bench.story("job") == "cancelled running");
    open.at(0).success();
}

TEST_CASE("an open execution is named by stop, and its end is recorded once it comes") {
    Bench bench;
    std::optional<Open> open;
    bench.scheduler.add("job", {}, [&](daybook::JobContext&, Open done) { open = std::move(done); });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    const auto report = bench.scheduler.stop(0s);
    CHECK(report.still_running == std::vector<std::string>{"job"});
    open->error("interrupted");
    CHECK(bench.story("job") == "cancelled"); // it was asked to stop
}

TEST_CASE("a coroutine finishes its job when it comes to its end") {
    Bench bench;
    Signal* waited_for = nullptr;
    bench.scheduler.add("job", {}, [&](daybook::JobContext&, Open done) -> Work {
        Signal signal;
        waited_for = &signal;
        co_await signal;
        done.success("resumed");
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.story("job") == "running");
    waited_for->waiting.resume();
    CHECK(bench.history("job").at(0).result == "resumed");
}

TEST_CASE("open executions occupy no worker") {
    daybook::Scheduler<> scheduler{{.workers = 1}};
    std::vector<Open> open; // filled by the one worker
    scheduler.add({.id = "job", .overlap = daybook::Overlap::allow},
                  [&](daybook::JobContext&, Open done) { open.push_back(std::move(done)); });
    scheduler.add("last", {}, [] {});
    scheduler.start();
    for (int i = 0; i < 50; ++i) { scheduler.trigger("job"); }
    scheduler.trigger("last");
    while (scheduler.log().stats().success_count == 0) { std::this_thread::yield(); }
    CHECK(scheduler.log().stats().running == 50);
    for (Open& each : open) { each.success(); }
    CHECK(scheduler.wait_idle(patience));
    CHECK(scheduler.log().stats().success_count == 51);
}
