// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_QUERY_PARAMETERS_HPP
#define DAYBOOK_DETAIL_QUERY_PARAMETERS_HPP

/// @file
/// The filters and the order of a list of executions, as the parameters of a request.

#include <daybook/http/api.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

/// @throws http::Error  400: a word is no status.
inline void take_statuses(const http::Query& query, ExecutionQuery& wanted) {
    const auto words = query.find("status");
    if (!words) { return; }
    for (std::string_view rest = *words;;) {
        const auto word = rest.substr(0, rest.find(','));
        const auto status = parse_job_status(word);
        if (!status) {
            throw http::Error{400, "status must be one of success, error, running, timeout, queued, cancelled, "
                                   "abandoned, skipped, or several of them parted by commas"};
        }
        wanted.status.insert(*status);
        if (word.size() == rest.size()) { return; }
        rest.remove_prefix(word.size() + 1);
    }
}

/// @throws http::Error  400: the word is no order.
inline void take_sort(const http::Query& query, ExecutionQuery& wanted) {
    constexpr std::array<std::pair<std::string_view, SortBy>, 6> words{{{"newest", SortBy::newest},
                                                                        {"oldest", SortBy::oldest},
                                                                        {"longest", SortBy::longest},
                                                                        {"shortest", SortBy::shortest},
                                                                        {"most_drift", SortBy::most_drift},
                                                                        {"least_drift", SortBy::least_drift}}};
    const auto word = query.find("sort");
    if (!word) { return; }
    const auto* const found =
        std::find_if(words.begin(), words.end(), [&](const auto& entry) { return entry.first == *word; });
    if (found == words.end()) {
        throw http::Error{400, "sort must be one of newest, oldest, longest, shortest, most_drift, least_drift"};
    }
    wanted.sort = found->second;
}

/// All filters but the statuses.
/// @throws http::Error  400: a parameter has a value that it may not have, or two do not go together.
inline void take_filters(const http::Query& query, ExecutionQuery& wanted) {
    wanted.handler_id = query.text("handler_id");
    wanted.job_id = query.text("job_id");
    wanted.method_name = query.text("method_name");
    wanted.started_from = query.instant("started_from");
    wanted.started_to = query.instant("started_to");
    if (wanted.started_from && wanted.started_to && *wanted.started_from > *wanted.started_to) {
        throw http::Error{400, "started_to must not be before started_from"};
    }
    wanted.text = query.text("text");
    if (query.find("attempt_number")) {
        constexpr std::uint64_t largest = std::numeric_limits<std::uint32_t>::max();
        const auto number = query.whole_number("attempt_number", 0);
        wanted.attempt_number = static_cast<std::uint32_t>(std::min(number, largest));
    }
    wanted.occurrence_id = query.whole_number("occurrence_id", 0);
    if (const auto word = query.find("final")) {
        if (*word != "true" && *word != "false") { throw http::Error{400, "final must be true or false"}; }
        wanted.finality = *word == "true" ? Finality::final_attempt : Finality::retry_follows;
    }
    wanted.min_duration = query.milliseconds("min_duration_ms");
    wanted.max_duration = query.milliseconds("max_duration_ms");
    if (wanted.min_duration && wanted.max_duration && *wanted.min_duration > *wanted.max_duration) {
        throw http::Error{400, "max_duration_ms must not be less than min_duration_ms"};
    }
    wanted.metadata_key = query.text("metadata_key");
    wanted.metadata_value = query.find("metadata_value");
    if (wanted.metadata_value && wanted.metadata_key.empty()) {
        throw http::Error{400, "metadata_value needs metadata_key: give both"};
    }
    take_sort(query, wanted);
}

/// Whether something is found would tell what is hidden, one guess after another.
/// @throws http::Error  400: it is searched for in what a hook may hide.
inline void refuse_hidden_search(const http::Call& call, const ExecutionQuery& wanted) {
    if (!call.redact()) { return; }
    constexpr const char* why = " cannot be searched for here, where texts of records may be hidden";
    if (!wanted.text.empty()) { throw http::Error{400, std::string{"text"} + why}; }
    if (wanted.metadata_value) { throw http::Error{400, std::string{"metadata_value"} + why}; }
}

} // namespace daybook::inline v0::detail

#endif
