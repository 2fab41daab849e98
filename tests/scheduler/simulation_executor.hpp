// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_EXECUTOR_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_EXECUTOR_HPP

/// @file
/// An executor that leaves everything to chance, and how a scheduler with an executor is held to one thread.

#include "simulation_base.hpp"

#include <daybook/worker/executor.hpp>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

namespace simulation {

/// Keeps tasks until somebody takes one of them, any; now and then it refuses one.
class Shelf {
public:
    explicit Shelf(std::uint64_t seed) : random_{seed}, refusal_percent_{random_.choose({0, 0, 5, 40})} {}

    bool post(daybook::Task task) {
        if (is_closed_) { return true; }
        if (random_.chance(refusal_percent_)) {
            has_refused_ = true;
            return false;
        }
        tasks_.push_back(std::move(task));
        has_refused_ = false;
        return true;
    }

    /// @returns Whether there was one.
    bool run_one() {
        if (tasks_.empty()) { return false; }
        const std::size_t taken = random_.index(tasks_.size());
        daybook::Task task = std::move(tasks_[taken]);
        if (taken + 1 != tasks_.size()) { tasks_[taken] = std::move(tasks_.back()); }
        tasks_.pop_back();
        task();
        return true;
    }

    /// Whether there is nothing that the scheduler has to offer again, and nothing to run.
    [[nodiscard]] bool is_even() const { return tasks_.empty() && !has_refused_; }

    /// What comes after the end is dropped.
    void close() {
        is_closed_ = true;
        tasks_.clear();
    }

private:
    Random random_;
    int refusal_percent_;
    std::vector<daybook::Task> tasks_;
    bool has_refused_ = false;
    bool is_closed_ = false;
};

/// Holds up the timer thread of a scheduler that has an executor, so that everything happens on the thread of the
/// simulation: there each command that looks at the clocks does what the timer would have done.
class Gate {
public:
    /// Called first on the timer thread. Returns after `open`, and not before `is_stopping()`.
    template <class IsStopping>
    void pass(const IsStopping& is_stopping) const {
        is_open_.wait(false);
        while (!is_stopping()) { std::this_thread::yield(); }
    }
    void open() {
        is_open_ = true;
        is_open_.notify_all();
    }

private:
    std::atomic<bool> is_open_{false};
};

} // namespace simulation

#endif
