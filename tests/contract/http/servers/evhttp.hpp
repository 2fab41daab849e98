// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_EVHTTP_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_EVHTTP_HPP

/// @file
/// An evhttp server whose event loop has a thread of its own.

#include "contract/http/server.hpp"

#include <daybook/adapters/evhttp.hpp>
#include <daybook/http/router.hpp>

#include <event2/event.h>
#include <event2/thread.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "evhttp";

    explicit ContractServer(daybook::http::Router router) : adapter_{std::move(router)} {
        evthread_use_pthreads(); // for event_base_loopbreak, which another thread calls
        base_ = event_base_new();
        server_ = evhttp_new(base_);
        daybook::mount(server_, adapter_);
        evhttp_set_timeout(server_, 3);
        auto* const socket = evhttp_bind_socket_with_handle(server_, "127.0.0.1", 0);
        if (socket == nullptr) { throw std::runtime_error{"no port on 127.0.0.1"}; }
        sockaddr_in address{};
        socklen_t size = sizeof(address);
        getsockname(evhttp_bound_socket_get_fd(socket), reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] { event_base_dispatch(base_); }};
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        event_base_loopbreak(base_);
        thread_.join();
        evhttp_free(server_);
        event_base_free(base_);
    }

    [[nodiscard]] int port() const { return port_; }

    static constexpr std::string_view proxy =
        "it closes the connection after a target with a host in it, and does not say so";
    static constexpr contract::KnownLimit known_limits[] = {
        {"chunks: with extensions", "libevent 2.1 knows none, and refuses them"},
        {"version: HTTP/1.2", "it answers in the version that it has read"},
        {"target: as proxies send it*", proxy},
        {"target: a path of 1 KB", proxy}, // the case behind it
        {"prefix: as proxies send it*", proxy},
    };

private:
    const daybook::EvhttpAdapter adapter_;
    event_base* base_ = nullptr;
    evhttp* server_ = nullptr;
    int port_ = 0;
    std::thread thread_;
};

#endif
