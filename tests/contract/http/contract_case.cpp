// SPDX-License-Identifier: MIT
#include "contract/http/contract_case.hpp"

#include <cctype>
#include <cstdint>
#include <utility>

namespace contract {

namespace {

/// JSON (RFC 8259) up to a depth, and nothing else: whether it is some.
class JsonSyntax {
public:
    explicit JsonSyntax(std::string_view text) : rest_{text} {}

    [[nodiscard]] bool is_document() {
        skip_blanks();
        if (!take_value(0)) { return false; }
        skip_blanks();
        return rest_.empty();
    }

private:
    [[nodiscard]] bool take(std::string_view word) {
        if (!rest_.starts_with(word)) { return false; }
        rest_.remove_prefix(word.size());
        return true;
    }
    void skip_blanks() {
        while (!rest_.empty() && std::string_view{" \t\r\n"}.find(rest_.front()) != std::string_view::npos) {
            rest_.remove_prefix(1);
        }
    }
    [[nodiscard]] bool take_digits() {
        const auto before = rest_.size();
        while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_.front())) != 0) {
            rest_.remove_prefix(1);
        }
        return rest_.size() != before;
    }
    [[nodiscard]] bool take_number() {
        static_cast<void>(take("-"));
        if (!take("0") && !take_digits()) { return false; }
        if (take(".") && !take_digits()) { return false; }
        if (take("e") || take("E")) {
            if (!take("+")) { static_cast<void>(take("-")); }
            return take_digits();
        }
        return true;
    }
    [[nodiscard]] bool take_string() {
        if (!take("\"")) { return false; }
        while (!rest_.empty() && rest_.front() != '"') {
            if (static_cast<unsigned char>(rest_.front()) < 0x20) { return false; }
            if (rest_.front() == '\\') {
                rest_.remove_prefix(1);
                if (rest_.empty() || std::string_view{"\"\\/bfnrtu"}.find(rest_.front()) == std::string_view::npos) {
                    return false;
                }
            }
            rest_.remove_prefix(1);
        }
        return take("\"");
    }
    [[nodiscard]] bool take_members(char end, int depth) {
        rest_.remove_prefix(1);
        skip_blanks();
        if (take({&end, 1})) { return true; }
        for (;;) {
            skip_blanks();
            if (end == '}') {
                if (!take_string()) { return false; }
                skip_blanks();
                if (!take(":")) { return false; }
                skip_blanks();
            }
            if (!take_value(depth + 1)) { return false; }
            skip_blanks();
            if (take({&end, 1})) { return true; }
            if (!take(",")) { return false; }
        }
    }
    [[nodiscard]] bool take_value(int depth) {
        if (rest_.empty() || depth > 100) { return false; }
        switch (rest_.front()) {
        case '{': return take_members('}', depth);
        case '[': return take_members(']', depth);
        case '"': return take_string();
        case 't': return take("true");
        case 'f': return take("false");
        case 'n': return take("null");
        default: return take_number();
        }
    }

    std::string_view rest_;
};

} // namespace

bool is_json(std::string_view text) { return JsonSyntax{text}.is_document(); }

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = [&](std::size_t index) -> std::uint32_t {
            return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
        };
        const auto first = byte(at);
        const std::size_t more = first < 0x80 ? 0 : first < 0xC2 ? 9 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if (more == 9 || first > 0xF4) { return false; }
        std::uint32_t letter = more == 0 ? first : first & (0x3FU >> more);
        for (std::size_t index = 1; index <= more; ++index) {
            if ((byte(at + index) & 0xC0U) != 0x80U) { return false; }
            letter = (letter << 6U) | (byte(at + index) & 0x3FU);
        }
        const bool is_overlong = (more == 2 && letter < 0x800) || (more == 3 && letter < 0x10000);
        if (is_overlong || letter > 0x10FFFF || (letter >= 0xD800 && letter <= 0xDFFF)) { return false; }
        at += more + 1;
    }
    return true;
}

std::string request(std::string_view method, std::string_view target, std::string_view lines, std::string_view body) {
    std::string bytes{method};
    bytes.append(" ").append(target).append(" HTTP/1.1\r\nHost: contract.test\r\n");
    return bytes.append(connection_mark).append(lines).append("\r\n").append(body);
}

std::string with_body(std::string_view method, std::string_view target, std::string_view body, std::string_view lines) {
    return request(method, target, "Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string{lines},
                   body);
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string result;
    result.reserve(text.size() * times);
    for (std::size_t time = 0; time < times; ++time) { result += text; }
    return result;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        result += {'%', digits[byte / 16U], digits[byte % 16U]};
    }
    return result;
}

Case ask(std::string name, std::string bytes, Expected expected) {
    return {.name = std::move(name), .steps = {{.bytes = std::move(bytes)}}, .expected = {std::move(expected)}};
}

Case get(std::string name, std::string_view target, Expected expected, std::string_view lines) {
    return ask(std::move(name), request("GET", target, lines), std::move(expected));
}

Case head(std::string name, std::string_view target, Expected expected, std::string_view lines) {
    expected.has_body = HasBody::never;
    return ask(std::move(name), request("HEAD", target, lines), std::move(expected));
}

Case broken(std::string name, std::string bytes, std::vector<int> statuses) {
    return {.name = std::move(name),
            .steps = {{.bytes = std::move(bytes)}, {.kind = Step::Kind::half_close}},
            .expected = {{.statuses = std::move(statuses)}},
            .use = Use::alone};
}

Check has(std::string part) {
    return [part = std::move(part)](const Answer& answer) {
        return contains(answer.body, part) ? "" : "the body lacks " + shown(part);
    };
}

Check lacks(std::string part) {
    return [part = std::move(part)](const Answer& answer) {
        return contains(answer.body, part) ? "the body has " + shown(part) : "";
    };
}

Check body(std::string whole) {
    return [whole = std::move(whole)](const Answer& answer) {
        return answer.body == whole ? "" : "the body is not " + shown(whole);
    };
}

Check header(std::string name, std::string value) {
    return [name = std::move(name), value = std::move(value)](const Answer& answer) -> std::string {
        const auto* const found = answer.header(name);
        if (found == nullptr) { return "there is no header " + name; }
        return *found == value ? "" : "the header " + name + " is not " + shown(value);
    };
}

Check header_has(std::string name, std::string part) {
    return [name = std::move(name), part = std::move(part)](const Answer& answer) -> std::string {
        const auto* const found = answer.header(name);
        if (found == nullptr) { return "there is no header " + name; }
        return contains(*found, part) ? "" : "the header " + name + " lacks " + shown(part);
    };
}

Check no_header(std::string name) {
    return [name = std::move(name)](const Answer& answer) {
        return answer.header(name) == nullptr ? "" : "there is a header " + name;
    };
}

Check error(int code, std::string part) {
    const auto begin = R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")";
    return [begin, part = std::move(part)](const Answer& answer) -> std::string {
        if (!answer.body.starts_with(begin)) { return "the body does not begin with " + begin; }
        return contains(answer.body, part) ? "" : "the message lacks " + shown(part);
    };
}

} // namespace contract
