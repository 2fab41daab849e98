// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_DELIVERY_HPP
#define DAYBOOK_POLICY_DELIVERY_HPP

/// @file
/// What if nobody knows how far an attempt has come.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace daybook::inline v0 {

/// Whether an occurrence is attempted again after an attempt that ended `abandoned`: its process died, or lost its
/// lease, and how much of the work was done is not known. Such an attempt counts as one; three of them in a row end the
/// occurrence.
///
/// This matters with a store: there the next process finds what the one before has left (AnyScheduler::start), and a
/// job that is `at_most_once` begins only once the store knows (OnStoreFailure). Without one the end of the process is
/// the end of the log, and only the bound on records in flight (LogOptions::max_running) abandons: where the program
/// keeps many records of its own open in the scheduler's log. An attempt that this befalls while it waits for a worker
/// does not run; `at_least_once` makes another of it at once. One that it befalls while its body runs goes on, but the
/// record has ended: if the body then fails, `at_least_once` asks the retry policy as ever, and `at_most_once` does
/// not.
///
/// Either way the retry policy decides about attempts that end `error` or `timeout`: those are known to have failed. A
/// job that must not run twice for one occurrence has no retries either.
enum class Delivery : std::uint8_t {
    at_least_once, ///< what was abandoned is attempted again
    at_most_once,  ///< what was abandoned stays so
};

/// The lower-case word of configurations and wire formats, for instance "at_most_once".
[[nodiscard]] constexpr std::string_view to_string(Delivery choice) noexcept {
    switch (choice) {
    case Delivery::at_least_once: return "at_least_once";
    case Delivery::at_most_once: return "at_most_once";
    }
    return "unknown";
}

/// The choice that a word names; empty for any other text (case matters).
[[nodiscard]] constexpr std::optional<Delivery> parse_delivery(std::string_view word) noexcept {
    for (auto choice : {Delivery::at_least_once, Delivery::at_most_once}) {
        if (to_string(choice) == word) { return choice; }
    }
    return std::nullopt;
}

} // namespace daybook::inline v0

#endif
