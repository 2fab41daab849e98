// SPDX-License-Identifier: MIT
#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <daybook/detail/fleet_member.hpp>
#include <daybook/detail/id_supply.hpp>
#include <daybook/detail/store_writing.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/testing/memory_store.hpp>
#include <daybook/time/manual_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::AnyStore;
using daybook::Claim;
using daybook::ExecutionId;
using daybook::FleetNews;
using daybook::FleetOptions;
using daybook::JobExecutionLog;
using daybook::JobStatus;
using daybook::LogOptions;
using daybook::ManualClock;
using daybook::StoredExecution;
using daybook::StoreFailure;
using daybook::TakenOver;
using daybook::detail::FleetMember;
using daybook::detail::Leftovers;
using daybook::testing::MemoryCalls;
using daybook::testing::MemoryStore;
using log_test::refusal;

constexpr std::chrono::seconds ample_time{60}; // nothing is expected to take so long

daybook::StoreDeadline soon() { return std::chrono::steady_clock::now() + ample_time; }

template <class Is>
[[nodiscard]] bool comes_true(Is&& is) {
    for (const auto end = soon(); std::chrono::steady_clock::now() < end;) {
        if (is()) { return true; }
        std::this_thread::sleep_for(1ms);
    }
    return false;
}

/// A store whose leases end when the test says so.
struct Bench {
    Bench() { store.set_clock(clock); }

    /// @param lease  By which others take over at the earliest, and a third of which a renewal may take.
    [[nodiscard]] LogOptions options(const std::string& name, std::chrono::milliseconds lease = 300ms) const {
        LogOptions options{.store = store};
        options.storing.node = name;
        options.storing.flush_interval = 1ms;
        options.storing.first_retry = 1ms;
        options.storing.longest_retry = 5ms;
        options.fleet = FleetOptions{.lease = lease};
        options.clock = clock;
        return options;
    }

    [[nodiscard]] std::vector<StoredExecution> kept() const {
        MemoryStore look = store;
        const daybook::StoreQuery all{.status = {JobStatus::queued, JobStatus::running, JobStatus::success,
                                                 JobStatus::error, JobStatus::timeout, JobStatus::cancelled,
                                                 JobStatus::abandoned, JobStatus::skipped},
                                      .limit = 1'000'000};
        return look.read(all, soon()).executions;
    }
    [[nodiscard]] std::optional<StoredExecution> kept(ExecutionId id) const {
        MemoryStore look = store;
        return look.find(id, soon());
    }
    [[nodiscard]] std::uint64_t kept(JobStatus status) const {
        std::uint64_t count = 0;
        for (const StoredExecution& execution : kept()) {
            if (execution.status == status && execution.is_final) { ++count; }
        }
        return count;
    }

    /// What is counted is what a recount of the records says.
    void check(const daybook::StatsSnapshot& stats) const {
        CHECK(stats.success_count == kept(JobStatus::success));
        CHECK(stats.abandoned_count == kept(JobStatus::abandoned));
        CHECK(stats.error_count - stats.abandoned_count - stats.timeout_count == kept(JobStatus::error));
        CHECK(stats.retained == kept().size());
    }

    /// The process called so does not reach the store until somebody else has what it had.
    template <class Meanwhile>
    void take_seat(const std::string& name, Meanwhile&& meanwhile) {
        const auto is_there = [&] {
            const auto seats = store.seats();
            return std::any_of(seats.begin(), seats.end(), [&](const auto& seat) { return seat.name == name; });
        };
        store.cut_off(name);
        meanwhile();
        store.end_lease(name);
        REQUIRE(comes_true([&] { return !is_there(); }));
        store.let_back(name);
        REQUIRE(comes_true(is_there));
    }

    ManualClock clock;
    MemoryStore store;
};

bool is_back(const JobExecutionLog<>& log, std::uint64_t seats_lost = 1) {
    return comes_true([&] {
        const auto health = log.fleet_health();
        return health->seats_lost == seats_lost && health->is_seated && log.store_health()->is_available;
    });
}

