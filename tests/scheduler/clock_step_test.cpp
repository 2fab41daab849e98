// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <semaphore>
#include <string>

#if defined(__linux__)
#include <sys/timex.h>
#endif

using namespace bench;

#if defined(__linux__)

namespace {

/// Sets the machine's wall clock forward or back, by what it is told; false where the process may not.
bool step_clock(std::chrono::seconds by) {
    timex step{};
    step.modes = ADJ_SETOFFSET;
    step.time.tv_sec = by.count();
    return ::adjtimex(&step) != -1;
}

/// Puts back what it has set.
class SteppedClock {
public:
    explicit SteppedClock(std::chrono::seconds by) : by_{by}, is_set_{step_clock(by)} {}
    SteppedClock(const SteppedClock&) = delete;
    SteppedClock& operator=(const SteppedClock&) = delete;
    ~SteppedClock() {
        if (is_set_) { step_clock(-by_); }
    }
    [[nodiscard]] bool is_set() const noexcept { return is_set_; }

private:
    std::chrono::seconds by_;
    bool is_set_;
};

} // namespace

TEST_CASE("a step of the machine's own wall clock is noticed at once") {
    if (std::getenv("DAYBOOK_SET_CLOCK") == nullptr) { // NOLINT(concurrency-mt-unsafe): nobody sets it
        WARN("not tested: DAYBOOK_SET_CLOCK=1 lets this set the machine's clock by ten seconds, and back");
        return;
    }
    daybook::Scheduler<> scheduler{{.workers = 1}};
    std::binary_semaphore has_run{0};
    const auto wall_now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    scheduler.add("waiting", daybook::at(wall_now + 10s), [&] { has_run.release(); });
    scheduler.add("ticking", daybook::every(1h), [] {});
    scheduler.start();
    const auto begin = std::chrono::steady_clock::now();
    std::optional<SteppedClock> stepped{std::in_place, 10s};
    REQUIRE(stepped->is_set());
    REQUIRE(has_run.try_acquire_for(5s)); // the wake-up that was planned is still to come
    const std::chrono::nanoseconds noticed = std::chrono::steady_clock::now() - begin;
    stepped.reset();
    WARN("noticed after " << noticed.count() / 1000 << " us");
    scheduler.stop(patience);
    CHECK(bench::story(scheduler.log(), "waiting") == "success");
    CHECK(bench::story(scheduler.log(), "ticking").empty());
}

TEST_CASE("what is added after the machine's wall clock was set back is not late") {
    if (std::getenv("DAYBOOK_SET_CLOCK") == nullptr) { return; } // NOLINT(concurrency-mt-unsafe): nobody sets it
    daybook::Scheduler<> scheduler{{.workers = 1}};
    std::binary_semaphore has_run{0};
    const auto wall_now = [] {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    };
    scheduler.add("past", daybook::at(wall_now()), [&] { has_run.release(); });
    scheduler.start();
    REQUIRE(has_run.try_acquire_for(5s));
    const SteppedClock stepped{-60s};
    REQUIRE(stepped.is_set());
    scheduler.add("soon", daybook::at(wall_now() + 100ms), [&] { has_run.release(); });
    CHECK(has_run.try_acquire_for(20s));
    scheduler.stop(patience);
}

#endif
