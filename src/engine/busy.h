// busy.h: a command that takes long, and others who are told so meanwhile (-BUSY). The thread that
// owns the data can only do one thing at a time; whoever runs something that may last, a script,
// asks the host now and then to look after the rest.
#pragma once

namespace roxdb::engine {

// Whoever has clients. Provided as a service by the application; the library has none.
class BusyHost {
 public:
  // Takes what has come in from clients, runs it and sends the replies, without waiting. The caller
  // sees to it that nothing runs that changes data, or that begins what it is in the middle of:
  // with a gate, and with Engine::Aside.
  virtual void serve_others() = 0;

 protected:
  ~BusyHost() = default;
};

}  // namespace roxdb::engine
