// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ID_INDEX_HPP
#define DAYBOOK_DETAIL_ID_INDEX_HPP

/// @file
/// From an execution's id to its slot.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/hash_chains.hpp>
#include <daybook/detail/heap_bytes.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace daybook::inline v0::detail {

/// Ids are consecutive, so they stand in a ring: an id modulo the size of the ring is its cell, a cell holds a slot,
/// the slot holds the id. The ring is at least twice as long as what can be in the log; an id that it comes round to
/// nevertheless (one that runs for very long, or a protected failure) moves to a hash table. All operations are O(1),
/// and none moves more than one chain of that table.
class IdIndex {
public:
    /// @param max_ids  How many there are at once at most.
    IdIndex(const SlotPool& pool, std::size_t max_ids) : pool_{pool}, ring_(ring_size(max_ids), no_slot) {}

    /// Makes room for an id. @throws std::bad_alloc  and changes nothing.
    void reserve(ExecutionId id) {
        if (const std::uint32_t overtaken = ring_[cell_of(id)]; overtaken != no_slot) { reserve_link(overtaken); }
    }

    /// @param index  The slot that has this id.
    /// @pre There is room for it.
    void insert(std::uint32_t index, ExecutionId id) noexcept {
        std::uint32_t& cell = ring_[cell_of(id)];
        if (cell != no_slot) { overtake(cell); }
        cell = index;
    }

    void erase(std::uint32_t index, ExecutionId id) noexcept {
        if (std::uint32_t& cell = ring_[cell_of(id)]; cell == index) {
            cell = no_slot;
        } else {
            erase_overtaken(index);
        }
    }

    [[nodiscard]] std::uint32_t find(ExecutionId id) const noexcept {
        std::uint32_t at = ring_[cell_of(id)];
        if (at != no_slot && pool_[at].id == id) { return at; }
        at = chains_.first(hash_of(id));
        while (at != no_slot && pool_[at].id != id) { at = links_[at / chunk_size][at % chunk_size]; }
        return at;
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return heap_bytes(ring_) + chains_.memory_bytes() + heap_bytes(links_) +
               link_chunks_ * heap_bytes(chunk_size * sizeof(std::uint32_t));
    }

    /// What `memory_bytes` comes to at most with so many ids at once.
    [[nodiscard]] static constexpr std::size_t memory_limit(std::size_t max_ids) noexcept {
        const std::size_t chunks = max_ids / chunk_size + 1;
        return heap_bytes(ring_size(max_ids) * sizeof(std::uint32_t)) + HashChains::memory_limit(max_ids) +
               chunks * heap_bytes(chunk_size * sizeof(std::uint32_t)) + heap_bytes(2 * chunks * sizeof(void*));
    }

private:
    static constexpr std::size_t chunk_size = 256;
    static_assert(no_slot == HashChains::nothing);

    [[nodiscard]] static constexpr std::size_t ring_size(std::size_t max_ids) noexcept {
        return std::bit_ceil(std::max<std::size_t>(64, 2 * max_ids));
    }
    [[nodiscard]] std::size_t cell_of(ExecutionId id) const noexcept {
        return static_cast<std::size_t>(id & (ring_.size() - 1));
    }
    [[nodiscard]] static std::uint32_t hash_of(ExecutionId id) noexcept {
        return static_cast<std::uint32_t>((id * 0x9E3779B97F4A7C15U) >> 32);
    }

    [[gnu::noinline]] void overtake(std::uint32_t index) noexcept {
        chains_.insert(index, NextOf{*this}, HashOf{pool_});
    }
    [[gnu::noinline]] void erase_overtaken(std::uint32_t index) noexcept {
        chains_.erase(index, NextOf{*this}, HashOf{pool_});
    }

    void reserve_link(std::uint32_t overtaken) {
        chains_.reserve_one();
        const std::size_t chunk = overtaken / chunk_size;
        if (chunk >= links_.size()) { links_.resize(chunk + 1); }
        if (!links_[chunk]) {
            links_[chunk] = std::make_unique<std::uint32_t[]>(chunk_size);
            ++link_chunks_;
        }
    }

    struct HashOf {
        const SlotPool& pool;
        std::uint32_t operator()(std::uint32_t index) const noexcept { return hash_of(pool[index].id); }
    };
    struct NextOf {
        IdIndex& ids;
        std::uint32_t& operator()(std::uint32_t index) const noexcept {
            return ids.links_[index / chunk_size][index % chunk_size];
        }
    };

    const SlotPool& pool_;
    std::vector<std::uint32_t> ring_;
    HashChains chains_;                                   // of slots that the ring has overtaken, by id
    std::vector<std::unique_ptr<std::uint32_t[]>> links_; // their links, by slot, where there have been any
    std::size_t link_chunks_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
