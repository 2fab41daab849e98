// SPDX-License-Identifier: MIT
// What is particular to PostgreSQL; what all stores have to do is tested by the contract of stores.
#include "postgresql_place.hpp"
#include "support/catch.hpp"
#include "support/postgresql_server.hpp"

#include <daybook/adapters/postgresql.hpp>
#include <daybook/log/any_store.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace postgresql_store_test {
namespace {

using namespace std::chrono_literals;
using daybook::JobStatus;
using daybook::PostgresqlOptions;
using daybook::PostgresqlStore;
using daybook::StoredExecution;
using daybook::StoreError;
using daybook::StoreFailure;
using daybook_test::has_server;
using daybook_test::new_options;
using daybook_test::PostgresqlServer;
using daybook_test::soon;
using daybook_test::within;

static_assert(daybook::execution_store<PostgresqlStore> && daybook::job_store<PostgresqlStore>);
static_assert(std::is_nothrow_move_constructible_v<daybook::PostgresqlRows>);
static_assert(std::is_move_constructible_v<PostgresqlStore> && std::is_move_assignable_v<PostgresqlStore>);

using Clock = std::chrono::steady_clock;

[[nodiscard]] PostgresqlStore opened(PostgresqlOptions options) {
    PostgresqlStore store{std::move(options)};
    store.open({.node = "here"}, soon());
    return store;
}

[[nodiscard]] StoredExecution execution(daybook::ExecutionId id) {
    StoredExecution row;
    row.id = id;
    row.occurrence_id = id;
    row.job_id = "job";
    row.handler_id = "handler";
    row.status = JobStatus::success;
    row.is_final = true;
    row.position = static_cast<std::int64_t>(id);
    return row;
}

void write(PostgresqlStore& store, const StoredExecution& row, Clock::time_point deadline = soon()) {
    store.write({.executions = {&row, 1}}, deadline);
}

/// What a call complains of, if it does.
struct Complaint {
    std::optional<StoreFailure> failure;
    std::string words;
    Clock::duration took{};
};

template <class Call>
[[nodiscard]] Complaint complaint_of(Call call) {
    Complaint complaint;
    const auto begin = Clock::now();
    try {
        call();
    } catch (const StoreError& error) {
        complaint.failure = error.failure();
        complaint.words = error.what();
    }
    complaint.took = Clock::now() - begin;
    return complaint;
}

[[nodiscard]] bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

[[nodiscard]] std::string kept_text(std::string_view text) {
    std::string kept;
    daybook::append_postgresql_text(kept, text);
    return kept;
}

TEST_CASE("PostgreSQL gets U+FFFD for bytes that it cannot keep, and everything else as it is") {
    const std::string mark = "\xEF\xBF\xBD";
    for (const std::size_t before : {0U, 1U, 7U, 8U, 9U, 15U, 16U, 17U}) {
        for (const std::size_t after : {0U, 1U, 7U, 8U, 9U}) {
            const std::string head(before, 'a');
            const std::string tail(after, 'z');
            for (const std::string good : {"", "\x01", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
                CHECK(kept_text(head + good + tail) == head + good + tail);
            }
            CHECK(kept_text(head + '\0' + tail) == head + mark + tail);
            for (const std::string bad : {"\x80", "\xBF", "\xC0", "\xFF", "\xF5", "\xC2", "\xED", "\xE2", "\xF0"}) {
                CHECK(kept_text(head + bad + tail) == head + mark + tail);
            }
            for (const std::string bad : {"\xC1\xBF", "\xE2\x82", "\xC2\xC2"}) {
                CHECK(kept_text(head + bad + tail) == head + mark + mark + tail);
            }
            for (const std::string bad : {"\xED\xA0\x80", "\xE0\x80\x80", "\xF0\x9F\x92"}) {
                CHECK(kept_text(head + bad + tail) == head + mark + mark + mark + tail);
            }
        }
    }
}

TEST_CASE("an escaped byte 0 in JSON becomes U+FFFD, and what only looks like one stays") {
    const auto kept = [](std::string_view json) {
        std::string text;
        daybook::append_postgresql_json(text, json);
        return text;
    };
    CHECK(kept(R"([["a\u0000b\u0000","\u0001"]])") == "[[\"a\xEF\xBF\xBD"
                                                      "b\xEF\xBF\xBD\",\"\\u0001\"]]");
    CHECK(kept(R"([["\\u0000\n\\\u0000"]])") == "[[\"\\\\u0000\\n\\\\\xEF\xBF\xBD\"]]");
    CHECK(kept("[]") == "[]");
    CHECK(kept("\\") == "\\");
}

TEST_CASE("instants come back from PostgreSQL as they were, or as the nearest that it has") {
    using daybook::from_postgresql_instant;
    using daybook::postgresql_instant;
    using daybook::sys_time;
    using namespace std::chrono;
    CHECK(postgresql_instant(sys_days{year{2000} / 1 / 1}) == 0);
    CHECK(postgresql_instant(sys_time{}) == -946'684'800'000'000);
    const sys_time earliest = sys_days{year{-4713} / 11 / 24}; // 24 November 4714 BC
    for (const sys_time instant :
         {sys_time{}, sys_time{1us}, sys_time{-1us}, earliest, sys_time::max(), sys_time::max() - 1us}) {
        CHECK(from_postgresql_instant(postgresql_instant(instant)) == instant);
    }
    CHECK(from_postgresql_instant(postgresql_instant(earliest - 1us)) == earliest);
    CHECK(from_postgresql_instant(postgresql_instant(sys_time::min())) == earliest);
    CHECK(from_postgresql_instant(std::numeric_limits<std::int64_t>::max()) == sys_time::max()); // infinity
    CHECK(from_postgresql_instant(std::numeric_limits<std::int64_t>::min()) == sys_time::min());
}

TEST_CASE("settings that are impossible are refused where they are given, without the password") {
    const auto words_of = [](PostgresqlOptions options) -> std::string {
        try {
            const PostgresqlStore store{std::move(options)};
        } catch (const std::invalid_argument& error) { return error.what(); }
        return "";
    };
    for (const char* conninfo : {"password=open sesame", "sesame", "postgresql://user:sesame@[host/", "=sesame"}) {
        const std::string words = words_of({.conninfo = conninfo});
        CHECK(has(words, "conninfo"));
        CHECK_FALSE(has(words, "sesame"));
    }
    CHECK(has(words_of({.conninfo = std::string{"dbname=a\0b", 10}}), "conninfo"));
    CHECK(has(words_of({.schema = std::string(64, 's')}), "schema"));
    CHECK(has(words_of({.schema = std::string(1, '\0')}), "schema"));
    CHECK(has(words_of({.table_prefix = std::string(33, 'p')}), "table_prefix"));
    CHECK(has(words_of({.application_name = std::string(64, 'a')}), "application_name"));
    CHECK(has(words_of({.connect_timeout = 0ms}), "connect_timeout"));
    CHECK(words_of({.schema = std::string(63, 's'), .table_prefix = std::string(32, 'p')}).empty());
}

TEST_CASE("a store that was not opened refuses") {
    PostgresqlStore store{"host=127.0.0.1"};
    CHECK(complaint_of([&] { (void)store.retained(soon()); }).failure == StoreFailure::refused);
}

TEST_CASE("names and prefixes with odd characters are only names") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const std::string prefix = "p\"'; drop; -- ";
    const std::string schema = server.new_schema() + " \"\xC3\xBC\" 'x' \\ %s";
    auto store = opened({.conninfo = server.conninfo(), .schema = schema, .table_prefix = prefix});
    write(store, execution(1));
    store.save({.id = "job"}, soon());
    daybook::StoreQuery query{.status = JobStatus::success};
    query.filter.sort = daybook::SortBy::longest;
    query.filter.text = "%_'\"\\";
    CHECK(store.read(query, soon()).executions.empty());
    CHECK(store.count(query, 10, soon()) == 0);
    CHECK(store.find(1, soon()).has_value());
    CHECK(store.clear(soon()) == 1);
    std::string quoted;
    for (const char letter : schema) { quoted += letter == '\'' ? "''" : std::string(1, letter); }
    CHECK(server.run("SELECT count(*) FROM pg_tables WHERE schemaname = '" + quoted + "'") == "6");
}

TEST_CASE("the longest names that are allowed do not become the same") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    auto options = new_options(server);
    options.table_prefix = std::string(32, 'p');
    auto store = opened(options);
    CHECK(server.run("SELECT count(*) FROM pg_indexes WHERE schemaname = '" + options.schema + "'") == "15");
}

