// ioredis: pipelines, transactions, scripts as commands, Pub/Sub, streams, scans, waiting.
'use strict';
const assert = require('node:assert');
const Redis = require('ioredis');

const port = Number(process.env.ROX_PORT);

async function main() {
  const redis = new Redis(port, '127.0.0.1');
  await redis.flushall();
  assert.strictEqual(await redis.set('k', 'v', 'EX', 100, 'NX'), 'OK');
  assert.strictEqual(await redis.set('k', 'w', 'NX'), null);
  assert.deepStrictEqual(await redis.getBuffer('k'), Buffer.from('v'));
  const answers = await redis.pipeline().incr('n').incrby('n', 4).get('k').lpush('k', 'x').exec();
  assert.deepStrictEqual(answers.slice(0, 3), [[null, 1], [null, 5], [null, 'v']]);
  assert.match(answers[3][0].message, /^WRONGTYPE/);
  const transaction = await redis.multi().set('t', '1').incr('t').hset('h', { a: 1, b: 2 }).exec();
  assert.deepStrictEqual(transaction, [[null, 'OK'], [null, 2], [null, 2]]);
  assert.deepStrictEqual(await redis.hgetall('h'), { a: '1', b: '2' });

  await redis.watch('t');
  const other = redis.duplicate();
  await other.incr('t');
  assert.strictEqual(await redis.multi().incr('t').exec(), null);

  redis.defineCommand('addto', { numberOfKeys: 1,
    lua: "local sum = 0 for _, v in ipairs(ARGV) do sum = sum + redis.call('INCRBY', KEYS[1], v) end return {sum, KEYS[1]}" });
  assert.deepStrictEqual(await redis.addto('lua', 1, 2, 3), [10, 'lua']);
  assert.deepStrictEqual(await redis.addto('lua', 4), [10, 'lua']);  // by its hash this time

  const subscriber = new Redis(port, '127.0.0.1');
  const heard = [];
  subscriber.on('message', (channel, text) => heard.push([channel, text]));
  subscriber.on('pmessage', (pattern, channel, text) => heard.push([pattern, channel, text]));
  assert.strictEqual(await subscriber.subscribe('news', 'talk'), 2);
  assert.strictEqual(await subscriber.psubscribe('ne*'), 3);
  assert.strictEqual(await redis.publish('news', 'hello'), 2);
  for (let i = 0; i < 100 && heard.length < 2; ++i) await new Promise((wake) => setTimeout(wake, 20));
  assert.deepStrictEqual(heard, [['news', 'hello'], ['ne*', 'news', 'hello']]);
  await subscriber.unsubscribe('news', 'talk');
  await subscriber.punsubscribe('ne*');
  assert.strictEqual(await subscriber.get('k'), 'v');

  const popped = other.blpop('list', 5);
  setTimeout(() => redis.rpush('list', 'element'), 50);
  assert.deepStrictEqual(await popped, ['list', 'element']);

  const id = await redis.xadd('stream', '*', 'a', '1');
  await redis.xgroup('CREATE', 'stream', 'group', '0');
  const read = await redis.xreadgroup('GROUP', 'group', 'me', 'COUNT', 10, 'STREAMS', 'stream', '>');
  assert.deepStrictEqual(read, [['stream', [[id, ['a', '1']]]]]);
  assert.strictEqual(await redis.xack('stream', 'group', id), 1);

  for (let i = 0; i < 200; ++i) await redis.set(`scan:${i}`, i);
  const found = new Set();
  for await (const keys of redis.scanStream({ match: 'scan:*', count: 30 })) keys.forEach((key) => found.add(key));
  assert.strictEqual(found.size, 200);

  const prefixed = new Redis(port, '127.0.0.1', { keyPrefix: 'app:', db: 3, enableAutoPipelining: true });
  await Promise.all([prefixed.set('a', 1), prefixed.set('b', 2)]);
  await redis.select(3);
  assert.deepStrictEqual((await redis.keys('*')).sort(), ['app:a', 'app:b']);

  const monitor = await redis.monitor();
  const seen = new Promise((resolve) => monitor.on('monitor', (time, args) => resolve(args)));
  await other.get('watched');
  assert.deepStrictEqual(await seen, ['get', 'watched']);
  for (const client of [redis, other, subscriber, prefixed, monitor]) client.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
