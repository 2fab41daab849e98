// SPDX-License-Identifier: MIT
/// @file
/// How late jobs start, and what one costs, with the log recording everything.

#include "report.hpp"

#include <daybook/daybook.hpp>
#include <daybook/detail/indexed_heap.hpp>

#include <benchmark/benchmark.h>

#if defined(DAYBOOK_PEER_ASIO)
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#endif

#include <malloc.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using daybook_benchmark::Finding;

double microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

void report(benchmark::State& state, std::vector<Clock::duration> late) {
    std::sort(late.begin(), late.end());
    state.counters["p50_us"] = microseconds(late[late.size() / 2]);
    state.counters["p99_us"] = microseconds(late[late.size() * 99 / 100]);
    state.counters["max_us"] = microseconds(late.back());
}

double cpu_microseconds() {
    timespec spent{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) * 1e6 + static_cast<double>(spent.tv_nsec) / 1e3;
}

void wait_for(const std::atomic<std::size_t>& done, std::size_t count) {
    while (done.load(std::memory_order_acquire) < count) { std::this_thread::sleep_for(1ms); }
}

/// From the call of `trigger` to the first line of the body, on a worker that sleeps.
void trigger_to_body(benchmark::State& state) {
    constexpr std::size_t triggers = 1000;
    for (auto _ : state) {
        std::vector<Clock::duration> late;
        late.reserve(triggers);
        std::atomic<Clock::rep> started{0};
        daybook::Scheduler scheduler{{.workers = 1}};
        scheduler.add("job", daybook::Schedule{}, [&] { started = Clock::now().time_since_epoch().count(); });
        scheduler.start();
        for (std::size_t i = 0; i < triggers; ++i) {
            std::this_thread::sleep_for(200us); // the worker has gone to sleep again
            started = 0;
            const auto before = Clock::now();
            scheduler.trigger("job");
            while (started.load() == 0) { std::this_thread::yield(); }
            late.push_back(Clock::time_point{Clock::duration{started.load()}} - before);
            scheduler.wait_idle(1s);
        }
        report(state, std::move(late));
    }
}

/// One-shots at given instants on the steady clock: how late each body begins, and CPU time for each, from the start of
/// the scheduler until the last has run.
void one_shots(benchmark::State& state, const std::vector<std::chrono::nanoseconds>& offsets) {
    for (auto _ : state) {
        const std::size_t count = offsets.size();
        std::vector<Clock::duration> late(count);
        std::atomic<std::size_t> done{0};
        daybook::Scheduler scheduler{{.workers = 2, .max_queue = count}};
        // Adding takes a while; the first is due when that is over.
        const auto begin = Clock::now() + 50ms + count * 10us;
        for (std::size_t i = 0; i < count; ++i) {
            const auto due = begin + offsets[i];
            scheduler.add({.id = "shot_" + std::to_string(i), .handler_id = "shots", .schedule = daybook::at(due)},
                          [&late, &done, due, i] {
                              late[i] = Clock::now() - due;
                              done.fetch_add(1, std::memory_order_release);
                          });
        }
        if (Clock::now() > begin) {
            state.SkipWithError("adding the jobs took longer than expected");
            return;
        }
        const double before = cpu_microseconds();
        scheduler.start();
        wait_for(done, count);
        state.counters["cpu_us_per_job"] = (cpu_microseconds() - before) / static_cast<double>(count);
        report(state, std::move(late));
    }
}

std::vector<std::chrono::nanoseconds> every_millisecond() {
    std::vector<std::chrono::nanoseconds> offsets(1000);
    for (std::size_t i = 0; i < offsets.size(); ++i) { offsets[i] = i * 1ms; }
    return offsets;
}

