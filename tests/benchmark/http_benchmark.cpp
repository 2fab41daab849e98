// SPDX-License-Identifier: MIT
/// @file
/// The JSON of a page of 100 records, beside a copy of the same bytes, a writer that checks and escapes nothing, and
/// RapidJSON's Writer; instants as text.

#include "report.hpp"

#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <benchmark/benchmark.h>
#ifdef DAYBOOK_PEER_RAPIDJSON
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#endif

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using daybook_benchmark::Finding;

const daybook::JobExecutionLog<>& full_log() {
    static const auto log = [] {
        daybook::JobExecutionLog made{1000};
        for (int i = 0; i < 1000; ++i) {
            const auto run = made.record_start("customer_report_" + std::to_string(i % 5),
                                               "reports_handler_" + std::to_string(i % 5), "execute");
            if (i % 10 == 0) {
                made.record_error(run, "connection refused by the peer");
            } else {
                made.record_success(run, "42 sessions erased, 7 kept, 0 left over.");
            }
        }
        return made;
    }();
    return log;
}

const daybook::http::Router& router() {
    static const auto made = [] {
        daybook::http::Router each;
        each.add(daybook::http::executions_api(full_log()));
        return each;
    }();
    return made;
}

const std::string& page_text() {
    static const std::string text = router().handle({.target = "/api/executions?limit=100"}).body;
    return text;
}

/// The whole of a request: the query is parsed, the records are copied out of the log, the document is written.
void json_response(benchmark::State& state) {
    for (auto _ : state) { benchmark::DoNotOptimize(router().handle({.target = "/api/executions?limit=100"})); }
    state.counters["bytes"] = static_cast<double>(page_text().size());
}

void copy_of_the_bytes(benchmark::State& state) {
    std::vector<char> to(page_text().size());
    for (auto _ : state) {
        std::memcpy(to.data(), page_text().data(), to.size());
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
}

void page_of_records(benchmark::State& state) {
    for (auto _ : state) { benchmark::DoNotOptimize(full_log().query({.limit = 100})); }
}

/// The records alone into a buffer that is there already.
void json_writer(benchmark::State& state) {
    const auto page = full_log().query({.limit = 100});
    std::string document;
    for (auto _ : state) {
        document.clear();
        daybook::JsonWriter writer{document};
        daybook::detail::write_page(writer, page, "records", 100, daybook::detail::RecordForm::execution);
        benchmark::DoNotOptimize(document.data());
    }
}

/// The same document, for these records only, through a pointer, on the trust that nothing has to be escaped.
class RawWriter {
public:
    explicit RawWriter(char* to) : to_{to} {}
    RawWriter& text(std::string_view text) {
        std::memcpy(to_, text.data(), text.size());
        to_ += text.size();
        return *this;
    }
    RawWriter& number(std::uint64_t number) {
        to_ = std::to_chars(to_, to_ + 20, number).ptr;
        return *this;
    }
    RawWriter& instant(std::optional<daybook::sys_time> instant) {
        if (!instant) { return text("null"); }
        *to_++ = '"';
        to_ = daybook::write_timestamp(to_, *instant);
        *to_++ = '"';
        return *this;
    }
    RawWriter& quoted(const std::optional<std::string>& content) {
        return content ? text("\"").text(*content).text("\"") : text("null");
    }
    [[nodiscard]] const char* end() const { return to_; }

private:
    char* to_;
};

void write_raw(RawWriter& writer, const daybook::JobExecutionRecord<>& record) {
    using std::chrono::duration_cast;
    const auto took = duration_cast<std::chrono::milliseconds>(*record.duration).count();
    writer.text(R"({"job_id":")").text(record.job_id).text(R"(","handler_id":")").text(record.handler_id);
    writer.text(R"(","method_name":")").text(record.method_name).text(R"(","started_at":)").instant(record.started_at);
    writer.text(R"(,"completed_at":)").instant(record.completed_at);
    writer.text(R"(,"duration_ms":)").number(static_cast<std::uint64_t>(took));
    writer.text(R"(,"status":")").text(to_string(record.status)).text(R"(","result":)").quoted(record.result);
    writer.text(R"(,"error":)").quoted(record.error).text(R"(,"attempt_number":)").number(record.attempt_number);
    writer.text(R"(,"id":)").number(record.id).text(R"(,"occurrence_id":)").number(record.occurrence_id);
    writer.text(R"(,"scheduled_at":)").instant(record.scheduled_at).text(R"(,"queued_at":)").instant(record.queued_at);
    writer.text(R"(,"is_final":)").text(record.is_final ? "true" : "false");
    writer.text(R"(,"trigger":")").text(to_string(record.trigger));
    writer.text(R"(","records_processed":null,"progress":null,"worker":null})");
}

void raw_writer(benchmark::State& state) {
    const auto page = full_log().query({.limit = 100});
    std::string buffer(2 * page_text().size(), '\0');
    std::size_t size = 0;
    for (auto _ : state) {
        RawWriter writer{buffer.data()};
        writer.text(R"({"count":100,"limit":100,"records":[)");
        for (const auto& record : page.records) {
            if (&record != page.records.data()) { writer.text(","); }
            write_raw(writer, record);
        }
        writer.text(R"(],"total":1000,"total_is_exact":true,"offset":0,"has_more":true,"next_cursor":")");
        writer.text(page.next_cursor).text(R"(","scanned":)").number(page.scanned).text(R"(,"complete":true})");
        size = static_cast<std::size_t>(writer.end() - buffer.data());
        benchmark::DoNotOptimize(buffer.data());
        benchmark::ClobberMemory();
    }
    if (buffer.compare(0, size, page_text()) != 0) { state.SkipWithError("the two documents are not the same"); }
}

