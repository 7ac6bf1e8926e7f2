// blob.h: a SharedBlob for the tests of this room, which tells how many there are.
#pragma once

#include <string>
#include <utility>

#include "base/shared_bytes.h"

namespace roxdb::resp::test {

struct Blob final : SharedBlob {
  explicit Blob(std::string content)
      : SharedBlob([](SharedBlob* blob) { delete static_cast<Blob*>(blob); }),
        bytes(std::move(content)) {
    ++alive;
  }
  ~Blob() { --alive; }

  const std::string bytes;
  inline static int alive = 0;
};

}  // namespace roxdb::resp::test
