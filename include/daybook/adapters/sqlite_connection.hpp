// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQLITE_CONNECTION_HPP
#define DAYBOOK_ADAPTERS_SQLITE_CONNECTION_HPP

/// @file
/// A connection to SQLite (3.24 and later): statements that are prepared once, calls with a deadline, failures as
/// StoreError. What sqlite.hpp is made of.

#include <daybook/adapters/sql_metadata.hpp>
#include <daybook/adapters/sql_statements.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/types.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

namespace daybook::inline v0 {

/// One database file, open.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: from one thread at a time.
class SqliteConnection {
public:
    class Row;
    /// A statement that is being used; when this goes, it can be used again.
    class Use;
    /// What is done in between happens all or not at all.
    class Transaction;

    /// Opens the file, or makes it.
    /// @throws StoreError  It cannot be opened, or is no database.
    SqliteConnection(std::string path, StoreDeadline deadline) : path_{std::move(path)}, deadline_{deadline} {
        if (sqlite3_libversion_number() < 3'024'000) {
            throw StoreError{StoreFailure::refused,
                             "SQLite " + std::string{sqlite3_libversion()} + " is too old; it has to be 3.24 or later"};
        }
        if (sqlite3_threadsafe() == 0) {
            throw StoreError{StoreFailure::refused, "this SQLite was built for programs with one thread"};
        }
        sqlite3* opened = nullptr;
        const int code = sqlite3_open_v2(path_.c_str(), &opened,
                                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
        handle_.reset(opened);
        if (opened == nullptr) { throw std::bad_alloc{}; }
        sqlite3_extended_result_codes(opened, 1);
        if (code != SQLITE_OK) { fail(sqlite3_extended_errcode(opened)); }
        constexpr int instructions = 1000; // some 10 to 50 microseconds
        sqlite3_progress_handler(opened, instructions, &is_late, this);
        sqlite3_busy_handler(opened, &wait_for_others, this);
        define("daybook_contains", 2, &contains);
        define("daybook_result_contains", 2, &result_contains);
        define("daybook_metadata", 3, &metadata);
    }
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;
    ~SqliteConnection() = default;

    /// What follows has to be done by then.
    /// @throws StoreError  That has passed (`unavailable`).
    void begin_call(StoreDeadline deadline) {
        deadline_ = deadline;
        if (std::chrono::steady_clock::now() >= deadline) { fail(SQLITE_INTERRUPT); }
    }

    /// Runs statements that return nothing of interest, one after the other.
    void run(const std::string& sql) { check(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr)); }

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

    void check(int code) const {
        if (code != SQLITE_OK) { fail(code); }
    }

    /// Whether the file that is written to is no longer the one that bears its name.
    [[nodiscard]] bool has_moved() const noexcept {
        int moved = 0;
        return sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
    }

    /// @param code  As SQLite returned it, extended.
    [[noreturn]] void fail(int code) const {
        if ((code & 0xFF) == SQLITE_NOMEM) { throw std::bad_alloc{}; }
        const int system = sqlite3_system_errno(handle_.get());
        std::string what = "SQLite, " + path_ + ": ";
        if (code == SQLITE_INTERRUPT) {
            what += "the deadline has passed";
        } else {
            const bool is_latest = sqlite3_extended_errcode(handle_.get()) == code;
            what += is_latest ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
        }
        throw StoreError{failure_of(code, system), what};
    }

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    struct Prepared {
        std::string text;
        std::unique_ptr<sqlite3_stmt, Finalize> statement;
        bool is_used = false;
    };

    [[nodiscard]] static StoreFailure failure_of(int code, int system) noexcept {
        switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return StoreFailure::busy;
        case SQLITE_FULL:
        case SQLITE_READONLY: return StoreFailure::full;
        case SQLITE_IOERR: // a quota or a limit of the file's size is no SQLITE_FULL
            return code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_TRUNCATE || code == SQLITE_IOERR_SHMSIZE
                       ? StoreFailure::full
                       : StoreFailure::unavailable;
        case SQLITE_INTERRUPT:
        case SQLITE_ABORT:
        case SQLITE_PROTOCOL: return StoreFailure::unavailable;
        case SQLITE_CANTOPEN:
            if (system == EMFILE || system == ENFILE) { return StoreFailure::unavailable; }
            return system == EACCES || system == EROFS ? StoreFailure::full : StoreFailure::refused;
        default: return StoreFailure::refused;
        }
    }

