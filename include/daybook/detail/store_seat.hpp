// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_SEAT_HPP
#define DAYBOOK_DETAIL_STORE_SEAT_HPP

/// @file
/// How a log that writes behind it does so as one of a fleet.

#include <daybook/detail/store_writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

inline std::string StoreWriter::node_of(ExecutionId id) const {
    const std::scoped_lock lock{mutex_};
    auto seat = seats_.rbegin();
    while (std::next(seat) != seats_.rend() && id < seat->first) { ++seat; }
    return seat->second;
}

/// Nothing is written while it joins, and nothing of before afterwards: others have it.
inline FleetSeat StoreWriter::rejoin(const FleetOpening& opening, StoreDeadline deadline) {
    const std::scoped_lock writing{io_mutex_};
    FleetSeat seat = store_.join(opening, deadline);
    log_.reseat({.first_id = seat.first_id, .id_count = seat.id_count});
    {
        constexpr std::size_t most = 64;
        const std::scoped_lock lock{mutex_};
        if (seats_.size() == most) { seats_.erase(seats_.begin()); }
        seats_.emplace_back(seat.first_id, seat.node);
        released_.clear();
        std::erase_if(settled_, [](const Settled& one) { return one.known == Known::by_claim; });
    }
    round_released_.clear();
    batch_.released.clear();
    count_anew(seat);
    awake_.wake();
    return seat;
}

/// What is not written yet was counted under the name of before, whose rows stay as they are.
inline void StoreWriter::count_anew(const FleetSeat& seat) {
    book_.emplace(seat.node, log_.options(), log_.options().clock.now());
    BatchInHand kept;
    places_.clear();
    for (std::size_t i = 0; i < batch_.executions.size(); ++i) {
        StoredExecution& execution = batch_.executions[i];
        FreshFacts facts = batch_.facts[i];
        if (!is_ours(execution, facts)) { continue; }
        places_.insert_or_assign(execution.id, kept.executions.size());
        kept.facts.push_back(facts);
        kept.executions.push_back(std::move(execution));
        count(kept.executions.back(), facts);
    }
    batch_.executions.swap(kept.executions);
    batch_.facts.swap(kept.facts);
    batch_.is_refused = false;
    const std::scoped_lock lock{mutex_};
    in_hand_ = batch_.executions.size();
}

/// Another process has cleared the history: what is not written yet was not there.
inline void StoreWriter::count_since_clear() {
    book_->clear(log_.options().clock.now(), [this] {
        for (std::size_t i = 0; i < batch_.executions.size(); ++i) {
            FreshFacts facts = batch_.facts[i];
            count(batch_.executions[i], facts);
        }
    });
}

/// Whether a record is this process's to write. Of a seat that is lost: not what the store has heard of, which others
/// have ended, nor what was claimed, which they record; what has waited in a queue is abandoned, and the rest is true.
inline bool StoreWriter::is_ours(StoredExecution& execution, const FreshFacts& facts) const {
    if (!member_) { return true; }
    if (facts.is_settled) { return !facts.is_claimed; } // else whoever has the claim now does it
    {
        const std::scoped_lock lock{mutex_};
        if (execution.id >= seats_.back().first) { return true; }
    }
    if (facts.is_claimed) { return false; }
    // A further attempt that the store has not heard of has not begun.
    if (execution.queued_at && execution.id != execution.occurrence_id) { return false; }
    if (execution.status == JobStatus::skipped && !execution.queued_at) { return true; }
    if (!facts.is_first) { return false; }
    if (!execution.queued_at) { return true; }
    if (!is_finished(execution.status) || !execution.completed_at) {
        execution.completed_at = log_.options().clock.now();
        execution.duration.reset();
    }
    execution.status = JobStatus::abandoned;
    execution.reason = SkipReason::none;
    execution.is_final = false;
    execution.result.reset();
    return true;
}

inline bool StoreWriter::needs_ids() const {
    const std::scoped_lock lock{log_.mutex_};
    return log_.ids_left_.is_low();
}

