// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_CONFIGURE_HPP
#define DAYBOOK_DETAIL_SCHEDULER_CONFIGURE_HPP

/// @file
/// What those need who manage jobs from outside the program: changes that nobody else's change may be lost by, pages of
/// jobs, and what is to come.

#include <daybook/detail/scheduler_jobs.hpp>
#include <daybook/detail/scheduler_settle.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/job/job_query.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// A job as the options say, if it still is what it was: nobody's change between the two is lost.
inline JobChange SchedulerCore::configure(JobOptions from, std::uint64_t revision) {
    const std::string id = from.id;
    const JobChange change = change_if(std::move(from), revision);
    if (change == JobChange::done) { keep_change(id, Kept::planned_anew); }
    return change;
}

inline JobChange SchedulerCore::change_if(JobOptions from, std::uint64_t revision) {
    const std::string id = from.id;
    const bool is_paused = from.is_paused;
    const std::shared_ptr<JobPlan> plan = plan_of(std::move(from), "configure");
    PlanPtr present; // destroyed outside the locks, perhaps with the callable
    {
        const Lock lock{mutex_};
        const JobPtr job = find(id, lock);
        if (!job) { return JobChange::unknown_job; }
        if (job->revision != revision) { return JobChange::changed_meanwhile; }
        present = job->plan;
    }
    plan->origin = present->origin;
    if (plan->handler_id == present->handler_id && plan->method_name == present->method_name) {
        plan->function = present->function;
    } else if (present->origin == JobOrigin::code) {
        throw std::invalid_argument{"configure(\"" + id +
                                    "\"): a job that was added as code keeps its handler_id and "
                                    "method_name"};
    } else {
        plan->function = handlers_.at(plan->handler_id, plan->method_name);
    }
    const bool is_same_schedule = plan->schedule == present->schedule;
    if (is_same_schedule) {
        plan->schedule = present->schedule; // with what has been counted
    } else {
        count_ahead(plan->schedule, now().wall);
    }
    constexpr int patience = 3; // with a schedule that comes due again and again
    for (int tries = 0;; ++tries) {
        await_due(); // what has come due by now is settled by the old plan
        const bool keeps_place = is_same_schedule && tries < patience;
        const Lock held = hold_dispatch(); // what comes due from here on follows the new plan
        const AtDispatch dispatching{*this};
        const Moment began = now();
        const Owed first = keeps_place ? Owed{} : first_due(*plan, began.wall, began.steady);
        const Lock lock{mutex_};
        const JobPtr job = find(id, lock);
        if (!job) { return JobChange::unknown_job; }
        if (job->revision != revision) { return JobChange::changed_meanwhile; }
        if (keeps_place) {
            if (job->is_settling || has_come(*job, began, lock)) { continue; }
            change_pause(job, is_paused, lock);
            keep_schedule(job, plan, lock);
        } else {
            leave_behind(job, began, lock);
            change_pause(job, is_paused, lock);
            replace_plan(job, plan, first, lock);
        }
        return JobChange::done;
    }
}

/// As replace_plan where the schedule is the same: it goes on counting.
inline void SchedulerCore::keep_schedule(const JobPtr& job, const PlanPtr& plan, const Lock& lock) {
    const auto before = job->plan->policies.stale_after;
    const auto after = plan->policies.stale_after;
    job->plan = plan;
    job->revision = ++last_revision_;
    job->is_to_keep = true;
    if (after == after.zero()) {
        job->is_stale = false;
        stale_due_.erase(job->index);
    } else if (after != before && !job->is_stale && !job->is_paused && !job->is_over) {
        watch_staleness(*job, lock);
    }
}

inline std::size_t SchedulerCore::job_count() const {
    const Lock lock{mutex_};
    return jobs_.size();
}

/// Removed ones whose bodies still run, or whose records are about to end.
inline std::vector<SchedulerCore::JobPtr> SchedulerCore::leaving_jobs(const Lock& /*lock*/) const {
    std::vector<JobPtr> leaving;
    std::set<const Job*> seen;
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (occurrence && occurrence->job->is_removed && seen.insert(occurrence->job.get()).second) {
            leaving.push_back(occurrence->job);
        }
    }
    return leaving;
}

