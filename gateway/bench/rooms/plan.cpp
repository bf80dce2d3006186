#include "gateway/bench/rooms/plan.h"

#include <nlohmann/json.hpp>

#include "base/codes.h"

namespace lingate::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const OwnScript& own) {
  return {{"path", own.path},
          {"runtime", own.runtime},
          {"config", own.config},
          {"method", own.traffic.method},
          {"target", own.traffic.path},
          {"query", own.traffic.query},
          {"host", own.traffic.host},
          {"request_headers", own.traffic.request_headers},
          {"request_body_file", own.request_body_file},
          {"status", own.traffic.status},
          {"response_headers", own.traffic.response_headers},
          {"response_body_file", own.response_body_file}};
}

OwnScript own_of(const Json& json) {
  OwnScript own;
  own.path = json.at("path");
  own.runtime = json.at("runtime");
  own.config = json.at("config");
  own.traffic.method = json.at("method");
  own.traffic.path = json.at("target");
  own.traffic.query = json.at("query");
  own.traffic.host = json.at("host");
  own.traffic.request_headers = json.at("request_headers").get<Traffic::Lines>();
  own.request_body_file = json.at("request_body_file");
  own.traffic.status = json.at("status");
  own.traffic.response_headers = json.at("response_headers").get<Traffic::Lines>();
  own.response_body_file = json.at("response_body_file");
  return own;
}

Json json_of(const ArmAnswer& arm) {
  Json buckets = Json::array();
  for (const Bucket& bucket : arm.histogram)
    buckets.push_back({bucket.upto, bucket.count});
  return {{"arm", arm.arm}, {"calls", arm.calls}, {"cpu", arm.cpu}, {"histogram", buckets}, {"parts", arm.parts}};
}

ArmAnswer arm_of(const Json& json) {
  ArmAnswer arm;
  arm.arm = json.at("arm");
  arm.calls = json.at("calls");
  arm.cpu = json.at("cpu");
  for (const Json& bucket : json.at("histogram"))
    arm.histogram.push_back({.upto = bucket.at(0), .count = bucket.at(1)});
  for (const auto& [name, value] : json.at("parts").items())
    arm.parts[name] = value;
  return arm;
}

Json json_of(const Curve& curve) {
  return {{"name", curve.name}, {"unit", curve.unit}, {"x", curve.x}, {"series", curve.series}};
}

Curve curve_of(const Json& json) {
  Curve curve;
  curve.name = json.at("name");
  curve.unit = json.at("unit");
  curve.x = json.at("x").get<std::vector<double>>();
  curve.series = json.at("series").get<decltype(curve.series)>();
  return curve;
}

Answer answer_of(const Json& json) {
  Answer answer;
  for (const Json& arm : json.at("arms"))
    answer.arms.push_back(arm_of(arm));
  for (const Json& curve : json.at("curves"))
    answer.curves.push_back(curve_of(curve));
  return answer;
}

Plan plan_of(const Json& json) {
  Plan plan;
  for (const Json& name : json.at("arms"))
    plan.arms.push_back({.runtime = name.at(0), .placement = name.at(1), .job = name.at(2)});
  if (json.contains("own")) plan.own = own_of(json.at("own"));
  plan.measuring.slice = std::chrono::milliseconds(json.at("slice_ms").get<int>());
  plan.measuring.sweeps = json.at("sweeps");
  plan.length = std::chrono::milliseconds(json.at("length_ms").get<int>());
  plan.measuring.seed = json.at("seed");
  plan.in_turns = json.value("in_turns", false);
  plan.parts = json.at("parts");
  plan.curves = json.at("curves");
  return plan;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  Json json{{"slice_ms", plan.measuring.slice.count()},
            {"sweeps", plan.measuring.sweeps},
            {"length_ms", plan.length.count()},
            {"seed", plan.measuring.seed},
            {"in_turns", plan.in_turns},
            {"parts", plan.parts},
            {"curves", plan.curves},
            {"arms", Json::array()}};
  for (const ArmName& name : plan.arms)
    json["arms"].push_back({name.runtime, name.placement, name.job});
  if (plan.own) json["own"] = json_of(*plan.own);
  return line_of(json);
}

// nlohmann reports what is missing by throwing; a plan and an answer come from another lingate, so that is rare.
Result<Plan> plan_from(std::string_view text) {
  try {
    return plan_of(Json::parse(text));
  } catch (const Json::exception& error) {
    return fail(code::kInternal, std::string("this is no plan: ") + error.what());
  }
}

std::string answer_text(const Answer& answer) {
  Json json{{"arms", Json::array()}, {"curves", Json::array()}};
  for (const ArmAnswer& arm : answer.arms)
    json["arms"].push_back(json_of(arm));
  for (const Curve& curve : answer.curves)
    json["curves"].push_back(json_of(curve));
  return line_of(json);
}

Said said_from(std::string_view line) {
  Said said;
  try {
    const Json json = Json::parse(line);
    if (json.contains("turn"))
      said.turn = true;
    else if (json.contains("done"))
      said.done = json.at("done").get<double>();
    else if (json.contains("error"))
      said.error = json.at("error").get<std::string>();
    else
      said.answer = answer_of(json);
  } catch (const Json::exception&) {
    said.error = "a measuring process said what nobody understands: " + std::string(line.substr(0, 200));
  }
  return said;
}

}  // namespace lingate::bench
