// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CHRONO_ZONE_HPP
#define DAYBOOK_DETAIL_CHRONO_ZONE_HPP

/// @file
/// Zones out of the standard library, for systems that have no TZif files (Windows); none where it has none either.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/zone_data.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// The table of a zone stretch by stretch: `info_at(instant)` tells the one around an instant as
/// `std::chrono::sys_info` does, by its `end` and its `offset`.
///
/// The first transitions of the database lie in the 1840s. Some zones have years without a rule until 2087 (those that
/// follow Ramadan), so the 400 years that repeat for ever begin after that.
template <class InfoAt>
[[nodiscard]] std::unique_ptr<ZoneData> read_zone_by_infos(std::string_view name, const InfoAt& info_at) {
    using std::chrono::seconds;
    using std::chrono::sys_seconds;
    constexpr std::int64_t first = days_from_civil(1800, 1, 1) * seconds_per_day;
    constexpr std::int64_t repeats = days_from_civil(2100, 7, 1) * seconds_per_day;
    constexpr std::int64_t last = days_from_civil(2503, 1, 1) * seconds_per_day;
    const auto offset_of = [](const auto& info) { return static_cast<std::int32_t>(info.offset.count()); };
    auto info = info_at(sys_seconds{seconds{first}});
    auto zone = std::make_unique<ZoneData>(std::string{name}, offset_of(info));
    for (std::int64_t before = first, at = first; at < last; before = at) {
        at = info.end.time_since_epoch().count();
        if (at <= before || at >= last) { break; } // the first would be a fault of the library
        info = info_at(sys_seconds{seconds{at}});
        zone->add_transition(at, offset_of(info));
    }
    zone->repeat_from(repeats);
    zone->build_index();
    return zone;
}

#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L

/// The table of a zone; null where the standard library knows no such zone or finds no data at all.
[[nodiscard]] inline std::unique_ptr<ZoneData> read_chrono_zone(std::string_view name) {
    const std::chrono::time_zone* source = nullptr;
    try {
        source = std::chrono::locate_zone(name);
    } catch (const std::runtime_error&) { return nullptr; }
    return read_zone_by_infos(name, [source](std::chrono::sys_seconds at) { return source->get_info(at); });
}

/// The name of the zone that this machine is set to; empty where that cannot be found out.
[[nodiscard]] inline std::string chrono_zone_name() {
    try {
        return std::string{std::chrono::current_zone()->name()};
    } catch (const std::runtime_error&) { return {}; }
}

#else

[[nodiscard]] inline std::unique_ptr<ZoneData> read_chrono_zone(std::string_view) { return nullptr; }
[[nodiscard]] inline std::string chrono_zone_name() { return {}; }

#endif

} // namespace daybook::inline v0::detail

#endif
