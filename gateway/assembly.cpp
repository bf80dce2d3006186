#include "gateway/assembly.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/codes.h"
#include "gateway/data_path_options.h"
#include "middleware/builtin.h"

namespace lingate {
namespace {

// What the chains of a snapshot point to. Pools go first: their threads end before the steps that they call back.
struct Keep {
  std::vector<std::unique_ptr<const middleware::Middleware>> steps;
  std::unique_ptr<middleware::ScriptPools> scripts;
};

class Assembler {
 public:
  Assembler(const config::Model& model, const Surroundings& surroundings)
      : model_(model), surroundings_(surroundings), keep_(std::make_shared<Keep>()) {
    runtimes::ScriptLimits limits;
    limits.field_line = model.limits.field;
    limits.fields = model.limits.fields;
    limits.head = model.limits.head;
    limits.target = model.limits.target;
    keep_->scripts =
        std::make_unique<middleware::ScriptPools>(middleware::ScriptPoolsOptions{.runtimes = surroundings.runtimes,
                                                                                 .watchdog = surroundings.watchdog,
                                                                                 .log = surroundings.log,
                                                                                 .workers = surroundings.workers,
                                                                                 .limits = limits,
                                                                                 .shelf = surroundings.shelf});
  }

  Result<Assembled, AssemblyError> run() {
    std::vector<routing::Match> matches;
    for (const config::Route& route : model_.routes)
      matches.push_back(route.match);
    auto snapshot = std::make_unique<http::Snapshot>(routing::Router(matches));
    for (const config::Route& route : model_.routes) {
      auto made = make_route(route);
      if (!made) return fail(std::move(made.error()));
      snapshot->routes.push_back(std::move(*made));
    }
    for (const config::Upstream& upstream : model_.upstreams)
      if (auto made = add_upstream(*snapshot, upstream); !made) return fail(std::move(made.error()));
    for (const config::Network& network : model_.trusted)
      snapshot->trusted.push_back(data_path_options(network));
    if (auto made = add_tls(*snapshot); !made) return fail(std::move(made.error()));
    snapshot->via = model_.via;
    snapshot->limits = data_path_options(model_.limits);
    if (is_traced()) snapshot->tracing = middleware::tracing::Tracing{surroundings_.exporter, {model_.tracing->sample}};
    snapshot->unrouted = middleware::Chain(unrouted_, is_traced() ? measured() : middleware::Measured::no);
    snapshot->keep = keep_;
    return Assembled{.snapshot = std::move(snapshot), .scripts = keep_->scripts.get()};
  }

 private:
  static AssemblyError bad_certificate(const tls::Fault& fault, const config::Place& place) {
    return {Error{code::kBadCertificate, fault.what + "; " + fault.cure}, place, {}};
  }

  Result<void, AssemblyError> add_upstream(http::Snapshot& snapshot, const config::Upstream& upstream) {
    snapshot.upstreams.push_back(data_path_options(upstream));
    if (!upstream.tls) return {};
    tls::Faults warnings;  // loading has told them
    auto context = tls::make_client_context(upstream.tls->options, warnings);
    if (!context) return fail(bad_certificate(context.error(), upstream.place));
    snapshot.upstreams.back().tls = {.context = std::move(*context),
                                     .fingerprint = tls::fingerprint(upstream.tls->options),
                                     .server_name = upstream.tls->server_name};
    return {};
  }

  Result<void, AssemblyError> add_tls(http::Snapshot& snapshot) {
    for (const config::Listener& listener : model_.listen) {
      if (!listener.tls) continue;
      tls::Faults warnings;  // loading has told them
      auto context = tls::make_server_context(*listener.tls, warnings);
      if (!context) return fail(bad_certificate(context.error(), listener.place));
      snapshot.tls.push_back({listener.name, std::move(*context)});
    }
    return {};
  }

  using StepResult = Result<const middleware::Middleware*, AssemblyError>;

  // One object for each step as written, however many chains `use` it.
  StepResult make_step(const config::Step& step, const config::Route& route) {
    const auto key = std::tuple(step.place.file, step.place.line, step.place.column, step.kind);
    if (const auto found = made_.find(key); found != made_.end()) return found->second;
    const middleware::StepKind* kind = middleware::find_step(step.kind);
    if (!kind)
      return fail(AssemblyError{Error{code::kInternal, "step '" + step.kind + "' has no code"}, step.place, {}});
    const std::string name = name_of(step, route);
    auto made = kind->make(step.settings, {.workers = surroundings_.workers,
                                           .logs = surroundings_.logs,
                                           .scripts = keep_->scripts.get(),
                                           .sessions = surroundings_.sessions,
                                           .limits = surroundings_.limits,
                                           .passwords = surroundings_.passwords,
                                           .fetcher = surroundings_.fetcher,
                                           .name = name});
    if (!made) return fail(AssemblyError{std::move(made.error()), step.place, keep_->scripts->last_fault()});
    keep_->steps.push_back(std::move(*made));
    const middleware::Middleware* result = keep_->steps.back().get();
    made_.emplace(key, result);
    note_unrouted(step.kind, result);
    return result;
  }

  // Steps of one place are made in the order written, so counting them there gives each its number.
  std::string name_of(const config::Step& step, const config::Route& route) {
    const std::string place = step.via.empty() ? "route " + route.name : "chain " + step.via.back();
    const std::string of_its_kind = place + "/" + step.kind;
    return of_its_kind + "/" + std::to_string(++named_[of_its_kind]);
  }

  // Requests that no route takes are logged as those of the first route with an access log are.
  void note_unrouted(std::string_view kind, const middleware::Middleware* step) {
    if (kind == "access-log" && unrouted_.empty()) unrouted_.push_back(step);
  }

  Result<http::Route, AssemblyError> make_route(const config::Route& route) {
    http::Route made;
    made.name = route.name;
    made.strip = route.strip;
    made.timeout = route.timeout;
    std::vector<const middleware::Middleware*> steps;
    for (const config::Step& step : route.chain) {
      auto result = make_step(step, route);
      if (!result) return fail(std::move(result.error()));
      steps.push_back(*result);
    }
    if (const auto* splits = std::get_if<std::vector<config::Split>>(&route.destination)) {
      for (const config::Split& split : *splits)
        made.upstreams.push_back({.upstream = static_cast<std::uint32_t>(split.upstream), .weight = split.weight});
    } else if (const auto* redirect = std::get_if<config::Redirect>(&route.destination)) {
      made.redirect = http::Redirect{.status = redirect->status, .to = redirect->to};
    } else {
      auto respond = make_step(std::get<config::Step>(route.destination), route);
      if (!respond) return fail(std::move(respond.error()));
      steps.push_back(*respond);
    }
    made.chain = middleware::Chain(std::move(steps), measured());
    return made;
  }

  middleware::Measured measured() const noexcept {
    if (is_traced()) return middleware::Measured::all;
    return model_.admin ? middleware::Measured::scripts : middleware::Measured::no;
  }

  bool is_traced() const noexcept { return model_.tracing && surroundings_.exporter; }

  const config::Model& model_;
  const Surroundings& surroundings_;
  std::shared_ptr<Keep> keep_;
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>, const middleware::Middleware*> made_;
  std::map<std::string, std::size_t> named_;  // how many of a kind a place has so far
  std::vector<const middleware::Middleware*> unrouted_;
};

}  // namespace

Result<Assembled, AssemblyError> assemble(const config::Model& model, const Surroundings& surroundings) {
  return Assembler(model, surroundings).run();
}

}  // namespace lingate
