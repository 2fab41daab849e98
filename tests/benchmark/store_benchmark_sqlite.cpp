// SPDX-License-Identifier: MIT
/// @file
/// Writing batches to an SQLite store, beside the best that a program could do with sqlite3 itself for the same rows.

#include "report.hpp"

#include <daybook/adapters/sqlite.hpp>

#include <benchmark/benchmark.h>

#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using daybook::StoredCounters;
using daybook::StoredExecution;
using namespace std::chrono_literals;

constexpr std::size_t batch_size = 1000;
constexpr std::size_t counter_rows = 60;

daybook::StoreDeadline soon() { return std::chrono::steady_clock::now() + 60s; }

/// A batch as a scheduler with 40 jobs makes it; one in 20 has failed, one in 4 has metadata.
struct Batch {
    std::vector<StoredExecution> rows = std::vector<StoredExecution>(batch_size);
    std::vector<StoredCounters> counters = std::vector<StoredCounters>(counter_rows);

    Batch() {
        for (std::size_t at = 0; at < rows.size(); ++at) {
            StoredExecution& row = rows[at];
            row.job_id = "cleanup_sessions_" + std::to_string(at % 40);
            row.handler_id = "handler_" + std::to_string(at % 10);
            row.method_name = "erase_expired";
            row.duration = std::chrono::nanoseconds{1'234'567 + 1000 * at};
            row.is_final = true;
            row.status = at % 20 == 0 ? daybook::JobStatus::error : daybook::JobStatus::success;
            if (at % 20 == 0) {
                row.error = "connection to the database was refused: no route to host";
            } else {
                row.result = "\"42 sessions erased, 7 kept, 0 left over.\"";
            }
            row.records_processed = 42;
            row.worker = static_cast<std::uint32_t>(at % 4);
            row.node = "host-17:4242";
            row.parameters = at % 2 == 0 ? "{\"older_than_days\":30}" : "";
            if (at % 4 == 0) { row.metadata = {{"model", "standard"}, {"tenant", "customer_" + std::to_string(at)}}; }
        }
        for (std::size_t at = 0; at < counters.size(); ++at) {
            StoredCounters& row = counters[at];
            row.node = "host-17:4242";
            row.scope = at < 40   ? daybook::CounterScope::job
                        : at < 50 ? daybook::CounterScope::handler
                                  : daybook::CounterScope::hour;
            row.name = "name_" + std::to_string(at);
            row.duration.buckets = "112:3 113:4 120:1 121:77 122:301 130:2";
            if (at >= 40 && at < 50) { row.drift.buckets = row.queue_delay.buckets = row.duration.buckets; }
        }
    }

