// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_SCOPED_EXECUTION_HPP
#define DAYBOOK_LOG_SCOPED_EXECUTION_HPP

/// @file
/// An execution that cannot be forgotten: it ends with its scope.

#include <daybook/fwd.hpp>
#include <daybook/log/execution.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace daybook::inline v0 {

/// The text that a record keeps of an exception: `what()`, or that it was of another type.
[[nodiscard]] inline std::string describe_exception(const std::exception_ptr& exception) {
    if (!exception) { return "no exception"; }
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) { return error.what(); } catch (const char* text) {
        return text != nullptr ? text : "an exception that is a null pointer";
    } catch (const std::string& text) { return text; } catch (...) {
        return "an exception that is not a std::exception";
    }
}

/// Ends an execution when it goes out of scope, unless `success`, `error` or `timeout` did before: left early it is an
/// error, and left by an exception an error that says so. C++ gives a destructor no way to the exception that passes
/// by; `run` catches it on its way, and is what records its text.
///
/// @code
/// auto run = log.start("import_orders");
/// if (!source.open()) { return; }        // recorded: the scope was left without a result
/// run.success(source.import());
///
/// log.start("import_orders").run([&] { return source.import(); });  // an exception's text is recorded, and it goes on
/// @endcode
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
template <class Result>
class ScopedExecution {
public:
    ScopedExecution(JobExecutionLog<Result> log, Execution execution)
        : log_{std::move(log)}, execution_{execution}, exceptions_{std::uncaught_exceptions()} {}

    ScopedExecution(ScopedExecution&& other) noexcept
        : log_{other.log_}, execution_{std::exchange(other.execution_, Execution{})}, exceptions_{other.exceptions_} {}
    ScopedExecution& operator=(ScopedExecution&&) = delete;

    ~ScopedExecution() {
        if (execution_.id == 0) { return; }
        try {
            const bool by_exception = std::uncaught_exceptions() > exceptions_;
            log_.record_error(execution_, by_exception ? "the scope was left by an exception"
                                                       : "the scope was left without a result");
        } catch (const std::exception&) { // no memory for the text: the end counts for more
            log_.record_timeout(execution_);
        }
    }

    [[nodiscard]] const Execution& execution() const noexcept { return execution_; }

    Finish success() { return ended(log_.record_success(execution_)); }
    Finish success(Result result) { return ended(log_.record_success(execution_, std::move(result))); }
    Finish error(std::string_view why, Finality finality = Finality::final_attempt) {
        return ended(log_.record_error(execution_, why, finality));
    }
    /// For a catch block: `run.error(std::current_exception())`.
    Finish error(const std::exception_ptr& exception, Finality finality = Finality::final_attempt) {
        return error(describe_exception(exception), finality);
    }
    Finish timeout(Finality finality = Finality::final_attempt) {
        return ended(log_.record_timeout(execution_, finality));
    }

    /// Says how many records have been processed so far.
    void records_processed(std::uint64_t records) { log_.record_processed(execution_, records); }

    /// Runs `body`, records what it returns as the result, or the text of what it throws, which is thrown on.
    template <class Body>
    decltype(auto) run(Body&& body) {
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Body&>>) {
                std::invoke(body);
                success();
            } else {
                auto result = std::invoke(body);
                success(result);
                return result;
            }
        } catch (...) {
            if (execution_.id != 0) { error(std::current_exception()); }
            throw;
        }
    }

private:
    /// Called once the end is in the log: where recording throws, the destructor still has something to end.
    Finish ended(Finish finish) noexcept {
        execution_ = {};
        return finish;
    }

    JobExecutionLog<Result> log_;
    Execution execution_;
    int exceptions_;
};

} // namespace daybook::inline v0

#endif
