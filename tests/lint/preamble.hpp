// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_LINT_PREAMBLE_HPP
#define DAYBOOK_TESTS_LINT_PREAMBLE_HPP

/// @file
/// What the README's fragments use without saying it: stand-ins for the reader's own program.

#include <chrono>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;

namespace {

/// A table of user sessions, as any program has one.
struct Sessions {
    std::uint64_t erase_expired() { return 0; }
};
[[maybe_unused]] Sessions sessions;

/// A function that works for a while and says how it went.
[[maybe_unused]] std::string send_report() { return "sent"; }

} // namespace

#endif
