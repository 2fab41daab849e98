// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STATS_READER_HPP
#define DAYBOOK_DETAIL_STATS_READER_HPP

/// @file
/// From what is counted to what is shown, without keeping those who count waiting.

#include <daybook/detail/handler_figures.hpp>
#include <daybook/detail/model_counts.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/detail/rate_meter.hpp>
#include <daybook/detail/stats_figures.hpp>
#include <daybook/detail/timeline_recorder.hpp>
#include <daybook/fwd.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Copies in turns, and builds outside of them. What does not fit together because of a `clear` or the end of a minute
/// in between is read again.
template <std::size_t SubBuckets, class Turn>
class StatsReader {
public:
    StatsReader(const Stats<SubBuckets>& stats, Turn& turn) : stats_{stats}, turn_{turn} {}

    [[nodiscard]] StatsSnapshot snapshot(sys_time now, steady_time steady_now) {
        StatsSnapshot all;
        read([&] {
            all = StatsSnapshot{};
            read_overall();
            return read_timeline(now, all.timeline) && read_handlers(all) && read_jobs(all) &&
                   read_models(all, [](const ModelCounts::Model& model) { return model.count; });
        });
        const auto& total = parts_->open.total;
        static_cast<OutcomeCounts&>(all) = total.tally.counts();
        all.counted_since = parts_->counted_since;
        all.lifetime = (parts_->before_clear += total.tally).counts();
        all.lifetime_executions = all.lifetime.total_executions;
        show_duration(all, total.duration.summary());
        all.drift = parts_->drift.summary();
        all.queue_delay = parts_->queue_delay.summary();
        for (std::size_t i = 1; i < parts_->skips.size(); ++i) {
            all.skips_by_reason.emplace(to_string(static_cast<SkipReason>(i)), parts_->skips[i]);
        }
        all.rates = parts_->rates.rates(steady_now, Stats<SubBuckets>::so_far(total.tally));
        return all;
    }

    [[nodiscard]] RangeStats range(sys_time from, sys_time to, sys_time now) {
        RangeStats all;
        const KeptHours hours{from, to, now};
        const PeriodKey first = hours.first;
        const PeriodKey last = hours.last;
        read([&] {
            all.by_handler.clear();
            read_overall();
            return read_closed(TimelineResolution::hour) && read_handler_hours(first, last, all) &&
                   read_models(all, [&](const ModelCounts::Model& model) {
                       return ModelCounts::sum_hours(model, first, last, stats_.timeline_.open().hour_key);
                   });
        });
        OutcomeTally tally;
        DurationSum duration;
        const ClosedPeriod open = parts_->open.closed(TimelineResolution::hour);
        parts_->ring.for_each(first, last, open, [&](const ClosedPeriod& period) {
            tally += period.tally;
            duration += period.duration;
            all.timeline.push_back(period.bucket(all.resolution));
        });
        hours.show(all);
        static_cast<OutcomeCounts&>(all) = tally.counts();
        all.duration = durations_of(duration);
        all.is_complete = from >= parts_->counted_since && hours.has_oldest && !parts_->ring.has_lost(first, last);
        return all;
    }

private:
    /// So many histograms, or jobs with their counters, are about as much as one turn should do.
    static constexpr std::size_t handlers_at_once = 4;
    static constexpr std::size_t jobs_at_once = 64;
    static constexpr std::size_t models_at_once = 8;

    /// So often is it tried in turns.
    static constexpr int most_tries = 8;

    using Name = typename Stats<SubBuckets>::Name;
    using Job = typename Stats<SubBuckets>::Job;

    struct Parts {
        OpenPeriods<SubBuckets> open;
        PeriodRing ring;
        RateMeter rates;
        LatencyHistogram<SubBuckets> drift;
        LatencyHistogram<SubBuckets> queue_delay;
        OutcomeTally before_clear;
        std::array<std::uint64_t, 9> skips{};
        sys_time counted_since{};
        std::uint64_t clears = 0;
        std::uint64_t closings = 0;
        OutcomeTally other_handlers;
        OutcomeTally other_jobs;
        std::vector<OutcomeTally> handlers;
        std::vector<Job> jobs;
        std::array<LatencyHistogram<SubBuckets>, handlers_at_once> durations;
        std::array<HandlerDelays, handlers_at_once> delays;
        std::array<Name, handlers_at_once> names;
    };

