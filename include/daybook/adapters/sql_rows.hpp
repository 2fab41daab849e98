// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQL_ROWS_HPP
#define DAYBOOK_ADAPTERS_SQL_ROWS_HPP

/// @file
/// The tables of a store: their columns, and how executions, jobs and counters become rows and come back.

#include <daybook/adapters/sql_metadata.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/types.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::sql {

/// What a column holds. `instant` is microseconds since the epoch, or the database's own type for instants; a row gives
/// microseconds back.
enum class ColumnType : std::uint8_t { integer, real, boolean, text, instant, json };

enum class Nulls : std::uint8_t { refused, allowed };

struct Column {
    std::string_view name;
    ColumnType type;
    Nulls nulls = Nulls::refused;
};

/// One row for each execution; the key is `id`.
inline constexpr std::array execution_columns{
    Column{"id", ColumnType::integer},
    Column{"occurrence_id", ColumnType::integer},
    Column{"job_id", ColumnType::text},
    Column{"handler_id", ColumnType::text},
    Column{"method_name", ColumnType::text},
    Column{"scheduled_at", ColumnType::instant, Nulls::allowed},
    Column{"queued_at", ColumnType::instant, Nulls::allowed},
    Column{"started_at", ColumnType::instant, Nulls::allowed},
    Column{"completed_at", ColumnType::instant, Nulls::allowed},
    Column{"duration_ns", ColumnType::integer, Nulls::allowed},
    Column{"status", ColumnType::text},
    Column{"result", ColumnType::text, Nulls::allowed},
    Column{"error", ColumnType::text, Nulls::allowed},
    Column{"attempt_number", ColumnType::integer},
    Column{"is_final", ColumnType::boolean},
    Column{"triggered_by", ColumnType::text},
    Column{"records_processed", ColumnType::integer, Nulls::allowed},
    Column{"progress_done", ColumnType::integer, Nulls::allowed},
    Column{"progress_total", ColumnType::integer, Nulls::allowed},
    Column{"progress_failed", ColumnType::integer, Nulls::allowed},
    Column{"worker", ColumnType::integer, Nulls::allowed},
    Column{"node", ColumnType::text},
    Column{"reason", ColumnType::text},
    Column{"skip_count", ColumnType::integer},
    Column{"skip_count_is_minimum", ColumnType::boolean},
    Column{"dst", ColumnType::text},
    Column{"log_text", ColumnType::text},
    Column{"parameters", ColumnType::text},
    Column{"metadata", ColumnType::json},
    Column{"position", ColumnType::integer},
};

/// One row for each job; the key is `id`. Members whose names are words of SQL have another one here.
inline constexpr std::array job_columns{
    Column{"id", ColumnType::text},
    Column{"handler_id", ColumnType::text},
    Column{"method_name", ColumnType::text},
    Column{"schedule", ColumnType::text},
    Column{"parameters", ColumnType::text},
    Column{"job_group", ColumnType::text},
    Column{"retry_max_attempts", ColumnType::integer, Nulls::allowed}, // null: no retry of the job's own
    Column{"retry_first_delay_ns", ColumnType::integer, Nulls::allowed},
    Column{"retry_factor", ColumnType::real, Nulls::allowed},
    Column{"retry_max_delay_ns", ColumnType::integer, Nulls::allowed},
    Column{"retry_jitter", ColumnType::real, Nulls::allowed},
    Column{"timeout_ns", ColumnType::integer, Nulls::allowed},
    Column{"overlap", ColumnType::text, Nulls::allowed},
    Column{"misfire", ColumnType::text, Nulls::allowed},
    Column{"delivery", ColumnType::text, Nulls::allowed},
    Column{"misfire_grace_ns", ColumnType::integer, Nulls::allowed},
    Column{"max_catch_up", ColumnType::integer, Nulls::allowed},
    Column{"priority", ColumnType::integer},
    Column{"stale_after_ns", ColumnType::integer},
    Column{"is_from_data", ColumnType::boolean},
    Column{"is_paused", ColumnType::boolean},
    Column{"occurrences_left", ColumnType::integer, Nulls::allowed},
    Column{"accounted_to", ColumnType::instant, Nulls::allowed},
    Column{"created_at", ColumnType::instant},
    Column{"updated_at", ColumnType::instant},
};

