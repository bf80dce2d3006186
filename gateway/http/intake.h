// Intake: turns a scanned head into the request that steps see: host, normalised path, who the client is. From peers
// outside `trusted`, whatever claims to know the client or the request's id is dropped. The gateway's own forwarding
// fields are added when the request goes upstream, so that steps see what the client sent.
//
// Thread: the worker's.
#pragma once

#include "gateway/http/head_scan.h"
#include "gateway/http/peer.h"
#include "gateway/http/snapshot.h"
#include "middleware/exchange.h"

namespace lingate::http {

// Fills exchange.request (its headers were filled by scan_request). False: the path is refused.
bool take_in(middleware::Exchange& exchange, const RequestHead& head, const ClientSide& from, const Snapshot& snapshot,
             Refusal& refusal);

// Adds X-Forwarded-For, -Proto, -Host and, unless the snapshot leaves it out, Via, once, after the request sides of the
// chain. A line that a step wrote stays as it is.
void add_forwarding(middleware::Exchange& exchange, const RequestHead& head, const Peer& peer,
                    const Snapshot& snapshot);

// The route of exchange.request; on a match its params are filled in.
routing::Found find_route(middleware::Exchange& exchange, const routing::Router& router);

}  // namespace lingate::http
