// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_DASHBOARD_HPP
#define DAYBOOK_HTTP_DASHBOARD_HPP

/// @file
/// A page that shows what happened and what is to come: figures and their trends, timelines, the executions with
/// filters, order and pages, each of them in full, and the jobs, with what may be done about them.
///
/// - `GET /`, `GET /history`: the page; `GET /history/` leads there.
/// - `GET /history/{name}.css`, `GET /history/{name}.js`: its parts.
/// - `GET /history/server`: which APIs the router has beside it, and what this client may do.
///
/// The page asks the executions API of the same router, so that has to be added too; with the jobs API it shows jobs,
/// with the health API how the scheduler is. All its links are relative: it works under any prefix, of the router's or
/// of a proxy's, as `PREFIX/` and `PREFIX/history`. It runs no inline script, loads nothing from elsewhere, and shows
/// whatever jobs have left behind as text. What it changes it changes through the APIs, whose permissions hold.
///
/// Its parts are the files of include/daybook/http/page, which cmake/assets.cmake makes headers of.

#include <daybook/detail/dashboard_api_js.hpp>
#include <daybook/detail/dashboard_cards_js.hpp>
#include <daybook/detail/dashboard_chart_js.hpp>
#include <daybook/detail/dashboard_daybook_js.hpp>
#include <daybook/detail/dashboard_details_js.hpp>
#include <daybook/detail/dashboard_dom_js.hpp>
#include <daybook/detail/dashboard_executions_js.hpp>
#include <daybook/detail/dashboard_filters_js.hpp>
#include <daybook/detail/dashboard_format_js.hpp>
#include <daybook/detail/dashboard_index_html.hpp>
#include <daybook/detail/dashboard_job_details_js.hpp>
#include <daybook/detail/dashboard_jobs_js.hpp>
#include <daybook/detail/dashboard_live_js.hpp>
#include <daybook/detail/dashboard_page_css.hpp>
#include <daybook/detail/dashboard_sheet_js.hpp>
#include <daybook/detail/dashboard_state_js.hpp>
#include <daybook/detail/dashboard_strips_js.hpp>
#include <daybook/detail/dashboard_table_js.hpp>
#include <daybook/detail/dashboard_theme_css.hpp>
#include <daybook/detail/dashboard_theme_js.hpp>
#include <daybook/detail/dashboard_timeline_js.hpp>
#include <daybook/http/access.hpp>
#include <daybook/http/api.hpp>
#include <daybook/text/json_writer.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

/// What the page needs to know before it offers anything.
[[nodiscard]] inline http::Response answer_dashboard_server(const http::Call& call) {
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.key("has").begin_object();
    writer.member("executions", call.has_route("/api/executions"));
    writer.member("jobs", call.has_route("/api/v1/jobs"));
    writer.member("health", call.has_route("/api/v1/health/scheduler"));
    writer.end_object();
    writer.key("may").begin_object();
    for (const auto permission : {http::Permission::trigger, http::Permission::change, http::Permission::clear}) {
        std::string refusal;
        try {
            const auto access = call.access(permission);
            // Who is only asked for a name may give it, once there is something to be done.
            if (access.status() == 403) { refusal = access.message(); }
        } catch (const http::Error& error) { refusal = error.what(); }
        writer.key(to_string(permission)).begin_object();
        writer.member("allowed", refusal.empty());
        if (!refusal.empty()) { writer.member("message", refusal); }
        writer.end_object();
    }
    writer.end_object();
    writer.end_object();
    return http::json_response(200, std::move(document));
}

} // namespace daybook::inline v0::detail

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
        "text/html; charset=utf-8", detail::dashboard_index_html,
        {{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                     "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                                     "frame-ancestors 'none'"}});
    Api api;
    api.get("/", page);
    api.get("/history", page);
    api.get("/history/", [](const Call&) { return Response{.status = 308, .headers = {{"Location", "../history"}}}; });
    api.get("/history/server", [](const Call& call) { return detail::answer_dashboard_server(call); });
    const auto part = [&](std::string_view name, std::string_view type, std::string_view text) {
        api.get("/history/" + std::string{name}, file(type, text));
    };
    const auto style = [&](std::string_view name, std::string_view text) {
        part(name, "text/css; charset=utf-8", text);
    };
    const auto script = [&](std::string_view name, std::string_view text) {
        part(name, "text/javascript; charset=utf-8", text);
    };
    script("api.js", detail::dashboard_api_js);
    script("cards.js", detail::dashboard_cards_js);
    script("chart.js", detail::dashboard_chart_js);
    script("daybook.js", detail::dashboard_daybook_js);
    script("details.js", detail::dashboard_details_js);
    script("dom.js", detail::dashboard_dom_js);
    script("executions.js", detail::dashboard_executions_js);
    script("filters.js", detail::dashboard_filters_js);
    script("format.js", detail::dashboard_format_js);
    script("job_details.js", detail::dashboard_job_details_js);
    script("jobs.js", detail::dashboard_jobs_js);
    script("live.js", detail::dashboard_live_js);
    style("page.css", detail::dashboard_page_css);
    script("sheet.js", detail::dashboard_sheet_js);
    script("state.js", detail::dashboard_state_js);
    script("strips.js", detail::dashboard_strips_js);
    script("table.js", detail::dashboard_table_js);
    style("theme.css", detail::dashboard_theme_css);
    script("theme.js", detail::dashboard_theme_js);
    script("timeline.js", detail::dashboard_timeline_js);
    return api;
}

} // namespace daybook::inline v0::http

#endif
