// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_AUDIT_LOG_HPP
#define DAYBOOK_HTTP_AUDIT_LOG_HPP

/// @file
/// Who changed what, and when: one record for each operation that was asked of a router and that does more than read,
/// done or refused. What is refused before it is known which operation it asks for (a wrong host, a target or headers
/// that are too long) is not among them.

#include <daybook/detail/utf8.hpp>
#include <daybook/http/access.hpp>
#include <daybook/time/wall_clock.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// One operation. Texts that clients choose are cut at 512 bytes.
struct AuditRecord {
    std::uint64_t id = 0; ///< from 1, in the order in which operations ended
    sys_time at = {};
    std::string who = {};    ///< as the authorize hook named the client; empty if it did not, or refused
    std::string remote = {}; ///< the peer's address, as the adapter tells it
    Permission permission = Permission::change;
    std::string method = {};
    std::string target = {}; ///< as it was sent, without the query, which may hold what nobody else should see
    int status = 0;          ///< of the answer: below 400, it was done
    std::string note = {};   ///< what it came to, in the words of the API; may be empty
};

/// How an audit log is kept.
struct AuditOptions {
    /// Operations kept that were done; as many as a tenth of them, at least one, are kept of those that were refused,
    /// so that nobody pushes what was done out of the log by being refused often.
    std::size_t capacity = 1000;

    /// Told of every record, under no lock, on the thread that serves the client: to keep it for longer. What it throws
    /// is ignored.
    std::function<void(const AuditRecord&)> on_record = {};

    AnyClock clock = {};
};

/// A page of an audit log, newest first.
struct AuditPage {
    std::vector<AuditRecord> records = {};
    std::uint64_t total = 0; ///< records kept
    bool has_more = false;
};

/// The newest operations. Copies are handles of the same log.
///
/// @par Thread safety
/// Distinct objects: safe, copies of one another too. Shared objects: safe, every member but assignment. No user code
/// runs under the lock.
class AuditLog {
public:
    /// @throws std::invalid_argument  The capacity is 0.
    explicit AuditLog(AuditOptions options = {}) : state_{std::make_shared<State>(std::move(options))} {
        if (state_->options.capacity == 0) {
            throw std::invalid_argument{"daybook: an audit log needs a capacity above 0"};
        }
    }

    /// Adds a record; its id and time are set here. O(1).
    void record(AuditRecord record) const {
        constexpr std::size_t most_bytes = 512;
        for (auto* const text : {&record.who, &record.remote, &record.method, &record.target, &record.note}) {
            *text = detail::limited_text(std::move(*text), most_bytes);
        }
        record.at = state_->options.clock.now();
        {
            const std::lock_guard lock{state_->mutex};
            record.id = ++state_->last_id;
            const bool is_done = record.status < 400;
            auto& records = is_done ? state_->done : state_->refused;
            const auto& capacity = state_->options.capacity;
            records.push_back(record);
            if (records.size() > (is_done ? capacity : std::max<std::size_t>(1, capacity / 10))) {
                records.pop_front();
            }
        }
        if (!state_->options.on_record) { return; }
        try {
            state_->options.on_record(record);
        } catch (...) { // NOLINT(bugprone-empty-catch): what the client asked for is done, and there is nobody to tell
        }
    }

    /// The newest records whose id is below `before`. O(limit).
    [[nodiscard]] AuditPage records(std::size_t limit,
                                    std::uint64_t before = std::numeric_limits<std::uint64_t>::max()) const {
        const std::lock_guard lock{state_->mutex};
        const auto older = [&](const std::deque<AuditRecord>& records) {
            return std::make_reverse_iterator(std::partition_point(
                records.begin(), records.end(), [&](const AuditRecord& each) { return each.id < before; }));
        };
        auto done = older(state_->done);
        auto refused = older(state_->refused);
        AuditPage page{.total = state_->done.size() + state_->refused.size()};
        while (page.records.size() < limit && (done != state_->done.rend() || refused != state_->refused.rend())) {
            const bool take_done =
                refused == state_->refused.rend() || (done != state_->done.rend() && done->id > refused->id);
            page.records.push_back(take_done ? *done++ : *refused++);
        }
        page.has_more = done != state_->done.rend() || refused != state_->refused.rend();
        return page;
    }

private:
    struct State {
        explicit State(AuditOptions chosen) : options{std::move(chosen)} {}

        const AuditOptions options;
        std::mutex mutex = {};
        std::uint64_t last_id = 0;            // guarded by mutex
        std::deque<AuditRecord> done = {};    // guarded by mutex; ordered by id
        std::deque<AuditRecord> refused = {}; // guarded by mutex; ordered by id
    };

    std::shared_ptr<State> state_;
};

} // namespace daybook::inline v0::http

#endif
