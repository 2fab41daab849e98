// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQL_STATEMENTS_HPP
#define DAYBOOK_ADAPTERS_SQL_STATEMENTS_HPP

/// @file
/// What a store is asked, in SQL: which rows, in which order, how many. For the adapters of databases.

#include <daybook/log/execution_query.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::inline v0::sql {

/// Where databases differ: parameters, casts, functions for text and JSON.
///
/// `sqlite` expects two functions of its own: `daybook_contains(text, part)`, `daybook_result_contains(json, part)`,
/// and `daybook_metadata(json, key, skips_empty)`, which gives the first entry's value or null.
enum class Dialect : std::uint8_t { sqlite, postgresql };

using Value = std::variant<std::int64_t, std::string>;

/// A statement with numbered parameters, and what they stand for: `values[0]` for the first.
struct Statement {
    std::string text = {};
    std::vector<Value> values = {};
};

/// A word list for IN, for instance 'error', 'timeout'. In the order of the enumerators.
[[nodiscard]] inline std::string word_list(StatusSet statuses) {
    std::string list;
    for (const auto status : {JobStatus::queued, JobStatus::running, JobStatus::success, JobStatus::error,
                              JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned, JobStatus::skipped}) {
        if (!statuses.contains(status)) { continue; }
        if (!list.empty()) { list += ", "; }
        list.append("'").append(to_string(status)).append("'");
    }
    return list;
}

// What the partial indexes hold; in a query the same text makes the database see that they fit.
[[nodiscard]] inline std::string failures_condition() { return "status IN (" + word_list(StatusSet::failures()) + ")"; }
inline constexpr std::string_view unfinished_condition = "status IN ('queued', 'running')";
inline constexpr std::string_view finished_condition = "status NOT IN ('queued', 'running')";
inline constexpr std::string_view retried_condition = "NOT is_final";

/// Whether a row that is there gives way to one that comes with the same id, as `excluded`. See StoreBatch.
[[nodiscard]] inline std::string replaceable_condition(std::string_view table) {
    const std::string there{table};
    return there + "." + std::string{unfinished_condition} + " OR (" + there +
           ".status = 'skipped' AND excluded.status = 'skipped' AND excluded.skip_count > " + there +
           ".skip_count) OR (" + there + ".status = 'abandoned' AND NOT " + there +
           ".is_final AND excluded.status = 'abandoned' AND excluded.is_final)";
}

/// Selects what nobody has ended, see execution_store. Skipped occurrences have no attempt that could follow.
[[nodiscard]] inline std::string unfinished_statement(std::string_view table, std::string_view columns) {
    const std::string from = " FROM " + std::string{table};
    return "SELECT " + std::string{columns} + from + " WHERE id IN (SELECT id" + from + " WHERE " +
           std::string{unfinished_condition} + " UNION ALL SELECT retried.id" + from +
           " AS retried WHERE NOT retried.is_final AND retried.status NOT IN ('queued', 'running', 'skipped')" +
           " AND NOT EXISTS (SELECT 1" + from + " AS later WHERE later.occurrence_id = retried.occurrence_id" +
           " AND later.attempt_number > retried.attempt_number)) ORDER BY position, id";
}

/// Builds the statements of one StoreQuery: conditions that choose a list which an index gives, and the rest, which
/// is asked of each row of the list.
class Search {
public:
    /// @param table  With what stands before it, quoted if need be. @param query  Must outlive this object.
    Search(Dialect dialect, std::string_view table, const StoreQuery& query)
        : dialect_{dialect}, table_{table}, query_{query} {}

    /// Whether rows may be looked at that do not match, so that `max_scanned` counts.
    [[nodiscard]] bool is_scan() const {
        Statement ignored;
        return !rest(ignored).empty() || !is_by_start();
    }

    /// The list is by `position`, not by duration or drift.
    [[nodiscard]] bool is_by_start() const noexcept {
        return query_.filter.sort == SortBy::newest || query_.filter.sort == SortBy::oldest;
    }

    /// Asks for the place of the row at which the scan ends: the `rows`th of the list, from 1, and the one behind it:
    /// none, one or two rows of (position, id). Fewer than two: the list is no longer than that.
    [[nodiscard]] Statement end_of(std::size_t rows) const {
        Statement statement;
        statement.text = "SELECT position, id FROM " + table_ + where({list(statement)}) + order_of_list() +
                         " LIMIT 2 OFFSET " + bind(statement, limited(rows == 0 ? 0 : rows - 1));
        return statement;
    }

