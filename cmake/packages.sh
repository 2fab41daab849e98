# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Sourced by examples/run and tests/run: finds out what is missing and installs it by Debian package name. Where everything is
# there, nothing is asked of the package manager; package sources are never touched.

missing_packages=

# need_command COMMAND PACKAGE
need_command() {
    command -v "$1" >/dev/null 2>&1 || missing_packages="$missing_packages $2"
}

# need_file PATH PACKAGE
need_file() {
    [ -e "$1" ] || missing_packages="$missing_packages $2"
}

# need_header PACKAGE HEADER...: one of the headers, where the compiler finds it. Without a compiler yet the package is asked for.
need_header() {
    package=$1
    shift
    for header; do
        if printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$header" | g++ -std=c++20 -E -x c++ - >/dev/null 2>&1; then
            return 0
        fi
    done
    missing_packages="$missing_packages $package"
}

install_missing_packages() {
    [ -n "$missing_packages" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "These are missing, and there is no apt-get to install them with. By their Debian names:"
        for package in $missing_packages; do echo "    $package"; done
        echo "Install them with this system's package manager, then run this again."
        exit 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "These packages are missing, and installing them needs root (there is no sudo). As root, run:"
            echo "    apt-get install$missing_packages"
            exit 1
        fi
        as_root=sudo
    fi
    echo "Installing Debian packages:$missing_packages"
    $as_root apt-get update -qq || echo "apt-get update failed; trying with the package lists that are here."
    # shellcheck disable=SC2086 # a list of words
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing_packages </dev/null; then
        echo "apt-get could not install:$missing_packages"
        exit 1
    fi
    missing_packages=
}

need_build_tools() {
    need_command g++ g++
    need_command cmake cmake
    need_command ninja ninja-build
    need_command pkg-config pkg-config
    need_file /usr/share/zoneinfo/Europe/Berlin tzdata
    need_header libcpp-httplib-dev httplib.h
    need_header nlohmann-json3-dev nlohmann/json.hpp
    need_header libsqlite3-dev sqlite3.h
    need_header libpq-dev postgresql/libpq-fe.h libpq-fe.h
}

# The servers that there are adapters for; an adapter whose library is missing is left out, so only the whole test asks for them.
need_http_servers() {
    need_header libboost-dev boost/beast.hpp
    need_header libmicrohttpd-dev microhttpd.h
    need_header libevent-dev event2/http.h
    need_header libcivetweb-dev CivetServer.h
    need_header libpoco-dev Poco/Net/HTTPServer.h
    need_header librestinio-dev restinio/all.hpp
    need_header libasio-dev asio.hpp
    need_header libhttp-parser-dev http_parser.h
    need_header libfmt-dev fmt/format.h
    need_header libpistache-dev pistache/http.h
    need_header libcpprest-dev cpprest/http_listener.h
    need_header libssl-dev openssl/hmac.h
    for package in qt6-base-dev:Qt6Core qt6-websockets-dev:Qt6WebSockets qt6-httpserver-dev:Qt6HttpServer; do
        set -- /usr/lib/*/cmake/"${package#*:}"
        [ -e "$1" ] || missing_packages="$missing_packages ${package%:*}"
    done
}

# The databases that there are stores for: the same.
need_databases() {
    set -- /usr/lib/postgresql/*/bin/initdb # the tests start servers of their own
    need_file "$1" postgresql
}

# The tests of the page run in a browser; what they need from npm they install by themselves.
need_browser() {
    need_command node nodejs
    need_command npm npm
    need_command chromium chromium
}
