// SPDX-License-Identifier: MIT
#include "stats/stats_model.hpp"
#include "support/catch.hpp"

#include <daybook/stats/stats.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace daybook;
using namespace stats_test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_handlers = 3;
constexpr std::size_t max_jobs = 5;

/// The statistics, the model, and the two clocks that both are told.
struct Both {
    Stats<> stats{max_handlers, max_jobs};
    Model model;
    sys_time wall = sys_time{std::chrono::hours{24 * 365 * 50}} + 123'456us;
    steady_time steady{};
    std::array<StatsGroup, max_handlers + 1> handlers{};
    std::array<StatsGroup, max_jobs + 1> jobs{};

    Both() { name_all(); }

    [[nodiscard]] std::map<StatsGroup, std::string> handler_names() const {
        std::map<StatsGroup, std::string> names;
        for (std::size_t i = 0; i < handlers.size(); ++i) {
            names[handlers[i]] = i < max_handlers ? "h" + std::to_string(i) : "other";
        }
        return names;
    }

    /// One more than there is room for: the last of each is `other`.
    void name_all() {
        for (std::size_t i = 0; i < handlers.size(); ++i) { handlers[i] = stats.add_handler("h" + std::to_string(i)); }
        for (std::size_t i = 0; i < jobs.size(); ++i) { jobs[i] = stats.add_job("j" + std::to_string(i)); }
    }
};

void check_latency(const LatencySummary& found, const Ends& ends, const Ends& measured) {
    const auto all = durations_of(ends);
    REQUIRE(found.count == all.size());
    if (all.empty()) {
        REQUIRE(found.p999_ms == 0.0);
        REQUIRE(found.min_ms == 0.0);
        return;
    }
    double sum = 0.0;
    for (const double duration : all) { sum += duration; }
    REQUIRE(std::abs(found.average_ms - sum / static_cast<double>(all.size())) <= 1e-9 * (1.0 + sum));
    REQUIRE(found.min_ms == all.front());
    REQUIRE(found.max_ms == all.back());
    const auto sorted = durations_of(measured);
    REQUIRE(is_about(found.p50_ms, at_rank(sorted, 500)));
    REQUIRE(is_about(found.p95_ms, at_rank(sorted, 950)));
    REQUIRE(is_about(found.p99_ms, at_rank(sorted, 990)));
    REQUIRE(is_about(found.p999_ms, at_rank(sorted, 999)));
}

void check_buckets(const std::vector<TimelineBucket>& found, const Buckets& model, sys_time now) {
    const auto expected = model.shown(now);
    REQUIRE(found.size() == expected.size());
    std::size_t i = 0;
    for (const auto& [key, bucket] : expected) {
        INFO("bucket " << key << " of " << model.seconds << " s");
        REQUIRE(found[i].begin.time_since_epoch().count() == key * model.seconds * 1'000'000);
        REQUIRE(equal(found[i], counts_of(bucket.ends, bucket.all_skipped())));
        check_latency(found[i].duration, bucket.ends, bucket.measured);
        ++i;
    }
}

/// Those of a handler or a job, or of all that have none of their own.
Ends of_group(const Ends& all, StatsGroup ExecutionEnd::*group, StatsGroup wanted) {
    Ends some;
    for (const ExecutionEnd& end : all) {
        if (end.*group == wanted) { some.push_back(end); }
    }
    return some;
}

void check_rate(const RateStats& found, const RateStats& expected, double minutes) {
    REQUIRE(found.executions == expected.executions);
    REQUIRE(found.errors == expected.errors);
    REQUIRE(found.per_minute == static_cast<double>(expected.executions) / minutes);
}

