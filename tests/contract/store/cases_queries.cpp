// SPDX-License-Identifier: MIT
#include <daybook/testing/memory_store.hpp>

#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <functional>
#include <limits>
#include <random>
#include <set>

using namespace daybook;
using namespace store_contract;

namespace {

constexpr ExecutionId records = 400;

/// The store under test, and one that is too simple to be wrong, with the same in them.
struct Pair {
    explicit Pair(std::uint32_t seed) : random{seed} {
        memory.open({.node = "node"}, soon());
        std::vector<StoredExecution> batch;
        std::int64_t position = 1000;
        for (ExecutionId id = 1; id <= records; ++id) {
            batch.push_back(any_execution(random, id, position));
            position += below(2); // ties
        }
        std::swap(batch[3].position, batch[300].position); // ids do not always follow the start
        opened.write(batch);
        memory.write({.executions = batch}, soon());
    }

    std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); }

    void compare(const StoreQuery& query) {
        REQUIRE(text_of(opened.store.read(query, soon()).executions) == text_of(memory.read(query, soon()).executions));
        CHECK_FALSE(opened.store.read(query, soon()).stopped_at.has_value());
        const auto up_to = below(2) == 0 ? 10'000 : below(50);
        REQUIRE(opened.store.count(query, up_to, soon()) == memory.count(query, up_to, soon()));
    }

    Opened opened;
    testing::MemoryStore memory;
    std::mt19937 random;
};

/// Each narrows a query by one filter.
using Filter = std::function<void(Pair&, StoreQuery&)>;

const std::vector<Filter>& filters() {
    static const std::vector<Filter> all{
        [](Pair& pair, StoreQuery& query) { query.filter.job_id = "job " + std::to_string(pair.below(4)); },
        [](Pair& pair, StoreQuery& query) {
            query.filter.handler_id = (pair.below(2) == 0 ? "job " : "handler ") + std::to_string(pair.below(3));
        },
        [](Pair& pair, StoreQuery& query) { query.filter.method_name = "m" + std::to_string(pair.below(3)); },
        [](Pair& pair, StoreQuery& query) {
            query.status = {static_cast<JobStatus>(pair.below(8)), static_cast<JobStatus>(pair.below(8))};
        },
        [](Pair&, StoreQuery& query) { query.status = StatusSet::failures(); },
        [](Pair&, StoreQuery& query) {
            query.status = {JobStatus::queued, JobStatus::running};
        },
        [](Pair& pair, StoreQuery& query) { query.status = static_cast<JobStatus>(pair.below(8)); },
        [](Pair&, StoreQuery& query) {
            query.status = {JobStatus::queued,  JobStatus::running,   JobStatus::success,  JobStatus::error,
                            JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
        },
        [](Pair& pair, StoreQuery& query) { query.filter.started_from = at(1000 + pair.below(220)); },
        [](Pair& pair, StoreQuery& query) { query.filter.started_to = at(1000 + pair.below(220)); },
        [](Pair& pair, StoreQuery& query) {
            constexpr const char* texts[] = {"ROWS",         "out",  "%",   "_", "C:\\t",        "\xC3\x84",
                                             "\xC3\xA4RGER", "it's", "nul", "4", "a \"quoted\"", "absent"};
            query.filter.text = texts[pair.below(12)];
        },
        [](Pair& pair, StoreQuery& query) { query.filter.attempt_number = 1 + pair.below(4); },
        [](Pair&, StoreQuery& query) { query.filter.finality = Finality::final_attempt; },
        [](Pair&, StoreQuery& query) { query.filter.finality = Finality::retry_follows; },
        [](Pair& pair, StoreQuery& query) { query.filter.min_duration = std::chrono::microseconds{pair.below(7)}; },
        [](Pair& pair, StoreQuery& query) { query.filter.max_duration = std::chrono::microseconds{pair.below(7)}; },
        [](Pair& pair, StoreQuery& query) { query.filter.metadata_key = pair.below(2) == 0 ? "model" : "batch"; },
        [](Pair& pair, StoreQuery& query) {
            query.filter.metadata_key = "model";
            query.filter.metadata_value = pair.below(4) == 0 ? "" : "job " + std::to_string(pair.below(3));
        },
        [](Pair& pair, StoreQuery& query) {
            query.filter.metadata_key = "model";
            query.filter.missing_metadata = MissingMetadata::handler_id;
            if (pair.below(4) != 0) { query.filter.metadata_value = "job " + std::to_string(pair.below(3)); }
        },
        [](Pair&, StoreQuery& query) { query.filter.attempts = Attempts::last; },
        [](Pair& pair, StoreQuery& query) { query.filter.occurrence_id = 1 + pair.below(records); },
    };
    return all;
}

constexpr SortBy sorts[] = {SortBy::newest,   SortBy::oldest,     SortBy::longest,
                            SortBy::shortest, SortBy::most_drift, SortBy::least_drift};

StoreQuery everything(SortBy sort = SortBy::newest) {
    StoreQuery query;
    query.status = every_status();
    query.filter.sort = sort;
    query.limit = 1000;
    return query;
}

StorePlace place_of(const StoredExecution& execution, SortBy sort) {
    return {store_key(execution, sort).value(), execution.id};
}

} // namespace

