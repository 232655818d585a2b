#include <chainrule/data/idx.hpp>

#include "fuzz.hpp"

void chainrule_fuzz::read(std::string_view bytes) {
  attempt([&] { chainrule::parse_idx_images<float>(bytes); });
  attempt([&] { chainrule::parse_idx_images<double>(bytes, {.unit_range = false}); });
  attempt([&] { chainrule::parse_idx_labels(bytes); });
}