    /// @param attempt  Reads everything from the start; returns whether it fits together.
    template <class Attempt>
    void read(Attempt&& attempt) {
        for (int tries = 0; tries < most_tries; ++tries) {
            if (attempt()) { return; }
        }
        turn_([&] { // a clock that goes to and fro must not keep whoever asks for ever
            is_one_turn_ = true;
            attempt();
            return true;
        });
    }

    template <class Work>
    void in_turn(Work&& work) {
        if (is_one_turn_) {
            work();
        } else {
            turn_(work);
        }
    }

    void read_overall() {
        Parts& parts = *parts_;
        parts.open.clear();
        parts.drift.clear();
        parts.queue_delay.clear();
        parts.handlers.clear();
        parts.handlers.reserve(std::min<std::size_t>(stats_.max_handlers_, 1024));
        in_turn([&] {
            parts.open.assign(stats_.timeline_.open());
            parts.rates = stats_.rates_;
            parts.drift.merge(stats_.drift_);
            parts.queue_delay.merge(stats_.queue_delay_);
            parts.before_clear = stats_.before_clear_;
            parts.skips = stats_.skips_;
            parts.counted_since = stats_.counted_since_;
            parts.clears = stats_.clears_;
            parts.closings = stats_.closings_;
            parts.other_handlers = stats_.other_handlers_.tally;
            for (const auto& handler : stats_.handlers_) { parts.handlers.push_back(handler.tally); }
            return true;
        });
        parts.open.add_minute();
    }

    [[nodiscard]] bool read_timeline(sys_time now, Timeline& all) {
        const auto read = [&](TimelineResolution resolution, std::vector<TimelineBucket>& buckets) {
            if (!read_closed(resolution)) { return false; }
            buckets = parts_->ring.buckets(now, parts_->open.closed(resolution));
            return true;
        };
        return read(TimelineResolution::minute, all.minutes) && read(TimelineResolution::hour, all.hours) &&
               read(TimelineResolution::day, all.days);
    }

    [[nodiscard]] bool read_closed(TimelineResolution resolution) {
        bool is_unchanged = false;
        in_turn([&] {
            is_unchanged = parts_->closings == stats_.closings_ && parts_->clears == stats_.clears_;
            if (is_unchanged) { parts_->ring.assign(stats_.timeline_.ring(resolution)); }
            return false;
        });
        return is_unchanged;
    }

    /// Calls `read(handler, place)` for `at_once` handlers under the lock, then `use(name, tally, place)` for the same
    /// ones outside it, until all have been visited; the rest comes last, without a name.
    /// @returns Whether no clear has come in between.
    template <class Read, class Use>
    [[nodiscard]] bool visit_handlers(std::size_t at_once, Read&& read, Use&& use) {
        const std::size_t count = parts_->handlers.size();
        for (std::size_t done = 0; done <= count; done += at_once) {
            const std::size_t end = std::min(done + at_once, count + 1);
            bool is_unchanged = false;
            in_turn([&] {
                is_unchanged = parts_->clears == stats_.clears_;
                for (std::size_t i = done; is_unchanged && i < end; ++i) {
                    const auto& handler = i < count ? stats_.handlers_[i] : stats_.other_handlers_;
                    parts_->names[i - done] = handler.name;
                    read(handler, i - done);
                }
                return false;
            });
            if (!is_unchanged) { return false; }
            for (std::size_t i = done; i < end; ++i) {
                use(parts_->names[i - done].get(), i < count ? parts_->handlers[i] : parts_->other_handlers, i - done);
                parts_->names[i - done].reset();
            }
        }
        return true;
    }

    [[nodiscard]] bool read_handlers(StatsSnapshot& all) {
        for (auto& duration : parts_->durations) { duration.clear(); }
        return visit_handlers(
            handlers_at_once,
            [&](const auto& handler, std::size_t place) {
                parts_->durations[place].merge(handler.figures->duration());
                parts_->delays[place] = handler.figures->delays();
            },
            [&](const std::string* name, const OutcomeTally& tally, std::size_t place) {
                const bool is_rest = name == nullptr;
                if (!is_rest || tally.is_used() || parts_->durations[place].count() != 0) {
                    if (is_rest) { all.rest_of_handlers = free_name(all.by_handler); }
                    HandlerStats& stats = all.by_handler[is_rest ? all.rest_of_handlers : *name];
                    static_cast<OutcomeCounts&>(stats) = tally.counts();
                    stats.total = stats.total_executions;
                    stats.success = stats.success_count;
                    stats.error = stats.error_count;
                    stats.duration = parts_->durations[place].summary();
                    stats.avg_duration_ms = stats.duration.average_ms;
                    stats.drift = durations_of(parts_->delays[place].drift);
                    stats.queue_delay = durations_of(parts_->delays[place].queue);
                }
                parts_->durations[place].clear();
            });
    }

