// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_APP_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_APP_HPP

/// @file
/// The program whose router every adapter mounts: our APIs over fixed content, and routes that say what reached them.

#include <daybook/http/router.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace contract {

/// Of a request's body, in every router here.
inline constexpr std::size_t max_body_bytes = 65536;

/// Of the answer of `/large`.
inline constexpr std::size_t large_bytes = std::size_t{1} << 20U;

/// What no client may ever see: it stands in what the handlers throw.
inline constexpr std::string_view secret = "hunter2";

/// What changes_with_token wants of requests with `X-Access: token`.
inline constexpr std::string_view token = "letmein-0123456789";

/// Of the contents of bodies, so that large ones need not be sent back (FNV-1a, 64 bits).
[[nodiscard]] std::uint64_t hash_of(std::string_view bytes);

/// Fixed content: a log of 250 executions under a clock that stands still, and a scheduler without threads.
class App {
public:
    App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    /// No prefix. Changes are allowed, unless the header `X-Access` says `read_only` or `token`.
    [[nodiscard]] daybook::http::Router open_router() const;

    /// With the prefix `/admin`, for the host `contract.test` only, and closed for changes as a router is that was
    /// given no hook.
    [[nodiscard]] daybook::http::Router prefixed_router() const;

    /// How many exceptions the routers were told of that were no refusals.
    [[nodiscard]] std::size_t exceptions() const;

private:
    struct Content;
    std::shared_ptr<Content> content_;
};

} // namespace contract

#endif
