#!/usr/bin/env python3
"""Scripts and functions, beside redis-server 7.0.15.

Hand-written scripts and generated ones run on both servers and must answer with the same bytes,
errors included, under RESP2 and RESP3. Then what only one server can show: BUSY and KILL, what a
restart keeps, what one call may not leave to the next.

    ROX_SEED=n     other scripts; the seed of a run is printed
    ROX_SCALE=x    so many times the generated scripts
"""
import os
import random
import re
import sys
import time

from _checks import Skip, expect, expect_that, run, shorten, test
from _resp import Error, encode, parse
from _server import Server, is_redis, redis_server, roxdb

SEED = int(os.environ.get("ROX_SEED", "20260518"))
SCALE = float(os.environ.get("ROX_SCALE", "1"))

# What each script finds.
PREPARE = [
    ["FLUSHALL"], ["SET", "s", "10"], ["RPUSH", "l", "a", "b", "c"], ["HSET", "h", "f", "v"],
    ["SADD", "one", "m"], ["ZADD", "z", "1.5", "m"], ["SETRANGE", "bin", "0", b"\x00\xff\r\n"],
]

VALUES = """
return 1
return 1.9
return -1.9
return 'text'
return ''
return true
return false
return nil
return
return {}
return {1,2,3}
return {1,'a',{2,{3}},true,false}
return {1,nil,3}
return {1,2,x=3}
return {ok='fine'}
return {err='My Err'}
return {err='MYCODE text'}
return {ok='two\\r\\nlines'}
return {err='ERR two\\r\\nlines'}
return {{ok='a'},{err='ERR b'},'c'}
return {double=3.5}
return {double='x'}
return {big_number='12345678901234567890'}
return {big_number='1\\r\\n2'}
return {verbatim_string={format='txt',string='abc'}}
return {verbatim_string={format='txt'}}
return {map={a=1}}
return {set={a=true}}
return {map={}}
return {set={}}
return {map=1}
return function() end
return coroutine.create(function() end)
return 9007199254740993
return 1e15
return -0
return tostring(-0)
return tostring(1e15)
return tostring(1e100)
return 2^53
return KEYS
return ARGV
return #KEYS
return KEYS[1]
return {KEYS[1],ARGV[1],ARGV[2],KEYS[2]}
return redis.status_reply('x')
return redis.error_reply('x')
return redis.error_reply('My Err')
return redis.error_reply('-MY err')
return redis.error_reply('-')
return redis.error_reply('')
return redis.error_reply('ERR a\\r\\n')
return redis.error_reply()
return redis.error_reply(1)
return redis.status_reply(1)
return redis.status_reply('a','b')
return redis.error_reply('A b')['err']
return redis.sha1hex('')
return redis.sha1hex('abc')
return redis.sha1hex(123)
return redis.sha1hex()
return redis.sha1hex('a','b')
return redis.LOG_DEBUG..redis.LOG_VERBOSE..redis.LOG_NOTICE..redis.LOG_WARNING
return {redis.REPL_NONE,redis.REPL_AOF,redis.REPL_SLAVE,redis.REPL_REPLICA,redis.REPL_ALL}
return redis.replicate_commands()
return redis.breakpoint()
return redis.debug('x')
return redis.log(redis.LOG_DEBUG,'x')
return redis.log('x')
return redis.log('x','y')
return redis.set_repl(redis.REPL_ALL)
return redis.set_repl(17)
return redis.set_repl()
return redis.setresp(3)
return redis.setresp(4)
return redis.setresp()
return redis.acl_check_cmd('get','x')
return redis.acl_check_cmd('nosuch')
return redis.acl_check_cmd()
return redis.nosuch
return redis.nosuch()
return type(redis.REDIS_VERSION)
return type(redis.REDIS_VERSION_NUM)
"""

COMMANDS = """
return redis.call('GET','s')
return redis.call('get','s')
return redis.call('GET','none')
return redis.call('SET','k','v')
return redis.call('SET','k',1)
return redis.call('SET','k',1.5) and redis.call('GET','k')
return redis.call('SET','k',1e20) and redis.call('GET','k')
return redis.call('SET','k',0.1) and redis.call('GET','k')
return redis.call('SET','k',-0) and redis.call('GET','k')
return redis.call('SET','k',1/0) and redis.call('GET','k')
return redis.call('SET','k',123456789012345678) and redis.call('GET','k')
return redis.call('SET','k',true)
return redis.call('SET','k',nil)
return redis.call('SET','k',{})
return redis.call()
return redis.pcall()
return redis.call({})
return redis.call('')
return redis.call('nosuch')
return redis.pcall('nosuch')
return redis.call('nosuch','a','b')
return redis.call('GET')
return redis.pcall('GET')
return redis.call('GET','a','b')
return redis.call('INCR','l')
return redis.pcall('INCR','l')
return redis.pcall('INCR','l')['err']
local r = redis.pcall('INCR','l') return type(r)
return pcall(redis.call,'INCR','l')
return {pcall(redis.call,'INCR','l')}
local ok, e = pcall(redis.call,'INCR','l') return {ok, type(e), e}
local ok, e = pcall(function() return redis.call('nosuch') end) return {ok, type(e), e}
local ok, e = pcall(error, 'x') return {ok, e}
local ok, e = pcall(error, {err='x'}) return {ok, e}
local ok, e = pcall(error, {a='x'}) return {ok, type(e)}
local ok, e = pcall(error) return {ok, e}
error('x')
error('x', 0)
error('x', 2)
error({err='x'})
error({err='MY x'})
error()
error(5)
error(true)
return redis.call('INCR','s')
return redis.call('LRANGE','l',0,-1)
return redis.call('LRANGE','none',0,-1)
return redis.call('HGETALL','h')
return redis.call('HGET','h','none')
return redis.call('HMGET','h','f','g')
return redis.call('MGET','s','none','s')
return redis.call('SMEMBERS','one')
return redis.call('ZRANGE','z',0,-1,'WITHSCORES')
return redis.call('ZSCORE','z','m')
return redis.call('GET','bin')
return redis.call('EXISTS','s','none')
return redis.call('PING')
return redis.call('PING','x')
return redis.call('ECHO','x')
return redis.call('TYPE','s')
return redis.call('TYPE','s').ok
return redis.call('TYPE','s')['ok']
return type(redis.call('GET','none'))
return type(redis.call('SET','a','b'))
return redis.call('SPOP','none')
return redis.call('LPOP','none')
return redis.call('BLPOP','none',0)
return redis.call('BLPOP','l',0)
return redis.call('BRPOPLPUSH','none','x',0)
return redis.call('XREAD','BLOCK',0,'STREAMS','x','$')
return redis.call('WAIT',0,0)
return redis.call('MULTI')
return redis.call('EXEC')
return redis.call('WATCH','s')
return redis.call('SUBSCRIBE','c')
return redis.call('EVAL','return 1',0)
return redis.call('SCRIPT','LOAD','return 1')
return redis.call('script')
return redis.call('SCRIPT','NOSUCH')
return redis.call('CLIENT','ID')
return redis.call('CONFIG','GET','save')
return redis.call('AUTH','x')
return redis.call('HELLO')
return redis.call('QUIT')
return redis.call('SHUTDOWN')
return redis.call('MONITOR')
return redis.call('DEBUG','JMAP')
return redis.call('SAVE')
return redis.call('FCALL','f',0)
return redis.call('FUNCTION','LIST')
return redis.call('SELECT',1)
redis.call('SELECT',1) redis.call('SET','in1','x') redis.call('SELECT',0) return redis.call('GET','in1')
return redis.call('SELECT',99)
return redis.call('OBJECT','ENCODING','s')
return redis.call('OBJECT','NOSUCH','s')
return redis.call('object')
return redis.call('OBJECT','HELP') and 1
return redis.call('SET','k','v','EX','x')
return redis.call('SINTERCARD',1,'one')
return redis.call('FLUSHALL')
return redis.call('DEL','s','l')
return redis.call('COMMAND','COUNT') > 100
redis.setresp(3) return redis.call('HGETALL','h')
redis.setresp(3) return redis.call('HGETALL','h').map.f
redis.setresp(3) return redis.call('HGETALL','none')
redis.setresp(3) return redis.call('SMEMBERS','one')
redis.setresp(3) return redis.call('SMEMBERS','one').set.m
redis.setresp(3) return redis.call('ZSCORE','z','m')
redis.setresp(3) return redis.call('ZSCORE','z','m').double
redis.setresp(3) return redis.call('ZSCORE','z','none')
redis.setresp(3) return type(redis.call('GET','none'))
redis.setresp(3) return redis.call('GET','none')
redis.setresp(3) return redis.call('LRANGE','l',0,-1)
redis.setresp(3) return redis.call('SET','k','v')
redis.setresp(3) return redis.call('SET','k','v').ok
redis.setresp(3) return redis.call('INCR','s')
redis.setresp(3) return redis.pcall('INCR','l')
redis.setresp(3) return true
redis.setresp(3) return false
redis.setresp(3) return {true,false,nil}
redis.setresp(3) redis.setresp(2) return true
redis.setresp(3) return {map={a=1,b=nil}}
redis.setresp(3) return redis.call('HRANDFIELD','h',1,'WITHVALUES')
redis.setresp(3) return redis.call('ZRANGE','z',0,-1,'WITHSCORES')
redis.setresp(3) return redis.call('ZPOPMIN','z')
redis.setresp(3) return redis.call('MGET','s','none')
"""

