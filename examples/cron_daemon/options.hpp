// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_EXAMPLES_CRON_DAEMON_OPTIONS_HPP
#define DAYBOOK_EXAMPLES_CRON_DAEMON_OPTIONS_HPP

/// @file
/// The command line of the cron daemon.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

/// Whether visitors of the web interface may change anything.
enum class Changes { refused, allowed };

/// Whether other daemons run the same crontab on the same store.
enum class Company { alone, fleet };

enum class Action { run, show_help };

struct Options {
    Action action = Action::run;
    std::string crontab = {};
    std::string bind = "127.0.0.1";
    int port = 8888; ///< 0: any free one
    unsigned workers = 4;
    std::size_t capacity = 1000;
    std::string store = {}; ///< see store_of; empty: memory alone
    std::optional<std::chrono::milliseconds> run_for = {};
    Changes changes = Changes::refused;
    Company company = Company::alone;
};

inline constexpr std::string_view usage =
    R"(cron_daemon: runs a crontab, and keeps the history of every execution

  --crontab FILE    the jobs, as crontab(5) has them; see README.md for what comments can add
  --port PORT       serve the history on this port (8888; 0: any free one)
  --bind ADDRESS    ... on this address (127.0.0.1)
  --workers N       run at most N jobs at once (4)
  --capacity N      keep the newest N executions in memory (1000)
  --store STORE     keep the history beyond the program: sqlite:FILE or postgresql:URL
  --fleet           share a PostgreSQL store with other daemons: each time that comes due is run by one of them
  --for SECONDS     stop after that time; otherwise at SIGINT or SIGTERM
  --allow-changes   let visitors clear the history, and run, pause, resume and remove jobs
  --help            show this

Ends with 0 when all is well, 1 when it cannot start, 2 when the command line or the crontab is wrong.
)";

/// Reads one number from `lowest` to `highest`, both included.
template <class Number>
Number number_option(std::string_view name, std::string_view text, Number lowest, Number highest) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !(number >= lowest && number <= highest)) {
        const auto shown = [](Number bound) {
            auto digits = std::to_string(bound);
            return digits.substr(0, digits.find('.'));
        };
        throw std::invalid_argument{std::string{name} + ": expected a number from " + shown(lowest) + " to " +
                                    shown(highest) + ", got '" + std::string{text} + "'"};
    }
    return number;
}

/// @throws std::invalid_argument  An option is unknown, lacks its value or has a wrong one.
inline Options parse_options(std::span<const char* const> arguments) {
    Options options;
    for (std::size_t index = 1; index < arguments.size(); ++index) {
        const std::string_view argument = arguments[index];
        const auto equals = std::min(argument.find('='), argument.size());
        const auto name = argument.substr(0, equals);
        const auto value = [&]() -> std::string_view {
            if (equals < argument.size()) { return argument.substr(equals + 1); }
            if (index + 1 == arguments.size()) {
                throw std::invalid_argument{std::string{name} + ": expected a value"};
            }
            return arguments[++index];
        };
        if (name == "--crontab") {
            options.crontab = value();
        } else if (name == "--bind") {
            options.bind = value();
        } else if (name == "--port") {
            options.port = number_option(name, value(), 0, 65535);
        } else if (name == "--workers") {
            options.workers = number_option(name, value(), 1U, 1000U);
        } else if (name == "--capacity") {
            options.capacity = number_option<std::size_t>(name, value(), 10, 10'000'000);
        } else if (name == "--store") {
            options.store = value();
        } else if (name == "--for") {
            const std::chrono::duration<double> seconds{number_option(name, value(), 0.0, 1e9)};
            options.run_for = std::chrono::ceil<std::chrono::milliseconds>(seconds);
        } else if (argument == "--allow-changes") {
            options.changes = Changes::allowed;
        } else if (argument == "--fleet") {
            options.company = Company::fleet;
        } else if (argument == "--help" || argument == "-h") {
            options.action = Action::show_help;
            return options;
        } else {
            throw std::invalid_argument{"unknown option '" + std::string{argument} + "'"};
        }
    }
    if (options.crontab.empty()) { throw std::invalid_argument{"--crontab: expected a file"}; }
    if (options.company == Company::fleet && !options.store.starts_with("postgresql:")) {
        throw std::invalid_argument{"--fleet: expected --store postgresql:URL, which several daemons can share"};
    }
    return options;
}

#endif
