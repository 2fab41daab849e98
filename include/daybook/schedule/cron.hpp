// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_CRON_HPP
#define DAYBOOK_SCHEDULE_CRON_HPP

/// @file
/// When, in cron's words: expressions of 5, 6 or 7 fields, in any time zone, through every change of its clocks.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_parser.hpp>
#include <daybook/detail/cron_search.hpp>
#include <daybook/detail/cron_search_back.hpp>
#include <daybook/detail/cron_text.hpp>
#include <daybook/detail/cron_zone_search.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/schedule/modifiable.hpp>
#include <daybook/schedule/occurrences.hpp>
#include <daybook/schedule/schedule_error.hpp>
#include <daybook/time/time_zone.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace daybook::inline v0 {

namespace detail {
struct CronReader;
} // namespace detail

/// How the day-of-month and the day-of-week field go together.
enum class DayMatch : std::uint8_t {
    vixie, ///< either may match; both must where one of them begins with `*` or `?` (as in Vixie cron, and POSIX)
    both,  ///< both must match, always
};

/// What becomes of local times that do not exist, or come twice, when the clocks change.
enum class Dst : std::uint8_t {
    vixie, ///< a time in the gap runs once, at the first instant after it, however many of them match; of times that
           ///< come twice, fixed ones run the first time, those with a `*`, range or step in second, minute or hour
           ///< both
    skip,  ///< a time in the gap does not run; one that comes twice runs the first time
    twice, ///< a time in the gap does not run; one that comes twice runs both times
};

/// How an expression is to be understood.
struct CronOptions {
    DayMatch days = DayMatch::vixie;
    Dst dst = Dst::vixie;
    std::optional<std::uint64_t> hash_seed = {}; ///< for `H`; none: whoever runs the schedule binds it to its job
};

/// A cron expression with its zone: a literal, trivially copyable value. Without a zone everything is `constexpr`.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class Cron : public Modifiable<Cron> {
public:
    /// Prefer cron(), which this is behind.
    /// @throws CronError  The expression is wrong.
    constexpr Cron(std::string_view text, TimeZone zone, CronOptions options = {});

    /// The first instant at which it is due, strictly later than `after`; always a whole second. Nothing if there is
    /// none: the days do not exist (30 February), the years are over, or it lies beyond the range of sys_time.
    ///
    /// Without a year field, and where it is `*`, the search has no horizon; with any other it ends with 2199. An `H`
    /// that nobody has bound counts as bound to 0. Tens of nanoseconds: the search counts bits, and never walks through
    /// time; some microseconds where nothing is ever due.
    [[nodiscard]] constexpr std::optional<sys_time> next(sys_time after) const {
        return next_after(std::chrono::floor<std::chrono::seconds>(after).time_since_epoch().count());
    }

    /// @copydoc next(sys_time) const
    template <class Duration>
    [[nodiscard]] constexpr std::optional<sys_time> next(std::chrono::sys_time<Duration> after) const {
        return next_after(detail::saturating_floor<std::chrono::seconds>(after.time_since_epoch()).count());
    }

    /// The last instant at which it is due, strictly earlier than `before`; always a whole second. Nothing if there is
    /// none: the days do not exist, the years have not begun, or it lies beyond the range of sys_time.
    ///
    /// The mirror of next(): the instants are the same, whatever the zone and its clocks do. Without a year field, and
    /// where it is `*`, the search has no horizon; with any other it ends with 1970. Tens of nanoseconds; some
    /// microseconds where nothing is ever due.
    [[nodiscard]] constexpr std::optional<sys_time> previous(sys_time before) const {
        return previous_before(std::chrono::ceil<std::chrono::seconds>(before).time_since_epoch().count());
    }

    /// @copydoc previous(sys_time) const
    template <class Duration>
    [[nodiscard]] constexpr std::optional<sys_time> previous(std::chrono::sys_time<Duration> before) const {
        return previous_before(detail::saturating_ceil<std::chrono::seconds>(before.time_since_epoch()).count());
    }

    /// The instants at which it is due, from `begin` (included) to `end` (not included).
    [[nodiscard]] constexpr Occurrences<Cron> occurrences(sys_time begin, sys_time end) const {
        return {*this, begin, end};
    }

    /// Whether it is due in the second that holds `instant`.
    [[nodiscard]] constexpr bool matches(sys_time instant) const {
        const auto second = std::chrono::floor<std::chrono::seconds>(instant);
        const std::optional<sys_time> found = next_after(second.time_since_epoch().count() - 1);
        return found && std::chrono::floor<std::chrono::seconds>(*found) == second;
    }

    /// How the instant `fire`, one that next() returned, came about on a day when the clocks changed.
    [[nodiscard]] constexpr ClockChange clock_change_of(sys_time fire) const;

    [[nodiscard]] constexpr TimeZone zone() const noexcept { return zone_; }
    [[nodiscard]] constexpr Dst dst() const noexcept { return dst_; }
    [[nodiscard]] constexpr DayMatch days() const noexcept {
        return fields_.both_days ? DayMatch::both : DayMatch::vixie;
    }

    /// Whether it holds an `H` that has no value yet.
    [[nodiscard]] constexpr bool needs_binding() const noexcept { return fields_.hashed; }

    /// The same with every `H` given its value, a hash of `seed`; unchanged where there is none.
    [[nodiscard]] constexpr Cron bound_to(std::uint64_t seed) const noexcept;

    /// The same by a name, usually the job's id: FNV-1a of it is the seed, on every machine.
    [[nodiscard]] constexpr Cron bound_to(std::string_view name) const noexcept;

    /// Equal means the same fields, zone and options, however they were written: `1,2,3` is `1-3`, and `MON` is `1`.
    /// What the writing decides stays: a star in the day fields, and in second, minute or hour whether there is a `*`,
    /// range or step at all (Dst::vixie asks for that).
    friend constexpr bool operator==(const Cron&, const Cron&) noexcept = default;

    /// The expression; in fields only: zone and options are given beside it. Parses back to an equal value.
    friend std::string to_string(const Cron& cron) { return detail::cron_text(cron.fields_); }

