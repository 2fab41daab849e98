// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_WRITER_HPP
#define DAYBOOK_DETAIL_STORE_WRITER_HPP

/// @file
/// Writes a log behind it: what has changed goes to the store in batches, on a thread of its own.

#include <daybook/detail/counter_book.hpp>
#include <daybook/detail/fleet_member.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/result_text.hpp>
#include <daybook/detail/store_hand.hpp>
#include <daybook/detail/store_journal.hpp>
#include <daybook/detail/store_retry.hpp>
#include <daybook/detail/stored_stats.hpp>
#include <daybook/detail/thread.hpp>
#include <daybook/log/any_store.hpp>
#include <daybook/log/storing_options.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace daybook::inline v0::detail {

/// @par Thread safety
/// Every public member may be called from any thread, under no lock of the log.
class StoreWriter final : private FleetHost {
public:
    /// Opens the store, or joins a fleet. @throws StoreError  It cannot be opened.
    StoreWriter(LogCore& log, ResultText result_text, Leftovers leftovers);
    StoreWriter(const StoreWriter&) = delete;
    StoreWriter& operator=(const StoreWriter&) = delete;
    /// Writes what is left, within one call's time.
    ~StoreWriter();

    [[nodiscard]] const AnyStore& store() const noexcept { return store_; }

    /// What this process is called in the records, and was called in that of an id.
    [[nodiscard]] std::string node() const { return node_of(std::numeric_limits<ExecutionId>::max()); }
    [[nodiscard]] std::string node_of(ExecutionId id) const;

    /// Null: this process has the store for itself.
    [[nodiscard]] FleetMember* fleet() const noexcept { return member_.get(); }

    /// When a call that begins now has to be back.
    [[nodiscard]] StoreDeadline deadline() const {
        return Clock::now() + std::chrono::duration_cast<Clock::duration>(options_.timeout);
    }

    /// All nominal times of the job up to this one have their record by now. Of no effect in a fleet, where claims say
    /// so.
    void account(std::string_view job_id, sys_time until);

    /// To be written behind, in this order; the latest of an id counts.
    /// An `accounted_to` earlier than what was accounted for already counts as that.
    void save_job(StoredJob job);
    void erase_job(std::string id);

    /// Whether all that was recorded before the call is written by then. Not on the writer's own thread.
    bool flush(StoreDeadline deadline);

    /// What an earlier process has left: unfinished, or failed with a retry promised. Once.
    [[nodiscard]] std::vector<StoredExecution> take_unfinished();
    [[nodiscard]] std::vector<StoredJob> take_jobs();

    /// Ends what an earlier process has left unfinished, for good: of a fleet, what has no seat.
    void abandon_unfinished();

    /// The end of a record that a process has left that is gone; it is counted.
    void settle(StoredExecution execution, Known known = Known::by_record);

    /// A claim is over. It goes once what was recorded before the call is written.
    void release(ExecutionId claim);

    /// Removes what has finished, there and in the log. @returns How many records that were.
    /// @throws StoreError  It cannot.
    std::uint64_t clear();

    [[nodiscard]] StoreHealth health() const;

    /// What of it is asked often, without asking for memory.
    [[nodiscard]] bool is_available() const noexcept {
        const std::scoped_lock lock{mutex_};
        return health_.is_available;
    }
    [[nodiscard]] std::size_t waiting() const noexcept {
        std::size_t count = 0;
        {
            const std::scoped_lock lock{mutex_};
            count = in_hand_ + settled_.size();
        }
        const std::scoped_lock lock{log_.mutex_};
        return count + log_.journal_->size();
    }

private:
    using Clock = std::chrono::steady_clock;