/// What another process would do, seen by hand.
struct Other {
    explicit Other(const Bench& bench, const std::string& name = "other") : store{bench.store} {
        seat = store.join({.name = name, .lease = 300ms}, soon());
    }
    void claim(ExecutionId id, Claim::Kind kind = Claim::Kind::run) {
        Claim claim{.id = id, .kind = kind, .job_id = "import", .handler_id = "import"};
        if (kind == Claim::Kind::skip) {
            claim.reason = daybook::SkipReason::misfire;
            claim.skip_count = 3;
        }
        const daybook::JobLock lock{.job_id = "import"};
        (void)store.lock({&lock, 1}, daybook::LockWait::no, soon());
        store.commit({.claims = {&claim, 1}}, soon());
    }
    void write(ExecutionId id, JobStatus status) {
        StoredExecution row;
        row.id = row.occurrence_id = id;
        row.job_id = row.handler_id = "import";
        row.node = seat.node;
        row.status = status;
        store.write({.executions = {&row, 1}}, soon());
    }
    MemoryStore store;
    daybook::FleetSeat seat;
};

/// A scheduler's part.
class Work final : public daybook::detail::FleetWork {
public:
    void taken_over(std::vector<TakenOver> left) override {
        const std::scoped_lock lock{mutex_};
        for (TakenOver& one : left) { left_.push_back(std::move(one)); }
    }
    daybook::StoreDeadline round(const FleetNews& news, bool is_seated) override {
        std::function<void()> next;
        {
            const std::scoped_lock lock{mutex_};
            ++rounds_;
            is_seated_ = is_seated;
            heard_ = heard_ || news.is_all;
            next = std::exchange(on_round_, nullptr);
        }
        if (next) { next(); }
        return std::chrono::steady_clock::now() + 1h;
    }
    void seat_lost(ExecutionId first_id) override {
        const std::scoped_lock lock{mutex_};
        lost_to_ = first_id;
    }

    void on_round(std::function<void()> next) {
        const std::scoped_lock lock{mutex_};
        on_round_ = std::move(next);
    }
    [[nodiscard]] std::uint64_t rounds() const {
        const std::scoped_lock lock{mutex_};
        return rounds_;
    }
    [[nodiscard]] bool is_seated() const {
        const std::scoped_lock lock{mutex_};
        return is_seated_;
    }
    [[nodiscard]] std::vector<TakenOver> left() const {
        const std::scoped_lock lock{mutex_};
        return left_;
    }
    [[nodiscard]] std::optional<ExecutionId> lost_to() const {
        const std::scoped_lock lock{mutex_};
        return lost_to_;
    }

private:
    mutable std::mutex mutex_;
    std::uint64_t rounds_ = 0;
    bool is_seated_ = false;
    bool heard_ = false;
    std::vector<TakenOver> left_;
    std::optional<ExecutionId> lost_to_;
    std::function<void()> on_round_;
};

/// A log as a scheduler has it.
struct WorkLog {
    explicit WorkLog(const LogOptions& options)
        : core{daybook::detail::make_log_core(options, nullptr, Leftovers::for_work)} {}
    [[nodiscard]] daybook::detail::StoreWriter& writer() const { return *core->store_writer(); }
    [[nodiscard]] FleetMember& fleet() const { return *writer().fleet(); }
    daybook::Execution start(ExecutionId reserved = 0, JobStatus status = JobStatus::queued) const {
        return core->start(daybook::detail::HashedNames{"import", "", ""}, {}, status, reserved);
    }
    void succeed(const daybook::Execution& execution) const {
        core->finish(execution, JobStatus::success, {}, {}, daybook::Finality::final_attempt);
    }
    /// On the fleet's thread, as is due.
    void claim(Work& work, ExecutionId id) const {
        std::atomic<bool> is_done{false};
        work.on_round([&] {
            const Claim claim{.id = id, .job_id = "import"};
            const daybook::JobLock lock{.job_id = "import"};
            (void)fleet().store().lock({&lock, 1}, daybook::LockWait::no, soon());
            fleet().store().commit({.claims = {&claim, 1}}, soon());
            is_done = true;
        });
        fleet().wake();
        REQUIRE(comes_true([&] { return is_done.load(); }));
    }
    std::shared_ptr<daybook::detail::LogCore> core;
};

