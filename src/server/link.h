// link.h: what carries the bytes of one client. net/connection.h is the real one; a test's keeps
// what was sent. Bytes come in the other way, as calls of Turn (session.h).
#pragma once

#include <cstddef>

#include "resp/output_buffer.h"

namespace roxdb::server {

class Link {
 public:
  virtual ~Link() = default;  // closes at once; what is not sent yet is dropped

  // Sends all of `output`, behind whatever was sent before. What the socket does not take now is
  // kept and follows by itself. `output` comes back empty: with its memory when everything went at
  // once, else without.
  virtual void send(resp::OutputBuffer& output) = 0;
  virtual size_t unsent_bytes() const = 0;
  virtual size_t unsent_pieces() const = 0;  // writes they wait for, as CLIENT LIST's oll

  virtual int descriptor() const = 0;
  virtual size_t memory_bytes() const = 0;  // of the link itself, its unsent output included
};

}  // namespace roxdb::server
