// SPDX-License-Identifier: MIT
#include "crontab.hpp"

#include "crontab_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <map>
#include <utility>

#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

namespace crontab {
namespace {

using namespace std::chrono_literals;

/// What the comment lines above a job have said so far.
struct Directives {
    std::map<std::string, std::size_t, std::less<>> columns = {}; ///< by key; where it stands
    std::size_t line = 0;                                         ///< of the first of them; 0: none
    std::size_t id_line = 0;
    Job job = {};
    std::uint32_t retries = 0;
    std::chrono::nanoseconds retry_delay = 1s;
};

class Reader {
public:
    Reader(const Account& account, daybook::TimeZone local) : account_{account}, local_{local}, zone_{local} {
        environment_ = {{"SHELL", "/bin/sh"},
                        {"PATH", "/usr/bin:/bin"},
                        {"HOME", account.home},
                        {"LOGNAME", account.name},
                        {"USER", account.name}};
    }

    Crontab read(std::string_view text) {
        while (!text.empty()) {
            ++line_;
            const auto end = std::min(text.find('\n'), text.size());
            auto line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.ends_with('\r')) { line.remove_suffix(1); }
            read_line(line);
        }
        if (directives_.line != 0) { problem(directives_.line, 1, "expected a job below this line"); }
        name_the_nameless();
        std::stable_sort(result_.problems.begin(), result_.problems.end(), [](const auto& left, const auto& right) {
            return std::pair{left.line, left.column} < std::pair{right.line, right.column};
        });
        return std::move(result_);
    }

private:
    void problem(std::size_t line, std::size_t column, std::string message) {
        result_.problems.push_back({line, column, std::move(message)});
    }
    void problem_at(std::size_t offset, std::string message) { problem(line_, offset + 1, std::move(message)); }

    void read_line(std::string_view line) {
        if (const auto nul = line.find('\0'); nul != std::string_view::npos) {
            problem_at(nul, "expected text, got a NUL byte");
            return;
        }
        const auto begin = skip_blanks(line, 0);
        if (begin == line.size()) { return; }
        if (line[begin] == '#') {
            const auto word = skip_blanks(line, begin + 1);
            constexpr std::string_view mark = "daybook:";
            if (line.substr(word).starts_with(mark)) { read_directives(line, word + mark.size()); }
            return;
        }
        if (!read_assignment(line, begin)) { read_job(line, begin); }
    }

    // NAME=value, blanks around the '=' allowed, either side in quotes; false: the line is none.
    bool read_assignment(std::string_view line, std::size_t begin) {
        const bool is_quoted = line[begin] == '"' || line[begin] == '\'';
        const auto name_begin = is_quoted ? begin + 1 : begin;
        auto name_end = is_quoted ? line.find(line[begin], name_begin) : name_begin;
        if (name_end == std::string_view::npos) { return false; }
        while (!is_quoted && name_end < line.size() && line[name_end] != '=' && !is_blank(line[name_end])) {
            ++name_end;
        }
        auto at = skip_blanks(line, is_quoted ? name_end + 1 : name_end);
        if (at == line.size() || line[at] != '=') { return false; }

        const auto name = line.substr(name_begin, name_end - name_begin);
        if (!is_name(name)) {
            problem_at(name_begin, "expected a name of letters, digits and '_' before the '=', got " + quoted(name));
            return true;
        }
        at = skip_blanks(line, at + 1);
        auto value = line.substr(at);
        while (!value.empty() && is_blank(value.back())) { value.remove_suffix(1); }
        if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
            const auto close = value.find(value.front(), 1);
            if (close == std::string_view::npos) {
                problem_at(at + value.size(), std::string{"expected a closing "} + value.front());
                return true;
            }
            if (close + 1 != value.size()) {
                problem_at(at + close + 1, "expected the end of the line after the closing quote");
                return true;
            }
            value = value.substr(1, close - 1);
        }
        assign(std::string{name}, std::string{value}, at);
        return true;
    }

