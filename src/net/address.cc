#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace roxdb::net {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::string text(const Address& address) {
  char host[INET6_ADDRSTRLEN] = {};
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address.storage, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
    return fmt::format("{}:{}", host, ntohs(in.sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &address.storage, sizeof in);
    inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, ntohs(in.sin6_port));
  }
  return "?:0";
}

bool is_loopback(const Address& address) {
  constexpr uint32_t kLoopbackNet = 127;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address.storage, sizeof in);
    return ntohl(in.sin_addr.s_addr) >> 24 == kLoopbackNet;
  }
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &address.storage, sizeof in);
    return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && in.sin6_addr.s6_addr[12] == kLoopbackNet);
  }
  return false;
}

}  // namespace

server::Peer tcp_peer(int socket) {
  Address remote;
  Address local;
  if (getpeername(socket, remote.raw(), &remote.size) < 0) remote.storage.ss_family = AF_UNSPEC;
  if (getsockname(socket, local.raw(), &local.size) < 0) local.storage.ss_family = AF_UNSPEC;
  return {.address = text(remote), .local_address = text(local), .is_local = is_loopback(remote)};
}

}  // namespace roxdb::net
