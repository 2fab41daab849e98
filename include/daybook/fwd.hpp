// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_FWD_HPP
#define DAYBOOK_FWD_HPP

/// @file
/// Every public name and every default, on one page. Template defaults stand here and nowhere else.

#include <daybook/types.hpp>

#include <cstddef>
#include <string>

namespace daybook::inline v0 {

// time: by which clock
struct ClockReading;
struct SystemClock;
class ManualClock;
class AnyClock;
class TimeZone;
struct OffsetInterval;
struct LocalInfo;

// schedule: when
class Cron;
class Every;
class At;
class Schedule;
class Calendar;
struct ScheduleLimits;
template <class Type>
class Occurrences;
class ScheduleError;
class CronError;
struct CronOptions;
enum class DayMatch : std::uint8_t;
enum class Dst : std::uint8_t;

// policy: what if
class RetryPolicy;
struct Failure;
struct ExponentialBackoff;
struct FixedBackoff;
enum class Overlap : std::uint8_t;
enum class Misfire : std::uint8_t;
enum class Delivery : std::uint8_t;
enum class OnStoreFailure : std::uint8_t;

// stats: how much
/// @tparam SubBuckets  Steps within a doubling, a power of two; the relative error of a percentile is 1 / (2 *
/// SubBuckets).
template <std::size_t SubBuckets = 16>
class Stats;
template <std::size_t SubBuckets = 16>
class LatencyHistogram;
struct StatsSnapshot;
struct HandlerStats;
struct JobStats;
struct LatencySummary;
struct OutcomeCounts;
struct RateStats;
struct Rates;
struct Timeline;
struct TimelineBucket;
struct RangeStats;
struct HandlerRangeStats;
struct DurationStats;
enum class TimelineResolution : std::uint8_t;

// log: what happened
struct Progress;
struct ExecutionQuery;
struct ExecutionStart;
struct LogOptions;
struct Total;
struct Execution;
enum class Finish : std::uint8_t;
enum class Finality : std::uint8_t;
enum class Skips : std::uint8_t;
enum class SortBy : std::uint8_t;
enum class Totals : std::uint8_t;
class StatusSet;
/// @tparam Result  What a job returns; copyable.
template <class Result = std::string>
struct JobExecutionRecord;
template <class Result = std::string>
struct Page;
template <class Result = std::string>
class JobExecutionLog;
template <class Result = std::string>
class ScopedExecution;
template <class Result = std::string>
class ExecutionFeed;
struct FeedOptions;
template <class Result>
struct ResultCodec;

// job: what runs
class JobContext;
template <class Result = std::string>
class Completion;
class AnyHandlers;
template <class Result = std::string>
class Handlers;
struct HandlerInfo;
class Command;
class CommandError;
struct CommandOptions;
struct CommandOutcome;
enum class CommandEnvironment : std::uint8_t;
enum class Interruption : std::uint8_t;
struct JobOptions;
struct JobInfo;
struct JobQuery;
struct JobPage;
class JobExists;
enum class JobOrigin : std::uint8_t;
enum class JobChange : std::uint8_t;

// worker: where
class Task;
class AnyExecutor;
class WorkerPool;
struct WorkerPoolOptions;

// the one object a program owns
struct SchedulerOptions;
struct StopReport;
struct SchedulerHealth;
struct SchedulerHooks;
struct JobEvent;
struct TriggerReport;
struct TriggerOptions;
class AnyScheduler;
class SchedulerHandle;
template <class Result = std::string>
class Scheduler;

// text: in which letters
class JsonWriter;
class CsvWriter;
enum class CsvFormulas : std::uint8_t;

} // namespace daybook::inline v0

namespace daybook::inline v0::http {

struct Request;
struct Response;
class Router;
class Api;

// requests of the program's own
struct HttpUrl;
struct HttpCall;
struct HttpReply;
enum class HttpOutcome : std::uint8_t;
struct RedirectOptions;
struct HttpJob;
struct HttpJobOptions;
class HttpJobError;
class WebhookNotifier;
struct WebhookOptions;
struct WebhookStats;
struct WebhookStopReport;
enum class WebhookEvent : std::uint8_t;

} // namespace daybook::inline v0::http

#endif
