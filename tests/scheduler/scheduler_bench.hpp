// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_BENCH_HPP
#define DAYBOOK_TESTS_SCHEDULER_BENCH_HPP

/// @file
/// A scheduler on a clock that the test moves: driven by `poll()`, or with workers.

#include <daybook/scheduler.hpp>
#include <daybook/time/manual_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <semaphore>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using namespace std::chrono_literals;
using daybook::JobStatus;
using daybook::SkipReason;

/// Real time that is never reached unless something hangs.
inline constexpr std::chrono::seconds patience{60};

/// Monday, 1 January 2024, 00:00 UTC: where a ManualClock starts.
inline const daybook::sys_time monday{std::chrono::sys_days{std::chrono::January / 1 / 2024}};

inline daybook::SchedulerOptions driven(const daybook::ManualClock& clock, std::size_t workers = 0) {
    daybook::SchedulerOptions options;
    options.workers = workers;
    options.log.capacity = 100'000;
    options.clock = clock;
    options.stop_grace = patience;
    return options;
}

/// All that is known of a job, skips included, oldest first.
template <class Result>
std::vector<daybook::JobExecutionRecord<Result>> history(const daybook::JobExecutionLog<Result>& log,
                                                         std::string_view job = {}) {
    auto page =
        log.query({.job_id = std::string{job}, .skips = daybook::Skips::include, .limit = log.capacity() * 2 + 10'000});
    std::ranges::sort(page.records, {}, [](const auto& record) { return record.id; });
    return std::move(page.records);
}

/// The history of a job in words: "success error(retry) skipped:overlap*3".
template <class Result>
std::string story(const daybook::JobExecutionLog<Result>& log, std::string_view job) {
    std::string text;
    for (const auto& record : history(log, job)) {
        if (!text.empty()) { text += ' '; }
        text += to_string(record.status);
        if (record.status == JobStatus::skipped) {
            text += ':';
            text += to_string(record.reason);
            if (record.skip_count != 1) { text += '*' + std::to_string(record.skip_count); }
        } else if (is_finished(record.status) && !record.is_final) {
            text += "(retry)";
        }
    }
    return text;
}

/// Blocks a body until its stop token is set.
inline void wait_for_stop(daybook::JobContext& job) {
    std::binary_semaphore asked{0};
    const std::stop_callback callback{job.stop_token(), [&] { asked.release(); }};
    asked.acquire();
}

struct Bench {
    explicit Bench(std::size_t workers = 0, const std::function<void(daybook::SchedulerOptions&)>& adjust = {})
        : scheduler{[&] {
              auto options = driven(clock, workers);
              if (adjust) { adjust(options); }
              return options;
          }()} {}

    /// Lets time pass in steps, with a poll after each.
    void pass(std::chrono::nanoseconds time, std::chrono::nanoseconds step = 1s) {
        for (; time > 0s; time -= step) {
            clock.advance(std::min(time, step));
            scheduler.poll();
        }
    }

    std::string story(std::string_view job) { return bench::story(scheduler.log(), job); }
    auto history(std::string_view job) { return bench::history(scheduler.log(), job); }

    daybook::ManualClock clock;
    daybook::Scheduler<> scheduler;
};

/// A worker that hangs in a body until it may go on.
struct Hung {
    Hung() {
        bench.scheduler.add({.id = "hanging"}, [this] {
            hangs.release();
            go_on.acquire();
        });
        bench.scheduler.start();
        bench.scheduler.trigger("hanging");
        hangs.acquire();
    }

    std::binary_semaphore hangs{0};
    std::binary_semaphore go_on{0};
    Bench bench{1, [](auto& options) { options.log.capacity = 100; }};
};

} // namespace bench

#endif
