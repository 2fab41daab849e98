// SPDX-License-Identifier: MIT
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/parts_reader.hpp>
#include <daybook/detail/pinned_names.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/time/manual_clock.hpp>

#include "log/reference_log.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

constexpr JobStatus statuses[] = {JobStatus::queued,  JobStatus::running,   JobStatus::success,   JobStatus::error,
                                  JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned, JobStatus::skipped};

/// The log and its reference, told the same.
struct Both {
    explicit Both(std::uint32_t seed) : random{seed}, options{options_for()} {}

    std::size_t below(std::size_t bound) { return random() % bound; }

    LogOptions options_for() {
        LogOptions some;
        some.capacity = 1 + below(below(3) == 0 ? 4 : 40);
        if (below(2) == 0) { some.error_capacity = below(some.capacity); }
        if (below(2) == 0) { some.skip_capacity = 1 + below(some.capacity); }
        some.max_running = 1 + below(below(2) == 0 ? 3 : 12);
        some.max_tracked_handlers = below(4);
        some.max_tracked_jobs = below(5);
        some.clock = clock;
        return some;
    }

    std::string job() { return "job " + std::to_string(below(4)); }
    std::string handler(const std::string& of) { return below(3) == 0 ? of : "handler " + std::to_string(below(2)); }
    SkipReason reason() { return below(2) == 0 ? SkipReason::overlap : SkipReason::paused; }
    std::chrono::nanoseconds steady() const { return clock.steady_now().time_since_epoch(); }

    /// Mostly the newest, so that some of the others run for very long.
    Execution any_handle() {
        if (handles.empty()) { return {}; }
        const std::size_t back =
            below(4) == 0 ? below(handles.size()) : below(std::min<std::size_t>(3, handles.size()));
        return handles[handles.size() - 1 - back];
    }

    void start() {
        const std::string name = job();
        const std::string of = handler(name);
        const JobStatus status = below(2) == 0 ? JobStatus::queued : JobStatus::running;
        const auto attempt = static_cast<std::uint32_t>(1 + below(2));
        const std::string method = below(3) == 0 ? "n" : "m";
        std::optional<sys_time> due;
        if (below(2) == 0) { due = clock.now() - std::chrono::microseconds{below(4) * 500} + 500us; }
        const auto run =
            core->start(detail::HashedNames{name, of, method},
                        {.job_id = name, .handler_id = of, .attempt_number = attempt, .scheduled_at = due}, status);
        REQUIRE(run.id == reference.start(name, of, status, attempt, clock.now(), steady(), method, due));
        if (below(3) == 0) {
            const std::string key = below(2) == 0 ? "model" : "batch";
            const std::string value = std::to_string(below(2));
            core->update(run, [&](detail::ExecutionSlot& slot) {
                slot.extras = std::make_unique<detail::ExecutionExtras>();
                slot.extras->metadata = {{key, value}};
            });
            reference.describe(run.id, key, value);
        }
        handles.push_back(run);
        if (handles.size() > 60) { handles.erase(handles.begin() + static_cast<std::ptrdiff_t>(10 + below(40))); }
    }

    void finish() {
        constexpr JobStatus ends[] = {JobStatus::success, JobStatus::success, JobStatus::error, JobStatus::timeout,
                                      JobStatus::cancelled};
        const JobStatus status = ends[below(5)];
        const Finality finality = below(4) == 0 ? Finality::retry_follows : Finality::final_attempt;
        const auto run = any_handle();
        constexpr const char* words[] = {"", "Timed out", "42 rows", "out of rows"};
        const std::string said = words[below(4)];
        const bool is_result = status == JobStatus::success;
        REQUIRE(
            core->finish(run, status, said.empty() || !is_result ? detail::Ref<detail::RefCounted>{} : block(said),
                         said.empty() || is_result ? detail::Ref<detail::TextBlock>{} : detail::make_text(said, 100),
                         finality) == reference.finish(run.id, status, finality, steady(), said));
    }

