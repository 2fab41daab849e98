// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_READY_QUEUE_HPP
#define DAYBOOK_DETAIL_READY_QUEUE_HPP

/// @file
/// What waits for a worker: by priority, and within one in the order of arrival; nobody waits for ever.

#include <daybook/detail/scheduled_job.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

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
        const auto [line, is_new] = lines_.try_emplace(occurrence->plan->policies.priority);
        // By arrival: what a full group has held up does not lose its place to those that came meanwhile.
        const auto place =
            std::ranges::upper_bound(line->second, arrival, {}, [](const auto& one) { return one.first; });
        line->second.emplace(place, arrival, std::move(occurrence));
        ++size_;
        if (is_new && lines_.size() > spare_lines) { // those of priorities that nobody may use any more
            std::erase_if(lines_, [](const auto& other) { return other.second.empty(); });
        }
    }

    /// Takes out what is not ready any more, once that is most of what is in here. Amortised O(1) for each push.
    /// @param live  At most so many are ready.
    void prune(std::size_t live, std::vector<std::shared_ptr<Occurrence>>& dropped) {
        if (size_ <= 2 * live + 64) { return; }
        dropped.reserve(dropped.size() + size_);
        for (auto& [priority, line] : lines_) {
            auto kept = line.begin();
            for (auto& waiting : line) {
                if (waiting.second->phase != Occurrence::Phase::ready) {
                    dropped.push_back(std::move(waiting.second));
                    --size_;
                } else {
                    if (&*kept != &waiting) { *kept = std::move(waiting); }
                    ++kept;
                }
            }
            line.erase(kept, line.end());
        }
    }

    /// The one whose turn it is; must not be empty. O(priorities in use).
    [[nodiscard]] std::pair<steady_time, std::shared_ptr<Occurrence>> pop(std::chrono::nanoseconds level_worth) {
        const auto best = best_line(level_worth);
        auto taken = std::move(best->second.front());
        best->second.pop_front();
        --size_;
        return taken;
    }

    /// The same one, which stays.
    [[nodiscard]] const std::pair<steady_time, std::shared_ptr<Occurrence>>&
    front(std::chrono::nanoseconds level_worth) {
        return best_line(level_worth)->second.front();
    }

private:
    static constexpr std::size_t spare_lines = 8; // an empty one keeps its memory for the next to come

    using Lines = std::map<int, std::deque<std::pair<steady_time, std::shared_ptr<Occurrence>>>, std::greater<>>;

    [[nodiscard]] Lines::iterator best_line(std::chrono::nanoseconds level_worth) {
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
        return best;
    }

    Lines lines_;
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
