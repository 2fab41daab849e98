// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_EXAMPLES_CRON_DAEMON_WEB_HPP
#define DAYBOOK_EXAMPLES_CRON_DAEMON_WEB_HPP

/// @file
/// Serves the history from a thread of its own, with cpp-httplib.

#include <daybook/adapters/httplib.hpp>
#include <daybook/http.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <sys/socket.h>

class Web {
public:
    /// @param port  0: any free one; see port().
    /// @throws std::runtime_error  The address cannot be used.
    Web(daybook::http::Router router, const std::string& address, int port) : port_{port} {
        // The default lets two programs share a port, and each would get some of the requests.
        server_.set_socket_options([](socket_t socket) {
            const int on = 1;
            ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        });
        server_.set_tcp_nodelay(true);
        server_.set_keep_alive_timeout(1); // a visitor's open connection delays the end of the program by as much
        daybook::mount(server_, std::move(router));
        if (port == 0) { port_ = server_.bind_to_any_port(address); }
        if (port_ <= 0 || (port != 0 && !server_.bind_to_port(address, port))) {
            throw std::runtime_error{"cannot listen on " + address + ", port " + std::to_string(port) +
                                     ": is the address one of this machine, and the port free and allowed?"};
        }
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        // A stop that comes before the server runs would be lost.
        while (!server_.is_running()) { std::this_thread::sleep_for(std::chrono::milliseconds{1}); }
    }
    Web(const Web&) = delete;
    Web& operator=(const Web&) = delete;
    ~Web() {
        server_.stop();
        thread_.join();
    }

    [[nodiscard]] int port() const noexcept { return port_; }

private:
    httplib::Server server_ = {};
    int port_;
    std::thread thread_ = {};
};

#endif
