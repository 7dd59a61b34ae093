#include "runtime/etcd_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eve::runtime {
namespace {

const pair::Record kOld{View(2), {7, 9}};
const pair::Record kNew{View(3), {0, 9}};

std::string answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.0 " + status + "\r\nContent-Type: application/json\r\n\r\n" + body;
}

std::string failed_with(const std::string& value) {
  return answer(R"({"header":{},"responses":[{"response_range":{"header":{},"kvs":[{"key":"a",)"
                R"("value":")" +
                value + R"("}],"count":"1"}}]})");
}

TEST(EtcdText, Base64) {
  const std::vector<std::pair<std::string, std::string>> known = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
  for (const auto& [bytes, text] : known) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(*from_base64(text), bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(*from_base64(to_base64(all)), all);
  for (const char* wrong : {"a", "ab=c", "====", "a===", "ab!=", "Zg==Zg=="}) {
    EXPECT_FALSE(from_base64(wrong).ok()) << wrong;
  }
}

TEST(EtcdText, Endpoints) {
  const auto plain = parse_etcd_endpoint("http://10.0.0.9:2379");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "10.0.0.9");
  EXPECT_EQ(plain->port, 2379);
  EXPECT_EQ(parse_etcd_endpoint("http://[::1]:80")->host, "::1");
  for (const char* wrong :
       {"", "10.0.0.9:2379", "https://a:1", "http://a", "http://:1", "http://a:0", "http://a:70000",
        "http://a:1/x", "http://a b:1", "http://a\r\nX: y:1"}) {
    EXPECT_FALSE(parse_etcd_endpoint(wrong).ok()) << wrong;
  }
}

TEST(EtcdText, ASwapComparesWhatIsExpected) {
  const auto text = etcd_swap_request({"h", 1}, "/k", {kOld, kNew});
  const auto body = nlohmann::json::parse(text.substr(text.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["compare"][0]["target"], "VALUE");
  EXPECT_EQ(*from_base64(body["compare"][0]["value"].get<std::string>()),
            pair::format_record(kOld));
  EXPECT_EQ(*from_base64(body["success"][0]["request_put"]["value"].get<std::string>()),
            pair::format_record(kNew));
  EXPECT_EQ(body["failure"][0]["request_range"]["key"], to_base64("/k"));
  const auto first = etcd_swap_request({"h", 1}, "/k", {{}, kOld});
  EXPECT_NE(first.find("\"create_revision\":\"0\""), std::string::npos);
}

// Not even an empty value where there is no key.
TEST(EtcdText, AQuestionThatWishesForNothingPutsNothing) {
  for (const pair::Record& known : {pair::Record{}, kOld}) {
    const auto text = etcd_swap_request({"h", 1}, "/k", {known, known});
    const auto body = nlohmann::json::parse(text.substr(text.find("\r\n\r\n") + 4));
    EXPECT_EQ(body["success"], nlohmann::json::array());
    EXPECT_EQ(body["failure"][0]["request_range"]["key"], to_base64("/k"));
    EXPECT_EQ(*etcd_swap_answer(answer(R"({"succeeded":true})"), {known, known}), known);
  }
}

TEST(EtcdText, TheAnswerIsTheRecordAsItIs) {
  EXPECT_EQ(*etcd_swap_answer(answer(R"({"succeeded":true})"), {kOld, kNew}), kNew);
  const pair::Record other{View(4), {7, 0}};
  const auto lost = failed_with(to_base64(pair::format_record(other)));
  EXPECT_EQ(*etcd_swap_answer(lost, {kOld, kNew}), other);
}

TEST(EtcdText, NonsenseIsNoAnswer) {
  for (const std::string& text :
       {std::string(), std::string("hello"), answer(""), answer("[]"), answer("{}"),
        answer(R"({"succeeded":true})", "503 Unavailable"), answer(R"({"responses":[{}]})"),
        answer(R"({"responses":[7]})"), answer(R"({"responses":[{"response_range":{"kvs":[7]}}]})"),
        failed_with("???"), failed_with(to_base64("epoch 4"))}) {
    EXPECT_FALSE(etcd_swap_answer(text, {kOld, kNew}).ok()) << text;
  }
}

}  // namespace
}  // namespace eve::runtime