TEST_CASE("an empty schema is the first of the search_path") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    auto store = opened({.conninfo = server.conninfo(), .table_prefix = "by_default_"});
    CHECK(server.run("SELECT schemaname FROM pg_tables WHERE tablename = 'by_default_job'") == "public");

    PostgresqlStore nowhere{{.conninfo = server.conninfo() + " options='-c search_path=nowhere'"}};
    const auto complaint = complaint_of([&] { nowhere.open({.node = "here"}, soon()); });
    CHECK(complaint.failure == StoreFailure::refused);
    CHECK(has(complaint.words, "search_path"));
}

TEST_CASE("text that PostgreSQL cannot keep does not keep a batch from being written") {
    if (!has_server()) { return; }
    auto store = opened(new_options(PostgresqlServer::shared()));
    auto row = execution(1);
    const std::string zero(1, '\0');
    row.job_id = "a" + zero + "b";
    row.result = "\"" + zero + "\xFF\"";
    row.metadata = {{"key" + zero, "\xC0"}, {"key" + zero, "\\u0000"}};
    write(store, row);
    const auto found = store.find(1, soon());
    REQUIRE(found);
    const std::string mark = "\xEF\xBF\xBD";
    CHECK(found->job_id == "a" + mark + "b");
    CHECK(found->result == "\"" + mark + mark + "\"");
    CHECK(found->metadata ==
          std::vector<std::pair<std::string, std::string>>{{"key" + mark, mark}, {"key" + mark, "\\u0000"}});
    daybook::StoreQuery query{.status = JobStatus::success};
    query.filter.job_id = row.job_id; // asked for as it was given
    CHECK(store.read(query, soon()).executions.size() == 1);
}