LANGUAGE = """
x = 1
x = 1 return x
return x
local x = 1 return x
return nosuch
return print
return nosuch.field
local t = nil return t.field
local t = {} return t.a.b
return 1 + nil
return 1 + {}
return 'a' + 1
return '10' + 1
return #5
return 5()
return {} < {}
return 1 < 'a'
return 'a' .. {}
for i = 1, 3 do redis.call('RPUSH','q',i) end return redis.call('LRANGE','q',0,-1)
local function f(n) if n == 0 then return 0 end return f(n - 1) end return f(100)
local function f(n) return 1 + f(n) end return f(1)
local t = setmetatable({}, {__index = function(t, k) return k end}) return t.abc
local t = setmetatable({}, {__tostring = function() return 'me' end}) return tostring(t)
return getmetatable('').__index == string
getmetatable('').__index = nil
getmetatable('').x = 1
setmetatable(_G, {})
getmetatable(_G).__index = {}
rawset(_G, 'x', 1)
_G.x = 1
_G = {}
redis = {}
redis.call = 1
string.upper = 1
string.new = 1
math.random = 1
table.insert = 1
cjson.encode = 1
cmsgpack.pack = 1
bit.band = 1
struct.pack = 1
coroutine.wrap = 1
KEYS = {}
KEYS[1] = 'x' return KEYS[1]
ARGV.n = 5 return ARGV.n
return rawget(_G, 'nosuch')
return type(_G)
return type(rawget(_G, 'redis'))
return _G.redis == redis
return type(next(redis))
local n = 0 for k in pairs(string) do n = n + 1 end return n > 10
for k, v in pairs({a=1}) do return {k, v} end
local s = 0 for i, v in ipairs({1,2,3}) do s = s + v end return s
return {select('#', 1, 2, 3), select(2, 'a', 'b')}
return {unpack({1,2,3})}
return {unpack({1,2,3}, 2)}
return {unpack({1,2,3}, 2, 3)}
return {unpack({}, 1, 3)}
return unpack({}, 1, 1e6)
return unpack({}, 0, 2147483647)
return unpack({}, -2147483648, 2147483647)
return #{unpack({}, 1, 7000)}
return {tonumber('0x10'), tonumber('10', 2), tonumber('z', 36), tonumber('x')}
return tostring(nil) .. tostring(true)
return {type(1), type('a'), type({}), type(nil), type(print)}
return assert(false)
return assert(false, 'because')
return assert(nil, 'because')
return assert(1, 2)
return loadstring('return 5')()
return {loadstring('return +')}
return loadstring('return x')()
local f = load(function() return nil end) return type(f)
local parts = {'return ', '7'} local i = 0 return load(function() i = i + 1 return parts[i] end)()
return xpcall(function() error('x') end, function(e) return 'caught' end)
return {xpcall(function() error('x') end, function(e) return 'caught ' .. e end)}
return {pcall(function() return 1, 2 end)}
return pcall()
return {coroutine.resume(coroutine.create(function(a) local b = coroutine.yield(a + 1) return b end), 1)}
local co = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end) return {co(), co()}
local co = coroutine.wrap(function() error('x') end) co()
return {coroutine.resume(coroutine.create(function() return redis.call('GET','s') end))}
return {coroutine.resume(coroutine.create(function() redis.call('nosuch') end))}
return coroutine.status(coroutine.create(function() end))
return type(collectgarbage('count'))
return collectgarbage()
return collectgarbage('nosuch')
return type(gcinfo())
return _VERSION
return dofile('x')
return require('x')
return io.open('x')
return os.exit()
return debug.getinfo(1)
return package.path
return string.dump(function() end)
goto x
return return
return 1 end
if true then return 1
for for
return '
return [[a]]
return [==[a]]b]==]
return "\\065\\n"
return #"\\0abc"
--[[ comment ]] return 1
-- comment
;
return 1;
return 0x10
return 1..2
return 3 % -2
return -3 % 2
return 7 / 2
return 2 ^ 0.5 > 1.41
return not nil
return nil == false
return 1 == 1.0
return '1' == 1
return 1 and 2
return nil or 'x'
local a <const> = 1
"""

