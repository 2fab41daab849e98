// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_ENTRIES_HPP
#define DAYBOOK_DETAIL_LOG_ENTRIES_HPP

/// @file
/// What goes into the log and comes out of it, without the type of the results.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/feed_ring.hpp>
#include <daybook/detail/name_table.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/detail/utf8.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/stats/stats.hpp>
#include <daybook/types.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What a job or handler name leads to.
template <SlotLinks ExecutionSlot::*Links>
struct NameEntry {
    NamedLists<Links> lists;
    StatsGroup stats = StatsGroup::other;
    bool is_tracked = false;           ///< `stats` is its own; the table counts as a user of the name
    std::uint32_t open_skip = no_slot; ///< jobs only: the skip record that the next skip may join
};

/// Whose an execution is.
struct Owners {
    NameEntry<&ExecutionSlot::by_job>& job;
    NameEntry<&ExecutionSlot::by_handler>& handler;
};

/// What of a record is copied outside the lock only.
struct RecordBlocks {
    Ref<RefCounted> result;
    Ref<TextBlock> error;
};

/// What a change of state leaves to be done after the lock: blocks whose last owner may be the log are destroyed, and
/// whoever waits for records is woken. There is one record's room: a change of state evicts no more.
struct Discarded {
    Discarded() = default;
    Discarded(const Discarded&) = delete;
    Discarded& operator=(const Discarded&) = delete;
    [[gnu::always_inline]] ~Discarded() {
        if (awake != nullptr) { awake->wake_all(); }
    }
    void take(ExecutionSlot& slot) noexcept {
        result.swap(slot.result);
        error.swap(slot.error);
        extras.swap(slot.extras);
    }
    Ref<RefCounted> result;
    Ref<TextBlock> error;
    std::unique_ptr<ExecutionExtras> extras;
    RecordBlocks given_up; ///< of a record that the store will not get
    FeedRings* awake = nullptr;
};

/// Three interned names, each counted as used once.
struct NameRefs {
    std::uint32_t job = 0;
    std::uint32_t handler = 0;
    std::uint32_t method = 0;
};

/// Names with their hashes, computed outside the lock.
struct HashedNames {
    HashedNames(std::string_view job_id, std::string_view handler_id, std::string_view method_name)
        : job{limited(job_id)},
          handler{handler_id.empty() ? job : limited(handler_id)},
          method{limited(method_name)},
          job_hash{hash_name(job)},
          handler_hash{hash_name(handler)},
          method_hash{hash_name(method)} {}

    /// What is longer is cut: names are bounded like everything else.
    static constexpr std::size_t max_bytes = 255;
    [[nodiscard]] static constexpr std::string_view limited(std::string_view name) noexcept {
        return name.substr(0, utf8_floor(name, max_bytes));
    }

    std::string_view job, handler, method;
    std::uint32_t job_hash, handler_hash, method_hash;
};

/// A skipped occurrence, or several in a row.
struct SkipStart {
    SkipReason reason = SkipReason::misfire;
    std::optional<sys_time> scheduled_at = {}; ///< of the first of them
    Trigger trigger = Trigger::schedule;
    std::uint64_t occurrences = 1;
    bool is_minimum = false;
    ExecutionId id = 0; ///< reserved for its claim, if it gets a record of its own; 0: none
};

/// Where a page is built: facts are taken under the lock, the rest outside it.
class RecordSink {
public:
    RecordSink() = default;
    RecordSink(const RecordSink&) = delete;
    RecordSink& operator=(const RecordSink&) = delete;

    /// Makes room for so many more, which saves allocating under the lock.
    virtual void make_room(std::size_t records) = 0;

    /// Copies a record. Called under the lock.
    virtual void add(const ExecutionSlot& slot, const RecordNames& names) = 0;

    /// Leaves those with these numbers, from 0, in this order. Not called under the lock.
    virtual void arrange(const std::vector<std::size_t>& order) = 0;

protected:
    ~RecordSink() = default;
};

/// Copied out under the lock, turned into a record outside it.
struct RawRecord {
    ExecutionFacts facts;
    RecordBlocks blocks;
};

/// The rare parts of an execution that are known when it starts; nothing when there are none.
[[nodiscard]] inline std::unique_ptr<ExecutionExtras> extras_for(const ExecutionStart& start, std::size_t max_bytes) {
    if (start.parameters.empty()) { return nullptr; }
    auto extras = std::make_unique<ExecutionExtras>();
    extras->parameters = limited_copy(start.parameters, max_bytes, start.parameters.size());
    return extras;
}

/// What an execution has said about itself by the time it ends.
inline void add_reports(ExecutionEnd& end, const ExecutionSlot& slot, std::string_view model_key) noexcept {
    if (!slot.extras || !slot.is_final) { return; }
    if (const auto& progress = slot.extras->progress) {
        end.requests = {.total = progress->total, .completed = progress->done, .failed = progress->failed};
    }
    for (const auto& entry : slot.extras->metadata) {
        if (entry.first == model_key) { end.model = HashedNames::limited(entry.second); }
    }
}

