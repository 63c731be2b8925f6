import { delimiter, resolve } from "node:path";
import { type Certificate, CertificateError, readCertificate, timeFault } from "./certificate.ts";
import { type Config, nameOf, parseConfig } from "./config.ts";
import { help } from "./flags.ts";
import { readGuard } from "./http/auth/read_guard.ts";
import { TokenFileError } from "./http/auth/token_file.ts";
import { mayShare } from "./listener.ts";
import { LogFiles } from "./logs/log_files.ts";
import { readDeclared } from "./sensors/configured.ts";
import { type DeclaredSensor, SensorsFileError } from "./sensors/declared.ts";
import { stderr, stdout } from "./stream/printer.ts";

/** What is wrong with a folder, if anything. */
function folderFault(flag: string, path: string): string | undefined {
  let rule = "be an existing folder";
  try {
    if (Deno.statSync(path).isDirectory) {
      // Another user's folder has a stat, and no names.
      if (Deno.build.os !== "windows") Deno.openSync(path).close();
      return;
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) rule = "be a folder that --allow-read of deno run covers";
    if (error instanceof Deno.errors.PermissionDenied) rule = "be a folder that this user may read";
  }
  return `${flag} must ${rule}: current value is ${JSON.stringify(path)}`;
}

/** What is wrong with listening at an address, if anything. */
function addressFault(flag: string, hostname: string, port: number): string | undefined {
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (Deno.permissions.requestSync({ name: "net", host }).state === "granted") return;
  return `${flag} must be with an --allow-net of deno run that covers ${host}`;
}

/** What the server is made of, from flags, environment and files. */
export interface Configured {
  /** The flags. */
  config: Config;
  /** The sensors of `--sensors`. */
  declared: DeclaredSensor[];
  /** Null where everybody is let in. */
  doors: ReturnType<typeof readGuard>;
  /** Null for plain HTTP. */
  tls: { certificate: Certificate; reload: () => Certificate } | null;
}

/** Flags, environment and the files that they name; or else what was asked for, or all that is wrong, is printed: the exit code. */
export async function configure(args: string[], version: string): Promise<Configured | number> {
  const faults: string[] = [];
  const isCheck = args.includes("--check");
  const expected = [SensorsFileError, TokenFileError, CertificateError];
  const tried = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!expected.some((kind) => error instanceof kind)) throw error;
      faults.push((error as Error).message);
      return null;
    }
  };
  try {
    const env = (name: string) => Deno.env.get(name);
    const named = (flag: string) => nameOf(flag, args, { env });
    const home = Deno.cwd();
    const around = { env, base: env("INIT_CWD") || home, home, resolve, delimiter };
    const config = parseConfig(args, around, faults);
    if (typeof config === "string") {
      stdout.print(config === "help" ? help : `weir ${version}`);
      return 0;
    }
    const { files, logs, limits, certificate, host, port, admin, reusePort } = config;
    // What the server asks of itself goes there where the port has TLS, or is shared.
    const own = certificate ? "cert" : reusePort ? "reuse-port" : null;
    const ownFault = own ? addressFault(named(own), "127.0.0.1", 0) : undefined;
    if (faults.length === 0) {
      const adminFault = admin ? addressFault(named("admin"), admin.hostname, admin.port) : undefined;
      const net = [addressFault(named("host"), host, port), adminFault, ownFault];
      faults.push(...net.filter((fault) => fault !== undefined));
    }
    const fault = folderFault(named("files"), files);
    if (fault !== undefined) faults.push(fault);
    if (reusePort && !(Deno.build.os === "linux" && mayShare)) {
      faults.push(
        `${named("reuse-port")} must be on Linux, with --unstable-net of deno run or its deno.json`,
      );
    }
    const served = [files, ...logs];
    const doors = tried(() =>
      readGuard({
        path: config.tokenFile ?? null,
        name: named("token-file"),
        all: env("WEIR_TOKEN"),
        served,
      })
    );
    const names = { cert: named("cert"), key: named("key") };
    // Without a permission to try it Deno would say nothing of use.
    const tls = certificate && ownFault === undefined
      ? tried(() => {
        const reload = () => readCertificate(certificate, names, served);
        return { certificate: reload(), reload };
      })
      : null;
    const declared = tried(() => readDeclared(config.sensors, named("sensors"), limits)) ?? [];
    const notes: string[] = [];
    if (isCheck) {
      const late = tls && timeFault(tls.certificate);
      if (late) faults.push(`${names.cert} must be a certificate whose time it is: it ${late}`);
      await new LogFiles(config).check((note) => notes.push(note), (fault) => faults.push(fault));
    }
    for (const line of faults.concat(notes)) (faults.length > 0 ? stderr : stdout).print(line);
    if (faults.length > 0) return 2;
    if (!isCheck) return { config, declared, doors, tls };
    stdout.print("the flags, and the files that they name, are good");
    return 0;
  } finally {
    // It may hold a token, and nothing needs it any more.
    Deno.permissions.revokeSync({ name: "env" });
  }
}
