// SPDX-License-Identifier: MIT
#include <daybook/detail/stats_json.hpp>

#include "support/catch.hpp"

#include <functional>
#include <map>
#include <string>

namespace {

std::string written(const std::map<std::string, int, std::less<>>& values) {
    std::string text;
    daybook::JsonWriter writer{text};
    writer.begin_object();
    daybook::detail::write_by_name(writer, "all", values, [&](int value) { writer.value(value); });
    writer.end_object();
    return text;
}

} // namespace

TEST_CASE("names that are UTF-8 are the keys of their figures") {
    CHECK(written({{"a", 1}, {"\xC3\xA4", 2}}) == "{\"all\":{\"a\":1,\"\xC3\xA4\":2}}");
}

TEST_CASE("names that are not UTF-8 never become the same key") {
    CHECK(written({{"\xFD", 1}, {"\xFE", 2}, {"\xFF", 3}}) ==
          "{\"all\":{\"\xEF\xBF\xBD\":1,\"\xEF\xBF\xBD (2)\":2,\"\xEF\xBF\xBD (3)\":3}}");
}

TEST_CASE("a name that is not UTF-8 does not become the key of one that is") {
    CHECK(written({{"\xEF\xBF\xBD", 1}, {"\xEF\xBF\xBD (2)", 2}, {"\xFE", 3}, {"\xFE (3)", 4}, {"\xFF", 5}}) ==
          "{\"all\":{\"\xEF\xBF\xBD\":1,\"\xEF\xBF\xBD (2)\":2,\"\xEF\xBF\xBD (1)\":3,"
          "\"\xEF\xBF\xBD (3)\":4,\"\xEF\xBF\xBD (4)\":5}}");
}
