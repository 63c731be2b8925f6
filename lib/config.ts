import { parseArgs } from "@std/cli/parse-args";
import { Limits } from "./limits.ts";

/** Settings: flags and environment, and the limits. */
export interface Config {
  /** The address to bind; also a name that the server answers to. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Absolute path: the root of /files. */
  readonly files: string;
  /** Absolute paths of folders or files: what /logs lists, beside the server's own access log. */
  readonly logs: readonly string[];
  /** Absolute path of the sensors' JSON file, or null. */
  readonly sensors: string | null;
  /** What /stream requests at each step; null for the server's own /async_route. */
  readonly upstream: string | null;
  /** Seconds from the first signal to exit, at the latest. */
  readonly drain: number;
  /** Absolute path of the access log. */
  readonly accessLog: string;
  /** Resource limits. */
  readonly limits: Limits;
}

/** A flag or variable that cannot be used; the message is one line for the person at the terminal. */
export class ConfigError extends Error {
  /** The error's name. */
  override name = "ConfigError";
}

/** What `--help` prints. */
export const help = `Usage: deno task start [flags]

Weir turns async generators into live streams.

  --host HOST       address to bind, and a name to answer to (default 127.0.0.1)
  --port PORT       port to bind; 0 takes a free one (default 8000)
  --files DIR       root of /files (default: the working directory)
  --logs PATH       folder or file that /logs lists; repeatable (default logs/)
  --sensors FILE    JSON file of more sensors (default: none)
  --upstream URL    what /stream requests at each step (default: its own /async_route)
  --drain SECONDS   from SIGTERM or SIGINT to exit, at the latest (default 10)
  --help, --version

Each flag has an environment variable: WEIR_HOST, WEIR_PORT, WEIR_FILES, WEIR_LOGS (several, separated as in PATH),
WEIR_SENSORS, WEIR_UPSTREAM, WEIR_DRAIN. A flag wins over its variable. A relative path is taken from where the command
was typed.
`;

const flags = ["host", "port", "files", "logs", "sensors", "upstream", "drain"] as const;
type Flag = typeof flags[number];

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
 * @throws ConfigError that names the flag, the rule and the value
 */
export function parseConfig(args: string[], around: Surroundings): Config | "help" | "version" {
  // `--port -1` and `--port ""` are bad values of --port, not unknown flags.
  const isOddValue = (i: number) => isFlag(args[i - 1]) && /^(-\d.*)?$/s.test(args[i] ?? "--");
  const joined = args.flatMap((arg, i) => {
    if (isOddValue(i)) return [];
    return isOddValue(i + 1) ? [`${arg}=${args[i + 1]}`] : [arg];
  });
  const parsed = parseArgs(joined, {
    string: [...flags],
    boolean: ["help", "version"],
    collect: [...flags],
    unknown: (arg: string) => {
      throw new ConfigError(
        `${arg.split("=")[0] || "an argument"} must be a known flag (see --help): current value is ${
          JSON.stringify(arg)
        }`,
      );
    },
  });
  if (parsed._.length > 0) fail(String(parsed._[0]), "be a known flag (see --help)", String(parsed._[0]));
  if (parsed.help) return "help";
  if (parsed.version) return "version";

  /** The flag's values, else its variable's, and which of the two a message should name. */
  const given = (flag: Flag): { name: string; values: string[] } => {
    const name = nameOf(flag, args, around);
    if (name.startsWith("--")) return { name, values: parsed[flag] as string[] };
    const value = around.env(name)!;
    return {
      name,
      values: flag === "logs" ? value.split(around.delimiter).filter((path) => path !== "") : [value],
    };
  };
  const one = (flag: Flag): { name: string; value: string | undefined } => {
    const { name, values } = given(flag);
    if (values.length > 1) fail(name, "be given once", values.join(" "));
    if (values[0] === "") fail(name, "have a value", "");
    return { name, value: values[0] };
  };
  const path = (flag: Flag) => {
    const { value } = one(flag);
    return value === undefined ? undefined : around.resolve(around.base, value);
  };
  const number = (flag: Flag, fallback: number, max: number) => {
    const { name, value } = one(flag);
    if (value === undefined) return fallback;
    if (!/^\d{1,9}$/.test(value) || Number(value) > max) {
      fail(name, `be a whole number from 0 to ${max}`, value);
    }
    return Number(value);
  };

  const host = one("host");
  if (host.value !== undefined && !isHost(host.value)) {
    fail(host.name, "be a host name or an address", host.value);
  }
  const upstream = one("upstream");
  if (upstream.value !== undefined && !isHttpUrl(upstream.value)) {
    fail(upstream.name, "be an http or https URL", upstream.value);
  }
  const logs = given("logs");
  if (logs.values.includes("")) fail(logs.name, "have a value", "");
  const ownLogs = around.resolve(around.home, "logs");
  return Object.freeze({
    host: host.value ?? "127.0.0.1",
    port: number("port", 8000, 65_535),
    files: path("files") ?? around.base,
    logs: Object.freeze(
      logs.values.length === 0 ? [ownLogs] : logs.values.map((value) => around.resolve(around.base, value)),
    ),
    sensors: path("sensors") ?? null,
    upstream: upstream.value ?? null,
    drain: number("drain", 10, 3_600),
    accessLog: around.resolve(ownLogs, "access.log"),
    limits: new Limits(),
  });
}

/**
 * What a message about a value should name: its variable when that is set and the flag is not given, else the flag.
 *
 * @param flag without its dashes
 * @param args what {@linkcode parseConfig} has taken
 */
export function nameOf(flag: string, args: string[], around: Pick<Surroundings, "env">): string {
  const variable = `WEIR_${flag.toUpperCase()}`;
  const given = args.some((arg) => arg === `--${flag}` || arg.startsWith(`--${flag}=`));
  return given || !around.env(variable) ? `--${flag}` : variable;
}

function fail(name: string, rule: string, value: string): never {
  throw new ConfigError(`${name} must ${rule}: current value is ${JSON.stringify(value)}`);
}

function isFlag(arg: string | undefined): boolean {
  return flags.some((flag) => arg === `--${flag}`);
}

function isHost(value: string): boolean {
  const authority = value.includes(":") ? `[${value}]` : value;
  // Not all that looks like an address is one: 256.1.1.1, or ":::".
  return (/^[a-zA-Z0-9.-]+$/.test(value) || /^[0-9a-fA-F:.]+$/.test(value)) &&
    URL.canParse(`http://${authority}`);
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
