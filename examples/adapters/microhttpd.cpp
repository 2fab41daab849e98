// SPDX-License-Identifier: MIT
//
// A libmicrohttpd daemon with a path of its own, and the history of the jobs at http://127.0.0.1:8080/history until
// Ctrl-C.
#include <daybook/adapters/microhttpd.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>

using namespace std::chrono_literals;

namespace {

MHD_Result answer(void* adapter, MHD_Connection* connection, const char* path, const char* method, const char* version,
                  const char* data, std::size_t* size, void** state) {
    if (std::strcmp(path, "/hello") != 0) {
        return daybook::MicrohttpdAdapter::answer(adapter, connection, path, method, version, data, size, state);
    }
    char text[] = "hello\n";
    auto* const response = MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_MUST_COPY);
    const auto result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

} // namespace

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
    const daybook::MicrohttpdAdapter adapter{router};
    auto options = adapter.options();
    auto* const daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 8080, nullptr, nullptr, &answer, adapter.context(),
                         MHD_OPTION_ARRAY, options.data(), MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_END);
    if (daemon == nullptr) { return 1; }

    int signal = 0;
    sigwait(&signals, &signal);
    MHD_stop_daemon(daemon);
    scheduler.stop(10s);
}
