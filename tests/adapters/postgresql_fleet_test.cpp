// SPDX-License-Identifier: MIT
// What several processes do with one PostgreSQL; what all stores of fleets have to do is tested by their contract.
#include "postgresql_place.hpp"
#include "support/catch.hpp"
#include "support/postgresql_server.hpp"

#include <daybook/adapters/postgresql.hpp>
#include <daybook/log/any_store.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace postgresql_fleet_test {
namespace {

using namespace std::chrono_literals;
using daybook::Claim;
using daybook::ExecutionId;
using daybook::FleetSeat;
using daybook::JobLock;
using daybook::JobStanding;
using daybook::JobStatus;
using daybook::LockWait;
using daybook::PostgresqlOptions;
using daybook::PostgresqlStore;
using daybook::StoredExecution;
using daybook::StoreError;
using daybook::StoreFailure;
using daybook_test::has_server;
using daybook_test::new_options;
using daybook_test::PostgresqlServer;
using daybook_test::soon;
using daybook_test::within;

static_assert(daybook::fleet_store<PostgresqlStore>);

using Clock = std::chrono::steady_clock;

/// What a call complains of, if it does.
struct Complaint {
    std::optional<StoreFailure> failure;
    std::string words;
};

template <class Call>
[[nodiscard]] Complaint complaint_of(Call call) {
    try {
        call();
    } catch (const StoreError& error) { return {error.failure(), error.what()}; }
    return {};
}

[[nodiscard]] bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr daybook::sys_time noon{std::chrono::hours{24 * 365 * 50}};

/// A store that has its seat, and loses neither that nor what it has locked unless a test says so: a test's own
/// questions to the server may take seconds where the machine is busy.
struct Member {
    explicit Member(const PostgresqlOptions& options, std::string name = "node", daybook::FleetOpening opening = {})
        : store{options} {
        opening.name = std::move(name);
        if (opening.lease == daybook::FleetOpening{}.lease) { opening.lease = 1h; }
        if (opening.max_idle == daybook::FleetOpening{}.max_idle) { opening.max_idle = 1h; }
        seat = store.join(opening, soon());
        next = seat.first_id;
    }

    [[nodiscard]] StoredExecution execution(JobStatus status, ExecutionId id) const {
        StoredExecution row;
        row.id = id;
        row.occurrence_id = id;
        row.job_id = "job";
        row.handler_id = "handler";
        row.node = seat.node;
        row.queued_at = noon;
        row.started_at = noon;
        row.status = status;
        row.is_final = status == JobStatus::success;
        row.position = static_cast<std::int64_t>(id);
        return row;
    }
    void write(const StoredExecution& row) { store.write({.executions = {&row, 1}}, soon()); }

    [[nodiscard]] daybook::LockedJobs lock(const std::vector<JobLock>& jobs, LockWait wait = LockWait::no) {
        return store.lock(jobs, wait, soon());
    }

    /// Claims an occurrence of a job.
    ExecutionId claim(const std::string& job, const std::string& group = "", bool is_waiting = false) {
        auto locked = lock({{job, group}});
        REQUIRE(locked.jobs.size() == 1);
        Claim claim;
        claim.id = next++;
        claim.job_id = job;
        claim.handler_id = "handler";
        claim.group = group;
        claim.is_waiting = is_waiting;
        claim.scheduled_at = noon;
        claim.claimed_at = noon;
        locked.jobs[0].accounted_to = noon;
        store.commit({.claims = {&claim, 1}, .standings = locked.jobs}, soon());
        return claim.id;
    }
    void release(ExecutionId id) { store.write({.released = {&id, 1}}, soon()); }

    /// Awaits until the news are as wanted; false: they never were.
    template <class Is>
    [[nodiscard]] bool hears(Is is) {
        for (const auto until = soon(); Clock::now() < until;) {
            if (is(store.await(until))) { return true; }
        }
        return false;
    }

    PostgresqlStore store;
    FleetSeat seat;
    ExecutionId next = 0;
};

/// A schema with what one asks it by SQL.
struct Place {
    Place() : options{new_options(server)} {}

    [[nodiscard]] std::string ask(const std::string& sql) const {
        return server.run("SET search_path = " + options.schema + "; " + sql);
    }
    void save(Member& member, const std::string& id, const std::string& schedule = "every 1 s") const {
        member.store.save({.id = id, .schedule = schedule, .created_at = noon, .updated_at = noon}, soon());
    }
    /// As when it was not renewed for so long.
    void end_lease(const Member& member) const {
        (void)ask("UPDATE node SET expires_at = now() - interval '1 s' WHERE node = '" + member.seat.node + "'");
    }