    // SQLite asks this in the midst of a statement, and gives it up if the answer is not 0.
    static int is_late(void* connection) noexcept {
        return std::chrono::steady_clock::now() >= static_cast<SqliteConnection*>(connection)->deadline_ ? 1 : 0;
    }

    // SQLite asks this when somebody else has the lock that it needs: not 0 means to try again.
    static int wait_for_others(void* connection, int times) noexcept {
        using namespace std::chrono_literals;
        const auto left = static_cast<SqliteConnection*>(connection)->deadline_ - std::chrono::steady_clock::now();
        if (left <= 0ns) { return 0; }
        const std::chrono::nanoseconds pause = std::min(1 + times, 25) * 1ms;
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
        return 1;
    }

    using Function = void (*)(sqlite3_context*, int, sqlite3_value**);

    void define(const char* name, int arguments, Function function) {
        check(sqlite3_create_function_v2(handle_.get(), name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                                         function, nullptr, nullptr, nullptr));
    }

    [[nodiscard]] static std::string_view text_of(sqlite3_value* value) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
        const int bytes = sqlite3_value_bytes(value);
        return text == nullptr ? std::string_view{} : std::string_view{text, static_cast<std::size_t>(bytes)};
    }

    // No exception may pass through SQLite.
    template <class Body>
    static void guarded(sqlite3_context* context, Body&& body) noexcept {
        try {
            body();
        } catch (const std::bad_alloc&) { sqlite3_result_error_nomem(context); } catch (const std::exception& error) {
            sqlite3_result_error(context, error.what(), -1);
        }
    }

    static std::string lower(std::string_view text) {
        std::string all{text};
        for (char& letter : all) {
            if (letter >= 'A' && letter <= 'Z') { letter = static_cast<char>(letter - 'A' + 'a'); }
        }
        return all;
    }

    static void contains(sqlite3_context* context, int, sqlite3_value** values) noexcept {
        guarded(context, [&] {
            const bool is_null = sqlite3_value_type(values[0]) == SQLITE_NULL;
            sqlite3_result_int(context,
                               !is_null && sql::contains(text_of(values[0]), lower(text_of(values[1]))) ? 1 : 0);
        });
    }
    static void result_contains(sqlite3_context* context, int, sqlite3_value** values) noexcept {
        guarded(context, [&] {
            std::string scratch;
            const bool is_null = sqlite3_value_type(values[0]) == SQLITE_NULL;
            const bool is_found =
                !is_null && sql::result_contains(text_of(values[0]), lower(text_of(values[1])), scratch);
            sqlite3_result_int(context, is_found ? 1 : 0);
        });
    }
    static void metadata(sqlite3_context* context, int, sqlite3_value** values) noexcept {
        guarded(context, [&] {
            const std::string_view key = text_of(values[1]);
            const bool skips_empty = sqlite3_value_int(values[2]) != 0;
            for (const auto& entry : sql::read_metadata(text_of(values[0]))) {
                if (entry.first != key || (skips_empty && entry.second.empty())) { continue; }
                sqlite3_result_text64(context, entry.second.data(), entry.second.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
                return;
            }
            sqlite3_result_null(context);
        });
    }

    /// One that is not in use, prepared now if need be. The latest used stands first.
    [[nodiscard]] Prepared& prepared(std::string_view text) {
        for (auto found = kept_.begin(); found != kept_.end(); ++found) {
            if (found->text == text && !found->is_used) {
                kept_.splice(kept_.begin(), kept_, found);
                return kept_.front();
            }
        }
        constexpr std::size_t most = 48;
        if (kept_.size() >= most && !kept_.back().is_used) { kept_.pop_back(); }
        sqlite3_stmt* made = nullptr;
        check(sqlite3_prepare_v3(handle_.get(), text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT,
                                 &made, nullptr));
        std::unique_ptr<sqlite3_stmt, Finalize> owner{made};
        kept_.push_front({std::string{text}, std::move(owner)});
        return kept_.front();
    }

    std::string path_;
    StoreDeadline deadline_;
    std::unique_ptr<sqlite3, Close> handle_;
    std::list<Prepared> kept_; // closed before the handle is
};

