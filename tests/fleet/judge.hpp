// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_JUDGE_HPP
#define DAYBOOK_TESTS_FLEET_JUDGE_HPP

/// @file
/// What the database says at the end of a trial, held against what the journals say and against the promises.

#include "fleet_jobs.hpp"
#include "journal.hpp"
#include "support/postgresql_server.hpp"
#include "workers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace fleet {

/// What was found wrong, and what there was in all.
struct Verdict {
    std::map<std::string, std::vector<std::string>> problems = {}; ///< by what is promised
    std::map<std::string, std::uint64_t> figures = {};

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        for (const auto& [name, value] : figures) { out << "  " << name << ": " << value << '\n'; }
        for (const auto& [promise, broken] : problems) {
            out << "  BROKEN " << broken.size() << " times: " << promise << '\n';
            for (std::size_t index = 0; index < std::min<std::size_t>(broken.size(), 8); ++index) {
                out << "      " << broken[index] << '\n';
            }
        }
        return out.str();
    }
};

class Judge {
public:
    /// @param schema  Where the tables are. @param workers  All of them have ended.
    Judge(const daybook_test::PostgresqlServer& server, std::string schema, const std::vector<Worker>& workers)
        : server_{server}, schema_{std::move(schema)} {
        read_records();
        for (const Worker& worker : workers) { read_journal(worker); }
    }

    [[nodiscard]] Verdict verdict() {
        judge_rest();
        judge_occurrences();
        judge_nominal_times();
        judge_bodies();
        judge_intervals();
        judge_statistics();
        return std::move(verdict_);
    }

private:
    struct Record {
        std::uint64_t id = 0;
        std::uint64_t occurrence = 0;
        std::string job = {};
        std::int64_t nominal_us = 0;
        std::uint32_t attempt = 0;
        std::string status = {};
        bool is_final = false;
        std::string trigger = {};
        bool has_started = false;
        std::optional<std::int64_t> completed_us = {}; ///< wall clock
        std::string node = {};
        std::string reason = {};
        std::uint64_t skip_count = 0;
        bool is_minimum = false;
    };
    /// What a journal says of one execution.
    struct Body {
        std::size_t worker = 0;
        Entry begin = {};
        std::optional<Entry> end = {};
        std::int64_t until_us = 0; ///< monotonic: when it had ended, or was nobody's any more
    };

    void complain(const char* promise, const std::string& what) { verdict_.problems[promise].push_back(what); }
    [[nodiscard]] static std::string name_of(const Record& record) {
        return record.job + " at " + std::to_string(record.nominal_us / 1'000'000) + ", occurrence " +
               std::to_string(record.occurrence) + ", attempt " + std::to_string(record.attempt) + " (" +
               std::to_string(record.id) + "), " + record.status + (record.is_final ? ", final" : "") + ", " +
               record.reason + ", " + record.node;
    }

    [[nodiscard]] std::vector<std::vector<std::string>> rows(const std::string& sql) const {
        std::vector<std::vector<std::string>> found;
        std::istringstream text{server_.run(sql)};
        for (std::string line; std::getline(text, line);) {
            auto& row = found.emplace_back();
            std::size_t begin = 0;
            for (std::size_t bar = 0; (bar = line.find('|', begin)) != std::string::npos; begin = bar + 1) {
                row.push_back(line.substr(begin, bar - begin));
            }
            row.push_back(line.substr(begin));
        }
        return found;
    }
    [[nodiscard]] std::string number(const std::string& sql) const { return server_.run(sql); }

