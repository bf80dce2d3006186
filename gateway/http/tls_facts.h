// What scripts see of a client's TLS as `req.client.tls`, in the form in which it crosses (Client.tls of plugin.proto).
//
// Pure function; any thread.
#pragma once

#include <string>

#include "gateway/tls/conversation.h"

namespace lingate::http {

// Encoded Members. What is no UTF-8, which nothing but a hostile certificate holds, is left out.
std::string encode_facts(const tls::Facts& facts);

}  // namespace lingate::http
