// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace daybook;

namespace {

constexpr std::size_t recorders = 8;

/// Executions in all: 10 million with DAYBOOK_LONG_TESTS=1 in the environment.
std::size_t executions_in_all() {
    const char* wanted = std::getenv("DAYBOOK_LONG_TESTS"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    return wanted != nullptr && std::string{wanted} == "1" ? 10'000'000 : 200'000;
}

struct Tally {
    std::uint64_t success = 0;
    std::uint64_t error = 0;
    std::uint64_t timeout = 0;
    std::uint64_t retried = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t skipped = 0;
    std::uint64_t unexpected = 0; ///< answers of the log that cannot be right
};

/// Records `count` executions, with one that runs all the time, and ends it at last.
void record_many(JobExecutionLog<> log, std::size_t number, std::size_t count, Tally& tally,
                 std::atomic<std::size_t>& slow_running) {
    const std::string job = "job " + std::to_string(number);
    const auto expect = [&](bool is_right) { tally.unexpected += is_right ? 0U : 1U; };
    const auto slow = log.record_start("slow " + std::to_string(number), "slow");
    ++slow_running;
    for (std::size_t i = 1; i < count; ++i) {
        const bool waits = i % 5 == 0;
        const auto run =
            waits ? log.record_queued({.job_id = job, .handler_id = "quick"}) : log.record_start(job, "quick");
        if (waits) { expect(log.record_running(run)); }
        if (i % 7 == 0) {
            expect(log.record_error(run, "why", Finality::retry_follows) == Finish::recorded);
            ++tally.retried;
        } else if (i % 11 == 0) {
            expect(log.record_error(run, "why") == Finish::recorded);
            ++tally.error;
        } else if (i % 13 == 0) {
            expect(log.record_timeout(run) == Finish::recorded);
            ++tally.timeout;
        } else if (i % 17 == 0) {
            expect(log.record_cancelled(run) == Finish::recorded);
            ++tally.cancelled;
        } else {
            expect(log.record_success(run, "done") == Finish::recorded);
            ++tally.success;
        }
        expect(log.record_success(run, "again") != Finish::recorded);
        if (i % 97 == 0) {
            log.record_skip(job, SkipReason::overlap, {}, 3);
            tally.skipped += 3;
        }
        if (i % 512 == 0) { expect(log.find(slow.id).has_value()); }
    }
    expect(log.find(slow.id)->status == JobStatus::running);
    --slow_running;
    expect(log.record_success(slow, "done") == Finish::recorded);
    ++tally.success;
}

/// Reads in every way until told to stop. @returns How often what it read could not be right.
std::uint64_t read_until(const JobExecutionLog<>& log, const std::atomic<bool>& is_over,
                         const std::atomic<std::size_t>& slow_running) {
    std::uint64_t wrong = 0;
    const auto expect = [&](bool is_right) { wrong += is_right ? 0U : 1U; };
    for (std::size_t round = 0; !is_over; ++round) {
        const bool all_before = slow_running == recorders;
        const auto running = log.query({.handler_id = "slow", .status = JobStatus::running});
        const bool all_after = slow_running == recorders; // each goes up once and down once
        expect(!all_before || !all_after || running.records.size() == recorders);

        ExecutionQuery query{.handler_id = round % 2 == 0 ? "quick" : "", .limit = 20};
        for (int pages = 0; pages < 5; ++pages) {
            const auto page = log.query(query);
            expect(page.records.size() <= 20);
            for (const auto& record : page.records) {
                expect(record.result.has_value() == (record.status == JobStatus::success));
                expect(query.handler_id.empty() || record.handler_id == "quick");
            }
            if (!page.has_more) { break; }
            query.cursor = page.next_cursor;
        }
        expect(log.query({.job_id = "job 1", .status = JobStatus::error, .limit = 3, .offset = 1}).records.size() <= 3);
        for (const auto& record : log.errors(10).records) { expect(is_failure(record.status)); }
        const auto stats = log.stats();
        expect(stats.total_executions == stats.success_count + stats.error_count);
        expect(stats.retained <= log.capacity());
    }
    return wrong;
}

} // namespace

TEST_CASE("eight threads record while two read, and every count is exact") {
    const std::size_t each = executions_in_all() / recorders;
    const JobExecutionLog<> log{LogOptions{.capacity = 500, .max_running = 64}};
    std::vector<Tally> tallies(recorders);
    std::atomic<std::size_t> slow_running{0};
    std::atomic<bool> is_over{false};
    std::vector<std::uint64_t> wrong(2, 0);
    {
        std::vector<std::jthread> readers;
        for (auto& count : wrong) {
            readers.emplace_back(
                [&log, &is_over, &slow_running, &count] { count = read_until(log, is_over, slow_running); });
        }
        std::vector<std::jthread> threads;
        for (std::size_t number = 0; number < recorders; ++number) {
            threads.emplace_back([&log, &slow_running, &tally = tallies[number], number, each] {
                record_many(log, number, each, tally, slow_running);
            });
        }
        for (auto& thread : threads) { thread.join(); }
        is_over = true;
    }
    Tally sum;
    for (const Tally& tally : tallies) {
        sum.success += tally.success;
        sum.error += tally.error;
        sum.timeout += tally.timeout;
        sum.retried += tally.retried;
        sum.cancelled += tally.cancelled;
        sum.skipped += tally.skipped;
        CHECK(tally.unexpected == 0);
    }
    CHECK(wrong == std::vector<std::uint64_t>{0, 0});
    const auto stats = log.stats();
    CHECK(stats.success_count == sum.success);
    CHECK(stats.error_count == sum.error + sum.timeout);
    CHECK(stats.timeout_count == sum.timeout);
    CHECK(stats.abandoned_count == 0);
    CHECK(stats.cancelled_count == sum.cancelled);
    CHECK(stats.skipped_count == sum.skipped);
    CHECK(stats.total_executions + sum.retried + sum.cancelled == each * recorders);
    CHECK(stats.lifetime_executions == stats.total_executions);
    CHECK(stats.duration.count == each * recorders - sum.cancelled);
    CHECK(stats.by_handler.at("slow").total == recorders);
    CHECK(stats.running == 0);
    CHECK(stats.queued == 0);
    CHECK(stats.retained == 500);
}

TEST_CASE("every execution in flight is visible to a reader, however fast others finish") {
    const JobExecutionLog<> log{LogOptions{.capacity = 5, .max_running = 64}};
    std::vector<Execution> slow;
    for (std::size_t i = 0; i < 20; ++i) {
        auto handle = log;
        slow.push_back(i % 2 == 0 ? handle.record_start("slow") : handle.record_queued({.job_id = "slow"}));
    }
    std::atomic<bool> is_over{false};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([handle = JobExecutionLog<>{log}, &is_over]() mutable {
            while (!is_over) { handle.record_success(handle.record_start("quick")); }
        });
    }
    std::size_t seen_least = slow.size();
    for (int i = 0; i < 500; ++i) {
        seen_least = std::min(seen_least, log.query({.job_id = "slow"}).records.size());
        seen_least =
            std::min(seen_least, log.query({.job_id = "slow", .status = JobStatus::running}).records.size() +
                                     log.query({.job_id = "slow", .status = JobStatus::queued}).records.size());
        for (const Execution& run : slow) {
            if (!log.find(run.id)) { seen_least = 0; }
        }
    }
    is_over = true;
    threads.clear();
    CHECK(seen_least == slow.size());
}

