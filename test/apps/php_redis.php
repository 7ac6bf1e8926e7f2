<?php
// php-redis: types, transactions, scripts, scans, Pub/Sub, and PHP's sessions kept in the server.
function check($condition, $what) {
    if (!$condition) {
        fwrite(STDERR, "failed: $what\n");
        exit(1);
    }
}

$port = (int) getenv('ROX_PORT');
$redis = new Redis();
$redis->connect('127.0.0.1', $port);
$redis->flushAll();
check($redis->set('key', 'value', ['nx', 'ex' => 100]) === true, 'SET NX EX');
check($redis->set('key', 'other', ['nx']) === false, 'SET NX of a key that is there');
check($redis->get('key') === 'value' && $redis->get('none') === false, 'GET');
check($redis->hMSet('hash', ['a' => '1', 'b' => '2']) && $redis->hGetAll('hash') === ['a' => '1', 'b' => '2'], 'hashes');
check($redis->rPush('list', 'a', 'b', 'c') === 3 && $redis->lRange('list', 0, -1) === ['a', 'b', 'c'], 'lists');
check($redis->sAdd('set', 'x', 'y') === 2 && $redis->sIsMember('set', 'x'), 'sets');
check($redis->zAdd('zset', 1.5, 'one', 2, 'two') === 2, 'ZADD');
check($redis->zRange('zset', 0, -1, true) === ['one' => 1.5, 'two' => 2.0], 'ZRANGE');
$id = $redis->xAdd('stream', '*', ['field' => 'value']);
check($redis->xRange('stream', '-', '+') === [$id => ['field' => 'value']], 'streams');
check($redis->multi()->incr('n')->incr('n')->get('n')->exec() === [1, 2, '2'], 'MULTI');
check($redis->multi(Redis::PIPELINE)->set('p', '1')->get('p')->exec() === [true, '1'], 'pipelines');
$redis->watch('n');
$other = new Redis();
$other->connect('127.0.0.1', $port);
$other->incr('n');
check($redis->multi()->incr('n')->exec() === false, 'WATCH');
check($redis->eval('return {KEYS[1], ARGV[1], 3}', ['k', 'a'], 1) === ['k', 'a', 3], 'EVAL');
for ($i = 0; $i < 100; ++$i) {
    $redis->set("scan:$i", $i);
}
$redis->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
$found = [];
$cursor = null;
while ($keys = $redis->scan($cursor, 'scan:*', 20)) {
    $found = array_merge($found, $keys);
}
check(count(array_unique($found)) === 100, 'SCAN');
$redis->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
$redis->set('object', ['nested' => [1, 2.5, null]]);
check($redis->get('object') === ['nested' => [1, 2.5, null]], 'serialised values');
$redis->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_NONE);

// Another process says something a little later.
$shout = "\$r = new Redis(); \$r->connect('127.0.0.1', $port); while (!\$r->publish('talk', 'hello')) usleep(20000);";
$process = proc_open([PHP_BINARY, '-r', $shout], [], $pipes);
$listener = new Redis();
$listener->connect('127.0.0.1', $port);
$listener->setOption(Redis::OPT_READ_TIMEOUT, 3);
$heard = null;
try {
    $listener->subscribe(['talk'], function ($redis, $channel, $text) use (&$heard) {
        $heard = "$channel $text";
    });
} catch (RedisException $silence) {  // the way out of subscribe() is that nothing comes any more
}
check($heard === 'talk hello', 'Pub/Sub');
proc_close($process);

ini_set('session.save_handler', 'redis');
ini_set('session.save_path', "tcp://127.0.0.1:$port?prefix=session:");
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
session_id('abc');
session_start();
$_SESSION['user'] = 'ann';
session_write_close();
check($redis->ttl('session:abc') > 0, 'the session is kept');
session_id('abc');
session_start();
check($_SESSION['user'] === 'ann', 'the session is read');
session_destroy();
check(!$redis->exists('session:abc'), 'the session is gone');
