// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_WEBHOOK_SIGNATURE_HPP
#define DAYBOOK_HTTP_WEBHOOK_SIGNATURE_HPP

/// @file
/// How a webhook proves where it comes from, and how a receiver reads that.

#include <daybook/detail/hex.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace daybook::inline v0::http {

/// Signs a text: gives back its HMAC-SHA256 (RFC 2104) under a secret that the function holds, as 64 lower-case
/// hexadecimal digits. `daybook::openssl_hmac_sha256(secret)` makes one. May be called on several threads at once.
using Sign = std::function<std::string(std::string_view)>;

/// What is signed: the time in seconds since 1970 as decimal digits, a full stop, and the body as it is sent.
[[nodiscard]] inline std::string signed_text(std::int64_t unix_seconds, std::string_view body) {
    return std::to_string(unix_seconds).append(".").append(body);
}

/// The value of the header `Daybook-Signature`: `t=1705314600,v1=5257a869…`, as Stripe's webhooks have it.
///
/// A receiver that does not use `daybook::verify_signature` checks it like this:
/// 1. split at the commas, take `t` and each `v1` (there may be several while a secret is being changed);
/// 2. compute HMAC-SHA256 under the secret over `t`, a full stop and the raw body, before any JSON is parsed;
/// 3. compare in constant time (`hmac.compare_digest`, `crypto.timingSafeEqual`) with each `v1`; one must be equal;
/// 4. refuse a `t` that is more than five minutes away from now, and a `Daybook-Delivery` that was seen before.
[[nodiscard]] inline std::string signature_header(std::int64_t unix_seconds, const Sign& sign, std::string_view body) {
    return "t=" + std::to_string(unix_seconds) + ",v1=" + sign(signed_text(unix_seconds, body));
}

/// What such a header says; nothing of it has been checked.
struct SignatureParts {
    std::int64_t unix_seconds = 0;
    std::vector<std::string_view> v1 = {}; ///< 1 to 8, each of 64 lower-case hexadecimal digits; point into the header
};

/// Empty for anything that signature_header would not write, but for fields of other names, which are passed over, and
/// several `v1`.
[[nodiscard]] inline std::optional<SignatureParts> parse_signature_header(std::string_view header) {
    constexpr std::size_t max_bytes = 2048;
    constexpr std::size_t max_signatures = 8;
    if (header.size() > max_bytes) { return std::nullopt; }
    SignatureParts parts;
    bool has_time = false;
    while (!header.empty()) {
        const auto field = header.substr(0, header.find(','));
        header.remove_prefix(field.size());
        if (!header.empty()) { header.remove_prefix(1); }
        if (field.starts_with("t=")) {
            const auto digits = field.substr(2);
            const auto* const end = digits.data() + digits.size();
            const auto [stop, error] = std::from_chars(digits.data(), end, parts.unix_seconds);
            // One way to write a number, so that what was signed is what is checked.
            if (has_time || error != std::errc{} || stop != end || digits != std::to_string(parts.unix_seconds)) {
                return std::nullopt;
            }
            has_time = true;
        } else if (field.starts_with("v1=")) {
            const auto digits = field.substr(3);
            if (digits.size() != 64 || digits.find_first_not_of(detail::hex_digits) != std::string_view::npos) {
                return std::nullopt;
            }
            if (parts.v1.size() == max_signatures) { return std::nullopt; }
            parts.v1.push_back(digits);
        }
    }
    if (!has_time || parts.v1.empty()) { return std::nullopt; }
    return parts;
}

} // namespace daybook::inline v0::http

#endif
