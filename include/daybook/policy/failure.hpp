// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_FAILURE_HPP
#define DAYBOOK_POLICY_FAILURE_HPP

/// @file
/// A failed attempt, as the program is asked about it.

#include <daybook/types.hpp>

#include <cstdint>
#include <exception>
#include <string_view>

namespace daybook::inline v0 {

/// An attempt that failed, while somebody decides whether another one follows.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
struct Failure {
    /// `error` or `timeout`; `abandoned` where another process left it behind.
    JobStatus status = JobStatus::error;
    /// What the record says of it, empty for a timeout; valid during the call that it was handed to.
    std::string_view error = {};
    /// What the body threw; null for a timeout, and for a failure that was reported and not thrown.
    std::exception_ptr exception = {};
    /// Of the attempt that failed: 1 for the first try.
    std::uint32_t attempt_number = 1;

    /// Whether the body threw an `Exception`, or something derived from it. Costs what throwing and catching costs, a
    /// microsecond or two.
    template <class Exception>
    [[nodiscard]] bool is() const noexcept {
        if (!exception) { return false; }
        try {
            std::rethrow_exception(exception);
        } catch (const Exception&) { return true; } catch (...) {
            return false;
        }
    }
};

} // namespace daybook::inline v0

#endif
