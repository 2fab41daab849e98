// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_TAKEOVER_HPP
#define DAYBOOK_DETAIL_SCHEDULER_TAKEOVER_HPP

/// @file
/// What processes of a fleet leave behind, and what becomes of this one's work when it is taken for gone.

#include <daybook/detail/scheduler_claims.hpp>
#include <daybook/detail/scheduler_restore.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Other processes are gone: what they have begun gets its end, and the next attempt where one is owed. Before the
/// start nobody knows which jobs there are; a scheduler that stops leaves it to those that take over from it.
inline void SchedulerCore::take_over() {
    if (taken_.empty() || !is_started()) { return; }
    bool is_store_asked = true;
    while (!taken_.empty() && std::chrono::steady_clock::now() < round_end_) {
        TakenOver one = std::move(taken_.front());
        taken_.pop_front();
        try {
            take_over_one(one, is_store_asked);
        } catch (const std::exception& error) { // no memory, or the log is full
            diagnose(std::string{"what another process has left is not attempted again: "} + error.what());
        }
    }
    alarm_.wake();
}

/// @param is_store_asked  See resume.
inline void SchedulerCore::take_over_one(TakenOver& left, bool& is_store_asked) {
    StoreWriter& writer = *log_->store_writer();
    if (!left.claim) { // recorded by a program, not by a scheduler
        if (!left.last) { return; }
        left.last->is_final = true;
        return writer.settle(std::move(*left.last));
    }
    const Claim& claim = *left.claim;
    if (claim.kind == Claim::Kind::skip) {
        if (!left.last) { writer.settle(record_of(claim, left.node), Known::by_claim); }
        return writer.release(claim.id);
    }
    if (!left.last) { // it was claimed, and nothing of it was written
        left.last = record_of(claim, left.node);
    } else if (left.last->is_final && is_finished(left.last->status)) {
        return writer.release(claim.id); // only that was not said
    }
    const Ended ended = left.was_open ? Ended::just_now : Ended::before;
    const bool goes_on = resume(*left.last, options_.clock.steady_now(), is_store_asked, ended, claim.is_waiting);
    if (!goes_on && is_started()) { writer.release(claim.id); } // else whoever takes over from this one sees to it
}

/// Others have taken over all that this process had claimed: whatever is in progress here is abandoned.
inline void SchedulerCore::lose_seat() {
    const AtWork at_work{*this};
    Claimed lost;
    bool is_store_asked = true;
    for (TakenOver& one : taken_) { // these too, but for what has no claim
        if (!one.claim) { take_over_one(one, is_store_asked); }
    }
    taken_.clear();
    while (!doubtful_.empty()) {
        undo_claimed(doubtful_.front());
        doubtful_.pop_front();
    }
    {
        const Lock lock{mutex_};
        for (std::size_t i = 0; i < occurrences_.size(); ++i) {
            const OccurrencePtr occurrence = occurrences_[i];
            if (!occurrence || !std::exchange(occurrence->is_claimed, false)) { continue; }
            const auto abandon = [&] {
                lost.decisions.push_back(Decision::about(Decision::Kind::cancel, occurrence));
                lost.decisions.back().status = JobStatus::abandoned;
                lost.decisions.back().finality = Finality::retry_follows;
            };
            occurrence->is_cancelled = true; // no further attempt here
            if (occurrence->phase == Occurrence::Phase::running) {
                if (std::exchange(occurrence->is_ended, true)) { continue; }
                occurrence->job->last_status = JobStatus::abandoned;
                abandon();
                continue;
            }
            if (occurrence->phase != Occurrence::Phase::retrying && occurrence->is_recorded) { abandon(); }
            drop(occurrence, SkipReason::none, lock);
        }
    }
    carry_out_claimed(lost);
    diagnose("other processes have taken over what this one had in progress: it was away for longer than its lease");
}

} // namespace daybook::inline v0::detail

#endif
