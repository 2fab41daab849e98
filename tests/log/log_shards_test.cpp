// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/time/manual_clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// A log in several parts beside one in one part: whatever threads do to both of them, they answer the same.

namespace in_parts {

using namespace std::chrono_literals;
using daybook::Execution;
using daybook::ExecutionId;
using daybook::ExecutionQuery;
using daybook::JobExecutionLog;
using daybook::JobStatus;
using daybook::LogOptions;
using daybook::OutcomeCounts;
using daybook::SortBy;

/// Threads that do what they are told, one at a time: each records in a part of its own.
class Hands {
public:
    explicit Hands(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) { hands_.push_back(std::make_unique<Hand>()); }
    }

    void let(std::size_t hand, std::function<void()> work) { hands_[hand % hands_.size()]->let(std::move(work)); }
    [[nodiscard]] std::size_t count() const noexcept { return hands_.size(); }

private:
    class Hand {
    public:
        Hand() : thread_{[this] { run(); }} {}
        Hand(const Hand&) = delete;
        Hand& operator=(const Hand&) = delete;
        ~Hand() { let({}); }

        void let(std::function<void()> work) {
            work_ = std::move(work);
            turn_ = 1;
            turn_.notify_all();
            turn_.wait(1);
        }

    private:
        void run() {
            for (bool is_over = false; !is_over;) {
                turn_.wait(0);
                is_over = !work_;
                if (work_) { work_(); }
                turn_ = 0;
                turn_.notify_all();
            }
        }

        std::function<void()> work_;
        std::atomic<int> turn_{0};
        std::jthread thread_;
    };

    std::vector<std::unique_ptr<Hand>> hands_;
};

/// What can be told of a record without its id.
std::string line_of(const daybook::JobExecutionRecord<std::string>& record) {
    std::string text = record.job_id + '/' + record.handler_id + '/' + std::string{to_string(record.status)};
    const auto instant = [&](const auto& at) {
        text += ' ' + (at ? std::to_string(at->time_since_epoch().count()) : std::string{"-"});
    };
    instant(record.scheduled_at);
    instant(record.queued_at);
    instant(record.started_at);
    instant(record.completed_at);
    text += ' ' + (record.duration ? std::to_string(record.duration->count()) : std::string{"-"});
    text += ' ' + std::to_string(record.attempt_number) + ' ' + std::to_string(record.skip_count) + ' ' +
            record.result.value_or("none") + " " + record.error.value_or("none");
    return text;
}

using Lines = std::vector<std::string>;

/// All of a list, page by page.
Lines listed(const JobExecutionLog<>& log, ExecutionQuery query) {
    Lines all;
    for (int pages = 0; pages < 10'000; ++pages) {
        const auto page = log.query(query);
        REQUIRE(page.records.size() <= query.limit);
        for (const auto& record : page.records) { all.push_back(line_of(record)); }
        REQUIRE(page.complete);
        REQUIRE(page.has_more == !page.next_cursor.empty());
        if (!page.has_more) { return all; }
        query.cursor = page.next_cursor;
        query.offset = 0;
    }
    FAIL("the list has no end");
    return all;
}

std::string counted(const OutcomeCounts& counts) {
    std::string text;
    for (const std::uint64_t one :
         {counts.total_executions, counts.success_count, counts.error_count, counts.timeout_count,
          counts.abandoned_count, counts.cancelled_count, counts.skipped_count, counts.retry_count,
          counts.requests.total, counts.requests.completed, counts.requests.failed}) {
        text += std::to_string(one) + ' ';
    }
    return text;
}

std::string rounded(double value) { return std::to_string(static_cast<std::int64_t>(value * 1e6 + 0.5)) + ' '; }

std::string spread(const daybook::LatencySummary& sum, bool with_percentiles) {
    std::string text =
        std::to_string(sum.count) + ' ' + rounded(sum.average_ms) + rounded(sum.min_ms) + rounded(sum.max_ms);
    if (with_percentiles) {
        text += rounded(sum.p50_ms) + rounded(sum.p95_ms) + rounded(sum.p99_ms) + rounded(sum.p999_ms);
    }
    return text;
}

