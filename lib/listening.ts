import type { Certificate } from "./certificate.ts";
import type { Route } from "./handler.ts";
import { isLoopback } from "./http/allowed_hosts.ts";
import type { ListenOptions } from "./listener.ts";
import type { Server } from "./server.ts";

/** Paths of what an administrator's programs read. */
const adminPaths = ["/healthz", "/metrics"];

/** The addresses of a server; {@linkcode Config} has what each is. */
export interface Addresses {
  host: string;
  port: number;
  reusePort?: boolean;
  admin?: { hostname: string; port: number } | null;
}

/**
 * Accepts connections at all addresses of a server, and returns a line that says where.
 *
 * @throws Error that names the address which cannot be bound
 */
export function listenAt(
  server: Server,
  { host, port, reusePort = false, admin }: Addresses,
  certificate: Certificate | null = null,
): string {
  const listen = (hostname: string, port: number, options: ListenOptions, routes?: Route[]) => {
    try {
      const bound = server.listen(hostname, port, options, routes);
      const authority = hostname.includes(":") ? `[${hostname}]` : hostname;
      return `${options.certificate ? "https" : "http"}://${authority}:${bound}`;
    } catch (error) {
      throw new Error(`cannot listen on ${hostname} port ${port}: ${(error as Error).message}`);
    }
  };
  const main = listen(host, port, { certificate, reusePort });
  // What the server asks of itself: a certificate's names need not lead here, and a shared port may lead to another process.
  server.app.origin = certificate === null && !reusePort
    ? main.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    : listen("127.0.0.1", 0, {});
  if (!admin) return `Listening on ${main}/`;
  const routes = server.routes.filter(({ path }) => adminPaths.includes(path));
  const options = { certificate: isLoopback(admin.hostname) ? null : certificate };
  return `Listening on ${main}/, for administrators on ${
    listen(admin.hostname, admin.port, options, routes)
  }/`;
}
