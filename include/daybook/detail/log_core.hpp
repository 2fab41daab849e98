// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_CORE_HPP
#define DAYBOOK_DETAIL_LOG_CORE_HPP

/// @file
/// The log without the type of its results: every change of state, each one short critical section.

#include <daybook/detail/log_state.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

inline LogCore::LogCore(LogOptions options, std::atomic<ExecutionId>* ids, std::size_t parts)
    : options_{checked(std::move(options))},
      tag_{next_log_tag()},
      pool_{options_.capacity + options_.max_running + 1},
      index_{pool_, options_.capacity + options_.max_running},
      ids_{pool_, (options_.capacity + options_.max_running + 1) * parts}, // whose ids stand between these
      stats_{options_.max_tracked_handlers, options_.max_tracked_jobs, options_.clock.now()},
      finished_{pool_, options_} {
    if (ids != nullptr) { ids_left_.begin_from(*ids); }
}

inline NameRefs LogCore::acquire(const HashedNames& names) {
    const std::scoped_lock lock{mutex_};
    return acquire_locked(names);
}

inline void LogCore::release(const NameRefs& names) noexcept {
    const std::scoped_lock lock{mutex_};
    release_locked(names);
}

inline NameRefs LogCore::acquire_locked(const HashedNames& names) {
    NameRefs refs;
    refs.job = jobs_.acquire(names.job, names.job_hash);
    try {
        refs.handler = handlers_.acquire(names.handler, names.handler_hash);
        try {
            refs.method = methods_.acquire(names.method, names.method_hash);
        } catch (...) {
            handlers_.release(refs.handler);
            throw;
        }
    } catch (...) {
        jobs_.release(refs.job);
        throw;
    }
    return refs;
}

inline void LogCore::release_locked(const NameRefs& names) noexcept {
    jobs_.release(names.job);
    handlers_.release(names.handler);
    methods_.release(names.method);
}

inline NameRefs LogCore::acquire_locked(const NameRefs& names) noexcept {
    jobs_.add_user(names.job);
    handlers_.add_user(names.handler);
    methods_.add_user(names.method);
    return names;
}

/// Everything that may throw, done before anything is changed.
inline void LogCore::ready_for_one(ExecutionId reserved) {
    if (reserved == 0) { ids_left_.ready(); }
    pool_.reserve_one();
    ids_.reserve(reserved != 0 ? reserved : ids_left_.next());
}

inline void LogCore::track_names(const ExecutionSlot& slot, const Owners& owners) noexcept {
    if (!owners.job.is_tracked) {
        track(jobs_, tracked_jobs_, slot.job, [&](const std::string& name) { return stats_.add_job(name); });
    }
    if (!owners.handler.is_tracked) {
        track(handlers_, tracked_handlers_, slot.handler,
              [&](const std::string& name) { return stats_.add_handler(name); });
    }
}

template <class Names>
Execution LogCore::start(const Names& names, const ExecutionStart& start, JobStatus status, ExecutionId reserved) {
    auto extras = extras_for(start, options_.max_text_bytes);
    const ClockReading now = clock_.read(options_.clock);
    Discarded discarded;
    const std::scoped_lock lock{mutex_};
    ready_for_one(reserved);
    return start_locked(acquire_locked(names), start, status, now, std::move(extras), reserved, discarded);
}

inline Execution LogCore::start_locked(const NameRefs& names, const ExecutionStart& start, JobStatus status,
                                       const ClockReading& now, std::unique_ptr<ExecutionExtras> extras,
                                       ExecutionId reserved, Discarded& discarded) noexcept {
    if (in_flight_.size >= options_.max_running) { abandon_oldest(now.steady, discarded); }
    const std::uint32_t index = pool_.take();
    ExecutionSlot& slot = pool_[index];
    slot.id = next_id(slot, reserved);
    slot.occurrence_id = start.occurrence_id != 0 ? start.occurrence_id : slot.id;
    slot.job = names.job;
    slot.handler = names.handler;
    slot.method = names.method;
    slot.attempt_number = std::max(1U, start.attempt_number);
    slot.trigger = start.trigger;
    slot.dst = start.dst;
    slot.status = status;
    slot.extras = std::move(extras);
    memory_.add_extras(slot);
    if (start.scheduled_at) { slot.scheduled_at = start.scheduled_at->time_since_epoch().count(); }
    slot.steady = now.steady.time_since_epoch().count();
    (status == JobStatus::queued ? slot.queued_at : slot.started_at) = now.wall.time_since_epoch().count();
    const Owners owners = owners_of(slot);
    track_names(slot, owners);
    if (status == JobStatus::running) { count_start(slot, owners, std::nullopt); }
    place(slot, now.wall.time_since_epoch().count());
    note(index);
    ids_.insert(index, slot.id);
    in_flight_.push_newest(pool_, index, slot);
    link(index, slot, owners);
    owners.job.open_skip = no_slot;
    return {.id = slot.id, .slot = index, .log = tag_};
}

