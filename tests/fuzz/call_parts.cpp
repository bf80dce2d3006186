#include "tests/fuzz/call_parts.h"

#include "runtimes/value.h"
#include "tests/fuzz/wire_text.h"

namespace lingate::fuzz {
namespace {

using runtimes::Hook;

void put_text(Parts& parts, char letter, std::string_view text) {
  switch (letter) {
    case 'i': parts.texts.id = text; break;
    case 'm': parts.texts.method = text; break;
    case 'e': parts.texts.scheme = text; break;
    case 'h': parts.texts.host = text; break;
    case 'p': parts.texts.path = text; break;
    case 'q': parts.texts.query = text; break;
    case 'v': parts.texts.version = text; break;
    case 'r': parts.texts.route = text; break;
    case 'c': parts.texts.client_ip = text; break;
    case 'b': parts.body = text; break;
    case 'B': parts.response_body = text; break;
    default: break;
  }
}

void put_session(Parts& parts, const Tokens& tokens) {
  parts.has_session = !tokens.text(0).empty();
  parts.session.id = parts.keep(tokens.text(0));
  parts.session.alias = parts.keep(tokens.text(1));
  parts.session.org = parts.keep(tokens.text(2));
  parts.tags.clear();
  for (const std::string_view tag : tokens.texts(3))
    if (runtimes::is_utf8(tag)) parts.tags.push_back(parts.keep(tag));
}

// No head that was scanned has a line without a name.
void put_line(std::vector<Line>& lines, const Line& line) {
  if (!line.name.empty()) lines.push_back(line);
}

void put(Parts& parts, const Tokens& tokens) {
  const Line line{parts.keep(tokens.text(0)), parts.keep(tokens.text(1))};
  const double number = tokens.number(0);
  const auto whole = number >= 0 && number < 70'000 ? static_cast<std::uint32_t>(number) : 0U;
  switch (tokens.letter()) {
    case 'P': parts.params.push_back(line); break;
    case 'H': put_line(parts.headers, line); break;
    case 'R': put_line(parts.response_headers, line); break;
    case 't': parts.status = whole; break;
    case 'C': parts.texts.client_port = whole; break;
    case 'S': put_session(parts, tokens); break;
    case 'M': parts.session.metadata = parts.keep(members_of(tokens.text(0))); break;
    case 'n': parts.session.rate = number; break;
    case 'x': parts.context = members_of(tokens.text(0)); break;
    default: put_text(parts, tokens.letter(), line.name);
  }
}

}  // namespace

void read_parts(std::string_view text, Parts& parts) {
  for (Tokens tokens(text); tokens.next();)
    put(parts, tokens);
}

std::string encode_session(const Parts& parts) {
  std::string session;
  runtimes::SessionParts with_tags = parts.session;
  with_tags.tags = parts.tags;
  write_session(session, with_tags);
  return session;
}

std::string encode(const Parts& parts, Hook hook) {
  std::string request_room, response_room, session, call;
  runtimes::CallParts pieces;
  pieces.hook = hook;
  pieces.request_head = write_request_head(request_room, parts.texts, parts.params, parts.headers);
  pieces.request_body = parts.body;
  if (hook != Hook::request) {
    pieces.response_head = write_response_head(response_room, parts.status, parts.response_headers);
    pieces.response_body = parts.response_body;
  }
  if (parts.has_session) pieces.session = session = encode_session(parts);
  pieces.context = parts.context;
  write_call(call, pieces);
  return call;
}

std::string members_of(std::string_view json) {
  runtimes::WireWriter writer;
  return runtimes::parse_json(json, writer) ? std::string(writer.members()) : std::string();
}

}  // namespace lingate::fuzz
