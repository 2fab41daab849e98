// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_CROW_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_CROW_HPP

/// @file
/// A Crow app with four threads.

#include "contract/http/server.hpp"

#include <daybook/adapters/crow.hpp>
#include <daybook/http/router.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string_view>
#include <utility>

class ContractServer {
    static constexpr std::string_view head = "Crow puts a body of its own behind an error to HEAD";
    static constexpr std::string_view options = "Crow answers OPTIONS itself, and allows HEAD everywhere";
    static constexpr std::string_view methods = "Crow closes the connection on a method that it does not know";
    static constexpr std::string_view statuses = "Crow has a list of statuses, and this is not in it";

public:
    static constexpr std::string_view name = "crow";
    static constexpr contract::KnownLimit known_limits[] = {
        {"method: HEAD of nothing there", head},
        {"method: HEAD of a bad parameter", head},
        {"method: HEAD where only POST is", head},
        {"method: HEAD of a handler that throws", head},
        {"method: OPTIONS", options},
        {"method: OPTIONS where only POST is", options},
        {"method: an unknown one", methods},
        {"method: in lower case", methods},
        {"throws: a refusal with a status of its own", statuses},
        {"answer: status 299", statuses},
        {"answer: status 599", statuses},
        {"prefix: another host", statuses},
        {"prefix: as proxies send it, and meant for another host", statuses},
    };

    explicit ContractServer(daybook::http::Router router) {
        app_.loglevel(crow::LogLevel::Critical);
        daybook::mount(app_, std::move(router));
        app_.signal_clear().bindaddr("127.0.0.1").port(0).concurrency(5).timeout(5);
        running_ = app_.run_async();
        if (app_.wait_for_server_start(std::chrono::seconds{5}) != std::cv_status::no_timeout) {
            throw std::runtime_error{"no port on 127.0.0.1"};
        }
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        app_.stop();
        running_.wait();
    }

    [[nodiscard]] int port() const { return app_.port(); }

private:
    crow::SimpleApp app_;
    std::future<void> running_;
};

#endif