    PostgresqlServer& server = PostgresqlServer::shared();
    PostgresqlOptions options;
};

TEST_CASE("each process that joins has a seat of its own, and ids that nobody else has") {
    if (!has_server()) { return; }
    const Place place;
    std::vector<FleetSeat> seats(6);
    std::vector<std::thread> threads;
    std::atomic<std::size_t> joined = 0;
    for (auto& seat : seats) {
        threads.emplace_back([&] {
            // At once, in a database without tables.
            Member member{place.options};
            seat = member.seat;
            for (++joined; joined < 6;) { std::this_thread::yield(); }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    std::sort(seats.begin(), seats.end(),
              [](const FleetSeat& one, const FleetSeat& other) { return one.first_id < other.first_id; });
    std::set<std::string> nodes;
    for (std::size_t index = 0; index < seats.size(); ++index) {
        CHECK(seats[index].node.substr(0, 5) == "node#");
        nodes.insert(seats[index].node);
        CHECK(seats[index].id_count == std::uint64_t{1} << 24U);
        CHECK(seats[index].first_id + seats[index].id_count < std::uint64_t{1} << 53U);
        if (index > 0) { CHECK(seats[index].first_id >= seats[index - 1].first_id + seats[index - 1].id_count); }
    }
    CHECK(nodes.size() == 6);
    CHECK(place.ask("SELECT count(*) FROM node WHERE expires_at > now() + interval '50 min'") == "6");
    CHECK(place.ask("SELECT version FROM daybook_schema") == "2");
}

TEST_CASE("ids of a seat are larger than all that are there") {
    if (!has_server()) { return; }
    const Place place;
    Member first{place.options};
    first.write(first.execution(JobStatus::success, first.seat.first_id + (ExecutionId{1} << 45U)));
    const Member second{place.options};
    CHECK(second.seat.first_id > first.seat.first_id + (ExecutionId{1} << 45U));
    const auto more = first.store.reserve_ids(soon());
    CHECK(more.first_id >= second.seat.first_id + second.seat.id_count);
}

TEST_CASE("what a process locks no other gets until it is done with it") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    for (const char* id : {"c", "a", "b"}) { place.save(one, id); }
    const auto locked = one.lock({{"c", ""}, {"a", ""}, {"none", ""}, {"a", ""}});
    REQUIRE(locked.jobs.size() == 2);
    CHECK(locked.jobs[0].job_id == "a");
    CHECK(locked.jobs[1].job_id == "c");
    CHECK(locked.jobs[0].schedule == "every 1 s");
    CHECK(locked.jobs[0].updated_at == noon);
    CHECK_FALSE(locked.jobs[0].accounted_to);
    CHECK(locked.unknown == std::vector<std::string>{"none"});
    const auto rest = other.lock({{"a", ""}, {"b", ""}, {"c", ""}});
    REQUIRE(rest.jobs.size() == 1);
    CHECK(rest.jobs[0].job_id == "b");
    one.store.unlock();
    CHECK(other.lock({{"a", ""}, {"b", ""}, {"c", ""}}).jobs.size() == 3);
    CHECK(one.lock({{"b", ""}}).jobs.empty());
    // Another call unlocks them too.
    CHECK(other.store.beat(soon()).is_seated);
    CHECK(one.lock({{"b", ""}}).jobs.size() == 1);
}

TEST_CASE("what is committed is what the next one sees: how far a job is, and what is in progress") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    place.save(one, "job");
    auto locked = one.lock({{"job", "group"}});
    REQUIRE(locked.jobs.size() == 1);
    locked.jobs[0].accounted_to = noon + 1s;
    locked.jobs[0].left = 7;
    locked.jobs[0].updated_at = noon + 2s;
    std::vector<Claim> claims(2);
    claims[0] = {.id = one.next++,
                 .job_id = "job",
                 .scheduled_at = noon,
                 .parameters = "{}",
                 .group = "group",
                 .claimed_at = noon};
    claims[1] = {.id = one.next++,
                 .kind = Claim::Kind::skip,
                 .job_id = "job",
                 .group = "group",
                 .reason = daybook::SkipReason::misfire,
                 .skip_count = 3,
                 .claimed_at = noon};
    one.store.commit({.claims = claims, .standings = locked.jobs}, soon());

    const auto seen = other.lock({{"job", "group"}});
    REQUIRE(seen.jobs.size() == 1);
    CHECK(seen.jobs[0].accounted_to == noon + 1s);
    CHECK(seen.jobs[0].left == 7U);
    CHECK(seen.jobs[0].updated_at == noon + 2s);
    CHECK(seen.jobs[0].in_progress == 1);
    CHECK(seen.jobs[0].elsewhere == 1);
    CHECK(seen.jobs[0].in_group == 1);
    CHECK(seen.jobs[0].own.empty());
    other.store.unlock();
    const auto mine = one.lock({{"job", ""}});
    CHECK(mine.jobs.at(0).own == std::vector<ExecutionId>{claims[0].id, claims[1].id});
    CHECK(mine.jobs.at(0).elsewhere == 0);
    one.store.unlock();
    CHECK(place.ask("SELECT kind, reason, skip_count, node FROM job_claim ORDER BY seq") ==
          "run|none|0|" + one.seat.node + "\nskip|misfire|3|" + one.seat.node);

    one.release(claims[0].id);
    CHECK(other.lock({{"job", "group"}}).jobs.at(0).in_progress == 0);
}

TEST_CASE("a group is locked as a whole, and its claims are counted over all jobs") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    for (const char* id : {"a", "b", "c"}) { place.save(one, id); }
    (void)one.claim("a", "heavy");
    (void)other.claim("b", "heavy");
    auto locked = one.lock({{"a", "heavy"}});
    REQUIRE(locked.jobs.size() == 1);
    CHECK(locked.jobs[0].in_group == 2);
    const auto rest = other.lock({{"b", "heavy"}, {"c", "light"}});
    REQUIRE(rest.jobs.size() == 1);
    CHECK(rest.jobs[0].job_id == "c");
    CHECK(rest.jobs[0].in_group == 0);
    CHECK(complaint_of([&] { one.store.commit({.standings = rest.jobs}, soon()); }).failure == StoreFailure::refused);
    CHECK(other.lock({{"b", "heavy"}}).jobs.size() == 1); // it is free again
}

TEST_CASE("who waits for a lock gets it as soon as it is free, or is told in time that it is not") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    place.save(one, "job");
    REQUIRE(one.lock({{"job", "group"}}).jobs.size() == 1);
    const auto begin = Clock::now();
    CHECK(complaint_of([&] {
              (void)other.store.lock(std::vector<JobLock>{{"job", ""}}, LockWait::yes, within(300ms));
          }).failure == StoreFailure::busy);
    CHECK(Clock::now() - begin < 10s);
    for (const char* group : {"", "group"}) {
        REQUIRE(one.lock({{"job", "group"}}).jobs.size() == 1);
        std::thread waiting{[&] {
            const auto got = other.store.lock(std::vector<JobLock>{{"job", group}}, LockWait::yes, soon());
            CHECK(got.jobs.size() == 1);
            CHECK(got.jobs.at(0).accounted_to == noon); // what was written before
            other.store.unlock();
        }};
        while (place.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0") {}
        JobStanding standing{.job_id = "job", .accounted_to = noon, .updated_at = noon};
        one.store.commit({.standings = {&standing, 1}}, soon());
        waiting.join();
    }
}

TEST_CASE("several processes that claim the same jobs in any order never claim one twice") {
    if (!has_server()) { return; }
    const Place place;
    constexpr int jobs = 20;
    constexpr int rounds = 10;
    {
        Member first{place.options};
        for (int job = 0; job < jobs; ++job) { place.save(first, "job " + std::to_string(job)); }
    }
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&, number] {
            Member member{place.options};
            std::vector<JobLock> locks;
            for (int job = 0; job < jobs; ++job) {
                locks.push_back({"job " + std::to_string((job * 7 + number * 3) % jobs),
                                 job % 3 == 0 ? "group " + std::to_string(job % 2) : ""});
            }
            for (bool is_over = false; !is_over;) {
                // Each occurrence is a microsecond of the accounted time.
                auto locked = member.lock(locks, number == 0 ? LockWait::yes : LockWait::no);
                is_over = locked.jobs.size() == jobs;
                std::vector<Claim> claims;
                for (JobStanding& job : locked.jobs) {
                    const auto at = job.accounted_to.value_or(noon) + 1us;
                    if (at > noon + rounds * 1us) { continue; }
                    is_over = false;
                    job.accounted_to = at;
                    claims.push_back({.id = member.next++, .job_id = job.job_id, .scheduled_at = at});
                }
                member.store.commit({.claims = claims, .standings = locked.jobs}, soon());
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(place.ask("SELECT count(*), count(DISTINCT (job_id, scheduled_at)) FROM job_claim") ==
          std::to_string(jobs * rounds) + "|" + std::to_string(jobs * rounds));
}

TEST_CASE("who stops with jobs locked loses them, and writes nothing") {
    if (!has_server()) { return; }
    const Place place;
    Member stopped{place.options, "stopped", {.max_idle = 100ms}};
    Member other{place.options};
    place.save(other, "job");
    auto locked = stopped.lock({{"job", ""}});
    REQUIRE(locked.jobs.size() == 1);
    CHECK(other.lock({{"job", ""}}, LockWait::yes).jobs.size() == 1);
    other.store.unlock();
    locked.jobs[0].accounted_to = noon;
    const Claim claim{.id = stopped.next, .job_id = "job"};
    const auto complaint = complaint_of([&] {
        stopped.store.commit({.claims = {&claim, 1}, .standings = locked.jobs}, soon());
    });
    INFO(complaint.words);
    CHECK(complaint.failure == StoreFailure::busy);
    CHECK(place.ask("SELECT count(*) FROM job_claim") == "0");
    CHECK(place.ask("SELECT accounted_to IS NULL FROM job") == "t");
    CHECK(stopped.store.beat(soon()).is_seated);                                                  // the seat is kept
    CHECK(complaint_of([&] { stopped.store.commit({}, soon()); }).failure == StoreFailure::busy); // nothing is locked
}

TEST_CASE("a lease that has ended is renewed as long as nobody has taken over") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    place.end_lease(one);
    CHECK(one.store.take_over(soon()).empty()); // not from oneself
    one.write(one.execution(JobStatus::running, one.next));
    const auto beat = one.store.beat(soon());
    CHECK(beat.is_seated);
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    CHECK(std::chrono::abs(now - beat.now) < 10s);
    Member other{place.options};
    CHECK(other.store.take_over(soon()).empty());
    CHECK(place.ask("SELECT count(*) FROM node WHERE expires_at > now()") == "2");
}

TEST_CASE("what a process leaves whose lease has ended is taken over once, by one") {
    if (!has_server()) { return; }
    const Place place;
    Member dead{place.options, "dead"};
    Member one{place.options};
    Member other{place.options};
    for (const char* id : {"running", "retried", "unwritten"}) { place.save(one, id); }
    // One that runs, one whose first attempt failed, one of which nothing is written, one that nobody has claimed.
    const ExecutionId running = dead.claim("running");
    const ExecutionId retried = dead.claim("retried");
    const ExecutionId unwritten = dead.claim("unwritten");
    dead.write(dead.execution(JobStatus::running, running));
    auto failed = dead.execution(JobStatus::error, retried);
    dead.write(failed);
    const ExecutionId manual = dead.next++;
    dead.write(dead.execution(JobStatus::queued, manual));
    CHECK(one.store.unfinished(soon()).empty()); // those are somebody's
    CHECK(one.store.take_over(soon()).empty());

    place.end_lease(dead);
    std::vector<std::vector<daybook::TakenOver>> taken(2);
    std::thread thread{[&] { taken[0] = other.store.take_over(soon()); }};
    taken[1] = one.store.take_over(soon());
    thread.join();
    Member& taker = taken[0].empty() ? one : other;
    const auto& all = taken[0].empty() ? taken[1] : taken[0];
    CHECK(taken[0].size() + taken[1].size() == 4);
    REQUIRE(all.size() == 4);
    for (const auto& found : all) { CHECK(found.node == dead.seat.node); }
    CHECK(all[0].claim.value().id == running);
    CHECK(all[0].claim.value().job_id == "running");
    CHECK(all[0].claim.value().scheduled_at == noon);
    CHECK(all[0].claim.value().claimed_at == noon);
    CHECK(all[0].was_open);
    CHECK(all[0].last.value().status == JobStatus::abandoned);
    CHECK_FALSE(all[0].last.value().is_final);
    CHECK(all[0].last.value().completed_at.has_value());
    CHECK(all[1].claim.value().id == retried);
    CHECK(all[1].last.value().status == JobStatus::error);
    CHECK_FALSE(all[1].was_open);
    CHECK(all[2].claim.value().id == unwritten);
    CHECK_FALSE(all[2].last.has_value());
    CHECK_FALSE(all[3].claim.has_value());
    CHECK(all[3].last.value().id == manual);
    CHECK(all[3].was_open);

    CHECK(place.ask("SELECT id, status, is_final, node FROM job_execution WHERE id <> " + std::to_string(retried) +
                    " ORDER BY id") == std::to_string(running) + "|abandoned|f|" + dead.seat.node + "\n" +
                                           std::to_string(manual) + "|abandoned|f|" + dead.seat.node);
    CHECK(place.ask("SELECT DISTINCT node FROM job_claim") == taker.seat.node);
    CHECK(place.ask("SELECT count(*) FROM node WHERE node = '" + dead.seat.node + "'") == "0");
    CHECK(taker.store.take_over(soon()).empty());
    CHECK(taker.store.retained(soon()) == 3);
    CHECK(place.ask("SELECT sum(retained) FROM node") == "3");
    // Who took over may say that it was the last attempt.
    auto ended = *all[0].last;
    ended.is_final = true;
    taker.write(ended);
    CHECK(taker.store.find(running, soon()).value().is_final);
}

TEST_CASE("who was taken over writes nothing any more: no record, no claim, no release") {
    if (!has_server()) { return; }
    const Place place;
    Member late{place.options, "late"};
    Member other{place.options};
    place.save(other, "job");
    const ExecutionId id = late.claim("job");
    late.write(late.execution(JobStatus::running, id));
    auto locked = late.lock({{"job", ""}});
    REQUIRE(locked.jobs.size() == 1);
    place.end_lease(late);
    REQUIRE(other.store.take_over(soon()).size() == 1);

    locked.jobs[0].accounted_to = noon + 5s;
    const Claim claim{.id = late.next, .job_id = "job"};
    const auto commit = complaint_of([&] {
        late.store.commit({.claims = {&claim, 1}, .standings = locked.jobs}, soon());
    });
    CHECK(commit.failure == StoreFailure::unseated);
    CHECK(has(commit.words, "taken over"));
    const auto unseated = [](auto call) { return complaint_of(call).failure == StoreFailure::unseated; };
    CHECK(unseated([&] { late.write(late.execution(JobStatus::success, id)); }));
    CHECK(unseated([&] { late.release(id); }));
    CHECK(unseated([&] { (void)late.store.take_over(soon()); }));
    CHECK(unseated([&] { late.store.commit({}, soon()); }));
    CHECK_FALSE(late.store.beat(soon()).is_seated);
    CHECK(place.ask("SELECT status FROM job_execution") == "abandoned");
    CHECK(place.ask("SELECT id, node FROM job_claim") == std::to_string(id) + "|" + other.seat.node);
    CHECK(place.ask("SELECT accounted_to = '"
                    "2019-12-20 00:00:00+00"
                    "' FROM job") == "t");

    // Under a new name it is one of them again, but what it ran before stays as it is, written or not.
    const auto seat = late.store.join({.name = "late", .lease = 1h}, soon());
    CHECK(seat.node != late.seat.node);
    CHECK(late.store.beat(soon()).is_seated);
    CHECK(unseated([&] { late.write(late.execution(JobStatus::success, id)); }));
    CHECK(unseated([&] { late.write(late.execution(JobStatus::success, id + 7)); }));
    late.write(late.execution(JobStatus::abandoned, id + 7));
    late.seat = seat;
    late.write(late.execution(JobStatus::success, seat.first_id));
    CHECK(place.ask("SELECT string_agg(status, ' ' ORDER BY id) FROM job_execution") == "abandoned abandoned success");
}

TEST_CASE("a process that hangs in the midst of a write is ended by who wants to take over") {
    if (!has_server()) { return; }
    const Place place;
    Member hung{place.options, "hung"};
    Member other{place.options, "other", {.lease = 1ms}};
    // As its own connection would be, had its machine stopped between two packets.
    daybook::PostgresqlConnection connection{place.options.conninfo, "hung", 3s};
    connection.open(soon());
    daybook::PostgresqlSchema schema{place.options.schema, ""};
    const daybook::PostgresqlFleetSchema sql{schema};
    daybook::PostgresqlParameters seat;
    seat.add(std::string_view{hung.seat.node}).add(schema.lock_key());
    const daybook::PostgresqlStep steps[] = {{"BEGIN"}, {sql.fence, &seat}};
    (void)connection.run(steps, soon());
    place.end_lease(hung);
    for (const auto until = soon(); place.ask("SELECT count(*) FROM node") == "2";) {
        REQUIRE(Clock::now() < until);
        CHECK(other.store.take_over(soon()).empty());
    }
    CHECK(complaint_of([&] { hung.write(hung.execution(JobStatus::success, hung.next)); }).failure ==
          StoreFailure::unseated);
}

TEST_CASE("jobs that are saved or erased are told to the others, and not to oneself") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    CHECK(other.hears([](const auto& news) { return news.is_all; }));
    CHECK(one.hears([](const auto& news) { return news.is_all; }));
    const std::string odd = "\xC3\xBC 'x' \"y\" \\";
    place.save(one, odd);
    place.save(one, "job");
    std::set<std::string> heard;
    CHECK(other.hears([&](const auto& news) {
        CHECK_FALSE(news.is_all);
        heard.insert(news.jobs.begin(), news.jobs.end());
        return heard.size() == 2;
    }));
    CHECK(heard == std::set<std::string>{odd, "job"});
    REQUIRE(one.store.erase("job", soon()));
    CHECK(other.hears([](const auto& news) { return news.jobs == std::vector<std::string>{"job"}; }));
    place.save(one, std::string(9000, 'x')); // too long to be told
    CHECK(other.hears([](const auto& news) { return news.is_all && news.jobs.empty(); }));
    // Whoever changes jobs by hand can tell it as well: the one who has said all of this has heard nothing until now.
    (void)place.ask("SELECT pg_notify('" + daybook::PostgresqlFleetSchema{{place.options.schema, ""}}.channel +
                    "', 'by hand')");
    CHECK(one.hears([](const auto& news) {
        CHECK_FALSE(news.is_all);
        CHECK(news.jobs == std::vector<std::string>{"by hand"});
        return true;
    }));
}

