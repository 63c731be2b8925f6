function has(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

const net = has({ name: "net", host: "127.0.0.1" });
const files = has({ name: "read" }) && has({ name: "write" });
const run = net && files && has({ name: "run" }) && has({ name: "env", variable: "PATH" });

/**
 * What this run may do. A bare `deno test` has no permissions: tests that need some are then ignored, never failed, as in
 * `Deno.test({ name, ignore: !granted.server, fn })`.
 */
export const granted: Readonly<Record<"net" | "files" | "server" | "run" | "all", boolean>> = {
  /** Sockets on 127.0.0.1. */
  net,
  /** Reading and writing files. */
  files,
  /** What a test with a server needs: both, and the host's readings. */
  server: net && files && has({ name: "sys" }),
  /** Starting other processes, with sockets and files. */
  run,
  /** Everything: what a browser's driver needs. */
  all: run && ["env", "sys", "ffi"].every((name) => has({ name } as Deno.PermissionDescriptor)),
};
