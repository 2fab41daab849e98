// SPDX-License-Identifier: MIT
#include "reporter.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <unistd.h>

namespace {

using daybook::JobStatus;

std::string clock_time(daybook::sys_time when) {
    const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(when));
    std::tm local = {};
    ::localtime_r(&seconds, &local);
    std::array<char, 16> text = {};
    return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &local)};
}

std::string duration_text(std::chrono::nanoseconds duration) {
    const auto milliseconds = std::chrono::duration<double, std::milli>{duration}.count();
    std::array<char, 32> text = {};
    const bool is_long = milliseconds >= 10'000;
    std::snprintf(text.data(), text.size(), is_long ? "%.1f s" : "%.1f ms",
                  is_long ? milliseconds / 1000 : milliseconds);
    return text.data();
}

std::string_view colour_code(JobStatus status) {
    switch (status) {
    case JobStatus::success: return "\033[32m";
    case JobStatus::error:
    case JobStatus::timeout:
    case JobStatus::abandoned: return "\033[31m";
    default: return "\033[33m";
    }
}

/// The last line with something on it: of a command's output, the one that sums up.
std::string_view last_line(std::string_view text) {
    const auto end = text.find_last_not_of(" \t\r\n");
    if (end == std::string_view::npos) { return {}; }
    text = text.substr(0, end + 1);
    const auto newline = text.rfind('\n');
    return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

} // namespace

Colour colour_of_standard_output() {
    const char* const refusal = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
    const bool is_refused = refusal != nullptr && *refusal != '\0';
    return ::isatty(STDOUT_FILENO) != 0 && !is_refused ? Colour::always : Colour::never;
}

std::string one_line(std::string_view text, std::size_t width) {
    std::string line;
    for (const char letter : text) {
        if (letter == '\n') {
            line += " | ";
        } else {
            const auto code = static_cast<unsigned char>(letter);
            line += code < 0x20 || code == 0x7F ? ' ' : letter;
        }
        if (line.size() > width) {
            auto end = width;
            while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) { --end; }
            return line.substr(0, end) + "…";
        }
    }
    return line;
}

void Reporter::tell_news() {
    std::vector<Record> news;
    const auto known = newest_;
    for (auto id = unfinished_.begin(); id != unfinished_.end();) {
        const auto record = log_.find(*id);
        if (record && !daybook::is_finished(record->status)) {
            ++id;
            continue;
        }
        if (record) { look_at(*record, news); }
        id = unfinished_.erase(id);
    }
    for (auto& [job, open] : skips_) {
        if (const auto record = log_.find(open.id)) { count_skips(*record); }
    }
    // Newest first: a whole page without anything new means that there is nothing new behind it.
    daybook::ExecutionQuery query{.skips = daybook::Skips::include, .limit = 500};
    for (bool has_more = true; has_more;) {
        const auto page = log_.query(query);
        has_more = false;
        for (const auto& record : page.records) {
            if (record.id <= known) { continue; }
            has_more = page.has_more;
            newest_ = std::max(newest_, record.id);
            look_at(record, news);
        }
        query.cursor = page.next_cursor;
    }
    std::stable_sort(news.begin(), news.end(),
                     [](const Record& left, const Record& right) { return left.completed_at < right.completed_at; });
    for (const auto& record : news) { tell(record); }
    std::fflush(stdout);
}

void Reporter::look_at(const Record& record, std::vector<Record>& news) {
    if (record.status == JobStatus::skipped) {
        count_skips(record);
    } else if (daybook::is_finished(record.status)) {
        news.push_back(record);
    } else {
        unfinished_.insert(record.id);
    }
}

void Reporter::count_skips(const Record& record) {
    auto& open = skips_[record.job_id];
    if (record.id < open.id) { return; }
    if (record.id > open.id) { open = {.id = record.id}; }
    if (record.skip_count <= open.told) { return; }
    const auto more = record.skip_count - open.told;
    std::string text{to_string(record.reason)};
    if (more > 1) { text += ", " + std::to_string(more) + " times"; }
    print_line(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()), record.job_id,
               record.status, text);
    open.told = record.skip_count;
}

void Reporter::tell(const Record& record) const {
    std::string text = duration_text(record.duration.value_or(std::chrono::nanoseconds::zero()));
    text.resize(std::max<std::size_t>(text.size(), 10), ' ');
    if (record.attempt_number > 1) { text += " attempt " + std::to_string(record.attempt_number) + ";"; }
    if (!record.is_final) { text += " will be retried;"; }
    if (record.error) {
        text += " " + one_line(*record.error, 120);
    } else if (record.result) {
        text += " " + one_line(last_line(*record.result), 80);
    }
    text.resize(text.find_last_not_of(' ') + 1);
    const auto none = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    print_line(record.completed_at.value_or(none), record.job_id, record.status, text);
}

void Reporter::print_line(daybook::sys_time when, const std::string& job, JobStatus status,
                          const std::string& rest) const {
    const std::string word{to_string(status)};
    const bool in_colour = colour_ == Colour::always;
    std::printf("%s  %-20s  %s%-9s%s  %s\n", clock_time(when).c_str(), one_line(job, 60).c_str(),
                in_colour ? std::string{colour_code(status)}.c_str() : "", word.c_str(), in_colour ? "\033[0m" : "",
                rest.c_str());
}

void Reporter::tell_summary() const {
    const auto stats = log_.stats();
    std::printf("\n%-28s %8s %8s %8s %8s %9s %8s %8s\n", "job", "ended", "success", "error", "timeout", "cancelled",
                "skipped", "retries");
    const auto row = [](const std::string& name, const daybook::OutcomeCounts& counts) {
        const auto errors = counts.error_count - counts.timeout_count;
        std::printf("%-28s", one_line(name, 60).c_str());
        for (const auto count : {counts.total_executions, counts.success_count, errors, counts.timeout_count}) {
            std::printf(" %8llu", static_cast<unsigned long long>(count));
        }
        std::printf(" %9llu", static_cast<unsigned long long>(counts.cancelled_count));
        for (const auto count : {counts.skipped_count, counts.retry_count}) {
            std::printf(" %8llu", static_cast<unsigned long long>(count));
        }
        std::printf("\n");
    };
    for (const auto& [job, counts] : stats.by_job) { row(job, counts); }
    row("all", stats);
    std::printf("\nsuccess rate %.2f %%, average %.1f ms, 95 %% within %.1f ms\n", stats.success_rate,
                stats.average_duration_ms, stats.p95_ms);
    std::fflush(stdout);
}
