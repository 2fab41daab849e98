// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_MICROHTTPD_HPP
#define DAYBOOK_ADAPTERS_MICROHTTPD_HPP

/// @file
/// A router in a program's own MHD_Daemon (GNU libmicrohttpd 0.9.71 and later; tested with 0.9.75; POSIX).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <microhttpd.h>

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// Answers a daemon's requests:
///
/// @code
/// const daybook::MicrohttpdAdapter adapter{router};
/// auto options = adapter.options();
/// auto* daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 8080, nullptr, nullptr,
///                                 &daybook::MicrohttpdAdapter::answer, adapter.context(),
///                                 MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
/// @endcode
///
/// A program with paths of its own gives the daemon its own function, which answers these and calls `answer` for all
/// others. The options are needed in any case: `*state` of each request belongs to the adapter.
///
/// The adapter must outlive the daemon. By default a daemon waits for a slow client for ever:
/// give it MHD_OPTION_CONNECTION_TIMEOUT.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class MicrohttpdAdapter {
public:
    explicit MicrohttpdAdapter(http::Router router)
        : router_{std::make_shared<const http::Router>(std::move(router))} {}

    /// For MHD_OPTION_ARRAY: they keep a request's target as it was sent, of which `answer` is shown the path only.
    [[nodiscard]] static std::array<MHD_OptionItem, 3> options() noexcept {
        return {{{MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<std::intptr_t>(&keep_target), nullptr},
                 {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<std::intptr_t>(&forget), nullptr},
                 {MHD_OPTION_END, 0, nullptr}}};
    }

    /// What `answer` wants as its first argument.
    [[nodiscard]] void* context() const noexcept { return const_cast<MicrohttpdAdapter*>(this); }

    /// The MHD_AccessHandlerCallback. The library calls it at least twice for a request: with the headers, with each
    /// piece of the body, and at the end. A body that is too large is read to its end, but not kept.
    static MHD_Result answer(void* context, MHD_Connection* connection, const char* /*path*/, const char* method,
                             const char* /*version*/, const char* data, std::size_t* size, void** state) noexcept {
        auto* const request = static_cast<PendingRequest*>(*state);
        if (context == nullptr || request == nullptr) { return MHD_NO; }
        try {
            return static_cast<const MicrohttpdAdapter*>(context)->on_call(connection, method, data, *size, *request,
                                                                           *size);
        } catch (const std::exception&) { return MHD_NO; } // no memory: the connection is closed
    }

private:
    /// Lives from the request line to the end of the answer.
    struct PendingRequest {
        http::Request translated = {};
        bool has_headers = false;
    };

    static void* keep_target(void* /*context*/, const char* target, MHD_Connection* /*connection*/) noexcept {
        try {
            auto request = std::make_unique<PendingRequest>();
            request->translated.target = target;
            return request.release();
        } catch (const std::exception&) { return nullptr; } // then `answer` closes the connection
    }

    static void forget(void* /*context*/, MHD_Connection* /*connection*/, void** state,
                       MHD_RequestTerminationCode /*how*/) noexcept {
        delete static_cast<PendingRequest*>(*state);
        *state = nullptr;
    }

    static MHD_Result keep_header(void* headers, MHD_ValueKind /*kind*/, const char* name, std::size_t name_size,
                                  const char* value, std::size_t value_size) noexcept {
        try {
            const std::string_view text{value == nullptr ? "" : value, value == nullptr ? 0 : value_size};
            const auto last = text.find_last_not_of(" \t"); // blanks at the end are not part of a value
            static_cast<http::Headers*>(headers)->push_back(
                {std::string(name, name_size), std::string{text.substr(0, last == text.npos ? 0 : last + 1)}});
            return MHD_YES;
        } catch (const std::exception&) { return MHD_NO; }
    }

    [[nodiscard]] static std::string remote_of(MHD_Connection* connection) {
        const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        if (info == nullptr || info->client_addr == nullptr) { return {}; }
        const auto size = info->client_addr->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
        std::array<char, 64> text{};
        const bool is_named = getnameinfo(info->client_addr, static_cast<socklen_t>(size), text.data(), text.size(),
                                          nullptr, 0, NI_NUMERICHOST) == 0;
        return is_named ? text.data() : "";
    }

    MHD_Result on_call(MHD_Connection* connection, const char* method, const char* data, std::size_t size,
                       PendingRequest& request, std::size_t& left) const {
        auto& translated = request.translated;
        if (!request.has_headers) {
            request.has_headers = true;
            translated.method = method;
            translated.remote = remote_of(connection);
            MHD_get_connection_values_n(connection, MHD_HEADER_KIND, &keep_header, &translated.headers);
            // An answer before the body is read is the connection's last.
            return http::has_doubtful_length(translated.headers) ? send(http::doubtful_length_response(), connection)
                                                                 : MHD_YES;
        }
        if (size > 0) {
            http::append_body(translated.body, {data, size}, router_->max_body_bytes());
            left = 0;
            return MHD_YES;
        }
        return send(router_->handle(translated), connection);
    }

    static MHD_Result send(http::Response answer, MHD_Connection* connection) {
        const std::unique_ptr<MHD_Response, void (*)(MHD_Response*)> response{
            MHD_create_response_from_buffer(answer.body.size(), answer.body.data(), MHD_RESPMEM_MUST_COPY),
            &MHD_destroy_response};
        if (!response) { return MHD_NO; }
        for (const auto& header : answer.headers) {
            MHD_add_response_header(response.get(), header.name.c_str(), header.value.c_str());
        }
        return MHD_queue_response(connection, static_cast<unsigned>(answer.status), response.get());
    }

    std::shared_ptr<const http::Router> router_;
};

} // namespace daybook::inline v0

#endif
