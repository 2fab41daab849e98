// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_COUNTER_BOOK_HPP
#define DAYBOOK_DETAIL_COUNTER_BOOK_HPP

/// @file
/// What one process counts for the store: the counts of Stats, as rows of a table.

#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/sparse_histogram.hpp>
#include <daybook/detail/utf8.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What handler, job or model: by name, or all those together that came when the table was full.
struct CounterGroup {
    std::string_view name = {};
    bool is_rest = false;
};

/// How a group is called in the tables: the rest "", others by their names. Those that are empty, begin with "=", or
/// that not every database can hold (NUL, not UTF-8) are written as "=" and the name with such bytes as %XX: no two
/// groups share a name.
[[nodiscard]] inline std::string stored_name(const CounterGroup& group) {
    if (group.is_rest) { return {}; }
    bool is_plain = !group.name.empty() && group.name.front() != '=';
    bool is_utf8 = true;
    for (std::string_view left = group.name; !left.empty() && is_utf8;) {
        const Utf8Step step = utf8_step(left);
        is_utf8 = step.is_valid;
        is_plain = is_plain && step.is_valid && left.front() != '\0';
        left.remove_prefix(step.length);
    }
    if (is_plain) { return std::string{group.name}; }
    std::string text = "=";
    for (const char letter : group.name) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte != 0 && letter != '%' && (byte < 0x80 || is_utf8)) {
            text += letter;
            continue;
        }
        constexpr std::string_view digits = "0123456789ABCDEF";
        text += '%';
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

/// The inverse; `name` must not be "".
[[nodiscard]] inline std::string group_name(std::string_view name) {
    if (name.empty() || name.front() != '=') { return std::string{name}; }
    const auto digit = [&](std::size_t at) {
        const char letter = at < name.size() ? name[at] : '0';
        return static_cast<unsigned>(letter >= 'A' ? letter - 'A' + 10 : letter - '0');
    };
    std::string text;
    for (std::size_t at = 1; at < name.size(); ++at) {
        if (name[at] == '%') {
            text += static_cast<char>(digit(at + 1) << 4U | digit(at + 2));
            at += 2;
        } else {
            text += name[at];
        }
    }
    return text;
}

/// Whether the rows of a scope bear the names of groups.
[[nodiscard]] constexpr bool has_names(CounterScope scope) noexcept {
    switch (scope) {
    case CounterScope::lifetime:
    case CounterScope::all:
    case CounterScope::minute:
    case CounterScope::day: return false;
    default: return true;
    }
}

/// How long the periods of a scope are; 0 where it has none.
[[nodiscard]] constexpr std::chrono::minutes width_of(CounterScope scope) noexcept {
    switch (scope) {
    case CounterScope::minute: return width_of(TimelineResolution::minute);
    case CounterScope::hour:
    case CounterScope::hour_of_model: return width_of(TimelineResolution::hour);
    case CounterScope::day: return width_of(TimelineResolution::day);
    default: return {};
    }
}

/// How far back periods of a scope are of any use: a little more than a timeline shows.
[[nodiscard]] constexpr std::chrono::minutes kept_for(CounterScope scope) noexcept {
    switch (scope) {
    case CounterScope::minute: return std::chrono::hours{2} + std::chrono::minutes{1};
    case CounterScope::hour:
    case CounterScope::hour_of_model: return std::chrono::hours{8 * 24};
    case CounterScope::day: return std::chrono::hours{130 * 24};
    default: return std::chrono::minutes::max();
    }
}

/// What there is of one key.
struct CounterTally {
    OutcomeTally tally = {};
    SparseHistogram duration = {};
    SparseHistogram drift = {};
    SparseHistogram queue_delay = {};

    CounterTally& operator+=(const CounterTally& other) {
        tally += other.tally;
        duration += other.duration;
        drift += other.drift;
        queue_delay += other.queue_delay;
        return *this;
    }

    [[nodiscard]] StoredCounters stored(std::string_view node, CounterScope scope, std::string name,
                                        sys_time period) const {
        return {.node = std::string{node},
                .scope = scope,
                .name = std::move(name),
                .period = period,
                .success = tally.of(JobStatus::success),
                .error = tally.of(JobStatus::error),
                .timeout = tally.of(JobStatus::timeout),
                .abandoned = tally.of(JobStatus::abandoned),
                .cancelled = tally.of(JobStatus::cancelled),
                .skipped = tally.of(JobStatus::skipped),
                .retries = tally.retries,
                .requests_total = tally.requests.total,
                .requests_completed = tally.requests.completed,
                .requests_failed = tally.requests.failed,
                .duration = duration.stored(),
                .drift = drift.stored(),
                .queue_delay = queue_delay.stored()};
    }
};

