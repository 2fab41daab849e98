// SPDX-License-Identifier: MIT
#include <daybook/schedule/cron.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

const std::vector<Case> out_of_range{
    {"60 * * * * *", "1 a second 0-59, got '60'"},
    {"60 * * * *", "1 a minute 0-59, got '60'"},
    {"* 24 * * *", "3 an hour 0-23, got '24'"},
    {"* * 0 * *", "5 a day of the month 1-31, got '0'"},
    {"* * 32 * *", "5 a day of the month 1-31, got '32'"},
    {"* * * 0 *", "7 a month 1-12 or JAN-DEC, got '0'"},
    {"* * * 13 *", "7 a month 1-12 or JAN-DEC, got '13'"},
    {"* * * * 8", "9 a day of the week 0-7 or SUN-SAT, got '8'"},
    {"* * * * * * 1969", "13 a year 1970-2199, got '1969'"},
    {"* * * * * * 2200", "13 a year 1970-2199, got '2200'"},
    {"* * * * * * 26", "13 a year 1970-2199, got '26'"},
    {"1,2,99 * * * *", "5 a minute 0-59, got '99'"},
    {"1-99 * * * *", "3 a minute 0-59, got '99'"},
    {"99999999999999999999999 * * * *", "1 a minute 0-59, got '99999999999999999999999'"},
    {"4294967297 * * * *", "1 a minute 0-59, got '4294967297'"},
    {"18446744073709551617 * * * *", "1 a minute 0-59, got '18446744073709551617'"},
    {"-1 * * * *", "1 a value before '-', got '-'"},
    {"+1 * * * *", "1 a minute 0-59, got '+'"},
};

const std::vector<Case> wrong_steps{
    {"*/0 * * * * *", "3 a step of 1-59 seconds, got '0'"},
    {"*/60 * * * * *", "3 a step of 1-59 seconds, got '60'"},
    {"*/0 * * * *", "3 a step of 1-59 minutes, got '0'"},
    {"*/60 * * * *", "3 a step of 1-59 minutes, got '60'"},
    {"*/256 * * * *", "3 a step of 1-59 minutes, got '256'"},
    {"5/0 * * * *", "3 a step of 1-59 minutes, got '0'"},
    {"5-10/99 * * * *", "6 a step of 1-59 minutes, got '99'"},
    {"* */24 * * *", "5 a step of 1-23 hours, got '24'"},
    {"* * */32 * *", "7 a step of 1-31 days, got '32'"},
    {"* * * */13 *", "9 a step of 1-12 months, got '13'"},
    {"* * * * */8", "11 a step of 1-7 days, got '8'"},
    {"* * * * * * */230", "15 a step of 1-229 years, got '230'"},
    {"*/ * * * *", "3 a step of 1-59 minutes, got the end of the field"},
    {"*/x * * * *", "3 a step of 1-59 minutes, got 'x'"},
    {"*/-1 * * * *", "3 a step of 1-59 minutes, got '-'"},
    {"*/* * * * *", "3 a step of 1-59 minutes, got '*'"},
    {"*/5/5 * * * *", "4 a comma or the end of the field, got '/'"},
    {"*/5-9 * * * *", "4 a comma or the end of the field, got '-'"},
    {"H/0 * * * *", "3 a step of 1-59 minutes, got '0'"},
    {"* * * * H/8", "11 a step of 1-7 days, got '8'"},
};

const std::vector<Case> missing_parts{
    {"", "1 a cron expression of 5, 6 or 7 fields, or a macro such as @daily, got the end"},
    {"  \t", "4 a cron expression of 5, 6 or 7 fields, or a macro such as @daily, got the end"},
    {"*", "2 an hour 0-23 next (an expression has 5, 6 or 7 fields), got the end"},
    {"* *", "4 a day of the month 1-31 next (an expression has 5, 6 or 7 fields), got the end"},
    {"* * *", "6 a month 1-12 or JAN-DEC next (an expression has 5, 6 or 7 fields), got the end"},
    {"* * * *", "8 a day of the week 0-7 or SUN-SAT next (an expression has 5, 6 or 7 fields), got the end"},
    {"* * * * * * * *", "15 the end of the text after 7 fields, got '*'"},
    {", * * * *", "1 a value before ',', got ','"},
    {"1, * * * *", "3 a value right after ',', got the end of the field"},
    {",1 * * * *", "1 a value before ',', got ','"},
    {"1,,2 * * * *", "3 a value before ',', got ','"},
    {"* * * * 1,", "11 a value right after ',', got the end"},
    {"1- * * * *", "3 a minute 0-59, got the end of the field"},
    {"-5 * * * *", "1 a value before '-', got '-'"},
    {"/5 * * * *", "1 '*' or a value before '/', got '/'"},
    {"1,/5 * * * *", "3 '*' or a value before '/', got '/'"},
};