inline void StoreWriter::add_ids(const IdBlock& block) {
    const std::scoped_lock lock{log_.mutex_};
    log_.ids_left_.add(block);
}

/// The record of a claim that nothing was written of: a skip, or what waits to begin.
[[nodiscard]] inline StoredExecution record_of(const Claim& claim, const std::string& node) {
    StoredExecution record;
    record.id = record.occurrence_id = claim.id;
    record.job_id = claim.job_id;
    record.handler_id = claim.handler_id;
    record.method_name = claim.method_name;
    record.node = node;
    record.scheduled_at = claim.scheduled_at;
    record.trigger = claim.trigger;
    record.dst = claim.dst;
    record.parameters = claim.parameters;
    record.position = claim.claimed_at.time_since_epoch().count();
    if (claim.kind == Claim::Kind::skip) {
        record.status = JobStatus::skipped;
        record.reason = claim.reason;
        record.skip_count = claim.skip_count;
        record.skip_count_is_minimum = claim.skip_count_is_minimum;
        record.completed_at = claim.claimed_at; // when it was counted
        record.is_final = true;
    } else {
        record.status = JobStatus::queued;
        record.queued_at = claim.claimed_at;
    }
    return record;
}

/// There is no scheduler to go on with it.
inline void StoreWriter::end_left(std::vector<TakenOver> left) {
    for (TakenOver& one : left) {
        if (one.claim && !one.last) {
            StoredExecution record = record_of(*one.claim, one.node);
            if (record.status == JobStatus::queued) {
                record.status = JobStatus::abandoned;
                record.is_final = true;
                record.completed_at = log_.options().clock.now();
            }
            settle(std::move(record), Known::by_claim);
        } else if (one.last && (one.was_open || one.last->status == JobStatus::abandoned) && !one.last->is_final) {
            one.last->is_final = true;
            settle(std::move(*one.last), one.claim ? Known::by_claim : Known::by_record);
        }
        if (one.claim) { release(one.claim->id); }
    }
}

/// The counters of processes that are gone become one row each, and periods that nobody asks about any more go.
inline void StoreWriter::tidy() {
    const sys_time now = log_.options().clock.now();
    const std::string own_node = node();
    const auto fold = [&](std::vector<StoredCounters> rows) -> std::optional<std::vector<StoredCounters>> {
        const auto own = std::stable_partition(rows.begin(), rows.end(),
                                               [&](const StoredCounters& row) { return row.node != own_node; });
        const auto is_over = [&](const StoredCounters& row) { return is_outdated(row, now); };
        const bool is_tidy =
            std::none_of(rows.begin(), rows.end(), is_over) &&
            std::all_of(rows.begin(), own, [&](const StoredCounters& row) { return row.node == earlier_node; });
        if (is_tidy) { return std::nullopt; }
        const std::span gone{rows.begin(), own};
        std::vector<StoredCounters> kept = folded(gone, earlier_node, log_.options(), now);
        std::copy_if(own, rows.end(), std::back_inserter(kept),
                     [&](const StoredCounters& row) { return !is_over(row); });
        return kept;
    };
    store_.tidy_counters(fold, own_deadline());
    next_fold_ = Clock::now() + std::chrono::hours{6};
}

/// Told by the thread that writes, which alone calls the program.
inline void StoreWriter::tell_of_fleet(std::string_view error) noexcept {
    if (!options_.on_error) { return; }
    const std::scoped_lock lock{mutex_};
    try {
        if (fleet_told_.size() < most_to_tell) { fleet_told_.emplace_back(error); }
    } catch (const std::bad_alloc&) { return; } // health says so too
    awake_.wake();
}

inline void StoreWriter::take_told() {
    std::vector<std::string> told;
    {
        const std::scoped_lock lock{mutex_};
        told.swap(fleet_told_);
    }
    for (const std::string& error : told) { tell(error); }
}

} // namespace daybook::inline v0::detail

#endif
