// services.h: what the rooms above lend to commands. The engine knows neither a server nor a
// disk; a room that owns state provides itself here, and its own commands ask for it by type.
// The library provides fewer services than the server, and has fewer commands.
#pragma once

#include <utility>
#include <vector>

#include "base/assert.h"

namespace roxdb::engine {

class Services {
 public:
  template <class T>
  void provide(T* service) {
    entries_.emplace_back(&kTypeTag<T>, service);
  }
  // Null when nobody provides it. Cost O(services): ask per command, not per key.
  template <class T>
  T* find() const {
    for (const auto& [type, service] : entries_) {
      if (type == &kTypeTag<T>) return static_cast<T*>(service);
    }
    return nullptr;
  }
  template <class T>
  T& get() const {
    T* service = find<T>();
    ROX_ASSERT(service != nullptr);
    return *service;
  }

 private:
  template <class T>
  static inline char kTypeTag{};

  std::vector<std::pair<const char*, void*>> entries_;
};

}  // namespace roxdb::engine
