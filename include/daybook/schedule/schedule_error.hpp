// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_SCHEDULE_ERROR_HPP
#define DAYBOOK_SCHEDULE_SCHEDULE_ERROR_HPP

/// @file
/// What is thrown for a text that is no schedule.

#include <cstddef>
#include <stdexcept>
#include <string>

namespace daybook::inline v0 {

/// A wrong text: `column 7: expected a duration such as 30s or 1h30m, got '30'`.
class ScheduleError : public std::invalid_argument {
public:
    ScheduleError(std::size_t column, const std::string& message)
        : std::invalid_argument("column " + std::to_string(column) + ": " + message), column_{column} {}

    /// Where in the text, in bytes, from 1; one past its last where something is missing.
    [[nodiscard]] std::size_t column() const noexcept { return column_; }

private:
    std::size_t column_;
};

/// A wrong cron expression: `column 4: expected an hour 0-23, got '24'`.
class CronError : public ScheduleError {
public:
    using ScheduleError::ScheduleError;
};

} // namespace daybook::inline v0

#endif
