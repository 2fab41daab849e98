// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_TARGET_HPP
#define DAYBOOK_DETAIL_JOB_TARGET_HPP

/// @file
/// What a job of the handler `("http", "request")` calls: the fields `api_url`, `http_method`, `headers` and `body` of
/// a job, and the JSON that the handler gets as its parameters.

#include <daybook/detail/http_handler_names.hpp>
#include <daybook/detail/json_body.hpp>
#include <daybook/http/http_send.hpp>
#include <daybook/http/http_url.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/job/job.hpp>
#include <daybook/text/json_writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Whether a job calls a URL; a job of the program's own with the same names does not.
[[nodiscard]] inline bool is_target_job(const JobInfo& job) noexcept {
    return job.origin == JobOrigin::handler && is_http_handler(job.handler_id, job.method_name);
}

/// The texts of a job as one client may see them.
class ShownTexts {
public:
    ShownTexts(const http::Redact& redact, const JobInfo& job) : redact_{&redact}, job_{&job} {}

    /// @param name  The field; empty: `parameters`.
    [[nodiscard]] std::string operator()(std::string_view name, const std::string& text) const {
        if (!*redact_ || text.empty()) { return text; }
        return (*redact_)({http::RedactedField::parameters, job_->id, job_->handler_id, name, text});
    }

private:
    const http::Redact* redact_;
    const JobInfo* job_;
};

/// What is called, and how.
struct JobTarget {
    std::string url = {};
    std::string method = "POST";
    std::vector<http::Header> headers = {};
    std::optional<std::string> body = {};

    /// For the handler.
    [[nodiscard]] std::string parameters() const {
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        writer.member("url", url).member("method", method);
        if (!headers.empty()) {
            writer.key("headers").begin_object();
            for (const auto& header : headers) { writer.member(header.name, header.value); }
            writer.end_object();
        }
        if (body) { writer.member("body", *body); }
        writer.end_object();
        return document;
    }

    /// The reverse; empty where the parameters are something else, which the program may have given.
    template <class Json>
    [[nodiscard]] static std::optional<JobTarget> read(std::string_view parameters) {
        const auto parsed = Json::parse(parameters);
        if (!parsed.document) { return std::nullopt; }
        const auto text = [&](std::string_view name) -> std::optional<std::string> {
            const auto* const member = Json::find(*parsed.document, name);
            const auto found = member == nullptr ? std::nullopt : Json::text(*member);
            return found ? std::optional{std::string{*found}} : std::nullopt;
        };
        JobTarget target;
        const auto url = text("url");
        if (!url) { return std::nullopt; }
        target.url = *url;
        target.method = text("method").value_or("POST");
        target.body = text("body");
        if (const auto* const headers = Json::find(*parsed.document, "headers")) {
            Json::for_each_member(*headers, [&](std::string_view name, const auto& value) {
                target.headers.push_back({std::string{name}, std::string{Json::text(value).value_or("")}});
            });
        }
        return target;
    }
};

/// Reads the fields of a target from a body.
template <class Json>
class TargetReader {
public:
    static constexpr std::array<std::string_view, 4> names{"api_url", "http_method", "headers", "body"};

    explicit TargetReader(const JsonBody<Json>& body) : body_{&body} {}

    [[nodiscard]] bool is_given() const {
        return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return body_->gives(name); });
    }

    /// The same, where null counts: it takes away.
    [[nodiscard]] bool is_named() const {
        return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return body_->has(name); });
    }

    /// What the body says, over what there was.
    /// @param shown  As whom it was shown to sees it: what comes back as that is what there was.
    /// @throws http::Error  400.
    template <class Shown>
    [[nodiscard]] JobTarget read(JobTarget target, std::size_t max_bytes, const Shown& shown) const {
        if (auto url = body_->text("api_url"); url && *url != shown("api_url", target.url)) {
            target.url = std::move(*url);
        }
        if (auto method = body_->text("http_method")) {
            if (!http::is_sendable_method(*method)) {
                body_->refuse("http_method", "must be one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
            }
            target.method = std::move(*method);
        }
        if (body_->has("headers")) { target.headers = headers(); }
        if (body_->has("body")) {
            auto body = body_->text_or_json("body", max_bytes);
            const bool is_null = body_->is_null("body");
            const bool is_as_shown = !is_null && target.body && body == shown("body", *target.body);
            if (!is_as_shown) { target.body = is_null ? std::nullopt : std::move(body); }
        }
        return target;
    }

    /// Whoever may change a job need not know its headers, nor a body that is hidden: a change of the address alone
    /// must not hand them to somebody else.
    /// @param wanted  What `read` made of `before`; its URL has been found to be one.
    /// @throws http::Error  400: it keeps them, and calls another origin.
    void refuse_kept_secrets(const JobTarget& before, const JobTarget& wanted, std::size_t max_bytes) const {
        if (origin_of(before.url) == origin_of(wanted.url)) { return; }
        constexpr std::string_view why =
            "must be given again, or null, when api_url leads to another scheme, host or port: what was meant for one "
            "server is not sent to another";
        if (!before.headers.empty() && !body_->has("headers")) { body_->refuse("headers", why); }
        const bool is_kept = before.body && !before.body->empty() && wanted.body == before.body;
        if (is_kept && body_->text_or_json("body", max_bytes) != before.body) { body_->refuse("body", why); }
    }

private:
    /// Empty: it is no URL.
    [[nodiscard]] static std::string origin_of(std::string_view url) {
        try {
            return http::parse_http_url(url).origin();
        } catch (const std::invalid_argument&) { return {}; }
    }

    [[nodiscard]] std::vector<http::Header> headers() const {
        std::vector<http::Header> all;
        if (body_->is_null("headers")) { return all; }
        const JsonBody<Json> object{*body_->find("headers"), "headers"};
        constexpr std::size_t most = 50;
        Json::for_each_member(*body_->find("headers"), [&](std::string_view name, const auto& value) {
            const auto text = Json::text(value);
            if (!text || !http::is_sendable_header(name, *text)) {
                body_->refuse("headers", "must be an object with names of headers and their values, which are texts "
                                         "without control characters; none that belongs to the connection, such as "
                                         "Host or Content-Length");
            }
            all.push_back({std::string{name}, std::string{*text}});
        });
        if (all.size() > most) { body_->refuse("headers", "must have at most 50 members"); }
        return all;
    }

    const JsonBody<Json>* body_;
};

} // namespace daybook::inline v0::detail

#endif