/// A store for one process.
class Alone : private MemoryStore {
public:
    using MemoryStore::clear;
    using MemoryStore::close;
    using MemoryStore::count;
    using MemoryStore::counters;
    using MemoryStore::erase;
    using MemoryStore::find;
    using MemoryStore::fold_counters;
    using MemoryStore::jobs;
    using MemoryStore::open;
    using MemoryStore::prune;
    using MemoryStore::read;
    using MemoryStore::retained;
    using MemoryStore::save;
    using MemoryStore::unfinished;
    using MemoryStore::write;
};

} // namespace

TEST_CASE("a fleet's options out of their ranges are refused with a sentence") {
    const Bench bench;
    LogOptions options = bench.options("a");
    options.fleet->lease = 199ms;
    CHECK(refusal(options) == "FleetOptions: lease must be 200 ms to 1 h");
    options.fleet->lease = 1h + 1ms;
    CHECK(refusal(options) == "FleetOptions: lease must be 200 ms to 1 h");
    options.fleet = FleetOptions{.refresh_interval = 99ms};
    CHECK(refusal(options) == "FleetOptions: refresh_interval must be 100 ms to 24 h");
    options.fleet = FleetOptions{.max_clock_offset = 0ms};
    CHECK(refusal(options) == "FleetOptions: max_clock_offset must be above 0");
    options.fleet = FleetOptions{.group_limits = {{"gpu", 0}}};
    CHECK(refusal(options) == "FleetOptions: group_limits: the limit of 'gpu' must be at least 1");
    options = bench.options(std::string(231, 'n'));
    CHECK(refusal(options) == "LogOptions: storing.node must have at most 230 bytes in a fleet");
    options = bench.options("a");
    options.store = {};
    CHECK(refusal(options) == "FleetOptions: a fleet needs a store that its processes share");
    options.store = Alone{};
    CHECK(refusal(options) == "FleetOptions: this store is one that several processes cannot share");
}

TEST_CASE("whether a store can be shared is known before it is opened") {
    CHECK(AnyStore{MemoryStore{}}.is_shared());
    CHECK_FALSE(AnyStore{Alone{}}.is_shared());
    CHECK_FALSE(AnyStore{}.is_shared());
    try {
        (void)AnyStore{Alone{}}.beat(soon());
        FAIL("a store of one process has no lease");
    } catch (const daybook::StoreError& error) { CHECK(error.failure() == StoreFailure::refused); }
}

TEST_CASE("two logs on one store share history and statistics") {
    const Bench bench;
    JobExecutionLog<> one{bench.options("one")};
    JobExecutionLog<> other{bench.options("other")};
    for (int i = 0; i < 3; ++i) { one.record_success(one.record_start("import")); }
    for (int i = 0; i < 2; ++i) { other.record_error(other.record_start("export"), "no"); }
    one.record_skip("import", daybook::SkipReason::overlap);
    REQUIRE(one.flush(ample_time));
    REQUIRE(other.flush(ample_time));
    for (const JobExecutionLog<>* log : {&one, &other}) {
        const auto stats = log->stats();
        CHECK(stats.success_count == 3);
        CHECK(stats.error_count == 2);
        CHECK(stats.skipped_count == 1);
        bench.check(stats);
        CHECK(log->query().records.size() == 5);
    }
    std::set<std::string> nodes;
    std::set<ExecutionId> ids;
    for (const StoredExecution& execution : bench.kept()) {
        nodes.insert(execution.node);
        ids.insert(execution.id);
    }
    CHECK(nodes == std::set<std::string>{"one#1", "other#2"});
    CHECK(ids.size() == 6);
}

