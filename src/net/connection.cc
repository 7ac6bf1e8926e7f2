#include "net/connection.h"

#include <span>
#include <utility>

namespace roxdb::net {

Result<std::unique_ptr<Connection>> Connection::open(uv_loop_t* loop, int socket, bool is_unix) {
  ROX_TRY(Handle handle, open_handle(loop, socket, is_unix));
  return std::unique_ptr<Connection>(new Connection(std::move(handle)));
}

Status Connection::start(server::Turn& turn, server::Client& client) {
  serve(turn, client);
  const auto on_alloc = [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    auto* const self = static_cast<SocketLink*>(handle->data);
    const Connection& connection = static_cast<Connection&>(*self);
    const std::span<char> space = connection.turn().space_for(connection.client());
    *buffer = uv_buf_t{space.data(), space.size()};
  };
  const auto on_read = [](uv_stream_t* handle, ssize_t size, const uv_buf_t*) {
    auto& self = static_cast<Connection&>(*static_cast<SocketLink*>(handle->data));
    if (size > 0) return self.turn().received(self.client(), static_cast<size_t>(size));
    // Nothing to read after all, or no room for it in the middle of a command.
    if (size == 0 || size == UV_ENOBUFS) return;
    uv_read_stop(handle);
    if (size == UV_EOF) return self.turn().ended(self.client());
    self.fail();
  };
  const int error = uv_read_start(stream(), on_alloc, on_read);
  return error < 0 ? io_error(-error, "uv_read_start") : kOk;
}

}  // namespace roxdb::net