    static detail::Ref<detail::RefCounted> block(std::string result) {
        return detail::make_result_block(std::move(result), 100);
    }

    void skip() {
        const std::string name = job();
        const std::string of = handler(name);
        const SkipReason why = reason();
        const std::uint64_t occurrences = 1 + below(3);
        const detail::PinnedNames names{core, detail::HashedNames{name, of, {}}};
        REQUIRE(core->skip(names.refs(), {.reason = why, .occurrences = occurrences}) ==
                reference.skip(name, of, why, occurrences, clock.now()));
    }

    void step() {
        switch (below(12)) {
        case 0:
        case 1:
        case 2: return start();
        case 3: {
            const auto run = any_handle();
            REQUIRE(core->begin(run, {}, core->options().clock.read()) ==
                    reference.begin(run.id, clock.now(), steady()));
            return;
        }
        case 4:
        case 5:
        case 6:
        case 7: return finish();
        case 8: return skip();
        case 9: {
            const auto run = any_handle();
            const SkipReason why = reason();
            REQUIRE(core->skip_queued(run, why) == reference.skip_queued(run.id, why, clock.now()));
            return;
        }
        case 10:
            if (below(3) == 0) { return clock.step(std::chrono::seconds{static_cast<int>(below(7200)) - 3600}); }
            return clock.advance(std::chrono::nanoseconds{below(5'000'000)});
        default:
            if (below(40) == 0) { REQUIRE(core->clear() == reference.clear()); }
        }
    }

    [[nodiscard]] detail::PartsReader reader() const { return detail::PartsReader{*core}; }

    /// Begins anew, with what `options` says by now.
    void remake() {
        core = std::make_shared<detail::LogCore>(options);
        reference = ReferenceLog{options};
        handles.clear();
    }

    /// Any of `queries`, mostly with more to it.
    ExecutionQuery any_query(const std::vector<ExecutionQuery>& queries) {
        ExecutionQuery query = queries[below(queries.size())];
        if (below(3) == 0) { return query; }
        if (below(4) == 0) { query.job_id.clear(); }
        if (below(3) == 0) { query.handler_id.clear(); }
        if (below(5) == 0) { query.method_name = below(2) == 0 ? "n" : "m"; }
        if (below(4) == 0) { query.status = {statuses[below(8)], statuses[below(8)], statuses[below(8)]}; }
        if (below(5) == 0) { query.text = below(2) == 0 ? "OUT" : "rows"; }
        if (below(6) == 0) { query.attempt_number = 1 + static_cast<std::uint32_t>(below(2)); }
        if (below(6) == 0) { query.finality = below(3) == 0 ? Finality::retry_follows : Finality::final_attempt; }
        if (below(6) == 0) { query.min_duration = std::chrono::nanoseconds{below(20'000'000)}; }
        if (below(6) == 0) { query.max_duration = std::chrono::nanoseconds{below(20'000'000)}; }
        if (below(6) == 0) { query.metadata_key = below(2) == 0 ? "model" : "batch"; }
        if (!query.metadata_key.empty() && below(2) == 0) { query.metadata_value = std::to_string(below(2)); }
        if (below(3) == 0) { query.sort = static_cast<SortBy>(below(6)); }
        const auto everything = reference.list({.skips = Skips::include});
        const auto some_time = [&] {
            return ReferenceLog::began_at(everything[below(everything.size())]) + std::chrono::microseconds{below(3)};
        };
        if (!everything.empty() && below(2) == 0) { query.started_from = some_time(); }
        if (!everything.empty() && below(2) == 0) { query.started_to = some_time(); }
        return query;
    }

    std::mt19937 random;
    ManualClock clock;
    LogOptions options;
    std::shared_ptr<detail::LogCore> core = std::make_shared<detail::LogCore>(options);
    ReferenceLog reference{options};
    std::vector<Execution> handles;
};

