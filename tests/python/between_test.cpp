// Script code that runs where nobody calls it: the collector's callbacks, finalisers, error handlers of codecs. None of
// it runs inside a function of the room, and what it does after a call changes nothing.
#include "tests/python/stage.h"

namespace lingate::runtimes::python {
namespace {

using ::testing::HasSubstr;

class PythonBetween : public Stage {};

TEST_F(PythonBetween, ACollectionIsNoPartOfReading) {
  auto instance = load(
      "import gc, lingate\n"
      "def request(req, ctx):\n"
      "    def meddle(phase, info):\n"
      "        if phase == 'start':\n"
      "            req.headers.values('nope')\n"
      "            req.headers['X-More'] = 'x' * 200\n"
      "            req.body = b'[' + b'0,' * 5000 + b'0]'\n"
      "    threshold = gc.get_threshold()\n"
      "    gc.callbacks.append(meddle)\n"
      "    gc.set_threshold(1)\n"
      "    try:\n"
      "        for _ in range(50):\n"
      "            assert req.headers.values('accept') == ['a', 'b']\n"
      "            assert list(req.headers)[:3] == ['Host', 'X-Key', 'Accept'], list(req.headers)\n"
      "            assert ('X-Key', 'abc') in req.headers.lines()\n"
      "            req.body = b'[' + b'[1],' * 500 + b'[1]]'\n"
      "            read = req.json()\n"
      "            assert read in ([[1]] * 501, [0] * 5001), read\n"
      "            assert req.params == {'id': '7'}\n"
      "            assert req.session.tags == ['gold'], req.session.tags\n"
      "            req.session.metadata = None\n"
      "    finally:\n"
      "        gc.callbacks.remove(meddle)\n"
      "        gc.set_threshold(*threshold)\n");
  auto call = a_call();
  call.mutable_session()->set_id("s");
  call.mutable_session()->add_tags("gold");
  const auto verdict = run(*instance, call);
  EXPECT_FALSE(verdict.has_failure()) << verdict.failure().message() << verdict.failure().line();
}

TEST_F(PythonBetween, NoErrorHandlerOfACodecIsAsked) {
  auto instance = load(
      "import codecs, lingate\n"
      "asked = []\n"
      "fields = {'X-A': '\\xe9' * 100, 'X-B': '\\ud800'}\n"
      "def handler(error):\n"
      "    asked.append(error)\n"
      "    fields.clear()\n"
      "    return '?', error.end\n"
      "own = codecs.lookup_error('surrogateescape')\n"
      "def request(req):\n"
      "    codecs.register_error('surrogateescape', handler)\n"
      "    try:\n"
      "        for use in (lambda: lingate.respond(200, 'x', fields), lambda: req.headers.add('X', '\\ud800'),\n"
      "                    lambda: req.headers.__setitem__('X', ['\\xe9', '\\udfff']), lambda: setattr(req, 'body', "
      "'\\ud800')):\n"
      "            try: use()\n"
      "            except UnicodeEncodeError: pass\n"
      "            else: raise AssertionError('taken')\n"
      "        req.headers['X-Bytes'] = '\\xe9\\udcff'\n"
      "        assert req.headers['X-Bytes'] == '\\xe9\\udcff'\n"
      "    finally:\n"
      "        codecs.register_error('surrogateescape', own)\n"
      "    assert not asked and len(fields) == 2\n");
  const auto verdict = run(*instance, a_call());
  EXPECT_FALSE(verdict.has_failure()) << verdict.failure().message();
}

TEST_F(PythonBetween, FinalisersAfterTheHookFindTheCallOver) {
  auto instance = load(
      "import lingate\n"
      "def late(base):\n"
      "    class Late(base):\n"
      "        def __del__(self):\n"
      "            for use in self.uses:\n"
      "                try: use()\n"
      "                except Exception as e: print(e)\n"
      "                else: print('alive')\n"
      "    return Late\n"
      "def request(req, ctx):\n"
      "    if req.method == 'GET':\n"
      "        metadata = late(dict)()\n"
      "        metadata.uses = [lambda: setattr(req.session, 'tags', ['left']), lambda: lingate.respond(418),\n"
      "                         lambda: req.headers.add('X-Late', '1')]\n"
      "        req.session.metadata = metadata\n"
      "        return\n"
      "    body = late(str)('fine')\n"
      "    body.uses = [lambda: lingate.respond(418)]\n"
      "    return lingate.respond(200, body)\n");
  auto call = a_call();
  call.mutable_session()->set_id("s");
  call.mutable_session()->add_tags("gold");
  auto verdict = run(*instance, call);
  EXPECT_FALSE(verdict.has_failure() || verdict.has_answer() || verdict.has_request()) << verdict.DebugString();
  EXPECT_FALSE(verdict.session().has_tags()) << verdict.DebugString();
  call.mutable_request()->set_method("POST");
  verdict = run(*instance, call);
  EXPECT_EQ(verdict.answer().status(), 200U);
  EXPECT_EQ(verdict.answer().body(), "fine");
  const auto lines = host_.take();
  ASSERT_EQ(lines.size(), 4U);
  for (const Logged& line : lines)
    EXPECT_THAT(line.message, testing::AnyOf(HasSubstr("the call is over"), HasSubstr("in a hook only")));
}

}  // namespace
}  // namespace lingate::runtimes::python