const std::vector<Case> wrong_letters{
    {"MON * * * *", "1 a minute 0-59, got 'MON'"},
    {"* JAN * * *", "3 an hour 0-23, got 'JAN'"},
    {"* * MON * *", "5 a day of the month 1-31, got 'MON'"},
    {"* * * MON *", "7 a month 1-12 or JAN-DEC, got 'MON'"},
    {"* * * * JAN", "9 a day of the week 0-7 or SUN-SAT, got 'JAN'"},
    {"* * * JANUARY *", "7 a month by the three letters of JAN-DEC, got 'JANUARY'"},
    {"* * * JA *", "7 a month 1-12 or JAN-DEC, got 'JA'"},
    {"* * * * MONDAY", "9 a day of the week by the three letters of SUN-SAT, got 'MONDAY'"},
    {"* * * * FOOL", "9 a day of the week 0-7 or SUN-SAT, got 'FOOL'"},
    {"* * * * * * MON", "13 a year 1970-2199, got 'MON'"},
    {"L * * * *", "1 a minute 0-59, got 'L'"},
    {"* L * * *", "3 an hour 0-23, got 'L'"},
    {"* * * L *", "7 a month 1-12 or JAN-DEC, got 'L'"},
    {"* * * * L", "9 a day of the week before L, as in 5L or FRIL, got 'L'"},
    {"* * 5L * *", "6 a comma, '-', '/', W or the end of the day-of-month field, got 'L'"},
    {"* * 5#2 * *", "6 a comma, '-', '/', W or the end of the day-of-month field, got '#'"},
    {"* * * * 5W", "10 a comma, '-', '/', '#', L or the end of the day-of-week field, got 'W'"},
    {"* * W * *", "5 a day of the month 1-31, got 'W'"},
    {"* * LX * *", "5 a day of the month 1-31, L or LW, got 'LX'"},
    {"* * L5 * *", "6 '-', W, a comma or the end of the field after L, got '5'"},
    {"* * LW-2 * *", "7 a comma or the end of the field, got '-'"},
    {"* * L- * *", "7 1-30 days before the last day of the month, got the end of the field"},
    {"* * L-0 * *", "7 1-30 days before the last day of the month, got '0'"},
    {"* * L-31 * *", "7 1-30 days before the last day of the month, got '31'"},
    {"* * L/2 * *", "6 '-', W, a comma or the end of the field after L, got '/'"},
    {"* * 1-L * *", "7 a day of the month 1-31 after '-' (a range cannot end with L), got 'L'"},
    {"* * 15WW * *", "7 a comma, '-', '/', W or the end of the day-of-month field, got 'WW'"},
    {"* * 15W-20 * *", "8 a comma or the end of the field, got '-'"},
    {"* * 1-5W * *", "8 a single day of the month before W, not a range or '*', got 'W'"},
    {"* * * * 1-5L", "12 a single day of the week before L, not a range or '*', got 'L'"},
    {"* * * * 1-5#2", "12 a single day of the week before '#', not a range or '*', got '#'"},
    {"* * * * 5#0", "11 a week 1-5 after '#', got '0'"},
    {"* * * * 5#6", "11 a week 1-5 after '#', got '6'"},
    {"* * * * 5#", "11 a week 1-5 after '#', got the end"},
    {"* * * * 5#x", "11 a week 1-5 after '#', got 'x'"},
    {"* * * * *#2", "10 a single day of the week before '#', not a range or '*', got '#'"},
    {"* * * * FRI#2L", "14 a comma or the end of the field, got 'L'"},
    {"? * * * *", "1 '*' instead (a '?' stands in the day fields only), got '?'"},
    {"* ? * * *", "3 '*' instead (a '?' stands in the day fields only), got '?'"},
    {"* * * ? *", "7 '*' instead (a '?' stands in the day fields only), got '?'"},
    {"* * ?-5 * *", "6 a comma, '/' or the end of the field, got '-'"},
    {"** * * * *", "2 a comma, '/' or the end of the field, got '*'"},
    {"*5 * * * *", "2 a comma, '/' or the end of the field, got '5'"},
    {"*-5 * * * *", "2 a comma, '/' or the end of the field, got '-'"},
    {"5* * * * *", "2 a comma, '-', '/' or the end of the minute field, got '*'"},
    {"5x * * * * *", "2 a comma, '-', '/' or the end of the second field, got 'x'"},
    {"* 5h * * *", "4 a comma, '-', '/' or the end of the hour field, got 'h'"},
    {"* * * JAN# *", "10 a comma, '-', '/' or the end of the month field, got '#'"},
    {"* * * * * * 2026L", "17 a comma, '-', '/' or the end of the year field, got 'L'"},
    {"* * * * * * 2030-2020", "18 a year that is not before the first of the range, got '2020'"},
    {"* * * * FRI-L", "13 a day of the week after '-' (the last one of a month is written FRIL), got 'L'"},
    {"* * 15-L * *", "8 a day of the month 1-31 after '-' (a range cannot end with L), got 'L'"},
    {"* * 1-LX * *", "7 a day of the month 1-31, got 'LX'"},
    {"* * * * FRI-LX", "13 a day of the week 0-7 or SUN-SAT, got 'LX'"},
    {"* * * * FRIDAYL", "9 a day of the week by the three letters of SUN-SAT, got 'FRIDAYL'"},
    {"* * * * MON-FRIDAY", "13 a day of the week by the three letters of SUN-SAT, got 'FRIDAY'"},
    {"* * * SEPT *", "7 a month by the three letters of JAN-DEC, got 'SEPT'"},
    {"* * L-3x * *", "8 W, a comma or the end of the field after L and its number, got 'x'"},
    {"* * *W * *", "6 a single day of the month before W, not a range or '*', got 'W'"},
    {"* * * * MON-FRI#2", "16 a single day of the week before '#', not a range or '*', got '#'"},
    {"* * * * *L", "10 a single day of the week before L, not a range or '*', got 'L'"},
    {"* * * * MON - FRI", "13 no blank before or after '-', got '-'"},
    {"0 0 1 , 15 * *", "7 no blank before or after a comma, got ','"},
    {"* / 5 * * * *", "3 no blank before or after '/', got '/'"},
    {"* * - * *", "5 a value before '-', got '-'"},
    {"- * * * * * *", "1 a value before '-', got '-'"},
    {"* * * * * * -", "13 a value before '-', got '-'"},
    {"1\xE2\x80\x93"
     "5 * * * *",
     "2 a comma, '-', '/' or the end of the minute field, got the character U+2013, a dash that is not '-'"},
    {"1\xE2\x88\x92"
     "5 * * * *",
     "2 a comma, '-', '/' or the end of the minute field, got the character U+2212, a dash that is not '-'"},
    {"0\xC2\xA0"
     "0 * * * *",
     "2 a comma, '-', '/' or the end of the minute field, got the character U+00A0"},
    {"\xF0\x9F\x95\x90 * * * *", "1 a minute 0-59, got the character U+01F550"},
    {"\xE2\x80 * * * *", "1 a minute 0-59, got the byte 0xE2"},
    {"\x1B[31m * * * *", "1 a minute 0-59, got the byte 0x1B"},
    {"\x7F * * * *", "1 a minute 0-59, got the byte 0x7F"},
    {"TZ=UTC 0 0 * * *", "1 no time zone within the expression (it is given beside it), got 'TZ'"},
    {"CRON_TZ=UTC 0 0 * * *", "1 no time zone within the expression (it is given beside it), got 'CRON_TZ'"},
    {"0 0 1 1 * 2030", "11 a day of the week 0-7 or SUN-SAT (a year is the last of 7 fields), got '2030'"},
    {"1.5 * * * *", "2 a comma, '-', '/' or the end of the minute field, got '.'"},
    {"1-2-3 * * * *", "4 a comma, '/' or the end of the field, got '-'"},
    {"0x5 * * * *", "2 a comma, '-', '/' or the end of the minute field, got 'x5'"},
    {"5;6 * * * *", "2 a comma, '-', '/' or the end of the minute field, got ';'"},
    {"* * * * *\n", "10 a comma, '/' or the end of the field, got the byte 0x0A"},
    {"\xC3\xBC * * * *", "1 a minute 0-59, got the character U+00FC"},
    {std::string_view{"\0 * * * *", 9}, "1 a minute 0-59, got the byte 0x00"},
};

