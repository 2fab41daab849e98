// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/adapters/sqlite.hpp>
#include <daybook/log/any_store.hpp>

#include <sqlite3.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sqlite_test {
namespace {

using namespace std::chrono_literals;
using daybook::JobStatus;
using daybook::SqliteConnection;
using daybook::SqliteOptions;
using daybook::SqliteStore;
using daybook::StoredExecution;
using daybook::StoreError;
using daybook::StoreFailure;
using daybook::StoreQuery;
namespace fs = std::filesystem;

daybook::StoreDeadline soon() { return std::chrono::steady_clock::now() + 20s; }

/// A folder that goes with all that is in it.
class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "daybook_sqlite_XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string file(std::string_view name = "daybook.db") const { return (path_ / name).string(); }

private:
    fs::path path_;
};

StoredExecution finished(std::uint64_t id, std::string job = "job") {
    StoredExecution row;
    row.id = id;
    row.occurrence_id = id;
    row.job_id = std::move(job);
    row.handler_id = "handler";
    row.status = JobStatus::success;
    row.is_final = true;
    row.started_at = daybook::sys_time{1705314600s} + std::chrono::microseconds{id};
    row.position = row.started_at->time_since_epoch().count();
    row.duration = 5ms;
    return row;
}

void write(SqliteStore& store, const std::vector<StoredExecution>& rows) { store.write({.executions = rows}, soon()); }

SqliteStore opened(const std::string& path) {
    SqliteStore store{path};
    store.open({.node = "here"}, soon());
    return store;
}

/// What is thrown, if it is a StoreError: the kind and the sentence.
std::pair<std::optional<StoreFailure>, std::string> failure_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const StoreError& error) { return {error.failure(), error.what()}; }
    return {};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Another program that uses the file.
class Other {
public:
    explicit Other(const std::string& path) { REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK); }
    Other(const Other&) = delete;
    Other& operator=(const Other&) = delete;
    ~Other() { sqlite3_close(handle_); }

    /// The first value of the first row, as text.
    std::string ask(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        REQUIRE(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
        std::string answer;
        if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr) {
            answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        }
        sqlite3_finalize(statement);
        return answer;
    }
    void run(const std::string& sql) {
        INFO(sql);
        REQUIRE(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    }

private:
    sqlite3* handle_ = nullptr;
};

std::vector<std::uint64_t> ids_of(SqliteStore& store, StoreQuery query) {
    if (query.status.empty()) { query.status = JobStatus::success; }
    std::vector<std::uint64_t> ids;
    for (const auto& row : store.read(query, soon()).executions) { ids.push_back(row.id); }
    return ids;
}