TEST_CASE("a text of ten megabytes is written and read") {
    if (!has_server()) { return; }
    auto store = opened(new_options(PostgresqlServer::shared()));
    auto row = execution(1);
    for (int line = 0; row.log_text.size() < 10'000'000; ++line) { row.log_text += std::to_string(line) + "\n"; }
    write(store, row);
    CHECK(store.find(1, soon())->log_text == row.log_text);
}

TEST_CASE("a batch of several statements is written whole or not at all") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto options = new_options(server);
    auto store = opened(options);
    std::vector<StoredExecution> rows;
    for (daybook::ExecutionId id = 2500; id >= 1; --id) { rows.push_back(execution(id)); }
    (void)server.run("ALTER TABLE " + options.schema + ".job_execution ADD CONSTRAINT small CHECK (id <> 2400)");
    const auto complaint = complaint_of([&] { store.write({.executions = rows}, soon()); });
    CHECK(complaint.failure == StoreFailure::refused);
    CHECK(has(complaint.words, "23514")); // check_violation
    CHECK(store.retained(soon()) == 0);
    CHECK_FALSE(store.find(1, soon()));
    (void)server.run("ALTER TABLE " + options.schema + ".job_execution DROP CONSTRAINT small");
    store.write({.executions = rows}, soon());
    CHECK(store.retained(soon()) == 2500);
    CHECK(store.find(1, soon()));
}

