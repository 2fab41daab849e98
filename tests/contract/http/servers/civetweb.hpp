// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_CIVETWEB_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_CIVETWEB_HPP

/// @file
/// A civetweb server that keeps connections.

#include "contract/http/server.hpp"

#include <daybook/adapters/civetweb.hpp>
#include <daybook/http/router.hpp>

#include <stdexcept>
#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "civetweb";

    explicit ContractServer(daybook::http::Router router) : adapter_{std::move(router)} {
        const char* options[] = {"listening_ports",
                                 "127.0.0.1:0",
                                 "decode_url",
                                 "no",
                                 "enable_keep_alive",
                                 "yes",
                                 "keep_alive_timeout_ms",
                                 "3000",
                                 "request_timeout_ms",
                                 "3000",
                                 "tcp_nodelay",
                                 "1",
                                 "access_control_allow_origin",
                                 "",
                                 "num_threads",
                                 "16",
                                 "max_request_size",
                                 "65536",
                                 nullptr};
        const mg_callbacks callbacks{};
        server_ = mg_start(&callbacks, nullptr, options);
        if (server_ == nullptr) { throw std::runtime_error{"no port on 127.0.0.1"}; }
        daybook::mount(server_, adapter_);
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() { mg_stop(server_); }

    [[nodiscard]] int port() const {
        mg_server_port port{};
        mg_get_server_ports(server_, 1, &port);
        return port.port;
    }

    static constexpr std::string_view first = "it refuses this itself, before any handler";
    static constexpr std::string_view version = "it answers in the version that it has read, whatever that is";
    static constexpr contract::KnownLimit known_limits[] = {
        {"method: OPTIONS of the whole server", first},
        {"target: as proxies send it*", first},
        {"prefix: as proxies send it*", first},
        {"target: a space in*", version},
        {"line: a blank at its end", version},
        {"version: *", version},
        {"header: with blanks around it", first},
        {"chunks: with extensions", "1.15 takes them for a malformed size"},
        {"chunks: with headers behind them", "1.15 does not read them, and closes the connection"},
        {"prefix: an encoded letter of it", "with decode_url=no, it looks for a handler by the undecoded path"},
        {"line: empty ones before it", first},
    };

private:
    const daybook::CivetwebAdapter adapter_;
    mg_context* server_ = nullptr;
};

#endif
