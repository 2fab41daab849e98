// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_POSITION_SET_HPP
#define DAYBOOK_DETAIL_POSITION_SET_HPP

/// @file
/// A set of small integers that answers "the largest member not above this one", and the smallest not below, in a
/// handful of word operations.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace daybook::inline v0::detail {

/// A bitmap with a summary of 64 words to the bit on top, and a summary of that, up to one word. Insert, erase,
/// `last_up_to` and `first_from` cost one word per level: 4 levels hold 16 million positions.
class PositionSet {
public:
    static constexpr std::uint32_t nothing = UINT32_MAX;

    PositionSet() = default;

    /// @param size  Positions are 0 to `size - 1`.
    explicit PositionSet(std::uint32_t size) {
        std::size_t words = 0;
        std::size_t at_level = size;
        do {
            at_level = (at_level + 63) / 64;
            offsets_[levels_++] = words;
            words += at_level;
        } while (at_level > 1);
        words_ = std::make_unique<std::uint64_t[]>(words);
        memory_bytes_ = words * sizeof(std::uint64_t);
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }

    void insert(std::uint32_t position) noexcept {
        std::uint64_t& word = words_[position / 64];
        const bool was_empty = word == 0;
        word |= std::uint64_t{1} << (position % 64);
        if (was_empty) { insert_above(position / 64); } // seldom: neighbours come together
    }

    void erase(std::uint32_t position) noexcept {
        std::uint64_t& word = words_[position / 64];
        word &= ~(std::uint64_t{1} << (position % 64));
        if (word == 0) { erase_above(position / 64); }
    }

    [[nodiscard]] bool contains(std::uint32_t position) const noexcept {
        return (words_[position / 64] >> (position % 64) & 1) != 0;
    }

    /// The largest member that is at most `position`, or `nothing`.
    [[nodiscard]] std::uint32_t last_up_to(std::uint32_t position) const noexcept {
        // Up: to the first level at which something at or before us is set. Below the first level our own subtree has
        // been searched already, hence the exclusive bound there.
        std::uint64_t allowed = ~std::uint64_t{0} >> (63 - position % 64);
        for (std::size_t level = 0; level < levels_; ++level) {
            const std::uint64_t word = words_[offsets_[level] + position / 64] & allowed;
            if (word != 0) { return descend(level, position / 64 * 64 + highest(word)); }
            position /= 64;
            allowed = (std::uint64_t{1} << (position % 64)) - 1;
        }
        return nothing;
    }

    /// The smallest member that is at least `position`, or `nothing`. `position` must be less than the size.
    [[nodiscard]] std::uint32_t first_from(std::uint32_t position) const noexcept {
        std::uint64_t allowed = ~std::uint64_t{0} << (position % 64);
        for (std::size_t level = 0; level < levels_; ++level) {
            std::uint64_t word = words_[offsets_[level] + position / 64] & allowed;
            if (word != 0) {
                position = position / 64 * 64 + lowest(word);
                while (level-- > 0) { position = position * 64 + lowest(words_[offsets_[level] + position]); }
                return position;
            }
            position /= 64;
            // Exclusive from here on; two shifts, because one by 64 would be undefined.
            allowed = ~std::uint64_t{0} << (position % 64) << 1;
        }
        return nothing;
    }

    /// Members among the 64 positions of which this is one.
    [[nodiscard]] std::uint32_t count_around(std::uint32_t position) const noexcept {
        return static_cast<std::uint32_t>(std::popcount(words_[position / 64]));
    }

private:
    static std::uint32_t lowest(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(std::countr_zero(word));
    }
    static std::uint32_t highest(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(63 - std::countl_zero(word));
    }

    void insert_above(std::uint32_t position) noexcept {
        for (std::size_t level = 1; level < levels_; ++level) {
            std::uint64_t& word = words_[offsets_[level] + position / 64];
            const bool was_empty = word == 0;
            word |= std::uint64_t{1} << (position % 64);
            if (!was_empty) { return; }
            position /= 64;
        }
    }

    void erase_above(std::uint32_t position) noexcept {
        for (std::size_t level = 1; level < levels_; ++level) {
            std::uint64_t& word = words_[offsets_[level] + position / 64];
            word &= ~(std::uint64_t{1} << (position % 64));
            if (word != 0) { return; }
            position /= 64;
        }
    }

    [[nodiscard]] std::uint32_t descend(std::size_t level, std::uint32_t position) const noexcept {
        while (level-- > 0) { position = position * 64 + highest(words_[offsets_[level] + position]); }
        return position;
    }

    std::unique_ptr<std::uint64_t[]> words_;
    std::array<std::size_t, 6> offsets_{};
    std::size_t levels_ = 0;
    std::size_t memory_bytes_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