bool is_same(const JobExecutionRecord<std::string>& found, const ReferenceRecord& expected) {
    return found.error.value_or("") == expected.error.value_or("") && found.result.value_or("") == expected.result &&
           found.id == expected.id && found.occurrence_id == expected.occurrence_id &&
           found.job_id == expected.job_id && found.handler_id == expected.handler_id &&
           found.status == expected.status && found.reason == expected.reason &&
           found.skip_count == expected.skip_count && found.queued_at == expected.queued_at &&
           found.started_at == expected.started_at && found.completed_at == expected.completed_at &&
           found.duration == expected.duration && found.scheduled_at == expected.scheduled_at &&
           found.method_name == expected.method_name && found.metadata == expected.metadata &&
           found.is_final == expected.is_final && found.attempt_number == expected.attempt_number;
}

std::string text(const ExecutionQuery& query) {
    std::string all = "job '" + query.job_id + "', handler '" + query.handler_id + "', method '" + query.method_name +
                      "', text '" + query.text + "', metadata '" + query.metadata_key + "', skips " +
                      (query.skips == Skips::include ? "in" : "out") + ", sort " +
                      std::to_string(static_cast<int>(query.sort)) + ", statuses";
    for (const JobStatus status : statuses) {
        if (query.status.contains(status)) { all += ' ' + std::string{to_string(status)}; }
    }
    if (query.started_from) { all += ", from " + format_timestamp(*query.started_from); }
    if (query.started_to) { all += ", to " + format_timestamp(*query.started_to); }
    return all;
}

struct Asked : detail::PageFacts {
    std::vector<JobExecutionRecord<std::string>> records;
};

Asked ask(const detail::PartsReader& reader, const ExecutionQuery& query) {
    detail::RecordBuilder<std::string> records;
    auto facts = reader.query(query, records, detail::result_search<std::string>());
    return {std::move(facts), records.take()};
}

std::vector<ExecutionQuery> all_queries() {
    std::vector<ExecutionQuery> all;
    for (const char* job : {"", "job 0", "job 3", "nobody"}) {
        for (const char* handler : {"", "handler 0", "job 0", "nobody"}) {
            for (const Skips skips : {Skips::leave_out, Skips::include}) {
                all.push_back({.job_id = job, .handler_id = handler, .skips = skips});
            }
            for (const JobStatus status : statuses) {
                all.push_back({.job_id = job, .handler_id = handler, .status = status});
            }
        }
    }
    return all;
}

/// One page of it, and the whole by cursor.
void compare_list(const detail::PartsReader& reader, ExecutionQuery query, const std::vector<ReferenceRecord>& expected,
                  std::size_t page_size) {
    INFO(text(query));
    query.limit = 1000;
    const auto whole = ask(reader, query);
    REQUIRE(whole.complete);
    REQUIRE(whole.scanned >= whole.records.size());
    REQUIRE(whole.total.count == expected.size());
    REQUIRE(whole.total.is_exact);
    REQUIRE(whole.records.size() == expected.size());
    REQUIRE_FALSE(whole.has_more);
    bool agrees = true;
    for (std::size_t i = 0; i < expected.size(); ++i) { agrees = agrees && is_same(whole.records[i], expected[i]); }
    REQUIRE(agrees);

    query.limit = page_size;
    std::size_t at = 0;
    while (agrees) {
        const auto page = ask(reader, query);
        agrees =
            page.total.count == expected.size() && page.records.size() == std::min(page_size, expected.size() - at);
        for (std::size_t i = 0; agrees && i < page.records.size(); ++i) {
            agrees = page.records[i].id == expected[at++].id;
        }
        agrees = agrees && page.has_more == (at < expected.size());
        if (!page.has_more) { break; }
        query.cursor = page.next_cursor;
    }
    REQUIRE(agrees);
    REQUIRE(at == expected.size());
}

