// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_ROUTER_HPP
#define DAYBOOK_HTTP_ROUTER_HPP

/// @file
/// Joins APIs under one prefix, and turns a request into a response whatever the request is.

#include <daybook/detail/entity_tag.hpp>
#include <daybook/detail/route_table.hpp>
#include <daybook/http/access.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/audit_log.hpp>
#include <daybook/http/cross_site.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/log/execution_store.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// How a router behaves.
struct RouterOptions {
    /// Stands before every path, for instance `/admin`. Begins with a slash; one at its end is dropped.
    std::string prefix = {};

    /// Asked before every operation; empty: everybody may read, nobody may change. See credentials.hpp.
    Authorize authorize = {};

    /// Bytes that the body of a request may have; more is answered with 413.
    std::size_t max_body_bytes = std::size_t{1} << 20U;

    /// Bytes that the target of a request may have, with its query; more is answered with 414.
    std::size_t max_target_bytes = Target::max_length;

    /// Parameters that a query may have; more is answered with 400.
    std::size_t max_parameters = Query::max_parameters;

    /// Bytes that all headers of a request may have together; more is answered with 431. Servers have limits of their
    /// own, which come first.
    std::size_t max_header_bytes = std::size_t{64} << 10U;

    /// What clients may see of results, errors, log texts, parameters and metadata; empty: all of it.
    Redact redact = {};

    /// The hosts that this server is known by, for instance `jobs.example` or `localhost:8080`; one without a port
    /// stands for all its ports. A request for another one is answered with 421, so that a name which somebody else
    /// points at this address (DNS rebinding) opens nothing to the pages under that name. Empty: any.
    std::vector<std::string> allowed_hosts = {};

    /// Where every operation that does more than read is recorded. Routers may share one.
    AuditLog audit = AuditLog{};

    /// Told what a handler or hook threw that was no Error; the client is told nothing of it. What it throws itself is
    /// ignored. Empty: nobody is told.
    std::function<void(const Request&, std::exception_ptr)> on_exception = {};
};

/// One path that a router answers on, and how.
struct RouteInfo {
    std::string pattern = {};              ///< with the prefix; `{name}` stands for one segment
    std::vector<std::string> methods = {}; ///< as they stand in `Allow`: HEAD with GET, and OPTIONS
};

/// A value: copies are independent, but for the audit that they share, and own whatever their APIs hold.
///
/// A path that is written out goes before one with a `{name}` in that place, whatever was added first. Answers to wrong
/// requests are JSON: `{"error":{"code":404,"message":"…"}}`. Every answer carries the headers that keep a browser from
/// doing anything but show it. What a GET finds carries an entity tag, and a client that has it already
/// (`If-None-Match`) is answered with 304 and no body. What a browser sends from another site is refused, unless its
/// user follows a link.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every const member.
class Router {
public:
    Router() = default;

    /// @throws std::invalid_argument  The prefix does not begin with a slash, or holds `{`, `}`, `?`, `#` or `%`.
    explicit Router(RouterOptions options) : options_{std::move(options)} {
        auto& prefix = options_.prefix;
        while (prefix.ends_with('/')) { prefix.pop_back(); }
        if (!prefix.empty() && (prefix.front() != '/' || prefix.find_first_of("{}?#%") != std::string::npos)) {
            throw std::invalid_argument{"daybook: the prefix of a router must be a path like /admin, not \"" + prefix +
                                        "\""};
        }
    }

    /// @throws std::invalid_argument  A pattern does not begin with a slash, a method is empty, a handler is missing,
    ///                                or another route has the same method and path, or a path that differs in the
    ///                                name of a parameter only.
    Router& add(const Api& api) {
        auto table = table_; // so that a route that is refused leaves nothing of its API behind
        for (const auto& route : api.routes()) { table.add(options_.prefix, route); }
        table_ = std::move(table);
        return *this;
    }

    /// Every path, for an adapter to register: each of them for every method, so that a wrong one is answered here.
    [[nodiscard]] std::vector<RouteInfo> routes() const {
        std::vector<RouteInfo> infos;
        infos.reserve(table_.paths().size());
        for (const auto& path : table_.paths()) { infos.push_back({path.pattern, Table::allowed_methods(path)}); }
        return infos;
    }

    /// An adapter need not keep more of a body than this and one byte.
    [[nodiscard]] std::size_t max_body_bytes() const noexcept {
        return std::min(options_.max_body_bytes, static_cast<std::size_t>(-1) - 1); // so that one more is a number
    }

    /// Who changed what through this router: `router.add(audit_api(router.audit()))` shows it.
    [[nodiscard]] const AuditLog& audit() const noexcept { return options_.audit; }

