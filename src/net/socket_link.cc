#include "net/socket_link.h"

#include <array>
#include <utility>

namespace roxdb::net {
namespace {

// Parts of one gathered write. A reply of spliced values has two per value.
constexpr size_t kPiecesMax = 64;

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

Result<SocketLink::Handle> SocketLink::open_handle(uv_loop_t* loop, int socket, bool is_unix) {
  if (is_unix) {
    ROX_TRY(
        UvPtr<uv_pipe_t> pipe,
        make_stream<uv_pipe_t>([&](uv_pipe_t* handle) { return uv_pipe_init(loop, handle, 0); },
                               [&](uv_pipe_t* handle) { return uv_pipe_open(handle, socket); }));
    return Handle(std::move(pipe));
  }
  ROX_TRY(UvPtr<uv_tcp_t> tcp,
          make_stream<uv_tcp_t>([&](uv_tcp_t* handle) { return uv_tcp_init(loop, handle); },
                                [&](uv_tcp_t* handle) { return uv_tcp_open(handle, socket); }));
  return Handle(std::move(tcp));
}

SocketLink::SocketLink(Handle handle) : handle_(std::move(handle)) { stream()->data = this; }

SocketLink::~SocketLink() {
  if (unsent_ == nullptr) return;
  // libuv still looks at the bytes; the callback of the cancelled write frees them.
  unsent_->owner = nullptr;
  static_cast<void>(unsent_.release());
}

uv_stream_t* SocketLink::stream() const {
  return std::visit([](const auto& handle) { return reinterpret_cast<uv_stream_t*>(handle.get()); },
                    handle_);
}

void SocketLink::serve(server::Turn& turn, server::Client& client) {
  turn_ = &turn;
  client_ = &client;
}

void SocketLink::write(resp::OutputBuffer& output) {
  if (unsent_ != nullptr) return unsent_->outputs.add(output, true);
  if (try_write(output)) return;
  unsent_ = std::make_unique<Unsent>();
  unsent_->owner = this;
  unsent_->request.data = unsent_.get();
  unsent_->outputs.add(output, true);
  write_unsent();
}

// Writes what the socket takes at once; true: all of it. An error counts as all: the client goes.
bool SocketLink::try_write(resp::OutputBuffer& output) {
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

void SocketLink::write_last(resp::OutputBuffer& output) {
  Pieces pieces;
  size_t bytes;
  const unsigned count = gather(output, pieces, bytes);
  if (count > 0 && unsent_ == nullptr) uv_try_write(stream(), pieces.data(), count);
  output.clear(output.capacity());
}

void SocketLink::write_unsent() {
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

void SocketLink::on_written(int error) {
  if (error < 0) {
    unsent_.reset();
    return fail();
  }
  unsent_->outputs.front().consume(unsent_->being_written);
  unsent_->outputs.taken(unsent_->being_written);
  turn_->sent_some(*client_);
  if (!unsent_->outputs.empty()) return write_unsent();
  unsent_.reset();
  on_all_sent();
}

size_t SocketLink::unsent_bytes() const {
  return unsent_ != nullptr ? unsent_->outputs.bytes() : 0;
}
size_t SocketLink::unsent_pieces() const {
  return unsent_ != nullptr ? unsent_->outputs.pieces() : 0;
}

int SocketLink::descriptor() const {
  uv_os_fd_t descriptor = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(stream()), &descriptor);
  return descriptor;
}

size_t SocketLink::memory_bytes() const {
  size_t bytes = sizeof *this + (handle_.index() == 0 ? sizeof(uv_tcp_t) : sizeof(uv_pipe_t));
  if (unsent_ != nullptr) bytes += sizeof *unsent_ + unsent_->outputs.bytes();
  return bytes;
}

}  // namespace roxdb::net