TEST_CASE("the number of records kept is that of the rows, whatever was written, replaced and removed") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto options = new_options(server);
    auto store = opened(options);
    const auto counted = [&] {
        return std::stoull(server.run("SELECT count(*) FROM " + options.schema + ".job_execution"));
    };
    std::vector<StoredExecution> rows;
    for (daybook::ExecutionId id = 1; id <= 100; ++id) {
        rows.push_back(execution(id));
        if (id % 3 == 0) { rows.back().status = JobStatus::running; }
    }
    store.write({.executions = rows}, soon());
    CHECK(store.retained(soon()) == 100);
    for (auto& row : rows) { row.status = JobStatus::error; }
    rows.push_back(execution(101));
    store.write({.executions = rows}, soon());
    store.write({.executions = rows}, soon());
    CHECK(store.retained(soon()) == 101);
    CHECK(counted() == 101);
    CHECK(store.prune({.max_records = 90, .batch = 5}, soon()) == 5);
    CHECK(store.prune({.max_records = 90}, soon()) == 6);
    CHECK(store.prune({.max_records = 90}, soon()) == 0);
    CHECK(store.prune({.finished_before = daybook::sys_time{21us}}, soon()) == 9);
    CHECK(store.prune({}, soon()) == 0);
    CHECK(store.retained(soon()) == 81);
    CHECK(counted() == 81);
    CHECK(store.clear(soon()) == 81);
    CHECK(store.retained(soon()) == 0);
    CHECK(counted() == 0);
}

