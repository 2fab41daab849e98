// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DAYBOOK_HPP
#define DAYBOOK_DAYBOOK_HPP

/// @file
/// The core in one include: standard library and threads, nothing else.

#include <daybook/fwd.hpp>
#include <daybook/job/command.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/log/execution_export.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>
#include <daybook/policy/retry.hpp>
#include <daybook/schedule/describe.hpp>
#include <daybook/schedule/schedule_text.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/stats/stats.hpp>
#include <daybook/time/manual_clock.hpp>
#include <daybook/time/time_zone.hpp>
#include <daybook/time/wall_clock.hpp>
#include <daybook/version.hpp>
#include <daybook/worker/worker_pool.hpp>

#endif
