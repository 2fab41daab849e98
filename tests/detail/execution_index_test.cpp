// SPDX-License-Identifier: MIT
#include <daybook/detail/execution_index.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

using namespace daybook::detail;
using daybook::JobStatus;

namespace {

/// A ring of 64 positions, the smallest there is.
struct Index {
    SlotPool pool{4096};
    ExecutionIndex index{pool, 4};
    daybook::ExecutionId next_id = 1;

    std::uint32_t slot(JobStatus status) {
        pool.reserve_one();
        const std::uint32_t taken = pool.take();
        pool[taken].id = next_id++;
        pool[taken].status = status;
        return taken;
    }
    std::uint32_t place(JobStatus status) {
        const std::uint32_t placed = slot(status);
        index.place(placed, pool[placed]);
        return placed;
    }
    std::uint32_t skip() {
        const std::uint32_t placed = slot(JobStatus::skipped);
        index.place_skip(placed);
        return placed;
    }

    /// In the ring, then behind it.
    std::vector<std::uint32_t> all() const { return listed(index.in_ring(), std::nullopt); }
    std::vector<std::uint32_t> with(JobStatus status) const { return listed(index.in_ring(status), status); }

    std::vector<std::uint32_t> listed(const PositionSet& set, std::optional<JobStatus> status) const {
        std::vector<std::uint32_t> found;
        for (auto end = index.next_position(); end != 0;) {
            const auto at = index.last_up_to(set, end - 1);
            if (at == no_slot) { break; }
            found.push_back(at);
            end = pool[at].order / 2;
        }
        std::vector<std::uint32_t> backwards;
        for (std::uint64_t first = 0;;) {
            const auto at = index.first_from(set, first);
            if (at == no_slot) { break; }
            backwards.push_back(at);
            first = pool[at].order / 2 + 1;
        }
        CHECK(found == std::vector<std::uint32_t>(backwards.rbegin(), backwards.rend()));
        for (auto at = index.overtaken().newest; at != no_slot; at = pool[at].by_order.older) {
            if (!status || pool[at].status == *status) { found.push_back(at); }
        }
        return found;
    }
};

using Slots = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("executions are found newest first, all of them and by status") {
    Index at;
    const auto first = at.place(JobStatus::running);
    const auto second = at.place(JobStatus::success);
    const auto third = at.place(JobStatus::running);
    CHECK(at.all() == Slots{third, second, first});
    CHECK(at.with(JobStatus::running) == Slots{third, first});
    CHECK(at.with(JobStatus::error).empty());
}

TEST_CASE("a change of status keeps the place") {
    Index at;
    const auto first = at.place(JobStatus::running);
    const auto second = at.place(JobStatus::running);
    at.index.change_status(at.pool[first], JobStatus::error);
    CHECK(at.all() == Slots{second, first});
    CHECK(at.with(JobStatus::error) == Slots{first});
    CHECK(at.index.count(JobStatus::running) == 1);
}

TEST_CASE("executions that the ring overtakes keep their order and their status") {
    Index at;
    const auto first = at.place(JobStatus::running);
    const auto second = at.place(JobStatus::running);
    const auto third = at.place(JobStatus::error);
    for (int i = 0; i < 1000; ++i) { at.index.remove(at.pool[at.place(JobStatus::success)]); }
    CHECK(at.all() == Slots{third, second, first});
    CHECK(at.with(JobStatus::running) == Slots{second, first});
    at.index.change_status(at.pool[second], JobStatus::error);
    CHECK(at.with(JobStatus::error) == Slots{third, second});
    at.index.remove(at.pool[third]);
    CHECK(at.all() == Slots{second, first});
}

TEST_CASE("a walk can begin anywhere in the ring") {
    Index at;
    std::vector<std::uint32_t> staying;
    for (int i = 0; i < 300; ++i) {
        const auto placed = at.place(JobStatus::success);
        if (i % 10 == 0) {
            staying.push_back(placed);
        } else {
            at.index.remove(at.pool[placed]);
        }
    }
    const auto in_ring = [&](std::uint32_t index) { return at.pool[index].in_ring ? index : no_slot; };
    for (std::size_t i = 1; i < staying.size(); ++i) {
        if (!at.pool[staying[i]].in_ring) { continue; }
        const auto position = at.pool[staying[i]].order / 2;
        for (const auto& set : {&at.index.in_ring(), &at.index.in_ring(JobStatus::success)}) {
            CHECK(at.index.last_up_to(*set, position) == staying[i]);
            CHECK(at.index.last_up_to(*set, position - 1) == in_ring(staying[i - 1]));
            CHECK(at.index.first_from(*set, position) == staying[i]);
            CHECK(at.index.first_from(*set, position + 1) == (i + 1 < staying.size() ? staying[i + 1] : no_slot));
        }
    }
    CHECK(at.index.last_up_to(at.index.in_ring(), at.index.first_position()) == no_slot);
    CHECK(at.index.overtaken().size != 0);
    CHECK(at.all() == std::vector<std::uint32_t>(staying.rbegin(), staying.rend()));
}

TEST_CASE("a skip stands between the execution before it and the one after it") {
    Index at;
    const auto before = at.place(JobStatus::success);
    const auto skip = at.skip();
    const auto after = at.place(JobStatus::success);
    CHECK(at.index.key_of(before) < at.index.key_of(skip));
    CHECK(at.index.key_of(skip) < at.index.key_of(after));
    CHECK(at.index.last_up_to(at.index.in_ring(), at.index.key_of(skip).order / 2) == before);
}

TEST_CASE("an older execution that becomes a skip stands in front of the skips before it") {
    Index at;
    const auto waiting = at.place(JobStatus::queued);
    const auto skip = at.skip();
    at.index.remove(at.pool[waiting]);
    at.pool[waiting].status = JobStatus::skipped;
    at.index.place_skip(waiting);
    CHECK(at.index.key_of(skip) < at.index.key_of(waiting));
    CHECK(at.index.key_of(waiting) < at.index.newest_key());
}

TEST_CASE("positions that skips use up overtake like any other") {
    Index at;
    const auto first = at.place(JobStatus::running);
    for (int i = 0; i < 200; ++i) {
        const auto waiting = at.slot(JobStatus::queued);
        const auto skip = at.skip();
        at.index.place_skip(waiting); // older by id than the skip before it
        at.index.remove_skip(at.pool[waiting]);
        at.index.remove_skip(at.pool[skip]);
    }
    const auto second = at.place(JobStatus::running);
    CHECK(at.all() == Slots{second, first});
    CHECK(at.with(JobStatus::running) == Slots{second, first});
}

TEST_CASE("what the ring has overtaken is counted by status") {
    Index at;
    const auto first = at.place(JobStatus::running);
    const auto second = at.place(JobStatus::running);
    CHECK(at.index.count_overtaken(JobStatus::running) == 0);
    for (int i = 0; i < 1000; ++i) { at.index.remove(at.pool[at.place(JobStatus::success)]); }
    CHECK(at.index.count_overtaken(JobStatus::running) == 2);
    at.index.change_status(at.pool[second], JobStatus::error);
    CHECK(at.index.count_overtaken(JobStatus::running) == 1);
    CHECK(at.index.count_overtaken(JobStatus::error) == 1);
    at.index.remove(at.pool[first]);
    at.index.remove(at.pool[second]);
    CHECK(at.index.count_overtaken(JobStatus::running) == 0);
    CHECK(at.index.count_overtaken(JobStatus::error) == 0);
}

TEST_CASE("the newest key lies between what is there and the next execution") {
    Index at;
    const auto before = at.place(JobStatus::success);
    const auto skip = at.skip();
    const auto newest = at.index.newest_key();
    CHECK(at.index.key_of(before) < newest);
    CHECK(at.index.key_of(skip) < newest);
    CHECK(newest < at.index.key_of(at.place(JobStatus::success)));
}
