#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>

namespace chainrule::detail {

/// Calls a function when its scope ends, normally or by an exception.
template <class F>
class ScopeExit {
 public:
  explicit ScopeExit(F f) : f_{f} {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() { f_(); }

 private:
  F f_;
};

}  // namespace chainrule::detail
