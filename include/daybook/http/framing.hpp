// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_FRAMING_HPP
#define DAYBOOK_HTTP_FRAMING_HPP

/// @file
/// For adapters: requests whose end two servers may see in different places.

#include <daybook/http/message.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace daybook::inline v0::http {

/// Whether it is in doubt where a request's body ends: a proxy that sees the end elsewhere would take a part of one
/// client's body for a request of the next client (request smuggling; RFC 9112, 5.1, 6.1 and 6.3).
///
/// An adapter asks this where its server lets such requests through, then answers `doubtful_length_response()` without
/// asking the router, and has the connection closed. True of a `Transfer-Encoding` that stands beside a
/// `Content-Length`, stands there twice or is not `chunked` alone; of a `Content-Length` that is no number, or stands
/// there twice with different numbers; and of a header whose name has a blank in it. O(headers).
[[nodiscard]] inline bool has_doubtful_length(const Headers& headers) noexcept {
    const std::string* length = nullptr;
    const std::string* coding = nullptr;
    for (const auto& header : headers) {
        if (header.name.find_first_of(" \t") != std::string::npos) { return true; }
        if (is_same_name(header.name, "Content-Length")) {
            const bool is_number =
                !header.value.empty() && header.value.find_first_not_of("0123456789") == std::string::npos;
            if (!is_number || (length != nullptr && *length != header.value)) { return true; }
            length = &header.value;
        } else if (is_same_name(header.name, "Transfer-Encoding")) {
            if (coding != nullptr || !is_same_name(header.value, "chunked")) { return true; }
            coding = &header.value;
        }
    }
    return length != nullptr && coding != nullptr;
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
