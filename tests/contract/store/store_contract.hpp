// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_STORE_STORE_CONTRACT_HPP
#define DAYBOOK_TESTS_CONTRACT_STORE_STORE_CONTRACT_HPP

/// @file
/// What every store is held to. The cases are compiled once; each kind of store has an entry that says where it lasts.

#include <daybook/log/any_store.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace store_contract {

/// Where stores of one kind last: empty when it is made, gone with the object.
class Place {
public:
    Place() = default;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    virtual ~Place() = default;

    /// A store on this place that is not open yet.
    [[nodiscard]] virtual daybook::AnyStore store() = 0;

    /// A text as it comes back: not every database can hold a NUL.
    [[nodiscard]] virtual std::string kept(std::string text) { return text; }
};

/// Of the kind under test; the entry defines it.
[[nodiscard]] std::unique_ptr<Place> new_place();

/// Soon enough for a test to fail, and late enough for a slow machine.
[[nodiscard]] inline daybook::StoreDeadline soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds{20};
}

/// A place, with a store that is open.
struct Opened {
    std::unique_ptr<Place> place = new_place();
    daybook::AnyStore store;

    Opened() { reopen(); }

    /// As a program that was started again.
    void reopen(const std::string& node = "node") {
        store = {};
        store = place->store();
        store.open({.node = node}, soon());
    }

    void write(const std::vector<daybook::StoredExecution>& executions) {
        store.write({.executions = executions}, soon());
    }
};

// Everything in them as text: what differs is seen.
[[nodiscard]] std::string text_of(const daybook::StoredExecution& execution);
[[nodiscard]] std::string text_of(const std::vector<daybook::StoredExecution>& executions);
[[nodiscard]] std::string text_of(const daybook::StoredJob& job);
[[nodiscard]] std::string text_of(const daybook::StoredCounters& row);
[[nodiscard]] std::vector<std::string> texts_of(std::vector<daybook::StoredCounters> rows); // sorted

[[nodiscard]] daybook::sys_time at(std::int64_t microseconds);

/// A finished execution of job "job".
[[nodiscard]] daybook::StoredExecution execution(daybook::ExecutionId id, std::int64_t position,
                                                 daybook::JobStatus status = daybook::JobStatus::success);

/// Anything that could have happened, of few names and few times, so that much of it is alike.
[[nodiscard]] daybook::StoredExecution any_execution(std::mt19937& random, daybook::ExecutionId id,
                                                     std::int64_t position);

/// All statuses, for queries.
[[nodiscard]] daybook::StatusSet every_status();

} // namespace store_contract

#endif
