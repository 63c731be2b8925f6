import { assert, assertEquals } from "@std/assert";
import { posix } from "node:path";
import { nameOf, parseConfig, type Surroundings } from "../../lib/config.ts";
import { flags, help, switches, variableOf } from "../../lib/flags.ts";
import { Limits } from "../../lib/limits.ts";

const around = (variables: Record<string, string> = {}): Surroundings => ({
  env: (name) => variables[name],
  base: "/typed/here",
  home: "/srv/weir",
  resolve: posix.resolve,
  delimiter: ":",
});

function parse(args: string[], variables: Record<string, string> = {}) {
  const faults: string[] = [];
  const config = parseConfig(args, around(variables), faults);
  assertEquals(faults, []);
  assert(typeof config !== "string");
  return config;
}

Deno.test("without flags and variables every setting has its default", () => {
  assertEquals(parse([]), {
    host: "127.0.0.1",
    allowHosts: [],
    allowOrigins: [],
    trustProxy: false,
    tokenFile: null,
    certificate: null,
    port: 8000,
    reusePort: false,
    admin: null,
    files: "/typed/here",
    logs: ["/srv/weir/logs"],
    followLinks: false,
    sensors: null,
    upstream: null,
    clientShare: 0,
    redis: null,
    channelTtl: 604_800,
    keepRuns: 600,
    logFormat: "text",
    drain: 10,
    accessLog: "/srv/weir/logs/access.log",
    limits: new Limits(),
  });
});

Deno.test("--history is the number of events that a channel retains", () => {
  assertEquals(parse(["--history", "1000000"]).limits.channelEvents, 1_000_000);
});

Deno.test("the configuration cannot be changed later", () => {
  const config = parse(["--logs", "a"]);
  assert(Object.isFrozen(config) && Object.isFrozen(config.logs) && Object.isFrozen(config.limits));
});

