// Both ends of a conversation in one thread, over a pair of sockets.
#include "gateway/tls/conversation.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <string>

#include "base/descriptor.h"
#include "gateway/tls/client.h"
#include "gateway/tls/server.h"
#include "tests/support/folder.h"

namespace lingate::tls {
namespace {

struct Ends {
  Descriptor server;
  Descriptor client;
};

Ends pair_of_sockets() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

class Conversations : public testing::Test {
 protected:
  void SetUp() override {
    const std::string make = "cd '" + folder_.path() +
                             "' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem "
                             "-out c.pem -days 2 -subj /CN=site.test -addext subjectAltName=DNS:site.test 2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0);
    const std::string cert = folder_.file("c.pem");
    Faults warnings;
    auto server = make_server_context({.certificates = {{cert, folder_.file("k.pem")}}, .client_auth = {}}, warnings);
    auto client = make_client_context({.ca = cert, .certificate = {}}, warnings);
    ASSERT_TRUE(server && client);
    server_ = *server;
    client_ = *client;
  }

  // Steps of both until the client is through, or one fails.
  static Step shake(Conversation& server, Conversation& client) {
    for (int k = 0; k < 20; ++k) {
      server.allow(65536);
      client.allow(65536);
      const Step theirs = client.handshake();
      const Step ours = server.handshake();
      if (ours == Step::failed || theirs == Step::failed) return Step::failed;
      if (ours == Step::done && theirs == Step::done) return Step::done;
    }
    return Step::again;
  }

  Folder folder_;
  Context server_;
  Context client_;
  Ticket ticket_;
};

TEST_F(Conversations, AgreeOnTheNewestVersionAndTheName) {
  const Ends ends = pair_of_sockets();
  Conversation server = Conversation::accept(server_, ends.server.get());
  Conversation client = Conversation::connect(client_, ends.client.get(), "site.test", ticket_);
  ASSERT_EQ(shake(server, client), Step::done);
  EXPECT_EQ(server.facts().version, "TLSv1.3");
  EXPECT_EQ(server.facts().name, "site.test");
  EXPECT_FALSE(server.facts().certificate);
}

TEST_F(Conversations, FailWhereTheNameIsAnother) {
  const Ends ends = pair_of_sockets();
  Conversation server = Conversation::accept(server_, ends.server.get());
  Conversation client = Conversation::connect(client_, ends.client.get(), "other.test", ticket_);
  EXPECT_EQ(shake(server, client), Step::failed);
}

TEST_F(Conversations, OutliveTheContextThatTheyBeganOn) {
  const Ends ends = pair_of_sockets();
  Conversation server = Conversation::accept(server_, ends.server.get());
  Conversation client = Conversation::connect(client_, ends.client.get(), "site.test", ticket_);
  server_ = Context();
  client_ = Context();
  EXPECT_EQ(shake(server, client), Step::done);
}

TEST_F(Conversations, GiveOthersTheirTurnUnderAFloodOfKeyUpdates) {
  const Ends ends = pair_of_sockets();
  Conversation server = Conversation::accept(server_, ends.server.get());
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const flood = SSL_new(context);
  SSL_set_fd(flood, ends.client.get());
  for (int k = 0; k < 20 && SSL_connect(flood) != 1; ++k) {
    server.allow(65536);
    server.handshake();
  }
  std::size_t got = 0;
  std::array<char, 100> space;
  server.allow(65536);
  ASSERT_EQ(server.read(space.data(), space.size(), got), Step::wants_read);
  for (int k = 0; k < 1000 && SSL_key_update(flood, SSL_KEY_UPDATE_NOT_REQUESTED) == 1; ++k)
    if (SSL_do_handshake(flood) != 1) break;
  server.allow(4096);
  EXPECT_EQ(server.read(space.data(), space.size(), got), Step::again);
  SSL_write(flood, "over", 4);
  Step last = Step::again;
  for (int k = 0; k < 1000 && last == Step::again; ++k) {
    server.allow(4096);
    last = server.read(space.data(), space.size(), got);
  }
  EXPECT_EQ(last, Step::done);
  EXPECT_EQ(std::string(space.data(), got), "over");
  SSL_free(flood);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace lingate::tls
