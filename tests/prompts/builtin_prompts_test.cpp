#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "fi/prompts/prompt_set.h"

namespace fi {
namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_word_byte(char c) { return !is_ascii(c) || std::isalnum(static_cast<unsigned char>(c)); }

// Lower-cased ASCII words; every character outside ASCII is a token of its own, as Chinese has no spaces.
std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens;
  bool starts_word = true;
  for (const char c : text) {
    const bool is_continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (is_continuation) {
      tokens.back() += c;
    } else if (is_word_byte(c)) {
      if (starts_word || !is_ascii(c)) tokens.emplace_back();
      tokens.back() += static_cast<char>(is_ascii(c) ? std::tolower(c) : c);
    }
    starts_word = !is_word_byte(c) || !is_ascii(c);
  }
  return tokens;
}

double jaccard(const std::string& a, const std::string& b) {
  const auto left = tokens_of(a), right = tokens_of(b);
  const std::set<std::string> x(left.begin(), left.end()), y(right.begin(), right.end());
  std::vector<std::string> both;
  std::ranges::set_intersection(x, y, std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(x.size() + y.size() - both.size());
}

std::string normalised(const std::string& text) {
  std::string joined;
  for (const std::string& token : tokens_of(text)) joined += token + ' ';
  return joined;
}

TEST(BuiltinPromptsTools, MeasureOverlap) {
  EXPECT_EQ(normalised("What's  NEW, 中文?"), "what s new 中 文 ");
  EXPECT_DOUBLE_EQ(jaccard("a b c", "b c d"), 0.5);
  EXPECT_DOUBLE_EQ(jaccard("List five birds.", "list FIVE birds"), 1.0);
}

TEST(BuiltinPrompts, HaveManyCategoriesOfFortyPrompts) {
  const PromptSet& set = builtin_prompts();
  EXPECT_GE(set.categories.size(), 56u);
  for (const PromptCategory& category : set.categories) EXPECT_EQ(category.prompts.size(), 40u) << category.id;
  EXPECT_EQ(set.num_prompts(), 40 * static_cast<int64_t>(set.categories.size()));
}

TEST(BuiltinPrompts, NameEveryCategoryOnce) {
  std::set<std::string> ids, titles;
  for (const PromptCategory& category : builtin_prompts().categories) {
    EXPECT_TRUE(ids.insert(category.id).second) << category.id;
    EXPECT_TRUE(titles.insert(category.title).second) << category.title;
    EXPECT_FALSE(category.title.empty() || category.group.empty()) << category.id;
    EXPECT_EQ(category.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << category.id;
    EXPECT_EQ(category.title.find_first_of("_."), std::string::npos) << category.title;
  }
}

TEST(BuiltinPrompts, IncludeTheTenReasoningCategories) {
  for (const char* id :
       {"deductive_logic", "inductive_reasoning", "abductive_reasoning", "causal_reasoning", "analogical_reasoning",
        "counterfactual_reasoning", "arithmetic_calculation", "word_problems", "probability_statistics", "spatial_reasoning"}) {
    EXPECT_EQ(builtin_prompts().category(id).group.front(), "reasoning") << id;
  }
}

TEST(BuiltinPrompts, NeverRepeatAPrompt) {
  std::map<std::string, std::string> owner;
  for (const PromptCategory& category : builtin_prompts().categories) {
    for (const std::string& prompt : category.prompts) {
      const auto [first, is_new] = owner.emplace(normalised(prompt), category.id);
      EXPECT_TRUE(is_new) << prompt << " is in " << first->second << " and " << category.id;
    }
  }
}

TEST(BuiltinPrompts, HoldNoNearDuplicatesWithinACategory) {
  for (const PromptCategory& category : builtin_prompts().categories) {
    for (size_t i = 0; i < category.prompts.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        EXPECT_LE(jaccard(category.prompts[i], category.prompts[j]), 0.8)
            << category.id << ": " << category.prompts[i] << " | " << category.prompts[j];
      }
    }
  }
}

TEST(BuiltinPrompts, AreShortTrimmedLines) {
  for (const PromptCategory& category : builtin_prompts().categories) {
    for (const std::string& prompt : category.prompts) {
      EXPECT_FALSE(prompt.empty() || std::isspace(static_cast<unsigned char>(prompt.front())) ||
                   std::isspace(static_cast<unsigned char>(prompt.back())))
          << category.id;
      EXPECT_LE(prompt.size(), 250u) << prompt;
      EXPECT_EQ(prompt.find("  "), std::string::npos) << prompt;
    }
  }
}

TEST(BuiltinPrompts, KnowRightAnswersThatTheirPromptsDoNotGiveAway) {
  int64_t num_checked = 0;
  for (const PromptCategory& category : builtin_prompts().categories) {
    for (int64_t i = 0; i < std::ssize(category.prompts); ++i) {
      const std::string prompt = ' ' + normalised(category.prompts[static_cast<size_t>(i)]);
      for (const std::string& answer : category.right_answers_of(i)) {
        EXPECT_EQ(prompt.find(' ' + normalised(answer)), std::string::npos) << prompt << "| " << answer;
        ++num_checked;
      }
    }
  }
  EXPECT_GE(num_checked, 8 * 40);
}

TEST(BuiltinPrompts, AreParsedOnce) { EXPECT_EQ(&builtin_prompts(), &builtin_prompts()); }

}  // namespace
}  // namespace fi