    /// The next thousand.
    void advance() {
        for (StoredExecution& row : rows) {
            row.id = row.occurrence_id = ++last_id;
            const daybook::sys_time begin{std::chrono::microseconds{1'705'314'600'000'000 + 777 * last_id}};
            row.scheduled_at = begin - 50us;
            row.queued_at = begin - 20us;
            row.started_at = begin;
            row.completed_at = begin + 1234us;
            row.position = begin.time_since_epoch().count();
        }
        for (StoredCounters& row : counters) {
            row.success = last_id;
            row.duration.count = last_id;
            row.duration.sum = static_cast<double>(last_id) * 1.5e6;
        }
    }

    std::uint64_t last_id = 0;
};

class Folder {
public:
    Folder() {
        const char* const wanted = std::getenv("DAYBOOK_BENCHMARK_DIR");
        path_ = (wanted != nullptr ? std::filesystem::path{wanted} : std::filesystem::temp_directory_path()) /
                "daybook_sqlite_XXXXXX";
        if (mkdtemp(path_.data()) == nullptr) { throw std::runtime_error{"there is no room for the files"}; }
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string file() const { return path_ + "/daybook.db"; }

private:
    std::string path_;
};

daybook::SqliteOptions options_of(const Folder& folder, daybook::SqliteSynchronous synchronous) {
    return {.path = folder.file(), .synchronous = synchronous};
}

enum class Counting { rows_alone, rows_and_counters };

void store(benchmark::State& state, daybook::SqliteSynchronous synchronous, Counting counting) {
    const Folder folder;
    daybook::SqliteStore store{options_of(folder, synchronous)};
    store.open({.node = "host-17:4242"}, soon());
    Batch batch;
    for (auto _ : state) {
        state.PauseTiming();
        batch.advance();
        state.ResumeTiming();
        daybook::StoreBatch written{.executions = batch.rows};
        if (counting == Counting::rows_and_counters) { written.counters = batch.counters; }
        store.write(written, soon());
    }
    state.counters["rows_per_s"] = benchmark::Counter(static_cast<double>(batch.last_id), benchmark::Counter::kIsRate);
}

/// The same rows by sqlite3 alone: nothing is looked up or formatted that need not be, every text is bound where it
/// lies, one prepared insert, one transaction for each batch.
class Raw {
public:
    Raw(const Folder& folder, daybook::SqliteSynchronous synchronous) {
        {
            daybook::SqliteStore tables{options_of(folder, synchronous)}; // the same tables and indexes
            tables.open({.node = "nobody"}, soon());
        }
        check(sqlite3_open_v2(folder.file().c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
        run("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192; "
            "PRAGMA temp_store = MEMORY");
        run(synchronous == daybook::SqliteSynchronous::full ? "PRAGMA synchronous = FULL"
                                                            : "PRAGMA synchronous = NORMAL");
        rows_ =
            prepare("INSERT INTO job_execution VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
        counters_ = prepare("INSERT OR REPLACE INTO job_statistics VALUES "
                            "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
        begin_ = prepare("BEGIN IMMEDIATE");
        commit_ = prepare("COMMIT");
    }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;
    ~Raw() {
        for (sqlite3_stmt* statement : {rows_, counters_, begin_, commit_}) { sqlite3_finalize(statement); }
        sqlite3_close(handle_);
    }

    /// @param metadata  As it is stored, for each row.
    void write(const Batch& batch, const std::vector<std::string>& metadata, Counting counting) {
        finish(begin_);
        for (std::size_t at = 0; at < batch.rows.size(); ++at) { put(batch.rows[at], metadata[at]); }
        if (counting == Counting::rows_and_counters) {
            for (const StoredCounters& row : batch.counters) { put(row); }
        }
        finish(commit_);
    }

private:
    static void check(int code) {
        if (code != SQLITE_OK) { throw std::runtime_error{sqlite3_errstr(code)}; }
    }
    void run(const char* sql) { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
        return statement;
    }
    static void finish(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) { throw std::runtime_error{"a statement failed"}; }
        sqlite3_reset(statement);
    }
    static void bind(sqlite3_stmt* statement, int at, std::int64_t number) {
        sqlite3_bind_int64(statement, at, number);
    }
    static void bind(sqlite3_stmt* statement, int at, std::string_view text) {
        sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    }
    static void bind(sqlite3_stmt* statement, int at, const std::optional<std::string>& text) {
        if (text) {
            bind(statement, at, std::string_view{*text});
        } else {
            sqlite3_bind_null(statement, at);
        }
    }

    void put(const StoredExecution& row, const std::string& metadata) {
        bind(rows_, 1, static_cast<std::int64_t>(row.id));
        bind(rows_, 2, static_cast<std::int64_t>(row.occurrence_id));
        bind(rows_, 3, std::string_view{row.job_id});
        bind(rows_, 4, std::string_view{row.handler_id});
        bind(rows_, 5, std::string_view{row.method_name});
        bind(rows_, 6, row.scheduled_at->time_since_epoch().count());
        bind(rows_, 7, row.queued_at->time_since_epoch().count());
        bind(rows_, 8, row.started_at->time_since_epoch().count());
        bind(rows_, 9, row.completed_at->time_since_epoch().count());
        bind(rows_, 10, row.duration->count());
        bind(rows_, 11, std::string_view{row.error ? "error" : "success"});
        bind(rows_, 12, row.result);
        bind(rows_, 13, row.error);
        bind(rows_, 14, std::int64_t{1});
        bind(rows_, 15, std::int64_t{1});
        bind(rows_, 16, std::string_view{"schedule"});
        bind(rows_, 17, std::int64_t{42});
        // 18 to 20, the progress, are never bound: null.
        bind(rows_, 21, std::int64_t{*row.worker});
        bind(rows_, 22, std::string_view{row.node});
        bind(rows_, 23, std::string_view{"none"});
        bind(rows_, 24, std::int64_t{0});
        bind(rows_, 25, std::int64_t{0});
        bind(rows_, 26, std::string_view{"none"});
        bind(rows_, 27, std::string_view{""});
        bind(rows_, 28, std::string_view{row.parameters});
        bind(rows_, 29, std::string_view{metadata});
        bind(rows_, 30, row.position);
        finish(rows_);
    }

    void put(const StoredCounters& row) {
        bind(counters_, 1, std::string_view{row.node});
        bind(counters_, 2, to_string(row.scope));
        bind(counters_, 3, std::string_view{row.name});
        bind(counters_, 4, std::int64_t{0});
        bind(counters_, 5, static_cast<std::int64_t>(row.success));
        for (int at = 6; at <= 14; ++at) { bind(counters_, at, std::int64_t{0}); }
        int at = 15;
        for (const auto* distribution : {&row.duration, &row.drift, &row.queue_delay}) {
            bind(counters_, at++, static_cast<std::int64_t>(distribution->count));
            sqlite3_bind_double(counters_, at++, distribution->sum);
            bind(counters_, at++, distribution->min);
            bind(counters_, at++, distribution->max);
            bind(counters_, at++, std::string_view{distribution->buckets});
        }
        finish(counters_);
    }

    sqlite3* handle_ = nullptr;
    sqlite3_stmt* rows_ = nullptr;
    sqlite3_stmt* counters_ = nullptr;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
};

void raw(benchmark::State& state, daybook::SqliteSynchronous synchronous, Counting counting) {
    const Folder folder;
    Raw database{folder, synchronous};
    Batch batch;
    std::vector<std::string> metadata(batch.rows.size());
    for (std::size_t at = 0; at < metadata.size(); ++at) {
        daybook::sql::write_metadata(metadata[at], batch.rows[at].metadata);
    }
    for (auto _ : state) {
        state.PauseTiming();
        batch.advance();
        state.ResumeTiming();
        database.write(batch, metadata, counting);
    }
    state.counters["rows_per_s"] = benchmark::Counter(static_cast<double>(batch.last_id), benchmark::Counter::kIsRate);
}

void register_all() {
    using daybook::SqliteSynchronous;
    for (const auto& [word, synchronous] :
         {std::pair{"normal", SqliteSynchronous::normal}, std::pair{"full", SqliteSynchronous::full}}) {
        for (const auto& [kind, counting] :
             {std::pair{"", Counting::rows_alone}, std::pair{"_counters", Counting::rows_and_counters}}) {
            const std::string name = std::string{word} + kind;
            const auto with_store = [how = synchronous, what = counting](benchmark::State& state) {
                store(state, how, what);
            };
            const auto without = [how = synchronous, what = counting](benchmark::State& state) {
                raw(state, how, what);
            };
            // 50,000 rows: the file outgrows the cache, and the log goes into the file several times.
            benchmark::RegisterBenchmark(("store_" + name).c_str(), with_store)->UseRealTime()->Iterations(50);
            benchmark::RegisterBenchmark(("raw_" + name).c_str(), without)->UseRealTime()->Iterations(50);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    register_all();
    std::vector<daybook_benchmark::Finding> findings;
    for (const char* kind : {"normal", "normal_counters", "full", "full_counters"}) {
        const std::string name = kind;
        findings.push_back(
            {"rows per second of the store / of sqlite3 alone, " + name, "raw_" + name, "store_" + name, {}, 0.6});
    }
    for (const char* kind : {"normal", "normal_counters", "full", "full_counters"}) {
        findings.push_back({"ns for 1000 rows, " + std::string{kind}, "store_" + std::string{kind}});
    }
    return daybook_benchmark::run(argc, argv, findings);
}
