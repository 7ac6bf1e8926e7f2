// address.h: socket addresses as Redis writes them.
#pragma once

#include "server/client.h"

namespace roxdb::net {

// Who is at the other end of a connected TCP socket. An address that cannot be had is "?:0".
server::Peer tcp_peer(int socket);

}  // namespace roxdb::net
