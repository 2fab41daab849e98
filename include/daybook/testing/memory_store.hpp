// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTING_MEMORY_STORE_HPP
#define DAYBOOK_TESTING_MEMORY_STORE_HPP

/// @file
/// A store for tests: what it holds outlives the logs that use it, and it fails when the test says so.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/testing/store_filter.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace daybook::inline v0::testing {

/// Models execution_store and job_store with maps and searches from end to end: slow, and easy to see through.
///
/// A copy is another store on the same content, which is not open: give one to a log, keep one to look at the content
/// and to say what goes wrong. What is open lets nobody else open the content until it is destroyed; then another copy
/// is the store of the program that was started again.
///
/// @code
/// daybook::testing::MemoryStore store;
/// daybook::AnyStore given = store;
/// store.fail_next(daybook::StoreFailure::unavailable, 3);
/// @endcode
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class MemoryStore {
    struct Opened;

public:
    /// What is kept.
    class Content;

    MemoryStore() : MemoryStore{std::make_shared<Content>()} {}
    explicit MemoryStore(std::shared_ptr<Content> content) : content_{std::move(content)} {}
    MemoryStore(const MemoryStore& other) : MemoryStore{other.content_} {}
    MemoryStore(MemoryStore&&) noexcept = default;
    MemoryStore& operator=(const MemoryStore& other) { return *this = MemoryStore{other}; }
    MemoryStore& operator=(MemoryStore&&) noexcept = default;
    ~MemoryStore() = default;

    [[nodiscard]] const std::shared_ptr<Content>& content() const noexcept { return content_; }

    // What goes wrong, for all stores with this content, in the order in which it was said. `open` counts as a call.

    /// The next calls throw that, and do nothing.
    void fail_next(StoreFailure failure, std::size_t calls = 1) { plan(Mishap{Mishap::Kind::fail, failure}, calls); }

    /// The next calls do nothing until their deadline, and then throw `unavailable`.
    void hang_next(std::size_t calls = 1) { plan(Mishap{Mishap::Kind::hang}, calls); }

    /// The next calls do all they should, and then throw `unavailable`: a commit that died with its connection.
    void doubt_next(std::size_t calls = 1) { plan(Mishap{Mishap::Kind::doubt}, calls); }

    /// The next calls work; to be followed by others that do not.
    void pass_next(std::size_t calls = 1) { plan(Mishap{Mishap::Kind::none}, calls); }

    /// From now on all is well again; who hangs throws `unavailable` at once.
    void recover();

    /// Calls so far, failed ones included.
    [[nodiscard]] std::uint64_t calls() const;

    // What follows is execution_store.

    void open(const StoreOpening& opening, StoreDeadline deadline);
    void close() noexcept;
    void write(const StoreBatch& batch, StoreDeadline deadline);
    [[nodiscard]] StoredPage read(const StoreQuery& query, StoreDeadline deadline);
    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline);
    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline);
    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline);
    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline);
    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline);
    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline);
    std::uint64_t clear(StoreDeadline deadline);
    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline);

    // What follows is job_store.

    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline);
    void save(const StoredJob& job, StoreDeadline deadline);
    bool erase(std::string_view id, StoreDeadline deadline);

private:
    struct Mishap {
        enum class Kind : std::uint8_t { none, fail, hang, doubt };
        Kind kind = Kind::none;
        StoreFailure failure = StoreFailure::unavailable;
    };

    void plan(Mishap mishap, std::size_t calls);

    /// Does one call, or what is planned in its place.
    template <class Work>
    auto call(StoreDeadline deadline, Work&& work);

    std::shared_ptr<Content> content_;
    std::shared_ptr<Opened> opened_ = std::make_shared<Opened>();
};

class MemoryStore::Content {
    friend class MemoryStore;
    using CounterKey = std::tuple<std::string, CounterScope, std::string, sys_time>;

    void put(const StoredCounters& row, const std::string& node) {
        StoredCounters own = row;
        if (own.node.empty()) { own.node = node; }
        counters_.insert_or_assign(CounterKey{own.node, own.scope, own.name, own.period}, own);
    }

    mutable std::mutex mutex_;
    std::condition_variable recovered_;
    std::map<ExecutionId, StoredExecution> executions_; // guarded by mutex_, as is all that follows
    std::map<std::string, StoredJob, std::less<>> jobs_;
    std::map<CounterKey, StoredCounters> counters_;
    std::weak_ptr<Opened> opened_by_;
    std::vector<Mishap> mishaps_; // the next one first
    std::uint64_t calls_ = 0;
    std::uint64_t recoveries_ = 0;
};

