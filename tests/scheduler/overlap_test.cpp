// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>

using namespace bench;
using daybook::every;
using daybook::JobContext;
using daybook::Overlap;

namespace {

/// A job whose bodies end one by one as the test allows, on workers of their own.
struct Busy {
    explicit Busy(Overlap overlap, std::size_t workers = 4) : bench{workers} {
        bench.scheduler.add({.id = "job", .schedule = every(10s), .overlap = overlap}, [this] {
            begun.release();
            may_end.acquire();
        });
        bench.scheduler.start();
    }
    ~Busy() { may_end.release(32); }

    /// One more occurrence comes due, and is accounted for.
    void tick() {
        bench.clock.advance(10s);
        ++ticks_;
        const auto accounted = [&] {
            const auto stats = bench.scheduler.log().stats();
            return stats.queued + stats.running + stats.skipped_count + stats.success_count;
        };
        while (accounted() < ticks_) { std::this_thread::yield(); }
    }

    Bench bench;
    std::counting_semaphore<64> begun{0};
    std::counting_semaphore<64> may_end{0};

private:
    std::uint64_t ticks_ = 0;
};

} // namespace

TEST_CASE("skip: newcomers are skipped in one record while the first one runs") {
    Busy busy{Overlap::skip};
    busy.tick();
    busy.begun.acquire();
    for (int i = 0; i < 3; ++i) { busy.tick(); }
    CHECK(busy.bench.story("job") == "running skipped:overlap*3");
    CHECK(busy.bench.history("job")[1].scheduled_at == monday + 20s);
}

TEST_CASE("queue_one: one newcomer waits, further ones are skipped") {
    Busy busy{Overlap::queue_one};
    busy.tick();
    busy.begun.acquire();
    for (int i = 0; i < 3; ++i) { busy.tick(); }
    CHECK(busy.bench.story("job") == "running queued skipped:overlap*2");
    busy.may_end.release();
    busy.begun.acquire();
    CHECK(busy.bench.story("job") == "success running skipped:overlap*2");
    busy.may_end.release();
    REQUIRE(busy.bench.scheduler.wait_idle(patience));
}

TEST_CASE("queue_all: newcomers run one after another, in their order") {
    Busy busy{Overlap::queue_all};
    for (int i = 0; i < 4; ++i) { busy.tick(); }
    for (int i = 0; i < 4; ++i) {
        busy.begun.acquire();
        CHECK(busy.bench.scheduler.job("job")->running == 1);
        CHECK(busy.bench.scheduler.job("job")->queued == static_cast<std::uint32_t>(3 - i));
        busy.may_end.release();
    }
    REQUIRE(busy.bench.scheduler.wait_idle(patience));
    const auto records = busy.bench.history("job");
    REQUIRE(records.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(records[i].status == JobStatus::success);
        CHECK(records[i].scheduled_at == monday + static_cast<int>(i + 1) * 10s);
    }
}

TEST_CASE("allow: newcomers run beside each other") {
    Busy busy{Overlap::allow};
    for (int i = 0; i < 3; ++i) { busy.tick(); }
    for (int i = 0; i < 3; ++i) { busy.begun.acquire(); }
    CHECK(busy.bench.scheduler.job("job")->running == 3);
    busy.may_end.release(3);
    REQUIRE(busy.bench.scheduler.wait_idle(patience));
    CHECK(busy.bench.story("job") == "success success success");
}

TEST_CASE("cancel_running: the old one ends cancelled, the newcomer starts when its body has returned") {
    Bench bench{2};
    std::binary_semaphore begun{0};
    std::binary_semaphore stop_seen{0};
    std::binary_semaphore may_end{0};
    std::atomic<int> bodies{0};
    bench.scheduler.add({.id = "job",
                         .retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 0s}),
                         .overlap = Overlap::cancel_running},
                        [&](JobContext& job) {
                            if (++bodies != 1) { return; }
                            begun.release();
                            while (!job.stop_requested()) {}
                            stop_seen.release();
                            may_end.acquire();
                            throw std::runtime_error{"cut short"};
                        });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    begun.acquire();
    CHECK(bench.scheduler.trigger("job"));
    stop_seen.acquire();
    CHECK(bench.story("job") == "cancelled queued");
    CHECK(bench.history("job")[0].is_final);
    CHECK(bodies == 1);
    may_end.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "cancelled success");
    CHECK(bodies == 2);
    CHECK(bench.scheduler.log().stats().cancelled_count == 1);
    CHECK(bench.scheduler.log().stats().error_count == 0);
}

TEST_CASE("cancel_running: the newcomer takes the place of what waits") {
    Bench bench;
    bench.scheduler.add({.id = "job", .overlap = Overlap::cancel_running}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.trigger("job");
    bench.scheduler.trigger("job");
    CHECK(bench.scheduler.poll() == 1);
    CHECK(bench.story("job") == "skipped:cancelled_while_queued skipped:cancelled_while_queued success");
}

TEST_CASE("cancel_running: a retry that waits is cancelled") {
    Bench bench;
    bench.scheduler.add({.id = "job",
                         .retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 10s}),
                         .overlap = Overlap::cancel_running},
                        [n = 0]() mutable {
                            if (++n == 1) { throw 1; }
                        });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    bench.pass(60s);
    CHECK(bench.story("job") == "error(retry) cancelled success");
}

TEST_CASE("cancel_running: a newcomer without a place in the queue cancels nothing") {
    Bench bench{0, [](auto& options) { options.max_queue = 1; }};
    bench.scheduler.add({.id = "other"}, [] {});
    bench.scheduler.add({.id = "job", .overlap = Overlap::cancel_running}, [&](JobContext& job) {
        bench.scheduler.trigger("other");
        CHECK(bench.scheduler.trigger("job").outcome == daybook::TriggerOutcome::skipped);
        CHECK_FALSE(job.stop_requested());
    });
    bench.scheduler.start();
    bench.scheduler.trigger("job");
    bench.scheduler.poll();
    CHECK(bench.story("job") == "success skipped:queue_full");
}

TEST_CASE("cancel_running: an interval after completion counts from the newcomer's end") {
    Bench bench;
    std::vector<daybook::sys_time> ran;
    bench.scheduler.add({.id = "job", .schedule = every(10s).after_completion(), .overlap = Overlap::cancel_running},
                        [&] { ran.push_back(bench.clock.now()); });
    bench.scheduler.start();
    bench.clock.advance(10s);
    bench.scheduler.trigger("job"); // while the due one has not been noticed
    bench.scheduler.poll();
    bench.pass(10s);
    CHECK(ran == std::vector<daybook::sys_time>{monday + 10s, monday + 20s});
}

TEST_CASE("skips of different kinds, and executions between them, are records of their own") {
    Bench bench;
    bench.scheduler.add("job", every(10s), [&] {
        bench.scheduler.trigger("job");
        bench.scheduler.trigger("job");
    });
    bench.scheduler.start();
    bench.pass(10s);
    bench.scheduler.pause("job");
    bench.pass(20s);
    bench.scheduler.resume("job");
    bench.pass(10s);
    CHECK(bench.story("job") == "success skipped:overlap*2 skipped:paused*2 success skipped:overlap*2");
}