    enum class Fold : std::uint8_t { all, outdated };
    static constexpr std::size_t most_to_tell = 16;
    void open();
    void end() noexcept;
    FleetSeat rejoin(const FleetOpening& opening, StoreDeadline deadline) override;
    [[nodiscard]] bool needs_ids() const override;
    void add_ids(const IdBlock& block) override;
    void end_left(std::vector<TakenOver> left) override;
    void tell_of_fleet(std::string_view error) noexcept override;
    void add_seat(const FleetSeat& seat);
    void count_anew(const FleetSeat& seat);
    void count_since_clear();
    [[nodiscard]] bool is_ours(StoredExecution& execution, const FreshFacts& facts) const;
    void tidy();
    void fold(Fold what);
    void run();
    [[nodiscard]] bool fill();
    void begin_round();
    enum class Take : std::uint8_t { round, all };
    [[nodiscard]] bool take_entries(std::size_t most, Take what);
    void put_in_batch();
    void put_in_batch(JournalEntry& entry);
    [[nodiscard]] StoredExecution stored(RawRecord& record, std::int64_t position) const;
    void count(const StoredExecution& execution, FreshFacts& facts);
    [[nodiscard]] bool write();
    bool write_all();
    void write_jobs();
    bool write_executions(std::span<const StoredExecution> executions, bool ends);
    void write_one_by_one(const StoreError& why);
    void prune();
    void written(std::size_t records);
    void round_over(std::uint64_t round);
    void failed(const char* what) noexcept;
    void tell(std::string_view error) noexcept;
    [[nodiscard]] StoreDeadline own_deadline() const { return end_ ? std::min(deadline(), *end_) : deadline(); }
    void take_told();
    void tell_all() noexcept;
    void rest(bool is_done);
    [[nodiscard]] bool is_over(bool is_done);
    [[nodiscard]] bool has_news(const std::scoped_lock<std::mutex>& /*lock*/) const noexcept {
        return !accounted_.empty() || !jobs_.empty() || !settled_.empty() || !released_.empty() || !fleet_told_.empty();
    }
    [[nodiscard]] bool is_ending() const {
        const std::scoped_lock lock{mutex_};
        return is_ending_;
    }

    LogCore& log_;
    const StoringOptions& options_;
    const AnyStore store_;
    const ResultText result_text_;
    WakeUp awake_;

    std::mutex io_mutex_; // held while something is taken or written; the log's lock and mutex_ come after it
    std::optional<CounterBook> book_; // guarded by io_mutex_, as is what follows; always there
    BatchInHand batch_;
    std::deque<JournalEntry> taken_;                      // out of the journal, and not in the batch yet
    std::unordered_map<ExecutionId, std::size_t> places_; // in the batch
    TimesOfJobs round_accounted_;                         // goes with the last batch of the round, as what follows
    KeptJobs round_jobs_;
    std::vector<ExecutionId> round_released_;
    TimesOfJobs reached_; // the accounted times that are written
    std::uint64_t told_lost_ = 0;
    Clock::time_point next_prune_{};
    Clock::time_point next_fold_{};
    StoreRetry retry_;
    std::vector<std::string> to_tell_;
    std::optional<Clock::time_point> end_; // of the attempts to write what is left

    mutable std::mutex mutex_;
    std::condition_variable changed_; // a round is over, or a try has failed
    TimesOfJobs accounted_;           // guarded by mutex_, as is what follows
    KeptJobs jobs_;
    std::vector<Settled> settled_;
    std::vector<ExecutionId> released_;
    std::vector<std::string> fleet_told_;                    // for on_error
    std::vector<std::pair<ExecutionId, std::string>> seats_; // since what id the process is called so; never empty
    std::vector<StoredExecution> unfinished_;
    std::vector<StoredJob> earlier_jobs_;
    std::uint64_t asked_round_ = 0; // a flush waits for this one
    std::uint64_t begun_round_ = 0;
    std::uint64_t written_round_ = 0; // all that was there when it began is written
    std::uint64_t failed_tries_ = 0;
    std::size_t in_hand_ = 0; // records of the batch
    StoreHealth health_;
    bool is_idle_ = false; // sleeps until it is woken
    bool is_ending_ = false;

    std::unique_ptr<FleetMember> member_; // set once, before the thread begins
    NamedThread thread_;
};

