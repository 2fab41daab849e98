// SPDX-License-Identifier: MIT
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_reader.hpp>
#include <daybook/detail/pinned_names.hpp>
#include <daybook/detail/stored_stats.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace stored_stats_test {

using namespace daybook;
using namespace std::chrono_literals;
using detail::CounterBook;

/// A store's table of counters.
struct Table {
    using Key = std::tuple<std::string, CounterScope, std::string, sys_time>;

    void write(const std::vector<StoredCounters>& changed) {
        for (const StoredCounters& row : changed) { all[{row.node, row.scope, row.name, row.period}] = row; }
    }
    void clear() {
        std::erase_if(all, [](const auto& row) { return row.second.scope != CounterScope::lifetime; });
    }
    [[nodiscard]] std::vector<StoredCounters> rows() const {
        std::vector<StoredCounters> found;
        for (const auto& row : all) { found.push_back(row.second); }
        return found;
    }
    void fold() {
        const auto folded = detail::folded(rows(), "");
        all.clear();
        write(folded);
    }

    std::map<Key, StoredCounters> all;
};

// Figures as text, every bit of them.

std::string text(double number) {
    std::array<char, 40> digits{};
    std::snprintf(digits.data(), digits.size(), "%.17g ", number);
    return digits.data();
}
std::string text(std::uint64_t number) { return std::to_string(number) + ' '; }
std::string text(sys_time at) { return std::to_string(at.time_since_epoch().count()) + ' '; }
std::string text(const OutcomeCounts& counts) {
    std::string all = text(counts.success_rate);
    for (const std::uint64_t count :
         {counts.total_executions, counts.success_count, counts.error_count, counts.timeout_count,
          counts.abandoned_count, counts.cancelled_count, counts.skipped_count, counts.retry_count,
          counts.requests.total, counts.requests.completed, counts.requests.failed}) {
        all += text(count);
    }
    return all;
}
std::string text(const DurationStats& duration) {
    return text(duration.count) + text(duration.average_ms) + text(duration.min_ms) + text(duration.max_ms);
}
std::string text(const LatencySummary& latency) {
    return text(latency.count) + text(latency.average_ms) + text(latency.min_ms) + text(latency.max_ms) +
           text(latency.p50_ms) + text(latency.p95_ms) + text(latency.p99_ms) + text(latency.p999_ms);
}
std::string text(const std::vector<TimelineBucket>& buckets) {
    std::string all;
    for (const TimelineBucket& bucket : buckets) {
        all += "\n  " + text(bucket.begin) + text(static_cast<const OutcomeCounts&>(bucket)) + text(bucket.duration);
    }
    return all;
}
template <class Stats, class Text>
std::string text(const std::map<std::string, Stats, std::less<>>& by_name, Text&& text_of) {
    std::string all;
    for (const auto& [name, stats] : by_name) { all += "\n  \"" + name + "\" " + text_of(stats); }
    return all;
}
std::string text_of_counts(const std::map<std::string, std::uint64_t, std::less<>>& counts) {
    return text(counts, [](std::uint64_t count) { return text(count); });
}

/// Without what the caller fills in.
std::string text(const StatsSnapshot& all) {
    return "all " + text(static_cast<const OutcomeCounts&>(all)) + text(all.counted_since) +
           text(all.lifetime_executions) + "\nlifetime " + text(all.lifetime) + "\nduration " + text(all.duration) +
           text(all.average_duration_ms) + text(all.min_ms) + text(all.max_ms) + text(all.p50_ms) + text(all.p95_ms) +
           text(all.p99_ms) + text(all.p999_ms) + "\ndrift " + text(all.drift) + "\nqueue " + text(all.queue_delay) +
           "\nhandlers (" + all.rest_of_handlers + ")" +
           text(all.by_handler,
                [](const HandlerStats& one) {
                    return text(static_cast<const OutcomeCounts&>(one)) + text(one.total) + text(one.success) +
                           text(one.error) + text(one.avg_duration_ms) + text(one.duration) + text(one.drift) +
                           text(one.queue_delay);
                }) +
           "\njobs (" + all.rest_of_jobs + ")" +
           text(all.by_job, [](const JobStats& one) { return text(static_cast<const OutcomeCounts&>(one)); }) +
           "\nmodels (" + all.rest_of_models + ")" + text_of_counts(all.by_model) + "\nskips" +
           text_of_counts(all.skips_by_reason) + "\nminutes" + text(all.timeline.minutes) + "\nhours" +
           text(all.timeline.hours) + "\ndays" + text(all.timeline.days);
}

