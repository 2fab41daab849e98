// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_CORE_HPP
#define DAYBOOK_DETAIL_SCHEDULER_CORE_HPP

/// @file
/// The scheduler without the type of its results: its state, and how jobs come and go. What is due is decided in
/// scheduler_dispatch.hpp, an attempt's life is told in scheduler_attempt.hpp, the end of it all in scheduler_stop.hpp.

#include <daybook/detail/fleet_member.hpp>
#include <daybook/detail/indexed_heap.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/owed.hpp>
#include <daybook/detail/owed_intervals.hpp>
#include <daybook/detail/ready_queue.hpp>
#include <daybook/detail/scheduled_job.hpp>
#include <daybook/detail/thread.hpp>
#include <daybook/detail/timer_alarms.hpp>
#include <daybook/detail/worker_watch.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/job/job_query.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/log/scoped_execution.hpp>
#include <daybook/scheduler_health.hpp>
#include <daybook/scheduler_options.hpp>
#include <daybook/worker/worker_pool.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// @par Thread safety
/// Every public member may be called from any thread, also from inside a job. Under the lock things are decided; what
/// was decided is done outside it, because recording may destroy results, and stopping calls back.
class SchedulerCore : public std::enable_shared_from_this<SchedulerCore> {
public:
    SchedulerCore(SchedulerOptions options, std::shared_ptr<LogCore> log, AnyHandlers handlers)
        : options_{checked(std::move(options))}, log_{std::move(log)}, handlers_{std::move(handlers)} {
        // Beyond those of an earlier life of the program, as long as it made less than one a microsecond.
        const auto began = options_.clock.now().time_since_epoch().count();
        last_revision_ = began > 0 ? static_cast<std::uint64_t>(began) : 0;
        random_state_ = seed_of(options_.clock);
        for (const auto& [name, limit] : options_.group_limits) { groups_[name].limit = limit; }
        take_stored();
        join_fleet();
    }
    SchedulerCore(const SchedulerCore&) = delete;
    SchedulerCore& operator=(const SchedulerCore&) = delete;
    ~SchedulerCore();

    [[nodiscard]] static SchedulerOptions checked(SchedulerOptions options);
    [[nodiscard]] const SchedulerOptions& options() const noexcept { return options_; }

    enum class IfPresent : std::uint8_t { refuse, replace };
    bool add(JobOptions options, JobFunction function, IfPresent if_present, JobOrigin origin = JobOrigin::code);
    void add_named(JobOptions options);
    bool update(JobOptions options);
    JobChange configure(JobOptions options, std::uint64_t revision);
    bool remove(std::string_view id) { return remove_if(id, std::nullopt) == JobChange::done; }
    enum class Removed : std::uint8_t { here, elsewhere }; ///< by another process of the fleet, which the store knows
    JobChange remove_if(std::string_view id, std::optional<std::uint64_t> revision, Removed where = Removed::here);
    std::size_t refresh();
    bool set_paused(std::string_view id, bool is_paused);
    std::size_t set_all_paused(bool is_paused);
    TriggerReport trigger(std::string_view id, TriggerOptions options);
    [[nodiscard]] std::vector<JobInfo> jobs() const;
    [[nodiscard]] JobPage jobs(const JobQuery& query) const;
    [[nodiscard]] std::optional<JobInfo> job(std::string_view id) const;
    [[nodiscard]] std::size_t job_count() const;
    [[nodiscard]] std::vector<sys_time> next_runs(std::string_view id, std::size_t count) const;
    [[nodiscard]] std::string explain(std::string_view id) const;
    [[nodiscard]] SchedulerHealth health() const;

    void start();
    std::size_t poll();
    [[nodiscard]] std::chrono::nanoseconds until_due() const;
    bool wait_idle(std::chrono::nanoseconds timeout);
    void request_stop();
    StopReport stop(std::chrono::nanoseconds grace);
    void close();

private:
    using Lock = std::unique_lock<std::mutex>;
    using JobPtr = std::shared_ptr<Job>;
    using PlanPtr = std::shared_ptr<const JobPlan>;
    using OccurrencePtr = std::shared_ptr<Occurrence>;

