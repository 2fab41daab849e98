// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVER_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVER_HPP

/// @file
/// What the cases know of the server that they run against: so that they are compiled once for all of them.

#include <daybook/http/router.hpp>

#include <memory>
#include <span>
#include <string_view>

namespace contract {

/// What is done with a case that a server cannot pass.
enum class LimitRun {
    once,  ///< it is run, and the report says if it passes
    never, ///< the server would not recover from it
};

/// A case that one server cannot pass, and the reason, which the report shows.
struct KnownLimit {
    std::string_view name; ///< of a case; a `*` at the end stands for whatever follows
    std::string_view why;
    LimitRun run = LimitRun::once;
};

class Server {
public:
    Server() = default;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    virtual ~Server() = default;

    [[nodiscard]] virtual int port() const = 0;
};

// These are in the unit that is generated for each adapter.
[[nodiscard]] std::unique_ptr<Server> start_server(daybook::http::Router router);
[[nodiscard]] std::string_view server_name();
[[nodiscard]] std::span<const KnownLimit> known_limits();

} // namespace contract

#endif
