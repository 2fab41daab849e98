// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_LOG_ALLOCATION_COUNTER_HPP
#define DAYBOOK_TESTS_LOG_ALLOCATION_COUNTER_HPP

/// @file
/// What the executable's own operator new has handed out; defined in job_execution_log_allocation_test.cpp.

#include <cstdint>

namespace log_test {

/// Bytes that this thread has taken by operator new and not given back, with what the allocator adds; what one thread
/// takes and another gives back counts for each.
std::int64_t live_bytes();

/// Whether there is a way to ask this machine's allocator.
bool can_count_bytes();

} // namespace log_test

#endif
