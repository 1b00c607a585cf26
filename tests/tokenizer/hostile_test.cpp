// Tokenizers, configs and templates that want to harm: rows 18 and 21-23 of the fault matrix.

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <random>

#include "fi/tokenizer/gguf_vocabulary.h"
#include "fi/tokenizer/tokenizer.h"
#include "rust/cpp/template.h"
#include "tests/support/failure.h"
#include "tests/support/gguf_bytes.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

Json tiny_tokenizer() {
  return Json::parse(
      R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"<s>","single_word":false,
    "lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},
    "post_processor":null,"decoder":null,
    "model":{"type":"WordLevel","vocab":{"<s>":0,"hello":1,"world":2,"[UNK]":3},"unk_token":"[UNK]"}})");
}

// Everything that a comparison does with a tokenizer.
void use(const std::string& json) {
  const Tokenizer tokenizer = Tokenizer::from_json(json, Json::object(), "", "dir/tokenizer.json");
  const Encoding encoding = tokenizer.encode("hello  world", true);
  tokenizer.decode(encoding.ids, true);
  tokenizer.decode({0, 1, 2, 3}, false);
}

// Fails as a malformed file, or works; the process lives on either way.
void expect_survived(const std::string& json) {
  const Failure failure = failure_of([&] { use(json); });
  if (!failure.code) return;
  EXPECT_EQ(*failure.code, ErrorCode::kInvalid) << failure.message;
  EXPECT_NE(failure.message.find("dir/tokenizer.json"), std::string::npos) << failure.message;
}

struct Crafted {
  std::string name;
  std::string patch;  // merged into the tiny tokenizer
  bool is_refused;
};

void PrintTo(const Crafted& crafted, std::ostream* out) { *out << crafted.name; }

class CraftedTokenizer : public testing::TestWithParam<Crafted> {};

TEST_P(CraftedTokenizer, IsAnErrorOrWorks) {
  Json document = tiny_tokenizer();
  document.merge_patch(Json::parse(GetParam().patch));
  const Failure failure = failure_of([&] { use(document.dump()); });
  EXPECT_EQ(failure.code.has_value(), GetParam().is_refused) << failure.message;
  expect_survived(document.dump());
}

// The first six panic in the library (its pull request 2151).
INSTANTIATE_TEST_SUITE_P(
    Panics, CraftedTokenizer,
    testing::Values(
        Crafted{"stride of the whole length",
                R"({"truncation":{"direction":"Right","max_length":1,"strategy":"LongestFirst","stride":1}})",
                false},  // we cut nothing
        Crafted{"template without its special token",
                R"({"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
                {"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
                "special_tokens":{}}})",
                true},
        Crafted{"merge longer than the vocabulary",
                R"({"model":{"type":"BPE","unk_token":null,"vocab":{"a":0,"b":1},"merges":[["a","b"]]},"pre_tokenizer":null})",
                true},
        Crafted{"strip decoder", R"({"decoder":{"type":"Strip","content":"h","start":5,"stop":5}})", false},
        Crafted{"fixed length 0", R"({"pre_tokenizer":{"type":"FixedLength","length":0}})", true},
        Crafted{"precompiled normalizer", R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"////////"}})", true},
        Crafted{"unknown token that is absent",
                R"({"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"[UNK]"},"added_tokens":[]})", false},
        Crafted{"ids beyond 32 bits", R"({"model":{"vocab":{"big":4294967296}}})", true},
        Crafted{"negative ids", R"({"model":{"vocab":{"big":-1}}})", true},
        Crafted{"expression that explodes",
                R"({"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+(b+)+\\1$"},"behavior":"Isolated","invert":false}})",
                false},
        Crafted{"expression that is none",
                R"({"pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated","invert":false}})", true},
        Crafted{
            "padding to the sky",
            R"({"padding":{"strategy":{"Fixed":1000000000},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,
                "pad_token":"<s>"}})",
            false},  // we pad nothing
        Crafted{"unknown model", R"({"model":{"type":"Oracle"}})", true}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(HostileTokenizer, RandomDamageIsAnErrorOrAnotherTokenizer) {
  const std::string whole = tiny_tokenizer().dump();
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    std::string json = whole;
    for (int k = 0; k < 1 + i % 3; ++k) json[random() % json.size()] = "0919{}[]\",:x\xff\0"[random() % 14];
    expect_survived(json);
  }
}

