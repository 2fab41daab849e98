// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_CREDENTIALS_HPP
#define DAYBOOK_HTTP_CREDENTIALS_HPP

/// @file
/// Ready-made authorize hooks: tokens (RFC 6750) and passwords (RFC 7617), compared in constant time. Over plain HTTP
/// both can be overheard: they belong behind TLS, or on a loopback address.

#include <daybook/detail/base64.hpp>
#include <daybook/detail/constant_time.hpp>
#include <daybook/http/access.hpp>
#include <daybook/http/message.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// Whether those who show no credentials may read.
enum class Reading : std::uint8_t { open, closed };

/// Somebody whom a hook knows.
struct Credential {
    std::string name = {};   ///< for the audit; of a password also the user name, so it has no colon there
    std::string secret = {}; ///< the token or password; not empty
    /// What this client may do.
    std::vector<Permission> may = {Permission::read, Permission::trigger, Permission::change, Permission::clear};
};

/// How credentials are asked for.
struct CredentialOptions {
    Reading reading = Reading::open;
    std::string realm = "daybook"; ///< told to clients (RFC 9110, 11.5); no quotes and no line breaks in it
};

} // namespace daybook::inline v0::http

namespace daybook::inline v0::detail {

inline void check_credentials(const std::vector<http::Credential>& known, const http::CredentialOptions& options) {
    if (known.empty()) {
        throw std::invalid_argument{"daybook: a hook that knows nobody lets nobody in: give it a credential"};
    }
    for (const auto& each : known) {
        if (each.secret.empty()) {
            throw std::invalid_argument{"daybook: the credential \"" + each.name +
                                        "\" needs a secret that is not empty"};
        }
    }
    if (options.realm.find_first_of("\"\\\r\n") != std::string::npos) {
        throw std::invalid_argument{"daybook: a realm must not hold quotes, backslashes or line breaks"};
    }
}

/// What stands behind the scheme in `Authorization`; empty when there is none, or another.
[[nodiscard]] inline std::optional<std::string_view> shown_credentials(const http::Request& request,
                                                                       std::string_view scheme) {
    const auto* const header = request.header("Authorization");
    if (header == nullptr) { return std::nullopt; }
    const std::string_view text = *header;
    if (text.size() <= scheme.size() || text[scheme.size()] != ' ' ||
        !http::is_same_name(text.substr(0, scheme.size()), scheme)) {
        return std::nullopt;
    }
    return text.substr(scheme.size() + 1);
}

/// Every credential is looked at, so that how long it takes does not tell which was the right one.
template <class Fits>
[[nodiscard]] const http::Credential* find_credential(const std::vector<http::Credential>& known, Fits fits) {
    const http::Credential* found = nullptr;
    for (const auto& each : known) {
        if (fits(each) && found == nullptr) { found = &each; }
    }
    return found;
}

[[nodiscard]] inline http::Access decide(const http::Credential* client, http::Permission permission,
                                         std::string challenge) {
    if (client == nullptr) {
        return http::Access::ask_who(std::move(challenge), "these credentials are not known here");
    }
    if (std::find(client->may.begin(), client->may.end(), permission) == client->may.end()) {
        return http::Access::deny(client->name + " may not do this: it needs the permission to " +
                                  std::string{to_string(permission)});
    }
    return http::Access::allow(client->name);
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// Whoever sends `Authorization: Bearer` and one of the tokens may do what that token may.
///
/// @throws std::invalid_argument  There is no token, one is empty, or the realm holds quotes or line breaks.
[[nodiscard]] inline Authorize bearer_tokens(std::vector<Credential> known, const CredentialOptions& options = {}) {
    detail::check_credentials(known, options);
    return [known = std::move(known), reading = options.reading,
            challenge = "Bearer realm=\"" + options.realm + "\""](const Request& request, Permission permission) {
        const auto token = detail::shown_credentials(request, "Bearer");
        if (!token) {
            if (permission == Permission::read && reading == Reading::open) { return Access::allow(); }
            return Access::ask_who(challenge, "this needs the header Authorization: Bearer and a token");
        }
        const auto* const client = detail::find_credential(
            known, [&](const Credential& each) { return detail::is_same_secret(each.secret, *token); });
        return detail::decide(client, permission, challenge + ", error=\"invalid_token\"");
    };
}

/// Whoever sends `Authorization: Basic` with one of the names and its password may do what that name may. A browser
/// asks its user for both by itself.
///
/// @throws std::invalid_argument  There is no password, one is empty, a name is empty or holds a colon, or the realm
/// holds quotes
///                                or line breaks.
[[nodiscard]] inline Authorize basic_passwords(std::vector<Credential> known, const CredentialOptions& options = {}) {
    detail::check_credentials(known, options);
    for (const auto& each : known) {
        if (each.name.empty() || each.name.find(':') != std::string::npos) {
            throw std::invalid_argument{"daybook: a user name must not be empty and not hold a colon: \"" + each.name +
                                        "\""};
        }
    }
    return [known = std::move(known), reading = options.reading,
            challenge = "Basic realm=\"" + options.realm + "\", charset=\"UTF-8\""](const Request& request,
                                                                                    Permission permission) {
        const auto shown = detail::shown_credentials(request, "Basic");
        if (!shown) {
            if (permission == Permission::read && reading == Reading::open) { return Access::allow(); }
            return Access::ask_who(challenge, "this needs a user name and a password");
        }
        const auto pair = detail::decode_base64(*shown).value_or(std::string{});
        const auto* const client = detail::find_credential(
            known, [&](const Credential& each) { return detail::is_same_secret(each.name + ":" + each.secret, pair); });
        return detail::decide(client, permission, challenge);
    };
}

/// Everybody may read; whoever sends `Authorization: Bearer` and the token may change.
///
/// @param token  Not empty.
/// @throws std::invalid_argument  The token is empty.
[[nodiscard]] inline Authorize changes_with_token(std::string token) {
    return bearer_tokens({{.name = "token", .secret = std::move(token)}});
}

} // namespace daybook::inline v0::http

#endif
