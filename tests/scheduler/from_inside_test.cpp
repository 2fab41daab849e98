// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <utility>

using namespace bench;
using daybook::every;
using daybook::JobContext;
using daybook::TriggerOutcome;

namespace {

/// Triggers a job and lets everything happen that is due, on this thread or on workers.
void run(Bench& bench, std::size_t workers, std::string_view job) {
    bench.scheduler.trigger(job);
    if (workers == 0) {
        while (bench.scheduler.poll() != 0) {}
    } else {
        REQUIRE(bench.scheduler.wait_idle(patience));
    }
}

} // namespace

TEST_CASE("a job may remove itself") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    auto held = std::make_shared<int>();
    bench.scheduler.add({.id = "job", .schedule = every(1s)}, [&bench, held] {
        CHECK(bench.scheduler.remove("job"));
        CHECK_FALSE(bench.scheduler.job("job"));
        CHECK(bench.scheduler.trigger("job").outcome == TriggerOutcome::unknown_job);
        return "gone";
    });
    bench.scheduler.start();
    run(bench, workers, "job");
    CHECK(bench.story("job") == "success");
    bench.scheduler.stop();
    CHECK(held.use_count() == 1);
}

TEST_CASE("a job may replace itself") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "job"}, [&] {
        bench.scheduler.remove("job");
        bench.scheduler.add({.id = "job"}, [] { return "second"; });
        return "first";
    });
    bench.scheduler.start();
    run(bench, workers, "job");
    run(bench, workers, "job");
    const auto records = bench.history("job");
    REQUIRE(records.size() == 2);
    CHECK(records[0].result == "first");
    CHECK(records[1].result == "second");
}

TEST_CASE("a job may add another, pause and resume it") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "job"}, [&] {
        bench.scheduler.add("other", every(10s), [] {});
        bench.scheduler.pause("other");
    });
    bench.scheduler.add({.id = "resume"}, [&] { bench.scheduler.resume("other"); });
    bench.scheduler.start();
    run(bench, workers, "job");
    bench.clock.advance(10s);
    run(bench, workers, "resume");
    bench.clock.advance(10s);
    if (workers == 0) { bench.scheduler.poll(); }
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.job("other")->is_paused == false);
    CHECK(bench.scheduler.log().stats().success_count >= 3);
}

TEST_CASE("a job may trigger itself, under its overlap policy") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "skip"}, [&] { bench.scheduler.trigger("skip"); });
    bench.scheduler.add({.id = "queue", .overlap = daybook::Overlap::queue_one}, [&, n = 0]() mutable {
        if (++n < 3) { CHECK(bench.scheduler.trigger("queue")); }
    });
    bench.scheduler.start();
    run(bench, workers, "skip");
    run(bench, workers, "queue");
    CHECK(bench.story("skip") == "success skipped:overlap");
    CHECK(bench.story("queue") == "success success success");
}

TEST_CASE("a job may ask about all that is, itself included") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
        const auto record = bench.scheduler.log().find(job.execution_id());
        CHECK(record.value().status == JobStatus::running);
        CHECK(bench.scheduler.log().query({.job_id = "job"}).records.size() == 1);
        CHECK(bench.scheduler.log().stats().running == 1);
        CHECK(bench.scheduler.jobs().at(0).state == daybook::JobState::executing);
        CHECK(bench.scheduler.log().clear() == 0);
        return record->job_id;
    });
    bench.scheduler.start();
    run(bench, workers, "job");
    CHECK(bench.history("job").at(0).result == "job");
}

TEST_CASE("a job may stop the scheduler, which names it and does not wait for it") {
    const auto workers = GENERATE(0U, 1U, 2U);
    Bench bench{workers};
    daybook::StopReport inner;
    bool was_asked = false;
    bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
        inner = bench.scheduler.stop(patience);
        was_asked = job.stop_requested();
    });
    bench.scheduler.start();
    run(bench, workers, "job");
    CHECK(inner.still_running == std::vector<std::string>{"job"});
    CHECK_FALSE(inner.has_stopped());
    CHECK(was_asked);
    CHECK(bench.story("job") == "success");
    const auto outer = bench.scheduler.stop();
    CHECK(outer.has_stopped());
    CHECK(outer.skipped == 0);
}

TEST_CASE("two jobs that both stop the scheduler do not wait for each other") {
    Bench bench{2};
    std::atomic<int> inside{0};
    const auto body = [&] {
        ++inside;
        while (inside < 2) {}
        CHECK_FALSE(bench.scheduler.stop(std::chrono::hours{1}).has_stopped());
    };
    bench.scheduler.add({.id = "a"}, body);
    bench.scheduler.add({.id = "b"}, body);
    bench.scheduler.start();
    bench.scheduler.trigger("a");
    bench.scheduler.trigger("b");
    CHECK(bench.scheduler.wait_idle(patience));
    CHECK(bench.scheduler.stop().has_stopped());
}

