// SPDX-License-Identifier: MIT
//
// A libevent program with a path of its own, and the history of its jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/evhttp.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <chrono>
#include <csignal>

using namespace std::chrono_literals;

int main() {
    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });
    scheduler.start();

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    auto* const base = event_base_new();
    auto* const server = evhttp_new(base);
    evhttp_set_cb(
        server, "/hello",
        [](evhttp_request* request, void*) {
            evbuffer_add_printf(evhttp_request_get_output_buffer(request), "hello\n");
            evhttp_send_reply(request, 200, nullptr, nullptr);
        },
        nullptr);
    const daybook::EvhttpAdapter adapter{router};
    daybook::mount(server, adapter);
    if (evhttp_bind_socket(server, "127.0.0.1", 8080) != 0) { return 1; }

    auto* const interrupt = evsignal_new(
        base, SIGINT, [](evutil_socket_t, short, void* loop) { event_base_loopbreak(static_cast<event_base*>(loop)); },
        base);
    event_add(interrupt, nullptr);
    event_base_dispatch(base);

    event_free(interrupt);
    evhttp_free(server);
    event_base_free(base);
    scheduler.stop(10s);
}