private:
    friend struct detail::CronReader;

    [[nodiscard]] constexpr detail::CronClockRules clock_rules() const noexcept {
        return {.move_out_of_gap = dst_ == Dst::vixie,
                .only_first = dst_ == Dst::skip || (dst_ == Dst::vixie && !fields_.wildcard)};
    }
    /// `after` in seconds since 1970.
    [[nodiscard]] constexpr std::optional<sys_time> next_after(std::int64_t after) const {
        using std::chrono::seconds;
        constexpr std::int64_t first = std::chrono::floor<seconds>(sys_time::min()).time_since_epoch().count();
        constexpr std::int64_t last = std::chrono::floor<seconds>(sys_time::max()).time_since_epoch().count();
        if (after >= last) { return std::nullopt; }
        const std::int64_t found = next_second(after < first ? first : after);
        if (found > last) { return std::nullopt; }
        return sys_time{seconds{found}};
    }

    /// `after` within the range of sys_time.
    [[nodiscard]] constexpr std::int64_t next_second(std::int64_t after) const {
        if (fields_.hashed) { return bound_to(std::uint64_t{0}).next_second(after); }
        if (zone_.is_utc()) { return detail::next_local(fields_, after); }
        return detail::next_in_zone(fields_, clock_rules(), *zone_.data_, after);
    }

    /// `before` in seconds since 1970.
    [[nodiscard]] constexpr std::optional<sys_time> previous_before(std::int64_t before) const {
        using std::chrono::seconds;
        constexpr std::int64_t first = std::chrono::ceil<seconds>(sys_time::min()).time_since_epoch().count();
        constexpr std::int64_t end = std::chrono::floor<seconds>(sys_time::max()).time_since_epoch().count() + 1;
        if (before <= first) { return std::nullopt; }
        const std::int64_t found = previous_second(before > end ? end : before);
        if (found < first) { return std::nullopt; }
        return sys_time{seconds{found}};
    }

    /// `before` within the range of sys_time.
    [[nodiscard]] constexpr std::int64_t previous_second(std::int64_t before) const {
        if (fields_.hashed) { return bound_to(std::uint64_t{0}).previous_second(before); }
        if (zone_.is_utc()) { return detail::previous_local(fields_, before); }
        return detail::previous_in_zone(fields_, clock_rules(), *zone_.data_, before);
    }

    detail::CronFields fields_ = {};
    TimeZone zone_ = {};
    Dst dst_ = Dst::vixie;
};

static_assert(std::is_trivially_copyable_v<Cron>);

namespace detail {

/// None of these is constexpr: in a constant expression the compiler has to stop at one of them, and prints its name.
[[noreturn]] inline void wrong_cron_expression(const CronMistake& mistake, std::string_view text) {
    throw CronError{mistake.column,
                    "expected " + std::string{mistake.expected} + ", got " + describe_cron_text(text, mistake.column)};
}
[[noreturn]] inline void wrong_cron_second_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}
[[noreturn]] inline void wrong_cron_minute_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}
[[noreturn]] inline void wrong_cron_hour_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}
[[noreturn]] inline void wrong_cron_day_of_month_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}
[[noreturn]] inline void wrong_cron_month_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}
[[noreturn]] inline void wrong_cron_day_of_week_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}
[[noreturn]] inline void wrong_cron_year_field(const CronMistake& mistake, std::string_view text) {
    wrong_cron_expression(mistake, text);
}

constexpr void report_cron_mistake(const CronMistake& mistake, std::string_view text) {
    switch (mistake.field) {
    case 0: wrong_cron_second_field(mistake, text);
    case 1: wrong_cron_minute_field(mistake, text);
    case 2: wrong_cron_hour_field(mistake, text);
    case 3: wrong_cron_day_of_month_field(mistake, text);
    case 4: wrong_cron_month_field(mistake, text);
    case 5: wrong_cron_day_of_week_field(mistake, text);
    case 6: wrong_cron_year_field(mistake, text);
    default: wrong_cron_expression(mistake, text);
    }
}

} // namespace detail