/// The rows of one process, under one node name, from nothing on: what processes before it have counted must stand
/// under other names (`folded`). Counts what Stats counts, by the same rules, with these differences:
/// - A queue delay is one of the wall clock, in microseconds: that is what records tell.
/// - What ends a little before the minute under way counts in its own minute.
/// - Handlers and jobs get counts of their own when they start, end or are skipped, not when they are handed over.
///
/// Of scope `all`, `period` is since when it counts. Periods that have been over for long leave the memory as soon as
/// they are written. When the clock comes back to such a one, a row beside it is begun, some microseconds within it:
/// absolute values of what is forgotten cannot be written again.
///
/// A row takes some 400 bytes, and 16 for each bucket of its distributions. There is one for each handler, job and
/// model that has a place of its own (LogOptions), and one for each hour of 8 days in which something of a handler or
/// model ended.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe. What throws std::bad_alloc has counted nothing.
class CounterBook {
public:
    /// @param now  Since when it counts.
    CounterBook(std::string node, const LogOptions& options, sys_time now)
        : node_{std::move(node)},
          max_handlers_{options.max_tracked_handlers},
          max_jobs_{options.max_tracked_jobs},
          model_key_{options.model_key},
          counted_since_{now} {
        touch(CounterScope::all);
    }
    CounterBook(const CounterBook&) = delete;
    CounterBook& operator=(const CounterBook&) = delete;

    /// Counts how late an execution started and how long it waited: once, when it shows `started_at`.
    void record_start(const StoredExecution& execution) {
        job_of(execution);
        const CounterGroup handler = handler_of(execution);
        const std::array rows{&touch(CounterScope::all), &touch(CounterScope::handler, handler)};
        const auto nanoseconds = [](std::optional<std::chrono::microseconds> time) {
            using Result = std::optional<std::chrono::nanoseconds>;
            return time ? Result{saturating_ceil<std::chrono::nanoseconds>(*time)} : Result{};
        };
        const auto drift = nanoseconds(execution.drift());
        const auto queue_delay = nanoseconds(execution.queue_delay());
        for (Row* row : rows) {
            if (drift) { row->drift.prepare(*drift); }
            if (queue_delay) { row->queue_delay.prepare(*queue_delay); }
        }
        for (Row* row : rows) {
            if (drift) { row->drift.record(*drift); }
            if (queue_delay) { row->queue_delay.record(*queue_delay); }
        }
    }

