// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTING_STORE_FILTER_HPP
#define DAYBOOK_TESTING_STORE_FILTER_HPP

/// @file
/// What a StoreQuery asks of one record, word for word as ExecutionQuery says it.

#include <daybook/log/execution_query.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace daybook::inline v0::testing {

/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe to read.
class StoreFilter {
public:
    /// @param query  Must outlive the filter.
    explicit StoreFilter(const StoreQuery& query) : query_{query}, wanted_{lower(query.filter.text)} {}

    /// Whether the list is by position, not by duration or drift.
    [[nodiscard]] bool is_by_start() const noexcept {
        return query_.filter.sort == SortBy::newest || query_.filter.sort == SortBy::oldest;
    }

    /// Whether rows are looked at that need not match: those count for `max_scanned`.
    [[nodiscard]] bool is_scan() const noexcept {
        const ExecutionQuery& filter = query_.filter;
        return !is_by_start() || !filter.method_name.empty() || !filter.text.empty() || filter.attempt_number ||
               filter.finality || filter.min_duration || filter.max_duration || !filter.metadata_key.empty();
    }

    /// Whether an index leads to it: names, statuses, times, attempts.
    [[nodiscard]] bool is_in_list(const StoredExecution& execution) const {
        const ExecutionQuery& filter = query_.filter;
        return query_.status.contains(execution.status) &&
               (filter.job_id.empty() || execution.job_id == filter.job_id) &&
               (filter.handler_id.empty() || execution.handler_id == filter.handler_id) &&
               (filter.occurrence_id == 0 || execution.occurrence_id == filter.occurrence_id) &&
               (!filter.started_from || execution.position >= filter.started_from->time_since_epoch().count()) &&
               (!filter.started_to || execution.position < filter.started_to->time_since_epoch().count()) &&
               (filter.attempts == Attempts::all || execution.is_final || !is_finished(execution.status));
    }

    /// All the rest.
    [[nodiscard]] bool matches(const StoredExecution& execution) const {
        const ExecutionQuery& filter = query_.filter;
        const bool is_over = is_finished(execution.status);
        return (filter.method_name.empty() || execution.method_name == filter.method_name) &&
               (!filter.attempt_number || execution.attempt_number == *filter.attempt_number) &&
               (!filter.finality || (is_over && execution.is_final == (*filter.finality == Finality::final_attempt))) &&
               (!filter.min_duration || (execution.duration && *execution.duration >= *filter.min_duration)) &&
               (!filter.max_duration || (execution.duration && *execution.duration <= *filter.max_duration)) &&
               has_metadata(execution) && has_text(execution) && store_key(execution, filter.sort).has_value();
    }

    /// In the order that the query asks for; equal ones newest first.
    [[nodiscard]] bool comes_first(const StoredExecution& one, const StoredExecution& other) const {
        const SortBy sort = query_.filter.sort;
        const auto key = store_key(one, sort);
        const auto other_key = store_key(other, sort);
        const std::tuple place{one.position, one.id};
        const std::tuple other_place{other.position, other.id};
        if (sort == SortBy::oldest) { return place < other_place; }
        if (sort == SortBy::newest || key == other_key) { return place > other_place; }
        return sort == SortBy::longest || sort == SortBy::most_drift ? key > other_key : key < other_key;
    }

    /// Whether it comes after the query's place.
    [[nodiscard]] bool is_after(const StoredExecution& execution,
                                const std::map<ExecutionId, StoredExecution>& all) const {
        if (!query_.after) { return true; }
        const StorePlace& after = *query_.after;
        const SortBy sort = query_.filter.sort;
        if (is_by_start()) {
            const std::tuple place{execution.position, execution.id};
            const std::tuple last{after.key, after.id};
            return sort == SortBy::oldest ? place > last : place < last;
        }
        const auto key = store_key(execution, sort);
        if (!key) { return false; }
        if (*key != after.key) { return (sort == SortBy::longest || sort == SortBy::most_drift) == (*key < after.key); }
        const auto there = all.find(after.id); // where it is gone, the id alone says what is newer
        const std::int64_t position = there == all.end() ? execution.position : there->second.position;
        return std::tuple{execution.position, execution.id} < std::tuple{position, after.id};
    }

private:
    [[nodiscard]] bool has_metadata(const StoredExecution& execution) const {
        const ExecutionQuery& filter = query_.filter;
        if (filter.metadata_key.empty()) { return true; }
        const bool has_place = filter.missing_metadata == MissingMetadata::handler_id;
        for (const auto& [key, value] : execution.metadata) {
            if (key != filter.metadata_key || (has_place && value.empty())) { continue; }
            return !filter.metadata_value || value == *filter.metadata_value;
        }
        return has_place && (!filter.metadata_value || execution.handler_id == *filter.metadata_value);
    }

    [[nodiscard]] bool has_text(const StoredExecution& execution) const {
        if (wanted_.empty()) { return true; }
        return (execution.error && contains(*execution.error)) ||
               (execution.result && contains(searched(*execution.result)));
    }
    [[nodiscard]] bool contains(std::string_view text) const { return lower(text).find(wanted_) != std::string::npos; }

    [[nodiscard]] static std::string lower(std::string_view text) {
        std::string all{text};
        for (char& letter : all) {
            if (letter >= 'A' && letter <= 'Z') { letter = static_cast<char>(letter - 'A' + 'a'); }
        }
        return all;
    }

    /// Of JSON that is a string, the string; everything else as it is.
    [[nodiscard]] static std::string searched(std::string_view json) {
        if (json.size() < 2 || json.front() != '"' || json.back() != '"') { return std::string{json}; }
        std::string text;
        for (std::size_t at = 1; at + 1 < json.size(); ++at) {
            if (json[at] != '\\') {
                text += json[at];
                continue;
            }
            constexpr std::array escapes{std::pair{'n', '\n'}, std::pair{'t', '\t'}, std::pair{'r', '\r'},
                                         std::pair{'b', '\b'}, std::pair{'f', '\f'}};
            const char letter = json[++at];
            const auto* const found = std::find_if(escapes.begin(), escapes.end(),
                                                   [&](const auto& escape) { return escape.first == letter; });
            if (letter == 'u' && at + 5 < json.size()) { // a JsonWriter escapes control characters so, and nothing else
                const auto digit = [](char hex) { return hex <= '9' ? hex - '0' : (hex | 0x20) - 'a' + 10; };
                text += static_cast<char>(16 * digit(json[at + 3]) + digit(json[at + 4]));
                at += 4;
            } else {
                text += found != escapes.end() ? found->second : letter;
            }
        }
        return text;
    }

    const StoreQuery& query_;
    std::string wanted_;
};

} // namespace daybook::inline v0::testing

#endif
