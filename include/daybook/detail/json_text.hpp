// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JSON_TEXT_HPP
#define DAYBOOK_DETAIL_JSON_TEXT_HPP

/// @file
/// The characters of a JSON string: which stand for themselves, and what stands for the others.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace daybook::inline v0::detail {

/// Whether none of eight bytes has to be looked at: all are ASCII, but controls, quote and backslash.
[[nodiscard]] inline bool is_plain(std::uint64_t word) noexcept {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    constexpr std::uint64_t highs = 0x8080'8080'8080'8080;
    // `x - ones` borrows into the high bit of a byte of x that is zero. It may do so in the byte above such a byte as
    // well, which does not matter for the question whether there is any; a high bit that was there before does not
    // matter either, since it counts by itself.
    const auto quote = word ^ (ones * '"');
    const auto backslash = word ^ (ones * '\\');
    return ((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & highs) == 0;
}

#if defined(__SSE2__)
/// The same of sixteen bytes.
[[nodiscard]] inline bool is_plain(__m128i bytes) noexcept {
    // Signed: what is not ASCII is less than a blank, too.
    const auto special = _mm_or_si128(
        _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    return _mm_movemask_epi8(special) == 0;
}

/// Copies sixteen bytes if all of them stand for themselves.
[[nodiscard]] inline bool copy_plain_16(char* to, const char* from) noexcept {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    if (!is_plain(bytes)) { return false; }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    return true;
}
#endif

[[nodiscard]] inline bool is_plain(char byte) noexcept {
    const auto code = static_cast<unsigned char>(byte);
    return code >= 0x20 && code < 0x80 && byte != '"' && byte != '\\';
}

/// Copies the last eight bytes, those before them once more, if all of them stand for themselves; of a text with four
/// to seven bytes all of it. Most strings are short: going through their ends byte by byte would be half of the time.
[[nodiscard]] inline bool copy_plain_end(char* to, std::string_view text) noexcept {
    if (const std::size_t size = text.size(); size >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + size - sizeof word, sizeof word);
        if (!is_plain(word)) { return false; }
        std::memcpy(to + size - sizeof word, &word, sizeof word);
        return true;
    } else if (size >= sizeof(std::uint32_t)) {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::memcpy(&first, text.data(), sizeof first);
        std::memcpy(&last, text.data() + size - sizeof last, sizeof last);
        if (!is_plain(first | std::uint64_t{last} << 32U)) { return false; }
        std::memcpy(to, &first, sizeof first);
        std::memcpy(to + size - sizeof last, &last, sizeof last);
        return true;
    }
    return false;
}

/// Copies from the front what stands for itself, many bytes at a time, and returns how many bytes that were. Needs
/// room for the whole text.
[[nodiscard]] inline std::size_t copy_plain(char* to, std::string_view text) noexcept {
    std::size_t length = 0;
#if defined(__SSE2__)
    if (constexpr std::size_t block = sizeof(__m128i); text.size() >= block) {
        while (text.size() - length >= block && copy_plain_16(to + length, text.data() + length)) { length += block; }
        const std::size_t last = text.size() - block;
        if (length > last && copy_plain_16(to + last, text.data() + last)) { return text.size(); }
    }
#endif
    for (; text.size() - length >= sizeof(std::uint64_t); length += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + length, sizeof word);
        if (!is_plain(word)) { break; }
        std::memcpy(to + length, &word, sizeof word);
    }
    if (text.size() - length < sizeof(std::uint64_t) && copy_plain_end(to, text)) { return text.size(); }
    for (; length < text.size() && is_plain(text[length]); ++length) { to[length] = text[length]; }
    return length;
}

/// Writes what stands for a quote, a backslash or a control, at most six bytes, and returns its end.
inline char* write_escape(char* to, char byte) noexcept {
    const auto put = [&](std::string_view escape) {
        std::memcpy(to, escape.data(), escape.size());
        return to + escape.size();
    };
    switch (byte) {
    case '"': return put("\\\"");
    case '\\': return put("\\\\");
    case '\b': return put("\\b");
    case '\f': return put("\\f");
    case '\n': return put("\\n");
    case '\r': return put("\\r");
    case '\t': return put("\\t");
    default: break;
    }
    constexpr std::string_view hex = "0123456789abcdef";
    const auto code = static_cast<unsigned char>(byte);
    to = put("\\u00");
    *to++ = hex[code >> 4U];
    *to++ = hex[code & 0xFU];
    return to;
}

} // namespace daybook::inline v0::detail

#endif
