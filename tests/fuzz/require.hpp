// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FUZZ_REQUIRE_HPP
#define DAYBOOK_TESTS_FUZZ_REQUIRE_HPP

/// @file
/// What both fuzzers need: a check that ends the process with a sentence, and numbers drawn from the input.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace fuzz {

inline void require(bool holds, const char* sentence) {
    if (holds) { return; }
    std::fprintf(stderr, "broken: %s\n", sentence);
    std::abort();
}

/// Numbers that depend on every byte of the input and on nothing else, so that an input is a whole reproduction.
class Numbers {
public:
    Numbers(const std::uint8_t* data, std::size_t size) noexcept {
        for (std::size_t i = 0; i < size; ++i) { state_ = (state_ ^ data[i]) * 0x100000001B3U; }
    }

    /// From `low` up to, and without, `high`.
    [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t value = (state_ ^ (state_ >> 30U)) * 0xBF58476D1CE4E5B9U;
        value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
        value ^= value >> 31U;
        const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + value % width);
    }

private:
    std::uint64_t state_ = 0xCBF29CE484222325U;
};

} // namespace fuzz

#endif
