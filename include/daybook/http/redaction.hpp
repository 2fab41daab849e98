// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_REDACTION_HPP
#define DAYBOOK_HTTP_REDACTION_HPP

/// @file
/// Hiding what records hold from whoever reads them over HTTP. The log itself keeps everything: code in the program
/// sees it.

#include <daybook/detail/redacted_result.hpp>
#include <daybook/log/job_execution_record.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace daybook::inline v0::http {

/// Where in a record a text stands.
enum class RedactedField : std::uint8_t { result, error, log_text, parameters, metadata };

/// A text on its way out. Lives as long as the call.
struct RedactedText {
    RedactedField field = RedactedField::result;
    std::string_view job_id = {};
    std::string_view handler_id = {};
    std::string_view name = {}; ///< the key, of metadata
    std::string_view text = {}; ///< a result that is no text: its JSON
};

/// Gives back what is shown in place of the text: the same, or less. Called for every text that is not empty, from
/// whatever threads the program's server has, all at once, under no lock. One that throws anything but an Error refuses
/// with 500, so nothing leaks.
using Redact = std::function<std::string(const RedactedText&)>;

/// Hides everything of these jobs' fields behind `[redacted]`.
[[nodiscard]] inline Redact redact_everything() {
    return [](const RedactedText&) { return std::string{"[redacted]"}; };
}

} // namespace daybook::inline v0::http

namespace daybook::inline v0::detail {

/// What a hook makes of one text.
inline void redact_text(const http::Redact& redact, const ExecutionFacts& record, http::RedactedField field,
                        std::string_view name, std::string& text) {
    if (!text.empty()) { text = redact({field, record.job_id, record.handler_id, name, text}); }
}

/// The record as a client may see it.
/// @param redact  Not empty.
template <class Result>
[[nodiscard]] auto redacted(JobExecutionRecord<Result> record, const http::Redact& redact) {
    using http::RedactedField;
    if (record.error) { redact_text(redact, record, RedactedField::error, {}, *record.error); }
    redact_text(redact, record, RedactedField::log_text, {}, record.log_text);
    redact_text(redact, record, RedactedField::parameters, {}, record.parameters);
    for (auto& entry : record.metadata) {
        redact_text(redact, record, RedactedField::metadata, entry.first, entry.second);
    }
    if constexpr (std::is_same_v<Result, std::string>) {
        if (record.result) { redact_text(redact, record, RedactedField::result, {}, *record.result); }
        return record;
    } else {
        JobExecutionRecord<RedactedResult> shown{static_cast<ExecutionFacts&&>(record), {}};
        if (record.result) {
            auto json = result_as_json(*record.result);
            auto text = redact({RedactedField::result, shown.job_id, shown.handler_id, {}, json});
            const bool is_as_it_was = text == json;
            shown.result = RedactedResult{std::move(text), is_as_it_was, is_as_it_was && std::is_arithmetic_v<Result>};
        }
        return shown;
    }
}

} // namespace daybook::inline v0::detail

#endif
