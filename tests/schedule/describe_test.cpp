// SPDX-License-Identifier: MIT
#include "schedule/cron_oracle.hpp"
#include "support/catch.hpp"

#include <daybook/schedule/describe.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using cron_oracle::Random;
using daybook::at;
using daybook::Cron;
using daybook::CronOptions;
using daybook::describe;
using daybook::every;
using daybook::steady_time;
using daybook::sys_time;
using daybook::detail::duration_words;
using daybook::detail::instant_words;
using std::chrono::sys_days;

struct Row {
    const char* expression;
    const char* words;
};

void check(const std::vector<Row>& rows, const CronOptions& options = {}) {
    for (const Row& row : rows) {
        INFO(row.expression);
        CHECK(describe(daybook::cron(row.expression, options)) == row.words);
    }
}

} // namespace

TEST_CASE("the plainest schedules are said in the fewest words") {
    check({
        {"* * * * * *", "every second"},
        {"@every_second", "every second"},
        {"* * * * *", "every minute"},
        {"@every_minute", "every minute"},
        {"0 * * * *", "every hour"},
        {"@hourly", "every hour"},
        {"@daily", "every day at 00:00, UTC"},
        {"@midnight", "every day at 00:00, UTC"},
        {"@weekly", "at 00:00 on Sunday, UTC"},
        {"@monthly", "at 00:00 on day 1 of the month, UTC"},
        {"@yearly", "every year on 1 January at 00:00, UTC"},
        {"@annually", "every year on 1 January at 00:00, UTC"},
    });
}

TEST_CASE("a step that divides the hour is a distance, one that does not is a list") {
    check({
        {"*/2 * * * *", "every 2 minutes"},
        {"*/5 * * * *", "every 5 minutes"},
        {"*/15 * * * *", "every 15 minutes"},
        {"*/20 * * * *", "every 20 minutes"},
        {"*/30 * * * *", "every 30 minutes"},
        {"0,30 * * * *", "every 30 minutes"},
        {"0-59/10 * * * *", "every 10 minutes"},
        {"*/7 * * * *", "every hour at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56"},
        {"*/25 * * * *", "every hour at minutes 0, 25 and 50"},
        {"*/40 * * * *", "every hour at minutes 0 and 40"},
        {"2/5 * * * *", "every 5 minutes starting at minute 2"},
        {"15,45 * * * *", "every hour at minutes 15 and 45"},
        {"5-59/15 * * * *", "every hour at minutes 5, 20, 35 and 50"},
        {"1-59/2 * * * *", "every 2 minutes starting at minute 1"},
        {"6/3 * * * *", "every hour at every 3rd minute from 6 to 57"},
        {"5-31/2 * * * *", "every hour at odd minutes from 5 to 31"},
        {"0-29 * * * *", "every hour at minutes 0 to 29"},
        {"1-3,7,8,50-52 * * * *", "every hour at minutes 1 to 3, 7, 8 and 50 to 52"},
        {"15 * * * *", "every hour at minute 15"},
    });
}

TEST_CASE("seconds are said where there are any") {
    check({
        {"*/30 * * * * *", "every 30 seconds"},
        {"*/10 * * * * *", "every 10 seconds"},
        {"3/5 * * * * *", "every 5 seconds starting at second 3"},
        {"15,45 * * * * *", "every minute at seconds 15 and 45"},
        {"*/7 * * * * *", "every minute at seconds 0, 7, 14, 21, 28, 35, 42, 49 and 56"},
        {"15 * * * * *", "every minute at second 15"},
        {"15 */5 * * * *", "every 5 minutes at second 15"},
        {"15 2/5 * * * *", "every 5 minutes starting at minute 2, at second 15"},
        {"30 0 * * * *", "every hour at minute 0 and second 30"},
        {"30 15 * * * *", "every hour at minute 15 and second 30"},
        {"30 15 */2 * * *", "every 2 hours at minute 15 and second 30, UTC"},
        {"30 */7 * * * *", "every hour at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56, at second 30"},
        {"15 0 9 * * *", "every day at 09:00:15, UTC"},
        {"15,30 0 9 * * *", "every day at 09:00:15 and 09:00:30, UTC"},
        {"15 */5 9-17 * * *", "every 5 minutes from 09:00:15 to 17:55:15, UTC"},
        {"* 0 9 * * *", "every second from 09:00:00 to 09:00:59, UTC"},
        {"* 0-29 9 * * *", "every second from 09:00:00 to 09:29:59, UTC"},
        {"*/30 * 9-17 * * *", "every 30 seconds from 09:00:00 to 17:59:30, UTC"},
        {"15,45 * 9-17 * * *", "every 30 seconds from 09:00:15 to 17:59:45, UTC"},
        {"0-10 0 9 * * *", "every second from 09:00:00 to 09:00:10, UTC"},
        {"* 0 * * * *", "every second during minute 0 of every hour"},
        {"* */5 * * * *", "every second during every 5th minute from 0 to 55 of every hour"},
        {"*/10 0 1,5,7,9,20 * * *", "every 10 seconds during minute 0 of the hours 1, 5, 7, 9 and 20, UTC"},
        {"0,7,14 * 9-17 * * *", "every minute from 09:00 to 17:59, at seconds 0, 7 and 14, UTC"},
        {"0,7,14 0 * * * *", "every hour at minute 0, at seconds 0, 7 and 14"},
        {"0,7,14 0 */2 * * 1-5", "every 2 hours at minute 0, at seconds 0, 7 and 14, on weekdays, UTC"},
        {"1,2,5,9 0 9,12 * * *", "every day at 09:00 and 12:00, at seconds 1, 2, 5 and 9, UTC"},
    });
}