    /// Counts an execution that has ended, skips aside: once.
    /// @param ended_at  When, for one that never ran: its record does not say. Empty: when it was handed over.
    void record_end(const StoredExecution& execution, std::optional<sys_time> ended_at = {}) {
        const sys_time at = ended_of(execution, ended_at);
        const CounterGroup handler = handler_of(execution);
        const std::array rows{&touch(CounterScope::lifetime),
                              &touch(CounterScope::job, job_of(execution)),
                              &touch(CounterScope::all),
                              &touch(CounterScope::handler, handler),
                              &touch(CounterScope::minute, {}, at),
                              &touch(CounterScope::hour, handler, at),
                              &touch(CounterScope::day, {}, at)};
        constexpr std::size_t first_measured = 2; // those before it show no durations
        std::array<Row*, 2> models{};
        if (execution.is_final) {
            const CounterGroup model = model_of(execution, handler);
            models = {&touch(CounterScope::model, model), &touch(CounterScope::hour_of_model, model, at)};
        }
        const bool is_measured = execution.duration && execution.status != JobStatus::cancelled;
        for (std::size_t i = first_measured; is_measured && i < rows.size(); ++i) {
            rows[i]->duration.prepare(*execution.duration);
        }

        const bool is_retry = execution.duration && execution.attempt_number > 1;
        const RequestCounts requests = execution.is_final ? requests_of(execution) : RequestCounts{};
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i]->tally.count(execution.status, execution.is_final, is_retry);
            add_requests(rows[i]->tally.requests, requests);
            if (is_measured && i >= first_measured) { rows[i]->duration.record(*execution.duration); }
        }
        for (Row* model : models) {
            if (model != nullptr) { model->tally.count(execution.status, true, false); }
        }
        last_ = at;
    }

    /// Counts occurrences that were not run.
    /// @param newly_skipped  How many of those that the record stands for have not been counted yet.
    void record_skip(const StoredExecution& execution, std::uint64_t newly_skipped) {
        const sys_time at = ended_of(execution, {});
        const CounterGroup handler = handler_of(execution);
        const std::array rows{&touch(CounterScope::lifetime),
                              &touch(CounterScope::all),
                              &touch(CounterScope::handler, handler),
                              &touch(CounterScope::job, job_of(execution)),
                              &touch(CounterScope::reason, {.name = to_string(execution.reason)}),
                              &touch(CounterScope::minute, {}, at),
                              &touch(CounterScope::hour, handler, at),
                              &touch(CounterScope::day, {}, at)};
        for (Row* row : rows) { row->tally.count_skips(newly_skipped); }
        last_ = at;
    }

    /// The rows that have changed since they were written last, with all that was ever counted in them.
    [[nodiscard]] std::vector<StoredCounters> changed() {
        std::vector<StoredCounters> rows;
        rows.reserve(changed_.size());
        for (const auto* entry : changed_) {
            const Key& key = entry->first;
            const Row& row = entry->second;
            const sys_time period = key.scope == CounterScope::all     ? counted_since_
                                    : width_of(key.scope).count() == 0 ? sys_time{}
                                                                       : begin_of(key.period, width_of(key.scope));
            rows.push_back(row.stored(node_, key.scope, has_names(key.scope) ? stored_name(group_of(key)) : "",
                                      period + std::chrono::microseconds{row.again}));
        }
        shown_ = changes_;
        return rows;
    }

    /// The store has written what `changed` gave last; what was counted since has changed still.
    void written() noexcept {
        std::erase_if(changed_, [&](Entry* entry) {
            if (entry->second.change > shown_) { return false; }
            entry->second.is_changed = false;
            return true;
        });
        const PeriodKey minute = period_of(last_, width_of(CounterScope::minute));
        if (minute == swept_) { return; }
        swept_ = minute;
        std::erase_if(rows_, [&](const auto& entry) {
            const Key& key = entry.first;
            const std::chrono::minutes width = width_of(key.scope);
            if (width.count() == 0 || entry.second.is_changed) { return false; }
            const PeriodKey distance = period_of(last_, width) - key.period;
            if (std::max(distance, -distance) <= kept_for(key.scope) / width) { return false; }
            PeriodKey& forgotten = forgotten_[static_cast<std::size_t>(key.scope)];
            forgotten = std::max(forgotten, key.period);
            return true;
        });
    }

    /// Starts everything anew but the lifetime's: the store has removed these rows, or is about to.
    void clear(sys_time now) {
        Rows kept;
        kept.reserve(2);
        changed_.reserve(2); // nothing fails from here on
        const Key lifetime{.scope = CounterScope::lifetime};
        if (auto row = rows_.extract(lifetime)) { kept.insert(std::move(row)); }
        std::erase_if(changed_, [](Entry* entry) { return entry->first.scope != CounterScope::lifetime; });
        rows_ = std::move(kept);
        handlers_ = jobs_ = models_ = 0;
        forgotten_.fill(no_period);
        counted_since_ = now;
        touch(CounterScope::all);
    }

    /// The same, but what `count` counts has been counted before, and was not there to be removed.
    template <class Count>
    void clear(sys_time now, Count&& count) {
        clear(now);
        const KeyView lifetime{.scope = CounterScope::lifetime};
        std::optional<CounterTally> before;
        if (const auto row = rows_.find(lifetime); row != rows_.end()) { before = row->second; }
        count();
        const auto row = rows_.find(lifetime);
        if (before && row != rows_.end()) { static_cast<CounterTally&>(row->second) = *before; }
    }

    /// Rows in memory.
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