    /// A job that has come due, as it was then.
    struct Due {
        JobPtr job;
        PlanPtr plan;
        std::uint64_t left = 0;
        std::optional<sys_time> wall = {};
        std::optional<steady_time> steady = {};
        bool is_paused = false;
        std::optional<Moment> as_of = {};
        bool is_elsewhere = false; ///< in a new timeline, where it has not come due yet
        // When memory ran out while it was being settled:
        std::optional<Owed> owed = {};
        SkipReason refused = SkipReason::none;
        bool is_begun = false;
        std::size_t steps_done = 0;
        bool is_to_keep = false;                    ///< what the store has of the job has to change with it
        std::optional<StoreDeadline> claim_at = {}; ///< in a fleet: when it is asked for, if not at once
    };
    using Dues = std::list<Due>;

    /// An occurrence that asks to be let through.
    struct Admission {
        JobPtr job;
        PlanPtr plan;
        std::optional<sys_time> nominal;
        Trigger trigger;
        Overlap overlap;
    };

    /// What the end of an attempt changed of what the job remembers.
    struct EndNote {
        std::optional<sys_time> last_success = {}; ///< before this one
        bool has_recovered = false;
    };

    using Decisions = std::list<Decision>; // to be put off without asking for memory
    using Stale = std::pair<JobPtr, JobEvent>;

    // Jobs. A parameter `lock` says that the lock is held.
    [[nodiscard]] std::shared_ptr<JobPlan> plan_of(JobOptions from, const char* command);
    bool insert(JobOptions options, JobFunction function, IfPresent if_present, JobOrigin origin, std::string& told);
    bool change(JobOptions options);
    JobChange change_if(JobOptions options, std::uint64_t revision);
    bool change_pause(const JobPtr& job, bool is_paused, const Lock& lock);
    void leave_behind(const JobPtr& job, const Moment& now, const Lock& lock);
    bool take_if_come(Due& due, const Lock& lock);
    [[nodiscard]] bool has_come(const Job& job, const Moment& now, const Lock& lock) const;
    [[nodiscard]] Lock hold_dispatch();
    [[nodiscard]] Moment now() const {
        const ClockReading reading = options_.clock.read();
        return {reading.wall, reading.steady};
    }
    void replace_plan(const JobPtr& job, const PlanPtr& plan, const Owed& first, const Lock& lock);
    void keep_schedule(const JobPtr& job, const PlanPtr& plan, const Lock& lock);
    [[nodiscard]] std::vector<JobPtr> leaving_jobs(const Lock& lock) const;

    // What lasts. Without a store none of it does anything.
    void take_stored();
    void restore_jobs();
    [[nodiscard]] std::shared_ptr<const StoredJob> stored_as(std::string_view id) const;
    [[nodiscard]] Owed resumed_due(const JobPlan& plan, const StoredJob* stored, const Moment& began,
                                   std::string& told) const;
    void resume_occurrences(const Moment& began);
    enum class Ended : std::uint8_t { before, just_now };
    bool resume(StoredExecution& row, steady_time due, bool& is_store_asked, Ended ended = Ended::before,
                bool is_barred = false);
    [[nodiscard]] std::uint32_t abandoned_before(const StoredExecution& row, bool& is_store_asked) const;
    void describe_state(const Job& job, StoredJob& into, const Lock& lock) const;
    void keep(const JobPtr& job) noexcept;
    enum class Waits : std::uint8_t { no, yes }; ///< for the store, at most one call's time
    void keep_all(Waits waits);
    enum class Kept : std::uint8_t { added, planned_anew, paused }; ///< what has become of a job
    void keep_change(std::string_view id, Kept what);
    void tell_unkept(const Job& job, const JobPlan& plan) const;
    void forget_kept(const std::string& id) noexcept;
    void await_store(const std::string& what) const;
    void account(const Decision& decision) const noexcept;
    [[nodiscard]] bool asks_store(const Occurrence& occurrence) const noexcept;
    [[nodiscard]] bool is_confirmed(const Occurrence& occurrence);
    void withhold(const OccurrencePtr& occurrence);
    bool wait_for_lease(const OccurrencePtr& occurrence);
    void write_last(StopReport& report) const;

