// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_ANY_STORE_HPP
#define DAYBOOK_LOG_ANY_STORE_HPP

/// @file
/// Any store as a value in the options.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>

#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Where executions and jobs last beyond the process, or nothing: the default keeps them in memory alone.
///
/// A handle: copies share one store, which serves one log at a time.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment: calls come to the store one at a time.
class AnyStore {
public:
    AnyStore() noexcept = default;

    template <class Store>
    requires(!std::same_as<std::remove_cvref_t<Store>, AnyStore> && execution_store<std::remove_cvref_t<Store>> &&
             job_store<std::remove_cvref_t<Store>>)
        AnyStore(Store&& store) // NOLINT(google-explicit-constructor): a store is given where one is asked for
        : held_{std::make_shared<Model<std::remove_cvref_t<Store>>>(std::forward<Store>(store))} {}

    [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }

    // See execution_store.
    void open(const StoreOpening& opening, StoreDeadline deadline) const { return held_->open(opening, deadline); }
    void close() const noexcept { held_->close(); }
    void write(const StoreBatch& batch, StoreDeadline deadline) const { return held_->write(batch, deadline); }
    [[nodiscard]] StoredPage read(const StoreQuery& query, StoreDeadline deadline) const {
        return held_->read(query, deadline);
    }
    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) const {
        return held_->count(query, up_to, deadline);
    }
    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) const {
        return held_->find(id, deadline);
    }
    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline) const {
        return held_->unfinished(deadline);
    }
    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline) const {
        return held_->counters(deadline);
    }
    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) const {
        return held_->fold_counters(rows, deadline);
    }
    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline) const { return held_->retained(deadline); }
    std::uint64_t clear(StoreDeadline deadline) const { return held_->clear(deadline); }
    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) const {
        return held_->prune(retention, deadline);
    }

    // See job_store.
    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline) const { return held_->jobs(deadline); }
    void save(const StoredJob& job, StoreDeadline deadline) const { return held_->save(job, deadline); }
    bool erase(std::string_view id, StoreDeadline deadline) const { return held_->erase(id, deadline); }

private:
    class Interface {
    public:
        Interface() = default;
        Interface(const Interface&) = delete;
        Interface& operator=(const Interface&) = delete;
        virtual ~Interface() = default;
        virtual void open(const StoreOpening& opening, StoreDeadline deadline) = 0;
        virtual void close() noexcept = 0;
        virtual void write(const StoreBatch& batch, StoreDeadline deadline) = 0;
        virtual StoredPage read(const StoreQuery& query, StoreDeadline deadline) = 0;
        virtual std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) = 0;
        virtual std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) = 0;
        virtual std::vector<StoredExecution> unfinished(StoreDeadline deadline) = 0;
        virtual std::vector<StoredCounters> counters(StoreDeadline deadline) = 0;
        virtual void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) = 0;
        virtual std::uint64_t retained(StoreDeadline deadline) = 0;
        virtual std::uint64_t clear(StoreDeadline deadline) = 0;
        virtual std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) = 0;
        virtual std::vector<StoredJob> jobs(StoreDeadline deadline) = 0;
        virtual void save(const StoredJob& job, StoreDeadline deadline) = 0;
        virtual bool erase(std::string_view id, StoreDeadline deadline) = 0;
    };

    template <class Store>
    class Model final : public Interface {
    public:
        explicit Model(Store store) : store_{std::move(store)} {}
        void open(const StoreOpening& opening, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            store_.open(opening, deadline);
        }
        void close() noexcept override {
            std::unique_lock lock{mutex_};
            free_.wait(lock, [this] { return !is_taken_; });
            store_.close();
        }
        void write(const StoreBatch& batch, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            store_.write(batch, deadline);
        }
        StoredPage read(const StoreQuery& query, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.read(query, deadline);
        }
        std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.count(query, up_to, deadline);
        }
        std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.find(id, deadline);
        }
        std::vector<StoredExecution> unfinished(StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.unfinished(deadline);
        }
        std::vector<StoredCounters> counters(StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.counters(deadline);
        }
        void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            store_.fold_counters(rows, deadline);
        }
        std::uint64_t retained(StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.retained(deadline);
        }
        std::uint64_t clear(StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.clear(deadline);
        }
        std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.prune(retention, deadline);
        }
        std::vector<StoredJob> jobs(StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.jobs(deadline);
        }
        void save(const StoredJob& job, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            store_.save(job, deadline);
        }
        bool erase(std::string_view id, StoreDeadline deadline) override {
            const Turn mine = turn(deadline);
            return store_.erase(id, deadline);
        }

    private:
        /// One call at a time. Not a std::timed_mutex: what it calls escapes the thread sanitizer of g++ 12.
        class Turn {
        public:
            Turn(Model& model, StoreDeadline deadline) : model_{model} {
                std::unique_lock lock{model_.mutex_};
                const bool is_free = model_.free_.wait_until(lock, deadline, [&] { return !model_.is_taken_; });
                if (!is_free) { throw StoreError{StoreFailure::busy, "the store is busy with another call"}; }
                model_.is_taken_ = true;
            }
            Turn(const Turn&) = delete;
            Turn& operator=(const Turn&) = delete;
            ~Turn() {
                {
                    const std::scoped_lock lock{model_.mutex_};
                    model_.is_taken_ = false;
                }
                model_.free_.notify_one();
            }

        private:
            Model& model_;
        };
        [[nodiscard]] Turn turn(StoreDeadline deadline) { return Turn{*this, deadline}; }

        std::mutex mutex_;
        std::condition_variable free_;
        bool is_taken_ = false; // guarded by mutex_: whose turn it is has the store
        Store store_;
    };

    std::shared_ptr<Interface> held_;
};

} // namespace daybook::inline v0

#endif
