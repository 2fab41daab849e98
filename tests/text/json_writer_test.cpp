// SPDX-License-Identifier: MIT
#include <daybook/text/json_writer.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

using daybook::JsonWriter;

namespace {

template <class Write>
std::string written(Write write) {
    std::string text;
    JsonWriter json{text};
    write(json);
    return text;
}

std::string string_of(std::string_view text) {
    return written([&](JsonWriter& json) { json.value(text); });
}

template <class Number>
std::string number_of(Number number) {
    return written([&](JsonWriter& json) { json.value(number); });
}

std::string fixed_of(double number, int decimals) {
    return written([&](JsonWriter& json) { json.fixed(number, decimals); });
}

} // namespace

TEST_CASE("commas stand between members and items, and nowhere else") {
    const auto text = written([](JsonWriter& json) {
        json.begin_object();
        json.key("empty").begin_array().end_array();
        json.key("none").begin_object().end_object();
        json.key("list").begin_array().value(1).begin_array().value(2).end_array().value(3).end_array();
        json.member("last", true);
        json.end_object();
    });
    CHECK(text == R"({"empty":[],"none":{},"list":[1,[2],3],"last":true})");
}

TEST_CASE("the writer appends to what the string holds") {
    std::string text = "data: ";
    JsonWriter{text}.begin_object().end_object();
    CHECK(text == "data: {}");
}

TEST_CASE("a document that is given up leaves no room behind it") {
    std::string text;
    {
        JsonWriter json{text};
        json.begin_array().value("x");
    }
    CHECK(text == "[\"x\"");
}

