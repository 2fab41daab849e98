// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_WRITING_HPP
#define DAYBOOK_DETAIL_STORE_WRITING_HPP

/// @file
/// How a batch comes about, how it is written, and what is done when that fails.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/store_writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Takes the next batch in hand, unless there is one.
/// @returns Whether there is something to write.
inline bool StoreWriter::fill() {
    if (!batch_.is_empty()) { return true; }
    if (round_left_ == 0) { begin_round(); }
    std::vector<JournalEntry> entries;
    take_entries(entries);
    round_left_ = entries.size() < options_.batch ? 0 : round_left_ - std::min(round_left_, entries.size());
    for (JournalEntry& entry : entries) {
        batch_.executions.push_back(stored(std::move(entry.record), entry.position));
        const StoredExecution& taken = batch_.executions.back();
        count(taken, entry);
        // What has its record is accounted for; of a run of skips, only its first time is known here.
        const bool is_scheduled = taken.scheduled_at && taken.trigger != Trigger::manual && taken.attempt_number == 1;
        if (is_scheduled) {
            sys_time& until = round_accounted_.try_emplace(taken.job_id, *taken.scheduled_at).first->second;
            until = std::max(until, *taken.scheduled_at);
        }
    }
    if (round_left_ == 0) {
        for (const auto& [job, until] : round_accounted_) { batch_.accounted.push_back({job, until}); }
        round_accounted_.clear();
    }
    const std::scoped_lock lock{mutex_};
    if (round_left_ == 0) { batch_.round = begun_round_; }
    in_hand_ = batch_.executions.size();
    return !batch_.is_empty();
}

/// All that is there by now is this round's to write; what a job has accounted for goes with the last of it.
inline void StoreWriter::begin_round() {
    {
        const std::scoped_lock lock{mutex_};
        round_accounted_.merge(accounted_);
        for (const auto& [job, until] : accounted_) { // those that were there already
            sys_time& known = round_accounted_[job];
            known = std::max(known, until);
        }
        accounted_.clear();
        batch_.jobs = std::exchange(jobs_, {});
        batch_.executions = std::exchange(settled_, {});
        ++begun_round_;
    }
    for (const StoredExecution& settled : batch_.executions) { book_.record_end(settled, settled.completed_at); }
    const std::scoped_lock lock{log_.mutex_};
    round_left_ = log_.journal_->size();
}

/// The oldest of those that wait, a few at a time, so that nobody who records has to wait for long.
inline void StoreWriter::take_entries(std::vector<JournalEntry>& entries) {
    constexpr std::size_t few = 16;
    entries.reserve(options_.batch);
    bool is_over = false;
    while (!is_over) {
        const ReadingTurn lock{log_.mutex_};
        StoreJournal& journal = *log_.journal_;
        for (std::size_t i = 0; i < few && !is_over; ++i) {
            if (entries.size() == options_.batch || journal.size() == 0) {
                is_over = true;
            } else if (!journal.evicted().empty()) {
                entries.push_back(std::move(journal.evicted().front()));
                journal.evicted().pop_front();
            } else {
                const std::uint32_t index = journal.pending().oldest;
                entries.push_back(log_.journal_entry(index));
                journal.forget(log_.pool_, index);
            }
        }
    }
}

inline StoredExecution StoreWriter::stored(RawRecord&& record, std::int64_t position) const {
    StoredExecution execution{std::move(record.facts)};
    execution.node = node_;
    execution.position = position;
    const RecordBlocks& blocks = record.blocks;
    if (blocks.error) { execution.error = std::string{blocks.error->text()}; }
    if (blocks.result && result_text_ != nullptr) { result_text_(execution.result.emplace(), *blocks.result); }
    return execution;
}

inline void StoreWriter::count(const StoredExecution& execution, const JournalEntry& entry) {
    if (entry.is_start) { book_.record_start(execution); }
    if (execution.status == JobStatus::skipped) {
        book_.record_skip(execution, entry.fresh_skips);
    } else if (is_finished(execution.status)) {
        book_.record_end(execution, log_.options().clock.now()); // of one that never ran: about now
    }
}

/// @returns Whether the batch is written, and out of hand.
inline bool StoreWriter::write() {
    try {
        write_jobs();
        try {
            write_executions(batch_.executions, batch_.accounted);
        } catch (const StoreError& error) {
            if (error.failure() != StoreFailure::refused || batch_.executions.size() < 2) { throw; }
            write_one_by_one(error);
        }
    } catch (const std::exception& error) {
        failed(error.what());
        return false;
    }
    book_.written();
    written(batch_.executions.size(), batch_.round);
    batch_ = {};
    return true;
}

