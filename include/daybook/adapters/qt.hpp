// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_QT_HPP
#define DAYBOOK_ADAPTERS_QT_HPP

/// @file
/// A router in a program's own QHttpServer (Qt HTTP Server 6.4 to 6.7; tested with 6.4.2).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <QtCore/QByteArray>
#include <QtCore/QUrl>
#include <QtHttpServer/QHttpServer>
#include <QtHttpServer/QHttpServerRequest>
#include <QtHttpServer/QHttpServerResponder>
#include <QtNetwork/QHostAddress>
#include <QtNetwork/QTcpSocket>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace daybook::inline v0 {

/// Translates between Qt and http::Router. Use `mount`; the member is for programs with a missing handler of their own.
///
/// Qt hands on a QUrl: a malformed escape comes as an escaped percent sign. It gathers a body whole before it calls
/// a handler, whatever its size and time: put a proxy before what strangers can reach, one that refuses requests whose
/// end is in doubt. It keeps a connection that it was asked to close; this closes it behind the router's answer where
/// Qt lets it (6.4).
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member; Qt calls handlers in the server's thread.
class QtAdapter {
public:
    explicit QtAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    void answer(const QHttpServerRequest& request, QHttpServerResponder& responder) const {
        using Status = QHttpServerResponder::StatusCode;
        try {
            const auto translated = translate(request);
            auto answer = http::has_doubtful_length(translated.headers) ? http::doubtful_length_response()
                                                                        : router_->handle(translated);
            const auto* const wish = translated.header("Connection");
            if (wish != nullptr && http::is_same_name(*wish, "close")) { answer.set_header("Connection", "close"); }
            send(answer, translated.method == "HEAD", responder);
            if (answer.header("Connection") != nullptr) { end_connection(responder); }
        } catch (const std::exception&) { responder.write(Status::InternalServerError); } // no memory
    }

private:
    /// Once everything is sent. Not where Qt keeps the socket to itself (6.5 and later).
    template <class Responder>
    static void end_connection(Responder& responder) {
        if constexpr (requires { responder.socket()->disconnectFromHost(); }) {
            responder.socket()->disconnectFromHost();
        }
    }

    [[nodiscard]] static const char* name_of(QHttpServerRequest::Method method) noexcept {
        switch (method) {
        case QHttpServerRequest::Method::Get: return "GET";
        case QHttpServerRequest::Method::Put: return "PUT";
        case QHttpServerRequest::Method::Delete: return "DELETE";
        case QHttpServerRequest::Method::Post: return "POST";
        case QHttpServerRequest::Method::Head: return "HEAD";
        case QHttpServerRequest::Method::Options: return "OPTIONS";
        case QHttpServerRequest::Method::Patch: return "PATCH";
        case QHttpServerRequest::Method::Connect: return "CONNECT";
        case QHttpServerRequest::Method::Trace: return "TRACE";
        default: return "UNKNOWN";
        }
    }

    [[nodiscard]] http::Request translate(const QHttpServerRequest& request) const {
        http::Request translated{.method = name_of(request.method())};
        const auto url = request.url();
        translated.target = url.path(QUrl::FullyEncoded).toStdString();
        if (url.hasQuery()) { translated.target += '?' + url.query(QUrl::FullyEncoded).toStdString(); }
        for (const auto& header : request.headers()) {
            translated.headers.push_back({header.first.toStdString(), header.second.toStdString()});
        }
        const auto body = request.body();
        http::append_body(translated.body, {body.constData(), static_cast<std::size_t>(body.size())},
                          router_->max_body_bytes());
        translated.remote = request.remoteAddress().toString().toStdString();
        return translated;
    }

    static void send(const http::Response& answer, bool is_head, QHttpServerResponder& responder) {
        responder.writeStatusLine(static_cast<QHttpServerResponder::StatusCode>(answer.status));
        for (const auto& header : answer.headers) {
            responder.writeHeader(QByteArray::fromStdString(header.name), QByteArray::fromStdString(header.value));
        }
        const bool has_body = answer.status != 204 && answer.status != 304;
        if (has_body) {
            responder.writeHeader("Content-Length", QByteArray::number(static_cast<qulonglong>(answer.body.size())));
        }
        responder.writeBody(has_body && !is_head ? QByteArray::fromStdString(answer.body) : QByteArray{});
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer whatever the program has no route of its own for. The server keeps a copy of the router.
///
/// That is the server's missing handler: a program that has one calls QtAdapter::answer from it instead.
inline void mount(QHttpServer& server, http::Router router) {
    server.setMissingHandler(
        [adapter = QtAdapter{std::move(router)}](const QHttpServerRequest& request, QHttpServerResponder&& responder) {
            adapter.answer(request, responder);
        });
}

} // namespace daybook::inline v0

#endif
