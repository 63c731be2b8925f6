import { HttpError } from "../stream/errors.ts";
import type { UpgradeOptions } from "./socket.ts";

/**
 * Upgrades a request to a WebSocket, if `admit` does not throw once the request is known to be good.
 *
 * @throws HttpError 426 when it is no upgrade or of another version, 400 when the handshake is wrong (RFC 6455, 4.2)
 */
export function handshake(
  request: Request,
  { protocols, idleSeconds }: UpgradeOptions,
  admit: () => void,
): Deno.WebSocketUpgrade & { protocol: string } {
  const { method, headers } = request;
  // Only a GET can be an upgrade (RFC 6455, 4.1), but the runtime would upgrade a HEAD as well.
  if (method !== "GET" || headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw upgradeRequired("this path speaks WebSocket");
  }
  // The runtime checks neither the version nor the key, which is 16 bytes in base64 (RFC 6455, 4.1).
  if (headers.get("sec-websocket-version") !== "13") {
    throw upgradeRequired("Sec-WebSocket-Version must be 13");
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "")) {
    throw new HttpError(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  admit();
  try {
    const protocol = agreed(headers, protocols ?? []);
    // The runtime's own object does not know the subprotocol.
    return { ...Deno.upgradeWebSocket(request, { protocol, idleTimeout: idleSeconds }), protocol };
  } catch (error) {
    throw new HttpError(400, "the WebSocket handshake must follow RFC 6455, 4.1", { cause: error });
  }
}

/** The first subprotocol of the client's that is spoken here (RFC 6455, 4.2.2). */
function agreed(headers: Headers, protocols: readonly string[]): string {
  const wanted = headers.get("sec-websocket-protocol")?.split(",") ?? [];
  return wanted.map((name) => name.trim()).find((name) => protocols.includes(name)) ?? "";
}

/** Says which protocol and version are spoken here (RFC 6455, 4.2.2 and 4.4). */
function upgradeRequired(message: string): HttpError {
  return new HttpError(426, message, {
    headers: { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" },
  });
}
