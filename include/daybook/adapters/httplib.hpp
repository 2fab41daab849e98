// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_HTTPLIB_HPP
#define DAYBOOK_ADAPTERS_HTTPLIB_HPP

/// @file
/// A router inside a program's own httplib::Server (cpp-httplib 0.11.4 and later, compiled or header-only).

#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <httplib.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// Translates between httplib and http::Router. Use `mount`; the members are for programs that register paths
/// themselves.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class HttplibAdapter {
public:
    explicit HttplibAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    /// For methods that have no body.
    void answer(const httplib::Request& request, httplib::Response& response) const {
        send(router_->handle(translate(request, {})), request, response);
    }

    /// For methods that may have one. A body that was not announced is not waited for, and one that is too large is
    /// read to its end, but not kept: what were left of it would be taken for the next request of the connection.
    void answer(const httplib::Request& request, httplib::Response& response,
                const httplib::ContentReader& reader) const {
        std::string body;
        if (is_body_announced(request)) {
            const auto most = router_->max_body_bytes() + 1; // one more, for the router to see that it is too large
            const auto keep = [&](const char* data, std::size_t size) {
                body.append(data, std::min(size, most - std::min(most, body.size())));
                return true;
            };
            // Asked for the plain bytes of a form with files, httplib calls a function that is not there.
            const bool is_complete =
                request.is_multipart_form_data() ? reader([](const auto&) { return true; }, keep) : reader(keep);
            if (!is_complete) {
                const auto status = response.status >= 400 ? response.status : 400;
                send(http::error_response(status, "the body could not be read"), request, response);
                return;
            }
        }
        send(router_->handle(translate(request, std::move(body))), request, response);
    }

    /// A router's pattern as the regular expression that httplib wants. httplib matches what it has decoded, where an
    /// encoded slash looks like any other; so the first parameter behind a written-out segment matches slashes too, and
    /// the router, which gets the target as it was sent, decides. Not more than one: httplib would try all divisions.
    [[nodiscard]] static std::string to_regex(std::string_view pattern) {
        std::string regex;
        bool is_first = true;
        for (std::size_t index = 0; index < pattern.size(); ++index) {
            const auto close = pattern[index] == '{' ? pattern.find('}', index) : std::string_view::npos;
            if (close != std::string_view::npos) {
                regex += std::exchange(is_first, false) && index > 1 ? "[\\s\\S]+" : "[^/]+";
                index = close;
            } else if (pattern[index] == ':') {
                regex += "[:]"; // later releases take /:name for a parameter of their own
            } else {
                if (std::string_view{"^$\\.*+?()[]{}|"}.find(pattern[index]) != std::string_view::npos) {
                    regex += '\\';
                }
                regex += pattern[index];
            }
        }
        return regex;
    }

private:
    [[nodiscard]] static bool is_body_announced(const httplib::Request& request) {
        return request.has_header("Transfer-Encoding") ||
               (request.has_header("Content-Length") && request.get_header_value("Content-Length") != "0");
    }

    [[nodiscard]] static http::Request translate(const httplib::Request& request, std::string body) {
        http::Request translated{.method = request.method,
                                 .target = request.target,
                                 .headers = {},
                                 .body = std::move(body),
                                 .remote = request.remote_addr};
        translated.headers.reserve(request.headers.size());
        for (const auto& header : request.headers) { translated.headers.push_back({header.first, header.second}); }
        return translated;
    }

    static void send(http::Response answer, const httplib::Request& request, httplib::Response& response) {
        // httplib repeats a body for each range that is asked for, without a bound: thousands fit into one header.
        if (request.ranges.size() > 1) {
            answer.status = 416;
            answer.body.clear();
        }
        // It cuts a body to the range that was asked for, whatever the status; then the status has to say so.
        const bool is_part = answer.status == 200 && !request.ranges.empty();
        response.status = is_part ? 206 : answer.status;
        for (const auto& header : answer.headers) {
            response.headers.erase(header.name); // a default of the server's, which would stand there twice
            response.set_header(header.name, header.value);
        }
        response.body = std::move(answer.body);
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer on its paths; call it before the server listens, and after the APIs were added.
///
/// Only the router's paths are registered, each for every method that httplib knows, so the program's own routes and
/// its answer to unknown paths stay as they are; a route of the program on one of these paths counts if it was
/// registered before. The server keeps a copy of the router. An error handler of the server's sees our answers from 400
/// on as well.
///
/// How connections are served stays the program's business. On kept connections, httplib answers some 260 requests a
/// second while Nagle's algorithm is on, and about 400 times as many after `server.set_tcp_nodelay(true)`.
inline void mount(httplib::Server& server, http::Router router) {
    const auto routes = router.routes();
    const HttplibAdapter adapter{std::move(router)};
    const httplib::Server::Handler plain = [adapter](const httplib::Request& request, httplib::Response& response) {
        adapter.answer(request, response);
    };
    const httplib::Server::HandlerWithContentReader with_body =
        [adapter](const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
            adapter.answer(request, response, reader);
        };
    for (const auto& route : routes) {
        const auto regex = HttplibAdapter::to_regex(route.pattern);
        server.Get(regex, plain).Options(regex, plain);
        server.Post(regex, with_body).Put(regex, with_body).Patch(regex, with_body).Delete(regex, with_body);
    }
}

} // namespace daybook::inline v0

#endif
