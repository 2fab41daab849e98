// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOGGED_JOBS_HPP
#define DAYBOOK_DETAIL_LOGGED_JOBS_HPP

/// @file
/// The jobs that a log has seen, those in trouble first, each with its counts and its latest runs.

#include <daybook/detail/latest_runs.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/detail/stats_json.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/http/api.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

enum class JobOrder : std::uint8_t { trouble, name };

/// @throws http::Error  400: the word is no order.
[[nodiscard]] inline JobOrder take_job_order(const http::Query& query) {
    const auto word = query.find("sort");
    if (!word || *word == "trouble") { return JobOrder::trouble; }
    if (*word == "name") { return JobOrder::name; }
    throw http::Error{400, "sort must be trouble or name"};
}

/// The names, those of the newest final failures first, the others in the order of their names. Of failures it looks at
/// a bounded number, whatever the log holds.
template <class Result>
[[nodiscard]] std::vector<std::string> logged_jobs(const JobExecutionLog<Result>& log, const StatsSnapshot& stats,
                                                   JobOrder order, const TextSearch& search) {
    constexpr std::size_t newest = 200;
    std::vector<std::string> names;
    std::set<std::string, std::less<>> failed;
    if (order == JobOrder::trouble) {
        auto page = log.errors({.finality = Finality::final_attempt,
                                .limit = newest,
                                .max_scanned = newest * 10,
                                .totals = Totals::leave_out});
        for (auto& record : page.records) {
            if (search.is_in(record.job_id) && failed.insert(record.job_id).second) {
                names.push_back(std::move(record.job_id));
            }
        }
    }
    for (const auto& entry : stats.by_job) {
        const bool is_rest = entry.first == stats.rest_of_jobs;
        if (!is_rest && !failed.contains(entry.first) && search.is_in(entry.first)) { names.push_back(entry.first); }
    }
    return names;
}

template <class Result>
[[nodiscard]] http::Response answer_logged_jobs(const JobExecutionLog<Result>& log, const http::Call& call) {
    const http::Query& query = call.query();
    const std::size_t limit = take_limit(query, 20, 200);
    const std::size_t offset = take_offset(query);
    const std::size_t runs = take_runs(query, 20);
    const JobOrder order = take_job_order(query);
    const TextSearch search{query.text("text")};
    const StatsSnapshot stats = log.stats();
    const auto names = logged_jobs(log, stats, order, search);
    const std::size_t begin = std::min(offset, names.size());
    const std::size_t end = begin + std::min(limit, names.size() - begin);

    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.key("jobs").begin_array();
    for (std::size_t i = begin; i < end; ++i) {
        writer.begin_object();
        writer.member("job_id", names[i]);
        writer.key("counts");
        if (const auto counts = stats.by_job.find(names[i]); counts != stats.by_job.end()) {
            write_job_stats(writer, counts->second);
        } else {
            writer.null(); // beyond max_tracked_jobs
        }
        if (runs != 0) { write_latest_runs(writer, log, names[i], runs); }
        writer.end_object();
    }
    writer.end_array();
    writer.member("total", names.size());
    writer.member("limit", limit);
    writer.member("offset", offset);
    writer.member("has_more", end < names.size());
    writer.end_object();
    return http::json_response(200, std::move(document));
}

} // namespace daybook::inline v0::detail

#endif
