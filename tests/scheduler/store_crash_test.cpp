// SPDX-License-Identifier: MIT
#include "store_bench.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace bench;
using daybook::Delivery;
using daybook::Misfire;
using daybook::Overlap;

namespace {

using Open = daybook::Completion<std::string>;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

/// A program whose processes die one after the other, each at any boundary between two writes of the store.
class Program {
public:
    explicit Program(Random& random) : random_{random} {
        for (std::size_t i = 0; i < 6; ++i) {
            daybook::JobOptions job{.id = "job" + std::to_string(i)};
            job.schedule = daybook::cron(below(random, 2) == 0 ? "* * * * *" : "*/3 * * * *");
            job.misfire = std::vector{Misfire::run_once, Misfire::skip, Misfire::run_all}[below(random, 3)];
            job.max_catch_up = static_cast<std::uint32_t>(below(random, 4));
            job.overlap = std::vector{Overlap::skip, Overlap::queue_one, Overlap::queue_all, Overlap::allow,
                                      Overlap::cancel_running}[below(random, 5)];
            job.delivery = below(random, 2) == 0 ? Delivery::at_least_once : Delivery::at_most_once;
            if (job.delivery == Delivery::at_least_once && below(random, 2) == 0) {
                job.retry = daybook::fixed_backoff({.max_attempts = 3, .delay = 30s});
            }
            jobs_.push_back(job);
        }
    }

    /// One process: what it leaves is any of the states that its store had.
    void live() {
        Life life{clock_, std::move(left_)};
        begin(life);
        for (std::size_t steps = 1 + below(random_, 12); steps != 0; --steps) { step(life); }
        const Kept last = life.crash();
        const auto states = life.vault->states();
        left_ = below(random_, 3) == 0 ? last : states[below(random_, states.size())];
        open_.clear();
    }

    /// The last process ends what it can, and looks at the clock once more.
    [[nodiscard]] Kept end() {
        Life life{clock_, std::move(left_)};
        begin(life);
        for (int i = 0; i < 10; ++i) {
            life.pass(30s, 30s);
            while (!open_.empty()) {
                auto open = std::exchange(open_, {});
                for (Open& one : open) { one.success(); }
                life.scheduler.poll();
            }
        }
        return life.crash();
    }

    [[nodiscard]] const std::vector<daybook::JobOptions>& jobs() const { return jobs_; }
    [[nodiscard]] daybook::sys_time now() const { return clock_.now(); }

private:
    void begin(Life& life) {
        for (const daybook::JobOptions& job : jobs_) {
            life.scheduler.add(job, [this](daybook::JobContext&, Open done) { open_.push_back(std::move(done)); });
        }
        life.scheduler.start();
        life.vault->remember_states();
    }

    void step(Life& life) {
        switch (below(random_, 8)) {
        case 0: clock_.advance(std::chrono::minutes{below(random_, 9)}); break; // nobody looks for a while
        case 1: life.scheduler.pause(jobs_[below(random_, jobs_.size())].id); break;
        case 2: life.scheduler.resume_all(); break;
        case 3: life.scheduler.log().flush(patience); break;
        default: life.pass(60s, 20s);
        }
        auto open = std::exchange(open_, {});
        for (Open& one : open) {
            const std::size_t fate = below(random_, 4);
            if (fate == 0) {
                open_.push_back(std::move(one)); // it goes on
            } else if (fate == 1) {
                one.error("no");
            } else {
                one.success();
            }
        }
        life.scheduler.poll();
    }

    Random& random_;
    daybook::ManualClock clock_;
    std::vector<daybook::JobOptions> jobs_;
    std::vector<Open> open_;
    Kept left_;
};

/// Which nominal times of a job have a record, and how many successes.
std::map<daybook::sys_time, std::size_t> accounted(const Kept& kept, const daybook::JobOptions& job) {
    std::map<daybook::sys_time, std::size_t> successes;
    for (const auto& [id, record] : kept.executions) {
        if (record.job_id != job.id || !record.scheduled_at) { continue; }
        std::optional<daybook::sys_time> at = record.scheduled_at;
        successes[*at] += record.status == JobStatus::success ? 1U : 0U;
        for (std::uint64_t i = 1; i < record.skip_count; ++i) { successes[*(at = job.schedule.next(*at))] += 0; }
    }
    return successes;
}

void check(Random::result_type seed) {
    INFO("seed " << seed);
    Random random{seed};
    Program program{random};
    for (std::size_t lives = 2 + below(random, 6); lives != 0; --lives) { program.live(); }
    const Kept kept = program.end();
    for (const daybook::JobOptions& job : program.jobs()) {
        INFO(job.id << ", " << to_string(*job.misfire) << ", " << to_string(*job.overlap) << ", "
                    << to_string(*job.delivery));
        const auto successes = accounted(kept, job);
        for (const auto nominal : job.schedule.occurrences(monday + 1us, program.now() + 1us)) {
            INFO("nominal minute " << (nominal - monday) / 1min);
            REQUIRE(successes.contains(nominal));
            if (job.delivery == Delivery::at_most_once) { REQUIRE(successes.at(nominal) <= 1); }
        }
    }
    for (const auto& [id, record] : kept.executions) { CHECK(is_finished(record.status)); }
}

} // namespace

TEST_CASE(
    "whenever its processes die, every nominal time of a program has its record, and at most one is at most one") {
    for (Random::result_type seed = 1; seed <= 25; ++seed) { check(seed); }
    check(std::random_device{}());
}
