// SPDX-License-Identifier: MIT
#include <daybook/stats/latency_histogram.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using Histogram = daybook::LatencyHistogram<16>;
using std::chrono::nanoseconds;

namespace {

/// The value at the nearest rank, ceil(percent / 100 * n), in whole numbers.
std::int64_t at_rank(const std::vector<std::int64_t>& sorted, std::size_t percent) {
    const std::size_t rank = std::max<std::size_t>(1, (percent * sorted.size() + 99) / 100);
    return sorted[rank - 1];
}

/// From nanoseconds to a day, every magnitude equally often.
std::int64_t any_duration(std::mt19937_64& random) {
    return static_cast<std::int64_t>(random() % (std::uint64_t{1} << (1 + random() % 46)));
}

bool is_close(nanoseconds found, std::int64_t expected) {
    const double off = std::abs(static_cast<double>(found.count() - expected));
    return off <= std::max(8.0, 0.032 * static_cast<double>(expected));
}

} // namespace

TEST_CASE("an empty histogram answers zero to everything") {
    const Histogram histogram;
    CHECK(histogram.count() == 0);
    CHECK(histogram.min() == 0ns);
    CHECK(histogram.max() == 0ns);
    CHECK(histogram.mean_ns() == 0.0);
    CHECK(histogram.quantile(0.5) == 0ns);
    const auto summary = histogram.summary();
    CHECK(summary.count == 0);
    CHECK(summary.p99_ms == 0.0);
    CHECK(summary.min_ms == 0.0);
}

TEST_CASE("one value is every quantile of itself, exactly") {
    for (const nanoseconds value : {0ns, 1ns, 15ns, 16ns, 255ns, 256ns, 1'234'567ns, nanoseconds{1h}}) {
        Histogram histogram;
        histogram.record(value);
        CHECK(histogram.quantile(0.0) == value);
        CHECK(histogram.quantile(0.5) == value);
        CHECK(histogram.quantile(1.0) == value);
    }
}

TEST_CASE("a negative duration counts as zero") {
    Histogram histogram;
    histogram.record(-5ms);
    CHECK(histogram.count() == 1);
    CHECK(histogram.min() == 0ns);
    CHECK(histogram.max() == 0ns);
}

TEST_CASE("every quantile is within 3.2 percent of the value at the nearest rank") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random{seed};
        Histogram histogram;
        std::vector<std::int64_t> values;
        for (std::size_t i = 0, n = 1 + random() % 500; i < n; ++i) {
            values.push_back(any_duration(random));
            histogram.record(nanoseconds{values.back()});
        }
        std::sort(values.begin(), values.end());
        for (std::size_t percent = 0; percent <= 100; ++percent) {
            INFO(percent << " percent of " << values.size());
            REQUIRE(is_close(histogram.quantile(static_cast<double>(percent) / 100.0), at_rank(values, percent)));
        }
    }
}

TEST_CASE("a quantile never costs a rank because its fraction is not exact in binary") {
    // The values are far apart, so that a rank too many shows.
    Histogram histogram;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 100; ++i) {
        values.push_back(static_cast<std::int64_t>(1000.0 * std::pow(1.2, i)));
        histogram.record(nanoseconds{values.back()});
    }
    for (std::size_t percent = 1; percent <= 100; ++percent) {
        INFO(percent);
        CHECK(is_close(histogram.quantile(static_cast<double>(percent) / 100.0), at_rank(values, percent)));
    }
}

TEST_CASE("several quantiles in one pass are the same as one by one") {
    std::mt19937_64 random{3};
    Histogram histogram;
    for (int i = 0; i < 1000; ++i) { histogram.record(nanoseconds{any_duration(random)}); }
    const std::array fractions{0.0, 0.5, 0.5, 0.95, 0.99, 1.0};
    const auto together = histogram.quantiles(fractions);
    for (std::size_t i = 0; i < fractions.size(); ++i) { CHECK(together[i] == histogram.quantile(fractions[i])); }
}

TEST_CASE("a fraction out of range is the nearest one in range") {
    Histogram histogram;
    histogram.record(1ms);
    histogram.record(9ms);
    CHECK(histogram.quantile(-1.0) == histogram.quantile(0.0));
    CHECK(histogram.quantile(2.0) == 9ms);
}

TEST_CASE("mean, minimum and maximum are exact") {
    std::mt19937_64 random{5};
    Histogram histogram;
    std::int64_t sum = 0;
    std::int64_t least = INT64_MAX;
    std::int64_t most = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto value = static_cast<std::int64_t>(random() % 1'000'000'000'000);
        histogram.record(nanoseconds{value});
        sum += value;
        least = std::min(least, value);
        most = std::max(most, value);
    }
    CHECK(histogram.mean_ns() == static_cast<double>(sum) / 1000.0);
    CHECK(histogram.min().count() == least);
    CHECK(histogram.max().count() == most);
}