constexpr Cron::Cron(std::string_view text, TimeZone zone, CronOptions options) : zone_{zone}, dst_{options.dst} {
    fields_.both_days = options.days == DayMatch::both;
    const detail::CronMistake mistake = detail::CronParser{text, fields_}.parse();
    if (mistake.column != 0) { detail::report_cron_mistake(mistake, text); }
    if (fields_.hashed && options.hash_seed) { fields_ = detail::bind_hashes(fields_, *options.hash_seed); }
}

constexpr Cron Cron::bound_to(std::uint64_t seed) const noexcept {
    Cron result = *this;
    if (fields_.hashed) { result.fields_ = detail::bind_hashes(fields_, seed); }
    return result;
}

constexpr Cron Cron::bound_to(std::string_view name) const noexcept { return bound_to(detail::hash_of_name(name)); }

constexpr ClockChange Cron::clock_change_of(sys_time fire) const {
    if (zone_.is_utc()) { return ClockChange::none; }
    const std::int64_t at = std::chrono::floor<std::chrono::seconds>(fire).time_since_epoch().count();
    const detail::ZoneSpan span = zone_.span_near(at);
    const std::int64_t local = at + span.offset;
    if (span.before > span.offset && local < span.begin + span.before) { return ClockChange::second_of_two; }
    if (span.after < span.offset && local >= span.end + span.after) { return ClockChange::first_of_two; }
    // The instant after a gap may be a match by itself; else something was moved there.
    if (dst_ != Dst::vixie || at != span.begin || span.before >= span.offset) { return ClockChange::none; }
    const detail::CronFields bound = fields_.hashed ? detail::bind_hashes(fields_, 0) : fields_;
    return detail::next_local(bound, local - 1) == local ? ClockChange::none : ClockChange::after_gap;
}

namespace detail {

/// The expression and all that is given beside it: "30 2 * * * Europe/Berlin days both dst skip".
[[nodiscard]] inline std::string cron_with_options(const Cron& cron) {
    std::string text = to_string(cron);
    if (!cron.zone().is_utc()) { text += ' ' + std::string{cron.zone().name()}; }
    if (cron.days() == DayMatch::both) { text += " days both"; }
    if (cron.dst() != Dst::vixie) { text += cron.dst() == Dst::skip ? " dst skip" : " dst twice"; }
    return text;
}

} // namespace detail

/// A schedule by a cron expression in UTC.
///
/// 5 fields (minute, hour, day of month, month, day of week), 6 (a second before them) or 7 (a year after them), parted
/// by spaces or tabs; letters in either case.
///
/// | | |
/// |---|---|
/// | `*` `?` | every value; `?` in the day fields only |
/// | `a` `a-b` `a,b` | values, ranges, lists; `JAN-DEC`, `SUN-SAT`, Sunday is 0 or 7 |
/// | `FRI-MON` `22-2` | ranges go around the end of their field |
/// | `*/n` `a-b/n` `a/n` | every n-th value; the last form to the end of the field |
/// | `L` `L-n` `LW` `L-nW` `nW` | day of month: the last, n days before it, the workday nearest to a day |
/// | `nL` `n#k` | day of week: the last, and the k-th such day of the month |
/// | `H` `H(a-b)` `H/n` | a hash of the job's id decides, to spread load; in the day of month of 1-28 |
/// | `@yearly @annually @monthly @weekly @daily @midnight @hourly` | in place of the fields |
/// | `@every_minute @every_second` | the same |
///
/// An `H` in the year field is one of 1970-2199, and may fall into the past; `H(2030-2040)` does not.
///
/// In a constant expression a wrong text does not compile.
/// @throws CronError  The text is wrong; it names the column and what was expected there.
/// Complexity: O(length), about 100 ns; no memory is allocated.
[[nodiscard]] constexpr Cron cron(std::string_view text) { return Cron{text, TimeZone{}}; }

/// The same in UTC with options.
[[nodiscard]] constexpr Cron cron(std::string_view text, CronOptions options) {
    return Cron{text, TimeZone{}, options};
}

/// The same in a zone that is at hand.
[[nodiscard]] constexpr Cron cron(std::string_view text, TimeZone zone, CronOptions options = {}) {
    return Cron{text, zone, options};
}

/// The same in a zone by name, see TimeZone::find. `constexpr` where that is `UTC`.
/// @throws std::invalid_argument  There is no such zone.
[[nodiscard]] constexpr Cron cron(std::string_view text, std::string_view zone, CronOptions options = {}) {
    return Cron{text, zone == "UTC" ? TimeZone{} : TimeZone::find(zone), options};
}

inline namespace literals {

/// A schedule in UTC, checked by the compiler always: `"0 0 3 * * *"_cron`.
[[nodiscard]] consteval Cron operator""_cron(const char* text, std::size_t size) {
    return cron(std::string_view{text, size});
}

} // namespace literals

} // namespace daybook::inline v0

#endif
