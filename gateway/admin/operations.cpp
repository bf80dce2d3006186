#include "gateway/admin/operations.h"

#include "base/codes.h"
#include "gateway/admin/handlers.h"

namespace lingate::admin {
namespace {

constexpr std::string_view kText = R"({"type":"string"})";

const Parameter kId{"id", In::path, R"({"type":"string","minLength":1,"maxLength":256})", "The session's id."};

const Parameter kUpstream{"upstream", In::path, R"({"type":"string"})", "The upstream's name."};
const Parameter kTarget{"target", In::path, R"({"type":"string"})",
                        "The target's `address` as `GET /upstreams` shows it; a `/` in it is written `%2F`."};

const Parameter kSave{
    "save", In::query, R"({"type":"boolean","default":true})",
    "Whether to write it to the file that the configuration is loaded from; false: it lasts until the "
    "next reload or start."};

std::vector<Operation> probes() {
  return {
      {.method = "GET",
       .path = "/healthz",
       .id = "healthz",
       .group = "probes",
       .summary = "Whether the process lives",
       .access = Access::probe,
       .replies = {{200, kTextType, "", "It does."}},
       .run = healthz},
      {.method = "GET",
       .path = "/readyz",
       .id = "readyz",
       .group = "probes",
       .summary = "Whether it takes requests",
       .access = Access::probe,
       .replies = {{200, kTextType, "", "It does."}, {503, kTextType, "", "It drains: it was told to end."}},
       .run = readyz},
      {.method = "GET",
       .path = "/metrics",
       .id = "metrics",
       .group = "probes",
       .summary = "Figures in Prometheus' text format",
       .access = Access::open,
       .replies = {{200, "text/plain; version=0.0.4; charset=utf-8", "", "The figures."}},
       .run = metrics},
      {.method = "GET",
       .path = "/openapi.json",
       .id = "openapi",
       .group = "probes",
       .summary = "This document",
       .access = Access::open,
       .replies = {{200, kJsonType, "Any", "OpenAPI 3.1."}},
       .run = openapi},
  };
}

std::vector<Operation> keys() {
  const Reply session{200, kJsonType, "Entry", "The session; its keys are not told."};
  return {
      {.method = "POST",
       .path = "/keys",
       .id = "createKey",
       .group = "keys",
       .summary = "Make a session and a key that leads to it",
       .body = Body::json,
       .body_schema = "NewSession",
       .replies = {{201, kJsonType, "MadeKey", "Made. The key is told this once and stored nowhere."}},
       .problems = {code::kSessionTaken, code::kBadSession, code::kStoreUnavailable},
       .run = create_key},
      {.method = "GET",
       .path = "/keys",
       .id = "listKeys",
       .group = "keys",
       .summary = "List sessions by id",
       .parameters = {{"org", In::query, kText, "Only those of this org."},
                      {"tag", In::query, kText, "Only those with this tag."},
                      {"after", In::query, kText, "Only those after this id: `next` of the page before."},
                      {"limit", In::query, R"({"type":"integer","minimum":1,"maximum":1000,"default":100})",
                       "How many at most."}},
       .replies = {{200, kJsonType, "Page", "A page; it may hold fewer than asked for with more to come."}},
       .problems = {code::kStoreUnavailable},
       .run = list_keys},
      {.method = "GET",
       .path = "/keys/{id}",
       .id = "showKey",
       .group = "keys",
       .summary = "Show a session",
       .parameters = {kId},
       .replies = {session},
       .problems = {code::kNoSuchSession, code::kStoreUnavailable},
       .run = show_key},
      {.method = "PATCH",
       .path = "/keys/{id}",
       .id = "updateKey",
       .group = "keys",
       .summary = "Change a session (RFC 7396): null removes, metadata is merged by key",
       .parameters = {kId},
       .body = Body::merge_patch,
       .body_schema = "Session",
       .replies = {session},
       .problems = {code::kNoSuchSession, code::kSessionTaken, code::kBadSession, code::kStoreUnavailable},
       .run = update_key},
      {.method = "DELETE",
       .path = "/keys/{id}",
       .id = "revokeKey",
       .group = "keys",
       .summary = "End a session and all its keys",
       .parameters = {kId},
       .replies = {{204, "", "", "Gone."}},
       .problems = {code::kNoSuchSession, code::kSessionTaken, code::kStoreUnavailable},
       .run = revoke_key},
      {.method = "POST",
       .path = "/keys/{id}/rotate",
       .id = "rotateKey",
       .group = "keys",
       .summary = "Make a new key for a session; the old ones end now, or at `keep_until`",
       .parameters = {kId},
       .body = Body::optional_json,
       .body_schema = "Rotation",
       .replies = {{200, kJsonType, "MadeKey", "The new key, told this once."}},
       .problems = {code::kNoSuchSession, code::kSessionTaken, code::kBadSession, code::kStoreUnavailable},
       .run = rotate_key},
  };
}

std::vector<Operation> state() {
  return {
      {.method = "GET",
       .path = "/routes",
       .id = "listRoutes",
       .group = "state",
       .summary = "What is routed where, in the order written",
       .replies = {{200, kJsonType, "Routes", "The routes."}},
       .run = list_routes},
      {.method = "GET",
       .path = "/upstreams",
       .id = "listUpstreams",
       .group = "state",
       .summary = "Upstreams and the health of their targets",
       .replies = {{200, kJsonType, "Upstreams", "The upstreams."}},
       .run = list_upstreams},
      {.method = "POST",
       .path = "/upstreams/{upstream}/targets/{target}/drain",
       .id = "drainTarget",
       .group = "state",
       .summary = "Take a target out of service: no new requests, those in flight finish; the last one, too",
       .parameters = {kUpstream, kTarget},
       .replies = {{200, kJsonType, "Upstream", "It is drained once the target's `active` is 0."}},
       .problems = {code::kNoSuchTarget},
       .run = drain_target},
      {.method = "POST",
       .path = "/upstreams/{upstream}/targets/{target}/resume",
       .id = "resumeTarget",
       .group = "state",
       .summary = "Take a drained target back",
       .parameters = {kUpstream, kTarget},
       .replies = {{200, kJsonType, "Upstream", "It may be chosen, if it is healthy and not ejected."}},
       .problems = {code::kNoSuchTarget},
       .run = resume_target},
      {.method = "GET",
       .path = "/runtimes",
       .id = "listRuntimes",
       .group = "state",
       .summary = "Script runtimes: instances, memory, queue, kills",
       .replies = {{200, kJsonType, "Runtimes", "The runtimes that have a script."}},
       .run = list_runtimes},
      {.method = "GET",
       .path = "/version",
       .id = "showVersion",
       .group = "state",
       .summary = "The versions of this build and its engines",
       .replies = {{200, kJsonType, "Version", "The versions."}},
       .run = show_version},
  };
}

std::vector<Operation> settings() {
  const Reply replaced{200, kJsonType, "Replaced", "It runs: requests that begin from now on are served by it."};
  return {
      {.method = "GET",
       .path = "/config",
       .id = "showConfig",
       .group = "configuration",
       .summary = "The configuration as it was loaded, secrets hidden",
       .replies = {{200, kJsonType, "Config", "The configuration."}},
       .run = show_config},
      {.method = "POST",
       .path = "/config/validate",
       .id = "validateConfig",
       .group = "configuration",
       .summary = "Check a configuration fully, scripts included, and apply nothing",
       .body = Body::yaml,
       .replies = {{200, kJsonType, "Findings", "What was found; `ok` tells whether it could be run."}},
       .run = validate_config},
      {.method = "POST",
       .path = "/config/reload",
       .id = "reloadConfig",
       .group = "configuration",
       .summary = "Load the configuration's files again, with its scripts, and let it run; or leave all as it is",
       .replies = {replaced},
       .problems = {code::kConfigRefused},
       .run = reload_config},
      {.method = "PUT",
       .path = "/config",
       .id = "replaceConfig",
       .group = "configuration",
       .summary = "Let another configuration run, and save it; or leave all as it is",
       .parameters = {{"If-Match", In::if_match, kText,
                       "The ETag of the configuration that it replaces (or several, with commas), or `*`."},
                      kSave},
       .body = Body::yaml,
       .replies = {replaced},
       .problems = {code::kConfigRefused, code::kConfigChanged, code::kConfigUnmatched, code::kConfigFileChanged,
                    code::kConfigNotSaved},
       .run = replace_config},
      {.method = "GET",
       .path = "/config/history",
       .id = "listHistory",
       .group = "configuration",
       .summary = "The configurations that ran since the start, the last 20, oldest first",
       .replies = {{200, kJsonType, "History", "The generations, secrets hidden."}},
       .run = list_history},
      {.method = "POST",
       .path = "/config/rollback",
       .id = "rollBackConfig",
       .group = "configuration",
       .summary = "Let a configuration of the history run again, as a new generation",
       .parameters = {kSave},
       .body = Body::json,
       .body_schema = "Rollback",
       .replies = {replaced},
       .problems = {code::kConfigRefused, code::kNoSuchGeneration, code::kConfigFileChanged, code::kConfigNotSaved},
       .run = roll_back_config},
      {.method = "GET",
       .path = "/log/level",
       .id = "showLogLevel",
       .group = "configuration",
       .summary = "The least severe messages that are logged",
       .replies = {{200, kJsonType, "LogLevel", "The level."}},
       .run = show_log_level},
      {.method = "PUT",
       .path = "/log/level",
       .id = "setLogLevel",
       .group = "configuration",
       .summary = "Change it until the next start",
       .body = Body::json,
       .body_schema = "LogLevel",
       .replies = {{200, kJsonType, "LogLevel", "The level from now on."}},
       .run = set_log_level},
  };
}

std::vector<Operation> all() {
  std::vector<Operation> table;
  for (auto* part : {probes, keys, state, settings})
    for (Operation& each : part())
      table.push_back(std::move(each));
  return table;
}

}  // namespace

std::span<const Operation> operations() {
  static const std::vector<Operation> table = all();
  return table;
}

}  // namespace lingate::admin