TEST_CASE("clear removes more than it removes at once") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto options = new_options(server);
    auto store = opened(options);
    write(store, execution(100'000));
    const std::string columns = daybook::sql::names_of(std::span{daybook::sql::execution_columns}.subspan(1));
    (void)server.run("INSERT INTO " + options.schema + ".job_execution (id, " + columns + ") SELECT number, " +
                     columns + " FROM " + options.schema + ".job_execution, generate_series(1, 40000) AS number");
    CHECK(store.clear(soon()) == 40'001);
    CHECK(server.run("SELECT count(*) FROM " + options.schema + ".job_execution") == "0");
}

TEST_CASE("a server that was restarted between two calls is found again") {
    if (!has_server()) { return; }
    PostgresqlServer server;
    auto store = opened(new_options(server));
    write(store, execution(1));
    server.restart();
    write(store, execution(2));
    CHECK(store.find(1, soon()));
    CHECK(store.retained(soon()) == 2);
    CHECK_FALSE(store.find(3, soon())); // kept statements too
}

TEST_CASE("a session that the administrator has ended is opened again") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    auto options = new_options(server);
    options.application_name = "soon ended";
    auto store = opened(options);
    write(store, execution(1));
    for (int round = 0; round < 3; ++round) {
        CHECK(
            server.run(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'soon ended'") ==
            "t");
        CHECK(store.find(1, soon()));
    }
}

/// Every call a store has, each with this much time.
template <class Check>
void for_each_call(PostgresqlStore& store, std::chrono::milliseconds time, Check check) {
    const auto row = execution(9);
    const daybook::StoreQuery query{.status = JobStatus::success};
    check(complaint_of([&] { write(store, row, within(time)); }), "write");
    check(complaint_of([&] { (void)store.read(query, within(time)); }), "read");
    check(complaint_of([&] { (void)store.count(query, 10, within(time)); }), "count");
    check(complaint_of([&] { (void)store.find(1, within(time)); }), "find");
    check(complaint_of([&] { (void)store.unfinished(within(time)); }), "unfinished");
    check(complaint_of([&] { (void)store.counters(within(time)); }), "counters");
    check(complaint_of([&] { store.fold_counters({}, within(time)); }), "fold_counters");
    check(complaint_of([&] { (void)store.retained(within(time)); }), "retained");
    check(complaint_of([&] { store.clear(within(time)); }), "clear");
    check(complaint_of([&] { store.prune({}, within(time)); }), "prune");
    check(complaint_of([&] { (void)store.jobs(within(time)); }), "jobs");
    check(complaint_of([&] { store.save({.id = "job"}, within(time)); }), "save");
    check(complaint_of([&] { store.erase("job", within(time)); }), "erase");
}

TEST_CASE("while the server is stopped each call fails in time, and when it is back each works") {
    if (!has_server()) { return; }
    PostgresqlServer server;
    auto store = opened(new_options(server));
    server.stop();
    for_each_call(store, 5s, [](const Complaint& complaint, const char* call) {
        INFO(call << ": " << complaint.words);
        CHECK(complaint.failure == StoreFailure::unavailable);
        CHECK(complaint.took < 5s);
    });
    server.start();
    for_each_call(store, 20s, [](const Complaint& complaint, const char* call) {
        INFO(call << ": " << complaint.words);
        CHECK_FALSE(complaint.failure.has_value());
    });
}

TEST_CASE("a server that no longer answers makes no call late") {
    if (!has_server()) { return; }
    PostgresqlServer server;
    auto store = opened(new_options(server));
    auto other = opened(new_options(server));
    write(store, execution(1));
    server.freeze();
    // Each time without an answer, the first on the open session, the others when opening one.
    for_each_call(store, 100ms, [](const Complaint& complaint, const char* call) {
        INFO(call << ": " << complaint.words);
        CHECK(complaint.failure == StoreFailure::unavailable);
        CHECK(complaint.took > 90ms);
        CHECK(complaint.took < 1s);
    });
    std::vector<StoredExecution> rows(500, execution(1)); // more than the sockets take
    for (std::size_t row = 0; row < rows.size(); ++row) {
        rows[row].id = row + 1;
        rows[row].log_text = std::string(20'000, 'x');
    }
    const auto complaint = complaint_of([&] { other.write({.executions = rows}, within(100ms)); });
    CHECK(complaint.failure == StoreFailure::unavailable);
    CHECK(complaint.took < 1s);
    server.thaw();
    CHECK(store.find(1, soon()));
    other.write({.executions = rows}, soon());
    CHECK(other.retained(soon()) == 500);
}

TEST_CASE("after a deadline the session that still waits is ended, and the store works on") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto options = new_options(server);
    auto store = opened(options);
    // Somebody holds the table.
    daybook::PostgresqlConnection holder{server.conninfo(), "holder", 3s};
    holder.open(soon());
    (void)holder.run(daybook::PostgresqlStep{"BEGIN"}, soon());
    (void)holder.run(daybook::PostgresqlStep{"LOCK TABLE " + options.schema + ".job_execution IN SHARE MODE"}, soon());
    const auto complaint = complaint_of([&] { write(store, execution(1), within(100ms)); });
    CHECK(complaint.failure == StoreFailure::unavailable);
    CHECK(complaint.took < 1s);
    CHECK_FALSE(store.find(1, soon())); // a new session, while the table is held
    CHECK(server.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0");
    holder.close();
    write(store, execution(1));
    CHECK(store.retained(soon()) == 1);
}

TEST_CASE("what another process writes to is busy, at once and with who it is") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    auto options = new_options(server);
    options.application_name = "the first";
    auto first = std::make_unique<PostgresqlStore>(options);
    first->open({.node = "one"}, soon());
    options.application_name.clear();
    PostgresqlStore second{options};
    const auto complaint = complaint_of([&] { second.open({.node = "two"}, soon()); });
    INFO(complaint.words);
    CHECK(complaint.failure == StoreFailure::busy);
    CHECK(has(complaint.words, "in use by another process"));
    CHECK(has(complaint.words, "\"the first\""));
    CHECK(complaint.took < 5s);
    write(*first, execution(1));
    // Other tables are nobody's business.
    auto elsewhere = options;
    elsewhere.table_prefix = "other_";
    (void)opened(elsewhere);

    first.reset();
    second.open({.node = "two"}, soon());
    CHECK(second.find(1, soon()));
    CHECK(has(server.run("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'daybook two%'"),
              "pid " + std::to_string(::getpid())));
}

TEST_CASE("who has lost its session does not write to what another process has taken meanwhile") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    auto options = new_options(server);
    options.application_name = "soon replaced";
    auto first = opened(options);
    (void)server.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'soon replaced'");
    {
        auto second = opened(options);
        CHECK(complaint_of([&] { write(first, execution(1)); }).failure == StoreFailure::busy);
        CHECK(second.retained(soon()) == 0);
    }
    write(first, execution(1));
    CHECK(first.retained(soon()) == 1);
}

TEST_CASE("stores that open an empty database at once make the tables or are told that it is busy") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    for (int round = 0; round < 8; ++round) {
        const std::string schema = server.new_schema();
        std::atomic<int> opened_ones = 0;
        std::atomic<int> busy_ones = 0;
        std::atomic<int> threads_at_the_line = 0;
        std::vector<std::string> others(4);
        std::vector<std::thread> threads;
        for (std::size_t index = 0; index < others.size(); ++index) {
            threads.emplace_back([&, index] {
                // Two want the same tables, the others their own in the same new schema.
                PostgresqlStore store{{.conninfo = server.conninfo(),
                                       .schema = schema,
                                       .table_prefix = index < 2 ? "" : "p" + std::to_string(index)}};
                ++threads_at_the_line;
                while (threads_at_the_line < 4) { std::this_thread::yield(); }
                const auto complaint = complaint_of([&] { store.open({.node = "here"}, soon()); });
                if (!complaint.failure) {
                    ++opened_ones;
                } else if (complaint.failure == StoreFailure::busy) {
                    ++busy_ones;
                } else {
                    others[index] = complaint.words;
                }
            });
        }
        for (auto& thread : threads) { thread.join(); }
        for (const auto& words : others) { CHECK(words.empty()); }
        CHECK(opened_ones >= 3);
        CHECK(opened_ones + busy_ones == 4);
    }
}

