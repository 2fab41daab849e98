// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_FLEET_JOBS_HPP
#define DAYBOOK_TESTS_FLEET_FLEET_JOBS_HPP

/// @file
/// The jobs of the fleet trial: what the workers run, and what the judge holds them to. All are due every second.

#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fleet {

/// Whether the body of a job returns when it is asked to stop.
enum class Obedience : std::uint8_t { obeys, goes_on };

/// What jobs of one kind have in common.
struct Kind {
    std::string_view name;
    daybook::Delivery delivery = daybook::Delivery::at_least_once;
    daybook::Overlap overlap = daybook::Overlap::skip;
    daybook::Misfire misfire = daybook::Misfire::run_once;
    std::uint32_t longest_ms = 0; ///< a body takes any time up to this
    std::uint32_t attempts = 1;   ///< above 1: fails now and then, and is tried again
    std::string_view group = {};  ///< empty: none
    Obedience obedience = Obedience::obeys;
    bool is_interval = false; ///< every(1s) in place of cron
};

inline constexpr std::string_view group_name = "few_at_once";
inline constexpr std::size_t group_limit = 3;

inline constexpr std::array kinds{
    Kind{.name = "quick"},
    Kind{.name = "once", .delivery = daybook::Delivery::at_most_once},
    Kind{.name = "queued", .overlap = daybook::Overlap::queue_one, .longest_ms = 1500},
    Kind{.name = "once_slow", .delivery = daybook::Delivery::at_most_once, .longest_ms = 3000},
    Kind{.name = "beside", .overlap = daybook::Overlap::allow, .longest_ms = 1000},
    Kind{.name = "failing", .attempts = 3, .is_interval = true},
    Kind{.name = "grouped", .longest_ms = 300, .group = group_name},
    Kind{.name = "stubborn", .longest_ms = 3000, .obedience = Obedience::goes_on, .is_interval = true},
    Kind{.name = "once_queued",
         .delivery = daybook::Delivery::at_most_once,
         .overlap = daybook::Overlap::queue_one,
         .longest_ms = 1500},
    Kind{.name = "made_good", .misfire = daybook::Misfire::run_all},
};

[[nodiscard]] constexpr const Kind& kind_of(std::size_t number) { return kinds[number % kinds.size()]; }

/// "queued_12": the kind and the number.
[[nodiscard]] inline std::string job_id(std::size_t number) {
    return std::string{kind_of(number).name} + '_' + std::to_string(number);
}

[[nodiscard]] inline const Kind& kind_of(std::string_view job_id) {
    return kind_of(static_cast<std::size_t>(std::stoul(std::string{job_id.substr(job_id.rfind('_') + 1)})));
}

} // namespace fleet

#endif