private:
    struct Row : CounterTally {
        std::uint64_t change = 0; // the last one
        std::uint64_t again = 0;  // microseconds that tell it from a row of this period that was forgotten
        bool is_changed = false;
    };
    struct KeyView {
        CounterScope scope = CounterScope::all;
        CounterGroup group = {};
        PeriodKey period = 0;
    };
    struct Key {
        CounterScope scope = CounterScope::all;
        bool is_rest = false;
        PeriodKey period = 0;
        std::string name = {};
    };
    struct KeyHash {
        using is_transparent = void;
        std::size_t operator()(const KeyView& key) const noexcept {
            const std::size_t name = std::hash<std::string_view>{}(key.group.name);
            const auto rest = static_cast<std::size_t>(key.period) * 64 + static_cast<std::size_t>(key.scope) * 2 +
                              (key.group.is_rest ? 1 : 0);
            return name ^ (rest * static_cast<std::size_t>(0x9E3779B97F4A7C15U));
        }
        std::size_t operator()(const Key& key) const noexcept { return (*this)(view_of(key)); }
    };
    struct KeyEqual {
        using is_transparent = void;
        bool operator()(const KeyView& one, const KeyView& other) const noexcept {
            return one.scope == other.scope && one.period == other.period && one.group.is_rest == other.group.is_rest &&
                   one.group.name == other.group.name;
        }
        bool operator()(const Key& one, const Key& other) const noexcept {
            return (*this)(view_of(one), view_of(other));
        }
        bool operator()(const KeyView& one, const Key& other) const noexcept { return (*this)(one, view_of(other)); }
        bool operator()(const Key& one, const KeyView& other) const noexcept { return (*this)(view_of(one), other); }
    };
    using Rows = std::unordered_map<Key, Row, KeyHash, KeyEqual>;
    using Entry = Rows::value_type;

    static KeyView view_of(const Key& key) noexcept { return {key.scope, group_of(key), key.period}; }
    static CounterGroup group_of(const Key& key) noexcept { return {key.name, key.is_rest}; }

    /// When an execution ended, or was counted as skipped.
    static sys_time ended_of(const StoredExecution& execution, std::optional<sys_time> ended_at) noexcept {
        if (execution.completed_at) { return *execution.completed_at; }
        if (ended_at) { return *ended_at; }
        return execution.queued_at.value_or(sys_time{std::chrono::microseconds{execution.position}});
    }

    static RequestCounts requests_of(const StoredExecution& execution) noexcept {
        const Progress progress = execution.progress.value_or(Progress{});
        return detail::requests_of({.total = progress.total, .completed = progress.done, .failed = progress.failed},
                                   execution.status);
    }

    /// The row with this key, made if need be, and among those that have changed.
    Row& touch(CounterScope scope, const CounterGroup& group = {}, sys_time at = {}) {
        const std::chrono::minutes width = width_of(scope);
        const KeyView view{scope, group, width.count() == 0 ? 0 : period_of(at, width)};
        auto found = rows_.find(view);
        if (found == rows_.end()) {
            const bool was_there =
                width.count() != 0 && view.period <= forgotten_[static_cast<std::size_t>(view.scope)];
            Key key{.scope = scope, .is_rest = group.is_rest, .period = view.period, .name = std::string{group.name}};
            found = rows_.try_emplace(std::move(key)).first;
            if (was_there) { found->second.again = ++again_ % (60'000'000 - 1) + 1; }
        }
        Row& row = found->second;
        if (!row.is_changed) {
            changed_.push_back(&*found);
            row.is_changed = true;
        }
        row.change = ++changes_;
        return row;
    }

    /// @param count  Of the names that have rows of their own.
    CounterGroup group_of(CounterScope scope, std::string_view name, std::size_t& count, std::size_t most) {
        if (rows_.contains(KeyView{scope, {.name = name}, 0})) { return {.name = name}; }
        if (count >= most) { return {.is_rest = true}; }
        touch(scope, {.name = name});
        ++count;
        return {.name = name};
    }

    CounterGroup job_of(const StoredExecution& execution) {
        return group_of(CounterScope::job, execution.job_id, jobs_, max_jobs_);
    }

    /// A handler takes a place among the models as well, so that what is counted as its own stays that.
    CounterGroup handler_of(const StoredExecution& execution) {
        const std::size_t before = handlers_;
        const auto group = group_of(CounterScope::handler, execution.handler_id, handlers_, max_handlers_);
        if (handlers_ != before) { model_named(execution.handler_id); }
        return group;
    }

    CounterGroup model_named(std::string_view name) {
        return group_of(CounterScope::model, name, models_, 2 * std::min(max_handlers_, std::size_t{1} << 20U));
    }

    CounterGroup model_of(const StoredExecution& execution, const CounterGroup& handler) {
        std::string_view model;
        for (const auto& entry : execution.metadata) {
            if (entry.first == model_key_) { model = HashedNames::limited(entry.second); }
        }
        if (!model.empty()) { return model_named(model); }
        return handler.is_rest ? handler : model_named(handler.name);
    }

    std::string node_;
    std::size_t max_handlers_;
    std::size_t max_jobs_;
    std::string model_key_;
    sys_time counted_since_;
    Rows rows_;
    std::vector<Entry*> changed_;
    std::array<PeriodKey, 10> forgotten_ = all_no_period(); // by scope: the newest period that has left the memory
    std::size_t handlers_ = 0;
    std::size_t jobs_ = 0;
    std::size_t models_ = 0;
    std::uint64_t changes_ = 0;
    std::uint64_t shown_ = 0; // `changes_` when `changed` was called
    std::uint64_t again_ = 0;
    sys_time last_ = {}; // when what was counted last ended
    PeriodKey swept_ = no_period;

    static constexpr std::array<PeriodKey, 10> all_no_period() noexcept {
        std::array<PeriodKey, 10> all{};
        all.fill(no_period);
        return all;
    }
};

} // namespace daybook::inline v0::detail

#endif
