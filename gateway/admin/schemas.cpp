// The schemas of what goes in and out of the admin API (JSON Schema 2020-12, as OpenAPI 3.1 has it).
#include "gateway/admin/openapi.h"
#include "middleware/sessions/session_json.h"

namespace lingate::admin {
namespace {

using middleware::SessionField;
using middleware::SessionFieldKind;

Json field_schema(const SessionField& field) {
  Json schema = Json::object();
  switch (field.kind) {
    case SessionFieldKind::text:
      schema = {{"type", "string"}, {"minLength", 1}, {"maxLength", middleware::kMaxSessionText}};
      break;
    case SessionFieldKind::tags:
      schema = {{"type", "array"}, {"items", {{"type", "string"}}}, {"maxItems", middleware::kMaxSessionTags}};
      break;
    case SessionFieldKind::metadata: schema = {{"type", "object"}}; break;
    case SessionFieldKind::amount:
    case SessionFieldKind::time: schema = {{"type", "number"}, {"minimum", 0}}; break;
  }
  schema["type"] = Json::array({schema["type"], "null"});
  schema["description"] = field.doc;
  return schema;
}

Json session_schema() {
  Json properties = Json::object();
  for (const SessionField& field : middleware::session_fields())
    properties[std::string(field.name)] = field_schema(field);
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

Json new_session_schema() {
  Json schema = session_schema();
  schema["properties"]["key"] = {
      {"type", "string"},
      {"minLength", 20},
      {"maxLength", 256},
      {"description", "A key that exists already, of visible ASCII; without it a random one of 160 bits is made."}};
  return schema;
}

constexpr std::string_view kOthers = R"json({
  "Any": {"type": "object"},
  "Problem": {
    "type": "object", "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
      "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
      "code": {"type": "string", "pattern": "^LG[0-9]{4}$", "description": "`lingate explain` tells more."},
      "detail": {"type": "string"}, "field": {"type": "string"}, "request_id": {"type": "string"},
      "diagnostics": {"type": "array", "items": {"type": "object"}, "description": "Of a configuration."},
      "report": {"type": "string", "description": "The same for people."}}},
  "Entry": {
    "type": "object", "required": ["session", "keys", "created", "updated"],
    "properties": {
      "session": {"$ref": "#/components/schemas/Session"},
      "keys": {"type": "integer", "description": "How many lead to it; those being replaced count."},
      "created": {"type": "number", "description": "Unix seconds."},
      "updated": {"type": "number", "description": "Unix seconds."}}},
  "MadeKey": {
    "type": "object", "required": ["key", "session", "keys", "created", "updated"],
    "properties": {
      "key": {"type": "string", "description": "Told this once."},
      "session": {"$ref": "#/components/schemas/Session"}, "keys": {"type": "integer"},
      "created": {"type": "number"}, "updated": {"type": "number"}}},
  "Page": {
    "type": "object", "required": ["sessions"],
    "properties": {
      "sessions": {"type": "array", "items": {"$ref": "#/components/schemas/Entry"}},
      "next": {"type": "string", "description": "`after` of the next page; absent: that was all."}}},
  "Rotation": {
    "type": "object", "additionalProperties": false,
    "properties": {
      "key": {"type": "string", "minLength": 20, "maxLength": 256, "description": "The new key; without it a random one."},
      "keep_until": {"type": "number", "description": "Unix seconds until which the old keys go on; absent: they end now."}}},
  "Routes": {
    "type": "object", "required": ["routes"],
    "properties": {"routes": {"type": "array", "items": {
      "type": "object", "required": ["name", "match", "chain", "place"],
      "properties": {
        "name": {"type": "string"}, "match": {"type": "object"},
        "chain": {"type": "array", "items": {"type": "string"}},
        "upstream": {"type": "array", "items": {"type": "object"}},
        "redirect": {"type": "object"}, "respond": {"type": "boolean"},
        "place": {"type": "string", "description": "Where it is written."}}}}}},
  "Upstreams": {
    "type": "object", "required": ["upstreams"],
    "properties": {"upstreams": {"type": "array", "items": {"$ref": "#/components/schemas/Upstream"}}}},
  "Upstream": {
    "type": "object", "required": ["name", "targets", "failures", "retries", "ejections"],
    "properties": {
      "name": {"type": "string"}, "failures": {"type": "integer"}, "retries": {"type": "integer"},
      "ejections": {"type": "integer"},
      "targets": {"type": "array", "items": {
        "type": "object",
        "required": ["address", "weight", "healthy", "ejected", "draining", "active", "workers"],
        "properties": {
          "address": {"type": "string"}, "weight": {"type": "integer"},
          "healthy": {"type": "boolean", "description": "By the health checks of all workers."},
          "ejected": {"type": "boolean", "description": "By any worker, after failures in a row."},
          "draining": {"type": "boolean", "description": "By an operator: it gets no new requests."},
          "active": {"type": "integer", "description": "Requests in flight there, tunnels with them."},
          "workers": {"type": "object", "properties": {
            "all": {"type": "integer"}, "unhealthy": {"type": "integer"}, "ejected": {"type": "integer"}}}}}}}},
  "Runtimes": {
    "type": "object", "required": ["runtimes"],
    "properties": {"runtimes": {"type": "array", "items": {
      "type": "object", "required": ["name", "instances", "memory_bytes", "queue_depth", "kills", "scripts"],
      "properties": {
        "name": {"type": "string"},
        "instances": {"type": "object", "properties": {"idle": {"type": "integer"}, "busy": {"type": "integer"}}},
        "memory_bytes": {"type": "integer"}, "queue_depth": {"type": "integer"},
        "kills": {"type": "integer", "description": "Instances thrown away and replaced."},
        "scripts": {"type": "array", "items": {"type": "object"}}}}}}},
  "Version": {
    "type": "object", "required": ["version", "engines", "store"],
    "properties": {
      "version": {"type": "string"}, "store": {"type": "string"},
      "engines": {"type": "object", "additionalProperties": {"type": "string"}}}},
  "Config": {
    "type": "object", "required": ["generation", "etag", "origin", "since", "file", "yaml", "included"],
    "properties": {
      "generation": {"type": "integer", "description": "Counts from the start of the gateway."},
      "etag": {"type": "string", "description": "For If-Match."},
      "origin": {"enum": ["start", "file", "api", "rollback"]},
      "since": {"type": "string", "format": "date-time"},
      "file": {"type": "string"},
      "yaml": {"type": "string", "description": "As it was loaded; what stands under names like `password` is hidden."},
      "included": {"$ref": "#/components/schemas/Included"}}},
  "Included": {
    "type": "array", "description": "The files that it includes.",
    "items": {
      "type": "object", "required": ["file", "path", "yaml"],
      "properties": {
        "file": {"type": "string", "description": "As messages call it."},
        "path": {"type": "string"}, "yaml": {"type": "string"}}}},
  "Replaced": {
    "type": "object", "required": ["generation", "etag", "notes", "diagnostics", "report"],
    "properties": {
      "generation": {"type": "integer"}, "etag": {"type": "string"},
      "notes": {"type": "array", "items": {"type": "string"}, "description": "What of it takes a new start."},
      "diagnostics": {"type": "array", "items": {"type": "object"}, "description": "Warnings."},
      "report": {"type": "string", "description": "The same for people."}}},
  "History": {
    "type": "object", "required": ["generations"],
    "properties": {"generations": {"type": "array", "items": {
      "type": "object", "required": ["generation", "etag", "origin", "since", "yaml", "included"],
      "properties": {
        "generation": {"type": "integer"}, "etag": {"type": "string"},
        "origin": {"enum": ["start", "file", "api", "rollback"]},
        "since": {"type": "string", "format": "date-time"}, "yaml": {"type": "string"},
        "included": {"$ref": "#/components/schemas/Included"}}}}}},
  "Rollback": {
    "type": "object", "required": ["generation"], "additionalProperties": false,
    "properties": {"generation": {"type": "integer", "minimum": 1}}},
  "Findings": {
    "type": "object", "required": ["ok", "diagnostics", "scripts"],
    "properties": {
      "ok": {"type": "boolean"},
      "diagnostics": {"type": "array", "items": {"type": "object"}},
      "scripts": {"type": "array", "items": {"type": "object"}, "description": "Scripts that do not load."}}},
  "LogLevel": {
    "type": "object", "required": ["level"], "additionalProperties": false,
    "properties": {"level": {"enum": ["debug", "info", "warn", "error"]}}}
})json";

}  // namespace

Json schemas() {
  Json all = Json::object();
  all["Session"] = session_schema();
  all["NewSession"] = new_session_schema();
  const Json others = Json::parse(kOthers);
  for (const auto& [name, schema] : others.items())
    all[name] = schema;
  return all;
}

}  // namespace lingate::admin
