// SPDX-License-Identifier: MIT

/// @file
/// Everything at once, from many threads: for the sanitizers, and for the accounts afterwards.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

using namespace bench;
using daybook::JobContext;
using daybook::Overlap;

TEST_CASE("eight threads that do everything at once lose no trigger") {
    // DAYBOOK_LONG_TESTS=1: for minutes.
    const char* const wanted = std::getenv("DAYBOOK_LONG_TESTS"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    const bool is_long = wanted != nullptr && std::string{wanted} == "1";
    daybook::SchedulerOptions options;
    options.workers = 4;
    options.max_queue = 200;
    options.log.capacity = is_long ? 4'000'000 : 400'000;
    options.log.skip_capacity = options.log.capacity / 2;
    options.retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 1ms});
    options.timeout = 3ms;
    options.completed_job_retention = 1ms;
    options.group_limits = {{"pair", 2}};
    options.max_replacement_workers = 3;
    std::atomic<std::uint64_t> told{0};
    options.hooks.on_start = options.hooks.on_success = options.hooks.on_error = options.hooks.on_timeout =
        options.hooks.on_skip = options.hooks.on_stale =
            options.hooks.on_recovered = [&](const daybook::JobEvent&) { ++told; };
    daybook::Scheduler<> scheduler{options};
    scheduler.start();
    const auto seed = std::random_device{}();
    INFO("seed " << seed);

    constexpr unsigned threads = 8;
    const int operations = is_long ? 60'000 : 2000;
    std::vector<std::vector<daybook::ExecutionId>> triggered(threads);
    std::atomic<std::uint64_t> bodies{0};
    std::atomic<int> in_pair{0};
    std::atomic<int> most_in_pair{0};
    // Ends open executions on a thread of its own.
    std::mutex open_mutex;
    std::vector<daybook::Completion<std::string>> open;
    std::jthread closer{[&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::vector<daybook::Completion<std::string>> taken;
            {
                const std::scoped_lock lock{open_mutex};
                taken.swap(open);
            }
            for (std::size_t i = 0; i < taken.size(); ++i) {
                if (i % 3 == 0) { taken[i].success("later"); }
                if (i % 3 == 1) { taken[i].error("later"); }
            }
            std::this_thread::yield();
        }
    }};
    const auto open_body = [&](JobContext& job, daybook::Completion<std::string> done) {
        job.metadata("kind", "open");
        const std::scoped_lock lock{open_mutex};
        open.push_back(std::move(done));
    };
    const auto work = [&](unsigned number) {
        std::mt19937 random{seed + number};
        const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        for (int i = 0; i < operations; ++i) {
            const std::string id = "job-" + std::to_string(pick(24));
            switch (pick(16)) {
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
            case 8:
                scheduler.update({.id = id,
                                  .schedule = daybook::every(std::chrono::microseconds{500 + pick(5000)}).times(50),
                                  .overlap = static_cast<Overlap>(pick(5)),
                                  .priority = static_cast<int>(pick(5)),
                                  .group = "pair", // whose bodies may be those that count
                                  .stale_after = 2ms});
                break;
            case 9:
                scheduler.add_or_replace({.id = id,
                                          .schedule = daybook::every(2ms).jitter(1ms),
                                          .overlap = static_cast<Overlap>(pick(5)),
                                          .group = "pair"},
                                         [&] {
                                             const int now = ++in_pair;
                                             for (int seen = most_in_pair; now > seen;) {
                                                 if (most_in_pair.compare_exchange_weak(seen, now)) { break; }
                                             }
                                             ++bodies;
                                             --in_pair;
                                         });
                break;
            case 10: scheduler.add_or_replace({.id = id, .overlap = static_cast<Overlap>(pick(5))}, open_body); break;
            case 11: static_cast<void>(scheduler.explain(id)); break;
            case 12: static_cast<void>(scheduler.health()); break;
            case 13:
                if (pick(8) == 0) { static_cast<void>(pick(2) == 0 ? scheduler.pause_all() : scheduler.resume_all()); }
                break;
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
    closer.request_stop();
    closer.join();
    CHECK(most_in_pair <= 2);
    CHECK(told > 0);

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
