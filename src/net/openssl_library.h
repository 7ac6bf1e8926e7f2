// openssl_library.h: OpenSSL, for those who want it. It is neither part of the program nor loaded
// with it: a server without TLS shall not carry 1.6 MiB of it, nor start later. The functions that
// we call are stubs in openssl_library.cc; load_openssl() puts the library's behind them.
//
// So it is the system's own OpenSSL, and whoever mends it there mends it here. Its memory is taken
// through base/memory.h and counted as ours.
#pragma once

#include <string>

namespace roxdb::net {

// REQUIRES: called before any other use of OpenSSL, and true. False: `why`, and nothing is loaded.
// Any number of times; the library stays.
bool load_openssl(std::string& why);

}  // namespace roxdb::net
