// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_HTTP_URL_HPP
#define DAYBOOK_HTTP_HTTP_URL_HPP

/// @file
/// Addresses that a program sends requests to, read strictly, and which of them it may.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

enum class UrlScheme : std::uint8_t { http, https };

[[nodiscard]] constexpr std::string_view to_string(UrlScheme scheme) noexcept {
    return scheme == UrlScheme::https ? "https" : "http";
}

[[nodiscard]] constexpr std::uint16_t default_port(UrlScheme scheme) noexcept {
    return scheme == UrlScheme::https ? 443 : 80;
}

/// An http or https URL in its parts, as parse_http_url makes it.
struct HttpUrl {
    UrlScheme scheme = UrlScheme::http;
    std::string host = {}; ///< in lower case; an IPv6 address without its brackets
    std::uint16_t port = 80;
    std::string target = "/"; ///< path and query as they are sent

    [[nodiscard]] bool is_ipv6() const noexcept { return host.find(':') != std::string::npos; }

    /// As a `Host` header has it: the port only where it is not the scheme's own.
    [[nodiscard]] std::string authority() const {
        auto text = is_ipv6() ? "[" + host + "]" : host;
        if (port != default_port(scheme)) { text += ":" + std::to_string(port); }
        return text;
    }

    /// All but the target, which may hold a secret: what may stand in messages.
    [[nodiscard]] std::string origin() const { return std::string{to_string(scheme)} + "://" + authority(); }

    [[nodiscard]] std::string text() const { return origin() + target; }

    friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// Whether a program may ask this address. Called under no lock, on whatever thread is about to.
using AllowUrl = std::function<bool(const HttpUrl&)>;

/// The longest URL that is taken, in bytes.
inline constexpr std::size_t max_url_bytes = 8192;

} // namespace daybook::inline v0::http

namespace daybook::inline v0::detail {

[[noreturn]] inline void refuse_url(const char* why) {
    // The URL itself is not repeated: it may hold a secret, and this may be shown to somebody.
    throw std::invalid_argument{std::string{"the URL "} + why};
}

[[nodiscard]] inline std::string lower_text(std::string_view text) {
    std::string lower{text};
    for (char& letter : lower) {
        if (letter >= 'A' && letter <= 'Z') { letter = static_cast<char>(letter - 'A' + 'a'); }
    }
    return lower;
}

/// A host and, if it says one, a port.
struct UrlAuthority {
    std::string host = {};
    std::optional<std::uint16_t> port = {};
};

[[nodiscard]] inline std::uint16_t read_port(std::string_view digits) {
    unsigned number = 0;
    if (digits.empty() || digits.size() > 5) { refuse_url("has a port that is not a number from 1 to 65535"); }
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') { refuse_url("has a port that is not a number from 1 to 65535"); }
        number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    if (number < 1 || number > 65535) { refuse_url("has a port that is not a number from 1 to 65535"); }
    return static_cast<std::uint16_t>(number);
}

[[nodiscard]] inline bool is_host_name(std::string_view host) noexcept {
    if (host.empty() || host.size() > 253 || host.front() == '.' || host.back() == '.') { return false; }
    if (host.find("..") != std::string_view::npos) { return false; }
    return host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string_view::npos;
}

[[nodiscard]] inline bool is_ipv6_text(std::string_view host) noexcept {
    return host.size() >= 2 && host.size() <= 45 && host.find(':') != host.rfind(':') &&
           host.find_first_not_of("abcdef0123456789:.") == std::string_view::npos;
}

[[nodiscard]] inline UrlAuthority read_authority(std::string_view text) {
    if (text.find('@') != std::string_view::npos) { refuse_url("must not have a user name or password in it"); }
    UrlAuthority read;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) { refuse_url("has a bracket that is not closed"); }
        read.host = lower_text(text.substr(1, close - 1));
        if (!is_ipv6_text(read.host)) { refuse_url("has something in brackets that is no IPv6 address"); }
        text.remove_prefix(close + 1);
        if (!text.empty() && text.front() != ':') { refuse_url("has something behind its host"); }
    } else {
        const auto colon = text.find(':');
        read.host = lower_text(text.substr(0, colon));
        if (!is_host_name(read.host)) { refuse_url("needs a host of letters, digits, dots and dashes"); }
        text.remove_prefix(colon == std::string_view::npos ? text.size() : colon);
    }
    if (!text.empty()) { read.port = read_port(text.substr(1)); }
    return read;
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// Reads an absolute URL (RFC 3986) more strictly than browsers do, so that no other program can read it differently:
/// `http` or `https`, no user name, a host of ASCII letters, digits, `.`, `-` and `_` or an IPv6 address in brackets, a
/// port from 1 to 65535, and a target of printable ASCII without `\`. Other characters must be percent-encoded. A
/// fragment is dropped.
/// @throws std::invalid_argument  Says what is wrong, and repeats nothing of the URL.
[[nodiscard]] inline HttpUrl parse_http_url(std::string_view text) {
    if (text.size() > max_url_bytes) { detail::refuse_url("is longer than 8192 bytes"); }
    for (const char byte : text) {
        if (byte <= ' ' || byte >= '\x7F' || byte == '\\') {
            detail::refuse_url("has a character in it that must be percent-encoded");
        }
    }
    HttpUrl url;
    const auto scheme_end = text.find("://");
    const auto scheme = detail::lower_text(text.substr(0, std::min(scheme_end, text.size())));
    if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
        detail::refuse_url("must begin with http:// or https://");
    }
    url.scheme = scheme == "https" ? UrlScheme::https : UrlScheme::http;
    text.remove_prefix(scheme_end + 3);
    const auto authority_end = std::min(text.find_first_of("/?#"), text.size());
    auto authority = detail::read_authority(text.substr(0, authority_end));
    url.host = std::move(authority.host);
    url.port = authority.port.value_or(default_port(url.scheme));
    text = text.substr(authority_end);
    text = text.substr(0, text.find('#'));
    url.target = text.starts_with('/') ? std::string{text} : "/" + std::string{text};
    return url;
}