TEST_CASE("a few times of the day are listed") {
    check({
        {"0 9 * * *", "every day at 09:00, UTC"},
        {"30 12 * * *", "every day at 12:30, UTC"},
        {"0 0,12 * * *", "every day at 00:00 and 12:00, UTC"},
        {"0 */12 * * *", "every day at 00:00 and 12:00, UTC"},
        {"0 */8 * * *", "every day at 00:00, 08:00 and 16:00, UTC"},
        {"0 9-11 * * *", "every day at 09:00, 10:00 and 11:00, UTC"},
        {"0,30 9 * * *", "every day at 09:00 and 09:30, UTC"},
        {"0,30 9,12,18 * * *", "every day at 09:00, 09:30, 12:00, 12:30, 18:00 and 18:30, UTC"},
        {"15 3,9,15,21 * * *", "every day at 03:15, 09:15, 15:15 and 21:15, UTC"},
        {"5,10,20 9 * * *", "every day at 09:05, 09:10 and 09:20, UTC"},
        {"5,10,20,40 9 * * *", "every day at 09:05, 09:10, 09:20 and 09:40, UTC"},
    });
}

TEST_CASE("hours are a distance, a span of the day or a list") {
    check({
        {"0 */2 * * *", "every 2 hours, UTC"},
        {"0 */6 * * *", "every 6 hours, UTC"},
        {"30 */2 * * *", "every 2 hours at minute 30, UTC"},
        {"0 1-23/2 * * *", "every 2 hours from 01:00 to 23:00, UTC"},
        {"0 */5 * * *", "every day at 00:00, 05:00, 10:00, 15:00 and 20:00, UTC"},
        {"0 9-17 * * *", "every hour from 09:00 to 17:00, UTC"},
        {"15 9-17 * * *", "every hour from 09:15 to 17:15, UTC"},
        {"15 8-20/2 * * *", "every 2 hours from 08:15 to 20:15, UTC"},
        {"* 9 * * *", "every minute from 09:00 to 09:59, UTC"},
        {"* 9-17 * * *", "every minute from 09:00 to 17:59, UTC"},
        {"*/5 9-17 * * *", "every 5 minutes from 09:00 to 17:55, UTC"},
        {"*/15 9 * * *", "every 15 minutes from 09:00 to 09:45, UTC"},
        {"*/30 9-11 * * *", "every 30 minutes from 09:00 to 11:30, UTC"},
        {"2/5 9-17 * * *", "every 5 minutes from 09:02 to 17:57, UTC"},
        {"*/5 9-11,14-16 * * *", "every 5 minutes from 09:00 to 11:55 and from 14:00 to 16:55, UTC"},
        {"0-29 9 * * *", "every minute from 09:00 to 09:29, UTC"},
        {"5-59/2 9 * * *", "every 2 minutes from 09:05 to 09:59, UTC"},
        {"* */2 * * *", "every minute during the even hours, UTC"},
        {"* 1,5,7,9 * * *", "every minute during the hours 1, 5, 7 and 9, UTC"},
        {"*/10 1-13/2 * * *", "every 10 minutes during the odd hours from 1 to 13, UTC"},
        {"0-29 9-17 * * *", "every day at minutes 0 to 29 of the hours 9 to 17, UTC"},
        {"5,20 9-17 * * *", "every day at minutes 5 and 20 of the hours 9 to 17, UTC"},
        {"0,10 1,5,7,9 * * *", "every day at minutes 0 and 10 of the hours 1, 5, 7 and 9, UTC"},
        {"0 9-12,14-18 * * *", "every hour from 09:00 to 12:00 and from 14:00 to 18:00, UTC"},
        {"0 7,9-12,14-18 * * 1-5", "every hour from 09:00 to 12:00 and from 14:00 to 18:00, and at 07:00, on weekdays, "
                                   "UTC"},
        {"0 1,3,4,8,9,11,13 * * *", "every day at minute 0 of the hours 1, 3, 4, 8, 9, 11 and 13, UTC"},
    });
}

