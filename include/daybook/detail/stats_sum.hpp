// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STATS_SUM_HPP
#define DAYBOOK_DETAIL_STATS_SUM_HPP

/// @file
/// What the parts of a log have counted, as if it had been counted in one.

#include <daybook/stats/stats.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace daybook::inline v0::detail {

/// Counts add up, and so do distributions. Of a bucket of the timeline that is over only its percentiles are kept:
/// those of the part that measured most are shown.
///
/// @par Thread safety
/// One thread; whoever adds a part holds its lock.
class StatsSum {
public:
    /// As of this moment, by both clocks.
    StatsSum(std::size_t max_handlers, std::size_t max_jobs, sys_time now, steady_time steady_now)
        : sum_{max_handlers, max_jobs} {
        sum_.timeline_.turn_to(now);
        sum_.rates_.turn_to(steady_now, {});
    }

    /// O(handlers + jobs), and the buckets of the timeline.
    void add(const Stats<>& part) {
        const auto& open = part.timeline_.open();
        const bool is_over = open.hour_key != sum_.timeline_.open().hour_key;
        const auto add_handler = [&](auto& mine, const auto& theirs) {
            mine.tally += theirs.tally;
            mine.figures->add(*theirs.figures, is_over, open.hour_key, theirs.tally);
        };
        sum_.rates_.add(part.rates_, Stats<>::so_far(part.timeline_.total_tally()));
        sum_.timeline_.add(part.timeline_);
        sum_.drift_.merge(part.drift_);
        sum_.queue_delay_.merge(part.queue_delay_);
        for (const auto& handler : part.handlers_) { add_handler(place_of(handler), handler); }
        for (const auto& job : part.jobs_) { place_of(job).tally += job.tally; }
        add_handler(sum_.other_handlers_, part.other_handlers_);
        sum_.other_jobs_.tally += part.other_jobs_.tally;
        sum_.models_.add(part.models_, is_over, open.hour_key);
        for (std::size_t i = 0; i < part.skips_.size(); ++i) { sum_.skips_[i] += part.skips_[i]; }
        sum_.before_clear_ += part.before_clear_;
        sum_.counted_since_ = std::max(sum_.counted_since_, part.counted_since_); // of all of them
    }

    [[nodiscard]] const Stats<>& all() const noexcept { return sum_; }

private:
    using Handler = Stats<>::Handler;
    using Job = Stats<>::Job;
    using Places = std::map<std::string, std::size_t, std::less<>>;

    /// Where one of this name is counted.
    [[nodiscard]] Handler& place_of(const Handler& handler) {
        const auto [found, is_new] = handler_places_.try_emplace(*handler.name, sum_.handlers_.size());
        if (is_new) {
            sum_.handlers_.push_back({.name = handler.name, .figures = std::make_unique<Stats<>::Figures>()});
        }
        return sum_.handlers_[found->second];
    }
    [[nodiscard]] Job& place_of(const Job& job) {
        const auto [found, is_new] = job_places_.try_emplace(*job.name, sum_.jobs_.size());
        if (is_new) { sum_.jobs_.push_back({.name = job.name}); }
        return sum_.jobs_[found->second];
    }

    Stats<> sum_;
    Places handler_places_;
    Places job_places_;
};

} // namespace daybook::inline v0::detail

#endif