TEST_CASE("two logs that record at once never use the same id") {
    const Bench bench;
    JobExecutionLog<> one{bench.options("one")};
    JobExecutionLog<> other{bench.options("other")};
    const ExecutionId first = one.record_start("import").id;
    const ExecutionId second = other.record_start("import").id;
    CHECK(std::max(first, second) - std::min(first, second) >= (ExecutionId{1} << 20U));
    CHECK(std::max(first, second) < (ExecutionId{1} << 53U));
}

TEST_CASE("a log that lives renews its lease") {
    const Bench bench;
    JobExecutionLog<> log{bench.options("one")};
    for (int i = 0; i < 5; ++i) {
        ManualClock clock = bench.clock;
        clock.advance(200ms);
        const auto now = clock.now();
        REQUIRE(comes_true([&] { return log.fleet_health()->last_renewed >= now; }));
    }
    const auto health = log.fleet_health();
    CHECK(health->node == "one#1");
    CHECK(health->seats_lost == 0);
    CHECK(bench.store.seats().size() == 1);
}

TEST_CASE("a log that is destroyed leaves no seat") {
    const Bench bench;
    { JobExecutionLog<> log{bench.options("one")}; }
    CHECK(bench.store.seats().empty());
}

TEST_CASE("what a dead process has left is ended by a log that has no scheduler, for good") {
    Bench bench;
    JobExecutionLog<> log{bench.options("one")};
    ExecutionId first = 0;
    {
        Other dead{bench, "dead"};
        first = dead.seat.first_id;
        dead.claim(first);
        dead.write(first, JobStatus::running);
        dead.claim(first + 1);
        dead.claim(first + 2, Claim::Kind::skip);
        dead.write(first + 3, JobStatus::queued);
    }
    bench.store.end_lease("dead");
    REQUIRE(comes_true([&] { return bench.store.claims().empty() && bench.kept().size() == 4; }));
    REQUIRE(comes_true([&] { return bench.kept(first + 3)->is_final; }));
    REQUIRE(log.flush(ample_time));
    for (const ExecutionId id : {first, first + 1, first + 3}) {
        const auto execution = bench.kept(id);
        CHECK(execution->status == JobStatus::abandoned);
        CHECK(execution->is_final);
        CHECK(execution->node == "dead#2");
    }
    const auto skipped = bench.kept(first + 2);
    CHECK(skipped->status == JobStatus::skipped);
    CHECK(skipped->skip_count == 3);
    const auto stats = log.stats();
    CHECK(stats.abandoned_count == 3);
    CHECK(stats.skipped_count == 3);
    CHECK(log.fleet_health()->taken_over == 4);
}

TEST_CASE("what nobody has a seat for is ended when a log begins") {
    Bench bench;
    {
        MemoryStore alone = bench.store;
        alone.open({.node = "before"}, soon());
        StoredExecution row;
        row.id = row.occurrence_id = 7;
        row.job_id = row.handler_id = "import";
        row.node = "before";
        row.status = JobStatus::running;
        alone.write({.executions = {&row, 1}}, soon());
        alone.close();
    }
    JobExecutionLog<> log{bench.options("one")};
    REQUIRE(log.flush(ample_time));
    CHECK(bench.kept(7)->status == JobStatus::abandoned);
    CHECK(bench.kept(7)->node == "before");
    bench.check(log.stats());
}

TEST_CASE("a log that has lost its seat goes on under another name") {
    Bench bench;
    JobExecutionLog<> one{bench.options("one")};
    JobExecutionLog<> other{bench.options("other")};
    const auto lost = one.record_start("import");
    REQUIRE(one.flush(ample_time));
    bench.take_seat("one", [] {});
    REQUIRE(is_back(one));
    CHECK(one.fleet_health()->node == "one#3");
    CHECK(one.record_success(lost) == daybook::Finish::too_late);
    const auto later = one.record_start("import");
    CHECK(later.id > lost.id);
    one.record_success(later);
    REQUIRE(one.flush(ample_time));
    REQUIRE(other.flush(ample_time));
    CHECK(bench.kept(lost.id)->status == JobStatus::abandoned);
    CHECK(bench.kept(lost.id)->node == "one#1");
    CHECK(bench.kept(later.id)->node == "one#3");
    CHECK(one.find(lost.id)->node == "one#1");
    CHECK(one.find(later.id)->node == "one#3");
    bench.check(one.stats());
    bench.check(other.stats());
}