/// Runs a body in a child process. @returns What the body returned.
int in_child(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) {
        int code = 99;
        try {
            code = body();
        } catch (...) {}
        _exit(code);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

TEST_CASE("what an SQLite store is given comes back byte by byte, whatever it is") {
    SqliteStore store = opened(":memory:");
    StoredExecution row = finished(daybook::ExecutionId{1} << 52);
    row.occurrence_id = std::numeric_limits<std::uint64_t>::max();
    row.job_id = std::string{"a\0b", 3};
    row.method_name = "\xFF\xFE not UTF-8";
    row.scheduled_at = daybook::sys_time::min();
    row.queued_at = daybook::sys_time{-1us};
    row.completed_at = daybook::sys_time::max();
    row.duration = std::chrono::nanoseconds::max();
    row.status = JobStatus::abandoned;
    row.result = "";
    row.error = "100 % _ ' \" \\ ; DROP TABLE job_execution; --";
    row.attempt_number = std::numeric_limits<std::uint32_t>::max();
    row.trigger = daybook::Trigger::catch_up;
    row.records_processed = std::numeric_limits<std::uint64_t>::max();
    row.progress = daybook::Progress{1, 0, 3};
    row.worker = 0;
    row.node = "knot";
    row.reason = daybook::SkipReason::cancelled_while_queued;
    row.skip_count = 7;
    row.skip_count_is_minimum = true;
    row.dst = daybook::ClockChange::second_of_two;
    row.log_text = "line\nline\r\n\t\x01";
    row.parameters = "{}";
    row.metadata = {{"", ""}, {"k", "\"\\/\n"}, {"k", "2"}, {"a", std::string{"\0\x1F", 2}}, {"é", "\xC3"}};
    write(store, {row});

    const auto found = store.find(row.id, soon());
    REQUIRE(found);
    CHECK(found->occurrence_id == row.occurrence_id);
    CHECK(found->job_id == row.job_id);
    CHECK(found->handler_id == row.handler_id);
    CHECK(found->method_name == row.method_name);
    CHECK(found->scheduled_at == row.scheduled_at);
    CHECK(found->queued_at == row.queued_at);
    CHECK(found->started_at == row.started_at);
    CHECK(found->completed_at == row.completed_at);
    CHECK(found->duration == row.duration);
    CHECK(found->status == row.status);
    CHECK(found->result == row.result);
    CHECK(found->error == row.error);
    CHECK(found->attempt_number == row.attempt_number);
    CHECK(found->is_final);
    CHECK(found->trigger == row.trigger);
    CHECK(found->records_processed == row.records_processed);
    CHECK(found->progress == row.progress);
    CHECK(found->worker == row.worker);
    CHECK(found->node == row.node);
    CHECK(found->reason == row.reason);
    CHECK(found->skip_count == row.skip_count);
    CHECK(found->skip_count_is_minimum);
    CHECK(found->dst == row.dst);
    CHECK(found->log_text == row.log_text);
    CHECK(found->parameters == row.parameters);
    CHECK(found->metadata == row.metadata);
    CHECK(found->position == row.position);
}

TEST_CASE("an SQLite file has the history, the jobs and the counts when it is opened again") {
    const Folder folder;
    daybook::StoredJob job;
    job.id = "nightly";
    job.schedule = "0 0 3 * * *";
    job.retry = daybook::ExponentialBackoff{.max_attempts = 4, .first_delay = 3s, .factor = 1.5, .jitter = 0.25};
    job.timeout = 30s;
    job.overlap = daybook::Overlap::queue_one;
    job.left = 3;
    job.created_at = daybook::sys_time{5s};
    daybook::StoredCounters counters;
    counters.node = "here";
    counters.scope = daybook::CounterScope::hour;
    counters.name = "handler";
    counters.period = daybook::sys_time{3600s};
    counters.success = 12;
    counters.duration = {3, 1.5e9, -1, 7, "1:2 5:1"};
    {
        SqliteStore store = opened(folder.file());
        store.save(job, soon());
        const std::vector<StoredExecution> rows{finished(1), finished(2)};
        const std::vector<daybook::AccountedTime> accounted{{"nightly", daybook::sys_time{77s}},
                                                            {"unknown", daybook::sys_time{78s}}};
        store.write({.executions = rows, .accounted = accounted, .counters = std::span{&counters, 1}}, soon());
    }
    SqliteStore store = opened(folder.file());
    CHECK(store.retained(soon()) == 2);
    CHECK(ids_of(store, {}) == std::vector<std::uint64_t>{2, 1});
    CHECK(store.counters(soon()) == std::vector{counters});
    const auto jobs = store.jobs(soon());
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].id == "nightly");
    CHECK(jobs[0].schedule == job.schedule);
    REQUIRE(jobs[0].retry);
    CHECK(jobs[0].retry->max_attempts == 4);
    CHECK(jobs[0].retry->first_delay == 3s);
    CHECK(jobs[0].retry->factor == 1.5);
    CHECK(jobs[0].retry->max_delay == 1h);
    CHECK(jobs[0].retry->jitter == 0.25);
    CHECK(jobs[0].timeout == 30s);
    CHECK(jobs[0].overlap == daybook::Overlap::queue_one);
    CHECK_FALSE(jobs[0].misfire);
    CHECK(jobs[0].left == 3);
    CHECK(jobs[0].accounted_to == daybook::sys_time{77s});
    CHECK(jobs[0].created_at == job.created_at);
}

TEST_CASE("a second SQLite store on the same file is refused as long as the first is there") {
    const Folder folder;
    fs::create_symlink(folder.file(), folder.file("link.db"));
    auto first = std::make_unique<SqliteStore>(folder.file());
    first->open({.node = "here"}, soon());
    write(*first, {finished(1)});

    for (const std::string name : {"daybook.db", "link.db"}) {
        SqliteStore second{folder.file(name)};
        const auto [failure, what] = failure_of([&] { second.open({.node = "there"}, soon()); });
        CHECK(failure == StoreFailure::busy);
        CHECK(has(what, name + " is in use by another store of this process"));
        CHECK(failure_of([&] { write(second, {finished(2)}); }).first == StoreFailure::refused);
    }
    CHECK(failure_of([&] { first->open({.node = "here"}, soon()); }).first == StoreFailure::busy);
    write(*first, {finished(2)});

    first.reset();
    SqliteStore second = opened(folder.file("link.db"));
    CHECK(second.retained(soon()) == 2);
}

