// Configurations of several files: what they are together, and what is said of each where it stands.
#include "gateway/config/include.h"

#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A folder with nothing in it but what a test puts there.
class Include : public testing::Test {
 protected:
  Include() {
    std::string name = (std::filesystem::temp_directory_path() / "lingate-include-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Include() override { std::filesystem::remove_all(path_); }

  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  // As if it stood in gw.yaml, in the folder.
  Loaded load_here(const std::string& text) const {
    return load_text("gw.yaml", "version: 1\nlisten: :0\n" + text, {path_, {}});
  }
  // "routes/a.yaml:3:5 LG2001 unknown key 'x' | did you mean 'y'?"
  std::vector<std::string> mistakes_here(const std::string& text) const {
    std::vector<std::string> lines;
    for (const Diagnostic& each : load_here(text).diagnostics) {
      lines.push_back(each.place.file + ":" + show(each));
      for (const Note& note : each.notes)
        lines.push_back(fmt::format("  {}:{}:{} {}", note.place.file, note.place.line, note.place.column, note.text));
    }
    return lines;
  }

  std::filesystem::path path_;
};

std::vector<std::string> names(const Model& model) {
  std::vector<std::string> all;
  for (const Route& each : model.routes)
    all.push_back(each.name);
  return all;
}

std::string route(std::string_view name) {
  return fmt::format("  - {{name: {0}, match: {{path: /{0}}}, respond: {{}}}}\n", name);
}

TEST_F(Include, AddsToListsAndJoinsNames) {
  write("more.yaml",
        "listen: [\":1\"]\ntrusted: 10.0.0.0/8\nupstreams: {b: {targets: \"http://h:2\"}}\nroutes:\n" + route("y"));
  write("routes/2.yaml", "chains: {c: [request-id]}\nroutes:\n" + route("z"));
  write("routes/1.yaml", "workers: 3\nroutes:\n  - {name: x, match: {path: /x}, chain: [use: c], upstream: a}\n");
  write("routes/notes.txt", "not for us");
  const Loaded loaded = load_here(
      "include: [more.yaml, routes/*.yaml]\nupstreams: {a: {targets: \"http://h:1\"}}\ntrusted: "
      "[192.0.2.1]\nroutes:\n" +
      route("w") + "  - {name: v, match: {path: /v}, upstream: b}\n");
  ASSERT_TRUE(loaded.model) << render(loaded.diagnostics.at(0), Paint::none);
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  EXPECT_THAT(names(*loaded.model), ElementsAre("w", "v", "y", "x", "z"));
  EXPECT_EQ(loaded.model->listen.size(), 2U);
  EXPECT_EQ(loaded.model->trusted.size(), 2U);
  EXPECT_EQ(loaded.model->upstreams.size(), 2U);
  EXPECT_EQ(loaded.model->workers, 3U);
  const Place& place = loaded.model->routes[3].place;
  EXPECT_EQ(fmt::format("{}:{}:{}", place.file, place.line, place.column), "routes/1.yaml:3:5");
}

TEST_F(Include, TellsWhatWasReadAndWhereItWasLookedFor) {
  write("sub/a.yaml", "include: ../b.yaml\n");
  write("b.yaml", "x-nothing: 1\n");
  const Loaded loaded = load_here("include: [sub/*.yaml, none/*.yaml]\nroutes: []\n");
  ASSERT_TRUE(loaded.model);
  std::vector<std::string> read;
  for (const WrittenFile& each : loaded.model->written.included)
    read.push_back(each.name + " " + each.path);
  EXPECT_THAT(read,
              ElementsAre("sub/a.yaml " + (path_ / "sub/a.yaml").string(), "b.yaml " + (path_ / "b.yaml").string()));
  EXPECT_THAT(loaded.model->written.patterns,
              ElementsAre(path_ / "sub/*.yaml", path_ / "b.yaml", path_ / "none/*.yaml"));
  EXPECT_THAT(show(loaded.diagnostics),
              ElementsAre("warning 3:23 LG2103 'include': there is no folder 'none' | looked for " +
                          (path_ / "none").string()));
}

TEST_F(Include, CanBeLoadedAgainAsItWas) {
  write("r/a.yaml", "routes:\n" + route("then"));
  const std::string text = "include: r/*.yaml\n";
  const Loaded then = load_here(text);
  ASSERT_TRUE(then.model);
  write("r/a.yaml", "routes:\n" + route("now"));
  write("r/b.yaml", "routes:\n" + route("new"));
  const Loaded again =
      load_text("gw.yaml", "version: 1\nlisten: :0\n" + text, {path_, {}, &then.model->written.included});
  ASSERT_TRUE(again.model);
  EXPECT_THAT(names(*again.model), ElementsAre("then"));
  EXPECT_EQ(again.model->written, then.model->written);
}

TEST_F(Include, PathsAreRelativeToTheFileThatTheyStandIn) {
  write("team/script.lua", "");
  write("team/key.txt", "hidden");
  write("team/more/deep.yaml", "routes:\n" + route("deep"));
  write(
      "team/all.yaml",
      "include: more/*.yaml\nupstreams: {u: {targets: \"unix:up.sock\"}}\nroutes:\n  - name: r\n    match: {path: /r}\n"
      "    chain: [{script: {file: script.lua}}, {headers: {request: {set: {X-Key: {file: key.txt}}}}}]\n"
      "    upstream: u\n");
  const Loaded loaded = load_here("include: team/all.yaml\n");
  ASSERT_TRUE(loaded.model) << render(loaded.diagnostics.at(0), Paint::none);
  EXPECT_EQ(loaded.model->routes[0].chain[0].settings.text("file"), (path_ / "team/script.lua").string());
  EXPECT_EQ(loaded.model->upstreams[0].targets[0].address.path, (path_ / "team/up.sock").string());
  EXPECT_THAT(names(*loaded.model), ElementsAre("r", "deep"));
}

TEST_F(Include, AFileIsTakenOnceHoweverOftenItIsNamed) {
  write("common.yaml", "chains: {c: [request-id]}\n");
  write("a.yaml", "include: common.yaml\nroutes:\n" + route("a"));
  write("b.yaml", "include: [common.yaml, \"*.yaml\"]\n");
  std::filesystem::create_symlink("a.yaml", path_ / "link.yaml");
  EXPECT_THAT(
      mistakes_here("include: [\"*.yaml\", a.yaml]\n"),
      ElementsAre("common.yaml:warning 1:10 LG2101 chain 'c' is not used | use it with 'use: c', or remove it"));
}

TEST_F(Include, TheSameNameTwiceIsToldWithBothPlaces) {
  write("a.yaml",
        "upstreams:\n  u: {targets: \"http://h:1\"}\nchains: {c: []}\nroutes:\n" + route("r") + "store: {}\n");
  EXPECT_THAT(mistakes_here("include: a.yaml\nstore: {kind: memory}\nupstreams: {u: {targets: \"http://h:1\"}}\n"
                            "chains: {c: []}\nroutes:\n" +
                            route("r")),
              ElementsAre("a.yaml:2:3 LG2011 upstream 'u' is defined twice | rename or remove one of the two",
                          "  gw.yaml:5:13 first defined here",
                          "a.yaml:3:10 LG2011 chain 'c' is defined twice | rename or remove one of the two",
                          "  gw.yaml:6:10 first defined here", HasSubstr("a.yaml:5:12 LG2011"),
                          HasSubstr("  gw.yaml:8:12"), HasSubstr("a.yaml:5:"), HasSubstr("  gw.yaml:8:"),
                          "a.yaml:6:1 LG2002 'store' stands in two files | say it in one of them",
                          "  gw.yaml:4:1 first said here"));
}

TEST_F(Include, AMistakeIsToldWhereItStands) {
  write("a.yaml", "upstreems: {u: {targets: \"http://h:1\", balence: hash}}\nroutes: {}\nverion: 1\n");
  write("b.yaml", "routes:\n  - {name: b, match: {path: /b}, upstream: uu}\n");
  write("c.yaml", "a: [\n");
  write("d.yaml", "- routes\n");
  write("e.yaml", "version: 2\n");
  write("f.yaml", "");
  const auto found = mistakes_here("include: \"?.yaml\"\nupstreams: {v: {targets: \"http://h:1\"}}\nroutes: []\n");
  EXPECT_THAT(found,
              testing::IsSupersetOf({
                  std::string("a.yaml:1:1 LG2001 unknown key 'upstreems' | did you mean 'upstreams'?"),
                  std::string("a.yaml:1:40 LG2001 unknown key 'balence' in upstream 'u' | did you mean 'balance'?"),
                  std::string("a.yaml:3:1 LG2001 unknown key 'verion' | did you mean 'version'?"),
                  std::string("b.yaml:2:44 LG2010 there is no upstream 'uu' | did you mean 'u'?"),
              }));
  EXPECT_THAT(found, testing::Contains(HasSubstr("a.yaml:2:9 LG2004 'routes': a list is needed, not a mapping")));
  EXPECT_THAT(found, testing::Contains(HasSubstr("c.yaml:2:1 LG2003 not well-formed YAML")));
  EXPECT_THAT(found, testing::Contains(HasSubstr("d.yaml:1:1 LG2004 an included file is a mapping, not a list")));
  EXPECT_THAT(found, testing::Contains(HasSubstr("e.yaml:1:10 LG2007 'version': '2' is out of range")));
}

TEST_F(Include, WhatIsNoConfigurationIsNotShown) {
  const auto told = [this](std::string_view text, const std::string& first) {
    write("other", text);
    std::vector<Diagnostic> found = first.empty() ? load_here("include: other\nroutes: []\n").diagnostics
                                                  : load_text("gw.yaml", first, {path_, {}}).diagnostics;
    std::erase_if(found, [](const Diagnostic& each) { return each.severity != Severity::error; });
    EXPECT_FALSE(found.empty()) << text;
    std::string all = render_json(found);
    for (const Diagnostic& each : found)
      all += render(each, Paint::none);
    return all;
  };
  for (const std::string text :
       {"PASSWORD=hunter2\n", "# c\nA=1\nPASSWORD: 'hunter2\nX: y\n", "ann:$2y$05$hunter2\n", "- hunter2\n",
        "\"hunter2\n", "hunter2 \xff\n", "x\n---\nhunter2: 1\n", "[hunter2, {hunter2: 1, hunter2: 2}]\n",
        "-----BEGIN KEY-----\nhunter2\n-----END KEY-----\n", "!x hunter2\n", "&a [hunter2, *b]\n"}) {
    EXPECT_THAT(told(text, {}), testing::Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(told({}, text), testing::Not(HasSubstr("hunter2"))) << text;
  }
  EXPECT_THAT(told("PASSWORD=hunter2\n", {}),
              HasSubstr("other:1:1: error[LG2004]: an included file is a mapping, not a "
                        "text\n      | it holds keys as the first file does"));
  EXPECT_THAT(told("routes: [\n  [hunter2\n", {}), HasSubstr("hunter2"));  // a configuration, nearly
}

TEST_F(Include, AFileThatIsNotThereIsToldWithTheOneThatIsMeant) {
  write("routes/users.yaml", "");
  EXPECT_THAT(
      mistakes_here("include: [routes/user.yaml, routes]\nroutes: []\n"),
      ElementsAre(
          "gw.yaml:3:11 LG2020 'include': there is no file 'routes/user.yaml' | did you mean 'routes/users.yaml'?",
          "gw.yaml:3:29 LG2020 'include': 'routes' is no file | a folder's files are 'FOLDER/*.yaml'"));
}

TEST_F(Include, WildcardsStandInTheNameOfTheFile) {
  EXPECT_THAT(
      mistakes_here("include: [\"*/a.yaml\", \"routes/\", \"\", 5, {a: b}]\nroutes: []\n"),
      ElementsAre("gw.yaml:3:11 LG2029 'include': '*/a.yaml' has a wildcard in a folder | wildcards stand in the "
                  "name of the file: 'routes/*.yaml'",
                  "gw.yaml:3:23 LG2029 'include': 'routes/' names no file | for example: 'routes/*.yaml'",
                  HasSubstr("gw.yaml:3:34 LG2029 'include': '' names no file"), HasSubstr("3:38"),
                  HasSubstr("gw.yaml:3:41 LG2004 'include': a text is needed, not a mapping")));
}

TEST_F(Include, ACircleIsToldWithItsWay) {
  write("a.yaml", "include: b.yaml\n");
  write("b.yaml", "routes: []\ninclude: a.yaml\n");
  EXPECT_THAT(mistakes_here("include: a.yaml\n"),
              ElementsAre("b.yaml:2:10 LG2032 'a.yaml' includes itself | remove this, or that",
                          "  a.yaml:1:10 by way of this"));
}

TEST_F(Include, IsBoundedInDepthNumberAndSize) {
  for (int i = 0; i < 12; ++i)
    write(fmt::format("deep/{}.yaml", i), fmt::format("include: {}.yaml\n", i + 1));
  EXPECT_THAT(
      mistakes_here("include: deep/0.yaml\nroutes: []\n"),
      ElementsAre(
          "deep/7.yaml:1:10 LG2023 'include': files are nested deeper than 8 | include them from the first file"));
  for (std::size_t i = 0; i <= Includes::kMostFiles; ++i)
    write(fmt::format("many/{}.yaml", i), "");
  EXPECT_THAT(mistakes_here("include: many/*.yaml\nroutes: []\n"),
              ElementsAre(HasSubstr("gw.yaml:3:10 LG2023 more than 1000 files are included")));
  write("big/a.yaml", "x-a: " + std::string(40U << 20U, 'a') + "\n");
  write("big/b.yaml", "x-b: " + std::string(40U << 20U, 'b') + "\n");
  EXPECT_THAT(mistakes_here("include: big/*.yaml\nroutes: []\n"),
              ElementsAre(HasSubstr("gw.yaml:3:10 LG2027 'include': 'big/b.yaml' cannot be read: more than 23 MiB")));
}

TEST_F(Include, AnchorsBelongToTheirFile) {
  write("a.yaml", "routes:\n  - {name: a, match: {path: *p}, respond: {}}\n");
  EXPECT_THAT(mistakes_here("include: a.yaml\nx-p: &p /p\n"),
              ElementsAre(HasSubstr("a.yaml:2:29 LG2010 the alias '*p' has no anchor before it")));
}

TEST_F(Include, WhatIsSharedByAnAnchorIsNotAddedToTwice) {
  write("a.yaml", "chains: {more: [request-id]}\n");
  const Loaded loaded = load_here(
      "x-c: &c {one: [request-id]}\nchains: *c\nx-d: *c\ninclude: a.yaml\nroutes:\n"
      "  - {name: r, match: {path: /r}, chain: [use: one, use: more], respond: {}}\n");
  ASSERT_TRUE(loaded.model);
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
}

}  // namespace
}  // namespace lingate::config
