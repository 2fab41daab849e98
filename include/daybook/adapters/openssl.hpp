// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_OPENSSL_HPP
#define DAYBOOK_ADAPTERS_OPENSSL_HPP

/// @file
/// The signatures of webhooks by OpenSSL's libcrypto (1.1.1 and later): cryptography is better kept there than here.

#include <daybook/http/webhook_signature.hpp>
#include <daybook/types.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// Signs with HMAC-SHA256. Copies share the secret, which is overwritten when the last one goes.
///
/// @param secret  1 to 4096 bytes; as many random ones as SHA-256 gives, 32, are plenty.
/// @throws std::invalid_argument  The secret is too short or too long.
/// What it returns throws std::runtime_error when OpenSSL fails.
[[nodiscard]] inline http::Sign openssl_hmac_sha256(std::string secret) {
    constexpr std::size_t max_bytes = 4096;
    if (secret.empty() || secret.size() > max_bytes) {
        throw std::invalid_argument{"daybook: the secret of openssl_hmac_sha256 must have 1 to 4096 bytes, has " +
                                    std::to_string(secret.size())};
    }
    const auto wipe = [](std::string* held) {
        OPENSSL_cleanse(held->data(), held->size());
        delete held; // NOLINT(cppcoreguidelines-owning-memory): this is the deleter
    };
    std::shared_ptr<const std::string> kept{new std::string{secret}, wipe};
    OPENSSL_cleanse(secret.data(), secret.size());
    return [kept = std::move(kept)](std::string_view text) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int length = 0;
        if (HMAC(EVP_sha256(), kept->data(), static_cast<int>(kept->size()),
                 reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length) == nullptr) {
            throw std::runtime_error{"OpenSSL could not compute an HMAC"};
        }
        std::string hex;
        for (unsigned int index = 0; index < length; ++index) {
            hex += "0123456789abcdef"[digest[index] >> 4U];
            hex += "0123456789abcdef"[digest[index] & 0xFU];
        }
        return hex;
    };
}

/// What verify_signature finds.
enum class SignatureVerdict : std::uint8_t {
    valid,
    malformed,   ///< the header is not one that a notifier writes
    wrong,       ///< made with another secret, or for another body
    out_of_time, ///< right, but made too long ago, or by a clock that is ahead: perhaps somebody sends it again
};

/// For whoever receives webhooks: whether the header `Daybook-Signature` fits the body.
///
/// @code
/// if (daybook::verify_signature(secret, header, request.body) != daybook::SignatureVerdict::valid) { return 401; }
/// @endcode
///
/// Compares in a time that depends on lengths alone.
/// @param body       The bytes as they came, before anything is parsed.
/// @param tolerance  How far the signature's time and `now` may lie apart.
/// @throws std::invalid_argument  See openssl_hmac_sha256.
[[nodiscard]] inline SignatureVerdict
verify_signature(std::string_view secret, std::string_view header, std::string_view body,
                 std::chrono::seconds tolerance = std::chrono::minutes{5},
                 sys_time now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())) {
    const auto sign = openssl_hmac_sha256(std::string{secret});
    const auto parts = http::parse_signature_header(header);
    if (!parts) { return SignatureVerdict::malformed; }
    const auto expected = sign(http::signed_text(parts->unix_seconds, body));
    bool is_right = false;
    for (const auto given : parts->v1) {
        // Both have 64 digits.
        if (CRYPTO_memcmp(expected.data(), given.data(), expected.size()) == 0) { is_right = true; }
    }
    if (!is_right) { return SignatureVerdict::wrong; }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    // Whoever signs may say any time, so the difference may be too large for a signed number.
    const auto apart = seconds > parts->unix_seconds
                           ? static_cast<std::uint64_t>(seconds) - static_cast<std::uint64_t>(parts->unix_seconds)
                           : static_cast<std::uint64_t>(parts->unix_seconds) - static_cast<std::uint64_t>(seconds);
    const bool is_near = tolerance.count() >= 0 && apart <= static_cast<std::uint64_t>(tolerance.count());
    return is_near ? SignatureVerdict::valid : SignatureVerdict::out_of_time;
}

} // namespace daybook::inline v0

#endif
