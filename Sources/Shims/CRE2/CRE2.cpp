#include "CRE2.h"

#include <re2/re2.h>

#include <new>

struct cramped_re2 {
  RE2 expression;
  cramped_re2(re2::StringPiece pattern, const RE2::Options &options) : expression(pattern, options) {}
};

int cramped_re2_create(
    const char *pattern, size_t count, int ignores_case, int longest, int64_t bytes_max, cramped_re2 **out) {
  try {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!ignores_case);
    options.set_longest_match(longest != 0);
    options.set_max_mem(bytes_max);
    auto *made = new cramped_re2(re2::StringPiece(pattern, count), options);
    if (made->expression.ok()) {
      *out = made;
      return CRAMPED_RE2_OK;
    }
    auto code = made->expression.error_code();
    delete made;
    return code == RE2::ErrorPatternTooLarge ? CRAMPED_RE2_TOO_LARGE : CRAMPED_RE2_INVALID;
  } catch (const std::bad_alloc &) {
    return CRAMPED_RE2_NO_MEMORY;
  }
}

void cramped_re2_destroy(cramped_re2 *expression) { delete expression; }

int cramped_re2_groups(const cramped_re2 *expression) { return expression->expression.NumberOfCapturingGroups(); }

int cramped_re2_match(
    const cramped_re2 *expression, const char *text, size_t count, size_t start, int64_t *bounds, int pairs) {
  constexpr int pairs_max = 64;
  if (pairs > pairs_max) pairs = pairs_max;
  re2::StringPiece whole(text, count), found[pairs_max];
  if (!expression->expression.Match(whole, start, count, RE2::UNANCHORED, found, pairs)) return 0;
  for (int i = 0; i < pairs; i++) {
    bool matched = found[i].data() != nullptr;
    bounds[2 * i] = matched ? found[i].data() - text : -1;
    bounds[2 * i + 1] = matched ? found[i].data() - text + static_cast<int64_t>(found[i].size()) : -1;
  }
  return 1;
}
