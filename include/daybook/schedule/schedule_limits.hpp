// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_SCHEDULE_LIMITS_HPP
#define DAYBOOK_SCHEDULE_SCHEDULE_LIMITS_HPP

/// @file
/// What `from`, `until`, `times`, `jitter` and `except` have added to a schedule.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/schedule/calendar.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace daybook::inline v0 {

/// See Modifiable for what each of them means.
struct ScheduleLimits {
    std::optional<sys_time> from = {};
    std::optional<sys_time> until = {};
    std::optional<std::uint64_t> times = {};
    std::chrono::microseconds jitter{0};           ///< 0: none
    std::optional<std::uint64_t> jitter_seed = {}; ///< none: whoever runs the schedule binds it to its job
    std::vector<Calendar> except = {};

    /// Whether a calendar contains the instant.
    [[nodiscard]] bool excludes(sys_time instant) const {
        return std::ranges::any_of(except, [&](const Calendar& each) { return each.contains(instant); });
    }

    /// The next instant after `instant`, which is excluded, that may not be; never later than the first that is not.
    [[nodiscard]] sys_time rests_until(sys_time instant) const {
        sys_time latest = detail::saturating_add(instant, std::chrono::microseconds{1});
        for (const Calendar& each : except) {
            if (each.contains(instant)) { latest = std::max(latest, each.rests_until(instant)); }
        }
        return latest;
    }

    /// The same backwards: nothing from this instant to `instant`, which is excluded, is free.
    [[nodiscard]] sys_time rests_since(sys_time instant) const {
        sys_time earliest = instant;
        for (const Calendar& each : except) {
            if (each.contains(instant)) { earliest = std::min(earliest, each.rests_since(instant)); }
        }
        return earliest;
    }

    /// How much later than its nominal time an occurrence is due. @param key  Of the occurrence: its nominal time.
    [[nodiscard]] std::chrono::microseconds delay_of(std::int64_t key) const noexcept {
        if (jitter.count() == 0) { return jitter; }
        const std::uint64_t random =
            detail::mix_bits(jitter_seed.value_or(0) ^ detail::mix_bits(static_cast<std::uint64_t>(key)));
        return std::chrono::microseconds{
            static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(jitter.count()) + 1))};
    }

    friend bool operator==(const ScheduleLimits&, const ScheduleLimits&) = default;
};

} // namespace daybook::inline v0

#endif
