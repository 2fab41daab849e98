// SPDX-License-Identifier: MIT

/// @file
/// A program that uses the core alone: schedules a job, runs it off schedule, and looks it up in the log.

#include <daybook/daybook.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

int main() {
    using namespace std::chrono_literals;

    constexpr auto nightly = daybook::cron("0 0 3 * * *");

    daybook::Scheduler scheduler{{.workers = 1}};
    scheduler.add("nightly", nightly, [](daybook::JobContext& job) { job.records_processed(7); });
    scheduler.start();
    scheduler.trigger("nightly");

    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (scheduler.log().stats().success_count == 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(5ms);
    scheduler.stop(5s);

    const auto page = scheduler.log().query({.job_id = "nightly"});
    if (page.records.size() != 1 || page.records.front().status != daybook::JobStatus::success) {
        std::puts("the log does not have the one success that it should have");
        return 1;
    }
    std::puts("one execution, one record");
    return 0;
}