template <class Sum>
std::string spread(const Sum& sum) {
    return std::to_string(sum.count) + ' ' + rounded(sum.average_ms) + rounded(sum.min_ms) + rounded(sum.max_ms);
}

Lines buckets(const std::vector<daybook::TimelineBucket>& all) {
    Lines lines;
    for (const auto& bucket : all) {
        lines.push_back(std::to_string(bucket.begin.time_since_epoch().count()) + ": " + counted(bucket) +
                        spread(bucket.duration, false));
    }
    return lines;
}

/// All figures but those of which parts keep less: the percentiles of times that are over.
Lines figures(const JobExecutionLog<>& log) {
    const auto all = log.stats();
    Lines lines{counted(all),
                counted(all.lifetime),
                spread(all.duration, true),
                spread(all.drift, true),
                spread(all.queue_delay, true),
                std::to_string(all.queued) + ' ' + std::to_string(all.running) + ' ' + std::to_string(all.retained),
                rounded(all.buffer_utilization)};
    for (const auto& [name, handler] : all.by_handler) {
        lines.push_back(name + ": " + counted(handler) + spread(handler.duration, true) + spread(handler.drift) +
                        spread(handler.queue_delay));
    }
    for (const auto& [name, job] : all.by_job) { lines.push_back(name + ": " + counted(job)); }
    for (const auto& [name, count] : all.by_model) { lines.push_back(name + ": " + std::to_string(count)); }
    for (const auto& [name, count] : all.by_status) { lines.push_back(name + ": " + std::to_string(count)); }
    for (const auto& [name, count] : all.skips_by_reason) { lines.push_back(name + ": " + std::to_string(count)); }
    for (const auto* rate :
         {&all.rates.last_minute, &all.rates.last_5_minutes, &all.rates.last_15_minutes, &all.rates.last_hour}) {
        lines.push_back(std::to_string(rate->executions) + ' ' + std::to_string(rate->errors));
    }
    for (const auto* times : {&all.timeline.minutes, &all.timeline.hours, &all.timeline.days}) {
        for (auto& one : buckets(*times)) { lines.push_back(std::move(one)); }
    }
    return lines;
}

Lines figures(const JobExecutionLog<>& log, daybook::sys_time from, daybook::sys_time to) {
    const auto all = log.stats(from, to);
    Lines lines{counted(all), spread(all.duration), std::to_string(all.from.time_since_epoch().count()),
                std::to_string(all.to.time_since_epoch().count()), all.is_complete ? "complete" : "incomplete"};
    for (const auto& [name, handler] : all.by_handler) {
        lines.push_back(name + ": " + counted(handler) + spread(handler.duration));
    }
    for (const auto& [name, count] : all.by_model) { lines.push_back(name + ": " + std::to_string(count)); }
    for (auto& one : buckets(all.timeline)) { lines.push_back(std::move(one)); }
    return lines;
}

/// What one says and the other does not; empty where they agree.
Lines differences(const Lines& one, const Lines& other) {
    Lines all;
    for (const std::string& each : one) {
        if (std::find(other.begin(), other.end(), each) == other.end()) { all.push_back("in one part: " + each); }
    }
    for (const std::string& each : other) {
        if (std::find(one.begin(), one.end(), each) == one.end()) { all.push_back("in several: " + each); }
    }
    return all;
}

/// One log in one part, the other in several; each thing is done to both at the same moment.
class Both {
public:
    Both(std::uint32_t seed, std::size_t parts) : random_{seed}, hands_{parts}, options_{.capacity = 100'000} {
        options_.clock = clock;
        one.emplace(options_);
        options_.shards = parts;
        other.emplace(options_);
    }

    [[nodiscard]] std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

    void step() {
        clock.advance(std::chrono::microseconds{1 + below(40'000'000)}); // no two begin at the same moment
        const std::size_t hand = below(static_cast<std::uint32_t>(hands_.count()));
        const std::uint32_t what = below(10);
        hands_.let(hand, [&] {
            if (what < 4 || open_.empty()) {
                start(what);
            } else if (what < 9) {
                end();
            } else {
                skip();
            }
        });
    }

