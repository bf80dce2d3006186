// What every context of this gateway is like, on either side of a conversation. Internal to server.cpp and client.cpp.
//
// Thread: any; while loading.
#pragma once

#include "gateway/tls/context.h"
#include "gateway/tls/server.h"

namespace lingate::tls {

// Versions, ciphers, groups, and the modes that the data path counts on: an edge-triggered loop writes what it can and
// comes again with another buffer; an idle connection holds none.
Context fresh_context(const struct ssl_method_st* method, Version least);

}  // namespace lingate::tls
