// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ID_INDEX_HPP
#define DAYBOOK_DETAIL_ID_INDEX_HPP

/// @file
/// From an execution's id to its slot.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/heap_bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace daybook::inline v0::detail {

/// Ids are consecutive, so they stand in a ring: an id modulo the size of the ring is its cell, a cell holds a slot,
/// the slot holds the id. The ring is at least twice as long as what it holds; an id that it comes round to
/// nevertheless (one that runs for very long, or a protected failure) moves to a hash table. All operations are O(1).
class IdIndex {
public:
    explicit IdIndex(const SlotPool& pool) : pool_{pool} {}

    /// Makes room for one more id. @throws std::bad_alloc  and changes nothing.
    void reserve_one() {
        if ((size_ + 1) * 2 > ring_.size()) { grow_ring(); }
        if ((overtaken_size_ + 1) * 2 > overtaken_.size()) { grow_overtaken(); }
    }

    void insert(std::uint32_t index) noexcept {
        std::uint32_t& cell = cell_of(pool_[index].id);
        if (cell != no_slot) {
            put_overtaken(cell);
            ++overtaken_size_;
        }
        cell = index;
        ++size_;
    }

    void erase(std::uint32_t index) noexcept {
        --size_;
        if (std::uint32_t& cell = cell_of(pool_[index].id); cell == index) {
            cell = no_slot;
        } else {
            erase_overtaken(index);
        }
    }

    [[nodiscard]] std::uint32_t find(ExecutionId id) const noexcept {
        if (size_ == 0) { return no_slot; }
        const std::uint32_t index = ring_[id & (ring_.size() - 1)];
        if (index != no_slot && pool_[index].id == id) { return index; }
        for (std::size_t cell = home_of(id); overtaken_[cell] != no_slot; cell = next(cell)) {
            if (pool_[overtaken_[cell]].id == id) { return overtaken_[cell]; }
        }
        return no_slot;
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept { return heap_bytes(ring_) + heap_bytes(overtaken_); }

    /// What `memory_bytes` comes to at most with so many ids at once.
    [[nodiscard]] static constexpr std::size_t memory_limit(std::size_t ids) noexcept {
        return 2 * heap_bytes(std::max<std::size_t>(64, 4 * ids) * sizeof(std::uint32_t));
    }

private:
    [[nodiscard]] std::uint32_t& cell_of(ExecutionId id) noexcept { return ring_[id & (ring_.size() - 1)]; }

    void grow_ring() {
        std::vector<std::uint32_t> ring(std::max<std::size_t>(64, ring_.size() * 2), no_slot);
        ring.swap(ring_);
        for (const std::uint32_t index : ring) {
            if (index != no_slot) { cell_of(pool_[index].id) = index; } // of two cells none becomes one
        }
    }

    // The table of overtaken ids: open addressing at a load of at most one half, without tombstones.

    [[nodiscard]] std::size_t mask() const noexcept { return overtaken_.size() - 1; }
    [[nodiscard]] std::size_t next(std::size_t cell) const noexcept { return (cell + 1) & mask(); }
    [[nodiscard]] std::size_t home_of(ExecutionId id) const noexcept {
        return static_cast<std::size_t>(id * 0x9E3779B97F4A7C15U >> 32) & mask();
    }

    void put_overtaken(std::uint32_t index) noexcept {
        std::size_t cell = home_of(pool_[index].id);
        while (overtaken_[cell] != no_slot) { cell = next(cell); }
        overtaken_[cell] = index;
    }

    void erase_overtaken(std::uint32_t index) noexcept {
        std::size_t hole = home_of(pool_[index].id);
        while (overtaken_[hole] != index) { hole = next(hole); }
        // Backward shift, as in NameTable.
        for (std::size_t cell = next(hole); overtaken_[cell] != no_slot; cell = next(cell)) {
            const std::size_t home = home_of(pool_[overtaken_[cell]].id);
            if (((cell - home) & mask()) >= ((cell - hole) & mask())) {
                overtaken_[hole] = overtaken_[cell];
                hole = cell;
            }
        }
        overtaken_[hole] = no_slot;
        --overtaken_size_;
    }

    void grow_overtaken() {
        std::vector<std::uint32_t> cells(std::max<std::size_t>(16, overtaken_.size() * 2), no_slot);
        cells.swap(overtaken_);
        for (const std::uint32_t index : cells) {
            if (index != no_slot) { put_overtaken(index); }
        }
    }

    const SlotPool& pool_;
    std::vector<std::uint32_t> ring_;
    std::vector<std::uint32_t> overtaken_;
    std::size_t size_ = 0; // in the ring and overtaken
    std::size_t overtaken_size_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