/// Where a `Location` header leads from here (RFC 3986, 5.2): a URL, or what of it differs. Dot segments are left to
/// the server.
/// @throws std::invalid_argument  See parse_http_url.
[[nodiscard]] inline HttpUrl resolve_http_url(const HttpUrl& base, std::string_view location) {
    const auto first = location.find_first_of(":/?#");
    if (first != std::string_view::npos && location[first] == ':') { return parse_http_url(location); }
    const std::string scheme{to_string(base.scheme)};
    if (location.starts_with("//")) { return parse_http_url(scheme + ":" + std::string{location}); }
    const auto path_end = std::min(base.target.find('?'), base.target.size());
    std::string before;
    if (location.empty() || location.starts_with('#')) {
        before = base.target;
    } else if (location.starts_with('?')) {
        before = base.target.substr(0, path_end);
    } else if (!location.starts_with('/')) {
        before = base.target.substr(0, base.target.rfind('/', path_end) + 1);
    }
    return parse_http_url(base.origin() + before + std::string{location});
}

/// Allows what is on a list, and nothing else: `allow_hosts({"api.example.com", "127.0.0.1:8080", "[::1]:8080"})`.
///
/// Hosts are compared whole and without regard to case: `example.com` allows neither `api.example.com` nor
/// `example.com.evil.test`. An entry without a port allows the scheme's own (80, 443). What a name resolves to is not
/// looked at, so list only names whose owner you trust.
/// @throws std::invalid_argument  An entry is not a host, or a host, a colon and a port.
[[nodiscard]] inline AllowUrl allow_hosts(const std::vector<std::string>& hosts) {
    std::vector<detail::UrlAuthority> allowed;
    allowed.reserve(hosts.size());
    for (const auto& host : hosts) {
        try {
            allowed.push_back(detail::read_authority(host));
        } catch (const std::invalid_argument&) {
            throw std::invalid_argument{"daybook: allow_hosts takes a host, or a host and a port such as "
                                        "127.0.0.1:8080, not " +
                                        host};
        }
    }
    return [allowed = std::move(allowed)](const HttpUrl& url) {
        for (const auto& entry : allowed) {
            if (entry.host == url.host && entry.port.value_or(default_port(url.scheme)) == url.port) { return true; }
        }
        return false;
    };
}

} // namespace daybook::inline v0::http

#endif
