// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_FIELDS_HPP
#define DAYBOOK_DETAIL_CRON_FIELDS_HPP

/// @file
/// What a cron expression means, as sets of bits, and the binding of `H` to a job.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace daybook::inline v0::detail {

enum class CronFieldId : std::uint8_t { second, minute, hour, day, month, weekday, year };

inline constexpr std::size_t cron_field_count = 7;
inline constexpr unsigned first_cron_year = 1970;
inline constexpr unsigned last_cron_year = 2199;

/// The values from `low` to `high`, both below 64.
[[nodiscard]] constexpr std::uint64_t bit_range(unsigned low, unsigned high) noexcept {
    return (~std::uint64_t{0} >> (63U - high)) & (~std::uint64_t{0} << low);
}

/// An `H` that no job has been given yet: one value of `low` to `high`, or with a step one of its phases.
struct CronHash {
    std::uint8_t low = 0;
    std::uint8_t high = 0; ///< years count from 1970 in here; below `low` where the range wraps around
    std::uint8_t step = 0; ///< 0: none
    bool used = false;

    friend constexpr bool operator==(const CronHash&, const CronHash&) noexcept = default;
};

struct CronFields {
    std::uint64_t seconds = 0;            ///< bit n: second n
    std::uint64_t minutes = 0;            ///< bit n: minute n
    std::uint32_t hours = 0;              ///< bit n: hour n
    std::uint32_t days = 0;               ///< bit n: day n of the month
    std::uint32_t days_from_end = 0;      ///< bit n: `L-n`, and `L` for 0
    std::uint32_t workday_near = 0;       ///< bit n: `nW`
    std::uint32_t workday_from_end = 0;   ///< bit n: `L-nW`, and `LW` for 0
    std::uint16_t months = 0;             ///< bit n: month n
    std::uint8_t weekdays = 0;            ///< bit 0: Sunday
    std::uint8_t last_weekdays = 0;       ///< `nL`, bit 0: Sunday
    std::uint64_t nth_weekdays = 0;       ///< bit 8 * (k - 1) + n: `n#k`
    std::array<std::uint64_t, 4> years{}; ///< bit n: the year 1970 + n; unused where `any_year`
    std::array<CronHash, cron_field_count> hashes{};
    bool any_year = true;      ///< no year field, or one that is `*`: years without end
    bool starred_day = false;  ///< the day-of-month field begins with `*` or `?`
    bool starred_week = false; ///< the day-of-week field begins with `*` or `?`
    bool both_days = false;    ///< both day fields must match, always
    bool wildcard = false;     ///< a `*`, range or step in second, minute or hour
    bool hashed = false;       ///< some `H` is not bound yet
    bool every_day = false;    ///< derived: each day of each year matches
    bool impossible = false;   ///< derived: no day ever matches

    friend constexpr bool operator==(const CronFields&, const CronFields&) noexcept = default;

    [[nodiscard]] constexpr bool either_day() const noexcept { return !both_days && !starred_day && !starred_week; }
    [[nodiscard]] constexpr bool special_days() const noexcept {
        return (days_from_end | workday_near | workday_from_end) != 0;
    }
    [[nodiscard]] constexpr bool special_weekdays() const noexcept { return (nth_weekdays | last_weekdays) != 0; }

    constexpr void add(CronFieldId field, unsigned value) noexcept {
        const std::uint64_t bit = std::uint64_t{1} << (value & 63U);
        switch (field) {
        case CronFieldId::second: seconds |= bit; break;
        case CronFieldId::minute: minutes |= bit; break;
        case CronFieldId::hour: hours |= static_cast<std::uint32_t>(bit); break;
        case CronFieldId::day: days |= static_cast<std::uint32_t>(bit); break;
        case CronFieldId::month: months = static_cast<std::uint16_t>(months | bit); break;
        case CronFieldId::weekday: weekdays = static_cast<std::uint8_t>(weekdays | bit); break;
        case CronFieldId::year:
            value -= first_cron_year;
            years[value / 64] |= std::uint64_t{1} << (value % 64);
            break;
        }
    }

    [[nodiscard]] constexpr bool has_year(std::int64_t year) const noexcept {
        if (any_year) { return true; }
        if (year < first_cron_year || year > last_cron_year) { return false; }
        const auto index = static_cast<unsigned>(year) - first_cron_year;
        return (years[index / 64] >> (index % 64) & 1U) != 0;
    }

    /// Sets the derived flags; to be called after every change.
    constexpr void derive() noexcept {
        const bool all_days = days == bit_range(1, 31);
        const bool all_weekdays = weekdays == bit_range(0, 6);
        every_day = any_year && months == bit_range(1, 12) &&
                    (either_day() ? all_days || all_weekdays : all_days && all_weekdays);
        impossible = !hashed && !(either_day() && (weekdays != 0 || special_weekdays())) && !some_day_exists();
    }

private:
    /// Whether the day-of-month field names a day that one of the months can have.
    [[nodiscard]] constexpr bool some_day_exists() const noexcept {
        for (unsigned month = 1; month <= 12; ++month) {
            if ((months >> month & 1U) == 0) { continue; }
            const unsigned length = month == 2 ? 29 : 30U + ((month + (month >> 3U)) & 1U);
            const std::uint64_t numbered = days | workday_near;
            const std::uint64_t counted_back = days_from_end | workday_from_end;
            if ((numbered & bit_range(1, length)) != 0 || (counted_back & bit_range(0, length - 1)) != 0) {
                return true;
            }
        }
        return false;
    }
};

/// SplitMix64's finaliser: neighbouring inputs land far apart.
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t value) noexcept {
    value += 0x9E3779B97F4A7C15U;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
}

/// FNV-1a: the seed that a name stands for, on every machine.
[[nodiscard]] constexpr std::uint64_t hash_of_name(std::string_view name) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : name) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U; }
    return hash;
}

/// Gives every `H` its value: the same for the same seed, in every process and on every machine.
[[nodiscard]] constexpr CronFields bind_hashes(CronFields fields, std::uint64_t seed) noexcept {
    constexpr std::array<unsigned, cron_field_count> sizes{60, 60, 24, 31, 12, 7, last_cron_year - first_cron_year + 1};
    constexpr std::array<unsigned, cron_field_count> firsts{0, 0, 0, 1, 1, 0, 0};
    for (std::size_t i = 0; i < cron_field_count; ++i) {
        const CronHash hash = fields.hashes[i];
        if (!hash.used) { continue; }
        const unsigned size = sizes[i];
        const unsigned count = (hash.high + size - hash.low) % size + 1;
        const unsigned step = hash.step == 0 ? count : hash.step;
        const std::uint64_t random = mix_bits(seed ^ mix_bits(i + 1));
        for (auto at = static_cast<unsigned>(random % (step < count ? step : count)); at < count; at += step) {
            const unsigned value = (hash.low - firsts[i] + at) % size + firsts[i];
            fields.add(static_cast<CronFieldId>(i), i == cron_field_count - 1 ? value + first_cron_year : value);
        }
        fields.hashes[i] = {};
    }
    fields.hashed = false;
    fields.derive();
    return fields;
}

} // namespace daybook::inline v0::detail

#endif
