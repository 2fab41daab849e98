// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_FEED_RING_HPP
#define DAYBOOK_DETAIL_FEED_RING_HPP

/// @file
/// Who has subscribed to a log, and what each has not read yet.

#include <daybook/detail/heap_bytes.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/types.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// The ids of the newest finished records of some statuses, in the order in which they finished; a full ring forgets
/// the oldest, and counts it. All of its memory is taken when it is made.
class FeedRing {
public:
    FeedRing(std::size_t capacity, StatusSet wanted) : ids_(capacity), wanted_{wanted} {}

    /// @returns Whether this is wanted here.
    bool push(ExecutionId id, JobStatus status) noexcept {
        if (!wanted_.contains(status)) { return false; }
        ids_[end_++ % ids_.size()] = id;
        if (end_ - begin_ > ids_.size()) {
            ++begin_;
            ++dropped_;
        }
        return true;
    }

    /// The oldest id that was not read yet, or 0.
    [[nodiscard]] ExecutionId pop() noexcept { return is_empty() ? 0 : ids_[begin_++ % ids_.size()]; }

    /// What was popped turned out to have been evicted.
    void count_dropped() noexcept { ++dropped_; }

    [[nodiscard]] bool is_empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return heap_bytes(sizeof *this) + heap_bytes(ids_); }

private:
    std::vector<ExecutionId> ids_;
    StatusSet wanted_;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t dropped_ = 0;
};

/// The rings of a log. Lives under the log's lock, but for `wake_all`.
class FeedRings {
public:
    void add(FeedRing& ring) { rings_.push_back(&ring); }
    void remove(FeedRing& ring) noexcept { std::erase(rings_, &ring); }

    /// Tells every subscriber of a record that has just finished. Nothing is allocated.
    /// @returns Whom to `wake_all` once the lock is released, or null.
    [[nodiscard]] FeedRings* push(ExecutionId id, JobStatus status) noexcept {
        bool is_wanted = false;
        for (FeedRing* ring : rings_) { is_wanted |= ring->push(id, status); }
        return is_wanted && std::exchange(somebody_sleeps_, false) ? this : nullptr;
    }

    [[gnu::noinline]] void wake_all() noexcept { awake_.notify_all(); }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = heap_bytes(sizeof *this) + heap_bytes(rings_);
        for (const FeedRing* ring : rings_) { bytes += ring->memory_bytes(); }
        return bytes;
    }

    /// Gives the lock back until the ring has something, a stop is requested, or the time has come.
    template <class Lock>
    void sleep(Lock& lock, const std::stop_token& stop, steady_time until, const FeedRing& ring) {
        // Whoever sleeps on says so each time: one wake-up for each sleep, not one for each record.
        awake_.wait_until(lock, stop, until, [&] {
            if (ring.is_empty()) { somebody_sleeps_ = true; }
            return !ring.is_empty();
        });
    }

private:
    std::vector<FeedRing*> rings_;
    bool somebody_sleeps_ = false;
    std::condition_variable_any awake_; // that of std::stop_token
};

} // namespace daybook::inline v0::detail

#endif
