// SPDX-License-Identifier: MIT
/// @file
/// Recording, beside the least that a program could do for itself; pages and figures at several sizes; memory.

#include "report.hpp"

#include <daybook/detail/log_core.hpp>
#include <daybook/detail/pinned_names.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include <benchmark/benchmark.h>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using daybook_benchmark::Finding;

/// What one would write in ten minutes: it keeps the newest records and answers nothing.
class DequeLog {
public:
    struct Record {
        std::uint64_t id = 0;
        std::string job_id, handler_id, method_name;
        std::chrono::system_clock::time_point started_at, completed_at;
        int status = 0;
        std::string result, error;
    };

    explicit DequeLog(std::size_t capacity) : capacity_{capacity} {}

    std::shared_ptr<Record> start(std::string_view job, std::string_view handler, std::string_view method) {
        auto record = std::make_shared<Record>();
        record->job_id = job;
        record->handler_id = handler;
        record->method_name = method;
        record->started_at = std::chrono::system_clock::now();
        const std::scoped_lock lock{mutex_};
        record->id = ++last_id_;
        records_.push_back(record);
        if (records_.size() > capacity_) { records_.pop_front(); }
        return record;
    }

    void success(const std::shared_ptr<Record>& record, std::string_view result) {
        const auto now = std::chrono::system_clock::now();
        const std::scoped_lock lock{mutex_};
        record->completed_at = now;
        record->status = 1;
        record->result = result;
    }

private:
    std::mutex mutex_;
    std::deque<std::shared_ptr<Record>> records_;
    std::size_t capacity_;
    std::uint64_t last_id_ = 0;
};

constexpr std::size_t capacity = 1000;
constexpr std::string_view forty_bytes = "42 sessions erased, 7 kept, 0 left over.";
static_assert(forty_bytes.size() == 40);

void deque_log(benchmark::State& state, std::string_view job, std::string_view handler, std::string_view method,
               std::string_view result) {
    DequeLog log{capacity};
    for (auto _ : state) { log.success(log.start(job, handler, method), result); }
}

void log_by_names(benchmark::State& state, std::string_view job, std::string_view handler, std::string_view method,
                  std::string_view result) {
    daybook::JobExecutionLog log{capacity};
    for (auto _ : state) {
        const auto run = log.record_start(job, handler, method);
        if (result.empty()) {
            log.record_success(run);
        } else {
            log.record_success(run, std::string{result});
        }
    }
}

/// As the scheduler records: the names are interned once.
void log_by_handle(benchmark::State& state) {
    const auto core = std::make_shared<daybook::detail::LogCore>(daybook::LogOptions{.capacity = capacity});
    const daybook::detail::PinnedNames names{core, {"dingdong_1", "dingdong", "ding"}};
    const daybook::ExecutionStart start{.trigger = daybook::Trigger::schedule};
    for (auto _ : state) {
        const auto run = core->start(names.refs(), start, daybook::JobStatus::running);
        core->finish(run, daybook::JobStatus::success, {}, {}, daybook::Finality::final_attempt);
    }
}

/// The same with the hand-over in between: three clock readings, three locks.
void log_by_handle_queued(benchmark::State& state) {
    const auto core = std::make_shared<daybook::detail::LogCore>(daybook::LogOptions{.capacity = capacity});
    const daybook::detail::PinnedNames names{core, {"dingdong_1", "dingdong", "ding"}};
    const daybook::ExecutionStart start{.trigger = daybook::Trigger::schedule};
    for (auto _ : state) {
        const auto run = core->start(names.refs(), start, daybook::JobStatus::queued);
        core->begin(run, 1, core->options().clock.read());
        core->finish(run, daybook::JobStatus::success, {}, {}, daybook::Finality::final_attempt);
    }
}

