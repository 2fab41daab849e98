// SPDX-License-Identifier: MIT
#include <daybook/log/execution_feed.hpp>
#include <daybook/log/job_execution_log.hpp>

#include "log_test_support.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

static_assert(std::is_nothrow_move_constructible_v<ExecutionFeed<>> && !std::is_copy_constructible_v<ExecutionFeed<>>);

namespace {

Names jobs(const std::vector<JobExecutionRecord<>>& records) {
    Names found;
    for (const auto& record : records) { found.push_back(record.job_id); }
    return found;
}

/// Can be recorded, but not asked for.
struct Fragile {
    Fragile() = default;
    Fragile(Fragile&&) = default;
    Fragile(const Fragile&) { throw std::runtime_error{"cannot be copied"}; }
    Fragile& operator=(const Fragile&) = default;
};

/// Long enough to be never; nothing waits so long unless something is wrong.
constexpr auto patience = 1min;

} // namespace

template <>
struct daybook::ResultCodec<Fragile> {
    static Fragile limited(Fragile result, std::size_t) { return result; }
};

TEST_CASE("a feed hears of what finishes after it was opened, in the order in which it finishes") {
    JobExecutionLog<> log{100};
    succeed(log, "before");
    auto feed = log.subscribe();
    const auto slow = log.record_start("slow");
    succeed(log, "a");
    fail(log, "b");
    log.record_success(slow, "done");
    CHECK(feed.waiting() == 3);
    const auto records = feed.take();
    REQUIRE(jobs(records) == Names{"a", "b", "slow"});
    CHECK(records[1].status == JobStatus::error);
    CHECK(records[1].error == "why");
    CHECK(records[2].result == "done");
    CHECK(feed.waiting() == 0);
    CHECK(feed.dropped() == 0);
    CHECK_FALSE(feed.try_next());
}

TEST_CASE("what starts is not heard of before it has finished") {
    JobExecutionLog<> log{100};
    auto feed = log.subscribe();
    const auto run = log.record_queued({.job_id = "job"});
    log.record_running(run);
    CHECK_FALSE(feed.try_next());
    log.record_timeout(run);
    CHECK(feed.try_next()->status == JobStatus::timeout);
}

TEST_CASE("every kind of end is heard of, attempts that are retried included") {
    JobExecutionLog<> log{LogOptions{.max_running = 1}};
    auto feed = log.subscribe();
    log.record_error(log.record_start("a"), "why", Finality::retry_follows);
    log.record_timeout(log.record_start("a"));
    log.record_cancelled(log.record_start("a"));
    (void)log.record_start("lost");
    log.record_success(log.record_start("a"));
    std::vector<JobStatus> found;
    while (const auto record = feed.try_next()) { found.push_back(record->status); }
    CHECK(found == std::vector{JobStatus::error, JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned,
                               JobStatus::success});
}

TEST_CASE("skips are heard of where they are asked for, a run of them once") {
    JobExecutionLog<> log{100};
    auto without = log.subscribe();
    auto with = log.subscribe({.skips = Skips::include});
    auto alone = log.subscribe({.status = JobStatus::skipped});
    succeed(log, "a");
    for (int i = 0; i < 3; ++i) { log.record_skip("a", SkipReason::overlap); }
    CHECK(without.waiting() == 1);
    CHECK(with.waiting() == 2);
    CHECK(alone.waiting() == 1);
    CHECK(alone.try_next()->skip_count == 3);
}

TEST_CASE("a feed of failures is not flooded by successes") {
    JobExecutionLog<> log{1000};
    auto feed = log.subscribe({.capacity = 2, .status = StatusSet::failures()});
    fail(log, "bad");
    for (int i = 0; i < 100; ++i) { succeed(log, "good"); }
    CHECK(jobs(feed.take()) == Names{"bad"});
    CHECK(feed.dropped() == 0);
}

TEST_CASE("a reader that is too slow loses the oldest, and is told how many") {
    JobExecutionLog<> log{100};
    auto feed = log.subscribe({.capacity = 3});
    for (const auto* job : {"a", "b", "c", "d", "e"}) { succeed(log, job); }
    CHECK(feed.dropped() == 2);
    CHECK(jobs(feed.take()) == Names{"c", "d", "e"});
    CHECK(feed.dropped() == 2);
}

TEST_CASE("what the log has evicted before it was read counts as dropped") {
    JobExecutionLog<> log{2};
    auto feed = log.subscribe({.capacity = 10});
    for (const auto* job : {"a", "b", "c", "d", "e"}) { succeed(log, job); }
    CHECK(jobs(feed.take()) == Names{"d", "e"});
    CHECK(feed.dropped() == 3);
}

