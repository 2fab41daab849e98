// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include "odd_server.hpp"

#include <daybook/adapters/httplib_client.hpp>

#include <httplib.h>

#ifdef CPPHTTPLIB_OPENSSL_SUPPORT

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using daybook::httplib_send;
using daybook::http::HttpOutcome;

namespace {

/// A key and a certificate for these names that nobody has signed, as files.
class SelfSigned {
public:
    explicit SelfSigned(const std::string& names)
        : folder_{std::filesystem::temp_directory_path() /
                  ("daybook_tls_" + std::to_string(::getpid()) + "_" + std::to_string(++made()))} {
        std::filesystem::create_directories(folder_);
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair{EVP_EC_gen("P-256"), &EVP_PKEY_free};
        const std::unique_ptr<X509, decltype(&X509_free)> proof{X509_new(), &X509_free};
        X509_set_version(proof.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(proof.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(proof.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(proof.get()), 3600);
        X509_set_pubkey(proof.get(), pair.get());
        auto* const subject = X509_get_subject_name(proof.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("daybook"), -1,
                                   -1, 0);
        X509_set_issuer_name(proof.get(), subject);
        const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension{
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()), &X509_EXTENSION_free};
        X509_add_ext(proof.get(), extension.get(), -1);
        X509_sign(proof.get(), pair.get(), EVP_sha256());
        std::FILE* file = std::fopen(key().c_str(), "w");
        PEM_write_PrivateKey(file, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        file = std::fopen(certificate().c_str(), "w");
        PEM_write_X509(file, proof.get());
        std::fclose(file);
    }
    SelfSigned(const SelfSigned&) = delete;
    SelfSigned& operator=(const SelfSigned&) = delete;
    ~SelfSigned() { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string key() const { return (folder_ / "key.pem").string(); }
    [[nodiscard]] std::string certificate() const { return (folder_ / "certificate.pem").string(); }

private:
    static std::atomic<int>& made() {
        static std::atomic<int> count{0};
        return count;
    }
    std::filesystem::path folder_;
};

class TlsServer {
public:
    explicit TlsServer(const SelfSigned& identity) : server_{identity.certificate().c_str(), identity.key().c_str()} {
        server_.Post("/", [this](const httplib::Request& request, httplib::Response& response) {
            ++asked_;
            response.set_content("over TLS: " + request.body, "text/plain");
        });
        server_.Post("/line", [](const httplib::Request&, httplib::Response& response) {
            response.set_header("X-Long", std::string(100'000, 'x'));
        });
        server_.Post("/large", [](const httplib::Request&, httplib::Response& response) {
            response.set_content(std::string(10'000'000, 'x'), "text/plain");
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) { std::this_thread::yield(); }
    }
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer() {
        server_.stop();
        thread_.join();
    }
    [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
        return "https://" + host + ":" + std::to_string(port_);
    }
    [[nodiscard]] int asked() const { return asked_; }

private:
    httplib::SSLServer server_;
    std::atomic<int> asked_{0};
    int port_ = -1;
    std::thread thread_;
};

} // namespace

TEST_CASE("https works with a certificate that is believed, and only with such") {
    const SelfSigned identity{"IP:127.0.0.1"};
    const SelfSigned other{"IP:127.0.0.1"};
    const TlsServer server{identity};
    const auto reply =
        httplib_send({.ca_certificates = identity.certificate()})({.url = server.url(), .body = "hello"});
    INFO(reply.error);
    CHECK(reply.outcome == HttpOutcome::answered);
    CHECK(reply.body == "over TLS: hello");
    CHECK(server.asked() == 1);
    CHECK(httplib_send()({.url = server.url()}).outcome == HttpOutcome::unreachable);
    CHECK(httplib_send({.ca_certificates = other.certificate()})({.url = server.url()}).outcome ==
          HttpOutcome::unreachable);
    CHECK(httplib_send({.ca_certificates = "/nonexistent"})({.url = server.url()}).outcome == HttpOutcome::unreachable);
    CHECK(server.asked() == 1);
}

TEST_CASE("https is refused by a server whose certificate is for another host") {
    const SelfSigned identity{"DNS:elsewhere.test"};
    const TlsServer server{identity};
    const auto send = httplib_send({.ca_certificates = identity.certificate()});
    CHECK(send({.url = server.url()}).outcome == HttpOutcome::unreachable);
    CHECK(send({.url = server.url("localhost")}).outcome == HttpOutcome::unreachable);
    CHECK(server.asked() == 0);
}

TEST_CASE("the limits of answers hold over TLS too") {
    const SelfSigned identity{"IP:127.0.0.1"};
    const TlsServer server{identity};
    const auto send = httplib_send({.ca_certificates = identity.certificate()});
    CHECK(send({.url = server.url() + "/line"}).outcome == HttpOutcome::unreachable);
    const auto reply = send({.url = server.url() + "/large", .max_response_bytes = 100'000});
    CHECK(reply.is_cut);
    CHECK(reply.body.size() == 100'000);
}

TEST_CASE("a TLS handshake that does not get on ends at the timeout, or when it is stopped") {
    const OddServer silent{[](const OddServer::Peer& peer) { peer.hang(); }};
    const OddServer dripping{[](const OddServer::Peer& peer) {
        (void)peer.send("\x16\x03\x03\x40");
        while (!peer.is_over() && peer.send(std::string_view{"\0", 1})) { std::this_thread::sleep_for(10ms); }
    }};
    const auto begin = std::chrono::steady_clock::now();
    const auto send = httplib_send({.connect_timeout = 10min});
    for (const auto* const server : {&silent, &dripping}) {
        const auto url = "https://127.0.0.1:" + std::to_string(server->port());
        CHECK(send({.url = url, .timeout = 200ms}).outcome == HttpOutcome::timed_out);
        std::stop_source stop;
        std::thread stopper{[&] {
            std::this_thread::sleep_for(50ms);
            stop.request_stop();
        }};
        CHECK(send({.url = url, .timeout = 10min, .stop = stop.get_token()}).outcome == HttpOutcome::stopped);
        stopper.join();
    }
    CHECK(std::chrono::steady_clock::now() - begin < 60s);
}

TEST_CASE("plain text where TLS is expected is no answer") {
    const OddServer plain{[](const OddServer::Peer& peer) {
        (void)peer.send("HTTP/1.1 200 OK\r\n\r\nhello");
        peer.hang();
    }};
    CHECK(httplib_send()({.url = "https://127.0.0.1:" + std::to_string(plain.port())}).outcome ==
          HttpOutcome::unreachable);
}

#endif
