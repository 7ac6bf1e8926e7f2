// news.h: one message that many clients hear outside of replies. Its bytes are made once for each
// protocol that a listener speaks. A big one is kept once, however many outputs wait with it; the
// bytes of a small one are copied into each output, which is cheaper than to keep track of them.
#pragma once

#include "resp/output_buffer.h"
#include "resp/reply_writer.h"
#include "server/session.h"

namespace roxdb::server {

class News {
 public:
  explicit News(Turn& turn) : turn_(turn) {}

  // Puts the message into the client's output. `say(resp::Reply&)` says what it is; it is called
  // at most once per protocol and must always say the same.
  template <class Say>
  void tell(Client& client, const Say& say) {
    Encoded& encoded = encoded_[client.protocol >= 3 ? 1 : 0];
    if (encoded.bytes.empty()) {
      resp::RespWriter writer(encoded.output, client.protocol);
      say(writer);
      encoded.finish();
    }
    turn_.push(client, encoded.bytes, encoded.owner);
  }

 private:
  struct Encoded {
    void finish();

    resp::OutputBuffer output;  // of a small message
    SharedRef owner;            // of a big one
    std::string_view bytes;     // empty: nobody has asked for it yet
  };

  Turn& turn_;
  Encoded encoded_[2];  // RESP2, RESP3
};

}  // namespace roxdb::server