/// What a process calls itself where the program does not say.
[[nodiscard]] inline std::string default_node(sys_time began) {
    std::string name = "process";
#if defined(__unix__) || defined(__APPLE__)
    std::array<char, 128> host{};
    if (::gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') { name = host.data(); }
    name += ":" + std::to_string(::getpid());
#endif
    return name + ":" + std::to_string(began.time_since_epoch().count() / 1000);
}

inline StoreWriter::StoreWriter(LogCore& log, ResultText result_text, Leftovers leftovers)
    : log_{log},
      options_{log.options().storing},
      store_{log.options().store},
      result_text_{result_text},
      retry_{options_.first_retry, options_.longest_retry} {
    to_tell_.reserve(most_to_tell);
    std::string name = options_.node.empty() ? default_node(log.options().clock.now()) : options_.node;
    if (log.options().fleet) {
        FleetHost& host = *this;
        member_ = std::make_unique<FleetMember>(store_, log.options(), std::move(name), leftovers, host);
        name = member_->node();
    } else {
        store_.open({.node = name}, deadline());
    }
    try {
        book_.emplace(name, log.options(), log.options().clock.now());
        seats_.emplace_back(0, std::move(name));
        open();
        thread_ = NamedThread{"daybook-store", {}, [this] { run(); }};
        if (member_) { member_->start(); }
    } catch (...) {
        end();
        throw;
    }
}

inline StoreWriter::~StoreWriter() { end(); }

/// The lease is renewed until the last is written.
inline void StoreWriter::end() noexcept {
    {
        const std::scoped_lock lock{mutex_};
        is_ending_ = true;
    }
    awake_.wake();
    thread_.join();
    if (member_) { member_->stop(); }
    store_.close();
}

inline void StoreWriter::open() {
    // Ids grow with time, so that those of an earlier process are smaller; below 2^53, for readers that count in
    // doubles. 4096 for each millisecond since 2020 are more than are ever used.
    constexpr sys_time since = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
    constexpr ExecutionId spare = 1U << 20U; // what was handed over later than what started last
    const auto age = std::chrono::floor<std::chrono::milliseconds>(log_.options().clock.now() - since).count();
    ExecutionId next = age > 0 ? static_cast<ExecutionId>(age) << 12U : 1;
    const StoreQuery newest{.status = statuses_of({.skips = Skips::include}), .limit = 1};
    std::int64_t last_position = 0;
    for (const StoredExecution& execution : store_.read(newest, deadline()).executions) {
        next = std::max(next, execution.id + spare);
        last_position = execution.position;
    }
    if (member_) {
        tidy();
    } else {
        fold(Fold::all);
    }
    unfinished_ = store_.unfinished(deadline());
    earlier_jobs_ = store_.jobs(deadline());
    const std::scoped_lock lock{log_.mutex_};
    if (member_) {
        const FleetSeat& seat = member_->first_seat();
        log_.ids_left_.begin_with({.first_id = seat.first_id, .id_count = seat.id_count});
    } else {
        log_.ids_left_.begin_at(next);
    }
    log_.journal_ = std::make_unique<StoreJournal>(options_.max_buffered, last_position, awake_);
}

/// What processes before this one have counted becomes one row each, and periods that nobody asks about any more go.
inline void StoreWriter::fold(Fold what) {
    const std::vector<StoredCounters> rows = store_.counters(deadline());
    const sys_time now = log_.options().clock.now();
    const bool is_over = std::ranges::any_of(rows, [&](const StoredCounters& row) { return is_outdated(row, now); });
    if (what == Fold::all && !rows.empty()) {
        store_.fold_counters(folded(rows, earlier_node, log_.options(), now), deadline());
    } else if (is_over) {
        std::vector<StoredCounters> kept = rows;
        std::erase_if(kept, [&](const StoredCounters& row) { return is_outdated(row, now); });
        store_.fold_counters(kept, deadline());
    }
    next_fold_ = Clock::now() + std::chrono::hours{6};
}

inline void StoreWriter::account(std::string_view job_id, sys_time until) {
    if (member_) { return; }
    const std::scoped_lock lock{mutex_};
    raise(accounted_, std::string{job_id}, until);
    if (std::exchange(is_idle_, false)) { awake_.wake(); }
}

inline void StoreWriter::save_job(StoredJob job) {
    const std::scoped_lock lock{mutex_};
    KeptJob& change = jobs_[job.id];
    change.follow({.saved = std::move(job)});
    awake_.wake();
}

inline void StoreWriter::erase_job(std::string id) {
    const std::scoped_lock lock{mutex_};
    jobs_[std::move(id)].follow({.is_erased = true});
    awake_.wake();
}

inline void StoreWriter::settle(StoredExecution execution, Known known) {
    const std::scoped_lock lock{mutex_};
    settled_.push_back({std::move(execution), known});
    awake_.wake();
}

inline void StoreWriter::release(ExecutionId claim) {
    const std::scoped_lock lock{mutex_};
    released_.push_back(claim);
    awake_.wake();
}

inline void StoreWriter::abandon_unfinished() {
    for (StoredExecution& left : take_unfinished()) {
        if (is_finished(left.status)) { continue; }
        left.status = JobStatus::abandoned;
        left.completed_at = log_.options().clock.now();
        left.is_final = true;
        settle(std::move(left));
    }
}

inline std::vector<StoredExecution> StoreWriter::take_unfinished() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(unfinished_, {});
}