TEST_CASE("what was not written when the seat was lost is abandoned if it had waited in a queue, and true if not") {
    Bench bench;
    JobExecutionLog<> one{bench.options("one")};
    JobExecutionLog<> other{bench.options("other")};
    one.record_success(one.record_start("before"));
    REQUIRE(one.flush(ample_time));
    daybook::Execution queued, direct, open;
    bench.take_seat("one", [&] {
        queued = one.record_queued({.job_id = "queued"});
        one.record_running(queued);
        one.record_success(queued, "result");
        direct = one.record_start("direct");
        one.record_success(direct, "result");
        open = one.record_queued({.job_id = "open"});
        REQUIRE(comes_true([&] { return !one.store_health()->is_available; }));
    });
    REQUIRE(is_back(one));
    REQUIRE(one.flush(ample_time));
    const auto ended = bench.kept(queued.id);
    REQUIRE(ended);
    CHECK(ended->status == JobStatus::abandoned);
    CHECK_FALSE(ended->is_final);
    CHECK_FALSE(ended->result);
    CHECK(ended->node == "one#1");
    CHECK(bench.kept(direct.id)->status == JobStatus::success);
    CHECK(bench.kept(direct.id)->node == "one#1");
    CHECK(bench.kept(open.id)->status == JobStatus::abandoned);
    bench.check(one.stats());
    CHECK(one.stats().success_count == 2);
}

TEST_CASE("what was claimed and not written when the seat was lost is for others to record") {
    Bench bench;
    const WorkLog one{bench.options("one")};
    Work work;
    one.fleet().attach(&work);
    JobExecutionLog<> other{bench.options("other")};
    const ExecutionId id = one.core->reserve_id();
    one.claim(work, id);
    bench.take_seat("one", [&] {
        one.succeed(one.start(id));
        REQUIRE(comes_true([&] { return !one.writer().is_available(); }));
    });
    REQUIRE(comes_true([&] { return work.lost_to().has_value(); }));
    CHECK(*work.lost_to() > id);
    REQUIRE(comes_true([&] { return one.writer().flush(soon()) && other.flush(ample_time); }));
    REQUIRE(comes_true([&] { return bench.kept(id) && bench.kept(id)->status == JobStatus::abandoned; }));
    CHECK(bench.kept(id)->is_final); // there is no scheduler beside that log
    bench.check(other.stats());
    CHECK(other.stats().abandoned_count == 1);
    one.fleet().detach();
}

TEST_CASE("a claim goes after the record of what it was for") {
    Bench bench;
    const WorkLog one{bench.options("one", 1h)};
    Work work;
    one.fleet().attach(&work);
    const ExecutionId id = one.core->reserve_id();
    one.claim(work, id);
    bench.store.fail_next(StoreFailure::full, 1'000'000, MemoryCalls::log);
    one.succeed(one.start(id, JobStatus::running));
    one.writer().release(id);
    REQUIRE(comes_true([&] { return !one.writer().is_available(); }));
    CHECK(bench.store.claims().size() == 1);
    bench.store.recover();
    REQUIRE(comes_true([&] { return bench.store.claims().empty(); }));
    CHECK(one.fleet().health().seats_lost == 0);
    CHECK(bench.kept(id)->status == JobStatus::success);
    one.fleet().detach();
}

TEST_CASE("a claim that is over goes without anything else to write") {
    Bench bench;
    LogOptions options = bench.options("one", 1h);
    options.storing.flush_interval = 1h;
    const WorkLog one{options};
    Work work;
    one.fleet().attach(&work);
    const ExecutionId id = one.core->reserve_id();
    one.claim(work, id);
    one.writer().release(id);
    CHECK(comes_true([&] { return bench.store.claims().empty(); }));
    one.fleet().detach();
}

