// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_EXAMPLES_CRON_DAEMON_REPORTER_HPP
#define DAYBOOK_EXAMPLES_CRON_DAEMON_REPORTER_HPP

/// @file
/// Tells the terminal what happens: a line for each execution that has ended and for each run of skips, and a table in
/// the end.

#include <daybook/daybook.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

enum class Colour { never, always };

/// Colour for a terminal whose user has not set NO_COLOR (see no-color.org).
[[nodiscard]] Colour colour_of_standard_output();

/// `text` on one line of at most `width` bytes, without anything that a terminal would obey.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t width);

/// Asks the log, some times a second, what is new. It needs no hook in the jobs, so that it also sees what no job could
/// tell: timeouts, and occurrences that did not run.
class Reporter {
public:
    Reporter(const daybook::JobExecutionLog<>& log, Colour colour) : log_{log}, colour_{colour} {}

    /// Prints what has ended since the last call.
    void tell_news();

    /// Prints the table.
    void tell_summary() const;

private:
    using Record = daybook::JobExecutionRecord<>;
    struct OpenSkips {
        daybook::ExecutionId id = 0;
        std::uint64_t told = 0;
    };

    void look_at(const Record& record, std::vector<Record>& news);
    void count_skips(const Record& record);
    void tell(const Record& record) const;
    void print_line(daybook::sys_time when, const std::string& job, daybook::JobStatus status,
                    const std::string& rest) const;

    daybook::JobExecutionLog<> log_;
    Colour colour_;
    daybook::ExecutionId newest_ = 0;
    std::set<daybook::ExecutionId> unfinished_ = {};
    std::map<std::string, OpenSkips> skips_ = {}; // by job: the record that may still grow
};

#endif
