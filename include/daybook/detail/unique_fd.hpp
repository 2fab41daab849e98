// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_UNIQUE_FD_HPP
#define DAYBOOK_DETAIL_UNIQUE_FD_HPP

/// @file
/// A file descriptor that is closed with its owner, and pipes made of two of them (POSIX).

#if !defined(_WIN32)

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace daybook::inline v0::detail {

/// Owns one descriptor, or none (-1).
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept : fd_{fd} {}
    UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

    /// Closes it. An interrupted close is not repeated: on Linux the descriptor is gone by then.
    void reset() noexcept {
        if (fd_ >= 0) { ::close(std::exchange(fd_, -1)); }
    }

private:
    int fd_ = -1;
};

/// Moves a descriptor above the three standard ones, so that arranging those for a child cannot overwrite it. A program
/// that has closed its standard input gets small numbers from every call that opens something.
inline UniqueFd above_standard(UniqueFd fd) {
    if (!fd || fd.get() > STDERR_FILENO) { return fd; }
    UniqueFd moved{::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
    if (!moved) { throw std::system_error{errno, std::generic_category(), "cannot duplicate a descriptor"}; }
    return moved;
}

struct Pipe {
    UniqueFd read_end = {};
    UniqueFd write_end = {};
};

inline void set_non_blocking(const UniqueFd& fd) noexcept {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

/// A pipe whose ends are closed on exec. Throws std::system_error when there are no descriptors left.
inline Pipe make_pipe() {
    int ends[2] = {-1, -1};
#if defined(__APPLE__)
    const int failed = ::pipe(ends);
#else
    const int failed = ::pipe2(ends, O_CLOEXEC);
#endif
    if (failed != 0) { throw std::system_error{errno, std::generic_category(), "cannot make a pipe"}; }
    Pipe pipe{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
#if defined(__APPLE__)
    ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    pipe.read_end = above_standard(std::move(pipe.read_end));
    pipe.write_end = above_standard(std::move(pipe.write_end));
    return pipe;
}

} // namespace daybook::inline v0::detail

#endif

#endif