TEST_CASE("a wake ends the await that is under way, or the next one, once") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    CHECK(one.store.await(soon()).is_all);
    one.store.wake();
    const auto begin = Clock::now();
    CHECK_FALSE(one.store.await(within(1h)).is_all);
    std::thread thread{[&] { one.store.wake(); }};
    (void)one.store.await(within(1h));
    thread.join();
    CHECK(Clock::now() - begin < 20s);
    const auto until = within(50ms);
    (void)one.store.await(until);
    CHECK(Clock::now() >= until);
}

TEST_CASE("a claim that waits is free once those before it are over, and its process is told") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    place.save(one, "job");
    const ExecutionId first = one.claim("job");
    const ExecutionId second = one.claim("job", "", true);
    const ExecutionId third = other.claim("job", "", true);
    (void)other.store.await(soon());
    (void)other.store.await(within(1ms)); // its own claim waits: it is to look at once, and has
    CHECK(other.store.look(soon()).free.empty());
    CHECK(one.store.look(soon()).free.empty());
    one.release(first);
    CHECK(other.hears([](const auto& news) { return news.has_claims; }));
    CHECK(one.store.look(soon()).free == std::vector<ExecutionId>{second});
    CHECK(other.store.look(soon()).free.empty());
    one.release(second);
    CHECK(other.hears([](const auto& news) { return news.has_claims; }));
    CHECK(other.store.look(soon()).free == std::vector<ExecutionId>{third});
}