TEST_CASE("hours go on after midnight only where the next day is one of the schedule's, too") {
    check({
        {"* 22-2 * * *", "every minute from 22:00 to 02:59, UTC"},
        {"0 22-2 * * *", "every hour from 22:00 to 02:00, UTC"},
        {"* 22-2 * * 1-5", "every minute from 00:00 to 02:59 and from 22:00 to 23:59 on weekdays, UTC"},
        {"0 22-2 * * 1-5", "at 00:00, 01:00, 02:00, 22:00 and 23:00 on weekdays, UTC"},
        {"* 22-2 * 1 *", "every minute from 00:00 to 02:59 and from 22:00 to 23:59 in January, UTC"},
    });
}

TEST_CASE("days of the week have their names") {
    check({
        {"*/5 * * * 1-5", "every 5 minutes on weekdays, UTC"},
        {"0 9 * * MON-FRI", "at 09:00 on weekdays, UTC"},
        {"0 9 * * 0,6", "at 09:00 on weekends, UTC"},
        {"0 9 * * SAT-SUN", "at 09:00 on weekends, UTC"},
        {"0 9 * * 5", "at 09:00 on Friday, UTC"},
        {"0 9 * * 7", "at 09:00 on Sunday, UTC"},
        {"0 9 * * 1,3,5", "at 09:00 on Monday, Wednesday and Friday, UTC"},
        {"0 9 * * TUE-THU", "at 09:00 on Tuesday to Thursday, UTC"},
        {"0 9 * * FRI-MON", "at 09:00 on Friday to Monday, UTC"},
        {"0 9 * * 1-6", "at 09:00 on Monday to Saturday, UTC"},
        {"0 9 * * 0,1", "at 09:00 on Sunday and Monday, UTC"},
        {"0 9 * * 1-3,5", "at 09:00 on Monday to Wednesday and Friday, UTC"},
        {"0 9 * * 0-6", "every day at 09:00, UTC"},
        {"0 9 ? * 1-5", "at 09:00 on weekdays, UTC"},
        {"0 9 * * 5L", "at 09:00 on the last Friday of the month, UTC"},
        {"0 9 * * 1#2", "at 09:00 on the second Monday of the month, UTC"},
        {"0 9 * * 1#1,1#3", "at 09:00 on the first and third Monday of the month, UTC"},
        {"0 9 * * 1#1,5L", "at 09:00 on the first Monday and on the last Friday of the month, UTC"},
        {"0 9 * * 1,5L", "at 09:00 on Mondays and on the last Friday of the month, UTC"},
        {"0 9 * * 1#5,1L", "at 09:00 on the last Monday of the month, UTC"},
        {"0 9 * * 1#1,1#2,1#3,1#4,1L", "at 09:00 on Monday, UTC"},
    });
}

TEST_CASE("days of the month are counted from either end, or to the nearest workday") {
    check({
        {"0 9 1 * *", "at 09:00 on day 1 of the month, UTC"},
        {"0 9 1,15 * *", "at 09:00 on days 1 and 15 of the month, UTC"},
        {"0 9 1-7 * *", "at 09:00 on days 1 to 7 of the month, UTC"},
        {"0 9 1 * ?", "at 09:00 on day 1 of the month, UTC"},
        {"0 9 */2 * *", "at 09:00 on odd days of the month, UTC"},
        {"0 9 2/2 * *", "at 09:00 on even days of the month, UTC"},
        {"0 9 */3 * *", "at 09:00 on every 3rd day from 1 to 31 of the month, UTC"},
        {"0 9 */10 * *", "at 09:00 on days 1, 11, 21 and 31 of the month, UTC"},
        {"0 9 L * *", "at 09:00 on the last day of the month, UTC"},
        {"0 9 L-3 * *", "at 09:00, 3 days before the last day of the month, UTC"},
        {"0 9 L-1 * *", "at 09:00 on the day before the last day of the month, UTC"},
        {"0 9 L-3,L-5 * *", "at 09:00 on the 3rd and 5th days before the last day of the month, UTC"},
        {"0 9 1,L-3 * *", "at 09:00 on day 1 and on the 3rd day before the last day of the month, UTC"},
        {"0 9 LW * *", "at 09:00 on the last workday of the month, UTC"},
        {"0 9 15W * *", "at 09:00 on the workday nearest to day 15 of the month, UTC"},
        {"0 9 1W,15W * *", "at 09:00 on the workdays nearest to days 1 and 15 of the month, UTC"},
        {"0 9 L-3W * *", "at 09:00 on the workday nearest to the 3rd day before the last day of the month, UTC"},
        {"0 9 1,15,L * *", "at 09:00 on days 1 and 15 and on the last day of the month, UTC"},
        {"0 9 1,LW,15W * *",
         "at 09:00 on day 1, on the last workday and on the workday nearest to day 15 of the month, UTC"},
        {"*/5 * 1 * *", "every 5 minutes on day 1 of the month, UTC"},
        {"0 0 31 2,3 *", "at 00:00 on day 31 of February and March, UTC"},
    });
}

