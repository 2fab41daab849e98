// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTING_MEMORY_STORE_CALLS_HPP
#define DAYBOOK_TESTING_MEMORY_STORE_CALLS_HPP

/// @file
/// What each call of a MemoryStore does.

#include <daybook/testing/memory_store.hpp>

namespace daybook::inline v0::testing {

inline void MemoryStore::open(const StoreOpening& opening, StoreDeadline deadline) {
    call(MemoryCalls::log, deadline, [&](Content& content) {
        const auto by = content.opened_by_.lock();
        if ((by != nullptr && by->is_open) || content.fleet_.has_members()) {
            throw StoreError{StoreFailure::busy, "the store is in use already"};
        }
        me_->name = me_->node = opening.node;
        me_->is_open = true;
        content.opened_by_ = me_;
        content.fleet_.end(content.tables_, content.clock_.now());
    });
}

inline void MemoryStore::close() noexcept {
    Content& content = *content_;
    const std::scoped_lock lock{content.mutex_};
    const bool is_cut_off = content.cut_off_.contains(me_->name);
    if (me_->is_joined && !is_cut_off) { content.fleet_.leave(*me_, content.tables_, content.steady_now()); }
    me_->is_open = me_->is_joined = false;
    me_->locks = {};
    content.changed_.notify_all();
}

inline void MemoryStore::write(const StoreBatch& batch, StoreDeadline deadline) {
    const auto is_free = [&] {
        return std::none_of(batch.accounted.begin(), batch.accounted.end(), [&](const AccountedTime& accounted) {
            return content_->fleet_.is_locked(accounted.job_id, content_->steady_now());
        });
    };
    call(MemoryCalls::write, deadline, is_free, [&](Content& content) {
        if (!me_->is_open && !me_->is_joined) { throw StoreError{StoreFailure::refused, "the store is not open"}; }
        if (me_->is_joined && !content.fleet_.is_seated(me_->node)) {
            throw StoreError{StoreFailure::unseated, "another process has taken over what \"" + me_->node + "\" had"};
        }
        if (me_->is_joined && !batch.counters.empty() &&
            std::exchange(me_->clearings, content.tables_.clearings) != content.tables_.clearings) {
            throw StoreError{StoreFailure::cleared, "another process has cleared the history"};
        }
        for (const StoredExecution& execution : batch.executions) {
            const auto there = content.tables_.executions.find(execution.id);
            const bool is_others =
                me_->is_joined && there != content.tables_.executions.end() && there->second.node != execution.node;
            if (!is_others) { content.tables_.put(execution); }
        }
        for (const AccountedTime& accounted : batch.accounted) { content.tables_.put(accounted); }
        for (const StoredCounters& row : batch.counters) { content.tables_.put(row, me_->node); }
        if (me_->is_joined) { content.fleet_.release(*me_, batch.released); }
    });
}

inline StoredPage MemoryStore::read(const StoreQuery& query, StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) { return content.tables_.read(query); });
}

inline std::uint64_t MemoryStore::count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) { return content.tables_.count(query, up_to); });
}

inline std::optional<StoredExecution> MemoryStore::find(ExecutionId id, StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) {
        const auto found = content.tables_.executions.find(id);
        return found == content.tables_.executions.end() ? std::optional<StoredExecution>{} : found->second;
    });
}

inline std::vector<StoredExecution> MemoryStore::unfinished(StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) {
        auto found = content.tables_.unfinished();
        if (me_->is_joined) { content.fleet_.leave_out_seated(found); }
        return found;
    });
}

inline std::vector<StoredCounters> MemoryStore::counters(StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) {
        std::vector<StoredCounters> rows;
        for (const auto& [key, row] : content.tables_.counters) { rows.push_back(row); }
        return rows;
    });
}

inline void MemoryStore::fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) {
    call(MemoryCalls::log, deadline, [&](Content& content) {
        if (me_->is_joined) { throw StoreError{StoreFailure::refused, "in a fleet, counters are tidied"}; }
        content.tables_.counters.clear();
        for (const StoredCounters& row : rows) { content.tables_.put(row, me_->node); }
    });
}

inline std::uint64_t MemoryStore::retained(StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline,
                [&](Content& content) { return std::uint64_t{content.tables_.executions.size()}; });
}

inline std::uint64_t MemoryStore::clear(StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) {
        const std::uint64_t removed = content.tables_.clear();
        me_->clearings = content.tables_.clearings;
        return removed;
    });
}

inline std::uint64_t MemoryStore::prune(const StoreRetention& retention, StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) { return content.tables_.prune(retention); });
}

inline std::vector<StoredJob> MemoryStore::jobs(StoreDeadline deadline) {
    return call(MemoryCalls::log, deadline, [&](Content& content) {
        std::vector<StoredJob> all;
        for (const auto& [id, job] : content.tables_.jobs) { all.push_back(job); }
        return all;
    });
}