TEST_CASE("claims that somebody wants to end are told to their process, those that come with it are not meant") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    place.save(one, "job");
    const ExecutionId first = one.claim("job");
    (void)one.store.await(soon());
    REQUIRE(other.lock({{"job", ""}}).jobs.size() == 1);
    const std::string job = "job";
    const Claim claim{.id = other.next++, .job_id = "job"};
    other.store.commit({.claims = {&claim, 1}, .cancelled = {&job, 1}}, soon());
    CHECK(one.hears([](const auto& news) { return news.has_claims; }));
    CHECK(one.store.look(soon()).cancelled == std::vector<ExecutionId>{first});
    CHECK(other.store.look(soon()).cancelled.empty());
}

TEST_CASE("a connection that breaks is opened again with the seat kept, and all has to be looked at") {
    if (!has_server()) { return; }
    auto options = Place{}.options;
    options.application_name = "fleet soon cut";
    Place place;
    place.options = options;
    Member one{options};
    place.save(one, "job");
    CHECK(one.store.await(soon()).is_all);
    const auto cut = [&] {
        (void)place.server.run("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE "
                               "application_name = 'fleet soon cut'");
    };
    cut();
    CHECK(one.store.beat(soon()).is_seated);
    CHECK(one.store.await(soon()).is_all);
    std::thread thread{cut};
    CHECK(one.hears([](const auto& news) { return news.is_all; })); // while it waits
    thread.join();
    REQUIRE(one.lock({{"job", ""}}).jobs.size() == 1);
    cut();
    CHECK(complaint_of([&] { one.store.commit({}, soon()); }).failure == StoreFailure::busy);
    one.write(one.execution(JobStatus::success, one.next));
    CHECK(one.store.retained(soon()) == 1);
}

