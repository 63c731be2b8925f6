import { createHash } from "node:crypto";

/** A Lua script: Redis knows it by the hash of its text. */
export class Script {
  readonly sha: string;

  constructor(readonly text: string) {
    this.sha = createHash("sha1").update(text).digest("hex");
  }
}

/**
 * KEYS[1] is the stream, KEYS[2] says which run of Redis its epoch belongs to. An event's id is EPOCH-NUMBER, numbered
 * from 1. An epoch is the time at which it began, in us: one begins with the stream, and once Redis has been started
 * again, as events that it had acknowledged may be lost then, and their numbers must not come twice.
 */
const prelude = `
local key, meta = KEYS[1], KEYS[2]

local function lastId()
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

local function begin(run, seconds)
  local time = redis.call('TIME')
  local epoch = string.format('%d%06d', time[1], time[2])
  local isNew = redis.call('EXISTS', key) == 0
  if not isNew then
    local before = string.match(lastId(), '^%d+')
    -- The clock went back.
    if tonumber(before) >= tonumber(epoch) then epoch = string.format('%.0f', tonumber(before) + 1) end
  end
  redis.call('XADD', key, epoch .. '-0', 'd', '')
  redis.call('XDEL', key, epoch .. '-0')
  redis.call('HSET', meta, 'run', run, 'epoch', epoch)
  if isNew then
    redis.call('EXPIRE', key, seconds)
    redis.call('EXPIRE', meta, seconds)
  end
  return epoch
end

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('HMGET', meta, 'run', 'epoch', 'largest')
local epoch = known[1] == run and known[2]
-- No event has more bytes: whoever reads several at once has to know.
local largest = tonumber(known[3] or '1024')
`;

/**
 * Adds events in order, all of them or none, and replies with the last id. KEYS: stream, run, names of channels, keys, keys
 * before. ARGV: seconds that the channel lives for, `~` or `=`, events to retain, keys to remember, seconds to remember them
 * for, the channel's name, the Idempotency-Key or '', a hash of the values, values. Replies with nothing when the key came with
 * other values.
 */
export const publishScript: Script = new Script(`${prelude}
local ttl, token, digest = tonumber(ARGV[1]), ARGV[7], ARGV[8]
if token ~= '' then
  local known = redis.call('HGET', KEYS[4], token) or redis.call('HGET', KEYS[5], token)
  if known then
    local id, before = string.match(known, '^(%S+) (.*)$')
    return before == digest and id or ''
  end
end

local id = epoch and redis.pcall('XADD', key, 'NOMKSTREAM', epoch .. '-*', 'd', ARGV[9])
-- The stream is gone, or its meta key is older.
if type(id) ~= 'string' then
  epoch = begin(run, ttl)
  id = redis.call('XADD', key, epoch .. '-*', 'd', ARGV[9])
end
if string.match(id, '-1$') then redis.call('SADD', KEYS[3], ARGV[6]) end
for i = 10, #ARGV do id = redis.call('XADD', key, epoch .. '-*', 'd', ARGV[i]) end
redis.call('XTRIM', key, 'MAXLEN', ARGV[2], ARGV[3])

local before = largest
for i = 9, #ARGV do
  while #ARGV[i] > largest do largest = largest * 2 end
end
if largest > before then redis.call('HSET', meta, 'largest', string.format('%d', largest)) end

-- A tenth more, so that it is not written each time.
if redis.call('TTL', key) < ttl then
  redis.call('EXPIRE', key, math.ceil(ttl * 1.1))
  redis.call('EXPIRE', meta, math.ceil(ttl * 1.1))
end

if token ~= '' then
  local seconds = tonumber(ARGV[5])
  local left = redis.call('TTL', KEYS[4])
  if left >= 0 and (left < seconds or redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[4])) then
    redis.call('RENAME', KEYS[4], KEYS[5])
    left = -2
  end
  redis.call('HSET', KEYS[4], token, id .. ' ' .. digest)
  if left < 0 then redis.call('EXPIRE', KEYS[4], seconds * 2) end
end
return id
`);

/**
 * Where a stream ends: its last id, whether there is anything from ARGV[2] on, and a bound of an event's bytes. It begins an epoch where that is due, so that
 * there is a cursor to come back with. KEYS: stream, run. ARGV: seconds that a stream without events lives for, an XRANGE start.
 */
export const openScript: Script = new Script(`${prelude}
if redis.call('EXISTS', key) == 0 or not epoch then begin(run, ARGV[1]) end
return {lastId(), #redis.call('XRANGE', key, ARGV[2], '+', 'COUNT', 1), largest}
`);

/**
 * The last id and the length of a stream; when it is not there nothing, and its name is dropped. KEYS: stream, names of
 * channels. ARGV: the channel's name.
 */
export const infoScript: Script = new Script(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[1])
  return nil
end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then return {info[i + 1], redis.call('XLEN', KEYS[1])} end
end
`);
