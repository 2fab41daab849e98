// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_EXECUTION_HPP
#define DAYBOOK_LOG_EXECUTION_HPP

/// @file
/// The words of recording: what names an execution, how one begins, what a finish may answer.

#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0 {

/// Names one execution of one log. A plain value: keep it, copy it, send it to another thread; it stays harmless after
/// the record was evicted.
struct Execution {
    ExecutionId id = 0;
    std::uint32_t slot = 0; ///< where the log looks first
    std::uint32_t log = 0;  ///< which log of the process it belongs to

    friend bool operator==(const Execution&, const Execution&) = default;
};

/// What came of writing the end of an execution.
enum class Finish : std::uint8_t {
    recorded,
    too_late, ///< it had ended already; nothing was changed
    unknown,  ///< the log does not hold it: evicted, cleared, or another log's
};

/// Whether an attempt that failed is the last of its occurrence.
enum class Finality : std::uint8_t {
    final_attempt,
    retry_follows, ///< another attempt will come; this one is no outcome yet
};

/// How an execution begins. The views need to live for the call only.
struct ExecutionStart {
    std::string_view job_id = {};
    std::string_view handler_id = {}; ///< empty: the job id
    std::string_view method_name = {};
    std::uint32_t attempt_number = 1;          ///< 0 counts as 1
    OccurrenceId occurrence_id = 0;            ///< 0: the execution's own id, an occurrence with one attempt
    std::optional<sys_time> scheduled_at = {}; ///< the nominal time, where there is one
    Trigger trigger = Trigger::manual;
    ClockChange dst = ClockChange::none;
    std::string_view parameters = {};
};

} // namespace daybook::inline v0

#endif
