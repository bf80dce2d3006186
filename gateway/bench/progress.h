// Progress: one line on a terminal's standard error that says what is measured, how far it is and how long it will
// still take; nothing where standard error is no terminal.
//
// Thread: one. Lifetime: the destructor clears the line.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string_view>

namespace lingate::bench {

class Progress {
 public:
  Progress(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(double part, std::string_view what);  // part of the whole, 0 … 1
  void clear();                                   // before anything else is printed

 private:
  std::ostream& out_;
  const bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace lingate::bench
