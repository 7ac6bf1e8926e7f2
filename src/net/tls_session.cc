#include "net/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace roxdb::net {
namespace {

struct FreeBytes {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};

// A string of a certificate as UTF-8; empty when it is none.
std::string text_of(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, string);
  const std::unique_ptr<unsigned char, FreeBytes> owned(bytes);
  return size > 0 ? std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(size)) : "";
}

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

using OtherNames = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

OtherNames other_names(const X509* certificate) {
  void* const names = X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr);
  return OtherNames(static_cast<GENERAL_NAMES*>(names), GENERAL_NAMES_free);
}

// A name with a NUL inside is shorter to whoever reads it as a string of C: nobody has such a name
// but who wants to be taken for somebody else (reliability S9).
bool has_name_with_nul(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    if (has_nul(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))))) return true;
  }
  const OtherNames others = other_names(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(others.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(others.get(), i);
    const bool is_text = name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL;
    if (is_text && has_nul(text_of(name->d.ia5))) return true;
  }
  return false;
}

std::string reason_of(unsigned long error) {
  const char* const reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown error";
}

}  // namespace

TlsShared::TlsShared()
    : method_(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "roxdb")),
      record_(std::make_unique_for_overwrite<char[]>(kTlsRecordBytes)) {
  ROX_ASSERT(method_ != nullptr);
  BIO_meth_set_read(method_.get(), TlsSession::read_bio);
  BIO_meth_set_write(method_.get(), TlsSession::write_bio);
  BIO_meth_set_ctrl(method_.get(), TlsSession::control_bio);
}

Result<std::unique_ptr<TlsSession>> TlsSession::open(SSL_CTX* context, TlsShared& shared) {
  constexpr Status kRefused{Code::kNoMemory, 0, "TLS session"};
  ERR_clear_error();
  SSL* const ssl = SSL_new(context);
  if (ssl == nullptr) return kRefused;
  std::unique_ptr<TlsSession> session(new TlsSession(ssl, shared));
  BIO* const bio = BIO_new(shared.method_.get());
  if (bio == nullptr) return kRefused;
  BIO_set_data(bio, session.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // owned by `ssl` from now on
  SSL_set_accept_state(ssl);
  return session;
}

// ---- OpenSSL's side of the bytes ----

int TlsSession::read_bio(BIO* bio, char* out, int size) {
  std::string_view& incoming = static_cast<TlsSession*>(BIO_get_data(bio))->incoming_;
  BIO_clear_retry_flags(bio);
  if (incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t taken = std::min(incoming.size(), static_cast<size_t>(size));
  std::memcpy(out, incoming.data(), taken);
  incoming.remove_prefix(taken);
  return static_cast<int>(taken);
}

int TlsSession::write_bio(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  static_cast<TlsSession*>(BIO_get_data(bio))
      ->shared_.sealed.append({bytes, static_cast<size_t>(size)});
  return size;
}

long TlsSession::control_bio(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// ---- the connection's side ----

TlsSession::Step TlsSession::shake_hands() {
  ERR_clear_error();
  if (const Step step = after(SSL_do_handshake(ssl_.get())); step != Step::kDone) return step;
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate != nullptr && has_name_with_nul(certificate)) {
    return fail("certificate with a NUL in its name");
  }
  state_ = State::kOpen;
  return Step::kDone;
}

TlsSession::Step TlsSession::read(std::span<char> space, size_t& size) {
  ERR_clear_error();
  return after(SSL_read_ex(ssl_.get(), space.data(), space.size(), &size));
}

bool TlsSession::seal(resp::OutputBuffer& plain, size_t bytes_max) {
  // Enough to fill a record of pairs of a header and a value.
  std::array<std::string_view, 32> pieces;
  size_t sealed = 0;
  while (!plain.empty() && sealed < bytes_max) {
    const size_t count = plain.gather(pieces);
    std::string_view part = pieces[0];
    if (part.size() >= kTlsRecordBytes) {
      // Straight from where it lies, in full records.
      part = part.substr(0, std::max(bytes_max - sealed, kTlsRecordBytes));
      part.remove_suffix(part.size() % kTlsRecordBytes);
    } else if (count > 1) {
      size_t joined = 0;
      for (size_t i = 0; i < count && joined < kTlsRecordBytes; ++i) {
        const size_t size = std::min(pieces[i].size(), kTlsRecordBytes - joined);
        std::memcpy(shared_.record_.get() + joined, pieces[i].data(), size);
        joined += size;
      }
      part = {shared_.record_.get(), joined};
    }
    size_t written;
    ERR_clear_error();
    if (after(SSL_write_ex(ssl_.get(), part.data(), part.size(), &written)) != Step::kDone) {
      return false;
    }
    plain.consume(written);
    sealed += written;
  }
  return true;
}

void TlsSession::close() {
  if (state_ != State::kOpen) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

TlsSession::Step TlsSession::after(int result) {
  if (result == 1) return Step::kDone;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::kNeedsBytes;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kEnded;
    default:
      break;
  }
  const unsigned long error = ERR_peek_last_error();
  const long verified = SSL_get_verify_result(ssl_.get());
  std::string why = reason_of(error);
  if (verified != X509_V_OK) {
    why += std::string(": ") + X509_verify_cert_error_string(verified);
  }
  return fail(std::move(why));
}

TlsSession::Step TlsSession::fail(std::string why) {
  ERR_clear_error();
  state_ = State::kFailed;
  failure_ = std::move(why);
  return Step::kFailed;
}

std::string TlsSession::peer_common_name() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return "";
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return index < 0 ? "" : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
}

std::vector<std::string> TlsSession::peer_uris() const {
  std::vector<std::string> uris;
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return uris;
  const OtherNames others = other_names(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(others.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(others.get(), i);
    if (name->type == GEN_URI) uris.push_back(text_of(name->d.ia5));
  }
  return uris;
}

}  // namespace roxdb::net
