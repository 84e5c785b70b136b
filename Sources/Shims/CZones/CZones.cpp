#include "CZones.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace {

std::filesystem::path database() {
  const char *folder = std::getenv("TZDIR");
  return folder != nullptr && *folder != 0 ? folder : "/usr/share/zoneinfo";
}

bool is_zone_file(const std::filesystem::path &path) {
  char magic[4] = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic, 4) && std::memcmp(magic, "TZif", 4) == 0;
}

cctz::time_point<cctz::seconds> moment(int64_t seconds) {
  return cctz::time_point<cctz::seconds>(cctz::seconds(seconds));
}

cramped_zone_period period(const cctz::time_zone &zone, int64_t start, int64_t inside) {
  const auto found = zone.lookup(moment(inside));
  cramped_zone_period result = {start, found.offset, found.is_dst, {}};
  std::strncpy(result.abbreviation, found.abbr, sizeof result.abbreviation - 1);
  return result;
}

}  // namespace

extern "C" {

size_t cramped_zone_periods(const char *name, int64_t end, cramped_zone_period *periods, size_t capacity) {
  try {
    cctz::time_zone zone;
    if (!cctz::load_time_zone(name, &zone)) return 0;
    // Long before any clock was set by law.
    int64_t at = -100'000'000'000;
    size_t count = 0;
    if (capacity > 0) periods[0] = period(zone, INT64_MIN, at);
    count = 1;
    cctz::time_zone::civil_transition change;
    while (zone.next_transition(moment(at), &change)) {
      const auto next = zone.lookup(change.to).trans.time_since_epoch().count();
      if (next <= at || next > end) break;
      at = next;
      if (count < capacity) periods[count] = period(zone, at, at);
      count++;
    }
    return count;
  } catch (...) {
    return 0;
  }
}

void cramped_zone_names(void *context, void (*visit)(void *context, const char *name)) {
  try {
    const auto root = database();
    std::error_code failure;
    auto item = std::filesystem::recursive_directory_iterator(root, failure);
    for (; !failure && item != std::filesystem::recursive_directory_iterator(); item.increment(failure)) {
      std::error_code ignored;
      if (!item->is_regular_file(ignored)) continue;
      const auto name = item->path().lexically_relative(root).string();
      // right/ counts leap seconds, which SQL does not.
      if (name.rfind("right/", 0) == 0 || name.find('.') != std::string::npos || !is_zone_file(item->path())) continue;
      visit(context, name.c_str());
    }
  } catch (...) {
    // What was found so far stands.
  }
}
}
