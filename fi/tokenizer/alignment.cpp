#include "fi/tokenizer/alignment.h"

namespace fi {
namespace {

/// The last token that ends at each byte, in the order of the text.
std::vector<std::pair<size_t, size_t>> boundaries(const std::vector<ByteSpan>& spans) {
  std::vector<std::pair<size_t, size_t>> found;  // byte, token
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto [begin, end] = spans[i];
    if (begin >= end || (!found.empty() && end < found.back().first)) continue;
    if (!found.empty() && found.back().first == end) found.pop_back();
    found.emplace_back(end, i);
  }
  return found;
}

}  // namespace

Alignment align(const std::vector<ByteSpan>& base, const std::vector<ByteSpan>& target) {
  const auto left = boundaries(base), right = boundaries(target);
  Alignment alignment;
  for (size_t i = 0, k = 0; i < left.size() && k < right.size();) {
    if (left[i].first == right[k].first) {
      alignment.positions.push_back({left[i].second, right[k].second, left[i].first});
      alignment.num_bytes_covered = left[i].first;
      ++i;
      ++k;
    } else {
      left[i].first < right[k].first ? ++i : ++k;
    }
  }
  return alignment;
}

}  // namespace fi
