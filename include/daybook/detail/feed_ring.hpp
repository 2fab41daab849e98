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
#include <memory>
#include <mutex>
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

/// What subscribers sleep on: one for all parts of a log.
///
/// @par Thread safety
/// Safe. Its lock is taken before that of any part.
class FeedBell {
public:
    void ring() noexcept {
        { const std::scoped_lock lock{mutex_}; } // whoever is about to sleep does so first
        awake_.notify_all();
    }

    /// Sleeps until `is_ready()`, a stop is requested, or the time has come. `is_ready` sees to it that the bell is
    /// rung.
    /// @returns What it said last.
    template <class IsReady>
    [[nodiscard]] bool sleep(const std::stop_token& stop, steady_time until, IsReady&& is_ready) {
        std::unique_lock lock{mutex_};
        return awake_.wait_until(lock, stop, until, is_ready);
    }

private:
    std::mutex mutex_;
    std::condition_variable_any awake_; // that of std::stop_token
};

/// The rings of a log, or of a part of it. Lives under its lock, but for `wake_all`.
class FeedRings {
public:
    explicit FeedRings(std::shared_ptr<FeedBell> bell) : bell_{std::move(bell)} {}

    void add(FeedRing& ring) { rings_.push_back(&ring); }
    void remove(FeedRing& ring) noexcept { std::erase(rings_, &ring); }

    /// Tells every subscriber of a record that has just finished. Nothing is allocated.
    /// @returns Whom to `wake_all` once the lock is released, or null.
    [[nodiscard]] FeedRings* push(ExecutionId id, JobStatus status) noexcept {
        bool is_wanted = false;
        for (FeedRing* ring : rings_) { is_wanted |= ring->push(id, status); }
        return is_wanted && std::exchange(somebody_sleeps_, false) ? this : nullptr;
    }

    [[gnu::noinline]] void wake_all() noexcept { bell_->ring(); }

    /// Whoever asks is about to sleep, unless there is something. Whoever sleeps on asks each time: one wake-up for
    /// each sleep, not one for each record.
    [[nodiscard]] bool is_ready(const FeedRing& ring) noexcept {
        somebody_sleeps_ = somebody_sleeps_ || ring.is_empty();
        return !ring.is_empty();
    }
    [[nodiscard]] const std::shared_ptr<FeedBell>& bell() const noexcept { return bell_; }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = heap_bytes(sizeof *this) + heap_bytes(rings_);
        for (const FeedRing* ring : rings_) { bytes += ring->memory_bytes(); }
        return bytes;
    }

private:
    std::vector<FeedRing*> rings_;
    bool somebody_sleeps_ = false;
    std::shared_ptr<FeedBell> bell_;
};

} // namespace daybook::inline v0::detail

#endif
