// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_CPPRESTSDK_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_CPPRESTSDK_HPP

/// @file
/// A listener of the C++ REST SDK.

#include "contract/http/server.hpp"

#include <daybook/adapters/cpprestsdk.hpp>
#include <daybook/http/router.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "cpprestsdk";

    explicit ContractServer(daybook::http::Router router)
        : port_{free_port()}, listener_{"http://127.0.0.1:" + std::to_string(port_) + "/"} {
        daybook::mount(listener_, std::move(router));
        listener_.open().get();
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() { listener_.close().get(); }

    [[nodiscard]] int port() const { return port_; }

    static constexpr std::string_view waiting = "it waits for the rest for ever";
    static constexpr std::string_view head = "it can send no length without a body";
    static constexpr std::string_view parser = "it answers what its parser does not take itself";
    static constexpr std::string_view one = "it throws away what comes behind a request before that was answered";
    static constexpr contract::KnownLimit known_limits[] = {
        {"chunks: a size*", waiting},
        {"chunks: an empty size", waiting},
        {"chunks: an extension of 100 KB", waiting},
        {"chunks: one longer than it says", waiting},
        {"chunks: no last one", waiting},
        {"chunks: one that ends early", waiting},
        {"length: larger than what comes", waiting},
        {"length: nothing comes", waiting},
        {"connection: *", "it does not say that it closes"},
        {"pipelined: *", one},
        {"method: HEAD of a short answer", head},
        {"method: HEAD of 1 MB", head},
        {"prefix: HEAD", head},
        {"method: in lower case", "it turns methods into upper case"},
        {"target: brackets and a bar", parser},
        {"target: a percent sign*", parser},
        {"target: an escape as JavaScript once had it", parser},
        {"query: empty", "it drops an empty query"},
        {"chunks: with extensions", "it takes them for a malformed size"},
        {"chunks: 2,000 headers behind them", "it takes them for the next request"},
    };

private:
    /// The SDK takes no port 0.
    [[nodiscard]] static int free_port() {
        const int probe = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        bind(probe, reinterpret_cast<const sockaddr*>(&address), size);
        getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
        close(probe);
        return ntohs(address.sin_port);
    }

    int port_;
    web::http::experimental::listener::http_listener listener_;
};

#endif
