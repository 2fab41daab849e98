// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EXECUTION_INDEX_HPP
#define DAYBOOK_DETAIL_EXECUTION_INDEX_HPP

/// @file
/// The orders in which a log can be read: all, by status, by job, by handler, each newest first.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/position_set.hpp>
#include <daybook/detail/time_blocks.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

inline constexpr std::size_t status_count = 8;

/// The records of one job or one handler.
template <SlotLinks ExecutionSlot::*Links>
struct NamedLists {
    SlotList<Links> executions;
    SlotList<Links> skips;
};

/// Where a record stands in every list: larger is newer. Skips created between the same two executions have the same
/// order and differ by id.
struct SortKey {
    std::uint64_t order = 0;
    ExecutionId id = 0;

    friend auto operator<=>(const SortKey&, const SortKey&) = default;
};

/// When it began; if it never did, when it was handed over; of a skip, when it was last counted.
[[nodiscard]] inline std::int64_t began_at(const ExecutionSlot& slot) noexcept {
    return slot.started_at != ExecutionSlot::no_instant ? slot.started_at : slot.queued_at;
}

/// Executions stand in a ring of positions, one position for each start or hand-over, with a set of positions for each
/// status: a status may change at any time without anybody looking for a place in a list. The ring is at least twice
/// as long as what can be in the log; an execution that it overtakes nevertheless (one that runs for very long, or a
/// protected failure) moves to the `overtaken` list, which stays in order because the ring overtakes in order.
/// Skips stand in a list of their own, so that a flood of them costs readers of executions nothing.
class ExecutionIndex {
public:
    ExecutionIndex(SlotPool& pool, std::size_t max_slots)
        : pool_{pool},
          ring_(std::bit_ceil(std::max<std::size_t>(64, 2 * max_slots)), no_slot),
          everything_{static_cast<std::uint32_t>(ring_.size())},
          times_{ring_.size()} {
        for (PositionSet& set : by_status_) { set = PositionSet{static_cast<std::uint32_t>(ring_.size())}; }
    }

    /// Puts an execution in front of all others.
    [[gnu::always_inline]] void place(std::uint32_t index, ExecutionSlot& slot) noexcept {
        const std::uint32_t cell = cell_of(next_position_);
        slot.order = 2 * next_position_;
        pass_position();
        slot.in_ring = true;
        times_.add(began_at(slot));
        ring_[cell] = index;
        everything_.insert(cell);
        set_of(slot.status).insert(cell);
        ++counts_[number_of(slot.status)];
    }

    void remove(ExecutionSlot& slot) noexcept {
        --counts_[number_of(slot.status)];
        if (is_retried(slot)) { --retried_[number_of(slot.status)]; }
        if (slot.in_ring) {
            leave_ring(slot);
        } else {
            overtaken_.erase(pool_, slot);
            --overtaken_counts_[number_of(slot.status)];
        }
    }

    [[gnu::always_inline]] void change_status(ExecutionSlot& slot, JobStatus to) noexcept {
        --counts_[number_of(slot.status)];
        ++counts_[number_of(to)];
        ++arrivals_[number_of(to)];
        if (slot.in_ring) {
            const std::uint32_t cell = cell_of(slot.order / 2);
            set_of(slot.status).erase(cell);
            set_of(to).insert(cell);
        } else {
            --overtaken_counts_[number_of(slot.status)];
            ++overtaken_counts_[number_of(to)];
        }
        slot.status = to;
    }

    /// It has ended, and whether it is final is known.
    void settle(const ExecutionSlot& slot) noexcept {
        if (is_retried(slot)) { ++retried_[number_of(slot.status)]; }
    }

    /// Puts a skip in front of all that is there, and behind the next execution.
    void place_skip(std::uint32_t index) noexcept {
        // An execution that became a skip may be older by id than the skip before it: then it needs a place of its own.
        const std::uint64_t order = 2 * next_position_ - 1;
        if (skips_.newest != no_slot && SortKey{order, pool_[index].id} < key_of(skips_.newest)) { pass_position(); }
        pool_[index].order = 2 * next_position_ - 1;
        skips_.push_newest(pool_, index);
        ++arrivals_[number_of(JobStatus::skipped)];
        ++counts_[number_of(JobStatus::skipped)];
    }

    void remove_skip(const ExecutionSlot& slot) noexcept {
        skips_.erase(pool_, slot);
        --counts_[number_of(JobStatus::skipped)];
    }

    /// Records with this status, in flight or retained.
    [[nodiscard]] std::uint64_t count(JobStatus status) const noexcept { return counts_[number_of(status)]; }
    /// How many of them are attempts that another one follows.
    [[nodiscard]] std::uint64_t count_retried(JobStatus status) const noexcept { return retried_[number_of(status)]; }
    /// How many of them the ring has overtaken.
    [[nodiscard]] std::uint64_t count_overtaken(JobStatus status) const noexcept {
        return overtaken_counts_[number_of(status)];
    }
    /// How many records have come to this status so far other than in front of `newest_key`: as long as this stands
    /// still, who has seen as many as there were has seen all.
    [[nodiscard]] std::uint64_t arrivals(JobStatus status) const noexcept { return arrivals_[number_of(status)]; }
    [[nodiscard]] const auto& skips() const noexcept { return skips_; }
    /// Executions that the ring has come round to, of any status, all older than what is in it.
    [[nodiscard]] const auto& overtaken() const noexcept { return overtaken_; }
    /// When what stands in the ring began.
    [[nodiscard]] const TimeBlocks& times() const noexcept { return times_; }

