// SocketBio: what OpenSSL reads a conversation's bytes from and writes them to. It reads no more at a time than it was
// allowed: messages of TLS's own (key updates) carry nothing for the reader, and a client that sends them without end
// would otherwise keep the thread in one call for as long as it likes.
//
// Thread: the conversation's. Lifetime: the conversation owns the Socket, and OpenSSL the BIO, which ends first.
#pragma once

#include <cstddef>

struct bio_st;

namespace lingate::tls {

struct Socket {
  int fd = -1;
  std::size_t allowance = 0;  // bytes that may be read before others have their turn
  bool ended = false;         // FIN

  bool spent() const noexcept { return allowance == 0; }
};

bio_st* make_bio(Socket& socket);

}  // namespace lingate::tls
