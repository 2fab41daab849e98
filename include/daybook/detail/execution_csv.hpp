// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EXECUTION_CSV_HPP
#define DAYBOOK_DETAIL_EXECUTION_CSV_HPP

/// @file
/// A record as a line of CSV: the fields of the executions API, in the same order.

#include <daybook/detail/redacted_result.hpp>
#include <daybook/detail/shown_parameters.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/text/csv_writer.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace daybook::inline v0::detail {

inline constexpr std::array<std::string_view, 29> csv_columns{"job_id",
                                                              "handler_id",
                                                              "method_name",
                                                              "started_at",
                                                              "completed_at",
                                                              "duration_ms",
                                                              "status",
                                                              "result",
                                                              "error",
                                                              "attempt_number",
                                                              "id",
                                                              "occurrence_id",
                                                              "scheduled_at",
                                                              "queued_at",
                                                              "is_final",
                                                              "trigger",
                                                              "records_processed",
                                                              "progress_done",
                                                              "progress_total",
                                                              "progress_failed",
                                                              "worker",
                                                              "node",
                                                              "skip_count",
                                                              "count_is_minimum",
                                                              "reason",
                                                              "dst",
                                                              "log_text",
                                                              "parameters",
                                                              "metadata"};

inline void write_csv_header(CsvWriter& csv) {
    for (const std::string_view name : csv_columns) { csv.raw(name); }
    csv.end_record();
}

/// Text as it is, numbers as themselves, anything else as its JSON.
template <class Result>
void write_csv_result(CsvWriter& csv, const std::optional<Result>& result) {
    if (!result || std::is_same_v<Result, std::monostate>) {
        csv.raw({});
    } else if constexpr (std::is_same_v<Result, std::string>) {
        csv.field(*result);
    } else if constexpr (std::is_same_v<Result, RedactedResult>) {
        if (result->is_number) {
            csv.raw(result->text);
        } else {
            csv.field(result->text);
        }
    } else {
        std::string document;
        {
            JsonWriter writer{document};
            ResultCodec<Result>::write_json(writer, *result);
        }
        if constexpr (std::is_arithmetic_v<Result>) {
            csv.raw(document);
        } else {
            csv.field(document);
        }
    }
}

template <class Result>
void write_csv_record(CsvWriter& csv, const JobExecutionRecord<Result>& record) {
    csv.field(record.job_id).field(record.handler_id).field(record.method_name);
    csv.field(record.started_at).field(record.completed_at);
    if (record.duration) {
        csv.fixed(static_cast<double>(record.duration->count()) / 1e6, 3);
    } else {
        csv.raw({});
    }
    csv.field(to_string(record.status));
    write_csv_result(csv, record.result);
    csv.field(record.error).field(record.attempt_number).field(record.id).field(record.occurrence_id);
    csv.field(record.scheduled_at).field(record.queued_at).field(record.is_final).field(to_string(record.trigger));
    csv.field(record.records_processed);
    if (record.progress) {
        csv.field(record.progress->done).field(record.progress->total).field(record.progress->failed);
    } else {
        csv.raw({}).raw({}).raw({});
    }
    csv.field(record.worker).field(record.node);
    if (record.status == JobStatus::skipped) {
        csv.field(record.skip_count).field(record.skip_count_is_minimum);
    } else {
        csv.raw({}).raw({});
    }
    // Words that say nothing stay away, as they do in the JSON.
    csv.raw(record.reason == SkipReason::none ? std::string_view{} : to_string(record.reason));
    csv.raw(record.dst == ClockChange::none ? std::string_view{} : to_string(record.dst));
    csv.field(record.log_text).field(shown_parameters(record));
    std::string metadata;
    if (!record.metadata.empty()) {
        JsonWriter writer{metadata};
        writer.begin_object();
        for (const auto& entry : record.metadata) { writer.member(entry.first, entry.second); }
        writer.end_object();
    }
    csv.field(metadata).end_record();
}

} // namespace daybook::inline v0::detail

#endif
