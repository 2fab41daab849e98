// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HEX_HPP
#define DAYBOOK_DETAIL_HEX_HPP

/// @file
/// Hexadecimal digits.

#include <string_view>

namespace daybook::inline v0::detail {

/// By their value.
inline constexpr std::string_view hex_digits = "0123456789abcdef";

} // namespace daybook::inline v0::detail

#endif