    daybook::ManualClock clock;
    std::optional<JobExecutionLog<>> one;
    std::optional<JobExecutionLog<>> other;

private:
    void start(std::uint32_t what) {
        const std::string job = "job_" + std::to_string(below(5));
        const std::string handler = "handler_" + std::to_string(below(3));
        daybook::ExecutionStart start{.job_id = job, .handler_id = handler, .attempt_number = 1 + below(3)};
        if (below(2) == 0) { start.scheduled_at = clock.now() - std::chrono::milliseconds{below(3000)}; }
        if (what == 0) {
            open_.push_back({one->record_queued(start), other->record_queued(start), true});
        } else {
            open_.push_back({one->record_start(start), other->record_start(start), false});
        }
    }

    void end() {
        Open& chosen = open_[below(static_cast<std::uint32_t>(open_.size()))];
        if (std::exchange(chosen.is_queued, false)) {
            CHECK(one->record_running(chosen.in_one));
            CHECK(other->record_running(chosen.in_other));
            return;
        }
        const std::uint32_t how = below(5);
        const auto both = [&](auto&& record) {
            CHECK(record(*one, chosen.in_one) == daybook::Finish::recorded);
            CHECK(record(*other, chosen.in_other) == daybook::Finish::recorded);
            CHECK(record(*other, chosen.in_other) == daybook::Finish::too_late);
        };
        both([how](JobExecutionLog<>& log, const Execution& run) {
            switch (how) {
            case 0: return log.record_error(run, "it failed");
            case 1: return log.record_error(run, "it will be tried again", daybook::Finality::retry_follows);
            case 2: return log.record_cancelled(run, "not now");
            case 3: return log.record_timeout(run);
            default: return log.record_success(run, "done");
            }
        });
        std::swap(open_.back(), chosen);
        open_.pop_back();
    }

    /// Each of a job of its own: in a row they would share a record where one part counted them.
    void skip() {
        const std::string job = "skipped_" + std::to_string(++skips_);
        const auto reason = below(2) == 0 ? daybook::SkipReason::overlap : daybook::SkipReason::paused;
        const std::uint64_t count = 1 + below(3);
        const daybook::ExecutionStart occurrence{.job_id = job,
                                                 .handler_id = "handler_0",
                                                 .scheduled_at = clock.now(),
                                                 .trigger = daybook::Trigger::schedule};
        one->record_skip(occurrence, reason, count);
        other->record_skip(occurrence, reason, count);
    }

    struct Open {
        Execution in_one;
        Execution in_other;
        bool is_queued = false;
    };

    std::mt19937 random_;
    Hands hands_;
    LogOptions options_;
    std::vector<Open> open_;
    int skips_ = 0;
};

std::vector<ExecutionQuery> queries(const daybook::sys_time now) {
    std::vector<ExecutionQuery> all{
        {},
        {.skips = daybook::Skips::include},
        {.job_id = "job_1"},
        {.handler_id = "handler_2"},
        {.job_id = "job_3", .handler_id = "handler_0"},
        {.job_id = "nobody"},
        {.status = JobStatus::success},
        {.status = {JobStatus::queued, JobStatus::running}},
        {.status = {JobStatus::error, JobStatus::timeout}},
        {.status = JobStatus::skipped},
        {.text = "failed"},
        {.min_duration = 10s},
    };
    all.push_back({.started_from = now - 20min, .started_to = now - 5min});
    const std::size_t plain = all.size();
    for (const SortBy sort :
         {SortBy::oldest, SortBy::longest, SortBy::shortest, SortBy::most_drift, SortBy::least_drift}) {
        for (std::size_t i = 0; i < plain; ++i) {
            all.push_back(all[i]);
            all.back().sort = sort;
        }
    }
    return all;
}

} // namespace in_parts

using namespace in_parts;

TEST_CASE("a log in parts lists what one in one part lists, in every order and page by page") {
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
        INFO("seed " << seed);
        Both both{seed, 2 + seed % 4};
        for (int i = 0; i < 300; ++i) { both.step(); }
        for (ExecutionQuery query : queries(both.clock.now())) {
            INFO("sort " << static_cast<int>(query.sort) << ", job " << query.job_id << ", text " << query.text);
            query.limit = 1000;
            const Lines expected = listed(*both.one, query);
            CHECK(listed(*both.other, query) == expected);
            query.limit = 1 + both.below(20);
            CHECK(listed(*both.other, query) == expected);
            query.offset = both.below(15);
            const auto page = both.one->query(query);
            const auto same = both.other->query(query);
            CHECK(same.total.count == page.total.count);
            CHECK(same.total.is_exact == page.total.is_exact);
            CHECK(same.passed == page.passed);
            CHECK(same.has_more == page.has_more);
            CHECK(listed(*both.other, query) == listed(*both.one, query));
        }
    }
}

