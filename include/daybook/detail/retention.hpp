// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RETENTION_HPP
#define DAYBOOK_DETAIL_RETENTION_HPP

/// @file
/// Which finished record goes when the log is full.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/log/log_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace daybook::inline v0::detail {

/// Finished records in the order in which they finished, in three lists: final failures, of which the newest
/// `error_capacity` are protected; skips, of which there are at most `skip_capacity`; and the rest. O(1) throughout.
class Retention {
public:
    Retention(SlotPool& pool, const LogOptions& options)
        : pool_{pool},
          capacity_{options.capacity},
          error_capacity_{options.error_capacity.value_or(options.capacity / 10)},
          skip_capacity_{options.skip_capacity.value_or(std::max<std::size_t>(1, options.capacity / 10))} {}

    [[nodiscard]] std::size_t size() const noexcept {
        return std::size_t{finished_.size} + failures_.size + skips_.size;
    }

    /// The rank of the next record to finish; all that are kept have a smaller one.
    [[nodiscard]] std::uint64_t next_rank() const noexcept { return next_rank_; }

    void add(std::uint32_t index) noexcept {
        pool_[index].finish_rank = next_rank_++;
        list_of(pool_[index]).push_newest(pool_, index);
    }

    void remove(std::uint32_t index) noexcept { list_of(pool_[index]).erase(pool_, index); }

    /// The record that has to go now, or `no_slot`. At most one after each `add`.
    [[nodiscard]] std::uint32_t surplus() const noexcept {
        if (skips_.size > skip_capacity_) { return skips_.oldest; }
        if (size() <= capacity_) { return no_slot; }
        const std::uint32_t oldest = older(finished_.oldest, skips_.oldest);
        return failures_.size > error_capacity_ ? older(oldest, failures_.oldest) : oldest;
    }

    /// The record that finished first of all, or `no_slot`.
    [[nodiscard]] std::uint32_t oldest() const noexcept {
        return older(older(finished_.oldest, skips_.oldest), failures_.oldest);
    }

private:
    using List = SlotList<&ExecutionSlot::by_age>;

    [[nodiscard]] List& list_of(const ExecutionSlot& slot) noexcept {
        if (slot.status == JobStatus::skipped) { return skips_; }
        return slot.is_final && is_failure(slot.status) ? failures_ : finished_;
    }

    [[nodiscard]] std::uint32_t older(std::uint32_t one, std::uint32_t other) const noexcept {
        if (one == no_slot) { return other; }
        if (other == no_slot) { return one; }
        return pool_[one].finish_rank < pool_[other].finish_rank ? one : other;
    }

    SlotPool& pool_;
    std::size_t capacity_;
    std::size_t error_capacity_;
    std::size_t skip_capacity_;
    List finished_;
    List failures_;
    List skips_;
    std::uint64_t next_rank_ = 1;
};

} // namespace daybook::inline v0::detail

#endif