/// One row for each StoredCounters; the first four are the key.
inline constexpr std::array counters_columns{
    Column{"node", ColumnType::text},
    Column{"scope", ColumnType::text},
    Column{"name", ColumnType::text},
    Column{"period", ColumnType::instant},
    Column{"success", ColumnType::integer},
    Column{"error", ColumnType::integer},
    Column{"timeout", ColumnType::integer},
    Column{"abandoned", ColumnType::integer},
    Column{"cancelled", ColumnType::integer},
    Column{"skipped", ColumnType::integer},
    Column{"retries", ColumnType::integer},
    Column{"requests_total", ColumnType::integer},
    Column{"requests_completed", ColumnType::integer},
    Column{"requests_failed", ColumnType::integer},
    Column{"duration_count", ColumnType::integer},
    Column{"duration_sum", ColumnType::real},
    Column{"duration_min", ColumnType::integer},
    Column{"duration_max", ColumnType::integer},
    Column{"duration_buckets", ColumnType::text},
    Column{"drift_count", ColumnType::integer},
    Column{"drift_sum", ColumnType::real},
    Column{"drift_min", ColumnType::integer},
    Column{"drift_max", ColumnType::integer},
    Column{"drift_buckets", ColumnType::text},
    Column{"queue_delay_count", ColumnType::integer},
    Column{"queue_delay_sum", ColumnType::real},
    Column{"queue_delay_min", ColumnType::integer},
    Column{"queue_delay_max", ColumnType::integer},
    Column{"queue_delay_buckets", ColumnType::text},
};

/// "id, occurrence_id, …".
[[nodiscard]] inline std::string names_of(std::span<const Column> columns) {
    std::string list;
    for (const Column& column : columns) {
        if (!list.empty()) { list += ", "; }
        list += column.name;
    }
    return list;
}

/// "occurrence_id = excluded.occurrence_id, …", all but the first `keys`.
[[nodiscard]] inline std::string replacement_of(std::span<const Column> columns, std::size_t keys) {
    std::string list;
    for (const Column& column : columns.subspan(keys)) {
        if (!list.empty()) { list += ", "; }
        list.append(column.name).append(" = excluded.").append(column.name);
    }
    return list;
}

/// The value that a word names; what is compared is to_string.
/// @throws StoreError  There is no such word (`refused`): a newer version has written it, or somebody by hand.
template <class Choice>
[[nodiscard]] Choice choice_of(std::string_view word, std::string_view column) {
    for (std::uint8_t number = 0; number < 64; ++number) {
        const auto name = to_string(static_cast<Choice>(number));
        if (name == "unknown") { break; }
        if (name == word) { return static_cast<Choice>(number); }
    }
    throw StoreError{StoreFailure::refused,
                     "the column " + std::string{column} + " holds the unknown word '" + std::string{word} + "'"};
}

// Unsigned numbers of 64 bits are stored as signed ones with the same bits, so that all come back as they were.
[[nodiscard]] constexpr std::int64_t stored(std::uint64_t number) noexcept { return static_cast<std::int64_t>(number); }

template <class Number>
[[nodiscard]] constexpr std::optional<std::int64_t> stored(const std::optional<Number>& number) noexcept {
    return number ? std::optional{static_cast<std::int64_t>(*number)} : std::nullopt;
}

[[nodiscard]] inline std::optional<std::int64_t>
stored(const std::optional<std::chrono::nanoseconds>& duration) noexcept {
    return duration ? std::optional{std::int64_t{duration->count()}} : std::nullopt;
}