TEST_CASE("what is left waits for a scheduler where there is to be one") {
    Bench bench;
    const WorkLog one{bench.options("one")};
    ExecutionId first = 0;
    {
        Other dead{bench, "dead"};
        first = dead.seat.first_id;
        dead.claim(first);
        dead.write(first, JobStatus::running);
    }
    bench.store.end_lease("dead");
    const auto renewed = [&] { return one.fleet().health().last_renewed; };
    for (int i = 0; i < 6; ++i) { // longer than a lease: it could have been taken
        const auto before = bench.clock.now();
        bench.clock.advance(1us);
        REQUIRE(comes_true([&] { return renewed() > before; }));
    }
    CHECK(bench.store.seats().size() == 2);
    Work work;
    one.fleet().attach(&work);
    REQUIRE(comes_true([&] { return !work.left().empty(); }));
    REQUIRE(work.left().size() == 1);
    CHECK(work.left().front().claim->id == first);
    CHECK(work.left().front().last->status == JobStatus::abandoned);
    CHECK_FALSE(work.left().front().last->is_final);
    CHECK(work.left().front().was_open);
    CHECK(bench.store.claims().size() == 1);
    one.fleet().detach();
}

TEST_CASE("work is called when it is woken, and not after it has gone") {
    Bench bench;
    LogOptions options = bench.options("one");
    options.fleet->lease = 1h;
    const WorkLog one{options};
    Work work;
    one.fleet().attach(&work);
    REQUIRE(comes_true([&] { return work.rounds() != 0; }));
    for (int i = 0; i < 100; ++i) {
        const auto before = work.rounds();
        one.fleet().wake();
        REQUIRE(comes_true([&] { return work.rounds() > before; }));
    }
    CHECK(work.is_seated());
    one.fleet().detach();
    const auto last = work.rounds();
    one.fleet().wake();
    CHECK(work.rounds() == last);
}

TEST_CASE("work may go from within a call") {
    Bench bench;
    const WorkLog one{bench.options("one", 1h)};
    Work work;
    std::atomic<bool> is_gone{false};
    work.on_round([&] {
        one.fleet().detach();
        is_gone = true;
    });
    one.fleet().attach(&work);
    CHECK(comes_true([&] { return is_gone.load(); }));
    one.fleet().detach(); // waits until the call is over
}

TEST_CASE("a process that cannot renew its lease starts nothing once it is over, and its work is told") {
    Bench bench;
    const WorkLog one{bench.options("one")};
    Work work;
    one.fleet().attach(&work);
    REQUIRE(comes_true([&] { return work.is_seated(); }));
    bench.store.cut_off("one");
    REQUIRE(comes_true([&] { return !one.fleet().may_start() && !work.is_seated(); }));
    CHECK_FALSE(one.fleet().health().is_seated);
    bench.store.let_back("one");
    REQUIRE(comes_true([&] { return one.fleet().may_start() && work.is_seated(); }));
    CHECK(one.fleet().health().seats_lost == 0); // nobody had taken it
    CHECK_FALSE(work.lost_to());
    one.fleet().detach();
}

TEST_CASE("a commit without a seat is as good as a renewal that fails") {
    Bench bench;
    const WorkLog one{bench.options("one", 1h)};
    Work work;
    one.fleet().attach(&work);
    work.on_round([] { throw daybook::StoreError{StoreFailure::unseated, "the seat is gone"}; });
    one.fleet().wake();
    REQUIRE(comes_true([&] { return work.lost_to().has_value(); }));
    CHECK(one.fleet().health().seats_lost == 1);
    CHECK(one.fleet().node() == "one#2");
    CHECK(one.writer().node() == "one#2");
    one.fleet().detach();
}

TEST_CASE("a take-over in doubt ends in another seat: what it may have brought is not forgotten") {
    Bench bench;
    const WorkLog one{bench.options("one")};
    Work work;
    ExecutionId first = 0;
    {
        Other dead{bench, "dead"};
        first = dead.seat.first_id;
        dead.claim(first);
    }
    JobExecutionLog<> other{bench.options("other")}; // ends what nobody goes on with
    bench.store.end_lease("dead");
    one.fleet().attach(&work);
    for (int i = 0; i < 3 && !bench.store.claims().empty(); ++i) {
        bench.store.doubt_next(1, MemoryCalls::fleet);
        REQUIRE(comes_true([&] { return one.fleet().may_start(); }));
        bench.store.end_lease("one");
    }
    REQUIRE(comes_true([&] {
        if (!work.left().empty()) { return true; }
        const auto claims = bench.store.claims();
        return claims.empty() && bench.kept(first).has_value();
    }));
    one.fleet().detach();
}