LIBRARY_CALLS = """
return string.upper('abc')
return ('abc'):upper()
return string.rep('ab', 3)
return string.rep('ab', -1)
return string.sub('hello', 2, -2)
return string.format('%d %5.2f %s %q %x %c', 5, 1.234, 'a', 'b"', 255, 65)
return string.format('%s', {}) ~= nil
return string.format('%d', 'x')
return string.format('%999d', 1)
return string.format('%y', 1)
return string.format('%d', 3.7)
return {string.find('hello world', 'o w')}
return {string.find('a.b', '.', 1, true)}
return {string.match('key=value', '(%w+)=(%w+)')}
return {string.gsub('hello', 'l', 'L')}
return {string.gsub('hello', '(l)', '<%1>')}
return {string.gsub('abc', '%w', {a='1'})}
return {string.gsub('abc', '%w', function(c) return c .. c end)}
local t = {} for w in string.gmatch('a b c', '%a') do t[#t+1] = w end return t
return {string.byte('abc', 1, -1)}
return string.char(97, 98)
return string.char(256)
return string.reverse('abc')
return string.len('a\\0b')
return string.find('a', '[')
return string.find('a', '%')
return table.concat({1,2,3}, ',')
return table.concat({1,{},3})
local t = {3,1,2} table.sort(t) return t
local t = {3,1,2} table.sort(t, function(a, b) return a > b end) return t
local t = {1,2} table.insert(t, 3) table.insert(t, 1, 0) return t
local t = {1,2,3} table.remove(t) table.remove(t, 1) return t
table.insert(redis, 1)
table.remove(string)
return table.getn({1,2})
return table.maxn({1,2,[10]=1})
table.insert({})
table.insert({}, 1, 2, 3)
return math.floor(3.7) + math.ceil(3.2) + math.abs(-1) + math.max(1,2) + math.min(1,2)
return tostring(math.pi)
return math.fmod(7, 3)
return tostring(math.huge)
return tostring(-math.huge)
return math.random()
return math.random(10)
return math.random(1, 1000000)
return {math.random(100), math.random(100), math.random(100)}
math.randomseed(42) return {math.random(1000), math.random(1000)}
math.randomseed(-1) return math.random(1000000)
return math.random(0)
return math.random(2, 1)
return math.random(1, 2, 3)
return bit.band(0xff, 0x0f)
return bit.bor(1, 2, 4)
return bit.bxor(5, 3)
return bit.bnot(0)
return bit.lshift(1, 31)
return bit.lshift(1, 32)
return bit.rshift(-1, 1)
return bit.arshift(-8, 1)
return bit.rol(0x12345678, 12)
return bit.ror(0x12345678, 12)
return bit.bswap(0x12345678)
return bit.tobit(0xffffffff)
return bit.tobit(2^33 + 5)
return bit.tobit(1.5)
return bit.tobit(2.5)
return bit.tobit(-1.5)
return bit.tohex(255)
return bit.tohex(255, 4)
return bit.tohex(255, -4)
return bit.tohex(65535, -2147483648)
return bit.tohex(1, 0)
return bit.tohex(1, 20)
return bit.band()
return bit.band('x')
return bit.band('5', 4)
return cjson.encode({1,2,3})
return cjson.encode({})
return cjson.encode({a=1})
return cjson.encode({[1]=1,[2]=2,[4]=4})
return cjson.encode({[1000]=1})
return cjson.encode({[1]=1, a=2})
return cjson.encode('a"b\\\\c/d\\n\\t\\0\\127é')
return cjson.encode(1/3)
return cjson.encode(1e20)
return cjson.encode(123456789012)
return cjson.encode(123456789012345678)
return cjson.encode(0.1)
return cjson.encode(-0)
return cjson.encode(true)
return cjson.encode(nil)
return cjson.encode(cjson.null)
return cjson.encode({cjson.null, nil, 3})
return cjson.encode(0/0)
return cjson.encode(1/0)
return cjson.encode(function() end)
return cjson.encode({[true]=1})
return cjson.encode({[1.5]=1})
return cjson.encode()
return cjson.encode(1, 2)
local t = {} t.t = t return cjson.encode(t)
return cjson.decode('[1,2,3]')
return cjson.decode('{"a":1}').a
return cjson.decode('"text"')
return cjson.decode('12.5')
return tostring(cjson.decode('12.5e3'))
return tostring(cjson.decode('[null]')[1] == cjson.null)
return type(cjson.decode('null'))
return cjson.decode('true')
return cjson.decode('"\\\\u0041\\\\u00e9\\\\ud83d\\\\ude00"')
return cjson.decode('"\\\\ud800"')
return cjson.decode('"\\\\udc00"')
return cjson.decode('"\\\\x"')
return cjson.decode('"\\\\u12"')
return cjson.decode('"abc')
return cjson.decode('')
return cjson.decode(' ')
return cjson.decode('[')
return cjson.decode('[1,]')
return cjson.decode('[1 2]')
return cjson.decode('{"a"}')
return cjson.decode('{"a":}')
return cjson.decode('{a:1}')
return cjson.decode('{"a":1,}')
return cjson.decode('{"a":1')
return cjson.decode('nul')
return cjson.decode('tru')
return cjson.decode('1 2')
return tostring(cjson.decode('0x10'))
return tostring(cjson.decode('inf'))
return tostring(cjson.decode('01'))
return tostring(cjson.decode('-5'))
return tostring(cjson.decode('1e400'))
return cjson.decode('-')
return cjson.decode('+5')
return cjson.decode('.5')
return cjson.decode("'a'")
return cjson.decode('[' .. string.rep('[', 1000) .. string.rep(']', 1000) .. ']')
return #cjson.decode(string.rep('[', 1000) .. string.rep(']', 1000))
return cjson.decode('a\\0b')
return cjson.decode(5)
return cjson.decode()
return cjson.decode('1', 2)
return {cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision()}
return {cjson.encode_sparse_array()}
return cjson.encode_keep_buffer()
return cjson.encode_invalid_numbers()
return cjson.decode_invalid_numbers()
cjson.encode_max_depth(2) return cjson.encode({{1}})
cjson.encode_max_depth(2) return cjson.encode({{{1}}})
cjson.encode_max_depth(1000) cjson.decode_max_depth(2) return cjson.decode('[[[1]]]')
cjson.decode_max_depth(1000) cjson.encode_number_precision(3) return cjson.encode(3.14159)
cjson.encode_number_precision(14) return cjson.encode_number_precision(0)
return cjson.encode_number_precision(17)
cjson.encode_invalid_numbers(true) return cjson.encode({1/0, -1/0})
cjson.encode_invalid_numbers('null') return cjson.encode(0/0)
cjson.encode_invalid_numbers(false) return cjson.encode_invalid_numbers('x')
cjson.decode_invalid_numbers(false) return cjson.decode('0x10')
cjson.decode_invalid_numbers(true) cjson.encode_sparse_array(true) return cjson.encode({[1000]=1})
cjson.encode_sparse_array(false, 2, 10) local c = cjson.new() return c.encode({1})
return cjson._NAME
return cmsgpack.unpack(cmsgpack.pack({1,2,{3}}))
return {cmsgpack.unpack(cmsgpack.pack(1,'a',true,nil,1.5))}
return redis.sha1hex(cmsgpack.pack({a=1}))
return redis.sha1hex(cmsgpack.pack(0,127,128,255,256,65535,65536,4294967295,4294967296,2^53))
return redis.sha1hex(cmsgpack.pack(-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649))
return redis.sha1hex(cmsgpack.pack(1.5,0.1,1e300,1/0))
return redis.sha1hex(cmsgpack.pack(string.rep('a',31),string.rep('a',32),string.rep('a',256)))
local t = {} for i = 1, 20 do t[i] = i end return redis.sha1hex(cmsgpack.pack(t))
return redis.sha1hex(cmsgpack.pack({}))
return redis.sha1hex(cmsgpack.pack({[2]=1}))
local t = {} for i = 1, 20 do t = {t} end return redis.sha1hex(cmsgpack.pack(t))
return cmsgpack.pack()
return cmsgpack.unpack('')
return cmsgpack.unpack('\\193')
return cmsgpack.unpack('\\145')
return cmsgpack.unpack('\\220\\255\\255')
return cmsgpack.unpack('\\219\\255\\255\\255\\255')
return cmsgpack.unpack(5)
return cmsgpack.unpack()
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3))}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3), 2)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3), 2)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3), 2, 1)}
return cmsgpack.unpack_one('a', -1)
return cmsgpack.unpack_one('a', 5)
return cmsgpack.unpack_limit('a', -1)
return redis.sha1hex(struct.pack('>bhilfdsc3', 1, 2, 3, 4, 1.5, 2.5, 'abc', 'xyz'))
return redis.sha1hex(struct.pack('<BHILT', 255, 65535, 4294967295, 5, 6))
return redis.sha1hex(struct.pack('!4bi!8bd', 1, 2, 3, 4))
return redis.sha1hex(struct.pack('i1i2i3i4i5i6i7i8i16', 1, 2, 3, 4, 5, 6, 7, 8, -1))
return {struct.unpack('>bhi', struct.pack('>bhi', -1, -2, -3))}
return {struct.unpack('>BHI', struct.pack('>BHI', 1, 2, 3))}
return {struct.unpack('bc0', '\\3abcdef')}
return {struct.unpack('s', 'abc\\0def')}
return {struct.unpack('s', 'abc')}
return {struct.unpack('i', 'abc')}
return {struct.unpack('i', 'abcdefgh', 5)}
return {struct.unpack('i', 'abcdefgh', 6)}
return struct.unpack('c0', 'abc')
return struct.unpack('x', '')
return struct.size('bhil')
return struct.size('!8bd')
return struct.size('s')
return struct.size('c0')
return struct.size('i33')
return struct.size('c99999999999')
return struct.size('!3i')
return struct.size('y')
return struct.pack('i33', 1)
return struct.pack('y', 1)
return struct.pack('c5', 'abc')
return struct.pack('i')
return struct.pack('i', 'x')
return struct.pack('>I2', 300)
return struct.pack('c2147483647', 'a')
return struct.unpack('c2147483647', 'a')
return struct.unpack('i4', 'abcd', 2147483647)
"""