TEST_CASE("a commit whose answer was lost is seen by its claims") {
    if (!has_server()) { return; }
    PostgresqlServer server;
    Member one{new_options(server)};
    one.store.save({.id = "job"}, soon());
    // The server commits, and answers only when a standby has it that does not exist; its processes learn of that in
    // time.
    (void)server.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    (void)server.run("SELECT pg_reload_conf()");
    std::vector<ExecutionId> claimed;
    const auto until = soon();
    for (bool is_answered = true; is_answered;) {
        REQUIRE(Clock::now() < until);
        const auto locked = one.lock({{"job", ""}});
        REQUIRE(locked.jobs.size() == 1);
        const Claim claim{.id = claimed.emplace_back(one.next++), .job_id = "job"};
        const auto complaint = complaint_of([&] {
            one.store.commit({.claims = {&claim, 1}, .standings = locked.jobs}, within(500ms));
        });
        is_answered = !complaint.failure;
        if (!is_answered) { CHECK(complaint.failure == StoreFailure::unavailable); }
    }
    (void)server.run("ALTER SYSTEM RESET synchronous_standby_names");
    (void)server.run("SELECT pg_reload_conf()");
    const auto again = one.lock({{"job", ""}}, LockWait::yes);
    REQUIRE(again.jobs.size() == 1);
    CHECK(again.jobs[0].own == claimed);
}

