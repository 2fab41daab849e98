// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_EXAMPLES_CRON_DAEMON_CRONTAB_WORDS_HPP
#define DAYBOOK_EXAMPLES_CRON_DAEMON_CRONTAB_WORDS_HPP

/// @file
/// The small pieces of a crontab: blanks, names, durations, `%`, and the id of a job that was given none.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace crontab {

constexpr bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

constexpr std::size_t skip_blanks(std::string_view line, std::size_t at) {
    while (at < line.size() && is_blank(line[at])) { ++at; }
    return at;
}

constexpr std::size_t skip_word(std::string_view line, std::size_t at) {
    while (at < line.size() && !is_blank(line[at])) { ++at; }
    return at;
}

inline std::string quoted(std::string_view text) { return "'" + std::string{text} + "'"; }

inline bool is_name(std::string_view text) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    constexpr std::string_view others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return !text.empty() && letters.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(others) == std::string_view::npos;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) { return std::nullopt; }
    return number;
}

inline std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    using namespace std::chrono_literals;
    constexpr std::array<std::pair<std::string_view, std::chrono::milliseconds>, 6> units{
        {{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"min", 1min}, {"h", 1h}, {"d", 24h}}};
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number<std::uint32_t>(text.substr(0, digits));
    for (const auto& [name, unit] : units) {
        if (number && name == text.substr(digits) && *number <= 366 * (24h / unit)) { return *number * unit; }
    }
    return std::nullopt;
}

/// The two parts of the rest of a job's line.
struct CommandText {
    std::string command = {};
    std::string input = {};
};

// crontab(5): an unescaped % ends the command, what follows it is the input, and further ones are its newlines. A
// backslash before a % vanishes, any other stays.
inline CommandText split_at_percent(std::string_view text) {
    CommandText split;
    std::string* part = &split.command;
    bool is_escaped = false;
    for (const char letter : text) {
        if (letter == '%' && is_escaped) {
            part->back() = '%';
        } else if (letter == '%' && part == &split.command) {
            part = &split.input;
        } else {
            *part += letter == '%' ? '\n' : letter;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    if (!split.input.empty() && !split.input.ends_with('\n')) { split.input += '\n'; }
    return split;
}

// "backup.sh-1c291ca3": the first word that is no assignment, without its path, and a hash of the whole command.
inline std::string derived_id(std::string_view command) {
    std::uint32_t hash = 2'166'136'261U; // FNV-1a, the same on every machine
    for (const char letter : command) { hash = (hash ^ static_cast<unsigned char>(letter)) * 16'777'619U; }
    std::size_t begin = skip_blanks(command, 0);
    std::size_t end = skip_word(command, begin);
    while (end < command.size() && command.substr(begin, end - begin).find('=') != std::string_view::npos) {
        begin = skip_blanks(command, end);
        end = skip_word(command, begin);
    }
    auto word = command.substr(begin, end - begin);
    if (const auto slash = word.rfind('/'); slash != std::string_view::npos) { word.remove_prefix(slash + 1); }
    std::string id;
    for (const char letter : word.substr(0, 40)) {
        if (is_name({&letter, 1}) || (letter >= '0' && letter <= '9') || letter == '.' || letter == '-') {
            id += letter;
        }
    }
    if (id.empty()) { id = "job"; }
    id += '-';
    for (int shift = 28; shift >= 0; shift -= 4) { id += "0123456789abcdef"[(hash >> shift) & 0xFU]; }
    return id;
}

} // namespace crontab

#endif