# Where we mean to differ from 7.0.15.
OURS = {
    # What waits for keys may run in a script since Redis 8, where it does not wait.
    "return redis.call('BLPOP','none',0)",
    "return redis.call('BLPOP','l',0)",
    "return redis.call('BRPOPLPUSH','none','x',0)",
    "return redis.call('XREAD','BLOCK',0,'STREAMS','x','$')",
    # Not there yet, and refused with another reason.
    "return redis.call('WAIT',0,0)",
    # Chance of its own for each call, so that one caller cannot see what another has drawn.
    "return math.random(10)",
    "return math.random(1, 1000000)",
    "return {math.random(100), math.random(100), math.random(100)}",
    # os.clock is there since Redis 7.4, byte code never was a good idea.
    "return os.exit()",
    "return string.dump(function() end)",
    # Refused, where Redis lets it do nothing.
    "table.remove(string)",
    # Slips of Redis: no argument is a success, and a negative limit loses its sign in the message.
    "return pcall()",
    "return cmsgpack.unpack_limit('a', -1)",
}


def need_redis():
    if redis_server() is None:
        raise Skip("no redis-server")
    return redis_server()


def lines(text):
    # A line of the lists above is a Python string in which \\\\ stands for one backslash of Lua.
    return [line for line in text.strip().split("\n") if line]


def both(requests_of, protocol):
    """Runs the same requests on both; differences are collected and shown together."""
    with Server(need_redis()) as there, Server(roxdb()) as here:
        redis, rox = there.connect(protocol), here.connect(protocol)
        differences = []
        count = 0
        for what, requests in requests_of:
            count += 1
            for connection in (redis, rox):
                connection.pipeline(PREPARE)
                connection.send_commands(requests)
            try:
                wanted = redis.read_raw_replies(len(requests))
                got = rox.read_raw_replies(len(requests))
            except ConnectionError as error:
                raise AssertionError("%s: %s" % (what, error))
            if without_words(got) != without_words(wanted) and what not in OURS:
                differences.append("%s\n      redis %s\n      rox   %s" % (
                    shorten(what), shorten(repr(wanted)), shorten(repr(got))))
        expect_that(not differences, "%d of %d differ:\n    %s" % (
            len(differences), count, "\n    ".join(differences[:60])))


# What redis-server 7.0 says of a refusal, and since when it says it in other words.
REFUSALS = (
    (rb"The user executing the script can't access at least one of the keys mentioned in the "
     rb"command arguments", rb"ACL failure in script: No permissions to access a key"),
    (rb"The user executing the script can't run this command or subcommand",
     rb"ACL failure in script: User \S+ has no permissions to run the '\S+' command"),
    (rb"this user has no permissions to access one of the keys used as arguments",
     rb"No permissions to access a key"),
    (rb"this user has no permissions to run", rb"User \S+ has no permissions to run"),
)


def without_sha1(replies):
    """Numbers of lines and names are compared; addresses of tables cannot be."""
    return [re.sub(rb"0x[0-9a-f]{6,}", b"0x", raw) for raw in replies]


def without_words(replies):
    """The same, and refusals in the words of 7.0."""
    for old, new in REFUSALS:
        replies = [re.sub(new, old, raw) for raw in replies]
    return without_sha1(replies)


def as_eval(text):
    for script in lines(text):
        yield script, [["EVAL", script, "2", "k1", "k2", "a1", "a2"]]


@test
def values_come_back_alike():
    for protocol in (2, 3):
        both(as_eval(VALUES), protocol)


@test
def commands_answer_alike_within_scripts():
    for protocol in (2, 3):
        both(as_eval(COMMANDS), protocol)


@test
def the_language_is_the_same():
    both(as_eval(LANGUAGE), 2)


@test
def libraries_do_the_same():
    both(as_eval(LIBRARY_CALLS), 2)


# ---- requests around scripts ----

