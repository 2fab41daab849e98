// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/log/execution_export.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/testing/memory_store.hpp>
#include <daybook/time/manual_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::ExecutionQuery;
using daybook::JobExecutionLog;
using daybook::JobStatus;
using daybook::LogOptions;
using daybook::StoreFailure;
using daybook::Totals;
using daybook::testing::MemoryStore;

constexpr std::chrono::seconds ample{60}; // nothing is expected to take so long

/// What `on_error` was told, to be waited for.
class Told {
public:
    [[nodiscard]] auto listener() {
        return [this](const std::string& error) {
            const std::scoped_lock lock{mutex_};
            errors_.push_back(error);
            changed_.notify_all();
        };
    }
    [[nodiscard]] std::vector<std::string> wait_for(std::size_t count) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, ample, [&] { return errors_.size() >= count; });
        return errors_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> errors_;
};

LogOptions options_with(const MemoryStore& store) {
    LogOptions options{.store = store};
    options.storing.first_retry = 1ms;
    options.storing.longest_retry = 1ms;
    return options;
}

/// What is kept, as one sees who opens nothing.
std::vector<daybook::StoredExecution> kept(MemoryStore store) {
    const daybook::StoreQuery all{.status = {JobStatus::queued, JobStatus::running, JobStatus::success,
                                             JobStatus::error, JobStatus::timeout, JobStatus::cancelled,
                                             JobStatus::abandoned, JobStatus::skipped},
                                  .limit = 1'000'000};
    return store.read(all, std::chrono::steady_clock::now() + ample).executions;
}

void record(JobExecutionLog<>& log, const std::string& job, const std::string& result = "done") {
    log.record_success(log.record_start(job), result);
}

/// Another store, and what happens before it is asked.
class Watched {
public:
    using BeforeWrite = std::function<void(const daybook::StoreBatch&)>;
    Watched(const MemoryStore& store, BeforeWrite before_write, std::function<void()> before_prune)
        : store_{store}, before_write_{std::move(before_write)}, before_prune_{std::move(before_prune)} {}
    void open(const daybook::StoreOpening& o, daybook::StoreDeadline d) { store_.open(o, d); }
    void close() noexcept { store_.close(); }
    void write(const daybook::StoreBatch& batch, daybook::StoreDeadline d) {
        if (before_write_) { before_write_(batch); }
        store_.write(batch, d);
    }
    auto read(const daybook::StoreQuery& q, daybook::StoreDeadline d) { return store_.read(q, d); }
    auto count(const daybook::StoreQuery& q, std::uint64_t n, daybook::StoreDeadline d) {
        return store_.count(q, n, d);
    }
    auto find(daybook::ExecutionId id, daybook::StoreDeadline d) { return store_.find(id, d); }
    auto unfinished(daybook::StoreDeadline d) { return store_.unfinished(d); }
    auto counters(daybook::StoreDeadline d) { return store_.counters(d); }
    void fold_counters(std::span<const daybook::StoredCounters> r, daybook::StoreDeadline d) {
        store_.fold_counters(r, d);
    }
    auto retained(daybook::StoreDeadline d) { return store_.retained(d); }
    auto clear(daybook::StoreDeadline d) { return store_.clear(d); }
    auto prune(const daybook::StoreRetention& r, daybook::StoreDeadline d) {
        if (before_prune_) { before_prune_(); }
        return store_.prune(r, d);
    }
    auto jobs(daybook::StoreDeadline d) { return store_.jobs(d); }
    void save(const daybook::StoredJob& j, daybook::StoreDeadline d) { store_.save(j, d); }
    auto erase(std::string_view id, daybook::StoreDeadline d) { return store_.erase(id, d); }

private:
    MemoryStore store_;
    BeforeWrite before_write_;
    std::function<void()> before_prune_;
};