void check_snapshot(const Both& both) {
    const Model& model = both.model;
    const auto found = both.stats.snapshot(both.wall, both.steady);
    std::uint64_t skipped = 0;
    for (const auto& entry : model.skipped) { skipped += entry.second; }
    REQUIRE(equal(found, counts_of(model.ends, skipped)));
    check_latency(found.duration, model.ends, model.ends);
    REQUIRE(found.by_model == models_of(model.ends, both.handler_names()));
    for (const auto& [reason, count] : model.reasons) {
        REQUIRE(found.skips_by_reason.find(to_string(reason))->second == count);
    }
    REQUIRE(found.skips_by_reason.size() == 8);
    REQUIRE(found.lifetime_executions == model.lifetime.total_executions);
    REQUIRE(found.lifetime.success_count == model.lifetime.success_count);
    REQUIRE(found.lifetime.error_count == model.lifetime.error_count);
    REQUIRE(found.lifetime.cancelled_count == model.lifetime.cancelled_count);
    REQUIRE(found.lifetime.skipped_count == model.lifetime.skipped_count);
    REQUIRE(found.lifetime.retry_count == model.lifetime.retry_count);
    check_rate(found.rates.last_minute, model.rate(both.steady, 1), 1.0);
    check_rate(found.rates.last_5_minutes, model.rate(both.steady, 5), 5.0);
    check_rate(found.rates.last_15_minutes, model.rate(both.steady, 15), 15.0);
    check_rate(found.rates.last_hour, model.rate(both.steady, 60), 60.0);
    check_buckets(found.timeline.minutes, model.minutes, both.wall);
    check_buckets(found.timeline.hours, model.hours, both.wall);
    check_buckets(found.timeline.days, model.days, both.wall);
    for (std::size_t i = 0; i < both.handlers.size(); ++i) {
        const auto ends = of_group(model.ends, &ExecutionEnd::handler, both.handlers[i]);
        const auto entry = found.by_handler.find(i < max_handlers ? "h" + std::to_string(i) : "other");
        const auto skips = model.skipped.find(i);
        const auto counts = counts_of(ends, skips == model.skipped.end() ? 0 : skips->second);
        REQUIRE(equal(entry == found.by_handler.end() ? HandlerStats{} : entry->second, counts));
        if (entry != found.by_handler.end()) { check_latency(entry->second.duration, ends, ends); }
    }
    for (std::size_t i = 0; i < both.jobs.size(); ++i) {
        const auto entry = found.by_job.find(i < max_jobs ? "j" + std::to_string(i) : "other");
        auto counts = counts_of(of_group(model.ends, &ExecutionEnd::job, both.jobs[i]), 0);
        if (entry != found.by_job.end()) { counts.skipped_count = entry->second.skipped_count; } // by handler only
        REQUIRE(equal(entry == found.by_job.end() ? JobStats{} : entry->second, counts));
    }
}

void check_range(const Both& both, sys_time from, sys_time to) {
    const auto found = both.stats.range(from, to, both.wall);
    Bucket all;
    std::size_t hours = 0;
    for (const auto& [key, bucket] : both.model.hours.shown(both.wall)) {
        if (key < both.model.hours.key_of(from) || sys_time{std::chrono::hours{key}} >= to) { continue; }
        all.add(bucket);
        ++hours;
    }
    REQUIRE(equal(found, counts_of(all.ends, all.all_skipped())));
    REQUIRE(found.timeline.size() == hours);
    REQUIRE(found.by_model == models_of(all.ends, both.handler_names()));
    const auto& lost = both.model.hours.lost;
    const auto first_lost = lost.lower_bound(both.model.hours.key_of(found.from));
    const bool has_lost = first_lost != lost.end() && sys_time{std::chrono::hours{*first_lost}} < found.to;
    const bool is_kept = from >= sys_time{} && both.model.hours.key_of(from) >= both.model.hours.key_of(found.from);
    REQUIRE(found.is_complete == (is_kept && !has_lost));
    REQUIRE(found.duration.count == durations_of(all.ends).size());
    std::size_t used = 0;
    for (std::size_t i = 0; i < both.handlers.size(); ++i) {
        const auto ends = of_group(all.ends, &ExecutionEnd::handler, both.handlers[i]);
        const auto entry = found.by_handler.find(i < max_handlers ? "h" + std::to_string(i) : "other");
        const auto skips = all.skipped.find(i);
        const auto counts = counts_of(ends, skips == all.skipped.end() ? 0 : skips->second);
        REQUIRE(equal(entry == found.by_handler.end() ? HandlerRangeStats{} : entry->second, counts));
        if (entry == found.by_handler.end()) { continue; }
        ++used;
        const auto durations = durations_of(ends);
        REQUIRE(entry->second.duration.count == durations.size());
        if (durations.empty()) { continue; }
        double sum = 0.0;
        for (const double duration : durations) { sum += duration; }
        REQUIRE(std::abs(entry->second.duration.average_ms * static_cast<double>(durations.size()) - sum) <=
                1e-6 * (1.0 + sum));
        REQUIRE(entry->second.duration.min_ms == durations.front());
        REQUIRE(entry->second.duration.max_ms == durations.back());
    }
    REQUIRE(found.by_handler.size() == used);
}

