// SPDX-License-Identifier: MIT
//
// A program that has an event loop already, here epoll, and wants no other thread: the loop drives the scheduler. One
// of the jobs starts a command and is over when the loop has read its output. Linux; ends by itself, or at Ctrl-C.
#include <daybook/daybook.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

/// The loop that is there anyway: descriptors, and what to do when one is readable. What returns false is not called
/// again.
class Loop {
public:
    Loop() = default;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop() { ::close(epoll_); }

    void watch(int descriptor, std::function<bool()> on_readable) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
        handlers_[descriptor] = std::move(on_readable);
    }
    void wait() {
        epoll_event event{};
        if (::epoll_wait(epoll_, &event, 1, -1) != 1) { return; }
        const auto found = handlers_.find(event.data.fd);
        if (!found->second()) { handlers_.erase(found); }
    }

private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::map<int, std::function<bool()>> handlers_;
};

/// Makes the timer readable when the scheduler has something to do, and when somebody sets the wall clock: jobs that
/// follow it may be due earlier then. Setting it in this very moment is answered by ECANCELED.
void arm(int timer, const daybook::AnyScheduler& scheduler) {
    itimerspec spec{};
    do {
        const auto wait = std::min<std::chrono::nanoseconds>(scheduler.until_due(), 1min);
        const auto due = std::chrono::system_clock::now().time_since_epoch() + wait;
        const auto whole = std::chrono::floor<std::chrono::seconds>(due);
        spec.it_value = {.tv_sec = whole.count(), .tv_nsec = std::chrono::nanoseconds{due - whole}.count()};
    } while (::timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr) != 0 &&
             errno == ECANCELED);
}

} // namespace

int main() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, nullptr); // they come to the loop instead
    const int signal = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    const int timer = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

    Loop loop;
    daybook::Scheduler scheduler{{.workers = 0}};
    scheduler.add("tick", daybook::cron("* * * * * *"), [] { return "on the second"; });
    scheduler.add("ask", daybook::every(400ms), [&](daybook::JobContext&, daybook::Completion<std::string> done) {
        std::FILE* const pipe = ::popen("sleep 0.2; printf 'the answer'", "re");
        if (pipe == nullptr) { return; } // the completion is dropped, which is an error
        loop.watch(::fileno(pipe), [pipe, done, text = std::string{}]() mutable {
            char chunk[256];
            if (const auto got = ::read(::fileno(pipe), chunk, sizeof chunk); got > 0) {
                text.append(chunk, static_cast<std::size_t>(got));
                return true;
            }
            ::pclose(pipe);
            done.success(std::move(text));
            return false;
        });
    });
    scheduler.add("end", daybook::at(std::chrono::steady_clock::now() + 2500ms), [] { std::raise(SIGTERM); });

    bool is_ending = false;
    loop.watch(signal, [&] {
        signalfd_siginfo info{};
        if (::read(signal, &info, sizeof info) == sizeof info) {
            std::printf("signal %u: stopping\n", info.ssi_signo);
            scheduler.request_stop(); // stop() would wait for what only this loop can finish
            is_ending = true;
        }
        return true;
    });
    loop.watch(timer, [&] {
        std::uint64_t count = 0;
        if (::read(timer, &count, sizeof count) < 0 && errno == ECANCELED) { std::puts("the clock was set"); }
        return true;
    });

    scheduler.start();
    while (!is_ending || scheduler.log().stats().running != 0) {
        scheduler.poll();
        arm(timer, scheduler);
        loop.wait();
    }
    ::close(timer);
    ::close(signal);

    for (const auto& record : scheduler.log().query({.limit = 20}).records) {
        const std::string status{to_string(record.status)};
        std::printf("%-4s %-9s %s\n", record.job_id.c_str(), status.c_str(), record.result.value_or("").c_str());
    }
}
