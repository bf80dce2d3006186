// Rows of the field table: tracing.
#include "gateway/config/fields.h"
#include "gateway/config/units.h"

namespace lingate::config {

std::vector<Field> tracing_fields() {
  return {
      {.section = "",
       .name = "tracing",
       .type = Type::section,
       .of = "tracing",
       .says = "off",
       .example = "{otlp: \"http://127.0.0.1:4318/v1/traces\", sample: 1%}",
       .doc = "Sends what became of requests to a collector of OpenTelemetry: a span for each request, each side "
              "of a step and each try at an upstream."},
      {.section = "tracing",
       .name = "otlp",
       .type = Type::section,
       .of = "tracing.otlp",
       .example = "{url: \"http://127.0.0.1:4318/v1/traces\"}",
       .doc = "Where spans go, as OTLP over HTTP in protobuf. A change takes a new start.",
       .required = true},
      {.section = "tracing",
       .name = "sample",
       .type = Type::share,
       .fallback = "1%",
       .example = "0.1%",
       .doc = "The share of requests that are traced. Of those that come from `trusted` proxies with a traceparent, "
              "its flag decides instead; strangers decide nothing."},
      {.section = "tracing",
       .name = "service",
       .type = Type::text,
       .fallback = "lingate",
       .example = "shop",
       .doc = "The name that the spans are found under, `service.name`. A change takes a new start."},
      {.section = "tracing.otlp",
       .name = "url",
       .type = Type::text,
       .example = "\"http://127.0.0.1:4318/v1/traces\"",
       .doc = "The collector's URL for traces, `http://` or `https://`.",
       .required = true},
      {.section = "tracing.otlp",
       .name = "ca",
       .type = Type::existing_path,
       .words = "system",
       .fallback = "system",
       .example = "ca.pem",
       .doc = "The authorities that the certificate of an https:// `url` must come from, PEM; read with each request "
              "to it."},
      {.section = "tracing.otlp",
       .name = "headers",
       .type = Type::any_with_secrets,
       .example = "{X-Tenant: acme}",
       .doc = "Header fields that are sent to the collector, by name; a secret is {env: NAME} or {file: PATH}."},
      {.section = "tracing.otlp",
       .name = "timeout",
       .type = Type::duration,
       .fallback = "5s",
       .example = "2s",
       .doc = "How long the collector may take for one request.",
       .least = 10 * kMillisecond,
       .most = 60 * kSecond}};
}

}  // namespace lingate::config
