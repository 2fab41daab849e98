// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_EXAMPLES_CRON_DAEMON_CRONTAB_HPP
#define DAYBOOK_EXAMPLES_CRON_DAEMON_CRONTAB_HPP

/// @file
/// Reads crontab(5), and the comment lines above jobs that say what a crontab cannot.

#include <daybook/job/command.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>
#include <daybook/policy/retry.hpp>
#include <daybook/schedule/cron.hpp>
#include <daybook/time/time_zone.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crontab {

/// What is wrong with a line, and where.
struct Problem {
    std::size_t line = 0;   ///< from 1
    std::size_t column = 0; ///< from 1, in bytes
    std::string message = {};
};

/// One job of the file.
struct Job {
    std::size_t line = 0;
    std::string id = {};
    std::optional<daybook::Cron> schedule = {}; ///< empty: `@reboot`, once at the start
    std::string command = {};
    daybook::CommandOptions options = {}; ///< shell, environment, directory and input, as the lines above it say
    std::chrono::nanoseconds jitter{0};   ///< each start is delayed by a random time up to this
    std::optional<std::chrono::nanoseconds> timeout = {};
    daybook::RetryPolicy retry = {};
    daybook::Overlap overlap = daybook::Overlap::skip;
    daybook::Misfire misfire = daybook::Misfire::run_once;
};

/// Whose crontab it is: the environment that crontab(5) promises starts from this.
struct Account {
    std::string name = {};
    std::string home = {};
};

/// The account that this process runs under, from the password database.
[[nodiscard]] Account current_account();

/// All jobs of the file and all that is wrong with it; the jobs are of use only when nothing is wrong.
struct Crontab {
    std::vector<Job> jobs = {};
    std::vector<Problem> problems = {};
};

/// Reads the text of a crontab.
///
/// As in crontab(5): five fields or a macro and a command, `NAME=value` lines that hold for the lines below them,
/// comments, `%` for the newline before and within a command's input. `CRON_TZ` names the zone of the schedules below
/// it. The environment begins as SHELL=/bin/sh, PATH=/usr/bin:/bin, HOME, LOGNAME and USER; commands start in HOME.
///
/// Beyond crontab(5): a comment line `# daybook:` sets, for the next job, `id=NAME`, `timeout=30s`, `retry=3` (attempts
/// after the first), `retry-delay=2s` (doubled each time), `overlap=…`, `misfire=…`, `jitter=30s`, and `seconds` (six
/// fields, the first one for seconds). `RANDOM_DELAY`, in minutes, is the jitter of the jobs below it, as in cronie. A
/// job without an id is named after its command, always in the same way.
[[nodiscard]] Crontab read(std::string_view text, const Account& account, daybook::TimeZone local);

} // namespace crontab

#endif