/// The columns of a row, from 0; empty for null. See sql::RowReader.
class SqliteConnection::Row {
public:
    explicit Row(sqlite3_stmt* statement) noexcept : statement_{statement} {}

    [[nodiscard]] std::optional<std::int64_t> integer(std::size_t column) const {
        const int index = static_cast<int>(column);
        if (sqlite3_column_type(statement_, index) == SQLITE_NULL) { return std::nullopt; }
        return sqlite3_column_int64(statement_, index);
    }
    [[nodiscard]] std::optional<double> real(std::size_t column) const {
        const int index = static_cast<int>(column);
        if (sqlite3_column_type(statement_, index) == SQLITE_NULL) { return std::nullopt; }
        return sqlite3_column_double(statement_, index);
    }
    [[nodiscard]] std::optional<std::string_view> text(std::size_t column) const {
        const int index = static_cast<int>(column);
        if (sqlite3_column_type(statement_, index) == SQLITE_NULL) { return std::nullopt; }
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, index));
        if (text == nullptr) { throw std::bad_alloc{}; }
        return std::string_view{text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
    }

private:
    sqlite3_stmt* statement_;
};

class SqliteConnection::Use {
public:
    Use(SqliteConnection& connection, std::string_view text)
        : connection_{connection}, prepared_{connection.prepared(text)}, statement_{prepared_.statement.get()} {
        prepared_.is_used = true;
    }
    Use(SqliteConnection& connection, const sql::Statement& statement) : Use{connection, statement.text} {
        for (const sql::Value& value : statement.values) {
            if (const auto* number = std::get_if<std::int64_t>(&value)) {
                integer(*number);
            } else {
                text(std::get<std::string>(value));
            }
        }
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_); // texts are not copied, and may be gone by now
        prepared_.is_used = false;
    }

    // The parameters, one after the other. Texts have to live until the statement has run.
    void integer(std::int64_t number) { connection_.check(sqlite3_bind_int64(statement_, ++bound_, number)); }
    void integer(std::optional<std::int64_t> number) { number ? integer(*number) : null(); }
    void real(std::optional<double> number) {
        number && !std::isnan(*number) ? connection_.check(sqlite3_bind_double(statement_, ++bound_, *number)) : null();
    }
    void text(std::string_view text) {
        connection_.check(sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(),
                                              text.size(), SQLITE_STATIC, SQLITE_UTF8));
    }
    void text(const std::string& words) { text(std::string_view{words}); }
    void text(const std::optional<std::string>& words) { words ? text(std::string_view{*words}) : null(); }
    void text(std::optional<std::string_view> words) { words ? text(*words) : null(); }
    void boolean(bool truth) { integer(std::int64_t{truth ? 1 : 0}); }
    void instant(std::optional<sys_time> instant) {
        instant ? integer(std::int64_t{instant->time_since_epoch().count()}) : null();
    }
    void json(std::string_view words) { text(words); }
    void null() { connection_.check(sqlite3_bind_null(statement_, ++bound_)); }

    /// Goes to the next row. @returns False: there is none, it is done.
    bool step() {
        const int code = sqlite3_step(statement_);
        if (code == SQLITE_ROW) { return true; }
        if (code != SQLITE_DONE) { connection_.fail(code); }
        return false;
    }

    /// Runs it to its end, and makes it ready for other parameters.
    void finish() {
        while (step()) {}
        sqlite3_reset(statement_);
        bound_ = 0;
    }

    /// The row to which `step` went.
    [[nodiscard]] Row row() const noexcept { return Row{statement_}; }

private:
    SqliteConnection& connection_;
    Prepared& prepared_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

class SqliteConnection::Transaction {
public:
    /// Takes the right to write at once: a transaction that read first could be refused it later, whatever it waits.
    explicit Transaction(SqliteConnection& connection) : connection_{connection} {
        try {
            Use{connection_, "BEGIN IMMEDIATE"}.finish();
        } catch (...) { // it may have begun all the same: the deadline can pass right after
            undo();
            throw;
        }
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() { undo(); }

    void commit() { Use{connection_, "COMMIT"}.finish(); }

private:
    void undo() noexcept {
        // Some failures have undone it already.
        if (sqlite3_get_autocommit(connection_.handle()) != 0) { return; }
        connection_.deadline_ = StoreDeadline::max();
        sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }

    SqliteConnection& connection_;
};

} // namespace daybook::inline v0

#endif
