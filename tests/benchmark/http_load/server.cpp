// SPDX-License-Identifier: MIT

/// @file
/// Serves a page of 100 records at /api/executions, and the same bytes as a constant at /constant. Prints its port, and
/// ends when its input does.
///
///     http_load_server httplib|beast

#include <daybook/adapters/beast.hpp>
#include <daybook/adapters/httplib.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

namespace http = daybook::http;

http::Router history() {
    daybook::JobExecutionLog<> log{1000};
    for (int index = 0; index < 100; ++index) {
        log.record_success(
            log.record_start("cleanup_sessions_" + std::to_string(index % 10), "session_handler", "cleanup"),
            "removed 1042 expired sessions, kept 77,310");
    }
    http::Router router;
    router.add(http::executions_api(log));
    return router;
}

void wait_for_end_of_input() {
    while (std::getchar() != EOF) {}
}

void tell(int port, std::size_t bytes) {
    std::printf("%d %zu\n", port, bytes);
    std::fflush(stdout);
}

void serve_with_httplib(const http::Router& router, const http::Response& page) {
    httplib::Server server;
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(1'000'000'000);
    server.Get("/constant", [&](const httplib::Request&, httplib::Response& response) {
        for (const auto& header : page.headers) { response.set_header(header.name, header.value); }
        response.body = page.body;
    });
    daybook::mount(server, router);
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread thread{[&] { server.listen_after_bind(); }};
    tell(port, page.body.size());
    wait_for_end_of_input();
    server.stop();
    thread.join();
}

void serve_with_beast(http::Router router, const http::Response& page) {
    // Its own tag is there already, so the router does not look at the bytes.
    router.add(http::Api{}.get("/constant", [&](const http::Call&) { return page; }));
    boost::asio::io_context context{1};
    daybook::BeastServer server{context, router, {.port = 0}};
    std::thread thread{[&] { context.run(); }};
    tell(server.port(), page.body.size());
    wait_for_end_of_input();
    server.stop();
    thread.join();
}

} // namespace

int main(int argc, char* argv[]) {
    try {
        const std::string_view name = argc == 2 ? argv[1] : "";
        const auto router = history();
        const auto page = router.handle({.target = "/api/executions?limit=100"});
        if (name == "httplib") {
            serve_with_httplib(router, page);
        } else if (name == "beast") {
            serve_with_beast(router, page);
        } else {
            throw std::invalid_argument{"usage: http_load_server httplib|beast"};
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
