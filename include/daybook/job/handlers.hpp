// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_HANDLERS_HPP
#define DAYBOOK_JOB_HANDLERS_HPP

/// @file
/// What jobs can be made of that come as data: callables by the names under which a file, a store or a request asks for
/// them.

#include <daybook/detail/empty_callable.hpp>
#include <daybook/detail/handler_table.hpp>
#include <daybook/detail/job_function.hpp>
#include <daybook/fwd.hpp>
#include <daybook/job/handler_info.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Everything about handlers that does not depend on what they return: for functions that take any of them. A copy
/// shares the same handlers.
///
/// @par Thread safety
/// Distinct objects: safe, copies of one another too. Shared objects: safe, every member but assignment. No user code
/// runs under the lock.
class AnyHandlers {
public:
    /// Takes a handler's names away. Jobs that were made of it keep it, and go on.
    /// @returns Whether there was one.
    bool remove(std::string_view handler_id, std::string_view method_name = {}) {
        return table_->remove(handler_id, method_name);
    }

    [[nodiscard]] bool contains(std::string_view handler_id, std::string_view method_name = {}) const {
        return table_->find(handler_id, method_name).has_value();
    }

    /// All of them, ordered by handler id, then by method name, byte by byte. O(handlers).
    [[nodiscard]] std::vector<HandlerInfo> list() const { return table_->list(); }

    /// What a job runs that is made of this handler, for the scheduler; empty when there is none with these names.
    /// O(log handlers).
    [[nodiscard]] std::optional<detail::JobFunction> find(std::string_view handler_id,
                                                          std::string_view method_name = {}) const {
        const auto entry = table_->find(handler_id, method_name);
        if (!entry) { return std::nullopt; }
        return entry->make(entry->body);
    }

    /// The same, where a handler that is missing is an error.
    /// @throws std::invalid_argument  There is none with these names; says which there are, up to eight.
    [[nodiscard]] detail::JobFunction at(std::string_view handler_id, std::string_view method_name = {}) const {
        auto function = find(handler_id, method_name);
        if (!function) { throw std::invalid_argument{table_->explain_missing(handler_id, method_name)}; }
        return std::move(*function);
    }

protected:
    AnyHandlers() : table_{std::make_shared<detail::HandlerTable>()} {}

    [[nodiscard]] detail::HandlerTable& table() const noexcept { return *table_; }

private:
    std::shared_ptr<detail::HandlerTable> table_;
};

/// The callables that jobs can be made of by name, so that jobs can come as data and not only as code.
///
/// @code
/// daybook::Handlers<> handlers;
/// handlers.add("mail", "send", [](daybook::JobContext& context) { send_mail(context.parameters()); });
/// handlers.add("reports", "", &write_report, "Writes yesterday's report");
/// @endcode
///
/// A handle: copies share the same handlers. One handler may be used by many jobs, which share its callable: unless
/// their options say otherwise it runs on several threads at once, and has to be fit for that. What differs from job to
/// job reaches it through `JobContext::parameters()`.
///
/// @tparam Result  What handlers return, convertible to it, or void; the same as that of the scheduler.
///
/// @par Thread safety
/// See AnyHandlers.
template <class Result>
class Handlers final : public AnyHandlers {
public:
    using result_type = Result;

    /// None yet.
    Handlers() = default;

    /// Adds a handler: what Scheduler::add takes, that is a callable with nothing or a `JobContext&` that returns
    /// nothing or a `Result`, or one with a `JobContext&` and a `Completion<Result>`. It throws to fail. It is kept
    /// until its names have been removed, or every copy of this object is gone, and no job is left that was made of it.
    /// @param handler_id   1 to 255 bytes; what the statistics of its jobs are kept by.
    /// @param method_name  0 to 255 bytes; together with `handler_id` it is unique.
    /// @param description  For people, at most 1024 bytes.
    /// @throws std::invalid_argument  The names are taken, or something is too short or too long; or there is nothing
    ///                                to call: an empty std::function, a null pointer.
    template <class Callable>
    void add(std::string_view handler_id, std::string_view method_name, Callable&& callable,
             std::string_view description = {}) {
        using Body = std::decay_t<Callable>;
        constexpr bool is_open = detail::is_open_job<Body, Result>;
        static_assert(is_open || detail::is_job<Body>,
                      "a handler must be callable with nothing, with a daybook::JobContext&, or with a JobContext& and "
                      "a daybook::Completion<Result>");
        if constexpr (is_open || detail::is_job<Body>) {
            static_assert(detail::has_job_result<Body, Result>,
                          "a handler must return nothing, or something that converts to the Result of its Handlers "
                          "(std::string unless Handlers<Result> says otherwise)");
            insert<Body>(handler_id, method_name, std::forward<Callable>(callable), description);
        }
    }

private:
    template <class Body, class Callable>
    void insert(std::string_view handler_id, std::string_view method_name, Callable&& callable,
                std::string_view description) {
        detail::HandlerTable::check(handler_id, method_name, description);
        if (detail::is_empty_callable<Body>(callable)) {
            throw std::invalid_argument{"a handler must be something to call, is empty: " +
                                        detail::HandlerTable::quoted(handler_id)};
        }
        table().add({std::string{handler_id}, std::string{method_name}, std::string{description}},
                    {std::make_shared<Body>(std::forward<Callable>(callable)), &make<Body>});
    }

    template <class Body>
    static detail::JobFunction make(const std::shared_ptr<void>& body) {
        return detail::make_job_function<Result>(detail::SharedCallable<Body>{std::static_pointer_cast<Body>(body)});
    }
};

} // namespace daybook::inline v0

#endif
