// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_OATPP_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_OATPP_HPP

/// @file
/// An Oat++ server with a thread for each connection.

#include "contract/http/server.hpp"

#include <daybook/adapters/oatpp.hpp>
#include <daybook/http/router.hpp>

#include <oatpp/network/Server.hpp>
#include <oatpp/network/tcp/server/ConnectionProvider.hpp>
#include <oatpp/web/server/HttpConnectionHandler.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#if __has_include(<oatpp/Environment.hpp>)
using OatppEnvironment = oatpp::Environment; // since 1.4
#else
using OatppEnvironment = oatpp::base::Environment;
#endif

class ContractServer {
    static constexpr std::string_view other_methods = "Oat++ answers methods that nobody has registered with 404";
    static constexpr std::string_view with_stack = "Oat++ 1.4 tells what it calls a stack trace with its own 404";

public:
    static constexpr std::string_view name = "oatpp";
    static constexpr contract::KnownLimit known_limits[] = {
        {"method: an unknown one", other_methods},
        {"method: of WebDAV", other_methods},
        {"method: in lower case", other_methods},
        {"method: of 10 KB", other_methods},
        {"method: empty", other_methods},
        {"method: with a NUL in it", other_methods},
        {"nothing: but line breaks", other_methods},
        {"line: empty ones before it", other_methods},
        {"version: how HTTP/2 begins", with_stack},
        {"version: how TLS begins", with_stack},
    };

    explicit ContractServer(daybook::http::Router router) {
        static const bool is_ready = (OatppEnvironment::init(), true);
        static_cast<void>(is_ready);
        const auto routes = oatpp::web::server::HttpRouter::createShared();
        daybook::mount(*routes, std::move(router));
        const auto config = std::make_shared<oatpp::web::server::HttpProcessor::Config>();
        config->headersReaderMaxSize = 32768;
        handler_ = std::make_shared<oatpp::web::server::HttpConnectionHandler>(routes, config);
        provider_ = oatpp::network::tcp::server::ConnectionProvider::createShared(
            {"127.0.0.1", 0, oatpp::network::Address::IP_4}, true);
        server_ = std::make_unique<oatpp::network::Server>(provider_, handler_);
        thread_ = std::thread{[this] { server_->run(); }};
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        server_->stop();
        provider_->stop();
        thread_.join();
        handler_->stop();
    }

    [[nodiscard]] int port() const { return std::stoi(provider_->getProperty("port").std_str()); }

private:
    std::shared_ptr<oatpp::web::server::HttpConnectionHandler> handler_;
    std::shared_ptr<oatpp::network::tcp::server::ConnectionProvider> provider_;
    std::unique_ptr<oatpp::network::Server> server_;
    std::thread thread_;
};

#endif
