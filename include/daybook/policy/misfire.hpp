// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_MISFIRE_HPP
#define DAYBOOK_POLICY_MISFIRE_HPP

/// @file
/// What if the time of a job has passed before anybody could start it.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace daybook::inline v0 {

/// What happens to occurrences that are noticed after their time: the process was stopped or suspended, the machine was
/// busy, or the wall clock was set forward. Every one of them is accounted for, run or skipped.
enum class Misfire : std::uint8_t {
    run_once, ///< the latest one runs if it is no older than the job's `misfire_grace`; all others are skipped with the
              ///< reason `misfire`
    skip,     ///< all of them are skipped (`misfire`), and the job waits for its next regular time
    run_all,  ///< they run one after another, the oldest first and at most `max_catch_up`; the rest is skipped
              ///< (`misfire`)
};

/// The lower-case word of configurations and wire formats, for instance "run_once".
[[nodiscard]] constexpr std::string_view to_string(Misfire choice) noexcept {
    switch (choice) {
    case Misfire::run_once: return "run_once";
    case Misfire::skip: return "skip";
    case Misfire::run_all: return "run_all";
    }
    return "unknown";
}

/// The choice that a word names; empty for any other text (case matters).
[[nodiscard]] constexpr std::optional<Misfire> parse_misfire(std::string_view word) noexcept {
    for (auto choice : {Misfire::run_once, Misfire::skip, Misfire::run_all}) {
        if (to_string(choice) == word) { return choice; }
    }
    return std::nullopt;
}

} // namespace daybook::inline v0

#endif