TEST_CASE("an SQLite file that another process writes to is refused until that process is gone, even killed") {
    const Folder folder;
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    const pid_t child = fork();
    if (child == 0) {
        SqliteStore store = opened(folder.file());
        if (::write(pipes[1], "x", 1) != 1) { _exit(1); }
        while (true) { pause(); }
    }
    char ready = 0;
    REQUIRE(read(pipes[0], &ready, 1) == 1);
    SqliteStore store{folder.file()};
    const auto [failure, what] = failure_of([&] { store.open({.node = "here"}, soon()); });
    CHECK(failure == StoreFailure::busy);
    CHECK(has(what, "is in use by another process (" + std::to_string(child) + ")"));

    REQUIRE(kill(child, SIGKILL) == 0);
    REQUIRE(waitpid(child, nullptr, 0) == child);
    close(pipes[0]);
    close(pipes[1]);
    store.open({.node = "here"}, soon());
    write(store, {finished(1)});
    CHECK(store.retained(soon()) == 1);
}

TEST_CASE("a path that cannot be an SQLite file is refused with the reason") {
    const Folder folder;
    const auto open = [](const std::string& path) { return failure_of([&] { static_cast<void>(opened(path)); }); };
    const auto [missing, why_missing] = open(folder.file("no/such/folder.db"));
    CHECK(missing == StoreFailure::refused);
    CHECK(has(why_missing, "there is no directory"));

    fs::create_directory(folder.file("directory"));
    const auto [directory, why_directory] = open(folder.file("directory"));
    CHECK(directory == StoreFailure::refused);
    CHECK(has(why_directory, "it is a directory"));

    std::ofstream{folder.file("text")} << std::string(8192, 'x');
    const auto [text, why_text] = open(folder.file("text"));
    CHECK(text == StoreFailure::refused);
    CHECK(has(why_text, "file is not a database"));

    const auto [long_name, why_long] = open(folder.file(std::string(300, 'x')));
    CHECK(long_name == StoreFailure::refused);
    CHECK_FALSE(why_long.empty());
}

TEST_CASE("SQLite options out of their range are refused at once") {
    CHECK_THROWS_AS(SqliteStore{""}, std::invalid_argument);
    CHECK_THROWS_AS((SqliteStore{std::string{"a\0b", 3}}), std::invalid_argument);
    CHECK_THROWS_AS((SqliteStore{SqliteOptions{.path = "x", .cache_kib = 0}}), std::invalid_argument);
    for (const char* prefix : {"1a", "a b", "a;b", "sqlite_x", "SQLite_", "é", "a\"", "a-b"}) {
        INFO(prefix);
        CHECK_THROWS_AS((SqliteStore{SqliteOptions{.path = "x", .table_prefix = prefix}}), std::invalid_argument);
    }
    CHECK_THROWS_AS((SqliteStore{SqliteOptions{.path = "x", .table_prefix = std::string(41, 'a')}}),
                    std::invalid_argument);
}

TEST_CASE("SQLite stores with different prefixes keep apart in one file") {
    const Folder folder;
    const auto with_prefix = [&](std::string prefix) {
        SqliteStore store{SqliteOptions{.path = folder.file(), .table_prefix = std::move(prefix)}};
        store.open({.node = "here"}, soon());
        return store;
    };
    write(*std::make_unique<SqliteStore>(with_prefix("one_")), {finished(1)});
    CHECK(std::make_unique<SqliteStore>(with_prefix("two_"))->retained(soon()) == 0);
    CHECK(std::make_unique<SqliteStore>(with_prefix("one_"))->retained(soon()) == 1);
    CHECK(Other{folder.file()}.ask("SELECT count(*) FROM one_job_execution") == "1");
}

