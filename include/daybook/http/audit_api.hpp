// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_AUDIT_API_HPP
#define DAYBOOK_HTTP_AUDIT_API_HPP

/// @file
/// The audit of a router over HTTP.
///
/// - `GET /api/v1/audit`: who changed what, newest first: `id`, `at`, `who` (null: nobody in particular), `remote`,
///   `permission`, `method`, `target`, `status`, `done` and `note`. Parameters: `limit` (100, at most 1000), and
///   `before`, an id: what is older than that; `next_before` of a page leads to the next.

#include <daybook/detail/paging.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/audit_log.hpp>
#include <daybook/text/json_writer.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace daybook::inline v0::http {

/// The route that the file's description lists: `router.add(audit_api(router.audit()))`.
///
/// @param log  Is shared, not copied.
[[nodiscard]] inline Api audit_api(const AuditLog& log) {
    Api api;
    api.get("/api/v1/audit", [log](const Call& call) {
        const auto limit = detail::take_limit(call.query(), 100, 1000);
        const auto page =
            log.records(limit, call.query().whole_number("before", std::numeric_limits<std::uint64_t>::max()));
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        writer.member("count", page.records.size());
        writer.member("limit", limit);
        writer.key("records").begin_array();
        for (const auto& record : page.records) {
            writer.begin_object();
            writer.member("id", record.id);
            writer.member("at", record.at);
            writer.key("who");
            if (record.who.empty()) {
                writer.null();
            } else {
                writer.value(record.who);
            }
            writer.member("remote", record.remote);
            writer.member("permission", to_string(record.permission));
            writer.member("method", record.method);
            writer.member("target", record.target);
            writer.member("status", record.status);
            writer.member("done", record.status < 400);
            writer.member("note", record.note);
            writer.end_object();
        }
        writer.end_array();
        writer.member("total", page.total);
        writer.member("has_more", page.has_more);
        writer.key("next_before");
        if (page.has_more && !page.records.empty()) {
            writer.value(page.records.back().id);
        } else {
            writer.null();
        }
        writer.end_object();
        return json_response(200, std::move(document));
    });
    return api;
}

} // namespace daybook::inline v0::http

#endif
