"""Random commands on few keys: valid ones, and ones with every kind of mistake.

A template is a command with its grammar:

    <key> <value> ...    a random thing of that kind, see Generator.KINDS
    (...)+               one to four times
    [...] [...]          options: some of them, in any order, also those that exclude each other
    ! at the front       never damaged: a missing word would make it another command

All other words stand for themselves. A third of the commands get a mistake: a word too few or too
many, or one that is replaced by something strange.
"""
import re
import time

STRING = """
    APPEND <key> <value>
    DECR <key>
    DECRBY <key> <integer>
    GET <key>
    GETDEL <key>
    GETEX <key> [EX <seconds>] [PX <ms>] [EXAT <unix-s>] [PXAT <unix-ms>] [PERSIST]
    GETRANGE <key> <index> <index>
    GETSET <key> <value>
    INCR <key>
    INCRBY <key> <integer>
    INCRBYFLOAT <key> <float>
    LCS <key> <key> [LEN] [IDX] [MINMATCHLEN <index>] [WITHMATCHLEN]
    MGET (<key>)+
    MSET (<key> <value>)+
    MSETNX (<key> <value>)+
    PSETEX <key> <ms> <value>
    SET <key> <value> [NX] [XX] [GET] [KEEPTTL] [EX <seconds>] [PX <ms>] [EXAT <unix-s>]
    SET <key> <value> [NX] [XX] [GET] [KEEPTTL] [PX <ms>] [PXAT <unix-ms>] [EX <seconds>]
    SET <key> <value>
    SETEX <key> <seconds> <value>
    SETNX <key> <value>
    SETRANGE <key> <offset> <value>
    STRLEN <key>
    SUBSTR <key> <index> <index>
"""
LIST = """
    LPUSH <list-key> (<element>)+
    RPUSH <list-key> (<element>)+
    RPUSH <list-key> (<element>)+
    LPUSH <list-key> (<value>)+
    LPUSHX <list-key> (<element>)+
    RPUSHX <list-key> (<element>)+
    LPOP <list-key>
    RPOP <list-key>
    LPOP <list-key> <count>
    RPOP <list-key> <count>
    LLEN <list-key>
    LRANGE <list-key> <index> <index>
    LRANGE <list-key> 0 -1
    LINDEX <list-key> <index>
    LSET <list-key> <index> <element>
    LINSERT <list-key> <where> <element> <element>
    LREM <list-key> <index> <element>
    LREM <list-key> 0 <element>
    LTRIM <list-key> <index> <index>
    LTRIM <list-key> 1 -2
    LPOS <list-key> <element> [RANK <index>] [COUNT <count>] [MAXLEN <index>]
    LMOVE <list-key> <list-key> <end> <end>
    RPOPLPUSH <list-key> <list-key>
    LMPOP 2 <list-key> <list-key> <end> [COUNT <count>]
    LMPOP <count> <list-key> <list-key> <end>
    !BLPOP <list-key> <list-key> 0.001
    !BRPOP <list-key> 0.001
    !BLMPOP 0.001 2 <list-key> <list-key> <end>
    !BLMOVE <list-key> <list-key> <end> <end> 0.001
    !BRPOPLPUSH <list-key> <list-key> 0.001
    !BLPOP <list-key> <not-a-timeout>
    !BLMOVE <list-key> <list-key> <end> <word> <not-a-timeout>
    !BLMPOP <not-a-timeout> 1 <list-key> <end>
    !CONFIG SET list-max-listpack-size <node-size>
    DEL <list-key>
    COPY <list-key> <list-key> [REPLACE]
    RENAME <list-key> <list-key>
    SET <typed-key> <value>
"""
SET = """
    SADD <set-key> (<member>)+
    SADD <set-key> (<member>)+
    SADD <set-key> <small-integer> <small-integer> <small-integer>
    SADD <set-key> <integer> <value>
    SREM <set-key> (<member>)+
    SREM <set-key> <small-integer> <small-integer>
    SISMEMBER <set-key> <member>
    SMISMEMBER <set-key> (<member>)+
    SCARD <set-key>
    SMEMBERS <set-key>
    SMOVE <set-key> <set-key> <member>
    SMOVE <set-key> <typed-key> <small-integer>
    !SPOP <set-key> 1000000
    !SPOP <set-key> <not-positive>
    SRANDMEMBER <set-key>
    SRANDMEMBER <set-key> <count>
    !SRANDMEMBER <set-key> -3
    SSCAN <set-key> 0 COUNT 100000 [MATCH <pattern>]
    SSCAN <set-key> <cursor> [MATCH <pattern>] [COUNT <index>]
    SINTER (<set-key>)+
    SUNION (<set-key>)+
    SDIFF (<set-key>)+
    SINTERSTORE <set-key> (<set-key>)+
    SUNIONSTORE <set-key> (<set-key>)+
    SDIFFSTORE <set-key> (<set-key>)+
    SINTERCARD 2 <set-key> <set-key> [LIMIT <count>]
    SINTERCARD <count> <set-key> <set-key> [LIMIT <count>]
    !CONFIG SET set-max-intset-entries <few-entries>
    DEL <set-key>
    COPY <set-key> <set-key> [REPLACE]
    RENAME <set-key> <set-key>
    SET <typed-key> <value>
"""
STREAM = """
    !XADD <stream-key> <new-id> (<field> <value>)+
    !XADD <stream-key> <new-id> f <value>
    !XADD <stream-key> <new-id> f <value> g <value>
    !XADD <stream-key> NOMKSTREAM <new-id> f <value>
    !XADD <stream-key> MAXLEN <few> <new-id> f <value>
    !XADD <stream-key> MAXLEN ~ <few> <new-id> f <value>
    !XADD <stream-key> MAXLEN ~ <few> LIMIT <count> <new-id> f <value>
    !XADD <stream-key> MINID = <stream-id> <new-id> f <value>
    !XADD <stream-key> LIMIT <count> <new-id> f
    XLEN <stream-key>
    XRANGE <stream-key> <interval-end> <interval-end> [COUNT <count>]
    XREVRANGE <stream-key> <interval-end> <interval-end> [COUNT <count>]
    XDEL <stream-key> (<stream-id>)+
    XTRIM <stream-key> MAXLEN <few>
    XTRIM <stream-key> MAXLEN ~ <few>
    XTRIM <stream-key> MINID <stream-id>
    XTRIM <stream-key> MINID ~ <stream-id> [LIMIT <count>]
    !XSETID <stream-key> <new-id> [ENTRIESADDED <few>] [MAXDELETEDID <stream-id>]
    XREAD COUNT <count> STREAMS <stream-key> <stream-key> <stream-id> <stream-id>
    XREAD STREAMS <stream-key> <stream-id>
    XREAD NOACK STREAMS <stream-key> <stream-id>
    !XREAD BLOCK 1 STREAMS <stream-key> $
    XGROUP CREATE <stream-key> <group> <stream-id>
    XGROUP CREATE <stream-key> <group> 0 [MKSTREAM] [ENTRIESREAD <count>]
    XGROUP SETID <stream-key> <group> <stream-id> [ENTRIESREAD <count>]
    XGROUP DESTROY <stream-key> <group>
    XGROUP CREATECONSUMER <stream-key> <group> <consumer>
    XGROUP DELCONSUMER <stream-key> <group> <consumer>
    XREADGROUP GROUP <group> <consumer> COUNT <count> STREAMS <stream-key> >
    XREADGROUP GROUP <group> <consumer> STREAMS <stream-key> >
    XREADGROUP GROUP <group> <consumer> NOACK STREAMS <stream-key> <stream-key> > >
    XREADGROUP GROUP <group> <consumer> STREAMS <stream-key> <stream-id>
    !XREADGROUP GROUP <group> <consumer> BLOCK 1 STREAMS <stream-key> >
    XACK <stream-key> <group> (<stream-id>)+
    XPENDING <stream-key> <group>
    XPENDING <stream-key> <group> <interval-end> <interval-end> <count>
    XPENDING <stream-key> <group> IDLE <idle> - + <count> <consumer>
    XCLAIM <stream-key> <group> <consumer> 0 (<stream-id>)+
    XCLAIM <stream-key> <group> <consumer> 0 <stream-id> [FORCE] [JUSTID] [RETRYCOUNT <count>]
    XCLAIM <stream-key> <group> <consumer> 0 <stream-id> [TIME 5] [IDLE <count>] [LASTID <stream-id>]
    XAUTOCLAIM <stream-key> <group> <consumer> 0 <interval-end> [COUNT <count>] [JUSTID]
    XINFO STREAM <stream-key> [FULL]
    XINFO GROUPS <stream-key>
    XINFO CONSUMERS <stream-key> <group>
    DEL <stream-key>
    COPY <stream-key> <stream-key> [REPLACE]
    RENAME <stream-key> <stream-key>
"""
BITMAP = """
    SETBIT <bits-key> <bit> <zero-one>
    SETBIT <bits-key> <bit> <zero-one>
    GETBIT <bits-key> <bit>
    BITCOUNT <bits-key>
    BITCOUNT <bits-key> <index> <index>
    BITCOUNT <bits-key> <index> <index> <bit-unit>
    BITPOS <bits-key> <zero-one>
    BITPOS <bits-key> <zero-one> <index>
    BITPOS <bits-key> <zero-one> <index> <index>
    BITPOS <bits-key> <zero-one> <index> <index> <bit-unit>
    BITOP <bit-operation> <bits-key> (<bits-key>)+
    BITOP NOT <bits-key> <bits-key>
    BITFIELD <bits-key> (GET <field-type> <field-offset>)+
    BITFIELD <bits-key> (SET <field-type> <field-offset> <field-value>)+
    BITFIELD <bits-key> (OVERFLOW <overflow> INCRBY <field-type> <field-offset> <integer>)+
    BITFIELD <bits-key> (OVERFLOW <overflow> SET <field-type> <field-offset> <field-value>)+
    BITFIELD_RO <bits-key> (GET <field-type> <field-offset>)+
    SET <bits-key> <value>
    SETRANGE <bits-key> <index> <value>
    DEL <bits-key>
    COPY <bits-key> <bits-key> REPLACE
"""
HYPERLOGLOG = """
    PFADD <hll-key> (<element>)+
    PFADD <hll-key> (<element>)+
    !PFADD <hll-key> (<element> <element> <element> <element> <element> <element> <element>)+
    PFADD <hll-key> <value>
    PFADD <hll-key>
    PFCOUNT <hll-key>
    PFCOUNT (<hll-key>)+
    PFMERGE <hll-key> (<hll-key>)+
    PFDEBUG DECODE <hll-key>
    PFDEBUG ENCODING <hll-key>
    !PFDEBUG TODENSE <hll-key>
    PFDEBUG GETREG <hll-key>
    GET <hll-key>
    !CONFIG SET hll-sparse-max-bytes <sparse-bytes>
    DEL <hll-key>
    SET <typed-key> <value>
    COPY <hll-key> <hll-key> REPLACE
"""
SORT = """
    RPUSH <sorted-list> (<sortable>)+
    SADD k8 (<sortable>)+
    ZADD <sorted-zset> <small-integer> <sortable> <small-integer> <sortable>
    HSET k10 f <sortable> g <value>
    SET <weight-key> <sortable>
    DEL <sorted>
    LTRIM <sorted-list> 0 5
    SORT <sorted> [ASC] [DESC] [ALPHA] [LIMIT <index> <index>] [GET <got>] [STORE <sorted-list>]
    SORT <sorted> [ALPHA] [DESC] [LIMIT <index> <index>] [GET <got>] [GET <got>]
    SORT <sorted> BY <by> [DESC] [LIMIT <index> <index>] [GET <got>] [STORE <sorted-list>]
    SORT <sorted-list> BY nosort [DESC] [LIMIT <index> <index>] [GET <got>] [STORE <sorted-list>]
    SORT <sorted-zset> BY nosort [DESC] [LIMIT <index> <index>] [GET <got>] [STORE <sorted-list>]
    SORT k8 BY nosort
    SORT k8 BY nosort STORE <sorted-list>
    SORT <sorted-list> BY <by> ALPHA [DESC] [GET <got>]
    SORT_RO <sorted> [ASC] [DESC] [ALPHA] [LIMIT <index> <index>] [GET <got>]
    SORT_RO <sorted> BY <by> [ASC] [DESC] [LIMIT <index> <index>]
"""
GENERIC = """
    COPY <key> <key> [DB <db>] [REPLACE]
    DEL (<key>)+
    EXISTS (<key>)+
    EXPIRE <key> <seconds> [NX] [XX] [GT] [LT]
    EXPIREAT <key> <unix-s> [NX] [XX] [GT] [LT]
    EXPIRETIME <key>
    KEYS <pattern>
    MOVE <key> <db>
    OBJECT ENCODING <key>
    OBJECT FREQ <key>
    OBJECT IDLETIME <key>
    OBJECT REFCOUNT <key>
    OBJECT HELP
    OBJECT <word> <key>
    PERSIST <key>
    PEXPIRE <key> <ms> [NX] [XX] [GT] [LT]
    PEXPIREAT <key> <unix-ms> [NX] [XX] [GT] [LT]
    PEXPIRETIME <key>
    PTTL <key>
    RANDOMKEY
    RENAME <key> <key>
    RENAMENX <key> <key>
    SCAN 0 [MATCH <pattern>] [COUNT 100000] [TYPE <type>]
    SCAN 0 COUNT 100000 [MATCH <pattern>] [TYPE <type>]
    SCAN <cursor> [MATCH <pattern>] [COUNT <index>] [TYPE <type>]
    SET <key> <value>
    SET <key> <value> EX <seconds>
    TOUCH (<key>)+
    TTL <key>
    TYPE <key>
    UNLINK (<key>)+
    SWAPDB <db> <db>
    SELECT <db>
"""
CONNECTION = """
    CLIENT GETNAME
    CLIENT HELP
    CLIENT ID
    CLIENT INFO
    CLIENT KILL <address>
    CLIENT KILL ID <big>
    CLIENT KILL ADDR <address> [ID <big>] [LADDR <address>] [TYPE <client-type>] [SKIPME <yes>]
    CLIENT KILL ID <big> [SKIPME <yes>] [ADDR <address>] [USER <word>]
    CLIENT LIST [TYPE <client-type>]
    CLIENT LIST ID (<big>)+
    CLIENT NO-EVICT <on>
    !CLIENT PAUSE <word>
    !CLIENT PAUSE 1 <word>
    CLIENT REPLY ON
    !CLIENT REPLY <word>
    CLIENT SETNAME <value>
    CLIENT SETNAME <word>
    CLIENT UNBLOCK <big> [TIMEOUT] [ERROR]
    CLIENT UNPAUSE
    CLIENT <word>
    ECHO <value>
    HELLO
    !HELLO <integer-not-a-version>
    !HELLO <word>
    PING
    PING <value>
    SELECT <db>
    SET <key> <value>
    GET <key>
    <word> <value>
    <word> (<value>)+
"""
SERVER = """
    !BGSAVE <word>
    COMMAND COUNT <word>
    COMMAND GETKEYS MSET (<key> <value>)+
    COMMAND GETKEYS <command> (<key>)+
    COMMAND GETKEYSANDFLAGS <command> (<key>)+
    COMMAND HELP
    COMMAND INFO <word>
    COMMAND LIST FILTERBY <filter> <word>
    COMMAND LIST FILTERBY PATTERN <command>
    COMMAND <word>
    CONFIG GET <config>
    CONFIG GET (<config>)+
    CONFIG GET <word>
    CONFIG HELP
    CONFIG RESETSTAT
    CONFIG REWRITE
    CONFIG SET hz <integer>
    CONFIG SET lfu-log-factor <integer>
    CONFIG SET lfu-decay-time <integer>
    !CONFIG SET maxmemory <memory>
    CONFIG SET hash-max-listpack-entries <integer>
    CONFIG SET list-max-listpack-size <integer>
    CONFIG SET slowlog-max-len <slowlog-length>
    CONFIG SET save <save>
    CONFIG SET appendfsync <word>
    CONFIG SET appendfsync everysec
    CONFIG SET loglevel <word>
    CONFIG SET loglevel notice
    CONFIG SET stop-writes-on-bgsave-error <yes>
    CONFIG SET lazyfree-lazy-expire <yes>
    CONFIG SET hz <integer> lfu-log-factor <integer>
    CONFIG SET hz <integer> hz <integer>
    CONFIG SET hz 10 <word> <value>
    CONFIG SET databases <integer>
    CONFIG SET <word> <value>
    CONFIG <word>
    DBSIZE
    DEBUG <word>
    FLUSHALL
    FLUSHDB [ASYNC] [SYNC]
    FLUSHALL [ASYNC] [SYNC]
    INFO <section>
    INFO (<section>)+
    LASTSAVE
    MEMORY DOCTOR
    MEMORY HELP
    MEMORY PURGE
    MEMORY STATS
    MEMORY USAGE <key> [SAMPLES <index>]
    MEMORY <word>
    MODULE LIST
    ROLE
    !SHUTDOWN ABORT
    !SHUTDOWN <word>
    SLOWLOG GET [<integer>]
    SLOWLOG HELP
    SLOWLOG LEN
    SLOWLOG RESET
    SLOWLOG <word>
    SWAPDB <db> <db>
    TIME
    SET <key> <value>
    MSET (<key> <value>)+
"""
HASH = """
    !CONFIG SET hash-max-listpack-entries <small>
    !CONFIG SET hash-max-listpack-value <limit>
    DEL <hash-key>
    HDEL <hash-key> (<field>)+
    HEXISTS <hash-key> <field>
    HGET <hash-key> <field>
    HGETALL <hash-key>
    HINCRBY <hash-key> <field> <integer>
    HINCRBYFLOAT <hash-key> <field> <float>
    HKEYS <hash-key>
    HLEN <hash-key>
    HMGET <hash-key> (<field>)+
    HMSET <hash-key> (<field> <value>)+
    HRANDFIELD <hash-key>
    HRANDFIELD <hash-key> <how-many>
    HRANDFIELD <hash-key> <how-many> WITHVALUES
    HSCAN <hash-key> 0 COUNT 100000 [MATCH <pattern>]
    HSCAN <hash-key> <cursor> [MATCH <pattern>] [COUNT <index>]
    HSET <hash-key> (<field> <value>)+
    HSET <hash-key> (<field> <value>)+
    HSETNX <hash-key> <field> <value>
    HSTRLEN <hash-key> <field>
    HVALS <hash-key>
    OBJECT ENCODING <hash-key>
    RENAME <hash-key> <hash-key>
    COPY <hash-key> <hash-key> [REPLACE]
    TYPE <hash-key>
"""
SORTED_SET = """
    ZADD <zset-key> (<score> <zset-member>)+
    ZADD <zset-key> (<score> <zset-member>)+
    ZADD <zset-key> <add-option> <score> <zset-member> <score> <zset-member>
    ZADD <zset-key> CH <add-option> <add-option> <score> <zset-member> <score> <zset-member>
    ZADD <zset-key> <add-option> INCR <score> <zset-member>
    ZINCRBY <zset-key> <score> <zset-member>
    ZREM <zset-key> (<zset-member>)+
    ZCARD <zset-key>
    ZSCORE <zset-key> <zset-member>
    ZMSCORE <zset-key> (<zset-member>)+
    ZRANK <zset-key> <zset-member>
    ZREVRANK <zset-key> <zset-member>
    ZCOUNT <zset-key> <score-bound> <score-bound>
    ZRANGE <zset-key> <index> <index> [WITHSCORES] [REV]
    ZRANGE <zset-key> 0 -1 WITHSCORES
    ZRANGE <zset-key> <score-bound> <score-bound> BYSCORE [REV] [WITHSCORES] [LIMIT <index> <count>]
    ZRANGE <zset-key> <index> <index> [BYLEX] [BYSCORE] [REV] [WITHSCORES] [LIMIT <index> <count>]
    ZREVRANGE <zset-key> <index> <index> [WITHSCORES]
    ZRANGEBYSCORE <zset-key> <score-bound> <score-bound> [WITHSCORES] [LIMIT <index> <count>]
    ZREVRANGEBYSCORE <zset-key> <score-bound> <score-bound> [WITHSCORES] [LIMIT <index> <count>]
    ZRANGESTORE <zset-key> <zset-key> <index> <index> [REV]
    ZRANGESTORE <zset-key> <zset-key> <score-bound> <score-bound> BYSCORE [LIMIT <index> <count>]
    ZREMRANGEBYRANK <zset-key> <index> <index>
    ZREMRANGEBYSCORE <zset-key> <score-bound> <score-bound>
    ZPOPMIN <zset-key>
    ZPOPMAX <zset-key>
    ZPOPMIN <zset-key> <count>
    ZPOPMAX <zset-key> <count>
    ZMPOP 2 <zset-key> <zset-key> <extreme> [COUNT <count>]
    ZMPOP <count> <zset-key> <zset-key> <extreme>
    !BZPOPMIN <zset-key> <zset-key> 0.001
    !BZPOPMAX <zset-key> 0.001
    !BZMPOP 0.001 2 <zset-key> <zset-key> <extreme>
    !BZPOPMIN <zset-key> <not-a-timeout>
    ZUNION 2 <zset-key> <zset-key> [WEIGHTS <score> <score>] [AGGREGATE <aggregate>] [WITHSCORES]
    ZINTER 2 <zset-key> <zset-key> [WEIGHTS <score> <score>] [AGGREGATE <aggregate>] [WITHSCORES]
    ZUNIONSTORE <zset-key> 2 <zset-key> <zset-key> [WEIGHTS <score> 2] [AGGREGATE <aggregate>]
    ZINTERSTORE <zset-key> 2 <zset-key> <zset-key> [WEIGHTS 0.5 <score>] [AGGREGATE <aggregate>]
    ZDIFF 2 <zset-key> <zset-key> [WITHSCORES]
    ZDIFFSTORE <zset-key> 2 <zset-key> <zset-key>
    ZINTERCARD 2 <zset-key> <zset-key> [LIMIT <count>]
    ZUNION <count> <zset-key> <zset-key>
    ZRANDMEMBER <zset-key>
    ZRANDMEMBER <zset-key> <count> [WITHSCORES]
    !ZRANDMEMBER <zset-key> -3 WITHSCORES
    ZSCAN <zset-key> 0 COUNT 100000 [MATCH <pattern>]
    ZSCAN <zset-key> <cursor> [MATCH <pattern>] [COUNT <index>]
    SADD <zset-key> <zset-member> <zset-member>
    !CONFIG SET zset-max-listpack-entries <few-entries>
    DEL <zset-key>
    COPY <zset-key> <zset-key> [REPLACE]
    RENAME <zset-key> <zset-key>
    SET <typed-key> <value>
"""
# Ranges of bytes have a meaning only where all scores are equal.
LEX = """
    !ZADD <lex-key> 0 <zset-member> 0 <zset-member>
    !ZADD <lex-key> 0 <zset-member> 0 <zset-member>
    ZREM <lex-key> <zset-member>
    OBJECT ENCODING <lex-key>
    !CONFIG SET zset-max-listpack-entries <few-entries>
    ZLEXCOUNT <lex-key> <lex-bound> <lex-bound>
    ZRANGE <lex-key> <lex-bound> <lex-bound> BYLEX [REV] [LIMIT <index> <count>]
    ZRANGEBYLEX <lex-key> <lex-bound> <lex-bound> [LIMIT <index> <count>]
    ZREVRANGEBYLEX <lex-key> <lex-bound> <lex-bound> [LIMIT <index> <count>]
    ZREMRANGEBYLEX <lex-key> <lex-bound> <lex-bound>
"""
GEO = """
    GEOADD <zset-key> <longitude> <latitude> <zset-member>
    GEOADD <zset-key> <add-option> (<longitude> <latitude> <zset-member>)+
    GEOPOS <zset-key> (<zset-member>)+
    GEODIST <zset-key> <zset-member> <zset-member> [<unit>]
    GEOHASH <zset-key> (<zset-member>)+
    GEOSEARCH <zset-key> FROMMEMBER <zset-member> BYRADIUS <length> <unit> [COUNT <count>] [ASC] [WITHDIST] [WITHCOORD] [WITHHASH]
    GEOSEARCH <zset-key> FROMMEMBER <zset-member> BYRADIUS <length> <unit> COUNT 2 ANY
    GEOSEARCH <zset-key> BYRADIUS <length> <unit> FROMMEMBER <zset-member>
    GEOSEARCH <zset-key> FROMMEMBER <zset-member> BYBOX <length> <length> <unit> [COUNT <count>] [ASC] [WITHDIST] [WITHCOORD] [WITHHASH]
    GEOSEARCH <zset-key> FROMMEMBER <zset-member> BYBOX <length> <length> <unit> COUNT 2 ANY
    GEOSEARCH <zset-key> BYBOX <length> <length> <unit> FROMMEMBER <zset-member>
    GEOSEARCH <zset-key> FROMLONLAT <longitude> <latitude> BYRADIUS <length> <unit> [COUNT <count>] [ASC] [WITHDIST] [WITHCOORD] [WITHHASH]
    GEOSEARCH <zset-key> FROMLONLAT <longitude> <latitude> BYRADIUS <length> <unit> COUNT 2 ANY
    GEOSEARCH <zset-key> BYRADIUS <length> <unit> FROMLONLAT <longitude> <latitude>
    GEOSEARCH <zset-key> FROMLONLAT <longitude> <latitude> BYBOX <length> <length> <unit> [COUNT <count>] [ASC] [WITHDIST] [WITHCOORD] [WITHHASH]
    GEOSEARCH <zset-key> FROMLONLAT <longitude> <latitude> BYBOX <length> <length> <unit> COUNT 2 ANY
    GEOSEARCH <zset-key> BYBOX <length> <length> <unit> FROMLONLAT <longitude> <latitude>
    GEOSEARCHSTORE <zset-key> <zset-key> FROMMEMBER <zset-member> BYRADIUS <length> <unit> [COUNT <count>] [STOREDIST]
    GEOSEARCHSTORE <zset-key> <zset-key> FROMLONLAT <longitude> <latitude> BYBOX <length> <length> <unit> [COUNT <count>] [DESC]
    GEORADIUS <zset-key> <longitude> <latitude> <length> <unit> [WITHDIST] [WITHCOORD] [COUNT 3]
    GEORADIUS <zset-key> <longitude> <latitude> <length> <unit> STORE <zset-key> [COUNT 3]
    GEORADIUS_RO <zset-key> <longitude> <latitude> <length> <unit> [WITHHASH] [DESC]
    GEORADIUSBYMEMBER <zset-key> <zset-member> <length> <unit> [ASC] [WITHDIST] [STOREDIST <zset-key>]
    GEORADIUSBYMEMBER_RO <zset-key> <zset-member> <length> <unit> [WITHDIST] [DESC]
    ZADD <zset-key> <score> <zset-member>
    ZRANGE <zset-key> 0 -1 WITHSCORES
    DEL <zset-key>
"""
# What makes keys of other types, for commands that must refuse them.
# What stands between MULTI and EXEC, or gets in its way.
TRANSACTION = """
SET <key> <value>
SET <key> <value> PX 100000
SETNX <key> <value>
GET <key>
GETDEL <key>
INCR <key>
APPEND <key> <value>
LPUSH <key> <element>
RPUSH <key> <element> <element>
LPOP <key>
LRANGE <key> 0 -1
BLPOP <key> 0
BLPOP <key> <key> 0
BLMOVE <key> <key> <end> <end> 0
BLMPOP 0 1 <key> LEFT
SADD <key> <member>
SREM <key> <member>
HSET <hash-key> <field> <value>
HDEL <hash-key> <field>
ZADD <key> <score> <member>
ZREM <key> <member>
DEL <key>
UNLINK <key> <key>
EXPIRE <key> 1000
PEXPIRE <key> -1
PERSIST <key>
RENAME <key> <key>
COPY <key> <key> REPLACE
MOVE <key> 1
EXISTS <key>
TYPE <key>
SELECT 0
SELECT 1
SWAPDB 0 1
FLUSHDB
FLUSHALL
PING
ECHO <value>
"""

