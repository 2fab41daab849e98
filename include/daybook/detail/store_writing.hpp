// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_WRITING_HPP
#define DAYBOOK_DETAIL_STORE_WRITING_HPP

/// @file
/// How a batch comes about, how it is written, and what is done when that fails.

#include <daybook/detail/log_shards.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/store_seat.hpp>
#include <daybook/detail/store_writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Takes the next batch in hand, unless there is one.
/// @returns Whether there is something to write.
inline bool StoreWriter::fill() {
    // What is refused with others beside it shows whose fault it is.
    const bool is_suspect = batch_.is_refused && batch_.executions.size() < 2 * options_.batch;
    if (!batch_.is_empty() && !is_suspect) { return true; }
    const bool is_new = batch_.is_empty();
    put_in_batch(); // what memory did not suffice for the last time
    if (is_new && taken_.empty()) {
        bool is_between = false;
        {
            const std::scoped_lock lock{log_.mutex_};
            is_between = log_.journal_->left_of_round() == 0;
        }
        if (is_between) { begin_round(); }
    }
    const bool is_last = take_entries(options_.batch, is_new ? Take::round : Take::all);
    put_in_batch();
    const bool ends_round = is_new && is_last;
    if (ends_round) {
        batch_.jobs.swap(round_jobs_);
        batch_.released.swap(round_released_);
        batch_.accounted.reserve(round_accounted_.size());
        for (const auto& [job, until] : round_accounted_) { batch_.accounted.push_back({job, until}); }
        round_accounted_.clear();
    }
    const std::scoped_lock lock{mutex_};
    if (ends_round) { batch_.round = begun_round_; }
    in_hand_ = batch_.executions.size();
    return !batch_.is_empty();
}

/// All that is there by now is this round's to write; jobs, and what they have accounted for, go with the last of it.
inline void StoreWriter::begin_round() {
    std::vector<Settled> settled;
    {
        const std::scoped_lock lock{mutex_};
        for (const auto& [job, until] : accounted_) { raise(round_accounted_, job, until); }
        accounted_.clear();
        round_released_.insert(round_released_.end(), released_.begin(), released_.end());
        released_.clear();
        for (auto& [id, change] : jobs_) { round_jobs_[id].follow(std::move(change)); }
        jobs_.clear();
        settled.swap(settled_);
        in_hand_ += settled.size();
        ++begun_round_;
    }
    for (auto& [one, known] : settled) {
        FreshFacts facts{.is_claimed = known == Known::by_claim, .is_settled = true};
        if (one.status == JobStatus::skipped) { facts.fresh_skips = one.skip_count; }
        batch_.facts.reserve(batch_.executions.size() + 1);
        count(one, facts);
        places_.insert_or_assign(one.id, batch_.executions.size());
        batch_.executions.push_back(std::move(one));
        batch_.facts.push_back(facts);
    }
    const std::scoped_lock lock{log_.mutex_};
    log_.journal_->begin_round();
}

/// A few at a time, so that nobody who records has to wait for long.
/// @returns Whether nothing is left of the round.
inline bool StoreWriter::take_entries(std::size_t most, Take what) {
    constexpr std::size_t few = 16;
    for (std::size_t count = 0;;) {
        const ReadingTurn lock{log_.mutex_};
        StoreJournal& journal = *log_.journal_;
        for (std::size_t i = 0; i < few && (i == 0 || !log_.mutex_.is_wanted()); ++i, ++count) {
            const std::size_t left = what == Take::all ? journal.size() : journal.left_of_round();
            if (left == 0 || count == most) { return journal.left_of_round() == 0; }
            taken_.emplace_back();
            try {
                taken_.back() =
                    journal.take(log_.pool_, [&](std::uint32_t index) { return log_.journal_entry(index); });
            } catch (...) {
                taken_.pop_back();
                throw;
            }
        }
    }
}

inline void StoreWriter::put_in_batch() {
    while (!taken_.empty()) {
        put_in_batch(taken_.front());
        taken_.pop_front();
    }
}

/// Each id once: a record that changed while the others were taken comes again, and is the newer one.
inline void StoreWriter::put_in_batch(JournalEntry& entry) {
    batch_.executions.reserve(batch_.executions.size() + 1);
    batch_.facts.reserve(batch_.executions.size() + 1);
    FreshFacts facts{.is_first = entry.is_first,
                     .is_start = entry.is_start,
                     .is_claimed = entry.is_claimed,
                     .fresh_skips = entry.fresh_skips};
    StoredExecution made = stored(entry.record, entry.position);
    auto place = places_.find(made.id);
    if (place != places_.end()) { facts.is_first = facts.is_first || batch_.facts[place->second].is_first; }
    if (!is_ours(made, facts)) { return; }
    const bool is_start = facts.is_start;
    if (place == places_.end()) {
        place = places_.try_emplace(made.id, batch_.executions.size()).first;
        batch_.executions.push_back(std::move(made));
        batch_.facts.push_back({});
    } else {
        batch_.executions[place->second] = std::move(made);
    }
    const StoredExecution& taken = batch_.executions[place->second];
    // Where memory runs out halfway, it is gone on from there.
    const FreshFacts whole = facts;
    try {
        count(taken, facts);
    } catch (...) {
        entry.is_start = facts.is_start;
        throw;
    }
    batch_.facts[place->second].follow(whole);
    batch_.facts[place->second].is_claimed = whole.is_claimed;
    // What has its record is accounted for; of a run of skips, only its first time is known here. Not again as it ends:
    // the job may be in another timeline by then. In a fleet the claim has said so.
    const bool is_fresh = !is_finished(taken.status) || !taken.started_at || is_start;
    if (!member_ && is_fresh && taken.scheduled_at && taken.trigger != Trigger::manual && taken.attempt_number == 1) {
        raise(round_accounted_, taken.job_id, *taken.scheduled_at);
    }
}