    /// The positions that the ring holds are those from here up to `next_position`.
    [[nodiscard]] std::uint64_t first_position() const noexcept {
        return next_position_ > ring_.size() ? next_position_ - ring_.size() : 0;
    }
    [[nodiscard]] std::uint64_t next_position() const noexcept { return next_position_; }

    /// Executions in the ring: all of them, or those with one status (not `skipped`).
    [[nodiscard]] const PositionSet& in_ring() const noexcept { return everything_; }
    [[nodiscard]] const PositionSet& in_ring(JobStatus status) const noexcept { return by_status_[number_of(status)]; }

    /// Members of `set` among the 64 positions of which this is one.
    [[nodiscard]] std::uint32_t count_around(const PositionSet& set, std::uint64_t position) const noexcept {
        return set.count_around(cell_of(position));
    }

    /// The newest member of `set` at `position` or before, or `no_slot`. O(1).
    [[nodiscard]] std::uint32_t last_up_to(const PositionSet& set, std::uint64_t position) const noexcept {
        const std::uint64_t first = first_position();
        const std::uint64_t last = std::min(position, next_position_ - 1);
        if (last < first) { return no_slot; }
        // In the ring the positions wrap once.
        std::uint32_t found = set.last_up_to(cell_of(last));
        if (found == PositionSet::nothing && cell_of(last) < cell_of(first)) {
            found = set.last_up_to(static_cast<std::uint32_t>(ring_.size() - 1));
        }
        return found == PositionSet::nothing || position_of(ring_[found]) > last ? no_slot : ring_[found];
    }

    /// The oldest member of `set` at `position` or after, or `no_slot`. O(1).
    [[nodiscard]] std::uint32_t first_from(const PositionSet& set, std::uint64_t position) const noexcept {
        const std::uint64_t first = std::max(position, first_position());
        if (first >= next_position_) { return no_slot; }
        std::uint32_t found = set.first_from(cell_of(first));
        if (found == PositionSet::nothing && cell_of(next_position_ - 1) < cell_of(first)) {
            found = set.first_from(0);
        }
        return found == PositionSet::nothing || position_of(ring_[found]) < first ? no_slot : ring_[found];
    }

    [[nodiscard]] SortKey key_of(std::uint32_t index) const noexcept { return {pool_[index].order, pool_[index].id}; }

    /// What the ring and the sets take; the same as long as the index lives.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes =
            heap_bytes(ring_) + heap_bytes(everything_.memory_bytes()) + heap_bytes(times_.memory_bytes());
        for (const PositionSet& set : by_status_) { bytes += heap_bytes(set.memory_bytes()); }
        return bytes;
    }

    /// Larger than the key of any record there is, and smaller than that of the next execution.
    [[nodiscard]] SortKey newest_key() const noexcept { return {2 * next_position_ - 1, UINT64_MAX}; }

private:
    [[nodiscard]] static std::size_t number_of(JobStatus status) noexcept { return static_cast<std::size_t>(status); }
    [[nodiscard]] static bool is_retried(const ExecutionSlot& slot) noexcept {
        return is_finished(slot.status) && !slot.is_final;
    }
    [[nodiscard]] PositionSet& set_of(JobStatus status) noexcept { return by_status_[number_of(status)]; }
    [[nodiscard]] std::uint64_t position_of(std::uint32_t index) const noexcept { return pool_[index].order / 2; }
    [[nodiscard]] std::uint32_t cell_of(std::uint64_t position) const noexcept {
        return static_cast<std::uint32_t>(position & (ring_.size() - 1));
    }

    /// Frees the next position and goes past it.
    void pass_position() noexcept {
        times_.open(next_position_);
        const std::uint32_t cell = cell_of(next_position_++);
        if (ring_[cell] != no_slot) { overtake(ring_[cell]); }
    }

    void leave_ring(ExecutionSlot& slot) noexcept {
        const std::uint32_t cell = cell_of(slot.order / 2);
        ring_[cell] = no_slot;
        everything_.erase(cell);
        set_of(slot.status).erase(cell);
        slot.in_ring = false;
    }

    void overtake(std::uint32_t index) noexcept {
        leave_ring(pool_[index]);
        overtaken_.push_newest(pool_, index);
        ++overtaken_counts_[number_of(pool_[index].status)];
    }

    SlotPool& pool_;
    std::vector<std::uint32_t> ring_; ///< position, modulo its size, to slot
    PositionSet everything_;
    TimeBlocks times_;
    std::array<PositionSet, status_count> by_status_;
    std::array<std::uint64_t, status_count> counts_{};
    std::array<std::uint64_t, status_count> retried_{};
    std::array<std::uint64_t, status_count> overtaken_counts_{};
    std::array<std::uint64_t, status_count> arrivals_{};
    std::uint64_t next_position_ = 1;
    SlotList<&ExecutionSlot::by_order> overtaken_;
    SlotList<&ExecutionSlot::by_order> skips_;
};

} // namespace daybook::inline v0::detail

#endif