/// Names of 20 jobs in turn and a full buffer of 100,000: what is evicted is cold.
void log_many_names(benchmark::State& state) {
    daybook::JobExecutionLog log{100'000};
    std::vector<std::string> jobs;
    for (int i = 0; i < 20; ++i) { jobs.push_back("job_" + std::to_string(i)); }
    std::size_t at = 0;
    for (std::size_t i = 0; i < log.capacity(); ++i) { log.record_success(log.record_start(jobs[i % 20], "handler")); }
    for (auto _ : state) {
        log.record_success(log.record_start(jobs[at], "handler", "method"));
        at = (at + 1) % jobs.size();
    }
}

/// @param parts  See LogOptions::shards.
daybook::JobExecutionLog<>& shared_log(std::size_t parts = 1) {
    static std::map<std::size_t, daybook::JobExecutionLog<>> logs;
    static std::mutex mutex;
    const std::scoped_lock lock{mutex};
    return logs.try_emplace(parts, daybook::LogOptions{.capacity = capacity, .shards = parts}).first->second;
}

/// Each thread records jobs of its own in one log.
void log_threads(benchmark::State& state) {
    daybook::JobExecutionLog log = shared_log();
    const std::string job = "job_" + std::to_string(state.thread_index());
    for (auto _ : state) { log.record_success(log.record_start(job, "handler", "method")); }
    state.SetItemsProcessed(state.iterations());
}

/// The same with jobs that do something for so many nanoseconds: from where on one lock is enough for two threads.
void log_threads_at_work(benchmark::State& state) {
    daybook::JobExecutionLog log = shared_log();
    const std::string job = "job_" + std::to_string(state.thread_index());
    const std::chrono::nanoseconds body{state.range(0)};
    for (auto _ : state) {
        const auto run = log.record_start(job, "handler", "method");
        const auto end = std::chrono::steady_clock::now() + body;
        while (std::chrono::steady_clock::now() < end) {}
        log.record_success(run);
    }
}

/// Each thread records jobs of its own in one log that is kept in parts.
void log_threads_in_parts(benchmark::State& state) {
    daybook::JobExecutionLog log = shared_log(static_cast<std::size_t>(state.range(0)));
    const std::string job = "job_" + std::to_string(state.thread_index());
    for (auto _ : state) { log.record_success(log.record_start(job, "handler", "method")); }
}

/// A log for each thread: what the threads could do if they shared nothing.
void log_threads_apart(benchmark::State& state) {
    daybook::JobExecutionLog log{capacity};
    const std::string job = "job_" + std::to_string(state.thread_index());
    for (auto _ : state) { log.record_success(log.record_start(job, "handler", "method")); }
}

/// A full log: 8 jobs, 4 handlers, every fifth an error, results of 40 bytes; so that any page is full from 1000 on.
daybook::JobExecutionLog<> new_full_log(std::size_t size) {
    daybook::JobExecutionLog log{size};
    for (std::size_t i = 0; i < size + size / 4; ++i) {
        const std::string job = "job_number_" + std::to_string(i % 8);
        const std::string handler = "handler_" + std::to_string(i % 4);
        const auto run = log.record_start(job, handler, "execute");
        if (i % 5 == 0) {
            log.record_error(run, "connection refused by the peer");
        } else {
            log.record_success(run, std::string{forty_bytes});
        }
    }
    return log;
}

/// One that all share who only ask.
const daybook::JobExecutionLog<>& full_log(std::size_t size) {
    static std::map<std::size_t, daybook::JobExecutionLog<>> logs;
    if (const auto known = logs.find(size); known != logs.end()) { return known->second; }
    return logs.emplace(size, new_full_log(size)).first->second;
}

void page(benchmark::State& state, const daybook::ExecutionQuery& query) {
    const auto& log = full_log(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) { benchmark::DoNotOptimize(log.query(query)); }
}

/// From a range of time in the middle of the log, with 150 records in it.
void page_by_time(benchmark::State& state) {
    const auto& log = full_log(static_cast<std::size_t>(state.range(0)));
    const auto ids = static_cast<std::uint64_t>(state.range(0)); // the newest has 5/4 of that
    daybook::ExecutionQuery query;
    query.started_from = log.find(ids)->started_at;
    query.started_to = log.find(ids + 150)->started_at;
    for (auto _ : state) { benchmark::DoNotOptimize(log.query(query)); }
}

/// Down to the oldest: so that counting goes to its end, 10,000.
void page_by_long_time(benchmark::State& state) {
    const auto& log = full_log(static_cast<std::size_t>(state.range(0)));
    const daybook::ExecutionQuery query{.started_to = log.find(static_cast<std::uint64_t>(state.range(0)))->started_at};
    for (auto _ : state) { benchmark::DoNotOptimize(log.query(query)); }
}

void stats(benchmark::State& state) {
    daybook::JobExecutionLog log{100'000};
    for (std::int64_t i = 0; i < 100 * state.range(0); ++i) {
        log.record_success(log.record_start("job_" + std::to_string(i % state.range(0)),
                                            "handler_" + std::to_string(i % state.range(0)), "execute"));
    }
    for (auto _ : state) { benchmark::DoNotOptimize(log.stats()); }
}

/// How long 99 of 100 calls that record take, the clock readings around them included, while so many threads ask for a
/// page and for all figures without pause.
void record_p99(benchmark::State& state) {
    constexpr std::size_t calls = 1'000'000;
    daybook::JobExecutionLog log = new_full_log(1000);
    for (auto _ : state) {
        std::vector<std::jthread> readers;
        std::atomic<int> reading{0};
        for (std::int64_t i = 0; i < state.range(0); ++i) {
            readers.emplace_back([&, i](const std::stop_token& stop) {
                for (++reading; !stop.stop_requested();) {
                    if (i % 2 == 0) {
                        benchmark::DoNotOptimize(log.query({.limit = 100}));
                    } else {
                        benchmark::DoNotOptimize(log.stats());
                    }
                }
            });
        }
        while (reading < static_cast<int>(state.range(0))) { std::this_thread::yield(); }
        std::vector<std::chrono::nanoseconds> took;
        took.reserve(calls);
        for (std::size_t i = 0; i < calls; i += 2) {
            const auto before = std::chrono::steady_clock::now();
            const auto run = log.record_start("job_number_7", "handler_3", "execute");
            const auto between = std::chrono::steady_clock::now();
            log.record_success(run);
            took.push_back(between - before);
            took.push_back(std::chrono::steady_clock::now() - between);
        }
        readers.clear();
        const auto p99 = took.begin() + static_cast<std::ptrdiff_t>(calls * 99 / 100);
        std::nth_element(took.begin(), p99, took.end());
        state.counters["ns"] = static_cast<double>(p99->count());
    }
}

/// A log of 100 handlers after half a year: every bucket of the timeline and every hour of a handler is in use, and
/// durations are from 1 to 5 ms.
daybook::JobExecutionLog<>& log_of_half_a_year() {
    static daybook::JobExecutionLog<> log = [] {
        daybook::ManualClock clock;
        daybook::JobExecutionLog<> filled{daybook::LogOptions{.clock = clock}};
        std::uint64_t random = 1;
        const auto run = [&](int i) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            const auto number = std::to_string(i % 100);
            const auto execution = filled.record_start("job_" + number, "handler_" + number, "execute");
            clock.advance(std::chrono::microseconds{1000 + static_cast<std::int64_t>(random >> 52)});
            filled.record_success(execution);
        };
        for (int hour = 0; hour < 24 * 180; ++hour) {
            for (int i = 0; i < 100; ++i) { run(i); }
            clock.advance(std::chrono::hours{1});
        }
        for (int minute = 0; minute < 120; ++minute) {
            run(minute);
            clock.advance(std::chrono::minutes{1});
        }
        return filled;
    }();
    return log;
}

void stats_of_half_a_year(benchmark::State& state) {
    const auto& log = log_of_half_a_year();
    for (auto _ : state) { benchmark::DoNotOptimize(log.stats()); }
}

void range_of_a_week(benchmark::State& state) {
    const auto& log = log_of_half_a_year();
    const auto now = log.options().clock.now();
    for (auto _ : state) { benchmark::DoNotOptimize(log.stats(now - std::chrono::hours{24 * 7}, now)); }
}

void histogram_record(benchmark::State& state) {
    daybook::LatencyHistogram<> histogram;
    std::uint64_t random = 1;
    std::array<std::chrono::nanoseconds, 1024> durations; // made beforehand: making one takes as long as counting it
    for (auto& duration : durations) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        duration = std::chrono::nanoseconds{static_cast<std::int64_t>(random >> 36)};
    }
    std::size_t i = 0;
    for (auto _ : state) { histogram.record(durations[i++ % durations.size()]); }
    benchmark::DoNotOptimize(histogram.count());
}