TEST(HostileTokenizer, DeepNestingIsAnError) {
  expect_failure([] { use(std::string(1'000'000, '[')); }, ErrorCode::kInvalid, {"dir/tokenizer.json"});
  expect_failure([] { use("{\"a\":" + std::string(1'000'000, '[')); }, ErrorCode::kInvalid, {"dir/tokenizer.json"});
}

// Row 22: what the config names is not ours to open.
TEST(HostileTokenizer, FilesNamedInTheConfigAreNotOpened) {
  const TemporaryFolder folder;
  const std::string secret = folder.write("secret/id_rsa", "private").string();
  ModelFiles files{.name = "m", .tokenizer = folder.write("m/tokenizer.json", tiny_tokenizer().dump())};
  files.tokenizer_config = folder.write("m/tokenizer_config.json", Json({{"vocab_file", secret},
                                                                         {"tokenizer_file", secret},
                                                                         {"merges_file", "../secret/id_rsa"},
                                                                         {"chat_template_file", secret}})
                                                                       .dump());
  const int watcher = ::inotify_init1(IN_NONBLOCK);
  ASSERT_GE(::inotify_add_watch(watcher, secret.c_str(), IN_OPEN | IN_ACCESS), 0);
  const Tokenizer tokenizer = Tokenizer::load(files);
  tokenizer.encode_prompt("hello");
  char event[512];
  EXPECT_LT(::read(watcher, event, sizeof event), 0) << "the file was opened";
  ::close(watcher);
}

TEST(HostileTokenizer, ConfigsOfOddTypesAreErrorsOrIgnored) {
  const TemporaryFolder folder;
  for (const char* config : {"[]", "1", R"({"chat_template":5})", R"({"chat_template":[{"name":1,"template":2}]})",
                             R"({"bos_token":[],"eos_token":{"content":3}})", R"({"chat_template":[{"name":"default"}]})"}) {
    ModelFiles files{.name = "m", .tokenizer = folder.write("tokenizer.json", tiny_tokenizer().dump())};
    files.tokenizer_config = folder.write("tokenizer_config.json", config);
    files.generation_config = folder.write("generation_config.json", R"({"eos_token_id":["x",{},1]})");
    EXPECT_EQ(failure_of([&] { Tokenizer::load(files); }).code.value_or(ErrorCode::kInvalid), ErrorCode::kInvalid) << config;
  }
  ModelFiles files{.name = "m", .tokenizer = folder.write("tokenizer.json", tiny_tokenizer().dump())};
  files.tokenizer_config = folder.write("tokenizer_config.json", "{");
  expect_failure([&] { Tokenizer::load(files); }, ErrorCode::kInvalid, {"tokenizer_config.json", "line 1"});
}

// Row 23.
std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// Fifty steps of a rule that makes a value of itself.
std::string grown(const std::string& rule) {
  return "{% set n = namespace(s='x') %}{% for i in range(50) %}{% set n.s = " + rule + " %}{% endfor %}";
}

struct Template {
  std::string name;
  std::string source;
  std::vector<std::string> parts;  // of the message
};

void PrintTo(const Template& hostile, std::ostream* out) { *out << hostile.name; }

class HostileChatTemplate : public testing::TestWithParam<Template> {};

