// SPDX-License-Identifier: MIT

/// @file
/// Any bytes as a cron expression. The first byte chooses day match, clock change rule and zone, the rest is the text.

#include "require.hpp"

#include <daybook/schedule/cron.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using daybook::Cron;
using daybook::CronError;
using daybook::CronOptions;
using daybook::DayMatch;
using daybook::Dst;
using daybook::sys_time;
using daybook::TimeZone;
using fuzz::require;
using std::chrono::microseconds;
using std::chrono::seconds;

struct Reading {
    TimeZone zone = {};
    CronOptions options = {};
};

Reading reading_of(unsigned choice) {
    static const std::array<TimeZone, 3> zones{TimeZone{}, TimeZone::find("Europe/Berlin"),
                                               TimeZone::find("Australia/Lord_Howe")};
    Reading reading;
    reading.options.days = choice % 2 == 0 ? DayMatch::vixie : DayMatch::both;
    reading.options.dst = static_cast<Dst>(choice / 2 % 3);
    reading.zone = zones[choice / 6 % 3];
    return reading;
}

/// Generic, so that a schedule without `previous` leaves it out.
template <class Schedule>
void check_previous(const Schedule& schedule, sys_time instant) {
    if constexpr (requires { schedule.previous(instant); }) {
        const auto found = schedule.previous(instant);
        require(!found || *found < instant, "previous(t) < t");
        if (found && *found > sys_time::min()) {
            require(schedule.next(*found - microseconds{1}) == found, "what previous finds, next finds from before it");
        }
        const auto next = schedule.next(instant);
        if (next && *next < sys_time::max()) {
            require(schedule.previous(*next + microseconds{1}) == next,
                    "what next finds, previous finds from after it");
        }
    }
}

void check_instant(const Cron& cron, sys_time instant, fuzz::Numbers& numbers) {
    const auto next = cron.next(instant);
    check_previous(cron, instant);
    if (!next) { return; }
    require(*next > instant, "next(t) > t");
    require(cron.matches(*next), "next is a match");
    const sys_time between{
        microseconds{numbers.between(instant.time_since_epoch().count(), next->time_since_epoch().count())}};
    require(cron.next(between) == next, "nothing lies between t and next(t)");
    (void)cron.clock_change_of(*next);
}

void check(const Cron& cron, fuzz::Numbers& numbers) {
    constexpr std::int64_t year = 31'556'952;
    for (int i = 0; i < 8; ++i) {
        const seconds anywhere{numbers.between(i < 6 ? 0 : -290'000 * year, i < 6 ? 130 * year : 290'000 * year)};
        sys_time instant{anywhere};
        check_instant(cron, instant, numbers);
        // The hours around the next change of the clocks are where the mistakes would be.
        const auto stretch = cron.zone().offset_at(std::chrono::floor<seconds>(instant));
        if (i < 6 && stretch.end != std::chrono::sys_seconds::max()) {
            check_instant(cron, stretch.end + seconds{numbers.between(-7200, 7200)}, numbers);
        }
    }
    for (const sys_time edge : {sys_time::min(), sys_time::min() + seconds{90'000}, sys_time::max() - seconds{90'000},
                                sys_time::max() - seconds{1}, sys_time::max()}) {
        check_instant(cron, edge, numbers);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) { return 0; }
    fuzz::Numbers numbers{data, size};
    const Reading reading = reading_of(data[0] >= 'A' ? data[0] - 'A' : data[0]);
    std::string text{data + 1, data + size};
    if (text.ends_with('\n')) { text.pop_back(); } // as every text file does
    try {
        const Cron cron{text, reading.zone, reading.options};
        const std::string written = to_string(cron);
        require(Cron{written, reading.zone, reading.options} == cron, "to_string parses back to an equal value");
        require(to_string(Cron{written, reading.zone, reading.options}) == written, "to_string is stable");
        check(cron, numbers);
        if (cron.needs_binding()) {
            const Cron bound = cron.bound_to(static_cast<std::uint64_t>(numbers.between(0, 1'000'000)));
            require(!bound.needs_binding(), "bound_to leaves no H");
            require(bound.bound_to("again") == bound, "a bound H stays as it is");
            require(Cron{to_string(bound), reading.zone, reading.options} == bound, "also what was bound parses back");
            check(bound, numbers);
        }
    } catch (const CronError& error) {
        require(error.column() >= 1 && error.column() <= text.size() + 1,
                "the column lies in the text, or one past it");
        require(std::string_view{error.what()}.find("expected ") != std::string_view::npos,
                "it says what was expected");
        require(std::string_view{error.what()}.size() < 300, "it is short, however long the text is");
        for (const char* at = error.what(); *at != '\0'; ++at) {
            require(*at >= ' ' && *at <= '~', "it holds nothing that a terminal would obey");
        }
    }
    return 0;
}