std::size_t bytes_in_use() {
    const auto all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

/// Everything that a log has taken from the system's allocator, its overhead included, for each of 100,000 records with
/// typical names and results of 40 bytes.
void memory(benchmark::State& state) {
    constexpr std::size_t records = 100'000;
    for (auto _ : state) {
        const std::size_t before = bytes_in_use();
        daybook::JobExecutionLog log{records};
        for (std::size_t i = 0; i < 2 * records; ++i) {
            log.record_success(log.record_start("customer_report_" + std::to_string(i % 50),
                                                "reports_handler_" + std::to_string(i % 10), "execute"),
                               std::string{forty_bytes});
        }
        state.counters["bytes_per_record"] = static_cast<double>(bytes_in_use() - before) / records;
    }
}

void register_all() {
    using benchmark::RegisterBenchmark;
    RegisterBenchmark(daybook_benchmark::two_clock_reads, daybook_benchmark::measure_two_clock_reads);
    const auto pair = [](const char* name, auto function, std::string_view job, std::string_view handler,
                         std::string_view method, std::string_view result) {
        RegisterBenchmark(name, [=](benchmark::State& state) { function(state, job, handler, method, result); });
    };
    pair("deque_log", deque_log, "dingdong_1", "dingdong", "ding", "");
    pair("log_by_names", log_by_names, "dingdong_1", "dingdong", "ding", "");
    pair("deque_log_long", deque_log, "customer_report_17", "reports_handler_7", "execute_daily_run", forty_bytes);
    pair("log_by_names_long", log_by_names, "customer_report_17", "reports_handler_7", "execute_daily_run",
         forty_bytes);
    RegisterBenchmark("log_by_handle", log_by_handle);
    RegisterBenchmark("log_by_handle_queued", log_by_handle_queued);
    RegisterBenchmark("log_many_names", log_many_names);
    for (const int threads : {1, 2, 4, 8}) {
        const std::string number = std::to_string(threads);
        RegisterBenchmark(("log_threads_" + number).c_str(), log_threads)->Threads(threads)->UseRealTime();
        RegisterBenchmark(("log_threads_in_parts_" + number).c_str(), log_threads_in_parts)
            ->Arg(2)
            ->Arg(8)
            ->Threads(threads)
            ->UseRealTime();
        RegisterBenchmark(("log_threads_apart_" + number).c_str(), log_threads_apart)->Threads(threads)->UseRealTime();
    }
    for (const int threads : {1, 2}) {
        RegisterBenchmark(("log_threads_at_work_" + std::to_string(threads)).c_str(), log_threads_at_work)
            ->Arg(250)
            ->Arg(500)
            ->Arg(1000)
            ->Threads(threads)
            ->UseRealTime();
    }
    RegisterBenchmark("record_p99", record_p99)->Arg(0)->Arg(2)->Iterations(1);
    const auto pages = [](const char* name, const daybook::ExecutionQuery& query) {
        RegisterBenchmark(name, [query](benchmark::State& state) { page(state, query); })->Arg(1000)->Arg(1'000'000);
    };
    pages("page", {});
    pages("page_by_job", {.job_id = "job_number_7"});
    pages("page_by_handler", {.handler_id = "handler_3"});
    pages("page_by_status", {.status = daybook::JobStatus::error});
    pages("page_by_statuses", {.status = {daybook::JobStatus::error, daybook::JobStatus::timeout}});
    pages("page_oldest", {.sort = daybook::SortBy::oldest});
    RegisterBenchmark("page_by_time", page_by_time)->Arg(1000)->Arg(1'000'000);
    RegisterBenchmark("page_by_long_time", page_by_long_time)->Arg(1'000'000);
    // What has to look at records one by one does so up to its bound, 100,000.
    const auto scans = [](const char* name, const daybook::ExecutionQuery& query) {
        RegisterBenchmark(name, [query](benchmark::State& state) { page(state, query); })->Arg(1'000'000);
    };
    scans("scan_for_filters", {.job_id = "job_number_7", .min_duration = std::chrono::hours{1}});
    scans("scan_for_text", {.text = "nowhere to be found"});
    scans("scan_for_longest", {.sort = daybook::SortBy::longest});
    RegisterBenchmark("stats", stats)->Arg(1)->Arg(20)->Arg(100);
    RegisterBenchmark("stats_of_half_a_year", stats_of_half_a_year);
    RegisterBenchmark("range_of_a_week", range_of_a_week);
    RegisterBenchmark("histogram_record", histogram_record);
    RegisterBenchmark("memory", memory)->Iterations(1);
}

} // namespace

