// SPDX-License-Identifier: MIT
/// @file
/// Parsing cron expressions, and the next and the previous time from random instants, in UTC and in a zone with
/// daylight saving time; other libraries beside them where there are any.

#include "report.hpp"
#include "schedule_peers.hpp"

#include <daybook/schedule/cron.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/time/time_zone.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
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

void previous(benchmark::State& state, const daybook::Cron& cron) {
    const auto& instants = random_instants();
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cron.previous(instants[at]));
        at = (at + 1) % instants.size();
    }
}

template <class Peer>
void parse_by_peer(benchmark::State& state, const std::string& expression) {
    for (auto _ : state) { benchmark::DoNotOptimize(Peer::parse(expression)); }
}

/// The counter `differ`: how many in a hundred of its answers are not ours.
template <class Peer>
void next_by_peer(benchmark::State& state, const std::string& expression) {
    constexpr auto whole_seconds = [](daybook::sys_time instant) {
        return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count());
    };
    static const auto instants = [=] {
        std::vector<std::time_t> whole;
        for (const auto& instant : random_instants()) { whole.push_back(whole_seconds(instant)); }
        return whole;
    }();
    auto schedule = Peer::parse(expression);
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(Peer::next(schedule, instants[at]));
        at = (at + 1) % instants.size();
    }
    constexpr std::size_t checked = 400;
    const auto ours = daybook::cron(expression);
    std::size_t others = 0;
    for (std::size_t i = 0; i < checked; ++i) {
        const auto right = ours.next(random_instants()[i]);
        if (!right || Peer::next(schedule, instants[i]) != whole_seconds(*right)) { ++others; }
    }
    state.counters["differ"] = 100.0 * static_cast<double>(others) / static_cast<double>(checked);
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
            const std::string back = "previous " + text + ' ' + zone;
            RegisterBenchmark(back.c_str(), [=](benchmark::State& state) { previous(state, cron); });
            findings.push_back({back + ", ns", back});
        }
        daybook_benchmark::for_each_peer([&]<class Peer>(const Peer&) {
            const std::string peer = std::string{" "} + Peer::name;
            RegisterBenchmark(("parse " + text + peer).c_str(),
                              [=](benchmark::State& state) { parse_by_peer<Peer>(state, text); });
            findings.push_back({"parse " + text + peer + " / ours", "parse " + text + peer, "parse " + text});
            const std::string name = "next " + text + " UTC";
            RegisterBenchmark((name + peer).c_str(), [=](benchmark::State& state) { next_by_peer<Peer>(state, text); });
            findings.push_back({name + peer + " / ours", name + peer, name});
            findings.push_back({name + peer + ", % of answers that differ from ours", name + peer + ":differ"});
        });
    }
    RegisterBenchmark("timestamp", timestamp);
    findings.push_back({"one timestamp, ns", "timestamp", "", 20.0});
    findings.push_back({"one timestamp / two clock reads", "timestamp", clocks});
    return daybook_benchmark::run(argc, argv, findings);
}
