// SPDX-License-Identifier: MIT

/// @file
/// Linked into every test executable together with odr_twin.cpp: two translation units that include everything. A
/// function that somebody forgot to make `inline` is then a link error in all of them.

#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

namespace {
// The umbrella headers are enough for the promise's types to be complete.
[[maybe_unused]] constexpr auto scheduler_size = sizeof(daybook::Scheduler<>);
[[maybe_unused]] constexpr auto log_size = sizeof(daybook::JobExecutionLog<>);
} // namespace
