// SPDX-License-Identifier: MIT
#include <daybook/log/result_codec.hpp>

#include "support/catch.hpp"

#include <string>
#include <variant>

using daybook::JsonWriter;
using daybook::ResultCodec;

namespace {

struct Monthly {
    std::string title;
};

struct Unknown {};

template <class Result>
std::string json_of(const Result& result) {
    std::string text;
    JsonWriter json{text};
    ResultCodec<Result>::write_json(json, result);
    return text;
}

} // namespace

template <>
struct daybook::ResultCodec<Monthly> {
    static void write_json(daybook::JsonWriter& json, const Monthly& report) { json.value(report.title); }
    static Monthly limited(Monthly report, std::size_t) { return report; }
};

TEST_CASE("results are written as the JSON value they are") {
    CHECK(json_of(std::string{"Ding!\n"}) == R"("Ding!\n")");
    CHECK(json_of(std::monostate{}) == "null");
    CHECK(json_of(true) == "true");
    CHECK(json_of(-7) == "-7");
    CHECK(json_of(2.0) == "2.0");
}

TEST_CASE("a result that is too long ends in a mark, and a number is never cut") {
    CHECK(ResultCodec<std::string>::limited(std::string(5000, 'x'), 4096).size() == 4096);
    CHECK(ResultCodec<int>::limited(123456, 1) == 123456);
}

TEST_CASE("a program's own type is a job result once it has a codec, and not before") {
    static_assert(daybook::job_result<std::string> && daybook::job_result<std::monostate>);
    static_assert(daybook::job_result<bool> && daybook::job_result<double>);
    static_assert(daybook::job_result<Monthly>);
    static_assert(!daybook::job_result<Unknown>);
    CHECK(json_of(Monthly{"monthly"}) == "\"monthly\"");
}
