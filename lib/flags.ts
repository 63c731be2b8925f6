/** What `--help` prints. */
export const help = `Usage: deno task start [flags]

Weir turns async generators into live streams.

  --host HOST       address to bind, and a name to answer to (default 127.0.0.1)
  --allow-host NAME one more name to answer to, or *.NAME for every name below it; repeatable
  --allow-origin ORIGIN
                    one more origin whose pages may read and post, as in https://app.example; repeatable
  --trust-proxy     take client, scheme and host from the last hop of X-Forwarded-*: only behind a proxy that sets them
  --token-file FILE file of tokens, of which every request needs one (README.md, "Who gets in")
  --anonymous       let everybody in, also beyond loopback
  --cert FILE       certificate, as PEM: with --key FILE, its key, the server speaks TLS and HTTP/2
  --port PORT       port to bind; 0 takes a free one (default 8000)
  --reuse-port      several processes on this machine may serve the port together (Linux)
  --admin HOST:PORT one more address, for /metrics and /healthz of this process alone; without HOST on 127.0.0.1
  --files DIR       root of /files (default: the working directory)
  --logs PATH       folder or file that /logs lists; repeatable (default logs/)
  --follow-links    links in --files and --logs may lead anywhere (default: not out of them)
  --sensors FILE    JSON file of more sensors (default: none)
  --upstream URL    what /stream requests at each step (default: its own /async_route)
  --client-share N  percent of the downloads, streams, sockets or runs that one client address may hold once half are
                    taken (default: no bound)
  --redis URL       keep the channels in Redis, as in redis://127.0.0.1:6379 (rediss: with TLS): any number of processes serve
                    them (default: in memory)
  --history N       events retained in a channel (default 2000)
  --channel-ttl SECONDS
                    how long a channel in Redis lives after its last event (default 604800, a week)
  --keep-runs SECONDS
                    how long a run can be read after its end (default 600)
  --drain SECONDS   from SIGTERM or SIGINT to exit, at the latest (default 10)
  --log-format FMT  text or json: how diagnostics are written to stderr (default text)
  --check           say all that is wrong with the flags and the files that they name, and end
  --help (-h), --version

Each flag has an environment variable: WEIR_HOST, WEIR_ALLOW_HOST and WEIR_ALLOW_ORIGIN (several, separated by commas),
WEIR_TRUST_PROXY, WEIR_ANONYMOUS, WEIR_REUSE_PORT and WEIR_FOLLOW_LINKS (true or false), WEIR_TOKEN_FILE, WEIR_CERT, WEIR_KEY, WEIR_PORT, WEIR_ADMIN, WEIR_FILES, WEIR_LOGS (several, separated as in PATH),
WEIR_SENSORS, WEIR_UPSTREAM, WEIR_CLIENT_SHARE, WEIR_REDIS, WEIR_HISTORY, WEIR_CHANNEL_TTL, WEIR_KEEP_RUNS, WEIR_DRAIN, WEIR_LOG_FORMAT. WEIR_TOKEN is one token with all rights. A flag wins over its variable. A relative path is
taken from where the command was typed.
`;

/** Flags with a value. */
export const flags = [
  "host",
  "allow-host",
  "allow-origin",
  "token-file",
  "cert",
  "key",
  "port",
  "admin",
  "files",
  "logs",
  "sensors",
  "upstream",
  "client-share",
  "redis",
  "history",
  "channel-ttl",
  "keep-runs",
  "drain",
  "log-format",
] as const;
/** A flag with a value. */
export type Flag = typeof flags[number];
/** Flags without a value; their variables are true or false. */
export const switches = ["trust-proxy", "anonymous", "reuse-port", "follow-links"] as const;

/** All flags, as `parseArgs` takes them. */
export const options = {
  ...Object.fromEntries(flags.map((flag) => [flag, { type: "string", multiple: true } as const])),
  ...Object.fromEntries(switches.map((flag) => [flag, { type: "boolean" } as const])),
  check: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** The environment variable of a flag. */
export const variableOf = (flag: string) => `WEIR_${flag.toUpperCase().replaceAll("-", "_")}`;
