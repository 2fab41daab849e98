// SPDX-License-Identifier: MIT
/// @file
/// What it costs several processes to agree on who runs what: from the instant at which jobs come due to their bodies,
/// with one, four and eight schedulers on one PostgreSQL, each with connections of its own, as processes have them.
///
/// Beside it what nobody can go below: programs that do nothing but wait for the instant and race for rows by
/// INSERT ... ON CONFLICT DO NOTHING RETURNING, either one row at a time or all that came due at once. They keep no
/// order, no history and no leases.

#include "report.hpp"
#include "support/postgresql_server.hpp"

#include <daybook/adapters/postgresql.hpp>
#include <daybook/daybook.hpp>

#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook_test::PostgresqlServer;
using WallClock = std::chrono::system_clock;

constexpr std::size_t jobs_at_once = 20;
constexpr auto interval = 100ms;
constexpr int instants = 20; ///< of which the first ones do not count
constexpr int instants_to_warm_up = 5;
constexpr std::size_t jobs_of_flood = 1000;

/// How long after it was due each one began, by any thread.
class Samples {
public:
    void add(WallClock::duration late) {
        const std::scoped_lock lock{mutex_};
        late_.push_back(std::chrono::duration<double, std::micro>{late}.count());
    }
    [[nodiscard]] std::size_t size() const {
        const std::scoped_lock lock{mutex_};
        return late_.size();
    }
    void tell(benchmark::State& state) {
        const std::scoped_lock lock{mutex_};
        if (late_.empty()) {
            state.SkipWithError("nothing has run");
            return;
        }
        std::sort(late_.begin(), late_.end());
        const auto at = [&](double part) {
            return late_[static_cast<std::size_t>(part * static_cast<double>(late_.size() - 1))];
        };
        state.counters["p50_us"] = at(0.5);
        state.counters["p99_us"] = at(0.99);
        state.counters["claims"] = static_cast<double>(late_.size());
    }
    [[nodiscard]] double greatest() const {
        const std::scoped_lock lock{mutex_};
        return *std::max_element(late_.begin(), late_.end());
    }

private:
    mutable std::mutex mutex_;
    std::vector<double> late_; // guarded by mutex_
};

/// The next instant that all reckon with.
[[nodiscard]] WallClock::time_point instant_after(WallClock::time_point time) {
    return WallClock::time_point{std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch()) / interval *
                                 interval} +
           interval;
}

[[nodiscard]] std::unique_ptr<daybook::Scheduler<>> member(const std::string& schema) {
    daybook::SchedulerOptions options;
    options.workers = 2;
    options.max_queue = 10'000;
    options.misfire_tolerance = 1min;
    options.store = daybook::PostgresqlStore{{.conninfo = PostgresqlServer::shared().conninfo(), .schema = schema}};
    options.fleet = daybook::FleetOptions{};
    return std::make_unique<daybook::Scheduler<>>(std::move(options));
}

/// Twenty jobs every tenth of a second.
void measure_fleet(benchmark::State& state) {
    for (auto _ : state) {
        Samples samples;
        const std::string schema = PostgresqlServer::shared().new_schema();
        std::atomic<WallClock::time_point> counted_from{WallClock::time_point::max()};
        std::vector<std::unique_ptr<daybook::Scheduler<>>> fleet;
        for (std::int64_t node = 0; node < state.range(0); ++node) {
            auto& scheduler = *fleet.emplace_back(member(schema));
            for (std::size_t job = 0; job < jobs_at_once; ++job) {
                scheduler.add({.id = "job_" + std::to_string(job), .schedule = daybook::every(interval)},
                              [&](daybook::JobContext& context) {
                                  const auto now = WallClock::now();
                                  if (*context.scheduled_at() >= counted_from.load()) {
                                      samples.add(now - *context.scheduled_at());
                                  }
                              });
            }
        }
        for (const auto& scheduler : fleet) { scheduler->start(); }
        const auto begin = instant_after(WallClock::now()) + instants_to_warm_up * interval;
        counted_from = begin;
        std::this_thread::sleep_until(begin + instants * interval);
        fleet.clear();
        samples.tell(state);
        state.SetIterationTime(1.0);
    }
}

/// A thousand jobs at one instant.
void measure_flood(benchmark::State& state) {
    for (auto _ : state) {
        Samples samples;
        const std::string schema = PostgresqlServer::shared().new_schema();
        const auto due =
            std::chrono::floor<std::chrono::seconds>(WallClock::now()) + std::chrono::seconds{3 + state.range(0) / 2};
        std::vector<std::unique_ptr<daybook::Scheduler<>>> fleet;
        for (std::int64_t node = 0; node < state.range(0); ++node) {
            auto& scheduler = *fleet.emplace_back(member(schema));
            for (std::size_t job = 0; job < jobs_of_flood; ++job) {
                scheduler.add({.id = "job_" + std::to_string(job), .schedule = daybook::at(due)},
                              [&](daybook::JobContext&) { samples.add(WallClock::now() - due); });
            }
            scheduler.start();
        }
        if (WallClock::now() >= due) {
            state.SkipWithError("it took too long to add the jobs");
            return;
        }
        const auto patience = due + 30s;
        while (samples.size() < jobs_of_flood && WallClock::now() < patience) { std::this_thread::sleep_for(10ms); }
        fleet.clear();
        samples.tell(state);
        state.counters["claims_per_second"] = static_cast<double>(samples.size()) / samples.greatest() * 1e6;
        state.SetIterationTime(1.0);
    }
}

