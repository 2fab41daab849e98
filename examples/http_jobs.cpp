// SPDX-License-Identifier: MIT
//
// Jobs that are requests to other servers, made of data. Usage: http_jobs [URL]; without one the program serves itself.
#include <daybook/adapters/httplib_client.hpp>
#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char* argv[]) {
    httplib::Server server; // elsewhere, as a rule
    server.Post("/tick", [](const httplib::Request& request, httplib::Response& response) {
        response.set_content("got " + request.body, "text/plain");
    });
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread listener{[&] { server.listen_after_bind(); }};
    const std::string url = argc > 1 ? argv[1] : "http://127.0.0.1:" + std::to_string(port) + "/tick";

    daybook::Scheduler scheduler;
    // Whoever may add jobs may make this program ask any of these, and nothing else.
    const auto host = daybook::http::parse_http_url(url).authority();
    daybook::add_http_handler<daybook::nlohmann_json>(scheduler.handlers(),
                                                      {.allow_url = daybook::http::allow_hosts({host})});
    scheduler.add({.id = "tick",
                   .handler_id = "http",
                   .method_name = "request",
                   .schedule = daybook::every(500ms),
                   .retry = daybook::exponential_backoff(),
                   .timeout = 10s,
                   .parameters = R"({"url":")" + url + R"(","body":"{\"hello\":\"world\"}"})"});
    scheduler.start();
    std::this_thread::sleep_for(2s);
    scheduler.stop(1s);

    for (const auto& record : scheduler.log().query({.limit = 10}).records) {
        std::printf("%s %s\n", std::string{to_string(record.status)}.c_str(),
                    record.error.value_or(record.result.value_or("")).c_str());
        for (const auto& [name, value] : record.metadata) { std::printf("  %s=%s\n", name.c_str(), value.c_str()); }
    }
    server.stop();
    listener.join();
}
