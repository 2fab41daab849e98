// SPDX-License-Identifier: MIT
#include "schedule/cron_oracle.hpp"
#include "support/catch.hpp"

#include <daybook/schedule/schedule_text.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using daybook::any_of;
using daybook::at;
using daybook::Calendar;
using daybook::cron;
using daybook::every;
using daybook::parse_schedule;
using daybook::Schedule;
using daybook::sys_time;
using std::chrono::sys_days;

namespace {

const sys_time monday{sys_days{std::chrono::January / 1 / 2024}};

std::string mistake(std::string_view text) {
    try {
        (void)parse_schedule(text);
    } catch (const daybook::ScheduleError& error) { return error.what(); }
    return "";
}

struct EachHour {
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const {
        return std::chrono::floor<std::chrono::hours>(after) + 1h;
    }
};

} // namespace

TEST_CASE("a schedule is written so that a person can read it") {
    const auto night = Calendar{"Europe/Berlin"}.add(std::chrono::Sunday).add(std::chrono::December / 25);
    for (const auto& [schedule, text] : std::vector<std::pair<Schedule, std::string>>{
             {{}, "never"},
             {cron("0 9 * * MON-FRI", "Europe/Berlin"), "0 9 * * 1-5 Europe/Berlin"},
             {cron("30 2 * * *", "Europe/Berlin", {.days = daybook::DayMatch::both, .dst = daybook::Dst::skip}),
              "30 2 * * * Europe/Berlin days both dst skip"},
             {every(5min), "every 300s"},
             {every(1500ms).after_completion(), "every 1.5s after completion"},
             {at(monday), "at 2024-01-01T00:00:00.000000Z"},
             {at(daybook::steady_time{}), "at an instant of the steady clock"},
             {EachHour{}, "own schedule"},
             {every(1h).from(monday).until(monday + 24h).times(3),
              "every 3600s from 2024-01-01T00:00:00.000000Z until 2024-01-02T00:00:00.000000Z times 3"},
             {cron("0 9 * * *").jitter(30s, 7).except(night),
              "0 9 * * * jitter 30s seed 7 except SUN,--12-25[Europe/Berlin]"},
             {any_of(cron("0 9 * * *"), at(monday)), "0 9 * * * | at 2024-01-01T00:00:00.000000Z"},
             {any_of(cron("0 9 * * *"), at(monday)).times(2), "( 0 9 * * * | at 2024-01-01T00:00:00.000000Z ) times 2"},
         }) {
        CHECK(to_string(schedule) == text);
    }
}

TEST_CASE("what was written is read back as an equal schedule") {
    const auto holidays = Calendar{"Europe/Berlin"}.add(2026y / 12 / 24, 2026y / 12 / 31).add(std::chrono::Saturday);
    const Schedule both = any_of(cron("0 9 * * *"), every(1h).from(monday).times(7).until(monday + 48h));
    for (const Schedule& schedule : std::vector<Schedule>{
             {},
             cron("0 9 * * MON-FRI", "Europe/Berlin", {.days = daybook::DayMatch::both, .dst = daybook::Dst::twice}),
             cron("0 H(0-6) L-3W * FRIL", "+05:30"),
             cron("* * * * * * 2026/2", "GB"),
             every(1us),
             every(std::chrono::nanoseconds::max()),
             every(1234567ns).after_completion().from(monday),
             at(monday + 1us),
             cron("0 9 * * *").times(18'446'744'073'709'551'615U).jitter(1us),
             cron("0 9 * * *").jitter(1h, 0).except(holidays).except(Calendar{}),
             every(1h).from(monday).except(Calendar{cron("* * 12 * * *")}.add(std::chrono::Sunday)),
             cron("0 9 * * *").except(cron("* * 12 * * 1,3", "Europe/Berlin", {.dst = daybook::Dst::skip})),
             both,
             any_of(both, at(monday)).until(monday + 100h),
             any_of(any_of(both, at(monday)).except(holidays), cron("@hourly")),
         }) {
        const std::string text = to_string(schedule);
        INFO(text);
        CHECK(parse_schedule(text) == schedule);
        CHECK(to_string(parse_schedule(text)) == text);
    }
}