TEST_CASE("a log in parts has the figures that one in one part has") {
    for (std::uint32_t seed = 101; seed <= 104; ++seed) {
        INFO("seed " << seed);
        Both both{seed, 2 + seed % 4};
        const auto began = both.clock.now();
        for (int i = 0; i < 1000; ++i) {
            both.step();
            if (i % 100 == 0) { both.clock.advance(std::chrono::minutes{both.below(300)}); }
            if (i % 37 != 0) { continue; }
            REQUIRE(differences(figures(*both.one), figures(*both.other)) == Lines{});
            const auto from = began + std::chrono::hours{both.below(60)};
            const auto to = from + std::chrono::hours{both.below(30)};
            REQUIRE(differences(figures(*both.one, from, to), figures(*both.other, from, to)) == Lines{});
        }
        CHECK(both.other->clear() == both.one->clear());
        for (int i = 0; i < 50; ++i) { both.step(); }
        CHECK(differences(figures(*both.one), figures(*both.other)) == Lines{});
        CHECK(both.other->size() == both.one->size());
    }
}

TEST_CASE("a cursor of a log in parts shows every record that stays once, while others come") {
    for (const SortBy sort : {SortBy::newest, SortBy::oldest, SortBy::longest}) {
        Both both{7, 4};
        for (int i = 0; i < 200; ++i) { both.step(); }
        std::set<std::string> expected;
        for (const auto& record : both.other->query({.status = JobStatus::success, .limit = 1000}).records) {
            expected.insert(line_of(record));
        }
        std::multiset<std::string> seen;
        ExecutionQuery query{.status = JobStatus::success, .sort = sort, .limit = 3};
        daybook::sys_time last = both.clock.now() + 24h;
        for (bool has_more = true; has_more;) {
            const auto page = both.other->query(query);
            for (const auto& record : page.records) {
                seen.insert(line_of(record));
                if (sort != SortBy::newest) { continue; }
                CHECK(*record.started_at < last); // nothing that came after the first page begins it anew
                last = *record.started_at;
            }
            has_more = page.has_more;
            query.cursor = page.next_cursor;
            if (seen.size() < 400) { both.step(); }
        }
        for (const auto& record : expected) { CHECK(seen.count(record) == 1); }
    }
}

TEST_CASE("a cursor of a log in parts is refused where it is of another list") {
    JobExecutionLog<> log{LogOptions{.capacity = 100, .shards = 3}};
    Hands hands{3};
    for (std::size_t i = 0; i < 12; ++i) {
        hands.let(i, [&] { log.record_success(log.record_start("job")); });
    }
    const auto page = log.query({.limit = 5});
    REQUIRE(page.has_more);
    CHECK_THROWS_AS(log.query({.sort = SortBy::longest, .cursor = page.next_cursor}), std::invalid_argument);
    CHECK_THROWS_AS(log.query({.cursor = page.next_cursor + "~1.1"}), std::invalid_argument);
    CHECK_THROWS_AS(log.query({.cursor = "1.1"}), std::invalid_argument);
    JobExecutionLog<> other{100};
    CHECK_THROWS_AS(other.query({.cursor = page.next_cursor}), std::invalid_argument);
}

TEST_CASE("a log in parts keeps as many records as it has places, whatever the number of threads") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .error_capacity = 3, .shards = 4}};
    CHECK(log.capacity() == 10);
    CHECK(log.options().shards == 4);
    Hands hands{8};
    for (std::size_t i = 0; i < 200; ++i) {
        hands.let(i, [&] {
            const auto run = log.record_start("job");
            i % 3 == 0 ? log.record_error(run, "no") : log.record_success(run);
        });
    }
    CHECK(log.size() == 10);
    CHECK(log.stats().retained == 10);
    CHECK(log.stats().total_executions == 200);
    CHECK(log.memory_bytes() <= log.memory_limit());
    CHECK(log.query({.limit = 100}).records.size() == 10);
}

