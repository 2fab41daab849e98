// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQLITE_LOCK_HPP
#define DAYBOOK_ADAPTERS_SQLITE_LOCK_HPP

/// @file
/// Who owns a database file: one store at a time, for as long as it is open. SQLite's own locks last for a transaction.

#include <daybook/log/execution_store.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#if defined(_WIN32)
#include <io.h>
#include <share.h>
#else
#include <sys/file.h>
#include <unistd.h>
#endif

namespace daybook::inline v0 {

/// Holds the file `<path>.lock` locked: the system releases it when the process ends, in whatever way. The file stays
/// where it is. Another store in the same process is refused too.
///
/// A process that was forked off without `exec` shares the lock until it ends.
class SqliteLock {
public:
    /// @param path  Of the database, which need not exist; links are followed, so that one file has one lock.
    /// @throws StoreError  Somebody else has it (`busy`), or the file cannot be made.
    explicit SqliteLock(const std::string& path) {
        std::error_code error;
        std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
        if (error) { real = path; }
        if (std::filesystem::is_directory(real, error)) { refuse(path, "it is a directory"); }
        if (real.has_parent_path() && !std::filesystem::is_directory(real.parent_path(), error)) {
            refuse(path, "there is no directory " + real.parent_path().string());
        }
        real += ".lock";
        take(real, path);
    }
    SqliteLock(const SqliteLock&) = delete;
    SqliteLock& operator=(const SqliteLock&) = delete;
    ~SqliteLock() { close_file(); }

private:
    [[noreturn]] static void refuse(const std::string& path, const std::string& why) {
        throw StoreError{StoreFailure::refused, "SQLite, " + path + ": " + why};
    }

    [[noreturn]] static void fail(const std::string& file, int error) {
        const bool is_full = error == ENOSPC || error == EACCES || error == EROFS || error == EPERM;
        const bool may_work = error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR;
        throw StoreError{is_full    ? StoreFailure::full
                         : may_work ? StoreFailure::unavailable
                                    : StoreFailure::refused,
                         "the lock file " + file +
                             " cannot be made or locked: " + std::generic_category().message(error)};
    }

#if defined(_WIN32)
    void take(const std::filesystem::path& file, const std::string& path) {
        const int error =
            _wsopen_s(&fd_, file.c_str(), _O_RDWR | _O_CREAT | _O_NOINHERIT, _SH_DENYRW, _S_IREAD | _S_IWRITE);
        if (error == EACCES) { throw StoreError{StoreFailure::busy, path + " is in use by another process"}; }
        if (error != 0) { fail(file.string(), error); }
    }
    void close_file() noexcept {
        if (fd_ >= 0) { _close(fd_); }
    }
#else
    void take(const std::filesystem::path& file, const std::string& path) {
        // Whoever removes lock files may do it between the opening and the locking: then it is another file by now.
        for (int attempt = 0; attempt < 10; ++attempt) {
            close_file();
            constexpr mode_t rights = 0644;
            fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, rights);
            if (fd_ < 0) { fail(file.string(), errno); }
            if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
                const int error = errno;
                const std::string owner = read_owner();
                close_file();
                if (error != EWOULDBLOCK) { fail(file.string(), error); }
                throw StoreError{StoreFailure::busy, owner == std::to_string(::getpid())
                                                         ? path + " is in use by another store of this process"
                                                         : path + " is in use by another process" +
                                                               (owner.empty() ? owner : " (" + owner + ")")};
            }
            struct stat held {};
            struct stat named {};
            if (::fstat(fd_, &held) == 0 && ::stat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
                held.st_ino == named.st_ino) {
                write_owner();
                return;
            }
        }
        close_file();
        throw StoreError{StoreFailure::busy, "the lock file " + file.string() + " is removed again and again"};
    }

    // Who it is, for the sentence that another one gets; a full disk is no reason to fail.
    void write_owner() const noexcept {
        char digits[24];
        char* const end = std::to_chars(digits, digits + sizeof digits, static_cast<long>(::getpid())).ptr;
        if (::ftruncate(fd_, 0) != 0) { return; }
        [[maybe_unused]] const auto written = ::pwrite(fd_, digits, static_cast<std::size_t>(end - digits), 0);
    }
    [[nodiscard]] std::string read_owner() const {
        char digits[24];
        const auto size = ::pread(fd_, digits, sizeof digits, 0);
        std::string owner{digits, size > 0 ? static_cast<std::size_t>(size) : 0};
        return owner.find_first_not_of("0123456789") == std::string::npos ? owner : std::string{};
    }

    void close_file() noexcept {
        if (fd_ >= 0) { ::close(fd_); }
        fd_ = -1;
    }
#endif

    int fd_ = -1;
};

} // namespace daybook::inline v0

#endif
