/* hiredis: commands, pipelines, and its asynchronous interface over libuv. */
#include <assert.h>
#include <hiredis/adapters/libuv.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG

static redisReply* run(redisContext* context, const char* line) {
  redisReply* const reply = redisCommand(context, line);
  assert(reply != NULL);
  return reply;
}

static void synchronous(int port) {
  redisContext* const context = redisConnect("127.0.0.1", port);
  assert(context != NULL && context->err == 0);
  freeReplyObject(run(context, "FLUSHALL"));
  redisReply* reply = redisCommand(context, "SET %s %b", "key", "a\0b", (size_t)3);
  assert(reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0);
  freeReplyObject(reply);
  reply = run(context, "GET key");
  assert(reply->type == REDIS_REPLY_STRING && reply->len == 3 &&
         memcmp(reply->str, "a\0b", 3) == 0);
  freeReplyObject(reply);
  reply = run(context, "LPUSH key x");
  assert(reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "WRONGTYPE", 9) == 0);
  freeReplyObject(reply);
  for (int i = 0; i < 1000; ++i) redisAppendCommand(context, "INCR n");
  for (int i = 0; i < 1000; ++i) {
    assert(redisGetReply(context, (void**)&reply) == REDIS_OK);
    assert(reply->type == REDIS_REPLY_INTEGER && reply->integer == i + 1);
    freeReplyObject(reply);
  }
  reply = run(context, "GET none");
  assert(reply->type == REDIS_REPLY_NIL);
  freeReplyObject(reply);
  redisFree(context);
}

static int messages = 0;
static int answers = 0;

static void on_message(redisAsyncContext* context, void* data, void* unused) {
  redisReply* const reply = data;
  (void)unused;
  if (reply == NULL || reply->elements != 3 || strcmp(reply->element[0]->str, "message") != 0)
    return;
  assert(strcmp(reply->element[2]->str, "hello") == 0);
  if (++messages == 10) redisAsyncDisconnect(context);
}

static void on_answer(redisAsyncContext* context, void* data, void* unused) {
  redisReply* const reply = data;
  (void)unused;
  assert(reply != NULL && reply->type == REDIS_REPLY_INTEGER);
  ++answers;
  if (messages >= 10) {
    redisAsyncDisconnect(context);
  } else {
    redisAsyncCommand(context, on_answer, NULL, "PUBLISH channel hello");
  }
}

static void asynchronous(int port) {
  uv_loop_t* const loop = uv_default_loop();
  redisAsyncContext* const subscriber = redisAsyncConnect("127.0.0.1", port);
  redisAsyncContext* const publisher = redisAsyncConnect("127.0.0.1", port);
  assert(subscriber->err == 0 && publisher->err == 0);
  redisLibuvAttach(subscriber, loop);
  redisLibuvAttach(publisher, loop);
  redisAsyncCommand(subscriber, on_message, NULL, "SUBSCRIBE channel");
  redisAsyncCommand(publisher, on_answer, NULL, "PUBLISH channel hello");
  uv_run(loop, UV_RUN_DEFAULT);
  assert(messages >= 10 && answers >= 10);
}

int main(void) {
  const int port = atoi(getenv("ROX_PORT"));
  synchronous(port);
  asynchronous(port);
  return 0;
}
