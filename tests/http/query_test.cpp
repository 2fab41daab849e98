// SPDX-License-Identifier: MIT
#include <daybook/http/query.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using daybook::http::Query;
using daybook::http::Target;
using namespace std::chrono_literals;

namespace {

/// What a refusal says, as "400 sentence"; empty when nothing was refused.
template <class Act>
std::string refusal(Act act) {
    try {
        act();
    } catch (const daybook::http::Error& error) { return std::to_string(error.status()) + ' ' + error.what(); }
    return {};
}

std::string target_refusal(std::string_view target) {
    return refusal([&] { static_cast<void>(Target::parse(target)); });
}

} // namespace

TEST_CASE("a target is parted into segments and parameters, decoded") {
    const auto target = Target::parse("/a%20b/c+d?x=1+2&%79=%26%3D&empty=&bare");
    CHECK(target.segments == std::vector<std::string>{"a b", "c+d"});
    CHECK(target.query.find("x") == "1 2");
    CHECK(target.query.find("y") == "&=");
    CHECK(target.query.find("empty") == "");
    CHECK(target.query.find("bare") == "");
    CHECK_FALSE(target.query.find("z"));
}

TEST_CASE("an encoded slash does not part segments") {
    CHECK(Target::parse("/jobs/a%2Fb").segments == std::vector<std::string>{"jobs", "a/b"});
}

TEST_CASE("the root has one empty segment, and a slash at the end adds one") {
    CHECK(Target::parse("/").segments == std::vector<std::string>{""});
    CHECK(Target::parse("/a/").segments == std::vector<std::string>{"a", ""});
    CHECK(Target::parse("//a").segments == std::vector<std::string>{"", "a"});
}

TEST_CASE("a target in absolute form is understood") {
    const auto target = Target::parse("http://localhost:8888/a?b=c");
    CHECK(target.segments == std::vector<std::string>{"a"});
    CHECK(target.query.find("b") == "c");
    CHECK(Target::parse("/a?u=http://x/y").query.find("u") == "http://x/y");
}

TEST_CASE("a target that is no path is refused") {
    for (const auto* text : {"", "*", "a/b", "?x=1", "http://host", "http://host?x"}) {
        INFO(text);
        CHECK(target_refusal(text) == "400 the request target must be a path that begins with /");
    }
}

TEST_CASE("a target that is too long is refused") {
    CHECK(target_refusal('/' + std::string(8191, 'a')).empty());
    CHECK(target_refusal('/' + std::string(8192, 'a')) == "414 the request target is longer than 8192 bytes");
}

TEST_CASE("bad escapes and NULs are refused, and the parameter is named") {
    CHECK(target_refusal("/%zz") == "400 the path is not properly percent-encoded");
    CHECK(target_refusal("/a%00") == "400 the path is not properly percent-encoded");
    CHECK(target_refusal("/?job_id=%4") == "400 job_id is not properly percent-encoded");
    CHECK(target_refusal("/?job_id=a%00b") == "400 job_id is not properly percent-encoded");
    CHECK(target_refusal("/?%=1") == "400 the name of a query parameter is not properly percent-encoded");
}

TEST_CASE("too many parameters are refused") {
    std::string many;
    for (int index = 0; index < 100; ++index) { many += "&a" + std::to_string(index) + "=1"; }
    CHECK(refusal([&] { Query{many}; }).empty());
    CHECK(refusal([&] { Query{many + "&z=1"}; }) == "400 the query has too many parameters: 100 are allowed");
}

TEST_CASE("a parameter that is given twice is refused when it is asked for") {
    const Query query{"limit=1&limit=1&x=2"};
    CHECK(query.find("x") == "2");
    CHECK(refusal([&] { static_cast<void>(query.find("limit")); }) ==
          "400 limit is given more than once: give it once");
}

TEST_CASE("whole numbers are decimal digits and nothing else") {
    CHECK(Query{"limit=0"}.whole_number("limit", 7) == 0);
    CHECK(Query{"limit=0050"}.whole_number("limit", 7) == 50);
    CHECK(Query{""}.whole_number("limit", 7) == 7);
    CHECK(Query{"limit=99999999999999999999999"}.whole_number("limit", 7) == std::numeric_limits<std::uint64_t>::max());
    for (const auto* text : {"", "-1", "+1", "1.0", "1e3", "0x10", " 1", "1 ", "ten", "5,0", "-0", "%D9%A1", "NaN",
                             "99999999999999999999999x"}) {
        INFO(text);
        const Query query{std::string{"limit="} + text};
        CHECK(refusal([&] { static_cast<void>(query.whole_number("limit", 7)); }) ==
              "400 limit must be a whole number, 0 or more");
    }
}

TEST_CASE("an instant has a zone, or is a day in UTC") {
    const auto day = std::chrono::sys_days{2024y / 1 / 15};
    CHECK(Query{"at=2024-01-15"}.instant("at") == day);
    CHECK(Query{"at=2024-01-15T10:30:00.5Z"}.instant("at") == day + 10h + 30min + 500ms);
    CHECK(Query{"at=2024-01-15T10:30:00%2B02:00"}.instant("at") == day + 8h + 30min);
    CHECK_FALSE(Query{""}.instant("at"));
    for (const auto* text :
         {"", "2024-02-30", "2024-01-15T10:30:00", "2024-01-15T10:30:00+02:00", "1705314600", "now"}) {
        INFO(text);
        const Query query{std::string{"at="} + text};
        CHECK(
            refusal([&] { static_cast<void>(query.instant("at")); }) ==
            "400 at must be an instant such as 2024-01-15T10:30:00Z (the + of an offset is written %2B), or a day such "
            "as 2024-01-15");
    }
}

TEST_CASE("milliseconds have decimals or not, and saturate") {
    const auto given = [](const std::string& text) { return Query{"ms=" + text}.milliseconds("ms"); };
    CHECK(given("0") == 0ns);
    CHECK(given("1500") == 1500ms);
    CHECK(given("0.25") == 250us);
    CHECK(given("1.000001") == 1ms + 1ns);
    CHECK(given("1.0000019") == 1ms + 1ns);
    CHECK(given("9223372036853.999999") == std::chrono::nanoseconds{9223372036853999999});
    CHECK(given("9223372036854") == std::chrono::nanoseconds::max());
    CHECK(given("99999999999999999999999") == std::chrono::nanoseconds::max());
    CHECK_FALSE(Query{""}.milliseconds("ms"));
    for (const auto* text : {"", "-1", ".5", "1.", "1e3", "1,5", "5ms", "1.5.2", "%2B1"}) {
        INFO(text);
        CHECK(refusal([&] { static_cast<void>(given(text)); }) ==
              "400 ms must be a number of milliseconds, 0 or more, such as 1500 or 0.25");
    }
}

TEST_CASE("a text that is empty is refused") {
    CHECK(Query{"job_id=a"}.text("job_id") == "a");
    CHECK(Query{""}.text("job_id").empty());
    CHECK(refusal([] { static_cast<void>(Query{"job_id="}.text("job_id")); }) ==
          "400 job_id must not be empty: leave it out to have them all");
}

TEST_CASE("no target at all does more than be refused") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    constexpr std::string_view letters = "/?&=%+01aZ:#.\\\"\xC3\xA9";
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 24, '/');
        for (auto& letter : text) { letter = letters[random() % letters.size()]; }
        const auto said = target_refusal(text);
        REQUIRE((said.empty() || said.starts_with("400 ")));
    }
}