TEST_CASE("a wrong database, user or password is refused in the server's words, without the password") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto refused = [](const std::string& conninfo) {
        PostgresqlStore store{conninfo};
        const auto complaint = complaint_of([&] { store.open({.node = "here"}, soon()); });
        INFO(complaint.words);
        CHECK(complaint.failure == StoreFailure::refused);
        CHECK_FALSE(has(complaint.words, "sesame"));
        return complaint.words;
    };
    CHECK(has(refused(server.conninfo("nosuch") + " password=sesame"), "database \"nosuch\" does not exist"));
    CHECK(has(refused(server.conninfo() + " user=nobody"), "role \"nobody\" does not exist"));
    (void)server.run("CREATE ROLE careful LOGIN PASSWORD 'right'");
    server.ask_for_password("careful");
    CHECK(has(refused(server.conninfo() + " user=careful password=sesame"), "password authentication failed"));
    CHECK(has(refused(server.conninfo() + " user=careful passfile=/nonexistent"), "password"));
    // Who may connect, but make no tables.
    CHECK(has(refused(server.conninfo() + " user=careful password=right"), "permission denied"));
}

TEST_CASE("a database of another encoding is refused") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    (void)server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    PostgresqlStore store{server.conninfo("latin")};
    const auto complaint = complaint_of([&] { store.open({.node = "here"}, soon()); });
    CHECK(complaint.failure == StoreFailure::refused);
    CHECK(has(complaint.words, "LATIN1"));
}

TEST_CASE("a database that may not be written to is full") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    auto options = new_options(server);
    (void)opened(options);
    options.conninfo += " options='-c default_transaction_read_only=on'";
    auto store = opened(options);
    CHECK(complaint_of([&] { write(store, execution(1)); }).failure == StoreFailure::full);
    CHECK(store.retained(soon()) == 0);
}

TEST_CASE("tables of a newer version, and tables of somebody else, are refused") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto options = new_options(server);
    (void)opened(options);
    (void)server.run("UPDATE " + options.schema + ".daybook_schema SET version = 3");
    PostgresqlStore store{options};
    auto complaint = complaint_of([&] { store.open({.node = "here"}, soon()); });
    CHECK(complaint.failure == StoreFailure::refused);
    CHECK(has(complaint.words, "have the version 3"));
    (void)server.run("UPDATE " + options.schema + ".daybook_schema SET version = 2");
    store.open({.node = "here"}, soon()); // nothing of the failure has stayed

    const auto strange = new_options(server);
    (void)server.run("CREATE SCHEMA " + strange.schema + "; CREATE TABLE " + strange.schema + ".job (name text)");
    PostgresqlStore other{strange};
    complaint = complaint_of([&] { other.open({.node = "here"}, soon()); });
    CHECK(complaint.failure == StoreFailure::refused);
    CHECK(has(complaint.words, "already exists"));
    CHECK(server.run("SELECT count(*) FROM pg_tables WHERE schemaname = '" + strange.schema + "'") == "1");
}

