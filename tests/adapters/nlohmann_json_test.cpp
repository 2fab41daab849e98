// SPDX-License-Identifier: MIT
#if __has_include(<nlohmann/json.hpp>)

#include "support/catch.hpp"

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

using Reader = daybook::nlohmann_json;
using daybook::http::JsonKind;
using nlohmann::json;

namespace {

std::string json_of(const json& result) {
    std::string text;
    daybook::JsonWriter writer{text};
    daybook::ResultCodec<json>::write_json(writer, result);
    return text;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

} // namespace

TEST_CASE("a result is shown as the JSON that it is") {
    daybook::JobExecutionLog<json> log{10};
    log.record_success(log.record_start("dingdong_1", "dingdong", "ding"),
                       json{{"success", true}, {"message", "Ding!"}});
    daybook::http::Router router;
    router.add(daybook::http::executions_api(log));
    const auto page = json::parse(router.handle({.target = "/api/executions"}).body);
    CHECK(page["records"][0]["result"] == json{{"success", true}, {"message", "Ding!"}});
}

TEST_CASE("every answer of the executions API is a document that others can read") {
    daybook::JobExecutionLog<json> log{10};
    log.record_success(log.record_start("a\xFF"), json::array({1, nullptr, "\xC3"}));
    log.record_error(log.record_start("b", "h\"\\"), "broken \x01 \xE2\x82");
    log.record_start("c");
    daybook::http::Router router;
    router.add(daybook::http::executions_api(log));
    for (const auto* target : {"/api/executions", "/api/executions/stats", "/api/executions/errors",
                               "/api/executions/0", "/api/executions?limit=x", "/nothing"}) {
        INFO(target);
        CHECK(json::accept(router.handle({.target = target}).body));
    }
}

TEST_CASE("a result within the limit is kept, and a larger one says that it was cut") {
    using Codec = daybook::ResultCodec<json>;
    const json kept = {{"a", std::string(100, 'x')}};
    const auto size = kept.dump().size();
    CHECK(Codec::limited(kept, size) == kept);
    CHECK(Codec::limited(kept, size - 1).dump() == R"({"truncated":true})");
    CHECK(daybook::ResultCodec<nlohmann::ordered_json>::limited(nlohmann::ordered_json(std::string(99, 'x')), 50)
              .dump() == R"({"truncated":true})");
}

TEST_CASE("a result that is nested too deeply to be written is cut as well") {
    auto deep = json::parse(nested(100'000));
    CHECK(daybook::ResultCodec<json>::limited(std::move(deep), 1'000'000).dump() == R"({"truncated":true})");
}

TEST_CASE("a result that is not quite JSON is written as JSON all the same") {
    CHECK(json_of(json("\xFF")) == "\"\xEF\xBF\xBD\"");
    CHECK(json_of(json(std::numeric_limits<double>::infinity())) == "null");
    CHECK(json_of(json(json::value_t::discarded)) == "null");
}

TEST_CASE("the reader tells kinds and values apart") {
    const auto parsed =
        Reader::parse(R"({"n":null,"b":true,"i":-7,"u":18446744073709551615,"d":1.5,"s":"x","a":[1,2]})");
    REQUIRE(parsed.document);
    CHECK(parsed.error.empty());
    const auto& value = *parsed.document;
    CHECK(Reader::kind(value) == JsonKind::object);
    CHECK(Reader::kind(*Reader::find(value, "n")) == JsonKind::null);
    CHECK(Reader::kind(*Reader::find(value, "b")) == JsonKind::boolean);
    CHECK(Reader::kind(*Reader::find(value, "i")) == JsonKind::number);
    CHECK(Reader::kind(*Reader::find(value, "s")) == JsonKind::string);
    CHECK(Reader::kind(*Reader::find(value, "a")) == JsonKind::array);

    CHECK(Reader::truth(*Reader::find(value, "b")) == true);
    CHECK(Reader::whole_number(*Reader::find(value, "i")) == -7);
    CHECK_FALSE(Reader::whole_number(*Reader::find(value, "u")));
    CHECK_FALSE(Reader::whole_number(*Reader::find(value, "d")));
    CHECK(Reader::number(*Reader::find(value, "d")) == 1.5);
    CHECK(Reader::text(*Reader::find(value, "s")) == std::string_view{"x"});
    CHECK(Reader::size(*Reader::find(value, "a")) == 2);
    CHECK(Reader::whole_number(Reader::at(*Reader::find(value, "a"), 1)) == 2);

    CHECK_FALSE(Reader::truth(*Reader::find(value, "i")));
    CHECK_FALSE(Reader::number(*Reader::find(value, "s")));
    CHECK_FALSE(Reader::text(*Reader::find(value, "n")));
    CHECK(Reader::find(value, "missing") == nullptr);
    CHECK(Reader::find(*Reader::find(value, "a"), "x") == nullptr);
    CHECK(Reader::size(*Reader::find(value, "s")) == 0);

    std::string names;
    Reader::for_each_member(value, [&](std::string_view name, const json&) { names += name; });
    CHECK(names == "abdinsu");
    CHECK(Reader::dump(*Reader::find(value, "a")) == "[1,2]");
}

TEST_CASE("what is not JSON is told by line and column, in our words") {
    const auto error = [](std::string_view text) { return Reader::parse(text).error; };
    CHECK(error("") == "not JSON at line 1, column 1");
    CHECK(error("{\"a\":1,\n  b}") == "not JSON at line 2, column 3");
    CHECK(error("[1,2]x").starts_with("not JSON at line 1, column 6"));
    CHECK(error("1e999") == "not JSON: a number in it is out of range");
    CHECK(error("\"\xFF\"").starts_with("not JSON at line 1"));
    CHECK(error("nul").starts_with("not JSON at line 1"));
    CHECK_FALSE(Reader::parse("{").document);
}

TEST_CASE("nesting is taken to its limit and not beyond") {
    CHECK(Reader::parse(nested(64)).document);
    CHECK(Reader::parse(nested(65)).error == "JSON nested deeper than 64 levels is not taken");
    CHECK_FALSE(Reader::parse(std::string(1'000'000, '[')).document);
    CHECK(Reader::parse("\"" + std::string(100, '[') + "\\\"[\"").document);
}

TEST_CASE("an object that has a name twice is refused, wherever it stands") {
    CHECK(Reader::parse(R"({"a":1,"b":2,"a":3})").error == R"(an object has the name "a" twice)");
    CHECK(Reader::parse(R"([{"x":{"b":1,"b":1}}])").error == R"(an object has the name "b" twice)");
    CHECK_FALSE(Reader::parse(R"({"":1,"":1})").document);
    CHECK(Reader::parse('{' + ('"' + std::string(1000, 'x') + R"(":1,)") + '"' + std::string(1000, 'x') + R"(":1})")
              .error.size() < 200);
    CHECK(Reader::parse(R"({"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}})").document);
}

#endif