TEST_CASE("SQLite tables of a later version are refused, and tables of somebody else are left alone") {
    const Folder folder;
    static_cast<void>(opened(folder.file()));
    Other{folder.file()}.run("UPDATE daybook_schema SET version = 2");
    const auto [later, why_later] = failure_of([&] { static_cast<void>(opened(folder.file())); });
    CHECK(later == StoreFailure::refused);
    CHECK(has(why_later, "has tables of version 2; this version of Daybook knows version 1"));

    Other{folder.file("other.db")}.run("CREATE TABLE job (title TEXT); INSERT INTO job VALUES ('cook')");
    const auto [foreign, why_foreign] = failure_of([&] { static_cast<void>(opened(folder.file("other.db"))); });
    CHECK(foreign == StoreFailure::refused);
    CHECK(has(why_foreign, "table job already exists"));
    Other other{folder.file("other.db")};
    CHECK(other.ask("SELECT title FROM job") == "cook");
    CHECK(other.ask("SELECT count(*) FROM sqlite_master") == "1");
}

TEST_CASE("a damaged SQLite file is an error and no crash") {
    const Folder folder;
    std::vector<StoredExecution> rows;
    for (std::uint64_t id = 1; id <= 3000; ++id) { rows.push_back(finished(id)); }
    {
        SqliteStore store = opened(folder.file());
        write(store, rows);
    }
    const auto size = fs::file_size(folder.file());
    REQUIRE(size > 100'000);
    for (std::size_t page = 4096 * 12; page + 4096 <= size; page += 4096) {
        std::fstream file{folder.file(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(static_cast<std::streamoff>(page));
        file << std::string(4096, '\xA5');
    }
    const auto [failure, what] = failure_of([&] {
        SqliteStore store = opened(folder.file());
        static_cast<void>(ids_of(store, {.limit = 5000}));
    });
    CHECK(failure == StoreFailure::refused);
    CHECK(has(what, "malformed"));
}

TEST_CASE("an SQLite file that may not grow any more is full, and works again when it may") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    write(store, {finished(1)});
    std::vector<StoredExecution> rows;
    for (std::uint64_t id = 2; id <= 3000; ++id) {
        rows.push_back(finished(id));
        rows.back().log_text = std::string(1000, 'x');
    }
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    REQUIRE(sigaction(SIGXFSZ, &ignore, &before) == 0);
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    rlimit small = limit;
    small.rlim_cur = 1'000'000;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto first = failure_of([&] { write(store, rows); });
    const auto second = failure_of([&] { write(store, rows); });
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    REQUIRE(sigaction(SIGXFSZ, &before, nullptr) == 0);
    CHECK(first.first == StoreFailure::full);
    CHECK(second.first == StoreFailure::full);
    CHECK(store.retained(soon()) == 1);
    write(store, rows);
    CHECK(store.retained(soon()) == 3000);
    CHECK(Other{folder.file()}.ask("PRAGMA integrity_check") == "ok");
}

TEST_CASE("SQLITE_FULL is full, and what comes next works when there is room") {
    const Folder folder;
    SqliteConnection connection{folder.file(), soon()};
    connection.run("CREATE TABLE t (x); PRAGMA max_page_count = 20");
    const auto fill = [&] {
        SqliteConnection::Transaction transaction{connection};
        connection.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
                       "INSERT INTO t SELECT zeroblob(1000) FROM n");
        transaction.commit();
    };
    const auto [failure, what] = failure_of(fill);
    CHECK(failure == StoreFailure::full);
    CHECK(has(what, "database or disk is full"));
    connection.run("PRAGMA max_page_count = 1000000");
    CHECK_FALSE(failure_of(fill).first);
}

TEST_CASE("an SQLite file or folder that may not be written to is full") {
    const Folder folder;
    static_cast<void>(opened(folder.file()));
    fs::create_directory(folder.file("closed"));
    static_cast<void>(opened(folder.file("closed/daybook.db")));
    fs::remove(folder.file("closed/daybook.db.lock"));
    fs::permissions(fs::path{folder.file()}.parent_path(), fs::perms::all);
    fs::permissions(folder.file(), fs::perms{0444});
    fs::permissions(folder.file("daybook.db.lock"), fs::perms{0666});
    fs::permissions(folder.file("closed"), fs::perms{0555});
    const auto refusal = [](const std::string& path) {
        // Root may write to everything.
        if (geteuid() == 0 && seteuid(65534) != 0) { return 98; }
        const auto failure = failure_of([&] {
            SqliteStore store = opened(path);
            write(store, {finished(1)});
        });
        return failure.first ? static_cast<int>(*failure.first) : 97;
    };
    CHECK(in_child([&] { return refusal(folder.file()); }) == static_cast<int>(StoreFailure::full));
    CHECK(in_child([&] { return refusal(folder.file("closed/daybook.db")); }) == static_cast<int>(StoreFailure::full));
    fs::permissions(folder.file("closed"), fs::perms::owner_all);
}

TEST_CASE("an SQLite statement that takes too long is given up at its deadline, and the next one works") {
    SqliteConnection connection{":memory:", soon()};
    const auto begin = std::chrono::steady_clock::now();
    connection.begin_call(begin + 50ms);
    const auto [failure, what] = failure_of([&] {
        connection.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
    });
    CHECK(failure == StoreFailure::unavailable);
    CHECK(has(what, "the deadline has passed"));
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
    connection.begin_call(soon());
    CHECK_FALSE(failure_of([&] { connection.run("SELECT 1"); }).first);
}

TEST_CASE("an SQLite store does nothing after the deadline, and nothing before it is open") {
    SqliteStore store{":memory:"};
    CHECK(failure_of([&] { static_cast<void>(store.retained(soon())); }).first == StoreFailure::refused);
    store.open({.node = "here"}, soon());
    const std::vector<StoredExecution> rows{finished(1)};
    const auto past = std::chrono::steady_clock::now() - 1s;
    CHECK(failure_of([&] { store.write({.executions = rows}, past); }).first == StoreFailure::unavailable);
    CHECK(store.retained(soon()) == 0);
    SqliteStore late{":memory:"};
    CHECK(failure_of([&] { late.open({.node = "here"}, past); }).first == StoreFailure::unavailable);
    late.open({.node = "here"}, soon());
    CHECK(late.retained(soon()) == 0);
}

TEST_CASE("an SQLite store waits for a program that writes to its file, until the deadline") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    Other other{folder.file()};
    other.run("BEGIN IMMEDIATE");
    const std::vector<StoredExecution> rows{finished(1)};
    const auto begin = std::chrono::steady_clock::now();
    const auto [failure, what] = failure_of([&] { store.write({.executions = rows}, begin + 60ms); });
    CHECK(failure == StoreFailure::busy);
    CHECK(has(what, "database is locked"));
    CHECK(std::chrono::steady_clock::now() - begin >= 60ms);

    std::thread releasing{[&] {
        std::this_thread::sleep_for(20ms);
        other.run("COMMIT");
    }};
    const auto waited = failure_of([&] { write(store, rows); });
    releasing.join();
    CHECK_FALSE(waited.first);
    CHECK(store.retained(soon()) == 1);
}