inline StoredExecution StoreWriter::stored(RawRecord& record, std::int64_t position) const {
    StoredExecution execution{record.facts};
    execution.node = node_of(execution.id);
    execution.position = position;
    const RecordBlocks& blocks = record.blocks;
    if (blocks.error) { execution.error = std::string{blocks.error->text()}; }
    if (blocks.result && result_text_ != nullptr) {
        try {
            result_text_(execution.result.emplace(), *blocks.result);
        } catch (const std::bad_alloc&) {
            throw;
        } catch (...) { // a codec of the program's own: the record counts for more
            execution.result.reset();
        }
    }
    return execution;
}

/// @param facts  What is counted of them is none any more.
inline void StoreWriter::count(const StoredExecution& execution, FreshFacts& facts) {
    if (facts.is_start) { book_->record_start(execution); }
    facts.is_start = false;
    if (execution.status == JobStatus::skipped) {
        book_->record_skip(execution, facts.fresh_skips);
    } else if (facts.is_settled) {
        book_->record_end(execution, execution.completed_at);
    } else if (is_finished(execution.status)) {
        book_->record_end(execution, log_.options().clock.now()); // of one that never ran: about now
    }
}

/// @returns Whether the batch is written, and out of hand.
inline bool StoreWriter::write() {
    bool was_asked = false;
    try {
        was_asked = write_all();
    } catch (const StoreError& error) {
        batch_.is_refused = error.failure() == StoreFailure::refused;
        if (member_ && error.failure() == StoreFailure::unseated) { member_->note_unseated(); }
        if (error.failure() == StoreFailure::cleared) {
            count_since_clear();
            return write();
        }
        failed(error.what());
        return false;
    }
    book_->written();
    for (const AccountedTime& accounted : batch_.accounted) { raise(reached_, accounted.job_id, accounted.until); }
    if (was_asked) { written(batch_.executions.size()); }
    const std::uint64_t round = batch_.round;
    batch_ = {};
    places_.clear();
    round_over(round);
    return true;
}

/// Records, then jobs, then what they have accounted for, and claims that are over: never before its record.
/// @returns Whether the store was asked for anything.
inline bool StoreWriter::write_all() {
    const bool has_jobs = !batch_.jobs.empty();
    bool was_asked = false;
    try {
        was_asked = write_executions(batch_.executions, !has_jobs);
    } catch (const StoreError& error) {
        if (error.failure() != StoreFailure::refused || batch_.executions.size() < 2) { throw; }
        write_one_by_one(error);
        was_asked = true;
    }
    if (!has_jobs) { return was_asked; }
    write_jobs();
    write_executions({}, true);
    return true;
}

/// What a job says of itself was true when it was told; what it has accounted for since is not taken back.
inline void StoreWriter::write_jobs() {
    while (!batch_.jobs.empty()) {
        const auto next = batch_.jobs.begin();
        KeptJob& change = next->second;
        if (change.is_erased) {
            store_.erase(next->first, own_deadline());
            reached_.erase(next->first);
            change.is_erased = false;
        }
        if (change.saved) {
            StoredJob& job = *change.saved;
            const auto reached = reached_.find(next->first);
            if (job.accounted_to && reached != reached_.end()) {
                job.accounted_to = std::max(*job.accounted_to, reached->second);
            }
            store_.save(job, own_deadline());
        }
        batch_.jobs.erase(next);
    }
}

/// @param ends  It is the last of the batch: with all that goes after its records.
inline bool StoreWriter::write_executions(std::span<const StoredExecution> executions, bool ends) {
    const std::vector<StoredCounters> counters = book_->changed();
    StoreBatch batch{.executions = executions, .counters = counters};
    if (ends) {
        batch.accounted = batch_.accounted;
        batch.released = batch_.released;
    }
    if (executions.empty() && batch.accounted.empty() && batch.released.empty() && counters.empty()) { return false; }
    store_.write(batch, own_deadline());
    return true;
}

