// connect-redis: sessions of a web application with express, kept from one request to the next.
'use strict';
const assert = require('node:assert');
const express = require('express');
const session = require('express-session');
const { RedisStore } = require('connect-redis');
const { createClient } = require('redis');

async function main() {
  const client = createClient({ url: `redis://127.0.0.1:${process.env.ROX_PORT}` });
  await client.connect();
  await client.flushAll();
  const store = new RedisStore({ client, prefix: 'sess:', ttl: 100 });
  const app = express();
  app.use(session({ store, secret: 'nobody knows', resave: false, saveUninitialized: false }));
  app.get('/count', (request, response) => {
    request.session.count = (request.session.count || 0) + 1;
    response.json(request.session.count);
  });
  app.get('/logout', (request, response) => request.session.destroy(() => response.json('bye')));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const base = `http://127.0.0.1:${server.address().port}`;

  const visitor = async () => {
    const first = await fetch(`${base}/count`);
    assert.strictEqual(await first.json(), 1);
    const headers = { cookie: first.headers.get('set-cookie').split(';')[0] };
    return async (path) => (await fetch(base + path, { headers })).json();
  };
  const ann = await visitor();
  const bob = await visitor();
  assert.strictEqual(await ann('/count'), 2);
  assert.strictEqual(await ann('/count'), 3);
  assert.strictEqual(await bob('/count'), 2);
  assert.strictEqual(await store.length(), 2);
  const ids = await store.ids();
  assert.ok(await client.ttl(`sess:${ids[0]}`) > 50);
  assert.deepStrictEqual((await store.all()).map((one) => one.count).sort(), [2, 3]);
  assert.strictEqual(await ann('/logout'), 'bye');
  assert.strictEqual(await store.length(), 1);
  assert.strictEqual(await ann('/count'), 1);
  await store.clear();
  assert.strictEqual(await store.length(), 0);
  server.close();
  await client.close();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
