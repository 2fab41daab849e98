// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_FEED_SOURCE_HPP
#define DAYBOOK_DETAIL_FEED_SOURCE_HPP

/// @file
/// What one subscriber reads from: a ring in each part of the log.

#include <daybook/detail/feed_ring.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_reader.hpp>
#include <daybook/detail/log_shards.hpp>
#include <daybook/detail/log_upkeep.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// @par Thread safety
/// Every member: safe from any thread.
class FeedSource {
public:
    /// One that has come, and where it is.
    class Arrival {
    public:
        Arrival(LogCore& part, FeedRing& ring, ExecutionId id) noexcept : part_{part}, ring_{ring}, id_{id} {}

        /// Nothing where it has been evicted.
        [[nodiscard]] std::optional<RawRecord> find() const { return LogReader{part_}.find(id_); }
        void count_dropped() const noexcept {
            LogUpkeep{part_}.with(ring_, [](FeedRing& ring) { ring.count_dropped(); });
        }

    private:
        LogCore& part_;
        FeedRing& ring_;
        ExecutionId id_;
    };

    FeedSource(std::shared_ptr<LogCore> log, std::size_t capacity, StatusSet wanted) : log_{std::move(log)} {
        if (const LogShards* const shards = log_->shards()) { bell_ = shards->bell(); }
        for_each_part(
            *log_, [&](LogCore& part) { places_.push_back(std::make_unique<Place>(part, capacity, wanted, bell_)); });
    }

    /// The one that finished first of those that wait in one part; the parts take turns.
    [[nodiscard]] std::optional<Arrival> next() {
        const std::size_t first = places_.size() == 1 ? 0 : turn_.fetch_add(1, std::memory_order_relaxed);
        for (std::size_t i = 0; i < places_.size(); ++i) {
            Place& place = *places_[(first + i) % places_.size()];
            const ExecutionId id = place.upkeep().with(place.ring, [](FeedRing& ring) { return ring.pop(); });
            if (id != 0) { return Arrival{place.part, place.ring, id}; }
        }
        return std::nullopt;
    }

    /// @returns Whether one waits.
    [[nodiscard]] bool wait(const std::stop_token& stop, steady_time until) {
        return bell_->sleep(stop, until, [this] {
            bool is_ready = false;
            for (const auto& place : places_) { is_ready = place->upkeep().is_ready(place->ring) || is_ready; }
            return is_ready;
        });
    }

    /// Evicts what is too old.
    void expire() noexcept {
        for (const auto& place : places_) { place->upkeep().expire(); }
    }

    /// The sum of `question(ring)`.
    template <class Ask>
    [[nodiscard]] std::uint64_t sum(Ask&& question) const {
        std::uint64_t sum = 0;
        for (const auto& place : places_) { sum += place->upkeep().with(place->ring, question); }
        return sum;
    }

private:
    struct Place {
        Place(LogCore& log, std::size_t capacity, StatusSet wanted, std::shared_ptr<FeedBell>& bell)
            : part{log}, ring{capacity, wanted} {
            bell = upkeep().open(ring, bell);
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() { upkeep().close(ring); }

        [[nodiscard]] LogUpkeep upkeep() const noexcept { return LogUpkeep{part}; }

        LogCore& part;
        FeedRing ring; // guarded by the part's lock
    };

    std::shared_ptr<LogCore> log_;
    std::shared_ptr<FeedBell> bell_;
    std::vector<std::unique_ptr<Place>> places_;
    std::atomic<std::size_t> turn_{0};
};

} // namespace daybook::inline v0::detail

#endif
