// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_POCO_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_POCO_HPP

/// @file
/// A POCO server with threads enough for connections that are slow.

#include "contract/http/server.hpp"

#include <daybook/adapters/poco.hpp>
#include <daybook/http/router.hpp>

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/Timespan.h>

#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "poco";

    explicit ContractServer(daybook::http::Router router)
        : socket_{Poco::Net::SocketAddress{"127.0.0.1", 0}},
          server_{new daybook::PocoHandlerFactory{std::move(router)}, threads_, socket_, parameters()} {
        server_.start();
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() { server_.stopAll(true); }

    [[nodiscard]] int port() const { return socket_.address().port(); }

    static constexpr std::string_view chunks = "POCO takes a malformed chunk for the end of the body";
    static constexpr contract::KnownLimit known_limits[] = {
        {"chunks: a size*", chunks},
        {"chunks: an empty size", chunks},
        {"chunks: no last one", chunks},
        {"chunks: one that ends early", chunks},
        {"chunks: with headers behind them", "POCO takes them for the next request"},
        {"connection: the wish to close it is granted", "POCO writes Close, which means the same"},
        {"chunks: 2,000 headers behind them", "POCO takes them for the next request"},
        {"header: bytes that are no UTF-8", "POCO loses the byte 0xFF"},
        {"nothing: but half a head", "POCO takes the end of the connection for the end of the headers"},
        {"method: empty", "POCO begins its own refusal with the version that it has read"},
        {"target: empty", "POCO begins its own refusal with the version that it has read"},
    };

private:
    [[nodiscard]] static Poco::Net::HTTPServerParams::Ptr parameters() {
        Poco::Net::HTTPServerParams::Ptr made{new Poco::Net::HTTPServerParams};
        made->setTimeout(Poco::Timespan{3, 0});
        made->setKeepAliveTimeout(Poco::Timespan{3, 0});
        made->setMaxThreads(16);
        return made;
    }

    Poco::ThreadPool threads_{2, 16};
    Poco::Net::ServerSocket socket_;
    Poco::Net::HTTPServer server_;
};

#endif