std::vector<std::chrono::nanoseconds> random_within_a_second() {
    std::mt19937_64 random{11};
    std::vector<std::chrono::nanoseconds> offsets(100'000);
    for (auto& offset : offsets) {
        offset = std::chrono::nanoseconds{static_cast<std::int64_t>(random() % 1'000'000'000)};
    }
    return offsets;
}

/// The least there is: this thread waits for the same instants on a timerfd.
void bare_timer(benchmark::State& state, const std::vector<std::chrono::nanoseconds>& offsets) {
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    for (auto _ : state) {
        std::vector<Clock::duration> late;
        late.reserve(offsets.size());
        const auto begin = Clock::now() + 5ms;
        for (const auto offset : offsets) {
            const auto due = begin + offset;
            const auto since_epoch = due.time_since_epoch();
            const auto whole = std::chrono::floor<std::chrono::seconds>(since_epoch);
            itimerspec spec{};
            spec.it_value.tv_sec = whole.count();
            spec.it_value.tv_nsec = (since_epoch - whole).count();
            std::uint64_t count = 0;
            if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, nullptr) != 0 ||
                read(timer, &count, sizeof count) != sizeof count) {
                state.SkipWithError("the timer does not work");
                break;
            }
            late.push_back(Clock::now() - due);
        }
        if (late.size() == offsets.size()) { report(state, std::move(late)); }
    }
    close(timer);
}

#if defined(DAYBOOK_PEER_ASIO)
/// The same instants as timers of Boost.Asio, run by two threads.
void asio_timers(benchmark::State& state, const std::vector<std::chrono::nanoseconds>& offsets) {
    for (auto _ : state) {
        const std::size_t count = offsets.size();
        std::vector<Clock::duration> late(count);
        std::atomic<std::size_t> done{0};
        boost::asio::io_context context{2};
        std::vector<boost::asio::steady_timer> timers;
        timers.reserve(count);
        const auto begin = Clock::now() + 50ms + count * 1us;
        for (std::size_t i = 0; i < count; ++i) {
            const auto due = begin + offsets[i];
            timers.emplace_back(context, due).async_wait([&late, &done, due, i](const boost::system::error_code&) {
                late[i] = Clock::now() - due;
                done.fetch_add(1, std::memory_order_release);
            });
        }
        const double before = cpu_microseconds();
        std::jthread other{[&] { context.run(); }};
        context.run();
        wait_for(done, count);
        state.counters["cpu_us_per_job"] = (cpu_microseconds() - before) / static_cast<double>(count);
        report(state, std::move(late));
    }
}
#endif

/// The least that hands a task to a thread: a deque, and a semaphore for each thread that has nothing to do.
class BarePool {
public:
    explicit BarePool(std::size_t threads) {
        for (std::size_t i = 0; i < threads; ++i) { sleepers_.push_back(std::make_unique<std::binary_semaphore>(0)); }
        for (auto& each : sleepers_) {
            threads_.emplace_back([this, mine = each.get()] { work(*mine); });
        }
    }
    BarePool(const BarePool&) = delete;
    BarePool& operator=(const BarePool&) = delete;
    ~BarePool() {
        {
            const std::scoped_lock lock{mutex_};
            is_over_ = true;
            for (auto* each : idle_) { each->release(); }
            idle_.clear();
        }
        for (auto& each : threads_) { each.join(); }
    }

    void post(std::function<void()> task) {
        std::binary_semaphore* sleeper = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            queue_.push_back(std::move(task));
            if (!idle_.empty()) {
                sleeper = idle_.back();
                idle_.pop_back();
            }
        }
        if (sleeper != nullptr) { sleeper->release(); }
    }

private:
    void work(std::binary_semaphore& mine) {
        std::unique_lock lock{mutex_};
        while (true) {
            if (!queue_.empty()) {
                const auto task = std::move(queue_.front());
                queue_.pop_front();
                lock.unlock();
                task();
                lock.lock();
            } else if (is_over_) {
                return;
            } else {
                idle_.push_back(&mine);
                lock.unlock();
                mine.acquire();
                lock.lock();
            }
        }
    }

    std::mutex mutex_;
    std::deque<std::function<void()>> queue_;
    std::vector<std::binary_semaphore*> idle_;
    std::vector<std::unique_ptr<std::binary_semaphore>> sleepers_;
    bool is_over_ = false;
    std::vector<std::thread> threads_;
};

constexpr std::size_t handed_over = 200'000;

/// Empty tasks from this thread to two others, until all have run: time for each.
template <class Post>
void hand_over(benchmark::State& state, Post post) {
    for (auto _ : state) {
        std::atomic<std::size_t> done{0};
        const auto begin = Clock::now();
        for (std::size_t i = 0; i < handed_over; ++i) {
            post([&done] { done.fetch_add(1, std::memory_order_release); });
        }
        while (done.load(std::memory_order_acquire) < handed_over) { std::this_thread::yield(); }
        const std::chrono::duration<double, std::nano> spent = Clock::now() - begin;
        state.counters["ns"] = spent.count() / static_cast<double>(handed_over);
    }
}

