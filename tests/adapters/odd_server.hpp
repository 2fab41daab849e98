// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_ADAPTERS_ODD_SERVER_HPP
#define DAYBOOK_TESTS_ADAPTERS_ODD_SERVER_HPP

/// @file
/// A server that does with a connection what it is told to, which no proper server would.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

/// Serves one connection after the other on a port of 127.0.0.1 that the system chooses.
class OddServer {
public:
    /// One connection, as the server sees it. Its members return at once when the server is being destroyed.
    class Peer {
    public:
        Peer(int connection, const std::atomic<bool>& is_over) : connection_{connection}, is_over_{&is_over} {}

        /// Reads what there is until it contains `end`, or nothing more comes.
        [[nodiscard]] std::string read_until(std::string_view end) const {
            std::string text;
            while (text.find(end) == std::string::npos && wait(POLLIN)) {
                char buffer[65536];
                const auto count = ::recv(connection_, buffer, sizeof buffer, 0);
                if (count <= 0) { break; }
                text.append(buffer, static_cast<std::size_t>(count));
            }
            return text;
        }
        /// @returns Whether it was all sent.
        bool send(std::string_view bytes) const {
            while (!bytes.empty() && wait(POLLOUT)) {
                const auto count = ::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
                if (count < 0 && errno != EAGAIN) { return false; }
                if (count > 0) { bytes.remove_prefix(static_cast<std::size_t>(count)); }
            }
            return bytes.empty();
        }
        /// Keeps the connection until the client closes it.
        void hang() const { (void)read_until(std::string_view{"\0never\0", 7}); }
        [[nodiscard]] bool is_over() const { return *is_over_; }
        [[nodiscard]] int descriptor() const { return connection_; }

    private:
        [[nodiscard]] bool wait(short events) const {
            while (!*is_over_) {
                pollfd waiting{connection_, events, 0};
                if (::poll(&waiting, 1, 10) > 0) { return true; }
            }
            return false;
        }

        int connection_;
        const std::atomic<bool>* is_over_;
    };

    explicit OddServer(std::function<void(const Peer&)> serve) : listener_{listen_anywhere()} {
        thread_ = std::thread{[this, serve = std::move(serve)] {
            while (!is_over_) {
                pollfd waiting{listener_, POLLIN, 0};
                if (::poll(&waiting, 1, 10) <= 0) { continue; }
                const int connection = ::accept(listener_, nullptr, nullptr);
                if (connection < 0) { continue; }
                ++connections_;
                serve(Peer{connection, is_over_});
                ::close(connection);
            }
        }};
    }
    /// Answers every request with this, and closes.
    explicit OddServer(std::string answer)
        : OddServer{[answer = std::move(answer)](const Peer& peer) {
              (void)peer.read_until("\r\n\r\n");
              (void)peer.send(answer);
              ::shutdown(peer.descriptor(), SHUT_WR);
              peer.hang();
          }} {}
    OddServer(const OddServer&) = delete;
    OddServer& operator=(const OddServer&) = delete;
    ~OddServer() {
        is_over_ = true;
        thread_.join();
        ::close(listener_);
    }

    [[nodiscard]] int port() const { return port_of(listener_); }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
    [[nodiscard]] int connections() const { return connections_; }

    /// A socket that listens. With a backlog of 0 it has room for one connection that nobody accepts.
    [[nodiscard]] static int listen_anywhere(int backlog = 16) {
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener, backlog) != 0) {
            throw std::runtime_error{"no port on 127.0.0.1"};
        }
        return listener;
    }
    [[nodiscard]] static int port_of(int listener) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }

private:
    int listener_;
    std::atomic<bool> is_over_{false};
    std::atomic<int> connections_{0};
    std::thread thread_;
};

#endif
