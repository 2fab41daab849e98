// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CONSTANT_TIME_HPP
#define DAYBOOK_DETAIL_CONSTANT_TIME_HPP

/// @file
/// Comparing secrets without telling by the time it takes how much of a guess was right.

#include <cstddef>
#include <string_view>

namespace daybook::inline v0::detail {

/// Takes a time that depends on the lengths alone: that of the secret may be told by it, its letters are not.
[[nodiscard]] inline bool is_same_secret(std::string_view secret, std::string_view given) noexcept {
    volatile unsigned difference = static_cast<unsigned>(given.size() != secret.size());
    for (std::size_t index = 0; index < secret.size(); ++index) {
        const char other = index < given.size() ? given[index] : '\0';
        difference = difference | (static_cast<unsigned>(secret[index] ^ other) & 0xFFU);
    }
    return difference == 0;
}

} // namespace daybook::inline v0::detail

#endif
