// SPDX-License-Identifier: MIT
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/id_index.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <set>

using namespace daybook::detail;

namespace {

struct Ids {
    explicit Ids(std::size_t most) : pool{most}, index{pool, most} {}

    std::uint32_t insert(daybook::ExecutionId id) {
        pool.reserve_one();
        index.reserve(id);
        const std::uint32_t slot = pool.take();
        pool[slot].id = id;
        index.insert(slot, id);
        return slot;
    }
    void erase(daybook::ExecutionId id) {
        const std::uint32_t slot = index.find(id);
        index.erase(slot, id);
        pool.give_back(slot);
    }

    SlotPool pool;
    IdIndex index;
};

} // namespace

TEST_CASE("an id that was never there is not found") {
    const SlotPool pool{10};
    const IdIndex index{pool, 10};
    CHECK(index.find(1) == no_slot);
}

TEST_CASE("an id index agrees with std::map whatever comes and goes") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        constexpr std::size_t most = 600;
        Ids ids{most};
        std::map<daybook::ExecutionId, std::uint32_t> reference;
        daybook::ExecutionId next = 1;
        bool agrees = true;
        for (int step = 0; step < 6000; ++step) {
            next += seed % 3 == 0 ? random() % 200 : 1;
            if (reference.size() < most && !reference.contains(next) && random() % 9 < 5) {
                reference.emplace(next, ids.insert(next));
            } else if (!reference.empty()) {
                // Mostly the oldest, as in a log; now and then any, so that some stay for very long.
                auto gone = reference.begin();
                if (random() % 8 == 0) { std::advance(gone, random() % static_cast<std::uint32_t>(reference.size())); }
                ids.erase(gone->first);
                reference.erase(gone);
            }
            const daybook::ExecutionId asked = random() % 2 == 0 ? next - random() % 700 : random() % (next + 5);
            const auto known = reference.find(asked);
            agrees = agrees && ids.index.find(asked) == (known == reference.end() ? no_slot : known->second);
        }
        for (const auto& [id, slot] : reference) { agrees = agrees && ids.index.find(id) == slot; }
        REQUIRE(agrees);
    }
}

TEST_CASE("every id is found while a full window slides past ids that stay") {
    constexpr std::size_t window = 1000;
    Ids ids{window + 100};
    std::set<daybook::ExecutionId> staying;
    bool finds_all = true;
    for (daybook::ExecutionId id = 1; id <= 20'000; ++id) {
        ids.insert(id);
        if (id % 200 == 0 && staying.size() < 100) { staying.insert(id); }
        if (id > window && !staying.contains(id - window)) { ids.erase(id - window); }
        finds_all = finds_all && ids.index.find(id) != no_slot && ids.index.find(id + 1) == no_slot;
    }
    for (const auto id : staying) { finds_all = finds_all && ids.index.find(id) != no_slot; }
    CHECK(finds_all);
}

TEST_CASE("ids that stay at regular intervals do not slow each other down") {
    constexpr std::size_t interval = 4096;
    constexpr std::size_t staying = 20'000;
    Ids ids{staying};
    for (std::size_t i = 1; i <= staying; ++i) { ids.insert(i * interval); }
    bool finds_all = true; // one chain of all of them would take minutes
    for (int round = 0; round < 10; ++round) {
        for (std::size_t i = 1; i <= staying; ++i) { finds_all = finds_all && ids.index.find(i * interval) != no_slot; }
    }
    CHECK(finds_all);
}
