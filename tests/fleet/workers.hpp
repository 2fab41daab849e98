// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_WORKERS_HPP
#define DAYBOOK_TESTS_FLEET_WORKERS_HPP

/// @file
/// The processes of the trial, each with its own way to the servers, and what may happen to them.

#include "journal.hpp"
#include "tcp_proxy.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fleet {

/// What a worker is started with.
struct WorkerSettings {
    std::string program = {};
    std::string folder = {}; ///< for journals and logs
    std::string schema = {};
    std::size_t jobs = 40;
    std::size_t threads = 16;
    std::chrono::milliseconds lease{2000};
};

/// One process that was started, and what has become of it.
struct Worker {
    std::size_t number = 0;
    pid_t process = -1;
    std::vector<int> links = {};                ///< one for each place of the cluster
    std::string journal = {};                   ///< its path
    std::optional<std::int64_t> killed_us = {}; ///< when we killed it
    std::optional<int> status = {};             ///< as waitpid says
    bool is_stopped = false;

    [[nodiscard]] bool is_alive() const { return !status.has_value(); }
};

/// All that were ever started.
class Workers {
public:
    Workers(WorkerSettings settings, TcpProxy& proxy) : settings_{std::move(settings)}, proxy_{proxy} {}
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers() {
        for (Worker& worker : all_) {
            if (worker.is_alive()) { kill(worker); }
        }
    }

    /// @param targets  The ports of the servers.
    Worker& start(const std::vector<int>& targets) {
        Worker worker{.number = all_.size()};
        std::string hosts;
        std::string ports;
        for (const int target : targets) {
            worker.links.push_back(proxy_.add_link(target));
            hosts += (hosts.empty() ? "127.0.0.1" : ",127.0.0.1");
            ports += (ports.empty() ? "" : ",") + std::to_string(worker.links.back());
        }
        const std::string number = std::to_string(worker.number);
        worker.journal = settings_.folder + "/journal." + number;
        std::vector<std::string> words{settings_.program,
                                       "--conninfo",
                                       "host=" + hosts + " port=" + ports +
                                           " user=test dbname=postgres target_session_attrs=read-write",
                                       "--schema",
                                       settings_.schema,
                                       "--journal",
                                       worker.journal,
                                       "--name",
                                       "worker" + number,
                                       "--jobs",
                                       std::to_string(settings_.jobs),
                                       "--threads",
                                       std::to_string(settings_.threads),
                                       "--lease-ms",
                                       std::to_string(settings_.lease.count())};
        std::vector<char*> arguments;
        for (std::string& word : words) { arguments.push_back(word.data()); }
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (settings_.folder + "/log." + number).c_str(),
                                           O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
        const int error =
            ::posix_spawn(&worker.process, settings_.program.c_str(), &actions, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        if (error != 0) { throw std::runtime_error{"cannot start " + settings_.program}; }
        all_.push_back(std::move(worker));
        return all_.back();
    }

    void kill(Worker& worker) {
        ::kill(worker.process, SIGKILL);
        int status = 0;
        while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {}
        worker.status = status;
        worker.killed_us = monotonic_us(); // nothing of it runs any more
        worker.is_stopped = false;
    }
    void stop(Worker& worker) {
        ::kill(worker.process, SIGSTOP);
        worker.is_stopped = true;
    }
    void go_on(Worker& worker) {
        ::kill(worker.process, SIGCONT);
        worker.is_stopped = false;
    }
    void set_state(const Worker& worker, LinkState state) {
        for (const int link : worker.links) { proxy_.set_state(link, state); }
    }
    void set_delay(const Worker& worker, std::chrono::milliseconds delay) {
        for (const int link : worker.links) { proxy_.set_delay(link, delay); }
    }
    /// A server has another port now.
    void set_target(std::size_t place, int port) {
        for (const Worker& worker : all_) { proxy_.set_target(worker.links.at(place), port); }
    }

    void ask_to_end() {
        for (Worker& worker : all_) {
            if (worker.is_alive()) { ::kill(worker.process, SIGTERM); }
        }
    }
    /// @returns Whether they all have ended by then.
    [[nodiscard]] bool wait_for_ends(std::chrono::seconds patience) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (true) {
            collect();
            if (living().empty()) { return true; }
            if (std::chrono::steady_clock::now() >= until) { return false; }
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    }
    /// Notes those that have ended by themselves.
    void collect() {
        for (Worker& worker : all_) {
            int status = 0;
            if (worker.is_alive() && ::waitpid(worker.process, &status, WNOHANG) == worker.process) {
                worker.status = status;
            }
        }
    }

    /// What it has said.
    [[nodiscard]] std::string log_of(const Worker& worker) const {
        std::ifstream file{settings_.folder + "/log." + std::to_string(worker.number)};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    [[nodiscard]] std::vector<std::size_t> living() const {
        std::vector<std::size_t> numbers;
        for (const Worker& worker : all_) {
            if (worker.is_alive()) { numbers.push_back(worker.number); }
        }
        return numbers;
    }
    [[nodiscard]] Worker& operator[](std::size_t number) { return all_.at(number); }
    [[nodiscard]] const std::vector<Worker>& all() const { return all_; }

private:
    WorkerSettings settings_;
    TcpProxy& proxy_;
    std::vector<Worker> all_ = {};
};

} // namespace fleet

#endif
