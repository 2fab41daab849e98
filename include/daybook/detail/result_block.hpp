// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RESULT_BLOCK_HPP
#define DAYBOOK_DETAIL_RESULT_BLOCK_HPP

/// @file
/// The one place where the type of a result is known: into a block when an execution ends, out of it when asked for.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/result_codec.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::inline v0::detail {

[[nodiscard]] inline Ref<TextBlock> make_text(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) { return TextBlock::make(text); }
    return TextBlock::make(limited_copy(text, max_bytes, text.size()));
}

/// What a result owns beyond itself, as far as its codec tells.
template <class Result>
[[nodiscard]] std::size_t bytes_outside(const Result& result) {
    if constexpr (requires {
                      { ResultCodec<Result>::memory_bytes(result) } -> std::convertible_to<std::size_t>;
                  }) {
        return ResultCodec<Result>::memory_bytes(result);
    } else {
        return 0;
    }
}

/// Nothing for a job that returns nothing; text in one allocation; anything else as it is. What cannot own memory needs
/// no codec, since there is nothing to cut.
template <class Result>
[[nodiscard]] Ref<RefCounted> make_result_block(Result&& result, std::size_t max_bytes) {
    if constexpr (std::is_same_v<Result, std::monostate>) {
        return {};
    } else if constexpr (std::is_same_v<Result, std::string>) {
        return make_text(result, max_bytes);
    } else if constexpr (std::is_trivially_copyable_v<Result>) {
        return Ref<RefCounted>{new ValueBlock<Result>{std::forward<Result>(result)}};
    } else {
        static_assert(
            requires { sizeof(ResultCodec<Result>); },
            "the type that the jobs return needs daybook::ResultCodec<Result>, which keeps it within bounds "
            "and writes it as JSON: see log/result_codec.hpp; nlohmann::json has one in its adapter");
        Result limited = ResultCodec<Result>::limited(std::forward<Result>(result), max_bytes);
        const std::size_t outside = bytes_outside(limited);
        return Ref<RefCounted>{new ValueBlock<Result>{std::move(limited), outside}};
    }
}

inline void put_text(std::optional<std::string>& to, std::string_view text) {
    if (to) {
        to->assign(text);
    } else {
        to.emplace(text);
    }
}

/// What a record lacks that was made under the lock; what another left there is overwritten.
template <class Result>
void complete(JobExecutionRecord<Result>& record, const RecordBlocks& blocks) {
    if (blocks.error) {
        put_text(record.error, blocks.error->text());
    } else {
        record.error.reset();
    }
    if (!blocks.result) {
        record.result.reset();
    } else if constexpr (std::is_same_v<Result, std::string>) {
        put_text(record.result, static_cast<const TextBlock*>(blocks.result.get())->text());
    } else {
        record.result = static_cast<const ValueBlock<Result>*>(blocks.result.get())->value();
    }
}

template <class Result>
[[nodiscard]] JobExecutionRecord<Result> make_record(RawRecord&& raw) {
    JobExecutionRecord<Result> record{std::move(raw.facts), {}};
    complete(record, raw.blocks);
    return record;
}

/// Builds a page's records where they stay.
template <class Result>
class RecordBuilder final : public RecordSink {
public:
    void make_room(std::size_t records) override {
        records_.reserve(records_.size() + records);
        blocks_.reserve(blocks_.size() + records);
    }

    void add(const ExecutionSlot& slot, const RecordNames& names) override {
        blocks_.push_back({slot.result, slot.error});
        copy_facts(slot, names, records_.emplace_back());
    }

    void arrange(const std::vector<std::size_t>& order) override {
        std::vector<JobExecutionRecord<Result>> records;
        std::vector<RecordBlocks> blocks;
        records.reserve(order.size());
        blocks.reserve(order.size());
        for (const std::size_t at : order) {
            records.push_back(std::move(records_[at]));
            blocks.push_back(std::move(blocks_[at]));
        }
        records_.swap(records);
        blocks_.swap(blocks);
    }

    /// All of them; not under the lock.
    [[nodiscard]] std::vector<JobExecutionRecord<Result>> take() {
        for (std::size_t index = 0; index < blocks_.size(); ++index) { complete(records_[index], blocks_[index]); }
        return std::move(records_);
    }

private:
    std::vector<JobExecutionRecord<Result>> records_;
    std::vector<RecordBlocks> blocks_; ///< of each record
};

} // namespace daybook::inline v0::detail

#endif
