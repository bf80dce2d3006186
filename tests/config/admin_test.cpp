// `admin`: its token, which need not be there yet, and what is shown of a configuration.
#include "gateway/config/hide.h"
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Loaded load_admin(const std::string& admin) {
  return load("version: 1\nlisten: \":0\"\nadmin: " + admin + "\nroutes: []\n");
}

std::vector<std::string> mistakes(const std::string& admin) {
  return show(load_admin(admin).diagnostics);
}

TEST(AdminToken, IsAFileBesideTheConfigurationIfNothingElseIsSaid) {
  const auto loaded = load_admin("{address: 127.0.0.1:9901}");
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->admin->token.file, (folder().path() / "data/admin.token").string());
  EXPECT_TRUE(loaded.model->admin->hosts.empty());
  EXPECT_FALSE(std::filesystem::exists(folder().path() / "data/admin.token")) << "loading makes nothing";
}

TEST(AdminToken, MayBeAnotherFileOrInTheEnvironment) {
  EXPECT_EQ(load_admin("{address: \":1\", token: {file: t}}").model->admin->token.file,
            (folder().path() / "t").string());
  EXPECT_EQ(load_admin("{address: \":1\", token: {file: /run/t}}").model->admin->token.file, "/run/t");
  const auto loaded =
      load_text("gw.yaml", "version: 1\nlisten: \":0\"\nadmin: {address: \":1\", token: {env: T}}\nroutes: []\n",
                {folder().path(), [](const std::string&) { return "0123456789abcdef"; }});
  EXPECT_EQ(loaded.model->admin->token.text.text, "0123456789abcdef");
  EXPECT_EQ(loaded.model->admin->token.file, "");
}

TEST(AdminToken, IsNeverWrittenIntoTheConfiguration) {
  EXPECT_THAT(
      mistakes("{address: \":1\", token: abcdefghijklmnopq}"),
      ElementsAre("3:31 LG2004 'token' in 'admin': a secret is needed, not the text 'abcdefghijklmnopq' | write "
                  "'{env: NAME}' or '{file: PATH}'"));
  EXPECT_THAT(mistakes("{address: \":1\", token: {env: NOTHING}}"),
              ElementsAre(HasSubstr("the environment variable 'NOTHING' is not set")));
  EXPECT_THAT(mistakes("{address: \":1\", token: {env: TENANT_KEY}}"),
              ElementsAre(HasSubstr("the environment variable 'TENANT_KEY' holds no token | a token has at least 16")));
  EXPECT_THAT(mistakes("{address: \"unix:a.sock\"}"), ElementsAre(HasSubstr("'address' in 'admin' is no IP and port")));
}

TEST(AdminHosts, AreNames) {
  EXPECT_THAT(load_admin("{address: \":1\", hosts: [Gateway.Internal, \"*.ops.example\"]}").model->admin->hosts,
              ElementsAre("gateway.internal", "*.ops.example"));
  EXPECT_THAT(load_admin("{address: \":1\", hosts: one.example}").model->admin->hosts, ElementsAre("one.example"));
  EXPECT_EQ(mistakes("{address: \":1\", hosts: [\"a b\"]}").size(), 1U);
}

TEST(Model, KnowsWhatItWasMadeFrom) {
  const auto loaded = load_admin("{address: \":1\"}");
  EXPECT_EQ(loaded.model->written.file, "gw.yaml");
  EXPECT_EQ(loaded.model->written.folder, folder().path().string());
  EXPECT_THAT(loaded.model->written.text, HasSubstr("admin: {address: \":1\"}"));
}

TEST(HideSecrets, KeepsReferencesAndHidesWhatMayBeOne) {
  EXPECT_EQ(hide_secrets("# top\nadmin: {token: {file: data/admin.token}}\n"
                         "x-a: &k s3cret\n"
                         "script:\n  file: a.lua\n  config: {signing_key: \"s3cret\", apiKeys: [s3cret, 's3cret'], "
                         "password: s3cret, who: {env: X}, name: ada}\n  secret:\n    - {a: s3cret}\n"),
            "# top\nadmin: {token: {file: data/admin.token}}\n"
            "x-a: &k s3cret\n"
            "script:\n  file: a.lua\n  config: {signing_key: \"<hidden>\", apiKeys: [\"<hidden>\", \"<hidden>\"], "
            "password: \"<hidden>\", who: {env: X}, name: ada}\n  secret:\n    - {a: \"<hidden>\"}\n");
  EXPECT_EQ(hide_secrets("x-a: &k s3cret\npassword: *k\n"), "x-a: &k \"<hidden>\"\npassword: *k\n")
      << "what an alias names is hidden where it is written";
  EXPECT_EQ(hide_secrets("users: {ann: $2y$04$abc, bo: \"$x\", cy: {file: f}}\nlist: [\"ann:$6$a$b\", $HOME/$x/$y]\n"),
            "users: {ann: \"<hidden>\", bo: \"$x\", cy: {file: f}}\nlist: [\"<hidden>\", $HOME/$x/$y]\n");
  const std::string paths = "tls: {cert: site.pem, key: site.key}\n";
  EXPECT_EQ(hide_secrets(paths), paths) << "where a key lies is none";
  EXPECT_EQ(hide_secrets("a: {key: k}\n"), "a: {key: \"<hidden>\"}\n");
  EXPECT_EQ(hide_secrets("a: {b: ["), "# not shown: it is no YAML\n");
  EXPECT_EQ(hide_secrets(""), "");
}

}  // namespace
}  // namespace lingate::config