TEST_CASE("a process alone and a fleet exclude each other, and say what to set") {
    if (!has_server()) { return; }
    const Place place;
    PostgresqlStore alone{place.options};
    {
        Member one{place.options};
        const auto complaint = complaint_of([&] { alone.open({.node = "alone"}, soon()); });
        INFO(complaint.words);
        CHECK(complaint.failure == StoreFailure::busy);
        CHECK(has(complaint.words, "fleet of processes"));
        CHECK(has(complaint.words, "SchedulerOptions::fleet"));
        one.store.close();
    }
    alone.open({.node = "alone"}, soon());
    PostgresqlStore member{place.options};
    const auto complaint = complaint_of([&] { (void)member.join({.name = "node"}, soon()); });
    INFO(complaint.words);
    CHECK(complaint.failure == StoreFailure::busy);
    CHECK(has(complaint.words, "has them for itself"));
    CHECK(has(complaint.words, "SchedulerOptions::fleet"));
    CHECK(complaint_of([&] { (void)alone.join({.name = "node"}, soon()); }).failure == StoreFailure::busy);
    alone.close();
    CHECK(member.join({.name = "node"}, soon()).node.substr(0, 5) == "node#");
    CHECK(complaint_of([&] { member.open({.node = "alone"}, soon()); }).failure == StoreFailure::busy);
}