/// One opening.
struct MemoryStore::Opened {
    bool is_open = false; // guarded by the content's mutex_, like `node`
    std::string node = {};
};

inline void MemoryStore::plan(Mishap mishap, std::size_t calls) {
    const std::scoped_lock lock{content_->mutex_};
    content_->mishaps_.insert(content_->mishaps_.end(), calls, mishap);
}

inline void MemoryStore::recover() {
    const std::scoped_lock lock{content_->mutex_};
    content_->mishaps_.clear();
    ++content_->recoveries_;
    content_->recovered_.notify_all();
}

inline std::uint64_t MemoryStore::calls() const {
    const std::scoped_lock lock{content_->mutex_};
    return content_->calls_;
}

template <class Work>
auto MemoryStore::call(StoreDeadline deadline, Work&& work) {
    Content& content = *content_;
    std::unique_lock lock{content.mutex_};
    ++content.calls_;
    Mishap mishap;
    if (!content.mishaps_.empty()) {
        mishap = content.mishaps_.front();
        content.mishaps_.erase(content.mishaps_.begin());
    }
    if (mishap.kind == Mishap::Kind::hang) {
        const std::uint64_t before = content.recoveries_;
        content.recovered_.wait_until(lock, deadline, [&] { return content.recoveries_ != before; });
        throw StoreError{StoreFailure::unavailable, "the store did not answer in time"};
    }
    if (mishap.kind == Mishap::Kind::fail) {
        throw StoreError{mishap.failure, "the store is to fail: " + std::string{to_string(mishap.failure)}};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
        throw StoreError{StoreFailure::unavailable, "there was no time left for the store"};
    }
    const auto doubt = [&] {
        if (mishap.kind != Mishap::Kind::doubt) { return; }
        throw StoreError{StoreFailure::unavailable, "the connection broke; what was asked for may have been done"};
    };
    if constexpr (std::is_void_v<decltype(work(content))>) {
        work(content);
        doubt();
    } else {
        auto result = work(content);
        doubt();
        return result;
    }
}

inline void MemoryStore::open(const StoreOpening& opening, StoreDeadline deadline) {
    call(deadline, [&](Content& content) {
        const auto by = content.opened_by_.lock();
        if (by != nullptr && by->is_open) { throw StoreError{StoreFailure::busy, "the store is in use already"}; }
        opened_->node = opening.node;
        opened_->is_open = true;
        content.opened_by_ = opened_;
    });
}

inline void MemoryStore::close() noexcept {
    const std::scoped_lock lock{content_->mutex_};
    opened_->is_open = false;
}

inline void MemoryStore::write(const StoreBatch& batch, StoreDeadline deadline) {
    call(deadline, [&](Content& content) {
        if (!opened_->is_open) { throw StoreError{StoreFailure::refused, "the store is not open"}; }
        for (const StoredExecution& execution : batch.executions) {
            const auto [there, is_new] = content.executions_.try_emplace(execution.id, execution);
            const bool is_later_skip = there->second.status == JobStatus::skipped &&
                                       execution.status == JobStatus::skipped &&
                                       execution.skip_count > there->second.skip_count;
            if (!is_new && (!is_finished(there->second.status) || is_later_skip)) { there->second = execution; }
        }
        for (const AccountedTime& accounted : batch.accounted) {
            const auto job = content.jobs_.find(accounted.job_id);
            if (job == content.jobs_.end()) { continue; }
            auto& until = job->second.accounted_to;
            until = until ? std::max(*until, accounted.until) : accounted.until;
        }
        for (const StoredCounters& row : batch.counters) { content.put(row, opened_->node); }
    });
}

inline StoredPage MemoryStore::read(const StoreQuery& query, StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        StoredPage page;
        if (query.limit == 0) { return page; }
        const StoreFilter filter{query};
        std::vector<const StoredExecution*> list;
        for (const auto& [id, execution] : content.executions_) {
            if (filter.is_in_list(execution) && filter.is_after(execution, content.executions_)) {
                list.push_back(&execution);
            }
        }
        const auto by_place = [&](const StoredExecution* one, const StoredExecution* other) {
            const bool is_less = std::tuple{one->position, one->id} < std::tuple{other->position, other->id};
            return one != other && is_less == (query.filter.sort == SortBy::oldest);
        };
        std::sort(list.begin(), list.end(), by_place);
        const std::size_t most = std::max<std::size_t>(1, query.filter.max_scanned);
        const bool is_cut = filter.is_scan() && list.size() > most;
        if (is_cut) { list.resize(most); }
        const StorePlace last = is_cut ? StorePlace{list.back()->position, list.back()->id} : StorePlace{};
        std::erase_if(list, [&](const StoredExecution* execution) { return !filter.matches(*execution); });
        std::stable_sort(list.begin(), list.end(), [&](const StoredExecution* one, const StoredExecution* other) {
            return filter.comes_first(*one, *other);
        });
        for (std::size_t i = query.offset; i < list.size() && page.executions.size() < query.limit; ++i) {
            page.executions.push_back(*list[i]);
        }
        const bool is_full = filter.is_by_start() && page.executions.size() == query.limit;
        if (is_cut && !is_full) { page.stopped_at = last; }
        return page;
    });
}

