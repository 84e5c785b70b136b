// IANA time zones as cctz reads them from the system's zone database.
//
// A zone leaves as the list of its changes, from which the caller makes its own tables; no object crosses over.
#ifndef CZONES_H
#define CZONES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cramped_zone_period {
  // The first second of the period, since 1970; INT64_MIN for the first one.
  int64_t start;
  // Seconds east of Greenwich.
  int32_t offset;
  uint8_t is_dst;
  // NUL-terminated.
  char abbreviation[15];
} cramped_zone_period;

// Writes at most `capacity` periods of a zone in ascending order, up to `end` (seconds since 1970), and returns how many
// there are; 0 when no such zone can be loaded. `name` must be one that cramped_zone_names gave.
size_t cramped_zone_periods(const char *name, int64_t end, cramped_zone_period *periods, size_t capacity);

// Calls `visit` with the name of every zone of the database, in no order.
void cramped_zone_names(void *context, void (*visit)(void *context, const char *name));

#ifdef __cplusplus
}
#endif

#endif