    void read_records() {
        const auto us = [](const std::string& column) { return "(extract(epoch FROM " + column + ") * 1e6)::bigint"; };
        for (const auto& row : rows("SELECT id, occurrence_id, job_id, coalesce(" + us("scheduled_at") +
                                    ", 0), attempt_number, status, is_final, triggered_by, started_at IS NOT NULL, " +
                                    us("completed_at") + ", node, reason, skip_count, skip_count_is_minimum FROM " +
                                    schema_ + ".job_execution ORDER BY id")) {
            Record record;
            record.id = std::stoull(row.at(0));
            record.occurrence = std::stoull(row.at(1));
            record.job = row.at(2);
            record.nominal_us = std::stoll(row.at(3));
            record.attempt = static_cast<std::uint32_t>(std::stoul(row.at(4)));
            record.status = row.at(5);
            record.is_final = row.at(6) == "t";
            record.trigger = row.at(7);
            record.has_started = row.at(8) == "t";
            if (!row.at(9).empty()) { record.completed_us = std::stoll(row.at(9)); }
            record.node = row.at(10);
            record.reason = row.at(11);
            record.skip_count = std::max<std::uint64_t>(1, std::stoull(row.at(12)));
            record.is_minimum = row.at(13) == "t";
            occurrences_[record.occurrence].push_back(record.id);
            records_.emplace(record.id, std::move(record));
        }
        verdict_.figures["records"] = records_.size();
    }

    void read_journal(const Worker& worker) {
        const std::string name = "worker" + std::to_string(worker.number);
        if (!worker.killed_us && worker.status != 0) {
            complain("a worker that was not killed ends with 0",
                     name + ": " + std::to_string(worker.status.value_or(-1)));
        }
        bool has_stopped = false;
        for (const Entry& entry : Journal::read(worker.journal)) {
            switch (entry.what) {
            case Entry::What::start: first_start_us_ = std::min(first_start_us_, entry.nominal_us); break;
            case Entry::What::stop: has_stopped = true; break;
            case Entry::What::begin: {
                ++verdict_.figures["bodies begun"];
                const auto [at, is_new] = bodies_.try_emplace(entry.execution, Body{worker.number, entry, {}, 0});
                if (!is_new) {
                    complain("no execution runs twice", name + ": " + entry.job + " " +
                                                            std::to_string(entry.execution) + ", also by worker" +
                                                            std::to_string(at->second.worker));
                }
                break;
            }
            case Entry::What::end:
                if (const auto body = bodies_.find(entry.execution); body != bodies_.end()) {
                    body->second.end = entry;
                }
                break;
            }
        }
        if (!worker.killed_us && !has_stopped) { complain("a worker that was not killed stops gracefully", name); }
        for (auto& [id, body] : bodies_) {
            if (body.worker != worker.number || body.end) { continue; }
            if (!worker.killed_us) { complain("a body that began in a process that lived has ended", name_of(body)); }
            body.until_us = worker.killed_us.value_or(std::numeric_limits<std::int64_t>::max());
        }
    }
    [[nodiscard]] static std::string name_of(const Body& body) {
        return body.begin.job + " at " + std::to_string(body.begin.nominal_us / 1'000'000) + ", attempt " +
               std::to_string(body.begin.attempt) + " (" + std::to_string(body.begin.execution) + ") of worker" +
               std::to_string(body.worker) + (body.end ? ", " + body.end->word : ", cut off");
    }

    /// Nothing is left to be done.
    void judge_rest() {
        const auto expect_none = [&](const char* promise, const std::string& from) {
            for (const auto& row : rows("SELECT x::text FROM (SELECT * FROM " + schema_ + "." + from + ") AS x")) {
                complain(promise, row.at(0));
            }
        };
        expect_none("no claim is left", "job_claim");
        expect_none("no seat is left", "node");
        expect_none("no execution is unfinished", "job_execution WHERE status IN ('queued', 'running')");
        const std::string counted = number("SELECT count(*) FROM " + schema_ + ".job_execution");
        const std::string retained = number("SELECT retained + (SELECT coalesce(sum(retained), 0) FROM " + schema_ +
                                            ".node) FROM " + schema_ + ".daybook_schema");
        if (counted != retained) { complain("the number kept is the number there is", retained + ", not " + counted); }
    }

