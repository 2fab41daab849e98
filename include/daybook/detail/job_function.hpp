// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_FUNCTION_HPP
#define DAYBOOK_DETAIL_JOB_FUNCTION_HPP

/// @file
/// A job's callable behind two function pointers, so that adding a job compiles to little more than the callable.

#include <daybook/detail/ref.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/fwd.hpp>
#include <daybook/job/completion.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace daybook::inline v0::detail {

/// Calls the body and turns what it returns into a block for the log. What the body throws passes through.
using JobCall = Ref<RefCounted> (*)(void* callable, JobContext& context, std::size_t max_bytes);

/// Calls a body that ends its attempt by a completion. What the body throws passes through.
using JobBegin = void (*)(void* callable, const std::shared_ptr<OpenAttempt>& attempt);

/// One of `call` and `begin` is set. Copies share the callable.
struct JobFunction {
    std::shared_ptr<void> callable;
    JobCall call = nullptr;
    JobBegin begin = nullptr;
};

template <class Callable>
struct JobReturn {
    using type = std::invoke_result_t<Callable&>;
};
template <class Callable>
requires std::is_invocable_v<Callable&, JobContext&>
struct JobReturn<Callable> {
    using type = std::invoke_result_t<Callable&, JobContext&>;
};

/// Whether it finishes later, through the completion that it takes.
template <class Callable, class Result>
inline constexpr bool is_open_job = std::is_invocable_v<Callable&, JobContext&, Completion<Result>>;

template <class Callable>
inline constexpr bool is_job = std::is_invocable_v<Callable&, JobContext&> || std::is_invocable_v<Callable&>;

template <class Returned, class Result>
inline constexpr bool is_job_result = std::is_void_v<Returned> || std::is_convertible_v<Returned, Result>;

/// Whether what it returns can be the job's result; one that finishes later may return anything.
template <class Callable, class Result>
inline constexpr bool has_job_result = is_job_result<typename JobReturn<Callable>::type, Result>;
template <class Callable, class Result>
requires is_open_job<Callable, Result>
inline constexpr bool has_job_result<Callable, Result> = true;

template <class Result, class Callable>
Ref<RefCounted> call_job(void* callable, JobContext& context, std::size_t max_bytes) {
    auto& body = *static_cast<Callable*>(callable);
    const auto invoke = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<Callable&, JobContext&>) {
            return std::invoke(body, context);
        } else {
            return std::invoke(body);
        }
    };
    if constexpr (std::is_void_v<typename JobReturn<Callable>::type>) {
        invoke();
        return {};
    } else {
        return make_result_block<Result>(static_cast<Result>(invoke()), max_bytes);
    }
}

template <class Result, class Callable>
void begin_job(void* callable, const std::shared_ptr<OpenAttempt>& attempt) {
    static_cast<void>(std::invoke(*static_cast<Callable*>(callable), attempt->context(), Completion<Result>{attempt}));
}

template <class Result, class Callable>
[[nodiscard]] JobFunction make_job_function(Callable&& callable) {
    using Body = std::decay_t<Callable>;
    JobFunction function;
    function.callable = {static_cast<void*>(new Body(std::forward<Callable>(callable))),
                         +[](void* body) { delete static_cast<Body*>(body); }}; // one instantiation for all bodies
    if constexpr (is_open_job<Body, Result>) {
        function.begin = &begin_job<Result, Body>;
    } else {
        function.call = &call_job<Result, Body>;
    }
    return function;
}

} // namespace daybook::inline v0::detail

#endif
