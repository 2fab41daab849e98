// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_CONTRACT_CASE_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_CONTRACT_CASE_HPP

/// @file
/// A case as data: what is sent, and what may come back.

#include "contract/http/raw_client.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace contract {

/// Says what is wrong with an answer; nothing: "".
using Check = std::function<std::string(const Answer&)>;
using Checks = std::vector<Check>;

/// Stands in a set of statuses for: the connection ended without an answer.
inline constexpr int closed = 0;

/// What may be the answer to one request.
struct Expected {
    std::vector<int> statuses = {200};
    Checks checks = {}; ///< of an answer with the first of the statuses
    HasBody has_body = HasBody::as_told;
};

/// One thing that the client does.
struct Step {
    enum class Kind { send, half_close, pause, await_interim };
    Kind kind = Kind::send;
    std::string bytes = {};
    std::chrono::milliseconds time{0};
    std::size_t piece = 0; ///< bytes are sent in pieces of that size, with pauses between them; 0: at once
};

/// Which connection a case may use.
enum class Use {
    shared, ///< one that other cases use as well, where connections are kept
    alone,  ///< one of its own
};

/// How the requests of a run ask for their connection's end.
enum class Mode { keep, close };

struct Case {
    std::string name;
    std::vector<Step> steps = {};
    std::vector<Expected> expected = {}; ///< one for each request that is sent
    Use use = Use::shared;
};

/// Where a `Connection: close` goes, in the mode that has it.
inline constexpr std::string_view connection_mark = "\x01connection\x01";

/// A whole request; `lines` are header lines, each with its end.
[[nodiscard]] std::string request(std::string_view method, std::string_view target, std::string_view lines = {},
                                  std::string_view body = {});

/// The same with the length of the body told.
[[nodiscard]] std::string with_body(std::string_view method, std::string_view target, std::string_view body,
                                    std::string_view lines = {});

[[nodiscard]] std::string repeated(std::string_view text, std::size_t times);
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// One request, sent at once.
[[nodiscard]] Case ask(std::string name, std::string bytes, Expected expected);
[[nodiscard]] Case get(std::string name, std::string_view target, Expected expected = {}, std::string_view lines = {});
[[nodiscard]] Case head(std::string name, std::string_view target, Expected expected = {}, std::string_view lines = {});
/// Bytes that are no request, or may not be taken for one: on a connection of their own, half-closed behind them.
[[nodiscard]] Case broken(std::string name, std::string bytes, std::vector<int> statuses);

// Checks.
[[nodiscard]] Check has(std::string part);
[[nodiscard]] Check lacks(std::string part);
[[nodiscard]] Check body(std::string whole);
[[nodiscard]] Check header(std::string name, std::string value);
[[nodiscard]] Check header_has(std::string name, std::string part);
[[nodiscard]] Check no_header(std::string name);
/// `{"error":{"code":…,"message":"…part…"}}`
[[nodiscard]] Check error(int code, std::string part);

[[nodiscard]] bool is_json(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

// The cases, one function for each file.
[[nodiscard]] std::vector<Case> method_cases();
[[nodiscard]] std::vector<Case> target_cases();
[[nodiscard]] std::vector<Case> execution_cases();
[[nodiscard]] std::vector<Case> body_cases();
[[nodiscard]] std::vector<Case> header_cases();
[[nodiscard]] std::vector<Case> answer_cases();
[[nodiscard]] std::vector<Case> access_cases();
/// Change what is there, so they come last.
[[nodiscard]] std::vector<Case> change_cases();
/// For a router with the prefix /admin and no hook.
[[nodiscard]] std::vector<Case> prefix_cases();

} // namespace contract

#endif
