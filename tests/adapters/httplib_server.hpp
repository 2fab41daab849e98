// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_ADAPTERS_HTTPLIB_SERVER_HPP
#define DAYBOOK_TESTS_ADAPTERS_HTTPLIB_SERVER_HPP

/// @file
/// A server of the program's own, as a user has one, and a client that says exactly what it is told to.

#include <daybook/adapters/httplib.hpp>
#include <daybook/http/router.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

/// An httplib::Server on a port of 127.0.0.1 that the system chooses, with routes of its own beside the router's.
class HttplibServer {
public:
    explicit HttplibServer(const daybook::http::Router& router,
                           const std::function<void(httplib::Server&)>& configure = {}) {
        server_.Get("/own", [](const httplib::Request&, httplib::Response& response) {
            response.set_content("the program's own", "text/plain");
        });
        server_.set_tcp_nodelay(true);
        if (configure) { configure(server_); }
        daybook::mount(server_, router);
        server_.Get("/own/later", [](const httplib::Request&, httplib::Response& response) {
            response.set_content("registered later", "text/plain");
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        if (port_ < 0) { throw std::runtime_error{"no port on 127.0.0.1"}; }
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) { std::this_thread::yield(); }
    }
    HttplibServer(const HttplibServer&) = delete;
    HttplibServer& operator=(const HttplibServer&) = delete;
    ~HttplibServer() {
        server_.stop();
        thread_.join();
    }

    [[nodiscard]] int port() const noexcept { return port_; }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    /// Sends each of the texts on one connection, every but the last being answered before the next is sent, and gives
    /// back whatever comes until the server closes it.
    [[nodiscard]] std::string exchange(std::initializer_list<std::string_view> texts) const {
        const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port_));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        std::string answers;
        if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
            std::size_t sent = 0;
            for (const auto text : texts) {
                send_all(connection, text);
                const bool is_last = ++sent == texts.size();
                const auto begin = answers.size();
                while ((is_last || !is_whole(std::string_view{answers}.substr(begin))) &&
                       receive(connection, answers)) {}
            }
        }
        ::close(connection);
        return answers;
    }

    /// One request on a connection of its own; `lines` are more header lines, each with its end.
    [[nodiscard]] std::string ask(std::string_view method, std::string_view target, std::string_view lines = {},
                                  std::string_view body = {}) const {
        std::string bytes{method};
        bytes.append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1:").append(std::to_string(port_));
        bytes.append("\r\nConnection: close\r\n").append(lines).append("\r\n").append(body);
        return exchange({bytes});
    }

private:
    static void send_all(int connection, std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) { return; }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    /// Whether more may come.
    [[nodiscard]] static bool receive(int connection, std::string& to) {
        char buffer[4096];
        const auto received = ::recv(connection, buffer, sizeof buffer, 0);
        if (received > 0) { to.append(buffer, static_cast<std::size_t>(received)); }
        return received > 0;
    }

    /// Whether this is a response to the end of its body.
    [[nodiscard]] static bool is_whole(std::string_view answer) {
        const std::string_view name = "Content-Length: ";
        const auto end = answer.find("\r\n\r\n");
        const auto length = answer.find(name);
        if (end == std::string_view::npos || length > end) { return false; }
        return answer.size() >= end + 4 + std::stoul(std::string{answer.substr(length + name.size(), 9)});
    }

    httplib::Server server_;
    std::thread thread_;
    int port_ = -1;
};

#endif
