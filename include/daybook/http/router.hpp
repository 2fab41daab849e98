// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_ROUTER_HPP
#define DAYBOOK_HTTP_ROUTER_HPP

/// @file
/// Joins APIs under one prefix, and turns a request into a response whatever the request is.

#include <daybook/http/access.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>

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

    /// Asked before every operation; empty: everybody may read, nobody may change.
    Authorize authorize = {};

    /// Bytes that the body of a request may have; more is answered with 413.
    std::size_t max_body_bytes = std::size_t{1} << 20U;

    /// Told what a handler or hook threw that was no Error; the client is told nothing of it. What it throws itself is
    /// ignored. Empty: nobody is told.
    std::function<void(const Request&, std::exception_ptr)> on_exception = {};
};

/// One path that a router answers on, and how.
struct RouteInfo {
    std::string pattern = {};              ///< with the prefix; `{name}` stands for one segment
    std::vector<std::string> methods = {}; ///< as they stand in `Allow`: HEAD with GET, and OPTIONS
};

/// A value: copies are independent, and own whatever their APIs hold.
///
/// A path that is written out goes before one with a `{name}` in that place, whatever was added first. Answers to wrong
/// requests are JSON: `{"error":{"code":404,"message":"…"}}`. Every answer carries the headers that keep a browser from
/// doing anything but show it.
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
        auto paths = paths_; // so that a route that is refused leaves nothing of its API behind
        for (const auto& route : api.routes()) { add_route(paths, route); }
        paths_ = std::move(paths);
        return *this;
    }

    /// Every path, for an adapter to register: each of them for every method, so that a wrong one is answered here.
    [[nodiscard]] std::vector<RouteInfo> routes() const {
        std::vector<RouteInfo> infos;
        infos.reserve(paths_.size());
        for (const auto& path : paths_) { infos.push_back({path.pattern, allowed_methods(path)}); }
        return infos;
    }

    /// An adapter need not keep more of a body than this and one byte.
    [[nodiscard]] std::size_t max_body_bytes() const noexcept { return options_.max_body_bytes; }

    /// Answers one request. Throws nothing but std::bad_alloc. O(paths).
    [[nodiscard]] Response handle(const Request& request) const {
        auto response = answer(request);
        constexpr std::pair<std::string_view, std::string_view> headers[] = {
            {"X-Content-Type-Options", "nosniff"},
            {"Cache-Control", "no-store"},
            {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
            {"Referrer-Policy", "no-referrer"},
            {"Cross-Origin-Resource-Policy", "same-origin"},
        };
        // Whatever a handler took a value from: a line break would begin a header of the client's choice.
        std::erase_if(response.headers, [](const Header& header) {
            return header.value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos;
        });
        response.headers.reserve(response.headers.size() + std::size(headers));
        for (const auto& header : headers) {
            if (response.header(header.first) == nullptr) {
                response.headers.push_back({std::string{header.first}, std::string{header.second}});
            }
        }
        return response;
    }

private:
    struct Segment {
        std::string text = {}; ///< the name, where it is a parameter
        bool is_parameter = false;
    };

    struct Path {
        std::string pattern = {};
        std::vector<Segment> segments = {};
        std::vector<Route> routes = {}; ///< one for each method
    };

    [[nodiscard]] static std::vector<Segment> parse_pattern(std::string_view pattern) {
        std::vector<Segment> segments;
        while (!pattern.empty()) {
            pattern.remove_prefix(1);
            auto text = pattern.substr(0, pattern.find('/'));
            pattern.remove_prefix(text.size());
            const bool is_parameter = text.size() > 2 && text.front() == '{' && text.back() == '}';
            if (is_parameter) { text = text.substr(1, text.size() - 2); }
            segments.push_back({std::string{text}, is_parameter});
        }
        return segments;
    }

    /// Whether two patterns match the same paths.
    [[nodiscard]] static bool is_same_place(const std::vector<Segment>& left, const std::vector<Segment>& right) {
        return std::equal(
            left.begin(), left.end(), right.begin(), right.end(), [](const Segment& one, const Segment& other) {
                return one.is_parameter == other.is_parameter && (one.is_parameter || one.text == other.text);
            });
    }

    void add_route(std::vector<Path>& paths, const Route& route) const {
        const auto refuse = [&](const std::string& why) {
            throw std::invalid_argument{"daybook: the route " + route.method + " " + route.pattern + " " + why};
        };
        if (!route.pattern.starts_with('/')) { refuse("must begin with a slash"); }
        if (route.method.empty()) { refuse("needs a method"); }
        if (!route.handler) { refuse("needs a handler"); }

        auto pattern = options_.prefix + route.pattern;
        auto segments = parse_pattern(pattern);
        auto path = std::find_if(paths.begin(), paths.end(),
                                 [&](const Path& each) { return is_same_place(each.segments, segments); });
        if (path == paths.end()) {
            path = paths.insert(path, Path{std::move(pattern), std::move(segments), {}});
        } else if (path->pattern != pattern) {
            refuse("differs from " + path->pattern + " only in the name of a parameter");
        }
        if (find_route(*path, route.method) != nullptr) { refuse("exists already"); }
        path->routes.push_back(route);
    }

    [[nodiscard]] static const Route* find_route(const Path& path, std::string_view method) {
        const auto found = std::find_if(path.routes.begin(), path.routes.end(),
                                        [&](const Route& route) { return route.method == method; });
        return found == path.routes.end() ? nullptr : &*found;
    }

    [[nodiscard]] static std::vector<std::string> allowed_methods(const Path& path) {
        std::vector<std::string> methods;
        for (const auto& route : path.routes) {
            methods.push_back(route.method);
            if (route.method == "GET" && find_route(path, "HEAD") == nullptr) { methods.emplace_back("HEAD"); }
        }
        if (find_route(path, "OPTIONS") == nullptr) { methods.emplace_back("OPTIONS"); }
        return methods;
    }

    [[nodiscard]] static bool matches(const Path& path, const std::vector<std::string>& segments) {
        return std::equal(path.segments.begin(), path.segments.end(), segments.begin(), segments.end(),
                          [](const Segment& expected, const std::string& given) {
                              return expected.is_parameter ? !given.empty() : expected.text == given;
                          });
    }

    /// Whether `left`, which matches too, fits better: at the first difference it has the path written out.
    [[nodiscard]] static bool is_closer(const Path& left, const Path& right) {
        return std::lexicographical_compare(
            left.segments.begin(), left.segments.end(), right.segments.begin(), right.segments.end(),
            [](const Segment& one, const Segment& other) { return !one.is_parameter && other.is_parameter; });
    }

    [[nodiscard]] const Path* find_path(const std::vector<std::string>& segments) const {
        const Path* best = nullptr;
        for (const auto& path : paths_) {
            if (matches(path, segments) && (best == nullptr || is_closer(path, *best))) { best = &path; }
        }
        return best;
    }

    [[nodiscard]] Response answer(const Request& request) const {
        try {
            return dispatch(request);
        } catch (const Error& error) {
            auto response = error_response(error.status(), error.what());
            for (const auto& header : error.headers()) { response.headers.push_back(header); }
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

    [[nodiscard]] Response dispatch(const Request& request) const {
        const auto target = Target::parse(request.target);
        const auto* const path = find_path(target.segments);
        if (path == nullptr) { throw Error{404, "there is nothing at this path"}; }

        const auto* route = find_route(*path, request.method);
        if (route == nullptr && request.method == "HEAD") { route = find_route(*path, "GET"); }
        if (route == nullptr) {
            std::string allow;
            for (const auto& method : allowed_methods(*path)) { allow += (allow.empty() ? "" : ", ") + method; }
            if (request.method == "OPTIONS") { return {.status = 204, .headers = {{"Allow", allow}}, .body = {}}; }
            throw Error{405, "this path does not take this method; it takes " + allow, {{"Allow", allow}}};
        }
        if (request.body.size() > options_.max_body_bytes) {
            throw Error{413, "the body is larger than the " + std::to_string(options_.max_body_bytes) +
                                 " bytes that are allowed"};
        }
        require(options_.authorize, request, route->permission);

        Call::PathParameters parameters;
        for (std::size_t index = 0; index < path->segments.size(); ++index) {
            if (path->segments[index].is_parameter) {
                parameters.emplace_back(path->segments[index].text, target.segments[index]);
            }
        }
        return route->handler(Call{request, target.query, parameters, options_.authorize});
    }

    RouterOptions options_ = {};
    std::vector<Path> paths_ = {};
};

} // namespace daybook::inline v0::http

#endif