/// The same as triggers of one job, with a record of each.
void hand_over_jobs(benchmark::State& state) {
    for (auto _ : state) {
        std::atomic<std::size_t> done{0};
        daybook::Scheduler scheduler{{.workers = 2, .max_queue = handed_over}};
        scheduler.add({.id = "job", .overlap = daybook::Overlap::allow},
                      [&done] { done.fetch_add(1, std::memory_order_release); });
        scheduler.start();
        const auto begin = Clock::now();
        for (std::size_t i = 0; i < handed_over; ++i) { scheduler.trigger("job"); }
        while (done.load(std::memory_order_acquire) < handed_over) { std::this_thread::yield(); }
        const std::chrono::duration<double, std::nano> spent = Clock::now() - begin;
        state.counters["ns"] = spent.count() / static_cast<double>(handed_over);
    }
}

/// What the scheduler waits with, a million of them pending: another one comes, and is cancelled.
void pending_timers(benchmark::State& state) {
    constexpr std::uint32_t pending = 1'000'000;
    constexpr std::size_t batch = 1000;
    daybook::detail::IndexedHeap<daybook::steady_time> heap;
    std::mt19937_64 random{3};
    const auto instant = [&] { return daybook::steady_time{std::chrono::nanoseconds{random() % 86'400'000'000'000}}; };
    heap.reserve(pending + batch);
    for (std::uint32_t i = 0; i < pending; ++i) { heap.push(i, instant()); }
    std::vector<daybook::steady_time> instants(batch);
    Clock::duration inserting{};
    Clock::duration cancelling{};
    std::size_t rounds = 0;
    for (auto _ : state) {
        for (auto& each : instants) { each = instant(); }
        const auto begin = Clock::now();
        for (std::uint32_t i = 0; i < batch; ++i) { heap.push(pending + i, instants[i]); }
        const auto middle = Clock::now();
        for (std::uint32_t i = 0; i < batch; ++i) { heap.erase(pending + i); }
        inserting += middle - begin;
        cancelling += Clock::now() - middle;
        rounds += batch;
    }
    const auto nanoseconds = [&](Clock::duration all) {
        return std::chrono::duration<double, std::nano>(all).count() / static_cast<double>(rounds);
    };
    state.counters["insert_ns"] = nanoseconds(inserting);
    state.counters["cancel_ns"] = nanoseconds(cancelling);
}

/// Jobs that are due tomorrow: what one takes of memory, and what all of them take of the processor in a second.
void many_jobs(benchmark::State& state, std::size_t count) {
    for (auto _ : state) {
        daybook::Scheduler scheduler{{.workers = 2}};
        const auto used = [] { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd); };
        const double before = used();
        for (std::size_t i = 0; i < count; ++i) {
            scheduler.add({.id = "tomorrow_" + std::to_string(i), .handler_id = "all", .schedule = daybook::every(24h)},
                          [] {});
        }
        scheduler.start();
        state.counters["bytes_per_job"] = (used() - before) / static_cast<double>(count);
        std::this_thread::sleep_for(200ms);
        const double cpu = cpu_microseconds();
        std::this_thread::sleep_for(1s);
        state.counters["idle_cpu_us"] = cpu_microseconds() - cpu;
    }
}

/// Adding a job with its schedule, and removing it again.
void add_and_remove(benchmark::State& state) {
    daybook::Scheduler scheduler{{.workers = 1}};
    scheduler.start();
    const auto nightly = daybook::cron("0 0 3 * * *");
    for (auto _ : state) {
        scheduler.add("job", nightly, [] {});
        scheduler.remove("job");
    }
}

} // namespace

