// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TIME_TIME_ZONE_HPP
#define DAYBOOK_TIME_TIME_ZONE_HPP

/// @file
/// In which place: UTC, fixed offsets and the zones of the system's database, without a dependency.

#include <daybook/detail/saturate.hpp>
#include <daybook/detail/zone_data.hpp>
#include <daybook/detail/zone_registry.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace daybook::inline v0 {

/// The stretch of time around an instant in which a zone keeps one offset.
struct OffsetInterval {
    std::chrono::sys_seconds begin = std::chrono::sys_seconds::min(); ///< `min()`: since ever
    std::chrono::sys_seconds end = std::chrono::sys_seconds::max();   ///< not part of it; `max()`: for good
    std::chrono::seconds offset = std::chrono::seconds{0};            ///< east of UTC, from -25 h to 26 h

    friend bool operator==(const OffsetInterval&, const OffsetInterval&) = default;
};

/// How often a local time comes.
enum class LocalKind : std::uint8_t {
    unique, ///< once, as nearly always
    gap,    ///< never: the clocks were put forward over it
    twice,  ///< two times: the clocks were put back over it
};

/// The instants that a local time stands for.
struct LocalInfo {
    LocalKind kind = LocalKind::unique;
    std::chrono::sys_seconds first = {};  ///< the instant; the earlier of two; in a gap, the first instant after it
    std::chrono::sys_seconds second = {}; ///< the later of two; else as `first`

    friend bool operator==(const LocalInfo&, const LocalInfo&) = default;
};

/// A time zone: a pointer to data that is loaded once for the process and never freed. The default is UTC.
///
/// Equal means the same name: two names for one place (`Europe/Berlin`, `Germany/Berlin`) are two zones.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment. `find` and `local_zone` read the
/// environment: no other thread may call `setenv` meanwhile.
class TimeZone {
public:
    /// UTC.
    constexpr TimeZone() noexcept = default;

    /// Looks a zone up, at the first time on disk.
    ///
    /// - `UTC`, an empty name, `Z`, `Etc/UTC` and their older aliases: UTC, without a file.
    /// - `+2`, `+02`, `+0230`, `-02:30`, also after `UTC`: a fixed offset, east of Greenwich positive (as in ISO 8601,
    ///   and unlike `Etc/GMT-2`), up to 23:59.
    /// - `local`, `localtime`: see local_zone().
    /// - anything else is a file of the system's database (TZif, RFC 8536) in `$TZDIR`, or else in
    ///   /usr/share/zoneinfo; names tell upper from lower case, and cannot leave that directory. Windows has no such
    ///   files: there, without `TZDIR`, it is a zone of the standard library (std::chrono::locate_zone), if that has
    ///   any. Elsewhere the standard library is not asked: what it knows it reads from the same directory.
    ///
    /// @throws std::invalid_argument  There is no such zone, or its file is damaged; the message names the zone.
    /// Complexity: O(log zones) once loaded; a file is read at its first use, and never again.
    [[nodiscard]] static TimeZone find(std::string_view name);

    /// Whether it is UTC itself (and not only at the same offset).
    [[nodiscard]] constexpr bool is_utc() const noexcept { return data_ == nullptr; }

    /// The name it was found by; `UTC`, or `+02:00` for a fixed offset. Valid for the life of the process.
    [[nodiscard]] constexpr std::string_view name() const noexcept {
        return is_utc() ? std::string_view{"UTC"} : std::string_view{data_->name()};
    }

    /// The offset at an instant, and how long it holds. O(log transitions), a few nanoseconds where calls stay between
    /// the same two transitions. The rule in a file's footer holds for all the years to come.
    [[nodiscard]] OffsetInterval offset_at(std::chrono::sys_seconds instant) const noexcept {
        const detail::ZoneSpan span = span_near(instant.time_since_epoch().count());
        return {.begin = at(span.begin), .end = at(span.end), .offset = std::chrono::seconds{span.offset}};
    }

    /// What a clock on the wall shows there; beyond the range of the result, the end of it.
    template <class Duration>
    [[nodiscard]] auto to_local(std::chrono::sys_time<Duration> instant) const noexcept {
        using Shown = std::common_type_t<Duration, std::chrono::seconds>;
        using Local = std::chrono::local_time<Shown>;
        const auto whole = detail::saturating_floor<std::chrono::seconds>(instant.time_since_epoch());
        const std::chrono::seconds offset{span_near(whole.count()).offset};
        if constexpr (std::chrono::treat_as_floating_point_v<typename Shown::rep>) {
            return Local{instant.time_since_epoch() + offset};
        } else {
            const Local unmoved{detail::saturating_floor<Shown>(instant.time_since_epoch())};
            return offset.count() < 0 ? detail::saturating_subtract(unmoved, Shown{-offset})
                                      : detail::saturating_add(unmoved, Shown{offset});
        }
    }