std::string text(const RangeStats& all) {
    return "all " + text(static_cast<const OutcomeCounts&>(all)) + text(all.from) + text(all.to) +
           (all.is_complete ? "complete" : "incomplete") + "\nduration " + text(all.duration) + "\nhandlers (" +
           all.rest_of_handlers + ")" +
           text(all.by_handler,
                [](const HandlerRangeStats& one) {
                    return text(static_cast<const OutcomeCounts&>(one)) + text(one.duration);
                }) +
           "\nmodels (" + all.rest_of_models + ")" + text_of_counts(all.by_model) + "\nhours" + text(all.timeline);
}

/// The first line that is another one; empty if there is none.
std::string difference(const std::string& found, const std::string& expected) {
    std::istringstream left{found};
    std::istringstream right{expected};
    std::string one;
    std::string other;
    std::string part;
    while (true) {
        const bool has_left = static_cast<bool>(std::getline(left, one));
        const bool has_right = static_cast<bool>(std::getline(right, other));
        if (!has_left && !has_right) { return {}; }
        if (has_left != has_right || one != other) { return part + ": found " + one + ", expected " + other; }
        if (one.substr(0, 1) != " ") { part = one; }
    }
}

/// A log, and the books of some nodes that are told the same.
struct Both {
    Both(std::uint32_t seed, LogOptions some, std::size_t nodes) : random{seed}, options{std::move(some)} {
        options.capacity = 20'000;
        options.clock = clock;
        core = std::make_shared<detail::LogCore>(options);
        for (std::size_t i = 0; i < nodes; ++i) { books.push_back(book(i)); }
    }

    [[nodiscard]] std::unique_ptr<CounterBook> book(std::size_t i) const {
        return std::make_unique<CounterBook>("node " + std::to_string(i), options, clock.now());
    }
    std::size_t below(std::size_t bound) { return random() % bound; }
    CounterBook& any_book() { return *books[below(books.size())]; }

    [[nodiscard]] StoredExecution stored(ExecutionId id) const {
        return StoredExecution{detail::LogReader{*core}.find(id).value().facts};
    }

    void start(std::string_view job, std::string_view handler, JobStatus status) {
        std::optional<sys_time> due;
        if (below(2) == 0) { due = clock.now() - std::chrono::milliseconds{below(500)} + 100ms; }
        const auto run = core->start(detail::HashedNames{job, handler, {}},
                                     {.job_id = job,
                                      .handler_id = handler,
                                      .attempt_number = static_cast<std::uint32_t>(below(3)),
                                      .scheduled_at = due},
                                     status);
        if (in_flight.size() == options.max_running) { // the oldest is abandoned first
            any_book().record_end(stored(in_flight.front().id), clock.now());
            in_flight.erase(in_flight.begin());
        }
        in_flight.push_back(run);
        if (status == JobStatus::running) { any_book().record_start(stored(run.id)); }
        if (below(3) != 0) { return; }
        core->update(run, [&](detail::ExecutionSlot& slot) {
            slot.extras = std::make_unique<detail::ExecutionExtras>();
            if (below(2) == 0) { slot.extras->progress = Progress{below(10), below(3) * 10, below(3)}; }
            if (below(2) == 0) { slot.extras->metadata.emplace_back("colour", "blue"); }
            if (below(2) == 0) { slot.extras->metadata.emplace_back("model", std::string(below(4), 'x')); }
        });
    }