inline std::vector<StoredJob> StoreWriter::take_jobs() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(earlier_jobs_, {});
}

inline bool StoreWriter::flush(StoreDeadline deadline) {
    if (std::this_thread::get_id() == thread_.id()) { return false; } // it would wait for itself
    std::unique_lock lock{mutex_};
    if (!health_.is_available) { return false; } // it is tried again in its own time
    const std::uint64_t wanted = begun_round_ + 1;
    const std::uint64_t failed_before = failed_tries_;
    asked_round_ = std::max(asked_round_, wanted);
    awake_.wake();
    changed_.wait_until(lock, std::min(deadline, Clock::now() + std::chrono::hours{24}),
                        [&] { return written_round_ >= wanted || failed_tries_ != failed_before; });
    return written_round_ >= wanted;
}

inline StoreHealth StoreWriter::health() const {
    StoreHealth health;
    {
        const std::scoped_lock lock{mutex_};
        health = health_;
    }
    health.waiting = waiting();
    const std::scoped_lock lock{log_.mutex_};
    health.lost += log_.journal_->lost();
    return health;
}

inline std::uint64_t StoreWriter::clear() {
    // What has ended by now is written first: the store would show it as running for ever.
    std::uint64_t up_to = 0;
    {
        const std::scoped_lock lock{log_.mutex_};
        up_to = log_.finished_.next_rank();
    }
    const bool is_written = flush(deadline());
    const std::scoped_lock writing{io_mutex_};
    if (!is_written || batch_.is_refused) {
        throw StoreError{StoreFailure::unavailable, "the store does not take what was recorded: nothing is cleared"};
    }
    const std::uint64_t removed = store_.clear(deadline());
    book_->clear(log_.options().clock.now());
    log_.clear(up_to);
    return removed;
}

inline void StoreWriter::run() {
    while (true) {
        bool is_done = false;
        {
            const std::scoped_lock writing{io_mutex_};
            try {
                take_told();
                if (is_ending() && !end_) { end_ = deadline(); }
                is_done = !fill() || write();
                if (is_done && !end_) { prune(); }
            } catch (const std::exception& error) { // no memory; what was taken is still in hand
                is_done = false;
                failed(error.what());
            } catch (...) {
                is_done = false;
                failed("the store has thrown something that is no exception");
            }
        }
        tell_all();
        if (!is_ending()) {
            rest(is_done);
        } else if (is_over(is_done)) {
            return;
        }
    }
}

/// At the end: whether nothing is left to write, or no more time to try. Waits for the next try.
inline bool StoreWriter::is_over(bool is_done) {
    if (!end_) { return false; } // it was asked for right now
    if (Clock::now() >= *end_) { return true; }
    if (!is_done) {
        awake_.sleep(std::min(*end_, Clock::now() + retry_.delay()));
        return false;
    }
    bool has_more = !taken_.empty() || !round_jobs_.empty() || !round_accounted_.empty() || !round_released_.empty();
    {
        const std::scoped_lock lock{mutex_};
        has_more = has_more || has_news(lock);
    }
    const std::scoped_lock lock{log_.mutex_};
    return !has_more && log_.journal_->size() == 0;
}

/// Sleeps until there is something to do, or the time for the next try has come.
inline void StoreWriter::rest(bool is_done) {
    if (!is_done) { return awake_.sleep(Clock::now() + retry_.delay()); }
    bool is_asked = false;
    bool is_waiting = false;
    {
        const std::scoped_lock lock{mutex_};
        is_asked = asked_round_ > written_round_ || is_ending_;
        is_waiting = has_news(lock);
    }
    if (is_asked) { return; }
    {
        const std::scoped_lock lock{log_.mutex_};
        const std::size_t size = log_.journal_->size();
        if (size >= options_.batch) { return; }
        if (log_.journal_->left_of_round() != 0) { return; }
        is_waiting = is_waiting || size != 0;
        log_.journal_->wake_at(is_waiting ? options_.batch : 1);
    }
    if (!is_waiting) {
        const std::scoped_lock lock{mutex_};
        is_waiting = has_news(lock) || asked_round_ > written_round_;
        is_idle_ = !is_waiting;
    }
    if (is_waiting) { return awake_.sleep(Clock::now() + options_.flush_interval); }
    const bool prunes = options_.max_age.count() != 0 || options_.max_records != 0;
    awake_.sleep(prunes ? std::optional{next_prune_} : std::nullopt);
}

} // namespace daybook::inline v0::detail

#endif
