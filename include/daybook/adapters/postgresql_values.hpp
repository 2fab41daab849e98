// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_VALUES_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_VALUES_HPP

/// @file
/// Values between a program and PostgreSQL in the binary format of its protocol, which is exact, needs no quoting and
/// costs the least time: parameters, arrays of a column, and the rows of a result.

#include <daybook/adapters/sql_rows.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/types.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// The types that the store's columns have, by the numbers that PostgreSQL gives them (its pg_type.dat).
enum class PostgresqlType : Oid {
    boolean = 16,
    bigint = 20,
    text = 25,
    double_precision = 701,
    timestamptz = 1184,
    jsonb = 3802,
};

[[nodiscard]] constexpr PostgresqlType postgresql_type(sql::ColumnType type) noexcept {
    switch (type) {
    case sql::ColumnType::integer: return PostgresqlType::bigint;
    case sql::ColumnType::real: return PostgresqlType::double_precision;
    case sql::ColumnType::boolean: return PostgresqlType::boolean;
    case sql::ColumnType::text: return PostgresqlType::text;
    case sql::ColumnType::instant: return PostgresqlType::timestamptz;
    case sql::ColumnType::json: return PostgresqlType::jsonb;
    }
    return PostgresqlType::text;
}

/// The type of an array of these.
[[nodiscard]] constexpr Oid postgresql_array_type(PostgresqlType element) noexcept {
    switch (element) {
    case PostgresqlType::boolean: return 1000;
    case PostgresqlType::bigint: return 1016;
    case PostgresqlType::text: return 1009;
    case PostgresqlType::double_precision: return 1022;
    case PostgresqlType::timestamptz: return 1185;
    case PostgresqlType::jsonb: return 3807;
    }
    return 0;
}

/// Microseconds since 2000, as PostgreSQL counts. Nothing lies before 4713 BC there: earlier instants become the
/// earliest one. Its last one, in the year 294276, is later than any sys_time.
[[nodiscard]] constexpr std::int64_t postgresql_instant(sys_time instant) noexcept {
    constexpr std::int64_t from_1970_to_2000 = 946'684'800'000'000;
    constexpr std::int64_t earliest = -211'813'488'000'000'000;
    const std::int64_t micros = instant.time_since_epoch().count();
    return micros < earliest + from_1970_to_2000 ? earliest : micros - from_1970_to_2000;
}

/// The way back; what is later than any sys_time, "infinity" for instance, is the last one, and "-infinity" the first.
[[nodiscard]] constexpr sys_time from_postgresql_instant(std::int64_t micros) noexcept {
    constexpr std::int64_t from_1970_to_2000 = 946'684'800'000'000;
    if (micros == std::numeric_limits<std::int64_t>::min()) { return sys_time::min(); }
    if (micros > std::numeric_limits<std::int64_t>::max() - from_1970_to_2000) { return sys_time::max(); }
    return sys_time{std::chrono::microseconds{micros + from_1970_to_2000}};
}

/// Appends `text` as PostgreSQL can keep it: a byte 0, and each byte that is not part of a UTF-8 character (RFC 3629),
/// become U+FFFD, the replacement character. One such text would otherwise have the server refuse a whole batch.
inline void append_postgresql_text(std::string& to, std::string_view text) {
    const auto character = [&text](std::size_t at) -> std::size_t { // its length; 0: none begins here
        const auto byte = [&](std::size_t index) {
            return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
        };
        const unsigned lead = byte(at);
        if (lead < 0x80) { return lead != 0 ? 1 : 0; }
        if (lead < 0xC2 || lead > 0xF4) { return 0; }
        const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (byte(at + 1) < low || byte(at + 1) > high) { return 0; }
        for (std::size_t index = at + 2; index < at + length; ++index) {
            if (byte(index) < 0x80 || byte(index) > 0xBF) { return 0; }
        }
        return length;
    };
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        // Most text is ASCII: eight bytes at a time, as long as none has its high bit and none is 0.
        for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
            std::memcpy(&word, text.data() + at, sizeof word);
            if (((word | (word - 0x0101'0101'0101'0101)) & 0x8080'8080'8080'8080) != 0) { break; }
        }
        while (at < text.size() && static_cast<signed char>(text[at]) > 0) { ++at; }
        if (at == text.size()) { break; }
        if (const std::size_t length = character(at); length != 0) {
            at += length;
            continue;
        }
        to.append(text.substr(begin, at - begin)).append("\xEF\xBF\xBD");
        begin = ++at;
    }
    to.append(text.substr(begin));
}

/// Appends JSON as jsonb can keep it: as append_postgresql_text does, and the escape of a byte 0, which jsonb refuses,
/// becomes U+FFFD too.
inline void append_postgresql_json(std::string& to, std::string_view json) {
    for (auto at = json.find('\\'); at != std::string_view::npos; at = json.find('\\', at)) {
        const bool is_zero = json.substr(at, 6) == "\\u0000";
        append_postgresql_text(to, json.substr(0, is_zero ? at : at + 2));
        if (is_zero) { to += "\xEF\xBF\xBD"; }
        json.remove_prefix(std::min(json.size(), at + (is_zero ? 6 : 2)));
        at = 0;
    }
    append_postgresql_text(to, json);
}