    void begin() {
        for (const auto& run : in_flight) {
            if (!core->begin(run, {}, core->options().clock.read())) { continue; }
            any_book().record_start(stored(run.id));
            return;
        }
    }

    void finish() {
        if (in_flight.empty()) { return; }
        constexpr JobStatus ends[] = {JobStatus::success, JobStatus::success,   JobStatus::error,
                                      JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
        const auto at = static_cast<std::ptrdiff_t>(below(in_flight.size()));
        const auto run = in_flight[static_cast<std::size_t>(at)];
        in_flight.erase(in_flight.begin() + at);
        const Finality finality = below(4) == 0 ? Finality::retry_follows : Finality::final_attempt;
        REQUIRE(core->finish(run, ends[below(6)], {}, {}, finality) == Finish::recorded);
        any_book().record_end(stored(run.id), clock.now());
    }

    void skip(std::string_view job, std::string_view handler) {
        const detail::PinnedNames names{core, detail::HashedNames{job, handler, {}}};
        const auto occurrences = 1 + below(5);
        const auto id =
            core->skip(names.refs(), {.reason = static_cast<SkipReason>(1 + below(8)), .occurrences = occurrences});
        any_book().record_skip(stored(id), occurrences);
    }

    void pass() {
        const std::size_t how = below(100);
        const std::size_t most = how < 60 ? 100'000'000 : how < 90 ? 120'000'000'000 : 10'000'000'000'000;
        clock.advance(std::chrono::microseconds{below(most) / 1000});
        if (below(300) == 0) { clock.advance(std::chrono::hours{below(60)}); }
    }

    void clear() {
        // A log counts the delay of what waited during a clear among the others, a book with its handler.
        for (std::size_t i = 0; i < in_flight.size(); ++i) { begin(); }
        core->clear();
        table.clear();
        for (const auto& one : books) { one->clear(clock.now()); }
    }

    void write() {
        for (const auto& one : books) {
            const auto rows = one->changed();
            if (below(4) == 0) { continue; } // the store is away
            table.write(rows);
            one->written();
        }
    }

    void write_all() {
        for (const auto& one : books) {
            table.write(one->changed());
            one->written();
            REQUIRE(one->changed().empty());
        }
    }

    void restart() {
        write_all();
        table.fold();
        for (std::size_t i = 0; i < books.size(); ++i) { books[i] = book(i); }
    }

    [[nodiscard]] StatsSnapshot snapshot() const { return detail::LogReader{*core}.stats(); }

    void compare() {
        write_all();
        const auto rows = table.rows();
        const auto folded = detail::folded(rows, "");
        const std::string expected = without_idle(snapshot());
        REQUIRE(difference(without_idle(detail::snapshot_of(rows, clock.now())), expected) == "");
        REQUIRE(difference(without_idle(detail::snapshot_of(folded, clock.now())), expected) == "");
        const auto trimmed = detail::folded(rows, "", options, clock.now());
        if (books.size() > 1) {
            REQUIRE(difference(without_idle(detail::snapshot_of(trimmed, clock.now())), expected) == "");
        }
        const auto from = clock.now() - std::chrono::minutes{below(12'000)};
        const auto to = from + std::chrono::minutes{below(12'000)};
        const std::string range = text(detail::LogReader{*core}.stats(from, to));
        REQUIRE(difference(text(detail::range_of(rows, from, to, clock.now())), range) == "");
        REQUIRE(difference(text(detail::range_of(folded, from, to, clock.now())), range) == "");
    }

    /// A log knows those that have only been handed over as well.
    static std::string without_idle(StatsSnapshot all) {
        const auto is_idle = [](const auto& counts) {
            return text(static_cast<const OutcomeCounts&>(counts)) == text(OutcomeCounts{});
        };
        std::erase_if(all.by_handler, [&](const auto& one) {
            return is_idle(one.second) && one.second.duration.count + one.second.drift.count == 0 &&
                   one.second.queue_delay.count == 0;
        });
        std::erase_if(all.by_job, [&](const auto& one) { return is_idle(one.second); });
        return text(all);
    }

    std::mt19937 random;
    ManualClock clock;
    LogOptions options;
    std::shared_ptr<detail::LogCore> core;
    std::vector<std::unique_ptr<CounterBook>> books;
    Table table;
    std::vector<Execution> in_flight;
};

StoredExecution ended(std::string_view job, JobStatus status, sys_time at, std::chrono::nanoseconds took) {
    StoredExecution execution;
    execution.job_id = execution.handler_id = job;
    execution.started_at = at - std::chrono::floor<std::chrono::microseconds>(took);
    execution.completed_at = at;
    execution.duration = took;
    execution.status = status;
    execution.is_final = true;
    return execution;
}

StoredCounters row(const std::vector<StoredCounters>& rows, CounterScope scope, std::string_view name) {
    for (const StoredCounters& one : rows) {
        if (one.scope == scope && one.name == name) { return one; }
    }
    FAIL("there is no such row: " << to_string(scope) << " \"" << name << '"');
    return {};
}

constexpr sys_time noon = std::chrono::sys_days{std::chrono::January / 2 / 2024} + 12h;

TEST_CASE("figures from the counters of two nodes are those that the log has in memory") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Both both{seed, {.max_running = 6}, 2};
    constexpr std::string_view jobs[] = {"a", "b", "", "other", "=", "\xFF%00", "d\xC3\xA4"};
    constexpr std::string_view handlers[] = {"", "h", "other"};
    for (int step = 0; step < 6000; ++step) {
        const auto job = jobs[both.below(7)];
        const auto handler = handlers[both.below(3)];
        switch (both.below(12)) {
        case 0:
        case 1:
        case 2: both.start(job, handler, JobStatus::running); break;
        case 3: both.start(job, handler, JobStatus::queued); break;
        case 4: both.begin(); break;
        case 5:
        case 6:
        case 7: both.finish(); break;
        case 8: both.skip(job, handler); break;
        case 9: both.write(); break;
        default: both.pass();
        }
        if (both.below(1500) == 0) { both.clear(); }
        if (both.below(700) == 0) { both.restart(); }
        if (both.below(400) == 0) { both.compare(); }
    }
    both.compare();
}

TEST_CASE("what has no place of its own counts with the rest, as in the log") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Both both{seed, {.max_running = 6, .max_tracked_handlers = 2, .max_tracked_jobs = 3}, 1};
    constexpr std::string_view jobs[] = {"a", "b", "", "other", "c", "d"};
    constexpr std::string_view handlers[] = {"g", "", "other", "h"};
    for (int step = 0; step < 3000; ++step) {
        const auto job = jobs[both.below(6)];
        const auto handler = handlers[both.below(4)];
        switch (both.below(7)) {
        case 0:
        case 1: both.start(job, handler, JobStatus::running); break;
        case 2:
        case 3: both.finish(); break;
        case 4: both.skip(job, handler); break;
        case 5: both.write(); break;
        default: both.pass();
        }
        if (both.below(1000) == 0) { both.clear(); }
        if (both.below(200) == 0) { both.compare(); }
    }
    both.compare();
}

TEST_CASE("rows that were not written stay changed, and only what changed is shown") {
    CounterBook book{"n", {}, noon};
    CHECK(book.changed().size() == 1); // since when it counts
    book.written();
    CHECK(book.changed().empty());
    book.record_end(ended("a", JobStatus::success, noon, 1ms));
    CHECK(row(book.changed(), CounterScope::job, "a").success == 1);
    CHECK(row(book.changed(), CounterScope::job, "a").success == 1);
    book.record_end(ended("a", JobStatus::error, noon, 1ms)); // after they were shown, before they were written
    book.written();
    const auto rows = book.changed();
    CHECK(row(rows, CounterScope::job, "a").success == 1);
    CHECK(row(rows, CounterScope::job, "a").error == 1);
    book.written();
    CHECK(book.changed().empty());
    book.record_end(ended("b", JobStatus::timeout, noon, 1ms));
    for (const StoredCounters& one : book.changed()) { CHECK((one.scope != CounterScope::job || one.name == "b")); }
}

TEST_CASE("a row tells statuses apart, and an error is an error alone") {
    CounterBook book{"n", {}, noon};
    for (const JobStatus status : {JobStatus::success, JobStatus::error, JobStatus::timeout, JobStatus::abandoned,
                                   JobStatus::cancelled, JobStatus::error}) {
        book.record_end(ended("a", status, noon, 3ms));
    }
    auto retried = ended("a", JobStatus::error, noon, 5ms);
    retried.is_final = false;
    retried.attempt_number = 2;
    book.record_end(retried);
    const auto all = row(book.changed(), CounterScope::handler, "a");
    CHECK(all.node == "n");
    CHECK(all.success == 1);
    CHECK(all.error == 2);
    CHECK(all.timeout == 1);
    CHECK(all.abandoned == 1);
    CHECK(all.cancelled == 1);
    CHECK(all.retries == 1);
    CHECK(all.requests_total == 6);
    CHECK(all.requests_failed == 4);
    CHECK(all.duration.count == 6);
    CHECK(all.duration.min == 3'000'000);
    CHECK(all.duration.max == 5'000'000);
    CHECK(all.duration.sum == 20'000'000.0);
    CHECK(all.duration.buckets == "230:5 243:1");
}

TEST_CASE("periods that are over leave the memory once they are written, and lose nothing when they come again") {
    CounterBook book{"n", {}, noon};
    Table table;
    const auto write = [&] {
        table.write(book.changed());
        book.written();
    };
    book.record_end(ended("a", JobStatus::success, noon, 1ms));
    for (int hour = 1; hour < 24 * 150; ++hour) {
        book.record_end(ended("a", JobStatus::success, noon + std::chrono::hours{hour}, 1ms));
        write();
        REQUIRE(book.size() < 700);
    }
    for (int i = 0; i < 3; ++i) { // the clock is set back
        book.record_end(ended("a", JobStatus::success, noon + std::chrono::seconds{i}, 1ms));
        write();
        book.record_end(ended("a", JobStatus::success, noon + std::chrono::hours{5000}, 1ms));
        write();
    }
    const auto all = detail::snapshot_of(table.rows(), noon + 1min);
    REQUIRE(all.timeline.minutes.size() == 1);
    CHECK(all.timeline.minutes[0].success_count == 4);
    REQUIRE(all.timeline.hours.size() == 1);
    CHECK(all.timeline.hours[0].success_count == 4);
    CHECK(all.lifetime_executions == 24 * 150 + 6);
}

TEST_CASE("a clear keeps the lifetime's counts and says since when it counts") {
    CounterBook book{"n", {}, noon};
    book.record_end(ended("a", JobStatus::success, noon, 1ms));
    book.clear(noon + 5s);
    const auto rows = book.changed();
    CHECK(rows.size() == 2);
    const auto all = detail::snapshot_of(rows, noon + 6s);
    CHECK(all.counted_since == noon + 5s);
    CHECK(all.total_executions == 0);
    CHECK(all.lifetime_executions == 1);
    CHECK(all.by_job.empty());
}

TEST_CASE("no rows are figures of nothing") {
    const auto all = detail::snapshot_of({}, noon);
    CHECK(all.total_executions == 0);
    CHECK(all.success_rate == 100.0);
    CHECK(all.skips_by_reason.size() == 8);
    CHECK(all.counted_since == noon);
    CHECK(detail::range_of({}, noon - 1h, noon, noon).total_executions == 0);
    CHECK(detail::folded({}, "").empty());
}

TEST_CASE("any name stays itself and apart from the rest") {
    for (const std::string name : {"", "=", "==", "a", "a%20", "=%", "\xFF", "d\xC3\xA4"}) {
        CAPTURE(name);
        const std::string stored = detail::stored_name({.name = name});
        CHECK_FALSE(stored.empty());
        CHECK(stored.find('\xFF') == std::string::npos);
        CHECK(detail::group_name(stored) == name);
    }
    const std::string zero("a\0%b", 4);
    CHECK(detail::stored_name({.name = zero}) == "=a%00%25b");
    CHECK(detail::group_name("=a%00%25b") == zero);
    CHECK(detail::stored_name({.is_rest = true}).empty());
    CHECK(detail::group_name("=a%") ==
          std::string("a\0", 2)); // nobody writes that, but it must not be read past its end
}

TEST_CASE("a distribution that is none is refused, whatever it holds") {
    const auto is_refused = [](std::uint64_t count, std::int64_t min, std::int64_t max, std::string buckets) {
        StoredCounters one{.scope = CounterScope::all};
        one.duration = {.count = count, .sum = 1.0, .min = min, .max = max, .buckets = std::move(buckets)};
        try {
            static_cast<void>(detail::snapshot_of(std::vector{one}, noon));
            return false;
        } catch (const StoreError& error) { return error.failure() == StoreFailure::refused; }
    };
    CHECK_FALSE(is_refused(2, 1, 17, "0:1 1:1"));
    CHECK_FALSE(is_refused(0, 1, 17, "whatever"));
    for (const char* buckets : {"", "0:1", "0:1 1:2", "1:1 0:1", "0:1 700:1", "0:1 1:1 ", "0:1  1:1", "0:1 1",
                                "0:1 1:", "0:1 1:-1", "0:0 1:2", "0:2 1:0", "0:1 1:1x", "x", "0:1,1:1", "0:1 99999 1:1",
                                "0:18446744073709551616 1:1", "0:1 99999:1 1:1"}) {
        CAPTURE(buckets);
        CHECK(is_refused(2, 1, 17, buckets));
    }
    CHECK(is_refused(2, 17, 1, "0:1 1:1"));
    CHECK(is_refused(2, -1, 17, "0:1 1:1"));
    CHECK(is_refused(2, 1, 1000, "0:1 1:1"));
}

TEST_CASE("a fold keeps the names that count most, and puts the others with the rest") {
    CounterBook book{"n", {}, noon};
    for (int i = 0; i < 3; ++i) { book.record_end(ended("much", JobStatus::success, noon, 1ms)); }
    book.record_end(ended("little", JobStatus::error, noon, 1ms));
    book.record_end(ended("middle", JobStatus::success, noon, 1ms));
    book.record_end(ended("middle", JobStatus::success, noon - std::chrono::days{9}, 1ms));
    const LogOptions options{.max_tracked_handlers = 2, .max_tracked_jobs = 1};
    const auto rows = detail::folded(book.changed(), "", options, noon);
    const auto all = detail::snapshot_of(rows, noon);
    CHECK(all.total_executions == 6);
    CHECK(all.by_handler.size() == 3);
    CHECK(all.rest_of_handlers == "other");
    CHECK(all.by_handler.at("other").error_count == 1);
    CHECK(all.by_job.at("other").total_executions == 3);
    CHECK(all.by_model.size() == 3);
    const auto range = detail::range_of(rows, noon - 1h, noon + 1min, noon);
    CHECK(range.by_handler.at("other").error_count == 1);
    for (const StoredCounters& one : rows) {
        CHECK(one.node.empty());
        CHECK_FALSE(detail::is_outdated(one, noon));
    }
}

} // namespace stored_stats_test
