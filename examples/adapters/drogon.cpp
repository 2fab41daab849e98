// SPDX-License-Identifier: MIT
//
// A Drogon app with a path of its own, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/drogon.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <drogon/drogon.h>

#include <chrono>
#include <functional>

using namespace std::chrono_literals;

int main() {
    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });
    scheduler.start();

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    drogon::app().registerHandler(
        "/hello", [](const drogon::HttpRequestPtr&, std::function<void(const drogon::HttpResponsePtr&)>&& answer) {
            auto response = drogon::HttpResponse::newHttpResponse();
            response->setBody("hello\n");
            answer(response);
        });
    daybook::mount(drogon::app(), router);
    drogon::app().addListener("127.0.0.1", 8080).run();
    scheduler.stop(10s);
}