TEST_CASE("a merged histogram is the histogram of both") {
    std::mt19937_64 random{7};
    Histogram one;
    Histogram other;
    Histogram both;
    for (int i = 0; i < 1000; ++i) {
        const nanoseconds value{any_duration(random)};
        (i % 3 == 0 ? one : other).record(value);
        both.record(value);
    }
    one.merge(other);
    CHECK(one.count() == both.count());
    CHECK(one.min() == both.min());
    CHECK(one.max() == both.max());
    CHECK(std::abs(one.mean_ns() / both.mean_ns() - 1.0) < 1e-12);
    for (const double fraction : {0.01, 0.5, 0.95, 0.99, 1.0}) {
        CHECK(one.quantile(fraction) == both.quantile(fraction));
    }
    one.merge(Histogram{});
    CHECK(one.min() == both.min());
}

TEST_CASE("beyond the last bucket a quantile is the maximum") {
    Histogram histogram;
    histogram.record(1s);
    histogram.record(nanoseconds{std::chrono::hours{1000}});
    histogram.record(nanoseconds::max());
    CHECK(histogram.quantile(0.3) <= 1040ms);
    CHECK(histogram.quantile(0.6) == nanoseconds::max());
    CHECK(histogram.quantile(1.0) == nanoseconds::max());
    CHECK(histogram.max() == nanoseconds::max());
}

TEST_CASE("37 hours are still measured") {
    Histogram histogram;
    histogram.record(nanoseconds{36h + 59min});
    histogram.record(nanoseconds{100h});
    CHECK(is_close(histogram.quantile(0.5), nanoseconds{36h + 59min}.count()));
}

TEST_CASE("more sub-buckets measure more closely") {
    daybook::LatencyHistogram<64> fine;
    std::mt19937_64 random{9};
    std::vector<std::int64_t> values;
    for (int i = 0; i < 500; ++i) {
        values.push_back(1'000'000 + static_cast<std::int64_t>(random() % 1'000'000'000));
        fine.record(nanoseconds{values.back()});
    }
    std::sort(values.begin(), values.end());
    for (std::size_t percent = 1; percent <= 100; ++percent) {
        const auto expected = static_cast<double>(at_rank(values, percent));
        const auto found = static_cast<double>(fine.quantile(static_cast<double>(percent) / 100.0).count());
        CHECK(std::abs(found - expected) <= expected / 128.0);
    }
}

TEST_CASE("a cleared histogram starts anew") {
    Histogram histogram;
    histogram.record(5ms);
    histogram.clear();
    CHECK(histogram.count() == 0);
    histogram.record(7ms);
    CHECK(histogram.min() == 7ms);
    CHECK(histogram.quantile(0.5) == 7ms);
}

TEST_CASE("a summary is in milliseconds") {
    Histogram histogram;
    histogram.record(2ms);
    histogram.record(4ms);
    const auto summary = histogram.summary();
    CHECK(summary.count == 2);
    CHECK(summary.average_ms == 3.0);
    CHECK(summary.min_ms == 2.0);
    CHECK(summary.max_ms == 4.0);
}

TEST_CASE("a histogram of 16 sub-buckets takes 5 KB") { CHECK(sizeof(Histogram) <= 5 * 1024 + 64); }

TEST_CASE("clearing and merging reach every bucket in use") {
    Histogram histogram;
    Histogram merged;
    for (const nanoseconds value : {0ns, 1ns, nanoseconds{1h}, nanoseconds::max()}) {
        histogram.record(value);
        merged.merge(histogram);
        CHECK(merged.quantile(1.0) == value);
        merged.clear();
        CHECK(merged.quantile(1.0) == 0ns);
    }
    histogram.clear();
    histogram.record(5s);
    for (const double fraction : {0.0, 0.001, 0.5, 0.999, 1.0}) { CHECK(histogram.quantile(fraction) == 5s); }
}

TEST_CASE("the 99.9th percentile is within 3.2 percent of the value at its rank") {
    std::mt19937_64 random{11};
    Histogram histogram;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(any_duration(random));
        histogram.record(nanoseconds{values.back()});
    }
    std::sort(values.begin(), values.end());
    CHECK(histogram.summary().p999_ms > histogram.summary().p99_ms);
    CHECK(is_close(histogram.quantile(0.999), values[19'980 - 1]));
}
