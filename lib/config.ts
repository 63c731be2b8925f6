import { parseArgs } from "node:util";
import type { CertificateFiles } from "./certificate.ts";
import { type Flag, flags, options, type switches, variableOf } from "./flags.ts";
import type { LogFormat } from "./diagnostics.ts";
import { adminOf, isHost, isLogFormat, isName, isOrigin, isRedisUrl } from "./flag_values.ts";
import { isLoopback } from "./http/allowed_hosts.ts";
import { parseWhole } from "./http/params.ts";
import { Limits } from "./limits.ts";

/** Settings: flags and environment, and the limits. */
export interface Config {
  /** The address to bind; also a name that the server answers to. */
  readonly host: string;
  /** Other names that the server answers to; `*.example.org` is every name below. Default: none. */
  readonly allowHosts?: readonly string[];
  /** Origins whose pages may use the server, beside its own. Default: none. */
  readonly allowOrigins?: readonly string[];
  /** Whether `X-Forwarded-*` are the words of a proxy in front of the server. Default: false. */
  readonly trustProxy?: boolean;
  /** Absolute path of the token file, or null. Default: null. */
  readonly tokenFile?: string | null;
  /** Absolute paths of a certificate and its key; null for plain HTTP. Default: null. */
  readonly certificate?: CertificateFiles | null;
  /** 0 takes a free one. */
  readonly port: number;
  /** Whether other processes of this user may listen on the port as well. Default: false. */
  readonly reusePort?: boolean;
  /** Where `/metrics` and `/healthz` are of this process alone; null for nowhere. Default: null. */
  readonly admin?: Readonly<Deno.NetAddr> | null;
  /** Absolute path: the root of /files. */
  readonly files: string;
  /** Absolute paths of folders or files: what /logs lists, beside the server's own access log. */
  readonly logs: readonly string[];
  /** Whether links in `files` and `logs` may lead anywhere. */
  readonly followLinks: boolean;
  /** Absolute path of the sensors' JSON file, or null. */
  readonly sensors: string | null;
  /** What /stream requests at each step; null for the server's own /async_route. */
  readonly upstream: string | null;
  /** Percent of a limit that one client may hold once half of it is taken; 0 is no bound. */
  readonly clientShare: number;
  /** URL of the Redis that has the channels, with its password; null for memory. Default: null. */
  readonly redis?: string | null;
  /** Seconds that a channel in Redis lives after its last event. Default: 604,800. */
  readonly channelTtl?: number;
  /** Seconds for which a run is retained after its end. Default: 600. */
  readonly keepRuns?: number;
  /** Seconds from the first signal to exit, at the latest. */
  readonly drain: number;
  /** How diagnostics are written. Default: text. */
  readonly logFormat?: LogFormat;
  /** Absolute path of the access log. */
  readonly accessLog: string;
  /** Resource limits. */
  readonly limits: Limits;
}

/** What the process is started with. */
export interface Surroundings {
  /** Value of a variable; undefined when it is not set. */
  env(name: string): string | undefined;
  /** The folder that relative paths start from: where the user typed the command. */
  base: string;
  /** The folder that the server runs in: it holds the server's own `logs/`. */
  home: string;
  /** Makes a path absolute: (base, path). */
  resolve(base: string, path: string): string;
  /** What separates paths in `WEIR_LOGS`. */
  delimiter: string;
}

/**
 * Flags and environment → one frozen Config, or what `--help` or `--version` asks for.
 *
 * @param faults gets a line for each that cannot be used, which names the flag, the rule and the value; in the Config its
 * default stands in for it
 */