inline void StoreWriter::write_jobs() {
    while (!batch_.jobs.empty()) {
        const auto next = batch_.jobs.begin();
        if (next->second.is_erased) { store_.erase(next->first, deadline()); }
        next->second.is_erased = false;
        if (next->second.saved) { store_.save(*next->second.saved, deadline()); }
        batch_.jobs.erase(next);
    }
}

inline void StoreWriter::write_executions(std::span<const StoredExecution> executions,
                                          std::span<const AccountedTime> accounted) {
    const std::vector<StoredCounters> counters = book_.changed();
    if (executions.empty() && accounted.empty() && counters.empty()) { return; }
    store_.write({.executions = executions, .accounted = accounted, .counters = counters}, deadline());
}

/// The store refuses what is in the batch: what it refuses alone is given up, so that it holds up nothing else. Where
/// it refuses everything, the fault is not with the records.
inline void StoreWriter::write_one_by_one(const StoreError& why) {
    std::vector<StoredExecution> refused;
    std::size_t taken = 0;
    std::string reason;
    for (const StoredExecution& execution : batch_.executions) {
        try {
            store_.write({.executions = std::span{&execution, 1}}, deadline());
            ++taken;
        } catch (const StoreError& error) {
            if (error.failure() != StoreFailure::refused) { throw; }
            refused.push_back(execution);
            reason = error.what();
        }
    }
    if (taken == 0) { throw StoreError{why}; }
    write_executions({}, batch_.accounted);
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
    if (Clock::now() >= next_fold_) {
        try {
            fold(Fold::outdated);
        } catch (const std::exception& error) { return failed(error.what()); }
    }
    if ((options_.max_age.count() == 0 && options_.max_records == 0) || Clock::now() < next_prune_) { return; }
    StoreRetention retention;
    if (options_.max_age.count() != 0) { retention.finished_before = log_.options().clock.now() - options_.max_age; }
    if (options_.max_records != 0) { retention.max_records = options_.max_records; }
    std::uint64_t removed = retention.batch;
    try {
        for (int i = 0; i < most_batches && removed >= retention.batch; ++i) {
            removed = store_.prune(retention, deadline());
        }
    } catch (const std::exception& error) { return failed(error.what()); }
    next_prune_ = Clock::now() + (removed >= retention.batch ? std::chrono::seconds{1} : std::chrono::seconds{60});
}

inline void StoreWriter::written(std::size_t records, std::uint64_t round) {
    failures_ = 0;
    bool is_back = false;
    {
        const std::scoped_lock lock{mutex_};
        is_back = !std::exchange(health_.is_available, true);
        health_.error.clear();
        health_.failing_since.reset();
        health_.last_written = log_.options().clock.now();
        health_.written += records;
        in_hand_ = 0;
        if (round != 0) { written_round_ = round; }
    }
    changed_.notify_all();
    if (is_back) { tell({}); }
}

inline void StoreWriter::failed(const std::string& what) {
    ++failures_;
    bool is_new = false;
    {
        const std::scoped_lock lock{mutex_};
        is_new = health_.is_available || health_.error != what;
        if (health_.is_available) { health_.failing_since = log_.options().clock.now(); }
        health_.is_available = false;
        health_.error = what;
        ++failed_tries_;
    }
    changed_.notify_all();
    if (is_new) { tell(what); }
}

/// Later, when nothing is held.
inline void StoreWriter::tell(std::string error) {
    constexpr std::size_t most = 16;
    if (options_.on_error && to_tell_.size() < most) { to_tell_.push_back(std::move(error)); }
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

/// Between half of it and all of it.
inline std::chrono::nanoseconds StoreWriter::retry_delay() noexcept {
    auto delay = options_.first_retry;
    for (std::uint32_t i = 1; i < failures_ && delay < options_.longest_retry; ++i) { delay *= 2; }
    delay = std::min(delay, options_.longest_retry);
    random_ = mix_bits(random_ + 0x9E3779B97F4A7C15U);
    return delay - delay / 2 * static_cast<std::int64_t>(random_ % 1024) / 1024;
}

/// The log that the options describe, with the writer of its store where there is one.
/// @throws StoreError  The store cannot be opened.
[[nodiscard]] inline std::shared_ptr<LogCore> make_log_core(LogOptions options, ResultText result_text) {
    auto core = std::make_shared<LogCore>(std::move(options));
    if (core->options().store) { core->attach(std::make_unique<StoreWriter>(*core, result_text)); }
    return core;
}

} // namespace daybook::inline v0::detail

#endif