TEST_CASE("tables that somebody changes do not confuse a store") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    const auto options = new_options(server);
    auto store = opened(options);
    auto row = execution(1);
    row.error = "no";
    write(store, row);
    REQUIRE(store.find(1, soon()));
    const std::string table = options.schema + ".job_execution";
    (void)server.run("ALTER TABLE " + table + " ADD COLUMN note text");
    CHECK(store.find(1, soon()));
    (void)server.run("ALTER TABLE " + table + " ALTER COLUMN error TYPE bytea USING null");
    CHECK(complaint_of([&] { (void)store.find(1, soon()); }).failure == StoreFailure::unavailable); // an outdated plan
    (void)server.run("UPDATE " + table + " SET error = 'x'");
    const auto complaint = complaint_of([&] { (void)store.find(1, soon()); });
    CHECK(complaint.failure == StoreFailure::refused);
    CHECK(has(complaint.words, "error"));
    (void)server.run("ALTER TABLE " + table + " ALTER COLUMN error TYPE text USING 'no'");
    (void)complaint_of([&] { (void)store.find(1, soon()); });
    CHECK(store.find(1, soon())->error == "no");
    (void)server.run("UPDATE " + table + " SET status = 'sleeping'");
    CHECK(complaint_of([&] { (void)store.find(1, soon()); }).failure == StoreFailure::refused);
}

TEST_CASE("a store that was moved works on") {
    if (!has_server()) { return; }
    auto store = opened(new_options(PostgresqlServer::shared()));
    write(store, execution(1));
    PostgresqlStore moved{std::move(store)};
    CHECK(moved.find(1, soon()));
    const daybook::AnyStore any{std::move(moved)};
    CHECK(any.retained(soon()) == 1);
}

TEST_CASE("a host that does not answer leaves time for the next one") {
    if (!has_server()) { return; }
    auto& server = PostgresqlServer::shared();
    PostgresqlServer silent;
    silent.freeze();
    auto options = new_options(server);
    options.conninfo = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(silent.port()) + "," +
                       std::to_string(server.port()) + " user=test dbname=postgres";
    options.connect_timeout = 100ms;
    auto store = opened(options);
    write(store, execution(1));
    CHECK(store.retained(soon()) == 1);
    store.close();
    options.connect_timeout = 1h; // the deadline alone
    PostgresqlStore patient{options};
    CHECK_FALSE(complaint_of([&] { patient.open({.node = "here"}, within(6s)); }).failure.has_value());
}

TEST_CASE("a standby that is promoted takes over with what was written") {
    if (!has_server()) { return; }
    PostgresqlServer primary;
    const auto standby = primary.standby();
    auto options = new_options(primary);
    options.conninfo = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(standby->port()) + "," +
                       std::to_string(primary.port()) + " user=test dbname=postgres target_session_attrs=read-write";
    auto store = opened(options);
    write(store, execution(1));
    // Until the standby has it.
    const std::string end = primary.run("SELECT pg_current_wal_flush_lsn()");
    const auto until = soon();
    while (standby->run("SELECT pg_last_wal_replay_lsn() >= '" + end + "'") != "t") { REQUIRE(Clock::now() < until); }

    primary.stop();
    const auto complaint = complaint_of([&] { write(store, execution(2)); });
    CHECK(complaint.failure == StoreFailure::unavailable); // a standby does not count
    standby->promote();
    write(store, execution(2));
    CHECK(store.find(1, soon()));
    CHECK(store.retained(soon()) == 2);
    CHECK(standby->run("SELECT count(*) FROM " + options.schema + ".job_execution") == "2");
}

} // namespace
} // namespace postgresql_store_test
