// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/indexed_heap.hpp>

#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

namespace {

using Heap = daybook::detail::IndexedHeap<int>;

std::vector<std::uint32_t> drain(Heap& heap) {
    std::vector<std::uint32_t> items;
    while (!heap.empty()) { items.push_back(heap.pop().item); }
    return items;
}

} // namespace

TEST_CASE("a heap gives its items in the order of their keys") {
    Heap heap;
    heap.push(0, 30);
    heap.push(7, 10);
    heap.push(3, 20);
    CHECK(heap.size() == 3);
    CHECK(heap.top().item == 7);
    CHECK(heap.top().key == 10);
    CHECK(drain(heap) == std::vector<std::uint32_t>{7, 3, 0});
}

TEST_CASE("items with equal keys leave a heap in the order of their arrival") {
    Heap heap;
    std::vector<std::uint32_t> arrived;
    for (std::uint32_t item = 100; item-- > 0;) {
        heap.push(item, 5);
        arrived.push_back(item);
    }
    CHECK(drain(heap) == arrived);
}

TEST_CASE("an updated item stands behind those that already had its new key") {
    Heap heap;
    heap.push(0, 1);
    heap.push(1, 2);
    heap.push(2, 3);
    SECTION("from above") { heap.update(0, 2); }
    SECTION("from the same key") {
        heap.update(0, 2);
        heap.update(1, 2);
        CHECK(drain(heap) == std::vector<std::uint32_t>{0, 1, 2});
        return;
    }
    SECTION("by a push of an item that is inside") { heap.push(0, 2); }
    CHECK(heap.size() == 3);
    CHECK(drain(heap) == std::vector<std::uint32_t>{1, 0, 2});
}

TEST_CASE("an update of an absent item adds it to a heap") {
    Heap heap;
    heap.update(4, 1);
    CHECK(heap.contains(4));
    CHECK(heap.key(4) == 1);
}

TEST_CASE("an erased item is gone from a heap and may come back") {
    Heap heap;
    for (std::uint32_t item = 0; item < 20; ++item) { heap.push(item, static_cast<int>(item)); }
    CHECK(heap.erase(5));
    CHECK_FALSE(heap.erase(5));
    CHECK_FALSE(heap.contains(5));
    CHECK(heap.size() == 19);
    heap.push(5, -1);
    CHECK(heap.top().item == 5);
}

TEST_CASE("erasing what was never in a heap says so") {
    Heap heap;
    CHECK_FALSE(heap.erase(0));
    CHECK_FALSE(heap.erase(std::numeric_limits<std::uint32_t>::max()));
    CHECK_FALSE(heap.contains(std::numeric_limits<std::uint32_t>::max()));
}

TEST_CASE("a heap refuses the one number that it needs for itself, and stays as it was") {
    Heap heap;
    heap.push(1, 1);
    CHECK_THROWS_AS(heap.push(std::numeric_limits<std::uint32_t>::max(), 0), std::length_error);
    CHECK(drain(heap) == std::vector<std::uint32_t>{1});
}

TEST_CASE("a cleared heap is empty and usable") {
    Heap heap;
    heap.reserve(10);
    for (std::uint32_t item = 0; item < 10; ++item) { heap.push(item, 0); }
    heap.clear();
    CHECK(heap.empty());
    CHECK_FALSE(heap.contains(3));
    heap.push(3, 1);
    CHECK(drain(heap) == std::vector<std::uint32_t>{3});
}

TEST_CASE("a heap under random use always agrees with a multimap") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (const std::uint32_t items : {1U, 3U, 6U, 50U, 1000U}) {
        Heap heap;
        std::multimap<int, std::uint32_t> model; // equal keys in the order of insertion, as the heap promises
        std::vector<std::multimap<int, std::uint32_t>::iterator> places(items, model.end());
        const auto forget = [&](std::uint32_t item) {
            const bool inside = places[item] != model.end();
            if (inside) { model.erase(places[item]); }
            places[item] = model.end();
            return inside;
        };
        std::uint64_t disagreements = 0;
        for (int step = 0; step < 40'000; ++step) {
            const auto item = static_cast<std::uint32_t>(random() % items);
            const auto key = static_cast<int>(random() % (items + 5)); // few keys, so that many are equal
            switch (random() % 4) {
            case 0:
            case 1:
                forget(item);
                heap.push(item, key);
                places[item] = model.emplace(key, item);
                break;
            case 2: disagreements += heap.erase(item) == forget(item) ? 0 : 1; break;
            default:
                if (!heap.empty()) {
                    const auto first = heap.pop();
                    disagreements += first.item == model.begin()->second && first.key == model.begin()->first ? 0 : 1;
                    forget(model.begin()->second);
                }
            }
            disagreements += heap.size() == model.size() ? 0 : 1;
            if (!model.empty()) { disagreements += heap.top().item == model.begin()->second ? 0 : 1; }
            const bool inside = places[item] != model.end();
            disagreements += heap.contains(item) == inside ? 0 : 1;
            if (inside && heap.contains(item)) { disagreements += heap.key(item) == places[item]->first ? 0 : 1; }
            REQUIRE(disagreements == 0);
        }
    }
}

TEST_CASE("the least of the wanted items is found among others") {
    daybook::detail::IndexedHeap<int> heap;
    const auto is_odd = [](std::uint32_t item) { return item % 2 == 1; };
    CHECK_FALSE(heap.least_of(std::nullopt, is_odd));
    std::mt19937 random{7};
    for (int round = 0; round < 200; ++round) {
        std::optional<int> least;
        for (std::uint32_t item = 0; item < 50; ++item) {
            const int key = static_cast<int>(random() % 1000);
            if (random() % 3 == 0) {
                heap.erase(item);
                continue;
            }
            heap.push(item, key);
        }
        for (std::uint32_t item = 1; item < 50; item += 2) {
            if (heap.contains(item) && (!least || heap.key(item) < *least)) { least = heap.key(item); }
        }
        REQUIRE(heap.least_of(std::nullopt, is_odd) == least);
        REQUIRE(heap.least_of(least, is_odd) == std::nullopt);
        if (least) { REQUIRE(heap.least_of(*least + 1, is_odd) == least); }
        REQUIRE_FALSE(heap.least_of(std::nullopt, [](std::uint32_t) { return false; }));
    }
}
