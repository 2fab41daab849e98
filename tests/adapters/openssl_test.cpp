// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/adapters/openssl.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using daybook::openssl_hmac_sha256;
using daybook::SignatureVerdict;
using daybook::verify_signature;

namespace {

constexpr std::int64_t signed_at = 1'705'314'600;
const daybook::sys_time at{std::chrono::seconds{signed_at}};

std::string header_for(const std::string& secret, std::string_view body, std::int64_t seconds = signed_at) {
    return daybook::http::signature_header(seconds, openssl_hmac_sha256(secret), body);
}

} // namespace

TEST_CASE("the signer agrees with the vectors of RFC 4231") {
    CHECK(openssl_hmac_sha256(std::string(20, '\x0b'))("Hi There") ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(openssl_hmac_sha256("Jefe")("what do ya want for nothing?") ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(openssl_hmac_sha256(std::string(20, '\xaa'))(std::string(50, '\xdd')) ==
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    std::string counted;
    for (char byte = 1; byte <= 25; ++byte) { counted += byte; }
    CHECK(openssl_hmac_sha256(counted)(std::string(50, '\xcd')) ==
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    CHECK(openssl_hmac_sha256(std::string(131, '\xaa'))("Test Using Larger Than Block-Size Key - Hash Key First") ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(openssl_hmac_sha256(std::string(131, '\xaa'))(
              "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
              "be hashed before being used by the HMAC algorithm.") ==
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("a secret must have 1 to 4096 bytes") {
    CHECK_THROWS_AS(openssl_hmac_sha256(""), std::invalid_argument);
    CHECK_THROWS_AS(openssl_hmac_sha256(std::string(4097, 'x')), std::invalid_argument);
    CHECK_THROWS_AS(verify_signature("", "t=1,v1=", ""), std::invalid_argument);
    CHECK(openssl_hmac_sha256(std::string(4096, 'x'))("").size() == 64);
}

TEST_CASE("a signature is valid for its body, its secret and its time") {
    const auto header = header_for("secret", "{}");
    CHECK(verify_signature("secret", header, "{}", 5min, at) == SignatureVerdict::valid);
    CHECK(verify_signature("secret", header, "{ }", 5min, at) == SignatureVerdict::wrong);
    CHECK(verify_signature("Secret", header, "{}", 5min, at) == SignatureVerdict::wrong);
    CHECK(verify_signature("secret", header_for("secret", ""), "", 5min, at) == SignatureVerdict::valid);
}

TEST_CASE("a signature is valid as long as the tolerance says, before and after") {
    const auto header = header_for("secret", "{}");
    CHECK(verify_signature("secret", header, "{}", 5min, at + 5min) == SignatureVerdict::valid);
    CHECK(verify_signature("secret", header, "{}", 5min, at + 5min + 1s) == SignatureVerdict::out_of_time);
    CHECK(verify_signature("secret", header, "{}", 5min, at - 5min) == SignatureVerdict::valid);
    CHECK(verify_signature("secret", header, "{}", 5min, at - 5min - 1s) == SignatureVerdict::out_of_time);
    CHECK(verify_signature("secret", header, "{}", 0s, at) == SignatureVerdict::valid);
    CHECK(verify_signature("secret", header, "{}", -1s, at) == SignatureVerdict::out_of_time);
    for (const auto seconds : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        CHECK(verify_signature("secret", header_for("secret", "{}", seconds), "{}", 5min, at) ==
              SignatureVerdict::out_of_time);
    }
}

TEST_CASE("another time than the signed one makes a signature wrong") {
    auto header = header_for("secret", "{}");
    header.replace(0, 12, "t=1705314601");
    CHECK(verify_signature("secret", header, "{}", 5min, at) == SignatureVerdict::wrong);
}

TEST_CASE("one of several signatures must be right, so that a secret can be changed") {
    const auto old_one = header_for("old", "{}");
    const auto new_one = header_for("new", "{}");
    const auto both = old_one + new_one.substr(new_one.find(','));
    CHECK(verify_signature("old", both, "{}", 5min, at) == SignatureVerdict::valid);
    CHECK(verify_signature("new", both, "{}", 5min, at) == SignatureVerdict::valid);
    CHECK(verify_signature("third", both, "{}", 5min, at) == SignatureVerdict::wrong);
}

TEST_CASE("a header that no notifier writes is malformed") {
    const std::string digits(64, 'a');
    const std::string none;
    for (const auto& header :
         {none, std::string{"t=1705314600"}, "v1=" + digits, "t=,v1=" + digits, "t=x,v1=" + digits, "t=+5,v1=" + digits,
          "t=05,v1=" + digits, "t=5 ,v1=" + digits, "t=99999999999999999999,v1=" + digits, "t=5,t=5,v1=" + digits,
          "t=5,v1=" + digits + "a", std::string{"t=5,v1="}, "t=5,v1=" + std::string(64, 'A'),
          "t=5,v1=" + std::string(64, '\0'), "t=5" + std::string(3000, ',') + "v1=" + digits, std::string(100, ','),
          "t=5," + [&] {
              std::string many;
              for (int count = 0; count < 9; ++count) { many += "v1=" + digits + ","; }
              return many;
          }()}) {
        INFO(header);
        CHECK(verify_signature("secret", header, "{}", 5min, at) == SignatureVerdict::malformed);
    }
    CHECK(verify_signature("secret", "v0=x,,t=5,v1=" + digits + ",v2=y", "{}", 5min, at) == SignatureVerdict::wrong);
}
