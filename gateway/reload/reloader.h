// Reloader: replaces the configuration that runs. A new one is loaded, its scripts compiled and its addresses bound
// aside; only then do the workers take it on, each between two requests, and requests in flight finish on the one that
// they began on. Whatever fails before that leaves all as it is and is said in the log, in the metrics and to who
// asked.
//
// Thread: any; the work is done on the housekeeper's. Lifetime: until the workers end; begin() comes first.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/admin/configurations.h"
#include "gateway/assembly.h"
#include "gateway/http/drains.h"
#include "gateway/reload/housekeeper.h"
#include "gateway/reload/listeners.h"
#include "gateway/reload/retirement.h"

namespace lingate {

struct ReloaderOptions {
  Housekeeper& housekeeper;
  Retirement& retirement;
  http::Drains& drains;
  Surroundings surroundings;  // of all configurations
  middleware::JsonAppLog& log;
};

class Reloader final : public admin::Configurations {
 public:
  explicit Reloader(ReloaderOptions options);

  // The first configuration: makes it runnable.
  Result<std::shared_ptr<const http::Snapshot>> begin(const config::Model& model);
  // The workers that serve it; opens its listeners, but for those that another process has opened. Their URLs: a reload
  // may change them as soon as this returns.
  Result<std::vector<std::string>> serve(const std::vector<std::unique_ptr<http::Worker>>& workers,
                                         std::vector<Listeners::Shared> inherited = {});

  // Takes no new configuration from now on.
  void stop() noexcept;
  // As reload(), without waiting.
  void ask_for_reload();

  // For another process; see Listeners. From then on, as before serve(), nothing is taken on: what is asked for by a
  // client is refused, and that the files be read is remembered.
  std::optional<std::vector<Listeners::Shared>> share_listeners();
  // That came to nothing.
  void go_on();
  // It serves. True: the files are to be read again, which is now its to do.
  bool give_away();
  // This is that other process, and serves: reads the files again if they have changed since the start.
  void settle();

  bool last_was_good() const noexcept { return last_was_good_; }
  // Of the configuration that was last asked for, whether it runs or not: who mends one wants to try again.
  std::vector<std::string> tried_scripts() const;
  config::Written tried() const;  // its files
  // Whether what runs is what the files hold.
  bool is_on_disk() const;

  // ---- admin::Configurations ----
  std::shared_ptr<const admin::Running> running() const override;
  std::vector<admin::Version> history() const override;
  Outcome reload() override;
  Outcome replace(admin::NewText text) override;
  Outcome roll_back(std::uint64_t generation, admin::Save save) override;

 private:
  struct Wanted;

  template <class Work>
  Outcome wait_for(Work work);
  Outcome reread();
  Outcome load_file();
  Outcome load_text(const admin::NewText& text, admin::Origin origin);
  Outcome take_on(Wanted wanted);
  Outcome refused(admin::NotReplaced why);
  Outcome load(const admin::NewText& text, admin::Origin origin, const std::vector<config::WrittenFile>* included);
  std::optional<admin::NotReplaced> check_save(const Wanted& wanted) const;
  void note_files(const config::Written& written);
  void tell_listeners(const std::vector<std::string>& before);
  Result<std::shared_ptr<admin::Running>, AssemblyError> make_runnable(const config::Model& model);
  void note_scripts(const config::Model& model);
  void now_runs(std::shared_ptr<admin::Running> next);

  Housekeeper& housekeeper_;
  Retirement& retirement_;
  http::Drains& drains_;
  Surroundings surroundings_;
  middleware::JsonAppLog& log_;
  std::vector<http::Worker*> workers_;
  std::unique_ptr<Listeners> listeners_;
  config::Written on_disk_;  // what the files held when they were last loaded or saved
  const std::string mark_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> asked_{false};  // ask_for_reload() waits for its turn
  std::atomic<bool> last_was_good_{true};

  // The housekeeper's.
  bool held_ = true;         // until serve(), and while another process takes this one's place
  bool remembered_ = false;  // somebody wanted the files to be read meanwhile

  mutable std::mutex mutex_;  // what follows
  std::vector<std::string> tried_scripts_;
  config::Written tried_;
  std::shared_ptr<const admin::Running> running_;
  std::deque<admin::Version> history_;
};

}  // namespace lingate