TEST_CASE("each filter finds what it says, in each order") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Pair pair{seed};
    for (const SortBy sort : sorts) {
        pair.compare(everything(sort));
        for (const Filter& filter : filters()) {
            for (int i = 0; i < 3; ++i) {
                StoreQuery query = everything(sort);
                filter(pair, query);
                pair.compare(query);
            }
        }
    }
}

TEST_CASE("every text is found where it is, and nowhere else") {
    Pair pair{1};
    for (const char* text : {"ROWS", "out", "%", "_", "C:\\t", "\\", "\"", "'", "\xC3\x84", "\xC3\xA4", "it's", "null",
                             "42", "a \"quoted\"", "LINE\nBREAK", "absent", " ", "[\"rows", "out_of"}) {
        StoreQuery query = everything();
        query.filter.text = text;
        CAPTURE(text);
        pair.compare(query);
    }
}

TEST_CASE("each pair of filters finds what both say") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Pair pair{seed};
    for (const Filter& one : filters()) {
        for (const Filter& other : filters()) {
            StoreQuery query = everything(sorts[pair.below(6)]);
            one(pair, query);
            other(pair, query);
            if (pair.below(2) == 0) {
                query.limit = pair.below(20);
                query.offset = pair.below(20);
            }
            pair.compare(query);
        }
    }
}

TEST_CASE("going on after the last of each page shows every match once, in order") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Pair pair{seed};
    for (int i = 0; i < 40; ++i) {
        StoreQuery query = everything(sorts[i % 6]);
        if (i >= 6) { filters()[pair.below(static_cast<std::uint32_t>(filters().size()))](pair, query); }
        const auto all = pair.memory.read(query, soon()).executions;
        query.limit = 1 + pair.below(60);
        std::vector<StoredExecution> walked;
        for (int pages = 0; pages < 500; ++pages) {
            const auto page = pair.opened.store.read(query, soon()).executions;
            walked.insert(walked.end(), page.begin(), page.end());
            if (page.size() < query.limit) { break; }
            query.after = place_of(page.back(), query.filter.sort);
            query.offset = 0;
        }
        REQUIRE(text_of(walked) == text_of(all));
    }
}

TEST_CASE("a place whose record is gone is gone on after all the same") {
    for (const SortBy sort : sorts) {
        Pair pair{5};
        StoreQuery query = everything(sort);
        const auto all = pair.memory.read(query, soon()).executions;
        query.after = place_of(all[all.size() / 2], sort);
        static_cast<void>(pair.opened.store.prune({.max_records = 100}, soon()));
        static_cast<void>(pair.memory.prune({.max_records = 100}, soon()));
        pair.compare(query);
    }
}