const good: [args: string[], variables: Record<string, string>, field: string, value: unknown][] = [
  [["--port", "0"], {}, "port", 0],
  [["--port=65535"], {}, "port", 65_535],
  [[], { WEIR_PORT: "9000" }, "port", 9000],
  [["--port", "1"], { WEIR_PORT: "9000" }, "port", 1],
  [[], { WEIR_PORT: "" }, "port", 8000],
  [["--host", "::1"], {}, "host", "::1"],
  ...["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST.", "::1", "0:0::1"].map((host): typeof good[0] => [
    ["--host", host],
    {},
    "host",
    host,
  ]),
  [["--host", "0.0.0.0", "--anonymous"], {}, "host", "0.0.0.0"],
  [["--host", "::", "--token-file", "t"], {}, "host", "::"],
  [["--host", "::ffff:127.0.0.1"], { WEIR_ANONYMOUS: "true" }, "host", "::ffff:127.0.0.1"],
  [[], { WEIR_HOST: "weir.example", WEIR_TOKEN: "t" }, "host", "weir.example"],
  [["--token-file", "t"], {}, "tokenFile", "/typed/here/t"],
  [[], { WEIR_TOKEN_FILE: "/run/secrets/t" }, "tokenFile", "/run/secrets/t"],
  [["--allow-host", "a.example", "--allow-host", "*.b.example"], {}, "allowHosts", [
    "a.example",
    "*.b.example",
  ]],
  [[], { WEIR_ALLOW_HOST: "a.example,*.b.example" }, "allowHosts", ["a.example", "*.b.example"]],
  [["--allow-origin", "https://a.example"], {}, "allowOrigins", ["https://a.example"]],
  [[], { WEIR_ALLOW_ORIGIN: "http://a:1,https://b" }, "allowOrigins", ["http://a:1", "https://b"]],
  [["--trust-proxy"], {}, "trustProxy", true],
  [[], { WEIR_TRUST_PROXY: "1" }, "trustProxy", true],
  [[], { WEIR_TRUST_PROXY: "false" }, "trustProxy", false],
  [["--trust-proxy"], { WEIR_TRUST_PROXY: "false" }, "trustProxy", true],
  [["--reuse-port"], {}, "reusePort", true],
  [[], { WEIR_REUSE_PORT: "1" }, "reusePort", true],
  ...([
    ["9100", "127.0.0.1", 9_100],
    ["localhost:0", "localhost", 0],
    ["[::1]:9100", "::1", 9_100],
  ] as const).map(([value, hostname, port]): typeof good[0] => [
    ["--admin", value],
    {},
    "admin",
    { transport: "tcp", hostname, port },
  ]),
  [["--admin", "10.0.0.5:1", "--anonymous"], {}, "admin", {
    transport: "tcp",
    hostname: "10.0.0.5",
    port: 1,
  }],
  [[], { WEIR_ADMIN: "9100" }, "admin", { transport: "tcp", hostname: "127.0.0.1", port: 9_100 }],
  [["--files", "data"], {}, "files", "/typed/here/data"],
  [["--files", "../data"], {}, "files", "/typed/data"],
  [["--files", "/data"], {}, "files", "/data"],
  [["--files=--x"], {}, "files", "/typed/here/--x"],
  [[], { WEIR_FILES: "data" }, "files", "/typed/here/data"],
  [["--logs", "a", "--logs", "/b"], {}, "logs", ["/typed/here/a", "/b"]],
  [[], { WEIR_LOGS: "a:/b:" }, "logs", ["/typed/here/a", "/b"]],
  [["--logs", "a"], { WEIR_LOGS: "b" }, "logs", ["/typed/here/a"]],
  [["--logs", "a"], {}, "accessLog", "/srv/weir/logs/access.log"],
  [["--follow-links"], {}, "followLinks", true],
  [[], { WEIR_FOLLOW_LINKS: "true" }, "followLinks", true],
  [[], { WEIR_FOLLOW_LINKS: "false" }, "followLinks", false],
  [["--follow-links"], { WEIR_FOLLOW_LINKS: "false" }, "followLinks", true],
  [["--sensors", "s.json"], {}, "sensors", "/typed/here/s.json"],
  [["--upstream", "https://example.com/x"], {}, "upstream", "https://example.com/x"],
  [[], { WEIR_UPSTREAM: "http://localhost:1/" }, "upstream", "http://localhost:1/"],
  [["--client-share", "10"], {}, "clientShare", 10],
  ...["redis://h", "rediss://h:1/", "redis://h/15", "redis://u:p%40@[::1]:6379/0", "redis://:p@h"].map((
    url,
  ): typeof good[0] => [["--redis", url], {}, "redis", url]),
  [[], { WEIR_REDIS: "redis://h" }, "redis", "redis://h"],
  [[], { WEIR_CHANNEL_TTL: "1" }, "channelTtl", 1],
  [["--keep-runs", "0"], {}, "keepRuns", 0],
  [["--log-format", "json"], {}, "logFormat", "json"],
  [[], { WEIR_LOG_FORMAT: "json" }, "logFormat", "json"],
  [[], { WEIR_KEEP_RUNS: "86400" }, "keepRuns", 86_400],
  [["--drain", "0"], {}, "drain", 0],
  [[], { WEIR_DRAIN: "3600" }, "drain", 3600],
];

for (const [args, variables, field, value] of good) {
  Deno.test(`'${args.join(" ")}' with ${JSON.stringify(variables)} sets ${field} to ${JSON.stringify(value)}`, () => {
    assertEquals((parse(args, variables) as unknown as Record<string, unknown>)[field], value);
  });
}

const beyond =
  "must be loopback, without --token-file FILE, or --anonymous to let everybody in: current value is";

