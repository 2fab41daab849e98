// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HANDLER_TABLE_HPP
#define DAYBOOK_DETAIL_HANDLER_TABLE_HPP

/// @file
/// Handlers by their two names, whatever they return.

#include <daybook/detail/job_function.hpp>
#include <daybook/detail/utf8.hpp>
#include <daybook/job/handler_info.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Calls a body that it shares with others: what a job owns that was made of a handler.
template <class Body>
struct SharedCallable {
    std::shared_ptr<Body> body;

    template <class... Arguments>
    requires std::is_invocable_v<Body&, Arguments...>
    decltype(auto) operator()(Arguments&&... arguments) const {
        return std::invoke(*body, std::forward<Arguments>(arguments)...);
    }
};

/// @par Thread safety
/// Shared objects: safe, every member. Bodies are made and destroyed outside the lock.
class HandlerTable {
public:
    struct Entry {
        std::shared_ptr<void> body;
        JobFunction (*make)(const std::shared_ptr<void>& body) = nullptr;
    };

    static void check(std::string_view handler_id, std::string_view method_name, std::string_view description) {
        if (handler_id.empty()) { throw std::invalid_argument{"a handler id must have 1 to 255 bytes, is empty"}; }
        check_size("a handler id must have 1 to 255 bytes", handler_id, max_name_bytes);
        check_size("a method name must have at most 255 bytes", method_name, max_name_bytes);
        check_size("a handler's description must have at most 1024 bytes", description, max_description_bytes);
    }

    void add(HandlerInfo info, Entry entry) {
        std::map<Key, Held, Order> one; // so that what is refused is destroyed outside the lock
        Key key{std::move(info.handler_id), std::move(info.method_name)};
        one.emplace(std::move(key), Held{std::move(entry), std::move(info.description)});
        const std::scoped_lock lock{mutex_};
        if (auto added = handlers_.insert(one.extract(one.begin())); !added.inserted) {
            const auto& [handler_id, method_name] = added.position->first;
            one.insert(std::move(added.node));
            throw std::invalid_argument{"there is a handler already with the " + names(handler_id, method_name)};
        }
    }

    bool remove(std::string_view handler_id, std::string_view method_name) {
        decltype(handlers_)::node_type node; // destroyed outside the lock
        const std::scoped_lock lock{mutex_};
        if (const auto place = handlers_.find(View{handler_id, method_name}); place != handlers_.end()) {
            node = handlers_.extract(place);
        }
        return !node.empty();
    }

    [[nodiscard]] std::optional<Entry> find(std::string_view handler_id, std::string_view method_name) const {
        const std::scoped_lock lock{mutex_};
        const auto place = handlers_.find(View{handler_id, method_name});
        if (place == handlers_.end()) { return std::nullopt; }
        return place->second.entry;
    }

    [[nodiscard]] std::vector<HandlerInfo> list() const {
        std::vector<HandlerInfo> all;
        const std::scoped_lock lock{mutex_};
        all.reserve(handlers_.size());
        for (const auto& [key, held] : handlers_) { all.push_back({key.first, key.second, held.description}); }
        return all;
    }

    /// A sentence: what is missing, and what there is instead, the nearest to it and not too much of it.
    [[nodiscard]] std::string explain_missing(std::string_view handler_id, std::string_view method_name) const {
        Listing methods;
        Listing handlers;
        {
            const std::scoped_lock lock{mutex_};
            std::string_view last;
            for (const auto& [key, held] : handlers_) {
                if (key.first == handler_id) { methods.add(key.second); }
                if (key.first != last) { handlers.add(key.first); }
                last = key.first;
            }
        }
        auto text = "there is no handler with the " + names(handler_id, method_name);
        if (!methods.text.empty()) { return text + "; its methods are " + methods.finished(); }
        if (!handlers.text.empty()) { return text + "; the handlers are " + handlers.finished(); }
        return text + "; none has been added";
    }

    [[nodiscard]] static std::string quoted(std::string_view name) {
        std::string text = "\"";
        text += limited_text(std::string{name}, max_name_bytes);
        text += '"';
        return text;
    }

private:
    static constexpr std::size_t max_name_bytes = 255;
    static constexpr std::size_t max_description_bytes = 1024;

    using Key = std::pair<std::string, std::string>;
    using View = std::pair<std::string_view, std::string_view>;

    struct Order {
        using is_transparent = void;
        bool operator()(const View& left, const View& right) const noexcept { return left < right; }
    };

    struct Held {
        Entry entry;
        std::string description;
    };

    struct Listing {
        std::string text;
        std::size_t count = 0;
        std::size_t shown = 0;

        void add(std::string_view name) {
            constexpr std::size_t most = 8;
            if (count++ >= most) { return; }
            if (shown++ != 0) { text += ", "; }
            text += quoted(name);
        }
        [[nodiscard]] std::string finished() const {
            return shown == count ? text : text + " and " + std::to_string(count - shown) + " more";
        }
    };

    static std::string names(std::string_view handler_id, std::string_view method_name) {
        auto text = "id " + quoted(handler_id);
        text += method_name.empty() ? std::string{" and no method"} : " and the method " + quoted(method_name);
        return text;
    }

    static void check_size(const char* rule, std::string_view text, std::size_t most) {
        if (text.size() > most) {
            throw std::invalid_argument{std::string{rule} + ", has " + std::to_string(text.size())};
        }
    }

    mutable std::mutex mutex_;
    std::map<Key, Held, Order> handlers_; // guarded by mutex_
};

} // namespace daybook::inline v0::detail

#endif
