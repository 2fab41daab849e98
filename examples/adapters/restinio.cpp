// SPDX-License-Identifier: MIT
//
// A restinio server with a path of its own, and the history of the jobs at http://127.0.0.1:8080/history until Ctrl-C.
#include <daybook/adapters/restinio.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <restinio/asio_timer_manager.hpp>
#include <restinio/http_server_run.hpp>
#include <restinio/null_logger.hpp>
#include <restinio/router/express.hpp>
#include <restinio/traits.hpp>

#include <chrono>
#include <memory>
#include <utility>

using namespace std::chrono_literals;

int main() {
    daybook::Scheduler scheduler;
    scheduler.add("greet", daybook::every(2s), [] { return "hello"; });
    scheduler.start();

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log())).add(daybook::http::dashboard());

    using Routes = restinio::router::express_router_t<>;
    struct Traits : restinio::default_traits_t {
        using request_handler_t = Routes;
    };
    auto routes = std::make_unique<Routes>();
    routes->http_get("/hello",
                     [](const auto& request, auto) { return request->create_response().set_body("hello\n").done(); });
    routes->non_matched_request_handler(daybook::RestinioAdapter{router});

    restinio::run(restinio::on_thread_pool<Traits>(2) // until Ctrl-C
                      .address("127.0.0.1")
                      .port(8080)
                      .incoming_http_msg_limits(daybook::RestinioAdapter::limits(router))
                      .request_handler(std::move(routes)));
    scheduler.stop(10s);
}
