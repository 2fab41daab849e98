// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_HTTPLIB_HPP
#define DAYBOOK_ADAPTERS_HTTPLIB_HPP

/// @file
/// A router inside a program's own httplib::Server (cpp-httplib 0.11.4 and later, compiled or header-only).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <httplib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

    /// For methods whose body httplib does not read: what is announced would be taken for the next request.
    void answer(const httplib::Request& request, httplib::Response& response) const {
        if (is_body_announced(request)) {
            refuse(400, "a " + request.method + " takes no body here", request, response);
            return;
        }
        send(router_->handle(translate(request)), Connection::stays, request, response);
    }

    /// For methods that may have one. A body that was not announced is not waited for. One that is too large is read to
    /// its end, for the answer to reach a client that does not read while it writes; but not kept, and not any size.
    void answer(const httplib::Request& request, httplib::Response& response,
                const httplib::ContentReader& reader) const {
        auto translated = translate(request);
        const bool is_chunked = request.has_header("Transfer-Encoding");
        if (is_body_announced(request)) {
            if (is_chunked ? request.method == "DELETE" : !has_plain_length(request)) {
                // Chunks of a DELETE are not read by httplib, and it makes some number of whatever stands there.
                refuse(is_chunked ? 411 : 400, "the length of the body must be told, once and in digits", request,
                       response);
                return;
            }
            const auto most = router_->max_body_bytes() + 1; // one more, for the router to see that it is too large
            std::size_t total = 0;
            const auto keep = [&](const char* data, std::size_t size) {
                http::append_body(translated.body, {data, size}, router_->max_body_bytes());
                total += size;
                return total <= most + most_dropped;
            };
            const bool is_complete = read_plain(request, reader, keep);
            if (!is_complete && total <= most + most_dropped) {
                refuse(400, "the body could not be read to its end", request, response);
                return;
            }
        }
        // It also takes chunks that are no chunks, and leaves what follows them.
        send(router_->handle(translated), is_chunked ? Connection::ends : Connection::stays, request, response);
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
    enum class Connection : std::uint8_t { stays, ends };

    /// What is read of a body beyond what is kept.
    static constexpr std::size_t most_dropped = std::size_t{16} << 20U;

    [[nodiscard]] static bool is_body_announced(const httplib::Request& request) {
        return request.has_header("Transfer-Encoding") ||
               (request.has_header("Content-Length") &&
                (request.get_header_value("Content-Length") != "0" || !has_plain_length(request)));
    }

    [[nodiscard]] static bool has_plain_length(const httplib::Request& request) {
        const auto length = request.get_header_value("Content-Length");
        return request.get_header_value_count("Content-Length") == 1 && !length.empty() &&
               std::all_of(length.begin(), length.end(), [](char digit) { return digit >= '0' && digit <= '9'; });
    }

    /// What httplib hands out as const is not (Server::process_request), and has switches that it has nowhere else.
    [[nodiscard]] static httplib::Request& switches(const httplib::Request& request) {
        return const_cast<httplib::Request&>(request);
    }

    /// The bytes as they were sent: httplib takes forms with files apart and decompresses, by these headers, and not
    /// without the means for it.
    template <class Keep>
    [[nodiscard]] static bool read_plain(const httplib::Request& request, const httplib::ContentReader& reader,
                                         const Keep& keep) {
        auto& headers = switches(request).headers;
        const auto all = headers;
        headers.erase("Content-Type");
        headers.erase("Content-Encoding");
        const bool is_complete = reader(keep);
        headers = all;
        return is_complete;
    }

    [[nodiscard]] static http::Request translate(const httplib::Request& request) {
        http::Request translated{.method = request.method,
                                 .target = request.target,
                                 .headers = {},
                                 .body = {},
                                 .remote = request.remote_addr};
        translated.headers.reserve(request.headers.size());
        for (const auto& header : request.headers) { translated.headers.push_back({header.first, header.second}); }
        return translated;
    }

    static void refuse(int status, const std::string& why, const httplib::Request& request,
                       httplib::Response& response) {
        send(http::error_response(status, why), Connection::ends, request, response);
    }

    static void send(http::Response answer, Connection connection, const httplib::Request& request,
                     httplib::Response& response) {
        // A server may ignore ranges (RFC 9110, 14.2). httplib would cut errors too, and repeat a body for each of the
        // thousands that fit into one header.
        switches(request).ranges.clear();
        response.status = answer.status;
        const auto* const type = answer.header("Content-Type");
        if (connection == Connection::ends) {
            // httplib ends a connection by itself only behind a body that somebody fails to provide.
            const auto body = std::make_shared<const std::string>(std::move(answer.body));
            response.set_content_provider(body->size(), type != nullptr ? *type : std::string{},
                                          [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                              sink.write(body->data() + offset, length);
                                              return false;
                                          });
            if (request.get_header_value("Connection") != "close") { answer.set_header("Connection", "close"); }
        } else {
            response.body = std::move(answer.body);
        }
        // A default of the server's would stand there beside ours.
        for (const auto& header : answer.headers) { response.headers.erase(header.name); }
        for (const auto& header : answer.headers) { response.set_header(header.name, header.value); }
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
/// httplib decodes escapes in the values of headers before anybody sees them, and forgets requests that a client sends
/// before it has read the answer to the one before (pipelining).
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
        // A target may be a whole URL (RFC 9112, 3.2.2), which httplib takes for a path.
        const auto regex = "(?:https?://[^/]*)?" + HttplibAdapter::to_regex(route.pattern);
        server.Get(regex, plain).Options(regex, plain);
        server.Post(regex, with_body).Put(regex, with_body).Patch(regex, with_body).Delete(regex, with_body);
    }
}

} // namespace daybook::inline v0

#endif