/// The whole by cursor, when no page may look at more than a few records.
void compare_bounded(const detail::PartsReader& reader, ExecutionQuery query,
                     const std::vector<ReferenceRecord>& expected, std::size_t page_size, std::size_t max_scanned) {
    INFO(text(query) << ", pages of " << page_size << ", at most " << max_scanned << " scanned");
    query.limit = page_size;
    query.max_scanned = max_scanned;
    std::size_t at = 0;
    bool agrees = true;
    for (bool is_last = false; agrees && !is_last;) {
        const auto page = ask(reader, query);
        agrees = page.scanned <= page_size + max_scanned && page.has_more == !page.next_cursor.empty() &&
                 page.total.count <= expected.size() && (!page.total.is_exact || page.total.count == expected.size()) &&
                 (page.complete ? page.records.size() == std::min(page_size, expected.size() - at) : page.has_more);
        for (std::size_t i = 0; agrees && i < page.records.size(); ++i) {
            agrees = page.records[i].id == expected[at++].id;
        }
        is_last = !page.has_more;
        query.cursor = page.next_cursor;
    }
    REQUIRE(agrees);
    REQUIRE(at == expected.size());
}

void compare_counts(const OutcomeCounts& found, const ReferenceCounts& expected) {
    REQUIRE(found.total_executions == expected.total_executions);
    REQUIRE(found.success_count == expected.success_count);
    REQUIRE(found.error_count == expected.error_count);
    REQUIRE(found.timeout_count == expected.timeout_count);
    REQUIRE(found.abandoned_count == expected.abandoned_count);
    REQUIRE(found.cancelled_count == expected.cancelled_count);
    REQUIRE(found.skipped_count == expected.skipped_count);
    REQUIRE(found.retry_count == expected.retry_count);
}

void compare_durations(const LatencySummary& found, std::vector<std::int64_t> expected) {
    REQUIRE(found.count == expected.size());
    if (expected.empty()) { return; }
    std::sort(expected.begin(), expected.end());
    const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) / 1e6; };
    REQUIRE(found.min_ms == ms(expected.front()));
    REQUIRE(found.max_ms == ms(expected.back()));
    const double mean =
        ms(std::accumulate(expected.begin(), expected.end(), std::int64_t{0})) / static_cast<double>(expected.size());
    REQUIRE(std::abs(found.average_ms - mean) <= 1e-9 * mean);
    const double p95 = ms(expected[(95 * expected.size() + 99) / 100 - 1]);
    REQUIRE(std::abs(found.p95_ms - p95) <= std::max(0.032 * p95, 8e-6));
}

void compare_stats(const Both& both) {
    const auto stats = both.reader().stats();
    const auto& reference = both.reference;
    compare_counts(stats, reference.overall);
    compare_durations(stats.duration, reference.overall.durations);
    REQUIRE(stats.lifetime_executions == reference.lifetime);
    REQUIRE(stats.retained == reference.finished.size());
    REQUIRE(stats.retained == both.core->retained());
    REQUIRE(stats.queued + stats.running == reference.in_flight.size());
    for (const JobStatus status : statuses) {
        const ExecutionQuery query{.status = status};
        REQUIRE(stats.by_status.find(to_string(status))->second == reference.list(query).size());
    }
    for (const auto& [name, counts] : reference.by_job) {
        const auto found = stats.by_job.find(name.empty() ? "other" : name);
        if (found != stats.by_job.end()) { compare_counts(found->second, counts); }
        REQUIRE((found != stats.by_job.end() || name.empty()));
    }
    for (const auto& [name, counts] : reference.by_handler) {
        const auto found = stats.by_handler.find(name.empty() ? "other" : name);
        REQUIRE((found != stats.by_handler.end() || name.empty()));
        if (found == stats.by_handler.end()) { continue; }
        compare_counts(found->second, counts);
        compare_durations(found->second.duration, counts.durations);
    }
    REQUIRE(stats.by_job.size() <= reference.by_job.size());
    REQUIRE(stats.by_handler.size() <= reference.by_handler.size());
}