const bad: [args: string[], variables: Record<string, string>, message: string][] = [
  ...["0.0.0.0", "::", "192.0.2.1", "weir.example", "127.example", "a.localhost"].map((
    host,
  ): typeof bad[0] => [
    ["--host", host],
    {},
    `--host ${beyond} "${host}"`,
  ]),
  [[], { WEIR_HOST: "0.0.0.0", WEIR_TOKEN: "" }, `WEIR_HOST ${beyond} "0.0.0.0"`],
  [["--admin", "10.0.0.5:1"], {}, `--admin ${beyond} "10.0.0.5"`],
  ...["x", "::1:80", ":80", "a b:80", "localhost:65536", "localhost:"].map((value): typeof bad[0] => [
    ["--admin", value],
    {},
    `--admin must be HOST:PORT, or a PORT of 127.0.0.1: current value is ${JSON.stringify(value)}`,
  ]),
  [[], { WEIR_REUSE_PORT: "yes" }, 'WEIR_REUSE_PORT must be true or false: current value is "yes"'],
  [["--cert", "c"], {}, "--cert and --key must be given together"],
  [[], { WEIR_KEY: "k" }, "--cert and --key must be given together"],
  [["--cert"], {}, '--cert must have a value: current value is ""'],
  [["--check=yes"], {}, '--check must have no value: current value is "yes"'],
  [["--anonymous"], { WEIR_TOKEN: "t" }, "--anonymous must not be given with --token-file or WEIR_TOKEN"],
  [["--anonymous", "--token-file", "t"], {}, "--anonymous must not be given with --token-file or WEIR_TOKEN"],
  [["--port", "x"], {}, '--port must be a whole number from 0 to 65535: current value is "x"'],
  [["--port", "65536"], {}, '--port must be a whole number from 0 to 65535: current value is "65536"'],
  [["--port", "-1"], {}, '--port must be a whole number from 0 to 65535: current value is "-1"'],
  [["-1"], {}, '-1 must be a known flag (see --help): current value is "-1"'],
  [["--port=-1"], {}, '--port must be a whole number from 0 to 65535: current value is "-1"'],
  [["--port=1.5"], {}, '--port must be a whole number from 0 to 65535: current value is "1.5"'],
  [["--port"], {}, '--port must have a value: current value is ""'],
  [["--port", "--drain", "1"], {}, '--port must have a value: current value is "--drain"'],
  [["--port="], {}, '--port must have a value: current value is ""'],
  [["--port", "1", "--port", "2"], {}, '--port must be given once: current value is "1 2"'],
  [[], { WEIR_PORT: "x" }, 'WEIR_PORT must be a whole number from 0 to 65535: current value is "x"'],
  [
    ["--client-share", "10%"],
    {},
    '--client-share must be a whole number from 0 to 100: current value is "10%"',
  ],
  [
    ["--log-format", "xml"],
    {},
    '--log-format must be text or json: current value is "xml"',
  ],
  [
    ["--keep-runs", "86401"],
    {},
    '--keep-runs must be a whole number from 0 to 86400: current value is "86401"',
  ],
  ...[
    ...[
      "redis",
      "http://u:secret@h",
      "redis://",
      "redis:///0",
      "redis://u:secret@h/x",
      "redis://h/0?password=secret",
    ],
    ...["redis://u:%@h", "redis://u:secret@h#x", "u:secret@h:6379"],
  ].map((
    url,
  ): typeof bad[0] => [
    ["--redis", url],
    {},
    "--redis must be a URL as in redis://user:password@host:6379/0",
  ]),
  [[], { WEIR_REDIS: "x" }, "WEIR_REDIS must be a URL as in redis://user:password@host:6379/0"],
  [
    ["--redis", "redis://u:one@h", "--redis", "redis://u:two@h"],
    {},
    '--redis must be given once: current value is "…@h …@h"',
  ],
  [["--reddis=redis://u:secret@h"], {}, '--reddis must be a known flag (see --help): current value is "…@h"'],
  [["redis://u:secret@h"], {}, '…@h must be a known flag (see --help): current value is "…@h"'],
  [["--channel-ttl", "60"], {}, "--channel-ttl must be given with --redis"],
  [["--history", "0"], {}, '--history must be a whole number from 1 to 1000000: current value is "0"'],
  [["--drain", "3601"], {}, '--drain must be a whole number from 0 to 3600: current value is "3601"'],
  [["--host", "a b"], {}, '--host must be a host name or an address: current value is "a b"'],
  [
    ["--allow-host", "*"],
    {},
    '--allow-host must be a host name or an address, or *.NAME: current value is "*"',
  ],
  [
    [],
    { WEIR_ALLOW_HOST: "a.example,b:80" },
    'WEIR_ALLOW_HOST must be a host name or an address, or *.NAME: current value is "b:80"',
  ],
  ...[
    "*",
    "https://*.ex.org",
    "null",
    "a.example",
    "https://a.example/",
    "https://A.example",
    "https://a.example:443",
    "ws://a",
  ]
    .map((
      value,
    ): typeof bad[0] => [
      ["--allow-origin", value],
      {},
      `--allow-origin must be an origin, as in https://app.example: current value is "${value}"`,
    ]),
  [["--trust-proxy=no"], {}, '--trust-proxy must have no value: current value is "no"'],
  [["--help=x"], {}, '--help must have no value: current value is "x"'],
  [[], { WEIR_TRUST_PROXY: "yes" }, 'WEIR_TRUST_PROXY must be true or false: current value is "yes"'],
  [[""], {}, 'an argument must be a known flag (see --help): current value is ""'],
  [["--host", ""], {}, '--host must have a value: current value is ""'],
  [["--port", "", "--drain", "1"], {}, '--port must have a value: current value is ""'],
  [["--files", ""], {}, '--files must have a value: current value is ""'],
  [["--logs", ""], {}, '--logs must have a value: current value is ""'],
  [["--logs", "a", "--logs", ""], {}, '--logs must have a value: current value is ""'],
  [["--host", "256.1.1.1"], {}, '--host must be a host name or an address: current value is "256.1.1.1"'],
  [["--host", ":::"], {}, '--host must be a host name or an address: current value is ":::"'],
  [
    ["--host", "127.0.0.1:80"],
    {},
    '--host must be a host name or an address: current value is "127.0.0.1:80"',
  ],
  [
    [],
    { WEIR_HOST: "1.2.3.4.5" },
    'WEIR_HOST must be a host name or an address: current value is "1.2.3.4.5"',
  ],
  [["--files="], {}, '--files must have a value: current value is ""'],
  [["--logs="], {}, '--logs must have a value: current value is ""'],
  [["--upstream", "nowhere"], {}, '--upstream must be an http or https URL: current value is "nowhere"'],
  [
    ["--upstream", "file:///etc"],
    {},
    '--upstream must be an http or https URL: current value is "file:///etc"',
  ],
  [[], { WEIR_UPSTREAM: "x" }, 'WEIR_UPSTREAM must be an http or https URL: current value is "x"'],
  [[], { WEIR_FOLLOW_LINKS: "yes" }, 'WEIR_FOLLOW_LINKS must be true or false: current value is "yes"'],
  [["--follow-links=no"], {}, '--follow-links must have no value: current value is "no"'],
  [["--colour=red"], {}, '--colour must be a known flag (see --help): current value is "--colour=red"'],
  [["-p", "1"], {}, '-p must be a known flag (see --help): current value is "-p"'],
  [["serve"], {}, 'serve must be a known flag (see --help): current value is "serve"'],
  [["--", "serve"], {}, 'serve must be a known flag (see --help): current value is "serve"'],
  [["--no-port"], {}, '--no-port must be a known flag (see --help): current value is "--no-port"'],
];

