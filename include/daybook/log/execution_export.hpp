// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_EXECUTION_EXPORT_HPP
#define DAYBOOK_LOG_EXECUTION_EXPORT_HPP

/// @file
/// The matches of a query as CSV or as JSON Lines, a page at a time, however many they are.

#include <daybook/detail/execution_csv.hpp>
#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/stored_reader.hpp>
#include <daybook/fwd.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/text/csv_writer.hpp>
#include <daybook/text/json_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// How far an export goes.
struct ExportOptions {
    /// Records at most, the query's `offset` aside; never more than the log can hold at once.
    std::uint64_t max_records = std::numeric_limits<std::uint64_t>::max();

    /// Once so many bytes were written, no further page is begun.
    std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max();

    /// Records that are copied out of the log at once, and held; 0 counts as 1. For the orders by duration and drift,
    /// where each page is a search of its own, more is faster.
    std::size_t page = 500;

    CsvFormulas formulas = CsvFormulas::disarm; ///< of CSV alone
};

/// What came of an export.
struct ExportReport {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    /// Where to go on, as the `cursor` of the same query; empty when there is nothing to go on with.
    std::string next_cursor = {};
    /// False: matches are missing, and no cursor leads to them. The place of a cursor was lost (Page::complete), or
    /// there was no room for a single record.
    bool complete = true;
};

namespace detail {

inline constexpr std::size_t export_chunk = std::size_t{16} * 1024;

/// @param write_record  Appends a record to a string.
template <class Result, class Sink, class WriteRecord>
ExportReport export_records(const JobExecutionLog<Result>& log, ExecutionQuery& query, const ExportOptions& options,
                            std::string& text, Sink& sink, WriteRecord write_record) {
    ExportReport report;
    const auto flush = [&] {
        if (text.empty()) { return; }
        report.bytes += text.size();
        sink(std::string_view{text});
        text.clear();
    };
    query.totals = Totals::leave_out;
    // In another order than by start there is no going on after a part.
    if (!is_by_start(query.sort)) { query.max_scanned = std::numeric_limits<std::size_t>::max(); }
    const bool is_of_store = is_store_cursor(query.cursor);
    if (is_of_store) {
        static_cast<void>(parse_store_cursor(query.cursor, query.sort));
    } else if (!query.cursor.empty()) {
        static_cast<void>(parse_cursor(query.sort, query.cursor)); // it may be handed back
    }
    report.next_cursor = query.cursor;
    report.complete = !query.cursor.empty(); // until a page was asked for
    // From the oldest on, a sink that is slower than the jobs would never come to an end.
    const auto most =
        log.options().store
            ? options.max_records
            : std::min<std::uint64_t>(options.max_records, std::uint64_t{log.capacity()} + log.options().max_running);
    while (report.records < most && report.bytes + text.size() < options.max_bytes) {
        query.limit = static_cast<std::size_t>(
            std::min<std::uint64_t>(std::max<std::size_t>(1, options.page), most - report.records));
        Page<Result> page = log.query(query);
        for (const auto& record : page.records) {
            write_record(text, record);
            if (text.size() >= export_chunk) { flush(); }
        }
        report.records += page.records.size();
        report.complete = page.complete || page.has_more;
        report.next_cursor = page.has_more ? page.next_cursor : std::string{};
        if (report.next_cursor.empty()) { break; }
        query.cursor = std::move(page.next_cursor);
        query.offset -= std::min(query.offset, page.passed); // an incomplete page may not have come so far
    }
    flush();
    return report;
}

} // namespace detail

/// Writes the matches of a query as CSV (see CsvWriter): one record to the line, beneath a line with the names of the
/// columns, which are those of the executions API in the same order. Progress has three columns, `duration_ms` has
/// three decimals; a result that is a string, and what JSON has as an object, is one field.
///
/// A page is copied out of the log, written, and forgotten before the next: memory is that of a page, and whoever
/// records waits as for a query. Records that come meanwhile are not in it (in the default order), those that are
/// evicted meanwhile may be missing.
///
/// @param query  `limit` and `totals` do not count: see ExportOptions. Nor does `max_scanned`, in another order than by
///               start, where it would leave matches out.
/// @param sink   Called with pieces of about 16 KB as `std::string_view`, on the calling thread and outside the lock.
///               What it throws ends the export and comes out here.
/// @param show   Called with each record; gives back the one that is written, of this type or another.
/// @throws std::invalid_argument  As JobExecutionLog::query does.
template <class Result, class Sink, class Show = std::identity>
ExportReport write_csv(const JobExecutionLog<Result>& log, ExecutionQuery query, Sink&& sink,
                       const ExportOptions& options = {}, Show show = {}) {
    std::string text;
    CsvWriter csv{text, options.formulas};
    detail::write_csv_header(csv);
    return detail::export_records(
        log, query, options, text, sink,
        [&](std::string&, const JobExecutionRecord<Result>& record) { detail::write_csv_record(csv, show(record)); });
}

/// Writes the matches of a query as JSON Lines (https://jsonlines.org): on each line the object that
/// `GET /api/executions` has for a record. Everything else is as with write_csv.
template <class Result, class Sink, class Show = std::identity>
ExportReport write_json_lines(const JobExecutionLog<Result>& log, ExecutionQuery query, Sink&& sink,
                              const ExportOptions& options = {}, Show show = {}) {
    std::string text;
    return detail::export_records(log, query, options, text, sink,
                                  [&](std::string& out, const JobExecutionRecord<Result>& record) {
                                      const std::size_t from = out.size();
                                      {
                                          JsonWriter writer{out};
                                          detail::write_record(writer, show(record), detail::RecordForm::execution);
                                      }
                                      // A codec may write JSON of its own over several lines: a break outside of a
                                      // string is as good as a space, and within one it is never raw.
                                      std::replace_if(
                                          out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
                                          [](char byte) { return byte == '\n' || byte == '\r'; }, ' ');
                                      out += '\n';
                                  });
}

} // namespace daybook::inline v0

#endif