const std::vector<Case> wrong_hashes_and_macros{
    {"H,H * * * *", "3 no second H in one field, got 'H'"},
    {"HH * * * *", "1 a minute 0-59, got 'HH'"},
    {"H5 * * * *", "2 a comma, '(', '/' or the end of the field, got '5'"},
    {"H-5 * * * *", "2 a comma, '(', '/' or the end of the field, got '-'"},
    {"H( * * * *", "3 a minute 0-59, got the end of the field"},
    {"H() * * * *", "3 a minute 0-59, got ')'"},
    {"H(5) * * * *", "4 '-' and the end of the range of H, got ')'"},
    {"H(5-) * * * *", "5 a minute 0-59, got ')'"},
    {"H(5-60) * * * *", "5 a minute 0-59, got '60'"},
    {"H(5-9 * * * *", "6 ')' after the range of H, got the end of the field"},
    {"H(5-9)x * * * *", "7 a comma, '/' or the end of the field, got 'x'"},
    {"H/5x * * * *", "4 a comma or the end of the field, got 'x'"},
    {"* * * * * * H(2030-2020)", "20 a year that is not before the first of the range, got '2020'"},
    {"@", "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
          "@every_second, got '@'"},
    {"@reboot", "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
                "@every_second, got '@reboot'"},
    {"@dailyy", "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
                "@every_second, got '@dailyy'"},
    {"H(5-9)(1-2) * * * *", "7 a comma, '/' or the end of the field, got '('"},
    {"@every 5m", "1 a macro such as @hourly (an interval is no cron expression: every(5min), or the text 'every 5m'), "
                  "got '@every'"},
    {"@EVERY", "1 a macro such as @hourly (an interval is no cron expression: every(5min), or the text 'every 5m'), "
               "got '@EVERY'"},
    {"@daily\x1B[31m", "7 the end of the text after a macro, got the byte 0x1B"},
    {"@\n",
     "1 @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or @every_second, got '@'"},
    {"@daily *", "8 the end of the text after a macro, got '*'"},
};

