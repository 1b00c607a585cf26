#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "fi/behaviour/ngrams.h"
#include "fi/behaviour/proposals.h"

namespace fi {
namespace {

constexpr size_t kMinPrompts = 3;
constexpr double kMinZ = 1.96;
constexpr double kSameSupport = 0.8;
constexpr int kMaxOfFamily = 3;
constexpr int kMaxExtensions = 8;  // words

struct Found {
  const PhraseCount* phrase;
  Proposal proposal;
  double z = 0.0;
};

PromptMeasures measures_of(const PhraseCount& phrase, size_t num_prompts) {
  PromptMeasures measures{std::vector<double>(num_prompts), std::vector<double>(num_prompts)};
  for (const uint32_t prompt : phrase.base) measures.base[prompt] = 1.0;
  for (const uint32_t prompt : phrase.target) measures.target[prompt] = 1.0;
  return measures;
}

size_t num_inside(const std::vector<uint32_t>& prompts, const PromptTable& table, const std::vector<bool>& categories) {
  return static_cast<size_t>(
      std::count_if(prompts.begin(), prompts.end(), [&](uint32_t prompt) { return categories[table.category_of[prompt]]; }));
}

int64_t num_comparisons(const PhraseCount& phrase, const PromptTable& table) {
  std::vector<size_t> base(table.categories.size());
  std::vector<size_t> target(table.categories.size());
  for (const uint32_t prompt : phrase.base) ++base[table.category_of[prompt]];
  for (const uint32_t prompt : phrase.target) ++target[table.category_of[prompt]];
  int64_t count = 1;  // all categories together
  for (size_t c = 0; c < base.size(); ++c) count += std::max(base[c], target[c]) >= kMinPrompts ? 1 : 0;
  return count;
}

size_t num_shared(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<uint32_t> shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  return shared.size();
}

bool in_same_answers(const PhraseCount& a, const PhraseCount& b) {
  const size_t shared = num_shared(a.base, b.base) + num_shared(a.target, b.target);
  const size_t all = a.base.size() + a.target.size() + b.base.size() + b.target.size() - shared;
  return static_cast<double>(shared) >= kSameSupport * static_cast<double>(all);
}

std::vector<Found> find_phrases(const std::vector<PhraseCount>& phrases, const PromptTable& table, double min_effect_size) {
  std::vector<Found> found;
  const double all_documents = 2.0 * static_cast<double>(table.num_prompts());
  for (const PhraseCount& phrase : phrases) {
    const double rate = static_cast<double>(phrase.base.size() + phrase.target.size()) / all_documents;
    for (Proposal& proposal : propose(measures_of(phrase, table.num_prompts()), table, false, min_effect_size)) {
      const size_t base = num_inside(phrase.base, table, proposal.categories);
      const size_t target = num_inside(phrase.target, table, proposal.categories);
      const double z =
          log_odds_z(static_cast<double>(base), static_cast<double>(target), static_cast<double>(proposal.num_prompts), rate);
      if (std::max(base, target) >= kMinPrompts && std::abs(z) >= kMinZ) found.push_back({&phrase, std::move(proposal), z});
    }
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    const auto key = [](const Found& f) {
      return std::tuple(f.proposal.is_hunch, -std::round(f.proposal.score * 5.0), -static_cast<int>(f.phrase->num_words),
                        -std::abs(f.z), std::string_view(f.phrase->text));
    };
    return key(a) < key(b);
  });
  return found;
}

bool holds_words(const std::string& longer, const std::string& shorter) {
  return (' ' + longer + ' ').find(' ' + shorter + ' ') != std::string::npos;
}

std::string drop_first_word(const std::string& text) {
  const size_t space = text.find(' ');
  return space == std::string::npos ? "" : text.substr(space + 1);
}

std::string drop_last_word(const std::string& text) {
  const size_t space = text.rfind(' ');
  return space == std::string::npos ? "" : text.substr(0, space);
}

// Joins four-word sequences that overlap by three words and come in the same answers to the phrase that they are parts of.
class PhraseExtender {
 public:
  explicit PhraseExtender(const std::vector<PhraseCount>& phrases) {
    for (const PhraseCount& phrase : phrases) {
      if (phrase.num_words != 4) continue;
      starting_[drop_last_word(phrase.text)].push_back(&phrase);
      ending_[drop_first_word(phrase.text)].push_back(&phrase);
    }
  }

