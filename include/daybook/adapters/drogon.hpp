// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_DROGON_HPP
#define DAYBOOK_ADAPTERS_DROGON_HPP

/// @file
/// A router in a program's own Drogon app (1.9; tested with 1.9.0).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>
#include <daybook/http/router.hpp>

#include <drogon/Cookie.h>
#include <drogon/HttpAppFramework.h>
#include <drogon/HttpRequest.h>
#include <drogon/HttpResponse.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Translates between Drogon and http::Router. Use `mount`; the members are for programs that ask themselves.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class DrogonAdapter {
public:
    explicit DrogonAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {
        for (const auto& route : router_->routes()) { paths_.push_back(segments_of(route.pattern)); }
    }

    /// Whether the request is for one of the router's paths, or for a badly encoded one, of which nobody can tell.
    /// O(paths).
    [[nodiscard]] bool is_for_router(const drogon::HttpRequest& request) const {
        try {
            const auto path = http::Target::parse(request.getOriginalPath(), std::string::npos).segments;
            return std::any_of(paths_.begin(), paths_.end(), [&](const std::vector<std::string>& pattern) {
                return std::equal(path.begin(), path.end(), pattern.begin(), pattern.end(),
                                  [](const std::string& segment, const std::string& part) {
                                      return part.starts_with('{') ? !segment.empty() : segment == part;
                                  });
            });
        } catch (const http::Error&) { return true; }
    }

    [[nodiscard]] drogon::HttpResponsePtr answer(const drogon::HttpRequest& request) const {
        try {
            const auto translated = translate(request);
            return to_drogon(http::has_doubtful_length(translated.headers) ? http::doubtful_length_response()
                                                                           : router_->handle(translated));
        } catch (const std::exception&) { // no memory
            auto response = drogon::HttpResponse::newHttpResponse();
            response->setStatusCode(drogon::k500InternalServerError);
            return response;
        }
    }

private:
    [[nodiscard]] static std::vector<std::string> segments_of(std::string_view pattern) {
        std::vector<std::string> segments;
        for (std::size_t slash = 0; slash < pattern.size();) {
            const auto end = std::min(pattern.find('/', slash + 1), pattern.size());
            segments.emplace_back(pattern.substr(slash + 1, end - slash - 1));
            slash = end;
        }
        return segments;
    }

    [[nodiscard]] static http::Request translate(const drogon::HttpRequest& request) {
        http::Request translated{.method = request.isHead() ? "HEAD" : request.methodString(),
                                 .target = request.getOriginalPath(),
                                 .headers = {},
                                 .body = std::string{request.body()},
                                 .remote = request.peerAddr().toIp()};
        if (!request.query().empty()) { translated.target.append("?").append(request.query()); }
        for (const auto& [name, value] : request.headers()) { translated.headers.push_back({name, value}); }
        return translated;
    }

    [[nodiscard]] static drogon::HttpResponsePtr to_drogon(http::Response answer) {
        auto response = drogon::HttpResponse::newHttpResponse();
        response->setStatusCode(static_cast<drogon::HttpStatusCode>(answer.status));
        response->setContentTypeCode(drogon::CT_NONE); // ours stands among the headers, if there is one
        for (auto& header : answer.headers) {
            const auto equals = header.value.find('=');
            if (http::is_same_name(header.name, "Set-Cookie") && equals != std::string::npos) {
                // The only header that Drogon takes more than one of.
                drogon::Cookie cookie{header.value.substr(0, equals), header.value.substr(equals + 1)};
                cookie.setHttpOnly(false);
                response->addCookie(std::move(cookie));
            } else {
                response->addHeader(std::move(header.name), std::move(header.value));
            }
        }
        if (answer.status == 204 || answer.status == 304) {
            response->setPassThrough(true); // without a length
        } else {
            response->setBody(std::move(answer.body));
        }
        return response;
    }

    std::shared_ptr<const http::Router> router_;
    std::vector<std::vector<std::string>> paths_;
};

/// Lets the router answer on its paths, before Drogon looks for the program's own controllers and files; call it before
/// `run`. What the handlers of an API do, they do on Drogon's I/O threads.
///
/// Drogon refuses bodies above `setClientMaxBodySize`, which is 1 MiB by default. It keeps but the first header of a
/// name, and only the path of a target that is a whole URL, so that RouterOptions::allowed_hosts goes by the first
/// Host.
inline void mount(drogon::HttpAppFramework& app, http::Router router) {
    const DrogonAdapter adapter{std::move(router)};
    app.registerPreRoutingAdvice([adapter](const drogon::HttpRequestPtr& request, drogon::AdviceCallback&& answer,
                                           drogon::AdviceChainCallback&& go_on) {
        if (adapter.is_for_router(*request)) {
            answer(adapter.answer(*request));
        } else {
            go_on();
        }
    });
    // Drogon goes by the request alone, unless it is told here.
    app.registerPreSendingAdvice(
        [](const drogon::HttpRequestPtr& /*request*/, const drogon::HttpResponsePtr& response) {
            if (http::is_same_name(response->getHeader("connection"), "close")) { response->setCloseConnection(true); }
        });
}

} // namespace daybook::inline v0

#endif
