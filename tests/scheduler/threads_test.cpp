// SPDX-License-Identifier: MIT

/// @file
/// Everything at once, from many threads: for the sanitizers, and for the accounts afterwards.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

using namespace bench;
using daybook::JobContext;
using daybook::Overlap;

TEST_CASE("eight threads that do everything at once lose no trigger") {
    daybook::SchedulerOptions options;
    options.workers = 4;
    options.max_queue = 200;
    options.log.capacity = 400'000;
    options.log.skip_capacity = 200'000;
    options.retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 1ms});
    options.timeout = 3ms;
    options.completed_job_retention = 1ms;
    daybook::Scheduler<> scheduler{options};
    scheduler.start();
    const auto seed = std::random_device{}();
    INFO("seed " << seed);

    constexpr unsigned threads = 8;
    constexpr int operations = 2000;
    std::vector<std::vector<daybook::ExecutionId>> triggered(threads);
    std::atomic<std::uint64_t> bodies{0};
    const auto work = [&](unsigned number) {
        std::mt19937 random{seed + number};
        const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        for (int i = 0; i < operations; ++i) {
            const std::string id = "job-" + std::to_string(pick(24));
            switch (pick(10)) {
            case 0: {
                daybook::Schedule schedule = daybook::every(std::chrono::microseconds{500 + pick(5000)});
                if (pick(4) == 0) { schedule = daybook::at(std::chrono::system_clock::now() + 1ms); }
                if (pick(4) == 0) { schedule = daybook::every(1ms).after_completion(); }
                try {
                    scheduler.add({.id = id, .schedule = schedule, .overlap = static_cast<Overlap>(pick(5))},
                                  [&bodies, kind = pick(6)](JobContext& job) {
                                      ++bodies;
                                      job.log("a line");
                                      job.progress(1, 2);
                                      if (kind == 0) { throw std::runtime_error{"as told"}; }
                                      if (kind == 1) {
                                          while (!job.stop_requested()) { std::this_thread::yield(); }
                                      }
                                      return "done";
                                  });
                } catch (const std::invalid_argument&) {} // it is there already
                break;
            }
            case 1:
                if (pick(3) == 0) { scheduler.remove(id); }
                break;
            case 2: scheduler.pause(id); break;
            case 3: scheduler.resume(id); break;
            case 4: static_cast<void>(scheduler.jobs()); break;
            case 5: static_cast<void>(scheduler.job(id)); break;
            case 6: static_cast<void>(scheduler.log().query({.job_id = id, .limit = 10})); break;
            case 7: static_cast<void>(scheduler.log().stats()); break;
            default:
                if (const auto report = scheduler.trigger(id); report.id != 0) {
                    triggered[number].push_back(report.id);
                }
            }
        }
    };
    {
        std::vector<std::thread> all;
        for (unsigned i = 0; i < threads; ++i) { all.emplace_back(work, i); }
        for (auto& thread : all) { thread.join(); }
    }
    CHECK(scheduler.stop(patience).has_stopped());

    for (const auto& ids : triggered) {
        for (const auto id : ids) {
            const auto record = scheduler.log().find(id);
            if (!record || !is_finished(record->status)) {
                INFO("execution " << id);
                CHECK(record.has_value());
                if (record) { CHECK(is_finished(record->status)); }
            }
        }
    }
    const auto stats = scheduler.log().stats();
    CHECK(stats.running == 0);
    CHECK(stats.queued == 0);
    CHECK(stats.abandoned_count == 0);
    std::map<daybook::OccurrenceId, std::uint32_t> attempts;
    std::uint64_t ran = 0;
    for (const auto& record : history(scheduler.log())) {
        if (record.status == JobStatus::skipped) { continue; }
        if (record.started_at) { ++ran; }
        CHECK(record.attempt_number == ++attempts[record.occurrence_id]);
    }
    CHECK(ran >= bodies);
}
