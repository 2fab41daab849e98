// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_QT_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_QT_HPP

/// @file
/// A QHttpServer in a thread with an event loop of its own.

#include "contract/http/server.hpp"

#include <daybook/adapters/qt.hpp>
#include <daybook/http/router.hpp>

#include <QtCore/QCoreApplication>
#include <QtCore/QThread>

#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "qt";

    explicit ContractServer(daybook::http::Router router) {
        static int count = 0; // Qt wants one application in the process, and keeps references to these
        static QCoreApplication application{count, nullptr};
        thread_.start();
        worker_.moveToThread(&thread_);
        const auto listen = [this, &router] {
            server_ = std::make_unique<QHttpServer>();
            daybook::mount(*server_, std::move(router));
            port_ = server_->listen(QHostAddress::LocalHost, 0);
        };
        QMetaObject::invokeMethod(&worker_, listen, Qt::BlockingQueuedConnection);
        if (port_ == 0) { throw std::runtime_error{"no port on 127.0.0.1"}; }
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() {
        QMetaObject::invokeMethod(
            &worker_, [this] { server_.reset(); }, Qt::BlockingQueuedConnection);
        thread_.quit();
        thread_.wait();
    }

    [[nodiscard]] int port() const { return port_; }

    static constexpr std::string_view url = "it hands on a QUrl, in which a malformed escape is mended";
    static constexpr std::string_view chunks = "it takes a malformed size of a chunk for another number";
    static constexpr contract::KnownLimit known_limits[] = {
        {"target: a percent sign*", url},
        {"target: an escape as JavaScript once had it", url},
        {"query: a percent sign*", url},
        {"query: a bad escape*", url},
        {"chunks: a size that is none", chunks},
        {"chunks: a size of 2^64 + 3", chunks},
        {"chunks: a size near 2^64", chunks},
        {"chunks: exactly as large as allowed", "it ends the connection of the malformed chunks late"},
        {"prefix: as proxies send it, and meant for another host",
         "its QUrl does not say whether the host was in the target"},
    };

private:
    QThread thread_;
    QObject worker_;
    std::unique_ptr<QHttpServer> server_;
    int port_ = 0;
};

#endif
