// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/adapters/sqlite.hpp>

#include <sqlite3.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace sqlite_crash_test {
namespace {

using namespace std::chrono_literals;
using daybook::SqliteOptions;
using daybook::SqliteStore;
using daybook::StoredExecution;

daybook::StoreDeadline soon() { return std::chrono::steady_clock::now() + 30s; }

/// Everything in it follows from the id, so that what comes back can be checked.
StoredExecution row_of(std::uint64_t id) {
    StoredExecution row;
    row.id = id;
    row.occurrence_id = id;
    row.job_id = "job_" + std::to_string(id % 20);
    row.handler_id = "handler_" + std::to_string(id % 5);
    row.status = daybook::JobStatus::success;
    row.is_final = true;
    row.position = static_cast<std::int64_t>(id) * 1000;
    row.result = "\"" + std::string(id % 300, static_cast<char>('a' + id % 26)) + "\"";
    row.metadata = {{"id", std::to_string(id)}};
    return row;
}

/// Batches that follow upon `last`, for ever. After each one its last id goes into the pipe; in the same batch a
/// counter says how many rows there are, and the last row of the one before, which was running, ends.
[[noreturn]] void write_until_killed(const std::string& path, int pipe, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    SqliteStore store{SqliteOptions{.path = path,
                                    .synchronous = seed % 2 == 0 ? daybook::SqliteSynchronous::normal
                                                                 : daybook::SqliteSynchronous::full}};
    store.open({.node = "child"}, soon());
    std::uint64_t last = store.retained(soon());
    while (true) {
        std::vector<StoredExecution> rows;
        if (last != 0) { rows.push_back(row_of(last)); }
        const std::uint64_t size = 1 + random() % (random() % 2 == 0 ? 10 : 1000);
        for (std::uint64_t next = 0; next < size; ++next) { rows.push_back(row_of(++last)); }
        rows.back().status = daybook::JobStatus::running;
        rows.back().is_final = false;
        daybook::StoredCounters counters;
        counters.scope = daybook::CounterScope::lifetime;
        counters.success = last;
        store.write({.executions = rows, .counters = {&counters, 1}}, soon());
        if (::write(pipe, &last, sizeof last) != sizeof last) { _exit(3); }
    }
}

std::string integrity_of(const std::string& path) {
    sqlite3* handle = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::string answer = "no answer";
    if (sqlite3_open(path.c_str(), &handle) == SQLITE_OK &&
        sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return answer;
}

/// The rows whose content is not what `row_of` makes, of those up to `last`.
std::uint64_t wrong_rows(SqliteStore& store, std::uint64_t last) {
    std::uint64_t wrong = 0;
    std::uint64_t expected = 0;
    daybook::StoreQuery query{.status = {daybook::JobStatus::success, daybook::JobStatus::running}, .limit = 5000};
    query.filter.sort = daybook::SortBy::oldest;
    while (true) {
        const auto page = store.read(query, soon());
        for (const StoredExecution& row : page.executions) {
            const StoredExecution should = row_of(++expected);
            if (row.id != should.id || row.job_id != should.job_id || row.result != should.result ||
                row.metadata != should.metadata || row.is_final == (row.id == last)) {
                ++wrong;
            }
        }
        if (page.executions.size() < query.limit) { break; }
        query.after = daybook::StorePlace{page.executions.back().position, page.executions.back().id};
    }
    return wrong + (expected == last ? 0 : 1);
}

} // namespace

// DAYBOOK_KILLS says how often; DAYBOOK_SEED repeats a run.
TEST_CASE("what an SQLite store has acknowledged is there after kill -9, and the file is intact") {
    const char* const wanted_kills = std::getenv("DAYBOOK_KILLS");
    const char* const wanted_seed = std::getenv("DAYBOOK_SEED");
    const int kills = wanted_kills != nullptr ? std::atoi(wanted_kills) : 10;
    const std::uint64_t seed =
        wanted_seed != nullptr ? std::strtoull(wanted_seed, nullptr, 10) : std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::string folder = (std::filesystem::temp_directory_path() / "daybook_crash_XXXXXX").string();
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/daybook.db";

    std::uint64_t acknowledged_in_all = 0;
    std::uint64_t last = 0;
    for (int round = 0; round < kills; ++round) {
        INFO("round " << round);
        if (round % 10 == 0) { // a new file now and then: making the tables may be cut off as well
            for (const char* end : {"", "-wal", "-shm"}) { std::filesystem::remove(path + end); }
            acknowledged_in_all += last;
            last = 0;
        }
        int pipes[2];
        REQUIRE(pipe(pipes) == 0);
        const std::uint64_t seed_of_child = random();
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            try {
                write_until_killed(path, pipes[1], seed_of_child);
            } catch (...) { _exit(2); }
        }
        close(pipes[1]);
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 150'000});
        REQUIRE(kill(child, SIGKILL) == 0);
        std::uint64_t acknowledged = last;
        for (std::uint64_t told = 0; read(pipes[0], &told, sizeof told) == sizeof told;) { acknowledged = told; }
        close(pipes[0]);
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status)); // it had not ended by itself

        SqliteStore store{path};
        store.open({.node = "parent"}, soon());
        CHECK(integrity_of(path) == "ok");
        last = store.retained(soon());
        CHECK(last >= acknowledged);
        CHECK(wrong_rows(store, last) == 0);
        const auto counters = store.counters(soon());
        CHECK((counters.empty() ? 0 : counters.front().success) == last);
        CHECK(store.unfinished(soon()).size() == (last == 0 ? 0 : 1));
    }
    acknowledged_in_all += last;
    if (wanted_kills != nullptr) {
        WARN(kills << " kills, " << acknowledged_in_all << " rows, none lost, seed " << seed);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
}

} // namespace sqlite_crash_test
