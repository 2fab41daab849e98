// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_DROGON_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_DROGON_HPP

/// @file
/// A Drogon app with four threads. There is one app in a process, and it runs once: so each server is a process.

#include "contract/http/server.hpp"

#include <daybook/adapters/drogon.hpp>
#include <daybook/http/router.hpp>

#include <drogon/drogon.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "drogon";
    static constexpr contract::KnownLimit known_limits[] = {
        {"target: empty", "Drogon takes an empty target for /"},
        {"target: dots lead nowhere", "Drogon has a 403 of its own for what is above the root and not the router's"},
        {"target: encoded dots lead nowhere", "Drogon has a 403 of its own for what is above the root"},
        {"query: empty", "Drogon does not tell an empty query from none"},
        {"expect: to be asked for chunks", "Drogon refuses to be asked for chunks"},
        {"chunks: the encoding in upper case", "Drogon knows the word in lower case only"},
        {"prefix: our host and another one", "Drogon keeps the first header of a name"},
        {"prefix: as proxies send it, and meant for another host", "Drogon drops the host of an absolute target"},
    };

    explicit ContractServer(daybook::http::Router router) : port_{free_port()} {
        child_ = ::fork();
        if (child_ < 0) { throw std::runtime_error{"no process"}; }
        if (child_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            daybook::mount(drogon::app(), std::move(router));
            drogon::app()
                .setLogLevel(trantor::Logger::kFatal)
                .setClientMaxBodySize(std::size_t{2} << 20U)
                .setThreadNum(4)
                .addListener("127.0.0.1", port_)
                .run();
            ::_exit(0);
        }
        for (int round = 0; round < 1000; ++round) {
            if (is_listening()) { return; }
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        stop();
        throw std::runtime_error{"no server on 127.0.0.1"};
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() { stop(); }

    [[nodiscard]] int port() const noexcept { return port_; }

private:
    [[nodiscard]] static sockaddr_in address(std::uint16_t port) noexcept {
        sockaddr_in result{};
        result.sin_family = AF_INET;
        result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        result.sin_port = htons(port);
        return result;
    }

    /// Every thread of Drogon's listens for itself, so that each would be given another one.
    [[nodiscard]] static std::uint16_t free_port() {
        const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
        auto bound = address(0);
        socklen_t size = sizeof(bound);
        const bool is_bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&bound), size) == 0 &&
                              ::getsockname(probe, reinterpret_cast<sockaddr*>(&bound), &size) == 0;
        ::close(probe);
        if (!is_bound) { throw std::runtime_error{"no port on 127.0.0.1"}; }
        return ntohs(bound.sin_port);
    }

    [[nodiscard]] bool is_listening() const noexcept {
        const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
        const auto server = address(port_);
        const bool is_there = ::connect(probe, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) == 0;
        ::close(probe);
        return is_there;
    }

    void stop() noexcept {
        ::kill(child_, SIGTERM); // Drogon quits
        ::waitpid(child_, nullptr, 0);
    }

    std::uint16_t port_;
    pid_t child_ = -1;
};

#endif
