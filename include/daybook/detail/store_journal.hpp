// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_JOURNAL_HPP
#define DAYBOOK_DETAIL_STORE_JOURNAL_HPP

/// @file
/// What of a log its store does not have yet.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace daybook::inline v0::detail {

/// A record on its way to the store.
struct JournalEntry {
    RawRecord record = {};
    std::int64_t position = 0;
    std::uint32_t round = 0;
    bool is_first = false;         ///< it is the first time that the store hears of it
    bool is_start = false;         ///< the same, of its start
    bool is_claimed = false;       ///< see ExecutionSlot
    std::uint64_t fresh_skips = 0; ///< occurrences that it has not heard of
};

/// Lets a thread sleep until it is woken or the time has come.
///
/// @par Thread safety
/// Safe, every member. `wake` is short: it may be called under a lock.
class WakeUp {
public:
    void wake() noexcept {
        {
            const std::scoped_lock lock{mutex_};
            is_awake_ = true;
        }
        changed_.notify_all();
    }

    /// Returns at once if `wake` was called since the last time. No instant: for as long as it takes.
    void sleep(std::optional<std::chrono::steady_clock::time_point> until) {
        std::unique_lock lock{mutex_};
        const auto is_over = [this] { return is_awake_; };
        if (until) {
            changed_.wait_until(lock, *until, is_over);
        } else {
            changed_.wait(lock, is_over);
        }
        is_awake_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_awake_ = false; // guarded by mutex_
};

/// Records change in the log, and are copied when they are written: until then a change costs a place in a list. What
/// is evicted before that is copied then, as many as there is room for.
///
/// What is noted before a round begins belongs to it, until it is written.
///
/// Guarded by the log's lock.
class StoreJournal {
public:
    using List = SlotList<&ExecutionSlot::by_journal>;

    StoreJournal(std::size_t max_evicted, std::int64_t last_position, WakeUp& awake)
        : max_evicted_{max_evicted}, last_position_{last_position}, awake_{awake} {}

    /// The record has changed.
    void note(SlotPool& pool, std::uint32_t index) noexcept {
        ExecutionSlot& slot = pool[index];
        if (slot.is_journaled) { return; }
        slot.is_journaled = true;
        slot.journal_round = round_ + 1;
        pending_.push_newest(pool, index, slot);
        if (size() >= wakes_at_) {
            wakes_at_ = std::numeric_limits<std::size_t>::max();
            awake_.wake();
        }
    }

    /// It is evicted, and has not been written.
    /// @param copy  Makes a JournalEntry of it.
    /// @returns What may be a result of the program's own, to be destroyed after the lock.
    template <class Copy>
    [[nodiscard]] RecordBlocks rescue(SlotPool& pool, std::uint32_t index, Copy&& copy) noexcept {
        ExecutionSlot& slot = pool[index];
        if (!slot.is_journaled) { return {}; }
        RecordBlocks given_up;
        try {
            if (max_evicted_ == 0) { throw std::bad_alloc{}; }
            evicted_.push_back(copy());
            evicted_.back().round = slot.journal_round;
            if (evicted_.size() > max_evicted_) {
                given_up = std::move(evicted_.front().record.blocks);
                leave(evicted_.front().round);
                evicted_.pop_front();
                ++lost_;
            }
        } catch (const std::bad_alloc&) {
            leave(slot.journal_round);
            ++lost_;
        }
        forget(pool, slot);
        return given_up;
    }

    /// All that is there belongs to this round, which ends when `left_of_round` is 0.
    void begin_round() noexcept {
        ++round_;
        of_round_ = size();
    }
    [[nodiscard]] std::size_t left_of_round() const noexcept { return of_round_; }

    /// Takes out the next to be written: what belongs to the round first. There must be one.
    /// @param copy  Makes a JournalEntry of a slot's index. What it throws changes nothing.
    template <class Copy>
    [[nodiscard]] JournalEntry take(SlotPool& pool, Copy&& copy) {
        const std::uint32_t oldest = pending_.oldest;
        const bool is_first = oldest != no_slot && (is_of_round(pool[oldest].journal_round) || evicted_.empty());
        if (!is_first) {
            JournalEntry entry = std::move(evicted_.front());
            evicted_.pop_front();
            leave(entry.round);
            return entry;
        }
        JournalEntry entry = copy(oldest);
        leave(pool[oldest].journal_round);
        forget(pool, pool[oldest]);
        return entry;
    }

    /// Takes the places of what begins at these instants: never before what came earlier.
    [[nodiscard]] std::int64_t place(std::int64_t at) noexcept { return last_position_ = std::max(last_position_, at); }

    [[nodiscard]] std::size_t size() const noexcept { return pending_.size + evicted_.size(); }
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

    /// Wakes whoever writes once so many wait, and then no more until it asks again.
    void wake_at(std::size_t waiting) noexcept { wakes_at_ = waiting; }

private:
    /// Nothing waits for as long as the numbers take to come round.
    [[nodiscard]] bool is_of_round(std::uint32_t round) const noexcept { return round != round_ + 1; }
    void leave(std::uint32_t round) noexcept {
        if (is_of_round(round) && of_round_ != 0) { --of_round_; }
    }
    void forget(SlotPool& pool, ExecutionSlot& slot) noexcept {
        slot.is_journaled = false;
        pending_.erase(pool, slot);
    }

    List pending_; // the oldest change first
    std::deque<JournalEntry> evicted_;
    std::size_t max_evicted_;
    std::uint64_t lost_ = 0;
    std::uint32_t round_ = 0;
    std::size_t of_round_ = 0;
    std::int64_t last_position_;
    std::size_t wakes_at_ = std::numeric_limits<std::size_t>::max();
    WakeUp& awake_;
};

} // namespace daybook::inline v0::detail

#endif
