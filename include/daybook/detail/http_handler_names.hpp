// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HTTP_HANDLER_NAMES_HPP
#define DAYBOOK_DETAIL_HTTP_HANDLER_NAMES_HPP

/// @file
/// The names of the ready-made handler whose jobs call a URL.

#include <string_view>

namespace daybook::inline v0::detail {

inline constexpr std::string_view http_handler = "http";
inline constexpr std::string_view http_handler_method = "request";

[[nodiscard]] constexpr bool is_http_handler(std::string_view handler_id, std::string_view method_name) noexcept {
    return handler_id == http_handler && method_name == http_handler_method;
}

} // namespace daybook::inline v0::detail

#endif