std::chrono::microseconds any_time(std::mt19937_64& random, std::chrono::microseconds most) {
    return std::chrono::microseconds{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most.count()))};
}

void end_one(Both& both, std::mt19937_64& random) {
    constexpr std::array statuses{JobStatus::success, JobStatus::success,   JobStatus::success,  JobStatus::error,
                                  JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
    constexpr std::array<std::string_view, 4> models{"", "", "h1", "large"};
    ExecutionEnd end{.status = statuses[random() % statuses.size()],
                     .is_final = random() % 4 != 0,
                     .attempt_number = static_cast<std::uint32_t>(1 + random() % 3),
                     .duration = random() % 8 == 0 ? ExecutionEnd::never_ran
                                                   : std::chrono::nanoseconds{static_cast<std::int64_t>(
                                                         random() % (1ULL << (random() % 46)))},
                     .handler = both.handlers[random() % both.handlers.size()],
                     .job = both.jobs[random() % both.jobs.size()],
                     .at = both.wall,
                     .steady_at = both.steady,
                     .model = models[random() % models.size()]};
    if (random() % 3 == 0) {
        end.requests = {.total = random() % 5, .completed = random() % 1000, .failed = random() % 3};
    }
    both.stats.record_end(end);
    both.model.end(end);
}

void skip_one(Both& both, std::mt19937_64& random) {
    const std::size_t handler = random() % both.handlers.size();
    const auto reason = static_cast<SkipReason>(1 + random() % 8);
    const std::uint64_t count = 1 + random() % 5;
    both.stats.record_skip({.reason = reason,
                            .occurrences = count,
                            .handler = both.handlers[handler],
                            .job = both.jobs[random() % both.jobs.size()],
                            .at = both.wall});
    both.model.skip(handler, reason, count, both.wall);
}

/// Time passes, mostly little; now and then somebody sets the wall clock.
void move_clocks(Both& both, std::mt19937_64& random) {
    constexpr std::array<std::chrono::microseconds, 7> spans{10ms, 4s, 30s, 3min, 1h, 5h, 24h * 30};
    const auto passed = any_time(random, spans[random() % (random() % 4 == 0 ? spans.size() : 4)]);
    both.wall += passed;
    both.steady += passed;
    switch (random() % 40) {
    case 0: both.wall -= any_time(random, 59s); break;
    case 1: both.wall -= any_time(random, 5h); break;
    case 2: both.wall -= any_time(random, 24h * 200); break;
    case 3: both.wall += any_time(random, 10h); break;
    case 4: both.wall += any_time(random, 24h * 200); break;
    default: break;
    }
}

} // namespace

TEST_CASE("statistics equal a recount of everything, whatever the clocks do") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random{seed};
        Both both;
        for (int step = 0; step < 600; ++step) {
            INFO("step " << step);
            const auto dice = random() % 100;
            if (dice < 50) {
                end_one(both, random);
            } else if (dice < 58) {
                skip_one(both, random);
            } else if (dice < 98) {
                move_clocks(both, random);
            } else if (random() % 5 == 0) {
                both.stats.clear();
                both.model.clear();
                both.name_all();
            }
            if (random() % 12 == 0) { check_snapshot(both); }
            if (random() % 20 == 0) {
                const auto from = both.wall - any_time(random, 24h * 10);
                check_range(both, from, from + any_time(random, 24h * 8));
            }
        }
        check_snapshot(both);
        check_range(both, sys_time::min(), sys_time::max());
    }
}
