// rate-limiter-flexible: points are used up, come back with time, may be taken away and given.
'use strict';
const assert = require('node:assert');
const Redis = require('ioredis');
const { RateLimiterRedis, BurstyRateLimiter } = require('rate-limiter-flexible');

async function main() {
  const redis = new Redis(Number(process.env.ROX_PORT), '127.0.0.1', { enableOfflineQueue: true });
  await redis.flushall();
  const limiter = new RateLimiterRedis({ storeClient: redis, points: 5, duration: 1, keyPrefix: 'limit' });
  for (let left = 4; left >= 0; --left) {
    assert.strictEqual((await limiter.consume('user')).remainingPoints, left);
  }
  await assert.rejects(limiter.consume('user'), (refusal) => refusal.msBeforeNext > 0 && refusal.remainingPoints === 0);
  assert.strictEqual((await limiter.consume('other')).remainingPoints, 4);
  await new Promise((wake) => setTimeout(wake, 1100));
  assert.strictEqual((await limiter.consume('user', 2)).remainingPoints, 3);
  await limiter.reward('user', 1);
  assert.strictEqual((await limiter.get('user')).consumedPoints, 1);
  await limiter.penalty('user', 3);
  assert.strictEqual((await limiter.get('user')).consumedPoints, 4);
  await limiter.block('user', 10);
  await assert.rejects(limiter.consume('user'), (refusal) => refusal.msBeforeNext > 5000);
  await limiter.delete('user');
  assert.strictEqual(await limiter.get('user'), null);

  // Of a hundred at once exactly five pass.
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => limiter.consume('crowd')));
  assert.strictEqual(results.filter((result) => result.status === 'fulfilled').length, 5);

  const bursty = new BurstyRateLimiter(
    new RateLimiterRedis({ storeClient: redis, keyPrefix: 'slow', points: 1, duration: 10 }),
    new RateLimiterRedis({ storeClient: redis, keyPrefix: 'burst', points: 2, duration: 10 }));
  for (let i = 0; i < 3; ++i) await bursty.consume('user');
  await assert.rejects(bursty.consume('user'));
  redis.disconnect();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
