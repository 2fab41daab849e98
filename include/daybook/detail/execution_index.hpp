// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EXECUTION_INDEX_HPP
#define DAYBOOK_DETAIL_EXECUTION_INDEX_HPP

/// @file
/// The orders in which a log can be read: all, by status, by job, by handler, each newest first.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/position_set.hpp>
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
          everything_{static_cast<std::uint32_t>(ring_.size())} {
        for (PositionSet& set : by_status_) { set = PositionSet{static_cast<std::uint32_t>(ring_.size())}; }
    }

    /// Puts an execution in front of all others.
    void place(std::uint32_t index) noexcept {
        const std::uint32_t cell = cell_of(next_position_);
        ExecutionSlot& slot = pool_[index];
        slot.order = 2 * next_position_;
        pass_position();
        slot.in_ring = true;
        ring_[cell] = index;
        everything_.insert(cell);
        set_of(slot.status).insert(cell);
        ++counts_[number_of(slot.status)];
    }

    void remove(std::uint32_t index) noexcept {
        ExecutionSlot& slot = pool_[index];
        --counts_[number_of(slot.status)];
        if (slot.in_ring) {
            leave_ring(slot);
        } else {
            overtaken_.erase(pool_, index);
        }
    }

    void change_status(std::uint32_t index, JobStatus to) noexcept {
        ExecutionSlot& slot = pool_[index];
        --counts_[number_of(slot.status)];
        ++counts_[number_of(to)];
        if (slot.in_ring) {
            const std::uint32_t cell = cell_of(slot.order / 2);
            set_of(slot.status).erase(cell);
            set_of(to).insert(cell);
        }
        slot.status = to;
    }

    /// Puts a skip in front of all that is there, and behind the next execution.
    void place_skip(std::uint32_t index) noexcept {
        // An execution that became a skip may be older by id than the skip before it: then it needs a place of its own.
        const std::uint64_t order = 2 * next_position_ - 1;
        if (skips_.newest != no_slot && SortKey{order, pool_[index].id} < key_of(skips_.newest)) { pass_position(); }
        pool_[index].order = 2 * next_position_ - 1;
        skips_.push_newest(pool_, index);
        ++counts_[number_of(JobStatus::skipped)];
    }

    void remove_skip(std::uint32_t index) noexcept {
        skips_.erase(pool_, index);
        --counts_[number_of(JobStatus::skipped)];
    }

    /// Records with this status, in flight or retained.
    [[nodiscard]] std::uint64_t count(JobStatus status) const noexcept { return counts_[number_of(status)]; }
    [[nodiscard]] const auto& skips() const noexcept { return skips_; }
    [[nodiscard]] SortKey key_of(std::uint32_t index) const noexcept { return {pool_[index].order, pool_[index].id}; }

    /// Larger than the key of any record there is.
    [[nodiscard]] SortKey newest_key() const noexcept { return {2 * next_position_, UINT64_MAX}; }

    /// The newest execution older than `bound`, or `no_slot`. O(1) but for executions that the ring has overtaken.
    [[nodiscard]] std::uint32_t first_older(SortKey bound) const noexcept { return older_in(everything_, bound); }

    /// The same for the executions with one status (not `skipped`).
    [[nodiscard]] std::uint32_t first_older(SortKey bound, JobStatus status) const noexcept {
        const std::uint32_t found = older_in(by_status_[number_of(status)], bound);
        return found == no_slot || pool_[found].in_ring ? found : overtaken_from(found, status);
    }

    /// The execution that follows `index` in a list of all. O(1).
    [[nodiscard]] std::uint32_t next_older(std::uint32_t index) const noexcept {
        return pool_[index].in_ring ? first_older(key_of(index)) : pool_[index].by_order.older;
    }

    /// The execution that follows `index` in a list of one status.
    [[nodiscard]] std::uint32_t next_older(std::uint32_t index, JobStatus status) const noexcept {
        return pool_[index].in_ring ? first_older(key_of(index), status)
                                    : overtaken_from(pool_[index].by_order.older, status);
    }

private:
    [[nodiscard]] static std::size_t number_of(JobStatus status) noexcept { return static_cast<std::size_t>(status); }
    [[nodiscard]] PositionSet& set_of(JobStatus status) noexcept { return by_status_[number_of(status)]; }
    [[nodiscard]] std::uint32_t cell_of(std::uint64_t position) const noexcept {
        return static_cast<std::uint32_t>(position & (ring_.size() - 1));
    }

    /// Frees the next position and goes past it.
    void pass_position() noexcept {
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
    }

    [[nodiscard]] std::uint32_t older_in(const PositionSet& set, SortKey bound) const noexcept {
        // The positions in the ring are those from `first` up to `next_position_`; they wrap once.
        const std::uint64_t first = next_position_ > ring_.size() ? next_position_ - ring_.size() : 0;
        const std::uint64_t end = std::min((bound.order + 1) / 2, next_position_);
        if (end > first) {
            const std::uint32_t cell = cell_of(end - 1);
            const std::uint32_t first_cell = cell_of(first);
            std::uint32_t found = set.last_up_to(cell);
            if (cell >= first_cell) {
                if (found != PositionSet::nothing && found < first_cell) { found = PositionSet::nothing; }
            } else if (found == PositionSet::nothing) {
                found = set.last_up_to(static_cast<std::uint32_t>(ring_.size() - 1));
                if (found != PositionSet::nothing && found < first_cell) { found = PositionSet::nothing; }
            }
            if (found != PositionSet::nothing) { return ring_[found]; }
        }
        std::uint32_t index = overtaken_.newest;
        while (index != no_slot && key_of(index) >= bound) { index = pool_[index].by_order.older; }
        return index;
    }

    /// From `index` on, the first overtaken execution with this status.
    [[nodiscard]] std::uint32_t overtaken_from(std::uint32_t index, JobStatus status) const noexcept {
        while (index != no_slot && pool_[index].status != status) { index = pool_[index].by_order.older; }
        return index;
    }

    SlotPool& pool_;
    std::vector<std::uint32_t> ring_; ///< position, modulo its size, to slot
    PositionSet everything_;
    std::array<PositionSet, status_count> by_status_;
    std::array<std::uint64_t, status_count> counts_{};
    std::uint64_t next_position_ = 1;
    SlotList<&ExecutionSlot::by_order> overtaken_;
    SlotList<&ExecutionSlot::by_order> skips_;
};

} // namespace daybook::inline v0::detail

#endif