TEST_CASE("a process alone goes on where a fleet has stopped: nothing that was claimed is lost") {
    if (!has_server()) { return; }
    const Place place;
    ExecutionId unwritten = 0;
    ExecutionId running = 0;
    {
        Member one{place.options};
        place.save(one, "job");
        unwritten = one.claim("job");
        running = one.claim("job");
        one.write(one.execution(JobStatus::running, running));
    }
    PostgresqlStore alone{place.options};
    alone.open({.node = "alone"}, soon());
    const auto left = alone.unfinished(soon());
    REQUIRE(left.size() == 2);
    CHECK(alone.retained(soon()) == 2);
    const auto made = alone.find(unwritten, soon());
    REQUIRE(made);
    CHECK(made->status == JobStatus::abandoned);
    CHECK_FALSE(made->is_final);
    CHECK(made->scheduled_at == noon);
    CHECK(alone.find(running, soon()).value().status == JobStatus::running);
    CHECK(place.ask("SELECT (SELECT count(*) FROM node), (SELECT count(*) FROM job_claim), retained FROM "
                    "daybook_schema") == "0|0|2");
}

TEST_CASE("who leaves takes its seat along, unless it leaves work behind, which others get at once") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member idle{place.options};
    Member busy{place.options};
    place.save(one, "job");
    idle.write(idle.execution(JobStatus::success, idle.next));
    idle.store.close();
    CHECK(place.ask("SELECT count(*) FROM node") == "2");
    CHECK(one.store.retained(soon()) == 1);
    const ExecutionId id = busy.claim("job");
    (void)one.store.await(soon());
    busy.store.close();
    CHECK(one.hears([](const auto& news) { return news.has_claims; }));
    const auto taken = one.store.take_over(soon());
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].claim.value().id == id);
    CHECK(complaint_of([&] { (void)busy.store.beat(soon()); }).failure == StoreFailure::refused);
    CHECK(busy.store.join({.name = "again"}, soon()).node.substr(0, 6) == "again#");
}

TEST_CASE("a database of version 1 is brought to the present version, with all that is in it") {
    if (!has_server()) { return; }
    for (const bool is_fleet : {false, true}) {
        const Place place;
        {
            PostgresqlStore store{place.options};
            store.open({.node = "old"}, soon());
            StoredExecution row;
            row.id = row.occurrence_id = 5;
            row.node = "old";
            row.status = JobStatus::running;
            store.write({.executions = {&row, 1}}, soon());
            store.save({.id = "job", .accounted_to = noon}, soon());
        }
        // What version 1 did not have.
        (void)place.ask("DROP TABLE node, job_claim; DROP SEQUENCE node_number; ALTER TABLE daybook_schema DROP COLUMN "
                        "next_id, DROP COLUMN clearings; UPDATE daybook_schema SET version = 1");
        PostgresqlStore store{place.options};
        if (is_fleet) {
            CHECK(store.join({.name = "node"}, soon()).first_id > 5);
        } else {
            store.open({.node = "new"}, soon());
        }
        CHECK(place.ask("SELECT version, retained FROM daybook_schema") == "2|1");
        CHECK(store.retained(soon()) == 1);
        CHECK(store.unfinished(soon()).size() == 1);
        CHECK(store.jobs(soon()).at(0).accounted_to == noon);
    }
}

TEST_CASE("a job that is saved again keeps how far it has got, unless its schedule is another one") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    place.save(one, "job");
    (void)one.claim("job");
    one.store.save({.id = "job",
                    .schedule = "every 1 s",
                    .is_paused = true,
                    .left = 3,
                    .accounted_to = noon - 1h,
                    .updated_at = noon + 1h},
                   soon());
    auto job = one.store.jobs(soon()).at(0);
    CHECK(job.is_paused);
    CHECK(job.accounted_to == noon);
    CHECK_FALSE(job.left.has_value());
    CHECK(job.updated_at == noon);
    one.store.save(
        {.id = "job", .schedule = "every 2 s", .left = 3, .accounted_to = noon - 1h, .updated_at = noon + 1h}, soon());
    job = one.store.jobs(soon()).at(0);
    CHECK(job.accounted_to == noon - 1h);
    CHECK(job.left == 3U);
    CHECK(job.updated_at == noon + 1h);
}

