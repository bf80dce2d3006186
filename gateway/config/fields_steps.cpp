// Rows of the field table: the options of the built-in steps and of scripts.
#include "gateway/config/fields.h"
#include "gateway/config/units.h"

namespace lingate::config {
namespace {

void add_small_steps(std::vector<Field>& rows) {
  rows.insert(rows.end(), {{.section = "step.request-id",
                            .name = "header",
                            .type = Type::header_name,
                            .fallback = "X-Request-Id",
                            .example = "X-Correlation-Id",
                            .doc = "The field that carries the id, upstream and back."},
                           {.section = "step.access-log",
                            .name = "file",
                            .type = Type::output,
                            .words = "stdout|stderr",
                            .fallback = "stdout",
                            .example = "logs/access.log",
                            .doc = "Where the lines go; steps that name the same file share it."},
                           {.section = "step.body-limit",
                            .name = "size",
                            .type = Type::size,
                            .example = "1MiB",
                            .doc = "The largest request body that passes; over it, 413.",
                            .required = true},
                           {.section = "step.use",
                            .name = "name",
                            .type = Type::chain_name,
                            .example = "base",
                            .doc = "One of `chains`; its steps stand in place of this one.",
                            .required = true}});
}

void add_headers(std::vector<Field>& rows) {
  const auto side = [&rows](std::string_view name, std::string_view doc) {
    rows.push_back({.section = "step.headers",
                    .name = name,
                    .type = Type::section,
                    .of = "step.headers.edits",
                    .example = "{set: {X-Frame-Options: DENY}, remove: [Server]}",
                    .doc = doc});
  };
  side("request", "Edits to the request that goes upstream.");
  side("response", "Edits to the response that goes to the client.");
  rows.insert(rows.end(), {{.section = "step.headers.edits",
                            .name = "set",
                            .type = Type::header_lines,
                            .example = "{X-Frame-Options: DENY}",
                            .doc = "Replaces all lines of a name by these."},
                           {.section = "step.headers.edits",
                            .name = "add",
                            .type = Type::header_lines,
                            .example = "{Vary: Accept}",
                            .doc = "Appends lines and leaves those that are there."},
                           {.section = "step.headers.edits",
                            .name = "remove",
                            .type = Type::header_name,
                            .shape = Shape::one_or_list,
                            .example = "[Server, X-Powered-By]",
                            .doc = "Removes all lines of these names, before `set` and `add`."}});
}

void add_rewrite(std::vector<Field>& rows) {
  rows.insert(rows.end(),
              {{.section = "step.rewrite",
                .name = "path",
                .type = Type::path_template,
                .example = "\"/v2/accounts/{id}\"",
                .doc = "The path that the upstream sees; {name} is a parameter of the route's path, {*} what its `/*` "
                       "took."},
               {.section = "step.rewrite",
                .name = "query",
                .type = Type::query_template,
                .example = "\"account={id}\"",
                .doc = "The query that the upstream sees, without `?`; parameters as in `path`."},
               {.section = "step.rewrite",
                .name = "method",
                .type = Type::method,
                .example = "POST",
                .doc = "The method that the upstream sees."}});
}

void add_respond(std::vector<Field>& rows) {
  const std::string_view section = "step.respond";
  rows.insert(rows.end(), {{.section = section,
                            .name = "status",
                            .type = Type::integer,
                            .fallback = "200",
                            .example = "404",
                            .doc = "The status code.",
                            .least = 200,
                            .most = 599},
                           {.section = section,
                            .name = "text",
                            .type = Type::text,
                            .example = "hello",
                            .doc = "A body of text/plain. At most one of text, json and body."},
                           {.section = section,
                            .name = "json",
                            .type = Type::any,
                            .example = "{ok: true}",
                            .doc = "A body of application/json, written as YAML."},
                           {.section = section,
                            .name = "body",
                            .type = Type::text,
                            .example = "\"<h1>Hello</h1>\"",
                            .doc = "A body of any type; name the type in `headers`."},
                           {.section = section,
                            .name = "headers",
                            .type = Type::header_lines,
                            .example = "{Content-Type: text/html}",
                            .doc = "Header fields by name; a value is a text or a list of texts."}});
}

void add_cors(std::vector<Field>& rows) {
  const std::string_view section = "step.cors";
  rows.insert(rows.end(), {{.section = section,
                            .name = "origins",
                            .type = Type::origin,
                            .shape = Shape::one_or_list,
                            .example = "[\"https://app.example.com\"]",
                            .doc = "Origins whose pages may read responses, or \"*\".",
                            .required = true},
                           {.section = section,
                            .name = "methods",
                            .type = Type::method,
                            .shape = Shape::one_or_list,
                            .says = "GET, HEAD, POST",
                            .example = "[GET, PUT]",
                            .doc = "Methods that such pages may use, or \"*\"."},
                           {.section = section,
                            .name = "headers",
                            .type = Type::header_name,
                            .shape = Shape::one_or_list,
                            .says = "the safelisted ones",
                            .example = "[X-Api-Key]",
                            .doc = "Request fields that such pages may send, or \"*\"."},
                           {.section = section,
                            .name = "expose",
                            .type = Type::header_name,
                            .shape = Shape::one_or_list,
                            .says = "the safelisted ones",
                            .example = "[X-Request-Id]",
                            .doc = "Response fields that such pages may read."},
                           {.section = section,
                            .name = "credentials",
                            .type = Type::flag,
                            .fallback = "false",
                            .example = "true",
                            .doc = "Whether such pages may send cookies and HTTP authentication."},
                           {.section = section,
                            .name = "max_age",
                            .type = Type::duration,
                            .says = "the browser's",
                            .example = "10m",
                            .doc = "How long a browser may keep the answer to a preflight.",
                            .least = kSecond,
                            .most = 24 * kHour}});
}

void add_compress(std::vector<Field>& rows) {
  const std::string_view section = "step.compress";
  rows.insert(rows.end(), {{.section = section,
                            .name = "types",
                            .type = Type::text,
                            .shape = Shape::one_or_list,
                            .fallback = "[text/*, application/json, application/javascript, application/xml, "
                                        "application/wasm, image/svg+xml, +json, +xml]",
                            .example = "[text/*, +json]",
                            .doc = "Media types that are coded: one, `text/*`, or by suffix `+json`. text/event-stream "
                                   "only where it is named."},
                           {.section = section,
                            .name = "min",
                            .type = Type::size,
                            .fallback = "1KiB",
                            .example = "256B",
                            .doc = "The smallest content that is coded, where its length is known.",
                            .most = kGiB},
                           {.section = section,
                            .name = "algorithms",
                            .type = Type::choice,
                            .shape = Shape::one_or_list,
                            .words = "zstd|br|gzip",
                            .fallback = "[zstd, br, gzip]",
                            .example = "[br, gzip]",
                            .doc = "What is offered, the dearest first: it decides between what a client likes equally "
                                   "well. Levels are 3, 4 and 5."}});
}

void add_grants(std::vector<Field>& rows) {
  rows.push_back({.section = "step.script",
                  .name = "grant",
                  .type = Type::section,
                  .of = "step.script.grant",
                  .example = "{read: [data/geo.db], environment: [REGION]}",
                  .doc = "What a script with `isolation: process` may have beyond its own folder and the system's "
                         "libraries."});
  const auto grant = [&rows](std::string_view name, Type type, std::string_view example, std::string_view doc) {
    rows.push_back({.section = "step.script.grant",
                    .name = name,
                    .type = type,
                    .shape = Shape::one_or_list,
                    .says = "nothing",
                    .example = example,
                    .doc = doc});
  };
  grant("read", Type::existing_path, "[data/geo.db]", "Files and folders that it may read.");
  grant("write", Type::existing_path, "[data/spool]", "Files and folders that it may write to, and read.");
  grant("environment", Type::name, "[REGION]", "Environment variables of the gateway that it may see.");
}

void add_cache(std::vector<Field>& rows) {
  rows.push_back(
      {.section = "step.script",
       .name = "cache",
       .type = Type::section,
       .of = "step.script.cache",
       .example = "{by: header.X-Token, ttl: 60s}",
       .doc =
           "Keeps what the `request` hook has answered (a session, headers, a response) and takes it for "
           "further requests of the route with the same `by`, whatever else they hold: an external check runs once."});
  rows.insert(rows.end(),
              {{.section = "step.script.cache",
                .name = "by",
                .type = Type::count_key,
                .example = "header.X-Token",
                .doc = "What an answer is kept by: header.NAME, ctx.NAME or session.id. A request without it runs the "
                       "script.",
                .required = true},
               {.section = "step.script.cache",
                .name = "ttl",
                .type = Type::duration,
                .example = "60s",
                .doc = "How long an answer is kept, refusals too; a session that expires before ends it.",
                .least = kSecond,
                .most = 24 * kHour,
                .required = true}});
}

void add_script(std::vector<Field>& rows) {
  const std::string_view section = "step.script";
  rows.insert(rows.end(),
              {{.section = section,
                .name = "file",
                .type = Type::script_file,
                .example = "scripts/tenant.lua",
                .doc = "The script, relative to the file that names it.",
                .required = true},
               {.section = section,
                .name = "runtime",
                .type = Type::choice,
                .words = "lua|python|js",
                .says = "from the extension: .lua, .py, .js",
                .example = "lua",
                .doc = "The language."},
               {.section = section,
                .name = "config",
                .type = Type::any_with_secrets,
                .example = "{header: X-Tenant, key: {env: TENANT_KEY}}",
                .doc = "What the script's `init` and `lingate.config` get; free-form, secrets allowed."},
               {.section = section,
                .name = "body",
                .type = Type::choice,
                .words = "request|response|both",
                .says = "none",
                .example = "request",
                .doc = "Which bodies are read whole, so that the script can see and replace them. Without it bodies "
                       "stream past."},
               {.section = section,
                .name = "max_body",
                .type = Type::size,
                .fallback = "10MiB",
                .example = "64KiB",
                .doc = "The largest body that is read; over it a request is answered with 413, a response with 502.",
                .least = 1,
                .most = kGiB},
               {.section = section,
                .name = "on_error",
                .type = Type::choice,
                .words = "deny|continue",
                .fallback = "deny",
                .example = "continue",
                .doc = "What a failing script means: an error response, or going on as if the step were not there."}});
  const auto override_of = [&rows, section](Field row) {
    row.section = section;
    row.says = "that of the language in `runtimes`";
    rows.push_back(row);
  };
  override_of({.name = "budget",
               .type = Type::duration,
               .example = "5ms",
               .doc = "How long one call may run; time in which it waits for I/O does not count.",
               .least = kMillisecond / 10,
               .most = 60 * kSecond});
  override_of({.name = "wait",
               .type = Type::duration,
               .example = "200ms",
               .doc = "How long a call may wait for a free instance.",
               .least = kMillisecond,
               .most = 60 * kSecond});
  override_of({.name = "timeout",
               .type = Type::duration,
               .example = "5s",
               .doc = "How long the whole call may take, waiting included.",
               .least = kMillisecond,
               .most = kHour});
  override_of({.name = "isolation",
               .type = Type::choice,
               .words = "inline|thread|process",
               .example = "thread",
               .doc = "Where calls run: on the I/O thread, on threads or in processes of their own."});
  override_of({.name = "memory",
               .type = Type::size,
               .example = "32MiB",
               .doc = "How much one instance may hold.",
               .least = kMiB,
               .most = 64 * kGiB});
  override_of({.name = "instances",
               .type = Type::integer,
               .words = "auto",
               .example = "4",
               .doc = "How many instances with `isolation: thread` or `process`.",
               .least = 1,
               .most = 256});
  add_cache(rows);
  add_grants(rows);
}

}  // namespace

std::vector<Field> step_fields() {
  std::vector<Field> rows;
  add_small_steps(rows);
  add_headers(rows);
  add_rewrite(rows);
  add_respond(rows);
  add_cors(rows);
  add_compress(rows);
  add_script(rows);
  return rows;
}

}  // namespace lingate::config
