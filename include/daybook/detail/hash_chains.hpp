// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HASH_CHAINS_HPP
#define DAYBOOK_DETAIL_HASH_CHAINS_HPP

/// @file
/// A hash table that never moves as a whole, for what lives under a lock.

#include <daybook/detail/heap_bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Numbers by their hashes, in chains whose links their owner keeps. The table grows by one chain at a time (linear
/// hashing, Litwin 1980): whoever inserts splits at most one chain in two, so that nobody waits behind a lock for a
/// table of millions to be moved. Chains are as long as the load, at most one on the average. It does not shrink.
///
/// In every call `next_of(number)` is a reference to the link of a number, and `hash_of(number)` its hash.
class HashChains {
public:
    static constexpr std::uint32_t nothing = UINT32_MAX;

    /// The first number whose hash may be this one; more follow by their links.
    [[nodiscard]] std::uint32_t first(std::uint32_t hash) const noexcept {
        return chains_ == 0 ? nothing : head_of(chain_of(hash));
    }

    /// Makes sure that one more can be inserted. @throws std::bad_alloc  and changes nothing.
    void reserve_one() {
        if (size_ < heads_.size() * chunk_size) { return; }
        auto chunk = std::make_unique<std::uint32_t[]>(chunk_size);
        std::fill_n(chunk.get(), chunk_size, nothing);
        heads_.push_back(std::move(chunk));
        if (chains_ == 0) { chains_ = round_ = chunk_size; }
    }

    /// @pre There is room for it.
    template <class NextOf, class HashOf>
    void insert(std::uint32_t number, NextOf&& next_of, HashOf&& hash_of) noexcept {
        if (++size_ > chains_) { split(next_of, hash_of); }
        std::uint32_t& head = head_of(chain_of(hash_of(number)));
        next_of(number) = head;
        head = number;
    }

    /// @pre It is there.
    template <class NextOf, class HashOf>
    void erase(std::uint32_t number, NextOf&& next_of, HashOf&& hash_of) noexcept {
        std::uint32_t* at = &head_of(chain_of(hash_of(number)));
        while (*at != number) { at = &next_of(*at); }
        *at = next_of(number);
        --size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return heads_.size() * heap_bytes(chunk_size * sizeof(std::uint32_t)) + heap_bytes(heads_);
    }

    /// What `memory_bytes` comes to at most with so many numbers at once.
    [[nodiscard]] static constexpr std::size_t memory_limit(std::size_t numbers) noexcept {
        const std::size_t chunks = numbers / chunk_size + 1;
        return chunks * heap_bytes(chunk_size * sizeof(std::uint32_t)) + heap_bytes(2 * chunks * sizeof(void*));
    }

private:
    static constexpr std::size_t chunk_size = 256; ///< a power of two

    [[nodiscard]] std::uint32_t& head_of(std::size_t chain) noexcept {
        return heads_[chain / chunk_size][chain % chunk_size];
    }
    [[nodiscard]] std::uint32_t head_of(std::size_t chain) const noexcept {
        return heads_[chain / chunk_size][chain % chunk_size];
    }

    /// The chains of this round that have been split have twins, a round behind them.
    [[nodiscard]] std::size_t chain_of(std::uint32_t hash) const noexcept {
        const std::size_t chain = hash & (2 * round_ - 1);
        return chain < chains_ ? chain : chain - round_;
    }

    template <class NextOf, class HashOf>
    void split(NextOf& next_of, HashOf& hash_of) noexcept {
        std::uint32_t* stays = &head_of(chains_ - round_);
        std::uint32_t* moves = &head_of(chains_);
        for (std::uint32_t at = *stays; at != nothing; at = next_of(at)) {
            std::uint32_t*& end = (hash_of(at) & round_) == 0 ? stays : moves;
            *end = at;
            end = &next_of(at);
        }
        *stays = *moves = nothing;
        if (++chains_ == 2 * round_) { round_ = chains_; }
    }

    std::vector<std::unique_ptr<std::uint32_t[]>> heads_;
    std::size_t size_ = 0;
    std::size_t chains_ = 0;
    std::size_t round_ = 0; ///< how many chains there were when the round began
};

} // namespace daybook::inline v0::detail

#endif
