#include "net/connection.h"

#include <array>
#include <span>

namespace roxdb::net {
namespace {

// Parts of one gathered write. A reply of spliced values has two per value.
constexpr size_t kPiecesMax = 64;
// Waiting output up to this size is copied behind the output before it, so that a client that does
// not read costs its bytes and not a buffer for each of its replies.
constexpr size_t kJoinedBytesMax = 16u << 10;

using Pieces = std::array<uv_buf_t, kPiecesMax>;

// The front of `output` as libuv wants it; returns the number of pieces.
unsigned gather(const resp::OutputBuffer& output, Pieces& pieces, size_t& bytes) {
  std::array<std::string_view, kPiecesMax> views;
  const size_t count = output.gather(views);
  bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    // libuv's buffers are not const because reads use them too; a write only looks.
    pieces[i] = uv_buf_t{const_cast<char*>(views[i].data()), views[i].size()};
    bytes += views[i].size();
  }
  return static_cast<unsigned>(count);
}

// A socket as a handle of libuv's; a failed init must never reach uv_close.
template <class Handle, class Init, class Open>
Result<UvPtr<Handle>> make_stream(Init init, Open open) {
  auto handle = std::make_unique<Handle>();
  if (const int error = init(handle.get()); error < 0) return io_error(-error, "uv_init");
  UvPtr<Handle> stream(handle.release());
  if (const int error = open(stream.get()); error < 0) return io_error(-error, "uv_open");
  return stream;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(uv_loop_t* loop, int socket, bool is_unix) {
  if (is_unix) {
    ROX_TRY(
        UvPtr<uv_pipe_t> pipe,
        make_stream<uv_pipe_t>([&](uv_pipe_t* handle) { return uv_pipe_init(loop, handle, 0); },
                               [&](uv_pipe_t* handle) { return uv_pipe_open(handle, socket); }));
    return std::unique_ptr<Connection>(new Connection(std::move(pipe)));
  }
  ROX_TRY(UvPtr<uv_tcp_t> tcp,
          make_stream<uv_tcp_t>([&](uv_tcp_t* handle) { return uv_tcp_init(loop, handle); },
                                [&](uv_tcp_t* handle) { return uv_tcp_open(handle, socket); }));
  return std::unique_ptr<Connection>(new Connection(std::move(tcp)));
}

Connection::Connection(Socket socket) : socket_(std::move(socket)) { stream()->data = this; }

Connection::~Connection() {
  if (unsent_ == nullptr) return;
  // libuv still looks at the bytes; the callback of the cancelled write frees them.
  unsent_->owner = nullptr;
  static_cast<void>(unsent_.release());
}

uv_stream_t* Connection::stream() const {
  return std::visit([](const auto& handle) { return reinterpret_cast<uv_stream_t*>(handle.get()); },
                    socket_);
}

Status Connection::start(server::Turn& turn, server::Client& client) {
  turn_ = &turn;
  client_ = &client;
  const int error = uv_read_start(
      stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        auto* const self = static_cast<Connection*>(handle->data);
        const std::span<char> space = self->turn_->space_for(*self->client_);
        *buffer = uv_buf_t{space.data(), space.size()};
      },
      [](uv_stream_t* handle, ssize_t size, const uv_buf_t*) {
        auto* const self = static_cast<Connection*>(handle->data);
        if (size > 0) return self->turn_->received(*self->client_, static_cast<size_t>(size));
        // Nothing to read after all, or no room for it in the middle of a command.
        if (size == 0 || size == UV_ENOBUFS) return;
        uv_read_stop(handle);
        if (size == UV_EOF) return self->turn_->ended(*self->client_);
        self->fail();
      });
  return error < 0 ? io_error(-error, "uv_read_start") : kOk;
}

void Connection::send(resp::OutputBuffer& output) {
  if (unsent_ == nullptr) {
    if (try_send(output)) return;
    unsent_ = std::make_unique<Unsent>();
    unsent_->owner = this;
    unsent_->request.data = unsent_.get();
    unsent_->bytes = output.pending();
    unsent_->outputs.push_back(std::move(output));
    return write_unsent();
  }
  unsent_->bytes += output.pending();
  // The front is being written and must lie still; whatever waits behind it may grow.
  const bool has_splices = output.mark().splices > 0;
  if (unsent_->outputs.size() > 1 && !has_splices && output.pending() <= kJoinedBytesMax) {
    std::array<std::string_view, 1> bytes;
    if (output.gather(bytes) > 0) unsent_->outputs.back().append(bytes[0]);
    return output.clear(output.capacity());
  }
  unsent_->outputs.push_back(std::move(output));
}

// Writes what the socket takes at once; true: all of it. An error counts as all: the client goes.
bool Connection::try_send(resp::OutputBuffer& output) {
  Pieces pieces;
  while (!output.empty()) {
    size_t bytes;
    const unsigned count = gather(output, pieces, bytes);
    const int written = uv_try_write(stream(), pieces.data(), count);
    if (written == UV_EAGAIN) return false;
    if (written < 0) {
      fail();
      output.clear(output.capacity());
      return true;
    }
    output.consume(static_cast<size_t>(written));
    if (static_cast<size_t>(written) < bytes) return false;
  }
  return true;
}

void Connection::write_unsent() {
  Pieces pieces;
  const unsigned count = gather(unsent_->outputs.front(), pieces, unsent_->being_written);
  const int error = uv_write(&unsent_->request, stream(), pieces.data(), count,
                             [](uv_write_t* request, int status) {
                               auto* const unsent = static_cast<Unsent*>(request->data);
                               if (unsent->owner == nullptr) {
                                 delete unsent;
                               } else {
                                 unsent->owner->on_written(status);
                               }
                             });
  if (error < 0) {
    unsent_.reset();  // refused at once: there will be no callback
    fail();
  }
}

void Connection::on_written(int error) {
  if (error < 0) {
    unsent_.reset();
    return fail();
  }
  Unsent& unsent = *unsent_;
  unsent.outputs.front().consume(unsent.being_written);
  unsent.bytes -= unsent.being_written;
  if (unsent.outputs.front().empty()) unsent.outputs.pop_front();
  if (!unsent.outputs.empty()) return write_unsent();
  unsent_.reset();
  turn_->sent(*client_);
}

// The peer is gone, or the network between us: nothing can be read or sent any more.
void Connection::fail() { turn_->lost(*client_); }

size_t Connection::unsent_bytes() const { return unsent_ != nullptr ? unsent_->bytes : 0; }
size_t Connection::unsent_pieces() const {
  return unsent_ != nullptr ? unsent_->outputs.size() : 0;
}

int Connection::descriptor() const {
  uv_os_fd_t descriptor = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(stream()), &descriptor);
  return descriptor;
}

size_t Connection::memory_bytes() const {
  size_t bytes = sizeof *this + (socket_.index() == 0 ? sizeof(uv_tcp_t) : sizeof(uv_pipe_t));
  if (unsent_ != nullptr) {
    bytes += sizeof *unsent_ + unsent_->bytes;
  }
  return bytes;
}

}  // namespace roxdb::net
