// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_RESTINIO_HPP
#define DAYBOOK_ADAPTERS_RESTINIO_HPP

/// @file
/// A router in a program's own restinio server (0.6.9 to 0.6; tested with 0.6.16).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

// What restinio uses and does not include.
#include <utility>

#include <restinio/incoming_http_msg_limits.hpp>
#include <restinio/message_builders.hpp>
#include <restinio/request_handler.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace daybook::inline v0 {

/// A request handler. Give it to the server itself, or, in a program with routes of its own, to its router:
///
/// @code
/// express_router.non_matched_request_handler(daybook::RestinioAdapter{router});
/// @endcode
///
/// restinio gathers a body whole before it calls a handler, and bounds nothing by default; so give the settings
/// `.incoming_http_msg_limits(daybook::RestinioAdapter::limits(router))`. What is larger is not answered: restinio
/// closes the connection.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class RestinioAdapter {
public:
    explicit RestinioAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    /// As much of a body as the router needs to see that it is too large, 16 KiB for the target and for each header,
    /// and 200 headers.
    [[nodiscard]] static restinio::incoming_http_msg_limits_t limits(const http::Router& router) {
        return restinio::incoming_http_msg_limits_t{}
            .max_url_size(16384)
            .max_field_name_size(16384)
            .max_field_value_size(16384)
            .max_field_count(200)
            .max_body_size(router.max_body_bytes() + 1);
    }

    restinio::request_handling_status_t operator()(const restinio::request_handle_t& request) const {
        try {
            return on_request(*request);
        } catch (const std::exception&) { return restinio::request_rejected(); } // no memory; answered with 501
    }

private:
    [[nodiscard]] restinio::request_handling_status_t on_request(restinio::request_t& request) const {
        const auto& header = request.header();
        http::Request translated{.method = header.method().c_str(), .target = header.request_target()};
        header.for_each_field([&](const auto& field) {
            std::string value = field.value();
            value.erase(value.find_last_not_of(" \t") + 1); // blanks at the end are not part of it
            translated.headers.push_back({field.name(), std::move(value)});
        });
        translated.body = request.body();
        translated.remote = request.remote_endpoint().address().to_string();
        return send(http::has_doubtful_length(translated.headers) ? http::doubtful_length_response()
                                                                  : router_->handle(translated),
                    request, translated.method == "HEAD");
    }

    [[nodiscard]] static restinio::request_handling_status_t send(http::Response answer, restinio::request_t& request,
                                                                  bool is_head) {
        const restinio::http_status_line_t status{
            restinio::http_status_code_t{static_cast<std::uint16_t>(answer.status)}, ""};
        // The other builder would take the length from the body, of which HEAD has none.
        auto response = request.create_response<restinio::user_controlled_output_t>(status);
        for (const auto& each : answer.headers) {
            if (http::is_same_name(each.name, "Connection")) {
                response.connection_close(); // ours say only that it ends
            } else {
                response.header().add_field(each.name, each.value);
            }
        }
        const bool has_body = answer.status != 204 && answer.status != 304;
        response.set_content_length(has_body ? answer.body.size() : 0);
        if (has_body && !is_head) { response.set_body(std::move(answer.body)); }
        return response.done();
    }

    std::shared_ptr<const http::Router> router_;
};

} // namespace daybook::inline v0

#endif
