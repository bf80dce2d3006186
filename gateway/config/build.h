// Building: from validated values to the Model. Here names are resolved, `use` is expanded, defaults of script steps
// are taken from `runtimes`, and things are checked against each other that no single value can tell.
//
// One load; what is wrong goes into the report, and the model is only good if nothing was.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/loader.h"
#include "gateway/config/model.h"
#include "gateway/config/view.h"

namespace lingate::config {

struct BuildContext {
  Report& report;
  const LoadOptions& options;
  View root;
};

std::optional<tls::ServerOptions> build_listener_tls(const BuildContext& context, const View& tls);
UpstreamTls build_upstream_tls(const BuildContext& context, const View& tls);
Store build_store(const BuildContext& context);
std::optional<Tracing> build_tracing(const BuildContext& context);
void build_gateway(const BuildContext& context, Model& model);
// Of the admin API; empty: it has none, or the token stands in the configuration.
std::string token_file(const BuildContext& context);
void build_upstreams(const BuildContext& context, Model& model);

// The chains of a configuration, ready to be put together for routes.
class Chains {
 public:
  // Checks the steps of every chain, used or not.
  explicit Chains(const BuildContext& context);

  struct Expanded {
    Step step;
    View options;
  };

  // The steps of a route's chain, `use` replaced. `chain` is the validated list.
  std::vector<Expanded> expand(const View& chain);

  void warn_unused() const;

 private:
  struct Frame;

  bool visit(std::string_view name, std::vector<View::Named>& path);
  bool follow(const View& use, std::string_view from, std::vector<View::Named>& path);
  void report_cycle(const std::vector<View::Named>& path, std::string_view name);
  void report_too_deep(const Span& where);
  void append(const View& item, Frame& frame);
  Step make_step(std::string_view kind, const View& options, const View& item, const Frame& frame);
  Settings complete_script(const View& options);
  void check_script(const View& options);
  void warn_of_reach(const View& options);
  void check_options(std::string_view kind, const View& options);

  const BuildContext& context_;
  std::map<std::string_view, View::Named> chains_;
  std::set<std::string_view> done_;
  std::set<std::string_view> cyclic_;
  bool told_too_deep_ = false;
  std::set<std::string_view> used_;
};

void build_routes(const BuildContext& context, Chains& chains, Model& model);

// At most one of the keys that give the body of a `respond`.
void check_one_body(Report& report, const View& respond);

// Keys and algorithms of a `jwt-auth` that do not go together.
void check_jwt_auth(Report& report, const View& options);

// Media types of a `compress` that are none.
void check_compress(Report& report, const View& options);
// A script that wants to read what a `compress` nearer the upstream has coded.
void check_coded_bodies(Report& report, const std::vector<Chains::Expanded>& steps);

// Reports a name that is not defined, with the closest one that is, and where such things are defined.
struct Dangling {
  std::string_view kind;     // "upstream"
  std::string_view section;  // "upstreams"
  std::string_view name;
  Span span;
};
void report_dangling(const BuildContext& context, const Dangling& dangling);

}  // namespace lingate::config
