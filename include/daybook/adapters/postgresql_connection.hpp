// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_CONNECTION_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_CONNECTION_HPP

/// @file
/// One session with PostgreSQL over libpq (14 and later): every call has a deadline, nothing in it blocks but the
/// system's own look-up of host names.

#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/log/execution_store.hpp>

#include <libpq-fe.h>

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Whether a statement is parsed for each call, or once for a session under a name that is kept.
enum class PostgresqlPlan : std::uint8_t { once, kept };

/// One statement of several that are sent together.
struct PostgresqlStep {
    std::string_view sql = {};
    const PostgresqlParameters* parameters = nullptr; ///< none: it has no parameters
    PostgresqlPlan plan = PostgresqlPlan::once;
};

/// A session that is opened when it is needed.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: one thread at a time.
class PostgresqlConnection {
public:
    /// @param conninfo  libpq's connection string or URI. It may name several hosts: they are tried in turn.
    /// @param connect_timeout  For each host; above 0.
    /// @throws std::invalid_argument  What libpq cannot read (its text, which may hold a password, is not repeated).
    PostgresqlConnection(const std::string& conninfo, const std::string& application_name,
                         std::chrono::milliseconds connect_timeout)
        : connect_timeout_{connect_timeout} {
        if (connect_timeout <= std::chrono::milliseconds::zero()) {
            throw std::invalid_argument{"daybook: PostgresqlOptions::connect_timeout must be above 0"};
        }
        char* words = nullptr; // they may quote a part of the password
        const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{
            PQconninfoParse(conninfo.c_str(), &words), &PQconninfoFree};
        PQfreemem(words);
        if (!parsed || conninfo.find('\0') != std::string::npos) {
            throw std::invalid_argument{"daybook: libpq cannot read PostgresqlOptions::conninfo; it is to be "
                                        "\"key=value key=value\" or \"postgresql://user@host:port/database\""};
        }
        for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
            if (option->val != nullptr) { settings_[option->keyword] = option->val; }
        }
        settings_.try_emplace("application_name", application_name);
        settings_["client_encoding"] = "UTF8";
    }

    /// Whether the session is there, as far as can be told without waiting. When it is not, everything that belonged
    /// to it (locks, kept statements) is gone.
    [[nodiscard]] bool is_open() {
        if (!session_) { return false; }
        // A server that ends says so, or its system does. What it says is read first, and then that nothing follows.
        for (pollfd ready{PQsocket(session_.get()), POLLIN, 0}; ::poll(&ready, 1, 0) > 0;) {
            if (PQconsumeInput(session_.get()) == 0) {
                close();
                return false;
            }
        }
        if (PQstatus(session_.get()) != CONNECTION_OK) { close(); }
        return session_ != nullptr;
    }

    /// Ends the session, if there is one. Does not wait.
    void close() noexcept {
        session_.reset();
        kept_.clear();
    }

    /// Opens a session. Hosts that do not answer, and those that are not what `target_session_attrs` asks for, are
    /// passed over.
    void open(StoreDeadline deadline) {
        close();
        const auto hosts = list("host");
        const auto addresses = list("hostaddr");
        const auto ports = list("port");
        const std::size_t count = std::max<std::size_t>({1, hosts.size(), addresses.size()});
        std::string why;
        auto failure = StoreFailure::unavailable;
        for (std::size_t index = 0; index < count; ++index) {
            auto settings = settings_;
            const auto one = [&](const char* name, const std::vector<std::string>& all) {
                if (!all.empty()) { settings[name] = all.size() == 1 ? all[0] : index < all.size() ? all[index] : ""; }
            };
            one("host", hosts);
            one("hostaddr", addresses);
            one("port", ports);
            const auto now = std::chrono::steady_clock::now();
            const auto left = deadline - now;
            if (left <= left.zero()) { break; }
            const auto share = left / static_cast<int>(count - index); // the last host shall have its turn too
            const auto until = now + std::min<decltype(left)>(share, connect_timeout_);
            try {
                connect(settings, until);
                return;
            } catch (const StoreError& error) {
                close();
                why += (why.empty() ? "" : "; ") + std::string{error.what()};
                failure = error.failure();
            }
        }
        throw StoreError{failure, why.empty() ? "PostgreSQL: the deadline passed before there was a session" : why};
    }

    /// Something that a session which listens was told.
    struct Notice {
        std::string channel;
        std::string payload;
        int backend = 0; ///< the number of the server's process for the session that said it
    };

    /// The next that has come, if any; does not wait.
    [[nodiscard]] std::optional<Notice> next_notice() {
        if (!session_) { return std::nullopt; }
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> found{PQnotifies(session_.get()), &PQfreemem};
        if (!found) { return std::nullopt; }
        return Notice{found->relname, found->extra, found->be_pid};
    }

    /// Waits until the server says something, `other` can be read, or the deadline has passed.
    void wait_for_news(int other, StoreDeadline deadline) const {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd ready[] = {{session_ ? PQsocket(session_.get()) : -1, POLLIN, 0}, {other, POLLIN, 0}};
        (void)::poll(ready, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    }

    /// The number of the server's process for this session.
    [[nodiscard]] int backend() const noexcept { return session_ ? PQbackendPID(session_.get()) : 0; }

    /// Runs the statements in one transaction, sent and answered in one go: all of them or none.
    ///
    /// Throws StoreError. When the deadline passes the session is closed, because nobody can say when an answer will
    /// come; whether the transaction was committed is then not known.
    /// @return What each has given.
    std::vector<PostgresqlRows> run(std::span<const PostgresqlStep> steps, StoreDeadline deadline) {
        if (!session_) { throw StoreError{StoreFailure::unavailable, "PostgreSQL: there is no session"}; }
        if (std::chrono::steady_clock::now() >= deadline) {
            throw StoreError{StoreFailure::unavailable, "PostgreSQL: the deadline had passed before anything was sent"};
        }
        try {
            std::vector<const PostgresqlStep*> prepared;
            for (const PostgresqlStep& step : steps) { send(step, prepared); }
            if (PQpipelineSync(session_.get()) == 0) { throw lost(); }
            return receive(steps, prepared, deadline);
        } catch (const StoreError& error) {
            if (!is_intact_) { close(); }
            throw;
        } catch (...) { // no memory
            close();
            throw;
        }
    }
    PostgresqlRows run(const PostgresqlStep& step, StoreDeadline deadline) {
        return std::move(run(std::span{&step, 1}, deadline).front());
    }

private:
    struct Finish {
        void operator()(PGconn* session) const noexcept { PQfinish(session); }
    };

    /// The entries of a setting that may be a list; none where it is not set.
    [[nodiscard]] std::vector<std::string> list(const char* name) const {
        const auto found = settings_.find(name);
        std::vector<std::string> entries;
        if (found == settings_.end() || found->second.empty()) { return entries; }
        std::string_view rest = found->second;
        while (true) {
            const auto comma = rest.find(',');
            entries.emplace_back(rest.substr(0, comma));
            if (comma == std::string_view::npos) { return entries; }
            rest.remove_prefix(comma + 1);
        }
    }

    void connect(const std::map<std::string, std::string, std::less<>>& settings, StoreDeadline deadline) {
        std::vector<const char*> names;
        std::vector<const char*> values;
        for (const auto& [name, value] : settings) {
            names.push_back(name.c_str());
            values.push_back(value.c_str());
        }
        names.push_back(nullptr);
        values.push_back(nullptr);
        session_.reset(PQconnectStartParams(names.data(), values.data(), 0));
        if (!session_) { throw std::bad_alloc{}; }
        // So that a refusal comes with its SQLSTATE, which there is no other way to learn.
        PQsetErrorVerbosity(session_.get(), PQERRORS_VERBOSE);
        PQsetNoticeProcessor(
            session_.get(), [](void*, const char*) {}, nullptr);
        if (PQstatus(session_.get()) == CONNECTION_BAD) { throw not_connected(); }
        for (auto wants = PGRES_POLLING_WRITING; wants != PGRES_POLLING_OK; wants = PQconnectPoll(session_.get())) {
            if (wants == PGRES_POLLING_FAILED) { throw not_connected(); }
            // libpq has a new socket for each address of a host.
            if (!wait(wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
                throw StoreError{StoreFailure::unavailable, "PostgreSQL: " + place(settings) + " does not answer"};
            }
        }
        PQsetErrorVerbosity(session_.get(), PQERRORS_DEFAULT);
        if (PQsetnonblocking(session_.get(), 1) != 0 || PQenterPipelineMode(session_.get()) == 0) { throw lost(); }
        is_intact_ = true;
        is_outdated_ = false;
    }

    [[nodiscard]] static std::string place(const std::map<std::string, std::string, std::less<>>& settings) {
        std::string text = "the server";
        for (const char* name : {"host", "hostaddr", "port"}) {
            const auto found = settings.find(name);
            if (found != settings.end()) { text.append(" ").append(name).append("=").append(found->second); }
        }
        return text;
    }

    /// False: the deadline has passed.
    [[nodiscard]] bool wait(short events, StoreDeadline deadline) const {
        while (true) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
            pollfd ready{PQsocket(session_.get()), events, 0};
            const int found = ::poll(&ready, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
            if (found > 0) { return true; }
            if (found < 0 && errno != EINTR) { throw lost(); }
            if (found == 0 && std::chrono::steady_clock::now() >= deadline) { return false; }
        }
    }

    void send(const PostgresqlStep& step, std::vector<const PostgresqlStep*>& prepared) {
        std::vector<Oid> types;
        std::vector<const char*> values;
        std::vector<int> lengths;
        if (step.parameters != nullptr) {
            for (const auto& part : step.parameters->parts()) {
                const std::size_t size = PostgresqlParameters::size(part);
                if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
                    throw StoreError{StoreFailure::refused, "PostgreSQL: a value is larger than 2 GiB"};
                }
                types.push_back(part.type);
                values.push_back(step.parameters->data(part));
                lengths.push_back(static_cast<int>(size));
            }
        }
        const std::vector<int> formats(values.size(), 1);
        const int count = static_cast<int>(values.size());
        is_intact_ = false; // until all answers are here
        const std::string sql{step.sql};
        int is_sent = 0;
        if (step.plan == PostgresqlPlan::once) {
            is_sent = PQsendQueryParams(session_.get(), sql.c_str(), count, types.data(), values.data(), lengths.data(),
                                        formats.data(), 1);
        } else {
            const auto [kept, is_new] = kept_.try_emplace(sql, Kept{"daybook_" + std::to_string(kept_.size()), false});
            bool is_known = kept->second.is_ready;
            for (const PostgresqlStep* before : prepared) { is_known = is_known || before->sql == step.sql; }
            if (!is_known) {
                if (PQsendPrepare(session_.get(), kept->second.name.c_str(), sql.c_str(), count, types.data()) == 0) {
                    throw lost();
                }
                prepared.push_back(&step);
            }
            is_sent = PQsendQueryPrepared(session_.get(), kept->second.name.c_str(), count, values.data(),
                                          lengths.data(), formats.data(), 1);
        }
        if (is_sent == 0) { throw lost(); }
    }

    /// The next result; empty at the end of those of one command.
    [[nodiscard]] PostgresqlRows next(StoreDeadline deadline, PGresult*& result) {
        while (true) {
            const int is_unsent = PQflush(session_.get());
            if (is_unsent < 0) { throw lost(); }
            if (is_unsent == 0 && PQisBusy(session_.get()) == 0) { break; }
            if (!wait(static_cast<short>(is_unsent != 0 ? POLLIN | POLLOUT : POLLIN), deadline)) {
                throw StoreError{StoreFailure::unavailable, "PostgreSQL: the deadline passed before the answer came"};
            }
            if (PQconsumeInput(session_.get()) == 0) { throw lost(); }
        }
        result = PQgetResult(session_.get());
        return PostgresqlRows{result};
    }

    [[nodiscard]] std::vector<PostgresqlRows> receive(std::span<const PostgresqlStep> steps,
                                                      std::span<const PostgresqlStep* const> prepared,
                                                      StoreDeadline deadline) {
        std::vector<PostgresqlRows> answers;
        answers.reserve(steps.size());
        std::unique_ptr<StoreError> error;
        std::size_t step = 0;
        bool was_end = false;
        while (true) {
            PGresult* result = nullptr;
            PostgresqlRows rows;
            try {
                rows = next(deadline, result);
            } catch (const StoreError&) {
                if (error) { throw *error; } // why the session has ended
                throw;
            }
            if (result == nullptr) {
                // Each command ends so; twice in a row says that nothing is to come any more.
                if (was_end || PQstatus(session_.get()) != CONNECTION_OK) { throw error ? *error : lost(); }
                was_end = true;
                continue;
            }
            was_end = false;
            const auto status = PQresultStatus(result);
            if (status == PGRES_PIPELINE_SYNC) { break; }
            if (status == PGRES_PIPELINE_ABORTED) { continue; }
            if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
                if (!error) { error = std::make_unique<StoreError>(refusal(result)); }
                continue;
            }
            if (step < steps.size() && !is_expected(steps[step], prepared)) { continue; }
            ++step;
            answers.push_back(std::move(rows));
        }
        is_intact_ = PQstatus(session_.get()) == CONNECTION_OK && !is_outdated_;
        if (error) { throw *error; }
        return answers;
    }

    /// Whether this answer is the step's own, and not the one about its preparation.
    [[nodiscard]] bool is_expected(const PostgresqlStep& step, std::span<const PostgresqlStep* const> prepared) {
        if (step.plan == PostgresqlPlan::once) { return true; }
        Kept& kept = kept_.find(step.sql)->second;
        if (kept.is_ready || std::find(prepared.begin(), prepared.end(), &step) == prepared.end()) { return true; }
        kept.is_ready = true;
        return false;
    }

    [[nodiscard]] static std::string without_line_ends(std::string_view text) {
        std::string line;
        for (const char character : text) {
            line += character == '\n' || character == '\t' || character == '\r' ? ' ' : character;
        }
        while (!line.empty() && line.back() == ' ') { line.pop_back(); }
        return line;
    }

    [[nodiscard]] StoreError lost() const {
        const char* words = session_ ? PQerrorMessage(session_.get()) : "";
        return {StoreFailure::unavailable,
                "PostgreSQL: the connection is lost" + (*words != '\0' ? ": " + without_line_ends(words) : "")};
    }

    /// What a session that did not come about says, with the SQLSTATE that stands in it, if any: "FATAL:  28P01: ".
    [[nodiscard]] StoreError not_connected() const {
        std::string text = without_line_ends(PQerrorMessage(session_.get()));
        auto failure = StoreFailure::unavailable;
        const auto is_state = [](std::string_view word) {
            return word.size() == 5 && std::all_of(word.begin(), word.end(), [](char character) {
                       return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z');
                   });
        };
        for (auto at = text.find(":  "); at != std::string::npos; at = text.find(":  ", at + 1)) {
            const std::string state = text.substr(at + 3, 5);
            if (!is_state(state) || text.compare(at + 8, 2, ": ") != 0) { continue; }
            failure = failure_of(state);
            break;
        }
        if (PQconnectionNeedsPassword(session_.get()) != 0) { failure = StoreFailure::refused; }
        if (const auto source = text.find(" LOCATION:  "); source != std::string::npos) { text.resize(source); }
        return {failure, "PostgreSQL: " + text};
    }

    [[nodiscard]] StoreError refusal(const PGresult* result) {
        const auto field = [&](int code) -> std::string_view {
            const char* text = PQresultErrorField(result, code);
            return text != nullptr ? text : "";
        };
        const std::string_view state = field(PG_DIAG_SQLSTATE);
        std::string text = "PostgreSQL: ";
        if (state.empty()) { // made by libpq
            return {StoreFailure::unavailable, text + without_line_ends(PQresultErrorMessage(result))};
        }
        // A statement kept under a name that somebody has thrown away, or whose table has changed.
        is_outdated_ = is_outdated_ || state == "26000" || state == "0A000";
        const std::string_view words = field(PG_DIAG_MESSAGE_PRIMARY);
        if (state == "42704" && words.find(unseated_mark) != std::string_view::npos) {
            return {StoreFailure::unseated, text + "another process has taken over what this one had"};
        }
        if (state == "42704" && words.find(cleared_mark) != std::string_view::npos) {
            return {StoreFailure::cleared, text + "another process has cleared the history"};
        }
        text.append(words).append(" (SQLSTATE ").append(state).append(")");
        return {failure_of(state), without_line_ends(text)};
    }

