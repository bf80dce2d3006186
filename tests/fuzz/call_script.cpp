#include "tests/fuzz/call_script.h"

#include "base/fields.h"
#include "tests/fuzz/call_parts.h"

namespace lingate::fuzz {
namespace {

using runtimes::CallView;
using runtimes::HeadView;
using runtimes::Side;

void run_head(HeadView& head, const Tokens& tokens) {
  std::vector<std::string_view> out;
  const auto values = tokens.texts(1);
  switch (fields::lower(tokens.letter())) {
    case 'g': head.get(tokens.text(0)); break;
    case 'v': head.values(tokens.text(0), out); break;
    case 'l': head.names(out); break;
    case 's': static_cast<void>(head.set(tokens.text(0), values)); break;
    case 'a': static_cast<void>(head.add(tokens.text(0), tokens.text(1))); break;
    default: static_cast<void>(head.remove(tokens.text(0))); break;
  }
}

void run_session(CallView& view, const Tokens& tokens) {
  switch (tokens.letter()) {
    case 'J': {
      static_cast<void>(runtimes::parse_json(tokens.text(0), view.begin_session()));
      static_cast<void>(view.end_session());
      break;
    }
    case 'c': static_cast<void>(view.clear_session()); break;
    case 'k': static_cast<void>(view.keep_tags(tokens.texts(0))); break;
    case 'j': static_cast<void>(view.keep_metadata(members_of(tokens.text(0)))); break;
    default: view.keep_context(members_of(tokens.text(0))); break;
  }
}

void run_answer(CallView& view, const Tokens& tokens) {
  runtimes::AnswerParts parts;
  std::vector<runtimes::AnswerParts::Line> lines;
  for (std::size_t i = 3; i + 1 < tokens.count(); i += 2)
    lines.push_back({tokens.text(i), tokens.text(i + 1)});
  parts.status = tokens.number(0);
  parts.kind = static_cast<runtimes::AnswerParts::Body>(tokens.text(1).size() % 4);
  parts.body = tokens.text(2);
  parts.headers = lines;
  static_cast<void>(view.answer(parts));
}

}  // namespace

void run(CallView& view, const Tokens& tokens) {
  const std::string_view text = tokens.text(0);
  switch (tokens.letter()) {
    case 'g':
    case 'v':
    case 'l':
    case 's':
    case 'a':
    case 'd': return run_head(view.request_head(), tokens);
    case 'G':
    case 'V':
    case 'L':
    case 'S':
    case 'A':
    case 'D': return run_head(view.response_head(), tokens);
    case 'm': return static_cast<void>(view.set_method(text));
    case 'p': return static_cast<void>(view.set_path(text));
    case 'q': return static_cast<void>(view.set_query(text));
    case 't': return static_cast<void>(view.set_status(tokens.number(0)));
    case 'w': return static_cast<void>(view.set_body(Side::request, text));
    case 'W': return static_cast<void>(view.set_body(Side::response, text));
    case 'b':
      view.body(Side::request);
      view.body(Side::response);
      return;
    case 'r': return run_answer(view, tokens);
    case 'u': return view.drop_answer();
    case 'J':
    case 'c':
    case 'k':
    case 'j':
    case 'x': return run_session(view, tokens);
    default: return;
  }
}

}  // namespace lingate::fuzz