    /// The instants at which a clock on the wall shows `local` there. Nearer than 52 hours to either end of its range,
    /// a local time counts as the one at that distance.
    [[nodiscard]] LocalInfo to_sys(std::chrono::local_seconds local) const noexcept;

    friend constexpr bool operator==(TimeZone, TimeZone) noexcept = default;

private:
    friend class Cron;
    friend TimeZone local_zone();

    explicit constexpr TimeZone(const detail::ZoneData* data) noexcept : data_{data} {}

    [[nodiscard]] static constexpr std::chrono::sys_seconds at(std::int64_t seconds) noexcept {
        return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
    }
    [[nodiscard]] detail::ZoneSpan span_near(std::int64_t instant) const noexcept {
        return is_utc() ? detail::ZoneSpan{} : data_->span_near(instant);
    }

    const detail::ZoneData* data_ = nullptr;
};

static_assert(std::is_trivially_copyable_v<TimeZone> && sizeof(TimeZone) == sizeof(void*));

/// The zone this machine is set to: `TZ` (a name, a path after a colon, or a POSIX rule such as
/// `CET-1CEST,M3.5.0,M10.5.0/3`), else /etc/localtime, else UTC. On Windows, in place of /etc/localtime, what the
/// standard library says (std::chrono::current_zone).
/// @throws std::invalid_argument  `TZ` is set to what is none of these; on Windows, `TZDIR` lacks the zone.
[[nodiscard]] inline TimeZone local_zone() {
    auto& registry = detail::ZoneRegistry::instance();
    if (const char* const variable = std::getenv("TZ"); variable != nullptr) {
        std::string_view text{variable};
        if (text.starts_with(':')) { text.remove_prefix(1); }
        if (text.starts_with('/')) {
            if (const auto* const zone = registry.file(std::string{text}); zone != nullptr) { return TimeZone{zone}; }
        } else if (text != "local" && text != "localtime") {
            // EST5EDT and the like are both a name and a rule; the name comes first, as it knows the past.
            try {
                return TimeZone::find(text);
            } catch (const std::invalid_argument&) {
                const auto* const rule = registry.rule(text);
                if (rule == nullptr) { throw; }
                return TimeZone{rule};
            }
        }
        if (text.starts_with('/')) {
            throw std::invalid_argument("unknown time zone '" + std::string{text} + "': TZ names no such file");
        }
    }
#if defined(_WIN32)
    return TimeZone::find(detail::chrono_zone_name());
#else
    constexpr std::string_view folder = "zoneinfo/";
    const auto name_in_path = [folder](std::string_view path) {
        const auto found = path.rfind(folder);
        return found == std::string_view::npos ? std::string_view{} : path.substr(found + folder.size());
    };
    const std::string target = detail::read_link("/etc/localtime");
    if (const std::string_view name = name_in_path(target); !name.empty()) {
        try {
            return TimeZone::find(name);
        } catch (const std::invalid_argument&) {} // a link to a private folder: take the file as it is
    }
    return TimeZone{registry.file("/etc/localtime")};
#endif
}

inline TimeZone TimeZone::find(std::string_view name) {
    for (const std::string_view utc :
         {"", "UTC", "Etc/UTC", "Z", "UCT", "Zulu", "Universal", "Etc/UCT", "Etc/Zulu", "Etc/Universal"}) {
        if (name == utc) { return {}; }
    }
    if (name == "local" || name == "localtime") { return local_zone(); }
    if (const std::optional<std::int32_t> offset = detail::parse_fixed_offset(name); offset) {
        return *offset == 0 ? TimeZone{} : TimeZone{detail::ZoneRegistry::instance().fixed(*offset)};
    }
    return TimeZone{detail::ZoneRegistry::instance().find(name)};
}

inline LocalInfo TimeZone::to_sys(std::chrono::local_seconds local) const noexcept {
    std::int64_t wanted = local.time_since_epoch().count();
    if (is_utc()) { return {.kind = LocalKind::unique, .first = at(wanted), .second = at(wanted)}; }
    constexpr std::int64_t widest = detail::widest_offset;
    wanted = std::clamp(wanted, std::numeric_limits<std::int64_t>::min() + 2 * widest,
                        std::numeric_limits<std::int64_t>::max() - 2 * widest);
    LocalInfo info{.kind = LocalKind::gap, .first = at(wanted), .second = at(wanted)};
    for (detail::ZoneSpan span = data_->span_near(wanted - widest);; span = data_->span_at(span.end)) {
        const std::int64_t candidate = wanted - span.offset;
        if (candidate >= span.begin && candidate < span.end) {
            if (info.kind == LocalKind::gap) {
                info = {.kind = LocalKind::unique, .first = at(candidate), .second = at(candidate)};
            } else {
                info.kind = LocalKind::twice;
                info.second = at(candidate);
            }
        } else if (info.kind == LocalKind::gap && candidate < span.begin && wanted - span.before >= span.begin) {
            info.first = info.second = at(span.begin);
        }
        if (span.end > wanted + widest) { return info; }
    }
}

} // namespace daybook::inline v0

#endif
