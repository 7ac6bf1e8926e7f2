#include "net/tls_session.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "net/openssl_library.h"
#include "net/tls_context.h"

namespace roxdb::net {
namespace {

bool load_library() {
  std::string why;
  BOOST_REQUIRE_MESSAGE(load_openssl(why), why);
  return true;
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// A server's context with a certificate that it has signed itself.
TlsContext make_server_context() {
  const std::unique_ptr<EVP_PKEY, FreeKey> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, FreeCertificate> certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  BOOST_REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  BOOST_REQUIRE(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
  BOOST_REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  return context;
}

// A session, and OpenSSL's own client at its other end.
struct Ends {
  explicit Ends(int version) {
    SSL_CTX_set_min_proto_version(client_context.get(), version);
    SSL_CTX_set_max_proto_version(client_context.get(), version);
    client.reset(SSL_new(client_context.get()));
    SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.get());
    Result<std::unique_ptr<TlsSession>> opened = TlsSession::open(context.get(), shared);
    BOOST_REQUIRE(opened.ok());
    session = *std::move(opened);
  }

  // What the client has for the server.
  std::string from_client() {
    char* bytes;
    BIO* const bio = SSL_get_wbio(client.get());
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string out(bytes, static_cast<size_t>(size));
    BIO_reset(bio);
    return out;
  }
  // What the session has sealed goes to the client; returns it.
  std::string deliver() {
    std::string sealed;
    while (!shared.sealed.empty()) {
      std::array<std::string_view, 1> piece;
      shared.sealed.gather(piece);
      sealed += piece[0];
      shared.sealed.consume(piece[0].size());
    }
    BIO_write(SSL_get_rbio(client.get()), sealed.data(), static_cast<int>(sealed.size()));
    return sealed;
  }
  // Both say what they must, the client in pieces of at most `piece_bytes`.
  void shake_hands(size_t piece_bytes = SIZE_MAX) {
    while (!session->is_open()) {
      SSL_do_handshake(client.get());
      const std::string bytes = from_client();
      BOOST_REQUIRE(!bytes.empty());
      for (size_t at = 0; at < bytes.size() && !session->is_open(); at += piece_bytes) {
        session->feed(std::string_view(bytes).substr(at, piece_bytes));
        BOOST_REQUIRE(session->shake_hands() != TlsSession::Step::kFailed);
      }
      deliver();
    }
    SSL_do_handshake(client.get());
  }
  // All that the client finds in what was delivered.
  std::string client_reads() {
    std::string out;
    char bytes[1000];
    for (int size; (size = SSL_read(client.get(), bytes, sizeof bytes)) > 0;) {
      out.append(bytes, static_cast<size_t>(size));
    }
    return out;
  }
  // All that the session finds in `bytes`, a few at a time.
  std::string session_reads(std::string_view bytes) {
    std::string out;
    char space[777];
    session->feed(bytes);
    for (size_t size; session->has_bytes();) {
      const TlsSession::Step step = session->read(space, size);
      BOOST_REQUIRE(step != TlsSession::Step::kFailed);
      if (step == TlsSession::Step::kDone) out.append(space, size);
    }
    return out;
  }

  const bool is_loaded = load_library();
  TlsShared shared;
  TlsContext context = make_server_context();
  TlsContext client_context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, decltype(&SSL_free)> client{nullptr, SSL_free};
  std::unique_ptr<TlsSession> session;
};

// The plain sizes of the records in sealed bytes of TLS 1.3: a header of 5 bytes, then the bytes,
// their kind and a tag of 16.
std::vector<size_t> records_of(std::string_view sealed) {
  std::vector<size_t> sizes;
  while (!sealed.empty()) {
    const size_t size = static_cast<size_t>(static_cast<unsigned char>(sealed[3])) << 8 |
                        static_cast<unsigned char>(sealed[4]);
    sizes.push_back(size - 17);
    sealed.remove_prefix(5 + size);
  }
  return sizes;
}

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

}  // namespace

BOOST_AUTO_TEST_SUITE(net_tls_session)

BOOST_AUTO_TEST_CASE(bytes_pass_in_both_directions) {
  for (const int version : kVersions) {
    BOOST_TEST_CONTEXT("version " << version) {
      Ends ends(version);
      ends.shake_hands();
      const std::string question(40'000, 'q');
      SSL_write(ends.client.get(), question.data(), static_cast<int>(question.size()));
      BOOST_TEST(ends.session_reads(ends.from_client()) == question);

      resp::OutputBuffer answer;
      answer.append(std::string(50'000, 'a'));
      BOOST_TEST(ends.session->seal(answer, SIZE_MAX));
      BOOST_TEST(answer.empty());
      ends.deliver();
      BOOST_TEST(ends.client_reads() == std::string(50'000, 'a'));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_handshake_and_a_record_may_come_byte_by_byte) {
  for (const int version : kVersions) {
    Ends ends(version);
    ends.shake_hands(1);
    SSL_write(ends.client.get(), "PING", 4);
    const std::string sealed = ends.from_client();
    for (size_t at = 0; at + 1 < sealed.size(); ++at) {
      BOOST_TEST(ends.session_reads(std::string_view(sealed).substr(at, 1)) == "");
    }
    BOOST_TEST(ends.session_reads(std::string_view(sealed).substr(sealed.size() - 1)) == "PING");
  }
}

// Header, value and line end are three pieces; all records but the last are full, so what is short
// is joined with its neighbours.
BOOST_AUTO_TEST_CASE(a_value_goes_in_full_records) {
  Ends ends(TLS1_3_VERSION);
  ends.shake_hands();
  const std::string value(20 * kTlsRecordBytes, 'v');
  resp::OutputBuffer output;
  output.append("$327680\r\n");
  output.splice(value, {});  // the test keeps it
  output.append("\r\n");
  BOOST_TEST(ends.session->seal(output, SIZE_MAX));
  const std::vector<size_t> records = records_of(ends.deliver());
  BOOST_TEST(records.size() == 21u);
  for (size_t i = 0; i + 1 < records.size(); ++i) BOOST_TEST(records[i] == kTlsRecordBytes);
  BOOST_TEST(ends.client_reads() == "$327680\r\n" + value + "\r\n");
}

BOOST_AUTO_TEST_CASE(no_more_is_sealed_than_asked_for_and_a_record) {
  Ends ends(TLS1_3_VERSION);
  ends.shake_hands();
  resp::OutputBuffer output;
  output.append(std::string(10 * kTlsRecordBytes, 'x'));
  for (size_t left = 10; left > 0; --left) {
    BOOST_TEST(output.pending() == left * kTlsRecordBytes);
    BOOST_TEST(ends.session->seal(output, 1));
    ends.deliver();
  }
  BOOST_TEST(ends.client_reads().size() == 10 * kTlsRecordBytes);
}

BOOST_AUTO_TEST_CASE(each_end_hears_that_the_other_has_ended) {
  Ends ends(TLS1_3_VERSION);
  ends.shake_hands();
  SSL_write(ends.client.get(), "last", 4);
  SSL_shutdown(ends.client.get());
  char space[100];
  size_t size = 0;
  const std::string sealed = ends.from_client();
  ends.session->feed(sealed);
  BOOST_TEST((ends.session->read(space, size) == TlsSession::Step::kDone));
  BOOST_TEST(std::string(space, size) == "last");
  BOOST_TEST((ends.session->read(space, size) == TlsSession::Step::kEnded));

  // It may still be answered.
  resp::OutputBuffer answer;
  answer.append("answer");
  BOOST_TEST(ends.session->seal(answer, SIZE_MAX));
  ends.session->close();
  ends.deliver();
  BOOST_TEST(ends.client_reads() == "answer");
  BOOST_TEST(SSL_get_shutdown(ends.client.get()) == (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN));
}

BOOST_AUTO_TEST_CASE(what_is_no_handshake_fails_with_a_reason_and_an_alert) {
  Ends ends(TLS1_3_VERSION);
  ends.session->feed(std::string_view("\x16\x03\x01\0\x04\x01\0\0\0", 9));  // an empty hello
  BOOST_TEST((ends.session->shake_hands() == TlsSession::Step::kFailed));
  BOOST_TEST(!ends.session->is_open());
  BOOST_TEST(!ends.session->failure().empty());
  ends.session->close();  // says nothing more
  const std::string sealed = ends.deliver();
  BOOST_TEST(sealed.size() == 7u);
  BOOST_TEST(sealed[0] == 0x15);  // an alert, and nothing else
}

BOOST_AUTO_TEST_CASE(a_changed_record_is_noticed) {
  Ends ends(TLS1_3_VERSION);
  ends.shake_hands();
  SSL_write(ends.client.get(), "SET k v", 7);
  std::string sealed = ends.from_client();
  sealed[8] = static_cast<char>(sealed[8] ^ 1);
  char space[100];
  size_t size;
  ends.session->feed(sealed);
  BOOST_TEST((ends.session->read(space, size) == TlsSession::Step::kFailed));
  resp::OutputBuffer answer;
  answer.append("answer");
  BOOST_TEST(!ends.session->seal(answer, SIZE_MAX));
}

BOOST_AUTO_TEST_CASE(who_shows_no_certificate_has_no_name) {
  Ends ends(TLS1_3_VERSION);
  ends.shake_hands();
  BOOST_TEST(ends.session->peer_common_name() == "");
  BOOST_TEST(ends.session->peer_uris().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::net
