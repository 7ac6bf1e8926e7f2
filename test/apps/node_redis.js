// node-redis, over RESP2 and RESP3: commands of every type, transactions, Pub/Sub, functions, and
// with RESP3 a cache in the client that the server keeps true.
'use strict';
const assert = require('node:assert');
const { createClient, createClientPool, WatchError } = require('redis');

const url = `redis://127.0.0.1:${process.env.ROX_PORT}`;

async function exercise(RESP) {
  const client = createClient({ url, RESP });
  await client.connect();
  await client.flushAll();
  await client.set('key', 'value', { expiration: { type: 'EX', value: 10 } });
  assert.strictEqual(await client.get('key'), 'value');
  assert.ok(await client.ttl('key') > 5);
  await client.hSet('hash', { field1: 'a', field2: 'b' });
  assert.deepEqual({ ...(await client.hGetAll('hash')) }, { field1: 'a', field2: 'b' });
  await client.sAdd('set', ['x', 'y']);
  assert.deepStrictEqual([...(await client.sMembers('set'))].sort(), ['x', 'y']);
  await client.zAdd('zset', [{ score: 1.5, value: 'one' }, { score: 2, value: 'two' }]);
  assert.deepEqual(await client.zRangeWithScores('zset', 0, -1),
                   [{ value: 'one', score: 1.5 }, { value: 'two', score: 2 }]);
  assert.strictEqual(await client.zScore('zset', 'one'), 1.5);
  await client.rPush('list', ['1', '2', '3']);
  assert.deepStrictEqual(await client.lRange('list', 0, -1), ['1', '2', '3']);
  const id = await client.xAdd('stream', '*', { name: 'x' });
  const entries = await client.xRange('stream', '-', '+');
  assert.deepEqual({ ...entries[0].message }, { name: 'x' });
  assert.strictEqual(entries[0].id, id);
  await client.pfAdd('hll', ['a', 'b', 'c']);
  assert.strictEqual(await client.pfCount('hll'), 3);
  await client.geoAdd('geo', { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' });
  assert.deepStrictEqual(await client.geoSearch('geo', { longitude: 13, latitude: 38 },
                                                { radius: 100, unit: 'km' }), ['Palermo']);

  const [ok, value] = await client.multi().set('multi', '1').get('multi').exec();
  assert.deepStrictEqual([ok, value], ['OK', '1']);
  const pool = createClientPool({ url, RESP }, { minimum: 1, maximum: 2 });
  await pool.connect();
  await pool.execute(async (isolated) => {
    await isolated.watch('multi');
    await client.set('multi', 'changed');
    await assert.rejects(isolated.multi().set('multi', 'lost').exec(), WatchError);
  });
  await pool.close();

  const subscriber = client.duplicate();
  await subscriber.connect();
  const heard = [];
  await subscriber.subscribe('channel', (message) => heard.push(message));
  await subscriber.pSubscribe('chan*', (message, channel) => heard.push(channel));
  await subscriber.sSubscribe('shard', (message) => heard.push(message));
  await client.publish('channel', 'message');
  await client.sPublish('shard', 'sharded');
  for (let i = 0; i < 100 && heard.length < 3; ++i) await new Promise((wake) => setTimeout(wake, 20));
  assert.deepStrictEqual(heard, ['message', 'channel', 'sharded']);
  await subscriber.unsubscribe('channel');
  await subscriber.pUnsubscribe('chan*');
  await subscriber.sUnsubscribe('shard');
  await subscriber.close();

  await client.functionLoad(
    `#!lua name=mylib
     redis.register_function{function_name='double', callback=function(keys, args) return args[1] * 2 end,
                             flags={'no-writes'}}`, { REPLACE: true });
  assert.strictEqual(await client.fCallRo('double', { keys: [], arguments: ['21'] }), 42);
  assert.strictEqual(await client.eval('return ARGV[1]', { keys: [], arguments: ['x'] }), 'x');

  const found = [];
  for await (const keys of client.scanIterator({ MATCH: '*s*' })) found.push(...keys);
  assert.deepStrictEqual(found.sort(), ['hash', 'list', 'set', 'stream', 'zset']);
  await client.close();
}

async function cache() {
  const client = createClient({ url, RESP: 3, clientSideCache: { ttl: 0, maxEntries: 100, evictPolicy: 'LRU' } });
  await client.connect();
  const writer = createClient({ url });
  await writer.connect();
  await writer.set('cached', '1');
  assert.strictEqual(await client.get('cached'), '1');
  assert.strictEqual(await client.get('cached'), '1');
  await writer.set('cached', '2');
  let value;
  for (let i = 0; i < 100 && value !== '2'; ++i) {
    await new Promise((wake) => setTimeout(wake, 20));
    value = await client.get('cached');
  }
  assert.strictEqual(value, '2', 'the client is told of the change');
  await client.close();
  await writer.close();
}

exercise(2).then(() => exercise(3)).then(cache)
  .then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
