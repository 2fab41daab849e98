// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/job/job_context.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/time/manual_clock.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using daybook::JobContext;

namespace {

/// Runs one body in a scheduler and returns its record.
daybook::JobExecutionRecord<> record_of(std::function<void(JobContext&)> body, daybook::LogOptions log = {}) {
    daybook::SchedulerOptions options;
    options.workers = 0;
    options.log = log;
    options.clock = daybook::ManualClock{};
    daybook::Scheduler<> scheduler{options};
    scheduler.add({.id = "job"}, std::move(body));
    scheduler.start();
    const auto id = scheduler.trigger("job").id;
    scheduler.poll();
    return scheduler.log().find(id).value();
}

} // namespace

TEST_CASE("a context tells the attempt that it was made for") {
    std::stop_source source;
    JobContext context{JobContext::Attempt{.job_id = "id",
                                           .parameters = "p",
                                           .attempt_number = 3,
                                           .scheduled_at = daybook::sys_time{5s},
                                           .deadline = daybook::steady_time{7s},
                                           .stop = source.get_token(),
                                           .execution = {.id = 9}}};
    CHECK(context.job_id() == "id");
    CHECK(context.parameters() == "p");
    CHECK(context.attempt_number() == 3);
    CHECK(context.scheduled_at() == daybook::sys_time{5s});
    CHECK(context.deadline() == daybook::steady_time{7s});
    CHECK(context.execution_id() == 9);
    CHECK_FALSE(context.stop_requested());
    source.request_stop();
    CHECK(context.stop_requested());
    CHECK(context.stop_token().stop_requested());
}

TEST_CASE("a context outside a scheduler keeps nothing and breaks nothing") {
    JobContext context{JobContext::Attempt{}};
    context.records_processed(1);
    context.progress(1, 2, 3);
    context.log("line");
    CHECK_FALSE(context.metadata("key", "value"));
    CHECK_FALSE(context.stop_requested());
}

TEST_CASE("the latest count of records and the latest progress are kept") {
    const auto record = record_of([](JobContext& job) {
        job.records_processed(5);
        job.records_processed(3);
        job.progress(1);
        job.progress(7, 10, 2);
    });
    CHECK(record.records_processed == 3U);
    CHECK(record.progress == daybook::Progress{.done = 7, .total = 10, .failed = 2});
}

TEST_CASE("a job that says nothing has no count and no progress") {
    const auto record = record_of([](JobContext&) {});
    CHECK_FALSE(record.records_processed);
    CHECK_FALSE(record.progress);
    CHECK(record.log_text.empty());
    CHECK(record.metadata.empty());
}

TEST_CASE("what a job says can be read while it runs") {
    daybook::Scheduler<> scheduler{{.workers = 0}};
    scheduler.add({.id = "job"}, [&](JobContext& job) {
        job.records_processed(4);
        job.log("half way");
        const auto record = scheduler.log().find(job.execution_id()).value();
        CHECK(record.records_processed == 4U);
        CHECK(record.log_text == "half way\n");
    });
    scheduler.start();
    scheduler.trigger("job");
    CHECK(scheduler.poll() == 1);
}

TEST_CASE("log lines are kept one after another") {
    const auto record = record_of([](JobContext& job) {
        job.log("first");
        job.log("");
        job.log("third");
    });
    CHECK(record.log_text == "first\n\nthird\n");
}

TEST_CASE("a log text that is too long is cut once, with a mark, and stays within the limit") {
    daybook::LogOptions options;
    options.max_text_bytes = 100;
    const auto record = record_of(
        [](JobContext& job) {
            job.log("begins");
            job.log(std::string(1000, 'x'));
            job.log("afterwards");
        },
        options);
    CHECK(record.log_text.size() <= 100);
    CHECK(record.log_text.starts_with("begins\nxxx"));
    CHECK(record.log_text.find("[cut:") != std::string::npos);
    CHECK(record.log_text.find("afterwards") == std::string::npos);
}

TEST_CASE("a log text may fill the limit exactly") {
    daybook::LogOptions options;
    options.max_text_bytes = 100;
    const auto record = record_of([](JobContext& job) { job.log(std::string(99, 'x')); }, options);
    CHECK(record.log_text == std::string(99, 'x') + '\n');
}

TEST_CASE("a line that fills the log text to the last byte goes without its line break") {
    daybook::LogOptions options;
    options.max_text_bytes = 100;
    const auto record = record_of([](JobContext& job) { job.log(std::string(100, 'x')); }, options);
    CHECK(record.log_text == std::string(100, 'x'));
}

TEST_CASE("a line beyond a log text that is full to the last byte leaves a mark") {
    daybook::LogOptions options;
    options.max_text_bytes = 100;
    const auto record = record_of(
        [](JobContext& job) {
            job.log(std::string(100, 'x'));
            job.log("beyond");
        },
        options);
    CHECK(record.log_text.size() <= 100);
    CHECK(record.log_text.ends_with("[cut: 107 bytes in all]"));
}

TEST_CASE("metadata is kept by name, the latest value counts") {
    const auto record = record_of([](JobContext& job) {
        CHECK(job.metadata("model", "a"));
        CHECK(job.metadata("region", "eu"));
        CHECK(job.metadata("model", "b"));
    });
    CHECK(record.metadata == std::vector<std::pair<std::string, std::string>>{{"model", "b"}, {"region", "eu"}});
}

TEST_CASE("metadata is bounded in names and in bytes") {
    daybook::LogOptions options;
    options.max_text_bytes = 400;
    const auto record = record_of(
        [](JobContext& job) {
            for (int i = 0; i < 32; ++i) { CHECK(job.metadata("name-" + std::to_string(i), "v")); }
            CHECK_FALSE(job.metadata("one too many", "v"));
            CHECK(job.metadata("name-0", std::string(1000, 'x')));
            CHECK_FALSE(job.metadata(std::string(256, 'n'), "v"));
        },
        options);
    REQUIRE(record.metadata.size() == 32);
    CHECK(record.metadata[0].second.size() <= 100);
    CHECK(record.metadata[0].second.find("[cut:") != std::string::npos);
}

TEST_CASE("what is said after the end has no effect") {
    daybook::Scheduler<> scheduler{{.workers = 0}};
    scheduler.add({.id = "job", .overlap = daybook::Overlap::cancel_running}, [&](JobContext& job) {
        job.metadata("key", "value");
        scheduler.trigger("job"); // cancels this one
        CHECK(job.stop_requested());
        CHECK_FALSE(job.metadata("late", "value"));
        job.log("late");
        scheduler.remove("job");
    });
    scheduler.start();
    const auto id = scheduler.trigger("job").id;
    scheduler.poll();
    const auto record = scheduler.log().find(id).value();
    CHECK(record.status == daybook::JobStatus::cancelled);
    CHECK(record.metadata.size() == 1);
    CHECK(record.log_text.empty());
}

TEST_CASE("several threads of a body may speak at once") {
    const auto record = record_of([](JobContext& job) {
        const auto speak = [&] {
            for (std::uint64_t i = 0; i < 200; ++i) {
                job.progress(i);
                job.records_processed(i);
                job.log("x");
                job.metadata("thread", "value");
            }
        };
        std::thread other{speak};
        speak();
        other.join();
    });
    CHECK(record.log_text.size() == 800);
    CHECK(record.records_processed == 199U);
}