/// Gives a sink the values of one row, in the order of `execution_columns`.
/// @param sink  Has `integer`, `real`, `text` and `instant`, each with a value or an optional one, `boolean(bool)`,
///              and `json(std::string_view)`.
/// @param json  What the metadata is written to, for one allocation less.
template <class Sink>
void give_execution(Sink& sink, const StoredExecution& row, std::string& json) {
    sink.integer(stored(row.id));
    sink.integer(stored(row.occurrence_id));
    sink.text(row.job_id);
    sink.text(row.handler_id);
    sink.text(row.method_name);
    sink.instant(row.scheduled_at);
    sink.instant(row.queued_at);
    sink.instant(row.started_at);
    sink.instant(row.completed_at);
    sink.integer(stored(row.duration));
    sink.text(to_string(row.status));
    sink.text(row.result);
    sink.text(row.error);
    sink.integer(std::int64_t{row.attempt_number});
    sink.boolean(row.is_final);
    sink.text(to_string(row.trigger));
    sink.integer(stored(row.records_processed));
    sink.integer(row.progress ? std::optional{stored(row.progress->done)} : std::nullopt);
    sink.integer(row.progress ? std::optional{stored(row.progress->total)} : std::nullopt);
    sink.integer(row.progress ? std::optional{stored(row.progress->failed)} : std::nullopt);
    sink.integer(stored(row.worker));
    sink.text(row.node);
    sink.text(to_string(row.reason));
    sink.integer(stored(row.skip_count));
    sink.boolean(row.skip_count_is_minimum);
    sink.text(to_string(row.dst));
    sink.text(row.log_text);
    sink.text(row.parameters);
    json.clear();
    write_metadata(json, row.metadata);
    sink.json(json);
    sink.integer(row.position);
}

template <class Sink>
void give_job(Sink& sink, const StoredJob& row) {
    sink.text(row.id);
    sink.text(row.handler_id);
    sink.text(row.method_name);
    sink.text(row.schedule);
    sink.text(row.parameters);
    sink.text(row.group);
    const auto word = [](const auto& choice) {
        return choice ? std::optional{std::string_view{to_string(*choice)}} : std::nullopt;
    };
    const auto& retry = row.retry;
    sink.integer(retry ? std::optional{std::int64_t{retry->max_attempts}} : std::nullopt);
    sink.integer(retry ? std::optional{std::int64_t{retry->first_delay.count()}} : std::nullopt);
    sink.real(retry ? std::optional{retry->factor} : std::nullopt);
    sink.integer(retry ? std::optional{std::int64_t{retry->max_delay.count()}} : std::nullopt);
    sink.real(retry ? std::optional{retry->jitter} : std::nullopt);
    sink.integer(stored(row.timeout));
    sink.text(word(row.overlap));
    sink.text(word(row.misfire));
    sink.text(word(row.delivery));
    sink.integer(stored(row.misfire_grace));
    sink.integer(stored(row.max_catch_up));
    sink.integer(std::int64_t{row.priority});
    sink.integer(std::int64_t{row.stale_after.count()});
    sink.boolean(row.is_from_data);
    sink.boolean(row.is_paused);
    sink.integer(stored(row.left));
    sink.instant(row.accounted_to);
    sink.instant(row.created_at);
    sink.instant(row.updated_at);
}

/// @param node  Stands for the row's own where that is empty.
template <class Sink>
void give_counters(Sink& sink, const StoredCounters& row, std::string_view node) {
    sink.text(row.node.empty() ? node : std::string_view{row.node});
    sink.text(to_string(row.scope));
    sink.text(row.name);
    sink.instant(row.period);
    for (const std::uint64_t count : {row.success, row.error, row.timeout, row.abandoned, row.cancelled, row.skipped,
                                      row.retries, row.requests_total, row.requests_completed, row.requests_failed}) {
        sink.integer(stored(count));
    }
    for (const StoredDistribution* distribution : {&row.duration, &row.drift, &row.queue_delay}) {
        sink.integer(stored(distribution->count));
        sink.real(distribution->sum);
        sink.integer(distribution->min);
        sink.integer(distribution->max);
        sink.text(distribution->buckets);
    }
}

