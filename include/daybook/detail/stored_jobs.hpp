// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORED_JOBS_HPP
#define DAYBOOK_DETAIL_STORED_JOBS_HPP

/// @file
/// A job between what a program says of it and what a store keeps of it.

#include <daybook/job/job.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/schedule/schedule_text.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace daybook::inline v0::detail {

/// What is kept of a job's options: what is left empty there stays empty, so that it follows the scheduler's own
/// options in a later process, too.
/// @param schedule  Bound to the job.
[[nodiscard]] inline std::shared_ptr<StoredJob> stored_job(const JobOptions& options, const Schedule& schedule) {
    auto stored = std::make_shared<StoredJob>();
    stored->id = options.id;
    stored->handler_id = options.handler_id.empty() ? options.id : options.handler_id;
    stored->method_name = options.method_name;
    stored->schedule = to_string(schedule);
    stored->parameters = options.parameters;
    stored->group = options.group;
    if (options.retry) { stored->retry = options.retry->backoff(); }
    stored->timeout = options.timeout;
    stored->overlap = options.overlap;
    stored->misfire = options.misfire;
    stored->delivery = options.delivery;
    stored->misfire_grace = options.misfire_grace;
    stored->max_catch_up = options.max_catch_up;
    stored->priority = options.priority;
    stored->stale_after = options.stale_after;
    return stored;
}

/// The reverse.
/// @throws std::invalid_argument  Its retry policy is none.
[[nodiscard]] inline JobOptions options_of(const StoredJob& stored, Schedule schedule) {
    JobOptions options;
    options.id = stored.id;
    options.handler_id = stored.handler_id;
    options.method_name = stored.method_name;
    options.schedule = std::move(schedule);
    options.parameters = stored.parameters;
    options.group = stored.group;
    if (stored.retry) { options.retry = RetryPolicy{*stored.retry}; }
    options.timeout = stored.timeout;
    options.overlap = stored.overlap;
    options.misfire = stored.misfire;
    options.delivery = stored.delivery;
    options.misfire_grace = stored.misfire_grace;
    options.max_catch_up = stored.max_catch_up;
    options.priority = stored.priority;
    options.stale_after = stored.stale_after;
    options.is_paused = stored.is_paused;
    return options;
}

/// @throws ScheduleError          Its schedule cannot be read.
/// @throws std::invalid_argument  Its retry policy is none.
[[nodiscard]] inline JobOptions options_of(const StoredJob& stored) {
    return options_of(stored, parse_schedule(stored.schedule));
}

/// Whether both say the same of what a job does and when, its state aside.
[[nodiscard]] inline bool is_same_plan(const StoredJob& left, const StoredJob& right) {
    const auto all = [](const StoredJob& job) {
        return std::tie(job.handler_id, job.method_name, job.schedule, job.parameters, job.group, job.retry,
                        job.timeout, job.overlap, job.misfire, job.delivery, job.misfire_grace, job.max_catch_up,
                        job.priority, job.stale_after);
    };
    return all(left) == all(right);
}

/// Whether the text is read as this schedule: nothing of it is known to the program alone.
[[nodiscard]] inline bool is_read_as(const std::string& text, const Schedule& schedule) {
    try {
        return parse_schedule(text) == schedule;
    } catch (const std::bad_alloc&) { throw; } catch (const std::exception&) {
        return false;
    }
}

/// Whether a count of occurrences is kept of the schedule beside it: else `next` itself knows where it ends.
[[nodiscard]] inline bool counts_down(const Schedule& schedule) {
    return schedule.limits().times && (!schedule.limits().from || schedule.interval() != nullptr);
}

/// Whether its instants have a place on the wall clock whatever process asks: then a count that is known for one
/// instant is known for all.
[[nodiscard]] inline bool is_on_calendar(const Schedule& schedule) {
    const Every* every = schedule.interval();
    const At* once = schedule.once();
    return every != nullptr ? schedule.limits().from && !every->is_after_completion()
                            : once == nullptr || once->wall().has_value();
}

/// How many nominal times there are after one instant and up to another, `most` at most.
[[nodiscard]] inline std::uint64_t count_between(const Schedule& schedule, sys_time after, sys_time until,
                                                 std::uint64_t most) {
    std::uint64_t count = 0;
    for (auto at = schedule.next(after); at && *at <= until && count < most; at = schedule.next(*at)) { ++count; }
    return count;
}

/// How many occurrences a schedule may still have that counts them, going on from what a store has kept.
/// @param accounted  Up to where all is accounted for. `left` was counted up to `updated_at`.
[[nodiscard]] inline std::uint64_t left_then(const Schedule& schedule, const StoredJob& stored, sys_time accounted) {
    const std::uint64_t all = *schedule.limits().times;
    if (!stored.left) { return all; } // it had not begun
    const std::uint64_t left = *stored.left;
    if (accounted >= stored.updated_at) { return left - count_between(schedule, stored.updated_at, accounted, left); }
    const std::uint64_t room = all > left ? all - left : 0;
    return left + count_between(schedule, accounted, stored.updated_at, room); // they will be due again
}

/// Whether a text was too long to be kept whole: see limited_copy.
[[nodiscard]] inline bool is_cut(std::string_view text) noexcept {
    return text.ends_with(" bytes in all]") && text.find("\xE2\x80\xA6 [cut: ") != std::string_view::npos;
}

} // namespace daybook::inline v0::detail

#endif
