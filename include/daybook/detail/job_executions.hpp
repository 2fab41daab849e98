// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_EXECUTIONS_HPP
#define DAYBOOK_DETAIL_JOB_EXECUTIONS_HPP

/// @file
/// What the jobs API says of a job's executions.

#include <daybook/detail/job_json.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/detail/query_parameters.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/log/job_execution_log.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

/// The words of the format; each is one or more of our statuses.
/// @throws http::Error  400: a word is none of them.
inline void take_execution_words(const http::Query& query, ExecutionQuery& wanted) {
    const auto words = query.find("status");
    if (!words) { return; }
    for (std::string_view rest = *words;;) {
        const auto word = rest.substr(0, rest.find(','));
        bool is_known = false;
        for (const auto status : {JobStatus::queued, JobStatus::running, JobStatus::success, JobStatus::error,
                                  JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned, JobStatus::skipped}) {
            if (to_execution_word(status) != word) { continue; }
            wanted.status.insert(status);
            is_known = true;
        }
        if (!is_known) {
            throw http::Error{400, "status must be one of PENDING, SUCCESS, FAILED, SKIPPED, or several of them parted "
                                   "by commas"};
        }
        if (word.size() == rest.size()) { return; }
        rest.remove_prefix(word.size() + 1);
    }
}

/// As this client may see it.
template <class Result>
void write_shown_execution(JsonWriter& writer, const JobExecutionRecord<Result>& record, const http::Redact& redact) {
    if (redact) {
        write_job_execution(writer, redacted(record, redact));
    } else {
        write_job_execution(writer, record);
    }
}

template <class Result>
[[nodiscard]] http::Response answer_executions(const JobExecutionLog<Result>& log, const http::Call& call) {
    ExecutionQuery wanted;
    take_filters(call.query(), wanted);
    refuse_hidden_search(call, wanted);
    wanted.job_id = call.path_parameter("id");
    wanted.limit = take_limit(call.query(), 10, 1000);
    take_execution_words(call.query(), wanted);
    take_place(call.query(), wanted);
    const auto page = take_page(log, wanted);
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.member("job_id", wanted.job_id);
    write_page_of(writer, page, "executions", wanted.limit, [&](const JobExecutionRecord<Result>& record) {
        write_shown_execution(writer, record, call.redact());
    });
    writer.end_object();
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_latest(const JobExecutionLog<Result>& log, const http::Call& call) {
    const auto page = log.query({.job_id = std::string{call.path_parameter("id")}, .limit = 1});
    if (page.records.empty()) {
        throw http::Error{404, "there is no execution of this job; they may have been evicted or cleared"};
    }
    std::string document;
    JsonWriter writer{document};
    write_shown_execution(writer, page.records.front(), call.redact());
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_statistics(const JobExecutionLog<Result>& log, const http::Call& call) {
    const std::string job_id{call.path_parameter("id")};
    const auto all = log.stats();
    const auto found = all.by_job.find(job_id);
    const OutcomeCounts nothing;
    const OutcomeCounts* counts = nullptr;
    if (found != all.by_job.end()) {
        counts = job_id == all.rest_of_jobs ? nullptr : &found->second; // the rest are other jobs together
    } else if (all.by_job.size() < log.options().max_tracked_jobs) {
        counts = &nothing; // it would have been tracked, so it has not run
    }
    const auto newest = log.query({.job_id = job_id, .limit = measured_executions});
    std::string document;
    JsonWriter writer{document};
    write_job_statistics(writer, job_id, counts, newest);
    return http::json_response(200, std::move(document));
}

} // namespace daybook::inline v0::detail

#endif
