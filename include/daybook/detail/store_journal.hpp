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
    bool is_start = false;         ///< it is the first time that the store hears of its start
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
        pending_.push_newest(pool, index, slot);
        if (size() >= wakes_at_) {
            wakes_at_ = std::numeric_limits<std::size_t>::max();
            awake_.wake();
        }
    }

    /// It is no longer there, or it has been copied.
    void forget(SlotPool& pool, std::uint32_t index) noexcept {
        ExecutionSlot& slot = pool[index];
        if (!slot.is_journaled) { return; }
        slot.is_journaled = false;
        pending_.erase(pool, slot);
    }

    /// It is evicted, and has not been written.
    /// @param copy  Makes a JournalEntry of it.
    template <class Copy>
    void rescue(SlotPool& pool, std::uint32_t index, Copy&& copy) noexcept {
        if (!pool[index].is_journaled) { return; }
        try {
            if (evicted_.size() >= max_evicted_) {
                if (max_evicted_ == 0) { throw std::bad_alloc{}; }
                evicted_.pop_front();
                ++lost_;
            }
            evicted_.push_back(copy());
        } catch (const std::bad_alloc&) { ++lost_; }
        forget(pool, index);
    }

    /// Takes the places of what begins at these instants: never before what came earlier.
    [[nodiscard]] std::int64_t place(std::int64_t at) noexcept { return last_position_ = std::max(last_position_, at); }

    [[nodiscard]] const List& pending() const noexcept { return pending_; }
    [[nodiscard]] std::deque<JournalEntry>& evicted() noexcept { return evicted_; }
    [[nodiscard]] std::size_t size() const noexcept { return pending_.size + evicted_.size(); }
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

    /// Wakes whoever writes once so many wait, and then no more until it asks again.
    void wake_at(std::size_t waiting) noexcept { wakes_at_ = waiting; }

private:
    List pending_; // the oldest change first
    std::deque<JournalEntry> evicted_;
    std::size_t max_evicted_;
    std::uint64_t lost_ = 0;
    std::int64_t last_position_;
    std::size_t wakes_at_ = std::numeric_limits<std::size_t>::max();
    WakeUp& awake_;
};

} // namespace daybook::inline v0::detail

#endif