    /// Attempts follow one another, and one of them is the last.
    void judge_occurrences() {
        for (const auto& [occurrence, ids] : occurrences_) {
            std::vector<const Record*> attempts;
            for (const std::uint64_t id : ids) { attempts.push_back(&records_.at(id)); }
            std::ranges::sort(attempts, {}, [](const Record* record) { return record->attempt; });
            const Record& last = *attempts.back();
            const Kind& kind = kind_of(last.job);
            ++verdict_
                  .figures[last.status == "skipped" ? "skip records, " + last.reason : "occurrences, " + last.status];
            if (last.status != "skipped") { verdict_.figures["attempts"] += attempts.size(); }
            std::size_t successes = 0;
            for (std::size_t index = 0; index < attempts.size(); ++index) {
                const Record& one = *attempts[index];
                successes += one.status == "success" ? 1U : 0U;
                verdict_.figures["abandoned attempts"] += one.status == "abandoned" ? 1U : 0U;
                if (one.attempt != index + 1) { complain("attempts are numbered from 1 on", name_of(one)); }
                if (one.job != last.job || one.nominal_us != last.nominal_us) {
                    complain("all attempts are of one occurrence", name_of(one));
                }
                const bool is_last = &one == &last;
                if (one.is_final != is_last) { complain("the last attempt is final, and no other", name_of(one)); }
                const bool may_go_on = one.status == "abandoned" || (one.status == "error" && kind.attempts > 1);
                if (!is_last && !may_go_on) { complain("nothing follows but a failure or a loss", name_of(one)); }
            }
            if (successes > 1) { complain("at most one attempt of an occurrence succeeds", name_of(last)); }
            if (kind.delivery == daybook::Delivery::at_most_once && attempts.size() > 1) {
                complain("at most once: one attempt", name_of(last));
            }
        }
    }

    /// From the first to the last each second of each job has one occurrence. A record of skips stands for several in a
    /// row as its process has seen them; others may have run what came between. So all there are must be told apart by
    /// what ran and where skips begin, and be right in number.
    void judge_nominal_times() {
        struct Found {
            std::map<std::int64_t, std::vector<const Record*>> by_second = {};
            std::uint64_t executed = 0;
            std::uint64_t skipped = 0;
        };
        std::map<std::string, Found> all;
        for (const auto& entry : occurrences_) {
            const Record& record = records_.at(entry.second.front());
            if (record.trigger == "manual") { continue; }
            if (record.nominal_us % 1'000'000 != 0 || record.is_minimum) {
                complain("nominal times are whole seconds, and counted", name_of(record));
            }
            Found& found = all[record.job];
            (record.status == "skipped" ? found.skipped : found.executed) +=
                record.status == "skipped" ? record.skip_count : 1;
            found.by_second[record.nominal_us / 1'000'000].push_back(&record);
        }
        for (const auto& row :
             rows("SELECT id, floor(extract(epoch FROM accounted_to))::bigint FROM " + schema_ + ".job ORDER BY id")) {
            const std::string& job = row.at(0);
            const std::int64_t until = row.at(1).empty() ? 0 : std::stoll(row.at(1));
            const Found& found = all[job];
            if (found.by_second.empty()) {
                complain("every job has occurrences", job);
                continue;
            }
            const std::int64_t first = found.by_second.begin()->first;
            // The process that was first had been started by then.
            if (first > first_start_us_ / 1'000'000 + 1) {
                complain("the first second after the start is the first that counts",
                         job + ": " + std::to_string(first) + ", started at " + std::to_string(first_start_us_));
            }
            if (found.by_second.rbegin()->first > until) {
                complain("what has occurred is accounted for", job + ": " +
                                                                   std::to_string(found.by_second.rbegin()->first) +
                                                                   ", accounted to " + std::to_string(until));
            }
            const auto nominal = static_cast<std::uint64_t>(until - first + 1);
            verdict_.figures["nominal times"] += nominal;
            verdict_.figures["nominal times executed"] += found.executed;
            verdict_.figures["nominal times skipped"] += found.skipped;
            if (nominal != found.executed + found.skipped) {
                complain("every nominal time has one occurrence",
                         job + ": " + std::to_string(nominal) + " from " + std::to_string(first) + " on, executed " +
                             std::to_string(found.executed) + ", skipped " + std::to_string(found.skipped));
            }
            for (const auto& [second, records] : found.by_second) {
                if (records.size() < 2) { continue; }
                std::string both;
                for (const Record* record : records) { both += name_of(*record) + "; "; }
                complain("no nominal time has two occurrences", both);
            }
        }
    }

