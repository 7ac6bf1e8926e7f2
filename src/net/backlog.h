// backlog.h: outputs of one client that wait, in the order in which they were sent.
#pragma once

#include <cstddef>
#include <deque>

#include "resp/output_buffer.h"

namespace roxdb::net {

class Backlog {
 public:
  bool empty() const { return outputs_.empty(); }
  size_t bytes() const { return bytes_; }
  size_t pieces() const { return outputs_.size(); }

  // `output` comes back empty; without its memory when that is kept here. A short one is copied
  // behind the one before, so that a client that does not read costs its bytes and not a buffer for
  // each of its replies. `front_lies_still`: somebody looks at the bytes of the front.
  void add(resp::OutputBuffer& output, bool front_lies_still);

  // What goes next. Whoever takes bytes from it says how many with taken(), which drops it when it
  // is empty. REQUIRES: not empty().
  resp::OutputBuffer& front() { return outputs_.front(); }
  void taken(size_t size);

 private:
  std::deque<resp::OutputBuffer> outputs_;
  size_t bytes_ = 0;
};

}  // namespace roxdb::net