TEST_CASE("a search that stops early goes on where it stopped, and misses nothing") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Pair pair{seed};
    for (int i = 0; i < 60; ++i) {
        StoreQuery query = everything(i % 2 == 0 ? SortBy::newest : SortBy::oldest);
        filters()[pair.below(static_cast<std::uint32_t>(filters().size()))](pair, query);
        filters()[10](pair, query); // a text, which no index knows
        const auto all = pair.memory.read(query, soon()).executions;
        query.filter.max_scanned = 1 + pair.below(100);
        query.limit = 1 + pair.below(10);
        std::vector<StoredExecution> walked;
        int stops = 0;
        for (int pages = 0; pages < 1000; ++pages) {
            const auto page = pair.opened.store.read(query, soon());
            REQUIRE(page.executions.size() <= query.limit);
            walked.insert(walked.end(), page.executions.begin(), page.executions.end());
            if (page.stopped_at) {
                query.after = page.stopped_at;
                ++stops;
            } else if (page.executions.size() == query.limit) {
                query.after = place_of(page.executions.back(), query.filter.sort);
            } else {
                break;
            }
        }
        REQUIRE(text_of(walked) == text_of(all));
        REQUIRE(stops <= static_cast<int>(records / query.filter.max_scanned) + 1);
    }
}

TEST_CASE("a search looks at no more than it may, and says so") {
    Opened opened;
    std::vector<StoredExecution> batch;
    for (ExecutionId id = 1; id <= 100; ++id) { batch.push_back(execution(id, std::int64_t(id))); }
    batch[9].error = "needle"; // the tenth from the old end
    opened.write(batch);
    StoreQuery query = everything();
    query.filter.text = "needle";
    query.filter.max_scanned = 90;
    auto page = opened.store.read(query, soon());
    CHECK(page.executions.empty());
    REQUIRE(page.stopped_at.has_value());
    CHECK(*page.stopped_at == StorePlace{11, 11});
    query.filter.max_scanned = 91;
    page = opened.store.read(query, soon());
    CHECK(page.executions.size() == 1);
    query.filter.max_scanned = 100; // all there are: the search came to its end
    page = opened.store.read(query, soon());
    CHECK(page.executions.size() == 1);
    CHECK_FALSE(page.stopped_at.has_value());
    query.filter.max_scanned = 0; // counts as 1
    page = opened.store.read(query, soon());
    REQUIRE(page.stopped_at.has_value());
    CHECK(*page.stopped_at == StorePlace{100, 100});
}

TEST_CASE("a sorted search that stops is right about the newest that it looked at") {
    Opened opened;
    std::vector<StoredExecution> batch;
    for (ExecutionId id = 1; id <= 50; ++id) {
        batch.push_back(execution(id, std::int64_t(id)));
        batch.back().duration = std::chrono::nanoseconds{100 - std::int64_t(id)};
    }
    opened.write(batch);
    StoreQuery query = everything(SortBy::longest);
    query.filter.max_scanned = 20;
    query.limit = 3;
    const auto page = opened.store.read(query, soon());
    REQUIRE(page.executions.size() == 3);
    CHECK(page.executions[0].id == 31);
    CHECK(page.executions[2].id == 33);
    CHECK(page.stopped_at.has_value());
}

TEST_CASE("no record is asked for, none is read") {
    Opened opened;
    opened.write({execution(1, 10)});
    StoreQuery query = everything();
    query.limit = 0;
    CHECK(opened.store.read(query, soon()).executions.empty());
    CHECK(opened.store.count(query, 10, soon()) == 1);
    CHECK(opened.store.count(query, 0, soon()) == 0);
    query.limit = std::numeric_limits<std::size_t>::max();
    query.filter.max_scanned = std::numeric_limits<std::size_t>::max();
    query.filter.text = "x";
    CHECK(opened.store.read(query, soon()).executions.empty());
    query.filter.text.clear();
    CHECK(opened.store.read(query, soon()).executions.size() == 1);
    query.offset = std::numeric_limits<std::size_t>::max();
    CHECK(opened.store.read(query, soon()).executions.empty());
    CHECK(opened.store.count(everything(), std::numeric_limits<std::uint64_t>::max(), soon()) == 1);
}
