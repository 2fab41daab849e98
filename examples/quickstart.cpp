// SPDX-License-Identifier: MIT
//
// Two jobs for five seconds, and what the log knows of them afterwards.
#include <daybook/daybook.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main() {
    daybook::Scheduler scheduler;

    scheduler.add("greet", daybook::cron("*/2 * * * * *"), [] { return "hello"; });
    scheduler.add("count", daybook::every(500ms), [](daybook::JobContext& job) { job.records_processed(42); });

    scheduler.start();
    std::this_thread::sleep_for(5s);
    scheduler.stop(1s);

    for (const auto& record : scheduler.log().query({.limit = 20}).records) {
        const std::string status{to_string(record.status)};
        std::printf("%-6s %-8s %s\n", record.job_id.c_str(), status.c_str(), record.result.value_or("").c_str());
    }
    std::printf("success rate %.2f %%\n", scheduler.log().stats().success_rate);
}