void check(const std::vector<Case>& cases) {
    for (const auto& [text, expected] : cases) {
        INFO(text);
        CHECK(mistake(text) == expected);
    }
}

} // namespace

TEST_CASE("a wrong expression is an invalid argument with the column and what was expected there") {
    try {
        (void)daybook::cron("0 0 3 * * 61-62");
        FAIL("it was accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string{error.what()} == "column 11: expected a day of the week 0-7 or SUN-SAT, got '61'");
    }
}

TEST_CASE("a value out of its range names the range") { check(out_of_range); }

TEST_CASE("a step of 0 or beyond the range of its field is refused") { check(wrong_steps); }

TEST_CASE("an item or a field that is missing is named") { check(missing_parts); }

TEST_CASE("letters and signs where they mean nothing are refused") { check(wrong_letters); }

TEST_CASE("a wrong H or macro is refused") { check(wrong_hashes_and_macros); }

TEST_CASE("there are at least a hundred messages, each for one kind of mistake") {
    std::set<std::string> messages;
    std::set<std::string> expectations;
    for (const auto* const cases :
         {&out_of_range, &wrong_steps, &missing_parts, &wrong_letters, &wrong_hashes_and_macros}) {
        for (const Case& wrong : *cases) {
            const std::string message{wrong.mistake.substr(wrong.mistake.find(' ') + 1)};
            messages.insert(message);
            expectations.insert(message.substr(0, message.find(", got ")));
        }
    }
    INFO(messages.size() << " messages, " << expectations.size() << " different things expected");
    CHECK(messages.size() >= 100);
    CHECK(expectations.size() >= 60);
}

TEST_CASE("a message is short and plain, however long and strange the text is") {
    for (const std::string& text :
         {std::string(100'000, '7'), std::string(100'000, 'x'), "@" + std::string(100'000, 'x'),
          "0 0 * * " + std::string(100'000, 'M'), "* * * * *" + std::string(100'000, '*'), std::string{"@\x1B[31m\n"},
          std::string{"@daily\r\n"}, std::string{"\x1B]0;title\x07"}}) {
        const std::string message = mistake(text);
        CHECK_FALSE(message.empty());
        CHECK(message.size() < 300);
        CHECK(std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    }
    CHECK(mistake(std::string(41, '7') + " * * * *") == "1 a minute 0-59, got '" + std::string(40, '7') + "...'");
    CHECK(mistake(std::string(40, '7') + " * * * *") == "1 a minute 0-59, got '" + std::string(40, '7') + "'");
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
