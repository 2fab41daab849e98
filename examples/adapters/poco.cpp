// SPDX-License-Identifier: MIT
//
// A POCO server, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/poco.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>

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

    const Poco::Net::ServerSocket socket{Poco::Net::SocketAddress{"127.0.0.1", 8080}};
    Poco::Net::HTTPServer server{new daybook::PocoHandlerFactory{router}, socket, new Poco::Net::HTTPServerParams};
    server.start();

    int signal = 0;
    sigwait(&signals, &signal);
    server.stopAll(true);
    scheduler.stop(10s);
}
