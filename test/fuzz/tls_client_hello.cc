// tls_client_hello: what a stranger sends to the port of TLS opens nothing, and comes to the same
// end wherever the network cuts it.
//
// Input: byte 0 is the size of the pieces (0: all at once), the rest is the stream.
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/openssl_library.h"
#include "net/tls_context.h"
#include "net/tls_session.h"
#include "test/fuzz/fuzz_target.h"

namespace {

using roxdb::net::TlsContext;
using roxdb::net::TlsSession;
using roxdb::net::TlsShared;

// Of a server whose certificate nobody has signed but itself.
TlsContext make_context() {
  std::string why;
  ROX_ASSERT(roxdb::net::load_openssl(why));
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  ROX_ASSERT(X509_sign(certificate, key, EVP_sha256()) > 0);
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  ROX_ASSERT(SSL_CTX_use_certificate(context.get(), certificate) == 1);
  ROX_ASSERT(SSL_CTX_use_PrivateKey(context.get(), key) == 1);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

// How the handshake stands when all of the stream has come.
TlsSession::Step shake_hands(std::string_view stream, size_t piece_bytes) {
  static const TlsContext context = make_context();
  static TlsShared shared;
  auto session = TlsSession::open(context.get(), shared);
  ROX_ASSERT(session.ok());
  TlsSession::Step step = TlsSession::Step::kNeedsBytes;
  while (!stream.empty() && step == TlsSession::Step::kNeedsBytes) {
    const std::string_view piece = stream.substr(0, piece_bytes);
    stream.remove_prefix(piece.size());
    (*session)->feed(piece);
    step = (*session)->shake_hands();
    ROX_ASSERT(step == TlsSession::Step::kNeedsBytes || step == TlsSession::Step::kFailed);
    ROX_ASSERT(step == TlsSession::Step::kFailed || !(*session)->has_bytes());
  }
  ROX_ASSERT(!(*session)->is_open());
  (*session)->close();
  shared.sealed.clear(0);
  return step;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece_bytes = data[0] == 0 ? SIZE_MAX : data[0];
  ROX_ASSERT(shake_hands(stream, SIZE_MAX) == shake_hands(stream, piece_bytes));
  return 0;
}
