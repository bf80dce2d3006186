// The jobs that runtimes are compared by: what people do in middleware, each small enough to read, the same in every
// language, each with a proof that it was done. Their scripts are carried
// inside the binary: header, body and early those of bench/peers/, by which whole proxies are compared too, the others
// those of jobs/.
//
//   empty    two hooks that do nothing: the boundary
//   header   look an API key up among 1,000 sessions, set two fields, remove one, add one to the response
//   body     decode a JSON body of 1.1 KB, add a member, encode it
//   early    answer 200 with 128 bytes, without the upstream
//   compute  2,000 rounds of a hash over doubles
//   live     20 new objects, one kept among 100,000 that live on: the collector's pauses
//   marks    no job: stamps for splitting the cost of `empty`
//
// Thread: constant. Lifetime: static.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/bench/rooms/stage.h"

namespace lingate::bench {

struct Job {
  std::string_view name;
  std::string_view about;
  bool request_body = false;  // the script's step buffers it
  bool compared = true;       // stands in the table
  // What is wrong with the exchange that came out; empty: the job was done.
  std::string (*check)(middleware::Exchange& exchange);
};

std::span<const Job> all_jobs() noexcept;
const Job* find_job(std::string_view name) noexcept;

// The source for a runtime ("lua", "python", "js", "echo"); null: the runtime cannot do this job.
const char* source_of(const Job& job, std::string_view runtime) noexcept;

// What the job is asked with: usual_traffic(), with an order of 1.1 KB as its body where the job reads one.
Traffic traffic_of(const Job& job);

}  // namespace lingate::bench
