// SPDX-License-Identifier: MIT
//
// A Crow app with a path of its own, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/crow.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <chrono>

using namespace std::chrono_literals;

int main() {
    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });
    scheduler.start();

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    crow::SimpleApp app;
    CROW_ROUTE(app, "/hello")([] { return "hello\n"; });
    daybook::mount(app, router);
    app.bindaddr("127.0.0.1").port(8080).multithreaded().run();
    scheduler.stop(10s);
}
