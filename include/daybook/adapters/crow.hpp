// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_CROW_HPP
#define DAYBOOK_ADAPTERS_CROW_HPP

/// @file
/// A router in a program's own Crow app (1.3.1 and later; tested with 1.3.3).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <crow.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// Translates between Crow and http::Router. Use `mount`; `answer` is for programs that have a catch-all route of their
/// own.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class CrowAdapter {
public:
    explicit CrowAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    /// Fills in the response, and leaves it to the caller to end it. Where Crow has found one of the program's own
    /// paths, but not with this method, its answer stays.
    void answer(const crow::request& request, crow::response& response) const noexcept {
        try {
            const auto translated = translate(request);
            const bool is_doubtful = http::has_doubtful_length(translated.headers);
            auto answered = is_doubtful ? http::doubtful_length_response() : router_->handle(translated);
            if (response.code != 405 || answered.status != 404) { send(std::move(answered), request, response); }
        } catch (const std::exception&) { // no memory
            response.code = 500;
            response.body.clear();
        }
    }

private:
    [[nodiscard]] static http::Request translate(const crow::request& request) {
        http::Request translated{.method = crow::method_name(request.method),
                                 .target = request.raw_url,
                                 .body = request.body,
                                 .remote = request.remote_ip_address};
        for (const auto& header : request.headers) {
            std::string value = header.second;
            value.erase(value.find_last_not_of(" \t") + 1); // blanks at the end are not part of it
            translated.headers.push_back({header.first, std::move(value)});
        }
        return translated;
    }

    /// Crow makes 500 of a status that it has no text for; the first of its kind says what a client has to know.
    [[nodiscard]] static int known(int status) noexcept {
        constexpr std::array listed{200, 201, 202, 203, 204, 205, 206, 207, 300, 301, 302, 303, 304, 307, 308,
                                    400, 401, 403, 404, 405, 406, 407, 409, 410, 412, 413, 414, 415, 416, 417,
                                    422, 423, 424, 428, 429, 451, 500, 501, 502, 503, 504, 506, 507};
        return std::find(listed.begin(), listed.end(), status) != listed.end() ? status : status / 100 * 100;
    }

    static void send(http::Response answer, const crow::request& request, crow::response& response) {
        response.code = known(answer.status);
        response.headers.clear(); // what Crow left there from the answer before
        for (auto& header : answer.headers) { response.add_header(std::move(header.name), std::move(header.value)); }
        const bool is_head = request.method == crow::HTTPMethod::Head;
        // Crow puts a body behind the errors that it sends to HEAD: then the client had better take a new connection.
        if (request.close_connection || (is_head && answer.status >= 400)) {
            response.headers.erase("Connection");
            response.add_header("Connection", "close");
        }
        if (answer.status == 204 || answer.status == 304) {
            response.manual_length_header = true; // none
            response.skip_body = false;
            answer.body.clear();
        }
        response.body = std::move(answer.body);
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer on its paths, and makes it the app's catch-all; call it before `run`. The program's own
/// routes go first. A program that sets a catch-all of its own afterwards loses only the answers to wrong methods and
/// to paths that are written in an unusual way.
///
/// Crow bounds neither the body nor the headers of a request: put a proxy before what strangers can reach. It
/// answers OPTIONS itself, puts a body behind errors to HEAD, and knows only the usual statuses; of another, the client
/// sees the first of its kind (421: 400).
template <class... Middlewares>
void mount(crow::Crow<Middlewares...>& app, http::Router router) {
    const auto routes = router.routes();
    const CrowAdapter adapter{std::move(router)};
    const auto answer = [adapter](const crow::request& request, crow::response& response) {
        adapter.answer(request, response);
        response.end();
    };
    std::set<std::pair<std::string, std::string>> known;
    for (const auto& route : routes) {
        const auto parameter = route.pattern.find('{');
        const bool has_parameter = parameter != std::string::npos;
        const auto fixed = route.pattern.substr(0, parameter);
        // Crow takes brackets for its own, and redirects to a path that ends in a slash: those are for the catch-all.
        if (fixed.find('<') != std::string::npos || (!has_parameter && fixed.size() > 1 && fixed.back() == '/')) {
            continue;
        }
        const auto add = [&](const std::string& method) {
            if (method == "OPTIONS" || !known.emplace(fixed + (has_parameter ? "<path>" : ""), method).second) {
                return;
            }
            auto number = crow::HTTPMethod::Delete;
            while (number != crow::HTTPMethod::InternalMethodCount && crow::method_name(number) != method) {
                number = static_cast<crow::HTTPMethod>(static_cast<int>(number) + 1);
            }
            if (number == crow::HTTPMethod::InternalMethodCount) { return; }
            if (has_parameter) {
                app.route_dynamic(fixed + "<path>")
                    .methods(number)([answer](const crow::request& request, crow::response& response, std::string) {
                        answer(request, response);
                    });
            } else {
                app.route_dynamic(fixed).methods(number)(answer);
            }
        };
        for (const auto& method : route.methods) { add(method); }
        add("HEAD");
    }
    app.catchall_route()([adapter](const crow::request& request, crow::response& response) {
        adapter.answer(request, response); // Crow ends it
    });
}

} // namespace daybook::inline v0

#endif
