// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PAGE_ROWS_HPP
#define DAYBOOK_DETAIL_PAGE_ROWS_HPP

/// @file
/// A page for who looks at each record once, to write it: nothing is allocated for each of them.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/types.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// A record as the log stores it, copied; its names stand elsewhere.
struct RecordRow {
    explicit RecordRow(const ExecutionSlot& slot, const RecordNames& names)
        : id{slot.id},
          occurrence_id{slot.occurrence_id},
          scheduled_at{slot.scheduled_at},
          queued_at{slot.queued_at},
          started_at{slot.started_at},
          steady{slot.steady},
          count{slot.count},
          blocks{slot.result, slot.error},
          extras{slot.extras ? std::make_unique<ExecutionExtras>(*slot.extras) : nullptr},
          worker{slot.worker},
          attempt_number{slot.attempt_number},
          job_size{static_cast<std::uint32_t>(names.job.size())},
          handler_size{static_cast<std::uint32_t>(names.handler.size())},
          method_size{static_cast<std::uint32_t>(names.method.size())},
          status{slot.status},
          reason{slot.reason},
          trigger{slot.trigger},
          dst{slot.dst},
          is_final{slot.is_final},
          count_is_minimum{slot.count_is_minimum},
          ran{slot.ran} {}

    [[nodiscard]] std::size_t names_size() const noexcept { return std::size_t{job_size} + handler_size + method_size; }

    ExecutionId id;
    OccurrenceId occurrence_id;
    std::int64_t scheduled_at;
    std::int64_t queued_at;
    std::int64_t started_at;
    std::int64_t steady;
    std::uint64_t count;
    RecordBlocks blocks;
    std::unique_ptr<ExecutionExtras> extras;
    std::uint32_t worker;
    std::uint32_t attempt_number;
    std::uint32_t job_size;
    std::uint32_t handler_size;
    std::uint32_t method_size;
    JobStatus status;
    SkipReason reason;
    Trigger trigger;
    ClockChange dst;
    bool is_final;
    bool count_is_minimum;
    bool ran;
};

/// Rows one after the other, and their names.
class RecordRows final : public RecordSink {
public:
    void make_room(std::size_t records) override {
        constexpr std::size_t usual_names = 64; // bytes of a record's three names; more are appended all the same
        rows_.reserve(rows_.size() + records);
        names_.reserve(names_.size() + records * usual_names);
    }

    void add(const ExecutionSlot& slot, const RecordNames& names) override {
        rows_.emplace_back(slot, names);
        names_.append(names.job).append(names.handler).append(names.method);
    }

    void arrange(const std::vector<std::size_t>& order) override {
        std::vector<std::size_t> begins;
        begins.reserve(rows_.size());
        std::size_t end = 0;
        for (const RecordRow& row : rows_) { begins.push_back(std::exchange(end, end + row.names_size())); }
        std::vector<RecordRow> rows;
        std::string names;
        rows.reserve(order.size());
        for (const std::size_t at : order) {
            names.append(names_, begins[at], rows_[at].names_size());
            rows.push_back(std::move(rows_[at]));
        }
        rows_.swap(rows);
        names_.swap(names);
    }

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

    /// Calls `use(record)` with each, which is overwritten with the next.
    template <class Result, class Use>
    void for_each(Use&& use) const {
        JobExecutionRecord<Result> record;
        std::string_view rest = names_;
        const auto next_name = [&](std::size_t size) {
            const auto name = rest.substr(0, size);
            rest.remove_prefix(size);
            return name;
        };
        for (const RecordRow& row : rows_) {
            RecordNames names;
            names.job = next_name(row.job_size);
            names.handler = next_name(row.handler_size);
            names.method = next_name(row.method_size);
            copy_facts(row, names, record);
            complete(record, row.blocks);
            use(static_cast<const JobExecutionRecord<Result>&>(record));
        }
    }

private:
    std::vector<RecordRow> rows_;
    std::string names_; ///< of each row three, one behind the other
};

/// What JobExecutionLog::query gives, with the records as rows.
template <class Result>
class PageRows {
public:
    /// @throws  As JobExecutionLog::query.
    PageRows(const JobExecutionLog<Result>& log, const ExecutionQuery& query) {
        if (auto stored = log.stored(query, statuses_of(query))) { // which has records, not rows
            facts_ = std::move(*stored);
        } else {
            facts_ = log.built(log.reader().query(query, rows_, result_search<Result>()), query.offset, {});
        }
    }

    /// A Page, whose records are to be had here.
    [[nodiscard]] const Page<Result>& facts() const noexcept { return facts_; }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size() + facts_.records.size(); }

    /// Calls `use(record)` with each, in order; the record lives as long as the call.
    template <class Use>
    void for_each(Use&& use) const {
        rows_.template for_each<Result>(use);
        for (const JobExecutionRecord<Result>& record : facts_.records) { use(record); }
    }

private:
    RecordRows rows_;
    Page<Result> facts_;
};

} // namespace daybook::inline v0::detail

#endif