TEST_CASE("a job may request the stop and go on") {
    const auto workers = GENERATE(0U, 2U);
    Bench bench{workers};
    bench.scheduler.add({.id = "job"}, [&](JobContext& job) {
        bench.scheduler.request_stop();
        CHECK(job.stop_requested());
        CHECK(bench.scheduler.trigger("job").outcome == TriggerOutcome::stopped);
        return "ended in order";
    });
    bench.scheduler.start();
    run(bench, workers, "job");
    CHECK(bench.scheduler.stop().has_stopped());
    CHECK(bench.history("job").at(0).result == "ended in order");
}

TEST_CASE("a callable may call the scheduler from its destructor") {
    const auto workers = GENERATE(0U, 2U);
    struct Closing {
        explicit Closing(Bench& from) : bench{&from} {}
        Closing(Closing&& other) noexcept : bench{std::exchange(other.bench, nullptr)} {}
        ~Closing() {
            if (bench != nullptr) { bench->scheduler.trigger("after"); }
        }
        void operator()() const { bench->scheduler.remove("job"); }
        Bench* bench;
    };
    std::counting_semaphore<8> called{0};
    Bench bench{workers};
    bench.scheduler.add({.id = "after"}, [&] { called.release(); });
    bench.scheduler.start();
    bench.scheduler.add({.id = "job"}, Closing{bench});
    run(bench, workers, "job");
    CHECK(called.try_acquire_for(patience));

    // Removed while it waits for a worker: the last who knows it is the queue.
    bench.scheduler.add({.id = "job"}, Closing{bench});
    bench.scheduler.add({.id = "remover"}, [&] { bench.scheduler.remove("job"); });
    bench.scheduler.trigger("remover");
    run(bench, workers, "job");
    CHECK(called.try_acquire_for(patience));
}

TEST_CASE("a callable may stop the scheduler from its destructor") {
    const auto workers = GENERATE(0U, 2U);
    struct Stopping {
        explicit Stopping(Bench& from) : bench{&from} {}
        Stopping(Stopping&& other) noexcept : bench{std::exchange(other.bench, nullptr)} {}
        ~Stopping() {
            if (bench != nullptr) { bench->scheduler.stop(patience); }
        }
        void operator()() const {}
        Bench* bench;
    };
    Bench bench{workers, [](auto& options) { options.completed_job_retention = 1s; }};
    bench.scheduler.start();
    bench.scheduler.add("job", daybook::at(monday + 1s), Stopping{bench});
    bench.clock.advance(1s);
    if (workers == 0) { bench.scheduler.poll(); }
    REQUIRE(bench.scheduler.wait_idle(patience));
    bench.clock.advance(1s); // forgotten: the callable goes
    if (workers == 0) { bench.scheduler.poll(); }
    REQUIRE(bench.scheduler.wait_idle(patience));
    CHECK(bench.story("job") == "success");
    CHECK(bench.scheduler.stop().has_stopped());
    CHECK_THROWS_AS(bench.scheduler.start(), std::logic_error);
}

TEST_CASE("a callable that is destroyed on a worker may stop the scheduler while others do") {
    struct Stopping {
        explicit Stopping(Bench& from) : bench{&from} {}
        Stopping(Stopping&& other) noexcept : bench{std::exchange(other.bench, nullptr)} {}
        ~Stopping() {
            if (bench != nullptr) { bench->scheduler.stop(patience); }
        }
        void operator()() const { bench->scheduler.remove("job"); }
        Bench* bench;
    };
    for (int round = 0; round < 20; ++round) {
        Bench bench{2};
        bench.scheduler.start();
        bench.scheduler.add({.id = "job"}, Stopping{bench});
        bench.scheduler.trigger("job");
        REQUIRE(bench.scheduler.wait_idle(patience));
        CHECK(bench.scheduler.stop().has_stopped());
    }
}

TEST_CASE("the hook for new threads may stop the scheduler") {
    for (int round = 0; round < 20; ++round) {
        std::atomic<Bench*> target{nullptr};
        Bench bench{2, [&](auto& options) {
                        options.on_thread_start = [&] {
                            while (target == nullptr) {}
                            target.load()->scheduler.stop(patience);
                        };
                    }};
        target = &bench;
        try {
            bench.scheduler.start();
        } catch (const std::logic_error&) {} // the first thread was quick
        CHECK(bench.scheduler.stop().has_stopped());
    }
}

TEST_CASE("a job may poll: others run inside it") {
    Bench bench;
    bench.scheduler.add({.id = "outer"}, [&] { CHECK(bench.scheduler.poll() == 1); });
    bench.scheduler.add({.id = "inner"}, [] {});
    bench.scheduler.start();
    bench.scheduler.trigger("outer");
    bench.scheduler.trigger("inner");
    CHECK(bench.scheduler.poll() == 1);
    CHECK(bench.story("inner") == "success");
}