#ifdef DAYBOOK_PEER_RAPIDJSON
/// The same document by RapidJSON's Writer as it is by default, which escapes and does not check the encoding.
class PeerWriter {
public:
    explicit PeerWriter(rapidjson::StringBuffer& to) : writer_{to} {}
    void page(const daybook::Page<>& page) {
        writer_.StartObject();
        number("count", page.records.size());
        number("limit", 100);
        key("records");
        writer_.StartArray();
        for (const auto& each : page.records) { record(each); }
        writer_.EndArray();
        number("total", page.total.count);
        truth("total_is_exact", page.total.is_exact);
        number("offset", page.offset);
        truth("has_more", page.has_more);
        text("next_cursor", page.next_cursor);
        number("scanned", page.scanned);
        truth("complete", page.complete);
        writer_.EndObject();
    }

private:
    void record(const daybook::JobExecutionRecord<>& record) {
        using std::chrono::duration_cast;
        writer_.StartObject();
        text("job_id", record.job_id);
        text("handler_id", record.handler_id);
        text("method_name", record.method_name);
        instant("started_at", record.started_at);
        instant("completed_at", record.completed_at);
        const auto took = duration_cast<std::chrono::milliseconds>(*record.duration).count();
        number("duration_ms", static_cast<std::uint64_t>(took));
        text("status", to_string(record.status));
        maybe("result", record.result);
        maybe("error", record.error);
        number("attempt_number", record.attempt_number);
        number("id", record.id);
        number("occurrence_id", record.occurrence_id);
        instant("scheduled_at", record.scheduled_at);
        instant("queued_at", record.queued_at);
        truth("is_final", record.is_final);
        text("trigger", to_string(record.trigger));
        for (const std::string_view name : {"records_processed", "progress", "worker"}) {
            key(name);
            writer_.Null();
        }
        writer_.EndObject();
    }
    void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
    void string(std::string_view value) {
        writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    }
    void text(std::string_view name, std::string_view value) {
        key(name);
        string(value);
    }
    void maybe(std::string_view name, const std::optional<std::string>& value) {
        key(name);
        value ? string(*value) : static_cast<void>(writer_.Null());
    }
    void number(std::string_view name, std::uint64_t value) {
        key(name);
        writer_.Uint64(value);
    }
    void truth(std::string_view name, bool value) {
        key(name);
        writer_.Bool(value);
    }
    void instant(std::string_view name, std::optional<daybook::sys_time> value) {
        key(name);
        if (!value) {
            writer_.Null();
            return;
        }
        std::array<char, daybook::timestamp_length> digits{};
        daybook::write_timestamp(digits.data(), *value);
        string({digits.data(), digits.size()});
    }

    rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

void rapidjson_writer(benchmark::State& state) {
    const auto page = full_log().query({.limit = 100});
    rapidjson::StringBuffer document;
    for (auto _ : state) {
        document.Clear();
        PeerWriter{document}.page(page);
        benchmark::DoNotOptimize(document.GetString());
    }
    if (document.GetString() != page_text()) { state.SkipWithError("the two documents are not the same"); }
}
#endif

/// A hundred instants of a year.
void timestamps(benchmark::State& state) {
    std::array<daybook::sys_time, 100> instants;
    std::uint64_t random = 1;
    for (auto& instant : instants) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const std::chrono::microseconds in_year{static_cast<std::int64_t>((random >> 11) % 31'536'000'000'000U)};
        instant = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1} + in_year;
    }
    std::array<char, daybook::timestamp_length> text{};
    for (auto _ : state) {
        for (const auto instant : instants) {
            daybook::write_timestamp(text.data(), instant);
            benchmark::DoNotOptimize(text.data());
            benchmark::ClobberMemory();
        }
    }
}

void stats_response(benchmark::State& state) {
    for (auto _ : state) { benchmark::DoNotOptimize(router().handle({.target = "/api/executions/stats"})); }
}

} // namespace

int main(int argc, char** argv) {
    using benchmark::RegisterBenchmark;
    RegisterBenchmark("json_response", json_response);
    RegisterBenchmark("copy_of_the_bytes", copy_of_the_bytes);
    RegisterBenchmark("page_of_records", page_of_records);
    RegisterBenchmark("json_writer", json_writer);
    RegisterBenchmark("raw_writer", raw_writer);
#ifdef DAYBOOK_PEER_RAPIDJSON
    RegisterBenchmark("rapidjson_writer", rapidjson_writer);
#endif
    RegisterBenchmark("timestamps", timestamps);
    RegisterBenchmark("stats_response", stats_response);
    return daybook_benchmark::run(
        argc, argv,
        {
            {"page of 100 as JSON / raw writer without checks", "json_writer", "raw_writer", 2.0},
            {"page of 100 as JSON / RapidJSON's Writer", "json_writer", "rapidjson_writer", 1.0},
            {"100 timestamps, ns", "timestamps", "", 2000.0},
            {"page of 100 as JSON / memcpy of the same bytes", "json_writer", "copy_of_the_bytes"},
            {"request to response, page of 100 / its JSON alone", "json_response", "json_writer"},
            {"request to response, page of 100, ns", "json_response"},
            {"bytes of the page", "json_response:bytes"},
        });
}
