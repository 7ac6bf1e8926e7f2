// Redlock: a lock is held by one, is extended and released, and is free again when its time is up.
'use strict';
const assert = require('node:assert');
const Redis = require('ioredis');
const { default: Redlock } = require('redlock');

async function main() {
  const redis = new Redis(Number(process.env.ROX_PORT), '127.0.0.1');
  await redis.flushall();
  const redlock = new Redlock([redis], { retryCount: 0 });
  const lock = await redlock.acquire(['resource', 'another'], 5000);
  await assert.rejects(redlock.acquire(['another'], 5000));
  const extended = await lock.extend(10000);
  assert.ok(await redis.pttl('resource') > 5000);
  await extended.release();
  assert.strictEqual(await redis.exists('resource', 'another'), 0);
  const short = await redlock.acquire(['resource'], 100);
  await new Promise((wake) => setTimeout(wake, 200));
  const next = await redlock.acquire(['resource'], 5000);
  await assert.rejects(short.release());
  await next.release();

  // Many want it; one at a time has it.
  const patient = new Redlock([redis], { retryCount: 500, retryDelay: 5, retryJitter: 5 });
  let inside = 0;
  let sum = 0;
  await Promise.all(Array.from({ length: 20 }, () => patient.using(['counter'], 5000, async () => {
    assert.strictEqual(++inside, 1);
    const before = sum;
    await new Promise((wake) => setTimeout(wake, 2));
    sum = before + 1;
    --inside;
  })));
  assert.strictEqual(sum, 20);
  redis.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