TEST_CASE("a person may write more freely") {
    for (const auto& [text, same] : std::vector<std::pair<std::string, Schedule>>{
             {"  every\t90m ", every(90min)},
             {"every 1h30m", every(90min)},
             {"every 0.5s", every(500ms)},
             {"every 1d2h3m4s5ms6us7ns", every(24h + 2h + 3min + 4s + 5ms + 6us + 7ns)},
             {"at 2024-01-01T01:00:00+01:00", at(monday)},
             {"@daily Europe/Berlin", cron("0 0 * * *", "Europe/Berlin")},
             {"0 9 * * mon-fri", cron("0 9 * * 1-5")},
             {"0 9 * * * UTC+2", cron("0 9 * * *", "+02:00")},
             {"0 9 * * * UTC", cron("0 9 * * *")},
             {"( ( every 1s ) )", every(1s)},
         }) {
        INFO(text);
        CHECK(parse_schedule(text) == same);
    }
}

TEST_CASE("a cron expression without a zone is in the one that is given") {
    const auto berlin = daybook::TimeZone::find("Europe/Berlin");
    CHECK(parse_schedule("0 9 * * *", berlin) == Schedule{cron("0 9 * * *", berlin)});
    CHECK(parse_schedule("0 9 * * * UTC", berlin) == Schedule{cron("0 9 * * *")});
}

TEST_CASE("a wrong text is refused with the column and what was expected there") {
    for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
             {"", "column 1: expected a schedule, such as '*/5 * * * *', 'every 30s' or 'at 2026-01-31T09:00:00Z', got "
                  "the end"},
             {"0 9 * * 9", "column 9: expected a day of the week 0-7 or SUN-SAT, got '9'"},
             {"own schedule", "column 1: expected a cron expression, 'every', 'at' or 'never', got 'own'"},
             {"every", "column 6: expected a duration such as 30s, 1h30m or 250ms, got the end"},
             {"every 5", "column 7: expected a duration such as 30s, 1h30m or 250ms, got '5'"},
             {"every 5parsecs", "column 7: expected a duration such as 30s, 1h30m or 250ms, got '5parsecs'"},
             {"every 1.s", "column 7: expected a duration such as 30s, 1h30m or 250ms, got '1.s'"},
             {"every 0s", "column 7: expected a period of at least 1us, got '0s'"},
             {"every -5s", "column 7: expected a duration such as 30s, 1h30m or 250ms, got '-5s'"},
             {"every 300y", "column 7: expected a duration such as 30s, 1h30m or 250ms, got '300y'"},
             {"every 99999999999999999999s", "column 7: expected a duration of at most 292 years, got "
                                             "'99999999999999999999s'"},
             {"every 5s after", "column 15: expected 'completion', got the end"},
             {"at noon", "column 4: expected an instant such as 2026-01-31T09:00:00Z, got 'noon'"},
             {"every 5s every 6s", "column 10: expected '|', a modifier such as 'until', or the end of the text, got "
                                   "'every'"},
             {"0 9 * * * Europe/Atlantis",
              "column 11: unknown time zone 'Europe/Atlantis': no such file in /usr/share/zoneinfo (is tzdata "
              "installed?)"},
             {"0 9 * * * days some", "column 16: expected 'both', got 'some'"},
             {"0 9 * * * dst maybe", "column 15: expected 'vixie', 'skip' or 'twice', got 'maybe'"},
             {"every 5s times 3 times 5", "column 18: expected no second 'times' for one schedule, got 'times'"},
             {"every 5s until 2024-01-01T00:00:00Z jitter 1s until 2025-01-01T00:00:00Z",
              "column 47: expected no second 'until' for one schedule, got 'until'"},
             {"every 5s except SUN[]", "column 21: expected the name of a zone, got ']'"},
             {"every 5s except {* * 12 * * *}SUN", "column 31: expected ',' or the end of the calendar, got 'SUN'"},
             {"every 5s times 0", "column 10: times: the count must be at least 1"},
             {"every 5s times x", "column 16: expected a whole number, got 'x'"},
             {"every 5s times 18446744073709551616", "column 16: expected a whole number, got '18446744073709551616'"},
             {"every 5s jitter", "column 16: expected a duration such as 30s, 1h30m or 250ms, got the end"},
             {"0 9 * * * until 2024-01-01T00:00:00Z from 2025-01-01T00:00:00Z",
              "column 38: from: it is later than until"},
             {"every 5s except FRY",
              "column 17: expected SUN-SAT, a date such as 2026-12-25 or --12-25, or two of them "
              "parted by '/', got 'FRY'"},
             {"every 5s except 2026-02-30", "column 17: Calendar::add: a date that does not exist"},
             {"every 5s except SAT[Mars]", "column 21: unknown time zone 'Mars': no such file in /usr/share/zoneinfo "
                                           "(is tzdata installed?)"},
             {"every 5s except {* * 12 * * 9}", "column 29: expected a day of the week 0-7 or SUN-SAT, got '9'"},
             {"every 5s except {* * 12", "column 17: expected '}' after the cron expression, got '{* * 12'"},
             {"every 5s except own",
              "column 17: expected SUN-SAT, a date such as 2026-12-25 or --12-25, or two of them "
              "parted by '/', got 'own'"},
             {"( every 5s", "column 11: expected ')', got the end"},
             {"every 5s )", "column 10: expected '|', a modifier such as 'until', or the end of the text, got ')'"},
             {"0 9 * * * |", "column 12: expected a cron expression, 'every', 'at' or 'never', got the end"},
             {"0 9 * * * | every 5s", "column 1: any_of: an interval needs from(t), to have a place on the wall clock"},
             {"( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( never", "column 33: expected fewer parentheses, got '('"},
         }) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

