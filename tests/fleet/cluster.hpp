// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_CLUSTER_HPP
#define DAYBOOK_TESTS_FLEET_CLUSTER_HPP

/// @file
/// Servers of which one may be written to and the others follow it. What is acknowledged is on one of them at least.

#include "support/postgresql_server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fleet {

class Cluster {
public:
    using Server = daybook_test::PostgresqlServer;

    /// @param size  1: a server alone.
    explicit Cluster(std::size_t size) {
        places_.push_back(std::make_unique<Server>());
        if (size == 1) { return; }
        // Before the others are copied from it, so that they have it as well once they are promoted.
        Server& first = *places_.front();
        first.run("ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'");
        // A standby that is slow to follow the new primary finds what it needs, whatever checkpoints came between.
        first.run("ALTER SYSTEM SET wal_keep_size = '1GB'");
        first.run("SELECT pg_reload_conf()");
        while (places_.size() < size) { places_.push_back(first.standby()); }
        for (const auto& place : places_) {
            place->run("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'");
            place->run("SELECT pg_reload_conf()");
        }
        wait_for_followers(size - 1);
    }

    [[nodiscard]] Server& primary() { return *places_[primary_]; }
    [[nodiscard]] std::vector<int> ports() const {
        std::vector<int> ports;
        for (const auto& place : places_) { ports.push_back(place->port()); }
        return ports;
    }
    [[nodiscard]] std::size_t size() const { return places_.size(); }

    /// The primary is gone at once; the server that has most is promoted, and the others follow it.
    void kill_primary() {
        const std::size_t gone = primary_;
        places_[gone]->stop();
        // What is still on its way counts: a standby that had more than the promoted one could never follow it.
        for (std::size_t place = 0; place < places_.size(); ++place) {
            if (place != gone) { wait_for_end_of_stream(place); }
        }
        std::size_t best = gone;
        for (std::size_t place = 0; place < places_.size(); ++place) {
            if (place == gone) { continue; }
            if (best == gone || received(place) > received(best)) { best = place; }
        }
        places_[best]->promote();
        primary_ = best;
        for (std::size_t place = 0; place < places_.size(); ++place) {
            if (place == gone || place == best) { continue; }
            places_[place]->run("ALTER SYSTEM SET primary_conninfo = '" + primary().conninfo() + "'");
            places_[place]->run("SELECT pg_reload_conf()");
        }
        gone_.push_back(gone);
    }

    /// Puts a new server in the place of one that is gone.
    /// @returns The places that have another port now.
    std::vector<std::size_t> replace_lost() {
        const auto replaced = std::exchange(gone_, {});
        for (const std::size_t place : replaced) { places_[place] = primary().standby(); }
        return replaced;
    }

    /// Until then nothing is acknowledged.
    void wait_for_followers(std::size_t count) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (std::stoul(primary().run("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")) <
               count) {
            give_up_after(until, "no standby follows");
        }
    }

private:
    void wait_for_end_of_stream(std::size_t place) const {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (places_[place]->run("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") != "0") {
            give_up_after(until, "a standby does not see that its primary is gone");
        }
    }

    /// Sleeps for a moment, or throws with what the servers say.
    void give_up_after(std::chrono::steady_clock::time_point until, const std::string& what) const {
        if (std::chrono::steady_clock::now() > until) {
            std::string words = what;
            for (const auto& place : places_) {
                words += "\nport " + std::to_string(place->port()) + ":\n" + place->log();
            }
            throw std::runtime_error{words};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }

    /// Up to where a standby has the log of its primary.
    [[nodiscard]] unsigned long long received(std::size_t place) const {
        return std::stoull(places_[place]->run("SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn"));
    }

    std::vector<std::unique_ptr<Server>> places_ = {};
    std::size_t primary_ = 0;
    std::vector<std::size_t> gone_ = {};
};

} // namespace fleet

#endif