inline std::uint64_t MemoryStore::count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        const StoreFilter filter{query};
        std::uint64_t found = 0;
        for (const auto& [id, execution] : content.executions_) {
            if (found < up_to && filter.is_in_list(execution) && filter.matches(execution)) { ++found; }
        }
        return found;
    });
}

inline std::optional<StoredExecution> MemoryStore::find(ExecutionId id, StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        const auto found = content.executions_.find(id);
        return found == content.executions_.end() ? std::optional<StoredExecution>{} : found->second;
    });
}

inline std::vector<StoredExecution> MemoryStore::unfinished(StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        const auto is_last = [&](const StoredExecution& execution) {
            return std::none_of(content.executions_.begin(), content.executions_.end(), [&](const auto& other) {
                return other.second.occurrence_id == execution.occurrence_id &&
                       other.second.attempt_number > execution.attempt_number;
            });
        };
        std::vector<StoredExecution> found;
        for (const auto& [id, execution] : content.executions_) {
            const bool may_go_on = !execution.is_final && execution.status != JobStatus::skipped;
            if (!is_finished(execution.status) || (may_go_on && is_last(execution))) { found.push_back(execution); }
        }
        std::stable_sort(found.begin(), found.end(), [](const StoredExecution& one, const StoredExecution& other) {
            return one.position < other.position;
        });
        return found;
    });
}

inline std::vector<StoredCounters> MemoryStore::counters(StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        std::vector<StoredCounters> rows;
        for (const auto& [key, row] : content.counters_) { rows.push_back(row); }
        return rows;
    });
}

inline void MemoryStore::fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) {
    call(deadline, [&](Content& content) {
        content.counters_.clear();
        for (const StoredCounters& row : rows) { content.put(row, opened_->node); }
    });
}

inline std::uint64_t MemoryStore::retained(StoreDeadline deadline) {
    return call(deadline, [&](Content& content) { return std::uint64_t{content.executions_.size()}; });
}

inline std::uint64_t MemoryStore::clear(StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        std::erase_if(content.counters_, [](const auto& row) { return row.second.scope != CounterScope::lifetime; });
        return std::uint64_t{
            std::erase_if(content.executions_, [](const auto& entry) { return is_finished(entry.second.status); })};
    });
}

inline std::uint64_t MemoryStore::prune(const StoreRetention& retention, StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        std::set<std::tuple<std::int64_t, ExecutionId>> finished; // the oldest first
        for (const auto& [id, execution] : content.executions_) {
            if (is_finished(execution.status)) { finished.insert({execution.position, id}); }
        }
        std::uint64_t removed = 0;
        for (const auto& [position, id] : finished) {
            const bool is_old =
                retention.finished_before && position < retention.finished_before->time_since_epoch().count();
            const bool is_too_many = retention.max_records && content.executions_.size() > *retention.max_records;
            if ((!is_old && !is_too_many) || removed == retention.batch) { break; }
            content.executions_.erase(id);
            ++removed;
        }
        return removed;
    });
}

inline std::vector<StoredJob> MemoryStore::jobs(StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        std::vector<StoredJob> all;
        for (const auto& [id, job] : content.jobs_) { all.push_back(job); }
        return all;
    });
}

inline void MemoryStore::save(const StoredJob& job, StoreDeadline deadline) {
    call(deadline, [&](Content& content) {
        const auto [there, is_new] = content.jobs_.try_emplace(job.id, job);
        if (is_new) { return; }
        StoredJob own = job;
        own.created_at = there->second.created_at;
        if (!own.accounted_to) { own.accounted_to = there->second.accounted_to; }
        there->second = std::move(own);
    });
}

inline bool MemoryStore::erase(std::string_view id, StoreDeadline deadline) {
    return call(deadline, [&](Content& content) {
        const auto found = content.jobs_.find(id);
        if (found == content.jobs_.end()) { return false; }
        content.jobs_.erase(found);
        return true;
    });
}

} // namespace daybook::inline v0::testing

#endif
