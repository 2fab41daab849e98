// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CHILD_PROCESS_HPP
#define DAYBOOK_DETAIL_CHILD_PROCESS_HPP

/// @file
/// One child process in a process group of its own: started with nothing of its parent's but what it was given,
/// watched, signalled and reaped by its own id alone (POSIX).

#if !defined(_WIN32)

#include <daybook/detail/process_group.hpp>
#include <daybook/detail/unique_fd.hpp>

#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

namespace daybook::inline v0::detail {

/// What a child is started with; the pointers are those of execve.
struct SpawnRequest {
    const char* path = nullptr;
    char* const* arguments = nullptr;
    char* const* environment = nullptr;
    const char* working_directory = nullptr; ///< null: the parent's
    int standard_input = -1;                 ///< -1: /dev/null
    int standard_output = -1;                ///< also its standard error
};

/// How the end of a child is noticed.
enum class ExitWatch : unsigned char {
    descriptor, ///< a pidfd that becomes readable, where the system has it
    polling,    ///< by asking again and again
};

/// posix_spawn's two argument objects, released with their owner.
class SpawnAttributes {
public:
    SpawnAttributes() {
        check(::posix_spawn_file_actions_init(&actions));
        if (const int error = ::posix_spawnattr_init(&attributes)) {
            ::posix_spawn_file_actions_destroy(&actions);
            check(error);
        }
    }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    ~SpawnAttributes() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&actions);
    }

    static void check(int error) {
        if (error != 0) { throw std::system_error{error, std::generic_category(), "cannot prepare a process"}; }
    }

    posix_spawn_file_actions_t actions = {};
    posix_spawnattr_t attributes = {};
};

/// A started child. Until it is reaped its id, and the id of its group, cannot be given to anybody else: that is why it
/// is signalled before and reaped last.
class ChildProcess {
public:
    /// @throws std::system_error  It could not be started; the text names the program.
    explicit ChildProcess(const SpawnRequest& request, ExitWatch watch = ExitWatch::descriptor) {
        SpawnAttributes spawn;
        arrange_signals(spawn);
        arrange_descriptors(spawn, request);
        if (request.working_directory != nullptr) {
            SpawnAttributes::check(::posix_spawn_file_actions_addchdir_np(&spawn.actions, request.working_directory));
        }
        if (const int error = ::posix_spawn(&pid_, request.path, &spawn.actions, &spawn.attributes, request.arguments,
                                            request.environment)) {
            std::string what = std::string{"cannot start "} + request.path;
            if (request.working_directory != nullptr) { what.append(" in ").append(request.working_directory); }
            throw std::system_error{error, std::generic_category(), what};
        }
#if defined(SYS_pidfd_open)
        // Absent before Linux 5.3, and refused by some sandboxes; then the end is found by polling.
        if (watch == ExitWatch::descriptor) {
            exit_fd_ = UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
        }
#else
        static_cast<void>(watch);
#endif
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// A child that was not reaped is killed with its group: nothing is left behind by an exception.
    ~ChildProcess() {
        if (reaped_) { return; }
        signal_group(SIGKILL);
        static_cast<void>(reap());
    }

    /// Readable once the child has ended; -1: has_ended() must be asked from time to time.
    [[nodiscard]] int exit_fd() const noexcept { return exit_fd_.get(); }

    /// Whether it has ended, reaped or not. A program that ignores SIGCHLD has its children reaped by the system.
    [[nodiscard]] bool has_ended() const noexcept {
        if (reaped_) { return true; }
        siginfo_t info = {};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
            return errno == ECHILD;
        }
        return info.si_pid != 0;
    }

    /// Waits for its end and returns the status of waitpid; empty when somebody else has taken it.
    std::optional<int> reap() noexcept {
        int status = 0;
        pid_t got = -1;
        do { got = ::waitpid(pid_, &status, 0); } while (got < 0 && errno == EINTR);
        reaped_ = true;
        return got == pid_ ? std::optional<int>{status} : std::nullopt;
    }

    /// Signals every process of the group; one that is gone or not ours to signal is passed over.
    void signal_group(int signal) const noexcept { ::kill(-pid_, signal); }

    /// After reap(): whether no process of the group is left. The group's id stays taken as long as there is one.
    [[nodiscard]] bool group_has_ended() const { return detail::group_has_ended(pid_); }

private:
    // The threads of this library block all signals, and a host may ignore some: a child inherits both unless told
    // otherwise, and would then shrug off SIGTERM or never see SIGPIPE.
    static void arrange_signals(SpawnAttributes& spawn) {
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::sigdelset(&all, SIGKILL);
        ::sigdelset(&all, SIGSTOP);
        SpawnAttributes::check(::posix_spawnattr_setsigmask(&spawn.attributes, &none));
        SpawnAttributes::check(::posix_spawnattr_setsigdefault(&spawn.attributes, &all));
        SpawnAttributes::check(::posix_spawnattr_setpgroup(&spawn.attributes, 0));
        auto flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
#if defined(__APPLE__)
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
        SpawnAttributes::check(::posix_spawnattr_setflags(&spawn.attributes, static_cast<short>(flags)));
    }

    static void arrange_descriptors(SpawnAttributes& spawn, const SpawnRequest& request) {
        auto* actions = &spawn.actions;
        if (request.standard_input < 0) {
            SpawnAttributes::check(::posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
        } else {
            SpawnAttributes::check(::posix_spawn_file_actions_adddup2(actions, request.standard_input, STDIN_FILENO));
        }
        SpawnAttributes::check(::posix_spawn_file_actions_adddup2(actions, request.standard_output, STDOUT_FILENO));
        SpawnAttributes::check(::posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO));
        close_the_rest(actions);
    }

    // A host's own descriptors, sockets above all, are seldom all marked close-on-exec: an accepted connection that a
    // command inherits stays open until the command ends.
    static void close_the_rest(posix_spawn_file_actions_t* actions) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
        SpawnAttributes::check(::posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1));
#elif !defined(__APPLE__)
        std::vector<int> open;
        if (auto* directory = ::opendir("/dev/fd")) {
            while (const auto* entry = ::readdir(directory)) {
                if (entry->d_name[0] < '0' || entry->d_name[0] > '9') { continue; }
                if (const int fd = std::stoi(entry->d_name); fd > STDERR_FILENO && fd != ::dirfd(directory)) {
                    open.push_back(fd);
                }
            }
            ::closedir(directory);
        }
        for (const int fd : open) { SpawnAttributes::check(::posix_spawn_file_actions_addclose(actions, fd)); }
#else
        static_cast<void>(actions);
#endif
    }

    pid_t pid_ = -1;
    bool reaped_ = false;
    UniqueFd exit_fd_ = {};
};

} // namespace daybook::inline v0::detail

#endif

#endif
