// The field numbers in proto/plugin.h against the official descriptor.
#include "proto/plugin.h"

#include <gtest/gtest.h>
#include <plugin.pb.h>

namespace lingate::proto {
namespace {

struct Named {
  const char* field;
  Number number;
};

template <class Message>
void expect_fields(std::initializer_list<Named> fields) {
  const auto* const descriptor = Message::descriptor();
  EXPECT_EQ(descriptor->field_count(), static_cast<int>(fields.size())) << descriptor->name();
  for (const Named& named : fields) {
    const auto* const field = descriptor->FindFieldByName(named.field);
    ASSERT_TRUE(field) << descriptor->name() << "." << named.field;
    EXPECT_EQ(static_cast<Number>(field->number()), named.number) << descriptor->name() << "." << named.field;
  }
}

TEST(PluginNumbers, AreThoseOfTheSchema) {
  expect_fields<plugin::Value>({{"null", value::kNull},
                                {"boolean", value::kBoolean},
                                {"number", value::kNumber},
                                {"text", value::kText},
                                {"list", value::kList},
                                {"members", value::kMembers}});
  expect_fields<plugin::List>({{"values", list::kValues}});
  expect_fields<plugin::Members>({{"members", members::kMembers}});
  expect_fields<plugin::Member>({{"name", member::kName}, {"value", member::kValue}});
  expect_fields<plugin::Header>({{"name", header::kName}, {"value", header::kValue}});
  expect_fields<plugin::Client>({{"ip", client::kIp}, {"port", client::kPort}, {"tls", client::kTls}});
  expect_fields<plugin::Request>({{"id", request::kId},
                                  {"method", request::kMethod},
                                  {"scheme", request::kScheme},
                                  {"host", request::kHost},
                                  {"path", request::kPath},
                                  {"query", request::kQuery},
                                  {"version", request::kVersion},
                                  {"route", request::kRoute},
                                  {"client", request::kClient},
                                  {"params", request::kParams},
                                  {"headers", request::kHeaders},
                                  {"body", request::kBody}});
  expect_fields<plugin::Response>(
      {{"status", response::kStatus}, {"headers", response::kHeaders}, {"body", response::kBody}});
  expect_fields<plugin::Session>({{"id", session::kId},
                                  {"alias", session::kAlias},
                                  {"org", session::kOrg},
                                  {"tags", session::kTags},
                                  {"metadata", session::kMetadata},
                                  {"rate", session::kRate},
                                  {"per", session::kPer},
                                  {"burst", session::kBurst},
                                  {"quota_max", session::kQuotaMax},
                                  {"quota_remaining", session::kQuotaRemaining},
                                  {"quota_renews", session::kQuotaRenews},
                                  {"expires", session::kExpires}});
  expect_fields<plugin::Call>({{"hook", call::kHook},
                               {"deadline", call::kDeadline},
                               {"request", call::kRequest},
                               {"response", call::kResponse},
                               {"session", call::kSession},
                               {"context", call::kContext}});
  expect_fields<plugin::HeaderEdit>(
      {{"name", header_edit::kName}, {"values", header_edit::kValues}, {"append", header_edit::kAppend}});
  expect_fields<plugin::RequestEdits>({{"method", request_edits::kMethod},
                                       {"path", request_edits::kPath},
                                       {"query", request_edits::kQuery},
                                       {"headers", request_edits::kHeaders},
                                       {"body", request_edits::kBody}});
  expect_fields<plugin::ResponseEdits>(
      {{"status", response_edits::kStatus}, {"headers", response_edits::kHeaders}, {"body", response_edits::kBody}});
  expect_fields<plugin::SessionEdits>({{"assigned", session_edits::kAssigned},
                                       {"cleared", session_edits::kCleared},
                                       {"tags", session_edits::kTags},
                                       {"metadata", session_edits::kMetadata},
                                       {"removed_metadata", session_edits::kRemovedMetadata}});
  expect_fields<plugin::Tags>({{"tags", tags::kTags}});
  expect_fields<plugin::ContextEdits>({{"replaced", context_edits::kReplaced}});
  expect_fields<plugin::Answer>({{"status", answer::kStatus}, {"headers", answer::kHeaders}, {"body", answer::kBody}});
  expect_fields<plugin::Failure>({{"kind", failure::kKind},
                                  {"message", failure::kMessage},
                                  {"file", failure::kFile},
                                  {"line", failure::kLine},
                                  {"stack", failure::kStack}});
  expect_fields<plugin::Verdict>({{"request", verdict::kRequest},
                                  {"response", verdict::kResponse},
                                  {"session", verdict::kSession},
                                  {"context", verdict::kContext},
                                  {"answer", verdict::kAnswer},
                                  {"failure", verdict::kFailure}});
}

}  // namespace
}  // namespace lingate::proto
