#include "tests/e2e/bad_inputs.hpp"

#include <utility>

#include "tests/support/shared_node.hpp"

namespace belfry::test {

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

namespace {

bad_input sent(std::string name, std::string_view method, std::string_view target, std::string_view body,
               int status, std::string code, std::string hint = {}, const header_list& headers = {}) {
  return {std::move(name), request_text(method, target, body, headers), status, std::move(code),
          std::move(hint)};
}
bad_input run(std::string name, std::string_view body, int status, std::string code, std::string hint = {}) {
  return sent(std::move(name), "POST", "/v1/runs", body, status, std::move(code), std::move(hint));
}
// A submission with one more member; it must be refused for this member.
bad_input field(std::string name, const std::string& member, std::string hint, std::string code = "invalid") {
  return run(std::move(name), R"({"name":"bad",)" + member + "}", 422, std::move(code), std::move(hint));
}
bad_input got(std::string name, std::string_view target, int status, std::string code, std::string hint = {},
              const header_list& headers = {}) {
  return sent(std::move(name), "GET", target, {}, status, std::move(code), std::move(hint), headers);
}

}  // namespace

std::vector<bad_input> broken_json() {
  const auto bad = [](std::string name, std::string body) {
    return run(std::move(name), body, 400, "malformed");
  };
  return {
      bad("an object that never ends", R"({"name":"bad")"),
      bad("a member without a value", R"({"name":})"),
      bad("a comma with nothing behind it", R"({"name":"bad",})"),
      bad("single quotes", R"({'name':'bad'})"),
      bad("a key without quotes", R"({name:"bad"})"),
      bad("something behind the value", R"({"name":"bad"} {"name":"bad"})"),
      bad("a comma forgotten", R"({"name":"bad" "payload":1})"),
      bad("half a literal", "nul"),
      bad("a text that never ends", R"({"name":"bad)"),
      bad("a comment", "{\"name\":\"bad\" /* why */}"),
      bad("a number that begins with 0", R"({"name":"bad","payload":01})"),
      bad("a number with a plus", R"({"name":"bad","payload":+1})"),
      bad("a number without a digit before the point", R"({"name":"bad","payload":.5})"),
      bad("not a number", R"({"name":"bad","payload":NaN})"),
      bad("infinity", R"({"name":"bad","payload":-Infinity})"),
      bad("a control character in a text", "{\"name\":\"bad\x01\"}"),
      bad("a NUL between tokens", std::string("{\"name\":\0\"bad\"}", 15)),
      bad("an unknown escape", R"({"name":"bad\x"})"),
      bad("half a surrogate", R"({"name":"bad\ud800"})"),
      bad("the wrong half of a surrogate", R"({"name":"bad\udc00x"})"),
      bad("bytes that are not UTF-8", "{\"name\":\"bad\xFF\xFE\"}"),
      bad("an overlong slash", "{\"name\":\"bad\xC0\xAF\"}"),
      bad("a surrogate in UTF-8", "{\"name\":\"bad\xED\xA0\x80\"}"),
      bad("a byte order mark", "\xEF\xBB\xBF{\"name\":\"bad\"}"),
      bad("a key twice", R"({"name":"bad","name":"bad"})"),
      bad("a key twice, once in disguise", R"({"name":"bad","n\u0061me":"bad"})"),
      bad("65 levels", R"({"name":"bad","payload":)" + repeated("[", 64) + repeated("]", 64) + "}"),
      bad("100,000 levels",
          R"({"name":"bad","payload":)" + repeated("[", 100'000) + repeated("]", 100'000) + "}"),
      bad("100,000 levels of objects that never end", repeated(R"({"a":)", 100'000)),
      bad("400,000 brackets", repeated("[", 400'000)),
  };
}

std::vector<bad_input> wrong_values() {
  const std::string process = R"("handler":{"kind":"process",)";
  const auto argv = [&](const std::string& rest) { return process + rest + "}"; };
  return {
      run("a list instead of an object", "[]", 422, "invalid"),
      run("a text instead of an object", "\"run\"", 422, "invalid"),
      run("a field that nobody knows", R"({"nmae":"bad"})", 422, "unknown_field", "did you mean name?"),
      run("a field that nobody knows in the handler",
          R"({"name":"bad","handler":{"kind":"process","argvv":["true"]}})", 422, "", "did you mean argv?"),
      field("a field that nobody knows in the retry policy", R"("retry":{"max_attempt":3})", "max_attempts",
            "unknown_field"),
      field("a name that is a number", R"("handler":{},"tags":[1])", "/tags/0"),
      run("a name that is null", R"({"name":null})", 422, "invalid", "/name"),
      run("a name that is too long", R"({"name":")" + repeated("x", 201) + "\"}", 422, "invalid", "/name"),
      run("a name with a control character", R"({"name":"bad\u0007"})", 422, "invalid", "/name"),
      run("a name with a NUL", R"({"name":"bad\u0000"})", 422, "invalid", "NUL"),
      field("an unknown handler", R"("handler":{"kind":"proces","argv":["true"]})", "did you mean process?",
            "unknown_handler"),
      field("a handler that is a text", R"("handler":"true")", "/handler"),
      field("a process without a command", argv(R"("env":{})"), "exactly one of argv and shell"),
      field("a process with two commands", argv(R"("argv":["true"],"shell":"true")"),
            "exactly one of argv and shell"),
      field("an empty argv", argv(R"("argv":[])"), "argv"),
      field("an empty program", argv(R"("argv":[""])"), "/handler/argv/0"),
      field("a number in argv", argv(R"("argv":["true",1])"), "/handler/argv/1"),
      field("a NUL in argv", argv(R"("argv":["true","a\u0000b"])"), "/handler/argv/1"),
      field("too many arguments", argv("\"argv\":[" + repeated("\"x\",", 256) + "\"x\"]"), "at most 256"),
      field("too large a command", argv("\"shell\":\"" + repeated("x", 200'000) + "\""), "at most 131072"),
      field("a relative directory", argv(R"("argv":["true"],"cwd":"tmp")"), "an absolute path"),
      field("a variable that is a number", argv(R"("argv":["true"],"env":{"A":1})"), "/handler/env/A"),
      field("a variable with an impossible name", argv(R"("argv":["true"],"env":{"A=B":"1"})"),
            "name of a variable"),
      field("a variable without a name", argv(R"("argv":["true"],"env":{"":"1"})"), "name of a variable"),
      field("an exit code of 256", argv(R"("argv":["true"],"success_codes":[256])"), "0 to 255"),
      field("a negative exit code", argv(R"("argv":["true"],"retryable_codes":[-1])"), "0 to 255"),
      field("a code that is both", argv(R"("argv":["true"],"success_codes":[3],"retryable_codes":[3])"),
            "cannot be both"),
      field("half a second of CPU", argv(R"("argv":["true"],"limits":{"cpu":"1500ms"})"), "whole seconds"),
      field("a memory limit in words", argv(R"("argv":["true"],"limits":{"memory":"lots"})"), "64MiB"),
      field("a negative memory limit", argv(R"("argv":["true"],"limits":{"memory":-1})"),
            "/handler/limits/memory"),
      field("a priority that does not exist", R"("priority":"urgnet")", "did you mean urgent?"),
      field("a priority as a number", R"("priority":1)", "/priority"),
      field("a duration without a unit", R"("timeout":"5")", "/timeout"),
      field("a duration as a number", R"("timeout":5)", "/timeout"),
      field("a negative duration", R"("timeout":"-5s")", "/timeout"),
      field("a duration in parsecs", R"("timeout":"5 parsecs")", "/timeout"),
      field("a duration of a million years", R"("timeout":"365000000d")", "/timeout"),
      field("a delay that overflows", R"("delay":"99999999999999999999s")", "/delay"),
      field("an ISO duration in months", R"("delay":"P1M")", "no fixed length"),
      field("a time that is none", R"("not_before":"yesterday")", "/not_before"),
      field("delay and not_before", R"("delay":"1s","not_before":"2030-01-01T00:00:00Z")", "not both"),
      field("no attempts", R"("retry":{"max_attempts":0})", "1 to 1000"),
      field("a negative number of attempts", R"("retry":{"max_attempts":-3})", "1 to 1000"),
      field("very many attempts", R"("retry":{"max_attempts":1e30})", "1 to 1000"),
      field("two and a half attempts", R"("retry":{"max_attempts":2.5})", "not whole"),
      field("attempts as a text", R"("retry":{"max_attempts":"3"})", "/retry/max_attempts"),
      field("attempts and retries", R"("retry":{"max_attempts":3,"retries":2})", "not both"),
      field("a number with 400 digits", "\"retry\":{\"max_attempts\":" + repeated("9", 400) + "}",
            "1 to 1000"),
      field("a jitter of 2", R"("retry":{"jitter":2})", "/retry/jitter"),
      field("a jitter beyond all numbers", R"("retry":{"jitter":1e400})", "/retry/jitter"),
      field("a base longer than allowed", R"("retry":{"base":"25h"})", "/retry/base"),
      field("a cap below the base", R"("retry":{"base":"10s","cap":"1s"})", "/retry/cap"),
      field("tags that are no list", R"("tags":"x")", "/tags"),
      field(
          "too many tags",
          "\"tags\":[" +
              [] {
                std::string all;
                for (int i = 0; i < 33; ++i) all += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\"";
                return all;
              }() +
              "]",
          "at most 32"),
      field("a tag that is too long", "\"tags\":[\"" + repeated("x", 65) + "\"]", "/tags/0"),
      field("metadata that is a list", R"("metadata":[1])", "/metadata"),
      field("metadata that is too large", "\"metadata\":{\"m\":\"" + repeated("x", 16 * 1024) + "\"}",
            "at most 16384"),
      field("a payload that is too large", "\"payload\":\"" + repeated("x", 64 * 1024) + "\"",
            "at most 65536"),
      field("a workspace that is too long", "\"workspace\":\"" + repeated("w", 101) + "\"", "/workspace"),
      field("a concurrency limit of 0", R"("concurrency_key":"k","concurrency_limit":0)",
            "/concurrency_limit"),
      field("an owner of no kind", R"("owner":{"kind":"king"})", "/owner"),
      field("an id that is none", R"("id":"run_x")", "/id"),
      field("the id of something else", R"("id":"job_0000000000000")", "/id"),
      field("an id from the future", R"("id":"run_7ZZZZZZZZZZZZ")", "/id"),
      field("a condition without a command", R"("condition":{"timeout":"5s"})", "/condition"),
      field("a condition with two commands", R"("condition":{"argv":["true"],"shell":"true"})",
            "exactly one of argv and shell"),
      field("a condition that may take for ever", R"("condition":{"shell":"true","timeout":"2h"})",
            "/condition/timeout"),
      field("a hook without a command", R"("on_end":{"kind":"process"})", "/on_end"),
      field("a traceparent that is none", R"("traceparent":"00-zz-11-01")", "/traceparent"),
      field("several mistakes at once", R"("priority":7,"timeout":"x","tags":3)", "and 2 more"),
  };
}

std::vector<bad_input> other_operations() {
  const std::string proof = R"("token":"0123456789012345678901234567890123456789012","fencing":1)";
  return {
      sent("an empty batch", "POST", "/v1/runs:batch", R"({"runs":[]})", 422, "invalid", "1 to 1000"),
      sent("a batch that is no list", "POST", "/v1/runs:batch", R"({"runs":{}})", 422, "invalid", "/runs"),
      sent("a batch without runs", "POST", "/v1/runs:batch", "{}", 422, "invalid", "/runs"),
      sent("a batch of 1,001", "POST", "/v1/runs:batch",
           "{\"runs\":[" + repeated(R"({"name":"bad"},)", 1000) + R"({"name":"bad"}]})", 413, "too_large",
           "1 to 1000"),
      sent("a batch with one bad run", "POST", "/v1/runs:batch",
           R"({"runs":[{"name":"bad"},{"name":"bad","priority":9}]})", 422, "invalid", "/runs/1/priority"),
      sent("a claim without a session", "POST", "/v1/claims", "{}", 422, "invalid", "/session"),
      sent("a claim of a stranger", "POST", "/v1/claims", R"({"session":"ses_0000000000001"})", 404,
           "not_found"),
      sent("a claim of nothing", "POST", "/v1/claims", R"({"session":"ses_0000000000001","max":0})", 422,
           "invalid", "/max"),
      sent("a claim that waits too long", "POST", "/v1/claims",
           R"({"session":"ses_0000000000001","wait":"2m"})", 422, "invalid", "/wait"),
      sent("a lease that is too short", "POST", "/v1/claims",
           R"({"session":"ses_0000000000001","lease":"1ms"})", 422, "invalid", "/lease"),
      sent("a completion without a token", "POST", "/v1/runs/run_0000000000001:complete", R"({"fencing":1})",
           422, "invalid", "/token"),
      sent("a completion of a run that is not there", "POST", "/v1/runs/run_0000000000001:complete",
           "{" + proof + "}", 404, "not_found"),
      sent("a completion of a name", "POST", "/v1/runs/nobody:complete", "{" + proof + "}", 404, "not_found"),
      sent("a release with a result", "POST", "/v1/runs/run_0000000000001:release",
           "{" + proof + R"(,"result":1})", 422, "unknown_field", "/result"),
      sent("a failure of no class", "POST", "/v1/runs/run_0000000000001:fail",
           "{" + proof + R"(,"class":"lost"})", 422, "invalid", "/class"),
      sent("a park without a time", "POST", "/v1/runs/run_0000000000001:park", "{" + proof + "}", 422,
           "invalid", "/for"),
      sent("a progress of 2", "POST", "/v1/runs/run_0000000000001:progress", "{" + proof + R"(,"value":2})",
           422, "invalid", "/value"),
      sent("a fencing number of 0", "POST", "/v1/runs/run_0000000000001:start",
           R"({"token":"x","fencing":0})", 422, "invalid", "/fencing"),
      sent("completions of nothing", "POST", "/v1/completions", R"({"items":[]})", 422, "invalid", "/items"),
      sent("1,001 completions", "POST", "/v1/completions", "{\"items\":[" + repeated("1,", 1000) + "1]}", 413,
           "too_large"),
      sent("a session without a name", "POST", "/v1/sessions", "{}", 422, "invalid", "/name"),
      sent("a session without slots", "POST", "/v1/sessions", R"({"name":"bad","slots":0})", 422, "invalid",
           "/slots"),
      sent("a job with a slash in its name", "POST", "/v1/jobs", R"({"name":"a/b"})", 422, "invalid",
           "/name"),
      sent("a job without a name", "POST", "/v1/jobs", "{}", 422, "invalid", "/name"),
      sent("a job of two names", "PUT", "/v1/jobs/one",
           R"({"name":"two","handler":{"kind":"process","shell":"true"}})", 422, "invalid", "another job"),
      sent("a trigger of a job that is not there", "POST", "/v1/jobs/nobody-here:trigger", "{}", 404,
           "not_found"),
      sent("a revision that is none", "DELETE", "/v1/jobs/nobody-here", "", 404, "not_found", "",
           {{"If-Match", "latest"}}),
      sent("limits that say nothing", "PUT", "/v1/limits", "{}", 422, "invalid", "at least one"),
      sent("a negative limit", "PUT", "/v1/limits", R"({"global":-1})", 422, "invalid", "/global"),
      sent("to cancel everything by mistake", "POST", "/v1/runs:cancel", R"({"filter":{}})", 422,
           "confirmation_required", "confirm"),
      sent("to cancel nothing in particular", "POST", "/v1/runs:cancel", "{}", 422, "invalid"),
      sent("to cancel by ids and by filter", "POST", "/v1/runs:cancel",
           R"({"ids":["run_0000000000001"],"filter":{"q":"x"}})", 422, "invalid", "both"),
      sent("to cancel what is not there", "POST", "/v1/runs/run_0000000000001:cancel", "", 404, "not_found"),
      sent("a verb that does not exist", "POST", "/v1/runs/run_0000000000001:explode", "{}", 405,
           "method_not_allowed"),
      sent("a key with spaces", "POST", "/v1/runs", R"({"name":"bad"})", 422, "invalid", "Idempotency-Key",
           {{"Idempotency-Key", "a b"}}),
      sent("a key that is too long", "POST", "/v1/runs", R"({"name":"bad"})", 422, "invalid",
           "Idempotency-Key", {{"Idempotency-Key", repeated("k", 201)}}),
      sent("an actor with spaces", "POST", "/v1/runs", R"({"name":"bad"})", 422, "invalid", "X-Belfry-Actor",
           {{"X-Belfry-Actor", "a b"}}),
  };
}

std::vector<bad_input> addresses() {
  return {
      got("a route that does not exist", "/v1/rusn", 404, "not_found", "did you mean /v1/runs?"),
      got("the way out of the folder", "/v1/../../etc/passwd", 404, "not_found"),
      got("a run that is not there", "/v1/runs/run_0000000000001", 404, "not_found"),
      got("an id that is none", "/v1/runs/run_!!", 422, "invalid", "/id"),
      got("a parameter that nobody knows", "/v1/runs?stat=queued", 422, "unknown_field",
          "did you mean state?"),
      got("a parameter where there are none", "/v1/health?verbose=1", 422, "unknown_field"),
      got("a parameter twice", "/v1/runs?limit=1&limit=2", 422, "invalid", "twice"),
      got("a cursor that is none", "/v1/runs?cursor=abc", 422, "invalid", "?cursor"),
      got("a cursor of 16 characters that is none", "/v1/runs?cursor=AAAAAAAAAAAAAAAA", 422, "invalid",
          "?cursor"),
      got("a page of nothing", "/v1/runs?limit=0", 422, "invalid", "1 to 500"),
      got("a page of 501", "/v1/runs?limit=501", 422, "invalid", "1 to 500"),
      got("a negative page", "/v1/runs?limit=-1", 422, "invalid", "1 to 500"),
      got("a page in words", "/v1/runs?limit=many", 422, "invalid", "not a whole number"),
      got("a page beyond all numbers", "/v1/runs?limit=99999999999999999999", 422, "invalid", "1 to 500"),
      got("a state that does not exist", "/v1/runs?state=quued", 422, "invalid", "did you mean queued?"),
      got("an order that does not exist", "/v1/runs?sort=size", 422, "invalid", "newest or oldest"),
      got("a time that is none", "/v1/runs?created_from=noon", 422, "invalid", "?created_from"),
      got("runs of a job that is not there", "/v1/runs?job=nobody-here", 404, "not_found"),
      got("a broken escape", "/v1/runs?q=%zz", 400, "malformed"),
      got("a NUL in disguise", "/v1/runs?q=a%00b", 400, "malformed"),
      got("half a character in disguise", "/v1/runs?q=%C3", 400, "malformed"),
      got("a position in the journal that is none", "/v1/events?after=now", 422, "invalid", "not a position"),
      got("a negative position", "/v1/events?after=-1", 422, "invalid", "not a position"),
      got("a last event that is none", "/v1/events", 422, "invalid", "not a position",
          {{"Last-Event-ID", "x"}, {"Accept", "text/event-stream"}}),
      got("a kind of event that does not exist", "/v1/events?kind=run_exploded", 422, "invalid",
          "no such event"),
      got("a negative attempt", "/v1/runs/x/logs?attempt=-1", 422, "invalid", "?attempt"),
      got("a batch that is none", "/v1/batches/7", 404, "not_found"),
      got("a session that is none", "/v1/sessions/7", 404, "not_found"),
      sent("a method that the address does not know", "DELETE", "/v1/runs", "", 405, "method_not_allowed",
           "GET"),
      sent("a method that nobody knows", "BREW", "/v1/runs", "", 405, "method_not_allowed"),
      sent("a method in small letters", "get", "/v1/runs", "", 405, "method_not_allowed"),
  };
}

std::vector<bad_input> broken_http() {
  const std::string valid = R"({"name":"bad"})";
  const auto typed = [&](std::string name, std::string type) {
    return sent(std::move(name), "POST", "/v1/runs", valid, 415, "unsupported_media", "application/json",
                {{"Content-Type", std::move(type)}});
  };
  const auto raw = [](std::string name, std::string bytes, int status, std::string code) {
    return bad_input{std::move(name), std::move(bytes), status, std::move(code), {}};
  };
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  const std::string body_of_10_mib = "{\"name\":\"bad\",\"payload\":\"" + repeated("x", 10U << 20) + "\"}";
  return {
      typed("a form", "application/x-www-form-urlencoded"),
      typed("plain text", "text/plain"),
      typed("XML", "application/xml; charset=utf-8"),
      raw("a body without a type",
          "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n" + valid, 415,
          "unsupported_media"),
      sent("a packed body", "POST", "/v1/runs", valid, 415, "unsupported_media", "",
           {{"Content-Encoding", "gzip"}}),
      sent("an expectation that nobody knows", "POST", "/v1/runs", valid, 400, "malformed", "",
           {{"Expect", "wonders"}}),
      raw("no Host", "GET /v1/health HTTP/1.1\r\n\r\n", 400, "malformed"),
      raw("two Hosts", "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400,
          "malformed"),
      got("the Host of somebody else", "/v1/health", 403, "forbidden", "", {{"Host", "evil.example"}}),
      got("a Host that only begins like ours", "/v1/health", 403, "forbidden", "",
          {{"Host", "127.0.0.1.evil.example"}}),
      got("an empty Host", "/v1/health", 403, "forbidden", "", {{"Host", ""}}),
      got("a page of another origin", "/v1/health", 403, "forbidden", "",
          {{"Origin", "https://evil.example"}}),
      got("a page of no origin", "/v1/health", 403, "forbidden", "", {{"Origin", "null"}}),
      sent("a body of 10 MiB", "POST", "/v1/runs", body_of_10_mib, 413, "too_large", "1048576"),
      sent("a body of one byte too many", "POST", "/v1/runs", repeated(" ", (1U << 20) + 1), 413,
           "too_large"),
      raw("a body of 10 MiB in chunks",
          submission_head + "Transfer-Encoding: chunked\r\n\r\n" +
              repeated("10000\r\n" + repeated("x", 65536) + "\r\n", 160) + "0\r\n\r\n",
          413, "too_large"),
      raw("a body that is announced as endless",
          submission_head + "Content-Length: 18446744073709551615\r\n\r\nx", 413, "too_large"),
      raw("a length beyond all numbers", submission_head + "Content-Length: 99999999999999999999999\r\n\r\nx",
          400, "malformed"),
      raw("a negative length", submission_head + "Content-Length: -5\r\n\r\nx", 400, "malformed"),
      raw("a length in words", submission_head + "Content-Length: five\r\n\r\nx", 400, "malformed"),
      raw("two lengths", submission_head + "Content-Length: 14\r\nContent-Length: 15\r\n\r\n" + valid, 400,
          "malformed"),
      raw("a length and chunks",
          submission_head + "Content-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
          "malformed"),
      raw("a chunk of no size", submission_head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n",
          400, "malformed"),
      raw("a chunk beyond all sizes",
          submission_head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nxx", 400, "malformed"),
      raw("a chunk that is longer than it says",
          submission_head + "Transfer-Encoding: chunked\r\n\r\n2\r\nxxxx\r\n0\r\n\r\n", 400, "malformed"),
      raw("101 headers", "GET /v1/health HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n", 431, "too_large"),
      raw("a header of 9 KiB",
          "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: " + repeated("x", 9 * 1024) + "\r\n\r\n", 431,
          "too_large"),
      raw("headers of 20 KiB",
          "GET /v1/health HTTP/1.1\r\nHost: localhost\r\n" +
              repeated("X: " + repeated("x", 1000) + "\r\n", 20) + "\r\n",
          431, "too_large"),
      raw("headers without end",
          "GET /v1/health HTTP/1.1\r\nHost: localhost\r\n" + repeated("X: y\r\n", 20'000), 431, "too_large"),
      raw("a header line without end", "GET /v1/health HTTP/1.1\r\nHost: " + repeated("h", 200'000), 431,
          "too_large"),
      raw("an address of 10 KiB", "GET /" + repeated("a", 10 * 1024) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
          431, "too_large"),
      raw("an address without end", "GET /" + repeated("a", 200'000), 431, "too_large"),
      raw("a header without a colon", "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n", 400,
          "malformed"),
      raw("a space in the name of a header", "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX Y: 1\r\n\r\n",
          400, "malformed"),
      raw("a NUL in a header",
          std::string("GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 53), 400, "malformed"),
      raw("a version that does not exist", "GET /v1/health HTTP/3.7\r\nHost: localhost\r\n\r\n", 400,
          "malformed"),
      raw("HTTP/0.9", "GET /v1/health\r\n\r\n", 400, "malformed"),
      raw("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed"),
      raw("the hello of TLS",
          std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + repeated("\xAB", 200), 400,
          "malformed"),
      raw("noise", repeated("\x8f\x01\xff\r\n", 500), 400, "malformed"),
      raw("another protocol", "EHLO mail.example\r\nMAIL FROM:<a@b>\r\n\r\n", 400, "malformed"),
  };
}

}  // namespace belfry::test
