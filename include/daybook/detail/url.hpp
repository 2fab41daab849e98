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

} // namespace daybook::inline v0::detail

#endif