REQUESTS = [
    ["EVAL"], ["EVAL", "return 1"], ["EVAL", "return 1", "x"], ["EVAL", "return 1", "-1"],
    ["EVAL", "return 1", "1"], ["EVAL", "return 1", "99999999999999999999"],
    ["EVAL", "", "0"], ["EVALSHA", "x", "0"], ["EVALSHA", "0" * 40, "0"],
    ["EVALSHA", "0" * 40, "x"],
    ["SCRIPT", "LOAD", "return 1"], ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    ["EVALSHA", "E0E1F9FABFC9D4800C877A703B823AC0578FF8DB", "0"],
    ["EVALSHA_RO", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    ["SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "x"],
    ["SCRIPT", "EXISTS"], ["SCRIPT", "LOAD"], ["SCRIPT", "LOAD", "return +"],
    ["SCRIPT", "LOAD", "return 1", "2"], ["SCRIPT"], ["SCRIPT", "NOSUCH"],
    ["SCRIPT", "KILL"], ["FUNCTION", "KILL"], ["SCRIPT", "FLUSH", "NOW"],
    ["SCRIPT", "FLUSH", "ASYNC", "x"], ["SCRIPT", "FLUSH", "SYNC"],
    ["SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"],
    ["SCRIPT", "FLUSH", "ASYNC"], ["SCRIPT", "FLUSH"], ["SCRIPT", "DEBUG", "NO"],
    ["SCRIPT", "DEBUG", "WHAT"], ["SCRIPT", "DEBUG"],
    ["EVAL_RO", "return redis.call('GET','s')", "0"],
    ["EVAL_RO", "return redis.call('SET','s','x')", "0"],
    ["EVAL_RO", "return redis.pcall('SET','s','x')", "0"],
    ["EVAL_RO", "return redis.call('PUBLISH','c','x')", "0"],
    ["EVAL", "#!lua\nreturn 1", "0"],
    ["EVAL", "#!lua flags=no-writes\nreturn redis.call('SET','s','x')", "0"],
    ["EVAL", "#!lua flags=no-writes\nreturn redis.call('GET','s')", "0"],
    ["EVAL", "#!lua flags=no-writes,allow-stale\nreturn 1", "0"],
    ["EVAL", "#!lua flags=nosuch\nreturn 1", "0"],
    ["EVAL", "#!lua name=x\nreturn 1", "0"], ["EVAL", "#!python\nreturn 1", "0"],
    ["EVAL", "#!lua flags=allow-cross-slot-keys\nreturn 1", "0"],
    ["EVAL", "#!lua flags=no-cluster\nreturn 1", "0"],
    ["EVAL", "#!lua\nerror('on line 2')", "0"],
    ["EVAL", "\n\nerror('on line 3')", "0"],
    ["EVAL", "\n\n+", "0"],
    ["EVAL_RO", "#!lua\nreturn 1", "0"],
    ["EVAL", "return redis.call('GET', KEYS[1])", "1", "s"],
    ["MULTI"], ["EVAL", "return redis.call('INCR', KEYS[1])", "1", "s"],
    ["EVAL", "return redis.call('nosuch')", "0"], ["GET", "s"], ["EXEC"],
    ["COMMAND", "GETKEYS", "EVAL", "x", "2", "a", "b", "c"],
    ["COMMAND", "GETKEYS", "EVAL", "x", "3", "a", "b"],
    ["COMMAND", "GETKEYS", "EVAL", "x", "2147483647", "a"],
    ["COMMAND", "GETKEYSANDFLAGS", "FCALL", "f", "z", "a"],
]

LIBRARY = """#!lua name=mylib
local function get(keys, args) return redis.call('GET', keys[1]) end
redis.register_function('get_key', get)
redis.register_function{function_name='set_key', callback=function(keys, args)
  return redis.call('SET', keys[1], args[1]) end, description='sets'}
redis.register_function{function_name='look', callback=get, flags={'no-writes'}}
redis.register_function('fail', function() error('in a function') end)
redis.register_function('globals', function() x = 1 end)
redis.register_function('reads', function() return nosuch end)
redis.register_function('registers', function()
  redis.register_function('other', function() end) end)
redis.register_function('count', function(keys, args) return {#keys, #args, keys, args} end)
redis.register_function('keys_global', function() return KEYS end)
redis.register_function('json', function(keys, args) return cjson.encode({1, 2}) end)
"""


def library(body, name="other", header=None):
    return (header or "#!lua name=%s" % name) + "\n" + body


FUNCTIONS = [
    ["FUNCTION", "LOAD", LIBRARY], ["FUNCTION", "LOAD", LIBRARY],
    ["FUNCTION", "LOAD", "REPLACE", LIBRARY],
    ["FCALL", "get_key", "1", "s"], ["FCALL", "set_key", "1", "n", "v"], ["GET", "n"],
    ["FCALL_RO", "get_key", "1", "s"], ["FCALL_RO", "look", "1", "s"],
    ["FCALL", "look", "1", "s"], ["FCALL", "fail", "0"], ["FCALL", "globals", "0"],
    ["FCALL", "reads", "0"], ["FCALL", "registers", "0"], ["FCALL", "keys_global", "0"],
    ["FCALL", "count", "1", "a", "b", "c"], ["FCALL", "json", "0"],
    ["FCALL", "nosuch", "0"], ["FCALL", "get_key"], ["FCALL", "get_key", "x"],
    ["FCALL", "get_key", "5", "a"], ["FCALL", "get_key", "-1"], ["FCALL", "nosuch", "x"],
    ["FUNCTION", "STATS"], ["FUNCTION", "LIST", "LIBRARYNAME"],
    ["FUNCTION", "LIST", "WHAT"], ["FUNCTION", "LIST", "WITHCODE", "WITHCODE"],
    ["FUNCTION", "LIST", "LIBRARYNAME", "none*"],
    ["FUNCTION", "DELETE", "nosuch"], ["FUNCTION", "DELETE"],
    ["FUNCTION", "FLUSH", "NOW"], ["FUNCTION", "FLUSH", "SYNC", "x"],
    ["FUNCTION", "LOAD"], ["FUNCTION", "LOAD", "REPLACE"], ["FUNCTION", "LOAD", "WHAT", LIBRARY],
    ["FUNCTION", "LOAD", "no header"], ["FUNCTION", "LOAD", "#!lua name=x"],
    ["FUNCTION", "LOAD", library("")], ["FUNCTION", "LOAD", library("x = 1")],
    ["FUNCTION", "LOAD", library("return +")], ["FUNCTION", "LOAD", library("error('x')")],
    ["FUNCTION", "LOAD", library("redis.call('GET','s')")],
    ["FUNCTION", "LOAD", library("return math.random()")],
    ["FUNCTION", "LOAD", library("redis.register_function()")],
    ["FUNCTION", "LOAD", library("redis.register_function('a')")],
    ["FUNCTION", "LOAD", library("redis.register_function(1, 2, 3)")],
    ["FUNCTION", "LOAD", library("redis.register_function('a', 'b')")],
    ["FUNCTION", "LOAD", library("redis.register_function({}, 'b')")],
    ["FUNCTION", "LOAD", library("redis.register_function('a b', function() end)")],
    ["FUNCTION", "LOAD", library("redis.register_function('', function() end)")],
    ["FUNCTION", "LOAD", library(
        "redis.register_function('a', function() end) redis.register_function('a', function() end)")],
    ["FUNCTION", "LOAD", library("redis.register_function('get_key', function() end)")],
    ["FUNCTION", "LOAD", library("redis.register_function{}")],
    ["FUNCTION", "LOAD", library("redis.register_function{function_name='a'}")],
    ["FUNCTION", "LOAD", library("redis.register_function{callback=function() end}")],
    ["FUNCTION", "LOAD", library("redis.register_function{function_name={}}")],
    ["FUNCTION", "LOAD", library("redis.register_function{description={}}")],
    ["FUNCTION", "LOAD", library("redis.register_function{callback=1}")],
    ["FUNCTION", "LOAD", library("redis.register_function{flags=1}")],
    ["FUNCTION", "LOAD", library("redis.register_function{flags={'nosuch'}}")],
    ["FUNCTION", "LOAD", library("redis.register_function{flags={1}}")],
    ["FUNCTION", "LOAD", library("redis.register_function{nosuch=1}")],
    ["FUNCTION", "LOAD", library("redis.register_function{[1]=1}")],
    ["FUNCTION", "LOAD", library("", header="#!lua")],
    ["FUNCTION", "LOAD", library("", header="#!lua name=a name=b")],
    ["FUNCTION", "LOAD", library("", header="#!lua name=a b=c")],
    ["FUNCTION", "LOAD", library("", header="#!lua name=a-b")],
    ["FUNCTION", "LOAD", library("", header="#!js name=a")],
    ["FUNCTION", "LOAD", library("redis.nosuch()")],
    ["FUNCTION", "LOAD", library("redis.x = 1")],
    ["FUNCTION", "LOAD", library("local f = redis.register_function f('late', function() return 1 end)")],
    ["FCALL", "late", "0"], ["FUNCTION", "DELETE", "other"], ["FCALL", "late", "0"],
    ["FUNCTION", "RESTORE", "x"], ["FUNCTION", "RESTORE", "x", "WHAT"],
    ["FUNCTION", "RESTORE", "x" * 20], ["FUNCTION", "RESTORE", "a", "b", "c"],
    ["FUNCTION", "NOSUCH"], ["FUNCTION"],
    ["FUNCTION", "FLUSH"], ["FCALL", "get_key", "1", "s"],
    ["FUNCTION", "LIST"], ["FUNCTION", "STATS"],
]


@test
def requests_about_scripts_are_answered_alike():
    for protocol in (2, 3):
        both([(repr(request), [request]) for request in REQUESTS], protocol)


@test
def functions_are_answered_alike():
    for protocol in (2, 3):
        both([(repr(request), [request]) for request in FUNCTIONS], protocol)


FULL = [
    ["CONFIG", "SET", "maxmemory", "1"],
    ["EVAL", "return redis.call('SET','k','v')", "0"],
    ["EVAL", "return redis.pcall('SET','k','v')", "0"],
    ["EVAL", "return redis.call('GET','s')", "0"],
    ["EVAL", "redis.call('DEL','l') return redis.call('SET','k','v')", "0"],
    ["EVAL_RO", "return redis.call('GET','s')", "0"],
    ["EVAL", "#!lua\nreturn redis.call('GET','s')", "0"],
    ["EVAL", "#!lua flags=no-writes\nreturn redis.call('GET','s')", "0"],
    ["EVAL", "#!lua flags=allow-oom\nreturn redis.call('SET','k','v')", "0"],
    ["FUNCTION", "LOAD", "#!lua name=a\nredis.register_function('f', function() end)"],
    ["CONFIG", "SET", "maxmemory", "0"],
]

RIGHTS = [
    ["ACL", "SETUSER", "bob", "on", "nopass", "+@scripting", "+get", "+ping", "+auth", "~a*"],
    ["AUTH", "bob", "x"],
    ["EVAL", "return redis.call('GET','a')", "1", "a"],
    ["EVAL", "return redis.call('GET','b')", "1", "a"],
    ["EVAL", "return redis.pcall('GET','b')", "1", "a"],
    ["EVAL", "return redis.call('SET','a','x')", "0"],
    ["EVAL", "return redis.call('GET','a')", "1", "b"],
    ["EVAL", "return {redis.acl_check_cmd('GET','a'), redis.acl_check_cmd('GET','b'), "
             "redis.acl_check_cmd('SET','a','x'), redis.acl_check_cmd('PING')}", "0"],
    ["EVAL", "return redis.acl_check_cmd('nosuch')", "0"],
    ["EVAL_RO", "return redis.call('GET','a')", "1", "a"],
    ["FCALL", "nosuch", "1", "b"],
    ["AUTH", "default", ""], ["ACL", "DELUSER", "bob"],
]


@test
def rules_of_memory_and_rights_hold_within_scripts():
    for requests in (FULL, RIGHTS):
        both([("%r ..." % requests[0], requests)], 2)


def listed(connection):
    """FUNCTION LIST, in an order of its own."""
    found = {}
    for one in connection.call("FUNCTION", "LIST", "WITHCODE"):
        fields = dict(zip(one[::2], one[1::2]))
        functions = {}
        for function in fields[b"functions"]:
            shown = dict(zip(function[::2], function[1::2]))
            functions[shown[b"name"]] = (shown[b"description"], sorted(shown[b"flags"]))
        found[fields[b"library_name"]] = (fields[b"engine"], functions, fields[b"library_code"])
    return found


OTHER = library("redis.register_function('two', function() return 2 end)", name="second")


@test
def libraries_travel_to_redis_and_back():
    with Server(need_redis()) as there, Server(roxdb()) as here:
        redis, rox = there.connect(), here.connect()
        for connection in (redis, rox):
            for code in (LIBRARY, OTHER):
                expect(isinstance(connection.call("FUNCTION", "LOAD", code), Error), False)
        expect(listed(rox), listed(redis))
        for source, target in ((redis, rox), (rox, redis)):
            payload = source.call("FUNCTION", "DUMP")
            wanted = listed(source)
            expect(target.call("FUNCTION", "RESTORE", payload)[:4], b"ERR ")
            expect(target.call("FUNCTION", "RESTORE", payload, "REPLACE"), b"OK")
            expect(listed(target), wanted)
            target.call("FUNCTION", "FLUSH")
            expect(target.call("FUNCTION", "RESTORE", payload, "APPEND"), b"OK")
            expect(listed(target), wanted)
            target.call("FUNCTION", "DELETE", "mylib")
            expect(target.call("FUNCTION", "RESTORE", payload, "FLUSH"), b"OK")
            expect(listed(target), wanted)
            for at in range(0, len(payload), 7):
                bad = bytearray(payload)
                bad[at] ^= 0x20
                expect(target.call("FUNCTION", "RESTORE", bytes(bad), "FLUSH"),
                       b"ERR DUMP payload version or checksum are wrong")
        redis.call("FUNCTION", "FLUSH")
        empty = redis.call("FUNCTION", "DUMP")
        expect(rox.call("FUNCTION", "RESTORE", empty, "FLUSH"), b"OK")
        expect(listed(rox), {})


@test
def libraries_outlive_a_restart():
    changes = [["FUNCTION", "LOAD", LIBRARY], ["FUNCTION", "LOAD", OTHER],
               ["FUNCTION", "DELETE", "second"], ["SET", "k", "v"],
               ["FUNCTION", "LOAD", "REPLACE", OTHER]]
    for options in ({"appendonly": "yes"}, {"save": "3600 1"}, {"appendonly": "yes", "save": ""}):
        with Server(roxdb(), options) as server:
            connection = server.connect()
            for change in changes:
                expect(isinstance(connection.call(*change), Error), False, repr(change))
            if "appendonly" in options and "save" in options:
                connection.call("BGREWRITEAOF")
                server.wait_for_background_save()
                connection.call("FUNCTION", "DELETE", "second")
                connection.call("FUNCTION", "LOAD", OTHER)
            wanted = listed(connection)
            expect(sorted(wanted), [b"mylib", b"second"])
            server.stop()
            server.start()
            connection = server.connect()
            expect(listed(connection), wanted)
            expect(connection.call("FCALL", "two", "0"), 2)
            expect(connection.call("FCALL", "get_key", "1", "k"), b"v")


@test
def libraries_in_a_file_of_redis_are_loaded():
    with Server(need_redis()) as there:
        redis = there.connect()
        redis.call("FUNCTION", "LOAD", LIBRARY)
        redis.call("SET", "k", "v")
        expect(redis.call("SAVE"), b"OK")
        here = Server(roxdb(), start=False)
        os.link(os.path.join(there.directory, "dump.rdb"),
                os.path.join(here.directory, "dump.rdb"))
        with here.start():
            expect(listed(here.connect()), listed(redis))
            expect(here.call("FCALL", "get_key", "1", "k"), b"v")


# ---- generated scripts ----

class Maker:
    """Random scripts out of what both servers promise to do alike."""

    def __init__(self, chance):
        self.chance = chance

    def value(self, depth=0):
        pick = self.chance.randrange(9 if depth < 3 else 6)
        if pick == 0:
            return self.chance.choice(["1", "-7", "0", "2.5", "1e3", "123456789", "0.5"])
        if pick == 1:
            return self.chance.choice(["'a'", "''", "'10'", "'x y'", "'\\0'", "'\\r\\n'"])
        if pick == 2:
            return self.chance.choice(["true", "false", "nil"])
        if pick == 3:
            return self.chance.choice(["KEYS[1]", "ARGV[1]", "KEYS[9]", "#ARGV"])
        if pick == 4:
            return self.call()
        if pick == 5:
            return "tostring(%s)" % self.chance.choice(["1", "nil", "true", "'a'", "1.5"])
        if pick == 6:
            return "{%s}" % ",".join(self.value(depth + 1) for _ in range(self.chance.randrange(4)))
        if pick == 7:
            return "{%s=%s}" % (self.chance.choice(["ok", "err", "double", "map", "set", "a"]),
                                self.value(depth + 1))
        return "(%s %s %s)" % (self.value(depth + 1),
                               self.chance.choice(["+", "-", "*", "..", "==", "and", "or", "<"]),
                               self.value(depth + 1))

    def call(self):
        name = self.chance.choice([
            "'GET','s'", "'GET','none'", "'INCR','s'", "'SET','k',%s" % self.scalar(),
            "'LPUSH','l',%s" % self.scalar(), "'LRANGE','l',0,-1", "'HGETALL','h'",
            "'HSET','h','f',%s" % self.scalar(), "'LPOP','l'", "'INCR','l'", "'nosuch'",
            "'ZSCORE','z','m'", "'EXISTS','s','k'", "'APPEND','s',%s" % self.scalar(),
            "'SMEMBERS','one'", "'TYPE','l'", "'DEL','k'", "'STRLEN','s'", "'MGET','s','k'"])
        return "redis.%s(%s)" % (self.chance.choice(["call", "pcall"]), name)

    def scalar(self):
        return self.chance.choice(["1", "'v'", "ARGV[1]", "2.5", "-3", "1e10", "{}", "nil", "true"])

    def statement(self):
        pick = self.chance.randrange(7)
        if pick == 0:
            return "local v%d = %s" % (self.chance.randrange(3), self.value())
        if pick == 1:
            return "if %s then %s end" % (self.value(), self.call())
        if pick == 2:
            return "for i = 1, 3 do %s end" % self.call()
        if pick == 3:
            return "redis.setresp(%d)" % self.chance.choice([2, 3])
        if pick == 4:
            return "local ok, e = pcall(function() return %s end)" % self.value()
        if pick == 5:
            return self.call()
        return "local t = %s" % self.value()

    def script(self):
        body = [self.statement() for _ in range(self.chance.randrange(4))]
        body.append("return " + self.chance.choice([
            self.value(), self.call(), "cjson.encode(%s)" % self.value(),
            "{%s,%s}" % (self.call(), self.value())]))
        return self.chance.choice([" ", "\n"]).join(body)


@test
def generated_scripts_answer_alike():
    chance = random.Random(SEED)
    print("  seed %d" % SEED)
    maker = Maker(chance)
    scripts = [maker.script() for _ in range(int(1500 * SCALE))]
    looks = [["GET", "s"], ["GET", "k"], ["LRANGE", "l", "0", "-1"], ["HGETALL", "h"]]
    for protocol in (2, 3):
        both([(script, [["EVAL", script, "1", "k1", "a1"]] + looks) for script in scripts],
             protocol)


# ---- what takes long ----

ENDLESS = "while true do end"
LONG_MATCH = "return string.find(string.rep('a', 2000), string.rep('.-', 6) .. 'b')"
WRITES = "redis.call('SET','k','v') while true do end"
ENDLESS_LIBRARY = library("redis.register_function('endless', function() while true do end end)",
                          name="endless")


def start_endless(server, *request):
    """A connection whose script runs, once others are told so."""
    busy = server.connect()
    busy.send(encode(request))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        reply = server.call("GET", "x")
        if isinstance(reply, Error) and reply.startswith(b"BUSY"):
            return busy
        time.sleep(0.01)
    raise AssertionError("nobody is told BUSY")


def busy_server():
    return Server(roxdb(), {"busy-reply-threshold": "50"})


@test
def a_script_that_takes_long_is_killed():
    with busy_server() as server:
        other = server.connect()
        for script in (ENDLESS, ENDLESS, LONG_MATCH):
            busy = start_endless(server, "EVAL", script, "0")
            expect(other.call("PING"), b"BUSY Redis is busy running a script. You can only call "
                                       b"SCRIPT KILL or SHUTDOWN NOSAVE.")
            expect(other.call("FUNCTION", "KILL")[:4], b"BUSY")
            expect(other.call("SCRIPT", "KILL"), b"OK")
            expect_that(busy.read().startswith(b"ERR Script killed by user with SCRIPT KILL..."),
                        "it says why it ended")
            expect(other.call("PING"), b"PONG")
            expect(busy.call("PING"), b"PONG")


@test
def pcall_does_not_save_a_script_that_is_killed():
    with busy_server() as server:
        busy = start_endless(server, "EVAL", "while true do pcall(function() while true do end end) "
                                             "end", "0")
        expect(server.call("SCRIPT", "KILL"), b"OK")
        expect(isinstance(busy.read(), Error), True)
        busy = start_endless(
            server, "EVAL", "local f = coroutine.wrap(function() while true do end end) "
                            "while true do pcall(f) end", "0")
        expect(server.call("SCRIPT", "KILL"), b"OK")
        expect(isinstance(busy.read(), Error), True)


@test
def a_function_that_takes_long_is_killed():
    with busy_server() as server:
        expect(server.call("FUNCTION", "LOAD", ENDLESS_LIBRARY), b"endless")
        busy = start_endless(server, "FCALL", "endless", "0")
        expect(server.call("PING"), b"BUSY Redis is busy running a script. You can only call "
                                    b"FUNCTION KILL or SHUTDOWN NOSAVE.")
        expect(server.call("SCRIPT", "KILL")[:4], b"BUSY")
        stats = server.call("FUNCTION", "STATS")
        expect(stats[1][:4], [b"name", b"endless", b"command", [b"FCALL", b"endless", b"0"]])
        expect(server.call("FUNCTION", "KILL"), b"OK")
        expect(isinstance(busy.read(), Error), True)
        expect(server.call("PING"), b"PONG")


@test
def a_script_that_has_written_is_not_killed():
    with busy_server() as server:
        start_endless(server, "EVAL", WRITES, "0")
        expect(server.call("SCRIPT", "KILL")[:10], b"UNKILLABLE")
        expect(server.call("SHUTDOWN")[:4], b"BUSY")
        with server.connect() as last:
            last.send(encode(["SHUTDOWN", "NOSAVE"]))
            server.wait()


@test
def half_of_a_script_is_never_in_the_log():
    with Server(roxdb(), {"busy-reply-threshold": "50", "appendonly": "yes",
                          "appendfsync": "always"}) as server:
        server.call("SET", "before", "x")
        start_endless(server, "EVAL", WRITES, "0")
        with server.connect() as last:
            last.send(encode(["SHUTDOWN", "NOSAVE"]))
            server.wait()
        server.start()
        expect(server.call("MGET", "before", "k"), [b"x", None])


@test
def requests_behind_a_long_script_are_answered_in_order():
    with busy_server() as server:
        busy = server.connect()
        busy.send_commands([["SET", "a", "1"], ["EVAL", ENDLESS, "0"], ["GET", "a"], ["PING"]])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if server.call("SCRIPT", "KILL") == b"OK":
                break
            time.sleep(0.01)
        busy.send(encode(["ECHO", "last"]))
        expect(busy.read(), b"OK")
        expect(isinstance(busy.read(), Error), True)
        expect([busy.read(), busy.read(), busy.read()], [b"1", b"PONG", b"last"])


@test
def clients_that_come_and_go_while_a_script_runs_do_no_harm():
    chance = random.Random(SEED)
    with busy_server() as server:
        busy = start_endless(server, "EVAL", ENDLESS, "0")
        for _ in range(200):
            with server.connect() as one:
                one.send_commands([["GET", "x"]] * chance.randrange(1, 30))
                if chance.randrange(2):
                    expect(one.read()[:4], b"BUSY")
                one.send(encode(["SET", "k", "v" * chance.choice([1, 100000])])[:50])
        busy.close()
        expect(server.call("SCRIPT", "KILL"), b"OK")
        server.wait_until(lambda info: info["connected_clients"] == "1", "all but one are gone")
        expect(server.call("PING"), b"PONG")


@test
def who_waits_for_a_key_is_served_when_the_script_has_ended():
    with busy_server() as server:
        waiting = server.connect()
        waiting.send(encode(["BLPOP", "q", "0"]))
        server.wait_until(lambda info: info["blocked_clients"] == "1", "one waits")
        busy = server.connect()
        busy.send(encode(["EVAL", "redis.call('RPUSH','q','x') local n = 0 "
                                  "for i = 1, 60000000 do n = n + i end "
                                  "return redis.call('LLEN','q')", "0"]))
        expect(busy.read(), 1)
        expect(waiting.read(), [b"q", b"x"])


# ---- what stays ----

@test
def scripts_of_eval_are_forgotten_when_there_are_many():
    with Server(roxdb()) as server:
        connection = server.connect()
        kept = connection.call("SCRIPT", "LOAD", "return 'kept'")
        connection.pipeline([["EVAL", "return %d" % i, "0"] for i in range(1200)])
        info = connection.info()
        expect(info["number_of_cached_scripts"], "501")
        expect(info["evicted_scripts"], "700")
        expect(connection.call("EVALSHA", kept, "0"), b"kept")


@test
def what_one_call_may_take_is_limited():
    with Server(roxdb()) as server:
        connection = server.connect()
        for script in ("return #string.rep('x', 512*1024*1024)",
                       "local t = {} for i = 1, 1e9 do t[i] = i end",
                       "local s = 'x' while true do s = s .. s end",
                       "return cjson.encode(string.rep('/', 200*1024*1024))",
                       "return struct.pack('c300000000', string.rep('x', 200*1024*1024))"):
            reply = connection.call("EVAL", script, "0")
            expect(isinstance(reply, Error), True, script)
        expect(connection.call("EVAL", "return 'alive'", "0"), b"alive")
        server.wait_until(lambda info: int(info["used_memory_vm_eval"]) < 50 << 20,
                          "the memory is given back")


@test
def effects_are_logged_as_one_unit():
    with Server(roxdb(), {"appendonly": "yes", "appendfsync": "always"}) as server:
        connection = server.connect()
        connection.call("EVAL", "redis.call('SET','a',math.random(1000000)) "
                                "redis.call('INCR','n') return redis.call('INCR','n')", "0")
        wanted = connection.call("MGET", "a", "n")
        server.kill()
        server.start()
        expect(server.call("MGET", "a", "n"), wanted)


@test
def a_pause_of_writes_holds_scripts_that_may_write():
    with Server(roxdb()) as server, server.connect() as writer, server.connect() as other:
        for held in (["EVAL", "return redis.call('SET', 'a', '1')", "0"],
                     ["EVAL", "return 1", "0"]):
            expect(other.call("CLIENT", "PAUSE", "100000", "WRITE"), b"OK")
            writer.send_commands([held])
            writer.socket.settimeout(0.3)
            try:
                raise AssertionError("%s: %r" % (held, writer.read_raw()))
            except TimeoutError:
                pass
            expect(other.call("EVAL_RO", "return redis.call('EXISTS', 'a')", "0"), 0)
            expect(other.call("CLIENT", "UNPAUSE"), b"OK")
            writer.socket.settimeout(60)
            expect_that(writer.read_raw() in (b"+OK\r\n", b":1\r\n"), held)
            expect(other.call("DEL", "a") in (0, 1), True)


@test
def a_pause_of_writes_lets_scripts_pass_that_say_they_write_nothing():
    text = "#!lua flags=no-writes\nreturn 1"
    with Server(roxdb()) as server, server.connect() as other, server.connect() as writer:
        sha1 = other.call("SCRIPT", "LOAD", text)
        expect(other.call("FUNCTION", "LOAD", library(
            "redis.register_function{function_name='peek', callback=function() return 1 end, "
            "flags={'no-writes'}}\nredis.register_function('poke', function() return 1 end)",
            name="two")), b"two")
        expect(other.call("CLIENT", "PAUSE", "100000", "WRITE"), b"OK")
        expect(other.call("EVAL", text, "0"), 1)
        expect(other.call("EVALSHA", sha1, "0"), 1)
        expect(other.call("FCALL", "peek", "0"), 1)
        for held in (["EVAL", "#!lua\nreturn 1", "0"], ["FCALL", "poke", "0"]):
            expect(other.call("CLIENT", "PAUSE", "100000", "WRITE"), b"OK")
            writer.send_commands([held])
            writer.socket.settimeout(0.3)
            try:
                raise AssertionError("%s: %r" % (held, writer.read_raw()))
            except TimeoutError:
                pass
            expect(other.call("CLIENT", "UNPAUSE"), b"OK")
            writer.socket.settimeout(60)
            expect(writer.read(), 1)


if __name__ == "__main__":
    sys.exit(run())
