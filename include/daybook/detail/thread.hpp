// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_THREAD_HPP
#define DAYBOOK_DETAIL_THREAD_HPP

/// @file
/// A thread as a library should start one: it takes no signal from the host, carries a name, and is joined.

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <csignal>
#include <pthread.h>
#include <signal.h>
#endif

namespace daybook::inline v0::detail {

/// While it lives, the calling thread blocks signals, and so does every thread that it starts. The four that report a
/// fault of the thread itself stay open: blocking them is undefined when the fault occurs (POSIX.1-2017, sigprocmask),
/// and would take the host's crash handler away.
class SignalsBlocked {
public:
#if defined(__unix__) || defined(__APPLE__)
    SignalsBlocked() noexcept {
        sigset_t blocked;
        ::sigfillset(&blocked);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) { ::sigdelset(&blocked, fault); }
        ::pthread_sigmask(SIG_SETMASK, &blocked, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
#else
    SignalsBlocked() noexcept = default;
    ~SignalsBlocked() {} // NOLINT(modernize-use-equals-default): used as a guard, must not look unused
#endif
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
#if defined(__unix__) || defined(__APPLE__)
    sigset_t before_;
#endif
};

/// Names the calling thread for debuggers and `top`: at most 15 bytes, the rest is cut. Does nothing where the system
/// has no such names.
inline void name_this_thread([[maybe_unused]] std::string_view name) noexcept {
    std::array<char, 16> text{}; // Linux refuses longer ones (pthread_setname_np(3))
    name.copy(text.data(), text.size() - 1);
#if defined(__linux__)
    ::pthread_setname_np(::pthread_self(), text.data());
#elif defined(__APPLE__)
    ::pthread_setname_np(text.data());
#endif
}

/// Owns one thread; joins it when destroyed. A default-constructed one has none.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
class NamedThread {
public:
    NamedThread() noexcept = default;

    /// Starts a thread that calls `on_start`, if there is one, and then `body`.
    /// @param on_start  Runs first, on the new thread, with its name set. What it throws is dropped.
    /// @param body      Must not throw.
    /// @throws std::system_error  The system has no thread left.
    template <class Body>
    NamedThread(std::string_view name, std::function<void()> on_start, Body body) {
        const SignalsBlocked guard; // the new thread inherits the mask of this one
        thread_ =
            std::thread{[name = std::string{name}, on_start = std::move(on_start), body = std::move(body)]() mutable {
                name_this_thread(name);
                if (on_start) {
                    try {
                        on_start();
                    } catch (...) { // NOLINT(bugprone-empty-catch): a hook is no reason not to work
                    }
                    on_start = nullptr;
                }
                body();
            }};
    }

    NamedThread(NamedThread&&) noexcept = default;
    NamedThread& operator=(NamedThread&& other) noexcept {
        join();
        thread_ = std::move(other.thread_);
        return *this;
    }

    /// Waits for the thread. Destroying it on itself ends the process (std::terminate).
    ~NamedThread() { join(); }

    /// Waits until the thread is over; at once if there is none.
    void join() noexcept {
        if (thread_.joinable()) { thread_.join(); }
    }

    [[nodiscard]] bool joinable() const noexcept { return thread_.joinable(); }
    [[nodiscard]] std::thread::id id() const noexcept { return thread_.get_id(); }

private:
    std::thread thread_;
};

} // namespace daybook::inline v0::detail

#endif