void refuse_poison(const daybook::StoreBatch& batch) {
    std::set<daybook::ExecutionId> ids;
    for (const auto& one : batch.executions) {
        if (one.job_id == "poison") { throw daybook::StoreError{StoreFailure::refused, "not this one"}; }
        if (!ids.insert(one.id).second) { throw daybook::StoreError{StoreFailure::refused, "an id came twice"}; }
    }
}

} // namespace

TEST_CASE("what a log has recorded is there when the program starts again", "[store]") {
    const MemoryStore store;
    {
        JobExecutionLog<> log{options_with(store)};
        record(log, "nightly", "tidy \"quotes\"\n\xC3\xA9");
        log.record_error(log.record_start("nightly"), "no");
    }
    const JobExecutionLog<> log{options_with(store)};
    const auto page = log.query({.job_id = "nightly"});
    REQUIRE(page.records.size() == 2);
    CHECK(page.complete);
    CHECK(page.total.count == 2);
    CHECK(page.records[0].error == "no");
    CHECK(page.records[1].result == "tidy \"quotes\"\n\xC3\xA9");
    CHECK(log.stats().total_executions == 2);
    CHECK(log.find(page.records[0].id)->error == "no");
    CHECK(log.errors().records.size() == 1);
}

TEST_CASE("ids of a program that starts again are larger than those before", "[store]") {
    const MemoryStore store;
    daybook::ManualClock clock;
    daybook::ExecutionId before = 0;
    for (int start = 0; start < 3; ++start) {
        LogOptions options = options_with(store);
        options.clock = clock; // it stands still
        JobExecutionLog<> log{options};
        const auto execution = log.record_start("job");
        CHECK(execution.id > before);
        CHECK(execution.id < (std::uint64_t{1} << 53U));
        before = execution.id;
        log.record_success(execution);
    }
    CHECK(kept(store).size() == 3);
}

TEST_CASE("what an earlier program left running is abandoned by a log of its own", "[store]") {
    const MemoryStore store;
    {
        JobExecutionLog<> log{options_with(store)};
        (void)log.record_start("cut short");
    }
    JobExecutionLog<> log{options_with(store)};
    const auto page = log.query();
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].status == JobStatus::abandoned);
    CHECK(page.records[0].is_final);
    CHECK(log.stats().abandoned_count == 1);
    CHECK(log.stats().running == 0);
}

TEST_CASE("a page of the store follows its cursor to the end, each record once", "[store]") {
    const MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    for (int i = 0; i < 95; ++i) { record(log, "job"); }
    for (const auto sort : {daybook::SortBy::newest, daybook::SortBy::oldest, daybook::SortBy::longest}) {
        std::set<daybook::ExecutionId> seen;
        ExecutionQuery query{.sort = sort, .limit = 10, .totals = Totals::leave_out};
        std::size_t pages = 0;
        do {
            const auto page = log.query(query);
            for (const auto& one : page.records) { CHECK(seen.insert(one.id).second); }
            CHECK(page.has_more == !page.next_cursor.empty());
            query.cursor = page.next_cursor;
            REQUIRE(++pages < 100);
        } while (!query.cursor.empty());
        CHECK(seen.size() == 95);
    }
}

TEST_CASE("a cursor of another order, or no cursor at all, is refused", "[store]") {
    const MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    for (int i = 0; i < 3; ++i) { record(log, "job"); }
    const std::string cursor = log.query({.limit = 1}).next_cursor;
    REQUIRE_FALSE(cursor.empty());
    CHECK_THROWS_AS(log.query({.sort = daybook::SortBy::longest, .cursor = cursor}), std::invalid_argument);
    for (const char* wrong : {"S", "S0", "S0.", "S0.1", "S0.1.", "S0.1.x", "S0.1.2 ", "S99.1.2", "nonsense"}) {
        CHECK_THROWS_AS(log.query({.cursor = wrong}), std::invalid_argument);
    }
}