    /// Asks for the page.
    /// @param columns  What to select.
    /// @param end      The row with which the scan ends, where it has to end before the list does.
    [[nodiscard]] Statement page(std::string_view columns, std::optional<StorePlace> end = {}) const {
        Statement statement;
        const std::string conditions = list(statement);
        std::string bound;
        if (end) {
            bound = "(position, id) " + std::string{is_ascending_list() ? "<= " : ">= "} +
                    row(statement, end->key, end->id);
        }
        const std::string others = rest(statement);
        const std::string going_on = is_by_start() ? std::string{} : after_sorted(statement);
        statement.text = "SELECT " + std::string{columns} + " FROM " + table_ +
                         where({conditions, bound, others, going_on}) + order() + " LIMIT " +
                         bind(statement, limited(query_.limit)) + " OFFSET " + bind(statement, limited(query_.offset));
        return statement;
    }

    /// Asks for one number: how many match, at most `up_to`.
    [[nodiscard]] Statement count(std::uint64_t up_to) const {
        Statement statement;
        const std::string conditions = list(statement, Going::from_the_first);
        const std::string others = rest(statement);
        statement.text = "SELECT count(*) FROM (SELECT 1 FROM " + table_ +
                         where({conditions, others, is_by_start() ? std::string{} : sort_key() + " IS NOT NULL"}) +
                         " LIMIT " + bind(statement, limited(up_to)) + ") AS matching";
        return statement;
    }

private:
    enum class Going : std::uint8_t { on_after, from_the_first };