/// Numbers as the protocol has them: the most significant byte first.
struct PostgresqlBytes {
    template <std::integral Number>
    void number(Number value) {
        auto rest = static_cast<std::make_unsigned_t<Number>>(value);
        char swapped[sizeof(Number)];
        for (std::size_t index = sizeof(Number); index-- > 0;) {
            swapped[index] = static_cast<char>(rest & 0xFFU);
            if constexpr (sizeof(Number) > 1) { rest >>= 8U; }
        }
        bytes.append(swapped, sizeof(Number));
    }
    void number(double value) { number(std::bit_cast<std::uint64_t>(value)); }

    /// Writes a length that was not known before.
    void overwrite(std::size_t at, std::uint32_t value) {
        for (std::size_t index = 4; index-- > 0; value >>= 8U) { bytes[at + index] = static_cast<char>(value & 0xFFU); }
    }

    std::string bytes = {};
};

/// One column of a batch: an array with a value for each row.
class PostgresqlColumn {
public:
    explicit PostgresqlColumn(PostgresqlType type) : type_{type} {
        for (const auto field : {1U, 0U, static_cast<unsigned>(type_), 0U, 1U}) {
            bytes_.number(
                static_cast<std::uint32_t>(field)); // dimensions, nulls, type, elements, the first one's index
        }
    }

    void add_null() {
        has_null_ = true;
        bytes_.number(std::int32_t{-1});
        ++rows_;
    }
    void add(bool value) { fixed(static_cast<std::int8_t>(value ? 1 : 0)); }
    void add(std::int64_t value) { fixed(value); }
    void add(double value) { fixed(value); }
    void add(sys_time value) { fixed(postgresql_instant(value)); }
    void add(std::string_view text) {
        const std::size_t at = begin_length();
        append_postgresql_text(bytes_.bytes, text);
        end_length(at);
    }
    void add_json(std::string_view json) {
        const std::size_t at = begin_length();
        bytes_.bytes += '\x01'; // the version of jsonb's binary format
        append_postgresql_json(bytes_.bytes, json);
        end_length(at);
    }

    /// The array, complete until the next `add`.
    [[nodiscard]] const std::string& bytes() {
        bytes_.overwrite(4, has_null_ ? 1 : 0);
        bytes_.overwrite(12, rows_);
        return bytes_.bytes;
    }
    [[nodiscard]] Oid type() const noexcept { return postgresql_array_type(type_); }

private:
    template <class Number>
    void fixed(Number value) {
        bytes_.number(static_cast<std::uint32_t>(sizeof value));
        bytes_.number(value);
        ++rows_;
    }
    [[nodiscard]] std::size_t begin_length() {
        bytes_.number(std::uint32_t{0});
        return bytes_.bytes.size();
    }
    void end_length(std::size_t at) {
        bytes_.overwrite(at - 4, static_cast<std::uint32_t>(bytes_.bytes.size() - at));
        ++rows_;
    }

    PostgresqlType type_;
    PostgresqlBytes bytes_;
    std::uint32_t rows_ = 0;
    bool has_null_ = false;
};

/// The columns of a batch, filled row by row: a sink for sql::give_execution and the like.
class PostgresqlColumns {
public:
    explicit PostgresqlColumns(std::span<const sql::Column> columns) {
        columns_.reserve(columns.size());
        for (const auto& column : columns) { columns_.emplace_back(postgresql_type(column.type)); }
    }

    void integer(std::int64_t value) { next().add(value); }
    void integer(const std::optional<std::int64_t>& value) { maybe(value); }
    void real(double value) { next().add(value); }
    void real(const std::optional<double>& value) { maybe(value); }
    void instant(sys_time value) { next().add(value); }
    void instant(const std::optional<sys_time>& value) { maybe(value); }
    void boolean(bool value) { next().add(value); }
    void text(std::string_view value) { next().add(value); }
    void text(const std::optional<std::string_view>& value) { maybe(value); }
    void text(const std::optional<std::string>& value) { maybe(value); }
    void text(const std::string& value) { next().add(std::string_view{value}); }
    void json(std::string_view value) { next().add_json(value); }

    [[nodiscard]] std::vector<PostgresqlColumn>& columns() noexcept { return columns_; }

private:
    [[nodiscard]] PostgresqlColumn& next() {
        PostgresqlColumn& column = columns_[next_];
        next_ = next_ + 1 == columns_.size() ? 0 : next_ + 1;
        return column;
    }
    template <class Value>
    void maybe(const std::optional<Value>& value) {
        PostgresqlColumn& column = next();
        if (value) {
            column.add(*value);
        } else {
            column.add_null();
        }
    }

    std::vector<PostgresqlColumn> columns_;
    std::size_t next_ = 0;
};