TEST_CASE("a clock that is too far from the store's is refused at the start") {
    Bench bench;
    ManualClock own{bench.clock.now() + 1500ms};
    LogOptions options = bench.options("one");
    options.clock = own;
    try {
        const JobExecutionLog<> log{options};
        FAIL("the clocks do not agree");
    } catch (const daybook::StoreError& error) {
        CHECK(error.failure() == StoreFailure::refused);
        CHECK(std::string{error.what()} == "this machine's clock is 1500 ms ahead of the store's; more than 1000 ms");
    }
    CHECK(bench.store.seats().empty());
    own.step(-500ms); // a second is not more than a second
    const JobExecutionLog<> log{options};
    CHECK(log.fleet_health()->is_seated);
    CHECK(log.fleet_health()->clock_offset == 1s);
}

TEST_CASE("a process whose clock goes wrong starts nothing until it is right again") {
    Bench bench;
    ManualClock own{bench.clock.now()};
    LogOptions options = bench.options("one");
    options.clock = own;
    std::mutex mutex;
    std::vector<std::string> told;
    options.storing.on_error = [&](const std::string& error) {
        const std::scoped_lock lock{mutex};
        told.push_back(error);
    };
    const auto heard = [&](const std::string& what) {
        return comes_true([&] {
            const std::scoped_lock lock{mutex};
            return !told.empty() && told.back() == what;
        });
    };
    const WorkLog log{options};
    CHECK(log.fleet().may_start());
    own.step(-5s);
    REQUIRE(comes_true([&] { return !log.fleet().may_start(); }));
    CHECK(heard("this machine's clock is 5000 ms behind the store's; more than 1000 ms"));
    CHECK(log.fleet().health().clock_offset == -5s);
    own.step(5s);
    REQUIRE(comes_true([&] { return log.fleet().may_start(); }));
    CHECK(heard(""));
}

TEST_CASE("a renewal that fails is told once, and so is that it works again") {
    Bench bench;
    LogOptions options = bench.options("one");
    std::mutex mutex;
    std::vector<std::string> told;
    options.storing.on_error = [&](const std::string& error) {
        const std::scoped_lock lock{mutex};
        told.push_back(error);
    };
    const JobExecutionLog<> log{options};
    bench.store.fail_next(StoreFailure::busy, 5, MemoryCalls::fleet);
    REQUIRE(comes_true([&] {
        const std::scoped_lock lock{mutex};
        return told.size() >= 2;
    }));
    const std::scoped_lock lock{mutex};
    CHECK(told == std::vector<std::string>{"the store is to fail: busy", ""});
}

TEST_CASE("the counters of processes that are gone become one row each") {
    Bench bench;
    for (int i = 0; i < 3; ++i) {
        JobExecutionLog<> log{bench.options("one")};
        log.record_success(log.record_start("import"));
    }
    JobExecutionLog<> log{bench.options("one")};
    log.record_success(log.record_start("import"));
    REQUIRE(log.flush(ample_time));
    std::set<std::string> nodes;
    MemoryStore look = bench.store;
    for (const auto& row : look.counters(soon())) { nodes.insert(row.node); }
    CHECK(nodes == std::set<std::string>{"(earlier)", "one#4"});
    CHECK(log.stats().success_count == 4);
    bench.check(log.stats());
}