/// How many of the lives of a log are tried: all, but under sanitizers, which look at each more closely, a third, and a
/// tenth where it is threads that they look at, which are none here; unless DAYBOOK_LONG_TESTS=1 is in the environment.
std::uint32_t lives(std::uint32_t all) {
#if defined(__SANITIZE_THREAD__)
    constexpr std::uint32_t part = 10;
#elif defined(__SANITIZE_ADDRESS__)
    constexpr std::uint32_t part = 3;
#elif defined(__has_feature)
    constexpr std::uint32_t part = __has_feature(thread_sanitizer) ? 10 : __has_feature(address_sanitizer) ? 3 : 1;
#else
    constexpr std::uint32_t part = 1;
#endif
    const char* wanted = std::getenv("DAYBOOK_LONG_TESTS"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (wanted != nullptr && std::string{wanted} == "1") { return all; }
    return (all + part - 1) / part;
}

void compare(Both& both, const std::vector<ExecutionQuery>& queries) {
    const auto everything = both.reference.list({.skips = Skips::include});
    compare_list(both.reader(), {.skips = Skips::include}, everything, 1 + both.below(5));
    for (int i = 0; i < 6; ++i) {
        const auto query = both.any_query(queries);
        const auto expected = both.reference.list(query);
        compare_list(both.reader(), query, expected, 1 + both.below(5));
        if (!detail::is_by_start(query.sort)) { continue; }
        compare_bounded(both.reader(), query, expected, 1 + both.below(5), 1 + both.below(8));
    }
    compare_stats(both);

    auto failures = both.reference.list({});
    std::erase_if(failures, [](const auto& record) { return !is_failure(record.status); });
    detail::RecordBuilder<std::string> builder;
    (void)both.reader().failures({.limit = 1000}, builder);
    const auto found = builder.take();
    bool agrees = found.size() == failures.size();
    for (std::size_t i = 0; agrees && i < failures.size(); ++i) { agrees = is_same(found[i], failures[i]); }
    REQUIRE(agrees);

    for (const auto& record : everything) {
        auto one = both.reader().find(record.id);
        agrees = agrees && one && is_same(detail::make_record<std::string>(std::move(*one)), record);
    }
    for (const Execution& handle : both.handles) {
        const bool is_there = std::any_of(everything.begin(), everything.end(),
                                          [&](const auto& record) { return record.id == handle.id; });
        agrees = agrees && both.reader().find(handle.id).has_value() == is_there;
    }
    REQUIRE(agrees);
}

} // namespace

TEST_CASE("the log agrees with a naive one whatever is done to both") {
    const auto queries = all_queries();
    for (std::uint32_t seed = 1; seed <= lives(300); ++seed) {
        INFO("seed " << seed);
        Both both{seed};
        for (int step = 1; step <= 1200; ++step) {
            both.step();
            if (step % 40 == 0) { compare(both, queries); }
        }
    }
}

TEST_CASE("the log agrees with a naive one after every single step") {
    const auto queries = all_queries();
    for (std::uint32_t seed = 1001; seed <= 1000 + lives(40); ++seed) {
        INFO("seed " << seed);
        Both both{seed};
        for (int step = 0; step < 200; ++step) {
            INFO("step " << step);
            both.step();
            compare(both, queries);
        }
    }
}

TEST_CASE("the log agrees with a naive one when thousands of records are in it") {
    const auto queries = all_queries();
    for (std::uint32_t seed = 4001; seed <= 4000 + lives(4); ++seed) {
        INFO("seed " << seed);
        Both both{seed};
        both.options = {.capacity = 3000 + both.below(3000), .max_running = 100, .clock = both.clock};
        both.remake();
        for (int step = 1; step <= 40'000; ++step) {
            both.step();
            if (step % 1000 != 0 && (step < 20'000 || step > 20'050)) { continue; }
            for (int i = 0; i < 8; ++i) {
                const auto query = both.any_query(queries);
                const auto expected = both.reference.list(query);
                if (expected.size() < 1000) { compare_list(both.reader(), query, expected, 100); }
                if (!detail::is_by_start(query.sort)) { continue; }
                compare_bounded(both.reader(), query, expected, 200 + both.below(5), 500);
            }
        }
    }
}

