// SPDX-License-Identifier: MIT

/// @file
/// The promise with real threads and real time: what was due is what has run and what was skipped, whatever eight
/// threads do to the jobs meanwhile. The simulator asks more questions, of virtual time.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace bench;
using daybook::JobContext;
using daybook::Overlap;
using daybook::sys_time;
using daybook::Trigger;

namespace {

using Record = daybook::JobExecutionRecord<std::string>;

/// Due at each multiple of a period.
struct Grid {
    std::chrono::microseconds period;
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const {
        return sys_time{(after.time_since_epoch() / period + 1) * period};
    }
};

struct AccountedJob {
    std::string id;
    daybook::Schedule schedule;
    Overlap overlap = Overlap::skip;
    std::atomic<std::uint64_t> triggers{0}; ///< that became an execution, or a skip
    std::atomic<int> inside{0};
    std::atomic<int> most_inside{0};
};

/// How many more there are inside meanwhile is kept.
class Visit {
public:
    Visit(std::atomic<int>& inside, std::atomic<int>& most) : inside_{inside} {
        const int now = ++inside_;
        for (int seen = most; now > seen;) {
            if (most.compare_exchange_weak(seen, now)) { break; }
        }
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { --inside_; }

private:
    std::atomic<int>& inside_;
};

std::uint64_t count_due(const daybook::Schedule& schedule, sys_time begin) {
    std::uint64_t count = 0;
    for (auto next = schedule.next(begin - 1us); next; next = schedule.next(*next)) { ++count; }
    return count;
}

/// Of one job, skips included, by id.
void check_accounts(const AccountedJob& job, const std::vector<Record>& records, sys_time begin, sys_time end) {
    INFO(job.id);
    constexpr auto delay = 1ms; // of a retry
    std::uint64_t occurrences = 0;
    std::uint64_t skipped = 0;
    std::set<sys_time> nominal;
    std::map<daybook::OccurrenceId, Record> last;
    for (const Record& record : records) {
        REQUIRE(is_finished(record.status));
        if (record.status == JobStatus::skipped) {
            REQUIRE_FALSE(record.skip_count_is_minimum);
            skipped += record.skip_count;
            continue;
        }
        const auto before = last.find(record.occurrence_id);
        if (before == last.end()) {
            ++occurrences;
            REQUIRE(record.attempt_number == 1);
            if (record.trigger != Trigger::manual) {
                REQUIRE(record.scheduled_at);
                REQUIRE(*record.scheduled_at >= begin);
                REQUIRE(*record.scheduled_at <= end);
                REQUIRE(nominal.insert(*record.scheduled_at).second); // nothing twice
            }
        } else {
            REQUIRE(record.attempt_number == before->second.attempt_number + 1);
            REQUIRE_FALSE(before->second.is_final);
            if (record.started_at) { // by the wall clock, which may be slewed, in whole microseconds
                REQUIRE(before->second.completed_at);
                REQUIRE(*record.started_at - *before->second.completed_at >= delay - 100us);
            }
        }
        last.insert_or_assign(record.occurrence_id, record);
    }
    for (const auto& [id, record] : last) { REQUIRE(record.is_final); }
    CHECK(occurrences + skipped == count_due(job.schedule, begin) + job.triggers);
    if (job.overlap != Overlap::allow) { CHECK(job.most_inside <= 1); }
}

/// The log's figures, counted anew from its records.
template <class Counts>
void check_recount(const Counts& counts, const std::vector<Record>& records) {
    std::map<JobStatus, std::uint64_t> ended;
    std::uint64_t skipped = 0;
    std::uint64_t retries = 0;
    for (const Record& record : records) {
        if (record.is_final) { ++ended[record.status]; }
        if (record.status == JobStatus::skipped) { skipped += record.skip_count; }
        if (record.attempt_number > 1 && record.started_at) { ++retries; }
    }
    CHECK(counts.success_count == ended[JobStatus::success]);
    CHECK(counts.error_count == ended[JobStatus::error] + ended[JobStatus::timeout] + ended[JobStatus::abandoned]);
    CHECK(counts.timeout_count == ended[JobStatus::timeout]);
    CHECK(counts.abandoned_count == ended[JobStatus::abandoned]);
    CHECK(counts.cancelled_count == ended[JobStatus::cancelled]);
    CHECK(counts.skipped_count == skipped);
    CHECK(counts.retry_count == retries);
}

} // namespace

TEST_CASE("what was due has run or is skipped, whatever eight threads do") {
    // DAYBOOK_LONG_TESTS=1: for minutes.
    const char* const wanted = std::getenv("DAYBOOK_LONG_TESTS"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    const bool is_long = wanted != nullptr && std::string{wanted} == "1";
    const auto seed = std::random_device{}();
    INFO("seed " << seed);

    daybook::SchedulerOptions options;
    options.workers = 4;
    options.max_queue = 100;
    options.log.capacity = is_long ? 2'000'000 : 200'000;
    options.log.skip_capacity = options.log.capacity / 2;
    options.retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 1ms});
    options.group_limits = {{"pair", 2}};
    options.max_replacement_workers = 4;
    daybook::Scheduler<> scheduler{options};