TEST_CASE("two day fields are joined by or, where the first character of neither is a star") {
    check({
        {"0 9 13 * 5", "at 09:00 on day 13 of the month or on Friday, UTC"},
        {"0 9 1,15 * 1-5", "at 09:00 on days 1 and 15 of the month or on weekdays, UTC"},
        {"0 9 13 10 5", "at 09:00 on day 13 of the month or on Friday, in October, UTC"},
        {"0 9 13 * 5L", "at 09:00 on day 13 of the month or on the last Friday of the month, UTC"},
        {"0 9 1,L * 5", "at 09:00 on day 1 and on the last day of the month, or on Friday, UTC"},
        {"0 9 1-31 * 5", "every day at 09:00, UTC"},
        {"0 9 13 * 0-6", "every day at 09:00, UTC"},
        {"0 0 25 12 0-6", "every day at 00:00 in December, UTC"},
    });
}

TEST_CASE("two day fields are joined by if, where one begins with a star or both must match") {
    check({
        {"0 9 */2 * MON", "at 09:00 on odd days of the month if it is a Monday, UTC"},
        {"0 9 1-7 * */1", "at 09:00 on days 1 to 7 of the month, UTC"},
        {"0 9 13 * */2", "at 09:00 on day 13 of the month if it is a Tuesday, Thursday, Saturday or Sunday, UTC"},
    });
    check(
        {
            {"0 9 13 * 5", "at 09:00 on day 13 of the month if it is a Friday, UTC"},
            {"0 9 1-7 * MON", "at 09:00 on days 1 to 7 of the month if it is a Monday, UTC"},
            {"0 9 13 10 5", "at 09:00 on 13 October if it is a Friday, UTC"},
            {"0 9 13 1,7 1-5", "at 09:00 on day 13 of January and July if it is a weekday, UTC"},
            {"0 9 13 * 0,6", "at 09:00 on day 13 of the month if it is a Saturday or Sunday, UTC"},
            {"0 9 13 * 1-6", "at 09:00 on day 13 of the month if it is not a Sunday, UTC"},
            {"0 9 L * 5L", "at 09:00 on the last day of the month if it is the last Friday of the month, UTC"},
            {"0 9 L * 1,5L",
             "at 09:00 on the last day of the month if it is a Monday or the last Friday of the month, UTC"},
            {"0 9 1,L * 5", "at 09:00 on day 1 and on the last day of the month, if it is a Friday, UTC"},
            {"0 9 13 * *", "at 09:00 on day 13 of the month, UTC"},
        },
        {.days = daybook::DayMatch::both});
}

TEST_CASE("months have their names, and a date is a date") {
    check({
        {"0 9 * 1 *", "every day at 09:00 in January, UTC"},
        {"*/5 * * 1 *", "every 5 minutes in January, UTC"},
        {"0 9 * 3-5 *", "every day at 09:00 from March to May, UTC"},
        {"0 9 * 1,4,7,10 *", "every day at 09:00 in January, April, July and October, UTC"},
        {"0 9 * */3 *", "every day at 09:00 in January, April, July and October, UTC"},
        {"0 9 * 11-2 *", "every day at 09:00 from November to February, UTC"},
        {"0 9 * 1,3-5 *", "every day at 09:00 in January and March to May, UTC"},
        {"0 9-17 * 3-5 *", "every hour from 09:00 to 17:00, from March to May, UTC"},
        {"0 9 * 6-8 1-5", "at 09:00 on weekdays from June to August, UTC"},
        {"0 0 25 12 *", "every year on 25 December at 00:00, UTC"},
        {"0 9,18 25 12 *", "every year on 25 December at 09:00 and 18:00, UTC"},
        {"*/5 * 25 12 *", "every 5 minutes on 25 December, UTC"},
        {"0 0 29 2 *", "at 00:00 on 29 February, UTC"},
        {"0 9 1 1,7 *", "at 09:00 on day 1 of January and July, UTC"},
        {"0 9 1 3-5 *", "at 09:00 on day 1 of each month from March to May, UTC"},
        {"0 9 1 1,3-5 *", "at 09:00 on day 1 of the month in January and March to May, UTC"},
        {"0 9 L 2 *", "at 09:00 on the last day of February, UTC"},
        {"0 9 1,L 2,3 *", "at 09:00 on day 1 and on the last day of the month, in February and March, UTC"},
        {"0 9 * 11 5L", "at 09:00 on the last Friday of November, UTC"},
        {"0 9 * 11 1#1,5L", "at 09:00 on the first Monday and on the last Friday of the month, in November, UTC"},
    });
}

