// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SHOWN_PARAMETERS_HPP
#define DAYBOOK_DETAIL_SHOWN_PARAMETERS_HPP

/// @file
/// What of a record's parameters is written for others to read.

#include <daybook/detail/http_handler_names.hpp>
#include <daybook/log/job_execution_record.hpp>

#include <string_view>

namespace daybook::inline v0::detail {

/// The parameters of a job that calls a URL have its headers among them, and so its credentials.
[[nodiscard]] inline std::string_view shown_parameters(const ExecutionFacts& record) noexcept {
    const bool is_request = is_http_handler(record.handler_id, record.method_name);
    return is_request && !record.parameters.empty() ? std::string_view{"[hidden: it may hold credentials]"}
                                                    : std::string_view{record.parameters};
}

} // namespace daybook::inline v0::detail

#endif
