// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_DASHBOARD_HPP
#define DAYBOOK_HTTP_DASHBOARD_HPP

/// @file
/// A page that shows what happened: figures, the executions with filters and pages, and each of them in full.
///
/// - `GET /`, `GET /history`: the page; `GET /history/` leads there.
/// - `GET /history/daybook.css`, `GET /history/daybook.js`: its parts.
///
/// The page asks the executions API of the same router, so that has to be added too. All its links are relative: it
/// works under any prefix, of the router's or of a proxy's, as `PREFIX/` and `PREFIX/history`. It reads only, runs no
/// inline script, loads nothing from elsewhere, and shows whatever jobs have left behind as text.

#include <daybook/detail/dashboard_page.hpp>
#include <daybook/detail/dashboard_script.hpp>
#include <daybook/detail/dashboard_style.hpp>
#include <daybook/http/api.hpp>

#include <string>
#include <string_view>

namespace daybook::inline v0::http {

/// The routes that the file's description lists.
[[nodiscard]] inline Api dashboard() {
    const auto file = [](std::string_view type, std::string_view text, Headers headers = {}) {
        return [type, text, headers = std::move(headers)](const Call&) {
            Response response{.status = 200, .headers = headers, .body = std::string{text}};
            response.set_header("Content-Type", type);
            return response;
        };
    };
    const auto page = file(
        "text/html; charset=utf-8", detail::dashboard_page,
        {{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                     "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                                     "frame-ancestors 'none'"}});
    Api api;
    api.get("/", page);
    api.get("/history", page);
    api.get("/history/", [](const Call&) { return Response{.status = 308, .headers = {{"Location", "../history"}}}; });
    api.get("/history/daybook.css", file("text/css; charset=utf-8", detail::dashboard_style));
    api.get("/history/daybook.js", file("text/javascript; charset=utf-8", detail::dashboard_script));
    return api;
}

} // namespace daybook::inline v0::http

#endif