    std::array<AccountedJob, 15> jobs;
    const auto begin = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + 50ms;
    const auto end = begin + (is_long ? 120s : 3s) + 500us; // off the grids, so that no clock's rate decides
    std::atomic<int> in_pair{0};
    std::atomic<int> most_in_pair{0};
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        AccountedJob& job = jobs[i];
        job.id = "job-" + std::to_string(i);
        job.overlap = static_cast<Overlap>(i % 5);
        switch (i % 3) {
        case 0: job.schedule = daybook::every(4ms).from(begin).until(end); break;
        case 1: job.schedule = daybook::Schedule{Grid{3ms}}.from(begin).until(end); break;
        default: job.schedule = daybook::cron("* * * * * *").from(begin).until(end);
        }
        const bool is_slow = job.overlap == Overlap::allow && i % 2 == 0; // until it is told to stop
        const bool is_in_pair = i % 4 == 0;
        scheduler.add({.id = job.id,
                       .schedule = job.schedule,
                       .timeout = is_slow ? 5ms : 0ms,
                       .overlap = job.overlap,
                       .priority = static_cast<int>(i % 3),
                       .group = is_in_pair ? "pair" : ""},
                      [&, is_slow, is_in_pair](JobContext& context) -> std::string {
                          const Visit one{job.inside, job.most_inside};
                          std::optional<Visit> of_two;
                          if (is_in_pair && !is_slow) { of_two.emplace(in_pair, most_in_pair); }
                          if (is_slow) { wait_for_stop(context); }
                          if (context.scheduled_at() && context.scheduled_at()->time_since_epoch() / 1ms % 7 == 0) {
                              throw std::runtime_error{"each seventh"};
                          }
                          return "done";
                      });
    }
    scheduler.start();

    const auto work = [&](unsigned number) {
        std::mt19937 random{seed + number};
        const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
        while (std::chrono::system_clock::now() < end) {
            AccountedJob& job = jobs[pick(jobs.size())];
            switch (pick(64)) {
            case 0: scheduler.pause(job.id); break;
            case 1:
                if (pick(8) == 0) { static_cast<void>(scheduler.pause_all()); }
                break;
            case 2: static_cast<void>(scheduler.resume_all()); break;
            case 3: static_cast<void>(scheduler.jobs()); break;
            case 4: static_cast<void>(scheduler.explain(job.id)); break;
            case 5: static_cast<void>(scheduler.health()); break;
            case 6: static_cast<void>(scheduler.log().query({.job_id = job.id, .limit = 10})); break;
            case 7: static_cast<void>(scheduler.log().stats()); break;
            case 8:
            case 9:
            case 10:
            case 11:
                if (scheduler.trigger(job.id).id != 0) { ++job.triggers; }
                break;
            case 12:
            case 13: scheduler.resume(job.id); break;
            default: std::this_thread::sleep_for(50us);
            }
        }
    };
    {
        std::vector<std::jthread> all;
        for (unsigned i = 0; i < 8; ++i) { all.emplace_back(work, i); }
    }
    static_cast<void>(scheduler.resume_all());
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (const AccountedJob& job : jobs) {
        INFO(job.id);
        const auto is_over = [&] {
            const auto known = scheduler.job(job.id);
            REQUIRE(known);
            return known->state == daybook::JobState::completed || known->state == daybook::JobState::failed;
        };
        while (!is_over()) {
            INFO(scheduler.explain(job.id));
            REQUIRE(std::chrono::steady_clock::now() < deadline);
            std::this_thread::sleep_for(1ms);
        }
    }
    REQUIRE(scheduler.stop(patience).has_stopped());

    CHECK(most_in_pair <= 2);
    const auto stats = scheduler.log().stats();
    CHECK(stats.running == 0);
    CHECK(stats.queued == 0);
    check_recount(stats, history(scheduler.log()));
    for (const AccountedJob& job : jobs) {
        const auto records = history(scheduler.log(), job.id);
        check_accounts(job, records, begin, end);
        const auto counted = stats.by_job.find(job.id);
        REQUIRE(counted != stats.by_job.end());
        check_recount(counted->second, records);
    }
}
