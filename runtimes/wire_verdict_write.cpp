// Writing a Verdict: every message is measured first and then written once.
#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/wire_verdict.h"

namespace lingate::runtimes {
namespace {

using proto::bytes_field_size;
using proto::put_bytes_field;
using proto::put_header;
using proto::put_varint_field;
using proto::varint_field_size;

std::size_t optional_size(std::uint32_t field, const std::optional<std::string_view>& text) {
  return text ? bytes_field_size(field, text->size()) : 0;
}

char* put_optional(char* to, std::uint32_t field, const std::optional<std::string_view>& text) {
  return text ? put_bytes_field(to, field, *text) : to;
}

std::size_t size_of(const HeaderEdit& edit) {
  using namespace proto::header_edit;
  std::size_t size = bytes_field_size(kName, edit.name.size()) + (edit.append ? varint_field_size(kAppend, 1) : 0);
  for (const std::string_view value : edit.values)
    size += bytes_field_size(kValues, value.size());
  return size;
}

std::size_t size_of(const HeaderEdits& edits) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < edits.size(); ++i)
    size += bytes_field_size(proto::request_edits::kHeaders, size_of(edits[i]));  // all keys take one byte
  return size;
}

char* put(char* to, std::uint32_t field, const HeaderEdits& edits) {
  using namespace proto::header_edit;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const HeaderEdit edit = edits[i];
    to = put_bytes_field(put_header(to, field, size_of(edit)), kName, edit.name);
    for (const std::string_view value : edit.values)
      to = put_bytes_field(to, kValues, value);
    if (edit.append) to = put_varint_field(to, kAppend, 1);
  }
  return to;
}

std::size_t size_of(const RequestEdits& edits, const HeaderEdits& headers) {
  using namespace proto::request_edits;
  return optional_size(kMethod, edits.method) + optional_size(kPath, edits.path) + optional_size(kQuery, edits.query) +
         size_of(headers) + optional_size(kBody, edits.body);
}

char* put(char* to, const RequestEdits& edits, const HeaderEdits& headers) {
  using namespace proto::request_edits;
  to = put_optional(to, kMethod, edits.method);
  to = put_optional(to, kPath, edits.path);
  to = put_optional(to, kQuery, edits.query);
  return put_optional(put(to, kHeaders, headers), kBody, edits.body);
}

std::size_t size_of(const ResponseEdits& edits, const HeaderEdits& headers) {
  using namespace proto::response_edits;
  return (edits.status ? varint_field_size(kStatus, *edits.status) : 0) + size_of(headers) +
         optional_size(kBody, edits.body);
}

char* put(char* to, const ResponseEdits& edits, const HeaderEdits& headers) {
  using namespace proto::response_edits;
  if (edits.status) to = put_varint_field(to, kStatus, *edits.status);
  return put_optional(put(to, kHeaders, headers), kBody, edits.body);
}

}  // namespace

void write_verdict(std::string& out, const Verdict& verdict) {
  using namespace proto::verdict;
  const std::size_t request = verdict.request ? size_of(*verdict.request, verdict.headers) : 0;
  const std::size_t response = verdict.response ? size_of(*verdict.response, verdict.headers) : 0;
  const std::size_t context = optional_size(proto::context_edits::kReplaced, verdict.context);
  std::size_t size = 0;
  if (verdict.request) size += bytes_field_size(kRequest, request);
  if (verdict.response) size += bytes_field_size(kResponse, response);
  if (verdict.session) size += bytes_field_size(kSession, verdict.session->encoded.size());
  if (verdict.context) size += bytes_field_size(kContext, context);
  if (verdict.answer) size += bytes_field_size(kAnswer, verdict.answer->encoded.size());
  if (verdict.failure) size += bytes_field_size(kFailure, verdict.failure->encoded.size());
  out.resize(size);
  char* to = out.data();
  if (verdict.request) to = put(put_header(to, kRequest, request), *verdict.request, verdict.headers);
  if (verdict.response) to = put(put_header(to, kResponse, response), *verdict.response, verdict.headers);
  if (verdict.session) to = put_bytes_field(to, kSession, verdict.session->encoded);
  if (verdict.context)
    to = put_optional(put_header(to, kContext, context), proto::context_edits::kReplaced, verdict.context);
  if (verdict.answer) to = put_bytes_field(to, kAnswer, verdict.answer->encoded);
  if (verdict.failure) put_bytes_field(to, kFailure, verdict.failure->encoded);
}

}  // namespace lingate::runtimes
