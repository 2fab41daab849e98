// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_API_HPP
#define DAYBOOK_HTTP_API_HPP

/// @file
/// A set of routes that belong together, ready to be added to a router. Ours are made of nothing else.

#include <daybook/http/access.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>
#include <daybook/http/redaction.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// What a request turned out to ask for, for the audit.
struct Operation {
    Permission permission = Permission::read;
    std::string who = {};
    std::string note = {};
};

/// One request on its way to the handler of the route that it matched. Lives as long as the handler runs.
class Call {
public:
    using PathParameters = std::vector<std::pair<std::string, std::string>>;

    /// @param has_route  Says whether the router has a pattern, given as an API gives it; empty: it has none.
    Call(const Request& request, const Query& query, const PathParameters& path, const Authorize& authorize,
         const Redact& redact, Operation& operation, std::function<bool(std::string_view)> has_route = {})
        : request_{&request},
          query_{&query},
          path_{&path},
          authorize_{&authorize},
          redact_{&redact},
          operation_{&operation},
          has_route_{std::move(has_route)} {}

    [[nodiscard]] const Request& request() const noexcept { return *request_; }
    [[nodiscard]] const Query& query() const noexcept { return *query_; }

    /// What stands, decoded, where the pattern has `{name}`; empty if it has no such part.
    [[nodiscard]] std::string_view path_parameter(std::string_view name) const noexcept {
        for (const auto& parameter : *path_) {
            if (parameter.first == name) { return parameter.second; }
        }
        return {};
    }

    /// Asks the router's hook about an operation that the route alone does not tell, for instance in a GraphQL
    /// document.
    /// @throws Error  The client may not.
    void require(Permission permission) const {
        // What is refused is audited as well, so the permission is noted before.
        if (permission != Permission::read) { operation_->permission = permission; }
        auto who = http::require(*authorize_, *request_, permission);
        if (permission != Permission::read) { operation_->who = std::move(who); }
    }

    /// What the router's hook says of an operation that is not asked for yet, so that a page need not offer what it
    /// would refuse. Nothing of it is audited.
    /// @throws Error  What the hook throws.
    [[nodiscard]] Access access(Permission permission) const {
        return *authorize_ ? (*authorize_)(*request_, permission) : read_only()(*request_, permission);
    }

    /// Whether the same router answers on a path, for instance `/api/v1/jobs/{id}`: without the prefix, as the API that
    /// has it writes it.
    [[nodiscard]] bool has_route(std::string_view pattern) const { return has_route_ && has_route_(pattern); }

    /// What the client may see of texts in records; empty: all of it.
    [[nodiscard]] const Redact& redact() const noexcept { return *redact_; }

    /// Says in the audit what the operation came to, for instance the id of the job that was made. The last note
    /// counts.
    void note(std::string text) const { operation_->note = std::move(text); }

private:
    const Request* request_;
    const Query* query_;
    const PathParameters* path_;
    const Authorize* authorize_;
    const Redact* redact_;
    Operation* operation_;
    std::function<bool(std::string_view)> has_route_;
};

/// Called from whatever threads the program's server has, all at once. Throws an Error to refuse; anything else that it
/// throws is a 500 that says nothing of it.
using Handler = std::function<Response(const Call&)>;

/// One operation on one path.
struct Route {
    std::string method = "GET"; ///< upper case; a GET answers HEAD as well
    std::string pattern = {};   ///< `/api/things/{id}`: begins with a slash, `{name}` stands for one segment
    Permission permission = Permission::read;
    Handler handler = {};
};

/// See the file's description.
class Api {
public:
    Api& add(Route route) {
        routes_.push_back(std::move(route));
        return *this;
    }

    /// A route that reads.
    Api& get(std::string pattern, Handler handler) {
        return add({"GET", std::move(pattern), Permission::read, std::move(handler)});
    }

    Api& post(std::string pattern, Permission permission, Handler handler) {
        return add({"POST", std::move(pattern), permission, std::move(handler)});
    }

    [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

private:
    std::vector<Route> routes_;
};

} // namespace daybook::inline v0::http

#endif
