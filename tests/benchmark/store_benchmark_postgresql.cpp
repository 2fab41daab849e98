// SPDX-License-Identifier: MIT
/// @file
/// Writing to PostgreSQL, beside a program that does nothing else: the same rows by COPY in the binary format into the
/// same tables, and counter rows whose arrays were made beforehand. Both commit a thousand rows at a time, to a server
/// of their own that does not wait for the disk, which leaves the most to be seen of what the programs cost.

#include "report.hpp"
#include "support/postgresql_server.hpp"

#include <daybook/adapters/postgresql.hpp>

#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using daybook::StoredExecution;
using daybook_test::PostgresqlServer;

constexpr std::size_t rows_at_once = 1000;
constexpr std::size_t counters_at_once = 60;
constexpr int batches = 60;

[[nodiscard]] std::vector<StoredExecution> some_rows() {
    std::vector<StoredExecution> rows(rows_at_once);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        auto& row = rows[index];
        row.job_id = "customer_" + std::to_string(index % 200) + "_invoice_reminder";
        row.handler_id = "reminders_" + std::to_string(index % 20);
        row.method_name = "send";
        row.status = index % 50 == 0 ? daybook::JobStatus::error : daybook::JobStatus::success;
        if (index % 50 == 0) {
            row.error = "the mail server answered 451: try again later, queue is full";
        } else {
            row.result = "\"" + std::to_string(index) + " reminders sent, 7 left for later\"";
        }
        row.is_final = index % 50 != 0;
        row.duration = std::chrono::nanoseconds{12'345'678};
        row.worker = 3;
        row.node = "worker-7.example.org";
        row.records_processed = index;
        if (index % 4 == 0) { row.metadata = {{"model", "small"}, {"customer", std::to_string(index)}}; }
    }
    return rows;
}