TEST_CASE("while the store is away jobs are recorded, and written when it is back", "[store]") {
    MemoryStore store;
    Told told;
    LogOptions options = options_with(store);
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    store.fail_next(StoreFailure::unavailable, 1'000'000);
    for (int i = 0; i < 50; ++i) { record(log, "job"); }
    CHECK(told.wait_for(1).front().find("unavailable") != std::string::npos);
    CHECK_FALSE(log.flush(ample));
    const auto away = log.store_health();
    REQUIRE(away);
    CHECK_FALSE(away->is_available);
    CHECK(away->failing_since.has_value());
    CHECK(away->waiting >= 50); // one more where a record was taken in hand before it ended
    const auto page = log.query();
    CHECK(page.records.size() == 50); // from memory,
    CHECK_FALSE(page.complete);       // and it says so

    store.recover();
    CHECK(told.wait_for(2).back().empty());
    CHECK(log.flush(ample));
    CHECK(kept(store).size() == 50);
    CHECK(log.store_health()->is_available);
    CHECK(log.store_health()->error.empty());
    CHECK(log.query().complete);
}

TEST_CASE("a cursor of the store is refused as unavailable while it is away, and good again afterwards", "[store]") {
    MemoryStore store;
    Told told;
    LogOptions options = options_with(store);
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    for (int i = 0; i < 4; ++i) { record(log, "job"); }
    const std::string cursor = log.query({.limit = 2}).next_cursor;
    store.fail_next(StoreFailure::unavailable, 1'000'000);
    record(log, "job");
    (void)told.wait_for(1);
    CHECK_THROWS_AS(log.query({.cursor = cursor}), daybook::StoreError);
    const std::string own = log.query({.limit = 2}).next_cursor; // of what is in memory
    CHECK(log.query({.limit = 2, .cursor = own}).records.size() == 2);
    store.recover();
    (void)told.wait_for(2);
    CHECK(log.query({.cursor = cursor}).records.size() == 2);
    CHECK(log.query({.limit = 2, .cursor = own}).records.size() == 2); // it goes on where it began
}

TEST_CASE("what the log evicts before it is written is kept for the store, up to a bound", "[store]") {
    MemoryStore store;
    Told told;
    LogOptions options = options_with(store);
    options.capacity = 10;
    options.error_capacity = 0;
    options.storing.max_buffered = 100;
    options.storing.batch = 1;
    options.storing.on_error = told.listener();
    std::uint64_t lost = 0;
    {
        JobExecutionLog<> log{options};
        REQUIRE(log.flush(ample));
        store.fail_next(StoreFailure::unavailable, 1'000'000);
        record(log, "first");
        (void)told.wait_for(1); // it has that one in hand
        for (int i = 0; i < 200; ++i) { record(log, "job"); }
        lost = log.store_health()->lost;
        CHECK(log.store_health()->waiting == 1 + 10 + 100); // the one in hand, in the log, evicted
        store.recover();
        (void)told.wait_for(2);
        CHECK(log.flush(ample));
        CHECK(log.store_health()->lost == lost);
    }
    // The end of the first one may be among the lost: it was in hand as it began, or as it ended.
    CHECK((lost == 200 - 10 - 100 || lost == 201 - 10 - 100));
    CHECK(kept(store).size() == 1 + 10 + 100);
}

TEST_CASE("a write in doubt is written again, and counts once", "[store]") {
    MemoryStore store;
    Told told;
    LogOptions options = options_with(store);
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    store.doubt_next(3);
    for (int i = 0; i < 20; ++i) { record(log, "job"); }
    (void)told.wait_for(2);
    CHECK(log.flush(ample));
    CHECK(kept(store).size() == 20);
    CHECK(log.stats().total_executions == 20);
    CHECK(log.stats().lifetime_executions == 20);
}

