// Bull, BullMQ's older sibling: jobs, retries, delays, progress, repetition, pauses.
'use strict';
const assert = require('node:assert');
const Queue = require('bull');

const redis = { host: '127.0.0.1', port: Number(process.env.ROX_PORT) };

async function main() {
  const queue = new Queue('video', { redis });
  let attempts = 0;
  const progress = [];
  queue.process('encode', 4, async (job) => {
    await job.progress(42);
    return job.data.x * 2;
  });
  queue.process('flaky', async () => {
    if (++attempts < 3) throw new Error('again');
    return 'at last';
  });
  queue.on('global:progress', (id, value) => progress.push(value));
  const jobs = await Promise.all(Array.from({ length: 50 }, (_, x) => queue.add('encode', { x })));
  const results = await Promise.all(jobs.map((job) => job.finished()));
  assert.deepStrictEqual(results, Array.from({ length: 50 }, (_, x) => x * 2));
  const flaky = await queue.add('flaky', {}, { attempts: 5, backoff: 10 });
  assert.strictEqual(await flaky.finished(), 'at last');
  assert.strictEqual(attempts, 3);

  const began = Date.now();
  const delayed = await queue.add('encode', { x: 7 }, { delay: 300 });
  assert.strictEqual((await queue.getDelayed()).length, 1);
  assert.strictEqual(await delayed.finished(), 14);
  assert.ok(Date.now() - began >= 300);
  const counts = await queue.getJobCounts();
  assert.strictEqual(counts.completed, 52);
  assert.strictEqual(counts.failed, 0);
  assert.ok(progress.length > 0);

  await queue.pause();
  const waiting = await queue.add('encode', { x: 1 }, { lifo: true });
  assert.strictEqual(await queue.getPausedCount(), 1);
  await queue.resume();
  assert.strictEqual(await waiting.finished(), 2);

  await queue.add('encode', { x: 3 }, { repeat: { every: 1000 } });
  assert.strictEqual((await queue.getRepeatableJobs()).length, 1);
  assert.ok((await queue.clean(0, 'completed')).length > 0);
  await queue.obliterate({ force: true });
  await queue.close();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