    /// What has run is recorded, and what is recorded as done has run.
    void judge_bodies() {
        const std::int64_t to_monotonic = monotonic_us() - wall_us();
        std::map<std::pair<std::string, std::int64_t>, std::vector<const Body*>> by_nominal;
        for (auto& [id, body] : bodies_) {
            by_nominal[{body.begin.job, body.begin.nominal_us}].push_back(&body);
            if (body.end) { body.until_us = body.end->at_us; }
            const auto found = records_.find(id);
            if (found == records_.end()) {
                complain("what has run is recorded", name_of(body));
                continue;
            }
            const Record& record = found->second;
            if (record.job != body.begin.job || record.attempt != body.begin.attempt ||
                record.nominal_us != body.begin.nominal_us) {
                complain("a record says what has run", name_of(body) + ": " + name_of(record));
            }
            if (record.status == "abandoned" && record.completed_us) {
                const std::int64_t lost_us = *record.completed_us + to_monotonic;
                ++verdict_
                      .figures[body.end ? "bodies that ended after their process had lost its seat" : "bodies cut off"];
                if (body.begin.at_us > lost_us) {
                    ++verdict_.figures["bodies that began after their process had lost its seat"];
                }
                body.until_us = std::min(body.until_us, lost_us);
            } else if (!body.end) {
                complain("a body that was cut off is recorded as abandoned", name_of(record));
            } else if ((record.status == "success") != (body.end->word == "success")) {
                complain("a record says how it ended", name_of(body) + ": " + name_of(record));
            }
        }
        for (const auto& [id, record] : records_) {
            const bool has_run = bodies_.contains(id);
            if (!has_run && (record.status == "success" || record.status == "error" || record.status == "timeout")) {
                complain("what is recorded as done has run", name_of(record));
            }
            if (has_run && record.status == "skipped") { complain("what is skipped has not run", name_of(record)); }
        }
        for (const auto& [key, bodies] : by_nominal) {
            if (bodies.size() < 2) { continue; }
            const Kind& kind = kind_of(key.first);
            std::string all;
            std::size_t unfinished = 0;
            for (const Body* body : bodies) {
                all += name_of(*body) + "; ";
                const auto record = records_.find(body->begin.execution);
                const bool is_known = record != records_.end();
                unfinished += is_known && (record->second.status == "abandoned" ||
                                           (kind.attempts > 1 && record->second.status == "error"))
                                  ? 1U
                                  : 0U;
            }
            if (kind.delivery == daybook::Delivery::at_most_once) {
                complain("at most once by the journals too", all);
            } else if (unfinished + 1 < bodies.size()) {
                complain("each body but the last is recorded as abandoned or failed", all);
            }
            ++verdict_.figures[kind.attempts > 1 ? "occurrences with retries or lost bodies"
                                                 : "occurrences that ran again (at least once)"];
        }
    }