TEST_CASE("a record that the store refuses is lost alone, and told", "[store]") {
    const MemoryStore store;
    Told told;
    LogOptions options{.store = Watched{store, refuse_poison, {}}};
    options.storing.flush_interval = 1h; // all in one batch, as a rule
    options.storing.first_retry = 1ms;
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    record(log, "good");
    REQUIRE(log.flush(ample));
    for (const char* job : {"good", "poison", "good", "poison"}) { record(log, job); }
    // Where one came to be a batch by itself, the store is taken to fail, until others are refused beside it.
    while (!log.flush(ample)) { std::this_thread::sleep_for(1ms); }
    CHECK(kept(store).size() == 3);
    CHECK(log.store_health()->lost >= 2); // one more where it was seen running
    CHECK(told.wait_for(1).front().find("not this one") != std::string::npos);
}

TEST_CASE("clear empties the store but for what is under way and the lifetime's counts", "[store]") {
    const MemoryStore store;
    LogOptions options = options_with(store);
    JobExecutionLog<> log{options};
    for (int i = 0; i < 5; ++i) { record(log, "job"); }
    const auto running = log.record_start("running");
    REQUIRE(log.flush(ample));
    record(log, "not written yet, perhaps");
    (void)log.clear();
    CHECK(log.query().records.size() == 1);
    CHECK(log.stats().total_executions == 0);
    CHECK(log.stats().lifetime_executions >= 5);
    log.record_success(running);
    CHECK(log.query({.job_id = "running"}).records.front().status == JobStatus::success);
    CHECK(log.stats().total_executions == 1);
}

TEST_CASE("clear fails as a whole while the store is away", "[store]") {
    MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    record(log, "job");
    REQUIRE(log.flush(ample));
    store.fail_next(StoreFailure::unavailable);
    CHECK_THROWS_AS(log.clear(), daybook::StoreError);
    CHECK(log.query().records.size() == 1);
    CHECK(log.stats().total_executions == 1);
}

TEST_CASE("a running execution shows how far it is, though it was written before", "[store]") {
    const MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    const auto execution = log.record_start("import");
    REQUIRE(log.flush(ample));
    log.record_processed(execution, 17);
    const auto page = log.query();
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].records_processed == 17U);
    CHECK_FALSE(page.records[0].node.empty());
}

TEST_CASE("consecutive skips are one record in the store, with the whole count", "[store]") {
    const MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    for (int i = 0; i < 5; ++i) {
        log.record_skip("job", daybook::SkipReason::overlap, daybook::sys_time{std::chrono::seconds{i}}, 2);
        REQUIRE(log.flush(ample));
    }
    const auto rows = kept(store);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].skip_count == 10);
    CHECK(log.stats().skipped_count == 10);
    CHECK(log.stats().skips_by_reason.at("overlap") == 10);
}

TEST_CASE("a flush from the error hook does not wait for itself", "[store]") {
    MemoryStore store;
    std::optional<JobExecutionLog<>> log;
    std::atomic<int> answers{0};
    Told told;
    LogOptions options = options_with(store);
    options.storing.on_error = [&, tell = told.listener()](const std::string& error) {
        if (!log->flush(ample)) { ++answers; }
        tell(error);
    };
    log.emplace(options);
    store.fail_next(StoreFailure::full);
    record(*log, "job");
    (void)told.wait_for(2);
    CHECK(answers == 2);
    log.reset();
}

TEST_CASE("a hook that throws disturbs nothing", "[store]") {
    MemoryStore store;
    LogOptions options = options_with(store);
    options.storing.on_error = [](const std::string&) { throw std::runtime_error{"no"}; };
    {
        JobExecutionLog<> log{std::move(options)};
        store.fail_next(StoreFailure::busy, 2);
        record(log, "job");
    }
    CHECK(kept(store).size() == 1);
}

TEST_CASE("a log that cannot open its store says so where it is made", "[store]") {
    MemoryStore store;
    const JobExecutionLog<> owner{options_with(store)};
    try {
        const JobExecutionLog<> second{options_with(store)};
        FAIL("two logs on one store");
    } catch (const daybook::StoreError& error) { CHECK(error.failure() == StoreFailure::busy); }
}

