// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_TRIAL_HPP
#define DAYBOOK_TESTS_FLEET_TRIAL_HPP

/// @file
/// A fleet at work, and what is done to it.

#include "cluster.hpp"
#include "judge.hpp"
#include "tcp_proxy.hpp"
#include "workers.hpp"

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fleet {

struct TrialSettings {
    std::string program = {};
    std::uint64_t seed = 0;
    std::size_t workers = 4;
    std::size_t jobs = 40;
    std::size_t servers = 1;
    std::chrono::milliseconds lease{2000};
};

/// A folder for a time; it stays when DAYBOOK_FLEET_KEEP is set.
class Folder {
public:
    Folder() : path_{(std::filesystem::temp_directory_path() / "daybook_fleet_XXXXXX").string()} {
        if (::mkdtemp(path_.data()) == nullptr) { throw std::runtime_error{"mkdtemp failed for " + path_}; }
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code error;
        if (std::getenv("DAYBOOK_FLEET_KEEP") == nullptr) { std::filesystem::remove_all(path_, error); }
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

class Trial {
public:
    using Duration = std::chrono::milliseconds;

    explicit Trial(const TrialSettings& settings)
        : settings_{settings},
          random_{settings.seed},
          cluster_{settings.servers},
          schema_{cluster_.primary().new_schema()},
          workers_{{.program = settings.program,
                    .folder = folder_.path(),
                    .schema = schema_,
                    .jobs = settings.jobs,
                    .lease = settings.lease},
                   proxy_} {
        tell("folder " + folder_.path() + ", seed " + std::to_string(settings.seed));
        for (std::size_t number = 0; number < settings.workers; ++number) { workers_.start(cluster_.ports()); }
        wait_for("all workers are seated", [&] { return seats() == settings_.workers; });
    }

    /// Everything goes well for a while.
    void pass(Duration time) {
        const auto until = Clock::now() + time;
        while (Clock::now() < until) {
            mend_what_is_due();
            std::this_thread::sleep_for(Duration{20});
        }
    }

    // What may happen. Each says what, and what is to be mended later.

    /// One is killed, and another one is started in its place.
    void kill_one() {
        Worker* const worker = pick();
        if (worker == nullptr) { return; }
        note("killed", *worker);
        workers_.kill(*worker);
        untouchable_.erase(worker->number);
        workers_.start(cluster_.ports());
    }
    /// One does nothing for longer than its lease, and then goes on as if nothing had happened.
    void stop_one() {
        Worker* const worker = pick();
        if (worker == nullptr) { return; }
        note("stopped", *worker);
        workers_.stop(*worker);
        mend_later(*worker, between(settings_.lease * 3 / 2, settings_.lease * 3),
                   [this](Worker& one) { workers_.go_on(one); });
    }
    /// One cannot reach the database; it is told so, or it is not.
    void cut_off_one(LinkState state) {
        Worker* const worker = pick();
        if (worker == nullptr) { return; }
        note(state == LinkState::cut ? "cut off" : "frozen out", *worker);
        workers_.set_state(*worker, state);
        mend_later(*worker, between(settings_.lease / 4, settings_.lease * 3),
                   [this](Worker& one) { workers_.set_state(one, LinkState::open); });
    }
    /// One has a slow line.
    void slow_down_one() {
        Worker* const worker = pick();
        if (worker == nullptr) { return; }
        note("slowed down", *worker);
        workers_.set_delay(*worker, between(Duration{2}, Duration{60}));
        mend_later(*worker, between(settings_.lease, settings_.lease * 4),
                   [this](Worker& one) { workers_.set_delay(one, Duration{0}); });
    }
    /// The server that is written to is gone, and one that followed it takes its place.
    void fail_over() {
        if (cluster_.size() == 1) { return; }
        tell("primary killed");
        ++faults_["primary killed"];
        cluster_.kill_primary();
        cluster_.wait_for_followers(1);
        for (const std::size_t place : cluster_.replace_lost()) {
            workers_.set_target(place, cluster_.ports().at(place));
        }
        tell("standby promoted, another one follows");
    }

    /// Any of these.
    void do_something() {
        switch (random_() % 8) {
        case 0:
        case 1: kill_one(); break;
        case 2:
        case 3: stop_one(); break;
        case 4:
        case 5: cut_off_one(LinkState::cut); break;
        case 6: cut_off_one(LinkState::frozen); break;
        default: slow_down_one();
        }
    }

    /// Mends what is broken, lets the workers end, and judges.
    [[nodiscard]] Verdict end() {
        while (!repairs_.empty()) { pass(Duration{50}); }
        wait_for("all seats are of workers that live", [&] {
            workers_.collect();
            return seats() == workers_.living().size();
        });
        pass(settings_.lease);
        tell("asked to end");
        workers_.ask_to_end();
        const bool have_ended = workers_.wait_for_ends(std::chrono::seconds{120});
        tell("ended");
        if (!have_ended) {
            for (const std::size_t number : workers_.living()) { workers_.kill(workers_[number]); }
        }
        keep("job_execution", "id");
        keep("job", "id");
        keep("job_statistics", "node, scope, name, period");
        Verdict verdict = Judge{cluster_.primary(), schema_, workers_.all()}.verdict();
        if (!have_ended) { verdict.problems["workers end when they are asked to"].push_back("they did not"); }
        for (const auto& [name, count] : faults_) { verdict.figures["fault: " + name] = count; }
        return verdict;
    }

private:
    using Clock = std::chrono::steady_clock;

    struct Repair {
        Clock::time_point due = {};
        std::size_t worker = 0;
        std::function<void(Worker&)> mend = {};
    };

    static void tell(std::string_view what) {
        std::printf("%.6f %.*s\n", static_cast<double>(monotonic_us()) / 1e6, static_cast<int>(what.size()),
                    what.data());
        std::fflush(stdout);
    }
    void note(const std::string& what, const Worker& worker) {
        tell("worker" + std::to_string(worker.number) + " " + what);
        ++faults_[what];
    }

    /// For whoever wants to know more than the judge says.
    void keep(const std::string& table, const std::string& order) {
        if (std::getenv("DAYBOOK_FLEET_KEEP") == nullptr) { return; }
        const std::string from = schema_ + "." + table + " ORDER BY " + order;
        std::ofstream{folder_.path() + "/" + table + ".csv"}
            << cluster_.primary().run("COPY (SELECT * FROM " + from + ") TO STDOUT (FORMAT csv, HEADER)");
    }

    [[nodiscard]] Duration between(Duration least, Duration most) {
        return Duration{least.count() + static_cast<std::int64_t>(
                                            random_() % static_cast<std::uint64_t>(most.count() - least.count() + 1))};
    }

    /// One that nothing has happened to; none when half of them are in trouble.
    [[nodiscard]] Worker* pick() {
        workers_.collect();
        std::vector<std::size_t> sound;
        for (const std::size_t number : workers_.living()) {
            if (!untouchable_.contains(number)) { sound.push_back(number); }
        }
        if (sound.size() <= settings_.workers / 2) { return nullptr; }
        return &workers_[sound[random_() % sound.size()]];
    }

    void mend_later(const Worker& worker, Duration after, std::function<void(Worker&)> mend) {
        untouchable_[worker.number] = true;
        repairs_.push_back({Clock::now() + after, worker.number, std::move(mend)});
    }
    void mend_what_is_due() {
        std::erase_if(repairs_, [&](const Repair& repair) {
            if (Clock::now() < repair.due) { return false; }
            repair.mend(workers_[repair.worker]);
            untouchable_.erase(repair.worker);
            tell("worker" + std::to_string(repair.worker) + " mended");
            return true;
        });
    }

    [[nodiscard]] std::size_t seats() const {
        try {
            return std::stoul(cluster_.primary().run("SELECT count(*) FROM " + schema_ + ".node"));
        } catch (const std::runtime_error&) { return 0; } // there are no tables yet
    }

    template <class Condition>
    void wait_for(const std::string& what, const Condition& is_true) {
        const auto until = Clock::now() + std::chrono::seconds{120};
        while (!is_true()) {
            workers_.collect();
            for (const Worker& worker : workers_.all()) {
                if (!worker.is_alive() && !worker.killed_us) {
                    throw std::runtime_error{"worker" + std::to_string(worker.number) + " has ended, it said:\n" +
                                             workers_.log_of(worker)};
                }
            }
            if (Clock::now() > until) { throw std::runtime_error{"waited in vain: " + what}; }
            pass(Duration{100});
        }
        tell(what);
    }

    TrialSettings settings_;
    std::mt19937_64 random_;
    Folder folder_ = {};
    mutable Cluster cluster_;
    std::string schema_;
    TcpProxy proxy_ = {};
    Workers workers_;
    std::map<std::size_t, bool> untouchable_ = {}; ///< in trouble already
    std::vector<Repair> repairs_ = {};
    std::map<std::string, std::uint64_t> faults_ = {};
};

} // namespace fleet

#endif
