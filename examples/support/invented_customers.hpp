#pragma once
// Makes the table of the example churn. No such customers exist: this program draws them, and who leaves is decided by the formula below.

#include <algorithm>
#include <array>
#include <chainrule/core/random.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace examples {

/// Writes a CSV file of `rows` invented customers, of whom about 12 % leave; the same seed gives the same file. The first column has no
/// name and numbers the rows, as in a file of pandas. In 3 % to 6 % of the rows the age, the charges, the city and the payment are missing
/// (empty or NA). The weekday of the contract has no influence on who leaves. Throws std::runtime_error if the file cannot be written.
inline void write_invented_customers(const std::string& path, int rows, chainrule::Seed seed) {
  constexpr std::array cities{"Basel", "Bern", "Chur", "Geneva", "Lausanne", "Lugano", "Zurich", "Zermatt"};
  constexpr std::array city_ends{0.16, 0.32, 0.37, 0.55, 0.66, 0.72, 0.998, 1.0};  // Zermatt is rare
  constexpr std::array contracts{"monthly", "yearly", "two years"};
  constexpr std::array contract_ends{0.5, 0.8, 1.0};
  constexpr std::array payments{"card", "invoice", "transfer"};
  constexpr std::array payment_ends{0.45, 0.75, 1.0};
  constexpr std::array weekdays{"Mon", "Tue", "Wed", "Thu", "Fri"};
  constexpr std::array weekday_ends{0.2, 0.4, 0.6, 0.8, 1.0};

  chainrule::Random random{seed};
  const auto happens = [&](double probability) { return random.uniform() < probability; };
  const auto draw = [&](const auto& ends) {  // i with probability ends[i] - ends[i - 1]
    return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end() - 1, random.uniform()) - ends.begin());
  };
  const auto number = [](const char* format, double value) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return std::string(text);
  };

  std::ofstream file(path);
  file << ",customer,age,city,contract,payment,paperless,months,charges,calls,weekday,churn\n";
  for (int i = 0; i < rows; ++i) {
    const double age = std::floor(18 + 62 * random.uniform());
    const std::size_t city = draw(city_ends), contract = draw(contract_ends), payment = draw(payment_ends);
    const bool is_paperless = happens(0.6);
    const double months = std::floor(-24 * std::log(1 - random.uniform()));
    const double charges = 20 + 80 * random.uniform() + (contract == 0 ? 10 : 0);
    const double calls = std::floor(-1.2 * std::log(1 - random.uniform()));
    const std::size_t weekday = draw(weekday_ends);

    // The logit of leaving. Charges count with monthly contracts only, the age in two steps, and payment together with paperless.
    const double z = -5.05 + std::array{1.3, 0.3, -1.0}[contract] + 1.6 * std::exp(-months / 12) + 0.6 * calls +
                     (contract == 0 ? std::max(0.0, charges - 60) / 20 : 0) +
                     (age < 30   ? 1.0
                      : age > 65 ? -0.8
                                 : 0) +
                     (payment == 1 && !is_paperless ? 1.0 : 0) + (city == 3 ? 0.6 : 0);
    const bool leaves = happens(1 / (1 + std::exp(-z)));

    const std::string id = "C" + std::to_string(10000 + i);
    file << i << ',' << id << ',' << (happens(0.06) ? "" : number("%.0f", age)) << ',' << (happens(0.03) ? "NA" : cities[city]) << ','
         << contracts[contract] << ',' << (happens(0.05) ? "" : payments[payment]) << ',' << (is_paperless ? "yes" : "no") << ','
         << number("%.0f", months) << ',' << (happens(0.04) ? "NA" : number("%.2f", charges)) << ',' << number("%.0f", calls) << ','
         << weekdays[weekday] << ',' << (leaves ? "Yes" : "No") << '\n';
  }
  if (!file.flush()) throw std::runtime_error("cannot write \"" + path + "\"");
}

}  // namespace examples
