// SPDX-License-Identifier: MIT
//
// A listener of the C++ REST SDK, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/cpprestsdk.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <cpprest/http_listener.h>

#include <chrono>
#include <csignal>

using namespace std::chrono_literals;

int main() {
    sigset_t signals; // Ctrl-C is waited for below, so it is blocked before there are other threads
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });
    scheduler.start();

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    web::http::experimental::listener::http_listener listener{"http://127.0.0.1:8080/"};
    daybook::mount(listener, router);
    listener.open().get();

    int signal = 0;
    sigwait(&signals, &signal);
    listener.close().get();
    scheduler.stop(10s);
}
