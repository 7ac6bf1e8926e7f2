// tls_session.h: the TLS of one connection, without a socket: bytes in, bytes out.
//
//   socket --feed()--> TlsSession --read()--> what the client says
//   what it is told --seal()--> TlsSession --TlsShared::sealed--> socket
//
//   new --shake_hands(): kDone--> open --read(): kEnded--> open, nothing more comes in
//     '---- any call: kFailed ----'--> failed: of no use; `sealed` holds the alert, if there is one
//
// OpenSSL reads and writes through a BIO of ours that never blocks a write: what is sealed stands
// in the buffer that all sessions of a loop share, and the caller sends it before another session
// seals. So a session keeps nothing for the socket, and asks for one thing only: more bytes.
//
// Not thread-safe: one thread owns the sessions of a TlsShared.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "resp/output_buffer.h"

namespace roxdb::net {

// The largest number of bytes that one record of TLS carries.
inline constexpr size_t kTlsRecordBytes = 16u << 10;

// What all sessions of one loop share.
class TlsShared {
 public:
  TlsShared();
  TlsShared(const TlsShared&) = delete;
  TlsShared& operator=(const TlsShared&) = delete;

  resp::OutputBuffer sealed;  // for the socket of the session that was called last

 private:
  friend class TlsSession;
  struct FreeMethod {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  std::unique_ptr<BIO_METHOD, FreeMethod> method_;
  std::unique_ptr<char[]> record_;  // where short pieces are joined
};

class TlsSession {
 public:
  enum class Step : uint8_t {
    kDone,
    kNeedsBytes,  // feed() more
    kEnded,       // the peer has said that it sends nothing more
    kFailed,      // see failure()
  };

  // The server's side of a connection. Keeps `context` alive by itself; `shared` must outlive this.
  // Code::kNoMemory.
  static Result<std::unique_ptr<TlsSession>> open(SSL_CTX* context, TlsShared& shared);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  bool is_open() const { return state_ == State::kOpen; }

  // Bytes of the socket, looked at by the calls below until they are used up or others are fed.
  void feed(std::string_view bytes) { incoming_ = bytes; }
  // Whether read() may find something without more bytes.
  bool has_bytes() const { return !incoming_.empty() || SSL_pending(ssl_.get()) > 0; }

  // Goes on with the handshake. kDone, once: the session is open.
  Step shake_hands();
  // Decrypts into `space`, at most one record at a time. kDone: `size` > 0 bytes. REQUIRES:
  // is_open(), `space` is not empty.
  Step read(std::span<char> space, size_t& size);
  // Encrypts bytes from the front of `plain`, `bytes_max` or a record more, and drops them there.
  // False: failed. REQUIRES: is_open().
  bool seal(resp::OutputBuffer& plain, size_t bytes_max);
  // Says that nothing more comes.
  void close();

  // Why it failed, for the log: OpenSSL's words, nothing of the peer's.
  const std::string& failure() const { return failure_; }

  // Who the peer's certificate says it is: its common name, or the URIs among its other names, in
  // their order. Empty when there is no certificate or no such name. REQUIRES: is_open().
  std::string peer_common_name() const;
  std::vector<std::string> peer_uris() const;

 private:
  enum class State : uint8_t { kNew, kOpen, kFailed };
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  TlsSession(SSL* ssl, TlsShared& shared) : shared_(shared), ssl_(ssl) {}
  Step after(int result);
  Step fail(std::string why);
  static int read_bio(BIO* bio, char* out, int size);
  static int write_bio(BIO* bio, const char* bytes, int size);
  static long control_bio(BIO* bio, int command, long number, void* pointer);
  friend class TlsShared;

  TlsShared& shared_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string_view incoming_;
  State state_ = State::kNew;
  std::string failure_;
};

}  // namespace roxdb::net