/// Gives the rows ids and times that go on from those before.
void move_on(std::vector<StoredExecution>& rows, std::uint64_t& last_id) {
    for (auto& row : rows) {
        row.id = ++last_id;
        row.occurrence_id = row.id;
        const daybook::sys_time at{
            std::chrono::microseconds{1'760'000'000'000'000 + static_cast<std::int64_t>(row.id) * 250}};
        row.scheduled_at = at;
        row.queued_at = at + std::chrono::microseconds{80};
        row.started_at = at + std::chrono::microseconds{120};
        row.completed_at = *row.started_at + std::chrono::microseconds{12'345};
        row.position = row.started_at->time_since_epoch().count();
    }
}

[[nodiscard]] std::vector<daybook::StoredCounters> some_counters() {
    std::vector<daybook::StoredCounters> counters(counters_at_once);
    for (std::size_t index = 0; index < counters.size(); ++index) {
        auto& row = counters[index];
        row.node = "worker-7.example.org";
        row.scope = index < 20   ? daybook::CounterScope::handler
                    : index < 40 ? daybook::CounterScope::hour
                                 : daybook::CounterScope::job;
        row.name = "reminders_" + std::to_string(index % 20);
        row.success = 12'345 + index;
        row.duration = {.count = 12'345,
                        .sum = 1.5e11,
                        .min = 1'000'000,
                        .max = 99'000'000,
                        .buckets = "300:12 301:40 302:100 303:2000 304:4000 305:6000 310:90 333:1"};
    }
    return counters;
}

[[nodiscard]] std::int64_t thread_nanoseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// What one would write in C: no checks but for errors, no store.
class RawWriter {
public:
    RawWriter(const std::string& conninfo, const daybook::PostgresqlSchema& schema)
        : session_{PQconnectdb(conninfo.c_str()), &PQfinish},
          copy_{"COPY " + schema.executions + " FROM STDIN (FORMAT binary)"},
          columns_{daybook::sql::counters_columns} {
        for (const auto& row : some_counters()) { daybook::sql::give_counters(columns_, row, ""); }
        for (auto& column : columns_.columns()) {
            types_.push_back(column.type());
            values_.push_back(column.bytes().data());
            lengths_.push_back(static_cast<int>(column.bytes().size()));
            formats_.push_back(1);
        }
        check(PQprepare(session_.get(), "counters", schema.write_counters.c_str(), static_cast<int>(types_.size()),
                        types_.data()),
              PGRES_COMMAND_OK);
    }

    void write(const std::vector<StoredExecution>& rows) {
        check(PQexec(session_.get(), "BEGIN"), PGRES_COMMAND_OK);
        check(PQexec(session_.get(), copy_.c_str()), PGRES_COPY_IN);
        buffer_.assign("PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0", 19);
        for (const auto& row : rows) { put_row(row); }
        number<std::uint16_t>(0xFFFF);
        if (PQputCopyData(session_.get(), buffer_.data(), static_cast<int>(buffer_.size())) != 1 ||
            PQputCopyEnd(session_.get(), nullptr) != 1) {
            throw std::runtime_error{PQerrorMessage(session_.get())};
        }
        check(PQgetResult(session_.get()), PGRES_COMMAND_OK);
        while (PGresult* rest = PQgetResult(session_.get())) { PQclear(rest); }
        check(PQexecPrepared(session_.get(), "counters", static_cast<int>(values_.size()), values_.data(),
                             lengths_.data(), formats_.data(), 1),
              PGRES_COMMAND_OK);
        check(PQexec(session_.get(), "COMMIT"), PGRES_COMMAND_OK);
    }

private:
    void check(PGresult* result, ExecStatusType expected) {
        const bool is_expected = PQresultStatus(result) == expected;
        PQclear(result);
        if (!is_expected) { throw std::runtime_error{PQerrorMessage(session_.get())}; }
    }

    template <class Number>
    void number(Number value) {
        if constexpr (sizeof(Number) == 2) {
            value = __builtin_bswap16(value);
        } else if constexpr (sizeof(Number) == 4) {
            value = __builtin_bswap32(value);
        } else {
            value = __builtin_bswap64(value);
        }
        buffer_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void null() { number<std::uint32_t>(0xFFFF'FFFF); }
    template <class Count>
    void integer(Count value) {
        number<std::uint32_t>(8);
        number(static_cast<std::uint64_t>(value));
    }
    template <class Count>
    void integer(const std::optional<Count>& value) {
        if (value) {
            integer(*value);
        } else {
            null();
        }
    }
    void instant(const std::optional<daybook::sys_time>& value) {
        if (value) {
            integer(value->time_since_epoch().count() - 946'684'800'000'000);
        } else {
            null();
        }
    }
    void boolean(bool value) {
        number<std::uint32_t>(1);
        buffer_ += value ? '\1' : '\0';
    }
    void text(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        buffer_.append(value);
    }
    void text(const std::optional<std::string>& value) {
        if (value) {
            text(std::string_view{*value});
        } else {
            null();
        }
    }
    void text(const std::string& value) { text(std::string_view{value}); }
    void put_row(const StoredExecution& row) {
        number<std::uint16_t>(30);
        integer(row.id);
        integer(row.occurrence_id);
        text(row.job_id);
        text(row.handler_id);
        text(row.method_name);
        instant(row.scheduled_at);
        instant(row.queued_at);
        instant(row.started_at);
        instant(row.completed_at);
        integer(row.duration->count());
        text(daybook::to_string(row.status));
        text(row.result);
        text(row.error);
        integer(row.attempt_number);
        boolean(row.is_final);
        text(daybook::to_string(row.trigger));
        integer(row.records_processed);
        null();
        null();
        null();
        integer(row.worker);
        text(row.node);
        text(daybook::to_string(row.reason));
        integer(row.skip_count);
        boolean(row.skip_count_is_minimum);
        text(daybook::to_string(row.dst));
        text(row.log_text);
        text(row.parameters);
        json_ = "\1[";
        for (const auto& [key, value] : row.metadata) {
            json_.append(json_.size() > 2 ? ",[\"" : "[\"").append(key).append("\",\"").append(value).append("\"]");
        }
        text(std::string_view{json_ += ']'});
        integer(row.position);
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> session_;
    std::string copy_;
    daybook::PostgresqlColumns columns_;
    std::vector<Oid> types_;
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
    std::string buffer_;
    std::string json_;
};

[[nodiscard]] daybook::StoreDeadline soon() { return std::chrono::steady_clock::now() + std::chrono::minutes{1}; }

/// The tables, new and empty.
[[nodiscard]] daybook::PostgresqlOptions new_tables() {
    auto& server = PostgresqlServer::shared();
    const daybook::PostgresqlOptions options{.conninfo = server.conninfo(), .schema = server.new_schema()};
    daybook::PostgresqlStore{options}.open({.node = "worker-7.example.org"}, soon());
    (void)server.run("CHECKPOINT");
    return options;
}

template <class Write>
void measure(benchmark::State& state, Write write) {
    auto rows = some_rows();
    std::uint64_t last_id = 1'000'000;
    std::int64_t client = 0;
    for (auto _ : state) {
        state.PauseTiming();
        move_on(rows, last_id);
        state.ResumeTiming();
        client -= thread_nanoseconds();
        write(rows);
        client += thread_nanoseconds();
    }
    const auto written = static_cast<double>(state.iterations()) * rows_at_once;
    state.counters["client_us_per_row"] = static_cast<double>(client) / 1000.0 / written;
}

void measure_store(benchmark::State& state) {
    daybook::PostgresqlStore store{new_tables()};
    store.open({.node = "worker-7.example.org"}, soon());
    const auto counters = some_counters();
    measure(state, [&](const std::vector<StoredExecution>& rows) {
        store.write({.executions = rows, .counters = counters}, soon());
    });
}

void measure_raw(benchmark::State& state) {
    const auto options = new_tables();
    RawWriter writer{options.conninfo, daybook::PostgresqlSchema{options.schema, ""}};
    measure(state, [&](const std::vector<StoredExecution>& rows) { writer.write(rows); });
}

} // namespace

int main(int argc, char** argv) {
    if (!PostgresqlServer::is_installed()) {
        std::printf("there is no PostgreSQL server on this machine\n");
        return 0;
    }
    benchmark::RegisterBenchmark("postgresql_store", measure_store)->Iterations(batches)->UseRealTime();
    benchmark::RegisterBenchmark("postgresql_raw_copy", measure_raw)->Iterations(batches)->UseRealTime();
    return daybook_benchmark::run(
        argc, argv,
        {{"rows a second, against COPY by hand", "postgresql_raw_copy", "postgresql_store", {}, 0.6},
         {"processor time of the client, us a row", "postgresql_store:client_us_per_row"},
         {"the same of COPY by hand", "postgresql_raw_copy:client_us_per_row"}});
}
