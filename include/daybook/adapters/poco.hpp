// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POCO_HPP
#define DAYBOOK_ADAPTERS_POCO_HPP

/// @file
/// A router in a program's own Poco::Net::HTTPServer (POCO 1.10 and later; tested with 1.11).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <array>
#include <cstddef>
#include <istream>
#include <memory>
#include <string>
#include <utility>

namespace daybook::inline v0 {

/// Answers one request; made by PocoHandlerFactory.
class PocoHandler : public Poco::Net::HTTPRequestHandler {
public:
    explicit PocoHandler(std::shared_ptr<const http::Router> router) : router_{std::move(router)} {}

    /// Without memory, and when the connection breaks, this throws: then POCO closes the connection.
    void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override {
        http::Request translated{.method = request.getMethod(), .target = request.getURI()};
        for (const auto& header : request) { translated.headers.push_back({header.first, header.second}); }
        translated.remote = request.clientAddress().host().toString();

        // POCO takes any word for a version, and begins its answer with it.
        const bool is_known = request.getVersion() == request.HTTP_1_1 || request.getVersion() == request.HTTP_1_0;
        if (!is_known) {
            response.setVersion(request.HTTP_1_1);
            response.setKeepAlive(false);
            send(http::error_response(400, "this is not a request of HTTP/1.1"), response, false);
        } else if (http::has_doubtful_length(translated.headers)) {
            send(http::doubtful_length_response(), response, false);
        } else if (!read_body(request, response, translated.body)) {
            response.setKeepAlive(false);
            send(http::error_response(400, "the body could not be read"), response, false);
        } else {
            send(router_->handle(translated), response, request.getMethod() == "HEAD");
        }
    }

private:
    /// A body that was not announced is not waited for, and one that is too large is read to its end, but not kept.
    [[nodiscard]] bool read_body(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response,
                                 std::string& body) const {
        if (!request.hasContentLength() && !request.getChunkedTransferEncoding()) { return true; }
        if (request.getExpectContinue()) { response.sendContinue(); }
        std::array<char, 8192> piece;
        std::size_t total = 0;
        auto& stream = request.stream();
        while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0) {
            const auto size = static_cast<std::size_t>(stream.gcount());
            http::append_body(body, {piece.data(), size}, router_->max_body_bytes());
            total += size;
        }
        return !stream.bad() &&
               (!request.hasContentLength() || total == static_cast<std::size_t>(request.getContentLength64()));
    }

    static void send(const http::Response& answer, Poco::Net::HTTPServerResponse& response, bool is_head) {
        response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
        for (const auto& header : answer.headers) {
            if (http::is_same_name(header.name, "Connection")) {
                response.setKeepAlive(false); // ours say only that it ends
            } else {
                response.add(header.name, header.value);
            }
        }
        if (answer.status == 204 || answer.status == 304) {
            response.send();
        } else if (is_head) {
            response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
            response.send();
        } else {
            response.sendBuffer(answer.body.data(), answer.body.size());
        }
    }

    std::shared_ptr<const http::Router> router_;
};

/// The factory for a Poco::Net::HTTPServer, whose own paths it leaves to the program's factory:
///
/// @code
/// Poco::Net::HTTPServer server{new daybook::PocoHandlerFactory{router, new MyFactory}, 8080};
/// @endcode
///
/// POCO bounds neither the length of a target nor the time for which a client may send bytes one by one: put a proxy
/// before what strangers can reach.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member, if the program's own factory is.
class PocoHandlerFactory : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// @param own  Asked first; where it makes no handler (a null pointer), the router answers. May be null.
    explicit PocoHandlerFactory(http::Router router, Poco::Net::HTTPRequestHandlerFactory::Ptr own = nullptr)
        : router_{std::make_shared<const http::Router>(std::move(router))}, own_{std::move(own)} {}

    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest& request) override {
        auto* const handler = own_.isNull() ? nullptr : own_->createRequestHandler(request);
        return handler != nullptr ? handler : new PocoHandler{router_};
    }

private:
    std::shared_ptr<const http::Router> router_;
    Poco::Net::HTTPRequestHandlerFactory::Ptr own_;
};

} // namespace daybook::inline v0

#endif
