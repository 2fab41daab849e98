// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_DESCRIBE_HPP
#define DAYBOOK_SCHEDULE_DESCRIBE_HPP

/// @file
/// Schedules as a person says them: "every 5 minutes on weekdays, Europe/Berlin".

#include <daybook/detail/calendar_words.hpp>
#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_words.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/schedule/at.hpp>
#include <daybook/schedule/cron.hpp>
#include <daybook/schedule/every.hpp>
#include <daybook/schedule/schedule.hpp>

#include <string>
#include <string_view>

namespace daybook::inline v0 {

namespace detail {

/// What Cron shows to those who put it into words.
struct CronReader {
    [[nodiscard]] static constexpr const CronFields& fields(const Cron& cron) noexcept { return cron.fields_; }
};

} // namespace detail

/// A cron schedule in English: "every 5 minutes from 09:00 to 17:55 on weekdays, Europe/Berlin", "every year on 25
/// December at 18:30, UTC", "at 09:00 on day 13 of the month or on Friday, UTC"; "never (no such day)" where it is due
/// on no day at all.
///
/// It begins in lower case and ends without a full stop, so that it fits into a sentence or a table. Hours are those of
/// the 24-hour clock, limits are included ("from 09:00 to 17:55" runs at 17:55), a workday is one from Monday to
/// Friday. The same words mean the same instants, whatever the expression looked like. An `H` that nobody has bound is
/// "a minute chosen by the job's id". The zone ends the sentence; UTC only does where hours or days matter. What
/// happens when the clocks change (Dst) is left out.
///
/// Complexity: some microseconds; it allocates.
[[nodiscard]] inline std::string describe(const Cron& cron) {
    const TimeZone zone = cron.zone();
    return detail::cron_words(detail::CronReader::fields(cron), zone.is_utc() ? std::string_view{} : zone.name());
}

/// An interval in English, exact to the nanosecond: "every 5 minutes", "every 1.5 seconds", "every 2 hours and 30
/// minutes", "5 minutes after each run has ended". Up to 48 hours it is told in hours, from there on in days.
[[nodiscard]] inline std::string describe(const Every& every) {
    return every.is_after_completion() ? detail::duration_words(every.period()) + " after each run has ended"
                                       : detail::interval_words(every.period());
}

/// A single instant in English: "once at 2026-01-31 09:00:00 UTC", with microseconds where there are some. An instant
/// of the steady clock has no date: "once, at an instant of the steady clock".
[[nodiscard]] inline std::string describe(const At& at) {
    const auto instant = at.wall();
    return instant ? "once at " + detail::instant_words(*instant) : "once, at an instant of the steady clock";
}

/// When a calendar rests, in English: "on Saturdays, Sundays, 25 December and 2026-12-27 to 2027-01-02
/// (Europe/Berlin)"; where there are more than four single days and ranges, their days are counted: "on Sundays and 31
/// other days". A cron expression is told as it is written, and a function as "when the program says so".
[[nodiscard]] inline std::string describe(const Calendar& calendar) { return detail::calendar_words(calendar); }

/// Any schedule in English, with all that narrows it: "every 5 minutes on weekdays, Europe/Berlin; until 2026-12-31
/// 00:00:00 UTC; except on 25 December; each up to 30 seconds later". A union is told part by part: "every day at
/// 09:00, UTC, or at 12:00 on Saturday, UTC". What cannot be told is named: "a schedule of the program's own", and
/// "only when it is triggered" for never.
[[nodiscard]] inline std::string describe(const Schedule& schedule) {
    std::string text;
    if (const Cron* cron = schedule.expression()) {
        text = describe(*cron);
    } else if (const Every* every = schedule.interval()) {
        text = describe(*every);
    } else if (const At* once = schedule.once()) {
        text = describe(*once);
    } else if (schedule.is_never()) {
        text = "only when it is triggered";
    } else if (schedule.parts().empty()) {
        text = "a schedule of the program's own";
    }
    for (const Schedule& part : schedule.parts()) {
        const std::string words = describe(part);
        const bool has_pauses = words.find(';') != std::string::npos;
        text += (text.empty() ? "" : ", or ") + (has_pauses ? '(' + words + ')' : words);
    }
    const ScheduleLimits& limits = schedule.limits();
    if (limits.from) { text += "; from " + detail::instant_words(*limits.from); }
    if (limits.until) { text += "; until " + detail::instant_words(*limits.until); }
    if (limits.times) { text += *limits.times == 1 ? "; once" : "; " + std::to_string(*limits.times) + " times"; }
    for (const Calendar& each : limits.except) { text += "; except " + describe(each); }
    if (limits.jitter.count() != 0) { text += "; each up to " + detail::duration_words(limits.jitter) + " later"; }
    return text;
}

} // namespace daybook::inline v0

#endif
