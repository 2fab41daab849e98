// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_COMMAND_HPP
#define DAYBOOK_JOB_COMMAND_HPP

/// @file
/// A shell command as a job: `scheduler.add("backup", nightly, daybook::command("tar czf /backup/home.tgz /home"))`.
/// POSIX only; elsewhere this header declares nothing.

#if !defined(_WIN32)

#include <daybook/detail/command_run.hpp>
#include <daybook/job/command_outcome.hpp>
#include <daybook/job/job_context.hpp>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// A command that did not end with status 0; what() is describe() of its outcome.
class CommandError : public std::runtime_error {
public:
    explicit CommandError(CommandOutcome outcome, std::size_t max_bytes = 4096)
        : std::runtime_error{describe(outcome, max_bytes)},
          outcome_{std::make_shared<CommandOutcome>(std::move(outcome))} {}

    [[nodiscard]] const CommandOutcome& outcome() const noexcept { return *outcome_; }

private:
    std::shared_ptr<const CommandOutcome> outcome_; // shared: copying an exception must not throw
};

/// Runs `options.shell -c command` and waits for its end.
///
/// The command gets a process group of its own, no signal blocked or ignored, and no descriptor but the standard three:
/// its input, and one pipe for what it prints. However much that is, it is read at once, and only the end is kept. When
/// `stop` is requested, the group gets SIGTERM and, after `term_grace`, SIGKILL.
///
/// What the command leaves in the background, as `daemon &` does, goes on running unless a stop was requested; nobody
/// reads its output any more, so it should go to a file or be given up.
///
/// @throws std::invalid_argument  The options or the command cannot be passed to a program (see command()).
/// @throws std::system_error      The shell could not be started: no such file, no more processes, no more descriptors.
///
/// @par Thread safety
/// Safe. Reads the process's environment if that is inherited: do not change it meanwhile.
[[nodiscard]] CommandOutcome run_command(const CommandOptions& options, std::string_view command,
                                         const std::stop_token& stop = {});

/// A job that runs a shell command; what command() returns.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class Command {
public:
    /// @throws std::invalid_argument  See command().
    explicit Command(std::string text, CommandOptions options = {})
        : text_{std::move(text)}, options_{std::move(options)} {
        check(options_, text_);
    }

    /// Runs it until it ends, or until the job is asked to stop. A command that ends with status 0 after it was asked
    /// to stop has succeeded.
    /// @return What it printed, standard output and error in one, without the newlines at the end.
    /// @throws CommandError  Any other status, a signal; what() says which, followed by the end of the output.
    /// @throws std::system_error  It could not be started.
    std::string operator()(JobContext& job) const { return run(job.stop_token()); }

    /// The same outside a scheduler.
    std::string run(const std::stop_token& stop = {}) const {
        auto outcome = run_command(options_, text_, stop);
        if (!outcome.succeeded()) { throw CommandError{std::move(outcome), options_.max_output_bytes}; }
        const auto last = outcome.output.find_last_not_of("\r\n");
        outcome.output.resize(last == std::string::npos ? 0 : last + 1);
        return std::move(outcome.output);
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const CommandOptions& options() const noexcept { return options_; }

private:
    friend CommandOutcome run_command(const CommandOptions&, std::string_view, const std::stop_token&);

    static void check(const CommandOptions& options, std::string_view text) {
        const auto require = [](auto holds, const char* sentence) {
            if (!holds) { throw std::invalid_argument{sentence}; }
        };
        const auto is_clean = [](std::string_view part) { return part.find('\0') == std::string_view::npos; };
        require(is_clean(text), "command: the text contains a NUL byte, which no program can be given");
        require(!options.shell.empty() && is_clean(options.shell), "CommandOptions::shell: expected a path");
        require(is_clean(options.working_directory), "CommandOptions::working_directory: contains a NUL byte");
        for (const auto& variable : options.environment) {
            require(!variable.first.empty() && is_clean(variable.first) &&
                        variable.first.find('=') == std::string::npos,
                    "CommandOptions::environment: a name must have letters, and neither '=' nor a NUL byte");
            require(is_clean(variable.second), "CommandOptions::environment: a value contains a NUL byte");
        }
    }

    std::string text_;
    CommandOptions options_;
};

inline CommandOutcome run_command(const CommandOptions& options, std::string_view command,
                                  const std::stop_token& stop) {
    Command::check(options, command);
    if (stop.stop_requested()) {
        CommandOutcome outcome;
        outcome.interruption = Interruption::before_start;
        return outcome;
    }
    return detail::CommandRun{options, command}.finish(stop);
}

/// A job that runs `text` through a shell.
/// @throws std::invalid_argument  A NUL byte in a text, a shell without a name, a variable's name that is empty or
///                                contains '='.
[[nodiscard]] inline Command command(std::string text, CommandOptions options = {}) {
    return Command{std::move(text), std::move(options)};
}

} // namespace daybook::inline v0

#endif

#endif
