// SPDX-License-Identifier: MIT
#include <daybook/job/command_outcome.hpp>

#include "support/catch.hpp"

#include <string>

using daybook::CommandOutcome;
using daybook::describe;
using daybook::Interruption;

TEST_CASE("a description says the status, and the output without the newlines at its end") {
    CHECK(describe({.exit_status = 3, .output = "no space\nleft\n\n"}) == "exit status 3: no space\nleft");
    CHECK(describe({.exit_status = 0}) == "exit status 0");
}

TEST_CASE("a description says the signal, by name where it has one") {
    CHECK(describe({.signal = 11}) == "killed by signal 11 (Segmentation fault)");
    CHECK(describe({.signal = 40}) == "killed by signal 40");
}

TEST_CASE("a description says that a stop was requested, and what it took") {
    CHECK(describe({.exit_status = 1, .interruption = Interruption::terminated}) ==
          "stopped by request, exit status 1");
    CHECK(describe({.signal = 9, .interruption = Interruption::killed}) ==
          "stopped by request and killed when its grace was over, killed by signal 9 (Killed)");
    CHECK(describe({.interruption = Interruption::before_start}) == "stopped by request before it started");
}

TEST_CASE("a description is no longer than allowed, and keeps the end of the output") {
    const CommandOutcome outcome{.exit_status = 1, .output = std::string(5000, 'x') + " the end"};
    const auto text = describe(outcome, 100);
    CHECK(text.size() == 100);
    CHECK(text.starts_with("exit status 1: [cut: 5008 bytes in all] … x"));
    CHECK(text.ends_with("x the end"));
    CHECK(describe(outcome, 5).starts_with("exit status 1"));
}

TEST_CASE("output that was cut already is cut again under its true length") {
    const CommandOutcome outcome{.exit_status = 1,
                                 .output = daybook::detail::last_bytes(std::string(200, 'x'), 100, 70'000),
                                 .output_bytes = 70'000};
    const auto text = describe(outcome, 100);
    CHECK(text.size() == 100);
    CHECK(text.starts_with("exit status 1: [cut: 70000 bytes in all] … xx"));
    CHECK(text.find("[cut:", 20) == std::string::npos);
    CHECK(describe(outcome, 200).starts_with("exit status 1: [cut: 70000 bytes in all] … xx"));
}