    /// Answers one request. Throws nothing but std::bad_alloc. O(paths).
    [[nodiscard]] Response handle(const Request& request) const {
        Operation operation;
        auto response = answer(request, operation);
        if (operation.permission != Permission::read) {
            options_.audit.record({.who = std::move(operation.who),
                                   .remote = request.remote,
                                   .permission = operation.permission,
                                   .method = request.method,
                                   .target = request.target.substr(0, request.target.find('?')),
                                   .status = response.status,
                                   .note = std::move(operation.note)});
        }
        tag(request, response);
        // Whatever a handler took a value from: a line break would begin a header of the client's choice. How long the
        // body is, and whether the connection is kept, is the server's to say.
        std::erase_if(response.headers, [](const Header& header) {
            return header.value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos ||
                   is_same_name(header.name, "Content-Length") || is_same_name(header.name, "Transfer-Encoding") ||
                   is_same_name(header.name, "Connection");
        });
        add_security_headers(response);
        return response;
    }

private:
    using Table = detail::RouteTable;

    /// So that a client that has the document already need not get it again.
    static void tag(const Request& request, Response& response) {
        if (request.method != "GET" && request.method != "HEAD") { return; }
        if (response.status != 200) { return; }
        if (response.header("Content-Disposition") != nullptr) { return; } // a file, which nobody polls
        if (response.header("ETag") == nullptr) { response.set_header("ETag", detail::entity_tag(response.body)); }
        const auto entity_tag = *response.header("ETag");
        if (response.header("Cache-Control") == nullptr) {
            response.headers.push_back({"Cache-Control", "private, no-cache"}); // ask each time
        }
        const auto* const known = request.header("If-None-Match");
        if (known == nullptr || !detail::is_tag_listed(*known, entity_tag)) { return; }
        response.status = 304;
        response.body.clear();
        std::erase_if(response.headers, [](const Header& header) { return is_same_name(header.name, "Content-Type"); });
    }

    /// What must be right about a request whatever it is for.
    void check(const Request& request) const {
        std::size_t bytes = 0;
        std::size_t hosts = 0;
        for (const auto& header : request.headers) {
            bytes += header.name.size() + header.value.size() + 4; // a colon, a space, the end of the line
            if (is_same_name(header.name, "Host")) { ++hosts; }
        }
        if (bytes > options_.max_header_bytes) {
            throw Error{431, "the headers are larger than the " + std::to_string(options_.max_header_bytes) +
                                 " bytes that are allowed"};
        }
        if (hosts > 1) { throw Error{400, "a request has one Host header"}; } // RFC 9112, 3.2
        if (!options_.allowed_hosts.empty() && !is_one_of(host_of(request), options_.allowed_hosts)) {
            throw Error{421, "this server is not known by that host name"};
        }
    }

    [[nodiscard]] Response answer(const Request& request, Operation& operation) const {
        try {
            return dispatch(request, operation);
        } catch (const Error& error) {
            auto response = error_response(error.status(), error.what());
            for (const auto& header : error.headers()) { response.set_header(header.name, header.value); }
            return response;
        } catch (const StoreError& error) {
            auto response = error_response(503, "the store of the executions does not answer");
            if (error.failure() != StoreFailure::refused) { response.set_header("Retry-After", "1"); }
            return response;
        } catch (...) {
            if (options_.on_exception) {
                try {
                    options_.on_exception(request, std::current_exception());
                } catch (...) { // NOLINT(bugprone-empty-catch): there is nobody left to tell
                }
            }
            return error_response(500, "something went wrong inside; the program's operator may know more");
        }
    }

    [[nodiscard]] Response dispatch(const Request& request, Operation& operation) const {
        check(request);
        const auto target = Target::parse(request.target, options_.max_target_bytes, options_.max_parameters);
        const auto* const path = table_.find_path(target.segments);
        if (path == nullptr) { throw Error{404, "there is nothing at this path"}; }

        const auto* route = Table::find_route(*path, request.method);
        if (route == nullptr && request.method == "HEAD") { route = Table::find_route(*path, "GET"); }
        if (route == nullptr) {
            std::string allow;
            for (const auto& method : Table::allowed_methods(*path)) { allow += (allow.empty() ? "" : ", ") + method; }
            if (request.method == "OPTIONS") { return {.status = 204, .headers = {{"Allow", allow}}, .body = {}}; }
            throw Error{405, "this path does not take this method; it takes " + allow, {{"Allow", allow}}};
        }
        operation.permission = route->permission;
        if (request.body.size() > options_.max_body_bytes) {
            throw Error{413, "the body is larger than the " + std::to_string(options_.max_body_bytes) +
                                 " bytes that are allowed"};
        }
        operation.who = require(options_.authorize, request, route->permission);
        const auto parameters = Table::parameters(*path, target.segments);
        const auto has_route = [this](std::string_view pattern) { return table_.has(options_.prefix, pattern); };
        return route->handler(
            Call{request, target.query, parameters, options_.authorize, options_.redact, operation, has_route});
    }

    RouterOptions options_ = {};
    Table table_ = {};
};

} // namespace daybook::inline v0::http

#endif
