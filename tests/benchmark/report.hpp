// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_BENCHMARK_REPORT_HPP
#define DAYBOOK_TESTS_BENCHMARK_REPORT_HPP

/// @file
/// The `main` of every benchmark: medians of five interleaved repetitions, and after them the ratios that count.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace daybook_benchmark {

/// What comes out of a run: a figure, or the quotient of two, each from this run.
///
/// A figure is the CPU time of one iteration in nanoseconds (its wall time where a benchmark says `UseRealTime`), named
/// as its benchmark; a counter of it is named `benchmark:counter`.
struct Finding {
    std::string says;
    std::string figure;
    std::string divided_by = {};         ///< empty: the figure itself
    std::optional<double> at_most = {};  ///< what is aimed at
    std::optional<double> at_least = {}; ///< the same, from below
};

/// Two wall clock reads, the measure that the targets are stated in.
inline constexpr const char* two_clock_reads = "two_clock_reads";

inline void measure_two_clock_reads(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(std::chrono::system_clock::now());
        benchmark::DoNotOptimize(std::chrono::system_clock::now());
    }
}

/// Keeps every repetition of every figure.
class Reporter final : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context&) override { return true; }

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Iteration || run.error_occurred) { continue; }
            std::string name = run.run_name.function_name;
            if (!run.run_name.args.empty()) { name += '/' + run.run_name.args; }
            const std::string& time = run.run_name.time_type;
            const bool is_wall = time == "real_time" || time == "manual_time";
            const double seconds = is_wall ? run.real_accumulated_time : run.cpu_accumulated_time;
            add(name, seconds * 1e9 / static_cast<double>(std::max<benchmark::IterationCount>(1, run.iterations)));
            for (const auto& [counter, value] : run.counters) { add(name + ':' + counter, value.value); }
        }
    }

    /// The least value, the median and the greatest, or nothing when there is no such figure.
    struct Spread {
        double least = 0, median = 0, greatest = 0;
    };
    [[nodiscard]] std::optional<Spread> find(const std::string& figure) const {
        const auto found = figures_.find(figure);
        if (found == figures_.end()) { return std::nullopt; }
        std::vector<double> values = found->second;
        std::sort(values.begin(), values.end());
        return Spread{values.front(), values[values.size() / 2], values.back()};
    }

    void print() const {
        std::printf("%-58s %12s %12s %12s\n", "ns (counters: in their own unit)", "least", "median", "greatest");
        for (const auto& figure : figures_) {
            const Spread spread = *find(figure.first);
            std::printf("%-58s %12.1f %12.1f %12.1f\n", figure.first.c_str(), spread.least, spread.median,
                        spread.greatest);
        }
    }

private:
    void add(const std::string& figure, double value) { figures_[figure].push_back(value); }

    std::map<std::string, std::vector<double>> figures_;
};

/// By medians, which is what counts, and by the least of each, which a busy machine disturbs less.
inline void print(const Reporter& reporter, const Finding& finding) {
    const auto figure = reporter.find(finding.figure);
    const auto base =
        finding.divided_by.empty() ? std::optional{Reporter::Spread{1.0, 1.0, 1.0}} : reporter.find(finding.divided_by);
    if (!figure || !base) { return; } // filtered out
    const double value = figure->median / base->median;
    std::printf("%-70s %9.2f (%9.2f)", finding.says.c_str(), value, figure->least / base->least);
    if (finding.at_most) {
        std::printf("  aim <= %g%s", *finding.at_most, value <= *finding.at_most ? "" : "  MISSED");
    }
    if (finding.at_least) {
        std::printf("  aim >= %g%s", *finding.at_least, value >= *finding.at_least ? "" : "  MISSED");
    }
    std::printf("\n");
}

/// Runs everything that is registered. `--quick`: each benchmark for a moment, to see that it works. All flags of
/// Google Benchmark are taken too, for instance `--benchmark_filter=page`.
inline int run(int argc, char** argv, const std::vector<Finding>& findings) {
    const bool is_quick =
        std::any_of(argv + 1, argv + argc, [](const char* flag) { return std::string_view{flag} == "--quick"; });
    // Interleaved: what disturbs the machine for a while disturbs both sides of a ratio.
    std::vector<std::string> flags{argv[0], "--benchmark_repetitions=5", "--benchmark_min_time=0.1",
                                   "--benchmark_enable_random_interleaving=true"};
    if (is_quick) { flags = {argv[0], "--benchmark_repetitions=1", "--benchmark_min_time=0.001"}; }
    for (int i = 1; i < argc; ++i) {
        if (std::string_view{argv[i]} != "--quick") { flags.emplace_back(argv[i]); }
    }
    std::vector<char*> pointers;
    pointers.reserve(flags.size());
    for (std::string& flag : flags) { pointers.push_back(flag.data()); }
    auto count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) { return 2; }
    Reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    benchmark::Shutdown();
    reporter.print();
    std::printf("\n%-70s %9s (%9s)\n", "found", "medians", "leasts");
    for (const Finding& finding : findings) { print(reporter, finding); }
    return 0;
}

} // namespace daybook_benchmark

#endif