int main(int argc, char** argv) {
    // Before the first thread libstdc++ counts the owners of a shared_ptr without atomics, and glibc's malloc takes no
    // lock: a log behind a mutex is for programs that have threads, and must not be faster here than it is there.
    std::jthread{[] {}}.join();
    register_all();
    const auto* const clocks = daybook_benchmark::two_clock_reads;
    return daybook_benchmark::run(
        argc, argv,
        {
            {"start + finish, by handle / two clock reads", "log_by_handle", clocks, 3.0},
            {"hand-over + start + finish, by handle / two clock reads", "log_by_handle_queued", clocks},
            {"start + finish, by names / two clock reads", "log_by_names", clocks},
            {"start + finish, by names / deque log", "log_by_names", "deque_log", 1.3},
            {"start + finish, by long names with a result / deque log", "log_by_names_long", "deque_log_long", 1.3},
            {"start + finish, 20 jobs, 100,000 records / deque log", "log_many_names", "deque_log"},
            {"throughput of two threads / one thread", "log_threads_1", "log_threads_2", {}, 1.5},
            {"the same in two parts", "log_threads_1", "log_threads_in_parts_2/2", {}, 1.5},
            {"one thread in two parts / in one", "log_threads_in_parts_1/2", "log_threads_1"},
            {"two threads in one part with jobs of 0.25 us / one thread", "log_threads_at_work_1/250",
             "log_threads_at_work_2/250"},
            {"the same with jobs of 0.5 us", "log_threads_at_work_1/500", "log_threads_at_work_2/500"},
            {"the same with jobs of 1 us", "log_threads_at_work_1/1000", "log_threads_at_work_2/1000"},
            {"throughput of four threads / one thread", "log_threads_1", "log_threads_4"},
            {"throughput of eight threads / one thread", "log_threads_1", "log_threads_8"},
            {"throughput of two threads with a log each / one thread", "log_threads_apart_1", "log_threads_apart_2"},
            {"throughput of two threads on one log / with a log each", "log_threads_apart_2", "log_threads_2"},
            {"p99 of a call that records, two readers / none", "record_p99/2:ns", "record_p99/0:ns", 10.0},
            {"page of 100 / from 1 million / from 1 thousand", "page/1000000", "page/1000", 1.5},
            {"page of 100 by job / from 1 million / from 1 thousand", "page_by_job/1000000", "page_by_job/1000", 1.5},
            {"page of 100 by handler / from 1 million / from 1 thousand", "page_by_handler/1000000",
             "page_by_handler/1000", 1.5},
            {"page of 100 by status / from 1 million / from 1 thousand", "page_by_status/1000000",
             "page_by_status/1000", 1.5},
            {"page of 100 oldest first / from 1 million / from 1 thousand", "page_oldest/1000000", "page_oldest/1000",
             1.5},
            {"page of 100 by time / from 1 million / from 1 thousand", "page_by_time/1000000", "page_by_time/1000",
             1.5},
            {"page of 100 by time, of many / of 150, from 1 million", "page_by_long_time/1000000",
             "page_by_time/1000000"},
            {"scan of 100,000 records of one job, ns", "scan_for_filters/1000000", ""},
            {"scan of 100,000 records for a text, ns", "scan_for_text/1000000", ""},
            {"stats with 100 handlers and 100 jobs, ns", "stats/100", "", 50'000.0},
            {"the same with every bucket of the timeline in use, ns", "stats_of_half_a_year", "", 50'000.0},
            {"a week's range of 100 handlers, ns", "range_of_a_week"},
            {"one record in a histogram / two clock reads", "histogram_record", clocks},
            {"one record in a histogram, ns", "histogram_record", "", 2.0},
            {"bytes per retained record", "memory:bytes_per_record", "", 320.0},
        });
}
