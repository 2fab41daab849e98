// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EXECUTION_JSON_HPP
#define DAYBOOK_DETAIL_EXECUTION_JSON_HPP

/// @file
/// Records and pages as the executions API writes them: first the fields that clients of the format know, in the order
/// in which they know them, then ours.

#include <daybook/detail/json_members.hpp>
#include <daybook/detail/shown_parameters.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0::detail {

/// Whether a record is listed among executions, or among errors, where a result has no place.
enum class RecordForm : std::uint8_t { execution, failure };

/// What the job returned, or null.
template <class Result>
void write_result(JsonWriter& writer, const std::optional<Result>& result) {
    if (result) {
        ResultCodec<Result>::write_json(writer, *result);
    } else {
        writer.null();
    }
}

template <class Result>
void write_record(JsonWriter& writer, const JobExecutionRecord<Result>& record, RecordForm form) {
    constexpr std::size_t room = 640; // names, numbers, instants, words, and some to spare
    writer.begin_object();
    JsonMembers first{writer, room + record.job_id.size() + record.handler_id.size() + record.method_name.size()};
    first.member(R"("job_id":)", record.job_id);
    first.member(R"(,"handler_id":)", record.handler_id);
    first.member(R"(,"method_name":)", record.method_name);
    first.member(R"(,"started_at":)", record.started_at);
    first.member(R"(,"completed_at":)", record.completed_at);
    first.literal(R"(,"duration_ms":)");
    if (record.duration) {
        first.value(std::chrono::duration_cast<std::chrono::milliseconds>(*record.duration).count());
    } else {
        first.literal("null");
    }
    first.member(R"(,"status":)", to_string(record.status));
    if (form == RecordForm::execution) {
        first.literal(R"(,"result":)").done_before_value();
        write_result(writer, record.result);
    } else {
        first.done();
    }
    JsonMembers rest{writer, room + (record.error ? record.error->size() : 0)};
    rest.member(R"("error":)", record.error);
    rest.member(R"(,"attempt_number":)", record.attempt_number);
    rest.member(R"(,"id":)", record.id);
    rest.member(R"(,"occurrence_id":)", record.occurrence_id);
    rest.member(R"(,"scheduled_at":)", record.scheduled_at);
    rest.member(R"(,"queued_at":)", record.queued_at);
    rest.member(R"(,"is_final":)", record.is_final);
    rest.member(R"(,"trigger":)", to_string(record.trigger));
    rest.member(R"(,"records_processed":)", record.records_processed);
    rest.literal(R"(,"progress":)");
    if (record.progress) {
        rest.member(R"({"done":)", record.progress->done);
        rest.member(R"(,"total":)", record.progress->total);
        rest.member(R"(,"failed":)", record.progress->failed);
        rest.literal("}");
    } else {
        rest.literal("null");
    }
    rest.member(R"(,"worker":)", record.worker);
    rest.done();

    // What few records have is left out of the others: a page holds up to a thousand of them.
    if (!record.node.empty()) { writer.member("node", record.node); }
    if (record.status == JobStatus::skipped) {
        writer.member("skip_count", record.skip_count);
        writer.member("count_is_minimum", record.skip_count_is_minimum);
    }
    if (record.reason != SkipReason::none) { writer.member("reason", to_string(record.reason)); }
    if (record.dst != ClockChange::none) { writer.member("dst", to_string(record.dst)); }
    if (!record.log_text.empty()) { writer.member("log_text", record.log_text); }
    if (!record.parameters.empty()) { writer.member("parameters", shown_parameters(record)); }
    if (!record.metadata.empty()) {
        writer.key("metadata").begin_object();
        for (const auto& entry : record.metadata) { writer.member(entry.first, entry.second); }
        writer.end_object();
    }
    writer.end_object();
}

/// The members of a page, in an object that is open.
///
/// @param page           Its records are not looked at.
/// @param count          How many records there are.
/// @param limit          The one in effect.
/// @param write_records  Writes them into an array that is open.
template <class Result, class WriteRecords>
void write_page_around(JsonWriter& writer, const Page<Result>& page, std::size_t count, std::string_view list_name,
                       std::size_t limit, WriteRecords&& write_records) {
    writer.member("count", count);
    writer.member("limit", limit);
    constexpr std::size_t usual_bytes = 512; // of a record
    writer.expect(count * usual_bytes).key(list_name).begin_array();
    write_records();
    writer.end_array();
    writer.member("total", page.total.count);
    writer.member("total_is_exact", page.total.is_exact);
    writer.member("offset", page.offset);
    writer.member("has_more", page.has_more);
    writer.key("next_cursor");
    if (page.next_cursor.empty()) {
        writer.null();
    } else {
        writer.value(page.next_cursor);
    }
    writer.member("scanned", page.scanned);
    writer.member("complete", page.complete);
}

/// @param limit         The one in effect.
/// @param write_record  Called with each record.
template <class Result, class WriteRecord>
void write_page_of(JsonWriter& writer, const Page<Result>& page, std::string_view list_name, std::size_t limit,
                   WriteRecord write_record) {
    write_page_around(writer, page, page.records.size(), list_name, limit, [&] {
        for (const auto& record : page.records) { write_record(record); }
    });
}

/// @param list_name  "records" or "errors".
/// @param limit      The one in effect.
template <class Result>
void write_page(JsonWriter& writer, const Page<Result>& page, std::string_view list_name, std::size_t limit,
                RecordForm form) {
    writer.begin_object();
    write_page_of(writer, page, list_name, limit,
                  [&](const JobExecutionRecord<Result>& record) { write_record(writer, record, form); });
    writer.end_object();
}

} // namespace daybook::inline v0::detail

#endif