TEST_P(HostileChatTemplate, EndsWithAnErrorThatNamesItsPlace) {
  const Tokenizer tokenizer =
      Tokenizer::from_json(tiny_tokenizer().dump(), Json::object(), GetParam().source, "dir/tokenizer.json");
  const Failure failure = failure_of([&] { tokenizer.render_chat({{"user", "hi"}}, true); });
  ASSERT_EQ(failure.code, ErrorCode::kInvalid);
  EXPECT_NE(failure.message.find("chat template beside dir/tokenizer.json"), std::string::npos) << failure.message;
  for (const std::string& part : GetParam().parts) {
    EXPECT_NE(failure.message.find(part), std::string::npos) << "'" << part << "' is not in: " << failure.message;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Row23, HostileChatTemplate,
    testing::Values(
        Template{"python classes", "{{ ''.__class__.__mro__[1].__subclasses__() }}", {"template line 1"}},
        Template{"python globals", "\n{{ cycler.__init__.__globals__.os.popen('id').read() }}", {"template line 2"}},
        Template{"import of the system", "{% set x = self.__init__.__globals__ %}{{ x.os.system('id') }}", {"template line 1"}},
        Template{"attribute filter", "{{ messages|attr('__class__')|attr('__base__')|attr('x') }}", {"template line 1"}},
        Template{"include", "{% include '/etc/passwd' %}", {"template line 1"}},
        Template{"import", "{% import '/etc/passwd' as x %}", {"template line 1"}},
        Template{"extends", "{% extends '/etc/passwd' %}", {"template line 1"}},
        Template{"range", "\n\n{% for i in range(1000000000) %}x{% endfor %}", {"template line 3"}},
        Template{"nested loops",
                 "{% for a in range(9999) %}{% for b in range(9999) %}\n{{ a }}{% endfor %}{% endfor %}",
                 {"template line", "fuel"}},
        Template{"macro that calls itself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", {"template line 1"}},
        Template{"nested ifs", repeated("{%if 1%}", 50'000) + repeated("{%endif%}", 50'000), {"template line 1"}},
        Template{"nested lists", "{{ " + repeated("[", 50'000) + repeated("]", 50'000) + " }}", {"template line 1"}},
        Template{"nested parentheses", "{{ " + repeated("(", 50'000) + "1" + repeated(")", 50'000) + " }}", {"template line 1"}},
        Template{"a string that doubles", grown("n.s ~ n.s"), {}},
        Template{"a string that is replaced", grown("n.s|replace('x', 'xx')"), {}},
        Template{"a list that doubles", grown("(n.s + n.s)|list"), {"template line 1", "fuel"}},
        Template{"lists in lists that are written", grown("[n.s, n.s]") + "{{ n.s }}", {"64 MiB of memory"}},
        Template{"lists in lists as JSON", grown("[n.s, n.s]") + "{{ n.s|tojson }}", {"64 MiB of memory"}},
        Template{"a string repeated", "{{ 'x' * 100000000000 }}", {"template line 1"}},
        Template{"padding", "{{ '%1000000000d' % 5 }}", {}},
        Template{"a large indent", "{{ messages|tojson(indent=-1) }}", {"template line 1"}},
        Template{"refuses", "{{ raise_exception('roles must alternate') }}", {"roles must alternate", "template line 1"}},
        Template{"does not parse", "a\n{% if %}", {"template line 2"}},
        Template{"too long", std::string((1 << 20) + 1, 'x'), {"1048577 bytes"}}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(ChatTemplate, RendersGenerationTagsAsNothing) {
  const auto render = [](const std::string& source) {
    return Tokenizer::from_json(tiny_tokenizer().dump(), Json::object(), source).render_chat({{"user", "hi"}}, true);
  };
  EXPECT_EQ(render("a{% generation %}b{% endgeneration %}c"), "abc");
  EXPECT_EQ(render("a{%generation%}b{%endgeneration%}c"), "abc");
  EXPECT_EQ(render("a {%- generation -%} b {%- endgeneration -%} c"), "abc");
  EXPECT_EQ(render("a {%- generation %} b {% endgeneration -%} c"), "a b c");
  EXPECT_EQ(render("{% for m in messages %}{%-  generation  -%}{{ m.content }}{%-endgeneration-%}{% endfor %}"), "hi");
  EXPECT_EQ(render("{% if add_generation_prompt %}go{% endif %}"), "go");
}

TEST(ChatTemplate, DeepButHarmlessOnesRender) {
  EXPECT_EQ(render_template("{{ " + repeated("not ", 50'000) + "1 }}", Json::object(), Escape::kNone, "t"), "True");
  const std::string deep = "{% set n = namespace(s=1) %}{% for i in range(100000) %}{% set n.s = [n.s] %}{% endfor %}";
  EXPECT_EQ(render_template(deep + "{{ n.s|length }}", Json::object(), Escape::kNone, "t"), "1");
  const std::string text = render_template(deep + "{{ n.s }}", Json::object(), Escape::kNone, "t");
  EXPECT_EQ(text, repeated("[", 100'000) + "1" + repeated("]", 100'000));
}

TEST(ChatTemplate, ManyHostileOnesInARowLeaveTheProcessAlive) {
  for (int i = 0; i < 3; ++i) {
    const std::string source = grown("[n.s, n.s]") + "{{ n.s }}";
    const Failure failure = failure_of([&] { render_template(source, Json::object(), Escape::kNone, "t"); });
    EXPECT_EQ(failure.code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(render_template("{{ 1 + 1 }}", Json::object(), Escape::kNone, "t"), "2");
}

// Row 18.
GgufBytes vocabulary_file() {
  GgufBytes file;
  file.add_string("tokenizer.ggml.model", "llama");
  file.add_strings("tokenizer.ggml.tokens", {"<unk>", "<s>", "a"});
  file.add_array("tokenizer.ggml.scores", 6, std::vector<float>{0, 0, 1});
  file.add_array("tokenizer.ggml.token_type", 5, std::vector<int32_t>{2, 3, 1});
  return file;
}

void read_vocabulary(const GgufBytes& bytes) {
  const TemporaryFolder folder;
  const auto path = folder.write("v.gguf", bytes.bytes());
  Tokenizer::load({.name = "v", .format = WeightFormat::kGguf, .weights = {path}}).encode("a", true);
}

TEST(HostileGgufVocabulary, EveryArrayMustBeWhatItIsReadAs) {
  read_vocabulary(vocabulary_file());
  GgufBytes file = vocabulary_file();
  file.values[2].clear();
  file.values.erase(file.values.begin() + 2);
  file.add_array("tokenizer.ggml.scores", 1, std::vector<int8_t>{0, 0, 1});
  expect_failure([&] { read_vocabulary(file); }, ErrorCode::kInvalid, {"v.gguf", "tokenizer.ggml.scores", "floating point"});
  file.values.pop_back();
  file.add_array("tokenizer.ggml.scores", 6, std::vector<float>{0, 0});
  expect_failure([&] { read_vocabulary(file); }, ErrorCode::kInvalid, {"v.gguf", "2 scores for 3 tokens"});
  file = vocabulary_file();
  file.values.pop_back();
  file.add_array("tokenizer.ggml.token_type", 5, std::vector<int32_t>{2, 3});
  expect_failure([&] { read_vocabulary(file); }, ErrorCode::kInvalid, {"v.gguf", "2 token types for 3 tokens"});
  file = vocabulary_file();
  file.add_value("tokenizer.ggml.bos_token_id", 4, uint32_t{3});
  expect_failure([&] { read_vocabulary(file); }, ErrorCode::kInvalid, {"v.gguf", "bos_token_id is 3", "3 tokens"});
  file = vocabulary_file();
  file.add_value("tokenizer.ggml.add_bos_token", 4, uint32_t{1});
  expect_failure([&] { read_vocabulary(file); }, ErrorCode::kInvalid, {"v.gguf", "add_bos_token", "boolean"});
  file = vocabulary_file();
  file.add_value("tokenizer.chat_template", 4, uint32_t{1});
  expect_failure([&] { read_vocabulary(file); }, ErrorCode::kInvalid, {"v.gguf", "tokenizer.chat_template", "string"});
}

}  // namespace
}  // namespace fi
