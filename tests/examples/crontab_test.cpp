// SPDX-License-Identifier: MIT
#include "cron_daemon/crontab.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace {

const crontab::Account someone{.name = "ada", .home = "/home/ada"};

crontab::Crontab read(std::string_view text) { return crontab::read(text, someone, daybook::TimeZone{}); }

crontab::Job only_job(std::string_view text) {
    auto read_in = read(text);
    for (const auto& problem : read_in.problems) {
        FAIL(problem.line << ":" << problem.column << ": " << problem.message);
    }
    REQUIRE(read_in.jobs.size() == 1);
    return read_in.jobs.front();
}

std::string variable(const crontab::Job& job, std::string_view name) {
    for (const auto& [key, value] : job.options.environment) {
        if (key == name) { return value; }
    }
    return "not set";
}

/// "line:column: message" of everything that is wrong.
std::vector<std::string> wrong(std::string_view text) {
    std::vector<std::string> sentences;
    for (const auto& problem : read(text).problems) {
        sentences.push_back(std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": " +
                            problem.message);
    }
    return sentences;
}

bool starts(const std::vector<std::string>& sentences, const std::vector<std::string_view>& beginnings) {
    if (sentences.size() != beginnings.size()) { return false; }
    for (std::size_t index = 0; index < sentences.size(); ++index) {
        if (!sentences[index].starts_with(beginnings[index])) { return false; }
    }
    return true;
}

constexpr daybook::sys_time noon_2024_01_15{std::chrono::sys_days{std::chrono::January / 15 / 2024} + 12h};

} // namespace

TEST_CASE("starts are spread by a random delay, for one job or for all below a line") {
    CHECK(only_job("* * * * * a").jitter == 0s);
    CHECK(only_job("# daybook: jitter=30s\n* * * * * a").jitter == 30s);
    CHECK(only_job("RANDOM_DELAY = 5\n* * * * * a").jitter == 5min);
    CHECK(only_job("RANDOM_DELAY=5\n# daybook: jitter=0s\n* * * * * a").jitter == 0s);
    CHECK(variable(only_job("RANDOM_DELAY=5\n* * * * * a"), "RANDOM_DELAY") == "5");
}

TEST_CASE("an entry is five fields and a command") {
    const auto job = only_job("*/5 9-17 * * MON-FRI  tar czf /backup/home.tgz /home \n");
    CHECK(job.line == 1);
    CHECK(job.schedule == daybook::cron("*/5 9-17 * * MON-FRI"));
    CHECK(job.command == "tar czf /backup/home.tgz /home ");
    CHECK(job.overlap == daybook::Overlap::skip);
    CHECK_FALSE(job.timeout.has_value());
    CHECK(job.retry.max_attempts() == 1);
}

TEST_CASE("fields are parted by blanks and tabs, and a line may begin with them") {
    CHECK(only_job(" \t5\t4  * \t* *\techo a\tb").schedule == daybook::cron("5 4 * * *"));
    CHECK(only_job("5\t4\t*\t*\t*\techo a\tb").command == "echo a\tb");
}

TEST_CASE("comments and empty lines are passed over, also where lines end in CR LF") {
    const auto job = only_job("# a comment\r\n\r\n   \r\n  # another\r\n0 1 * * * true\r\n");
    CHECK(job.line == 5);
    CHECK(job.command == "true");
}

TEST_CASE("macros stand for five fields") {
    CHECK(only_job("@daily true").schedule == daybook::cron("@daily"));
    CHECK(only_job("@hourly true").command == "true");
    CHECK_FALSE(only_job("@reboot true").schedule.has_value());
}

TEST_CASE("a command begins with the environment that crontab(5) promises") {
    const auto job = only_job("* * * * * true");
    CHECK(job.options.environment_from == daybook::CommandEnvironment::replace);
    CHECK(job.options.environment.size() == 5);
    CHECK(variable(job, "SHELL") == "/bin/sh");
    CHECK(variable(job, "PATH") == "/usr/bin:/bin");
    CHECK(variable(job, "HOME") == "/home/ada");
    CHECK(variable(job, "LOGNAME") == "ada");
    CHECK(variable(job, "USER") == "ada");
    CHECK(job.options.shell == "/bin/sh");
    CHECK(job.options.working_directory == "/home/ada");
}