    [[nodiscard]] bool read_handler_hours(PeriodKey first, PeriodKey last, RangeStats& all) {
        OutcomeTally tally;
        DurationSum duration;
        std::set<std::string, std::less<>> names; // also of those without anything to count
        all.rest_of_handlers.clear();
        return visit_handlers(
            1, // a week of hours each
            [&](const auto& handler, std::size_t) {
                tally = {};
                duration = {};
                handler.figures->sum_hours(first, last, stats_.timeline_.open().hour_key, handler.tally, tally,
                                           duration);
            },
            [&](const std::string* name, const OutcomeTally&, std::size_t) {
                if (name != nullptr) { names.insert(*name); }
                if (!tally.is_used() && duration.count == 0) { return; }
                if (name == nullptr) { all.rest_of_handlers = free_name(names); }
                HandlerRangeStats& stats = all.by_handler[name != nullptr ? *name : all.rest_of_handlers];
                static_cast<OutcomeCounts&>(stats) = tally.counts();
                stats.duration = durations_of(duration);
            });
    }

    [[nodiscard]] bool read_jobs(StatsSnapshot& all) {
        parts_->jobs.reserve(jobs_at_once);
        for (std::size_t done = 0, count = 1; done < count; done += jobs_at_once) {
            parts_->jobs.clear();
            bool is_unchanged = false;
            in_turn([&] {
                is_unchanged = parts_->clears == stats_.clears_;
                if (!is_unchanged) { return false; }
                count = stats_.jobs_.size();
                const std::size_t end = std::min(done + jobs_at_once, count);
                for (std::size_t i = done; i < end; ++i) { parts_->jobs.push_back(stats_.jobs_[i]); }
                parts_->other_jobs = stats_.other_jobs_.tally;
                return false;
            });
            if (!is_unchanged) { return false; }
            for (const Job& job : parts_->jobs) {
                static_cast<OutcomeCounts&>(all.by_job[*job.name]) = job.tally.counts();
            }
        }
        if (parts_->other_jobs.is_used()) {
            all.rest_of_jobs = free_name(all.by_job);
            static_cast<OutcomeCounts&>(all.by_job[all.rest_of_jobs]) = parts_->other_jobs.counts();
        }
        return true;
    }

    /// @param count_of  What to show of a model; called under the lock.
    template <class All, class CountOf>
    [[nodiscard]] bool read_models(All& all, CountOf&& count_of) {
        std::uint64_t rest = 0;
        std::set<std::string, std::less<>> names; // also of those without anything to count
        std::array<std::pair<ModelCounts::Name, std::uint64_t>, models_at_once> read;
        all.by_model.clear();
        all.rest_of_models.clear();
        for (std::size_t done = 0, end = 1; done < end;) {
            std::size_t taken = 0;
            bool is_unchanged = false;
            in_turn([&] {
                is_unchanged = parts_->clears == stats_.clears_;
                if (!is_unchanged) { return false; }
                end = stats_.models_.size();
                for (; taken < read.size() && done + taken < end; ++taken) {
                    const ModelCounts::Model& model = stats_.models_.at(done + taken);
                    read[taken] = {model.name, count_of(model)};
                }
                rest = count_of(stats_.models_.at(end));
                return false;
            });
            if (!is_unchanged) { return false; }
            for (std::size_t i = 0; i < taken; ++i) {
                auto& [name, count] = read[i];
                names.insert(*name);
                if (count != 0) { all.by_model.emplace(*name, count); }
                name.reset();
            }
            done += std::max<std::size_t>(1, taken);
        }
        if (rest != 0) {
            all.rest_of_models = free_name(names);
            all.by_model.emplace(all.rest_of_models, rest);
        }
        return true;
    }

    const Stats<SubBuckets>& stats_;
    Turn& turn_;
    bool is_one_turn_ = false;                                 ///< everything is read in the turn under way
    std::unique_ptr<Parts> parts_ = std::make_unique<Parts>(); // too large for the stack of a small thread
};

} // namespace daybook::inline v0::detail

#endif
