// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_ETAG_HPP
#define DAYBOOK_DETAIL_JOB_ETAG_HPP

/// @file
/// The entity tag of a job (RFC 9110, 8.8.3): its revision, and what was shown of it. What is shown changes with every
/// run, so a client that has the same need not get it again (`If-None-Match`); a change depends on the revision alone
/// (`If-Match`), or a job that runs every second could never be changed.

#include <daybook/detail/entity_tag.hpp>
#include <daybook/detail/hex.hpp>
#include <daybook/http/message.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace daybook::inline v0::detail {

/// With its quotes: "1f-0123456789abcdef".
[[nodiscard]] inline std::string job_tag(std::uint64_t revision, std::string_view document) {
    std::string tag;
    do { tag.insert(tag.begin(), hex_digits[revision & 15U]); } while ((revision >>= 4U) != 0);
    const auto hash = entity_tag(document);
    return '"' + tag + '-' + hash.substr(hash.find('"') + 1);
}

/// Whether the request may change a job of this revision: it names it in `If-Match`, or names none. Tags that a proxy
/// has made weak, because it compresses, count as they are meant.
[[nodiscard]] inline bool may_change(const http::Request& request, std::uint64_t revision) {
    const std::string* const header = request.header("If-Match");
    if (header == nullptr) { return true; }
    return has_tag(*header, [&](std::string_view tag) {
        std::uint64_t named = 0;
        const auto read = std::from_chars(tag.data() + tag.find('"') + 1, tag.data() + tag.size() - 1, named, 16);
        return read.ec == std::errc{} && *read.ptr == '-' && named == revision;
    });
}

[[noreturn]] inline void refuse_changed_job() {
    throw http::Error{412,
                      "the job has been changed since: read it again, and send the ETag that it has now in If-Match"};
}

} // namespace daybook::inline v0::detail

#endif