TEST_CASE("any random schedule is read back as an equal one") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    cron_oracle::Random random{seed};
    const auto instant = [&] { return monday + std::chrono::microseconds{random() % 1'000'000'000'000'000}; };
    const auto one = [&]() -> Schedule {
        Schedule schedule;
        const bool anchored = random() % 2 == 0;
        const auto expression = cron_oracle::random_expression(random);
        const std::vector<std::string> zones{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "-03:30"};
        switch (random() % 4) {
        case 0: schedule = cron(expression.text(), zones[random() % 4], expression.options); break;
        case 1: schedule = every(std::chrono::nanoseconds{1000 + random() % 10'000'000'000'000}).from(instant()); break;
        case 2: schedule = at(instant()); break;
        default: schedule = cron(expression.text(), expression.options); break;
        }
        if (anchored) { schedule = schedule.from(monday).times(1 + random() % 100); }
        if (random() % 3 == 0) { schedule = schedule.until(monday + 1'000'000'000s); }
        if (random() % 3 == 0) { schedule = schedule.except(Calendar{zones[random() % 4]}.add(std::chrono::Friday)); }
        return schedule;
    };
    for (int i = 0; i < 2000; ++i) {
        Schedule schedule = one();
        for (auto more = random() % 3; more != 0; --more) { schedule = any_of(schedule, one()); }
        if (random() % 2 == 0) { schedule = schedule.jitter(std::chrono::nanoseconds{random() % 100'000'000}); }
        const std::string text = to_string(schedule);
        if (!(parse_schedule(text) == schedule)) { FAIL_CHECK(text); }
    }
    SUCCEED();
}

TEST_CASE("any text is a schedule that comes back from its text, or a mistake with a column") {
    const std::vector<std::string_view> words{"0",
                                              "9",
                                              "*",
                                              "*/5",
                                              "every",
                                              "5s",
                                              "1h30m",
                                              "after",
                                              "completion",
                                              "at",
                                              "|",
                                              "(",
                                              ")",
                                              "from",
                                              "until",
                                              "times",
                                              "jitter",
                                              "seed",
                                              "except",
                                              "never",
                                              "SAT",
                                              "nothing",
                                              "{* * 12 * * *}",
                                              "{",
                                              "}",
                                              "2026-01-31T09:00:00Z",
                                              "UTC",
                                              "days",
                                              "both",
                                              "dst",
                                              "skip",
                                              "--12-25[GB]",
                                              "@daily",
                                              "H",
                                              "x",
                                              "2026-12-25/2026-12-31"};
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    int accepted = 0;
    for (int i = 0; i < 30'000; ++i) {
        std::string text = i % 3 == 0 ? "0 9 * * *" : i % 3 == 1 ? "every 5s" : "";
        for (auto size = random() % 7; size != 0; --size) { text += ' ' + std::string{words[random() % words.size()]}; }
        try {
            const Schedule schedule = parse_schedule(text);
            ++accepted;
            if (!(parse_schedule(to_string(schedule)) == schedule)) {
                FAIL_CHECK(text << " became " << to_string(schedule));
            }
        } catch (const daybook::ScheduleError& error) {
            if (error.column() < 1 || error.column() > text.size() + 1) { FAIL_CHECK(text << ": " << error.what()); }
        }
    }
    CHECK(accepted > 1000);
}
