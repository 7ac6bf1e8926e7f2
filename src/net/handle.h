// handle.h: libuv handles, owned.
//
// uv_close() is asynchronous: libuv may touch the memory until the close callback has run, so the
// deleter hands the memory to that callback and does not free it.
// REQUIRES: uv_*_init() succeeded, and the loop turns once more after the owner dies.
#pragma once

#include <uv.h>

#include <memory>

namespace roxdb::net {

template <class Handle>
struct UvClose {
  void operator()(Handle* handle) const noexcept {
    handle->data = nullptr;  // callbacks still queued find no owner and return
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

template <class Handle>
using UvPtr = std::unique_ptr<Handle, UvClose<Handle>>;

// A handle of a kind whose init cannot fail (timer, check, idle), with its owner as data.
template <class Handle, class Owner>
UvPtr<Handle> make_handle(uv_loop_t* loop, int (*init)(uv_loop_t*, Handle*), Owner* owner) {
  auto handle = std::make_unique<Handle>();
  init(loop, handle.get());
  handle->data = owner;
  return UvPtr<Handle>(handle.release());
}

}  // namespace roxdb::net
