// shared_bytes.h: bytes with several owners. A big string value is read by replies that are still
// on their way to a slow client; they hold a reference each instead of a copy each.
//
//   value (types/string)  --1 ref-->  SharedBlob | bytes ...  <--1 ref--  splice in OutputBuffer
//
// The room that allocates a blob derives from SharedBlob, lays the bytes behind it and says how it
// is released. Bytes are immutable while anybody else holds a reference: the value's owner edits in
// place only while unique(), else it copies first.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace roxdb {

class SharedBlob {
 public:
  // Frees the blob and its bytes; called once, by whoever drops the last reference, on any thread.
  using Release = void (*)(SharedBlob* blob);

  // Born with one reference, which belongs to the caller.
  explicit SharedBlob(Release release) : release_(release) {}
  SharedBlob(const SharedBlob&) = delete;
  SharedBlob& operator=(const SharedBlob&) = delete;

  void retain() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) release_(this);
  }
  // True when the caller's reference is the only one. Acquire: what another owner's thread read
  // before it dropped has been read by then.
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

 protected:
  ~SharedBlob() = default;  // only the release function knows the whole object

 private:
  std::atomic<uint32_t> refs_{1};  // atomic: big values are let go on background threads
  Release release_;
};
static_assert(sizeof(SharedBlob) == 16);

// One reference, or none. Copying takes another reference, moving hands it over.
class SharedRef {
 public:
  SharedRef() = default;
  // Takes over a reference the caller owns.
  static SharedRef adopt(SharedBlob* blob) { return SharedRef(blob); }
  // Takes a new reference beside the one the caller keeps.
  static SharedRef share(SharedBlob* blob) {
    blob->retain();
    return SharedRef(blob);
  }

  SharedRef(const SharedRef& other) : blob_(other.blob_) {
    if (blob_ != nullptr) blob_->retain();
  }
  SharedRef(SharedRef&& other) noexcept : blob_(std::exchange(other.blob_, nullptr)) {}
  SharedRef& operator=(SharedRef other) noexcept {
    std::swap(blob_, other.blob_);
    return *this;
  }
  ~SharedRef() {
    if (blob_ != nullptr) blob_->drop();
  }

  explicit operator bool() const { return blob_ != nullptr; }
  SharedBlob* get() const { return blob_; }

 private:
  explicit SharedRef(SharedBlob* blob) : blob_(blob) {}
  SharedBlob* blob_ = nullptr;
};

}  // namespace roxdb