  std::string extend(const PhraseCount& phrase) const {
    if (phrase.num_words != 4) return phrase.text;
    std::string text = phrase.text;
    std::string edge = drop_first_word(phrase.text);
    for (int i = 0; i < kMaxExtensions; ++i) {
      const PhraseCount* next = same_answers(starting_, edge, phrase);
      if (next == nullptr) break;
      text += next->text.substr(next->text.rfind(' '));
      edge = drop_first_word(next->text);
    }
    edge = drop_last_word(phrase.text);
    for (int i = 0; i < kMaxExtensions; ++i) {
      const PhraseCount* next = same_answers(ending_, edge, phrase);
      if (next == nullptr) break;
      text = next->text.substr(0, next->text.find(' ') + 1) + text;
      edge = drop_last_word(next->text);
    }
    return text;
  }

 private:
  using Index = std::unordered_map<std::string, std::vector<const PhraseCount*>>;

  static const PhraseCount* same_answers(const Index& index, const std::string& edge, const PhraseCount& phrase) {
    const auto found = index.find(edge);
    if (found == index.end()) return nullptr;
    for (const PhraseCount* next : found->second) {
      if (next != &phrase && in_same_answers(*next, phrase)) return next;
    }
    return nullptr;
  }

  Index starting_;
  Index ending_;
};

struct Kept {
  const PhraseCount* phrase;
  std::string text;
};

bool is_redundant(const Found& found, const std::vector<Kept>& kept) {
  int family = 0;
  for (const Kept& other : kept) {
    if (!in_same_answers(*found.phrase, *other.phrase)) continue;
    ++family;
    if (family >= kMaxOfFamily || holds_words(other.text, found.phrase->text) || holds_words(found.phrase->text, other.text)) {
      return true;
    }
  }
  return false;
}

// What the detector of the phrase itself sees: also where a prompt holds the phrase, and never where an extension went too far.
std::optional<ScoredCandidate> remeasured(const std::string& text, const Found& found, const std::vector<AnswerPair>& pairs,
                                          const PromptTable& table, double min_effect_size) {
  const auto detector = phrase_detector(text);
  const PromptMeasures measures = measure_prompts(pairs, table, {detector}, {found.proposal.categories}).front();
  Proposal proposal = describe_proposal(measures, table, found.proposal.categories);
  const bool same_sign = proposal.effect_size * found.proposal.effect_size > 0.0;
  const double lost = std::abs(found.proposal.effect_size) - std::abs(proposal.effect_size);
  proposal.is_hunch = found.proposal.is_hunch;
  if (proposal.is_hunch) proposal.score = found.proposal.score;
  if (!same_sign || lost > 0.1 || std::abs(proposal.effect_size) < min_effect_size - 1e-9) return std::nullopt;
  return make_candidate(detector, proposal, table);
}

}  // namespace

PhraseScreening screen_phrases(const std::vector<AnswerPair>& pairs, const PromptTable& table, double min_effect_size,
                               size_t max_candidates) {
  const std::vector<PhraseCount> phrases = count_phrases(pairs, table, kMinPrompts);
  PhraseScreening screening;
  for (const PhraseCount& phrase : phrases) screening.num_hypotheses += num_comparisons(phrase, table);
  const PhraseExtender extender(phrases);
  std::vector<Kept> kept;
  for (const Found& found : find_phrases(phrases, table, min_effect_size)) {
    if (screening.candidates.size() >= max_candidates) break;
    if (is_redundant(found, kept)) continue;
    std::string text = extender.extend(*found.phrase);
    auto candidate = remeasured(text, found, pairs, table, min_effect_size);
    if (!candidate) {
      text = found.phrase->text;
      candidate = remeasured(text, found, pairs, table, min_effect_size);
    }
    if (!candidate) continue;
    kept.push_back({found.phrase, std::move(text)});
    screening.candidates.push_back(std::move(*candidate));
  }
  return screening;
}

}  // namespace fi
