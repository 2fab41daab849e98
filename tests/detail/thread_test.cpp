// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/thread.hpp>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <csignal>
#include <pthread.h>
#include <signal.h>
#endif

using daybook::detail::NamedThread;

TEST_CASE("a thread is joined when its owner is destroyed") {
    std::atomic<bool> done{false};
    {
        const NamedThread thread{"t", {}, [&] { done = true; }};
    }
    CHECK(done);
}

TEST_CASE("the start hook runs on the new thread before the body") {
    std::thread::id hook_ran_on;
    bool hook_was_first = false;
    NamedThread thread{"t", [&] { hook_ran_on = std::this_thread::get_id(); },
                       [&] { hook_was_first = hook_ran_on == std::this_thread::get_id(); }};
    thread.join();
    CHECK(hook_was_first);
    CHECK(hook_ran_on != std::this_thread::get_id());
}

TEST_CASE("what a start hook throws does not keep the thread from its work") {
    std::atomic<bool> done{false};
    {
        const NamedThread thread{"t", [] { throw std::runtime_error{"no"}; }, [&] { done = true; }};
    }
    CHECK(done);
}

TEST_CASE("assigning to a thread waits for the one that was there") {
    std::atomic<int> done{0};
    NamedThread thread{"a", {}, [&] { ++done; }};
    thread = NamedThread{"b", {}, [] {}};
    CHECK(done == 1);
    CHECK(thread.joinable());
    thread.join();
    CHECK_FALSE(thread.joinable());
    thread.join();
}

TEST_CASE("a thread without a body has nothing to wait for") {
    NamedThread thread;
    CHECK_FALSE(thread.joinable());
    thread.join();
}

#if defined(__linux__)

TEST_CASE("a thread carries its name, cut to fifteen bytes") {
    std::array<char, 64> name{};
    NamedThread thread{
        "a name that is too long", {}, [&] { ::pthread_getname_np(::pthread_self(), name.data(), name.size()); }};
    thread.join();
    CHECK(std::string{name.data()} == "a name that is ");
}

TEST_CASE("a thread blocks the signals of the host but not the reports of its own faults") {
    sigset_t inside;
    ::sigemptyset(&inside);
    NamedThread thread{"t", {}, [&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &inside); }};
    thread.join();
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD,
                             SIGTSTP, SIGWINCH, SIGRTMIN, SIGRTMAX}) {
        INFO("signal " << signal);
        CHECK(::sigismember(&inside, signal) == 1);
    }
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        INFO("signal " << fault);
        CHECK(::sigismember(&inside, fault) == 0);
    }
}

TEST_CASE("the thread that starts another one keeps its own signal mask") {
    sigset_t wanted;
    ::sigemptyset(&wanted);
    ::sigaddset(&wanted, SIGUSR2);
    sigset_t original;
    ::pthread_sigmask(SIG_SETMASK, &wanted, &original);
    {
        const NamedThread thread{"t", {}, [] {}};
    }
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, &original, &after);
    CHECK(::sigismember(&after, SIGUSR2) == 1);
    CHECK(::sigismember(&after, SIGTERM) == 0);
    CHECK(::sigismember(&after, SIGINT) == 0);
}

#endif
