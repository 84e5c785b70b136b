// RE2 behind C functions. No logic of our own; matching takes time linear in the text.
#ifndef CRAMPED_CRE2_H
#define CRAMPED_CRE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled pattern; any number of threads may match with it.
typedef struct cramped_re2 cramped_re2;

/// What became of a pattern.
enum { CRAMPED_RE2_OK = 0, CRAMPED_RE2_INVALID = 1, CRAMPED_RE2_TOO_LARGE = 2, CRAMPED_RE2_NO_MEMORY = 3 };

/// Compiles a pattern in RE2's syntax over UTF-8. `longest`: of matches at one place the longest, as POSIX has it, else
/// Perl's. `*out` is set with CRAMPED_RE2_OK only.
int cramped_re2_create(
    const char *pattern, size_t count, int ignores_case, int longest, int64_t bytes_max, cramped_re2 **out);
void cramped_re2_destroy(cramped_re2 *expression);

/// How many groups the pattern captures.
int cramped_re2_groups(const cramped_re2 *expression);

/// Looks for the first match at or after byte `start`. 1 with the bounds of the match and of its groups in `bounds` as
/// pairs of byte offsets, -1 for a group without a match; 0 when there is none.
int cramped_re2_match(
    const cramped_re2 *expression, const char *text, size_t count, size_t start, int64_t *bounds, int pairs);

#ifdef __cplusplus
}
#endif
#endif