TEST_CASE("what one thread has begun in a log in parts another may end, and it is found by its id") {
    JobExecutionLog<> log{LogOptions{.capacity = 100, .shards = 3}};
    Hands hands{3};
    std::vector<Execution> runs(9);
    std::set<ExecutionId> ids;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        hands.let(i, [&] { runs[i] = log.record_start("job_" + std::to_string(i)); });
        CHECK(ids.insert(runs[i].id).second);
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
        hands.let(i + 1, [&] {
            log.record_processed(runs[i], i);
            CHECK(log.record_success(runs[i], "done") == daybook::Finish::recorded);
        });
        const auto found = log.find(runs[i].id);
        REQUIRE(found);
        CHECK(found->job_id == "job_" + std::to_string(i));
        CHECK(found->records_processed == i);
    }
    CHECK_FALSE(log.find(1'000'000));
    JobExecutionLog<> other{LogOptions{.capacity = 100, .shards = 3}};
    CHECK(other.record_success(runs[0]) == daybook::Finish::unknown);
}

TEST_CASE("a feed of a log in parts hears of what finishes in each of them") {
    JobExecutionLog<> log{LogOptions{.capacity = 1000, .shards = 3}};
    auto feed = log.subscribe();
    Hands hands{3};
    std::multiset<std::string> expected;
    for (std::size_t i = 0; i < 30; ++i) {
        expected.insert("job_" + std::to_string(i));
        hands.let(i, [&] { log.record_success(log.record_start("job_" + std::to_string(i))); });
    }
    CHECK(feed.waiting() == 30);
    std::multiset<std::string> seen;
    for (const auto& record : feed.take()) { seen.insert(record.job_id); }
    CHECK(seen == expected);
    CHECK(feed.dropped() == 0);
    CHECK_FALSE(feed.wait_for(0s));
    for (std::size_t i = 0; i < 3; ++i) { // each of the parts wakes who sleeps
        std::latch is_asleep{1};
        bool was_woken = false;
        std::jthread reader{[&] {
            is_asleep.count_down();
            was_woken = feed.wait_for(60s);
        }};
        is_asleep.wait();
        hands.let(i, [&] { log.record_success(log.record_start("another")); });
        reader.join();
        CHECK(was_woken);
        CHECK(feed.try_next());
    }
}

TEST_CASE("eight threads record in a log in parts while two read, and every count is exact") {
    constexpr std::size_t each = 2000;
    JobExecutionLog<> log{LogOptions{.capacity = 500, .max_running = 100, .shards = 4}};
    std::atomic<bool> is_right{true};
    {
        std::atomic<bool> is_over{false};
        std::vector<std::jthread> readers;
        for (int i = 0; i < 2; ++i) {
            readers.emplace_back([&] {
                while (!is_over) {
                    if (log.query({.limit = 50}).records.size() > 50) { is_right = false; }
                    if (log.stats().total_executions > 8 * each) { is_right = false; }
                }
            });
        }
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 8; ++i) {
                threads.emplace_back([&log, i] {
                    for (std::size_t n = 0; n < each; ++n) {
                        log.record_success(log.record_start("job_" + std::to_string(i)), "done");
                    }
                });
            }
        }
        is_over = true;
    }
    CHECK(is_right);
    const auto stats = log.stats();
    CHECK(stats.success_count == 8 * each);
    CHECK(stats.duration.count == 8 * each);
    CHECK(log.size() == 500);
    for (const auto& [name, job] : stats.by_job) { CHECK(job.success_count == each); }
}

TEST_CASE("parts are refused where a log cannot have them") {
    CHECK_THROWS_AS(JobExecutionLog<>{LogOptions{.shards = 0}}, std::invalid_argument);
    CHECK_THROWS_AS(JobExecutionLog<>{LogOptions{.shards = 65}}, std::invalid_argument);
    CHECK_THROWS_AS((JobExecutionLog<>{LogOptions{.capacity = 3, .shards = 4}}), std::invalid_argument);
    daybook::SchedulerOptions options;
    options.log.shards = 2;
    CHECK_THROWS_AS(daybook::Scheduler<>{options}, std::invalid_argument);
}
