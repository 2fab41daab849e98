// SPDX-License-Identifier: MIT
/// @file
/// What a store costs the threads that record: nothing but a place in a list, as long as the store keeps up.

#include "report.hpp"

#include <daybook/log/job_execution_log.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using daybook_benchmark::Finding;

/// Takes everything, and keeps nothing: what remains is the log's own work.
struct BottomlessStore {
    void open(const daybook::StoreOpening&, daybook::StoreDeadline) {}
    void close() noexcept {}
    void write(const daybook::StoreBatch& batch, daybook::StoreDeadline) {
        benchmark::DoNotOptimize(batch.executions.data());
    }
    daybook::StoredPage read(const daybook::StoreQuery&, daybook::StoreDeadline) { return {}; }
    std::uint64_t count(const daybook::StoreQuery&, std::uint64_t, daybook::StoreDeadline) { return 0; }
    std::optional<daybook::StoredExecution> find(daybook::ExecutionId, daybook::StoreDeadline) { return {}; }
    std::vector<daybook::StoredExecution> unfinished(daybook::StoreDeadline) { return {}; }
    std::vector<daybook::StoredCounters> counters(daybook::StoreDeadline) { return {}; }
    void fold_counters(std::span<const daybook::StoredCounters>, daybook::StoreDeadline) {}
    std::uint64_t retained(daybook::StoreDeadline) { return 0; }
    std::uint64_t clear(daybook::StoreDeadline) { return 0; }
    std::uint64_t prune(const daybook::StoreRetention&, daybook::StoreDeadline) { return 0; }
    std::vector<daybook::StoredJob> jobs(daybook::StoreDeadline) { return {}; }
    void save(const daybook::StoredJob&, daybook::StoreDeadline) {}
    bool erase(std::string_view, daybook::StoreDeadline) { return false; }
};

/// One start and one finish every so often: what a pair takes, the wait aside.
void measure_paced(benchmark::State& state, const daybook::LogOptions& options) {
    constexpr std::chrono::microseconds apart{20};
    daybook::JobExecutionLog<> log{options};
    const std::string result(40, 'r');
    auto due = std::chrono::steady_clock::now();
    for (auto _ : state) {
        due = std::max(due + apart, std::chrono::steady_clock::now());
        while (std::chrono::steady_clock::now() < due) {}
        const auto begin = std::chrono::steady_clock::now();
        const auto execution = log.record_start("cleanup_sessions", "sessions", "erase_expired");
        log.record_success(execution, result);
        state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
}

/// The same without a pause, until the store cannot keep up.
void measure_flood(benchmark::State& state, const daybook::LogOptions& options) {
    daybook::JobExecutionLog<> log{options};
    const std::string result(40, 'r');
    for (auto _ : state) {
        const auto execution = log.record_start("cleanup_sessions", "sessions", "erase_expired");
        log.record_success(execution, result);
    }
    const auto health = log.store_health();
    state.counters["lost"] = health ? static_cast<double>(health->lost) : 0.0;
}

const daybook::LogOptions without_store{.capacity = 10'000};
const daybook::LogOptions with_store{.capacity = 10'000, .store = BottomlessStore{}};

} // namespace

int main(int count, char** arguments) {
    benchmark::RegisterBenchmark("paced", [](benchmark::State& state) { measure_paced(state, without_store); })
        ->UseManualTime()
        ->Iterations(20'000);
    benchmark::RegisterBenchmark("paced_with_store", [](benchmark::State& state) { measure_paced(state, with_store); })
        ->UseManualTime()
        ->Iterations(20'000);
    benchmark::RegisterBenchmark("flood", [](benchmark::State& state) { measure_flood(state, without_store); });
    benchmark::RegisterBenchmark("flood_with_store", [](benchmark::State& state) { measure_flood(state, with_store); });
    return daybook_benchmark::run(count, arguments,
                                  {Finding{.says = "start + finish, 50,000 a second: with a store / without",
                                           .figure = "paced_with_store",
                                           .divided_by = "paced",
                                           .at_most = 1.5},
                                   Finding{.says = "start + finish without a pause: with a store / without",
                                           .figure = "flood_with_store",
                                           .divided_by = "flood"}});
}
