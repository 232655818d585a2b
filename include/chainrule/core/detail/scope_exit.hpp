#pragma once

namespace chainrule::detail {

/// Calls its function when its scope ends, whether by an exception or not.
template <class F>
class AtExit {
 public:
  explicit AtExit(F f) : f_{f} {}
  AtExit(const AtExit&) = delete;
  AtExit& operator=(const AtExit&) = delete;
  ~AtExit() { f_(); }

 private:
  F f_;
};

}  // namespace chainrule::detail
