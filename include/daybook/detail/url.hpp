// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_URL_HPP
#define DAYBOOK_DETAIL_URL_HPP

/// @file
/// Percent-encoding, as RFC 3986 (2.1) and, for `+`, HTML forms have it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// What `+` stands for: a space in a query, itself in a path.
enum class PlusSign : std::uint8_t { is_itself, is_space };

[[nodiscard]] constexpr std::optional<unsigned> hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') { return static_cast<unsigned>(digit - '0'); }
    if (digit >= 'a' && digit <= 'f') { return static_cast<unsigned>(digit - 'a') + 10U; }
    if (digit >= 'A' && digit <= 'F') { return static_cast<unsigned>(digit - 'A') + 10U; }
    return std::nullopt;
}

/// A text as a segment of a path.
[[nodiscard]] inline std::string encoded_segment(std::string_view text) {
    constexpr std::string_view plain = "-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if ((letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
            plain.find(letter) != std::string_view::npos) {
            encoded += letter;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4U];
            encoded += digits[byte & 15U];
        }
    }
    return encoded;
}

/// Empty when a `%` is not followed by two hexadecimal digits, or a NUL comes out: nobody means one, and what is
/// handed on to C would end there.
[[nodiscard]] inline std::optional<std::string> percent_decode(std::string_view text, PlusSign plus) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t index = 0; index < text.size(); ++index) {
        char byte = text[index];
        if (byte == '+' && plus == PlusSign::is_space) {
            byte = ' ';
        } else if (byte == '%') {
            if (text.size() - index < 3) { return std::nullopt; }
            const auto high = hex_digit(text[index + 1]);
            const auto low = hex_digit(text[index + 2]);
            if (!high || !low) { return std::nullopt; }
            byte = static_cast<char>(*high * 16U + *low);
            index += 2;
        }
        if (byte == '\0') { return std::nullopt; }
        decoded.push_back(byte);
    }
    return decoded;
}

/// A request target in its parts, none of them decoded.
struct TargetParts {
    std::optional<std::string_view> authority = {}; ///< of a target that is a whole URL
    std::string_view path = {};
    std::string_view query = {}; ///< without its question mark
};

/// Understands `/path?query`, and `http://host/path?query` as RFC 9112 (3.2.2) demands of servers.
[[nodiscard]] inline TargetParts split_target(std::string_view target) noexcept {
    TargetParts parts;
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
        target.remove_prefix(scheme + 3);
        parts.authority = target.substr(0, target.find_first_of("/?"));
        target.remove_prefix(parts.authority->size());
    }
    parts.path = target.substr(0, target.find('?'));
    if (parts.path.size() != target.size()) { parts.query = target.substr(parts.path.size() + 1); }
    return parts;
}

} // namespace daybook::inline v0::detail

#endif