int main(int argc, char** argv) {
    using benchmark::RegisterBenchmark;
    const std::string clocks = daybook_benchmark::two_clock_reads;
    RegisterBenchmark(clocks.c_str(), daybook_benchmark::measure_two_clock_reads);
    RegisterBenchmark("trigger_to_body", trigger_to_body)->Iterations(1);
    RegisterBenchmark("one_shots_1ms_apart", [](benchmark::State& state) {
        one_shots(state, every_millisecond());
    })->Iterations(1);
    RegisterBenchmark("bare_timer_1ms_apart", [](benchmark::State& state) {
        bare_timer(state, every_millisecond());
    })->Iterations(1);
    RegisterBenchmark("one_shots_100k_in_1s", [](benchmark::State& state) {
        one_shots(state, random_within_a_second());
    })->Iterations(1);
    RegisterBenchmark("hand_over_bare", [](benchmark::State& state) {
        BarePool pool{2};
        hand_over(state, [&](auto task) { pool.post(task); });
    })->Iterations(1);
    RegisterBenchmark("hand_over_pool", [](benchmark::State& state) {
        daybook::WorkerPool pool{{.threads = 2}};
        hand_over(state, [&](auto task) { static_cast<void>(pool.post(task)); });
    })->Iterations(1);
    RegisterBenchmark("hand_over_jobs", hand_over_jobs)->Iterations(1);
    RegisterBenchmark("add_and_remove", add_and_remove);
    RegisterBenchmark("pending_timers", pending_timers);
    const bool is_quick =
        std::any_of(argv, argv + argc, [](const char* flag) { return flag == std::string{"--quick"}; });
    RegisterBenchmark("many_jobs", [=](benchmark::State& state) {
        many_jobs(state, is_quick ? 10'000 : 1'000'000);
    })->Iterations(1);
    std::vector<Finding> findings{
        {"trigger to body on an idle worker, p50, us", "trigger_to_body:p50_us"},
        {"trigger to body on an idle worker, p99, us", "trigger_to_body:p99_us"},
        {"1000 one-shots 1 ms apart, lateness p50, us", "one_shots_1ms_apart:p50_us", "", 10.0},
        {"1000 one-shots 1 ms apart, lateness p99, us", "one_shots_1ms_apart:p99_us"},
        {"the same p50 / a bare timerfd's", "one_shots_1ms_apart:p50_us", "bare_timer_1ms_apart:p50_us"},
        {"the same p99 / a bare timerfd's", "one_shots_1ms_apart:p99_us", "bare_timer_1ms_apart:p99_us"},
        {"100,000 one-shots within 1 s, CPU for each, us", "one_shots_100k_in_1s:cpu_us_per_job", "", 3.0},
        {"100,000 one-shots within 1 s, lateness p50, us", "one_shots_100k_in_1s:p50_us"},
        {"100,000 one-shots within 1 s, lateness p99, us", "one_shots_100k_in_1s:p99_us", "", 2500.0},
        {"hand-over to a worker / a bare deque's", "hand_over_pool:ns", "hand_over_bare:ns", 2.0},
        {"trigger of an empty job, recorded, until it has run, ns", "hand_over_jobs:ns"},
        {"add + remove of a job / two clock reads", "add_and_remove", clocks},
        {"one timer more, a million pending, ns", "pending_timers:insert_ns", "", 150.0},
        {"one timer cancelled, a million pending, ns", "pending_timers:cancel_ns", "", 100.0},
        {"a job that waits, bytes", "many_jobs:bytes_per_job"},
        {"CPU of a second with all those jobs idle, us", "many_jobs:idle_cpu_us"},
    };
#if defined(DAYBOOK_PEER_ASIO)
    RegisterBenchmark("asio_1ms_apart", [](benchmark::State& state) {
        asio_timers(state, every_millisecond());
    })->Iterations(1);
    RegisterBenchmark("asio_100k_in_1s", [](benchmark::State& state) {
        asio_timers(state, random_within_a_second());
    })->Iterations(1);
    for (const char* const figure : {"p50_us", "p99_us"}) {
        const std::string name{figure};
        findings.push_back({"asio, 1000 timers 1 ms apart, " + name, "asio_1ms_apart:" + name});
        findings.push_back({"asio, 100,000 timers within 1 s, " + name, "asio_100k_in_1s:" + name});
        findings.push_back(
            {"100,000 within 1 s, " + name + " / asio's", "one_shots_100k_in_1s:" + name, "asio_100k_in_1s:" + name});
    }
    findings.push_back({"asio, 100,000 timers within 1 s, CPU for each, us", "asio_100k_in_1s:cpu_us_per_job"});
    findings.push_back({"100,000 within 1 s, CPU for each / asio's", "one_shots_100k_in_1s:cpu_us_per_job",
                        "asio_100k_in_1s:cpu_us_per_job", 1.0});
#endif
    return daybook_benchmark::run(argc, argv, findings);
}
