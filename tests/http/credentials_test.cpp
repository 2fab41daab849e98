// SPDX-License-Identifier: MIT
#include <daybook/http/credentials.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>

namespace http = daybook::http;
using http::Permission;

namespace {

http::Access ask_hook(const http::Authorize& hook, const char* authorization,
                      Permission permission = Permission::clear) {
    http::Request request{.method = "POST"};
    if (authorization != nullptr) { request.headers.push_back({"Authorization", authorization}); }
    return hook(request, permission);
}

} // namespace

TEST_CASE("a token opens changes to those who send it") {
    const auto hook = http::changes_with_token("secret");
    CHECK(ask_hook(hook, nullptr, Permission::read).is_allowed());
    CHECK(ask_hook(hook, nullptr).status() == 401);
    CHECK(ask_hook(hook, "bearer secret").is_allowed());
    for (const auto* wrong : {"Bearer secret ", "Bearer secre", "Bearer secrets", "Bearer ", "Bearer", "Basic secret",
                              "", "Bearersecret", "secret"}) {
        INFO(wrong);
        CHECK(ask_hook(hook, wrong).status() == 401);
    }
    CHECK_THROWS_AS(http::changes_with_token(""), std::invalid_argument);
}

TEST_CASE("each token opens what it may and tells who shows it") {
    const auto hook =
        http::bearer_tokens({{.name = "ops", .secret = "one"},
                             {.name = "cron", .secret = "two", .may = {Permission::read, Permission::trigger}}});
    CHECK(ask_hook(hook, "Bearer one").who() == "ops");
    CHECK(ask_hook(hook, "Bearer two", Permission::trigger).who() == "cron");
    const auto refused = ask_hook(hook, "Bearer two", Permission::change);
    CHECK(refused.status() == 403);
    CHECK(refused.message() == "cron may not do this: it needs the permission to change");
}

TEST_CASE("a wrong token does not read where nobody without one would be refused") {
    const auto hook = http::bearer_tokens({{.name = "ops", .secret = "one"}});
    CHECK(ask_hook(hook, nullptr, Permission::read).is_allowed());
    CHECK(ask_hook(hook, "Bearer other", Permission::read).status() == 401);
}

TEST_CASE("reading can be closed to those without credentials") {
    const auto tokens = http::bearer_tokens({{.name = "ops", .secret = "one"}}, {.reading = http::Reading::closed});
    CHECK(ask_hook(tokens, nullptr, Permission::read).status() == 401);
    CHECK(ask_hook(tokens, "Bearer one", Permission::read).is_allowed());
    const auto passwords =
        http::basic_passwords({{.name = "ops", .secret = "one"}}, {.reading = http::Reading::closed});
    CHECK(ask_hook(passwords, nullptr, Permission::read).status() == 401);
}

TEST_CASE("a name and its password open what they may") {
    const auto hook =
        http::basic_passwords({{.name = "Aladdin", .secret = "open sesame"}, {.name = "x", .secret = "a:b"}});
    CHECK(ask_hook(hook, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").who() == "Aladdin"); // the example of RFC 7617
    CHECK(ask_hook(hook, "basic eDphOmI=").who() == "x");
    for (const auto* wrong : {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "Basic QWxhZGRpbjo=", "Basic !", "Basic ",
                              "Bearer eDphOmI=", "Basic eDphOmI=eDphOmI=", "Basic =", "Basic ===="}) {
        INFO(wrong);
        CHECK(ask_hook(hook, wrong).status() == 401);
    }
    CHECK(ask_hook(hook, nullptr).challenge() == "Basic realm=\"daybook\", charset=\"UTF-8\"");
}

TEST_CASE("credentials that cannot be are refused") {
    CHECK_THROWS_AS(http::bearer_tokens({}), std::invalid_argument);
    CHECK_THROWS_AS(http::bearer_tokens({{.name = "a", .secret = ""}}), std::invalid_argument);
    CHECK_THROWS_AS(http::bearer_tokens({{.name = "a", .secret = "s"}}, {.realm = "a\"b"}), std::invalid_argument);
    CHECK_THROWS_AS(http::basic_passwords({{.name = "a:b", .secret = "s"}}), std::invalid_argument);
    CHECK_THROWS_AS(http::basic_passwords({{.name = "", .secret = "s"}}), std::invalid_argument);
}
