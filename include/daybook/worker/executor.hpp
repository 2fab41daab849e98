// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_WORKER_EXECUTOR_HPP
#define DAYBOOK_WORKER_EXECUTOR_HPP

/// @file
/// Where work runs: the task that is handed over, the concept of what takes it, and the erased form that options carry.

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace daybook::inline v0 {

/// A callable `void()` that is moved to where it runs, and called once. Callables of at most 48 bytes that move without
/// throwing are kept inside, larger ones on the heap.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
class Task {
public:
    /// Nothing to call.
    Task() noexcept = default;

    /// Takes any callable without arguments; what it returns is dropped.
    /// @throws std::bad_alloc, or what moving the callable throws.
    template <class Callable>
    requires(!std::same_as<std::remove_cvref_t<Callable>, Task> && std::invocable<std::decay_t<Callable>&> &&
             std::constructible_from<std::decay_t<Callable>, Callable>)
        Task(Callable&& callable) { // NOLINT(google-explicit-constructor): a task is meant to be given as a lambda
        using Held = std::decay_t<Callable>;
        if constexpr (fits<Held>) {
            ::new (static_cast<void*>(storage_)) Held(std::forward<Callable>(callable));
            actions_ = &Inside<Held>::actions;
        } else {
            ::new (static_cast<void*>(storage_))(Held*)(new Held(std::forward<Callable>(callable)));
            actions_ = &Outside<Held>::actions;
        }
    }

    Task(Task&& other) noexcept { take(other); }
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~Task() { reset(); }

    /// Whether there is something to call.
    [[nodiscard]] explicit operator bool() const noexcept { return actions_ != nullptr; }

    /// Calls the callable and destroys it, also when it throws; the task is empty afterwards.
    /// @throws std::bad_function_call  The task is empty. Else what the callable throws.
    void operator()() {
        if (actions_ == nullptr) { throw std::bad_function_call{}; }
        Task running{std::move(*this)};
        running.actions_->call(running.storage_);
    }

    /// Destroys the callable without calling it.
    void reset() noexcept {
        if (actions_ != nullptr) { std::exchange(actions_, nullptr)->destroy(storage_); }
    }

private:
    struct Actions {
        void (*call)(void* storage);
        void (*move)(void* from, void* to) noexcept; // leaves nothing to destroy behind
        void (*destroy)(void* storage) noexcept;
    };

    static constexpr std::size_t capacity = 48;

    template <class Held>
    static constexpr bool
        fits = sizeof(Held) <= capacity &&
               alignof(Held) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Held>;

    template <class Held>
    struct Inside {
        static Held& at(void* storage) noexcept { return *std::launder(static_cast<Held*>(storage)); }
        static void call(void* storage) { static_cast<void>(std::invoke(at(storage))); }
        static void move(void* from, void* to) noexcept {
            ::new (to) Held(std::move(at(from)));
            at(from).~Held();
        }
        static void destroy(void* storage) noexcept { at(storage).~Held(); }
        static constexpr Actions actions{&call, &move, &destroy};
    };

    template <class Held>
    struct Outside {
        static Held*& at(void* storage) noexcept { return *std::launder(static_cast<Held**>(storage)); }
        static void call(void* storage) { static_cast<void>(std::invoke(*at(storage))); }
        static void move(void* from, void* to) noexcept { ::new (to)(Held*)(at(from)); }
        static void destroy(void* storage) noexcept { delete at(storage); }
        static constexpr Actions actions{&call, &move, &destroy};
    };

    void take(Task& other) noexcept {
        actions_ = std::exchange(other.actions_, nullptr);
        if (actions_ != nullptr) { actions_->move(other.storage_, storage_); }
    }

    const Actions* actions_ = nullptr;
    alignas(std::max_align_t) std::byte storage_[capacity];
};

/// Something that runs tasks: `post(Task)` hands one over and does not wait for it. It may be called from any thread,
/// also from inside a task. It returns whether the task was accepted, or nothing if it always is; one that was not
/// accepted is destroyed without being called.
template <class Executor>
concept executor = requires(Executor& target, Task task) {
    target.post(std::move(task));
};

/// Runs tasks on the spot: on the thread that finds something to do, which for a scheduler is its timer's. One body at
/// a time then, and a timeout is judged when the body returns. For tests, and for programs that want no other thread.
struct InlineExecutor {
    void post(Task task) const { task(); }
};

/// Any executor behind one virtual call, or none; copies share the executor.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: `post` is as safe as the executor's, assignment is not.
class AnyExecutor {
public:
    /// No executor.
    AnyExecutor() noexcept = default;

    /// Keeps the executor by value.
    template <class Executor>
    requires(!std::same_as<Executor, AnyExecutor> && executor<Executor>)
        AnyExecutor(Executor target) // NOLINT(google-explicit-constructor): an executor is meant to be given as it is
        : self_{std::make_shared<Model<Executor>>(std::move(target))} {}

    /// Shares the executor with the program; an empty pointer is no executor.
    template <executor Executor>
    AnyExecutor(std::shared_ptr<Executor> target) // NOLINT(google-explicit-constructor): the same
        : self_{target ? std::make_shared<Model<std::shared_ptr<Executor>>>(std::move(target)) : nullptr} {}

    /// Whether there is an executor.
    [[nodiscard]] explicit operator bool() const noexcept { return self_ != nullptr; }

    /// Hands a task over.
    /// @return  Whether it was accepted; if not, it was destroyed without being called.
    /// @throws  What the executor's `post` throws; std::bad_function_call if there is no executor.
    [[nodiscard]] bool post(Task task) const {
        if (!self_) { throw std::bad_function_call{}; }
        return self_->post(std::move(task));
    }

private:
    struct Interface {
        virtual ~Interface() = default;
        virtual bool post(Task task) = 0;
    };

    template <class Held>
    struct Model final : Interface {
        explicit Model(Held from) : held{std::move(from)} {}
        bool post(Task task) override {
            if constexpr (executor<Held>) {
                return hand_over(held, std::move(task));
            } else {
                return hand_over(*held, std::move(task));
            }
        }
        Held held;
    };

    template <class Target>
    static bool hand_over(Target& target, Task task) {
        if constexpr (std::convertible_to<decltype(target.post(std::move(task))), bool>) {
            return static_cast<bool>(target.post(std::move(task)));
        } else {
            target.post(std::move(task));
            return true;
        }
    }

    std::shared_ptr<Interface> self_;
};

} // namespace daybook::inline v0

#endif
