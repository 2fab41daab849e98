// SPDX-License-Identifier: MIT
//
// A program that has an HTTP server already, with routes of its own, and shows the history of its jobs beside them.
// Usage: embedded_http [PORT]; it ends at Ctrl-C.
//
//   curl localhost:8080/sessions
//   curl "localhost:8080/admin/api/executions?limit=3"
//   curl -X POST -H "Authorization: Bearer open sesame" localhost:8080/admin/api/executions/clear
#include <daybook/adapters/httplib.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char* argv[]) {
    // Ctrl-C is for the thread below alone, so it is blocked before there are others.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    std::atomic<std::uint64_t> sessions{0};
    daybook::Scheduler scheduler;
    scheduler.add("expire_sessions", daybook::every(2s), [&](daybook::JobContext& job) {
        const auto expired = sessions.exchange(0);
        job.records_processed(expired);
        return std::to_string(expired) + " expired";
    });
    scheduler.start();

    // The program's own server: nothing about it changes.
    httplib::Server server;
    server.set_tcp_nodelay(true);
    server.Get("/sessions", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content("you are session " + std::to_string(++sessions) + "\n", "text/plain");
    });

    // Everybody may read the history; only who knows the token may clear it.
    daybook::http::Router router{{.prefix = "/admin", .authorize = daybook::http::changes_with_token("open sesame")}};
    router.add(daybook::http::executions_api(scheduler.log()));
    router.add(daybook::http::dashboard());
    daybook::mount(server, router);

    const int port = argc > 1 ? std::atoi(argv[1]) : 8080;
    if (!server.bind_to_port("127.0.0.1", port)) {
        std::fprintf(stderr, "port %d is not free\n", port);
        return 1;
    }
    std::thread ender{[&] {
        int signal = 0;
        sigwait(&signals, &signal);
        server.stop();
    }};
    std::printf("http://127.0.0.1:%d/sessions and http://127.0.0.1:%d/admin/history\n", port, port);
    std::fflush(stdout);
    server.listen_after_bind();
    ender.join();
    scheduler.stop(10s);
}
