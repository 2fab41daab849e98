// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_STORE_BENCH_HPP
#define DAYBOOK_TESTS_SCHEDULER_STORE_BENCH_HPP

/// @file
/// A store whose state can be copied at any moment: a crash is a copy, and the process that had the original is none
/// of the next one's business.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <daybook/daybook.hpp>
#include <daybook/log/any_store.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace bench {

using daybook::StoredExecution;
using daybook::StoredJob;

/// What is in a store.
struct Kept {
    using CounterKey = std::tuple<std::string, daybook::CounterScope, std::string, daybook::sys_time>;

    std::map<daybook::ExecutionId, StoredExecution> executions = {};
    std::map<std::string, StoredJob, std::less<>> jobs = {};
    std::map<CounterKey, daybook::StoredCounters> counters = {};
};

/// The store as those see it who look in from outside.
class Vault {
public:
    explicit Vault(Kept kept = {}) : kept_{std::move(kept)} {}

    [[nodiscard]] Kept copy() const {
        const std::scoped_lock lock{mutex_};
        return kept_;
    }
    [[nodiscard]] std::optional<StoredJob> job(std::string_view id) const {
        const std::scoped_lock lock{mutex_};
        const auto found = kept_.jobs.find(id);
        return found == kept_.jobs.end() ? std::nullopt : std::optional{found->second};
    }
    /// All states that were ever there, from the first on.
    [[nodiscard]] std::vector<Kept> states() const {
        const std::scoped_lock lock{mutex_};
        return states_;
    }
    void remember_states() {
        const std::scoped_lock lock{mutex_};
        is_remembering_ = true;
        states_.push_back(kept_);
    }
    void go_away(bool is_away) {
        const std::scoped_lock lock{mutex_};
        is_away_ = is_away;
    }

    template <class Act>
    auto look(const Act& act) const {
        const std::scoped_lock lock{mutex_};
        refuse();
        return act(kept_);
    }
    template <class Act>
    auto change(const Act& act) {
        const std::scoped_lock lock{mutex_};
        refuse();
        act(kept_);
        if (is_remembering_) { states_.push_back(kept_); }
    }

private:
    void refuse() const {
        if (is_away_) { throw daybook::StoreError{daybook::StoreFailure::unavailable, "the vault is shut"}; }
    }

    mutable std::mutex mutex_;
    Kept kept_; // guarded by mutex_, as is what follows
    std::vector<Kept> states_;
    bool is_remembering_ = false;
    bool is_away_ = false;
};

class VaultStore {
public:
    explicit VaultStore(std::shared_ptr<Vault> vault) : vault_{std::move(vault)} {}

    void open(const daybook::StoreOpening&, daybook::StoreDeadline) const {}
    void close() const noexcept {}

    void write(const daybook::StoreBatch& batch, daybook::StoreDeadline) const {
        vault_->change([&](Kept& kept) {
            for (const StoredExecution& execution : batch.executions) {
                const auto [at, is_new] = kept.executions.try_emplace(execution.id, execution);
                const bool grows = at->second.status == JobStatus::skipped && execution.status == JobStatus::skipped &&
                                   execution.skip_count > at->second.skip_count;
                if (!is_new && (!is_finished(at->second.status) || grows)) { at->second = execution; }
            }
            for (const auto& [id, until] : batch.accounted) {
                if (const auto job = kept.jobs.find(id); job != kept.jobs.end()) {
                    auto& known = job->second.accounted_to;
                    known = known ? std::max(*known, until) : until;
                }
            }
            for (const auto& row : batch.counters) { kept.counters.insert_or_assign(key(row), row); }
        });
    }

    [[nodiscard]] daybook::StoredPage read(const daybook::StoreQuery& query, daybook::StoreDeadline) const {
        return vault_->look([&](const Kept& kept) {
            daybook::StoredPage page;
            for (const auto& [id, execution] : kept.executions) {
                if (matches(execution, query)) { page.executions.push_back(execution); }
            }
            const auto place = [](const StoredExecution& one) { return std::pair{one.position, one.id}; };
            std::ranges::sort(page.executions, std::ranges::greater{}, place);
            if (query.filter.sort == daybook::SortBy::oldest) { std::ranges::reverse(page.executions); }
            if (page.executions.size() > query.limit) { page.executions.resize(query.limit); }
            return page;
        });
    }

    [[nodiscard]] std::uint64_t count(const daybook::StoreQuery& query, std::uint64_t, daybook::StoreDeadline) const {
        return vault_->look([&](const Kept& kept) {
            return static_cast<std::uint64_t>(
                std::ranges::count_if(kept.executions, [&](const auto& one) { return matches(one.second, query); }));
        });
    }

    [[nodiscard]] std::optional<StoredExecution> find(daybook::ExecutionId id, daybook::StoreDeadline) const {
        return vault_->look([&](const Kept& kept) {
            const auto found = kept.executions.find(id);
            return found == kept.executions.end() ? std::nullopt : std::optional{found->second};
        });
    }