TEST_CASE("a large document grows as it is written") {
    std::string text;
    JsonWriter json{text};
    json.begin_array();
    for (int number = 0; number < 20'000; ++number) { json.value("\n\xFF" + std::to_string(number)); }
    json.end_array();
    CHECK(text.size() == 20'000 * 8 + 88'890 + 1);
    CHECK(text.ends_with("\\n\xEF\xBF\xBD"
                         "19999\"]"));
}

TEST_CASE("a small document takes little of a string with much room") {
    std::string text;
    text.reserve(1'000'000);
    JsonWriter json{text};
    json.begin_array();
    CHECK(text.size() < 1000); // all of it is written before the document is
    json.end_array();
    CHECK(text == "[]");
}

TEST_CASE("each kind of value is written as JSON has it") {
    CHECK(number_of(true) == "true");
    CHECK(number_of(false) == "false");
    CHECK(written([](JsonWriter& json) { json.null(); }) == "null");
    CHECK(written([](JsonWriter& json) { json.value(nullptr); }) == "null");
    CHECK(written([](JsonWriter& json) { json.raw(R"({"a":1})"); }) == R"({"a":1})");
    CHECK(number_of(std::optional<int>{}) == "null");
    CHECK(number_of(std::optional<int>{7}) == "7");
    CHECK(number_of(std::optional<std::string>{"x"}) == "\"x\"");
}

TEST_CASE("a literal is a string, not a truth value") {
    CHECK(written([](JsonWriter& json) { json.value("text"); }) == "\"text\"");
    CHECK(written([](JsonWriter& json) { json.begin_object().member("a", "b").end_object(); }) == R"({"a":"b"})");
}

TEST_CASE("integers are written to their limits") {
    CHECK(number_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(number_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(number_of(std::int8_t{-128}) == "-128");
    CHECK(number_of(std::uint8_t{65}) == "65");
}

TEST_CASE("a floating-point number is written with the fewest digits that read back the same") {
    CHECK(number_of(0.1) == "0.1");
    CHECK(number_of(0.1F) == "0.1");
    CHECK(number_of(1.0) == "1.0");
    CHECK(number_of(-3.0) == "-3.0");
    CHECK(number_of(1e22) == "1e+22");
    CHECK(number_of(5e-324) == "5e-324");
    CHECK(number_of(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
    CHECK(number_of(2.5L) == "2.5");
}

TEST_CASE("a number that JSON does not have is null") {
    CHECK(number_of(std::numeric_limits<double>::quiet_NaN()) == "null");
    CHECK(number_of(std::numeric_limits<double>::infinity()) == "null");
    CHECK(fixed_of(-std::numeric_limits<double>::infinity(), 2) == "null");
}

TEST_CASE("fixed rounds to so many decimals and keeps one") {
    CHECK(fixed_of(97.7699, 2) == "97.77");
    CHECK(fixed_of(245.3, 2) == "245.3");
    CHECK(fixed_of(100.0, 2) == "100.0");
    CHECK(fixed_of(0.0, 1) == "0.0");
    CHECK(fixed_of(-0.001, 2) == "0.0");
    CHECK(fixed_of(-1.5, 3) == "-1.5");
    CHECK(fixed_of(99.999, 2) == "100.0");
    CHECK(fixed_of(1.25, 0) == "1.2");
    CHECK(fixed_of(1e300, 9).size() == 303);
    CHECK(fixed_of(std::numeric_limits<double>::max(), 9).size() == 311);
}

TEST_CASE("an instant is written in quotes") {
    CHECK(number_of(daybook::sys_time{std::chrono::microseconds{1}}) == "\"1970-01-01T00:00:00.000001Z\"");
}

TEST_CASE("quote, backslash and controls are escaped, wherever they stand") {
    CHECK(string_of("\"") == R"("\"")");
    CHECK(string_of("a\\b") == R"("a\\b")");
    CHECK(string_of("\b\f\n\r\t") == R"("\b\f\n\r\t")");
    CHECK(string_of(std::string_view{"\0\x1f", 2}) == R"("\u0000\u001f")");
    CHECK(string_of("\x7f</script>") == "\"\x7f</script>\"");
    const std::string_view bytes{"\0\x1f !\"#[\\]~\x7f\x80\xff", 13}; // and those beside them
    for (std::size_t size = 1; size <= 50; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            for (const char byte : bytes) {
                auto text = std::string(size, 'x');
                text[place] = byte;
                auto expected = text;
                const auto alone = string_of({&byte, 1});
                expected.replace(place, 1, alone, 1, alone.size() - 2);
                INFO("byte " << place << " of " << size << " is " << int{byte});
                REQUIRE(string_of(text) == '"' + expected + '"');
            }
        }
    }
}

TEST_CASE("instants behind each other are written as each is alone") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    constexpr std::int64_t second = 1'000'000;
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    const std::int64_t places[] = {0,
                                   -second,
                                   1'700'000'000 * second,
                                   least,
                                   largest - second,
                                   daybook::min_timestamp.time_since_epoch().count(),
                                   daybook::max_timestamp.time_since_epoch().count() - second};
    for (int round = 0; round < 2000; ++round) {
        std::string together = "[";
        const auto in_one_call = written([&](JsonWriter& json) {
            json.begin_array();
            auto at = places[random() % std::size(places)];
            for (int i = 0; i < 8; ++i) {
                const daybook::sys_time instant{std::chrono::microseconds{at}};
                json.value(instant);
                together += (i == 0 ? "" : ",") + number_of(instant);
                if (random() % 4 == 0) { at = places[random() % std::size(places)]; }
                const auto step = static_cast<std::int64_t>(random() % (2 * second));
                if (at <= largest - step) { at += step; }
                if (random() % 2 == 0 && at >= least + second) { at -= second; }
            }
            json.end_array();
        });
        REQUIRE(in_one_call == together + "]");
    }
}

TEST_CASE("the name of a member is escaped as well") {
    CHECK(written([](JsonWriter& json) { json.begin_object().member("a\"b\n", 1).end_object(); }) == R"({"a\"b\n":1})");
}

TEST_CASE("UTF-8 goes through as it is") {
    const std::string_view text = "Grüße, 世界, 𝄞 and \xF4\x8F\xBF\xBF";
    CHECK(string_of(text) == '"' + std::string{text} + '"');
}

TEST_CASE("what is not UTF-8 becomes the replacement character, one for each broken beginning") {
    const std::string bad = "\xEF\xBF\xBD";
    CHECK(string_of("\xFF") == '"' + bad + '"');
    CHECK(string_of("a\xC3") == "\"a" + bad + '"');
    CHECK(string_of("\xC0\xAF") == '"' + bad + bad + '"');                     // overlong
    CHECK(string_of("\xED\xA0\x80") == '"' + bad + bad + bad + '"');           // a surrogate
    CHECK(string_of("\xF4\x90\x80\x80") == '"' + bad + bad + bad + bad + '"'); // above U+10FFFF
    CHECK(string_of("\xE2\x82"
                    "abc") == '"' + bad + "abc\""); // broken off
    CHECK(string_of("\xF0\x9D\x84\"") == '"' + bad + "\\\"\"");
}

TEST_CASE("any bytes at all make a string that holds no bare control, quote or invalid byte") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 64, '\0');
        for (auto& byte : bytes) { byte = static_cast<char>(random() % 4 == 0 ? random() % 256 : 'a' + random() % 26); }
        const auto text = string_of(bytes);
        REQUIRE(text.size() >= 2);
        std::string_view inside{text};
        inside = inside.substr(1, inside.size() - 2);
        while (!inside.empty()) {
            const auto step = daybook::detail::utf8_step(inside);
            REQUIRE(step.is_valid);
            REQUIRE(static_cast<unsigned char>(inside.front()) >= 0x20);
            REQUIRE(inside.front() != '"');
            inside.remove_prefix(inside.front() == '\\' ? 2 : step.length);
        }
    }
}