    void assign(std::string name, std::string value, std::size_t value_at) {
        if (name == "CRON_TZ") {
            try {
                zone_ = value.empty() ? local_ : daybook::TimeZone::find(value);
            } catch (const std::exception& error) {
                problem_at(value_at, std::string{"expected a time zone: "} + error.what());
            }
        }
        if (name == "RANDOM_DELAY") {
            const auto delay = parse_number<std::uint32_t>(value);
            if (!delay || *delay > 1440) { problem_at(value_at, "expected a number of minutes, 0 to 1440"); }
            random_delay_ = std::chrono::minutes{delay.value_or(0)};
        }
        if (name == "SHELL" && value.empty()) { problem_at(value_at, "expected the path of a shell"); }
        // crontab(5): who one is cannot be changed.
        if (name == "LOGNAME" || name == "USER") { return; }
        environment_[std::move(name)] = std::move(value);
    }

    void read_directives(std::string_view line, std::size_t at) {
        constexpr std::array<std::string_view, 8> keys{"id",      "timeout", "retry",  "retry-delay",
                                                       "overlap", "misfire", "jitter", "seconds"};
        if (directives_.line == 0) { directives_.line = line_; }
        for (at = skip_blanks(line, at); at < line.size(); at = skip_blanks(line, at)) {
            const auto end = skip_word(line, at);
            const auto word = line.substr(at, end - at);
            const auto equals = std::min(word.find('='), word.size());
            const auto key = word.substr(0, equals);
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
                problem_at(
                    at, "expected id=, timeout=, retry=, retry-delay=, overlap=, misfire=, jitter= or seconds, got " +
                            quoted(key));
            } else if (!directives_.columns.emplace(key, at).second) {
                problem_at(at, quoted(key) + " is set twice for one job");
            } else if (const auto wrong = read_directive(key, word.substr(std::min(equals + 1, word.size())));
                       !wrong.empty()) {
                problem_at(std::min(at + equals + 1, end), wrong);
            }
            at = end;
        }
    }

    /// What is wrong with it; empty: nothing.
    std::string read_directive(std::string_view key, std::string_view value) {
        const auto got = value.empty() ? std::string{", got nothing"} : ", got " + quoted(value);
        auto& job = directives_.job;
        if (key == "seconds") { return value.empty() ? "" : "expected no value for 'seconds'"; }
        if (key == "id") {
            job.id = value;
            directives_.id_line = line_;
            return value.empty() || value.size() > 255 ? "expected a name of at most 255 bytes, as in id=backup" : "";
        }
        if (key == "timeout") {
            job.timeout = parse_duration(value);
            return job.timeout && *job.timeout > 0ns ? ""
                                                     : "expected a duration such as 30s, 500ms, 5m, 2h or 1d" + got;
        }
        if (key == "retry") {
            const auto retries = parse_number<std::uint32_t>(value);
            directives_.retries = retries.value_or(0);
            return retries && *retries <= 1000 ? "" : "expected a number of retries, 0 to 1000" + got;
        }
        if (key == "retry-delay") {
            const auto delay = parse_duration(value);
            directives_.retry_delay = delay.value_or(1s);
            return delay ? "" : "expected a duration such as 2s, 500ms or 5m" + got;
        }
        if (key == "overlap") {
            const auto choice = daybook::parse_overlap(value);
            job.overlap = choice.value_or(job.overlap);
            return choice ? "" : "expected skip, queue_one, queue_all, allow or cancel_running" + got;
        }
        if (key == "jitter") {
            const auto jitter = parse_duration(value);
            job.jitter = jitter.value_or(0s);
            return jitter ? "" : "expected a duration such as 30s, 500ms or 5m" + got;
        }
        if (key == "misfire") {
            const auto choice = daybook::parse_misfire(value);
            job.misfire = choice.value_or(job.misfire);
            return choice ? "" : "expected run_once, skip or run_all" + got;
        }
        return {};
    }

    void read_job(std::string_view line, std::size_t begin) {
        const Directives above = std::exchange(directives_, {});
        const bool has_seconds = above.columns.contains("seconds");
        const int fields = line[begin] == '@' ? 1 : has_seconds ? 6 : 5;
        std::size_t end = begin;
        for (int field = 0; field < fields; ++field) {
            const auto from = skip_blanks(line, end);
            if (from == line.size()) {
                problem_at(end, std::string{"expected "} + (has_seconds ? "six" : "five") +
                                    " fields and a command, got " + std::to_string(field) +
                                    (field == 1 ? " field" : " fields"));
                return;
            }
            end = skip_word(line, from);
        }

        Job job = above.job;
        job.line = line_;
        if (!above.columns.contains("jitter")) { job.jitter = random_delay_; }
        const auto text = line.substr(begin, end - begin);
        const bool is_schedule_right = text == "@reboot" || read_schedule(text, begin, job);
        const auto command_at = skip_blanks(line, end);
        const auto first_word = line.substr(command_at, skip_word(line, command_at) - command_at);
        if (first_word.empty()) {
            problem_at(end, "expected a command after the schedule");
        } else if (fields == 5 && is_schedule_right &&
                   first_word.find_first_not_of("0123456789*/,-?") == std::string_view::npos) {
            problem_at(command_at, "expected a command, got what looks like a sixth field: '# daybook: seconds' above "
                                   "the line allows six");
        }
        auto split = split_at_percent(line.substr(command_at));
        job.command = std::move(split.command);
        job.options.standard_input = std::move(split.input);
        for (const auto& [name, value] : environment_) { job.options.environment.emplace_back(name, value); }
        job.options.environment_from = daybook::CommandEnvironment::replace;
        job.options.shell = environment_["SHELL"];
        job.options.working_directory = environment_["HOME"];
        job.retry =
            daybook::exponential_backoff({.max_attempts = above.retries + 1,
                                          .first_delay = above.retry_delay,
                                          .max_delay = std::max<std::chrono::nanoseconds>(above.retry_delay, 1h)});
        check_id(job, above);
        result_.jobs.push_back(std::move(job));
    }

    bool read_schedule(std::string_view text, std::size_t offset, Job& job) {
        try {
            job.schedule = daybook::cron(text, zone_);
            return true;
        } catch (const daybook::CronError& error) {
            std::string_view what = error.what(); // "column 3: expected …", and that column is not the line's
            if (const auto colon = what.find(": "); what.starts_with("column ") && colon != std::string_view::npos) {
                what.remove_prefix(colon + 2);
            }
            std::string message{what};
            if (const auto macros = message.find("@yearly"); macros != std::string::npos) {
                message.insert(macros, "@reboot, "); // the one that is no schedule
            }
            problem_at(offset + error.column() - 1, std::move(message));
            return false;
        }
    }

    void check_id(const Job& job, const Directives& above) {
        if (job.id.empty()) { return; }
        for (const auto& other : result_.jobs) {
            if (other.id == job.id) {
                problem(above.id_line, above.columns.at("id") + 1,
                        "expected an id of its own: " + quoted(job.id) + " is the job of line " +
                            std::to_string(other.line));
                return;
            }
        }
    }

    // Last, so that the ids that people have chosen come first.
    void name_the_nameless() {
        const auto is_taken = [this](const std::string& id) {
            return std::any_of(result_.jobs.begin(), result_.jobs.end(), [&](const Job& job) { return job.id == id; });
        };
        for (auto& job : result_.jobs) {
            if (!job.id.empty()) { continue; }
            const auto first = derived_id(job.command);
            auto id = first;
            for (int copy = 2; is_taken(id); ++copy) { id = first + "-" + std::to_string(copy); }
            job.id = id;
        }
    }

    Account account_;
    daybook::TimeZone local_;
    daybook::TimeZone zone_;
    std::chrono::nanoseconds random_delay_{0};
    std::map<std::string, std::string> environment_ = {};
    Directives directives_ = {};
    std::size_t line_ = 0;
    Crontab result_ = {};
};

} // namespace

Account current_account() {
    const auto* entry = ::getpwuid(::geteuid()); // NOLINT(concurrency-mt-unsafe): called before there are threads
    if (entry == nullptr) { return {.name = std::to_string(::geteuid()), .home = "/"}; }
    return {.name = entry->pw_name, .home = entry->pw_dir};
}

Crontab read(std::string_view text, const Account& account, daybook::TimeZone local) {
    return Reader{account, local}.read(text);
}

} // namespace crontab