inline void LogCore::abandon_oldest(steady_time now, Discarded& discarded) noexcept {
    const std::uint32_t oldest = in_flight_.oldest;
    finish_locked(oldest, pool_[oldest], JobStatus::abandoned, Finality::final_attempt, now, discarded);
}

inline void LogCore::count_start(ExecutionSlot& slot, const Owners& owners,
                                 const std::optional<std::chrono::nanoseconds>& queue_delay) noexcept {
    slot.ran = true;
    std::optional<std::chrono::nanoseconds> drift;
    if (slot.scheduled_at != ExecutionSlot::no_instant && slot.attempt_number == 1) {
        const auto instant = [](std::int64_t at) { return sys_time{std::chrono::microseconds{at}}; };
        drift = saturating_ceil<std::chrono::nanoseconds>(
            saturating_difference(instant(slot.started_at), instant(slot.scheduled_at)));
    }
    stats_.record_start(drift, queue_delay, owners.handler.stats);
}

/// In front of everything, in all four orders.
inline void LogCore::link(std::uint32_t index, ExecutionSlot& slot, const Owners& owners) noexcept {
    index_.place(index, slot);
    owners.job.lists.executions.push_newest(pool_, index, slot);
    owners.handler.lists.executions.push_newest(pool_, index, slot);
}

inline void LogCore::unlink(ExecutionSlot& slot, const Owners& owners) noexcept {
    if (slot.status == JobStatus::skipped) {
        index_.remove_skip(slot);
        owners.job.lists.skips.erase(pool_, slot);
        owners.handler.lists.skips.erase(pool_, slot);
    } else {
        index_.remove(slot);
        owners.job.lists.executions.erase(pool_, slot);
        owners.handler.lists.executions.erase(pool_, slot);
    }
}

inline bool LogCore::begin(const Execution& execution, std::optional<std::uint32_t> worker,
                           const ClockReading& now) noexcept {
    const std::scoped_lock lock{mutex_};
    if (find_open(execution) != Finish::recorded) { return false; }
    ExecutionSlot& slot = pool_[execution.slot];
    if (slot.status != JobStatus::queued) { return false; }
    const Owners owners = owners_of(slot);
    unlink(slot, owners);
    slot.status = JobStatus::running;
    slot.worker = worker.value_or(no_slot);
    slot.started_at = now.wall.time_since_epoch().count();
    const auto waited = now.steady.time_since_epoch() - std::chrono::nanoseconds{slot.steady};
    slot.steady = now.steady.time_since_epoch().count();
    track_names(slot, owners); // a clear may have come since it was handed over
    count_start(slot, owners, waited);
    place(slot, slot.started_at);
    note(execution.slot);
    link(execution.slot, slot, owners);
    owners.job.open_skip = no_slot; // it stands between them now
    return true;
}

inline Finish LogCore::find_open(const Execution& execution) const noexcept {
    if (execution.log != tag_ || execution.slot >= pool_.size() || pool_[execution.slot].id != execution.id ||
        execution.id == 0) {
        return Finish::unknown;
    }
    return is_finished(pool_[execution.slot].status) ? Finish::too_late : Finish::recorded;
}

inline Finish LogCore::finish(const Execution& execution, JobStatus status, Ref<RefCounted> result,
                              Ref<TextBlock> error, Finality finality) noexcept {
    const steady_time steady = options_.clock.steady_now();
    Discarded discarded;
    const std::scoped_lock lock{mutex_};
    if (const Finish found = find_open(execution); found != Finish::recorded) { return found; }
    ExecutionSlot& slot = pool_[execution.slot];
    slot.result = std::move(result);
    slot.error = std::move(error);
    finish_locked(execution.slot, slot, status, finality, steady, discarded);
    return Finish::recorded;
}