TEST_CASE("years are numbers") {
    check({
        {"0 0 9 * * * 2027", "every day at 09:00 in 2027, UTC"},
        {"0 0 9 * * * 2027-2030", "every day at 09:00 from 2027 to 2030, UTC"},
        {"0 0 9 * * * 2027,2029", "every day at 09:00 in 2027 and 2029, UTC"},
        {"0 0 9 * * * */2", "every day at 09:00 in even years from 1970 to 2198, UTC"},
        {"0 0 9 * * * *", "every day at 09:00, UTC"},
        {"0 0 0 25 12 * 2027", "at 00:00 on 25 December 2027, UTC"},
        {"0 0 0 25 12 * 2027-2029", "at 00:00 on 25 December, from 2027 to 2029, UTC"},
        {"0 0 9 * 1 * 2027", "every day at 09:00 in January 2027, UTC"},
        {"0 0 9 * 11-2 * 2027", "every day at 09:00 in January, February, November and December 2027, UTC"},
        {"0 0 9 1 1,7 * 2027", "at 09:00 on day 1 of January and July 2027, UTC"},
        {"0 0 9 13 10 5 2027", "at 09:00 on day 13 of the month or on Friday, in October 2027, UTC"},
        {"0 0 9 * 1 * 2027,2029", "every day at 09:00 in January, in 2027 and 2029, UTC"},
        {"* * * * * * 2027", "every second in 2027, UTC"},
    });
    check({{"0 0 9 13 10 5 2028", "at 09:00 on 13 October if it is a Friday, in 2028, UTC"}},
          {.days = daybook::DayMatch::both});
}

TEST_CASE("what is never due says so") {
    check({
        {"0 0 30 2 *", "never (no such day)"},
        {"0 0 31 4,6 *", "never (no such day)"},
        {"0 0 L-30 11 *", "never (no such day)"},
        {"0 0 0 29 2 * 2027", "never (no such day)"},
        {"0 H 30 2 *", "never (no such day)"},
        {"0 0 H(30-31) 2 *", "never (no such day)"},
    });
    check({{"0 0 1-7 * 1#2", "never (no such day)"}}, {.days = daybook::DayMatch::both});
}