TEST_CASE("who reads an SQLite file keeps nobody from writing to it") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    write(store, {finished(1)});
    Other reader{folder.file()};
    reader.run("BEGIN");
    CHECK(reader.ask("SELECT count(*) FROM job_execution") == "1");
    write(store, {finished(2)});
    CHECK(store.clear(soon()) == 2);
    CHECK(reader.ask("SELECT count(*) FROM job_execution") == "1");
    reader.run("COMMIT");
    CHECK(reader.ask("SELECT count(*) FROM job_execution") == "0");
}

TEST_CASE("people read instants in the view of an SQLite file") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    StoredExecution row = finished(1);
    row.started_at = daybook::sys_time{1'705'314'600'123'456us};
    row.queued_at = daybook::sys_time{-1us};
    row.completed_at = daybook::sys_time{0us};
    write(store, {row});
    Other other{folder.file()};
    CHECK(other.ask("SELECT started_at FROM job_execution_readable") == "2024-01-15T10:30:00.123456Z");
    CHECK(other.ask("SELECT queued_at FROM job_execution_readable") == "1969-12-31T23:59:59.999999Z");
    CHECK(other.ask("SELECT completed_at FROM job_execution_readable") == "1970-01-01T00:00:00.000000Z");
    CHECK(other.ask("SELECT scheduled_at IS NULL FROM job_execution_readable") == "1");
    CHECK(other.ask("SELECT status FROM job_execution_readable") == "success");
}