/// Gives a name that has none its own counts; when memory or the table is full it is counted as `other`.
template <class Table, class Add>
void track(Table& table, std::vector<std::uint32_t>& tracked, std::uint32_t name, Add&& add) noexcept {
    auto& entry = table[name];
    try {
        tracked.push_back(name);
        entry.stats = add(table.name(name));
    } catch (const std::bad_alloc&) { entry.stats = StatsGroup::other; }
    entry.is_tracked = entry.stats != StatsGroup::other;
    if (entry.is_tracked) {
        table.add_user(name);
    } else if (!tracked.empty() && tracked.back() == name) {
        tracked.pop_back();
    }
}

/// The counts are about to start anew: the name is the table's to forget.
template <class Table>
void untrack_all(Table& table, std::vector<std::uint32_t>& tracked) noexcept {
    for (const std::uint32_t name : tracked) {
        table[name].stats = StatsGroup::other;
        table[name].is_tracked = false;
        table.release(name);
    }
    tracked.clear();
}

/// Under which all processes before this one are counted together.
inline constexpr std::string_view earlier_node = "(earlier)";

/// @throws std::invalid_argument  An option is out of its range; says which, and what the range is.
inline void check(const FleetOptions& fleet, const AnyStore& store) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument{"FleetOptions: " + what}; };
    using namespace std::chrono_literals;
    constexpr std::chrono::milliseconds shortest = 200ms;
    constexpr std::chrono::milliseconds longest = 1h;
    if (fleet.lease < shortest || fleet.lease > longest) { refuse("lease must be 200 ms to 1 h"); }
    if (fleet.refresh_interval < 100ms || fleet.refresh_interval > 24h) {
        refuse("refresh_interval must be 100 ms to 24 h");
    }
    if (fleet.max_clock_offset <= 0ms) { refuse("max_clock_offset must be above 0"); }
    for (const auto& [group, limit] : fleet.group_limits) {
        if (limit < 1) { refuse("group_limits: the limit of '" + group + "' must be at least 1"); }
    }
    if (!store) { refuse("a fleet needs a store that its processes share"); }
    if (!store.is_shared()) { refuse("this store is one that several processes cannot share"); }
}

/// @copydoc check
inline LogOptions checked(LogOptions options) {
    constexpr std::size_t most = 100'000'000;
    const auto refuse = [](const char* what) { throw std::invalid_argument{std::string{"LogOptions: "} + what}; };
    if (options.capacity < 1 || options.capacity > most) { refuse("capacity must be 1 to 100,000,000 records"); }
    if (options.max_running < 1 || options.max_running > most) { refuse("max_running must be 1 to 100,000,000"); }
    if (options.max_text_bytes < 64 || options.max_text_bytes > 4'000'000'000) { // blocks count in 32 bits
        refuse("max_text_bytes must be 64 to 4,000,000,000");
    }
    if (options.error_capacity.value_or(0) >= options.capacity) { refuse("error_capacity must be less than capacity"); }
    if (options.max_age.count() < 0) { refuse("max_age must not be negative; 0 is none"); }
    const StoringOptions& storing = options.storing;
    constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
    const auto is_within = [&](std::chrono::nanoseconds time, std::chrono::nanoseconds least) {
        return time >= least && time <= longest;
    };
    const std::chrono::nanoseconds least{1};
    if (storing.batch < 1 || storing.batch > 100'000) { refuse("storing.batch must be 1 to 100,000 records"); }
    if (!is_within(storing.timeout, least)) { refuse("storing.timeout must be above 0, and at most a day"); }
    if (!is_within(storing.flush_interval, {})) { refuse("storing.flush_interval must be 0 to a day"); }
    if (!is_within(storing.first_retry, least) || !is_within(storing.longest_retry, storing.first_retry)) {
        refuse("storing.first_retry must be above 0, and storing.longest_retry that or longer, and at most a day");
    }
    if (storing.max_age < storing.max_age.zero() || storing.max_age > std::chrono::hours{24 * 365'000}) {
        refuse("storing.max_age must not be negative; 0 is none");
    }
    if (storing.node.size() > HashedNames::max_bytes) { refuse("storing.node must have at most 255 bytes"); }
    if (storing.node == earlier_node) { refuse("storing.node must not be the name of all earlier processes"); }
    constexpr std::size_t longest_name = 230; // the number comes after it
    if (options.fleet && storing.node.size() > longest_name) {
        refuse("storing.node must have at most 230 bytes in a fleet");
    }
    if (options.fleet) { check(*options.fleet, options.store); }
    if (options.shards < 1 || options.shards > 64 || options.shards > options.capacity) {
        refuse("shards must be 1 to 64, and at most capacity");
    }
    if (options.shards > 1 && options.store) { refuse("shards must be 1 with a store"); }
    const std::size_t skips = options.skip_capacity.value_or(1);
    if (skips < 1 || skips > options.capacity) { refuse("skip_capacity must be 1 to capacity"); }
    return options;
}

/// Tells handles of one log from those of another.
inline std::uint32_t next_log_tag() noexcept {
    static std::atomic<std::uint32_t> tag{0};
    return tag.fetch_add(1, std::memory_order_relaxed) + 1;
}

} // namespace daybook::inline v0::detail

#endif