    // What is due.
    void take_back_start(const Lock& lock) noexcept;
    void run_timer();
    void call_help();
    [[nodiscard]] NextDue next_due(const Moment& now, const Lock& lock) const;
    TimerAlarms::Next set_alarm(TimerAlarms::Waiter waiter, std::optional<steady_time> rests_from);
    [[nodiscard]] bool is_plain(const Job& job, const Moment& now) const;
    [[nodiscard]] bool take_plain(const Moment& now, Dues& due, const Lock& lock);
    struct PlainRound;
    PlainRound dispatch_plain();
    bool dispatch();
    void dispatch_unless_busy();
    bool dispatch_due() { return dispatch_due(Lock{dispatch_mutex_}); }
    bool dispatch_due(Lock one_at_a_time);
    void settle_all(Dues& due, Dues& settled, Decisions& decisions);
    void take_due(const Moment& now, Dues& due, std::vector<JobPtr>& forgotten, std::vector<Stale>& stale,
                  Decisions& decisions, std::size_t& posts, const Lock& lock);
    void run_short(const Lock& lock);
    [[nodiscard]] bool has_room(std::size_t replaced) const noexcept;
    void settle_due(Due& due, Decisions& decisions);
    [[nodiscard]] Owed owed_by(const JobPlan& plan, std::uint64_t left, std::optional<sys_time> wall_due,
                               std::optional<steady_time> steady_due, sys_time wall, steady_time steady) const;
    [[nodiscard]] Owed first_due(const JobPlan& plan, sys_time wall, steady_time steady,
                                 std::optional<sys_time> accounted = {}) const;
    void begin_schedule(Job& job, const Owed& first, const Lock& lock);
    void leave_timeline(const Moment& now, Dues& due, const Lock& lock);
    void set_due(Job& job, std::optional<sys_time> wall_due, std::optional<steady_time> steady_due, const Lock& lock);
    template <class Key>
    void push_due(IndexedHeap<Key>& heap, std::uint32_t item, Key key, const Lock& lock);
    [[nodiscard]] static std::optional<sys_time> next_run_of(const Job& job, sys_time wall, steady_time steady);
    void await_next_completion(Job& job, const Lock& lock);
    void retire_if_over(Job& job, const Lock& lock);
    void forget(const JobPtr& job, const Lock& lock);

    // In a fleet. What follows runs on its thread, unless it says otherwise.
    class FleetRound;
    struct AskedFor;
    struct Claimed { ///< what was decided about one job, and is claimed together
        JobPtr job;
        Decisions decisions = {};
        std::vector<ExecutionId> ids = {};
        std::shared_ptr<AskedFor> asked = {}; ///< of a trigger
    };
    struct ClaimRound;
    void join_fleet();
    void leave_fleet() noexcept;
    void check_fleet(const JobOptions& options, const Schedule& schedule, const char* command) const;
    StoreDeadline fleet_round(const FleetNews& news, bool is_seated);
    void resume_intake();
    void stop_unleased();
    void claim_due();
    void claim(Dues& batch);
    void claim_one(Due& due, const JobStanding& standing, ClaimRound& round);
    void commit(ClaimRound& round);
    void add_claims(Claimed& claimed, ClaimRound& round);
    void claim_later(const JobPtr& job, std::chrono::nanoseconds wait = std::chrono::milliseconds{100});
    void settle_doubt(const JobStanding& standing);
    void carry_out_claimed(Claimed& claimed);
    void undo_claimed(Claimed& claimed);
    void claim_asked_for();
    TriggerReport trigger_in_fleet(std::string_view id, TriggerOptions options);
    void answer(const std::shared_ptr<AskedFor>& asked, bool is_refused);
    void await_claims();
    void release(const OccurrencePtr& occurrence, const Lock& lock);
    void release(const OccurrencePtr& occurrence) {
        if (fleet_ != nullptr) { release(occurrence, Lock{mutex_}); }
    }
    void follow_claims();
    void follow_jobs();
    void follow_job(const StoredJob& stored, const std::map<std::string, std::uint64_t, std::less<>>& revisions);
    void ask_about_stale();
    void take_over();
    void take_over_one(TakenOver& left, bool& is_store_asked);
    void lose_seat();
    void await_due();
    [[nodiscard]] bool may_start() const noexcept;