/// Takes the columns of one row, one after the other.
///
/// `Row` has `std::optional<std::int64_t> integer(std::size_t)`, `std::optional<double> real(std::size_t)` and
/// `std::optional<std::string_view> text(std::size_t)`, empty for null; a view lasts until the next call. Instants are
/// integers (microseconds since the epoch), and so are truth values (0 or 1).
template <class Row>
class RowReader {
public:
    /// @param row  Must outlive this object; its columns are those of `columns`, in this order.
    RowReader(Row& row, std::span<const Column> columns) noexcept : row_{row}, columns_{columns} {}

    [[nodiscard]] std::optional<std::int64_t> maybe_integer() { return row_.integer(next_++); }
    [[nodiscard]] std::int64_t integer() { return present(maybe_integer()); }
    [[nodiscard]] bool boolean() { return integer() != 0; }
    [[nodiscard]] std::optional<double> maybe_real() { return row_.real(next_++); }
    [[nodiscard]] std::optional<std::string_view> maybe_view() { return row_.text(next_++); }
    [[nodiscard]] std::string_view view() { return present(maybe_view()); }
    [[nodiscard]] std::string text() { return std::string{view()}; }
    [[nodiscard]] std::optional<std::string> maybe_text() {
        const auto found = maybe_view();
        return found ? std::optional<std::string>{*found} : std::nullopt;
    }
    [[nodiscard]] sys_time instant() { return sys_time{std::chrono::microseconds{integer()}}; }
    [[nodiscard]] std::optional<sys_time> maybe_instant() {
        const auto count = maybe_integer();
        return count ? std::optional{sys_time{std::chrono::microseconds{*count}}} : std::nullopt;
    }
    [[nodiscard]] std::optional<std::chrono::nanoseconds> maybe_duration() {
        const auto count = maybe_integer();
        return count ? std::optional{std::chrono::nanoseconds{*count}} : std::nullopt;
    }
    [[nodiscard]] std::uint64_t count() { return static_cast<std::uint64_t>(integer()); }
    [[nodiscard]] std::optional<std::uint64_t> maybe_count() {
        const auto count = maybe_integer();
        return count ? std::optional{static_cast<std::uint64_t>(*count)} : std::nullopt;
    }
    /// A number that has to fit.
    template <class Number>
    [[nodiscard]] std::optional<Number> maybe_number() {
        const auto number = maybe_integer();
        if (!number) { return std::nullopt; }
        if (*number < std::int64_t{std::numeric_limits<Number>::min()} ||
            *number > std::int64_t{std::numeric_limits<Number>::max()}) {
            throw StoreError{StoreFailure::refused, "the column " + std::string{columns_[next_ - 1].name} +
                                                        " holds the number " + std::to_string(*number) +
                                                        ", which is out of range"};
        }
        return static_cast<Number>(*number);
    }
    template <class Number>
    [[nodiscard]] Number number() {
        return present(maybe_number<Number>());
    }
    template <class Choice>
    [[nodiscard]] Choice choice() {
        const auto word = view(); // counts the column
        return choice_of<Choice>(word, columns_[next_ - 1].name);
    }
    template <class Choice>
    [[nodiscard]] std::optional<Choice> maybe_choice() {
        const auto word = maybe_view();
        return word ? std::optional{choice_of<Choice>(*word, columns_[next_ - 1].name)} : std::nullopt;
    }

private:
    template <class Found>
    [[nodiscard]] Found present(const std::optional<Found>& found) const {
        if (!found) {
            throw StoreError{StoreFailure::refused,
                             "the column " + std::string{columns_[next_ - 1].name} + " is null, which it must not be"};
        }
        return *found;
    }

    Row& row_;
    std::span<const Column> columns_;
    std::size_t next_ = 0;
};