TEST_CASE("a word, a number or metadata in an SQLite file that no version has written is refused by its column") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    write(store, {finished(1)});
    Other other{folder.file()};
    const auto spoilt = [&](const std::string& column, const std::string& value) {
        const std::string before = other.ask("SELECT quote(" + column + ") FROM job_execution");
        other.run("UPDATE job_execution SET " + column + " = " + value);
        const auto failure = failure_of([&] { static_cast<void>(store.find(1, soon())); });
        other.run("UPDATE job_execution SET " + column + " = " + before);
        return failure.first == StoreFailure::refused ? failure.second : std::string{};
    };
    CHECK(has(spoilt("status", "'lost'"), "the column status holds the unknown word 'lost'"));
    CHECK(has(spoilt("triggered_by", "'unknown'"), "the column triggered_by holds the unknown word 'unknown'"));
    CHECK(has(spoilt("dst", "''"), "the column dst"));
    CHECK(has(spoilt("attempt_number", "-1"), "the column attempt_number holds the number -1"));
    for (const std::string json :
         {"", "{}", "[", "[[]]", "[[\"a\"]]", "[[\"a\",1]]", "[[\"a\",\"b\"]", "[[\"a\",\"b\"]]x",
          "[[\"\\u12\",\"b\"]]", "[[\"\\x\",\"b\"]]", "[[\"a\",\"b\"],]"}) {
        INFO(json);
        CHECK(has(spoilt("metadata", "'" + json + "'"), "the column metadata"));
    }
    CHECK(store.find(1, soon()));
}

TEST_CASE("metadata that somebody has written in another way is read all the same") {
    const daybook::sql::Metadata expected{{"a", "\b\f\n\r\t/\\\""}, {"\xC3\xA9\xF0\x9F\x98\x80", "\xE2\x82\xAC"}};
    CHECK(daybook::sql::read_metadata(
              " [ [\"a\" , \"\\b\\f\\n\\r\\t\\/\\\\\\\"\"],\n[\"\\u00e9\\uD83D\\ude00\",\"\\u20AC\"] ] ") == expected);
    CHECK(daybook::sql::read_metadata(" [ ] ").empty());
}

TEST_CASE("SQLite looks for a text as it is, in errors and in what results say") {
    SqliteStore store = opened(":memory:");
    std::vector<StoredExecution> rows;
    const auto add = [&](std::optional<std::string> result, std::optional<std::string> error) {
        rows.push_back(finished(rows.size() + 1));
        rows.back().result = std::move(result);
        rows.back().error = std::move(error);
    };
    add("\"He said \\\"100 %\\\"\\n\\u00e9\"", {}); // 1
    add({}, "Disk FULL_\xC3\x89");                  // 2
    add("{\"path\":\"a\\\\b\"}", "");               // 3
    add({}, {});                                    // 4
    write(store, rows);
    const auto with = [&](std::string text) {
        StoreQuery query;
        query.filter.text = std::move(text);
        return ids_of(store, query);
    };
    using Ids = std::vector<std::uint64_t>;
    CHECK(with("HE SAID \"100") == Ids{1});
    CHECK(with("%") == Ids{1});
    CHECK(with("_") == Ids{2});
    CHECK(with("\n\xC3\xA9") == Ids{1});
    CHECK(with("n\\u00e9").empty());
    CHECK(with("disk full_\xC3\x89") == Ids{2});
    CHECK(with("full_\xC3\xA9").empty());
    CHECK(with("a\\\\b") == Ids{3});
    CHECK(with("\"path\"") == Ids{3});
    CHECK(with(std::string(2000, 'x')).empty());
}

