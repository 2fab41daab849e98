// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_SHARDS_HPP
#define DAYBOOK_DETAIL_LOG_SHARDS_HPP

/// @file
/// The parts of a log whose threads do not wait for each other (LogOptions::shards). What they answer is put together
/// in parts_reader.hpp.

#include <daybook/detail/feed_ring.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Each part is a log of its own, with a share of the capacity; the first one leads to the others.
///
/// @par Thread safety
/// Every member but `make`: safe from any thread.
class LogShards {
public:
    /// @returns The first part, which all of them live as long as.
    /// @throws std::invalid_argument  An option is out of its range.
    [[nodiscard]] static std::shared_ptr<LogCore> make(LogOptions whole) {
        auto shards = std::make_shared<LogShards>(checked(std::move(whole)));
        const auto part = [&](std::size_t at) {
            return std::make_unique<LogCore>(shards->share(at), shards->next_id_, shards->options_.shards);
        };
        std::shared_ptr<LogCore> first = part(0);
        shards->parts_.push_back(first.get());
        for (std::size_t at = 1; at < shards->options_.shards; ++at) {
            shards->others_.push_back(part(at));
            shards->parts_.push_back(shards->others_.back().get());
        }
        first->shards_ = std::move(shards);
        return first;
    }

    explicit LogShards(LogOptions whole) : options_{std::move(whole)} {}

    /// Of all together.
    [[nodiscard]] const LogOptions& options() const noexcept { return options_; }
    [[nodiscard]] const std::vector<LogCore*>& parts() const noexcept { return parts_; }
    [[nodiscard]] const std::shared_ptr<FeedBell>& bell() const noexcept { return bell_; }

    /// Where the calling thread records: where it did before, until it finds somebody else at it. So threads that come
    /// and go do not stay in one part together.
    [[nodiscard]] LogCore& of_thread() const noexcept {
        std::size_t& mine = number_of_thread();
        LogCore* const part = parts_[mine % parts_.size()];
        return part->is_busy() ? *parts_[++mine % parts_.size()] : *part;
    }

    /// Null: it is of another log.
    [[nodiscard]] LogCore* of(const Execution& execution) const noexcept {
        for (LogCore* const part : parts_) {
            if (part->tag() == execution.log) { return part; }
        }
        return nullptr;
    }

private:
    [[nodiscard]] static std::size_t& number_of_thread() noexcept {
        static std::atomic<std::size_t> threads{0};
        static thread_local std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
        return mine;
    }

    /// What does not divide evenly goes to the first parts.
    [[nodiscard]] LogOptions share(std::size_t at) const {
        const auto share_of = [&](std::size_t whole) {
            return whole / options_.shards + (at < whole % options_.shards ? 1 : 0);
        };
        LogOptions part = options_;
        part.shards = 1;
        part.capacity = share_of(options_.capacity);
        if (options_.error_capacity) {
            part.error_capacity = std::min(*options_.error_capacity / options_.shards, part.capacity - 1);
        }
        if (options_.skip_capacity) {
            part.skip_capacity = std::clamp<std::size_t>(share_of(*options_.skip_capacity), 1, part.capacity);
        }
        return part;
    }

    const LogOptions options_;
    std::atomic<ExecutionId> next_id_{1};
    const std::shared_ptr<FeedBell> bell_ = std::make_shared<FeedBell>();
    std::vector<std::unique_ptr<LogCore>> others_;
    std::vector<LogCore*> parts_;
};

/// Where the calling thread records.
[[nodiscard]] inline LogCore& part_of_thread(LogCore& log) noexcept {
    const LogShards* const shards = log.shards();
    return shards == nullptr ? log : shards->of_thread();
}

/// Where an execution was recorded; any part, where it is of another log.
[[nodiscard]] inline LogCore& part_of(LogCore& log, const Execution& execution) noexcept {
    const LogShards* const shards = log.shards();
    LogCore* const part = shards == nullptr ? nullptr : shards->of(execution);
    return part == nullptr ? log : *part;
}

/// Calls `use(LogCore&)` for each part.
template <class Use>
void for_each_part(LogCore& log, Use&& use) {
    const LogShards* const shards = log.shards();
    if (shards == nullptr) { return use(log); }
    for (LogCore* const part : shards->parts()) { use(*part); }
}

/// Of the log as a whole.
[[nodiscard]] inline const LogOptions& options_of(const LogCore& log) noexcept {
    const LogShards* const shards = log.shards();
    return shards == nullptr ? log.options() : shards->options();
}

} // namespace daybook::inline v0::detail

#endif