class Session {
public:
    explicit Session(const std::string& schema)
        : session_{PQconnectdb(PostgresqlServer::shared().conninfo().c_str()), &PQfinish} {
        const std::string into = "INSERT INTO " + schema + ".claim (job_id, scheduled_at, attempt, node) ";
        const std::string race = " ON CONFLICT DO NOTHING RETURNING job_id";
        prepare("one", into + "VALUES ($1, $2, 1, 'node')" + race);
        prepare("many", into + "SELECT id, $2::bigint, 1, 'node' FROM unnest($1::text[]) AS given (id)" + race);
    }

    /// How many of these are ours now.
    [[nodiscard]] int claim(const char* statement, const std::string& jobs, std::int64_t at_us) {
        const std::string instant = std::to_string(at_us);
        const char* values[] = {jobs.c_str(), instant.c_str()};
        PGresult* const result = PQexecPrepared(session_.get(), statement, 2, values, nullptr, nullptr, 0);
        const int won = PQntuples(result);
        const bool is_well = PQresultStatus(result) == PGRES_TUPLES_OK;
        PQclear(result);
        if (!is_well) { throw std::runtime_error{PQerrorMessage(session_.get())}; }
        return won;
    }

private:
    void prepare(const char* name, const std::string& sql) {
        PGresult* const result = PQprepare(session_.get(), name, sql.c_str(), 0, nullptr);
        const bool is_well = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
        if (!is_well) { throw std::runtime_error{PQerrorMessage(session_.get())}; }
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> session_;
};

[[nodiscard]] std::string raw_table() {
    auto& server = PostgresqlServer::shared();
    const std::string schema = server.new_schema();
    server.run("CREATE SCHEMA " + schema + "; CREATE TABLE " + schema +
               ".claim (job_id text COLLATE \"C\", scheduled_at bigint, attempt int, node text, "
               "PRIMARY KEY (job_id, scheduled_at, attempt))");
    return schema;
}

[[nodiscard]] std::int64_t microseconds(WallClock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

/// Calls `node(session)` on as many threads as there are nodes.
template <class Node>
void on_nodes(std::int64_t nodes, const std::string& schema, const Node& node) {
    std::vector<std::unique_ptr<Session>> sessions;
    for (std::int64_t number = 0; number < nodes; ++number) { sessions.push_back(std::make_unique<Session>(schema)); }
    std::vector<std::thread> threads;
    for (const auto& session : sessions) {
        Session& own = *session;
        threads.emplace_back([&own, &node] { node(own); });
    }
    for (std::thread& thread : threads) { thread.join(); }
}

/// The instants of `measure_fleet`, all rows of one instant in one statement.
void measure_raw(benchmark::State& state) {
    for (auto _ : state) {
        Samples samples;
        std::string all = "{";
        for (std::size_t job = 0; job < jobs_at_once; ++job) {
            all += (job == 0 ? "job_" : ",job_") + std::to_string(job);
        }
        all += '}';
        const auto begin = instant_after(WallClock::now()) + instants_to_warm_up * interval;
        on_nodes(state.range(0), raw_table(), [&](Session& session) {
            for (int number = 0; number < instants; ++number) {
                const auto due = begin + number * interval;
                std::this_thread::sleep_until(due);
                const int won = session.claim("many", all, microseconds(due));
                const auto late = WallClock::now() - due;
                for (int one = 0; one < won; ++one) { samples.add(late); }
            }
        });
        samples.tell(state);
        state.SetIterationTime(1.0);
    }
}

/// The thousand of `measure_flood`, row by row.
void measure_raw_flood(benchmark::State& state) {
    for (auto _ : state) {
        Samples samples;
        const auto due = WallClock::now() + 300ms;
        on_nodes(state.range(0), raw_table(), [&](Session& session) {
            std::this_thread::sleep_until(due);
            for (std::size_t job = 0; job < jobs_of_flood; ++job) {
                if (session.claim("one", "job_" + std::to_string(job), microseconds(due)) == 1) {
                    samples.add(WallClock::now() - due);
                }
            }
        });
        samples.tell(state);
        state.counters["claims_per_second"] = static_cast<double>(samples.size()) / samples.greatest() * 1e6;
        state.SetIterationTime(1.0);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (!PostgresqlServer::is_installed()) {
        std::printf("there is no PostgreSQL server on this machine\n");
        return 0;
    }
    std::vector<daybook_benchmark::Finding> findings;
    for (const int nodes : {1, 4, 8}) {
        const auto add = [&](const char* name, void (*measure)(benchmark::State&)) {
            benchmark::RegisterBenchmark(name, measure)->Arg(nodes)->Iterations(1)->UseManualTime();
        };
        add("fleet_latency", measure_fleet);
        add("raw_latency", measure_raw);
        add("fleet_flood", measure_flood);
        add("raw_flood", measure_raw_flood);
        const std::string with = ", " + std::to_string(nodes) + (nodes == 1 ? " node" : " nodes");
        const std::string argument = "/" + std::to_string(nodes);
        findings.push_back({"due to body, p50 us" + with, "fleet_latency" + argument + ":p50_us"});
        findings.push_back({"due to row, by hand, p50 us" + with, "raw_latency" + argument + ":p50_us"});
        findings.push_back({"due to body, p99 us" + with, "fleet_latency" + argument + ":p99_us"});
        findings.push_back({"due to row, by hand, p99 us" + with, "raw_latency" + argument + ":p99_us"});
        findings.push_back({"claims a second" + with, "fleet_flood" + argument + ":claims_per_second"});
        findings.push_back(
            {"claims a second, row by row by hand" + with, "raw_flood" + argument + ":claims_per_second"});
    }
    return daybook_benchmark::run(argc, argv, findings);
}