    [[nodiscard]] static std::int64_t limited(std::uint64_t count) noexcept {
        return static_cast<std::int64_t>(
            std::min(count, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
    }

    [[nodiscard]] std::string bind(Statement& statement, std::int64_t number) const {
        statement.values.emplace_back(number);
        return dialect_ == Dialect::sqlite ? "?" + std::to_string(statement.values.size())
                                           : "$" + std::to_string(statement.values.size()) + "::bigint";
    }
    [[nodiscard]] std::string bind(Statement& statement, std::string_view text) const {
        statement.values.emplace_back(std::string{text});
        return dialect_ == Dialect::sqlite ? "?" + std::to_string(statement.values.size())
                                           : "$" + std::to_string(statement.values.size()) + "::text";
    }
    [[nodiscard]] std::string row(Statement& statement, std::int64_t position, ExecutionId id) const {
        std::string first = bind(statement, position);
        return "(" + first + ", " + bind(statement, static_cast<std::int64_t>(id)) + ")";
    }

    static void also(std::string& conditions, std::string_view condition) {
        if (condition.empty()) { return; }
        if (!conditions.empty()) { conditions += " AND "; }
        conditions += condition;
    }
    [[nodiscard]] static std::string where(std::initializer_list<std::string> conditions) {
        std::string all;
        for (const std::string& condition : conditions) { also(all, condition); }
        return all.empty() ? all : " WHERE " + all;
    }

    [[nodiscard]] bool is_ascending_list() const noexcept { return query_.filter.sort == SortBy::oldest; }
    [[nodiscard]] std::string order_of_list() const {
        return is_ascending_list() ? " ORDER BY position, id" : " ORDER BY position DESC, id DESC";
    }

    /// Whether the rows come from the index of a name, and not from one that knows statuses.
    [[nodiscard]] bool is_of_name() const noexcept {
        const ExecutionQuery& filter = query_.filter;
        return !filter.job_id.empty() || !filter.handler_id.empty() || filter.occurrence_id != 0;
    }
    [[nodiscard]] bool are_all_within(StatusSet statuses) const noexcept {
        StatusSet both = query_.status;
        both |= statuses;
        return both == statuses;
    }
    [[nodiscard]] bool is_of_failures() const { return !is_of_name() && are_all_within(StatusSet::failures()); }
    [[nodiscard]] bool is_of_unfinished() const {
        return !is_of_name() && are_all_within({JobStatus::queued, JobStatus::running});
    }

    /// The conditions that an index answers.
    [[nodiscard]] std::string list(Statement& statement, Going going = Going::on_after) const {
        const ExecutionQuery& filter = query_.filter;
        std::string conditions;
        if (filter.occurrence_id != 0) {
            also(conditions, "occurrence_id = " + bind(statement, static_cast<std::int64_t>(filter.occurrence_id)));
        } else if (!filter.job_id.empty()) {
            also(conditions, "job_id = " + bind(statement, filter.job_id));
        } else if (!filter.handler_id.empty()) {
            also(conditions, "handler_id = " + bind(statement, filter.handler_id));
        } else if (is_of_failures()) {
            also(conditions, failures_condition());
        } else if (is_of_unfinished()) {
            also(conditions, unfinished_condition);
        }
        if (filter.started_from) {
            also(conditions, "position >= " + bind(statement, filter.started_from->time_since_epoch().count()));
        }
        if (filter.started_to) {
            also(conditions, "position < " + bind(statement, filter.started_to->time_since_epoch().count()));
        }
        if (going == Going::on_after && is_by_start() && query_.after) {
            also(conditions, "(position, id) " + std::string{is_ascending_list() ? "> " : "< "} +
                                 row(statement, query_.after->key, query_.after->id));
        }
        // What costs no more than the rows that are few among others: not worth a bound of the scan.
        const StatusSet none_skipped{JobStatus::queued,  JobStatus::running,   JobStatus::success,  JobStatus::error,
                                     JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
        if (query_.status == none_skipped) { also(conditions, plain("status") + " <> 'skipped'"); }
        if (filter.attempts == Attempts::last) {
            also(conditions, "(is_final OR " + plain("status") + " IN ('queued', 'running'))");
        }
        return conditions;
    }

    /// The conditions that are asked of each row of the list.
    [[nodiscard]] std::string rest(Statement& statement) const {
        const ExecutionQuery& filter = query_.filter;
        std::string conditions;
        if (filter.occurrence_id != 0 && !filter.job_id.empty()) {
            also(conditions, plain("job_id") + " = " + bind(statement, filter.job_id));
        }
        if ((filter.occurrence_id != 0 || !filter.job_id.empty()) && !filter.handler_id.empty()) {
            also(conditions, plain("handler_id") + " = " + bind(statement, filter.handler_id));
        }
        also(conditions, status_of_rest());
        if (!filter.method_name.empty()) { also(conditions, "method_name = " + bind(statement, filter.method_name)); }
        if (filter.attempt_number) {
            also(conditions, "attempt_number = " + bind(statement, std::int64_t{*filter.attempt_number}));
        }
        if (filter.finality) {
            also(conditions, plain("status") + " NOT IN ('queued', 'running') AND " +
                                 (*filter.finality == Finality::final_attempt ? "is_final" : "NOT is_final"));
        }
        if (filter.min_duration) {
            also(conditions, "duration_ns >= " + bind(statement, std::int64_t{filter.min_duration->count()}));
        }
        if (filter.max_duration) {
            also(conditions, "duration_ns <= " + bind(statement, std::int64_t{filter.max_duration->count()}));
        }
        also(conditions, metadata(statement));
        also(conditions, text(statement));
        return conditions;
    }

    [[nodiscard]] std::string status_of_rest() const {
        StatusSet all_but_skipped{JobStatus::queued,  JobStatus::running,   JobStatus::success,  JobStatus::error,
                                  JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
        StatusSet all = all_but_skipped;
        all.insert(JobStatus::skipped);
        if (query_.status == all || query_.status == all_but_skipped) { return {}; }
        if (is_of_failures() && query_.status == StatusSet::failures()) { return {}; }
        if (is_of_unfinished() && query_.status == StatusSet{JobStatus::queued, JobStatus::running}) { return {}; }
        return plain("status") + " IN (" + word_list(query_.status) + ")";
    }

    /// A column that is no reason to choose an index: SQLite, which knows nothing of how many rows have which value,
    /// would take one that is longer.
    [[nodiscard]] std::string plain(std::string_view column) const {
        return dialect_ == Dialect::sqlite ? "+" + std::string{column} : std::string{column};
    }

    [[nodiscard]] std::string metadata(Statement& statement) const {
        const ExecutionQuery& filter = query_.filter;
        if (filter.metadata_key.empty()) { return {}; }
        const bool has_place = filter.missing_metadata == MissingMetadata::handler_id;
        if (has_place && !filter.metadata_value) { return {}; }
        std::string entry;
        if (dialect_ == Dialect::sqlite) {
            entry =
                "daybook_metadata(metadata, " + bind(statement, filter.metadata_key) + (has_place ? ", 1)" : ", 0)");
        } else {
            entry = "(SELECT entry ->> 1 FROM jsonb_array_elements(metadata) WITH ORDINALITY AS entries (entry, place) "
                    "WHERE entry ->> 0 = " +
                    bind(statement, filter.metadata_key) + (has_place ? " AND entry ->> 1 <> ''" : "") +
                    " ORDER BY place LIMIT 1)";
        }
        if (!filter.metadata_value) { return entry + " IS NOT NULL"; }
        if (has_place) { entry = "coalesce(" + entry + ", handler_id)"; }
        return entry + " = " + bind(statement, *filter.metadata_value);
    }

    [[nodiscard]] std::string text(Statement& statement) const {
        const std::string& part = query_.filter.text;
        if (part.empty()) { return {}; }
        const std::string raw = bind(statement, part);
        if (dialect_ == Dialect::sqlite) {
            return "(daybook_contains(error, " + raw + ") OR daybook_result_contains(result, " + raw + "))";
        }
        // A result that is a string is searched as it is written: what would be escaped there is escaped here too.
        std::string escaped;
        JsonWriter{escaped}.value(part);
        const std::string quoted = bind(statement, std::string_view{escaped}.substr(1, escaped.size() - 2));
        const auto contains = [](const std::string& where, const std::string& what) {
            return "strpos(lower(" + where + " COLLATE \"C\"), lower(" + what + " COLLATE \"C\")) > 0";
        };
        return "(coalesce(" + contains("error", raw) + ", false) OR coalesce(CASE WHEN left(result, 1) = '\"' THEN " +
               contains("result", quoted) + " ELSE " + contains("result", raw) + " END, false))";
    }

    /// What sorted lists are sorted by, see store_key.
    [[nodiscard]] std::string sort_key() const {
        if (query_.filter.sort == SortBy::longest || query_.filter.sort == SortBy::shortest) { return "duration_ns"; }
        const std::string has_drift = "CASE WHEN attempt_number = 1 THEN ";
        return dialect_ == Dialect::sqlite ? has_drift + "CAST(max(0, started_at - scheduled_at) AS INTEGER) END"
                                           : has_drift + "CASE WHEN started_at >= scheduled_at THEN " +
                                                 "(extract(epoch FROM started_at - scheduled_at) * 1000000)::bigint " +
                                                 "WHEN started_at < scheduled_at THEN 0 END END";
    }
    [[nodiscard]] bool is_descending_key() const noexcept {
        return query_.filter.sort == SortBy::longest || query_.filter.sort == SortBy::most_drift;
    }

    /// Rows beyond `after` in a sorted list. Equal ones come newest first; the place knows the id alone, so the row's
    /// position is looked up (where the row is gone, ids tell which are newer).
    [[nodiscard]] std::string after_sorted(Statement& statement) const {
        const std::string key = sort_key();
        if (!query_.after) { return key + " IS NOT NULL"; }
        const std::string at = bind(statement, query_.after->key);
        const std::string id = bind(statement, static_cast<std::int64_t>(query_.after->id));
        return "(" + key + (is_descending_key() ? " < " : " > ") + at + " OR (" + key + " = " + at +
               " AND (position, id) < (coalesce((SELECT there.position FROM " + table_ +
               " AS there WHERE there.id = " + id + "), position), " + id + ")))";
    }

    [[nodiscard]] std::string order() const {
        if (is_by_start()) { return order_of_list(); }
        return " ORDER BY " + sort_key() + (is_descending_key() ? " DESC" : "") + ", position DESC, id DESC";
    }

    Dialect dialect_;
    std::string table_;
    const StoreQuery& query_;
};

/// Reads one page, and looks at no more than `max_scanned` rows for it.
/// @param places  Runs a statement of `end_of`: returns a std::vector<StorePlace>.
/// @param rows    Runs a statement of `page` (selecting all columns): returns a std::vector<StoredExecution>.
template <class Places, class Rows>
[[nodiscard]] StoredPage read_page(Dialect dialect, std::string_view table, std::string_view columns,
                                   const StoreQuery& query, Places&& places, Rows&& rows) {
    StoredPage page;
    if (query.limit == 0 || query.status.empty()) { return page; }
    const Search search{dialect, table, query};
    if (!search.is_scan()) {
        page.executions = rows(search.page(columns));
        return page;
    }
    // A page is mostly found near the front; to find out where the scan ends costs as much as `max_scanned` rows do.
    const std::size_t most = std::max<std::size_t>(1, query.filter.max_scanned);
    const std::size_t few = query.limit < most / 16 && query.offset < most / 16
                                ? std::min(most, 256 + 4 * (query.limit + query.offset))
                                : most;
    for (const std::size_t bound : {few, most}) {
        if (bound == few && few != most && !search.is_by_start()) { continue; }
        const std::vector<StorePlace> ends = places(search.end_of(bound));
        const bool is_cut = ends.size() > 1;
        page.executions = rows(search.page(columns, is_cut ? std::optional{ends.front()} : std::nullopt));
        page.stopped_at.reset();
        const bool is_full = search.is_by_start() && page.executions.size() == query.limit;
        if (is_full || !is_cut) { return page; }
        page.stopped_at = ends.front();
        if (bound == most) { return page; }
    }
    return page;
}

} // namespace daybook::inline v0::sql

#endif
