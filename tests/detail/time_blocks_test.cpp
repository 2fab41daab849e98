// SPDX-License-Identifier: MIT
#include <daybook/detail/time_blocks.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

using daybook::detail::TimeBlocks;
using daybook::detail::TimeRange;

namespace {

/// A ring of positions and what stands at each, beside the blocks.
struct Ring {
    explicit Ring(std::size_t ring_size) : size{ring_size}, blocks{ring_size} {}

    void add(std::int64_t instant) {
        blocks.open(instants.size());
        blocks.add(instant);
        instants.push_back(instant);
    }
    [[nodiscard]] std::uint64_t first() const { return instants.size() > size ? instants.size() - size : 0; }

    std::size_t size;
    TimeBlocks blocks;
    std::vector<std::int64_t> instants; ///< by position
};

} // namespace

TEST_CASE("a range of time is found where it lies, with a look at few blocks") {
    Ring ring{64 * 64 * 64};
    for (std::int64_t instant = 0; instant < 200'000; ++instant) { ring.add(instant); }
    const TimeRange range{100'000, 100'010};
    CHECK(ring.blocks.last_up_to(199'000, 0, range) == 100'031); // the end of its block of 64
    CHECK(ring.blocks.first_from(0, 200'000, range) == 99'968);
    CHECK_FALSE(ring.blocks.last_up_to(99'000, 0, range));
    CHECK_FALSE(ring.blocks.first_from(101'000, 199'000, range));
}

TEST_CASE("the block that is being filled holds the end of the round before as well") {
    Ring ring{256};
    for (std::int64_t instant = 0; instant < 300; ++instant) { ring.add(instant); }
    REQUIRE(ring.first() == 44);
    CHECK(ring.blocks.last_up_to(299, ring.first(), {50, 60}) == 63);
    CHECK(ring.blocks.last_up_to(299, ring.first(), {299, 400}) == 299);
    CHECK_FALSE(ring.blocks.last_up_to(299, ring.first(), {300, 400}));
    CHECK_FALSE(ring.blocks.last_up_to(43, ring.first(), {0, 1000})); // not in the ring any more
    CHECK(ring.blocks.first_from(44, 300, {256, 257}) == 256);
    CHECK_FALSE(ring.blocks.is_inside(299, {0, 1000})); // whoever counts its members would count the old ones, too
    CHECK(ring.blocks.is_inside(255, {192, 256}));
    CHECK_FALSE(ring.blocks.is_inside(255, {193, 256}));
}

TEST_CASE("what the ring came round to is remembered as a whole") {
    Ring ring{64};
    for (std::int64_t instant = 0; instant < 64; ++instant) { ring.add(instant); }
    CHECK_FALSE(ring.blocks.may_have_overtaken({0, 1000}));
    ring.add(64);
    CHECK(ring.blocks.may_have_overtaken({0, 1}));
    CHECK(ring.blocks.may_have_overtaken({63, 1000}));
    CHECK_FALSE(ring.blocks.may_have_overtaken({64, 1000}));
}

TEST_CASE("blocks never hide a position that lies in the range, whatever the clock does") {
    for (const std::size_t size : {64U, 128U, 4096U, 8192U}) {
        for (std::uint32_t seed = 1; seed <= 10; ++seed) {
            INFO("ring of " << size << ", seed " << seed);
            std::mt19937 random{seed};
            const auto below = [&](std::size_t bound) { return random() % bound; };
            Ring ring{size};
            std::int64_t now = 0;
            bool agrees = true;
            std::size_t needless = 0; // positions that are offered although nothing near them lies in the range
            for (std::size_t step = 1; step <= 3 * size; ++step) {
                now += static_cast<std::int64_t>(below(10));
                if (below(500) == 0) { now += static_cast<std::int64_t>(below(4000)) - 2000; }
                ring.add(now);
                if (below(size / 16) != 0) { continue; }
                TimeRange range{now - static_cast<std::int64_t>(below(12 * size)), 0};
                range.to = range.from + static_cast<std::int64_t>(below(200));
                const std::uint64_t end = ring.instants.size();
                const std::uint64_t first = ring.first();
                const std::uint64_t from = first + below(end - first);
                std::optional<std::uint64_t> last_match;
                std::optional<std::uint64_t> first_match;
                for (std::uint64_t at = first; at < end; ++at) {
                    if (!range.contains(ring.instants[at])) { continue; }
                    if (at <= from) { last_match = at; }
                    if (at >= from && !first_match) { first_match = at; }
                }
                const auto down = ring.blocks.last_up_to(from, first, range);
                const auto up = ring.blocks.first_from(from, end, range);
                agrees = agrees && (!last_match || (down && *down >= *last_match && *down <= from));
                agrees = agrees && (!first_match || (up && *up <= *first_match && *up >= from));
                agrees = agrees && (!down || *down >= first) && (!up || *up < end);
                needless += down && !last_match ? 1U : 0U;
                for (std::uint64_t at = 0; at < first; ++at) {
                    agrees = agrees && (!range.contains(ring.instants[at]) || ring.blocks.may_have_overtaken(range));
                }
            }
            CHECK(agrees);
            CHECK(needless < 48);
        }
    }
}