OTHER_TYPES = """
    RPUSH <typed-key> a b c
    SADD <typed-key> a b 1
    HSET <typed-key> f v
    !ZADD <typed-key> 1 a 2 b
    !XADD <typed-key> 1-1 f v
"""

KEYS = [b"k%d" % number for number in range(12)] + [
    b"", b"key with blanks", b"\x00\xff\r\n", b"{tag}a", b"h*llo?", b"long" * 60]
HASH_KEYS = [b"h0", b"h1", b"h2", b"h3", b"k0"]
FIELDS = [b"f%d" % number for number in range(8)] + [b"", b"-5", b"007", b"12345678901", b"f" * 65]
TYPED_KEYS = [b"k8", b"k9", b"k10", b"k11"]

STRANGE = [
    b"", b" ", b"abc", b"0", b"-1", b"-0", b"+1", b"01", b"1 ", b" 1", b"1.0", b"1e3", b"0x10",
    b"nan", b"inf", b"-inf", b"1.5", b"9223372036854775807", b"-9223372036854775808",
    b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
    b"99999999999999999999", b"NX", b"XX", b"EX", b"GET", b"*", b"?", b"\x00", b"\xff\xfe", b"k1",
    b"key with blanks"]
# What damage may leave over of SLOWLOG RESET or FLUSHDB SYNC: another kind of connection.
OTHER_TRADES = (b"RESET", b"SYNC")
WORDS = [b"FOO", b"bar", b"HELPER", b"", b"no\nline", b"x" * 200, b"*", b"GET", b"\x01\x80"]


