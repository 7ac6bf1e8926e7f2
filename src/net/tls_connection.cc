#include "net/tls_connection.h"

#include <algorithm>
#include <utility>

namespace roxdb::net {
namespace {

// Sealed at a time: two records, which are in the first cache when they are written. Of 16 to 256
// KiB the least time for values of 1 MiB.
constexpr size_t kSealedBytesMax = 32u << 10;
// What OpenSSL 3.0 takes for a session that is idle.
constexpr size_t kSslBytes = 15u << 10;

TlsConnection& connection_of(void* data) {
  return static_cast<TlsConnection&>(*static_cast<SocketLink*>(data));
}

}  // namespace

Result<std::unique_ptr<TlsConnection>> TlsConnection::open(uv_loop_t* loop, int socket, Tls& tls) {
  ROX_TRY(std::unique_ptr<TlsSession> session, tls.open_session());
  ROX_TRY(Handle handle, open_handle(loop, socket, false));
  return std::unique_ptr<TlsConnection>(
      new TlsConnection(std::move(handle), std::move(session), tls));
}

TlsConnection::TlsConnection(Handle socket, std::unique_ptr<TlsSession> session, Tls& tls)
    : SocketLink(std::move(socket)), tls_(tls), session_(std::move(session)) {}

TlsConnection::~TlsConnection() {
  tls_.handshakes.end(*this);
  if (unsent_bytes() > 0) return;
  session_->close();
  write_last(tls_.shared().sealed);
}

Status TlsConnection::start(server::Turn& turn, server::Client& client) {
  serve(turn, client);
  tls_.handshakes.begin(*this);
  return read();
}

// ---- bytes in ----

Status TlsConnection::read() {
  const auto on_alloc = [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    TlsConnection& self = connection_of(handle->data);
    // No room is libuv's way to be told: not now.
    const bool must_wait = !self.turn().may_read(self.client()) ||
                           (!self.session_->is_open() && !self.tls_.handshakes.has_time());
    const std::span<char> space =
        must_wait ? std::span<char>() : self.tls_.read_buffer(self.turn().is_aside());
    *buffer = uv_buf_t{space.data(), space.size()};
  };
  const auto on_read = [](uv_stream_t* handle, ssize_t size, const uv_buf_t* buffer) {
    TlsConnection& self = connection_of(handle->data);
    if (size > 0) return self.on_bytes({buffer->base, static_cast<size_t>(size)});
    if (size == 0) return;  // nothing to read after all
    if (size == UV_ENOBUFS && !self.turn().may_read(self.client())) return;
    if (size == UV_ENOBUFS && self.turn().is_aside()) return;
    uv_read_stop(handle);
    if (size == UV_ENOBUFS) return self.tls_.handshakes.postpone(self);
    if (size == UV_EOF && self.session_->is_open()) return self.turn().ended(self.client());
    self.fail();
  };
  const int error = uv_read_start(stream(), on_alloc, on_read);
  return error < 0 ? io_error(-error, "uv_read_start") : kOk;
}

void TlsConnection::on_bytes(std::string_view bytes) {
  if (client().is_closed()) return;
  session_->feed(bytes);
  if (session_->is_open() || shake_hands()) read_client();
  session_->feed({});  // the bytes are somebody else's from now on
}

// True: the session is open.
bool TlsConnection::shake_hands() {
  const uint64_t began_ns = uv_hrtime();
  const TlsSession::Step step = session_->shake_hands();
  tls_.handshakes.spend(uv_hrtime() - began_ns);
  send_sealed();
  if (step == TlsSession::Step::kFailed) lose("Error accepting a client connection");
  if (step != TlsSession::Step::kDone) return false;
  tls_.handshakes.end(*this);
  if (tls_.on_open) tls_.on_open(client(), *session_);
  return true;
}

// Lets the turn have all that has come. It may close any client, this one included.
void TlsConnection::read_client() {
  while (!client().is_closed() && session_->has_bytes()) {
    size_t size;
    const TlsSession::Step step = session_->read(turn().space_for(client()), size);
    send_sealed();  // what the protocol itself had to say, before others seal
    switch (step) {
      case TlsSession::Step::kDone:
        turn().received(client(), size);
        break;
      case TlsSession::Step::kNeedsBytes:
        break;
      case TlsSession::Step::kEnded:
        uv_read_stop(stream());
        return turn().ended(client());
      case TlsSession::Step::kFailed:
        return lose("Connection with client lost");
    }
  }
}

void TlsConnection::resume() {
  if (!client().is_closed() && !read().ok()) fail();
}

void TlsConnection::time_out() {
  tls_.log().verbose("Error accepting a client connection: handshake takes too long (addr={})",
                     client().peer.address);
  uv_read_stop(stream());  // nothing that has come since can bring it back
  fail();
}

void TlsConnection::lose(std::string_view what) {
  tls_.log().verbose("{}: {} (addr={})", what, session_->failure(), client().peer.address);
  fail();
}

// ---- bytes out ----

void TlsConnection::send(resp::OutputBuffer& output) {
  if (waiting_.empty() && session_->is_open() && seal_and_send(output)) return;
  waiting_.add(output, false);
}

// True: all of it, or the connection is lost; `output` is empty. False: the socket is full.
bool TlsConnection::seal_and_send(resp::OutputBuffer& output) {
  while (!output.empty() && !client().is_closed()) {
    if (SocketLink::unsent_bytes() > 0) return false;
    const bool sealed = session_->seal(output, kSealedBytesMax);
    send_sealed();
    if (!sealed) lose("Connection with client lost");
  }
  output.clear(output.capacity());
  return true;
}

void TlsConnection::send_sealed() {
  resp::OutputBuffer& sealed = tls_.shared().sealed;
  if (!sealed.empty()) write(sealed);
}

void TlsConnection::on_all_sent() {
  while (!waiting_.empty()) {
    resp::OutputBuffer& next = waiting_.front();
    const size_t before = next.pending();
    const bool sent = seal_and_send(next);
    waiting_.taken(before - next.pending());
    if (!sent) return;
  }
  if (SocketLink::unsent_bytes() == 0) SocketLink::on_all_sent();
}

size_t TlsConnection::unsent_bytes() const { return SocketLink::unsent_bytes() + waiting_.bytes(); }
size_t TlsConnection::unsent_pieces() const {
  return SocketLink::unsent_pieces() + waiting_.pieces();
}

size_t TlsConnection::memory_bytes() const {
  return SocketLink::memory_bytes() + sizeof *this - sizeof(SocketLink) + sizeof *session_ +
         kSslBytes + waiting_.bytes();
}

}  // namespace roxdb::net