TEST_CASE("what one member clears is cleared for all, and all count anew") {
    Bench bench;
    JobExecutionLog<> one{bench.options("one")};
    JobExecutionLog<> two{bench.options("two")};
    for (JobExecutionLog<>* log : {&one, &two}) {
        log->record_success(log->record_start("import"));
        REQUIRE(log->flush(ample_time));
    }
    CHECK(one.clear() == 2);
    for (JobExecutionLog<>* log : {&one, &two}) { CHECK(log->stats().total_executions == 0); }
    two.record_error(two.record_start("import"), "no");
    REQUIRE(two.flush(ample_time));
    for (JobExecutionLog<>* log : {&one, &two}) {
        CHECK(log->stats().total_executions == 1);
        CHECK(log->stats().success_count == 0);
        CHECK(log->stats().lifetime_executions == 3);
        CHECK(log->query({}).records.size() == 1);
    }
}

TEST_CASE("a process that has the store for itself keeps a fleet out, and the other way round") {
    Bench bench;
    LogOptions alone = bench.options("alone");
    alone.fleet.reset();
    {
        JobExecutionLog<> log{alone};
        CHECK_THROWS_AS(JobExecutionLog<>{bench.options("one")}, daybook::StoreError);
        CHECK_FALSE(log.fleet_health());
    }
    const JobExecutionLog<> log{bench.options("one")};
    CHECK_THROWS_AS(JobExecutionLog<>{alone}, daybook::StoreError);
}

TEST_CASE("an execution with a reserved id stands where it began, and is found by its id") {
    Bench bench;
    LogOptions options = bench.options("one");
    options.capacity = 16;
    options.max_running = 16;
    const WorkLog log{options};
    std::vector<ExecutionId> reserved;
    for (int i = 0; i < 3; ++i) { reserved.push_back(log.core->reserve_id()); }
    std::vector<ExecutionId> begun;
    // Enough newer ones that the ring of ids comes round to those that were reserved.
    for (int i = 0; i < 200; ++i) {
        const auto execution = log.start(0, JobStatus::running);
        begun.push_back(execution.id);
        if (i != 199) { log.succeed(execution); }
        bench.clock.advance(1ms);
    }
    for (const ExecutionId id : {reserved[2], reserved[0], reserved[1]}) {
        const auto execution = log.start(id, JobStatus::running);
        CHECK(execution.id == id);
        begun.push_back(id);
        bench.clock.advance(1ms);
    }
    const daybook::detail::PartsReader reader{*log.core};
    for (std::size_t i = begun.size() - 10; i < begun.size(); ++i) {
        const auto found = reader.find(begun[i]);
        REQUIRE(found);
        CHECK(found->facts.id == begun[i]);
    }
    daybook::detail::RecordBuilder<std::string> records;
    (void)reader.query({.limit = 5}, records, daybook::detail::result_search<std::string>());
    std::vector<ExecutionId> listed;
    for (const auto& record : records.take()) { listed.push_back(record.id); }
    CHECK(listed == std::vector<ExecutionId>(begun.rbegin(), begun.rbegin() + 5));
    REQUIRE(log.writer().flush(soon()));
    std::vector<ExecutionId> written;
    for (const auto& execution : bench.kept()) {
        if (written.size() < 5) { written.push_back(execution.id); }
    }
    CHECK(written == listed);
    for (std::size_t i = begun.size() - 3; i < begun.size(); ++i) {
        CHECK(reader.find(begun[i])->facts.id == begun[i]);
    }
}

TEST_CASE("ids go on in the next block, and not without one") {
    daybook::detail::IdSupply ids;
    ids.begin_with({.first_id = 100, .id_count = 4});
    const auto take = [&] {
        ids.ready();
        return ids.take();
    };
    CHECK_FALSE(ids.is_low());
    for (ExecutionId id = 100; id < 103; ++id) { CHECK(take() == id); }
    CHECK(ids.is_low());
    CHECK(take() == 103);
    CHECK_THROWS_AS(ids.ready(), std::bad_alloc);
    ids.add({.first_id = 200, .id_count = 4});
    CHECK_FALSE(ids.is_low());
    CHECK(take() == 200);
    CHECK_FALSE(ids.is_low());
    ids.begin_at(7);
    CHECK(take() == 7);
    CHECK_FALSE(ids.is_low());
}
