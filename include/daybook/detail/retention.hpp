// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RETENTION_HPP
#define DAYBOOK_DETAIL_RETENTION_HPP

/// @file
/// Which finished record goes when the log is full.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace daybook::inline v0::detail {

/// Finished records in the order in which they finished, in three lists: final failures, of which the newest
/// `error_capacity` are protected; skips, of which there are at most `skip_capacity`; and the rest. O(1) throughout.
///
/// Age is told by the steady clock, in whole seconds since the log was made: what is kept must neither go nor stay
/// because somebody sets the wall clock.
class Retention {
public:
    Retention(SlotPool& pool, const LogOptions& options)
        : pool_{pool},
          max_age_{options.max_age.count()},
          born_{options.max_age.count() == 0 ? steady_time{} : options.clock.steady_now()},
          capacity_{options.capacity},
          error_capacity_{options.error_capacity.value_or(options.capacity / 10)},
          skip_capacity_{options.skip_capacity.value_or(std::max<std::size_t>(1, options.capacity / 10))} {}

    [[nodiscard]] std::size_t size() const noexcept {
        return std::size_t{finished_.size} + failures_.size + skips_.size;
    }

    /// The rank of the next record to finish; all that are kept have a smaller one.
    [[nodiscard]] std::uint64_t next_rank() const noexcept { return next_rank_; }

    /// Whether records go by age; if not, the instants that other members take mean nothing.
    [[nodiscard]] bool has_max_age() const noexcept { return max_age_ != 0; }

    void add(std::uint32_t index, ExecutionSlot& slot, steady_time now) noexcept {
        slot.finish_rank = next_rank_++;
        if (has_max_age()) { slot.finished_second = newest_second_ = std::max(newest_second_, second_of(now)); }
        list_of(slot).push_newest(pool_, index, slot);
    }

    /// A skip was counted again: its age begins anew, so that a run of skips is shown as long as it goes on.
    void touch(std::uint32_t index, steady_time now) noexcept {
        if (!has_max_age()) { return; }
        ExecutionSlot& slot = pool_[index];
        remove(slot);
        add(index, slot, now);
    }

    void remove(const ExecutionSlot& slot) noexcept { list_of(slot).erase(pool_, slot); }

    /// The record that has to go now, or `no_slot`. By count, at most one after each `add`; by age there may be more.
    [[nodiscard]] [[gnu::always_inline]] std::uint32_t surplus(steady_time now) const noexcept {
        if (skips_.size > skip_capacity_) { return skips_.oldest; }
        if (size() <= capacity_) { return expired(now); }
        const std::uint32_t oldest = older(finished_.oldest, skips_.oldest);
        return failures_.size > error_capacity_ ? older(oldest, failures_.oldest) : oldest;
    }

    /// A record that is older than the largest age, or `no_slot`.
    [[nodiscard]] std::uint32_t expired(steady_time now) const noexcept {
        if (!has_max_age()) { return no_slot; }
        const std::uint32_t first = oldest();
        if (first == no_slot) { return no_slot; }
        return std::int64_t{second_of(now)} - pool_[first].finished_second > max_age_ ? first : no_slot;
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

    [[nodiscard]] std::uint32_t second_of(steady_time now) const noexcept {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(now - born_).count();
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, UINT32_MAX));
    }

    [[nodiscard]] std::uint32_t older(std::uint32_t one, std::uint32_t other) const noexcept {
        if (one == no_slot) { return other; }
        if (other == no_slot) { return one; }
        return pool_[one].finish_rank < pool_[other].finish_rank ? one : other;
    }

    SlotPool& pool_;
    std::int64_t max_age_; ///< seconds; 0: none
    steady_time born_;
    std::uint32_t newest_second_ = 0; ///< ranks and seconds ascend together, whoever took the lock first
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
