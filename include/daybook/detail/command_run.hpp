// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_COMMAND_RUN_HPP
#define DAYBOOK_DETAIL_COMMAND_RUN_HPP

/// @file
/// One run of a shell command, from its start to the last byte of its output that anybody waits for (POSIX).

#if !defined(_WIN32)

#include <daybook/detail/child_process.hpp>
#include <daybook/detail/tail_buffer.hpp>
#include <daybook/detail/unique_fd.hpp>
#include <daybook/job/command_outcome.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
extern char** environ; // NOLINT(readability-redundant-declaration): POSIX declares it in no header
}

namespace daybook::inline v0::detail {

/// The environment of a command, in the form that execve takes.
class EnvironmentBlock {
public:
    explicit EnvironmentBlock(const CommandOptions& options) {
        std::unordered_map<std::string, std::size_t> place;
        const auto put = [&](std::string name, std::string entry) {
            const auto [found, is_new] = place.try_emplace(std::move(name), entries_.size());
            if (is_new) {
                entries_.push_back(std::move(entry));
            } else {
                entries_[found->second] = std::move(entry);
            }
        };
        if (options.environment_from == CommandEnvironment::inherit && ::environ != nullptr) {
            for (char** variable = ::environ; *variable != nullptr; ++variable) {
                const std::string_view entry = *variable;
                put(std::string{entry.substr(0, entry.find('='))}, std::string{entry});
            }
        }
        for (const auto& variable : options.environment) {
            put(variable.first, variable.first + '=' + variable.second);
        }
        pointers_.reserve(entries_.size() + 1);
        for (auto& entry : entries_) { pointers_.push_back(entry.data()); }
        pointers_.push_back(nullptr);
    }

    [[nodiscard]] char* const* get() const noexcept { return pointers_.data(); }

private:
    std::vector<std::string> entries_ = {};
    std::vector<char*> pointers_ = {};
};

/// A file without a name that holds `text`, at its beginning. A file and no pipe: a pipe would have to be fed while the
/// command runs, and a command that does not read it would cost this process a SIGPIPE.
inline UniqueFd file_with(std::string_view text) {
    const auto fail = [](const char* what) { throw std::system_error{errno, std::generic_category(), what}; };
#if defined(__linux__)
    UniqueFd file{::memfd_create("daybook-stdin", MFD_CLOEXEC)};
#else
    std::string name = "/tmp/daybook-stdin-XXXXXX";
    UniqueFd file{::mkstemp(name.data())};
    if (file) {
        ::unlink(name.c_str());
        ::fcntl(file.get(), F_SETFD, FD_CLOEXEC);
    }
#endif
    if (!file) { fail("cannot make a file for a command's input"); }
    while (!text.empty()) {
        const auto written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) { continue; }
        if (written <= 0) { fail("cannot write a command's input"); }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::lseek(file.get(), 0, SEEK_SET) != 0) { fail("cannot rewind a command's input"); }
    return above_standard(std::move(file));
}

/// A run under way. It waits for four things at once, and blocks on none of them: output, the end of the shell, a
/// request to stop, the instant by which something must have happened.
class CommandRun {
public:
    using Clock = std::chrono::steady_clock;

    CommandRun(const CommandOptions& options, std::string_view command, ExitWatch watch = ExitWatch::descriptor)
        : grace_{bounded(options.term_grace)}, linger_{bounded(options.linger)}, tail_{options.max_output_bytes} {
        auto output = make_pipe();
        auto wake = make_pipe();
        const auto input = options.standard_input.empty() ? UniqueFd{} : file_with(options.standard_input);
        const EnvironmentBlock environment{options};
        std::string shell = options.shell;
        std::string flag = "-c";
        std::string text{command};
        const std::array<char*, 4> arguments{shell.data(), flag.data(), text.data(), nullptr};
        const auto* directory = options.working_directory.empty() ? nullptr : options.working_directory.c_str();
        child_.emplace(SpawnRequest{.path = shell.c_str(),
                                    .arguments = arguments.data(),
                                    .environment = environment.get(),
                                    .working_directory = directory,
                                    .standard_input = input.get(),
                                    .standard_output = output.write_end.get()},
                       watch);
        output_ = std::move(output.read_end);
        set_non_blocking(output_);
        set_non_blocking(wake.read_end);
        set_non_blocking(wake.write_end);
        wake_ = std::move(wake);
    }