/// Where a job stands in a list: by id, a removed one after its successor of the same id.
struct JobPlace {
    std::string_view id;
    std::uint64_t removed = 0; ///< its revision; 0: it has not been removed

    friend auto operator<=>(const JobPlace&, const JobPlace&) = default;
};

/// Letters and digits, so that it needs no care in a URL.
[[nodiscard]] inline std::string job_cursor(const JobPlace& place) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = std::to_string(place.removed) + '-';
    for (const char letter : place.id) {
        const auto byte = static_cast<unsigned char>(letter);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

/// The reverse: the id, and what is beside it.
/// @throws std::invalid_argument  The text is none of ours.
[[nodiscard]] inline std::pair<std::string, std::uint64_t> read_job_cursor(std::string_view text) {
    const auto refuse = [] { throw std::invalid_argument{"JobQuery: the cursor is not of an earlier page"}; };
    std::pair<std::string, std::uint64_t> place;
    const char* const end = text.data() + text.size();
    const auto number = std::from_chars(text.data(), end, place.second);
    if (number.ec != std::errc{} || number.ptr == end || *number.ptr != '-') { refuse(); }
    text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()) + 1);
    if (text.size() % 2 != 0 || text.size() > 2 * HashedNames::max_bytes) { refuse(); }
    for (; !text.empty(); text.remove_prefix(2)) {
        unsigned byte = 0;
        if (std::from_chars(text.data(), text.data() + 2, byte, 16).ptr != text.data() + 2) { refuse(); }
        place.first += static_cast<char>(byte);
    }
    return place;
}

/// Under the lock the jobs are only looked at: O(jobs) with a filter, else O(log(jobs) + offset + limit).
inline JobPage SchedulerCore::jobs(const JobQuery& query) const {
    const auto after = query.cursor.empty() ? std::pair<std::string, std::uint64_t>{} : read_job_cursor(query.cursor);
    const JobPlace begin{after.first, after.second};
    const TextSearch search{query.text};
    const bool is_filtered = query.state || query.is_paused || !query.handler_id.empty() || !search.is_empty();
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    JobPage page;
    std::vector<JobPtr> held; // destroyed outside the lock, perhaps with the callables
    std::vector<PlanPtr> plans;
    {
        const Lock lock{mutex_};
        const auto place_of = [](const JobPtr& job) { return JobPlace{job->id, job->is_removed ? job->revision : 0}; };
        const auto matches = [&](const Job& job) {
            return (!query.state || state_of(job, lock) == *query.state) &&
                   (!query.is_paused || job.is_paused == *query.is_paused) &&
                   (query.handler_id.empty() || job.plan->handler_id == query.handler_id) &&
                   (search.is_empty() || search.is_in(job.id) || search.is_in(job.plan->handler_id) ||
                    search.is_in(job.plan->method_name));
        };
        std::vector<JobPtr> leaving = leaving_jobs(lock);
        std::ranges::sort(leaving, {}, place_of);
        held = leaving;
        if (is_filtered) {
            std::erase_if(leaving, [&](const JobPtr& job) { return !matches(*job); });
        }
        page.total = leaving.size() + (is_filtered ? 0 : jobs_.size());
        std::erase_if(leaving, [&](const JobPtr& job) { return !query.cursor.empty() && place_of(job) <= begin; });

        std::size_t passed = 0;
        const auto take = [&](const JobPtr& job) {
            if (passed++ < query.offset) { return; }
            if (page.jobs.size() == query.limit) {
                page.has_more = true;
                return;
            }
            page.jobs.push_back(describe(*job, wall, steady, lock));
            plans.push_back(job->plan);
            page.next_cursor = page.jobs.size() == query.limit ? job_cursor(place_of(job)) : std::string{};
        };
        auto next_leaving = leaving.begin();
        const auto take_leaving_before = [&](const JobPlace& place) {
            while (next_leaving != leaving.end() && place_of(*next_leaving) < place) { take(*next_leaving++); }
        };
        for (auto at = is_filtered ? jobs_.begin() : jobs_.lower_bound(begin.id); at != jobs_.end(); ++at) {
            const JobPtr& job = at->second;
            if (is_filtered && !matches(*job)) { continue; }
            if (is_filtered) { ++page.total; }
            if (!query.cursor.empty() && place_of(job) <= begin) { continue; }
            take_leaving_before(place_of(job));
            take(job);
            if (page.has_more && !is_filtered) { break; }
        }
        while (next_leaving != leaving.end() && !page.has_more) { take(*next_leaving++); }
    }
    if (!page.has_more) { page.next_cursor.clear(); }
    for (std::size_t i = 0; i < page.jobs.size(); ++i) { tell_plan(*plans[i], page.jobs[i]); }
    return page;
}

