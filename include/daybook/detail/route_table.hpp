// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ROUTE_TABLE_HPP
#define DAYBOOK_DETAIL_ROUTE_TABLE_HPP

/// @file
/// Which route a path and a method belong to.

#include <daybook/http/api.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

class RouteTable {
public:
    struct Segment {
        std::string text = {}; ///< the name, where it is a parameter
        bool is_parameter = false;
    };

    struct Path {
        std::string pattern = {};
        std::vector<Segment> segments = {};
        std::vector<http::Route> routes = {}; ///< one for each method
    };

    /// @throws std::invalid_argument  See http::Router::add.
    void add(std::string_view prefix, const http::Route& route) {
        const auto refuse = [&](const std::string& why) {
            throw std::invalid_argument{"daybook: the route " + route.method + " " + route.pattern + " " + why};
        };
        if (!route.pattern.starts_with('/')) { refuse("must begin with a slash"); }
        if (route.method.empty()) { refuse("needs a method"); }
        if (!route.handler) { refuse("needs a handler"); }

        auto pattern = std::string{prefix} + route.pattern;
        auto segments = parse_pattern(pattern);
        auto path = std::find_if(paths_.begin(), paths_.end(),
                                 [&](const Path& each) { return is_same_place(each.segments, segments); });
        if (path == paths_.end()) {
            path = paths_.insert(path, Path{std::move(pattern), std::move(segments), {}});
        } else if (path->pattern != pattern) {
            refuse("differs from " + path->pattern + " only in the name of a parameter");
        }
        if (find_route(*path, route.method) != nullptr) { refuse("exists already"); }
        path->routes.push_back(route);
    }

    [[nodiscard]] const std::vector<Path>& paths() const noexcept { return paths_; }

    /// Whether there is a path of that pattern. O(paths).
    [[nodiscard]] bool has(std::string_view prefix, std::string_view pattern) const {
        return std::any_of(paths_.begin(), paths_.end(), [&](const Path& path) {
            const std::string_view whole = path.pattern;
            return whole.starts_with(prefix) && whole.substr(prefix.size()) == pattern;
        });
    }

    /// The path that fits best, or null. O(paths).
    [[nodiscard]] const Path* find_path(const std::vector<std::string>& segments) const {
        const Path* best = nullptr;
        for (const auto& path : paths_) {
            if (matches(path, segments) && (best == nullptr || is_closer(path, *best))) { best = &path; }
        }
        return best;
    }

    /// What the path does on a method, or null.
    [[nodiscard]] static const http::Route* find_route(const Path& path, std::string_view method) {
        const auto found = std::find_if(path.routes.begin(), path.routes.end(),
                                        [&](const http::Route& route) { return route.method == method; });
        return found == path.routes.end() ? nullptr : &*found;
    }

    /// What stands in `Allow`.
    [[nodiscard]] static std::vector<std::string> allowed_methods(const Path& path) {
        std::vector<std::string> methods;
        for (const auto& route : path.routes) {
            methods.push_back(route.method);
            if (route.method == "GET" && find_route(path, "HEAD") == nullptr) { methods.emplace_back("HEAD"); }
        }
        if (find_route(path, "OPTIONS") == nullptr) { methods.emplace_back("OPTIONS"); }
        return methods;
    }

    /// What stands, decoded, where the path has its parameters.
    [[nodiscard]] static http::Call::PathParameters parameters(const Path& path,
                                                               const std::vector<std::string>& segments) {
        http::Call::PathParameters parameters;
        for (std::size_t index = 0; index < path.segments.size(); ++index) {
            if (path.segments[index].is_parameter) {
                parameters.emplace_back(path.segments[index].text, segments[index]);
            }
        }
        return parameters;
    }

private:
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

    std::vector<Path> paths_ = {};
};

} // namespace daybook::inline v0::detail

#endif
