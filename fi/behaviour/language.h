#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fi/behaviour/text_view.h"

namespace fi {

/// ISO 639-3 code of the language that most of a text is in ("cmn" for Chinese), or "" if there is too little to say.
/// Scripts decide first; for Latin and Cyrillic letters the function words (fi/behaviour/data/function_words.json), which are
/// sure from about ten words on, and character trigrams where those leave it open.
std::string language_of(std::string_view prose, const std::vector<Word>& words);

/// True for words that carry grammar and no topic, in any language of the list.
bool is_function_word(std::string_view lower_case_word);

}  // namespace fi
