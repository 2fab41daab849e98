// SPDX-License-Identifier: MIT
//
// A Qt program with a path of its own, and the history of its jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/qt.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <QtCore/QCoreApplication>
#include <QtCore/QTimer>
#include <QtHttpServer/QHttpServer>

#include <atomic>
#include <chrono>
#include <csignal>

using namespace std::chrono_literals;

int main(int argc, char* argv[]) {
    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });
    scheduler.start();

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    QCoreApplication application{argc, argv};
    QHttpServer server;
    server.route("/hello", [] { return "hello\n"; });
    daybook::mount(server, router);
    if (server.listen(QHostAddress::LocalHost, 8080) == 0) { return 1; }

    static std::atomic<bool> is_interrupted{false};
    std::signal(SIGINT, [](int) { is_interrupted = true; });
    QTimer timer;
    QObject::connect(&timer, &QTimer::timeout, &application, [] {
        if (is_interrupted) { QCoreApplication::quit(); }
    });
    timer.start(100ms);
    QCoreApplication::exec();

    scheduler.stop(10s);
}
