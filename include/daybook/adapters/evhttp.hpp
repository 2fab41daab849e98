// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_EVHTTP_HPP
#define DAYBOOK_ADAPTERS_EVHTTP_HPP

/// @file
/// A router in a program's own evhttp server (libevent 2.1; tested with 2.1.12).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace daybook::inline v0 {

/// Answers the requests of an evhttp server: see `mount`. It must outlive the server.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member; a server and its requests belong to the thread of their
/// event loop, which libevent does not check.
class EvhttpAdapter {
public:
    explicit EvhttpAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    [[nodiscard]] const http::Router& router() const noexcept { return *router_; }

    /// The callback for evhttp_set_gencb and evhttp_set_cb.
    ///
    /// @param adapter  A `const EvhttpAdapter*`.
    static void answer(evhttp_request* request, void* adapter) noexcept {
        try {
            static_cast<const EvhttpAdapter*>(adapter)->on_request(request);
        } catch (const std::exception&) { // no memory
            evhttp_send_error(request, 500, nullptr);
        }
    }

private:
    [[nodiscard]] static const char* name_of(evhttp_cmd_type method) noexcept {
        switch (method) {
        case EVHTTP_REQ_GET: return "GET";
        case EVHTTP_REQ_POST: return "POST";
        case EVHTTP_REQ_HEAD: return "HEAD";
        case EVHTTP_REQ_PUT: return "PUT";
        case EVHTTP_REQ_DELETE: return "DELETE";
        case EVHTTP_REQ_OPTIONS: return "OPTIONS";
        case EVHTTP_REQ_TRACE: return "TRACE";
        case EVHTTP_REQ_CONNECT: return "CONNECT";
        case EVHTTP_REQ_PATCH: return "PATCH";
        }
        return "UNKNOWN";
    }

    [[nodiscard]] http::Request translate(evhttp_request* request) const {
        http::Request translated{.method = name_of(evhttp_request_get_command(request)),
                                 .target = evhttp_request_get_uri(request)};
        const auto* const headers = evhttp_request_get_input_headers(request);
        for (const auto* header = headers->tqh_first; header != nullptr; header = header->next.tqe_next) {
            std::string value = header->value;
            value.erase(value.find_last_not_of(" \t") + 1); // blanks around it are not part of it
            value.erase(0, value.find_first_not_of(" \t"));
            translated.headers.push_back({header->key, std::move(value)});
        }
        auto* const input = evhttp_request_get_input_buffer(request);
        // One byte more than is allowed, for the router to see that it is too large.
        translated.body.resize(std::min(evbuffer_get_length(input), router_->max_body_bytes() + 1));
        evbuffer_copyout(input, translated.body.data(), translated.body.size());

        char* address = nullptr;
        std::uint16_t port = 0;
        if (auto* const connection = evhttp_request_get_connection(request)) {
            evhttp_connection_get_peer(connection, &address, &port);
        }
        if (address != nullptr) { translated.remote = address; }
        return translated;
    }

    void on_request(evhttp_request* request) const {
        const auto translated = translate(request);
        const auto* const length = translated.header("Content-Length");
        const bool is_announced =
            (length != nullptr && *length != "0") || translated.header("Transfer-Encoding") != nullptr;
        auto answer = http::has_doubtful_length(translated.headers) ? http::doubtful_length_response()
                                                                    : router_->handle(translated);
        // With some methods libevent reads no body, and would take it for the next request.
        if (is_announced && translated.body.empty()) { answer.set_header("Connection", "close"); }
        send(answer, request);
    }

    static void send(const http::Response& answer, evhttp_request* request) {
        auto* const headers = evhttp_request_get_output_headers(request);
        for (const auto& header : answer.headers) {
            evhttp_add_header(headers, header.name.c_str(), header.value.c_str());
        }
        auto* const output = evhttp_request_get_output_buffer(request);
        if (answer.status != 204 && answer.status != 304) {
            // The server would send a body to HEAD, and take a text without a type for HTML.
            evhttp_add_header(headers, "Content-Length", std::to_string(answer.body.size()).c_str());
            if (answer.header("Content-Type") == nullptr && !answer.body.empty()) {
                evhttp_add_header(headers, "Content-Type", "application/octet-stream");
            }
            if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
                evbuffer_add(output, answer.body.data(), answer.body.size());
            }
        }
        evhttp_send_reply(request, answer.status, nullptr, nullptr);
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer whatever the program has no callback of its own for (evhttp_set_cb). That is the server's
/// general callback: a program that has one calls EvhttpAdapter::answer from it instead, and sets the limits itself.
///
/// Sets limits for the whole server, which has none by default: 64 KiB for headers, the router's and one byte for
/// bodies; what is larger gets libevent's own 400 or 413. Allows all methods, so that the router can refuse them.
/// A program that wants other limits sets them afterwards.
inline void mount(evhttp* server, const EvhttpAdapter& adapter) {
    constexpr auto all_methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT |
                                 EVHTTP_REQ_PATCH;
    evhttp_set_allowed_methods(server, static_cast<std::uint16_t>(all_methods));
    evhttp_set_max_headers_size(server, 65536);
    evhttp_set_max_body_size(server, static_cast<ev_ssize_t>(adapter.router().max_body_bytes() + 1));
    evhttp_set_flags(server, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_gencb(server, &EvhttpAdapter::answer, const_cast<EvhttpAdapter*>(&adapter));
}

} // namespace daybook::inline v0

#endif
