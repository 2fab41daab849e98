// SPDX-License-Identifier: MIT
//
// An Oat++ server, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/oatpp.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <oatpp/network/Server.hpp>
#include <oatpp/network/tcp/server/ConnectionProvider.hpp>
#include <oatpp/web/server/HttpConnectionHandler.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

using namespace std::chrono_literals;

#if __has_include(<oatpp/Environment.hpp>)
using Environment = oatpp::Environment; // since 1.4
#else
using Environment = oatpp::base::Environment;
#endif

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

    Environment::init();
    const auto routes = oatpp::web::server::HttpRouter::createShared();
    daybook::mount(*routes, router);
    const auto handler = oatpp::web::server::HttpConnectionHandler::createShared(routes);
    const auto provider = oatpp::network::tcp::server::ConnectionProvider::createShared(
        {"127.0.0.1", 8080, oatpp::network::Address::IP_4}, true); // true: the peer's address, for the audit
    oatpp::network::Server server{provider, handler};
    std::thread thread{[&] { server.run(); }};

    int signal = 0;
    sigwait(&signals, &signal);
    server.stop();
    provider->stop();
    thread.join();
    handler->stop();
    scheduler.stop(10s);
}
