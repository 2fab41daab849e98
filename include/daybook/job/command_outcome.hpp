// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_COMMAND_OUTCOME_HPP
#define DAYBOOK_JOB_COMMAND_OUTCOME_HPP

/// @file
/// What one may say about a shell command, and what became of it.

#include <daybook/detail/tail_buffer.hpp>
#include <daybook/fwd.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// What `CommandOptions::environment` starts from.
enum class CommandEnvironment : std::uint8_t {
    inherit, ///< this process's environment at the start of the command; the variables given replace or join it
    replace, ///< nothing: the variables given are all that the command sees
};

/// How a shell command is run.
struct CommandOptions {
    std::string shell = "/bin/sh"; ///< a path; run as `shell -c command`
    CommandEnvironment environment_from = CommandEnvironment::inherit;
    std::vector<std::pair<std::string, std::string>> environment = {}; ///< name and value; a later one wins
    std::string working_directory = {};                                ///< empty: this process's
    std::string standard_input = {};                                   ///< what the command reads; empty: /dev/null

    /// Bytes of output kept, standard output and error together. The last ones, for that is where errors are; a mark,
    /// counted within the limit, says what is missing.
    std::size_t max_output_bytes = 4096;

    /// From SIGTERM to SIGKILL, once a stop was requested; 0 or less: SIGKILL follows at once.
    std::chrono::nanoseconds term_grace = std::chrono::seconds{5};

    /// How long output is still read once the shell has ended while something that it left in the background holds the
    /// output open; 0 or less: only what is there.
    std::chrono::nanoseconds linger = std::chrono::milliseconds{100};
};

/// What a request to stop did to a command.
enum class Interruption : std::uint8_t {
    none,         ///< nobody asked, or it had ended by then
    before_start, ///< asked before it began: it was not started
    terminated,   ///< its process group got SIGTERM, and ended within the grace
    killed,       ///< its process group got SIGTERM, and SIGKILL when the grace was over
};

/// How a command ended. Both `exit_status` and `signal` are empty when it was not started, or when the program took the
/// status for itself, as one does that ignores SIGCHLD.
struct CommandOutcome {
    std::optional<int> exit_status = {}; ///< of the shell, 0 to 255
    std::optional<int> signal = {};      ///< the signal that ended the shell
    Interruption interruption = Interruption::none;
    std::string output = {};        ///< see CommandOptions::max_output_bytes
    std::uint64_t output_bytes = 0; ///< what the command wrote, kept or not

    /// Whether the shell ended by itself with status 0.
    [[nodiscard]] bool succeeded() const noexcept { return exit_status == 0; }
};

/// "SIGTERM" is 15 on every system, its name differs from library to library; these are the words that shells print.
[[nodiscard]] constexpr std::string_view signal_description(int signal) noexcept {
    switch (signal) {
    case 1: return "Hangup";
    case 2: return "Interrupt";
    case 3: return "Quit";
    case 4: return "Illegal instruction";
    case 6: return "Aborted";
    case 8: return "Floating point exception";
    case 9: return "Killed";
    case 11: return "Segmentation fault";
    case 13: return "Broken pipe";
    case 14: return "Alarm clock";
    case 15: return "Terminated";
    default: return {};
    }
}

/// "exit status 3", "killed by signal 9 (Killed)", "stopped by request, exit status 1", followed by a colon and the end
/// of the output where there is any; at most `max_bytes` long, as far as the output can be shortened.
[[nodiscard]] inline std::string describe(const CommandOutcome& outcome, std::size_t max_bytes = 4096) {
    if (outcome.interruption == Interruption::before_start) { return "stopped by request before it started"; }
    std::string text;
    if (outcome.interruption == Interruption::terminated) { text = "stopped by request, "; }
    if (outcome.interruption == Interruption::killed) {
        text = "stopped by request and killed when its grace was over, ";
    }
    if (outcome.exit_status) {
        text += "exit status " + std::to_string(*outcome.exit_status);
    } else if (outcome.signal) {
        text += "killed by signal " + std::to_string(*outcome.signal);
        if (const auto name = signal_description(*outcome.signal); !name.empty()) {
            text.append(" (").append(name).append(")");
        }
    } else {
        text += "exit status unknown (is SIGCHLD ignored?)";
    }
    std::string_view output = outcome.output;
    while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) { output.remove_suffix(1); }
    if (output.empty() || max_bytes < text.size() + 2) { return text; }
    const auto room = max_bytes - text.size() - 2;
    // Output that was cut already bears a mark, which goes with what is cut now: the new one tells the same total.
    const auto total =
        output.size() <= room ? output.size() : std::max<std::uint64_t>(outcome.output_bytes, output.size());
    return text + ": " + detail::last_bytes(output, room, total);
}

} // namespace daybook::inline v0

#endif
