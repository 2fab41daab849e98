// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <semaphore>
#include <stdexcept>
#include <thread>

using namespace bench;
using daybook::every;
using daybook::exponential_backoff;
using daybook::fixed_backoff;
using daybook::JobContext;

namespace {

void fail() { throw std::runtime_error{"no"}; }

} // namespace

TEST_CASE("a failed job is tried again after growing delays, and only its last attempt is final") {
    Bench bench;
    std::vector<daybook::sys_time> tried;
    bench.scheduler.add({.id = "job",
                         .schedule = daybook::at(monday + 10s),
                         .retry = exponential_backoff({.max_attempts = 4, .first_delay = 2s, .factor = 3.0})},
                        [&] {
                            tried.push_back(bench.clock.now());
                            fail();
                        });
    bench.scheduler.start();
    bench.pass(100s);
    CHECK(tried == std::vector<daybook::sys_time>{monday + 10s, monday + 12s, monday + 18s, monday + 36s});
    const auto records = bench.history("job");
    REQUIRE(records.size() == 4);
    for (std::uint32_t i = 0; i < 4; ++i) {
        CHECK(records[i].attempt_number == i + 1);
        CHECK(records[i].is_final == (i == 3));
        CHECK(records[i].occurrence_id == records[0].id);
        CHECK(records[i].scheduled_at == monday + 10s);
        CHECK(records[i].error == "no");
    }
    const auto stats = bench.scheduler.log().stats();
    CHECK(stats.total_executions == 1);
    CHECK(stats.error_count == 1);
    CHECK(stats.retry_count == 3);
    CHECK(stats.duration.count == 4);
}

TEST_CASE("a success ends the retries, and counts once") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = every(1h), .retry = fixed_backoff({.max_attempts = 5, .delay = 1s})},
                        [](JobContext& job) {
                            if (job.attempt_number() < 3) { fail(); }
                            return std::to_string(job.attempt_number());
                        });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.pass(10s);
    CHECK(bench.story("job") == "error(retry) error(retry) success");
    const auto stats = bench.scheduler.log().stats();
    CHECK(stats.success_count == 1);
    CHECK(stats.error_count == 0);
    CHECK(stats.total_executions == 1);
    CHECK(stats.success_rate == 100.0);
}

TEST_CASE("retries follow the steady clock") {
    Bench bench;
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 2, .delay = 10s})}, fail);
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.clock.step(1h);
    CHECK(bench.scheduler.poll() == 0);
    bench.clock.step(-2h);
    bench.clock.advance(10s);
    CHECK(bench.scheduler.poll() == 1);
}

TEST_CASE("a retry without a delay comes with the next poll") {
    Bench bench;
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 3, .delay = 0s})}, fail);
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    std::size_t ran = 0;
    for (std::size_t more = 1; more != 0; ran += more) { more = bench.scheduler.poll(); }
    CHECK(ran == 3);
    CHECK(bench.story("job") == "error(retry) error(retry) error");
}

TEST_CASE("a retry that waits is in progress: the next occurrence is skipped") {
    Bench bench;
    bench.scheduler.add(
        {.id = "job", .schedule = every(10s), .retry = fixed_backoff({.max_attempts = 2, .delay = 15s})}, fail);
    bench.scheduler.start();
    bench.pass(30s);
    CHECK(bench.story("job") == "error(retry) skipped:overlap error error(retry)");
}

TEST_CASE("an interval after completion waits for the last attempt") {
    Bench bench;
    std::vector<daybook::sys_time> tried;
    bench.scheduler.add({.id = "job",
                         .schedule = every(10s).after_completion(),
                         .retry = fixed_backoff({.max_attempts = 2, .delay = 3s})},
                        [&] {
                            tried.push_back(bench.clock.now());
                            fail();
                        });
    bench.scheduler.start();
    bench.pass(26s);
    CHECK(tried == std::vector<daybook::sys_time>{monday + 10s, monday + 13s, monday + 23s, monday + 26s});
}

TEST_CASE("a retry that is pending at the removal gets a final cancelled record") {
    Bench bench;
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 3, .delay = 10s})}, fail);
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.scheduler.remove("job");
    bench.pass(30s);
    CHECK(bench.story("job") == "error(retry) cancelled");
    const auto records = bench.history("job");
    CHECK(records[1].attempt_number == 2);
    CHECK(records[1].is_final);
    CHECK(records[1].occurrence_id == records[0].id);
    CHECK(bench.scheduler.log().stats().cancelled_count == 1);
}

TEST_CASE("a retry that is pending at the stop gets a final cancelled record") {
    Bench bench;
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 3, .delay = 10s})}, fail);
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    const auto report = bench.scheduler.stop();
    CHECK(report.has_stopped());
    CHECK(report.cancelled == 1);
    CHECK(report.skipped == 0);
    CHECK(bench.story("job") == "error(retry) cancelled");
}

TEST_CASE("a retry that waits for a worker at the removal is cancelled, not skipped: its occurrence has run") {
    Bench bench{1};
    std::binary_semaphore begun{0};
    std::binary_semaphore may_end{0};
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 3, .delay = 10s})}, fail);
    bench.scheduler.add({.id = "long"}, [&] {
        begun.release();
        may_end.acquire();
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    REQUIRE(bench.scheduler.wait_idle(patience));
    bench.scheduler.trigger("long");
    begun.acquire();
    bench.clock.advance(10s);
    while (bench.scheduler.log().stats().queued == 0) { std::this_thread::yield(); }
    bench.scheduler.remove("job");
    may_end.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "error(retry) cancelled");
    CHECK(bench.scheduler.log().stats().skipped_count == 0);
}

TEST_CASE("a job that removes itself and fails is not tried again") {
    Bench bench;
    bench.scheduler.add({.id = "job", .retry = fixed_backoff({.max_attempts = 3, .delay = 1s})}, [&] {
        bench.scheduler.remove("job");
        fail();
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.pass(10s);
    CHECK(bench.story("job") == "error");
}

TEST_CASE("the scheduler's own retry policy holds for jobs that state none") {
    Bench bench{0, [](auto& options) { options.retry = fixed_backoff({.max_attempts = 2, .delay = 1s}); }};
    bench.scheduler.add({.id = "follows"}, fail);
    bench.scheduler.add({.id = "own", .retry = daybook::RetryPolicy{}}, fail);
    bench.scheduler.start();
    bench.scheduler.trigger("follows");
    bench.scheduler.trigger("own");
    bench.scheduler.poll();
    bench.pass(5s);
    CHECK(bench.story("follows") == "error(retry) error");
    CHECK(bench.story("own") == "error");
}

TEST_CASE("occurrences under allow are retried each by itself") {
    Bench bench;
    bench.scheduler.add({.id = "job",
                         .schedule = every(10s),
                         .retry = fixed_backoff({.max_attempts = 2, .delay = 15s}),
                         .overlap = daybook::Overlap::allow},
                        fail);
    bench.scheduler.start();
    bench.pass(35s);
    CHECK(bench.story("job") == "error(retry) error(retry) error error(retry) error");
}
