// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_HANDLER_INFO_HPP
#define DAYBOOK_JOB_HANDLER_INFO_HPP

/// @file
/// A handler as lists show it.

#include <string>

namespace daybook::inline v0 {

/// The names of a handler, and what it is for.
struct HandlerInfo {
    std::string handler_id = {};
    std::string method_name = {};
    std::string description = {}; ///< for people; often empty

    friend bool operator==(const HandlerInfo&, const HandlerInfo&) = default;
};

} // namespace daybook::inline v0

#endif