def past_and_future(unit):
    now = int(time.time())
    return lambda random: random.choice(
        [0, 1, 1000, -1, (now - 10 ** 6) * unit, (now + 10 ** 5) * unit,
         (now + random.randrange(10 ** 4, 10 ** 7)) * unit, (now + 10 ** 9) * unit,
         2 ** 63 - 1, -2 ** 63, 2 ** 63 // 1000, 2 ** 63 - 1000 * now])


class Generator:
    # `never` are words that damage does not bring in.
    def __init__(self, random, templates, never=()):
        self.random = random
        self.strange = [word for word in STRANGE if word not in never]
        self.templates = [line.strip() for line in templates.split("\n") if line.strip()]
        self.stream_ms = 1  # IDs of streams mostly grow
        self.kinds = {
            "key": lambda: random.choice(KEYS),
            "hash-key": lambda: random.choice(HASH_KEYS),
            "field": lambda: random.choice(FIELDS) if random.random() < 0.8 else self.value(),
            "small": lambda: random.choice([0, 1, 2, 3, 5, 8, 512]),
            "limit": lambda: random.choice([0, 5, 20, 64, 64, 1000]),
            "how-many": lambda: random.choice([0, 1, 2, 3, 5, 100, -1, -2, -5, -100]),
            "typed-key": lambda: random.choice(TYPED_KEYS),
            "list-key": lambda: random.choice(KEYS[5:10]),
            "element": lambda: random.choice(
                [b"a", b"b", b"c", b"1", b"2", b"007", b"-1", b"", b"12345678901", b"x" * 63,
                 b"x" * 64, b"y" * 200, b"z" * random.choice([4000, 9000]), self.value()]),
            "count": lambda: random.choice([0, 1, 2, 3, 3, 10, 1000, -1, 2 ** 63 - 1, 2 ** 63]),
            "end": lambda: random.choice([b"LEFT", b"RIGHT", b"left", b"Right", b"UP"]),
            "where": lambda: random.choice([b"BEFORE", b"AFTER", b"before", b"BESIDE"]),
            "not-a-timeout": lambda: random.choice(
                [b"-1", b"abc", b"", b"nan", b"-inf", b"1e4000", b"1 ", b"0x", b"-0.1",
                 b"99999999999999999999"]),
            "node-size": lambda: random.choice([-1, -2, -3, -5, 1, 2, 3, 10, 128]),
            "set-key": lambda: random.choice(KEYS[5:10]),
            "small-integer": lambda: random.randrange(-20, 20),
            "member": lambda: random.choice(
                [b"a", b"b", b"c", b"1", b"2", b"3", b"007", b"-1", b"", b"32768", b"-32769",
                 b"2147483648", b"x" * 64, b"x" * 65, self.integer(), self.value()]),
            "not-positive": lambda: random.choice([b"-1", b"abc", b"", 2 ** 63, b"1.5"]),
            "few-entries": lambda: random.choice([3, 8, 20, 512]),
            "stream-key": lambda: random.choice([b"k2", b"k3", b"k4", b"k8"]),
            "stream-id": lambda: random.choice(
                [b"%d-%d" % (max(0, self.stream_ms - random.randrange(60)), random.randrange(3)),
                 b"%d" % max(0, self.stream_ms - random.randrange(30)),
                 b"%d" % max(0, self.stream_ms - random.randrange(10)), b"0", b"0-1", b"00-01",
                 b"18446744073709551615-18446744073709551615", b"1-", b"-1", b"5-*"]),
            "interval-end": lambda: random.choice(
                [b"-", b"+", b"(%d" % self.stream_ms, b"(0-0", b"((1", b"(-",
                 b"(18446744073709551615-18446744073709551615",
                 b"%d" % max(0, self.stream_ms - random.randrange(30))]),
            "new-id": self.new_stream_id,
            "few": lambda: random.choice([0, 1, 3, 5, 8, 12, 20, -1, b"abc"]),
            "idle": lambda: random.choice([0, 0, 0, 10 ** 9, -1, b"abc"]),
            "group": lambda: random.choice([b"g", b"g", b"g", b"h", b""]),
            "consumer": lambda: random.choice([b"ann", b"bob", b"eve", b""]),
            "field": lambda: random.choice([b"f", b"g", b"", b"7", b"-0", b"f" * 70]),
            "bits-key": lambda: random.choice(KEYS[:6]),
            "bit": lambda: random.choice(
                [0, 7, 8, 63, 64, random.randrange(100), random.randrange(100),
                 random.randrange(5000), random.randrange(50000), 2 ** 23 - 1, 2 ** 23, 2 ** 32,
                 -1]),
            "zero-one": lambda: random.choice([0, 1, 0, 1, 0, 1, 0, 1, 2, -1]),
            "bit-unit": lambda: random.choice([b"BIT", b"BYTE", b"bit", b"BYTES"]),
            "bit-operation": lambda: random.choice([b"AND", b"OR", b"XOR", b"or"]),
            "field-type": lambda: random.choice(
                [b"u1", b"u8", b"i8", b"u63", b"i64", b"u64", b"i%d" % random.randrange(66),
                 b"u%d" % random.randrange(65)]),
            "field-offset": lambda: random.choice(
                [b"%d" % random.randrange(200), b"%d" % random.randrange(200), b"#0",
                 b"#%d" % random.randrange(10), b"8388500", b"#-1", b"#9223372036854775807"]),
            "field-value": lambda: random.choice(
                [0, 1, -1, 7, 100, -2 ** 31, 2 ** 63 - 1, -2 ** 62, 2 ** 63,
                 random.randrange(-10 ** 6, 10 ** 6)]),
            "overflow": lambda: random.choice([b"WRAP", b"SAT", b"FAIL", b"sat", b"NO"]),
            "hll-key": lambda: random.choice(KEYS[:5]),
            "element": lambda: random.randrange(3000),
            "sparse-bytes": lambda: random.choice([0, 20, 40, 100, 500, 3000, 16000]),
            "weight-key": lambda: random.choice(KEYS[:4]),
            "sorted": lambda: random.choice(KEYS[4:9]),
            "sorted-list": lambda: random.choice(KEYS[4:6]),
            "sorted-zset": lambda: random.choice(KEYS[6:8]),
            # Most of them end names of keys: k0, k1, ...
            "sortable": lambda: random.choice(
                [random.randrange(12), random.randrange(12), random.randrange(12),
                 random.randrange(-100, 100), b"1.5", b"-2e1", b"0x1f", b"inf", b" 3"]
                if random.random() < 0.98 else [b"x", b"", b"nan", b"1 "]),
            "got": lambda: random.choice([b"#", b"k*", b"k*->f", b"k*->g", b"k*->", b"k", b"*"]),
            "by": lambda: random.choice([b"k*", b"k*->f", b"*"]),
            "zset-key": lambda: random.choice(KEYS[5:10]),
            "zset-member": lambda: random.choice(
                [b"a", b"b", b"c", b"d", b"1", b"2", b"007", b"-1", b"", b"x" * 64, b"x" * 65,
                 b"m%d" % random.randrange(12), self.value()]),
            "score": lambda: random.choice(
                [0, 1, 1, 2, 3, -1, b"-0", b"0.5", b"1.5", b"-2.25", b"inf", b"-inf", b"1e3",
                 random.randrange(-20, 20), random.randrange(-100, 100) / 4, 2 ** 40, 2 ** 53,
                 b"1e300", self.float(), self.hex_float()]),
            "score-bound": lambda: random.choice([b"", b"", b"("]) + random.choice(
                [b"-inf", b"+inf", b"0", b"1", b"2", b"1.5", b"-3", b"10", b"nan", b"x", b"",
                 b" 2", b"1 ", b"3\0x", b"1e400", b"-1e400", b"1e-400", self.hex_float()]),
            "lex-bound": lambda: random.choice(
                [b"-", b"+", b"[a", b"(a", b"[c", b"(m3", b"[m9", b"[", b"(1", b"a"]),
            "extreme": lambda: random.choice([b"MIN", b"MAX", b"min", b"MID"]),
            "aggregate": lambda: random.choice([b"SUM", b"MIN", b"MAX", b"min", b"AVG"]),
            "longitude": lambda: random.choice(
                [0, b"13.361389", random.uniform(-180, 180), random.uniform(13, 16), -180, 180,
                 b"180.1", b"x", self.hex_float()]),
            "latitude": lambda: random.choice(
                [0, b"38.115556", random.uniform(-85, 85), random.uniform(36, 39),
                 random.uniform(-38, -36), b"85.05112878", b"86"]),
            "unit": lambda: random.choice([b"m", b"km", b"KM", b"ft", b"mi", b"yd"]),
            "length": lambda: random.choice(
                [0, 1, 100, 1000, random.uniform(1, 5000), random.uniform(1, 30000), -1, b"x",
                 10 ** 6, 10 ** 9]),
            "lex-key": lambda: random.choice([b"lex0", b"lex1", b"lex2"]),
            "add-option": lambda: random.choice([b"NX", b"XX", b"GT", b"LT", b"CH", b"ch"]),
            "value": self.value,
            "integer": self.integer,
            "index": lambda: random.choice([0, 1, 2, 3, 10, -1, -2, -100, 100, 2 ** 31, 2 ** 63 - 1,
                                            -2 ** 63, random.randrange(-50, 50)]),
            "offset": lambda: random.choice([0, 1, 5, 100, random.randrange(300), 2 ** 20 - 1,
                                             2 ** 20, 2 ** 20 + 1, 2 ** 32, 2 ** 63 - 1, -1]),
            "float": self.float,
            "seconds": lambda: self.relative(1),
            "ms": lambda: self.relative(1000),
            "unix-s": lambda: past_and_future(1)(random),
            "unix-ms": lambda: past_and_future(1000)(random),
            "db": lambda: random.choice([0, 0, 0, 1, 1, 2, 3, 15, 16, -1, 2 ** 31, 2 ** 63 - 1]),
            "pattern": lambda: random.choice(
                [b"*", b"k*", b"k?", b"k[0-5]", b"k[^1]", b"*a*", b"\\k1", b"h\\*llo\\?", b"[",
                 b"k[", b"k[9-0]", b"", b"**", b"k1", b"{tag}*", b"[^k]*", b"k1\\",
                 b"*" * 50 + b"0"]),
            "type": lambda: random.choice([b"string", b"STRING", b"hash", b"list"]),
            "cursor": lambda: random.choice([0, 1, 77, 2 ** 63, -1, b"abc", b"", b"1 ", 2 ** 64]),
            "word": lambda: random.choice(WORDS),
            "big": lambda: random.choice([10 ** 9, 2 ** 40, 2 ** 63 - 1, 10 ** 6 + 7]),
            "address": lambda: random.choice([b"1.2.3.4:5", b"[::1]:7", b"nowhere", b""]),
            "client-type": lambda: random.choice([b"master", b"replica", b"pubsub", b"x"]),
            "yes": lambda: random.choice([b"yes", b"no", b"YES", b"maybe"]),
            "on": lambda: random.choice([b"on", b"off", b"ON", b"maybe"]),
            "integer-not-a-version": lambda: random.choice([0, 1, 4, -1, 2 ** 63 - 1, 2 ** 63]),
            # No value here that only one of the two accepts: it would differ ever after. Those are
            # tried one by one in differences.md.
            "memory": lambda: random.choice(
                [0, b"1gb", b"1g", b"500MB", b"2000m", b"-1", b"abc", b"9999999999k", b"3gB"]),
            "slowlog-length": lambda: random.choice([0, 10, 128, -1, b"abc"]),
            "save": lambda: random.choice([b"", b"3600 1", b"3600 1 300 100000000", b"abc", b"1",
                                           b"0 5", b"900 -1"]),
            "section": lambda: random.choice([b"server", b"clients", b"memory", b"stats", b"ALL",
                                              b"replication", b"cpu", b"keyspace", b"nothing"]),
            "filter": lambda: random.choice([b"ACLCAT", b"PATTERN", b"MODULE", b"FOO"]),
            "config": lambda: random.choice(
                [b"hz", b"save", b"maxmemory", b"databases", b"appendfsync", b"HZ", b"port*x",
                 b"lfu-log-factor", b"timeout", b"slowlog-max-len", b"hash-max-ziplist-entries",
                 b"list-max-listpack-size", b"maxmemory-policy", b"stop-writes-on-bgsave-error",
                 b"client-output-buffer-limit", b"loglevel", b"nothing", b"proto-max-bulk-len"]),
            "command": lambda: random.choice(
                [b"get", b"SET", b"mset", b"del", b"copy", b"object", b"ping", b"LCS", b"s*",
                 b"foo", b"rename", b"touch", b"getex", b"expire", b"*ex*"]),
        }

    def command(self):
        """One command as a list of words."""
        random = self.random
        template = random.choice(self.templates)
        fixed = template.startswith("!")
        arguments = self.expand(template.lstrip("!"))
        if not fixed and random.random() < 0.3:
            self.damage(arguments)
        if not arguments or arguments[0].upper() in OTHER_TRADES:
            arguments = [b"PING"]
        case = random.random()
        if case < 0.2:
            arguments[0] = arguments[0].lower()
        elif case < 0.25:
            arguments[0] = arguments[0].swapcase().capitalize()
        return keep_ttls_long(arguments)

    def expand(self, template):
        fixed, _, options = template.partition("[")
        arguments = []
        for group, word in re.findall(r"\(([^)]*)\)\+|(\S+)", fixed):
            if group:
                for _ in range(self.random.randrange(1, 5)):
                    arguments += self.expand(group)
            else:
                arguments.append(self.fill(word))
        if options:
            choices = re.findall(r"\[([^\]]*)\]", "[" + options)
            for choice in self.random.sample(choices, self.option_count(len(choices))):
                words = self.expand(choice)
                if self.random.random() < 0.2:
                    words[0] = words[0].lower()
                arguments += words
        return arguments

    def option_count(self, choices):
        return min(choices, self.random.choice([0, 0, 1, 1, 1, 2, 2, 3, 4]))

    def fill(self, word):
        if not word.startswith("<"):
            return word.encode()
        filled = self.kinds[word[1:-1]]()
        return filled if isinstance(filled, bytes) else str(filled).encode()

    def damage(self, arguments):
        random = self.random
        kind = random.randrange(4)
        if kind == 0:
            del arguments[random.randrange(len(arguments))]
        elif kind == 1:
            arguments.insert(random.randrange(1, len(arguments) + 1), random.choice(self.strange))
        elif kind == 2 and len(arguments) > 1:
            arguments[random.randrange(1, len(arguments))] = random.choice(self.strange)
        else:
            arguments += [random.choice(arguments + self.strange)] * random.choice([1, 1, 2, 20])

    def integer(self):
        random = self.random
        return random.choice([0, 1, -1, 2, 7, 100, 2 ** 31, -2 ** 31, 2 ** 32, 2 ** 63 - 1,
                              -2 ** 63, 2 ** 62, 2 ** 63, -2 ** 63 - 1,
                              random.randrange(-10 ** 6, 10 ** 6)])

    def new_stream_id(self):
        random = self.random
        self.stream_ms += random.choice([0, 0, 1, 1, 2])
        return random.choice([b"%d" % self.stream_ms, b"%d-*" % self.stream_ms,
                              b"%d-%d" % (self.stream_ms, random.randrange(5))])

    def float(self):
        random = self.random
        return random.choice(
            [b"0", b"1", b"-1", b"0.1", b"3.14159", b"1e10", b"-5.0e3", b"1e300", b"1e-300",
             b"17.0", b"0.000001", b"1234567.891", b"inf", b"-inf", b"nan", b"1e5000", b"1.5e",
             b".5", b"5.", b"+3", b"0x1p4", b"-0x.8", b"1e308", b"-1e308", b"123456789012345678",
             b"%d.%d" % (random.randrange(-1000, 1000), random.randrange(1000))])

    def hex_float(self):
        random = self.random
        return random.choice(
            [b"0x10", b"0X1P-2", b"-0x1p4", b"+0x1p4", b"0x.8", b"0x1.8", b"0x", b"0xg", b"0x1p",
             b"0x1p4f", b"0x-1", b"0xinf", b"0x1p5000", b"0x1p-5000", b"-0x1p1023", b"0x1p-1060",
             random.uniform(-100, 100).hex().encode(), b"0x" + b"f" * random.randrange(1, 40)])

    def relative(self, unit):
        # Long ones only: no key may expire while the two servers are compared.
        random = self.random
        return random.choice([0, -1, -100, 10 ** 4 * unit, 10 ** 9 * unit, 2 ** 63 - 1, -2 ** 63,
                              2 ** 63 // 1000, 2 ** 63 // 1000 - 1, 2 ** 62,
                              random.randrange(10 ** 3, 10 ** 6) * unit,
                              random.randrange(10 ** 3, 10 ** 6) * unit])

    def value(self):
        random = self.random
        kind = random.randrange(10)
        if kind < 3:
            return str(self.integer()).encode()
        if kind < 5:
            return random.choice(self.strange)
        if kind == 5:
            return self.float()
        if kind == 6:  # the lengths at which encodings change
            return bytes(random.choices(b"abcd", k=random.choice([1, 19, 20, 21, 43, 44, 45, 64])))
        if kind == 7:
            return bytes(random.choices(range(256), k=random.randrange(40)))
        if kind == 8 and random.random() < 0.1:
            return random.choice([b"x", b"yz"]) * random.choice([1000, 5000, 40000])
        return bytes(random.choices(b"ab", k=random.randrange(30)))


def keep_ttls_long(arguments):
    """Moves every time to live that would end during the test far away; the past may stay."""
    name = arguments[0].upper()
    for position, word in enumerate(arguments):
        if name in (b"EXPIRE", b"SETEX", b"PEXPIRE", b"PSETEX"):
            is_ttl, seconds = position == 2, not name.startswith(b"P")
        else:
            before = arguments[position - 1].upper() if position else b""
            is_ttl = name in (b"SET", b"GETEX") and before in (b"EX", b"PX")
            seconds = before == b"EX"
        if is_ttl and re.fullmatch(rb"[1-9]\d*", word):
            short = 1000 if seconds else 10 ** 6
            if int(word) <= short:
                arguments[position] = b"%d" % (int(word) + short)
    return arguments