TEST_CASE("a store is free again when its log is gone", "[store]") {
    const MemoryStore store;
    const LogOptions options = options_with(store); // goes on holding it
    for (int start = 0; start < 2; ++start) {
        JobExecutionLog<> log{options};
        record(log, "job");
    }
    CHECK(kept(store).size() == 2);
    const JobExecutionLog<> another{options_with(store)};
    CHECK(another.query().records.size() == 2);
}

TEST_CASE("records older than the limit leave the store", "[store]") {
    const MemoryStore store;
    daybook::ManualClock clock;
    const auto options = [&] {
        LogOptions aging = options_with(store);
        aging.clock = clock;
        aging.storing.max_age = 24h;
        return aging;
    };
    {
        JobExecutionLog<> log{options()};
        record(log, "old");
    }
    clock.advance(25h);
    JobExecutionLog<> log{options()};
    record(log, "new");
    REQUIRE(log.flush(ample));
    record(log, "newer");
    REQUIRE(log.flush(ample));
    const auto rows = kept(store);
    CHECK(std::none_of(rows.begin(), rows.end(), [](const auto& row) { return row.job_id == "old"; }));
}

TEST_CASE("a result of a type of its own comes back where its codec can read it", "[store]") {
    const MemoryStore store;
    {
        JobExecutionLog<double> log{options_with(store)};
        log.record_success(log.record_start("pi"), 3.25);
    }
    const JobExecutionLog<double> log{options_with(store)};
    CHECK(log.query().records.at(0).result == 3.25);
}

TEST_CASE("many threads record, ask and clear, and the store ends with what the log says", "[store]") {
    const MemoryStore store;
    LogOptions options = options_with(store);
    options.capacity = 50;
    options.storing.flush_interval = 1ms;
    options.storing.batch = 10;
    std::uint64_t recorded = 0;
    {
        JobExecutionLog<> log{options};
        std::vector<std::thread> threads;
        constexpr int each = 400;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&log, t] {
                for (int i = 0; i < each; ++i) { record(log, "job" + std::to_string(t)); }
            });
        }
        threads.emplace_back([&log] {
            for (int i = 0; i < 40; ++i) {
                (void)log.query({.limit = 5});
                (void)log.stats();
            }
        });
        for (auto& thread : threads) { thread.join(); }
        recorded = 4 * each;
        CHECK(log.flush(ample));
        CHECK(log.stats().total_executions == recorded);
    }
    CHECK(kept(store).size() == recorded);
}

TEST_CASE("a record that is refused alone is given up once another shows whose fault it is", "[store]") {
    const MemoryStore store;
    Told told;
    LogOptions options{.store = Watched{store, refuse_poison, {}}};
    options.storing.first_retry = options.storing.longest_retry = 1ms;
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    record(log, "poison");
    (void)told.wait_for(1);
    record(log, "good");
    const auto said = told.wait_for(3); // that it fails, that it is back, what is lost
    CHECK(std::count(said.begin(), said.end(), "") == 1);
    CHECK(log.flush(ample));
    CHECK(kept(store).size() == 1);
}

TEST_CASE("clear writes first what has ended, so that nothing stays behind as running", "[store]") {
    const MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    for (int i = 0; i < 50; ++i) {
        const auto execution = log.record_start("job");
        if (i % 2 == 0) { REQUIRE(log.flush(ample)); } // as running
        log.record_success(execution);
        log.clear();
        REQUIRE(kept(store).empty());
    }
    CHECK(log.stats().lifetime_executions == 50);
    CHECK(log.stats().total_executions == 0);
}

TEST_CASE("a log that could not open its store leaves it free for the next", "[store]") {
    MemoryStore store;
    const LogOptions options = options_with(store);
    store.pass_next();
    store.fail_next(StoreFailure::unavailable);
    CHECK_THROWS_AS(JobExecutionLog<>{options}, daybook::StoreError);
    JobExecutionLog<> log{options};
    record(log, "job");
    CHECK(log.flush(ample));
}

