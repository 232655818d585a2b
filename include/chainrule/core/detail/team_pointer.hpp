#pragma once
// A pointer to a Team that notices when the team was destroyed before what uses it.

#include <atomic>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <concepts>
#include <cstddef>
#include <utility>

namespace chainrule {

class Team;  // in threads/team.hpp

namespace detail {

/// Whether a team still exists. It lives until the team and all TeamPointers to it are gone. `destroy` is a pointer, so that a program that
/// makes no team contains no operator delete.
struct TeamLifetime {
  std::atomic<Index> owners{1};
  std::atomic<bool> team_exists{true};
  void (*destroy)(TeamLifetime*) = nullptr;

  void release() {
    if (owners.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(this);
  }
};

/// A pointer to a Team, or nullptr. Throws StateError where it is used after the team was destroyed.
class TeamPointer {
 public:
  TeamPointer(std::nullptr_t = nullptr) {}
  template <class T>
  requires std::convertible_to<T*, Team*> TeamPointer(T* team) : team_{team} {
    if (team == nullptr) return;
    lifetime_ = team->lifetime_;
    lifetime_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  TeamPointer(const TeamPointer& other) noexcept : team_{other.team_}, lifetime_{other.lifetime_} {
    if (lifetime_ != nullptr) lifetime_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  TeamPointer& operator=(TeamPointer other) noexcept {
    std::swap(team_, other.team_);
    std::swap(lifetime_, other.lifetime_);
    return *this;
  }
  ~TeamPointer() {
    if (lifetime_ != nullptr) lifetime_->release();
  }

  Team* get() const {
    if (lifetime_ == nullptr) return nullptr;
    if (!lifetime_->team_exists.load(std::memory_order_relaxed)) team_is_gone();
    return team_;
  }
  operator Team*() const { return get(); }
  Team* operator->() const { return get(); }

 private:
  [[noreturn, gnu::noinline, gnu::cold]] static void team_is_gone() {
    raise<StateError>("the team of threads of this workspace or optimizer state was destroyed before it; set another team or nullptr");
  }

  Team* team_ = nullptr;
  TeamLifetime* lifetime_ = nullptr;
};

}  // namespace detail
}  // namespace chainrule
