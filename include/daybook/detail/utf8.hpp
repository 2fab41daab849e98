// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_UTF8_HPP
#define DAYBOOK_DETAIL_UTF8_HPP

/// @file
/// UTF-8 as RFC 3629 has it: which bytes form a character, and where a text may be cut.

#include <cstddef>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// What stands at the beginning of a text.
struct Utf8Step {
    std::size_t length = 1; ///< bytes to pass over, at least 1
    bool is_valid = false;  ///< false: the bytes are the longest beginning of a character that then broke off
};

/// The character at the beginning of `text`, which must not be empty. Overlong forms, surrogates and values above
/// U+10FFFF are not valid. An invalid step covers what the Unicode standard (3.9, "maximal subpart") replaces by one
/// U+FFFD, so that all of our replacements agree with those of browsers.
[[nodiscard]] constexpr Utf8Step utf8_step(std::string_view text) noexcept {
    const auto at = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned lead = at(0);
    if (lead < 0x80) { return {1, true}; }
    if (lead < 0xC2 || lead > 0xF4) { return {1, false}; }

    const std::size_t length = lead < 0xE0 ? 2U : lead < 0xF0 ? 3U : 4U;
    // Only the second byte has a narrower range, and only after these leads.
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (lead == 0xE0) { low = 0xA0; }
    if (lead == 0xED) { high = 0x9F; }
    if (lead == 0xF0) { low = 0x90; }
    if (lead == 0xF4) { high = 0x8F; }
    for (std::size_t index = 1; index < length; ++index) {
        if (index == text.size() || at(index) < low || at(index) > high) { return {index, false}; }
        low = 0x80;
        high = 0xBF;
    }
    return {length, true};
}

/// The largest length, not above `max_bytes`, at which `text` may be cut without splitting a character.
[[nodiscard]] constexpr std::size_t utf8_floor(std::string_view text, std::size_t max_bytes) noexcept {
    if (max_bytes >= text.size()) { return text.size(); }
    const auto is_continuation = [&](std::size_t index) {
        return (static_cast<unsigned char>(text[index]) & 0xC0U) == 0x80U;
    };
    auto length = max_bytes;
    // A character has at most three continuation bytes; a longer run is no text, and may be cut anywhere.
    for (int steps = 0; steps < 4 && length > 0 && is_continuation(length); ++steps) { --length; }
    return length > 0 && is_continuation(length) ? max_bytes : length;
}

/// A text of `total` bytes, cut to at most `max_bytes` with a mark at its end that says how long it was; without the
/// mark where not even that has room. No more than what is kept is copied.
/// @param text  All of it, or its first `max_bytes` or more.
[[nodiscard]] inline std::string limited_copy(std::string_view text, std::size_t max_bytes, std::size_t total) {
    if (total <= max_bytes) { return std::string{text}; }
    const auto mark = "\xE2\x80\xA6 [cut: " + std::to_string(total) + " bytes in all]";
    if (mark.size() > max_bytes) { return std::string{text.substr(0, utf8_floor(text, max_bytes))}; }
    const std::size_t kept = utf8_floor(text, max_bytes - mark.size());
    std::string cut;
    cut.reserve(kept + mark.size()); // what is kept is what memory was promised for
    cut.append(text.substr(0, kept)).append(mark);
    return cut;
}

/// The same for a text that may be kept as it is.
[[nodiscard]] inline std::string limited_text(std::string text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) { return text; }
    return limited_copy(text, max_bytes, text.size());
}

} // namespace daybook::inline v0::detail

#endif
