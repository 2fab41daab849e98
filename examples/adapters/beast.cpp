// SPDX-License-Identifier: MIT
//
// A program that lives in an asio event loop, and shows the history of its jobs at http://127.0.0.1:8080/history until
// Ctrl-C.
#include <daybook/adapters/beast.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <csignal>

using namespace std::chrono_literals;

int main() {
    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    boost::asio::io_context context;
    daybook::BeastServer server{context, router, {.port = 8080}};
    boost::asio::signal_set signals{context, SIGINT, SIGTERM};
    signals.async_wait([&](const auto&, int) { server.stop(); });

    scheduler.start();
    context.run();
    scheduler.stop(10s);
}