/// The store refuses what is in the batch: what it refuses alone is given up, so that it holds up nothing else. Where
/// it refuses everything, the fault is not with the records.
inline void StoreWriter::write_one_by_one(const StoreError& why) {
    store_.write({}, own_deadline()); // who refuses even nothing does not refuse the records
    std::vector<std::size_t> refused;
    std::string reason;
    for (std::size_t i = 0; i < batch_.executions.size(); ++i) {
        if (end_ && Clock::now() >= *end_) { throw StoreError{why}; }
        try {
            store_.write({.executions = std::span{&batch_.executions[i], 1}}, own_deadline());
        } catch (const StoreError& error) {
            if (error.failure() != StoreFailure::refused) { throw; }
            refused.push_back(i);
            reason = error.what();
        }
    }
    if (refused.size() == batch_.executions.size()) { throw StoreError{why}; }
    write_executions({}, batch_.jobs.empty());
    {
        const std::scoped_lock lock{mutex_};
        health_.lost += refused.size();
    }
    if (!refused.empty()) {
        tell("the store refuses " + std::to_string(refused.size()) + " records, which are lost to it: " + reason);
    }
}

/// Every six hours the counts of periods that are over for long; and once a minute, what has grown too old or too much
/// goes, a batch after the other.
inline void StoreWriter::prune() {
    constexpr int most_batches = 10; // else what is recorded meanwhile would wait
    const bool is_bounded = options_.max_age.count() != 0 || options_.max_records != 0;
    const bool is_due = is_bounded && Clock::now() >= next_prune_;
    if (!is_due && Clock::now() < next_fold_) { return; }
    try {
        if (Clock::now() >= next_fold_) {
            if (member_) {
                tidy();
            } else {
                fold(Fold::outdated);
            }
        }
        if (is_due) {
            StoreRetention retention;
            if (options_.max_age.count() != 0) {
                retention.finished_before =
                    saturating_subtract(log_.options().clock.now(), std::chrono::microseconds{options_.max_age});
            }
            if (options_.max_records != 0) { retention.max_records = options_.max_records; }
            std::uint64_t removed = retention.batch;
            for (int i = 0; i < most_batches && removed >= retention.batch; ++i) {
                removed = store_.prune(retention, own_deadline());
            }
            next_prune_ = Clock::now() + std::chrono::seconds{removed >= retention.batch ? 1 : 60};
        }
    } catch (const StoreError& error) {
        // What is recorded is written all the same: this is told, and tried again in a while.
        next_prune_ = next_fold_ = Clock::now() + std::chrono::seconds{60};
        tell(std::string{"what is old stays in the store: "} + error.what());
    }
}

/// The store has taken something.
inline void StoreWriter::written(std::size_t records) {
    retry_.succeeded();
    bool is_back = false;
    std::uint64_t lost = 0;
    {
        const std::scoped_lock lock{log_.mutex_};
        lost = log_.journal_->lost();
    }
    {
        const std::scoped_lock lock{mutex_};
        is_back = !std::exchange(health_.is_available, true);
        health_.error.clear();
        health_.failing_since.reset();
        health_.last_written = log_.options().clock.now();
        health_.written += records;
        in_hand_ = 0;
    }
    if (is_back) { tell({}); }
    if (lost > told_lost_) {
        tell(std::to_string(lost - told_lost_) + " changes of records are lost to the store: too many were waiting");
        told_lost_ = lost;
    }
}

inline void StoreWriter::round_over(std::uint64_t round) {
    if (round == 0) { return; }
    {
        const std::scoped_lock lock{mutex_};
        written_round_ = round;
    }
    changed_.notify_all();
}

inline void StoreWriter::failed(const char* what) noexcept {
    retry_.failed();
    bool is_new = false;
    {
        const std::scoped_lock lock{mutex_};
        is_new = health_.is_available || health_.error != what;
        if (health_.is_available) { health_.failing_since = log_.options().clock.now(); }
        health_.is_available = false;
        try {
            health_.error = what;
        } catch (const std::bad_alloc&) { health_.error.clear(); }
        ++failed_tries_;
    }
    changed_.notify_all();
    if (is_new) { tell(what); }
}

/// Later, when nothing is held.
inline void StoreWriter::tell(std::string_view error) noexcept {
    if (!options_.on_error || to_tell_.size() == most_to_tell) { return; }
    try {
        to_tell_.emplace_back(error);
    } catch (const std::bad_alloc&) { return; } // health says so too
}

/// Only the writer's own thread says anything, so nobody else looks at the list meanwhile.
inline void StoreWriter::tell_all() noexcept {
    for (const std::string& error : to_tell_) {
        try {
            options_.on_error(error);
        } catch (...) { // NOLINT(bugprone-empty-catch): a hook is no reason not to write
        }
    }
    to_tell_.clear();
}

/// The log that the options describe, with the writer of its store where there is one.
/// @param leftovers  In a fleet, of other processes.
/// @throws StoreError  The store cannot be opened.
[[nodiscard]] inline std::shared_ptr<LogCore> make_log_core(LogOptions options, ResultText result_text,
                                                            Leftovers leftovers = Leftovers::ended) {
    if (options.shards != 1) { return LogShards::make(std::move(options)); }
    auto core = std::make_shared<LogCore>(std::move(options));
    if (core->options().store) { core->attach(std::make_unique<StoreWriter>(*core, result_text, leftovers)); }
    return core;
}

} // namespace daybook::inline v0::detail

#endif