TEST_CASE("executions that thousands of others overtake are found in every list, in their order") {
    for (std::uint32_t seed = 2001; seed <= 2000 + lives(10); ++seed) {
        INFO("seed " << seed);
        Both both{seed};
        both.options = {.capacity = 3, .error_capacity = 2, .max_running = 12, .clock = both.clock};
        both.core = std::make_shared<detail::LogCore>(both.options);
        const detail::PartsReader reader{*both.core};
        ReferenceLog reference{both.options};
        const auto start = [&](const std::string& job, JobStatus status) {
            const auto run = both.core->start(detail::HashedNames{job, {}, {}}, {.job_id = job}, status);
            REQUIRE(run.id == reference.start(job, job, status, 1, both.clock.now(), both.steady(), ""));
            return run;
        };
        const auto finish = [&](const Execution& run, JobStatus status) {
            both.core->finish(run, status, {}, {}, Finality::final_attempt);
            reference.finish(run.id, status, Finality::final_attempt, both.steady());
        };
        const auto compare_all = [&] {
            for (const auto& query : all_queries()) {
                if (both.below(4) == 0) { compare_list(reader, query, reference.list(query), 2); }
            }
        };
        std::vector<Execution> slow;
        for (std::size_t i = 0; i < 8; ++i) {
            slow.push_back(start("job " + std::to_string(both.below(2)),
                                 both.below(3) == 0 ? JobStatus::queued : JobStatus::running));
        }
        for (int i = 0; i < 2; ++i) { finish(start("job 0", JobStatus::running), JobStatus::error); }
        while (!slow.empty()) {
            for (std::size_t i = 0, n = 1000 + both.below(200); i < n; ++i) {
                finish(start("job 3", JobStatus::running), JobStatus::success);
            }
            compare_all();
            // One of them moves to the front or ends, from wherever it stands.
            const auto chosen = slow.begin() + static_cast<std::ptrdiff_t>(both.below(slow.size()));
            if (both.core->begin(*chosen, {}, both.core->options().clock.read())) {
                reference.begin(chosen->id, both.clock.now(), both.steady());
            } else {
                finish(*chosen, both.below(2) == 0 ? JobStatus::timeout : JobStatus::success);
                slow.erase(chosen);
            }
            compare_all();
        }
    }
}

TEST_CASE("paging by cursor while records come and go shows every record that stays, once and in order") {
    const auto queries = all_queries();
    for (std::uint32_t seed = 3001; seed <= 3000 + lives(200); ++seed) {
        INFO("seed " << seed);
        Both both{seed};
        for (int step = 0; step < 300; ++step) { both.step(); }
        for (int round = 0; round < 20; ++round) {
            ExecutionQuery query = both.any_query(queries);
            INFO(text(query));
            query.limit = 1 + both.below(3);
            auto staying = both.reference.list(query);
            std::set<ExecutionId> seen;
            bool is_once = true;
            while (true) {
                const auto page = ask(both.reader(), query);
                for (const auto& record : page.records) { is_once = is_once && seen.insert(record.id).second; }
                if (!page.has_more) { break; }
                query.cursor = page.next_cursor;
                for (std::size_t step = 0, n = both.below(6); step < n; ++step) { both.step(); }
                // Of those that were there when the walk began, keep the ones that still match at the same place.
                const auto now = both.reference.list(query);
                std::erase_if(staying, [&](const auto& record) {
                    return std::none_of(now.begin(), now.end(), [&](const auto& other) {
                        return other.id == record.id && other.place == record.place;
                    });
                });
            }
            for (const auto& record : staying) { is_once = is_once && seen.contains(record.id); }
            REQUIRE(is_once);
        }
    }
}
