// SPDX-License-Identifier: MIT

/// @file
/// Linked into every test executable; see odr.cpp.

#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

namespace {
// The umbrella headers are enough for the promise's types to be complete.
[[maybe_unused]] constexpr auto scheduler_size = sizeof(daybook::Scheduler<>);
[[maybe_unused]] constexpr auto log_size = sizeof(daybook::JobExecutionLog<>);
} // namespace
