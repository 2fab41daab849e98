// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_HPP
#define DAYBOOK_HTTP_HPP

/// @file
/// The HTTP layer in one include; it knows no framework, adapters do.

#include <daybook/http/access.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/audit_api.hpp>
#include <daybook/http/audit_log.hpp>
#include <daybook/http/credentials.hpp>
#include <daybook/http/cross_site.hpp>
#include <daybook/http/dashboard.hpp>
#include <daybook/http/executions_api.hpp>
#include <daybook/http/framing.hpp>
#include <daybook/http/health_api.hpp>
#include <daybook/http/history_api.hpp>
#include <daybook/http/http_job.hpp>
#include <daybook/http/http_send.hpp>
#include <daybook/http/http_url.hpp>
#include <daybook/http/jobs_api.hpp>
#include <daybook/http/jobs_api_options.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/http/router.hpp>
#include <daybook/http/webhook.hpp>
#include <daybook/http/webhook_signature.hpp>

#endif