TEST_CASE("an H that nobody has bound is a choice of the job's id") {
    check({
        {"H * * * *", "every hour at a minute chosen by the job's id"},
        {"H/15 * * * *", "every 15 minutes starting at a minute chosen by the job's id"},
        {"H/7 * * * *", "every hour at every 7th minute starting at one chosen by the job's id"},
        {"H(0-29) * * * *", "every hour at a minute from 0 to 29 chosen by the job's id"},
        {"H(0-29)/10 * * * *", "every hour at every 10th minute from 0 to 29 starting at one chosen by the job's id"},
        {"30,H * * * *", "every hour at minute 30 and a minute chosen by the job's id"},
        {"H 9 * * *", "every day between 09:00 and 09:59 at a minute chosen by the job's id, UTC"},
        {"H 9-17 * * 1-5", "every hour from 09:00 to 17:59 at a minute chosen by the job's id on weekdays, UTC"},
        {"H/15 9-17 * * *", "every 15 minutes from 09:00 to 17:59 starting at a minute chosen by the job's id, UTC"},
        {"H 0,12 * * *", "every day in each of the hours 0 and 12 at a minute chosen by the job's id, UTC"},
        {"H H * * *", "every day at an hour and a minute chosen by the job's id, UTC"},
        {"H H(0-7) * * *", "every day at an hour from 0 to 7 and a minute chosen by the job's id, UTC"},
        {"H H H * * *", "every day at an hour, a minute and a second chosen by the job's id, UTC"},
        {"15 H * * *", "every day at minute 15 of an hour chosen by the job's id, UTC"},
        {"*/15 H * * *", "every 15 minutes during an hour chosen by the job's id, UTC"},
        {"H * * * * *", "every minute at a second chosen by the job's id"},
        {"H/10 * * * * *", "every 10 seconds starting at a second chosen by the job's id"},
        {"H 0 9 * * *", "every day at 09:00, at a second chosen by the job's id, UTC"},
        {"H 0 * * * *", "every hour at minute 0, at a second chosen by the job's id"},
        {"0 9 H * *", "at 09:00 on a day of the month from 1 to 28 chosen by the job's id, UTC"},
        {"0 9 1,H * *",
         "at 09:00 on day 1 of the month and on a day of the month from 1 to 28 chosen by the job's id, UTC"},
        {"0 9 H 1 *", "at 09:00 on a day of the month from 1 to 28 chosen by the job's id, in January, UTC"},
        {"0 9 * * H", "at 09:00 on a day of the week chosen by the job's id, UTC"},
        {"0 9 * * H(1-5)", "at 09:00 on a day from Monday to Friday chosen by the job's id, UTC"},
        {"0 9 1 H *", "at 09:00 on day 1 of a month chosen by the job's id, UTC"},
        {"0 9 * H(6-8) *", "every day at 09:00 in a month from June to August chosen by the job's id, UTC"},
        {"0 0 9 1 1 * H(2027-2030)", "at 09:00 on 1 January, in a year from 2027 to 2030 chosen by the job's id, UTC"},
        {"H(5-5) * * * *", "every hour at minute 5"},
        {"*,H * * * *", "every minute"},
        {"H/1 * * * *", "every minute"},
    });
    CHECK(describe(daybook::cron("H * * * *").bound_to("report")).starts_with("every hour at minute "));
}

TEST_CASE("the zone ends the sentence; UTC only where hours or days matter") {
    CHECK(describe(daybook::cron("*/5 * * * 1-5", "Europe/Berlin")) == "every 5 minutes on weekdays, Europe/Berlin");
    CHECK(describe(daybook::cron("*/5 * * * *", "Asia/Kolkata")) == "every 5 minutes, Asia/Kolkata");
    CHECK(describe(daybook::cron("0 9 * * *", "+02:00")) == "every day at 09:00, +02:00");
    CHECK(describe(daybook::cron("0 9 * * *", "UTC")) == "every day at 09:00, UTC");
    CHECK(describe(daybook::cron("*/5 * * * *", "UTC")) == "every 5 minutes");
    CHECK(describe(daybook::cron("0 0 30 2 *", "Europe/Berlin")) == "never (no such day)");
}

TEST_CASE("an interval is exact, and in the units that people use") {
    CHECK(describe(every(1s)) == "every second");
    CHECK(describe(every(1min)) == "every minute");
    CHECK(describe(every(1h)) == "every hour");
    CHECK(describe(every(5min)) == "every 5 minutes");
    CHECK(describe(every(90s)) == "every 1 minute and 30 seconds");
    CHECK(describe(every(1500ms)) == "every 1.5 seconds");
    CHECK(describe(every(1ms)) == "every millisecond");
    CHECK(describe(every(250ms)) == "every 250 milliseconds");
    CHECK(describe(every(1us)) == "every microsecond");
    CHECK(describe(every(1250us)) == "every 1.25 milliseconds");
    CHECK(describe(every(150min)) == "every 2 hours and 30 minutes");
    CHECK(describe(every(24h)) == "every 24 hours");
    CHECK(describe(every(36h)) == "every 36 hours");
    CHECK(describe(every(48h)) == "every 2 days");
    CHECK(describe(every(60h)) == "every 2 days and 12 hours");
    CHECK(describe(every(5min).after_completion()) == "5 minutes after each run has ended");
    CHECK(describe(every(1s).after_completion()) == "1 second after each run has ended");
}

TEST_CASE("a duration loses nothing in words") {
    CHECK(duration_words(0ns) == "0 seconds");
    CHECK(duration_words(1ns) == "1 nanosecond");
    CHECK(duration_words(999ns) == "999 nanoseconds");
    CHECK(duration_words(1001ns) == "1.001 microseconds");
    CHECK(duration_words(1'000'001ns) == "1.000001 milliseconds");
    CHECK(duration_words(1s + 1ns) == "1.000000001 seconds");
    CHECK(duration_words(1min + 500ms) == "1 minute and 0.5 seconds");
    CHECK(duration_words(1h + 1min + 1s) == "1 hour, 1 minute and 1 second");
    CHECK(duration_words(std::chrono::hours{47}) == "47 hours");
    CHECK(duration_words(std::chrono::hours{24 * 7}) == "7 days");
    CHECK(duration_words(-5min) == "minus 5 minutes");
    CHECK(duration_words(std::chrono::nanoseconds::max()) ==
          "106751 days, 23 hours, 47 minutes and 16.854775807 seconds");
    CHECK(duration_words(std::chrono::nanoseconds::min()) ==
          "minus 106751 days, 23 hours, 47 minutes and 16.854775808 seconds");
}