TEST_CASE("the pages of an SQLite history come from an index, with nothing to sort") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    std::vector<StoredExecution> rows;
    for (std::uint64_t id = 1; id <= 2000; ++id) { rows.push_back(finished(id)); }
    write(store, rows);
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(folder.file().c_str(), &handle) == SQLITE_OK);
    const auto plan = [&](const StoreQuery& query) {
        std::string sql = daybook::sql::Search{daybook::sql::Dialect::sqlite, "job_execution", query}.page("*").text;
        sql.insert(0, "EXPLAIN QUERY PLAN ");
        sqlite3_stmt* statement = nullptr;
        REQUIRE(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
        std::string all;
        while (sqlite3_step(statement) == SQLITE_ROW) {
            all += reinterpret_cast<const char*>(sqlite3_column_text(statement, 3));
            all += '\n';
        }
        sqlite3_finalize(statement);
        return all;
    };
    const daybook::StatusSet all{JobStatus::queued,  JobStatus::running,   JobStatus::success,  JobStatus::error,
                                 JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
    const auto check = [&](StoreQuery query, const std::string& index) {
        if (query.status.empty()) { query.status = all; }
        for (const auto sort : {daybook::SortBy::newest, daybook::SortBy::oldest}) {
            query.filter.sort = sort;
            for (const bool goes_on : {false, true}) {
                query.after = goes_on ? std::optional{daybook::StorePlace{5, 6}} : std::nullopt;
                const std::string found = plan(query);
                INFO(found);
                CHECK(has(found, "USING INDEX job_execution_by_" + index));
                CHECK_FALSE(has(found, "TEMP B-TREE"));
                const bool bounds = has(found, "position<?") || has(found, "position>?");
                CHECK((!goes_on || bounds));
            }
        }
    };
    check({}, "position");
    StoreQuery query;
    query.filter.job_id = "job";
    check(query, "job");
    query.status = JobStatus::error;
    check(query, "job");
    query = {};
    query.filter.handler_id = "handler";
    check(query, "handler");
    query = {};
    query.filter.occurrence_id = 5;
    check(query, "occurrence");
    query = {};
    query.status = JobStatus::timeout;
    check(query, "failure");
    query.status = daybook::StatusSet::failures();
    check(query, "failure");
    query.status = {JobStatus::queued, JobStatus::running};
    check(query, "unfinished");
    query.status = JobStatus::success;
    check(query, "position");
    query = {};
    query.filter.attempts = daybook::Attempts::last;
    check(query, "position");
    sqlite3_close(handle);
}

TEST_CASE("an SQLite file that is removed under a store takes no more writes") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    write(store, {finished(1)});
    fs::remove(folder.file());
    const auto [failure, what] = failure_of([&] { write(store, {finished(2)}); });
    CHECK(failure == StoreFailure::refused);
    CHECK(has(what, "was removed or replaced"));
}

TEST_CASE("SQLite statements that are asked in a thousand ways do not pile up") {
    SqliteStore store = opened(":memory:");
    write(store, {finished(1)});
    for (unsigned bits = 0; bits < 256; ++bits) {
        StoreQuery query;
        if ((bits & 1U) != 0) { query.filter.job_id = "job"; }
        if ((bits & 2U) != 0) { query.filter.handler_id = "handler"; }
        if ((bits & 4U) != 0) { query.filter.started_from = daybook::sys_time{}; }
        if ((bits & 8U) != 0) { query.filter.min_duration = 5ms; }
        if ((bits & 16U) != 0) { query.filter.max_duration = 5ms; }
        if ((bits & 32U) != 0) { query.filter.attempt_number = 1; }
        if ((bits & 64U) != 0) { query.filter.finality = daybook::Finality::final_attempt; }
        if ((bits & 128U) != 0) { query.filter.occurrence_id = 1; }
        CHECK(ids_of(store, query) == std::vector<std::uint64_t>{1});
    }
}

TEST_CASE("an SQLite store that was moved goes on, also as any store") {
    const Folder folder;
    SqliteStore first = opened(folder.file());
    write(first, {finished(1)});
    SqliteStore second = std::move(first);
    write(second, {finished(2)});
    const daybook::AnyStore any{std::move(second)};
    CHECK(any.retained(soon()) == 2);
    CHECK(failure_of([&] { SqliteStore{folder.file()}.open({.node = "here"}, soon()); }).first == StoreFailure::busy);
}

TEST_CASE("SQLite databases in memory are apart from each other, and make no file") {
    SqliteStore first = opened(":memory:");
    SqliteStore second = opened(":memory:");
    write(first, {finished(1)});
    CHECK(second.retained(soon()) == 0);
    CHECK_FALSE(fs::exists(":memory:"));
    CHECK_FALSE(fs::exists(":memory:.lock"));
}

TEST_CASE("a batch that SQLite refuses in the midst leaves nothing behind") {
    const Folder folder;
    SqliteStore store = opened(folder.file());
    Other{folder.file()}.run("CREATE TRIGGER no BEFORE INSERT ON job_execution WHEN new.id = 500 "
                             "BEGIN SELECT raise(ABORT, 'not this one'); END");
    std::vector<StoredExecution> rows;
    for (std::uint64_t id = 1; id <= 1000; ++id) { rows.push_back(finished(id)); }
    const auto [failure, what] = failure_of([&] { write(store, rows); });
    CHECK(failure == StoreFailure::refused);
    CHECK(has(what, "not this one"));
    CHECK(store.retained(soon()) == 0);
    CHECK(ids_of(store, {.limit = 2000}).empty());
    Other{folder.file()}.run("DROP TRIGGER no");
    write(store, rows);
    CHECK(store.retained(soon()) == 1000);
}

} // namespace sqlite_test
