// SPDX-License-Identifier: MIT

/// @file
/// A program that uses both adapters: a log with JSON results, served by the program's own server, asked over a real
/// socket.

#include <daybook/adapters/httplib.hpp>
#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <cstdio>
#include <thread>

int main() {
    daybook::JobExecutionLog<nlohmann::json> log{100};
    const auto run = log.record_start("dingdong_1", "dingdong", "ding");
    log.record_success(run, nlohmann::json{{"answer", 42}});

    daybook::http::Router router;
    router.add(daybook::http::executions_api(log));

    httplib::Server server;
    daybook::mount(server, router);
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread serving([&server] { server.listen_after_bind(); });

    httplib::Client client("127.0.0.1", port);
    const auto reply = client.Get("/api/executions?limit=1");
    server.stop();
    serving.join();

    if (!reply || reply->status != 200) {
        std::puts("no answer");
        return 1;
    }
    std::puts(reply->body.c_str());
    const auto page = nlohmann::json::parse(reply->body);
    return page.at("records").at(0).at("result").at("answer") == 42 ? 0 : 1;
}