    /// Of jobs and groups that bound how many bodies there are at once.
    void judge_intervals() {
        std::map<std::string, std::vector<const Body*>> bounded;
        for (const auto& [id, body] : bodies_) {
            const Kind& kind = kind_of(body.begin.job);
            const bool is_catching_up = kind.misfire == daybook::Misfire::run_all; // outside the rule for overlap
            if (kind.overlap != daybook::Overlap::allow && !is_catching_up) {
                bounded["job " + body.begin.job].push_back(&body);
            }
            if (!kind.group.empty()) { bounded["group " + std::string{kind.group}].push_back(&body); }
        }
        for (const auto& [name, bodies] : bounded) {
            const std::size_t most = name.starts_with("group") ? group_limit : 1;
            std::vector<std::tuple<std::int64_t, int, const Body*>> steps; // at one instant the ends come first
            for (const Body* body : bodies) {
                if (body->until_us <= body->begin.at_us) { continue; }
                steps.emplace_back(body->begin.at_us, 1, body);
                steps.emplace_back(body->until_us, -1, body);
            }
            std::ranges::sort(steps);
            std::set<const Body*> running;
            std::size_t greatest = 0;
            for (const auto& [at, step, body] : steps) {
                if (step < 0) {
                    running.erase(body);
                    continue;
                }
                running.insert(body);
                greatest = std::max(greatest, running.size());
                if (running.size() <= most) { continue; }
                std::string all;
                for (const Body* one : running) { all += name_of(*one) + "; "; }
                complain(most == 1 ? "bodies of a job do not overlap" : "a group's bound holds in all processes", all);
            }
            if (most != 1) { verdict_.figures["bodies of a group at once, at most"] = greatest; }
        }
    }

    /// What was counted as it happened is what a count of the records gives.
    void judge_statistics() {
        const std::string final_ones = "count(*) FILTER (WHERE is_final AND status = '";
        const std::string recount =
            final_ones + "success'), " + final_ones + "error'), " + final_ones + "timeout'), " + final_ones +
            "abandoned'), " + final_ones +
            "cancelled'), coalesce(sum(greatest(skip_count, 1)) FILTER (WHERE status = 'skipped'), 0), count(*) FILTER "
            "(WHERE attempt_number > 1 AND duration_ns IS NOT NULL)";
        const auto sums = [&](std::string_view scope, std::string_view by) {
            std::string columns;
            for (const char* column : {"success", "error", "timeout", "abandoned", "cancelled", "skipped", "retries"}) {
                columns += (columns.empty() ? "sum(" : ", sum(") + std::string{column} + ")";
            }
            return "SELECT " + std::string{by} + ", " + columns + " FROM " + schema_ +
                   ".job_statistics WHERE scope = '" + std::string{scope} + "' GROUP BY 1 ORDER BY 1";
        };
        const auto records = [&](std::string_view by) {
            return "SELECT " + std::string{by} + ", " + recount + " FROM " + schema_ +
                   ".job_execution GROUP BY 1 ORDER BY 1";
        };
        const auto compare = [&](const std::string& what, const std::string& counted, const std::string& recounted) {
            const auto left = rows(counted);
            const auto right = rows(recounted);
            for (std::size_t index = 0; index < std::max(left.size(), right.size()); ++index) {
                const auto words = [&](const std::vector<std::vector<std::string>>& all) {
                    std::string text;
                    if (index < all.size()) {
                        for (const std::string& word : all[index]) { text += ' ' + word; }
                    }
                    return text;
                };
                if (words(left) != words(right)) {
                    complain("statistics are those of the records (success error timeout abandoned cancelled skipped "
                             "retries)",
                             what + words(left) + ", but there are" + words(right));
                }
            }
        };
        compare("lifetime:", sums("lifetime", "'all'"), records("'all'"));
        compare("all:", sums("all", "'all'"), records("'all'"));
        compare("handler:", sums("handler", "name"), records("handler_id"));
        compare("job:", sums("job", "name"), records("job_id"));
    }

    const daybook_test::PostgresqlServer& server_;
    std::string schema_;
    Verdict verdict_ = {};
    std::map<std::uint64_t, Record> records_ = {};
    std::map<std::uint64_t, std::vector<std::uint64_t>> occurrences_ = {};
    std::map<std::uint64_t, Body> bodies_ = {};
    std::int64_t first_start_us_ = std::numeric_limits<std::int64_t>::max();
};

} // namespace fleet

#endif