    // One occurrence.
    OccurrencePtr admit(const Admission& from, Decisions& decisions, const Lock& lock);
    void skip(const Admission& from, SkipReason reason, Decisions& decisions) const;
    void reserve_place(const Lock& lock);
    void take_place(const OccurrencePtr& occurrence, const Lock& lock) noexcept;
    void cancel_active(const JobPtr& job, Decisions& decisions, const Lock& lock);
    static void decide_end(const OccurrencePtr& occurrence, SkipReason reason, Decisions& decisions);
    void drop(const OccurrencePtr& occurrence, SkipReason reason, const Lock& lock);
    ExecutionId carry_out(Decisions& decisions);
    ExecutionId carry_out_one(Decision& decision, std::size_t& posts);
    ExecutionId take_back(const OccurrencePtr& occurrence);
    ExecutionId hand_over(Decision& decision, std::size_t& posts);
    [[nodiscard]] Execution record_queued(const Occurrence& occurrence, std::uint32_t attempt);
    bool release_next(const JobPtr& job, const Lock& lock);
    bool begin_resumed(const JobPtr& job, steady_time due, const Lock& lock) noexcept;
    std::size_t release_owed(std::vector<OccurrencePtr>& dropped, const Lock& lock);
    void enqueue(const OccurrencePtr& occurrence, const Lock& lock);
    [[nodiscard]] OccurrencePtr take_ready(std::vector<OccurrencePtr>& dropped, const Lock& lock);
    bool unpark(ConcurrencyGroup& group, std::vector<OccurrencePtr>& dropped, const Lock& lock);
    [[nodiscard]] bool needs_post(const Lock& lock);
    void post(std::size_t count);
    void flush_posts();
    bool run_one();
    void note_start(Occurrence& occurrence, const ClockReading& now, const Lock& lock);
    void set_deadline(const OccurrencePtr& occurrence);
    void run_body(const OccurrencePtr& occurrence);
    void begin_body(const OccurrencePtr& occurrence, JobContext::Attempt attempt);
    void body_returned(const OccurrencePtr& occurrence, JobStatus status, Ref<RefCounted> result,
                       const std::string& error, const std::exception_ptr& exception);
    void end_occurrence(const OccurrencePtr& occurrence, const Lock& lock);
    enum class Returning : std::uint8_t { now, before }; ///< the body: on this thread, or while its end was decided
    void settle_return(const OccurrencePtr& occurrence, Returning returning);
    [[nodiscard]] EndNote note_end(Job& job, JobStatus status, const Lock& lock);
    void record_end(Occurrence& occurrence, JobStatus status, Ref<RefCounted> result, const std::string& error,
                    Finality finality, const EndNote& note);
    void skip_queued(const Occurrence& occurrence, const Execution& execution, SkipReason reason);
    void tell_skip(const JobPlan& plan, const std::string& id, const SkipStart& skip, ExecutionId record) const;
    void expire(const OccurrencePtr& occurrence, Decisions& decisions, const Lock& lock);
    void time_out(const Decision& decision);
    void replace_worker(const OccurrencePtr& occurrence);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> ask_retry(const RetryPolicy& policy,
                                                                    const Failure& failure) const;
    [[nodiscard]] static std::optional<std::chrono::nanoseconds> redelivery(const Occurrence& occurrence);
    Finality was_abandoned(Occurrence& occurrence, Finality finality);
    [[nodiscard]] bool may_retry(const Occurrence& occurrence, const Lock& lock) const;
    void set_retry(Occurrence& occurrence, std::optional<std::chrono::nanoseconds> delay, const Lock& lock) const;
    [[nodiscard]] std::uint64_t random() const noexcept;
    [[nodiscard]] static std::uint64_t seed_of(const AnyClock& clock) noexcept;

    // What the program is told.
    using Hook = std::function<void(const JobEvent&)>;
    static JobEvent event_of(const JobPlan& plan, const Occurrence* occurrence, const Execution& execution);
    void tell(const Hook& hook, const JobEvent& event) const;
    template <class Make>
    requires std::is_invocable_v<const Make&>
    void tell(const Hook& hook, const Make& make) const;
    void diagnose(std::string_view what) const;
    void tell_stale(const JobPtr& job, const JobEvent& event);
    void watch_staleness(Job& job, const Lock& lock);

    // The end.
    class Stopping;
    std::size_t close_admission(StopReport& report, Decisions& decisions, const Lock& lock);
    void abandon_queue(StopReport& report, Decisions& decisions, const Lock& lock);
    void ask_all_to_stop(Decisions& decisions, const Lock& lock);
    StopReport halt(std::chrono::nanoseconds grace);
    [[nodiscard]] bool is_started() const;
    [[nodiscard]] bool is_drained(const Lock& lock) const;
    void join();

    [[nodiscard]] JobPtr find(std::string_view id, const Lock& lock) const;
    [[nodiscard]] JobState state_of(const Job& job, const Lock& lock) const;
    [[nodiscard]] JobInfo describe(const Job& job, sys_time wall, steady_time steady, const Lock& lock) const;
    template <class Say>
    void tell_occurrence(const Occurrence& occurrence, sys_time wall, steady_time steady, const Say& say,
                         const Lock& lock) const;
    static void tell_plan(const JobPlan& plan, JobInfo& info);
    [[nodiscard]] bool is_idle(const Lock& lock) const;
    [[nodiscard]] static bool is_own_thread(const Occurrence& occurrence) noexcept {
        return occurrence.thread == std::this_thread::get_id();
    }

