// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_HTTP_SEND_HPP
#define DAYBOOK_HTTP_HTTP_SEND_HPP

/// @file
/// A request that the program makes, as plain values, and the function that makes it, which an adapter gives.

#include <daybook/http/http_url.hpp>
#include <daybook/http/message.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::http {

/// What is asked of another server.
struct HttpCall {
    std::string method = "POST";
    std::string url = {};
    Headers headers = {}; ///< all but those of the connection itself, see is_sendable_header
    std::string body = {};
    /// For all of it, from now, on the real steady clock; more than 0. What the system takes to look up a name is not
    /// bounded by it.
    std::chrono::nanoseconds timeout = std::chrono::seconds{30};
    /// The body is read no further, and the connection closed.
    std::size_t max_response_bytes = 65536;
    std::stop_token stop = {}; ///< ends the call early
};

/// How a call ended.
enum class HttpOutcome : std::uint8_t {
    answered,    ///< there is a status, whatever it says
    unreachable, ///< there is none: no connection, or it broke
    timed_out,
    stopped, ///< by the stop token
    refused, ///< nothing was sent, and will not be another time: the URL or a header is wrong, or is not allowed
};

/// What came of it.
struct HttpReply {
    HttpOutcome outcome = HttpOutcome::unreachable;
    int status = 0;         ///< 100 to 599; 0: no answer
    Headers headers = {};   ///< of the answer
    std::string body = {};  ///< no longer than HttpCall::max_response_bytes
    bool is_cut = false;    ///< there was more
    std::string error = {}; ///< why there is no answer, for people; names the host and nothing else of the URL

    /// See find_header.
    [[nodiscard]] const std::string* header(std::string_view name) const noexcept { return find_header(headers, name); }
};

/// Makes one request and waits for the answer. Follows no redirect, sends what it is told to byte for byte, returns
/// soon after the timeout or a stop, raises no signal, and does not throw but std::bad_alloc. Several threads call it
/// at once.
using HttpSend = std::function<HttpReply(const HttpCall&)>;

/// Whether a header may be sent as it is: the name a token (RFC 9110, 5.1), the value without control characters, so
/// that it is one line; and none that says where the request goes, how long it is, or what the connection is for, since
/// those are the transport's.
[[nodiscard]] inline bool is_sendable_header(std::string_view name, std::string_view value) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    const auto is_token = [&](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
               marks.find(byte) != std::string_view::npos;
    };
    if (name.empty() || name.size() > 255 || !std::all_of(name.begin(), name.end(), is_token)) { return false; }
    const auto is_control = [](char byte) { return (byte >= 0 && byte < ' ' && byte != '\t') || byte == '\x7F'; };
    if (value.size() > 8192 || std::any_of(value.begin(), value.end(), is_control)) { return false; }
    constexpr std::string_view own[] = {
        "Host",       "Content-Length",   "Transfer-Encoding",   "Connection", "Upgrade",
        "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Expect",     "Trailer",
        "TE"};
    return std::none_of(std::begin(own), std::end(own),
                        [&](std::string_view each) { return is_same_name(each, name); });
}

/// Whether it is one of DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT, in capitals.
[[nodiscard]] inline bool is_sendable_method(std::string_view method) noexcept {
    constexpr std::string_view known[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    return std::find(std::begin(known), std::end(known), method) != std::end(known);
}

/// How following_redirects goes on.
struct RedirectOptions {
    /// After so many redirects the next one is the answer.
    std::size_t max_redirects = 5;
    /// Asked for each URL, the first one too; empty: nothing is allowed.
    AllowUrl allow_url = {};
};

} // namespace daybook::inline v0::http

namespace daybook::inline v0::detail {

/// The call that a redirect asks for (RFC 9110, 15.4).
inline void follow_redirect(http::HttpCall& call, int status, const http::HttpUrl& from, const http::HttpUrl& to) {
    using http::Header;
    using http::is_same_name;
    if (status == 303 || ((status == 301 || status == 302) && call.method == "POST")) {
        if (call.method != "HEAD") { call.method = "GET"; }
        call.body.clear();
        std::erase_if(call.headers, [](const Header& header) { return is_same_name(header.name, "Content-Type"); });
    }
    if (from.scheme != to.scheme || from.host != to.host || from.port != to.port) {
        // Whatever the headers hold was meant for the other server.
        std::erase_if(call.headers, [](const Header& header) {
            return !is_same_name(header.name, "Content-Type") && !is_same_name(header.name, "Accept");
        });
    }
    call.url = to.text();
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// A transport that asks `options.allow_url` for each address before it is asked, and goes on where an answer
/// redirects. Never from https to http; to another host, port or scheme only with the headers Accept and Content-Type.
/// The call's timeout is for all of it.
[[nodiscard]] inline HttpSend following_redirects(HttpSend send, RedirectOptions options) {
    if (!send) { throw std::invalid_argument{"daybook: following_redirects needs something to send with"}; }
    return [send = std::move(send), options = std::move(options)](const HttpCall& first) {
        const auto refused = [](std::string why) {
            HttpReply reply;
            reply.outcome = HttpOutcome::refused;
            reply.error = std::move(why);
            return reply;
        };
        const auto begin = std::chrono::steady_clock::now();
        HttpCall call = first;
        HttpUrl url;
        try {
            url = parse_http_url(call.url);
        } catch (const std::invalid_argument& error) { return refused(error.what()); }
        for (std::size_t redirects = 0;; ++redirects) {
            if (!options.allow_url || !options.allow_url(url)) { return refused(url.origin() + " is not allowed"); }
            call.timeout = first.timeout - (std::chrono::steady_clock::now() - begin);
            if (call.timeout <= call.timeout.zero()) {
                HttpReply late;
                late.outcome = HttpOutcome::timed_out;
                late.error = "no answer from " + url.origin() + " in time";
                return late;
            }
            auto reply = send(call);
            const auto* const location = reply.header("Location");
            const bool is_redirect = reply.status == 301 || reply.status == 302 || reply.status == 303 ||
                                     reply.status == 307 || reply.status == 308;
            if (reply.outcome != HttpOutcome::answered || !is_redirect || location == nullptr ||
                redirects == options.max_redirects) {
                return reply;
            }
            try {
                auto next = resolve_http_url(url, *location);
                if (url.scheme == UrlScheme::https && next.scheme == UrlScheme::http) {
                    return refused(url.origin() + " redirects from https to http");
                }
                detail::follow_redirect(call, reply.status, url, next);
                url = std::move(next);
            } catch (const std::invalid_argument&) {
                return refused(url.origin() + " redirects to something that is no URL");
            }
        }
    };
}

} // namespace daybook::inline v0::http

#endif