TEST_CASE("what was cleared before it was read counts as dropped") {
    JobExecutionLog<> log{10};
    auto feed = log.subscribe();
    succeed(log, "a");
    log.clear();
    succeed(log, "b");
    CHECK(jobs(feed.take()) == Names{"b"});
    CHECK(feed.dropped() == 1);
}

TEST_CASE("what has grown too old before it was read counts as dropped") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock, {.max_age = 1h})};
    auto feed = log.subscribe();
    succeed(log, "a");
    clock.advance(2h);
    CHECK_FALSE(feed.try_next());
    CHECK(feed.dropped() == 1);
}

TEST_CASE("several feeds of one log each hear of everything") {
    JobExecutionLog<> log{10};
    auto first = log.subscribe();
    succeed(log, "a");
    auto second = log.subscribe();
    succeed(log, "b");
    CHECK(jobs(first.take()) == Names{"a", "b"});
    CHECK(jobs(second.take()) == Names{"b"});
}

TEST_CASE("take gives back at most what it was asked for") {
    JobExecutionLog<> log{10};
    auto feed = log.subscribe();
    for (const auto* job : {"a", "b", "c"}) { succeed(log, job); }
    CHECK(jobs(feed.take(2)) == Names{"a", "b"});
    CHECK(feed.take(0).empty());
    CHECK(jobs(feed.take(2)) == Names{"c"});
}

TEST_CASE("a feed that was moved goes on, and the one it came from is silent") {
    JobExecutionLog<> log{10};
    auto first = log.subscribe();
    succeed(log, "a");
    auto second = std::move(first);
    succeed(log, "b");
    CHECK(jobs(second.take()) == Names{"a", "b"});
    CHECK_FALSE(first.try_next()); // NOLINT(bugprone-use-after-move): it must be harmless
    CHECK_FALSE(first.wait_for(1h));
    CHECK(first.dropped() == 0);
    first = std::move(second);
    succeed(log, "c");
    CHECK(jobs(first.take()) == Names{"c"});
    first = log.subscribe();
    CHECK(first.waiting() == 0);
}

TEST_CASE("a feed outlives its log, and a log its feed") {
    std::optional<JobExecutionLog<>> log{10};
    {
        auto early = log->subscribe();
        succeed(*log, "a");
    }
    auto feed = log->subscribe();
    succeed(*log, "b");
    log.reset();
    CHECK(jobs(feed.take()) == Names{"b"});
    CHECK_FALSE(feed.wait_for(0s));
}

TEST_CASE("a feed with no room is refused") {
    const JobExecutionLog<> log{10};
    try {
        (void)log.subscribe({.capacity = 0});
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string{error.what()} == "FeedOptions: capacity must be at least 1");
    }
}

TEST_CASE("waiting ends at once when something is there, and at its end when nothing comes") {
    JobExecutionLog<> log{10};
    auto feed = log.subscribe();
    CHECK_FALSE(feed.wait_for(0s));
    CHECK_FALSE(feed.wait_for(-1s));
    CHECK_FALSE(feed.wait_for(1ms));
    succeed(log, "a");
    CHECK(feed.wait_for(0s));
    CHECK(feed.wait_for(std::chrono::nanoseconds::max()));
}

TEST_CASE("whoever waits is woken by what finishes") {
    JobExecutionLog<> log{10};
    auto feed = log.subscribe({.status = JobStatus::error});
    auto other = log.subscribe();
    std::atomic<int> woken{0};
    std::vector<std::jthread> readers;
    readers.emplace_back([&] { woken += feed.wait_for(patience) ? 1 : 100; });
    readers.emplace_back([&] { woken += other.wait_for(patience) ? 1 : 100; });
    // Whichever comes first, the end of the jobs or the sleep of the readers, both must hear of it.
    succeed(log, "a");
    fail(log, "b");
    readers.clear();
    CHECK(woken == 2);
}

TEST_CASE("a stop request ends a wait") {
    const JobExecutionLog<> log{10};
    auto feed = log.subscribe();
    std::stop_source source;
    std::jthread stopper{[&] { source.request_stop(); }};
    CHECK_FALSE(feed.wait_for(patience, source.get_token()));
    CHECK_FALSE(feed.wait_for(patience, source.get_token()));
}

