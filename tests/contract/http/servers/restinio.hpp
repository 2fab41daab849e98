// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_RESTINIO_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_RESTINIO_HPP

/// @file
/// A restinio server on two threads.

#include "contract/http/server.hpp"

#include <daybook/adapters/restinio.hpp>
#include <daybook/http/router.hpp>

#include <restinio/asio_timer_manager.hpp>
#include <restinio/http_server_run.hpp>
#include <restinio/null_logger.hpp>
#include <restinio/traits.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "restinio";

    explicit ContractServer(daybook::http::Router router) {
        auto settings = restinio::server_settings_t<>{}
                            .address("127.0.0.1")
                            .port(0)
                            .incoming_http_msg_limits(daybook::RestinioAdapter::limits(router))
                            .max_pipelined_requests(16)
                            .read_next_http_message_timelimit(std::chrono::seconds{3})
                            .acceptor_post_bind_hook([this](restinio::asio_ns::ip::tcp::acceptor& acceptor) {
                                port_ = acceptor.local_endpoint().port();
                            })
                            .request_handler(daybook::RestinioAdapter{std::move(router)});
        server_ = restinio::run_async(restinio::own_io_context(), std::move(settings), 2);
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        server_->stop();
        server_->wait();
    }

    [[nodiscard]] int port() const { return port_; }

    static constexpr std::string_view closing = "what it does not take it closes without an answer";
    static constexpr contract::KnownLimit known_limits[] = {
        {"method: an unknown one", closing},
        {"method: in lower case", closing},
        {"form: with a file, one byte too large", closing},
    };

private:
    int port_ = 0;
    restinio::running_server_handle_t<restinio::default_traits_t> server_;
};

#endif
