// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_HTTPLIB_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_HTTPLIB_HPP

/// @file
/// cpp-httplib, as a program sets it up that wants it quick.

#include "contract/http/server.hpp"

#include <daybook/adapters/httplib.hpp>
#include <daybook/http/router.hpp>

#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "httplib";
    static constexpr contract::KnownLimit known_limits[] = {
        {"pipelined: *", "httplib drops what it has read of the next request with the answer to the one before"},
        {"header: an escape in it is none", "httplib decodes escapes in the values of headers"},
        {"token: encoded", "httplib decodes escapes in the values of headers"},
#ifdef CPPHTTPLIB_HEADER_MAX_COUNT // later ones
        {"header: 2,000 of *", "httplib takes the headers beyond the number that it allows for requests"},
        {"header: 20,000 of them", "httplib takes the headers beyond the number that it allows for requests"},
#endif
    };

    explicit ContractServer(daybook::http::Router router) {
        server_.set_tcp_nodelay(true);
        server_.set_keep_alive_timeout(1); // stopping waits for idle connections
        server_.set_read_timeout(2);
        // One connection takes one thread; its default is 8 or the number of cores.
        server_.new_task_queue = [] { return new httplib::ThreadPool{16}; };
        daybook::mount(server_, std::move(router));
        port_ = server_.bind_to_any_port("127.0.0.1");
        if (port_ < 0) { throw std::runtime_error{"no port on 127.0.0.1"}; }
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) { std::this_thread::yield(); }
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        server_.stop();
        thread_.join();
    }

    [[nodiscard]] int port() const noexcept { return port_; }

private:
    httplib::Server server_;
    std::thread thread_;
    int port_ = -1;
};

#endif
