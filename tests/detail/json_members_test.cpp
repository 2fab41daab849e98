// SPDX-License-Identifier: MIT
#include <daybook/detail/json_members.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

using daybook::JsonWriter;
using daybook::detail::JsonMembers;

namespace {

/// As JsonWriter writes it, member by member.
std::string by_writer(std::string_view text) {
    std::string out;
    JsonWriter writer{out};
    writer.begin_object();
    writer.member("first", 1);
    writer.member("text", text);
    writer.member("again", text);
    writer.member("last", true);
    writer.end_object();
    return out;
}

std::string by_members(std::string_view text) {
    std::string out;
    JsonWriter writer{out};
    writer.begin_object();
    writer.member("first", 1);
    JsonMembers members{writer, 64 + 2 * text.size()};
    members.member(R"("text":)", text);
    members.member(R"(,"again":)", text);
    members.done();
    writer.member("last", true);
    writer.end_object();
    return out;
}

} // namespace

TEST_CASE("members written together are the same as members written one by one") {
    const std::string pieces[] = {"",
                                  "a",
                                  "abc",
                                  "four",
                                  "seven77",
                                  "eight888",
                                  "\"",
                                  "\\",
                                  "\n\t\x01",
                                  "\xC3\xBC",
                                  "\xFF",
                                  "\xE2\x82",
                                  std::string(1000, '\x02'),
                                  std::string(1000, '\x80')};
    for (const std::string& front : pieces) {
        for (const std::string& back : pieces) {
            const std::string text = front + back + front;
            CHECK(by_members(text) == by_writer(text));
        }
    }
}

TEST_CASE("numbers, truth values and instants are written as by JsonWriter") {
    const auto check = [](const auto& content) {
        std::string one;
        JsonWriter{one}.value(content);
        std::string other;
        JsonWriter writer{other};
        writer.begin_array();
        JsonMembers members{writer, 64};
        members.value(content).done();
        writer.end_array();
        CHECK(other == "[" + one + "]");
    };
    check(true);
    check(false);
    for (const int number : {-1, 0, 7, 9, 10, 12345}) { check(number); }
    check(std::numeric_limits<std::uint64_t>::max());
    check(std::numeric_limits<std::int64_t>::min());
    check(daybook::sys_time{std::chrono::microseconds{1'700'000'000'123'456}});
    check(std::optional<std::uint32_t>{});
    check(std::optional<std::uint32_t>{41});
}

TEST_CASE("the value of a name that was written last may come from the writer") {
    std::string out;
    JsonWriter writer{out};
    writer.begin_object();
    JsonMembers members{writer, 64};
    members.member(R"("a":)", 1U).literal(R"(,"b":)").done_before_value();
    writer.begin_array().value(2).end_array();
    writer.member("c", 3);
    writer.end_object();
    CHECK(out == R"({"a":1,"b":[2],"c":3})");
}