/// The parameters $1, $2, ... of one statement.
class PostgresqlParameters {
public:
    PostgresqlParameters& add(std::int64_t value) {
        bytes_.number(value);
        return ended(PostgresqlType::bigint);
    }
    PostgresqlParameters& add(std::string_view text) {
        append_postgresql_text(bytes_.bytes, text);
        return ended(PostgresqlType::text);
    }
    PostgresqlParameters& add(const std::optional<std::int64_t>& number) {
        if (number) { return add(*number); }
        ended(PostgresqlType::bigint);
        parts_.back().is_null = true;
        return *this;
    }
    /// The columns must live until the call is over.
    PostgresqlParameters& add(PostgresqlColumns& columns) {
        for (PostgresqlColumn& column : columns.columns()) {
            parts_.push_back({.type = column.type(), .borrowed = &column.bytes()});
        }
        return *this;
    }

    /// One value as libpq wants it.
    struct Part {
        Oid type = 0;
        std::size_t begin = 0;
        std::size_t size = 0;
        bool is_null = false;
        const std::string* borrowed = nullptr;
    };
    [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }
    [[nodiscard]] const char* data(const Part& part) const noexcept {
        if (part.is_null) { return nullptr; }
        return part.borrowed != nullptr ? part.borrowed->data() : bytes_.bytes.data() + part.begin;
    }
    [[nodiscard]] static std::size_t size(const Part& part) noexcept {
        return part.borrowed != nullptr ? part.borrowed->size() : part.size;
    }

private:
    PostgresqlParameters& ended(PostgresqlType type) {
        parts_.push_back({.type = static_cast<Oid>(type), .begin = begin_, .size = bytes_.bytes.size() - begin_});
        begin_ = bytes_.bytes.size();
        return *this;
    }

    PostgresqlBytes bytes_;
    std::size_t begin_ = 0;
    std::vector<Part> parts_;
};

/// The rows that a statement gave, in the binary format.
class PostgresqlRows {
public:
    PostgresqlRows() = default;
    explicit PostgresqlRows(PGresult* result) : result_{result} {}

    [[nodiscard]] std::size_t size() const noexcept {
        return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
    }

    /// One row, for sql::take_execution and the like. Types that no column of a store has are a StoreError (refused):
    /// somebody has changed the tables.
    class Row {
    public:
        Row(const PGresult* result, std::size_t row) noexcept : result_{result}, row_{static_cast<int>(row)} {}

        [[nodiscard]] std::optional<std::int64_t> integer(std::size_t column) const {
            if (is_null(column)) { return std::nullopt; }
            switch (type(column)) {
            case PostgresqlType::bigint:
            case PostgresqlType::boolean: return static_cast<std::int64_t>(bits(column));
            case PostgresqlType::timestamptz:
                return from_postgresql_instant(static_cast<std::int64_t>(bits(column))).time_since_epoch().count();
            default: throw mistyped(column);
            }
        }
        [[nodiscard]] std::optional<double> real(std::size_t column) const {
            if (is_null(column)) { return std::nullopt; }
            if (type(column) != PostgresqlType::double_precision) { throw mistyped(column); }
            return std::bit_cast<double>(bits(column));
        }
        /// A view that lives as long as the rows.
        [[nodiscard]] std::optional<std::string_view> text(std::size_t column) const {
            if (is_null(column)) { return std::nullopt; }
            switch (type(column)) {
            case PostgresqlType::text: return value(column);
            case PostgresqlType::jsonb: return value(column).substr(1); // behind the version of the format
            default: throw mistyped(column);
            }
        }

    private:
        [[nodiscard]] bool is_null(std::size_t column) const {
            return PQgetisnull(result_, row_, static_cast<int>(column)) != 0;
        }
        [[nodiscard]] PostgresqlType type(std::size_t column) const {
            return static_cast<PostgresqlType>(PQftype(result_, static_cast<int>(column)));
        }
        [[nodiscard]] std::string_view value(std::size_t column) const {
            const int index = static_cast<int>(column);
            return {PQgetvalue(result_, row_, index), static_cast<std::size_t>(PQgetlength(result_, row_, index))};
        }
        [[nodiscard]] std::uint64_t bits(std::size_t column) const {
            std::uint64_t number = 0;
            for (const char byte : value(column)) { number = number << 8U | static_cast<unsigned char>(byte); }
            return number;
        }
        [[nodiscard]] StoreError mistyped(std::size_t column) const {
            const char* name = PQfname(result_, static_cast<int>(column));
            return {StoreFailure::refused, "PostgreSQL: the column " + std::string{name != nullptr ? name : "?"} +
                                               " has another type than it was made with"};
        }

        const PGresult* result_;
        int row_;
    };
    [[nodiscard]] Row operator[](std::size_t row) const noexcept { return {result_.get(), row}; }

    /// The number in the first column of the first row; 0 where there is none.
    [[nodiscard]] std::int64_t number() const { return size() == 0 ? 0 : (*this)[0].integer(0).value_or(0); }

private:
    struct Clear {
        void operator()(PGresult* result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

} // namespace daybook::inline v0

#endif