TEST_CASE("a callback hears of each record on the thread that runs it, until it is stopped") {
    JobExecutionLog<> log{1000};
    std::vector<ExecutionId> heard;
    std::vector<ExecutionId> recorded;
    {
        std::jthread watcher{[&heard, feed = log.subscribe()](std::stop_token stop) mutable {
            feed.run(stop, [&](const auto& record) { heard.push_back(record.id); });
        }};
        for (int i = 0; i < 500; ++i) { recorded.push_back(succeed(log, "job").id); }
    } // what finished before the stop is still heard of
    CHECK(heard == recorded);
}

TEST_CASE("a callback may ask the log and record in it") {
    JobExecutionLog<> log{10};
    auto feed = log.subscribe();
    succeed(log, "a");
    std::stop_source source;
    feed.run(source.get_token(), [&](const auto& record) {
        CHECK(log.find(record.id));
        if (record.job_id == "a") {
            succeed(log, "b");
        } else {
            source.request_stop();
        }
    });
    CHECK(feed.waiting() == 0);
}

TEST_CASE("what a callback throws comes out, and the feed goes on") {
    JobExecutionLog<> log{10};
    auto feed = log.subscribe();
    succeed(log, "a");
    succeed(log, "b");
    CHECK_THROWS_AS(feed.run({}, [](const auto&) { throw std::runtime_error{"no"}; }), std::runtime_error);
    CHECK(jobs(feed.take()) == Names{"b"});
}

TEST_CASE("of four writers every record is heard of once, in the order of each, or counted as dropped") {
    constexpr std::size_t writers = 4;
    constexpr std::size_t each = 5000;
    const JobExecutionLog<> log{LogOptions{.capacity = 400}};
    auto quick = log.subscribe({.capacity = 1024});
    auto small = log.subscribe({.capacity = 16});
    auto sleepy = log.subscribe({.capacity = 300});
    std::atomic<bool> is_over{false};
    std::vector<std::vector<std::pair<std::string, ExecutionId>>> heard(3);
    {
        std::vector<std::jthread> readers;
        const auto read = [&](ExecutionFeed<>& feed, auto& into, bool waits) {
            readers.emplace_back([&feed, &into, &is_over, waits] {
                while (true) {
                    const bool was_over = is_over;
                    if (waits) { (void)feed.wait_for(1ms); }
                    for (const auto& record : feed.take(100)) { into.emplace_back(record.job_id, record.id); }
                    if (was_over && feed.waiting() == 0) { return; }
                }
            });
        };
        read(quick, heard[0], true);
        read(small, heard[1], false);
        read(sleepy, heard[2], true);
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < writers; ++i) {
            threads.emplace_back([handle = log, job = "job " + std::to_string(i)]() mutable {
                for (std::size_t run = 0; run < each; ++run) { succeed(handle, job); }
            });
        }
        // Others come and go meanwhile.
        for (int i = 0; i < 50; ++i) {
            auto passing = log.subscribe({.capacity = 4});
            (void)passing.wait_for(100us);
            (void)passing.take();
        }
        threads.clear();
        is_over = true;
    }
    const std::vector<std::uint64_t> dropped{quick.dropped(), small.dropped(), sleepy.dropped()};
    for (std::size_t i = 0; i < heard.size(); ++i) {
        CHECK(heard[i].size() + dropped[i] == writers * each);
        // Each writer ends its executions in the order of their ids.
        std::stable_sort(heard[i].begin(), heard[i].end(),
                         [](const auto& one, const auto& other) { return one.first < other.first; });
        CHECK(std::is_sorted(heard[i].begin(), heard[i].end()));
        CHECK(std::adjacent_find(heard[i].begin(), heard[i].end()) == heard[i].end());
    }
}

TEST_CASE("a feed that sleeps is woken by what it wants, and by nothing else") {
    detail::FeedRings rings{std::make_shared<detail::FeedBell>()};
    detail::FeedRing ring{8, JobStatus::error};
    rings.add(ring);
    CHECK_FALSE(rings.is_ready(ring)); // who asks is about to sleep
    CHECK(rings.push(1, JobStatus::success) == nullptr);
    CHECK(rings.push(2, JobStatus::error) == &rings);
    CHECK(rings.push(3, JobStatus::error) == nullptr);
}

TEST_CASE("a record whose result cannot be copied counts as dropped") {
    JobExecutionLog<Fragile> log{10};
    auto feed = log.subscribe();
    log.record_success(log.record_start("job"), Fragile{});
    log.record_timeout(log.record_start("job"));
    CHECK_THROWS_AS(feed.try_next(), std::runtime_error);
    CHECK(feed.dropped() == 1);
    CHECK(feed.take().size() == 1);
}