    /// Returns when the shell has ended and its output has been read; once stopped, when its whole group
    /// has ended or was sent SIGKILL.
    [[nodiscard]] CommandOutcome finish(const std::stop_token& stop) {
        const std::stop_callback wake_up{stop, [fd = wake_.write_end.get()] {
                                             while (::write(fd, "", 1) < 0 && errno == EINTR) {}
                                         }};
        while (!is_over(Clock::now())) {
            if (!ended_at_ && stop.stop_requested()) { interrupt(); }
            wait();
        }
        read_what_is_there();
        return outcome();
    }

private:
    // Saturates: an instant "a hundred years from now" must not overflow into the past.
    static std::chrono::nanoseconds bounded(std::chrono::nanoseconds duration) {
        return std::clamp<std::chrono::nanoseconds>(duration, std::chrono::nanoseconds::zero(),
                                                    std::chrono::hours{24 * 365});
    }

    void interrupt() {
        if (interruption_ != Interruption::none) { return; }
        interruption_ = Interruption::terminated;
        kill_at_ = Clock::now() + grace_;
        child_->signal_group(SIGTERM);
        child_->signal_group(SIGCONT); // a stopped process would sleep through the SIGTERM
    }

    [[nodiscard]] bool is_over(Clock::time_point now) {
        if (interruption_ == Interruption::terminated && now >= kill_at_ && !group_has_ended()) {
            interruption_ = Interruption::killed;
            child_->signal_group(SIGKILL);
        }
        if (!ended_at_ && child_->has_ended()) {
            ended_at_ = now;
            // The id of the group outlives the shell's as long as the group has members, so that it can still be asked
            // for them, and killed.
            status_ = child_->reap();
        }
        if (!ended_at_) { return false; }
        if (interruption_ == Interruption::terminated && !group_has_ended()) { return false; }
        return !output_ || now >= *ended_at_ + linger_;
    }

    [[nodiscard]] bool group_has_ended() const { return ended_at_ && child_->group_has_ended(); }

    // Polls for output and for whatever comes first of the instants that matter. Something that cannot be polled, a
    // group without its leader, an end without a pidfd, is asked for every 10 ms.
    void wait() {
        const auto listens = !ended_at_ && interruption_ == Interruption::none;
        std::array<pollfd, 3> sources{pollfd{output_.get(), POLLIN, 0},
                                      pollfd{listens ? wake_.read_end.get() : -1, POLLIN, 0},
                                      pollfd{ended_at_ ? -1 : child_->exit_fd(), POLLIN, 0}};
        const auto now = Clock::now();
        auto until = now + std::chrono::hours{1};
        if (ended_at_ && now < *ended_at_ + linger_) { until = std::min(until, *ended_at_ + linger_); }
        if (interruption_ == Interruption::terminated && now < kill_at_) { until = std::min(until, kill_at_); }
        if (ended_at_ ? interruption_ != Interruption::none : child_->exit_fd() < 0) {
            until = std::min(until, now + std::chrono::milliseconds{10});
        }
        const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
        if (::poll(sources.data(), sources.size(), static_cast<int>(timeout)) <= 0) { return; }
        if (sources[0].revents != 0) { read_once(); }
    }

    /// Whether there may be more at once.
    bool read_once() {
        const auto got = ::read(output_.get(), chunk_.data(), chunk_.size());
        if (got > 0) {
            tail_.append({chunk_.data(), static_cast<std::size_t>(got)});
            return true;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) { return errno == EINTR; }
        output_.reset();
        return false;
    }

    // At most what a pipe holds: a writer in the background must not keep this loop going.
    void read_what_is_there() {
        for (int chunks = 0; chunks < 32 && output_ && read_once(); ++chunks) {}
    }

    [[nodiscard]] CommandOutcome outcome() const {
        CommandOutcome outcome;
        if (status_ && WIFEXITED(*status_)) { outcome.exit_status = WEXITSTATUS(*status_); }
        if (status_ && WIFSIGNALED(*status_)) { outcome.signal = WTERMSIG(*status_); }
        outcome.interruption = interruption_;
        outcome.output = tail_.text();
        outcome.output_bytes = tail_.total();
        return outcome;
    }

    std::chrono::nanoseconds grace_;
    std::chrono::nanoseconds linger_;
    TailBuffer tail_;
    std::optional<ChildProcess> child_ = {};
    UniqueFd output_ = {};
    Pipe wake_ = {};
    Interruption interruption_ = Interruption::none;
    Clock::time_point kill_at_ = {};
    std::optional<Clock::time_point> ended_at_ = {};
    std::optional<int> status_ = {};
    std::vector<char> chunk_ = std::vector<char>(65536); // a pipe's worth; too much for small stacks
};

} // namespace daybook::inline v0::detail

#endif

#endif