TEST_CASE("records are counted over all processes, whoever writes and removes them, one at a time") {
    if (!has_server()) { return; }
    const Place place;
    Member one{place.options};
    Member other{place.options};
    for (int number = 0; number < 10; ++number) {
        one.write(one.execution(JobStatus::success, one.next++));
        other.write(other.execution(JobStatus::success, other.next++));
    }
    CHECK(one.store.retained(soon()) == 20);
    CHECK(other.store.prune({.max_records = 5}, soon()) == 15);
    CHECK(one.store.retained(soon()) == 5);
    CHECK(place.ask("SELECT count(*), (SELECT sum(retained) FROM node) FROM job_execution") == "5|5");
    // While somebody else removes, nothing is done.
    daybook::PostgresqlConnection connection{place.options.conninfo, "other", 3s};
    connection.open(soon());
    const std::string turn = "SELECT pg_advisory_lock(" +
                             std::to_string(daybook::PostgresqlSchema{place.options.schema, ""}.lock_key() ^ 1) + ")";
    (void)connection.run(daybook::PostgresqlStep{turn}, soon());
    CHECK(one.store.prune({.max_records = 0}, soon()) == 0);
    connection.close();
    while (one.store.prune({.max_records = 1}, soon()) == 0) {}
    CHECK(one.store.retained(soon()) == 1);
    CHECK(other.store.clear(soon()) == 1);
    CHECK(one.store.retained(soon()) == 0);
}

TEST_CASE("counters of those that are gone are put together, those of others stay, and an error changes nothing") {
    if (!has_server()) { return; }
    const Place place;
    Member gone{place.options};
    Member one{place.options};
    Member other{place.options};
    const auto count = [](Member& member, std::uint64_t number) {
        const daybook::StoredCounters row{.success = number};
        member.store.write({.counters = {&row, 1}}, soon());
    };
    count(gone, 1);
    count(one, 2);
    count(other, 4);
    gone.store.close();
    const auto totals = [&] {
        return place.ask("SELECT string_agg(success::text, ' ' ORDER BY success) FROM job_statistics");
    };
    CHECK_THROWS(one.store.tidy_counters(
        [](std::vector<daybook::StoredCounters>) -> std::optional<std::vector<daybook::StoredCounters>> {
            throw std::runtime_error{"no"};
        },
        soon()));
    one.store.tidy_counters([](auto) { return std::nullopt; }, soon());
    CHECK(totals() == "1 2 4");
    one.store.tidy_counters(
        [&](std::vector<daybook::StoredCounters> rows) {
            CHECK(rows.size() == 2);
            daybook::StoredCounters sum;
            for (const auto& row : rows) { sum.success += row.success; }
            sum.node = one.seat.node;
            return std::optional{std::vector{sum}};
        },
        soon());
    CHECK(totals() == "3 4");
    CHECK(one.store.counters(soon()).size() == 2);
}

TEST_CASE("a standby that is promoted has the seat, and each call ends in time before that") {
    if (!has_server()) { return; }
    PostgresqlServer primary;
    const auto standby = primary.standby();
    auto options = new_options(primary);
    options.conninfo = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(primary.port()) + "," +
                       std::to_string(standby->port()) + " user=test dbname=postgres target_session_attrs=read-write";
    Member one{options};
    one.store.save({.id = "job"}, soon());
    const ExecutionId id = one.claim("job");
    const std::string end = primary.run("SELECT pg_current_wal_flush_lsn()");
    for (const auto until = soon(); standby->run("SELECT pg_last_wal_replay_lsn() >= '" + end + "'") != "t";) {
        REQUIRE(Clock::now() < until);
    }
    primary.freeze();
    const auto begin = Clock::now();
    const auto late = [&](auto call) { return complaint_of(call).failure == StoreFailure::unavailable; };
    CHECK(late([&] { (void)one.store.beat(within(200ms)); }));
    CHECK(late([&] { (void)one.store.lock(std::vector<JobLock>{{"job", ""}}, LockWait::no, within(200ms)); }));
    CHECK(late([&] { (void)one.store.look(within(200ms)); }));
    CHECK(late([&] { (void)one.store.take_over(within(200ms)); }));
    CHECK(late([&] { (void)one.store.await(within(200ms)); }));
    CHECK(Clock::now() - begin < 10s);
    primary.thaw();
    primary.stop();
    CHECK(late([&] { (void)one.store.beat(within(2s)); }));
    standby->promote();
    CHECK(one.store.beat(soon()).is_seated);
    CHECK(one.store.await(soon()).is_all);
    CHECK(one.lock({{"job", ""}}).jobs.at(0).own == std::vector<ExecutionId>{id});
    one.store.unlock();
    one.write(one.execution(JobStatus::success, id));
}

TEST_CASE("closing while the server does not answer takes a moment at most") {
    if (!has_server()) { return; }
    PostgresqlServer server;
    Member one{new_options(server)};
    server.freeze();
    const auto begin = Clock::now();
    one.store.close();
    CHECK(Clock::now() - begin < 5s);
}

} // namespace
} // namespace postgresql_fleet_test
