// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ENTITY_TAG_HPP
#define DAYBOOK_DETAIL_ENTITY_TAG_HPP

/// @file
/// Entity tags (RFC 9110, 8.8.3): made of a document's bytes, and compared with what a client has.

#include <daybook/detail/hex.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// 64 bits of four lanes that are multiplied and turned side by side, finished as splitmix64 does: several bytes a
/// cycle. Each step can be undone, so two texts that differ in one word never look alike. It tells versions of a
/// document apart; it is no seal against somebody who wants two to look alike.
[[nodiscard]] inline std::uint64_t content_hash(std::string_view text) noexcept {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
    const auto word_at = [](const char* bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, sizeof word);
        return word;
    };
    const auto mixed = [](std::uint64_t lane, std::uint64_t word) { return std::rotl((lane ^ word) * odd, 29); };
    // Variables and no array, which the compiler would keep in memory.
    std::uint64_t first = text.size();
    std::uint64_t second = odd;
    std::uint64_t third = ~odd;
    std::uint64_t fourth = odd << 7U;
    const auto take = [&](const char* bytes) {
        first = mixed(first, word_at(bytes));
        second = mixed(second, word_at(bytes + 8));
        third = mixed(third, word_at(bytes + 16));
        fourth = mixed(fourth, word_at(bytes + 24));
    };
    constexpr std::size_t stride = 32;
    const char* bytes = text.data();
    const char* const whole = bytes + text.size() / stride * stride;
    for (; bytes != whole; bytes += stride) { take(bytes); }
    char rest[stride] = {};
    if (text.size() % stride != 0) { std::memcpy(rest, whole, text.size() % stride); }
    take(rest);

    std::uint64_t hash = 0;
    for (const auto lane : {first, second, third, fourth}) {
        hash = (hash ^ lane) * 0xBF58476D1CE4E5B9U;
        hash ^= hash >> 29U;
    }
    hash *= 0x94D049BB133111EBU;
    return hash ^ (hash >> 31U);
}

/// The tag with its quotes. Weak: a server may compress what it sends.
[[nodiscard]] inline std::string entity_tag(std::string_view document) {
    auto hash = content_hash(document);
    std::string tag = "W/\"0123456789abcdef\"";
    for (std::size_t digit = 0; digit < 16; ++digit) {
        tag[3 + 15 - digit] = hex_digits[hash & 0xFU];
        hash >>= 4U;
    }
    return tag;
}

/// Whether a list of tags, as `If-None-Match` and `If-Match` have it (RFC 9110, 13.1), is `*` or has one that fits.
///
/// @param fits  Asked about each tag in turn, with its quotes and with what stands before them.
template <class Fits>
[[nodiscard]] bool has_tag(std::string_view list, Fits&& fits) {
    while (true) {
        const auto begin = list.find_first_not_of(" \t,");
        if (begin == std::string_view::npos) { return false; }
        list.remove_prefix(begin);
        if (list.front() == '*') { return true; }
        const auto open = list.find('"'); // a comma may stand within the quotes
        const auto close = open == std::string_view::npos ? open : list.find('"', open + 1);
        if (close == std::string_view::npos) { return false; }
        if (fits(list.substr(0, close + 1))) { return true; }
        list.remove_prefix(close + 1);
    }
}

/// Whether a list holds this tag, or is `*`. Weak comparison: what stands between the quotes counts (8.8.3.2).
[[nodiscard]] inline bool is_tag_listed(std::string_view list, std::string_view tag) {
    const auto opaque = [](std::string_view each) {
        if (each.starts_with("W/")) { each.remove_prefix(2); }
        return each;
    };
    return has_tag(list, [&](std::string_view each) { return opaque(each) == opaque(tag); });
}

} // namespace daybook::inline v0::detail

#endif
