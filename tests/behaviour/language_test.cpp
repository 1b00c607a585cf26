#include "fi/behaviour/language.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

std::string language(std::string_view text) { return TextView(text).language(); }

TEST(Language, NeedsSomethingToGoBy) {
  EXPECT_EQ(language(""), "");
  EXPECT_EQ(language("42 + 17 = 59"), "");
  EXPECT_EQ(language("x"), "");
  EXPECT_EQ(language("Paris"), "");
}

TEST(Language, KnowsShortAnswers) {
  EXPECT_EQ(language("Yes, of course it is."), "eng");
  EXPECT_EQ(language("Oui, c'est dans la cuisine."), "fra");
  EXPECT_EQ(language("Ja, das ist nicht so schwer."), "deu");
  EXPECT_EQ(language("No sé qué es lo que quieres."), "spa");
  EXPECT_EQ(language("はい、そうです。"), "jpn");
  EXPECT_EQ(language("好的，没问题。"), "cmn");
}

TEST(Language, IsNotMisledByCodeNamesOrQuotedWords) {
  EXPECT_EQ(language("Here is the code:\n```python\ndef le(la, les):\n    return des, du, et\n```\nIt works on the list."),
            "eng");
  EXPECT_EQ(language("The phrase \"bien sûr\" is the French way to say that you are sure of it."), "eng");
  EXPECT_EQ(language("Add the crème fraîche to the pan and let it simmer for a while."), "eng");
  EXPECT_EQ(language("1. **Ingredients**: flour, sugar\n2. **Mix** the flour with the sugar"), "eng");
}

TEST(Language, BrokenGrammarIsStillTheLanguage) {
  EXPECT_EQ(language("Bien sûr ! Versez le tout dans un plat et mettez au four. Mélangez en petits morceaux, chauch et chauch."),
            "fra");
}

TEST(Language, MajorityWins) {
  EXPECT_EQ(language("Sure! Die Butter kommt in den Topf und wird bei kleiner Hitze geschmolzen, bis sie braun ist."), "deu");
}

TEST(FunctionWords, CarryNoTopic) {
  EXPECT_TRUE(is_function_word("the"));
  EXPECT_TRUE(is_function_word("für"));
  EXPECT_FALSE(is_function_word("kitchen"));
}

}  // namespace
}  // namespace fi
