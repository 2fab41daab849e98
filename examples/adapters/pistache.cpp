// SPDX-License-Identifier: MIT
//
// A Pistache server with a path of its own, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/pistache.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <pistache/endpoint.h>

#include <chrono>
#include <csignal>
#include <utility>

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

    Pistache::Rest::Router routes;
    routes.get("/hello", [](const Pistache::Rest::Request&, Pistache::Http::ResponseWriter response) {
        response.send(Pistache::Http::Code::Ok, "hello\n");
        return Pistache::Rest::Route::Result::Ok;
    });
    daybook::mount(routes, router);

    Pistache::Http::Endpoint server{Pistache::Address{"127.0.0.1", Pistache::Port{8080}}};
    server.init(Pistache::Http::Endpoint::options().threads(2).maxRequestSize(router.max_body_bytes() + 32768));
    server.setHandler(routes.handler());
    server.serveThreaded();

    int signal = 0;
    sigwait(&signals, &signal);
    server.shutdown();
    scheduler.stop(10s);
}
