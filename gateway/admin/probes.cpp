// Operations that say how the gateway is, and what it is made of.
#include "base/version.h"
#include "gateway/admin/handlers.h"
#include "gateway/admin/openapi.h"

namespace lingate::admin {

Outcome healthz(const Subject&, const Call&) {
  return Answer{200, std::string(kTextType), "ok\n"};
}

Outcome readyz(const Subject& subject, const Call&) {
  const bool draining = subject.draining();
  return Answer{draining ? 503 : 200, std::string(kTextType), draining ? "draining\n" : "ready\n"};
}

Outcome metrics(const Subject& subject, const Call&) {
  return Answer{200, "text/plain; version=0.0.4; charset=utf-8", subject.metrics()};
}

Outcome openapi(const Subject&, const Call&) {
  return json_answer(200, openapi_document());
}

Outcome show_version(const Subject& subject, const Call&) {
  Json engines = Json::object();
  for (const auto& [name, engine] : subject.engines)
    engines[name] = engine;
  return json_answer(200, {{"version", version()}, {"engines", std::move(engines)}, {"store", subject.store.kind()}});
}

}  // namespace lingate::admin
