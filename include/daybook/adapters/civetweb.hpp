// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_CIVETWEB_HPP
#define DAYBOOK_ADAPTERS_CIVETWEB_HPP

/// @file
/// A router in a program's own civetweb server (1.13 and later; tested with 1.15).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <civetweb.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// Answers the requests of a civetweb server: see `mount`. It must outlive the server.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class CivetwebAdapter {
public:
    explicit CivetwebAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    [[nodiscard]] const http::Router& router() const noexcept { return *router_; }

    /// The mg_request_handler.
    ///
    /// @param adapter  A `const CivetwebAdapter*`.
    static int answer(mg_connection* connection, void* adapter) noexcept {
        try {
            return static_cast<const CivetwebAdapter*>(adapter)->on_request(connection);
        } catch (const std::exception&) { // no memory
            mg_send_http_error(connection, 500, "%s", "");
            return 500;
        }
    }

private:
    [[nodiscard]] int on_request(mg_connection* connection) const {
        const auto& info = *mg_get_request_info(connection);
        http::Request request{.method = info.request_method, .target = info.request_uri};
        if (info.query_string != nullptr) { request.target.append("?").append(info.query_string); }
        for (int index = 0; index < info.num_headers; ++index) {
            const auto& header = info.http_headers[index];
            std::string value = header.value;
            value.erase(value.find_last_not_of(" \t") + 1); // blanks at the end are not part of it
            request.headers.push_back({header.name, std::move(value)});
        }
        request.remote = info.remote_addr;

        // Civetweb's own answers to what is wrong end the connection.
        if (http::has_doubtful_length(request.headers)) { return refuse(connection, "it is in doubt where it ends"); }
        if (!read_body(connection, info, request)) { return refuse(connection, "the body could not be read"); }
        return send(router_->handle(request), connection, request);
    }

    [[nodiscard]] static int refuse(mg_connection* connection, const char* why) {
        mg_send_http_error(connection, 400, "%s", why);
        return 400;
    }

    /// A body that was not announced is not waited for, and one that is too large is read to its end, but not kept.
    [[nodiscard]] bool read_body(mg_connection* connection, const mg_request_info& info, http::Request& request) const {
        if (info.content_length <= 0 && request.header("Transfer-Encoding") == nullptr) { return true; }
        const auto* const expectation = request.header("Expect");
        if (expectation != nullptr && http::is_same_name(*expectation, "100-continue")) {
            constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            mg_write(connection, go_on.data(), go_on.size());
        }
        long long total = 0;
        std::array<char, 8192> piece;
        int size = 0;
        for (; (size = mg_read(connection, piece.data(), piece.size())) > 0; total += size) {
            http::append_body(request.body, {piece.data(), static_cast<std::size_t>(size)}, router_->max_body_bytes());
        }
        return size == 0 && (info.content_length < 0 || total == info.content_length);
    }

    [[nodiscard]] static int send(const http::Response& answer, mg_connection* connection,
                                  const http::Request& request) {
        // Written by hand: behind a "100 Continue", civetweb makes no head any more.
        std::string text = "HTTP/1.1 " + std::to_string(answer.status) + ' ' +
                           mg_get_response_code_text(connection, answer.status) + "\r\n";
        for (const auto& header : answer.headers) { text += header.name + ": " + header.value + "\r\n"; }
        text += is_kept(connection, request) ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
        const bool has_body = answer.status != 204 && answer.status != 304;
        if (has_body) { text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n"; }
        text += "\r\n";
        if (has_body && request.method != "HEAD") { text += answer.body; }
        mg_write(connection, text.data(), text.size());
        return answer.status;
    }

    /// Whether civetweb will wait for another request, which it does not say.
    [[nodiscard]] static bool is_kept(mg_connection* connection, const http::Request& request) {
        const char* const option = mg_get_option(mg_get_context(connection), "enable_keep_alive");
        if (option == nullptr || !http::is_same_name(option, "yes")) { return false; }
        const auto* const wish = request.header("Connection");
        const std::string_view version = mg_get_request_info(connection)->http_version;
        return wish == nullptr ? version == "1.1" : http::is_same_name(*wish, "keep-alive");
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer on its paths and below them, for every method; the program's own handlers and files stay, and
/// go first where they have the very path. A CivetServer gives its context by `getContext()`.
///
/// Civetweb closes the connection after each answer unless `enable_keep_alive` is `yes`, and tells browsers that pages
/// of every other site may call it unless `access_control_allow_origin` is empty. It reads at most 64 headers.
///
/// @throws std::invalid_argument  The server was not started with the option `decode_url` = `no`: then `%2F` in a name
///                                could not be told from a slash.
inline void mount(mg_context* server, const CivetwebAdapter& adapter) {
    const char* const decode = mg_get_option(server, "decode_url");
    if (decode == nullptr || std::strcmp(decode, "no") != 0) {
        throw std::invalid_argument{"daybook: start civetweb with the option decode_url=no"};
    }
    for (const auto& route : adapter.router().routes()) {
        std::string pattern; // a star is one segment of a path
        for (std::size_t index = 0; index < route.pattern.size(); ++index) {
            const bool is_parameter = route.pattern[index] == '{';
            if (is_parameter) { index = std::min(route.pattern.find('}', index), route.pattern.size()); }
            pattern += is_parameter ? '*' : route.pattern[index];
        }
        mg_set_request_handler(server, pattern.c_str(), &CivetwebAdapter::answer,
                               const_cast<CivetwebAdapter*>(&adapter));
    }
}

} // namespace daybook::inline v0

#endif
