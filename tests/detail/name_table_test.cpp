// SPDX-License-Identifier: MIT
#include <daybook/detail/name_table.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <string_view>

using daybook::detail::hash_name;
using Table = daybook::detail::NameTable<int>;

namespace {

std::uint32_t acquire(Table& table, std::string_view name) { return table.acquire(name, hash_name(name)); }
std::uint32_t find(const Table& table, std::string_view name) { return table.find(name, hash_name(name)); }

} // namespace

TEST_CASE("a name has one index for as long as somebody uses it") {
    Table table;
    const std::uint32_t first = acquire(table, "backup");
    CHECK(acquire(table, "backup") == first);
    table.release(first);
    CHECK(find(table, "backup") == first);
    table.release(first);
    CHECK(find(table, "backup") == Table::nothing);
    CHECK(table.size() == 0);
}

TEST_CASE("a name that comes back has a fresh payload") {
    Table table;
    const std::uint32_t first = acquire(table, "backup");
    table[first] = 7;
    table.release(first);
    CHECK(table[acquire(table, "backup")] == 0);
}

TEST_CASE("the empty name is a name") {
    Table table;
    CHECK(find(table, "") == Table::nothing);
    const std::uint32_t index = acquire(table, "");
    CHECK(find(table, "") == index);
    CHECK(table.name(index).empty());
}

TEST_CASE("names with the same hash are told apart") {
    Table table;
    const std::uint32_t one = table.acquire("one", 42);
    const std::uint32_t two = table.acquire("two", 42);
    const std::uint32_t three = table.acquire("three", 42);
    CHECK(one != two);
    table.release(one);
    CHECK(table.find("one", 42) == Table::nothing);
    CHECK(table.find("two", 42) == two);
    CHECK(table.find("three", 42) == three);
}

TEST_CASE("a name table agrees with std::map whatever comes and goes") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        const bool collide = seed % 2 == 0; // eight hashes for all names: long runs of cells, and holes in them
        const auto hash = [&](const std::string& name) { return collide ? hash_name(name) % 8 : hash_name(name); };
        struct Known {
            std::uint32_t index = 0;
            int users = 0;
            int payload = 0;
        };
        Table table;
        std::map<std::string, Known> reference;
        bool agrees = true;
        for (int step = 0; step < 4000; ++step) {
            const std::string name = std::string(random() % 3 * 40, 'x') + std::to_string(random() % 60);
            if (random() % 2 == 0) {
                const std::uint32_t index = table.acquire(name, hash(name));
                auto& known = reference[name];
                if (known.users++ == 0) {
                    known.index = index;
                    known.payload = table[index] = step + 1;
                }
                agrees = agrees && known.index == index;
            } else if (!reference.empty()) {
                const auto chosen =
                    std::next(reference.begin(), random() % static_cast<std::uint32_t>(reference.size()));
                table.release(chosen->second.index);
                if (--chosen->second.users == 0) { reference.erase(chosen); }
            }
            agrees = agrees && table.size() == reference.size();
            const auto known = reference.find(name);
            agrees = agrees &&
                     table.find(name, hash(name)) == (known == reference.end() ? Table::nothing : known->second.index);
        }
        for (const auto& [name, known] : reference) {
            agrees = agrees && table.find(name, hash(name)) == known.index && table.name(known.index) == name &&
                     table[known.index] == known.payload;
        }
        REQUIRE(agrees);
    }
}

TEST_CASE("the hash of a name depends on every byte and on the length") {
    const std::string name = "a name that is longer than two words";
    for (std::size_t at = 0; at < name.size(); ++at) {
        std::string other = name;
        other[at] = '#';
        CHECK(hash_name(other) != hash_name(name));
        CHECK(hash_name(name.substr(0, at)) != hash_name(name));
    }
}
