// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "tcp_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Sends back what it gets.
class Echo {
public:
    Echo() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
        REQUIRE(::listen(listener_, 8) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] {
            for (int one = -1; (one = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(one)) {
                char bytes[4096];
                for (ssize_t got = 0; (got = ::recv(one, bytes, sizeof bytes, 0)) > 0;) {
                    ::send(one, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL);
                }
            }
        }};
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;
    ~Echo() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    [[nodiscard]] int port() const { return port_; }

private:
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port_ = 0;
    std::thread thread_ = {};
};

class Client {
public:
    explicit Client(int port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { ::close(socket_); }

    void send(const std::string& text) const { (void)::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
    /// As many bytes as are wanted, or fewer when the connection ends or nothing comes for so long.
    [[nodiscard]] std::string receive(std::size_t wanted, std::chrono::milliseconds patience = 30s) const {
        const timeval time{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
        std::string text;
        char bytes[4096];
        while (text.size() < wanted) {
            const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
            if (got <= 0) { break; }
            text.append(bytes, static_cast<std::size_t>(got));
        }
        return text;
    }

private:
    int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

} // namespace

TEST_CASE("a proxy hands on what comes, in both directions") {
    const Echo echo;
    fleet::TcpProxy proxy;
    const Client client{proxy.add_link(echo.port())};
    const std::string much(3'000'000, 'x');
    std::thread sender{[&] { client.send(much); }};
    CHECK(client.receive(much.size()).size() == much.size());
    sender.join();
}

TEST_CASE("a link that is cut resets its connections, and new ones until it is open again") {
    const Echo echo;
    fleet::TcpProxy proxy;
    const int port = proxy.add_link(echo.port());
    {
        const Client client{port};
        client.send("a");
        CHECK(client.receive(1) == "a");
        proxy.set_state(port, fleet::LinkState::cut);
        CHECK(client.receive(1).empty());
        const Client another{port};
        another.send("b");
        CHECK(another.receive(1).empty());
    }
    proxy.set_state(port, fleet::LinkState::open);
    const Client third{port};
    third.send("c");
    CHECK(third.receive(1) == "c");
}

TEST_CASE("a link that is frozen keeps what it has until it is open again") {
    const Echo echo;
    fleet::TcpProxy proxy;
    const int port = proxy.add_link(echo.port());
    const Client client{port};
    client.send("a");
    CHECK(client.receive(1) == "a");
    proxy.set_state(port, fleet::LinkState::frozen);
    client.send("b");
    CHECK(client.receive(1, 100ms).empty());
    proxy.set_state(port, fleet::LinkState::open);
    CHECK(client.receive(1) == "b");
}

TEST_CASE("a link that is slow takes its time each way") {
    const Echo echo;
    fleet::TcpProxy proxy;
    const int port = proxy.add_link(echo.port());
    proxy.set_delay(port, 50ms);
    const Client client{port};
    const auto begin = std::chrono::steady_clock::now();
    client.send("a");
    CHECK(client.receive(1) == "a");
    CHECK(std::chrono::steady_clock::now() - begin >= 100ms);
}
