// SPDX-License-Identifier: MIT
#include "cluster.hpp"
#include "support/catch.hpp"

#include <string>

TEST_CASE("what a cluster has acknowledged is there when its primary is killed, twice") {
    if (!fleet::Cluster::Server::is_installed()) {
        WARN("there is no PostgreSQL server on this machine");
        return;
    }
    fleet::Cluster cluster{3};
    cluster.primary().run("CREATE TABLE word (text text)");
    for (int round = 1; round <= 2; ++round) {
        for (int row = 0; row < 5; ++row) { cluster.primary().run("INSERT INTO word VALUES ('kept')"); }
        const auto ports = cluster.ports();
        cluster.kill_primary();
        CHECK(cluster.primary().run("SELECT count(*) FROM word") == std::to_string(round * 5));
        CHECK(cluster.replace_lost().size() == 1);
        cluster.wait_for_followers(2);
        CHECK(cluster.ports() != ports);
    }
    cluster.primary().run("INSERT INTO word VALUES ('and on it goes')");
    CHECK(cluster.primary().run("SELECT count(*) FROM word") == "11");
}
