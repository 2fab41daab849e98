// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_LINT_PREAMBLE_HPP
#define DAYBOOK_TESTS_LINT_PREAMBLE_HPP

/// @file
/// What the README's fragments use without saying it: stand-ins for the reader's own program.

#include <daybook/daybook.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

using namespace std::chrono_literals;

namespace {

/// A table of user sessions, as any program has one.
struct Sessions {
    std::uint64_t erase_expired() { return 0; }
};
[[maybe_unused]] Sessions sessions;

/// Somebody is to know.
[[maybe_unused]] void page_someone(const daybook::JobEvent&) {}

/// A client that calls back.
struct Client {
    void get(const std::string&, const std::function<void(std::string)>& then) { then("1.23"); }
};
[[maybe_unused]] Client client;

/// A handler of jobs that come as data.
[[maybe_unused]] void send_mail(daybook::JobContext&) {}

/// Secrets that the program has read from somewhere.
[[maybe_unused]] const std::string ops_token = "open sesame";
[[maybe_unused]] const std::string deploy_token = "open barley";

/// A function that works for a while and says how it went.
[[maybe_unused]] std::string send_report() { return "sent"; }

} // namespace

#endif
