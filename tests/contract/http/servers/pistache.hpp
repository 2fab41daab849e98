// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_PISTACHE_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_SERVERS_PISTACHE_HPP

/// @file
/// A Pistache endpoint whose router has no routes of its own.

#include "contract/http/server.hpp"

#include <daybook/adapters/pistache.hpp>
#include <daybook/http/router.hpp>

#include <pistache/endpoint.h>

#include <chrono>
#include <string_view>
#include <utility>

class ContractServer {
public:
    static constexpr std::string_view name = "pistache";

    explicit ContractServer(daybook::http::Router router) : server_{Pistache::Address{"127.0.0.1", Pistache::Port{0}}} {
        server_.init(Pistache::Http::Endpoint::options()
                         .threads(4)
                         .flags(Pistache::Tcp::Options::ReuseAddr)
                         .headerTimeout(std::chrono::seconds{2})
                         .bodyTimeout(std::chrono::seconds{2})
                         .maxRequestSize(router.max_body_bytes() + 65536));
        daybook::mount(routes_, std::move(router));
        server_.setHandler(routes_.handler());
        server_.serveThreaded();
    }
    ContractServer(const ContractServer&) = delete;
    ContractServer& operator=(const ContractServer&) = delete;
    ~ContractServer() { server_.shutdown(); }

    [[nodiscard]] int port() const { return server_.getPort(); }

    static constexpr std::string_view counting =
        "Pistache takes a size below 0 for 2^64, and its thread never comes back";
    static constexpr std::string_view halves = "where a chunk's end comes in two reads, its thread never comes back";
    static constexpr std::string_view room = "Pistache makes room for the body first, and tells what was thrown";
    static constexpr std::string_view parameters =
        "Pistache hands on parameters in any order, and of one name the first";
    static constexpr std::string_view lengths = "the answer to HEAD has the length 0, or Pistache would send the body";
    static constexpr contract::KnownLimit known_limits[] = {
        {"chunks: a size below 0", counting, contract::LimitRun::never},
        {"chunks: a thousand", halves, contract::LimitRun::never},
        {"body: in chunks, a byte at a time", halves, contract::LimitRun::never},
        {"chunks: with extensions", "Pistache knows none"},
        {"chunks: a size near *", room},
        {"chunks: a size of 2^64 + 3", room},
        {"length: below 0", room},
        {"length: of *", room},
        {"method: HEAD of a short answer", lengths},
        {"method: HEAD of 1 MB", lengths},
        {"prefix: HEAD", lengths},
        {"target: empty", "Pistache refuses it with 500"},
        {"target: arrives as it was sent", parameters},
        {"query: empty", "Pistache does not hand on the question mark alone"},
        {"query: 101 parameters", parameters},
        {"query: twice*", parameters},
        {"executions: the same parameter twice*", parameters},
        {"export: a format twice", parameters},
        {"body: an odd type", "Pistache answers 415 itself"},
        {"connection: the wish to close it is granted", "Pistache writes Close, which means the same"},
        {"nothing: but bytes of all kinds", "Pistache refuses each 4 KB of them"},
        {"kept connections", "Pistache keeps connections open for those only that ask for it"},
        {"others' answers", "Pistache's own refusals may reach the next client, where the first one has gone"},
    };

private:
    Pistache::Rest::Router routes_;
    Pistache::Http::Endpoint server_;
};

#endif
