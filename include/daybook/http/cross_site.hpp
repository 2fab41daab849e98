// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_CROSS_SITE_HPP
#define DAYBOOK_HTTP_CROSS_SITE_HPP

/// @file
/// What browsers tell of the page that a request comes from, and which host a request was meant for.

#include <daybook/detail/url.hpp>
#include <daybook/http/message.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::http {

/// Whether a browser sends this request on behalf of a page of another site, by what browsers tell of it
/// (Fetch metadata, W3C; `Origin`, RFC 6454). Programs that are no browsers send neither, and are not cross-site.
[[nodiscard]] inline bool is_cross_site(const Request& request) {
    const auto* const fetch_site = request.header("Sec-Fetch-Site");
    if (fetch_site != nullptr) {
        // A page cannot set this header, so where it is it decides, even behind a proxy that changes the host.
        return *fetch_site != "same-origin" && *fetch_site != "none";
    }
    const auto* const origin = request.header("Origin");
    if (origin == nullptr) { return false; }
    const auto* const host = request.header("Host");
    const auto scheme_end = origin->find("://");
    if (host == nullptr || scheme_end == std::string::npos) { return true; }

    const auto scheme = std::string_view{*origin}.substr(0, scheme_end);
    const std::string_view default_port = is_same_name(scheme, "https") ? ":443" : ":80";
    const auto without_default_port = [&](std::string_view authority) {
        if (authority.ends_with(default_port)) { authority.remove_suffix(default_port.size()); }
        return authority;
    };
    return !is_same_name(without_default_port(std::string_view{*origin}.substr(scheme_end + 3)),
                         without_default_port(*host));
}

/// Whether the user follows a link or types an address, by the same word of browsers: what comes back is shown, and no
/// page's script reads it.
[[nodiscard]] inline bool is_navigation(const Request& request) {
    const auto says = [&](std::string_view name, std::string_view value) {
        const auto* const header = request.header(name);
        return header != nullptr && *header == value;
    };
    return request.method == "GET" && says("Sec-Fetch-Mode", "navigate") && says("Sec-Fetch-Dest", "document");
}

/// The host that a request is meant for, with its port if that was told: of a target that is a whole URL (RFC 9112,
/// 3.2.2), else of `Host`. Empty if neither says.
[[nodiscard]] inline std::string_view host_of(const Request& request) {
    if (const auto authority = detail::split_target(request.target).authority) {
        return authority->substr(0, authority->find('#'));
    }
    const auto* const host = request.header("Host");
    return host == nullptr ? std::string_view{} : std::string_view{*host};
}

/// Whether a host is one of these; one that was given without a port stands for all its ports.
[[nodiscard]] inline bool is_one_of(std::string_view host, const std::vector<std::string>& hosts) {
    const auto port = host.find(':', host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0);
    const bool has_port = port < host.size();
    return std::any_of(hosts.begin(), hosts.end(), [&](std::string_view each) {
        if (is_same_name(each, host) || is_same_name(each, host.substr(0, port))) { return true; }
        // A client leaves out the port that goes without saying.
        const bool is_default = each.ends_with(":80") || each.ends_with(":443");
        return !has_port && is_default && is_same_name(each.substr(0, each.rfind(':')), host);
    });
}

} // namespace daybook::inline v0::http

#endif
