// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_REDACTED_RESULT_HPP
#define DAYBOOK_DETAIL_REDACTED_RESULT_HPP

/// @file
/// What stands in place of a result that is no text, once a redaction hook has seen it.

#include <daybook/log/result_codec.hpp>
#include <daybook/text/json_writer.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace daybook::inline v0::detail {

struct RedactedResult {
    std::string text = {};
    bool is_json = false;   ///< the result's own JSON, which the hook left as it was
    bool is_number = false; ///< the same, and a number or a truth value
};

template <class Result>
[[nodiscard]] std::string result_as_json(const Result& result) {
    std::string json;
    JsonWriter writer{json};
    ResultCodec<Result>::write_json(writer, result);
    return json;
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0 {

template <>
struct ResultCodec<detail::RedactedResult> {
    static void write_json(JsonWriter& writer, const detail::RedactedResult& result) {
        if (result.is_json) {
            writer.raw(result.text);
        } else {
            writer.value(result.text);
        }
    }
    [[nodiscard]] static detail::RedactedResult limited(detail::RedactedResult result, std::size_t) { return result; }
};

} // namespace daybook::inline v0

#endif