TEST_CASE("variables hold for the lines below them") {
    const auto crontab = read("A=1\n* * * * * first\nA=2\nHOME=/srv\nSHELL=/bin/bash\n* * * * * second\n");
    REQUIRE(crontab.problems.empty());
    CHECK(variable(crontab.jobs.at(0), "A") == "1");
    CHECK(crontab.jobs.at(0).options.shell == "/bin/sh");
    CHECK(variable(crontab.jobs.at(1), "A") == "2");
    CHECK(crontab.jobs.at(1).options.shell == "/bin/bash");
    CHECK(crontab.jobs.at(1).options.working_directory == "/srv");
}

TEST_CASE("quotes keep the blanks of a value, and nothing in it is expanded") {
    const auto job = only_job("A = b c  \nB=\" d \"\n'C' = 'e \"f\"'\nD=\nE=$A:x # y\n* * * * * true\n");
    CHECK(variable(job, "A") == "b c");
    CHECK(variable(job, "B") == " d ");
    CHECK(variable(job, "C") == "e \"f\"");
    CHECK(variable(job, "D").empty());
    CHECK(variable(job, "E") == "$A:x # y");
}

TEST_CASE("who one is cannot be changed, other names can be set freely") {
    const auto job = only_job("LOGNAME=eve\nMAILTO=ops@example.org\n* * * * * true\n");
    CHECK(variable(job, "LOGNAME") == "ada");
    CHECK(variable(job, "MAILTO") == "ops@example.org");
}

TEST_CASE("CRON_TZ names the zone of the schedules below it") {
    const auto crontab = read("0 9 * * * a\nCRON_TZ=Asia/Tokyo\n0 9 * * * b\nCRON_TZ=\n0 9 * * * c\n");
    REQUIRE(crontab.problems.empty());
    CHECK(crontab.jobs.at(0).schedule->next(noon_2024_01_15) == noon_2024_01_15 + 21h);
    CHECK(crontab.jobs.at(1).schedule->next(noon_2024_01_15) == noon_2024_01_15 + 12h);
    CHECK(crontab.jobs.at(2).schedule == crontab.jobs.at(0).schedule);
}

TEST_CASE("a percent sign ends the command, and what follows is its input") {
    const auto job = only_job("* * * * * mail -s 100\\% ada%Hello,%%all \\% done");
    CHECK(job.command == "mail -s 100% ada");
    CHECK(job.options.standard_input == "Hello,\n\nall % done\n");
    CHECK(only_job("* * * * * printf 'a\\n'").command == "printf 'a\\n'");
    CHECK(only_job("* * * * * date +\\%H:\\%M").command == "date +%H:%M");
    // As Vixie cron has it: a newline is put at the end of what is there, and here is nothing.
    CHECK(only_job("* * * * * cat%").options.standard_input.empty());
}

TEST_CASE("a comment above a job sets what a crontab cannot") {
    const auto job = only_job("# daybook: id=backup timeout=30s retry=3\n"
                              "# why this job exists\n"
                              "#daybook: retry-delay=500ms overlap=queue_one misfire=skip seconds\n"
                              "*/10 * * * * * backup\n");
    CHECK(job.id == "backup");
    CHECK(job.timeout == std::chrono::nanoseconds{30s});
    CHECK(job.retry.max_attempts() == 4);
    CHECK(job.retry.delay_before(2, 0) == std::chrono::nanoseconds{500ms});
    CHECK(job.retry.delay_before(3, 0) == std::chrono::nanoseconds{1s});
    CHECK(job.overlap == daybook::Overlap::queue_one);
    CHECK(job.misfire == daybook::Misfire::skip);
    CHECK(job.schedule == daybook::cron("*/10 * * * * *"));
    CHECK(job.command == "backup");
}

TEST_CASE("such a comment is about the next job alone") {
    const auto crontab = read("# daybook: timeout=2m\n* * * * * a\n* * * * * b\n");
    CHECK(crontab.jobs.at(0).timeout == std::chrono::nanoseconds{2min});
    CHECK_FALSE(crontab.jobs.at(1).timeout.has_value());
}

TEST_CASE("a job without an id is named after its command, always in the same way") {
    const auto crontab = read("1 * * * * /usr/local/bin/backup.sh --all\n"
                              "2 * * * * LC_ALL=C /usr/local/bin/backup.sh --some\n"
                              "3 * * * * /usr/local/bin/backup.sh --all\n"
                              "4 * * * * [ -e x ]\n");
    CHECK(crontab.jobs.at(0).id == "backup.sh-af4e2fff");
    CHECK(crontab.jobs.at(1).id.starts_with("backup.sh-"));
    CHECK(crontab.jobs.at(1).id != crontab.jobs.at(0).id);
    CHECK(crontab.jobs.at(2).id == crontab.jobs.at(0).id + "-2");
    CHECK(crontab.jobs.at(3).id.starts_with("job-"));
}

