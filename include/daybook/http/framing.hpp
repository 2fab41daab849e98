// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_FRAMING_HPP
#define DAYBOOK_HTTP_FRAMING_HPP

/// @file
/// For adapters: requests whose end two servers may see in different places, and bodies without end.

#include <daybook/http/message.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace daybook::inline v0::http {

/// Whether it is in doubt where a request's body ends: a proxy that sees the end elsewhere would take a part of one
/// client's body for a request of the next client (request smuggling; RFC 9112, 5.1, 6.1 and 6.3).
///
/// An adapter asks this where its server lets such requests through, then answers `doubtful_length_response()` without
/// asking the router, and has the connection closed. True of a `Transfer-Encoding` that stands beside a
/// `Content-Length`, stands there twice or is not `chunked` alone; of a `Content-Length` that is no number, is 2^63 or
/// more (some servers take it for another), or stands there twice with different numbers; and of a header whose name
/// has a blank in it. O(headers).
[[nodiscard]] inline bool has_doubtful_length(const Headers& headers) noexcept {
    const std::string* length = nullptr;
    const std::string* coding = nullptr;
    for (const auto& header : headers) {
        if (header.name.find_first_of(" \t") != std::string::npos) { return true; }
        if (is_same_name(header.name, "Content-Length")) {
            std::int64_t number = 0;
            const auto* const end = header.value.data() + header.value.size();
            const auto read = std::from_chars(header.value.data(), end, number);
            const bool is_number = read.ec == std::errc{} && read.ptr == end && header.value.front() != '-';
            if (!is_number || (length != nullptr && *length != header.value)) { return true; }
            length = &header.value;
        } else if (is_same_name(header.name, "Transfer-Encoding")) {
            if (coding != nullptr || !is_same_name(header.value, "chunked")) { return true; }
            coding = &header.value;
        }
    }
    return length != nullptr && coding != nullptr;
}

/// Appends a piece of a body, as far as the router wants to see it: one byte more than it allows, so that it can tell
/// that the body is too large. For servers that hand a body on in pieces of any size.
/// @param max_body_bytes  Router::max_body_bytes.
inline void append_body(std::string& body, std::string_view piece, std::size_t max_body_bytes) {
    const auto most = max_body_bytes == std::string::npos ? max_body_bytes : max_body_bytes + 1;
    body.append(piece.substr(0, most - std::min(most, body.size())));
}

/// 400, and `Connection: close`.
[[nodiscard]] inline Response doubtful_length_response() {
    auto response = error_response(400, "it is in doubt where the body ends: send one Content-Length, or "
                                        "Transfer-Encoding: chunked");
    response.set_header("Connection", "close");
    return response;
}

} // namespace daybook::inline v0::http

#endif
