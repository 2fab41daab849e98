// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_ACCESS_HPP
#define DAYBOOK_HTTP_ACCESS_HPP

/// @file
/// Who may do what: reading is open and changing is closed, until a program says otherwise.

#include <daybook/http/message.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::http {

/// What an operation does to the program it is asked of.
enum class Permission : std::uint8_t {
    read,    ///< looks only
    trigger, ///< runs a job that exists
    change,  ///< adds, changes, pauses or removes jobs
    clear,   ///< erases history
};

/// The word for messages, for instance "read".
[[nodiscard]] constexpr std::string_view to_string(Permission permission) noexcept {
    switch (permission) {
    case Permission::read: return "read";
    case Permission::trigger: return "trigger";
    case Permission::change: return "change";
    case Permission::clear: return "clear";
    }
    return "unknown";
}

/// What an authorize hook answers.
class Access {
public:
    [[nodiscard]] static Access allow() { return Access{200, {}, {}}; }

    /// 403: known or not, this client may not.
    [[nodiscard]] static Access deny(std::string message = "this is not allowed") {
        return Access{403, std::move(message), {}};
    }

    /// 401: who knows whether this client may; it should say who it is.
    /// @param challenge  The `WWW-Authenticate` header (RFC 9110, 11.6.1), for instance `Basic realm="jobs"`.
    [[nodiscard]] static Access ask_who(std::string challenge = "Bearer",
                                        std::string message = "this needs credentials") {
        return Access{401, std::move(message), std::move(challenge)};
    }

    [[nodiscard]] bool is_allowed() const noexcept { return status_ == 200; }
    [[nodiscard]] int status() const noexcept { return status_; } ///< 200, 401 or 403
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    [[nodiscard]] const std::string& challenge() const noexcept { return challenge_; }

private:
    Access(int status, std::string message, std::string challenge)
        : status_{status}, message_{std::move(message)}, challenge_{std::move(challenge)} {}

    int status_;
    std::string message_;
    std::string challenge_;
};

/// Asked once for each operation, from whatever threads the program's server has, all at once. One that throws
/// anything but an Error refuses with 500.
using Authorize = std::function<Access(const Request&, Permission)>;

/// Everybody may read, nobody may change: what a router does that was given no hook.
[[nodiscard]] inline Authorize read_only() {
    return [](const Request&, Permission permission) {
        if (permission == Permission::read) { return Access::allow(); }
        return Access::deny("changing is closed here: to open it, give the router an authorize hook "
                            "(RouterOptions::authorize), for instance daybook::http::allow_changes()");
    };
}

/// Everybody who can reach the server may read and change. Pages of other sites still may not change.
[[nodiscard]] inline Authorize allow_changes() {
    return [](const Request&, Permission) { return Access::allow(); };
}

/// Everybody may read; whoever sends `Authorization: Bearer` and the token may change.
///
/// @param token  Not empty. Compared in a time that depends on its length alone.
/// @throws std::invalid_argument  The token is empty.
[[nodiscard]] inline Authorize changes_with_token(std::string token) {
    if (token.empty()) { throw std::invalid_argument{"daybook: changes_with_token needs a token that is not empty"}; }
    return [token = std::move(token)](const Request& request, Permission permission) {
        if (permission == Permission::read) { return Access::allow(); }
        constexpr std::string_view scheme = "Bearer ";
        const auto* const header = request.header("Authorization");
        if (header == nullptr || !is_same_name(std::string_view{*header}.substr(0, scheme.size()), scheme)) {
            return Access::ask_who("Bearer", "changing needs the header Authorization: Bearer and a token");
        }
        const auto given = std::string_view{*header}.substr(scheme.size());
        auto difference = static_cast<unsigned>(given.size() != token.size());
        for (std::size_t index = 0; index < token.size(); ++index) {
            const char other = index < given.size() ? given[index] : '\0';
            difference |= static_cast<unsigned>(token[index] ^ other) & 0xFFU;
        }
        return difference == 0 ? Access::allow() : Access::deny("this token may not change anything");
    };
}

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

/// Passes when the client may; otherwise throws what the router answers with.
///
/// @param authorize  Empty: as `read_only()`.
/// @throws Error  401 or 403.
inline void require(const Authorize& authorize, const Request& request, Permission permission) {
    if (permission != Permission::read && is_cross_site(request)) {
        throw Error{403, "a page of another site may not change anything here"};
    }
    const auto access = authorize ? authorize(request, permission) : read_only()(request, permission);
    if (access.is_allowed()) { return; }
    Headers headers;
    if (!access.challenge().empty()) { headers.push_back({"WWW-Authenticate", access.challenge()}); }
    throw Error{access.status(), access.message(), std::move(headers)};
}

} // namespace daybook::inline v0::http

#endif
