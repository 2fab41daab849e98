// SPDX-License-Identifier: MIT
#include <daybook/detail/hash_chains.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

using daybook::detail::HashChains;

namespace {

/// Numbers with their hashes and links, and how often either was asked for.
struct Numbers {
    std::vector<std::uint32_t> hashes;
    std::vector<std::uint32_t> links = std::vector<std::uint32_t>(hashes.size());
    std::vector<bool> is_in = std::vector<bool>(hashes.size());
    std::size_t steps = 0;
    HashChains chains;

    explicit Numbers(std::vector<std::uint32_t> all) : hashes{std::move(all)} {}

    auto next_of() {
        return [this](std::uint32_t number) -> std::uint32_t& { return ++steps, links[number]; };
    }
    auto hash_of() {
        return [this](std::uint32_t number) { return ++steps, hashes[number]; };
    }
    void insert(std::uint32_t number) {
        chains.reserve_one();
        chains.insert(number, next_of(), hash_of());
        is_in[number] = true;
    }
    void erase(std::uint32_t number) {
        chains.erase(number, next_of(), hash_of());
        is_in[number] = false;
    }
    bool finds(std::uint32_t number) {
        auto at = chains.first(hashes[number]);
        while (at != HashChains::nothing && at != number) { at = links[at]; }
        return at == number;
    }
    bool agrees() {
        bool all = true;
        for (std::uint32_t number = 0; number < hashes.size(); ++number) {
            all = all && finds(number) == is_in[number];
        }
        return all;
    }
};

std::vector<std::uint32_t> random_hashes(std::size_t count, std::uint32_t seed) {
    std::mt19937 random{seed};
    std::vector<std::uint32_t> hashes(count);
    for (auto& hash : hashes) { hash = static_cast<std::uint32_t>(random()); }
    return hashes;
}

} // namespace

TEST_CASE("nothing is found where nothing was ever inserted") {
    const HashChains chains;
    CHECK(chains.first(0) == HashChains::nothing);
    CHECK(chains.memory_bytes() == 0);
}

TEST_CASE("what was inserted is found until it is erased, while the table grows") {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        INFO("seed " << seed);
        Numbers numbers{random_hashes(3000, seed)};
        if (seed % 2 == 0) {
            for (auto& hash : numbers.hashes) { hash %= 300; }
        }
        std::mt19937 random{seed};
        for (int step = 0; step < 6000; ++step) {
            const auto number = static_cast<std::uint32_t>(random() % numbers.hashes.size());
            if (!numbers.is_in[number]) {
                numbers.insert(number);
            } else if (random() % 3 == 0) {
                numbers.erase(number);
            }
            if (step % 1000 == 0) { REQUIRE(numbers.agrees()); }
        }
        REQUIRE(numbers.agrees());
        CHECK(numbers.chains.size() ==
              static_cast<std::size_t>(std::count(numbers.is_in.begin(), numbers.is_in.end(), true)));
    }
}

TEST_CASE("no call moves more than one chain, however large the table has become") {
    constexpr std::uint32_t count = 200'000;
    Numbers numbers{random_hashes(count, 1)};
    std::size_t most = 0;
    for (std::uint32_t number = 0; number < count; ++number) {
        numbers.steps = 0;
        numbers.insert(number);
        most = std::max(most, numbers.steps);
    }
    CHECK(most < 100);
    for (std::uint32_t number = 0; number < count; ++number) {
        numbers.steps = 0;
        numbers.erase(number);
        most = std::max(most, numbers.steps);
    }
    CHECK(most < 100);
}

TEST_CASE("the memory of the table stays within what is told before") {
    Numbers numbers{random_hashes(10'000, 1)};
    bool is_within = true;
    for (std::uint32_t number = 0; number < 10'000; ++number) {
        numbers.insert(number);
        is_within = is_within && numbers.chains.memory_bytes() <= HashChains::memory_limit(number + 1);
    }
    CHECK(is_within);
}
