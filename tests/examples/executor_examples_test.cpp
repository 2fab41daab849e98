// SPDX-License-Identifier: MIT
#include <daybook/job/command.hpp>

#include "support/catch.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

/// What the program in the environment variable prints until it ends by itself; nothing where it was not built.
std::optional<std::string> output_of(const char* variable) {
    const char* const path = std::getenv(variable);
    if (path == nullptr) {
        WARN("there is no example to run: " << variable << " is not set");
        return std::nullopt;
    }
    const auto outcome = daybook::run_command({}, path);
    INFO(outcome.output);
    CHECK(outcome.exit_status == 0);
    return outcome.output;
}

/// How many lines begin with `text`.
int count_lines(std::string_view output, std::string_view text) {
    int count = 0;
    while (!output.empty()) {
        const auto line = output.substr(0, output.find('\n'));
        if (line.starts_with(text)) { ++count; }
        output.remove_prefix(line.size() == output.size() ? line.size() : line.size() + 1);
    }
    return count;
}

} // namespace

TEST_CASE("an event loop runs jobs on time, finishes open ones and ends at a signal") {
    const auto output = output_of("DAYBOOK_EVENT_LOOP");
    if (!output) { return; }
    INFO(*output);
    CHECK(count_lines(*output, "tick success   on the second") >= 1);
    CHECK(count_lines(*output, "ask  success   the answer") >= 1);
    CHECK(count_lines(*output, "signal 15: stopping") == 1);
    CHECK(count_lines(*output, "end  ") == 1);
}

TEST_CASE("the threads of Boost.Asio run bodies, and its callbacks and coroutines finish jobs") {
    const auto output = output_of("DAYBOOK_ASIO_EXECUTOR");
    if (!output) { return; }
    INFO(*output);
    CHECK(count_lines(*output, "body      success   on a thread of the pool") >= 1);
    CHECK(count_lines(*output, "body      success   elsewhere") == 0);
    CHECK(count_lines(*output, "wait      success   waited") >= 1);
    CHECK(count_lines(*output, "long_wait cancelled") == 1);
    CHECK(count_lines(*output, "fetch     error") == 0); // where the compiler has no coroutines there is no such job
}

TEST_CASE("an arena of oneTBB runs bodies beside parallel algorithms") {
    const auto output = output_of("DAYBOOK_THREAD_POOL_EXECUTOR");
    if (!output) { return; }
    INFO(*output);
    CHECK(count_lines(*output, "primes success   17984") >= 1);
    CHECK(count_lines(*output, "place  success") >= 1);
    CHECK(count_lines(*output, "0 still running") == 1);
}
