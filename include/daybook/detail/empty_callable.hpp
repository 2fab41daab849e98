// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EMPTY_CALLABLE_HPP
#define DAYBOOK_DETAIL_EMPTY_CALLABLE_HPP

/// @file
/// Whether a callable has anything to call.

#include <cstddef>
#include <type_traits>

namespace daybook::inline v0::detail {

/// Whether there is nothing in it to call: a null pointer to a function or a member, an empty std::function. What its
/// call would throw is said early.
template <class Callable>
[[nodiscard]] constexpr bool is_empty_callable(const Callable& callable) {
    if constexpr (std::is_pointer_v<Callable> || std::is_member_pointer_v<Callable>) {
        return callable == nullptr;
    } else if constexpr (std::is_constructible_v<Callable, std::nullptr_t> &&
                         std::is_constructible_v<bool, const Callable&>) {
        return !static_cast<bool>(callable);
    } else {
        return false;
    }
}

} // namespace daybook::inline v0::detail

#endif