TEST_CASE("an instant is written out, in any year") {
    CHECK(describe(at(sys_days{2026y / 1 / 31} + 9h)) == "once at 2026-01-31 09:00:00 UTC");
    CHECK(describe(at(sys_days{2026y / 1 / 31} + 9h + 5us)) == "once at 2026-01-31 09:00:00.000005 UTC");
    CHECK(describe(at(sys_days{2026y / 1 / 31} + 23h + 59min + 59s + 500ms)) ==
          "once at 2026-01-31 23:59:59.500000 UTC");
    CHECK(describe(at(steady_time{1s})) == "once, at an instant of the steady clock");
    CHECK(instant_words(sys_time{-1us}) == "1969-12-31 23:59:59.999999 UTC");
    CHECK(instant_words(sys_days{44y / 3 / 15}) == "0044-03-15 00:00:00 UTC");
    CHECK(instant_words(sys_days{std::chrono::year{-44} / 3 / 15}) == "-0044-03-15 00:00:00 UTC");
    CHECK(instant_words(sys_time::max()) == "294247-01-10 04:00:54.775807 UTC");
    CHECK(instant_words(sys_time::min()) == "-290308-12-21 19:59:05.224192 UTC");
}

namespace {

/// A mistake of form, or nothing.
std::string mistake_in(const std::string& words) {
    if (words.empty()) { return "empty"; }
    if (words.find("  ") != std::string::npos) { return "two blanks"; }
    if (words.find(" ,") != std::string::npos) { return "a blank before a comma"; }
    if (words.find(",,") != std::string::npos) { return "two commas"; }
    if (words.back() == ' ' || words.back() == ',' || words.back() == '.') { return "a wrong end"; }
    if (words.front() < 'a' || words.front() > 'z') { return "no lower case at the beginning"; }
    return "";
}

/// The next 20 fires of two schedules, after an instant; with their choices made by the same seed.
bool is_same(const Cron& one, const Cron& other, sys_time after, std::uint64_t seed) {
    const Cron first = one.bound_to(seed);
    const Cron second = other.bound_to(seed);
    for (int i = 0; i < 20; ++i) {
        const auto fire = first.next(after);
        if (fire != second.next(after)) { return false; }
        if (!fire) { return true; }
        after = *fire;
    }
    return true;
}

/// Says every expression, and compares those that are said alike.
class Speaker {
public:
    explicit Speaker(Random& random) : random_{random} {}

