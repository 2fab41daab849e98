// SPDX-License-Identifier: MIT

/// @file
/// The promise that nothing is lost: a random life of random jobs, held against what their schedules say.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <map>
#include <optional>
#include <random>
#include <set>

using namespace bench;
using daybook::Misfire;
using daybook::Overlap;

namespace {

/// What is known of a job without asking the scheduler.
struct Expected {
    std::string id;
    daybook::Schedule schedule;
    daybook::sys_time wall_added;
    daybook::steady_time steady_added;
    std::optional<daybook::sys_time> wall_seen{};      ///< the latest that a dispatch has seen
    std::optional<daybook::steady_time> steady_seen{}; ///< the same
    std::uint64_t triggers = 0;
    bool is_alive = true;

    [[nodiscard]] std::uint64_t nominal() const {
        if (const auto* every = schedule.interval()) {
            return steady_seen ? static_cast<std::uint64_t>((*steady_seen - steady_added) / every->period()) : 0;
        }
        std::uint64_t count = 0;
        if (const auto* once = schedule.once()) { return wall_seen && *wall_seen >= *once->wall() ? 1 : 0; }
        for (auto at = schedule.next(wall_added); at && wall_seen && *at <= *wall_seen; at = schedule.next(*at)) {
            ++count;
        }
        return count;
    }
};

class Simulation {
public:
    explicit Simulation(std::uint64_t seed)
        : random_{seed}, bench_{0, [](auto& options) {
                                    options.log.capacity = 200'000;
                                    options.log.skip_capacity = 100'000;
                                    options.max_queue = 20;
                                }} {}

    void run() {
        if (chance(50)) { add(); }
        bench_.scheduler.start();
        for (auto& job : jobs_) { job.wall_added = bench_.clock.now(), job.steady_added = bench_.clock.steady_now(); }
        for (int i = 0; i < 150; ++i) { step(); }
        see();
        bench_.scheduler.stop();
        for (const auto& job : jobs_) { check(job); }
    }

private:
    int pick(int below) { return std::uniform_int_distribution{0, below - 1}(random_); }
    bool chance(int percent) { return pick(100) < percent; }
    template <class Choice>
    Choice choose(std::initializer_list<Choice> choices) {
        return choices.begin()[pick(static_cast<int>(choices.size()))];
    }

    Expected* somebody() {
        if (jobs_.empty()) { return nullptr; }
        auto& job = jobs_[static_cast<std::size_t>(pick(static_cast<int>(jobs_.size())))];
        return job.is_alive ? &job : nullptr;
    }