TEST_CASE("a name that a person has chosen comes before a derived one") {
    const auto derived = only_job("* * * * * x").id;
    const auto crontab = read("* * * * * x\n# daybook: id=" + derived + "\n* * * * * y\n");
    REQUIRE(crontab.problems.empty());
    CHECK(crontab.jobs.at(0).id == derived + "-2");
    CHECK(crontab.jobs.at(1).id == derived);
}

TEST_CASE("a wrong field is reported where it stands") {
    CHECK(starts(wrong("A=1\n  61 * * * * true\n"), {"2:3: expected a minute"}));
    CHECK(starts(wrong("0 0 * 13 * true\n"), {"1:7: expected a month"}));
    CHECK(starts(wrong("@dayly true\n"), {"1:1: expected @reboot, @yearly"}));
}

TEST_CASE("every wrong line is reported, in order") {
    CHECK(starts(wrong("* 24 * * * a\n"
                       "1NAME=x\n"
                       "CRON_TZ=Mars/Olympus\n"
                       "* * * *\n"
                       "* * * * *\n"
                       "* * * * * fine\n"
                       "B=\"open\n"
                       "# daybook: id=x timeout=fast nonsense\n"
                       "0 0 32 * * c\n"),
                 {"1:3: expected an hour", "2:1: expected a name", "3:9: expected a time zone",
                  "4:8: expected five fields and a command, got 4 fields", "5:10: expected a command",
                  "7:8: expected a closing", "8:25: expected a duration such as",
                  "8:30: expected id=, timeout=", "9:5: expected a day"}));
}

TEST_CASE("wrong values of a job's comment are reported where they stand") {
    CHECK(starts(wrong("# daybook: timeout=0s\n* * * * * a\n"), {"1:20: expected a duration"}));
    CHECK(starts(wrong("# daybook: timeout=30\n* * * * * a\n"), {"1:20: expected a duration"}));
    CHECK(starts(wrong("# daybook: timeout\n* * * * * a\n"), {"1:19: expected a duration"}));
    CHECK(starts(wrong("# daybook: retry=-1\n* * * * * a\n"), {"1:18: expected a number of retries"}));
    CHECK(starts(wrong("# daybook: overlap=often\n* * * * * a\n"), {"1:20: expected skip, queue_one"}));
    CHECK(starts(wrong("# daybook: jitter=x\n* * * * * a\n"), {"1:19: expected a duration"}));
    CHECK(starts(wrong("RANDOM_DELAY=soon\n* * * * * a\n"), {"1:14: expected a number of minutes"}));
    CHECK(starts(wrong("# daybook: misfire=x\n* * * * * a\n"), {"1:20: expected run_once"}));
    CHECK(starts(wrong("# daybook: id= seconds=1\n* * * * * * a\n"),
                 {"1:15: expected a name", "1:24: expected no value"}));
    CHECK(starts(wrong("# daybook: retry=1 retry=2\n* * * * * a\n"), {"1:20: 'retry' is set twice"}));
}

TEST_CASE("an id that another job has is reported with that job's line") {
    CHECK(wrong("# daybook: id=a\n* * * * * x\n# daybook: id=a\n* * * * * y\n") ==
          std::vector<std::string>{"3:12: expected an id of its own: 'a' is the job of line 2"});
}

TEST_CASE("a job's comment without a job is reported") {
    CHECK(wrong("* * * * * x\n# daybook: id=a\n\n") == std::vector<std::string>{"2:1: expected a job below this line"});
}

TEST_CASE("a sixth field is not taken for a command") {
    CHECK(starts(wrong("*/5 * * * * * echo\n"), {"1:13: expected a command, got what looks like a sixth field"}));
    CHECK(starts(wrong("# daybook: seconds\n* * * * * *\n"), {"2:12: expected a command"}));
    CHECK(starts(wrong("# daybook: seconds\n* * * * *\n"), {"2:10: expected six fields and a command, got 5 fields"}));
}

TEST_CASE("a NUL byte is reported") {
    CHECK(wrong({"* * * * * a\0b", 13}) == std::vector<std::string>{"1:12: expected text, got a NUL byte"});
}