    /// While the scheduler's own work calls the program back on this thread (a schedule, a stop callback, a
    /// destructor): `stop` cannot wait for that work to end.
    template <class What>
    class Inside {
    public:
        explicit Inside(const SchedulerCore& core) noexcept : core_{&core}, before_{std::exchange(innermost(), this)} {}
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() { innermost() = before_; }

        [[nodiscard]] static bool is_inside(const SchedulerCore& core) noexcept {
            for (const Inside* at = innermost(); at != nullptr; at = at->before_) {
                if (at->core_ == &core) { return true; }
            }
            return false;
        }

    private:
        static const Inside*& innermost() noexcept {
            static thread_local const Inside* mine = nullptr;
            return mine;
        }
        const SchedulerCore* core_;
        const Inside* before_;
    };
    using AtWork = Inside<struct WorkTag>;
    using AtDispatch = Inside<struct DispatchTag>; // while this thread holds dispatch_mutex_
    using AtTimer = Inside<struct TimerTag>;       // the timer's own thread, or a worker on the watch
    using AtPlain = Inside<struct PlainTag>;       // while it hands over, the worker on the watch
    using AtFlush = Inside<struct FlushTag>;       // while posts are handed to the program's executor

    /// Kept by a worker that has nothing else to do, see scheduler_watch.hpp.
    class Watch final : public WorkerWatch {
    public:
        explicit Watch(SchedulerCore& core) noexcept : core_{core} {}
        void keep() noexcept override;
        void call() noexcept override { core_.alarm_.call_watcher(); }
        /// On the watch: whether one thing after another comes due, so that waking others is not worth it.
        [[nodiscard]] bool is_in_flood() const noexcept { return is_in_flood_; }

    private:
        SchedulerCore& core_;
        bool is_left_to_timer_ = false; // used on the watch only, as what follows
        bool is_in_flood_ = false;
        steady_time last_due_ = steady_time::min();
    };

    const SchedulerOptions options_;
    const std::shared_ptr<LogCore> log_;
    const AnyHandlers handlers_;

    mutable std::mutex mutex_;
    std::condition_variable changed_; // something ended; guarded by mutex_, as is all that follows
    std::map<std::string, JobPtr, std::less<>> jobs_;
    std::map<std::string, std::shared_ptr<const StoredJob>, std::less<>> stored_; // by an earlier process, and not here
    std::vector<StoredExecution> unfinished_;                                     // the same
    std::vector<JobPtr> by_index_;                                                // the items of the two heaps of jobs
    std::vector<std::uint32_t> free_indices_;
    std::uint64_t last_revision_ = 0;
    IndexedHeap<sys_time> wall_due_;
    IndexedHeap<steady_time> steady_due_; // also: when to forget a job that is over
    IndexedHeap<steady_time> stale_due_;
    Dues left_behind_;               // came due before their job was changed; the next dispatch settles them
    Decisions postponed_;            // could not be done for want of memory; the next dispatch tries again
    bool is_short_ = false;          // of memory: something has been put off
    bool owes_release_ = false;      // what waits for those before, or for its group, may be free to go on
    bool has_begun_resumed_ = false; // since the last poll
    std::map<const Job*, std::optional<JobEvent>>
        telling_stale_;                      // and, if it has recovered meanwhile, what to tell then
    std::vector<OccurrencePtr> occurrences_; // in progress or waiting; the items of attempts_due_
    std::vector<std::uint32_t> free_occurrences_;
    IndexedHeap<steady_time> attempts_due_; // deadlines of running ones, next attempts of failed ones
    ReadyQueue ready_;                      // may hold dropped ones
    std::map<std::string, ConcurrencyGroup, std::less<>> groups_; // those with a bound; none comes or goes
    std::size_t queued_ = 0;                                      // ready or waiting
    std::size_t running_ = 0;                                     // bodies
    std::size_t posted_ = 0;                                      // to the pool, by hand_over, and not begun
    std::size_t replaced_ = 0;           // workers started for bodies that go on after a timeout
    std::size_t paused_ = 0;             // jobs
    std::size_t stale_ = 0;              // the same
    std::optional<sys_time> last_start_; // of all executions
    std::optional<sys_time> last_success_;
    std::size_t busy_ = 0;                          // decisions being carried out, dispatches under way
    std::optional<sys_time> timeline_;              // the latest wall time that was seen
    std::vector<std::thread::id> stopping_threads_; // those that are inside stop
    enum class State : std::uint8_t { pending, started, stopping } state_ = State::pending;
    bool timer_may_end_ = false;
    bool is_written_last_ = false; // or has been tried

