// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_BASE64_HPP
#define DAYBOOK_DETAIL_BASE64_HPP

/// @file
/// Base64 as HTTP credentials have it (RFC 4648, 4).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// Empty unless the text is nothing but base64, padded to whole groups of four.
[[nodiscard]] inline std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) { return std::nullopt; }
    for (int pads = 0; pads < 2 && text.ends_with('='); ++pads) { text.remove_suffix(1); }
    std::string decoded;
    decoded.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char letter : text) {
        const auto value = letters.find(letter);
        if (value == std::string_view::npos) { return std::nullopt; }
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            decoded.push_back(static_cast<char>((bits >> count) & 0xFFU));
        }
    }
    return decoded;
}

} // namespace daybook::inline v0::detail

#endif