TEST_CASE("records are written and jobs confirmed while the store cannot forget the old ones", "[store]") {
    const MemoryStore store;
    Told told;
    std::atomic<int> tries{0};
    const auto fail = [&] {
        ++tries;
        throw daybook::StoreError{StoreFailure::unavailable, "too much at once"};
    };
    LogOptions options{.store = Watched{store, {}, fail}};
    options.storing.max_records = 10;
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    record(log, "job");
    CHECK(told.wait_for(1).front().find("too much at once") != std::string::npos);
    for (int i = 0; i < 20; ++i) {
        record(log, "job");
        CHECK(log.flush(ample));
    }
    CHECK(log.store_health()->is_available);
    CHECK(tries == 1); // the next one is due in a minute
}

TEST_CASE("a page from memory goes on by its cursor in every order while the store is away", "[store]") {
    MemoryStore store;
    Told told;
    LogOptions options = options_with(store);
    options.storing.on_error = told.listener();
    JobExecutionLog<> log{options};
    for (int i = 0; i < 4; ++i) { record(log, "job"); }
    REQUIRE(log.flush(ample));
    store.fail_next(StoreFailure::unavailable, 1'000'000);
    record(log, "job");
    (void)told.wait_for(1);
    for (const auto sort :
         {daybook::SortBy::newest, daybook::SortBy::oldest, daybook::SortBy::longest, daybook::SortBy::shortest}) {
        const auto first = log.query({.sort = sort, .limit = 3});
        REQUIRE(first.has_more);
        CHECK(log.query({.sort = sort, .limit = 3, .cursor = first.next_cursor}).records.size() == 2);
    }
}

TEST_CASE("a page as long as can be, and one of nothing but the total", "[store]") {
    const MemoryStore store;
    JobExecutionLog<> log{options_with(store)};
    for (int i = 0; i < 7; ++i) { record(log, "job"); }
    const auto all = log.query({.limit = std::numeric_limits<std::size_t>::max()});
    CHECK(all.records.size() == 7);
    CHECK(all.total.is_exact);
    const auto none = log.query({.limit = 0});
    CHECK(none.records.empty());
    CHECK(none.total.count == 7);
    CHECK(none.has_more);
    const auto first = log.query({.limit = 3, .totals = Totals::leave_out});
    CHECK_FALSE(first.total.is_exact);
}

TEST_CASE("an export of a log with a store goes through all of it", "[store]") {
    const MemoryStore store;
    LogOptions options = options_with(store);
    options.capacity = 10;
    options.max_running = 1;
    JobExecutionLog<> log{options};
    for (int i = 0; i < 250; ++i) { record(log, "job"); }
    std::string lines;
    daybook::ExecutionQuery query;
    const auto report =
        daybook::write_json_lines(log, query, [&](std::string_view piece) { lines += piece; }, {.max_records = 100});
    CHECK(report.records == 100);
    query.cursor = report.next_cursor;
    const auto rest = daybook::write_json_lines(log, query, [&](std::string_view piece) { lines += piece; });
    CHECK(rest.records == 150);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 250);
}

TEST_CASE("options that a store cannot be written to by are refused", "[store]") {
    const auto refused = [](auto change) {
        LogOptions options;
        change(options.storing);
        CHECK_THROWS_AS(JobExecutionLog<>{options}, std::invalid_argument);
    };
    refused([](daybook::StoringOptions& storing) { storing.batch = 0; });
    refused([](daybook::StoringOptions& storing) { storing.timeout = 0ns; });
    refused([](daybook::StoringOptions& storing) { storing.timeout = std::chrono::nanoseconds::max(); });
    refused([](daybook::StoringOptions& storing) { storing.flush_interval = -1ns; });
    refused([](daybook::StoringOptions& storing) { storing.longest_retry = 1ns; });
    refused([](daybook::StoringOptions& storing) { storing.max_age = -1s; });
    refused([](daybook::StoringOptions& storing) { storing.node = "(earlier)"; });
}
