// SPDX-License-Identifier: MIT
#include <daybook/schedule/cron.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

/// What is wrong with an expression, without the words "expected"; empty if nothing is.
std::string mistake(std::string_view text) {
    try {
        (void)daybook::cron(text);
    } catch (const daybook::CronError& error) {
        const std::string message = error.what();
        const std::string start = "column " + std::to_string(error.column()) + ": expected ";
        REQUIRE(message.substr(0, start.size()) == start);
        return std::to_string(error.column()) + " " + message.substr(start.size());
    }
    return "";
}

struct Case {
    std::string_view text;
    std::string_view mistake;
};

} // namespace

TEST_CASE("a wrong expression is an invalid argument with the column and what was expected there") {
    try {
        (void)daybook::cron("0 0 3 * * 61-62");
        FAIL("it was accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string{error.what()} == "column 11: expected a day of the week 0-7 or SUN-SAT, got '61'");
    }
}

TEST_CASE("a value out of its range names the range") {
    for (const auto& [text, expected] : {
             Case{"60 * * * * *", "1 a second 0-59, got '60'"},
             Case{"60 * * * *", "1 a minute 0-59, got '60'"},
             Case{"* 24 * * *", "3 an hour 0-23, got '24'"},
             Case{"* * 0 * *", "5 a day of the month 1-31, got '0'"},
             Case{"* * 32 * *", "5 a day of the month 1-31, got '32'"},
             Case{"* * * 0 *", "7 a month 1-12 or JAN-DEC, got '0'"},
             Case{"* * * 13 *", "7 a month 1-12 or JAN-DEC, got '13'"},
             Case{"* * * * 8", "9 a day of the week 0-7 or SUN-SAT, got '8'"},
             Case{"* * * * * * 1969", "13 a year 1970-2199, got '1969'"},
             Case{"* * * * * * 2200", "13 a year 1970-2199, got '2200'"},
             Case{"* * * * * * 26", "13 a year 1970-2199, got '26'"},
             Case{"1,2,99 * * * *", "5 a minute 0-59, got '99'"},
             Case{"1-99 * * * *", "3 a minute 0-59, got '99'"},
             Case{"99999999999999999999999 * * * *", "1 a minute 0-59, got '99999999999999999999999'"},
             Case{"4294967297 * * * *", "1 a minute 0-59, got '4294967297'"},
             Case{"18446744073709551617 * * * *", "1 a minute 0-59, got '18446744073709551617'"},
             Case{"-1 * * * *", "1 a minute 0-59, got '-'"},
             Case{"+1 * * * *", "1 a minute 0-59, got '+'"},
         }) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

TEST_CASE("a step of 0 or beyond the range of its field is refused") {
    for (const auto& [text, expected] : {
             Case{"*/0 * * * * *", "3 a step of 1-59 seconds, got '0'"},
             Case{"*/60 * * * * *", "3 a step of 1-59 seconds, got '60'"},
             Case{"*/0 * * * *", "3 a step of 1-59 minutes, got '0'"},
             Case{"*/60 * * * *", "3 a step of 1-59 minutes, got '60'"},
             Case{"*/256 * * * *", "3 a step of 1-59 minutes, got '256'"},
             Case{"5/0 * * * *", "3 a step of 1-59 minutes, got '0'"},
             Case{"5-10/99 * * * *", "6 a step of 1-59 minutes, got '99'"},
             Case{"* */24 * * *", "5 a step of 1-23 hours, got '24'"},
             Case{"* * */32 * *", "7 a step of 1-31 days, got '32'"},
             Case{"* * * */13 *", "9 a step of 1-12 months, got '13'"},
             Case{"* * * * */8", "11 a step of 1-7 days, got '8'"},
             Case{"* * * * * * */230", "15 a step of 1-229 years, got '230'"},
             Case{"*/ * * * *", "3 a step of 1-59 minutes, got the end of the field"},
             Case{"*/x * * * *", "3 a step of 1-59 minutes, got 'x'"},
             Case{"*/-1 * * * *", "3 a step of 1-59 minutes, got '-'"},
             Case{"*/* * * * *", "3 a step of 1-59 minutes, got '*'"},
             Case{"*/5/5 * * * *", "4 a comma or the end of the field, got '/'"},
             Case{"*/5-9 * * * *", "4 a comma or the end of the field, got '-'"},
             Case{"H/0 * * * *", "3 a step of 1-59 minutes, got '0'"},
             Case{"* * * * H/8", "11 a step of 1-7 days, got '8'"},
         }) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

TEST_CASE("an item or a field that is missing is named") {
    for (const auto& [text, expected] : {
             Case{"", "1 a cron expression of 5, 6 or 7 fields, or a macro such as @daily, got the end"},
             Case{"  \t", "4 a cron expression of 5, 6 or 7 fields, or a macro such as @daily, got the end"},
             Case{"*", "2 an hour 0-23 next (an expression has 5, 6 or 7 fields), got the end"},
             Case{"* *", "4 a day of the month 1-31 next (an expression has 5, 6 or 7 fields), got the end"},
             Case{"* * *", "6 a month 1-12 or JAN-DEC next (an expression has 5, 6 or 7 fields), got the end"},
             Case{"* * * *",
                  "8 a day of the week 0-7 or SUN-SAT next (an expression has 5, 6 or 7 fields), got the end"},
             Case{"* * * * * * * *", "15 the end of the text after 7 fields, got '*'"},
             Case{", * * * *", "1 a minute 0-59, got ','"},
             Case{"1, * * * *", "3 a minute 0-59, got the end of the field"},
             Case{",1 * * * *", "1 a minute 0-59, got ','"},
             Case{"1,,2 * * * *", "3 a minute 0-59, got ','"},
             Case{"* * * * 1,", "11 a day of the week 0-7 or SUN-SAT, got the end"},
             Case{"1- * * * *", "3 a minute 0-59, got the end of the field"},
             Case{"-5 * * * *", "1 a minute 0-59, got '-'"},
             Case{"/5 * * * *", "1 a minute 0-59, got '/'"},
             Case{"1,/5 * * * *", "3 a minute 0-59, got '/'"},
         }) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

TEST_CASE("letters and signs where they mean nothing are refused") {
    for (const auto& [text, expected] : {
             Case{"MON * * * *", "1 a minute 0-59, got 'MON'"},
             Case{"* JAN * * *", "3 an hour 0-23, got 'JAN'"},
             Case{"* * MON * *", "5 a day of the month 1-31, got 'MON'"},
             Case{"* * * MON *", "7 a month 1-12 or JAN-DEC, got 'MON'"},
             Case{"* * * * JAN", "9 a day of the week 0-7 or SUN-SAT, got 'JAN'"},
             Case{"* * * JANUARY *", "7 a month 1-12 or JAN-DEC, got 'JANUARY'"},
             Case{"* * * JA *", "7 a month 1-12 or JAN-DEC, got 'JA'"},
             Case{"* * * * MONDAY", "9 a day of the week 0-7 or SUN-SAT, got 'MONDAY'"},
             Case{"* * * * FOOL", "9 a day of the week 0-7 or SUN-SAT, got 'FOOL'"},
             Case{"* * * * * * MON", "13 a year 1970-2199, got 'MON'"},
             Case{"L * * * *", "1 a minute 0-59, got 'L'"},
             Case{"* L * * *", "3 an hour 0-23, got 'L'"},
             Case{"* * * L *", "7 a month 1-12 or JAN-DEC, got 'L'"},
             Case{"* * * * L", "9 a day of the week before L, as in 5L or FRIL, got 'L'"},
             Case{"* * 5L * *", "6 a comma, '-', '/', W or the end of the day-of-month field, got 'L'"},
             Case{"* * 5#2 * *", "6 a comma, '-', '/', W or the end of the day-of-month field, got '#'"},
             Case{"* * * * 5W", "10 a comma, '-', '/', '#', L or the end of the day-of-week field, got 'W'"},
             Case{"* * W * *", "5 a day of the month 1-31, got 'W'"},
             Case{"* * LX * *", "5 a day of the month 1-31, L or LW, got 'LX'"},
             Case{"* * L5 * *", "6 a comma or the end of the field, got '5'"},
             Case{"* * LW-2 * *", "7 a comma or the end of the field, got '-'"},
             Case{"* * L- * *", "7 1-30 days before the last day of the month, got the end of the field"},
             Case{"* * L-0 * *", "7 1-30 days before the last day of the month, got '0'"},
             Case{"* * L-31 * *", "7 1-30 days before the last day of the month, got '31'"},
             Case{"* * L/2 * *", "6 a comma or the end of the field, got '/'"},
             Case{"* * 1-L * *", "7 a day of the month 1-31, got 'L'"},
             Case{"* * 15WW * *", "7 a comma, '-', '/', W or the end of the day-of-month field, got 'WW'"},
             Case{"* * 15W-20 * *", "8 a comma or the end of the field, got '-'"},
             Case{"* * 1-5W * *", "8 a comma, '/' or the end of the field, got 'W'"},
             Case{"* * * * 1-5L", "12 a comma, '/' or the end of the field, got 'L'"},
             Case{"* * * * 1-5#2", "12 a comma, '/' or the end of the field, got '#'"},
             Case{"* * * * 5#0", "11 a week 1-5 after '#', got '0'"},
             Case{"* * * * 5#6", "11 a week 1-5 after '#', got '6'"},
             Case{"* * * * 5#", "11 a week 1-5 after '#', got the end"},
             Case{"* * * * 5#x", "11 a week 1-5 after '#', got 'x'"},
             Case{"* * * * *#2", "10 a comma, '/' or the end of the field, got '#'"},
             Case{"* * * * FRI#2L", "14 a comma or the end of the field, got 'L'"},
             Case{"? * * * *", "1 a minute 0-59, got '?'"},
             Case{"* ? * * *", "3 an hour 0-23, got '?'"},
             Case{"* * * ? *", "7 a month 1-12 or JAN-DEC, got '?'"},
             Case{"* * ?-5 * *", "6 a comma, '/' or the end of the field, got '-'"},
             Case{"** * * * *", "2 a comma, '/' or the end of the field, got '*'"},
             Case{"*5 * * * *", "2 a comma, '/' or the end of the field, got '5'"},
             Case{"*-5 * * * *", "2 a comma, '/' or the end of the field, got '-'"},
             Case{"5* * * * *", "2 a comma, '-', '/' or the end of the minute field, got '*'"},
             Case{"5x * * * * *", "2 a comma, '-', '/' or the end of the second field, got 'x'"},
             Case{"* 5h * * *", "4 a comma, '-', '/' or the end of the hour field, got 'h'"},
             Case{"* * * JAN# *", "10 a comma, '-', '/' or the end of the month field, got '#'"},
             Case{"* * * * * * 2026L", "17 a comma, '-', '/' or the end of the year field, got 'L'"},
             Case{"* * * * * * 2030-2020", "18 a year that is not before the first of the range, got '2020'"},
             Case{"1.5 * * * *", "2 a comma, '-', '/' or the end of the minute field, got '.'"},
             Case{"1-2-3 * * * *", "4 a comma, '/' or the end of the field, got '-'"},
             Case{"0x5 * * * *", "2 a comma, '-', '/' or the end of the minute field, got 'x5'"},
             Case{"5;6 * * * *", "2 a comma, '-', '/' or the end of the minute field, got ';'"},
             Case{"* * * * *\n", "10 a comma, '/' or the end of the field, got the byte 0x0a"},
             Case{"\xC3\xBC * * * *", "1 a minute 0-59, got the byte 0xc3"},
             Case{std::string_view{"\0 * * * *", 9}, "1 a minute 0-59, got the byte 0x00"},
         }) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

TEST_CASE("a wrong H or macro is refused") {
    for (const auto& [text, expected] : {
             Case{"H,H * * * *", "3 no second H in one field, got 'H'"},
             Case{"HH * * * *", "1 a minute 0-59, got 'HH'"},
             Case{"H5 * * * *", "2 a comma, '(', '/' or the end of the field, got '5'"},
             Case{"H-5 * * * *", "2 a comma, '(', '/' or the end of the field, got '-'"},
             Case{"H( * * * *", "3 a minute 0-59, got the end of the field"},
             Case{"H() * * * *", "3 a minute 0-59, got ')'"},
             Case{"H(5) * * * *", "4 '-' and the end of the range of H, got ')'"},
             Case{"H(5-) * * * *", "5 a minute 0-59, got ')'"},
             Case{"H(5-60) * * * *", "5 a minute 0-59, got '60'"},
             Case{"H(5-9 * * * *", "6 ')' after the range of H, got the end of the field"},
             Case{"H(5-9)x * * * *", "7 a comma, '(', '/' or the end of the field, got 'x'"},
             Case{"H/5x * * * *", "4 a comma or the end of the field, got 'x'"},
             Case{"* * * * * * H(2030-2020)", "20 a year that is not before the first of the range, got '2020'"},
             Case{"@", "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
                       "@every_second, got '@'"},
             Case{"@reboot", "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
                             "@every_second, got '@reboot'"},
             Case{"@dailyy", "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
                             "@every_second, got '@dailyy'"},
             Case{"@daily *", "8 the end of the text after a macro, got '*'"},
         }) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

TEST_CASE("any text is either a schedule that comes back from its text, or a mistake with a column") {
    constexpr std::string_view letters = "0123456789*,-/?LWH#@ \t()SUNMOJAFRIx";
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    int accepted = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = i % 2 == 0 ? "" : "*/5 1-9,H(3-8)/2 L-3W,15 JAN-3 FRIL,1#2";
        if (text.empty()) {
            for (auto size = random() % 16; size != 0; --size) { text += letters[random() % letters.size()]; }
        } else {
            for (auto edits = random() % 3 + 1; edits != 0; --edits) {
                text[random() % text.size()] = letters[random() % letters.size()];
            }
        }
        try {
            const auto schedule = daybook::cron(text);
            ++accepted;
            if (daybook::cron(to_string(schedule)) != schedule) {
                FAIL_CHECK(text << " became " << to_string(schedule));
            }
            const auto after = daybook::sys_time{std::chrono::seconds{random() % 4'000'000'000U}};
            if (const auto next = schedule.next(after); next && *next <= after) {
                FAIL_CHECK(text << " runs backwards");
            }
        } catch (const daybook::CronError& error) {
            if (error.column() < 1 || error.column() > text.size() + 1) { FAIL_CHECK(text << ": " << error.what()); }
        }
    }
    CHECK(accepted > 100);
}
