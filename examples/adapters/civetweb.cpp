// SPDX-License-Identifier: MIT
//
// A civetweb server, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/civetweb.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <civetweb.h>

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

    const char* options[] = {"listening_ports",
                             "127.0.0.1:8080",
                             "decode_url",
                             "no",
                             "enable_keep_alive",
                             "yes",
                             "tcp_nodelay",
                             "1",
                             "access_control_allow_origin", // empty: no other site's page may call it
                             "",
                             nullptr};
    const mg_callbacks callbacks{};
    const daybook::CivetwebAdapter adapter{router};
    auto* const server = mg_start(&callbacks, nullptr, options);
    if (server == nullptr) { return 1; }
    daybook::mount(server, adapter);

    int signal = 0;
    sigwait(&signals, &signal);
    mg_stop(server);
    scheduler.stop(10s);
}
