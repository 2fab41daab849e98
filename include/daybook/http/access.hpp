// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_ACCESS_HPP
#define DAYBOOK_HTTP_ACCESS_HPP

/// @file
/// Who may do what: reading is open and changing is closed, until a program says otherwise. Ready-made checks of tokens
/// and passwords are in credentials.hpp.

#include <daybook/http/cross_site.hpp>
#include <daybook/http/message.hpp>

#include <cstdint>
#include <functional>
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
    /// @param who  The client's name, for the audit; empty: its address stands for it.
    [[nodiscard]] static Access allow(std::string who = {}) { return Access{200, {}, {}, std::move(who)}; }

    /// 403: known or not, this client may not.
    [[nodiscard]] static Access deny(std::string message = "this is not allowed") {
        return Access{403, std::move(message), {}, {}};
    }

    /// 401: who knows whether this client may; it should say who it is.
    /// @param challenge  The `WWW-Authenticate` header (RFC 9110, 11.6.1), for instance `Basic realm="jobs"`.
    [[nodiscard]] static Access ask_who(std::string challenge = "Bearer",
                                        std::string message = "this needs credentials") {
        return Access{401, std::move(message), std::move(challenge), {}};
    }

    [[nodiscard]] bool is_allowed() const noexcept { return status_ == 200; }
    [[nodiscard]] int status() const noexcept { return status_; } ///< 200, 401 or 403
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    [[nodiscard]] const std::string& challenge() const noexcept { return challenge_; }
    [[nodiscard]] const std::string& who() const noexcept { return who_; }

private:
    Access(int status, std::string message, std::string challenge, std::string who)
        : status_{status}, message_{std::move(message)}, challenge_{std::move(challenge)}, who_{std::move(who)} {}

    int status_;
    std::string message_;
    std::string challenge_;
    std::string who_;
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

/// Passes when the client may; otherwise throws what the router answers with.
///
/// @param authorize  Empty: as `read_only()`.
/// @returns Who the client is, as the hook named it.
/// @throws Error  401 or 403.
inline std::string require(const Authorize& authorize, const Request& request, Permission permission) {
    const bool is_change = permission != Permission::read;
    if (is_cross_site(request) && (is_change || !is_navigation(request))) {
        throw Error{403, is_change ? "a page of another site may not change anything here"
                                   : "a page of another site may link to this, and not ask for it"};
    }
    const auto access = authorize ? authorize(request, permission) : read_only()(request, permission);
    if (access.is_allowed()) { return access.who(); }
    Headers headers;
    if (!access.challenge().empty()) { headers.push_back({"WWW-Authenticate", access.challenge()}); }
    throw Error{access.status(), access.message(), std::move(headers)};
}

} // namespace daybook::inline v0::http

#endif
