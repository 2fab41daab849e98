// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HEAP_BYTES_HPP
#define DAYBOOK_DETAIL_HEAP_BYTES_HPP

/// @file
/// How much memory things take outside of themselves.

#include <cstddef>
#include <string>
#include <vector>

namespace daybook::inline v0::detail {

/// What an allocation costs: the bytes asked for, a header of 8 bytes, the whole rounded up to 16 and at least 32, as
/// glibc's malloc has it; others differ by little.
[[nodiscard]] constexpr std::size_t heap_bytes(std::size_t asked) noexcept {
    if (asked == 0) { return 0; }
    const std::size_t rounded = (asked + 8 + 15) / 16 * 16;
    return rounded < 32 ? 32 : rounded;
}

[[nodiscard]] inline std::size_t heap_bytes(const std::string& text) noexcept {
    return text.capacity() > std::string{}.capacity() ? heap_bytes(text.capacity() + 1) : 0;
}

/// Of the vector's own elements; what those own comes on top.
template <class Value>
[[nodiscard]] std::size_t heap_bytes(const std::vector<Value>& values) noexcept {
    return heap_bytes(values.capacity() * sizeof(Value)); // NOLINT(bugprone-sizeof-expression): of pointers as well
}

} // namespace daybook::inline v0::detail

#endif
