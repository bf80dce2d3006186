// A call with a few headers, and what tests do with it through CallView.
#pragma once

#include <gtest/gtest.h>
#include <plugin.pb.h>

#include <string>

#include "runtimes/call_view.h"

namespace lingate::runtimes::test {

using Text = CallView::RequestText;

inline void add_header(plugin::Request& request, const std::string& name, const std::string& value) {
  auto* const header = request.add_headers();
  header->set_name(name);
  header->set_value(value);
}

class CallViewTest : public testing::Test {
 protected:
  CallViewTest() {
    auto& request = *call.mutable_request();
    request.set_method("GET");
    request.set_path("/a");
    request.set_query("q=1");
    add_header(request, "Host", "h");
    add_header(request, "X-Twice", "1");
    add_header(request, "Accept", "*/*");
    add_header(request, "x-twice", "2");
    call.mutable_response()->set_status(200);
    auto* const header = call.mutable_response()->add_headers();
    header->set_name("Content-Type");
    header->set_value("text/plain");
  }

  CallView& begin(Hook hook = Hook::request) {
    bytes = call.SerializeAsString();
    view.begin(hook, bytes, limits);
    return view;
  }
  plugin::Verdict finish() {
    plugin::Verdict verdict;
    const std::string_view done = view.finish();
    EXPECT_TRUE(verdict.ParseFromArray(done.data(), static_cast<int>(done.size())));
    return verdict;
  }
  std::string lines() {
    std::string text;
    for (const HeadView::Line& line : view.request_head().lines())
      text += std::string(line.name) + "=" + std::string(line.value) + " ";
    return text;
  }
  Refusal set(std::string_view name, std::string_view value) { return view.request_head().set(name, {&value, 1}); }
  Refusal set_session(std::string_view json) {
    WireWriter& writer = view.begin_session();
    EXPECT_TRUE(parse_json(json, writer));
    return view.end_session();
  }

  plugin::Call call;
  std::string bytes;
  ScriptLimits limits;
  CallView view;
};

}  // namespace lingate::runtimes::test