TEST_CASE("of many threads that end one execution, one wins") {
    JobExecutionLog<> log{1000};
    for (int round = 0; round < 200; ++round) {
        const auto run = log.record_start("contested");
        std::atomic<int> winners{0};
        std::atomic<bool> is_open{false};
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 4; ++i) {
                threads.emplace_back([log, run, i, &winners, &is_open]() mutable {
                    while (!is_open) { std::this_thread::yield(); }
                    const auto finish = i % 2 == 0 ? log.record_success(run) : log.record_timeout(run);
                    if (finish == Finish::recorded) { ++winners; }
                });
            }
            is_open = true;
        }
        REQUIRE(winners == 1);
    }
    CHECK(log.stats().total_executions == 200);
}

TEST_CASE("clears while others record remove every record that was there, and lose no count") {
    JobExecutionLog<> log{LogOptions{.capacity = 2000, .max_running = 64}};
    std::atomic<bool> is_over{false};
    std::vector<std::uint64_t> recorded(4, 0);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < recorded.size(); ++i) {
        threads.emplace_back([log, &is_over, &count = recorded[i], job = "job " + std::to_string(i)]() mutable {
            while (!is_over) {
                log.record_success(log.record_start(job));
                log.record_skip(job, SkipReason::paused);
                ++count;
            }
        });
    }
    for (int i = 0; i < 50; ++i) {
        const auto newest = log.record_start("mark");
        log.record_success(newest);
        log.clear();
        CHECK_FALSE(log.find(newest.id));
    }
    is_over = true;
    threads.clear();
    std::uint64_t sum = 50;
    for (const auto count : recorded) { sum += count; }
    CHECK(log.stats().lifetime_executions == sum);
    CHECK(log.query({.skips = Skips::include}).total.count == log.size());
}