/// @throws StoreError  A word, a number or the metadata cannot be what this version has written (`refused`).
template <class Row>
[[nodiscard]] StoredExecution take_execution(Row& row) {
    RowReader<Row> reader{row, execution_columns};
    StoredExecution execution;
    execution.id = reader.count();
    execution.occurrence_id = reader.count();
    execution.job_id = reader.text();
    execution.handler_id = reader.text();
    execution.method_name = reader.text();
    execution.scheduled_at = reader.maybe_instant();
    execution.queued_at = reader.maybe_instant();
    execution.started_at = reader.maybe_instant();
    execution.completed_at = reader.maybe_instant();
    execution.duration = reader.maybe_duration();
    execution.status = reader.template choice<JobStatus>();
    execution.result = reader.maybe_text();
    execution.error = reader.maybe_text();
    execution.attempt_number = reader.template number<std::uint32_t>();
    execution.is_final = reader.boolean();
    execution.trigger = reader.template choice<Trigger>();
    execution.records_processed = reader.maybe_count();
    const auto done = reader.maybe_count();
    const auto total = reader.maybe_count();
    const auto failed = reader.maybe_count();
    if (done) { execution.progress = Progress{*done, total.value_or(0), failed.value_or(0)}; }
    execution.worker = reader.template maybe_number<std::uint32_t>();
    execution.node = reader.text();
    execution.reason = reader.template choice<SkipReason>();
    execution.skip_count = reader.count();
    execution.skip_count_is_minimum = reader.boolean();
    execution.dst = reader.template choice<ClockChange>();
    execution.log_text = reader.text();
    execution.parameters = reader.text();
    execution.metadata = read_metadata(reader.view());
    execution.position = reader.integer();
    return execution;
}

/// @copydoc take_execution
template <class Row>
[[nodiscard]] StoredJob take_job(Row& row) {
    RowReader<Row> reader{row, job_columns};
    StoredJob job;
    job.id = reader.text();
    job.handler_id = reader.text();
    job.method_name = reader.text();
    job.schedule = reader.text();
    job.parameters = reader.text();
    job.group = reader.text();
    const auto max_attempts = reader.template maybe_number<std::uint32_t>();
    const auto first_delay = reader.maybe_duration();
    const auto factor = reader.maybe_real();
    const auto max_delay = reader.maybe_duration();
    const auto jitter = reader.maybe_real();
    if (max_attempts) {
        ExponentialBackoff retry{.max_attempts = *max_attempts};
        retry.first_delay = first_delay.value_or(retry.first_delay);
        retry.factor = factor.value_or(retry.factor);
        retry.max_delay = max_delay.value_or(retry.max_delay);
        retry.jitter = jitter.value_or(retry.jitter);
        job.retry = retry;
    }
    job.timeout = reader.maybe_duration();
    job.overlap = reader.template maybe_choice<Overlap>();
    job.misfire = reader.template maybe_choice<Misfire>();
    job.delivery = reader.template maybe_choice<Delivery>();
    job.misfire_grace = reader.maybe_duration();
    job.max_catch_up = reader.template maybe_number<std::uint32_t>();
    job.priority = reader.template number<std::int32_t>();
    job.stale_after = std::chrono::nanoseconds{reader.integer()};
    job.is_from_data = reader.boolean();
    job.is_paused = reader.boolean();
    job.left = reader.maybe_count();
    job.accounted_to = reader.maybe_instant();
    job.created_at = reader.instant();
    job.updated_at = reader.instant();
    return job;
}

/// @copydoc take_execution
template <class Row>
[[nodiscard]] StoredCounters take_counters(Row& row) {
    RowReader<Row> reader{row, counters_columns};
    StoredCounters counters;
    counters.node = reader.text();
    counters.scope = reader.template choice<CounterScope>();
    counters.name = reader.text();
    counters.period = reader.instant();
    for (std::uint64_t* count : {&counters.success, &counters.error, &counters.timeout, &counters.abandoned,
                                 &counters.cancelled, &counters.skipped, &counters.retries, &counters.requests_total,
                                 &counters.requests_completed, &counters.requests_failed}) {
        *count = reader.count();
    }
    for (StoredDistribution* distribution : {&counters.duration, &counters.drift, &counters.queue_delay}) {
        distribution->count = reader.count();
        distribution->sum = reader.maybe_real().value_or(0.0);
        distribution->min = reader.integer();
        distribution->max = reader.integer();
        distribution->buckets = reader.text();
    }
    return counters;
}

} // namespace daybook::inline v0::sql

#endif
