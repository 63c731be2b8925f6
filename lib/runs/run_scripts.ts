import { prefix } from "../channels/redis/keys.ts";
import { Script } from "../channels/redis/scripts.ts";

/** Set of the runs' names, by the time at which they started. */
export const namesKey: string = `${prefix}runs`;
/** Stream of the names of runs that have started. */
export const startsKey: string = `${prefix}runs:started`;

/**
 * What Redis has of a run: `meta`, a hash that says whose it is and how it is; `lease`, there for as long as its process renews it;
 * `events`, a stream of entries `EPOCH-NUMBER`, of which the last is the end.
 */
export function keysOf(name: string, epoch: string): string[] {
  const meta = metaKey(name);
  return [meta, `${meta}:lease`, `${meta}:${epoch}`];
}

/** The first of a run's keys. */
export function metaKey(name: string): string {
  return `${prefix}run:${name}`;
}

// The KEYS of all scripts but one are meta, lease and events, their first ARGV the owner, the ms of its lease, the ms that the
// keys are kept for when nobody renews them, and the epoch.

const keep = `
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
`;

/** Takes a name: 1, or 0 when there is a run of it. More ARGV: route, params, started. */
export const claimScript: Script = new Script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', ARGV[4], 'state', 'running',
  'route', ARGV[5], 'params', ARGV[6], 'started', ARGV[7])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('XADD', KEYS[3], ARGV[4] .. '-0', 's', '')
  redis.call('XDEL', KEYS[3], ARGV[4] .. '-0')
end
${keep}
return 1
`);

/** Whether a run is still its owner's: 1; 0 when it was given up; -1 when Redis has nothing of it any more. */
const owned = `
local meta = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'state')
if not meta[1] then return -1 end
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[4] or meta[3] ~= 'running' then return 0 end
`;

/** Renews the lease. */
export const renewScript: Script = new Script(`${owned}
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
${keep}
return 1
`);

/** Adds events, where they are not there already. More ARGV: the number of the oldest retained, that of the first added; of each its JSON and its kind. */
export const appendScript: Script = new Script(`${owned}
for i = 7, #ARGV, 2 do
  local id = string.format('%s-%.0f', ARGV[4], ARGV[6] + (i - 7) / 2)
  local added = redis.pcall('XADD', KEYS[3], id, 'd', ARGV[i], 'k', ARGV[i + 1])
  if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller') then return added end
end
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[4] .. '-' .. ARGV[5])
return 1
`);

const finish = (state: string, reason: string) => `
redis.call('XADD', KEYS[3], ARGV[4] .. '-*', 'end', ${state}, 'reason', ${reason})
redis.call('HSET', KEYS[1], 'state', ${state})
redis.call('DEL', KEYS[2])
${keep}
return 1
`;

/** Adds the end. More ARGV: the state, and the reason that readers get. */
export const endScript: Script = new Script(`${owned}${finish("ARGV[5]", "ARGV[6]")}`);

/** Ends a run whose lease is gone: 1 when it has ended, 0 while it goes on, -1 when it is not there. */
export const loseScript: Script = new Script(`
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'state')
if meta[1] ~= ARGV[4] then return -1 end
if meta[2] ~= 'running' then return 1 end
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
${finish("'lost'", "'lost'")}
`);

/** Forgets a run; who still reads its events has a while for it. */
export const forgetScript: Script = new Script(`
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[4] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[3], 5000)
return 1
`);

/** What there is of a run: the fields of `meta`, entries of its stream so far, whether its lease is there; nothing when there is none. KEYS: meta. */
export const findScript: Script = new Script(`
local meta = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'state', 'route', 'params', 'started')
if not meta[1] then return nil end
local info = redis.pcall('XINFO', 'STREAM', KEYS[1] .. ':' .. meta[2])
meta[7] = '0'
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then meta[7] = string.match(info[i + 1], '%d+$') end
end
meta[8] = redis.call('EXISTS', KEYS[1] .. ':lease')
return meta
`);
