// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_STATS_STATS_MODEL_HPP
#define DAYBOOK_TESTS_STATS_STATS_MODEL_HPP

/// @file
/// Statistics as one would write them with all the memory and all the time in the world: every end is kept, everything
/// is counted again when it is asked for.

#include <daybook/stats/stats.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stats_test {

using namespace daybook;
using Ends = std::vector<ExecutionEnd>;

/// Division that rounds down, also below zero.
inline std::int64_t floor_div(std::int64_t number, std::int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

inline std::vector<double> durations_of(const Ends& ends) {
    std::vector<double> all;
    for (const ExecutionEnd& end : ends) {
        if (end.duration == ExecutionEnd::never_ran || end.status == JobStatus::cancelled) { continue; }
        all.push_back(static_cast<double>(end.duration.count()) / 1e6);
    }
    std::sort(all.begin(), all.end());
    return all;
}

inline bool is_about(double found, double expected) {
    return std::abs(found - expected) <= std::max(0.032 * expected, 8.5e-6);
}

/// The value at the nearest rank, ceil(n * permille / 1000).
inline double at_rank(const std::vector<double>& sorted, std::size_t permille) {
    return sorted[std::max<std::size_t>(1, (sorted.size() * permille + 999) / 1000) - 1];
}

inline OutcomeCounts counts_of(const Ends& ends, std::uint64_t skipped) {
    OutcomeCounts counts;
    counts.skipped_count = skipped;
    for (const ExecutionEnd& end : ends) {
        if (end.attempt_number > 1 && end.duration != ExecutionEnd::never_ran) { ++counts.retry_count; }
        if (!end.is_final) { continue; }
        const bool is_silent = end.requests == RequestCounts{};
        const bool failed = end.status != JobStatus::success && end.status != JobStatus::cancelled;
        const std::uint64_t known = end.requests.completed + end.requests.failed;
        counts.requests.total += is_silent ? 1 : end.requests.total != 0 ? end.requests.total : known;
        counts.requests.completed += is_silent ? (end.status == JobStatus::success ? 1U : 0U) : end.requests.completed;
        counts.requests.failed += is_silent ? (failed ? 1U : 0U) : end.requests.failed;
        if (end.status == JobStatus::cancelled) {
            ++counts.cancelled_count;
            continue;
        }
        ++counts.total_executions;
        ++(end.status == JobStatus::success ? counts.success_count : counts.error_count);
        if (end.status == JobStatus::timeout) { ++counts.timeout_count; }
        if (end.status == JobStatus::abandoned) { ++counts.abandoned_count; }
    }
    if (counts.total_executions != 0) {
        const double share = static_cast<double>(counts.success_count) / static_cast<double>(counts.total_executions);
        counts.success_rate = std::round(share * 10'000.0) / 100.0;
    }
    return counts;
}

inline bool equal(const OutcomeCounts& one, const OutcomeCounts& other) {
    return one.total_executions == other.total_executions && one.success_count == other.success_count &&
           one.error_count == other.error_count && one.timeout_count == other.timeout_count &&
           one.abandoned_count == other.abandoned_count && one.cancelled_count == other.cancelled_count &&
           one.skipped_count == other.skipped_count && one.retry_count == other.retry_count &&
           one.requests == other.requests && std::abs(one.success_rate - other.success_rate) < 0.0101;
}

/// Final executions by model, of which `handlers` say the names where there is none.
inline std::map<std::string, std::uint64_t, std::less<>> models_of(const Ends& ends,
                                                                   const std::map<StatsGroup, std::string>& handlers) {
    std::map<std::string, std::uint64_t, std::less<>> counts;
    for (const ExecutionEnd& end : ends) {
        if (!end.is_final) { continue; }
        ++counts[end.model.empty() ? handlers.at(end.handler) : std::string{end.model}];
    }
    return counts;
}

/// One minute, hour or day.
struct Bucket {
    Ends ends;
    std::map<std::size_t, std::uint64_t> skipped; ///< by handler
    Ends measured;                                ///< of the time through that the percentiles are of

    [[nodiscard]] std::uint64_t all_skipped() const {
        std::uint64_t sum = 0;
        for (const auto& entry : skipped) { sum += entry.second; }
        return sum;
    }

    /// An attempt that will be retried and never ran is no outcome, and has no duration.
    [[nodiscard]] bool has_counts() const {
        return !equal(counts_of(ends, all_skipped()), {}) || !durations_of(ends).empty();
    }

    void add(const Bucket& other) {
        if (durations_of(other.ends).size() > durations_of(ends).size()) { measured = other.ends; }
        ends.insert(ends.end(), other.ends.begin(), other.ends.end());
        for (const auto& [handler, count] : other.skipped) { skipped[handler] += count; }
    }
};

/// Buckets of one resolution: a place for each number modulo `length`, taken when the next bucket begins.
struct Buckets {
    std::int64_t seconds;
    std::int64_t length;
    std::map<std::int64_t, Bucket> closed = {};
    std::set<std::int64_t> lost = {}; ///< numbers of those that gave up their place
    Bucket open = {};
    std::optional<std::int64_t> open_key = {};

    [[nodiscard]] std::int64_t key_of(sys_time at) const {
        return floor_div(at.time_since_epoch().count(), seconds * 1'000'000);
    }

    void turn_to(sys_time at) {
        const auto key = key_of(at);
        if (open_key == key) { return; }
        if (open_key) {
            for (auto entry = closed.begin(); entry != closed.end();) {
                const bool shares_place = (entry->first - *open_key) % length == 0 && entry->first != *open_key;
                if (shares_place && entry->second.has_counts()) { lost.insert(entry->first); }
                entry = shares_place ? closed.erase(entry) : std::next(entry);
            }
            closed[*open_key].add(open);
        }
        open = {};
        open_key = key;
    }

    /// What is to be shown at `now`.
    [[nodiscard]] std::map<std::int64_t, Bucket> shown(sys_time now) const {
        std::map<std::int64_t, Bucket> all = closed;
        if (open_key) { all[*open_key].add(open); }
        const auto last = key_of(now + std::chrono::minutes{1});
        for (auto entry = all.begin(); entry != all.end();) {
            const bool is_shown =
                entry->first > key_of(now) - length && entry->first <= last && entry->second.has_counts();
            entry = is_shown ? std::next(entry) : all.erase(entry);
        }
        return all;
    }
};

struct Model {
    Ends ends; ///< since the last clear
    std::map<std::size_t, std::uint64_t> skipped;
    std::map<SkipReason, std::uint64_t> reasons;
    OutcomeCounts lifetime;
    Buckets minutes{60, 120};
    Buckets hours{3600, 168};
    Buckets days{86'400, 120};
    std::optional<sys_time> minute_begin;

    void turn_to(sys_time at) {
        if (minute_begin && at < *minute_begin && *minute_begin - at <= std::chrono::minutes{1}) { return; }
        minute_begin = sys_time{std::chrono::floor<std::chrono::minutes>(at)};
        for (Buckets* buckets : {&minutes, &hours, &days}) { buckets->turn_to(at); }
    }

    void end(const ExecutionEnd& end) {
        turn_to(end.at);
        ends.push_back(end);
        for (Buckets* buckets : {&minutes, &hours, &days}) { buckets->open.ends.push_back(end); }
        add_to_lifetime(counts_of({end}, 0));
    }

    void skip(std::size_t handler, SkipReason reason, std::uint64_t count, sys_time at) {
        turn_to(at);
        skipped[handler] += count;
        reasons[reason] += count;
        for (Buckets* buckets : {&minutes, &hours, &days}) { buckets->open.skipped[handler] += count; }
        lifetime.skipped_count += count;
    }

    void clear() {
        const OutcomeCounts kept = lifetime;
        *this = Model{};
        lifetime = kept;
    }

    [[nodiscard]] RateStats rate(steady_time now, std::int64_t windows_minutes) const {
        RateStats rate;
        const auto step = [](steady_time at) { return floor_div(at.time_since_epoch().count(), 5'000'000'000); };
        for (const ExecutionEnd& end : ends) {
            if (step(end.steady_at) <= step(now) - 12 * windows_minutes) { continue; }
            const auto counts = counts_of({end}, 0);
            rate.executions += counts.total_executions;
            rate.errors += counts.error_count;
        }
        return rate;
    }

private:
    void add_to_lifetime(const OutcomeCounts& one) {
        lifetime.total_executions += one.total_executions;
        lifetime.success_count += one.success_count;
        lifetime.error_count += one.error_count;
        lifetime.timeout_count += one.timeout_count;
        lifetime.abandoned_count += one.abandoned_count;
        lifetime.cancelled_count += one.cancelled_count;
        lifetime.retry_count += one.retry_count;
    }
};

} // namespace stats_test

#endif