public:
    /// A statement that complains of an unknown setting of this name is about a lost seat.
    static constexpr std::string_view unseated_mark = "daybook_unseated";
    static constexpr std::string_view cleared_mark = "daybook_cleared"; ///< the same, about a history that was cleared

    /// What a SQLSTATE (PostgreSQL's documentation, appendix A) means for whoever wants to try again.
    [[nodiscard]] static StoreFailure failure_of(std::string_view state) {
        const auto is = [&](std::string_view begin) { return state.substr(0, begin.size()) == begin; };
        if (is("53100") || is("25006")) { return StoreFailure::full; } // disk full, read-only
        // A connection that breaks, a server that ends, begins or has too much to do, a statement that was cancelled or
        // is outdated.
        if (is("08") || is("57") || is("53") || is("58") || is("26") || is("0A000")) {
            return StoreFailure::unavailable;
        }
        // Deadlocks and serialization, locks, locks that were held for too long.
        if (is("40") || is("55") || is("25P03")) { return StoreFailure::busy; }
        return StoreFailure::refused;
    }

private:
    struct Kept {
        std::string name;
        bool is_ready = false;
    };

    std::map<std::string, std::string, std::less<>> settings_;
    std::chrono::milliseconds connect_timeout_;
    std::unique_ptr<PGconn, Finish> session_;
    std::map<std::string, Kept, std::less<>> kept_; // by its SQL
    bool is_intact_ = false;                        // no answer is owed, and the session can be used on
    bool is_outdated_ = false;                      // what is kept is of no use
};

} // namespace daybook::inline v0

#endif
