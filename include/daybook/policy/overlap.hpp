// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_OVERLAP_HPP
#define DAYBOOK_POLICY_OVERLAP_HPP

/// @file
/// What if a job is due while it is still in progress.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace daybook::inline v0 {

/// What happens to an occurrence that comes due while an earlier one of the same job is in progress. In progress means:
/// queued, running, between two attempts, or past its timeout with its body not yet returned.
enum class Overlap : std::uint8_t {
    skip,           ///< the newcomer is skipped, with the reason `overlap`
    queue_one,      ///< one newcomer waits until the job is free; while one waits, further ones are skipped (`overlap`)
    queue_all,      ///< every newcomer waits, and they run one after another in the order in which they came due
    allow,          ///< the newcomer runs beside the earlier one
    cancel_running, ///< the earlier one is asked to stop and ends `cancelled`, without a retry; the newcomer runs as
                    ///< soon as the earlier body has returned
};

/// The lower-case word of configurations and wire formats, for instance "queue_one".
[[nodiscard]] constexpr std::string_view to_string(Overlap choice) noexcept {
    switch (choice) {
    case Overlap::skip: return "skip";
    case Overlap::queue_one: return "queue_one";
    case Overlap::queue_all: return "queue_all";
    case Overlap::allow: return "allow";
    case Overlap::cancel_running: return "cancel_running";
    }
    return "unknown";
}

/// The choice that a word names; empty for any other text (case matters).
[[nodiscard]] constexpr std::optional<Overlap> parse_overlap(std::string_view word) noexcept {
    for (auto choice :
         {Overlap::skip, Overlap::queue_one, Overlap::queue_all, Overlap::allow, Overlap::cancel_running}) {
        if (to_string(choice) == word) { return choice; }
    }
    return std::nullopt;
}

} // namespace daybook::inline v0

#endif
