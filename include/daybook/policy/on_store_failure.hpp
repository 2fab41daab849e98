// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_ON_STORE_FAILURE_HPP
#define DAYBOOK_POLICY_ON_STORE_FAILURE_HPP

/// @file
/// What if the store is away when a job is due.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace daybook::inline v0 {

/// Whether an attempt begins while the store does not answer.
///
/// A job with Delivery::at_most_once always holds: its start must be in the store before its body runs, or a restart
/// could run it twice. Each start of such a job waits for the store, at most StoringOptions::timeout. No other job
/// waits.
enum class OnStoreFailure : std::uint8_t {
    run_anyway, ///< its records are kept until the store is back; for `at_least_once` only
    hold,       ///< a first attempt is skipped (`store_unavailable`), a further one is recorded as `cancelled`
};

/// The lower-case word of configurations and wire formats, for instance "run_anyway".
[[nodiscard]] constexpr std::string_view to_string(OnStoreFailure choice) noexcept {
    switch (choice) {
    case OnStoreFailure::run_anyway: return "run_anyway";
    case OnStoreFailure::hold: return "hold";
    }
    return "unknown";
}

/// The choice that a word names; empty for any other text (case matters).
[[nodiscard]] constexpr std::optional<OnStoreFailure> parse_on_store_failure(std::string_view word) noexcept {
    for (auto choice : {OnStoreFailure::run_anyway, OnStoreFailure::hold}) {
        if (to_string(choice) == word) { return choice; }
    }
    return std::nullopt;
}

} // namespace daybook::inline v0

#endif
