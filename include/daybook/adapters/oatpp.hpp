// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_OATPP_HPP
#define DAYBOOK_ADAPTERS_OATPP_HPP

/// @file
/// A router in a program's own Oat++ server with threads (1.3 and later; tested with 1.3.0 and 1.4.0).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <oatpp/web/protocol/http/outgoing/Body.hpp>
#include <oatpp/web/server/HttpRequestHandler.hpp>
#include <oatpp/web/server/HttpRouter.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace daybook::inline v0 {

/// Answers requests; made by `mount`.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class OatppHandler : public oatpp::web::server::HttpRequestHandler {
public:
    explicit OatppHandler(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    std::shared_ptr<OutgoingResponse> handle(const std::shared_ptr<IncomingRequest>& request) override {
        try {
            auto translated = translate(*request);
            if (!request->getStartingLine().protocol.std_str().starts_with("HTTP/1.")) {
                return refuse(http::error_response(505, "this is not HTTP/1.1"), *request);
            }
            if (http::has_doubtful_length(translated.headers)) {
                return refuse(http::doubtful_length_response(), *request);
            }
            if (!read_body(*request, translated)) {
                return refuse(http::error_response(400, "the body could not be read"), *request);
            }
            return to_oatpp(router_->handle(translated), translated.method == "HEAD");
        } catch (const std::exception&) { // no memory
            return OutgoingResponse::createShared(oatpp::web::protocol::http::Status{500, ""}, nullptr);
        }
    }

private:
    using Stream = oatpp::data::stream::InputStream;

    /// What is sent of an answer: its length always, itself not to HEAD.
    class Body : public oatpp::web::protocol::http::outgoing::Body {
    public:
        Body(std::string text, bool is_head) : text_{std::move(text)}, is_head_{is_head} {}
        oatpp::v_io_size read(void* /*buffer*/, v_buff_size /*count*/, oatpp::async::Action& /*action*/) override {
            return 0;
        }
        void declareHeaders(Headers& /*headers*/) override {}
        p_char8 getKnownData() override { return is_head_ ? nullptr : reinterpret_cast<p_char8>(text_.data()); }
        v_int64 getKnownSize() override { return static_cast<v_int64>(text_.size()); }

    private:
        std::string text_;
        bool is_head_;
    };

    [[nodiscard]] static http::Request translate(IncomingRequest& request) {
        const auto& line = request.getStartingLine();
        http::Request translated{.method = line.method.std_str(), .target = line.path.std_str()};
        for (const auto& [name, value] : request.getHeaders().getAll()) {
            std::string text = value.std_str();
            text.erase(text.find_last_not_of(" \t") + 1); // blanks around it are not part of it
            text.erase(0, text.find_first_not_of(" \t"));
            translated.headers.push_back({name.std_str(), std::move(text)});
        }
        auto& properties = request.getConnection()->getInputStreamContext().getProperties();
        if (const auto address = properties.get("peer_address")) { translated.remote = *address; }
        return translated;
    }

    /// A body that was not announced is not waited for, and one that is too large is read to its end, but not kept.
    /// Oat++'s own decoders take anything for a chunk, and do not say whether a body was whole.
    [[nodiscard]] bool read_body(IncomingRequest& request, http::Request& translated) const {
        const auto* const length = translated.header("Content-Length");
        const bool is_chunked = translated.header("Transfer-Encoding") != nullptr;
        if (!is_chunked && (length == nullptr || *length == "0")) { return true; }
        const auto* const expectation = translated.header("Expect");
        if (expectation != nullptr && http::is_same_name(*expectation, "100-continue")) {
            constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            request.getConnection()->writeExactSizeDataSimple(go_on.data(), static_cast<v_buff_size>(go_on.size()));
        }
        const auto stream = request.getBodyStream();
        if (!is_chunked) {
            std::uint64_t size = 0;
            return is_read(*length, 10, size) && read(*stream, size, translated.body);
        }
        for (std::string line; read_line(*stream, line);) {
            std::uint64_t size = 0;
            if (!is_read(std::string_view{line}.substr(0, line.find(';')), 16, size)) { return false; }
            if (size == 0) {
                while (read_line(*stream, line) && !line.empty()) {} // trailers
                return line.empty();
            }
            if (!read(*stream, size, translated.body) || !read_line(*stream, line) || !line.empty()) { return false; }
        }
        return false;
    }

    [[nodiscard]] static bool is_read(std::string_view digits, int base, std::uint64_t& number) noexcept {
        const auto* const end = digits.data() + digits.size();
        const auto [last, error] = std::from_chars(digits.data(), end, number, base);
        return error == std::errc{} && last == end;
    }

    [[nodiscard]] bool read(Stream& stream, std::uint64_t size, std::string& body) const {
        std::array<char, 8192> piece;
        while (size > 0) {
            const auto count =
                stream.readSimple(piece.data(), static_cast<v_buff_size>(std::min<std::uint64_t>(size, piece.size())));
            if (count <= 0) { return false; }
            http::append_body(body, {piece.data(), static_cast<std::size_t>(count)}, router_->max_body_bytes());
            size -= static_cast<std::uint64_t>(count);
        }
        return true;
    }

    /// A line without its end; false: there is none, or a longer one than anybody sends.
    [[nodiscard]] static bool read_line(Stream& stream, std::string& line) {
        line.clear();
        for (char letter = 0; line.size() < 4096 && stream.readSimple(&letter, 1) == 1; line += letter) {
            if (letter == '\n' && line.ends_with('\r')) {
                line.pop_back();
                return true;
            }
        }
        line = "-"; // not the empty one that ends a body
        return false;
    }

    /// With the connection's end, which Oat++ grants to requests only.
    [[nodiscard]] static std::shared_ptr<OutgoingResponse> refuse(http::Response answer, IncomingRequest& request) {
        request.putOrReplaceHeader("Connection", "close");
        answer.set_header("Connection", "close");
        return to_oatpp(std::move(answer), request.getStartingLine().method == "HEAD");
    }

    [[nodiscard]] static std::shared_ptr<OutgoingResponse> to_oatpp(http::Response answer, bool is_head) {
        const bool has_body = answer.status != 204 && answer.status != 304;
        const auto response = OutgoingResponse::createShared(
            oatpp::web::protocol::http::Status{answer.status, ""},
            has_body ? std::make_shared<Body>(std::move(answer.body), is_head) : nullptr);
        for (auto& header : answer.headers) { response->putHeader(std::move(header.name), std::move(header.value)); }
        return response;
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer whatever the program has no route for. Call it after the program's own routes were added:
/// Oat++ takes the first that fits.
///
/// For an HttpConnectionHandler, which has a thread for each connection; not for the asynchronous one. Oat++ reads at
/// most 4 KiB of headers unless its Config says otherwise, waits for a slow client for ever, and knows the peer's
/// address only where the connection provider was made with `useExtendedConnections`. Methods that HTTP does not have,
/// it answers itself.
inline void mount(oatpp::web::server::HttpRouter& server, http::Router router) {
    const auto handler = std::make_shared<OatppHandler>(std::move(router));
    for (const char* const method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}) {
        server.route(method, "*", handler);
    }
}

} // namespace daybook::inline v0

#endif
