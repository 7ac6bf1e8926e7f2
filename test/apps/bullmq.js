// BullMQ: jobs with retries, delays, priorities and children; events; a limit of the rate.
'use strict';
const assert = require('node:assert');
const { Queue, Worker, QueueEvents, FlowProducer } = require('bullmq');

const connection = { host: '127.0.0.1', port: Number(process.env.ROX_PORT), maxRetriesPerRequest: null };

async function main() {
  const queue = new Queue('work', { connection });
  const events = new QueueEvents('work', { connection });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);

  // Before anybody works: what waits, in which order.
  await queue.add('low', { n: 1 }, { priority: 10 });
  await queue.add('high', { n: 2 }, { priority: 1 });
  await queue.add('later', { n: 3 }, { delay: 200 });
  const before = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active');
  assert.deepStrictEqual([before.waiting, before.prioritized, before.delayed, before.active], [0, 2, 1, 0]);

  const ran = [];
  let failures = 0;
  const worker = new Worker('work', async (job) => {
    ran.push(job.name);
    if (job.name === 'flaky' && failures++ < 2) throw new Error('not yet');
    if (job.name === 'hopeless') throw new Error('never');
    await job.updateProgress(50);
    await job.log('half of it is done');
    return { sum: (job.data.n || 0) + 100 };
  }, { connection, concurrency: 1 });
  await worker.waitUntilReady();

  const flaky = await queue.add('flaky', { n: 4 }, { attempts: 3, backoff: { type: 'fixed', delay: 20 } });
  assert.deepStrictEqual(await flaky.waitUntilFinished(events, 20000), { sum: 104 });
  const hopeless = await queue.add('hopeless', {}, { attempts: 2 });
  await assert.rejects(hopeless.waitUntilFinished(events, 20000), /never/);
  const last = await queue.add('last', { n: 5 }, { delay: 300 });
  assert.deepStrictEqual(await last.waitUntilFinished(events, 20000), { sum: 105 });
  assert.ok(ran.indexOf('high') < ran.indexOf('low'), `order: ${ran}`);
  assert.ok(ran.includes('later'));
  assert.strictEqual(ran.filter((name) => name === 'flaky').length, 3);
  const after = await queue.getJobCounts('completed', 'failed', 'active', 'delayed', 'waiting');
  assert.deepStrictEqual([after.completed, after.failed, after.active, after.delayed, after.waiting], [5, 1, 0, 0, 0]);
  assert.strictEqual((await queue.getJobLogs(last.id)).count, 1);
  assert.strictEqual((await queue.getJob(hopeless.id)).failedReason, 'never');

  // Many jobs at once: each runs exactly once.
  const done = new Set();
  const many = new Queue('many', { connection });
  const workers = [1, 2, 3].map(() => new Worker('many', async (job) => {
    assert.ok(!done.has(job.data.i), 'ran twice');
    done.add(job.data.i);
  }, { connection, concurrency: 10 }));
  await many.addBulk(Array.from({ length: 300 }, (_, i) => ({ name: 'one', data: { i } })));
  for (let i = 0; i < 400 && done.size < 300; ++i) await new Promise((wake) => setTimeout(wake, 50));
  assert.strictEqual(done.size, 300);

  // A parent waits for its children.
  const flow = new FlowProducer({ connection });
  const parent = new Worker('parent', async (job) => {
    const values = Object.values(await job.getChildrenValues());
    return values.reduce((sum, value) => sum + value.sum, 0);
  }, { connection });
  const parentEvents = new QueueEvents('parent', { connection });
  await parentEvents.waitUntilReady();
  const tree = await flow.add({ name: 'sum', queueName: 'parent', children: [
    { name: 'a', queueName: 'work', data: { n: 1 } }, { name: 'b', queueName: 'work', data: { n: 2 } }] });
  assert.strictEqual(await tree.job.waitUntilFinished(parentEvents, 20000), 203);

  // Paused, nothing runs; a job may be removed; a queue may be emptied.
  await queue.pause();
  const idle = await queue.add('idle', {});
  assert.strictEqual(await queue.isPaused(), true);
  await idle.remove();
  assert.strictEqual(await queue.getJob(idle.id), undefined);
  await queue.resume();
  await queue.obliterate({ force: true });
  assert.deepStrictEqual(await queue.getJobCounts('completed', 'failed'), { completed: 0, failed: 0 });

  // Every so often.
  const ticks = [];
  const clock = new Queue('clock', { connection });
  const clockWorker = new Worker('clock', async () => { ticks.push(Date.now()); }, { connection });
  await clock.upsertJobScheduler('tick', { every: 100 }, { name: 'tick' });
  for (let i = 0; i < 200 && ticks.length < 3; ++i) await new Promise((wake) => setTimeout(wake, 50));
  assert.ok(ticks.length >= 3, 'the scheduler makes jobs');
  await clock.removeJobScheduler('tick');

  await Promise.all([worker, parent, clockWorker, ...workers].map((one) => one.close()));
  await Promise.all([queue, many, clock, flow, events, parentEvents].map((one) => one.close()));
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