inline void MemoryStore::save(const StoredJob& job, StoreDeadline deadline) {
    const auto is_free = [&] { return !content_->fleet_.is_locked(job.id, content_->steady_now()); };
    call(MemoryCalls::log, deadline, is_free, [&](Content& content) {
        content.fleet_.tell_of_job(*me_, job.id);
        const auto [entry, is_new] = content.tables_.jobs.try_emplace(job.id, job);
        if (is_new) { return; }
        StoredJob& there = entry->second;
        StoredJob own = job;
        own.created_at = there.created_at;
        if (!own.accounted_to) { own.accounted_to = there.accounted_to; }
        if (me_->is_joined && own.schedule == there.schedule) {
            if (there.accounted_to) { own.accounted_to = there.accounted_to; }
            own.left = there.left;
            own.updated_at = there.updated_at;
        }
        there = std::move(own);
    });
}

inline bool MemoryStore::erase(std::string_view id, StoreDeadline deadline) {
    const auto is_free = [&] { return !content_->fleet_.is_locked(id, content_->steady_now()); };
    return call(MemoryCalls::log, deadline, is_free, [&](Content& content) {
        const auto found = content.tables_.jobs.find(id);
        if (found == content.tables_.jobs.end()) { return false; }
        content.fleet_.tell_of_job(*me_, id);
        content.tables_.jobs.erase(found);
        return true;
    });
}

inline FleetSeat MemoryStore::join(const FleetOpening& opening, StoreDeadline deadline) {
    {
        const std::scoped_lock lock{content_->mutex_};
        if (!me_->is_joined && !me_->is_open) { me_->name = opening.name; } // who is cut off cannot join either
    }
    return call(MemoryCalls::fleet, deadline, [&](Content& content) {
        constexpr std::size_t most = 230;
        if (opening.name.empty() || opening.name.size() > most || opening.lease <= opening.lease.zero()) {
            throw StoreError{StoreFailure::refused, "a seat needs a name of 1 to 230 bytes, and a lease"};
        }
        const auto by = content.opened_by_.lock();
        if (by != nullptr && by->is_open) { throw StoreError{StoreFailure::busy, "a process has the store alone"}; }
        me_->clearings = content.tables_.clearings;
        return content.fleet_.join(me_, opening, content.tables_, content.clock_.read());
    });
}

inline FleetBeat MemoryStore::beat(StoreDeadline deadline) {
    unlock();
    return call(MemoryCalls::fleet, deadline, [&](Content& content) {
        check_joined();
        const ClockReading now = content.clock_.read();
        return FleetBeat{content.fleet_.renew(*me_, now.steady), now.wall};
    });
}

inline LockedJobs MemoryStore::lock(std::span<const JobLock> jobs, LockWait wait, StoreDeadline deadline) {
    unlock();
    const auto is_free = [&] {
        if (wait == LockWait::no) { return true; }
        const auto now = content_->steady_now();
        return std::all_of(jobs.begin(), jobs.end(),
                           [&](const JobLock& job) { return content_->fleet_.is_free_for(*me_, job, now); });
    };
    try {
        return call(MemoryCalls::fleet, deadline, is_free, [&](Content& content) {
            check_joined();
            return content.fleet_.lock(*me_, jobs, content.tables_, content.steady_now());
        });
    } catch (...) {
        unlock(); // the answer was lost
        throw;
    }
}

inline void MemoryStore::commit(const ClaimBatch& batch, StoreDeadline deadline) {
    try {
        call(MemoryCalls::fleet, deadline, [&](Content& content) {
            check_joined();
            content.fleet_.commit(*me_, batch, content.tables_, content.steady_now());
        });
    } catch (...) {
        unlock();
        throw;
    }
}

inline void MemoryStore::unlock() noexcept {
    const std::scoped_lock lock{content_->mutex_};
    me_->locks = {};
    content_->changed_.notify_all();
}

inline ClaimNews MemoryStore::look(StoreDeadline deadline) {
    unlock();
    return call(MemoryCalls::fleet, deadline, [&](Content& content) {
        check_joined();
        return content.fleet_.look(*me_);
    });
}

inline std::vector<TakenOver> MemoryStore::take_over(StoreDeadline deadline) {
    unlock();
    return call(MemoryCalls::fleet, deadline, [&](Content& content) {
        check_joined();
        return content.fleet_.take_over(*me_, content.tables_, content.clock_.read());
    });
}

inline IdBlock MemoryStore::reserve_ids(StoreDeadline deadline) {
    unlock();
    return call(MemoryCalls::fleet, deadline, [&](Content& content) {
        check_joined();
        return content.fleet_.reserve_ids(content.tables_, content.clock_.now());
    });
}

inline void MemoryStore::tidy_counters(const CounterFold& fold, StoreDeadline deadline) {
    call(MemoryCalls::log, deadline, [&](Content& content) {
        check_joined();
        content.fleet_.tidy(*me_, fold, content.tables_);
    });
}

inline FleetNews MemoryStore::await(StoreDeadline until) {
    unlock();
    Content& content = *content_;
    std::unique_lock lock{content.mutex_};
    check_joined();
    const auto is_over = [&] {
        const FleetNews& news = me_->news;
        return me_->is_woken || news.is_all || news.has_claims || !news.jobs.empty() ||
               content.cut_off_.contains(me_->name);
    };
    content.changed_.wait_until(lock, until, is_over);
    me_->is_woken = false;
    check_connection();
    return std::exchange(me_->news, {});
}

inline void MemoryStore::wake() noexcept {
    const std::scoped_lock lock{content_->mutex_};
    me_->is_woken = true;
    content_->changed_.notify_all();
}

} // namespace daybook::inline v0::testing

#endif
