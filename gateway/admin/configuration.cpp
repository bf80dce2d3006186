// Operations on the configuration: shown, checked, replaced, taken back.
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/admin/handlers.h"
#include "gateway/config/hide.h"

namespace lingate::admin {
namespace {

Json json_of(const Version& version) {
  return {{"generation", version.generation},
          {"etag", version.etag},
          {"origin", name_of(version.origin)},
          {"since", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(version.since))}};
}

Json json_of(const std::vector<config::Diagnostic>& diagnostics) {
  return Json::parse(config::render_json(diagnostics));
}

std::string rendered(const std::vector<config::Diagnostic>& diagnostics) {
  std::string text;
  for (const config::Diagnostic& each : diagnostics)
    text += config::render(each, config::Paint::none);
  return text;
}

// What it includes, secrets hidden.
Json included_of(const Version& version) {
  Json files = Json::array();
  for (const config::WrittenFile& each : version.included)
    files.push_back({{"file", each.name}, {"path", each.path}, {"yaml", config::hide_secrets(each.text)}});
  return files;
}

Outcome outcome_of(const Configurations::Outcome& outcome) {
  if (outcome) {
    Answer answer = json_answer(200, {{"generation", outcome->generation},
                                      {"etag", outcome->etag},
                                      {"notes", outcome->notes},
                                      {"diagnostics", json_of(outcome->warnings)},
                                      {"report", rendered(outcome->warnings)}});
    answer.headers.emplace_back("ETag", outcome->etag);
    return answer;
  }
  const NotReplaced& why = outcome.error();
  Refusal refusal{.code = why.code, .detail = why.detail};
  if (!why.diagnostics.empty())
    refusal.more = {{"diagnostics", json_of(why.diagnostics)}, {"report", rendered(why.diagnostics)}};
  return fail(std::move(refusal));
}

Refusal bad_parameter(std::string_view name, std::string_view detail) {
  return {.code = code::kBadAdminRequest, .detail = std::string(detail), .field = std::string(name)};
}

Result<Save, Refusal> save_of(const Call& call) {
  const std::string save = call.parameter("save");
  if (save.empty() || save == "true") return Save::yes;
  if (save == "false") return Save::no;
  return fail(bad_parameter("save", "true or false"));
}

}  // namespace

std::string_view name_of(Origin origin) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"start", "file", "api", "rollback"};
  return kNames[static_cast<std::size_t>(origin)];
}

Outcome show_config(const Subject& subject, const Call&) {
  const auto running = subject.configurations.running();
  Json json = json_of(running->version);
  json["file"] = running->model.written.file;
  json["yaml"] = config::hide_secrets(running->version.text);
  json["included"] = included_of(running->version);
  Answer answer = json_answer(200, json);
  answer.headers.emplace_back("ETag", running->version.etag);
  return answer;
}

Outcome validate_config(const Subject& subject, const Call& call) {
  const auto findings = subject.check(call.text);
  if (!findings) return fail(Refusal{.code = code::kInternal, .detail = findings.error()});
  return json_answer(200, *findings);
}

Outcome reload_config(const Subject& subject, const Call&) {
  return outcome_of(subject.configurations.reload());
}

// What was shown cannot be sent back as it is: where a secret was, a mask is.
Outcome replace_config(const Subject& subject, const Call& call) {
  const auto save = save_of(call);
  if (!save) return fail(save.error());
  if (call.parameter("If-Match").empty()) return fail(Refusal{.code = code::kConfigUnmatched});
  if (call.text.find(config::kHidden) != std::string::npos)
    return fail(Refusal{.code = code::kConfigRefused,
                        .detail = fmt::format("it holds {} where a secret was hidden: write the secrets anew, or as "
                                              "{{env: NAME}} or {{file: PATH}}",
                                              config::kHidden)});
  return outcome_of(
      subject.configurations.replace({.text = call.text, .match = call.parameter("If-Match"), .save = *save}));
}

Outcome list_history(const Subject& subject, const Call&) {
  Json generations = Json::array();
  for (const Version& each : subject.configurations.history()) {
    generations.push_back(json_of(each));
    generations.back()["yaml"] = config::hide_secrets(each.text);
    generations.back()["included"] = included_of(each);
  }
  return json_answer(200, {{"generations", std::move(generations)}});
}

Outcome roll_back_config(const Subject& subject, const Call& call) {
  const auto save = save_of(call);
  if (!save) return fail(save.error());
  const Json& body = call.body;
  const bool form =
      body.is_object() && body.size() == 1 && body.contains("generation") && body["generation"].is_number_unsigned();
  if (!form) return fail(bad_parameter("generation", R"(write {"generation": 3}, a number of the history)"));
  return outcome_of(subject.configurations.roll_back(body["generation"].get<std::uint64_t>(), *save));
}

}  // namespace lingate::admin
