// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_MODEL_COUNTS_HPP
#define DAYBOOK_DETAIL_MODEL_COUNTS_HPP

/// @file
/// How many executions ended for each model: the value of an entry of their metadata, else their handler.

#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/hour_ring.hpp>
#include <daybook/detail/period_ring.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// One hour of one model.
struct ModelHour {
    PeriodKey key = no_period;
    std::uint64_t count = 0;

    void add(const ModelHour& other) noexcept { count += other.count; }
    [[nodiscard]] bool is_used() const noexcept { return count != 0; }
};

/// A bounded table: what comes when it is full is counted together.
class ModelCounts {
public:
    using Name = std::shared_ptr<const std::string>; // shared with snapshots that are being built
    static constexpr std::uint32_t rest = UINT32_MAX;

    struct Model {
        Name name = {};
        std::uint64_t count = 0;
        std::uint64_t base = 0; ///< the count when the hour under way began
        HourRing<ModelHour> hours = {};
    };

    explicit ModelCounts(std::size_t max_models) : max_models_{max_models} {}

    /// The number of a model, or `rest`. Compares hashes one by one, of which there are few.
    [[nodiscard]] std::uint32_t number_of(std::string_view name) noexcept {
        return number_of(name, [&] { return std::make_shared<const std::string>(name); });
    }

    /// The same for a name that is shared.
    [[nodiscard]] std::uint32_t number_of(const Name& name) noexcept {
        return number_of(*name, [&] { return name; });
    }

    void count(std::uint32_t number) noexcept { ++(number == rest ? rest_ : models_[number]).count; }

    /// O(models).
    void close_hour(PeriodKey key) noexcept {
        for (Model& model : models_) { close_hour(key, model); }
        close_hour(key, rest_);
    }

    /// All of them; the rest has no name. One more than `size()` numbers.
    [[nodiscard]] std::size_t size() const noexcept { return models_.size(); }
    [[nodiscard]] const Model& at(std::size_t number) const noexcept {
        return number < models_.size() ? models_[number] : rest_;
    }

    /// The executions of the hours `first` to `last`, of which `open` is under way.
    [[nodiscard]] static std::uint64_t sum_hours(const Model& model, PeriodKey first, PeriodKey last, PeriodKey open) {
        std::uint64_t sum = 0;
        model.hours.for_each(first, last, [&](const ModelHour& hour) { sum += hour.count; });
        if (open != no_period && open >= first && open <= last) { sum += model.count - model.base; }
        return sum;
    }

    /// What was counted elsewhere; as HandlerFigures::add.
    void add(const ModelCounts& other, bool is_over, PeriodKey key) noexcept {
        for (const Model& theirs : other.models_) {
            const std::uint32_t number = number_of(theirs.name);
            add(number == rest ? rest_ : models_[number], theirs, is_over, key);
        }
        add(rest_, other.rest_, is_over, key);
    }

    /// Starts anew. @returns What is to be destroyed outside of the lock.
    [[nodiscard]] ModelCounts retire() noexcept {
        ModelCounts retired{max_models_};
        std::swap(retired.models_, models_);
        std::swap(retired.hashes_, hashes_);
        std::swap(retired.rest_, rest_);
        return retired;
    }

    /// Outside of the object itself.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        std::size_t bytes = heap_bytes(models_) + heap_bytes(hashes_) + rest_.hours.memory_bytes();
        for (const Model& model : models_) {
            bytes += name_bytes + heap_bytes(*model.name) + model.hours.memory_bytes();
        }
        return bytes;
    }
    [[nodiscard]] std::size_t memory_limit(std::size_t longest_name) const noexcept {
        return heap_bytes(2 * max_models_ * sizeof(Model)) + heap_bytes(2 * (max_models_ + 8) * sizeof(std::size_t)) +
               (max_models_ + 1) * HourRing<ModelHour>::memory_limit() +
               max_models_ * (name_bytes + heap_bytes(longest_name + 1));
    }

private:
    static constexpr std::size_t counts_bytes = 16; // of std::make_shared
    static constexpr std::size_t name_bytes =
        heap_bytes(sizeof(std::string) + counts_bytes); // NOLINT(bugprone-sizeof-container): of the object

    template <class Share>
    [[nodiscard]] std::uint32_t number_of(std::string_view name, Share&& share) noexcept {
        const std::size_t hash = std::hash<std::string_view>{}(name);
        for (std::size_t i = 0; i < hashes_.size(); ++i) {
            if (hashes_[i] == hash && *models_[i].name == name) { return static_cast<std::uint32_t>(i); }
        }
        if (models_.size() >= max_models_) { return rest; }
        try {
            if (hashes_.size() == hashes_.capacity()) { hashes_.reserve(2 * hashes_.size() + 8); }
            models_.push_back({.name = share()});
            hashes_.push_back(hash);
            return static_cast<std::uint32_t>(models_.size() - 1);
        } catch (const std::bad_alloc&) { return rest; }
    }

    static void add(Model& mine, const Model& theirs, bool is_over, PeriodKey key) noexcept {
        mine.hours.add(theirs.hours);
        if (is_over && key != no_period) { mine.hours.add({.key = key, .count = theirs.count - theirs.base}); }
        mine.count += theirs.count;
        mine.base += is_over ? theirs.count : theirs.base;
    }

    static void close_hour(PeriodKey key, Model& model) noexcept {
        model.hours.close({.key = key, .count = model.count - model.base});
        model.base = model.count;
    }

    std::size_t max_models_;
    std::vector<Model> models_;
    std::vector<std::size_t> hashes_; // of their names
    Model rest_;
};

} // namespace daybook::inline v0::detail

#endif
