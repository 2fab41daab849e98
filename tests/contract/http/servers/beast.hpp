// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_BEAST_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_BEAST_HPP

/// @file
/// The ready server over Boost.Beast, on two threads.

#include "contract/http/server.hpp"

#include <daybook/adapters/beast.hpp>
#include <daybook/http/router.hpp>

#include <boost/asio/io_context.hpp>

#include <array>
#include <string_view>
#include <thread>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "beast";

    explicit ContractServer(daybook::http::Router router)
        : server_{context_, std::move(router), {.port = 0, .max_header_bytes = 32768}} {
        for (auto& thread : threads_) {
            thread = std::thread{[this] { context_.run(); }};
        }
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        server_.stop();
        for (auto& thread : threads_) { thread.join(); }
    }

    [[nodiscard]] int port() const noexcept { return server_.port(); }

private:
    boost::asio::io_context context_;
    daybook::BeastServer server_;
    std::array<std::thread, 2> threads_;
};

#endif
