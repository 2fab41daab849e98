// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_MESSAGE_HPP
#define DAYBOOK_HTTP_MESSAGE_HPP

/// @file
/// A request and a response as plain values, which is all that an adapter has to translate.

#include <daybook/text/json_writer.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// One header line; names are compared without regard to case (RFC 9110, 5.1).
struct Header {
    std::string name = {};
    std::string value = {};
};

using Headers = std::vector<Header>;

/// Whether two names are the same but for the case of ASCII letters.
[[nodiscard]] constexpr bool is_same_name(std::string_view left, std::string_view right) noexcept {
    const auto lower = [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&](char one, char other) { return lower(one) == lower(other); });
}

/// The value of the first header of that name, or null. Points into `headers`.
[[nodiscard]] inline const std::string* find_header(const Headers& headers, std::string_view name) noexcept {
    const auto found =
        std::find_if(headers.begin(), headers.end(), [&](const Header& each) { return is_same_name(each.name, name); });
    return found == headers.end() ? nullptr : &found->value;
}

/// What was asked.
struct Request {
    std::string method = "GET"; ///< upper case, as it came
    std::string target = "/";   ///< as it stood in the request line: not decoded, with the query
    Headers headers = {};
    std::string body = {};
    std::string remote = {}; ///< the peer's address, for hooks; may be empty

    /// See find_header.
    [[nodiscard]] const std::string* header(std::string_view name) const noexcept { return find_header(headers, name); }
};

/// What is answered. The response to a HEAD carries the body that a GET would have: whoever sends it sends its length,
/// and not the body.
struct Response {
    int status = 200;
    Headers headers = {};
    std::string body = {};

    /// See find_header.
    [[nodiscard]] const std::string* header(std::string_view name) const noexcept { return find_header(headers, name); }

    /// Replaces the header of that name, or adds it.
    Response& set_header(std::string_view name, std::string_view value) {
        for (auto& each : headers) {
            if (is_same_name(each.name, name)) {
                each.value = value;
                return *this;
            }
        }
        headers.push_back({std::string{name}, std::string{value}});
        return *this;
    }
};

/// A refusal, thrown by a handler or a hook and turned into a response by the router. `what()` is what the client is
/// told, so it names what was wrong and what is allowed, and nothing of the inside.
class Error : public std::runtime_error {
public:
    /// @param status  400 to 599.
    Error(int status, const std::string& message, Headers headers = {})
        : std::runtime_error{message}, status_{status}, headers_{std::move(headers)} {}

    [[nodiscard]] int status() const noexcept { return status_; }

    /// Sent along, for instance `WWW-Authenticate`.
    [[nodiscard]] const Headers& headers() const noexcept { return headers_; }

private:
    int status_;
    Headers headers_;
};

/// A response that is a JSON document.
[[nodiscard]] inline Response json_response(int status, std::string document) {
    return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(document)};
}

/// Adds the headers that keep a browser from doing anything with an answer but show it, where they are not set already.
inline void add_security_headers(Response& response) {
    constexpr std::pair<std::string_view, std::string_view> headers[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    response.headers.reserve(response.headers.size() + std::size(headers));
    for (const auto& header : headers) {
        if (response.header(header.first) == nullptr) {
            response.headers.push_back({std::string{header.first}, std::string{header.second}});
        }
    }
}

/// `{"error":{"code":400,"message":"…"}}`, with the security headers.
[[nodiscard]] inline Response error_response(int status, std::string_view message) {
    std::string document;
    JsonWriter writer{document};
    writer.begin_object().key("error").begin_object();
    writer.member("code", status).member("message", message);
    writer.end_object().end_object();
    auto response = json_response(status, std::move(document));
    add_security_headers(response);
    return response;
}

} // namespace daybook::inline v0::http

#endif