inline void LogCore::finish_locked(std::uint32_t index, ExecutionSlot& slot, JobStatus status, Finality finality,
                                   steady_time steady, Discarded& discarded) noexcept {
    index_.change_status(slot, status);
    slot.is_final = finality == Finality::final_attempt;
    index_.settle(slot);
    const Owners owners = owners_of(slot);
    track_names(slot, owners); // a clear may have come since it started
    ExecutionEnd end{.status = status,
                     .is_final = slot.is_final,
                     .attempt_number = slot.attempt_number,
                     .handler = owners.handler.stats,
                     .job = owners.job.stats,
                     .steady_at = steady};
    const std::int64_t elapsed = std::max<std::int64_t>(0, steady.time_since_epoch().count() - slot.steady);
    end.at = sys_time{std::chrono::microseconds{(slot.ran ? slot.started_at : slot.queued_at) + elapsed / 1000}};
    if (slot.ran) {
        slot.steady = elapsed;
        end.duration = std::chrono::nanoseconds{elapsed};
    }
    add_reports(end, slot, options_.model_key);
    stats_.record_end(end);
    in_flight_.erase(pool_, slot);
    note(index);
    retain(index, slot, steady, discarded);
}

inline Finish LogCore::skip_queued(const Execution& execution, SkipReason reason) noexcept {
    const sys_time wall = options_.clock.now();
    const steady_time steady = age_now();
    Discarded discarded;
    const std::scoped_lock lock{mutex_};
    if (const Finish found = find_open(execution); found != Finish::recorded) { return found; }
    ExecutionSlot& slot = pool_[execution.slot];
    if (slot.status != JobStatus::queued) { return Finish::too_late; }
    const Owners owners = owners_of(slot);
    unlink(slot, owners);
    slot.status = JobStatus::skipped;
    slot.reason = reason;
    slot.count = 1;
    slot.started_at = wall.time_since_epoch().count(); // of a skip: when it was last counted
    slot.is_final = true;
    slot.steady = 0;
    note(execution.slot);
    in_flight_.erase(pool_, slot);
    link_skip(execution.slot, slot);
    owners.job.open_skip = no_slot;
    count_skip(slot, 1);
    retain(execution.slot, slot, steady, discarded);
    return Finish::recorded;
}

inline ExecutionId LogCore::skip(const NameRefs& names, const SkipStart& skip) {
    const sys_time wall = options_.clock.now();
    const steady_time steady = age_now();
    Discarded discarded;
    const std::scoped_lock lock{mutex_};
    ready_for_one(skip.id);
    const std::uint32_t open = jobs_[names.job].open_skip;
    const auto joins = [&](const ExecutionSlot& slot) {
        return slot.reason == skip.reason && slot.finish_rank >= cleared_rank_ && slot.id >= seat_id_ &&
               slot.handler == names.handler && slot.method == names.method;
    };
    if (open != no_slot && joins(pool_[open])) {
        ExecutionSlot& joined = pool_[open];
        const bool fits = skip.occurrences <= UINT64_MAX - joined.count;
        joined.count = fits ? joined.count + skip.occurrences : UINT64_MAX;
        joined.count_is_minimum |= skip.is_minimum || !fits;
        joined.started_at = wall.time_since_epoch().count();
        count_skip(joined, skip.occurrences);
        note(open);
        finished_.touch(open, steady);
        return joined.id;
    }
    const std::uint32_t index = pool_.take();
    ExecutionSlot& slot = pool_[index];
    slot.id = next_id(slot, skip.id);
    slot.occurrence_id = slot.id;
    slot.job = names.job;
    slot.handler = names.handler;
    slot.method = names.method;
    acquire_locked(names);
    slot.trigger = skip.trigger;
    slot.status = JobStatus::skipped;
    slot.reason = skip.reason;
    slot.count = skip.occurrences;
    slot.count_is_minimum = skip.is_minimum;
    slot.is_final = true;
    if (skip.scheduled_at) { slot.scheduled_at = skip.scheduled_at->time_since_epoch().count(); }
    slot.started_at = wall.time_since_epoch().count(); // of a skip: when it was last counted
    place(slot, slot.started_at);
    note(index);
    ids_.insert(index, slot.id);
    link_skip(index, slot);
    count_skip(slot, skip.occurrences);
    retain(index, slot, steady, discarded);
    jobs_[names.job].open_skip = index;
    return slot.id;
}

inline ExecutionId LogCore::skip(const HashedNames& names, const SkipStart& skip) {
    const NameRefs refs = acquire(names);
    try {
        const ExecutionId id = this->skip(refs, skip);
        release(refs);
        return id;
    } catch (...) {
        release(refs);
        throw;
    }
}

