#include "fi/tokenizer/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/io/atomic_file.h"
#include "fi/tokenizer/gguf_vocabulary.h"
#include "rust/cpp/bytes.h"
#include "rust/cpp/template.h"

namespace fi {

struct TokenizerDeleter {
  void operator()(FiTokenizer* tokenizer) const { fi_rs_tokenizer_free(tokenizer); }
};
using TokenizerHandle = std::unique_ptr<FiTokenizer, TokenizerDeleter>;

namespace {

// Tokens that end a turn in the chat formats of the families that we know; those that a vocabulary lacks are skipped.
constexpr const char* kTurnEnds[] = {"<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>", "<|end_of_text|>"};

// Larger than any vocabulary; ids beyond it are damage.
constexpr size_t kMaxIds = size_t{1} << 24;

TokenizerHandle parse(std::string_view json, std::string_view where) {
  FiTokenizer* tokenizer = nullptr;
  FiBytes error{};
  const int32_t code = fi_rs_tokenizer_new(rust_data(json), json.size(), &tokenizer, &error);
  TokenizerHandle handle(tokenizer);
  take_result(code, error, "tokenizer", where);
  return handle;
}

// A token is written as a string, or as an object with the string in "content".
std::string token_name(const Json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (found->is_object() && found->contains("content") && (*found)["content"].is_string())
    return (*found)["content"].get<std::string>();
  return "";
}

// One template, or a list of named ones of which "default" is meant.
std::string template_in(const Json& config) {
  const auto found = config.find("chat_template");
  if (found == config.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_array()) return "";
  for (const Json& entry : *found) {
    const bool is_default = entry.is_object() && entry.contains("name") && entry["name"] == "default";
    if (is_default && entry.contains("template") && entry["template"].is_string()) return entry["template"].get<std::string>();
  }
  return "";
}

std::vector<int32_t> generation_stops(const ModelFiles& files) {
  if (!files.generation_config) return {};
  const Json config =
      parse_json(read_file(*files.generation_config, "tokenizer"), "tokenizer", files.generation_config->string());
  const auto found = config.find("eos_token_id");
  if (found == config.end()) return {};
  if (found->is_number_integer()) return {found->get<int32_t>()};
  std::vector<int32_t> ids;
  for (const Json& id : *found) {
    if (id.is_number_integer()) ids.push_back(id.get<int32_t>());
  }
  return ids;
}

}  // namespace

struct Tokenizer::State {
  TokenizerHandle handle;
  std::string chat_template;
  std::string bos_token;
  std::string eos_token;
  std::optional<bool> add_bos;  // what tokenizer_config.json says; it overrules the post-processor
  TokenIds stop_ids;
  std::set<int32_t> special;
  std::string fingerprint;
  std::string file;  // that it came from
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json, const Json& tokenizer_config, std::string chat_template,
                               std::string file) {
  auto state = std::make_unique<State>();
  state->file = std::move(file);
  state->handle = parse(tokenizer_json, state->file);
  state->chat_template = chat_template.empty() ? template_in(tokenizer_config) : std::move(chat_template);
  state->bos_token = token_name(tokenizer_config, "bos_token");
  state->eos_token = token_name(tokenizer_config, "eos_token");
  if (tokenizer_config.contains("add_bos_token") && tokenizer_config["add_bos_token"].is_boolean())
    state->add_bos = tokenizer_config["add_bos_token"].get<bool>();
  state->fingerprint = sha256_of_bytes(tokenizer_json);
  FiBytes special{};
  const int32_t code = fi_rs_special_ids(state->handle.get(), &special);
  const std::string ids = take_result(code, special, "tokenizer", state->file);
  for (size_t i = 0; i + 4 <= ids.size(); i += 4) {
    uint32_t id;
    std::memcpy(&id, ids.data() + i, sizeof id);
    state->special.insert(static_cast<int32_t>(id));
  }
  Tokenizer tokenizer(std::move(state));
  std::set<int32_t> stops;
  if (const auto id = tokenizer.token_id(tokenizer.state_->eos_token)) stops.insert(*id);
  for (const char* token : kTurnEnds) {
    if (const auto id = tokenizer.token_id(token); id && tokenizer.is_special(*id)) stops.insert(*id);
  }
  tokenizer.state_->stop_ids.assign(stops.begin(), stops.end());
  return tokenizer;
}

Tokenizer Tokenizer::load(const ModelFiles& files) {
  if (files.format == WeightFormat::kGguf) {
    const GgufFile file = GgufFile::open(files.weights.front());
    const GgufVocabulary vocabulary = read_gguf_vocabulary(file);
    Json config = Json::object();
    if (vocabulary.bos_id) config["bos_token"] = vocabulary.tokens[static_cast<size_t>(*vocabulary.bos_id)];
    if (vocabulary.eos_id) config["eos_token"] = vocabulary.tokens[static_cast<size_t>(*vocabulary.eos_id)];
    return from_json(tokenizer_json_from_gguf(vocabulary), config, vocabulary.chat_template, file.path().string());
  }
  check(files.tokenizer.has_value(), ErrorCode::kNotFound,
        "[tokenizer] {} has no tokenizer.json; copy it into the model's folder.", files.name);
  const Json config = files.tokenizer_config ? parse_json(read_file(*files.tokenizer_config, "tokenizer"), "tokenizer",
                                                          files.tokenizer_config->string())
                                             : Json::object();
  const std::string chat_template = files.chat_template ? read_file(*files.chat_template, "tokenizer") : "";
  Tokenizer tokenizer = from_json(read_file(*files.tokenizer, "tokenizer"), config, chat_template, files.tokenizer->string());
  for (const int32_t id : generation_stops(files)) {
    auto& stops = tokenizer.state_->stop_ids;
    if (std::find(stops.begin(), stops.end(), id) == stops.end()) stops.push_back(id);
  }
  return tokenizer;
}

Encoding Tokenizer::encode(std::string_view text, bool add_special) const {
  FiBytes out{};
  const int32_t code = fi_rs_encode(state_->handle.get(), rust_data(text), text.size(), add_special, &out);
  const std::string bytes = take_result(code, out, "tokenizer", state_->file);
  Encoding encoding;
  for (size_t i = 0; i + 12 <= bytes.size(); i += 12) {
    uint32_t record[3];
    std::memcpy(record, bytes.data() + i, sizeof record);
    encoding.ids.push_back(static_cast<int32_t>(record[0]));
    encoding.spans.emplace_back(record[1], record[2]);
  }
  if (add_special) settle_bos(encoding);
  return encoding;
}

// Some tokenizer.json files leave BOS to tokenizer_config.json, others add one that it takes away. A BOS that the text spells out
// covers bytes and stays.
void Tokenizer::settle_bos(Encoding& encoding) const {
  const std::optional<int32_t> bos = bos_id();
  if (!bos || !state_->add_bos) return;
  const bool is_added =
      !encoding.ids.empty() && encoding.ids.front() == *bos && encoding.spans.front().first == encoding.spans.front().second;
  if (is_added == *state_->add_bos) return;
  if (is_added) {
    encoding.ids.erase(encoding.ids.begin());
    encoding.spans.erase(encoding.spans.begin());
  } else if (encoding.ids.empty() || encoding.ids.front() != *bos) {
    encoding.ids.insert(encoding.ids.begin(), *bos);
    encoding.spans.insert(encoding.spans.begin(), {0, 0});
  }
}

std::string Tokenizer::decode(const TokenIds& ids, bool skip_special) const {
  const std::vector<uint32_t> plain(ids.begin(), ids.end());
  FiBytes out{};
  const int32_t code = fi_rs_decode(state_->handle.get(), plain.data(), plain.size(), skip_special, &out);
  return take_result(code, out, "tokenizer", state_->file);
}

std::string Tokenizer::token_text(int32_t id) const { return decode({id}, false); }

std::optional<int32_t> Tokenizer::token_id(std::string_view token) const {
  const int64_t id = fi_rs_token_to_id(state_->handle.get(), rust_data(token), token.size());
  return id < 0 ? std::nullopt : std::optional(static_cast<int32_t>(id));
}

std::string Tokenizer::vocabulary_entry(int32_t id) const {
  FiBytes out{};
  const int32_t code = fi_rs_id_to_token(state_->handle.get(), static_cast<uint32_t>(id), &out);
  return take_result(code, out, "tokenizer", state_->file);
}

int32_t Tokenizer::num_ids() const {
  const size_t count = fi_rs_num_ids(state_->handle.get());
  check(count <= kMaxIds, ErrorCode::kInvalid, "[tokenizer] {}: its largest id is {}, expected less than {}; download it again.",
        state_->file, count - 1, kMaxIds);
  return static_cast<int32_t>(count);
}

bool Tokenizer::is_special(int32_t id) const { return state_->special.contains(id); }
int64_t Tokenizer::vocab_size() const { return static_cast<int64_t>(fi_rs_vocab_size(state_->handle.get())); }
std::optional<int32_t> Tokenizer::bos_id() const {
  return state_->bos_token.empty() ? std::nullopt : token_id(state_->bos_token);
}
const TokenIds& Tokenizer::stop_ids() const { return state_->stop_ids; }
bool Tokenizer::has_chat_template() const { return !state_->chat_template.empty(); }
const std::string& Tokenizer::fingerprint() const { return state_->fingerprint; }

std::string Tokenizer::render_chat(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const {
  if (!has_chat_template()) {
    std::string text;
    for (const ChatMessage& message : messages) text += (text.empty() ? "" : "\n") + message.content;
    return text;
  }
  Json list = Json::array();
  for (const ChatMessage& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  const Json context = {{"messages", list},
                        {"add_generation_prompt", add_generation_prompt},
                        {"bos_token", state_->bos_token},
                        {"eos_token", state_->eos_token}};
  return render_template(state_->chat_template, context, Escape::kNone, "chat template beside " + state_->file);
}

TokenIds Tokenizer::encode_prompt(std::string_view prompt) const { return encode_rendered(prompt).encoding.ids; }

PromptEncoding Tokenizer::encode_rendered(std::string_view prompt) const {
  PromptEncoding read{.text = has_chat_template() ? render_chat({{"user", std::string(prompt)}}, true) : std::string(prompt)};
  read.encoding = encode_whole(read.text);
  return read;
}

Encoding Tokenizer::encode_whole(std::string_view text) const {
  // A text that begins with BOS by itself must not get a second one from the tokenizer.
  const bool has_bos = !state_->bos_token.empty() && text.starts_with(state_->bos_token);
  Encoding encoding = encode(text, !has_bos);
  TokenIds& ids = encoding.ids;
  if (const auto bos = bos_id(); bos && ids.size() > 1 && ids[0] == *bos && ids[1] == *bos) {
    ids.erase(ids.begin());
    encoding.spans.erase(encoding.spans.begin());
  }
  return encoding;
}

}  // namespace fi