/// At most `count`, as the job is now; of a schedule of the program's own, or one that the end of an execution drives,
/// only the next.
inline std::vector<sys_time> SchedulerCore::next_runs(std::string_view id, std::size_t count) const {
    PlanPtr plan;
    std::optional<sys_time> wall_due;
    std::optional<steady_time> steady_due;
    std::uint64_t left = 0;
    {
        const Lock lock{mutex_};
        const JobPtr job = find(id, lock);
        if (!job || job->is_over) { return {}; }
        plan = job->plan;
        wall_due = job->wall_due;
        steady_due = job->steady_due;
        left = job->left;
    }
    const Moment at = now();
    const Schedule& schedule = plan->schedule;
    const Every* const every = schedule.interval();
    const bool is_single = plan->is_after_completion() || is_own(schedule);
    count = static_cast<std::size_t>(std::min<std::uint64_t>({count, left, is_single ? 1U : count}));
    std::vector<sys_time> runs;
    const auto take = [&runs](sys_time due) { runs.push_back(runs.empty() ? due : std::max(due, runs.back())); };
    const auto due_of = [&](sys_time nominal) { // an interval that waits on the wall clock goes on by the steady one
        if (every == nullptr) { return schedule.due(nominal); }
        const std::chrono::nanoseconds ahead =
            saturating_ceil<std::chrono::nanoseconds>(saturating_difference(nominal, at.wall));
        const steady_time steady = ahead < ahead.zero() ? at.steady : saturating_add(at.steady, ahead);
        return saturating_add(nominal, schedule.limits().delay_of(steady.time_since_epoch().count()));
    };
    try {
        while (steady_due && runs.size() < count) {
            take(at.on_wall(detail::steady_due(schedule, *steady_due)));
            if (every == nullptr || runs.size() == count || *steady_due == steady_time::max()) { break; }
            steady_due = IntervalView{schedule, at}.first_from(saturating_add(*steady_due, every->period()));
        }
        while (wall_due && runs.size() < count) {
            take(due_of(*wall_due));
            if (runs.size() != count) { wall_due = schedule.next(*wall_due); }
        }
    } catch (const std::bad_alloc&) { throw; } catch (const std::exception&) {
        return runs;
    } // as far as it tells
    return runs;
}

/// Asks every schedule of the wall clock anew that has not come due, for those whose answers change.
/// @returns How many.
inline std::size_t SchedulerCore::refresh() {
    if (AtWork::is_inside(*this)) { return 0; } // called from a schedule that is being asked
    dispatch();
    std::vector<std::pair<JobPtr, PlanPtr>> asked; // destroyed outside the locks
    const Lock held = hold_dispatch();
    const AtDispatch dispatching{*this};
    sys_time base = now().wall;
    {
        const Lock lock{mutex_};
        if (state_ != State::started) { return 0; }
        base = std::max(base, timeline_.value_or(base)); // a clock that was set back does not run anything twice
        asked.reserve(jobs_.size());
        for (const auto& [id, job] : jobs_) {
            const Schedule& schedule = job->plan->schedule;
            if (job->is_settling || !job->wall_due || *job->wall_due <= base) { continue; }
            if (schedule.interval() == nullptr && schedule.once() == nullptr) { asked.emplace_back(job, job->plan); }
        }
    }
    std::size_t refreshed = 0;
    for (const auto& [job, plan] : asked) {
        const Owed first = first_due(*plan, base, {});
        const Lock lock{mutex_};
        if (job->plan != plan || job->is_removed || !job->wall_due || state_ != State::started) { continue; }
        ++refreshed;
        if (first.next == job->wall_due) { continue; }
        job->schedule_error = first.error;
        wall_due_.erase(job->index);
        set_due(*job, first.next, std::nullopt, lock);
        retire_if_over(*job, lock);
    }
    return refreshed;
}

} // namespace daybook::inline v0::detail

#endif
