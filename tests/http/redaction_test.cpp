// SPDX-License-Identifier: MIT
#include <daybook/http/redaction.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace http = daybook::http;
using http::RedactedField;

namespace {

template <class Result>
daybook::JobExecutionRecord<Result> full(Result result) {
    daybook::JobExecutionRecord<Result> record;
    record.job_id = "job";
    record.handler_id = "handler";
    record.error = "error";
    record.log_text = "log";
    record.parameters = "parameters";
    record.metadata = {{"key", "value"}, {"empty", ""}};
    record.result = std::move(result);
    return record;
}

} // namespace

TEST_CASE("every text of a record goes through the hook") {
    std::vector<std::string> seen;
    const auto shown = daybook::detail::redacted(full<std::string>("result"), [&](const http::RedactedText& text) {
        CHECK(text.job_id == "job");
        CHECK(text.handler_id == "handler");
        CHECK((text.field == RedactedField::metadata) == (text.name == "key"));
        seen.emplace_back(text.text);
        return "<" + std::string{text.text} + ">";
    });
    CHECK(seen == std::vector<std::string>{"error", "log", "parameters", "value", "result"});
    CHECK(shown.error == "<error>");
    CHECK(shown.log_text == "<log>");
    CHECK(shown.parameters == "<parameters>");
    CHECK(shown.metadata[0].second == "<value>");
    CHECK(shown.metadata[1].second.empty());
    CHECK(shown.result == "<result>");
    CHECK(shown.job_id == "job");
}

TEST_CASE("a result that is no text is hidden by its JSON, and stands as it is where the hook leaves it") {
    const auto hidden = daybook::detail::redacted(full<int>(42), http::redact_everything());
    REQUIRE(hidden.result);
    CHECK(daybook::detail::result_as_json(*hidden.result) == "\"[redacted]\"");
    const auto kept = daybook::detail::redacted(full<int>(42), [](const auto& text) { return std::string{text.text}; });
    CHECK(daybook::detail::result_as_json(*kept.result) == "42");
}

TEST_CASE("what is not there stays away") {
    daybook::JobExecutionRecord<int> record;
    const auto shown = daybook::detail::redacted(record, http::redact_everything());
    CHECK_FALSE(shown.result);
    CHECK_FALSE(shown.error);
    CHECK(shown.log_text.empty());
}
