// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_MICROHTTPD_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_MICROHTTPD_HPP

/// @file
/// A libmicrohttpd daemon with one thread for all connections.

#include "contract/http/server.hpp"

#include <daybook/adapters/microhttpd.hpp>
#include <daybook/http/router.hpp>

#include <netinet/in.h>

#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "microhttpd";

    explicit ContractServer(daybook::http::Router router) : adapter_{std::move(router)} {
        auto options = daybook::MicrohttpdAdapter::options();
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        daemon_ = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, nullptr, nullptr,
                                   &daybook::MicrohttpdAdapter::answer, adapter_.context(), MHD_OPTION_ARRAY,
                                   options.data(), MHD_OPTION_SOCK_ADDR, reinterpret_cast<const sockaddr*>(&address),
                                   MHD_OPTION_CONNECTION_TIMEOUT, 3U, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                   std::size_t{1} << 16U, MHD_OPTION_END);
        if (daemon_ == nullptr) { throw std::runtime_error{"no port on 127.0.0.1"}; }
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() { MHD_stop_daemon(daemon_); }

    [[nodiscard]] int port() const noexcept { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port; }

    static constexpr std::string_view twice = "0.9.75 sends the head of its own refusal twice, then closes";
    static constexpr std::string_view memory =
        "it answers 500 itself where a chunk's first line is larger than its memory";
    static constexpr contract::KnownLimit known_limits[] = {
        {"length: below 0", twice},
        {"length: no number", twice},
        {"length: with a sign", twice},
        {"length: in hexadecimal", twice},
        {"length: with a fraction", twice},
        {"length: with a space in it", twice},
        {"length: empty", twice},
        {"length: of 2^64 + 3", twice},
        {"length: of 200 digits", twice},
        {"length: a list", twice},
        {"chunks: a size of 100 KB of zeros", memory},
        {"chunks: an extension of 100 KB", memory},
    };

private:
    const daybook::MicrohttpdAdapter adapter_;
    MHD_Daemon* daemon_ = nullptr;
};

#endif
