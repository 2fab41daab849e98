// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SUPPORT_POSTGRESQL_SERVER_HPP
#define DAYBOOK_TESTS_SUPPORT_POSTGRESQL_SERVER_HPP

/// @file
/// A PostgreSQL server of one's own for the time of a test: a temporary directory, a free port of 127.0.0.1, gone with
/// the process, also with one that is killed (Linux).

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook_test {

/// A server with the superuser `test`, who needs no password.
class PostgresqlServer {
public:
    /// Whether there is a server to start on this machine.
    [[nodiscard]] static bool is_installed() {
        return !programs().empty() && (::geteuid() != 0 || ::getpwnam("postgres") != nullptr);
    }

    /// One for all tests of a process.
    [[nodiscard]] static PostgresqlServer& shared() {
        static PostgresqlServer server;
        return server;
    }

    /// Starts one. Throws std::runtime_error with the reason when that fails.
    PostgresqlServer() : PostgresqlServer{nullptr} {}

    PostgresqlServer(const PostgresqlServer&) = delete;
    PostgresqlServer& operator=(const PostgresqlServer&) = delete;

    ~PostgresqlServer() {
        thaw();
        ::close(guard_input_); // what the guard waits for
        int status = 0;
        while (::waitpid(guard_, &status, 0) < 0 && errno == EINTR) {}
    }

    /// For libpq.
    [[nodiscard]] std::string conninfo(std::string_view database = "postgres") const {
        return "host=127.0.0.1 port=" + std::to_string(port_) + " user=test dbname=" + std::string{database};
    }
    [[nodiscard]] int port() const noexcept { return port_; }

    /// What it has written about itself.
    [[nodiscard]] std::string log() const { return content(directory_ + "/log"); }

    /// The name of a schema that nobody has used yet.
    [[nodiscard]] std::string new_schema() { return "schema_" + std::to_string(++schemas_); }

    /// Ends the server and its connections at once.
    void stop() { control("-m immediate -w stop >/dev/null"); }
    void start() {
        if (!control(start_arguments())) { throw std::runtime_error{"PostgreSQL did not start: " + log()}; }
    }
    void restart() {
        stop();
        start();
    }

    /// No process of it does anything until `thaw`; its sockets stay open.
    void freeze() const { signal_all(SIGSTOP); }
    void thaw() const { signal_all(SIGCONT); }

    /// Another server that follows this one. It refuses to write until it is promoted.
    [[nodiscard]] std::unique_ptr<PostgresqlServer> standby() const {
        return std::unique_ptr<PostgresqlServer>{new PostgresqlServer{this}};
    }
    void promote() {
        if (!control("-w promote >/dev/null")) { throw std::runtime_error{"PostgreSQL was not promoted: " + log()}; }
    }

    /// From now on this user's connections need a password.
    void ask_for_password(std::string_view user) {
        const std::string path = data() + "/pg_hba.conf";
        const std::string rules = content(path);
        std::ofstream{path} << "host all " << user << " 127.0.0.1/32 scram-sha-256\n" << rules;
        (void)run("SELECT pg_reload_conf()");
    }

    /// Runs SQL by psql, as the superuser; throws with its words when it fails. Returns the rows, "a|b" each.
    std::string run(const std::string& sql, std::string_view database = "postgres") const {
        const std::string output = directory_ + "/psql";
        const bool is_done = shell(quoted(programs() + "/psql") + " -X -q -A -t -v ON_ERROR_STOP=1 -d " +
                                   quoted(conninfo(database)) + " -c " + quoted(sql) + " >" + quoted(output) + " 2>&1");
        std::string text = content(output);
        if (!is_done) { throw std::runtime_error{"psql: " + text}; }
        while (!text.empty() && text.back() == '\n') { text.pop_back(); }
        return text;
    }

private:
    explicit PostgresqlServer(const PostgresqlServer* primary) {
        if (!is_installed()) { throw std::runtime_error{"there is no PostgreSQL server on this machine"}; }
        const char* temporary = std::getenv("TMPDIR");
        directory_ = std::string{temporary != nullptr ? temporary : "/tmp"} + "/daybook_postgresql_XXXXXX";
        if (::mkdtemp(directory_.data()) == nullptr) { throw std::runtime_error{"mkdtemp failed for " + directory_}; }
        if (::geteuid() == 0) {
            const passwd* user = ::getpwnam("postgres");
            if (::chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0) {
                throw std::runtime_error{"chown failed for " + directory_};
            }
        }
        start_guard();
        const std::string make =
            primary == nullptr
                ? as_owner("initdb") + " -D " + quoted(data()) +
                      " -U test -A trust -E UTF8 --locale=C --no-sync >/dev/null 2>" + quoted(directory_ + "/initdb")
                : as_owner("pg_basebackup") + " -D " + quoted(data()) + " -d " + quoted(primary->conninfo()) +
                      " -R -X stream --no-sync -c fast >/dev/null 2>" + quoted(directory_ + "/initdb");
        if (!shell(make)) {
            const std::string why = content(directory_ + "/initdb");
            end_guard();
            throw std::runtime_error{"PostgreSQL was not set up: " + why};
        }
        // Somebody else may take the port before the server does.
        for (int attempt = 0; attempt < 5; ++attempt) {
            port_ = free_port();
            if (control(start_arguments())) { return; }
        }
        const std::string why = log();
        end_guard();
        throw std::runtime_error{"PostgreSQL did not start: " + why};
    }

    [[nodiscard]] static std::string quoted(const std::string& text) {
        std::string word = "'";
        for (const char character : text) {
            if (character == '\'') {
                word += "'\\''";
            } else {
                word += character;
            }
        }
        return word + '\'';
    }

    /// The folder of the newest server's programs, or nothing.
    [[nodiscard]] static const std::string& programs() {
        static const std::string found = [] {
            std::string best;
            int best_version = 0;
            std::error_code error;
            for (const auto& entry : std::filesystem::directory_iterator{"/usr/lib/postgresql", error}) {
                const int version = std::atoi(entry.path().filename().c_str());
                const auto folder = entry.path() / "bin";
                if (version > best_version && std::filesystem::exists(folder / "initdb", error)) {
                    best_version = version;
                    best = folder.string();
                }
            }
            return best;
        }();
        return found;
    }

    /// A server refuses to run as root.
    [[nodiscard]] static std::string as_owner(const std::string& program) {
        const std::string command = quoted(programs() + '/' + program);
        return ::geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " + command : command;
    }

    [[nodiscard]] std::string data() const { return directory_ + "/data"; }
    [[nodiscard]] std::string start_arguments() const {
        return "-l " + quoted(directory_ + "/log") + " -o " +
               quoted("-c listen_addresses=127.0.0.1 -p " + std::to_string(port_) +
                      " -c unix_socket_directories=" + directory_ + " -c fsync=off -c max_connections=120") +
               " -w -t 20 start >/dev/null 2>&1";
    }
    bool control(const std::string& arguments) const {
        return shell(as_owner("pg_ctl") + " -D " + quoted(data()) + ' ' + arguments);
    }

    [[nodiscard]] static std::string content(const std::string& path) {
        std::ifstream file{path};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    [[nodiscard]] static int free_port() {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        const bool is_bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
                              ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
        ::close(socket);
        if (!is_bound) { throw std::runtime_error{"no port is free"}; }
        return ntohs(address.sin_port);
    }

    [[nodiscard]] static pid_t spawn(const std::string& command, posix_spawn_file_actions_t* actions) {
        std::string shell_name = "sh";
        std::string flag = "-c";
        std::string text = "cd /; " + command; // the user postgres may not be allowed where the test is
        char* arguments[] = {shell_name.data(), flag.data(), text.data(), nullptr};
        pid_t child = 0;
        if (::posix_spawn(&child, "/bin/sh", actions, nullptr, arguments, environ) != 0) {
            throw std::runtime_error{"no process can be started"};
        }
        return child;
    }

    [[nodiscard]] static bool shell(const std::string& command) {
        const pid_t child = spawn(command, nullptr);
        int status = 0;
        while (::waitpid(child, &status, 0) < 0) {
            if (errno != EINTR) { return false; }
        }
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    /// A process that clears up when the pipe from this one breaks, whatever has ended it.
    void start_guard() {
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC) != 0) { throw std::runtime_error{"no pipe can be made"}; }
        posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
        ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        // A stopped server does not hear that it has to end.
        guard_ = spawn("trap '' INT HUP TERM; cat; if read -r pid < " + quoted(data() + "/postmaster.pid") +
                           "; then kill -CONT $pid; fi; " + as_owner("pg_ctl") + " -D " + quoted(data()) +
                           " -m immediate -w stop; rm -rf " + quoted(directory_),
                       &actions);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[0]);
        guard_input_ = ends[1];
    }
    void end_guard() const {
        ::close(guard_input_);
        int status = 0;
        while (::waitpid(guard_, &status, 0) < 0 && errno == EINTR) {}
    }

    /// The server's first process and its children.
    void signal_all(int signal) const {
        const int postmaster = std::atoi(content(data() + "/postmaster.pid").c_str());
        if (postmaster <= 1) { return; }
        ::kill(postmaster, signal);
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator{"/proc", error}) {
            const int process = std::atoi(entry.path().filename().c_str());
            if (process <= 1) { continue; }
            // "pid (name) state parent ...", and a name may have anything in it.
            const std::string state = content(entry.path().string() + "/stat");
            const auto end = state.rfind(')');
            if (end == std::string::npos || end + 4 >= state.size()) { continue; }
            if (std::atoi(state.c_str() + end + 4) == postmaster) { ::kill(process, signal); }
        }
    }

    std::string directory_;
    int port_ = 0;
    int schemas_ = 0;
    pid_t guard_ = -1;
    int guard_input_ = -1;
};

} // namespace daybook_test

#endif