Deno.test("all flags that are wrong are told, a line each", () => {
  const faults: string[] = [];
  parseConfig(
    ["--prot", "80", "--port", "x", "--key", "k", "--drain="],
    around({ WEIR_UPSTREAM: "y" }),
    faults,
  );
  assertEquals(faults.map((fault) => fault.split(" ", 1)[0]), [
    "--prot",
    "--drain",
    "--cert",
    "--port",
    "WEIR_UPSTREAM",
  ]);
});

for (const [args, variables, message] of bad) {
  Deno.test(`'${args.join(" ")}' with ${JSON.stringify(variables)} is refused in one line`, () => {
    const faults: string[] = [];
    parseConfig(args, around(variables), faults);
    assertEquals(faults, [message]);
    assertEquals(message.includes("\n"), false);
  });
}

const names: [args: string[], variables: Record<string, string>, name: string][] = [
  [[], {}, "--files"],
  [["--files", "x"], {}, "--files"],
  [["--files=x"], {}, "--files"],
  [["--files", "x"], { WEIR_FILES: "y" }, "--files"],
  [[], { WEIR_FILES: "y" }, "WEIR_FILES"],
  [[], { WEIR_FILES: "" }, "--files"],
  [["--sensors", "x"], { WEIR_FILES: "y" }, "WEIR_FILES"],
];

for (const [args, variables, name] of names) {
  Deno.test(`with '${args.join(" ")}' and ${JSON.stringify(variables)} the files are named by ${name}`, () => {
    assertEquals(nameOf("files", args, around(variables)), name);
  });
}

Deno.test("--help and --version are asked for by name", () => {
  assertEquals(parseConfig(["--help"], around(), []), "help");
  assertEquals(parseConfig(["-h"], around(), []), "help");
  assertEquals(parseConfig(["--version", "--port", "1"], around(), []), "version");
});

Deno.test("help has every flag and variable", () => {
  for (const flag of [...flags, ...switches]) {
    assert(help.includes(`--${flag} `) && help.includes(variableOf(flag)), flag);
  }
});
