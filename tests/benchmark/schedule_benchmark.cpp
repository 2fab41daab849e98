// SPDX-License-Identifier: MIT
/// @file
/// Parsing cron expressions, and the next time from random instants, in UTC and in a zone with daylight saving time.

#include "report.hpp"

#include <daybook/schedule/cron.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/time/time_zone.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using daybook_benchmark::Finding;

constexpr std::array<std::string_view, 5> expressions{
    "0 */5 * * * *", "*/30 * * * * *", "0 0 9 * * MON-FRI", "0 0 0 29 2 *", "0 0 0 1 1 *",
};

/// Instants from 2000 to 2060.
const std::vector<daybook::sys_time>& random_instants() {
    static const auto all = [] {
        std::mt19937_64 random{7};
        std::vector<daybook::sys_time> instants(4096);
        for (auto& instant : instants) {
            instant = daybook::sys_time{std::chrono::microseconds{
                946'684'800'000'000 + static_cast<std::int64_t>(random() % 1'893'456'000'000'000)}};
        }
        return instants;
    }();
    return all;
}

void parse(benchmark::State& state, std::string_view expression) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(expression);
        benchmark::DoNotOptimize(daybook::cron(expression));
    }
}

void next(benchmark::State& state, const daybook::Cron& cron) {
    const auto& instants = random_instants();
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cron.next(instants[at]));
        at = (at + 1) % instants.size();
    }
}

/// As a scheduler asks: from one occurrence to the one after it.
void follow(benchmark::State& state, const daybook::Cron& cron) {
    const daybook::sys_time first = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    daybook::sys_time at = first;
    for (auto _ : state) {
        const auto found = cron.next(at);
        at = found && *found < first + std::chrono::years{30} ? *found : first;
    }
    benchmark::DoNotOptimize(at);
}

void timestamp(benchmark::State& state) {
    const auto& instants = random_instants();
    std::array<char, daybook::timestamp_length> text{};
    std::size_t at = 0;
    for (auto _ : state) {
        daybook::write_timestamp(text.data(), instants[at]);
        benchmark::DoNotOptimize(text);
        at = (at + 1) % instants.size();
    }
}

} // namespace

int main(int argc, char** argv) {
    using benchmark::RegisterBenchmark;
    const std::string clocks = daybook_benchmark::two_clock_reads;
    RegisterBenchmark(clocks.c_str(), daybook_benchmark::measure_two_clock_reads);
    std::vector<Finding> findings;
    for (const std::string_view expression : expressions) {
        const std::string text{expression};
        RegisterBenchmark(("parse " + text).c_str(), [=](benchmark::State& state) { parse(state, expression); });
        findings.push_back({"parse " + text + ", ns", "parse " + text, "", 100.0});
        for (const std::string zone : {"UTC", "Europe/Berlin"}) {
            const auto cron = daybook::cron(expression, zone);
            const std::string name = "next " + text + ' ' + zone;
            RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { next(state, cron); });
            RegisterBenchmark(("follow " + text + ' ' + zone).c_str(),
                              [=](benchmark::State& state) { follow(state, cron); });
            findings.push_back({name + ", ns", name, "", zone == "UTC" ? 25.0 : 60.0});
            findings.push_back({name + " / two clock reads", name, clocks});
        }
    }
    RegisterBenchmark("timestamp", timestamp);
    findings.push_back({"one timestamp, ns", "timestamp", "", 20.0});
    findings.push_back({"one timestamp / two clock reads", "timestamp", clocks});
    return daybook_benchmark::run(argc, argv, findings);
}
