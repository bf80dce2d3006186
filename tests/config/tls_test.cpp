// `tls` of listeners and upstreams: what the keys mean, and what is said of files that cannot be used.
#include <array>
#include <cstdlib>

#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void openssl(const std::string& arguments) {
  const std::string command = "cd '" + folder().path().string() + "' && openssl " + arguments + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

void make_pair(const std::string& name) {
  openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name + ".key -out " + name +
          ".pem -subj /CN=" + name + ".test -addext subjectAltName=DNS:" + name + ".test -days 2");
}

class TlsKeys : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    make_pair("site");
    make_pair("other");
    openssl("x509 -in site.pem -signkey site.key -days -1 -out old.pem");
    openssl("pkey -in site.key -aes256 -passout pass:secret -out locked.key");
    folder().write("broken.pem", "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n");
  }
};

Loaded with_tls(const std::string& tls) {
  return load("version: 1\nlisten: [{address: \":0\", tls: {" + tls + "}}]\nroutes: []\n");
}

std::vector<std::string> mistakes_of(const std::string& tls) {
  return show(with_tls(tls).diagnostics);
}

TEST_F(TlsKeys, ACertificateAndItsKeyAreEnough) {
  const Loaded loaded = with_tls("cert: site.pem, key: site.key");
  EXPECT_THAT(show(loaded.diagnostics), IsEmpty());
  ASSERT_TRUE(loaded.model && loaded.model->listen[0].tls);
  const tls::ServerOptions& options = *loaded.model->listen[0].tls;
  EXPECT_EQ(options.certificates[0].cert, (folder().path() / "site.pem").string());
  EXPECT_EQ(options.least, tls::Version::tls12);
  EXPECT_FALSE(options.client_auth);
}

TEST_F(TlsKeys, SeveralCertificatesAreAListInOrder) {
  const Loaded loaded = with_tls(
      "certificates: [{cert: site.pem, key: site.key}, {cert: other.pem, key: other.key}], min_version: 1.3, "
      "client_auth: {ca: other.pem, mode: request}");
  EXPECT_THAT(show(loaded.diagnostics), IsEmpty());
  ASSERT_TRUE(loaded.model);
  const tls::ServerOptions& options = *loaded.model->listen[0].tls;
  ASSERT_EQ(options.certificates.size(), 2U);
  EXPECT_EQ(options.certificates[1].key, (folder().path() / "other.key").string());
  EXPECT_EQ(options.least, tls::Version::tls13);
  EXPECT_EQ(options.client_auth->mode, tls::ClientAuth::Mode::request);
}

TEST_F(TlsKeys, ListenersOfOneAddressHaveNamesOfTheirOwn) {
  const Loaded loaded = load(
      "version: 1\nlisten: [\"127.0.0.1:0\", {address: \"127.0.0.1:0\", tls: {cert: site.pem, key: site.key}}]\n"
      "routes: []\n");
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->listen[0].name, "127.0.0.1:0");
  EXPECT_EQ(loaded.model->listen[1].name, "127.0.0.1:0#2");
}

TEST_F(TlsKeys, WhatIsMissingOrTooMuch) {
  EXPECT_THAT(mistakes_of(""), ElementsAre(HasSubstr("LG2005 'tls' names no certificate")));
  EXPECT_THAT(mistakes_of("certificates: []"), ElementsAre(HasSubstr("LG2005 'tls' names no certificate")));
  EXPECT_THAT(mistakes_of("cert: site.pem"), ElementsAre(HasSubstr("LG2005 'tls' has 'cert' and no 'key' | add 'key")));
  EXPECT_THAT(mistakes_of("key: site.key"), ElementsAre(HasSubstr("LG2005 'tls' has 'key' and no 'cert'")));
  EXPECT_THAT(mistakes_of("cert: site.pem, key: site.key, certificates: [{cert: site.pem, key: site.key}]"),
              ElementsAre(HasSubstr("LG2022")));
  EXPECT_THAT(mistakes_of("cert: site.pem, key: site.key, min_version: 1.1"), ElementsAre(HasSubstr("LG2006")));
  EXPECT_THAT(mistakes_of("cert: nope.pem, key: site.key"),
              ElementsAre(HasSubstr("2:38 LG2020 'cert' in 'tls' of listener 1: there is no file or folder")));
}

