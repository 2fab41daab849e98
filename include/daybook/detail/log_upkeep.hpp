// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_UPKEEP_HPP
#define DAYBOOK_DETAIL_LOG_UPKEEP_HPP

/// @file
/// What a log does beside recording and answering: it forgets by age, tells its memory, and keeps its subscribers.

#include <daybook/detail/feed_ring.hpp>
#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/record_memory.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/types.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

namespace daybook::inline v0::detail {

class LogUpkeep {
public:
    explicit LogUpkeep(LogCore& core) : core_{core} {}

    /// Evicts what is older than `max_age`: a record at a time, so that nobody who records has to wait for a million.
    void expire() noexcept {
        if (core_.options_.max_age.count() == 0) { return; }
        const steady_time now = core_.options_.clock.steady_now();
        while (true) {
            LogCore::Discarded discarded;
            const std::scoped_lock lock{core_.mutex_};
            const std::uint32_t expired = core_.finished_.expired(now);
            if (expired == no_slot) { return; }
            core_.evict(expired, discarded);
        }
    }

    [[nodiscard]] std::size_t memory_bytes() const {
        const std::scoped_lock lock{core_.mutex_};
        return heap_bytes(sizeof(LogCore) + shared_header) + core_.pool_.memory_bytes() + core_.index_.memory_bytes() +
               core_.ids_.memory_bytes() + core_.jobs_.memory_bytes() + core_.handlers_.memory_bytes() +
               core_.methods_.memory_bytes() + heap_bytes(core_.tracked_jobs_) + heap_bytes(core_.tracked_handlers_) +
               core_.stats_.memory_bytes() + core_.memory_.bytes() + (core_.feeds_ ? core_.feeds_->memory_bytes() : 0);
    }

    /// What `memory_bytes` comes to at most, but for names that are pinned and for subscribers.
    /// @param bytes_of_result  What a result of a fixed size takes, beyond the texts.
    [[nodiscard]] std::size_t memory_limit(std::size_t bytes_of_result) const noexcept {
        const LogOptions& options = core_.options_;
        if (options.max_text_bytes > text_limit) { return std::numeric_limits<std::size_t>::max(); }
        const std::size_t slot_count = options.capacity + options.max_running + 1;
        const std::size_t names = HashedNames::max_bytes;
        if (bytes_of_result > std::numeric_limits<std::size_t>::max() / 2 / slot_count) {
            return std::numeric_limits<std::size_t>::max();
        }
        return slot_count * bytes_of_result + heap_bytes(sizeof(LogCore) + shared_header) +
               SlotPool::memory_limit(slot_count) + core_.index_.memory_bytes() + IdIndex::memory_limit(slot_count) +
               LogCore::JobTable::memory_limit(slot_count + options.max_tracked_jobs, names) +
               LogCore::HandlerTable::memory_limit(slot_count + options.max_tracked_handlers, names) +
               NameTable<char>::memory_limit(slot_count, names) +
               heap_bytes((2 * options.max_tracked_jobs + 1) * sizeof(std::uint32_t)) +
               heap_bytes((2 * options.max_tracked_handlers + 1) * sizeof(std::uint32_t)) +
               core_.stats_.memory_limit(names) + slot_count * RecordMemory::limit_per_record(options.max_text_bytes);
    }

    /// From now on `ring` hears of whatever finishes, until it is closed.
    /// @param bell  Null: one of its own, unless there is one by now.
    /// @returns What is rung then.
    std::shared_ptr<FeedBell> open(FeedRing& ring, std::shared_ptr<FeedBell> bell) {
        if (!bell) { bell = std::make_shared<FeedBell>(); }
        const std::scoped_lock lock{core_.mutex_};
        if (!core_.feeds_) { core_.feeds_ = std::make_unique<FeedRings>(std::move(bell)); }
        core_.feeds_->add(ring);
        return core_.feeds_->bell();
    }

    /// @pre It was opened.
    void close(FeedRing& ring) noexcept {
        const std::scoped_lock lock{core_.mutex_};
        core_.feeds_->remove(ring);
    }

    /// Whether there is something to read; if not, the bell will be rung.
    [[nodiscard]] bool is_ready(const FeedRing& ring) noexcept {
        const std::scoped_lock lock{core_.mutex_};
        return core_.feeds_->is_ready(ring);
    }

    /// Calls `ask(ring)` under the lock: library code only.
    template <class Ask>
    auto with(FeedRing& ring, Ask&& ask) const {
        const std::scoped_lock lock{core_.mutex_};
        return ask(ring);
    }

private:
    static constexpr std::size_t shared_header = 16;                ///< of std::make_shared
    static constexpr std::size_t text_limit = std::size_t{1} << 30; ///< sums beyond could overflow

    LogCore& core_;
};

} // namespace daybook::inline v0::detail

#endif
