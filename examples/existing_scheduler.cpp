// SPDX-License-Identifier: MIT
//
// The log beside a scheduler that the program already has: here a thread that calls its jobs in turn. Three calls
// record what happens, the rest of the program stays as it is.
#include <daybook/daybook.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Doorbell {
    std::mt19937 random{std::random_device{}()};

    std::string ding() {
        std::this_thread::sleep_for(5ms);
        return "Ding!";
    }
    std::string dong() {
        if (random() % 3 == 0) { throw std::runtime_error{"the bell is stuck"}; }
        return "Dong!";
    }
};

} // namespace

int main() {
    daybook::JobExecutionLog log{1000};
    Doorbell doorbell;

    // The scheduler that is already there.
    std::thread scheduler{[&] {
        for (int round = 1; round <= 20; ++round) {
            const auto first = log.record_start("dingdong_1", "dingdong", "ding");
            log.record_success(first, doorbell.ding());

            const auto second = log.record_start("dingdong_2", "dingdong", "dong");
            try {
                log.record_success(second, doorbell.dong());
            } catch (const std::exception& error) { log.record_error(second, error.what()); }
            std::this_thread::sleep_for(20ms);
        }
    }};
    scheduler.join();

    for (const auto& record : log.query({.job_id = "dingdong_2", .limit = 5}).records) {
        const std::string status{to_string(record.status)};
        std::printf("%-10s %-8s %s\n", record.job_id.c_str(), status.c_str(),
                    record.error.value_or(record.result.value_or("")).c_str());
    }
    const auto stats = log.stats();
    std::printf("%llu executions, %.2f %% of them good; 95 %% took at most %.1f ms\n",
                static_cast<unsigned long long>(stats.total_executions), stats.success_rate, stats.p95_ms);
}