TEST_F(TlsKeys, FilesThatCannotBeUsedAreNamedWithTheCure) {
  EXPECT_THAT(mistakes_of("cert: site.pem, key: other.key"),
              ElementsAre(testing::AllOf(HasSubstr("2:53 LG2031 the key '"), HasSubstr("does not belong to"))));
  EXPECT_THAT(mistakes_of("cert: site.pem, key: locked.key"),
              ElementsAre(testing::AllOf(HasSubstr("is encrypted | "), HasSubstr("openssl pkey -in"))));
  EXPECT_THAT(mistakes_of("cert: site.key, key: site.key"),
              ElementsAre(HasSubstr("site.key' holds no certificate | a PEM file is needed")));
  EXPECT_THAT(mistakes_of("cert: broken.pem, key: site.key"), ElementsAre(HasSubstr("holds no certificate")));
  EXPECT_THAT(mistakes_of("cert: site.pem, key: site.pem"), ElementsAre(HasSubstr("holds no private key")));
  EXPECT_THAT(mistakes_of("cert: scripts, key: site.key"), ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(mistakes_of("cert: site.pem, key: site.key, client_auth: site.key"),
              ElementsAre(HasSubstr("2:76 LG2031 the file '")));
}

TEST_F(TlsKeys, TheSecondOfAListIsPointedAt) {
  EXPECT_THAT(mistakes_of("certificates: [{cert: site.pem, key: site.key}, {cert: other.pem, key: site.key}]"),
              ElementsAre(HasSubstr("2:103 LG2031 the key '")));
}

TEST_F(TlsKeys, AnExpiredCertificateIsAWarning) {
  const Loaded loaded = with_tls("cert: old.pem, key: site.key");
  EXPECT_TRUE(loaded.model);
  EXPECT_THAT(show(loaded.diagnostics),
              ElementsAre(testing::AllOf(HasSubstr("warning 2:38 LG2104"), HasSubstr("expired on"))));
}

Loaded with_upstream(const std::string& keys, const std::string& url = "https://users.internal:9443") {
  return load("version: 1\nlisten: \":0\"\nupstreams: {u: {targets: [\"" + url + "\"]" + keys +
              "}}\nroutes: [{match: {path: /*}, upstream: u}]\n");
}

TEST_F(TlsKeys, AnHttpsTargetIsVerifiedWithWhatTheSystemBelieves) {
  const Loaded loaded = with_upstream("");
  EXPECT_THAT(show(loaded.diagnostics), IsEmpty());
  ASSERT_TRUE(loaded.model);
  const Upstream& upstream = loaded.model->upstreams[0];
  EXPECT_TRUE(upstream.targets[0].secure);
  EXPECT_EQ(upstream.targets[0].authority, "users.internal:9443");
  ASSERT_TRUE(upstream.tls);
  EXPECT_EQ(upstream.tls->options.ca, "");
  EXPECT_EQ(upstream.tls->options.verify, tls::ClientOptions::Verify::full);
  EXPECT_FALSE(with_upstream("", "http://users.internal").model->upstreams[0].tls);
}

TEST_F(TlsKeys, AnUpstreamHasItsAuthoritiesNameAndCertificate) {
  const Loaded loaded =
      with_upstream(", tls: {ca: site.pem, server_name: site.test, cert: other.pem, key: other.key, verify: false}");
  EXPECT_THAT(show(loaded.diagnostics), IsEmpty());
  ASSERT_TRUE(loaded.model);
  const UpstreamTls& tls = *loaded.model->upstreams[0].tls;
  EXPECT_EQ(tls.options.ca, (folder().path() / "site.pem").string());
  EXPECT_EQ(tls.options.verify, tls::ClientOptions::Verify::off);
  EXPECT_EQ(tls.options.certificate->key, (folder().path() / "other.key").string());
  EXPECT_EQ(tls.server_name, "site.test");
}

TEST_F(TlsKeys, WhatCannotBeUsedTowardsAnUpstream) {
  const auto mistakes_with = [](const std::string& tls) {
    return show(with_upstream(", tls: {" + tls + "}").diagnostics);
  };
  EXPECT_THAT(mistakes_with("cert: other.pem"), ElementsAre(HasSubstr("LG2005 'tls' has 'cert' and no 'key'")));
  EXPECT_THAT(mistakes_with("cert: other.pem, key: site.key"), ElementsAre(HasSubstr("LG2031 the key '")));
  EXPECT_THAT(mistakes_with("ca: site.key"), ElementsAre(HasSubstr("LG2031 the file '")));
  EXPECT_THAT(mistakes_with("ca: nope.pem"), ElementsAre(HasSubstr("LG2020")));
  EXPECT_THAT(show(with_upstream(", tls: {verify: false}", "http://users.internal").diagnostics),
              ElementsAre(HasSubstr("warning 3:53 LG2103 'tls' has no effect in upstream 'u'")));
}

TEST_F(TlsKeys, AChangedFileIsAnotherUpstream) {
  const tls::ClientOptions options{.ca = (folder().path() / "site.pem").string(), .certificate = {}};
  const std::string before = tls::fingerprint(options);
  EXPECT_EQ(tls::fingerprint(options), before);
  folder().write("site.pem", "another");
  EXPECT_NE(tls::fingerprint(options), before);
  make_pair("site");
}

}  // namespace
}  // namespace lingate::config
