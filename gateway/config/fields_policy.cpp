// Rows of the field table: the options of the steps that let pass or refuse, by address and how much.
#include "gateway/config/fields.h"
#include "gateway/config/units.h"

namespace lingate::config {
namespace {

void add_ip(std::vector<Field>& rows) {
  rows.insert(rows.end(), {{.section = "step.ip",
                            .name = "allow",
                            .type = Type::network,
                            .shape = Shape::one_or_list,
                            .says = "everybody",
                            .example = "[10.0.0.0/8, \"fd00::/8\"]",
                            .doc = "Networks and addresses that pass; all others are refused."},
                           {.section = "step.ip",
                            .name = "deny",
                            .type = Type::network,
                            .shape = Shape::one_or_list,
                            .says = "nobody",
                            .example = "[10.9.0.0/16]",
                            .doc = "Networks and addresses that are refused, allowed ones too."}});
}

Field counted_by(std::string_view section) {
  return {.section = section,
          .name = "by",
          .type = Type::count_key,
          .fallback = "session.id",
          .example = "header.X-Tenant",
          .doc = "What is counted by. Where a request has no such thing, its client's address counts."};
}

void add_rate_limit(std::vector<Field>& rows) {
  const std::string_view section = "step.rate-limit";
  rows.insert(rows.end(), {{.section = section,
                            .name = "rate",
                            .type = Type::rate,
                            .says = "that of the session",
                            .example = "100/1s",
                            .doc = "Requests in a time. By session.id a session's own rate comes first."},
                           {.section = section,
                            .name = "burst",
                            .type = Type::integer,
                            .says = "as many as `rate` has",
                            .example = "200",
                            .doc = "How many of them may come at once.",
                            .least = 1,
                            .most = 1'000'000'000},
                           counted_by(section)});
}

void add_concurrency_limit(std::vector<Field>& rows) {
  const std::string_view section = "step.concurrency-limit";
  rows.insert(rows.end(), {{.section = section,
                            .name = "max",
                            .type = Type::integer,
                            .example = "10",
                            .doc = "Requests that may be in flight at once.",
                            .least = 1,
                            .most = 1'000'000'000,
                            .required = true},
                           counted_by(section)});
}

void add_quota(std::vector<Field>& rows) {
  const std::string_view section = "step.quota";
  rows.insert(rows.end(), {{.section = section,
                            .name = "max",
                            .type = Type::integer,
                            .says = "that of the session",
                            .example = "1000",
                            .doc = "Requests in a period. Without it each session's own quota counts.",
                            .least = 1,
                            .most = 1'000'000'000'000},
                           {.section = section,
                            .name = "every",
                            .type = Type::duration,
                            .says = "when the session's renews",
                            .example = "24h",
                            .doc = "How long a period lasts; it begins with its first request. Needed with `max`.",
                            .least = kSecond,
                            .most = 366 * 24 * kHour},
                           counted_by(section)});
}

}  // namespace

std::vector<Field> policy_fields() {
  std::vector<Field> rows;
  add_ip(rows);
  add_rate_limit(rows);
  add_concurrency_limit(rows);
  add_quota(rows);
  return rows;
}

}  // namespace lingate::config