    // In a fleet:
    FleetMember* fleet_ = nullptr; // set once; null: this process has its store for itself, or none
    std::shared_ptr<FleetRound> fleet_round_;
    Dues to_claim_;                                  // guarded by mutex_: due, and not claimed yet
    std::list<std::shared_ptr<AskedFor>> asked_for_; // guarded by mutex_: triggers
    std::vector<JobPtr> stale_to_ask_;               // guarded by mutex_: perhaps others have run them
    std::vector<JobPtr> stale_for_sure_;             // guarded by mutex_
    std::size_t claiming_ = 0;              // guarded by mutex_: of what was due, in the hands of the fleet's thread
    bool waits_elsewhere_ = false;          // guarded by mutex_: something is barred
    std::optional<std::size_t> group_room_; // guarded by mutex_: of the job that is being claimed
    bool is_held_back_ = false;             // guarded by mutex_: something is ready, and may not start
    std::list<Claimed> doubtful_;           // the fleet's thread alone, as what follows
    std::list<TakenOver> taken_;            // and not seen to
    StoreDeadline next_refresh_{};
    StoreDeadline next_look_{};
    bool is_to_refresh_ = false;
    StoreDeadline round_end_{}; // what is not done by then waits for the next round

    std::mutex dispatch_mutex_; // one dispatch at a time; taken before mutex_
    std::mutex keep_mutex_;     // the store is told one thing after the other; taken before mutex_
    std::mutex join_mutex_;
    TimerAlarms alarm_; // its lock is taken before mutex_
    Watch watch_{*this};
    std::atomic<bool> is_timer_away_{false}; // perhaps in calls of the program
    std::shared_ptr<void> clock_token_;
    NamedThread timer_;                         // guarded by join_mutex_
    std::unique_ptr<WorkerPool> pool_;          // guarded by join_mutex_
    std::atomic<WorkerPool*> open_pool_{};      // the same one, from the start on
    std::atomic<bool> is_executor_open_{false}; // from the start on, where the program gave one
    std::atomic<std::size_t> posts_owed_{0};    // to that executor: it is called outside the scheduler's own work
    std::atomic<bool> is_refused_{false};       // the executor did not take the last post
    mutable std::atomic<std::uint64_t> random_state_{};
};

inline SchedulerOptions SchedulerCore::checked(SchedulerOptions options) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument{"SchedulerOptions: " + what}; };
    if (options.workers > WorkerPool::max_threads) { refuse("workers must be 0 to 4096"); }
    if (options.max_queue < 1 || options.max_queue > 1'000'000'000) { refuse("max_queue must be 1 to 1,000,000,000"); }
    const auto zero = std::chrono::nanoseconds::zero();
    if (options.timeout < zero) { refuse("timeout must not be negative; 0 is none"); }
    if (options.misfire_tolerance < zero) { refuse("misfire_tolerance must not be negative"); }
    if (options.misfire_grace < zero) { refuse("misfire_grace must not be negative"); }
    if (options.executor && options.workers == 0) {
        refuse("workers must not be 0 with an executor of the program's own");
    }
    if (options.coalescing < zero) { refuse("coalescing must not be negative"); }
    if (options.priority_worth < zero) { refuse("priority_worth must not be negative"); }
    for (const auto& [name, limit] : options.group_limits) {
        if (limit < 1) { refuse("group_limits: the limit of '" + name + "' must be at least 1"); }
    }
    if (options.completed_job_retention < zero) { refuse("completed_job_retention must not be negative"); }
    if (options.log.shards != 1) { refuse("log.shards must be 1: a scheduler records under a lock of its own"); }
    options.log.clock = options.clock;
    if (options.store) { options.log.store = options.store; }
    if (options.fleet) { options.log.fleet = options.fleet; }
    // Whatever waits or runs must find its record in flight; a retry is recorded before the place it waits in is known.
    options.log.max_running = std::max(options.log.max_running, 2 * options.max_queue + 2 * options.workers + 16);
    return options;
}

} // namespace daybook::inline v0::detail

#endif
