// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <latch>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>

using namespace bench;
using daybook::every;
using daybook::fixed_backoff;
using daybook::JobContext;

TEST_CASE("a timeout is recorded at the deadline, while the body still runs") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    std::binary_semaphore stop_seen{0};
    std::binary_semaphore may_end{0};
    bench.scheduler.add({.id = "job", .timeout = 5s}, [&](JobContext& job) {
        begun.release();
        wait_for_stop(job);
        stop_seen.release();
        may_end.acquire();
        return "too late";
    });
    bench.scheduler.start();
    const auto id = bench.scheduler.trigger("job").id;
    begun.acquire();
    while (!bench.scheduler.job("job")->last_start) { std::this_thread::yield(); }
    bench.clock.advance(4s);
    CHECK(bench.scheduler.log().find(id)->status == JobStatus::running);
    bench.clock.advance(1s);
    stop_seen.acquire();
    const auto at_deadline = bench.scheduler.log().find(id);
    CHECK(at_deadline->status == JobStatus::timeout);
    CHECK(at_deadline->duration == 5s);
    CHECK(bench.scheduler.job("job")->running == 1);
    bench.clock.advance(5s);
    may_end.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    const auto afterwards = bench.scheduler.log().find(id);
    CHECK(afterwards->status == JobStatus::timeout);
    CHECK(afterwards->duration == 5s);
    CHECK_FALSE(afterwards->result);
    CHECK(bench.scheduler.log().stats().timeout_count == 1);
    CHECK(bench.scheduler.log().stats().total_executions == 1);
    CHECK(bench.scheduler.job("job")->last_status == JobStatus::timeout);
}

TEST_CASE("what a body says after its timeout has no effect") {
    Bench bench{1};
    bench.scheduler.add({.id = "job", .timeout = 5s}, [&](JobContext& job) {
        job.records_processed(1);
        bench.clock.advance(5s);
        wait_for_stop(job);
        job.records_processed(2);
        job.log("late");
        throw std::runtime_error{"late"};
    });
    bench.scheduler.start();
    // The body moves the clock only once its deadline is known to the scheduler.
    bench.scheduler.trigger("job");
    REQUIRE(bench.scheduler.wait_idle(patience));
    const auto record = bench.history("job").at(0);
    CHECK(record.status == JobStatus::timeout);
    CHECK(record.records_processed == 1U);
    CHECK(record.log_text.empty());
    CHECK(record.error.value_or("").find("late") == std::string::npos);
}

TEST_CASE("the retry of a timeout waits for the body to return") {
    Bench bench{2};
    std::binary_semaphore stop_seen{0};
    std::binary_semaphore may_end{0};
    std::binary_semaphore second{0};
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 2, .delay = 3s}), .timeout = 5s},
                        [&](JobContext& job) {
                            if (job.attempt_number() == 2) {
                                second.release();
                                return;
                            }
                            bench.clock.advance(5s);
                            wait_for_stop(job);
                            stop_seen.release();
                            may_end.acquire();
                        });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    stop_seen.acquire();
    bench.clock.advance(1h);
    CHECK(bench.story("job") == "timeout(retry)");
    may_end.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "timeout(retry)");
    bench.clock.advance(3s);
    second.acquire();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "timeout(retry) success");
}

TEST_CASE("a body past its timeout is in progress") {
    Bench bench{2};
    std::binary_semaphore stop_seen{0};
    std::binary_semaphore may_end{0};
    bench.scheduler.add({.id = "job", .timeout = 5s}, [&](JobContext& job) {
        bench.clock.advance(5s);
        wait_for_stop(job);
        stop_seen.release();
        may_end.acquire();
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    stop_seen.acquire();
    CHECK(bench.scheduler.trigger("job").outcome == daybook::TriggerOutcome::skipped);
    may_end.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "timeout skipped:overlap");
}

TEST_CASE("without workers a timeout is judged when the body returns") {
    Bench bench;
    bench.scheduler.add({.id = "slow", .timeout = 5s}, [&](JobContext& job) {
        CHECK(job.deadline() == bench.clock.steady_now() + 5s);
        bench.clock.advance(5s);
        return "late";
    });
    bench.scheduler.add({.id = "quick", .timeout = 5s}, [&](JobContext&) {
        bench.clock.advance(4999ms);
        return "in time";
    });
    bench.scheduler.start();
    bench.scheduler.trigger("slow");
    bench.scheduler.trigger("quick");
    bench.scheduler.poll();
    CHECK(bench.story("slow") == "timeout");
    CHECK_FALSE(bench.history("slow")[0].result);
    CHECK(bench.story("quick") == "success");
}

TEST_CASE("a timeout is retried like any failure") {
    Bench bench;
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 2, .delay = 1s}), .timeout = 5s},
                        [&] { bench.clock.advance(6s); });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.pass(1s);
    CHECK(bench.story("job") == "timeout(retry) timeout");
    CHECK(bench.scheduler.log().stats().timeout_count == 1);
    CHECK(bench.scheduler.log().stats().error_count == 1);
}

TEST_CASE("a job without a timeout has no deadline") {
    Bench bench;
    bool has_deadline = true;
    bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
        has_deadline = job.deadline().has_value();
        bench.clock.advance(24h);
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK_FALSE(has_deadline);
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a stop callback may call the scheduler back, also to stop it") {
    Bench bench{1};
    std::binary_semaphore asked{0};
    daybook::StopReport inner;
    bench.scheduler.add({.id = "job", .timeout = 5s}, [&](JobContext& job) {
        const std::stop_callback callback{job.stop_token(), [&] {
                                              CHECK(bench.scheduler.jobs().size() == 1);
                                              inner = bench.scheduler.stop(patience);
                                              asked.release();
                                          }};
        bench.clock.advance(5s);
        asked.acquire();
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(inner.still_running == std::vector<std::string>{"job"});
    CHECK(bench.scheduler.stop().has_stopped());
    CHECK(bench.story("job") == "timeout");
}