/// What the store has heard of is others' by now, and so is what waits in a queue for what was claimed. An execution
/// that it has not heard of, and that somebody is at, goes on: nobody else can have it.
inline void LogCore::reseat(const IdBlock& block) {
    std::vector<Execution> lost;
    {
        const std::scoped_lock lock{mutex_};
        lost.reserve(in_flight_.size);
        ids_left_.begin_with(block);
        seat_id_ = block.first_id;
        for (std::uint32_t at = in_flight_.oldest; at != no_slot; at = pool_[at].by_age.newer) {
            const ExecutionSlot& slot = pool_[at];
            if (!slot.is_told && !slot.is_claimed && slot.queued_at == ExecutionSlot::no_instant) { continue; }
            lost.push_back({.id = slot.id, .slot = at, .log = tag_});
        }
    }
    for (const Execution& execution : lost) {
        finish(execution, JobStatus::abandoned, {}, {}, Finality::retry_follows);
    }
}

inline void LogCore::count_skip(const ExecutionSlot& slot, std::uint64_t occurrences) noexcept {
    const Owners owners = owners_of(slot);
    track_names(slot, owners);
    stats_.record_skip({.reason = slot.reason,
                        .occurrences = occurrences,
                        .handler = owners.handler.stats,
                        .job = owners.job.stats,
                        .at = sys_time{std::chrono::microseconds{slot.started_at}}});
}

inline void LogCore::link_skip(std::uint32_t index, ExecutionSlot& slot) noexcept {
    const Owners owners = owners_of(slot);
    index_.place_skip(index);
    owners.job.lists.skips.push_newest(pool_, index, slot);
    owners.handler.lists.skips.push_newest(pool_, index, slot);
}

/// Takes a record that has just finished among the retained ones, and evicts what no longer fits.
inline void LogCore::retain(std::uint32_t index, ExecutionSlot& slot, steady_time now, Discarded& discarded) noexcept {
    finished_.add(index, slot, now);
    memory_.add_blocks(slot);
    if (feeds_) { discarded.awake = feeds_->push(slot.id, slot.status); }
    if (const std::uint32_t surplus = finished_.surplus(now); surplus != no_slot) { evict(surplus, discarded); }
}

inline void LogCore::evict(std::uint32_t index, Discarded& discarded) noexcept {
    ExecutionSlot& slot = pool_[index];
    const Owners owners = owners_of(slot);
    if (journal_) {
        discarded.given_up = journal_->rescue(pool_, index, [&] { return journal_entry(index); });
    }
    finished_.remove(slot);
    if (owners.job.open_skip == index) { owners.job.open_skip = no_slot; }
    unlink(slot, owners);
    ids_.erase(index, slot.id);
    release_locked({.job = slot.job, .handler = slot.handler, .method = slot.method});
    memory_.subtract_all(slot);
    discarded.take(slot);
    pool_.give_back(index);
}

/// A copy of a record for the store, which counts as told by then.
inline JournalEntry LogCore::journal_entry(std::uint32_t index) {
    ExecutionSlot& slot = pool_[index];
    JournalEntry entry{.record = {{}, {slot.result, slot.error}},
                       .position = slot.position,
                       .is_first = !std::exchange(slot.is_told, true),
                       .is_claimed = slot.is_claimed};
    copy_facts(slot, names_of(slot), entry.record.facts);
    if (slot.status == JobStatus::skipped) {
        entry.fresh_skips = slot.count - static_cast<std::uint64_t>(slot.steady);
        slot.steady = static_cast<std::int64_t>(slot.count);
    } else if (slot.ran) {
        entry.is_start = !std::exchange(slot.start_is_counted, true);
    }
    return entry;
}

inline std::size_t LogCore::clear(std::uint64_t up_to) {
    const sys_time wall = options_.clock.now();
    Stats<>::Retired retired; // destroyed after the lock
    {
        const std::scoped_lock lock{mutex_};
        untrack_all(jobs_, tracked_jobs_);
        untrack_all(handlers_, tracked_handlers_);
        retired = stats_.clear(wall);
        up_to = cleared_rank_ = std::min(up_to, finished_.next_rank());
    }
    // The records go one at a time, so that nobody who records has to wait for a million of them.
    for (std::size_t removed = 0;; ++removed) {
        Discarded discarded;
        const std::scoped_lock lock{mutex_};
        const std::uint32_t oldest = finished_.oldest();
        if (oldest == no_slot || pool_[oldest].finish_rank >= up_to) { return removed; }
        evict(oldest, discarded);
    }
}

} // namespace daybook::inline v0::detail

#endif