    [[nodiscard]] std::vector<StoredExecution> unfinished(daybook::StoreDeadline) const {
        return vault_->look([&](const Kept& kept) {
            std::map<daybook::OccurrenceId, std::uint32_t> last;
            for (const auto& [id, one] : kept.executions) {
                auto& attempt = last[one.occurrence_id];
                attempt = std::max(attempt, one.attempt_number);
            }
            std::vector<StoredExecution> rows;
            for (const auto& [id, one] : kept.executions) {
                const bool is_promised = !one.is_final && one.attempt_number == last[one.occurrence_id];
                if (!is_finished(one.status) || is_promised) { rows.push_back(one); }
            }
            std::ranges::sort(rows, {}, [](const StoredExecution& one) { return std::pair{one.position, one.id}; });
            return rows;
        });
    }

    [[nodiscard]] std::vector<daybook::StoredCounters> counters(daybook::StoreDeadline) const {
        return vault_->look([](const Kept& kept) {
            std::vector<daybook::StoredCounters> rows;
            for (const auto& [at, row] : kept.counters) { rows.push_back(row); }
            return rows;
        });
    }
    void fold_counters(std::span<const daybook::StoredCounters> rows, daybook::StoreDeadline) const {
        vault_->change([&](Kept& kept) {
            kept.counters.clear();
            for (const auto& row : rows) { kept.counters.insert_or_assign(key(row), row); }
        });
    }
    [[nodiscard]] std::uint64_t retained(daybook::StoreDeadline) const {
        return vault_->look([](const Kept& kept) { return std::uint64_t{kept.executions.size()}; });
    }
    std::uint64_t clear(daybook::StoreDeadline) const { return 0; }
    std::uint64_t prune(const daybook::StoreRetention&, daybook::StoreDeadline) const { return 0; }

    [[nodiscard]] std::vector<StoredJob> jobs(daybook::StoreDeadline) const {
        return vault_->look([](const Kept& kept) {
            std::vector<StoredJob> all;
            for (const auto& [id, job] : kept.jobs) { all.push_back(job); }
            return all;
        });
    }
    void save(const StoredJob& job, daybook::StoreDeadline) const {
        vault_->change([&](Kept& kept) {
            const auto [at, is_new] = kept.jobs.try_emplace(job.id, job);
            if (is_new) { return; }
            StoredJob changed = job;
            changed.created_at = at->second.created_at;
            if (!changed.accounted_to) { changed.accounted_to = at->second.accounted_to; }
            at->second = changed;
        });
    }
    bool erase(std::string_view id, daybook::StoreDeadline) const {
        bool was_there = false;
        vault_->change([&](Kept& kept) { was_there = kept.jobs.erase(std::string{id}) != 0; });
        return was_there;
    }

private:
    static Kept::CounterKey key(const daybook::StoredCounters& row) {
        return {row.node, row.scope, row.name, row.period};
    }
    static bool matches(const StoredExecution& execution, const daybook::StoreQuery& query) {
        return query.status.contains(execution.status) &&
               (query.filter.job_id.empty() || query.filter.job_id == execution.job_id) &&
               (query.filter.occurrence_id == 0 || query.filter.occurrence_id == execution.occurrence_id);
    }

    std::shared_ptr<Vault> vault_;
};

/// One life of a program: a scheduler without threads, on a vault and a clock that last longer.
struct Life {
    Life(daybook::ManualClock at, Kept left, const std::function<void(daybook::SchedulerOptions&)>& adjust = {})
        : clock{std::move(at)}, vault{std::make_shared<Vault>(std::move(left))}, scheduler{[&] {
              auto options = driven(clock);
              options.store = VaultStore{vault};
              options.log.storing.flush_interval = 1ms;
              options.log.storing.node = "test";
              options.hooks.on_diagnostic = [this](std::string_view what) { told.emplace_back(what); };
              options.stop_grace = 0s;
              if (adjust) { adjust(options); }
              return options;
          }()} {}
    explicit Life(const daybook::ManualClock& at) : Life{at, Kept{}} {}

    void pass(std::chrono::nanoseconds time, std::chrono::nanoseconds step = 1s) {
        for (; time > 0s; time -= step) {
            clock.advance(std::min(time, step));
            scheduler.poll();
        }
    }

    /// What would be left if the process died now, after all it has done was written.
    [[nodiscard]] Kept crash() {
        CHECK(scheduler.log().flush(patience));
        return vault->copy();
    }

    [[nodiscard]] bool was_told(std::string_view part) const {
        return std::ranges::any_of(told, [&](const std::string& what) { return what.find(part) != what.npos; });
    }

    std::string story(std::string_view job) { return bench::story(scheduler.log(), job); }

    daybook::ManualClock clock;
    std::vector<std::string> told;
    std::shared_ptr<Vault> vault;
    daybook::Scheduler<> scheduler;
};

/// Adds the job "job", whose bodies count.
inline void add_counted(Life& life, int& runs, daybook::JobOptions options) {
    options.id = "job";
    life.scheduler.add(std::move(options), [&runs] { ++runs; });
}

} // namespace bench

#endif