    void add() {
        const std::string id = "job-" + std::to_string(jobs_.size());
        daybook::Schedule schedule = daybook::every(std::chrono::seconds{1 + pick(90)});
        if (chance(50)) {
            schedule = daybook::cron(choose({"* * * * * *", "*/7 * * * * *", "0 * * * * *", "30 */5 * * * *",
                                             "15,45 0-40 * * * *", "0 0 * * * *"}));
        } else if (chance(20)) {
            schedule = daybook::at(bench_.clock.now() + std::chrono::seconds{pick(7200) - 3600});
        }
        bench_.scheduler.add(
            {.id = id,
             .schedule = schedule,
             .retry = chance(50) ? daybook::fixed_backoff({.max_attempts = 1U + static_cast<std::uint32_t>(pick(4)),
                                                           .delay = std::chrono::seconds{pick(20)}})
                                 : daybook::RetryPolicy{},
             .timeout = std::chrono::seconds{chance(50) ? 0 : 3},
             .overlap = choose(
                 {Overlap::skip, Overlap::queue_one, Overlap::queue_all, Overlap::allow, Overlap::cancel_running}),
             .misfire = choose({Misfire::run_once, Misfire::skip, Misfire::run_all}),
             .misfire_grace = std::chrono::seconds{choose({0, 60, 100'000})},
             .max_catch_up = static_cast<std::uint32_t>(pick(30))},
            [this] {
                if (chance(20)) { bench_.clock.advance(std::chrono::milliseconds{pick(10'000)}); }
                if (chance(5)) { trigger(); }
                if (chance(3)) { remove(); }
                if (chance(30)) { throw 1; }
            });
        jobs_.push_back({.id = id,
                         .schedule = schedule,
                         .wall_added = bench_.clock.now(),
                         .steady_added = bench_.clock.steady_now()});
    }

    void trigger() {
        if (auto* job = somebody()) {
            const auto outcome = bench_.scheduler.trigger(job->id).outcome;
            CHECK(outcome != daybook::TriggerOutcome::stopped);
            if (outcome != daybook::TriggerOutcome::unknown_job) { ++job->triggers; }
        }
    }

    void remove() {
        if (auto* job = somebody()) {
            bench_.scheduler.remove(job->id);
            job->is_alive = false;
        }
    }

    /// What the next dispatch will see.
    void see() {
        for (auto& job : jobs_) {
            if (!job.is_alive) { continue; }
            job.wall_seen = std::max(job.wall_seen.value_or(daybook::sys_time::min()), bench_.clock.now());
            job.steady_seen = bench_.clock.steady_now();
        }
    }

    void step() {
        const int what = pick(100);
        if (what < 50) {
            bench_.clock.advance(std::chrono::milliseconds{pick(chance(20) ? 600'000 : 5000)});
        } else if (what < 55) {
            bench_.clock.step(std::chrono::milliseconds{pick(7'000'000)});
        } else if (what < 58) {
            bench_.clock.step(std::chrono::milliseconds{-pick(200'000)}); // never three hours in all
        } else if (what < 63) {
            add();
        } else if (what < 68) {
            trigger();
        } else if (what < 74) {
            if (auto* job = somebody()) { bench_.scheduler.pause(job->id); }
        } else if (what < 80) {
            if (auto* job = somebody()) { bench_.scheduler.resume(job->id); }
        } else if (what < 82) {
            remove();
        } else {
            see();
            bench_.scheduler.poll();
        }
    }

    void check(const Expected& job) {
        INFO(job.id << ' ' << to_string(job.schedule));
        std::uint64_t first_attempts = 0;
        std::uint64_t skipped = 0;
        bool is_counted = true; // else the job was so far behind that nobody counted to the end
        std::set<daybook::sys_time> nominal;
        std::map<daybook::OccurrenceId, std::vector<daybook::JobExecutionRecord<>>> occurrences;
        for (auto& record : bench_.history(job.id)) {
            CHECK(is_finished(record.status));
            if (record.status == JobStatus::skipped) {
                is_counted &= !record.skip_count_is_minimum;
                CHECK(record.attempt_number == 1);
                skipped += record.skip_count;
                continue;
            }
            if (record.attempt_number == 1) {
                ++first_attempts;
                if (record.scheduled_at && job.schedule.interval() == nullptr) {
                    CHECK(nominal.insert(*record.scheduled_at).second);
                    if (job.schedule.once() == nullptr) {
                        CHECK(job.schedule.next(*record.scheduled_at - 1us) == record.scheduled_at);
                    }
                }
            }
            occurrences[record.occurrence_id].push_back(std::move(record));
        }
        CHECK(job.nominal() + job.triggers >= first_attempts + skipped);
        if (is_counted) { CHECK(job.nominal() + job.triggers == first_attempts + skipped); }
        for (const auto& [id, attempts] : occurrences) {
            for (std::size_t i = 0; i < attempts.size(); ++i) {
                CHECK(attempts[i].attempt_number == i + 1);
                CHECK(attempts[i].is_final == (i + 1 == attempts.size()));
                CHECK(attempts[i].scheduled_at == attempts[0].scheduled_at);
            }
        }
        const auto stats = bench_.scheduler.log().stats();
        CHECK(stats.running == 0);
        CHECK(stats.queued == 0);
    }

    std::mt19937_64 random_;
    Bench bench_;
    std::vector<Expected> jobs_;
};

} // namespace

TEST_CASE("whatever happens, occurrences are executed or skipped, none twice and none lost") {
    const auto start = std::random_device{}();
    for (std::uint64_t round = 0; round < 40; ++round) {
        INFO("seed " << start + round);
        Simulation{start + round}.run();
    }
}
