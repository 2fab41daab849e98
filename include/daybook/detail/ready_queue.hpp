// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_READY_QUEUE_HPP
#define DAYBOOK_DETAIL_READY_QUEUE_HPP

/// @file
/// What waits for a worker: by priority, and within one in the order of arrival; nobody waits for ever.

#include <daybook/detail/scheduled_job.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace daybook::inline v0::detail {

/// A line for each priority. Waiting makes up for a lower one: each level is worth a certain time, so that a flood of
/// what is urgent cannot keep the rest from its turn for ever.
///
/// @par Thread safety
/// Shared objects: unsafe; the scheduler's lock guards it. The caller destroys what it takes out outside that lock.
class ReadyQueue {
public:
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void push(steady_time arrival, std::shared_ptr<Occurrence> occurrence) {
        auto& line = lines_[occurrence->plan->policies.priority];
        line.emplace_back(arrival, std::move(occurrence));
        ++size_;
    }

    /// The one whose turn it is; must not be empty. O(priorities in use).
    [[nodiscard]] std::pair<steady_time, std::shared_ptr<Occurrence>> pop(std::chrono::nanoseconds level_worth) {
        auto best = lines_.end();
        for (auto line = lines_.begin(); line != lines_.end(); ++line) {
            if (line->second.empty()) { continue; }
            if (best == lines_.end()) {
                best = line;
                continue;
            }
            // The higher one goes first, unless the lower one has waited so much longer.
            const auto levels = static_cast<double>(best->first) - static_cast<double>(line->first);
            const std::chrono::duration<double> ahead = best->second.front().first - line->second.front().first;
            if (ahead > levels * std::chrono::duration<double>{level_worth}) { best = line; }
        }
        auto taken = std::move(best->second.front());
        best->second.pop_front();
        --size_;
        return taken;
    }

private:
    std::map<int, std::deque<std::pair<steady_time, std::shared_ptr<Occurrence>>>, std::greater<>> lines_;
    std::size_t size_ = 0;
};

/// Jobs that share a bound on how many of their bodies run at once.
struct ConcurrencyGroup {
    std::size_t limit = 0;
    std::size_t running = 0;
    ReadyQueue parked = {}; ///< those that had their turn while the group was full
};

} // namespace daybook::inline v0::detail

#endif