    void say(const std::string& expression, const CronOptions& options) {
        const Cron cron = daybook::cron(expression, options);
        const std::string words = describe(cron);
        if (const std::string mistake = mistake_in(words); !mistake.empty()) {
            FAIL_CHECK(mistake << ": '" << expression << "' is '" << words << "'");
        }
        const auto [known, is_new] = said_.try_emplace(words, std::pair{cron, expression});
        if (is_new || known->second.first == cron) { return; }
        ++compared_;
        for (int i = 0; i < 3; ++i) {
            const auto after = sys_time{std::chrono::seconds{random_() % 6'000'000'000U}};
            if (!is_same(cron, known->second.first, after, random_())) {
                FAIL_CHECK("'" << expression << "' and '" << known->second.second << "' are both '" << words << "'");
                return;
            }
        }
    }

    [[nodiscard]] std::size_t compared() const noexcept { return compared_; }

private:
    Random& random_;
    std::map<std::string, std::pair<Cron, std::string>> said_;
    std::size_t compared_ = 0;
};

} // namespace

TEST_CASE("any expression has words, and the same words mean the same instants") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    Speaker speaker{random};
    for (int i = 0; i < 20'000; ++i) {
        const cron_oracle::Expression expression = cron_oracle::random_expression(random);
        speaker.say(expression.text(), expression.options);
    }
    SUCCEED();
}

TEST_CASE("of expressions that are close to each other, too, the same words mean the same instants") {
    using Choices = std::vector<const char*>;
    const std::array<Choices, 7> fields{
        Choices{"0", "0", "0", "0", "0", "0", "*", "30", "*/30", "15,45", "0-10", "*/7", "3/5", "H", "H/10", "5,H"},
        Choices{"0",      "0",   "0",   "*",   "*/5",  "*/15", "0,30", "30",  "15,45",   "0-29",
                "0-29/2", "1/2", "2/5", "*/7", "0-58", "H",    "H/15", "H/7", "H(0-29)", "10,H"},
        Choices{"*",         "*",    "9",         "9-17",    "*/2",    "1/2",       "9,12", "0,12",   "*/12", "*/6",
                "0,6,12,18", "22-2", "0-2,22,23", "9-12,14", "1-13/2", "0,1,2,3,7", "H",    "H(0-7)", "9,H",  "H/6"},
        Choices{"*", "*",   "*",   "*",  "?",   "1",   "13",     "1-7",  "1,15", "*/2", "1/2",    "1-31",
                "L", "L-1", "L-3", "LW", "15W", "1,L", "1-31/3", "L-3W", "29",   "H",   "H(1-7)", "1,H"},
        Choices{"*", "*", "*", "*", "1", "2", "1,7", "3-5", "11-2", "*/3", "1,4,7,10", "1,3-5", "H", "H(6-8)",
                "1,2,11,12"},
        Choices{"*",  "*",   "*",    "*",   "?",      "1-5", "0,6", "5",      "0-6", "*/2",   "0,2,4,6",
                "5L", "1#2", "1,5L", "1#5", "1#5,1L", "1-6", "H",   "H(1-5)", "1,H", "H(1-0)"},
        Choices{"*", "*", "*", "*", "2027", "2027-2030", "2027,2028", "*/4", "H(2027-2030)"}};
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    Speaker speaker{random};
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (const Choices& choices : fields) {
            text += (text.empty() ? "" : " ") + std::string{choices[random() % choices.size()]};
        }
        speaker.say(text, {.days = random() % 2 == 0 ? daybook::DayMatch::both : daybook::DayMatch::vixie});
    }
    CHECK(speaker.compared() > 100);
}

TEST_CASE("a calendar says when it rests") {
    using daybook::Calendar;
    CHECK(describe(Calendar{}) == "never");
    CHECK(describe(Calendar{}.add(std::chrono::Saturday).add(std::chrono::Sunday)) == "on Saturdays and Sundays");
    CHECK(describe(Calendar{"Europe/Berlin"}.add(std::chrono::December / 25).add(2026y / 12 / 27, 2027y / 1 / 2)) ==
          "on 25 December and 2026-12-27 to 2027-01-02 (Europe/Berlin)");
    Calendar many = Calendar{}.add(std::chrono::Monday);
    for (unsigned day = 1; day <= 9; day += 2) { many.add(2026y / 1 / std::chrono::day{day}); }
    CHECK(describe(many) == "on Mondays and 5 other days");
    CHECK(describe(Calendar{daybook::cron("* * 12 * * *", "Europe/Berlin")}) ==
          "when '* * 12 * * * Europe/Berlin' is due");
    CHECK(describe(Calendar{[](sys_time) { return true; }}) == "when the program says so");
}

TEST_CASE("any schedule says what narrows it") {
    using daybook::any_of;
    using daybook::Calendar;
    using daybook::Schedule;
    const sys_time year = sys_days{2026y / 1 / 1};
    const auto nine = daybook::cron("0 9 * * MON-FRI", "Europe/Berlin");
    CHECK(describe(Schedule{}) == "only when it is triggered");
    CHECK(describe(Schedule{nine}) == "at 09:00 on weekdays, Europe/Berlin");
    CHECK(describe(nine.until(year).except(Calendar{}.add(std::chrono::December / 25)).jitter(30s)) ==
          "at 09:00 on weekdays, Europe/Berlin; until 2026-01-01 00:00:00 UTC; except on 25 December; each up to 30 "
          "seconds later");
    CHECK(describe(every(5min).from(year).times(3)) == "every 5 minutes; from 2026-01-01 00:00:00 UTC; 3 times");
    CHECK(describe(at(year).times(1)) == "once at 2026-01-01 00:00:00 UTC; once");
    CHECK(describe(any_of(nine, daybook::cron("0 12 * * SAT"))) ==
          "at 09:00 on weekdays, Europe/Berlin, or at 12:00 on Saturday, UTC");
    CHECK(describe(any_of(nine.until(year), at(year)).times(7)) ==
          "(at 09:00 on weekdays, Europe/Berlin; until 2026-01-01 00:00:00 UTC), or once at 2026-01-01 00:00:00 UTC; 7 "
          "times");
}
