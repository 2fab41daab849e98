// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULE_TEXT_HPP
#define DAYBOOK_DETAIL_SCHEDULE_TEXT_HPP

/// @file
/// A schedule as the text that parse_schedule reads.

#include <daybook/schedule/schedule.hpp>
#include <daybook/text/timestamp.hpp>

#include <chrono>
#include <string>

namespace daybook::inline v0::detail {

/// "300s", "0.25s".
[[nodiscard]] inline std::string seconds_text(std::chrono::nanoseconds period) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(period);
    std::string text = std::to_string(whole.count());
    if (const auto rest = (period - whole).count(); rest != 0) {
        std::string digits = std::to_string(rest);
        digits.insert(0, 9 - digits.size(), '0');
        digits.erase(digits.find_last_not_of('0') + 1);
        text += '.' + digits;
    }
    return text + 's';
}

[[nodiscard]] inline std::string limits_text(const ScheduleLimits& limits) {
    std::string text;
    if (limits.from) { text += " from " + format_timestamp(*limits.from); }
    if (limits.until) { text += " until " + format_timestamp(*limits.until); }
    if (limits.times) { text += " times " + std::to_string(*limits.times); }
    if (limits.jitter.count() != 0) {
        text += " jitter " + seconds_text(limits.jitter);
        if (limits.jitter_seed) { text += " seed " + std::to_string(*limits.jitter_seed); }
    }
    for (const Calendar& each : limits.except) { text += " except " + to_string(each); }
    return text;
}

[[nodiscard]] std::string schedule_text(const Schedule& schedule);

[[nodiscard]] inline std::string unlimited_text(const Schedule& schedule) {
    if (const Cron* cron = schedule.expression()) { return cron_with_options(*cron); }
    if (const Every* every = schedule.interval()) {
        return "every " + seconds_text(every->period()) + (every->is_after_completion() ? " after completion" : "");
    }
    if (const At* once = schedule.once()) {
        return once->wall() ? "at " + format_timestamp(*once->wall()) : "at an instant of the steady clock";
    }
    if (schedule.parts().empty()) { return schedule.is_never() ? "never" : "own schedule"; }
    std::string text;
    for (const Schedule& part : schedule.parts()) {
        if (!text.empty()) { text += " | "; }
        const bool is_bare_union = !part.parts().empty() && part.limits() == ScheduleLimits{};
        text += is_bare_union ? "( " + schedule_text(part) + " )" : schedule_text(part);
    }
    return text;
}
[[nodiscard]] inline std::string schedule_text(const Schedule& schedule) {
    const std::string limits = limits_text(schedule.limits());
    const std::string text = unlimited_text(schedule);
    return schedule.parts().empty() || limits.empty() ? text + limits : "( " + text + " )" + limits;
}

} // namespace daybook::inline v0::detail

#endif