export function parseConfig(
  args: string[],
  around: Surroundings,
  faults: string[],
): Config | "help" | "version" {
  const fail = (name: string, rule: string, value: string) => {
    const line = `${name} must ${rule}: current value is ${JSON.stringify(value)}`;
    // What looks like the user and password of a URL is for nobody to see.
    faults.push(line.replaceAll(/[^\s"]*:[^\s"]*@/g, "…@"));
  };
  const missing = new Set<string>();
  const { values, tokens } = parseArgs({ args, options, strict: false, tokens: true });
  let told = 0;
  for (const token of tokens) {
    const isTold = told < faults.length;
    told = faults.length;
    // What follows one that is wrong is most likely its value.
    if (token.kind === "option-terminator" || token.kind === "positional" && isTold) continue;
    const arg = args[token.index];
    if (token.kind === "positional" || !Object.hasOwn(options, token.name)) {
      fail(arg.split("=")[0] || "an argument", "be a known flag (see --help)", arg);
      continue;
    }
    if (token.value !== undefined && options[token.name as keyof typeof options].type === "boolean") {
      fail(token.rawName, "have no value", token.value);
    }
    const isMissing = !token.value || !token.inlineValue && token.value.startsWith("--");
    if (isMissing && flags.includes(token.name as Flag)) {
      fail(token.rawName, "have a value", token.value ?? "");
      missing.add(token.name);
    }
  }
  if (faults.length === 0 && values.help) return "help";
  if (faults.length === 0 && values.version) return "version";

  const typed = (flag: Flag) => missing.has(flag) ? [] : (values[flag] ?? []) as string[];
  const variable = (flag: string) =>
    missing.has(flag) ? undefined : around.env(variableOf(flag)) || undefined;
  const one = (flag: Flag, rule = "", isGood = (_value: string) => true): string | undefined => {
    const [value = variable(flag), ...more] = typed(flag);
    if (more.length > 0) fail(`--${flag}`, "be given once", typed(flag).join(" "));
    if (value === undefined || isGood(value)) return value;
    fail(nameOf(flag, args, around), rule, value);
  };
  const many = (flag: Flag, separator: string, rule = "", isGood = (_value: string) => true) => {
    const listed = variable(flag)?.split(separator).filter((value) => value !== "") ?? [];
    const all = typed(flag).length > 0 ? typed(flag) : listed;
    for (const value of all) if (!isGood(value)) fail(nameOf(flag, args, around), rule, value);
    return all;
  };
  const on = (flag: typeof switches[number]) => {
    const value = values[flag] ? "true" : variable(flag) ?? "false";
    if (!/^(true|false|0|1)$/.test(value)) fail(variableOf(flag), "be true or false", value);
    return value === "true" || value === "1";
  };
  const absolute = (path: string) => around.resolve(around.base, path);
  const number = (flag: Flag, fallback: number, max: number, min = 0) => {
    const isWhole = (value: string) => parseWhole(value, min, max) !== undefined;
    return Number(one(flag, `be a whole number from ${min} to ${max}`, isWhole) ?? fallback);
  };

  const isUrl = (value: string) => /^https?:$/.test(URL.parse(value)?.protocol ?? "");
  const host = one("host", "be a host name or an address", isHost) ?? "127.0.0.1";
  const admin = one("admin", "be HOST:PORT, or a PORT of 127.0.0.1", (value) => adminOf(value) !== null);
  const tokenFile = one("token-file");
  const hasTokens = tokenFile !== undefined || missing.has("token-file") || Boolean(around.env("WEIR_TOKEN"));
  const isAnonymous = on("anonymous");
  if (isAnonymous && hasTokens) {
    faults.push("--anonymous must not be given with --token-file or WEIR_TOKEN");
  }
  const bound = { host, admin: adminOf(admin)?.hostname ?? "127.0.0.1" };
  for (const flag of ["host", "admin"] as const) {
    if (isAnonymous || hasTokens || isLoopback(bound[flag])) continue;
    const rule = "be loopback, without --token-file FILE, or --anonymous to let everybody in";
    fail(nameOf(flag, args, around), rule, bound[flag]);
  }
  const [cert, key] = [one("cert"), one("key")];
  if ((cert === undefined) !== (key === undefined) && !missing.has("cert") && !missing.has("key")) {
    faults.push("--cert and --key must be given together");
  }
  const redis = one("redis");
  if (redis !== undefined && !isRedisUrl(redis)) {
    // Without its value, which may hold a password.
    faults.push(`${nameOf("redis", args, around)} must be a URL as in redis://user:password@host:6379/0`);
  }
  if (redis === undefined && typed("channel-ttl").length > 0 && !missing.has("redis")) {
    faults.push("--channel-ttl must be given with --redis");
  }
  const sensors = one("sensors");
  const ownLogs = around.resolve(around.home, "logs");
  const logs = many("logs", around.delimiter).map(absolute);
  return Object.freeze({
    host,
    allowHosts: Object.freeze(many("allow-host", ",", "be a host name or an address, or *.NAME", isName)),
    allowOrigins: Object.freeze(
      many("allow-origin", ",", "be an origin, as in https://app.example", isOrigin),
    ),
    trustProxy: on("trust-proxy"),
    tokenFile: tokenFile === undefined ? null : absolute(tokenFile),
    certificate: cert === undefined || key === undefined
      ? null
      : Object.freeze({ cert: absolute(cert), key: absolute(key) }),
    port: number("port", 8000, 65_535),
    reusePort: on("reuse-port"),
    admin: adminOf(admin),
    files: absolute(one("files") ?? ""),
    logs: Object.freeze(logs.length > 0 ? logs : [ownLogs]),
    followLinks: on("follow-links"),
    sensors: sensors === undefined ? null : absolute(sensors),
    upstream: one("upstream", "be an http or https URL", isUrl) ?? null,
    clientShare: number("client-share", 0, 100),
    redis: redis ?? null,
    channelTtl: number("channel-ttl", 604_800, 31_536_000, 1),
    keepRuns: number("keep-runs", 600, 86_400),
    drain: number("drain", 10, 3_600),
    logFormat: (one("log-format", "be text or json", isLogFormat) ?? "text") as LogFormat,
    accessLog: around.resolve(ownLogs, "access.log"),
    limits: new Limits({ channelEvents: number("history", 2_000, 1_000_000, 1) }),
  });
}

/** What a message about a flag's value names: its variable when that is set and the flag is not given, else the flag. */
export function nameOf(flag: string, args: string[], around: Pick<Surroundings, "env">): string {
  const given = args.some((arg) => arg === `--${flag}` || arg.startsWith(`--${flag}=`));
  return given || !around.env(variableOf(flag)) ? `--${flag}` : variableOf(flag);
}
