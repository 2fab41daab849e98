// SPDX-License-Identifier: MIT
#include <daybook/text/csv_writer.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace daybook;
using namespace std::chrono_literals;

namespace {

std::string text(std::string_view content, CsvFormulas formulas = CsvFormulas::disarm) {
    std::string out;
    CsvWriter{out, formulas}.field(content);
    return out;
}

/// A reader as RFC 4180 describes the format, strict.
std::vector<std::vector<std::string>> parse(std::string_view csv) {
    std::vector<std::vector<std::string>> records{{}};
    while (!csv.empty()) {
        std::string field;
        if (csv.front() == '"') {
            for (csv.remove_prefix(1);; csv.remove_prefix(1)) {
                REQUIRE_FALSE(csv.empty());
                if (csv.front() == '"') {
                    csv.remove_prefix(1);
                    if (csv.empty() || csv.front() != '"') { break; }
                }
                field += csv.front();
            }
        } else {
            const auto end = std::min(csv.size(), csv.find_first_of("\r\n,\""));
            field = csv.substr(0, end);
            csv.remove_prefix(end);
        }
        records.back().push_back(field);
        if (csv.starts_with(',')) {
            csv.remove_prefix(1);
            if (csv.empty()) { records.back().emplace_back(); }
            continue;
        }
        if (csv.empty()) { break; }
        REQUIRE(csv.starts_with("\r\n"));
        csv.remove_prefix(2);
        if (!csv.empty()) { records.emplace_back(); }
    }
    return records;
}

} // namespace

TEST_CASE("fields are parted by commas, and records ended by CR LF") {
    std::string out;
    CsvWriter csv{out};
    csv.field("a").field("b").end_record();
    csv.field("c").field("").end_record();
    CHECK(out == "a,b\r\nc,\r\n");
}

TEST_CASE("a field with a comma, a quote, a line break, another separator or a space at an end stands in quotes") {
    CHECK(text("plain text") == "plain text");
    CHECK(text("") == "");
    CHECK(text("a,b") == "\"a,b\"");
    CHECK(text("say \"hi\"") == "\"say \"\"hi\"\"\"");
    CHECK(text("two\nlines") == "\"two\nlines\"");
    CHECK(text("two\r\nlines") == "\"two\r\nlines\"");
    CHECK(text("a;b") == "\"a;b\"");
    CHECK(text("a\tb") == "\"a\tb\"");
    CHECK(text(" a") == "\" a\"");
    CHECK(text("a ") == "\"a \"");
}

TEST_CASE("numbers, truth values, instants and what is not there need no quotes") {
    std::string out;
    CsvWriter csv{out};
    csv.field(-5).field(std::numeric_limits<std::uint64_t>::max()).field(true).fixed(-0.5, 3);
    csv.field(sys_time{std::chrono::sys_days{2024y / 1 / 15} + 10h + 123456us});
    csv.field(std::optional<int>{}).field(std::optional<std::string>{"x"});
    csv.fixed(std::numeric_limits<double>::infinity(), 1).raw("raw").end_record();
    CHECK(out == "-5,18446744073709551615,true,-0.500,2024-01-15T10:00:00.123456Z,,x,,raw\r\n");
}

TEST_CASE("a text that a spreadsheet would compute gets an apostrophe before it") {
    CHECK(text("=1+1") == "\"'=1+1\"");
    CHECK(text("+1") == "\"'+1\"");
    CHECK(text("-1") == "\"'-1\"");
    CHECK(text("@SUM(A1)") == "\"'@SUM(A1)\"");
    CHECK(text("  =1+1") == "\"  '=1+1\"");
    CHECK(text("\"=1+1") == "\"\"\"'=1+1\"");
    CHECK(text("\t=1+1") == "\"\t'=1+1\"");
    CHECK(text("\xEF\xBC\x9D"
               "1+1") == "\"'\xEF\xBC\x9D"
                         "1+1\"");
    CHECK(text("1=1") == "1=1");
    CHECK(text("a-b@c") == "a-b@c");
}

TEST_CASE("a formula behind another separator or a line break within a text is disarmed as well") {
    CHECK(text("a;=1+1") == "\"a;'=1+1\"");
    CHECK(text("a\t@b") == "\"a\t'@b\"");
    CHECK(text("a\n=1") == "\"a\n'=1\"");
    CHECK(text("a\r\n -1") == "\"a\r\n '-1\"");
    CHECK(text("a;\"=1+1") == "\"a;\"\"'=1+1\"");
    CHECK(text("a; b=1") == "\"a; b=1\"");
}

TEST_CASE("programs that read the file may have texts as they are") {
    CHECK(text("=1+1", CsvFormulas::keep) == "=1+1");
    CHECK(text("a;-1", CsvFormulas::keep) == "\"a;-1\"");
}

TEST_CASE("bytes that are no text are replaced") {
    CHECK(text("a\xFF"
               "b") == "a\xEF\xBF\xBD"
                       "b");
    CHECK(text(std::string_view{"a\0b", 3}) == "a\xEF\xBF\xBD"
                                               "b");
    CHECK(text("\x1B[31m") == "\xEF\xBF\xBD[31m");
    CHECK(text("Grüße €") == "Grüße €");
}

TEST_CASE("no cell of a random text begins a formula, whichever separator the reader takes") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    const std::string_view letters = "a ,\";\t\r\n=+-@'";
    for (int round = 0; round < 5000; ++round) {
        std::string cell;
        for (auto length = random() % 10; length > 0; --length) { cell += letters[random() % letters.size()]; }
        const std::string written = parse("x," + text(cell)).at(0).at(1);
        INFO("'" << cell << "' became '" << written << "'");
        for (std::size_t at = 0; at != std::string::npos; at = written.find_first_of(";\t\r\n", at)) {
            at = std::min(written.size(), written.find_first_not_of(" \";\t\r\n", at));
            CHECK((at == written.size() || std::string_view{"=+-@"}.find(written[at]) == std::string_view::npos));
        }
    }
}

TEST_CASE("random texts read back as they were written") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    const std::string_view letters = "ab ,\"\r\n;\t'=+-@0";
    std::vector<std::vector<std::string>> table;
    std::string out;
    CsvWriter csv{out, CsvFormulas::keep};
    for (int row = 0; row < 200; ++row) {
        table.emplace_back();
        for (int column = 0; column < 5; ++column) {
            std::string cell;
            for (auto length = random() % 8; length > 0; --length) { cell += letters[random() % letters.size()]; }
            csv.field(cell);
            table.back().push_back(cell);
        }
        csv.end_record();
    }
    CHECK(parse(out) == table);
}
